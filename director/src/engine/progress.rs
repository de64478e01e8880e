//! Progress: how an attempt's end, a completion, a new owner and an answer move a task on.
//!
//! Invariant: a phase changes through `State::move_to` alone.

use director_protocols::event::{
    AttemptCut, AttemptEnded, BranchMoved, BranchRestored, MergeSplit, Outcome, WorkRejected,
};
use director_protocols::ids::{AgentId, BlockerId, RoleId, SprintId, TaskId};
use director_protocols::time::{Span, Time};
use director_protocols::work::{AttemptEnd, Earlier};

use super::accounts::LIMITED_MAX;
use super::sprints::{Moved, Stage};
use super::state::{Deadline, State};
use super::tasks::Phase;

impl State {
    /// Work may begin.
    pub(super) fn initialized(&mut self, sprint_id: SprintId, now: Time) {
        let sprint = &mut self.sprints.table[sprint_id.index()];
        sprint.stage = Stage::Running;
        sprint.began = Some(now);
        for id in sprint.tasks() {
            let task = &self.tasks.table[id.index()];
            if task.phase == Phase::Waiting && task.waiting_for == 0 {
                self.move_to(id, Phase::Ready, now);
            }
        }
        self.set_ceremonies(sprint_id, now);
    }

    pub(super) fn attempt_cut(&mut self, e: &AttemptCut) {
        let cuts = self.cuts.entry(e.task_id).or_default();
        cuts.ends += 1;
        cuts.alone = if e.alone { cuts.alone + 1 } else { 0 };
    }

    pub(super) fn attempt_ended(&mut self, e: &AttemptEnded, now: Time) {
        let task = &self.tasks.table[e.task_id.index()];
        let (phase, effort) = (task.phase, task.spec.estimate.mean());
        let sprint = task.sprint;
        let keep = match &e.end {
            AttemptEnd::Done(report) => report.hours_spent.unwrap_or(effort),
            _ => Span::ZERO,
        };
        let assumed = match &e.end {
            AttemptEnd::Done(report) if report.hours_spent.is_none() => keep,
            _ => Span::ZERO,
        };
        let spent = self.team.let_go(e.agent_id, sprint, (effort, keep), now);
        let role = self.team.agents[e.agent_id.index()].role;
        self.team.roles[role.index()].overrun += keep - effort;
        self.tasks.let_go(e.task_id);
        self.no_overrun(e.task_id);
        if !matches!(e.end, AttemptEnd::Interrupted | AttemptEnd::Cancelled) {
            self.cuts.remove(&e.task_id);
        }
        self.messages.waits.remove(&e.agent_id);
        if let AttemptEnd::Done(_) = e.end {
            self.account_works(role.index());
        }
        let team = &self.team;
        let story = self.tasks.story(e.task_id);
        story.busy += spent;
        story.assumed = assumed;
        if !matches!(e.end, AttemptEnd::Limited { .. }) {
            story.limited = 0;
        }
        let ended = match &e.end {
            AttemptEnd::Done(report) => {
                story.reported = Some(report.clone());
                None
            }
            AttemptEnd::Blocked(blocker) => Some(format!("blocked: {}", blocker.text)),
            AttemptEnd::Failed { reason, .. } => {
                story.failures += 1;
                Some(reason.clone())
            }
            AttemptEnd::TimedOut { reason } => {
                story.failures += 1;
                Some(format!("timed out: {reason}"))
            }
            AttemptEnd::Limited { reason, .. } => {
                story.limited += 1;
                story.failures += u32::from(story.limited >= LIMITED_MAX);
                Some(format!("turned away by the provider: {reason}"))
            }
            AttemptEnd::Died { reason } => {
                let name = &team.agents[e.agent_id.index()].name;
                story.deaths.push(format!("{name}: {reason}"));
                Some(format!("the agent died: {reason}"))
            }
            AttemptEnd::BudgetReached => Some("it had spent what was there for it".to_owned()),
            AttemptEnd::Cancelled => Some("called off".to_owned()),
            AttemptEnd::Interrupted => Some("interrupted by a stop of the director".to_owned()),
        };
        if let Some(ended) = ended {
            story.earlier.push(Earlier {
                attempt: e.attempt,
                agent: e.agent_id,
                ended,
                work: String::new(),
            });
        }
        if phase.is_in_hand() {
            let next = match e.end {
                AttemptEnd::Done(_) => {
                    self.tasks.story(e.task_id).judged.clear();
                    Phase::Reported
                }
                _ => Phase::Ready,
            };
            self.move_to(e.task_id, next, now);
        }
    }

