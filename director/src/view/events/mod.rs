//! The journal as programs and people read it: one object or one line per event.
//!
//! A program's object has `seq` (the decision), `n` (the place in it, from 0), `at`, `sprint`, `event` and the event's
//! own fields. A person's line has the time, the event's name and a sentence with the names in it, so that it
//! can be searched.
//!
//! Elsewhere: what the fields' numbers mean is `fields`; what an event is about is `subject`.

mod clashes;
mod deployments;
mod money;
mod parts;

pub(crate) use money::forecast as forecast_of_money;

use director_protocols::event::Event;
use director_protocols::ids::TaskId;
use serde_json::{Value, json};

use super::fields::{fields, sprint_name};
use super::subject::subject;
use super::words::{gates_came_out, gates_line, short_commit, some, task_names, verdict_word};
use super::{count, hours, minute, rfc3339, timestamp};
use crate::engine::state::State;
use crate::handle::Entry;
use crate::report::{sprint::progress_text, text};
use parts::{alert, package, score};
pub(crate) use parts::{changes, end};

/// The longest sentence about one event, in characters.
const SENTENCE_CHARS_MAX: usize = 240;

/// One JSON object per event of the entry. `state` is the one after the entry, or any later one.
pub fn event_lines(entry: &Entry, state: &State) -> Vec<Value> {
    (0u32..)
        .zip(&entry.events)
        .map(|(n, event)| {
            let mut object = event_object(event, state);
            object["seq"] = json!(entry.seq.0);
            object["n"] = json!(n);
            object["at"] = json!(rfc3339(entry.at));
            object
        })
        .collect()
}

/// The event as one JSON object, without its position and time.
pub fn event_object(event: &Event, state: &State) -> Value {
    let mut object = fields(event, state);
    if let Event::ProgressUpdated(e) = event {
        // The message as people get it, so that whoever is told need not write one.
        object.insert("text".to_owned(), json!(progress_text(e, state)));
    }
    let sprint = subject(event, state).sprint;
    object.insert("event".to_owned(), json!(event.name()));
    object.insert(
        "sprint".to_owned(),
        json!(sprint.map(|id| sprint_name(state, id))),
    );
    Value::Object(object)
}

/// One line per event of the entry, for people.
pub fn event_text(entry: &Entry, state: &State) -> Vec<String> {
    let at = timestamp(entry.at).strftime("%Y-%m-%d %H:%M:%SZ");
    entry
        .events
        .iter()
        .map(|event| {
            let sentence = text::short(&sentence(event, state), SENTENCE_CHARS_MAX);
            format!("{at}  {:<23}  {sentence}", event.name())
        })
        .collect()
}

