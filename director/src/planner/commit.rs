//! What the sprint promises: the tasks that fit, and for each of the others the reason in words.
//!
//! Capacity and the sprint's end limit only where the sprint writes them. Tasks are judged in the order in which
//! they are handed out, so what is urgent is promised first; a task that waits for one in the backlog is there too.
//!
//! Invariant: every task is either committed or in the backlog, and all that a committed task waits for is committed.
//! Elsewhere: the judging itself happens while [`super::schedule`] places the tasks.

use director_protocols::sprint::SprintSpec;
use director_protocols::time::Span;

use super::calendar::Calendar;
use super::schedule::{Limits, Refusal, Schedule};

/// What is promised and what is not, in the order in which work is handed out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Commitment {
    /// Tasks that fit.
    pub committed: Vec<u32>,
    /// Tasks that do not.
    pub backlog: Vec<Deferred>,
}

/// A task that is not promised.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deferred {
    /// The task.
    pub task: u32,
    /// Why, in a sentence.
    pub reason: String,
}

/// The limits that a sprint writes.
///
/// A class of work may have its share of what the team can do: the capacity of each agent, or the time until the end where that is
/// shorter. Where neither is written for somebody the team's time is not known, and no class is limited.
pub fn limits(spec: &SprintSpec, calendar: &Calendar) -> Limits {
    let mut limits = Limits {
        capacity: spec
            .team
            .iter()
            .map(|role| role.capacity.map(|span| span.0))
            .collect(),
        end: calendar.limit(),
        ..Limits::default()
    };
    if let Some(whole) = whole(spec, calendar) {
        limits.class_of = spec.tasks.iter().map(|task| task.class as u8).collect();
        limits.class = spec.policy.shares.map(|share| {
            let most = u128::from(whole) * u128::from(share?) / 1000;
            u64::try_from(most).ok()
        });
    }
    limits
}

/// What the team can do in the sprint, in milliseconds of effort, where that is known.
pub fn whole(spec: &SprintSpec, calendar: &Calendar) -> Option<u64> {
    let mut agents = spec.team.iter().filter(|role| role.count > 0);
    agents.try_fold(0_u64, |sum, role| {
        let own = role.capacity.map(|span| span.0);
        let time = own.into_iter().chain(calendar.limit()).min()?;
        Some(sum.saturating_add(time.saturating_mul(u64::from(role.count))))
    })
}

/// Sorts the tasks by whether the schedule has a place for them.
pub fn commitment(
    spec: &SprintSpec,
    durations: &[u64],
    order: &[u32],
    schedule: &Schedule,
    calendar: &Calendar,
) -> Commitment {
    let mut sorted = Commitment::default();
    for &task in order {
        match &schedule.slots[task as usize] {
            Ok(_) => sorted.committed.push(task),
            Err(refusal) => sorted.backlog.push(Deferred {
                task,
                reason: reason(spec, durations, calendar, task, refusal),
            }),
        }
    }
    sorted
}

fn reason(
    spec: &SprintSpec,
    durations: &[u64],
    calendar: &Calendar,
    task: u32,
    refusal: &Refusal,
) -> String {
    let role = &spec.tasks[task as usize].role;
    match *refusal {
        Refusal::Capacity { left } => format!(
            "needs {}, and no {role} has more than {} of its capacity left",
            hours(durations[task as usize]),
            hours(left),
        ),
        Refusal::End { finish } => format!(
            "would be finished on day {}, and the sprint has {}",
            calendar.day_of_finish(finish),
            plural(calendar.days.unwrap_or(0), "working day"),
        ),
        Refusal::Dependency { task: before } => format!(
            "waits for `{}`, which is in the backlog",
            spec.tasks[before as usize].id
        ),
        Refusal::Share { left } => format!(
            "needs {}, and the share of {} has {} left",
            hours(durations[task as usize]),
            spec.tasks[task as usize].class.as_str(),
            hours(left),
        ),
        Refusal::NoAgent => format!("there is no {role} to do it"),
    }
}

/// `3h`, `2.5h`: hours with at most two decimals.
pub(crate) fn hours(ms: u64) -> String {
    let hundredths = (Span(ms).as_hours() * 100.0).round() / 100.0;
    format!("{hundredths}h")
}

/// `1 day`, `2 days`.
pub(crate) fn plural(count: u64, noun: &str) -> String {
    match count {
        1 => format!("1 {noun}"),
        _ => format!("{count} {noun}s"),
    }
}

#[cfg(test)]
mod tests {
    use super::super::{examples, plan};
    use super::*;
    use director_protocols::sprint::Class;

    fn backlog(spec: &SprintSpec) -> Vec<(String, String)> {
        let plan = plan(spec).unwrap();
        let backlog = plan.commitment.backlog.iter();
        backlog
            .map(|d| (spec.tasks[d.task as usize].id.to_string(), d.reason.clone()))
            .collect()
    }

    fn pairs(list: &[(&str, &str)]) -> Vec<(String, String)> {
        let owned = |&(id, reason): &(&str, &str)| (id.to_owned(), reason.to_owned());
        list.iter().map(owned).collect()
    }

    #[test]
    fn without_a_written_limit_everything_is_committed() {
        let mut spec = examples::checkout();
        (spec.start, spec.end) = (None, None);
        for role in &mut spec.team {
            role.capacity = None;
        }
        assert_eq!(backlog(&spec), []);
    }

    #[test]
    fn what_exceeds_a_capacity_waits_and_so_does_what_waits_for_it() {
        let mut spec = examples::checkout();
        for role in &mut spec.team {
            let reviewer = role.name.as_str() == "tech-lead-reviewer";
            role.capacity = reviewer.then(|| Span::hours(3));
        }
        assert_eq!(
            backlog(&spec),
            pairs(&[
                (
                    "ui-review",
                    "needs 2h, and no tech-lead-reviewer has more than 1h of its capacity left"
                ),
                (
                    "release-notes",
                    "waits for `ui-review`, which is in the backlog"
                ),
            ])
        );
    }

    #[test]
    fn a_class_of_work_has_its_share_of_what_the_team_can_do() {
        let mut spec = examples::checkout();
        for task in spec.tasks.iter_mut().take(2) {
            task.class = Class::Debt;
        }
        // Eight agents for ten days of eight hours; a hundredth of it is 6.4 h.
        spec.policy.shares = [None, Some(10), None];
        let debt: u64 = plan(&spec).unwrap().durations[..2].iter().sum();
        assert!(debt > Span::minutes(384).0, "or nothing is left out");
        let found = backlog(&spec);
        assert!(found[0].1.contains("the share of debt has"), "{found:?}");
        spec.policy.shares = [Some(900), Some(100), None];
        assert_eq!(backlog(&spec), []);
        // Without any limit on time a share is a share of nothing that is known.
        spec.policy.shares = [None, Some(0), None];
        (spec.start, spec.end) = (None, None);
        for role in &mut spec.team {
            role.capacity = None;
        }
        assert_eq!(backlog(&spec), []);
    }

    #[test]
    fn what_the_end_leaves_no_time_for_waits() {
        let mut spec = examples::checkout();
        spec.end = Some("2026-11-25".to_owned());
        let found = backlog(&spec);
        assert!(!found.is_empty() && found.len() < spec.tasks.len());
        assert!(
            found[0].1.ends_with("and the sprint has 3 working days"),
            "{found:?}"
        );
    }
}
