//! Reviewing: gates that an agent of a role or a person decides, on the work as it was committed.
//!
//! All judges of a task are asked at once, before its work is merged, so a slow reader holds up nobody else's merge. What they
//! find goes back to the author, a bounded number of rounds; then it is a blocker. A judge that fails is replaced
//! by a person: what nobody judged is never passed.

use director_protocols::event::{
    Event, GateJudged, GateOverridden, InboxClosed, InboxOpened, TaskAdded, TaskReassigned,
    WorkRejected, WorkReviewed,
};
use director_protocols::ids::{AgentId, Name, TaskId};
use director_protocols::inbox::{InboxKind, Reply};
use director_protocols::origin::Origin;
use director_protocols::rejection::Rejection;
use director_protocols::severity::Severity;
use director_protocols::sprint::{Judge, TaskSpec};
use director_protocols::time::{Span, Time};
use director_protocols::work::{GateOutcome, Report, Verdict};

use super::help::{self, Help};
use super::{Answer, block, inbox, integrate, retry, steer};
use crate::engine::gating;
use crate::engine::judging::Judging;
use crate::engine::state::State;
use crate::engine::tasks::Phase;
use crate::engine::waits::{self, Wait};

/// What is expected of a judge at least, where the work itself is small.
const EFFORT_MIN: Span = Span::minutes(15);
/// The share of the work's effort that judging it takes.
const EFFORT_SHARE: u64 = 5;

/// The judges that the task's work has to go to now; empty when nobody has to look.
pub fn asked(state: &State, task: TaskId, now: Time) -> Vec<Event> {
    let row = &state.tasks.table[task.index()];
    let mut events = Vec::new();
    let (mut helps, mut items) = (0, 0);
    for (gate, judge) in gating::judges(state, task) {
        let circle = match &judge {
            Judge::Role { role, .. } => approval(state, task, role),
            Judge::Person => Vec::new(),
        };
        let helper = match &judge {
            Judge::Role { role, run }
                if state.team.by_role.contains_key(role) && circle.is_empty() =>
            {
                let spec = help_for(state, task, &gate, role, run.clone());
                events.push(
                    TaskAdded {
                        task_id: TaskId(state.tasks.table.len() as u32 + helps),
                        sprint_id: row.sprint,
                        spec: spec.into(),
                        dependencies: Vec::new(),
                        origin: Origin::Gate {
                            task_id: task,
                            gate: gate.clone(),
                            round: round(state, task),
                        },
                        by: "director".to_owned(),
                    }
                    .into(),
                );
                true
            }
            Judge::Role { .. } | Judge::Person => false,
        };
        if helper {
            helps += 1;
        } else {
            let why = match circle.is_empty() {
                true => String::new(),
                false => format!(
                    "Nobody of the role can judge it, because that would close a circle: {}. ",
                    waits::told(state, &circle)
                ),
            };
            events.push(to_person(state, task, &gate, items, &why, now));
            items += 1;
        }
    }
    events
}

/// The circle that closes if the task waits for a verdict of the role.
fn approval(state: &State, task: TaskId, role: &Name) -> Vec<Wait> {
    let Some(id) = state.team.by_role.get(role).copied() else {
        return Vec::new();
    };
    let author = state.tasks.table[task.index()].last_agent;
    let all: Vec<AgentId> = state.team.roles[id.index()].active().collect();
    let others: Vec<AgentId> = all
        .iter()
        .copied()
        .filter(|id| Some(*id) != author)
        .collect();
    let able = if others.is_empty() { &all } else { &others };
    waits::by_one_of(state, task, id, able)
}

fn round(state: &State, task: TaskId) -> u32 {
    let story = state.tasks.table[task.index()].story.as_deref();
    story.map_or(0, |story| story.rounds) + 1
}

/// The task of judging.
fn help_for(
    state: &State,
    task: TaskId,
    gate: &Name,
    role: &Name,
    run: Option<director_protocols::sprint::RunSpec>,
) -> TaskSpec {
    let spec = &state.tasks.table[task.index()].spec;
    let effort = Span(spec.estimate.mean().0 / EFFORT_SHARE).max(EFFORT_MIN);
    Help {
        id: help::name(state, task, gate.as_str()),
        title: format!("{gate} of {}: {}", spec.id, spec.title),
        description: what_to_judge(state, task, gate),
        kind: "review".to_owned(),
        role: role.clone(),
        effort,
        run,
    }
    .task(Some(spec))
}

