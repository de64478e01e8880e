//! The team: every agent with its state, its use and what it has in hand; and the actors behind it.

use axum::extract::{Request, State};
use axum::response::Response;
use maud::{Markup, html};

use super::board::{state_tag, to};
use super::{At, Visit, t};
use crate::control::facts::{self, TaskFacts};
use crate::control::protocol::{Op, Screen};
use crate::control::server;
use crate::control::work;
use crate::engine::state::State as Seen;
use crate::http::problem::Problem;
use crate::view::{self, AgentsView};

/// Agents whose output is shown, and how much of it.
const OUTPUTS_MAX: usize = 12;
const OUTPUT_LINES: usize = 8;
const OUTPUT_BYTES: u64 = 8 << 10;

pub(super) async fn page(State(site): At, request: Request) -> Response {
    let visit = Visit::of(site, &request);
    let made = make(&visit).await;
    visit.answer(made)
}

async fn make(visit: &Visit) -> Result<(String, Markup, u64), Problem> {
    let now = visit.now();
    let ((view, sprint, at_work), seq) = visit
        .look(move |state, sprint| {
            let name = sprint.and_then(|id| state.sprints.get(id));
            let name = name.map_or_else(String::new, |row| row.spec.id.to_string());
            (view::agents(state, now), name, at_work(state))
        })
        .await?;
    let outputs = outputs(visit, at_work).await;
    let tree = server::serve(&visit.site.handle, Op::Tree, Screen::default()).await?;
    let body = html! {
        h1 { "Team" }
        @if let Some(own) = &view.director { p.lead { (t(&own.role)) " directs" @if let Some(model) = &own.model { ", " (t(model)) } } }
        section.panel #agents data-live="" { (table(&sprint, &view)) }
        section.panel aria-labelledby="prints" {
            h2 #prints { "Output " small { "the last lines of what agents at work print" } }
            div #outputs data-live="" data-grows=[(!outputs.is_empty()).then_some("")] {
                @if outputs.is_empty() { p.muted { "Nobody prints anything now." } }
                @for (facts, lines) in &outputs {
                    h3 { (t(&facts.agent)) " " span.muted.small { "on " a href=(to(&facts.sprint, &facts.task)) { (t(&facts.task)) } } }
                    pre.tail data-tail="" tabindex="0" aria-label=(format!("What {} prints", t(&facts.agent))) { (lines) }
                }
            }
        }
        section.panel aria-labelledby="actors" {
            h2 #actors { "Actors " small { "mailbox, generation, restarts" } }
            pre #tree data-live="" { (tree.text) }
        }
    };
    Ok(("Team".to_owned(), body, seq))
}

/// The tasks that agents have in hand, in the order of the team.
fn at_work(state: &Seen) -> Vec<TaskFacts> {
    let roles = state.team.roles.iter();
    let agents = roles.flat_map(|role| role.active().filter_map(|id| state.team.get(id)));
    let tasks = agents.filter_map(|agent| facts::task(state, agent.task?));
    tasks
        .filter(|task| task.attempt > 0)
        .take(OUTPUTS_MAX)
        .collect()
}

/// The end of what each of them printed, of those that did.
async fn outputs(visit: &Visit, at_work: Vec<TaskFacts>) -> Vec<(TaskFacts, String)> {
    let data_dir = visit.site.setup.data_dir.clone();
    let read = move || {
        let end = |facts: TaskFacts| {
            let log = work::log_of(&data_dir, &facts, facts.attempt)?;
            let (bytes, _) = work::tail(&log, OUTPUT_BYTES).ok()?;
            let text = work::harmless(&bytes);
            let lines: Vec<&str> = text.lines().rev().take(OUTPUT_LINES).collect();
            let lines: Vec<&str> = lines.into_iter().rev().collect();
            (!lines.is_empty()).then(|| (facts, lines.join("\n")))
        };
        at_work.into_iter().filter_map(end).collect()
    };
    // Files that cannot be read are shown as nothing; the task's page says why.
    tokio::task::spawn_blocking(read).await.unwrap_or_default()
}

fn table(sprint: &str, view: &AgentsView) -> Markup {
    html! {
        @if view.agents.is_empty() { p.muted { "There is no team yet; it comes with the first sprint." } }
        @else { div.scroll tabindex="0" role="region" aria-label="Agents" { table {
            thead { tr {
                th scope="col" { "Agent" } th scope="col" { "State" } th scope="col" { "Doing" } th scope="col" { "Used" }
                th.n scope="col" { "Hours left" } th.n scope="col" { "Done" } th.n scope="col" { "Restarts" }
            } }
            tbody { @for agent in &view.agents { tr {
                th scope="row" { (t(&agent.name)) }
                td { (state_tag(agent.state)) }
                td { (doing(sprint, agent)) }
                td { meter.meter min="0" max="100" value=(format!("{:.0}", agent.utilization * 100.0)) aria-label="Used" {} (format!("{:.0} %", agent.utilization * 100.0)) }
                td.n { (format!("{:.0} / {:.0}", agent.available, agent.capacity)) }
                td.n { (agent.completed) }
                td.n { (agent.restarts) }
            } } }
        } } }
    }
}

fn doing(sprint: &str, agent: &view::agents::AgentView) -> Markup {
    html! {
        // It may be at work for another sprint than the one that is shown.
        @for task in &agent.current_tasks { a href=(to(agent.sprint.as_deref().unwrap_or(sprint), task)) { (t(task)) } " " }
        span.muted {
            @let rest = agent.current_tasks.first().and_then(|task| agent.doing.strip_prefix(task.as_str()));
            (t(rest.unwrap_or(&agent.doing).trim_start()))
        }
    }
}

/// Who has something in hand, and how many have not.
pub(super) fn busy(sprint: &str, view: &AgentsView) -> Markup {
    let busy: Vec<_> = view
        .agents
        .iter()
        .filter(|agent| agent.state != "idle")
        .collect();
    let idle = view.agents.len() - busy.len();
    html! {
        @if !busy.is_empty() { table { tbody { @for agent in busy.iter().take(12) { tr {
            th scope="row" { (t(&agent.name)) }
            td { (state_tag(agent.state)) }
            td { (doing(sprint, agent)) }
        } } } } }
        p.small.muted {
            @if busy.len() > 12 { (busy.len() - 12) " more at work, " }
            (idle) " idle"
        }
    }
}
