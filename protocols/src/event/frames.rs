//! Frames: how the events of one decision lie in its record.
//!
//! A count, then for each event its kind, its version, the length of its body and the body, numbers in little endian.
//!
//! Invariant: nothing unknown is ever skipped.

use serde::Serialize;

use super::Event;
use crate::codec::{self, CodecError};

/// The record kind of a decision: a list of event frames.
pub const DECISION_KIND: u16 = 1;
/// The version of that record's payload.
pub const DECISION_VERSION: u16 = 1;
/// The most events in one decision.
pub const EVENTS_PER_DECISION_MAX: usize = 1_000_000;

/// One event as it lies in a record: kind, version, length of the body, body.
pub(super) struct Frame<'a> {
    pub(super) kind: u16,
    pub(super) version: u16,
    pub(super) body: &'a [u8],
}

/// Bytes of a frame before its body.
const FRAME_HEAD: usize = 2 + 2 + 8;

/// Writes one frame at the end of `to`. The length is filled in once the body is there, so nothing is copied.
pub(super) fn append_frame<T: Serialize>(
    kind: u16,
    version: u16,
    body: &T,
    to: &mut Vec<u8>,
) -> Result<(), CodecError> {
    to.extend(kind.to_le_bytes());
    to.extend(version.to_le_bytes());
    let length_at = to.len();
    to.extend([0; 8]);
    codec::append(body, to)?;
    let length = (to.len() - length_at - 8) as u64;
    to[length_at..length_at + 8].copy_from_slice(&length.to_le_bytes());
    Ok(())
}

/// Takes a number off the front of `bytes`.
fn number<const N: usize>(bytes: &mut &[u8]) -> Option<[u8; N]> {
    let (number, rest) = bytes.split_first_chunk()?;
    *bytes = rest;
    Some(*number)
}

/// Takes a frame off the front of `bytes`. Nothing if they end within it.
fn take_frame<'a>(bytes: &mut &'a [u8]) -> Option<Frame<'a>> {
    let kind = u16::from_le_bytes(number(bytes)?);
    let version = u16::from_le_bytes(number(bytes)?);
    let length = usize::try_from(u64::from_le_bytes(number(bytes)?)).ok()?;
    let (body, rest) = bytes.split_at_checked(length)?;
    *bytes = rest;
    Some(Frame {
        kind,
        version,
        body,
    })
}

/// Why a record's payload is not a list of events that this version knows.
#[derive(Debug, thiserror::Error)]
pub enum EventError {
    /// Not a list of frames: it ends within one, or goes on after the last.
    #[error("the record does not hold a list of events")]
    Frames,
    /// A kind or version from another program version.
    #[error(
        "event kind {kind} version {version} is not known to this version; use the one that wrote it, or a newer one"
    )]
    Unknown {
        /// The number.
        kind: u16,
        /// Its version.
        version: u16,
    },
    /// The frame is known, its body is not readable.
    #[error("event kind {kind} version {version} cannot be read")]
    Body {
        /// The number.
        kind: u16,
        /// Its version.
        version: u16,
        /// What the codec says.
        source: CodecError,
    },
}

/// Events to the payload of one record.
///
/// # Errors
/// When they are larger than the codec's limit together, or more than [`EVENTS_PER_DECISION_MAX`].
pub fn encode_events(events: &[Event]) -> Result<Vec<u8>, CodecError> {
    if events.len() > EVENTS_PER_DECISION_MAX {
        let reason = format!(
            "{} events in one decision; the limit is {EVENTS_PER_DECISION_MAX}",
            events.len()
        );
        return Err(CodecError::Encode { reason });
    }
    // Most events are small; one that is not grows the buffer.
    let mut bytes = Vec::with_capacity(8 + events.len() * (FRAME_HEAD + 64));
    bytes.extend((events.len() as u64).to_le_bytes());
    for event in events {
        event.append_frame(&mut bytes)?;
    }
    Ok(bytes)
}

/// The payload of one record to its events.
///
/// # Errors
/// See [`EventError`]; nothing unknown is ever skipped.
pub fn decode_events(payload: &[u8]) -> Result<Vec<Event>, EventError> {
    let mut rest = payload;
    let count = number(&mut rest).map(u64::from_le_bytes);
    let count = count
        .filter(|count| *count <= EVENTS_PER_DECISION_MAX as u64)
        .ok_or(EventError::Frames)?;
    // A hostile count is found out by the bytes that are not there, not by the memory it asks for.
    let mut events = Vec::with_capacity((count as usize).min(rest.len() / FRAME_HEAD));
    for _ in 0..count {
        let frame = take_frame(&mut rest).ok_or(EventError::Frames)?;
        events.push(Event::from_frame(&frame)?);
    }
    if rest.is_empty() {
        Ok(events)
    } else {
        Err(EventError::Frames)
    }
}
