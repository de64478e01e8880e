//! Reviews with the real program: what a judge is shown, what counts as its verdict, and what becomes of a report that nobody can
//! understand, a judge's or an author's.

use director_tests::corner::{Corner, HEAD};
use serde_json::Value;

fn corner() -> Corner {
    Corner::new(env!("CARGO_BIN_EXE_director-under-test"))
}

/// A sprint of one task, `page`, that does this, and is judged by an agent that does that.
fn judged(author: &str, judge: &str) -> String {
    let review = format!("review = {{ by = \"reviewer\", rounds = 3, run = '''\n{judge}\n''' }}");
    let head = HEAD.replace("review = false", &review);
    format!(
        "{head}\n[team.reviewer]\nkinds = [\"review\"]\n\n[[task]]\nid = \"page\"\nrun = '''\n{author}\n'''\n"
    )
}

fn events(corner: &Corner, name: &str) -> Vec<Value> {
    let said = corner.tell(&["events", "--json"]);
    let lines = said.out.lines();
    let all = lines.map(|line| serde_json::from_str::<Value>(line).expect("JSON"));
    all.filter(|event| event["event"] == name).collect()
}

/// How the attempts at a task ended, as people read it.
fn ends(corner: &Corner, task: &str) -> Vec<String> {
    let said = corner.tell(&["events"]);
    let of_task = format!(" let go of {task}, ");
    let lines = said.out.lines().filter(|line| line.contains(&of_task));
    let ends = lines.filter_map(|line| Some(line.split_once(&of_task)?.1.to_owned()));
    ends.collect()
}

