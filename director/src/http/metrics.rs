//! Metrics, as Prometheus reads them: every name, its unit and its meaning in one list.
//!
//! What is true of sprints and the team is read from the state when it is asked for; what is counted of HTTP is counted here.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use director_protocols::ids::SprintId;
use director_protocols::time::Time;

use super::site::Site;
use crate::control::server::refused;
use crate::engine::Engine;
use crate::engine::state::State;
use crate::handle::Tree;
use crate::view;
use crate::view::board::Column;

/// What sort of number it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sort {
    Gauge,
    Counter,
}

/// Every metric: name, sort, labels, meaning.
const METRICS: &[(&str, Sort, &str, &str)] = &[
    (
        "director_info",
        Sort::Gauge,
        "version",
        "Always 1; the version that runs.",
    ),
    (
        "director_ready",
        Sort::Gauge,
        "",
        "1 while work is taken, 0 once it is stopping.",
    ),
    (
        "director_starts_total",
        Sort::Counter,
        "",
        "Directors that have held this journal.",
    ),
    (
        "director_journal_position",
        Sort::Gauge,
        "",
        "Decisions in the journal.",
    ),
    (
        "director_sprints",
        Sort::Gauge,
        "state",
        "Sprints by state.",
    ),
    (
        "director_tasks",
        Sort::Gauge,
        "sprint, column",
        "Tasks of sprints that are not over, by column of the board.",
    ),
    (
        "director_points_completed",
        Sort::Gauge,
        "sprint",
        "Points of completed tasks, of sprints that are not over.",
    ),
    (
        "director_points_target",
        Sort::Gauge,
        "sprint",
        "Points meant to be completed, of sprints that are not over.",
    ),
    (
        "director_budget_spent_usd",
        Sort::Gauge,
        "sprint, of, name",
        "Dollars spent of a budget, of sprints that are not over; of a role all its agents together, of tasks all of them.",
    ),
    (
        "director_budget_set_aside_usd",
        Sort::Gauge,
        "sprint, of, name",
        "Dollars set aside in it for attempts in hand.",
    ),
    (
        "director_budget_limit_usd",
        Sort::Gauge,
        "sprint, of, name",
        "Its hard limit in dollars, where there is one.",
    ),
    (
        "director_budget_left_usd",
        Sort::Gauge,
        "sprint, of, name",
        "Dollars of it that are neither spent nor set aside, where it is limited.",
    ),
    (
        "director_budgets_waited_for",
        Sort::Gauge,
        "sprint, of",
        "Budgets that work waits for.",
    ),
    (
        "director_blockers_open",
        Sort::Gauge,
        "severity",
        "What holds tasks up now.",
    ),
    (
        "director_conflicts",
        Sort::Gauge,
        "sprint",
        "Conflicts between work under way, or with what was merged since it began, that are seen now.",
    ),
    (
        "director_inbox_items",
        Sort::Gauge,
        "kind",
        "What waits for a person.",
    ),
    (
        "director_agents",
        Sort::Gauge,
        "role, state",
        "Agents by role and state.",
    ),
    (
        "director_agent_restarts_total",
        Sort::Counter,
        "role",
        "How often agents of a role went down.",
    ),
    (
        "director_agent_tasks_completed_total",
        Sort::Counter,
        "role",
        "Tasks that agents of a role completed.",
    ),
    (
        "director_mailbox_messages",
        Sort::Gauge,
        "actor",
        "Messages and orders that wait, by actor, where there are any.",
    ),
    (
        "director_http_requests_total",
        Sort::Counter,
        "part, status",
        "Requests by part of the site and class of status.",
    ),
    (
        "director_http_request_seconds_total",
        Sort::Counter,
        "part",
        "Seconds until answers began, by part of the site.",
    ),
    (
        "director_http_answers_total",
        Sort::Counter,
        "how",
        "Answers to questions that are kept for a moment: made, or given again.",
    ),
    (
        "director_http_connections",
        Sort::Gauge,
        "",
        "Connections that are open.",
    ),
    (
        "director_http_event_streams",
        Sort::Gauge,
        "",
        "Event streams that are open.",
    ),
];

