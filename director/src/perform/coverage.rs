//! Coverage: the share of lines that tests reach, read from a file that a gate's command left behind.
//!
//! Two formats: lcov tracefiles, whose records count lines found (`LF`) and hit (`LH`), or list them (`DA`), as
//! geninfo(1) describes; and Cobertura XML, whose root element has `lines-valid` and `lines-covered`, or `line-rate`.
//! Only a file that is newer than the start of the run counts: an old one says nothing about this tree.
//!
//! Shares are in hundredths of a percent.

use std::fs;
use std::io::{self, Read};
use std::path::Path;
use std::time::SystemTime;

use director_agents::inside;
use quick_xml::Reader;
use quick_xml::events::Event;

/// The longest coverage file that is read, in bytes.
const FILE_BYTES_MAX: u64 = 64 << 20;
/// Where test runners put it, unless the sprint file says otherwise.
const USUAL: [&str; 8] = [
    "lcov.info",
    "coverage.lcov",
    "coverage/lcov.info",
    "target/coverage/lcov.info",
    "coverage.xml",
    "cobertura.xml",
    "coverage/cobertura-coverage.xml",
    "target/coverage/cobertura.xml",
];

/// What a file said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Coverage {
    /// Where it was, as it was named.
    pub file: String,
    /// Lines that tests reach.
    pub hit: u64,
    /// Lines that there are.
    pub found: u64,
}

impl Coverage {
    /// The share in hundredths of a percent, rounded down; nothing without lines.
    pub fn share(&self) -> Option<u32> {
        let share = u128::from(self.hit.min(self.found)) * 10_000;
        share
            .checked_div(u128::from(self.found))
            .and_then(|share| u32::try_from(share).ok())
    }
}

/// Looks for a coverage file below `dir` that is not older than `since`; the first that can be read counts.
///
/// # Errors
/// Why nothing was measured, in words.
pub fn measure(dir: &Path, files: &[String], since: SystemTime) -> Result<Coverage, String> {
    let named: Vec<&str> = match files {
        [] => USUAL.to_vec(),
        files => files.iter().map(String::as_str).collect(),
    };
    let mut why = Vec::new();
    for file in named {
        // A gate runs what agents wrote; its file must not become a way to another one.
        let found = match inside::open(dir, Path::new(file)) {
            Ok(found) => found,
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => {
                why.push(format!("{file}: {error}"));
                continue;
            }
        };
        let written = found.metadata().and_then(|found| found.modified());
        if written.is_ok_and(|at| at < since) {
            why.push(format!("{file} is older than this run"));
            continue;
        }
        match read(found).and_then(|text| parse(file, &text)) {
            Ok(coverage) => return Ok(coverage),
            Err(problem) => why.push(format!("{file}: {problem}")),
        }
    }
    match why.is_empty() {
        true if files.is_empty() => Err("no coverage file was left behind".to_owned()),
        true => Err(format!("no coverage file at {}", files.join(", "))),
        false => Err(why.join("; ")),
    }
}

