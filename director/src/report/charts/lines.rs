//! Lines, areas and what is made of them: burndown, cumulative flow, histogram, S-curve.

use plotters::style::text_anchor::{HPos, VPos};

use super::Frame;
use super::axis::Axis;
use super::ink::Ink;
use super::page::{Sample, TEXT, text_width};
use super::plot::{Axes, Y_PARTS, above, chart, room_for};
use crate::report::text::short;

/// How a series is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// From point to point.
    Line,
    /// A value stays until the next.
    Step,
    /// As a step, with the area below it.
    Area,
    /// The corners of what lies between two lines, in order.
    Band,
}

/// Values over something.
#[derive(Clone, Debug, PartialEq)]
pub struct Series {
    /// Its name in the legend.
    pub name: String,
    /// In the order of the first number; what is not a number is left out.
    pub points: Vec<(f64, f64)>,
    /// How it is drawn.
    pub shape: Shape,
    /// With what.
    pub ink: Ink,
}

/// A line across a chart, such as "now".
#[derive(Clone, Debug, PartialEq)]
pub struct Mark {
    /// Its name.
    pub name: String,
    /// Where.
    pub at: f64,
}

/// Some series over the same axes; the vertical one begins at 0.
#[derive(Clone, Debug, PartialEq)]
pub struct Lines {
    /// What the horizontal axis is.
    pub x: Axis,
    /// Its name; may be empty.
    pub x_name: &'static str,
    /// What the vertical axis is.
    pub y: Axis,
    /// The values, the hindmost first.
    pub series: Vec<Series>,
    /// Lines across.
    pub marks: Vec<Mark>,
}

/// Series as lines and areas.
pub fn lines(frame: &Frame<'_>, data: &Lines) -> String {
    let drawn: Vec<(&Series, Vec<(f64, f64)>)> = data
        .series
        .iter()
        .map(|series| {
            let points = thinned(&series.points, frame.width as usize);
            match series.shape {
                // A corner left out would be another band.
                Shape::Band => (series, series.points.clone()),
                Shape::Line => (series, points),
                Shape::Step | Shape::Area => (series, steps(&points)),
            }
        })
        .collect();
    let legend: Vec<(Sample, String)> = data
        .series
        .iter()
        .map(|series| (Sample::Line(series.ink), series.name.clone()))
        .collect();
    let all = || drawn.iter().flat_map(|(_, points)| points.iter().copied());
    let x_range = range(
        all()
            .map(|(x, _)| x)
            .chain(data.marks.iter().map(|mark| mark.at)),
    );
    let axes = Axes {
        x: data.x,
        y: data.y,
        x_range: x_range.clone(),
        y_range: 0.0..highest(data.y, all().map(|(_, y)| y)),
        x_name: data.x_name,
        left: None,
        right: 18,
        above: room_for(&data.marks),
    };
    chart(frame, &legend, plot_height(frame), &axes, |canvas| {
        for (series, points) in &drawn {
            let (Some(first), Some(last)) = (points.first(), points.last()) else {
                continue;
            };
            if series.shape == Shape::Band {
                canvas.area(points.clone(), series.ink, true)?;
            }
            if series.shape == Shape::Area {
                let mut ground = points.clone();
                ground.extend([(last.0, 0.0), (first.0, 0.0)]);
                canvas.area(ground, series.ink, true)?;
            }
        }
        for (series, points) in drawn
            .iter()
            .filter(|(series, _)| series.shape != Shape::Band)
        {
            canvas.line(points.clone(), series.ink, 2)?;
        }
        canvas.marks(&data.marks)
    })
}