/// What the one who judges reads.
fn what_to_judge(state: &State, task: TaskId, gate: &Name) -> String {
    let row = &state.tasks.table[task.index()];
    let spec = &row.spec;
    let mut lines = vec![format!(
        "Judge the work on task {} ({}).",
        spec.id, spec.title
    )];
    if !spec.description.is_empty() {
        lines.push(format!("The task was: {}", spec.description));
    }
    for criterion in &spec.acceptance {
        lines.push(format!("It is accepted when: {criterion}"));
    }
    if let Some(story) = row.story.as_deref() {
        if !story.commit.is_empty() {
            lines.push(format!(
                "The work is in the current directory: git diff {} {}",
                story.begun_at, story.commit
            ));
        }
        let summary = story.report().summary.trim();
        if !summary.is_empty() {
            lines.push(format!("Its author says: {summary}"));
        }
        let before = story.earlier.iter().rev().find(|earlier| {
            // What was found the last time has to be dealt with.
            earlier.ended.starts_with(FOUND)
        });
        lines.extend(before.map(|earlier| format!("The round before {}", earlier.ended)));
    }
    lines.push(format!(
        "This is the gate `{gate}`. Change nothing. In the report, list in `findings` what has to be changed before the work is accepted, each with its file and line; leave it out when nothing has to be. What is merely worth knowing belongs into `summary`."
    ));
    lines.join("\n")
}

/// How the reason of a rejection by judges begins.
const FOUND: &str = "found:";

/// The item for a person who judges; `place` is how many items the decision has opened before.
fn to_person(state: &State, task: TaskId, gate: &Name, place: u32, why: &str, now: Time) -> Event {
    let row = &state.tasks.table[task.index()];
    let about = (row.sprint, Some(task));
    let text = format!("{why}{}", what_to_judge(state, task, gate));
    let mut open = inbox::opened(state, InboxKind::Gate, about, Severity::Medium, text, now);
    open.item.0 += place;
    InboxOpened {
        gate: Some(gate.clone()),
        ..open
    }
    .into()
}

/// What follows the report of one who judged.
pub fn reported(state: &State, help: TaskId) -> Vec<Event> {
    let row = &state.tasks.table[help.index()];
    let Some(Origin::Gate { task_id, gate, .. }) = row.origin.as_deref() else {
        return Vec::new();
    };
    let report = row.story.as_ref().map(|story| story.report());
    let findings = report.map_or_else(Vec::new, findings);
    let by = row
        .last_agent
        .map_or_else(String::new, |agent| state.agent_name(agent));
    let said = report.map_or("", |report| report.summary.as_str());
    vec![
        GateJudged {
            task_id: *task_id,
            gate: gate.clone(),
            verdict: match findings.is_empty() {
                true => Verdict::Passed,
                false => Verdict::Failed,
            },
            by,
            findings: match findings.is_empty() {
                true => said.to_owned(),
                false => findings.join("\n"),
            },
            help: Some(help),
        }
        .into(),
    ]
}

/// What has to be changed: what the report lists, and criteria that it calls unmet.
fn findings(report: &Report) -> Vec<String> {
    let unmet = report.acceptance.iter().filter(|answer| !answer.met);
    let unmet = unmet.map(|answer| format!("not met: {} ({})", answer.criterion, answer.evidence));
    report.findings.iter().cloned().chain(unmet).collect()
}

/// What a person says about a gate.
pub fn by_person(
    (task, gate): (TaskId, &Name),
    (reply, text): (Reply, &str),
    by: &str,
) -> Result<Event, Rejection> {
    let verdict = match reply {
        Reply::Approve => Verdict::Passed,
        Reply::Reject => Verdict::Failed,
        Reply::Answer => {
            return Err(Rejection::BadAnswer {
                why: "a gate is approved or rejected: `director approve ID`, `director reject ID REASON`"
                    .to_owned(),
            });
        }
    };
    Ok(GateJudged {
        task_id: task,
        gate: gate.clone(),
        verdict,
        by: by.to_owned(),
        findings: text.trim().to_owned(),
        help: None,
    }
    .into())
}

/// What follows when help is over without a word: a person takes the judge's place.
pub fn lost(state: &State, help: TaskId, reason: &str, now: Time) -> Vec<Event> {
    let row = &state.tasks.table[help.index()];
    let Some(Origin::Gate { task_id, gate, .. }) = row.origin.as_deref() else {
        return Vec::new();
    };
    let judged = &state.tasks.table[task_id.index()];
    let waits = judged
        .story
        .as_ref()
        .and_then(|story| story.judged.get(gate));
    if judged.phase != Phase::Reviewing || waits != Some(&Judging::Agent) {
        return Vec::new();
    }
    let why = format!("{} could not judge it ({reason}). ", row.spec.id);
    vec![to_person(state, *task_id, gate, 0, &why, now)]
}

