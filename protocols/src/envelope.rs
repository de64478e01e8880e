//! The envelope of a journal record: what it is, where it stands, what came before it, and a checksum over all that.
//!
//! ```text
//! offset  0  magic "DREC"          25  time, ms since 1970             u64
//!         4  envelope version u8   33  hash of the record before       16 bytes
//!         5  kind             u16  49  payload length                  u32
//!         7  version of kind  u16  53  CRC-32C of 0..53 and payload    u32
//!         9  seq              u64  57  payload
//!        17  epoch            u64
//! ```
//!
//! All numbers are little-endian. The checksum finds damage inside a record; the hash of the record before finds a
//! record that is missing, repeated or from another journal. Neither needs the payload decoded.
//!
//! Invariant: one record has one sequence of bytes, and [`Record::from_bytes`] accepts no other.
//! Elsewhere: kind numbers and payload types belong to whoever writes them; their encoding is [`codec`](crate::codec).

use crate::codec::PAYLOAD_LIMIT;
use crate::digest::{Digest, parse_hex, write_hex};
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// The version of the envelope that this build writes, and the newest that it reads.
pub const ENVELOPE_VERSION: u8 = 1;

/// Bytes before the payload.
pub const HEADER_LEN: usize = 57;

const MAGIC: [u8; 4] = *b"DREC";
const CHECKSUM_AT: usize = 53;

/// Names one record by its content: the first 16 bytes of the SHA-256 of its envelope and payload.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
pub struct RecordHash(pub [u8; 16]);

impl RecordHash {
    /// What the first record of a journal has as the hash of the record before.
    pub const NONE: Self = Self([0; 16]);
}

impl fmt::Display for RecordHash {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_hex(&self.0, out)
    }
}

impl fmt::Debug for RecordHash {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_hex(&self.0, out)
    }
}

impl FromStr for RecordHash {
    type Err = NotARecordHash;

    fn from_str(text: &str) -> Result<Self, NotARecordHash> {
        parse_hex(text).map(Self).ok_or(NotARecordHash)
    }
}

/// The text is not 32 lower-case hexadecimal characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a record hash is 32 characters of 0-9 and a-f")]
pub struct NotARecordHash;

/// One journal record: one decision, as opaque bytes with their place in history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// What the payload is; numbers are given by hand and never reused.
    pub kind: u16,
    /// Which version of that kind the payload has.
    pub version: u16,
    /// Place in the journal; the first record has 1.
    pub seq: u64,
    /// Which start of the director wrote it; never falls from one record to the next.
    pub epoch: u64,
    /// When it was decided, in milliseconds since 1970, by the clock of the run.
    pub time_ms: u64,
    /// Hash of the record with the number before, [`RecordHash::NONE`] for the first.
    pub prev: RecordHash,
    /// The encoded content, at most [`PAYLOAD_LIMIT`] bytes.
    pub payload: Vec<u8>,
}

impl Record {
    /// The record as it is stored. A payload over [`PAYLOAD_LIMIT`] gives bytes that [`Record::from_bytes`] refuses;
    /// [`Sealed::new`] refuses it in time.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(HEADER_LEN + self.payload.len());
        bytes.extend(MAGIC);
        bytes.push(ENVELOPE_VERSION);
        bytes.extend(self.kind.to_le_bytes());
        bytes.extend(self.version.to_le_bytes());
        bytes.extend(self.seq.to_le_bytes());
        bytes.extend(self.epoch.to_le_bytes());
        bytes.extend(self.time_ms.to_le_bytes());
        bytes.extend(self.prev.0);
        bytes.extend(
            u32::try_from(self.payload.len())
                .unwrap_or(u32::MAX)
                .to_le_bytes(),
        );
        let sum = checksum(&[&bytes, &self.payload]);
        bytes.extend(sum.to_le_bytes());
        bytes.extend(&self.payload);
        bytes
    }

    /// Reads one record from exactly these bytes, and checks everything that can be checked without its neighbours.
    ///
    /// # Errors
    /// The first [`EnvelopeError`] that applies, in the order: magic, envelope version, length, checksum.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, EnvelopeError> {
        let truncated = EnvelopeError::Truncated {
            bytes: bytes.len(),
            needed: HEADER_LEN,
        };
        let mut fields = Fields {
            rest: bytes,
            truncated: truncated.clone(),
        };
        if fields.take::<4>()? != MAGIC {
            return Err(EnvelopeError::NotARecord);
        }
        match u8::from_le_bytes(fields.take()?) {
            ENVELOPE_VERSION => {}
            found => return Err(EnvelopeError::OtherVersion { found }),
        }
        let kind = u16::from_le_bytes(fields.take()?);
        let version = u16::from_le_bytes(fields.take()?);
        let seq = u64::from_le_bytes(fields.take()?);
        let epoch = u64::from_le_bytes(fields.take()?);
        let time_ms = u64::from_le_bytes(fields.take()?);
        let prev = RecordHash(fields.take()?);
        let length = u32::from_le_bytes(fields.take()?) as usize;
        let stored = u32::from_le_bytes(fields.take()?);
        let payload = fields.rest;
        if length > PAYLOAD_LIMIT {
            return Err(EnvelopeError::TooLarge { bytes: length });
        }
        if payload.len() < length {
            return Err(EnvelopeError::Truncated {
                bytes: bytes.len(),
                needed: HEADER_LEN + length,
            });
        }
        if payload.len() > length {
            return Err(EnvelopeError::Trailing {
                extra: payload.len() - length,
            });
        }
        let computed = checksum(&[&bytes[..CHECKSUM_AT], payload]);
        if computed != stored {
            return Err(EnvelopeError::Checksum { stored, computed });
        }
        Ok(Self {
            kind,
            version,
            seq,
            epoch,
            time_ms,
            prev,
            payload: payload.to_vec(),
        })
    }

    /// The hash that the next record carries as [`Record::prev`].
    #[must_use]
    pub fn hash(&self) -> RecordHash {
        hash_of(&self.to_bytes())
    }
}

