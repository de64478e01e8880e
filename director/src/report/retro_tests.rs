//! A look back on a troubled sprint, and the sprint that comes of it.

use director_protocols::command::Command;
use director_protocols::manifest::{Format, Options, Purpose, parse};
use director_protocols::sprint::SprintSpec;
use expect_test::expect;

use super::*;
use crate::planner;
use crate::report::sprint::build;
use crate::view::recorded::{Run, SPRINT, checkout, troubled};

fn looked_back(run: &Run) -> RetroView {
    let report = build(run.state(), &run.entries, SPRINT, run.now).expect("a sprint");
    retro(run.state(), &run.entries, SPRINT, report)
}

fn accept(run: &mut Run, action: &str) {
    run.say(Command::AcceptAction {
        sprint: SPRINT,
        action: action.to_owned(),
        text: "as it says".to_owned(),
        by: "ada".to_owned(),
    });
}

fn next_of(run: &Run) -> Option<NextSprint> {
    next(run.state(), &run.entries, SPRINT, Some("/repo"), run.now)
}

/// The file, read back and planned as a user's would be.
fn planned(next: &NextSprint) -> SprintSpec {
    let options = Options {
        purpose: Purpose::Plan,
        ..Options::default()
    };
    let manifest = parse(&next.text, "next.toml", Format::Toml, &options)
        .unwrap_or_else(|errors| panic!("{errors}\n{}", next.text));
    planner::plan(&manifest.spec).unwrap_or_else(|error| panic!("{error}\n{}", next.text));
    manifest.spec
}