    /// Reported work was turned down. What its agent is only thought to have spent on it is still to come, and counts once.
    pub(super) fn work_rejected(&mut self, e: &WorkRejected, now: Time) {
        self.drop_from_merge(e.task_id);
        let row = &self.tasks.table[e.task_id.index()];
        let (agent, sprint) = (row.last_agent, row.sprint);
        // Work that could not be put into a commit is not what the commit of an attempt before holds.
        let committed = row.phase != Phase::Reported;
        let story = self.tasks.story(e.task_id);
        let work = committed.then(|| story.commit.clone());
        let assumed = std::mem::take(&mut story.assumed);
        story.failures += u32::from(e.counts);
        story.earlier.push(Earlier {
            attempt: e.attempt,
            agent: agent.unwrap_or_default(),
            ended: e.reason.clone(),
            work: work.unwrap_or_default(),
        });
        if let Some(agent) = agent {
            let row = &mut self.team.agents[agent.index()];
            // What it has in hand by now stays its own, whatever was forgotten since.
            let in_hand = self.tasks.effort(row.task);
            row.allocated = (row.allocated - assumed).max(in_hand);
            if let Some(spent) = row.spent.get_mut(&sprint) {
                *spent = *spent - assumed;
            }
        }
        self.move_to(e.task_id, Phase::Ready, now);
    }

    /// A sprint is over: what agents did in it leaves room for others that are going.
    pub(super) fn forget_sprint(&mut self, sprint: SprintId) {
        for agent in &mut self.team.agents {
            let spent = agent.spent.remove(&sprint).unwrap_or_default();
            let in_hand = self.tasks.effort(agent.task);
            agent.allocated = (agent.allocated - spent).max(in_hand);
        }
    }

    pub(super) fn completed(&mut self, id: TaskId, now: Time) {
        self.drop_from_merge(id);
        self.move_to(id, Phase::Completed, now);
        self.tasks.release(id);
        if let Some(agent) = self.tasks.table[id.index()].last_agent {
            self.team.agents[agent.index()].completed += 1;
        }
        let sprint = self.tasks.table[id.index()].sprint;
        let running = self.sprints.table[sprint.index()].is_running();
        let dependents = self.tasks.table[id.index()].dependents.clone();
        for dependent in dependents.iter().copied() {
            let task = &mut self.tasks.table[dependent.index()];
            task.waiting_for = task.waiting_for.saturating_sub(1);
            if task.waiting_for == 0 && task.phase == Phase::Waiting && running {
                self.move_to(dependent, Phase::Ready, now);
            }
        }
    }

    /// Tasks that do not go together stand in front of the queue again, as they stood.
    pub(super) fn merge_split(&mut self, e: &MergeSplit, now: Time) {
        let sprint = &mut self.sprints.table[e.sprint_id.index()];
        sprint.merge = None;
        sprint.suspects = e.batch.len() as u32;
        for task in e.batch.iter().rev() {
            sprint.queue.push_front(*task);
        }
        for task in &e.batch {
            self.move_to(*task, Phase::Queued, now);
        }
    }

    /// The sprint stands still.
    pub(super) fn branch_moved(&mut self, e: &BranchMoved, now: Time) {
        self.merge_anew(e.sprint_id, now);
        self.sprints.table[e.sprint_id.index()].moved = Some(Moved {
            name: e.name.clone(),
            found: e.found.clone(),
            contains: e.contains,
        });
    }

    /// The sprint goes on, from where it was or from where its branch is now.
    pub(super) fn branch_restored(&mut self, e: &BranchRestored, now: Time) {
        self.merge_anew(e.sprint_id, now);
        let sprint = &mut self.sprints.table[e.sprint_id.index()];
        sprint.moved = None;
        sprint.head.clone_from(&e.commit);
    }

