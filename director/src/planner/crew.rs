//! The agents of one role while a schedule is made.
//!
//! Where capacity is not limited, agents of a role are alike: tasks are placed by how many agents are busy, and who
//! does what is decided at the end, in one sweep over time. That is always possible, because never more tasks
//! go on at once than there are agents, and it costs the same for one agent as for a thousand.
//! Where each agent has a capacity, they differ by what they have left, so each has a timeline of its own.
//!
//! Invariant: an agent has at most one task at a time, and never more effort than its capacity.

use std::cmp::Reverse;
use std::collections::{BTreeSet, BinaryHeap};

use super::schedule::{Refusal, Slot};
use super::timeline::Timeline;

/// The agents of a role.
#[derive(Debug)]
pub(super) enum Crew {
    /// Agents that are alike.
    Alike { count: u32, timeline: Timeline },
    /// Agents with a capacity each.
    Each(Vec<Agent>),
}

/// One agent with a capacity.
#[derive(Clone, Debug)]
pub(super) struct Agent {
    timeline: Timeline,
    /// Capacity left, in milliseconds.
    left: u64,
}

impl Crew {
    pub(super) fn of(count: u32, capacity: Option<u64>) -> Self {
        match capacity {
            None => Crew::Alike {
                count,
                timeline: Timeline::of(count),
            },
            Some(left) => {
                let timeline = Timeline::of(1);
                Crew::Each(vec![Agent { timeline, left }; count as usize])
            }
        }
    }

    /// Where a task of `length` can start earliest, not before `ready`, with its worktree free as well. The
    /// instance is 0 where it is decided later; among several agents it is the one with the most capacity left.
    pub(super) fn earliest(
        &self,
        worktree: &Timeline,
        ready: u64,
        length: u64,
    ) -> Result<Slot, Refusal> {
        let slot = |instance, start: u64| Slot {
            instance,
            start,
            finish: start.saturating_add(length),
        };
        match self {
            Crew::Alike { count: 0, .. } => Err(Refusal::NoAgent),
            Crew::Alike { timeline, .. } => {
                Ok(slot(0, both_free(timeline, worktree, ready, length)))
            }
            Crew::Each(agents) if agents.is_empty() => Err(Refusal::NoAgent),
            Crew::Each(agents) => {
                let able = (1..).zip(agents).filter(|(_, agent)| agent.left >= length);
                able.map(|(instance, agent)| {
                    let start = both_free(&agent.timeline, worktree, ready, length);
                    (start, Reverse(agent.left), instance)
                })
                .min()
                .map(|(start, _, instance)| slot(instance, start))
                .ok_or_else(|| Refusal::Capacity {
                    left: agents.iter().map(|agent| agent.left).max().unwrap_or(0),
                })
            }
        }
    }

    /// Takes a slot that [`Crew::earliest`] found.
    pub(super) fn take(&mut self, slot: Slot) {
        let length = slot.finish - slot.start;
        match self {
            Crew::Alike { timeline, .. } => timeline.take(slot.start, length),
            Crew::Each(agents) => {
                if let Some(agent) = agents.get_mut(slot.instance as usize - 1) {
                    agent.timeline.take(slot.start, length);
                    agent.left = agent.left.saturating_sub(length);
                }
            }
        }
    }

    /// Decides who does what among agents that are alike: of those free, the one with the least work so far.
    /// `slots` are all of the role, by start.
    pub(super) fn name_agents<'a>(&self, slots: impl Iterator<Item = &'a mut Slot>) {
        let Crew::Alike { count, .. } = *self else {
            return;
        };
        let mut free: BTreeSet<(u64, u32)> = (1..=count).map(|instance| (0, instance)).collect();
        let mut working: BinaryHeap<Reverse<(u64, u64, u32)>> = BinaryHeap::new();
        for slot in slots {
            while let Some(&Reverse((finish, load, instance))) = working.peek()
                && finish <= slot.start
            {
                working.pop();
                free.insert((load, instance));
            }
            let length = slot.finish - slot.start;
            match free.pop_first() {
                Some((load, instance)) => {
                    slot.instance = instance;
                    working.push(Reverse((
                        slot.finish,
                        load.saturating_add(length),
                        instance,
                    )));
                }
                // Only what takes no time can find everyone busy.
                None => slot.instance = 1,
            }
        }
    }
}

/// The earliest time at which both are free for `length`.
fn both_free(agents: &Timeline, worktree: &Timeline, ready: u64, length: u64) -> u64 {
    let mut start = ready;
    loop {
        let free = agents.fit(start, length);
        start = worktree.fit(free, length);
        if start == free {
            return start;
        }
    }
}
