//! Bars that lie: a value for each name, such as utilisation by role or cycle time by kind of task.

use plotters::style::text_anchor::{HPos, VPos};

use super::Frame;
use super::axis::Axis;
use super::ink::Ink;
use super::lines::{Mark, highest};
use super::page::{Sample, TEXT, fitted, text_width};
use super::plot::{Axes, Canvas, Failed, above, below, chart, room_for, text};

/// The most rows of a chart; the rest is counted below them.
pub(super) const ROWS_MAX: usize = 60;

/// One bar.
#[derive(Clone, Debug, PartialEq)]
pub struct Bar {
    /// Its name.
    pub name: String,
    /// Its length.
    pub value: f64,
    /// With what.
    pub ink: Ink,
    /// What stands behind it; empty: its value.
    pub note: String,
    /// The least and the most of what the value is the average of.
    pub span: Option<(f64, f64)>,
    /// A second, thin bar below, such as what was estimated.
    pub second: Option<f64>,
}

/// Bars over one axis that begins at 0.
#[derive(Clone, Debug, PartialEq)]
pub struct Bars {
    /// What it is.
    pub axis: Axis,
    /// Its name; may be empty.
    pub x_name: &'static str,
    /// The bars, from above.
    pub rows: Vec<Bar>,
    /// Lines across, such as a limit.
    pub marks: Vec<Mark>,
    /// What the bars, the spans and the second bars are; empty ones have no place in the legend.
    pub legend: [&'static str; 3],
}

/// Draws them.
pub fn bars(frame: &Frame<'_>, data: &Bars) -> String {
    let rows: Vec<&Bar> = data
        .rows
        .iter()
        .filter(|row| row.value.is_finite())
        .take(ROWS_MAX)
        .collect();
    let note = |row: &Bar| match row.note.is_empty() {
        true => data.axis.value(row.value),
        false => row.note.clone(),
    };
    let notes = rows
        .iter()
        .map(|row| text_width(&note(row), f64::from(TEXT)));
    let right = (notes.max().unwrap_or(0) + 12).clamp(18, frame.width / 3);
    let layout = Rows::of(frame, rows.iter().map(|row| row.name.as_str()));
    let values = rows.iter().flat_map(|row| {
        let more = row.span.map_or(row.value, |(_, most)| most);
        [row.value, more, row.second.unwrap_or(0.0)]
    });
    let most = highest(
        data.axis,
        values.chain(data.marks.iter().map(|mark| mark.at)),
    );
    let axes = Axes {
        x: data.axis,
        y: Axis::Number(""),
        x_range: 0.0..most,
        y_range: 0.0..rows.len().max(1) as f64,
        x_name: data.x_name,
        left: Some(layout.left),
        right,
        above: room_for(&data.marks),
    };
    let ink = rows.first().map_or(Ink::Blue, |row| row.ink);
    let mut legend = Vec::new();
    for (sample, name) in [
        (Sample::Fill(ink), data.legend[0]),
        (Sample::Line(Ink::Text), data.legend[1]),
        (Sample::Fill(Ink::Grey), data.legend[2]),
    ] {
        if !name.is_empty() {
            legend.push((sample, name.to_owned()));
        }
    }
    let height = layout.height(rows.len(), &axes);
    chart(frame, &legend, height, &axes, |canvas| {
        canvas.marks(&data.marks)?;
        for (place, row) in rows.iter().enumerate() {
            let y = rows.len() as f64 - place as f64;
            layout.name(canvas, frame, y, &row.name)?;
            let second = row.second.filter(|value| value.is_finite());
            let (top, bottom) = layout.band(y, second.is_some());
            canvas.block([(0.0, top), (row.value.max(0.0), bottom)], row.ink, true)?;
            if let Some(value) = second {
                let (top, bottom) = (bottom, bottom - (top - bottom) * 0.5);
                canvas.block([(0.0, top), (value.max(0.0), bottom)], Ink::Grey, true)?;
            }
            let mut end = row.value.max(second.unwrap_or(0.0));
            if let Some((least, most)) = row
                .span
                .filter(|(a, b)| a.is_finite() && b.is_finite() && a != b)
            {
                let middle = (top + bottom) / 2.0;
                let tick = (top - bottom) * 0.3;
                for line in [
                    vec![(least, middle), (most, middle)],
                    vec![(least, middle - tick), (least, middle + tick)],
                    vec![(most, middle - tick), (most, middle + tick)],
                ] {
                    canvas.line(line, Ink::Text, 1)?;
                }
                end = end.max(most);
            }
            canvas.text(
                (end, (top + bottom) / 2.0),
                (6, 0),
                fitted(&note(row), right.max(30)),
                above(Ink::Text, HPos::Left, VPos::Center),
            )?;
        }
        Ok(())
    })
}

/// Where rows with names lie: names left of the plot, or above each row when the chart is narrow.
pub(super) struct Rows {
    pub left: u32,
    row: u32,
    /// The share of a row that its name takes from above.
    named: f64,
    width: u32,
}

impl Rows {
    pub fn of<'a>(frame: &Frame<'_>, names: impl Iterator<Item = &'a str>) -> Self {
        let widest = names
            .map(|name| text_width(name, f64::from(TEXT)))
            .max()
            .unwrap_or(0);
        match frame.is_narrow() {
            true => Self {
                left: 6,
                row: 46,
                named: 0.4,
                width: frame.width - 24,
            },
            false => {
                let left = (widest + 16).clamp(40, frame.width / 3);
                Self {
                    left,
                    row: 30,
                    named: 0.0,
                    width: left - 14,
                }
            }
        }
    }

    /// The height of a plot with that many rows and its axes.
    pub fn height(&self, rows: usize, axes: &Axes) -> u32 {
        axes.above + rows.max(1) as u32 * self.row + below(axes) + 4
    }

    /// Where the bar of the row lies whose upper edge is `y`, from above; in two parts there is room for a second.
    pub fn band(&self, y: f64, two: bool) -> (f64, f64) {
        let room = 1.0 - self.named;
        let top = y - self.named - room * 0.14;
        let bottom = y - 1.0 + room * 0.14;
        match two {
            true => (top, top - (top - bottom) * 2.0 / 3.0),
            false => (top, bottom),
        }
    }

    pub fn name(
        &self,
        canvas: &mut Canvas<'_, '_>,
        frame: &Frame<'_>,
        y: f64,
        name: &str,
    ) -> Result<(), Failed> {
        let start = canvas.x_range().start;
        let (at, style, by) = match frame.is_narrow() {
            true => (y - 0.06, text(Ink::Text, HPos::Left, VPos::Top), 0),
            false => (y - 0.5, text(Ink::Text, HPos::Right, VPos::Center), -8),
        };
        canvas.text((start, at), (by, 0), fitted(name, self.width), style)
    }
}
