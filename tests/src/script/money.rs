//! The steps of a script that are about money, and about a provider that takes no more requests.

use director::engine::money::micros_of;
use director_protocols::command::Command;
use director_protocols::event::Event;
use director_protocols::ids::InboxId;
use director_protocols::inbox::Reply;
use director_protocols::time::Span;
use director_protocols::work::{AttemptEnd, Report};

use super::Script;

fn micros(text: &str) -> u64 {
    micros_of(text).unwrap_or_else(|| panic!("`{text}` is no amount"))
}

impl Script {
    /// `limited TASK [MINUTESm]`, `reached TASK`, `done TASK for $AMOUNT`, `spend TASK $AMOUNT`, `pay ITEM AMOUNT`; nothing for any other step.
    pub(super) fn paid(&mut self, words: &[&str]) -> Option<Vec<String>> {
        match *words {
            ["limited", task, ref wait @ ..] => {
                let minutes = |wait: &&str| wait.trim_end_matches('m').parse().expect("minutes");
                let until = wait.first().map(minutes);
                let end = AttemptEnd::Limited {
                    reason: "too many requests".to_owned(),
                    until: until.map(|until| self.now + Span::minutes(until)),
                };
                Some(self.end(task, end))
            }
            ["reached", task] => Some(self.end(task, AttemptEnd::BudgetReached)),
            ["done", task, "for", cost] => Some(self.end(
                task,
                AttemptEnd::done(Report {
                    summary: "done".to_owned(),
                    cost_micros: micros(cost),
                    ..Report::default()
                }),
            )),
            ["spend", task, cost] => {
                let task = self.task(task);
                let attempt = self.engine.state().tasks.table[task.index()].attempt;
                Some(self.tell(Command::Spent {
                    task,
                    attempt,
                    cost_micros: micros(cost),
                }))
            }
            ["pay", item, text] => {
                let item: u32 = item.parse().expect("a number");
                Some(self.tell(Command::Answer {
                    item: InboxId(item - 1),
                    reply: Reply::Answer,
                    text: text.to_owned(),
                    by: "ada".to_owned(),
                }))
            }
            _ => None,
        }
    }
}

/// Whether the event is about money.
pub(super) fn is_paid(event: &Event) -> bool {
    matches!(
        event,
        Event::CostReserved(_)
            | Event::CostSpent(_)
            | Event::CostSettled(_)
            | Event::BudgetWarned(_)
            | Event::BudgetHeld(_)
            | Event::BudgetFreed(_)
            | Event::BudgetRaised(_)
            | Event::BudgetsChanged(_)
            | Event::AttemptOverspent(_)
    )
}