/// Series stacked on each other, the lowest first, such as the states of a cumulative flow. All have the same
/// places on the horizontal axis; each name stands in its area where it fits.
pub fn flow(frame: &Frame<'_>, data: &Lines) -> String {
    let places: Vec<f64> = data
        .series
        .first()
        .map(|series| {
            thinned(&series.points, frame.width as usize)
                .iter()
                .map(|(x, _)| *x)
                .collect()
        })
        .unwrap_or_default();
    let mut floor = vec![0.0; places.len()];
    let mut areas = Vec::new();
    for series in &data.series {
        let top: Vec<f64> = places
            .iter()
            .zip(&floor)
            .map(|(x, below)| below + value_at(&series.points, *x).max(0.0))
            .collect();
        areas.push((series, floor.clone(), top.clone()));
        floor = top;
    }
    let legend: Vec<(Sample, String)> = data
        .series
        .iter()
        .rev()
        .map(|series| (Sample::Fill(series.ink), series.name.clone()))
        .collect();
    let axes = Axes {
        x: data.x,
        y: data.y,
        x_range: range(
            places
                .iter()
                .copied()
                .chain(data.marks.iter().map(|mark| mark.at)),
        ),
        y_range: 0.0..highest(data.y, floor.iter().copied()),
        x_name: data.x_name,
        left: None,
        right: 18,
        above: room_for(&data.marks),
    };
    chart(frame, &legend, plot_height(frame), &axes, |canvas| {
        for (series, below, top) in &areas {
            // Where there is nothing of it there is no line either.
            let high = |place: &usize| top[*place] > below[*place];
            let (Some(first), Some(last)) =
                ((0..top.len()).find(high), (0..top.len()).rev().find(high))
            else {
                continue;
            };
            let last = (last + 1).min(top.len() - 1);
            let line = |values: &[f64]| {
                let points = places.iter().copied().zip(values.iter().copied());
                let points: Vec<(f64, f64)> = points.take(last + 1).skip(first).collect();
                steps(&points)
            };
            let upper = line(top);
            let mut ground = upper.clone();
            ground.extend(line(below).into_iter().rev());
            canvas.area(ground, series.ink, false)?;
            canvas.line(upper, series.ink, 1)?;
        }
        canvas.marks(&data.marks)
    })
}

/// A bar of a histogram.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bin {
    /// From this value on.
    pub from: f64,
    /// Up to this value.
    pub to: f64,
    /// How many.
    pub count: u64,
}

/// Counts `samples` in at most `most` bins whose edges are round numbers of that axis.
pub fn bins(axis: Axis, samples: &[f64], most: usize) -> Vec<Bin> {
    let finite = || samples.iter().copied().filter(|value| value.is_finite());
    let Some(lowest) = finite().reduce(f64::min) else {
        return Vec::new();
    };
    let highest = finite().fold(lowest, f64::max);
    let step = axis.step(
        (highest - lowest).max(lowest.abs() * 1e-6),
        most.clamp(1, 200),
    );
    let first = (lowest / step).floor();
    let number = (((highest / step).floor() - first) as usize).min(400) + 1;
    let mut found: Vec<Bin> = (0..number)
        .map(|n| Bin {
            from: (first + n as f64) * step,
            to: (first + n as f64 + 1.0) * step,
            count: 0,
        })
        .collect();
    for value in finite() {
        let place = (((value / step).floor() - first).max(0.0) as usize).min(number - 1);
        found[place].count += 1;
    }
    found
}

/// How often values lie where: a bar for each bin, with marks such as P50 across.
pub fn histogram(
    frame: &Frame<'_>,
    x: Axis,
    x_name: &'static str,
    bins: &[Bin],
    across: &[Mark],
) -> String {
    let usable = || {
        bins.iter()
            .filter(|bin| bin.from.is_finite() && bin.to.is_finite())
    };
    let axes = Axes {
        x,
        y: Axis::Number(""),
        x_range: range(
            usable()
                .flat_map(|bin| [bin.from, bin.to])
                .chain(across.iter().map(|mark| mark.at)),
        ),
        y_range: 0.0..highest(Axis::Number(""), usable().map(|bin| bin.count as f64)),
        x_name,
        left: None,
        right: 18,
        above: room_for(across),
    };
    chart(frame, &[], plot_height(frame), &axes, |canvas| {
        for bin in usable().filter(|bin| bin.count > 0) {
            let (left, right, top) = (bin.from, bin.to, bin.count as f64);
            let edge = vec![(left, 0.0), (left, top), (right, top), (right, 0.0)];
            canvas.area(edge.clone(), Ink::Blue, true)?;
            canvas.line(edge, Ink::Blue, 1)?;
        }
        canvas.marks(across)
    })
}

