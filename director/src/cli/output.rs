//! Where a command writes: standard output with or without colour, notes on standard error, traces.

use std::io::{self, BufRead, BufWriter, IsTerminal, Write};

use clap::ValueEnum;
use serde_json::Value;
use tracing_subscriber::EnvFilter;

use super::end::CliError;
use crate::control::protocol::Screen;

/// When output is coloured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Color {
    // On a terminal, unless `NO_COLOR` is set. No doc comments here: the words say it, and the help stays short.
    Auto,
    Always,
    Never,
}

/// Standard output, and what is known of the terminal behind it.
pub(super) struct Output {
    out: Box<dyn Write>,
    /// How wide a line may be, and whether there is colour.
    pub(super) screen: Screen,
    /// The same for standard error, where progress is shown.
    pub(super) notes: Screen,
    /// How many lines the terminal has.
    pub(super) rows: usize,
    /// Standard error is a terminal that lines can be redrawn on.
    pub(super) live: bool,
}

/// Columns where there is no terminal to ask.
const COLUMNS_OTHERWISE: u16 = 100;

impl Output {
    /// The process's own.
    pub(super) fn standard(color: Color) -> Self {
        let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
        let no_color = std::env::var_os("NO_COLOR").is_some_and(|set| !set.is_empty());
        let colour = |terminal: bool| match color {
            Color::Always => true,
            Color::Never => false,
            Color::Auto => terminal && !no_color && !dumb,
        };
        let (out, err) = (io::stdout().is_terminal(), io::stderr().is_terminal());
        let (width, rows) = size();
        Self {
            out: Box::new(BufWriter::new(io::stdout())),
            screen: Screen {
                width,
                colour: colour(out),
            },
            notes: Screen {
                width,
                colour: colour(err),
            },
            rows,
            live: err && !dumb,
        }
    }

    /// Somewhere else than standard output, without colour.
    #[cfg(test)]
    pub(super) fn to(out: Box<dyn Write>) -> Self {
        let screen = Screen::default();
        Self {
            out,
            screen,
            notes: screen,
            rows: 24,
            live: false,
        }
    }

    /// Writes data.
    pub(super) fn text(&mut self, text: &str) -> Result<(), CliError> {
        Ok(self.out.write_all(text.as_bytes())?)
    }

    /// Writes one JSON document.
    pub(super) fn json(&mut self, value: &Value) -> Result<(), CliError> {
        let text = serde_json::to_string_pretty(value).map_err(io::Error::from)?;
        self.text(&text)?;
        self.text("\n")
    }

    /// Writes an answer: the JSON if asked for, or else the text.
    pub(super) fn answer(
        &mut self,
        answer: &crate::control::protocol::Answer,
        json: bool,
    ) -> Result<(), CliError> {
        match json {
            true => self.json(&answer.json),
            false => self.text(&answer.text),
        }
    }

    /// What has been written so far is on its way.
    pub(super) fn flush(&mut self) -> Result<(), CliError> {
        Ok(self.out.flush()?)
    }
}

/// Says something that is not data.
pub(super) fn note(text: &str) {
    // A closed standard error only means that nobody listens.
    let _ = writeln!(io::stderr(), "{text}");
}

/// Asks at a terminal; elsewhere nobody can agree.
pub(super) fn agreed(question: &str) -> Result<bool, CliError> {
    if !io::stdin().is_terminal() {
        return Ok(false);
    }
    note(&format!("{question} [y/N]"));
    let mut line = String::new();
    io::stdin().lock().read_line(&mut line)?;
    Ok(matches!(line.trim(), "y" | "Y" | "yes"))
}

/// Columns and lines of the terminal.
fn size() -> (u16, usize) {
    let asked = rustix::termios::tcgetwinsize(io::stderr())
        .or_else(|_| rustix::termios::tcgetwinsize(io::stdout()));
    match asked {
        Ok(size) if size.ws_col > 0 => (size.ws_col, usize::from(size.ws_row)),
        _ => {
            let columns = std::env::var("COLUMNS")
                .ok()
                .and_then(|text| text.parse().ok());
            (
                columns
                    .filter(|columns| *columns >= 20)
                    .unwrap_or(COLUMNS_OTHERWISE),
                24,
            )
        }
    }
}

/// How traces are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum Log {
    /// Lines for people
    #[default]
    Text,
    /// One JSON object a line
    Json,
}

/// The variable that says what is logged, crate by crate: `info,director_agents=debug,director::http=off`. Stronger than `-v`.
const LOG_VAR: &str = "DIRECTOR_LOG";

/// Sends traces to standard error, as much as was asked for.
///
/// # Errors
/// That `DIRECTOR_LOG` makes no sense.
pub(super) fn trace(verbose: u8, log: Log) -> Result<(), CliError> {
    let usual = match verbose {
        0 => "error,ractor=off",
        1 => "info,ractor=warn",
        2 => "debug,ractor=warn",
        _ => "trace,ractor=info",
    };
    let given = std::env::var(LOG_VAR).ok();
    let given = given.filter(|text| !text.trim().is_empty());
    let filter = match &given {
        None => EnvFilter::new(usual),
        Some(text) => EnvFilter::try_new(text).map_err(|error| {
            CliError::Input(format!(
                "{LOG_VAR} is `{text}`: {error}; write levels such as `info` or `warn,director_agents=debug`"
            ))
        })?,
    };
    let built = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(io::stderr)
        .with_ansi(io::stderr().is_terminal());
    // A program that calls `run` may have set up its own.
    drop(match log {
        Log::Text => built.try_init(),
        Log::Json => built.json().flatten_event(true).try_init(),
    });
    Ok(())
}
