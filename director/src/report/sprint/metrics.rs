//! The sprint in numbers. A number that nothing measured is `null`, never 0 and never a guess.
//!
//! Elsewhere: the name, unit and formula of each is [`super::defined`].

use std::collections::BTreeMap;

use director_protocols::ids::{AgentId, SprintId};
use director_protocols::sprint::Class;
use director_protocols::time::{Span, Time};
use director_protocols::work::Verdict;
use schemars::JsonSchema;
use serde::Serialize;

use super::facts::Facts;
use crate::engine::balance::capacity;
use crate::engine::state::State;
use crate::engine::tasks::{Phase, Task};
use crate::view::{hours, rfc3339, round, share};

/// The sprint in numbers.
#[derive(Clone, Debug, Default, PartialEq, JsonSchema, Serialize)]
pub struct Metrics {
    /// Points completed.
    pub velocity: u32,
    /// Points meant to be completed: the sprint's target, or all committed ones.
    pub target_velocity: u32,
    /// Working days left, today included; `null` without dates or when it is over.
    pub days_remaining: Option<u64>,
    /// When all may be done, or was; `null` while something that cannot go on by itself stands in the way.
    pub projected_completion: Option<String>,
    /// Completed share of the committed tasks, 0 to 1.
    pub completion_rate: f64,
    /// Completed share of the committed points; `null` when there are none.
    pub completion_rate_points: Option<f64>,
    /// Test coverage in percent; `null`: nothing measured it.
    pub coverage: Option<f64>,
    /// How many of the accepted tasks passed the coverage gate, failed it, or had nothing to measure it.
    pub coverage_gate: Verdicts,
    /// From the first assignment to completion, by kind of task.
    pub cycle_hours: BTreeMap<String, Cycle>,
    /// Gate runs on a merged tree in which nothing failed, of all, 0 to 1; `null` when nothing was gated.
    pub build_success_rate: Option<f64>,
    /// How each gate came out, over all runs.
    pub gates: BTreeMap<String, Verdicts>,
    /// Merges into the integration branch.
    pub merges: u32,
    /// Merges that did not fit what was merged before.
    pub merge_conflicts: u32,
    /// Conflicts that were seen before the merge, between tasks under way or with what was merged; each two once.
    pub conflicts_foreseen: usize,
    /// From an agent's report to the verdict of those who review it, or to completion where nobody does, on average, in
    /// hours.
    pub review_turnaround_hours: Option<f64>,
    /// Blockers raised.
    pub blockers_raised: usize,
    /// From raised to resolved, on average, in hours; `null` when none was.
    pub blocker_resolution_hours: Option<f64>,
    /// Times that a blocker went up a tier.
    pub escalations: u32,
    /// Emergencies.
    pub emergencies: u32,
    /// Time with a task of this sprint in hand over the time of the sprint, by role, 0 to 1.
    pub utilization: BTreeMap<String, f64>,
    /// Assignments.
    pub attempts: u32,
    /// Assignments after a task's first.
    pub retries: u32,
    /// Attempts by how they ended.
    pub attempt_ends: BTreeMap<&'static str, u32>,
    /// Agents that died with a task in hand.
    pub deaths: usize,
    /// Times that a new director took over.
    pub takeovers: u32,
    /// Refs that hold unfinished work.
    pub salvaged_refs: Vec<String>,
    /// Estimated work of what is completed, in hours.
    pub estimated_hours: f64,
    /// Time at work of agents, in hours.
    pub worked_hours: f64,
    /// Time at work over estimate, of completed tasks; `null` before the first.
    pub pace: Option<f64>,
    /// From the beginning of work to its end (or now), in hours.
    pub elapsed_hours: f64,
    /// The same as planned.
    pub planned_hours: f64,
    /// What was reported as broken.
    pub bugs: Bugs,
    /// Whether the team could go on like this.
    pub sustainability: Sustainability,
    /// Spending that agents reported, in dollars; `null` when none did.
    pub cost_usd: Option<f64>,
    /// Time for each class of work, as planned and as it was.
    pub shares: BTreeMap<&'static str, ShareOf>,
    /// What was left after each change.
    pub burndown: Vec<Burn>,
}

