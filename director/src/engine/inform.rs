//! Informing: who is told of an event, in which way, and what they are told.
//!
//! Each telling is an effect of its own, so it survives a kill; it is at least once, and its key tells a repeat. A webhook that
//! does not answer is tried again (`deliveries`). Who is told in the inbox finds a notice there.

use director_protocols::event::{
    DevopsHandoffReady, Event, InboxOpened, ProductDemoReady, QaHandoffReady,
};
use director_protocols::ids::{InboxId, SprintId};
use director_protocols::inbox::InboxKind;
use director_protocols::severity::Severity;
use director_protocols::sprint::RunSpec;
use director_protocols::time::{Span, Time};
use director_protocols::ways::{Form, Peer, Stakeholder, Webhook};
use serde_json::{Value, json};

use super::decide::inbox;
use super::effects::{Effect, Recipient};
use super::peers::Goes;
use super::state::State;
use crate::view;

/// What an inbox is told of where the file does not say what.
const NEWS: [&str; 12] = [
    "sprint_ended",
    "sprint_refused",
    "daily_standup_completed",
    "progress_updated",
    "team_utilization_alert",
    "engineering_emergency",
    "emergency_resolved",
    "incident_opened",
    "blocker_escalated",
    "task_failed",
    "task_quarantined",
    "product_demo_ready",
];

/// So long the same words about the same task are not told again to who wants quiet.
const QUIET: Span = Span::hours(1);

/// How somebody is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Way {
    /// This is run, with the event on its standard input.
    Command(RunSpec),
    /// The event is posted there.
    Webhook(Webhook),
}

/// Something to tell somebody outside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// The sprint's name.
    pub sprint: String,
    /// When the sprint was submitted, which makes its keys its own.
    pub submitted: Time,
    /// Who is told: a stakeholder's or a peer's name.
    pub name: String,
    /// How.
    pub way: Way,
    /// The event's name.
    pub about: String,
    /// The event as programs get it: one JSON object.
    pub line: String,
}

/// Whether it is about telling itself, of which nobody is told.
fn is_telling(event: &Event) -> bool {
    matches!(
        event,
        Event::StakeholderInformed(_) | Event::DeliveryFailed(_) | Event::DeliveryRetried(_)
    )
}

/// Whether a person who has been told what waits for them knows it already: what waits about a blocker is told as such, and the
/// same words about the same task wait, or waited a moment ago, under another number.
fn is_known(state: &State, event: &Event) -> bool {
    match event {
        // From there on each has an item in the inbox, which is told.
        Event::BlockerEscalated(e) => e.to >= Severity::High,
        Event::InboxOpened(e) => {
            let before = state.trouble.inbox.iter().take(e.item.index());
            let Some(now) = state.trouble.inbox.get(e.item.index()) else {
                return false;
            };
            before.rev().any(|row| {
                row.kind == now.kind
                    && row.task == now.task
                    && row.sprint == now.sprint
                    && row.question == now.question
                    && now.opened.since(row.opened) < QUIET
            })
        }
        _ => false,
    }
}

/// Who is told of `event` by a command or a webhook.
#[inline]
pub fn informs(state: &State, event: &Event) -> Vec<Effect> {
    // Asked after each event, and mostly nobody is.
    match state.sprints.listening || matches!(event, Event::InboxOpened(_)) {
        true => told(state, event),
        false => Vec::new(),
    }
}

fn told(state: &State, event: &Event) -> Vec<Effect> {
    let mut found = Vec::new();
    if let Event::InboxOpened(e) = event {
        let peers = state.posted_to(e.item).into_iter();
        found.extend(peers.map(|peer| Effect::Inform {
            sprint: e.sprint_id,
            to: Recipient::Peer(peer, e.item),
            event: Box::new(event.clone()),
        }));
    }
    if !state.sprints.listening || is_telling(event) {
        return found;
    }
    let Some(sprint) = view::subject(event, state).sprint else {
        return found;
    };
    let told = &state.sprints.table[sprint.index()].spec.ways.stakeholders;
    for (place, who) in (0u32..).zip(told) {
        if !who.wants(event.name()) || who.quiet && is_known(state, event) {
            continue;
        }
        let ways = [
            who.run.as_ref().map(|_| Recipient::Command(place)),
            who.webhook.as_ref().map(|_| Recipient::Webhook(place)),
        ];
        found.extend(ways.into_iter().flatten().map(|to| Effect::Inform {
            sprint,
            to,
            event: Box::new(event.clone()),
        }));
    }
    found
}

