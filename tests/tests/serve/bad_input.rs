//! Whatever comes in over HTTP is answered or ends its own connection, and changes nothing that it may not.

use std::io::{BufReader, Read, Write};
use std::time::{Duration, Instant};

use director_tests::harness::Playground;
use director_tests::http;

use super::{PROGRAM, serve, submit};

#[test]
fn nothing_is_changed_without_the_token_or_from_a_foreign_page() {
    let play = Playground::new(PROGRAM, 1);
    let (_run, site) = serve(&play, &[]);
    let foreign = "0123456789abcdef".repeat(4);
    let (wrong, right) = (
        format!("Bearer {foreign}"),
        format!("Bearer {}", site.token),
    );
    let cookie = format!("director={}", site.token);
    let here = format!("http://{}", site.address);
    for (case, headers, status) in [
        ("no token", vec![], 401),
        (
            "a foreign token",
            vec![("Authorization", wrong.as_str())],
            401,
        ),
        (
            "the token cut short",
            vec![("Authorization", &right[..right.len() - 1])],
            401,
        ),
        ("another scheme", vec![("Authorization", "Basic eDp5")], 401),
        ("no scheme", vec![("Authorization", &site.token)], 401),
        (
            "two tokens",
            vec![("Authorization", &right), ("Authorization", &right)],
            400,
        ),
        (
            "a foreign page",
            vec![("Authorization", &right), ("Origin", "http://evil.example")],
            403,
        ),
        (
            "no page at all",
            vec![("Authorization", &right), ("Origin", "null")],
            403,
        ),
        (
            "another port",
            vec![("Cookie", &cookie), ("Origin", "http://127.0.0.1:1")],
            403,
        ),
        (
            "a foreign frame",
            vec![("Cookie", &cookie), ("Sec-Fetch-Site", "cross-site")],
            403,
        ),
        (
            "a name of theirs",
            vec![("Authorization", &right), ("Host", "evil.example")],
            403,
        ),
        (
            "our page",
            vec![("Cookie", &cookie), ("Origin", &here)],
            200,
        ),
        ("the token", vec![("Authorization", &right)], 200),
    ] {
        let answer = site.request("POST", "/api/v1/pause", &headers, "");
        assert_eq!(answer.status, status, "case {case}: {}", answer.body);
        if status != 200 {
            assert_eq!(
                answer.header("content-type"),
                "application/problem+json",
                "case {case}"
            );
        }
    }
    // Also what only asks is not for names that lead here from elsewhere.
    let rebound = site.request("GET", "/api/v1/status", &[("Host", "evil.example")], "");
    assert_eq!(rebound.status, 403);
}

#[test]
fn requests_that_make_no_sense_are_told_so() {
    let play = Playground::new(PROGRAM, 1);
    let (_run, site) = serve(&play, &[]);
    let toml = [("Content-Type", "application/toml")];
    for (path, headers, body, status) in [
        ("/api/v1/sprints", &toml[..], "[sprint", 422),
        (
            "/api/v1/sprints",
            &toml,
            "[sprint]\nid = \"x\"\nidd = 1\n[[task]]\nid = \"a\"\nrun = \"true\"",
            422,
        ),
        (
            "/api/v1/sprints",
            &[("Content-Type", "application/json")],
            "{}",
            422,
        ),
        (
            "/api/v1/sprints",
            &[("Content-Type", "image/png")],
            "x",
            415,
        ),
        (
            "/api/v1/pause",
            &[("Content-Type", "text/plain")],
            "{}",
            415,
        ),
        ("/api/v1/pause", &[], "{", 400),
        ("/api/v1/pause", &[], "[]", 400),
        ("/api/v1/pause", &[], "{\"by\": 1}", 400),
        ("/api/v1/pause", &[], "{\"bye\": \"x\"}", 400),
        ("/api/v1/pause?sprint=x", &[], "", 400),
        ("/api/v1/inbox/0/answer", &[], "{\"text\": \"x\"}", 400),
        ("/api/v1/inbox/99/answer", &[], "{\"text\": \"x\"}", 409),
        ("/api/v1/tasks/nothing/retry", &[], "", 404),
        ("/api/v1/tasks/..%2F..%2Fetc/retry", &[], "", 400),
        ("/api/v1/events/unheard_of", &[], "{}", 400),
        ("/api/v1/status", &[], "", 405),
        ("/api/v1/nowhere", &[], "", 404),
    ] {
        let answer = site.post_with(path, headers, body);
        assert_eq!(answer.status, status, "{path} {body}: {}", answer.body);
        assert!(
            answer.json()["detail"]
                .as_str()
                .is_some_and(|text| !text.is_empty()),
            "{path}"
        );
    }
    for path in [
        "/api/v1/tasks?limit=0",
        "/api/v1/tasks?limit=1&limit=2",
        "/api/v1/replay",
        "/api/v1/events?after=-1",
        "/api/v1/tasks/%00/why",
        "/assets/../../http.token",
        "/assets/%2e%2e/%2e%2e/http.token",
    ] {
        let answer = site.get(path);
        assert!(
            (400..500).contains(&answer.status),
            "{path}: {}",
            answer.status
        );
    }
    let large = "x".repeat((8 << 20) + 1);
    let answer = site.post_with("/api/v1/sprints", &toml, &large);
    assert_eq!(answer.status, 413, "{}", answer.body);
}

