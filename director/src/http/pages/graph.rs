//! The graph of a sprint: levels from left to right, what waits for what as lines, the critical path marked.
//!
//! A page of it at a time, in the order of [`crate::view::graph`], so that a sprint of 10,000 tasks costs what is seen. Within a level tasks
//! stand at the mean height of what they wait for (the barycentre of Sugiyama, Tagawa and Toda, *Methods for visual understanding of
//! hierarchical system structures*, 1981), those of the critical path first. Every task is a link with its words, and below stands the same
//! as a list for who cannot see it.

use std::collections::BTreeMap;

use axum::extract::{Request, State};
use axum::response::Response;
use maud::{Markup, html};

use super::board::{state_tag, to};
use super::{At, Visit, escaped, link, t};
use crate::http::problem::Problem;
use crate::report::text::short;
use crate::view::count;
use crate::view::graph::{GraphView, Node, graph};

/// Tasks in a page.
const PAGE: usize = 60;

/// Width and height of a task, and the gaps between, in the picture's units.
const WIDE: f64 = 198.0;
const HIGH: f64 = 46.0;
const BETWEEN: f64 = 56.0;
const BELOW: f64 = 14.0;
/// Room for the names of levels.
const HEAD: f64 = 26.0;
/// Characters that fit into a task.
const CHARS: usize = 21;

pub(super) async fn page(State(site): At, request: Request) -> Response {
    let visit = Visit::of(site, &request);
    let made = make(&visit).await;
    visit.answer(made)
}

async fn make(visit: &Visit) -> Result<(String, Markup, u64), Problem> {
    let skip = visit.number("skip").and_then(|n| usize::try_from(n).ok());
    let skip = skip.unwrap_or(0);
    let found = visit.look(move |state, sprint| {
        sprint.map_or_else(GraphView::default, |id| graph(state, id, skip, PAGE))
    });
    let (view, seq) = found.await?;
    Ok((format!("Graph of {}", view.sprint), body(&view), seq))
}

fn body(view: &GraphView) -> Markup {
    let at = |skip: usize| {
        let skip = match skip {
            0 => String::new(),
            n => n.to_string(),
        };
        link("/graph", &[("sprint", &view.sprint), ("skip", &skip)])
    };
    let (first, last) = (
        view.levels.first().map_or(0, |level| level.level),
        view.levels.last().map_or(0, |level| level.level),
    );
    html! {
        h1 { "Graph of " (t(&view.sprint)) }
        // Live in parts, so that where somebody has scrolled to stays.
        div #graph-about data-live="" {
            @if view.tasks.is_empty() { p.lead { "There is no task to show." } }
            @else { p.lead {
                (count(view.total, "task")) " on " (count(view.depth as usize, "level")) ", "
                span.warn { "★ " (view.critical) " on the critical path" }
                @if view.next.is_some() || view.skip > 0 { "; here are levels " (first) " to " (last) ", from task " (view.skip + 1) }
            } }
        }
        @if !view.tasks.is_empty() {
            div.panel.scroll tabindex="0" role="region" aria-label="The graph, level by level from left to right" {
                div #graph data-live="" { (picture(view)) }
            }
            @if view.next.is_some() || view.skip > 0 {
                nav.filter aria-label="Pages of the graph" {
                    @if view.skip > 0 { a.button href=(at(view.skip.saturating_sub(PAGE))) { "Earlier levels" } }
                    @if let Some(next) = view.next { a.button href=(at(next)) { "Later levels" } }
                }
            }
            section.panel aria-labelledby="as-list" {
                h2 #as-list { "The same as a list" }
                div #graph-list data-live="" { (list(view)) }
            }
        }
    }
}

/// Where a task stands in the picture: its left upper corner.
fn places(view: &GraphView) -> BTreeMap<&str, (f64, f64)> {
    let mut places: BTreeMap<&str, (f64, f64)> = BTreeMap::new();
    for (column, level) in view.levels.iter().enumerate() {
        let x = column as f64 * (WIDE + BETWEEN) + 4.0;
        let mut nodes: Vec<(bool, f64, &Node)> = view
            .tasks
            .iter()
            .filter(|node| node.level == level.level)
            .map(|node| {
                let heights = node
                    .before
                    .iter()
                    .filter_map(|name| places.get(name.as_str()));
                let (n, sum) = heights.fold((0.0, 0.0), |(n, sum), (_, y)| (n + 1.0, sum + y));
                (!node.critical, if n > 0.0 { sum / n } else { 0.0 }, node)
            })
            .collect();
        // Stable: equals stay in the order of the file.
        nodes.sort_by(|a, b| a.0.cmp(&b.0).then(a.1.total_cmp(&b.1)));
        for (row, (_, _, node)) in nodes.into_iter().enumerate() {
            let y = HEAD + row as f64 * (HIGH + BELOW);
            places.insert(&node.id, (x, y));
        }
    }
    places
}

