//! Risks of what is promised: too much, too close to the end, or not measurable.

use std::collections::BTreeMap;

use director_protocols::ids::Name;
use director_protocols::risk::{Fallback, Trigger};
use director_protocols::sprint::{Check, GateSpec};

use super::{Look, Risk};
use crate::planner::commit::hours;

/// The share of the working time that, unscheduled, counts as a buffer before the end.
const BUFFER_PERCENT: u64 = 10;

impl Look<'_> {
    /// The schedule ends so close to the end of the sprint that one late task breaks it.
    pub(super) fn no_buffer(&self) -> Vec<Risk> {
        let (Some(limit), makespan) = (self.plan.calendar.limit(), self.plan.schedule.makespan)
        else {
            return Vec::new();
        };
        let buffer = limit.saturating_sub(makespan);
        if makespan == 0 || buffer > limit / 100 * BUFFER_PERCENT {
            return Vec::new();
        }
        let low = self.plan.commitment.committed.last();
        vec![Risk {
            risk: format!(
                "{} of {} are planned: only {} are left before the end",
                hours(makespan),
                hours(limit),
                hours(buffer)
            ),
            trigger: format!(
                "the projected end moves by more than {}, past the last day",
                hours(buffer)
            ),
            mitigation: "commit to less, or start the critical path with the most certain people"
                .to_owned(),
            fallback: match low {
                Some(&task) => format!(
                    "leave `{}`, the least urgent, for the next sprint",
                    self.task(task).id
                ),
                None => String::new(),
            },
            tasks: low.copied().into_iter().collect(),
            watch: low.map(|_| (vec![Trigger::Late], Fallback::Cut)),
        }]
    }

    /// Gates that are wanted and that nothing here can measure, of the sprint and of tasks.
    pub(super) fn unmeasured_gates(&self) -> Vec<Risk> {
        let unmeasured = |gates: &'_ [GateSpec]| {
            let wanted = gates.iter();
            wanted
                .filter(|gate| matches!(gate.check, Check::NotMeasured { .. }))
                .map(|gate| gate.name.clone())
                .collect::<Vec<Name>>()
        };
        let mut gates: BTreeMap<Name, Vec<u32>> = BTreeMap::new();
        for name in unmeasured(&self.spec.gates) {
            gates.entry(name).or_default();
        }
        for (place, task) in (0..).zip(&self.spec.tasks) {
            for name in unmeasured(&task.gates) {
                gates.entry(name).or_default().push(place);
            }
        }
        let risk = |(name, tasks): (Name, Vec<u32>)| Risk {
            risk: format!("gate `{name}` cannot be measured and will be reported as not measured"),
            trigger: format!("work that `{name}` would have stopped is merged"),
            mitigation: format!("give `{name}` a command under `gates`, or switch it off"),
            fallback: format!("have a person look at what `{name}` is about before delivery"),
            tasks,
            watch: None,
        };
        gates.into_iter().map(risk).collect()
    }

    /// More points are promised than the team means to finish.
    pub(super) fn over_target(&self) -> Vec<Risk> {
        let committed = &self.plan.commitment.committed;
        let points: u64 = committed
            .iter()
            .map(|&task| u64::from(self.task(task).points))
            .sum();
        let Some(target) = self.spec.velocity_target.map(u64::from) else {
            return Vec::new();
        };
        if points <= target {
            return Vec::new();
        }
        vec![Risk {
            risk: format!(
                "{points} points are committed, {} over the target of {target}",
                points - target
            ),
            trigger: "the burndown stays above its line for two days".to_owned(),
            mitigation: "commit to the target, and keep the rest as a reserve".to_owned(),
            fallback: "carry the least urgent tasks over".to_owned(),
            tasks: Vec::new(),
            watch: None,
        }]
    }
}
