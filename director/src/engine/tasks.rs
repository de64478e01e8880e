//! Tasks: a dense table, what each waits for, and the queues of those that are ready.
//!
//! A task's phase changes in one place, [`Tasks::set_phase`], which keeps the ready queues and the tallies
//! of its sprint in step. A ready task stands in the queue of its role, unless its feature's worktree is
//! taken; then it waits with the feature until that is free.
//!
//! Invariant: the tallies equal a recount of the phases; a task is queued, or waits for its turn, exactly
//! when it is ready.
//! Elsewhere: who gets a task is `decide::assign`; worktrees' turns are `features` in here because a turn is
//! what a task waits for.

use std::collections::{BTreeMap, BTreeSet};

use director_protocols::ids::{
    AgentId, Attempt, BlockerId, FeatureId, Name, RoleId, SprintId, TaskId,
};
use director_protocols::origin::Origin;
use director_protocols::shared::Shared;
use director_protocols::sprint::TaskSpec;
use director_protocols::time::{Span, Time};
use director_protocols::work::{DiffStat, Earlier, GateOutcome, Report};
use serde::Serialize;

use super::clashes::Met;
use super::judging::{Judging, Override};

/// Where a task is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub enum Phase {
    /// Did not fit; waits for another sprint.
    Deferred,
    /// Waits for the tasks it depends on.
    Waiting,
    /// Waits for an agent.
    Ready,
    /// Waits for its next attempt.
    Backoff(Time),
    /// An agent has it; its worktree is being prepared or the message is on its way.
    Assigned,
    /// The agent is at work.
    Working,
    /// The agent has reported; the work is being put into a commit.
    Reported,
    /// Somebody judges the work.
    Reviewing,
    /// Waits for its turn in the merge queue.
    Queued,
    /// Is being merged and gated.
    Merging,
    /// Done.
    Completed,
    /// Waits for an answer.
    Blocked,
    /// Given up.
    Failed,
    /// Killed agent after agent.
    Quarantined,
    /// Dropped.
    Cancelled,
}

impl Phase {
    /// The word in status and reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Phase::Deferred => "backlog",
            Phase::Waiting => "waiting",
            Phase::Ready => "ready",
            Phase::Backoff(_) => "backoff",
            Phase::Assigned => "assigned",
            Phase::Working => "working",
            Phase::Reported => "reported",
            Phase::Reviewing => "reviewing",
            Phase::Queued => "queued",
            Phase::Merging => "merging",
            Phase::Completed => "completed",
            Phase::Blocked => "blocked",
            Phase::Failed => "failed",
            Phase::Quarantined => "quarantined",
            Phase::Cancelled => "cancelled",
        }
    }

    /// Moves by itself: the sprint cannot end while a task is here.
    pub fn is_active(self) -> bool {
        matches!(
            self,
            Phase::Ready
                | Phase::Backoff(_)
                | Phase::Assigned
                | Phase::Working
                | Phase::Reported
                | Phase::Reviewing
                | Phase::Queued
                | Phase::Merging
        )
    }

    /// Nothing more happens unless a person asks for it.
    pub fn is_over(self) -> bool {
        matches!(
            self,
            Phase::Completed
                | Phase::Failed
                | Phase::Quarantined
                | Phase::Cancelled
                | Phase::Deferred
        )
    }

    /// An agent has it in hand.
    pub fn is_in_hand(self) -> bool {
        matches!(self, Phase::Assigned | Phase::Working)
    }
}

/// The order among ready tasks: priority, then the longest work behind it, then the file's order.
pub type Rank = (u8, u64, TaskId);

