//! The wait-for graph: who and what cannot go on before something else does, found in the state.
//!
//! | waits | for | until |
//! |---|---|---|
//! | a task | each task that it depends on | that is completed and handed on |
//! | a ready task | the task that has its feature's worktree | its work is merged or saved |
//! | a ready task | one of the agents that may have it | one of them is free; a role has only so many |
//! | a ready task | its account's provider, which takes no more requests | its time comes |
//! | a ready task, in an emergency | the emergency's task | the emergency is over |
//! | a task in hand | its agent | it reports |
//! | a task that is judged | the help that judges it, each gate | there is a verdict |
//! | a blocked task | its helper, or who is asked for guidance | there is an answer |
//! | an agent that asked | another agent, or whoever takes a task up | it is answered |
//!
//! What waits for a person, a program, a deadline, the quota of a provider's account ([`super::accounts`], a clock) or nothing comes to an end by itself. Of several agents one is enough, all else has
//! to come. What does not come to an end by these rules stands in a circle, and since only who asks keeps what it has while it waits
//! (its place and its worktree), every circle passes through one that asked.
//!
//! Invariant: between decisions nobody stands in a circle. A wait that would close one is refused with the circle named; where what
//! else happened closed one, the question in it is answered so ([`super::decide::message::lifted`]).
//! Elsewhere: the rules for questions are `decide::message`, for approvals `decide::review`; `why` shows the chain from here.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use director_protocols::ids::{AgentId, FeatureId, Name, RoleId, TaskId};
use director_protocols::severity::Severity;
use serde::Serialize;

use super::decide::{emergency, pair};
use super::judging::Judging;
use super::state::State;
use super::tasks::{Phase, Task};

/// The most steps of a chain that are told.
pub const CHAIN_MAX: usize = 12;

/// Whom or what an agent that asked waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Asked {
    /// An answer of this agent.
    Agent(AgentId),
    /// An answer of whoever takes this task up.
    Taker(TaskId),
}

/// Someone or something that waits, or is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Node {
    /// An agent.
    Agent(AgentId),
    /// A task.
    Task(TaskId),
}

/// What is waited for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Why {
    /// The answer to a question.
    Answer,
    /// That somebody takes the task up, and answers.
    Taker,
    /// What the task hands on.
    Input,
    /// The feature's worktree.
    Worktree(FeatureId),
    /// A place among the agents of a role, or the one agent that shall have it.
    Place(RoleId),
    /// That the emergency about the task is over.
    Emergency,
    /// That the agent reports.
    Hand,
    /// A verdict on this gate.
    Approval(Name),
    /// What a second agent finds out.
    Help,
    /// Guidance about a blocker.
    Guidance,
}

/// One wait.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wait {
    /// Who waits.
    pub from: Node,
    /// For whom.
    pub to: Node,
    /// For what.
    pub why: Why,
}

/// What one waits for: everything in `all`, and one in `any` if there is one.
#[derive(Default)]
struct Waits {
    all: Vec<(Node, Why)>,
    any: Vec<(Node, Why)>,
}

impl Waits {
    fn each(&self) -> impl Iterator<Item = &(Node, Why)> {
        self.all.iter().chain(&self.any)
    }
}

/// What the node waits for now.
fn waits(state: &State, node: Node) -> Waits {
    match node {
        Node::Agent(agent) => Waits {
            all: match state.messages.waits.get(&agent) {
                Some((_, Asked::Agent(to))) => vec![(Node::Agent(*to), Why::Answer)],
                Some((_, Asked::Taker(task))) => vec![(Node::Task(*task), Why::Taker)],
                None => Vec::new(),
            },
            any: Vec::new(),
        },
        Node::Task(task) => match state.tasks.get(task) {
            Some(row) => of_task(state, task, row),
            None => Waits::default(),
        },
    }
}

fn of_task(state: &State, id: TaskId, task: &Task) -> Waits {
    let mut found = Waits::default();
    if let Some(agent) = task.agent {
        found.all.push((Node::Agent(agent), Why::Hand));
        return found;
    }
    match task.phase {
        Phase::Waiting => {
            let open = task.depends_on.iter().copied();
            let open = open.filter(|dep| state.tasks.table[dep.index()].phase != Phase::Completed);
            found
                .all
                .extend(open.map(|dep| (Node::Task(dep), Why::Input)));
        }
        Phase::Ready | Phase::Backoff(_) => to_begin(state, id, task, &mut found),
        Phase::Reviewing => {
            let story = task.story.as_deref();
            let judged = story.into_iter().flat_map(|story| &story.judged);
            for (gate, judging) in judged {
                if *judging == Judging::Agent
                    && let Some(help) = judge(state, id, gate)
                {
                    let why = Why::Approval(gate.clone());
                    found.all.push((Node::Task(help), why));
                }
            }
        }
        Phase::Blocked => blocked(state, task, &mut found),
        // On its way by itself, over, or a person's.
        Phase::Deferred
        | Phase::Assigned
        | Phase::Working
        | Phase::Reported
        | Phase::Queued
        | Phase::Merging
        | Phase::Completed
        | Phase::Failed
        | Phase::Quarantined
        | Phase::Cancelled => {}
    }
    found
}

