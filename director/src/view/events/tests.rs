//! Every kind of event reads well, and no number of ours is left in what programs get.

use std::collections::BTreeSet;

use director_protocols::event::*;
use director_protocols::ids::{AgentId, Attempt, BlockerId, EffectId, InboxId, MessageId, Seq};
use director_protocols::severity::Severity;
use director_protocols::time::{Span, Time};
use director_protocols::work::Verdict;
use expect_test::expect;

use super::super::recorded::{Run, SPRINT, outcome, troubled};
use super::*;

/// A run with a question in it, and one event of each kind that did not happen in it.
fn everything() -> (Run, Vec<Event>) {
    let mut run = troubled();
    let asker = run.agent("api-engineer-1");
    let mut events: Vec<Event> = run
        .entries
        .iter()
        .flat_map(|entry| entry.events.clone())
        .collect();
    let task = run.task("connect");
    let effect = EffectId { seq: Seq(7), n: 1 };
    let (blocker, item, message) = (BlockerId(0), InboxId(0), MessageId(0));
    let attempt = Attempt(1);
    let by = || "ada".to_owned();
    let to = AgentId(0);
    let later = run.now + Span::minutes(5);
    events.extend::<Vec<Event>>(vec![
        SprintRefused {
            sprint_id: SPRINT,
            reason: "gate `tests` failed on the base".into(),
        }
        .into(),
        SprintPaused {
            sprint_id: SPRINT,
            by: by(),
        }
        .into(),
        SprintResumed {
            sprint_id: SPRINT,
            by: by(),
        }
        .into(),
        BranchMoved {
            sprint_id: SPRINT,
            name: "refs/heads/sprint/sprint-3".into(),
            expected: "c0ffee".repeat(6),
            found: String::new(),
            contains: false,
        }
        .into(),
        AttemptCut {
            task_id: task,
            attempt: Attempt(1),
            alone: true,
        }
        .into(),
        BranchRestored {
            sprint_id: SPRINT,
            commit: "c0ffee".repeat(6),
            saved: "refs/director/salvage/sprint-3/branch-abc/0".into(),
        }
        .into(),
        SprintCancelled {
            sprint_id: SPRINT,
            by: by(),
        }
        .into(),
        SprintReopened { sprint_id: SPRINT }.into(),
        SprintDelivered {
            sprint_id: SPRINT,
            commit: "c0ffee".repeat(6),
            by: by(),
        }
        .into(),
        ActionAccepted {
            sprint_id: SPRINT,
            action: "gate-tests".into(),
            text: "`tests` is run before reporting".into(),
            by: by(),
        }
        .into(),
        PlanAdopted {
            sprint_id: SPRINT,
            base: 1,
            order: vec![task],
            before: Span::hours(9),
            after: Span::hours(8),
        }
        .into(),
        ForecastRecorded {
            sprint_id: SPRINT,
            runs: 10_000,
            seed: 1,
            done_probability: 995,
            p50: Span::hours(8),
            p85: Span::minutes(570),
            p95: Span::hours(11),
            cost: Some(director_protocols::forecast::CostForecast {
                p50_micros: 9_360_000,
                p85_micros: 14_010_000,
                p95_micros: 24_140_000,
                short_probability: 163,
            }),
            by: by(),
        }
        .into(),
        TaskDeferred {
            task_id: task,
            reason: "it does not fit 40h of api-engineer".into(),
        }
        .into(),
        SessionOpened {
            task_id: task,
            attempt,
            session: "5f1c".into(),
        }
        .into(),
        TaskQuarantined {
            task_id: task,
            evidence: vec!["ux-engineer-1: out of memory".into()],
        }
        .into(),
        TaskCancelled {
            task_id: task,
            by: by(),
            dropped: false,
        }
        .into(),
        TaskRetried {
            task_id: task,
            by: by(),
        }
        .into(),
        TaskReassigned {
            task_id: task,
            to: Some(to),
            by: by(),
        }
        .into(),
        LivenessChanged {
            task_id: task,
            attempt,
            state: "silent".into(),
        }
        .into(),
        BlockerEscalated {
            blocker,
            from: Severity::Low,
            to: Severity::High,
            reason: "not resolved in its time".into(),
            deadline: Some(later),
        }
        .into(),
        GuidanceGiven {
            blocker,
            task_id: task,
            text: "Go on with the most reasonable reading.".into(),
        }
        .into(),
        InboxClosed {
            item,
            reason: "the blocker is resolved by ada".into(),
        }
        .into(),
        EngineeringEmergency {
            sprint_id: SPRINT,
            task_id: task,
            blocker: Some(blocker),
            issue: "payments are charged twice".into(),
            impact: "3 tasks wait".into(),
            delay: Span::hours(2),
            response_team: vec![AgentId(0), AgentId(1)],
            estimated_resolution: Some(later),
        }
        .into(),
        EmergencyResolved {
            sprint_id: SPRINT,
            task_id: task,
            blocker: Some(blocker),
            resumed: vec![task],
        }
        .into(),
        IncidentOpened {
            sprint_id: SPRINT,
            task_id: Some(task),
            text: "the branch was moved by someone else".into(),
            incident: director_protocols::ids::IncidentId(0),
            severity: Severity::High,
            blocker: None,
            members: Vec::new(),
        }
        .into(),
        MessageSent {
            message,
            from: asker,
            to,
            text: "the schema is in db/".into(),
        }
        .into(),
        QuestionAsked {
            message,
            from: asker,
            task_id: task,
            attempt,
            to: None,
            of: None,
            text: "which currency?".into(),
        }
        .into(),
        QuestionDirected {
            message,
            to: Some(to),
        }
        .into(),
        ProductAsked {
            message,
            item: InboxId(2),
            to,
            text: "how long does it take?".into(),
        }
        .into(),
        AdviserAsked {
            message,
            blocker,
            task_id: task,
            to,
            text: "where do the docs live?".into(),
        }
        .into(),
        MessageDelivered { effect, message }.into(),
        QuestionAnswered {
            message,
            by: by(),
            text: "euro".into(),
        }
        .into(),
        MergeSplit {
            effect: Some(effect),
            sprint_id: SPRINT,
            batch: vec![task, run.task("cart-ui")],
            reason: "gate `tests` failed (exit code 1): cargo test".into(),
        }
        .into(),
        AccountParked {
            account: "claude".into(),
            task_id: task,
            until: Time(1_764_165_600_000),
            guessed: false,
            reason: "usage limit reached".into(),
        }
        .into(),
        AccountFreed {
            account: "claude".into(),
            by: by(),
        }
        .into(),
        RoleLost {
            role: "ux-engineer".into(),
            reason: "6 restarts in 60s".into(),
        }
        .into(),
        RoleRestored {
            role: "ux-engineer".into(),
            by: by(),
        }
        .into(),
        QualityGateStatus {
            effect: Some(effect),
            sprint_id: SPRINT,
            batch: vec![task],
            outcomes: vec![
                outcome("coverage", Verdict::Passed),
                outcome("review", Verdict::NotMeasured),
            ],
            passed: true,
            commit: "c0ffee".repeat(6),
            test_coverage: Some(8123),
            code_review_completion: Some(500),
            documentation_status: None,
        }
        .into(),
    ]);
    events.extend(samples::events(task, effect, later));
    events.extend(samples::paid(task));
    run.wait(Span::seconds(1));
    (run, events)
}

