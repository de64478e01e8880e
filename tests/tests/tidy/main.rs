//! The house rules, checked over the source tree: where each library is used, what stays pure, what no file has.
//!
//! The rules are lists at the top of each test; a rule that gets in the way of something better is changed here,
//! in the same commit and with its reason. What is looked for is text: comments are cut off, so prose may
//! name anything. Unit tests of a pure module may measure and print, so they are left out where it says so.
//!
//! Elsewhere: lints that the compiler knows are in the workspace's `Cargo.toml` and in `clippy.toml`.

mod documents;
mod events;
mod sources;

use std::fs;
use std::path::{Path, PathBuf};

const CRATES: [&str; 5] = ["protocols", "runtime", "agents", "director", "tests"];

/// A file of the tree by its path from the root, with `/` between.
struct File {
    path: String,
    text: String,
}

impl File {
    /// Lines with their numbers, comments cut off. A `//` in a text cuts too, which hides nothing a rule looks for.
    fn code(&self) -> impl Iterator<Item = (usize, &str)> {
        let lines = self.text.lines().enumerate();
        lines.map(|(at, line)| (at + 1, line.split("//").next().unwrap_or(line)))
    }

    /// As [`File::code`], up to the unit tests at the end.
    fn product_code(&self) -> impl Iterator<Item = (usize, &str)> {
        let tests = self.path.ends_with("_tests.rs") || self.path.contains("/tests");
        self.code()
            .take_while(move |(_, line)| !tests && !line.starts_with("#[cfg(test)]"))
    }

    fn is_in(&self, places: &[&str]) -> bool {
        places.iter().any(|place| self.path.starts_with(place))
    }
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Every file below the crates and `examples`, `docs` and the root itself, sorted; nothing hidden, nothing built.
fn files(extensions: &[&str]) -> Vec<File> {
    let root = root();
    let mut found = Vec::new();
    let mut open: Vec<PathBuf> = CRATES.iter().map(|name| root.join(name)).collect();
    open.extend([root.join("examples"), root.join("docs"), root.clone()]);
    while let Some(dir) = open.pop() {
        for entry in fs::read_dir(&dir).expect("a folder of the tree") {
            let path = entry.expect("an entry").path();
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            if name.starts_with('.') || name == "target" {
                continue;
            }
            if path.is_dir() {
                if dir != root {
                    open.push(path);
                }
            } else if extensions.iter().any(|end| name.ends_with(end)) {
                let text = fs::read_to_string(&path).expect("text");
                let path = path.strip_prefix(&root).expect("below the root");
                let path = path.to_string_lossy().replace('\\', "/");
                found.push(File { path, text });
            }
        }
    }
    found.sort_by(|a, b| a.path.cmp(&b.path));
    assert!(!found.is_empty(), "no {extensions:?} found");
    found
}

/// The sources that are shipped: `src` of every crate but the tests.
fn sources() -> Vec<File> {
    let mut found = files(&[".rs"]);
    found.retain(|file| file.path.contains("/src/") && !file.path.starts_with("tests/"));
    found
}

/// Whether `word` stands in `line` as a word of its own.
fn has_word(line: &str, word: &str) -> bool {
    let part_of_name = |c: char| c.is_alphanumeric() || c == '_';
    line.match_indices(word).any(|(at, _)| {
        !line[..at].ends_with(part_of_name) && !line[at + word.len()..].starts_with(part_of_name)
    })
}

/// Fails with everything that was found, one thing a line.
#[track_caller]
fn none(rule: &str, found: Vec<String>) {
    assert!(found.is_empty(), "{rule}:\n  {}", found.join("\n  "));
}

/// The text of a file, by its path from the root.
fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}
