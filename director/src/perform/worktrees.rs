//! Feature worktrees, carried out: prepared, committed, salvaged, and cleaned up at the end.
//!
//! Two features' worktrees are worked on at the same time, one feature's never: its lock holds against a
//! repeat of the same order too. Whatever cannot be proven saved is moved aside and named, never deleted.
//!
//! Nobody has worked in a worktree whose preparation was cut short: a note says so, which is gone for good before
//! the preparation is answered. So half a checkout is never taken for somebody's work.
//!
//! Invariant: a worktree is reset or removed only when what is in it is merged, committed or salvaged.

use std::path::{Component, Path, PathBuf};

use director_agents::git::{CommitRequest, GitError, Oid, Salvage, SalvageRequest, Work, Worktree};
use director_agents::process::Stop;
use director_protocols::command::Command;
use director_protocols::ids::{EffectId, SprintId};
use director_protocols::sprint::Isolation;
use director_protocols::work::{DiffStat, FILE_NAME_MAX, FILES_MAX};
use tracing::warn;

use super::workshop::{Site, lock};
use super::{CallOff, Trouble, Workshop};
use crate::engine::orders::{Piece, Place};

/// Why a worktree is kept.
const UNPROVEN: &str = "not everything in it could be proven saved";

/// How a salvage went.
#[derive(Default)]
struct Saved {
    /// The ref that holds it; empty when there was nothing.
    name: String,
    /// Whether something was saved just now.
    new: bool,
    /// Where the worktree was moved, and why.
    kept: Option<String>,
}

/// What is saved, and as what.
struct Belongings<'a> {
    sprint: SprintId,
    feature: &'a str,
    /// The task, or the feature where no attempt accounts for it.
    owner: &'a str,
    /// The attempt; 0, which no attempt has, where none accounts for it.
    number: u32,
    date_ms: u64,
}

impl<'a> Belongings<'a> {
    /// What is found in a worktree although it should be clean.
    fn found(place: &Place, piece: &'a Piece) -> Self {
        Belongings {
            sprint: place.id,
            feature: &piece.feature,
            owner: &piece.feature,
            number: 0,
            date_ms: piece.at_ms,
        }
    }
}

impl Saved {
    /// What to say about work that no attempt accounts for.
    fn unaccounted(self, feature: &str) -> Option<String> {
        let Saved { name, new, kept } = self;
        let saved = new.then(|| format!("it is saved as `{name}`"));
        let what: Vec<String> = saved.into_iter().chain(kept).collect();
        (!what.is_empty()).then(|| {
            format!(
                "the worktree of `{feature}` held work that no attempt accounts for; {}",
                what.join("; ")
            )
        })
    }
}

/// The note on a worktree whose preparation is not over.
fn preparing(feature: &str) -> String {
    format!("preparing-{feature}")
}

impl Workshop {
    pub(super) fn prepare_worktree(
        &self,
        place: &Place,
        piece: &Piece,
        call_off: &CallOff,
    ) -> Result<(PathBuf, Vec<String>, Option<String>), Trouble> {
        let site = self.site(place)?;
        let _all = site.floor.all.read();
        let feature = site.floor.feature(&piece.feature);
        let _feature = lock(&feature);
        call_off.check()?;
        let head = self.check_branch(&site, place)?;
        if lock(&site.floor.seen).outside.is_none() {
            self.look_outside(&site, place, None); // The first look after a restart.
        }
        // Usually nothing: an attempt's work is committed or salvaged by now. What a process that got away
        // wrote later, or a salvage that failed left, is found here.
        let ours = self.prepared_already(&site, piece)?;
        let found = self.save(&site, &Belongings::found(place, piece), &head)?;
        let found = found.unaccounted(&piece.feature).filter(|_| !ours);
        let (path, conflict) = self.set_up(&site, place, piece, &head)?;
        Ok((path, conflict, found))
    }

    /// Whether the conflict that lies in the worktree is the one that this attempt is to be given: then an earlier
    /// preparation left it, whose answer was lost.
    fn prepared_already(&self, site: &Site, piece: &Piece) -> Result<bool, Trouble> {
        if piece.resolve.is_empty() {
            return Ok(false);
        }
        let merging = match site.repository.worktree(&site.names, &piece.feature) {
            Ok(worktree) => site.repository.merging(&worktree)?,
            Err(_) => None, // It is made now.
        };
        Ok(merging.is_some_and(|merging| merging.as_str() == piece.resolve))
    }

