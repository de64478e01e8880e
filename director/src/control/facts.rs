//! Facts for programs: where a sprint stands and where a task's work is.
//!
//! These are what the command line itself needs to know: when to stop following, what to deliver, which
//! commits to compare. What people read is `view`.

use director_protocols::codec;
use director_protocols::digest::Digest;
use director_protocols::ids::{InboxId, SprintId, TaskId};
use director_protocols::inbox::InboxKind;
use director_protocols::sprint::{Estimate, SprintSpec};
use director_protocols::time::{Span, Time};
use director_protocols::unclear::Start;
use director_protocols::work::Verdict;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::engine::decide::{branch, budget, unclear};
use crate::engine::deployments::Standing;
use crate::engine::effects::Effect;
use crate::engine::orders::Place;
use crate::engine::sprints::Stage;
use crate::engine::state::State;
use crate::engine::tasks::Phase;
use crate::engine::trouble::InboxItem;
use crate::view::{deployments, given_up};

/// Where a sprint stands.
#[derive(Clone, Debug, Default, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct SprintFacts {
    /// Its number.
    pub number: u32,
    /// Its name.
    pub sprint: String,
    /// `preparing`, `running`, `paused`, `halted`, `emergency`, `refused`, `done`, `incomplete`, `cancelled`.
    pub state: String,
    /// Nothing more happens by itself, and its worktrees are gone.
    pub over: bool,
    /// Nothing more happens until a person answers.
    pub waits_for_people: bool,
    /// Deployments that wait for their window, each in a sentence.
    #[serde(default)]
    pub windows: Vec<String>,
    /// Why it was refused; empty if it was not.
    pub refused: String,
    /// What the user should know about the repository.
    pub warnings: Vec<String>,
    /// Worktrees that were kept, each with the reason.
    pub kept: Vec<String>,
    /// Tasks that were given up, failed or quarantined, and wait for nobody.
    #[serde(default)]
    pub given_up: Vec<String>,
    /// Other sprints of the data directory that are not over.
    pub others: Vec<String>,
    /// The fingerprint of what was submitted, if it was asked for; see [`fingerprint`].
    pub fingerprint: Option<String>,
    /// The repository; without one there is nothing to deliver.
    pub repo: Option<String>,
    /// The branch it started from.
    pub base_branch: Option<String>,
    /// The commit it started from.
    pub base: String,
    /// The integration branch's head.
    pub head: String,
    /// Gates that failed on the head, and tasks whose merge is not done.
    pub not_green: Vec<String>,
    /// The commit that the base has since delivery.
    pub delivered: Option<String>,
    /// Tasks done and tasks committed to.
    pub done: (u32, u32),
    /// The position at which this was true.
    pub seq: u64,
    /// Changes when its state does.
    #[serde(default)]
    pub version: String,
}

impl SprintFacts {
    /// Where its work lies.
    pub fn place(&self) -> Place {
        Place {
            id: SprintId(self.number),
            sprint: self.sprint.clone(),
            repo: self.repo.clone(),
            base: self.base_branch.clone(),
            started_at: self.base.clone(),
            head: self.head.clone(),
            // Nothing runs there for who asks.
            sandbox: None,
        }
    }
}

/// Where a task's work is.
#[derive(Clone, Debug, Default, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct TaskFacts {
    /// Its sprint.
    pub sprint: String,
    /// Its name.
    pub task: String,
    /// Its title.
    pub title: String,
    /// What shares its worktree.
    pub feature: String,
    /// Who has or had it; empty before the first attempt.
    pub agent: String,
    /// Its number, which names its files in the data directory.
    pub number: u32,
    /// Where it is in its life.
    pub status: String,
    /// An agent has it in hand.
    pub in_hand: bool,
    /// Nothing more happens to it by itself.
    pub over: bool,
    /// The current or last attempt; 0 before the first.
    pub attempt: u32,
    /// The repository, if there is one.
    pub repo: Option<String>,
    /// The worktree or scratch directory; may be gone. Empty before the first attempt.
    pub workdir: String,
    /// The commit that the attempt began at; empty before.
    pub begun_at: String,
    /// The commit with its work; empty before.
    pub commit: String,
    /// The merge commit; empty before.
    pub merged: String,
    /// Where unfinished work was saved.
    pub salvaged: Vec<String>,
    /// Changes when its status does.
    #[serde(default)]
    pub version: String,
}

