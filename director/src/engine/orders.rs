//! Orders: an effect with everything that is needed to carry it out, made from the state alone.
//!
//! The engine keeps effects small; the order is written out when the effect leaves. Made again after a
//! restart, it reads the same, because nothing but the journal goes into it.

use director_protocols::ids::{AgentId, Attempt, Generation, MessageId, SprintId, TaskId};
use director_protocols::origin::Origin;
use director_protocols::sandbox::Sandbox;
use director_protocols::shared::Shared;
use director_protocols::sprint::{Check, GateSpec, Isolation, OnConflict, RoleSpec};
use director_protocols::time::Span;
use director_protocols::work::{Assignment, Earlier, HandoffPart, Judged};

use super::clashes::{self, Watch};
use super::decide::clash;
use super::deployments;
use super::effects::Effect;
use super::gating;
use super::inform::{self, Notice};
use super::replan;
use super::sprints::{Sprint, Stage};
use super::state::State;
use super::tasks::Story;
use crate::planner::replan::Replan;

/// Where a sprint's work lies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The sprint.
    pub id: SprintId,
    /// The sprint's name.
    pub sprint: String,
    /// The repository; none means scratch directories.
    pub repo: Option<String>,
    /// The base branch, if the sprint names one.
    pub base: Option<String>,
    /// The commit that the sprint started from.
    pub started_at: String,
    /// The integration branch's head, as the journal has it.
    pub head: String,
    /// What gates may touch there; `None` for all that the director may.
    pub sandbox: Option<Box<Sandbox>>,
}

/// One task's attempt, as git needs to know it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Piece {
    /// The task's number.
    pub id: TaskId,
    /// The task's name.
    pub task: String,
    /// Its title.
    pub title: String,
    /// Its feature's name.
    pub feature: String,
    /// The attempt.
    pub attempt: Attempt,
    /// The agent's name.
    pub agent: String,
    /// What the worktree was at when the attempt began.
    pub begun_at: String,
    /// The work's commit.
    pub commit: String,
    /// Paths that have to exist when it is done.
    pub produces: Vec<String>,
    /// What its agent works in.
    pub isolation: Isolation,
    /// Whether its agent has a sandbox, so that what changes elsewhere is not its doing.
    pub sandboxed: bool,
    /// The earlier work that is merged into the worktree before the agent begins; empty for none.
    pub resolve: String,
    /// Files that had a conflict when the attempt began, and must have no marker left when it is done.
    pub conflict: Vec<String>,
    /// When the attempt was assigned, for reproducible dates.
    pub at_ms: u64,
}

/// A role as its supervisor needs to know it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoleOrder {
    /// As submitted last.
    pub spec: RoleSpec,
    /// The agents that should be running, with the last incarnation of each.
    pub agents: Vec<(AgentId, String, Generation)>,
}

/// Something to do, in full.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Order {
    /// Make the actors equal the team.
    SyncTeam(Vec<RoleOrder>),
    /// Start a role's agents again.
    RestartRole(String),
    /// Look for a better order of this.
    Plan(Box<Replan>),
    /// Watch this for conflicts.
    Watch(Watch),
    /// Check the repository, which has to be free of branches of these features, and make the integration branch.
    PrepareRepo(Place, Vec<String>),
    /// Run these gates on the base.
    CheckBase(Place, Vec<GateSpec>, u64),
    /// Make or reset the feature's worktree at the integration branch's head.
    PrepareWorktree(Place, Piece),
    /// Hand the assignment to the agent.
    Assign(Shared<Assignment>),
    /// Call the attempt off.
    CancelAttempt {
        /// The agent.
        agent: AgentId,
        /// The task.
        task: TaskId,
        /// The attempt.
        attempt: Attempt,
    },
    /// Put what the agent left into a commit.
    CommitWork(Place, Piece),
    /// Save what the attempt left.
    Salvage(Place, Piece),
    /// Build the merge.
    PrepareMerge(Place, Vec<Piece>),
    /// Run these gates on the merge (or in the scratch directory of the only piece).
    RunGates {
        /// Where.
        place: Place,
        /// The pieces.
        batch: Vec<Piece>,
        /// The merge commit; empty without a repository.
        commit: String,
        /// What to run.
        gates: Vec<GateSpec>,
        /// Output kept of each gate, in bytes.
        output_max: u64,
    },
    /// Run this command of a deployment on that commit.
    Deployment(Place, Box<GateSpec>, String, u64),
    /// Advance the integration branch from `onto` to `commit`.
    Advance {
        /// Where.
        place: Place,
        /// The merge commit.
        commit: String,
        /// The expected old value.
        onto: String,
    },
    /// Remove the sprint's worktrees.
    CleanUp(Place, Vec<String>),
    /// Remove what preparing a sprint made that cannot run.
    Withdraw(Place),
    /// Put the integration branch back to where the journal has it, if it still is at this commit, or gone where this is empty.
    PutBack(Place, String),
    /// Hand a message to an agent.
    Deliver {
        /// To whom.
        to: AgentId,
        /// The message.
        message: MessageId,
        /// The sender's name.
        from: String,
        /// What.
        text: String,
        /// Whether an answer is waited for.
        question: bool,
    },
    /// Tell the agent that has this attempt in hand something about it.
    Guide {
        /// To whom.
        to: AgentId,
        /// The message.
        message: MessageId,
        /// Which.
        attempt: (TaskId, Attempt),
        /// What.
        text: String,
    },
    /// Hand an answer to the agent that waits.
    DeliverAnswer {
        /// To whom.
        to: AgentId,
        /// The question's number.
        message: MessageId,
        /// The attempt that waits.
        attempt: (TaskId, Attempt),
        /// The question.
        question: String,
        /// Who answered.
        by: String,
        /// The answer.
        text: String,
    },
    /// Tell a stakeholder of an event.
    Inform(Box<Notice>),
}

