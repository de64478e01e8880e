//! What `run` shows while it runs: a handful of lines about one sprint, drawn again and again.
//!
//! Elsewhere: drawing them over each other is the command line's.

use director_protocols::ids::SprintId;
use director_protocols::time::{Span, Time};
use schemars::JsonSchema;
use serde::Serialize;

use super::agents::marked;
use super::clashes::{self, ConflictStatus};
use super::forecast::forecast;
use super::paint::{Look, Paint, Table, bar, columns_of, cut, looks};
use super::status::velocity;
use super::words::{mark, task_names};
use super::{as_seconds, as_seconds_or_null, count};
use crate::engine::state::State;
use crate::engine::tasks::Phase;
use crate::report::text;

/// How many agents get a line; the rest is counted.
const AGENTS_SHOWN: usize = 9;

/// The moment, for one sprint.
#[derive(Clone, Debug, Default, PartialEq, JsonSchema, Serialize)]
pub struct LiveView {
    /// The sprint; empty before there is one.
    pub sprint: String,
    /// Its state.
    pub state: String,
    /// Committed tasks.
    pub total: u32,
    /// Completed ones.
    pub completed: u32,
    /// Points: completed and meant to be.
    pub points: (u32, u32),
    /// In an agent's hands.
    pub working: u32,
    /// On their way into the integration branch.
    pub merging: u32,
    /// Could start as soon as somebody is free, or are waiting to be tried again.
    pub ready: u32,
    /// Wait for other tasks.
    pub waiting: u32,
    /// Wait for an answer.
    pub blocked: u32,
    /// Given up, quarantined or cancelled.
    pub lost: u32,
    /// Since work began.
    #[serde(rename = "elapsed_seconds", serialize_with = "as_seconds")]
    #[schemars(with = "f64")]
    pub elapsed: Span,
    /// How much longer, at the pace so far; `null` while something stands in the way.
    #[serde(rename = "left_seconds", serialize_with = "as_seconds_or_null")]
    #[schemars(with = "Option<f64>")]
    pub left: Option<Span>,
    /// Who works on what.
    pub agents: Vec<Busy>,
    /// Agents that are up and idle.
    pub idle: usize,
    /// Agents that are down.
    pub down: usize,
    /// The longest chain of tasks that are not completed, from the one in front.
    pub chain: Vec<String>,
    /// The status of the task in front.
    pub front: String,
    /// Tasks in the merge under way, and behind it.
    pub merge: (Vec<String>, usize),
    /// Work under way that would conflict, a sentence each.
    pub conflicts: Vec<String>,
    /// Things that wait for a person.
    pub inbox: usize,
}

/// An agent with a task in hand.
#[derive(Clone, Debug, PartialEq, JsonSchema, Serialize)]
pub struct Busy {
    /// The agent.
    pub agent: String,
    /// The task.
    pub task: String,
    /// Which attempt.
    pub attempt: u32,
    /// For how long.
    #[serde(rename = "elapsed_seconds", serialize_with = "as_seconds")]
    #[schemars(with = "f64")]
    pub elapsed: Span,
    /// `starting`, `working`, `silent`, `waiting`, `wedged` or `stopping`.
    pub liveness: String,
    /// The colour that marks it, where the role's file gives one.
    pub color: Option<String>,
}

/// The moment, for the newest sprint that has not ended (or the newest).
pub fn live(state: &State, now: Time) -> LiveView {
    super::default_sprint(state).map_or_else(LiveView::default, |id| live_of(state, id, now))
}

