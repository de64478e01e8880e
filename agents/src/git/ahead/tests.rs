//! Real worktrees with real edits, looked at while they are worked on.

use std::ffi::OsStr;
use std::os::unix::fs::symlink;

use super::*;
use crate::git::fixture::{Fixture, commit_in, git_in};

/// The repository with worktrees named `a`, `b` and so on, all at the same commit.
struct Room {
    fixture: Fixture,
    repository: Repository,
    scratch: Scratch,
    _dir: tempfile::TempDir,
}

const LINES: &str = "1\n2\n3\n4\n5\n6\n7\n8\n9\n";

impl Room {
    fn new() -> Self {
        let fixture = Fixture::new();
        fixture.write("lines", LINES);
        fixture.write("moved/one", "a file\nof some\nlines\n");
        fixture.write("moved/two", "another\nfile of\nsome lines\n");
        fixture.write("binary", "\0\u{1}\0");
        fixture.commit_all("files");
        let repository = fixture.repository();
        let dir = tempfile::tempdir().unwrap();
        let scratch = Scratch::new(&dir.path().join("looks"), &repository).unwrap();
        Self {
            fixture,
            repository,
            scratch,
            _dir: dir,
        }
    }

    fn worktree(&self, name: &str) -> Worktree {
        let names = self.fixture.names();
        let head = self.fixture.head();
        self.repository
            .prepare_worktree(&names, name, &head)
            .unwrap()
    }

    fn snapshot(&self, name: &str, worktree: &Worktree) -> Snapshot {
        self.repository
            .snapshot(&self.scratch, worktree, name, None)
            .unwrap()
    }

    /// The files in conflict between what two worktrees hold, and whether their names alone rule one out.
    fn look(&self, a: &Worktree, b: &Worktree) -> (Vec<PathBuf>, bool) {
        let (one, other) = (self.snapshot("a", a).commit, self.snapshot("b", b).commit);
        let outlook = self.repository.outlook(&self.scratch, &one, &other);
        let head = self.fixture.head();
        let touched = |to| self.repository.touched(&self.scratch, &head, to).unwrap();
        let meets = touched(&one).meets(&touched(&other));
        match outlook.unwrap() {
            Outlook::Clean(_) => (Vec::new(), meets),
            Outlook::Conflict(files) => (files, meets),
        }
    }
}

