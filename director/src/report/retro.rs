//! The retrospective: metrics, what agents said, process issues, improvements, and action items that change the next
//! sprint's file once they are accepted.
//!
//! All of it comes from the sprint's report; each sentence cites the positions of the events it was computed from, and
//! where nothing was found it says "none".
//!
//! Elsewhere: what is found is `report::sprint`'s lessons; what a change does is its `next`.

use director_protocols::ids::SprintId;
use director_protocols::manifest;
use director_protocols::time::Time;
use maud::{Markup, html as markup};
use schemars::JsonSchema;
use serde::Serialize;

use super::foreseen::{self, Foreseen, Track};
use super::html::{Cell, list, page, t, table};
use super::sprint::{self, Change, Feedback, Metrics, ReportView, cited, measured};
use super::text::markdown as md;
use crate::engine::state::State;
use crate::handle::Entry;
use crate::view::{count, rfc3339};

/// A look back on a sprint.
#[derive(Clone, Debug, PartialEq, JsonSchema, Serialize)]
pub struct RetroView {
    /// Its name.
    pub sprint: String,
    /// `done`, `incomplete`, `cancelled`, or its state before the end.
    pub outcome: String,
    /// The sprint in numbers.
    pub sprint_metrics: Metrics,
    /// What was foreseen, beside what came.
    pub forecasts: Vec<Foreseen>,
    /// How good forecasts have been over all sprints; `null` where none can be told.
    pub forecast_track: Option<Track>,
    /// What agents said about the work.
    pub team_feedback: Vec<Feedback>,
    /// Risks of the plan that came true, and what was done then.
    pub risks_come_true: Vec<Found>,
    /// What did not go as it should.
    pub process_issues: Vec<Found>,
    /// What to try next time.
    pub improvement_opportunities: Vec<Found>,
    /// What would be changed in the next sprint's file.
    pub action_items: Vec<ActionItem>,
    /// The report it was made of; its figures in words.
    #[serde(skip)]
    report: Box<ReportView>,
}

/// Something that was found in the journal.
#[derive(Clone, Debug, PartialEq, JsonSchema, Serialize)]
#[schemars(rename = "RetroFinding")]
pub struct Found {
    /// In a sentence.
    pub text: String,
    /// The tasks that show it.
    pub tasks: Vec<String>,
    /// Positions in the journal of the events that it was computed from.
    pub seqs: Vec<u64>,
}

/// Something to change.
#[derive(Clone, Debug, PartialEq, JsonSchema, Serialize)]
pub struct ActionItem {
    /// Names it for `director retro --accept`.
    pub id: String,
    /// What will be otherwise in the next sprint's file, in words.
    pub text: String,
    /// The same for programs.
    pub change: Change,
    /// Positions in the journal of the events behind it.
    pub seqs: Vec<u64>,
    /// When it was accepted.
    pub accepted: Option<String>,
    /// By whom.
    pub accepted_by: Option<String>,
}

/// Looks back on the sprint that `report` is about.
pub fn retro(state: &State, entries: &[Entry], id: SprintId, report: ReportView) -> RetroView {
    let accepted = |action: &str| {
        let row = state.sprints.get(id)?;
        row.accepted.get(action)
    };
    let found = |text: &str, lesson: &sprint::Lesson| Found {
        text: text.to_owned(),
        tasks: lesson.tasks.clone(),
        seqs: lesson.seqs.clone(),
    };
    RetroView {
        sprint: report.sprint.clone(),
        outcome: report.outcome.clone(),
        sprint_metrics: report.metrics.clone(),
        forecasts: foreseen::foreseen(state, entries, id),
        forecast_track: foreseen::track(state),
        team_feedback: report.feedback.clone(),
        risks_come_true: come_true(&report),
        process_issues: report
            .lessons
            .iter()
            .map(|lesson| found(&lesson.text, lesson))
            .collect(),
        improvement_opportunities: report
            .lessons
            .iter()
            .map(|lesson| found(&lesson.suggestion, lesson))
            .collect(),
        action_items: report
            .lessons
            .iter()
            .map(|lesson| {
                let accepted = accepted(&lesson.id);
                ActionItem {
                    id: lesson.id.clone(),
                    text: lesson.change.words(),
                    change: lesson.change.clone(),
                    seqs: lesson.seqs.clone(),
                    accepted: accepted.map(|(at, _)| rfc3339(*at)),
                    accepted_by: accepted.map(|(_, by)| by.clone()),
                }
            })
            .collect(),
        report: Box::new(report),
    }
}