/// The moment, for one sprint.
pub fn live_of(state: &State, id: SprintId, now: Time) -> LiveView {
    let Some(row) = state.sprints.get(id) else {
        return LiveView::default();
    };
    let tally = state.tasks.tally(id);
    let metrics = velocity(state, id, now);
    let forecast = forecast(state, row, now);
    let mut view = LiveView {
        sprint: row.spec.id.to_string(),
        state: row.state().to_owned(),
        total: tally.committed,
        completed: tally.completed,
        points: (metrics.completed_points, metrics.target_points),
        elapsed: row
            .began
            .map_or(Span::ZERO, |began| row.ended.unwrap_or(now).since(began)),
        left: forecast.left.filter(|_| row.is_running()),
        front: forecast
            .chain
            .first()
            .and_then(|id| state.tasks.get(*id))
            .map_or_else(String::new, |task| task.phase.as_str().to_owned()),
        chain: task_names(state, &forecast.chain),
        merge: (
            row.merge
                .as_ref()
                .map_or_else(Vec::new, |merge| task_names(state, &merge.batch)),
            row.queue.len(),
        ),
        conflicts: clashes::conflicts(state, id, now)
            .iter()
            .map(ConflictStatus::brief)
            .collect(),
        inbox: state
            .trouble
            .waiting()
            .filter(|(_, item)| item.sprint == id)
            .count(),
        ..LiveView::default()
    };
    for task in row.tasks().filter_map(|id| state.tasks.get(id)) {
        let place = match task.phase {
            Phase::Assigned | Phase::Working => &mut view.working,
            Phase::Reported | Phase::Reviewing | Phase::Queued | Phase::Merging => {
                &mut view.merging
            }
            Phase::Ready | Phase::Backoff(_) => &mut view.ready,
            Phase::Waiting => &mut view.waiting,
            Phase::Blocked => &mut view.blocked,
            Phase::Failed | Phase::Quarantined | Phase::Cancelled => &mut view.lost,
            Phase::Completed | Phase::Deferred => continue,
        };
        *place += 1;
    }
    for role in &state.team.roles {
        for agent in role.active().filter_map(|id| state.team.get(id)) {
            let in_hand = agent.task.and_then(|id| state.tasks.get(id));
            match in_hand.filter(|task| task.sprint == id) {
                Some(task) => view.agents.push(Busy {
                    agent: agent.name.to_string(),
                    task: task.spec.id.to_string(),
                    attempt: task.attempt.0,
                    elapsed: now.since(agent.since),
                    liveness: match (task.phase, task.story.as_deref()) {
                        (Phase::Assigned, _) => "starting".to_owned(),
                        (Phase::Working, Some(story)) if !story.liveness.is_empty() => {
                            story.liveness.clone()
                        }
                        (Phase::Working, _) => "working".to_owned(),
                        _ => "stopping".to_owned(),
                    },
                    color: role.spec.profile.color.clone(),
                }),
                None if !agent.up || role.lost => view.down += 1,
                None => view.idle += 1,
            }
        }
    }
    view
}

/// The moment in at most 16 lines of at most `width` columns.
pub fn render_live(view: &LiveView, width: usize, colour: bool) -> Vec<String> {
    let paint = Paint { colour };
    if view.sprint.is_empty() {
        return vec!["waiting for a sprint".to_owned()];
    }
    let mut lines = vec![headline(view, width, paint), counts(view, width, paint)];
    let mut table = Table::new(&["", "", "", "", ""]).right(&[3]);
    for agent in view.agents.iter().take(AGENTS_SHOWN) {
        let (look, word) = match agent.liveness.as_str() {
            "working" => (Look::Green, "working"),
            "starting" => (Look::Blue, "starting"),
            "wedged" => (Look::Red, "wedged"),
            word => (Look::Yellow, word),
        };
        table.row(vec![
            looks(look, "▶"),
            marked(&agent.agent, agent.color.as_deref()),
            looks(Look::Bold, &agent.task),
            looks(Look::Dim, agent.elapsed.to_string()),
            looks(
                look,
                match agent.attempt {
                    0 | 1 => word.to_owned(),
                    n => format!("{word}, attempt {n}"),
                },
            ),
        ]);
    }
    lines.extend(table.lines(width, paint));
    if view.agents.len() > AGENTS_SHOWN {
        let more = format!("  … and {} more at work", view.agents.len() - AGENTS_SHOWN);
        lines.push(paint.on(Look::Dim, &more));
    }
    lines.extend(critical(view, width, paint));
    lines.extend(merges(view, width, paint));
    if let Some(first) = view.conflicts.first() {
        let more = match view.conflicts.len() - 1 {
            0 => String::new(),
            n => format!(", and {n} more"),
        };
        let ways = ": director status";
        let room = width.saturating_sub(2 + more.len() + ways.len());
        let text = format!("! {}{more}{ways}", cut(first, room));
        lines.push(paint.on(Look::Yellow, &text));
    }
    if view.inbox > 0 {
        let text = match view.inbox {
            1 => "1 question waits for you".to_owned(),
            n => format!("{} wait for you", count(n, "question")),
        };
        lines.push(paint.on(Look::Yellow, &format!("! {text}: director inbox")));
    }
    lines
}

