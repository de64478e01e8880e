//! Stories of agents that leave, on virtual time: what they were given goes to others, and who asks is answered.

use std::time::Duration;

use director::system::{Builder, Running};
use director_agents::agent::{Agent, AgentError, Inbound, Turn};
use director_agents::context::Context;
use director_agents::factory::Registry;
use director_protocols::command::Command;
use director_protocols::sprint::SprintSpec;
use director_protocols::work::Report;
use director_runtime::clock::Clock;
use director_runtime::journal::MemoryStore;
use director_tests::sprint;

const MINUTE: Duration = Duration::from_secs(60);

async fn start(registry: Registry) -> Running {
    Builder::new(std::env::temp_dir().join("director-never-written"))
        .registry(registry)
        .clock(Clock::tokio(1_000_000))
        .store(Box::new(MemoryStore::new()))
        .checked()
        .start()
        .await
        .expect("starts")
}

fn done(summary: &str) -> Turn {
    Turn::Done(Report {
        summary: summary.to_owned(),
        ..Report::default()
    })
}

async fn submit(running: &Running, spec: SprintSpec) {
    let submit = Command::Submit(Box::new(spec));
    running.handle.command(submit).await.expect("accepted");
}

/// Who did each task of the first sprint, with the agent's own words.
async fn deeds(running: &Running) -> Vec<String> {
    let look = running.handle.read(|engine| {
        let state = engine.state();
        let tasks = state.sprints.table[0].tasks();
        tasks
            .map(|id| {
                let task = &state.tasks.table[id.index()];
                let agent = task.last_agent.map(|agent| state.agent_name(agent));
                let said = task
                    .story
                    .as_ref()
                    .map_or("", |story| &story.report().summary);
                format!(
                    "{} is {} by {}: {said}",
                    task.spec.id,
                    task.phase.as_str(),
                    agent.unwrap_or_default()
                )
            })
            .collect::<Vec<_>>()
    });
    look.await.expect("reads")
}

const TEAM: &str = r#"
[team]
only = true
[team.engineer]
count = 2
agent = "worker"
kinds = ["*"]
[team.tester]
agent = "worker"
kinds = ["testing"]
"#;

#[tokio::test(start_paused = true)]
async fn an_agent_that_is_retired_gives_back_what_it_has_not_begun() {
    let mut registry = Registry::builtin();
    registry.register_fn("worker", |message: Inbound, cx: Context| async move {
        match message {
            Inbound::Assigned(assignment) => {
                if assignment.spec.id.as_str() == "long" {
                    cx.tell("engineer-2", "read this first")?;
                    tokio::time::sleep(10 * MINUTE).await;
                }
                tokio::time::sleep(5 * MINUTE).await;
                Ok(done("done"))
            }
            _ => {
                tokio::time::sleep(30 * MINUTE).await;
                Ok(Turn::NotYet)
            }
        }
    });
    let running = start(registry).await;
    let tasks = r#"
[[task]]
id = "long"
hours = 4
[[task]]
id = "tests"
kind = "testing"
hours = 1
[[task]]
id = "next"
hours = 1
depends_on = ["tests"]
"#;
    let first = format!("[sprint]\nid = \"first\"\n{TEAM}{tasks}");
    submit(&running, sprint(&first, &["worker"])).await;
    tokio::time::sleep(6 * MINUTE).await;
    assert_eq!(deeds(&running).await[2], "next is assigned by engineer-2: ");

    let smaller = TEAM.replace("count = 2", "count = 1");
    let second = format!("[sprint]\nid = \"second\"\n{smaller}[[task]]\nid = \"z\"\nhours = 1\n");
    submit(&running, sprint(&second, &["worker"])).await;
    tokio::time::sleep(60 * MINUTE).await;
    assert_eq!(
        deeds(&running).await,
        [
            "long is completed by engineer-1: done",
            "tests is completed by tester-1: done",
            "next is completed by engineer-1: done"
        ]
    );
    running.handle.shutdown();
    running.wait().await.expect("stops in order");
}

/// Says what it was made from.
struct Made(String);

impl Agent for Made {
    async fn turn(&mut self, message: Inbound, _: &mut Context) -> Result<Turn, AgentError> {
        Ok(match message {
            Inbound::Assigned(_) => done(&self.0),
            _ => Turn::NotYet,
        })
    }
}

