//! Spans from the journal: a fold over its entries.
//!
//! | span | from | to | below |
//! |---|---|---|---|
//! | `task …` | the first assignment | completed, failed, quarantined, cancelled, or the end of the sprint | |
//! | `attempt` | the assignment | the agent let go of it | the task |
//! | `prepare` | the assignment | the worktree is ready | the attempt |
//! | `agent` | the agent begins | it let go; agents get this span in `TRACEPARENT` | the attempt |
//! | `commit` | the agent let go | what it left is a commit | the task |
//! | `review` | the commit | all who judge have spoken | the task |
//! | `merge` | the queue takes it up | merged, conflicting or turned down | the task |
//! | `gates` | the merge is built | all gates have run | the merge; the task without a repository |
//! | `gate …` | as long as it took, up to the end of the gates or the review | | the gates, the review |
//! | `blocked` | the blocker is raised | it is resolved | the task |
//!
//! A task that is given up and tried again has a second root in the same trace.
//!
//! Invariant: a span is made once, when it ends, and is a function of the entries up to there; [`Spans::needed`] says from where on the
//! entries have to be folded again for those that are still to come.
//! Elsewhere: names of spans are `director_protocols::trace`.

use std::collections::BTreeMap;

use director_protocols::event::Event;
use director_protocols::ids::{AgentId, Attempt, BlockerId, SprintId, TaskId};
use director_protocols::time::Time;
use director_protocols::trace::{SpanId, TraceId};
use director_protocols::work::{AttemptEnd, GateOutcome, Verdict};

use crate::engine::state::State;
use crate::handle::Entry;
use crate::report::text::short;

/// The longest text of a problem, in characters.
const PROBLEM_CHARS_MAX: usize = 500;

/// A value that a span bears.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Tag {
    /// A text.
    Text(String),
    /// A whole number.
    Whole(i64),
    /// Yes or no.
    Flag(bool),
}

/// Something that took a while.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Span {
    /// The task's trace.
    pub trace: TraceId,
    /// Its own name.
    pub id: SpanId,
    /// What it is part of.
    pub parent: Option<SpanId>,
    /// What it is.
    pub name: String,
    /// When it began.
    pub start: Time,
    /// When it ended.
    pub end: Time,
    /// What else there is to say.
    pub tags: Vec<(&'static str, Tag)>,
    /// What went wrong, if anything did.
    pub problem: Option<String>,
}

/// What has begun of a task.
#[derive(Clone, Debug)]
struct Open {
    trace: TraceId,
    root: SpanId,
    first: u64,
    began: Time,
    sprint: SprintId,
    attempts: i64,
    attempt: Option<Hand>,
    reported: Option<Time>,
    committed: Option<Time>,
    merge: Option<(SpanId, Time)>,
    built: Option<Time>,
    blockers: BTreeMap<BlockerId, (Time, &'static str, String)>,
}

/// An attempt in hand.
#[derive(Clone, Debug)]
struct Hand {
    number: Attempt,
    agent: AgentId,
    assigned: Time,
    started: Option<Time>,
}

impl Open {
    /// When an agent last let go of it: what is judged was there then.
    fn let_go(&self) -> Time {
        self.reported.unwrap_or(self.began)
    }

    fn span(&self, name: impl Into<String>, id: SpanId, start: Time, end: Time) -> Span {
        Span {
            trace: self.trace,
            id,
            parent: Some(self.root),
            name: name.into(),
            start,
            end,
            tags: Vec::new(),
            problem: None,
        }
    }
}

impl Span {
    fn tag(mut self, name: &'static str, tag: Tag) -> Self {
        self.tags.push((name, tag));
        self
    }

    fn text(self, name: &'static str, value: impl Into<String>) -> Self {
        self.tag(name, Tag::Text(value.into()))
    }

    fn below(mut self, parent: SpanId) -> Self {
        self.parent = Some(parent);
        self
    }

