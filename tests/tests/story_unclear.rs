//! Before the start, through the real program: what is unclear is guessed or asked, and time has its shares.

use director_tests::corner::{Corner, HEAD};
use serde_json::Value;

fn corner() -> Corner {
    Corner::new(env!("CARGO_BIN_EXE_director-under-test"))
}

#[test]
fn what_is_unclear_is_guessed_or_asked_and_strict_starts_nothing() {
    let corner = corner();
    let team = HEAD.replace("count = 2", "count = 2\n\n[team.documentation-writer]");
    corner.sprint(format!(
        "{team}\n[[task]]\nid = \"guide\"\ntitle = \"Write the user guide\"\nspec = \"nowhere.md\"\nrun = \"echo x > guide\"\n"
    ));
    let file = corner.file().to_string_lossy().into_owned();
    let plan = corner.tell(&["plan", "--json", &file]);
    let read: Value =
        serde_json::from_str(&plan.out).unwrap_or_else(|error| panic!("{error}: {plan:?}"));
    assert_eq!(read["tasks"][0]["role"], "documentation-writer");
    assert_eq!(
        read["guesses"][0],
        "`guide` is taken as `documentation` for documentation-writer: its title says `guide`"
    );
    assert_eq!(
        read["guesses"][1],
        "`guide` is taken to need 1h: an hour for each of its 1 point"
    );
    assert!(
        plan.err
            .contains("question: guide: its specification `nowhere.md` is not there"),
        "{plan:?}"
    );

    let strict = corner.tell(&["run", "--strict", &file]);
    assert_eq!(strict.code, 2, "{strict:?}");
    assert!(
        strict
            .err
            .contains("nothing was started: 2 things are unclear"),
        "{strict:?}"
    );
    assert!(
        strict.err.contains("guide: no acceptance criteria") && strict.err.contains("nowhere.md"),
        "{strict:?}"
    );
    assert!(!corner.data_dir().exists(), "nothing was made");

    let run = corner.tell(&["run", &file]);
    assert_eq!(run.code, 0, "{run:?}");
    assert!(
        run.err
            .contains("guess: `guide` is taken as `documentation`"),
        "{run:?}"
    );
    assert_eq!(
        corner.report()["tasks"][0]["agent"],
        "documentation-writer-1"
    );
    corner.nothing_left("unclear");
}

#[test]
fn shares_of_time_limit_what_is_promised_and_the_report_compares() {
    let corner = corner();
    let head = HEAD.replace("count = 2", "count = 2\ncapacity = 10");
    let task = |id: &str, class: &str| {
        format!(
            "[[task]]\nid = \"{id}\"\nhours = 3\nclass = \"{class}\"\nrun = \"echo {id} > {id}\"\n"
        )
    };
    corner.sprint(format!(
        "{head}\n[shares]\nfeature = 0.5\ndebt = 0.2\n{}{}{}",
        task("new", "feature"),
        task("old", "debt"),
        task("older", "debt")
    ));
    let file = corner.file().to_string_lossy().into_owned();
    let plan = corner.tell(&["plan", &file]);
    assert!(
        plan.out.contains(
            "- Shares: feature 3h of 10h (50 %), debt 3h of 4h (20 %), infrastructure 0h"
        ),
        "{}",
        plan.out
    );
    assert!(
        plan.out
            .contains("- older: needs 3h, and the share of debt has 1h left"),
        "{}",
        plan.out
    );
    let run = corner.run();
    assert_eq!(run.code, 0, "{run:?}");
    let shares = &corner.report()["metrics"]["shares"];
    assert_eq!(
        (
            shares["debt"]["most"].as_f64(),
            shares["debt"]["planned"].as_f64()
        ),
        (Some(0.2), Some(0.5))
    );
    assert!(
        shares["debt"]["actual"]
            .as_f64()
            .is_some_and(|actual| actual > 0.0 && actual < 1.0),
        "{shares}"
    );
    let shown = corner.tell(&["report", "--format", "md"]);
    assert!(
        shown.out.contains("| debt | 20 % | 50 % (3.00h) |"),
        "{}",
        shown.out
    );

    corner.sprint(format!(
        "{head}\n[shares]\nfeature = 0.9\ndebt = 0.2\n{}",
        task("new", "feature")
    ));
    let wrong = corner.tell(&["plan", &file]);
    assert!(
        wrong.code == 2 && wrong.err.contains("the shares add up to 1.1"),
        "{wrong:?}"
    );
}
