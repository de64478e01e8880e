//! A power cut, from what a process asked the kernel to do.
//!
//! `strace` records every write, sync and change of a name; [`Disk`] replays the calls up to some instant and makes a
//! state that the disk could be in after a cut right there. Of what was written since a file's last sync any subset of its
//! 512-byte sectors is there, each as it was after any one of those writes, and any size the file had meanwhile. Of the
//! changes to a directory's names since its last sync a beginning is there, and an order: names are not swapped.
//!
//! The method is that of ALICE (Pillai et al., OSDI 2014), with sectors for blocks. Limits: mapped writes are not seen
//! (SQLite maps only the index of its log, and not under an exclusive lock); a disk that loses what it has
//! acknowledged is outside.
//!
//! Elsewhere: who is recorded is `bin/scribe`, what has to hold is `tests/recovery_power.rs`.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use director_protocols::envelope::Sealed;
use director_runtime::journal::Chain;

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

const SECTOR: usize = 512;

/// Where what survives is drawn from; the same seed, the same cut.
#[derive(Debug)]
pub struct Dice(ChaCha8Rng);

impl Dice {
    /// Dice of this seed.
    pub fn new(seed: u64) -> Self {
        Self(ChaCha8Rng::seed_from_u64(seed))
    }

    /// A number below `limit`, which is not 0.
    pub fn below(&mut self, limit: u64) -> u64 {
        self.0.next_u64() % limit
    }
}

/// The calls that are recorded.
pub const CALLS: &str = "openat,close,write,pwrite64,ftruncate,fsync,fdatasync,rename,renameat,renameat2,unlink,unlinkat,mkdir,mkdirat";

/// One thing that the process asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// A file comes to be.
    Create(PathBuf),
    /// Bytes of a file.
    Write(PathBuf, usize, Vec<u8>),
    /// A file's size.
    Resize(PathBuf, usize),
    /// A file's content is on the disk; a directory's names are.
    Sync(PathBuf),
    /// A file has another name.
    Rename(PathBuf, PathBuf),
    /// A name is gone.
    Unlink(PathBuf),
    /// A directory comes to be.
    MakeDir(PathBuf),
    /// A line on standard output.
    Said(String),
}

/// The content of the record after this chain's head: from a few bytes to some pages.
///
/// # Panics
/// Never: it is far from the limit of a record.
pub fn sealed(chain: &mut Chain) -> Sealed {
    let seq = chain.head().seq + 1;
    let sealed = chain.seal(1, 1, seq, payload(seq));
    sealed.expect("far below the limit")
}

/// What record `seq` holds.
pub fn payload(seq: u64) -> Vec<u8> {
    let len = (seq * 7919 % 1777) as usize + if seq.is_multiple_of(50) { 9000 } else { 20 };
    (0..len as u64)
        .map(|n| (seq * 31 + n * 17 + n / 256) as u8)
        .collect()
}

/// Records what a program does to the files below `home`.
///
/// # Panics
/// When strace is not there, or the program fails.
pub fn record(home: &Path, program: &str, words: &[&str]) -> Vec<Step> {
    let log = home.with_extension("strace");
    let output = Command::new("strace")
        .args([
            "-f",
            "-xx",
            "-s",
            "100000000",
            "-e",
            &format!("trace={CALLS}"),
        ])
        .arg("-o")
        .arg(&log)
        .arg(program)
        .args(words)
        .output()
        .expect("strace starts; it has to be installed for this test");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let text = fs::read_to_string(&log).expect("a log");
    let steps = parse(&text, home);
    assert!(
        steps.len() > 10,
        "strace has recorded {} steps",
        steps.len()
    );
    steps
}