    /// Brings a feature's worktree to `head` and to what the attempt is given beside it: the conflict that it is to
    /// resolve, a clone of its own. Returns its path and the files with conflicts.
    fn set_up(
        &self,
        site: &Site,
        place: &Place,
        piece: &Piece,
        head: &Oid,
    ) -> Result<(PathBuf, Vec<String>), Trouble> {
        let Site {
            repository, names, ..
        } = site;
        let note = preparing(&piece.feature);
        self.put_note(place.id, &note)?;
        let worktree = repository.prepare_worktree(names, &piece.feature, head)?;
        let mut conflict = Vec::new();
        if !piece.resolve.is_empty() {
            let earlier: Oid = piece.resolve.parse()?;
            let files = repository.merge_into_worktree(&worktree, &earlier)?;
            conflict.extend(files.iter().map(|file| file.to_string_lossy().into_owned()));
        }
        if piece.isolation == Isolation::Clone {
            repository.isolate(&worktree)?;
        }
        self.drop_note(place.id, &note)?;
        Ok((worktree.path().to_owned(), conflict))
    }

    /// Brings a feature's worktree to `head`; what was in it has been saved.
    fn reset(&self, site: &Site, place: &Place, feature: &str, head: &Oid) -> Result<(), Trouble> {
        let note = preparing(feature);
        self.put_note(place.id, &note)?;
        site.repository
            .prepare_worktree(&site.names, feature, head)?;
        self.drop_note(place.id, &note)
    }

    pub(super) fn commit_work(
        &self,
        effect: EffectId,
        place: &Place,
        piece: &Piece,
        call_off: &CallOff,
    ) -> Result<Vec<Command>, Trouble> {
        let site = self.site(place)?;
        let _all = site.floor.all.read();
        let feature = site.floor.feature(&piece.feature);
        let _feature = lock(&feature);
        call_off.check()?;
        let worktree = site.repository.worktree(&site.names, &piece.feature)?;
        let unresolved = site.repository.unresolved(&worktree, &piece.conflict)?;
        if !unresolved.is_empty() {
            return Err(Trouble::Unresolved { files: unresolved });
        }
        let message = site
            .names
            .message(&piece.title, &piece.task, piece.attempt.0);
        let work = site.repository.commit_all(&CommitRequest {
            worktree: &worktree,
            base: &piece.begun_at.parse()?,
            message: &message,
            date_ms: piece.at_ms,
        })?;
        let outside = self.look_outside_after(&site, place, piece);
        let mut answer: Vec<Command> = outside.into_iter().collect();
        answer.push(Command::WorkCommitted {
            effect,
            changes: size(&work),
            files: names(&work),
            commit: work.head.into(),
            missing: missing(worktree.path(), &piece.produces),
        });
        Ok(answer)
    }

    pub(super) fn salvage(
        &self,
        effect: EffectId,
        place: &Place,
        piece: &Piece,
        call_off: &CallOff,
    ) -> Result<Vec<Command>, Trouble> {
        let site = self.site(place)?;
        let _all = site.floor.all.read();
        let feature = site.floor.feature(&piece.feature);
        let _feature = lock(&feature);
        call_off.check()?;
        let head: Oid = place.head.parse()?;
        let belongings = Belongings {
            owner: &piece.task,
            number: piece.attempt.0,
            ..Belongings::found(place, piece)
        };
        let saved = self.save(&site, &belongings, &head)?;
        // Free for whoever comes next, and clean at the end of the sprint.
        if site
            .repository
            .worktree(&site.names, &piece.feature)
            .is_ok()
            && let Err(error) = self.reset(&site, place, &piece.feature, &head)
        {
            // What was saved is saved; the next preparation resets it.
            warn!(feature = piece.feature, %error, "could not reset a salvaged worktree");
        }
        let outside = self.look_outside_after(&site, place, piece);
        let mut answer: Vec<Command> = outside.into_iter().collect();
        answer.push(Command::WorkSalvaged {
            effect,
            saved: saved.name,
            kept: saved.kept,
        });
        Ok(answer)
    }

