//! Tornado: how far each uncertainty moves a result away from where it is expected, the strongest above.

use plotters::style::text_anchor::{HPos, VPos};

use super::Frame;
use super::axis::Axis;
use super::bars::{ROWS_MAX, Rows};
use super::ink::Ink;
use super::page::{Sample, TEXT, text_width};
use super::plot::{Axes, above, chart};

/// What one uncertainty does to the result.
#[derive(Clone, Debug, PartialEq)]
pub struct Swing {
    /// Its name.
    pub name: String,
    /// The result when it turns out well.
    pub low: f64,
    /// The result when it turns out badly.
    pub high: f64,
}

/// Draws the swings around `base`, the widest first; `names` are what the two sides are called.
pub fn tornado(
    frame: &Frame<'_>,
    x: Axis,
    x_name: &'static str,
    base: f64,
    swings: &[Swing],
    names: [&str; 2],
) -> String {
    let base = if base.is_finite() { base } else { 0.0 };
    let mut rows: Vec<&Swing> = swings
        .iter()
        .filter(|swing| swing.low.is_finite() && swing.high.is_finite())
        .collect();
    rows.sort_by(|a, b| (b.high - b.low).abs().total_cmp(&(a.high - a.low).abs()));
    rows.truncate(ROWS_MAX);
    let layout = Rows::of(frame, rows.iter().map(|row| row.name.as_str()));
    let all = || {
        rows.iter()
            .flat_map(|row| [row.low, row.high])
            .chain([base])
    };
    let (least, most) = (all().fold(base, f64::min), all().fold(base, f64::max));
    let labels = all().map(|value| text_width(&x.value(value), f64::from(TEXT)) + 10);
    // Room for the figures beside the bars, in the axis's own unit.
    let plot_width = f64::from(frame.width.saturating_sub(layout.left + 18).max(80));
    let room = f64::from(labels.max().unwrap_or(40)) / plot_width
        * (most - least).max(base.abs() * 1e-3).max(1e-9)
        * 1.4;
    let axes = Axes {
        x,
        y: Axis::Number(""),
        x_range: (least - room)..(most + room),
        y_range: 0.0..rows.len().max(1) as f64,
        x_name,
        left: Some(layout.left),
        right: 18,
        above: 22,
    };
    let legend = [
        (Sample::Fill(Ink::Green), names[0].to_owned()),
        (Sample::Fill(Ink::Orange), names[1].to_owned()),
    ];
    let height = layout.height(rows.len(), &axes);
    chart(frame, &legend, height, &axes, |canvas| {
        for (place, row) in rows.iter().enumerate() {
            let y = rows.len() as f64 - place as f64;
            layout.name(canvas, frame, y, &row.name)?;
            let (top, bottom) = layout.band(y, false);
            for (value, ink) in [(row.low, Ink::Green), (row.high, Ink::Orange)] {
                if value == base {
                    continue;
                }
                let (from, to) = (value.min(base), value.max(base));
                canvas.block([(from, top), (to, bottom)], ink, true)?;
                let (at, side, by) = match value < base {
                    true => (from, HPos::Right, -6),
                    false => (to, HPos::Left, 6),
                };
                let style = above(Ink::Text, side, VPos::Center);
                canvas.text((at, (top + bottom) / 2.0), (by, 0), x.value(value), style)?;
            }
        }
        let top = rows.len().max(1) as f64;
        canvas.line(vec![(base, 0.0), (base, top)], Ink::Text, 1)?;
        canvas.text(
            (base, top),
            (0, -3),
            x.value(base),
            above(Ink::Text, HPos::Center, VPos::Bottom),
        )
    })
}