/// One task.
#[derive(Clone, Debug, Serialize)]
pub struct Task {
    /// Its sprint.
    pub sprint: SprintId,
    /// What is to be done: what the sprint file says, and what was answered and changed since.
    pub spec: Shared<TaskSpec>,
    /// What the sprint file says, where answers say otherwise.
    pub written: Option<Shared<TaskSpec>>,
    /// The role in whose queue it stands.
    pub role: RoleId,
    /// What shares its worktree.
    pub feature: FeatureId,
    /// The task of the same feature that came before it.
    pub sibling: Option<TaskId>,
    /// What it depends on.
    pub depends_on: Shared<Vec<TaskId>>,
    /// What depends on it.
    pub dependents: Shared<Vec<TaskId>>,
    /// Dependencies not completed yet.
    pub waiting_for: u32,
    /// Its place among ready tasks.
    pub rank: Rank,
    /// How far it can slip in the plan before the end moves.
    pub slack: Span,
    /// Where it is.
    pub phase: Phase,
    /// Since when it is there.
    pub changed: Time,
    /// The current or last attempt; 0 before the first.
    pub attempt: Attempt,
    /// Who has it in hand, also while a cancelled attempt winds down.
    pub agent: Option<AgentId>,
    /// Who had it last.
    pub last_agent: Option<AgentId>,
    /// Who must not get it.
    pub avoid: BTreeSet<AgentId>,
    /// The one who shall get it.
    pub wanted: Option<AgentId>,
    /// The blocker that holds it up.
    pub blocker: Option<BlockerId>,
    /// First assigned.
    pub began: Option<Time>,
    /// Left its last active phase.
    pub finished: Option<Time>,
    /// No longer part of what the sprint committed to.
    pub dropped: bool,
    /// Moved to another role because its own had too much; that happens once.
    pub moved: bool,
    /// Left where it is by the manager, when it might have moved.
    pub stays: bool,
    /// Why it was added; absent if the sprint came with it.
    pub origin: Option<Box<Origin>>,
    /// What has happened to it so far; absent until something has.
    pub story: Option<Box<Story>>,
}

impl Task {
    /// One that waits for nothing and nobody, and has not begun.
    pub fn new(
        sprint: SprintId,
        spec: Shared<TaskSpec>,
        place: (RoleId, FeatureId, Rank),
        now: Time,
    ) -> Self {
        let (role, feature, rank) = place;
        Self {
            sprint,
            spec,
            written: None,
            role,
            feature,
            sibling: None,
            depends_on: Vec::new().into(),
            dependents: Vec::new().into(),
            waiting_for: 0,
            rank,
            slack: Span::ZERO,
            phase: Phase::Waiting,
            changed: now,
            attempt: Attempt::default(),
            agent: None,
            last_agent: None,
            avoid: BTreeSet::new(),
            wanted: None,
            blocker: None,
            began: None,
            finished: None,
            dropped: false,
            moved: false,
            stays: false,
            origin: None,
            story: None,
        }
    }
}

/// What has happened to a task; kept apart so that a waiting task stays small.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Story {
    /// Attempts that an agent began.
    pub starts: u32,
    /// Attempts that failed since a person last asked for a retry.
    pub failures: u32,
    /// How often in a row a provider turned its agents away.
    pub limited: u32,
    /// Agents that died with it in hand since then.
    pub deaths: Vec<String>,
    /// Rounds in which judges found something.
    pub rounds: u32,
    /// How its judged gates stand.
    pub judged: BTreeMap<Name, Judging>,
    /// Gates that a person overrode.
    pub overridden: BTreeMap<Name, Override>,
    /// Merge conflicts since then.
    pub conflicts: u32,
    /// Guidance rounds for low blockers.
    pub guided: u32,
    /// Earlier attempts, for the next agent.
    pub earlier: Vec<Earlier>,
    /// Guidance and answers.
    pub guidance: Vec<String>,
    /// The session to resume and the agent that has it.
    pub session: Option<(AgentId, String)>,
    /// The worktree or scratch directory.
    pub workdir: String,
    /// What the worktree was at when the attempt began.
    pub begun_at: String,
    /// Files of the worktree with a conflict that the current attempt is to resolve.
    pub conflict: Vec<String>,
    /// The commit whose conflict with what was merged since is not resolved; empty for none.
    pub conflicting: String,
    /// The work's commit.
    pub commit: String,
    /// How much it changed.
    pub changes: DiffStat,
    /// The files that the work changed, as far as they are named.
    pub files: Vec<String>,
    /// In which files it ever was in conflict with whose work, before either was merged or since.
    pub clashes: Met,
    /// The merge commit.
    pub merged: String,
    /// The accepted or latest report, see [`Story::report`].
    pub reported: Option<Shared<Report>>,
    /// The latest gates.
    pub gates: Vec<GateOutcome>,
    /// Busy time over all attempts.
    pub busy: Span,
    /// The effort that its agent is thought to have spent on the last report, where it did not say: its estimate.
    pub assumed: Span,
    /// When the current attempt was assigned.
    pub assigned: Time,
    /// The liveness monitor's last word.
    pub liveness: String,
    /// Spending over all attempts, in millionths of a dollar.
    pub cost_micros: u64,
    /// Where salvaged work is kept.
    pub salvaged: Vec<String>,
    /// Why it failed or was deferred.
    pub reason: String,
}

/// What was reported where nothing was.
static NO_REPORT: Report = Report {
    summary: String::new(),
    artifacts: Vec::new(),
    hours_spent: None,
    feedback: String::new(),
    acceptance: Vec::new(),
    findings: Vec::new(),
    cost_micros: 0,
};

