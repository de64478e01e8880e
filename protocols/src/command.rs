//! What comes in: requests of people and programs, reports of agents, answers to effects, deadlines.
//!
//! The engine is told one [`Command`] at a time together with the time, and answers with events or a
//! [`Rejection`](crate::rejection::Rejection). Commands are not journalled; what they cause is.

use crate::event::Purse;
use crate::forecast::Forecast;
use crate::ids::{
    AgentId, Attempt, EffectId, Generation, InboxId, IncidentId, MessageId, SprintId, TaskId,
};
use crate::inbox::Reply;
use crate::incident::Step;
use crate::outside::Outside;
use crate::sprint::SprintSpec;
use crate::time::Span;
use crate::work::{AttemptEnd, DiffStat, GateOutcome, Sight};

/// What is done to an incident.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum IncidentWork {
    /// A step is filled in, or filled in anew.
    Step(Step, String),
    /// Something is written into the log.
    Note(String),
    /// It is closed.
    Close,
}

/// An integration branch that somebody else moved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MovedBranch {
    /// The branch, as a full ref.
    pub name: String,
    /// The commit that it should be at, in hex.
    pub expected: String,
    /// The commit that it is at; empty where it is gone.
    pub found: String,
    /// Whether that holds everything that was merged.
    pub contains: bool,
    /// What lies between the two, in words; a whole sentence.
    pub between: String,
}

/// One input of the engine.
#[derive(Clone, Debug, PartialEq)]
pub enum Command {
    /// A director took over the journal: first input of every run.
    Open {
        /// The version of the program, for the record.
        version: String,
    },
    /// A new sprint.
    Submit(Box<SprintSpec>),
    /// A deadline came; all that are due are dealt with.
    Tick,
    /// Stop handing out work; `sprint: None` means all sprints.
    Pause {
        /// Which sprint.
        sprint: Option<SprintId>,
        /// Who asked.
        by: String,
    },
    /// Hand out work again.
    Resume {
        /// Which sprint.
        sprint: Option<SprintId>,
        /// Who asked.
        by: String,
    },
    /// Hand out work of an account again before its time.
    FreeAccount {
        /// Which account.
        account: String,
        /// Who asked.
        by: String,
    },
    /// Give a budget another hard limit.
    SetBudget {
        /// Whose.
        purse: Purse,
        /// The limit, in millionths of a dollar.
        limit_micros: u64,
        /// Who asked.
        by: String,
    },
    /// End a sprint before it is done.
    CancelSprint {
        /// Which sprint.
        sprint: SprintId,
        /// Who asked.
        by: String,
    },
    /// Drop one task and what depends on it.
    CancelTask {
        /// Which task.
        task: TaskId,
        /// Who asked.
        by: String,
    },
    /// Try a failed, quarantined, blocked or cancelled task again.
    Retry {
        /// Which task.
        task: TaskId,
        /// Who asked.
        by: String,
    },
    /// Try everything of a sprint again that failed, is blocked or quarantined.
    RetryAll {
        /// Which sprint.
        sprint: SprintId,
        /// Who asked.
        by: String,
    },
    /// Take a task from whoever has it and give it to another agent.
    Reassign {
        /// Which task.
        task: TaskId,
        /// To whom; `None` lets the director choose another one.
        to: Option<AgentId>,
        /// Who asked.
        by: String,
    },
    /// A person's answer to something in the inbox.
    Answer {
        /// What is answered.
        item: InboxId,
        /// In words, yes or no.
        reply: Reply,
        /// The answer, or the reason; may be empty for yes and no.
        text: String,
        /// Who answered.
        by: String,
    },
    /// A person lets a task pass in spite of a gate.
    OverrideGate {
        /// Which task.
        task: TaskId,
        /// Which gate.
        gate: String,
        /// Why.
        reason: String,
        /// Who.
        by: String,
    },
    /// The integration branch was brought into the base.
    Delivered {
        /// Which sprint.
        sprint: SprintId,
        /// The commit that the base now has.
        commit: String,
        /// Who asked.
        by: String,
    },
    /// An action item of a sprint's retrospective was accepted.
    AcceptAction {
        /// The sprint that was looked back on.
        sprint: SprintId,
        /// The action's id.
        action: String,
        /// What will change, in words.
        text: String,
        /// Who accepted it.
        by: String,
    },
    /// Somebody looked ahead and wants to be held to it.
    RecordForecast {
        /// Which sprint.
        sprint: SprintId,
        /// What was seen.
        forecast: Forecast,
        /// Who asked.
        by: String,
    },
    /// The director is shutting down: no new work; what runs is interrupted by its agents.
    Stop,

