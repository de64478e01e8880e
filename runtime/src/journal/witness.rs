//! The head witness: a second file that remembers the last acknowledged record.
//!
//! A storage engine may take damage at the end of its log for the end of the log; then history is shorter and nobody
//! knows. The witness knows. It is written after the record is durable and before that is said to anyone, and it is not
//! synced each time: after a power cut it may lag, so it proves that *at least* so much was there.
//!
//! Two slots of 512 bytes are written in turns, so that a torn write spoils one and the other is one commit older. A slot
//! is a line of text: number, hash and checksum of the record.
//!
//! Invariant: the witness never names a record that the journal has not made durable.

use super::data_dir::replace_file;
use super::{Head, JournalError};
use director_protocols::envelope::{RecordHash, checksum};
use std::fs::{File, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

const SLOT: usize = 512;

/// The record that the witness remembers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) seq: u64,
    pub(crate) hash: RecordHash,
}

impl From<Head> for Seen {
    fn from(head: Head) -> Self {
        Self {
            seq: head.seq,
            hash: head.hash,
        }
    }
}

/// What the witness file says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Testimony {
    /// There is no such file.
    Absent,
    /// Neither slot can be read.
    Unreadable,
    /// The newer of the slots that can be read.
    Seen(Seen),
}

/// Reads the witness without changing it.
pub(crate) fn read(path: &Path) -> Result<Testimony, JournalError> {
    match load(path) {
        Ok(slots) => {
            Ok(newest(&slots).map_or(Testimony::Unreadable, |(_, seen)| Testimony::Seen(seen)))
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Testimony::Absent),
        Err(source) => Err(failed("read", path, source)),
    }
}

/// The witness file, open for writing.
#[derive(Debug)]
pub(crate) struct Witness {
    path: PathBuf,
    file: File,
    next_slot: u64,
}

impl Witness {
    /// Replaces whatever the witness said, durably.
    pub(crate) fn create(path: &Path, head: Head) -> Result<(), JournalError> {
        replace_file(path, &render(head.into())).map_err(|source| failed("write", path, source))
    }

    /// Opens an existing witness to go on with it.
    pub(crate) fn open(path: &Path) -> Result<Self, JournalError> {
        let slots = load(path).map_err(|source| failed("read", path, source))?;
        let file = OpenOptions::new()
            .write(true)
            .open(path)
            .map_err(|source| failed("open", path, source))?;
        let newest = newest(&slots).map_or(1, |(slot, _)| slot);
        Ok(Self {
            path: path.to_owned(),
            file,
            next_slot: 1 - newest,
        })
    }

    /// Remembers this head, in the slot that holds the older one.
    pub(crate) fn write(&mut self, head: Head) -> Result<(), JournalError> {
        self.file
            .write_all_at(&render(head.into()), self.next_slot * SLOT as u64)
            .map_err(|source| failed("write", &self.path, source))?;
        self.next_slot = 1 - self.next_slot;
        Ok(())
    }

    /// Makes what was written survive a power cut.
    pub(crate) fn sync(&self) -> Result<(), JournalError> {
        self.file
            .sync_data()
            .map_err(|source| failed("sync", &self.path, source))
    }
}

fn failed(action: &'static str, path: &Path, source: io::Error) -> JournalError {
    JournalError::Io {
        action,
        path: path.to_owned(),
        source,
    }
}

fn load(path: &Path) -> io::Result<Vec<u8>> {
    let mut slots = Vec::new();
    File::open(path)?
        .take(2 * SLOT as u64)
        .read_to_end(&mut slots)?;
    Ok(slots)
}

fn newest(slots: &[u8]) -> Option<(u64, Seen)> {
    (0..)
        .zip(slots.chunks(SLOT))
        .filter_map(|(slot, bytes)| Some((slot, parse(bytes)?)))
        .max_by_key(|(_, seen)| seen.seq)
}

fn render(seen: Seen) -> Vec<u8> {
    let line = format!(
        "director-witness 1 record {} hash {} check ",
        seen.seq, seen.hash
    );
    let sum = checksum(&[line.as_bytes()]);
    format!("{:<width$}\n", format!("{line}{sum:08x}"), width = SLOT - 1).into_bytes()
}

fn parse(slot: &[u8]) -> Option<Seen> {
    let mut words = std::str::from_utf8(slot).ok()?.split_ascii_whitespace();
    let seen = Seen {
        seq: words.nth(3)?.parse().ok()?,
        hash: words.nth(1)?.parse().ok()?,
    };
    // One head has one slot, so whatever else the bytes say differently is damage.
    (render(seen) == slot).then_some(seen)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn head(seq: u64) -> Head {
        Head {
            seq,
            hash: RecordHash([u8::try_from(seq).unwrap(); 16]),
            epoch: 1,
        }
    }

    #[test]
    fn the_newest_head_is_remembered_over_reopening() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("witness");
        assert_eq!(read(&path).unwrap(), Testimony::Absent);
        Witness::create(&path, Head::EMPTY).unwrap();
        for seq in [3, 4, 9] {
            Witness::open(&path).unwrap().write(head(seq)).unwrap();
            assert_eq!(read(&path).unwrap(), Testimony::Seen(head(seq).into()));
        }
        let mut witness = Witness::open(&path).unwrap();
        for seq in [10, 11, 12] {
            witness.write(head(seq)).unwrap();
        }
        assert_eq!(read(&path).unwrap(), Testimony::Seen(head(12).into()));
        Witness::create(&path, head(2)).unwrap();
        assert_eq!(read(&path).unwrap(), Testimony::Seen(head(2).into()));
    }

    #[test]
    fn a_torn_write_loses_one_commit_and_never_both_slots() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("witness");
        Witness::create(&path, head(5)).unwrap();
        let before = fs::read(&path).unwrap();
        Witness::open(&path).unwrap().write(head(6)).unwrap();
        let after = fs::read(&path).unwrap();
        for landed in before.len()..after.len() {
            fs::write(&path, &after[..landed]).unwrap();
            assert_eq!(
                read(&path).unwrap(),
                Testimony::Seen(head(5).into()),
                "{landed} bytes landed"
            );
        }
    }

    #[test]
    fn damage_is_never_taken_for_another_head() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("witness");
        Witness::create(&path, head(5)).unwrap();
        let good = fs::read(&path).unwrap();
        for bit in 0..good.len() * 8 {
            let mut bytes = good.clone();
            bytes[bit / 8] ^= 1 << (bit % 8);
            fs::write(&path, &bytes).unwrap();
            assert_eq!(read(&path).unwrap(), Testimony::Unreadable, "bit {bit}");
        }
        fs::write(&path, "").unwrap();
        assert_eq!(read(&path).unwrap(), Testimony::Unreadable);
    }
}
