//! Its life: sprints come, it is stopped, killed and started again, and nothing is lost.

use std::collections::BTreeSet;
use std::io::{BufReader, Read, Write};
use std::time::Duration;

use director::control::client::Client;
use director::control::protocol::{Op, Screen};
use director_tests::harness::{PATIENCE, Playground, SPRINT, oracle};
use director_tests::http::Site;
use director_tests::process;
use rustix::process::Signal;

use super::{PROGRAM, file, serve, submit};

#[test]
fn a_sprint_that_is_submitted_is_carried_through_and_every_event_is_told_once() {
    let play = Playground::new(PROGRAM, 6);
    let (run, site) = serve(&play, &[]);
    let said = play.ask(&["submit", "../sprint.toml", "--json"]);
    assert_eq!(said.status.code(), Some(0), "{said:?}");
    let mut ids = Vec::new();
    for (id, event) in site.events("", None) {
        ids.push(id);
        if event["event"] == "sprint_ended" {
            assert_eq!(event["sprint"], SPRINT);
            break;
        }
    }
    let whole: Vec<String> = play
        .events()
        .expect("a journal")
        .iter()
        .map(|event| format!("{}.{}", event["seq"], event["n"]))
        .take(ids.len())
        .collect();
    assert_eq!(ids, whole, "the stream is the journal, in order");

    let over = || {
        let facts = site.get(&format!("/api/v1/sprints/{SPRINT}")).json();
        (facts["over"] == true).then_some(facts)
    };
    let facts = process::until(PATIENCE, over).expect("over");
    assert_eq!(facts["state"], "done", "{facts}");
    let again = play.ask(&["submit", "../sprint.toml"]);
    assert_eq!(
        again.status.code(),
        Some(2),
        "it is there already: {again:?}"
    );
    process::signal(&run.0, Signal::TERM);
    let mut run = run;
    assert_eq!(run.code_within(PATIENCE), Some(0), "{}", play.log_end(20));
    oracle::check(&play).unwrap_or_else(|wrong| panic!("{wrong}\n{}", play.log_end(60)));
}

#[test]
fn killed_and_started_again_it_goes_on_and_a_stream_resumes_without_gap_or_repeat() {
    let play = Playground::new(PROGRAM, 8);
    let (mut run, site) = serve(&play, &["--drain", "0"]);
    submit(&site, &file(&play));
    let mut heard: Vec<(String, String)> = Vec::new();
    let mut listen = |site: &director_tests::http::Site, until: &dyn Fn(&str, usize) -> bool| {
        let last = heard.last().map(|(id, _): &(String, String)| id.clone());
        for (id, event) in site.events("", last.as_deref()) {
            let name = event["event"].as_str().unwrap_or_default().to_owned();
            heard.push((id, name.clone()));
            if until(&name, heard.len()) {
                return;
            }
        }
        panic!("the stream ended");
    };
    for kill in 1..=3usize {
        listen(&site_of(&play, &site), &|_, heard| heard >= 25 * kill);
        run.0.kill().expect("it runs");
        run.0.wait().expect("it ended");
        let (next, _) = serve(&play, &["--drain", "0"]);
        run = next;
    }
    listen(&site_of(&play, &site), &|name, _| name == "sprint_ended");
    let ids: Vec<_> = heard.iter().map(|(id, _)| id.clone()).collect();
    let distinct: BTreeSet<_> = ids.iter().collect();
    assert_eq!(distinct.len(), ids.len(), "nothing is told twice");
    let whole: Vec<String> = play
        .events()
        .expect("a journal")
        .iter()
        .map(|event| format!("{}.{}", event["seq"], event["n"]))
        .take(ids.len())
        .collect();
    assert_eq!(ids, whole, "and nothing is left out");
    let over = || play.ask(&["status"]).status.success().then_some(());
    process::until(PATIENCE, over).expect("a status");
    process::signal(&run.0, Signal::TERM);
    let code = run.code_within(PATIENCE);
    assert!(matches!(code, Some(0 | 3)), "{code:?}");
    // Worktrees may still have been in the way; the next one tidies up.
    let (mut last, site) = serve(&play, &[]);
    let over =
        || (site.get(&format!("/api/v1/sprints/{SPRINT}")).json()["over"] == true).then_some(());
    process::until(PATIENCE, over).expect("over");
    process::signal(&last.0, Signal::TERM);
    assert_eq!(last.code_within(PATIENCE), Some(0));
    oracle::check(&play).unwrap_or_else(|wrong| panic!("{wrong}\n{}", play.log_end(60)));
}

