//! Looks and deeds for people at the command line, with no director needed: deliver, worktrees, diff.
//!
//! Everything here blocks.

use std::path::PathBuf;

use director_agents::git::{Delivery, DeliveryRequest, Oid, SprintNames};

use super::Trouble;
use super::git::open;
use crate::engine::orders::{Piece, Place};

/// A worktree of a sprint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WorktreeLine {
    /// The feature; `None` for the integration worktree.
    pub feature: Option<String>,
    /// Where it is.
    pub path: PathBuf,
    /// The commit it stands at, in hex; empty when that cannot be read.
    pub commit: String,
    /// Whether its folder is there.
    pub present: bool,
}

/// Brings the integration branch into a branch of the user's: `into`, else the sprint's base, else the one that is
/// checked out. It has to stand at `expected`; `None`: wherever it stands. `date_ms` is the date of a merge
/// commit, should one be needed.
///
/// # Errors
/// [`Trouble::BranchMoved`] when the integration branch does not stand where the journal left it,
/// [`Trouble::Detached`] when there is no branch to deliver to, or that git failed. What lies with the branch of the
/// user's is [`Delivery::NotDelivered`].
pub fn deliver(
    place: &Place,
    into: Option<&str>,
    expected: Option<&Oid>,
    date_ms: u64,
) -> Result<Delivery, Trouble> {
    let repository = open(place)?;
    let names = SprintNames::new(&place.sprint)?;
    let head: Oid = place.head.parse()?;
    let found = repository.resolve(&names.integration_ref())?;
    if found.as_ref() != Some(&head) {
        return Err(Trouble::BranchMoved {
            name: names.integration_ref(),
            expected: head,
            found,
        });
    }
    let named = into.or(place.base.as_deref()).map(str::to_owned);
    let base = match named {
        Some(base) => base,
        None => repository
            .current_branch()?
            .ok_or_else(|| Trouble::Detached {
                path: repository.top().to_owned(),
            })?,
    };
    let now = repository.resolve(&format!("refs/heads/{base}"))?;
    let base_at = expected.cloned().or(now);
    let message = format!("Deliver sprint {}\n", names.sprint());
    let request = DeliveryRequest {
        integrated: &head,
        integration_branch: &names.integration_branch(),
        base: &base,
        base_at: base_at.as_ref().unwrap_or(&head),
        message: &message,
        date_ms,
    };
    Ok(repository.deliver(&request)?)
}

/// The sprint's worktrees, in the order of their paths.
///
/// # Errors
/// That the repository cannot be opened or read.
pub fn worktrees(place: &Place) -> Result<Vec<WorktreeLine>, Trouble> {
    let names = SprintNames::new(&place.sprint)?;
    let entries = open(place)?.worktrees(&names)?;
    let line = |entry: director_agents::git::WorktreeEntry| WorktreeLine {
        feature: entry.feature,
        path: entry.worktree.path().to_owned(),
        commit: entry.head.map_or_else(String::new, String::from),
        present: entry.present,
    };
    Ok(entries.into_iter().map(line).collect())
}

/// What a task changed, as a patch: its merge against what it was merged onto; before that its commit, or the
/// files in its worktree, against where it began.
///
/// # Errors
/// That the repository cannot be read, or that the task has neither a commit nor a worktree.
pub fn diff(place: &Place, piece: &Piece) -> Result<String, Trouble> {
    let repository = open(place)?;
    let names = SprintNames::new(&place.sprint)?;
    let begun_at = match piece.begun_at.as_str() {
        "" => &place.head,
        begun_at => begun_at,
    };
    let begun_at: Oid = begun_at.parse()?;
    if piece.commit.is_empty() {
        let worktree = repository.worktree(&names, &piece.feature)?;
        return Ok(repository.patch_of_worktree(&worktree, &begun_at)?);
    }
    let work: Oid = piece.commit.parse()?;
    let (head, since) = (place.head.parse()?, place.started_at.parse()?);
    let patch = match repository.merge_of(&head, &since, &work)? {
        Some((merge, onto)) => repository.patch(&onto, &merge)?,
        None => repository.patch(&begun_at, &work)?,
    };
    Ok(String::from_utf8_lossy(&patch).into_owned())
}