#[test]
fn bytes_that_are_no_request_end_their_connection_and_requests_in_a_row_are_answered_in_order() {
    let play = Playground::new(PROGRAM, 1);
    let (_run, site) = serve(&play, &[]);
    for bytes in [
        &b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"[..],
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET /\x00 HTTP/1.1\r\nHost: x\r\n\r\n",
        b"POST /api/v1/pause HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n",
        b"POST /api/v1/pause HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        &[b'a'; 200_000],
    ] {
        let mut stream = site.connect();
        // It may hang up before all is sent.
        let _ = stream.write_all(bytes);
        let mut said = Vec::new();
        let _ = stream.read_to_end(&mut said);
        let text = String::from_utf8_lossy(&said);
        assert!(text.is_empty() || text.starts_with("HTTP/1.1 4"), "{text}");
    }
    let mut stream = site.connect();
    let one = |path: &str| format!("GET {path} HTTP/1.1\r\nHost: {}\r\n\r\n", site.address);
    let row = one("/healthz") + &one("/api/v1/nowhere") + &one("/readyz");
    stream.write_all(row.as_bytes()).expect("sent");
    let mut reader = BufReader::new(stream);
    let answers: Vec<_> = (0..3)
        .map(|_| http::read(&mut reader).expect("an answer").status)
        .collect();
    assert_eq!(answers, [200, 404, 200]);
}

#[test]
fn who_sends_a_head_too_slowly_is_hung_up_on() {
    let play = Playground::new(PROGRAM, 1);
    let (_run, site) = serve(&play, &[]);
    let began = Instant::now();
    let mut slow = site.connect();
    slow.write_all(b"GET /healthz HTTP/1.1\r\nHost: ")
        .expect("sent");
    let mut said = String::new();
    let _ = slow.read_to_string(&mut said);
    let lasted = began.elapsed();
    assert!(
        lasted > Duration::from_secs(5) && lasted < Duration::from_secs(50),
        "{lasted:?}"
    );
    assert_eq!(site.get("/healthz").status, 200, "others are not held up");
}

#[test]
fn who_sends_a_body_too_slowly_is_told_so() {
    let play = Playground::new(PROGRAM, 1);
    let (_run, site) = serve(&play, &[]);
    let mut slow = site.connect();
    let head = format!(
        "POST /api/v1/sprints HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {}\r\nContent-Type: application/toml\r\n\
         Content-Length: 100\r\n\r\n[",
        site.address, site.token
    );
    slow.write_all(head.as_bytes()).expect("sent");
    let answer = http::read(&mut BufReader::new(slow)).expect("an answer");
    assert_eq!(answer.status, 408, "{}", answer.body);
    assert!(
        answer.body.contains("the body took longer than 30 s"),
        "{}",
        answer.body
    );
}

