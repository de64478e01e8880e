//! Shows that the test of each row of `docs/features.md` can fail: empties the row's files and runs its test.
//!
//! A scratch copy of the tree gets a switch at the head of every function, in the files that the table names, whose result has an empty
//! value: with the file in `EMPTIED`, an environment variable, it returns that and does nothing. So one build serves all rows. A row is
//! shown when its test passes with nothing emptied and fails with the row's files emptied.
//!
//! ```sh
//! cargo run -p director-tests --bin emptied                        # every row that has no result yet
//! cargo run -p director-tests --bin emptied -- a_bakery_gets_a_till  # the rows of these tests, again
//! ```
//!
//! Results are kept in `target/emptied/results`, one row a line, and a row that has one is passed over. It takes a build of its own,
//! which begins with hard links to what is built already, and a test run or two for each row.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use director_tests::process;
use rustix::process::{Pid, Signal, kill_process, kill_process_group};

/// Longer than any of these tests takes; one that does not end is a test that fails.
const PATIENCE: Duration = Duration::from_secs(300);

/// How many times as long as it takes otherwise a test may take with its files emptied, and how long at least. Many wait for what will not come.
const LONGER: (u32, Duration) = (5, Duration::from_secs(40));

/// A row of the table.
struct Row {
    feature: String,
    homes: Vec<String>,
    test: String,
}

fn main() -> ExitCode {
    let wanted: BTreeSet<String> = std::env::args().skip(1).collect();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let root = root.canonicalize().expect("the workspace");
    let place = root.join("target/emptied");
    let tree = place.join("tree");
    let table = fs::read_to_string(root.join("docs/features.md")).expect("the table");
    let rows = rows(&table);
    let homes: BTreeSet<&String> = rows.iter().flat_map(|row| &row.homes).collect();
    let switches = copy(&root, &tree, &homes);
    let target = place.join("target");
    seed(&root.join("target"), &target);
    clients(&root.join("target"), &tree.join("target"));

    let results = place.join("results");
    let known = fs::read_to_string(&results).unwrap_or_default();
    let mut open = OpenOptions::new();
    let mut log = open
        .create(true)
        .append(true)
        .open(&results)
        .expect("the results");
    let mut green = BTreeMap::new();
    let mut unproved = 0;
    for row in &rows {
        let key = format!("{} | {}", row.test, row.homes.join(", "));
        let before = known.lines().rev().find(|line| line.ends_with(&key));
        if let (Some(line), true) = (before, wanted.is_empty()) {
            unproved += u32::from(!line.starts_with("red"));
            println!("{line}");
            continue;
        }
        if !wanted.is_empty() && !wanted.contains(&row.test) {
            continue;
        }
        let word = match switches_of(row, &switches) {
            0 => "no switch",
            _ => {
                let run = |emptied: &str, time| passes(&tree, &target, &row.test, emptied, time);
                let passes = green.entry(row.test.clone());
                match *passes.or_insert_with(|| run("", PATIENCE)) {
                    Some((true, took)) => {
                        let time = (took * LONGER.0).clamp(LONGER.1, PATIENCE);
                        match run(&row.homes.join(","), time) {
                            Some((false, _)) => "red",
                            _ => "still green",
                        }
                    }
                    Some((false, _)) => "red before",
                    None => "no such test",
                }
            }
        };
        unproved += u32::from(word != "red");
        let line = format!("{word:<12} | {key}");
        writeln!(log, "{line}").expect("the results");
        println!("{line}   ({})", row.feature);
    }
    println!("{unproved} rows are not shown");
    ExitCode::from(u8::from(unproved > 0))
}

/// The rows of the table, as `tidy` reads them.
fn rows(table: &str) -> Vec<Row> {
    let lines = table.lines().filter(|line| line.starts_with("| "));
    lines
        .filter_map(|line| {
            let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
            let [feature, homes, test] = cells[..] else {
                return None;
            };
            let plain = |text: &str| text.trim_matches('`').to_owned();
            (feature != "feature" && !feature.starts_with("---")).then(|| Row {
                feature: feature.to_owned(),
                homes: homes.split(", ").map(plain).collect(),
                test: plain(test),
            })
        })
        .collect()
}

