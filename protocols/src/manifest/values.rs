//! Words of the sprint file that mean more than their letters: durations, sizes, dates.
//!
//! Pure functions from text; why a text is refused is a sentence that says what to write.

use jiff::civil::Date;

use crate::deployment::{DAILY, DAY_MINUTES, DAYS, Window};
use crate::time::Span;
use crate::ways::TimeOfDay;

/// The longest duration, in hours.
const HOURS_MAX: u64 = 1_000_000;

/// Reads `09:00` (UTC) and `09:00+01:00`.
///
/// # Errors
/// What to write instead.
pub(super) fn hour(text: &str) -> Result<TimeOfDay, &'static str> {
    const HOW: &str = "write an hour of the day, in UTC or with how far it is ahead, such as \"09:00\" or \"09:00+01:00\"";
    let (time, away) = match text.find(['+', '-']) {
        Some(at) => text.split_at(at),
        None => (text, ""),
    };
    match (clock(time, 23), offset(away)) {
        (Some(minute), Some(offset)) => Ok(TimeOfDay { minute, offset }),
        _ => Err(HOW),
    }
}

/// Reads `09:00` as minutes.
fn clock(text: &str, hours_max: u16) -> Option<u16> {
    let (hours, minutes) = text.split_once(':')?;
    let number = |text: &str| {
        let plain = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit());
        plain.then(|| text.parse::<u16>().ok()).flatten()
    };
    let (hours, minutes) = (number(hours)?, number(minutes)?);
    (hours <= hours_max && minutes < 60).then_some(hours * 60 + minutes)
}

/// Reads `+01:00`, or nothing, as minutes ahead of UTC.
fn offset(text: &str) -> Option<i16> {
    match text.split_at_checked(1) {
        None => Some(0),
        Some((sign, away)) => clock(away, 14).and_then(|minutes| {
            let minutes = i16::try_from(minutes).ok()?;
            Some(if sign == "-" { -minutes } else { minutes })
        }),
    }
}

/// Reads `mon-thu 09:00-16:00`, `mon,wed 22:00-02:00+01:00`, `daily 00:00-24:00`.
///
/// # Errors
/// What to write instead.
pub(super) fn window(text: &str) -> Result<Window, &'static str> {
    const HOW: &str = "write days and hours, in UTC or with how far they are ahead, such as \"mon-thu 09:00-16:00\", \"mon,wed 22:00-02:00+01:00\" or \"daily 00:00-24:00\"";
    let (on, hours) = text.trim().split_once(' ').ok_or(HOW)?;
    let days = days(on).ok_or(HOW)?;
    let (from, rest) = hours.trim_start().split_once('-').ok_or(HOW)?;
    let (to, away) = match rest.find(['+', '-']) {
        Some(at) => rest.split_at(at),
        None => (rest, ""),
    };
    let to = match to {
        "24:00" => Some(DAY_MINUTES),
        to => clock(to, 23),
    };
    match (clock(from, 23), to, offset(away)) {
        (Some(from), Some(to), Some(offset)) if from != to => Ok(Window {
            days,
            from,
            to,
            offset,
        }),
        _ => Err(HOW),
    }
}

/// Reads `mon-thu,sat`, or `daily`, as the bits of a window; ranges may go over a weekend.
fn days(text: &str) -> Option<u8> {
    if text == DAILY {
        return Some(0x7f);
    }
    let number = |name: &str| DAYS.iter().position(|day| *day == name);
    let mut bits = 0u8;
    for part in text.split(',') {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let (first, last) = (number(first)?, number(last)?);
        for step in 0..=(last + 7 - first) % 7 {
            bits |= 1 << ((first + step) % 7);
        }
    }
    Some(bits)
}

/// Reads `90s`, `15m`, `1h30m`, `2d`, `500ms` and sums of such parts.
///
/// # Errors
/// What to write instead.
pub(super) fn duration(text: &str) -> Result<Span, &'static str> {
    const HOW: &str = "write a number with its unit, such as \"90s\", \"15m\", \"1h30m\" or \"2d\"";
    let mut rest = text.trim();
    if rest.is_empty() {
        return Err(HOW);
    }
    let mut sum: u64 = 0;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit()).ok_or(HOW)?;
        let n: u64 = rest[..digits].parse().map_err(|_| HOW)?;
        rest = &rest[digits..];
        let letters = rest
            .find(|c: char| !c.is_ascii_alphabetic())
            .unwrap_or(rest.len());
        let unit = match &rest[..letters] {
            "ms" => 1,
            "s" => 1_000,
            "m" | "min" => 60_000,
            "h" => 3_600_000,
            "d" => 86_400_000,
            _ => return Err(HOW),
        };
        rest = rest[letters..].trim_start();
        sum = n
            .checked_mul(unit)
            .and_then(|part| sum.checked_add(part))
            .filter(|&sum| sum <= HOURS_MAX * 3_600_000)
            .ok_or("write a duration under a million hours")?;
    }
    Ok(Span(sum))
}

