//! Working days: what "day 3" is, and how much working time a sprint has.
//!
//! Schedules count working time from 0; a day of it has the sprint's hours per day. Monday to Friday are worked; a
//! sprint whose days all fall on a weekend works on them. No clock is read: a sprint without dates has day
//! numbers only.

use director_protocols::deployment::Window;
use director_protocols::sprint::SprintSpec;
use director_protocols::time::{Span, Time};
use director_protocols::ways::TimeOfDay;
use jiff::ToSpan as _;
use jiff::civil::{Date, Weekday};

/// A minute and a day, in milliseconds.
const MINUTE: i64 = 60_000;
const DAY: i64 = 24 * 60 * MINUTE;

/// The sprint's working time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Calendar {
    /// Working time in a day, in milliseconds; never 0.
    pub day: u64,
    /// The first and, if it is known, the last date.
    start: Option<Date>,
    /// Working days in the sprint, when both dates are known and in order.
    pub days: Option<u64>,
    /// Whether Saturdays and Sundays count.
    weekends: bool,
    /// Why the end that is written cannot limit the sprint.
    pub unclear: Option<&'static str>,
}

impl Calendar {
    /// The calendar of a sprint. A day of no length counts as eight hours.
    pub fn of(spec: &SprintSpec) -> Self {
        let date =
            |text: &Option<String>| text.as_deref().and_then(|text| text.parse::<Date>().ok());
        let (start, end) = (date(&spec.start), date(&spec.end));
        let length = match (start, end) {
            (Some(start), Some(end)) if start <= end => days_between(start, end),
            _ => None,
        };
        let working = start
            .zip(length)
            .map(|(start, length)| working_days(start.weekday(), length));
        let unclear = match (&spec.start, &spec.end) {
            (_, None) => None,
            (None, Some(_)) => Some("it has an end but no start, so the end limits nothing"),
            (Some(_), Some(_)) if start.is_none() || end.is_none() => {
                Some("its dates are not dates, so the end limits nothing")
            }
            (Some(_), Some(_)) if start > end => {
                Some("it ends before it starts, so the end limits nothing")
            }
            _ => None,
        };
        Self {
            day: match spec.day {
                Span::ZERO => Span::hours(8).0,
                day => day.0,
            },
            start,
            days: if working == Some(0) { length } else { working },
            weekends: working == Some(0),
            unclear,
        }
    }

    /// The calendar of work that has a first day and no end.
    pub fn from_start(start: &str, day: Span) -> Self {
        Self {
            day: day.0.max(1),
            start: start.parse().ok(),
            days: None,
            weekends: false,
            unclear: None,
        }
    }

    /// The first such hour of a working day after `now`, not before the first day; none beyond the end of time.
    pub fn next(&self, hour: TimeOfDay, now: Time) -> Option<Time> {
        let shift = i64::from(hour.offset) * MINUTE;
        let into_day = i64::from(hour.minute) * MINUTE;
        let local = i64::try_from(now.0).ok()?.checked_add(shift)?;
        let first = self.start.map_or(0, |start| {
            i64::from((start - jiff::civil::date(1970, 1, 1)).get_days())
        });
        let mut day = local.div_euclid(DAY).max(first);
        if day * DAY + into_day <= local {
            day += 1;
        }
        while !self.is_worked(day) {
            day += 1;
        }
        let at = day.checked_mul(DAY)? + into_day - shift;
        u64::try_from(at).ok().map(Time)
    }

    /// The end of the last day, in UTC, when both dates are known and in order.
    pub fn end(&self) -> Option<Time> {
        let days = self.days?;
        let after = self.date(days)?.checked_add(1.day()).ok()?;
        let days = i64::from((after - jiff::civil::date(1970, 1, 1)).get_days());
        u64::try_from(days.checked_mul(DAY)?).ok().map(Time)
    }

    /// When somebody who begins at `from` has worked for `work`, if their working days begin at that hour; none beyond the end of time.
    pub fn worked(&self, from: Time, work: Span, begins: TimeOfDay) -> Option<Time> {
        let begin = (i64::from(begins.minute) - i64::from(begins.offset)) * MINUTE;
        let long = i64::try_from(self.day).ok()?.clamp(1, DAY);
        let mut left = i64::try_from(work.0).ok()?;
        let at = |day: i64, into: i64| -> Option<Time> {
            let time = day.checked_mul(DAY)?.checked_add(begin + into)?;
            u64::try_from(time).ok().map(Time)
        };
        let since = i64::try_from(from.0).ok()?.checked_sub(begin)?;
        let (mut day, into) = (since.div_euclid(DAY), since.rem_euclid(DAY));
        if self.is_worked(day) && into < long {
            if left <= long - into {
                return at(day, into + left);
            }
            left -= long - into;
        }
        day += 1;
        let week = if self.weekends { 7 } else { 5 } * long;
        let weeks = (left - 1).max(0) / week;
        (day, left) = (day + weeks * 7, left - weeks * week);
        loop {
            if self.is_worked(day) {
                if left <= long {
                    return at(day, left);
                }
                left -= long;
            }
            day += 1;
        }
    }