/// Copies what git knows of, with switches in these files; how many each has. A file that is as it was keeps its time.
fn copy(root: &Path, tree: &Path, homes: &BTreeSet<&String>) -> BTreeMap<String, usize> {
    let listed = Command::new("git")
        .args(["ls-files", "--cached", "--others", "--exclude-standard"])
        .current_dir(root)
        .output()
        .expect("git");
    let listed = String::from_utf8(listed.stdout).expect("paths");
    let mut switches = BTreeMap::new();
    for path in listed.lines() {
        let Ok(mut bytes) = fs::read(root.join(path)) else {
            continue; // deleted, not yet committed
        };
        if homes.iter().any(|home| *home == path) && path.ends_with(".rs") {
            let text = String::from_utf8(bytes).expect("source");
            let (text, n) = switched(path, &text);
            switches.insert(path.to_owned(), n);
            bytes = text.into_bytes();
        }
        let to = tree.join(path);
        if fs::read(&to).ok().as_ref() != Some(&bytes) {
            fs::create_dir_all(to.parent().expect("a directory")).expect("a directory");
            fs::write(&to, bytes).expect("a file");
        }
    }
    switches
}

fn switches_of(row: &Row, switches: &BTreeMap<String, usize>) -> usize {
    row.homes.iter().filter_map(|home| switches.get(home)).sum()
}

/// The source with a switch at the head of each function whose result has an empty value. Reads what rustfmt writes.
fn switched(path: &str, text: &str) -> (String, usize) {
    let mut out = String::new();
    let mut head: Option<String> = None;
    let mut count = 0;
    let mut tests = false;
    for line in text.lines() {
        out.push_str(line);
        out.push('\n');
        // Tests of a file stand at its end; those of a folder are named at its head.
        tests |= line.starts_with("mod ") && line.ends_with('{');
        if tests {
            continue;
        }
        let words = line.trim_start();
        let words = words.strip_prefix("pub ").unwrap_or(words);
        let words = match words.strip_prefix("pub(") {
            Some(rest) => rest.split_once(") ").map_or(words, |(_, rest)| rest),
            None => words,
        };
        let words = words.strip_prefix("async ").unwrap_or(words);
        if words.starts_with("fn ") {
            head = Some(String::new());
        }
        let Some(signature) = &mut head else { continue };
        signature.push_str(words);
        signature.push(' ');
        if line.ends_with(';') || line.ends_with('}') {
            head = None;
        } else if line.ends_with('{') {
            if let Some(nothing) = nothing(path, signature) {
                count += 1;
                out.push_str(&format!(
                    "if std::env::var(\"EMPTIED\").is_ok_and(|on| on.split(',').any(|file| file == \"{path}\")) {{ return {nothing}; }}\n"
                ));
            }
            head = None;
        }
    }
    (out, count)
}

/// The empty value of what a function gives, where it has one.
fn nothing(path: &str, signature: &str) -> Option<&'static str> {
    if signature.starts_with("fn fmt(") || signature.starts_with("fn main(") {
        return None;
    }
    let body = signature.trim_end().trim_end_matches('{').trim_end();
    let body = body.split(" where ").next().unwrap_or(body);
    // The last arrow stands behind the parameters; one within them belongs to a function that is passed.
    let gives = match body.rfind(") -> ") {
        Some(at) => &body[at + 5..],
        None => "()",
    };
    if gives.matches('(').count() != gives.matches(')').count() {
        return None;
    }
    Some(match gives {
        "()" => "",
        "bool" => "false",
        "String" => "String::new()",
        "u8" | "u16" | "u32" | "u64" | "usize" | "i64" => "0",
        "f64" => "0.0",
        "Answer" if path.contains("/decide/") => "Ok(Vec::new())",
        "Result<Code, CliError>" => "Ok(Code::Done)",
        gives if gives.starts_with("Vec<") => "Vec::new()",
        gives if gives.starts_with("Option<") => "None",
        gives if gives.starts_with("Result<()") => "Ok(())",
        gives if gives.starts_with("Result<Vec<") => "Ok(Vec::new())",
        gives if gives.starts_with("Result<Option<") => "Ok(None)",
        gives if gives.starts_with("Result<String") => "Ok(String::new())",
        "&str" => "\"\"",
        "Map<String, Value>" => "serde_json::Map::new()",
        "Result<Answer, Fault>" => "Err(crate::control::protocol::Fault::not_found(String::new()))",
        "JsonObject" => "JsonObject::new()",
        "Response<Body>" => "Response::default()",
        gives if gives.ends_with(", Problem>") => {
            "Err(crate::http::problem::Problem::bad(\"emptied\"))"
        }
        gives if gives.starts_with("Poll<io::Result<") => {
            "Poll::Ready(Err(std::io::Error::other(\"emptied\")))"
        }
        "Result<Turn, AgentError>" => "Ok(Turn::NotYet)",
        "(Option<String>, Option<String>)" => "(None, None)",
        // Refusing everything is as empty as an answer can be.
        gives if gives.starts_with("Result<") && gives.ends_with(", String>") => {
            "Err(String::new())"
        }
        gives if gives.starts_with("Result<") && gives.ends_with(", Wrong>") => {
            "Err((String::new(), None))"
        }
        gives if gives.starts_with("BTreeMap<") => "std::collections::BTreeMap::new()",
        _ => return None,
    })
}

