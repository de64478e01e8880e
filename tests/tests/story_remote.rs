//! Agents on another machine, with the real program on both ends: another home, another directory, two streams between them.

use std::fs;
use std::time::Duration;

use director_tests::corner::{Corner, HEAD};
use director_tests::process;

const PROGRAM: &str = env!("CARGO_BIN_EXE_director-under-test");

/// What would be `ssh builder director worker`: nothing of this side's environment or directory goes with it, and it is greeted.
fn far(corner: &Corner, options: &str) -> String {
    let dir = corner.root().join("far");
    fs::create_dir_all(&dir).expect("a directory");
    let there = dir.display();
    let line = format!(
        "echo Welcome to builder; cd {there} && exec env -i PATH=\\\"$PATH\\\" HOME={there} {PROGRAM} worker --dir {there}/kept"
    );
    HEAD.replace(
        "[team.fullstack-engineer]\ncount = 2",
        &format!(
            "[agent.far]\nkind = \"remote\"\nprogram = [\"sh\", \"-c\", \"{line}\"]\n{options}\n[team.fullstack-engineer]\nagent = \"far\"\ncount = 2"
        ),
    )
}

#[test]
fn work_is_done_on_the_other_machine_and_comes_back_as_commits() {
    let corner = Corner::new(PROGRAM);
    corner.sprint(
        far(&corner, "")
            + r#"
[[task]]
id = "first"
run = '''
pwd > where
test -e README || exit 7
echo "$HOME" > home
git commit --quiet --allow-empty --message "on the way" 2> /dev/null || true
echo '{"summary": "built far away", "progress": 40}' > "$DIRECTOR_REPORT"
'''
[[task]]
id = "second"
depends_on = ["first"]
run = "cat where > seen && echo again > again"
[[task]]
id = "broken"
run = "echo it is not there >&2; exit 4"
"#,
    );
    let said = corner.run();
    assert_eq!(said.code, 1, "{said:?}");
    assert_eq!(
        corner.ends(),
        "broken failed, first completed, second completed"
    );
    let there = corner.root().join("far");
    assert_eq!(
        corner.merged("where"),
        there.join("kept/tasks/s/first").display().to_string()
    );
    assert_eq!(corner.merged("home"), there.display().to_string());
    assert_eq!(
        corner.merged("seen"),
        corner.merged("where"),
        "it got what the first had made"
    );
    let ends = corner.events("attempt_ended");
    let of = |task: &str| -> String {
        let ends = ends.iter().filter(|end| end["task_id"] == task);
        ends.map(|end| end["end"].to_string()).collect()
    };
    assert!(of("first").contains("built far away"), "{}", of("first"));
    assert!(
        of("broken").contains("exit code 4") && of("broken").contains("it is not there"),
        "{}",
        of("broken")
    );
    // Nothing is left at work over there, and its copy of the repository is kept.
    assert!(there.join("kept/repository.git/HEAD").exists());
    assert!(!there.join("kept/tasks/s/first").exists());
    corner.nothing_left("remote");
}

#[test]
fn what_is_killed_here_ends_there_and_is_done_again() {
    let corner = Corner::new(PROGRAM);
    let go = corner.root().join("go");
    // In a session of its own, as beyond ssh: all that reaches it is that the streams end.
    let head = far(&corner, "").replace("exec env", "exec setsid --wait env");
    corner.sprint(
        head + &format!(
                "[[task]]\nid = \"long\"\nrun = '''\ntest -e {go} || {{ echo half > half; sleep 600; }}\necho whole > whole\n'''\n",
                go = go.display()
            ),
    );
    let mut run = corner.start();
    let half = corner.root().join("far/kept/tasks/s/long/half");
    let begun = process::until(Duration::from_secs(30), || half.exists().then_some(()));
    assert!(begun.is_some(), "it never began");
    run.0.kill().expect("it runs");
    run.0.wait().expect("an end");
    assert_eq!(
        process::left_after(&corner.root(), Duration::from_secs(10)),
        [""; 0]
    );
    fs::write(&go, "").expect("a file");
    let said = corner.run();
    assert_eq!(said.code, 0, "{said:?}");
    assert_eq!(corner.merged("whole"), "whole");
    corner.nothing_left("remote, killed");
}

#[test]
fn a_coding_agent_works_there_and_what_cannot_work_says_why() {
    let corner = Corner::new(PROGRAM);
    let script = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../agents/tests/fixtures/acp-agent.sh"
    );
    let options = format!("options = {{ kind = \"acp\", program = \"sh {script} work\" }}");
    corner
        .sprint(far(&corner, &options) + "[[task]]\nid = \"coded\"\ntitle = \"Write work.txt\"\n");
    let said = corner.run();
    assert_eq!(said.code, 0, "{said:?}");
    assert_eq!(corner.merged("work.txt"), "line");
    assert_eq!(corner.events("session_opened")[0]["session"], "a-1");

    let corner = Corner::new(PROGRAM);
    let head = far(&corner, "options = { kind = \"other\" }");
    corner.sprint(head + "[[task]]\nid = \"x\"\ntitle = \"X\"\n");
    assert_eq!(corner.run().code, 1);
    let ends = corner.events("attempt_ended");
    let end = ends[0]["end"].to_string();
    assert!(end.contains("no agent is of the kind `other`"), "{end}");

    let corner = Corner::new(PROGRAM);
    let head = far(&corner, "").replace("exec env", "exit 127; exec env");
    corner.sprint(head + "[[task]]\nid = \"x\"\nrun = \"true\"\n");
    assert_eq!(corner.run().code, 1);
    let end = corner.events("attempt_ended")[0]["end"].to_string();
    assert!(
        end.contains("the worker ended with exit code 127 before it had said"),
        "{end}"
    );

    let typed = corner.tell(&["worker"]);
    assert_eq!(typed.code, 4, "{typed:?}");
    assert!(
        typed.err.contains("ended before there was anything to do"),
        "{}",
        typed.err
    );
}
