//! What attempts spend: drawn when they begin, told when it is more than they might and at their end.
//!
//! Elsewhere: what work costs is [`super::super::price`]; whether somebody raises what is used up is [`World::holding`]'s.

use director_protocols::event::{AttemptEnded, AttemptOverspent, Purse};
use director_protocols::ids::TaskId;
use director_protocols::work::AttemptEnd;

use super::super::crew::Key;
use super::super::inputs::Fate;
use super::super::prepare::Prepared;
use super::super::price::Price;
use super::World;
use crate::engine::budgets::COST_MAX;

/// What an attempt in hand comes to spend.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Going {
    /// What it had spent when it was drawn, and what it has at its end.
    cost: (u64, u64),
    /// How much work it does until then, in milliseconds.
    work: u64,
    /// How much was left of the task.
    left: u64,
    /// What it had spent when it was called off for that.
    over: Option<u64>,
}

impl<'a> World<'a> {
    /// A world in which nobody raises a budget that is used up: what it is then left with stays undone.
    pub fn holding(set: &'a Prepared) -> Self {
        Self {
            holds: true,
            ..Self::new(set)
        }
    }

    /// What it is a world for.
    pub fn prepared(&self) -> &'a Prepared {
        self.set
    }
}

impl World<'_> {
    /// What the sprint has cost so far, in millionths of a dollar.
    pub fn cost(&self) -> u64 {
        let sprint_id = self.set.sprint;
        let spent = self
            .engine
            .state()
            .used(Purse::Sprint { sprint_id }, self.now);
        spent.0
    }

    /// When an attempt says what it has spent. Of its work so much was done before, and so much is still to be done until `took`.
    pub(super) fn spends(
        &mut self,
        (task, attempt): Key,
        (passed, ahead): (u64, u64),
        took: u64,
        fate: Fate,
    ) -> [Option<(u64, u64)>; 2] {
        if !self.set.costs {
            return [None; 2];
        }
        let price = self.price(task);
        let row = self.engine.state().budgets.reserved.get(&task);
        let row = row.filter(|row| row.attempt == attempt);
        let (said, most) = row.map_or((0, None), |row| (row.spent, row.most));
        // One that has said nothing so far has spent something all the same.
        let before = said.max(price.times(passed));
        let work = ahead.min(took.max(1));
        let cost = before.saturating_add(price.times(work)).min(COST_MAX);
        if self.going.len() <= task.index() {
            self.going.resize(task.index() + 1, Going::default());
        }
        self.going[task.index()] = Going {
            cost: (before, cost),
            work,
            left: self.left[task.index()],
            over: None,
        };
        let end = match fate {
            // A death comes before everything else of its moment, and so may the end of its time.
            Fate::Crash | Fate::OutOfTime => took.max(1) - 1,
            _ => took.max(1),
        };
        let beyond = most.filter(|most| cost > *most).and_then(|most| {
            let told = before.max(most + 1);
            let at = price.work_for(told - before)?.min(work);
            let at = match self.set.task(task).limited {
                true => self.stretched(at),
                false => at,
            };
            (at < end).then_some((at, told))
        });
        [beyond, (cost > said).then_some((end, cost))]
    }

    fn price(&self, task: TaskId) -> Price {
        match self.set.tasks.get(task.index()) {
            Some(model) => model.price,
            // Help that is asked for meanwhile costs what such work did before the runs.
            None => {
                let row = &self.engine.state().tasks.table[task.index()];
                let mean = row.spec.estimate.mean().0;
                Price::of(self.set.engine.state(), row, mean, &self.set.faults)
            }
        }
    }

    /// An attempt is called off because it has spent too much. Where that is its own limit it has failed, and all of it is done again.
    pub(super) fn too_much(&mut self, e: &AttemptOverspent) {
        if let (Some(going), Some(_)) = (self.going.get_mut(e.task_id.index()), e.purse) {
            going.over = Some(e.cost_micros);
        }
    }

    /// An attempt is over; one that was called off for a budget goes on where it stopped.
    pub(super) fn stopped(&mut self, e: &AttemptEnded) {
        let Some(going) = self.going.get_mut(e.task_id.index()) else {
            return;
        };
        let over = going.over.take();
        if let (Some(spent), AttemptEnd::Cancelled) = (over, &e.end) {
            let (before, cost) = going.cost;
            let part = u128::from(spent.saturating_sub(before)) * u128::from(going.work);
            let done = part / u128::from((cost - before).max(1));
            let done = u64::try_from(done).unwrap_or(u64::MAX).min(going.work);
            self.left[e.task_id.index()] = going.left.saturating_sub(done).max(1);
        }
    }
}
