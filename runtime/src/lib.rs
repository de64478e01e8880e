//! What keeps actors alive: supervisors, mailboxes, timers, a clock, a directory, an event bus, a journal.
//!
//! Nothing here knows a sprint, a task or a role. ractor gives turns, the panic boundary and links; restarts,
//! bounded queues, timers that die with their owner and an ordered shutdown are built here on top of it.

pub mod blobs;
pub mod bus;
pub mod clock;
pub mod directory;
pub mod journal;
pub mod mailbox;
pub mod secret;
pub mod supervisor;
pub mod timer;
