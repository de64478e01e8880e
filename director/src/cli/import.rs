//! `director import`: a backlog of another tool into a sprint file.

use std::fs;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use clap::ValueEnum;

use super::Context;
use super::end::{CliError, Code};
use super::output::note;
use crate::import::{self, BACKLOG_BYTES_MAX, Done, Options, Source};

/// Turn a backlog of another tool into a sprint file, or bring one up to date
///
/// Writes to standard output, or with -o into a file. Into a file that is there already it brings what changed at the source
/// and keeps what was changed by hand; the same import twice changes nothing.
#[derive(Debug, clap::Args)]
pub(super) struct ImportArgs {
    /// Where it comes from
    #[arg(value_enum)]
    source: Word,
    /// The backlog; - for standard input
    file: PathBuf,
    /// The sprint file to write or to bring up to date
    #[arg(short, long, visible_alias = "into", value_name = "FILE")]
    output: Option<PathBuf>,
    /// The id of a new sprint [default: the source's name]
    #[arg(long, value_name = "ID")]
    sprint: Option<String>,
    /// What becomes of issues that are done
    #[arg(long, value_enum, default_value_t = DoneWord::Skip, value_name = "WHAT")]
    done: DoneWord,
    /// Only this tag of Task Master; can be given several times
    #[arg(long, value_name = "TAG")]
    tag: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Word {
    /// What `gh issue list --json number,title,body,state,labels,…` prints
    Github,
    /// A CSV export of Jira, or a table with such columns
    Jira,
    /// Linear: JSON of its API, or its CSV export
    Linear,
    /// Task Master's tasks.json
    Taskmaster,
    /// beads' issues.jsonl
    Beads,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum DoneWord {
    /// Left out; one that is in the file already is marked as done
    Skip,
    /// A task with `done = true`
    Mark,
    /// A task like any other
    Open,
}

pub(super) fn import(args: &ImportArgs, cx: &mut Context) -> Result<Code, CliError> {
    let source = match args.source {
        Word::Github => Source::Github,
        Word::Jira => Source::Jira,
        Word::Linear => Source::Linear,
        Word::Taskmaster => Source::Taskmaster,
        Word::Beads => Source::Beads,
    };
    let options = Options {
        sprint: args.sprint.clone(),
        done: match args.done {
            DoneWord::Skip => Done::Skip,
            DoneWord::Mark => Done::Mark,
            DoneWord::Open => Done::Open,
        },
        tags: args.tag.clone(),
    };
    let text = read(&args.file)?;
    let before = match &args.output {
        Some(path) if path.exists() => Some(fs::read_to_string(path).map_err(|error| {
            CliError::Input(format!("`{}` cannot be read: {error}", path.display()))
        })?),
        _ => None,
    };
    let imported = import::import(source, &text, before.as_deref(), &options);
    let imported = imported.map_err(|error| CliError::Input(error.to_string()))?;
    note(imported.summary.to_string().trim_end());
    match &args.output {
        None => cx.output.text(&imported.text)?,
        Some(path) if before.as_deref() == Some(imported.text.as_str()) => {
            note(&format!("`{}` is up to date", path.display()));
        }
        Some(path) => {
            replace(path, &imported.text)?;
            let shown = path.display();
            note(&format!(
                "wrote `{shown}`; look at it with `director plan {shown}`"
            ));
        }
    }
    Ok(Code::Done)
}

/// The text of a backlog, or of standard input.
fn read(path: &Path) -> Result<String, CliError> {
    let fail = |why: String| CliError::Input(format!("`{}` {why}", path.display()));
    let mut bytes = Vec::new();
    let most = BACKLOG_BYTES_MAX as u64 + 1;
    let done = match path.as_os_str() == "-" {
        true => io::stdin().take(most).read_to_end(&mut bytes),
        false => fs::File::open(path).and_then(|file| file.take(most).read_to_end(&mut bytes)),
    };
    done.map_err(|error| fail(format!("cannot be read: {error}")))?;
    if bytes.len() > BACKLOG_BYTES_MAX {
        let most = BACKLOG_BYTES_MAX >> 20;
        return Err(fail(format!(
            "has more than {most} MiB; export fewer issues"
        )));
    }
    if bytes.starts_with(&[0x1f, 0x8b]) {
        return Err(fail("is compressed; `gunzip` it first".to_owned()));
    }
    let (text, assumed) = import::decode(bytes);
    if let Some(encoding) = assumed {
        note(&format!(
            "`{}` is not UTF-8; it is read as {encoding}",
            path.display()
        ));
    }
    Ok(text)
}

/// Writes a file as a whole: who reads it meanwhile sees the old one or the new one.
fn replace(path: &Path, text: &str) -> Result<(), CliError> {
    let fail = |error: io::Error| {
        let shown = path.display();
        CliError::Input(format!(
            "`{shown}` cannot be written: {error}; check that you may write there"
        ))
    };
    // A link stays a link: what it leads to is written.
    let path = &fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".new");
    let new = path.with_file_name(name);
    let mut file = fs::File::create(&new).map_err(fail)?;
    let done = file
        .write_all(text.as_bytes())
        .and_then(|()| file.sync_all());
    done.and_then(|()| fs::rename(&new, path)).map_err(|error| {
        let _ = fs::remove_file(&new);
        fail(error)
    })
}