/// The parts of the site that requests are counted by.
const PARTS: [&str; 6] = ["api", "events", "metrics", "health", "assets", "pages"];

fn part_of(path: &str) -> usize {
    match path {
        "/api/v1/events" => 1,
        "/metrics" => 2,
        "/healthz" | "/readyz" => 3,
        _ if path.starts_with("/api/") => 0,
        _ if path.starts_with("/assets/") => 4,
        _ => 5,
    }
}

/// What is counted of HTTP.
#[derive(Debug, Default)]
pub struct Figures {
    /// By part and first digit of the status.
    answers: [[AtomicU64; 6]; PARTS.len()],
    micros: [AtomicU64; PARTS.len()],
    made: AtomicU64,
    given_again: AtomicU64,
    connections: Arc<AtomicI64>,
    streams: Arc<AtomicI64>,
}

/// Something that is open as long as this is held.
#[derive(Debug)]
pub struct Counted(Arc<AtomicI64>);

impl Counted {
    fn of(gauge: &Arc<AtomicI64>) -> Self {
        gauge.fetch_add(1, Ordering::Relaxed);
        Self(Arc::clone(gauge))
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Figures {
    /// One more answer.
    pub fn answered(&self, path: &str, status: u16, took: Duration) {
        let part = part_of(path);
        let class = usize::from(status / 100).min(5);
        self.answers[part][class].fetch_add(1, Ordering::Relaxed);
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        self.micros[part].fetch_add(micros, Ordering::Relaxed);
    }

    /// One more answer of those that are kept.
    pub fn kept(&self, made: bool) {
        let which = match made {
            true => &self.made,
            false => &self.given_again,
        };
        which.fetch_add(1, Ordering::Relaxed);
    }

    /// How many streams are open.
    pub fn streams(&self) -> u64 {
        u64::try_from(self.streams.load(Ordering::Relaxed)).unwrap_or(0)
    }

    /// One more connection.
    pub fn connection(&self) -> Counted {
        Counted::of(&self.connections)
    }

    /// One more stream.
    pub fn stream(&self) -> Counted {
        Counted::of(&self.streams)
    }
}

type Series = BTreeMap<(&'static str, String), f64>;

/// The text that Prometheus reads.
///
/// # Errors
/// That the director is gone.
pub async fn text(site: &Site) -> Result<String, super::problem::Problem> {
    let tree = site.handle.tree().await.map_err(refused)?;
    let now = site.handle.now();
    let seen = site
        .handle
        .read(move |engine: &Engine| of_state(engine, &tree, now))
        .await;
    let mut series = seen.map_err(refused)?;
    let ready = f64::from(u8::from(!site.setup.is_stopping()));
    series.insert(("director_ready", String::new()), ready);
    let version = labels(&[("version", env!("CARGO_PKG_VERSION"))]);
    series.insert(("director_info", version), 1.0);
    let figures = &site.figures;
    for (part, name) in PARTS.iter().enumerate() {
        for class in 1..6 {
            let count = figures.answers[part][class].load(Ordering::Relaxed);
            if count > 0 {
                let of = labels(&[("part", name), ("status", &format!("{class}xx"))]);
                series.insert(("director_http_requests_total", of), count as f64);
            }
        }
        let seconds = figures.micros[part].load(Ordering::Relaxed) as f64 / 1e6;
        let of = labels(&[("part", name)]);
        series.insert(("director_http_request_seconds_total", of), seconds);
    }
    for (how, counter) in [("made", &figures.made), ("again", &figures.given_again)] {
        let count = counter.load(Ordering::Relaxed) as f64;
        series.insert(
            ("director_http_answers_total", labels(&[("how", how)])),
            count,
        );
    }
    for (name, gauge) in [
        ("director_http_connections", &figures.connections),
        ("director_http_event_streams", &figures.streams),
    ] {
        series.insert((name, String::new()), gauge.load(Ordering::Relaxed) as f64);
    }
    Ok(written(&series))
}

fn of_state(engine: &Engine, tree: &Tree, now: Time) -> Series {
    let state = engine.state();
    let mut series = Series::new();
    let mut add = |name, of: &[(&str, &str)], number: f64| {
        *series.entry((name, labels(of))).or_insert(0.0) += number;
    };
    add("director_starts_total", &[], state.epoch as f64);
    add("director_journal_position", &[], engine.seq().0 as f64);
    let board = view::board::sprints(state, now);
    for line in &board.sprints {
        add("director_sprints", &[("state", &line.state)], 1.0);
        if line.over {
            continue;
        }
        let sprint = ("sprint", line.sprint.as_str());
        add(
            "director_points_completed",
            &[sprint],
            line.completed_points.into(),
        );
        add(
            "director_points_target",
            &[sprint],
            line.target_points.into(),
        );
        let id = state.sprints.by_name.get(line.sprint.as_str());
        let row = id.and_then(|id| state.sprints.get(*id));
        for (name, of, number) in id.into_iter().flat_map(|id| money(state, *id, now)) {
            let of: Vec<_> = of.iter().map(|(name, of)| (*name, of.as_str())).collect();
            add(name, &[&[sprint], of.as_slice()].concat(), number);
        }
        let tasks = row.into_iter().flat_map(|row| row.tasks());
        for task in tasks.filter_map(|id| state.tasks.get(id)) {
            if !task.is_help() {
                let column = ("column", Column::of(task.phase).as_str());
                add("director_tasks", &[sprint, column], 1.0);
            }
        }
    }
    for blocker in state
        .trouble
        .blockers
        .iter()
        .filter(|b| b.resolved.is_none())
    {
        let severity = blocker.severity.as_str();
        add("director_blockers_open", &[("severity", severity)], 1.0);
    }
    for (task, _) in state.clashes.keys() {
        let sprint = state
            .tasks
            .get(*task)
            .and_then(|row| state.sprints.get(row.sprint));
        if let Some(sprint) = sprint {
            add(
                "director_conflicts",
                &[("sprint", sprint.spec.id.as_str())],
                1.0,
            );
        }
    }
    for (_, item) in state.trouble.waiting() {
        add("director_inbox_items", &[("kind", item.kind.as_str())], 1.0);
    }
    for agent in &view::agents(state, now).agents {
        let role = ("role", agent.role.as_str());
        add("director_agents", &[role, ("state", agent.state)], 1.0);
        add(
            "director_agent_restarts_total",
            &[role],
            agent.restarts.into(),
        );
        add(
            "director_agent_tasks_completed_total",
            &[role],
            agent.completed.into(),
        );
    }
    for (actor, depth) in tree.depth.iter().filter(|(_, depth)| **depth > 0) {
        add(
            "director_mailbox_messages",
            &[("actor", actor)],
            *depth as f64,
        );
    }
    series
}

/// A metric, its labels and a number that is to be added.
type Figure = (&'static str, Vec<(&'static str, String)>, f64);

/// The money of a sprint. Agents are taken together by role and tasks altogether, so that there are not more series than a file has roles.
fn money(state: &State, sprint: SprintId, now: Time) -> Vec<Figure> {
    let mut figures = Vec::new();
    for row in view::budgets::budgets(state, sprint, now) {
        let (kind, name) = match row.of {
            "agent" => {
                let agents = state.team.agents.iter();
                let agent = agents.into_iter().find(|it| it.name.as_str() == row.name);
                let role = agent.map(|agent| &state.team.roles[agent.role.index()].spec.name);
                (
                    "role",
                    role.map_or_else(String::new, |name| name.to_string()),
                )
            }
            "task" => ("task", String::new()),
            kind => (kind, row.name.clone()),
        };
        let kind = ("of", kind.to_owned());
        let of = vec![kind.clone(), ("name", name)];
        for (name, number) in [
            ("director_budget_spent_usd", Some(row.spent_usd)),
            ("director_budget_set_aside_usd", Some(row.reserved_usd)),
            ("director_budget_limit_usd", row.limit_usd),
            ("director_budget_left_usd", row.left_usd),
        ] {
            figures.extend(number.map(|number| (name, of.clone(), number)));
        }
        let waits = f64::from(u8::from(row.waits.is_some()));
        figures.push(("director_budgets_waited_for", vec![kind], waits));
    }
    figures
}

fn labels(pairs: &[(&str, &str)]) -> String {
    let escaped = |text: &str| {
        text.replace('\\', "\\\\")
            .replace('"', "\\\"")
            .replace('\n', "\\n")
    };
    let all: Vec<_> = pairs
        .iter()
        .map(|(name, value)| format!("{name}=\"{}\"", escaped(value)))
        .collect();
    match all.is_empty() {
        true => String::new(),
        false => format!("{{{}}}", all.join(",")),
    }
}

fn written(series: &Series) -> String {
    let mut out = String::new();
    for (name, sort, _, about) in METRICS {
        let sort = match sort {
            Sort::Gauge => "gauge",
            Sort::Counter => "counter",
        };
        // Writing to a String cannot fail.
        let _ = write!(out, "# HELP {name} {about}\n# TYPE {name} {sort}\n");
        for ((_, of), number) in series.iter().filter(|((known, _), _)| known == name) {
            let _ = writeln!(out, "{name}{of} {number}");
        }
    }
    out
}

/// The list of metrics as Markdown, for the documentation.
pub fn page() -> String {
    let mut out = String::from("| metric | sort | labels | meaning |\n| --- | --- | --- | --- |\n");
    for (name, sort, labels, about) in METRICS {
        let sort = match sort {
            Sort::Gauge => "gauge",
            Sort::Counter => "counter",
        };
        let _ = writeln!(out, "| `{name}` | {sort} | {labels} | {about} |");
    }
    out
}

#[cfg(test)]
mod tests {
    use director_protocols::command::Command;
    use director_protocols::event::Purse;

    use super::*;
    use crate::view::recorded::{SPRINT, midway};

    #[test]
    fn every_number_has_its_name_in_the_list_and_its_labels_as_the_list_says() {
        let mut run = midway();
        let agent_id = run.agent("fullstack-engineer-1");
        let sprint_id = SPRINT;
        for (purse, limit_micros) in [
            (Purse::Sprint { sprint_id }, 50_000_000),
            (
                Purse::Agent {
                    sprint_id,
                    agent_id,
                },
                7_500_000,
            ),
        ] {
            run.say(Command::SetBudget {
                purse,
                limit_micros,
                by: "ada".to_owned(),
            });
        }
        let series = of_state(&run.engine, &Tree::default(), run.now);
        assert!(series.len() > 10);
        for (name, of) in series.keys() {
            let row = METRICS.iter().find(|(known, ..)| known == name);
            let wanted = row.unwrap_or_else(|| panic!("{name} is not listed")).2;
            let names: Vec<_> = of
                .trim_matches(['{', '}'])
                .split("\",")
                .filter_map(|pair| pair.split_once('=').map(|(name, _)| name))
                .collect();
            assert_eq!(names.join(", "), wanted, "{name}");
        }
        let text = written(&series);
        assert!(
            text.contains("director_tasks{sprint=\"sprint-3\",column=\"stuck\"} 1\n"),
            "{text}"
        );
        for line in [
            "director_budget_limit_usd{sprint=\"sprint-3\",of=\"sprint\",name=\"sprint-3\"} 50\n",
            "director_budget_left_usd{sprint=\"sprint-3\",of=\"role\",name=\"fullstack-engineer\"} 7.5\n",
            "director_budgets_waited_for{sprint=\"sprint-3\",of=\"sprint\"} 0\n",
        ] {
            assert!(text.contains(line), "{line}{text}");
        }
    }

    #[test]
    fn what_people_wrote_stays_inside_its_quotes() {
        assert_eq!(labels(&[("a", "x\"} 1\n\\")]), "{a=\"x\\\"} 1\\n\\\\\"}");
    }
}