/// Reads a log of strace. Calls that failed and files elsewhere are left out.
fn parse(log: &str, home: &Path) -> Vec<Step> {
    let mut open: BTreeMap<u32, PathBuf> = BTreeMap::new();
    let mut ends: BTreeMap<PathBuf, usize> = BTreeMap::new();
    let mut steps = Vec::new();
    for line in log.lines() {
        assert!(
            !line.contains("unfinished"),
            "two threads write at once: {line}"
        );
        let Some((call, args, result)) = split(line) else {
            continue;
        };
        let inside = |path: PathBuf| path.starts_with(home).then_some(path);
        let path = |n: usize| {
            args.get(n)
                .and_then(|arg| text(arg))
                .map(PathBuf::from)
                .and_then(inside)
        };
        let number = |n: usize| args.get(n).and_then(|arg| arg.parse::<u64>().ok());
        let fd = number(0).and_then(|fd| u32::try_from(fd).ok());
        let file = fd.and_then(|fd| open.get(&fd).cloned());
        match call {
            "openat" => {
                let Some(path) = path(1) else { continue };
                let flags = args.get(2).copied().unwrap_or_default();
                assert!(
                    !flags.contains("O_APPEND") || path.ends_with("lock"),
                    "{line}"
                );
                if flags.contains("O_CREAT") && !ends.contains_key(&path) {
                    steps.push(Step::Create(path.clone()));
                }
                if flags.contains("O_TRUNC") {
                    steps.push(Step::Resize(path.clone(), 0));
                }
                ends.insert(path.clone(), 0);
                open.insert(result, path);
            }
            "close" => drop(fd.and_then(|fd| open.remove(&fd))),
            "write" if fd == Some(1) => {
                let said = args.get(1).and_then(|arg| bytes(arg)).unwrap_or_default();
                let said = String::from_utf8_lossy(&said).into_owned();
                steps.extend(said.lines().map(|line| Step::Said(line.to_owned())));
            }
            "write" | "pwrite64" => {
                let Some(file) = file else { continue };
                let data = args.get(1).and_then(|arg| bytes(arg)).unwrap_or_default();
                assert_eq!(
                    data.len() as u64,
                    u64::from(result),
                    "a short write: {line}"
                );
                let end = ends.entry(file.clone()).or_default();
                let at = match call {
                    "write" => std::mem::replace(end, *end + data.len()),
                    _ => number(3).expect("an offset") as usize,
                };
                steps.push(Step::Write(file, at, data));
            }
            "ftruncate" => {
                let Some(file) = file else { continue };
                steps.push(Step::Resize(file, number(1).expect("a size") as usize));
            }
            "fsync" | "fdatasync" => steps.extend(file.map(Step::Sync)),
            "rename" | "renameat" | "renameat2" => {
                let n = usize::from(call != "rename");
                if let (Some(from), Some(to)) = (path(n), path(n * 2 + 1)) {
                    ends.remove(&from);
                    ends.insert(to.clone(), 0);
                    steps.push(Step::Rename(from, to));
                }
            }
            "unlink" | "unlinkat" => {
                if let Some(path) = path(usize::from(call == "unlinkat")) {
                    ends.remove(&path);
                    steps.push(Step::Unlink(path));
                }
            }
            "mkdir" | "mkdirat" => {
                steps.extend(path(usize::from(call == "mkdirat")).map(Step::MakeDir));
            }
            other => panic!("{other} is not understood: {line}"),
        }
    }
    steps
}

/// The call, its arguments and its result, of `PID call(args) = result`; none for what failed and what is no call.
fn split(line: &str) -> Option<(&str, Vec<&str>, u32)> {
    let (call, rest) = line.split_once('(')?;
    let call = call.rsplit(' ').next()?;
    let (args, result) = rest.rsplit_once(" = ")?;
    let result = result.split(' ').next()?.parse().ok()?;
    let args = args.trim_end().strip_suffix(')')?;
    Some((call, args.split(", ").collect(), result))
}

/// The bytes of `"\x61\x62"`.
fn bytes(arg: &str) -> Option<Vec<u8>> {
    let inner = arg.strip_prefix('"')?.strip_suffix('"')?;
    inner
        .split("\\x")
        .skip(1)
        .map(|hex| u8::from_str_radix(hex, 16).ok())
        .collect()
}

fn text(arg: &str) -> Option<String> {
    String::from_utf8(bytes(arg)?).ok()
}

