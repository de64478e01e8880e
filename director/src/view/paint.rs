//! Text for a terminal: colours, columns that line up, bars, and nothing that could steer the terminal.
//!
//! A column is as wide as its widest cell, except one that takes what is left of the width and is cut with `…`.
//! Widths count columns of a terminal: wide East Asian characters take two, combining marks none.
//!
//! Invariant: a cell is made harmless when it is made, so colour codes are the only escape sequences in the output.

use crate::report::text;
use crate::report::tint::Tint;

/// How a piece of text looks when there is colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Look {
    /// As it is.
    Plain,
    /// For titles.
    Bold,
    /// For what is less important.
    Dim,
    /// Done.
    Green,
    /// Under way.
    Cyan,
    /// Waits for something that will come by itself.
    Blue,
    /// Wants attention.
    Yellow,
    /// Went wrong.
    Red,
    /// The colour that a role's file gives.
    Tint(Tint),
}

/// Puts colour on text, or leaves it.
#[derive(Clone, Copy, Debug)]
pub struct Paint {
    /// Whether there is colour.
    pub colour: bool,
}

impl Paint {
    /// `text` in its look.
    pub fn on(self, look: Look, text: &str) -> String {
        let code = match look {
            Look::Plain => return text.to_owned(),
            Look::Bold => "1",
            Look::Dim => "2",
            Look::Green => "32",
            Look::Cyan => "36",
            Look::Blue => "34",
            Look::Yellow => "33",
            Look::Red => "31",
            Look::Tint(tint) => tint.ansi(),
        };
        match self.colour && !text.is_empty() {
            true => format!("\u{1b}[{code}m{text}\u{1b}[0m"),
            false => text.to_owned(),
        }
    }
}

/// One cell of a table.
#[derive(Clone, Debug)]
pub struct Cell {
    text: String,
    look: Look,
}

/// A cell of harmless text.
pub fn cell(text: impl AsRef<str>) -> Cell {
    looks(Look::Plain, text)
}

/// The same, in a look.
pub fn looks(look: Look, text: impl AsRef<str>) -> Cell {
    Cell {
        text: text::line(text.as_ref()),
        look,
    }
}

/// A cell of text that is ours, with its blanks as they are.
pub(crate) fn drawn(look: Look, text: String) -> Cell {
    Cell { text, look }
}

/// Rows of cells.
#[derive(Clone, Debug, Default)]
pub struct Table {
    head: Vec<&'static str>,
    right: Vec<usize>,
    flexible: usize,
    rows: Vec<Vec<Cell>>,
}

