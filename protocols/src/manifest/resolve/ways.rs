//! Ways of working: the inbox's rules, and who is told what.

use crate::ids::Name;
use crate::inbox::{InboxDefault, InboxRule, InboxRules};
use crate::ways::{Ceremonies, Ladder, Medium, Running, Stakeholder, Ways};

use super::super::errors::Words;
use super::super::shape::OFF;
use super::super::tree::Node;
use super::super::values;
use super::{Reading, duration, name, names, run, small, text};

/// The name under which `[notify]` is told.
const NOTIFY: &str = "notify";
/// What `[notify]` is told of.
const NEWS: [&str; 4] = [
    "inbox_opened",
    "inbox_reminded",
    "blocker_escalated",
    "engineering_emergency",
];

/// Reads everything about ways of working.
pub(super) fn ways(root: &Node<'_>, reading: &mut Reading<'_>) -> Ways {
    let written = root.field("stakeholder").map_or(&[][..], Node::items);
    let mut stakeholders: Vec<Stakeholder> = written.iter().filter_map(stakeholder).collect();
    stakeholders.extend(root.field("notify").and_then(notify));
    Ways {
        inbox: inbox(root.field("inbox"), reading),
        stakeholders,
        ladder: ladder(root.field("ladder")),
        ceremonies: ceremonies(root.field("ceremonies")),
    }
}

fn stakeholder(node: &Node<'_>) -> Option<Stakeholder> {
    let webhook = text(node.field("webhook"));
    let run = node.field("run").and_then(run);
    let on = names(node.field("on"));
    Some(Stakeholder {
        name: name(node.field("name"))?,
        on: on.iter().map(Name::to_string).collect(),
        inbox: node
            .field("inbox")
            .and_then(Node::flag)
            .unwrap_or(webhook.is_none() && run.is_none()),
        webhook,
        run,
    })
}

fn notify(node: &Node<'_>) -> Option<Stakeholder> {
    Some(Stakeholder {
        name: Name::new(NOTIFY).ok()?,
        on: NEWS.map(str::to_owned).to_vec(),
        webhook: None,
        run: Some(node.field("run").and_then(run)?),
        inbox: false,
    })
}

fn ceremonies(node: Option<&Node<'_>>) -> Ceremonies {
    let field = |key| node.and_then(|node| node.field(key));
    Ceremonies {
        standup: match field("standup").and_then(Node::text) {
            Some(OFF) => None,
            Some(text) => values::hour(text).ok(),
            None => Ceremonies::default().standup,
        },
        progress: duration(field("progress")),
    }
}

fn ladder(node: Option<&Node<'_>>) -> Ladder {
    let usual = Ladder::default();
    let field = |key| node.and_then(|node| node.field(key));
    let word = |key| field(key).and_then(Node::text);
    Ladder {
        low: match field("low") {
            Some(list) => names(Some(list)),
            None => usual.low,
        },
        medium: match word("medium") {
            Some("pair") => Medium::Pair,
            _ => Medium::Reassign,
        },
        high: match field("high") {
            Some(list) => names(Some(list)),
            None => usual.high,
        },
        running: match word("running") {
            Some("checkpoint") => Running::Checkpoint,
            _ => Running::Finish,
        },
        resolution: duration(field("resolution")).unwrap_or(usual.resolution),
        repeats_max: small(field("repeats_max")).unwrap_or(usual.repeats_max),
    }
}

fn inbox(node: Option<&Node<'_>>, reading: &mut Reading<'_>) -> InboxRules {
    let mut rule = |key: &str| {
        let node = node?.field(key)?;
        rule(node, &format!("inbox.{key}"), reading)
    };
    InboxRules {
        question: rule("question"),
        task: rule("task"),
        gate: rule("gate"),
    }
}

fn rule(node: &Node<'_>, at: &str, reading: &mut Reading<'_>) -> Option<InboxRule> {
    let words = text(node.field("text"));
    let default = match node.field("default").and_then(Node::text) {
        Some("approve") => InboxDefault::Approve,
        Some("reject") => {
            InboxDefault::Reject(words.unwrap_or_else(|| "nobody answered in time".to_owned()))
        }
        Some("answer") => match words {
            Some(words) if !words.trim().is_empty() => InboxDefault::Answer(words),
            _ => {
                reading.problems.add(&node.at, || {
                    Words::new("there is no answer to give", format!("{at}.text"))
                        .help("write the answer in `text`")
                });
                return None;
            }
        },
        _ => InboxDefault::Remind,
    };
    Some(InboxRule {
        within: duration(node.field("within"))?,
        default,
    })
}
