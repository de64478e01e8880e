//! The event bus: everybody who listens hears everything, or hears how much was missed.
//!
//! The bus keeps the newest events in one ring; a subscriber is only a position in it. So a slow subscriber
//! costs no memory and holds nobody up: when the ring has overtaken it, it gets [`Heard::Gap`] with the exact
//! number missed, and goes on with the oldest event still there.
//!
//! Invariant: for every subscriber, events heard plus events counted in gaps = events published since it subscribed.
//! Elsewhere: the journal is the lasting record; whoever sees a gap can read it from there.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

/// What a subscriber gets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Heard<T> {
    /// The next event.
    Event(T),
    /// This many events were published and dropped before this subscriber took them.
    Gap {
        /// Events missed, at least one.
        missed: u64,
    },
}

/// Publishes events to any number of subscribers. Clones are handles to the same bus.
pub struct Bus<T>(Arc<Shared<T>>);

struct Shared<T> {
    ring: Mutex<Ring<T>>,
    capacity: usize,
    news: Notify,
}

struct Ring<T> {
    events: VecDeque<T>,
    /// Position the next event will have; the oldest in the ring has `next - events.len()`.
    next: u64,
    closed: bool,
}

impl<T> Ring<T> {
    fn oldest(&self) -> u64 {
        self.next - self.events.len() as u64
    }
}

impl<T: Clone> Bus<T> {
    /// A bus that keeps the newest `capacity` events, at least one.
    pub fn new(capacity: usize) -> Self {
        let capacity = capacity.max(1);
        let ring = Ring {
            events: VecDeque::new(),
            next: 0,
            closed: false,
        };
        Bus(Arc::new(Shared {
            ring: Mutex::new(ring),
            capacity,
            news: Notify::new(),
        }))
    }

    /// Publishes an event and returns its position, counted from 0. Never waits.
    ///
    /// After [`Bus::close`] the event is dropped and nothing is returned.
    pub fn publish(&self, event: T) -> Option<u64> {
        let position = {
            let mut ring = self.lock();
            if ring.closed {
                return None;
            }
            if ring.events.len() == self.0.capacity {
                ring.events.pop_front();
            }
            ring.events.push_back(event);
            ring.next += 1;
            ring.next - 1
        };
        self.0.news.notify_waiters();
        Some(position)
    }

    /// A subscriber that hears what is published from now on.
    pub fn subscribe(&self) -> Subscriber<T> {
        let cursor = self.lock().next;
        Subscriber {
            bus: self.clone(),
            cursor,
        }
    }

    /// A subscriber that goes on at `position`. If that is older than the ring, it begins with a gap; a
    /// position not yet reached counts as the next one.
    pub fn subscribe_from(&self, position: u64) -> Subscriber<T> {
        let cursor = position.min(self.lock().next);
        Subscriber {
            bus: self.clone(),
            cursor,
        }
    }

    /// Position the next event will have.
    pub fn next_position(&self) -> u64 {
        self.lock().next
    }

    /// Ends the bus. Subscribers hear what is left and then the end.
    pub fn close(&self) {
        self.lock().closed = true;
        self.0.news.notify_waiters();
    }

    fn lock(&self) -> MutexGuard<'_, Ring<T>> {
        // A panicking `Clone` of an event leaves the ring whole.
        self.0.ring.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T> Clone for Bus<T> {
    fn clone(&self) -> Self {
        Bus(Arc::clone(&self.0))
    }
}

impl<T: Clone> fmt::Debug for Bus<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ring = self.lock();
        f.debug_struct("Bus")
            .field("oldest", &ring.oldest())
            .field("next", &ring.next)
            .finish()
    }
}

/// One listener's position on a [`Bus`].
#[derive(Clone, Debug)]
pub struct Subscriber<T: Clone> {
    bus: Bus<T>,
    cursor: u64,
}

