//! What programs say when their provider takes no more requests of an account: too many in a short time, or all that was paid for.
//!
//! There is no one word for it, so a status of 429 counts, and in the text of an *error* the phrases that the providers of coding agents use.
//! The text of work that went well is never looked at: an agent may well write about limits.

use director_protocols::time::Time;

/// The status of a provider that gets too many requests (RFC 6585).
const TOO_MANY: u64 = 429;
/// Phrases of providers, in small letters.
const PHRASES: [&str; 12] = [
    "usage limit reached",
    "limit reached|",
    "hit your limit",
    "hit your usage limit",
    "rate limit",
    "rate_limit",
    "ratelimit",
    "too many requests",
    "quota exceeded",
    "exceeded your current quota",
    "insufficient_quota",
    "resource_exhausted",
];

/// Whether an error is about a limit of the account; then when it ends, where the text has that.
pub fn limit(status: Option<u64>, text: &str) -> Option<Option<Time>> {
    let small = text.to_ascii_lowercase();
    let is_one = status == Some(TOO_MANY) || PHRASES.iter().any(|phrase| small.contains(phrase));
    is_one.then(|| until(text))
}

/// The moment in `…limit reached|1764165600`, in seconds or milliseconds since the Unix epoch.
fn until(text: &str) -> Option<Time> {
    text.split('|').skip(1).find_map(|part| {
        let digits = part.len() - part.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let number = part[..digits].parse().ok()?;
        match digits {
            10 => Some(Time(number * 1_000_u64)),
            13 => Some(Time(number)),
            _ => None,
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_is_known_by_its_status_or_its_words_and_has_its_end_where_that_is_said() {
        for (status, text, expected) in [
            (Some(429), "slow down", Some(None)),
            (Some(500), "overloaded", None),
            (
                None,
                "Claude AI usage limit reached|1764165600",
                Some(Some(Time(1_764_165_600_000))),
            ),
            (
                None,
                "limit reached|1764165600123 of this week",
                Some(Some(Time(1_764_165_600_123))),
            ),
            (None, "limit reached|12", Some(None)),
            (None, "limit reached|99999999999999999999999999", Some(None)),
            (None, "You've hit your limit · resets 3am (UTC)", Some(None)),
            (
                None,
                "RESOURCE_EXHAUSTED: Quota exceeded for quota metric",
                Some(None),
            ),
            (None, "the file is not there", None),
        ] {
            assert_eq!(limit(status, text), expected, "case: {text}");
        }
    }
}
