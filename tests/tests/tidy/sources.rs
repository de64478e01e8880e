//! Rules over the sources and the manifests.

use std::collections::BTreeMap;

use super::{CRATES, File, files, has_word, none, read, sources};

#[test]
fn each_library_has_one_home() {
    let homes: &[(&str, &[&str])] = &[
        ("quick_xml", &["director/src/perform/coverage.rs"]),
        ("csv", &["director/src/import/"]),
        ("toml_edit", &["director/src/import/", "director/src/epic/"]),
        (
            "saphyr_parser",
            &["protocols/src/manifest/role_file/yaml.rs"],
        ),
        ("bincode", &["protocols/src/codec.rs"]),
        ("wincode", &["protocols/src/codec.rs"]),
        ("crc32c", &["protocols/src/envelope.rs"]),
        ("sha2", &["protocols/src/digest.rs"]),
        ("hmac", &["protocols/src/digest.rs"]),
        (
            "ureq",
            &["director/src/perform/webhook.rs", "director/src/traces/"],
        ),
        ("opentelemetry_proto", &["director/src/traces/otlp.rs"]),
        ("prost", &["director/src/traces/otlp.rs"]),
        ("toml", &["protocols/src/manifest/"]),
        ("schemars", &["protocols/src/", "director/src/"]),
        ("dashmap", &["runtime/src/directory.rs"]),
        ("rusqlite", &["runtime/src/journal/"]),
        ("rand_chacha", &["runtime/src/supervisor/"]),
        (
            "ractor",
            &[
                "runtime/src/supervisor/",
                "agents/src/cell/",
                "director/src/actors/",
            ],
        ),
        ("petgraph", &["director/src/planner/"]),
        ("libm", &["director/src/estimate/"]),
        (
            "maud",
            &["director/src/report/", "director/src/http/pages/"],
        ),
        ("axum", &["director/src/http/"]),
        ("rmcp", &["director/src/mcp/", "director/src/http/mcp.rs"]),
        ("hyper", &["director/src/http/"]),
        ("hyper_util", &["director/src/http/"]),
        ("form_urlencoded", &["director/src/http/"]),
        ("futures_util", &["director/src/http/"]),
        ("plotters", &["director/src/report/charts/"]),
        ("plotters_backend", &["director/src/report/charts/"]),
        ("clap", &["director/src/cli/"]),
        ("ratatui", &["director/src/watch/"]),
        ("crossterm", &["director/src/watch/"]),
        ("landlock", &["agents/src/process/sandbox.rs"]),
        ("seccompiler", &["agents/src/process/sandbox.rs"]),
        ("libc", &["agents/src/process/sandbox.rs"]),
        ("vt100", &["tests/src/terminal.rs"]),
        ("clap_complete", &["director/src/cli/"]),
        ("indicatif", &["director/src/cli/"]),
        ("tracing_subscriber", &["director/src/cli/"]),
        (
            "rustix",
            &[
                "agents/src/process/",
                "agents/src/git/",
                "agents/src/inside.rs",
                "director/src/cli/",
                "director/src/control/",
                "director/src/http/",
            ],
        ),
        (
            "jiff",
            &[
                "protocols/src/manifest/",
                "director/src/planner/",
                "director/src/view/",
                "director/src/report/",
            ],
        ),
        (
            "strsim",
            &["protocols/src/manifest/", "director/src/control/"],
        ),
    ];
    let mut found = Vec::new();
    for file in sources() {
        for (library, home) in homes.iter().filter(|(_, home)| !file.is_in(home)) {
            for (at, line) in file.code() {
                let used = [format!("{library}::"), format!("use {library};")];
                if used.iter().any(|used| {
                    line.match_indices(used.as_str()).any(|(at, _)| {
                        !line[..at].ends_with(|c: char| c.is_alphanumeric() || "_:".contains(c))
                    })
                }) {
                    found.push(format!(
                        "{}:{at} uses {library}; its home is {home:?}",
                        file.path
                    ));
                }
            }
        }
    }
    none("a library outside its home", found);
}