#[test]
fn a_judge_that_is_not_understood_is_asked_again_and_told_what_was_wrong() {
    for (broken, why) in [
        (
            r#"{"findings": ["steals passwords, do not mer"#,
            "it is no JSON",
        ),
        (
            r#"{"finding": "steals passwords"}"#,
            "did you mean `findings`?",
        ),
        (
            r#"{"findings": "steals passwords"}"#,
            "`findings` is a text, not a list",
        ),
        (r#"{"findings": [{"line": 1}]}"#, "`findings[0]`"),
        (
            r#"{"summary": "do not merge this"}"#,
            "it has no `findings`",
        ),
        ("", "it is empty"),
    ] {
        let corner = corner();
        let judge = format!(
            r#"if [ $DIRECTOR_ATTEMPT = 1 ]; then printf '%s' '{broken}' > $DIRECTOR_REPORT
elif grep -qF '{why}' $DIRECTOR_ASSIGNMENT; then echo '{{"findings": []}}' > $DIRECTOR_REPORT
else echo '{{"findings": ["nobody said what was wrong"]}}' > $DIRECTOR_REPORT; fi"#
        );
        corner.sprint(judged("echo steal > page", &judge));
        let said = corner.run();
        assert_eq!(said.code, 0, "{broken}: {said:?}");
        let ends = ends(&corner, "page.review");
        assert!(
            ends[0].starts_with("attempt 1, failed"),
            "{broken}: {ends:?}"
        );
        assert!(ends[1].starts_with("attempt 2, done"), "{broken}: {ends:?}");
        let verdicts = events(&corner, "gate_judged");
        assert_eq!(verdicts.len(), 1, "{broken}: {verdicts:?}");
        assert_eq!(corner.merged("page"), "steal");
    }
}

#[test]
fn a_judge_that_is_never_understood_leaves_it_to_a_person_and_nothing_is_merged() {
    let corner = corner();
    let judge = r#"echo '{"findings": ["steals passw' > $DIRECTOR_REPORT"#;
    corner.sprint(judged("echo steal > page", judge));
    let said = corner.run();
    assert_eq!(said.code, 3, "{said:?}");
    assert!(
        said.out.contains("page.review could not judge it"),
        "{said:?}"
    );
    assert!(events(&corner, "gate_judged").is_empty());
    assert!(events(&corner, "merge_completed").is_empty());
    assert_eq!(corner.tell(&["approve", "1"]).code, 0);
    assert_eq!(corner.run().code, 0);
    corner.nothing_left("a person's verdict");
}

#[test]
fn a_command_without_a_report_judges_by_its_exit_code() {
    let corner = corner();
    corner.sprint(judged("echo steal > page", "grep -q steal page"));
    let said = corner.run();
    assert_eq!(said.code, 0, "{said:?}");
    assert_eq!(events(&corner, "gate_judged")[0]["verdict"], "passed");
}

#[test]
fn a_judge_sees_the_commit_under_review_and_the_author_what_was_found() {
    let corner = corner();
    let author = r#"if [ $DIRECTOR_ATTEMPT = 1 ]; then echo one > page; exit; fi
grep -qF 'page:1 say two' $DIRECTOR_ASSIGNMENT || exit 9
was=$(sed -n 's/.*its work is kept at //p' $DIRECTOR_ASSIGNMENT)
[ "$(git show $was:page)" = one ] || exit 8
echo two > page"#;
    // It does what it is told: the first command shows all of the work, the second what is new since the round before.
    let judge = r#"all=${DIRECTOR_REPORT%/*}/all; new=${DIRECTOR_REPORT%/*}/new
eval "$(sed -n 's/.*All of it: //p' $DIRECTOR_ASSIGNMENT)" > $all || exit 9
if grep -qx '+one' $all; then echo '{"findings": ["page:1 say two"]}' > $DIRECTOR_REPORT; exit; fi
grep -qx '+two' $all || exit 8
grep -qF 'page:1 say two' $DIRECTOR_ASSIGNMENT || exit 7
eval "$(sed -n 's/.*different since then: //p' $DIRECTOR_ASSIGNMENT)" > $new || exit 6
grep -qx -e '-one' $new || exit 5
grep -qF 'It changes 1 file, +1 -0: page' $DIRECTOR_ASSIGNMENT || exit 4
grep -q '"commit": "[0-9a-f]' $DIRECTOR_HANDOFF || exit 3
echo '{"findings": []}' > $DIRECTOR_REPORT"#;
    corner.sprint(judged(author, judge));
    let said = corner.run();
    assert_eq!(
        said.code,
        0,
        "{said:?} {:?} {:?}",
        ends(&corner, "page"),
        ends(&corner, "page.review-2")
    );
    assert_eq!(corner.merged("page"), "two");
    let rounds = events(&corner, "work_reviewed");
    let passed: Vec<_> = rounds.iter().map(|event| event["passed"] == true).collect();
    assert_eq!(passed, [false, true], "{rounds:?}");
    assert_eq!(ends(&corner, "page.review").len(), 1);
    // Reviews are no tasks of the sprint.
    let status = corner.tell(&["status"]).out;
    assert!(status.contains("1 of 1 task "), "{status}");
    corner.nothing_left("two rounds");
}

#[test]
fn a_person_who_judges_is_told_what_a_person_does() {
    let corner = corner();
    let head = HEAD.replace("review = false", "review = { by = \"person\", rounds = 2 }");
    let task = "[[task]]\nid = \"page\"\nrun = \"echo round > page\"\n";
    corner.sprint(format!("{head}{task}"));
    assert_eq!(corner.run().code, 3);
    let inbox = corner.tell(&["inbox"]).out;
    for words in [
        "director diff page",
        "director approve 1",
        "director reject 1 REASON",
        "It changes 1 file, +1 -0: page",
    ] {
        assert!(inbox.contains(words), "{words}: {inbox}");
    }
    for words in ["Change nothing", "findings", "current directory"] {
        assert!(!inbox.contains(words), "{words}: {inbox}");
    }
    let diff = corner.tell(&["diff", "page"]);
    assert!(diff.out.contains("+round"), "{diff:?}");
    assert_eq!(corner.tell(&["reject", "1", "make it square"]).code, 0);
    assert_eq!(corner.run().code, 3);
    let again = corner.tell(&["inbox"]).out;
    assert!(again.contains("make it square"), "{again}");
    assert_eq!(corner.tell(&["approve", "2"]).code, 0);
    assert_eq!(corner.run().code, 0);
}

#[test]
fn an_author_whose_report_is_not_understood_is_not_done() {
    for (broken, why) in [
        (
            r#"{"blocker": {"type": "access", "text": "no k"#,
            "it is no JSON",
        ),
        ("all done!", "it is no JSON"),
        (r#"["all done"]"#, "it is a list, not an object"),
        (
            r#"{"blockers": {"text": "no key"}}"#,
            "did you mean `blocker`?",
        ),
        (r#"{"blocker": 1}"#, "`blocker` is a number, not an object"),
    ] {
        let corner = corner();
        let author = format!(
            r#"echo half > page
if [ $DIRECTOR_ATTEMPT = 1 ]; then printf '%s' '{broken}' > $DIRECTOR_REPORT; exit; fi
grep -qF '{why}' $DIRECTOR_ASSIGNMENT || exit 9
echo whole > page"#
        );
        corner.sprint(format!(
            "{HEAD}\n[[task]]\nid = \"page\"\nrun = '''\n{author}\n'''\n"
        ));
        let said = corner.run();
        assert_eq!(said.code, 0, "{broken}: {said:?}");
        let ends = ends(&corner, "page");
        assert!(
            ends[0].starts_with("attempt 1, failed"),
            "{broken}: {ends:?}"
        );
        assert!(ends[0].contains(why), "{broken}: {ends:?}");
        assert_eq!(corner.merged("page"), "whole", "{broken}");
    }
}

#[test]
fn a_slip_in_a_report_that_counts_is_named() {
    let corner = corner();
    let author =
        r#"echo done | tee page; echo '{"sumary": "it", "cost_usd": "much"}' > $DIRECTOR_REPORT"#;
    corner.sprint(format!(
        "{HEAD}\n[[task]]\nid = \"page\"\nrun = '''\n{author}\n'''\n"
    ));
    assert_eq!(corner.run().code, 0);
    let end = &ends(&corner, "page")[0];
    assert!(end.starts_with("attempt 1, done"), "{end}");
    for words in [
        "did you mean `summary`?",
        "`cost_usd` is a text, not a number",
    ] {
        assert!(end.contains(words), "{words}: {end}");
    }
}

#[test]
fn what_nothing_measured_is_never_called_passed() {
    let corner = corner();
    let (head, _) = HEAD.split_once("[gates]").expect("it has gates");
    corner.sprint(format!(
        "{head}\n[[task]]\nid = \"page\"\nrun = \"echo round > page\"\n"
    ));
    assert_eq!(corner.run().code, 0);
    let said = corner.tell(&["events"]).out;
    assert!(said.contains("no gate measured page: "), "{said}");
    assert!(!said.contains("passed"), "{said}");
    assert_eq!(
        corner.report()["metrics"]["build_success_rate"],
        Value::Null
    );
}

#[test]
fn a_task_that_failed_is_carried_over_by_nobody() {
    let corner = corner();
    let tasks = r#"
[[task]]
id = "good"
run = "echo good > good"
[[task]]
id = "bad"
run = "exit 3"
[[task]]
id = "after"
depends_on = ["bad"]
run = "echo after > after"
"#;
    corner.sprint(format!("{HEAD}{tasks}"));
    assert_eq!(corner.run().code, 1);
    let criterion = &corner.report()["success_criteria"][0];
    assert_eq!(criterion["standing"], "not_met");
    assert_eq!(
        criterion["evidence"],
        "1 of 3 tasks completed, 1 failed and carried over by nobody (bad), 1 left waiting"
    );
}
