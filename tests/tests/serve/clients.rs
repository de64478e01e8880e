//! Real clients of the Model Context Protocol against the real program: its reference client in Python and its inspector.
//!
//! `tests/clients/get.sh` gets them; needs python3 and npm. Where they are not there the tests are left out and say so, unless
//! `DIRECTOR_CLIENTS` is set.

use std::path::Path;
use std::process::{Command, Output};

use director_tests::harness::{PATIENCE, Playground};
use director_tests::mcp::{self, Clients};
use director_tests::process;
use serde_json::Value;

use super::{PROGRAM, serve, submit};

fn clients() -> Option<Clients> {
    match mcp::found() {
        Ok(clients) => Some(clients),
        Err(why) => {
            assert!(std::env::var_os("DIRECTOR_CLIENTS").is_none(), "{why}");
            eprintln!("left out: {why}");
            None
        }
    }
}

fn said(case: &str, output: &Output) -> String {
    let (out, err) = (&output.stdout, &output.stderr);
    let (out, err) = (String::from_utf8_lossy(out), String::from_utf8_lossy(err));
    assert!(output.status.success(), "{case}: {out}\n{err}");
    out.into_owned()
}

#[test]
fn the_reference_client_carries_a_sprint_through_by_every_way_and_version() {
    let Some(Clients { python, .. }) = clients() else {
        return;
    };
    let play = Playground::new(PROGRAM, 1);
    let (_run, site) = serve(&play, &[]);
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/clients/assistant.py");
    let url = format!("http://{}/mcp", site.address);
    for mode in ["auto", "legacy"] {
        for words in [
            vec![mode, "http", &url, &site.token],
            vec![mode, "stdio", PROGRAM, "mcp"],
        ] {
            let mut command = Command::new(&python);
            command.arg(script).args(&words).current_dir(play.repo());
            let output = command.output().expect("python runs");
            said(&format!("{} {}", words[0], words[1]), &output);
        }
    }
}

