//! Progress on standard error: lines redrawn in place on a terminal, otherwise one line for each event.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::output::{Output, note};

/// How often progress is looked at.
pub(super) const LOOK_EVERY: Duration = Duration::from_millis(100);

/// The most redraws in a second.
const REDRAWS_PER_SECOND: u8 = 10;

/// Shows how a sprint goes.
pub(super) enum Progress {
    /// Redraws lines; at most so many.
    Live(ProgressBar, usize),
    /// Prints a line for each event.
    Plain,
}

impl Progress {
    /// As standard error allows.
    pub(super) fn new(output: &Output) -> Self {
        if !output.live {
            return Progress::Plain;
        }
        let target = ProgressDrawTarget::stderr_with_hz(REDRAWS_PER_SECOND);
        let bar = ProgressBar::with_draw_target(None, target);
        if let Ok(style) = ProgressStyle::with_template("{msg}") {
            bar.set_style(style);
        }
        // What is higher than the screen could not be taken off it again.
        Progress::Live(bar, output.rows.saturating_sub(2).max(1))
    }

    /// Whether it shows the state, rather than what happens.
    pub(super) fn is_live(&self) -> bool {
        matches!(self, Progress::Live(..))
    }

    /// Shows the state.
    pub(super) fn state(&self, text: &str) {
        let Progress::Live(bar, most) = self else {
            return;
        };
        let text = fitting(text, *most);
        if bar.message() != text {
            bar.set_message(text);
        }
    }

    /// Says something that stays.
    pub(super) fn say(&self, text: &str) {
        match self {
            Progress::Plain => note(text),
            Progress::Live(bar, _) => bar.println(text),
        }
    }

    /// Takes the lines off the screen.
    pub(super) fn clear(&self) {
        if let Progress::Live(bar, _) = self {
            bar.finish_and_clear();
        }
    }
}

/// At most so many lines; the last says how many are left out.
fn fitting(text: &str, most: usize) -> String {
    let lines: Vec<&str> = text.lines().collect();
    if lines.len() <= most {
        return lines.join("\n");
    }
    let shown = most.saturating_sub(1);
    let more = format!("… {} more lines", lines.len() - shown);
    let shown = lines[..shown].iter().copied().chain([more.as_str()]);
    shown.collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::fitting;

    #[test]
    fn what_does_not_fit_the_screen_is_counted() {
        assert_eq!(fitting("a\nb\n", 2), "a\nb");
        assert_eq!(fitting("a\nb\nc\n", 2), "a\n… 2 more lines");
        assert_eq!(fitting("a\nb", 1), "… 2 more lines");
    }
}
