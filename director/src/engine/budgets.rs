//! Budgets: what is spent, what is set aside for work in hand, and what is left of it.
//!
//! Before an attempt is handed out, what it is expected to cost is set aside in every budget that it counts for: its task's, its agent's
//! in the sprint, the sprint's. What it spends comes out of that first. At its end the rest goes back. So what is set aside and spent
//! together is within each hard limit whenever work is handed out, also after a kill: all of it is in the journal.
//!
//! | what an attempt is expected to cost | where it comes from |
//! |---|---|
//! | `expected_usd` of the task, then of the role | the file |
//! | the median of the last [`COSTS_KEPT`] attempts of its kind that agents of the role ended and that cost something, from the third on | the journal |
//! | `expected_usd` of the sprint, then the most that an attempt may cost, then nothing | the file |
//!
//! The window of a sprint is counted in [`SLICES`] slices of its length; a slice leaves it when its end does, so it holds rather too much
//! than too little.
//!
//! Invariant: what is set aside in a budget is the sum over the attempts in hand that count for it.
//! Elsewhere: what is refused, asked and ended because of a budget is [`super::decide::budget`].

use std::collections::{BTreeMap, VecDeque};

use director_protocols::event::{
    AttemptOverspent, BudgetFreed, BudgetHeld, BudgetRaised, CostReserved, CostSettled, Purse,
};
use director_protocols::ids::{AgentId, Attempt, InboxId, Name, RoleId, SprintId, TaskId};
use director_protocols::sprint::{RoleSpec, Spending, SprintSpec, Window};
use director_protocols::time::{Span, Time};
use serde::Serialize;

use super::sprints::Sprint;
use super::state::{Deadline, State};
use super::tasks::Task;

/// Costs of ended attempts that are remembered for each role and kind.
pub const COSTS_KEPT: usize = 32;
/// So many have to be there before anything is concluded from them.
pub const COSTS_LEAST: usize = 3;
/// The most that one attempt is believed to cost, in millionths of a dollar: a million dollars.
pub const COST_MAX: u64 = 1_000_000_000_000;
/// Parts of a window.
pub const SLICES: u64 = 64;

/// What is set aside for an attempt in hand, and what it has spent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Reservation {
    /// Which attempt.
    pub attempt: Attempt,
    /// Whose.
    pub agent: AgentId,
    /// What was set aside at its beginning.
    pub reserved: u64,
    /// What is left of that.
    pub left: u64,
    /// What it has spent so far.
    pub spent: u64,
    /// The most that it may spend, as things stood at its beginning.
    pub most: Option<u64>,
    /// It has spent too much and is called off: the limit, and whose it is.
    pub over: Option<(u64, Option<Purse>)>,
}

/// What a budget adds up to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Sums {
    /// What was spent.
    pub spent: u64,
    /// What is set aside for attempts in hand.
    pub reserved: u64,
    /// The hard limit that a person set since the sprint was submitted.
    pub raised: Option<u64>,
    /// Its soft limit was reached, and people were told.
    pub warned: bool,
}

/// Work that waits for a budget.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Hold {
    /// The first task that waits for it.
    pub task: TaskId,
    /// When enough is free by itself.
    pub until: Option<Time>,
    /// Whether a person has to say how it goes on.
    pub asks: bool,
    /// The question to that person.
    pub item: Option<InboxId>,
}

/// All money.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Budgets {
    /// What is set aside, by the task whose attempt is in hand.
    pub reserved: BTreeMap<TaskId, Reservation>,
    /// Every budget in which something was ever spent or set aside, limited or not.
    pub sums: BTreeMap<Purse, Sums>,
    /// What was spent lately in sprints with a window, by slice.
    pub slices: BTreeMap<SprintId, BTreeMap<u64, u64>>,
    /// What ended attempts have cost, the last one last.
    pub costs: BTreeMap<(RoleId, String), VecDeque<u64>>,
    /// Budgets that work waits for.
    pub holds: BTreeMap<Purse, Hold>,
}

/// Whether the sprint's file says anything of what it or its agents may spend.
pub fn is_limited(spec: &SprintSpec) -> bool {
    let says = |spending: &Spending| *spending != Spending::default();
    says(&spec.policy.budget)
        || spec.policy.window.is_some()
        || spec.team.iter().any(|role| says(&role.budget))
}