fn entry(run: &Run, events: Vec<Event>) -> Entry {
    Entry {
        seq: Seq(12),
        epoch: 1,
        at: run.now,
        events,
    }
}

/// The first event of each kind.
fn one_of_each() -> (Run, Entry) {
    let (run, events) = everything();
    let mut seen = BTreeSet::new();
    let firsts = events
        .into_iter()
        .filter(|event| seen.insert(event.name()))
        .collect();
    let entry = entry(&run, firsts);
    (run, entry)
}

#[test]
fn every_kind_is_covered_here() {
    let (_, entry) = one_of_each();
    let here: BTreeSet<&str> = entry.events.iter().map(Event::name).collect();
    let all: BTreeSet<&str> = Event::KINDS.iter().map(|(_, _, name)| *name).collect();
    assert_eq!(here, all);
}

/// Keys whose numbers are counts, measures or numbers that people see; none is a place in a table.
const NUMBERS: &str = "added changed dropped handoff deployment merge_batch repeats_max rounds_max resolution incident delay test_coverage \
    code_review_completion documentation_status measured round points runs seed done_probability p50 p85 p95 seq n \
    epoch attempt generation total_tasks minute offset progress tries tries_max load from_load to_load free_hours \
    points_before days completed in_progress blocked velocity target estimated_duration planned number base before \
    after current_velocity target_velocity trend sprint_progress estimated_hours expertise capacity continuity \
    total candidates files insertions deletions exit_code took hours_spent bytes cost_micros blocker item message \
    count points optimistic likely pessimistic day velocity_target intensity within backoff_min backoff_max \
    timeout time attempts_max deaths_max guidance_max retry_min retry_max attempt_time silent_after wedged_after look_ahead \
    tier_time output_max weights \
    p50_micros p85_micros p95_micros short_probability reserved_micros most_micros spent_micros limit_micros needed_micros left_micros";