#[test]
fn who_is_refused_before_it_has_said_all_hears_why() {
    let play = Playground::new(PROGRAM, 1);
    let (_run, site) = serve(&play, &[]);
    let long = "x".repeat(32 << 20);
    let bearer = format!("Bearer {}", site.token);
    let (json, known) = (
        ("Content-Type", "application/json"),
        ("Authorization", &*bearer),
    );
    for (case, path, headers, status) in [
        ("too long", "/api/v1/plan", &[json, known][..], 413),
        ("too long for a tool", "/mcp", &[json, known], 413),
        ("no token", "/api/v1/submit", &[json], 401),
        ("no such place", "/api/v1/nowhere", &[json, known], 404),
    ] {
        for _ in 0..4 {
            let answer = site.request("POST", path, headers, &long);
            assert_eq!(answer.status, status, "{case}: {}", answer.body);
        }
    }
}

/// As many files as the system lets this process have.
fn many_files() {
    use rustix::process::{Resource, getrlimit, setrlimit};
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    setrlimit(Resource::Nofile, limit).expect("a limit");
}

#[test]
fn beyond_the_last_place_a_connection_is_told_so_and_others_are_served() {
    use director::http::limits::CONNECTIONS_MAX;
    let play = Playground::new(PROGRAM, 1);
    let (_run, site) = serve(&play, &[]);
    many_files();
    // One that is served all the while; it comes first.
    let ask = format!("GET /healthz HTTP/1.1\r\nHost: {}\r\n\r\n", site.address);
    let kept = site.connect();
    let mut reader = BufReader::new(kept.try_clone().expect("the same"));
    let mut again = || {
        (&kept).write_all(ask.as_bytes()).expect("sent");
        http::read(&mut reader).map(|answer| answer.status)
    };
    assert_eq!(again().expect("an answer"), 200);
    let mut open: Vec<_> = (1..CONNECTIONS_MAX).map(|_| site.connect()).collect();
    let refused = site.get("/api/v1/status");
    assert_eq!(refused.status, 503, "{}", refused.body);
    assert_eq!(refused.header("retry-after"), "1");
    assert_eq!(refused.header("content-type"), "application/problem+json");
    assert!(
        refused.body.contains("2048 connections are open"),
        "{}",
        refused.body
    );
    assert_eq!(again().expect("an answer"), 200, "who is in is served");
    open.truncate(CONNECTIONS_MAX / 2);
    let there = director_tests::process::until(Duration::from_secs(60), || {
        (site.get("/api/v1/status").status == 200).then_some(())
    });
    there.expect("a place is free again");
}

#[test]
fn what_agents_print_and_how_they_name_files_stays_text_and_inside() {
    let play = Playground::new(PROGRAM, 1);
    let (_run, site) = serve(&play, &[]);
    submit(
        &site,
        r#"
[sprint]
id = "hostile"
[[task]]
id = "a"
run = '''
printf '\033[2J\033]0;owned\007<script>alert(1)</script>\n'
echo fine > fine.txt
cat > "$DIRECTOR_REPORT" <<'REPORT'
{"summary": "\u001b[2J<script>alert(2)</script>", "artifacts": ["fine.txt", "../../../http.token", "/etc/hostname", "a/../../b"]}
REPORT
'''
[[task]]
id = "b"
depends_on = ["a"]
run = "cat \"$DIRECTOR_HANDOFF\""
"#,
    );
    let done = director_tests::process::until(director_tests::harness::PATIENCE, || {
        let sprint = site.get("/api/v1/sprints/hostile").json();
        (sprint["state"] == "done").then_some(())
    });
    done.expect("it is done");
    let handed = site.get("/api/v1/tasks/b/logs").body;
    let handed: serde_json::Value = serde_json::from_str(&handed).expect("what it was handed");
    let artifacts = handed["handoff"][0]["artifacts"].as_array();
    let kept = artifacts
        .expect("a list")
        .iter()
        .filter(|one| one["path"].is_string());
    let kept: Vec<_> = kept.map(|one| &one["name"]).collect();
    assert_eq!(
        kept,
        ["fine.txt"],
        "what lies elsewhere is a name and no more"
    );
    let escape = |text: &str| text.contains('\u{1b}') || text.contains('\u{7}');
    for path in ["/tasks/a", "/", "/events", "/team", "/api/v1/tasks/a/logs"] {
        let seen = site.get(path);
        assert_eq!(seen.status, 200, "{path}");
        assert!(!escape(&seen.body), "{path}: {}", seen.body);
        let is_page = seen.header("content-type").starts_with("text/html");
        assert!(
            !is_page || !seen.body.contains("<script>alert"),
            "{path}: {}",
            seen.body
        );
    }
    let shown = site.get("/tasks/a").body;
    assert!(shown.contains("&lt;script&gt;alert(1)"), "{shown}");
    for words in [
        &["logs", "a"][..],
        &["events"],
        &["why", "a"],
        &["report"],
        &["status"],
    ] {
        let out = play.ask(words);
        let text = String::from_utf8_lossy(&out.stdout).into_owned();
        assert!(out.status.success(), "{words:?}");
        assert!(!escape(&text), "{words:?}: {text:?}");
    }
    let token = std::fs::read_to_string(play.data_dir().join("http.token")).expect("a token");
    for path in ["/api/v1/journal", "/api/v1/report", "/api/v1/tasks/a/why"] {
        assert!(!site.get(path).body.contains(token.trim()), "{path}");
    }
}

