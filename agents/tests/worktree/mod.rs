//! A task in a worktree, for agents that are played by a script.

use std::fs;

use director_agents::context::Context;
use director_protocols::work::Assignment;
use tempfile::TempDir;

/// An assignment in a worktree, and the data directory.
pub fn assignment() -> (TempDir, Assignment) {
    let dir = tempfile::tempdir().unwrap();
    let worktree = dir.path().join("worktree");
    fs::create_dir(&worktree).unwrap();
    let mut assignment = Context::assignment_for_tests("Write a line.");
    assignment.workdir = worktree.to_str().unwrap().to_owned();
    (dir, assignment)
}
