//! A small sprint worked out by hand: what every metric of it has to be.
//!
//! Two agents, three tasks, no repository. Times are minutes after 09:00, when work begins (m0); points in brackets.
//!
//! ```text
//!                     0    10   20   30   40   50   60   70   80   90   100  110  120
//! alpha (5)  dev-1    aaaaaaaaaaaaaaaaaaaa|gate green, done at 41
//! beta  (3)  dev-2    bbbbbbbbb|failed at 20      bbbbbbbbbb|done at 71, from 50
//! gamma (2)  dev-1                          ccccc|blocked 51 to 81: ccccccccccccc|red at 111, not done; 81 to 111
//! ```
//!
//! Estimates: alpha 1 h, beta 0.5 h, gamma 2 h. The sprint is cancelled at 120.

use director_protocols::event::{
    AgentUp, AttemptEnded, BlockerRaised, BlockerResolved, Event, QualityGateStatus, Score,
    SprintEnded, SprintInitialized, SprintSubmitted, TaskAssigned, TaskCompleted, WorkRejected,
};
use director_protocols::event::{EpochOpened, Outcome};
use director_protocols::ids::{AgentId, Attempt, BlockerId, Generation, Seq, TaskId};
use director_protocols::severity::Severity;
use director_protocols::sprint::{Estimate, SprintSpec};
use director_protocols::time::{Span, Time};
use director_protocols::work::{AttemptEnd, BlockerReport, Report, Verdict};

use super::*;
use crate::engine::Engine;
use crate::planner::examples;
use crate::view::recorded::{START, outcome};

fn spec() -> SprintSpec {
    let mut spec = examples::checkout();
    spec.start = None;
    spec.end = None;
    spec.velocity_target = Some(8);
    spec.team.truncate(1);
    spec.team[0].name = examples::name("dev");
    spec.team[0].count = 2;
    spec.team[0].capacity = Some(Span::minutes(60));
    spec.tasks.truncate(3);
    for (place, (id, points, minutes)) in [("alpha", 5, 60), ("beta", 3, 30), ("gamma", 2, 120)]
        .into_iter()
        .enumerate()
    {
        let task = &mut spec.tasks[place];
        task.id = examples::name(id);
        task.feature = examples::name(id);
        task.role = examples::name("dev");
        task.kind = if id == "gamma" { "testing" } else { "feature" }.to_owned();
        task.points = points;
        task.estimate = Estimate::point(Span::minutes(minutes));
        task.depends_on.clear();
    }
    // Alpha and gamma are bugs.
    spec.tasks[0].severity = Some(Severity::High);
    spec.tasks[2].severity = Some(Severity::Low);
    spec
}

fn at(minute: u64) -> Time {
    START + Span::minutes(minute)
}

