//! What is unclear before the start: the questions to Product, and what their answers change.
//!
//! They are opened with the sprint. An answer changes the task, an approval leaves it as it is. Where the sprint is strict nothing
//! begins while one is open; otherwise a question lapses when work on its task begins. An answer is taken as it is written, or refused with what it
//! should look like.
//!
//! | about | an answer |
//! |---|---|
//! | description, specification, design | takes its place |
//! | acceptance | a criterion for each line |
//! | estimate, size | `4h`, or the three points `2h 4h 9h` |
//! | kind | a kind that somebody in the team does |
//! | dates | only that they are fine |
//!
//! Where agents are Product, one of them is asked as well, and its answer is taken as a person's. One that knows nothing (`pass`), that says nothing or
//! that is not understood leaves the question to people, in whose inbox it stays.
//!
//! Elsewhere: finding what is unclear is the planner's; the change of a task is [`super::scope`].

use std::collections::BTreeSet;

use director_protocols::event::{Event, InboxClosed, ProductAsked};
use director_protocols::ids::{AgentId, InboxId, MessageId, Name, SprintId, TaskId};
use director_protocols::inbox::{InboxKind, Reply};
use director_protocols::kinds;
use director_protocols::rejection::Rejection;
use director_protocols::severity::Severity;
use director_protocols::sprint::{SprintSpec, TaskSpec};
use director_protocols::time::Time;
use director_protocols::unclear::{self, About};
use director_protocols::ways::Peer;
use director_protocols::work::COMMAND;

use super::{Answer, inbox, scope};
use crate::engine::peers::Goes;
use crate::engine::state::State;
use crate::engine::team::Role;
use crate::engine::trouble::InboxItem;

/// What an agent of Product says that cannot know.
const PASS: &str = "pass";
/// Words that leave something as it is.
const FINE: [&str; 4] = ["fine", "fine as it is", "ok", "yes"];

/// The questions of a sprint that is taken in under the number `id`; `first` is its first task. Nothing is asked about what waits
/// for another sprint.
pub fn asked(
    (id, first): (SprintId, TaskId),
    spec: &SprintSpec,
    deferred: &BTreeSet<u32>,
    now: Time,
) -> Vec<Event> {
    let start = &spec.ways.start;
    let severity = match start.strict {
        true => Severity::High,
        false => Severity::Low,
    };
    let mut places = (0u32..).zip(&spec.tasks).peekable();
    let mut events: Vec<Event> = Vec::new();
    for question in &start.questions {
        let task = match &question.task {
            None => None,
            // They come in the order of the tasks.
            Some(name) => {
                while places.next_if(|(_, task)| task.id != *name).is_some() {}
                match places.peek() {
                    Some((place, _)) if !deferred.contains(place) => Some(TaskId(first.0 + place)),
                    _ => continue,
                }
            }
        };
        let mut open = inbox::opened_by(
            &spec.ways.inbox,
            InboxKind::Unclear,
            (id, task),
            severity,
            question.text.clone(),
            now,
        );
        open.about = Some(question.about);
        events.push(open.into());
    }
    events
}

/// What follows an answer beside that it was given.
pub fn answered(state: &State, open: &InboxItem, (reply, text): (Reply, &str), by: &str) -> Answer {
    let Some(about) = open.about else {
        return Ok(Vec::new());
    };
    let bad = |why: String| Err(Rejection::BadAnswer { why });
    let text = text.trim();
    match reply {
        Reply::Approve => return Ok(Vec::new()),
        Reply::Reject => {
            return bad(format!(
                "no is no answer to it; say what it should be (`{}`), approve it as it is, or cancel the task",
                about.example()
            ));
        }
        Reply::Answer if FINE.contains(&text.to_lowercase().trim_end_matches('.')) => {
            return Ok(Vec::new());
        }
        Reply::Answer => {}
    }
    let Some(task) = open.task else {
        return bad(
            "dates of a sprint that was taken in cannot change; approve them, or cancel the sprint and mend its file"
                .to_owned(),
        );
    };
    let row = &state.tasks.table[task.index()];
    let spec = changed(state, open.sprint, &row.spec, about, text)
        .map_err(|why| Rejection::BadAnswer { why })?;
    Ok(scope::answered(state, (open.sprint, task), spec, by))
}

/// The task with the answer in it, or why it cannot be taken.
fn changed(
    state: &State,
    sprint: SprintId,
    known: &TaskSpec,
    about: About,
    text: &str,
) -> Result<TaskSpec, String> {
    let mut spec = known.clone();
    match about {
        About::Description => spec.description = text.to_owned(),
        About::Spec => spec.spec = Some(text.to_owned()),
        About::Design => spec.design = Some(text.to_owned()),
        About::Acceptance => {
            let lines = text.lines().map(str::trim);
            let criteria = lines.filter(|line| !line.is_empty()).map(str::to_owned);
            spec.acceptance.extend(criteria);
        }
        About::Estimate | About::Size => spec.estimate = unclear::estimate(text)?,
        About::Kind => {
            spec.role = role(state, sprint, text, known)?;
            spec.kind = text.to_owned();
        }
        About::Dates => {}
    }
    Ok(spec)
}