fn numbers(key: &str, value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Number(_) => {
            found.insert(key.to_owned());
        }
        Value::Array(list) => list.iter().for_each(|value| numbers(key, value, found)),
        Value::Object(inner) => inner
            .iter()
            .for_each(|(key, value)| numbers(key, value, found)),
        _ => {}
    }
}

#[test]
fn no_place_in_a_table_leaves_and_every_time_is_readable() {
    let (run, events) = everything();
    let all = entry(&run, events);
    for (line, event) in event_lines(&all, run.state()).iter().zip(&all.events) {
        let mut found = BTreeSet::new();
        numbers("", line, &mut found);
        for key in found {
            let known = NUMBERS.split_whitespace().any(|known| known == key);
            assert!(known, "{key} of {line}");
        }
        for key in ["seq", "n", "at", "event", "sprint"] {
            assert!(line.get(key).is_some(), "{key} of {line}");
        }
        for key in [
            "at",
            "retry_at",
            "deadline",
            "since",
            "estimated_resolution",
        ] {
            if let Some(time) = line[key].as_str() {
                assert!(time.parse::<jiff::Timestamp>().is_ok(), "{key} of {line}");
            }
        }
        // Every field of the event is there.
        let own = event.fields().as_object().map_or(0, serde_json::Map::len);
        assert!(
            line.as_object().is_some_and(|line| line.len() >= own + 4),
            "{line}"
        );
    }
}