/// What stands for the state of a task: two looks with the same have seen the same status.
pub fn task_version(state: &State, id: TaskId) -> String {
    state.tasks.get(id).map_or_else(String::new, |row| {
        let (attempt, status) = (row.attempt.0, row.phase.as_str());
        format!("{}.{attempt}.{status}.{}", id.0, row.changed.0)
    })
}

/// What stands for the state of a sprint.
pub fn sprint_version(state: &State, id: SprintId) -> String {
    state.sprints.get(id).map_or_else(String::new, |row| {
        let tally = state.tasks.tally(id);
        let delivered = u8::from(row.delivered.is_some());
        format!("{}.{}.{}.{delivered}", id.0, row.state(), tally.completed)
    })
}

/// A fingerprint of a sprint as it is submitted: equal sprints have equal ones, however they start.
pub fn fingerprint(spec: &SprintSpec) -> String {
    let mut spec = spec.clone();
    // What was asked before the start, and whether it was waited for, is not part of what is wanted.
    spec.ways.start = Start::default();
    if spec.ways.calibrate {
        // What the file estimates is no longer known, and the past goes on.
        for task in &mut spec.tasks {
            task.estimate = Estimate::point(Span::ZERO);
        }
    }
    codec::encode(&spec).map_or_else(|_| String::new(), |bytes| Digest::of(&bytes).to_string())
}

/// The fingerprint of what was submitted as that sprint. `None` when there is none of that number.
pub fn fingerprint_of(state: &State, id: SprintId) -> Option<String> {
    let row = state.sprints.get(id)?;
    let mut spec = (*row.spec).clone();
    let tasks = row.submitted().filter_map(|task| state.tasks.get(task));
    spec.tasks = tasks.map(|task| task.spec.clone()).collect();
    Some(fingerprint(&spec))
}

/// Where the sprint stands. `None` when there is none of that number.
pub fn sprint(state: &State, id: SprintId, seq: u64, now: Time) -> Option<SprintFacts> {
    let row = state.sprints.get(id)?;
    let tally = state.tasks.tally(id);
    let others = (0u32..).map(SprintId).zip(&state.sprints.table);
    Some(SprintFacts {
        number: id.0,
        sprint: row.spec.id.to_string(),
        state: row.state().to_owned(),
        over: state.is_settled(id),
        waits_for_people: waits_for_people(state, id, now),
        windows: deployments::waiting(state, id),
        refused: row.refused.clone(),
        warnings: row.warnings.clone(),
        kept: row.kept.clone(),
        given_up: given_up(state, row),
        others: others
            .filter(|(other, _)| *other != id && !state.is_settled(*other))
            .map(|(_, other)| other.spec.id.to_string())
            .collect(),
        fingerprint: None,
        repo: row.spec.repo.clone(),
        base_branch: row.spec.base.clone(),
        base: row.base.clone(),
        head: row.head.clone(),
        not_green: not_green(state, id),
        delivered: row.delivered.clone(),
        done: (tally.completed, tally.committed),
        seq,
        version: sprint_version(state, id),
    })
}

/// An agent is asked what is unclear before the start, or will be.
fn is_asking(state: &State, id: SprintId) -> bool {
    let of_sprint = |item: InboxId| state.trouble.inbox[item.index()].sprint == id;
    let mut underway = state.outstanding.iter();
    unclear::will_ask(state, id)
        || underway.any(|(_, effect)| match effect {
            Effect::Deliver { message, .. } => {
                let item = state.messages.table[message.index()].item;
                item.is_some_and(of_sprint)
            }
            _ => false,
        })
}