    /// Saves what a feature's worktree and branch hold and the integration branch does not. Afterwards the
    /// worktree may be reset, or it is not there any more.
    fn save(&self, site: &Site, of: &Belongings<'_>, head: &Oid) -> Result<Saved, Trouble> {
        let Site {
            repository, names, ..
        } = site;
        let name = names.salvage_ref(of.owner, of.number)?;
        let label = format!("{}-{}", of.owner, of.number);
        if self.has_note(of.sprint, &preparing(of.feature)) {
            // The files are nobody's; the branch may have been moved by somebody since.
            let (name, new) = self.save_branch(site, of.feature, name, head)?;
            let kept = None;
            return Ok(Saved { name, new, kept });
        }
        let worktree = match repository.worktree(names, of.feature) {
            Ok(worktree) => worktree,
            Err(GitError::NoWorktree { .. }) => {
                let aside = repository.aside(names, &label);
                let kept = aside.exists().then(|| kept(&aside, UNPROVEN));
                let (name, new) = self.save_branch(site, of.feature, name, head)?;
                return Ok(Saved { name, new, kept });
            }
            Err(error) => return Err(error.into()),
        };
        let earlier = repository.resolve(&name)?;
        let message = names.message("Salvage unfinished work", of.owner, of.number);
        let salvage = repository.salvage(&SalvageRequest {
            worktree: &worktree,
            base: head,
            name: &name,
            message: &message,
            date_ms: of.date_ms,
        });
        let why = match salvage {
            Ok(Salvage::Nothing) => return Ok(Saved::default()),
            Ok(Salvage::Saved { commit }) => {
                let new = earlier != Some(commit);
                return Ok(Saved {
                    name,
                    new,
                    kept: None,
                });
            }
            Ok(Salvage::Kept { reason }) => reason,
            Err(error) => error.to_string(),
        };
        warn!(feature = of.feature, why, "a worktree is set aside");
        let aside = repository.set_aside(names, &worktree, &label)?;
        let (name, new) = self.save_branch(site, of.feature, name, head)?;
        let kept = Some(kept(&aside, UNPROVEN));
        Ok(Saved { name, new, kept })
    }

    /// Saves the commits on a feature's branch that the integration branch does not have, under `name` if it is
    /// free. Returns the ref that holds them, or an empty text when there are none, and whether it was made now.
    fn save_branch(
        &self,
        site: &Site,
        feature: &str,
        name: String,
        head: &Oid,
    ) -> Result<(String, bool), Trouble> {
        let repository = &site.repository;
        let earlier = repository.resolve(&name)?;
        let tip = repository.resolve(&site.names.feature_ref(feature)?)?;
        let Some(tip) = tip else {
            return Ok((earlier.map(|_| name).unwrap_or_default(), false));
        };
        if repository.is_ancestor(&tip, head)? {
            return Ok((earlier.map(|_| name).unwrap_or_default(), false));
        }
        if let Some(earlier) = &earlier
            && repository.is_ancestor(&tip, earlier)?
        {
            return Ok((name, false));
        }
        if let Some(holder) = self.salvaged_as(site, &tip)? {
            return Ok((holder, false));
        }
        let name = match earlier {
            None => name,
            Some(_) => format!("{name}-{}", tip.short()),
        };
        repository.create_ref(&name, &tip)?;
        Ok((name, true))
    }

    /// The first salvage ref of the sprint that holds a commit.
    fn salvaged_as(&self, site: &Site, commit: &Oid) -> Result<Option<String>, Trouble> {
        let prefix = format!("refs/director/salvage/{}/", site.names.sprint());
        for (name, at) in site.repository.refs(&prefix)? {
            if site.repository.is_ancestor(commit, &at)? {
                return Ok(Some(name));
            }
        }
        Ok(None)
    }

    pub(super) fn clean_up(
        &self,
        place: &Place,
        features: &[String],
        call_off: &CallOff,
    ) -> Result<Vec<String>, Trouble> {
        if place.head.is_empty() {
            return Ok(Vec::new()); // A sprint that was refused has nothing of ours.
        }
        let site = self.site(place)?;
        call_off.check()?;
        let _cleaning = lock(&self.cleaning);
        // Gates that still run are of no use to anyone.
        site.floor.stop.send_replace(Stop::Cancel);
        let hall = site.floor.hall.clone().blocking_lock_owned();
        let all = site.floor.all.write();
        let kept = call_off
            .check()
            .and_then(|()| self.clear(&site, place, features));
        site.floor.stop.send_replace(Stop::Go);
        drop((all, hall));
        kept
    }

