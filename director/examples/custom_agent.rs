//! A program of your own: every command of `director`, and one more kind of agent for its sprints.
//!
//! `cargo run -p director --example custom_agent -- run examples/custom.toml`

use std::process::ExitCode;

use director::agents::agent::{Agent, AgentError, Inbound, Turn};
use director::agents::context::Context;
use director::agents::factory::Registry;
use director::protocols::work::Report;
use director::system::Builder;

/// Writes release notes from what the tasks before it handed on.
#[derive(Default)]
struct ReleaseNotes {
    written: usize,
}

impl Agent for ReleaseNotes {
    async fn turn(&mut self, message: Inbound, cx: &mut Context) -> Result<Turn, AgentError> {
        let assignment = match message {
            Inbound::Assigned(assignment) => assignment,
            Inbound::Asked { .. } => return Ok(Turn::Answer(format!("{} so far", self.written))),
            _ => return Ok(Turn::NotYet),
        };
        let mut notes = format!("# {}\n\n", assignment.spec.title);
        for part in &assignment.handoff {
            notes += &format!("- {} ({}): {}\n", part.title, part.agent, part.summary);
        }
        cx.progress(50, "writing");
        if let Some(dir) = cx.workdir() {
            // What fails here is a failed attempt, which is tried again.
            std::fs::create_dir_all(&dir)?;
            std::fs::write(dir.join("NOTES.md"), &notes)?;
        }
        self.written += 1;
        Ok(Turn::Done(Report {
            summary: format!("notes on {} tasks", assignment.handoff.len()),
            artifacts: vec![cx.artifact("NOTES.md", "docs")],
            ..Report::default()
        }))
    }
}

fn main() -> ExitCode {
    let mut registry = Registry::builtin();
    registry.register_agent("release-notes", |_| ReleaseNotes::default());
    director::cli::run(Builder::new(".director").registry(registry))
}
