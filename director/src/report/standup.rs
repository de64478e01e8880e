//! The daily standup: progress, what was completed since the last one, what comes next, what is in the way, what became
//! free or still waits, and whether the team is getting faster.
//!
//! The last standup is the latest `daily_standup_completed` of the sprint in the journal; the first looks back to when work
//! began.
//!
//! Invariant: what was completed cites the position of its event; nothing found is "none".

use director_protocols::event::Event;
use director_protocols::ids::{SprintId, TaskId};
use director_protocols::severity::Severity;
use director_protocols::time::{Span, Time};
use schemars::JsonSchema;
use serde::Serialize;

use super::sprint::planned;
use super::text::short;
use crate::engine::state::State;
use crate::engine::tasks::{Phase, Task};
use crate::handle::Entry;
use crate::view::status::{open_blockers, velocity};
use crate::view::{at_minute, count, hours, rfc3339, subject};

/// The event that a standup that was held leaves behind.
const HELD: &str = "daily_standup_completed";
/// How many things a list shows in text.
const SHOWN_MAX: usize = 12;

/// How much of a note is shown in text, in characters.
const NOTE_SHOWN_MAX: usize = 1_000;

/// A standup.
#[derive(Clone, Debug, PartialEq, JsonSchema, Serialize)]
pub struct StandupView {
    /// The sprint.
    pub sprint: String,
    /// When this was true.
    pub as_of: String,
    /// Since when it looks back.
    pub since: String,
    /// How far the sprint is.
    pub sprint_progress: Progress,
    /// Tasks completed since the last standup, oldest first.
    pub completed_yesterday: Vec<Done>,
    /// What goes on and what comes next.
    pub planned_today: Vec<String>,
    /// What holds tasks up.
    pub blockers: Vec<InTheWay>,
    /// What became free, and what waits for something that does not move by itself.
    pub dependency_updates: Vec<Dependency>,
    /// Points since the last standup against as long before it.
    pub velocity_trend: Trend,
    /// What the engineering manager noted at the last one, if an agent of that role could be asked.
    pub note: Option<NoteView>,
}

/// What was noted at a standup.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize)]
#[schemars(rename = "StandupNote")]
pub struct NoteView {
    /// Who.
    pub by: String,
    /// When.
    pub at: String,
    /// What.
    pub text: String,
}

/// How far the sprint is.
#[derive(Clone, Debug, PartialEq, JsonSchema, Serialize)]
#[schemars(rename = "StandupProgress")]
pub struct Progress {
    /// Tasks completed.
    pub completed_tasks: u32,
    /// Tasks committed to.
    pub committed_tasks: u32,
    /// Points completed.
    pub completed_points: u32,
    /// Points meant to be completed.
    pub target_points: u32,
    /// Completed share of the committed tasks, 0 to 1.
    pub completion_rate: f64,
    /// Working days left.
    pub days_remaining: Option<u64>,
    /// When all may be done.
    pub projected_completion: Option<String>,
}

/// A completed task.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize)]
#[schemars(rename = "DoneTask")]
pub struct Done {
    /// The task.
    pub task: String,
    /// One line for people.
    pub title: String,
    /// Who did it.
    pub agent: Option<String>,
    /// Its points.
    pub points: u32,
    /// When.
    pub at: String,
    /// Where the journal says so.
    pub seq: u64,
}

/// Something that holds a task up.
#[derive(Clone, Debug, PartialEq, JsonSchema, Serialize)]
pub struct InTheWay {
    /// The task.
    pub task: String,
    /// The tier.
    pub severity: Severity,
    /// What is the matter.
    pub text: String,
    /// For how long, in hours.
    pub open_hours: f64,
    /// The inbox item that waits for an answer, from 1.
    pub inbox: Option<u32>,
    /// Where the journal has it.
    pub seq: Option<u64>,
}

/// What a task's dependencies mean for it now.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize)]
#[schemars(rename = "StandupDependency")]
pub struct Dependency {
    /// The task.
    pub task: String,
    /// `free`: all it waited for is done since the last standup; `held_up`: it waits for something that does not move by itself.
    pub state: &'static str,
    /// What it waited or waits for.
    pub on: Vec<String>,
    /// Positions of the events behind it.
    pub seqs: Vec<u64>,
}

/// Whether the team is getting faster.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize)]
#[schemars(rename = "VelocityTrend")]
pub struct Trend {
    /// Points completed since the last standup.
    pub points: u32,
    /// Points completed in as much time before it.
    pub points_before: u32,
    /// `up`, `down`, `steady`, or `none` when the sprint is not old enough to compare.
    pub trend: &'static str,
}

