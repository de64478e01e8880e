//! Clones: a feature's worktree in which the agent finds a repository of its own instead of the user's.
//!
//! The folder, its place and our administrative folder stay as they are for a worktree; only its `.git` is no link to
//! them any more, but a repository with one branch, which borrows the objects. A git command in the folder finds no
//! ref, config or hook of the user's; what we do there names the administrative folder, as always. So tasks of one
//! feature can take turns in worktree and clone, and build output stays warm.
//!
//! Before the work is committed or salvaged it is collected: the commits that the agent made, where its HEAD and its
//! feature branch stand, a merge that it has not ended. Other branches and stashes of the agent's that hold something
//! HEAD does not are saved below `refs/director/branches/<sprint>/<feature>/`. From then on everything is as if the
//! agent had worked in a worktree.
//!
//! Invariant: a clone is replaced only by a reset, and callers collect before that.
//! Elsewhere: what was made here is undone by the reset in `worktree`, which puts the link back.

use std::fs::{self, OpenOptions};
use std::io::Read;
use std::path::{Path, PathBuf};

use super::command::GitCommand;
use super::repository::path_of;
use super::worktree::{owner, remove_tree};
use super::{GitError, Oid, Repository, Worktree};
use crate::inside;

/// The file in the administrative folder that says that the agent has a clone; [`COLLECTED`] once its work is ours.
const MARKER: &str = "director-clone";
const COLLECTED: &str = "collected";
/// What we wrote into the clone's config, in the administrative folder.
const CONFIG: &str = "director-clone.config";
/// What in a repository leads git to other repositories, or changes what a commit is.
const MISLEADING: [&str; 7] = [
    "commondir",
    "config.worktree",
    "gitdir",
    "shallow",
    "info/grafts",
    "info/attributes",
    "objects/info/http-alternates",
];
/// Settings of the user's repository that the files and commits of a clone depend on.
const INHERITED: &str =
    "^(user|filter|merge|diff)\\.|^core\\.(autocrlf|eol|safecrlf|filemode|symlinks|ignorecase)$";
/// What git keeps of an unfinished merge.
const MERGE: [&str; 3] = ["MERGE_HEAD", "MERGE_MODE", "MERGE_MSG"];

impl Repository {
    /// Puts a repository of the agent's own into a worktree that was just prepared: on the feature's branch, at its
    /// commit, with the same files, index and unfinished merge, and without a remote.
    ///
    /// # Errors
    /// [`GitError::Io`], or that git failed; the worktree has to be prepared again then.
    pub fn isolate(&self, worktree: &Worktree) -> Result<(), GitError> {
        let Worktree { path, admin, .. } = worktree;
        let made = self.trash_folder(path);
        self.clone_into(worktree, &made)?;
        let git_dir = made.join(".git");
        self.inherit(&git_dir)?;
        for file in MERGE.iter().chain(&["index"]) {
            copy_if_there(&admin.join(file), &git_dir.join(file))?;
        }
        let config = admin.join(CONFIG);
        fs::copy(git_dir.join("config"), &config).map_err(GitError::io("copy", config))?;
        let marker = admin.join(MARKER);
        fs::write(&marker, "").map_err(GitError::io("write", marker))?;
        let link = path.join(".git");
        remove_tree(&link)?;
        fs::rename(&git_dir, &link).map_err(GitError::io("move", git_dir))?;
        remove_tree(&made)
    }

    /// Whether the agent of this worktree has a repository of its own there.
    pub fn is_clone(&self, worktree: &Worktree) -> bool {
        let git_dir = worktree.path.join(".git");
        worktree.admin.join(MARKER).exists()
            && fs::symlink_metadata(git_dir).is_ok_and(|meta| meta.is_dir())
    }

