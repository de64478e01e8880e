//! What a command prints: the end of it in memory, all of it up to a limit in a file, and each line to whoever asked.
//!
//! Bytes pass at the speed of the pipe and memory stays bounded however much comes. Output is bytes; it becomes text only at
//! the end, and what is not UTF-8 shows as replacement characters.

use std::fs::File;
use std::io::{self, Write};
use std::path::Path;

/// One line of standard output, without its line end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Line<'a> {
    /// Its bytes, which need not be UTF-8.
    pub bytes: &'a [u8],
    /// The line was longer than the limit and the rest of it is gone.
    pub cut: bool,
}

/// The last bytes of a stream.
pub(crate) struct Tail {
    bytes: Vec<u8>,
    limit: usize,
    total: u64,
}

impl Tail {
    pub(crate) fn new(limit: usize) -> Self {
        Self {
            bytes: Vec::new(),
            limit,
            total: 0,
        }
    }

    /// Holds up to twice the limit, so that a byte is moved at most once on average.
    pub(crate) fn push(&mut self, chunk: &[u8]) {
        self.total = self.total.saturating_add(chunk.len() as u64);
        let chunk = &chunk[chunk.len().saturating_sub(self.limit)..];
        if self.bytes.len() + chunk.len() > self.limit.saturating_mul(2) {
            let keep = self.limit - chunk.len();
            self.bytes.drain(..self.bytes.len().saturating_sub(keep));
        }
        self.bytes.extend_from_slice(chunk);
    }

    /// All bytes that came, kept or not.
    pub(crate) fn total(&self) -> u64 {
        self.total
    }

    pub(crate) fn truncated(&self) -> bool {
        self.total > self.limit as u64
    }

    /// The tail as text. A character cut in two by the limit is left out; other bytes that are not UTF-8 are replaced.
    pub(crate) fn text(&self) -> String {
        let mut tail = &self.bytes[self.bytes.len().saturating_sub(self.limit)..];
        if self.truncated() {
            let is_continuation = |byte: &&u8| **byte & 0b1100_0000 == 0b1000_0000;
            let cut = tail.iter().take(3).take_while(is_continuation).count();
            tail = &tail[cut..];
        }
        String::from_utf8_lossy(tail).into_owned()
    }
}

/// Cuts a stream into lines of bounded length.
pub(crate) struct Lines {
    partial: Vec<u8>,
    limit: usize,
    cut: bool,
}

impl Lines {
    pub(crate) fn new(limit: usize) -> Self {
        Self {
            partial: Vec::new(),
            limit,
            cut: false,
        }
    }

