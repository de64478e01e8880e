//! Ways of working as a file has them: the inbox's rules, the ladder, and who is told what.

use std::collections::BTreeMap;

use serde::Serialize;

use super::super::shape::OFF;
use super::{Run, duration, run};
use crate::deployment::{DeploymentSpec, Window};
use crate::ids::Name;
use crate::inbox::{InboxDefault, InboxRule, InboxRules};
use crate::ways::{
    Ceremonies, Delivery, Destination, Form, Ladder, Medium, PeerSpec, Running, Stakeholder, Ways,
    Webhook,
};

#[derive(Serialize)]
pub(super) struct WaysOut {
    #[serde(skip_serializing_if = "Option::is_none")]
    inbox: Option<Inbox>,
    #[serde(skip_serializing_if = "Option::is_none")]
    planning: Option<PlanningOut>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ladder: Option<LadderOut>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ceremonies: Option<CeremoniesOut>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    peer: BTreeMap<&'static str, PeerOut>,
    #[serde(skip_serializing_if = "Option::is_none")]
    webhooks: Option<WebhooksOut>,
    #[serde(skip_serializing_if = "Option::is_none")]
    deployment: Option<DeploymentOut>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    stakeholder: Vec<Told>,
}

#[derive(Serialize)]
struct PlanningOut {
    strict: bool,
    calibrate: bool,
}

#[derive(Serialize)]
struct LadderOut {
    low: Vec<String>,
    medium: &'static str,
    high: Vec<String>,
    running: &'static str,
    resolution: String,
    repeats_max: u32,
}

#[derive(Default, Serialize)]
struct PeerOut {
    #[serde(skip_serializing_if = "Option::is_none")]
    role: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    run: Option<Run>,
    #[serde(skip_serializing_if = "Option::is_none")]
    webhook: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    secret_env: Option<String>,
}

#[derive(Serialize)]
struct WebhooksOut {
    tries_max: u32,
    retry_min: String,
    retry_max: String,
}

#[derive(Serialize)]
struct DeploymentOut {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    windows: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ready: Option<ReadyOut>,
    #[serde(skip_serializing_if = "Option::is_none")]
    probe: Option<ProbeOut>,
}

#[derive(Serialize)]
struct ReadyOut {
    run: Run,
    timeout: String,
}

#[derive(Serialize)]
struct ProbeOut {
    run: Run,
    after: String,
    every: String,
    r#for: String,
    timeout: String,
}

#[derive(Serialize)]
struct CeremoniesOut {
    standup: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    progress: Option<String>,
}

#[derive(Serialize)]
struct Inbox {
    #[serde(skip_serializing_if = "Option::is_none")]
    question: Option<Rule>,
    #[serde(skip_serializing_if = "Option::is_none")]
    task: Option<Rule>,
    #[serde(skip_serializing_if = "Option::is_none")]
    gate: Option<Rule>,
    #[serde(skip_serializing_if = "Option::is_none")]
    unclear: Option<Rule>,
}

#[derive(Serialize)]
struct Rule {
    within: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    default: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<String>,
}

#[derive(Serialize)]
struct Told {
    name: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    on: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    webhook: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    secret_env: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    run: Option<Run>,
    #[serde(skip_serializing_if = "Option::is_none")]
    format: Option<&'static str>,
    inbox: bool,
    quiet: bool,
}

impl WaysOut {
    pub fn of(ways: &Ways) -> Self {
        let Ways {
            inbox,
            stakeholders,
            ladder,
            ceremonies,
            peers,
            delivery,
            deployment,
            start,
            calibrate,
        } = ways;
        let InboxRules {
            question,
            task,
            gate,
            unclear,
        } = inbox;
        let rules = Inbox {
            question: question.as_ref().map(rule),
            task: task.as_ref().map(rule),
            gate: gate.as_ref().map(rule),
            unclear: unclear.as_ref().map(rule),
        };
        Self {
            inbox: [question, task, gate, unclear]
                .iter()
                .any(|rule| rule.is_some())
                .then_some(rules),
            planning: (start.strict || *calibrate).then_some(PlanningOut {
                strict: start.strict,
                calibrate: *calibrate,
            }),
            ladder: (*ladder != Ladder::default()).then(|| tiers(ladder)),
            ceremonies: (*ceremonies != Ceremonies::default()).then(|| held(ceremonies)),
            peer: peers
                .iter()
                .map(|PeerSpec { peer, to }| (peer.as_str(), goes(to)))
                .collect(),
            webhooks: (*delivery != Delivery::default()).then(|| tried(delivery)),
            deployment: deployment.is_written().then(|| deployed(deployment)),
            stakeholder: stakeholders.iter().map(told).collect(),
        }
    }