/// The risks that came true, each with what was done.
fn come_true(report: &ReportView) -> Vec<Found> {
    let risks = report.risks.iter().filter(|risk| risk.came_true());
    risks
        .map(|risk| Found {
            text: risk.sentence(),
            tasks: risk.tasks.clone(),
            seqs: risk.seqs.clone(),
        })
        .collect()
}

/// As Markdown, which is also how a terminal shows it.
pub fn markdown(view: &RetroView) -> String {
    let mut out = format!(
        "# Retrospective of {}: {}\n",
        md(&view.sprint),
        view.outcome
    );
    let mut section = |title: &str, items: Vec<String>| {
        out += &format!("\n## {title}\n\n");
        if items.is_empty() {
            out += "- none\n";
        }
        for item in items {
            out += &format!("- {item}\n");
        }
    };
    section(
        "Sprint metrics",
        measured(&view.report)
            .into_iter()
            .map(|metric| format!("{}: {}", metric.name, md(&metric.value)))
            .collect(),
    );
    section("Forecast and actual", forecasts(view));
    section(
        "Team feedback",
        view.team_feedback
            .iter()
            .map(|row| format!("{}: {}", md(&row.task), md(&row.text)))
            .collect(),
    );
    let sentence = |row: &Found| format!("{} ({})", md(&row.text), cited(&row.seqs));
    section(
        "Risks that came true",
        view.risks_come_true.iter().map(sentence).collect(),
    );
    section(
        "Process issues",
        view.process_issues.iter().map(sentence).collect(),
    );
    section(
        "Improvement opportunities",
        view.improvement_opportunities
            .iter()
            .map(sentence)
            .collect(),
    );
    section(
        "Action items",
        view.action_items.iter().map(action).collect(),
    );
    out += &format!("\n{}\n", hint(view));
    out
}

/// Each forecast in a sentence, and how good they have been.
fn forecasts(view: &RetroView) -> Vec<String> {
    let each = view.forecasts.iter();
    let each = each.map(|row| format!("{} ({})", foreseen::sentence(row), cited(&row.seqs)));
    let track = view.forecast_track.iter().map(foreseen::track_sentence);
    each.chain(track).collect()
}

fn action(item: &ActionItem) -> String {
    let standing = match (&item.accepted, &item.accepted_by) {
        (Some(_), Some(by)) => format!("[x] `{}`, accepted by {}", item.id, md(by)),
        _ => format!("[ ] `{}`", item.id),
    };
    format!("{standing}: {} ({})", md(&item.text), cited(&item.seqs))
}

fn hint(view: &RetroView) -> String {
    let accepted = view
        .action_items
        .iter()
        .filter(|item| item.accepted.is_some())
        .count();
    match (view.action_items.len(), accepted) {
        (0, _) => "Nothing was found that the next sprint should do otherwise.".to_owned(),
        (_, 0) => "`director retro --accept ID` takes an action item into the next sprint; `--next FILE` writes its file.".to_owned(),
        (_, n) => format!("{} accepted; `director retro --next FILE` writes the next sprint with them.", count(n, "action item")),
    }
}