/// Writes out an effect. `None` if the state no longer has what it is about.
pub fn order(state: &State, effect: &Effect) -> Option<Order> {
    Some(match effect {
        Effect::SyncTeam => Order::SyncTeam(team(state)),
        Effect::RestartRole { role } => Order::RestartRole(role.clone()),
        Effect::Plan { sprint, base } => {
            Order::Plan(Box::new(replan::problem(state, *sprint, *base)?))
        }
        Effect::Watch { sprint } => Order::Watch(clashes::watch(state, *sprint)?),
        Effect::PrepareRepo { sprint } => {
            Order::PrepareRepo(place(state, *sprint)?, features(state, *sprint))
        }
        Effect::CheckBase { sprint } => {
            let spec = &state.sprints.get(*sprint)?.spec;
            Order::CheckBase(
                place(state, *sprint)?,
                spec.gates.clone(),
                spec.policy.output_max,
            )
        }
        Effect::PrepareWorktree { task, .. } => {
            let piece = piece(state, *task)?;
            Order::PrepareWorktree(place_of(state, *task)?, piece)
        }
        Effect::Assign { task, .. } => Order::Assign(assignment(state, *task)?.into()),
        Effect::CancelAttempt {
            task,
            attempt,
            agent,
        } => Order::CancelAttempt {
            agent: *agent,
            task: *task,
            attempt: *attempt,
        },
        Effect::CommitWork { task, .. } => {
            Order::CommitWork(place_of(state, *task)?, piece(state, *task)?)
        }
        Effect::Salvage { task, attempt } => {
            let mut piece = piece(state, *task)?;
            piece.attempt = *attempt;
            Order::Salvage(place_of(state, *task)?, piece)
        }
        Effect::PrepareMerge { sprint, batch } => {
            Order::PrepareMerge(place(state, *sprint)?, pieces(state, batch)?)
        }
        Effect::RunGates { sprint, batch } => {
            let row = state.sprints.get(*sprint)?;
            Order::RunGates {
                place: place(state, *sprint)?,
                batch: pieces(state, batch)?,
                commit: row
                    .merge
                    .as_ref()
                    .map_or_else(String::new, |merge| merge.commit.clone()),
                gates: with_ratchet(
                    row,
                    gating::gates(state, *sprint, batch)
                        .into_iter()
                        .cloned()
                        .collect(),
                ),
                output_max: row.spec.policy.output_max,
            }
        }
        Effect::CheckReadiness { deployment } | Effect::Probe { deployment } => {
            let probe = matches!(effect, Effect::Probe { .. });
            let row = state.deployments.get(*deployment as usize)?;
            Order::Deployment(
                place(state, row.sprint)?,
                Box::new(deployments::command(state, *deployment, probe)?),
                row.commit.clone(),
                state.sprints.get(row.sprint)?.spec.policy.output_max,
            )
        }
        Effect::Advance { sprint, .. } => {
            let merge = state.sprints.get(*sprint)?.merge.as_ref()?;
            Order::Advance {
                place: place(state, *sprint)?,
                commit: merge.commit.clone(),
                onto: merge.onto.clone(),
            }
        }
        Effect::PutBack { sprint } => {
            let row = state.sprints.get(*sprint)?;
            let found = row.moved.as_ref()?.found.clone();
            Order::PutBack(place(state, *sprint)?, found)
        }
        Effect::CleanUp { sprint } if state.sprints.get(*sprint)?.stage == Stage::Refused => {
            Order::Withdraw(place(state, *sprint)?)
        }
        Effect::CleanUp { sprint } => {
            Order::CleanUp(place(state, *sprint)?, features(state, *sprint))
        }
        Effect::Deliver { message, to } => {
            let row = state.messages.table.get(message.index())?;
            if let Some(attempt) = row.about {
                return Some(Order::Guide {
                    to: *to,
                    message: *message,
                    attempt,
                    text: row.text.clone(),
                });
            }
            Order::Deliver {
                to: *to,
                message: *message,
                from: match (row.blocker, row.item, row.sprint) {
                    (None, None, None) => state.agent_name(row.from),
                    _ => "director".to_owned(),
                },
                text: row.text.clone(),
                question: row.wants_an_answer(),
            }
        }
        Effect::DeliverAnswer { message, to, .. } => {
            let row = state.messages.table.get(message.index())?;
            let (by, text) = row.answer.clone()?;
            Order::DeliverAnswer {
                to: *to,
                message: *message,
                attempt: row.waiting?,
                question: row.text.clone(),
                by,
                text,
            }
        }
        Effect::Inform { sprint, to, event } => {
            Order::Inform(Box::new(inform::notice(state, *sprint, *to, event)?))
        }
    })
}