/// A file as the disk may have it.
#[derive(Clone, Debug, Default)]
struct Inode {
    /// What the last sync made sure of.
    durable: Vec<u8>,
    /// As the process sees it.
    now: Vec<u8>,
    /// For each sector that changed since: what it was after each change.
    sectors: BTreeMap<usize, Vec<Vec<u8>>>,
    /// The sizes since.
    sizes: Vec<usize>,
}

impl Inode {
    fn changed(&mut self, from: usize, to: usize) {
        for sector in from / SECTOR..to.div_ceil(SECTOR) {
            let at = sector * SECTOR;
            let end = (at + SECTOR).min(self.now.len());
            let mut content = self.now.get(at..end).unwrap_or_default().to_vec();
            content.resize(SECTOR, 0);
            self.sectors.entry(sector).or_default().push(content);
        }
        self.sizes.push(self.now.len());
    }

    fn sync(&mut self) {
        self.durable.clone_from(&self.now);
        self.sectors.clear();
        self.sizes.clear();
    }

    /// One of the contents that a cut can leave.
    fn cut(&self, dice: &mut Dice) -> Vec<u8> {
        let mut content = self.durable.clone();
        let size = match dice.below(self.sizes.len() as u64 + 1) as usize {
            0 => content.len(),
            n => self.sizes[n - 1],
        };
        content.resize(size, 0);
        for (sector, versions) in &self.sectors {
            let version = dice.below(versions.len() as u64 + 1) as usize;
            let at = sector * SECTOR;
            if version == 0 || at >= size {
                continue;
            }
            let end = (at + SECTOR).min(size);
            content[at..end].copy_from_slice(&versions[version - 1][..end - at]);
        }
        content
    }
}

/// Names of one directory, by number of file; changes since its last sync are kept in order.
#[derive(Clone, Debug, Default)]
struct Names {
    durable: BTreeMap<PathBuf, usize>,
    since: Vec<BTreeMap<PathBuf, usize>>,
}

/// What the disk holds, and may hold.
#[derive(Clone, Debug, Default)]
pub struct Disk {
    files: Vec<Inode>,
    names: BTreeMap<PathBuf, usize>,
    directories: BTreeMap<PathBuf, Names>,
    /// Whether syncs count; switched off to see that their absence is noticed.
    deaf: bool,
}

impl Disk {
    /// An empty one; a `deaf` one takes no sync into account.
    pub fn new(deaf: bool) -> Self {
        Self {
            deaf,
            ..Self::default()
        }
    }

    /// Takes one step.
    pub fn take(&mut self, step: &Step) {
        match step {
            Step::Create(path) => {
                self.files.push(Inode::default());
                self.names.insert(path.clone(), self.files.len() - 1);
                self.renamed(path);
            }
            Step::Write(path, at, data) => {
                let Some(file) = self.file(path) else { return };
                let end = at + data.len();
                let from = file.now.len().min(*at);
                if file.now.len() < end {
                    file.now.resize(end, 0);
                }
                file.now[*at..end].copy_from_slice(data);
                file.changed(from, end);
            }
            Step::Resize(path, size) => {
                let Some(file) = self.file(path) else { return };
                let from = file.now.len().min(*size);
                let to = file.now.len().max(*size);
                file.now.resize(*size, 0);
                file.changed(from, to);
            }
            Step::Sync(_) if self.deaf => {}
            Step::Sync(path) => {
                if let Some(file) = self.file(path) {
                    file.sync();
                } else if let Some(names) = self.directories.get_mut(path)
                    && let Some(last) = names.since.pop()
                {
                    names.durable = last;
                    names.since.clear();
                }
            }
            Step::Rename(from, to) => {
                if let Some(file) = self.names.remove(from) {
                    self.names.insert(to.clone(), file);
                    self.renamed(to);
                    if from.parent() != to.parent() {
                        self.renamed(from);
                    }
                }
            }
            Step::Unlink(path) => {
                if self.names.remove(path).is_some() {
                    self.renamed(path);
                }
            }
            Step::MakeDir(_) | Step::Said(_) => {}
        }
    }

