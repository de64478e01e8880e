//! What is unclear before the start and no rule settles: questions to Product, asked when the sprint is taken in.
//!
//! Elsewhere: finding them is the planner's; what an answer changes is the engine's.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::ids::Name;
use crate::risk::Watched;
use crate::sprint::Estimate;
use crate::time::Span;

/// What a question is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum About {
    /// The sprint's dates.
    Dates,
    /// What is to be done.
    Description,
    /// What has to be true when it is done.
    Acceptance,
    /// How long it takes.
    Estimate,
    /// That it is too large for one task.
    Size,
    /// What sort of work it is.
    Kind,
    /// A specification that is not where the task says.
    Spec,
    /// A design that is not where the task says.
    Design,
}

impl About {
    /// What an answer looks like, for people.
    pub fn example(self) -> &'static str {
        match self {
            About::Dates => "fine",
            About::Description | About::Acceptance => "…",
            About::Estimate | About::Size => "4h, or 2h 4h 9h",
            About::Kind => "bug_fix",
            About::Spec | About::Design => "docs/there.md",
        }
    }
}

/// A question about a sprint, or about one of its tasks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Question {
    /// The task; none for the sprint.
    pub task: Option<Name>,
    /// What it is about.
    pub about: About,
    /// The question, for people.
    pub text: String,
}

/// How a sprint starts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Start {
    /// Nothing begins before every question is answered; otherwise what is clear begins, and a question lapses when its task does.
    pub strict: bool,
    /// How long the plan says that the sprint takes, in working time; none where nobody planned it before it was submitted.
    pub planned: Option<Span>,
    /// What is watched while it runs.
    pub risks: Vec<Watched>,
    /// What the past made of the estimates, in ten-thousandths of what the file says, by kind of task; empty where nothing was corrected.
    pub corrected: BTreeMap<String, u32>,
    /// What is asked, the sprint first, then the tasks in their order.
    pub questions: Vec<Question>,
}

/// An effort as people write it: one point or three, the lowest first, in hours unless another unit is written.
///
/// # Errors
/// What it should look like.
pub fn estimate(text: &str) -> Result<Estimate, String> {
    let words = text.split(|c: char| c.is_whitespace() || matches!(c, ',' | '/'));
    let points: Option<Vec<Span>> = words.filter(|word| !word.is_empty()).map(effort).collect();
    match points.as_deref() {
        Some([one]) => Ok(Estimate::point(*one)),
        Some([optimistic, likely, pessimistic])
            if optimistic <= likely && likely <= pessimistic =>
        {
            Ok(Estimate {
                optimistic: *optimistic,
                likely: *likely,
                pessimistic: *pessimistic,
            })
        }
        _ => Err(format!(
            "`{text}` is no effort; write hours as `4h`, or the best, likely and worst case as `2h 4h 9h`"
        )),
    }
}

/// An effort of more than nothing and less than a year.
fn effort(word: &str) -> Option<Span> {
    let (number, hours) = match word.strip_suffix('m') {
        Some(minutes) => (minutes, 1.0 / 60.0),
        None => (word.strip_suffix('h').unwrap_or(word), 1.0),
    };
    let hours = number.parse::<f64>().ok()? * hours;
    let span = Span::from_hours(hours)?;
    (span > Span::ZERO && span < Span::hours(365 * 24)).then_some(span)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_effort_is_one_point_or_three_and_anything_else_says_what_it_should_be() {
        let hours = |text: &str| {
            let found = estimate(text).ok()?;
            let points = [found.optimistic, found.likely, found.pessimistic];
            Some(points.map(|span| span.0 / 60_000))
        };
        for (text, minutes) in [
            ("4h", Some([240; 3])),
            ("4", Some([240; 3])),
            ("30m", Some([30; 3])),
            ("2h 4h 9h", Some([120, 240, 540])),
            ("2, 4, 9", Some([120, 240, 540])),
            ("9h 4h 2h", None),
            ("2h 4h", None),
            ("0h", None),
            ("-1h", None),
            ("nan", None),
            ("inf", None),
            ("1e9h", None),
            ("soon", None),
            ("", None),
        ] {
            assert_eq!(hours(text), minutes, "case: {text}");
        }
        let why = estimate("soon").expect_err("no effort");
        assert!(why.contains("`soon`") && why.contains("2h 4h 9h"), "{why}");
    }
}
