//! Before the start, through the real program: what is unclear is guessed or asked, answers count, and time has its shares.

use director_tests::corner::{Corner, HEAD};
use director_tests::harness::PATIENCE;
use director_tests::process;
use rustix::process::Signal;
use serde_json::Value;

fn corner() -> Corner {
    Corner::new(env!("CARGO_BIN_EXE_director-under-test"))
}

#[test]
fn what_is_unclear_is_guessed_or_asked_and_strict_begins_with_the_last_answer() {
    let corner = corner();
    let team = HEAD.replace("count = 2", "count = 2\n\n[team.documentation-writer]");
    corner.sprint(format!(
        "{team}\n[[task]]\nid = \"guide\"\ntitle = \"Write the user guide\"\nspec = \"nowhere.md\"\nrun = \"echo x > guide\"\n"
    ));
    let file = corner.file().to_string_lossy().into_owned();
    let plan = corner.tell(&["plan", "--json", &file]);
    let read: Value =
        serde_json::from_str(&plan.out).unwrap_or_else(|error| panic!("{error}: {plan:?}"));
    assert_eq!(read["tasks"][0]["role"], "documentation-writer");
    assert_eq!(
        read["guesses"][0],
        "`guide` is taken as `documentation` for documentation-writer: its title says `guide`"
    );
    assert_eq!(
        read["guesses"][1],
        "`guide` is taken to need 1h: an hour for each of its 1 point"
    );
    assert!(
        plan.err
            .contains("question: guide: its specification `nowhere.md` is not there"),
        "{plan:?}"
    );

    // A command reads nothing, so nothing would be asked without `--strict`.
    let strict = corner.tell(&["run", "--strict", &file]);
    assert_eq!(strict.code, 3, "only people are waited for: {strict:?}");
    assert!(
        strict
            .err
            .contains("guess: `guide` is taken as `documentation`")
            && strict
                .err
                .contains("3 things are unclear: nothing begins before each is answered"),
        "{strict:?}"
    );
    let asked = inbox(&corner);
    let questions: Vec<_> = asked
        .iter()
        .map(|item| (item["kind"].as_str(), item["question"].as_str()))
        .collect();
    let unclear = Some("unclear");
    assert_eq!(
        questions,
        [
            (
                unclear,
                Some("no acceptance criteria: what has to be true when it is done?")
            ),
            (unclear, Some("no estimate: how long does it take?")),
            (
                unclear,
                Some("its specification `nowhere.md` is not there: where is it?")
            ),
        ]
    );
    assert_eq!(asked[1]["answer"], "director answer 2 \"4h, or 2h 4h 9h\"");
    let why = corner.tell(&["why", "guide"]);
    assert!(
        why.out
            .contains("begins once what is unclear is answered: 3 questions in the inbox"),
        "{why:?}"
    );
    let wrong = corner.tell(&["answer", "2", "soon"]);
    assert!(
        wrong.code == 2
            && wrong
                .err
                .contains("`soon` is no effort; write hours as `4h`"),
        "{wrong:?}"
    );
    assert_eq!(corner.tell(&["answer", "2", "2h 4h 9h"]).code, 0);
    assert_eq!(corner.tell(&["answer", "1", "it fits on one page"]).code, 0);
    let rest = corner.tell(&["run", "--strict", &file]);
    assert_eq!(rest.code, 3, "one is left: {rest:?}");
    assert_eq!(corner.tell(&["approve", "3"]).code, 0, "fine as it is");

    let run = corner.run();
    assert_eq!(run.code, 0, "{run:?}");
    let events = corner.tell(&["events", "--json"]).out;
    let changed: Vec<Value> = events
        .lines()
        .filter_map(|line| serde_json::from_str(line).ok())
        .filter(|event: &Value| event["event"] == "task_changed")
        .collect();
    assert_eq!(changed.len(), 2, "{events}");
    let assigned = events.find("\"task_assigned\"").expect("work began");
    assert!(
        events[..assigned].matches("\"task_changed\"").count() == 2,
        "no work before the answers"
    );
    let estimate = events
        .lines()
        .find(|line| line.contains("\"task_assigned\""));
    let assigned: Value = serde_json::from_str(estimate.expect("it is there")).expect("JSON");
    assert_eq!(assigned["estimated_hours"], 4.5, "the answer counts");
    assert_eq!(
        corner.report()["tasks"][0]["agent"],
        "documentation-writer-1"
    );
    corner.nothing_left("unclear");
}

