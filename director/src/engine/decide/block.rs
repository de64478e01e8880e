//! Blocking: the four tiers, and how a blocker moves up them.
//!
//! | tier | what happens |
//! |---|---|
//! | low | guidance goes back to the same agent: of the management role, if it can be talked to, or of the director |
//! | medium | another able agent gets the task, or joins the one who has it (`pair`) |
//! | high | the question waits in the inbox, and a role that the ladder names is asked; again when nobody answers in time |
//! | critical | the emergency (`emergency`): everything but critical work pauses until it is resolved |
//!
//! A blocker of a task on the critical path starts one tier higher, and so does one of a task that was held up often. Agents and deadlines reach at most high,
//! unless the task itself is critical, so that a silent night does not stop everything. Low and medium count
//! as resolved when an agent takes the task up again; until then their deadline runs. What was held up often is answered at high by a person
//! alone ([`wants_a_person`]), so that agents do not send one task round and round.

use director_protocols::event::{
    BlockerEscalated, BlockerRaised, Event, GuidanceGiven, RetryDue, TaskReassigned,
};
use director_protocols::ids::{AgentId, BlockerId, Name, TaskId};
use director_protocols::severity::Severity;
use director_protocols::sprint::{Policy, Priority};
use director_protocols::time::{Span, Time};
use director_protocols::ways::Medium;
use director_protocols::work::{BlockerReport, COMMAND};

use super::{budget, deploy, inbox, manage, pair, peer, risk};
use crate::engine::state::{Deadline, State};
use crate::engine::tasks::Phase;
use crate::engine::{accounts, ceremonies, waits};

/// What a blocker is, before it has a number.
pub struct Raise<'a> {
    /// The task.
    pub task: TaskId,
    /// Who said so.
    pub agent: Option<AgentId>,
    /// What sort.
    pub kind: &'a str,
    /// The tier that was asked for.
    pub severity: Severity,
    /// What is the matter.
    pub text: &'a str,
}

/// What follows an agent's report that it is blocked.
pub fn by_agent(
    state: &State,
    task: TaskId,
    agent: AgentId,
    report: &BlockerReport,
    now: Time,
) -> Vec<Event> {
    let raise = Raise {
        task,
        agent: Some(agent),
        kind: &report.kind,
        severity: report.severity,
        text: &report.text,
    };
    raise_blocker(state, &raise, now)
}

/// Raises a blocker and does what its tier asks for.
pub fn raise_blocker(state: &State, raise: &Raise<'_>, now: Time) -> Vec<Event> {
    let row = &state.tasks.table[raise.task.index()];
    let on_critical_path = row.slack == Span::ZERO;
    let sprint = &state.sprints.table[row.sprint.index()];
    let before = held_up(state, raise.task, state.trouble.blockers.len());
    let mut severity = raise.severity;
    let mut why = Vec::new();
    if on_critical_path && severity < Severity::High {
        severity = severity.up();
        why.push("it is on the critical path".to_owned());
    }
    if before >= sprint.spec.ways.ladder.repeats_max && severity < Severity::High {
        severity = severity.up();
        why.push(format!("it was held up {before} times before"));
    }
    if row.spec.priority != Priority::Critical {
        severity = severity.min(Severity::High);
    }
    let guided = row.story.as_ref().map_or(0, |story| story.guided);
    let policy = sprint.spec.policy;
    if severity == Severity::Low && guided >= policy.guidance_max {
        severity = Severity::Medium;
        why.push("guidance was given before".to_owned());
    }
    if severity == Severity::Medium && !has_another(state, raise.task, raise.agent) {
        severity = Severity::High;
        why.push("nobody else can do it".to_owned());
    }
    let blocker = BlockerId(state.trouble.blockers.len() as u32);
    let mut events: Vec<Event> = vec![
        BlockerRaised {
            blocker,
            task_id: raise.task,
            agent_id: raise.agent,
            blocker_type: raise.kind.to_owned(),
            severity,
            reported: raise.severity,
            on_critical_path,
            reason: why.join("; "),
            text: raise.text.to_owned(),
            deadline: deadline(&policy, severity, now),
        }
        .into(),
    ];
    events.extend(act(
        state,
        blocker,
        raise.task,
        raise.agent,
        severity,
        raise.text,
    ));
    events
}

