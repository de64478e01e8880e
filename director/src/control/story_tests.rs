//! Stories about the control socket: a real socket, a real engine, and everything that could come in.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use director_runtime::bus::Bus;
use director_runtime::clock::Clock;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::UnixStream;
use tokio::time::timeout;

use super::client::{Client, ClientError};
use super::place;
use super::protocol::{Ask, CONNECTIONS_MAX, Fault, FaultKind, LINE_BYTES_MAX, Op, Order, Screen};
use super::server::Server;
use crate::handle::{Call, Entry, Handle, Tree};
use crate::planner::examples::checkout;
use crate::view::recorded::Run;

/// A handle on an engine that a test tells what the world does.
fn handle(run: Run) -> (Handle, Arc<Mutex<Run>>) {
    let bus: Bus<Arc<Entry>> = Bus::new(4);
    let run = Arc::new(Mutex::new(run));
    let (told, news) = (Arc::clone(&run), bus.clone());
    let send = move |call: Call| {
        let mut run = told.lock().expect("no test panics in here");
        // Whoever asked may have gone.
        match call {
            Call::Command(command, reply) => {
                let now = run.now;
                let answer = run.engine.clone().step(&command, now).map(|_| {
                    let before = run.entries.len();
                    run.say(*command);
                    for entry in &run.entries[before..] {
                        news.publish(Arc::new(entry.clone()));
                    }
                    run.engine.seq()
                });
                let _ = reply.map(|reply| reply.send(answer));
            }
            Call::Weighed(weigh, reply) => {
                let (command, release) = weigh(&run.engine);
                release();
                let Some(command) = command else {
                    return true;
                };
                let now = run.now;
                let answer = run.engine.clone().step(&command, now).map(|_| {
                    let before = run.entries.len();
                    run.say(command);
                    for entry in &run.entries[before..] {
                        news.publish(Arc::new(entry.clone()));
                    }
                    run.engine.seq()
                });
                let _ = reply.send(answer);
            }
            Call::Read(question) => question(&run.engine)(),
            Call::History(from, max, reply) => {
                let entries = run.entries.iter().filter(|entry| entry.seq >= from);
                let _ = reply.send(entries.take(max).cloned().collect());
            }
            Call::Tree(reply) => {
                let _ = reply.send(Tree::default());
            }
            Call::Shutdown => news.close(),
        }
        true
    };
    (Handle::new(Arc::new(send), bus, Clock::system()), run)
}

fn serve(data_dir: &Path) -> (Server, Arc<Mutex<Run>>) {
    let (handle, run) = handle(Run::of(checkout()));
    (Server::start(data_dir, handle).expect("a server"), run)
}

fn fault(error: ClientError) -> Fault {
    match error {
        ClientError::Fault(fault) => fault,
        other => panic!("not a fault: {other}"),
    }
}

async fn soon<T>(what: impl Future<Output = T>) -> T {
    timeout(Duration::from_secs(30), what)
        .await
        .expect("in time")
}

/// Sends bytes as they are; gives what comes back until the server hangs up or has said `lines` lines.
async fn raw(path: &Path, bytes: &[u8], lines: usize) -> Vec<Value> {
    let stream = UnixStream::connect(path).await.expect("connected");
    let (read, mut write) = stream.into_split();
    // A server that has heard enough may hang up before all is sent.
    let _ = write.write_all(bytes).await;
    let mut read = BufReader::new(read);
    let mut said = Vec::new();
    while said.len() < lines {
        let mut line = String::new();
        match soon(read.read_line(&mut line)).await {
            Ok(0) | Err(_) => break,
            Ok(_) => said.push(serde_json::from_str(&line).expect("JSON")),
        }
    }
    said
}

