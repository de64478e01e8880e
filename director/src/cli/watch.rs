//! `director watch`: the director at a terminal.

use std::io::{self, IsTerminal};

use tokio::signal::unix::{SignalKind, signal};

use super::end::{CliError, Code};
use super::follow::Signals;
use super::source::who;
use super::{Context, Which, home};
use crate::watch::{Watch, run};

/// Watch the director at the terminal, and answer it: team, tasks, graph, events, inbox
///
/// `?` shows the keys. Leaving it changes nothing; the director goes on.
#[derive(Debug, clap::Args)]
pub(super) struct WatchArgs {
    #[command(flatten)]
    which: Which,
}

pub(super) fn watch(args: WatchArgs, cx: &mut Context) -> Result<Code, CliError> {
    let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
    if !io::stdout().is_terminal() || !io::stdin().is_terminal() || dumb {
        return Err(CliError::Input(
            "`watch` needs a terminal to draw on; `director status` says where things stand, and \
             `director events --follow` prints what happens"
                .into(),
        ));
    }
    let watch = Watch {
        data_dir: home::find(cx)?,
        colour: cx.output.screen.colour,
        by: who(),
        sprint: args.which.sprint,
    };
    super::block_on(async {
        let mut signals = Signals::listen()?;
        let hangup = signal(SignalKind::hangup());
        let mut hangup =
            hangup.map_err(|error| CliError::Failed(format!("no signals: {error}")))?;
        let ended = async {
            tokio::select! {
                biased;
                () = signals.next() => {}
                _ = hangup.recv() => {}
            }
        };
        Ok(run(watch, ended).await?)
    })?;
    Ok(Code::Done)
}