#[test]
fn a_crate_knows_only_those_to_its_left_and_takes_versions_from_the_workspace() {
    let mut found = Vec::new();
    for (place, name) in CRATES.iter().enumerate() {
        let path = format!("{name}/Cargo.toml");
        let text = read(&path);
        let mut section = "";
        for line in text.lines().map(str::trim) {
            if line.starts_with('[') {
                section = line;
                continue;
            }
            let Some((key, value)) = line.split_once('=') else {
                continue;
            };
            if !section.ends_with("dependencies]") {
                continue;
            }
            if !key.trim().ends_with(".workspace") && !value.contains("workspace = true") {
                found.push(format!("{path}: `{line}` names a version of its own"));
            }
            let library = key.trim().trim_end_matches(".workspace");
            let right = CRATES[place..].iter().any(|other| {
                library == *other || library.strip_prefix("director-") == Some(*other)
            });
            if right {
                found.push(format!("{path}: knows {library}, which is not to its left"));
            }
            let quiet = ["tokio", "ractor", "tracing", "rusqlite", "rand_chacha"];
            if *name == "protocols" && quiet.contains(&library) {
                found.push(format!(
                    "{path}: nothing in protocols runs, so no {library}"
                ));
            }
        }
        for needed in [
            "[lints]\nworkspace = true",
            "version.workspace = true",
            "description = ",
        ] {
            if !text.contains(needed) {
                found.push(format!("{path}: lacks `{}`", needed.replace('\n', " ")));
            }
        }
    }
    none("a manifest against the rules", found);
}

#[test]
fn what_decides_and_what_renders_is_pure() {
    let pure = [
        "director/src/engine/",
        "director/src/import/",
        "director/src/planner/",
        "director/src/estimate/",
        "director/src/report/",
        "director/src/view/",
        "runtime/src/supervisor/strategy.rs",
        "runtime/src/supervisor/intensity.rs",
        "runtime/src/supervisor/supervision.rs",
        "agents/src/liveness.rs",
        "agents/src/git/reconcile.rs",
    ];
    let banned = [
        "tokio",
        "ractor",
        "async",
        "await",
        "Instant",
        "SystemTime",
        "std::fs",
        "std::env",
        "std::net",
        "std::process",
        "thread",
        "rand",
        "rand_chacha",
        "Mutex",
        "RwLock",
        "f32",
        "println",
    ];
    // Shares of a chart, lengths of a bar and curves are floats; nothing of them reaches the journal.
    let draws = [
        "director/src/estimate/",
        "director/src/import/",
        "director/src/report/",
        "director/src/view/",
        "director/src/planner/",
    ];
    let mut found = Vec::new();
    for file in sources().iter().filter(|file| file.is_in(&pure)) {
        for (at, line) in file.product_code() {
            for word in banned.iter().filter(|word| has_word(line, word)) {
                found.push(format!("{}:{at} has {word}", file.path));
            }
            if has_word(line, "f64") && !file.is_in(&draws) {
                found.push(format!("{}:{at} has a float", file.path));
            }
        }
    }
    none("a pure module that is not", found);
}

#[test]
fn nothing_depends_on_the_order_of_a_hash_map_or_on_a_clock_of_its_own() {
    let wall_clock = [
        "runtime/src/clock.rs",
        // Tells a lock file that somebody holds from one that a killed git left, by the file's age.
        "agents/src/git/stale.rs",
        // Shows how long ago something was to people who ask; nothing of it is journalled.
        "director/src/control/server.rs",
    ];
    let mut found = Vec::new();
    for file in sources() {
        for (at, line) in file.product_code() {
            for word in ["HashMap", "HashSet", "thread_rng", "RandomState"] {
                if has_word(line, word) {
                    found.push(format!("{}:{at} has {word}; use an ordered one", file.path));
                }
            }
            if has_word(line, "SystemTime::now") && !file.is_in(&wall_clock) {
                found.push(format!(
                    "{}:{at} reads the wall clock; be given a `Clock`",
                    file.path
                ));
            }
        }
    }
    none("what differs from run to run", found);
}

#[test]
fn every_select_says_in_which_order_it_looks() {
    let mut found = Vec::new();
    for file in files(&[".rs"]) {
        let lines: Vec<_> = file.code().collect();
        for (place, (at, line)) in lines.iter().enumerate() {
            if !has_word(line, "select!") {
                continue;
            }
            let first = lines[place + 1..].iter().map(|(_, line)| line.trim());
            if first.clone().find(|line| !line.is_empty()) != Some("biased;") && !line.contains('"')
            {
                found.push(format!("{}:{at}", file.path));
            }
        }
    }
    none(
        "a `select!` without `biased` takes its branches by chance",
        found,
    );
}

#[test]
fn an_event_is_never_passed_over_in_silence() {
    let mut found = Vec::new();
    for path in [
        "director/src/engine/state.rs",
        "director/src/engine/effects.rs",
        "director/src/engine/outstanding.rs",
    ] {
        let text = read(path);
        let file = File {
            path: path.to_owned(),
            text,
        };
        // The depth at which the arms of a match on events stand, while inside one.
        let (mut depth, mut arms, mut matches) = (0usize, None, 0);
        for (at, line) in file.code() {
            if arms == Some(depth) && line.trim_start().starts_with("_ =>") {
                found.push(format!("{path}:{at}"));
            }
            if line.contains("match event {") || line.contains("match &event {") {
                arms = Some(depth + 1);
                matches += 1;
            }
            depth += line.matches('{').count();
            depth = depth.saturating_sub(line.matches('}').count());
            if arms.is_some_and(|arms| depth < arms) {
                arms = None;
            }
        }
        assert!(
            matches > 0,
            "{path} has no match on events; correct this test"
        );
    }
    none(
        "an arm that would swallow a new event; list the events instead",
        found,
    );
}

