//! Budgets as a file has them.

use serde::Serialize;

use super::duration;
use crate::sprint::{Budget, Policy, Spending, Window};

/// A table of a budget: of a sprint, a role or a task.
#[derive(Serialize, Default, PartialEq)]
pub(super) struct BudgetOut {
    #[serde(skip_serializing_if = "Option::is_none")]
    time: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cost_usd: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    warn_usd: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    attempt_usd: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expected_usd: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    window: Option<WindowOut>,
}

#[derive(Serialize, PartialEq)]
struct WindowOut {
    cost_usd: f64,
    within: String,
}

impl BudgetOut {
    /// Of each agent of a role; none where nothing limits it.
    pub(super) fn of_role(spending: &Spending) -> Option<Self> {
        Self::of(spending).kept()
    }

    /// Of a task.
    pub(super) fn of_task(budget: &Budget) -> Option<Self> {
        let Budget { time, spending: _ } = budget;
        Self {
            time: time.map(duration),
            ..Self::of(&budget.spending())
        }
        .kept()
    }

    /// Of a sprint.
    pub(super) fn of_sprint(policy: &Policy) -> Option<Self> {
        let window = |window: Window| WindowOut {
            cost_usd: dollars(window.cost_micros),
            within: duration(window.within),
        };
        Self {
            window: policy.window.map(window),
            ..Self::of(&policy.budget)
        }
        .kept()
    }

    fn of(spending: &Spending) -> Self {
        let Spending {
            cost_micros,
            warn_micros,
            attempt_micros,
            expected_micros,
        } = *spending;
        Self {
            cost_usd: cost_micros.map(dollars),
            warn_usd: warn_micros.map(dollars),
            attempt_usd: attempt_micros.map(dollars),
            expected_usd: expected_micros.map(dollars),
            ..Self::default()
        }
    }

    fn kept(self) -> Option<Self> {
        (self != Self::default()).then_some(self)
    }
}

fn dollars(micros: u64) -> f64 {
    micros as f64 / 1e6
}
