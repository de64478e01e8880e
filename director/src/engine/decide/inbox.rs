//! The inbox: what is put into it, a person's answer, what it sets free, and what happens when none comes.
//!
//! | kind | an answer | yes | no |
//! |---|---|---|---|
//! | blocker, question | the words go to whoever waits | the same, "yes" | the same, "no" with the reason |
//! | role | it is started again | the same | is refused: cancel what needs the role instead |
//! | task | done, the words are its summary | done, and every criterion is met | held up, for the reason |
//! | gate | is refused: yes or no is wanted | passed | failed, the reason goes to the author |
//! | handoff | is accepted | is accepted | is returned with the reason |
//! | deployment | is asked for again | the same | is dropped for the reason |
//! | unclear | changes the task | leaves it as it is | is refused |
//! | fallback | is noted | is done | things go on as planned |
//! | budget | is its limit from now on, in dollars | it is raised by half | what does not fit is called off |
//! | branch | goes on from where it is, if it says `go on` | it is put back | the sprint is called off |
//! | notice | is put away | the same | the same |

use director_protocols::digest::Digest;
use director_protocols::event::{
    BlockerResolved, Event, InboxAnswered, InboxOpened, InboxReminded, QuestionAnswered,
    RoleRestored,
};
use director_protocols::ids::{InboxId, SprintId, TaskId};
use director_protocols::inbox::{InboxDefault, InboxKind, InboxRules, Reply};
use director_protocols::rejection::Rejection;
use director_protocols::severity::Severity;
use director_protocols::sprint::Priority;
use director_protocols::template::task_assignment;
use director_protocols::time::{Span, Time};
use director_protocols::work::{
    Artifact, AttemptEnd, BlockerReport, CriterionAnswer, Report, TEXT_BYTES_MAX,
};

use super::{Answer, attempt, branch, budget, deploy, handoff, review, risk, unclear};
use crate::engine::state::State;
use crate::engine::trouble::InboxItem;

/// Who answers when nobody did in time.
const NOBODY: &str = "director (nobody answered in time)";
/// From one reminder to the next where no rule says otherwise.
const REMIND: Span = Span::hours(8);

/// Something new for a person, with the deadline and the default that its kind has.
pub fn opened(
    state: &State,
    kind: InboxKind,
    (sprint_id, task_id): (SprintId, Option<TaskId>),
    severity: Severity,
    question: String,
    now: Time,
) -> InboxOpened {
    let rules = &state.sprints.table[sprint_id.index()].spec.ways.inbox;
    InboxOpened {
        item: InboxId(state.trouble.inbox.len() as u32),
        ..opened_by(rules, kind, (sprint_id, task_id), severity, question, now)
    }
}

/// As [`opened`], by the rules of a sprint that may not be there yet; its number is still to be given.
pub fn opened_by(
    rules: &InboxRules,
    kind: InboxKind,
    (sprint_id, task_id): (SprintId, Option<TaskId>),
    severity: Severity,
    question: String,
    now: Time,
) -> InboxOpened {
    let rule = rules.of(kind);
    InboxOpened {
        item: InboxId(0),
        sprint_id,
        task_id,
        blocker: None,
        message: None,
        severity,
        question,
        role: None,
        kind,
        attempt: None,
        deadline: rule.map(|rule| now + rule.within),
        default: rule.map_or(InboxDefault::Remind, |rule| rule.default.clone()),
        gate: None,
        handoff: None,
        deployment: None,
        about: None,
        risk: None,
        purse: None,
    }
}

/// The item for a task that a person has been given.
pub fn handed(state: &State, task: TaskId, now: Time) -> Event {
    let row = &state.tasks.table[task.index()];
    let severity = match row.spec.priority {
        Priority::Low => Severity::Low,
        Priority::Normal => Severity::Medium,
        Priority::High => Severity::High,
        Priority::Critical => Severity::Critical,
    };
    let question = assignment_text(state, task);
    let place = (row.sprint, Some(task));
    let open = opened(state, InboxKind::Task, place, severity, question, now);
    InboxOpened {
        attempt: Some(row.attempt),
        ..open
    }
    .into()
}

/// What a person reads of a task: the *Task Assignment*, and what is known beside it.
fn assignment_text(state: &State, task: TaskId) -> String {
    let row = &state.tasks.table[task.index()];
    let spec = &row.spec;
    let mut lines = vec![spec.title.clone()];
    if !spec.description.is_empty() {
        lines.push(spec.description.clone());
    }
    let rules = &state.sprints.table[row.sprint.index()].spec.ways.inbox;
    let within = rules.of(InboxKind::Task).map(|rule| rule.within);
    let expected = within.map_or_else(String::new, |within| format!("within {within}"));
    lines.push(task_assignment(spec, &expected).trim_end().to_owned());
    if let Some(story) = &row.story {
        if !story.workdir.is_empty() {
            lines.push(format!("The work goes into {}", story.workdir));
        }
        lines.extend(story.guidance.last().cloned());
        if let Some(earlier) = story.earlier.last() {
            lines.push(format!(
                "The attempt before ended so: {}",
                earlier.ended.trim_end()
            ));
        }
    }
    lines.join("\n")
}