impl Story {
    /// The accepted or latest report; an empty one before the first.
    pub fn report(&self) -> &Report {
        self.reported.as_deref().unwrap_or(&NO_REPORT)
    }
}

/// A worktree's turns.
#[derive(Clone, Debug, Serialize)]
pub struct Feature {
    /// Its sprint.
    pub sprint: SprintId,
    /// Its name, part of path and branch.
    pub name: Name,
    /// Whether turns have to be taken (they need not without a repository).
    pub exclusive: bool,
    /// The task whose turn it is, from assignment until its work is merged or saved.
    pub holder: Option<TaskId>,
    /// Its ready tasks; they stand in their roles' queues only while nobody has the turn.
    pub ready: BTreeSet<Rank>,
    /// The newest of its tasks; each knows the one before it, see [`Task::sibling`].
    pub newest: Option<TaskId>,
    /// Its tasks that are promised and neither completed nor called off; help is none of them.
    pub open: u32,
    /// Whether any of its tasks ever said how it is to be tested.
    pub to_be_tested: bool,
}

impl Feature {
    /// One without tasks.
    pub fn new(sprint: SprintId, name: Name, exclusive: bool) -> Self {
        Self {
            sprint,
            name,
            exclusive,
            holder: None,
            ready: BTreeSet::new(),
            newest: None,
            open: 0,
            to_be_tested: false,
        }
    }
}

/// What a sprint's tasks add up to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Tally {
    /// Tasks that the sprint committed to.
    pub committed: u32,
    /// Their points.
    pub committed_points: u32,
    /// Tasks that are done.
    pub completed: u32,
    /// Their points.
    pub completed_points: u32,
    /// Tasks that move by themselves.
    pub active: u32,
    /// Tasks that wait for an answer.
    pub blocked: u32,
    /// Tasks in an agent's hands.
    pub in_hand: u32,
    /// Worktrees whose turn is taken.
    pub held: u32,
}

/// The table, its features, queues and tallies.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Tasks {
    /// All tasks ever, by id.
    pub table: Vec<Task>,
    /// All features ever, by id.
    pub features: Vec<Feature>,
    /// Ready tasks that could start now, by role and sprint, so that one that hands nothing out costs nothing.
    pub ready: BTreeMap<(RoleId, SprintId), BTreeSet<Rank>>,
    /// By sprint.
    pub tallies: Vec<Tally>,
}

impl Tasks {
    /// The task, if there is one of that number.
    pub fn get(&self, id: TaskId) -> Option<&Task> {
        self.table.get(id.index())
    }

    /// Takes in a task at the end of the table, and into its feature.
    pub fn push(&mut self, mut task: Task) {
        let feature = &mut self.features[task.feature.index()];
        task.sibling = feature.newest.replace(TaskId(self.table.len() as u32));
        feature.open += u32::from(task.is_open());
        feature.to_be_tested |= !task.spec.test_requirements.is_empty();
        self.table.push(task);
    }

    /// The effort of what somebody has in hand.
    pub fn effort(&self, in_hand: Option<TaskId>) -> Span {
        in_hand.map_or(Span::ZERO, |task| {
            self.table[task.index()].spec.estimate.mean()
        })
    }

    /// The tasks of a feature, the newest first.
    pub fn of_feature(&self, id: FeatureId) -> impl Iterator<Item = TaskId> {
        let newest = self.features[id.index()].newest;
        std::iter::successors(newest, |id| self.table[id.index()].sibling)
    }

    /// What has happened to it; made on first use.
    pub fn story(&mut self, id: TaskId) -> &mut Story {
        self.table[id.index()].story.get_or_insert_default()
    }

    /// The sprint's sums.
    pub fn tally(&self, sprint: SprintId) -> Tally {
        self.tallies
            .get(sprint.index())
            .copied()
            .unwrap_or_default()
    }

    /// Moves a task to `phase`; queues and tallies follow.
    pub fn set_phase(&mut self, id: TaskId, phase: Phase, now: Time) {
        let task = &mut self.table[id.index()];
        let was_open = task.is_open();
        let before = std::mem::replace(&mut task.phase, phase);
        task.changed = now;
        let feature = &mut self.features[task.feature.index()];
        feature.open = feature.open + u32::from(task.is_open()) - u32::from(was_open);
        let tally = &mut self.tallies[task.sprint.index()];
        let points = task.spec.points;
        tally.active = tally.active + u32::from(phase.is_active()) - u32::from(before.is_active());
        tally.blocked = tally.blocked + u32::from(phase == Phase::Blocked)
            - u32::from(before == Phase::Blocked);
        if phase == Phase::Completed && !task.is_help() {
            tally.completed += 1;
            tally.completed_points += points;
        }
        if before == Phase::Deferred && phase != Phase::Deferred {
            tally.committed += 1;
            tally.committed_points += points;
        }
        if phase == Phase::Deferred && before != Phase::Deferred {
            tally.committed -= 1;
            tally.committed_points -= points;
        }
        if phase.is_over() {
            task.finished = Some(now);
        }
        if before == Phase::Ready {
            self.dequeue(id);
        }
        if phase == Phase::Ready {
            self.enqueue(id);
        }
    }