    /// What is being merged stands in front of the queue again, as it stood: its merge is built on what is not there.
    fn merge_anew(&mut self, id: SprintId, now: Time) {
        let sprint = &mut self.sprints.table[id.index()];
        let Some(merge) = sprint.merge.take() else {
            return;
        };
        for task in merge.batch.iter().rev() {
            sprint.queue.push_front(*task);
        }
        for task in merge.batch {
            self.move_to(task, Phase::Queued, now);
        }
    }

    /// Takes a task out of the queue and out of the merge under way.
    pub(super) fn drop_from_merge(&mut self, id: TaskId) {
        let sprint = &mut self.sprints.table[self.tasks.table[id.index()].sprint.index()];
        if let Some(place) = sprint.queue.iter().position(|task| *task == id) {
            sprint.queue.remove(place);
            // Those that are being merged stood in front of it.
            let ahead = sprint.merge.as_ref().map_or(0, |merge| merge.batch.len());
            sprint.suspects -= u32::from(ahead + place < sprint.suspects as usize);
        }
        if sprint
            .merge
            .as_ref()
            .is_some_and(|merge| merge.batch.contains(&id))
        {
            sprint.merge = None;
            // It is found; the others may well go together.
            sprint.suspects = 0;
        }
    }

    pub(super) fn reassigned(&mut self, id: TaskId, to: Option<AgentId>, now: Time) {
        let task = &mut self.tasks.table[id.index()];
        task.wanted = to;
        match to {
            Some(agent) => {
                task.avoid.clear();
                self.tasks
                    .set_role(id, self.team.agents[agent.index()].role);
            }
            None => {
                task.avoid.extend(task.last_agent);
                match self.next_role(id) {
                    Some(role) => self.tasks.set_role(id, role),
                    // There is nobody else: better the same agent than nobody.
                    None => self.tasks.table[id.index()].avoid.clear(),
                }
            }
        }
        let task = &self.tasks.table[id.index()];
        if task.agent.is_none() && matches!(task.phase, Phase::Backoff(_) | Phase::Blocked) {
            self.move_to(id, Phase::Ready, now);
        }
    }

    /// The role that has an agent for the task that it need not avoid: its own first, then one that covers it.
    pub fn next_role(&self, id: TaskId) -> Option<RoleId> {
        let task = &self.tasks.table[id.index()];
        let own = self.team.by_role.get(&task.spec.role).copied();
        let has_one = |role: &RoleId| {
            let row = &self.team.roles[role.index()];
            !row.lost && row.active().any(|agent| !task.avoid.contains(&agent))
        };
        own.filter(has_one).or_else(|| {
            (0u32..)
                .map(RoleId)
                .take(self.team.roles.len())
                .filter(|role| self.team.roles[role.index()].covers_kind(&task.spec.kind))
                .find(has_one)
        })
    }

    pub(super) fn resolved(&mut self, id: BlockerId, by: &str, answer: &str, now: Time) {
        let blocker = &mut self.trouble.blockers[id.index()];
        blocker.resolved = Some((now, by.to_owned()));
        if let Some(deadline) = blocker.deadline.take() {
            self.deadlines.remove(&(deadline, Deadline::Tier(id)));
        }
        let task = blocker.task;
        let row = &mut self.tasks.table[task.index()];
        if row.blocker == Some(id) {
            row.blocker = None;
        }
        let blocked = row.phase == Phase::Blocked;
        if !answer.is_empty() {
            self.tasks.story(task).guidance.push(answer.to_owned());
        }
        if blocked {
            self.move_to(task, Phase::Ready, now);
        }
    }

    /// How the sprint would end if it ended now.
    pub fn outcome(&self, sprint: SprintId) -> Outcome {
        let tally = self.tasks.tally(sprint);
        if self.sprints.table[sprint.index()].cancelled {
            Outcome::Cancelled
        } else if tally.completed == tally.committed {
            Outcome::Done
        } else {
            Outcome::Incomplete
        }
    }
}