    /// Brings home what an agent committed in its clone. Does nothing in a worktree, after the work was committed, and
    /// where the agent deleted its repository: its files are there all the same. Safe to repeat.
    ///
    /// # Errors
    /// That git failed, which a broken clone is among the reasons of; nothing of it may be deleted then.
    pub fn collect(&self, worktree: &Worktree) -> Result<(), GitError> {
        let Worktree {
            path,
            admin,
            branch,
        } = worktree;
        let collected =
            fs::read(admin.join(MARKER)).is_ok_and(|state| state == COLLECTED.as_bytes());
        if collected || !self.is_clone(worktree) {
            return Ok(());
        }
        let clone = Clone {
            git_dir: path.join(".git"),
            path,
        };
        self.disarm(&clone, admin)?;
        let head = clone.resolve("HEAD")?;
        let tip = branch.as_deref().map(|branch| clone.resolve(branch));
        let tip = tip.transpose()?.flatten();
        self.fetch(&clone, worktree, head.as_ref(), tip.as_ref())?;
        if let (Some(branch), Some(tip)) = (branch, &tip) {
            self.update(branch, Some(tip), self.resolve(branch)?.as_ref())?;
        }
        if let Some(head) = &head {
            self.in_worktree(admin, path)
                .args(["update-ref", "--no-deref", "HEAD", head.as_str()])
                .run()?;
        }
        for file in MERGE {
            remove_tree(&admin.join(file))?;
            bring_home(&clone.git_dir, file, &admin.join(file))?;
        }
        // What the agent staged although it is ignored belongs to its work.
        let staged = [
            "ls-files",
            "-z",
            "--cached",
            "--ignored",
            "--exclude-standard",
        ];
        let staged = clone.git().args(staged).run_expecting(&[0, 128])?;
        let there = |file: &&[u8]| {
            fs::symlink_metadata(path.join(path_of(file))).is_ok_and(|meta| !meta.is_dir())
        };
        let mut list = Vec::new();
        for file in staged.fields().filter(there) {
            list.extend_from_slice(file);
            list.push(0);
        }
        if list.is_empty() {
            return Ok(());
        }
        let add = ["update-index", "--add", "--replace", "-z", "--stdin"];
        self.clear_locks(worktree)?;
        self.in_worktree(admin, path).args(add).stdin(list).run()?;
        Ok(())
    }

    /// Where the HEAD of a worktree stands, or of the clone in it, whose commits are brought home first.
    ///
    /// # Errors
    /// As [`Self::collect`].
    pub fn collected_head(&self, worktree: &Worktree) -> Result<Option<Oid>, GitError> {
        self.collect(worktree)?;
        self.head_of(worktree)
    }

    /// Notes that the work is committed here: what the clone's refs say does not count any more.
    pub(super) fn has_collected(&self, worktree: &Worktree) -> Result<(), GitError> {
        let marker = worktree.admin.join(MARKER);
        if !marker.exists() {
            return Ok(());
        }
        fs::write(&marker, COLLECTED).map_err(GitError::io("write", marker))
    }

    /// Forgets that there was a clone; the link is in its place again.
    pub(super) fn no_clone(&self, admin: &Path) -> Result<(), GitError> {
        remove_tree(&admin.join(CONFIG))?;
        remove_tree(&admin.join(MARKER))
    }

