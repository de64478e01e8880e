//! Following: the rules by which one event leads to the next, within the same decision.
//!
//! `after` looks at one event that was just applied; `at_rest` at the sprints that the decision touched, once
//! nothing else is left to follow. Both only read. Each rule makes its own condition false, so following ends.

use std::collections::BTreeSet;

use director_protocols::event::{
    AdviserAsked, BlockerResolved, Event, HandoffAccepted, InboxClosed, InboxOpened, MergeStarted,
    SprintEnded, SprintInitialized, SprintRefused,
};
use director_protocols::ids::{AgentId, BlockerId, MessageId, SprintId, TaskId};
use director_protocols::inbox::InboxKind;
use director_protocols::origin::Origin;
use director_protocols::severity::Severity;
use director_protocols::time::Time;
use director_protocols::work::{AttemptEnd, GateOutcome, Verdict};

use super::{
    balance, block, branch, budget, complete, deploy, emergency, handoff, inbox, integrate, manage,
    message, pair, peer, retry, review, risk, roles, spend, suspect, unclear,
};
use crate::engine::gating;
use crate::engine::inform;
use crate::engine::sprints::Stage;
use crate::engine::state::State;
use crate::engine::tasks::Phase;

/// What follows from one event, in the state that it led to, added to `out` in order.
pub fn after(state: &State, event: &Event, now: Time, out: &mut Vec<Event>) {
    match event {
        Event::BaseChecked(e) => {
            let refused = |reason| {
                Event::from(SprintRefused {
                    sprint_id: e.sprint_id,
                    reason,
                })
            };
            out.extend(red_base(state, e.sprint_id, &e.outcomes).map(refused));
        }
        Event::TaskAssigned(e) => {
            out.extend(spend::reserved(state, e, now));
            // Low and medium blockers are over when an agent takes the task up again.
            if let Some(blocker) = state.tasks.table[e.task_id.index()].blocker {
                out.push(
                    BlockerResolved {
                        blocker,
                        by: state.agent_name(e.agent_id),
                        answer: String::new(),
                    }
                    .into(),
                );
            }
            out.extend(unclear::lapsed(state, e.task_id, "work on it has begun"));
            if state.is_person(e.agent_id) && !state.has_repo(e.task_id) {
                out.push(inbox::handed(state, e.task_id, now));
            }
        }
        Event::WorktreePrepared(e) if state.is_with_a_person(e.task_id) => {
            out.push(inbox::handed(state, e.task_id, now));
        }
        Event::InboxOpened(e) if e.kind == InboxKind::Task => {
            if let Some(task) = e.task_id {
                begun(state, task, out);
            }
        }
        Event::InboxOpened(e) if e.kind == InboxKind::Unclear => {
            out.extend(unclear::ask_product(state, e.item));
        }
        Event::AttemptStarted(e) => {
            begun(state, e.task_id, out);
            out.extend(emergency::begun_meanwhile(state, e.task_id));
        }
        Event::AttemptEnded(e) => {
            out.extend(spend::settled(state, e));
            out.extend(suspect::quarantined(state, e.task_id));
            unanswered(state, e.task_id, out);
            if let AttemptEnd::Done(_) = e.end
                && state.is_reported(e.task_id)
                && !state.has_repo(e.task_id)
            {
                reported_without_repo(state, e.task_id, now, out);
            }
            out.extend(balance::after_attempt(state, e, now));
        }
        Event::CostSpent(e) => out.extend(spend::after_spent(state, e, now)),
        Event::CostSettled(e) => out.extend(budget::warned(state, e.task_id, now)),
        Event::BudgetWarned(e) => out.push(budget::after_warned(state, e, now)),
        Event::BudgetHeld(e) => out.extend(budget::after_held(state, e, now)),
        Event::BudgetFreed(e) => out.extend(budget::after_freed(state, e)),
        Event::MergePrepared(e) if !gating::has_commands(state, &e.batch) => {
            let gated = integrate::gated(state, None, e.sprint_id, &e.batch, &[]);
            out.push(integrate::together(gated));
        }
        Event::MergeConflicted(e) => {
            let tasks = e.batch.iter();
            out.extend(tasks.flat_map(|task| integrate::conflicted(state, *task, &e.files, now)));
        }
        Event::QualityGateStatus(e) if !e.passed => {
            let reason = red(&e.outcomes).unwrap_or_default();
            let tasks = e.batch.iter();
            out.extend(
                tasks.flat_map(|task| retry::after_rejection(state, *task, reason.clone(), now)),
            );
        }
        Event::QualityGateStatus(e) if !state.is_merging(e.sprint_id, &e.batch) => {
            out.extend(complete::all(state, &e.batch));
        }
        Event::MergeCompleted(e) => {
            out.extend(complete::all(state, &e.batch));
        }
        Event::TaskCompleted(e) => {
            complete::after(state, e.task_id, out);
            out.extend(handoff::after_completion(state, e.task_id));
            out.extend(deploy::after_completion(state, e.task_id, now));
            out.extend(emergency::mended(state, e.task_id));
            out.extend(risk::completed(state, e.task_id, now));
        }
        Event::TaskAdded(e) => {
            out.extend(emergency::begun_by_bug(state, e.task_id, now));
            if matches!(e.origin, Origin::Bug { .. }) {
                out.extend(balance::checked(state, e.sprint_id, false, now));
                out.extend(risk::late(state, e.sprint_id, now));
            }
        }
        Event::QaHandoffReady(e) => out.extend(handoff::delivered(state, e.handoff, now)),
        Event::DevopsHandoffReady(e) => out.extend(handoff::delivered(state, e.handoff, now)),
        Event::ProductDemoReady(e) => out.extend(handoff::delivered(state, e.handoff, now)),
        Event::PackageAnswered(e) => out.extend(handoff::feedback(state, e)),
        Event::DeliveryFailed(e) => out.extend(peer::given_up(state, e, now)),
        Event::GateJudged(e) => out.extend(review::concluded(state, e.task_id)),
        Event::HelpGiven(e) => out.extend(pair::after(state, e)),
        Event::EngineeringEmergency(e) => out.extend(emergency::after(state, e)),
        Event::EmergencyResolved(e) => {
            out.extend(emergency::after_resolution(state, e));
            // The first of several is resolved, the emergency goes on with the next: one that is there now, after all that was
            // resolved with the first.
            match emergency::next(state, e.sprint_id, now) {
                Some(next) => out.push(next),
                None => out.extend(deploy::after_emergency(state, e.sprint_id, now)),
            }
        }
        Event::DeploymentScheduled(e) => out.extend(deploy::after_schedule(state, e)),
        Event::ReadinessChecked(e) => out.push(deploy::after_check(state, e, now)),
        Event::DeploymentProbed(e) => out.extend(deploy::after_probe(state, e, now)),
        Event::SprintCancelled(e) => {
            out.extend(deploy::called_off(state, e.sprint_id, &e.by));
            out.extend(branch::unasked(
                state,
                e.sprint_id,
                "the sprint is cancelled",
            ));
        }
        Event::BranchRestored(e) => {
            out.extend(branch::unasked(
                state,
                e.sprint_id,
                "the branch is where it should be",
            ));
        }
        Event::WorkReviewed(e) => {
            out.extend(review::after(state, e, now));
            if !e.passed {
                out.extend(risk::sent_back(state, e.task_id, e.round));
            }
        }
        Event::RiskTriggered(e) => out.extend(risk::after(state, e, now)),
        Event::FallbackApplied(e) if e.to.is_some() => out.extend(balance::after_role(state, now)),
        Event::GateOverridden(e) => {
            out.extend(review::called_off(state, e.task_id, Some(&e.gate)));
            out.extend(review::concluded(state, e.task_id));
        }
        Event::TaskFailed(e) => {
            out.extend(help_lost(state, e.task_id, &e.reason, now));
            out.extend(risk::failed(state, e.task_id));
        }
        Event::TaskQuarantined(e) => {
            out.extend(risk::failed(state, e.task_id));
            out.extend(help_lost(state, e.task_id, "it was quarantined", now));
        }
        Event::TaskCancelled(e) if state.is_help(e.task_id) => {
            let reason = format!("cancelled by {}", e.by);
            out.extend(help_lost(state, e.task_id, &reason, now));
        }
        Event::TaskCancelled(e) => {
            out.extend(unclear::lapsed(state, e.task_id, "the task is cancelled"));
            out.extend(review::called_off(state, e.task_id, None));
            out.extend(emergency::mended(state, e.task_id));
        }
        Event::WorkSalvaged(e) => {
            if let Some(reason) = &e.kept {
                out.extend(kept(state, e.task_id, reason, now));
            }
        }
        Event::BlockerRaised(e) => out.extend(asked(state, e.blocker, e.severity, now)),
        Event::BlockerEscalated(e) => out.extend(asked(state, e.blocker, e.to, now)),
        Event::InboxAnswered(e) => {
            let blocker = state.trouble.inbox[e.item.index()].blocker;
            let noted = |blocker| emergency::noted(state, blocker, &e.by, &e.answer);
            out.extend(blocker.and_then(noted));
        }
        Event::BlockerResolved(e) => out.extend(after_resolution(state, e.blocker)),
        Event::QuestionAsked(e) if e.to.is_none() && e.of.is_none() => {
            out.extend(message::for_a_person(state, e.message, now));
        }
        Event::QuestionDirected(e) if e.to.is_none() => {
            out.extend(message::for_a_person(state, e.message, now));
        }
        Event::SprintEnded(e) => out.extend(unclear::over(state, e.sprint_id)),
        Event::SprintRefused(e) => out.extend(unclear::over(state, e.sprint_id)),
        Event::SprintInitialized(e) => {
            out.extend(balance::checked(state, e.sprint_id, false, now));
            out.extend(roles::lost_before(state, now));
        }
        Event::SprintReopened(_) => out.extend(roles::lost_before(state, now)),
        Event::SprintReplanned(e) => {
            out.extend(balance::checked(state, e.sprint_id, false, now));
            out.extend(risk::late(state, e.sprint_id, now));
        }
        Event::DailyStandupCompleted(e) => {
            out.extend(manage::standup(state, e));
            out.extend(balance::checked(state, e.sprint_id, true, now));
            out.extend(risk::late(state, e.sprint_id, now));
        }
        Event::RoleLost(e) => {
            let why = format!("is down after too many restarts ({})", e.reason);
            out.extend(roles::lost(state, &e.role, &why, now));
            // What was foreseen goes before what is usual.
            let foreseen = risk::down(state, &e.role);
            match foreseen.is_empty() {
                true => out.extend(balance::after_role(state, now)),
                false => out.extend(foreseen),
            }
        }
        Event::RoleRestored(e) => {
            out.extend(roles::found(
                state,
                Some(&e.role),
                "the role is started again",
            ));
            out.extend(balance::after_role(state, now));
        }
        Event::AgentUp(e) => {
            let before = out.len();
            overtaken(state, e.agent_id, out);
            let place = out.len() - before;
            out.extend(unclear::overtaken(state, e.agent_id, place));
        }
        Event::EpochOpened(_) => {
            out.extend(roles::found(
                state,
                None,
                "a new director starts every role again",
            ));
        }
        _ => {}
    }
    out.extend(inform::notices(state, event, now));
}

