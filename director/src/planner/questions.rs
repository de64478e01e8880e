//! What is unclear before the start: things that somebody has to be asked, because guessing them costs more.
//!
//! Most are found in the sprint as it is; that a file said neither kind nor estimate is known to its reader alone.
//!
//! Elsewhere: what rules make clear is [`super::clarify`]; asking is `control::submission`'s, and what an answer changes the engine's.

use std::collections::BTreeSet;
use std::fmt;

use director_protocols::ids::Name;
use director_protocols::sprint::{Expects, SprintSpec};
use director_protocols::unclear::About;

use super::calendar::Calendar;
use super::{expected, guess};

/// Working days of effort over which a task counts as too large to be one task.
const LARGE_DAYS: u64 = 2;

/// Something unclear. In order of the sprint, then of the tasks in the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// The task; `None` when it is about the sprint.
    pub task: Option<u32>,
    /// What is unclear.
    pub about: Unclear,
}

/// What can be unclear.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Unclear {
    /// The sprint's dates; why.
    Dates(&'static str),
    /// Neither description, specification nor design.
    Description,
    /// No acceptance criteria, though it changes something.
    Acceptance,
    /// No estimate.
    Estimate,
    /// More than two working days of effort.
    Large,
    /// A kind that is not written.
    Kind,
}

impl Unclear {
    /// What a question about it is about.
    pub fn about(self) -> About {
        match self {
            Unclear::Dates(_) => About::Dates,
            Unclear::Description => About::Description,
            Unclear::Acceptance => About::Acceptance,
            Unclear::Estimate => About::Estimate,
            Unclear::Large => About::Size,
            Unclear::Kind => About::Kind,
        }
    }
}

impl fmt::Display for Unclear {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Unclear::Dates(why) => why,
            Unclear::Description => "no description: what is to be done?",
            Unclear::Acceptance => "no acceptance criteria: what has to be true when it is done?",
            Unclear::Estimate => "no estimate: how long does it take?",
            Unclear::Large => "more than two days of work: can it be split?",
            Unclear::Kind => "no kind: what sort of work is it?",
        })
    }
}

/// Everything unclear in a sprint.
pub fn find(spec: &SprintSpec) -> Vec<Question> {
    let calendar = Calendar::of(spec);
    let dates = calendar.unclear.map(|why| Question {
        task: None,
        about: Unclear::Dates(why),
    });
    let mut questions: Vec<Question> = dates.into_iter().collect();
    let large = calendar.day.saturating_mul(LARGE_DAYS);
    for (place, task) in (0..).zip(&spec.tasks) {
        let effort = expected(task);
        let described = !task.description.trim().is_empty();
        for (about, unclear) in [
            (
                Unclear::Description,
                !described && task.spec.is_none() && task.design.is_none(),
            ),
            (
                Unclear::Acceptance,
                task.acceptance.is_empty() && task.expects == Expects::Changes,
            ),
            (Unclear::Estimate, effort == 0),
            (Unclear::Large, effort > large),
            (Unclear::Kind, task.kind.trim().is_empty()),
        ] {
            if unclear {
                questions.push(Question {
                    task: Some(place),
                    about,
                });
            }
        }
    }
    questions
}

/// What a file left open and no rule makes clear: tasks without kind and role whose title says nothing, and tasks without
/// estimate and points.
pub fn left_open(spec: &SprintSpec, unsorted: &[Name], unrated: &[Name]) -> Vec<Question> {
    let unsorted: BTreeSet<&Name> = unsorted.iter().collect();
    let unrated: BTreeSet<&Name> = unrated.iter().collect();
    let mut questions = Vec::new();
    for (place, task) in (0..).zip(&spec.tasks) {
        let no_kind = unsorted.contains(&task.id) && guess::kind([], &task.title).is_none();
        for (about, unclear) in [
            (Unclear::Estimate, unrated.contains(&task.id)),
            (Unclear::Kind, no_kind),
        ] {
            if unclear {
                questions.push(Question {
                    task: Some(place),
                    about,
                });
            }
        }
    }
    questions
}

#[cfg(test)]
mod tests {
    use super::super::{examples, plan};
    use super::*;
    use director_protocols::time::Span;

    #[test]
    fn what_nobody_wrote_is_asked() {
        let asked = |change: &dyn Fn(&mut SprintSpec)| {
            let mut spec = examples::checkout();
            spec.tasks.truncate(1);
            change(&mut spec);
            let questions = plan(&spec).unwrap().questions;
            questions
                .into_iter()
                .map(|q| (q.task, q.about))
                .collect::<Vec<_>>()
        };
        let about = |unclear| vec![(Some(0), unclear)];
        assert_eq!(asked(&|_| {}), []);
        assert_eq!(
            asked(&|spec| spec.tasks[0].description = "  ".to_owned()),
            about(Unclear::Description)
        );
        assert_eq!(
            asked(&|spec| {
                spec.tasks[0].description.clear();
                spec.tasks[0].spec = Some("docs/spec.md".to_owned());
            }),
            []
        );
        assert_eq!(
            asked(&|spec| spec.tasks[0].acceptance.clear()),
            about(Unclear::Acceptance)
        );
        assert_eq!(
            asked(&|spec| {
                spec.tasks[0].acceptance.clear();
                spec.tasks[0].expects = Expects::Nothing;
            }),
            []
        );
        assert_eq!(
            asked(&|spec| spec.tasks[0].kind.clear()),
            about(Unclear::Kind)
        );
        assert_eq!(
            asked(&|spec| spec.tasks[0].estimate.pessimistic = Span::hours(80)),
            about(Unclear::Large)
        );
        let zero = asked(&|spec| {
            let estimate = &mut spec.tasks[0].estimate;
            for point in [
                &mut estimate.optimistic,
                &mut estimate.likely,
                &mut estimate.pessimistic,
            ] {
                *point = Span::ZERO;
            }
        });
        assert_eq!(zero, about(Unclear::Estimate));
        let dates = asked(&|spec| spec.start = None);
        assert!(matches!(dates[..], [(None, Unclear::Dates(_))]));
    }
}