/// Makes the standup; none if there is no such sprint. `entries` are all of the journal, oldest first; `back` is how far it
/// looks back instead of to the last one.
pub fn standup(
    state: &State,
    entries: &[Entry],
    sprint: SprintId,
    back: Option<Span>,
    now: Time,
) -> Option<StandupView> {
    let row = state.sprints.get(sprint)?;
    let now = row.ended.unwrap_or(now);
    let of_sprint = |event: &Event| subject(event, state).sprint == Some(sprint);
    let began = row.began.unwrap_or(row.submitted);
    let held = entries.iter().rev().find(|entry| {
        let mut events = entry.events.iter();
        events.any(|event| event.name() == HELD && of_sprint(event))
    });
    let since = match (back, held) {
        (Some(back), _) => Time(now.0.saturating_sub(back.0)).max(began),
        (None, Some(entry)) => entry.at,
        (None, None) => began,
    };
    let tasks: Vec<(TaskId, &Task)> = row
        .tasks()
        .filter_map(|id| Some((id, state.tasks.get(id)?)))
        .filter(|(_, task)| !task.is_help())
        .collect();
    let mut completed: Vec<(Time, u64, TaskId)> = Vec::new();
    let mut raised = std::collections::BTreeMap::new();
    for entry in entries {
        for event in &entry.events {
            match event {
                Event::TaskCompleted(e) if of_sprint(event) => {
                    completed.push((entry.at, entry.seq.0, e.task_id))
                }
                Event::BlockerRaised(e) => {
                    raised.insert(e.blocker.0 + 1, entry.seq.0);
                }
                _ => {}
            }
        }
    }
    let points = |from: Time, to: Time| -> u32 {
        let within = completed
            .iter()
            .filter(|(at, _, _)| *at > from && *at <= to);
        within
            .filter_map(|(_, _, id)| Some(state.tasks.get(*id)?.spec.points))
            .sum()
    };
    let window = now.since(since);
    let before = Time(since.0.saturating_sub(window.0));
    let (lately, earlier) = (points(since, now), points(before, since));
    let metrics = velocity(state, sprint, now);
    let tally = state.tasks.tally(sprint);
    Some(StandupView {
        sprint: row.spec.id.to_string(),
        as_of: rfc3339(now),
        since: rfc3339(since),
        sprint_progress: Progress {
            completed_tasks: tally.completed,
            committed_tasks: tally.committed,
            completed_points: metrics.completed_points,
            target_points: metrics.target_points,
            completion_rate: metrics.completion_rate,
            days_remaining: metrics.days_remaining,
            projected_completion: metrics.projected_completion,
        },
        completed_yesterday: completed
            .iter()
            .filter(|(at, _, _)| *at > since)
            .filter_map(|(at, seq, id)| {
                let task = state.tasks.get(*id)?;
                Some(Done {
                    task: task.spec.id.to_string(),
                    title: task.spec.title.clone(),
                    agent: task.last_agent.map(|agent| state.agent_name(agent)),
                    points: task.spec.points,
                    at: rfc3339(*at),
                    seq: *seq,
                })
            })
            .collect(),
        planned_today: planned(
            state,
            &tasks.iter().map(|(_, task)| *task).collect::<Vec<_>>(),
        ),
        blockers: open_blockers(state, sprint, now)
            .into_iter()
            .map(|blocker| InTheWay {
                seq: raised.get(&blocker.id).copied(),
                task: blocker.task,
                severity: blocker.severity,
                text: blocker.text,
                open_hours: hours(Span((blocker.open_seconds * 1000.0) as u64)),
                inbox: blocker.inbox,
            })
            .collect(),
        dependency_updates: dependencies(state, &tasks, &completed, since),
        velocity_trend: Trend {
            points: lately,
            points_before: earlier,
            trend: match lately.cmp(&earlier) {
                // Before the first standup there is nothing to compare with.
                _ if before < began => "none",
                std::cmp::Ordering::Greater => "up",
                std::cmp::Ordering::Less => "down",
                std::cmp::Ordering::Equal => "steady",
            },
        },
        note: row.note.as_ref().map(|note| NoteView {
            by: note.by.clone(),
            at: rfc3339(note.at),
            text: note.text.clone(),
        }),
    })
}

