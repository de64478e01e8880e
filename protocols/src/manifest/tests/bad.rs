//! Sprint files with mistakes, as people read what is wrong with them.

use std::fmt::Write as _;

use expect_test::{Expect, expect};

use super::{toml, with};
use crate::manifest::{Format, Options, Purpose, SHOWN_MAX, parse};

fn shows(text: &str, expected: Expect) {
    let errors = toml(text).expect_err("a bad file");
    expected.assert_eq(&format!("{errors}\n"));
}

#[test]
fn every_problem_of_a_file_is_shown_at_once() {
    shows(
        "[sprint]\nid = \"s\"\nstrat = 2026-11-23\n\n[[task]]\nid = \"a\"\nrun = 5\npoints = -3\npriority = \"hihg\"\n",
        expect![[r#"
            error: unknown key `strat`
             --> sprint.toml:3:1
              |
            3 | strat = 2026-11-23
              | ^^^^^
              |
              = key: sprint.strat
              = help: did you mean `start`?

            error: expected a string or a list, found a whole number
             --> sprint.toml:7:7
              |
            7 | run = 5
              |       ^
              |
              = key: task[0].run

            error: `points` cannot be negative: -3
             --> sprint.toml:8:10
              |
            8 | points = -3
              |          ^^
              |
              = key: task[0].points
              = help: allowed are 0 to 10000

            error: unknown value `hihg`
             --> sprint.toml:9:12
              |
            9 | priority = "hihg"
              |            ^^^^^^
              |
              = key: task[0].priority
              = help: did you mean `high`? allowed: low, normal, medium, high, critical

            sprint.toml: 4 problems
        "#]],
    );
}

#[test]
fn a_cycle_is_named_in_full() {
    let mut file = with("", "depends_on = [\"c\"]");
    for (id, needs) in [("b", "a"), ("c", "b")] {
        let _ = write!(
            file,
            "[[task]]\nid = \"{id}\"\nrun = \"true\"\ndepends_on = [\"{needs}\"]\n"
        );
    }
    shows(
        &file,
        expect![[r#"
            error: dependency cycle: a -> c -> b -> a
             --> sprint.toml:7:15
              |
            7 | depends_on = ["c"]
              |               ^^^
              |
              = key: task[0].depends_on
              = help: each waits for the next; remove one of these dependencies

            sprint.toml: 1 problem
        "#]],
    );
}

#[test]
fn an_unknown_dependency_gets_the_nearest_task() {
    let file = with(
        "",
        "depends_on = [\"auth-sepc\"]\n[[task]]\nid = \"auth-spec\"\nrun = \"true\"",
    );
    shows(
        &file,
        expect![[r#"
            error: unknown dependency `auth-sepc`
             --> sprint.toml:7:15
              |
            7 | depends_on = ["auth-sepc"]
              |               ^^^^^^^^^^^
              |
              = key: task[0].depends_on[0]
              = help: did you mean `auth-spec`?

            sprint.toml: 1 problem
        "#]],
    );
}

#[test]
fn a_second_task_of_the_same_id_shows_both_places() {
    shows(
        &with("", "[[task]]\nid = \"a\"\nrun = \"true\""),
        expect![[r#"
            error: duplicate task id `a`
             --> sprint.toml:8:6
              |
            5 | id = "a"
              |      --- first here
              ...
            8 | id = "a"
              |      ^^^ again here
              |
              = key: task[1].id
              = help: give one of them another id

            sprint.toml: 1 problem
        "#]],
    );
}

#[test]
fn a_role_nobody_fills_says_who_could() {
    shows(
        &with(
            "[team]\nonly = true\n[team.ux-engineer]\n",
            "kind = \"api_endpoint\"",
        ),
        expect![[r#"
            error: nobody fills the role `api-engineer`, which does tasks of kind `api_endpoint`
              --> sprint.toml:10:8
               |
            10 | kind = "api_endpoint"
               |        ^^^^^^^^^^^^^^ of task `a`
               |
               = key: task[0].kind
               = help: add [team.api-engineer], which `only = true` dropped, or give another role `kinds = ["api_endpoint"]`, or name one in the task's `role`: ux-engineer

            sprint.toml: 1 problem
        "#]],
    );
    shows(
        &with("[team.api-engineer]\ncount = 0", "kind = \"api_endpoint\""),
        expect![[r#"
            error: nobody fills the role `api-engineer`, which does tasks of kind `api_endpoint`
             --> sprint.toml:8:8
              |
            8 | kind = "api_endpoint"
              |        ^^^^^^^^^^^^^^ of task `a`
              |
              = key: task[0].kind
              = help: give [team.api-engineer] a `count` of at least 1, or give another role `kinds = ["api_endpoint"]`, or name one in the task's `role`: engineering-manager, documentation-research, tech-lead, fullstack-engineer, ux-engineer, test-engineer, documentation-writer, tech-lead-reviewer

            sprint.toml: 1 problem
        "#]],
    );
}

#[test]
fn command_agents_without_commands_are_one_problem() {
    let file = "[sprint]\nid = \"s\"\n[[task]]\nid = \"a\"\n[[task]]\nid = \"b\"\n";
    shows(
        file,
        expect![[r#"
        error: 2 tasks have no `run`, which their command agents need: `a`, `b`
         --> sprint.toml:3:1
          |
        3 | [[task]]
          | ^^^^^^^^
          |
          = key: task[0].run
          = help: add run = "...", or let other agents fill their role: [team.fullstack-engineer] agent = "claude"

        sprint.toml: 1 problem
    "#]],
    );
    let options = Options {
        purpose: Purpose::Plan,
        ..Options::default()
    };
    let planned = parse(file, "f", Format::Toml, &options).expect("it can be planned");
    assert_eq!(planned.warnings.len(), 1);
}

#[test]
fn what_is_not_toml_or_json_shows_where() {
    shows(
        "[sprint\nid = 1\n",
        expect![[r#"
        error: this is not TOML: unclosed table, expected `]`
         --> sprint.toml:1:8
          |
        1 | [sprint
          |        ^
          |

        sprint.toml: 1 problem
    "#]],
    );
    let text = "{\"sprint\": {\"id\": \"s\"},\n \"task\": [{\"id\": \"a\",}]}";
    let errors = parse(text, "s.json", Format::Json, &Options::default()).expect_err("bad");
    expect![[r#"
        error: this is not JSON: key must be a string
         --> s.json:2:22
          |
        2 |  "task": [{"id": "a",}]}
          |                      ^
          |

        s.json: 1 problem
    "#]]
    .assert_eq(&format!("{errors}\n"));
    let text =
        "{\"sprint\": {\"id\": \"s\"},\n \"task\": [{\"id\": \"\\u0061\", \"runn\": \"true\"}]}";
    let errors = parse(text, "s.json", Format::Json, &Options::default()).expect_err("bad");
    expect![[r#"
        error: unknown key `runn`
         --> s.json:2:28
          |
        2 |  "task": [{"id": "\u0061", "runn": "true"}]}
          |                            ^^^^^^
          |
          = key: task[0].runn
          = help: did you mean `run`?

        s.json: 1 problem
    "#]]
    .assert_eq(&format!("{errors}\n"));
}

#[test]
fn a_file_of_nonsense_is_cut_at_twenty() {
    let mut file = String::from("[sprint]\nid = \"s\"\n");
    for n in 0..5_000 {
        let _ = write!(
            file,
            "[[task]]\nid = \"t{n}\"\nrunn = \"x\"\ndepends_on = [\"x{n}\"]\n"
        );
    }
    let errors = toml(&file).expect_err("all of it is wrong");
    assert_eq!(
        (errors.problems.len(), errors.more),
        (SHOWN_MAX, 10_000 - SHOWN_MAX)
    );
    assert!(
        errors
            .to_string()
            .ends_with("10000 problems, the first 20 are shown")
    );
}
