//! `director deliver`: the integration branch into the base.

use director_agents::git::{Delivery, Oid};
use serde_json::json;

use super::end::{CliError, Code};
use super::output::note;
use super::source::{self, Source, who};
use super::{Context, Which, home};
use crate::control::facts::SprintFacts;
use crate::control::protocol::{Answer, Ask, Order, Screen};
use crate::perform::deliver as perform;

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
    deliverable(&facts, args.partial)?;
    let expected: Oid = facts.base.parse()?;
    let date_ms = crate::control::server::now().0;
    let delivery = perform::deliver(&facts.place(), None, Some(&expected), date_ms)?;
    let name = &facts.sprint;
    let base = facts
        .base_branch
        .as_deref()
        .unwrap_or("the branch that is checked out");
    let (commit, text) = match delivery {
        Delivery::Delivered {
            commit,
            fast_forward,
        } => {
            let how = if fast_forward {
                "moved forward to"
            } else {
                "got the merge commit"
            };
            let text = format!(
                "{base} {how} {}: sprint `{name}` is delivered\n",
                commit.short()
            );
            (commit.to_string(), text)
        }
        Delivery::AlreadyThere => (
            facts.head.clone(),
            format!("{base} has sprint `{name}` already\n"),
        ),
        Delivery::NotDelivered { why, commands } => {
            let commands: String = commands
                .iter()
                .map(|line| format!("\n    {line}"))
                .collect();
            let text = format!("nothing was delivered: {why}\nto do it by hand:{commands}");
            return Err(CliError::Input(text));
        }
    };
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
    cx.output.answer(&Answer { text, json }, args.json)?;
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

/// Whether the sprint may be delivered.
fn deliverable(facts: &SprintFacts, partial: bool) -> Result<(), CliError> {
    let name = &facts.sprint;
    let no = |text: String| Err(CliError::Input(text));
    if !facts.over {
        return no(format!(
            "sprint `{name}` is {}; deliver it when it has ended",
            facts.state
        ));
    }
    if facts.state == "refused" {
        return no(format!("sprint `{name}` never began: {}", facts.refused));
    }
    if !facts.not_green.is_empty() {
        return no(format!(
            "sprint `{name}` is not green: {}",
            facts.not_green.join("; ")
        ));
    }
    if facts.state != "done" && !partial {
        let (done, committed) = facts.done;
        return no(format!(
            "sprint `{name}` is {}: {done} of {committed} committed tasks are done; `director why TASK` tells of one, \
             `--partial` delivers what was merged",
            facts.state
        ));
    }
    match facts.repo {
        Some(_) => Ok(()),
        None => no(format!(
            "sprint `{name}` has no repository, so there is nothing to deliver"
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_green_sprint_that_is_over_is_delivered() {
        let good = SprintFacts {
            sprint: "s".into(),
            state: "done".into(),
            over: true,
            repo: Some("/r".into()),
            base_branch: Some("main".into()),
            done: (3, 3),
            ..SprintFacts::default()
        };
        let change = |change: fn(&mut SprintFacts)| {
            let mut facts = good.clone();
            change(&mut facts);
            facts
        };
        for (facts, partial, said) in [
            (good.clone(), false, ""),
            (
                change(|f| f.over = false),
                false,
                "deliver it when it has ended",
            ),
            (
                change(|f| f.not_green = vec!["gate `tests` failed".into()]),
                true,
                "not green",
            ),
            (
                change(|f| f.state = "incomplete".into()),
                false,
                "--partial",
            ),
            (change(|f| f.state = "incomplete".into()), true, ""),
            (change(|f| f.repo = None), false, "no repository"),
        ] {
            let found = deliverable(&facts, partial)
                .err()
                .map_or_else(String::new, |e| e.to_string());
            assert!(
                found.contains(said) && found.is_empty() == said.is_empty(),
                "{facts:?}: {found}"
            );
        }
    }
}