    /// An agent's actor is up and takes messages.
    AgentUp {
        /// Which agent.
        agent: AgentId,
        /// Its incarnation.
        generation: Generation,
    },
    /// An agent's actor is gone.
    AgentDown {
        /// Which agent.
        agent: AgentId,
        /// The incarnation that ended.
        generation: Generation,
        /// Why, in words.
        reason: String,
        /// The attempt that it had in hand.
        in_hand: Option<(TaskId, Attempt)>,
    },
    /// A role used up its restart intensity; its agents stay down.
    RoleLost {
        /// Any agent of the role; all of it is lost.
        role: String,
        /// Why, in words.
        reason: String,
    },
    /// An agent began an attempt.
    Started {
        /// The effect that asked for it.
        effect: EffectId,
        /// Which task.
        task: TaskId,
        /// Which attempt.
        attempt: Attempt,
    },
    /// A coding agent has a session that can be resumed.
    Session {
        /// Which task.
        task: TaskId,
        /// Which attempt.
        attempt: Attempt,
        /// The session's own id.
        session: String,
    },
    /// What an attempt has spent so far.
    Spent {
        /// Which task.
        task: TaskId,
        /// Which attempt.
        attempt: Attempt,
        /// All of it, from its beginning on, in millionths of a dollar.
        cost_micros: u64,
    },
    /// An attempt ended.
    Ended {
        /// Which task.
        task: TaskId,
        /// Which attempt.
        attempt: Attempt,
        /// How.
        end: AttemptEnd,
    },
    /// The liveness monitor changed its mind about an attempt.
    Liveness {
        /// Which task.
        task: TaskId,
        /// Which attempt.
        attempt: Attempt,
        /// The state in one word: `working`, `silent`, `waiting`, `wedged`.
        state: String,
    },
    /// An agent tells something to another role or agent.
    Tell {
        /// Who.
        from: AgentId,
        /// An agent's or a role's name.
        to: String,
        /// What.
        text: String,
    },
    /// An agent asks another role or agent, and waits.
    Ask {
        /// Who.
        from: AgentId,
        /// The attempt that waits.
        attempt: (TaskId, Attempt),
        /// An agent's or a role's name, or `person`.
        to: String,
        /// What.
        text: String,
    },
    /// An agent has taken a message.
    Delivery {
        /// The effect that asked for it.
        effect: EffectId,
        /// The message.
        message: MessageId,
        /// Its answer, if the message was a question.
        answer: Option<String>,
    },

