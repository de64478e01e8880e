//! A peer behind a webhook, with the real program: it fails first, the director is killed meanwhile, and what is posted in the end
//! is the same, signed, and answered.

use std::io::{Read, Write};
use std::process::{Command, Stdio};
use std::time::Duration;

use director_protocols::digest;
use director_tests::corner::{Corner, HEAD};
use director_tests::hook::Hook;
use director_tests::process::until;
use serde_json::Value;

/// Longer than anything here takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);
const SECRET: &str = "correct horse";

fn corner() -> Corner {
    Corner::new(env!("CARGO_BIN_EXE_director-under-test")).with_env("QA_SECRET", SECRET)
}

fn task(ways: &str) -> String {
    format!(
        "{HEAD}\n{ways}\n[[task]]\nid = \"pay\"\nrun = \"echo pay > pay\"\ntest_requirements = [\"pay with a card that is refused\"]\n"
    )
}

fn events(corner: &Corner, name: &str) -> Vec<Value> {
    let told = corner.tell(&["events", "--json"]);
    told.out
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .filter(|event| event["event"] == name)
        .collect()
}

#[test]
fn what_is_posted_survives_failures_and_a_kill_under_one_key_and_is_signed() {
    let hook = Hook::new(&[(503, "try later")]);
    let corner = corner();
    corner.sprint(task(&format!(
        "[webhooks]\nretry_min = \"1s\"\nretry_max = \"1s\"\ntries_max = 100\n[peer.qa]\nwebhook = \"{}\"\nsecret_env = \"QA_SECRET\"\n",
        hook.url()
    )));
    let mut run = corner.start();
    until(PATIENCE, || (!hook.posted().is_empty()).then_some(())).expect("it is posted");
    until(PATIENCE, || {
        (!events(&corner, "delivery_failed").is_empty()).then_some(())
    })
    .expect("that it failed is known");
    run.0.kill().expect("a kill");
    run.code_within(PATIENCE);
    hook.answers(&[(200, r#"{"accepted": false, "reason": "it does not start"}"#)]);
    let said = corner.run();
    assert_eq!(said.code, 0, "{said:?}");

    let posted = hook.posted();
    assert!(posted.len() >= 2, "{posted:?}");
    for one in &posted {
        assert_eq!(one.raw, posted[0].raw, "the same is posted each time");
        assert_eq!(
            one.headers["idempotency-key"],
            posted[0].headers["idempotency-key"]
        );
        assert_eq!(one.headers["x-director-event"], "qa_handoff_ready");
        let signature = digest::hmac(SECRET.as_bytes(), one.raw.as_bytes());
        assert_eq!(
            one.headers["x-director-signature"],
            format!("sha256={signature}")
        );
    }
    let body = &posted[0].body;
    assert_eq!(body["deliverable_type"], "feature", "{body}");
    assert_eq!(
        body["test_requirements"][0],
        "pay with a card that is refused"
    );
    assert_eq!(body["item"], 1);

    let answered = events(&corner, "package_answered");
    assert_eq!(answered.len(), 1, "{answered:?}");
    assert_eq!(answered[0]["accepted"], false);
    assert_eq!(answered[0]["by"], "qa");
    assert_eq!(answered[0]["reason"], "it does not start");
    assert_eq!(events(&corner, "stakeholder_informed").len(), 1);
    assert!(!events(&corner, "delivery_retried").is_empty());
    let status = corner.tell(&["status", "--json"]);
    assert!(status.out.contains("\"returned\""), "{}", status.out);
    let journal = std::fs::read(corner.data_dir().join("journal.db")).expect("a journal");
    let secret = SECRET.as_bytes();
    assert!(!journal.windows(secret.len()).any(|part| part == secret));
    corner.nothing_left("a webhook");
}

#[test]
fn a_webhook_that_never_takes_it_is_a_notice_and_a_stakeholder_is_posted_to_as_well() {
    let (broken, well) = (Hook::new(&[(500, "no")]), Hook::new(&[]));
    let corner = corner();
    corner.sprint(task(&format!(
        "[webhooks]\nretry_min = \"10ms\"\ntries_max = 2\n[peer.qa]\nwebhook = \"{}\"\n[[stakeholder]]\nname = \"chat\"\non = [\"sprint_ended\"]\nwebhook = \"{}\"\n",
        broken.url(),
        well.url()
    )));
    let said = corner.run();
    assert_eq!(said.code, 0, "{said:?}");
    assert_eq!(broken.posted().len(), 2);
    let inbox = corner.tell(&["inbox"]);
    for part in [
        "A package for qa: feature pay",
        "qa could not be told of qa_handoff_ready (tried 2 times)",
        "500",
    ] {
        assert!(inbox.out.contains(part), "{part}: {}", inbox.out);
    }
    let told = well.posted();
    assert_eq!(told.len(), 1, "{told:?}");
    assert_eq!(told[0].body["event"], "sprint_ended");
    assert!(!told[0].headers.contains_key("x-director-signature"));
}

#[test]
fn what_waits_for_a_person_is_a_message_in_their_chat_signed_tried_again_and_not_said_twice() {
    let (chat, plain) = (Hook::new(&[(503, "later"), (200, "ok")]), Hook::new(&[]));
    let corner = corner();
    let blocker =
        r#"{"blocker": {"type": "question", "severity": "high", "text": "<!here> which card?"}}"#;
    corner.sprint(format!(
        r#"{HEAD}
[webhooks]
retry_min = "10ms"
[notify]
webhook = "{}"
format = "slack"
secret_env = "QA_SECRET"
[[stakeholder]]
name = "log"
on = ["inbox_opened"]
webhook = "{}"
[[task]]
id = "keep"
run = "until test -e ../../../go; do sleep 0.02; done; echo keep > keep"
[[task]]
id = "pay"
run = """case $DIRECTOR_ATTEMPT in 1|2) echo '{}' > $DIRECTOR_REPORT;; *) echo pay > pay;; esac"""
"#,
        chat.url(),
        plain.url(),
        blocker.replace('"', "\\\"")
    ));
    let mut run = corner.start();
    for item in [1, 2] {
        let opened = || (plain.posted().len() == item).then_some(());
        until(PATIENCE, opened).unwrap_or_else(|| panic!("item {item} is told"));
        let said = corner.tell(&["answer", &item.to_string(), "the blue one"]);
        assert_eq!(said.code, 0, "{said:?}");
    }
    // Other work kept the run from ending while it waited for a person.
    std::fs::write(corner.root().join("go"), "").expect("a file");
    assert_eq!(run.code_within(PATIENCE), Some(0));

    let told = chat.posted();
    let items: Vec<_> = told.iter().map(|one| &one.raw).collect();
    assert_eq!(
        told.len(),
        2,
        "it is tried again, and the second time it is known: {items:?}"
    );
    assert_eq!(told[0].raw, told[1].raw);
    assert_eq!(
        told[0].headers["idempotency-key"],
        told[1].headers["idempotency-key"]
    );
    let signature = digest::hmac(SECRET.as_bytes(), told[1].raw.as_bytes());
    assert_eq!(
        told[1].headers["x-director-signature"],
        format!("sha256={signature}")
    );
    let message = &told[1].body;
    let text = message["text"].as_str().expect("a text");
    assert!(text.starts_with("Waits for you: "), "{text}");
    assert!(text.contains("&lt;!here&gt; which card?"), "{text}");
    assert_eq!(message["blocks"][0]["type"], "header");
    assert_eq!(message["blocks"][1]["text"]["type"], "mrkdwn");
    let todo = message["blocks"][2].to_string();
    assert!(todo.contains("director answer 1"), "{todo}");
    // Who did not ask for quiet hears of both, as programs do.
    for one in plain.posted() {
        assert_eq!(one.body["event"], "inbox_opened", "{}", one.raw);
    }
}

#[test]
#[ignore = "needs openssl"]
fn https_is_spoken_with_who_the_system_trusts_and_with_nobody_else() {
    for trusted in [true, false] {
        let corner = corner();
        let (key, cert) = (corner.root().join("key"), corner.root().join("cert"));
        let path = |path: &std::path::Path| path.to_string_lossy().into_owned();
        let made = Command::new("openssl")
            .args([
                "req",
                "-x509",
                "-newkey",
                "ec",
                "-pkeyopt",
                "ec_paramgen_curve:P-256",
            ])
            .args(["-nodes", "-days", "2", "-subj", "/CN=localhost"])
            .args(["-addext", "subjectAltName=DNS:localhost"])
            .args(["-addext", "basicConstraints=critical,CA:FALSE"])
            .args(["-keyout", &path(&key), "-out", &path(&cert)])
            .stderr(Stdio::null())
            .status();
        assert!(made.expect("openssl starts").success());
        let port = {
            let free = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
            free.local_addr().expect("an address").port().to_string()
        };
        let mut server = Command::new("openssl")
            .args(["s_server", "-quiet", "-accept", &port])
            .args(["-key", &path(&key), "-cert", &path(&cert)])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("openssl starts");
        let mut answer = server.stdin.take().expect("a pipe");
        answer
            .write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            .expect("it takes the answer");
        let corner = match trusted {
            true => corner.with_env("SSL_CERT_FILE", path(&cert)),
            false => corner,
        };
        corner.sprint(task(&format!(
            "[webhooks]\ntries_max = 30\nretry_min = \"100ms\"\nretry_max = \"100ms\"\n[[stakeholder]]\nname = \"chat\"\non = [\"sprint_ended\"]\nwebhook = \"https://localhost:{port}/\"\n"
        )));
        let said = corner.run();
        assert_eq!(said.code, 0, "{said:?}");
        server.kill().expect("a kill");
        let mut heard = String::new();
        let out = server.stdout.as_mut().expect("a pipe");
        out.read_to_string(&mut heard).expect("what it heard");
        server.wait().expect("it ended");
        let failed = events(&corner, "delivery_failed");
        let why = failed
            .last()
            .map_or(&Value::Null, |event| &event["problem"]);
        assert_eq!(heard.contains("sprint_ended"), trusted, "{heard}: {why}");
        let told = events(&corner, "stakeholder_informed");
        assert_eq!(told.len(), usize::from(trusted), "{told:?}");
    }
}
