//! Gating: what a task's work has to pass, and what it must leave behind.
//!
//! Pure questions over the state; the answers decide effects and verdicts.

use director_protocols::ids::{Name, SprintId, TaskId};
use director_protocols::sprint::{Check, Expects, GateSpec, Judge};
use director_protocols::work::{GateOutcome, Verdict};

use super::judging::{Judging, outcome};
use super::state::State;

/// The gates of a batch: the sprint's, with those of its tasks in place of or after them.
pub fn gates<'a>(state: &'a State, sprint: SprintId, batch: &[TaskId]) -> Vec<&'a GateSpec> {
    let mut gates: Vec<&GateSpec> = state.sprints.table[sprint.index()]
        .spec
        .gates
        .iter()
        .collect();
    for task in batch {
        for own in &state.tasks.table[task.index()].spec.gates {
            match gates.iter_mut().find(|gate| gate.name == own.name) {
                Some(gate) => *gate = own,
                None => gates.push(own),
            }
        }
    }
    gates
}

/// Whether nothing at all is wanted of a task's work.
pub fn has_none(state: &State, sprint: SprintId, task: TaskId) -> bool {
    let of_sprint = &state.sprints.table[sprint.index()].spec.gates;
    let own = &state.tasks.table[task.index()].spec.gates;
    let mut gates = of_sprint.iter().chain(own);
    gates.all(|gate| matches!(gate.check, Check::Off))
}

/// Whether any of the batch's gates has to be run.
pub fn has_commands(state: &State, batch: &[TaskId]) -> bool {
    let Some(first) = batch.first() else {
        return false;
    };
    if state.is_help(*first) {
        return false;
    }
    let sprint = state.tasks.table[first.index()].sprint;
    sprint_has_commands(state, sprint)
        || batch.iter().any(|task| {
            state.tasks.table[task.index()]
                .spec
                .gates
                .iter()
                .any(is_command)
        })
}

/// Whether any of the sprint's own gates has to be run.
pub fn sprint_has_commands(state: &State, sprint: SprintId) -> bool {
    state.sprints.table[sprint.index()]
        .spec
        .gates
        .iter()
        .any(is_command)
}

fn is_command(gate: &GateSpec) -> bool {
    match &gate.check {
        Check::Command { .. } => true,
        // A file that no command of a gate leaves behind has to be named.
        Check::Coverage { files, .. } => !files.is_empty(),
        Check::Judge { .. } | Check::Acceptance { .. } | Check::NotMeasured { .. } | Check::Off => {
            false
        }
    }
}

/// The gates of the task that somebody has to judge; those that a person overrode are not among them.
pub fn judges(state: &State, task: TaskId) -> Vec<(Name, Judge)> {
    let row = &state.tasks.table[task.index()];
    let gates_of_sprint = &state.sprints.table[row.sprint.index()].spec.gates;
    let is_judge = |gate: &GateSpec| matches!(gate.check, Check::Judge { .. });
    let has_one = gates_of_sprint.iter().chain(&row.spec.gates).any(is_judge);
    if row.is_help() || !has_one {
        return Vec::new();
    }
    let overridden = |name: &Name| {
        let story = row.story.as_ref();
        story.is_some_and(|story| story.overridden.contains_key(name))
    };
    gates(state, row.sprint, &[task])
        .into_iter()
        .filter_map(|gate| match &gate.check {
            Check::Judge { by, .. } if !overridden(&gate.name) => {
                Some((gate.name.clone(), by.clone()))
            }
            _ => None,
        })
        .collect()
}

/// Whether somebody still has to be asked for a verdict on the work as it was reported.
pub fn wants_judges(state: &State, task: TaskId) -> bool {
    let story = state.tasks.table[task.index()].story.as_ref();
    let asked = story.is_some_and(|story| !story.judged.is_empty());
    !asked && !judges(state, task).is_empty()
}

/// How often findings may go back to the author of the task.
pub fn rounds_max(state: &State, task: TaskId) -> u32 {
    let sprint = state.tasks.table[task.index()].sprint;
    let gates = gates(state, sprint, &[task]).into_iter();
    let rounds = gates.map(|gate| match &gate.check {
        Check::Judge { rounds_max, .. } => *rounds_max,
        _ => 0,
    });
    rounds.max().unwrap_or(0)
}

