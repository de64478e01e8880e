//! The forecast as pictures: histogram, S-curve and tornado, each an SVG, and the page that holds them.

use std::fmt::Write as _;

use super::{HOUR, Shown, money, text};
use crate::report::charts::{self, Axis, Bin, Frame, Mark, Swing, bins};
use crate::report::text::{short, xml};
use crate::simulate::spread::Spread;

/// Points that a distribution is drawn from.
const SAMPLES: u32 = 2_000;
/// Bars of the histogram.
const BARS: usize = 40;

/// When it ends, as a histogram.
pub fn histogram(shown: &Shown<'_>) -> String {
    draw_histogram(shown, Frame::standalone)
}

/// The page: the three pictures and the text.
pub fn html(shown: &Shown<'_>) -> String {
    let title = format!("Forecast of {}", short(shown.spec.id.as_str(), 60));
    let mut out = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>{}</title>\n<style>{}{STYLE}</style>\n</head>\n<body>\n<main>\n<h1>{}</h1>\n",
        xml(&title),
        charts::css(),
        xml(&title)
    );
    let _ = writeln!(out, "<p>{}</p>", xml(&summary(shown)));
    let inside = |frame| frame;
    for (heading, chart) in [
        ("When it ends", draw_histogram(shown, inside)),
        ("Done by then", s_curve(shown, inside)),
        ("What moves the end", tornado(shown, inside)),
    ] {
        let _ = writeln!(out, "<section>\n<h2>{heading}</h2>\n{chart}\n</section>");
    }
    let plain = text(shown, 100);
    let escaped: Vec<String> = plain.lines().map(escape).collect();
    let _ = writeln!(
        out,
        "<section>\n<h2>In figures</h2>\n<pre>{}</pre>\n</section>\n</main>\n</body>\n</html>",
        escaped.join("\n")
    );
    out
}

const STYLE: &str = "\
body{margin:0;background:#fff;color:#1f2937;font:16px/1.5 system-ui,-apple-system,'Segoe UI',Helvetica,Arial,sans-serif}
main{max-width:920px;margin:0 auto;padding:24px}h1{font-size:26px;margin:0 0 4px}h2{font-size:18px;margin:32px 0 8px}
svg{max-width:100%;height:auto}pre{overflow-x:auto;font-size:13px;line-height:1.35;background:#f4f6f8;padding:16px;border-radius:6px}
@media (prefers-color-scheme:dark){body{background:#14181f;color:#e5e9ef}pre{background:#1b212a}}";

fn escape(line: &str) -> String {
    line.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

fn summary(shown: &Shown<'_>) -> String {
    let finish = &shown.sums.finish;
    if finish.count() == 0 {
        return shown.notes().join(" ");
    }
    let at = |part: f64| finish.quantile(part) as f64 / HOUR;
    let mut said = format!(
        "In {} simulated runs, half end by {:.1} h, 85 of 100 by {:.1} h and 95 of 100 by {:.1} h.",
        shown.sums.runs,
        at(0.5),
        at(0.85),
        at(0.95)
    );
    if shown.set.deadline.is_some() {
        let _ = write!(
            said,
            " {:.0} of 100 are in time.",
            shown.share(shown.sums.on_time) * 100.0
        );
    }
    said.push_str(&money::sentence(shown));
    said
}

fn samples(finish: &Spread) -> Vec<f64> {
    match finish.count() {
        0 => Vec::new(),
        _ => (0..SAMPLES)
            .map(|place| {
                finish.quantile((f64::from(place) + 0.5) / f64::from(SAMPLES)) as f64 / HOUR
            })
            .collect(),
    }
}

fn marks(shown: &Shown<'_>) -> Vec<Mark> {
    let finish = &shown.sums.finish;
    if finish.count() == 0 {
        return Vec::new();
    }
    let mark = |name: &str, at: u64| Mark {
        name: name.to_owned(),
        at: at as f64 / HOUR,
    };
    let mut marks: Vec<Mark> = [("P50", 0.5), ("P85", 0.85), ("P95", 0.95)]
        .into_iter()
        .map(|(name, part)| mark(name, finish.quantile(part)))
        .collect();
    marks.extend(
        shown
            .set
            .deadline
            .map(|deadline| mark("deadline", deadline.0)),
    );
    marks
}

fn draw_histogram<'a>(shown: &Shown<'_>, finished: impl Fn(Frame<'a>) -> Frame<'a>) -> String {
    let about = summary(shown);
    let finish = &shown.sums.finish;
    let shape = finish.shape(BARS);
    let shown_to = shape.to as f64 / HOUR;
    let mut points = samples(finish);
    if shape.beyond > 0 {
        points.retain(|at| *at <= shown_to);
    }
    let mut bars = bins(Axis::Hours, &points, BARS);
    for bar in &mut bars {
        // Drawn from so many points of the distribution, and counted in runs.
        bar.count = bar.count * finish.count() / u64::from(SAMPLES);
    }
    let mut marks = marks(shown);
    if let (Some(last), true) = (bars.last().cloned(), shape.beyond > 0) {
        // The tail in one bar, a little apart from the others.
        let width = last.to - last.from;
        let tail = Bin {
            from: last.to + width,
            to: last.to + 2.0 * width,
            count: shape.beyond,
        };
        marks.retain(|mark| mark.at <= last.to);
        marks.push(Mark {
            name: format!("later, to {}", super::text::hours(finish.max())),
            at: tail.from + width / 2.0,
        });
        bars.push(tail);
    }
    // The frame's texts live no longer than this call.
    let frame = finished(Frame::wide("ends", "When it ends", ""));
    let frame = Frame {
        about: &about,
        ..frame
    };
    charts::histogram(&frame, Axis::Hours, "end", &bars, &marks)
}

fn s_curve<'a>(shown: &Shown<'_>, finished: impl Fn(Frame<'a>) -> Frame<'a>) -> String {
    let about = summary(shown);
    let frame = finished(Frame::wide("done", "Share of runs that are done", ""));
    let frame = Frame {
        about: &about,
        ..frame
    };
    charts::s_curve(
        &frame,
        Axis::Hours,
        "end",
        &samples(&shown.sums.finish),
        &marks(shown),
    )
}

fn tornado<'a>(shown: &Shown<'_>, finished: impl Fn(Frame<'a>) -> Frame<'a>) -> String {
    let swings: Vec<Swing> = (0..shown.spec.tasks.len())
        .filter_map(|task| {
            let (low, high) = shown.task(task).swing()?;
            Some(Swing {
                name: short(shown.spec.tasks[task].id.as_str(), 24),
                low: low / HOUR,
                high: high / HOUR,
            })
        })
        .filter(|swing| swing.high > swing.low)
        .collect();
    let about =
        "The mean end of the sprint where a task is short and where it is long, the widest first.";
    let frame = finished(Frame::wide("moves", "What moves the end", ""));
    let frame = Frame { about, ..frame };
    let mean = shown.sums.finish.mean() / HOUR;
    charts::tornado(
        &frame,
        Axis::Hours,
        "mean end",
        mean,
        &swings,
        ["in its shortest quarter", "in its longest quarter"],
    )
}