/// What happened, in one sentence; not yet made harmless.
pub(crate) fn sentence(event: &Event, state: &State) -> String {
    let task = |id: TaskId| state.task_name(id);
    let sprint = |id| sprint_name(state, id);
    let agent = |id| state.agent_name(id);
    let batch = |ids: &[TaskId]| some(&task_names(state, ids), 4);
    match event {
        Event::EpochOpened(e) => format!(
            "director {} took over (start {} of this journal); nothing is in hand",
            e.version, e.epoch
        ),
        Event::SprintSubmitted(e) => format!(
            "{} was taken in: {} for {}",
            e.spec.id,
            count(e.spec.tasks.len(), "task"),
            count(
                e.spec.team.iter().map(|role| role.count as usize).sum(),
                "agent"
            )
        ),
        Event::RepoPrepared(e) => format!(
            "the repository of {} is ready at {} of {}{}",
            sprint(e.sprint_id),
            short_commit(&e.base),
            e.branch,
            e.warnings
                .iter()
                .map(|warning| format!("; {warning}"))
                .collect::<String>()
        ),
        Event::BaseChecked(e) => format!(
            "gates on the base of {}: {}",
            sprint(e.sprint_id),
            gates_line(&e.outcomes)
        ),
        Event::SprintRefused(e) => format!("{} cannot run: {}", sprint(e.sprint_id), e.reason),
        Event::SprintInitialized(e) => format!(
            "{} began: {} committed, planned to take {:.1}h",
            sprint(e.sprint_id),
            count(e.total_tasks as usize, "task"),
            hours(e.estimated_duration)
        ),
        Event::SprintPaused(e) => format!("{} was paused by {}", sprint(e.sprint_id), e.by),
        Event::SprintResumed(e) => format!("{} was resumed by {}", sprint(e.sprint_id), e.by),
        Event::BranchMoved(e) => format!(
            "{} stands still: `{}` should be at {} and {}",
            sprint(e.sprint_id),
            e.name,
            short_commit(&e.expected),
            match e.found.as_str() {
                "" => "is gone".to_owned(),
                found => format!("is at {}", short_commit(found)),
            }
        ),
        Event::AttemptCut(e) => format!(
            "the director ended without a stop while {} was at work{}",
            task(e.task_id),
            if e.alone { ", alone" } else { "" }
        ),
        Event::BranchRestored(e) => format!(
            "{} goes on: its branch is at {}{}",
            sprint(e.sprint_id),
            short_commit(&e.commit),
            match e.saved.as_str() {
                "" => String::new(),
                saved => format!(", what it was at is kept as `{saved}`"),
            }
        ),
        Event::SprintCancelled(e) => format!("{} was cancelled by {}", sprint(e.sprint_id), e.by),
        Event::SprintEnded(e) => format!("{} ended: {}", sprint(e.sprint_id), e.outcome.as_str()),
        Event::SprintReopened(e) => format!("{} goes on", sprint(e.sprint_id)),
        Event::WorktreesRemoved(e) => match e.kept.as_slice() {
            [] => format!("the worktrees of {} are gone", sprint(e.sprint_id)),
            kept => format!(
                "the worktrees of {} are gone, except: {}",
                sprint(e.sprint_id),
                kept.join("; ")
            ),
        },
        Event::SprintVelocityUpdated(e) => format!(
            "{}: {} of {}",
            sprint(e.sprint_id),
            e.current_velocity,
            count(e.target_velocity as usize, "point")
        ),
        Event::SprintDelivered(e) => format!(
            "{} was delivered by {}: the base is at {}",
            sprint(e.sprint_id),
            e.by,
            short_commit(&e.commit)
        ),
        Event::ActionAccepted(e) => format!(
            "{} accepted `{}` of {}: {}",
            e.by,
            e.action,
            sprint(e.sprint_id),
            e.text
        ),
        Event::ForecastRecorded(e) => format!(
            "the rest of {} was forecast by {}: half end within {:.1} h, 85 of 100 within {:.1} h, 95 of 100 within {:.1} h{}",
            sprint(e.sprint_id),
            e.by,
            e.p50.as_hours(),
            e.p85.as_hours(),
            e.p95.as_hours(),
            e.cost.as_ref().map_or_else(String::new, money::forecast)
        ),
        Event::PlanAdopted(e) => format!(
            "{} goes on in a better order: {:.1} h to the end instead of {:.1} h",
            sprint(e.sprint_id),
            e.after.as_hours(),
            e.before.as_hours()
        ),
        Event::TaskDeferred(e) => format!("{} goes to the backlog: {}", task(e.task_id), e.reason),
        Event::TaskAssigned(e) => format!(
            "{} goes to {}, attempt {} ({})",
            task(e.task_id),
            agent(e.agent_id),
            e.attempt,
            score(&e.score)
        ),
        Event::WorktreePrepared(e) => format!(
            "{} begins in {} at {}",
            task(e.task_id),
            e.path,
            short_commit(&e.commit)
        ),
        Event::AttemptStarted(e) => {
            format!("attempt {} at {} is under way", e.attempt, task(e.task_id))
        }
        Event::SessionOpened(e) => format!("{} has session {}", task(e.task_id), e.session),
        Event::AttemptEnded(e) => format!(
            "{} let go of {}, attempt {}, {}",
            agent(e.agent_id),
            task(e.task_id),
            e.attempt,
            end(&e.end)
        ),
        Event::WorkSalvaged(e) => match (&e.kept, e.saved.as_str()) {
            (Some(reason), _) => format!("the worktree of {} was kept: {reason}", task(e.task_id)),
            (None, "") => format!("{} had left nothing to save", task(e.task_id)),
            (None, saved) => format!("what {} had left is saved at {saved}", task(e.task_id)),
        },
        Event::WorkCommitted(e) => format!(
            "the work on {} is in {}: {}",
            task(e.task_id),
            short_commit(&e.commit),
            changes(e.changes)
        ),
        Event::MergeStarted(e) => format!("merging {}", batch(&e.batch)),
        Event::MergePrepared(e) => format!(
            "the merge of {} is built: {} on {}",
            batch(&e.batch),
            short_commit(&e.commit),
            short_commit(&e.onto)
        ),
        Event::MergeConflicted(e) => format!(
            "{} conflicts with what was merged since, in {}",
            batch(&e.batch),
            some(&e.files, 4)
        ),
        Event::MergeSplit(e) => format!(
            "{} do not go together and are merged in smaller batches: {}",
            batch(&e.batch),
            e.reason
        ),
        Event::QualityGateStatus(e) => gates_came_out(&batch(&e.batch), e.passed, &e.outcomes),
        Event::MergeCompleted(e) => {
            format!(
                "{} is merged as {}",
                batch(&e.batch),
                short_commit(&e.commit)
            )
        }
        Event::TaskCompleted(e) => format!(
            "{} is completed ({:.0}% of the sprint)",
            task(e.task_id),
            f64::from(e.sprint_progress) / 10.0
        ),
        Event::WorkRejected(e) => format!(
            "the work of attempt {} at {} was not accepted: {}",
            e.attempt,
            task(e.task_id),
            e.reason
        ),
        Event::RetryScheduled(e) => format!(
            "{} is tried again, not before {}",
            task(e.task_id),
            timestamp(e.at).strftime("%H:%M:%SZ")
        ),
        Event::RetryDue(e) => format!("{} may be tried again", task(e.task_id)),
        Event::TaskFailed(e) => format!("{} is given up: {}", task(e.task_id), e.reason),
        Event::TaskQuarantined(e) => format!(
            "{} killed its agents and is given to no other: {}",
            task(e.task_id),
            e.evidence.join("; ")
        ),
        Event::TaskCancelled(e) => format!("{} was cancelled by {}", task(e.task_id), e.by),
        Event::TaskRetried(e) => format!("{} is tried again for {}", task(e.task_id), e.by),
        Event::TaskReassigned(e) => format!(
            "{} goes to {}, says {}",
            task(e.task_id),
            e.to.map_or_else(|| "another agent".to_owned(), agent),
            e.by
        ),
        Event::LivenessChanged(e) => format!(
            "attempt {} at {} is {}",
            e.attempt,
            task(e.task_id),
            e.state
        ),
        Event::BlockerRaised(e) => format!(
            "blocker {} ({}{}) holds up {}: {}",
            e.blocker.0 + 1,
            e.severity.as_str(),
            match e.reason.as_str() {
                "" => String::new(),
                why => format!(", because {why}"),
            },
            task(e.task_id),
            e.text
        ),
        Event::BlockerEscalated(e) => format!(
            "blocker {} went from {} to {}: {}",
            e.blocker.0 + 1,
            e.from.as_str(),
            e.to.as_str(),
            e.reason
        ),
        Event::GuidanceGiven(e) => format!("guidance for {}: {}", task(e.task_id), e.text),
        Event::BlockerResolved(e) => match e.answer.as_str() {
            "" => format!("blocker {} was resolved by {}", e.blocker.0 + 1, e.by),
            answer => format!(
                "blocker {} was resolved by {}: {answer}",
                e.blocker.0 + 1,
                e.by
            ),
        },
        Event::InboxOpened(e) => format!(
            "#{} waits for a person ({}): {}",
            e.item.0 + 1,
            e.severity.as_str(),
            e.question
        ),
        Event::InboxAnswered(e) => format!("{} answered #{}: {}", e.by, e.item.0 + 1, e.answer),
        Event::InboxClosed(e) => format!("#{} no longer waits: {}", e.item.0 + 1, e.reason),
        Event::EngineeringEmergency(e) => {
            let team: Vec<String> = e.response_team.iter().map(|id| agent(*id)).collect();
            format!(
                "emergency in {}: {} ({}; with {})",
                sprint(e.sprint_id),
                e.issue,
                e.impact,
                some(&team, 4)
            )
        }
        Event::EmergencyResolved(e) => format!("the emergency in {} is over", sprint(e.sprint_id)),
        Event::IncidentOpened(e) => format!(
            "incident {}{}: {}",
            e.incident.0 + 1,
            e.task_id
                .map_or_else(String::new, |id| format!(" at {}", task(id))),
            e.text
        ),
        Event::HandoffSent(e) => format!("{} hands over to {}", task(e.from), task(e.to)),
        Event::HandoffAccepted(e) => format!("{} has what {} left", task(e.to), task(e.from)),
        Event::MessageSent(e) => format!("{} tells {}: {}", agent(e.from), agent(e.to), e.text),
        Event::QuestionAsked(e) => format!(
            "{} asks {} about {}: {}",
            agent(e.from),
            match (e.to, e.of) {
                (Some(to), _) => agent(to),
                (None, Some(of)) => format!("whoever takes {} up", task(of)),
                (None, None) => "a person".to_owned(),
            },
            task(e.task_id),
            e.text
        ),
        Event::QuestionDirected(e) => format!(
            "question {} goes to {}, who has the task that it is about",
            e.message.0 + 1,
            e.to.map_or_else(|| "a person".to_owned(), agent),
        ),
        Event::AdviserAsked(e) => format!(
            "{} is asked about blocker {} of {}: {}",
            agent(e.to),
            e.blocker.0 + 1,
            task(e.task_id),
            e.text
        ),
        Event::ProductAsked(e) => format!("{} is asked what #{} asks", agent(e.to), e.item.0 + 1),
        Event::MessageDelivered(e) => format!("message {} has arrived", e.message.0 + 1),
        Event::QuestionAnswered(e) => {
            format!("{} answered message {}: {}", e.by, e.message.0 + 1, e.text)
        }
        Event::AgentUp(e) => format!("{} takes work (start {})", agent(e.agent_id), e.generation),
        Event::AgentDown(e) => format!(
            "{} went down (start {}): {}",
            agent(e.agent_id),
            e.generation,
            e.reason
        ),
        Event::RoleLost(e) => format!("all agents of {} stay down: {}", e.role, e.reason),
        Event::AccountParked(e) => format!(
            "{} takes no more requests: its work goes on at {}{}: {}",
            e.account,
            minute(e.until),
            if e.guessed { ", as a try" } else { "" },
            e.reason
        ),
        Event::AccountFreed(e) => {
            format!("work of {} is handed out again, says {}", e.account, e.by)
        }
        Event::CostReserved(_)
        | Event::CostSpent(_)
        | Event::CostSettled(_)
        | Event::BudgetWarned(_)
        | Event::BudgetHeld(_)
        | Event::BudgetFreed(_)
        | Event::BudgetRaised(_)
        | Event::BudgetsChanged(_)
        | Event::AttemptOverspent(_) => money::sentence(event, state),
        Event::ConflictForeseen(_) | Event::ConflictOver(_) | Event::AgentTold(_) => {
            clashes::sentence(event, state)
        }
        Event::RoleRestored(e) => format!("{} is started again for {}", e.role, e.by),
        Event::InboxReminded(e) => format!(
            "#{} still waits for a person; the next reminder is at {}",
            e.item.0 + 1,
            timestamp(e.deadline).strftime("%Y-%m-%d %H:%M:%SZ")
        ),
        Event::TaskAdded(e) => format!(
            "{} comes to {}, says {}: {}",
            e.spec.id,
            sprint(e.sprint_id),
            e.by,
            e.spec.title
        ),
        Event::GateJudged(e) => format!(
            "{} says {} of gate {} of {}: {}",
            e.by,
            verdict_word(e.verdict),
            e.gate,
            task(e.task_id),
            e.findings
        ),
        Event::WorkReviewed(e) => format!(
            "the work on {} {} (round {}): {}",
            task(e.task_id),
            if e.passed { "goes on" } else { "goes back" },
            e.round,
            gates_line(&e.outcomes)
        ),
        Event::TaskChanged(e) => format!(
            "{} changes, says {}: {}",
            task(e.task_id),
            e.by,
            e.what.join(", ")
        ),
        Event::SprintReplanned(e) => format!(
            "{} is replanned by {}: {} added, {} changed, {} dropped",
            sprint(e.sprint_id),
            e.by,
            e.added,
            e.changed,
            e.dropped
        ),
        Event::TeamUtilizationAlert(e) => alert(e, state),
        Event::DeliveryFailed(e) => format!(
            "{} could not be told of {} (try {}): {}; {}",
            e.stakeholder,
            e.about,
            e.tries,
            e.problem,
            e.again.map_or_else(
                || "it is left to a person".to_owned(),
                |at| format!("again at {}", timestamp(at).strftime("%H:%M:%SZ"))
            )
        ),
        Event::DeliveryRetried(e) => format!("what is {} is posted again", e.effect),
        Event::ProductDemoReady(e) => format!(
            "{} can be shown: {}, {}",
            e.feature
                .as_ref()
                .map_or("everything", |name| name.as_str()),
            count(e.package.changes.len(), "change"),
            match e.package.criteria.len() {
                1 => "1 criterion".to_owned(),
                n => format!("{n} criteria"),
            }
        ),
        Event::FeedbackReceived(e) => format!(
            "{} on {}: {} ({})",
            e.by,
            e.feature
                .as_ref()
                .map_or("everything", |name| name.as_str()),
            e.text,
            e.task_id.map_or_else(
                || "for the retrospective".to_owned(),
                |id| format!("becomes {}", task(id))
            )
        ),
        Event::RiskTriggered(e) => format!("a risk has come true: {}; {}", e.risk, e.trigger),
        Event::FallbackApplied(e) => format!("done by {} as foreseen: {}", e.by, e.fallback),
        Event::DailyStandupCompleted(e) => format!(
            "standup of {}: {} completed since {}, {} planned, {} in the way; velocity {} ({} after {} points)",
            sprint(e.sprint_id),
            count(e.completed_yesterday.len(), "task"),
            timestamp(e.since).strftime("%Y-%m-%d %H:%MZ"),
            e.planned_today.len(),
            count(e.blockers.len(), "blocker"),
            e.velocity_trend.trend,
            e.velocity_trend.points,
            e.velocity_trend.points_before
        ),
        Event::ProgressUpdated(e) => format!(
            "{}: {} completed, {} in progress, {} blocked, {} of {} points",
            sprint(e.sprint_id),
            count(e.completed as usize, "task"),
            e.in_progress,
            e.blocked,
            e.velocity,
            e.target
        ),
        Event::ManagerAsked(e) => match e.moves.len() {
            0 => format!("{} is asked for the note of the standup", agent(e.to)),
            n => format!(
                "{} is asked whether {} may move",
                agent(e.to),
                count(n, "task")
            ),
        },
        Event::StandupNoted(e) => format!("{} notes: {}", e.by, e.note),
        Event::RebalancingDecided(e) => format!(
            "{} says {}{}",
            e.by,
            e.text,
            match e.stays.is_empty() {
                true => String::new(),
                false => format!("; stays: {}", some(&task_names(state, &e.stays), 4)),
            }
        ),
        Event::TaskRebalanced(e) => format!(
            "{} moves from {} ({}) to {} ({:.0}% with it)",
            task(e.task_id),
            e.from,
            e.from_load.map_or_else(
                || "it is down".to_owned(),
                |load| format!("{:.0}% of what it can do", f64::from(load) / 10.0)
            ),
            e.to,
            f64::from(e.to_load) / 10.0
        ),
        Event::QaHandoffReady(e) => package("qa", e.feature.as_ref(), &e.package),
        Event::DevopsHandoffReady(e) => package("devops", e.feature.as_ref(), &e.package),
        Event::DeploymentScheduled(_)
        | Event::ReadinessChecked(_)
        | Event::ProbeDue(_)
        | Event::DeploymentProbed(_)
        | Event::DeploymentDropped(_) => deployments::sentence(event, state),
        Event::AgentTaskCompleted(_)
        | Event::AgentBlocked(_)
        | Event::QaTestingRequired(_)
        | Event::DevopsDeploymentReady(_)
        | Event::ProductRequirementsChanged(_)
        | Event::CriticalBugDiscovered(_) => {
            let (_, by, said) = event.outside().unwrap_or_default();
            match said {
                "{}" => format!("{by} says so"),
                said => format!("{by} says {said}"),
            }
        }
        Event::PackageAnswered(e) => format!(
            "{} {} package {}: {}",
            e.by,
            if e.accepted { "takes" } else { "returns" },
            e.handoff + 1,
            e.reason
        ),
        Event::HelpGiven(e) => format!("{} on {}: {}", e.by, task(e.task_id), e.text),
        Event::WorkCheckpointed(e) => format!(
            "{} is saved and called off because of the emergency",
            task(e.task_id)
        ),
        Event::IncidentStepFilled(e) => format!(
            "incident {}, {}: {} ({})",
            e.incident.0 + 1,
            e.step.as_str(),
            e.text,
            e.by
        ),
        Event::IncidentNoted(e) => {
            format!("incident {}: {} says {}", e.incident.0 + 1, e.by, e.text)
        }
        Event::IncidentClosed(e) => format!("incident {} is closed by {}", e.incident.0 + 1, e.by),
        Event::GateOverridden(e) => format!(
            "{} overrides gate {} of {}: {}",
            e.by,
            e.gate,
            task(e.task_id),
            e.reason
        ),
        Event::StakeholderInformed(e) => match e.problem.as_str() {
            "" => format!("{} was told of {}", e.stakeholder, e.about),
            problem => format!(
                "{} could not be told of {}: {problem}",
                e.stakeholder, e.about
            ),
        },
    }
}

#[cfg(test)]
mod samples;
#[cfg(test)]
mod tests;
