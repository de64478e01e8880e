//! Deploying: whether something may be deployed, when, and what it means how it went.
//!
//! | what is asked | a no |
//! |---|---|
//! | is all of it merged, with its gates, and is there no emergency | the request is refused, or held with what is missing |
//! | is a window open | it waits until one opens, and everything is asked again then |
//! | does the readiness command pass | it is held, and a person asks again or leaves it |
//! | does the probe pass, again and again after the package was taken | an incident is opened |
//!
//! Elsewhere: where a deployment stands is `deployments`; the package itself is `handoff`.

use director_protocols::event::{
    DeploymentDropped, DeploymentProbed, DeploymentScheduled, Event, InboxClosed, InboxOpened,
    IncidentNoted, IncidentOpened, IncidentStepFilled, ProbeDue, ReadinessChecked,
};
use director_protocols::ids::{EffectId, FeatureId, IncidentId, Name, SprintId, TaskId};
use director_protocols::inbox::{InboxKind, Reply};
use director_protocols::incident::Step;
use director_protocols::rejection::Rejection;
use director_protocols::severity::Severity;
use director_protocols::time::{Span, Time};
use director_protocols::ways::Peer;
use director_protocols::work::{GateOutcome, Verdict};

use super::{Answer, handoff, inbox};
use crate::engine::deployments::{Deployment, Standing};
use crate::engine::state::State;
use crate::planner::calendar;

/// The director, as the one who asks or writes.
const DIRECTOR: &str = "director";
/// The most of a command's output that is quoted, in characters.
const QUOTED: usize = 400;

/// Decides about a deployment that somebody asks for, of which nothing is missing yet.
pub fn asked(state: &State, id: SprintId, feature: Option<&Name>, by: &str, now: Time) -> Answer {
    let mut rows = state.deployments_of(id);
    let under_way =
        rows.find(|(_, row)| row.feature.as_ref() == feature && !row.standing.is_over());
    let number = match under_way {
        None => state.deployments.len() as u32,
        Some((number, row)) if matches!(row.standing, Standing::Held(_)) => number,
        Some((_, row)) => {
            return Err(Rejection::NotReady {
                what: row.what(),
                missing: format!(
                    "its deployment is under way already, and {}",
                    match row.standing {
                        Standing::Waiting(_) => "waits for its window",
                        Standing::Handed => "waits for DevOps",
                        _ => "is looked at",
                    }
                ),
            });
        }
    };
    Ok(begun(state, number, id, feature, by, now))
}

/// A deployment that begins, or begins again; what was asked because of it waits no longer.
fn begun(
    state: &State,
    number: u32,
    id: SprintId,
    feature: Option<&Name>,
    by: &str,
    now: Time,
) -> Vec<Event> {
    let mut events = unasked(state, number, "it is asked for again");
    events.push(scheduled(state, number, (id, feature), by, now));
    events
}

fn scheduled(
    state: &State,
    deployment: u32,
    (sprint_id, feature): (SprintId, Option<&Name>),
    by: &str,
    now: Time,
) -> Event {
    let spec = &state.sprints.table[sprint_id.index()].spec.ways.deployment;
    DeploymentScheduled {
        deployment,
        sprint_id,
        feature: feature.cloned(),
        until: calendar::opens(&spec.windows, now),
        by: by.to_owned(),
    }
    .into()
}

/// The question about a deployment, which nobody has to answer any more.
fn unasked(state: &State, number: u32, reason: &str) -> Vec<Event> {
    let waiting = state.trouble.waiting();
    waiting
        .filter(|(_, item)| item.deployment == Some(number))
        .map(|(item, _)| {
            InboxClosed {
                item,
                reason: reason.to_owned(),
            }
            .into()
        })
        .collect()
}

/// The deployment that a feature asks for by itself once its last task is merged: where the file says how it is deployed, and
/// something of it has to be.
pub fn after_completion(state: &State, task: TaskId, now: Time) -> Vec<Event> {
    let row = &state.tasks.table[task.index()];
    let feature = &state.tasks.features[row.feature.index()];
    let (id, spec) = (row.sprint, &state.sprints.table[row.sprint.index()]);
    if feature.open > 0 || row.is_help() || spec.cancelled {
        return Vec::new();
    }
    if !spec.spec.ways.deployment.is_written() || !handoff::is_deployed(state, id, row.feature) {
        return Vec::new();
    }
    // One that is under way goes on; what was merged since is deployed with the next.
    asked(state, id, Some(&feature.name), DIRECTOR, now).unwrap_or_default()
}

