//! Turns values into bytes and back; the only file that names the encoding library.
//!
//! The encoding is bincode 2.0.1 with fixed-size little-endian integers: lengths are `u64`, an enum's variant is
//! its place in the declaration as `u32`, nothing names a field. Such bytes do not say what they are, so they are
//! kept inside an [`envelope`](crate::envelope) that does. The library is finished and no longer maintained; its
//! maintained successor reads the same bytes, and a test below keeps that true.
//!
//! Invariant: decoding reads every byte given or fails, and never takes more memory than a small multiple of
//! [`PAYLOAD_LIMIT`].
//! Elsewhere: which type a payload holds, and its version, is the envelope's; meaning is the reader's.
//!
//! What a type on the wire must not have: recursion (a hostile depth would exhaust the stack), sequences of
//! zero-sized elements (a hostile length would be counted through one by one), `usize`, floats, hash maps, and
//! serde attributes that need a self-describing format (`flatten`, `untagged`, `skip_serializing_if`).

use bincode::config::{Configuration, Fixint, Limit, LittleEndian};
use bincode::enc::write::Writer;
use serde::{Serialize, de::DeserializeOwned};

/// The most bytes that one encoded value may have: 64 MiB. Larger things are stored as artifacts and named by hash.
pub const PAYLOAD_LIMIT: usize = 64 * 1024 * 1024;

/// Why a value could not be encoded or decoded.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CodecError {
    /// The encoded value has more bytes than [`PAYLOAD_LIMIT`].
    #[error(
        "a value of {bytes} bytes is over the limit of {PAYLOAD_LIMIT}; store the large part as an artifact"
    )]
    TooLarge {
        /// How many bytes there are.
        bytes: usize,
    },
    /// The value has a shape that this encoding cannot carry; a mistake in the type, not in the data.
    #[error("a value could not be encoded: {reason}")]
    Encode {
        /// What the encoding refused.
        reason: String,
    },
    /// The bytes are not a value of the type asked for.
    #[error("{bytes} bytes do not decode to the expected value: {reason}")]
    Decode {
        /// How many bytes there are.
        bytes: usize,
        /// What the decoding refused.
        reason: String,
    },
    /// A value was decoded, and bytes follow it.
    #[error("{extra} unexpected bytes follow the value")]
    Trailing {
        /// How many bytes are left over.
        extra: usize,
    },
}

fn config() -> Configuration<LittleEndian, Fixint, Limit<PAYLOAD_LIMIT>> {
    bincode::config::standard()
        .with_little_endian()
        .with_fixed_int_encoding()
        .with_limit::<PAYLOAD_LIMIT>()
}

/// Encodes a value.
///
/// # Errors
/// [`CodecError::TooLarge`] over [`PAYLOAD_LIMIT`]; [`CodecError::Encode`] for a type that the encoding cannot carry.
pub fn encode<T: Serialize + ?Sized>(value: &T) -> Result<Vec<u8>, CodecError> {
    let mut bytes = Vec::new();
    append(value, &mut bytes)?;
    Ok(bytes)
}

/// Encodes a value at the end of `bytes`, which may hold others; after an error its end means nothing.
///
/// # Errors
/// As [`encode`], for all of `bytes` together.
pub fn append<T: Serialize + ?Sized>(value: &T, bytes: &mut Vec<u8>) -> Result<(), CodecError> {
    bincode::serde::encode_into_writer(value, Tail(bytes), config()).map_err(refused)?;
    within_limit(bytes.len())
}

/// How many bytes [`encode`] would give, without keeping them.
///
/// # Errors
/// As [`encode`].
pub fn encoded_len<T: Serialize + ?Sized>(value: &T) -> Result<usize, CodecError> {
    let mut count = Count(0);
    bincode::serde::encode_into_writer(value, &mut count, config()).map_err(refused)?;
    within_limit(count.0)?;
    Ok(count.0)
}

fn refused(error: bincode::error::EncodeError) -> CodecError {
    CodecError::Encode {
        reason: error.to_string(),
    }
}

fn within_limit(bytes: usize) -> Result<(), CodecError> {
    if bytes > PAYLOAD_LIMIT {
        return Err(CodecError::TooLarge { bytes });
    }
    Ok(())
}

/// Writes at the end of bytes that are there already.
struct Tail<'a>(&'a mut Vec<u8>);

impl Writer for Tail<'_> {
    #[inline]
    fn write(&mut self, bytes: &[u8]) -> Result<(), bincode::error::EncodeError> {
        self.0.extend_from_slice(bytes);
        Ok(())
    }
}

/// Keeps nothing but the length.
struct Count(usize);

impl Writer for &mut Count {
    #[inline]
    fn write(&mut self, bytes: &[u8]) -> Result<(), bincode::error::EncodeError> {
        self.0 += bytes.len();
        Ok(())
    }
}

