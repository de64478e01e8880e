//! Ways of working: who is told what, what waits for people and for how long. What a sprint file says beside
//! its tasks, team and gates.
//!
//! Elsewhere: limits and retries are [`crate::sprint::Policy`].

use serde::{Deserialize, Serialize};

use crate::deployment::DeploymentSpec;
use crate::ids::Name;
use crate::inbox::InboxRules;
use crate::sprint::RunSpec;
use crate::time::Span;
use crate::unclear::Start;

/// A sprint's ways of working. The default is what a file that says nothing gets.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ways {
    /// How long what waits for people may wait.
    pub inbox: InboxRules,
    /// Who is told what.
    pub stakeholders: Vec<Stakeholder>,
    /// What each tier does.
    pub ladder: Ladder,
    /// What is held by itself.
    pub ceremonies: Ceremonies,
    /// Who the teams beside the engineers are, where the file says so.
    pub peers: Vec<PeerSpec>,
    /// How often what is posted is tried.
    pub delivery: Delivery,
    /// How what is done is deployed.
    pub deployment: DeploymentSpec,
    /// What is asked before it starts, and whether the start waits for it.
    pub start: Start,
    /// Estimates are corrected by what past sprints of the data directory took.
    pub calibrate: bool,
}

/// A team beside the engineers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Peer {
    /// Those who say what is wanted.
    Product,
    /// Those who test.
    Qa,
    /// Those who deploy.
    Devops,
}

impl Peer {
    /// All of them.
    pub const ALL: [Peer; 3] = [Peer::Product, Peer::Qa, Peer::Devops];

    /// The word in files and reports, and the name of the role that fills it unless the file says otherwise.
    pub fn as_str(self) -> &'static str {
        match self {
            Peer::Product => "product",
            Peer::Qa => "qa",
            Peer::Devops => "devops",
        }
    }

    /// The one of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|peer| peer.as_str() == name)
    }
}

/// Who a peer is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PeerSpec {
    /// Which.
    pub peer: Peer,
    /// Where what is for it goes.
    pub to: Destination,
}

/// Where what is for a peer goes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Destination {
    /// To an agent of a role.
    Role {
        /// The role.
        role: Name,
        /// What a command agent runs.
        run: Option<RunSpec>,
    },
    /// Into the inbox.
    Inbox,
    /// Into the inbox, and to an address that may answer.
    Webhook(Webhook),
}

/// An address that events are posted to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Webhook {
    /// Where.
    pub url: String,
    /// The variable of the director's environment that holds the secret which signs what is posted; none signs nothing. The
    /// secret itself is nowhere here.
    pub secret_env: Option<String>,
    /// In what form events are posted.
    pub format: Form,
}

/// In what form an event is posted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Form {
    /// As programs get it: the event's own JSON.
    #[default]
    Event,
    /// As endpoints of the sort that Slack has take it: `text` and `blocks`.
    Slack,
}

/// How often what is posted to a webhook is tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delivery {
    /// Tries before a person is told.
    pub tries_max: u32,
    /// Delay before the second try; doubles with each.
    pub retry_min: Span,
    /// The longest delay between tries.
    pub retry_max: Span,
}

impl Default for Delivery {
    fn default() -> Self {
        Self {
            tries_max: 5,
            retry_min: Span::seconds(2),
            retry_max: Span::minutes(5),
        }
    }
}

/// What a running sprint holds by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ceremonies {
    /// When the standup of a working day is; none holds no standups.
    pub standup: Option<TimeOfDay>,
    /// How long from one progress update to the next; none sends none.
    pub progress: Option<Span>,
}

impl Default for Ceremonies {
    fn default() -> Self {
        Self {
            standup: Some(TimeOfDay {
                minute: 9 * 60,
                offset: 0,
            }),
            progress: None,
        }
    }
}

/// An hour of a day somewhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TimeOfDay {
    /// Minutes since midnight there, less than a day.
    pub minute: u16,
    /// Minutes by which clocks there are ahead of UTC.
    pub offset: i16,
}

impl std::fmt::Display for TimeOfDay {
    /// As files have it: `09:00`, `09:00+01:00`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:02}:{:02}", self.minute / 60, self.minute % 60)?;
        let (sign, away) = match self.offset {
            0 => return Ok(()),
            offset if offset < 0 => ('-', offset.unsigned_abs()),
            offset => ('+', offset.unsigned_abs()),
        };
        write!(f, "{sign}{:02}:{:02}", away / 60, away % 60)
    }
}

/// What the tiers of blockers do. How long each may last is [`crate::sprint::Policy::tier_time`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ladder {
    /// Low: the roles whose guidance is asked for, in this order; without an answer the director says what it can.
    pub low: Vec<Name>,
    /// Medium: who takes the matter up.
    pub medium: Medium,
    /// High: the roles that are asked beside the person in whose inbox it is, in this order.
    pub high: Vec<Name>,
    /// Critical: what becomes of work that is not critical and under way.
    pub running: Running,
    /// Critical: how long a resolution is thought to take, while nothing is known of earlier ones.
    pub resolution: Span,
    /// So many blockers of one task, and the next starts a tier higher; one that is high already is put to a person alone.
    pub repeats_max: u32,
}

impl Default for Ladder {
    fn default() -> Self {
        Self {
            low: Name::new("engineering-manager").into_iter().collect(),
            medium: Medium::Reassign,
            high: Name::new("tech-lead").into_iter().collect(),
            running: Running::Finish,
            resolution: Span::hours(4),
            repeats_max: 3,
        }
    }
}

/// Who takes up a blocker of tier medium.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Medium {
    /// Another agent gets the task.
    #[default]
    Reassign,
    /// Another agent joins the first, with its context.
    Pair,
}

/// What becomes of work that is not critical when an emergency begins.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Running {
    /// It goes on to its end.
    #[default]
    Finish,
    /// It is saved and called off, and begins again afterwards.
    Checkpoint,
}

/// Somebody who is told what happens.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stakeholder {
    /// Who.
    pub name: Name,
    /// The events they are told of; empty for all of them.
    pub on: Vec<String>,
    /// Where each event is posted.
    pub webhook: Option<Webhook>,
    /// What is run for each event, which comes on its standard input.
    pub run: Option<RunSpec>,
    /// Whether each event is put in the inbox; so where there is no webhook and no command.
    pub inbox: bool,
    /// Whether they are not told again of what they have just been told of in other words.
    pub quiet: bool,
}

impl Stakeholder {
    /// Whether they are told of events of this name.
    pub fn wants(&self, event: &str) -> bool {
        self.on.is_empty() || self.on.iter().any(|name| name == event)
    }
}
