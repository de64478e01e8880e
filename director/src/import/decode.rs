//! Bytes as text: UTF-8, UTF-16 where a mark says so, else the Windows code page 1252, which spreadsheets still write.

/// What 1252 has where Latin-1 has control characters (0x80 to 0x9f); its five holes become `\u{fffd}`.
const WINDOWS: &str = "€\u{fffd}‚ƒ„…†‡ˆ‰Š‹Œ\u{fffd}Ž\u{fffd}\u{fffd}‘’“”•–—˜™š›œ\u{fffd}žŸ";

/// The text, and what was assumed to read it where it is no UTF-8.
pub fn decode(bytes: Vec<u8>) -> (String, Option<&'static str>) {
    let little = |pair: [u8; 2]| u16::from_le_bytes(pair);
    let big = |pair: [u8; 2]| u16::from_be_bytes(pair);
    let wide = |read: &dyn Fn([u8; 2]) -> u16| {
        let units = bytes[2..]
            .chunks_exact(2)
            .map(|pair| read([pair[0], pair[1]]));
        String::from_utf16_lossy(&units.collect::<Vec<_>>())
    };
    match bytes.as_slice() {
        [0xff, 0xfe, ..] => (wide(&little), Some("UTF-16")),
        [0xfe, 0xff, ..] => (wide(&big), Some("UTF-16")),
        _ => match String::from_utf8(bytes) {
            Ok(text) => (text, None),
            Err(error) => {
                let windows: Vec<char> = WINDOWS.chars().collect();
                let letter = |&byte: &u8| match byte {
                    0x80..=0x9f => windows[usize::from(byte - 0x80)],
                    byte => char::from(byte),
                };
                let text = error.as_bytes().iter().map(letter).collect();
                (text, Some("Windows-1252"))
            }
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_spreadsheets_write_is_read() {
        assert_eq!(WINDOWS.chars().count(), 32);
        for (bytes, text, how) in [
            (&b"caf\xc3\xa9"[..], "café", None),
            (
                b"caf\xe9 \x93x\x94 \x80",
                "café “x” €",
                Some("Windows-1252"),
            ),
            (b"\xff\xfea\0\xe9\0", "aé", Some("UTF-16")),
            (b"\xfe\xff\0a\0", "a", Some("UTF-16")),
        ] {
            assert_eq!(decode(bytes.to_vec()), (text.to_owned(), how));
        }
    }
}
