//! Many runs of a plan at once: the same runs and the same answer with any number of threads.
//!
//! Elsewhere: what a run is and what they add up to is [`crate::planner::outlook`].

use std::thread;

use crate::estimate::Durations;
use crate::planner::outlook::Outlook;
use crate::planner::policy::Policy;

/// Makes runs `0..runs` of a seed, shared evenly among so many threads; 0 threads count as one.
pub fn outlook(
    policy: &Policy,
    durations: &Durations,
    seed: u64,
    runs: u64,
    threads: u64,
) -> Outlook {
    let threads = threads.max(1);
    let first = |part: u64| (u128::from(runs) * u128::from(part) / u128::from(threads)) as u64;
    thread::scope(|scope| {
        let parts: Vec<_> = (0..threads)
            .map(|part| {
                let range = first(part)..first(part + 1);
                scope.spawn(move || Outlook::of(policy, durations, seed, range))
            })
            .collect();
        let parts = parts.into_iter().map(|part| match part.join() {
            Ok(part) => part,
            Err(panic) => std::panic::resume_unwind(panic),
        });
        parts.reduce(Outlook::and).unwrap_or_default()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::estimate::Model;
    use crate::estimate::habits::Habits;
    use crate::planner::{self, examples};

    #[test]
    fn any_number_of_threads_has_the_same_outlook() {
        let spec = examples::checkout();
        let plan = planner::plan(&spec).unwrap();
        let policy = Policy::new(&plan.graph, &plan.resources, true, &plan.order);
        let estimates = spec.tasks.iter().map(|task| &task.estimate);
        let durations = Durations::of(Model::Pert, &Habits::published(), estimates);
        let one = outlook(&policy, &durations, 5, 1001, 1);
        assert_eq!(one.runs(), 1001);
        assert!(one.quantile(500) < one.quantile(850) && one.quantile(850) < one.quantile(950));
        for threads in [0, 2, 3, 2000] {
            assert_eq!(
                outlook(&policy, &durations, 5, 1001, threads),
                one,
                "{threads}"
            );
        }
        let other = outlook(&policy, &durations, 6, 1001, 1);
        assert_ne!(other, one, "another seed is another future");
    }
}