#[tokio::test]
async fn questions_and_orders_go_over_the_socket_and_come_back() {
    let dir = tempfile::tempdir().expect("a directory");
    let (server, run) = serve(dir.path());
    assert_eq!(server.path(), dir.path().join("control.sock"));
    let mode = fs::metadata(server.path())
        .expect("a socket")
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);

    let mut client = Client::connect(dir.path()).await.expect("a director");
    let screen = Screen::default();
    let status = client.request(
        Op::Ask(Ask::Status {
            sprint: None,
            update: false,
        }),
        screen,
    );
    let status = soon(status).await.expect("a status");
    assert_eq!(status.json["sprint"], "sprint-3");
    assert!(status.text.contains("sprint-3"), "{}", status.text);

    let by = "mia".to_owned();
    let order = Order::Cancel {
        sprint: None,
        task: Some("docs".into()),
        by: by.clone(),
    };
    let done = soon(client.request(Op::Order(order), screen))
        .await
        .expect("cancelled");
    assert_eq!(
        done.text,
        "task `docs` and what depends on it is cancelled\n"
    );
    assert_eq!(done.json["seq"], run.lock().expect("a run").engine.seq().0);

    for (order, kind, words) in [
        (
            Order::Cancel {
                sprint: None,
                task: Some("docs".into()),
                by: by.clone(),
            },
            FaultKind::Rejected,
            "there is nothing to cancel",
        ),
        (
            Order::Retry {
                sprint: None,
                task: "cart-apy".into(),
                by: by.clone(),
            },
            FaultKind::NotFound,
            "did you mean `cart-api`?",
        ),
        (
            Order::Reassign {
                sprint: None,
                task: "cart-api".into(),
                to: Some("api-engineer-9".into()),
                by: by.clone(),
            },
            FaultKind::NotFound,
            "there is no agent `api-engineer-9`",
        ),
        (
            Order::Pause {
                sprint: Some("sprint-9".into()),
                by: by.clone(),
            },
            FaultKind::NotFound,
            "there is no sprint `sprint-9`",
        ),
        (
            Order::Answer {
                item: 0,
                text: "yes".into(),
                reply: Default::default(),
                by: by.clone(),
            },
            FaultKind::NotFound,
            "counts from 1",
        ),
        (
            Order::Answer {
                item: 7,
                text: "yes".into(),
                reply: Default::default(),
                by,
            },
            FaultKind::Rejected,
            "nothing numbered 7",
        ),
        (
            Order::Submit {
                spec: Box::new(checkout()),
            },
            FaultKind::Rejected,
            "exists already",
        ),
    ] {
        let said = fault(
            soon(client.request(Op::Order(order), screen))
                .await
                .expect_err(words),
        );
        assert!(
            said.kind == kind && said.message.contains(words),
            "{words}: {said:?}"
        );
    }
    let tree = soon(client.request(Op::Tree, screen))
        .await
        .expect("a tree");
    assert!(tree.text.contains("director"), "{}", tree.text);
    server.stop().await;
    assert!(!dir.path().join("control.sock").exists());
}

#[tokio::test]
async fn who_follows_hears_the_past_and_then_what_happens_and_misses_nothing() {
    let dir = tempfile::tempdir().expect("a directory");
    let (server, run) = serve(dir.path());
    let mut follower = Client::connect(dir.path()).await.expect("a director");
    let following = follower
        .follow(0, None, Screen::default())
        .await
        .expect("followed");
    let mut client = Client::connect(dir.path()).await.expect("a director");
    // More than the bus keeps, while nobody listens.
    for n in 0..20 {
        let by = format!("mia-{n}");
        let order = match n % 2 {
            0 => Order::Pause { sprint: None, by },
            _ => Order::Resume {
                sprint: None,
                account: None,
                by,
            },
        };
        soon(client.request(Op::Order(order), Screen::default()))
            .await
            .expect("done");
    }
    let expected: usize = {
        let run = run.lock().expect("a run");
        run.entries.iter().map(|entry| entry.events.len()).sum()
    };
    let mut heard = Vec::new();
    while heard.len() < expected {
        let line = soon(follower.next_event(&following))
            .await
            .expect("a stream");
        heard.push(line.expect("the director is there").seq);
    }
    assert!(heard.is_sorted());
    assert_eq!(
        *heard.last().expect("some"),
        run.lock().expect("a run").engine.seq().0
    );

    let shutdown = client.request(Op::Shutdown, Screen::default());
    soon(shutdown).await.expect("stopping");
    assert_eq!(
        soon(follower.next_event(&following)).await.expect("an end"),
        None
    );
    server.stop().await;
}

#[tokio::test]
async fn junk_is_answered_or_hung_up_on_and_the_director_goes_on() {
    let dir = tempfile::tempdir().expect("a directory");
    let (server, _) = serve(dir.path());
    let long = vec![b'x'; LINE_BYTES_MAX + 100];
    let nested = format!("{}{}", "[".repeat(100_000), "\n");
    for (case, bytes, lines, words) in [
        ("not JSON", &b"hello\n"[..], 1, "not a request"),
        ("not UTF-8", b"\xff\xfe\x00\n", 1, "not a request"),
        ("no line end", b"{\"op\":", 0, ""),
        ("nothing", b"", 0, ""),
        ("empty lines", b"\n\n\r\n", 0, ""),
        ("too long", &long, 1, "up to 16777216 bytes"),
        ("deeply nested", nested.as_bytes(), 1, "not a request"),
        (
            "two at once",
            b"{\"op\":\"x\",\"id\":[1]}\n{\"op\":\"y\"}\n",
            2,
            "there is no `x`",
        ),
        (
            "a screen of its own",
            b"{\"op\":\"status\",\"screen\":{\"width\":0}}\n",
            1,
            "sprint-3",
        ),
    ] {
        let said = match lines {
            0 => {
                let mut stream = UnixStream::connect(server.path()).await.expect("connected");
                stream.write_all(bytes).await.expect("sent");
                stream.shutdown().await.expect("closed");
                let mut rest = Vec::new();
                soon(stream.read_to_end(&mut rest)).await.expect("hung up");
                Vec::new()
            }
            _ => raw(server.path(), bytes, lines).await,
        };
        assert_eq!(said.len(), lines, "case: {case}");
        let first = said.first().map(Value::to_string).unwrap_or_default();
        assert!(first.contains(words), "case {case}: {first}");
    }
    let said = raw(
        server.path(),
        b"{\"id\":{\"mine\":1},\"op\":\"inbox\"}\n",
        1,
    )
    .await;
    assert_eq!(said[0]["id"], json!({"mine": 1}));
    assert!(said[0]["answer"]["text"].is_string());
    server.stop().await;
}

