//! Conflicts seen early over HTTP: on the overview, in the status, and in what an agent at work is answered.

use std::fs;

use director_tests::harness::{PATIENCE, Playground};
use director_tests::mcp::Wire;
use director_tests::process;
use serde_json::json;

use super::assigned::environment;
use super::dashboard::pictures;
use super::{PROGRAM, serve, submit};

/// Tasks that write the same line, leave their environment where the test finds it, and work until the test says so.
fn sprint(play: &Playground) -> String {
    let root = play.root().display().to_string();
    let task = |name: &str, title: &str| {
        format!(
            "[[task]]\nid = \"{name}\"\ntitle = \"{title}\"\nrun = '''\n\
             echo {name} > prices.txt\n\
             env | grep ^DIRECTOR_ > {root}/{name}.new\nmv {root}/{name}.new {root}/{name}-$DIRECTOR_ATTEMPT\n\
             until test -e {root}/go; do sleep 0.05; done\n'''\n"
        )
    };
    format!(
        "[sprint]\nid = \"shop\"\nrepo = \".\"\n[limits]\nlook_ahead = \"200ms\"\n[team.fullstack-engineer]\ncount = 3\n{}{}{}",
        task("discounts", "Customers get discounts"),
        task("currencies", "Prices in other currencies"),
        task("taxes", "Taxes by country"),
    )
}

#[test]
fn whoever_works_hears_of_a_conflict_with_what_it_says_and_people_see_it_on_the_overview() {
    let play = Playground::new(PROGRAM, 1);
    let (_run, site) = serve(&play, &[]);
    submit(&site, &sprint(&play));
    let status = process::until(PATIENCE, || {
        let status = site.get("/api/v1/status").json();
        let three = status["conflicts"].as_array()?.len() == 3;
        three.then_some(status)
    });
    let status = status.unwrap_or_else(|| panic!("{}", site.get("/api/v1/status").body));
    let first = &status["conflicts"][0];
    assert_eq!(
        (&first["task"], &first["with"], &first["files"]),
        (
            &"discounts".into(),
            &"currencies".into(),
            &json!(["prices.txt"])
        ),
        "{first:#}"
    );
    let token = environment(&play, "taxes", 1)("DIRECTOR_TOKEN");
    let mut agent = Wire::Http(site.clone(), token);
    let (text, answer) = agent.done("progress", json!({ "percent": 10 }));
    assert!(
        text.contains(
            "discounts and taxes, both under way, change the same places in `prices.txt`"
        ),
        "{text}"
    );
    assert_eq!(answer["news"].as_array().map(Vec::len), Some(2), "{answer}");
    let page = site.get("/").body;
    assert!(page.contains("Would conflict"), "{page}");
    assert!(page.contains("<code>prices.txt</code>"), "{page}");
    pictures(&play, &site, "conflicts", &["/", "/tasks/taxes"]);
    fs::write(play.root().join("go"), "").expect("a file");
}