/// Nothing moves by itself any more, and something waits in the inbox.
fn waits_for_people(state: &State, id: SprintId, now: Time) -> bool {
    let Some(row) = state.sprints.get(id) else {
        return false;
    };
    let answers_itself = |item: &InboxItem| item.deadline.is_some() && item.default.acts();
    if row.stage == Stage::Preparing {
        let mut open = state.trouble.waiting();
        return row.is_held()
            && state.is_ready_to_begin(id)
            && !row.cancelled
            && !is_asking(state, id)
            && !state.outstanding.is_informing(id)
            && !open.any(|(_, item)| item.sprint == id && answers_itself(item));
    }
    if !row.is_running() {
        return false;
    }
    let tally = state.tasks.tally(id);
    let mut asked = false;
    for (_, item) in state
        .trouble
        .waiting()
        .filter(|(_, item)| item.sprint == id)
    {
        // Something happens by itself when nobody comes.
        if answers_itself(item) {
            return false;
        }
        asked |= match item.kind {
            InboxKind::Notice | InboxKind::Unclear | InboxKind::Fallback => false,
            // The sprint waits for those packages alone that are looked at once they are taken.
            InboxKind::Handoff => item
                .handoff
                .is_some_and(|handoff| state.deployment_of(handoff).is_some()),
            _ => true,
        };
    }
    // A window opens by itself, but nobody has to sit there until then. One that is open is dealt with at once.
    for (_, deployment) in state.deployments_of(id) {
        match deployment.standing {
            Standing::Waiting(opens) if opens > now => asked = true,
            Standing::Waiting(_) | Standing::Checking | Standing::Probing(_) => return false,
            _ => {}
        }
    }
    let halted = branch::waits_for_a_person(state, id, row);
    if !asked
        || row.paused
        || tally.in_hand > state.in_peoples_hands(id)
        || row.merge.is_some()
        || !row.queue.is_empty() && !halted
        || state.outstanding.is_informing(id)
    {
        return false;
    }
    // What is ready is not handed out while its role is lost or its people are busy, in an emergency, or where its budget is used up.
    let stuck = |id: TaskId| {
        state.tasks.get(id).is_none_or(|task| match task.phase {
            Phase::Ready | Phase::Queued if halted => true,
            Phase::Ready => {
                let role = state.team.roles.get(task.role.index());
                row.emergency.is_some()
                    || budget::waits_for_a_person(state, id, task, now)
                    || role
                        .is_some_and(|role| role.lost || role.is_people() && role.free.is_empty())
            }
            // Whoever judges it is a task of its own, or a person.
            Phase::Reviewing => true,
            Phase::Working => task.agent.is_some_and(|agent| state.is_person(agent)),
            phase => !phase.is_active(),
        })
    };
    row.tasks().all(stuck)
}

/// What has to end before a stop interrupts nothing: tasks that agents have in hand, and work on its way into a branch.
/// Judges are not counted: while a director stops, none is asked.
pub fn at_work(state: &State) -> usize {
    let sprints = (0u32..).map(SprintId).zip(&state.sprints.table);
    let going = sprints.filter(|(_, row)| row.is_running());
    going
        .map(|(id, row)| {
            let with_agents = state
                .tasks
                .tally(id)
                .in_hand
                .saturating_sub(state.in_peoples_hands(id));
            let on_the_way = |task: &TaskId| {
                let phase = state.tasks.get(*task).map(|task| task.phase);
                matches!(
                    phase,
                    Some(Phase::Reported | Phase::Queued | Phase::Merging)
                )
            };
            with_agents as usize + row.tasks().filter(on_the_way).count()
        })
        .sum()
}

/// Why the head of the integration branch should not be delivered.
fn not_green(state: &State, id: SprintId) -> Vec<String> {
    let Some(row) = state.sprints.get(id) else {
        return Vec::new();
    };
    let mut found = Vec::new();
    for task in row.tasks().filter_map(|task| state.tasks.get(task)) {
        let Some(story) = &task.story else { continue };
        if story.merged.is_empty() || story.merged != row.head {
            continue;
        }
        for gate in story
            .gates
            .iter()
            .filter(|gate| gate.verdict == Verdict::Failed)
        {
            found.push(format!(
                "gate `{}` failed after task `{}`",
                gate.gate, task.spec.id
            ));
        }
    }
    if let Stage::Running | Stage::Preparing = row.stage {
        found.push(format!("sprint `{}` is {}", row.spec.id, row.state()));
    }
    found
}