/// Whether the team could go on like this.
#[derive(Clone, Debug, Default, PartialEq, JsonSchema, Serialize)]
pub struct Sustainability {
    /// Time at work beyond each agent's capacity, over all agents, in hours.
    pub overtime_hours: f64,
    /// Capacity of all agents for a sprint, in hours.
    pub capacity_hours: f64,
    /// The first over the second.
    pub overtime_rate: f64,
    /// Agents with a task in hand for more than 85 % of the sprint.
    pub agents_over_85_percent: Vec<String>,
    /// Times that an agent went down.
    pub restarts: u32,
    /// Times that work was not accepted and had to be done again.
    pub rework_rounds: u32,
    /// Things that agents said about the work.
    pub feedback: usize,
}

/// What was reported as broken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, JsonSchema, Serialize)]
pub struct Bugs {
    /// Tasks of the sprint that say how bad it is if they stay undone.
    pub reported: usize,
    /// Those of them that are neither completed nor called off.
    pub open: usize,
}

/// Time for one class of work.
#[derive(Clone, Copy, Debug, Default, PartialEq, JsonSchema, Serialize)]
pub struct ShareOf {
    /// The most that it should have, 0 to 1; `null` without a limit.
    pub most: Option<f64>,
    /// Estimated work of what was committed, in hours.
    pub planned_hours: f64,
    /// The same as a share of all committed work, 0 to 1.
    pub planned: f64,
    /// Time at work, in hours.
    pub actual_hours: f64,
    /// The same as a share of all time at work, 0 to 1.
    pub actual: f64,
}

/// Time for each class of work that has any or is limited.
fn shares(
    facts: &Facts,
    state: &State,
    sprint: SprintId,
    tasks: &[&Task],
) -> BTreeMap<&'static str, ShareOf> {
    let limits = state
        .sprints
        .get(sprint)
        .map_or([None; 3], |row| row.spec.policy.shares);
    let committed = tasks.iter().filter(|task| task.phase != Phase::Deferred);
    let planned = |class: Option<Class>| -> u64 {
        let ours = committed
            .clone()
            .filter(|task| class.is_none_or(|class| task.spec.class == class));
        ours.map(|task| task.spec.estimate.mean().0).sum()
    };
    let actual = |class: Option<Class>| -> u64 {
        let worked = facts.worked.iter().filter(|(id, _)| {
            let of = state.tasks.get(**id);
            of.is_some_and(|task| class.is_none_or(|class| task.spec.class == class))
        });
        worked.map(|(_, span)| span.0).sum()
    };
    let all = (planned(None), actual(None));
    let rows = Class::ALL.into_iter().zip(limits).map(|(class, most)| {
        let (planned, actual) = (planned(Some(class)), actual(Some(class)));
        let row = ShareOf {
            most: most.map(|most| round(f64::from(most) / 1000.0)),
            planned_hours: hours(Span(planned)),
            planned: share(planned, all.0),
            actual_hours: hours(Span(actual)),
            actual: share(actual, all.1),
        };
        (class.as_str(), row)
    });
    rows.filter(|(_, row)| row.most.is_some() || row.planned > 0.0 || row.actual > 0.0)
        .collect()
}

/// How often a gate had which verdict.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, JsonSchema, Serialize)]
pub struct Verdicts {
    /// Measured and good.
    pub passed: u32,
    /// Measured and not good.
    pub failed: u32,
    /// Nothing could measure it.
    pub not_measured: u32,
    /// A person let it pass in spite of it.
    pub overridden: u32,
}

/// Cycle times of one kind of task, in hours.
#[derive(Clone, Copy, Debug, Default, PartialEq, JsonSchema, Serialize)]
pub struct Cycle {
    /// Completed tasks.
    pub tasks: u32,
    /// On average.
    pub mean: f64,
    /// The shortest.
    pub min: f64,
    /// The longest.
    pub max: f64,
    /// Time at work, on average.
    pub worked: f64,
    /// Estimated, on average.
    pub estimated: f64,
}

/// What was left at one moment.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize)]
pub struct Burn {
    /// When.
    pub at: String,
    /// Points left.
    pub points: u32,
    /// Tasks left.
    pub tasks: u32,
}

/// From the beginning of work to its end, or to now.
pub(super) fn elapsed(state: &State, sprint: SprintId, now: Time) -> Span {
    let row = state.sprints.get(sprint);
    row.and_then(|row| Some(row.ended.unwrap_or(now).since(row.began?)))
        .unwrap_or_default()
}