    /// Takes back what preparing a sprint made that was refused then: nothing of it is left.
    pub(super) fn withdraw(
        &self,
        place: &Place,
        call_off: &CallOff,
    ) -> Result<Vec<String>, Trouble> {
        let kept = self.clean_up(place, &[], call_off)?;
        if place.head.is_empty() {
            return Ok(kept);
        }
        let site = self.site(place)?;
        let _branch = lock(&site.floor.branch);
        let name = site.names.integration_ref();
        let checked_out = site
            .repository
            .checkouts_of(&site.names.integration_branch())?;
        // One that moved meanwhile has somebody else's work on it.
        if checked_out.is_empty() && site.repository.resolve(&name)? == Some(place.head.parse()?) {
            site.repository.delete_ref(&name, &place.head.parse()?)?;
        }
        Ok(kept)
    }

    fn clear(
        &self,
        site: &Site,
        place: &Place,
        features: &[String],
    ) -> Result<Vec<String>, Trouble> {
        let Site {
            repository, names, ..
        } = site;
        let head: Oid = place.head.parse()?;
        let mut kept = Vec::new();
        for entry in repository.worktrees(names)? {
            if let Some(feature) = entry.feature.as_deref().filter(|_| entry.present) {
                let belongings = Belongings {
                    sprint: place.id,
                    feature,
                    owner: feature,
                    number: 0,
                    date_ms: self.clock.now_ms(),
                };
                self.save(site, &belongings, &head)?;
            }
            // What was set aside is not at this path any more.
            if still_there(site, &entry.worktree)? {
                repository.remove_worktree(&entry.worktree)?;
            }
        }
        repository.clear_debris(names)?;
        for feature in features {
            if let Some(why) = self.drop_branch(site, feature, &head)? {
                kept.push(why);
            }
        }
        let aside = repository.set_aside_of(names);
        kept.extend(aside.iter().map(|path| self::kept(path, UNPROVEN)));
        let _ = std::fs::remove_dir(repository.worktrees_dir()); // Only when it is empty.
        Ok(kept)
    }

    /// Deletes a feature's branch once its commits are merged or saved; says why when it stays.
    fn drop_branch(
        &self,
        site: &Site,
        feature: &str,
        head: &Oid,
    ) -> Result<Option<String>, Trouble> {
        let Site {
            repository, names, ..
        } = site;
        let (branch, name) = (names.feature_branch(feature)?, names.feature_ref(feature)?);
        let Some(tip) = repository.resolve(&name)? else {
            return Ok(None);
        };
        if !repository.checkouts_of(&branch)?.is_empty() {
            return Ok(Some(format!("branch `{branch}`: it is checked out")));
        }
        self.save_branch(site, feature, names.salvage_ref(feature, 0)?, head)?;
        repository.delete_ref(&name, &tip)?;
        Ok(None)
    }
}

fn still_there(site: &Site, worktree: &Worktree) -> Result<bool, Trouble> {
    let entries = site.repository.worktrees(&site.names)?;
    Ok(entries.iter().any(|entry| entry.worktree == *worktree))
}

fn kept(path: &Path, why: &str) -> String {
    let how = match path.join(".git").is_dir() {
        true => "delete it: it is a clone", // Git knows it no more.
        false => "`git worktree remove --force` it",
    };
    format!(
        "`{}` was kept ({why}); take from it what you need, then {how}",
        path.display()
    )
}

fn size(work: &Work) -> DiffStat {
    let count = |n: u64| u32::try_from(n).unwrap_or(u32::MAX);
    DiffStat {
        files: count(work.files_changed.len() as u64),
        insertions: count(work.insertions),
        deletions: count(work.deletions),
    }
}

/// The names of the files that changed, as far as they are text of a usual length and not too many.
fn names(work: &Work) -> Vec<String> {
    let named = work.files_changed.iter().filter_map(|path| path.to_str());
    named
        .filter(|name| name.len() <= FILE_NAME_MAX)
        .take(FILES_MAX)
        .map(str::to_owned)
        .collect()
}

/// The paths that should exist and do not. A path that leaves the worktree counts as missing.
fn missing(worktree: &Path, produces: &[String]) -> Vec<String> {
    let inside = |path: &Path| {
        path.components()
            .all(|part| matches!(part, Component::Normal(_) | Component::CurDir))
    };
    let exists = |name: &String| {
        let path = Path::new(name);
        inside(path) && worktree.join(path).symlink_metadata().is_ok()
    };
    produces
        .iter()
        .filter(|name| !exists(name))
        .cloned()
        .collect()
}