/// Where the one that runs now listens.
fn site_of(play: &Playground, before: &director_tests::http::Site) -> director_tests::http::Site {
    let text = std::fs::read_to_string(play.data_dir().join("http.address"));
    let address = text.expect("an address").trim().replace("http://", "");
    director_tests::http::Site {
        address,
        token: before.token.clone(),
    }
}

#[test]
fn told_to_stop_it_lets_what_runs_end_and_says_that_work_remains() {
    let play = Playground::new(PROGRAM, 8);
    let (mut run, site) = serve(&play, &["--drain", "120", "--log", "json"]);
    submit(&site, &file(&play));
    let at_work = || {
        let live = site.get("/api/v1/live").json();
        (live["working"].as_u64() >= Some(1)).then_some(())
    };
    process::until(PATIENCE, at_work).expect("agents at work");
    process::signal(&run.0, Signal::TERM);
    assert_eq!(run.code_within(PATIENCE), Some(3), "{}", play.log_end(20));
    let events = play.events().expect("a journal");
    let interrupted = events
        .iter()
        .filter(|event| event["event"] == "attempt_interrupted");
    assert_eq!(interrupted.count(), 0, "what ran could end");
    let line = play.log_end(1);
    let said: serde_json::Value = serde_json::from_str(&line).expect("one JSON object a line");
    assert!(
        said["message"]
            .as_str()
            .is_some_and(|m| m.contains("nothing is lost")),
        "{line}"
    );

    let left = process::left_after(&play.root(), Duration::from_secs(5));
    assert_eq!(left, Vec::<String>::new());
    let (mut run, site) = serve(&play, &[]);
    let over =
        || (site.get(&format!("/api/v1/sprints/{SPRINT}")).json()["over"] == true).then_some(());
    process::until(PATIENCE, over).expect("it went on");
    let answer = site.post("/api/v1/shutdown", "");
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert_eq!(run.code_within(PATIENCE), Some(0));
    oracle::check(&play).unwrap_or_else(|wrong| panic!("{wrong}\n{}", play.log_end(60)));
}

#[test]
fn what_is_asked_before_it_stops_is_answered() {
    // The same over HTTP and over the socket.
    answers_and_stops(|_, site| {
        let stopped = site.post("/api/v1/shutdown", "");
        assert_eq!(stopped.status, 200, "{}", stopped.body);
    });
    answers_and_stops(|play, _| {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build();
        let told = async {
            let mut client = Client::connect(&play.data_dir()).await?;
            client.request(Op::Shutdown, Screen::default()).await
        };
        let told = runtime.expect("a runtime").block_on(told);
        assert_eq!(told.expect("an answer").text, "the director stops\n");
    });
}

fn answers_and_stops(stop: impl Fn(&Playground, &Site)) {
    let play = Playground::new(PROGRAM, 1);
    let (mut run, site) = serve(&play, &[]);
    // Answers are held against the document, which is asked for once.
    assert_eq!(site.get("/api/v1/sprints").status, 200);
    let events = site.events("", None);
    let idle = site.connect();
    let stream = site.connect();
    let bearer = format!("Authorization: Bearer {}", site.token);
    let head = format!(
        "POST /api/v1/pause HTTP/1.1\r\nHost: {}\r\n{bearer}\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n",
        site.address
    );
    (&stream).write_all(head.as_bytes()).expect("sent");
    (&stream).write_all(b"{").expect("sent");
    let begun = || {
        let page = site.get("/metrics").body;
        // The stream, the idle one, this one and whoever asks.
        page.contains("director_http_connections 4\n").then_some(())
    };
    process::until(PATIENCE, begun).expect("it is taken in");
    stop(&play, &site);
    // What is not in the middle of anything ends.
    let mut rest = Vec::new();
    (&idle).read_to_end(&mut rest).expect("closed in order");
    events.for_each(drop);
    (&stream).write_all(b"}").expect("sent");
    let answer = director_tests::http::read(&mut BufReader::new(stream));
    let answer = answer.expect("an answer");
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert_eq!(run.code_within(PATIENCE), Some(0), "{}", play.log_end(20));
}