/// The role that does tasks of that kind in the running team.
fn role(state: &State, sprint: SprintId, kind: &str, known: &TaskSpec) -> Result<Name, String> {
    let filled = state.team.roles.iter().filter(|role| role.spec.count > 0);
    let usual = kinds::role_of(kind);
    let mut roles = filled.filter(|role| {
        let own = role.spec.kinds.iter().any(|known| known == kind);
        own || kinds::known(kind).is_some() && role.spec.name.as_str() == usual
    });
    let role = roles.next().ok_or_else(|| {
        let words: Vec<&str> = kinds::KINDS.iter().map(|kind| kind.name).collect();
        format!(
            "nobody in the team of {} does tasks of kind `{kind}`; kinds are {}",
            state.sprints.table[sprint.index()].spec.id,
            words.join(", ")
        )
    })?;
    if role.spec.agent.kind == "command" && known.run.is_none() {
        return Err(format!(
            "tasks of kind `{kind}` go to `{}`, whose agents run commands, and `{}` has no `run`",
            role.spec.name, known.id
        ));
    }
    Ok(role.spec.name.clone())
}

/// The role whose agents speak for Product in a sprint, where agents that can be talked to do.
fn product_role(state: &State, sprint: SprintId) -> Option<&Role> {
    let Some(Goes::Role(role, _)) = state.peer(sprint, Peer::Product) else {
        return None;
    };
    let role = &state.team.roles[state.team.by_role.get(&role)?.index()];
    (role.spec.agent.kind != COMMAND && !role.lost).then_some(role)
}

/// The agent that speaks for Product; it has to be up.
fn product(state: &State, sprint: SprintId) -> Option<AgentId> {
    let mut agents = product_role(state, sprint)?.active();
    agents.find(|agent| state.team.agents[agent.index()].up)
}

/// Whether the question was put to an agent of Product.
fn is_asked(state: &State, item: InboxId) -> bool {
    let mut messages = state.messages.table.iter();
    messages.any(|message| message.item == Some(item))
}

/// Whether a question of the sprint will be put to an agent of Product that is on its way.
pub fn will_ask(state: &State, id: SprintId) -> bool {
    let mut open = state.sprints.table[id.index()].unclear.iter();
    product_role(state, id).is_some() && open.any(|(_, item)| !is_asked(state, *item))
}

/// The question of an inbox item to an agent of Product; `place` is how many the decision asks before.
fn question(state: &State, (id, item): (InboxId, &InboxItem), to: AgentId, place: usize) -> Event {
    let what = match item.task {
        None => format!(
            "the sprint {}",
            state.sprints.table[item.sprint.index()].spec.id
        ),
        Some(task) => {
            let spec = &state.tasks.table[task.index()].spec;
            let more = match spec.description.trim() {
                "" => String::new(),
                more => format!(": {more}"),
            };
            format!("the task {} ({}{more})", spec.id, spec.title)
        }
    };
    let like = match item.about.map(About::example) {
        None | Some("…") => String::new(),
        Some(example) => format!(" such as `{example}`"),
    };
    ProductAsked {
        message: MessageId((state.messages.table.len() + place) as u32),
        item: id,
        to,
        text: format!(
            "Before work on it begins, something about {what} is unclear: {}\nAnswer with what it should be{like} and nothing else, \
             `fine` if it is fine as it is, or `{PASS}` if you cannot know: then a person is asked.",
            item.question
        ),
    }
    .into()
}

/// An agent of Product is asked what has just been put into the inbox, if there is one.
pub fn ask_product(state: &State, item: InboxId) -> Option<Event> {
    let open = state.trouble.open_item(item)?;
    let to = product(state, open.sprint)?;
    Some(question(state, (item, open), to, 0))
}

/// Whoever comes up is asked what was put into the inbox before, after as many other questions; nobody is asked twice.
pub fn overtaken(state: &State, agent: AgentId, before: usize) -> Vec<Event> {
    let open = state.sprints.table.iter().filter(|row| !row.is_over());
    let open = open.flat_map(|row| row.unclear.iter().map(|(_, item)| *item));
    let wanted = open.filter(|item| {
        let sprint = state.trouble.inbox[item.index()].sprint;
        product(state, sprint) == Some(agent) && !is_asked(state, *item)
    });
    let wanted: BTreeSet<InboxId> = wanted.collect();
    let questions = wanted.into_iter().enumerate();
    questions
        .map(|(place, item)| {
            let open = &state.trouble.inbox[item.index()];
            question(state, (item, open), agent, before + place)
        })
        .collect()
}

/// What follows what an agent of Product said: what a person's answer would change, or nothing if it is none.
pub fn by_product(state: &State, item: InboxId, answer: &str, by: &str, now: Time) -> Vec<Event> {
    let text = answer.trim().trim_matches('`');
    match text.trim_end_matches('.').eq_ignore_ascii_case(PASS) {
        true => Vec::new(),
        false => inbox::answer(state, item, (Reply::Answer, text), by, now).unwrap_or_default(),
    }
}

/// Questions about a task that nobody needs answered any more.
pub fn lapsed(state: &State, task: TaskId, reason: &str) -> Vec<Event> {
    let sprint = state.tasks.table[task.index()].sprint;
    let open = &state.sprints.table[sprint.index()].unclear;
    let from = (Some(task), InboxId(0));
    let of_task = open
        .range(from..)
        .take_while(|(about, _)| *about == Some(task));
    of_task.map(|(_, item)| closed(*item, reason)).collect()
}

/// Questions of a sprint that is over.
pub fn over(state: &State, sprint: SprintId) -> Vec<Event> {
    let open = state.sprints.table[sprint.index()].unclear.iter();
    open.map(|(_, item)| closed(*item, "the sprint is over"))
        .collect()
}

fn closed(item: InboxId, reason: &str) -> Event {
    InboxClosed {
        item,
        reason: reason.to_owned(),
    }
    .into()
}

/// The sprint whose start an item is about, if it is.
pub fn is_about(state: &State, item: InboxId) -> Option<SprintId> {
    let item = &state.trouble.inbox[item.index()];
    (item.kind == InboxKind::Unclear).then_some(item.sprint)
}