fn write(worktree: &Worktree, file: impl AsRef<OsStr>, text: &str) {
    let path = worktree.path().join(file.as_ref());
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

#[test]
fn what_conflicts_is_seen_before_it_is_committed_and_nothing_else_is() {
    type Edit = fn(&Worktree);
    let cases: &[(&str, Edit, Edit, &[&[u8]])] = &[
        (
            "the same line",
            |a| write(a, "lines", &LINES.replace('5', "five")),
            |b| write(b, "lines", &LINES.replace('5', "cinq")),
            &[b"lines"],
        ),
        (
            "lines that are far apart",
            |a| write(a, "lines", &LINES.replace('1', "one")),
            |b| write(b, "lines", &LINES.replace('9', "nine")),
            &[],
        ),
        (
            "the same edit",
            |a| write(a, "lines", &LINES.replace('5', "five")),
            |b| write(b, "lines", &LINES.replace('5', "five")),
            &[],
        ),
        (
            "one of them committed",
            |a| {
                write(a, "lines", &LINES.replace('5', "five"));
                commit_in(a, "five");
            },
            |b| write(b, "lines", &LINES.replace('5', "cinq")),
            &[b"lines"],
        ),
        (
            "a new file of the same name",
            |a| write(a, "new", "of a\n"),
            |b| write(b, "new", "of b\n"),
            &[b"new"],
        ),
        (
            "an ignored file of the same name",
            |a| write(a, "build.ignored", "of a\n"),
            |b| write(b, "build.ignored", "of b\n"),
            &[],
        ),
        (
            "moved here and deleted there",
            |a| {
                fs::rename(a.path().join("moved/one"), a.path().join("elsewhere")).unwrap();
            },
            |b| fs::remove_file(b.path().join("moved/one")).unwrap(),
            &[b"elsewhere"],
        ),
        (
            "changed here and deleted there",
            |a| write(a, "lines", "other\n"),
            |b| fs::remove_file(b.path().join("lines")).unwrap(),
            &[b"lines"],
        ),
        (
            "a folder moved here and added to there",
            |a| fs::rename(a.path().join("moved"), a.path().join("gone")).unwrap(),
            |b| write(b, "moved/three", "a third\n"),
            &[b"gone/three"],
        ),
        (
            "a file here and a folder of that name there",
            |a| write(a, "new", "a file\n"),
            |b| write(b, "new/file", "in a folder\n"),
            &[b"new"],
        ),
        (
            "a binary file",
            |a| write(a, "binary", "\0a"),
            |b| write(b, "binary", "\0b"),
            &[b"binary"],
        ),
        (
            "a link and a file",
            |a| symlink("lines", a.path().join("new")).unwrap(),
            |b| write(b, "new", "a file\n"),
            &[b"new"],
        ),
        (
            "a name that is no text",
            |a| write(a, OsStr::from_bytes(b"a name\xff with spaces"), "of a\n"),
            |b| write(b, OsStr::from_bytes(b"a name\xff with spaces"), "of b\n"),
            &[b"a name\xff with spaces"],
        ),
        (
            "repositories within, of the same name",
            |a| nested(a),
            |b| nested(b),
            &[],
        ),
    ];
    for (case, edit_a, edit_b, expected) in cases {
        let room = Room::new();
        let (a, b) = (room.worktree("a"), room.worktree("b"));
        edit_a(&a);
        edit_b(&b);
        let status = |of: &Worktree| git_in(of.path(), &["status", "--porcelain", "-uall"]);
        let before = (status(&a), status(&b), room.fixture.git(&["status"]));
        let (found, meets) = room.look(&a, &b);
        let found: Vec<&[u8]> = found
            .iter()
            .map(|path| path.as_os_str().as_bytes())
            .collect();
        assert_eq!(found, *expected, "{case}");
        assert!(meets || expected.is_empty(), "{case}: ruled out by name");
        let after = (status(&a), status(&b), room.fixture.git(&["status"]));
        assert_eq!(before, after, "{case}: a look changed something");
    }
}

fn nested(worktree: &Worktree) {
    let at = worktree.path().join("nested");
    fs::create_dir(&at).unwrap();
    git_in(&at, &["init", "--quiet"]);
    fs::write(at.join("file"), worktree.path().as_os_str().as_bytes()).unwrap();
}

#[test]
fn a_look_leaves_nothing_in_the_repository_and_runs_no_hook() {
    let room = Room::new();
    let (a, b) = (room.worktree("a"), room.worktree("b"));
    write(&a, "lines", &LINES.replace('5', "five"));
    write(&b, "lines", &LINES.replace('5', "cinq"));
    git_in(a.path(), &["add", "lines"]);
    let objects = || room.fixture.git(&["count-objects", "-v"]);
    let indexes = || [&a, &b].map(|of| fs::read(of.admin.join("index")).unwrap());
    let admin = || fs::read_dir(&a.admin).unwrap().count();
    let before = (objects(), indexes(), admin());
    assert_eq!(room.look(&a, &b).0, [PathBuf::from("lines")]);
    assert_eq!(before, (objects(), indexes(), admin()));
    assert!(!room.fixture.path(".git/hook-ran").exists());
}

#[test]
fn a_second_look_sees_what_changed_since_and_reads_nothing_else() {
    let room = Room::new();
    let a = room.worktree("a");
    let again = |last: &Snapshot| {
        let next = room.repository.snapshot(&room.scratch, &a, "a", Some(last));
        next.unwrap()
    };
    let first = room.snapshot("a", &a);
    assert_eq!(first.commit, room.fixture.head());
    let same = again(&first);
    assert_eq!((&same.commit, same.read), (&first.commit, 0));
    write(&a, "new", "12345\n");
    let grown = again(&same);
    assert_ne!(grown.commit, same.commit);
    assert_eq!(grown.read, 6);
    assert_eq!(
        again(&grown),
        Snapshot {
            read: 0,
            ..grown.clone()
        }
    );
    fs::remove_file(a.path().join("new")).unwrap();
    assert_eq!(again(&grown).commit, first.commit, "as it was at first");
    // A commit of the agent's own, without another change of a file.
    write(&a, "new", "12345\n");
    let before = again(&grown);
    let head = commit_in(&a, "new");
    let after = again(&before);
    assert_eq!(after.commit, head);
    let outlook = room
        .repository
        .outlook(&room.scratch, &before.commit, &head);
    assert!(matches!(outlook.unwrap(), Outlook::Clean(_)));
}

#[test]
fn what_cannot_be_looked_at_is_an_error_or_left_out() {
    let room = Room::new();
    let (a, b) = (room.worktree("a"), room.worktree("b"));
    // Too large to be copied at every look: the file counts as it was.
    let large = fs::File::create(a.path().join("large")).unwrap();
    large.set_len(FILE_MAX_BYTES + 1).unwrap();
    assert_eq!(room.snapshot("a", &a).commit, room.fixture.head());
    // Half a merge of the agent's own: its markers are work like any other.
    write(&b, "lines", &LINES.replace('5', "five"));
    let other = commit_in(&b, "five");
    write(&a, "lines", &LINES.replace('5', "cinq"));
    commit_in(&a, "cinq");
    room.repository.merge_into_worktree(&a, &other).unwrap();
    assert_eq!(room.look(&a, &b).0, [PathBuf::from("lines")]);
    // Gone meanwhile.
    room.repository.remove_worktree(&b).unwrap();
    let found = room.repository.snapshot(&room.scratch, &b, "b", None);
    assert!(
        matches!(found, Err(GitError::NoWorktree { .. })),
        "{found:?}"
    );
}

#[test]
fn a_clone_and_a_submodule_are_looked_at_like_any_worktree() {
    let room = Room::new();
    let inner = Fixture::new();
    let url = inner.path(".").to_str().unwrap().to_owned();
    let add = [
        "-c",
        "protocol.file.allow=always",
        "submodule",
        "--quiet",
        "add",
        &url,
        "inner",
    ];
    room.fixture.git(&add);
    room.fixture.commit_all("a submodule");
    let (a, b) = (room.worktree("a"), room.worktree("b"));
    room.repository.isolate(&a).unwrap();
    assert_eq!(room.look(&a, &b), (Vec::new(), false));
    write(&a, "lines", &LINES.replace('5', "five"));
    git_in(
        a.path(),
        &["commit", "--quiet", "--all", "-m", "in the clone"],
    );
    write(&b, "lines", &LINES.replace('5', "cinq"));
    assert_eq!(room.look(&a, &b), (vec![PathBuf::from("lines")], true));
}
