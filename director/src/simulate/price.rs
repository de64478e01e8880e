//! What attempts cost in a forecast: as much as the engine expects of them, with the spread of how long they take.
//!
//! An attempt that takes the mean of what its task may take costs what the engine sets aside for it (what the file says, or what attempts like it
//! have cost); one that takes twice as long costs twice as much, and one that fails half-way half of it. Where the engine knows nothing,
//! an hour of work costs what the profile says, which is what hours have cost in the journal if it says anything. A limit on what an attempt may
//! cost is no price: without any of these, nothing is said of money.
//!
//! Elsewhere: what the engine expects is [`crate::engine::budgets`]; what is spent in a run is `world`; what runs come to is `money`.

use super::faults::Faults;
use super::prepare::TaskModel;
use crate::engine::budgets::COST_MAX;
use crate::engine::state::State;
use crate::engine::tasks::Task;

/// What work on a task costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Price {
    /// In millionths of a dollar, for
    cost: u64,
    /// so many milliseconds of work.
    work: u64,
}

impl Price {
    /// It costs nothing, or nothing is known of it.
    pub const NONE: Price = Price { cost: 0, work: 1 };

    /// That of a task which takes `mean` milliseconds on average.
    pub fn of(state: &State, row: &Task, mean: u64, faults: &Faults) -> Self {
        let role = &state.team.roles[row.role.index()];
        let agent = role.active().find(|agent| !state.is_person(*agent));
        let Some(agent) = agent else {
            return Self::NONE;
        };
        match state.known_cost(row, agent) {
            Some(cost) => Self {
                cost: cost.min(COST_MAX),
                work: mean.max(1),
            },
            None => Self {
                cost: faults.cost_per_hour_micros.min(COST_MAX),
                work: 3_600_000,
            },
        }
    }

    /// What so much work costs.
    pub fn times(self, work: u64) -> u64 {
        let cost = u128::from(self.cost) * u128::from(work) / u128::from(self.work);
        u64::try_from(cost).unwrap_or(u64::MAX).min(COST_MAX)
    }

    /// How much work it takes to spend so much, rounded up; none where it costs nothing.
    pub fn work_for(self, cost: u64) -> Option<u64> {
        let work = u128::from(cost) * u128::from(self.work);
        let work = work.div_ceil(u128::from((self.cost > 0).then_some(self.cost)?));
        u64::try_from(work).ok()
    }
}

/// Whether anything is known of what attempts cost.
pub(super) fn is_known(tasks: &[TaskModel]) -> bool {
    tasks.iter().any(|task| task.price.cost > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_costs_its_share_and_what_costs_nothing_is_never_spent() {
        let price = Price {
            cost: 2_000_000,
            work: 3_600_000,
        };
        assert_eq!(price.times(3_600_000), 2_000_000);
        assert_eq!(price.times(900_000), 500_000);
        assert_eq!(price.times(u64::MAX), COST_MAX);
        assert_eq!(price.work_for(500_000), Some(900_000));
        assert_eq!(price.work_for(1), Some(2));
        assert_eq!((Price::NONE.times(9), Price::NONE.work_for(1)), (0, None));
    }
}