    /// Calls `on_line` for each line that is complete now.
    pub(crate) fn push(&mut self, mut chunk: &[u8], on_line: &mut dyn FnMut(Line<'_>)) {
        while let Some(end) = chunk.iter().position(|&byte| byte == b'\n') {
            self.take(&chunk[..end]);
            self.emit(on_line);
            chunk = &chunk[end + 1..];
        }
        self.take(chunk);
    }

    /// The stream has ended: what came after the last line end is a line too.
    pub(crate) fn finish(&mut self, on_line: &mut dyn FnMut(Line<'_>)) {
        if !self.partial.is_empty() || self.cut {
            self.emit(on_line);
        }
    }

    fn take(&mut self, part: &[u8]) {
        let room = self.limit - self.partial.len();
        self.cut |= part.len() > room;
        self.partial
            .extend_from_slice(&part[..part.len().min(room)]);
    }

    fn emit(&mut self, on_line: &mut dyn FnMut(Line<'_>)) {
        let bytes = match self.partial.strip_suffix(b"\r") {
            Some(bytes) if !self.cut => bytes,
            _ => &self.partial,
        };
        on_line(Line {
            bytes,
            cut: self.cut,
        });
        self.partial.clear();
        self.cut = false;
    }
}

/// The file that gets both streams. Writing is plain and blocking: it goes to the page cache and is bounded by the limit.
/// A failed write (a full disk) ends the log and not the command.
pub(crate) struct Log {
    file: Option<File>,
    room_bytes: u64,
    error: Option<String>,
}

impl Log {
    pub(crate) fn none() -> Self {
        Self {
            file: None,
            room_bytes: 0,
            error: None,
        }
    }

    pub(crate) fn create(path: &Path, limit_bytes: u64) -> io::Result<Self> {
        Ok(Self {
            file: Some(File::create(path)?),
            room_bytes: limit_bytes,
            error: None,
        })
    }

    pub(crate) fn push(&mut self, chunk: &[u8]) {
        let Some(file) = &mut self.file else { return };
        let room = usize::try_from(self.room_bytes).unwrap_or(usize::MAX);
        let part = &chunk[..chunk.len().min(room)];
        self.room_bytes -= part.len() as u64;
        let mut written = file.write_all(part);
        let full = part.len() < chunk.len();
        if full && written.is_ok() {
            written = file.write_all(b"\n[the log was cut here: its size limit is reached]\n");
        }
        if let Err(error) = &written {
            self.error = Some(error.to_string());
        }
        if full || written.is_err() {
            self.file = None;
        }
    }

    /// Why the log is incomplete, if a write failed.
    pub(crate) fn into_error(self) -> Option<String> {
        self.error
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tail_keeps_the_end_and_whole_characters() {
        for (case, limit, chunks, text, truncated) in [
            ("fits", 8, vec!["ab", "cd"], "abcd", false),
            ("exactly", 4, vec!["ab", "cd"], "abcd", false),
            (
                "small chunks",
                3,
                vec!["a", "b", "c", "d", "e", "f", "g", "h"],
                "fgh",
                true,
            ),
            ("one large chunk", 3, vec!["abcdefgh"], "fgh", true),
            (
                "large after small",
                3,
                vec!["xy", "abcdefgh", "z"],
                "ghz",
                true,
            ),
            ("a character cut in two", 3, vec!["aä€"], "€", true),
            ("within a character", 2, vec!["aä€"], "", true),
            ("nothing kept", 0, vec!["abc"], "", true),
            ("nothing", 3, vec![], "", false),
        ] {
            let mut tail = Tail::new(limit);
            chunks.iter().for_each(|chunk| tail.push(chunk.as_bytes()));
            assert_eq!(
                (tail.text().as_str(), tail.truncated()),
                (text, truncated),
                "case: {case}"
            );
            assert!(tail.bytes.len() <= 2 * limit, "case: {case}");
        }
        let mut tail = Tail::new(100);
        tail.push(b"ok \xff\xfe \x80 end");
        assert_eq!(tail.text(), "ok \u{fffd}\u{fffd} \u{fffd} end");
    }

    #[test]
    fn lines_are_whole_wherever_the_chunks_end() {
        let text = b"one\n\r\ntwo \xff\r\nthree is too long\nend";
        let expected = ["one", "", "two \u{fffd}", "three is +", "end"];
        for size in 1..=text.len() {
            let mut seen = Vec::new();
            let mut note = |line: Line<'_>| {
                let cut = if line.cut { "+" } else { "" };
                seen.push(format!("{}{cut}", String::from_utf8_lossy(line.bytes)));
            };
            let mut lines = Lines::new(9);
            text.chunks(size)
                .for_each(|chunk| lines.push(chunk, &mut note));
            lines.finish(&mut note);
            assert_eq!(seen, expected, "chunks of {size}");
        }
    }

    #[test]
    fn a_log_stops_at_its_limit_and_says_so() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("log");
        let mut log = Log::create(&path, 6).unwrap();
        ["abcd", "efgh", "ijkl"]
            .iter()
            .for_each(|chunk| log.push(chunk.as_bytes()));
        let expected = "abcdef\n[the log was cut here: its size limit is reached]\n";
        assert_eq!(std::fs::read_to_string(&path).unwrap(), expected);
        assert_eq!(log.into_error(), None);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_full_disk_ends_the_log_and_nothing_else() {
        let mut log = Log::create(Path::new("/dev/full"), 1000).unwrap();
        log.push(b"abc");
        log.push(b"def");
        assert!(log.into_error().unwrap().contains("No space left"));
    }
}