impl State {
    /// The budgets that an attempt counts for, the window aside, which follows its sprint's.
    pub(super) fn purses(&self, task: TaskId, agent: AgentId) -> [Purse; 3] {
        let sprint_id = self.tasks.table[task.index()].sprint;
        [
            Purse::Task { task_id: task },
            Purse::Agent {
                sprint_id,
                agent_id: agent,
            },
            Purse::Sprint { sprint_id },
        ]
    }

    /// What the file says of a budget, and what was said since.
    pub fn limits(&self, purse: Purse) -> Spending {
        let sprint = |id: SprintId| &self.sprints.table[id.index()].spec;
        let mut limits = match purse {
            Purse::Task { task_id } => self.tasks.table[task_id.index()].spec.budget.spending(),
            Purse::Agent {
                sprint_id,
                agent_id,
            } => self
                .role_in(&self.sprints.table[sprint_id.index()], agent_id)
                .map_or_else(Spending::default, |role| role.budget),
            Purse::Sprint { sprint_id } => sprint(sprint_id).policy.budget,
            Purse::Window { sprint_id } => Spending {
                cost_micros: sprint(sprint_id).policy.window.map(|it| it.cost_micros),
                ..Spending::default()
            },
        };
        if let Some(raised) = self.budgets.sums.get(&purse).and_then(|sums| sums.raised) {
            limits.cost_micros = Some(raised);
        }
        limits
    }

