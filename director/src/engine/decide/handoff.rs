//! Packages for other teams: what was made, how it is to be tested and deployed, and where it is written down.
//!
//! A package is ready when every task of its feature is completed and its gates have let it pass; what is missing is
//! named. It goes to whoever the other team is (`engine::peers`): in the inbox, where yes accepts it and no returns it with the
//! reason, or to an agent whose report does. Product is shown each feature that is done, and what it says is kept.

use director_protocols::event::{
    DemoPackage, DevopsHandoffReady, Event, FeedbackReceived, HandoffPackage, InboxOpened,
    PackageAnswered, ProductDemoReady, QaHandoffReady, TaskAdded,
};
use director_protocols::ids::{FeatureId, Name, SprintId, TaskId};
use director_protocols::inbox::{InboxKind, Reply};
use director_protocols::origin::Origin;
use director_protocols::outside::Outside;
use director_protocols::rejection::Rejection;
use director_protocols::scope::NewTask;
use director_protocols::severity::Severity;
use director_protocols::sprint::{Priority, RunSpec, TaskSpec};
use director_protocols::time::{Span, Time};
use director_protocols::work::Verdict;

use super::help::Help;
use super::{Answer, deploy, inbox, scope};
use crate::engine::handoffs::{Handoff, Standing, Team};
use crate::engine::peers::Goes;
use crate::engine::state::State;
use crate::engine::tasks::{Phase, Task};
use crate::view::events::changes;
use crate::view::short_commit;

/// How long somebody is thought to look at a package.
const EFFORT: Span = Span::minutes(30);

/// Decides about another team that wants a package.
pub fn asked(state: &State, id: SprintId, what: &Outside, by: &str, now: Time) -> Answer {
    let (team, name) = match what {
        Outside::QaTestingRequired { feature } => (Team::Qa, Some(feature)),
        Outside::DevopsDeploymentReady { feature } => (Team::Devops, feature.as_ref()),
        _ => return Ok(Vec::new()),
    };
    let feature = name.map(|name| named(state, id, name)).transpose()?;
    let missing = missing(state, id, feature, team);
    if !missing.is_empty() {
        return Err(Rejection::NotReady {
            what: name.map_or_else(|| "the sprint".to_owned(), |name| format!("`{name}`")),
            missing: missing.join("; "),
        });
    }
    let ways = &state.sprints.table[id.index()].spec.ways;
    if team == Team::Devops && ways.deployment.is_written() {
        return deploy::asked(state, id, name, by, now);
    }
    Ok(vec![ready(state, id, feature, team)])
}

/// The package for DevOps of a deployment that can begin.
pub fn to_devops(
    state: &State,
    id: SprintId,
    feature: Option<FeatureId>,
    deployment: Option<u32>,
) -> Event {
    match ready(state, id, feature, Team::Devops) {
        Event::DevopsHandoffReady(e) => DevopsHandoffReady { deployment, ..e }.into(),
        other => other,
    }
}

/// Whether something of the feature has to be deployed.
pub fn is_deployed(state: &State, id: SprintId, feature: FeatureId) -> bool {
    let mut rows = tasks(state, id, Some(feature)).into_iter();
    rows.any(|row| !row.spec.deployment_requirements.is_empty())
}

/// The sprint's feature of that name, if anything that was promised belongs to it.
fn named(state: &State, id: SprintId, name: &Name) -> Result<FeatureId, Rejection> {
    let known = (0u32..).map(FeatureId).zip(&state.tasks.features);
    known
        .filter(|(_, row)| row.sprint == id && row.name == *name)
        .map(|(feature, _)| feature)
        .find(|feature| !tasks(state, id, Some(*feature)).is_empty())
        .ok_or_else(|| Rejection::NoFeature {
            feature: name.to_string(),
        })
}

/// What was promised of a feature, or of the whole sprint, in the order of the file.
fn tasks(state: &State, id: SprintId, feature: Option<FeatureId>) -> Vec<&Task> {
    let mut ids: Vec<TaskId> = match feature {
        Some(feature) => state.tasks.of_feature(feature).collect(),
        None => state.sprints.table[id.index()].tasks().collect(),
    };
    ids.sort_unstable();
    ids.iter()
        .map(|id| &state.tasks.table[id.index()])
        .filter(|row| !row.is_help() && row.phase != Phase::Deferred)
        .collect()
}

