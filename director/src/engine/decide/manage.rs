//! The engineering manager at work: an agent of that role, if one can be talked to, writes the note of each standup and has a
//! say in what moves between roles.
//!
//! | asked | its answer | without one |
//! |---|---|---|
//! | at the standup, with what is known | the note: in `standup`, and read by whoever begins work until the next | the standup stands as it is |
//! | before waiting tasks leave a role that has too much | what moves and what stays | everything moves, after [`WITHIN`] |
//! | about a blocker of tier low | guidance (`block`) | the director says what it can |
//!
//! Nobody waits for it: a role that is down is no question of judgement, so its tasks move at once, and what waits may be begun
//! where it is meanwhile. What it has left where it is is not put to it again.

use director_protocols::event::{
    DailyStandupCompleted, Event, ManagerAsked, RebalancingDecided, StandupNoted, TaskRebalanced,
};
use director_protocols::ids::{AgentId, MessageId, SprintId, TaskId};
use director_protocols::time::{Span, Time};
use director_protocols::work::COMMAND;

use super::balance::may_move;
use crate::engine::state::State;
use crate::engine::tasks::Task;

/// The role that manages.
pub const MANAGER: &str = "engineering-manager";
/// How long moves wait for the manager's word.
pub const WITHIN: Span = Span::minutes(10);
/// The longest note of a standup that is kept, in characters.
pub const NOTE_MAX: usize = 2_000;
/// Who acts where it says nothing.
const DIRECTOR: &str = "director";

/// The agent that manages: it can be talked to and is up.
pub fn manager(state: &State) -> Option<AgentId> {
    let role = state.team.by_role.get(MANAGER)?;
    let role = &state.team.roles[role.index()];
    if role.spec.agent.kind == COMMAND || role.is_people() || role.lost {
        return None;
    }
    let mut agents = role.active();
    agents.find(|agent| state.team.agents[agent.index()].up)
}

/// The question with which a standup is put into the manager's hands.
pub fn standup(state: &State, e: &DailyStandupCompleted) -> Option<Event> {
    let to = manager(state)?;
    let names = |ids: &[TaskId]| match ids.is_empty() {
        true => "none".to_owned(),
        false => {
            let names: Vec<String> = ids.iter().map(|id| state.task_name(*id)).collect();
            names.join(", ")
        }
    };
    let mut lines = vec![
        format!(
            "It is time for the standup of the sprint {}. {}.{} % of its tasks are done.",
            state.sprints.table[e.sprint_id.index()].spec.id,
            e.sprint_progress / 10,
            e.sprint_progress % 10
        ),
        format!(
            "Completed since the last one: {}",
            names(&e.completed_yesterday)
        ),
        format!("What goes on and comes next: {}", names(&e.planned_today)),
    ];
    for blocker in &e.blockers {
        lines.push(format!(
            "In the way of {}, {}: {}",
            state.task_name(blocker.task_id),
            blocker.severity.as_str(),
            blocker.text
        ));
    }
    for update in &e.dependency_updates {
        let word = match update.state.as_str() {
            "free" => "can go on after",
            _ => "waits for what does not move:",
        };
        let task = state.task_name(update.task_id);
        lines.push(format!("{task} {word} {}", names(&update.on)));
    }
    lines.push(format!(
        "Points since the last one: {}, before that: {}",
        e.velocity_trend.points, e.velocity_trend.points_before
    ));
    lines.push(
        "Answer with the note of the standup, in a few sentences: what matters today, and what the team should mind. Whoever begins work until the next standup reads it."
            .to_owned(),
    );
    Some(asked(
        state,
        e.sprint_id,
        to,
        lines.join("\n"),
        Vec::new(),
        None,
    ))
}

fn asked(
    state: &State,
    sprint_id: SprintId,
    to: AgentId,
    text: String,
    moves: Vec<TaskRebalanced>,
    deadline: Option<Time>,
) -> Event {
    ManagerAsked {
        // The engine numbers it: several can be asked in one decision.
        message: MessageId(state.messages.table.len() as u32),
        sprint_id,
        to,
        moves,
        deadline,
        text,
    }
    .into()
}

