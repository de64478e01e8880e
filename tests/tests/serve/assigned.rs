//! Agents at work and the tokens of their assignments: what one can say, by which ways, and what no token is good for.

use std::fs;
use std::path::Path;

use director_tests::harness::{PATIENCE, Playground};
use director_tests::http::{Answer, Site};
use director_tests::mcp::{self, OnStdio, Wire};
use director_tests::process;
use serde_json::{Value, json};

use super::{PROGRAM, serve, submit};

/// Tasks that leave their environment where the test finds it, and work until the test says so.
fn patient(play: &Playground, id: &str) -> String {
    let root = play.root().display().to_string();
    let task = |name: &str, more: &str| {
        format!(
            "[[task]]\nid = \"{name}\"\ntitle = \"The {name}\"\n{more}run = '''\n\
             env | grep ^DIRECTOR_ > {root}/{name}-$DIRECTOR_ATTEMPT.new\n\
             mv {root}/{name}-$DIRECTOR_ATTEMPT.new {root}/{name}-$DIRECTOR_ATTEMPT\n\
             until test -e {root}/{name}-$DIRECTOR_ATTEMPT-go; do sleep 0.05; done\n\
             sh {root}/{name}-$DIRECTOR_ATTEMPT-go\n'''\n"
        )
    };
    format!(
        "[sprint]\nid = \"{id}\"\n[team.fullstack-engineer]\ncount = 2\n{}{}",
        task("one", "acceptance = [\"it works\"]\n"),
        task("two", "")
    )
}

/// What an agent that has begun finds in its environment.
pub(super) fn environment(play: &Playground, name: &str, attempt: u32) -> impl Fn(&str) -> String {
    let file = play.root().join(format!("{name}-{attempt}"));
    let text = process::until(PATIENCE, || fs::read_to_string(&file).ok()).expect("it has begun");
    move |variable: &str| {
        let line = text
            .lines()
            .find_map(|line| line.strip_prefix(variable)?.strip_prefix('='));
        line.unwrap_or_else(|| panic!("{variable} in {text}"))
            .to_owned()
    }
}

/// Lets it end: with this as the rest of its script.
fn end(play: &Playground, name: &str, attempt: u32, script: &str) {
    let go = play.root().join(format!("{name}-{attempt}-go"));
    let new = play.root().join("new");
    fs::write(&new, script).expect("written");
    fs::rename(new, go).expect("there");
}

fn say(site: &Site, token: &str, path: &str, body: &Value) -> Answer {
    let bearer = format!("Bearer {token}");
    let headers = [
        ("Authorization", bearer.as_str()),
        ("Content-Type", "application/json"),
    ];
    site.request("POST", path, &headers, &body.to_string())
}

fn task(site: &Site, name: &str, is: impl Fn(&Value) -> bool) -> Value {
    let found = process::until(PATIENCE, || {
        let status = site.get("/api/v1/status").json();
        let tasks = status["tasks"].as_array()?.clone();
        tasks
            .into_iter()
            .find(|task| task["id"] == name && is(task))
    });
    found.unwrap_or_else(|| panic!("{name}: {}", site.get("/api/v1/status").body))
}

