//! The team: every agent with its state, capacity, use and what it has in hand.
//!
//! Utilization is the share of an agent's time up that it had a task in hand; it stops counting when no sprint is
//! going. `available` is what is left of its capacity, in hours of effort; `load` also counts what waits for its role.

use director_protocols::ids::AgentId;
use director_protocols::sprint::DirectorSpec;
use director_protocols::time::{Span, Time};
use schemars::JsonSchema;
use serde::Serialize;

use super::paint::{Cell, Look, Paint, Table, cell, looks, text_of};
use super::{hours, round, share};
use crate::engine::balance::{self, Load, capacity};
use crate::engine::state::State;
use crate::engine::team::{Agent, Role};
use crate::engine::waits::Asked;
use crate::report::text;
use crate::report::tint::Tint;

/// The team.
#[derive(Clone, Debug, Default, PartialEq, JsonSchema, Serialize)]
pub struct AgentsView {
    /// The director's own role; `None` before the first sprint.
    pub director: Option<DirectorView>,
    /// Every agent that is part of the team, role by role.
    pub agents: Vec<AgentView>,
}

/// The director's own role.
#[derive(Clone, Debug, PartialEq, JsonSchema, Serialize)]
pub struct DirectorView {
    /// Its name.
    pub role: String,
    /// The file that it comes from; `None` for the one that is built in.
    pub file: Option<String>,
    /// What it is for.
    pub description: String,
    /// The colour that marks it.
    pub color: Option<String>,
    /// The model that is asked on its behalf, where one is named.
    pub model: Option<String>,
    /// What it is, as whoever is asked on its behalf is told.
    pub prompt: String,
}

/// One agent.
#[derive(Clone, Debug, PartialEq, JsonSchema, Serialize)]
pub struct AgentView {
    /// `<role>-<n>`.
    pub name: String,
    /// Its role.
    pub role: String,
    /// `busy`, `idle`, `down` (its supervisor brings it back) or `lost` (the role used up its restarts).
    pub state: &'static str,
    /// Hours of effort in a sprint: as written, or as usual for the role.
    pub capacity: f64,
    /// Busy time over time up, 0 to 1.
    pub utilization: f64,
    /// Hours of effort that it can still take on.
    pub available: f64,
    /// Effort in hand, done and its part of what waits for its role, over its capacity; over 1 is more than it can do.
    pub load: f64,
    /// Whether its role has more than it can do, so that what waits moves to others where it can.
    pub overloaded: bool,
    /// What it has in hand.
    pub current_tasks: Vec<String>,
    /// The sprint that this is of.
    pub sprint: Option<String>,
    /// Hours of effort in hand and done.
    pub allocated: f64,
    /// Tasks it completed.
    pub completed: u32,
    /// Its incarnation, from 1; 0 before the first.
    pub generation: u32,
    /// How often it went down.
    pub restarts: u32,
    /// What it is doing, in words.
    pub doing: String,
    /// What its role is for, where the role's file says.
    pub description: String,
    /// The colour that marks it, where the role's file gives one.
    pub color: Option<String>,
}

/// Every agent of the team.
pub fn agents(state: &State, now: Time) -> AgentsView {
    let loads = balance::loads(state);
    let agents = state.team.roles.iter().flat_map(|role| {
        role.active()
            .filter_map(|id| agent(state, role, id, &loads, now))
            .collect::<Vec<_>>()
    });
    let sprint = super::default_sprint(state).and_then(|id| state.sprints.get(id));
    AgentsView {
        director: sprint.map(|sprint| director(&sprint.spec.director)),
        agents: agents.collect(),
    }
}

fn director(spec: &DirectorSpec) -> DirectorView {
    let settings = &spec.profile.settings;
    DirectorView {
        role: spec.name.to_string(),
        file: spec.profile.file.clone(),
        description: spec.profile.description.clone(),
        color: spec.profile.color.clone(),
        model: spec
            .agent
            .model
            .clone()
            .or_else(|| settings.get("model").cloned()),
        prompt: spec.prompt.clone(),
    }
}