#[tokio::test]
async fn one_connection_too_many_is_told_so() {
    let dir = tempfile::tempdir().expect("a directory");
    let (server, _) = serve(dir.path());
    let mut others = Vec::new();
    for _ in 0..CONNECTIONS_MAX {
        let mut client = Client::connect(dir.path()).await.expect("a director");
        // Answered once, so it has its place.
        soon(client.request(Op::Ask(Ask::Inbox {}), Screen::default()))
            .await
            .expect("an inbox");
        others.push(client);
    }
    let mut late = Client::connect(dir.path()).await.expect("a socket");
    let asked = soon(late.request(Op::Ask(Ask::Inbox {}), Screen::default())).await;
    assert_eq!(fault(asked.expect_err("no place")).kind, FaultKind::Busy);
    drop(others);
    // A place is free once the server has seen somebody hang up.
    let mut again = loop {
        let mut client = Client::connect(dir.path()).await.expect("a socket");
        match soon(client.request(Op::Ask(Ask::Inbox {}), Screen::default())).await {
            Ok(_) => break client,
            Err(_) => tokio::task::yield_now().await,
        }
    };
    soon(again.request(Op::Tree, Screen::default()))
        .await
        .expect("still served");
    server.stop().await;
}

#[tokio::test]
async fn a_dead_directors_socket_is_nobody_and_the_next_one_replaces_it() {
    let dir = tempfile::tempdir().expect("a directory");
    let nobody = Client::connect(dir.path())
        .await
        .expect_err("nothing there");
    assert!(
        matches!(nobody, ClientError::NobodyThere { .. }),
        "{nobody}"
    );

    let stale = std::os::unix::net::UnixListener::bind(place::socket(dir.path()));
    drop(stale.expect("a socket"));
    let nobody = Client::connect(dir.path())
        .await
        .expect_err("nobody listens");
    assert!(
        matches!(nobody, ClientError::NobodyThere { .. }),
        "{nobody}"
    );

    let (server, _) = serve(dir.path());
    Client::connect(dir.path()).await.expect("the next one");
    server.stop().await;
}

#[tokio::test]
async fn a_data_directory_too_deep_for_a_socket_works_all_the_same() {
    let root = tempfile::tempdir().expect("a directory");
    let deep = root.path().join("d".repeat(60)).join("e".repeat(60));
    fs::create_dir_all(&deep).expect("made");
    let nobody = Client::connect(&deep).await.expect_err("nothing there");
    assert!(
        matches!(nobody, ClientError::NobodyThere { .. }),
        "{nobody}"
    );

    let (server, _) = serve(&deep);
    let mut client = Client::connect(&deep).await.expect("a director");
    let asked = client.request(Op::Ask(Ask::Inbox {}), Screen::default());
    soon(asked).await.expect("an inbox");
    server.stop().await;
}

#[tokio::test]
async fn the_journal_itself_comes_over_the_socket_and_a_forecast_goes_into_it() {
    let dir = tempfile::tempdir().expect("a directory");
    let (server, run) = serve(dir.path());
    let mut client = Client::connect(dir.path()).await.expect("connected");
    let ask = |after| Op::Ask(Ask::Records { after });
    let answer = soon(client.request(ask(0), Screen::default())).await;
    let records = super::records::read(answer.expect("answered")).expect("records");
    assert_eq!(records, run.lock().expect("no panic").entries);
    let last = records.last().expect("some").seq.0;
    let forecast = Order::Forecast {
        sprint: None,
        forecast: director_protocols::forecast::Forecast {
            runs: 10,
            ..Default::default()
        },
        by: "ada".to_owned(),
    };
    let said = soon(client.request(Op::Order(forecast), Screen::default())).await;
    assert!(
        said.expect("taken")
            .text
            .contains("the forecast is recorded")
    );
    let answer = soon(client.request(ask(last), Screen::default())).await;
    let news = super::records::read(answer.expect("answered")).expect("records");
    assert_eq!(news.len(), 1);
    assert_eq!(news[0].events[0].name(), "forecast_recorded");
    server.stop().await;
}