#[test]
fn a_replan_undoes_no_answer_and_no_guess_unless_the_file_says_so() {
    let corner = corner();
    let team = HEAD.replace("count = 2", "count = 2\n\n[team.documentation-writer]");
    let guide = |more: &str| {
        format!(
            "{team}\n[planning]\nstrict = true\n[[task]]\nid = \"guide\"\ntitle = \"Write the user guide\"\nrun = \"echo x > guide\"\n{more}"
        )
    };
    // A third question keeps it from beginning.
    let guide = |more: &str| guide(&format!("spec = \"nowhere.md\"\n{more}"));
    corner.sprint(guide(""));
    let file = corner.file().to_string_lossy().into_owned();
    assert_eq!(corner.tell(&["run", &file]).code, 3);
    assert_eq!(corner.tell(&["answer", "1", "it fits on one page"]).code, 0);
    assert_eq!(corner.tell(&["answer", "2", "2h 4h 9h"]).code, 0);
    let asked = |corner: &Corner| -> Value {
        serde_json::from_str(&corner.tell(&["replan", &file, "--json"]).out).expect("JSON")
    };
    assert_eq!(asked(&corner)["changes"], 0, "it is what was submitted");

    // What the file says otherwise than it did counts; what it says as it did leaves the answer.
    corner.sprint(guide("hours = 2\n"));
    let found = asked(&corner);
    assert_eq!(found["changed"][0]["what"][0], "estimate", "{found}");
    assert_eq!(found["changed"][0]["what"][1], Value::Null, "{found}");
    assert_eq!(corner.tell(&["replan", &file, "--yes"]).code, 0);
    let changed = event(&corner, "task_changed");
    assert_eq!(changed["spec"]["acceptance"][0], "it fits on one page");
    assert_eq!(asked(&corner)["changes"], 0);
    // It says something of the criteria for the first time.
    corner.sprint(guide(
        "acceptance = [\"it fits on two pages\"]\nhours = 2\n",
    ));
    assert_eq!(corner.tell(&["replan", &file, "--yes"]).code, 0);
    let changed = event(&corner, "task_changed");
    assert_eq!(changed["spec"]["acceptance"][0], "it fits on two pages");
    assert_eq!(corner.tell(&["cancel"]).code, 0);
    assert_eq!(corner.run().code, 5);
}

/// Answers as Claude Code does without a screen: knows what has to be true and how long it takes, and not where the specification is.
const PRODUCT: &str = r#"prompt=$(cat)
asks() { printf '%s' "$prompt" | grep -q "$1"; }
if asks 'no acceptance criteria'; then said='it fits on one page'
elif asks 'no estimate'; then said='2h 4h 9h'
else said='pass'
fi
echo '{"type":"system","subtype":"init","session_id":"s-1"}'
printf '{"type":"result","subtype":"success","is_error":false,"result":"%s","session_id":"s-1","total_cost_usd":0.02,"permission_denials":[]}\n' "$said"
"#;

