//! `director events`: the journal as people and programs read it.

use super::end::{CliError, Code};
use super::source::Source;
use super::{Context, Which, home};
use crate::control::answer::read_page;
use crate::control::protocol::{Ask, EventLine};

/// Print what happened, one event a line
#[derive(Debug, clap::Args)]
pub(super) struct EventsArgs {
    /// Go on as things happen, until the director stops
    #[arg(short, long)]
    follow: bool,
    /// JSON lines
    #[arg(long)]
    json: bool,
    /// Only what came after this position
    #[arg(long, value_name = "SEQ", default_value_t = 0)]
    after: u64,
    #[command(flatten)]
    which: Which,
}

pub(super) fn events(args: EventsArgs, cx: &mut Context) -> Result<Code, CliError> {
    let data_dir = home::find(cx)?;
    super::block_on(async {
        let source = Source::open(&data_dir).await?;
        match (args.follow, source) {
            (true, Source::Running(mut client)) => {
                let screen = cx.output.screen;
                let stream = client.follow(args.after, args.which.sprint, screen).await?;
                while let Some(line) = client.next_event(&stream).await? {
                    print(&line, args.json, cx)?;
                    cx.output.flush()?;
                }
                Ok(())
            }
            // Nothing more happens without a director.
            (_, source) => print_all(source, args.after, args.which.sprint, args.json, cx).await,
        }
    })?;
    Ok(Code::Done)
}

/// Prints every event after a position.
pub(super) async fn print_all(
    mut source: Source,
    mut after: u64,
    sprint: Option<String>,
    json: bool,
    cx: &mut Context,
) -> Result<(), CliError> {
    loop {
        let ask = Ask::Page {
            after,
            sprint: sprint.clone(),
        };
        let answer = source.ask(ask, cx.output.screen).await?;
        let (reached, lines) = read_page(answer).map_err(|error| {
            CliError::Failed(format!("the director answered something unknown: {error}"))
        })?;
        for line in &lines {
            print(line, json, cx)?;
        }
        if reached <= after {
            return Ok(());
        }
        after = reached;
    }
}

fn print(line: &EventLine, json: bool, cx: &mut Context) -> Result<(), CliError> {
    match json {
        true => cx.output.text(&format!("{}\n", line.json)),
        false => cx.output.text(&format!("{}\n", line.text)),
    }
}
