//! Budgets: of the sprint, of each agent of a role, of a task.
//!
//! Elsewhere: the keys are [`super::super::keys_budget`]; what keeps to them is the engine.

use crate::sprint::{Budget, Policy, Spending, Window};

use super::super::errors::Words;
use super::super::tree::Node;
use super::{Reading, duration};

/// Dollars as millionths.
fn micros(node: Option<&Node<'_>>) -> Option<u64> {
    let dollars = node?.number()?;
    Some((dollars * 1e6).round() as u64)
}

/// What a table says of spending.
pub(super) fn spending(node: &Node<'_>) -> Spending {
    let field = |key| micros(node.field(key));
    Spending {
        cost_micros: field("cost_usd"),
        warn_micros: field("warn_usd"),
        attempt_micros: field("attempt_usd"),
        expected_micros: field("expected_usd"),
    }
}

/// The limits of a task.
pub(super) fn of_task(node: Option<&Node<'_>>, reading: &mut Reading<'_>, key: &str) -> Budget {
    let Some(node) = node else {
        return Budget::default();
    };
    checked(node, reading, key);
    let spending = spending(node);
    Budget {
        time: duration(node.field("time")),
        spending: (spending != Spending::default()).then(|| spending.into()),
    }
}

/// The limits of the sprint as a whole.
pub(super) fn of_sprint(node: Option<&Node<'_>>, policy: &mut Policy, reading: &mut Reading<'_>) {
    let Some(node) = node else { return };
    checked(node, reading, "budget");
    policy.budget = spending(node);
    policy.window = node.field("window").and_then(|window| {
        Some(Window {
            within: duration(window.field("within"))?,
            cost_micros: micros(window.field("cost_usd"))?,
        })
    });
}

/// Reports what could never be reached because of the hard limit.
pub(super) fn checked(node: &Node<'_>, reading: &mut Reading<'_>, at: &str) {
    for key in ["cost_usd", "warn_usd", "attempt_usd", "expected_usd"] {
        let written = node.field(key);
        if let Some(written) = written
            && let Some(number) = written.number()
            && number > 0.0
            && micros(Some(written)) == Some(0)
        {
            reading.problems.add(&written.at, || {
                Words::new(
                    format!("`{key}` ({number}) is less than a millionth of a dollar, so it would be nothing"),
                    format!("{at}.{key}"),
                )
                .help("write 0.000001 at least, or 0 if nothing may be spent")
            });
        }
    }
    let hard = node.field("cost_usd").and_then(Node::number);
    for (key, what) in [
        ("warn_usd", "you would never be told"),
        ("attempt_usd", "it would never be reached"),
        ("expected_usd", "nothing would ever begin"),
    ] {
        let written = node.field(key);
        if let (Some(hard), Some(written)) = (hard, written)
            && let Some(number) = written.number()
            && number > hard
        {
            let message = format!("`{key}` ({number}) is more than `cost_usd` ({hard}): {what}");
            reading.problems.add(&written.at, || {
                Words::new(message, format!("{at}.{key}"))
                    .help(format!("make it at most {hard}, or raise `cost_usd`"))
            });
        }
    }
}