#[test]
fn an_agent_in_python_reports_asks_and_hands_on_with_its_token_which_is_nowhere_afterwards() {
    let Some(Clients { python, .. }) = clients() else {
        return;
    };
    let play = Playground::new(PROGRAM, 1);
    let (_run, site) = serve(&play, &[]);
    let run = |words: &str| {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/clients/worker.py");
        format!("{} {script} {words}", python.display())
    };
    let file = format!(
        "[sprint]\nid = \"python\"\n\
         [[task]]\nid = \"first\"\nacceptance = [\"it works\"]\nrun = \"{}\"\n\
         [[task]]\nid = \"second\"\ndepends_on = [\"first\"]\nrun = \"{}\"\n",
        run("stdio"),
        run("http --ask first"),
    );
    submit(&site, &file);
    // The author of what it received cannot be talked to, so it comes to a person.
    let item = process::until(PATIENCE, || {
        let inbox = site.get("/api/v1/inbox").json();
        let item = inbox["inbox"].as_array()?.first()?.clone();
        item["question"]
            .as_str()?
            .contains("Which <colour>?")
            .then_some(item)
    });
    let item = item.unwrap_or_else(|| panic!("{}", site.get("/api/v1/status").body));
    let answer = format!("/api/v1/inbox/{}/answer", item["id"]);
    assert_eq!(
        site.post(&answer, r#"{"text": "blue", "by": "mia"}"#)
            .status,
        200
    );
    let over = process::until(PATIENCE, || {
        let status = site.get("/api/v1/status").json();
        (status["state"] == "done").then_some(())
    });
    over.unwrap_or_else(|| panic!("{}", site.get("/api/v1/status").body));
    let events = site.get("/api/v1/journal").body;
    assert!(events.contains("worked on first"), "{events}");
    assert!(
        events.contains("worked on second, blue, says mia"),
        "{events}"
    );
    let log = site.get("/api/v1/tasks/first/logs").body;
    assert_eq!(
        log.matches("my token is [DIRECTOR_TOKEN]").count(),
        2,
        "{log}"
    );
    assert!(!log.contains("assignment."), "{log}");
}

/// Carries a sprint of one task through with a coding agent in Python, and answers with its events and its log.
fn built_by(kind: &str, script: &str, python: &Path) -> (String, String) {
    let play = Playground::new(PROGRAM, 1);
    let (_run, site) = serve(&play, &[]);
    let file = format!(
        "[sprint]\nid = \"coder\"\n\
         [agent.coder]\nkind = \"{kind}\"\nprogram = [\"{}\", \"{}/clients/{script}\"]\n\
         [team.fullstack-engineer]\nagent = \"coder\"\n\
         [[task]]\nid = \"build\"\nacceptance = [\"it works\"]\n",
        python.display(),
        env!("CARGO_MANIFEST_DIR"),
    );
    submit(&site, &file);
    let over = process::until(PATIENCE, || {
        let status = site.get("/api/v1/status").json();
        status["state"]
            .as_str()
            .filter(|state| ["done", "incomplete"].contains(state))
            .map(str::to_owned)
    });
    let (events, log) = (
        site.get("/api/v1/journal").body,
        site.get("/api/v1/tasks/build/logs").body,
    );
    assert_eq!(over.as_deref(), Some("done"), "{events}\n{log}");
    assert!(events.contains("worked on build"), "{events}");
    (events, log)
}

#[test]
fn a_coding_agent_is_offered_the_tools_without_its_token_in_its_arguments() {
    if let Some(Clients { python, .. }) = clients() {
        built_by("claude", "coder.py", &python);
    }
}

#[test]
fn an_agent_of_the_reference_library_is_conversed_with_and_offered_the_tools() {
    if let Some(Clients { python, .. }) = clients() {
        let (_, log) = built_by("acp", "converser.py", &python);
        assert!(log.contains("end_turn"), "{log}");
        assert!(!log.contains("assignment."), "{log}");
    }
}

#[test]
fn the_inspector_finds_nothing_wrong_with_the_tools_and_calls_them() {
    let Some(Clients { inspector, .. }) = clients() else {
        return;
    };
    let play = Playground::new(PROGRAM, 1);
    let (_run, site) = serve(&play, &[]);
    let url = format!("http://{}/mcp", site.address);
    let header = format!("Authorization: Bearer {}", site.token);
    for (way, target) in [
        ("stdio", vec![PROGRAM, "mcp"]),
        ("http", vec![url.as_str(), "--header", header.as_str()]),
    ] {
        let ask = |words: &[&str]| {
            let mut command = Command::new(&inspector);
            command.arg("--cli").args(&target).args(words);
            // Its catalogue of servers is not the user's.
            command.env("HOME", play.root()).current_dir(play.repo());
            command.output().expect("the inspector runs")
        };
        // Strict: what some client could not read of a schema is an error.
        let listed = said(way, &ask(&["--method", "tools/list", "--strict"]));
        let listed: Value = serde_json::from_str(&listed).expect("JSON");
        let tools = listed["tools"].as_array().expect("tools");
        let submit = tools.iter().find(|tool| tool["name"] == "submit");
        let submit = submit.unwrap_or_else(|| panic!("{way}: {listed}"));
        assert!(
            submit["inputSchema"]["properties"]["file"].is_object(),
            "{submit}"
        );
        assert!(
            submit["outputSchema"]["properties"]["seq"].is_object(),
            "{submit}"
        );
        for tool in tools {
            let described = tool["description"].as_str();
            assert!(described.is_some_and(|text| !text.is_empty()), "{tool}");
            assert!(tool["annotations"]["readOnlyHint"].is_boolean(), "{tool}");
        }
        let call = ["--method", "tools/call", "--tool-name"];
        let status = ask(&[&call[..], &["sprints"]].concat());
        assert!(said(way, &status).contains("structuredContent"), "{way}");
        let refused = ask(&[&call[..], &["why", "--tool-arg", "task=nothing"]].concat());
        let out = String::from_utf8_lossy(&refused.stdout).into_owned();
        assert!(out.contains("\"isError\": true"), "{way}: {out}");
    }
}