/// As one page of HTML.
pub fn html(view: &RetroView) -> String {
    let sentences = |rows: &[Found]| -> Vec<Markup> {
        rows.iter()
            .map(|row| markup! { (t(&row.text)) " " span class="cite" { "(" (cited(&row.seqs)) ")" } })
            .collect()
    };
    let foreseen: Vec<Markup> = forecasts(view)
        .iter()
        .map(|sentence| markup! { (t(sentence)) })
        .collect();
    let feedback: Vec<Markup> = view
        .team_feedback
        .iter()
        .map(|row| markup! { strong { (t(&row.task)) } ": " (t(&row.text)) })
        .collect();
    let actions: Vec<Vec<Cell>> = view
        .action_items
        .iter()
        .map(|item| {
            vec![
                Cell::Markup(markup! { code { (t(&item.id)) } }),
                item.text.clone().into(),
                cited(&item.seqs).into(),
                match &item.accepted_by {
                    Some(by) => format!("accepted by {by}").into(),
                    None => "open".into(),
                },
            ]
        })
        .collect();
    let metrics: Vec<Vec<Cell>> = measured(&view.report)
        .into_iter()
        .map(|metric| vec![metric.name.into(), metric.value.into(), metric.unit.into()])
        .collect();
    let body = markup! {
        header {
            p class="lead" { "Retrospective" }
            h1 { "Sprint " (t(&view.sprint)) ": " (t(&view.outcome)) }
        }
        h2 { "Action items" }
        @if actions.is_empty() { p { "None." } }
        @else { (table("actions", "What would change in the next sprint's file", &["id", "change", "because of", "standing"], &actions)) }
        p class="note" { (hint(view)) }
        h2 { "Risks that came true" }
        (list(&sentences(&view.risks_come_true)))
        h2 { "Process issues" }
        (list(&sentences(&view.process_issues)))
        h2 { "Improvement opportunities" }
        (list(&sentences(&view.improvement_opportunities)))
        h2 { "Team feedback" }
        (list(&feedback))
        h2 { "Forecast and actual" }
        (list(&foreseen))
        h2 { "Sprint metrics" }
        (table("metrics", "The sprint in numbers", &["metric", "value", "unit"], &metrics))
    };
    page(&format!("Retrospective of {}", view.sprint), &body)
}

/// The file of the next sprint.
#[derive(Clone, Debug, PartialEq, JsonSchema, Serialize)]
pub struct NextSprint {
    /// Its name.
    pub sprint: String,
    /// The file, TOML.
    pub text: String,
    /// The tasks carried over.
    pub carried_over: Vec<String>,
    /// The action items that changed it, each with what it changed.
    pub changes: Vec<String>,
}

/// The next sprint's file: what remains, and what accepted action items change. `dir` is where the file will lie.
pub fn next(
    state: &State,
    entries: &[Entry],
    id: SprintId,
    dir: Option<&str>,
    now: Time,
) -> Option<NextSprint> {
    let report = sprint::build(state, entries, id, now)?;
    let row = state.sprints.get(id)?;
    let accepted: Vec<&sprint::Lesson> = report
        .lessons
        .iter()
        .filter(|lesson| row.accepted.contains_key(&lesson.id))
        .collect();
    let mut spec = sprint::draft(state, row, &report.next_sprint, &accepted)?;
    if dir.is_some() && spec.repo.as_deref() == dir {
        spec.repo = Some(".".to_owned());
    }
    let changes: Vec<String> = accepted
        .iter()
        .map(|lesson| format!("{}: {}", lesson.id, lesson.change.words()))
        .collect();
    let mut about = format!(
        "What remains of sprint {} ({} of {} carried over).",
        report.sprint,
        report.next_sprint.len(),
        count(report.tasks.len(), "task")
    );
    for change in &changes {
        about += &format!("\nAccepted in its retrospective: {change}.");
    }
    Some(NextSprint {
        sprint: spec.id.to_string(),
        text: manifest::write(&spec, &about),
        carried_over: report
            .next_sprint
            .iter()
            .map(|row| row.id.clone())
            .collect(),
        changes,
    })
}

#[cfg(test)]
#[path = "retro_tests.rs"]
mod tests;
