//! Ways of working: the inbox's rules, and who is told what.

use crate::deployment::{DeploymentSpec, Probe, Readiness};
use crate::ids::Name;
use crate::inbox::{InboxDefault, InboxRule, InboxRules};
use crate::time::Span;
use crate::unclear::Start;
use crate::ways::{
    Ceremonies, Delivery, Destination, Form, Ladder, Medium, Peer, PeerSpec, Running, Stakeholder,
    Ways, Webhook,
};

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

/// When the command that says whether a deployment can begin is given up, unless the file says otherwise.
pub(in crate::manifest) const READY: Span = Span::minutes(5);
/// When one look at what was deployed is given up, when the first is, how far apart they are, and for how long.
pub(in crate::manifest) const LOOK: Span = Span::seconds(30);
const AFTER: Span = Span::minutes(1);
const EVERY: Span = Span::minutes(1);
const LASTING: Span = Span::minutes(10);

/// Reads everything about ways of working.
pub(super) fn ways(
    root: &Node<'_>,
    is_role: &dyn Fn(&str) -> bool,
    reading: &mut Reading<'_>,
) -> Ways {
    let written = root.field("stakeholder").map_or(&[][..], Node::items);
    let mut stakeholders: Vec<Stakeholder> = written.iter().filter_map(stakeholder).collect();
    stakeholders.extend(root.field("notify").and_then(|node| notify(node, reading)));
    let planning = |key| {
        let flag = root.field("planning").and_then(|node| node.field(key));
        flag.and_then(Node::flag).unwrap_or(false)
    };
    Ways {
        inbox: inbox(root.field("inbox"), reading),
        stakeholders,
        ladder: ladder(root.field("ladder")),
        ceremonies: ceremonies(root.field("ceremonies")),
        peers: Peer::ALL
            .into_iter()
            .filter_map(|peer| {
                let node = root.field("peer")?.field(peer.as_str())?;
                let to = destination(node, peer, is_role, reading)?;
                Some(PeerSpec { peer, to })
            })
            .collect(),
        delivery: delivery(root.field("webhooks")),
        deployment: root
            .field("deployment")
            .map_or_else(DeploymentSpec::default, deployment),
        start: Start {
            strict: planning("strict"),
            ..Start::default()
        },
        calibrate: planning("calibrate"),
    }
}

fn stakeholder(node: &Node<'_>) -> Option<Stakeholder> {
    let webhook = webhook(node);
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
        quiet: node.field("quiet").and_then(Node::flag).unwrap_or(false),
    })
}

fn notify(node: &Node<'_>, reading: &mut Reading<'_>) -> Option<Stakeholder> {
    let (webhook, run) = (webhook(node), node.field("run").and_then(run));
    if webhook.is_none() && run.is_none() {
        reading.problems.add(&node.at, || {
            Words::new("nothing says how you are told", "notify")
                .help("write a command in `run`, an address in `webhook`, or both")
        });
        return None;
    }
    Some(Stakeholder {
        name: Name::new(NOTIFY).ok()?,
        on: NEWS.map(str::to_owned).to_vec(),
        webhook,
        run,
        inbox: false,
        quiet: node.field("quiet").and_then(Node::flag).unwrap_or(true),
    })
}

fn webhook(node: &Node<'_>) -> Option<Webhook> {
    Some(Webhook {
        url: text(node.field("webhook"))?,
        secret_env: text(node.field("secret_env")),
        format: match node.field("format").and_then(Node::text) {
            Some("slack") => Form::Slack,
            _ => Form::Event,
        },
    })
}

fn destination(
    node: &Node<'_>,
    peer: Peer,
    is_role: &dyn Fn(&str) -> bool,
    reading: &mut Reading<'_>,
) -> Option<Destination> {
    let at = |key: &str| format!("peer.{}.{key}", peer.as_str());
    let (role, hook) = (node.field("role"), webhook(node));
    if let (Some(role), Some(_)) = (role, &hook) {
        reading.problems.add(&role.at, || {
            Words::new("a team is a role or a webhook, not both", at("role"))
                .help("leave one of them out")
        });
        return None;
    }
    if let (Some(secret), None) = (node.field("secret_env"), &hook) {
        reading.problems.add(&secret.at, || {
            Words::new(
                "there is nothing to sign without a webhook",
                at("secret_env"),
            )
            .help("write the address in `webhook`")
        });
        return None;
    }
    let Some(role) = role else {
        return Some(hook.map_or(Destination::Inbox, Destination::Webhook));
    };
    let name = name(Some(role))?;
    if !is_role(name.as_str()) {
        reading.problems.add(&role.at, || {
            Words::new(format!("there is no role `{name}` in the team"), at("role"))
                .help(format!("add [team.{name}], or write a webhook"))
        });
        return None;
    }
    Some(Destination::Role {
        role: name,
        run: node.field("run").and_then(run),
    })
}

fn delivery(node: Option<&Node<'_>>) -> Delivery {
    let usual = Delivery::default();
    let field = |key| node.and_then(|node| node.field(key));
    Delivery {
        tries_max: small(field("tries_max")).unwrap_or(usual.tries_max),
        retry_min: duration(field("retry_min")).unwrap_or(usual.retry_min),
        retry_max: duration(field("retry_max")).unwrap_or(usual.retry_max),
    }
}

fn deployment(node: &Node<'_>) -> DeploymentSpec {
    let probe = |node: &Node<'_>| {
        let span = |key, usual| duration(node.field(key)).unwrap_or(usual);
        Some(Probe {
            run: run(node.field("run")?)?,
            timeout: span("timeout", LOOK),
            after: span("after", AFTER),
            every: span("every", EVERY),
            lasting: span("for", LASTING),
        })
    };
    let ready = node.field("ready").and_then(|node| {
        Some(match node.field("run") {
            Some(command) => Readiness {
                run: run(command)?,
                timeout: duration(node.field("timeout")).unwrap_or(READY),
            },
            None => Readiness {
                run: run(node)?,
                timeout: READY,
            },
        })
    });
    let windows = node.field("windows").map_or(&[][..], Node::items);
    DeploymentSpec {
        ready,
        windows: windows
            .iter()
            .filter_map(|node| values::window(node.text()?).ok())
            .collect(),
        probe: node.field("probe").and_then(probe),
    }
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
        unclear: rule("unclear"),
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
