//! Commands that misbehave: all in one sprint, so that one of them would show if it hurt the others.

use director_tests::corner::HEAD;
use serde_json::Value;

use super::corner;

/// How a task ends, and what `why` says of it.
struct Case {
    id: &'static str,
    run: &'static str,
    more: &'static str,
    status: &'static str,
    why: &'static str,
}

const fn done(id: &'static str, run: &'static str, why: &'static str) -> Case {
    Case {
        id,
        run,
        more: "",
        status: "completed",
        why,
    }
}

const fn failed(id: &'static str, run: &'static str, why: &'static str) -> Case {
    Case {
        id,
        run,
        more: "",
        status: "failed",
        why,
    }
}

const CASES: &[Case] = &[
    failed(
        "no-command",
        "frobnicate --now",
        "ended with exit code 127; its error output ends with:",
    ),
    failed(
        "fails",
        "echo the reason >&2; exit 3",
        "ended with exit code 3; its error output ends with: the reason",
    ),
    failed("nothing", "true", "it left no change in the repository"),
    Case {
        more: "produces = [\"manual.md\"]",
        ..failed(
            "unproduced",
            "echo x > unproduced",
            "it should have produced manual.md",
        )
    },
    Case {
        more: "budget = { time = \"1s\" }",
        ..failed(
            "never-ends",
            "sleep 1000 & sleep 1001",
            "ran longer than its limit of 1.0s",
        )
    },
    done(
        "gigabyte",
        "head -c 1000000000 /dev/zero; echo x > gigabyte",
        "",
    ),
    done(
        "forks",
        "mkfifo gone; (setsid sh -c 'echo > gone; exec sleep 300' &); read _ < gone; rm gone; sleep 301 & echo x > forks",
        "had left its group was ended",
    ),
    done("reads", "cat > reads; echo end >> reads", ""),
    done(
        "bytes",
        "printf '\\377\\376\\033[31m'; printf '\\377\\000' > bytes",
        "",
    ),
    failed(
        "junk-report",
        "head -c 300 /dev/urandom > \"$DIRECTOR_REPORT\"; echo x > junk-report",
        "its report file was not understood: it is no JSON",
    ),
    failed(
        "huge-report",
        "head -c 20000000 /dev/zero > \"$DIRECTOR_REPORT\"; echo x > huge-report",
        "its report file was not understood: it is longer than 1048576 bytes",
    ),
    failed(
        "fifo-report",
        "rm -f \"$DIRECTOR_REPORT\"; mkfifo \"$DIRECTOR_REPORT\"; echo x > fifo-report",
        "its report file was not understood: it cannot be opened",
    ),
    done("no-git", "echo x > no-git; rm -rf .git", ""),
    done(
        "switches",
        "echo x > switches; git checkout -q -b elsewhere; git add .; git commit -qm mine",
        "",
    ),
    failed(
        "no-worktree",
        "at=$(pwd); cd /; rm -rf \"$at\"",
        "is gone, and what was not committed in it",
    ),
    done(
        "outside",
        "echo stray >> ../../README; echo x > outside; git branch stray",
        "",
    ),
];

/// What the report has beside how the task went.
fn feedback(report: &Value, id: &str) -> String {
    let entries = report["feedback"].as_array().map_or(&[][..], Vec::as_slice);
    let of_task = entries.iter().filter(|entry| entry["task"] == id);
    of_task.map(|entry| entry["text"].to_string()).collect()
}

#[test]
fn commands_that_misbehave_are_told_apart_and_hurt_nobody_else() {
    let corner = corner();
    let mut text = HEAD.replace("count = 2", "count = 4");
    for Case { id, run, more, .. } in CASES {
        text += &format!("[[task]]\nid = \"{id}\"\n{more}\nrun = '''{run}'''\n");
    }
    text += "[[task]]\nid = \"missing\"\nrun = [\"./frobnicate\"]\n";
    let said = corner.sprint(text).run();
    assert_eq!(said.code, 1, "{said:?}");
    assert!(!said.err.contains('\u{1b}'), "{}", said.err);

    let report = corner.report();
    let tasks = report["tasks"].as_array().expect("tasks");
    for Case {
        id, status, why, ..
    } in CASES
    {
        let task = tasks.iter().find(|task| task["id"] == *id);
        let told = corner.tell(&["why", id]).out + &feedback(&report, id);
        assert_eq!(
            task.map(|task| &task["status"]),
            Some(&Value::from(*status)),
            "{id}: {told}"
        );
        let told = told.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(told.contains(why), "{id}: {told}");
        if *status == "completed" {
            corner.merged(id);
        }
    }
    let missing = corner.tell(&["why", "missing"]).out;
    let missing = missing.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(missing.contains("the command"), "{missing}");

    // What an agent did outside its worktree cannot be hindered; it is seen and said.
    let incidents = report["incidents"].to_string();
    for part in ["refs/heads/stray", "README"] {
        assert!(incidents.contains(part), "{incidents}");
    }
    let logs = director_tests::corner::bytes_below(&corner.data_dir());
    assert!(logs < 64 << 20, "{logs} bytes are kept of a gigabyte");
    corner.git(&["checkout", "--quiet", "README"]);
    corner.nothing_left("agents");
}

#[test]
fn a_gate_that_hangs_is_ended_and_its_task_is_not_done() {
    let corner = corner();
    let gate = "tests = { run = \"test ! -e a || sleep 500\", timeout = \"1s\" }";
    let text = HEAD.replace("tests = false", gate);
    corner.sprint(text + "[[task]]\nid = \"a\"\nrun = \"echo a > a\"\n");
    let said = corner.run();
    assert_eq!(said.code, 1, "{said:?}");
    assert!(said.err.contains("did not end within 1.0s"), "{}", said.err);
    assert_eq!(corner.ends(), "a failed");
    assert_eq!(
        corner.git(&["rev-parse", "sprint/s"]),
        corner.git(&["rev-parse", "main"])
    );
    let saved = corner.git(&[
        "for-each-ref",
        "--format=%(refname)",
        "refs/director/salvage",
    ]);
    assert!(saved.contains("s/a/2"), "{saved}");
    corner.nothing_left("gate");
}

#[test]
fn a_conflict_becomes_work_for_the_same_agent_and_is_never_half_merged() {
    let corner = corner();
    let (one, two) = (corner.root().join("one"), corner.root().join("two"));
    // Each begins before the other is merged, so that the second one conflicts, whichever it is.
    let task = |id: &str, mine: &std::path::Path, other: &std::path::Path| {
        format!(
            "[[task]]\nid = \"{id}\"\nrun = \"echo {id} >> README; touch {}; until test -e {}; do sleep 0.05; done\"\n",
            mine.display(),
            other.display()
        )
    };
    corner.sprint(HEAD.to_owned() + &task("a", &one, &two) + &task("b", &two, &one));
    let said = corner.run();
    assert_eq!(said.code, 0, "{said:?}");
    assert_eq!(
        said.err.matches("merge_conflicted").count(),
        1,
        "{}",
        said.err
    );
    let readme = corner.merged("README");
    let mut lines: Vec<&str> = readme.lines().collect();
    lines[1..].sort_unstable();
    assert_eq!(lines, ["A corner.", "a", "b"]);
    let report = corner.report();
    assert_eq!(report["metrics"]["merge_conflicts"], 1);
    let tasks = report["tasks"].as_array().expect("tasks");
    let attempts: u64 = tasks
        .iter()
        .filter_map(|task| task["attempts"].as_u64())
        .sum();
    assert_eq!(attempts, 3);
    corner.nothing_left("conflict");
}
