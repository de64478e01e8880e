//! One event of each kind that is about people, gates, incidents and peers, for the tests of all kinds.

use director_protocols::event::*;
use director_protocols::ids::{EffectId, InboxId, TaskId};
use director_protocols::time::Time;

use super::super::recorded::SPRINT;

/// One of each.
pub(super) fn events(_task: TaskId, effect: EffectId, later: Time) -> Vec<Event> {
    vec![
        InboxReminded {
            item: InboxId(0),
            deadline: later,
        }
        .into(),
        StakeholderInformed {
            effect,
            sprint_id: SPRINT,
            stakeholder: "notify".into(),
            about: "inbox_opened".into(),
            problem: "exit code 1".into(),
        }
        .into(),
    ]
}
