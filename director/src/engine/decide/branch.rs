//! The branch: what it means that somebody else moved a sprint's integration branch, and what a person makes of it.
//!
//! It is nobody's failure: what needs the branch is taken back and costs no attempt, what agents have in hand goes on, and nothing more is
//! handed out or merged. A person says whether the branch is put back to what the journal says, whether the sprint goes on from where the
//! branch is now, which is possible where that holds all that was merged, or whether the sprint is called off.
//!
//! Invariant: nothing that somebody else put on the branch is overwritten before a person has said yes to that very commit.
//! Elsewhere: where the branch is, and putting it back, is `perform::branch`.

use director_protocols::command::MovedBranch;
use director_protocols::event::{
    AttemptEnded, BranchMoved, BranchRestored, Event, InboxAnswered, InboxClosed,
};
use director_protocols::ids::{EffectId, SprintId, TaskId};
use director_protocols::inbox::{InboxKind, Reply};
use director_protocols::rejection::Rejection;
use director_protocols::severity::Severity;
use director_protocols::time::Time;
use director_protocols::work::AttemptEnd;

use super::{Answer, inbox, integrate, steer};
use crate::engine::effects::Effect;
use crate::engine::sprints::Sprint;
use crate::engine::state::State;

/// The words by which a person accepts where the branch is.
pub const GO_ON: &str = "go on";

/// Decides about a branch that was found elsewhere.
pub fn seen(
    state: &State,
    effect: Option<EffectId>,
    sprint: SprintId,
    moved: &MovedBranch,
    now: Time,
) -> Answer {
    let row = state.sprints.get(sprint).ok_or(Rejection::NoSprint)?;
    let what = match effect {
        Some(id) => Some(
            state
                .outstanding
                .get(id)
                .ok_or(Rejection::StaleEffect { effect: id })?,
        ),
        None => None,
    };
    let mut events: Vec<Event> = Vec::new();
    let mut task = None;
    if let Some(Effect::PrepareWorktree { task: id, .. }) = what {
        events.extend(withdrawn(state, *id));
        task = Some(*id);
    }
    if row.cancelled
        && let Some(Effect::PrepareMerge { batch, .. } | Effect::Advance { batch, .. }) = what
    {
        // It was to be carried through in spite of that, and cannot be.
        let by = "director (the sprint is cancelled, and its branch was moved)";
        let dropped = |id: &TaskId| steer::cancelled(state, *id, by);
        events.extend(batch.iter().flat_map(dropped));
    }
    let again = matches!(what, Some(Effect::PutBack { .. }));
    let known = row
        .moved
        .as_ref()
        .is_some_and(|known| known.found == moved.found);
    // Looked at before the last merge was journalled, or after the sprint was over: whoever needs it looks again.
    let late = moved.expected != row.head || !row.is_running() || row.cancelled;
    if !late && (again || !known) {
        events.extend(halted(state, sprint, task, moved, now));
    }
    Ok(events)
}

/// Decides about a branch that is where it should be.
pub fn restored(state: &State, effect: Option<EffectId>, sprint: SprintId, saved: &str) -> Answer {
    let row = state.sprints.get(sprint).ok_or(Rejection::NoSprint)?;
    if let Some(id) = effect
        && state.outstanding.get(id) != Some(&Effect::PutBack { sprint })
    {
        return Err(Rejection::StaleEffect { effect: id });
    }
    if row.moved.is_none() {
        return Ok(Vec::new());
    }
    Ok(vec![on_from(sprint, row.head.clone(), saved)])
}

/// What it means that the branch could not be put back: a person is asked again.
pub fn not_put_back(state: &State, sprint: SprintId, reason: &str, now: Time) -> Vec<Event> {
    let row = &state.sprints.table[sprint.index()];
    let Some(known) = &row.moved else {
        return Vec::new();
    };
    let moved = MovedBranch {
        name: known.name.clone(),
        expected: row.head.clone(),
        found: known.found.clone(),
        contains: known.contains,
        between: format!("It could not be put back: {reason}."),
    };
    halted(state, sprint, None, &moved, now)
}

