//! Somebody moves a sprint's integration branch, with the real program: no task pays for it, a person is asked once, and what is right is
//! done and nothing else.

use std::fs;
use std::path::Path;
use std::time::Duration;

use director_tests::corner::{Corner, HEAD};
use serde_json::Value;

const SOON: Duration = Duration::from_secs(60);
const NAME: &str = "refs/heads/sprint/s";

/// A task that writes a file of its own name, once there is another file for that in `go`.
fn waits(id: &str, go: &Path) -> String {
    let go = go.join(id);
    format!(
        "\n[[task]]\nid = \"{id}\"\nrun = '''until test -e {}; do sleep 0.05; done; echo {id} > {id}'''\n",
        go.display()
    )
}

/// Tasks that write a file each and need no one.
fn plain(ids: &[&str]) -> String {
    let task = |id: &&str| format!("\n[[task]]\nid = \"{id}\"\nrun = \"echo {id} > {id}\"\n");
    ids.iter().map(task).collect()
}

fn corner(tasks: &str) -> Corner {
    let corner = Corner::new(env!("CARGO_BIN_EXE_director-under-test"));
    corner.sprint(format!("{HEAD}{tasks}"));
    corner
}

/// The directory whose files let tasks go on.
fn go(corner: &Corner) -> std::path::PathBuf {
    let go = corner.root().join("go");
    fs::create_dir_all(&go).expect("a directory");
    go
}

fn inbox(corner: &Corner) -> Vec<Value> {
    let said = corner.tell(&["inbox", "--json"]);
    let inbox: Value = serde_json::from_str(&said.out).expect("JSON");
    inbox["inbox"].as_array().cloned().unwrap_or_default()
}

/// Waits until so many tasks are completed.
fn completed(corner: &Corner, wanted: usize) {
    corner.wait_for("completed tasks", |status| {
        let tasks = status["tasks"].as_array().cloned().unwrap_or_default();
        let done = tasks.iter().filter(|task| task["status"] == "completed");
        done.count() == wanted
    });
}

/// That no task has paid for it: nothing failed, nothing was rejected, nothing given up.
fn nobody_paid(corner: &Corner) {
    for name in [
        "task_failed",
        "work_rejected",
        "retry_scheduled",
        "task_quarantined",
    ] {
        assert_eq!(corner.events(name), [Value::Null; 0], "{name}");
    }
    let ends = corner.events("attempt_ended");
    let failed = ends.iter().filter(|end| end.to_string().contains("failed"));
    assert_eq!(failed.count(), 0, "{ends:#?}");
}

/// A commit on top of the branch that somebody makes.
fn theirs(corner: &Corner, parent: &str) -> String {
    fs::write(corner.repo().join("mine"), "mine\n").expect("a file");
    let blob = corner.git(&["hash-object", "-w", "mine"]);
    fs::remove_file(corner.repo().join("mine")).expect("removed");
    let tree = corner.git(&["ls-tree", parent]);
    let tree = format!("{tree}\n100644 blob {blob}\tmine\n");
    let file = corner.root().join("tree");
    fs::write(&file, tree.trim_start()).expect("a file");
    let made = std::process::Command::new("git")
        .arg("mktree")
        .current_dir(corner.repo())
        .stdin(fs::File::open(&file).expect("a file"))
        .output()
        .expect("git runs");
    let tree = String::from_utf8_lossy(&made.stdout).trim().to_owned();
    corner.git(&["commit-tree", &tree, "-p", parent, "-m", "a person's own"])
}