    /// Whether people work on that day; the first of January 1970, a Thursday, is day 0.
    fn is_worked(&self, day: i64) -> bool {
        self.weekends || (day + 3).rem_euclid(7) <= 4
    }

    /// Working time until the end of the last day, in milliseconds; `None` when the sprint has no known end.
    pub fn limit(&self) -> Option<u64> {
        self.days.map(|days| days.saturating_mul(self.day))
    }

    /// The number, from 1, of the day on which something starts at `at` (milliseconds).
    pub fn day_of_start(&self, at: u64) -> u64 {
        at / self.day + 1
    }

    /// The number, from 1, of the day on which something is finished at `at` (milliseconds).
    pub fn day_of_finish(&self, at: u64) -> u64 {
        at.div_ceil(self.day).max(1)
    }

    /// The date of a day number, when the sprint has a start and the date exists.
    pub fn date(&self, day: u64) -> Option<Date> {
        let start = self.start?;
        let after = i64::try_from(day.checked_sub(1)?)
            .ok()
            .filter(|&n| n < 4_000_000)?;
        let offset = if self.weekends {
            after
        } else {
            // Count from the Monday of the start's week; a start at the weekend moves to the next Monday.
            let weekday = i64::from(start.weekday().to_monday_zero_offset());
            let (weekday, skipped) = if weekday > 4 {
                (0, 7 - weekday)
            } else {
                (weekday, 0)
            };
            let target = weekday + after;
            skipped + target / 5 * 7 + target % 5 - weekday
        };
        start.checked_add(offset.days()).ok()
    }
}

/// When the next of these windows opens; none where one is open at `now`, or there are none.
pub fn opens(windows: &[Window], now: Time) -> Option<Time> {
    let now = i64::try_from(now.0).ok()?;
    let mut next: Option<i64> = None;
    for window in windows {
        let shift = i64::from(window.offset) * MINUTE;
        let local = now.checked_add(shift)?;
        let (from, long) = (
            i64::from(window.from) * MINUTE,
            i64::from(window.minutes()) * MINUTE,
        );
        let today = local.div_euclid(DAY);
        // One that opened yesterday may be open still; the next one opens within a week.
        for day in today - 1..=today + 7 {
            let weekday = (day + 3).rem_euclid(7) as u8;
            let opens = day * DAY + from;
            if !window.opens_on(weekday) || opens + long <= local {
                continue;
            }
            if opens <= local {
                return None;
            }
            next = Some(next.map_or(opens - shift, |next| next.min(opens - shift)));
            break;
        }
    }
    next.and_then(|at| u64::try_from(at).ok()).map(Time)
}

/// Days from `start` to `end`, both counted.
fn days_between(start: Date, end: Date) -> Option<u64> {
    let days = start.until(end).ok()?.get_days();
    u64::try_from(days).ok().map(|days| days + 1)
}

/// Mondays to Fridays among `length` days from a `first` one.
fn working_days(first: Weekday, length: u64) -> u64 {
    let first = first.to_monday_zero_offset() as u64;
    let rest = (0..length % 7).filter(|n| (first + n) % 7 < 5).count() as u64;
    length / 7 * 5 + rest
}

#[cfg(test)]
mod tests {
    use super::super::examples;
    use super::*;

    fn calendar(start: Option<&str>, end: Option<&str>) -> Calendar {
        let mut spec = examples::checkout();
        spec.start = start.map(str::to_owned);
        spec.end = end.map(str::to_owned);
        Calendar::of(&spec)
    }

    #[test]
    fn weekends_do_not_count_unless_there_is_nothing_else() {
        for (case, start, end, days, third) in [
            (
                "two weeks",
                "2026-11-23",
                "2026-12-04",
                Some(10),
                "2026-11-25",
            ),
            (
                "over a weekend",
                "2026-11-26",
                "2026-12-02",
                Some(5),
                "2026-11-30",
            ),
            (
                "from a Saturday",
                "2026-11-28",
                "2026-12-02",
                Some(3),
                "2026-12-02",
            ),
            (
                "a weekend",
                "2026-11-28",
                "2026-11-29",
                Some(2),
                "2026-11-30",
            ),
            ("one day", "2026-11-23", "2026-11-23", Some(1), "2026-11-25"),
            ("backwards", "2026-11-23", "2026-11-20", None, "2026-11-25"),
        ] {
            let calendar = calendar(Some(start), Some(end));
            assert_eq!(calendar.days, days, "case: {case}");
            let date = calendar.date(3).map(|date| date.to_string());
            assert_eq!(date.as_deref(), Some(third), "case: {case}");
        }
    }

