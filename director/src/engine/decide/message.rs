//! Messages: agents tell and ask each other; the director routes.
//!
//! A role's name stands for one of its agents, a free one if there is one; `task:NAME` for whoever has that task, did it, or will take
//! it up, for which the question waits. A question whose asker would end up waiting for itself ([`crate::engine::waits`]) is refused
//! with the circle named. Whoever asks gets an answer: when the one who was asked gave none, is gone, or cannot be reached, when the
//! task is called off or a circle closes later, the director says so.

use director_protocols::event::{
    BlockerResolved, Event, InboxOpened, MessageDelivered, MessageSent, QuestionAnswered,
    QuestionAsked, QuestionDirected,
};
use director_protocols::ids::{AgentId, Attempt, EffectId, MessageId, SprintId, TaskId};
use director_protocols::inbox::InboxKind;
use director_protocols::rejection::Rejection;
use director_protocols::severity::Severity;
use director_protocols::time::Time;

use super::{Answer, block, inbox, manage, unclear};
use crate::engine::effects::Effect;
use crate::engine::people::PERSON;
use crate::engine::state::State;
use crate::engine::tasks::Phase;
use crate::engine::waits::{self, Asked, Node, Wait, Why};

/// Who answers when nobody else does.
const DIRECTOR: &str = "director";

/// How a question for whoever has a task begins.
pub const OF_TASK: &str = "task:";

/// Whom `name` means, seen from `from`.
fn resolve(state: &State, from: AgentId, name: &str) -> Result<AgentId, Rejection> {
    let gone = |agent: &str| Rejection::NoAgent {
        agent: agent.to_owned(),
    };
    let is_lost = |agent| state.team.role_of(agent).is_some_and(|role| role.lost);
    if let Some(agent) = state.team.by_name.get(name) {
        let there = state.team.is_there(*agent) && !is_lost(*agent);
        return if there { Ok(*agent) } else { Err(gone(name)) };
    }
    let role = state
        .team
        .by_role
        .get(name)
        .map(|id| &state.team.roles[id.index()])
        .filter(|role| !role.lost);
    role.and_then(|role| {
        role.free
            .iter()
            .copied()
            .find(|agent| *agent != from)
            .or_else(|| role.active().find(|agent| *agent != from))
    })
    .ok_or_else(|| gone(name))
}

fn next_id(state: &State) -> MessageId {
    MessageId(state.messages.table.len() as u32)
}

fn known(state: &State, agent: AgentId) -> Result<(), Rejection> {
    state.team.get(agent).map(drop).ok_or(Rejection::NoAgent {
        agent: format!("#{agent}"),
    })
}

/// Decides about something that one agent tells another.
pub fn tell(state: &State, from: AgentId, to: &str, text: &str, now: Time) -> Answer {
    known(state, from)?;
    let to = resolve(state, from, to)?;
    if state.is_person(to) {
        return Ok(note_for_a_person(state, from, to, text, now));
    }
    Ok(vec![
        MessageSent {
            message: next_id(state),
            from,
            to,
            text: text.to_owned(),
        }
        .into(),
    ])
}

/// What an agent tells a person: something to know, in the inbox of the sprint that it works for.
fn note_for_a_person(
    state: &State,
    from: AgentId,
    to: AgentId,
    text: &str,
    now: Time,
) -> Vec<Event> {
    let Some(task) = state.team.agents[from.index()].task else {
        return Vec::new();
    };
    let place = (state.tasks.table[task.index()].sprint, Some(task));
    let text = format!(
        "{} tells {}: {text}",
        state.agent_name(from),
        state.agent_name(to)
    );
    let open = inbox::opened(state, InboxKind::Notice, place, Severity::Low, text, now);
    vec![open.into()]
}

