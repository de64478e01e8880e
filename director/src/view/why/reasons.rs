//! The reasons: everything that keeps a task where it is, each with a kind and a sentence.

use director_protocols::ids::{AgentId, TaskId};
use director_protocols::sprint::Priority;
use director_protocols::time::Time;

use super::super::clashes;
use super::super::words::{awaited, some};
use super::super::{count, minute, timestamp};
use super::Reason;
use crate::engine::decide::{budget, suspect};
use crate::engine::judging::Judging;
use crate::engine::money::dollars;
use crate::engine::sprints::Stage;
use crate::engine::state::State;
use crate::engine::tasks::{Phase, Task};
use crate::engine::team::Role;
use crate::engine::waits::{self, Asked, Node};

/// What the task waits for, what that waits for, and so on, a sentence each; empty where it is no more than one step.
pub(super) fn chain(state: &State, id: TaskId) -> Vec<String> {
    let steps = waits::chain(state, id);
    let end = steps.last().and_then(|last| match last.to {
        Node::Task(task) => state.tasks.get(task),
        Node::Agent(_) => None,
    });
    let end = end.map(|row| format!("{} {}", row.spec.id, stands(row.phase)));
    let told = steps.iter().map(|step| waits::words(state, step));
    let told: Vec<String> = told.chain(end).collect();
    match steps.len() {
        0 | 1 => Vec::new(),
        _ => told,
    }
}

/// Why the task is in its phase.
pub(super) fn reasons(state: &State, id: TaskId, task: &Task, now: Time) -> Vec<Reason> {
    let mut found = Vec::new();
    let mut add = |kind, text: String| found.push(Reason { kind, text });
    let story = task.story.as_deref();
    let words = || story.map_or_else(String::new, |story| story.reason.clone());
    let agent = task
        .agent
        .or(task.last_agent)
        .map_or_else(|| "nobody".to_owned(), |agent| state.agent_name(agent));
    match task.phase {
        Phase::Waiting => {
            match state.sprints.get(task.sprint) {
                Some(sprint) if sprint.stage == Stage::Refused => {
                    let text = format!("{} cannot run: {}", sprint.spec.id, sprint.refused);
                    add("refused", text);
                }
                Some(sprint) if sprint.stage == Stage::Preparing && !sprint.is_held() => {
                    let text = format!("{} is still being prepared", sprint.spec.id);
                    add("preparing", text);
                }
                _ => {}
            }
            for before in awaited(state, task) {
                if let Some(row) = state.tasks.get(before) {
                    add(
                        "dependency",
                        format!("it waits for {}, which {}", row.spec.id, stands(row.phase)),
                    );
                }
            }
            // Before the start nothing is ready, whatever it waits for.
            let held = state.sprints.get(task.sprint).filter(|row| row.is_held());
            if let Some(sprint) = held {
                let (name, open) = (&sprint.spec.id, sprint.unclear.len());
                add(
                    "unclear",
                    format!(
                        "{name} begins once what is unclear is answered: {} in the inbox",
                        count(open, "question")
                    ),
                );
            }
        }
        Phase::Ready => {
            for (kind, text) in held_back(state, id, task, now) {
                add(kind, text);
            }
        }
        Phase::Backoff(at) => {
            let ended = story
                .and_then(|story| story.earlier.last())
                .map_or("", |earlier| earlier.ended.as_str());
            add(
                "backoff",
                format!(
                    "its next attempt begins in {} (at {}), because the last one ended so: {ended}",
                    at.since(now),
                    timestamp(at).strftime("%H:%M:%S UTC")
                ),
            );
        }
        Phase::Assigned => add(
            "working",
            format!(
                "{agent} has it; its worktree is being prepared or the assignment is on its way"
            ),
        ),
        Phase::Working if state.is_with_a_person(id) => {
            let asked = state.trouble.asked.get(&id).and_then(|items| items.last());
            add(
                "person",
                format!(
                    "{agent} is a person, and it waits for the answer to inbox #{} for {}",
                    asked.map_or(0, |item| item.0 + 1),
                    now.since(task.changed)
                ),
            );
        }
        Phase::Working => {
            let since = story.map_or(task.changed, |story| story.assigned);
            let alive = match story.map_or("", |story| story.liveness.as_str()) {
                "" => String::new(),
                word => format!("; signs of life: {word}"),
            };
            add(
                "working",
                format!("{agent} works on it for {}{alive}", now.since(since)),
            );
            let waits = task
                .agent
                .and_then(|agent| state.messages.waits.get(&agent));
            if let Some((_, to)) = waits {
                let whom = match to {
                    Asked::Agent(to) => state.agent_name(*to),
                    Asked::Taker(task) => {
                        format!("whoever takes {} up", state.task_name(*task))
                    }
                };
                add("question", format!("{agent} waits for an answer of {whom}"));
            }
        }
        Phase::Reported => add(
            "committing",
            format!("{agent} has reported; the work is being put into a commit and looked at"),
        ),
        Phase::Reviewing => {
            let judged = story.into_iter().flat_map(|story| &story.judged);
            for (gate, judging) in judged {
                let text = match judging {
                    Judging::Agent => format!("its work is being judged: `{gate}`"),
                    Judging::Person(item) => format!(
                        "a person is asked to judge it: `{gate}` (inbox #{})",
                        item.0 + 1
                    ),
                    Judging::Said(_) => continue,
                };
                add("review", text);
            }
        }
        Phase::Queued => add(
            "merge_queue",
            "its work waits for the merge under way to be done".to_owned(),
        ),
        Phase::Merging => add(
            "merging",
            "its work is being merged, and the gates run on the result".to_owned(),
        ),
        Phase::Blocked => {
            let blocker = task.blocker.and_then(|id| state.trouble.blocker(id));
            add(
                "blocked",
                blocker.map_or_else(
                    || "it waits for an answer".to_owned(),
                    |row| {
                        let item = row
                            .item
                            .filter(|item| state.trouble.open_item(*item).is_some())
                            .map_or_else(String::new, |item| format!(" (inbox #{})", item.0 + 1));
                        format!(
                            "it is blocked for {}, {}{item}: {}",
                            now.since(row.raised),
                            row.severity.as_str(),
                            row.text
                        )
                    },
                ),
            );
        }
        Phase::Completed => {
            let took = match (task.began, task.finished) {
                (Some(began), Some(finished)) => format!(" in {}", finished.since(began)),
                _ => String::new(),
            };
            add("completed", format!("{agent} did it{took}"));
        }
        Phase::Deferred => add("backlog", format!("it is in the backlog: {}", words())),
        Phase::Failed => add("failed", format!("it was given up: {}", words())),
        Phase::Quarantined => add(
            "quarantined",
            format!(
                "it killed agent after agent and is given to no other: {}",
                words()
            ),
        ),
        Phase::Cancelled => add("cancelled", format!("it was {}", words())),
    }
    for row in clashes::of_task(state, id, now) {
        add("conflict", row.sentence());
    }
    if task.moved
        && let Some(role) = state.team.roles.get(task.role.index())
    {
        add(
            "rebalanced",
            format!(
                "it moved from {} to {}, because {} was down or had more to do than it could",
                task.spec.role, role.spec.name, task.spec.role
            ),
        );
    }
    found
}

