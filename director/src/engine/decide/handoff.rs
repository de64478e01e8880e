//! Packages for other teams: what was made, how it is to be tested and deployed, and where it is written down.
//!
//! A package is ready when every task of its feature is completed and its gates have let it pass; what is missing is
//! named. Where the team has people in the role `qa` or `devops`, the package waits in their inbox: yes accepts it, no
//! returns it with the reason.

use director_protocols::event::{
    DevopsHandoffReady, Event, HandoffPackage, InboxOpened, PackageAnswered, QaHandoffReady,
};
use director_protocols::ids::{FeatureId, Name, SprintId, TaskId};
use director_protocols::inbox::{InboxKind, Reply};
use director_protocols::outside::Outside;
use director_protocols::rejection::Rejection;
use director_protocols::severity::Severity;
use director_protocols::time::Time;
use director_protocols::work::Verdict;

use super::{Answer, inbox};
use crate::engine::handoffs::Team;
use crate::engine::state::State;
use crate::engine::tasks::{Phase, Task};

/// Decides about another team that wants a package.
pub fn asked(state: &State, id: SprintId, what: &Outside) -> Answer {
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
    Ok(vec![ready(state, id, feature, team)])
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
fn missing(state: &State, id: SprintId, feature: Option<FeatureId>, team: Team) -> Vec<String> {
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
        for artifact in &story.report.artifacts {
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
        Team::Devops => DevopsHandoffReady {
            handoff,
            sprint_id: id,
            feature,
            package,
        }
        .into(),
    }
}

/// The package for QA of a feature whose last task was just completed, if anything of it is to be tested.
///
/// Asked after each completion, so the feature's own count comes first.
pub fn after_completion(state: &State, task: TaskId) -> Option<Event> {
    let row = &state.tasks.table[task.index()];
    let feature = &state.tasks.features[row.feature.index()];
    if feature.open > 0 || !feature.to_be_tested {
        return None;
    }
    let (id, of) = (row.sprint, Some(row.feature));
    let tested = |row: &&Task| !row.spec.test_requirements.is_empty();
    let wanted = tasks(state, id, of).iter().any(tested);
    let complete = wanted && missing(state, id, of, Team::Qa).is_empty();
    complete.then(|| ready(state, id, of, Team::Qa))
}

/// The item for the people of the other team, if there are any.
pub fn delivered(
    state: &State,
    (id, handoff, team): (SprintId, u32, Team),
    package: &HandoffPackage,
    now: Time,
) -> Option<Event> {
    let role = state.team.by_role.get(team.role())?;
    if !state.team.roles[role.index()].is_people() {
        return None;
    }
    let feature = state.handoffs.get(handoff as usize)?.feature.clone();
    let mut lines = vec![format!(
        "A package for {}: {} {}",
        team.role(),
        package.deliverable_type,
        feature.map_or_else(String::new, |name| name.to_string())
    )];
    for (what, list) in [
        ("artifact", &package.artifacts),
        ("test", &package.test_requirements),
        ("deploy", &package.deployment_requirements),
        ("documentation", &package.documentation),
    ] {
        lines.extend(list.iter().map(|text| format!("{what}: {text}")));
    }
    let text = lines.join("\n");
    let open = inbox::opened(
        state,
        InboxKind::Handoff,
        (id, None),
        Severity::Low,
        text,
        now,
    );
    Some(
        InboxOpened {
            handoff: Some(handoff),
            ..open
        }
        .into(),
    )
}

/// What a person of the other team says.
pub fn answered(handoff: u32, (reply, text): (Reply, &str), by: &str) -> Event {
    PackageAnswered {
        handoff,
        accepted: reply != Reply::Reject,
        reason: text.trim().to_owned(),
        by: by.to_owned(),
    }
    .into()
}
