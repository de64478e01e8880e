//! Pieces of text for the screen: looks, columns, lines that wrap.
//!
//! Invariant: what people and agents wrote comes in by [`Pen::said`], [`Pen::cell`] or [`Pen::wrapped`], which make it harmless; colour is
//! never the only sign of anything, so that the screen reads the same without.

use ratatui::style::{Color, Modifier, Style};
use ratatui::text::{Line, Span};

use crate::report::text;
use crate::report::tint::Tint;
use crate::view::paint::{Look, columns_of, cut};

/// Makes pieces of text, with or without colour.
#[derive(Clone, Copy, Debug)]
pub struct Pen {
    /// Whether there is colour.
    pub colour: bool,
}

impl Pen {
    /// The style of a look. Without colour, what wants attention is bold.
    pub fn style(self, look: Look) -> Style {
        let plain = Style::new();
        let bold = plain.add_modifier(Modifier::BOLD);
        let colour = |colour| match self.colour {
            true => plain.fg(colour),
            false => plain,
        };
        match look {
            Look::Plain => plain,
            Look::Bold => bold,
            Look::Dim => plain.add_modifier(Modifier::DIM),
            Look::Green => colour(Color::Green),
            Look::Cyan => colour(Color::Cyan),
            Look::Blue => colour(Color::Blue),
            Look::Yellow if self.colour => plain.fg(Color::Yellow),
            Look::Red if self.colour => plain.fg(Color::Red),
            Look::Yellow | Look::Red => bold,
            Look::Tint(tint) => colour(indexed(tint)),
        }
    }

    /// Text that is ours, as it is.
    pub fn ours(self, look: Look, text: impl Into<String>) -> Span<'static> {
        Span::styled(text.into(), self.style(look))
    }

    /// One line of what people or agents wrote, made harmless.
    pub fn said(self, look: Look, text: &str) -> Span<'static> {
        self.ours(look, text::line(text))
    }

    /// The same, cut and filled to so many columns.
    pub fn cell(self, look: Look, text: &str, width: usize) -> Span<'static> {
        self.ours(look, filled(&text::line(text), width, false))
    }

    /// The same, at the right end of its columns.
    pub fn right(self, look: Look, text: &str, width: usize) -> Span<'static> {
        self.ours(look, filled(&text::line(text), width, true))
    }

    /// A text of several lines, made harmless, in lines of at most `width` columns behind `indent` blanks.
    pub fn wrapped(
        self,
        look: Look,
        text: &str,
        indent: usize,
        width: usize,
    ) -> Vec<Line<'static>> {
        let first = " ".repeat(indent);
        let lines = text.lines().take(LINES_MAX);
        lines
            .flat_map(|line| crate::view::paint::wrap(&first, line, width))
            .map(|line| Line::from(self.ours(look, line)))
            .collect()
    }

    /// A bar of `width` columns, `share` (0 to 1) of it filled.
    pub fn bar(self, share: f64, width: usize) -> Vec<Span<'static>> {
        let full = (share.clamp(0.0, 1.0) * width as f64).round() as usize;
        vec![
            self.ours(Look::Green, "█".repeat(full)),
            self.ours(Look::Dim, "░".repeat(width - full)),
        ]
    }
}

/// The most lines of one text.
const LINES_MAX: usize = 400;

/// The colour of the 256 that a terminal knows it by; see [`Tint::ansi`].
fn indexed(tint: Tint) -> Color {
    let code = tint.ansi().rsplit(';').next();
    code.and_then(|code| code.parse().ok())
        .map_or(Color::Reset, Color::Indexed)
}

fn filled(text: &str, width: usize, right: bool) -> String {
    let text = match width {
        0 => String::new(),
        width => cut(text, width),
    };
    let gap = " ".repeat(width.saturating_sub(columns_of(&text)));
    match right {
        true => gap + &text,
        false => text + &gap,
    }
}

/// A line as the one that is chosen: turned around as a whole, so that it is seen without colour too.
pub fn chosen(line: Line<'static>, width: usize) -> Line<'static> {
    let text: String = line
        .spans
        .iter()
        .map(|span| span.content.as_ref())
        .collect();
    let gap = " ".repeat(width.saturating_sub(columns_of(&text)));
    Line::from(Span::styled(
        text + &gap,
        Style::new().add_modifier(Modifier::REVERSED),
    ))
}

/// A line that is chosen or not.
pub fn row(spans: Vec<Span<'static>>, is_chosen: bool, width: usize) -> Line<'static> {
    match is_chosen {
        true => chosen(Line::from(spans), width),
        false => Line::from(spans),
    }
}

/// A line of the log, with its blanks as they are and tabs as eight columns. It was made harmless when it was read.
pub fn logged(line: &str, width: usize) -> String {
    let mut out = String::new();
    let mut used = 0;
    for c in line.chars() {
        match c {
            '\t' => {
                let to = (used / 8 + 1) * 8;
                out.push_str(&" ".repeat(to - used));
                used = to;
            }
            c => {
                let mut one = [0; 4];
                let one = text::shown(c).encode_utf8(&mut one);
                used += columns_of(one);
                out.push_str(one);
            }
        }
        if used > width {
            return cut(&out, width);
        }
    }
    out
}
