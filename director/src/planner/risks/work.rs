//! Risks of the work itself: how well it is known, what waits for it, and in which order it ends.

use std::cmp::Reverse;

use director_protocols::risk::{Fallback, Trigger};

use super::{Look, NAMED_MAX, Risk};
use crate::planner::commit::{hours, plural};

/// The fewest direct dependents that are many.
const WAITING_MIN: usize = 3;

impl Look<'_> {
    /// Estimates whose best and worst case are further apart than the expected effort is long.
    pub(super) fn wide_estimates(&self) -> Vec<Risk> {
        let spread = |task: u32| {
            let estimate = &self.task(task).estimate;
            estimate.pessimistic.0.saturating_sub(estimate.optimistic.0)
        };
        let mut tasks: Vec<u32> = self.plan.commitment.committed.clone();
        tasks.retain(|&task| spread(task) > self.plan.durations[task as usize]);
        tasks.sort_by_key(|&task| {
            let critical = self.plan.is_critical(task);
            (!critical, Reverse(spread(task)), task)
        });
        let Some(&widest) = tasks.first() else {
            return Vec::new();
        };
        let estimate = &self.task(widest).estimate;
        let place = match self.plan.is_critical(widest) {
            true => "on the critical path",
            false => "off the critical path",
        };
        let mut on = self.on_path(&[widest], Trigger::Overrun);
        on.extend(self.on_path(&[widest], Trigger::Rework));
        vec![Risk {
            watch: (!on.is_empty()).then_some((on, Fallback::Decide)),
            risk: format!(
                "estimates with a wide spread: {}; `{}`, {place}, takes {} to {}",
                self.names(&tasks),
                self.task(widest).id,
                hours(estimate.optimistic.0),
                hours(estimate.pessimistic.0)
            ),
            trigger: format!(
                "`{}` takes longer than its worst case, or its work is sent back twice",
                self.task(widest).id
            ),
            mitigation: "find out first what is uncertain, or split these tasks there".to_owned(),
            fallback: format!(
                "{} more would be needed for `{}`: cut its scope to the acceptance criteria, or replan",
                hours(
                    estimate
                        .pessimistic
                        .0
                        .saturating_sub(self.plan.durations[widest as usize])
                ),
                self.task(widest).id
            ),
            tasks,
        }]
    }

    /// A task that holds up many others.
    pub(super) fn many_waiting(&self) -> Vec<Risk> {
        let many = WAITING_MIN.max(self.plan.graph.len().isqrt());
        let waiting = |task: u32| {
            let successors = self.plan.graph.successors(task).iter();
            successors
                .filter(|&&next| self.plan.schedule.slot(next).is_some())
                .count()
        };
        let mut tasks: Vec<(usize, u32)> = (0..self.plan.graph.len() as u32)
            .map(|task| (waiting(task), task))
            .filter(|&(count, _)| count >= many)
            .collect();
        tasks.sort_by_key(|&(count, task)| (Reverse(count), task));
        tasks.truncate(NAMED_MAX);
        tasks
            .into_iter()
            .map(|(count, task)| {
                let id = &self.task(task).id;
                let slack = self.plan.critical.total_slack[task as usize];
                let mut on = self.on_path(&[task], Trigger::Failed);
                on.extend(self.on_path(&[task], Trigger::Overrun));
                Risk {
                    watch: (!on.is_empty()).then_some((on, Fallback::Decide)),
                    risk: format!("{count} tasks wait for `{id}`"),
                    trigger: match slack {
                        0 => format!("`{id}` fails or is late at all: it has no slack"),
                        _ => format!("`{id}` fails or is more than {} late", hours(slack)),
                    },
                    mitigation: format!(
                        "start `{id}` first, and agree early on what the others need from it"
                    ),
                    fallback: format!(
                        "let those that need only a part of `{id}` start from a draft of it"
                    ),
                    tasks: vec![task],
                }
            })
            .collect()
    }

    /// When everything else is done, reviews are all that is left.
    pub(super) fn reviews_at_the_end(&self) -> Vec<Risk> {
        let mut last_other = 0;
        let mut reviews = Vec::new();
        for &task in &self.plan.commitment.committed {
            let Some(slot) = self.plan.schedule.slot(task) else {
                continue;
            };
            // What only follows a review, such as release notes, would hide the queue before it.
            if self.task(task).kind == "review" {
                reviews.push((slot.start, slot.finish, task));
            } else if !self.follows_a_review(task) {
                last_other = slot.finish.max(last_other);
            }
        }
        reviews.retain(|&(_, finish, _)| finish > last_other);
        reviews.sort_unstable();
        if reviews.len() < 2 {
            return Vec::new();
        }
        let finish = reviews
            .iter()
            .map(|&(_, finish, _)| finish)
            .max()
            .unwrap_or(0);
        let tasks: Vec<u32> = reviews.iter().map(|&(_, _, task)| task).collect();
        let length = finish.saturating_sub(last_other);
        let mut on = self.on_path(&tasks, Trigger::Overrun);
        on.extend(self.on_path(&tasks, Trigger::Failed));
        vec![Risk {
            watch: (!on.is_empty()).then_some((on, Fallback::Cut)),
            risk: format!(
                "{} come after all other work is done and take the last {}",
                plural(tasks.len() as u64, "review"),
                hours(length)
            ),
            trigger: format!(
                "one of {} asks for changes, takes longer than its worst case or is given up",
                self.names(&tasks)
            ),
            mitigation:
                "let each review start when the part that it is about is done, or add a reviewer"
                    .to_owned(),
            fallback: "deliver what is reviewed, and carry the rest over".to_owned(),
            tasks,
        }]
    }

    fn follows_a_review(&self, task: u32) -> bool {
        let before = self.plan.graph.predecessors(task);
        before
            .iter()
            .any(|&before| self.task(before).kind == "review")
    }
}
