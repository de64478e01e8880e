//! The report of a troubled sprint as people read it, and its numbers counted once more from the events.

use director_protocols::command::Command;
use director_protocols::event::Event;
use director_protocols::severity::Severity;
use director_protocols::time::Span;
use director_protocols::work::AttemptEnd;
use expect_test::expect;

use super::*;
use crate::view::recorded::{Run, SPRINT, checkout, midway, troubled};

fn report(run: &Run) -> ReportView {
    build(run.state(), &run.entries, SPRINT, run.now).unwrap()
}

/// Everything goes well, in scratch directories.
fn smooth() -> Run {
    let mut run = Run::of(checkout(false));
    for task in [
        "psp-research",
        "checkout-spec",
        "docs",
        "cart-ui",
        "payment-api",
        "cart-api",
        "connect",
        "api-review",
        "ui-review",
        "release-notes",
    ] {
        run.done(task, 15);
    }
    run
}

#[test]
fn a_troubled_sprint_reads_well_in_a_terminal() {
    expect![[r#"
        sprint-3 incomplete · Checkout

             task           status     tries   cycle  commit    agent
          ✓  checkout-spec  completed      1  45m12s  feed0000  tech-lead-1
          ✓  psp-research   completed      1  20m08s  feed0001  documentation-research-1
          ✓  cart-api       completed      1  30m06s  feed0002  api-engineer-1
          ✓  payment-api    completed      1   1h22m  feed0003  api-engineer-1
          ✓  cart-ui        completed      4   1h19m  feed0004  ux-engineer-1
          ✗  connect        failed         3                    fullstack-engineer-1
          ✓  docs           completed      2  45m13s  feed0006  documentation-writer-1
          ·  api-review     waiting        0
          ·  ui-review      waiting        0
          ·  release-notes  waiting        0

        Metrics
          velocity              40 of 40 points
          completion rate       60%
          time                  3h11m; planned 42.0h
          work                  4h57m at work; 45.0h were estimated for what is
                                completed
          attempts              13, 6 retries, 1 death
          gates passed          86%
          coverage              not measured
          merges                6, 1 conflict
          report to acceptance  4.0s
          blockers              1, resolved in 30m01s on average
          in use                api-engineer 29%, documentation-research 10%,
                                documentation-writer 8%, fullstack-engineer 15%,
                                tech-lead 24%, ux-engineer 39%
          unfinished work       refs/director/salvage/docs/1,
                                refs/director/salvage/cart-ui/1,
                                refs/director/salvage/cart-ui/2,
                                refs/director/salvage/cart-ui/3,
                                refs/director/salvage/connect/1,
                                refs/director/salvage/connect/2,
                                refs/director/salvage/connect/3

        Blockers
          - high docs: Where do the docs live? (resolved by ada after 0.50h)

        Incidents
          - ux-engineer-1 died at cart-ui: out of memory (event 55)

        Risks
          - none

        Lessons
          - cart-ui took 1h19m, 2.2 times its share of the estimate (35m44s at this
            sprint's pace): 1 lost attempt (1 died), gate `tests` was red once, it did
            not merge once. Next time: agree before such work begins on what it needs,
            and cut it into smaller tasks. (events 49, 55, 64)
          - docs took 45m13s, 1.9 times its share of the estimate (23m49s at this
            sprint's pace): 1 lost attempt (1 blocked), it was blocked for 30m01s. Next
            time: agree before such work begins on what it needs, and cut it into
            smaller tasks. (events 35, 37)
          - 3 tasks needed more than one attempt (9 in all): cart-ui, connect, docs.
            Next time: make them smaller, or say in `description` and `acceptance` what
            the first attempt missed. (events 28, 38, 52, 59, 66, 87, 93, 99)
          - gate `tests` failed 1 of 7 times: cart-ui. Next time: let agents run the
            command of `tests` before they report, by naming it in their tasks. (event
            49)
          - nothing measured: coverage. Next time: give these gates a `run` command
            under [gates], or switch them off. (events 22, 27, 45, 73, 78, 86)
          - cart-ui did not merge at once, in src/cart.rs. Next time: let tasks that
            touch the same files share a `feature`, or depend on each other. (event 64)
          - 1 agent died at work, at cart-ui. Next time: look at `director logs` of
            these tasks: memory, limits, the program itself. (event 55)
          - 1 blocker held work up, the longest 30m01s (missing_credentials at docs).
            Next time: answer what was asked in the task's description beforehand.
            (events 35, 37)
          - api-engineer, documentation-writer, ux-engineer waited 40m10s for tech-lead
            alone: cart-api, payment-api, cart-ui, docs for checkout-spec, 2h40m
            together. Next time: hand over the part of work like checkout-spec that
            others need first, as a task of its own. (events 27, 45, 73, 78, 86)
          - documentation-writer was in use 8% of the time. Next time: let
            documentation-writer take over other kinds of task (`covers`). (events 28,
            35, 38, 41)
          - work took 10% of what was estimated. Next time: multiply estimates by 0.10
            to see when a sprint will really be done. (events 22, 27, 45, 73, 78, 86)

        For the next sprint
          - connect (failed): 3 attempts failed; the last: the two do not fit together
          - api-review (waiting): waited for connect
          - ui-review (waiting): waited for connect
          - release-notes (waiting): waited for api-review, ui-review

        Success criteria
          ✗ not met      All sprint tasks completed or properly carried over
                         6 of 10 tasks completed, 1 failed and carried over by nobody
                         (connect), 3 left waiting
          ? not measured Test coverage maintained above 80%
                         nothing measured gate `coverage`
          ? not measured All code reviewed and approved
                         nothing measured gate `review`
          ? not measured Documentation updated for all features
                         nothing measured gate `docs`
          ? not measured No critical bugs in production
                         no critical bug of this sprint is open; production is not
                         watched
          ✓ met          Sprint velocity meets or exceeds target
                         40 of 40 points
          ✓ met          Team morale and sustainability maintained
                         no overtime, nobody used over 85%; 1 rework round, 1 restart
          ? not measured Stakeholder requirements satisfied
                         9 acceptance criteria: agents say 5 met and 0 not met; nothing
                         measured them
    "#]]
    .assert_eq(&text(&report(&troubled()), 80, false));
}

#[test]
fn a_troubled_sprint_reads_well_as_markdown() {
    expect![[r#"
        # Sprint sprint-3: incomplete

        - Epic: Checkout
        - Time: 2026-11-23 09:00 UTC to 2026-11-23 12:11 UTC (3h11m; planned 42.0h)
        - Completed: 60% of the tasks, 40 of 40 points
        - Integration branch: `feed0002feed0002feed0002feed0002feed0002`

        ## Tasks

        | task | status | agent | attempts | cycle | commit |
        | --- | --- | --- | ---: | ---: | --- |
        | checkout-spec | completed | tech-lead-1 | 1 | 45m12s | `feed0000feed` |
        | psp-research | completed | documentation-research-1 | 1 | 20m08s | `feed0001feed` |
        | cart-api | completed | api-engineer-1 | 1 | 30m06s | `feed0002feed` |
        | payment-api | completed | api-engineer-1 | 1 | 1h22m | `feed0003feed` |
        | cart-ui | completed | ux-engineer-1 | 4 | 1h19m | `feed0004feed` |
        | connect | failed | fullstack-engineer-1 | 3 |  |  |
        | docs | completed | documentation-writer-1 | 2 | 45m13s | `feed0006feed` |
        | api-review | waiting |  | 0 |  |  |
        | ui-review | waiting |  | 0 |  |  |
        | release-notes | waiting |  | 0 |  |  |

        ## Metrics

        | metric | value |
        | --- | --- |
        | velocity | 40 of 40 points |
        | completion rate | 60% |
        | time | 3h11m; planned 42.0h |
        | work | 4h57m at work; 45.0h were estimated for what is completed |
        | attempts | 13, 6 retries, 1 death |
        | gates passed | 86% |
        | coverage | not measured |
        | merges | 6, 1 conflict |
        | report to acceptance | 4.0s |
        | blockers | 1, resolved in 30m01s on average |
        | in use | api-engineer 29%, documentation-research 10%, documentation-writer 8%, fullstack-engineer 15%, tech-lead 24%, ux-engineer 39% |
        | unfinished work | refs/director/salvage/docs/1, refs/director/salvage/cart-ui/1, refs/director/salvage/cart-ui/2, refs/director/salvage/cart-ui/3, refs/director/salvage/connect/1, refs/director/salvage/connect/2, refs/director/salvage/connect/3 |

        | kind | tasks | mean | shortest | longest | estimated |
        | --- | ---: | ---: | ---: | ---: | ---: |
        | api_endpoint | 2 | 56m20s | 30m06s | 1h22m | 12h30m |
        | architecture | 1 | 45m12s | 45m12s | 45m12s | 6h00m |
        | documentation | 1 | 45m13s | 45m13s | 45m13s | 4h00m |
        | research | 1 | 20m08s | 20m08s | 20m08s | 4h00m |
        | ui_component | 1 | 1h19m | 1h19m | 1h19m | 6h00m |

        ## Blockers

        - **high** docs: Where do the docs live? (resolved by ada after 0.50h)

        ## Incidents

        - 2026-11-23T10:42:41Z ux-engineer-1 died at cart-ui: out of memory (event 55)

        ## Risks

        - none

        ## Lessons

        - cart-ui took 1h19m, 2.2 times its share of the estimate (35m44s at this sprint's pace): 1 lost attempt (1 died), gate \`tests\` was red once, it did not merge once. Next time: agree before such work begins on what it needs, and cut it into smaller tasks. (events 49, 55, 64)
        - docs took 45m13s, 1.9 times its share of the estimate (23m49s at this sprint's pace): 1 lost attempt (1 blocked), it was blocked for 30m01s. Next time: agree before such work begins on what it needs, and cut it into smaller tasks. (events 35, 37)
        - 3 tasks needed more than one attempt (9 in all): cart-ui, connect, docs. Next time: make them smaller, or say in \`description\` and \`acceptance\` what the first attempt missed. (events 28, 38, 52, 59, 66, 87, 93, 99)
        - gate \`tests\` failed 1 of 7 times: cart-ui. Next time: let agents run the command of \`tests\` before they report, by naming it in their tasks. (event 49)
        - nothing measured: coverage. Next time: give these gates a \`run\` command under \[gates\], or switch them off. (events 22, 27, 45, 73, 78, 86)
        - cart-ui did not merge at once, in src/cart.rs. Next time: let tasks that touch the same files share a \`feature\`, or depend on each other. (event 64)
        - 1 agent died at work, at cart-ui. Next time: look at \`director logs\` of these tasks: memory, limits, the program itself. (event 55)
        - 1 blocker held work up, the longest 30m01s (missing_credentials at docs). Next time: answer what was asked in the task's description beforehand. (events 35, 37)
        - api-engineer, documentation-writer, ux-engineer waited 40m10s for tech-lead alone: cart-api, payment-api, cart-ui, docs for checkout-spec, 2h40m together. Next time: hand over the part of work like checkout-spec that others need first, as a task of its own. (events 27, 45, 73, 78, 86)
        - documentation-writer was in use 8% of the time. Next time: let documentation-writer take over other kinds of task (\`covers\`). (events 28, 35, 38, 41)
        - work took 10% of what was estimated. Next time: multiply estimates by 0.10 to see when a sprint will really be done. (events 22, 27, 45, 73, 78, 86)

        ## Feedback of agents

        - psp-research: the specification was clear
        - checkout-spec: the specification was clear
        - docs: the specification was clear
        - cart-ui: the specification was clear
        - payment-api: the specification was clear
        - cart-api: the specification was clear

        ## For the next sprint

        - connect (failed, 6 points): 3 attempts failed; the last: the two do not fit together
        - api-review (waiting, 2 points): waited for connect
        - ui-review (waiting, 2 points): waited for connect
        - release-notes (waiting, 1 point): waited for api-review, ui-review

        ## Success criteria

        - [ ] All sprint tasks completed or properly carried over: **not met**, 6 of 10 tasks completed, 1 failed and carried over by nobody (connect), 3 left waiting
        - [ ] Test coverage maintained above 80%: **not measured**, nothing measured gate \`coverage\`
        - [ ] All code reviewed and approved: **not measured**, nothing measured gate \`review\`
        - [ ] Documentation updated for all features: **not measured**, nothing measured gate \`docs\`
        - [ ] No critical bugs in production: **not measured**, no critical bug of this sprint is open; production is not watched
        - [x] Sprint velocity meets or exceeds target: **met**, 40 of 40 points
        - [x] Team morale and sustainability maintained: **met**, no overtime, nobody used over 85%; 1 rework round, 1 restart
        - [ ] Stakeholder requirements satisfied: **not measured**, 9 acceptance criteria: agents say 5 met and 0 not met; nothing measured them
    "#]].assert_eq(&markdown(&report(&troubled())));
}

#[test]
fn a_smooth_sprint_is_done_and_says_what_nothing_measured() {
    let run = smooth();
    let view = report(&run);
    assert_eq!(view.outcome, "done");
    assert_eq!(view.next_sprint, []);
    expect![[r#"
        sprint-3 done · Checkout

             task           status     tries   cycle  commit  agent
          ✓  checkout-spec  completed      1  30m11s          tech-lead-1
          ✓  psp-research   completed      1  15m09s          documentation-research-1
          ✓  cart-api       completed      1   1h00m          api-engineer-2
          ✓  payment-api    completed      1  45m07s          api-engineer-1
          ✓  cart-ui        completed      1  30m06s          ux-engineer-1
          ✓  connect        completed      1  15m02s          fullstack-engineer-1
          ✓  docs           completed      1  15m05s          documentation-writer-1
          ✓  api-review     completed      1  15m02s          tech-lead-reviewer-1
          ✓  ui-review      completed      1  15m03s          tech-lead-reviewer-1
          ✓  release-notes  completed      1  15m02s          documentation-writer-1

        Metrics
          velocity              51 of 40 points
          completion rate       100%
          time                  2h30m; planned 42.0h
          work                  4h15m at work; 56.0h were estimated for what is
                                completed
          attempts              10, 0 retries, 0 deaths
          gates passed          100%
          coverage              not measured
          merges                0, 0 conflicts
          report to acceptance  1.0s
          blockers              0
          in use                api-engineer 35%, documentation-research 10%,
                                documentation-writer 20%, fullstack-engineer 10%,
                                tech-lead 20%, tech-lead-reviewer 20%, ux-engineer 20%

        Incidents
          - none

        Risks
          - none

        Lessons
          - nothing measured: coverage. Next time: give these gates a `run` command
            under [gates], or switch them off. (events 16, 18, 25, 27, 29, 31, 35, 40
            and 2 more)
          - api-engineer, documentation-writer, ux-engineer waited 26m23s for tech-lead
            alone: cart-api, payment-api, cart-ui, docs for checkout-spec, 1h45m
            together. Next time: hand over the part of work like checkout-spec that
            others need first, as a task of its own. (events 18, 25, 27, 29, 31)
          - fullstack-engineer was in use 10% of the time. Next time: let
            fullstack-engineer take over other kinds of task (`covers`). (events 32, 34)
          - work took 8% of what was estimated. Next time: multiply estimates by 0.08 to
            see when a sprint will really be done. (events 16, 18, 25, 27, 29, 31, 35,
            40 and 2 more)

        Success criteria
          ✓ met          All sprint tasks completed or properly carried over
                         all 10 tasks completed
          ? not measured Test coverage maintained above 80%
                         nothing measured gate `coverage`
          ? not measured All code reviewed and approved
                         nothing measured gate `review`
          ? not measured Documentation updated for all features
                         nothing measured gate `docs`
          ? not measured No critical bugs in production
                         no critical bug of this sprint is open; production is not
                         watched
          ✓ met          Sprint velocity meets or exceeds target
                         51 of 40 points
          ✓ met          Team morale and sustainability maintained
                         no overtime, nobody used over 85%; 0 rework rounds, 0 restarts
          ? not measured Stakeholder requirements satisfied
                         9 acceptance criteria: agents say 9 met and 0 not met; nothing
                         measured them
    "#]]
    .assert_eq(&text(&view, 80, false));
}

#[test]
fn the_progress_update_follows_its_template() {
    let run = midway();
    expect![[r#"
        Sprint Progress Update
        Sprint: sprint-3 (running)
        Day: 1 of 10
        Completed: 2 tasks
        In Progress: 2 tasks
        Blocked: 1 task
        Velocity: 10 (Target: 40)
        Key Achievements:
        - checkout-spec: did checkout-spec
        - psp-research: did psp-research
        Blockers:
        - cart-ui: Which logo �[31mgoes on top�[0m? The design shows two. (high, for 18m44s) - waits for an answer, inbox #1
        Next 24 Hours:
        - docs: is being merged
        - cart-api: api-engineer-1 goes on
        - payment-api: is tried again
    "#]].assert_eq(&progress(run.state(), SPRINT, run.now));
    let run = smooth();
    let later = run.now + Span::hours(24 * 20);
    expect![[r#"
        Sprint Progress Update
        Sprint: sprint-3 (done)
        Day: 10 of 10 (past the end)
        Completed: 10 tasks
        In Progress: 0 tasks
        Blocked: 0 tasks
        Velocity: 51 (Target: 40)
        Key Achievements:
        - release-notes: did release-notes
        - ui-review: did ui-review
        - api-review: did api-review
        - connect: did connect
        - cart-api: did cart-api
        - payment-api: did payment-api
        - cart-ui: did cart-ui
        - docs: did docs
        - and 2 more
        Blockers:
        - none
        Next 24 Hours:
        - none
    "#]]
    .assert_eq(&progress(run.state(), SPRINT, later));
    assert_eq!(progress(run.state(), SprintId(7), later), "");
}

#[test]
fn programs_get_the_keys_that_they_were_promised() {
    let json: serde_json::Value = serde_json::from_str(&json(&report(&troubled()))).unwrap();
    for key in [
        "sprint",
        "outcome",
        "tasks",
        "metrics",
        "blockers",
        "incidents",
        "lessons",
        "next_sprint",
    ] {
        assert!(!json[key].is_null(), "{key}");
    }
    for key in [
        "id",
        "status",
        "attempts",
        "agent",
        "cycle_hours",
        "commits",
    ] {
        assert!(json["tasks"][0].get(key).is_some(), "{key}");
    }
    for key in ["velocity", "completion_rate", "coverage"] {
        assert!(json["metrics"].get(key).is_some(), "{key}");
    }
    assert!(json["metrics"]["coverage"].is_null(), "nothing measured it");
    assert_eq!(json["success_criteria"].as_array().map(Vec::len), Some(8));
}

/// Counts by walking over the events, without the module under test.
#[test]
fn the_numbers_are_those_of_the_journal() {
    for run in [troubled(), smooth(), midway()] {
        let m = report(&run).metrics;
        let events: Vec<(Time, &Event)> = run
            .entries
            .iter()
            .flat_map(|entry| entry.events.iter().map(|event| (entry.at, event)))
            .collect();
        let number = |is: &dyn Fn(&Event) -> bool| events.iter().filter(|(_, e)| is(e)).count();
        let assigned = number(&|e| matches!(e, Event::TaskAssigned(_)));
        let firsts = number(&|e| matches!(e, Event::TaskAssigned(e) if e.attempt.0 == 1));
        let completed = number(&|e| matches!(e, Event::TaskCompleted(_)));
        assert_eq!(m.attempts as usize, assigned);
        assert_eq!(m.retries as usize, assigned - firsts);
        assert_eq!(m.completion_rate, completed as f64 / 10.0);
        assert_eq!(
            m.deaths,
            number(
                &|e| matches!(e, Event::AttemptEnded(e) if matches!(e.end, AttemptEnd::Died { .. }))
            )
        );
        assert_eq!(
            m.sustainability.restarts as usize,
            number(&|e| matches!(e, Event::AgentDown(_)))
        );
        assert_eq!(
            m.blockers_raised,
            number(&|e| matches!(e, Event::BlockerRaised(_)))
        );
        assert_eq!(
            m.merges as usize,
            number(&|e| matches!(e, Event::MergeCompleted(_)))
        );
        assert_eq!(
            m.sustainability.rework_rounds as usize,
            number(&|e| matches!(e, Event::WorkRejected(e) if e.counts))
        );
        assert_eq!(
            m.salvaged_refs.len(),
            number(&|e| matches!(e, Event::WorkSalvaged(e) if !e.saved.is_empty()))
        );
        let (green, gated) = (
            number(&|e| matches!(e, Event::QualityGateStatus(e) if e.passed)),
            number(&|e| matches!(e, Event::QualityGateStatus(_))),
        );
        let rate = m.build_success_rate.unwrap_or(0.0);
        assert!((rate - green as f64 / gated.max(1) as f64).abs() < 1e-4);
        let last = events.iter().rev().find_map(|(_, e)| match e {
            Event::SprintVelocityUpdated(e) => Some(e.current_velocity),
            _ => None,
        });
        assert_eq!(Some(m.velocity), last);
        assert_eq!(m.burndown.len(), completed + 1);

        // Time at work: each assignment to the end of the same attempt.
        let mut worked = Span::ZERO;
        for (at, event) in &events {
            if let Event::AttemptEnded(end) = event {
                let began = events.iter().find_map(|(at, e)| match e {
                    Event::TaskAssigned(e)
                        if (e.task_id, e.attempt) == (end.task_id, end.attempt) =>
                    {
                        Some(*at)
                    }
                    _ => None,
                });
                worked += at.since(began.unwrap());
            }
        }
        assert_eq!(m.worked_hours, hours(worked));
    }
}

#[test]
fn a_second_sprint_does_not_count_in_the_first_ones_report() {
    let mut run = smooth();
    let before = report(&run);
    let mut next = checkout(false);
    next.id = crate::planner::examples::name("sprint-4");
    run.say(Command::Submit(Box::new(next)));
    run.settle();
    run.fails("psp-research", 9, "no");
    run.dies("tech-lead-1", "out of memory");
    let mut after = report(&run);
    after.as_of.clone_from(&before.as_of);
    assert_eq!(after, before);
    let second = build(run.state(), &run.entries, SprintId(1), run.now).unwrap();
    assert_eq!(
        (second.outcome.as_str(), second.metrics.deaths),
        ("running", 1)
    );
    assert_eq!(build(run.state(), &run.entries, SprintId(2), run.now), None);
}

#[test]
fn a_criterion_that_is_not_met_says_why() {
    let mut spec = checkout(false);
    spec.tasks[0].severity = Some(Severity::Critical);
    spec.tasks[0].kind = "bug_fix".to_owned();
    let run = Run::of(spec);
    let standing: Vec<&str> = report(&run)
        .success_criteria
        .iter()
        .map(|row| row.standing.as_str())
        .collect();
    assert_eq!(
        standing,
        [
            "not met",
            "not measured",
            "not measured",
            "not measured",
            "not met",
            "not met",
            "met",
            "not measured"
        ]
    );
}