/// What a task needs before its next attempt can begin.
fn to_begin(state: &State, id: TaskId, task: &Task, found: &mut Waits) {
    let sprint = &state.sprints.table[task.sprint.index()];
    if !sprint.is_running() || sprint.paused || sprint.cancelled || sprint.moved.is_some() {
        return; // A person's.
    }
    let feature = &state.tasks.features[task.feature.index()];
    if let Some(holder) = feature.holder
        && holder != id
    {
        let why = Why::Worktree(task.feature);
        found.all.push((Node::Task(holder), why));
    }
    if let Some(what) = sprint.emergency
        && what.task != id
        && !emergency::is_urgent(task, id, &emergency::wants(state, what.task))
    {
        found.all.push((Node::Task(what.task), Why::Emergency));
    }
    let role = &state.team.roles[task.role.index()];
    let may = |agent: &AgentId| {
        task.wanted.is_none_or(|wanted| wanted == *agent) && !task.avoid.contains(agent)
    };
    if role.lost || role.free.iter().any(may) {
        return; // A person's, or next.
    }
    let able = role.active().filter(may);
    found
        .any
        .extend(able.map(|agent| (Node::Agent(agent), Why::Place(task.role))));
}

/// The help that judges the gate.
fn judge(state: &State, task: TaskId, gate: &Name) -> Option<TaskId> {
    use director_protocols::origin::Origin;
    let sprint = state.tasks.table[task.index()].sprint;
    let added = state.sprints.table[sprint.index()].added.iter().copied();
    added.rev().find(|help| {
        let row = &state.tasks.table[help.index()];
        !row.phase.is_over()
            && matches!(
                row.origin.as_deref(),
                Some(Origin::Gate { task_id, gate: of, .. }) if *task_id == task && of == gate
            )
    })
}

/// Whose answer a blocked task waits for, where no person is asked.
fn blocked(state: &State, task: &Task, found: &mut Waits) {
    let Some(id) = task.blocker else { return };
    let blocker = &state.trouble.blockers[id.index()];
    if blocker.severity >= Severity::High {
        return;
    }
    if let Some(help) = pair::open(state, id) {
        found.all.push((Node::Task(help), Why::Help));
        return;
    }
    let asked = state.messages.table.iter();
    let mut asked = asked.filter(|message| message.blocker == Some(id) && message.answer.is_none());
    if let Some(to) = asked.next().and_then(|message| message.to) {
        found.all.push((Node::Agent(to), Why::Guidance));
    }
}

/// The circle that closes if `from` waits for `to`, from `from` back to itself; empty if none does.
pub fn circle(state: &State, new: &Wait) -> Vec<Wait> {
    let mut graph = Graph::of(state, new.to);
    graph.put(state, new.clone());
    graph.circle(new.from)
}

/// The circle that closes if the task waits for one of these agents of a role; empty if one of them comes free.
pub fn by_one_of(state: &State, task: TaskId, role: RoleId, agents: &[AgentId]) -> Vec<Wait> {
    // Only who asked can hold anything up for ever.
    if state.messages.waits.is_empty() {
        return Vec::new();
    }
    let (node, why) = (Node::Task(task), Why::Place(role));
    let mut graph = Graph::of(state, node);
    let agents: Vec<Node> = agents.iter().copied().map(Node::Agent).collect();
    graph.reach(state, agents.clone());
    if let Some(waits) = graph.waits.get_mut(&node) {
        waits.any = agents.into_iter().map(|to| (to, why.clone())).collect();
    }
    graph.circle(node)
}

/// Whether the agent, if the task waited for it, would wait for the task.
pub fn closes(state: &State, task: TaskId, agent: AgentId) -> bool {
    let role = state.team.agents[agent.index()].role;
    !by_one_of(state, task, role, &[agent]).is_empty()
}

/// The circle that the node stands in; empty if it stands in none.
pub fn standing(state: &State, node: Node) -> Vec<Wait> {
    Graph::of(state, node).circle(node)
}

/// The part of the graph that can be reached from somewhere.
struct Graph {
    waits: BTreeMap<Node, Waits>,
}

impl Graph {
    fn of(state: &State, start: Node) -> Self {
        let mut graph = Self {
            waits: BTreeMap::new(),
        };
        graph.reach(state, vec![start]);
        graph
    }