/// Decides about something that one agent asks and waits for.
pub fn ask(
    state: &State,
    from: AgentId,
    task: TaskId,
    attempt: Attempt,
    to: &str,
    text: &str,
) -> Answer {
    known(state, from)?;
    let asker = state.tasks.get(task).and_then(|row| row.agent);
    if asker != Some(from) || !state.is_in_hand(task, attempt) {
        return Err(Rejection::StaleAttempt {
            task: state.task_name(task),
            given: attempt,
            current: state.tasks.get(task).map_or(Attempt(0), |row| row.attempt),
        });
    }
    let place = state.tasks.table[task.index()].sprint;
    let whom = whom(state, place, from, to)?;
    let mut refused = None;
    let able = whom.into_iter().find(|asked| {
        let found = asked.and_then(|asked| {
            let (to, why) = match asked {
                Asked::Agent(agent) => (Node::Agent(agent), Why::Answer),
                Asked::Taker(task) => (Node::Task(task), Why::Taker),
            };
            let from = Node::Agent(from);
            let circle = waits::circle(state, &Wait { from, to, why });
            (!circle.is_empty()).then(|| waits::told(state, &circle))
        });
        let is_free = found.is_none();
        refused = refused.take().or(found);
        is_free
    });
    let Some(asked) = able else {
        let cycle = refused.unwrap_or_default();
        return Err(Rejection::WaitCycle { cycle });
    };
    let (to, of) = match asked {
        Some(Asked::Agent(agent)) => (Some(agent), None),
        Some(Asked::Taker(task)) => (None, Some(task)),
        None => (None, None),
    };
    Ok(vec![
        QuestionAsked {
            message: next_id(state),
            from,
            task_id: task,
            attempt,
            to,
            of,
            text: text.to_owned(),
        }
        .into(),
    ])
}

/// Whom `name` can mean for a question, the best first: a person is none of the actors.
fn whom(
    state: &State,
    sprint: SprintId,
    from: AgentId,
    name: &str,
) -> Result<Vec<Option<Asked>>, Rejection> {
    if name == PERSON {
        return Ok(vec![None]);
    }
    if let Some(task) = name.strip_prefix(OF_TASK) {
        return of_task(state, sprint, from, task).map(|asked| vec![asked]);
    }
    let first = resolve(state, from, name)?;
    // A role that people fill has no actor to ask: the question waits in the inbox.
    let asked = |agent| (!state.is_person(agent)).then_some(Asked::Agent(agent));
    let mut found = vec![asked(first)];
    // Another one of the role will do where the first would close a circle.
    if let Some(role) = state.team.by_role.get(name) {
        let others = state.team.roles[role.index()].active();
        found.extend(others.filter(|id| *id != from && *id != first).map(asked));
    }
    Ok(found)
}

/// Whoever has the task in hand or did it last; where nobody has begun it, whoever will.
fn of_task(
    state: &State,
    sprint: SprintId,
    from: AgentId,
    name: &str,
) -> Result<Option<Asked>, Rejection> {
    let known = state.sprints.table[sprint.index()].by_name.get(name);
    let id = *known.ok_or(Rejection::NoTask)?;
    let row = &state.tasks.table[id.index()];
    let there = |agent: &AgentId| {
        *agent != from
            && state.team.is_there(*agent)
            && state.team.role_of(*agent).is_some_and(|role| !role.lost)
    };
    let to_come = row.is_to_come() && row.phase != Phase::Blocked;
    let author = row.agent.or(row.last_agent.filter(|_| !to_come));
    match author.filter(there) {
        Some(agent) if state.is_person(agent) => Ok(None),
        Some(agent) => Ok(Some(Asked::Agent(agent))),
        None if row.phase.is_over() => Err(Rejection::TaskState {
            task: row.spec.id.to_string(),
            state: row.phase.as_str(),
            hint: "nobody is left who could answer for it; ask a person",
        }),
        None => Ok(Some(Asked::Taker(id))),
    }
}

/// What becomes of a wait that is not what it was when it began: somebody has taken the task up, nobody will, or it stands in a
/// circle, because what another one waits for has changed. Nothing, as long as nobody waits.
pub fn lifted(state: &State) -> Option<Event> {
    let mut waits = state.messages.waits.iter();
    waits.find_map(|(from, (message, asked))| {
        let said = |text: String| {
            QuestionAnswered {
                message: *message,
                by: DIRECTOR.to_owned(),
                text,
            }
            .into()
        };
        if let Asked::Taker(task) = asked {
            let row = &state.tasks.table[task.index()];
            if let Some(agent) = row.agent.filter(|agent| agent != from) {
                let to = (!state.is_person(agent)).then_some(agent);
                let message = *message;
                return Some(QuestionDirected { message, to }.into());
            }
            if row.phase.is_over() {
                let (name, phase) = (&row.spec.id, row.phase.as_str());
                return Some(said(format!(
                    "{name} is {phase}, so nobody takes it up and answers; go on with what you know, or ask a person"
                )));
            }
        }
        let circle = waits::standing(state, Node::Agent(*from));
        (!circle.is_empty()).then(|| {
            let cycle = waits::told(state, &circle);
            said(Rejection::WaitCycle { cycle }.to_string())
        })
    })
}

