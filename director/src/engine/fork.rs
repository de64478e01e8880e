//! Forks: copies of the engine that go on otherwise than the journal says, for questions of the kind "what if".
//!
//! Invariant: nothing that happens here is an event, so a fork is never journalled and never answers for the real one.
//! Elsewhere: what is asked of a fork is [`crate::simulate::rest`]'s.

use director_protocols::ids::SprintId;
use director_protocols::shared::Shared;
use director_protocols::sprint::SprintSpec;
use director_protocols::time::Time;
use director_protocols::ways::Ceremonies;

use super::Engine;
use super::budgets;
use super::state::Deadline;
use super::tasks::Phase;

/// No ceremonies by the clock.
const NONE: Ceremonies = Ceremonies {
    standup: None,
    progress: None,
};

impl Engine {
    /// Forgets what happened to tasks that nothing can happen to any more: a copy costs less then, and decides the same.
    pub fn forget_what_is_over(&mut self) {
        for task in &mut self.state.tasks.table {
            let sprint = &self.state.sprints.table[task.sprint.index()];
            if sprint.is_over() || task.phase == Phase::Completed {
                task.story = None;
            }
        }
    }

    /// A copy for another thread: what each copy of it holds of every task is held by nobody else. A counter of holders that two
    /// threads change goes to and fro between their processors.
    #[must_use]
    pub fn apart(&self) -> Self {
        let mut copy = self.clone();
        for task in &mut copy.state.tasks.table {
            task.spec = task.spec.apart();
            task.written = task.written.as_ref().map(Shared::apart);
            task.depends_on = task.depends_on.apart();
            task.dependents = task.dependents.apart();
        }
        copy
    }

    /// Holds no standups and sends no updates from here on: they change nothing, and virtual time would have many of them.
    pub fn without_ceremonies(&mut self) {
        for sprint in &mut self.state.sprints.table {
            if sprint.spec.ways.ceremonies != NONE {
                sprint.spec.ways.ceremonies = NONE;
            }
        }
        let is_one =
            |deadline: &Deadline| matches!(deadline, Deadline::Standup(_) | Deadline::Progress(_));
        self.state
            .deadlines
            .retain(|(_, deadline)| !is_one(deadline));
    }

    /// From here on the sprint has the team and the rules of `spec`; its tasks stay, a replan changes them. Agents that the new
    /// team does not have finish what they have in hand.
    pub fn fork(&mut self, sprint: SprintId, spec: &SprintSpec, now: Time) {
        self.state.team.adopt(&spec.team, now);
        self.state.without_retired();
        let roles = spec.team.iter().map(|role| (&role.name, role.budget));
        let roles: Vec<_> = roles.collect();
        let policy = &spec.policy;
        self.state
            .other_budgets(sprint, policy.budget, policy.window, &roles);
        if let Some(row) = self.state.sprints.table.get_mut(sprint.index()) {
            row.limited |= budgets::is_limited(spec);
            let mut rules = spec.clone();
            rules.tasks.clear();
            rules.ways.ceremonies = NONE;
            rules.base.clone_from(&row.spec.base);
            rules.repo.clone_from(&row.spec.repo);
            rules.ways.start.clone_from(&row.spec.ways.start);
            row.spec = rules.into();
        }
    }
}
