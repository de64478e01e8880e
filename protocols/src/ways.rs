//! Ways of working: who is told what, what waits for people and for how long. What a sprint file says beside
//! its tasks, team and gates.
//!
//! Elsewhere: limits and retries are [`crate::sprint::Policy`].

use serde::{Deserialize, Serialize};

use crate::ids::Name;
use crate::inbox::InboxRules;
use crate::sprint::RunSpec;
use crate::time::Span;

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
    /// So many blockers of one task, and the next starts a tier higher.
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
    pub webhook: Option<String>,
    /// What is run for each event, which comes on its standard input.
    pub run: Option<RunSpec>,
    /// Whether each event is put in the inbox; so where there is no webhook and no command.
    pub inbox: bool,
}

impl Stakeholder {
    /// Whether they are told of events of this name.
    pub fn wants(&self, event: &str) -> bool {
        self.on.is_empty() || self.on.iter().any(|name| name == event)
    }
}
