//! What agents work in, with the real program: a worktree or a clone, by turns on one feature, and conflicts that agents
//! resolve or do again.

use std::fs;
use std::time::Duration;

use director_tests::corner::{Corner, HEAD};
use director_tests::process;
use serde_json::Value;

const PATIENCE: Duration = Duration::from_secs(60);

fn corner() -> Corner {
    Corner::new(env!("CARGO_BIN_EXE_director-under-test"))
}

/// The head of the file, with one more role.
fn with_role(role: &str) -> String {
    HEAD.replace("[limits]", &format!("{role}\n[limits]"))
}

/// Everything that a git command in a worktree could do to the user, and some work.
const ATTACK: &str = r#"
set -e
me="git -c user.name=a -c user.email=a@localhost -c commit.gpgsign=false"
$me branch --force main HEAD~0
echo two > two
git add two
$me commit --quiet --no-verify --message "by itself"
git branch --force main
git update-ref refs/heads/sprint/s HEAD
git tag --force v1
git config core.hooksPath /nowhere
git for-each-ref --format='%(refname)' > refs
"#;

#[test]
fn a_command_in_a_clone_cannot_touch_the_users_refs_and_its_work_is_merged() {
    let corner = corner();
    corner.git(&["tag", "v1"]);
    corner.git(&["branch", "other"]);
    let text = with_role("[team.hermit]\nisolation = \"clone\"\n")
        + "[[task]]\nid = \"one\"\nfeature = \"f\"\nrun = \"echo one > one; echo warm > build.tmp\"\n"
        + &format!(
            "[[task]]\nid = \"two\"\nfeature = \"f\"\nrole = \"hermit\"\ndepends_on = [\"one\"]\nrun = '''{ATTACK}'''\n"
        )
        + "[[task]]\nid = \"three\"\nfeature = \"f\"\ndepends_on = [\"two\"]\nrun = \"test -f .git; cat two > three\"\n";
    fs::write(corner.repo().join(".gitignore"), "*.tmp\n").expect("written");
    corner.commit("ignore");
    let before = corner.git(&[
        "for-each-ref",
        "refs/heads/main",
        "refs/heads/other",
        "refs/tags",
    ]);
    let said = corner.sprint(text).run();
    assert_eq!(said.code, 0, "{said:?}");
    let after = corner.git(&[
        "for-each-ref",
        "refs/heads/main",
        "refs/heads/other",
        "refs/tags",
    ]);
    assert_eq!(after, before, "the user's refs");
    assert_eq!(corner.branches(), "main other sprint/s");
    let config = fs::read_to_string(corner.repo().join(".git/config")).expect("a config");
    assert!(!config.contains("nowhere"), "{config}");
    assert_eq!(corner.report()["incidents"].to_string(), "[]");

    assert_eq!(
        (corner.merged("one"), corner.merged("three")),
        ("one".into(), "two".into())
    );
    // The clone was on the feature's branch and knew no other.
    assert!(corner.merged("refs").contains("refs/heads/feature/s-f"));
    assert!(!corner.merged("refs").contains("other"));
    let log = corner.git(&["log", "--format=%s", "sprint/s"]);
    assert!(log.contains("by itself"), "{log}");
    corner.nothing_left("clone");
}

#[test]
fn work_in_a_clone_is_saved_when_its_attempt_fails_or_is_killed() {
    let corner = corner();
    let begun = corner.root().join("begun");
    let task = format!(
        r#"
[[task]]
id = "t"
role = "hermit"
run = '''
set -e
echo "$DIRECTOR_ATTEMPT" > committed
git add committed
git -c user.name=a -c user.email=a@localhost commit --quiet --no-verify --message half
echo "$DIRECTOR_ATTEMPT" > loose
case $DIRECTOR_ATTEMPT in
    1) exit 1 ;;
    2) touch {begun}; sleep 500 ;;
esac
'''
"#,
        begun = begun.display()
    );
    let text = with_role("[team.hermit]\nisolation = \"clone\"\n") + &task;
    corner.sprint(text);
    let mut run = corner.start();
    process::until(PATIENCE, || begun.exists().then_some(())).expect("the second attempt");
    run.0.kill().expect("it runs");
    let _ = run.0.wait();
    let said = corner.run();
    assert_eq!(said.code, 0, "{said:?}");
    for attempt in ["1", "2"] {
        let saved = format!("refs/director/salvage/s/t/{attempt}");
        for file in ["committed", "loose"] {
            assert_eq!(corner.git(&["show", &format!("{saved}:{file}")]), attempt);
        }
        let log = corner.git(&["log", "--format=%s", &saved]);
        assert!(log.contains("half"), "{log}");
    }
    assert_eq!(
        (corner.merged("committed"), corner.merged("loose")),
        ("3".into(), "3".into())
    );
    corner.nothing_left("killed");
}

/// Two tasks that each begin before the other is merged and change the same line.
fn collide(corner: &Corner, role: &str, resolve: &str) -> String {
    let (one, two) = (corner.root().join("one"), corner.root().join("two"));
    let task = |id: &str, mine: &std::path::Path, other: &std::path::Path| {
        format!(
            r#"
[[task]]
id = "{id}"
run = '''
set -e
test -z "$DIRECTOR_CONFLICT" || {{ {resolve}; }}
echo {id} >> README
echo {id} > {id}.txt
touch {mine}
until test -e {other}; do sleep 0.05; done
'''
"#,
            mine = mine.display(),
            other = other.display()
        )
    };
    let head = HEAD.replace("count = 2", &format!("count = 2\n{role}"));
    head + &task("a", &one, &two) + &task("b", &two, &one)
}