    /// Moves a ready task to another role's queue.
    pub fn set_role(&mut self, id: TaskId, role: RoleId) {
        let ready = self.table[id.index()].phase == Phase::Ready;
        if ready {
            self.dequeue(id);
        }
        self.table[id.index()].role = role;
        if ready {
            self.enqueue(id);
        }
    }

    /// Gives a task another place within its priority.
    pub fn set_rank(&mut self, id: TaskId, rank: u64) {
        let (urgency, _, place) = self.table[id.index()].rank;
        self.set_place(id, (urgency, rank, place));
    }

    /// Takes a task out of what its sprint committed to, or back in.
    pub fn set_dropped(&mut self, id: TaskId, dropped: bool) {
        let task = &mut self.table[id.index()];
        if std::mem::replace(&mut task.dropped, dropped) == dropped
            || task.is_help()
            || task.phase == Phase::Deferred
        {
            return;
        }
        let tally = &mut self.tallies[task.sprint.index()];
        let points = task.spec.points;
        match dropped {
            true => {
                tally.committed -= 1;
                tally.committed_points -= points;
            }
            false => {
                tally.committed += 1;
                tally.committed_points += points;
            }
        }
    }

    /// Gives a task another place among ready ones, by priority too.
    pub fn set_place(&mut self, id: TaskId, rank: Rank) {
        let ready = self.table[id.index()].phase == Phase::Ready;
        if ready {
            self.dequeue(id);
        }
        self.table[id.index()].rank = rank;
        if ready {
            self.enqueue(id);
        }
    }

    fn enqueue(&mut self, id: TaskId) {
        let task = &self.table[id.index()];
        let feature = &mut self.features[task.feature.index()];
        if feature.exclusive {
            feature.ready.insert(task.rank);
        }
        // Also when the turn is its own: then an earlier attempt's work is still being saved.
        if feature.holder.is_none() {
            let key = (task.role, task.sprint);
            self.ready.entry(key).or_default().insert(task.rank);
        }
    }

    fn dequeue(&mut self, id: TaskId) {
        let task = &self.table[id.index()];
        self.features[task.feature.index()].ready.remove(&task.rank);
        let (key, rank) = ((task.role, task.sprint), task.rank);
        self.leave(key, rank);
    }

    fn leave(&mut self, key: (RoleId, SprintId), rank: Rank) {
        if let Some(queue) = self.ready.get_mut(&key) {
            queue.remove(&rank);
            if queue.is_empty() {
                self.ready.remove(&key);
            }
        }
    }

    /// Puts the task into an agent's hands, and its feature's turn with it.
    pub fn take(&mut self, id: TaskId, agent: AgentId) {
        let task = &mut self.table[id.index()];
        task.agent = Some(agent);
        task.last_agent = Some(agent);
        let (sprint, feature) = (task.sprint, task.feature);
        self.tallies[sprint.index()].in_hand += 1;
        let feature = &mut self.features[feature.index()];
        if feature.exclusive && feature.holder.is_none() {
            feature.holder = Some(id);
            self.tallies[sprint.index()].held += 1;
            for rank in feature.ready.clone() {
                let role = self.table[rank.2.index()].role;
                self.leave((role, sprint), rank);
            }
        }
    }

    /// Takes the task out of its agent's hands.
    pub fn let_go(&mut self, id: TaskId) {
        let task = &mut self.table[id.index()];
        if task.agent.take().is_some() {
            self.tallies[task.sprint.index()].in_hand -= 1;
        }
    }

    /// Ends the task's turn in its feature's worktree; those that were parked are queued again.
    pub fn release(&mut self, id: TaskId) {
        let task = &self.table[id.index()];
        let (sprint, feature) = (task.sprint, task.feature);
        let feature = &mut self.features[feature.index()];
        if feature.holder == Some(id) {
            feature.holder = None;
            self.tallies[sprint.index()].held -= 1;
            for rank in &feature.ready {
                let role = self.table[rank.2.index()].role;
                self.ready.entry((role, sprint)).or_default().insert(*rank);
            }
        }
    }
}
