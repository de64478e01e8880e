//! What git says of a branch that somebody else moved.

use director::engine::effects::Effect;
use director_protocols::command::{Command, MovedBranch};
use director_protocols::ids::{EffectId, SprintId};

use super::Script;

/// Whether git carries it out.
pub(super) fn is_gits(effect: &Effect) -> bool {
    matches!(
        effect,
        Effect::PrepareRepo { .. }
            | Effect::PrepareWorktree { .. }
            | Effect::CommitWork { .. }
            | Effect::Salvage { .. }
            | Effect::PrepareMerge { .. }
            | Effect::Advance { .. }
            | Effect::PutBack { .. }
            | Effect::CleanUp { .. }
    )
}

impl Script {
    /// `git moved` to whatever needs the branch of the first sprint, and any other answer to putting it back.
    pub(super) fn branch(&self, effect: EffectId, what: &Effect, how: &str) -> Option<Command> {
        let (effect, sprint) = (Some(effect), SprintId(0));
        let head = &self.engine.state().sprints.table[0].head;
        match (what, how) {
            (_, "moved") => Some(Command::BranchMoved {
                effect,
                sprint,
                moved: MovedBranch {
                    name: "refs/heads/sprint/s".to_owned(),
                    expected: head.clone(),
                    found: "elsewhere".to_owned(),
                    contains: true,
                    between: "On it, and not of the director: theirs.".to_owned(),
                },
            }),
            (Effect::PutBack { .. }, _) => Some(Command::BranchRestored {
                effect,
                sprint,
                saved: "refs/director/salvage/x".to_owned(),
            }),
            _ => None,
        }
    }
}
