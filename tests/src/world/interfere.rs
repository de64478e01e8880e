//! Who interferes: people who steer, agents that talk, and commands that nobody in his right mind would send.
//!
//! Elsewhere: what the world answers by itself is the parent module.

use director::engine::tasks::Phase;
use director_protocols::command::{Command, IncidentWork};
use director_protocols::forecast::Forecast;
use director_protocols::ids::{
    AgentId, Attempt, EffectId, Generation, InboxId, IncidentId, MessageId, Name, Seq, SprintId,
    TaskId,
};
use director_protocols::inbox::{InboxKind, Reply};
use director_protocols::outside::Outside;
use director_protocols::scope::{ScopeChange, TaskChange};
use director_protocols::severity::Severity;
use director_protocols::time::Span;
use director_protocols::work::{AttemptEnd, DiffStat, Report};
use rand_chacha::rand_core::Rng;
use serde_json::json;

use super::World;

impl World {
    /// The account of some role, which is parked or not.
    fn some_account(&mut self) -> String {
        let roles = self.engine.state().team.roles.len();
        let role = self.below(roles);
        let role = self.engine.state().team.roles.get(role);
        role.map_or_else(
            || "nobody's".to_owned(),
            |role| role.spec.account().into_owned(),
        )
    }

    /// Lets time pass to the next deadline, or answers what waits for a person.
    pub(super) fn wait(&mut self) -> bool {
        let state = self.engine.state();
        let waiting = state.trouble.waiting().next().is_some();
        let mut sprints = state.sprints.table.iter();
        let paused = sprints.any(|sprint| sprint.paused && !sprint.is_over());
        // Reminders and standups come again and again, so somebody comes at some time.
        let somebody_comes = (waiting || paused) && self.chance(300);
        if let Some(at) = self.engine.next_deadline()
            && !somebody_comes
            && self.idle < super::IDLE_MAX
        {
            self.idle += 1;
            self.now = self.now.max(at);
            self.tell(Command::Tick).expect("a tick is accepted");
            return true;
        }
        let trouble = &self.engine.state().trouble;
        let first = trouble.waiting().next();
        let item = first.map(|(id, item)| (id, item.kind));
        let stops = self.chance(self.faults.person * 5);
        if let Some((item, kind)) = item {
            self.tell(Command::Answer {
                item,
                // What is missing before a deployment may never come, and whoever asks again is told so again.
                reply: match kind {
                    InboxKind::Deployment => Reply::Reject,
                    InboxKind::Budget | InboxKind::Branch if stops => Reply::Reject,
                    _ => Reply::Approve,
                },
                text: "go on".to_owned(),
                by: "tester".to_owned(),
            })
            .expect("an answer is accepted");
            return true;
        }
        if self.write_up() {
            return true;
        }
        if self
            .engine
            .state()
            .sprints
            .table
            .iter()
            .any(|sprint| sprint.paused && !sprint.is_over())
        {
            let resume = Command::Resume {
                sprint: None,
                by: "tester".to_owned(),
            };
            self.tell(resume).expect("resumes");
            return true;
        }
        false
    }

    pub(super) fn interfere(&mut self) {
        let state = self.engine.state();
        let tasks = state.tasks.table.len();
        let by = "tester".to_owned();
        let task = TaskId(self.below(tasks) as u32);
        let agents = self.engine.state().team.agents.len();
        let inbox = self.engine.state().trouble.inbox.len() + 1;
        let command = match self.below(100) {
            98..100 => Command::CancelSprint {
                sprint: SprintId(self.below(self.engine.state().sprints.table.len()) as u32),
                by,
            },
            95 => Command::AcceptAction {
                sprint: SprintId(self.below(self.engine.state().sprints.table.len()) as u32),
                action: "smaller-tasks".to_owned(),
                text: "tasks of half a day".to_owned(),
                by,
            },
            96..98 => Command::Delivered {
                sprint: SprintId(0),
                commit: "base".to_owned(),
                by,
            },
            0..12 => Command::CancelTask { task, by },
            12..35 => Command::Retry { task, by },
            35..47 => Command::Reassign { task, to: None, by },
            47..60 => Command::Reassign {
                task,
                to: Some(AgentId(self.below(agents) as u32)),
                by,
            },
            60..67 => Command::Pause { sprint: None, by },
            67..70 => self.some_limit(),
            70..74 => Command::Resume { sprint: None, by },
            // Most often of an account that nobody was ever turned away on.
            74..76 => Command::FreeAccount {
                account: self.some_account(),
                by,
            },
            76..80 => {
                let known = &self.engine.state().trouble.incidents;
                let open = known.iter().position(|incident| incident.closed.is_none());
                let missing = open.and_then(|place| known[place].missing().first().copied());
                Command::IncidentWork {
                    incident: IncidentId(open.unwrap_or(0) as u32),
                    work: match missing {
                        Some(step) => IncidentWork::Step(step, "known".to_owned()),
                        None => IncidentWork::Close,
                    },
                    by,
                }
            }
            84..90 => Command::Outside {
                sprint: SprintId(0),
                what: Box::new(self.outside()),
                by,
            },
            80..84 => Command::OverrideGate {
                task: TaskId(self.below(tasks) as u32),
                gate: ["review", "docs", "unit"][self.below(3)].to_owned(),
                reason: "it will do".to_owned(),
                by,
            },
            _ => Command::Answer {
                item: InboxId(self.below(inbox) as u32),
                reply: [Reply::Answer, Reply::Approve, Reply::Reject][self.below(3)],
                text: "do as you think best".to_owned(),
                by,
            },
        };
        // Whoever looks back also looks ahead.
        let foresees = match &command {
            Command::AcceptAction { sprint, by, .. } => Some(Command::RecordForecast {
                sprint: *sprint,
                forecast: Forecast::default(),
                by: by.clone(),
            }),
            _ => None,
        };
        // Most of what is asked at random makes no sense and is refused.
        let _ = self.tell(command);
        if let Some(command) = foresees {
            let _ = self.tell(command);
        }
    }