/// The journal of that sprint.
fn entries() -> Vec<Entry> {
    let sprint_id = SprintId(0);
    let (alpha, beta, gamma) = (TaskId(0), TaskId(1), TaskId(2));
    let (dev1, dev2) = (AgentId(0), AgentId(1));
    let assigned = |task_id, agent_id, attempt| -> Event {
        TaskAssigned {
            task_id,
            agent_id,
            attempt: Attempt(attempt),
            estimated_hours: Span::ZERO,
            dependencies: Vec::new().into(),
            score: Score::default(),
        }
        .into()
    };
    let ended = |task_id, agent_id, attempt, end| -> Event {
        AttemptEnded {
            task_id,
            agent_id,
            attempt: Attempt(attempt),
            end,
        }
        .into()
    };
    let gated = |task, verdict| -> Event {
        QualityGateStatus {
            effect: None,
            sprint_id,
            batch: vec![task],
            outcomes: vec![outcome("tests", verdict)],
            passed: verdict != Verdict::Failed,
            commit: String::new(),
            test_coverage: (task == beta).then_some(8150),
            code_review_completion: None,
            documentation_status: None,
        }
        .into()
    };
    let completed = |task_id| -> Event {
        TaskCompleted {
            task_id,
            sprint_progress: 0,
        }
        .into()
    };
    let said = |feedback: &str| {
        AttemptEnd::done(Report {
            feedback: feedback.to_owned(),
            ..Report::default()
        })
    };
    let up = |agent_id| -> Event {
        AgentUp {
            agent_id,
            generation: Generation(1),
        }
        .into()
    };
    let blocker = BlockerReport {
        kind: "question".to_owned(),
        severity: Severity::High,
        text: "which one?".to_owned(),
    };
    let written: Vec<(u64, Vec<Event>)> = vec![
        (
            0,
            vec![
                EpochOpened {
                    epoch: 1,
                    version: "1.0.0".to_owned(),
                }
                .into(),
                SprintSubmitted {
                    sprint_id,
                    spec: spec().into(),
                    planned: Span::hours(2),
                }
                .into(),
            ],
        ),
        (
            0,
            vec![
                SprintInitialized {
                    sprint_id,
                    total_tasks: 3,
                    estimated_duration: Span::minutes(120),
                }
                .into(),
                up(dev1),
                up(dev2),
                assigned(alpha, dev1, 1),
                assigned(beta, dev2, 1),
            ],
        ),
        (
            20,
            vec![ended(
                beta,
                dev2,
                1,
                AttemptEnd::Failed {
                    reason: "no".to_owned(),
                    exit_code: Some(1),
                },
            )],
        ),
        (40, vec![ended(alpha, dev1, 1, said("clear enough"))]),
        (
            41,
            vec![
                gated(alpha, Verdict::Passed),
                completed(alpha),
                assigned(gamma, dev1, 1),
            ],
        ),
        (50, vec![assigned(beta, dev2, 2)]),
        (
            51,
            vec![
                ended(gamma, dev1, 1, AttemptEnd::Blocked(blocker)),
                BlockerRaised {
                    blocker: BlockerId(0),
                    task_id: gamma,
                    agent_id: Some(dev1),
                    blocker_type: "question".to_owned(),
                    severity: Severity::High,
                    reported: Severity::High,
                    on_critical_path: true,
                    reason: String::new(),
                    text: "which one?".to_owned(),
                    deadline: None,
                }
                .into(),
            ],
        ),
        (70, vec![ended(beta, dev2, 2, said(""))]),
        (71, vec![gated(beta, Verdict::Passed), completed(beta)]),
        (
            81,
            vec![
                BlockerResolved {
                    blocker: BlockerId(0),
                    by: "ada".to_owned(),
                    answer: "the first".to_owned(),
                }
                .into(),
                assigned(gamma, dev1, 2),
            ],
        ),
        (111, vec![ended(gamma, dev1, 2, said("done, I think"))]),
        (
            112,
            vec![
                gated(gamma, Verdict::Failed),
                WorkRejected {
                    task_id: gamma,
                    attempt: Attempt(2),
                    reason: "gate `tests` failed".to_owned(),
                    counts: true,
                }
                .into(),
            ],
        ),
        (
            120,
            vec![
                SprintEnded {
                    sprint_id,
                    outcome: Outcome::Incomplete,
                }
                .into(),
            ],
        ),
    ];
    (1..)
        .zip(written)
        .map(|(seq, (minute, events))| Entry {
            seq: Seq(seq),
            epoch: 1,
            at: at(minute),
            events,
        })
        .collect()
}

