//! What is wrong with a sprint file, as people read it: all problems at once, each with its line and a caret.
//!
//! Checks report to [`Problems`] while they go on; [`ManifestErrors`] is the result, cut loose from the text.
//! Only the first [`SHOWN_MAX`] problems are kept, the others counted, so that a file of nonsense costs
//! nothing. Text from the file is neutralised here: a control character never reaches the terminal.
//!
//! Elsewhere: what is checked is [`super::shape`] and [`super::resolve`].

use std::fmt;

use super::tree::Place;

/// The most problems of one file that are shown.
pub const SHOWN_MAX: usize = 20;

/// The most characters of a line of the file that are shown.
const LINE_MAX: usize = 120;

/// Everything that is wrong with a sprint file. Never empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ManifestErrors {
    /// The file, as the user named it.
    pub origin: String,
    /// What is wrong, in the order of the file; at most [`SHOWN_MAX`].
    pub problems: Vec<Problem>,
    /// How many more there are.
    pub more: usize,
}

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// What is wrong.
    pub message: String,
    /// The key, such as `task[2].depends_on`; empty where it is not about a key. Lists count from 0.
    pub key: String,
    /// What to do about it; may be empty.
    pub help: String,
    /// Where; the first is the place itself, others belong to it. Empty where it is about the whole file.
    pub marks: Vec<Mark>,
}

/// A marked place in the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mark {
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
    /// What is said beside the caret; may be empty.
    pub note: String,
    /// The line's text, cut where it is very long.
    shown: String,
    /// The caret's place in `shown`, in characters from 0.
    caret: usize,
    /// How many characters are marked.
    width: usize,
}

impl ManifestErrors {
    /// One problem with the file as a whole.
    pub(super) fn whole_file(origin: &str, message: String, help: &str) -> Self {
        Self {
            origin: origin.to_owned(),
            problems: vec![Problem {
                message,
                key: String::new(),
                help: help.to_owned(),
                marks: Vec::new(),
            }],
            more: 0,
        }
    }
}

impl ManifestErrors {
    /// The first problem in one line, for a list of files that are passed over.
    pub(super) fn in_a_line(&self) -> String {
        let Some(first) = self.problems.first() else {
            return String::new();
        };
        let mut line = match first.marks.first() {
            Some(mark) => format!("line {}: {}", mark.line, plain(&first.message)),
            None => plain(&first.message),
        };
        if !first.key.is_empty() {
            line += &format!(" (`{}`)", plain(&first.key));
        }
        if !first.help.is_empty() {
            line += &format!("; {}", plain(&first.help));
        }
        line
    }
}

impl std::error::Error for ManifestErrors {}

impl fmt::Display for ManifestErrors {
    /// Plain text in the style of rustc, without a newline at its end.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for problem in &self.problems {
            problem.render(&self.origin, f)?;
            writeln!(f)?;
        }
        let origin = plain(&self.origin);
        match (self.problems.len(), self.more) {
            (1, 0) => write!(f, "{origin}: 1 problem"),
            (n, 0) => write!(f, "{origin}: {n} problems"),
            (n, more) => write!(
                f,
                "{origin}: {} problems, the first {n} are shown",
                n + more
            ),
        }
    }
}