    fn failed(mut self, problem: Option<impl AsRef<str>>) -> Self {
        self.problem = problem.map(|text| short(text.as_ref(), PROBLEM_CHARS_MAX));
        self
    }
}

/// The fold.
#[derive(Clone, Debug, Default)]
pub struct Spans {
    open: BTreeMap<TaskId, Open>,
    seq: u64,
}

impl Spans {
    /// The position from which entries are needed to make the spans that have not ended.
    pub fn needed(&self) -> u64 {
        let first = self.open.values().map(|open| open.first).min();
        first.unwrap_or(self.seq + 1)
    }

    /// The spans that end with this entry. `state` is the one after it, or any later one.
    pub fn take(&mut self, entry: &Entry, state: &State) -> Vec<Span> {
        self.seq = entry.seq.0;
        let mut ended = Vec::new();
        for (n, event) in (0u64..).zip(&entry.events) {
            // Names what can be there more than once.
            let number = entry.seq.0 << 16 | n;
            self.on(event, (entry, number), state, &mut ended);
        }
        ended
    }

    fn on(
        &mut self,
        event: &Event,
        (entry, number): (&Entry, u64),
        state: &State,
        ended: &mut Vec<Span>,
    ) {
        let at = entry.at;
        match event {
            Event::TaskAssigned(e) => self.assigned(e.task_id, e.agent_id, e.attempt, entry, state),
            Event::WorktreePrepared(e) => {
                if let Some((open, hand)) = self.hand(e.task_id, e.attempt) {
                    let id = open.trace.span("prepare", u64::from(e.attempt.0));
                    let below = open.trace.span("attempt", u64::from(e.attempt.0));
                    ended.push(open.span("prepare", id, hand.assigned, at).below(below));
                }
            }
            Event::AttemptStarted(e) => {
                if let Some(open) = self.open.get_mut(&e.task_id)
                    && let Some(hand) = open.attempt.as_mut().filter(|h| h.number == e.attempt)
                {
                    hand.started = Some(at);
                }
            }
            Event::AttemptEnded(e) => self.let_go(e.task_id, e.attempt, &e.end, at, state, ended),
            Event::WorkCommitted(e) => {
                if let Some(open) = self.open.get_mut(&e.task_id) {
                    open.committed = Some(at);
                    let from = open.reported.unwrap_or(at);
                    let span = open.span("commit", open.trace.span("commit", number), from, at);
                    ended.push(span.text("director.commit", &*e.commit));
                }
            }
            Event::WorkReviewed(e) => {
                if let Some(open) = self.open.get(&e.task_id) {
                    let id = open.trace.span("review", number);
                    let from = open.committed.or(open.reported).unwrap_or(at);
                    let no = (!e.passed).then_some("the work was sent back");
                    ended.extend(gates(open, id, number, &e.outcomes, (from, at)));
                    ended.push(
                        open.span("review", id, from, at)
                            .tag("director.round", Tag::Whole(e.round.into()))
                            .failed(no),
                    );
                }
            }
            Event::MergeStarted(e) => {
                for task in &e.batch {
                    if let Some(open) = self.open.get_mut(task) {
                        open.merge = Some((open.trace.span("merge", number), at));
                        open.built = None;
                    }
                }
            }
            Event::MergePrepared(e) => {
                for task in &e.batch {
                    if let Some(open) = self.open.get_mut(task) {
                        open.built = Some(at);
                    }
                }
            }
            Event::QualityGateStatus(e) => {
                for task in &e.batch {
                    let Some(open) = self.open.get(task) else {
                        continue;
                    };
                    let id = open.trace.span("gates", number);
                    let took = e.outcomes.iter().map(|outcome| outcome.took.0).max();
                    let reckoned = Time(at.0.saturating_sub(took.unwrap_or(0)));
                    let from = open.built.unwrap_or(reckoned).max(open.let_go());
                    let below = open.merge.map_or(open.root, |(merge, _)| merge);
                    let no = (!e.passed).then_some("a gate is red");
                    ended.extend(gates(open, id, number, &e.outcomes, (from, at)));
                    ended.push(open.span("gates", id, from, at).below(below).failed(no));
                }
            }
            Event::MergeConflicted(e) => {
                let files = format!(
                    "it conflicts with what was merged before in {}",
                    e.files.join(", ")
                );
                for task in &e.batch {
                    self.merged(*task, at, "", Some(&files), ended);
                }
            }
            Event::MergeSplit(e) => {
                for task in &e.batch {
                    self.merged(*task, at, "", Some(&e.reason), ended);
                }
            }
            Event::MergeCompleted(e) => {
                for task in &e.batch {
                    self.merged(*task, at, &e.commit, None, ended);
                }
            }
            Event::WorkRejected(e) => self.merged(e.task_id, at, "", Some(&e.reason), ended),
            Event::BlockerRaised(e) => {
                if let Some(open) = self.open.get_mut(&e.task_id) {
                    let what = (at, e.severity.as_str(), e.text.clone());
                    open.blockers.insert(e.blocker, what);
                }
            }
            Event::BlockerResolved(e) => {
                for open in self.open.values_mut() {
                    if let Some((from, severity, text)) = open.blockers.remove(&e.blocker) {
                        let span =
                            open.span("blocked", open.trace.span("blocked", number), from, at);
                        ended.push(
                            span.text("director.severity", severity)
                                .text("director.resolved_by", &*e.by)
                                .failed(Some(text)),
                        );
                    }
                }
            }
            Event::TaskCompleted(e) => self.over(e.task_id, at, None, state, ended),
            Event::TaskFailed(e) => self.over(e.task_id, at, Some(&e.reason), state, ended),
            Event::TaskQuarantined(e) => {
                self.over(e.task_id, at, Some(&e.evidence.join("; ")), state, ended);
            }
            Event::TaskCancelled(e) => {
                let why = format!("cancelled by {}", e.by);
                self.over(e.task_id, at, Some(&why), state, ended);
            }
            Event::SprintEnded(e) => self.rest(e.sprint_id, at, state, ended),
            Event::SprintCancelled(e) => self.rest(e.sprint_id, at, state, ended),
            _ => {}
        }
    }