#[test]
fn agents_that_are_product_are_asked_what_is_unclear_and_what_they_do_not_know_is_left_to_people() {
    let corner = corner();
    let script = corner.root().join("product.sh");
    std::fs::write(&script, PRODUCT).expect("a script");
    let team = HEAD.replace(
        "count = 2",
        &format!(
            "count = 2\n\n[team.product]\nkinds = []\nagent = \"asked\"\n\n[agent.asked]\nkind = \"claude\"\nprogram = [\"sh\", \"{}\"]\n",
            script.display()
        ),
    );
    corner.sprint(format!(
        "{team}\n[planning]\nstrict = true\n[[task]]\nid = \"guide\"\ntitle = \"Write the guide\"\nkind = \"feature\"\nspec = \"nowhere.md\"\nrun = \"echo x > guide\"\n"
    ));
    let run = corner.run();
    assert_eq!(run.code, 3, "a person is waited for: {run:?}");
    let waiting = inbox(&corner);
    let questions: Vec<_> = waiting
        .iter()
        .map(|item| item["question"].as_str())
        .collect();
    assert_eq!(
        questions,
        [Some(
            "its specification `nowhere.md` is not there: where is it?"
        )],
        "{}{run:?}",
        corner.tell(&["events"]).out
    );
    let told = corner.tell(&["events"]).out;
    for line in [
        "product_asked            product-1 is asked what #1 asks",
        "inbox_answered           product-1 answered #1: it fits on one page",
        "task_changed             guide changes, says product-1: estimate",
    ] {
        assert!(told.contains(line), "{line}: {told}");
    }
    assert_eq!(corner.tell(&["approve", "3"]).code, 0);
    let run = corner.run();
    assert_eq!(run.code, 0, "{run:?}");
    // The demo goes to Product afterwards; the guide was the first.
    let told = corner.tell(&["events", "--json"]).out;
    let assigned = told.lines().find(|line| line.contains("\"task_assigned\""));
    let assigned: Value = serde_json::from_str(assigned.expect("work began")).expect("JSON");
    assert_eq!(assigned["estimated_hours"], 4.5, "what Product said counts");
    assert_eq!(
        event(&corner, "task_changed")["spec"]["acceptance"][0],
        "it fits on one page"
    );
    corner.nothing_left("agents are Product");
}

/// What waits for a person.
fn inbox(corner: &Corner) -> Vec<Value> {
    let said = corner.tell(&["inbox", "--json"]);
    let read: Value = serde_json::from_str(&said.out).unwrap_or(Value::Null);
    read["inbox"].as_array().cloned().unwrap_or_default()
}

#[test]
fn questions_survive_a_kill_and_answers_given_to_a_service_begin_the_work() {
    let corner = corner();
    corner.sprint(format!(
        "{HEAD}\n[planning]\nstrict = true\n[[task]]\nid = \"a\"\nhours = 1\nrun = \"echo a > a\"\n"
    ));
    let file = corner.file().to_string_lossy().into_owned();
    let serve = ["serve", "--listen", "127.0.0.1:0", "--drain", "0"];
    let answers = || (corner.tell(&["inbox"]).code == 0).then_some(());
    let mut run = corner.start_words(&serve, "first.log");
    process::until(PATIENCE, answers).expect("it serves");
    let said = corner.tell(&["submit", &file]);
    assert!(
        said.code == 0 && said.err.contains("2 things are unclear: nothing begins"),
        "{said:?}"
    );
    corner.wait_for("the questions", |status| status["state"] == "unclear");
    assert_eq!(corner.tell(&["answer", "1", "writes the letter"]).code, 0);
    process::signal(&run.0, Signal::KILL);
    run.code_within(PATIENCE);

    let mut run = corner.start_words(&serve, "second.log");
    process::until(PATIENCE, answers).expect("it serves again");
    corner.wait_for("the question that is left", |status| {
        status["state"] == "unclear"
    });
    assert_eq!(inbox(&corner).len(), 1);
    assert_eq!(corner.tell(&["answer", "2", "the file holds an a"]).code, 0);
    corner.wait_for("the end", |status| status["state"] == "done");
    process::signal(&run.0, Signal::TERM);
    assert_eq!(run.code_within(PATIENCE), Some(0));
    assert_eq!(corner.ends(), "a completed");
    // The stop may have come before the worktrees were gone.
    assert_eq!(corner.run().code, 0);
    corner.nothing_left("killed between questions");
}