/// What follows when the last judge has spoken.
pub fn concluded(state: &State, task: TaskId) -> Vec<Event> {
    let row = &state.tasks.table[task.index()];
    let Some(story) = row.story.as_deref() else {
        return Vec::new();
    };
    let outcomes: Option<Vec<GateOutcome>> = story
        .judged
        .values()
        .map(|judging| match judging {
            Judging::Said(outcome) => Some(outcome.clone()),
            Judging::Agent | Judging::Person(_) => None,
        })
        .collect();
    match outcomes {
        Some(outcomes) if row.phase == Phase::Reviewing => vec![
            WorkReviewed {
                task_id: task,
                attempt: row.attempt,
                passed: outcomes
                    .iter()
                    .all(|outcome| outcome.verdict != Verdict::Failed),
                round: round(state, task),
                outcomes,
            }
            .into(),
        ],
        _ => Vec::new(),
    }
}

/// What follows a verdict of all judges.
pub fn after(state: &State, e: &WorkReviewed, now: Time) -> Vec<Event> {
    let row = &state.tasks.table[e.task_id.index()];
    if e.passed {
        let alone = !state.has_repo(e.task_id) && !gating::has_commands(state, &[e.task_id]);
        let gated = || integrate::gated(state, None, row.sprint, &[e.task_id], &[]);
        return alone.then(gated).into_iter().collect();
    }
    let found: Vec<String> = e
        .outcomes
        .iter()
        .filter(|outcome| outcome.verdict == Verdict::Failed)
        .map(|outcome| {
            format!(
                "`{}`, {}:\n{}",
                outcome.gate, outcome.evidence, outcome.tail
            )
        })
        .collect();
    let reason = format!("{FOUND} {}", found.join("\n"));
    if state.sprints.table[row.sprint.index()].cancelled {
        return retry::after_rejection(state, e.task_id, reason, now);
    }
    let mut events: Vec<Event> = vec![
        WorkRejected {
            task_id: e.task_id,
            attempt: row.attempt,
            reason: reason.clone(),
            counts: false,
        }
        .into(),
    ];
    if e.round >= gating::rounds_max(state, e.task_id) {
        let raise = block::Raise {
            task: e.task_id,
            agent: row.last_agent,
            kind: "review_rounds",
            severity: Severity::High,
            text: &format!(
                "after {} rounds the work is still not accepted; say how to go on, or override the gate. {reason}",
                e.round
            ),
        };
        events.extend(block::raise_blocker(state, &raise, now));
    } else {
        let author = row.last_agent.filter(|agent| state.team.is_there(*agent));
        events.push(
            TaskReassigned {
                task_id: e.task_id,
                to: author,
                by: "director (findings go back to the author)".to_owned(),
            }
            .into(),
        );
    }
    events
}

/// Calls off whoever judges the task's work, because the verdict is not wanted any more.
pub fn called_off(state: &State, task: TaskId, only: Option<&Name>) -> Vec<Event> {
    let row = &state.tasks.table[task.index()];
    let mut events = Vec::new();
    for help in &state.sprints.table[row.sprint.index()].added {
        let helper = &state.tasks.table[help.index()];
        let ours = matches!(
            helper.origin.as_deref(),
            Some(Origin::Gate { task_id, gate, .. }) if *task_id == task && only.is_none_or(|only| only == gate)
        );
        if ours && !helper.phase.is_over() {
            events.extend(steer::cancelled(
                state,
                *help,
                "director (no verdict is wanted any more)",
            ));
        }
    }
    for (item, open) in state.trouble.waiting() {
        let ours = open.task == Some(task)
            && open
                .gate
                .as_ref()
                .is_some_and(|gate| only.is_none_or(|only| only == gate));
        if ours {
            events.push(
                InboxClosed {
                    item,
                    reason: "no verdict is wanted any more".to_owned(),
                }
                .into(),
            );
        }
    }
    events
}

/// Decides about a gate that a person does not want to hold a task up.
pub fn overridden(state: &State, task: TaskId, gate: &str, reason: &str, by: &str) -> Answer {
    let row = state.tasks.get(task).ok_or(Rejection::NoTask)?;
    let gates = gating::gates(state, row.sprint, &[task]);
    let Some(found) = gates.iter().find(|known| known.name.as_str() == gate) else {
        let known: Vec<&str> = gates.iter().map(|gate| gate.name.as_str()).collect();
        return Err(Rejection::NoGate {
            task: row.spec.id.to_string(),
            gate: gate.chars().take(100).collect(),
            known: known.join(", "),
        });
    };
    if row.phase == Phase::Completed {
        return Err(Rejection::TaskState {
            task: row.spec.id.to_string(),
            state: row.phase.as_str(),
            hint: "its gates have let it pass already",
        });
    }
    if reason.trim().is_empty() {
        return Err(Rejection::BadAnswer {
            why: "an override needs its reason".to_owned(),
        });
    }
    Ok(vec![
        GateOverridden {
            task_id: task,
            gate: found.name.clone(),
            by: by.to_owned(),
            reason: reason.to_owned(),
        }
        .into(),
    ])
}
