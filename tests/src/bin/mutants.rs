//! Makes each deliberate bug in a copy of the sources and has the swarm look for it.
//!
//! `cargo run -p director-tests --bin mutants [WORD]` copies what is needed into `target/mutants`, changes one line, builds the
//! swarm there and runs it; with a word only the mutants whose names have it. Prints a table, and ends with
//! failure if one was not found in its number of seeds. The copy has a build directory of its own, so each mutant costs one
//! build of the engine.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::{fs, io};

use director_tests::mutants::{MUTANTS, Mutant};

const COPIED: [&str; 8] = [
    "Cargo.toml",
    "Cargo.lock",
    "protocols",
    "runtime",
    "agents",
    "director",
    "tests",
    "docs",
];

fn main() -> ExitCode {
    let word = std::env::args().nth(1).unwrap_or_default();
    match run(&word) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("the copy could not be made or built: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(word: &str) -> io::Result<bool> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let copy = root.join("target/mutants/tree");
    for name in COPIED
        .iter()
        .chain(&["README.md", "ARCHITECTURE.md", "examples"])
    {
        copy_tree(&root.join(name), &copy.join(name))?;
    }
    let manifest = copy.join("tests/Cargo.toml");
    fs::write(&manifest, without_programs(&fs::read_to_string(&manifest)?))?;
    let mut all_found = true;
    println!("{:<62} found", "mutant");
    for mutant in MUTANTS.iter().filter(|mutant| mutant.name.contains(word)) {
        let path = copy.join(mutant.file);
        let whole = fs::read_to_string(&path)?;
        if !whole.contains(mutant.from) {
            let gone = format!("`{}` has no line for: {}", mutant.file, mutant.name);
            return Err(io::Error::other(gone));
        }
        fs::write(&path, whole.replacen(mutant.from, mutant.to, 1))?;
        let found = look_for(mutant, &copy)?;
        fs::write(&path, whole)?;
        all_found &= found.is_some();
        let said = found.unwrap_or_else(|| format!("NOT in {} seeds", mutant.seeds));
        println!("{:<62} {said}", mutant.name);
    }
    Ok(all_found)
}

/// The manifest of the tests without its programs: the swarm needs none, and each would be linked again for each mutant.
fn without_programs(manifest: &str) -> String {
    let mut skipped = false;
    let manifest = manifest.replacen("[package]", "[package]\nautobins = false", 1);
    let kept = manifest.lines().filter(|line| {
        if line.starts_with('[') {
            skipped = *line == "[[bin]]";
        }
        !skipped
    });
    kept.map(|line| line.to_owned() + "\n").collect()
}

/// What the swarm said of it; nothing when it saw nothing.
fn look_for(mutant: &Mutant, copy: &Path) -> io::Result<Option<String>> {
    let test = [
        "test",
        "--offline",
        "-q",
        "-p",
        "director-tests",
        "--test",
        "engine_swarm",
    ];
    let build = cargo(copy).args(test).arg("--no-run").output()?;
    if !build.status.success() {
        return Err(io::Error::other(
            String::from_utf8_lossy(&build.stderr).into_owned(),
        ));
    }
    let ran = cargo(copy)
        .args(test)
        .args(["whatever_goes_wrong"])
        .env("DIRECTOR_SEEDS", mutant.seeds.to_string())
        .output()?;
    if ran.status.success() {
        return Ok(None);
    }
    let text =
        String::from_utf8_lossy(&ran.stdout).into_owned() + &String::from_utf8_lossy(&ran.stderr);
    let line = |mark: &str| {
        text.lines()
            .find_map(|line| line.split_once(mark))
            .map(|(_, rest)| rest.trim().to_owned())
    };
    let seed = line("DIRECTOR_SEED=").unwrap_or_else(|| "?".to_owned());
    let broken = line("broken: ").unwrap_or_default();
    let short: String = broken.chars().take(70).collect();
    Ok(Some(format!(
        "by seed {seed}, of {}: {short}",
        mutant.seeds
    )))
}

fn cargo(copy: &Path) -> Command {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo
        .current_dir(copy)
        .env("CARGO_TARGET_DIR", copy.join("../build"));
    cargo
}

/// Copies what has changed, so that the next build is short.
fn copy_tree(from: &Path, to: &Path) -> io::Result<()> {
    if from.is_dir() {
        fs::create_dir_all(to)?;
        for entry in fs::read_dir(from)? {
            let path: PathBuf = entry?.path();
            if let Some(name) = path.file_name() {
                copy_tree(&path, &to.join(name))?;
            }
        }
        return Ok(());
    }
    let bytes = fs::read(from)?;
    if fs::read(to).ok().as_deref() != Some(&bytes[..]) {
        if let Some(parent) = to.parent() {
            fs::create_dir_all(parent)?;
        }
        fs::write(to, bytes)?;
    }
    Ok(())
}
