//! One look ahead at a sprint: what its work under way would conflict with, if it were merged now.
//!
//! ```text
//! each branch ─▶ what it holds ─▶ merged onto the integration branch ─┬─ conflict with what was merged
//!                                                                     └─ clean ─▶ each pair of those ─▶ conflict with each other
//! ```
//!
//! So a pair is tried as it will come to pass, one merged after the other, and a conflict is that of the right two. Only what has
//! changed since the last look is tried again, a pair only if the names of the files leave a conflict possible, and at most
//! [`PAIRS_MAX`] of them in one look: the rest has its turn in the next one. A branch that conflicts with what was merged is compared
//! with no other until that is over.
//!
//! Invariant: nothing is written but in the folder of the looks, and whoever needs a worktree goes first.
//! Elsewhere: when to look is `lookout`; how git is asked is [`director_agents::git::ahead`].

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::TryLockError;

use director_agents::git::Oid;
use director_agents::git::ahead::{Outlook, Scratch, Snapshot, Touched};
use director_protocols::ids::{Attempt, TaskId};
use director_protocols::work::{FILE_NAME_MAX, FILES_MAX, Sight};
use tracing::debug;

use super::workshop::Site;
use super::{Trouble, Workshop};
use crate::engine::clashes::{Branch, Watch};

/// The most pairs that are merged in one look.
pub const PAIRS_MAX: usize = 200;
/// When so many bytes were read, or so many snapshots made, all that looks have made is thrown away.
const READ_MAX: u64 = 256 << 20;
const SNAPSHOTS_MAX: usize = 2_000;

/// A task's attempt.
type Of = (TaskId, Attempt);

/// What was seen in a sprint so far; see the module.
pub struct Looks {
    dir: PathBuf,
    scratch: Option<Scratch>,
    read: u64,
    snapshots: usize,
    branches: BTreeMap<Of, Seen>,
    /// Pairs that were tried, and in which form of both.
    pairs: BTreeMap<(Of, Of), (Oid, Oid)>,
    /// What was said last.
    said: BTreeMap<(Of, Option<Of>), Vec<String>>,
}

/// A branch, as it was seen last.
struct Seen {
    /// Where the integration branch stood.
    head: Oid,
    snapshot: Option<Snapshot>,
    holds: Oid,
    /// Merged onto the integration branch, with what that changes; nothing where it conflicts.
    merged: Option<(Oid, Touched)>,
    clash: Vec<String>,
}

/// What one look cost and found.
#[derive(Debug, Default)]
pub struct Look {
    /// What is new.
    pub sights: Vec<Sight>,
    /// Pairs that were merged.
    pub pairs: usize,
    /// Whether pairs were left for the next look.
    pub left: bool,
}

impl Looks {
    /// Looks that keep what they make in `dir`.
    pub fn new(dir: PathBuf) -> Self {
        Self {
            dir,
            scratch: None,
            read: 0,
            snapshots: 0,
            branches: BTreeMap::new(),
            pairs: BTreeMap::new(),
            said: BTreeMap::new(),
        }
    }

    /// Forgets everything but what was said.
    fn begin_anew(&mut self) {
        self.scratch = None;
        (self.read, self.snapshots) = (0, 0);
        self.branches.clear();
        self.pairs.clear();
    }

    /// Forgets what is not under way any more.
    fn forget(&mut self, watch: &Watch) {
        let there = |of: &Of| watch.branches.iter().any(|branch| branch.of == *of);
        if let Some(scratch) = &self.scratch {
            let gone = self.branches.keys().filter(|of| !there(of));
            gone.for_each(|of| scratch.forget(&name(*of)));
        }
        self.branches.retain(|of, _| there(of));
        self.pairs
            .retain(|(one, other), _| there(one) && there(other));
        self.said
            .retain(|(of, with), _| there(of) && with.as_ref().is_none_or(there));
    }

    /// Notes how something would merge, if that was not said before, or it is `new` in any case.
    fn say(&mut self, look: &mut Look, (of, with): (Of, Option<Of>), files: &[String], new: bool) {
        let before = self.said.insert((of, with), files.to_vec());
        if new || before.is_none_or(|before| before != files) {
            look.sights.push(Sight {
                of,
                with,
                files: files.to_vec(),
            });
        }
    }
}

fn name((task, attempt): Of) -> String {
    format!("{task}-{attempt}")
}