#[tokio::test(start_paused = true)]
async fn an_agent_that_runs_takes_on_the_settings_of_a_later_sprint() {
    let mut registry = Registry::builtin();
    registry.register_agent("made", |cx| Made(cx.spec.model.clone().unwrap_or_default()));
    let running = start(registry).await;
    for (n, model) in ["one", "two", "two"].iter().enumerate() {
        let text = format!(
            r#"
[sprint]
id = "s{n}"
[agent.worker]
kind = "made"
model = "{model}"
[team]
only = true
[team.engineer]
agent = "worker"
kinds = ["*"]
[[task]]
id = "t{n}"
"#
        );
        submit(&running, sprint(&text, &["made"])).await;
        tokio::time::sleep(MINUTE).await;
        let look = running.handle.read(move |engine| {
            let state = engine.state();
            let task = state.sprints.table[n].tasks().next().expect("a task");
            let row = &state.tasks.table[task.index()];
            let said = row
                .story
                .as_ref()
                .map(|story| story.report().summary.clone());
            let agent = &state.team.agents[0];
            (said.unwrap_or_default(), agent.generation.0)
        });
        // The same incarnation: nobody died.
        assert_eq!(look.await.expect("reads"), ((*model).to_owned(), 1));
    }
    running.handle.shutdown();
    running.wait().await.expect("stops in order");
}

#[tokio::test(start_paused = true)]
async fn an_agent_whose_question_is_refused_is_told_why() {
    let mut registry = Registry::builtin();
    registry.register_fn("worker", |message: Inbound, _: Context| async move {
        match message {
            Inbound::Assigned(_) => Ok(Turn::Ask {
                to: "nobody".to_owned(),
                question: "which way?".to_owned(),
            }),
            Inbound::Answered { text, .. } => Ok(done(&text)),
            _ => Ok(Turn::NotYet),
        }
    });
    let running = start(registry).await;
    let only = format!("[sprint]\nid = \"first\"\n{TEAM}[[task]]\nid = \"a\"\nhours = 1\n");
    submit(&running, sprint(&only, &["worker"])).await;
    tokio::time::sleep(MINUTE).await;
    assert_eq!(
        deeds(&running).await,
        [
            "a is completed by engineer-1: The question was not asked: there is no agent or role `nobody`; \
             `director agents` lists them."
        ]
    );
    running.handle.shutdown();
    running.wait().await.expect("stops in order");
}

#[tokio::test(start_paused = true)]
async fn an_agent_that_is_wanted_again_while_it_is_being_retired_comes_back() {
    let mut registry = Registry::builtin();
    registry.register_fn("worker", |message: Inbound, _: Context| async move {
        // Deaf to a cancellation, so that its end takes the whole grace.
        tokio::time::sleep(20 * MINUTE).await;
        match message {
            Inbound::Assigned(_) => Ok(done("done")),
            _ => Ok(Turn::NotYet),
        }
    });
    let running = start(registry).await;
    for (id, count) in [("first", 2), ("second", 1), ("third", 2)] {
        let team = TEAM.replace("count = 2", &format!("count = {count}"));
        let tasks = "[[task]]\nid = \"a\"\nhours = 1\n[[task]]\nid = \"b\"\nhours = 1\n";
        let spec = format!("[sprint]\nid = \"{id}\"\n{team}{tasks}");
        submit(&running, sprint(&spec, &["worker"])).await;
    }
    tokio::time::sleep(MINUTE).await;
    let look = running.handle.read(|engine| {
        let agents = engine.state().team.agents.iter();
        agents
            .map(|agent| (agent.name.to_string(), agent.up, agent.retired))
            .collect::<Vec<_>>()
    });
    let engineer = |n: u32| (format!("engineer-{n}"), true, false);
    let tester = ("tester-1".to_owned(), true, false);
    assert_eq!(
        look.await.expect("reads"),
        [engineer(1), engineer(2), tester]
    );
    tokio::time::sleep(180 * MINUTE).await;
    assert_eq!(
        deeds(&running).await[1],
        "b is completed by engineer-2: done"
    );
    running.handle.shutdown();
    running.wait().await.expect("stops in order");
}
