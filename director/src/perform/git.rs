//! Orders about git, carried out: the repository, the integration branch, its merges, and the answers.
//!
//! Each order looks before it does, so that a repeat changes nothing and gives the same answer. A ref of ours
//! that somebody else moved is an incident: nothing is overwritten, and the answer says what to do. Everything
//! here blocks.
//!
//! Invariant: only the integrator calls [`Workshop::carry_out`]; the gatekeeper gets no more than a directory,
//! from `Workshop::check_out`. That is how one actor alone touches git.
//! Elsewhere: feature worktrees and the clean-up are in `worktrees`.

use std::collections::BTreeSet;
use std::path::PathBuf;

use director_agents::git::{
    Advance, GitError, Merge, MergeRequest, Oid, PreflightRequest, Repository,
};
use director_protocols::command::Command;
use director_protocols::ids::{EffectId, TaskId};
use tracing::warn;

use super::workshop::{Site, lock, repo_of};
use super::{CallOff, Trouble, Workshop};
use crate::engine::orders::{Order, Piece, Place};

/// Written before the integration branch is made: the base's commit.
const BASE: &str = "base";
/// Written before the integration branch advances: the merge, and what it is built on.
const ADVANCE: &str = "advance";

impl Workshop {
    /// Carries out one order of the integrator and says what came of it, in the order to be reported. Empty when it
    /// was called off, and for an order that is not the integrator's.
    pub fn carry_out(&self, effect: EffectId, order: &Order, call_off: &CallOff) -> Vec<Command> {
        let (place, task, answer) = match order {
            Order::PrepareRepo(place, features) => {
                let answer =
                    self.prepare_repo(place, features, call_off)
                        .map(|(branch, base, warnings)| {
                            vec![Command::RepoPrepared {
                                effect,
                                branch,
                                base: base.into(),
                                warnings,
                            }]
                        });
                (place, None, answer)
            }
            Order::PrepareWorktree(place, piece) => {
                let prepared = self.prepare_worktree(place, piece, call_off);
                let answer = prepared.map(|(path, conflict, found)| {
                    let found = found.and_then(|text| self.incident(place, Some(piece.id), &text));
                    let mut answer: Vec<Command> = found.into_iter().collect();
                    answer.push(Command::WorktreePrepared {
                        effect,
                        path: path.to_string_lossy().into_owned(),
                        commit: place.head.clone(),
                        conflict,
                    });
                    answer
                });
                (place, Some(piece.id), answer)
            }
            Order::CommitWork(place, piece) => {
                let answer = self.commit_work(effect, place, piece, call_off);
                (place, Some(piece.id), answer)
            }
            Order::Salvage(place, piece) => {
                let answer = self.salvage(effect, place, piece, call_off);
                (place, Some(piece.id), answer)
            }
            Order::PrepareMerge(place, pieces) => {
                let answer = self.prepare_merge(effect, place, pieces, call_off);
                (place, pieces.first().map(|piece| piece.id), answer)
            }
            Order::Advance {
                place,
                commit,
                onto,
            } => {
                let answer = self.advance(place, commit, onto, call_off).map(|()| {
                    let commit = commit.clone();
                    vec![Command::MergeCompleted { effect, commit }]
                });
                (place, None, answer)
            }
            Order::CleanUp(place, features) => {
                let answer = self
                    .clean_up(place, features, call_off)
                    .map(|kept| vec![Command::CleanedUp { effect, kept }]);
                (place, None, answer)
            }
            Order::PutBack(place, found) => {
                (place, None, self.put_back(effect, place, found, call_off))
            }
            Order::Withdraw(place) => {
                let answer = self
                    .withdraw(place, call_off)
                    .map(|kept| vec![Command::CleanedUp { effect, kept }]);
                (place, None, answer)
            }
            Order::SyncTeam(_)
            | Order::RestartRole(_)
            | Order::Plan(_)
            | Order::Watch(_)
            | Order::CheckBase(..)
            | Order::Assign(_)
            | Order::CancelAttempt { .. }
            | Order::RunGates { .. }
            | Order::Deployment(..)
            | Order::Deliver { .. }
            | Order::Guide { .. }
            | Order::DeliverAnswer { .. }
            | Order::Inform(_) => return Vec::new(),
        };
        answer.unwrap_or_else(|trouble| self.refuse(effect, order, place, task, &trouble))
    }

    /// What to report when it did not work.
    fn refuse(
        &self,
        effect: EffectId,
        order: &Order,
        place: &Place,
        task: Option<TaskId>,
        trouble: &Trouble,
    ) -> Vec<Command> {
        if matches!(trouble, Trouble::CalledOff) {
            return Vec::new();
        }
        if let Trouble::BranchMoved {
            name,
            expected,
            found,
        } = trouble
            && !matches!(order, Order::PrepareRepo(..))
        {
            let moved = self.moved_branch(place, name, expected, found.as_ref());
            return vec![Command::BranchMoved {
                effect: Some(effect),
                sprint: place.id,
                moved,
            }];
        }
        let reason = trouble.to_string();
        let mut answer = Vec::new();
        // That an advance failed is an incident by itself; the engine opens it with the answer.
        let told = matches!(order, Order::PrepareRepo(..) | Order::Advance { .. });
        if trouble.is_incident() && !told {
            answer.extend(self.incident(place, task, &reason));
        }
        answer.push(match order {
            Order::PrepareRepo(..) => Command::RepoRefused { effect, reason },
            _ => Command::EffectFailed { effect, reason },
        });
        answer
    }