/// What becomes of moves that would be made now: those from a role that is down are made, the others are put to the manager, if there
/// is one to ask. While something is put to it nothing else is.
pub fn proposed(
    state: &State,
    sprint: SprintId,
    moves: Vec<TaskRebalanced>,
    now: Time,
) -> Vec<Event> {
    let down = |one: &TaskRebalanced| one.from_load.is_none();
    if moves.iter().all(down) {
        return moves.into_iter().map(Event::from).collect();
    }
    let Some(to) = manager(state) else {
        return moves.into_iter().map(Event::from).collect();
    };
    let (down, wished): (Vec<_>, Vec<_>) = moves.into_iter().partition(down);
    let mut events: Vec<Event> = down.into_iter().map(Event::from).collect();
    if state.sprints.table[sprint.index()].proposal.is_some() {
        return events;
    }
    let lines: Vec<String> = wished
        .iter()
        .map(|one| {
            format!(
                "{} from {} to {}",
                state.task_name(one.task_id),
                one.from,
                one.to
            )
        })
        .collect();
    let text = format!(
        "A role has more to do than it can. These tasks, which nobody has begun, would move:\n{}\nAnswer `move` to let them, `keep` to leave all of them where they are, or `keep` and the names of those that stay; the reason in the lines after it. Without an answer they move in {WITHIN}.",
        lines.join("\n")
    );
    events.push(asked(state, sprint, to, text, wished, Some(now + WITHIN)));
    events
}

/// What follows what the manager said, or that it said nothing.
pub fn answered(state: &State, message: MessageId, answer: Option<&str>, by: &str) -> Vec<Event> {
    let Some(sprint) = state.messages.table[message.index()].sprint else {
        return Vec::new();
    };
    let row = &state.sprints.table[sprint.index()];
    match &row.proposal {
        Some(proposal) if proposal.message == message => {
            let kept = answer.map_or_else(Vec::new, |text| kept(state, &proposal.moves, text));
            decided(state, sprint, kept, answer.map(|text| (text, by)))
        }
        _ => {
            let is_note = !state.messages.table[message.index()].proposes && !row.is_over();
            let note = answer
                .map(str::trim)
                .filter(|note| is_note && !note.is_empty());
            let noted = note.map(|note| {
                StandupNoted {
                    sprint_id: sprint,
                    by: by.to_owned(),
                    note: note.chars().take(NOTE_MAX).collect(),
                }
                .into()
            });
            noted.into_iter().collect()
        }
    }
}

/// The tasks that stay according to the first line of an answer.
fn kept(state: &State, moves: &[TaskRebalanced], answer: &str) -> Vec<TaskId> {
    let first = answer.trim().lines().next().unwrap_or_default();
    let mut words = first
        .split(|c: char| c.is_whitespace() || matches!(c, ',' | ';' | ':' | '`' | '"' | '\''))
        .map(|word| word.trim_end_matches('.'))
        .filter(|word| !word.is_empty());
    let keeps = words.next().is_some_and(|word| {
        ["keep", "no", "leave"]
            .iter()
            .any(|known| word.eq_ignore_ascii_case(known))
    });
    if !keeps {
        return Vec::new();
    }
    let words: Vec<&str> = words.collect();
    let all = moves.iter().map(|one| one.task_id);
    let named: Vec<TaskId> = all
        .clone()
        .filter(|task| words.contains(&state.task_name(*task).as_str()))
        .collect();
    match named.is_empty() {
        true => all.collect(),
        false => named,
    }
}

/// The moves are made, but those that stay and those that are not to be made any more.
fn decided(
    state: &State,
    sprint: SprintId,
    kept: Vec<TaskId>,
    said: Option<(&str, &str)>,
) -> Vec<Event> {
    let Some(proposal) = &state.sprints.table[sprint.index()].proposal else {
        return Vec::new();
    };
    let moves = proposal.moves.iter();
    let moves = moves.filter(|one| !kept.contains(&one.task_id) && still(state, one));
    let moves: Vec<Event> = moves.cloned().map(Event::from).collect();
    let (text, by) = said.unwrap_or(("no answer in time", DIRECTOR));
    let mut events: Vec<Event> = vec![
        RebalancingDecided {
            sprint_id: sprint,
            by: by.to_owned(),
            stays: kept,
            text: text.trim().chars().take(NOTE_MAX).collect(),
        }
        .into(),
    ];
    events.extend(moves);
    events
}

/// Whether a move makes sense as things are now.
fn still(state: &State, one: &TaskRebalanced) -> bool {
    let row: &Task = &state.tasks.table[one.task_id.index()];
    let role = |name| state.team.by_role.get(name);
    let Some(to) = role(&one.to) else {
        return false;
    };
    role(&one.from) == Some(&row.role)
        && may_move(row, state.team.roles[row.role.index()].lost)
        && !state.team.roles[to.index()].lost
}

/// Nobody has said anything in time: the moves are made.
pub fn due(state: &State, sprint: SprintId) -> Vec<Event> {
    decided(state, sprint, Vec::new(), None)
}