#[test]
fn an_agent_reports_on_its_own_task_by_http_and_by_tools() {
    let play = Playground::new(PROGRAM, 1);
    let (_run, site) = serve(&play, &[]);
    submit(&site, &patient(&play, "report"));
    let one = environment(&play, "one", 1);
    assert_eq!(one("DIRECTOR_URL"), format!("http://{}", site.address));
    let token = one("DIRECTOR_TOKEN");

    // Over HTTP; the same twice is there once.
    for _ in 0..2 {
        let said = say(
            &site,
            &token,
            "/api/v1/tasks/one/progress",
            &json!({ "percent": 40, "text": "half way" }),
        );
        assert_eq!(said.status, 200, "{}", said.body);
    }
    let shown = process::until(PATIENCE, || {
        let tree = site.get("/api/v1/tree").body;
        tree.contains("one, 40 %, half way").then_some(())
    });
    shown.unwrap_or_else(|| panic!("{}", site.get("/api/v1/tree").body));

    // By tools over HTTP, for another; by tools of a process that was started in the environment of an agent.
    let two = environment(&play, "two", 1);
    let mut over_http = Wire::Http(site.clone(), two("DIRECTOR_TOKEN"));
    let mut command = std::process::Command::new(one("DIRECTOR_PROGRAM"));
    command.arg("mcp").current_dir("/").env_clear();
    for name in ["DIRECTOR_TOKEN", "DIRECTOR_DATA_DIR"] {
        command.env(name, one(name));
    }
    let mut on_stdio = Wire::Process(Box::new(OnStdio::start(command)));
    for (wire, name) in [(&mut on_stdio, "one"), (&mut over_http, "two")] {
        assert_eq!(
            wire.tools(),
            ["assignment", "progress", "blocker", "hand_off", "ask"]
        );
        let (text, mine) = wire.done("assignment", json!({}));
        assert_eq!(mine["task"], name);
        assert!(text.contains(&format!("The {name}")), "{text}");
        wire.done("progress", json!({ "percent": 80 }));
        let (no, text, _) = wire.call("progress", json!({ "percent": 101 }));
        assert!(
            no && text.contains("`percent` has to be a whole number from 0 to 100"),
            "{text}"
        );
        let (no, text, _) = wire.call("progress", json!({ "percent": 1, "task": "two" }));
        assert!(
            no && text.contains("there is no parameter `task`"),
            "{text}"
        );
        let (no, text, _) = wire.call("hand_off", json!({ "summary": "x".repeat(70_000) }));
        assert!(no && text.contains("up to 64 KiB"), "{text}");
        let said = wire.ask(
            "tools/call",
            json!({ "name": "submit", "arguments": { "file": "" } }),
        );
        assert!(
            said["error"]["message"]
                .as_str()
                .is_some_and(|text| text.contains("no tool `submit`")),
            "{said}"
        );
    }
    on_stdio.done(
        "hand_off",
        json!({
            "summary": "built by tools",
            "artifacts": ["out.txt", "../../etc/passwd"],
            "acceptance": [{ "criterion": "it works", "met": true, "evidence": "tried" }],
            "feedback": "was easy",
        }),
    );
    over_http.done(
        "blocker",
        json!({ "kind": "design_issue", "severity": "high", "text": "which colour?" }),
    );
    end(&play, "one", 1, "echo out > out.txt");
    end(&play, "two", 1, "exit 1");
    task(&site, "one", |task| task["status"] == "completed");
    let report = site.get("/api/v1/report").json();
    let text = report.to_string();
    let events = site.get("/api/v1/journal").body;
    assert!(
        events.contains("built by tools") && events.contains("was easy"),
        "{events}"
    );
    // What lies outside has its name and no content.
    assert!(!text.contains("root:"), "{text}");
    let found = process::until(PATIENCE, || {
        let inbox = site.get("/api/v1/inbox").body;
        inbox.contains("which colour?").then_some(())
    });
    found.expect("the blocker reached a person");
}

#[test]
fn a_token_is_good_for_its_attempt_alone_and_as_long_as_that_lasts() {
    let play = Playground::new(PROGRAM, 1);
    let (run, site) = serve(&play, &[]);
    submit(&site, &patient(&play, "tokens"));
    let one = environment(&play, "one", 1)("DIRECTOR_TOKEN");
    let two = environment(&play, "two", 1)("DIRECTOR_TOKEN");
    let progress = json!({ "percent": 10 });
    let path = "/api/v1/tasks/one/progress";
    let forged = |change: fn(&str) -> String| change(&one);
    for (case, token, path, status, words) in [
        ("its own", one.clone(), path, 200, "noted"),
        (
            "another task's",
            two.clone(),
            path,
            403,
            "is for task `two` and not for `one`",
        ),
        (
            "for another task",
            one.clone(),
            "/api/v1/tasks/two/progress",
            403,
            "is for task `one` and not for `two`",
        ),
        (
            "a later attempt",
            forged(|token| token.replacen(".1.", ".2.", 1)),
            path,
            401,
            "none of this director's",
        ),
        (
            "another proof",
            forged(|token| format!("{}{}", &token[..token.len() - 8], "00000000")),
            path,
            401,
            "none of this director's",
        ),
        (
            "no such task",
            forged(|token| token.replacen("assignment.", "assignment.9", 1)),
            path,
            401,
            "none of this director's",
        ),
        (
            "no proof",
            "assignment.0.1.".to_owned(),
            path,
            401,
            "none of this director's",
        ),
        (
            "the director's own",
            site.token.clone(),
            path,
            403,
            "`DIRECTOR_TOKEN`",
        ),
        (
            "another call",
            one.clone(),
            "/api/v1/tasks/one/retry",
            403,
            "can report on its own task",
        ),
        (
            "a sprint",
            one.clone(),
            "/api/v1/sprints",
            403,
            "can report on its own task",
        ),
        (
            "the end of it all",
            one.clone(),
            "/api/v1/shutdown",
            403,
            "can report on its own task",
        ),
        (
            "a form",
            one.clone(),
            "/inbox/1",
            403,
            "can report on its own task",
        ),
    ] {
        let said = say(&site, &token, path, &progress);
        assert_eq!(said.status, status, "{case}: {}", said.body);
        assert!(said.body.contains(words), "{case}: {}", said.body);
    }
    let bearer = format!("Bearer {one}");
    let looked = site.request("GET", "/api/v1/status", &[("Authorization", &bearer)], "");
    assert_eq!(looked.status, 403, "not even questions: {}", looked.body);
    let cookie = format!("director={one}");
    let json = ("Content-Type", "application/json");
    let said = site.request(
        "POST",
        path,
        &[("Cookie", &cookie), json],
        "{\"percent\": 1}",
    );
    assert_eq!(said.status, 401, "a cookie is no way for it: {}", said.body);
    let initialize =
        json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {} }).to_string();
    let listed = mcp::post(
        &site,
        Some(&forged(|token| token.replacen(".1.", ".2.", 1))),
        &initialize,
        &[],
    );
    assert_eq!(listed.status, 401, "{}", listed.body);

    // The next attempt has a token of its own, and the old one has expired.
    end(&play, "one", 1, "exit 7");
    let later = environment(&play, "one", 2)("DIRECTOR_TOKEN");
    let said = say(&site, &one, path, &progress);
    assert_eq!(said.status, 403);
    assert!(
        said.body
            .contains("has expired: attempt 1 at task `one` is over, attempt 2 has begun"),
        "{}",
        said.body
    );
    let listed = mcp::post(&site, Some(&one), &initialize, &[]);
    assert_eq!(listed.status, 403, "{}", listed.body);
    assert_eq!(say(&site, &later, path, &progress).status, 200);

    // A restart interrupts the attempts; their tokens are known, and say so.
    drop(run);
    let (_run, site) = serve(&play, &[]);
    let again = environment(&play, "one", 3)("DIRECTOR_TOKEN");
    assert!(
        say(&site, &later, path, &progress)
            .body
            .contains("has expired"),
        "after a restart"
    );
    assert_eq!(say(&site, &again, path, &progress).status, 200);
    end(&play, "one", 3, "echo x > x");
    end(&play, "two", 2, "echo x > y");
    task(&site, "one", |task| task["status"] == "completed");
    let said = say(&site, &again, path, &progress);
    assert!(
        said.status == 403 && said.body.contains("has expired"),
        "{}",
        said.body
    );

    // Nothing that is kept has one of them.
    for token in [&one, &two, &later, &again] {
        for dir in [play.data_dir(), play.root().join("log")] {
            assert_eq!(found_in(&dir, token), Vec::<String>::new());
        }
    }
}