    /// An incident that is not the one said last.
    pub(super) fn incident(
        &self,
        place: &Place,
        task: Option<TaskId>,
        text: &str,
    ) -> Option<Command> {
        let floor = self.floor(place);
        let mut seen = lock(&floor.seen);
        if seen.incident == text {
            return None;
        }
        text.clone_into(&mut seen.incident);
        Some(Command::Incident {
            sprint: place.id,
            task,
            text: text.to_owned(),
        })
    }

    /// What differs from the last look at the user's refs and checkout, and remembers this one. A look that fails
    /// says nothing: it must not stand in the way of what was done.
    pub(super) fn look_outside(
        &self,
        site: &Site,
        place: &Place,
        task: Option<TaskId>,
    ) -> Option<Command> {
        let mut seen = lock(&site.floor.seen); // Held meanwhile, so that a later look is compared with an earlier one.
        let now = match site.repository.outside(std::slice::from_ref(&site.names)) {
            Ok(now) => now,
            Err(error) => {
                warn!(sprint = place.sprint, %error, "could not look outside the worktrees");
                return None;
            }
        };
        let before = seen.outside.replace(now.clone());
        let mut found = before.map_or_else(Vec::new, |before| before.differences(&now));
        let others: Vec<_> = seen
            .sprints
            .iter()
            .filter_map(|name| director_agents::git::SprintNames::new(name).ok())
            .collect();
        found.retain(|sentence| {
            let name = sentence.strip_prefix('`').and_then(|s| s.split('`').next());
            !name.is_some_and(|name| others.iter().any(|names| names.owns(name)))
        });
        if found.is_empty() {
            return None;
        }
        let text = format!(
            "outside the worktrees something changed; if it was not you, an agent reached there: {}",
            found.join("; ")
        );
        Some(Command::Incident {
            sprint: place.id,
            task,
            text,
        })
    }

    /// What changed outside while an attempt was under way, unless neither it nor a gate can have done it.
    pub(super) fn look_outside_after(
        &self,
        site: &Site,
        place: &Place,
        piece: &Piece,
    ) -> Option<Command> {
        match piece.sandboxed && place.sandbox.is_some() {
            true => None,
            false => self.look_outside(site, place, Some(piece.id)),
        }
    }

    fn prepare_repo(
        &self,
        place: &Place,
        features: &[String],
        call_off: &CallOff,
    ) -> Result<(String, Oid, Vec<String>), Trouble> {
        let site = self.site(place)?;
        let Site {
            repository, names, ..
        } = &site;
        let _all = site.floor.all.read();
        let _branch = lock(&site.floor.branch);
        call_off.check()?;
        let begun = self.note(place.id, BASE).map(|[base]: [Oid; 1]| base);
        let begun = match place.started_at.as_str() {
            "" => begun,
            commit => Some(commit.parse()?),
        };
        let base = match &place.base {
            Some(base) => base.clone(),
            None => repository
                .current_branch()?
                .ok_or_else(|| Trouble::Detached {
                    path: repository.top().to_owned(),
                })?,
        };
        let resumed = begun.is_some();
        // Before the look at the checkout: what is ours there is no change of the user's.
        repository.hide_our_folders()?;
        if !resumed {
            features_free(&site, features)?;
        }
        let preflight = repository.preflight(&PreflightRequest {
            names,
            base: &base,
            features: &[],
            resumed,
        })?;
        let at = begun.unwrap_or(preflight.base_commit);
        if place.head.is_empty() || place.head == at.as_str() {
            self.write_note(place.id, BASE, &[&at])?;
            repository.create_integration_branch(names, &at)?;
        } else {
            self.check_branch(&site, place)?;
        }
        let mut seen = lock(&site.floor.seen);
        if seen.outside.is_none() {
            seen.outside = Some(repository.outside(std::slice::from_ref(names))?);
        }
        Ok((base, at, preflight.warnings))
    }

    /// The integration branch's head as the journal has it. The branch itself may be at a merge that we have
    /// advanced to and the journal is about to learn of.
    pub(super) fn check_branch(&self, site: &Site, place: &Place) -> Result<Oid, Trouble> {
        let head: Oid = place.head.parse()?;
        let name = site.names.integration_ref();
        let found = site.repository.resolve(&name)?;
        match found {
            Some(found) if found == head => Ok(head),
            Some(found)
                if self.advanced_to(place).is_some_and(|(to, _)| to == found)
                    && site.repository.is_ancestor(&head, &found)? =>
            {
                Ok(head)
            }
            found => Err(Trouble::BranchMoved {
                name,
                expected: head,
                found,
            }),
        }
    }