    /// Somebody writes up what went wrong, in the end. False when there is nothing to write.
    pub(super) fn write_up(&mut self) -> bool {
        let incidents = &self.engine.state().trouble.incidents;
        let mut open = incidents.iter();
        let Some(place) = open.position(|incident| incident.closed.is_none()) else {
            return false;
        };
        let missing = incidents[place].missing().first().copied();
        let write = Command::IncidentWork {
            incident: IncidentId(place as u32),
            work: missing.map_or(IncidentWork::Close, |step| {
                IncidentWork::Step(step, "known".to_owned())
            }),
            by: "tester".to_owned(),
        };
        self.tell(write).expect("an incident is written up");
        true
    }

    /// Something that an outside party says.
    fn outside(&mut self) -> Outside {
        let name = |text: String| Name::new(text).expect("a name");
        let task = name(format!("t{}", self.below(12)));
        let new = |id: String, depends_on| {
            let task = json!({ "id": id, "depends_on": depends_on, "hours": 1 });
            serde_json::from_value(task).expect("a task")
        };
        let fresh = format!("x{}", self.rng.next_u32() % 1000);
        // Other teams ask for what is done, most of the time.
        let table = &self.engine.state().tasks.table;
        let done = table
            .iter()
            .find(|row| row.phase == Phase::Completed && row.sprint == SprintId(0));
        let done = done.map_or(name("f0".to_owned()), |row| row.spec.feature.clone());
        // What is said of agents is about what they have in hand.
        let hands = table
            .iter()
            .find(|row| row.phase.is_in_hand() && row.sprint == SprintId(0));
        let hands = hands.map_or(task.clone(), |row| row.spec.id.clone());
        match self.below(6) {
            0 => Outside::AgentTaskCompleted {
                task_id: hands,
                hours_spent: None,
                summary: "done elsewhere".to_owned(),
            },
            1 => Outside::AgentBlocked {
                task_id: hands,
                blocker_type: String::new(),
                severity: Severity::Medium,
                text: "no key".to_owned(),
            },
            2 => Outside::QaTestingRequired { feature: done },
            3 => Outside::DevopsDeploymentReady {
                feature: self.chance(800).then_some(done),
            },
            4 => Outside::ProductRequirementsChanged(ScopeChange {
                add: vec![new(fresh, vec![task.clone()])],
                change: vec![TaskChange {
                    id: task,
                    title: None,
                    description: self.chance(500).then(|| "otherwise".to_owned()),
                    points: Some(self.below(5) as u32),
                    hours: Some(2.0),
                    priority: None,
                    acceptance: None,
                }],
                drop: Vec::new(),
            }),
            _ => Outside::CriticalBugDiscovered {
                task: new(fresh, Vec::new()),
                found_in: Some(task),
                severity: [Severity::Low, Severity::Critical][self.below(2)],
            },
        }
    }

    /// An agent at work says something.
    pub(super) fn talk(&mut self) {
        let busy: Vec<AgentId> = self.working.keys().copied().collect();
        if busy.is_empty() {
            return;
        }
        let from = busy[self.below(busy.len())];
        let (task, attempt) = self.working[&from];
        // Half of what is asked is about another task, whoever has it or will take it up.
        let to = match self.below(2) {
            0 => format!("task:t{}", self.below(12)),
            _ => [
                "engineer",
                "tester",
                "engineer-1",
                "tester-1",
                "person",
                "designer",
                "nobody",
            ][self.below(7)]
            .to_owned(),
        };
        let text = "which way?".to_owned();
        let cost_micros = 2 * self.some_cost();
        let command = match self.below(6) {
            5 => Command::Spent {
                task,
                attempt,
                cost_micros,
            },
            0 => Command::Tell { from, to, text },
            1 => Command::Session {
                task,
                attempt,
                session: format!("session-{task}"),
            },
            2 => Command::Liveness {
                task,
                attempt,
                state: "silent".to_owned(),
            },
            _ => Command::Ask {
                from,
                attempt: (task, attempt),
                to,
                text,
            },
        };
        // A circle, or nobody of that name: the agent is told.
        let _ = self.tell(command);
    }