/// The files below a directory that have the text.
fn found_in(path: &Path, text: &str) -> Vec<String> {
    if path.is_dir() {
        let all = fs::read_dir(path).expect("a directory").flatten();
        return all
            .flat_map(|entry| found_in(&entry.path(), text))
            .collect();
    }
    let bytes = fs::read(path).unwrap_or_default();
    let has = bytes
        .windows(text.len())
        .any(|part| part == text.as_bytes());
    has.then(|| path.display().to_string())
        .into_iter()
        .collect()
}

#[test]
fn an_agent_asks_and_a_person_answers_while_it_works() {
    let play = Playground::new(PROGRAM, 1);
    let (_run, site) = serve(&play, &[]);
    submit(&site, &patient(&play, "asks"));
    let one = environment(&play, "one", 1)("DIRECTOR_TOKEN");
    let path = "/api/v1/tasks/one/ask";
    let question = |wait: u64| json!({ "question": "Which <b>colour</b>?", "wait": wait });
    for _ in 0..2 {
        let said = say(&site, &one, path, &question(0));
        assert_eq!(
            (said.status, &said.json()["answered"]),
            (200, &json!(false)),
            "{}",
            said.body
        );
    }
    let items = site.get("/api/v1/inbox").json()["inbox"]
        .as_array()
        .cloned()
        .unwrap_or_default();
    assert_eq!(items.len(), 1, "asked twice, it waits once: {items:?}");
    let answered = std::thread::scope(|scope| {
        let waits = scope.spawn(|| say(&site, &one, path, &question(50)));
        let answer = format!("/api/v1/inbox/{}/answer", items[0]["id"]);
        let said = site.post(&answer, r#"{"text": "blue", "by": "mia"}"#);
        assert_eq!(said.status, 200, "{}", said.body);
        waits.join().expect("an answer")
    });
    let said = answered.json();
    assert_eq!(
        (&said["by"], &said["answer"]),
        (&json!("mia"), &json!("blue")),
        "{said}"
    );
    let said = say(
        &site,
        &one,
        path,
        &json!({ "question": "And?", "of": "none", "wait": 0 }),
    );
    assert!(
        said.status == 404 && said.body.contains("no task of that name"),
        "{}",
        said.body
    );
    end(&play, "one", 1, "echo blue > colour");
    end(&play, "two", 1, "echo x > y");
    task(&site, "one", |task| task["status"] == "completed");
}
