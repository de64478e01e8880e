//! The wait-for graph as stories: each kind of wait in a circle that is refused by name, or given up where it closes later.
//!
//! `UPDATE_EXPECT=1` rewrites what is expected.

use director::engine::waits;
use director::view::why;
use director_protocols::ids::TaskId;
use director_protocols::sprint::{Expects, SprintSpec};
use director_protocols::time::Time;
use director_tests::script::Script;
use director_tests::sprint;
use expect_test::{Expect, expect};

const TEAM: &str = r#"
[sprint]
id = "s"
[team]
only = true
[team.engineer]
count = 2
agent = "worker"
kinds = ["feature"]
[team.reviewer]
agent = "worker"
kinds = ["review"]
[gates]
review = { by = "reviewer" }
"#;

/// Tasks of a sprint, in a repository where they have worktrees.
fn team(tasks: &str, repo: bool) -> SprintSpec {
    let mut spec = sprint(&format!("{TEAM}{tasks}"), &["worker"]);
    if repo {
        spec.repo = Some("/repository".to_owned());
        for task in &mut spec.tasks {
            task.expects = Expects::Changes;
        }
    }
    spec
}

fn task(id: &str, more: &str) -> String {
    format!("[[task]]\nid = \"{id}\"\nkind = \"feature\"\nhours = 1\n{more}\n")
}

fn tell(spec: SprintSpec, script: &str, expected: Expect) {
    expected.assert_eq(&Script::new(vec![spec]).run(script));
}

