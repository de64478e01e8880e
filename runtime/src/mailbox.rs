//! The mailbox: the bounded queue in front of an actor, with classes, owned by the actor's slot.
//!
//! A message has a class; [`Mailbox::take`] hands out the highest class first and keeps the order of arrival
//! within a class. Each class has its own limit, so a flood of chatter cannot keep a cancellation out. The actor
//! sleeps in [`Mailbox::wait`]; a busy one can watch [`Mailbox::wait_control`] beside its work.
//!
//! Invariant: a message accepted by `push` is taken once, or handed back by `retain` or `close_and_drain`; it is never
//! lost by an actor's death, because the mailbox belongs to the slot and outlives each incarnation.
//! Elsewhere: which classes a message has is decided by whoever sends it; restarts are `supervisor`.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

/// How urgent a message is. Earlier is more urgent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Class {
    /// Cancel, pause, shut down: also seen by an actor that is busy.
    Control,
    /// Something that holds work up.
    Blocker,
    /// Work passed on.
    Handoff,
    /// Everything else.
    Chatter,
}

impl Class {
    /// Every class, the most urgent first.
    pub const ALL: [Class; 4] = [
        Class::Control,
        Class::Blocker,
        Class::Handoff,
        Class::Chatter,
    ];
}

/// How many messages of each class may wait at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits([usize; 4]);

impl Limits {
    /// The same limit for every class, at least one.
    pub const fn each(limit: usize) -> Self {
        let limit = if limit == 0 { 1 } else { limit };
        Limits([limit; 4])
    }

    /// Another limit for one class, at least one.
    pub const fn with(mut self, class: Class, limit: usize) -> Self {
        self.0[class as usize] = if limit == 0 { 1 } else { limit };
        self
    }

    /// The limit of a class.
    pub const fn of(&self, class: Class) -> usize {
        self.0[class as usize]
    }
}

impl Default for Limits {
    /// 64 of each class.
    fn default() -> Self {
        Limits::each(64)
    }
}

/// Why a message was not accepted. The message comes back with the answer.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum Rejected<T> {
    /// The class is at its limit.
    #[error(
        "the mailbox is full for this class of message; send it again once the actor has caught up"
    )]
    Full(T),
    /// The slot has gone for good.
    #[error("the mailbox is closed; its actor was removed and will not come back")]
    Closed(T),
}

impl<T> Rejected<T> {
    /// The message that was not accepted.
    pub fn into_message(self) -> T {
        match self {
            Rejected::Full(message) | Rejected::Closed(message) => message,
        }
    }
}

/// What a mailbox has seen so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MailboxStats {
    /// Messages waiting now, by class, the most urgent first.
    pub depth: [usize; 4],
    /// The most messages that ever waited at once, all classes together.
    pub high_water: usize,
    /// Messages accepted since the start.
    pub accepted: u64,
    /// Messages refused because their class was full.
    pub refused: u64,
    /// True once closed.
    pub closed: bool,
}

impl MailboxStats {
    /// Messages waiting now, all classes together.
    pub fn total(&self) -> usize {
        self.depth.iter().sum()
    }
}

/// What ended a wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Woken {
    /// There is a message to take. Another taker of the same mailbox may be faster.
    Message,
    /// The mailbox is closed and nothing is left in it.
    Closed,
}

/// A bounded queue with classes. Clones are handles to the same queue.
pub struct Mailbox<T>(Arc<Shared<T>>);

struct Shared<T> {
    inner: Mutex<Inner<T>>,
    limits: Limits,
    any: Notify,
    control: Notify,
}

struct Inner<T> {
    queues: [VecDeque<T>; 4],
    waiting: usize,
    high_water: usize,
    accepted: u64,
    refused: u64,
    closed: bool,
}

impl<T> Mailbox<T> {
    /// An empty, open mailbox.
    pub fn new(limits: Limits) -> Self {
        let inner = Inner {
            queues: Default::default(),
            waiting: 0,
            high_water: 0,
            accepted: 0,
            refused: 0,
            closed: false,
        };
        Mailbox(Arc::new(Shared {
            inner: Mutex::new(inner),
            limits,
            any: Notify::new(),
            control: Notify::new(),
        }))
    }

    /// Appends a message to its class and wakes the actor.
    ///
    /// # Errors
    ///
    /// [`Rejected::Full`] at the limit of the class, [`Rejected::Closed`] after [`Mailbox::close`]; both give the message back.
    pub fn push(&self, class: Class, message: T) -> Result<(), Rejected<T>> {
        {
            let mut inner = self.lock();
            if inner.closed {
                return Err(Rejected::Closed(message));
            }
            if inner.queues[class as usize].len() >= self.0.limits.of(class) {
                inner.refused += 1;
                return Err(Rejected::Full(message));
            }
            inner.queues[class as usize].push_back(message);
            inner.waiting += 1;
            inner.accepted += 1;
            inner.high_water = inner.high_water.max(inner.waiting);
        }
        self.0.any.notify_waiters();
        if class == Class::Control {
            self.0.control.notify_waiters();
        }
        Ok(())
    }