/// What follows when help is over without a word.
fn help_lost(state: &State, task: TaskId, reason: &str, now: Time) -> Vec<Event> {
    let mut events = review::lost(state, task, reason, now);
    events.extend(pair::lost(state, task, reason, now));
    events.extend(handoff::lost(state, task, reason, now));
    events.extend(emergency::mended(state, task));
    events
}

/// What the tasks before it left is accepted when the first attempt begins.
fn begun(state: &State, task: TaskId, out: &mut Vec<Event>) {
    let row = &state.tasks.table[task.index()];
    if row.story.as_ref().map(|story| story.starts) == Some(1) {
        let accepted = row.depends_on.iter().map(|from| HandoffAccepted {
            from: *from,
            to: task,
        });
        out.extend(accepted.map(Event::from));
    }
}

/// What is said of a worktree that could not be saved: a question, if the task has none open and goes on.
fn kept(state: &State, task: TaskId, reason: &str, now: Time) -> Vec<Event> {
    let row = &state.tasks.table[task.index()];
    if row.phase.is_over() || row.phase == Phase::Blocked {
        return integrate::incident(state, row.sprint, Some(task), reason);
    }
    let raise = block::Raise {
        task,
        agent: None,
        kind: "worktree_kept",
        severity: Severity::High,
        text: reason,
    };
    let mut events: Vec<Event> = Vec::new();
    // It is held up by one thing at a time.
    events.extend(row.blocker.map(|blocker| {
        BlockerResolved {
            blocker,
            by: "director (the worktree was kept)".to_owned(),
            answer: String::new(),
        }
        .into()
    }));
    events.extend(block::raise_blocker(state, &raise, now));
    events
}