fn stands(phase: Phase) -> &'static str {
    match phase {
        Phase::Deferred => "is in the backlog",
        Phase::Waiting => "waits itself",
        Phase::Ready => "waits for an agent",
        Phase::Backoff(_) => "waits to be tried again",
        Phase::Assigned | Phase::Working => "is being worked on",
        Phase::Reviewing => "is being judged",
        Phase::Reported | Phase::Queued | Phase::Merging => "is being merged",
        Phase::Completed => "is completed",
        Phase::Blocked => "is blocked",
        Phase::Failed => "was given up",
        Phase::Quarantined => "is quarantined",
        Phase::Cancelled => "was cancelled",
    }
}

/// Why a task that is ready does not run.
fn held_back(state: &State, id: TaskId, task: &Task, now: Time) -> Vec<(&'static str, String)> {
    let mut found = Vec::new();
    let Some(sprint) = state.sprints.get(task.sprint) else {
        return found;
    };
    let name = &sprint.spec.id;
    match sprint.stage {
        Stage::Preparing => found.push(("preparing", format!("{name} is still being prepared"))),
        Stage::Refused => found.push(("refused", format!("{name} cannot run: {}", sprint.refused))),
        Stage::Ended(outcome) => {
            found.push(("ended", format!("{name} has ended: {}", outcome.as_str())));
        }
        Stage::Running => {}
    }
    if let Some(moved) = &sprint.moved {
        let what = match state.outstanding.is_putting_back(task.sprint) {
            true => "is being put back",
            false => "was moved by somebody else, and a person is asked what is right",
        };
        found.push(("halted", format!("`{}` {what}", moved.name)));
    }
    if sprint.paused {
        found.push(("paused", format!("{name} is paused")));
    }
    if sprint.cancelled {
        found.push(("cancelling", format!("{name} is being cancelled")));
    }
    if let Some(what) = sprint.emergency
        && task.spec.priority != Priority::Critical
    {
        found.push((
            "emergency",
            format!(
                "an emergency pauses all work that is not critical: {}",
                super::super::status::emergency_text(state, what)
            ),
        ));
    }
    if suspect::is_suspect(state, id) {
        let ends = state.cuts.get(&id).map_or(0, |cuts| cuts.ends);
        found.push((
            "suspect",
            format!(
                "the director ended without a stop {ends} times in a row while it was at work, so it is tried alone, once nothing else is to be done"
            ),
        ));
    } else if suspect::is_at_work(state) {
        let what = "a task is tried alone that was at work when the director ended without a stop";
        found.push(("suspect", what.to_owned()));
    }
    let feature = state.tasks.features.get(task.feature.index());
    match feature.and_then(|feature| Some((feature, feature.holder?))) {
        Some((_, holder)) if holder == id => found.push((
            "saving",
            "what its last attempt left is still being saved".to_owned(),
        )),
        Some((feature, holder)) => found.push((
            "worktree",
            format!(
                "the worktree of feature {} is in use by {}",
                feature.name,
                state.task_name(holder)
            ),
        )),
        None => {}
    }
    let Some(role) = state.team.roles.get(task.role.index()) else {
        return found;
    };
    let role_name = &role.spec.name;
    if role.lost {
        found.push((
            "role_lost",
            format!("all agents of {role_name} are down after too many restarts"),
        ));
        return found;
    }
    if let Some((account, until)) = state.parked(role).and_then(|row| Some((row, row.parked?))) {
        found.push((
            "account",
            format!(
                "the provider takes no more requests of the account {} until {} ({})",
                account.name,
                minute(until),
                account.reason
            ),
        ));
        return found;
    }
    if let Some(short) = short_of(state, id, task, role, now) {
        found.push(("budget", short));
        if !role.free.is_empty() {
            return found;
        }
    }
    if let Some(wanted) = task.wanted {
        if !role.free.contains(&wanted) {
            found.push((
                "no_agent",
                format!("it is meant for {}", busy_with(state, wanted, now)),
            ));
        }
        return found;
    }
    if role.free.is_empty() {
        let who: Vec<String> = role
            .active()
            .map(|agent| busy_with(state, agent, now))
            .collect();
        found.push((
            "no_agent",
            match who.len() {
                0 => format!("role {role_name} has no agents"),
                _ => format!("no {role_name} is free: {}", some(&who, 5)),
            },
        ));
    } else if role.free.iter().all(|agent| task.avoid.contains(agent)) {
        let who: Vec<String> = task.avoid.iter().map(|id| state.agent_name(*id)).collect();
        found.push((
            "avoided",
            format!(
                "those who are free must not get it again: {}",
                some(&who, 5)
            ),
        ));
    } else if found.is_empty() {
        found.push(("no_agent", "it is handed out next".to_owned()));
    }
    found
}