    /// Takes the oldest message of the most urgent class that has one.
    pub fn take(&self) -> Option<(Class, T)> {
        let mut inner = self.lock();
        for class in Class::ALL {
            if let Some(message) = inner.queues[class as usize].pop_front() {
                inner.waiting -= 1;
                return Some((class, message));
            }
        }
        None
    }

    /// Takes the oldest control message and nothing else: for an actor in the middle of its work.
    pub fn take_control(&self) -> Option<T> {
        let mut inner = self.lock();
        let message = inner.queues[Class::Control as usize].pop_front()?;
        inner.waiting -= 1;
        Some(message)
    }

    /// Waits until there is something to take, or until the mailbox is closed and empty.
    ///
    /// Cancel-safe: it takes nothing, so a wait that is dropped loses nothing.
    pub async fn wait(&self) -> Woken {
        self.wait_for(&self.0.any, |inner| inner.waiting > 0).await
    }

    /// Waits until there is a control message, or until the mailbox is closed and has none. Cancel-safe.
    pub async fn wait_control(&self) -> Woken {
        self.wait_for(&self.0.control, |inner| {
            !inner.queues[Class::Control as usize].is_empty()
        })
        .await
    }

    async fn wait_for(&self, notify: &Notify, there: impl Fn(&Inner<T>) -> bool) -> Woken {
        loop {
            let notified = notify.notified();
            tokio::pin!(notified);
            // Listening starts before looking, so a push between the two is heard.
            notified.as_mut().enable();
            {
                let inner = self.lock();
                if there(&inner) {
                    return Woken::Message;
                }
                if inner.closed {
                    return Woken::Closed;
                }
            }
            notified.await;
        }
    }

    /// Drops what `keep` refuses and hands it back, the most urgent first: messages of a stale attempt, say.
    pub fn retain(&self, mut keep: impl FnMut(Class, &T) -> bool) -> Vec<T> {
        let mut inner = self.lock();
        let mut dropped = Vec::new();
        for class in Class::ALL {
            // Asked before anything moves, so that a panic in `keep` loses nothing.
            let queue = &mut inner.queues[class as usize];
            let kept: Vec<bool> = queue.iter().map(|message| keep(class, message)).collect();
            for keep in kept {
                let Some(message) = queue.pop_front() else {
                    break;
                };
                if keep {
                    queue.push_back(message);
                } else {
                    dropped.push(message);
                }
            }
            inner.waiting = inner.queues.iter().map(VecDeque::len).sum();
        }
        dropped
    }

    /// Accepts no more messages and wakes everyone. What waits can still be taken.
    pub fn close(&self) {
        self.lock().closed = true;
        self.0.any.notify_waiters();
        self.0.control.notify_waiters();
    }

    /// Closes the mailbox and hands back what was waiting, the most urgent first.
    pub fn close_and_drain(&self) -> Vec<T> {
        self.close();
        self.retain(|_, _| false)
    }

    /// Messages of `class` waiting now.
    pub fn depth(&self, class: Class) -> usize {
        self.lock().queues[class as usize].len()
    }

    /// Messages waiting now, all classes together.
    pub fn len(&self) -> usize {
        self.lock().waiting
    }

