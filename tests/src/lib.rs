//! Builders that the tests of the whole product share.

pub mod browser;
pub mod chaos;
pub mod contract;
pub mod corner;
pub mod drivers;
pub mod harness;
pub mod hook;
pub mod http;
pub mod load;
pub mod mcp;
pub mod mutants;
pub mod power;
pub mod process;
pub mod referee;
pub mod script;
pub mod terminal;
pub mod world;

use director_protocols::manifest::{self, Format, Options};
use director_protocols::sprint::SprintSpec;

/// A sprint `s` with a task of each name and so many engineers for them; `more` goes on where `[sprint]` has begun.
///
/// # Panics
/// As [`sprint`].
pub fn engineers(count: u32, tasks: &[&str], more: &str) -> SprintSpec {
    let task = |id: &&str| format!("[[task]]\nid = \"{id}\"\n");
    let tasks: String = tasks.iter().map(task).collect();
    sprint(
        &format!(
            r#"
[sprint]
id = "s"
{more}
[team]
only = true
[team.engineer]
agent = "worker"
count = {count}
kinds = ["feature"]
{tasks}"#
        ),
        &["worker"],
    )
}

/// A sprint from the text of a sprint file; `kinds` are agents that the test registers.
///
/// # Panics
/// When the text is no sprint; the message is what a user would read.
pub fn sprint(text: &str, kinds: &[&str]) -> SprintSpec {
    let options = Options {
        known_agents: kinds,
        ..Options::default()
    };
    match manifest::parse(text, "sprint.toml", Format::Toml, &options) {
        Ok(manifest) => manifest.spec,
        Err(errors) => panic!("{errors}"),
    }
}