    /// An agent's role as the sprint has it.
    fn role_in<'s>(&self, sprint: &'s Sprint, agent: AgentId) -> Option<&'s RoleSpec> {
        let name = &self.team.role_of(agent)?.spec.name;
        sprint.spec.team.iter().find(|spec| spec.name == *name)
    }

    /// What was spent of a budget, and what is set aside in it.
    pub fn used(&self, purse: Purse, now: Time) -> (u64, u64) {
        let of = |purse| {
            let sums = self.budgets.sums.get(&purse);
            sums.map_or((0, 0), |sums| (sums.spent, sums.reserved))
        };
        match purse {
            Purse::Window { sprint_id } => {
                let spent = self.in_window(sprint_id, now).map(|(_, micros)| micros);
                (spent.sum(), of(Purse::Sprint { sprint_id }).1)
            }
            purse => of(purse),
        }
    }

    /// What counts in a sprint's window at `now`: each slice with when it leaves, the oldest first.
    pub fn in_window(&self, sprint: SprintId, now: Time) -> impl Iterator<Item = (Time, u64)> {
        let window = self.sprints.table[sprint.index()].spec.policy.window;
        let width = window.map_or(1, |window| width(&window));
        let within = window.map_or(Span::ZERO, |window| window.within);
        let slices = self.budgets.slices.get(&sprint).into_iter().flatten();
        let leaves = move |slice: u64| Time((slice + 1).saturating_mul(width)) + within;
        let all = slices.map(move |(slice, micros)| (leaves(*slice), *micros));
        all.filter(move |(leaves, _)| *leaves > now)
    }

    /// What one attempt may spend at most by itself: the task's word, then the role's, then the sprint's.
    pub fn attempt_max(&self, row: &Task, agent: AgentId) -> Option<u64> {
        let sprint = &self.sprints.table[row.sprint.index()];
        let role = self.role_in(sprint, agent);
        let task = row.spec.budget.spending().attempt_micros;
        task.or_else(|| role?.budget.attempt_micros)
            .or(sprint.spec.policy.budget.attempt_micros)
    }

    /// What an attempt at the task by an agent of its role is expected to cost.
    pub fn expected_cost(&self, row: &Task, agent: AgentId) -> u64 {
        let most = self.attempt_max(row, agent);
        let expected = self.known_cost(row, agent).or(most).unwrap_or(0);
        expected.min(most.unwrap_or(u64::MAX)).min(COST_MAX)
    }

    /// The same as far as anything is known of it: what an attempt may cost at most says nothing of what it does.
    pub fn known_cost(&self, row: &Task, agent: AgentId) -> Option<u64> {
        let sprint = &self.sprints.table[row.sprint.index()];
        let written = row.spec.budget.spending().expected_micros;
        let of_role = || self.role_in(sprint, agent)?.budget.expected_micros;
        written
            .or_else(of_role)
            .or_else(|| self.usual_cost(agent, &row.spec.kind))
            .or(sprint.spec.policy.budget.expected_micros)
    }

    /// The median of what attempts at that kind of task have cost an agent's role.
    fn usual_cost(&self, agent: AgentId, kind: &str) -> Option<u64> {
        // As long as nothing costs anything this costs nothing.
        if self.budgets.costs.is_empty() {
            return None;
        }
        let role = self.team.agents[agent.index()].role;
        let costs = self.budgets.costs.get(&(role, kind.to_owned()))?;
        if costs.len() < COSTS_LEAST {
            return None;
        }
        let mut costs: Vec<u64> = costs.iter().copied().collect();
        costs.sort_unstable();
        // The upper one of two, rather too much than too little.
        costs.get(costs.len() / 2).copied()
    }

    pub(super) fn cost_reserved(&mut self, e: &CostReserved) {
        self.budgets.reserved.insert(
            e.task_id,
            Reservation {
                attempt: e.attempt,
                agent: e.agent_id,
                reserved: e.reserved_micros,
                left: e.reserved_micros,
                spent: 0,
                most: e.most_micros,
                over: None,
            },
        );
        for purse in self.purses(e.task_id, e.agent_id) {
            self.budgets.sums.entry(purse).or_default().reserved += e.reserved_micros;
        }
    }

    /// An attempt has spent so much since its beginning: what is new is charged, out of what was set aside first.
    pub(super) fn charge(
        &mut self,
        task: TaskId,
        (agent, attempt): (AgentId, Attempt),
        total: u64,
        now: Time,
    ) {
        let row = self.budgets.reserved.entry(task).or_insert(Reservation {
            attempt,
            agent,
            reserved: 0,
            left: 0,
            spent: 0,
            most: None,
            over: None,
        });
        let more = total.saturating_sub(row.spent);
        let back = more.min(row.left);
        row.spent += more;
        row.left -= back;
        for purse in self.purses(task, agent) {
            let sums = self.budgets.sums.entry(purse).or_default();
            sums.spent += more;
            sums.reserved -= back;
        }
        let story = self.tasks.story(task);
        story.cost_micros = story.cost_micros.saturating_add(more);
        let sprint = self.tasks.table[task.index()].sprint;
        if let Some(window) = self.sprints.table[sprint.index()].spec.policy.window
            && more > 0
        {
            let width = width(&window);
            let slices = self.budgets.slices.entry(sprint).or_default();
            *slices.entry(now.0 / width).or_default() += more;
            // What has left it is of no use any more.
            let first = now.0.saturating_sub(window.within.0) / width;
            *slices = slices.split_off(&first.saturating_sub(1));
        }
    }

    pub(super) fn cost_settled(&mut self, e: &CostSettled, now: Time) {
        self.charge(e.task_id, (e.agent_id, e.attempt), e.cost_micros, now);
        if let Some(row) = self.budgets.reserved.remove(&e.task_id) {
            for purse in self.purses(e.task_id, e.agent_id) {
                self.budgets.sums.entry(purse).or_default().reserved -= row.left;
            }
        }
        if e.cost_micros > 0 {
            let role = self.team.agents[e.agent_id.index()].role;
            let kind = self.tasks.table[e.task_id.index()].spec.kind.clone();
            let costs = self.budgets.costs.entry((role, kind)).or_default();
            if costs.len() == COSTS_KEPT {
                costs.pop_front();
            }
            costs.push_back(e.cost_micros);
        }
    }

    pub(super) fn attempt_overspent(&mut self, e: &AttemptOverspent) {
        if let Some(row) = self.budgets.reserved.get_mut(&e.task_id) {
            row.over = Some((e.limit_micros, e.purse));
        }
    }

    pub(super) fn budget_held(&mut self, e: &BudgetHeld) {
        let before = self.budgets.holds.remove(&e.purse);
        self.forget_wait(e.sprint_id, before.as_ref());
        if let Some(until) = e.until {
            let deadline = Deadline::Budget(e.sprint_id);
            self.deadlines.insert((until, deadline));
        }
        self.budgets.holds.insert(
            e.purse,
            Hold {
                task: e.task_id,
                until: e.until,
                asks: e.asks,
                item: before.and_then(|hold| hold.item),
            },
        );
    }

    pub(super) fn budget_freed(&mut self, e: &BudgetFreed) {
        let before = self.budgets.holds.remove(&e.purse);
        self.forget_wait(e.sprint_id, before.as_ref());
    }

    /// Only a window frees itself, and a sprint has one.
    fn forget_wait(&mut self, sprint: SprintId, hold: Option<&Hold>) {
        if let Some(at) = hold.and_then(|hold| hold.until) {
            self.deadlines.remove(&(at, Deadline::Budget(sprint)));
        }
    }

    pub(super) fn budget_raised(&mut self, e: &BudgetRaised) {
        self.budgets.sums.entry(e.purse).or_default().raised = Some(e.limit_micros);
        self.sprints.table[e.sprint_id.index()].limited = true;
    }

    /// The file says something else of the money of a sprint and of roles. What somebody has said of a limit since holds on where the file's
    /// word of that limit is the same; a soft limit that has changed is told of anew.
    pub(super) fn other_budgets(
        &mut self,
        sprint_id: SprintId,
        budget: Spending,
        window: Option<Window>,
        roles: &[(&Name, Spending)],
    ) {
        let row = &self.sprints.table[sprint_id.index()];
        let before = row.spec.policy;
        let mut spec = SprintSpec::clone(&row.spec);
        (spec.policy.budget, spec.policy.window) = (budget, window);
        let mut changes = vec![(Purse::Sprint { sprint_id }, before.budget, budget)];
        for (name, budget) in roles {
            let Some(role) = spec.team.iter_mut().find(|role| role.name == **name) else {
                continue;
            };
            let before = std::mem::replace(&mut role.budget, *budget);
            let agents = self.team.by_role.get(*name);
            let agents = agents.map(|role| self.team.roles[role.index()].agents.iter());
            for agent_id in agents.into_iter().flatten() {
                let purse = Purse::Agent {
                    sprint_id,
                    agent_id: *agent_id,
                };
                changes.push((purse, before, *budget));
            }
        }
        let hard = |window: Option<Window>| Spending {
            cost_micros: window.map(|window| window.cost_micros),
            ..Spending::default()
        };
        let purse = Purse::Window { sprint_id };
        changes.push((purse, hard(before.window), hard(window)));
        for (purse, before, budget) in changes {
            self.other_limits(purse, before, budget);
        }
        self.reslice(sprint_id, before.window, window);
        let row = &mut self.sprints.table[sprint_id.index()];
        row.limited |= is_limited(&spec);
        row.spec = spec.into();
    }

    /// The file says something else of one budget.
    pub(super) fn other_limits(&mut self, purse: Purse, before: Spending, budget: Spending) {
        let Some(sums) = self.budgets.sums.get_mut(&purse) else {
            return;
        };
        if before.cost_micros != budget.cost_micros {
            sums.raised = None;
        }
        sums.warned &= before.warn_micros == budget.warn_micros;
    }

    /// What was spent lately, in slices of another window: each counts from its end on. What a shorter window has forgotten stays forgotten.
    fn reslice(&mut self, sprint: SprintId, before: Option<Window>, window: Option<Window>) {
        let (Some(before), Some(window)) = (before, window) else {
            self.budgets.slices.remove(&sprint);
            return;
        };
        let (old, new) = (width(&before), width(&window));
        if old == new {
            return;
        }
        let Some(slices) = self.budgets.slices.get_mut(&sprint) else {
            return;
        };
        let mut other = BTreeMap::new();
        for (slice, micros) in std::mem::take(slices) {
            let end = (slice + 1).saturating_mul(old).saturating_sub(1);
            *other.entry(end / new).or_default() += micros;
        }
        *slices = other;
    }

    pub(super) fn budget_asked(&mut self, purse: Option<Purse>, item: InboxId) {
        if let Some(hold) = purse.and_then(|purse| self.budgets.holds.get_mut(&purse)) {
            hold.item = Some(item);
        }
    }
}

/// How long a slice of a window is, in milliseconds.
fn width(window: &Window) -> u64 {
    (window.within.0 / SLICES).max(1)
}