/// The share of samples up to each value, with marks such as P85: a line across and one down from the curve.
pub fn s_curve(
    frame: &Frame<'_>,
    x: Axis,
    x_name: &'static str,
    samples: &[f64],
    across: &[Mark],
) -> String {
    let mut sorted: Vec<f64> = samples
        .iter()
        .copied()
        .filter(|value| value.is_finite())
        .collect();
    sorted.sort_by(f64::total_cmp);
    let all = sorted.len().max(1) as f64;
    let mut points: Vec<(f64, f64)> = sorted
        .first()
        .map(|first| (*first, 0.0))
        .into_iter()
        .collect();
    points.extend(
        (1..)
            .zip(&sorted)
            .map(|(n, value)| (*value, f64::from(n) / all)),
    );
    let points = thinned(&points, frame.width as usize);
    let share = |at: f64| sorted.partition_point(|value| *value <= at) as f64 / all;
    let axes = Axes {
        x,
        y: Axis::Percent,
        x_range: range(
            sorted
                .iter()
                .copied()
                .chain(across.iter().map(|mark| mark.at)),
        ),
        y_range: 0.0..1.0,
        x_name,
        left: None,
        right: 18,
        above: 8,
    };
    chart(frame, &[], plot_height(frame), &axes, |canvas| {
        let start = canvas.x_range().start;
        let curve = || across.iter().filter(|mark| mark.at.is_finite());
        for mark in curve() {
            let height = share(mark.at);
            canvas.line(
                vec![(start, height), (mark.at, height), (mark.at, 0.0)],
                Ink::Mark,
                1,
            )?;
        }
        canvas.line(points, Ink::Blue, 2)?;
        for mark in curve() {
            let name = short(&format!("{} {}", mark.name, x.value(mark.at)), 30);
            let room = canvas.pixel(mark.at, 0.0).0 - canvas.pixel(start, 0.0).0;
            let (side, by) = match room > text_width(&name, f64::from(TEXT)) as i32 + 10 {
                true => (HPos::Right, -6),
                false => (HPos::Left, 6),
            };
            canvas.text(
                (mark.at, share(mark.at)),
                (by, -2),
                name,
                above(Ink::Text, side, VPos::Bottom),
            )?;
        }
        Ok(())
    })
}

/// The height of a plot with its axis, in pixels.
pub(super) fn plot_height(frame: &Frame<'_>) -> u32 {
    if frame.is_narrow() { 230 } else { 300 }
}

/// From the least to the most that is a number.
pub(super) fn range(values: impl Iterator<Item = f64> + Clone) -> std::ops::Range<f64> {
    let finite = || values.clone().filter(|value| value.is_finite());
    let from = finite().reduce(f64::min).unwrap_or(0.0);
    from..finite().reduce(f64::max).unwrap_or(1.0)
}

/// Where an axis from 0 ends: a round number at or above the highest value.
pub(super) fn highest(axis: Axis, values: impl Iterator<Item = f64>) -> f64 {
    let most = values.filter(|value| value.is_finite()).fold(0.0, f64::max);
    let most = if most > 0.0 { most } else { 1.0 };
    let step = axis.step(most, Y_PARTS);
    (most / step - 1e-9).ceil() * step
}

/// Each value stays until the next place.
fn steps(points: &[(f64, f64)]) -> Vec<(f64, f64)> {
    let mut out = Vec::with_capacity(points.len() * 2);
    let mut before: Option<f64> = None;
    for (x, y) in points {
        if let Some(before) = before.filter(|before| before != y) {
            out.push((*x, before));
        }
        out.push((*x, *y));
        before = Some(*y);
    }
    out
}

/// The value of a step series at `x`; 0 before its first point.
fn value_at(points: &[(f64, f64)], x: f64) -> f64 {
    let after = points.partition_point(|(at, _)| *at <= x);
    after.checked_sub(1).map_or(0.0, |place| points[place].1)
}

/// Only numbers, and of those that share a pixel only the last and the first of all.
fn thinned(points: &[(f64, f64)], most: usize) -> Vec<(f64, f64)> {
    let finite = points
        .iter()
        .copied()
        .filter(|(x, y)| x.is_finite() && y.is_finite());
    let finite: Vec<(f64, f64)> = finite.collect();
    let (Some(first), Some(last)) = (finite.first(), finite.last()) else {
        return finite;
    };
    if finite.len() <= most {
        return finite;
    }
    let pixel =
        |x: f64| ((x - first.0) / (last.0 - first.0).max(f64::MIN_POSITIVE) * most as f64) as i64;
    let mut out = vec![*first];
    for pair in finite.windows(2) {
        if pixel(pair[0].0) != pixel(pair[1].0) {
            out.push(pair[0]);
        }
    }
    out.push(*last);
    out
}