/// Where the task's work is. `None` when there is none of that number.
pub fn task(state: &State, id: TaskId) -> Option<TaskFacts> {
    let row = state.tasks.get(id)?;
    let sprint = state.sprints.get(row.sprint)?;
    let mut facts = TaskFacts {
        sprint: sprint.spec.id.to_string(),
        task: row.spec.id.to_string(),
        title: row.spec.title.clone(),
        feature: row.spec.feature.to_string(),
        agent: row
            .last_agent
            .map_or_else(String::new, |agent| state.agent_name(agent)),
        number: id.0,
        status: row.phase.as_str().to_owned(),
        in_hand: row.phase.is_in_hand(),
        over: row.phase.is_over() || sprint.is_over(),
        attempt: row.attempt.0,
        repo: sprint.spec.repo.clone(),
        version: task_version(state, id),
        ..TaskFacts::default()
    };
    if let Some(story) = &row.story {
        facts.workdir.clone_from(&story.workdir);
        facts.begun_at.clone_from(&story.begun_at);
        facts.commit.clone_from(&story.commit);
        facts.merged.clone_from(&story.merged);
        facts.salvaged.clone_from(&story.salvaged);
    }
    Some(facts)
}

#[cfg(test)]
mod tests {
    use director_protocols::command::Command;
    use director_protocols::deployment::Window;
    use director_protocols::severity::Severity;
    use director_protocols::sprint::Priority;

    use super::*;
    use crate::planner::examples::checkout;
    use crate::view::recorded::Run;

    fn facts(run: &Run) -> SprintFacts {
        sprint(run.state(), SprintId(0), run.engine.seq().0, run.now).expect("a sprint")
    }

    #[test]
    fn people_are_waited_for_only_once_nothing_moves_by_itself() {
        let mut run = Run::of(checkout());
        assert!(!facts(&run).waits_for_people, "work is in hand");
        run.blocked("checkout-spec", 5, Severity::High, "which one?");
        assert!(!facts(&run).waits_for_people, "research goes on");
        run.done("psp-research", 5);
        assert!(facts(&run).waits_for_people);
        run.answer(0, "the first");
        assert!(!facts(&run).waits_for_people, "the answer set it free");

        let mut spec = checkout();
        spec.tasks[0].priority = Priority::Critical;
        let mut run = Run::of(spec);
        run.done("psp-research", 5);
        run.blocked("checkout-spec", 5, Severity::Critical, "the vault is gone");
        assert_eq!(facts(&run).state, "emergency");
        assert!(facts(&run).waits_for_people);
        let cancel = Command::CancelSprint {
            sprint: SprintId(0),
            by: "mia".into(),
        };
        run.say(cancel);
        run.settle();
        let over = facts(&run);
        assert!(over.over && !over.waits_for_people);
        assert_eq!(over.state, "cancelled");
    }

    #[test]
    fn a_window_that_is_open_is_nothing_to_wait_for() {
        let mut spec = checkout();
        let minute = |time: Time| (time.0 / 60_000 % 1440) as u16;
        let opens = Run::empty().now + Span::hours(12);
        spec.ways.deployment.windows.push(Window {
            days: 0b111_1111,
            from: minute(opens),
            to: minute(opens + Span::hours(1)),
            offset: 0,
        });
        let requirements = &mut spec.tasks[0].deployment_requirements;
        requirements.push("a table more".into());
        let mut run = Run::of(spec);
        let at_work = |run: &Run| {
            let mut tasks = run.state().tasks.table.iter();
            let task = tasks.find(|task| task.phase == Phase::Working)?;
            Some(task.spec.id.to_string())
        };
        while let Some(task) = at_work(&run) {
            run.done(&task, 5);
        }
        let at = |now| sprint(run.state(), SprintId(0), 0, now).expect("a sprint");
        assert!(at(run.now).waits_for_people && at(run.now).windows.len() == 1);
        // A director that starts again sees the time before it has dealt with what is due.
        let Standing::Waiting(opens) = run.state().deployments[0].standing else {
            panic!("{:?}", run.state().deployments[0]);
        };
        assert!(!at(opens).waits_for_people);
    }

    #[test]
    fn what_was_submitted_has_the_fingerprint_of_its_file() {
        let run = Run::of(checkout());
        let known = fingerprint_of(run.state(), SprintId(0));
        assert_eq!(known, Some(fingerprint(&checkout())));
        let mut edited = checkout();
        edited.tasks[0].title.push('!');
        assert_ne!(known, Some(fingerprint(&edited)));
    }
}
