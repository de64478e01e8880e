//! Amounts of money, which are millionths of a dollar, as people read and write them.

use super::budgets::COST_MAX;

/// An amount as people read it: whole cents, and more places where it is less than one.
pub fn dollars(micros: u64) -> String {
    let whole = micros / 1_000_000;
    let part = micros % 1_000_000;
    match part.is_multiple_of(10_000) {
        true => format!("${whole}.{:02}", part / 10_000),
        false => format!("${whole}.{}", format!("{part:06}").trim_end_matches('0')),
    }
}

/// An amount as people write it: digits, at most one point, a dollar sign in front or not.
pub fn micros_of(text: &str) -> Option<u64> {
    let text = text.trim();
    let text = text.strip_prefix('$').unwrap_or(text);
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() && part.is_empty() || part.len() > 6 || !digits(whole) || !digits(part) {
        return None;
    }
    let whole: u64 = match whole {
        "" => 0,
        whole => whole.parse().ok()?,
    };
    let part: u64 = format!("{part:0<6}").parse().ok()?;
    let micros = whole.checked_mul(1_000_000)?.checked_add(part)?;
    (micros <= COST_MAX).then_some(micros)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_read_and_written_as_people_do() {
        for (text, micros) in [
            ("12", Some(12_000_000)),
            ("$0.5", Some(500_000)),
            (" 2.50 ", Some(2_500_000)),
            (".25", Some(250_000)),
            ("0.000001", Some(1)),
            ("1000000", Some(COST_MAX)),
            ("1000000.01", None),
            ("", None),
            ("$", None),
            (".", None),
            ("-1", None),
            ("1.2.3", None),
            ("1e3", None),
            ("0.0000001", None),
            ("99999999999999999999", None),
            ("twelve", None),
        ] {
            assert_eq!(micros_of(text), micros, "case: {text}");
        }
        for (micros, text) in [
            (0, "$0.00"),
            (12_000_000, "$12.00"),
            (2_500_000, "$2.50"),
            (1_234, "$0.001234"),
            (1_005_000, "$1.005"),
        ] {
            assert_eq!(dollars(micros), text);
        }
    }
}