/// The notices that `event` puts in the inbox.
#[inline]
pub fn notices(state: &State, event: &Event, now: Time) -> Vec<Event> {
    match state.sprints.listening {
        true => noticed(state, event, now),
        false => Vec::new(),
    }
}

fn noticed(state: &State, event: &Event, now: Time) -> Vec<Event> {
    let about_the_inbox = matches!(
        event,
        Event::InboxOpened(_)
            | Event::InboxAnswered(_)
            | Event::InboxClosed(_)
            | Event::InboxReminded(_)
    );
    if is_telling(event) || about_the_inbox {
        return Vec::new();
    }
    let Some(sprint) = view::subject(event, state).sprint else {
        return Vec::new();
    };
    let wants = |who: &&Stakeholder| match who.on.is_empty() {
        true => NEWS.contains(&event.name()),
        false => who.wants(event.name()),
    };
    let told = state.sprints.table[sprint.index()]
        .spec
        .ways
        .stakeholders
        .iter();
    told.filter(|who| who.inbox)
        .filter(wants)
        .zip(state.trouble.inbox.len() as u32..)
        .map(|(who, item)| {
            let sentence = view::events::sentence(event, state);
            let text = format!("{} is told ({}): {sentence}", who.name, event.name());
            let open = inbox::opened(
                state,
                InboxKind::Notice,
                (sprint, None),
                Severity::Low,
                text,
                now,
            );
            InboxOpened {
                item: InboxId(item),
                ..open
            }
            .into()
        })
        .collect()
}

/// The name of who is told.
pub fn name(state: &State, sprint: SprintId, to: Recipient) -> String {
    let stakeholders = &state.sprints.table[sprint.index()].spec.ways.stakeholders;
    match to {
        Recipient::Command(place) | Recipient::Webhook(place) => stakeholders
            .get(place as usize)
            .map_or_else(String::new, |who| who.name.to_string()),
        Recipient::Peer(peer, _) => peer.as_str().to_owned(),
    }
}

/// What somebody is told of: for a peer, what waits for its answer.
pub fn subject(state: &State, to: Recipient, event: &Event) -> Event {
    match to {
        Recipient::Peer(_, item) => package(state, item).unwrap_or_else(|| event.clone()),
        Recipient::Command(_) | Recipient::Webhook(_) => event.clone(),
    }
}

/// The event of the package that an inbox item is about.
fn package(state: &State, item: InboxId) -> Option<Event> {
    let handoff = state.trouble.inbox.get(item.index())?.handoff?;
    let row = state.handoffs.get(handoff as usize)?;
    let (sprint_id, feature) = (row.sprint, row.feature.clone());
    Some(match row.team {
        Peer::Qa => QaHandoffReady {
            handoff,
            sprint_id,
            feature,
            package: row.package.clone(),
        }
        .into(),
        Peer::Devops => DevopsHandoffReady {
            handoff,
            deployment: state.deployment_of(handoff),
            sprint_id,
            feature,
            package: row.package.clone(),
        }
        .into(),
        Peer::Product => ProductDemoReady {
            handoff,
            sprint_id,
            feature,
            package: row.demo.clone(),
        }
        .into(),
    })
}

/// The notice in full.
pub fn notice(state: &State, sprint: SprintId, to: Recipient, event: &Event) -> Option<Notice> {
    let row = state.sprints.get(sprint)?;
    let who = |place: u32| row.spec.ways.stakeholders.get(place as usize);
    let way = match to {
        Recipient::Command(place) => Way::Command(who(place)?.run.clone()?),
        Recipient::Webhook(place) => Way::Webhook(who(place)?.webhook.clone()?),
        Recipient::Peer(peer, _) => match state.peer(sprint, peer)? {
            Goes::Webhook(hook) => Way::Webhook(hook),
            Goes::Inbox | Goes::Role(..) => return None,
        },
    };
    let event = subject(state, to, event);
    let mut line = view::event_object(&event, state);
    if let Recipient::Peer(_, item) = to {
        // Where the answer goes, if it does not come at once.
        line["item"] = json!(item.0 + 1);
        let question = state.trouble.inbox.get(item.index());
        line["question"] = question.map_or(Value::Null, |row| json!(row.question));
    }
    if let (Way::Webhook(hook), Recipient::Webhook(_)) = (&way, to)
        && hook.format == Form::Slack
    {
        line = view::chat::message(&event, state, row.spec.id.as_str());
    }
    Some(Notice {
        sprint: row.spec.id.to_string(),
        submitted: row.submitted,
        name: name(state, sprint, to),
        way,
        about: event.name().to_owned(),
        line: line.to_string(),
    })
}