/// What was held while there was an emergency is asked for again.
pub fn after_emergency(state: &State, id: SprintId, now: Time) -> Vec<Event> {
    let held = state
        .deployments_of(id)
        .filter(|(_, row)| matches!(row.standing, Standing::Held(_)));
    held.flat_map(|(number, row)| begun(state, number, id, row.feature.as_ref(), DIRECTOR, now))
        .collect()
}

/// What keeps a deployment from beginning, apart from its window and its command.
fn lacks(state: &State, row: &Deployment) -> Vec<String> {
    handoff::missing(state, row.sprint, of(state, row), Peer::Devops)
}

/// The feature's number.
fn of(state: &State, row: &Deployment) -> Option<FeatureId> {
    let name = row.feature.as_ref()?;
    let known = (0u32..).map(FeatureId).zip(&state.tasks.features);
    let mut ours = known.filter(|(_, feature)| feature.sprint == row.sprint);
    ours.find(|(_, feature)| feature.name == *name)
        .map(|(id, _)| id)
}

/// Whether the readiness command is run now.
pub fn asks_now(state: &State, e: &DeploymentScheduled) -> bool {
    let row = &state.deployments[e.deployment as usize];
    let spec = &state.sprints.table[e.sprint_id.index()]
        .spec
        .ways
        .deployment;
    e.until.is_none() && spec.ready.is_some() && lacks(state, row).is_empty()
}

/// What follows where no command has to be asked.
pub fn after_schedule(state: &State, e: &DeploymentScheduled) -> Option<Event> {
    (e.until.is_none() && !asks_now(state, e)).then(|| checked(state, e.deployment, None, None))
}

/// What is known of a deployment once its command has answered.
fn checked(
    state: &State,
    deployment: u32,
    effect: Option<EffectId>,
    outcome: Option<GateOutcome>,
) -> Event {
    let row = &state.deployments[deployment as usize];
    let mut missing = lacks(state, row);
    let failed = outcome
        .iter()
        .filter(|gate| gate.verdict == Verdict::Failed);
    missing.extend(failed.map(said));
    ReadinessChecked {
        effect,
        deployment,
        commit: row.commit.clone(),
        outcome,
        missing,
    }
    .into()
}

/// What a command said that failed: its output, or that there was none.
fn said(outcome: &GateOutcome) -> String {
    let code = outcome
        .exit_code
        .map_or_else(String::new, |code| format!(" (exit code {code})"));
    match outcome.tail.trim() {
        "" => format!("`{}` failed{code} and said nothing", outcome.evidence),
        text => {
            let from = text.chars().count().saturating_sub(QUOTED);
            let text: String = text.chars().skip(from).collect();
            format!("`{}` failed{code}: {text}", outcome.evidence)
        }
    }
}

/// What the readiness command answered.
pub fn answered_ready(
    state: &State,
    effect: EffectId,
    deployment: u32,
    outcomes: &[GateOutcome],
) -> Vec<Event> {
    vec![checked(
        state,
        deployment,
        Some(effect),
        outcomes.first().cloned(),
    )]
}

/// What follows once it is known whether something can be deployed: the package, another wait, or a question.
pub fn after_check(state: &State, e: &ReadinessChecked, now: Time) -> Event {
    let row = &state.deployments[e.deployment as usize];
    let id = row.sprint;
    if !e.missing.is_empty() {
        let text = format!(
            "{} cannot be deployed yet: {}\nYes asks again; no leaves it.",
            row.what(),
            e.missing.join("; ")
        );
        let open = inbox::opened(
            state,
            InboxKind::Deployment,
            (id, None),
            Severity::Medium,
            text,
            now,
        );
        return InboxOpened {
            deployment: Some(e.deployment),
            ..open
        }
        .into();
    }
    let spec = &state.sprints.table[id.index()].spec.ways.deployment;
    match calendar::opens(&spec.windows, now) {
        // The answer came too late for this window.
        Some(_) => scheduled(
            state,
            e.deployment,
            (id, row.feature.as_ref()),
            DIRECTOR,
            now,
        ),
        None => handoff::to_devops(state, id, of(state, row), Some(e.deployment)),
    }
}

/// What a person says about one that is held.
pub fn answered(
    state: &State,
    number: u32,
    (reply, text): (Reply, &str),
    by: &str,
    now: Time,
) -> Vec<Event> {
    let row = &state.deployments[number as usize];
    match reply {
        Reply::Reject => vec![dropped(number, text.trim(), by)],
        Reply::Answer | Reply::Approve => {
            vec![scheduled(
                state,
                number,
                (row.sprint, row.feature.as_ref()),
                by,
                now,
            )]
        }
    }
}

fn dropped(deployment: u32, reason: &str, by: &str) -> Event {
    DeploymentDropped {
        deployment,
        reason: reason.to_owned(),
        by: by.to_owned(),
    }
    .into()
}

