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

pub use acp::Acp;
pub use headless::Headless;
