//! Under load, small: many listen, many ask, some read nothing, and the director is killed meanwhile. `just load` is the large one.

use std::path::Path;
use std::time::Duration;

use director_tests::load::{Served, followers, orders, readers};

use super::PROGRAM;

fn runtime() -> tokio::runtime::Runtime {
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    runtime.enable_all().build().expect("a runtime")
}

#[test]
fn killed_under_load_it_comes_back_and_no_follower_misses_an_event_or_hears_one_twice() {
    let dir = tempfile::tempdir().expect("a directory");
    let mut served = Served::start(Path::new(PROGRAM), &[], dir.path());
    served.submit(4, 3);
    let after = served.position();
    let (heard, done, end) = runtime().block_on(async {
        let silent = followers::read_nothing(served.address(), 10).await;
        let silent = silent.expect("they are opened");
        let follow = followers::follow(served.address(), 60, after, 60);
        let load = orders::give(&served.data_dir(), 4, 200);
        for _ in 0..2 {
            tokio::time::sleep(Duration::from_secs(1)).await;
            served.kill();
            served.start_again();
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
        let done = load.end().await;
        let end = served.position();
        drop(silent);
        (follow.end(end).await, done, end)
    });
    assert!(heard.iter().all(|one| one.returns >= 2), "all were cut off");
    let ids = served.exported();
    let wanted: Vec<_> = ids
        .iter()
        .copied()
        .filter(|(seq, _)| (after + 1..=end).contains(seq))
        .collect();
    for one in &heard {
        assert!(one.is(&wanted), "{} of {}", one.events, wanted.len());
    }
    assert!(done.len() > 20, "orders were given: {}", done.len());
    for one in &done {
        let kept = wanted.binary_search(&(one.seq, 0)).is_ok();
        assert!(kept, "{} was acknowledged and is not there", one.seq);
    }
}

#[test]
fn however_many_ask_an_answer_is_made_once_and_shows_what_was_done_before() {
    let dir = tempfile::tempdir().expect("a directory");
    let served = Served::start(Path::new(PROGRAM), &[], dir.path());
    served.submit(1, 3);
    let site = served.site();
    let count = |how: &str| -> u64 {
        let name = format!("director_http_answers_total{{how=\"{how}\"}} ");
        let page = site.get("/metrics").body;
        let found = page.lines().find_map(|line| line.strip_prefix(&*name));
        found.and_then(|text| text.parse().ok()).expect("a count")
    };
    let runtime = runtime();
    let path = "/api/v1/sprints/load-0";
    let (made, again) = (count("made"), count("again"));
    let reading = readers::read(served.address(), path, 64, Duration::from_secs(1));
    let got = runtime.block_on(reading);
    let (made, again) = (count("made") - made, count("again") - again);
    assert!(made + again >= got.answers);
    // Ten times a second at rest, and once for each connection that came first, at most.
    assert!(made <= 30 && again > made, "{made} made, {again} again");

    let address = served.address().to_owned();
    let reading = runtime.spawn(async move {
        readers::read(&address, path, 8, Duration::from_secs(2)).await;
    });
    for (order, state) in [("pause", "paused"), ("resume", "running")].repeat(10) {
        let done = site.post(&format!("/api/v1/sprints/load-0/{order}"), "");
        assert_eq!(done.status, 200, "{}", done.body);
        let seen = site.get(path);
        assert_eq!(seen.json()["state"], state);
        let seq = |answer: &director_tests::http::Answer| -> u64 {
            answer.header("director-seq").parse().expect("a position")
        };
        assert!(seq(&seen) >= seq(&done));
    }
    runtime.block_on(reading).expect("they read to the end");
}