/// Questions to a person whose asker no longer waits.
fn unanswered(state: &State, task: TaskId, out: &mut Vec<Event>) {
    let asked = state.trouble.asked.get(&task).into_iter().flatten();
    let closed = asked.map(|item| InboxClosed {
        item: *item,
        reason: "the attempt that asked is over".to_owned(),
    });
    out.extend(closed.map(Event::from));
}

fn initialized(state: &State, id: SprintId) -> Event {
    SprintInitialized {
        sprint_id: id,
        total_tasks: state.tasks.tally(id).committed,
        estimated_duration: state.sprints.table[id.index()].planned,
    }
    .into()
}

/// Why a sprint cannot start from its base; nothing if it can.
fn red_base(state: &State, id: SprintId, outcomes: &[GateOutcome]) -> Option<String> {
    let spec = &state.sprints.get(id)?.spec;
    let base = match &spec.base {
        Some(base) => format!("the base `{base}`"),
        None => "the base".to_owned(),
    };
    // A base that is covered badly can be worked on; it must only not get worse.
    let judged: Vec<GateOutcome> = outcomes
        .iter()
        .filter(|outcome| outcome.measured.is_none())
        .cloned()
        .collect();
    let what = red(&judged)?;
    Some(format!(
        "{base} is red before any task has begun; make it green, or change the gate in the sprint file: {}",
        what.trim_end()
    ))
}