fn read(file: fs::File) -> Result<String, String> {
    let mut bytes = Vec::new();
    file.take(FILE_BYTES_MAX + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| error.to_string())?;
    if bytes.len() as u64 > FILE_BYTES_MAX {
        return Err(format!("it is longer than {} MiB", FILE_BYTES_MAX >> 20));
    }
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// Reads either format.
fn parse(file: &str, text: &str) -> Result<Coverage, String> {
    let (hit, found) = match text.trim_start().starts_with('<') {
        true => cobertura(text)?,
        false => lcov(text),
    };
    let coverage = Coverage {
        file: file.to_owned(),
        hit,
        found,
    };
    match coverage.share() {
        Some(_) => Ok(coverage),
        None => Err("it names no line".to_owned()),
    }
}

/// Lines hit and found, over all records. A record that has no counts is counted by its lines.
fn lcov(text: &str) -> (u64, u64) {
    let (mut hit, mut found) = (0_u64, 0_u64);
    let mut record = Record::default();
    for line in text.lines().map(str::trim) {
        let number = |text: &str| text.trim().parse::<u64>().ok();
        if let Some(rest) = line.strip_prefix("LF:") {
            record.found = number(rest);
        } else if let Some(rest) = line.strip_prefix("LH:") {
            record.hit = number(rest);
        } else if let Some(rest) = line.strip_prefix("DA:") {
            let times = rest.split(',').nth(1).and_then(number);
            record.lines += 1;
            record.reached += u64::from(times.is_some_and(|times| times > 0));
        } else if line == "end_of_record" {
            let (more_hit, more_found) = std::mem::take(&mut record).counts();
            hit = hit.saturating_add(more_hit);
            found = found.saturating_add(more_found);
        }
    }
    let (more_hit, more_found) = record.counts();
    (
        hit.saturating_add(more_hit),
        found.saturating_add(more_found),
    )
}

#[derive(Default)]
struct Record {
    hit: Option<u64>,
    found: Option<u64>,
    lines: u64,
    reached: u64,
}

impl Record {
    fn counts(self) -> (u64, u64) {
        match (self.hit, self.found) {
            (Some(hit), Some(found)) => (hit, found),
            _ => (self.reached, self.lines),
        }
    }
}

/// Lines hit and found, as the root element says.
fn cobertura(text: &str) -> Result<(u64, u64), String> {
    let mut reader = Reader::from_str(text);
    loop {
        match reader.read_event() {
            Ok(Event::Start(root) | Event::Empty(root)) => {
                if root.name().as_ref() != b"coverage" {
                    return Err("its root element is not `coverage`".to_owned());
                }
                let attribute = |name: &str| {
                    let found = root.try_get_attribute(name).ok().flatten()?;
                    String::from_utf8(found.value.into_owned()).ok()
                };
                let whole = |name| attribute(name)?.trim().parse::<u64>().ok();
                if let (Some(hit), Some(found)) = (whole("lines-covered"), whole("lines-valid")) {
                    return Ok((hit, found));
                }
                let rate = attribute("line-rate").and_then(|rate| rate.trim().parse::<f64>().ok());
                return match rate {
                    Some(rate) if (0.0..=1.0).contains(&rate) => {
                        Ok(((rate * 10_000.0).round() as u64, 10_000))
                    }
                    _ => Err("it has no `lines-valid` and no `line-rate`".to_owned()),
                };
            }
            Ok(Event::Eof) => return Err("it has no element".to_owned()),
            Ok(_) => {}
            Err(error) => return Err(format!("it is no XML: {error}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_formats_give_the_share_of_lines() {
        for (case, text, share) in [
            (
                "lcov",
                "SF:a\nLF:10\nLH:9\nend_of_record\nSF:b\nLF:10\nLH:7\nend_of_record\n",
                Some(8000),
            ),
            (
                "lines only",
                "SF:a\nDA:1,5\nDA:2,0\nDA:3,1\nend_of_record\n",
                Some(6666),
            ),
            ("no end", "SF:a\nLF:4\nLH:1\n", Some(2500)),
            (
                "counts",
                "<?xml version=\"1.0\"?>\n<!DOCTYPE coverage SYSTEM \"x\">\n<coverage lines-valid=\"200\" lines-covered=\"163\" line-rate=\"0.1\">",
                Some(8150),
            ),
            ("rate", "<coverage line-rate=\"0.8123\"/>", Some(8123)),
            ("other XML", "<testsuite/>", None),
            ("a rate that is none", "<coverage line-rate=\"12\"/>", None),
            ("nothing in it", "TN:\n", None),
            ("empty", "", None),
            ("not a number", "SF:a\nLF:x\nLH:y\nend_of_record", None),
            ("broken XML", "<coverage line-rate=", None),
        ] {
            let read = parse("f", text).ok().and_then(|coverage| coverage.share());
            assert_eq!(read, share, "case: {case}");
        }
    }

    #[test]
    fn only_a_file_of_this_run_counts() {
        let dir = tempfile::tempdir().expect("a directory");
        let none = measure(dir.path(), &[], SystemTime::UNIX_EPOCH).expect_err("nothing");
        assert_eq!(none, "no coverage file was left behind");
        fs::write(dir.path().join("lcov.info"), "LF:2\nLH:1\n").expect("a file");
        let written = fs::metadata(dir.path().join("lcov.info")).and_then(|at| at.modified());
        let at = written.expect("a time");
        let later = at + std::time::Duration::from_secs(1);
        let old = measure(dir.path(), &[], later).expect_err("it is old");
        assert_eq!(old, "lcov.info is older than this run");
        let found = measure(dir.path(), &[], at).expect("it is new");
        assert_eq!(
            (found.file.as_str(), found.share()),
            ("lcov.info", Some(5000))
        );
        let named = measure(dir.path(), &["x/y.xml".to_owned()], at).expect_err("not there");
        assert_eq!(named, "no coverage file at x/y.xml");
    }

    #[test]
    fn a_file_that_a_link_leads_to_elsewhere_is_not_read() {
        let dir = tempfile::tempdir().expect("a directory");
        let (work, hidden) = (dir.path().join("work"), dir.path().join("hidden"));
        fs::create_dir(&work).expect("made");
        fs::create_dir(&hidden).expect("made");
        fs::write(hidden.join("lcov.info"), "LF:2\nLH:2\n").expect("a file");
        std::os::unix::fs::symlink(&hidden, work.join("coverage")).expect("a link");
        let found = measure(
            &work,
            &["coverage/lcov.info".to_owned()],
            SystemTime::UNIX_EPOCH,
        );
        assert!(found.is_err(), "{found:?}");
        fs::remove_file(work.join("coverage")).expect("removed");
        fs::rename(&hidden, work.join("coverage")).expect("moved");
        let found = measure(
            &work,
            &["coverage/lcov.info".to_owned()],
            SystemTime::UNIX_EPOCH,
        );
        assert_eq!(found.map(|found| found.hit), Ok(2));
    }
}
