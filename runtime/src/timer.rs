//! Timers that live no longer than their owner.
//!
//! An actor keeps a [`Timers`] in its state. Setting a key again replaces its timer; dropping the value ends
//! them all. Each timer has a rising generation, because a timer that has fired may already wait as a message in
//! the owner's queue when its key is set again or cancelled: the owner asks [`Timers::fired`] and drops a stale one.
//!
//! Invariant: after the owner is dropped no timer runs its closure.
//! Elsewhere: what the time is comes from `clock`.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use tokio::task::AbortHandle;

/// Timers of one owner, at most one for each key. Must be used inside a tokio runtime.
pub struct Timers<K: Ord> {
    set: BTreeMap<K, (u64, AbortHandle)>,
    generation: u64,
}

impl<K: Ord> Timers<K> {
    /// No timers yet.
    pub fn new() -> Self {
        Timers {
            set: BTreeMap::new(),
            generation: 0,
        }
    }

    /// Runs `then` with the timer's generation once `delay` is over, and returns that generation.
    ///
    /// A timer already set for `key` is ended first. `then` should only send a message: it runs on a task of its own.
    pub fn set(&mut self, key: K, delay: Duration, then: impl FnOnce(u64) + Send + 'static) -> u64 {
        self.generation += 1;
        let generation = self.generation;
        // The deadline counts from here, not from the first time the task is polled.
        let sleep = tokio::time::sleep(delay);
        let task = tokio::spawn(async move {
            sleep.await;
            then(generation);
        });
        if let Some((_, old)) = self.set.insert(key, (generation, task.abort_handle())) {
            old.abort();
        }
        generation
    }

    /// Ends the timer of `key`. False if none was set.
    pub fn cancel(&mut self, key: &K) -> bool {
        self.set.remove(key).map(|(_, task)| task.abort()).is_some()
    }

    /// Ends every timer.
    pub fn cancel_all(&mut self) {
        for (_, task) in std::mem::take(&mut self.set).into_values() {
            task.abort();
        }
    }

    /// Accepts the news that a timer fired: true if it is still the current one of `key`, which is then forgotten.
    pub fn fired(&mut self, key: &K, generation: u64) -> bool {
        let current = self
            .set
            .get(key)
            .is_some_and(|(newest, _)| *newest == generation);
        if current {
            self.set.remove(key);
        }
        current
    }

    /// How many timers are set and not yet accepted by [`Timers::fired`].
    pub fn len(&self) -> usize {
        self.set.len()
    }

    /// True if no timer is set.
    pub fn is_empty(&self) -> bool {
        self.set.is_empty()
    }
}

impl<K: Ord> Default for Timers<K> {
    fn default() -> Self {
        Timers::new()
    }
}

impl<K: Ord> Drop for Timers<K> {
    fn drop(&mut self) {
        self.cancel_all();
    }
}

impl<K: Ord + fmt::Debug> fmt::Debug for Timers<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.set.keys()).finish()
    }
}

#[cfg(test)]
mod tests {
    use tokio::sync::mpsc;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn timers_fire_in_the_order_of_their_deadlines() {
        let (sender, mut fired) = mpsc::unbounded_channel();
        let mut timers = Timers::new();
        for (name, seconds) in [("third", 30), ("first", 10), ("second", 20)] {
            let sender = sender.clone();
            timers.set(name, Duration::from_secs(seconds), move |_| {
                sender.send(name).unwrap()
            });
        }
        drop(sender);
        let mut order = Vec::new();
        while let Some(name) = fired.recv().await {
            order.push(name);
        }
        assert_eq!(order, ["first", "second", "third"]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_timer_set_again_or_cancelled_is_recognised_even_when_it_has_fired_already() {
        let (sender, mut fired) = mpsc::unbounded_channel();
        let mut timers = Timers::new();
        let send = move |generation| sender.send(generation).unwrap();
        timers.set("deadline", Duration::from_secs(1), send.clone());
        let old = fired.recv().await.unwrap();
        timers.set("deadline", Duration::from_secs(1), send);
        assert!(!timers.fired(&"deadline", old), "its key was set again");
        let new = fired.recv().await.unwrap();
        assert!(timers.fired(&"deadline", new));
        assert!(!timers.fired(&"deadline", new), "accepted once");
        assert!(timers.is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn ten_thousand_timers_end_with_their_owner() {
        let (sender, mut fired) = mpsc::unbounded_channel::<u64>();
        let mut timers = Timers::new();
        for key in 0..10_000 {
            let sender = sender.clone();
            timers.set(key, Duration::from_secs(8 * 3_600), move |generation| {
                let _ = sender.send(generation);
            });
        }
        drop((timers, sender));
        assert_eq!(
            fired.recv().await,
            None,
            "every closure was dropped, none ran"
        );
    }
}
