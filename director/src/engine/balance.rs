//! Load: how much each role has to do, against what its agents can do.
//!
//! A role's load is the effort that its agents have in hand, have spent and have waiting, over the hours that they have in a
//! sprint. Hours are those of `capacity`, or what is usual for the role; only written ones, and a role that is down, make
//! an overload. An agent's load is what it has taken itself and an equal part of what waits.
//!
//! Invariant: a role that an alert has named is named again only after it was under [`ROOM`], or has [`STEP`] more than then.
//! Elsewhere: when it is looked at, and what moves, is `decide::balance`.

use director_protocols::event::{AgentLoad, AgentRoom, TaskRebalanced, TeamUtilizationAlert};
use director_protocols::ids::{AgentId, RoleId};
use director_protocols::roles::usual_hours;
use director_protocols::time::Span;

use super::state::State;
use super::tasks::{Phase, Task};
use super::team::Role;

/// All that a role can do, in thousandths.
pub const FULL: u32 = 1000;
/// Under this a role has room for more, in thousandths; an alert about it is over.
pub const ROOM: u32 = 800;
/// So much more than when it was last named, in thousandths, and a role is named again.
pub const STEP: u32 = 200;

/// What one role has to do and can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Load {
    /// Effort in hand, spent and waiting.
    pub effort: Span,
    /// The part of it that nobody has in hand.
    pub waiting: Span,
    /// What its agents can do; nothing while it is down.
    pub capacity: Span,
    /// Whether more than that is too much: its capacity is written, or it is down.
    pub limited: bool,
}

impl Load {
    /// In thousandths of what the role can do.
    pub fn share(&self) -> u32 {
        per_mille(self.effort, self.capacity)
    }

    /// Whether the role has more than it can do.
    pub fn is_over(&self) -> bool {
        self.limited && self.effort > self.capacity
    }
}

/// Thousandths; more than fits is as much as fits.
fn per_mille(part: Span, whole: Span) -> u32 {
    match (part.0, whole.0) {
        (0, _) => 0,
        (_, 0) => u32::MAX,
        (part, whole) => {
            let share = u128::from(part) * 1000 / u128::from(whole);
            u32::try_from(share).unwrap_or(u32::MAX)
        }
    }
}

impl Task {
    /// Whether it waits to be begun or begun again, so that its effort is still to come.
    pub fn is_to_come(&self) -> bool {
        let waits = matches!(
            self.phase,
            Phase::Waiting | Phase::Ready | Phase::Backoff(_) | Phase::Blocked
        );
        waits && self.agent.is_none() && !self.dropped
    }
}

/// Hours of effort that one instance of the role has in a sprint.
pub fn capacity(role: &Role) -> Span {
    let usual = || usual_hours(role.spec.name.as_str());
    role.spec.capacity.unwrap_or_else(usual)
}

/// The load of every role, by number. Looks at every task of the sprints that are going.
pub fn loads(state: &State) -> Vec<Load> {
    let mut waiting = vec![Span::ZERO; state.team.roles.len()];
    for sprint in state.sprints.table.iter().filter(|row| !row.is_over()) {
        for id in sprint.tasks() {
            let row = &state.tasks.table[id.index()];
            if row.is_to_come() {
                waiting[row.role.index()] += row.spec.estimate.mean();
            }
        }
    }
    let roles = state.team.roles.iter().zip(waiting);
    roles
        .map(|(role, waiting)| {
            let own = role
                .active()
                .map(|id| state.team.agents[id.index()].allocated);
            let agents = u64::from(role.spec.count);
            Load {
                // What agents of a role that is down have spent is no burden to anybody.
                effort: match role.lost {
                    true => waiting,
                    false => own.sum::<Span>() + waiting,
                },
                waiting,
                capacity: match role.lost {
                    true => Span::ZERO,
                    false => Span(capacity(role).0.saturating_mul(agents)),
                },
                limited: role.lost || role.spec.capacity.is_some(),
            }
        })
        .collect()
}

/// One agent's load, in thousandths of its own hours, whether its role is down or not.
pub fn agent_load(state: &State, id: AgentId, loads: &[Load]) -> u32 {
    let agent = &state.team.agents[id.index()];
    let role = &state.team.roles[agent.role.index()];
    let waiting = loads
        .get(agent.role.index())
        .map_or(0, |load| load.waiting.0);
    let part = Span(waiting / u64::from(role.spec.count.max(1)));
    per_mille(agent.allocated + part, capacity(role))
}

/// The agents of the roles that are over, for an alert.
pub fn overloaded(state: &State, loads: &[Load]) -> Vec<AgentLoad> {
    let roles = state.team.roles.iter().zip(loads);
    roles
        .filter(|(_, load)| load.is_over())
        .flat_map(|(role, _)| role.active().map(move |id| (role, id)))
        .map(|(role, id)| AgentLoad {
            agent_id: id,
            load: agent_load(state, id, loads),
            lost: role.lost,
        })
        .collect()
}

/// The agents of the roles that have room, for an alert.
pub fn with_room(state: &State, loads: &[Load]) -> Vec<AgentRoom> {
    let roles = state.team.roles.iter().zip(loads);
    roles
        .filter(|(role, load)| !role.lost && load.share() < ROOM)
        .flat_map(|(role, _)| role.active().map(move |id| (role, id)))
        .map(|(role, id)| {
            let full = capacity(role).0;
            let used = u64::from(agent_load(state, id, loads).min(FULL));
            AgentRoom {
                agent_id: id,
                free_hours: Span(full - (u128::from(full) * u128::from(used) / 1000) as u64),
            }
        })
        .filter(|room| room.free_hours > Span::ZERO)
        .collect()
}

impl State {
    /// Remembers who was named, and forgets who has room again.
    pub(super) fn alerted(&mut self, e: &TeamUtilizationAlert) {
        let loads = loads(self);
        for (index, load) in loads.iter().enumerate() {
            let named = e
                .overloaded_agents
                .iter()
                .any(|one| self.team.agents[one.agent_id.index()].role == RoleId(index as u32));
            let role = &mut self.team.roles[index];
            match named {
                true => role.alerted = load.share().max(1),
                false if load.share() < ROOM => role.alerted = 0,
                false => {}
            }
        }
    }

    /// A task stands with another role from now on.
    pub(super) fn rebalanced(&mut self, e: &TaskRebalanced) {
        if let Some(role) = self.team.by_role.get(&e.to).copied() {
            self.tasks.set_role(e.task_id, role);
            self.tasks.table[e.task_id.index()].moved = true;
        }
        if let Some(from) = self.team.by_role.get(&e.from).copied() {
            let role = &mut self.team.roles[from.index()];
            role.alerted = role.alerted.min(FULL);
        }
    }
}
