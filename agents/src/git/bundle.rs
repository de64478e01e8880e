//! Commits that travel to another machine and back, as git bundles.
//!
//! Whoever works far away keeps one bare repository, into which each bundle is taken under a name of its own, and a worktree for each task.
//! What comes back is taken only if it is built on what was sent.
//!
//! Invariant: what was fetched has passed git's own check of its objects; nothing of the user's is touched.
//! Elsewhere: what is sent along with it is [`crate::remote`].

use std::fs;
use std::path::Path;

use super::command::GitCommand;
use super::{GitError, Oid};

/// A command in a checkout, which is never looked for above it.
fn within(dir: &Path) -> GitCommand {
    let above = dir.parent().unwrap_or(dir);
    GitCommand::new(dir)
        .env("GIT_CEILING_DIRECTORIES", above)
        .args(["-c", "transfer.fsckObjects=true"])
}

/// The commit that the checkout has.
///
/// # Errors
/// That git failed.
pub fn head(dir: &Path) -> Result<Oid, GitError> {
    let output = within(dir).args(["rev-parse", "HEAD"]).run()?;
    Oid::from_output("rev-parse", output.line())
}

/// Packs what the checkout's commit has, without what `base` has.
///
/// # Errors
/// That git failed; a commit that has nothing beyond `base` is among the reasons.
pub fn pack(dir: &Path, base: Option<&Oid>, file: &Path) -> Result<(), GitError> {
    let mut command = within(dir)
        .args(["bundle", "create", "--quiet"])
        .arg(file)
        .arg("HEAD");
    if let Some(base) = base {
        command = command.args(["--not", base.as_str()]);
    }
    command.run().map(drop)
}

/// Takes a bundle into the bare repository `room`, which is made where it is missing, and checks its commit out in `dir`.
///
/// # Errors
/// That git or the file system failed.
pub fn unpack(room: &Path, file: &Path, name: &str, dir: &Path) -> Result<Oid, GitError> {
    if !room.join("HEAD").exists() {
        fs::create_dir_all(room).map_err(GitError::io("make", room.to_owned()))?;
        within(room).args(["init", "--quiet", "--bare"]).run()?;
    }
    let name = format!("refs/tasks/{name}");
    clear(room, dir)?;
    within(room)
        .args(["fetch", "--quiet", "--no-tags", "--no-write-fetch-head"])
        .arg(file)
        .arg(format!("+HEAD:{name}"))
        .run()?;
    let output = within(room).args(["rev-parse", &name]).run()?;
    let commit = Oid::from_output("rev-parse", output.line())?;
    if let Some(above) = dir.parent() {
        fs::create_dir_all(above).map_err(GitError::io("make", above.to_owned()))?;
    }
    within(room)
        .args(["worktree", "add", "--quiet", "--detach", "--force"])
        .arg(dir)
        .arg(commit.as_str())
        .run()?;
    Ok(commit)
}

/// Removes the worktree, if it is there.
///
/// # Errors
/// That git or the file system failed.
pub fn clear(room: &Path, dir: &Path) -> Result<(), GitError> {
    if dir.exists() {
        fs::remove_dir_all(dir).map_err(GitError::io("remove", dir.to_owned()))?;
    }
    within(room).args(["worktree", "prune"]).run().map(drop)
}

/// Commits everything in the checkout, if anything is uncommitted; the commit that it has then.
///
/// # Errors
/// That git failed.
pub fn commit(dir: &Path, message: &str) -> Result<Oid, GitError> {
    within(dir).args(["add", "--all"]).run()?;
    let clean = within(dir)
        .args(["diff", "--cached", "--quiet"])
        .run_expecting(&[0, 1])?;
    if clean.code == 1 {
        within(dir)
            .args(["commit", "--quiet", "--no-verify", "--message", message])
            .run()?;
    }
    head(dir)
}

/// Brings the checkout to a bundle's commit, which has to be built on the one that it has. False: it is not.
///
/// # Errors
/// That git failed.
pub fn take(dir: &Path, file: &Path) -> Result<bool, GitError> {
    let base = head(dir)?;
    within(dir)
        .args(["fetch", "--quiet", "--no-tags"])
        .arg(file)
        .arg("HEAD")
        .run()?;
    let built_on = within(dir)
        .args(["merge-base", "--is-ancestor", base.as_str(), "FETCH_HEAD"])
        .run_expecting(&[0, 1])?;
    if built_on.code != 0 {
        return Ok(false);
    }
    within(dir)
        .args(["reset", "--quiet", "--hard", "FETCH_HEAD"])
        .run()?;
    Ok(true)
}
