//! The long-lived director over HTTP: the real program, a real repository, real connections.

mod asked;
mod assigned;
mod bad_input;
mod browser;
mod clients;
mod conflicts;
mod dashboard;
mod life;
mod load;
mod mcp;
mod steering;
mod traces;

use std::fs;
use std::os::unix::process::CommandExt;
use std::process::Stdio;

use director_tests::harness::{PATIENCE, Playground, Run};
use director_tests::http::Site;
use director_tests::process;

const PROGRAM: &str = env!("CARGO_BIN_EXE_director-under-test");

/// Starts `director serve` with these words too, and waits until it is ready.
fn serve(play: &Playground, words: &[&str]) -> (Run, Site) {
    let address = play.data_dir().join("http.address");
    // One that was killed has left it.
    let _ = fs::remove_file(&address);
    let mut all = vec!["serve"];
    if !words.contains(&"--listen") {
        all.extend_from_slice(&["--listen", "127.0.0.1:0"]);
    }
    all.extend_from_slice(words);
    let log = fs::OpenOptions::new()
        .create(true)
        .append(true)
        .open(play.root().join("log"))
        .expect("a log");
    let mut command = play.command(&all);
    command.process_group(0).stdout(Stdio::null()).stderr(log);
    let mut run = Run(command.spawn().expect("the program starts"));
    let found = process::until(PATIENCE, || {
        assert!(
            run.0.try_wait().expect("a child").is_none(),
            "it ended: {}",
            play.log_end(20)
        );
        let text = fs::read_to_string(&address).ok()?;
        Some(text.trim().strip_prefix("http://")?.to_owned())
    });
    let token = fs::read_to_string(play.data_dir().join("http.token")).expect("a token");
    let site = Site {
        address: found.expect("it listens"),
        token: token.trim().to_owned(),
    };
    let ready = process::until(PATIENCE, || {
        (site.get("/readyz").status == 200).then_some(())
    });
    ready.expect("it is ready");
    (run, site)
}

/// The sprint file of the playground.
fn file(play: &Playground) -> String {
    let text = fs::read_to_string(play.root().join("sprint.toml")).expect("a sprint file");
    // Where the director serves, the repository is around it.
    text.replace("repo = \"repo\"", "repo = \".\"")
}

/// Submits it.
fn submit(site: &Site, text: &str) {
    let answer = site.post_with(
        "/api/v1/sprints",
        &[("Content-Type", "application/toml")],
        text,
    );
    assert_eq!(answer.status, 201, "{}", answer.body);
}