impl Table {
    /// A table with these column titles; the last column takes what is left of the width.
    pub fn new(head: &[&'static str]) -> Self {
        Self {
            head: head.to_vec(),
            right: Vec::new(),
            flexible: head.len().saturating_sub(1),
            rows: Vec::new(),
        }
    }

    /// Numbers go to the right.
    #[must_use]
    pub fn right(mut self, columns: &[usize]) -> Self {
        self.right = columns.to_vec();
        self
    }

    /// Another row.
    pub fn row(&mut self, cells: Vec<Cell>) {
        self.rows.push(cells);
    }

    /// Whether there is no row.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Lines of at most `width` columns, two blanks in front and between.
    pub fn lines(&self, width: usize, paint: Paint) -> Vec<String> {
        let columns = self.head.len();
        let titled = self.head.iter().any(|title| !title.is_empty());
        let mut widths: Vec<usize> = self.head.iter().map(|title| columns_of(title)).collect();
        for row in &self.rows {
            for (column, cell) in row.iter().enumerate().take(columns) {
                widths[column] = widths[column].max(columns_of(&cell.text));
            }
        }
        let fixed: usize = (0..columns)
            .filter(|column| *column != self.flexible)
            .map(|column| widths[column] + 2)
            .sum();
        if let Some(flexible) = widths.get_mut(self.flexible) {
            *flexible = (*flexible).min(width.saturating_sub(fixed + 2).max(8));
        }
        let line = |cells: &[Cell]| {
            let mut out = String::new();
            for (column, cell) in cells.iter().enumerate().take(columns) {
                let text = cut(&cell.text, widths[column]);
                let gap = " ".repeat(widths[column].saturating_sub(columns_of(&text)));
                let text = paint.on(cell.look, &text);
                out.push_str("  ");
                match self.right.contains(&column) {
                    true => out.extend([gap, text]),
                    false => out.extend([text, gap]),
                }
            }
            out.truncate(out.trim_end().len());
            out
        };
        let head: Vec<Cell> = self
            .head
            .iter()
            .map(|title| looks(Look::Dim, title))
            .collect();
        titled
            .then(|| line(&head))
            .into_iter()
            .chain(self.rows.iter().map(|row| line(row)))
            .collect()
    }
}

/// How many columns of a terminal `text` takes.
pub fn columns_of(text: &str) -> usize {
    text.chars().map(columns_of_char).sum()
}

fn columns_of_char(c: char) -> usize {
    match u32::from(c) {
        0x300..=0x36f | 0x1ab0..=0x1aff | 0x20d0..=0x20ff | 0xfe00..=0xfe0f | 0xfe20..=0xfe2f => 0,
        0x1100..=0x115f
        | 0x2e80..=0x303e
        | 0x3041..=0xa4cf
        | 0xac00..=0xd7a3
        | 0xf900..=0xfaff
        | 0xfe30..=0xfe6f
        | 0xff00..=0xff60
        | 0xffe0..=0xffe6
        | 0x1f300..=0x1f64f
        | 0x1f680..=0x1f6ff
        | 0x1f900..=0x1f9ff
        | 0x20000..=0x3fffd => 2,
        _ => 1,
    }
}

/// At most `width` columns of `text`, the last of them `…` when something is left out.
pub fn cut(text: &str, width: usize) -> String {
    if columns_of(text) <= width {
        return text.to_owned();
    }
    let mut out = String::new();
    let mut used = 0;
    for c in text.chars() {
        used += columns_of_char(c);
        if used > width.saturating_sub(1) {
            break;
        }
        out.push(c);
    }
    out.truncate(out.trim_end().len());
    out.push('…');
    out
}

/// Harmless `text` in lines of at most `width` columns, broken between words; `first` goes before the first line,
/// blanks of the same width before the others.
pub fn wrap(first: &str, text: &str, width: usize) -> Vec<String> {
    let indent = columns_of(first);
    let room = width.saturating_sub(indent).max(20);
    let mut lines: Vec<String> = vec![String::new()];
    for word in text::line(text).split(' ') {
        let word = cut(word, room);
        let full = lines.last().is_some_and(|line| {
            !line.is_empty() && columns_of(line) + 1 + columns_of(&word) > room
        });
        if full {
            lines.push(String::new());
        }
        if let Some(line) = lines.last_mut() {
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(&word);
        }
    }
    let blank = " ".repeat(indent);
    lines
        .into_iter()
        .enumerate()
        .map(|(n, line)| format!("{}{line}", if n == 0 { first } else { &blank }))
        .collect()
}

/// A bar of `width` columns, `share` (0 to 1) of it filled.
pub fn bar(share: f64, width: usize, paint: Paint) -> String {
    let filled = (share.clamp(0.0, 1.0) * width as f64).round() as usize;
    format!(
        "{}{}",
        paint.on(Look::Green, &"█".repeat(filled)),
        paint.on(Look::Dim, &"░".repeat(width - filled))
    )
}

/// Lines as one text, each with its line break.
pub fn text_of(lines: &[String]) -> String {
    lines
        .iter()
        .flat_map(|line| [line.as_str(), "\n"])
        .collect()
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::super::recorded::framed;
    use super::*;

    #[test]
    fn columns_line_up_and_nothing_steers_the_terminal() {
        let mut table = Table::new(&["task", "n", "what"]).right(&[1]);
        table.row(vec![cell("größe"), cell("7"), cell("plain")]);
        table.row(vec![
            cell("作業"),
            cell("1200"),
            looks(
                Look::Red,
                "evil \u{1b}[2Jand\nlong enough to be cut at forty columns",
            ),
        ]);
        expect![[r#"
            as shown:
              task      n  what
              größe     7  plain
              作業   1200  evil �[2Jand long enough…
        "#]]
        .assert_eq(&framed(&text_of(&table.lines(40, Paint { colour: false }))));
        let painted = text_of(&table.lines(40, Paint { colour: true }));
        assert_eq!(painted.matches('\u{1b}').count(), 2 * 4, "{painted:?}");
    }

    #[test]
    fn long_texts_wrap_between_words() {
        expect![[r#"
            note: one two three four
                  five six seven
        "#]]
        .assert_eq(&text_of(&wrap(
            "note: ",
            "one two three four five six seven",
            26,
        )));
    }
}