/// Decodes one value from exactly these bytes.
///
/// # Errors
/// [`CodecError::TooLarge`] over [`PAYLOAD_LIMIT`], [`CodecError::Decode`] for bytes that are not a `T`,
/// [`CodecError::Trailing`] when bytes are left over.
pub fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, CodecError> {
    if bytes.len() > PAYLOAD_LIMIT {
        return Err(CodecError::TooLarge { bytes: bytes.len() });
    }
    let (value, read) =
        bincode::serde::decode_from_slice(bytes, config()).map_err(|error| CodecError::Decode {
            bytes: bytes.len(),
            reason: error.to_string(),
        })?;
    match bytes.len().saturating_sub(read) {
        0 => Ok(value),
        extra => Err(CodecError::Trailing { extra }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde::Deserialize;
    use std::collections::BTreeMap;
    use wincode::{SchemaRead, SchemaWrite};

    /// Every shape that a payload uses, once. The same type is encoded by both libraries.
    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize, SchemaWrite, SchemaRead)]
    struct Sample {
        id: u32,
        at_ms: u64,
        delta: i64,
        name: String,
        tags: Vec<String>,
        parent: Option<u64>,
        hash: [u8; 16],
        flag: bool,
        body: Vec<u8>,
        step: Step,
        steps: Vec<Step>,
        counts: BTreeMap<String, u32>,
    }

    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize, SchemaWrite, SchemaRead)]
    enum Step {
        Started,
        Moved { from: u16, to: u16 },
        Said(String),
    }

    fn sample() -> Sample {
        Sample {
            id: 7,
            at_ms: 1_700_000_000_123,
            delta: -5,
            name: "tech-lead-1".into(),
            tags: vec!["api".into(), "größe".into()],
            parent: Some(3),
            hash: [9; 16],
            flag: true,
            body: vec![0, 255, 1],
            step: Step::Moved { from: 1, to: 2 },
            steps: vec![Step::Started, Step::Said("ok".into())],
            counts: BTreeMap::from([("a".into(), 1), ("b".into(), 2)]),
        }
    }

    #[test]
    fn the_maintained_successor_reads_and_writes_the_same_bytes() {
        let ours = encode(&sample()).unwrap();
        assert_eq!(wincode::deserialize::<Sample>(&ours).unwrap(), sample());
        assert_eq!(wincode::serialize(&sample()).unwrap(), ours);
    }

    #[test]
    fn integers_are_fixed_size_and_little_endian() {
        assert_eq!(
            encode(&(1u16, 2u32, 3u64)).unwrap(),
            [1, 0, 2, 0, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0]
        );
        assert_eq!(encode("hi").unwrap(), [2, 0, 0, 0, 0, 0, 0, 0, b'h', b'i']);
        assert_eq!(encode(&Step::Started).unwrap(), [0, 0, 0, 0]);
    }

    #[test]
    fn what_is_too_long_too_short_or_followed_by_something_is_refused() {
        let good = encode(&sample()).unwrap();
        let mut longer = good.clone();
        longer.extend([1, 2]);
        assert_eq!(
            decode::<Sample>(&longer),
            Err(CodecError::Trailing { extra: 2 })
        );
        for end in 0..good.len() {
            assert!(
                matches!(
                    decode::<Sample>(&good[..end]),
                    Err(CodecError::Decode { .. })
                ),
                "cut at {end}"
            );
        }
        let over = PAYLOAD_LIMIT + 1;
        assert_eq!(
            decode::<Vec<u8>>(&vec![0; over]),
            Err(CodecError::TooLarge { bytes: over })
        );
        assert_eq!(
            encode(&vec![0u8; over - 8]),
            Err(CodecError::TooLarge { bytes: over })
        );
        assert_eq!(
            decode::<Vec<u8>>(&encode(&vec![5u8; over - 9]).unwrap())
                .unwrap()
                .len(),
            over - 9
        );
    }

    #[test]
    fn a_length_that_lies_takes_no_memory() {
        // A claim of 2^60 elements with nothing behind it: refused by the limit, before anything is reserved for it.
        for claim in [u64::MAX, 1 << 60, PAYLOAD_LIMIT as u64 + 1] {
            let bytes = claim.to_le_bytes();
            assert!(decode::<Vec<u8>>(&bytes).is_err());
            assert!(decode::<String>(&bytes).is_err());
            assert!(decode::<Vec<Sample>>(&bytes).is_err());
            assert!(decode::<BTreeMap<u64, String>>(&bytes).is_err());
        }
    }

    proptest! {
        #[test]
        fn random_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..512)) {
            let _ = decode::<Sample>(&bytes);
            let _ = decode::<Vec<Sample>>(&bytes);
        }

        #[test]
        fn flipped_bits_never_panic_and_what_decodes_is_all_of_it(at in any::<prop::sample::Index>(), bit in 0u8..8) {
            let mut bytes = encode(&sample()).unwrap();
            let at = at.index(bytes.len());
            bytes[at] ^= 1 << bit;
            if let Ok(value) = decode::<Sample>(&bytes) {
                // Nothing here notices a flipped bit in a number: that is what the envelope's checksum is for.
                prop_assert_eq!(encode(&value).unwrap().len(), bytes.len());
            }
        }

        #[test]
        fn what_is_encoded_decodes_to_the_same(
            id in any::<u32>(), name in ".{0,40}", tags in proptest::collection::vec(".{0,8}", 0..5), delta in any::<i64>(),
        ) {
            let value = Sample { id, name, tags, delta, ..sample() };
            prop_assert_eq!(decode::<Sample>(&encode(&value).unwrap()).unwrap(), value);
        }
    }
}
