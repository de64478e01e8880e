//! The actor tree: the director, what it supervises, and how each is.
//!
//! The shape comes from the supervisors themselves; what an actor is doing comes from the state, by its name.

use director_runtime::supervisor::{ChildState, TreeView};
use schemars::JsonSchema;
use serde::Serialize;

use super::agents::mark;
use super::count;
use super::paint::{Look, Paint, Table, cell, drawn, looks, text_of};
use super::words::some;
use crate::engine::effects::Effect;
use crate::engine::state::State;
use crate::handle::Tree;
use crate::report::text;

/// One actor and what hangs below it.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize)]
#[schemars(rename = "Actor")]
pub struct Node {
    /// Its name among its siblings.
    pub name: String,
    /// `running`, `starting`, `backing off`, `down` and so on.
    pub state: String,
    /// Its incarnation, from 1.
    pub generation: u64,
    /// Starts after the first.
    pub restarts: u64,
    /// Messages that wait; `null` for an actor without a mailbox of ours.
    pub mailbox: Option<usize>,
    /// What it is doing, or why it is down.
    pub doing: String,
    /// The colour of its role's file.
    #[serde(skip)]
    pub color: Option<String>,
    /// Its children, in start order.
    pub below: Vec<Node>,
}

/// The actor tree as text, without colour. See [`render`].
pub fn tree(tree: &Tree, state: &State) -> String {
    render(&node(tree, state), 100, false)
}

/// The actor tree, with the director at its root.
pub fn node(tree: &Tree, state: &State) -> Node {
    let going = state.sprints.table.iter().filter(|s| !s.is_over()).count();
    Node {
        name: "director".to_owned(),
        state: "running".to_owned(),
        generation: state.epoch,
        restarts: state.epoch.saturating_sub(1),
        mailbox: tree.depth.get("director").copied(),
        doing: match going {
            0 => String::new(),
            n => count(n, "sprint"),
        },
        color: None,
        below: tree
            .below
            .iter()
            .map(|child| below(child, tree, state))
            .collect(),
    }
}

fn below(view: &TreeView, tree: &Tree, state: &State) -> Node {
    let name = view.child.id.as_str();
    let exit = view.child.last_exit.as_ref();
    Node {
        name: name.to_owned(),
        state: view.child.state.to_string(),
        generation: view.child.generation.0,
        restarts: view.child.restarts,
        mailbox: tree.depth.get(name).copied(),
        doing: match view.child.state {
            ChildState::Down | ChildState::BackingOff => {
                exit.map_or_else(String::new, |exit| exit.to_string())
            }
            _ => match (doing(name, state), tree.said.get(name)) {
                // What it says is its own words.
                (doing, Some(said)) if !doing.is_empty() => {
                    format!("{doing}, {}", text::line(said))
                }
                (doing, _) => doing,
            },
        },
        color: color(name, state),
        below: view
            .below
            .iter()
            .map(|child| below(child, tree, state))
            .collect(),
    }
}

/// The colour of a role or of an agent.
fn color(name: &str, state: &State) -> Option<String> {
    let role = state.team.by_role.get(name).copied().or_else(|| {
        let agent = state.team.by_name.get(name)?;
        Some(state.team.get(*agent)?.role)
    })?;
    state.team.roles[role.index()].spec.profile.color.clone()
}

/// What the actor of that name is doing.
fn doing(name: &str, state: &State) -> String {
    if let Some(agent) = state
        .team
        .by_name
        .get(name)
        .and_then(|id| state.team.get(*id))
    {
        return match agent.task.and_then(|task| state.tasks.get(task)) {
            Some(task) if task.attempt.0 > 1 => {
                format!("{}, attempt {}", task.spec.id, task.attempt)
            }
            Some(task) => task.spec.id.to_string(),
            None => String::new(),
        };
    }
    if let Some(role) = state.team.by_role.get(name) {
        let role = &state.team.roles[role.index()];
        let waiting = state
            .tasks
            .ready
            .values()
            .flatten()
            .filter(|rank| {
                state.tasks.get(rank.2).is_some_and(|task| {
                    state.team.roles[task.role.index()].spec.name == role.spec.name
                })
            })
            .count();
        return match waiting {
            0 => String::new(),
            n => format!("{} ready", count(n, "task")),
        };
    }
    let work: Vec<String> = state
        .outstanding
        .iter()
        .filter_map(|(_, effect)| match (name, effect) {
            ("gatekeeper", Effect::RunGates { batch, .. }) => Some((batch.first()?, "gates of")),
            ("integrator", Effect::PrepareMerge { batch, .. } | Effect::Advance { batch, .. }) => {
                Some((batch.first()?, "merging"))
            }
            ("integrator", Effect::CommitWork { task, .. }) => Some((task, "committing")),
            ("integrator", Effect::Salvage { task, .. }) => Some((task, "saving")),
            ("integrator", Effect::PrepareWorktree { task, .. }) => Some((task, "worktree for")),
            _ => None,
        })
        .map(|(task, what)| format!("{what} {}", state.task_name(*task)))
        .collect();
    some(&work, 2)
}