fn headline(view: &LiveView, width: usize, paint: Paint) -> String {
    let done = f64::from(view.completed) / f64::from(view.total.max(1));
    let mut after = format!("{}/{}", view.completed, count(view.total as usize, "task"));
    if view.points.1 > 0 {
        after.push_str(&format!(
            " · {}/{}",
            view.points.0,
            count(view.points.1 as usize, "point")
        ));
    }
    after.push_str(&format!(" · {}", view.elapsed));
    if let Some(left) = view.left.filter(|left| *left > Span::ZERO) {
        after.push_str(&format!(" · about {left} left"));
    }
    let state = match view.state.as_str() {
        "running" => String::new(),
        state => format!("{state} "),
    };
    // Name, state and numbers come first; the bar takes what is left, between 8 and 30 columns.
    let name = text::short(&view.sprint, width / 3);
    let used = columns_of(&name) + columns_of(&state) + columns_of(&after) + 3;
    let room = width.saturating_sub(used).clamp(8, 30);
    let look = match view.state.as_str() {
        "done" => Look::Green,
        _ => Look::Yellow,
    };
    format!(
        "{} {}{} {}",
        paint.on(Look::Bold, &name),
        paint.on(look, &state),
        bar(done, room, paint),
        cut(
            &after,
            width.saturating_sub(used - columns_of(&after) + room)
        )
    )
}

fn counts(view: &LiveView, width: usize, paint: Paint) -> String {
    let parts = [
        (view.working, Phase::Working, "working"),
        (view.merging, Phase::Merging, "merging"),
        (view.ready, Phase::Ready, "ready"),
        (view.waiting, Phase::Waiting, "waiting"),
        (view.blocked, Phase::Blocked, "blocked"),
        (view.lost, Phase::Failed, "given up"),
    ];
    let mut line = String::from(" ");
    let mut used = 1;
    for (n, phase, word) in parts.into_iter().filter(|(n, _, _)| *n > 0) {
        let (mark, look) = mark(phase);
        let part = format!("{mark} {n} {word}");
        used += columns_of(&part) + 2;
        if used > width {
            break;
        }
        line.push(' ');
        line.push_str(&paint.on(look, &part));
        line.push(' ');
    }
    let idle = match (view.idle, view.down) {
        (0, 0) => String::new(),
        (idle, 0) => format!("{} idle", count(idle, "agent")),
        (0, down) => format!("{} down", count(down, "agent")),
        (idle, down) => format!("{} idle, {down} down", count(idle, "agent")),
    };
    if used + columns_of(&idle) + 2 < width && !idle.is_empty() {
        line.push_str(&paint.on(Look::Dim, &format!(" · {idle}")));
    }
    line.truncate(line.trim_end().len());
    line
}

