//! The team: roles, their agents, who is free, and how much effort each has been given.
//!
//! Agents are rows of a dense table, named `<role>-<n>`. An agent is *free* when its actor is up, its role is
//! not lost or retired, and it has no task in hand.
//!
//! Invariant: `free` equals a recount; `allocated` is the effort of tasks in hand plus what was spent.
//! Elsewhere: choosing among free agents is `decide::assign`; starting actors is `actors::team`.

use std::collections::{BTreeMap, VecDeque};

use director_protocols::ids::{AgentId, FeatureId, Generation, Name, RoleId, SprintId, TaskId};
use director_protocols::shared::Shared;
use director_protocols::sprint::RoleSpec;
use director_protocols::time::{Span, Time};
use director_protocols::ways::Peer;
use serde::Serialize;

use super::balance;
use super::people::PERSON;

/// How many features an agent is taken to remember.
const REMEMBERED_FEATURES_MAX: usize = 4;

/// A role and its agents.
#[derive(Clone, Debug, Serialize)]
pub struct Role {
    /// As submitted last.
    pub spec: Shared<RoleSpec>,
    /// Its agents, in order; those beyond the count are retired.
    pub agents: Vec<AgentId>,
    /// Those that could start a task now, by number.
    pub free: Vec<AgentId>,
    /// Used up its restart intensity.
    pub lost: bool,
    /// Effort that its agents spent beyond what was estimated.
    pub overrun: Span,
    /// How loaded it was when an alert last named it, in thousandths; 0 while there is nothing to say.
    pub alerted: u32,
}

/// One agent.
#[derive(Clone, Debug, Serialize)]
pub struct Agent {
    /// `<role>-<n>`.
    pub name: Name,
    /// Its role.
    pub role: RoleId,
    /// Its actor takes messages.
    pub up: bool,
    /// No longer part of the team.
    pub retired: bool,
    /// The current or last incarnation.
    pub generation: Generation,
    /// How often it came back after it had gone down.
    pub restarts: u32,
    /// It went down while this director ran, and has not come back yet.
    pub fell: bool,
    /// What it has in hand.
    pub task: Option<TaskId>,
    /// Effort of what it has in hand and has done in the running sprints.
    pub allocated: Span,
    /// The part of it that it has done, by sprint.
    pub spent: BTreeMap<SprintId, Span>,
    /// Time with a task in hand.
    pub busy: Span,
    /// Since when it has the task.
    pub since: Time,
    /// First time it was up.
    pub joined: Option<Time>,
    /// Features it worked on last, newest first.
    pub remembers: VecDeque<FeatureId>,
    /// Files that it changed in sprints that are going, newest first, see [`super::files`].
    pub files: VecDeque<(SprintId, String)>,
    /// Tasks it completed.
    pub completed: u32,
}

/// All roles and agents.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Team {
    /// By id.
    pub roles: Vec<Role>,
    /// By id.
    pub agents: Vec<Agent>,
    /// Roles by name.
    pub by_role: BTreeMap<Name, RoleId>,
    /// The roles that have a peer's name, asked for after each completion.
    pub peers: BTreeMap<Peer, RoleId>,
    /// Agents by name.
    pub by_name: BTreeMap<Name, AgentId>,
}

impl Team {
    /// The agent, if there is one of that number.
    pub fn get(&self, id: AgentId) -> Option<&Agent> {
        self.agents.get(id.index())
    }

    /// The agent's role.
    pub fn role_of(&self, id: AgentId) -> Option<&Role> {
        self.get(id).map(|agent| &self.roles[agent.role.index()])
    }

    /// The names of the roles that people fill, and of the agents in them.
    pub fn people(&self) -> Vec<String> {
        let roles = self.roles.iter().filter(|role| role.is_people());
        roles
            .flat_map(|role| {
                let agents = role.active().map(|id| &self.agents[id.index()].name);
                std::iter::once(&role.spec.name).chain(agents)
            })
            .map(Name::to_string)
            .collect()
    }

    /// Whether the agent is part of the team, up or not.
    pub fn is_there(&self, id: AgentId) -> bool {
        self.get(id).is_some_and(|agent| !agent.retired)
    }

    /// Nothing is committed any more: the next sprint begins with everybody's whole capacity.
    pub fn forget_effort(&mut self) {
        for agent in &mut self.agents {
            agent.allocated = Span::ZERO;
            agent.spent.clear();
        }
        for role in &mut self.roles {
            role.alerted = 0;
        }
    }

    /// Whether the agent's role has the kind of task, or covers it.
    pub fn is_able(&self, id: AgentId, role: RoleId, kind: &str) -> bool {
        self.get(id).is_some_and(|agent| {
            agent.role == role || self.roles[agent.role.index()].covers_kind(kind)
        })
    }