impl<T: Clone> Subscriber<T> {
    /// The next event or gap; `None` once the bus is closed and everything was heard.
    ///
    /// Cancel-safe: nothing is taken unless it is returned.
    pub async fn recv(&mut self) -> Option<Heard<T>> {
        let shared = Arc::clone(&self.bus.0);
        loop {
            let news = shared.news.notified();
            tokio::pin!(news);
            // Listening starts before looking, so an event between the two is heard.
            news.as_mut().enable();
            if let Some(heard) = self.try_recv() {
                return Some(heard);
            }
            if self.bus.lock().closed {
                // An event published just before the close is still to be heard.
                return self.try_recv();
            }
            news.await;
        }
    }

    /// The next event or gap if there is one now.
    pub fn try_recv(&mut self) -> Option<Heard<T>> {
        let ring = self.bus.lock();
        let oldest = ring.oldest();
        if self.cursor < oldest {
            let missed = oldest - self.cursor;
            self.cursor = oldest;
            return Some(Heard::Gap { missed });
        }
        let place = usize::try_from(self.cursor - oldest).ok()?;
        let event = ring.events.get(place)?.clone();
        self.cursor += 1;
        Some(Heard::Event(event))
    }

    /// Position of the event it would hear next, if none is missed.
    pub fn position(&self) -> u64 {
        self.cursor
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Heard::{Event, Gap};

    fn hear_all(subscriber: &mut Subscriber<u64>) -> Vec<Heard<u64>> {
        std::iter::from_fn(|| subscriber.try_recv()).collect()
    }

    #[test]
    fn a_slow_subscriber_sees_exactly_how_much_it_missed() {
        for (case, capacity, published, expected) in [
            ("nothing", 3, 0, vec![]),
            ("just fits", 3, 3, vec![Event(0), Event(1), Event(2)]),
            (
                "one too many",
                3,
                4,
                vec![Gap { missed: 1 }, Event(1), Event(2), Event(3)],
            ),
            (
                "a burst",
                2,
                1_000,
                vec![Gap { missed: 998 }, Event(998), Event(999)],
            ),
            ("capacity 0 is 1", 0, 2, vec![Gap { missed: 1 }, Event(1)]),
        ] {
            let bus = Bus::new(capacity);
            let mut slow = bus.subscribe();
            for event in 0..published {
                assert_eq!(bus.publish(event), Some(event));
            }
            assert_eq!(hear_all(&mut slow), expected, "case: {case}");
        }
    }

    #[test]
    fn a_fast_subscriber_is_not_touched_by_a_slow_one() {
        let bus = Bus::new(2);
        let (mut fast, mut slow) = (bus.subscribe(), bus.subscribe());
        for event in 0..5 {
            bus.publish(event);
            assert_eq!(fast.try_recv(), Some(Event(event)));
        }
        assert_eq!(hear_all(&mut slow), [Gap { missed: 3 }, Event(3), Event(4)]);
        assert_eq!(
            hear_all(&mut bus.subscribe_from(1)),
            [Gap { missed: 2 }, Event(3), Event(4)]
        );
        assert_eq!(hear_all(&mut bus.subscribe_from(4)), [Event(4)]);
        assert_eq!(hear_all(&mut bus.subscribe_from(99)), []);
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
    async fn heard_plus_missed_is_published_for_every_subscriber() {
        const EVENTS: u64 = 20_000;
        let bus = Bus::new(16);
        let listeners: Vec<_> = (0..6)
            .map(|_| {
                let mut subscriber = bus.subscribe();
                tokio::spawn(async move {
                    let mut counted = 0;
                    while let Some(heard) = subscriber.recv().await {
                        counted += match heard {
                            Event(event) => {
                                assert_eq!(event, counted, "in order");
                                1
                            }
                            Gap { missed } => missed,
                        };
                    }
                    counted
                })
            })
            .collect();
        for event in 0..EVENTS {
            bus.publish(event);
            if event % 7 == 0 {
                tokio::task::yield_now().await;
            }
        }
        bus.close();
        assert_eq!(bus.publish(0), None);
        for listener in listeners {
            let counted = tokio::time::timeout(std::time::Duration::from_secs(30), listener).await;
            assert_eq!(counted.expect("a wake was lost").unwrap(), EVENTS);
        }
    }
}