/// The question to a person, in the inbox.
pub fn for_a_person(state: &State, message: MessageId, now: Time) -> Option<Event> {
    let row = &state.messages.table[message.index()];
    let (task, _) = row.waiting?;
    let place = (state.tasks.table[task.index()].sprint, Some(task));
    let text = row.text.clone();
    let open = inbox::opened(state, InboxKind::Question, place, Severity::High, text, now);
    Some(
        InboxOpened {
            message: Some(message),
            ..open
        }
        .into(),
    )
}

/// Decides about a message that has reached its agent, and its answer if it was a question.
pub fn delivered(
    state: &State,
    effect: EffectId,
    message: MessageId,
    answer: Option<&str>,
    now: Time,
) -> Answer {
    let to = match state.outstanding.get(effect) {
        Some(Effect::Deliver { message: m, to }) if *m == message => *to,
        Some(Effect::DeliverAnswer { message: m, .. }) if *m == message => {
            return Ok(vec![MessageDelivered { effect, message }.into()]);
        }
        _ => return Err(Rejection::StaleEffect { effect }),
    };
    let mut events: Vec<Event> = vec![MessageDelivered { effect, message }.into()];
    let name = state.agent_name(to);
    let (by, text) = match answer {
        Some(text) => (name, text.to_owned()),
        None => (DIRECTOR.to_owned(), format!("{name} gave no answer")),
    };
    if let (Some(id), Some(answer)) = (state.messages.table[message.index()].blocker, answer) {
        let blocker = &state.trouble.blockers[id.index()];
        match blocker.severity {
            // Guidance: the blocker is over when its agent takes the task up again.
            Severity::Low => events.extend(block::advised(state, id, Some(answer))),
            _ if blocker.resolved.is_none() => events.push(
                BlockerResolved {
                    blocker: id,
                    by: by.clone(),
                    answer: answer.to_owned(),
                }
                .into(),
            ),
            _ => {}
        }
    } else {
        events.extend(unadvised(state, message));
    }
    events.extend(manage::answered(state, message, answer, &by));
    if let (Some(item), Some(answer)) = (state.messages.table[message.index()].item, answer) {
        events.extend(unclear::by_product(state, item, answer, &by, now));
    }
    events.extend(answered(state, message, by, text));
    Ok(events)
}

/// What follows when a message cannot be handed to its agent: who asked is told, and does not wait.
pub fn undelivered(
    state: &State,
    effect: EffectId,
    message: MessageId,
    to: AgentId,
    reason: &str,
) -> Vec<Event> {
    let text = format!("{} could not be asked: {reason}", state.agent_name(to));
    let mut events: Vec<Event> = vec![MessageDelivered { effect, message }.into()];
    events.extend(unadvised(state, message));
    events.extend(manage::answered(state, message, None, DIRECTOR));
    events.extend(answered(state, message, DIRECTOR.to_owned(), text));
    events
}

/// What the director says by itself where whoever was asked for guidance says nothing.
fn unadvised(state: &State, message: MessageId) -> Vec<Event> {
    let blocker = state.messages.table[message.index()].blocker;
    blocker.map_or_else(Vec::new, |id| block::advised(state, id, None))
}

/// What follows for those who wait for an agent that is gone.
pub fn unanswerable(state: &State, agent: AgentId) -> Vec<Event> {
    state
        .outstanding
        .messages_to(agent)
        .filter(|(_, message)| is_open(state, *message))
        .flat_map(|(effect, message)| undelivered(state, effect, message, agent, "it is gone"))
        .collect()
}

fn is_open(state: &State, message: MessageId) -> bool {
    let row = &state.messages.table[message.index()];
    row.wants_an_answer() && row.answer.is_none()
}

/// The answer, if the message is a question that has none.
fn answered(state: &State, message: MessageId, by: String, text: String) -> Option<Event> {
    is_open(state, message).then(|| QuestionAnswered { message, by, text }.into())
}