#[test]
fn what_people_write_is_shown_as_text() {
    let play = Playground::new(PROGRAM, 1);
    let (_run, site) = serve(&play, &[]);
    submit(
        &site,
        r#"
[sprint]
id = "x"
[team.product]
agent = "person"
kinds = ["research"]
[[task]]
id = "a"
kind = "research"
title = "<script>alert(1)</script><img src=x onerror=alert(2)>"
"#,
    );
    for path in [
        "/",
        "/tasks/a",
        "/inbox",
        "/incidents",
        "/events",
        "/team",
        "/board",
        "/graph",
        "/audit",
    ] {
        let page = site.get(path);
        assert_eq!(page.status, 200, "{path}");
        assert!(
            !page.body.contains("<script>alert"),
            "{path}: {}",
            page.body
        );
        assert!(!page.body.contains("<img src=x"), "{path}");
        let policy = page.header("content-security-policy");
        assert!(
            policy.contains("script-src 'self'") && !policy.contains("unsafe"),
            "{policy}"
        );
    }
}

#[test]
fn at_a_limit_the_answer_says_which_and_when_to_come_again() {
    let play = Playground::new(PROGRAM, 1);
    let (_run, site) = serve(&play, &[]);
    let busy = |answer: &http::Answer, named: &str| {
        assert_eq!(answer.status, 429, "{}", answer.body);
        assert_eq!(answer.header("retry-after"), "1");
        assert_eq!(answer.header("content-type"), "application/problem+json");
        let said = answer.json();
        assert_eq!(said["code"], "busy");
        let detail = said["detail"].as_str().expect("a detail");
        assert!(detail.contains(named), "{detail}");
    };
    many_files();
    let open = || {
        let mut stream = site.connect();
        let head = format!(
            "GET /api/v1/events HTTP/1.1\r\nHost: {}\r\n\r\n",
            site.address
        );
        stream.write_all(head.as_bytes()).expect("sent");
        let mut byte = [0];
        stream.read_exact(&mut byte).expect("an answer begins");
        stream
    };
    let mut streams: Vec<_> = (0..director::http::limits::STREAMS_MAX)
        .map(|_| open())
        .collect();
    busy(&site.get("/api/v1/events"), "1024 streams are open");
    assert_eq!(site.get("/api/v1/status").status, 200, "others are served");
    streams.pop();
    let again = director_tests::process::until(Duration::from_secs(60), || {
        site.get("/metrics")
            .body
            .contains("director_http_event_streams 1023\n")
            .then_some(())
    });
    again.expect("a place is free again");
    streams.push(open());

    let first = site.post("/api/v1/pause", "");
    assert_ne!(first.status, 429, "below the limit: {}", first.body);
    let many = |ask: &dyn Fn() -> http::Answer| {
        let refused = (0..2_000)
            .map(|_| ask())
            .find(|answer| answer.status == 429);
        refused.expect("there is a limit")
    };
    busy(
        &many(&|| site.post("/api/v1/pause", "")),
        "change something",
    );
    let wrong = [("Authorization", "Bearer nothing")];
    let guess = || site.request("GET", "/api/v1/status", &wrong, "");
    busy(&many(&guess), "wrong tokens");
    let known = format!("Bearer {}", site.token);
    let headers = [("Authorization", known.as_str())];
    let known = site.request("GET", "/api/v1/status", &headers, "");
    assert_eq!(known.status, 200, "who has the token is not held up");
}