    /// Where the branch was advanced to last, and from where.
    pub(super) fn advanced_to(&self, place: &Place) -> Option<(Oid, Oid)> {
        self.note(place.id, ADVANCE)
            .map(|[to, from]: [Oid; 2]| (to, from))
    }

    fn prepare_merge(
        &self,
        effect: EffectId,
        place: &Place,
        pieces: &[Piece],
        call_off: &CallOff,
    ) -> Result<Vec<Command>, Trouble> {
        let site = self.site(place)?;
        let _all = site.floor.all.read();
        let _branch = lock(&site.floor.branch);
        call_off.check()?;
        let head = self.check_branch(&site, place)?;
        self.take_back(&site, place, &head)?;
        let mut onto = head.clone();
        for piece in pieces {
            let work: Oid = piece.commit.parse()?;
            let title = format!("Merge {}: {}", piece.task, piece.title);
            let message = site.names.message(&title, &piece.task, piece.attempt.0);
            let request = MergeRequest {
                onto: &onto,
                work: &work,
                message: &message,
                date_ms: piece.at_ms,
            };
            match site.repository.prepare_merge(&request)? {
                Merge::Prepared { commit, .. } => onto = commit,
                Merge::Nothing => {}
                Merge::Conflict { files } => {
                    return Ok(vec![Command::MergeConflicted {
                        effect,
                        files: files
                            .iter()
                            .map(|file| file.to_string_lossy().into_owned())
                            .collect(),
                        onto: head.into(),
                    }]);
                }
            }
        }
        Ok(vec![Command::MergePrepared {
            effect,
            commit: onto.into(),
            onto: head.into(),
        }])
    }

    /// Takes back an advance of ours that the journal does not want any more: its tasks were called off
    /// between git and the journal. A next merge is asked for only when no advance is outstanding.
    fn take_back(&self, site: &Site, place: &Place, head: &Oid) -> Result<(), Trouble> {
        let name = site.names.integration_ref();
        match self.advanced_to(place) {
            Some((to, from)) if from == *head && to != *head => {
                match site.repository.advance(&name, head, &to) {
                    Ok(_) => Ok(()),
                    Err(GitError::RefMoved { found, .. }) => Err(Trouble::BranchMoved {
                        name,
                        expected: head.clone(),
                        found,
                    }),
                    Err(error) => Err(error.into()),
                }
            }
            _ => Ok(()),
        }
    }

    fn advance(
        &self,
        place: &Place,
        commit: &str,
        onto: &str,
        call_off: &CallOff,
    ) -> Result<(), Trouble> {
        let site = self.site(place)?;
        let _all = site.floor.all.read();
        let _branch = lock(&site.floor.branch);
        call_off.check()?;
        let (commit, onto): (Oid, Oid) = (commit.parse()?, onto.parse()?);
        let name = site.names.integration_ref();
        let found = site.repository.resolve(&name)?;
        if let Some(found) = &found
            && *found != onto
            && site.repository.has_commit(&commit)?
            && site.repository.is_merged(found, &commit, &onto)?
        {
            return Ok(()); // It happened, and nobody could say so.
        }
        let moved = |found| Trouble::BranchMoved {
            name: name.clone(),
            expected: onto.clone(),
            found,
        };
        if found.as_ref() != Some(&onto) {
            return Err(moved(found));
        }
        self.write_note(place.id, ADVANCE, &[&commit, &onto])?;
        match site.repository.advance(&name, &commit, &onto) {
            Ok(Advance::Done | Advance::AlreadyThere) => Ok(()),
            Err(GitError::RefMoved { found, .. }) => Err(moved(found)),
            Err(error) => Err(error.into()),
        }
    }

    /// The sprint's warm integration worktree with `commit` checked out. Hold the sprint's hall meanwhile.
    pub(super) fn check_out(
        &self,
        place: &Place,
        commit: &str,
        call_off: &CallOff,
    ) -> Result<PathBuf, Trouble> {
        let site = self.site(place)?;
        let _all = site.floor.all.read();
        call_off.check()?;
        let worktree = site
            .repository
            .integration_worktree(&site.names, &commit.parse()?)?;
        Ok(worktree.path().to_owned())
    }
}

/// Opens the place's repository for a look; the workshop's own goes through `site`.
pub(super) fn open(place: &Place) -> Result<Repository, Trouble> {
    Ok(Repository::open(repo_of(place)?.as_ref())?)
}

/// Refuses branches that features would need and somebody else made. By their whole names: `feature/s1-b-x` is the sprint
/// `s1-b`'s, unless `s1` has a feature `b-x`.
fn features_free(site: &Site, features: &[String]) -> Result<(), Trouble> {
    let mut ours = BTreeSet::new();
    for feature in features {
        ours.insert(site.names.feature_ref(feature)?);
    }
    for (name, at) in site.repository.refs("refs/heads/feature")? {
        let branch = name.strip_prefix("refs/heads/").unwrap_or(&name).to_owned();
        if branch == "feature" {
            let ours = site.names.feature_branch("NAME")?;
            return Err(GitError::BranchInTheWay { branch, ours }.into());
        }
        if ours.contains(&name) {
            return Err(GitError::BranchExists { branch, at }.into());
        }
    }
    Ok(())
}