    /// Takes in a sprint's team: known roles are brought up to date, new ones added, instances grown or retired.
    pub fn adopt(&mut self, specs: &[RoleSpec], now: Time) {
        for spec in specs {
            let role = *self.by_role.entry(spec.name.clone()).or_insert_with(|| {
                self.roles.push(Role {
                    spec: spec.clone().into(),
                    agents: Vec::new(),
                    free: Vec::new(),
                    lost: false,
                    overrun: Span::ZERO,
                    alerted: 0,
                });
                RoleId(self.roles.len() as u32 - 1)
            });
            if let Some(peer) = Peer::named(spec.name.as_str()) {
                self.peers.insert(peer, role);
            }
            let were_people = self.roles[role.index()].is_people();
            self.roles[role.index()].spec = spec.clone().into();
            let are_people = self.roles[role.index()].is_people();
            while self.roles[role.index()].agents.len() < spec.count as usize {
                self.add_agent(role);
            }
            for (place, id) in self.roles[role.index()]
                .agents
                .clone()
                .into_iter()
                .enumerate()
            {
                let agent = &mut self.agents[id.index()];
                agent.retired = place >= spec.count as usize;
                if are_people {
                    agent.up = !agent.retired;
                    agent.joined.get_or_insert(now);
                } else if were_people {
                    agent.up = false;
                }
                self.refresh(id);
            }
        }
    }

    fn add_agent(&mut self, role: RoleId) {
        let owner = &mut self.roles[role.index()];
        let id = AgentId(self.agents.len() as u32);
        let text = format!("{}-{}", owner.spec.name, owner.agents.len() + 1);
        // A role's name is checked and short; a number keeps it a name.
        let name = Name::new(text).unwrap_or_else(|_| owner.spec.name.clone());
        owner.agents.push(id);
        self.by_name.insert(name.clone(), id);
        self.agents.push(Agent {
            name,
            role,
            up: false,
            retired: false,
            generation: Generation(0),
            restarts: 0,
            fell: false,
            task: None,
            allocated: Span::ZERO,
            spent: BTreeMap::new(),
            busy: Span::ZERO,
            since: Time(0),
            joined: None,
            remembers: VecDeque::new(),
            files: VecDeque::new(),
            completed: 0,
        });
    }

    fn refresh(&mut self, id: AgentId) {
        let agent = &self.agents[id.index()];
        let role = &mut self.roles[agent.role.index()];
        let is_free = agent.up && !agent.retired && agent.task.is_none() && !role.lost;
        match (role.free.binary_search(&id), is_free) {
            (Err(place), true) => role.free.insert(place, id),
            (Ok(place), false) => drop(role.free.remove(place)),
            _ => {}
        }
    }

    /// An incarnation takes messages.
    pub fn up(&mut self, id: AgentId, generation: Generation, now: Time) {
        let agent = &mut self.agents[id.index()];
        agent.up = true;
        agent.restarts += u32::from(std::mem::take(&mut agent.fell));
        agent.generation = generation;
        agent.joined.get_or_insert(now);
        self.refresh(id);
    }

    /// An incarnation is gone.
    pub fn down(&mut self, id: AgentId) {
        let agent = &mut self.agents[id.index()];
        agent.up = false;
        agent.fell = true;
        self.refresh(id);
    }

    /// A director took over: nobody is up but people.
    pub fn all_down(&mut self) {
        for index in 0..self.agents.len() {
            let agent = &mut self.agents[index];
            // It went with its director.
            agent.fell = false;
            agent.up = !agent.retired && self.roles[agent.role.index()].is_people();
            self.refresh(AgentId(index as u32));
        }
        for role in &mut self.roles {
            role.lost = false;
            role.alerted = role.alerted.min(balance::FULL);
        }
    }

    /// All agents of a role stay down, or may come back.
    pub fn set_lost(&mut self, role: RoleId, lost: bool) {
        let row = &mut self.roles[role.index()];
        row.lost = lost;
        row.alerted = row.alerted.min(balance::FULL);
        for id in self.roles[role.index()].agents.clone() {
            self.refresh(id);
        }
    }

    /// Gives the agent a task of that much effort.
    pub fn take(&mut self, id: AgentId, task: TaskId, feature: FeatureId, effort: Span, now: Time) {
        let agent = &mut self.agents[id.index()];
        agent.task = Some(task);
        agent.allocated += effort;
        agent.since = now;
        agent.remembers.retain(|known| *known != feature);
        agent.remembers.push_front(feature);
        agent.remembers.truncate(REMEMBERED_FEATURES_MAX);
        self.refresh(id);
    }

    /// Takes the task of that sprint from the agent. Effort that it did not spend returns; `keep` is what it did.
    pub fn let_go(
        &mut self,
        id: AgentId,
        sprint: SprintId,
        (effort, keep): (Span, Span),
        now: Time,
    ) -> Span {
        let agent = &mut self.agents[id.index()];
        if agent.task.take().is_none() {
            return Span::ZERO;
        }
        let spent = now.since(agent.since);
        agent.busy += spent;
        agent.allocated = agent.allocated - effort + keep;
        *agent.spent.entry(sprint).or_default() += keep;
        self.refresh(id);
        spent
    }
}

impl Role {
    /// Whether the role has or covers tasks of `kind`.
    pub fn covers_kind(&self, kind: &str) -> bool {
        self.spec
            .kinds
            .iter()
            .chain(&self.spec.covers)
            .any(|k| k == kind || k == "*")
    }

    /// Whether people fill it: there is no actor, and what they get waits in the inbox.
    pub fn is_people(&self) -> bool {
        self.spec.agent.kind == PERSON
    }

    /// Instances that are part of the team.
    pub fn active(&self) -> impl Iterator<Item = AgentId> + '_ {
        self.agents.iter().copied().take(self.spec.count as usize)
    }
}
