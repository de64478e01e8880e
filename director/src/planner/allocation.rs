//! How much of the committed work each agent has.
//!
//! Utilization is measured against what the sprint gives: the capacity where one is written, else the working time
//! until the end, else the length of the schedule.

use director_protocols::sprint::SprintSpec;

use super::calendar::Calendar;
use super::schedule::{Resources, Schedule};

/// One agent's share of the work.
#[derive(Clone, Debug, PartialEq)]
pub struct Allocation {
    /// The role, by its place in the team.
    pub role: u32,
    /// Which agent of the role, from 1.
    pub instance: u32,
    /// Its committed tasks in the order in which it does them.
    pub tasks: Vec<u32>,
    /// Their effort in milliseconds.
    pub allocated: u64,
    /// Its capacity in milliseconds, where the sprint writes one.
    pub capacity: Option<u64>,
    /// What `utilization` is a share of, in milliseconds.
    pub available: u64,
    /// Allocated by available, 0 to 1.
    pub utilization: f64,
}

/// The share of every agent, as the team lists them; those without work included.
pub fn allocation(
    spec: &SprintSpec,
    resources: &Resources,
    schedule: &Schedule,
    calendar: &Calendar,
) -> Vec<Allocation> {
    let mut shares = Vec::new();
    let mut first_of = Vec::with_capacity(spec.team.len());
    for (role, member) in (0..).zip(&spec.team) {
        first_of.push(shares.len());
        for instance in 1..=member.count {
            let capacity = member.capacity.map(|span| span.0);
            shares.push(Allocation {
                role,
                instance,
                tasks: Vec::new(),
                allocated: 0,
                capacity,
                available: capacity.or(calendar.limit()).unwrap_or(schedule.makespan),
                utilization: 0.0,
            });
        }
    }
    for (task, slot) in (0_u32..).zip(&schedule.slots) {
        if let Ok(slot) = slot {
            let role = resources.role_of[task as usize] as usize;
            let share = &mut shares[first_of[role] + slot.instance as usize - 1];
            share.tasks.push(task);
            share.allocated = share.allocated.saturating_add(slot.finish - slot.start);
        }
    }
    for share in &mut shares {
        let start = |&task: &u32| schedule.slot(task).map(|slot| (slot.start, slot.finish));
        share.tasks.sort_by_key(start);
        if share.available > 0 {
            share.utilization = share.allocated as f64 / share.available as f64;
        }
    }
    shares
}

#[cfg(test)]
mod tests {
    use super::super::{examples, plan};
    use super::*;
    use director_protocols::time::Span;

    #[test]
    fn utilization_is_against_capacity_then_the_end_then_the_schedule() {
        let mut spec = examples::checkout();
        let share = |spec: &SprintSpec| {
            let plan = plan(spec).unwrap();
            let found = plan.allocation.iter().find(|share| !share.tasks.is_empty());
            let first = found.unwrap();
            (first.allocated, first.available, plan.schedule.makespan)
        };
        spec.team[0].capacity = Some(Span::hours(40));
        assert_eq!(share(&spec).1, Span::hours(40).0);
        spec.team[0].capacity = None;
        assert_eq!(share(&spec).1, Span::hours(80).0, "ten days of eight hours");
        spec.end = None;
        let (_, available, makespan) = share(&spec);
        assert_eq!(available, makespan);
    }
}
