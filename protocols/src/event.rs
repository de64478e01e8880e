//! Events: the facts that the journal keeps and that all state is made of.
//!
//! One decision is one record; its payload is a list of frames, each with the event's own kind number and
//! version, so that the order of variants in this file means nothing on disk. Kind numbers are written by
//! hand beside the fields, in a file for each subject, and never reused. JSON names are the snake_case of the variant.
//!
//! Invariant: events hold no floats, no `usize`, no map in hash order.
//! Elsewhere: how they lie in a record is `frames`; the record around them is [`crate::envelope`]; what they mean is the engine's `apply`.

/// Facts of one subject: for each its kind number, its version, its name in JSON and its fields.
macro_rules! payloads {
    ($($(#[$doc:meta])* $kind:literal $version:literal $name:ident $json:literal { $($(#[$fdoc:meta])* $field:ident: $type:ty,)* })*) => {
        $(
            $(#[$doc])*
            #[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
            pub struct $name { $($(#[$fdoc])* pub $field: $type,)* }

            impl Payload for $name {
                const KIND: u16 = $kind;
                const VERSION: u16 = $version;
                const NAME: &'static str = $json;
            }
        )*
    };
}

mod clash;
mod cost;
mod deploy;
mod frames;
mod outside;
mod parts;
mod sprint;
mod talk;
mod task;
mod team;
#[cfg(test)]
mod tests;
mod trouble;

use serde::Serialize;

pub use clash::*;
pub use cost::*;
pub use deploy::*;
pub use frames::{
    DECISION_KIND, DECISION_VERSION, EVENTS_PER_DECISION_MAX, EventError, decode_events,
    encode_events,
};
use frames::{Frame, append_frame};
pub use outside::*;
pub use parts::*;
pub use sprint::*;
pub use talk::*;
pub use task::*;
pub use team::*;
pub use trouble::*;

use crate::codec::{self, CodecError};

/// How a fact is known on disk and in JSON.
trait Payload {
    const KIND: u16;
    const VERSION: u16;
    const NAME: &'static str;
}

macro_rules! events {
    ($($name:ident)*) => {
        /// A fact. See the module for how it is stored.
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub enum Event {
            $(#[doc = concat!("See [`", stringify!($name), "`].")] $name($name),)*
        }

        $(
            impl From<$name> for Event {
                fn from(event: $name) -> Event { Event::$name(event) }
            }
        )*

        impl Serialize for Event {
            fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                match self {
                    $(Event::$name(event) => to.serialize_newtype_variant("Event", u32::from($name::KIND), $name::NAME, event),)*
                }
            }
        }

        impl Event {
            /// Every kind there is: number, version and JSON name.
            pub const KINDS: &'static [(u16, u16, &'static str)] = &[$(($name::KIND, $name::VERSION, $name::NAME),)*];

            /// The name in JSON and in filters.
            pub fn name(&self) -> &'static str {
                match self { $(Event::$name(_) => $name::NAME,)* }
            }

            /// The number on disk.
            pub fn kind(&self) -> u16 {
                match self { $(Event::$name(_) => $name::KIND,)* }
            }

            fn append_frame(&self, to: &mut Vec<u8>) -> Result<(), CodecError> {
                match self {
                    $(Event::$name(event) => append_frame($name::KIND, $name::VERSION, event, to),)*
                }
            }

            fn from_frame(frame: &Frame<'_>) -> Result<Event, EventError> {
                let bad = |source| EventError::Body { kind: frame.kind, version: frame.version, source };
                match (frame.kind, frame.version) {
                    $((<$name as Payload>::KIND, <$name as Payload>::VERSION) => codec::decode::<$name>(frame.body).map(Event::$name).map_err(bad),)*
                    (kind, version) => Err(EventError::Unknown { kind, version }),
                }
            }

            /// The fields, as JSON with ids as numbers.
            pub fn fields(&self) -> serde_json::Value {
                match self {
                    $(Event::$name(event) => serde_json::to_value(event).unwrap_or(serde_json::Value::Null),)*
                }
            }
        }
    };
}

// In the order of their numbers.
events! {
    EpochOpened
    SprintSubmitted
    RepoPrepared
    BaseChecked
    SprintRefused
    SprintInitialized
    SprintPaused
    SprintResumed
    BranchMoved
    BranchRestored
    SprintCancelled
    SprintEnded
    SprintReopened
    WorktreesRemoved
    SprintVelocityUpdated
    SprintDelivered
    PlanAdopted
    ForecastRecorded
    TaskDeferred
    TaskAssigned
    WorktreePrepared
    AttemptStarted
    SessionOpened
    AttemptCut
    AttemptEnded
    WorkSalvaged
    WorkCommitted
    MergePrepared
    MergeConflicted
    MergeSplit
    QualityGateStatus
    MergeCompleted
    TaskCompleted
    WorkRejected
    RetryScheduled
    TaskFailed
    TaskQuarantined
    TaskCancelled
    TaskRetried
    TaskReassigned
    LivenessChanged
    MergeStarted
    RetryDue
    BlockerRaised
    BlockerEscalated
    GuidanceGiven
    BlockerResolved
    InboxOpened
    InboxAnswered
    InboxClosed
    EngineeringEmergency
    EmergencyResolved
    IncidentOpened
    HandoffSent
    HandoffAccepted
    MessageSent
    QuestionAsked
    MessageDelivered
    QuestionAnswered
    AdviserAsked
    ProductAsked
    QuestionDirected
    AgentUp
    AgentDown
    RoleLost
    RoleRestored
    AccountParked
    AccountFreed
    CostReserved
    CostSpent
    CostSettled
    BudgetWarned
    BudgetHeld
    BudgetFreed
    BudgetRaised
    BudgetsChanged
    AttemptOverspent
    ConflictForeseen
    ConflictOver
    AgentTold
    ActionAccepted
    InboxReminded
    StakeholderInformed
    TaskAdded
    GateJudged
    WorkReviewed
    GateOverridden
    HelpGiven
    WorkCheckpointed
    IncidentStepFilled
    IncidentNoted
    IncidentClosed
    TaskChanged
    SprintReplanned
    QaHandoffReady
    DevopsHandoffReady
    PackageAnswered
    TeamUtilizationAlert
    TaskRebalanced
    ManagerAsked
    StandupNoted
    RebalancingDecided
    DailyStandupCompleted
    ProgressUpdated
    DeliveryFailed
    DeliveryRetried
    ProductDemoReady
    FeedbackReceived
    RiskTriggered
    FallbackApplied
    ReadinessChecked
    DeploymentProbed
    DeploymentScheduled
    ProbeDue
    DeploymentDropped
    AgentTaskCompleted
    AgentBlocked
    QaTestingRequired
    DevopsDeploymentReady
    ProductRequirementsChanged
    CriticalBugDiscovered
}
