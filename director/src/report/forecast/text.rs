//! The forecast for a terminal: the answer first, then the shape, then what it hangs on.

use std::fmt::Write as _;

use director_protocols::time::Span;

use super::start::{self, Start};
use super::{HOUR, Shown, compared, money, wilson};
use crate::report::text::short;
use crate::simulate::spread::{Shape, Spread};
use crate::simulate::sums::Sums;
use crate::simulate::watch::TROUBLES;
use crate::view::minute;

const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
/// Lines of the histogram.
const HEIGHT: usize = 6;
/// Tasks and roles that are listed.
const LISTED: usize = 8;

/// The forecast, no wider than `width` columns.
pub fn text(shown: &Shown<'_>, width: usize) -> String {
    let width = width.clamp(60, 100);
    let mut out = String::new();
    head(shown, &mut out);
    if shown.sums.finish.count() > 0 {
        answer(shown, &mut out);
    }
    money::text(shown, &mut out);
    if shown.sums.finish.count() > 0 {
        shape(shown, width, &mut out);
    }
    hangs_on(shown, &mut out);
    roles(shown, &mut out);
    trouble(shown, &mut out);
    start::learned(shown, &mut out);
    compared::text(shown, &mut out);
    for note in shown.notes() {
        let _ = write!(out, "\nnote: {note}");
    }
    if !out.ends_with('\n') {
        out.push('\n');
    }
    out
}

/// One line about what is known so far.
pub fn progress(sums: &Sums, deadline: Option<Span>) -> String {
    let finish = &sums.finish;
    let mut line = format!("{} runs", grouped(sums.runs));
    if finish.count() > 1 {
        let (low, high) = finish.quantile_interval(0.85);
        let _ = write!(
            line,
            "   half by {}   85% by {} ± {}",
            hours(finish.quantile(0.5)),
            hours(finish.quantile(0.85)),
            hours((high - low) / 2)
        );
    }
    if deadline.is_some() {
        let _ = write!(
            line,
            "   on time {}",
            percent(sums.on_time as f64 / sums.runs.max(1) as f64)
        );
    }
    line
}

fn head(shown: &Shown<'_>, out: &mut String) {
    let sums = shown.sums;
    let of = match shown.start {
        Start::Rest(_) => "the rest of ",
        Start::File | Start::Again { .. } => "",
    };
    let _ = writeln!(
        out,
        "Forecast of {of}{}: {}, {} simulated runs, seed {}, faults {}",
        short(shown.spec.id.as_str(), 40),
        crate::view::count(shown.spec.tasks.len(), "task"),
        grouped(sums.runs),
        shown.seed,
        shown.faults
    );
    if let Some(line) = start::line(shown) {
        let _ = writeln!(out, "{line}");
    }
    out.push('\n');
}

fn answer(shown: &Shown<'_>, out: &mut String) {
    let (sums, finish) = (shown.sums, &shown.sums.finish);
    let day = shown.spec.day.0;
    let line = |part: f64| {
        let at = finish.quantile(part);
        let (low, high) = finish.quantile_interval(part);
        let when = match shown.start {
            Start::Rest(rest) => minute(rest.now + Span(at)),
            Start::File | Start::Again { .. } => {
                format!("day {:<4}", at.div_ceil(day.max(1)).max(1))
            }
        };
        format!(
            "{:>9}   {when} ({} to {})",
            hours(at),
            hours(low),
            hours(high)
        )
    };
    let _ = writeln!(out, "  even odds        {}", line(0.5));
    let _ = writeln!(out, "  85 of 100 by     {}", line(0.85));
    let _ = writeln!(out, "  95 of 100 by     {}", line(0.95));
    if let Some(deadline) = shown.set.deadline {
        let (low, high) = wilson(sums.on_time, sums.runs);
        let _ = writeln!(
            out,
            "  on time          {:>9}   by {} of working time ({} to {})",
            percent(shown.share(sums.on_time)),
            hours(deadline.0),
            percent(low),
            percent(high)
        );
    }
    if sums.done < sums.runs {
        let _ = writeln!(
            out,
            "  finishes at all  {:>9}   the figures above are of the runs that do",
            percent(shown.share(sums.done))
        );
    }
    let effort = &sums.effort;
    let _ = writeln!(
        out,
        "  agents' time     {:>9}   85 of 100 below {}",
        hours(effort.quantile(0.5)),
        hours(effort.quantile(0.85))
    );
    let _ = writeln!(
        out,
        "  points           {:>9}   of {}, on average{}",
        format!("{:.1}", sums.points.mean()),
        shown
            .set
            .engine
            .state()
            .tasks
            .tally(shown.set.sprint)
            .committed_points,
        if shown.set.deadline.is_some() {
            " in time"
        } else {
            ""
        }
    );
}