/// What failed, with the evidence; nothing if nothing did.
pub fn red(outcomes: &[GateOutcome]) -> Option<String> {
    let failed: Vec<String> = outcomes
        .iter()
        .filter(|outcome| outcome.verdict == Verdict::Failed)
        .map(|outcome| {
            // Without a code it never started or was ended, and the tail says so.
            let code = outcome
                .exit_code
                .map_or_else(String::new, |code| format!(" (exit code {code})"));
            format!(
                "gate `{}` failed{code}: {}\n{}",
                outcome.gate, outcome.evidence, outcome.tail
            )
        })
        .collect();
    (!failed.is_empty()).then(|| failed.join("\n"))
}

fn reported_without_repo(state: &State, task: TaskId, now: Time, out: &mut Vec<Event>) {
    let sprint = state.tasks.table[task.index()].sprint;
    if state.is_help(task) {
        out.extend(review::reported(state, task));
        out.extend(pair::reported(state, task));
        out.extend(handoff::reported(state, task));
        return;
    }
    match gating::lacks(state, task, None) {
        Some(reason) => out.extend(retry::after_rejection(state, task, reason, now)),
        None if gating::has_none(state, sprint, task) => out.push(complete::one(state, task)),
        None if gating::wants_judges(state, task) => {
            out.extend(review::asked(state, task, None, now))
        }
        None if gating::has_commands(state, &[task]) => {}
        None => out.push(integrate::gated(state, None, sprint, &[task], &[])),
    }
}