/// Begins the scratch target with hard links to what is built already; cargo builds anew what differs.
fn seed(from: &Path, to: &Path) {
    if to.join("debug").exists() {
        return;
    }
    for part in ["deps", ".fingerprint", "build"] {
        let (from, to) = (from.join("debug").join(part), to.join("debug"));
        fs::create_dir_all(&to).expect("a directory");
        let linked = Command::new("cp").arg("-al").arg(from).arg(to).status();
        assert!(linked.is_ok_and(|status| status.success()), "hard links");
    }
}

/// Clients that were fetched are those of the copy too.
fn clients(from: &Path, to: &Path) {
    let (from, to) = (from.join("clients"), to.join("clients"));
    if from.exists() && !to.exists() {
        fs::create_dir_all(to.parent().expect("a directory")).expect("a directory");
        std::os::unix::fs::symlink(from, to).expect("a link");
    }
}

/// Whether the test passes with these files emptied within a time, and how long it took; none if there is no such test.
fn passes(
    tree: &Path,
    target: &Path,
    test: &str,
    emptied: &str,
    time: Duration,
) -> Option<(bool, Duration)> {
    let (package, place) = home(tree, test)?;
    let mut command = Command::new("cargo");
    command.args(["test", "--quiet", "--package", &package]);
    command.args(&place).arg(test);
    command.current_dir(tree).env("CARGO_TARGET_DIR", target);
    command.stdin(Stdio::null());
    // Built first, so that only running it is limited, and an error of the build is none of the test.
    let mut build = Command::new("cargo");
    build.args(["test", "--quiet", "--no-run", "--package", &package]);
    build.args(&place).current_dir(tree);
    build.env("CARGO_TARGET_DIR", target);
    assert!(
        build.status().is_ok_and(|status| status.success()),
        "the copy is built"
    );
    command.env("EMPTIED", emptied).env("DIRECTOR_KILLS", "3");
    command.stdout(Stdio::null()).stderr(Stdio::null());
    // What a test leaves behind is in its group or has its temporary directory in the environment.
    let scratch = tempfile::tempdir().expect("a directory");
    command.env("TMPDIR", scratch.path()).process_group(0);
    let began = Instant::now();
    let mut child = command.spawn().expect("cargo");
    let ended = process::ended_within(&mut child, time);
    let took = began.elapsed();
    let group = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
    let _ = kill_process_group(group.expect("a process id"), Signal::KILL);
    for left in process::about(scratch.path()) {
        let pid = left.split(' ').next().and_then(|pid| pid.parse().ok());
        let pid = pid.and_then(Pid::from_raw);
        let _ = kill_process(pid.expect("a process id"), Signal::KILL);
    }
    let _ = child.wait();
    Some((ended.is_some_and(|status| status.success()), took))
}

/// The package and the target of a test, as cargo takes them.
fn home(tree: &Path, test: &str) -> Option<(String, Vec<String>)> {
    let head = format!("fn {test}(");
    for package in ["protocols", "runtime", "agents", "director", "tests"] {
        let name = match package {
            "director" => "director".to_owned(),
            other => format!("director-{other}"),
        };
        for folder in ["src", "tests"] {
            let top = tree.join(package).join(folder);
            if let Some(file) = find(&top, &head) {
                let inner = file.strip_prefix(&top).ok()?;
                let first = inner.components().next()?.as_os_str().to_str()?;
                return Some((
                    name,
                    match folder {
                        "src" => vec!["--lib".to_owned()],
                        _ => vec![
                            "--test".to_owned(),
                            first.trim_end_matches(".rs").to_owned(),
                        ],
                    },
                ));
            }
        }
    }
    None
}

/// The first source below `dir` that holds `text`.
fn find(dir: &Path, text: &str) -> Option<PathBuf> {
    let mut paths: Vec<PathBuf> = fs::read_dir(dir)
        .ok()?
        .flatten()
        .map(|entry| entry.path())
        .collect();
    paths.sort();
    paths.into_iter().find_map(|path| {
        if path.is_dir() {
            return find(&path, text);
        }
        let source = path.extension().is_some_and(|end| end == "rs");
        let held = source && fs::read_to_string(&path).is_ok_and(|held| held.contains(text));
        held.then_some(path)
    })
}