#[test]
fn a_wait_that_would_close_a_circle_is_refused_with_the_circle_named() {
    let after = task("page", "") + &task("menu", "depends_on = [\"page\"]");
    // What the one who asks has not handed on yet.
    tell(
        team(&after, false),
        "submit
        up
        ask page task:menu",
        expect![[r#"
            > submit
              sprint_submitted
              sprint_initialized
            > up
              agent_up engineer-1
              task_assigned page to engineer-1 as attempt 1: 792 = 1000 expertise, 975 capacity, 0 continuity
              agent_up engineer-2
              agent_up reviewer-1
            > ask page task:menu
              no: waiting would close a circle: engineer-1 waits for an answer of whoever takes menu up, menu waits for what page hands on, engineer-1 has page in hand; answer first, or ask a person
        "#]],
    );
    // The worktree in which it works.
    let beside = task("page", "feature = \"shop\"") + &task("menu", "feature = \"shop\"");
    tell(
        team(&beside, true),
        "submit
        git ok
        up
        git ok
        ask page task:menu",
        expect![[r#"
            > submit
              sprint_submitted
            > git ok
              repo_prepared
              sprint_initialized
            > up
              agent_up engineer-1
              task_assigned page to engineer-1 as attempt 1: 792 = 1000 expertise, 975 capacity, 0 continuity
              agent_up engineer-2
              agent_up reviewer-1
            > git ok
              worktree_prepared
            > ask page task:menu
              no: waiting would close a circle: engineer-1 waits for an answer of whoever takes menu up, menu waits for the worktree of shop, which page has, engineer-1 has page in hand; answer first, or ask a person
        "#]],
    );
    // The only place there is for it: the reviewer is the one who asks.
    let places = task("page", "")
        + "[[task]]\nid = \"audit\"\nkind = \"review\"\nhours = 1\n[[task]]\nid = \"law\"\nkind = \"review\"\nhours = 1\n";
    tell(
        team(&places, false),
        "submit
        up
        ask audit task:law",
        expect![[r#"
            > submit
              sprint_submitted
              sprint_initialized
            > up
              agent_up engineer-1
              task_assigned page to engineer-1 as attempt 1: 792 = 1000 expertise, 975 capacity, 0 continuity
              agent_up engineer-2
              agent_up reviewer-1
              task_assigned audit to reviewer-1 as attempt 1: 792 = 1000 expertise, 975 capacity, 0 continuity
            > ask audit task:law
              no: waiting would close a circle: reviewer-1 waits for an answer of whoever takes law up, law waits for a free reviewer, and reviewer-1 is busy; answer first, or ask a person
        "#]],
    );
    // The emergency that it mends: nothing else is handed out meanwhile.
    tell(
        team(&places, false),
        r#"submit
        up
        send critical_bug_discovered {"task": {"id": "hole", "kind": "feature"}, "severity": "critical"}
        ask hole task:law"#,
        expect![[r#"
            > submit
              sprint_submitted
              sprint_initialized
            > up
              agent_up engineer-1
              task_assigned page to engineer-1 as attempt 1: 792 = 1000 expertise, 975 capacity, 0 continuity
              agent_up engineer-2
              agent_up reviewer-1
              task_assigned audit to reviewer-1 as attempt 1: 792 = 1000 expertise, 975 capacity, 0 continuity
            > send critical_bug_discovered {"task": {"id": "hole", "kind": "feature"}, "severity": "critical"}
              critical_bug_discovered
              task_added hole by ada
              engineering_emergency: 0s later, hole mends a critical bug and 0 tasks wait for it; all work that is not critical is paused. If that lasts 1h00m, 2h00m of work are left instead of 2h00m: the sprint ends 0s later
              incident_opened
              incident_step_filled impact: hole mends a critical bug and 0 tasks wait for it; all work that is not critical is paused. If that lasts 1h00m, 2h00m of work are left instead of 2h00m: the sprint ends 0s later
              incident_step_filled mitigation: all work that is not critical is paused; of it, 0 at work goes on to its end
              incident_step_filled escalation: told: whoever answers the inbox
              task_assigned hole to engineer-2 as attempt 1: 792 = 1000 expertise, 975 capacity, 0 continuity
            > ask hole task:law
              no: waiting would close a circle: engineer-2 waits for an answer of whoever takes law up, law waits until the emergency about hole is over, engineer-2 has hole in hand; answer first, or ask a person
        "#]],
    );
    // Agents that ask each other, and the one of a role who would not close it.
    tell(
        team(&(task("page", "") + &task("menu", "")), false),
        "submit
        up
        ask page engineer-2
        ask menu engineer-1
        ask menu engineer
        ask menu reviewer",
        expect![[r#"
            > submit
              sprint_submitted
              sprint_initialized
            > up
              agent_up engineer-1
              task_assigned page to engineer-1 as attempt 1: 792 = 1000 expertise, 975 capacity, 0 continuity
              agent_up engineer-2
              task_assigned menu to engineer-2 as attempt 1: 792 = 1000 expertise, 975 capacity, 0 continuity
              agent_up reviewer-1
            > ask page engineer-2
              question_asked
            > ask menu engineer-1
              no: waiting would close a circle: engineer-2 waits for an answer of engineer-1, engineer-1 waits for an answer of engineer-2; answer first, or ask a person
            > ask menu engineer
              no: waiting would close a circle: engineer-2 waits for an answer of engineer-1, engineer-1 waits for an answer of engineer-2; answer first, or ask a person
            > ask menu reviewer
              question_asked
        "#]],
    );
}

#[test]
fn an_approval_that_would_close_a_circle_goes_to_a_person() {
    let tasks = task("page", "")
        + &task("menu", "depends_on = [\"page\"]")
        + "[[task]]\nid = \"audit\"\nkind = \"review\"\nhours = 1\n";
    tell(
        team(&tasks, false),
        "submit
        up
        start audit
        start page
        ask audit task:menu
        done page",
        expect![[r#"
            > submit
              sprint_submitted
              sprint_initialized
            > up
              agent_up engineer-1
              task_assigned page to engineer-1 as attempt 1: 792 = 1000 expertise, 975 capacity, 0 continuity
              agent_up engineer-2
              agent_up reviewer-1
              task_assigned audit to reviewer-1 as attempt 1: 792 = 1000 expertise, 975 capacity, 0 continuity
            > start audit
              attempt_started
            > start page
              attempt_started
            > ask audit task:menu
              question_asked
            > done page
              attempt_ended page done
              inbox_opened 1: Nobody of the role can judge it, because that would close a circle: page waits for a free reviewer, and reviewer-1 is busy, reviewer-1 waits for an answer of whoever takes menu up, menu waits for what page hands on. Judge the work on task page (page).
            Its author says:
            > done
            This is the gate `review`: approve it to let the work pass, or reject it with the reason, which goes to the author.
        "#]],
    );
}

#[test]
fn a_question_waits_for_whoever_takes_the_task_up_and_a_circle_that_closes_later_answers_it() {
    // Somebody takes it up, and is asked.
    let tasks = task("page", "") + &task("side", "") + &task("menu", "depends_on = [\"side\"]");
    let mut script = Script::new(vec![team(&tasks, false)]);
    let told = script.run(
        "submit
        up
        start side
        ask page task:menu
        done side
        start side.review
        done side.review
        hear
        hear",
    );
    expect![[r#"
        > submit
          sprint_submitted
          sprint_initialized
        > up
          agent_up engineer-1
          task_assigned side to engineer-1 as attempt 1: 792 = 1000 expertise, 975 capacity, 0 continuity
          agent_up engineer-2
          task_assigned page to engineer-2 as attempt 1: 792 = 1000 expertise, 975 capacity, 0 continuity
          agent_up reviewer-1
        > start side
          attempt_started
        > ask page task:menu
          question_asked
        > done side
          attempt_ended side done
          task_added side.review by director
          task_assigned side.review to reviewer-1 as attempt 1: 797 = 1000 expertise, 993 capacity, 0 continuity
        > start side.review
          attempt_started
        > done side.review
          attempt_ended side.review done
          gate_judged review of side: Passed by reviewer-1
          work_reviewed side round 1: true
          quality_gate_status
          task_completed side (333)
          handoff_sent side to menu
          sprint_velocity_updated
          task_assigned menu to engineer-1 as attempt 1: 885 = 1000 expertise, 950 capacity, 500 continuity
          question_directed
        > hear
          message_delivered
          question_answered by engineer-1: that way
        > hear
          message_delivered
    "#]].assert_eq(&told);

    // Nobody will take it up any more.
    let mut script = Script::new(vec![team(&tasks, false)]);
    let told = script.run(
        "submit
        up
        ask page task:menu
        cancel menu
        hear",
    );
    expect![[r#"
        > submit
          sprint_submitted
          sprint_initialized
        > up
          agent_up engineer-1
          task_assigned side to engineer-1 as attempt 1: 792 = 1000 expertise, 975 capacity, 0 continuity
          agent_up engineer-2
          task_assigned page to engineer-2 as attempt 1: 792 = 1000 expertise, 975 capacity, 0 continuity
          agent_up reviewer-1
        > ask page task:menu
          question_asked
        > cancel menu
          task_cancelled menu
          question_answered by director: menu is cancelled, so nobody takes it up and answers; go on with what you know, or ask a person
        > hear
          message_delivered
    "#]].assert_eq(&told);

    // It shall wait for the one who asked: the question is given up.
    let changed = task("page", "") + &task("side", "") + &task("menu", "depends_on = [\"page\"]");
    let mut script = Script::new(vec![team(&tasks, false), team(&changed, false)]);
    let told = script.run(
        "submit
        up
        ask page task:menu
        replan
        hear",
    );
    expect![[r#"
        > submit
          sprint_submitted
          sprint_initialized
        > up
          agent_up engineer-1
          task_assigned side to engineer-1 as attempt 1: 792 = 1000 expertise, 975 capacity, 0 continuity
          agent_up engineer-2
          task_assigned page to engineer-2 as attempt 1: 792 = 1000 expertise, 975 capacity, 0 continuity
          agent_up reviewer-1
        > ask page task:menu
          question_asked
        > replan
          task_changed menu: dependencies
          sprint_replanned +0 ~1 -0
          question_answered by director: waiting would close a circle: engineer-2 waits for an answer of whoever takes menu up, menu waits for what page hands on, engineer-2 has page in hand; answer first, or ask a person
        > hear
          message_delivered
    "#]].assert_eq(&told);
}

#[test]
fn why_tells_the_chain() {
    let tasks = task("page", "feature = \"shop\"")
        + &task("menu", "feature = \"shop\"")
        + &task("site", "depends_on = [\"menu\"]");
    let mut script = Script::new(vec![team(&tasks, true)]);
    script.run(
        "submit
        git ok
        up
        git ok
        ask menu reviewer",
    );
    let state = script.engine.state();
    let seen = why::why(state, &[], TaskId(0), Time(2_000_000)).expect("a task");
    expect![[r#"
        page waits for the worktree of shop, which menu has
        engineer-1 has menu in hand
        engineer-1 waits for an answer of reviewer-1"#]]
    .assert_eq(&seen.chain.join("\n"));
    assert!(waits::standing(state, waits::Node::Task(TaskId(0))).is_empty());
}