    /// The repository is ready for the sprint.
    RepoPrepared {
        /// The effect that asked for it.
        effect: EffectId,
        /// The base branch: the sprint's, or the one that is checked out.
        branch: String,
        /// The commit of the base, in hex.
        base: String,
        /// What the user should know, such as a dirty checkout.
        warnings: Vec<String>,
    },
    /// The repository cannot be used.
    RepoRefused {
        /// The effect that asked for it.
        effect: EffectId,
        /// Why and what to do.
        reason: String,
    },
    /// A worktree holds the state to begin with.
    WorktreePrepared {
        /// The effect that asked for it.
        effect: EffectId,
        /// Its absolute path.
        path: String,
        /// The commit it stands at.
        commit: String,
        /// Files with a conflict in it that is to be resolved.
        conflict: Vec<String>,
    },
    /// The work of an attempt is in a commit.
    WorkCommitted {
        /// The effect that asked for it.
        effect: EffectId,
        /// The head of the feature branch.
        commit: String,
        /// How much changed.
        changes: DiffStat,
        /// The files that changed; of more than [`crate::work::FILES_MAX`] the first.
        files: Vec<String>,
        /// Names in `produces` that do not exist.
        missing: Vec<String>,
    },
    /// What an unfinished attempt left was saved and its worktree is free.
    WorkSalvaged {
        /// The effect that asked for it.
        effect: EffectId,
        /// The ref that holds it; empty when there was nothing.
        saved: String,
        /// Why the worktree was kept instead, if it was.
        kept: Option<String>,
    },
    /// The merge is built and can be tested.
    MergePrepared {
        /// The effect that asked for it.
        effect: EffectId,
        /// The merge commit.
        commit: String,
        /// What it is built on: the integration branch's head.
        onto: String,
    },
    /// The work does not merge.
    MergeConflicted {
        /// The effect that asked for it.
        effect: EffectId,
        /// The files in conflict.
        files: Vec<String>,
        /// The head it conflicts with.
        onto: String,
    },
    /// The gates have run.
    GatesFinished {
        /// The effect that asked for it.
        effect: EffectId,
        /// What came out, in the order run.
        outcomes: Vec<GateOutcome>,
    },
    /// The integration branch holds the merge.
    MergeCompleted {
        /// The effect that asked for it.
        effect: EffectId,
        /// The merge commit.
        commit: String,
    },
    /// Somebody else moved the integration branch: what needs it is not done.
    BranchMoved {
        /// The effect that found it; none where it was looked for.
        effect: Option<EffectId>,
        /// The sprint.
        sprint: SprintId,
        /// What was found.
        moved: MovedBranch,
    },
    /// The integration branch is where the journal says.
    BranchRestored {
        /// The effect that asked for it; none where it was found so.
        effect: Option<EffectId>,
        /// The sprint.
        sprint: SprintId,
        /// Where what it was at is kept; empty where nothing had to be.
        saved: String,
    },
    /// The worktrees of an ended sprint are gone.
    CleanedUp {
        /// The effect that asked for it.
        effect: EffectId,
        /// Worktrees that were kept, each with the reason.
        kept: Vec<String>,
    },
    /// A stakeholder was told of an event.
    Informed {
        /// The effect that asked for it.
        effect: EffectId,
        /// What went wrong; empty when nothing did.
        problem: String,
    },
    /// A peer has answered what was posted to it.
    PeerSaid {
        /// The effect that posted it.
        effect: EffectId,
        /// Whether it says yes or no; none where it only says something.
        accepted: Option<bool>,
        /// What it says.
        text: String,
    },
    /// A better order was found.
    PlanFound {
        /// The effect that asked for it.
        effect: EffectId,
        /// The sprint.
        sprint: SprintId,
        /// The version of the plan that it was made from.
        base: u32,
        /// The tasks in that order.
        order: Vec<TaskId>,
        /// Until the last of them would have been done, as expected.
        before: Span,
        /// Until the last of them would be done now, as expected.
        after: Span,
    },
    /// How branches that are worked on would merge now: what is new since the last look.
    LookedAhead {
        /// The sprint.
        sprint: SprintId,
        /// Where its integration branch stood, in hex.
        head: String,
        /// What was found.
        sights: Vec<Sight>,
    },
    /// An effect cannot be carried out and trying again will not help.
    EffectFailed {
        /// The effect.
        effect: EffectId,
        /// Why and what to do.
        reason: String,
    },
    /// A running sprint becomes what a file says.
    Replan {
        /// Which sprint.
        sprint: SprintId,
        /// What is wanted.
        spec: Box<SprintSpec>,
        /// Who asked.
        by: String,
    },
    /// An outside party says something about a sprint.
    Outside {
        /// Which sprint.
        sprint: SprintId,
        /// What.
        what: Box<Outside>,
        /// Who.
        by: String,
    },
    /// Somebody works on an incident.
    IncidentWork {
        /// Which.
        incident: IncidentId,
        /// What is done.
        work: IncidentWork,
        /// Who.
        by: String,
    },
    /// Something of ours was changed by someone else, or an agent reached outside.
    Incident {
        /// The sprint.
        sprint: SprintId,
        /// The task at whose end it was seen.
        task: Option<TaskId>,
        /// What was found.
        text: String,
    },
}
