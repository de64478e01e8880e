//! `director watch`: the director at a terminal.
//!
//! ```text
//!  keys ─┐                        ┌──▶ frame        (pure: model, screen)
//!  clock ┼──▶ Input ──▶ Model ────┤
//!  link ─┘                        └──▶ questions, orders ──▶ control socket
//! ```
//!
//! [`model::Model::take`] and [`screen::draw`] are functions of their arguments, so what a person sees is tested without a terminal. The shell
//! around them, [`run`], waits: for a key, for the director, for the next second while something is running. The director's
//! event stream says when there is news; then, and at most five times a second, the page that is seen is asked for again.
//!
//! Invariant: whatever ends it (a key, a signal, an error, a panic) leaves the terminal as it was.
//! Elsewhere: the socket is [`crate::control`]; what is shown is [`crate::view`]'s; the user's words are `cli::watch`.

pub mod ask;
mod keys;
mod link;
pub mod model;
mod run;
pub mod screen;
pub mod seen;
mod terminal;

pub use run::{Watch, run};
