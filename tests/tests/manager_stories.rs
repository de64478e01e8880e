//! The engineering manager as an actor: it writes the note of the standup, and what moves between roles waits for its word.
//!
//! `UPDATE_EXPECT=1` rewrites what is expected.

use std::time::Duration;

use director::report::standup;
use director::system::Builder;
use director_agents::agent::{Inbound, Turn};
use director_agents::context::Context;
use director_agents::factory::Registry;
use director_protocols::command::Command;
use director_protocols::ids::SprintId;
use director_protocols::sprint::SprintSpec;
use director_protocols::time::Time;
use director_protocols::work::Report;
use director_runtime::clock::Clock;
use director_runtime::journal::MemoryStore;
use director_tests::script::Script;
use director_tests::sprint;
use expect_test::expect;

const MINUTE: Duration = Duration::from_secs(60);

/// One role that is soon over its hours, one that covers it, and a manager.
fn overloaded() -> SprintSpec {
    let text = r#"
[sprint]
id = "s"
[team]
only = true
[team.api]
agent = "worker"
kinds = ["api_endpoint"]
capacity = 6
[team.full]
agent = "worker"
kinds = ["feature"]
covers = ["api_endpoint"]
capacity = 20
[team.engineering-manager]
agent = "worker"
kinds = []
[[task]]
id = "a"
kind = "api_endpoint"
hours = 2
[[task]]
id = "b"
kind = "api_endpoint"
hours = 2
depends_on = ["d"]
[[task]]
id = "c"
kind = "api_endpoint"
hours = 2
depends_on = ["d"]
[[task]]
id = "d"
kind = "feature"
hours = 3
"#;
    sprint(text, &["worker"])
}

/// What happens once a task of the overloaded role took longer, and this was said.
fn after(said: &str) -> String {
    let mut script = Script::new(vec![overloaded()]);
    script.run(
        "submit
        up
        start a
        start d",
    );
    script.go_on(&format!("done a 5\n{said}"))
}

#[test]
fn what_moves_between_roles_waits_for_the_managers_word() {
    expect![[r#"
        > done a 5
          attempt_ended a done
          quality_gate_status
          task_completed a (250)
          sprint_velocity_updated
          team_utilization_alert more to do than they can: api-1 (150%); room: full-1 (17h), engineering-manager-1 (40h); waiting tasks move
          manager_asked engineering-manager-1 is asked whether 2 tasks may move
        > hear move
          message_delivered
          rebalancing_decided engineering-manager-1 says move
          task_rebalanced c moves from api (150% of what it can do) to full (25% with it)
          task_rebalanced b moves from api (117% of what it can do) to full (35% with it)
          question_answered by engineering-manager-1: move
    "#]].assert_eq(&after("hear move"));
    expect![[r#"
        > done a 5
          attempt_ended a done
          quality_gate_status
          task_completed a (250)
          sprint_velocity_updated
          team_utilization_alert more to do than they can: api-1 (150%); room: full-1 (17h), engineering-manager-1 (40h); waiting tasks move
          manager_asked engineering-manager-1 is asked whether 2 tasks may move
        > hear keep c, it needs the one who knows the api
          message_delivered
          rebalancing_decided engineering-manager-1 says keep c, it needs the one who knows the api; stays: c
          task_rebalanced b moves from api (117% of what it can do) to full (35% with it)
          question_answered by engineering-manager-1: keep c, it needs the one who knows the api
    "#]].assert_eq(&after("hear keep c, it needs the one who knows the api"));
    expect![[r#"
        > done a 5
          attempt_ended a done
          quality_gate_status
          task_completed a (250)
          sprint_velocity_updated
          team_utilization_alert more to do than they can: api-1 (150%); room: full-1 (17h), engineering-manager-1 (40h); waiting tasks move
          manager_asked engineering-manager-1 is asked whether 2 tasks may move
        > hear keep
          message_delivered
          rebalancing_decided engineering-manager-1 says keep; stays: c, b
          question_answered by engineering-manager-1: keep
    "#]].assert_eq(&after("hear keep"));
    // Whoever says nothing, is gone, or takes too long holds nothing up.
    for said in ["hear nothing", "lose engineering-manager", "tick 600s"] {
        let told = after(said);
        for task in ["b", "c"] {
            let moved = format!("task_rebalanced {task} moves from api");
            assert!(told.contains(&moved), "{said}: {told}");
        }
    }
    // What was left where it is is not asked about again, and moves if its role goes down.
    let told = after("hear keep\ndone d 9\nlose api");
    assert_eq!(told.matches("manager_asked").count(), 1, "{told}");
    assert!(told.contains("(it is down) to full"), "{told}");
}

#[tokio::test(start_paused = true)]
async fn the_managers_note_of_the_standup_is_read_by_whoever_begins_work() {
    let mut registry = Registry::builtin();
    registry.register_fn("worker", |message: Inbound, _: Context| async move {
        Ok(match message {
            Inbound::Assigned(assignment) => {
                tokio::time::sleep(30 * MINUTE).await;
                Turn::Done(Report {
                    summary: format!("told: {}", assignment.guidance.join("; ")),
                    ..Report::default()
                })
            }
            Inbound::Asked { text, .. } => {
                let next = text.lines().find(|line| line.contains("comes next"));
                Turn::Answer(format!("mind the till ({})", next.unwrap_or_default()))
            }
            _ => Turn::NotYet,
        })
    });
    let running = Builder::new(std::env::temp_dir().join("director-never-written"))
        .registry(registry)
        .clock(Clock::tokio(1_000_000))
        .store(Box::new(MemoryStore::new()))
        .checked()
        .start()
        .await
        .expect("starts");
    let text = r#"
[sprint]
id = "s"
[ceremonies]
standup = "00:30"
[team]
only = true
[team.engineer]
agent = "worker"
kinds = ["*"]
[team.engineering-manager]
agent = "worker"
kinds = []
[[task]]
id = "till"
hours = 1
[[task]]
id = "bell"
hours = 1
depends_on = ["till"]
"#;
    let submit = Command::Submit(Box::new(sprint(text, &["worker"])));
    running.handle.command(submit).await.expect("accepted");
    tokio::time::sleep(90 * MINUTE).await;
    let look = running.handle.read(|engine| {
        let state = engine.state();
        let said = |n: usize| {
            let story = state.tasks.table[n].story.as_ref();
            story.map_or_else(String::new, |story| story.report().summary.clone())
        };
        let seen = standup::standup(state, &[], SprintId(0), None, Time(8_000_000));
        (said(0), said(1), standup::text(&seen.expect("a sprint")))
    });
    let (before, after, seen) = look.await.expect("reads");
    assert_eq!(before, "told: ");
    expect!["told: From the standup, engineering-manager-1: mind the till (What goes on and comes next: till)"].assert_eq(&after);
    expect!["Note of engineering-manager-1, 1970-01-01 00:30 UTC: mind the till (What goes on and comes next: till)"].assert_eq(seen.lines().last().unwrap_or_default());
    running.handle.shutdown();
    running.wait().await.expect("stops in order");
}