#[test]
fn work_that_is_clear_begins_at_once_and_an_answer_changes_what_has_not_begun() {
    let corner = corner();
    // A person reads what a task says; they have one task at a time, so the second waits.
    let head = HEAD.replace(
        "count = 2",
        "count = 1\n\n[team.designer]\nagent = \"person\"\nkinds = [\"design\"]",
    );
    let task = |id: &str| {
        format!(
            "[[task]]\nid = \"{id}\"\nkind = \"design\"\nhours = 1\ndescription = \"draw\"\nexpects = \"changes\"\n"
        )
    };
    corner.sprint(format!(
        "{head}{}{}[[task]]\nid = \"build\"\nrun = \"echo b > b\"\n",
        task("logo"),
        task("page")
    ));
    let run = corner.run();
    assert_eq!(run.code, 3, "{run:?}");
    assert!(
        run.err
            .contains("1 thing is unclear and asked in the inbox; work begins without"),
        "{run:?}"
    );
    let waiting = inbox(&corner);
    let of = |task: &str, kind: &str| {
        let mut items = waiting.iter();
        let found = items.find(|item| item["task"] == task && item["kind"] == kind);
        found.map(|item| item["id"].to_string())
    };
    assert!(of("logo", "task").is_some(), "{waiting:?}");
    assert_eq!(of("logo", "unclear"), None, "its work has begun");
    let item = of("page", "unclear").expect("it is still asked");
    assert_eq!(corner.tell(&["answer", &item, "it is blue"]).code, 0);
    let logo = of("logo", "task").expect("it waits");
    std::fs::write(corner.repo().join(".worktrees/logo/logo"), "round").expect("drawn");
    assert_eq!(corner.tell(&["approve", &logo]).code, 0);
    assert_eq!(corner.run().code, 3, "the page waits for the designer");
    let page = inbox(&corner);
    assert!(
        page[0]["question"]
            .as_str()
            .is_some_and(|text| text.contains("it is blue")),
        "{page:?}"
    );
    assert_eq!(corner.tell(&["cancel"]).code, 0);
    assert_eq!(corner.run().code, 5);
    assert!(inbox(&corner).is_empty());
}

#[test]
fn shares_of_time_limit_what_is_promised_and_the_report_compares() {
    let corner = corner();
    let head = HEAD.replace("count = 2", "count = 2\ncapacity = 10");
    let task = |id: &str, class: &str| {
        format!(
            "[[task]]\nid = \"{id}\"\nhours = 3\nclass = \"{class}\"\nrun = \"echo {id} > {id}\"\n"
        )
    };
    corner.sprint(format!(
        "{head}\n[shares]\nfeature = 0.5\ndebt = 0.2\n{}{}{}",
        task("new", "feature"),
        task("old", "debt"),
        task("older", "debt")
    ));
    let file = corner.file().to_string_lossy().into_owned();
    let plan = corner.tell(&["plan", &file]);
    assert!(
        plan.out.contains(
            "- Shares: feature 3h of 10h (50 %), debt 3h of 4h (20 %), infrastructure 0h"
        ),
        "{}",
        plan.out
    );
    assert!(
        plan.out
            .contains("- older: needs 3h, and the share of debt has 1h left"),
        "{}",
        plan.out
    );
    let run = corner.run();
    assert_eq!(run.code, 0, "{run:?}");
    let shares = &corner.report()["metrics"]["shares"];
    assert_eq!(
        (
            shares["debt"]["most"].as_f64(),
            shares["debt"]["planned"].as_f64()
        ),
        (Some(0.2), Some(0.5))
    );
    assert!(
        shares["debt"]["actual"]
            .as_f64()
            .is_some_and(|actual| actual > 0.0 && actual < 1.0),
        "{shares}"
    );
    let shown = corner.tell(&["report", "--format", "md"]);
    assert!(
        shown.out.contains("| debt | 20 % | 50 % (3.00h) |"),
        "{}",
        shown.out
    );

    corner.sprint(format!(
        "{head}\n[shares]\nfeature = 0.9\ndebt = 0.2\n{}",
        task("new", "feature")
    ));
    let wrong = corner.tell(&["plan", &file]);
    assert!(
        wrong.code == 2 && wrong.err.contains("the shares add up to 1.1"),
        "{wrong:?}"
    );
}