#[test]
fn an_agent_that_moves_the_branch_costs_no_task_an_attempt_and_a_person_is_asked() {
    let evil = r#"
[[task]]
id = "evil"
run = '''
echo x > evil; git add evil; git -c user.name=me -c user.email=me@x commit -qm "my own"
git update-ref refs/heads/sprint/s HEAD
'''
"#;
    let rest = ["a", "b", "c", "d", "e", "f", "g"];
    let corner = corner(&(evil.to_owned() + &plain(&rest)));
    let said = corner.run();
    assert_eq!(said.code, 3, "only a person is waited for: {said:?}");
    nobody_paid(&corner);
    let found = corner.git(&["rev-parse", NAME]);
    let waiting = inbox(&corner);
    let [item] = &waiting[..] else {
        panic!("one thing is asked: {waiting:#?}")
    };
    assert_eq!(
        (&item["kind"], &item["answer"]),
        (&"branch".into(), &"director approve 1".into())
    );
    let question = item["question"].as_str().expect("a question");
    let moved = &corner.events("branch_moved")[0];
    for words in [
        "`refs/heads/sprint/s` should be at ",
        "is at COMMIT: somebody else moved it",
        "`my own`",
        "a yes puts it back; what it is at is kept below `refs/director/salvage/s/`",
        "a no calls the sprint off",
    ] {
        assert!(question.contains(words), "{words}: {question}");
    }
    assert_eq!(corner.events("incident_opened").len(), 1, "{moved}");
    let why = corner.tell(&["why", "g"]).out;
    let why = why.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(
        why.contains("was moved by somebody else, and a person is asked"),
        "{why}"
    );
    assert!(why.contains("director approve 1"), "{why}");

    // Nothing is overwritten without a yes, however often the director starts.
    assert_eq!(corner.run().code, 3);
    assert_eq!(corner.git(&["rev-parse", NAME]), found);
    assert_eq!(inbox(&corner).len(), 1);

    assert_eq!(corner.tell(&["approve", "1"]).code, 0);
    let said = corner.run();
    assert_eq!(said.code, 0, "{said:?}");
    nobody_paid(&corner);
    for file in rest {
        assert_eq!(corner.merged(file), file);
    }
    assert_eq!(
        corner.merged("evil"),
        "x",
        "its work was merged as anybody's"
    );
    let kept = corner.git(&[
        "for-each-ref",
        "--format=%(objectname)",
        "refs/director/salvage/s/",
    ]);
    assert!(kept.contains(&found), "{kept}");
    corner.nothing_left("put back");
}

#[test]
fn a_deleted_branch_is_put_back_while_others_work_and_all_goes_on_by_itself() {
    let corner = corner("");
    let go = go(&corner);
    let tasks = plain(&["first"]) + &waits("long", &go) + &waits("other", &go);
    corner.sprint(format!("{HEAD}{tasks}"));
    let mut run = corner.start();
    // It is deleted as soon as there is something on it that could be lost.
    completed(&corner, 1);
    let head = corner.git(&["rev-parse", NAME]);
    corner.git(&["update-ref", "-d", NAME]);
    // What runs goes on to its end and is kept; its merge finds the branch gone.
    fs::write(go.join("long"), "").expect("a file");
    corner.wait_for("a question", |status| status.to_string().contains("halted"));
    let waiting = inbox(&corner);
    let question = waiting[0]["question"].as_str().expect("a question");
    let gone = "is gone: somebody else deleted it";
    assert!(question.contains(gone), "{question}");
    let said = corner.tell(&["answer", "1", "go on"]);
    assert_ne!(said.code, 0, "there is nothing to go on from: {said:?}");

    assert_eq!(corner.tell(&["approve", "1"]).code, 0);
    completed(&corner, 2);
    fs::write(go.join("other"), "").expect("a file");
    assert_eq!(run.code_within(SOON), Some(0));
    nobody_paid(&corner);
    let base = corner.git(&["merge-base", NAME, &head]);
    assert_eq!(base, head, "nothing that was merged is lost");
    assert_eq!(corner.merged("long"), "long");
    corner.nothing_left("deleted");
}

#[test]
fn a_person_may_go_on_from_where_the_branch_is_or_call_the_sprint_off() {
    for answer in ["go on", "no"] {
        let corner = corner("");
        let go = go(&corner);
        corner.sprint(format!("{HEAD}{}{}", plain(&["first"]), waits("long", &go)));
        let mut run = corner.start();
        completed(&corner, 1);
        let head = corner.git(&["rev-parse", NAME]);
        let theirs = theirs(&corner, &head);
        corner.git(&["update-ref", NAME, &theirs]);
        fs::write(go.join("long"), "").expect("a file");
        // Killed while it stands still: it asks no second time.
        corner.wait_for("a question", |status| status.to_string().contains("halted"));
        drop(run);
        assert_eq!(corner.run().code, 3, "{answer}");
        assert_eq!(inbox(&corner).len(), 1, "{answer}");
        assert_eq!(corner.events("incident_opened").len(), 1, "{answer}");
        if answer == "no" {
            assert_eq!(corner.tell(&["reject", "1"]).code, 0);
            assert_eq!(corner.run().code, 5);
            assert_eq!(
                corner.git(&["rev-parse", NAME]),
                theirs,
                "it stays where it is"
            );
            corner.nothing_left("called off");
            continue;
        }
        assert_eq!(corner.tell(&["answer", "1", "go on"]).code, 0);
        run = corner.start();
        assert_eq!(run.code_within(SOON), Some(0));
        nobody_paid(&corner);
        assert_eq!(corner.merged("mine"), "mine");
        assert_eq!(corner.merged("long"), "long");
        corner.nothing_left("gone on");
    }
}
