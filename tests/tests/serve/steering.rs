//! Steering over HTTP: the same words as at the command line, once for each key, and only of what is still as it was seen.

use std::fs;
use std::sync::Barrier;

use director_tests::harness::{PATIENCE, Playground};
use director_tests::http::Site;
use director_tests::process;

use super::{PROGRAM, file, serve, submit};

/// A sprint whose first task is a person's, with a second behind it.
const ASKS: &str = r#"
[sprint]
id = "asks"
[team.product]
agent = "person"
kinds = ["research"]
[[task]]
id = "choose"
kind = "research"
title = "Which colour?"
[[task]]
id = "paint"
depends_on = ["choose"]
run = "echo red > colour.txt"
"#;

fn waiting(site: &Site) -> u64 {
    let found = process::until(PATIENCE, || {
        site.get("/api/v1/inbox").json()["inbox"][0]["id"].as_u64()
    });
    found.expect("something waits")
}

#[test]
fn of_two_people_who_answer_at_once_one_is_told_that_it_is_answered() {
    let play = Playground::new(PROGRAM, 1);
    let (_run, site) = serve(&play, &[]);
    submit(&site, ASKS);
    let path = format!("/api/v1/inbox/{}/answer", waiting(&site));
    let together = Barrier::new(2);
    let answers: Vec<_> = std::thread::scope(|scope| {
        let answer = |who: &'static str| {
            let (site, path, together) = (&site, &path, &together);
            scope.spawn(move || {
                together.wait();
                site.post(
                    path,
                    &format!(r#"{{"text": "{who} says red", "by": "{who}"}}"#),
                )
            })
        };
        let both = [answer("mia"), answer("tom")];
        both.map(|one| one.join().expect("an answer")).into()
    });
    let mut statuses: Vec<_> = answers.iter().map(|answer| answer.status).collect();
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 409], "{answers:?}");
    let late = answers
        .iter()
        .find(|answer| answer.status == 409)
        .expect("one");
    assert_eq!(late.json()["code"], "rejected");
    assert!(
        late.body.contains("nothing numbered 1 waits"),
        "{}",
        late.body
    );
    let winner = answers
        .iter()
        .find(|answer| answer.status == 200)
        .expect("one");
    let seq = winner.json()["seq"].as_u64().expect("a position");
    let events = play.ask(&["events", "--json"]);
    let text = String::from_utf8_lossy(&events.stdout).into_owned();
    let of = text
        .lines()
        .filter(|line| line.contains(&format!("\"seq\":{seq},")));
    assert!(
        of.clone()
            .any(|line| line.contains("\"by\":\"mia\"") || line.contains("\"by\":\"tom\"")),
        "who did it: {text}"
    );
}

#[test]
fn a_key_is_good_for_one_call_also_after_a_kill() {
    let play = Playground::new(PROGRAM, 1);
    let (mut run, site) = serve(&play, &[]);
    submit(&site, ASKS);
    waiting(&site);
    let pause = |site: &Site| {
        site.post_with(
            "/api/v1/sprints/asks/pause",
            &[("Idempotency-Key", "k1")],
            r#"{"by": "mia"}"#,
        )
    };
    let first = pause(&site);
    assert_eq!(first.status, 200, "{}", first.body);
    let resumed = site.post("/api/v1/sprints/asks/resume", "");
    assert_eq!(resumed.status, 200);
    let same = pause(&site);
    assert_eq!((same.status, &same.body), (200, &first.body));
    assert_eq!(same.header("idempotency-replayed"), "true");
    run.0.kill().expect("it runs");
    run.0.wait().expect("it ended");
    let (_run, site) = serve(&play, &[]);
    assert_eq!(pause(&site).body, first.body, "after a kill too");
    assert_eq!(
        site.get("/api/v1/sprints/asks").json()["state"],
        "running",
        "nothing was done again"
    );
    let other = site.post_with(
        "/api/v1/sprints/asks/cancel",
        &[("Idempotency-Key", "k1")],
        "",
    );
    assert_eq!(other.status, 422, "{}", other.body);
}

#[test]
fn an_order_about_what_has_changed_since_is_not_carried_out() {
    let play = Playground::new(PROGRAM, 1);
    let (_run, site) = serve(&play, &[]);
    submit(&site, ASKS);
    waiting(&site);
    let seen = site.get("/api/v1/sprints/asks").header("etag").to_owned();
    assert!(seen.starts_with('"'), "{seen}");
    let pause = |tag: &str| site.post_with("/api/v1/sprints/asks/pause", &[("If-Match", tag)], "");
    assert_eq!(pause(&seen).status, 200);
    let stale = site.post_with("/api/v1/sprints/asks/resume", &[("If-Match", &seen)], "");
    assert_eq!(stale.status, 412, "{}", stale.body);
    assert!(stale.body.contains("look again"), "{}", stale.body);
    let seen = site.get("/api/v1/sprints/asks").header("etag").to_owned();
    let resume = site.post_with("/api/v1/sprints/asks/resume", &[("If-Match", &seen)], "");
    assert_eq!(resume.status, 200, "{}", resume.body);
    for bad in ["*", "W/\"x\"", "x", "\"\""] {
        assert_eq!(pause(bad).status, 400, "case {bad}");
    }
}