/// Computes them.
pub(super) fn metrics(
    state: &State,
    facts: &Facts,
    tasks: &[&Task],
    sprint: SprintId,
    now: Time,
) -> Metrics {
    let Some(row) = state.sprints.get(sprint) else {
        return Metrics::default();
    };
    let tally = state.tasks.tally(sprint);
    let elapsed = elapsed(state, sprint, now);
    let done: Vec<&&Task> = tasks
        .iter()
        .filter(|task| task.phase == Phase::Completed)
        .collect();
    let resolved: Vec<Span> = facts
        .blockers
        .values()
        .filter_map(|hold| Some(hold.resolved?.since(hold.raised)))
        .collect();
    let forecast = crate::view::status::velocity(state, sprint, now);
    let gated = facts.gate_runs[0] + facts.gate_runs[1];
    let cost: u64 = tasks
        .iter()
        .filter_map(|task| task.story.as_deref())
        .map(|story| story.cost_micros)
        .sum();
    Metrics {
        velocity: tally.completed_points,
        target_velocity: row.spec.velocity_target.unwrap_or(tally.committed_points),
        days_remaining: forecast.days_remaining,
        projected_completion: forecast.projected_completion,
        completion_rate: share(tally.completed.into(), tally.committed.into()),
        completion_rate_points: (tally.committed_points > 0)
            .then(|| share(tally.completed_points.into(), tally.committed_points.into())),
        coverage: facts.coverage.map(|share| f64::from(share) / 100.0),
        coverage_gate: accepted_with(tasks, "coverage"),
        cycle_hours: cycles(&done),
        build_success_rate: (gated > 0).then(|| share(facts.gate_runs[0].into(), gated.into())),
        gates: facts
            .gates
            .iter()
            .map(|(gate, [passed, failed, not_measured, overridden])| {
                let verdicts = Verdicts {
                    passed: *passed,
                    failed: *failed,
                    not_measured: *not_measured,
                    overridden: *overridden,
                };
                (gate.clone(), verdicts)
            })
            .collect(),
        merges: facts.merges,
        merge_conflicts: facts
            .conflicts
            .values()
            .map(|(seqs, _)| seqs.len() as u32)
            .sum(),
        conflicts_foreseen: facts.foreseen.len(),
        review_turnaround_hours: mean(&facts.read_in),
        blockers_raised: facts.blockers.len(),
        blocker_resolution_hours: mean(&resolved),
        escalations: facts.escalations,
        emergencies: facts.emergencies,
        utilization: utilization(state, facts, elapsed),
        attempts: facts.attempts_of_all(),
        retries: facts.retries(),
        attempt_ends: facts.ends.clone(),
        deaths: facts.deaths.len(),
        takeovers: facts.takeovers,
        salvaged_refs: facts
            .salvaged
            .iter()
            .map(|(_, place)| place.clone())
            .collect(),
        estimated_hours: hours(done.iter().map(|task| task.spec.estimate.mean()).sum()),
        worked_hours: hours(facts.worked.values().copied().sum()),
        pace: pace(&done),
        elapsed_hours: hours(elapsed),
        planned_hours: hours(row.planned),
        bugs: bugs(tasks),
        sustainability: sustainability(state, facts, elapsed),
        cost_usd: (cost > 0).then(|| round(cost as f64 / 1e6)),
        shares: shares(facts, state, sprint, tasks),
        burndown: facts
            .burndown
            .iter()
            .map(|(at, points, tasks)| Burn {
                at: rfc3339(*at),
                points: *points,
                tasks: *tasks,
            })
            .collect(),
    }
}

/// A task is a bug if it has a severity, which whoever reports one says.
fn bugs(tasks: &[&Task]) -> Bugs {
    let mut bugs = Bugs::default();
    for task in tasks.iter().filter(|task| task.spec.severity.is_some()) {
        bugs.reported += 1;
        bugs.open += usize::from(!matches!(task.phase, Phase::Completed | Phase::Cancelled));
    }
    bugs
}

/// Time at work over estimate.
fn pace(done: &[&&Task]) -> Option<f64> {
    let worked: Span = done.iter().map(|task| busy(task)).sum();
    let estimated: Span = done.iter().map(|task| task.spec.estimate.mean()).sum();
    (estimated > Span::ZERO && worked > Span::ZERO).then(|| share(worked.0, estimated.0))
}