/// The hash of a record whose bytes are at hand.
#[must_use]
pub fn hash_of(record_bytes: &[u8]) -> RecordHash {
    let mut first = [0; 16];
    first.copy_from_slice(&Digest::of(record_bytes).0[..16]);
    RecordHash(first)
}

/// CRC-32C over several pieces as if they were one.
#[must_use]
pub fn checksum(pieces: &[&[u8]]) -> u32 {
    pieces
        .iter()
        .fold(0, |sum, piece| crc32c::crc32c_append(sum, piece))
}

struct Fields<'a> {
    rest: &'a [u8],
    truncated: EnvelopeError,
}

impl Fields<'_> {
    fn take<const N: usize>(&mut self) -> Result<[u8; N], EnvelopeError> {
        let (field, rest) = self
            .rest
            .split_first_chunk()
            .ok_or_else(|| self.truncated.clone())?;
        self.rest = rest;
        Ok(*field)
    }
}

/// A record with its bytes and its hash, computed once and from then on carried together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sealed {
    seq: u64,
    epoch: u64,
    prev: RecordHash,
    hash: RecordHash,
    bytes: Vec<u8>,
}

impl Sealed {
    /// Seals a record.
    ///
    /// # Errors
    /// [`EnvelopeError::TooLarge`] when the payload is over [`PAYLOAD_LIMIT`].
    pub fn new(record: &Record) -> Result<Self, EnvelopeError> {
        if record.payload.len() > PAYLOAD_LIMIT {
            return Err(EnvelopeError::TooLarge {
                bytes: record.payload.len(),
            });
        }
        let bytes = record.to_bytes();
        let hash = hash_of(&bytes);
        Ok(Self {
            seq: record.seq,
            epoch: record.epoch,
            prev: record.prev,
            hash,
            bytes,
        })
    }

    /// Place in the journal.
    #[must_use]
    pub fn seq(&self) -> u64 {
        self.seq
    }

    /// Which start of the director wrote it.
    #[must_use]
    pub fn epoch(&self) -> u64 {
        self.epoch
    }

    /// Hash of the record before.
    #[must_use]
    pub fn prev(&self) -> RecordHash {
        self.prev
    }

    /// Hash of this record.
    #[must_use]
    pub fn hash(&self) -> RecordHash {
        self.hash
    }

