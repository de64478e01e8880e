//! `director retro`: look back, accept action items, write the next sprint's file.

use std::io::Write;
use std::path::{Path, PathBuf};

use clap::ValueEnum;

use super::end::{CliError, Code};
use super::output::note;
use super::{Context, Which, plan, source};
use crate::control::protocol::{Answer, Ask, Order, ReportFormat};
use crate::planner;

/// Look back on a sprint, accept what should change, and write the next sprint's file
///
/// Everything it says cites the positions of the events that it was computed from.
#[derive(Debug, clap::Args)]
pub(super) struct RetroArgs {
    #[command(flatten)]
    which: Which,
    /// How it is written
    #[arg(long, value_enum, default_value_t = Format::Md)]
    format: Format,
    /// Short for `--format json`
    #[arg(long, conflicts_with = "format")]
    json: bool,
    /// Takes an action item into the next sprint; may be given more than once
    #[arg(long, value_name = "ID")]
    accept: Vec<String>,
    /// Writes the next sprint's file: what remains, changed by what was accepted; never over a file that is there
    #[arg(long, value_name = "FILE")]
    next: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// Markdown
    Md,
    /// One page of HTML
    Html,
    /// One JSON document
    Json,
}

pub(super) fn retro(args: RetroArgs, cx: &mut Context) -> Result<Code, CliError> {
    let look = |format| Ask::Retro {
        sprint: args.which.sprint.clone(),
        format,
    };
    if !args.accept.is_empty() {
        let retro = source::ask(look(ReportFormat::Markdown), cx)?;
        for id in &args.accept {
            let text = change(&retro, id)?;
            let order = Order::Accept {
                sprint: args.which.sprint.clone(),
                action: id.clone(),
                text,
                by: source::who(),
            };
            source::order(order, cx)?;
        }
    }
    if let Some(file) = &args.next {
        return next(file, &args, cx);
    }
    if args.accept.is_empty() {
        let format = match args.format {
            Format::Html => ReportFormat::Html,
            Format::Md | Format::Json => ReportFormat::Markdown,
        };
        let answer = source::ask(look(format), cx)?;
        cx.output
            .answer(&answer, args.json || args.format == Format::Json)?;
    }
    Ok(Code::Done)
}

/// What the action item changes, in words.
fn change(retro: &Answer, id: &str) -> Result<String, CliError> {
    let items = retro.json["action_items"]
        .as_array()
        .map_or(&[][..], Vec::as_slice);
    let item = items.iter().find(|item| item["id"].as_str() == Some(id));
    match item.and_then(|item| item["text"].as_str()) {
        Some(text) => Ok(text.to_owned()),
        None => {
            let known: Vec<&str> = items
                .iter()
                .filter_map(|item| item["id"].as_str())
                .collect();
            let known = match known.as_slice() {
                [] => "there are none".to_owned(),
                known => format!("there are {}", known.join(", ")),
            };
            let shown: String = id.chars().filter(|c| !c.is_control()).take(100).collect();
            Err(CliError::Input(format!(
                "there is no action item `{shown}`; {known}"
            )))
        }
    }
}

/// Writes the file, once it has been read back and planned.
fn next(file: &Path, args: &RetroArgs, cx: &mut Context) -> Result<Code, CliError> {
    let full = std::path::absolute(file)?;
    let dir = full.parent().and_then(Path::to_str).map(str::to_owned);
    let ask = Ask::Next {
        sprint: args.which.sprint.clone(),
        dir,
    };
    let answer = source::ask(ask, cx)?;
    let options = std::fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(&full);
    let mut written = options.map_err(|error| {
        CliError::Input(format!(
            "the next sprint cannot be written to {}: {error}; name a file that is not there yet",
            file.display()
        ))
    })?;
    written.write_all(answer.text.as_bytes())?;
    drop(written);
    let manifest = plan::read(&full, director_protocols::manifest::Purpose::Plan, cx)?;
    planner::plan(&manifest.spec)?;
    let list = |key: &str| -> Vec<String> {
        let items = answer.json[key].as_array().map_or(&[][..], Vec::as_slice);
        items
            .iter()
            .filter_map(|item| item.as_str())
            .map(str::to_owned)
            .collect()
    };
    if args.json || args.format == Format::Json {
        cx.output.json(&answer.json)?;
        return Ok(Code::Done);
    }
    cx.output.text(&format!(
        "sprint `{}` is in {}: {} carried over\n",
        manifest.spec.id,
        file.display(),
        crate::view::count(list("carried_over").len(), "task")
    ))?;
    for change in list("changes") {
        cx.output.text(&format!("  {change}\n"))?;
    }
    note(&format!(
        "`director plan {}` shows the plan",
        file.display()
    ));
    Ok(Code::Done)
}
