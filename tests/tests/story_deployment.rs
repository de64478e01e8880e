//! A deployment with the real program: a readiness command, a window, DevOps, and a look afterwards that finds something.

use std::fs;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use director_tests::corner::{Corner, HEAD};
use serde_json::Value;

/// A day, in seconds.
const DAY: u64 = 24 * 3600;

/// The window of an hour that opens twelve hours from now, and how long that is.
fn window_ahead() -> (String, Duration) {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .expect("after 1970");
    let opens = now.as_secs() + DAY / 2;
    // Day 0 was a Thursday.
    let day = ["thu", "fri", "sat", "sun", "mon", "tue", "wed"][(opens / DAY % 7) as usize];
    let clock = |seconds: u64| format!("{:02}:{:02}", seconds % DAY / 3600, seconds % 3600 / 60);
    let window = format!("{day} {}-{}", clock(opens), clock(opens + 3600));
    (window, Duration::from_secs(DAY / 2))
}

#[test]
fn what_is_merged_is_deployed_in_its_window_once_it_is_ready_and_looked_at_afterwards() {
    let corner = Corner::new(env!("CARGO_BIN_EXE_director-under-test"));
    let (window, later) = window_ahead();
    let room = corner.root().join("room");
    let looks = corner.root().join("looks");
    // The scripts are in what is deployed. There is room once somebody has made some; the first look finds an old version.
    fs::write(
        corner.repo().join("ready.sh"),
        format!("test -f pay && {{ test -e {} || {{ echo no room for $DIRECTOR_COMMIT; exit 1; }}; }}\n", room.display()),
    )
    .expect("a script");
    fs::write(
        corner.repo().join("probe.sh"),
        format!("echo $DIRECTOR_GATE >> {looks}\ntest $(wc -l < {looks}) -gt 1 || {{ echo an old version; exit 3; }}\n", looks = looks.display()),
    )
    .expect("a script");
    corner.commit("scripts");
    corner.sprint(format!(
        r#"{HEAD}
[team.devops]
kinds = ["devops"]
agent = "person"
[deployment]
ready = {{ run = "sh ready.sh", timeout = "1m" }}
windows = ["{window}"]
probe = {{ run = "sh probe.sh", after = "10ms", every = "10ms", for = "10ms" }}
[[task]]
id = "pay"
run = "echo pay > pay"
deployment_requirements = ["a table more"]
"#
    ));
    let run = ["run", &*corner.file().to_string_lossy()].map(str::to_owned);
    let run = [run[0].as_str(), run[1].as_str()];

    // A forecast reaches the end of it.
    let file = corner.file();
    let forecast = corner.tell(&["simulate", &file.to_string_lossy(), "--runs", "20"]);
    assert_eq!(forecast.code, 0, "{forecast:?}");
    assert!(forecast.out.contains("100"), "{}", forecast.out);

    // Merged, and outside the window: it says until when, and waits.
    let said = corner.tell(&run);
    assert_eq!(said.code, 3, "{said:?}");
    assert!(
        said.err
            .contains("the deployment of `pay` waits for its window, until"),
        "{}",
        said.err
    );
    let status: Value =
        serde_json::from_str(&corner.tell(&["status", "--json"]).out).expect("JSON");
    assert_eq!(status["deployments"][0]["state"], "waiting", "{status:#}");
    assert_eq!(corner.events("readiness_checked").len(), 0);

    // In the window it is asked whether it can begin, and says what is missing.
    let later = later + Duration::from_secs(60);
    let said = corner.tell_later(&run, later);
    assert_eq!(said.code, 3, "{said:?}");
    let checked = corner.events("readiness_checked");
    let missing = checked[0]["missing"][0]
        .as_str()
        .expect("something is missing");
    assert!(
        missing.contains("no room for COMMIT"),
        "the commit that is deployed is named: {missing}"
    );
    let inbox = corner.tell(&["inbox"]);
    assert!(
        inbox.out.contains("asks again") && inbox.out.contains("no room"),
        "{}",
        inbox.out
    );
    assert_eq!(corner.events("devops_handoff_ready").len(), 0);

    // Somebody makes room and asks again: DevOps gets the package, takes it, and the look at it opens an incident.
    fs::write(&room, "").expect("room");
    assert_eq!(corner.tell_later(&["approve", "1"], later).code, 0);
    assert_eq!(corner.tell_later(&run, later).code, 3);
    let package = &corner.events("devops_handoff_ready")[0];
    assert_eq!(package["deployment"], 1, "{package}");
    assert_eq!(package["deployment_requirements"][0], "a table more");
    assert_eq!(
        corner
            .tell_later(&["approve", "2", "it is there"], later)
            .code,
        0
    );
    let said = corner.tell_later(&run, later);
    assert_eq!(said.code, 0, "{said:?}");
    let probed: Vec<(Value, Value)> = corner
        .events("deployment_probed")
        .iter()
        .map(|event| (event["round"].clone(), event["outcome"]["verdict"].clone()))
        .collect();
    assert_eq!(
        probed,
        [(1.into(), "failed".into()), (2.into(), "passed".into())]
    );
    let incident = corner.tell(&["incident", "1"]);
    for part in [
        "`pay` was deployed and is not well",
        "an old version",
        "look 2 at `pay`",
        "root_cause",
    ] {
        assert!(incident.out.contains(part), "{part}: {}", incident.out);
    }
    let inbox = corner.tell(&["inbox"]);
    assert!(
        inbox.out.contains("Incident 1: `pay` was deployed"),
        "{}",
        inbox.out
    );
    let report = corner.report();
    assert_eq!(
        report["deployments"][0]["state"], "deployed",
        "{}",
        report["deployments"]
    );
    assert_eq!(report["deployments"][0]["incident"], 1);
    let status = corner.tell(&["status"]);
    assert!(status.out.contains("Deployments"), "{}", status.out);
    corner.nothing_left("a deployment");
}

#[test]
fn a_window_that_is_none_is_refused_with_what_to_write() {
    let corner = Corner::new(env!("CARGO_BIN_EXE_director-under-test"));
    corner.sprint(format!(
        "{HEAD}\n[deployment]\nwindows = [\"monday 9-17\"]\nprobe = {{ every = \"1m\" }}\n[[task]]\nid = \"pay\"\nrun = \"true\"\n"
    ));
    let said = corner.run();
    assert_eq!(said.code, 2, "{said:?}");
    for part in [
        "`monday 9-17` is not a time of the week",
        "mon-thu 09:00-16:00",
        "deployment.windows[0]",
        "`run` is missing",
        "deployment.probe.run",
    ] {
        assert!(said.err.contains(part), "{part}: {}", said.err);
    }
}