/// Reads `512`, `64KiB`, `8MiB`, `1GiB`, in bytes.
///
/// # Errors
/// What to write instead.
pub(super) fn bytes(text: &str) -> Result<u64, &'static str> {
    const HOW: &str = "write a number of bytes or a size such as \"64KiB\", \"8MiB\" or \"1GiB\"";
    let text = text.trim();
    let digits = text
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(text.len());
    let n: u64 = text[..digits].parse().map_err(|_| HOW)?;
    let unit: u64 = match text[digits..].trim() {
        "" | "B" => 1,
        "KiB" => 1 << 10,
        "MiB" => 1 << 20,
        "GiB" => 1 << 30,
        _ => return Err(HOW),
    };
    n.checked_mul(unit).ok_or(HOW)
}

/// Reads `YYYY-MM-DD` and nothing else.
///
/// # Errors
/// What to write instead.
pub(super) fn date(text: &str) -> Result<Date, &'static str> {
    const HOW: &str = "write a day that exists, as YYYY-MM-DD, such as 2026-11-23";
    let shaped = text.len() == 10
        && text.bytes().enumerate().all(|(at, byte)| match at {
            4 | 7 => byte == b'-',
            _ => byte.is_ascii_digit(),
        });
    if !shaped {
        return Err(HOW);
    }
    text.parse().map_err(|_| HOW)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_as_people_write_them() {
        for (text, ms) in [
            ("90s", Some(90_000)),
            ("15m", Some(900_000)),
            ("1h30m", Some(5_400_000)),
            ("1h 30min", Some(5_400_000)),
            ("2d", Some(172_800_000)),
            ("500ms", Some(500)),
            ("0s", Some(0)),
            ("", None),
            ("15", None),
            ("m", None),
            ("-5m", None),
            ("1.5h", None),
            ("15 apples", None),
            ("99999999999999999999h", None),
            ("9999999999d", None),
        ] {
            assert_eq!(duration(text).ok(), ms.map(Span), "case: {text:?}");
        }
    }

    #[test]
    fn a_window_is_read_and_written_alike() {
        for (text, written) in [
            ("mon-thu 09:00-16:00", Some("mon-thu 09:00-16:00")),
            (
                "mon,tue,wed,sun 09:00-16:30+01:00",
                Some("mon-wed,sun 09:00-16:30+01:00"),
            ),
            (
                "sat-mon 22:00-02:00-05:30",
                Some("mon,sat-sun 22:00-02:00-05:30"),
            ),
            ("mon-sun 00:00-24:00", Some("daily 00:00-24:00")),
            ("daily 23:00-01:00", Some("daily 23:00-01:00")),
            ("", None),
            ("mon", None),
            ("mon 09:00", None),
            ("mon 09:00-09:00", None),
            ("mon 24:00-09:00", None),
            ("mon 09:00-24:01", None),
            ("monday 09:00-16:00", None),
            ("mon- 09:00-16:00", None),
            ("mon 09:00-16:00+1", None),
        ] {
            let read = window(text).ok().map(|window| window.to_string());
            assert_eq!(read.as_deref(), written, "case: {text:?}");
            if let Some(written) = &read {
                assert_eq!(window(written), window(text), "case: {text:?}");
            }
        }
    }

    #[test]
    fn sizes_and_days_are_exact() {
        for (text, n) in [("8MiB", Some(8 << 20)), ("10", Some(10)), ("8MB", None)] {
            assert_eq!(bytes(text).ok(), n, "case: {text:?}");
        }
        for (text, ok) in [
            ("2026-11-23", true),
            ("2028-02-29", true),
            ("2026-02-29", false),
            ("2026-13-01", false),
            ("23.11.2026", false),
            ("2026-11-23T10:00:00Z", false),
            ("", false),
        ] {
            assert_eq!(date(text).is_ok(), ok, "case: {text:?}");
        }
    }
}
