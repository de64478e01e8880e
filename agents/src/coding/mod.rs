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

/// The program that agents of a kind are, as the sprint file or the kind names it; `None` for what is no program, and for commands, which each task has
/// its own of.
pub fn program_of(spec: &AgentSpec) -> Option<&str> {
    let own = spec.program.as_deref().and_then(<[String]>::first);
    let usual = || {
        let known = acp::PROGRAMS.iter().find(|(kind, _)| *kind == spec.kind);
        known
            .and_then(|(_, words)| words.first().copied())
            .or_else(|| (spec.kind == headless::CLAUDE).then_some(headless::CLAUDE))
    };
    let is_program = spec.kind == headless::CLAUDE
        || spec.kind == REMOTE
        || acp::AGENTS.contains(&spec.kind.as_str());
    is_program
        .then(|| own.map(String::as_str).or_else(usual))
        .flatten()
}