    fn reach(&mut self, state: &State, mut todo: Vec<Node>) {
        while let Some(node) = todo.pop() {
            if self.waits.contains_key(&node) {
                continue;
            }
            let waits = waits(state, node);
            todo.extend(waits.each().map(|(to, _)| *to));
            self.waits.insert(node, waits);
        }
    }

    /// Puts in a wait that is not there yet.
    fn put(&mut self, state: &State, new: Wait) {
        self.reach(state, vec![new.from, new.to]);
        if let Some(waits) = self.waits.get_mut(&new.from) {
            // Whoever asks again waits for the newer answer.
            if matches!(new.why, Why::Answer | Why::Taker) {
                waits.all.clear();
            }
            waits.all.push((new.to, new.why));
        }
    }

    /// What does not come to an end by itself: what is left when everything that does is taken away, again and again.
    fn stuck(&self) -> BTreeSet<Node> {
        let mut stuck: BTreeSet<Node> = self.waits.keys().copied().collect();
        loop {
            let before = stuck.len();
            for (node, waits) in &self.waits {
                let ends = |to: &(Node, Why)| !stuck.contains(&to.0);
                let any = waits.any.is_empty() || waits.any.iter().any(ends);
                if any && waits.all.iter().all(ends) {
                    stuck.remove(node);
                }
            }
            if stuck.len() == before {
                return stuck;
            }
        }
    }

    /// The shortest way from `start` back to it among those that do not come to an end.
    fn circle(&self, start: Node) -> Vec<Wait> {
        // Who waits for nobody is in no circle; that is most of the time.
        if self
            .waits
            .get(&start)
            .is_none_or(|waits| waits.each().next().is_none())
        {
            return Vec::new();
        }
        let stuck = self.stuck();
        if !stuck.contains(&start) {
            return Vec::new();
        }
        let mut came: BTreeMap<Node, Wait> = BTreeMap::new();
        let mut todo = VecDeque::from([start]);
        while let Some(from) = todo.pop_front() {
            for (to, why) in self.waits.get(&from).into_iter().flat_map(Waits::each) {
                if !stuck.contains(to) || came.contains_key(to) {
                    continue;
                }
                let (to, why) = (*to, why.clone());
                came.insert(to, Wait { from, to, why });
                if to == start {
                    return path(&came, start);
                }
                todo.push_back(to);
            }
        }
        Vec::new()
    }
}

/// The way back to `start`, in the order in which it is waited.
fn path(came: &BTreeMap<Node, Wait>, start: Node) -> Vec<Wait> {
    let mut steps = Vec::new();
    let mut at = start;
    while let Some(wait) = came.get(&at) {
        steps.push(wait.clone());
        at = wait.from;
        if at == start {
            break;
        }
    }
    steps.reverse();
    steps
}

/// What the task waits for, and what that waits for, up to what goes on by itself: of several things the first.
pub fn chain(state: &State, task: TaskId) -> Vec<Wait> {
    let mut steps: Vec<Wait> = Vec::new();
    let mut from = Node::Task(task);
    while steps.len() < CHAIN_MAX {
        let waits = waits(state, from);
        let Some((to, why)) = waits.each().next().cloned() else {
            break;
        };
        steps.push(Wait { from, to, why });
        from = to;
    }
    steps
}

/// One sentence for waits that follow each other.
pub fn told(state: &State, steps: &[Wait]) -> String {
    let steps: Vec<String> = steps.iter().map(|step| words(state, step)).collect();
    steps.join(", ")
}

fn name(state: &State, node: Node) -> String {
    match node {
        Node::Agent(agent) => state.agent_name(agent),
        Node::Task(task) => state.task_name(task),
    }
}

/// One wait in words.
pub fn words(state: &State, wait: &Wait) -> String {
    let (from, to) = (name(state, wait.from), name(state, wait.to));
    match &wait.why {
        Why::Answer => format!("{from} waits for an answer of {to}"),
        Why::Taker => format!("{from} waits for an answer of whoever takes {to} up"),
        Why::Input => format!("{from} waits for what {to} hands on"),
        Why::Worktree(feature) => {
            let feature = &state.tasks.features[feature.index()].name;
            format!("{from} waits for the worktree of {feature}, which {to} has")
        }
        Why::Place(role) => {
            let role = &state.team.roles[role.index()].spec.name;
            format!("{from} waits for a free {role}, and {to} is busy")
        }
        Why::Emergency => format!("{from} waits until the emergency about {to} is over"),
        Why::Hand => format!("{to} has {from} in hand"),
        Why::Approval(gate) => format!("{from} waits for the gate `{gate}`, which is {to}"),
        Why::Help => format!("{from} waits for help, which is {to}"),
        Why::Guidance => format!("{from} waits for guidance of {to}"),
    }
}