#[test]
fn program_and_terminal_get_the_same_answers() {
    let play = Playground::new(PROGRAM, 1);
    let (_run, site) = serve(&play, &[]);
    submit(&site, ASKS);
    waiting(&site);
    let paused = site.post("/api/v1/pause", "");
    assert_eq!(paused.status, 200);
    for (words, path) in [
        (&["inbox", "--json"][..], "/api/v1/inbox"),
        (&["agents", "--json"], "/api/v1/agents"),
        (&["status", "--json"], "/api/v1/status"),
    ] {
        let output = play.ask(words);
        let mut there: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
        let mut here = site.get(path).json();
        // Time goes on between the two.
        for value in [&mut there, &mut here] {
            without_time(value);
        }
        assert_eq!(here, there, "{path}");
    }
    let unknown = site.get("/api/v1/tasks/pant/why");
    let said = play.ask(&["why", "pant"]);
    let said = String::from_utf8_lossy(&said.stderr).into_owned();
    let detail = unknown.json()["detail"]
        .as_str()
        .unwrap_or_default()
        .to_owned();
    assert_eq!((unknown.status, format!("error: {detail}\n")), (404, said));
    let diff = site.get("/api/v1/tasks/paint/diff");
    assert_eq!(diff.status, 404, "{}", diff.body);
    let text = site.request("GET", "/api/v1/status", &[("Accept", "text/plain")], "");
    assert!(text.body.contains("choose"), "{}", text.body);
    fs::write(
        play.root().join("spec"),
        site.get("/api/v1/openapi.json").body,
    )
    .expect("written");
}

fn without_time(value: &mut serde_json::Value) {
    match value {
        serde_json::Value::Object(fields) => {
            for name in [
                "utilization",
                "doing",
                "detail",
                "open_seconds",
                "projected_completion",
                "available",
            ] {
                fields.remove(name);
            }
            fields.values_mut().for_each(without_time);
        }
        serde_json::Value::Array(items) => items.iter_mut().for_each(without_time),
        _ => {}
    }
}

#[test]
fn who_ordered_what_is_written_down_wherever_it_came_from_and_refused_orders_too() {
    let play = Playground::new(PROGRAM, 1);
    let (mut run, site) = serve(&play, &[]);
    submit(&site, &file(&play));
    site.post("/api/v1/pause", "{\"by\": \"ada\"}");
    let said = play.ask(&["resume"]);
    assert!(said.status.success(), "{said:?}");
    let no = site.post(
        "/api/v1/inbox/9/answer",
        "{\"text\": \"swordfish\", \"by\": \"bob\"}",
    );
    assert_eq!(no.status, 409, "{}", no.body);
    let answer = site.get("/api/v1/audit").json();
    let mut lines = answer["orders"].as_array().expect("orders").clone();
    // The director keeps a forecast of its own when work begins.
    lines.retain(|line| line["by"] != "director");
    let orders: Vec<_> = lines.iter().map(|line| &line["order"]).collect();
    assert_eq!(orders, ["submit", "pause", "resume", "answer"]);
    let from = |n: usize| lines[n]["from"].as_str().expect("from where").to_owned();
    assert!(from(1).starts_with("http 127.0.0.1:"), "{}", from(1));
    assert!(from(2).starts_with("socket, process "), "{}", from(2));
    assert_eq!(lines[1]["by"], "ada");
    assert_eq!(
        (&lines[1]["done"], &lines[3]["done"]),
        (&true.into(), &false.into())
    );
    assert!(lines[1]["seq"].as_u64() > lines[0]["seq"].as_u64());
    assert_eq!(lines[3]["about"]["item"], 9);
    assert!(lines[3]["why"].as_str().is_some_and(|why| !why.is_empty()));
    assert!(!answer.to_string().contains("swordfish"));

    run.0.kill().expect("a kill");
    run.0.wait().expect("it ended");
    let said = play.ask(&["audit", "--last", "3"]);
    let text = String::from_utf8_lossy(&said.stdout).into_owned();
    assert_eq!(text.lines().count(), 3, "{text}");
    assert!(text.contains("ada  pause"), "{text}");
    assert!(
        text.contains("bob  answer  item 9") && text.contains("refused: "),
        "{text}"
    );
}