/// The histogram with the share that is done below it.
fn shape(shown: &Shown<'_>, width: usize, out: &mut String) {
    let finish = &shown.sums.finish;
    if finish.min() == finish.max() {
        let _ = writeln!(out, "\n  every run ends at {}", hours(finish.min()));
        return;
    }
    let columns = width - 14;
    let mut shape = finish.shape(columns);
    let tail = shape.beyond;
    if tail > 0 {
        // One more bar for the tail, apart from the others.
        shape = finish.shape(columns - 2);
    }
    let most = shape.bars.iter().copied().max().unwrap_or(1).max(1);
    out.push('\n');
    for line in (0..HEIGHT).rev() {
        let bar = |count: u64| {
            let eighths = (count as f64 / most as f64 * (HEIGHT * 8) as f64).ceil() as usize;
            match eighths.saturating_sub(line * 8) {
                0 => ' ',
                n => BARS[n.min(8) - 1],
            }
        };
        let mut text: String = shape.bars.iter().map(|count| bar(*count)).collect();
        if tail > 0 {
            text.push(' ');
            text.push(bar(shape.beyond));
        }
        let label = if line == HEIGHT - 1 { "ends" } else { "" };
        let _ = writeln!(out, "  {label:>6}  {}", text.trim_end());
    }
    marks(finish, &shape, out);
    axis(finish, &shape, out);
}

/// A line that names where 50, 85 and 95 of a hundred are done.
fn marks(finish: &Spread, shape: &Shape, out: &mut String) {
    let mut line = vec!['─'; shape.bars.len()];
    for (part, label) in [(0.95, "95%"), (0.85, "85%"), (0.5, "50%")] {
        let at = column(shape, finish.quantile(part));
        for (place, c) in (at.saturating_sub(1)..).zip(label.chars()) {
            if let Some(cell) = line.get_mut(place) {
                *cell = c;
            }
        }
    }
    let mut line: String = line.into_iter().collect();
    if shape.beyond > 0 {
        line.push_str("┄┄");
    }
    let _ = writeln!(out, "    done  {line}");
}

fn axis(finish: &Spread, shape: &Shape, out: &mut String) {
    let columns = shape.bars.len();
    let (from, to) = (hours(shape.from), hours(shape.to));
    let middle = hours(shape.from + (shape.to - shape.from) / 2);
    let left = (columns.saturating_sub(middle.len()) / 2).saturating_sub(from.len());
    let right = columns.saturating_sub(from.len() + left + middle.len() + to.len());
    let _ = writeln!(
        out,
        "          {from}{}{middle}{}{to}",
        " ".repeat(left),
        " ".repeat(right)
    );
    if shape.beyond > 0 {
        let share = shape.beyond as f64 / finish.count().max(1) as f64;
        let _ = writeln!(
            out,
            "          the last bar: {} end later, the last after {}",
            percent(share),
            hours(finish.max())
        );
    }
}

fn column(shape: &Shape, at: u64) -> usize {
    let width = (shape.to - shape.from).max(1) as f64;
    let columns = shape.bars.len();
    ((at.saturating_sub(shape.from) as f64 / width * columns as f64) as usize).min(columns - 1)
}