/// Decides about a person's answer.
pub fn answer(
    state: &State,
    item: InboxId,
    (reply, text): (Reply, &str),
    by: &str,
    now: Time,
) -> Answer {
    let open = state
        .trouble
        .open_item(item)
        .ok_or(Rejection::NoInboxItem { item })?;
    let bad = |why: String| Err(Rejection::BadAnswer { why });
    if reply == Reply::Answer && text.trim().is_empty() {
        return bad("it is empty".to_owned());
    }
    if text.len() > TEXT_BYTES_MAX {
        return bad(format!(
            "it is longer than {} KiB; write it to a file and name that",
            TEXT_BYTES_MAX / 1024
        ));
    }
    if reply == Reply::Reject && open.kind == InboxKind::Role {
        return bad(
            "a role can only be started again; cancel the tasks that need it instead".to_owned(),
        );
    }
    let words = in_words(reply, text);
    let mut events: Vec<Event> = vec![
        InboxAnswered {
            item,
            answer: words.clone(),
            by: by.to_owned(),
            reply,
        }
        .into(),
    ];
    events.extend(set_free(open, &words, by));
    events.extend(unclear::answered(state, open, (reply, text), by)?);
    events.extend(risk::answered(state, open, reply, by));
    if let Some(purse) = open.purse {
        events.extend(budget::answered(state, purse, (reply, text), by, now)?);
    }
    if open.kind == InboxKind::Branch {
        events.extend(branch::answered(state, open.sprint, (reply, text), by)?);
    }
    if let Some(number) = open.handoff {
        events.push(handoff::answered(number, (reply, text), by));
    }
    if let Some(number) = open.deployment {
        events.extend(deploy::answered(state, number, (reply, text), by, now));
    }
    if let (Some(gate), Some(task)) = (&open.gate, open.task) {
        events.push(review::by_person((task, gate), (reply, text), by)?);
    }
    if let (InboxKind::Task, Some(task), Some(attempt)) = (open.kind, open.task, open.attempt) {
        let end = end_of(state, task, (reply, text), by);
        events.extend(attempt::ended(state, task, attempt, &end, now)?);
    }
    Ok(events)
}

/// A yes or a no in words, for those who get words.
fn in_words(reply: Reply, text: &str) -> String {
    match (reply, text.trim()) {
        (Reply::Answer, _) => text.to_owned(),
        (Reply::Approve, "") => "yes".to_owned(),
        (Reply::Approve, text) => format!("yes: {text}"),
        (Reply::Reject, "") => "no".to_owned(),
        (Reply::Reject, text) => format!("no: {text}"),
    }
}

/// What follows for a blocker, a question, a lost role.
fn set_free(open: &InboxItem, words: &str, by: &str) -> Vec<Event> {
    let mut events: Vec<Event> = Vec::new();
    if let Some(blocker) = open.blocker {
        events.push(
            BlockerResolved {
                blocker,
                by: by.to_owned(),
                answer: words.to_owned(),
            }
            .into(),
        );
    }
    if let Some(message) = open.message {
        events.push(
            QuestionAnswered {
                message,
                by: by.to_owned(),
                text: words.to_owned(),
            }
            .into(),
        );
    }
    if let Some(role) = &open.role {
        events.push(
            RoleRestored {
                role: role.clone(),
                by: by.to_owned(),
            }
            .into(),
        );
    }
    events
}

/// How the attempt of a person ends by an answer.
fn end_of(state: &State, task: TaskId, (reply, text): (Reply, &str), by: &str) -> AttemptEnd {
    let spec = &state.tasks.table[task.index()].spec;
    match reply {
        Reply::Reject => AttemptEnd::Blocked(BlockerReport {
            kind: "said_no".to_owned(),
            severity: Severity::Medium,
            text: match text.trim() {
                "" => format!("{by} cannot do it, without a reason"),
                text => text.to_owned(),
            },
        }),
        Reply::Answer | Reply::Approve => {
            let summary = match text.trim() {
                "" => format!("done, says {by}"),
                text => text.to_owned(),
            };
            let acceptance = match reply {
                Reply::Approve => spec.acceptance.as_slice(),
                _ => &[],
            };
            AttemptEnd::done(Report {
                artifacts: vec![Artifact {
                    name: "answer".to_owned(),
                    kind: "text".to_owned(),
                    sha256: Digest::of(summary.as_bytes()).to_string(),
                    bytes: summary.len() as u64,
                }],
                acceptance: acceptance
                    .iter()
                    .map(|criterion| CriterionAnswer {
                        criterion: criterion.clone(),
                        met: true,
                        evidence: format!("approved by {by}"),
                    })
                    .collect(),
                summary,
                ..Report::default()
            })
        }
    }
}

/// What follows when nobody has answered in time.
pub fn overdue(state: &State, item: InboxId, now: Time) -> Vec<Event> {
    let Some(open) = state.trouble.open_item(item) else {
        return Vec::new();
    };
    let (reply, text) = match &open.default {
        InboxDefault::Remind => {
            return vec![reminded(state, item, open, now)];
        }
        InboxDefault::Answer(text) => (Reply::Answer, text.as_str()),
        InboxDefault::Approve => (Reply::Approve, ""),
        InboxDefault::Reject(reason) => (Reply::Reject, reason.as_str()),
    };
    // A default that cannot be carried out leaves the matter open.
    answer(state, item, (reply, text), NOBODY, now)
        .unwrap_or_else(|_| vec![reminded(state, item, open, now)])
}

fn reminded(state: &State, item: InboxId, open: &InboxItem, now: Time) -> Event {
    let rules = &state.sprints.table[open.sprint.index()].spec.ways.inbox;
    let within = rules.of(open.kind).map_or(REMIND, |rule| rule.within);
    InboxReminded {
        item,
        deadline: now + within,
    }
    .into()
}
