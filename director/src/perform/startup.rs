//! The start: before anything runs, git and journal are compared, and where they disagree a person is told.
//!
//! The order: the processes of an earlier run are ended (`system` does that), locks that its git left on our refs
//! are cleared, then half-made worktrees, then both truths are gathered and compared. Attempts do not outlive a
//! director, so whatever a killed one left is found by orders that are carried out again:
//!
//! | killed | who deals with it |
//! |---|---|
//! | before or after the integration branch was made, not journalled | `PrepareRepo`: makes it, or knows it by its note |
//! | while a worktree was added | here: what has no file in it is deleted; the task's next `PrepareWorktree` |
//! | while a worktree was checked out or reset | `PrepareWorktree`, `Salvage`: the note says that nobody worked in it |
//! | with an agent at work, worktree or folder gone or not | `Salvage` of the interrupted attempt, then a new one |
//! | between report and commit | `CommitWork`; without its worktree the work is rejected and done again |
//! | while a merge was built or tested | `PrepareMerge`, `RunGates`: the same merge again |
//! | between the merge and the advance, or the advance and the journal | `Advance`: does it, or sees that it happened |
//! | after an advance whose tasks are called off | the next `PrepareMerge` takes it back |
//! | while cleaning up | `CleanUp`: removes what is there |
//! | with a lock on a ref of ours | here, when the repository is opened; a lock on packed refs only when it is older than the machine's start |
//! | with a lock in a worktree | whoever works in it next |
//!
//! | somebody else, meanwhile | what happens |
//! |---|---|
//! | moved or deleted the integration branch | incident, and the sprint stands still until a person has said what is right |
//! | moved or deleted the branch of work that waits | incident; the journalled commit is merged, the other one saved |
//! | moved or deleted another feature branch | its commits are saved before the branch is used again |
//! | made away with a commit | incident; what needs it is refused and done again, without the head the sprint is paused |
//! | moved the repository away | incident, and the sprint is paused; what attempts left in it is asked about |
//!
//! Invariant: nothing but debris and stale locks is changed here.
//! Elsewhere: the comparison is `director_agents::git::reconcile`; each order's look before it does is in `git` and
//! `worktrees`.

use director_agents::git::reconcile::{Disagreement, JournalTruth, reconcile};
use director_protocols::command::Command;
use director_protocols::ids::SprintId;
use tracing::warn;

use super::workshop::Site;
use super::{Trouble, Workshop};
use crate::engine::orders::{self, Place};
use crate::engine::sprints::Sprint;
use crate::engine::state::State;
use crate::engine::tasks::Phase;

/// Who pauses a sprint that cannot go on.
const BY: &str = "director (git and journal disagree)";

impl Workshop {
    /// Compares git with the journal for every sprint that goes on, and says what the director is to be told as soon
    /// as it has opened: incidents, and pauses of sprints whose integration branch cannot be relied on. Blocks.
    ///
    /// For the start, when no process of an earlier run is left and none of this one runs.
    pub fn check(&self, state: &State) -> Vec<Command> {
        let sprints = (0u32..).map(SprintId).zip(&state.sprints.table);
        sprints
            .filter(|(_, sprint)| !sprint.is_over() && sprint.spec.repo.is_some())
            .filter_map(|(id, sprint)| Some((sprint, orders::place(state, id)?)))
            .flat_map(|(sprint, place)| self.check_sprint(state, sprint, &place))
            .collect()
    }

    fn check_sprint(&self, state: &State, sprint: &Sprint, place: &Place) -> Vec<Command> {
        let name = &place.sprint;
        // A git that was ended from outside says nothing about the repository, so one failure is not believed.
        let compared = self
            .compare(state, sprint, place)
            .or_else(|_| self.compare(state, sprint, place));
        let found = match compared {
            Ok(found) => found,
            // Nothing is ours yet: whoever prepares the repository will say it.
            Err(_) if place.head.is_empty() => return Vec::new(),
            Err(trouble) => {
                let text = format!(
                    "the repository cannot be used; if it was moved, move it back: {trouble}"
                );
                return self.halt(sprint, place, &text);
            }
        };
        let branch = format!("refs/heads/sprint/{name}");
        let mut told = Vec::new();
        let mut stands = true;
        let Ok(head) = place.head.parse() else {
            return told;
        };
        for disagreement in found {
            match disagreement {
                Disagreement::Moved { name, found, .. } if name == branch => {
                    stands = false;
                    told.push(Command::BranchMoved {
                        effect: None,
                        sprint: place.id,
                        moved: self.moved_branch(place, &name, &head, found.as_ref()),
                    });
                }
                Disagreement::Lost { name, commit } if commit.as_str() == place.head => {
                    stands = false;
                    let text = format!(
                        "the commit {commit}, at which `{name}` was left, is not in the repository any more; fetch it from a copy, put the branch back with `git update-ref {name} {commit}`, then retry"
                    );
                    told.extend(self.halt(sprint, place, &text));
                }
                other => told.extend(self.tell(sprint, place, &sentence(name, other))),
            }
        }
        if stands && sprint.moved.is_some() {
            // Somebody has put it back meanwhile.
            told.push(Command::BranchRestored {
                effect: None,
                sprint: place.id,
                saved: String::new(),
            });
        }
        told
    }

