//! A veil over what a command prints: the values of secrets that it was given never get into a log, wherever chunks end.

use std::collections::BTreeMap;

/// The value of a secret shorter than this is not looked for: it would be found in any text.
pub(crate) const SECRET_BYTES_MIN: usize = 8;

/// One stream's veil. What could be the beginning of a secret is held back until the next chunk shows what it is.
pub(crate) struct Veil {
    /// Values and what is shown instead, the longest first.
    hidden: Vec<(Vec<u8>, Vec<u8>)>,
    first: [bool; 256],
    held: Vec<u8>,
}

impl Veil {
    /// Hides the values; their names are shown.
    pub(crate) fn over(secrets: &BTreeMap<String, String>) -> Self {
        let long = secrets
            .iter()
            .filter(|(_, value)| value.len() >= SECRET_BYTES_MIN);
        let mut hidden: Vec<_> = long
            .map(|(name, value)| (value.clone().into_bytes(), format!("[{name}]").into_bytes()))
            .collect();
        hidden.sort_by_key(|(value, _)| std::cmp::Reverse(value.len()));
        let mut first = [false; 256];
        for (value, _) in &hidden {
            first[usize::from(value[0])] = true;
        }
        Self {
            hidden,
            first,
            held: Vec::new(),
        }
    }

    /// Passes a chunk on, as far as it is known what it is.
    pub(crate) fn pass(&mut self, chunk: &[u8], sink: &mut dyn FnMut(&[u8])) {
        if self.hidden.is_empty() {
            return sink(chunk);
        }
        match self.held.is_empty() {
            true => self.scan(chunk, false, sink),
            false => {
                let mut joined = std::mem::take(&mut self.held);
                joined.extend_from_slice(chunk);
                self.scan(&joined, false, sink);
            }
        }
    }

    /// The stream has ended: what was held back is what it is.
    pub(crate) fn end(&mut self, sink: &mut dyn FnMut(&[u8])) {
        let held = std::mem::take(&mut self.held);
        self.scan(&held, true, sink);
    }

    fn scan(&mut self, bytes: &[u8], last: bool, sink: &mut dyn FnMut(&[u8])) {
        let (mut shown, mut at) = (0, 0);
        while at < bytes.len() {
            if !self.first[usize::from(bytes[at])] {
                at += 1;
                continue;
            }
            let rest = &bytes[at..];
            // The longest first: one that may still become it waits.
            let fits = |value: &[u8]| rest.starts_with(value) || (!last && value.starts_with(rest));
            match self.hidden.iter().find(|(value, _)| fits(value)) {
                Some((value, name)) if rest.starts_with(value) => {
                    let end = at + value.len();
                    emit(&bytes[shown..at], sink);
                    sink(name);
                    (shown, at) = (end, end);
                }
                Some(_) => {
                    self.held = rest.to_vec();
                    break;
                }
                None => at += 1,
            }
        }
        emit(&bytes[shown..at], sink);
    }
}

fn emit(bytes: &[u8], sink: &mut dyn FnMut(&[u8])) {
    if !bytes.is_empty() {
        sink(bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_hidden_wherever_the_chunks_end_and_the_rest_stays() {
        let secrets = BTreeMap::from([
            ("KEY".to_owned(), "abcabcabd".to_owned()),
            ("LONG".to_owned(), "abcabcabdabc".to_owned()),
            ("SHORT".to_owned(), "xyz".to_owned()),
        ]);
        for (printed, shown) in [
            ("key=abcabcabd.", "key=[KEY]."),
            ("abcabcabcabd", "abc[KEY]"),
            ("abcabcabdabc", "[LONG]"),
            ("abcabcabdab", "[KEY]ab"),
            ("abcabcab", "abcabcab"),
            ("xyz and abcabcabdabcabcabd", "xyz and [LONG]abcabd"),
            ("", ""),
        ] {
            for size in 1..=printed.len().max(1) {
                let mut veil = Veil::over(&secrets);
                let mut seen = Vec::new();
                for chunk in printed.as_bytes().chunks(size) {
                    veil.pass(chunk, &mut |bytes| seen.extend_from_slice(bytes));
                }
                veil.end(&mut |bytes| seen.extend_from_slice(bytes));
                assert_eq!(
                    String::from_utf8_lossy(&seen),
                    shown,
                    "chunks of {size} of {printed}"
                );
            }
        }
    }
}