    /// Takes out of the agent's repository what would have git here run or read what the agent names: the config becomes what we wrote,
    /// borrowed objects are ours alone, and no link leads out of it. What the agent committed stays.
    fn disarm(&self, clone: &Clone<'_>, admin: &Path) -> Result<(), GitError> {
        let mut folders = vec![clone.git_dir.clone()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
                let path = entry.path();
                match entry.file_type() {
                    Ok(kind) if kind.is_dir() => folders.push(path),
                    Ok(kind) if kind.is_file() => {}
                    _ => fs::remove_file(&path).map_err(GitError::io("delete", path))?,
                }
            }
        }
        for name in MISLEADING {
            remove_tree(&clone.git_dir.join(name))?;
        }
        let borrowed = self.lent();
        let ours = fs::read(admin.join(CONFIG)).unwrap_or_default();
        for (name, content) in [("config", &ours), ("objects/info/alternates", &borrowed)] {
            let path = clone.git_dir.join(name);
            remove_tree(&path)?;
            if let Some(folder) = path.parent() {
                fs::create_dir_all(folder).map_err(GitError::io("create", folder))?;
            }
            let write = || {
                let mut file = OpenOptions::new()
                    .write(true)
                    .create_new(true)
                    .open(&path)?;
                std::io::Write::write_all(&mut file, content)
            };
            write().map_err(GitError::io("write", &path))?;
        }
        Ok(())
    }

    fn clone_into(&self, worktree: &Worktree, made: &Path) -> Result<(), GitError> {
        let parent = made.parent().unwrap_or(Path::new("/"));
        let words = [
            "clone",
            "--quiet",
            "--shared",
            "--no-checkout",
            "--no-tags",
            "--single-branch",
            "--origin=origin",
            "--template=",
        ];
        let branch = worktree.branch.as_deref();
        let branch = branch.and_then(|branch| branch.strip_prefix("refs/heads/"));
        let branch = branch.map(|branch| format!("--branch={branch}"));
        GitCommand::new(parent)
            .unsynced()
            .args(words)
            .args(branch)
            .arg("--")
            .arg(self.common_dir())
            .arg(made)
            .run()?;
        // Pushing to where it came from is not the agent's to do.
        let git_dir = made.join(".git");
        let remove = GitCommand::new(made).repository(&git_dir);
        remove.args(["remote", "remove", "origin"]).run().map(drop)
    }

    /// Copies what the user's repository says about files and names, and what it ignores.
    fn inherit(&self, git_dir: &Path) -> Result<(), GitError> {
        let settings = ["config", "--local", "--null", "--get-regexp", INHERITED];
        let settings = self.git().args(settings).run_expecting(&[0, 1])?;
        for setting in settings.fields() {
            let Some(end) = setting.iter().position(|b| *b == b'\n') else {
                continue; // A key without a value.
            };
            GitCommand::new(git_dir)
                .repository(git_dir)
                .args(["config", "--local", "--add"])
                .arg(path_of(&setting[..end]))
                .arg(path_of(&setting[end + 1..]))
                .run()?;
        }
        let info = git_dir.join("info");
        fs::create_dir_all(&info).map_err(GitError::io("create", &info))?;
        for file in ["exclude", "attributes"] {
            copy_if_there(&self.common_dir().join("info").join(file), &info.join(file))?;
        }
        Ok(())
    }

    /// Fetches HEAD and the feature's branch, and saves what other branches and stashes hold beside them.
    fn fetch(
        &self,
        clone: &Clone<'_>,
        worktree: &Worktree,
        head: Option<&Oid>,
        tip: Option<&Oid>,
    ) -> Result<(), GitError> {
        let mut list = clone.git().args(["for-each-ref", "--format=%(refname)"]);
        for known in [head, tip].into_iter().flatten() {
            list = list.args(["--no-merged", known.as_str()]);
        }
        let refs = list.args(["refs/heads", "refs/stash"]).run()?;
        let refs = String::from_utf8_lossy(&refs.stdout).into_owned();
        let (sprint, feature) = owner(&worktree.admin).unwrap_or_default();
        let mut wanted: Vec<String> = Vec::new();
        wanted.extend(head.map(|_| "HEAD".to_owned()));
        wanted.extend(tip.and(worktree.branch.clone()));
        for name in refs.lines() {
            let short = name.strip_prefix("refs/").unwrap_or(name);
            wanted.push(format!(
                "+{name}:refs/director/branches/{sprint}/{feature}/{short}"
            ));
        }
        if wanted.is_empty() {
            return Ok(());
        }
        let words = [
            "fetch",
            "--quiet",
            "--no-tags",
            "--no-write-fetch-head",
            "--no-auto-maintenance",
            "--no-recurse-submodules",
        ];
        let fetch = self
            .git()
            .without_lazy_fetch()
            .args(words)
            .arg(&clone.git_dir);
        fetch.args(wanted).run().map(drop)
    }
}

/// An agent's repository, with what is asked of it.
struct Clone<'a> {
    path: &'a Path,
    git_dir: PathBuf,
}

impl Clone<'_> {
    fn git(&self) -> GitCommand {
        GitCommand::new(self.path)
            .repository(&self.git_dir)
            .work_tree(self.path)
            .alone()
    }

    /// The commit that a ref of the clone stands at; `None` for one that is not born.
    fn resolve(&self, name: &str) -> Result<Option<Oid>, GitError> {
        let commit = format!("{name}^{{commit}}");
        let words = ["rev-parse", "--verify", "--quiet", &commit];
        let output = self.git().args(words).run_expecting(&[0, 1])?;
        (output.code == 0)
            .then(|| Oid::from_output("rev-parse", &output.stdout))
            .transpose()
    }
}

/// Longer than any message of a merge, in bytes.
const MESSAGE_BYTES_MAX: u64 = 1 << 20;

