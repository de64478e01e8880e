//! What work costs: what is set aside for it, what it has spent, and budgets that hold it back. Money is in millionths of a dollar.

use serde::{Deserialize, Serialize};

use super::Payload;
use super::parts::{Purse, RoleBudget};
use crate::ids::{AgentId, Attempt, InboxId, SprintId, TaskId};
use crate::sprint::{Spending, Window};
use crate::time::Time;

payloads! {
    /// What an attempt is expected to cost is set aside before it begins.
    155 1 CostReserved "cost_reserved" {
        /// The task.
        task_id: TaskId,
        /// The agent.
        agent_id: AgentId,
        /// The attempt.
        attempt: Attempt,
        /// How much.
        reserved_micros: u64,
        /// The most that it may spend as things stand; none where nothing limits it.
        most_micros: Option<u64>,
    }
    /// What an attempt has spent so far.
    156 1 CostSpent "cost_spent" {
        /// The task.
        task_id: TaskId,
        /// The attempt.
        attempt: Attempt,
        /// All of it, from its beginning on.
        cost_micros: u64,
    }
    /// An attempt is over: what it did not spend goes back, what it spent beyond is charged.
    157 1 CostSettled "cost_settled" {
        /// The task.
        task_id: TaskId,
        /// The agent.
        agent_id: AgentId,
        /// The attempt.
        attempt: Attempt,
        /// What had been set aside.
        reserved_micros: u64,
        /// What it cost.
        cost_micros: u64,
    }
    /// The soft limit of a budget is reached.
    158 1 BudgetWarned "budget_warned" {
        /// The sprint.
        sprint_id: SprintId,
        /// Whose budget.
        purse: Purse,
        /// What is spent.
        spent_micros: u64,
        /// The limit.
        limit_micros: u64,
    }
    /// Work is not handed out, because it is expected to go beyond a hard limit.
    159 1 BudgetHeld "budget_held" {
        /// The sprint.
        sprint_id: SprintId,
        /// Whose budget.
        purse: Purse,
        /// The first task that waits for it.
        task_id: TaskId,
        /// What it is expected to cost.
        needed_micros: u64,
        /// What is left: neither spent nor set aside.
        left_micros: u64,
        /// When enough is free by itself, where that is known.
        until: Option<Time>,
        /// Whether only a person can make it fit: nothing that is set aside can come back in time.
        asks: bool,
    }
    /// What waited for a budget fits now, or is not wanted any more.
    163 1 BudgetFreed "budget_freed" {
        /// The sprint.
        sprint_id: SprintId,
        /// Whose budget.
        purse: Purse,
        /// The question about it that is over with it.
        item: Option<InboxId>,
    }
    /// A budget has another hard limit.
    164 1 BudgetRaised "budget_raised" {
        /// The sprint.
        sprint_id: SprintId,
        /// Whose budget.
        purse: Purse,
        /// The limit from now on.
        limit_micros: u64,
        /// Who says so.
        by: String,
    }
    /// The sprint file says something else of money. What somebody has said of a limit since holds on where the file's word of it is the same.
    169 1 BudgetsChanged "budgets_changed" {
        /// The sprint.
        sprint_id: SprintId,
        /// What the sprint may spend.
        budget: Spending,
        /// And within any such time.
        window: Option<Window>,
        /// Roles for which that changes.
        roles: Vec<RoleBudget>,
        /// Who asked.
        by: String,
    }
    /// An attempt has spent more than it may, and is called off.
    165 1 AttemptOverspent "attempt_overspent" {
        /// The task.
        task_id: TaskId,
        /// The attempt.
        attempt: Attempt,
        /// What it has spent.
        cost_micros: u64,
        /// What it might.
        limit_micros: u64,
        /// The budget that has no more for it; none where it is the limit of one attempt.
        purse: Option<Purse>,
    }
}
