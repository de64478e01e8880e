//! The team: who is there, who has how much to do, and its ceremonies.

use serde::{Deserialize, Serialize};

use super::Payload;
use super::parts::{AgentLoad, AgentRoom, DependencyUpdate, OpenBlocker, VelocityTrend};
use crate::ids::{AgentId, Generation, MessageId, Name, SprintId, TaskId};
use crate::time::Time;

payloads! {
    /// An agent takes work.
    80 1 AgentUp "agent_up" {
        /// The agent.
        agent_id: AgentId,
        /// Its incarnation.
        generation: Generation,
    }
    /// An agent is gone; its supervisor decides about the next incarnation.
    81 1 AgentDown "agent_down" {
        /// The agent.
        agent_id: AgentId,
        /// The incarnation that ended.
        generation: Generation,
        /// Why.
        reason: String,
    }
    /// All agents of a role stay down.
    82 1 RoleLost "role_lost" {
        /// The role.
        role: String,
        /// Why.
        reason: String,
    }
    /// A lost role is started again.
    83 1 RoleRestored "role_restored" {
        /// The role.
        role: String,
        /// Who asked.
        by: String,
    }
    /// The provider of an account takes no more requests: nothing more is handed to who works on it, and what they had goes on in the same
    /// session afterwards.
    160 1 AccountParked "account_parked" {
        /// The account.
        account: String,
        /// The task whose agent was turned away.
        task_id: TaskId,
        /// When work is handed out again.
        until: Time,
        /// Whether the provider did not say when, and this is a try.
        guessed: bool,
        /// What it said.
        reason: String,
    }
    /// Work of an account is handed out again.
    161 1 AccountFreed "account_freed" {
        /// The account.
        account: String,
        /// Who says so; the director at its time.
        by: String,
    }
    /// Who has more to do than they can, and who could take some of it.
    120 1 TeamUtilizationAlert "team_utilization_alert" {
        /// The sprint.
        sprint_id: SprintId,
        /// Agents with more than they can do; nobody when it is over.
        overloaded_agents: Vec<AgentLoad>,
        /// Agents with less than 80 % of what they can do.
        available_capacity: Vec<AgentRoom>,
        /// Whether waiting tasks can move from the ones to the others.
        rebalancing_needed: bool,
    }
    /// A waiting task moves from a role that has too much to one that has room.
    121 1 TaskRebalanced "task_rebalanced" {
        /// The task.
        task_id: TaskId,
        /// The role that had it.
        from: Name,
        /// The role that has it now.
        to: Name,
        /// How loaded the first was, in thousandths of what it can do; none where it is down.
        from_load: Option<u32>,
        /// How loaded the second is with it, in thousandths.
        to_load: u32,
    }
    /// The engineering manager is asked: for the note of a standup, or about tasks that would move.
    152 1 ManagerAsked "manager_asked" {
        /// Its number.
        message: MessageId,
        /// The sprint.
        sprint_id: SprintId,
        /// Who is asked.
        to: AgentId,
        /// The moves that wait for its word; none at a standup.
        moves: Vec<TaskRebalanced>,
        /// When they are made without it.
        deadline: Option<Time>,
        /// What.
        text: String,
    }
    /// The engineering manager's note of the day's standup.
    153 1 StandupNoted "standup_noted" {
        /// The sprint.
        sprint_id: SprintId,
        /// Who.
        by: String,
        /// What.
        note: String,
    }
    /// What becomes of moves that were put to the engineering manager.
    154 1 RebalancingDecided "rebalancing_decided" {
        /// The sprint.
        sprint_id: SprintId,
        /// Who; the director where nobody answered in time.
        by: String,
        /// What stays where it is.
        stays: Vec<TaskId>,
        /// What was said.
        text: String,
    }
    /// The day's standup of a running sprint was held.
    122 1 DailyStandupCompleted "daily_standup_completed" {
        /// The sprint.
        sprint_id: SprintId,
        /// Since when it looks back.
        since: Time,
        /// Thousandths of the sprint's committed tasks that are done.
        sprint_progress: u32,
        /// Tasks completed since the last one, oldest first.
        completed_yesterday: Vec<TaskId>,
        /// What goes on, and what can begin.
        planned_today: Vec<TaskId>,
        /// What holds tasks up.
        blockers: Vec<OpenBlocker>,
        /// What became free, and what waits for something that does not move by itself.
        dependency_updates: Vec<DependencyUpdate>,
        /// Points since the last one against those between the two before.
        velocity_trend: VelocityTrend,
    }
    /// Where a running sprint stands, on its schedule.
    123 1 ProgressUpdated "progress_updated" {
        /// The sprint.
        sprint_id: SprintId,
        /// The working day, from 1; none without dates.
        day: Option<u32>,
        /// How many it has; none without an end.
        days: Option<u32>,
        /// Tasks that are done.
        completed: u32,
        /// Tasks that somebody works on, judges or merges.
        in_progress: u32,
        /// Tasks that are held up.
        blocked: u32,
        /// Points that are done.
        velocity: u32,
        /// Points meant to be done.
        target: u32,
        /// Tasks completed since the last update.
        key_achievements: Vec<TaskId>,
        /// What holds tasks up.
        blockers: Vec<OpenBlocker>,
        /// What goes on, and what can begin.
        next: Vec<TaskId>,
    }
}
