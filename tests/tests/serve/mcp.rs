//! The tools of an assistant, over both ways: what they do, in whose words they say no, and what hostile clients get.

use std::process::Stdio;

use director_tests::harness::{PATIENCE, Playground};
use director_tests::mcp::{self, OnStdio, Wire};
use director_tests::process;
use serde_json::{Value, json};

use super::{PROGRAM, serve};

/// A sprint whose first task is a person's, with a second behind it.
const ASKS: &str = r#"
[sprint]
id = "ID"
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

fn on_stdio(play: &Playground) -> OnStdio {
    let mut command = play.command(&["mcp"]);
    command.stderr(Stdio::inherit());
    OnStdio::start(command)
}

#[test]
fn an_assistant_plans_submits_asks_answers_and_reads_the_report() {
    let play = Playground::new(PROGRAM, 1);
    let (_run, site) = serve(&play, &[]);
    let ways = [
        ("http", Wire::Http(site.clone(), site.token.clone())),
        ("stdio", Wire::Process(Box::new(on_stdio(&play)))),
    ];
    for (name, mut wire) in ways {
        let file = ASKS.replace("ID", name);
        let (text, plan) = wire.done("plan", json!({ "file": file }));
        assert_eq!(plan["critical_path"], json!(["choose", "paint"]), "{name}");
        assert!(text.contains("## Critical Path"), "{text}");
        let toml = [("Content-Type", "application/toml")];
        let called = site.post_with("/api/v1/plan", &toml, &file);
        assert_eq!(called.json(), plan, "{name}: {}", called.body);
        let (_, taken) = wire.done("submit", json!({ "file": file }));
        assert_eq!(taken["sprint"], name);
        let item = process::until(PATIENCE, || {
            let (_, inbox) = wire.done("inbox", json!({}));
            let mut items = inbox["inbox"].as_array()?.iter();
            items.find(|item| item["sprint"] == name)?["id"].as_u64()
        });
        let (text, _) = wire.done("why", json!({ "task": "paint", "sprint": name }));
        assert!(text.contains("choose"), "{text}");
        wire.done("answer", json!({ "item": item, "text": "red" }));
        let done = process::until(PATIENCE, || {
            let (_, status) = wire.done("status", json!({ "sprint": name }));
            (status["state"] == "done").then_some(())
        });
        done.expect("it ends");
        let (text, report) = wire.done("report", json!({ "sprint": name }));
        assert_eq!(report["outcome"], "done", "{text}");
        assert!(
            text.starts_with("# "),
            "a report for a model is Markdown: {text}"
        );
        let (text, page) = wire.done("page", json!({ "sprint": name }));
        assert!(text.contains("red"), "{text}");
        assert!(page["reached"].as_u64() > Some(0));
        if let Wire::Process(process) = wire {
            assert_eq!(process.end(), Some(0));
        }
    }
    // Who did it is in the journal.
    let events = play.ask(&["events", "--json"]);
    let text = String::from_utf8_lossy(&events.stdout).into_owned();
    assert!(text.contains(r#""by":"mcp""#), "{text}");
}

#[test]
fn what_a_tool_does_not_do_it_says_in_the_words_of_the_command_line() {
    let play = Playground::new(PROGRAM, 1);
    let mut wires = vec![Wire::Process(Box::new(on_stdio(&play)))];
    // Before any director has run.
    let (no, text, _) = wires[0].call("status", json!({}));
    let said = play.ask(&["status"]);
    let said = String::from_utf8_lossy(&said.stderr).into_owned();
    assert!(no && said.contains(&text), "{text} / {said}");
    let (no, text, _) = wires[0].call("submit", json!({ "file": ASKS.replace("ID", "early") }));
    assert!(no && text.contains("`director serve` starts one"), "{text}");

    let (_run, site) = serve(&play, &[]);
    super::submit(&site, &ASKS.replace("ID", "asks"));
    wires.push(Wire::Http(site.clone(), site.token.clone()));
    for wire in &mut wires {
        for (tool, arguments, words) in [
            ("why", json!({ "task": "pain" }), &["why", "pain"][..]),
            ("retry", json!({ "task": "choose" }), &["retry", "choose"]),
            (
                "answer",
                json!({ "item": 99, "text": "x" }),
                &["answer", "99", "x"],
            ),
            (
                "report",
                json!({ "sprint": "none" }),
                &["report", "--sprint", "none"],
            ),
        ] {
            let (no, text, _) = wire.call(tool, arguments);
            let said = play.ask(words);
            let said = String::from_utf8_lossy(&said.stderr).into_owned();
            assert!(no, "{tool}: {text}");
            assert_eq!(said.trim_end(), format!("error: {text}"), "{tool}");
        }
        for (tool, arguments, said) in [
            ("why", json!({}), "`task` is missing"),
            ("why", json!({ "task": 7 }), "`task` has to be a name"),
            (
                "why",
                json!({ "task": "../../etc/passwd" }),
                "`task` has to be a name",
            ),
            (
                "why",
                json!({ "task": "paint", "tsk": 1 }),
                "there is no parameter `tsk`",
            ),
            (
                "answer",
                json!({ "item": "1", "text": "x" }),
                "`item` has to be a whole number",
            ),
            (
                "answer",
                json!({ "item": 1, "text": "" }),
                "`text` has to be a text that is not empty",
            ),
            (
                "status",
                json!({ "update": "yes" }),
                "`update` has to be true or false",
            ),
            (
                "report",
                json!({ "format": "html" }),
                "there is no parameter `format`",
            ),
            ("plan", json!({}), "`file` is missing"),
            ("plan", json!({ "file": 1 }), "have to be a text"),
            ("plan", json!({ "file": "", "path": "a" }), "not both"),
            ("plan", json!({ "path": "../sprint.toml" }), "is no file in"),
            ("plan", json!({ "path": "/etc/passwd" }), "is no file in"),
            ("plan", json!({ "file": "[sprint]\nidd = 1\n" }), "idd"),
            ("submit", json!({ "file": "{" }), "sprint"),
        ] {
            let (no, text, _) = wire.call(tool, arguments.clone());
            assert!(no && text.contains(said), "{tool} {arguments}: {text}");
        }
        for (method, params, code) in [
            (
                "tools/call",
                json!({ "name": "shutdown", "arguments": {} }),
                -32602,
            ),
            (
                "tools/call",
                json!({ "name": "why", "arguments": [1] }),
                -32602,
            ),
            ("tools/call", json!({}), -32602),
            (
                "resources/read",
                json!({ "uri": "file:///etc/passwd" }),
                -32601,
            ),
            ("nonsense", json!({}), -32601),
        ] {
            let said = wire.ask(method, params.clone());
            let found = said["error"]["code"].as_i64();
            assert!(
                found.is_some_and(|found| found == code || found == -32601),
                "{method} {params}: {said}"
            );
        }
        // It goes on.
        wire.done("status", json!({}));
    }
}

#[test]
fn a_hostile_client_over_http_gets_a_status_and_changes_nothing() {
    let play = Playground::new(PROGRAM, 1);
    let (_run, site) = serve(&play, &[]);
    let token = site.token.as_str();
    let file = ASKS.replace("ID", "foreign");
    let order = json!({ "name": "submit", "arguments": { "file": file } });
    let order = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": order });
    let order = order.to_string();
    let before = site.get("/api/v1/journal").body;
    let foreign = "f".repeat(64);
    for (case, token, body, more, status) in [
        ("no token", None, order.as_str(), &[][..], 401),
        ("a foreign token", Some(foreign.as_str()), &order, &[], 401),
        (
            "a page elsewhere",
            Some(token),
            &order,
            &[("Origin", "http://evil.example")],
            403,
        ),
        (
            "a name that is not ours",
            Some(token),
            &order,
            &[("Host", "evil.example")],
            403,
        ),
        ("no JSON", Some(token), "{", &[], 400),
        ("no message", Some(token), "{}", &[], 400),
        ("nothing", Some(token), "", &[], 400),
        (
            "not JSON by its own word",
            Some(token),
            &order,
            &[("Content-Type", "text/plain")],
            415,
        ),
        (
            "an answer nobody reads",
            Some(token),
            &order,
            &[("Accept", "text/html")],
            406,
        ),
    ] {
        let answer = mcp::post(&site, token, body, more);
        let found = answer.status;
        assert!(
            found == status || (status == 400 && [415, 422].contains(&found)),
            "{case}: {found} {}",
            answer.body
        );
    }
    for method in ["GET", "DELETE", "PUT"] {
        let bearer = format!("Bearer {token}");
        let accept = ("Accept", "text/event-stream");
        let answer = site.request(method, "/mcp", &[("Authorization", &bearer), accept], "");
        assert_eq!(answer.status, 405, "{method}: {}", answer.body);
    }
    let long = format!(
        r#"{{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{{"name":"plan","arguments":{{"file":"{}"}}}}}}"#,
        "x".repeat(9 << 20)
    );
    assert_eq!(mcp::post(&site, Some(token), &long, &[]).status, 413);
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    assert!(mcp::post(&site, Some(token), &deep, &[]).status >= 400);
    assert_eq!(
        site.get("/api/v1/journal").body,
        before,
        "nothing was changed"
    );
    assert_eq!(mcp::post(&site, Some(token), &order, &[]).status, 200);
    assert_ne!(site.get("/api/v1/journal").body, before);
}

#[test]
fn on_stdio_whatever_is_said_is_answered_and_nothing_else_is_printed() {
    let play = Playground::new(PROGRAM, 1);
    let mut process = on_stdio(&play);
    for line in [
        "{",
        "[]",
        "nonsense",
        "{\"jsonrpc\":\"2.0\"}",
        "",
        "\u{0}\u{1}",
        "{\"id\":1}",
    ] {
        process.say(line);
    }
    let long = "x".repeat(17 << 20);
    process.say(&long);
    // What is no request has errors without an id for answers, or none; the next request has its own.
    let said = process.ask("tools/list", json!({}));
    let tools: Vec<Value> = said["result"]["tools"]
        .as_array()
        .cloned()
        .unwrap_or_default();
    assert!(tools.len() > 10, "{said}");
    assert_eq!(process.end(), Some(0));
}

#[test]
fn large_answers_are_cut_to_what_a_model_can_read() {
    let play = Playground::new(PROGRAM, 1);
    let (_run, site) = serve(&play, &[]);
    let mut file =
        "[sprint]\nid = \"large\"\n[team]\nonly = true\n[team.product]\nagent = \"person\"\nkinds = [\"*\"]\n"
            .to_owned();
    for n in 0..2_000 {
        file += &format!(
            "[[task]]\nid = \"task-{n}\"\ntitle = \"{}\"\n",
            "long ".repeat(20)
        );
    }
    super::submit(&site, &file);
    let mut wire = Wire::Http(site.clone(), site.token.clone());
    for (tool, arguments) in [
        ("status", json!({})),
        ("tasks", json!({ "limit": 1000 })),
        ("plan", json!({ "file": file })),
        ("page", json!({})),
        ("report", json!({})),
    ] {
        let said = wire.ask(
            "tools/call",
            json!({ "name": tool, "arguments": arguments }),
        );
        let bytes = said.to_string().len();
        assert!(bytes < 90_000, "{tool}: {bytes} bytes");
        let all = said["result"]["content"].as_array().expect("content");
        let last = all.last().expect("some")["text"]
            .as_str()
            .unwrap_or_default();
        assert!(last.contains("ask for less at once"), "{tool}: {last}");
        // What was cut is still of the form that the tool has.
        wire.hold(tool, &said["result"]["structuredContent"]);
    }
}
