//! Charts as SVG: lines and areas, cumulative flow, Gantt of plan against actual, bars, histogram, S-curve, tornado.
//!
//! A chart is one `<svg>` in text: no script, no reference to anything outside, no `style` attribute, no font file. It
//! has a title and a description for screen readers; series are told apart by pattern, dash and label as well as by
//! colour; light and dark follow the reader's setting. [`plotters`] lays out axes and scales; `page` writes
//! what it draws, with the names of inks where plotters has colours.
//!
//! A chart inside a page uses the page's copy of [`css`]; a chart that is a file of its own carries it
//! ([`Frame::standalone`]).
//!
//! Invariant: the same values give the same bytes; whatever the numbers are, something is drawn and nothing panics. This
//! folder is the one home of plotters.
//! Elsewhere: the chart of a plan before the sprint is [`super::plan::svg`]; which values are drawn is each report's.

mod axis;
mod bars;
mod gantt;
mod ink;
mod lines;
mod page;
mod plot;
#[cfg(test)]
mod tests;
mod tornado;

pub use axis::Axis;
pub use bars::{Bar, Bars, bars};
pub use gantt::{Gantt, GanttRow, Piece, State, gantt};
pub use ink::{Ink, css};
pub use lines::{Bin, Lines, Mark, Series, Shape, bins, flow, histogram, lines, s_curve};
pub use tornado::{Swing, tornado};

/// What a chart is called and how it is drawn.
#[derive(Clone, Copy, Debug)]
pub struct Frame<'a> {
    /// Begins the ids inside the SVG; unique in the page, and a name by the rules of XML: letters, digits, `-`.
    pub id: &'a str,
    /// What a screen reader says first.
    pub title: &'a str,
    /// What the chart shows, in a sentence with its figures.
    pub about: &'a str,
    /// In pixels; the SVG scales. Narrow charts have less text.
    pub width: u32,
    /// Whether it is a file of its own: with the title drawn, a background and its style.
    pub standalone: bool,
}

impl<'a> Frame<'a> {
    /// For a page on a screen.
    pub fn wide(id: &'a str, title: &'a str, about: &'a str) -> Self {
        Self {
            id,
            title,
            about,
            width: 880,
            standalone: false,
        }
    }

    /// For a phone.
    pub fn narrow(id: &'a str, title: &'a str, about: &'a str) -> Self {
        Self {
            width: 360,
            ..Self::wide(id, title, about)
        }
    }

    /// A file of its own.
    pub fn standalone(self) -> Self {
        Self {
            standalone: true,
            ..self
        }
    }

    fn is_narrow(&self) -> bool {
        self.width < 560
    }
}