/// The first event of that name.
fn event(corner: &Corner, name: &str) -> Value {
    let events = corner.tell(&["events", "--json"]).out;
    let read = events
        .lines()
        .filter_map(|line| serde_json::from_str(line).ok());
    let mut named = read.filter(|event: &Value| event["event"] == name);
    named.next_back().unwrap_or(Value::Null)
}

#[test]
fn estimates_are_corrected_by_the_past_where_the_file_says_so_and_the_plan_has_one_figure() {
    let corner = corner();
    let task = |id: &str, hours: &str, run: &str| {
        format!(
            "[[task]]\nid = \"{id}\"\nhours = {hours}\nrun = \"{run} && echo {id} > file-{id}\"\n"
        )
    };
    let first: String = ["a", "b", "c"]
        .iter()
        .map(|id| task(id, "0.001", "sleep 0.5"))
        .collect();
    corner.sprint(format!("{HEAD}{first}"));
    assert_eq!(corner.run().code, 0);
    assert_eq!(corner.tell(&["deliver"]).code, 0);

    // One agent: the way through the graph is three hours, the plan five.
    let head = HEAD
        .replace("id = \"s\"", "id = \"next\"")
        .replace("count = 2", "count = 1");
    let second = task("d", "3", "true") + &task("e", "2", "true");
    corner.sprint(format!("{head}[planning]\ncalibrate = true\n{second}"));
    let file = corner.file().to_string_lossy().into_owned();
    let plan = corner.tell(&["plan", "--json", &file]);
    let plan: Value = serde_json::from_str(&plan.out).unwrap_or_else(|_| panic!("{plan:?}"));
    let said = plan["past"]["changes"][0].as_str().expect("a sentence");
    assert!(
        said.starts_with("estimates of 2 tasks of feature are multiplied by"),
        "{said}"
    );
    let run = corner.run();
    assert_eq!(run.code, 0, "{run:?}");
    assert!(run.err.contains(said), "{run:?}");
    let close = |a: &Value, b: &Value| {
        let (a, b) = (a.as_f64().expect("hours"), b.as_f64().expect("hours"));
        assert!((a - b).abs() < 0.01, "{a} {b}");
        a
    };
    let assigned = event(&corner, "task_assigned");
    close(
        &assigned["estimated_hours"],
        &plan["tasks"][1]["expected_hours"],
    );
    let begun = event(&corner, "sprint_initialized");
    let begun = begun["estimated_duration"].as_f64().expect("seconds") / 3600.0;
    let planned = close(&begun.into(), &plan["makespan_hours"]);
    assert!(
        planned > plan["critical_path_hours"].as_f64().expect("hours"),
        "{plan}"
    );
    let again = corner.run();
    assert!(
        again.code == 0 && !again.err.contains("differs"),
        "{again:?}"
    );
    corner.nothing_left("calibrated");

    // What the past made of the estimates is no difference to the file, for a sprint that is under way.
    let third = task("f", "3", "false");
    corner.sprint(format!(
        "{}[planning]\ncalibrate = true\nstrict = true\n{third}",
        head.replace("\"next\"", "\"third\"")
    ));
    assert_eq!(corner.run().code, 3);
    let same = corner.tell(&["replan", &file]);
    assert!(
        same.code == 0 && same.out.contains("is what the file says"),
        "{same:?}"
    );
}
