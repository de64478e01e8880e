//! Coding agents: programs that take a prompt and change a repository.
//!
//! [`headless`] starts one that prints events ([`stream`] understands them), [`acp`] converses with one over the Agent Client Protocol; what both have in
//! common is [`attempt`], what providers say of their limits [`limits`]. [`prompt`] says what is wanted, [`allow`] what a role's file asks of an agent.
//!
//! Elsewhere: the process itself is [`crate::process`], its liveness [`crate::liveness`].

pub mod acp;
pub mod allow;
pub mod attempt;
pub mod headless;
pub mod limits;
pub mod prompt;
pub mod stream;

use director_protocols::sprint::AgentSpec;

pub use acp::Acp;
pub use headless::Headless;

use crate::remote::REMOTE;

/// The words that start agents of a kind: those of the sprint file, else the kind's own, if it has any.
pub(crate) fn words_of(spec: &AgentSpec) -> Vec<String> {
    let usual = || {
        let known = acp::PROGRAMS.iter().find(|(kind, _)| *kind == spec.kind);
        let words: &[&str] = match known {
            Some((_, words)) => words,
            None if spec.kind == headless::CLAUDE => &[headless::CLAUDE],
            None => &[],
        };
        words.iter().map(|&word| word.to_owned()).collect()
    };
    spec.program.clone().unwrap_or_else(usual)
}

/// The program that agents of a kind are; `None` for what is no program, and for commands, which each task has its own of.
pub fn program_of(spec: &AgentSpec) -> Option<String> {
    let is_program = spec.kind == headless::CLAUDE
        || spec.kind == REMOTE
        || acp::AGENTS.contains(&spec.kind.as_str());
    is_program
        .then(|| words_of(spec).into_iter().next())
        .flatten()
}