fn busy(task: &Task) -> Span {
    task.story.as_deref().map_or(Span::ZERO, |story| story.busy)
}

fn mean(spans: &[Span]) -> Option<f64> {
    let sum: Span = spans.iter().copied().sum();
    (!spans.is_empty()).then(|| hours(Span(sum.0 / spans.len() as u64)))
}

/// The last verdict of a gate on each completed task; one that did not have the gate counts as not measured.
pub(super) fn accepted_with(tasks: &[&Task], gate: &str) -> Verdicts {
    let mut verdicts = Verdicts::default();
    for task in tasks.iter().filter(|task| task.phase == Phase::Completed) {
        let outcome = task
            .story
            .as_deref()
            .and_then(|story| story.gates.iter().find(|outcome| outcome.gate == gate));
        match outcome.map(|outcome| outcome.verdict) {
            Some(Verdict::Passed) => verdicts.passed += 1,
            Some(Verdict::Failed) => verdicts.failed += 1,
            Some(Verdict::Overridden) => verdicts.overridden += 1,
            Some(Verdict::NotMeasured) | None => verdicts.not_measured += 1,
        }
    }
    verdicts
}

fn cycles(done: &[&&Task]) -> BTreeMap<String, Cycle> {
    let mut spans: BTreeMap<String, Vec<[Span; 3]>> = BTreeMap::new();
    for task in done {
        if let (Some(began), Some(finished)) = (task.began, task.finished) {
            spans.entry(task.spec.kind.clone()).or_default().push([
                finished.since(began),
                busy(task),
                task.spec.estimate.mean(),
            ]);
        }
    }
    spans
        .into_iter()
        .map(|(kind, spans)| {
            let column = |n: usize| spans.iter().map(|row| row[n]).collect::<Vec<Span>>();
            let cycle = column(0);
            let of = |span: Option<&Span>| span.map_or(0.0, |span| hours(*span));
            let row = Cycle {
                tasks: spans.len() as u32,
                mean: mean(&cycle).unwrap_or(0.0),
                min: of(cycle.iter().min()),
                max: of(cycle.iter().max()),
                worked: mean(&column(1)).unwrap_or(0.0),
                estimated: mean(&column(2)).unwrap_or(0.0),
            };
            (kind, row)
        })
        .collect()
}

/// By role, over the agents that it has now and those that worked in it before: time with a task in hand over time.
///
/// An agent has one task at a time, so this is at most 1; nothing is cut off that would hide a time that counts twice.
fn utilization(state: &State, facts: &Facts, elapsed: Span) -> BTreeMap<String, f64> {
    state
        .team
        .roles
        .iter()
        .filter(|role| role.spec.count > 0)
        .map(|role| {
            let worked = role.agents.iter().filter_map(|agent| facts.busy.get(agent));
            let busy: u64 = worked.map(|busy| busy.0).sum();
            let retired = role.agents.iter().skip(role.spec.count as usize);
            let retired = retired.filter(|agent| facts.busy.contains_key(agent));
            let agents = u64::from(role.spec.count) + retired.count() as u64;
            let time = elapsed.0.saturating_mul(agents);
            (role.spec.name.to_string(), share(busy, time))
        })
        .collect()
}

fn sustainability(state: &State, facts: &Facts, elapsed: Span) -> Sustainability {
    let agents = (0u32..).map(AgentId).zip(&state.team.agents);
    let agents = agents.filter(|(id, agent)| !agent.retired || facts.busy.contains_key(id));
    let (mut over, mut all) = (Span::ZERO, Span::ZERO);
    for (id, agent) in agents {
        let role = state.team.roles.get(agent.role.index());
        let capacity = role.map_or(Span::ZERO, capacity);
        let busy = facts.busy.get(&id).copied().unwrap_or_default();
        all += capacity;
        over += Span(busy.0.saturating_sub(capacity.0));
    }
    Sustainability {
        overtime_hours: hours(over),
        capacity_hours: hours(all),
        overtime_rate: share(over.0, all.0),
        agents_over_85_percent: facts
            .busy
            .iter()
            .filter(|(_, busy)| share(busy.0, elapsed.0) > 0.85)
            .map(|(agent, _)| state.agent_name(*agent))
            .collect(),
        restarts: facts.restarts,
        rework_rounds: facts.rejections.values().sum(),
        feedback: facts.feedback.len(),
    }
}