/// The budget that keeps it from everybody who is free, or from all of the role where nobody is, in words.
fn short_of(state: &State, id: TaskId, task: &Task, role: &Role, now: Time) -> Option<String> {
    let who: Vec<AgentId> = match role.free.is_empty() {
        true => role.active().collect(),
        false => role.free.to_vec(),
    };
    let mut may = who.into_iter().filter(|agent| {
        !task.avoid.contains(agent) && task.wanted.is_none_or(|wanted| wanted == *agent)
    });
    let short = budget::short(state, id, task, may.next()?, now)?;
    if !may.all(|agent| budget::short(state, id, task, agent, now).is_some()) {
        return None;
    }
    let item = state.budgets.holds.get(&short.purse);
    let item = item.and_then(|hold| hold.item);
    let open = item.filter(|item| state.trouble.open_item(*item).is_some());
    let ending = match (short.until, open) {
        (Some(until), _) => format!("; enough is free again at {}", minute(until)),
        (None, Some(item)) => format!("; a person is asked (inbox #{})", item.0 + 1),
        (None, None) => "; work in hand may give some back".to_owned(),
    };
    Some(format!(
        "{} has {} left, and it is expected to cost {}{ending}",
        budget::purse_name(state, short.purse),
        dollars(short.left),
        dollars(short.needed)
    ))
}

fn busy_with(state: &State, id: AgentId, now: Time) -> String {
    let Some(agent) = state.team.get(id) else {
        return format!("#{id}");
    };
    match agent.task {
        Some(task) => format!(
            "{} has {} for {}",
            agent.name,
            state.task_name(task),
            now.since(agent.since)
        ),
        None if !agent.up => format!("{} is down", agent.name),
        None => format!("{} is free", agent.name),
    }
}