/// When a blocker on a tier goes up by itself; high is asked again then, critical waits for an answer.
pub fn deadline(policy: &Policy, severity: Severity, now: Time) -> Option<Time> {
    let [low, medium, high] = policy.tier_time;
    match severity {
        Severity::Low => Some(now + low),
        Severity::Medium => Some(now + medium),
        Severity::High => Some(now + high),
        Severity::Critical => None,
    }
}

/// What the tier asks for. High and critical open the inbox, which follows from the event itself.
fn act(
    state: &State,
    blocker: BlockerId,
    task: TaskId,
    agent: Option<AgentId>,
    severity: Severity,
    text: &str,
) -> Vec<Event> {
    match severity {
        // Whoever is asked is asked because of the event itself; the answer is the guidance.
        Severity::Low if adviser(state, task, severity, agent).is_some() => Vec::new(),
        Severity::Low => guided(
            blocker,
            (task, agent.filter(|agent| state.team.is_there(*agent))),
            guidance(state, task, text),
        ),
        Severity::Medium if pairs(state, task) => {
            match pair::asked(state, blocker, task, agent, text) {
                Some(help) => vec![help],
                None => to_another(task),
            }
        }
        Severity::Medium => to_another(task),
        Severity::High | Severity::Critical => Vec::new(),
    }
}

/// Guidance, with which the same agent goes on; one that has left the team meanwhile gets nothing more.
fn guided(blocker: BlockerId, (task, to): (TaskId, Option<AgentId>), text: String) -> Vec<Event> {
    vec![
        GuidanceGiven {
            blocker,
            task_id: task,
            text,
        }
        .into(),
        TaskReassigned {
            task_id: task,
            to,
            by: "director (guidance to the same agent)".to_owned(),
        }
        .into(),
    ]
}

/// How often a task was held up before the blocker in this place.
fn held_up(state: &State, task: TaskId, place: usize) -> u32 {
    let before = state.trouble.blockers.iter().take(place);
    before.filter(|blocker| blocker.task == task).count() as u32
}

/// Whether its task was held up so often before that an agent of the ladder is not good for another answer: what it said did not
/// help, and the next round would cost as much as the last.
pub fn wants_a_person(state: &State, id: BlockerId) -> bool {
    let task = state.trouble.blockers[id.index()].task;
    let sprint = state.tasks.table[task.index()].sprint;
    let most = state.sprints.table[sprint.index()]
        .spec
        .ways
        .ladder
        .repeats_max;
    held_up(state, task, id.index()) >= most
}

/// An agent of the first role that the ladder has for the tier that can be talked to and is not the one who is held up.
pub fn adviser(
    state: &State,
    task: TaskId,
    severity: Severity,
    held_up: Option<AgentId>,
) -> Option<AgentId> {
    let sprint = state.tasks.table[task.index()].sprint;
    let ladder = &state.sprints.table[sprint.index()].spec.ways.ladder;
    let asked: &[Name] = match severity {
        Severity::Low => &ladder.low,
        Severity::High => &ladder.high,
        Severity::Medium | Severity::Critical => &[],
    };
    let roles = asked.iter().filter_map(|role| state.team.by_role.get(role));
    let roles = roles.map(|role| &state.team.roles[role.index()]);
    roles
        .filter(|role| role.spec.agent.kind != COMMAND && !role.is_people() && !role.lost)
        .flat_map(|role| role.active())
        .filter(|agent| Some(*agent) != held_up && state.team.agents[agent.index()].up)
        // Nobody is asked who waits for the task itself.
        .find(|agent| !waits::closes(state, task, *agent))
}

/// What follows when whoever was asked about a blocker of the lowest tier has answered; without an answer the director
/// says what it can. Nothing, if the blocker has gone up or is over meanwhile.
pub fn advised(state: &State, id: BlockerId, answer: Option<&str>) -> Vec<Event> {
    let blocker = &state.trouble.blockers[id.index()];
    let row = &state.tasks.table[blocker.task.index()];
    if blocker.severity != Severity::Low
        || blocker.resolved.is_some()
        || row.phase != Phase::Blocked
    {
        return Vec::new();
    }
    let text = match answer {
        Some(answer) => answer.to_owned(),
        None => guidance(state, blocker.task, &blocker.text),
    };
    let to = blocker.agent.filter(|agent| state.team.is_there(*agent));
    guided(id, (blocker.task, to), text)
}