fn hangs_on(shown: &Shown<'_>, out: &mut String) {
    let mut tasks: Vec<_> = (0..shown.spec.tasks.len())
        .filter(|task| shown.task(*task).critical > 0)
        .collect();
    tasks.sort_by_key(|task| (std::cmp::Reverse(shown.task(*task).critical), *task));
    if tasks.is_empty() {
        return;
    }
    let _ = writeln!(
        out,
        "\n  the end hangs on          critical   moves the end   cycle     attempts"
    );
    for task in tasks.into_iter().take(LISTED) {
        let seen = shown.task(task);
        let cycle = match seen.done {
            0 => "never".to_owned(),
            done => hours((seen.cycle / u128::from(done)) as u64),
        };
        let _ = writeln!(
            out,
            "    {:<22} {:>8}   {:>13}   {cycle:<8}  {:.2}",
            short(shown.spec.tasks[task].id.as_str(), 22),
            percent(shown.share(seen.critical)),
            format!("{:+.2}", shown.sums.cruciality(shown.row(task))),
            seen.attempts as f64 / shown.sums.runs as f64
        );
    }
}

fn roles(shown: &Shown<'_>, out: &mut String) {
    let mut roles: Vec<_> = shown
        .utilization()
        .into_iter()
        .zip(&shown.set.agents)
        .filter(|((_, share, _), _)| *share > 0.0)
        .collect();
    roles.sort_by(|((_, a, _), _), ((_, b, _), _)| b.total_cmp(a));
    if roles.is_empty() {
        return;
    }
    let _ = writeln!(
        out,
        "\n  role                      agents   at work               a task waits"
    );
    for ((role, share, waited), agents) in roles.into_iter().take(LISTED) {
        let _ = writeln!(
            out,
            "    {:<22} {agents:>6}   {} {:>4}   {}",
            short(role, 22),
            meter(share, 12),
            percent(share),
            hours((waited * HOUR) as u64)
        );
    }
}

/// A bar of `cells` characters.
fn meter(share: f64, cells: usize) -> String {
    let full = (share.clamp(0.0, 1.0) * cells as f64).round() as usize;
    format!("{}{}", "█".repeat(full), "░".repeat(cells - full))
}

fn trouble(shown: &Shown<'_>, out: &mut String) {
    let runs = shown.sums.runs.max(1) as f64;
    let each = |names: &[&str], counts: &[u64]| -> Vec<String> {
        names
            .iter()
            .zip(counts)
            .filter(|(_, count)| **count > 0)
            .map(|(name, count)| format!("{} {:.2}", name.replace('_', " "), *count as f64 / runs))
            .collect()
    };
    let failures = each(&TROUBLES, &shown.sums.troubles);
    if !failures.is_empty() {
        let _ = writeln!(out, "\n  in a sprint, on average: {}", failures.join(", "));
    }
    let tiers = each(&["low", "medium", "high", "critical"], &shown.sums.tiers);
    if !tiers.is_empty() {
        let _ = writeln!(out, "  blockers by tier: {}", tiers.join(", "));
    }
    if let Some(rate) = shown.rate {
        let _ = writeln!(out, "  {} sprints a second", grouped(rate as u64));
    }
}

/// A time in the unit that keeps it short.
pub(crate) fn hours(ms: u64) -> String {
    let hours = ms as f64 / HOUR;
    match ms {
        0..60_000 => format!("{:.0} s", ms as f64 / 1_000.0),
        60_000..3_600_000 => format!("{:.0} min", ms as f64 / 60_000.0),
        _ if hours < 100.0 => format!("{hours:.1} h"),
        _ => format!("{hours:.0} h"),
    }
}

pub(super) fn percent(share: f64) -> String {
    match share * 100.0 {
        p if p > 0.0 && p < 0.5 => "<1%".to_owned(),
        p if (99.5..100.0).contains(&p) => ">99%".to_owned(),
        p => format!("{p:.0}%"),
    }
}

/// A number with a space between thousands.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            out.push('\u{202f}');
        }
        out.push(digit);
    }
    out
}