fn picture(view: &GraphView) -> Markup {
    let places = places(view);
    let wide = view.levels.len() as f64 * (WIDE + BETWEEN) - BETWEEN + 8.0;
    let high = places.values().map(|(_, y)| *y).fold(0.0, f64::max) + HIGH + 6.0;
    let critical = |name: &str| {
        view.tasks
            .iter()
            .any(|node| node.id == name && node.critical)
    };
    let mut lines: Vec<(bool, String)> = Vec::new();
    for node in &view.tasks {
        let Some((x, y)) = places.get(node.id.as_str()) else {
            continue;
        };
        for before in &node.before {
            if let Some((from_x, from_y)) = places.get(before.as_str()) {
                let (ax, ay) = (from_x + WIDE, from_y + HIGH / 2.0);
                let (bx, by) = (*x, y + HIGH / 2.0);
                let bend = (bx - ax) / 2.0;
                let path = format!(
                    "M{ax:.0} {ay:.0}C{:.0} {ay:.0} {:.0} {by:.0} {bx:.0} {by:.0}",
                    ax + bend,
                    bx - bend
                );
                lines.push((node.critical && critical(before), path));
            }
        }
    }
    // The critical path lies on top.
    lines.sort_by_key(|(critical, _)| *critical);
    html! {
        svg.graph width=(format!("{wide:.0}")) height=(format!("{high:.0}")) viewBox=(format!("0 0 {wide:.0} {high:.0}")) role="group" aria-label="Tasks by level" {
            g aria-hidden="true" {
                @for (column, level) in view.levels.iter().enumerate() {
                    text.level x=(format!("{:.0}", column as f64 * (WIDE + BETWEEN) + 5.0)) y="14" {
                        "level " (level.level) " · " (level.completed) "/" (level.tasks)
                    }
                }
                @for (critical, path) in &lines { path class=(if *critical { "edge on" } else { "edge" }) d=(path) {} }
            }
            @for node in &view.tasks {
                @if let Some((x, y)) = places.get(node.id.as_str()) { (task(view, node, *x, *y)) }
            }
        }
    }
}

fn task(view: &GraphView, node: &Node, x: f64, y: f64) -> Markup {
    let title = match node.title.is_empty() {
        true => &node.id,
        false => &node.title,
    };
    let class = format!(
        "node s-{}{}",
        node.status,
        if node.critical { " on" } else { "" }
    );
    html! {
        a class=(class) id=(format!("n-{}", escaped(&node.id))) href=(to(&view.sprint, &node.id)) aria-label=(words(node)) {
            title { (t(title)) }
            rect.body x=(format!("{x:.0}")) y=(format!("{y:.0}")) width=(WIDE) height=(HIGH) rx="7" {}
            rect.side x=(format!("{x:.0}")) y=(format!("{:.0}", y + 6.0)) width="4" height=(HIGH - 12.0) rx="2" {}
            text.name x=(format!("{:.0}", x + 12.0)) y=(format!("{:.0}", y + 19.0)) { (short(title, CHARS)) }
            text.sub x=(format!("{:.0}", x + 12.0)) y=(format!("{:.0}", y + 36.0)) { @if node.critical { "★ " } (node.status) " · " (short(&node.id, 14)) }
        }
    }
}

/// A task in words, as a screen reader says it.
fn words(node: &Node) -> String {
    let waits = match node.waits_for {
        0 => "waits for nothing".to_owned(),
        n if n <= 4 => format!("after {}", node.before.join(", ")),
        n => format!("after {}", count(n, "task")),
    };
    let critical = if node.critical {
        ", on the critical path"
    } else {
        ""
    };
    short(
        &format!("{}: {}, {waits}{critical}", node.id, node.status),
        240,
    )
}

fn list(view: &GraphView) -> Markup {
    html! {
        @for level in &view.levels {
            h3 { "Level " (level.level) " " span.muted.small { (level.completed) " of " (level.tasks) " done" } }
            ul.plain {
                @for node in view.tasks.iter().filter(|node| node.level == level.level) {
                    li {
                        a href=(to(&view.sprint, &node.id)) { (t(&node.id)) } " " (state_tag(node.status))
                        @if node.critical { " " span.warn { "★ critical" } }
                        @if !node.before.is_empty() {
                            span.muted.small { " after " (t(&node.before.join(", "))) @if node.waits_for > node.before.len() { " and " (node.waits_for - node.before.len()) " more" } }
                        }
                    }
                }
            }
        }
    }
}
