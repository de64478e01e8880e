//! A custom agent in fifty lines: collects the TODOs of a repository into `TODO.md`.
//!
//! `cargo run -p director-agents --example todo_keeper [DIR]` tries it on a directory, without any director.
//! In a program of your own, `registry()` is what you hand over; the sprint file then says `agent = "todo-keeper"`.

use std::path::Path;

use director_agents::agent::{Agent, AgentError, Inbound, Turn};
use director_agents::context::Context;
use director_agents::factory::Registry;
use director_protocols::work::Report;

/// Remembers across tasks how many TODOs it has seen.
#[derive(Default)]
struct TodoKeeper {
    seen: usize,
}

impl Agent for TodoKeeper {
    async fn turn(&mut self, message: Inbound, cx: &mut Context) -> Result<Turn, AgentError> {
        match message {
            Inbound::Assigned(_) => {
                let Some(dir) = cx.workdir() else {
                    return Ok(Turn::NotYet);
                };
                let mut todos = Vec::new();
                for entry in std::fs::read_dir(&dir)? {
                    if cx.is_cancelled() {
                        return Ok(Turn::Failed {
                            reason: "called off".into(),
                            exit_code: None,
                        });
                    }
                    collect(&entry?.path(), &mut todos);
                }
                todos.sort();
                std::fs::write(dir.join("TODO.md"), todos.join("\n") + "\n")?;
                self.seen += todos.len();
                cx.progress(100, "written");
                let artifacts = vec![cx.artifact("TODO.md", "docs")];
                let summary = format!("{} TODOs", todos.len());
                Ok(Turn::Done(Report {
                    summary,
                    artifacts,
                    ..Report::default()
                }))
            }
            Inbound::Asked { .. } => Ok(Turn::Answer(format!("{} TODOs so far", self.seen))),
            _ => Ok(Turn::NotYet),
        }
    }
}

fn collect(file: &Path, todos: &mut Vec<String>) {
    // A directory or a file that is no text has no lines for us.
    let Ok(text) = std::fs::read_to_string(file) else {
        return;
    };
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    let found = text
        .lines()
        .enumerate()
        .filter(|(_, line)| line.contains("TODO"));
    todos.extend(found.map(|(at, line)| format!("- {name}:{}: {}", at + 1, line.trim())));
}

/// The built-in kinds and this one.
fn registry() -> Registry {
    let mut registry = Registry::builtin();
    registry.register_agent("todo-keeper", |_| TodoKeeper::default());
    registry
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let mut assignment = Context::assignment_for_tests("Collect the TODOs.");
    assignment.workdir = std::env::args().nth(1).unwrap_or_else(|| ".".to_owned());
    let mut cx = Context::for_tests(&assignment);
    let turn = TodoKeeper::default()
        .turn(Inbound::Assigned(assignment.into()), &mut cx)
        .await;
    println!("{turn:?}\nkinds: {:?}", registry());
}