    /// Whether nothing of it has to be written.
    pub fn is_empty(&self) -> bool {
        self.inbox.is_none()
            && self.planning.is_none()
            && self.ladder.is_none()
            && self.ceremonies.is_none()
            && self.peer.is_empty()
            && self.webhooks.is_none()
            && self.deployment.is_none()
            && self.stakeholder.is_empty()
    }
}

fn goes(to: &Destination) -> PeerOut {
    match to {
        Destination::Inbox => PeerOut::default(),
        Destination::Role { role, run: command } => PeerOut {
            role: Some(role.to_string()),
            run: command.as_ref().map(run),
            ..PeerOut::default()
        },
        Destination::Webhook(Webhook {
            url, secret_env, ..
        }) => PeerOut {
            webhook: Some(url.clone()),
            secret_env: secret_env.clone(),
            ..PeerOut::default()
        },
    }
}

fn tried(delivery: &Delivery) -> WebhooksOut {
    let Delivery {
        tries_max,
        retry_min,
        retry_max,
    } = delivery;
    WebhooksOut {
        tries_max: *tries_max,
        retry_min: duration(*retry_min),
        retry_max: duration(*retry_max),
    }
}

fn deployed(spec: &DeploymentSpec) -> DeploymentOut {
    let DeploymentSpec {
        ready,
        windows,
        probe,
    } = spec;
    DeploymentOut {
        windows: windows.iter().map(Window::to_string).collect(),
        ready: ready.as_ref().map(|ready| ReadyOut {
            run: run(&ready.run),
            timeout: duration(ready.timeout),
        }),
        probe: probe.as_ref().map(|probe| ProbeOut {
            run: run(&probe.run),
            after: duration(probe.after),
            every: duration(probe.every),
            r#for: duration(probe.lasting),
            timeout: duration(probe.timeout),
        }),
    }
}

fn held(ceremonies: &Ceremonies) -> CeremoniesOut {
    let Ceremonies { standup, progress } = ceremonies;
    CeremoniesOut {
        standup: standup.map_or_else(|| OFF.to_owned(), |hour| hour.to_string()),
        progress: progress.map(duration),
    }
}

fn tiers(ladder: &Ladder) -> LadderOut {
    let Ladder {
        low,
        medium,
        high,
        running,
        resolution,
        repeats_max,
    } = ladder;
    let names = |roles: &[Name]| roles.iter().map(Name::to_string).collect();
    LadderOut {
        low: names(low),
        medium: match medium {
            Medium::Reassign => "reassign",
            Medium::Pair => "pair",
        },
        high: names(high),
        running: match running {
            Running::Finish => "finish",
            Running::Checkpoint => "checkpoint",
        },
        resolution: duration(*resolution),
        repeats_max: *repeats_max,
    }
}

fn rule(rule: &InboxRule) -> Rule {
    let (default, text) = match &rule.default {
        InboxDefault::Remind => (None, None),
        InboxDefault::Approve => (Some("approve"), None),
        InboxDefault::Answer(text) => (Some("answer"), Some(text.clone())),
        InboxDefault::Reject(text) => (Some("reject"), Some(text.clone())),
    };
    Rule {
        within: duration(rule.within),
        default,
        text,
    }
}

fn told(who: &Stakeholder) -> Told {
    let Stakeholder {
        name,
        on,
        webhook,
        run: command,
        inbox,
        quiet,
    } = who;
    Told {
        name: name.to_string(),
        on: on.clone(),
        webhook: webhook.as_ref().map(|hook| hook.url.clone()),
        secret_env: webhook.as_ref().and_then(|hook| hook.secret_env.clone()),
        run: command.as_ref().map(run),
        format: webhook.as_ref().and_then(|hook| match hook.format {
            Form::Event => None,
            Form::Slack => Some("slack"),
        }),
        inbox: *inbox,
        quiet: *quiet,
    }
}
