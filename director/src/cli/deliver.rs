//! `director deliver`: the integration branch into the base.

use serde_json::json;

use super::end::{CliError, Code};
use super::output::note;
use super::source::{self, Source, who};
use super::{Context, Which, home};
use crate::control::facts::SprintFacts;
use crate::control::protocol::{Answer, Ask, Order, Screen};
use crate::control::work;

/// Bring the sprint's result into the base branch
///
/// Moves the base only from where the sprint began, and only when the gates are green. Otherwise nothing changes
/// and it says what to do.
#[derive(Debug, clap::Args)]
pub(super) struct DeliverArgs {
    #[command(flatten)]
    which: Which,
    /// Also when committed tasks are not done: deliver what was merged
    #[arg(long)]
    partial: bool,
    /// One JSON document
    #[arg(long)]
    json: bool,
}

pub(super) fn deliver(args: DeliverArgs, cx: &mut Context) -> Result<Code, CliError> {
    let data_dir = home::find(cx)?;
    let facts = sprint(source::ask(
        Ask::Sprint {
            sprint: args.which.sprint,
            fingerprint: false,
        },
        cx,
    )?)?;
    let found = work::deliver(&facts, args.partial, crate::control::server::now())?;
    let work::Delivered { base, commit, text } = found;
    if facts.delivered.as_deref() != Some(&*commit) {
        let order = Order::Delivered {
            sprint: facts.sprint.clone(),
            commit: commit.clone(),
            by: who(),
        };
        let noted =
            super::block_on(async { Source::open(&data_dir).await?.order_quietly(order).await });
        if let Err(error) = noted {
            note(&format!(
                "warning: it is delivered, but the journal could not take that in: {error}"
            ));
        }
    }
    let json = json!({ "sprint": facts.sprint, "base": base, "commit": commit });
    cx.output.answer(
        &Answer {
            text,
            json,
            ..Answer::default()
        },
        args.json,
    )?;
    Ok(Code::Done)
}

/// The facts in an answer.
pub(super) fn sprint(answer: Answer) -> Result<SprintFacts, CliError> {
    serde_json::from_value(answer.json).map_err(|error| {
        CliError::Failed(format!("the director answered something unknown: {error}"))
    })
}

/// The sprint meant, by whoever holds the data directory.
pub(super) async fn sprint_of(
    source: &mut Source,
    name: Option<String>,
) -> Result<SprintFacts, CliError> {
    sprint(
        source
            .ask(
                Ask::Sprint {
                    sprint: name,
                    fingerprint: true,
                },
                Screen::default(),
            )
            .await?,
    )
}
