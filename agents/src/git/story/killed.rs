//! The process that works on git is killed at any moment, for real, and the next one goes on.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

use super::{commit, put, salvage};
use crate::git::fixture::{DATE_MS, Fixture, git_in};
use crate::git::*;

/// Names the repository for the process that is killed, and marks its git commands.
const MARK: &str = "DIRECTOR_TEST_KILLED";
const KILLS: u64 = 12;

#[test]
#[cfg(target_os = "linux")] // Marked processes are found through /proc.
fn killed_at_any_moment_the_next_process_goes_on() {
    let fixture = Fixture::new();
    let (repository, names, base) = (fixture.repository(), fixture.names(), fixture.head());
    repository.hide_our_folders().unwrap();
    fixture.write("mine", "uncommitted");
    let mut tip = base.clone();
    for kill in 0..KILLS {
        let mut victim = Command::new(std::env::current_exe().unwrap())
            .args([
                "--exact",
                "git::story::killed::works_until_it_is_killed",
                "--ignored",
            ])
            .env(MARK, fixture.path(""))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        // Spread over the first rounds of its work; which step that hits, differs from run to run.
        thread::sleep(Duration::from_millis(40 + kill * 37));
        assert!(
            victim.try_wait().unwrap().is_none(),
            "kill {kill}: it failed by itself"
        );
        victim.kill().unwrap();
        victim.wait().unwrap();
        sweep(&fixture.path(""));

        repository.clear_ref_locks(&names).unwrap();
        repository.clear_debris(&names).unwrap();
        if let Some(now) = repository.resolve(&names.integration_ref()).unwrap() {
            assert!(
                repository.is_ancestor(&tip, &now).unwrap(),
                "kill {kill}: the branch went back"
            );
            tip = now;
        }
        if let Ok(worktree) = repository.worktree(&names, "f") {
            let attempt = 100 + u32::try_from(kill).unwrap();
            let saved = salvage(&repository, &worktree, &base, attempt);
            assert!(
                !matches!(saved, Salvage::Kept { .. }),
                "kill {kill}: {saved:?}"
            );
        }
        let worktree = repository.prepare_worktree(&names, "f", &tip).unwrap();
        let status = git_in(worktree.path(), &["status", "--porcelain", "--branch"]);
        assert_eq!(status, "## feature/s1-f\n", "kill {kill}");
    }
    assert_ne!(tip, base, "it never got as far as a merge");
    assert_eq!(fixture.git(&["status", "--porcelain"]), "?? mine\n");
    assert_eq!(fixture.head(), base);
    fixture.git(&["fsck", "--connectivity-only", "--no-dangling"]);
}

#[test]
#[ignore = "started and killed by the test above"]
fn works_until_it_is_killed() {
    let Some(path) = std::env::var_os(MARK) else {
        return;
    };
    let repository = Repository::open(Path::new(&path)).unwrap();
    let names = SprintNames::new("s1").unwrap();
    let base = repository.resolve("main").unwrap().unwrap();
    let integration = names.integration_ref();
    repository.clear_ref_locks(&names).unwrap();
    for round in 0u32.. {
        if repository.resolve(&integration).unwrap().is_none() {
            repository.create_integration_branch(&names, &base).unwrap();
        }
        let tip = repository.resolve(&integration).unwrap().unwrap();
        let worktree = repository.prepare_worktree(&names, "f", &tip).unwrap();
        put(&worktree, format!("{tip}-{round}"), b"work");
        salvage(&repository, &worktree, &tip, round);
        let work = commit(&repository, &worktree, &tip).unwrap();
        let request = MergeRequest {
            onto: &tip,
            work: &work.head,
            message: "merge",
            date_ms: DATE_MS,
        };
        let Merge::Prepared { commit, .. } = repository.prepare_merge(&request).unwrap() else {
            return;
        };
        repository.advance(&integration, &commit, &tip).unwrap();
        repository.remove_worktree(&worktree).unwrap();
        repository
            .delete_ref(&names.feature_ref("f").unwrap(), &work.head)
            .unwrap();
    }
}

/// Ends the git commands that the killed process left, as the start-up sweep does: git is asked, so that it
/// removes its lock files.
fn sweep(mark: &Path) {
    let mark = format!("{MARK}={}", mark.display()).into_bytes();
    let marked = |process: &PathBuf| {
        let environment = fs::read(process.join("environ")).unwrap_or_default();
        environment.split(|b| *b == 0).any(|entry| entry == mark)
    };
    loop {
        let processes = fs::read_dir("/proc")
            .unwrap()
            .flatten()
            .map(|entry| entry.path());
        let left: Vec<_> = processes.filter(marked).collect();
        if left.is_empty() {
            return;
        }
        for process in left {
            let number = process
                .file_name()
                .and_then(|name| name.to_str()?.parse().ok());
            if let Some(pid) = number.and_then(Pid::from_raw) {
                let _ = kill_process(pid, Signal::TERM); // It may have ended by itself.
            }
        }
        thread::yield_now();
    }
}