    /// True if nothing waits.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Depths, high-water mark and counts, read at one moment.
    pub fn stats(&self) -> MailboxStats {
        let inner = self.lock();
        MailboxStats {
            depth: std::array::from_fn(|class| inner.queues[class].len()),
            high_water: inner.high_water,
            accepted: inner.accepted,
            refused: inner.refused,
            closed: inner.closed,
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner<T>> {
        // A panic in a `keep` closure leaves whole messages behind, never half a queue entry.
        self.0.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T> Clone for Mailbox<T> {
    fn clone(&self) -> Self {
        Mailbox(Arc::clone(&self.0))
    }
}

impl<T> fmt::Debug for Mailbox<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Mailbox").field(&self.stats()).finish()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use Class::{Blocker, Chatter, Control, Handoff};

    #[test]
    fn the_most_urgent_class_comes_first_and_each_class_in_order_of_arrival() {
        for (case, pushed, taken) in [
            (
                "one class",
                vec![(Chatter, 1), (Chatter, 2), (Chatter, 3)],
                vec![1, 2, 3],
            ),
            (
                "urgent last",
                vec![(Chatter, 1), (Handoff, 2), (Blocker, 3), (Control, 4)],
                vec![4, 3, 2, 1],
            ),
            (
                "mixed",
                vec![
                    (Handoff, 1),
                    (Control, 2),
                    (Handoff, 3),
                    (Chatter, 4),
                    (Control, 5),
                    (Blocker, 6),
                ],
                vec![2, 5, 6, 1, 3, 4],
            ),
        ] {
            let mailbox = Mailbox::new(Limits::default());
            for (class, message) in pushed {
                mailbox.push(class, message).unwrap();
            }
            let order: Vec<_> = std::iter::from_fn(|| mailbox.take())
                .map(|(_, message)| message)
                .collect();
            assert_eq!(order, taken, "case: {case}");
        }
    }

    #[test]
    fn each_class_has_its_own_limit_and_a_refused_message_comes_back() {
        let mailbox = Mailbox::new(Limits::each(2).with(Chatter, 1));
        assert_eq!(mailbox.push(Chatter, "a"), Ok(()));
        assert_eq!(mailbox.push(Chatter, "b"), Err(Rejected::Full("b")));
        assert_eq!(
            mailbox.push(Control, "c"),
            Ok(()),
            "chatter does not keep control out"
        );
        assert_eq!(mailbox.push(Control, "d"), Ok(()));
        assert_eq!(mailbox.push(Control, "e"), Err(Rejected::Full("e")));
        mailbox.close();
        assert_eq!(mailbox.push(Handoff, "f"), Err(Rejected::Closed("f")));
        let stats = mailbox.stats();
        assert_eq!((stats.depth, stats.high_water), ([2, 0, 0, 1], 3));
        assert_eq!((stats.accepted, stats.refused, stats.closed), (3, 2, true));
        assert_eq!(
            mailbox.close_and_drain(),
            ["c", "d", "a"],
            "what was accepted is handed back"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn what_was_not_started_survives_the_actor_that_had_the_mailbox() {
        let slot = Mailbox::new(Limits::default());
        for message in 1..=4 {
            slot.push(Handoff, message).unwrap();
        }
        let mailbox = slot.clone();
        let first = tokio::spawn(async move {
            mailbox.wait().await;
            let (_, started) = mailbox.take().unwrap();
            panic!("died with message {started} in hand");
        });
        assert!(first.await.unwrap_err().is_panic());
        let stale = slot.retain(|_, message| *message != 3);
        assert_eq!(stale, [3]);
        let mailbox = slot.clone();
        let second = tokio::spawn(async move {
            mailbox.wait().await;
            std::iter::from_fn(|| mailbox.take())
                .map(|(_, message)| message)
                .collect::<Vec<_>>()
        });
        assert_eq!(second.await.unwrap(), [2, 4]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_busy_actor_sees_control_and_nothing_else() {
        let mailbox = Mailbox::new(Limits::default());
        let sender = mailbox.clone();
        tokio::spawn(async move {
            tokio::time::sleep(Duration::from_secs(1)).await;
            sender.push(Handoff, "work").unwrap();
            tokio::time::sleep(Duration::from_secs(1)).await;
            sender.push(Control, "cancel").unwrap();
        });
        let start = tokio::time::Instant::now();
        let seen = tokio::select! {
            biased;
            _ = mailbox.wait_control() => mailbox.take_control(),
            () = tokio::time::sleep(Duration::from_secs(3_600)) => None,
        };
        assert_eq!((seen, start.elapsed().as_secs()), (Some("cancel"), 2));
        assert_eq!(mailbox.take_control(), None);
        assert_eq!(mailbox.take(), Some((Handoff, "work")));
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
    async fn no_wake_is_lost_between_many_senders_and_takers() {
        const SENDERS: usize = 8;
        const EACH: usize = 2_000;
        let mailbox = Mailbox::new(Limits::each(SENDERS * EACH));
        let takers: Vec<_> = (0..4)
            .map(|_| {
                let mailbox = mailbox.clone();
                tokio::spawn(async move {
                    let mut taken = 0;
                    loop {
                        // A wait that is given up on half-way must not swallow a wake.
                        let gave_up = tokio::select! {
                            biased;
                            woken = mailbox.wait() => woken == Woken::Closed,
                            () = tokio::task::yield_now() => false,
                        };
                        if gave_up {
                            return taken;
                        }
                        mailbox.wait().await;
                        taken += usize::from(mailbox.take().is_some());
                    }
                })
            })
            .collect();
        let senders: Vec<_> = (0..SENDERS)
            .map(|sender| {
                let mailbox = mailbox.clone();
                tokio::spawn(async move {
                    for n in 0..EACH {
                        mailbox.push(Class::ALL[(sender + n) % 4], n).unwrap();
                        tokio::task::yield_now().await;
                    }
                })
            })
            .collect();
        for sender in senders {
            sender.await.unwrap();
        }
        mailbox.close();
        let mut taken = 0;
        for taker in takers {
            taken += tokio::time::timeout(Duration::from_secs(30), taker)
                .await
                .expect("a wake was lost")
                .unwrap();
        }
        assert_eq!(taken, SENDERS * EACH);
    }
}