/// What a tier asks for beside what is done at once: a question to a role of the ladder, one to people, an emergency.
fn asked(state: &State, id: BlockerId, severity: Severity, now: Time) -> Vec<Event> {
    let blocker = &state.trouble.blockers[id.index()];
    let sprint_id = state.tasks.table[blocker.task.index()].sprint;
    let mut events: Vec<Event> = Vec::new();
    if severity >= Severity::High && blocker.item.is_none() {
        let place = (sprint_id, Some(blocker.task));
        let text = blocker.text.clone();
        let open = inbox::opened(state, InboxKind::Blocker, place, severity, text, now);
        events.push(
            InboxOpened {
                blocker: Some(id),
                ..open
            }
            .into(),
        );
    }
    if let Some(to) = adviser(state, id, severity) {
        events.push(advice(state, id, to, 0));
    }
    if severity == Severity::Critical && state.sprints.table[sprint_id.index()].emergency.is_none()
    {
        events.push(emergency::begun(state, id, now));
    }
    events
}

/// Who of the ladder is asked about a blocker beside the people, if any.
fn adviser(state: &State, id: BlockerId, severity: Severity) -> Option<AgentId> {
    if severity == Severity::High && block::wants_a_person(state, id) {
        return None;
    }
    let blocker = &state.trouble.blockers[id.index()];
    block::adviser(state, blocker.task, severity, blocker.agent)
}

/// The question to a role of the ladder; `place` is how many the decision asks before.
fn advice(state: &State, id: BlockerId, to: AgentId, place: usize) -> Event {
    let blocker = &state.trouble.blockers[id.index()];
    AdviserAsked {
        message: MessageId((state.messages.table.len() + place) as u32),
        blocker: id,
        task_id: blocker.task,
        to,
        text: format!(
            "Task {} ({}) is held up: {}",
            state.task_name(blocker.task),
            state.tasks.table[blocker.task.index()].spec.title,
            blocker.text
        ),
    }
    .into()
}

/// Whoever comes up is asked about the blockers that nobody of the ladder could be asked about when they were raised: the
/// director was not running, or all of the role were down.
fn overtaken(state: &State, agent: AgentId, out: &mut Vec<Event>) {
    let known = (0u32..).map(BlockerId).zip(&state.trouble.blockers);
    let open = known.filter(|(id, blocker)| {
        let asked = || {
            state
                .messages
                .table
                .iter()
                .any(|row| row.blocker == Some(*id))
        };
        blocker.resolved.is_none()
            && blocker.severity == Severity::High
            && adviser(state, *id, blocker.severity) == Some(agent)
            && !asked()
    });
    let questions: Vec<Event> = (0..)
        .zip(open)
        .map(|(place, (id, _))| advice(state, id, agent, place))
        .collect();
    out.extend(questions);
}

fn after_resolution(state: &State, id: BlockerId) -> Vec<Event> {
    let blocker = &state.trouble.blockers[id.index()];
    let sprint_id = state.tasks.table[blocker.task.index()].sprint;
    let mut events = pair::called_off(state, id);
    if let Some(item) = blocker.item
        && state.trouble.open_item(item).is_some()
    {
        let by = blocker.resolved.as_ref().map_or("", |(_, by)| by.as_str());
        events.push(
            InboxClosed {
                item,
                reason: format!("the blocker is resolved by {by}"),
            }
            .into(),
        );
    }
    if let Some(what) = state.sprints.table[sprint_id.index()].emergency
        && what.blocker == Some(id)
    {
        events.push(emergency::resolved(state, sprint_id, what));
    }
    events
}

/// What is to be done in the sprints that a decision touched, once nothing else follows: the next thing of the first
/// sprint that wants one.
pub fn at_rest(state: &State, events: &[Event]) -> Option<Event> {
    let touched = events.iter().filter_map(|event| sprint_of(state, event));
    let mut least: Option<SprintId> = None;
    let mut others = false;
    for id in touched {
        others |= least.is_some_and(|least| least != id);
        least = Some(least.map_or(id, |least| least.min(id)));
    }
    if !others {
        return step(state, least?);
    }
    let touched = events.iter().filter_map(|event| sprint_of(state, event));
    let touched: BTreeSet<SprintId> = touched.collect();
    touched.into_iter().find_map(|id| step(state, id))
}