#[test]
fn a_look_back_reads_well_and_cites_what_it_rests_on() {
    expect![[r#"
        # Retrospective of sprint-3: incomplete

        ## Sprint metrics

        - Velocity: 40 of 40
        - Days remaining: not measured
        - Projected completion: 2026-11-23 12:11 UTC
        - Completion rate by tasks: 60%
        - Completion rate by points: 78%
        - Cycle time per kind of task: api_endpoint 56m20s, architecture 45m12s, documentation 45m13s, research 20m08s, ui_component 1h19m
        - Pace: 0.10
        - Test coverage: not measured
        - Build success rate: 86%
        - Review turnaround: 4.0s
        - Blocker resolution time: 30m01s
        - Blockers: 1, 0 escalations
        - Team utilisation: api-engineer 29%, documentation-research 10%, documentation-writer 8%, fullstack-engineer 15%, tech-lead 24%, ux-engineer 39%
        - Overtime over capacity: 0% (0.0h of 275h)
        - Agents over 85%: none
        - Restarts: 1
        - Rework rounds: 1
        - Agents' feedback: 8
        - Open bugs: none reported
        - Attempts: 13, 6 again, 1 death
        - Merges: 6, 1 conflict
        - Time: 3h11m; planned 42.0h
        - Work: 4h57m; estimated 45.0h
        - Burndown: 11 points, 4 tasks left
        - Cost: not measured

        ## Forecast and actual

        - none

        ## Team feedback

        - psp-research: the specification was clear
        - checkout-spec: the specification was clear
        - docs: the specification was clear
        - cart-ui: the specification was clear
        - payment-api: the specification was clear
        - cart-api: the specification was clear

        ## Risks that came true

        - none

        ## Process issues

        - cart-ui took 1h19m, 2.2 times its share of the estimate (35m44s at this sprint's pace): 1 lost attempt (1 died), gate \`tests\` was red once, it did not merge once (events 49, 55, 64)
        - docs took 45m13s, 1.9 times its share of the estimate (23m49s at this sprint's pace): 1 lost attempt (1 blocked), it was blocked for 30m01s (events 35, 37)
        - 3 tasks needed more than one attempt (9 in all): cart-ui, connect, docs (events 28, 38, 52, 59, 66, 87, 93, 99)
        - gate \`tests\` failed 1 of 7 times: cart-ui (event 49)
        - nothing measured: coverage (events 22, 27, 45, 73, 78, 86)
        - cart-ui did not merge at once, in src/cart.rs (event 64)
        - 1 agent died at work, at cart-ui (event 55)
        - 1 blocker held work up, the longest 30m01s (missing_credentials at docs) (events 35, 37)
        - api-engineer, documentation-writer, ux-engineer waited 40m10s for tech-lead alone: cart-api, payment-api, cart-ui, docs for checkout-spec, 2h40m together (events 27, 45, 73, 78, 86)
        - documentation-writer was in use 8% of the time (events 28, 35, 38, 41)
        - work took 10% of what was estimated (events 22, 27, 45, 73, 78, 86)

        ## Improvement opportunities

        - agree before such work begins on what it needs, and cut it into smaller tasks (events 49, 55, 64)
        - agree before such work begins on what it needs, and cut it into smaller tasks (events 35, 37)
        - make them smaller, or say in \`description\` and \`acceptance\` what the first attempt missed (events 28, 38, 52, 59, 66, 87, 93, 99)
        - let agents run the command of \`tests\` before they report, by naming it in their tasks (event 49)
        - give these gates a \`run\` command under \[gates\], or switch them off (events 22, 27, 45, 73, 78, 86)
        - let tasks that touch the same files share a \`feature\`, or depend on each other (event 64)
        - look at \`director logs\` of these tasks: memory, limits, the program itself (event 55)
        - answer what was asked in the task's description beforehand (events 35, 37)
        - hand over the part of work like checkout-spec that others need first, as a task of its own (events 27, 45, 73, 78, 86)
        - let documentation-writer take over other kinds of task (\`covers\`) (events 28, 35, 38, 41)
        - multiply estimates by 0.10 to see when a sprint will really be done (events 22, 27, 45, 73, 78, 86)

        ## Action items

        - [ ] `slip-cart-ui`: the pessimistic estimate of ui_component doubles, and each says what it needs first (events 49, 55, 64)
        - [ ] `slip-docs`: the pessimistic estimate of documentation doubles, and each says what it needs first (events 35, 37)
        - [ ] `retries`: tasks that were tried before have it as a criterion what the earlier attempts missed (events 28, 38, 52, 59, 66, 87, 93, 99)
        - [ ] `gate-tests`: each task has it as a criterion that \`tests\` was run before reporting (event 49)
        - [ ] `not-measured`: one more task: Measure coverage (events 22, 27, 45, 73, 78, 86)
        - [ ] `conflict`: these tasks share a feature, or are told of each other (event 64)
        - [ ] `death`: one more task: Find out why agents died at work (event 55)
        - [ ] `blocker`: what was asked and answered stands in the descriptions (events 35, 37)
        - [ ] `wait-checkout-spec`: architecture that others wait for has a high priority (events 27, 45, 73, 78, 86)
        - [ ] `idle-role-documentation-writer`: documentation-writer covers the kinds of the busiest role (events 28, 35, 38, 41)
        - [ ] `estimate`: estimates of all tasks are multiplied by 0.10 (events 22, 27, 45, 73, 78, 86)

        `director retro --accept ID` takes an action item into the next sprint; `--next FILE` writes its file.
    "#]].assert_eq(&markdown(&looked_back(&troubled())));
}

#[test]
fn where_nothing_was_found_it_says_none() {
    let mut spec = checkout(false);
    spec.gates.clear();
    spec.tasks.truncate(1);
    let mut run = Run::of(spec);
    run.done("checkout-spec", 6 * 60);
    let view = looked_back(&run);
    assert_eq!(view.process_issues, [], "{:?}", view.process_issues);
    let text = markdown(&view);
    for section in [
        "Process issues",
        "Improvement opportunities",
        "Action items",
    ] {
        assert!(
            text.contains(&format!("## {section}\n\n- none\n")),
            "{text}"
        );
    }
    assert!(html(&view).contains("<p>None.</p>"));
    assert_eq!(next_of(&run), None, "nothing remains");
}

/// Each position that a sentence cites holds an event about what the sentence is about.
#[test]
fn what_is_cited_is_there_and_is_about_it() {
    let run = troubled();
    let view = looked_back(&run);
    assert!(view.process_issues.len() > 6);
    for found in &view.process_issues {
        assert!(!found.seqs.is_empty(), "{}", found.text);
        for seq in &found.seqs {
            let entry = run.entries.iter().find(|entry| entry.seq.0 == *seq);
            let entry = entry.unwrap_or_else(|| panic!("{seq} of {}", found.text));
            let about = |name: &String| {
                entry.events.iter().any(|event| {
                    let subject = crate::view::subject(event, run.state());
                    subject
                        .tasks
                        .iter()
                        .any(|task| run.state().task_name(*task) == *name)
                })
            };
            let ours = found.tasks.is_empty() || found.tasks.iter().any(about);
            // Who was waited for is named in the sentence and not in the list of those who waited.
            assert!(
                ours || found.text.contains(" waited "),
                "{seq} of {}",
                found.text
            );
        }
    }
}

#[test]
fn what_remains_becomes_a_sprint_with_its_history() {
    let run = troubled();
    let next = next_of(&run).expect("four tasks remain");
    let spec = planned(&next);
    assert_eq!(
        (next.sprint.as_str(), spec.repo.as_deref()),
        ("sprint-4", Some("."))
    );
    assert_eq!(
        next.carried_over,
        ["connect", "api-review", "ui-review", "release-notes"]
    );
    expect![[r##"
        # What remains of sprint sprint-3 (4 of 10 tasks carried over).

        [sprint]
        id = "sprint-4"
        epic = "Checkout"
        velocity_target = 40
        repo = "."
        base = "main"

        [team]
        only = true

        [team.tech-lead]
        skills = []
        kinds = []
        covers = ["review"]
        prompt = ""

        [team.documentation-research]
        skills = []
        kinds = []
        covers = []
        prompt = ""

        [team.api-engineer]
        count = 2
        skills = []
        kinds = []
        covers = []
        prompt = ""

        [team.ux-engineer]
        skills = []
        kinds = []
        covers = []
        prompt = ""

        [team.fullstack-engineer]
        skills = []
        kinds = []
        covers = [
            "api_endpoint",
            "ui_component",
        ]
        prompt = ""

        [team.documentation-writer]
        skills = []
        kinds = []
        covers = []
        prompt = ""

        [team.tech-lead-reviewer]
        skills = []
        kinds = []
        covers = []
        prompt = ""

        [gates]
        tests = "cargo test"
        coverage = true
        review = false
        docs = false
        acceptance = false

        [[task]]
        id = "connect"
        title = 'Connect <cart> & "payment"'
        description = """
        Do the connect.

        Carried over from sprint-3, where it was failed: 3 attempts failed; the last: the two do not fit together. Attempts so far: 3. What was left unfinished is kept at refs/director/salvage/connect/1, refs/director/salvage/connect/2, refs/director/salvage/connect/3."""
        role = "fullstack-engineer"
        points = 6
        acceptance = ["it works"]
        run = "true"

        [task.estimate]
        optimistic = 4.0
        likely = 6.0
        pessimistic = 8.0

        [[task]]
        id = "api-review"
        title = "api review"
        description = """
        Do the api review.

        Carried over from sprint-3, where it was waiting: waited for connect."""
        kind = "review"
        role = "tech-lead-reviewer"
        points = 2
        depends_on = ["connect"]
        acceptance = ["it works"]
        run = "true"

        [[task]]
        id = "ui-review"
        title = "ui review"
        description = """
        Do the ui review.

        Carried over from sprint-3, where it was waiting: waited for connect."""
        kind = "review"
        role = "tech-lead-reviewer"
        points = 2
        depends_on = ["connect"]
        acceptance = ["it works"]
        run = "true"

        [[task]]
        id = "release-notes"
        title = "release notes"
        description = """
        Do the release notes.

        Carried over from sprint-3, where it was waiting: waited for api-review, ui-review."""
        kind = "documentation"
        role = "documentation-writer"
        depends_on = [
            "api-review",
            "ui-review",
        ]
        acceptance = ["it works"]
        run = "true"
    "##]].assert_eq(&next.text);
}

#[test]
fn every_accepted_action_item_changes_the_file() {
    let before = next_of(&troubled()).expect("a file");
    let items = looked_back(&troubled()).action_items;
    assert!(items.len() > 8);
    for item in items {
        let mut run = troubled();
        accept(&mut run, &item.id);
        let after = next_of(&run).expect("a file");
        assert_ne!(planned(&before), planned(&after), "{item:?}");
        assert_eq!(after.changes.len(), 1);
        assert!(after.text.starts_with("# "), "{}", after.text);
        let again = looked_back(&run).action_items;
        let accepted = again
            .iter()
            .find(|other| other.id == item.id)
            .expect("still there");
        assert_eq!(accepted.accepted_by.as_deref(), Some("ada"));
    }
}

#[test]
fn accepted_items_do_what_they_say() {
    let mut run = troubled();
    for id in [
        "gate-tests",
        "estimate",
        "not-measured",
        "idle-role-documentation-writer",
        "retries",
    ] {
        accept(&mut run, id);
        // Twice is as good as once.
        accept(&mut run, id);
    }
    let before = planned(&next_of(&troubled()).expect("a file"));
    let after = planned(&next_of(&run).expect("a file"));
    let task = |spec: &SprintSpec, name: &str| {
        let found = spec.tasks.iter().find(|task| task.id.as_str() == name);
        found.unwrap_or_else(|| panic!("no {name}")).clone()
    };
    assert_eq!(
        task(&after, "connect").estimate.likely.0,
        task(&before, "connect").estimate.likely.0 / 10,
        "work took a tenth of what was estimated"
    );
    let criteria = task(&after, "connect").acceptance.clone();
    assert!(
        criteria
            .iter()
            .any(|line| line.contains("`cargo test` (gate `tests`)")),
        "{criteria:?}"
    );
    assert!(
        criteria
            .iter()
            .any(|line| line.contains("the two do not fit together")),
        "{criteria:?}"
    );
    assert_eq!(task(&after, "measure-gates").kind, "testing");
    let covers = |spec: &SprintSpec| {
        let role = spec
            .team
            .iter()
            .find(|role| role.name.as_str() == "documentation-writer");
        role.map(|role| role.covers.len())
    };
    assert!(covers(&after) > covers(&before));
}