/// What a package still lacks, in words.
pub fn missing(state: &State, id: SprintId, feature: Option<FeatureId>, team: Team) -> Vec<String> {
    let mut found = Vec::new();
    for row in tasks(state, id, feature) {
        if row.phase == Phase::Cancelled {
            continue;
        }
        if row.phase != Phase::Completed {
            found.push(format!("task {} is {}", row.spec.id, row.phase.as_str()));
        }
        let gates = row.story.iter().flat_map(|story| &story.gates);
        for gate in gates.filter(|gate| gate.verdict == Verdict::Failed) {
            found.push(format!("gate {} of {} failed", gate.gate, row.spec.id));
        }
    }
    if team == Team::Devops && state.sprints.table[id.index()].emergency.is_some() {
        found.push("there is an emergency".to_owned());
    }
    found
}

/// The package, ready.
fn ready(state: &State, id: SprintId, feature: Option<FeatureId>, team: Team) -> Event {
    let mut package = HandoffPackage {
        deliverable_type: match feature {
            Some(_) => "feature".to_owned(),
            None => "sprint".to_owned(),
        },
        artifacts: Vec::new(),
        test_requirements: Vec::new(),
        deployment_requirements: Vec::new(),
        documentation: Vec::new(),
    };
    for row in tasks(state, id, feature) {
        let spec = &row.spec;
        package
            .test_requirements
            .extend(spec.test_requirements.clone());
        package.test_requirements.extend(
            spec.acceptance
                .iter()
                .map(|text| format!("accepted when: {text}")),
        );
        package
            .deployment_requirements
            .extend(spec.deployment_requirements.clone());
        package.documentation.extend(spec.spec.clone());
        let Some(story) = &row.story else { continue };
        if !story.merged.is_empty() {
            package.artifacts.push(format!("commit {}", story.merged));
        }
        for artifact in &story.report().artifacts {
            let list = match (artifact.kind.as_str(), spec.kind.as_str()) {
                ("docs", _) | (_, "documentation") => &mut package.documentation,
                _ => &mut package.artifacts,
            };
            list.push(artifact.name.clone());
        }
        if spec.kind == "documentation" {
            package.documentation.push(spec.title.clone());
        }
    }
    let handoff = state.handoffs.len() as u32;
    let feature = feature.map(|id| state.tasks.features[id.index()].name.clone());
    match team {
        Team::Qa => QaHandoffReady {
            handoff,
            sprint_id: id,
            feature,
            package,
        }
        .into(),
        Team::Devops | Team::Product => DevopsHandoffReady {
            handoff,
            deployment: None,
            sprint_id: id,
            feature,
            package,
        }
        .into(),
    }
}

/// The packages of a feature whose last task was just completed: for QA, if anything of it is to be tested, and for Product.
///
/// Asked after each completion, so the feature's own count comes first.
pub fn after_completion(state: &State, task: TaskId) -> Vec<Event> {
    let row = &state.tasks.table[task.index()];
    let feature = &state.tasks.features[row.feature.index()];
    if feature.open > 0 || row.is_help() {
        return Vec::new();
    }
    let mut events = Vec::new();
    if feature.to_be_tested {
        let (id, of) = (row.sprint, Some(row.feature));
        let tested = |row: &&Task| !row.spec.test_requirements.is_empty();
        let wanted = tasks(state, id, of).iter().any(tested);
        if wanted && missing(state, id, of, Team::Qa).is_empty() {
            events.push(ready(state, id, of, Team::Qa));
        }
    }
    events.extend(demo(state, task).map(|event| renumbered(event, events.len() as u32)));
    events
}

/// The same package with a higher number, behind others of the same decision.
fn renumbered(event: Event, by: u32) -> Event {
    match event {
        Event::ProductDemoReady(e) => ProductDemoReady {
            handoff: e.handoff + by,
            ..e
        }
        .into(),
        other => other,
    }
}