/// The chain that decides the end, with the task in front and where it is.
fn critical(view: &LiveView, width: usize, paint: Paint) -> Option<String> {
    let front = view.chain.first()?;
    if matches!(view.state.as_str(), "done" | "cancelled" | "incomplete") {
        return None;
    }
    let rest: String = view.chain[1..]
        .iter()
        .map(|name| format!(" → {name}"))
        .collect();
    let lead = format!("critical  {front} ({})", view.front);
    let room = width.saturating_sub(columns_of(&lead));
    Some(format!(
        "{}{}",
        lead.replacen("critical", &paint.on(Look::Dim, "critical"), 1),
        match rest.is_empty() {
            true => String::new(),
            false => paint.on(Look::Dim, &cut(&rest, room)),
        }
    ))
}

fn merges(view: &LiveView, width: usize, paint: Paint) -> Option<String> {
    let (batch, behind) = &view.merge;
    if batch.is_empty() && *behind == 0 {
        return None;
    }
    let mut text = batch.join(", ");
    if *behind > 0 {
        text.push_str(&format!(" · {behind} in the queue"));
    }
    Some(format!(
        "{}   {}",
        paint.on(Look::Dim, "merging"),
        cut(&text, width.saturating_sub(10))
    ))
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::super::paint::text_of;
    use super::super::recorded::{Run, midway, troubled};
    use super::*;

    fn show(run: &Run, width: usize) -> String {
        let view = live(run.state(), run.now + Span::seconds(95));
        let lines = render_live(&view, width, false);
        for line in &lines {
            assert!(columns_of(line) <= width, "{width}: {line}");
        }
        assert!(lines.len() <= 16, "{lines:?}");
        text_of(&lines)
    }

    #[test]
    fn the_moment_fits_the_terminal() {
        let mut run = midway();
        run.liveness("cart-api", "silent");
        expect![[r#"
            sprint-3 ██████░░░░░░░░░░░░░░░░░░░░░░░░ 2/10 tasks · 10/40 points · 1h20m
              ▶ 1 working  ◆ 1 merging  ○ 1 ready  · 4 waiting  ! 1 blocked  · 7 agents idle
              ▶  api-engineer-1  cart-api  3m17s  silent
            critical  payment-api (backoff) → connect → api-review → release-notes
            merging   docs
            ! 1 question waits for you: director inbox
        "#]]
        .assert_eq(&show(&run, 80));
        expect![[r#"
            sprint-3 ██████░░░░░░░░░░░░░░░░░░░░░░░░ 2/10 tasks · 10/40 points · 1h20m
              ▶ 1 working  ◆ 1 merging  ○ 1 ready  · 4 waiting  ! 1 blocked  · 7 agents idle
              ▶  api-engineer-1  cart-api  3m17s  silent
            critical  payment-api (backoff) → connect → api-review → release-notes
            merging   docs
            ! 1 question waits for you: director inbox
        "#]]
        .assert_eq(&show(&run, 120));
        for width in 60..200 {
            show(&run, width);
        }
    }

    #[test]
    fn what_would_conflict_has_one_line_however_much_it_is() {
        let mut view = live(midway().state(), Time(0));
        let line = |view: &LiveView, width| {
            let lines = render_live(view, width, false);
            let found = lines.into_iter().find(|line| line.contains("conflict"));
            found.unwrap_or_default()
        };
        view.conflicts = vec!["cart and pay would conflict in `src/lib.rs`".to_owned()];
        let one = "! cart and pay would conflict in `src/lib.rs`: director status";
        assert_eq!(line(&view, 80), one);
        view.conflicts.extend(vec!["others".to_owned(); 2]);
        let cut = "! cart and pay would conflict…, and 2 more: director status";
        assert_eq!(line(&view, 60), cut);
    }

    #[test]
    fn the_end_and_the_beginning_are_moments_too() {
        expect![[r#"
            sprint-3 incomplete ███████████████░░░░░░░░░░ 6/10 tasks · 40/40 points · 3h11m
              · 3 waiting  ✗ 1 given up  · 8 agents idle
        "#]]
        .assert_eq(&show(&troubled(), 80));
        expect![[r#"
            waiting for a sprint
        "#]]
        .assert_eq(&show(&Run::empty(), 80));
    }
}
