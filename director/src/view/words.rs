//! Marks, looks and words that several views share.

use director_protocols::ids::TaskId;
use director_protocols::severity::Severity;
use director_protocols::work::{GateOutcome, Verdict};

use super::paint::Look;
use crate::engine::sprints::Sprint;
use crate::engine::state::State;
use crate::engine::tasks::{Phase, Task};

/// The mark and the look of a task in a list.
pub(crate) fn mark(phase: Phase) -> (&'static str, Look) {
    match phase {
        Phase::Completed => ("✓", Look::Green),
        Phase::Working | Phase::Assigned => ("▶", Look::Cyan),
        Phase::Reported | Phase::Reviewing | Phase::Queued | Phase::Merging => ("◆", Look::Cyan),
        Phase::Ready => ("○", Look::Blue),
        Phase::Waiting => ("·", Look::Dim),
        Phase::Backoff(_) => ("↻", Look::Yellow),
        Phase::Blocked => ("!", Look::Yellow),
        Phase::Failed | Phase::Quarantined => ("✗", Look::Red),
        Phase::Cancelled | Phase::Deferred => ("–", Look::Dim),
    }
}

/// The look of a severity.
pub(crate) fn severity_look(severity: Severity) -> Look {
    match severity {
        Severity::Low | Severity::Medium => Look::Plain,
        Severity::High => Look::Yellow,
        Severity::Critical => Look::Red,
    }
}

/// The mark and the look of a gate.
pub(crate) fn verdict_mark(verdict: Verdict) -> (&'static str, Look) {
    match verdict {
        Verdict::Passed => ("✓", Look::Green),
        Verdict::Failed => ("✗", Look::Red),
        Verdict::NotMeasured => ("?", Look::Dim),
        Verdict::Overridden => ("!", Look::Yellow),
    }
}

/// The word for a verdict.
pub(crate) fn verdict_word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Passed => "passed",
        Verdict::Failed => "failed",
        Verdict::NotMeasured => "not measured",
        Verdict::Overridden => "overridden",
    }
}

/// The last gates in one line: `tests passed, coverage not measured`.
pub(crate) fn gates_line(gates: &[GateOutcome]) -> String {
    let words: Vec<String> = gates
        .iter()
        .map(|gate| format!("{} {}", gate.gate, verdict_word(gate.verdict)))
        .collect();
    words.join(", ")
}

/// How gates came out together: what nothing measured has not passed.
pub(crate) fn gates_came_out(of: &str, passed: bool, gates: &[GateOutcome]) -> String {
    let line = gates_line(gates);
    match (passed, gates.iter().any(GateOutcome::is_measured)) {
        (true, true) => format!("gates of {of} passed: {line}"),
        (false, _) => format!("gates of {of} failed: {line}"),
        (true, false) if gates.is_empty() => format!("no gate measured {of}"),
        (true, false) => format!("no gate measured {of}: {line}"),
    }
}

/// How far the task has come, by the stage it has reached: agents are at work from 25 on, at 60 the work is
/// reported, at 70 in a commit, at 85 being merged and gated, and only what is merged is 100.
pub(crate) fn percentage(phase: Phase) -> u32 {
    match phase {
        Phase::Deferred
        | Phase::Waiting
        | Phase::Ready
        | Phase::Backoff(_)
        | Phase::Blocked
        | Phase::Failed
        | Phase::Quarantined
        | Phase::Cancelled => 0,
        Phase::Assigned => 10,
        Phase::Working => 25,
        Phase::Reported => 60,
        Phase::Reviewing => 65,
        Phase::Queued => 70,
        Phase::Merging => 85,
        Phase::Completed => 100,
    }
}

/// Tasks of the sprint that were given up, failed or quarantined, by name.
pub(crate) fn given_up(state: &State, sprint: &Sprint) -> Vec<String> {
    let given_up = sprint.tasks().filter(|id| {
        let phase = state.tasks.get(*id).map(|task| task.phase);
        matches!(phase, Some(Phase::Failed | Phase::Quarantined)) && !state.is_help(*id)
    });
    given_up.map(|id| state.task_name(id)).collect()
}

/// The tasks that it waits for, not completed yet.
pub(crate) fn awaited(state: &State, task: &Task) -> Vec<TaskId> {
    task.depends_on
        .iter()
        .copied()
        .filter(|id| {
            state
                .tasks
                .get(*id)
                .is_some_and(|row| row.phase != Phase::Completed)
        })
        .collect()
}

/// Names of tasks.
pub(crate) fn task_names(state: &State, ids: &[TaskId]) -> Vec<String> {
    ids.iter().map(|id| state.task_name(*id)).collect()
}

/// `a, b and 3 more`.
pub(crate) fn some(names: &[String], shown: usize) -> String {
    match names.len() {
        n if n <= shown => names.join(", "),
        n => format!("{} and {} more", names[..shown].join(", "), n - shown),
    }
}

/// The first twelve digits of a commit.
pub(crate) fn short_commit(commit: &str) -> &str {
    commit.get(..12).unwrap_or(commit)
}