#[test]
fn the_events_of_the_seed_carry_its_fields() {
    let (run, entry) = one_of_each();
    let lines = event_lines(&entry, run.state());
    let of = |name: &str| {
        let mut line = lines
            .iter()
            .find(|line| line["event"] == name)
            .cloned()
            .unwrap_or_default();
        line["at"] = "…".into();
        line.to_string()
    };
    let text: Vec<String> = [
        "sprint_initialized",
        "task_assigned",
        "task_completed",
        "sprint_velocity_updated",
        "quality_gate_status",
        "engineering_emergency",
        "retry_scheduled",
        "handoff_sent",
    ]
    .iter()
    .map(|name| of(name))
    .collect();
    expect![[r#"
        {"at":"…","estimated_duration":151200.0,"event":"sprint_initialized","n":5,"seq":12,"sprint":"sprint-3","sprint_id":"sprint-3","total_tasks":10}
        {"agent_id":"tech-lead-1","at":"…","attempt":1,"dependencies":[],"estimated_hours":6.0,"event":"task_assigned","n":6,"score":{"candidates":1,"capacity":0.85,"continuity":0.0,"expertise":0.6,"files":0,"total":0.555},"seq":12,"sprint":"sprint-3","task_id":"checkout-spec"}
        {"at":"…","event":"task_completed","n":15,"seq":12,"sprint":"sprint-3","sprint_progress":0.1,"task_id":"psp-research"}
        {"at":"…","current_velocity":4,"event":"sprint_velocity_updated","n":17,"seq":12,"sprint":"sprint-3","sprint_id":"sprint-3","target_velocity":40,"trend":0.078}
        {"at":"…","batch":["psp-research"],"code_review_completion":null,"commit":"feed0001feed0001feed0001feed0001feed0001","documentation_status":null,"effect":"20.0","event":"quality_gate_status","n":13,"outcomes":[{"evidence":"cargo test","exit_code":0,"gate":"tests","measured":null,"tail":"","took":4.2,"verdict":"passed"},{"evidence":"a coverage file that the tests leave behind","exit_code":null,"gate":"coverage","measured":null,"tail":"","took":0.0,"verdict":"not_measured"}],"passed":true,"seq":12,"sprint":"sprint-3","sprint_id":"sprint-3","test_coverage":null}
        {"at":"…","blocker":1,"delay":7200.0,"estimated_resolution":"2026-11-23T12:16:13Z","event":"engineering_emergency","impact":"3 tasks wait","issue":"payments are charged twice","n":54,"response_team":["tech-lead-1","documentation-research-1"],"seq":12,"sprint":"sprint-3","sprint_id":"sprint-3","task_id":"connect"}
        {"at":"…","event":"retry_scheduled","n":25,"retry_at":"2026-11-23T10:40:39Z","seq":12,"sprint":"sprint-3","task_id":"cart-ui"}
        {"at":"…","event":"handoff_sent","from":"psp-research","n":16,"seq":12,"sprint":"sprint-3","to":"payment-api"}"#]].assert_eq(&text.join("\n"));
}

#[test]
fn every_event_reads_as_a_sentence() {
    let (run, mut entry) = one_of_each();
    entry.events.sort_by_key(Event::kind);
    let lines: Vec<String> = event_text(&entry, run.state())
        .iter()
        .map(|line| line[22..].to_owned())
        .collect();
    expect![[r#"
        epoch_opened             director 1.0.0 took over (start 1 of this journal); nothing is in hand
        sprint_submitted         sprint-3 was taken in: 10 tasks for 8 agents
        repo_prepared            the repository of sprint-3 is ready at ba5eba5eba5e of main
        base_checked             gates on the base of sprint-3: tests passed
        sprint_refused           sprint-3 cannot run: gate `tests` failed on the base
        sprint_initialized       sprint-3 began: 10 tasks committed, planned to take 42.0h
        sprint_paused            sprint-3 was paused by ada
        sprint_resumed           sprint-3 was resumed by ada
        sprint_cancelled         sprint-3 was cancelled by ada
        sprint_ended             sprint-3 ended: incomplete
        sprint_reopened          sprint-3 goes on
        worktrees_removed        the worktrees of sprint-3 are gone
        sprint_velocity_updated  sprint-3: 4 of 40 points
        sprint_delivered         sprint-3 was delivered by ada: the base is at c0ffeec0ffee
        plan_adopted             sprint-3 goes on in a better order: 8.0 h to the end instead of 9.0 h
        forecast_recorded        the rest of sprint-3 was forecast by ada: half end within 8.0 h, 85 of 100 within 9.5 h, 95 of 100 within 11.0 h; all of it costs $9.36 in half of them, less than $14.01 in 85 of 100 and $24.14 in 95; in 16 of 100 the money runs out before
        task_deferred            connect goes to the backlog: it does not fit 40h of api-engineer
        task_assigned            checkout-spec goes to tech-lead-1, attempt 1 (score 0.56: expertise 0.60, capacity 0.85, context 0.00; 1 candidate)
        worktree_prepared        checkout-spec begins in /repo/.worktrees/checkout-spec at ba5eba5eba5e
        attempt_started          attempt 1 at checkout-spec is under way
        session_opened           connect has session 5f1c
        attempt_ended            documentation-research-1 let go of psp-research, attempt 1, done: did psp-research
        work_salvaged            what docs had left is saved at refs/director/salvage/docs/1
        work_committed           the work on psp-research is in 00c0de0100c0: 2 files, +40 −3
        merge_prepared           the merge of psp-research is built: feed0001feed on ba5eba5eba5e
        merge_conflicted         cart-ui conflicts with what was merged since, in src/cart.rs
        quality_gate_status      gates of psp-research passed: tests passed, coverage not measured
        merge_completed          psp-research is merged as feed0001feed
        task_completed           psp-research is completed (10% of the sprint)
        work_rejected            the work of attempt 1 at cart-ui was not accepted: gate `tests` failed (exit code 101): cargo test test cart::adds_up ... FAILED
        retry_scheduled          cart-ui is tried again, not before 10:40:39Z
        task_failed              connect is given up: 3 attempts failed; the last: the two do not fit together
        task_quarantined         connect killed its agents and is given to no other: ux-engineer-1: out of memory
        task_cancelled           connect was cancelled by ada
        task_retried             connect is tried again for ada
        task_reassigned          cart-ui goes to ux-engineer-1, says director (merge conflict)
        liveness_changed         attempt 1 at connect is silent
        merge_started            merging psp-research
        retry_due                cart-ui may be tried again
        blocker_raised           blocker 1 (high) holds up docs: Where do the docs live?
        blocker_escalated        blocker 1 went from low to high: not resolved in its time
        guidance_given           guidance for connect: Go on with the most reasonable reading.
        blocker_resolved         blocker 1 was resolved by ada: In docs/.
        inbox_opened             #1 waits for a person (high): Where do the docs live?
        inbox_answered           ada answered #1: In docs/.
        inbox_closed             #1 no longer waits: the blocker is resolved by ada
        engineering_emergency    emergency in sprint-3: payments are charged twice (3 tasks wait; with tech-lead-1, documentation-research-1)
        emergency_resolved       the emergency in sprint-3 is over
        incident_opened          incident 1 at connect: the branch was moved by someone else
        handoff_sent             psp-research hands over to payment-api
        handoff_accepted         payment-api has what checkout-spec left
        message_sent             api-engineer-1 tells tech-lead-1: the schema is in db/
        question_asked           api-engineer-1 asks a person about connect: which currency?
        message_delivered        message 1 has arrived
        question_answered        ada answered message 1: euro
        adviser_asked            tech-lead-1 is asked about blocker 1 of connect: where do the docs live?
        agent_up                 tech-lead-1 takes work (start 1)
        agent_down               ux-engineer-1 went down (start 1): out of memory
        role_lost                all agents of ux-engineer stay down: 6 restarts in 60s
        role_restored            ux-engineer is started again for ada
        action_accepted          ada accepted `gate-tests` of sprint-3: `tests` is run before reporting
        inbox_reminded           #1 still waits for a person; the next reminder is at 2026-11-23 12:16:13Z
        stakeholder_informed     notify could not be told of inbox_opened: exit code 1
        task_added               connect.review comes to sprint-3, says director: connect.review
        gate_judged              tech-lead-1 says failed of gate review of connect: src/pay.rs:7 rounds down
        work_reviewed            the work on connect goes back (round 1): review failed
        gate_overridden          ada overrides gate review of connect: it is a demo
        help_given               api-engineer-2 on connect: use the sandbox
        work_checkpointed        connect is saved and called off because of the emergency
        incident_step_filled     incident 1, root_cause: a key had expired (ada)
        incident_noted           incident 1: ada says asked the provider
        incident_closed          incident 1 is closed by ada
        task_changed             connect changes, says ada: estimate
        sprint_replanned         sprint-3 is replanned by ada: 1 added, 2 changed, 0 dropped
        qa_handoff_ready         a package for qa is ready: feature pay (0 artifacts, 0 test requirements, 0 deployment requirements)
        devops_handoff_ready     a package for devops is ready: sprint (0 artifacts, 0 test requirements, 0 deployment requirements)
        package_answered         ada returns package 1: it does not start
        team_utilization_alert   more to do than they can: tech-lead-1 (125%); room: documentation-research-1 (12h); waiting tasks move
        task_rebalanced          connect moves from api-engineer (125% of what it can do) to fullstack-engineer (40% with it)
        daily_standup_completed  standup of sprint-3: 1 task completed since 2026-11-22 12:16Z, 1 planned, 1 blocker in the way; velocity up (5 after 3 points)
        progress_updated         sprint-3: 4 tasks completed, 2 in progress, 1 blocked, 13 of 40 points
        delivery_failed          qa could not be told of qa_handoff_ready (try 2): https://qa.example.org/ answered 503; again at 12:16:13Z
        delivery_retried         what is 7.1 is posted again
        product_demo_ready       pay can be shown: 1 change, 1 criterion
        feedback_received        product on pay: the total is too small to read (becomes connect)
        risk_triggered           a risk has come true: api-engineer-1 alone carries 9h of the 20h critical path; connect has been at work for longer than its worst case, 9h00m
        fallback_applied         done by director as foreseen: fullstack-engineer-1 takes over
        readiness_checked        deployment 1 cannot be deployed yet: `sh ready.sh` failed (exit code 1): no room on the disk
        deployment_probed        look 1 at deployment 1: it is not well; again at 2026-11-23 12:16 UTC
        deployment_scheduled     the deployment of deployment 1 waits for its window, until 2026-11-23 12:16 UTC
        probe_due                look 1 at deployment 1 begins
        deployment_dropped       deployment 1 is not deployed: not this week (devops)
        agent_task_completed     api says {"hours_spent":1.5,"summary":"paid","task_id":"pay"}
        agent_blocked            api says {"blocker_type":"unclear","severity":"high","task_id":"pay","text":"in euros?"}
        qa_testing_required      qa says {"feature":"pay"}
        devops_deployment_ready  devops says so
        product_requirements_changed  product says {"drop":["pay"]}
        critical_bug_discovered  qa says {"severity":"critical","task":{"id":"hole","priority":"normal"}}
        product_asked            tech-lead-1 is asked what #3 asks
        question_directed        question 1 goes to tech-lead-1, who has the task that it is about
        manager_asked            tech-lead-1 is asked for the note of the standup
        standup_noted            engineering-manager-1 notes: Payments first; ask early.
        rebalancing_decided      engineering-manager-1 says keep connect; stays: connect
        cost_reserved            $1.50 are set aside for attempt 1 at connect, which may spend $2.00
        cost_spent               attempt 1 at connect has spent $0.25
        cost_settled             attempt 1 at connect has cost $1.0005; $0.4995 go back
        budget_warned            the budget of the sprint has reached its soft limit: $8.00 of $7.50
        budget_held              connect waits: the budget of tech-lead-1 has $0.25 left, and it is expected to cost $1.50; a person is asked
        account_parked           claude takes no more requests: its work goes on at 2025-11-26 14:00 UTC: usage limit reached
        account_freed            work of claude is handed out again, says ada
        merge_split              connect, cart-ui do not go together and are merged in smaller batches: gate `tests` failed (exit code 1): cargo test
        budget_freed             nothing waits for the budget of the sprint for a time any more
        budget_raised            the budget of task `connect` is $9.00 from now on, says ada
        attempt_overspent        attempt 1 at connect is called off: it has spent $2.10, more than the $2.00 that an attempt may
        conflict_foreseen        connect would conflict with checkout-spec, merged since, in `src/cart.rs`, `src/pay.rs`
        conflict_over            connect and what was merged are in conflict no more: they would merge now
        agent_told               tech-lead-1 is told about connect: what was merged changes the same places
        budgets_changed          the file says something else of money, says ada: $40.00 for the sprint, $9.00 in 5h00m, no limit for each tech-lead
        branch_restored          sprint-3 goes on: its branch is at c0ffeec0ffee, what it was at is kept as `refs/director/salvage/sprint-3/branch-abc/0`
        attempt_cut              the director ended without a stop while connect was at work, alone
        branch_moved             sprint-3 stands still: `refs/heads/sprint/sprint-3` should be at c0ffeec0ffee and is gone"#]].assert_eq(&lines.join("\n"));
    let first = &event_text(&run.entries[0], run.state())[0];
    expect!["2026-11-23 09:00:00Z  epoch_opened             director 1.0.0 took over (start 1 of this journal); nothing is in hand"].assert_eq(first);
}

#[test]
fn what_agents_wrote_cannot_steer_the_terminal() {
    let mut run = troubled();
    run.wait(Span::ZERO);
    let event = IncidentOpened {
        sprint_id: SPRINT,
        task_id: None,
        text: "\u{1b}]0;gone\u{7}\nfake line".into(),
        incident: director_protocols::ids::IncidentId(0),
        severity: Severity::High,
        blocker: None,
        members: Vec::new(),
    };
    let lines = event_text(&entry(&run, vec![event.into()]), run.state());
    assert_eq!(lines.len(), 1);
    assert!(!lines[0].contains(char::is_control), "{lines:?}");
}

#[test]
fn a_state_that_does_not_know_an_id_says_so() {
    let run = Run::empty();
    let event = AgentUp {
        agent_id: AgentId(9),
        generation: director_protocols::ids::Generation(1),
    };
    let mut entry = entry(&run, vec![event.into()]);
    entry.at = Time(u64::MAX);
    assert_eq!(event_lines(&entry, run.state())[0]["agent_id"], "#9");
}