fn agent(state: &State, role: &Role, id: AgentId, loads: &[Load], now: Time) -> Option<AgentView> {
    let row = state.team.get(id)?;
    let capacity = capacity(role);
    let (busy, up) = use_of(state, row, now);
    let load = balance::agent_load(state, id, loads);
    Some(AgentView {
        name: row.name.to_string(),
        role: role.spec.name.to_string(),
        state: match (role.lost, row.up, row.task) {
            (true, _, _) => "lost",
            (false, false, _) => "down",
            (false, true, Some(_)) => "busy",
            (false, true, None) => "idle",
        },
        capacity: hours(capacity),
        utilization: share(busy.0.min(up.0), up.0),
        available: hours(capacity - row.allocated),
        load: round(f64::from(load) / 1000.0),
        overloaded: loads.get(row.role.index()).is_some_and(Load::is_over),
        current_tasks: row
            .task
            .into_iter()
            .map(|task| state.task_name(task))
            .collect(),
        sprint: row
            .task
            .and_then(|task| state.tasks.get(task))
            .and_then(|task| state.sprints.get(task.sprint))
            .map(|sprint| sprint.spec.id.to_string()),
        allocated: hours(row.allocated),
        completed: row.completed,
        generation: row.generation.0,
        restarts: row.restarts,
        doing: doing(state, id, row, now),
        description: role.spec.profile.description.clone(),
        color: role.spec.profile.color.clone(),
    })
}

/// Time with a task in hand, and time since it first came up; neither goes on while no sprint is going.
pub(crate) fn use_of(state: &State, row: &Agent, now: Time) -> (Span, Span) {
    let going = state.sprints.table.iter().any(|sprint| !sprint.is_over());
    let last = state.sprints.table.iter().filter_map(|s| s.ended).max();
    let until = match (going, last) {
        (false, Some(ended)) => ended.min(now),
        _ => now,
    };
    let current = row.task.map_or(Span::ZERO, |_| until.since(row.since));
    let up = row.joined.map_or(Span::ZERO, |joined| until.since(joined));
    (row.busy + current, up)
}

fn doing(state: &State, id: AgentId, row: &Agent, now: Time) -> String {
    let Some(task) = row.task else {
        return String::new();
    };
    let name = state.task_name(task);
    let lasted = now.since(row.since);
    if let Some((_, to)) = state.messages.waits.get(&id) {
        let whom = match to {
            Asked::Agent(to) => state.agent_name(*to),
            Asked::Taker(task) => format!("whoever takes {} up", state.task_name(*task)),
        };
        return format!("{name} for {lasted}, waits for {whom}");
    }
    let liveness = state
        .tasks
        .get(task)
        .and_then(|task| task.story.as_deref())
        .map_or("", |story| story.liveness.as_str());
    match liveness {
        "" | "working" => format!("{name} for {lasted}"),
        word => format!("{name} for {lasted}, {word}"),
    }
}

/// The look of an agent's state.
fn look(state: &str) -> Look {
    match state {
        "busy" => Look::Cyan,
        "idle" => Look::Green,
        "down" => Look::Yellow,
        _ => Look::Red,
    }
}