/// What became free since then, and what is held up by something that does not move by itself.
fn dependencies(
    state: &State,
    tasks: &[(TaskId, &Task)],
    completed: &[(Time, u64, TaskId)],
    since: Time,
) -> Vec<Dependency> {
    let mut found = Vec::new();
    for (_, task) in tasks {
        let name = task.spec.id.to_string();
        let lately: Vec<&(Time, u64, TaskId)> = completed
            .iter()
            .filter(|(at, _, id)| *at > since && task.depends_on.contains(id))
            .collect();
        if task.waiting_for == 0 && !lately.is_empty() && !task.phase.is_over() {
            found.push(Dependency {
                task: name,
                state: "free",
                on: lately
                    .iter()
                    .map(|(_, _, id)| state.task_name(*id))
                    .collect(),
                seqs: lately.iter().map(|(_, seq, _)| *seq).collect(),
            });
            continue;
        }
        let stuck: Vec<TaskId> = task
            .depends_on
            .iter()
            .copied()
            .filter(|id| {
                let phase = state.tasks.get(*id).map(|task| task.phase);
                phase.is_some_and(|phase| {
                    phase != Phase::Completed && (phase == Phase::Blocked || phase.is_over())
                })
            })
            .collect();
        if task.phase == Phase::Waiting && !stuck.is_empty() {
            found.push(Dependency {
                task: name,
                state: "held_up",
                on: stuck.iter().map(|id| state.task_name(*id)).collect(),
                seqs: Vec::new(),
            });
        }
    }
    found
}

