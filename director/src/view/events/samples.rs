//! One event of each kind that is about people, gates, incidents and peers, for the tests of all kinds.

use director_protocols::event::*;
use director_protocols::ids::{Attempt, EffectId, InboxId, TaskId};
use director_protocols::origin::Origin;
use director_protocols::time::Time;
use director_protocols::work::Verdict;

use super::super::recorded::{SPRINT, outcome};
use crate::planner::examples::name;

/// One of each.
pub(super) fn events(task: TaskId, effect: EffectId, later: Time) -> Vec<Event> {
    vec![
        InboxReminded {
            item: InboxId(0),
            deadline: later,
        }
        .into(),
        TaskAdded {
            task_id: task,
            sprint_id: SPRINT,
            spec: director_protocols::shared::Shared::new(crate::planner::examples::task(
                "connect.review",
                "review",
                "tech-lead",
                [1, 1, 1],
                &[],
            )),
            dependencies: Vec::new(),
            origin: Origin::Gate {
                task_id: task,
                gate: name("review"),
                round: 1,
            },
            by: "director".into(),
        }
        .into(),
        GateJudged {
            task_id: task,
            gate: name("review"),
            verdict: Verdict::Failed,
            by: "tech-lead-1".into(),
            findings: "src/pay.rs:7 rounds down".into(),
            help: Some(task),
        }
        .into(),
        WorkReviewed {
            task_id: task,
            attempt: Attempt(1),
            passed: false,
            round: 1,
            outcomes: vec![outcome("review", Verdict::Failed)],
        }
        .into(),
        GateOverridden {
            task_id: task,
            gate: name("review"),
            by: "ada".into(),
            reason: "it is a demo".into(),
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
