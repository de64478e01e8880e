//! What is only worked out: forecasts, plans, epics and backlogs over HTTP and as tools, the same as at the command line.

use std::fs;
use std::io::{BufReader, Write};
use std::net::TcpStream;
use std::time::Duration;

use director_tests::harness::{PATIENCE, Playground};
use director_tests::http::{self, Site};
use director_tests::mcp::Wire;
use director_tests::process;
use serde_json::{Value, json};

use super::{PROGRAM, file, serve, submit};

const TOML: [(&str, &str); 1] = [("Content-Type", "application/toml")];

const CHAIN: &str = r#"
[sprint]
id = "chain"
[[task]]
id = "a"
run = "true"
estimate = { optimistic = 1, likely = 2, pessimistic = 4 }
[[task]]
id = "b"
run = "true"
depends_on = ["a"]
hours = 3
"#;

fn said(play: &Playground, words: &[&str]) -> String {
    let out = play.ask(words);
    assert!(out.status.success(), "{words:?}: {out:?}");
    String::from_utf8_lossy(&out.stdout).into_owned()
}

fn json_of(play: &Playground, words: &[&str]) -> Value {
    serde_json::from_str(&said(play, words)).expect("JSON")
}

#[test]
fn a_forecast_over_http_and_as_a_tool_is_that_of_the_command_line() {
    let play = Playground::new(PROGRAM, 1);
    let (_run, site) = serve(&play, &[]);
    let path = play.root().join("chain.toml");
    fs::write(&path, CHAIN).expect("written");
    let path = path.display().to_string();
    let line = ["--runs", "400", "--seed", "7", "--faults", "rough"];
    let change = "task.b.hours=1";
    let words = [
        &["simulate", &path, "--no-timing", "--what-if", change][..],
        &line,
    ]
    .concat();
    let expected = json_of(&play, &[&words[..], &["--json"]].concat());
    let call = format!("/api/v1/simulate?runs=400&seed=7&faults=rough&what_if={change}");
    let answer = site.post_with(&call, &TOML, CHAIN);
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert_eq!(answer.json(), expected);
    assert_eq!(expected["what_if"][0]["change"], change);
    let as_text = [TOML[0], ("Accept", "text/plain")];
    let text = site.post_with(&call, &as_text, CHAIN).body;
    assert!(
        text.contains("Forecast of chain") || text.contains("chain"),
        "{text}"
    );
    let svg = site.post_with(&format!("{call}&format=svg"), &as_text, CHAIN);
    assert!(svg.body.starts_with("<svg"), "{}", svg.body);

    let mut wire = Wire::Http(site.clone(), site.token.clone());
    let args =
        json!({ "file": CHAIN, "runs": 400, "seed": 7, "faults": "rough", "what_if": [change] });
    let (shown, found) = wire.done("simulate", args);
    assert_eq!(found, expected);
    assert_eq!(shown, text.trim_end());

    for (query, part) in [
        ("runs=0", "`runs` has to be a whole number from 1 to 100000"),
        ("faults=/etc/passwd", "`faults` has to be one of none"),
        (
            "what_if=faults=/etc/passwd",
            "there are no faults called `/etc/passwd`; there are none",
        ),
        ("what_if=more", "`more` is not a change"),
        (
            "what_if=auto&what_if=task.b.hours=2",
            "tries changes of its own",
        ),
        (
            "precision=0",
            "`precision` has to be a number above 0, up to 1",
        ),
        ("what_if=task.c.hours=2", "there is no task `c`"),
    ] {
        let answer = site.post_with(&format!("/api/v1/simulate?{query}"), &TOML, CHAIN);
        assert!(
            [400, 422].contains(&answer.status),
            "{query}: {}",
            answer.body
        );
        let detail = answer.json()["detail"].clone();
        let detail = detail.as_str().unwrap_or_default().to_owned();
        assert!(detail.contains(part), "{query}: {detail}");
    }
}