    /// The record as it is stored.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

/// Why bytes are not a record, or a record cannot become bytes.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EnvelopeError {
    /// The bytes end before the record does.
    #[error("the record is cut off: {bytes} bytes of at least {needed}")]
    Truncated {
        /// How many bytes there are.
        bytes: usize,
        /// How many there have to be, as far as can be told.
        needed: usize,
    },
    /// The bytes do not begin as a record does.
    #[error("these bytes are not a journal record")]
    NotARecord,
    /// Written in another version of the envelope; the only damage that looks the same is to this one byte.
    #[error("the record has envelope version {found}, this build reads version {ENVELOPE_VERSION}")]
    OtherVersion {
        /// The version that the record names.
        found: u8,
    },
    /// The payload is over [`PAYLOAD_LIMIT`].
    #[error(
        "a payload of {bytes} bytes is over the limit of {PAYLOAD_LIMIT}; store the large part as an artifact"
    )]
    TooLarge {
        /// How many bytes the payload has or claims.
        bytes: usize,
    },
    /// More bytes than the record has.
    #[error("{extra} bytes follow the end of the record")]
    Trailing {
        /// How many bytes are left over.
        extra: usize,
    },
    /// The content is not what was written.
    #[error("the record is damaged: its checksum is {computed:08x}, {stored:08x} was written")]
    Checksum {
        /// The checksum in the record.
        stored: u32,
        /// The checksum of what is there.
        computed: u32,
    },
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::{expect, expect_file};
    use proptest::prelude::*;
    use std::fmt::Write;

    fn record() -> Record {
        Record {
            kind: 0x0102,
            version: 3,
            seq: 4,
            epoch: 5,
            time_ms: 1_700_000_000_000,
            prev: RecordHash([0xab; 16]),
            payload: b"payload".to_vec(),
        }
    }

    fn hex(bytes: &[u8]) -> String {
        let mut text = String::new();
        for line in bytes.chunks(16) {
            for byte in line {
                let _ = write!(text, "{byte:02x} ");
            }
            text.truncate(text.trim_end().len());
            text.push('\n');
        }
        text
    }

    #[test]
    fn the_bytes_of_version_1_never_change() {
        expect_file!["../golden/envelope-v1.hex"].assert_eq(&hex(&record().to_bytes()));
        expect!["011b7997462ec464c1919dfa723ad146"].assert_eq(&record().hash().to_string());
        assert_eq!(Record::from_bytes(&record().to_bytes()), Ok(record()));
    }

    #[test]
    fn sealing_keeps_bytes_hash_and_place() {
        let sealed = Sealed::new(&record()).unwrap();
        assert_eq!(
            (sealed.seq(), sealed.epoch(), sealed.prev()),
            (4, 5, record().prev)
        );
        assert_eq!(
            (sealed.hash(), sealed.bytes()),
            (record().hash(), &record().to_bytes()[..])
        );
        assert_eq!(sealed.hash().to_string().parse(), Ok(sealed.hash()));
    }

    #[test]
    fn each_kind_of_damage_has_its_own_error() {
        let change = |change: &dyn Fn(&mut Vec<u8>)| {
            let mut bytes = record().to_bytes();
            change(&mut bytes);
            Record::from_bytes(&bytes).unwrap_err()
        };
        for (case, found, said) in [
            (
                "empty",
                change(&|b| b.clear()),
                "the record is cut off: 0 bytes of at least 57",
            ),
            (
                "cut in the header",
                change(&|b| b.truncate(20)),
                "the record is cut off: 20 bytes of at least 57",
            ),
            (
                "cut in the payload",
                change(&|b| b.truncate(60)),
                "the record is cut off: 60 bytes of at least 64",
            ),
            (
                "other file",
                change(&|b| b[0] = b'S'),
                "these bytes are not a journal record",
            ),
            (
                "newer",
                change(&|b| b[4] = 2),
                "the record has envelope version 2, this build reads version 1",
            ),
            (
                "longer",
                change(&|b| b.extend([0; 3])),
                "3 bytes follow the end of the record",
            ),
            (
                "claims 4 GiB",
                change(&|b| b[49..CHECKSUM_AT].fill(255)),
                "a payload of 4294967295 bytes is over the limit of 67108864; store the large part as an artifact",
            ),
        ] {
            assert_eq!(found.to_string(), said, "case: {case}");
        }
        assert!(matches!(
            change(&|b| b[9] ^= 1),
            EnvelopeError::Checksum { .. }
        ));
        assert!(matches!(
            change(&|b| b[60] ^= 1),
            EnvelopeError::Checksum { .. }
        ));
    }

    #[test]
    fn a_payload_over_the_limit_is_refused_before_it_is_written() {
        let bytes = PAYLOAD_LIMIT + 1;
        let large = Record {
            payload: vec![0; bytes],
            ..record()
        };
        assert_eq!(Sealed::new(&large), Err(EnvelopeError::TooLarge { bytes }));
        assert_eq!(
            Record::from_bytes(&large.to_bytes()),
            Err(EnvelopeError::TooLarge { bytes })
        );
    }

    #[test]
    fn every_single_flipped_bit_is_noticed() {
        let good = record().to_bytes();
        for bit in 0..good.len() * 8 {
            let mut bytes = good.clone();
            bytes[bit / 8] ^= 1 << (bit % 8);
            assert!(Record::from_bytes(&bytes).is_err(), "bit {bit}");
        }
    }

    proptest! {
        #[test]
        fn any_record_survives_its_bytes(
            kind: u16, version: u16, seq: u64, epoch: u64, time_ms: u64, prev: [u8; 16],
            payload in proptest::collection::vec(any::<u8>(), 0..200),
        ) {
            let record = Record { kind, version, seq, epoch, time_ms, prev: RecordHash(prev), payload };
            prop_assert_eq!(Record::from_bytes(&record.to_bytes()), Ok(record));
        }

        #[test]
        fn random_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300), header: bool) {
            let mut all = if header { [&MAGIC[..], &[ENVELOPE_VERSION]].concat() } else { Vec::new() };
            all.extend(bytes);
            let _ = Record::from_bytes(&all);
        }
    }
}
