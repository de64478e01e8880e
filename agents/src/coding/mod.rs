//! Coding agents: programs that take a prompt and change a repository.
//!
//! [`headless`] starts one for each attempt and reads its events; [`stream`] understands them; [`prompt`] says what is wanted, [`allow`] what
//! a role's file asks of it.
//!
//! Elsewhere: the process itself is [`crate::process`], its liveness [`crate::liveness`].

pub mod allow;
pub mod headless;
pub mod prompt;
pub mod stream;

pub use headless::Headless;
