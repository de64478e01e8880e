//! Data directories that cannot be used: who may not write, what is full, what is damaged, whose it is.

use std::fs::{self, File};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::process::{Command, Stdio};

use director_protocols::envelope::Record;
use director_runtime::journal::{Chain, DataDir, SqliteStore, Store};
use director_tests::corner::{Corner, GOOD, HEAD};
use director_tests::harness::git;

use super::corner;

/// A small file system of its own, where the system permits it (it takes an administrator); gone when dropped.
struct Mount(std::path::PathBuf);

impl Mount {
    fn tmpfs(at: &Path, options: &str) -> Option<Self> {
        fs::create_dir_all(at).expect("a directory");
        let mounted = mount(&["-t", "tmpfs", "-o", options, "tmpfs"], at);
        mounted.then(|| Self(at.to_owned()))
    }

    fn change(&self, options: &str) {
        assert!(mount(&["-o", &format!("remount,{options}")], &self.0));
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

fn mount(words: &[&str], at: &Path) -> bool {
    let mut mount = Command::new("mount");
    mount.args(words).arg(at).stderr(Stdio::null());
    mount.status().is_ok_and(|status| status.success())
}

fn good() -> Corner {
    let corner = corner();
    corner.sprint(HEAD.to_owned() + GOOD);
    corner
}

#[test]
fn a_place_that_cannot_be_written_is_named_and_nothing_is_done() {
    let corner = good();
    fs::write(corner.root().join("file"), "").expect("written");
    let mut cases = vec![
        (
            "/proc/director".to_owned(),
            "error: could not create data directory `/proc/director`; check that the directory can be written: ",
        ),
        (
            "../file".to_owned(),
            "error: `HERE/repo/../file` is not a directory; move it away, or choose another data directory",
        ),
        (
            "../file/below".to_owned(),
            "error: could not create data directory `HERE/repo/../file/below`; check that the directory can be written: ",
        ),
    ];
    let read_only = Mount::tmpfs(&corner.root().join("read-only"), "ro,size=1m");
    if read_only.is_some() {
        cases.push((
            "../read-only".to_owned(),
            "error: could not open `HERE/repo/../read-only/lock`; check that the directory can be written: Read-only",
        ));
    }
    for (place, expected) in cases {
        let said = corner.tell(&["run", "../sprint.toml", "--data-dir", &place]);
        assert_eq!(said.code, 2, "{place}: {said:?}");
        assert!(said.err.starts_with(expected), "{place}: {}", said.err);
        assert_eq!(corner.branches(), "main", "{place}");
    }
    corner.nothing_left("no place");
}

#[test]
fn a_full_disk_stops_the_run_with_a_clear_error_and_space_lets_it_go_on() {
    let corner = good();
    let disk = corner.root().join("disk");
    // In the middle of the sprint, and before its first record.
    for (case, size) in [("middle", "64k"), ("start", "8k")] {
        let Some(mount) = Mount::tmpfs(&disk, &format!("size={size}")) else {
            eprintln!("not shown here: the system permits no mount");
            return;
        };
        let run = ["run", "../sprint.toml", "--data-dir", "../disk/data"];
        let said = corner.tell(&run);
        assert_eq!(said.code, 4, "{case}: {said:?}");
        let errors = said.err.matches("error: ").count();
        assert_eq!(errors, 1, "{case}: {}", said.err);
        let full = said.err.contains("no space left") || said.err.contains("No space left");
        assert!(full, "{case}: {}", said.err);

        mount.change("size=16m");
        let said = corner.tell(&run);
        assert_eq!(said.code, 0, "{case}: {said:?}");
        assert_eq!(corner.merged("good"), "good", "{case}");
        corner.nothing_left(case);
        corner.git(&["branch", "--quiet", "-D", "sprint/s"]);
    }
}

#[test]
fn a_repository_on_a_full_disk_keeps_the_work_and_goes_on_once_there_is_space() {
    let corner = corner();
    let small = corner.root().join("small");
    let Some(mount) = Mount::tmpfs(&small, "size=4m") else {
        eprintln!("not shown here: the system permits no mount");
        return;
    };
    git(&corner.root(), &["clone", "--quiet", "repo", "small/repo"]).expect("a clone");
    // The file fits once, as a file, and not twice, as an object too.
    let task = "[[task]]\nid = \"big\"\nrun = \"head -c 2500000 /dev/urandom > big\"\n";
    let head = HEAD.replace("repo = \"repo\"", "repo = \"small/repo\"");
    corner.sprint(head + task);
    let tell = |words: &[&str]| corner.tell(&[words, &["--data-dir", "../data"]].concat());
    let said = tell(&["run", "../sprint.toml"]);
    assert!(said.code == 1 || said.code == 3, "{said:?}");
    let why = tell(&["why", "big"]).out;
    assert!(why.contains("No space left on device"), "{why}");
    assert_eq!(
        git(&small.join("repo"), &["log", "--oneline", "sprint/s"])
            .expect("a log")
            .lines()
            .count(),
        1
    );

    mount.change("size=64m");
    let retry = tell(&["retry", "big"]);
    assert_eq!(retry.code, 0, "{retry:?}");
    let said = tell(&["run", "../sprint.toml"]);
    assert_eq!(said.code, 0, "{said:?}");
    let size = git(&small.join("repo"), &["cat-file", "-s", "sprint/s:big"]);
    assert_eq!(size.as_deref(), Ok("2500000"));
    corner.nothing_left("full repository");
}

#[test]
fn a_data_directory_of_a_newer_version_is_left_to_it() {
    let corner = good();
    assert_eq!(corner.run().code, 0);
    let append = |kind: u16, version: u16| {
        let dir = DataDir::open(&corner.data_dir()).expect("free");
        let mut store = SqliteStore::open(&dir).expect("a journal");
        let last: Vec<Record> =
            director_runtime::journal::read_some(&mut store, 1, 1).expect("read");
        let before = store.head();
        let kind = if kind == 0 { last[0].kind } else { kind };
        let record = Chain::after(before)
            .seal(kind, version, last[0].time_ms, vec![7; 20])
            .expect("a record");
        store.append(before, &[record]).expect("appended");
    };
    append(0, 900);
    let size = fs::metadata(corner.data_dir().join("journal.db"))
        .expect("there")
        .len();
    for words in [
        &["run", "../sprint.toml"][..],
        &["status"],
        &["events", "--json"],
        &["cancel"],
    ] {
        let said = corner.tell(words);
        assert_eq!(said.code, 2, "{words:?}: {said:?}");
        let expected = "version 900, which this version does not know (it was written by";
        assert!(said.err.contains(expected), "{words:?}: {}", said.err);
        assert!(
            said.err.contains("use that version or a newer one"),
            "{}",
            said.err
        );
        assert_eq!(said.out, "", "{words:?}");
    }
    let now = fs::metadata(corner.data_dir().join("journal.db"))
        .expect("there")
        .len();
    assert_eq!(now, size, "nothing was written");
    corner.nothing_left("newer");
}

#[test]
fn a_damaged_journal_is_never_read_past_and_says_the_way_out() {
    let title = "a-title-that-is-easy-to-find";
    let task = GOOD.replace("id = ", &format!("title = \"{title}\"\nid = "));
    let corner = corner();
    corner.sprint(HEAD.to_owned() + &task);
    assert_eq!(corner.run().code, 0);
    let journal = corner.data_dir().join("journal.db");
    let sound = fs::read(&journal).expect("a journal");
    let at = sound
        .windows(title.len())
        // What SQLite moved when a page was full may still lie in the old one; the record is in the last.
        .rposition(|part| part == title.as_bytes());
    let mut flipped = sound.clone();
    flipped[at.expect("the title is in a record")] ^= 4;
    let cases: [(&str, &[u8], &str); 5] = [
        ("one bit", &flipped, "is damaged at record "),
        ("half of it", &sound[..8192], "is damaged at record 1: "),
        (
            "something else",
            b"not a journal",
            "is damaged at record 1: ",
        ),
        ("emptied", b"", "ends at record 0, but record "),
        ("gone", b"", "ends at record 0, but record "),
    ];
    for (case, content, expected) in cases {
        fs::write(&journal, content).expect("written");
        if case == "gone" {
            fs::remove_file(&journal).expect("removed");
        }
        for words in [
            &["run", "../sprint.toml"][..],
            &["status"],
            &["events"],
            &["retry", "good"],
        ] {
            let said = corner.tell(words);
            assert_eq!(said.code, 4, "{case}, {words:?}: {said:?}");
            let start = "error: journal `HERE/repo/.director/journal.db` ";
            assert!(said.err.starts_with(start), "{case}: {}", said.err);
            for part in [expected, "director journal repair --accept-loss"] {
                assert!(said.err.contains(part), "{case}, {words:?}: {}", said.err);
            }
        }
        let verify = corner.tell(&["journal", "verify"]);
        assert_eq!(verify.code, 4, "{case}: {verify:?}");
    }
    // The way out, as it was said; what was there is kept.
    let out = corner.tell(&["journal", "repair", "--accept-loss", "0"]);
    assert_eq!(out.code, 0, "{out:?}");
    assert_eq!(corner.tell(&["journal", "verify"]).code, 0);
    assert!(corner.data_dir().join("journal.damaged-1").exists());
    assert_eq!(corner.merged("good"), "good", "what was merged stays");

    // Putting the copy back is the other way.
    let witness = corner.data_dir().join("journal.damaged-1/journal.witness");
    if witness.exists() {
        fs::copy(witness, corner.data_dir().join("journal.witness")).expect("copied");
        let file = File::create(&journal).expect("a file");
        file.write_all_at(&sound, 0).expect("written");
        assert_eq!(corner.run().code, 0);
    }
    corner.nothing_left("damage");
}

#[test]
fn a_second_director_follows_the_first_and_may_not_repair_under_it() {
    let corner = corner();
    let gate = corner.root().join("go");
    let wait = format!(
        "[[task]]\nid = \"waits\"\nrun = \"until test -e {}; do sleep 0.05; done; echo done > done\"\n",
        gate.display()
    );
    corner.sprint(HEAD.to_owned() + &wait);
    let mut first = corner.start();
    corner.wait_for("the task", |status| {
        status["tasks"][0]["status"] == "working"
    });
    let repair = corner.tell(&["journal", "repair", "--accept-loss", "1"]);
    assert_eq!(repair.code, 2, "{repair:?}");
    let held = "error: `HERE/repo/.director` is held by a running director (process ";
    assert!(repair.err.starts_with(held), "{}", repair.err);

    let second = std::thread::scope(|scope| {
        let second = scope.spawn(|| corner.run());
        fs::write(&gate, "").expect("written");
        second.join().expect("it ends")
    });
    assert_eq!(second.code, 0, "{second:?}");
    assert_eq!(
        first.code_within(std::time::Duration::from_secs(60)),
        Some(0)
    );
    assert_eq!(corner.report()["metrics"]["attempts"], 1);
    corner.nothing_left("second");
}
