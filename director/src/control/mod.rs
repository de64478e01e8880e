//! The control socket: how commands in another terminal speak to the director that holds the data directory.
//!
//! ```text
//! director status ──▶ one line of JSON ──▶ <data>/control.sock ──▶ server ──▶ Handle
//!                 ◀── one line back (or a stream, for events)  ◀──
//! ```
//!
//! The director renders and the client prints, so a question gets the same answer whether it went over the
//! socket or to the journal: both come from [`answer::answer`], and that from one `view`.
//!
//! Invariant: only the owner can reach the socket (mode 0600), and nothing that comes in over it can end the director.
//! Elsewhere: who may be asked is decided by the lock on the data directory; the user's words are `cli`.

pub mod answer;
pub mod assigned;
pub mod audit;
pub mod client;
pub mod desk;
pub mod facts;
mod fault;
pub mod foresight;
pub mod orders;
pub mod place;
pub mod planning;
pub mod protocol;
pub mod records;
pub mod server;
pub mod simulation;
#[cfg(test)]
mod story_tests;
pub mod submission;
pub mod who;
pub mod work;