#[test]
fn actors_judge_nothing() {
    // What they may not name: the inside of the engine, and the words of its decisions.
    let banned = [
        "Phase",
        "Severity",
        "engine::decide",
        "engine::tasks",
        "engine::team",
        "engine::sprints",
        "engine::trouble",
        "attempts_max",
        "backoff_after",
    ];
    let mut found = Vec::new();
    for file in sources()
        .iter()
        .filter(|file| file.is_in(&["director/src/actors/"]))
    {
        let name = file.path.rsplit('/').next().unwrap_or_default();
        if name == "stage.rs" {
            continue; // A stage for tests.
        }
        for (at, line) in file.product_code() {
            for word in banned.iter().filter(|word| line.contains(*word)) {
                found.push(format!("{}:{at} names {word}", file.path));
            }
        }
    }
    none("an actor that decides; policy is the engine's", found);
}

#[test]
fn files_are_short_and_say_what_they_are() {
    const LINES_MAX: usize = 600;
    // One thing that would not get clearer in two files, with a ceiling of its own.
    let long: BTreeMap<&str, usize> = BTreeMap::from([
        // Three tables: what settles an effect and what follows from an event, with an arm for each event there is.
        ("director/src/engine/effects.rs", 650),
        // A table: an entry for each question and order there is.
        ("director/src/control/protocol.rs", 700),
        // A table: a row for each call over HTTP.
        ("director/src/http/table.rs", 800),
        // A table: an arm for each step that a script has.
        ("tests/src/script.rs", 650),
        ("tests/src/world/mod.rs", 650),
        ("agents/tests/cell.rs", 700),
        // A table: a story for each rule there is.
        ("tests/tests/engine_stories.rs", 1100),
        ("tests/tests/trouble_stories.rs", 1200),
    ]);
    let mut found = Vec::new();
    for file in files(&[".rs"]) {
        let lines = file.text.lines().count();
        let most = long.get(file.path.as_str()).copied().unwrap_or(LINES_MAX);
        if lines > most {
            found.push(format!("{}: {lines} lines, at most {most}", file.path));
        }
        let head = file.text.lines().find(|line| !line.starts_with("#!"));
        let sentence = head
            .and_then(|line| line.strip_prefix("//! "))
            .unwrap_or_default();
        if !sentence.contains(' ') {
            found.push(format!(
                "{}: does not open with `//!` and what it is",
                file.path
            ));
        }
    }
    none("a file that is hard to read", found);
}

#[test]
fn nothing_is_left_half_done() {
    // In two parts, so that this file has none of them.
    let banned = [
        ["todo", "!("],
        ["unimplemented", "!("],
        ["dbg", "!("],
        ["allow(", "dead_code"],
        ["allow(", "unused"],
        ["#[ignore", "]"],
        ["FIX", "ME"],
        ["XX", "X"],
    ]
    .map(|parts| parts.concat());
    let mut found = Vec::new();
    for file in files(&[".rs"]) {
        for (at, line) in file.text.lines().enumerate() {
            for word in banned.iter().filter(|word| line.contains(word.as_str())) {
                found.push(format!("{}:{} has `{word}`", file.path, at + 1));
            }
        }
    }
    none(
        "something to finish, or an ignored test without its reason",
        found,
    );
}

#[test]
fn the_product_speaks_of_itself_alone() {
    // In two parts, so that this file has none of them.
    let banned = [
        ["/ro", "ot/"],
        ["/Us", "ers/"],
        ["crates", ".io"],
        ["docs", ".rs/"],
        ["pypi", ".org"],
        ["npmjs", ".com"],
        ["Co-Auth", "ored-By"],
    ]
    .map(|parts| parts.concat());
    let mut found = Vec::new();
    for file in files(&[".rs", ".toml", ".md", ".sh", ".svg", "justfile"]) {
        for (at, line) in file.text.lines().enumerate() {
            for word in banned.iter().filter(|word| line.contains(word.as_str())) {
                found.push(format!("{}:{} has `{word}`", file.path, at + 1));
            }
        }
    }
    none(
        "a path of somebody's machine, or a host that nobody needs to know",
        found,
    );
}