/// The next thing that a sprint at rest wants.
fn step(state: &State, id: SprintId) -> Option<Event> {
    let sprint = state.sprints.get(id)?;
    let tally = state.tasks.tally(id);
    match sprint.stage {
        Stage::Preparing if sprint.cancelled => Some(ended(state, id)),
        Stage::Preparing if !sprint.is_held() && state.is_ready_to_begin(id) => {
            Some(initialized(state, id))
        }
        // A person says first what becomes of its branch.
        Stage::Running if sprint.moved.is_some() => None,
        Stage::Running => {
            if sprint.merge.is_none() && !sprint.queue.is_empty() {
                return Some(
                    MergeStarted {
                        sprint_id: id,
                        batch: integrate::next_batch(state, sprint),
                    }
                    .into(),
                );
            }
            let quiet = tally.active == 0
                && tally.blocked == 0
                && tally.in_hand == 0
                && tally.held == 0
                && sprint.merge.is_none()
                && !state.is_deploying(id);
            quiet.then(|| ended(state, id))
        }
        Stage::Preparing | Stage::Refused | Stage::Ended(_) => None,
    }
}

fn ended(state: &State, id: SprintId) -> Event {
    SprintEnded {
        sprint_id: id,
        outcome: state.outcome(id),
    }
    .into()
}

/// The sprint that an event is about, if it can bring a sprint to rest.
pub fn sprint_of(state: &State, event: &Event) -> Option<SprintId> {
    let of_task = |task: TaskId| state.tasks.get(task).map(|row| row.sprint);
    match event {
        Event::SprintSubmitted(e) => Some(e.sprint_id),
        Event::SprintInitialized(e) => Some(e.sprint_id),
        Event::SprintCancelled(e) => Some(e.sprint_id),
        Event::BranchRestored(e) => Some(e.sprint_id),
        Event::RepoPrepared(e) => Some(e.sprint_id),
        Event::BaseChecked(e) => Some(e.sprint_id),
        Event::InboxAnswered(e) => unclear::is_about(state, e.item),
        Event::InboxClosed(e) => unclear::is_about(state, e.item),
        Event::SprintRefused(e) => Some(e.sprint_id),
        Event::WorkCommitted(e) => of_task(e.task_id),
        Event::WorkRejected(e) => of_task(e.task_id),
        Event::WorkSalvaged(e) => of_task(e.task_id),
        Event::AttemptEnded(e) => of_task(e.task_id),
        Event::TaskCompleted(e) => of_task(e.task_id),
        Event::TaskFailed(e) => of_task(e.task_id),
        Event::TaskQuarantined(e) => of_task(e.task_id),
        Event::TaskCancelled(e) => of_task(e.task_id),
        Event::TaskRetried(e) => of_task(e.task_id),
        Event::TaskAdded(e) => Some(e.sprint_id),
        Event::SprintReplanned(e) => Some(e.sprint_id),
        Event::WorkReviewed(e) => of_task(e.task_id),
        Event::MergeCompleted(e) => Some(e.sprint_id),
        Event::MergeConflicted(e) => Some(e.sprint_id),
        Event::MergeSplit(e) => Some(e.sprint_id),
        Event::DevopsHandoffReady(e) => Some(e.sprint_id),
        Event::PackageAnswered(e) => Some(state.handoffs[e.handoff as usize].sprint),
        Event::DeploymentProbed(e) => Some(state.deployments[e.deployment as usize].sprint),
        Event::DeploymentDropped(e) => Some(state.deployments[e.deployment as usize].sprint),
        Event::BlockerResolved(e) => of_task(state.trouble.blockers[e.blocker.index()].task),
        _ => None,
    }
}