#[test]
fn an_agent_that_resolves_is_given_the_conflict_in_its_worktree_or_clone() {
    for isolation in ["worktree", "clone"] {
        let corner = corner();
        let role = format!("isolation = \"{isolation}\"\nconflicts = \"resolve\"");
        // It sees its earlier line between markers, keeps both sides and does not write its line again.
        let resolve = r#"test "$DIRECTOR_CONFLICT" = README
            grep -q "^<<<<<<<" README; git status --porcelain | grep "^UU README"
            test -e "$DIRECTOR_TASK.txt"
            sed -i "/^<<<<<<<\|^=======\|^>>>>>>>/d" README; exit 0"#;
        corner.sprint(collide(&corner, &role, resolve));
        let said = corner.run();
        assert_eq!(said.code, 0, "{isolation}: {said:?}");
        let readme = corner.merged("README");
        let mut lines: Vec<&str> = readme.lines().collect();
        lines[1..].sort_unstable();
        assert_eq!(lines, ["A corner.", "a", "b"], "{isolation}");
        let attempts: u64 = corner.report()["tasks"]
            .as_array()
            .expect("tasks")
            .iter()
            .filter_map(|task| task["attempts"].as_u64())
            .sum();
        assert_eq!(attempts, 3, "{isolation}");
        // The resolution is a merge of what was there and the earlier work, and both are in its history.
        let merges = corner.git(&["log", "--merges", "--format=%s", "sprint/s"]);
        assert_eq!(merges.lines().count(), 3, "{isolation}: {merges}");
        corner.nothing_left(isolation);
    }
}

#[test]
fn conflict_markers_that_an_agent_leaves_are_never_merged() {
    let corner = corner();
    corner.sprint(collide(&corner, "conflicts = \"resolve\"", "exit 0"));
    let said = corner.run();
    assert_eq!(said.code, 1, "{said:?}");
    assert!(
        said.err.contains("conflict markers are left in README"),
        "{}",
        said.err
    );
    assert!(!corner.merged("README").contains("<<<<<<<"));
    let ends = corner.ends();
    assert!(
        ends == "a completed, b failed" || ends == "a failed, b completed",
        "{ends}"
    );
    corner.nothing_left("markers");
}

#[test]
fn a_conflict_goes_to_the_same_agent_then_to_another_then_to_people() {
    let corner = corner();
    let at = |what: &str, n: usize| {
        corner
            .root()
            .join(format!("{what}-{n}"))
            .display()
            .to_string()
    };
    // Each attempt at `stuck` ends when one more line was merged into the place that it changes.
    let root = corner.root().display().to_string();
    let mut text = with_role("[team.mover]\n").replace("attempts_max = 2", "attempts_max = 1")
        + &format!(
            r#"
[[task]]
id = "stuck"
hours = 1
run = '''
set -e
sed -i "1s/.*/stuck/" README
touch {root}/begun-$DIRECTOR_ATTEMPT
test $DIRECTOR_ATTEMPT -gt 3 || until test -e {root}/merged-$DIRECTOR_ATTEMPT; do sleep 0.05; done
'''
"#
        );
    for n in 1..=3 {
        let after = match n {
            1 => String::new(),
            _ => format!("depends_on = [\"seen-{}\"]", n - 1),
        };
        text += &format!(
            r#"
[[task]]
id = "move-{n}"
role = "mover"
{after}
run = '''until test -e {begun}; do sleep 0.05; done; sed -i "1s/.*/moved {n}/" README'''
[[task]]
id = "seen-{n}"
role = "mover"
depends_on = ["move-{n}"]
expects = "nothing"
run = "touch {merged}"
"#,
            begun = at("begun", n),
            merged = at("merged", n),
        );
    }
    let said = corner.sprint(text).run();
    assert_eq!(said.code, 3, "{said:?}");
    assert!(said.out.contains("1 thing waits for you"), "{}", said.out);
    assert_eq!(
        said.err.matches("merge_conflicted").count(),
        3,
        "{}",
        said.err
    );
    let exported = corner.tell(&["journal", "export", "--json"]);
    let events: Vec<Value> = exported
        .out
        .lines()
        .map(|line| serde_json::from_str(line).expect("an event"))
        .collect();
    let agents: Vec<&str> = events
        .iter()
        .filter(|event| event["event"] == "task_assigned" && event["task_id"] == "stuck")
        .filter_map(|event| event["agent_id"].as_str())
        .collect();
    let [first, again, other] = agents[..] else {
        panic!("{agents:?}")
    };
    assert_eq!(first, again, "the same agent first");
    assert_ne!(first, other, "then another");
    let raised: Vec<&Value> = events
        .iter()
        .filter(|event| event["event"] == "blocker_raised")
        .collect();
    assert_eq!(raised.len(), 1, "{raised:?}");
    assert_eq!(raised[0]["blocker_type"], "merge_conflict");

    // What it had done every time is there to look at.
    for attempt in 1..=3 {
        let saved = format!("refs/director/salvage/s/stuck/{attempt}:README");
        assert_eq!(corner.git(&["show", &saved]), "stuck");
    }
    assert_eq!(corner.tell(&["answer", "1", "now nobody moves it"]).code, 0);
    let said = corner.run();
    assert_eq!(said.code, 0, "{said:?}");
    assert_eq!(corner.merged("README"), "stuck");
    corner.nothing_left("ladder");
}