/// A base that is covered less than the file asks for must not get worse; it need not be mended by the first task.
fn with_ratchet(sprint: &Sprint, mut gates: Vec<GateSpec>) -> Vec<GateSpec> {
    for gate in &mut gates {
        let mut base = sprint.base_gates.iter();
        let before = base.find(|base| base.gate == gate.name.as_str());
        if let Check::Coverage { least, .. } = &mut gate.check
            && let Some(base) = before.and_then(|base| base.measured)
        {
            *least = base.min(*least);
        }
    }
    gates
}

fn team(state: &State) -> Vec<RoleOrder> {
    state
        .team
        .roles
        .iter()
        // People need no actors.
        .filter(|role| !role.is_people())
        .map(|role| RoleOrder {
            spec: (*role.spec).clone(),
            agents: role
                .active()
                .map(|id| {
                    let agent = &state.team.agents[id.index()];
                    (id, agent.name.to_string(), agent.generation)
                })
                .collect(),
        })
        .collect()
}

/// The sprint's features, by name.
fn features(state: &State, sprint: SprintId) -> Vec<String> {
    let all = state.tasks.features.iter();
    let mut names: Vec<String> = all
        .filter(|feature| feature.sprint == sprint && feature.exclusive)
        .map(|feature| feature.name.to_string())
        .collect();
    names.sort();
    names
}

/// Where the sprint's work lies.
pub fn place(state: &State, id: SprintId) -> Option<Place> {
    let sprint = state.sprints.get(id)?;
    Some(Place {
        id,
        sprint: sprint.spec.id.to_string(),
        repo: sprint.spec.repo.clone(),
        base: sprint.spec.base.clone(),
        started_at: sprint.base.clone(),
        head: sprint.head.clone(),
        sandbox: sprint.spec.sandbox.clone(),
    })
}

fn place_of(state: &State, task: TaskId) -> Option<Place> {
    place(state, state.tasks.get(task)?.sprint)
}

fn pieces(state: &State, batch: &[TaskId]) -> Option<Vec<Piece>> {
    batch.iter().map(|task| piece(state, *task)).collect()
}

fn piece(state: &State, task: TaskId) -> Option<Piece> {
    let row = state.tasks.get(task)?;
    let story = row.story.as_deref()?;
    let role = row
        .agent
        .or(row.last_agent)
        .and_then(|agent| state.team.role_of(agent));
    let resolves = role.is_some_and(|role| role.spec.conflicts == OnConflict::Resolve);
    Some(Piece {
        id: task,
        task: row.spec.id.to_string(),
        title: row.spec.title.clone(),
        feature: row.spec.feature.to_string(),
        attempt: row.attempt,
        agent: row
            .last_agent
            .map_or_else(String::new, |id| state.agent_name(id)),
        begun_at: story.begun_at.clone(),
        commit: story.commit.clone(),
        produces: row.spec.produces.clone(),
        isolation: role.map_or_else(Isolation::default, |role| role.spec.isolation),
        sandboxed: role.is_some_and(|role| role.spec.sandbox.is_some()),
        resolve: match resolves {
            true => story.conflicting.clone(),
            false => String::new(),
        },
        conflict: story.conflict.clone(),
        at_ms: story.assigned.0,
    })
}

