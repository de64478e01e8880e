//! Stories about sprint files that are good, cannot be read, or are damaged; bad ones are `bad` and `sentences`.

mod bad;
mod sentences;
mod written;

use std::fmt::Write as _;
use std::time::Instant;

use proptest::prelude::*;

use super::tree::{Node, Value, read_toml};
use super::*;
use crate::sprint::{Check, Expects, Priority};
use crate::time::Span;

pub(super) const EXAMPLES: [&str; 3] = [
    include_str!("../../../../examples/minimal.toml"),
    include_str!("../../../../examples/checkout.toml"),
    include_str!("../../../../examples/coding-agents.toml"),
];

fn toml(text: &str) -> Result<Manifest, ManifestErrors> {
    parse(text, "sprint.toml", Format::Toml, &Options::default())
}

fn good(text: &str) -> Manifest {
    toml(text).unwrap_or_else(|errors| panic!("{errors}"))
}

/// A file with one task `a` that has `lines`, below the tables in `top`.
fn with(top: &str, lines: &str) -> String {
    format!("[sprint]\nid = \"s\"\n{top}\n[[task]]\nid = \"a\"\nrun = \"true\"\n{lines}\n")
}

#[test]
fn a_minimal_file_is_a_whole_sprint() {
    let Manifest { spec, assumed, .. } = good(EXAMPLES[0]);
    assert_eq!(spec.team.len(), 9);
    assert!(spec.team.iter().all(|role| role.capacity.is_none()));
    assert!(spec.gates.iter().all(|gate| match gate.check {
        Check::Acceptance { strict } => !strict,
        Check::NotMeasured { .. } => true,
        _ => false,
    }));
    let task = &spec.tasks[0];
    assert_eq!(task.role.as_str(), "fullstack-engineer");
    assert_eq!(
        (task.title.as_str(), task.feature.as_str()),
        ("greet", "greet")
    );
    assert_eq!(task.estimate.likely, Span::hours(1));
    assert_eq!(task.expects, Expects::Nothing);
    assert_eq!(assumed, std::slice::from_ref(&task.id));
}

#[test]
fn a_realistic_file_says_what_it_means() {
    let Manifest { spec, warnings, .. } = good(EXAMPLES[1]);
    assert_eq!(warnings, Vec::<String>::new());
    assert_eq!(spec.tasks.len(), 12);
    assert_eq!(spec.start.as_deref(), Some("2026-11-23"));
    let gates: Vec<_> = spec.gates.iter().map(|gate| gate.name.as_str()).collect();
    assert_eq!(
        gates,
        ["tests", "lint", "coverage", "review", "docs", "acceptance"]
    );
    let Check::Command { timeout, .. } = spec.gates[0].check else {
        panic!("tests are measured");
    };
    assert_eq!(timeout, Span::minutes(15));
    let api = spec
        .team
        .iter()
        .find(|role| role.name.as_str() == "api-engineer");
    assert_eq!(
        api.map(|role| (role.count, role.capacity)),
        Some((2, Some(Span::hours(40))))
    );
    let payment = spec
        .tasks
        .iter()
        .find(|task| task.id.as_str() == "payment-api");
    let payment = payment.expect("it is there");
    assert_eq!(payment.priority, Priority::High);
    assert_eq!(payment.budget.spending().cost_micros, Some(5_000_000));
    assert_eq!(payment.budget.time, Some(Span::minutes(90)));
    assert_eq!(payment.role.as_str(), "api-engineer");
    assert!(spec.ways.stakeholders[0].inbox);
}

#[test]
fn agents_and_roles_of_the_users_own_are_found() {
    let Manifest { spec, .. } = good(EXAMPLES[2]);
    let who: Vec<_> = spec.tasks.iter().map(|task| task.role.as_str()).collect();
    assert_eq!(who, ["engineer", "tech-lead", "engineer", "engineer"]);
    let kinds: Vec<_> = spec
        .team
        .iter()
        .map(|role| role.agent.kind.as_str())
        .collect();
    assert_eq!(kinds, ["claude", "claude"]);

    let file = with(
        "[team.tech-lead]\nagent = \"mine\"",
        "kind = \"architecture\"",
    );
    assert!(toml(&file).is_err());
    let options = Options {
        known_agents: &["mine"],
        ..Options::default()
    };
    assert!(parse(&file, "f", Format::Toml, &options).is_ok());
}

