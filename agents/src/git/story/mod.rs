//! Stories: the promises of this module, with real git in real folders.

mod killed;
mod salvage;
mod sprint;
mod worktrees;

use std::ffi::OsStr;
use std::fs;

use super::fixture::DATE_MS;
use super::*;

pub fn salvage(repository: &Repository, worktree: &Worktree, base: &Oid, attempt: u32) -> Salvage {
    let name = SprintNames::new("s1")
        .unwrap()
        .salvage_ref("t", attempt)
        .unwrap();
    let message = "salvage";
    let request = SalvageRequest {
        worktree,
        base,
        name: &name,
        message,
        date_ms: DATE_MS,
    };
    repository.salvage(&request).unwrap()
}

pub fn commit(repository: &Repository, worktree: &Worktree, base: &Oid) -> Result<Work, GitError> {
    let message = SprintNames::new("s1").unwrap().message("work", "t", 1);
    repository.commit_all(&CommitRequest {
        worktree,
        base,
        message: &message,
        date_ms: DATE_MS,
    })
}

pub fn put(worktree: &Worktree, file: impl AsRef<OsStr>, text: &[u8]) {
    let path = worktree.path().join(file.as_ref());
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}