/// What the agent of the current attempt is given.
fn assignment(state: &State, task: TaskId) -> Option<Assignment> {
    let row = state.tasks.get(task)?;
    let story = row.story.as_deref()?;
    let sprint = state.sprints.get(row.sprint)?;
    let agent = row.agent?;
    let policy = sprint.spec.policy;
    let about = row.origin.as_ref().filter(|_| row.is_help());
    let about = about.and_then(|origin| origin.about());
    // Who joins another knows what that one knows.
    let pair = matches!(row.origin.as_deref(), Some(Origin::Pair { .. }));
    let first = about.filter(|_| pair).and_then(|id| state.tasks.get(id));
    let first = first.and_then(|row| row.story.as_deref());
    let joined = |of: fn(&Story) -> &Vec<Earlier>| first.map_or_else(Vec::new, |s| of(s).clone());
    let joined_words = first.map_or_else(Vec::new, |story| story.guidance.clone());
    // What was said at the standup is for everybody who begins something.
    let note = sprint.note.iter();
    let note: Vec<String> = note
        .map(|note| format!("From the standup, {}: {}", note.by, note.text))
        .collect();
    Some(Assignment {
        task,
        attempt: row.attempt,
        agent,
        sprint: sprint.spec.id.to_string(),
        submitted: sprint.submitted,
        spec: row.spec.clone(),
        role: state.team.role_of(agent)?.spec.name.to_string(),
        sandbox: state.team.role_of(agent)?.spec.sandbox.clone(),
        workdir: match (&sprint.spec.repo, about) {
            (Some(_), None) => story.workdir.clone(),
            // Who helps looks at the work where it is.
            (Some(_), Some(about)) => state
                .tasks
                .get(about)
                .and_then(|row| row.story.as_ref())
                .map_or_else(String::new, |story| story.workdir.clone()),
            (None, _) => String::new(),
        },
        handoff: row
            .depends_on
            .iter()
            .copied()
            .chain(about)
            .chain(clash::met_and_merged(state, task))
            .filter_map(|dep| handoff(state, dep))
            .collect(),
        earlier: [joined(|story| &story.earlier), story.earlier.clone()].concat(),
        guidance: [
            joined_words,
            story.guidance.clone(),
            clash::advice(state, task),
            note,
        ]
        .concat(),
        conflict: story.conflict.clone(),
        session: story
            .session
            .as_ref()
            .filter(|(owner, _)| *owner == agent)
            .map(|(_, session)| session.clone()),
        time_max: row.spec.budget.time.unwrap_or(policy.attempt_time),
        cost_max: state.budgets.reserved.get(&task).and_then(|row| row.most),
        silent_after: policy.silent_after,
        wedged_after: policy.wedged_after,
        output_max: policy.output_max,
        judges: judged(state, task),
        people: state.team.people(),
    })
}

/// What the task is to judge, if it is one of judging.
fn judged(state: &State, task: TaskId) -> Option<Judged> {
    match state.tasks.get(task)?.origin.as_deref()? {
        Origin::Gate { task_id, .. } => {
            let story = state.tasks.get(*task_id)?.story.as_deref()?;
            Some(Judged {
                base: story.begun_at.clone(),
                commit: story.commit.clone(),
            })
        }
        Origin::Package { .. } => Some(Judged::default()),
        _ => None,
    }
}

/// What a completed task hands on.
fn handoff(state: &State, task: TaskId) -> Option<HandoffPart> {
    let row = state.tasks.get(task)?;
    let story = row.story.as_deref()?;
    Some(HandoffPart {
        task: row.spec.id.to_string(),
        title: row.spec.title.clone(),
        agent: row
            .last_agent
            .map_or_else(String::new, |id| state.agent_name(id)),
        summary: story.report().summary.clone(),
        commit: story.merged.clone(),
        changes: story.changes,
        artifacts: story.report().artifacts.clone(),
    })
}

/// Effort left of what was committed and is not done, for people.
pub fn effort_left(state: &State, sprint: SprintId) -> Span {
    state.sprints.get(sprint).map_or(Span::ZERO, |row| {
        row.tasks()
            .filter_map(|task| state.tasks.get(task))
            .filter(|task| !task.phase.is_over())
            .map(|task| task.spec.estimate.mean())
            .sum()
    })
}