impl Problem {
    fn render(&self, origin: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "error: {}", plain(&self.message))?;
        let origin = plain(origin);
        let Some(first) = self.marks.first() else {
            writeln!(f, " --> {origin}")?;
            if !self.key.is_empty() {
                writeln!(f, "  = key: {}", plain(&self.key))?;
            }
            if !self.help.is_empty() {
                writeln!(f, "  = help: {}", plain(&self.help))?;
            }
            return Ok(());
        };
        let mut marks: Vec<(&Mark, char)> = self.marks.iter().map(|mark| (mark, '-')).collect();
        marks[0].1 = '^';
        marks.sort_by_key(|(mark, _)| (mark.line, mark.column));
        let last = marks.last().map_or(1, |(mark, _)| mark.line);
        let gutter = last.to_string().len();
        let blank = " ".repeat(gutter);
        writeln!(f, "{blank}--> {origin}:{}:{}", first.line, first.column)?;
        writeln!(f, "{blank} |")?;
        let mut above: Option<usize> = None;
        for (mark, sign) in marks {
            if above.is_some_and(|above| above + 1 < mark.line) {
                writeln!(f, "{blank} ...")?;
            }
            if above != Some(mark.line) {
                let line = format!("{:>gutter$} | {}", mark.line, mark.shown);
                writeln!(f, "{}", line.trim_end())?;
            }
            above = Some(mark.line);
            let carets: String = std::iter::repeat_n(sign, mark.width).collect();
            let line = format!(
                "{blank} | {}{carets} {}",
                " ".repeat(mark.caret),
                plain(&mark.note)
            );
            writeln!(f, "{}", line.trim_end())?;
        }
        writeln!(f, "{blank} |")?;
        if !self.key.is_empty() {
            writeln!(f, "{blank} = key: {}", plain(&self.key))?;
        }
        if !self.help.is_empty() {
            writeln!(f, "{blank} = help: {}", plain(&self.help))?;
        }
        Ok(())
    }
}

/// Where problems are reported while a file is read.
#[derive(Debug, Default)]
pub(super) struct Problems {
    found: Vec<Found>,
    more: usize,
}

#[derive(Debug)]
struct Found {
    message: String,
    key: String,
    help: String,
    places: Vec<(Place, String)>,
}

impl Problems {
    pub fn is_empty(&self) -> bool {
        self.found.is_empty()
    }

    /// Reports one problem. The words are only made while they can still be shown.
    pub fn add(&mut self, at: &Place, words: impl FnOnce() -> Words) {
        if self.found.len() >= SHOWN_MAX {
            self.more += 1;
            return;
        }
        let words = words();
        let mut places = vec![(at.clone(), words.note)];
        places.extend(words.also);
        self.found.push(Found {
            message: words.message,
            key: words.key,
            help: words.help,
            places,
        });
    }

    /// The problems with the lines of `text` they are about, in the order of the file.
    pub fn into_errors(mut self, origin: &str, text: &str) -> ManifestErrors {
        self.found.sort_by_key(|found| found.places[0].0.start);
        let problems = self.found.into_iter().map(|found| Problem {
            message: found.message,
            key: found.key,
            help: found.help,
            marks: found
                .places
                .into_iter()
                .map(|(place, note)| Mark::new(text, &place, note))
                .collect(),
        });
        ManifestErrors {
            origin: origin.to_owned(),
            problems: problems.collect(),
            more: self.more,
        }
    }
}

/// What is said about a problem.
#[derive(Debug, Default)]
pub(super) struct Words {
    message: String,
    key: String,
    help: String,
    note: String,
    also: Vec<(Place, String)>,
}

impl Words {
    pub fn new(message: impl Into<String>, key: impl fmt::Display) -> Self {
        Self {
            message: message.into(),
            key: key.to_string(),
            ..Self::default()
        }
    }

    /// What to do about it.
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = help.into();
        self
    }

    /// What stands beside the caret.
    pub fn note(mut self, note: impl Into<String>) -> Self {
        self.note = note.into();
        self
    }

    /// Another place that belongs to it.
    pub fn also(mut self, at: &Place, note: impl Into<String>) -> Self {
        self.also.push((at.clone(), note.into()));
        self
    }
}

impl Mark {
    fn new(text: &str, place: &Place, note: String) -> Self {
        let mut start = place.start.min(text.len());
        while !text.is_char_boundary(start) {
            start -= 1;
        }
        let line_start = text[..start].rfind('\n').map_or(0, |at| at + 1);
        let line_end = text[start..].find('\n').map_or(text.len(), |at| start + at);
        let line = 1 + text.as_bytes()[..line_start]
            .iter()
            .filter(|&&byte| byte == b'\n')
            .count();
        let before = text[line_start..start].chars().count();
        let mut end = place.end.clamp(start, line_end);
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        let width = text[start..end].trim_end().chars().count();
        let whole = text[line_start..line_end].trim_end_matches('\r');
        let skip = if before + width.min(20) < LINE_MAX {
            0
        } else {
            before.saturating_sub(LINE_MAX / 2)
        };
        let shown: String = whole.chars().skip(skip).take(LINE_MAX).collect();
        let caret = before - skip;
        let room = shown.chars().count().saturating_sub(caret);
        Self {
            line,
            column: before + 1,
            note,
            shown: plain(&shown).trim_end().to_owned(),
            caret,
            width: width.min(room).max(1),
        }
    }
}

