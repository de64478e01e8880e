//! What is unclear in a sprint before it starts, made clear by rule as far as it goes: each guess with the reason it rests on.
//!
//! A task without kind or role is sorted by its title, an estimate that is missing is what its points say, and a task that is too large gets
//! a proposal along its criteria. What no rule knows stays a question ([`super::questions`]). What a task has to leave behind does not change by a
//! guess, and nobody gets work of another sort of agent by one.
//!
//! Elsewhere: the words behind a kind are [`super::guess`].

use std::collections::BTreeSet;
use std::fmt;

use director_protocols::ids::Name;
use director_protocols::kinds;
use director_protocols::sprint::SprintSpec;

use super::commit::{hours, plural};
use super::guess;

/// The most criteria that one part of a split task has in a proposal.
const CRITERIA_PER_PART: usize = 2;

/// Something that was guessed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Guessed {
    /// The task.
    pub task: Name,
    /// What was made of it.
    pub what: What,
    /// What the guess rests on.
    pub why: String,
}

/// What was made of something unclear.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// The kind of the task, and who does it.
    Kind(String, Name),
    /// Its effort in milliseconds.
    Effort(u64),
    /// A proposal: into how many parts it could be split.
    Split(usize),
}

impl fmt::Display for Guessed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { task, what, why } = self;
        match what {
            What::Kind(kind, role) => write!(f, "`{task}` is taken as `{kind}` for {role}: {why}"),
            What::Effort(effort) => {
                write!(f, "`{task}` is taken to need {}: {why}", hours(*effort))
            }
            What::Split(parts) => write!(
                f,
                "`{task}` could be split into {}: {why}",
                plural(*parts as u64, "task")
            ),
        }
    }
}

/// Makes clear what rules can, and says what was guessed. `unsorted` are tasks without kind and role, `assumed` those without an
/// estimate.
pub fn clarify(spec: &mut SprintSpec, unsorted: &[Name], assumed: &[Name]) -> Vec<Guessed> {
    let unsorted: BTreeSet<&Name> = unsorted.iter().collect();
    let assumed: BTreeSet<&Name> = assumed.iter().collect();
    let large = spec.day.0.saturating_mul(2);
    let mut guessed = Vec::new();
    let team = spec.team.clone();
    for task in &mut spec.tasks {
        let agent = |role: &str| {
            let role = team.iter().find(|known| known.name.as_str() == role)?;
            Some((role.name.clone(), role.agent.kind.clone()))
        };
        if unsorted.contains(&task.id)
            && let Some(kind) = guess::kind([], &task.title)
            && kind.is != task.kind
            && let Some((role, with)) = agent(kinds::role_of(kind.is))
            && agent(task.role.as_str()).is_some_and(|(_, usual)| usual == with)
        {
            task.kind = kind.is.to_owned();
            task.role = role.clone();
            guessed.push(Guessed {
                task: task.id.clone(),
                what: What::Kind(kind.is.to_owned(), role),
                why: kind.why,
            });
        }
        let effort = task.estimate.mean().0;
        if assumed.contains(&task.id) {
            guessed.push(Guessed {
                task: task.id.clone(),
                what: What::Effort(effort),
                why: format!(
                    "an hour for each of its {}",
                    plural(u64::from(task.points), "point")
                ),
            });
        }
        if effort > large && task.acceptance.len() > 1 {
            let parts = task.acceptance.len().div_ceil(CRITERIA_PER_PART).max(2);
            guessed.push(Guessed {
                task: task.id.clone(),
                what: What::Split(parts),
                why: format!(
                    "it needs {} and has {} criteria",
                    hours(effort),
                    task.acceptance.len()
                ),
            });
        }
    }
    guessed
}

#[cfg(test)]
mod tests {
    use super::super::examples;
    use super::*;
    use director_protocols::time::Span;

    #[test]
    fn rules_make_clear_what_they_can_and_say_why() {
        let mut spec = examples::checkout();
        spec.tasks.truncate(4);
        for (task, title) in [
            (0, "Write the user guide"),
            (1, "Something"),
            (2, "Fix the cart"),
        ] {
            spec.tasks[task].kind = "feature".to_owned();
            spec.tasks[task].role = examples::name("fullstack-engineer");
            spec.tasks[task].title = title.to_owned();
        }
        // Who does bug fixes here is no command: work is not moved between sorts of agents by a guess.
        spec.team
            .iter_mut()
            .find(|role| role.name.as_str() == "documentation-writer")
            .unwrap()
            .count = 1;
        let ids: Vec<Name> = spec.tasks.iter().map(|task| task.id.clone()).collect();
        spec.tasks[3].acceptance = (0..5).map(|n| n.to_string()).collect();
        spec.tasks[3].estimate.pessimistic = Span::hours(200);
        let said: Vec<String> = clarify(&mut spec, &ids[..3], &ids[1..2])
            .iter()
            .map(ToString::to_string)
            .collect();
        let expected = [
            format!(
                "`{}` is taken as `documentation` for documentation-writer: its title says `guide`",
                ids[0]
            ),
            format!(
                "`{}` is taken to need {}: an hour for each of its {}",
                ids[1],
                hours(spec.tasks[1].estimate.mean().0),
                plural(u64::from(spec.tasks[1].points), "point")
            ),
            format!(
                "`{}` is taken as `bug_fix` for fullstack-engineer: its title says `fix`",
                ids[2]
            ),
            format!(
                "`{}` could be split into 3 tasks: it needs {} and has 5 criteria",
                ids[3],
                hours(spec.tasks[3].estimate.mean().0)
            ),
        ];
        assert_eq!(said, expected);
        assert_eq!(
            (spec.tasks[0].kind.as_str(), spec.tasks[1].kind.as_str()),
            ("documentation", "feature")
        );
        spec.team.iter_mut().for_each(|role| {
            if role.name.as_str() == "documentation-writer" {
                role.agent.kind = "claude".to_owned()
            }
        });
        spec.tasks[0].kind = "feature".to_owned();
        spec.tasks[0].role = examples::name("fullstack-engineer");
        assert_eq!(
            clarify(&mut spec, &ids[..1], &[]).len(),
            1,
            "only the proposal is left"
        );
    }
}