/// The outcomes of gates that no command measures, for a batch: judged, answered, overridden or not measured.
pub fn unrun(
    state: &State,
    batch: &[TaskId],
    gates: &[&GateSpec],
    ran: &[GateOutcome],
) -> Vec<GateOutcome> {
    let mut outcomes = Vec::new();
    for gate in gates {
        let name = gate.name.as_str();
        let told = ran.iter().any(|outcome| outcome.gate == name);
        let not_measured = |why: &str| outcome(name, Verdict::NotMeasured, why.to_owned());
        match &gate.check {
            Check::NotMeasured { wanted } => outcomes.push(not_measured(wanted)),
            Check::Acceptance { strict } => {
                let each = batch.iter();
                let each = each.map(|task| acceptance(state, *task, name, *strict));
                outcomes.extend(worst(each));
            }
            Check::Judge { .. } => {
                let each = batch.iter();
                let each = each.filter_map(|task| said(state, *task, &gate.name));
                outcomes.push(worst(each).unwrap_or_else(|| not_measured("nobody was asked")));
            }
            Check::Coverage { .. } if !told => outcomes.push(not_measured(
                "a coverage file that a gate's command leaves behind",
            )),
            Check::Coverage { .. } | Check::Command { .. } | Check::Off => {}
        }
    }
    outcomes
}

/// Whether the task's report answers its acceptance criteria.
fn acceptance(state: &State, task: TaskId, gate: &str, strict: bool) -> GateOutcome {
    let row = &state.tasks.table[task.index()];
    let wanted = &row.spec.acceptance;
    if wanted.is_empty() {
        let nothing = "the task has no acceptance criteria".to_owned();
        return outcome(gate, Verdict::NotMeasured, nothing);
    }
    let story = row.story.as_ref();
    let answers = story.map_or(&[][..], |story| &story.report().acceptance);
    let (mut unmet, mut open, mut met) = (Vec::new(), Vec::new(), Vec::new());
    for criterion in wanted {
        match answers.iter().find(|answer| answer.criterion == *criterion) {
            Some(answer) if !answer.met => {
                unmet.push(format!("not met: {criterion} ({})", answer.evidence));
            }
            Some(answer) if !answer.evidence.trim().is_empty() => {
                met.push(format!("{criterion}: {}", answer.evidence));
            }
            Some(_) => open.push(format!("no evidence: {criterion}")),
            None => open.push(format!("no answer: {criterion}")),
        }
    }
    let verdict = match (unmet.is_empty(), open.is_empty()) {
        (false, _) => Verdict::Failed,
        (true, false) if strict => Verdict::Failed,
        (true, false) => Verdict::NotMeasured,
        (true, true) => Verdict::Passed,
    };
    let evidence = format!(
        "{} of {} criteria answered with evidence",
        met.len(),
        wanted.len()
    );
    GateOutcome {
        tail: [unmet, open, met].concat().join("\n"),
        ..outcome(gate, verdict, evidence)
    }
}

/// What a judge said of the task.
fn said(state: &State, task: TaskId, gate: &Name) -> Option<GateOutcome> {
    let story = state.tasks.table[task.index()].story.as_ref()?;
    match story.judged.get(gate)? {
        Judging::Said(outcome) => Some(outcome.clone()),
        Judging::Agent | Judging::Person(_) => None,
    }
}

/// The one that counts for a batch: a failed one, else one that is not measured, else the first.
fn worst(outcomes: impl Iterator<Item = GateOutcome>) -> Option<GateOutcome> {
    outcomes.min_by_key(|outcome| match outcome.verdict {
        Verdict::Failed => 0,
        Verdict::NotMeasured => 1,
        Verdict::Overridden => 2,
        Verdict::Passed => 3,
    })
}

/// Puts what a person overrode for every task of the batch in place of what failed.
pub fn with_overrides(state: &State, batch: &[TaskId], outcomes: &mut [GateOutcome]) {
    for outcome in outcomes {
        if outcome.verdict != Verdict::Failed {
            continue;
        }
        let by = |task: &TaskId| {
            let story = state.tasks.table[task.index()].story.as_ref()?;
            let mut known = story.overridden.iter();
            known.find(|(gate, _)| gate.as_str() == outcome.gate)
        };
        let known: Vec<_> = batch.iter().filter_map(by).collect();
        if known.len() == batch.len()
            && let Some((_, first)) = known.first()
        {
            outcome.verdict = Verdict::Overridden;
            outcome.evidence = format!(
                "{}; overridden by {}: {}",
                outcome.evidence, first.by, first.reason
            );
        }
    }
}

/// What the task should have left behind and did not, in words; `changed` is known only with a repository.
pub fn lacks(state: &State, task: TaskId, changed: Option<bool>) -> Option<String> {
    let row = &state.tasks.table[task.index()];
    let artifacts = row
        .story
        .as_ref()
        .map_or(0, |story| story.report().artifacts.len());
    match (row.spec.expects, changed) {
        (Expects::Changes, Some(false)) => Some(
            "it left no change in the repository; a task of its kind is done only when it leaves one (`expects = \"nothing\"` says otherwise)"
                .to_owned(),
        ),
        (Expects::Artifact, Some(false) | None) if artifacts == 0 => Some(
            "its report names no artifact; a task of its kind is done only when it leaves one".to_owned(),
        ),
        _ => None,
    }
}
