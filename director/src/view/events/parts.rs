//! Parts of what events say: loads, packages, scores, ends and changes.

use director_protocols::event::{HandoffPackage, Score, TeamUtilizationAlert};
use director_protocols::ids::Name;
use director_protocols::work::{AttemptEnd, DiffStat};

use super::super::words::some;
use super::super::{count, hours};
use crate::engine::state::State;

/// Why an agent was chosen.
pub(super) fn score(score: &Score) -> String {
    let share = |thousandths: u32| f64::from(thousandths) / 1000.0;
    format!(
        "score {:.2}: expertise {:.2}, capacity {:.2}, context {:.2}{}; {}",
        share(score.total),
        share(score.expertise),
        share(score.capacity),
        share(score.continuity),
        match score.files {
            0 => String::new(),
            n => format!(" for {} of it", count(n as usize, "file")),
        },
        count(score.candidates as usize, "candidate")
    )
}

/// Who has more than they can do, and who has room.
pub(super) fn alert(e: &TeamUtilizationAlert, state: &State) -> String {
    let over: Vec<String> = e
        .overloaded_agents
        .iter()
        .map(|one| match one.lost {
            true => format!("{} (down)", state.agent_name(one.agent_id)),
            false => format!(
                "{} ({:.0}%)",
                state.agent_name(one.agent_id),
                f64::from(one.load) / 10.0
            ),
        })
        .collect();
    let room: Vec<String> = e
        .available_capacity
        .iter()
        .map(|one| {
            format!(
                "{} ({:.0}h)",
                state.agent_name(one.agent_id),
                hours(one.free_hours)
            )
        })
        .collect();
    match (over.is_empty(), e.rebalancing_needed) {
        (true, _) => "nobody has more to do than they can any more".to_owned(),
        (false, moves) => format!(
            "more to do than they can: {}; room: {}; {}",
            some(&over, 4),
            match room.is_empty() {
                true => "nobody".to_owned(),
                false => some(&room, 4),
            },
            match moves {
                true => "waiting tasks move",
                false => "nothing that waits can move",
            }
        ),
    }
}

/// A package that is ready for another team.
pub(super) fn package(team: &str, feature: Option<&Name>, package: &HandoffPackage) -> String {
    format!(
        "a package for {team} is ready: {} {} ({}, {}, {})",
        package.deliverable_type,
        feature.map_or("", |name| name.as_str()),
        count(package.artifacts.len(), "artifact"),
        count(package.test_requirements.len(), "test requirement"),
        count(
            package.deployment_requirements.len(),
            "deployment requirement"
        )
    )
}

/// How an attempt ended, with the reason.
pub(crate) fn end(end: &AttemptEnd) -> String {
    let why = match end {
        AttemptEnd::Done(report) => &report.summary,
        AttemptEnd::Blocked(blocker) => &blocker.text,
        AttemptEnd::Failed { reason, .. }
        | AttemptEnd::Died { reason }
        | AttemptEnd::TimedOut { reason }
        | AttemptEnd::Limited { reason, .. } => reason,
        AttemptEnd::BudgetReached | AttemptEnd::Cancelled => "",
        AttemptEnd::Interrupted => "the director stopped",
    };
    let mut text = match why.trim() {
        "" => end.as_str().to_owned(),
        why => format!("{}: {why}", end.as_str()),
    };
    if let AttemptEnd::Done(report) = end {
        for remark in report.remarks() {
            text = format!("{text} {remark}");
        }
    }
    text
}

/// `2 files, +40 −3`.
pub(crate) fn changes(stat: DiffStat) -> String {
    format!(
        "{}, +{} −{}",
        count(stat.files as usize, "file"),
        stat.insertions,
        stat.deletions
    )
}