#[test]
fn the_rest_of_a_sprint_is_forecast_by_the_director_that_runs_it_and_kept_on_request() {
    let play = Playground::new(PROGRAM, 1);
    let (_run, site) = serve(&play, &[]);
    submit(
        &site,
        &CHAIN.replace("run = \"true\"\ndepends", "run = \"sleep 600\"\ndepends"),
    );
    let begun = process::until(PATIENCE, || {
        let status = site.get("/api/v1/tasks/b").json();
        (status["status"] == "working").then_some(())
    });
    begun.expect("the second task is in hand");
    let answer = site.post("/api/v1/forecast", r#"{"runs": 300}"#);
    assert_eq!(answer.status, 200, "{}", answer.body);
    let found = answer.json();
    assert_eq!(found["runs"], 300);
    assert_eq!(found["from"]["tasks"]["done"], 1, "{found}");
    assert_eq!(found["from"]["director_at_work"], true);
    let mut wire = Wire::Http(site.clone(), site.token.clone());
    let (text, _) = wire.done("look_ahead", json!({ "runs": 300 }));
    assert!(text.contains("1 of 2 tasks done"), "{text}");
    let past = site.post("/api/v1/forecast", r#"{"runs": 50, "at": 1000000}"#);
    assert_eq!(past.status, 400, "{}", past.body);
    assert!(
        past.body.contains("there is no record 1000000"),
        "{}",
        past.body
    );

    let kept = site.post(
        "/api/v1/forecast/record",
        r#"{"runs": 123, "seed": 9, "by": "mia"}"#,
    );
    assert_eq!(kept.status, 200, "{}", kept.body);
    let forecasts = site.get("/api/v1/retro").json()["forecasts"].clone();
    let forecasts = forecasts.as_array().cloned().unwrap_or_default();
    // The director makes one of its own when work begins.
    let kept = forecasts.iter().filter(|one| one["runs"] == 123).count();
    assert_eq!(kept, 1, "{forecasts:?}");
    let audit = site.get("/api/v1/audit").body;
    assert!(audit.contains("mia"), "{audit}");
}

/// A sprint whose simulation takes long.
fn large() -> String {
    let tasks = (0..400).map(|n| {
        format!("[[task]]\nid = \"t{n}\"\nrun = \"true\"\nestimate = {{ optimistic = 1, likely = 2, pessimistic = 9 }}\n")
    });
    "[sprint]\nid = \"large\"\n".to_owned() + &tasks.collect::<String>()
}

fn begin(site: &Site, body: &str) -> TcpStream {
    let mut stream = site.connect();
    let head = format!(
        "POST /api/v1/simulate?runs=100000 HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {}\r\nContent-Type: application/toml\r\n\
         Content-Length: {}\r\n\r\n{body}",
        site.address,
        site.token,
        body.len()
    );
    stream.write_all(head.as_bytes()).expect("sent");
    stream
}

#[test]
fn only_so_many_simulate_at_once_and_whoever_hangs_up_makes_room() {
    let play = Playground::new(PROGRAM, 1);
    let (_run, site) = serve(&play, &[]);
    let body = large();
    let short = || site.post_with("/api/v1/simulate?runs=1", &TOML, CHAIN);
    // One that comes while a short one is under way is refused itself, so there may have to be more.
    let mut held = vec![begin(&site, &body)];
    let full = process::until(PATIENCE, || {
        held.push(begin(&site, &body));
        Some(short()).filter(|answer| answer.status == 429)
    });
    let full = full.expect("there is a limit");
    assert_eq!(full.header("retry-after"), "1");
    assert!(
        full.body.contains("2 simulations are under way"),
        "{}",
        full.body
    );
    assert_eq!(site.get("/api/v1/status").status, 200, "others are served");
    drop(held);
    let again = process::until(Duration::from_secs(20), || {
        Some(short()).filter(|answer| answer.status == 200)
    });
    assert!(again.is_some(), "whoever hangs up makes room");
    // At the limit of time, the answer is what is known by then.
    let answer = http::read(&mut BufReader::new(begin(&site, &body))).expect("an answer");
    match answer.status {
        200 => {
            let runs = answer.json()["runs"].as_u64().expect("runs");
            assert!((1..100_000).contains(&runs), "{runs}");
        }
        409 => assert!(answer.body.contains("too large for the time"), "{answer:?}"),
        _ => panic!("{answer:?}"),
    }
}

#[test]
fn plans_epics_backlogs_worktrees_and_schemas_are_those_of_the_command_line() {
    let play = Playground::new(PROGRAM, 1);
    let (_run, site) = serve(&play, &[]);
    let chain = play.root().join("chain.toml");
    fs::write(&chain, CHAIN).expect("written");
    let chain = chain.display().to_string();
    let text = [TOML[0], ("Accept", "text/plain")];
    for (format, word) in [
        ("markdown", "md"),
        ("dot", "dot"),
        ("mermaid", "mermaid"),
        ("svg", "svg"),
    ] {
        let shown = site.post_with(&format!("/api/v1/plan?format={format}"), &text, CHAIN);
        assert_eq!(shown.status, 200, "{}", shown.body);
        let expected = said(&play, &["plan", &chain, "--format", word]);
        assert_eq!(shown.body.trim_end(), expected.trim_end(), "{format}");
    }
    let epic = "[epic]\nid = \"shop\"\ntitle = \"A shop\"\n[[feature]]\nid = \"basket\"\ntitle = \"Basket\"\n";
    let path = play.root().join("epic.toml");
    fs::write(&path, epic).expect("written");
    let planned = site.post_with("/api/v1/epic", &TOML, epic);
    assert_eq!(planned.status, 200, "{}", planned.body);
    let path = path.display().to_string();
    assert_eq!(planned.json(), json_of(&play, &["epic", &path, "--json"]));

    let issues =
        r#"[{"number": 7, "title": "Mend the door", "body": "", "state": "OPEN", "labels": []}]"#;
    let path = play.root().join("issues.json");
    fs::write(&path, issues).expect("written");
    let imported = site.post("/api/v1/import/github?sprint=next", issues);
    assert_eq!(imported.status, 200, "{}", imported.body);
    let path = path.display().to_string();
    let expected = said(&play, &["import", "github", &path, "--sprint", "next"]);
    assert_eq!(imported.json()["file"], expected);
    for of in ["sprint", "epic", "epic-plan"] {
        let schema = site.get(&format!("/api/v1/schema?of={of}"));
        assert_eq!(
            schema.json(),
            json_of(&play, &["schema", "--of", of]),
            "{of}"
        );
    }
    submit(&site, &file(&play));
    let found = process::until(PATIENCE, || {
        let answer = site.get("/api/v1/worktrees");
        (answer.status == 200).then(|| answer.json())
    });
    let found = found.expect("worktrees");
    assert!(found["worktrees"].is_array(), "{found}");
}