#[test]
fn what_a_role_works_in_and_does_about_conflicts_is_written_or_as_usual() {
    use crate::sprint::{Isolation, OnConflict};
    for (lines, isolation, conflicts) in [
        ("", Isolation::Worktree, OnConflict::Redo),
        (
            "agent = \"claude\"",
            Isolation::Worktree,
            OnConflict::Resolve,
        ),
        (
            "agent = \"claude\"\nconflicts = \"redo\"",
            Isolation::Worktree,
            OnConflict::Redo,
        ),
        (
            "isolation = \"clone\"\nconflicts = \"resolve\"",
            Isolation::Clone,
            OnConflict::Resolve,
        ),
    ] {
        let file = with(&format!("[team.x]\n{lines}"), "role = \"x\"");
        let spec = good(&file).spec;
        let role = spec
            .team
            .iter()
            .find(|role| role.name.as_str() == "x")
            .unwrap();
        assert_eq!(
            (role.isolation, role.conflicts),
            (isolation, conflicts),
            "{lines}"
        );
    }
}

#[test]
fn a_sandbox_is_for_gates_and_for_roles_that_say_nothing_else() {
    use crate::sandbox::Network;
    use crate::sprint::Isolation;
    let boxed = "[sandbox]\nwrite = [\"~/.cache\"]\nnetwork = [443]\n";
    for (top, lines, isolation, sandboxed) in [
        ("", "", Isolation::Worktree, false),
        ("", "isolation = \"sandbox\"", Isolation::Clone, true),
        (boxed, "", Isolation::Clone, true),
        (boxed, "isolation = \"sandbox\"", Isolation::Clone, true),
        (boxed, "isolation = \"clone\"", Isolation::Clone, false),
        (
            boxed,
            "isolation = \"worktree\"",
            Isolation::Worktree,
            false,
        ),
    ] {
        let file = with(&format!("{top}[team.x]\n{lines}"), "role = \"x\"");
        let spec = good(&file).spec;
        let roles = spec.team.iter();
        let role = roles.rev().find(|role| role.name.as_str() == "x").unwrap();
        let found = (role.isolation, role.sandbox.is_some());
        assert_eq!(found, (isolation, sandboxed), "{top}{lines}");
        assert_eq!(spec.sandbox.is_some(), !top.is_empty(), "{top}{lines}");
        if let (Some(all), Some(own)) = (&spec.sandbox, &role.sandbox) {
            assert_eq!(all, own);
            assert_eq!(all.network, Network::Ports(vec![443]));
        }
    }
}

#[test]
fn files_that_cannot_be_read_say_why() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = |name: &str| dir.path().join(name);
    let big = std::fs::File::create(path("big.toml")).expect("a file");
    big.set_len(100 << 20).expect("100 MB");
    std::fs::write(path("latin1.toml"), b"[sprint]\nid = \"gr\xfc\"\n").expect("a file");
    for (name, expected) in [
        ("missing.toml", "there is no such file"),
        (
            "big.toml",
            "the file has 100 MiB or more; a sprint file may have up to 64 MiB",
        ),
        (
            "latin1.toml",
            "the file is not UTF-8: line 2, byte 17 of the file",
        ),
        (".", "the file cannot be read: "),
    ] {
        let errors = read(&path(name), &Options::default()).expect_err(name);
        let message = &errors.problems[0].message;
        assert!(message.starts_with(expected), "{name}: {message}");
        assert!(!errors.problems[0].help.is_empty());
    }
}

#[test]
fn the_repository_is_found_from_the_file_and_not_from_where_one_stands() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("s.toml");
    std::fs::write(&path, with("repo = \".\"", "")).expect("a file");
    let manifest = read(&path, &Options::default()).expect("a sprint");
    assert_eq!(manifest.spec.repo.as_deref(), dir.path().to_str());
    assert_eq!(manifest.spec.tasks[0].expects, Expects::Changes);
}

#[test]
fn json_with_the_same_keys_is_the_same_sprint() {
    for text in EXAMPLES {
        let json = as_json(text);
        let from_json = parse(&json, "s.json", Format::Json, &Options::default());
        assert_eq!(from_json, toml(text));
    }
}

/// The same file as JSON, in the same order.
pub(super) fn as_json(text: &str) -> String {
    let mut json = String::new();
    write_json(&read_toml(text).expect("TOML"), &mut json);
    json
}

