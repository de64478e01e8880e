//! `director agents`.

use super::end::{CliError, Code};
use super::source::Source;
use super::{Context, home, source};
use crate::control::protocol::{Ask, Op};

/// Show the team: roles, instances, state, utilisation
#[derive(Debug, clap::Args)]
pub(super) struct AgentsArgs {
    /// The actors of the running director, with mailbox depth, generation and restarts
    #[arg(long)]
    tree: bool,
    /// One JSON document
    #[arg(long)]
    json: bool,
}

pub(super) fn agents(args: &AgentsArgs, cx: &mut Context) -> Result<Code, CliError> {
    let answer = match args.tree {
        false => source::ask(Ask::Agents {}, cx)?,
        true => {
            let (data_dir, screen) = (home::find(cx)?, cx.output.screen);
            super::block_on(async move {
                match Source::open(&data_dir).await? {
                    Source::Running(mut client) => Ok(client.request(Op::Tree, screen).await?),
                    Source::Journal(..) => Err(CliError::Input(
                        "actors live only while a director runs; `director run sprint.toml` starts one, \
                         `director agents` lists the team without"
                            .to_owned(),
                    )),
                }
            })?
        }
    };
    cx.output.answer(&answer, args.json)?;
    Ok(Code::Done)
}