#[test]
fn every_metric_is_what_it_is_by_hand() {
    let entries = entries();
    let mut engine = Engine::default();
    for entry in &entries {
        assert!(
            engine.replay(entry.seq, entry.events.clone(), entry.at),
            "{entry:?}"
        );
    }
    let view = build(engine.state(), &entries, SprintId(0), at(500)).expect("a sprint");
    let m = &view.metrics;
    let near = |found: f64, by_hand: f64, what: &str| {
        assert!(
            (found - by_hand).abs() < 4e-3,
            "{what}: {found}, by hand {by_hand}"
        );
    };

    // The report has hours with four decimals, a third of a second; here it is minutes.
    // Velocity: alpha 5 and beta 3 of a target of 8; 2 of 3 tasks, 8 of 10 points.
    assert_eq!((m.velocity, m.target_velocity), (8, 8));
    near(m.completion_rate, 2.0 / 3.0, "completion by tasks");
    near(
        m.completion_rate_points.unwrap(),
        0.8,
        "completion by points",
    );

    // Cycle times of `feature`: alpha 0 to 41, beta 0 to 71: 56 on average. `testing` has nothing completed.
    let cycle = &m.cycle_hours["feature"];
    assert_eq!((m.cycle_hours.len(), cycle.tasks), (1, 2));
    near(cycle.mean * 60.0, 56.0, "mean cycle");
    near(cycle.min * 60.0, 41.0, "shortest");
    near(cycle.max * 60.0, 71.0, "longest");
    // At work: alpha 40; beta 20 and 20. Estimated 60 and 30.
    near(cycle.worked * 60.0, 40.0, "worked per task");
    near(cycle.estimated * 60.0, 45.0, "estimated per task");
    near(m.pace.unwrap(), 80.0 / 90.0, "pace");

    // Two of three gate runs were green; reports were accepted after a minute.
    near(m.build_success_rate.unwrap(), 2.0 / 3.0, "builds");
    assert_eq!((m.gates["tests"].passed, m.gates["tests"].failed), (2, 1));
    near(
        m.review_turnaround_hours.unwrap() * 60.0,
        1.0,
        "review turnaround",
    );
    // Only beta's gates measured it.
    assert_eq!(m.coverage, Some(81.5));

    // One blocker, 51 to 81.
    assert_eq!((m.blockers_raised, m.escalations, m.emergencies), (1, 0, 0));
    near(m.blocker_resolution_hours.unwrap() * 60.0, 30.0, "blocker");

    // dev-1: alpha 40, gamma 10 and 30: 80. dev-2: 40. Two agents over 120: 120 of 240.
    near(m.utilization["dev"], 0.5, "utilisation");
    near(m.worked_hours * 60.0, 120.0, "worked");
    near(m.estimated_hours * 60.0, 90.0, "estimated of what is done");
    near(m.elapsed_hours * 60.0, 120.0, "elapsed");
    near(m.planned_hours * 60.0, 120.0, "planned");
    // Capacity is 60 each: dev-1 has 20 too much of 120. Nobody is over 85 % of 120, which is 102.
    let strain = &m.sustainability;
    near(strain.overtime_hours * 60.0, 20.0, "overtime");
    near(strain.capacity_hours * 60.0, 120.0, "capacity");
    near(strain.overtime_rate, 1.0 / 6.0, "overtime rate");
    assert_eq!(strain.agents_over_85_percent, [""; 0]);
    assert_eq!(
        (strain.restarts, strain.rework_rounds, strain.feedback),
        (0, 1, 2)
    );

    // Five attempts at three tasks: two again. Nobody died, nothing was merged.
    assert_eq!((m.attempts, m.retries, m.deaths, m.merges), (5, 2, 0, 0));
    let ends: Vec<(&str, u32)> = m.attempt_ends.iter().map(|(end, n)| (*end, *n)).collect();
    assert_eq!(ends, [("blocked", 1), ("done", 3), ("failed", 1)]);

    // Of the two bugs alpha is mended.
    assert_eq!((m.bugs.reported, m.bugs.open), (2, 1));

    // What was left: 10 points and 3 tasks, 5 and 2 after alpha, 2 and 1 after beta. It is over, so nothing is projected.
    let left: Vec<(u32, u32)> = m
        .burndown
        .iter()
        .map(|burn| (burn.points, burn.tasks))
        .collect();
    assert_eq!(left, [(10, 3), (5, 2), (2, 1)]);
    assert_eq!(m.projected_completion, view.ended);
    assert_eq!((m.days_remaining, m.cost_usd), (None, None));

    // What all three did: both in hand at 0, beta waits at 20, alpha held at 40 and done at 41 with gamma in hand …
    let flow: Vec<[u32; 4]> = view
        .flow
        .iter()
        .map(|point| [point.waiting, point.in_hand, point.held, point.completed])
        .collect();
    assert_eq!(
        flow,
        [
            [3, 0, 0, 0],
            [1, 2, 0, 0],
            [2, 1, 0, 0],
            [2, 0, 1, 0],
            [1, 1, 0, 1],
            [0, 2, 0, 1],
            [0, 1, 1, 1],
            [0, 0, 2, 1],
            [0, 0, 1, 2],
            [0, 1, 0, 2],
            [0, 0, 1, 2],
            [1, 0, 0, 2],
        ]
    );

    // gamma's row: tried 41 to 51, waited 51 to 81, tried 81 to 111, waited a minute for the gate.
    let gamma: Vec<(f64, f64, &str)> = view.timeline[2]
        .pieces
        .iter()
        .map(|piece| {
            (
                (piece.from_hours * 60.0).round(),
                (piece.to_hours * 60.0).round(),
                piece.state,
            )
        })
        .collect();
    assert_eq!(
        gamma,
        [
            (41.0, 51.0, "tried"),
            (51.0, 81.0, "waited"),
            (81.0, 111.0, "tried"),
            (111.0, 112.0, "waited")
        ]
    );
}
