//! Records over the socket: the journal's own entries, for programs that replay it while a director holds it.
//!
//! ```text
//! {"records": [{"seq": 7, "epoch": 1, "at": 1795424400000, "events": "1f00…"}, …]}
//! ```
//!
//! `at` is in milliseconds since 1970, `events` the record's payload in hexadecimal, as it lies in the journal.
//!
//! Elsewhere: what people and programs read of the same entries is a page of [`crate::view`]'s.

use director_protocols::event::{decode_events, encode_events};
use director_protocols::ids::Seq;
use director_protocols::time::Time;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::protocol::{Answer, Fault, FaultKind};
use crate::handle::Entry;

#[derive(Serialize, Deserialize)]
struct Page {
    records: Vec<Written>,
}

#[derive(Serialize, Deserialize)]
struct Written {
    seq: u64,
    epoch: u64,
    at: u64,
    events: String,
}

/// Entries as an answer has them.
///
/// # Errors
/// [`Fault`] when one cannot be encoded.
pub fn write(entries: &[Entry]) -> Result<Value, Fault> {
    let failed = |why: String| Fault::new(FaultKind::Stopped, why);
    let written = entries.iter().map(|entry| {
        let payload = encode_events(&entry.events).map_err(|error| failed(error.to_string()))?;
        Ok(Written {
            seq: entry.seq.0,
            epoch: entry.epoch,
            at: entry.at.0,
            events: hex(&payload),
        })
    });
    let records = written.collect::<Result<_, Fault>>()?;
    serde_json::to_value(Page { records }).map_err(|error| failed(error.to_string()))
}

/// Takes an answer apart.
///
/// # Errors
/// What is wrong with it, in words.
pub fn read(answer: Answer) -> Result<Vec<Entry>, String> {
    let page: Page = serde_json::from_value(answer.json).map_err(|error| error.to_string())?;
    let entries = page.records.into_iter().map(|written| {
        let payload = bytes(&written.events)
            .ok_or_else(|| format!("record {} is not hexadecimal", written.seq))?;
        Ok(Entry {
            seq: Seq(written.seq),
            epoch: written.epoch,
            at: Time(written.at),
            events: decode_events(&payload).map_err(|error| error.to_string())?,
        })
    });
    entries.collect()
}

fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |nibble: u8| char::from(DIGITS[usize::from(nibble)]);
    let pairs = bytes.iter();
    pairs
        .flat_map(|byte| [digit(byte >> 4), digit(byte & 15)])
        .collect()
}

fn bytes(hex: &str) -> Option<Vec<u8>> {
    let digit = |digit: u8| char::from(digit).to_digit(16);
    let (pairs, rest) = hex.as_bytes().as_chunks::<2>();
    let both = |[high, low]: &[u8; 2]| Some((digit(*high)? << 4 | digit(*low)?) as u8);
    rest.is_empty()
        .then(|| pairs.iter().map(both).collect())
        .flatten()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::planner::examples::checkout;
    use crate::view::recorded::Run;

    #[test]
    fn records_come_back_as_they_were() {
        let mut run = Run::of(checkout());
        run.done("psp-research", 20);
        let answer = Answer {
            text: String::new(),
            json: write(&run.entries).expect("written"),
            ..Answer::default()
        };
        assert_eq!(read(answer), Ok(run.entries));
        for odd in ["1", "0g", "zz", "é"] {
            assert_eq!(bytes(odd), None, "{odd}");
        }
    }
}