    fn assigned(
        &mut self,
        task: TaskId,
        agent: AgentId,
        attempt: Attempt,
        entry: &Entry,
        state: &State,
    ) {
        let Some(row) = state.tasks.get(task) else {
            return;
        };
        let Some(sprint) = state.sprints.get(row.sprint) else {
            return;
        };
        let open = self.open.entry(task).or_insert_with(|| {
            let trace = TraceId::of(
                sprint.spec.id.as_str(),
                sprint.submitted,
                row.spec.id.as_str(),
            );
            Open {
                trace,
                root: trace.span("task", entry.seq.0),
                first: entry.seq.0,
                began: entry.at,
                sprint: row.sprint,
                attempts: 0,
                attempt: None,
                reported: None,
                committed: None,
                merge: None,
                built: None,
                blockers: BTreeMap::new(),
            }
        });
        open.attempts += 1;
        open.attempt = Some(Hand {
            number: attempt,
            agent,
            assigned: entry.at,
            started: None,
        });
    }

    fn hand(&self, task: TaskId, attempt: Attempt) -> Option<(&Open, &Hand)> {
        let open = self.open.get(&task)?;
        let hand = open.attempt.as_ref()?;
        (hand.number == attempt).then_some((open, hand))
    }

    fn let_go(
        &mut self,
        task: TaskId,
        attempt: Attempt,
        end: &AttemptEnd,
        at: Time,
        state: &State,
        ended: &mut Vec<Span>,
    ) {
        let Some((open, hand)) = self.hand(task, attempt) else {
            return;
        };
        let problem = problem_of(end);
        let number = u64::from(attempt.0);
        let id = open.trace.span("attempt", number);
        let who = state.agent_name(hand.agent);
        if let Some(started) = hand.started {
            let agent = open.span("agent", open.trace.agent(attempt), started, at);
            ended.push(
                agent
                    .below(id)
                    .text("director.agent", &*who)
                    .failed(problem.as_deref()),
            );
        }
        ended.push(
            open.span("attempt", id, hand.assigned, at)
                .tag("director.attempt", Tag::Whole(attempt.0.into()))
                .text("director.agent", who)
                .text("director.outcome", end.as_str())
                .failed(problem),
        );
        if let Some(open) = self.open.get_mut(&task) {
            open.attempt = None;
            open.reported = Some(at);
            open.committed = None;
        }
    }

