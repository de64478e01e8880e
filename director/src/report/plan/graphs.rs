//! The plan's graph in the two languages that draw graphs from text. Edges go in the direction of the work.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use director_protocols::sprint::SprintSpec;

use crate::planner::commit::hours;
use crate::planner::{Plan, agent_name};
use crate::report::text;

/// How much of a title a node shows, in characters.
const TITLE_MAX: usize = 40;

/// The graph for Graphviz: the critical path bold and red, the backlog dashed.
pub fn dot(spec: &SprintSpec, plan: &Plan) -> String {
    let mut out = String::new();
    let name = text::dot(spec.id.as_str());
    let _ = writeln!(out, "digraph \"{name}\" {{");
    out.push_str("  rankdir=LR;\n");
    out.push_str("  node [shape=box, style=\"rounded\", fontname=\"Helvetica\", fontsize=11];\n");
    out.push_str("  edge [color=\"#6b7280\"];\n");
    for node in nodes(spec, plan) {
        let lines: Vec<String> = node.lines.iter().map(|line| text::dot(line)).collect();
        let _ = writeln!(
            out,
            "  \"{}\" [label=\"{}\"{}];",
            text::dot(node.id),
            lines.join("\\n"),
            match node.style {
                Style::Critical => ", style=\"rounded,bold\", color=\"#c2410c\", penwidth=2.5",
                Style::Backlog => ", style=\"rounded,dashed\", fontcolor=\"#6b7280\"",
                Style::Plain => "",
            }
        );
    }
    for edge in edges(spec, plan) {
        let style = if edge.on_path {
            " [style=bold, color=\"#c2410c\", penwidth=2.5]"
        } else {
            ""
        };
        let (from, to) = (text::dot(edge.from), text::dot(edge.to));
        let _ = writeln!(out, "  \"{from}\" -> \"{to}\"{style};");
    }
    out.push_str("}\n");
    out
}

/// The graph as a Mermaid flowchart: the critical path thick, the backlog dashed.
pub fn mermaid(spec: &SprintSpec, plan: &Plan) -> String {
    let mut out = String::from("flowchart LR\n");
    // Nodes are named by number: an id such as `end` would be a word of the language.
    for node in nodes(spec, plan) {
        let lines: Vec<String> = node.lines.iter().map(|line| text::mermaid(line)).collect();
        let class = match node.style {
            Style::Critical => ":::critical",
            Style::Backlog => ":::backlog",
            Style::Plain => "",
        };
        let _ = writeln!(out, "  t{}[\"{}\"]{class}", node.task, lines.join("<br/>"));
    }
    for edge in edges(spec, plan) {
        let arrow = if edge.on_path { "==>" } else { "-->" };
        let _ = writeln!(out, "  t{} {arrow} t{}", edge.nodes.0, edge.nodes.1);
    }
    out.push_str("  classDef critical stroke:#c2410c,stroke-width:3px\n");
    out.push_str("  classDef backlog stroke-dasharray:4 3\n");
    out
}

enum Style {
    Plain,
    Critical,
    Backlog,
}

struct Node<'a> {
    task: u32,
    id: &'a str,
    lines: Vec<String>,
    style: Style,
}

fn nodes<'a>(spec: &'a SprintSpec, plan: &'a Plan) -> impl Iterator<Item = Node<'a>> {
    (0..).zip(&spec.tasks).map(|(task, written)| {
        let slot = plan.schedule.slot(task);
        let effort = hours(plan.durations[task as usize]);
        let mut lines = vec![written.id.to_string()];
        if !written.title.trim().is_empty() && written.title != written.id.as_str() {
            lines.push(text::short(&written.title, TITLE_MAX));
        }
        lines.push(match slot {
            Some(slot) => format!("{} · {effort}", agent_name(&written.role, slot.instance)),
            None => format!("backlog · {effort}"),
        });
        Node {
            task,
            id: written.id.as_str(),
            lines,
            style: match slot {
                None => Style::Backlog,
                Some(_) if plan.is_critical(task) => Style::Critical,
                Some(_) => Style::Plain,
            },
        }
    })
}

struct Edge<'a> {
    nodes: (u32, u32),
    from: &'a str,
    to: &'a str,
    on_path: bool,
}

fn edges<'a>(spec: &'a SprintSpec, plan: &'a Plan) -> impl Iterator<Item = Edge<'a>> {
    let path = plan.critical.path.windows(2);
    let path: BTreeSet<(u32, u32)> = path.map(|pair| (pair[0], pair[1])).collect();
    let all = (0..spec.tasks.len() as u32).flat_map(|from| {
        let successors = plan.graph.successors(from).iter();
        successors.map(move |&to| (from, to))
    });
    all.map(move |nodes| Edge {
        nodes,
        from: spec.tasks[nodes.0 as usize].id.as_str(),
        to: spec.tasks[nodes.1 as usize].id.as_str(),
        on_path: path.contains(&nodes),
    })
}