/// The tree as text, `width` columns wide.
pub fn render(root: &Node, width: usize, colour: bool) -> String {
    let mut table =
        Table::new(&["actor", "state", "gen", "restarts", "mailbox", "doing"]).right(&[2, 3, 4]);
    rows(root, "", "", &mut table);
    text_of(&table.lines(width, Paint { colour }))
}

fn rows(node: &Node, first: &str, rest: &str, table: &mut Table) {
    let look = match node.state.as_str() {
        "running" => Look::Green,
        "down" => Look::Red,
        _ => Look::Yellow,
    };
    table.row(vec![
        drawn(
            mark(node.color.as_deref()),
            format!("{first}{}", text::line(&node.name)),
        ),
        looks(look, &node.state),
        cell(node.generation.to_string()),
        match node.restarts {
            0 => looks(Look::Dim, "0"),
            n => looks(Look::Yellow, n.to_string()),
        },
        node.mailbox
            .map_or_else(|| cell(""), |depth| cell(depth.to_string())),
        looks(Look::Cyan, &node.doing),
    ]);
    for (place, child) in node.below.iter().enumerate() {
        let (branch, trunk) = match place + 1 == node.below.len() {
            true => ("└─ ", "   "),
            false => ("├─ ", "│  "),
        };
        rows(
            child,
            &format!("{rest}{branch}"),
            &format!("{rest}{trunk}"),
            table,
        );
    }
}

#[cfg(test)]
mod tests {
    use director_runtime::supervisor::{ChildState, ChildView, Exit, Generation};
    use expect_test::expect;

    use super::super::recorded::{framed, midway};
    use super::*;

    fn child(name: &str, state: ChildState, generation: u64, below: Vec<TreeView>) -> TreeView {
        TreeView {
            child: ChildView {
                id: name.into(),
                state,
                generation: Generation(generation),
                restarts: generation - 1,
                last_exit: (generation > 1).then(|| Exit::Panicked("index out of range".into())),
                leaked: 0,
            },
            below,
        }
    }

    #[test]
    fn the_tree_shows_every_actor_with_its_mailbox_and_what_it_does() {
        let run = midway();
        let up = |name: &str| child(name, ChildState::Running, 1, Vec::new());
        let roles = run.state().team.roles.iter().map(|role| {
            let agents = role.active().map(|id| {
                let name = run.state().agent_name(id);
                match name.as_str() {
                    "ux-engineer-1" => child(&name, ChildState::BackingOff, 3, Vec::new()),
                    _ => up(&name),
                }
            });
            let agents = agents.collect();
            child(role.spec.name.as_str(), ChildState::Running, 1, agents)
        });
        let team = child("team", ChildState::Running, 1, roles.collect());
        let view = Tree {
            below: vec![
                up("journal"),
                team,
                up("gatekeeper"),
                up("integrator"),
                up("api"),
            ],
            depth: [
                ("director", 2),
                ("journal", 0),
                ("api-engineer-1", 1),
                ("api-engineer-2", 0),
            ]
            .map(|(name, depth)| (name.to_owned(), depth))
            .into(),
            said: [
                ("api-engineer-1", "40 %, tests\u{1b}[2J"),
                ("tech-lead-1", "9 %"),
            ]
            .map(|(name, said)| (name.to_owned(), said.to_owned()))
            .into(),
        };
        expect![[r#"
            as shown:
              actor                              state        gen  restarts  mailbox  doing
              director                           running        1         0        2  1 sprint
              ├─ journal                         running        1         0        0
              ├─ team                            running        1         0
              │  ├─ tech-lead                    running        1         0
              │  │  └─ tech-lead-1               running        1         0
              │  ├─ documentation-research       running        1         0
              │  │  └─ documentation-research-1  running        1         0
              │  ├─ api-engineer                 running        1         0
              │  │  ├─ api-engineer-1            running        1         0        1  cart-api, 40 %, tests�[2J
              │  │  └─ api-engineer-2            running        1         0        0
              │  ├─ ux-engineer                  running        1         0
              │  │  └─ ux-engineer-1             backing off    3         2           panicked: index out of ra…
              │  ├─ fullstack-engineer           running        1         0
              │  │  └─ fullstack-engineer-1      running        1         0
              │  ├─ documentation-writer         running        1         0
              │  │  └─ documentation-writer-1    running        1         0
              │  └─ tech-lead-reviewer           running        1         0
              │     └─ tech-lead-reviewer-1      running        1         0
              ├─ gatekeeper                      running        1         0           gates of docs
              ├─ integrator                      running        1         0
              └─ api                             running        1         0
        "#]].assert_eq(&framed(&tree(&view, run.state())));
    }

    #[test]
    fn the_colour_of_a_role_marks_it_and_its_agents_where_colour_is_wanted() {
        let leaf = |name: &str, color: Option<&str>| Node {
            name: name.to_owned(),
            state: "running".to_owned(),
            generation: 1,
            restarts: 0,
            mailbox: None,
            doing: String::new(),
            color: color.map(str::to_owned),
            below: Vec::new(),
        };
        let root = leaf("tech-lead", Some("purple"));
        let plain = render(&leaf("tech-lead", None), 80, true);
        assert_ne!(render(&root, 80, true), plain);
        assert!(!render(&root, 80, false).contains('\u{1b}'));
    }
}