    fn merged(
        &mut self,
        task: TaskId,
        at: Time,
        commit: &str,
        problem: Option<&str>,
        ended: &mut Vec<Span>,
    ) {
        if let Some(open) = self.open.get_mut(&task)
            && let Some((id, from)) = open.merge.take()
        {
            open.built = None;
            let span = open.span("merge", id, from, at).failed(problem);
            ended.push(match commit {
                "" => span,
                commit => span.text("director.commit", commit),
            });
        }
    }

    /// The task is over, and with it what has begun of it.
    fn over(
        &mut self,
        task: TaskId,
        at: Time,
        problem: Option<&str>,
        state: &State,
        ended: &mut Vec<Span>,
    ) {
        self.merged(task, at, "", problem, ended);
        let (Some(open), Some(row)) = (self.open.remove(&task), state.tasks.get(task)) else {
            return;
        };
        for (blocker, (from, severity, text)) in &open.blockers {
            let id = open.trace.span("blocked to the end", u64::from(blocker.0));
            let span = open.span("blocked", id, *from, at);
            ended.push(span.text("director.severity", *severity).failed(Some(text)));
        }
        let mut root = open.span(format!("task {}", row.spec.id), open.root, open.began, at);
        root.parent = None;
        let sprint = state.sprints.get(open.sprint);
        ended.push(
            root.text(
                "director.sprint",
                sprint.map_or("", |row| row.spec.id.as_str()),
            )
            .text("director.task", row.spec.id.as_str())
            .text("director.kind", &*row.spec.kind)
            .text("director.role", row.spec.role.as_str())
            .tag("director.points", Tag::Whole(row.spec.points.into()))
            .tag("director.attempts", Tag::Whole(open.attempts))
            .tag("director.help", Tag::Flag(row.is_help()))
            .failed(problem),
        );
    }

    /// The sprint is over, whatever has become of its tasks.
    fn rest(&mut self, sprint: SprintId, at: Time, state: &State, ended: &mut Vec<Span>) {
        let tasks = self.open.iter().filter(|(_, open)| open.sprint == sprint);
        let tasks: Vec<TaskId> = tasks.map(|(task, _)| *task).collect();
        for task in tasks {
            self.over(task, at, Some("the sprint ended first"), state, ended);
        }
    }
}

fn problem_of(end: &AttemptEnd) -> Option<String> {
    match end {
        AttemptEnd::Done(_) => None,
        AttemptEnd::Blocked(report) => Some(format!("blocked: {}", report.text)),
        AttemptEnd::Failed { reason, .. }
        | AttemptEnd::Died { reason }
        | AttemptEnd::TimedOut { reason }
        | AttemptEnd::Limited { reason, .. } => Some(reason.clone()),
        AttemptEnd::BudgetReached | AttemptEnd::Cancelled | AttemptEnd::Interrupted => {
            Some(end.as_str().to_owned())
        }
    }
}

fn gates(
    open: &Open,
    parent: SpanId,
    number: u64,
    outcomes: &[GateOutcome],
    (from, at): (Time, Time),
) -> Vec<Span> {
    let all = outcomes.iter().map(|outcome| {
        let id = open.trace.span(&format!("gate {}", outcome.gate), number);
        let from = Time(at.0.saturating_sub(outcome.took.0)).max(from);
        let no = matches!(outcome.verdict, Verdict::Failed).then_some(&outcome.evidence);
        let verdict = match outcome.verdict {
            Verdict::Passed => "passed",
            Verdict::Failed => "failed",
            Verdict::NotMeasured => "not measured",
            Verdict::Overridden => "overridden",
        };
        open.span(format!("gate {}", outcome.gate), id, from, at)
            .below(parent)
            .text("director.verdict", verdict)
            .failed(no)
    });
    all.collect()
}

#[cfg(test)]
mod tests;