/// Copies a file of the agent's own repository, and nothing that a link there leads to.
fn bring_home(git_dir: &Path, file: &str, to: &Path) -> Result<(), GitError> {
    let Ok(mut from) = inside::open(git_dir, Path::new(file)) else {
        return Ok(());
    };
    let mut copy = || {
        std::io::copy(
            &mut (&mut from).take(MESSAGE_BYTES_MAX),
            &mut fs::File::create(to)?,
        )
    };
    copy().map(drop).map_err(GitError::io("copy", to))
}

fn copy_if_there(from: &Path, to: &Path) -> Result<(), GitError> {
    match fs::copy(from, to) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(GitError::io("copy", from)(error))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::git::fixture::{DATE_MS, Fixture, git_in};
    use crate::git::{CommitRequest, Salvage, SalvageRequest, Work};

    const FEATURE: &str = "refs/heads/feature/s1-api";

    fn isolated(fixture: &Fixture, base: &Oid) -> Worktree {
        let repository = fixture.repository();
        let worktree = repository.prepare_worktree(&fixture.names(), "api", base);
        let worktree = worktree.unwrap();
        repository.isolate(&worktree).unwrap();
        worktree
    }

    fn commit(fixture: &Fixture, worktree: &Worktree, base: &Oid) -> Work {
        let request = CommitRequest {
            worktree,
            base,
            message: "the rest",
            date_ms: DATE_MS,
        };
        let work = fixture.repository().commit_all(&request).unwrap();
        assert_eq!(fixture.repository().commit_all(&request).unwrap(), work);
        work
    }

    fn salvage(fixture: &Fixture, worktree: &Worktree, base: &Oid) -> Salvage {
        let request = SalvageRequest {
            worktree,
            base,
            name: "refs/director/salvage/s1/t/1",
            message: "unfinished",
            date_ms: DATE_MS,
        };
        let salvaged = fixture.repository().salvage(&request).unwrap();
        assert_eq!(fixture.repository().salvage(&request).unwrap(), salvaged);
        salvaged
    }

    #[test]
    fn an_agent_in_a_clone_cannot_move_the_users_refs_and_its_work_comes_back() {
        let fixture = Fixture::new();
        fixture.git(&["config", "user.name", "The User"]);
        fixture.git(&["tag", "v1"]);
        let base = fixture.head();
        let refs = || fixture.git(&["for-each-ref", "--format=%(refname) %(objectname)"]);
        let worktree = isolated(&fixture, &base);
        let before = refs();
        let path = worktree.path();
        let git = |words: &[&str]| git_in(path, words);
        assert_eq!(git(&["status", "--porcelain"]), "");
        assert_eq!(
            git(&["for-each-ref", "--format=%(refname)"]),
            format!("{FEATURE}\n")
        );
        assert_eq!(git(&["config", "user.name"]), "The User\n");
        git(&["branch", "--force", "main", "HEAD"]);
        fs::write(path.join("one"), "1").unwrap();
        git(&["add", "-A"]);
        git(&["commit", "--quiet", "-m", "by the agent"]);
        git(&["branch", "--force", "main"]);
        git(&["update-ref", "refs/heads/sprint/s1", "HEAD"]);
        git(&["config", "core.hooksPath", "/tmp"]);
        fs::write(path.join(".gitignore"), "*.log").unwrap();
        fs::write(path.join("kept.log"), "forced").unwrap();
        fs::write(path.join("lost.log"), "ignored").unwrap();
        git(&["add", "--force", "kept.log"]);
        assert_eq!(refs(), before, "nothing of the user's has moved");

        let work = commit(&fixture, &worktree, &base);
        let log = fixture.git(&["log", "--format=%s", FEATURE]);
        assert_eq!(log, "the rest\nby the agent\nstart\n");
        let files: Vec<_> = work
            .files_changed
            .iter()
            .map(|file| file.to_str().unwrap())
            .collect();
        assert_eq!(files, [".gitignore", "kept.log", "one"]);
        let config = fs::read_to_string(fixture.path(".git/config")).unwrap();
        assert!(!config.contains("hooksPath"), "{config}");

        // The next one of the feature works in a worktree, the one after that in a clone again.
        let repository = fixture.repository();
        let plain = repository.prepare_worktree(&fixture.names(), "api", &work.head);
        assert!(!repository.is_clone(&plain.unwrap()) && path.join(".git").is_file());
        assert!(path.join("lost.log").exists(), "build output stays warm");
        assert_eq!(git(&["rev-parse", "HEAD"]).trim(), work.head.as_str());
        let again = isolated(&fixture, &work.head);
        assert!(repository.is_clone(&again));
        assert_eq!(git(&["rev-parse", "HEAD"]).trim(), work.head.as_str());
        repository.remove_worktree(&again).unwrap();
        assert!(!path.exists());
    }

    #[test]
    fn what_a_failed_attempt_left_in_a_clone_is_saved_with_its_other_branches() {
        let fixture = Fixture::new();
        let base = fixture.head();
        let worktree = isolated(&fixture, &base);
        let path = worktree.path();
        let git = |words: &[&str]| git_in(path, words);
        fs::write(path.join("stashed"), "s").unwrap();
        git(&["stash", "--include-untracked", "--quiet"]);
        git(&["switch", "--quiet", "-c", "idea"]);
        fs::write(path.join("idea"), "i").unwrap();
        git(&["add", "-A"]);
        git(&["commit", "--quiet", "-m", "an idea"]);
        git(&["switch", "--quiet", "feature/s1-api"]);
        fs::write(path.join("a"), "a").unwrap();
        git(&["add", "-A"]);
        git(&["commit", "--quiet", "-m", "half"]);
        fs::write(path.join("b"), "b").unwrap();

        let Salvage::Saved { commit } = salvage(&fixture, &worktree, &base) else {
            panic!("not saved")
        };
        let files = |of: &str| fixture.git(&["ls-tree", "--name-only", "-r", of]);
        assert_eq!(files(commit.as_str()), ".gitignore\na\nb\nreadme\n");
        let branches = "refs/director/branches/s1/api";
        assert_eq!(
            files(&format!("{branches}/heads/idea")),
            ".gitignore\nidea\nreadme\n"
        );
        assert_eq!(files(&format!("{branches}/stash^3")), "stashed\n");
    }

    #[test]
    fn a_broken_clone_is_kept_whole_and_one_without_its_repository_is_saved_by_its_files() {
        let fixture = Fixture::new();
        let base = fixture.head();
        let repository = fixture.repository();
        let worktree = isolated(&fixture, &base);
        fs::write(worktree.path().join("a"), "a").unwrap();
        fs::write(worktree.path().join(".git/HEAD"), "nonsense").unwrap();
        let kept = salvage(&fixture, &worktree, &base);
        assert!(matches!(kept, Salvage::Kept { .. }), "{kept:?}");
        let names = fixture.names();
        let aside = repository.set_aside(&names, &worktree, "t-1").unwrap();
        assert!(aside.join("a").exists() && aside.join(".git/config").exists());
        assert!(repository.worktrees(&names).unwrap().is_empty());

        let worktree = isolated(&fixture, &base);
        fs::write(worktree.path().join("a"), "a").unwrap();
        fs::remove_dir_all(worktree.path().join(".git")).unwrap();
        let saved = salvage(&fixture, &worktree, &base);
        assert!(matches!(saved, Salvage::Saved { .. }), "{saved:?}");
    }

    #[test]
    fn a_conflict_is_resolved_in_a_clone_as_in_a_worktree() {
        for clone in [false, true] {
            let fixture = Fixture::new();
            let repository = fixture.repository();
            let base = fixture.head();
            let mine = fixture.commit_on(&base, &[("x", "mine\n")]);
            let theirs = fixture.commit_on(&base, &[("x", "theirs\n")]);
            let worktree = repository.prepare_worktree(&fixture.names(), "api", &theirs);
            let worktree = worktree.unwrap();
            let files = repository.merge_into_worktree(&worktree, &mine).unwrap();
            assert_eq!(files, [PathBuf::from("x")]);
            let files = ["x".to_owned()];
            if clone {
                repository.isolate(&worktree).unwrap();
            }
            let status = git_in(worktree.path(), &["status", "--porcelain"]);
            assert_eq!(status, "AA x\n", "clone: {clone}");
            assert_eq!(repository.unresolved(&worktree, &files).unwrap(), files);
            fs::write(worktree.path().join("x"), "mine\ntheirs\n").unwrap();
            assert!(repository.unresolved(&worktree, &files).unwrap().is_empty());
            if clone {
                git_in(worktree.path(), &["commit", "--quiet", "-am", "resolved"]);
            }
            let work = commit(&fixture, &worktree, &theirs);
            assert!(repository.is_ancestor(&mine, &work.head).unwrap());
            assert!(repository.is_ancestor(&theirs, &work.head).unwrap());
        }
    }
}