    /// Something that an honest world does not do often, or at all.
    pub(super) fn turn_hostile(&mut self) {
        if self.chance(200) {
            self.now = self.now + Span::hours(self.rng.next_u64() % 48);
            self.tell(Command::Tick).expect("a tick is accepted");
        } else if self.chance(200) {
            let role = ["engineer", "tester"][self.below(2)].to_owned();
            let lost = Command::RoleLost {
                role,
                reason: "six restarts in a minute".to_owned(),
            };
            self.tell(lost).expect("a loss is accepted");
        } else {
            let command = self.hostile();
            let _ = self.tell(command);
        }
    }

    fn number(&mut self) -> u32 {
        match self.below(8) {
            0 => u32::MAX,
            1 => u32::MAX - 1,
            2 => self.rng.next_u32(),
            _ => self.below(16) as u32,
        }
    }

    fn some_effect(&mut self) -> EffectId {
        let known: Vec<EffectId> = self.pending.keys().copied().collect();
        if known.is_empty() || self.chance(500) {
            let (seq, n) = (Seq(u64::from(self.number())), self.number());
            return EffectId { seq, n };
        }
        known[self.below(known.len())]
    }

    /// A command with ids at random: what it names may not exist, or belong to somebody else. None of them claims
    /// that work is done, so what counts stays true.
    pub fn hostile(&mut self) -> Command {
        let task = TaskId(self.number());
        let agent = AgentId(self.number());
        let attempt = Attempt(self.number());
        let sprint = SprintId(self.number());
        let generation = Generation(self.number());
        let text = "x".repeat(self.below(64));
        let by = "stranger".to_owned();
        match self.below(31) {
            0 => Command::Pause {
                sprint: Some(sprint),
                by,
            },
            1 => Command::Resume {
                sprint: Some(sprint),
                by,
            },
            2 if self.chance(100) => Command::CancelSprint { sprint, by },
            2 | 3 => Command::CancelTask { task, by },
            4 => Command::Retry { task, by },
            5 => Command::Reassign {
                task,
                to: Some(agent),
                by,
            },
            6 => Command::Reassign { task, to: None, by },
            7 => Command::Answer {
                item: InboxId(self.number()),
                reply: Reply::Answer,
                text,
                by,
            },
            8 => Command::Delivered {
                sprint,
                commit: text,
                by,
            },
            9 => Command::AgentUp { agent, generation },
            10 => Command::AgentDown {
                agent,
                generation,
                reason: text,
                in_hand: Some((task, attempt)),
            },
            11 => Command::RoleLost {
                role: text,
                reason: by,
            },
            12 => Command::Started {
                effect: self.some_effect(),
                task,
                attempt,
            },
            13 => Command::Session {
                task,
                attempt,
                session: text,
            },
            14 => Command::Liveness {
                task,
                attempt,
                state: text,
            },
            15 => Command::Ended {
                task,
                attempt,
                end: AttemptEnd::Cancelled,
            },
            16 => Command::Ended {
                task,
                attempt,
                end: AttemptEnd::done(Report {
                    cost_micros: u64::MAX,
                    hours_spent: Some(Span(u64::MAX)),
                    ..Report::default()
                }),
            },
            17 => Command::Tell {
                from: agent,
                to: text,
                text: by,
            },
            18 => Command::Ask {
                from: agent,
                attempt: (task, attempt),
                to: "person".to_owned(),
                text,
            },
            19 => Command::Delivery {
                effect: self.some_effect(),
                message: MessageId(self.number()),
                answer: Some(text),
            },
            20 => Command::Incident {
                sprint,
                task: Some(task),
                text,
            },
            21 => Command::RepoRefused {
                effect: self.some_effect(),
                reason: text,
            },
            22 => Command::WorkSalvaged {
                effect: self.some_effect(),
                saved: text,
                kept: None,
            },
            23 => Command::MergeConflicted {
                effect: self.some_effect(),
                files: Vec::new(),
                onto: text,
            },
            24 => Command::CleanedUp {
                effect: self.some_effect(),
                kept: vec![text],
            },
            25 => Command::EffectFailed {
                effect: self.some_effect(),
                reason: text,
            },
            26 => Command::GatesFinished {
                effect: self.some_effect(),
                outcomes: Vec::new(),
            },
            27 => Command::MergePrepared {
                effect: self.some_effect(),
                commit: text.clone(),
                onto: text,
            },
            28 => Command::WorktreePrepared {
                effect: self.some_effect(),
                path: text.clone(),
                commit: text,
                conflict: Vec::new(),
            },
            29 => Command::OverrideGate {
                task,
                gate: "unit".to_owned(),
                reason: text,
                by,
            },
            _ => Command::WorkCommitted {
                effect: self.some_effect(),
                commit: text,
                changes: DiffStat::default(),
                files: Vec::new(),
                missing: vec![by],
            },
        }
    }
}
