//! Sprint files that cannot be run: exit code 2, the place and the way out, and nothing made.

use std::fs;

use super::corner;

const ONE: &str = "[sprint]\nid = \"s\"\n";

/// A task that could run, with more keys.
fn task(id: &str, more: &str) -> String {
    format!("[[task]]\nid = \"{id}\"\nrun = \"true\"\n{more}\n")
}

#[test]
fn a_sprint_file_that_cannot_be_run_is_refused_with_the_place_and_nothing_is_made() {
    let corner = corner();
    let join = |parts: &[String]| format!("{ONE}{}", parts.concat());
    let one = |more: &str| join(&[task("a", more)]);
    let cases: Vec<(&str, String, &[&str])> = vec![
        (
            "a cycle",
            join(&[
                task("a", "depends_on = [\"c\"]"),
                task("b", "depends_on = [\"a\"]"),
                task("c", "depends_on = [\"b\"]"),
            ]),
            &[
                "error: dependency cycle: a -> c -> b -> a",
                "sprint.toml:6:",
            ],
        ),
        (
            "itself",
            one("depends_on = [\"a\"]"),
            &["error: the task `a` depends on itself"],
        ),
        (
            "unknown dependency",
            join(&[task("build", ""), task("b", "depends_on = [\"biuld\"]")]),
            &["error: unknown dependency `biuld`", "did you mean `build`?"],
        ),
        (
            "duplicate",
            join(&[task("a", ""), task("a", "")]),
            &["error: duplicate task id `a`", "first here", "again here"],
        ),
        (
            "a role nobody fills",
            one("role = \"chef\""),
            &["error: nobody fills the role `chef`", "add [team.chef]"],
        ),
        (
            "unknown key",
            one("depend_on = [\"b\"]"),
            &[
                "error: unknown key `depend_on`",
                "did you mean `depends_on`?",
            ],
        ),
        (
            "negative",
            one("hours = -1"),
            &["error: `hours` cannot be negative: -1", "sprint.toml:6:"],
        ),
        ("NaN", one("hours = nan"), &["error: `hours` cannot be NaN"]),
        (
            "endless",
            one("estimate = { optimistic = 1, likely = inf, pessimistic = 3 }"),
            &["error: `likely` cannot be infinite"],
        ),
        (
            "too much",
            one("hours = 1e300"),
            &["error: `hours` is out of range: 1e300\n"],
        ),
        (
            "empty sprint",
            ONE.to_owned(),
            &["error: the sprint is empty: it has no task"],
        ),
        ("empty file", String::new(), &["error: `sprint` is missing"]),
        (
            "no capacity",
            format!(
                "{ONE}[team.fullstack-engineer]\ncapacity = 0\n{}",
                task("a", "")
            ),
            &["error: `capacity` cannot be 0", "sprint.toml:4:"],
        ),
        (
            "dots",
            join(&[task("../../x", "")]),
            &["error: \"../../x\" cannot be a name: `..` would leave its directory"],
        ),
        (
            "slash",
            join(&[task("a/b", "")]),
            &["error: \"a/b\" cannot be a name: a slash would make it a path; use `-`"],
        ),
        (
            "control character",
            format!("{ONE}[[task]]\nid = \"a\\u0007b\"\n"),
            &[
                "error: \"a\\u{7}b\" cannot be a name: it has a control character",
                "error: the task `a\\u{7}b` has no `run`",
            ],
        ),
        (
            "feature",
            one("feature = \"../y\""),
            &["error: \"../y\" cannot be a name"],
        ),
        (
            "no TOML",
            "[sprint\n".to_owned(),
            &["error: this is not TOML: unclosed table", "sprint.toml:1:"],
        ),
    ];
    for (case, text, expected) in cases {
        corner.sprint(&text);
        for command in ["plan", "run"] {
            let said = corner.tell(&[command, "../sprint.toml"]);
            assert_eq!(said.code, 2, "{case}: {said:?}");
            assert_eq!(said.out, "", "{case}");
            for part in expected.iter().filter(|part| {
                // A plan may be made of what cannot run yet.
                command == "run" || !part.contains("has no `run`")
            }) {
                assert!(said.err.contains(part), "{case}: {part}\n{}", said.err);
            }
            let control = |c: char| c.is_control() && c != '\n';
            assert!(!said.err.contains(control), "{case}: {}", said.err);
        }
        assert!(!corner.root().join(".director").exists(), "{case}");
    }
    corner.nothing_left("all files");
}

#[test]
fn a_file_that_is_no_sprint_file_is_named_at_once() {
    let corner = corner();
    let file = corner.file();
    let cases: [(&str, &dyn Fn(), &str); 4] = [
        (
            "nothing there",
            &|| {},
            "error: there is no such file\n --> HERE/sprint.toml\n  = help: `director init` writes a first sprint file",
        ),
        (
            "a directory",
            &|| fs::create_dir(&file).expect("made"),
            "error: the file cannot be read: Is a directory",
        ),
        (
            "not UTF-8",
            &|| {
                fs::remove_dir(&file).expect("gone");
                fs::write(&file, b"\xff\xfe\0").expect("written");
            },
            "error: the file is not UTF-8: line 1",
        ),
        (
            "100 MB",
            // The length is what counts; a hole takes no room on the disk.
            &|| {
                let file = fs::File::create(&file).expect("made");
                file.set_len(100 << 20).expect("grown");
            },
            "error: the file has 100 MiB or more; a sprint file may have up to 64 MiB",
        ),
    ];
    for (case, arrange, expected) in cases {
        arrange();
        let said = corner.run();
        assert_eq!(said.code, 2, "{case}: {said:?}");
        assert!(said.err.starts_with(expected), "{case}: {}", said.err);
    }
    corner.nothing_left("no sprint files");
}
