//! Rejections: every reason the director says no, in words that tell what to do.

use crate::ids::{Attempt, EffectId, InboxId, IncidentId};

/// Why a command was not carried out. Nothing changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    /// The sprint's name is taken in this data directory.
    #[error(
        "sprint `{sprint}` exists already; resume it with `director run`, or give the new one another id"
    )]
    SprintExists {
        /// Its name.
        sprint: String,
    },
    /// The sprint does not pass its own rules.
    #[error("sprint `{sprint}` cannot run: {why}")]
    BadSprint {
        /// Its name.
        sprint: String,
        /// What is wrong.
        why: String,
    },
    /// No sprint of that number.
    #[error("there is no such sprint; `director sprints` lists what there is")]
    NoSprint,
    /// The sprint has ended.
    #[error("sprint `{sprint}` has ended; `director report` shows how")]
    SprintEnded {
        /// Its name.
        sprint: String,
    },
    /// The sprint is not in a state where that makes sense.
    #[error("sprint `{sprint}` is {state}; {hint}")]
    SprintState {
        /// Its name.
        sprint: String,
        /// What it is.
        state: &'static str,
        /// What to do.
        hint: &'static str,
    },
    /// No task of that number.
    #[error("there is no such task; `director status` lists them")]
    NoTask,
    /// The task is not in a state where that makes sense.
    #[error("task `{task}` is {state}; {hint}")]
    TaskState {
        /// Its name.
        task: String,
        /// What it is.
        state: &'static str,
        /// What to do.
        hint: &'static str,
    },
    /// No agent of that number or name.
    #[error("there is no agent or role `{agent}`; `director agents` lists them")]
    NoAgent {
        /// What was asked for.
        agent: String,
    },
    /// No provider ever turned that account away.
    #[error("no provider has turned the account `{account}` away; {}", parked_accounts(.parked))]
    NoAccount {
        /// What was asked for.
        account: String,
        /// Those that wait.
        parked: Vec<String>,
    },
    /// The agent cannot do the task.
    #[error("`{agent}` cannot do `{task}`: its role neither has nor covers `{kind}`")]
    NotAble {
        /// The agent.
        agent: String,
        /// The task.
        task: String,
        /// The task's kind.
        kind: String,
    },
    /// A report of an attempt that is over.
    #[error(
        "attempt {given} at task `{task}` is over (the current one is {current}); its report is not counted"
    )]
    StaleAttempt {
        /// The task.
        task: String,
        /// The attempt that reported.
        given: Attempt,
        /// The attempt that counts.
        current: Attempt,
    },
    /// An answer to an effect that nobody waits for.
    #[error("effect {effect} is not outstanding; the answer is not counted")]
    StaleEffect {
        /// The effect.
        effect: EffectId,
    },
    /// A message of an incarnation that is gone.
    #[error("an earlier incarnation of `{agent}` is gone; its message is not counted")]
    StaleGeneration {
        /// The agent.
        agent: String,
    },
    /// Nothing of that number waits for a person.
    #[error("nothing numbered {} waits in the inbox; `director inbox` lists what does", .item.0 + 1)]
    NoInboxItem {
        /// The number.
        item: InboxId,
    },
    /// A wait that would never end.
    #[error("waiting would close a circle: {cycle}; answer first, or ask a person")]
    WaitCycle {
        /// Who waits for whom.
        cycle: String,
    },
    /// No gate of that name.
    #[error("task `{task}` has no gate `{gate}`; it has: {known}")]
    NoGate {
        /// The task.
        task: String,
        /// What was asked for.
        gate: String,
        /// Its gates.
        known: String,
    },
    /// The answer is empty or does not fit.
    #[error("the answer is not usable: {why}")]
    BadAnswer {
        /// What is wrong.
        why: String,
    },
    /// No incident of that number.
    #[error("there is no incident {}; `director incident` lists them", .incident.0 + 1)]
    NoIncident {
        /// The number.
        incident: IncidentId,
    },
    /// The incident is closed.
    #[error("incident {} is closed", .incident.0 + 1)]
    IncidentClosed {
        /// The number.
        incident: IncidentId,
    },
    /// Steps are missing.
    #[error("incident {} cannot be closed: {missing} missing; `director incident {} --step STEP TEXT` fills one", .incident.0 + 1, .incident.0 + 1)]
    IncidentIncomplete {
        /// The number.
        incident: IncidentId,
        /// The steps.
        missing: String,
    },
    /// No feature of that name.
    #[error("there is no feature `{feature}` in the sprint")]
    NoFeature {
        /// What was asked for.
        feature: String,
    },
    /// A package is not complete.
    #[error("{what} is not ready: {missing}")]
    NotReady {
        /// What was asked for.
        what: String,
        /// What it lacks.
        missing: String,
    },
    /// The director is shutting down.
    #[error("the director is stopping; send it again when it runs")]
    Stopping,
}
/// Which accounts wait, in words.
fn parked_accounts(parked: &[String]) -> String {
    match parked {
        [] => "none waits".to_owned(),
        _ => format!("those that wait are `{}`", parked.join("`, `")),
    }
}