/// Nothing is deployed any more of a sprint that is called off.
pub fn called_off(state: &State, id: SprintId, by: &str) -> Vec<Event> {
    let open = state
        .deployments_of(id)
        .filter(|(_, row)| !row.standing.is_over());
    open.flat_map(|(number, _)| {
        let mut events = unasked(state, number, "the sprint is called off");
        events.push(dropped(number, "the sprint was called off", by));
        events
    })
    .collect()
}

/// A window has opened, or it is time to look.
pub fn due(state: &State, number: u32, now: Time) -> Vec<Event> {
    let row = &state.deployments[number as usize];
    vec![match row.standing {
        Standing::Probing(_) => ProbeDue {
            deployment: number,
            round: row.rounds + 1,
        }
        .into(),
        _ => scheduled(
            state,
            number,
            (row.sprint, row.feature.as_ref()),
            DIRECTOR,
            now,
        ),
    }]
}

/// What a look at what was deployed found.
pub fn probed(
    state: &State,
    effect: EffectId,
    deployment: u32,
    outcomes: &[GateOutcome],
    now: Time,
) -> Vec<Event> {
    let row = &state.deployments[deployment as usize];
    let spec = &state.sprints.table[row.sprint.index()].spec.ways.deployment;
    let outcome = outcomes.first().cloned().unwrap_or_else(|| GateOutcome {
        gate: "probe".to_owned(),
        verdict: Verdict::Passed,
        evidence: String::new(),
        exit_code: None,
        took: Span::ZERO,
        tail: String::new(),
        measured: None,
    });
    let failed = outcome.verdict == Verdict::Failed;
    let opens = failed.then_some(IncidentId(state.trouble.incidents.len() as u32));
    let again = spec
        .probe
        .as_ref()
        .filter(|probe| row.rounds < probe.looks())
        .map(|probe| now + probe.every);
    vec![
        DeploymentProbed {
            effect,
            deployment,
            round: row.rounds,
            incident: row.incident.or(opens),
            outcome,
            again,
        }
        .into(),
    ]
}

/// What follows a look: the incident of the first that fails, and in its log how it went on.
pub fn after_probe(state: &State, e: &DeploymentProbed, now: Time) -> Vec<Event> {
    let Some(incident) = e.incident else {
        return Vec::new();
    };
    let row = &state.deployments[e.deployment as usize];
    let failed = e.outcome.verdict == Verdict::Failed;
    let found = match failed {
        true => said(&e.outcome),
        false => format!("`{}` passed", e.outcome.evidence),
    };
    if incident.index() == state.trouble.incidents.len() {
        let mut events = opened(row, incident, e, &found);
        let text = format!(
            "Incident {}: {} was deployed and is not well: {found}",
            incident.0 + 1,
            row.what()
        );
        let place = (row.sprint, None);
        events
            .push(inbox::opened(state, InboxKind::Notice, place, Severity::High, text, now).into());
        return events;
    }
    let of = &state.trouble.incidents[incident.index()];
    if of.closed.is_some() {
        return Vec::new();
    }
    let text = format!("look {} at {}: {found}", e.round, row.what());
    let note = IncidentNoted {
        incident,
        text: text.clone(),
        by: DIRECTOR.to_owned(),
    };
    let mut events: Vec<Event> = vec![note.into()];
    if !failed {
        events.push(filled(incident, Step::Recovery, text));
    }
    events
}

fn opened(row: &Deployment, incident: IncidentId, e: &DeploymentProbed, found: &str) -> Vec<Event> {
    let commit = match row.commit.as_str() {
        "" => String::new(),
        commit => format!(" (commit {commit})"),
    };
    let mitigation = match e.again {
        Some(_) => "it is looked at again; whoever deployed it decides whether it goes back",
        None => "whoever deployed it decides whether it goes back",
    };
    let members = vec![
        Peer::Devops.as_str().to_owned(),
        "whoever answers the inbox".to_owned(),
    ];
    vec![
        IncidentOpened {
            sprint_id: row.sprint,
            task_id: None,
            text: format!("{} was deployed and is not well: {found}", row.what()),
            incident,
            severity: Severity::High,
            blocker: None,
            members: members.clone(),
        }
        .into(),
        filled(
            incident,
            Step::Impact,
            format!(
                "{}{commit} is where people use it, and look {} at it failed",
                row.what(),
                e.round
            ),
        ),
        filled(incident, Step::Mitigation, mitigation.to_owned()),
        filled(
            incident,
            Step::Escalation,
            format!("told: {}", members.join(", ")),
        ),
    ]
}

fn filled(incident: IncidentId, step: Step, text: String) -> Event {
    IncidentStepFilled {
        incident,
        step,
        text,
        by: DIRECTOR.to_owned(),
    }
    .into()
}