fn write_json(node: &Node<'_>, out: &mut String) {
    let text = |text: &str| serde_json::Value::from(text).to_string();
    match &node.value {
        Value::Text(t) => out.push_str(&text(t)),
        Value::Date(date) => out.push_str(&text(date)),
        Value::Whole(n) => out.push_str(&n.to_string()),
        Value::Number(n) => out.push_str(&n.to_string()),
        Value::Flag(flag) => out.push_str(&flag.to_string()),
        Value::Null => out.push_str("null"),
        Value::List(items) => {
            out.push('[');
            for (n, item) in items.iter().enumerate() {
                out.push_str(if n == 0 { "" } else { ",\n" });
                write_json(item, out);
            }
            out.push(']');
        }
        Value::Table(entries) => {
            out.push('{');
            for (n, entry) in entries.iter().enumerate() {
                out.push_str(if n == 0 { "" } else { ", " });
                out.push_str(&text(&entry.key));
                out.push_str(": ");
                write_json(&entry.node, out);
            }
            out.push('}');
        }
    }
}

#[test]
fn line_ends_and_marks_of_other_systems_are_fine() {
    let text = format!("\u{feff}{}", EXAMPLES[1].replace('\n', "\r\n"));
    assert_eq!(toml(&text), toml(EXAMPLES[1]));
}

#[test]
fn ten_thousand_tasks_are_read_at_once() {
    let mut file = String::from("[sprint]\nid = \"s\"\n");
    for n in 0..10_000 {
        let _ = write!(
            file,
            "[[task]]\nid = \"task-{n}\"\ntitle = \"Task {n}\"\nkind = \"api_endpoint\"\nhours = 3\nrun = \"true\"\n"
        );
        if n > 1 {
            let _ = writeln!(
                file,
                "depends_on = [\"task-{}\", \"task-{}\"]",
                n - 1,
                n / 2
            );
        }
    }
    let before = Instant::now();
    assert_eq!(good(&file).spec.tasks.len(), 10_000);
    let took = before.elapsed();
    println!("10,000 tasks: {took:?}");
    // Far above what it takes; what is proportional to the square of the tasks does not fit.
    assert!(took.as_secs() < 60, "{took:?}");
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(300) })]

    #[test]
    fn no_text_makes_it_panic(text in "\\PC{0,200}", json in any::<bool>()) {
        let format = if json { Format::Json } else { Format::Toml };
        if let Err(errors) = parse(&text, "f", format, &Options::default()) {
            prop_assert!(!errors.to_string().is_empty());
        }
    }

    #[test]
    fn no_damage_to_a_good_file_makes_it_panic(
        which in 0..EXAMPLES.len(),
        json in any::<bool>(),
        from in any::<prop::sample::Index>(),
        cut in 0..40_usize,
        put in "[\\PC\n]{0,6}",
    ) {
        let (mut text, format) = match json {
            false => (EXAMPLES[which].to_owned(), Format::Toml),
            true => (as_json(EXAMPLES[which]), Format::Json),
        };
        let mut from = from.index(text.len());
        while !text.is_char_boundary(from) { from -= 1; }
        let mut to = (from + cut).min(text.len());
        while !text.is_char_boundary(to) { to -= 1; }
        text.replace_range(from..to.max(from), &put);
        if let Err(errors) = parse(&text, "f", format, &Options::default()) {
            prop_assert!(!errors.to_string().is_empty());
            prop_assert!(!errors.problems.is_empty());
        }
    }
}

#[test]
fn what_is_done_already_is_no_part_of_the_sprint_and_holds_nobody_up() {
    let file = |done: &str| {
        format!(
            "[sprint]\nid = \"s\"\n[[task]]\nid = \"a\"\ndone = true\nsource = \"github:1\"\n\
             [[task]]\nid = \"b\"\nrun = \"true\"\ndepends_on = [\"a\"]\n{done}"
        )
    };
    let Manifest { spec, done, .. } = good(&file("source = \"github:2\""));
    assert_eq!(done.iter().map(Name::as_str).collect::<Vec<_>>(), ["a"]);
    assert_eq!(spec.tasks.len(), 1);
    assert_eq!(spec.tasks[0].depends_on, []);
    assert_eq!(spec.tasks[0].source.as_deref(), Some("github:2"));
    let nothing = toml(&file("done = true")).expect_err("nothing is left");
    assert_eq!(
        nothing.problems[0].message,
        "every task is done: there is nothing left to do"
    );
}
