//! Stories of the actor tree on virtual time, with agents in the program itself and a journal in memory.

use std::time::Duration;

use director::engine::tasks::Phase;
use director::handle::{Entry, Handle};
use director::system::{Builder, Running};
use director_agents::agent::{Inbound, Turn};
use director_agents::context::Context;
use director_agents::factory::Registry;
use director_protocols::command::Command;
use director_protocols::event::Event;
use director_protocols::ids::Seq;
use director_protocols::severity::Severity;
use director_protocols::work::{BlockerReport, Report};
use director_runtime::clock::Clock;
use director_runtime::journal::MemoryStore;
use director_tests::sprint;

const THREE: &str = r#"
[sprint]
id = "three"
[team]
only = true
[team.engineer]
count = 2
agent = "worker"
kinds = ["*"]
[[task]]
id = "design"
hours = 2
[[task]]
id = "build"
hours = 4
depends_on = ["design"]
[[task]]
id = "docs"
hours = 1
depends_on = ["design"]
"#;

fn worker(minutes: u64) -> Registry {
    let mut registry = Registry::builtin();
    registry.register_fn("worker", move |message: Inbound, _cx: Context| async move {
        match message {
            Inbound::Assigned(assignment) => {
                tokio::time::sleep(Duration::from_secs(60 * minutes)).await;
                Ok(Turn::Done(Report {
                    summary: format!("did {}", assignment.spec.id),
                    ..Report::default()
                }))
            }
            _ => Ok(Turn::NotYet),
        }
    });
    registry
}

/// One who is stuck until it is told how, and one who knows.
fn stuck_and_wise() -> Registry {
    let mut registry = Registry::builtin();
    registry.register_fn("stuck", |message: Inbound, _cx: Context| async move {
        Ok(match message {
            Inbound::Assigned(assignment) if assignment.guidance.is_empty() => {
                Turn::Blocked(BlockerReport {
                    kind: "design".to_owned(),
                    severity: Severity::High,
                    text: "tabs or spaces?".to_owned(),
                })
            }
            Inbound::Assigned(assignment) => Turn::Done(Report {
                summary: assignment.guidance.join("; "),
                ..Report::default()
            }),
            _ => Turn::NotYet,
        })
    });
    registry.register_fn("wise", |message: Inbound, _cx: Context| async move {
        Ok(match message {
            Inbound::Asked { text, .. } => Turn::Answer(format!("spaces (asked: {text})")),
            _ => Turn::NotYet,
        })
    });
    registry
}

#[tokio::test(start_paused = true)]
async fn the_architect_answers_what_a_person_would_have_had_to() {
    let text = r#"
[sprint]
id = "asks"
[team]
only = true
[team.engineer]
agent = "stuck"
kinds = ["*"]
[team.tech-lead]
agent = "wise"
kinds = []
[[task]]
id = "indent"
title = "Indent it"
"#;
    let running = start(&MemoryStore::new(), stuck_and_wise()).await;
    let handle = running.handle.clone();
    let spec = sprint(text, &["stuck", "wise"]);
    let submit = handle.command(Command::Submit(Box::new(spec)));
    let ended = until(&handle, |event| matches!(event, Event::SprintEnded(_)));
    let (submitted, names) = tokio::join!(submit, ended);
    submitted.expect("accepted");
    let story: Vec<&str> = names
        .iter()
        .map(String::as_str)
        .filter(|name| {
            matches!(
                *name,
                "inbox_opened"
                    | "adviser_asked"
                    | "blocker_resolved"
                    | "inbox_closed"
                    | "task_completed"
            )
        })
        .collect();
    assert_eq!(
        story,
        [
            "inbox_opened",
            "adviser_asked",
            "blocker_resolved",
            "inbox_closed",
            "task_completed"
        ]
    );
    let summary = handle
        .read(|engine| {
            engine.state().tasks.table[0]
                .story
                .as_ref()
                .map(|s| s.report().summary.clone())
        })
        .await
        .expect("reads");
    let expected = "spaces (asked: Task indent (Indent it) is held up: tabs or spaces?)";
    assert_eq!(summary.as_deref(), Some(expected));
    handle.shutdown();
    running.wait().await.expect("stops in order");
}

async fn start(store: &MemoryStore, registry: Registry) -> Running {
    Builder::new(std::env::temp_dir().join("director-never-written"))
        .registry(registry)
        .clock(Clock::tokio(1_000_000))
        .store(Box::new(store.fork()))
        .checked()
        .start()
        .await
        .expect("starts")
}

async fn until(handle: &Handle, done: impl Fn(&Event) -> bool) -> Vec<String> {
    let mut entries = handle.subscribe();
    let mut names = Vec::new();
    loop {
        match entries.recv().await {
            Some(director_runtime::bus::Heard::Event(event)) => {
                for fact in &event.events {
                    names.push(fact.name().to_owned());
                    if done(fact) {
                        return names;
                    }
                }
            }
            other => panic!("the bus ended: {other:?}"),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn three_tasks_go_through_two_agents() {
    let store = MemoryStore::new();
    let running = start(&store, worker(30)).await;
    let handle = running.handle.clone();
    let spec = sprint(THREE, &["worker"]);
    let submit = handle.command(Command::Submit(Box::new(spec)));
    let ended = until(&handle, |event| matches!(event, Event::SprintEnded(_)));
    let (submitted, names) = tokio::join!(submit, ended);
    submitted.expect("accepted");
    assert_eq!(
        names
            .iter()
            .filter(|name| *name == "task_completed")
            .count(),
        3
    );
    let phases = handle
        .read(|engine| {
            let state = engine.state();
            state
                .tasks
                .table
                .iter()
                .map(|task| task.phase)
                .collect::<Vec<_>>()
        })
        .await
        .expect("reads");
    assert_eq!(phases, [Phase::Completed; 3]);
    let entries: Vec<Entry> = handle.history(Seq(1), 1000).await.expect("history");
    assert_eq!(entries.first().map(|entry| entry.seq), Some(Seq(1)));
    handle.shutdown();
    running.wait().await.expect("stops in order");
}