impl Workshop {
    /// Looks once at everything that is to be watched.
    ///
    /// # Errors
    /// The repository cannot be used. A branch that cannot be looked at is passed over.
    pub fn look_ahead(&self, watch: &Watch, looks: &mut Looks) -> Result<Look, Trouble> {
        let site = self.site(&watch.place)?;
        let head: Oid = watch.place.head.parse()?;
        if looks.read > READ_MAX || looks.snapshots > SNAPSHOTS_MAX {
            looks.begin_anew();
        }
        looks.forget(watch);
        let scratch = match &looks.scratch {
            Some(scratch) => scratch.clone(),
            None => {
                let made = Scratch::new(&looks.dir, &site.repository)?;
                looks.scratch.insert(made).clone()
            }
        };
        let mut look = Look::default();
        for branch in &watch.branches {
            let seen = self.look_at(&site, &scratch, looks, branch, &head);
            match seen {
                Ok(Some(seen)) => {
                    // What was said of another state of the integration branch may not have counted.
                    let last = looks.branches.get(&branch.of);
                    let new = last.is_none_or(|last| last.head != head);
                    looks.say(&mut look, (branch.of, None), &seen.clash, new);
                    looks.branches.insert(branch.of, seen);
                }
                Ok(None) => {}
                // It may have vanished a moment ago; whoever is to commit or save it finds out what is wrong.
                Err(error) => {
                    debug!(feature = branch.feature, %error, "a branch could not be looked at");
                    looks.branches.remove(&branch.of);
                }
            }
        }
        compare(&site, &scratch, looks, (&head, &mut look))?;
        Ok(look)
    }

    /// What a branch holds and how it would be merged; nothing where that is as it was, or somebody else has its worktree in hand.
    fn look_at(
        &self,
        site: &Site,
        scratch: &Scratch,
        looks: &mut Looks,
        branch: &Branch,
        head: &Oid,
    ) -> Result<Option<Seen>, Trouble> {
        let last = looks.branches.get(&branch.of);
        let (holds, snapshot) = match branch.commit.as_str() {
            "" => {
                let feature = site.floor.feature(&branch.feature);
                let Ok(_all) = site.floor.all.try_read() else {
                    return Ok(None);
                };
                let _feature = match feature.try_lock() {
                    Err(TryLockError::WouldBlock) => return Ok(None),
                    held => held,
                };
                let worktree = site.repository.worktree(&site.names, &branch.feature)?;
                let before = last.and_then(|seen| seen.snapshot.as_ref());
                let snapshot =
                    site.repository
                        .snapshot(scratch, &worktree, &name(branch.of), before)?;
                looks.read += snapshot.read;
                looks.snapshots += usize::from(snapshot.read > 0);
                (snapshot.commit.clone(), Some(snapshot))
            }
            commit => (commit.parse()?, None),
        };
        let last = looks.branches.get_mut(&branch.of);
        if let Some(last) = last.filter(|last| last.holds == holds && last.head == *head) {
            last.snapshot = snapshot;
            return Ok(None);
        }
        let mut seen = Seen {
            head: head.clone(),
            snapshot,
            holds,
            merged: None,
            clash: Vec::new(),
        };
        let outlook = match branch.begun_at == head.as_str() {
            true => Outlook::Clean(seen.holds.clone()),
            false => site.repository.outlook(scratch, head, &seen.holds)?,
        };
        match outlook {
            Outlook::Clean(commit) => {
                let touched = site.repository.touched(scratch, head, &commit)?;
                seen.merged = Some((commit, touched));
            }
            Outlook::Conflict(files) => seen.clash = named(&files),
        }
        Ok(Some(seen))
    }
}

/// Compares each two branches that would be merged as things stand, where one of them is not as it was.
fn compare(
    site: &Site,
    scratch: &Scratch,
    looks: &mut Looks,
    (head, look): (&Oid, &mut Look),
) -> Result<(), Trouble> {
    let ready: Vec<(Of, Oid, Touched)> = looks
        .branches
        .iter()
        .filter(|(_, seen)| seen.head == *head)
        .filter_map(|(of, seen)| {
            let (commit, touched) = seen.merged.as_ref()?;
            Some((*of, commit.clone(), touched.clone()))
        })
        .collect();
    for (place, (one, a, of_one)) in ready.iter().enumerate() {
        for (other, b, of_other) in &ready[place + 1..] {
            let (pair, form) = ((*one, *other), (a.clone(), b.clone()));
            if looks.pairs.get(&pair) == Some(&form) {
                continue;
            }
            let mut files = Vec::new();
            if of_one.meets(of_other) {
                if look.pairs == PAIRS_MAX {
                    look.left = true;
                    continue;
                }
                look.pairs += 1;
                if let Outlook::Conflict(found) = site.repository.outlook(scratch, a, b)? {
                    files = named(&found);
                }
            }
            looks.pairs.insert(pair, form);
            looks.say(look, (*one, Some(*other)), &files, false);
        }
    }
    Ok(())
}

/// The files by name, at most [`FILES_MAX`], as text of a bounded length.
fn named(files: &[PathBuf]) -> Vec<String> {
    let files = files.iter().take(FILES_MAX);
    files
        .map(|file| {
            let name = file.to_string_lossy().replace(char::is_control, "\u{fffd}");
            let end = name.floor_char_boundary(FILE_NAME_MAX);
            name[..end].to_owned()
        })
        .collect()
}

#[cfg(test)]
mod tests;