/// What a feature that is done lets be shown to Product, if there is anybody to show it to.
fn demo(state: &State, task: TaskId) -> Option<Event> {
    let row = &state.tasks.table[task.index()];
    let (id, feature) = (row.sprint, row.feature);
    state.peer(id, Team::Product)?;
    if !missing(state, id, Some(feature), Team::Product).is_empty() {
        return None;
    }
    let sprint = &state.sprints.table[id.index()];
    let mut package = DemoPackage::default();
    if sprint.spec.repo.is_some() {
        let branch = format!("sprint/{}", sprint.spec.id);
        package.how_to_run.push(format!(
            "git worktree add --detach ../{branch} {branch} # everything that was merged, beside the repository"
        ));
    }
    for row in tasks(state, id, Some(feature)) {
        let Some(story) = row
            .story
            .as_deref()
            .filter(|_| row.phase == Phase::Completed)
        else {
            continue;
        };
        let spec = &row.spec;
        let mut change = format!("{}: {}", spec.id, spec.title);
        if !story.merged.is_empty() {
            let commit = short_commit(&story.merged);
            change += &format!(" (commit {commit}, {})", changes(story.changes));
        }
        if !story.report().summary.trim().is_empty() {
            change += &format!(": {}", story.report().summary.trim());
        }
        package.changes.push(change);
        let try_it = spec
            .test_requirements
            .iter()
            .chain(&spec.deployment_requirements);
        package.how_to_run.extend(try_it.cloned());
        for criterion in &spec.acceptance {
            let mut answers = story.report().acceptance.iter();
            let answer = answers.find(|answer| answer.criterion == *criterion);
            package.criteria.push(match answer {
                Some(answer) if answer.met => format!("met: {criterion} ({})", answer.evidence),
                Some(answer) => format!("not met: {criterion} ({})", answer.evidence),
                None => format!("not answered: {criterion}"),
            });
        }
    }
    Some(
        ProductDemoReady {
            handoff: state.handoffs.len() as u32,
            sprint_id: id,
            feature: Some(state.tasks.features[feature.index()].name.clone()),
            package,
        }
        .into(),
    )
}

/// What the other team reads of a package.
fn lines(row: &Handoff) -> String {
    let feature = row.feature.as_ref().map_or("", |name| name.as_str());
    let (first, lists) = match row.team {
        Team::Product => (
            format!(
                "{feature} can be shown. Say what you make of it: yes, a remark, or no with what has to change."
            ),
            vec![
                ("change", &row.demo.changes),
                ("try it", &row.demo.how_to_run),
                ("criterion", &row.demo.criteria),
            ],
        ),
        team => (
            format!(
                "A package for {}: {} {feature}",
                team.as_str(),
                row.package.deliverable_type
            ),
            vec![
                ("artifact", &row.package.artifacts),
                ("test", &row.package.test_requirements),
                ("deploy", &row.package.deployment_requirements),
                ("documentation", &row.package.documentation),
            ],
        ),
    };
    let mut lines = vec![first.trim_end().to_owned()];
    for (what, list) in lists {
        lines.extend(list.iter().map(|text| format!("{what}: {text}")));
    }
    lines.join("\n")
}

/// What becomes of a package that is ready: it waits in the inbox, or goes to an agent of the other team.
pub fn delivered(state: &State, handoff: u32, now: Time) -> Option<Event> {
    let row = state.handoffs.get(handoff as usize)?;
    let goes = state.peer(row.sprint, row.team)?;
    let cancelled = state.sprints.table[row.sprint.index()].cancelled;
    match goes {
        // Nobody is given anything any more in a sprint that is called off.
        Goes::Role(..) if cancelled => Some(to_inbox(state, handoff, row, "", now)),
        Goes::Inbox | Goes::Webhook(_) => Some(to_inbox(state, handoff, row, "", now)),
        Goes::Role(role, run) => Some(to_agent(state, handoff, row, role, run)),
    }
}

fn to_inbox(state: &State, handoff: u32, row: &Handoff, why: &str, now: Time) -> Event {
    let text = format!("{why}{}", lines(row));
    let place = (row.sprint, None);
    let open = inbox::opened(state, InboxKind::Handoff, place, Severity::Low, text, now);
    InboxOpened {
        handoff: Some(handoff),
        ..open
    }
    .into()
}

/// A task of looking at a package, for an agent of the other team.
fn to_agent(state: &State, handoff: u32, row: &Handoff, role: Name, run: Option<RunSpec>) -> Event {
    let sprint = &state.sprints.table[row.sprint.index()];
    let name = |n: u32| Name::new(format!("{}-package-{n}", row.team.as_str()));
    let id = (handoff + 1..)
        .filter_map(|n| name(n).ok())
        .find(|name| !sprint.by_name.contains_key(name))
        .unwrap_or_else(|| role.clone());
    let mut description = lines(row);
    if let Some(repo) = &sprint.spec.repo {
        description += &format!(
            "\nThe work is on the branch sprint/{} of {repo}; change nothing there.",
            sprint.spec.id
        );
    }
    description += "\nIn the report, list in `findings` what has to be changed before you take the package; an empty list takes it, and without the list nothing is said. What is worth knowing belongs into `summary`.";
    let what = row.feature.as_ref().map_or("the sprint", Name::as_str);
    let spec = Help {
        id,
        title: format!("Look at {what}"),
        description,
        kind: "review".to_owned(),
        role,
        effort: EFFORT,
        run,
    }
    .task(None);
    TaskAdded {
        task_id: TaskId(state.tasks.table.len() as u32),
        sprint_id: row.sprint,
        spec: spec.into(),
        dependencies: Vec::new(),
        origin: Origin::Package { handoff },
        by: "director".to_owned(),
    }
    .into()
}

