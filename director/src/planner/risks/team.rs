//! Risks of who does the work: agents without a second, roles without room, worktrees that are waited for.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use director_protocols::risk::{Fallback, Trigger};

use super::{Look, Risk};
use crate::planner::agent_name;
use crate::planner::allocation::Allocation;
use crate::planner::bounds::Limiting;
use crate::planner::commit::hours;

/// The share of the critical path from which one agent carrying it is a risk.
const PATH_SHARE_PERCENT: u64 = 25;
/// The utilization over which a role has no room for what goes wrong.
const UTILIZATION_MAX: f64 = 0.85;

impl Look<'_> {
    /// One agent without a second of its role carries a good part of the critical path.
    pub(super) fn single_agents(&self) -> Vec<Risk> {
        let path = &self.plan.critical.path;
        let length = self.plan.critical.makespan;
        if path.len() < 2 || length == 0 {
            return Vec::new();
        }
        let mut of_role: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
        for &task in path {
            let role = self.plan.resources.role_of[task as usize];
            of_role.entry(role).or_default().push(task);
        }
        let mut alone: Vec<(u64, u32, Vec<u32>)> = of_role
            .into_iter()
            .filter(|(role, _)| self.plan.resources.agents[*role as usize] == 1)
            .map(|(role, tasks)| (self.effort(&tasks), role, tasks))
            .collect();
        alone.sort_by_key(|&(effort, role, _)| (Reverse(effort), role));
        // The one with the most work on the path, and every other with a good part of it.
        let good_part = |effort: u64| {
            u128::from(effort) * 100 >= u128::from(length) * u128::from(PATH_SHARE_PERCENT)
        };
        (0..)
            .zip(alone)
            .filter(|(place, (effort, _, _))| *place == 0 || good_part(*effort))
            .map(|(_, (_, role, tasks))| self.single_agent(role, tasks))
            .collect()
    }

    fn single_agent(&self, role: u32, tasks: Vec<u32>) -> Risk {
        let member = &self.spec.team[role as usize];
        let agent = agent_name(&member.name, 1);
        let covering = self
            .spec
            .team
            .iter()
            .enumerate()
            .find(|(other, candidate)| {
                *other != role as usize
                    && candidate.count > 0
                    && tasks
                        .iter()
                        .all(|&task| candidate.covers.contains(&self.task(task).kind))
            });
        let fallback = match covering {
            Some((_, other)) => format!(
                "{} takes over {}; its role covers this kind of work",
                agent_name(&other.name, 1),
                self.names(&tasks)
            ),
            None => format!(
                "no other role covers this work: restart {agent}, or move {} out of the sprint",
                self.names(&tasks)
            ),
        };
        let mut on = vec![Trigger::Down(member.name.clone())];
        on.extend(self.on_path(&tasks, Trigger::Overrun));
        on.extend(self.ends().then_some(Trigger::Late));
        let then = match covering {
            Some((_, other)) => Fallback::Reassign(other.name.clone()),
            None => Fallback::Decide,
        };
        Risk {
            watch: Some((on, then)),
            risk: format!(
                "{agent} alone carries {} of the {} critical path ({})",
                hours(self.effort(&tasks)),
                hours(self.plan.critical.makespan),
                self.names(&tasks)
            ),
            trigger: match self.ends() {
                true => format!(
                    "{agent} is lost, one of these tasks takes longer than its worst case, or the projected end is past the last day"
                ),
                false => format!(
                    "{agent} is lost, or one of these tasks takes longer than its worst case"
                ),
            },
            mitigation: format!(
                "give {} a second agent, or let another role cover its kinds of task",
                member.name
            ),
            fallback,
            tasks,
        }
    }

    /// A role with almost no time that is not planned.
    pub(super) fn busy_roles(&self) -> Vec<Risk> {
        let mut found = Vec::new();
        for (role, member) in (0_u32..).zip(&self.spec.team) {
            let shares: Vec<&Allocation> = self
                .plan
                .allocation
                .iter()
                .filter(|share| share.role == role)
                .collect();
            let sum = |of: fn(&Allocation) -> u64| {
                shares
                    .iter()
                    .map(|share| of(share))
                    .fold(0, u64::saturating_add)
            };
            let (allocated, available) = (sum(|s| s.allocated), sum(|s| s.available));
            let mut tasks: Vec<u32> = shares.iter().flat_map(|s| s.tasks.clone()).collect();
            tasks.sort_unstable();
            // A single task that lasts the whole sprint is the path's risk, not a queue.
            let share = allocated as f64 / available.max(1) as f64;
            if share <= UTILIZATION_MAX || tasks.len() < 2 {
                continue;
            }
            let easiest = tasks
                .iter()
                .copied()
                .max_by_key(|&task| (self.plan.critical.total_slack[task as usize], task));
            found.push(Risk {
                watch: None,
                risk: format!(
                    "{} is planned for {:.0} % of its time ({} of {})",
                    member.name,
                    share * 100.0,
                    hours(allocated),
                    hours(available)
                ),
                trigger: format!(
                    "work of {} runs {} over its estimates",
                    member.name,
                    hours(available.saturating_sub(allocated))
                ),
                mitigation: format!(
                    "add an agent of this role, or move some of {}",
                    self.names(&tasks)
                ),
                fallback: match easiest {
                    Some(task) => format!(
                        "leave `{}` for the next sprint: of its tasks it has the most slack ({})",
                        self.task(task).id,
                        hours(self.plan.critical.total_slack[task as usize])
                    ),
                    None => String::new(),
                },
                tasks,
            });
        }
        found
    }

    /// Tasks that could go on side by side take turns in one worktree, and that sets the sprint's length.
    pub(super) fn shared_worktree(&self) -> Vec<Risk> {
        let Limiting::Feature(feature) = self.plan.bound.by else {
            return Vec::new();
        };
        let mut tasks = self.plan.commitment.committed.clone();
        tasks.retain(|&task| self.plan.resources.feature_of[task as usize] == feature);
        tasks.sort_unstable();
        let Some(&first) = tasks.first() else {
            return Vec::new();
        };
        let name = &self.task(first).feature;
        vec![Risk {
            watch: None,
            risk: format!(
                "the tasks of feature `{name}` take turns in one worktree ({}), so the sprint takes at least {} and not {}",
                hours(self.effort(&tasks)),
                hours(self.plan.bound.length),
                hours(self.plan.critical.makespan)
            ),
            trigger: format!("one of {} takes longer than estimated", self.names(&tasks)),
            mitigation: format!(
                "give tasks that touch different files a `feature` of their own instead of `{name}`"
            ),
            fallback: format!(
                "merge what `{name}` has so far, and go on with the rest as another feature"
            ),
            tasks,
        }]
    }
}