/// Decides about what a person says.
pub fn answered(state: &State, sprint: SprintId, (reply, text): (Reply, &str), by: &str) -> Answer {
    let Some(moved) = &state.sprints.table[sprint.index()].moved else {
        return Ok(Vec::new());
    };
    match reply {
        Reply::Approve => Ok(Vec::new()), // The effect follows from the answer.
        Reply::Reject => steer::cancel_sprint(state, sprint, by),
        Reply::Answer if moved.contains && text.trim() == GO_ON => {
            Ok(vec![on_from(sprint, moved.found.clone(), "")])
        }
        Reply::Answer => Err(Rejection::BadAnswer {
            why: match moved.contains {
                true => format!(
                    "approve to put the branch back, reject to call the sprint off, or answer `{GO_ON}` to go on from where it is"
                ),
                false => {
                    "approve to put the branch back, or reject to call the sprint off".to_owned()
                }
            },
        }),
    }
}

/// Whether an answer means that the branch is put back.
pub fn is_put_back(state: &State, e: &InboxAnswered) -> bool {
    let item = &state.trouble.inbox[e.item.index()];
    item.kind == InboxKind::Branch
        && e.reply == Reply::Approve
        && state.sprints.table[item.sprint.index()].moved.is_some()
}

/// What is asked about the sprint's branch, and need not be asked any more.
pub fn unasked(state: &State, sprint: SprintId, reason: &str) -> Vec<Event> {
    let open = state.trouble.waiting();
    open.filter(|(_, item)| item.sprint == sprint && item.kind == InboxKind::Branch)
        .map(|(item, _)| {
            InboxClosed {
                item,
                reason: reason.to_owned(),
            }
            .into()
        })
        .collect()
}

/// Whether only a person can say how the sprint goes on.
pub fn waits_for_a_person(state: &State, id: SprintId, sprint: &Sprint) -> bool {
    sprint.moved.is_some() && !state.outstanding.is_putting_back(id)
}

/// The sprint stands still: an incident, and a question to a person.
fn halted(
    state: &State,
    sprint_id: SprintId,
    task: Option<TaskId>,
    moved: &MovedBranch,
    now: Time,
) -> Vec<Event> {
    let MovedBranch {
        name,
        expected,
        found,
        contains,
        between,
    } = moved;
    let sprint = &state.sprints.table[sprint_id.index()].spec.id;
    let at = match found.as_str() {
        "" => "is gone: somebody else deleted it".to_owned(),
        found => format!("is at {found}: somebody else moved it"),
    };
    let what = format!("`{name}` should be at {expected} and {at}. {between}");
    let kept = match found.as_str() {
        "" => String::new(),
        _ => format!("; what it is at is kept below `refs/director/salvage/{sprint}/`"),
    };
    let third = match contains {
        true => format!(", the answer `{GO_ON}` goes on from where it is"),
        false => String::new(),
    };
    let question = format!(
        "{what} Nothing is handed out or merged before you have said what is right: a yes puts it back{kept}{third}, a no calls the sprint off."
    );
    let place = (sprint_id, None);
    let open = inbox::opened(
        state,
        InboxKind::Branch,
        place,
        Severity::Critical,
        question,
        now,
    );
    let mut events = unasked(state, sprint_id, "the branch was moved again");
    events.push(
        BranchMoved {
            sprint_id,
            name: name.clone(),
            expected: expected.clone(),
            found: found.clone(),
            contains: *contains,
        }
        .into(),
    );
    events.extend(integrate::incident(state, sprint_id, task, &what));
    events.push(open.into());
    events
}

fn on_from(sprint_id: SprintId, commit: String, saved: &str) -> Event {
    BranchRestored {
        sprint_id,
        commit,
        saved: saved.to_owned(),
    }
    .into()
}

/// The end of an attempt that could not begin.
fn withdrawn(state: &State, task: TaskId) -> Option<Event> {
    let row = &state.tasks.table[task.index()];
    let agent_id = row.agent?;
    Some(
        AttemptEnded {
            task_id: task,
            agent_id,
            attempt: row.attempt,
            end: AttemptEnd::Cancelled,
        }
        .into(),
    )
}
