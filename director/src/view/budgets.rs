//! Budgets as people and programs see them: spent, set aside, left.

use director_protocols::event::Purse;
use director_protocols::ids::{AgentId, SprintId};
use director_protocols::time::Time;
use schemars::JsonSchema;
use serde::Serialize;

use super::{minute, rfc3339};
use crate::engine::money::dollars;
use crate::engine::state::State;

/// A budget of a sprint.
#[derive(Clone, Debug, PartialEq, JsonSchema, Serialize)]
pub struct BudgetStatus {
    /// `sprint`, `window`, `agent` or `task`.
    pub of: &'static str,
    /// The sprint's, the agent's or the task's name; of a window how long it is.
    pub name: String,
    /// The hard limit, in dollars; `null` where there is none.
    pub limit_usd: Option<f64>,
    /// The soft limit.
    pub warn_usd: Option<f64>,
    /// What is spent.
    pub spent_usd: f64,
    /// What is set aside for attempts in hand.
    pub reserved_usd: f64,
    /// What is neither; `null` without a limit.
    pub left_usd: Option<f64>,
    /// The first task that waits for it.
    pub waits: Option<String>,
    /// When enough is free by itself.
    pub until: Option<String>,
    /// The question about it, from 1.
    pub inbox: Option<u32>,
    #[serde(skip)]
    money: (u64, u64, Option<u64>),
    #[serde(skip)]
    at: Option<Time>,
}

impl BudgetStatus {
    /// Where it stands, for people.
    pub fn sentence(&self) -> String {
        let (spent, reserved, hard) = self.money;
        let whose = match self.of {
            "sprint" => "of the sprint".to_owned(),
            "window" => format!("of the sprint for {}", self.name),
            "task" => format!("of task {}", self.name),
            _ => format!("of {}", self.name),
        };
        let of = hard.map_or_else(String::new, |hard| format!(" of {}", dollars(hard)));
        let left = hard.map_or_else(String::new, |hard| {
            let left = hard.saturating_sub(spent + reserved);
            format!(", {} left", dollars(left))
        });
        let waits = match (&self.waits, self.at, self.inbox) {
            (None, ..) => String::new(),
            (Some(task), Some(at), _) => format!("; {task} waits for it until {}", minute(at)),
            (Some(task), None, Some(item)) => {
                format!("; {task} waits for it: director approve {item}, or answer {item} AMOUNT")
            }
            (Some(task), None, None) => {
                format!("; {task} waits for what work in hand may give back")
            }
        };
        format!(
            "{whose}: {}{of} spent, {} set aside{left}{waits}",
            dollars(spent),
            dollars(reserved)
        )
    }
}

/// The budgets of a sprint that limit anything or of which something was spent: its own first, then its agents' and tasks'.
pub fn budgets(state: &State, id: SprintId, now: Time) -> Vec<BudgetStatus> {
    let Some(sprint) = state.sprints.get(id) else {
        return Vec::new();
    };
    let mut purses = vec![
        Purse::Sprint { sprint_id: id },
        Purse::Window { sprint_id: id },
    ];
    if sprint.limited {
        let agents = (0u32..).map(AgentId).zip(&state.team.agents);
        purses.extend(
            agents
                .filter(|(_, agent)| !agent.retired)
                .map(|(agent_id, _)| Purse::Agent {
                    sprint_id: id,
                    agent_id,
                }),
        );
    }
    // Of tasks only those for which money was set aside or spent, or that wait for it.
    let touched = state.budgets.sums.keys().chain(state.budgets.holds.keys());
    let mut tasks: Vec<Purse> = touched
        .filter(|purse| {
            matches!(purse, Purse::Task { task_id } if state.tasks.table[task_id.index()].sprint == id)
        })
        .copied()
        .collect();
    tasks.sort_unstable();
    tasks.dedup();
    purses.extend(tasks);
    let seen = purses.into_iter().map(|purse| seen(state, purse, now));
    seen.filter(|row| {
        row.limit_usd.is_some()
            || row.warn_usd.is_some()
            || row.of == "sprint" && row.spent_usd > 0.0
    })
    .collect()
}

fn seen(state: &State, purse: Purse, now: Time) -> BudgetStatus {
    let limits = state.limits(purse);
    let (spent, reserved) = state.used(purse, now);
    let hold = state.budgets.holds.get(&purse);
    let (of, name) = match purse {
        Purse::Sprint { sprint_id } => ("sprint", super::fields::sprint_name(state, sprint_id)),
        Purse::Window { sprint_id } => {
            let window = state.sprints.table[sprint_id.index()].spec.policy.window;
            let name = window.map_or_else(String::new, |window| window.within.to_string());
            ("window", name)
        }
        Purse::Agent { agent_id, .. } => ("agent", state.agent_name(agent_id)),
        Purse::Task { task_id } => ("task", state.task_name(task_id)),
    };
    let item = hold.and_then(|hold| hold.item);
    let open = item.filter(|item| state.trouble.open_item(*item).is_some());
    let hard = limits.cost_micros;
    let usd = |micros: u64| micros as f64 / 1e6;
    BudgetStatus {
        of,
        name,
        limit_usd: hard.map(usd),
        warn_usd: limits.warn_micros.map(usd),
        spent_usd: usd(spent),
        reserved_usd: usd(reserved),
        left_usd: hard.map(|hard| usd(hard.saturating_sub(spent + reserved))),
        waits: hold.map(|hold| state.task_name(hold.task)),
        until: hold.and_then(|hold| hold.until).map(rfc3339),
        inbox: open.map(|item| item.0 + 1),
        money: (spent, reserved, hard),
        at: hold.and_then(|hold| hold.until),
    }
}