/// Whether a second agent joins where the task is held up on tier medium.
fn pairs(state: &State, task: TaskId) -> bool {
    let sprint = state.tasks.table[task.index()].sprint;
    state.sprints.table[sprint.index()].spec.ways.ladder.medium == Medium::Pair
}

fn to_another(task: TaskId) -> Vec<Event> {
    vec![
        TaskReassigned {
            task_id: task,
            to: None,
            by: "director (another agent for a blocker)".to_owned(),
        }
        .into(),
    ]
}

/// Whether somebody else in the team can do the task.
fn has_another(state: &State, task: TaskId, agent: Option<AgentId>) -> bool {
    let row = &state.tasks.table[task.index()];
    (0u32..)
        .map(AgentId)
        .zip(&state.team.agents)
        .any(|(id, other)| {
            !other.retired
                && Some(id) != agent
                && !row.avoid.contains(&id)
                && !state.team.roles[other.role.index()].lost
                && state.team.is_able(id, row.role, &row.spec.kind)
        })
}

/// What the director can say by itself: what is known of the task, and how the blocker read.
fn guidance(state: &State, task: TaskId, text: &str) -> String {
    let spec = &state.tasks.table[task.index()].spec;
    let mut lines = vec![format!("You reported: {text}")];
    if !spec.description.is_empty() {
        lines.push(format!("The task: {}", spec.description));
    }
    if !spec.acceptance.is_empty() {
        lines.push(format!(
            "It is accepted when: {}",
            spec.acceptance.join("; ")
        ));
    }
    for (what, place) in [("specification", &spec.spec), ("design", &spec.design)] {
        if let Some(place) = place {
            lines.push(format!("The {what} is at {place}."));
        }
    }
    lines.push(
        "Go on with the most reasonable reading and write down what you assumed; report the blocker again, one tier higher, if that cannot work."
            .to_owned(),
    );
    lines.join("\n")
}

/// The deadlines that are due, in their order.
pub fn due(state: &State, now: Time) -> Vec<(Time, Deadline)> {
    state
        .deadlines
        .iter()
        .take_while(|(at, _)| *at <= now)
        .copied()
        .collect()
}

/// Deals with a deadline that is due: a wait that is over, a blocker that goes up.
pub fn passed(state: &State, deadline: Deadline, now: Time) -> Vec<Event> {
    match deadline {
        Deadline::Retry(task) => vec![RetryDue { task_id: task }.into()],
        Deadline::Tier(blocker) => up(state, blocker, now),
        Deadline::Inbox(item) => inbox::overdue(state, item, now),
        Deadline::Standup(sprint) => vec![ceremonies::standup(state, sprint)],
        Deadline::Progress(sprint) => vec![ceremonies::progress(state, sprint, now)],
        Deadline::Overrun(task) => risk::overrun(state, task),
        Deadline::Delivery(effect) => peer::due(state, effect),
        Deadline::Proposal(sprint) => manage::due(state, sprint),
        Deadline::Deployment(number) => deploy::due(state, number, now),
        Deadline::Account(number) => accounts::due(state, number),
        Deadline::Budget(sprint) => budget::due(state, sprint),
    }
}

fn up(state: &State, id: BlockerId, now: Time) -> Vec<Event> {
    let blocker = &state.trouble.blockers[id.index()];
    let task = blocker.task;
    let row = &state.tasks.table[task.index()];
    let policy = state.sprints.table[row.sprint.index()].spec.policy;
    // Only critical work may stop the others.
    let highest = match row.spec.priority {
        Priority::Critical => Severity::Critical,
        _ => Severity::High,
    };
    let mut to = blocker.severity.up().min(highest);
    if to == Severity::Medium && !has_another(state, task, blocker.agent) {
        to = Severity::High;
    }
    let mut events: Vec<Event> = vec![
        BlockerEscalated {
            blocker: id,
            from: blocker.severity,
            to,
            reason: match to == blocker.severity {
                true => "still not answered; whoever was asked is asked again".to_owned(),
                false => format!(
                    "not resolved in its time on tier {}",
                    blocker.severity.as_str()
                ),
            },
            deadline: deadline(&policy, to, now),
        }
        .into(),
    ];
    if matches!(row.phase, Phase::Ready | Phase::Blocked) {
        events.extend(act(state, id, task, blocker.agent, to, &blocker.text));
    }
    events
}