/// The package that help looks at, if it still waits.
fn looked_at(state: &State, help: TaskId) -> Option<(u32, &Handoff)> {
    let Some(Origin::Package { handoff }) = state.tasks.table[help.index()].origin.as_deref()
    else {
        return None;
    };
    let row = state.handoffs.get(*handoff as usize)?;
    (row.standing == Standing::Ready).then_some((*handoff, row))
}

/// What follows the report of an agent that looked at a package.
pub fn reported(state: &State, help: TaskId) -> Option<Event> {
    let (handoff, _) = looked_at(state, help)?;
    let row = &state.tasks.table[help.index()];
    let report = row.story.as_ref().map(|story| story.report());
    let findings = report.map_or_else(String::new, |report| report.findings.join("\n"));
    let summary = report.map_or("", |report| report.summary.trim());
    Some(
        PackageAnswered {
            handoff,
            accepted: findings.is_empty(),
            reason: match findings.is_empty() {
                true => summary.to_owned(),
                false => findings,
            },
            by: row
                .last_agent
                .map_or_else(String::new, |agent| state.agent_name(agent)),
            help: Some(help),
        }
        .into(),
    )
}

/// What follows when the agent that was to look at a package is lost: a person does.
pub fn lost(state: &State, help: TaskId, reason: &str, now: Time) -> Option<Event> {
    let (handoff, row) = looked_at(state, help)?;
    let why = format!(
        "{} could not be looked at ({reason}). ",
        state.task_name(help)
    );
    Some(to_inbox(state, handoff, row, &why, now))
}

/// What a person of the other team says.
pub fn answered(handoff: u32, (reply, text): (Reply, &str), by: &str) -> Event {
    PackageAnswered {
        handoff,
        accepted: reply != Reply::Reject,
        reason: text.trim().to_owned(),
        by: by.to_owned(),
        help: None,
    }
    .into()
}

/// What becomes of what Product says: a no is a task of the same feature where the sprint can take one, everything else is for the
/// retrospective.
pub fn feedback(state: &State, e: &PackageAnswered) -> Vec<Event> {
    let Some(row) = state.handoffs.get(e.handoff as usize) else {
        return Vec::new();
    };
    if row.team != Team::Product || e.reason.is_empty() {
        return Vec::new();
    }
    let task = match e.accepted {
        true => None,
        false => wanted(state, row, &e.reason),
    };
    let task_id = TaskId(state.tasks.table.len() as u32);
    let mut events: Vec<Event> = Vec::new();
    let is_task = task.is_some();
    events.extend(task.map(|spec| -> Event {
        TaskAdded {
            task_id,
            sprint_id: row.sprint,
            spec: spec.into(),
            dependencies: Vec::new(),
            origin: Origin::Scope,
            by: e.by.clone(),
        }
        .into()
    }));
    events.push(
        FeedbackReceived {
            handoff: e.handoff,
            sprint_id: row.sprint,
            feature: row.feature.clone(),
            text: e.reason.clone(),
            by: e.by.clone(),
            task_id: is_task.then_some(task_id),
        }
        .into(),
    );
    events
}

/// The task that a no of Product asks for; none where nobody could do it, or the sprint is over.
fn wanted(state: &State, row: &Handoff, text: &str) -> Option<TaskSpec> {
    let sprint = &state.sprints.table[row.sprint.index()];
    scope::takes_work(sprint).ok()?;
    let feature = row.feature.clone()?;
    let id = (1u32..)
        .filter_map(|n| Name::new(format!("{feature}-feedback-{n}")).ok())
        .find(|name| !sprint.by_name.contains_key(name))?;
    let task = NewTask {
        id,
        title: Some(format!("Feedback on {feature}")),
        description: text.to_owned(),
        kind: None,
        points: None,
        hours: None,
        depends_on: Vec::new(),
        feature: Some(feature),
        priority: Priority::Normal,
        acceptance: Vec::new(),
        run: None,
        severity: None,
    };
    scope::spec_of(state, row.sprint, &task).ok()
}