    fn file(&mut self, path: &Path) -> Option<&mut Inode> {
        let file = *self.names.get(path)?;
        self.files.get_mut(file)
    }

    /// Notes the names of the directory that `path` is in.
    fn renamed(&mut self, path: &Path) {
        let parent = path.parent().unwrap_or(path);
        let here = self
            .names
            .iter()
            .filter(|(name, _)| name.parent() == Some(parent));
        let here = here.map(|(name, file)| (name.clone(), *file)).collect();
        let names = self.directories.entry(parent.to_owned()).or_default();
        names.since.push(here);
    }

    /// One of the states that a cut can leave, with `home` in the place of the recorded one.
    ///
    /// # Panics
    /// When it cannot be written.
    pub fn cut(&self, dice: &mut Dice, recorded: &Path, home: &Path) {
        for names in self.directories.values() {
            let there = match dice.below(names.since.len() as u64 + 1) as usize {
                0 => &names.durable,
                n => &names.since[n - 1],
            };
            for (name, file) in there {
                let name = name.strip_prefix(recorded).expect("below the home");
                let to = home.join(name);
                fs::create_dir_all(to.parent().expect("a parent")).expect("a directory");
                fs::write(to, self.files[*file].cut(dice)).expect("a file");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_of_strace_is_read() {
        let log = r#"
7 openat(AT_FDCWD, "\x2f\x68\x2f\x61", O_RDWR|O_CREAT|O_CLOEXEC, 0600) = 5
7 openat(AT_FDCWD, "\x2f\x65\x74\x63", O_RDONLY) = 6
7 pwrite64(5, "\x01\x02", 2, 512) = 2
7 write(5, "\x03", 1) = 1
7 write(1, "\x61\x63\x6b\x20\x31\x0a", 6) = 6
7 fdatasync(5)   = 0
7 rename("\x2f\x68\x2f\x61", "\x2f\x68\x2f\x62") = 0
7 unlink("\x2f\x68\x2f\x63") = -1 ENOENT (No such file or directory)
7 +++ exited with 0 +++
"#;
        let (a, b) = (PathBuf::from("/h/a"), PathBuf::from("/h/b"));
        assert_eq!(
            parse(log, Path::new("/h")),
            [
                Step::Create(a.clone()),
                Step::Write(a.clone(), 512, vec![1, 2]),
                Step::Write(a.clone(), 0, vec![3]),
                Step::Said("ack 1".into()),
                Step::Sync(a.clone()),
                Step::Rename(a, b),
            ]
        );
    }

    #[test]
    fn what_is_synced_is_there_and_of_the_rest_some_sectors_are() {
        let (home, file) = (PathBuf::from("/h"), PathBuf::from("/h/f"));
        let mut disk = Disk::new(false);
        for step in [
            Step::Create(file.clone()),
            Step::Write(file.clone(), 0, vec![1; 2048]),
            Step::Sync(file.clone()),
            Step::Sync(home.clone()),
            Step::Write(file.clone(), 0, vec![2; 2048]),
        ] {
            disk.take(&step);
        }
        let mut seen = std::collections::BTreeSet::new();
        for seed in 0..200 {
            let to = tempfile::tempdir().unwrap();
            disk.cut(&mut Dice::new(seed), &home, to.path());
            let content = fs::read(to.path().join("f")).unwrap();
            assert_eq!(content.len(), 2048);
            let sectors: Vec<u8> = content.chunks(SECTOR).map(|sector| sector[0]).collect();
            assert!(
                content
                    .chunks(SECTOR)
                    .all(|s| s.iter().all(|byte| *byte == s[0]))
            );
            seen.insert(sectors);
        }
        assert_eq!(seen.len(), 16, "every subset of four sectors");
        disk.take(&Step::Sync(file));
        let to = tempfile::tempdir().unwrap();
        disk.cut(&mut Dice::new(1), &home, to.path());
        assert_eq!(fs::read(to.path().join("f")).unwrap(), [2; 2048]);
    }
}