/// One character for one, with everything that could move a terminal's cursor made visible.
fn plain(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            '\t' => ' ',
            '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => {
                '\u{fffd}'
            }
            '\u{feff}' => '\u{fffd}',
            c if c.is_control() => '\u{fffd}',
            c => c,
        })
        .collect()
}

/// A word of the file in backquotes, cut to a readable length.
pub(super) fn quote(text: &str) -> String {
    let mut cut = String::new();
    for c in text.chars().take(60) {
        match c.is_control() {
            // A terminal would obey it.
            true => cut.extend(c.escape_default()),
            false => cut.push(c),
        }
    }
    if text.chars().nth(60).is_some() {
        cut.push('…');
    }
    format!("`{cut}`")
}

/// The candidate most like `word`, when one is like it at all.
pub(super) fn nearest<'c>(
    word: &str,
    candidates: impl IntoIterator<Item = &'c str>,
) -> Option<&'c str> {
    let word: String = word.chars().take(60).collect::<String>().to_lowercase();
    let mut best: Option<(f64, &str)> = None;
    for candidate in candidates {
        let like = strsim::jaro_winkler(&word, &candidate.to_lowercase());
        if like > best.map_or(0.75, |(like, _)| like) {
            best = Some((like, candidate));
        }
    }
    best.map(|(_, candidate)| candidate)
}

/// The known key that an unknown one is a slip of: the same but for its case and one letter, or two of a long one.
pub fn misspelt<'k>(key: &str, known: &[&'k str]) -> Option<&'k str> {
    let key: String = key.chars().take(60).collect::<String>().to_lowercase();
    let slips = |known: &str| if known.len() < 7 { 1 } else { 2 };
    let away = |known: &'k str| (strsim::osa_distance(&key, known), known);
    let near = known.iter().copied().map(away);
    near.filter(|(distance, known)| *distance <= slips(known))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, known)| known)
}

/// Help for an unknown word: the nearest of the allowed ones, or all of them.
pub(super) fn did_you_mean(word: &str, allowed: &[&str]) -> String {
    match nearest(word, allowed.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("use one of: {}", allowed.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_file_contains_cannot_move_the_cursor() {
        let text = "a = \"\u{1b}[2Jü\u{202e}x\"\r\n";
        let mut problems = Problems::default();
        problems.add(&(4..text.len()), || Words::new("bad \u{7}", "k\u{9b}"));
        let shown = problems.into_errors("f\u{1b}", text).to_string();
        assert!(
            shown.chars().all(|c| c == '\n' || !c.is_control()),
            "{shown:?}"
        );
        assert!(!shown.contains('\u{202e}'));
    }

    #[test]
    fn a_slip_of_a_key_is_known_and_another_word_is_not() {
        let known = ["findings", "blocker", "doing", "summary"];
        for (key, expected) in [
            ("finding", Some("findings")),
            ("Findings", Some("findings")),
            ("blockers", Some("blocker")),
            ("sumary", Some("summary")),
            ("done", None),
            ("mood", None),
            ("", None),
        ] {
            assert_eq!(misspelt(key, &known), expected, "case: {key}");
        }
    }

    #[test]
    fn a_very_long_line_is_cut_around_the_caret() {
        let text = format!("{}HERE{}", "x".repeat(1_000_000), "y".repeat(1_000_000));
        let mark = Mark::new(&text, &(1_000_000..1_000_004), String::new());
        assert_eq!(mark.column, 1_000_001);
        assert_eq!(mark.shown.len(), LINE_MAX);
        assert_eq!(&mark.shown[mark.caret..mark.caret + mark.width], "HERE");
    }
}
