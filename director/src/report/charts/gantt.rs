//! Gantt: for each row a bar as planned, and below it what really happened, piece by piece.

use plotters::style::text_anchor::{HPos, VPos};

use super::Frame;
use super::axis::Axis;
use super::bars::{ROWS_MAX, Rows};
use super::ink::Ink;
use super::lines::{Mark, range};
use super::page::{Sample, TEXT, text_width};
use super::plot::{Axes, above, chart, room_for};
use crate::view::count;

/// How a piece of work ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum State {
    /// What it left was accepted.
    Done,
    /// It was not, or it was interrupted; there may be a next try.
    Lost,
    /// It goes on.
    Running,
    /// The row waited for its acceptance, or for an answer.
    Held,
}

impl State {
    const ALL: [State; 4] = [State::Done, State::Lost, State::Running, State::Held];

    fn ink(self) -> Ink {
        match self {
            State::Done => Ink::Blue,
            State::Lost => Ink::Red,
            State::Running => Ink::Orange,
            State::Held => Ink::Green,
        }
    }

    fn name(self) -> &'static str {
        match self {
            State::Done => "worked",
            State::Lost => "tried, not accepted",
            State::Running => "at work",
            State::Held => "waited",
        }
    }
}

/// A piece of time of one row.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Piece {
    /// From.
    pub from: f64,
    /// To.
    pub to: f64,
    /// How it ended.
    pub state: State,
}

/// One row: a task.
#[derive(Clone, Debug, PartialEq)]
pub struct GanttRow {
    /// Its name.
    pub name: String,
    /// From when to when it was planned.
    pub planned: Option<(f64, f64)>,
    /// What happened, in order.
    pub actual: Vec<Piece>,
    /// A word behind the bars, such as who did it.
    pub note: String,
}

/// Rows over one axis of time.
#[derive(Clone, Debug, PartialEq)]
pub struct Gantt {
    /// What it is: [`Axis::Hours`] or [`Axis::Clock`].
    pub axis: Axis,
    /// Its name; may be empty.
    pub x_name: &'static str,
    /// The rows, from above.
    pub rows: Vec<GanttRow>,
    /// Lines across, such as "now".
    pub marks: Vec<Mark>,
}

/// Draws it; rows beyond the first sixty are only counted.
pub fn gantt(frame: &Frame<'_>, data: &Gantt) -> String {
    let rows = &data.rows[..data.rows.len().min(ROWS_MAX)];
    let layout = Rows::of(frame, rows.iter().map(|row| row.name.as_str()));
    let places = rows.iter().flat_map(|row| {
        let planned = row.planned.into_iter().flat_map(|(from, to)| [from, to]);
        planned.chain(row.actual.iter().flat_map(|piece| [piece.from, piece.to]))
    });
    let mut legend = vec![(Sample::Frame(Ink::Grey), "planned".to_owned())];
    for state in State::ALL {
        if rows
            .iter()
            .any(|row| row.actual.iter().any(|piece| piece.state == state))
        {
            legend.push((Sample::Fill(state.ink()), state.name().to_owned()));
        }
    }
    if data.rows.len() > rows.len() {
        let more = count(data.rows.len() - rows.len(), "more row");
        legend.push((Sample::Frame(Ink::Grid), format!("{more} not shown")));
    }
    let axes = Axes {
        x: data.axis,
        y: Axis::Number(""),
        x_range: range(places.chain(data.marks.iter().map(|mark| mark.at))),
        y_range: 0.0..rows.len().max(1) as f64,
        x_name: data.x_name,
        left: Some(layout.left),
        right: 18,
        above: room_for(&data.marks),
    };
    let height = layout.height(rows.len(), &axes);
    chart(frame, &legend, height, &axes, |canvas| {
        canvas.marks(&data.marks)?;
        let whole = canvas.x_range();
        for (place, row) in rows.iter().enumerate() {
            let y = rows.len() as f64 - place as f64;
            layout.name(canvas, frame, y, &row.name)?;
            let (top, bottom) = layout.band(y, false);
            let height = top - bottom;
            let (mut first, mut last) = (f64::INFINITY, f64::NEG_INFINITY);
            if let Some((from, to)) = row
                .planned
                .filter(|(from, to)| from.is_finite() && to.is_finite())
            {
                canvas.block([(from, top), (to, top - height * 0.38)], Ink::Grey, false)?;
                (first, last) = (from, to);
            }
            for piece in row
                .actual
                .iter()
                .filter(|p| p.from.is_finite() && p.to.is_finite())
            {
                let corners = [(piece.from, top - height * 0.46), (piece.to, bottom)];
                canvas.block(corners, piece.state.ink(), true)?;
                first = first.min(piece.from);
                last = last.max(piece.to);
            }
            if row.note.is_empty() || !last.is_finite() {
                continue;
            }
            // Behind the bars where there is room, else before them, else nowhere.
            let wide = text_width(&row.note, f64::from(TEXT)) as i32 + 8;
            let behind = canvas.pixel(whole.end, y).0 - canvas.pixel(last, y).0;
            let before = canvas.pixel(first, y).0 - canvas.pixel(whole.start, y).0;
            let (at, side, by) = if behind >= wide {
                (last, HPos::Left, 6)
            } else if before >= wide {
                (first, HPos::Right, -6)
            } else {
                continue;
            };
            let middle = (top + bottom) / 2.0;
            canvas.text(
                (at, middle),
                (by, 0),
                row.note.clone(),
                above(Ink::Muted, side, VPos::Center),
            )?;
        }
        Ok(())
    })
}