    fn compare(
        &self,
        state: &State,
        sprint: &Sprint,
        place: &Place,
    ) -> Result<Vec<Disagreement>, Trouble> {
        let site = self.site(place)?;
        if let Err(error) = site.repository.clear_debris(&site.names) {
            // In nobody's way; the clean-up tries again.
            warn!(sprint = place.sprint, %error, "could not clear what a killed run left");
        }
        if place.head.is_empty() {
            return Ok(Vec::new());
        }
        let journal = self.journal_truth(state, sprint, place, &site)?;
        let git = site.repository.truth(&site.names, &journal)?;
        Ok(reconcile(&journal, &git))
    }

    fn journal_truth(
        &self,
        state: &State,
        sprint: &Sprint,
        place: &Place,
        site: &Site,
    ) -> Result<JournalTruth, Trouble> {
        let head = place.head.parse()?;
        let mut truth = JournalTruth {
            integration_ref: site.names.integration_ref(),
            announced: match self.advanced_to(place) {
                Some((to, from)) if from == head => Some(to),
                _ => None,
            },
            head,
            merge: None,
            work: Default::default(),
        };
        if let Some(merge) = sprint
            .merge
            .as_ref()
            .filter(|merge| !merge.commit.is_empty())
        {
            truth.merge = Some(merge.commit.parse()?);
        }
        for id in sprint.tasks().filter(|id| state.holds_worktree(*id)) {
            let Some(task) = state.tasks.get(id) else {
                continue;
            };
            if let (Phase::Queued | Phase::Merging, Some(story)) = (task.phase, &task.story) {
                let branch = site.names.feature_ref(task.spec.feature.as_str())?;
                truth.work.insert(branch, story.commit.parse()?);
            }
        }
        Ok(truth)
    }

    /// The incident and the pause of a sprint that cannot go on before somebody has looked.
    fn halt(&self, sprint: &Sprint, place: &Place, text: &str) -> Vec<Command> {
        // Orders that are carried out again find the same; once is enough.
        let _ = self.incident(place, None, text);
        let name = &place.sprint;
        let text = format!("{text}. Nothing is handed out until `director resume --sprint {name}`");
        let mut told = self.tell(sprint, place, &text);
        told.push(Command::Pause {
            sprint: Some(place.id),
            by: BY.to_owned(),
        });
        told
    }

    /// The incident, unless it is what an earlier start said last.
    fn tell(&self, sprint: &Sprint, place: &Place, text: &str) -> Vec<Command> {
        let last = sprint.incidents.last();
        if last.is_some_and(|(_, _, said)| said == text) {
            return Vec::new();
        }
        vec![Command::Incident {
            sprint: place.id,
            task: None,
            text: text.to_owned(),
        }]
    }
}

/// What is found about work that waits, for people.
fn sentence(sprint: &str, found: Disagreement) -> String {
    match found {
        Disagreement::Lost { name, commit } => format!(
            "the commit {commit}, which belongs to `{name}`, is not in the repository any more; its work is done again"
        ),
        Disagreement::Moved {
            name,
            expected,
            found: None,
        } => format!(
            "`{name}` should stand at {expected} but is gone: someone else deleted it. There is nothing to do: that commit is merged all the same"
        ),
        Disagreement::Moved {
            name,
            expected,
            found: Some(at),
        } => format!(
            "`{name}` should stand at {expected} but stands at {at}: someone else moved it. {expected} is merged all the same; what else the branch holds is saved below `refs/director/salvage/{sprint}/` before it is used again"
        ),
    }
}