/// As text for people.
pub fn text(view: &StandupView) -> String {
    let progress = &view.sprint_progress;
    let mut out = format!(
        "Daily Standup\nSprint: {}\nSince: {}\nSprint Progress: {} of {}, {} of {}",
        short(&view.sprint, 80),
        at_minute(&view.since),
        progress.completed_tasks,
        count(progress.committed_tasks as usize, "task"),
        progress.completed_points,
        count(progress.target_points as usize, "point"),
    );
    if let Some(days) = progress.days_remaining {
        out += &format!(", {} left", count(days as usize, "working day"));
    }
    match &progress.projected_completion {
        Some(at) => out += &format!("; projected completion {}", at_minute(at)),
        None => out += "; no projection while something waits for a person",
    }
    out.push('\n');
    let mut section = |title: &str, items: Vec<String>| {
        out += &format!("{title}:\n");
        if items.is_empty() {
            out += "- none\n";
        }
        for item in items.iter().take(SHOWN_MAX) {
            out += &format!("- {item}\n");
        }
        if items.len() > SHOWN_MAX {
            out += &format!("- and {} more\n", items.len() - SHOWN_MAX);
        }
    };
    section(
        "Completed Since",
        view.completed_yesterday
            .iter()
            .map(|done| {
                let agent = done.agent.as_deref().unwrap_or("nobody");
                format!(
                    "{}: {} ({agent}, {}, event {})",
                    done.task,
                    short(&done.title, 80),
                    count(done.points as usize, "point"),
                    done.seq
                )
            })
            .collect(),
    );
    section("Planned Next", view.planned_today.clone());
    section(
        "Blockers",
        view.blockers
            .iter()
            .map(|row| {
                let waits = row.inbox.map_or_else(String::new, |item| {
                    format!(", waits for an answer: inbox #{item}")
                });
                let seq = row
                    .seq
                    .map_or_else(String::new, |seq| format!(", event {seq}"));
                let open = Span((row.open_hours * 3_600_000.0) as u64);
                format!(
                    "{}: {} ({}, for {open}{waits}{seq})",
                    row.task,
                    short(&row.text, 160),
                    row.severity.as_str()
                )
            })
            .collect(),
    );
    section(
        "Dependency Updates",
        view.dependency_updates
            .iter()
            .map(|row| match row.state {
                "free" => format!(
                    "{} no longer waits: {} done ({})",
                    row.task,
                    row.on.join(", "),
                    super::sprint::cited(&row.seqs)
                ),
                _ => format!("{} is held up by {}", row.task, row.on.join(", ")),
            })
            .collect(),
    );
    let trend = &view.velocity_trend;
    out += &match trend.trend {
        "none" => format!(
            "Velocity Trend: {} since, nothing to compare with yet\n",
            count(trend.points as usize, "point")
        ),
        word => format!(
            "Velocity Trend: {word} ({} since, {} in as much time before)\n",
            count(trend.points as usize, "point"),
            trend.points_before
        ),
    };
    if let Some(note) = &view.note {
        let (by, at) = (&note.by, at_minute(&note.at));
        out += &format!(
            "Note of {by}, {at}: {}\n",
            short(&note.text, NOTE_SHOWN_MAX)
        );
    }
    out
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;
    use crate::view::recorded::{Run, SPRINT, checkout, midway};

    fn standup_of(run: &Run) -> StandupView {
        standup(run.state(), &run.entries, SPRINT, None, run.now).expect("a sprint")
    }

    #[test]
    fn a_standup_says_where_everybody_stands() {
        expect![[r#"
            Daily Standup
            Sprint: sprint-3
            Since: 2026-11-23 09:00 UTC
            Sprint Progress: 2 of 10 tasks, 10 of 40 points, 10 working days left; no projection while something waits for a person
            Completed Since:
            - psp-research: psp research (documentation-research-1, 4 points, event 22)
            - checkout-spec: checkout spec (tech-lead-1, 6 points, event 27)
            Planned Next:
            - docs: is being merged
            - cart-api: api-engineer-1 goes on
            - payment-api: is tried again
            Blockers:
            - cart-ui: Which logo �[31mgoes on top�[0m? The design shows two. (high, for 18m43s, waits for an answer: inbox #1, event 38)
            Dependency Updates:
            - cart-api no longer waits: checkout-spec done (event 27)
            - payment-api no longer waits: psp-research, checkout-spec done (events 22, 27)
            - cart-ui no longer waits: checkout-spec done (event 27)
            - connect is held up by cart-ui
            - docs no longer waits: checkout-spec done (event 27)
            Velocity Trend: 10 points since, nothing to compare with yet
        "#]].assert_eq(&text(&standup_of(&midway())));
        let mut begun = Run::of(checkout(false));
        begun.wait(Span::minutes(1));
        expect![[r#"
            Daily Standup
            Sprint: sprint-3
            Since: 2026-11-23 09:00 UTC
            Sprint Progress: 0 of 10 tasks, 0 of 40 points, 10 working days left; projected completion 2026-11-24 16:00 UTC
            Completed Since:
            - none
            Planned Next:
            - checkout-spec: tech-lead-1 goes on
            - psp-research: documentation-research-1 goes on
            - payment-api: starts when what it waits for is merged
            - cart-api: starts when what it waits for is merged
            - cart-ui: starts when what it waits for is merged
            - docs: starts when what it waits for is merged
            Blockers:
            - none
            Dependency Updates:
            - none
            Velocity Trend: 0 points since, nothing to compare with yet
        "#]].assert_eq(&text(&standup_of(&begun)));
    }

    #[test]
    fn what_was_completed_cites_the_event_that_says_so() {
        let run = midway();
        let view = standup_of(&run);
        assert_eq!(view.completed_yesterday.len(), 2);
        for done in &view.completed_yesterday {
            let entry = run
                .entries
                .iter()
                .find(|entry| entry.seq.0 == done.seq)
                .expect("a record");
            let named = entry.events.iter().any(|event| {
                matches!(event, Event::TaskCompleted(e) if run.state().task_name(e.task_id) == done.task)
            });
            assert!(named, "{done:?}");
        }
    }

    #[test]
    fn the_trend_is_against_as_much_time_before() {
        let mut run = Run::of(checkout(false));
        let lately = |run: &Run, hours| {
            let back = Some(Span::hours(hours));
            standup(run.state(), &run.entries, SPRINT, back, run.now).expect("a sprint")
        };
        let trend = |view: &StandupView| (view.velocity_trend.trend, view.velocity_trend.points);
        assert_eq!(
            trend(&lately(&run, 1)).0,
            "none",
            "the sprint is younger than two hours"
        );
        run.wait(Span::hours(2));
        let view = lately(&run, 1);
        assert_eq!(trend(&view), ("steady", 0));
        assert_eq!(view.completed_yesterday, []);
        assert!(text(&view).contains("Completed Since:\n- none\n"));
        run.done("psp-research", 1);
        let points = run.state().tasks.table[run.task("psp-research").index()]
            .spec
            .points;
        assert_eq!(trend(&lately(&run, 1)), ("up", points));
        run.wait(Span::hours(1) + Span::minutes(1));
        assert_eq!(trend(&lately(&run, 1)), ("down", 0));
    }

    #[test]
    fn programs_get_the_names_of_the_seed() {
        let json = serde_json::to_value(standup_of(&midway())).expect("JSON");
        for key in [
            "sprint_progress",
            "completed_yesterday",
            "planned_today",
            "blockers",
            "dependency_updates",
            "velocity_trend",
        ] {
            assert!(json.get(key).is_some(), "{key}");
        }
    }
}