#[test]
fn what_is_logged_is_chosen_crate_by_crate_and_a_choice_that_makes_no_sense_is_named() {
    let play = Playground::new(PROGRAM, 1);
    let words = ["serve", "--listen", "127.0.0.1:0", "--log", "json"];
    let mut command = play.command(&words);
    let said = command.env("DIRECTOR_LOG", "director=loud").output();
    let said = said.expect("the program starts");
    assert_eq!(said.status.code(), Some(2));
    let text = String::from_utf8_lossy(&said.stderr).into_owned();
    assert!(text.contains("DIRECTOR_LOG is `director=loud`"), "{text}");

    let log = std::fs::File::create(play.root().join("log")).expect("a log");
    let mut command = play.command(&words);
    command
        .env("DIRECTOR_LOG", "off,director::audit=info")
        .stderr(log);
    let mut run = director_tests::harness::Run(command.spawn().expect("it starts"));
    let address = play.data_dir().join("http.address");
    let there = || {
        std::fs::read_to_string(&address)
            .ok()
            .filter(|text| text.ends_with('\n'))
    };
    let text = process::until(PATIENCE, there).expect("it listens");
    let token = std::fs::read_to_string(play.data_dir().join("http.token")).expect("a token");
    let site = director_tests::http::Site {
        address: text.trim().replace("http://", ""),
        token: token.trim().to_owned(),
    };
    let ready = || (site.get("/readyz").status == 200).then_some(());
    process::until(PATIENCE, ready).expect("it is ready");
    site.post("/api/v1/pause", "{\"by\": \"ada\"}");
    process::signal(&run.0, Signal::TERM);
    assert_eq!(run.code_within(PATIENCE), Some(0));
    let lines: Vec<serde_json::Value> = play
        .log()
        .lines()
        .map(|line| serde_json::from_str(line).expect("one JSON object a line"))
        .collect();
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert_eq!(lines[0]["target"], "director::audit");
    assert_eq!(lines[0]["by"], "ada");
}

#[test]
fn the_system_is_told_when_it_is_ready_alive_and_stopping() {
    let play = Playground::new(PROGRAM, 1);
    let place = play.root().join("notify");
    let socket = std::os::unix::net::UnixDatagram::bind(&place).expect("a socket");
    socket.set_read_timeout(Some(PATIENCE)).expect("a timeout");
    let mut command = play.command(&["serve", "--listen", "127.0.0.1:0"]);
    command
        .env("NOTIFY_SOCKET", &place)
        .env("WATCHDOG_USEC", "200000");
    let mut run = director_tests::harness::Run(command.spawn().expect("it starts"));
    let hear = || {
        let mut bytes = [0; 512];
        let length = socket.recv(&mut bytes).expect("a notification");
        String::from_utf8_lossy(&bytes[..length]).into_owned()
    };
    assert!(hear().starts_with("READY=1\n"));
    assert_eq!(hear(), "WATCHDOG=1");
    assert_eq!(hear(), "WATCHDOG=1", "again and again");
    process::signal(&run.0, Signal::TERM);
    let last = std::iter::repeat_with(hear).find(|said| said != "WATCHDOG=1");
    assert!(last.expect("more").starts_with("STOPPING=1"));
    assert_eq!(
        run.code_within(PATIENCE),
        Some(0),
        "there was nothing to do"
    );
}

#[test]
fn off_loopback_every_call_needs_the_token_and_an_address_that_is_taken_is_said_at_once() {
    let play = Playground::new(PROGRAM, 1);
    let (_run, site) = serve(&play, &["--listen", "0.0.0.0:0"]);
    let address = site.address.replace("0.0.0.0", "127.0.0.1");
    let site = director_tests::http::Site { address, ..site };
    assert_eq!(site.get("/healthz").status, 200);
    for path in ["/", "/api/v1/status", "/metrics", "/api/v1/events"] {
        assert_eq!(site.get(path).status, 401, "{path}");
    }
    let bearer = format!("Bearer {}", site.token);
    let known = site.request("GET", "/api/v1/status", &[("Authorization", &bearer)], "");
    assert_eq!(known.status, 200);

    let other = Playground::new(PROGRAM, 1);
    let said = other.ask(&["serve", "--listen", &site.address]);
    assert_eq!(said.status.code(), Some(2));
    let text = String::from_utf8_lossy(&said.stderr).into_owned();
    assert!(text.contains("choose another with `--listen`"), "{text}");
    let twice = play.ask(&["serve", "--listen", "127.0.0.1:0"]);
    assert_eq!(twice.status.code(), Some(2));
}