/// The team as a table.
pub fn render(view: &AgentsView, width: usize, colour: bool) -> String {
    let paint = Paint { colour };
    if view.agents.is_empty() {
        return "There is no team yet; it comes with the first sprint.\n".to_owned();
    }
    let mut table = Table::new(&[
        "agent", "state", "used", "load", "left", "done", "restarts", "doing",
    ])
    .right(&[2, 3, 4, 5, 6]);
    for agent in &view.agents {
        table.row(vec![
            marked(&agent.name, agent.color.as_deref()),
            looks(look(agent.state), agent.state),
            cell(format!("{:.0}%", agent.utilization * 100.0)),
            match agent.overloaded {
                true => looks(Look::Red, format!("{:.0}%", agent.load * 100.0)),
                false => cell(format!("{:.0}%", agent.load * 100.0)),
            },
            cell(format!("{:.0}h/{:.0}h", agent.available, agent.capacity)),
            cell(agent.completed.to_string()),
            match agent.restarts {
                0 => cell("0"),
                n => looks(Look::Yellow, n.to_string()),
            },
            cell(&agent.doing),
        ]);
    }
    let mut lines = view.director.as_ref().map_or_else(Vec::new, |own| {
        let name = paint.on(mark(own.color.as_deref()), &text::line(&own.role));
        let file = own.file.as_deref().unwrap_or("built in");
        let model = own
            .model
            .as_deref()
            .map_or_else(String::new, |model| format!(", {model}"));
        let from = text::short(
            &format!("directs ({file}{model})"),
            width.saturating_sub(40).max(20),
        );
        vec![
            format!("  {name} {}", paint.on(Look::Dim, &from)),
            String::new(),
        ]
    });
    lines.extend(table.lines(width, paint));
    text_of(&lines)
}

/// A name in the colour that its role's file gives.
pub(super) fn marked(name: &str, color: Option<&str>) -> Cell {
    looks(mark(color), name)
}

/// The look that the colour of a role's file is.
pub(super) fn mark(color: Option<&str>) -> Look {
    color.and_then(Tint::named).map_or(Look::Plain, Look::Tint)
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::super::recorded::{Run, framed, midway, troubled};
    use super::*;

    #[test]
    fn the_team_is_shown_with_what_it_does_and_what_it_has_left() {
        let show = |run: &Run| render(&agents(run.state(), run.now), 100, false);
        expect![[r#"
            as shown:
              engineering-director directs (built in)

              agent                     state  used  load     left  done  restarts  doing
              tech-lead-1               idle    57%   15%  34h/40h     1         0
              documentation-research-1  idle    25%   16%  21h/25h     1         0
              api-engineer-1            busy    43%   42%  31h/40h     0         0  cart-api for 1m42s
              api-engineer-2            idle     0%   20%  40h/40h     0         0
              ux-engineer-1             idle    19%   15%  40h/40h     0         0
              fullstack-engineer-1      idle     0%   15%  40h/40h     0         0
              documentation-writer-1    idle    15%   17%  26h/30h     0         0
              tech-lead-reviewer-1      idle     0%   20%  20h/20h     0         0
        "#]]
        .assert_eq(&framed(&show(&midway())));
        expect![[r#"
            as shown:
              engineering-director directs (built in)

              agent                     state  used  load     left  done  restarts  doing
              tech-lead-1               idle    24%    0%  40h/40h     1         0
              documentation-research-1  idle    10%    0%  25h/25h     1         0
              api-engineer-1            idle    59%    0%  40h/40h     2         0
              api-engineer-2            idle     0%    0%  40h/40h     0         0
              ux-engineer-1             idle    39%    0%  40h/40h     1         1
              fullstack-engineer-1      idle    15%    0%  40h/40h     0         0
              documentation-writer-1    idle     8%    0%  30h/30h     1         0
              tech-lead-reviewer-1      idle     0%    0%  20h/20h     0         0
        "#]]
        .assert_eq(&framed(&show(&troubled())));
        expect![[r#"
            There is no team yet; it comes with the first sprint.
        "#]]
        .assert_eq(&show(&Run::empty()));
    }

    #[test]
    fn programs_get_every_agent() {
        let run = midway();
        let json = serde_json::to_value(agents(run.state(), run.now)).unwrap();
        expect![[r#"
            {
              "allocated": 9.0,
              "available": 31.0,
              "capacity": 40.0,
              "color": null,
              "completed": 0,
              "current_tasks": [
                "cart-api"
              ],
              "description": "",
              "doing": "cart-api for 1m42s",
              "generation": 1,
              "load": 0.425,
              "name": "api-engineer-1",
              "overloaded": false,
              "restarts": 0,
              "role": "api-engineer",
              "sprint": "sprint-3",
              "state": "busy",
              "utilization": 0.4275
            }"#]]
        .assert_eq(&format!("{:#}", json["agents"][2]));
    }
}
