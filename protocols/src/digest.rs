//! SHA-256, the one way in which content is named here; the only file that names the hashing library.
//!
//! A [`Digest`] names an artifact by its content and links each journal record to the one before (there, the first
//! 16 bytes). It is written as 64 lower-case hexadecimal characters.
//!
//! Elsewhere: the files that are named this way are the runtime's blob store.

use hmac::{Hmac, KeyInit as _, Mac as _};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use std::{fmt, str::FromStr};

/// The SHA-256 of some content: its name.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Digest(pub [u8; 32]);

impl Digest {
    /// The digest of these bytes.
    #[must_use]
    pub fn of(content: &[u8]) -> Self {
        Self(Sha256::digest(content).into())
    }

    /// In base64 with padding, as a Content-Security-Policy writes a hash (RFC 4648, section 4).
    #[must_use]
    pub fn base64(&self) -> String {
        const LETTERS: &[u8; 64] =
            b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        let mut out = String::with_capacity(44);
        for three in self.0.chunks(3) {
            let part = |at: usize| u32::from(three.get(at).copied().unwrap_or(0));
            let bits = part(0) << 16 | part(1) << 8 | part(2);
            for at in 0..4 {
                match at <= three.len() {
                    true => out.push(LETTERS[(bits >> (18 - 6 * at)) as usize & 63] as char),
                    false => out.push('='),
                }
            }
        }
        out
    }
}

/// The HMAC-SHA256 of some content under a key of any length (RFC 2104).
#[must_use]
pub fn hmac(key: &[u8], content: &[u8]) -> Digest {
    // A key of any length is a key; so this is never nothing.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else {
        return Digest::of(content);
    };
    mac.update(content);
    Digest(mac.finalize().into_bytes().into())
}

impl fmt::Display for Digest {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_hex(&self.0, out)
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_hex(&self.0, out)
    }
}

impl FromStr for Digest {
    type Err = NotADigest;

    fn from_str(text: &str) -> Result<Self, NotADigest> {
        parse_hex(text).map(Self).ok_or(NotADigest)
    }
}

/// The text is not 64 lower-case hexadecimal characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a content hash is 64 characters of 0-9 and a-f")]
pub struct NotADigest;

/// Writes bytes as lower-case hexadecimal.
pub(crate) fn write_hex(bytes: &[u8], out: &mut fmt::Formatter<'_>) -> fmt::Result {
    bytes.iter().try_for_each(|byte| write!(out, "{byte:02x}"))
}

/// Reads exactly `N` bytes of lower-case hexadecimal.
pub(crate) fn parse_hex<const N: usize>(text: &str) -> Option<[u8; N]> {
    let digits = text.as_bytes();
    if digits.len() != 2 * N {
        return None;
    }
    let value = |digit: u8| match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    };
    let mut bytes = [0; N];
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        *byte = value(pair[0])? << 4 | value(pair[1])?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_is_the_well_known_sha_256_and_survives_its_text() {
        let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(Digest::of(b"abc").to_string(), abc);
        assert_eq!(abc.parse(), Ok(Digest::of(b"abc")));
    }

    #[test]
    fn text_that_is_no_digest_is_refused() {
        let upper = Digest::of(b"").to_string().to_uppercase();
        for text in [
            "",
            "ba78",
            "../../etc/passwd",
            &upper,
            &"g".repeat(64),
            &"é".repeat(32),
        ] {
            assert_eq!(text.parse::<Digest>(), Err(NotADigest), "{text}");
        }
    }
}