    #[test]
    fn an_end_that_cannot_limit_says_why() {
        for (start, end, clear) in [
            (None, None, true),
            (Some("2026-11-23"), None, true),
            (Some("2026-11-23"), Some("2026-11-24"), true),
            (None, Some("2026-11-24"), false),
            (Some("2026-11-25"), Some("2026-11-24"), false),
            (Some("soon"), Some("2026-11-24"), false),
        ] {
            let calendar = calendar(start, end);
            assert_eq!(
                calendar.unclear.is_none(),
                clear,
                "case: {start:?} to {end:?}"
            );
        }
    }

    #[test]
    fn a_day_has_its_hours() {
        let calendar = calendar(None, None);
        let hour = Span::hours(1).0;
        for (at, started, finished) in [(0, 1, 1), (7, 1, 1), (8, 2, 1), (9, 2, 2), (16, 3, 2)] {
            assert_eq!(calendar.day_of_start(at * hour), started, "start at {at}");
            assert_eq!(
                calendar.day_of_finish(at * hour),
                finished,
                "finish at {at}"
            );
        }
        assert_eq!(calendar.date(1), None);
    }

    #[test]
    fn a_window_is_open_or_the_next_one_is_known() {
        let window = |days, from: u16, to: u16, offset| Window {
            days,
            from: from * 60,
            to: to * 60,
            offset,
        };
        let (thu, fri, all) = (0b000_1000, 0b001_0000, 0b111_1111);
        let hour = Span::hours(1).0;
        // Time begins on a Thursday.
        for (case, windows, at, opens) in [
            ("no window", vec![], 5, None),
            ("inside", vec![window(thu, 4, 6, 0)], 5, None),
            ("as it opens", vec![window(thu, 5, 6, 0)], 5, None),
            (
                "as it closes",
                vec![window(thu, 4, 5, 0)],
                5,
                Some(7 * 24 + 4),
            ),
            ("later today", vec![window(thu, 9, 10, 0)], 5, Some(9)),
            (
                "the nearer",
                vec![window(fri, 9, 10, 0), window(thu, 20, 21, 0)],
                5,
                Some(20),
            ),
            ("over midnight", vec![window(thu, 22, 3, 0)], 26, None),
            (
                "after it",
                vec![window(thu, 22, 3, 0)],
                27,
                Some(7 * 24 + 22),
            ),
            ("further east", vec![window(all, 9, 10, 120)], 5, Some(7)),
            ("further west", vec![window(thu, 22, 23, -180)], 25, None),
        ] {
            let found = opens_at(&windows, at * hour);
            assert_eq!(found, opens.map(|hours: u64| hours * hour), "case: {case}");
        }
    }

    #[test]
    fn a_person_has_worked_when_their_hours_are_over() {
        let calendar = calendar(None, None);
        let nine = TimeOfDay {
            minute: 9 * 60,
            offset: 0,
        };
        // Time begins on a Thursday; a day has eight hours.
        for (case, from, work, until) in [
            ("the same day", 10, 3, 13),
            ("its last minute", 10, 7, 17),
            ("into the next day", 10, 8, 24 + 10),
            ("from the night", 3, 2, 11),
            ("from the evening", 20, 2, 24 + 11),
            ("over the weekend", 24 + 16, 2, 4 * 24 + 10),
            ("from the weekend", 2 * 24 + 12, 1, 4 * 24 + 10),
            ("two weeks", 10, 80, 14 * 24 + 10),
            ("nothing", 10, 0, 10),
        ] {
            let hour = Span::hours(1).0;
            let found = calendar.worked(Time(from * hour), Span::hours(work), nine);
            assert_eq!(found, Some(Time(until * hour)), "case: {case}");
        }
        let forever = calendar.worked(Time(0), Span(u64::MAX / 2), nine);
        assert_eq!(forever, None);
    }

    #[test]
    fn the_last_day_ends_at_midnight() {
        let monday = calendar(Some("2026-11-26"), Some("2026-11-30"));
        let end = monday.end().map(|time| time.0 / 1000);
        assert_eq!(end, Some(1_796_083_200), "2026-12-01T00:00:00Z");
        assert_eq!(calendar(Some("2026-11-26"), None).end(), None);
        // A weekend after the last working day is no time to work in.
        let sunday = calendar(Some("2026-11-26"), Some("2026-11-29"));
        assert_eq!(sunday.end().map(|time| time.0 / 1000), Some(1_795_824_000));
    }

    fn opens_at(windows: &[Window], at: u64) -> Option<u64> {
        opens(windows, Time(at)).map(|at| at.0)
    }
}
