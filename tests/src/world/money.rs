//! Money in the world: sprints with budgets, agents that spend, and the promise about both, recounted from the journal alone.

use std::collections::BTreeMap;

use director::engine::budgets::COST_MAX;
use director::simulate::rest::spec_of;
use director_protocols::command::Command;
use director_protocols::event::{BudgetsChanged, Event, Purse};
use director_protocols::ids::{AgentId, Attempt, SprintId, TaskId};
use director_protocols::sprint::{Spending, SprintSpec, Window};
use director_protocols::time::{Span, Time};
use director_protocols::work::AttemptEnd;

use super::World;
use super::oracle::{Broken, events};

const DOLLAR: u64 = 1_000_000;

/// Limits what some sprints, their agents and their tasks may spend.
pub(super) fn limit(spec: &mut SprintSpec, seed: u64) {
    let tasks = spec.tasks.len() as u64;
    let policy = &mut spec.policy;
    if seed.is_multiple_of(8) {
        policy.budget.cost_micros = Some(DOLLAR * (2 + tasks / 2));
        policy.budget.warn_micros = Some(DOLLAR * (1 + tasks / 4));
        policy.budget.expected_micros = Some(DOLLAR);
    }
    if seed % 8 == 1 {
        policy.budget.expected_micros = Some(DOLLAR / 2);
        policy.window = Some(Window {
            within: Span::hours(3),
            cost_micros: DOLLAR * 3,
        });
    }
    if seed % 6 == 1 {
        policy.budget.attempt_micros = Some(DOLLAR * 3);
    }
    if seed % 10 == 1 {
        spec.team[0].budget = Spending {
            cost_micros: Some(DOLLAR * 4),
            expected_micros: Some(DOLLAR),
            ..Spending::default()
        };
    }
    if seed % 7 == 1 {
        for task in spec.tasks.iter_mut().step_by(3) {
            task.budget.spending = Some(Box::new(Spending {
                cost_micros: Some(DOLLAR * 2),
                ..Spending::default()
            }));
        }
    }
}

impl World {
    /// What an attempt comes to have cost: mostly less than two dollars, sometimes nothing.
    pub(super) fn some_cost(&mut self) -> u64 {
        match self.below(4) {
            0 => 0,
            _ => self.below(2_000_000) as u64,
        }
    }

    /// An attempt says that it has spent what it might, if that was limited.
    pub(super) fn spends_all(&mut self, task: TaskId, attempt: Attempt) {
        let row = self.engine.state().budgets.reserved.get(&task);
        if let Some(most) = row.and_then(|row| row.most) {
            // Late, it is refused.
            let _ = self.tell(Command::Spent {
                task,
                attempt,
                cost_micros: most,
            });
        }
    }

    /// The sprint as it is, with other money in its file: higher, lower, or none.
    fn another_file(&mut self, sprint: SprintId) -> Option<SprintSpec> {
        let mut spec = spec_of(self.engine.state(), sprint)?;
        let some = |world: &mut Self| match world.below(4) {
            0 => None,
            _ => Some(DOLLAR * world.below(12) as u64),
        };
        spec.policy.budget.cost_micros = some(self);
        spec.policy.budget.warn_micros = some(self);
        for role in &mut spec.team {
            if self.below(3) == 0 {
                role.budget.cost_micros = some(self);
            }
        }
        // What a shorter window has forgotten it does not know as a longer one.
        if let Some(window) = &mut spec.policy.window {
            window.cost_micros = DOLLAR * (1 + self.below(6) as u64);
        }
        Some(spec)
    }

    /// Another limit for some budget, higher or lower.
    pub(super) fn some_limit(&mut self) -> Command {
        let state = self.engine.state();
        let (sprints, tasks, agents) = (
            state.sprints.table.len(),
            state.tasks.table.len(),
            state.team.agents.len(),
        );
        let sprint_id = SprintId(self.below(sprints) as u32);
        if self.below(4) == 0
            && let Some(spec) = self.another_file(sprint_id)
        {
            return Command::Replan {
                sprint: sprint_id,
                spec: Box::new(spec),
                by: "tester".to_owned(),
            };
        }
        let purse = match self.below(4) {
            0 => Purse::Task {
                task_id: TaskId(self.below(tasks) as u32),
            },
            1 => Purse::Agent {
                sprint_id,
                agent_id: AgentId(self.below(agents) as u32),
            },
            2 => Purse::Window { sprint_id },
            _ => Purse::Sprint { sprint_id },
        };
        Command::SetBudget {
            purse,
            limit_micros: DOLLAR * self.below(12) as u64,
            by: "tester".to_owned(),
        }
    }
}

/// An attempt in hand, as a reader of the journal sees it.
struct Hand {
    agent: AgentId,
    reserved: u64,
    spent: u64,
}

/// What a reader of the journal knows of the money.
struct Books<'w> {
    world: &'w World,
    /// What the files of the sprints say now.
    files: BTreeMap<SprintId, SprintSpec>,
    limits: BTreeMap<Purse, u64>,
    hands: BTreeMap<TaskId, Hand>,
    spent: BTreeMap<Purse, u64>,
    charges: Vec<(Time, SprintId, u64)>,
}

/// What is set aside and spent together is within every hard limit when work is handed out.
pub(super) fn budgets_hold(world: &World) -> Broken {
    let mut books = Books {
        world,
        files: BTreeMap::new(),
        limits: BTreeMap::new(),
        hands: BTreeMap::new(),
        spent: BTreeMap::new(),
        charges: Vec::new(),
    };
    for (now, event) in events(world) {
        match event {
            Event::TaskAssigned(e) => {
                let hand = Hand {
                    agent: e.agent_id,
                    reserved: 0,
                    spent: 0,
                };
                books.hands.insert(e.task_id, hand);
            }
            Event::CostReserved(e) => {
                let hand = books.hands.get_mut(&e.task_id)?;
                hand.reserved = e.reserved_micros;
                let broken = books.broken(e.task_id, now);
                if broken.is_some() {
                    return broken;
                }
            }
            Event::CostSpent(e) => books.charge(e.task_id, e.cost_micros, now),
            Event::AttemptEnded(e) => {
                if let AttemptEnd::Done(report) = &e.end {
                    books.charge(e.task_id, report.cost_micros.min(COST_MAX), now);
                }
                books.hands.remove(&e.task_id);
            }
            Event::BudgetRaised(e) => drop(books.limits.insert(e.purse, e.limit_micros)),
            Event::SprintSubmitted(e) => {
                books.files.insert(e.sprint_id, SprintSpec::clone(&e.spec));
            }
            Event::BudgetsChanged(e) => books.other_file(e),
            _ => {}
        }
    }
    let state = world.engine.state();
    if let Some((purse, hold)) = state.budgets.holds.iter().next() {
        return Some(format!("at the end {purse:?} is waited for: {hold:?}"));
    }
    let mut sums = state.budgets.sums.iter();
    sums.find_map(|(purse, sums)| {
        let spent = books.spent.get(purse).copied().unwrap_or_default();
        (sums.spent != spent).then(|| {
            format!(
                "{purse:?} has {} spent, the journal says {spent}",
                sums.spent
            )
        })
    })
}

impl Books<'_> {
    fn purses(&self, task: TaskId, agent_id: AgentId) -> [Purse; 3] {
        let sprint_id = self.world.engine.state().tasks.table[task.index()].sprint;
        [
            Purse::Task { task_id: task },
            Purse::Agent {
                sprint_id,
                agent_id,
            },
            Purse::Sprint { sprint_id },
        ]
    }

    /// The file says something else: where that is so of a hard limit, what somebody has said of it is over.
    fn other_file(&mut self, e: &BudgetsChanged) {
        let sprint_id = e.sprint_id;
        let before = self.files[&sprint_id].clone();
        let file = self.files.get_mut(&sprint_id).expect("it was submitted");
        (file.policy.budget, file.policy.window) = (e.budget, e.window);
        for row in &e.roles {
            let mut team = file.team.iter_mut();
            let role = team.find(|role| role.name == row.role).expect("a role");
            role.budget = row.budget;
        }
        let set: Vec<Purse> = self.limits.keys().copied().collect();
        for purse in set {
            let of_sprint = match purse {
                Purse::Task { .. } => false,
                Purse::Agent { sprint_id: of, .. }
                | Purse::Sprint { sprint_id: of }
                | Purse::Window { sprint_id: of } => of == sprint_id,
            };
            if of_sprint
                && self.written(&before, purse) != self.written(&self.files[&sprint_id], purse)
            {
                self.limits.remove(&purse);
            }
        }
    }

    /// The hard limit as a file has it.
    fn written(&self, file: &SprintSpec, purse: Purse) -> Option<u64> {
        let state = self.world.engine.state();
        match purse {
            // Nothing in this world changes those of tasks.
            Purse::Task { task_id } => {
                let row = &state.tasks.table[task_id.index()];
                row.spec.budget.spending().cost_micros
            }
            Purse::Agent { agent_id, .. } => {
                let role = &state.team.role_of(agent_id)?.spec.name;
                let mut roles = file.team.iter();
                roles.find(|spec| spec.name == *role)?.budget.cost_micros
            }
            Purse::Sprint { .. } => file.policy.budget.cost_micros,
            Purse::Window { .. } => file.policy.window.map(|it| it.cost_micros),
        }
    }

    /// The hard limit as the file has it, or as somebody set it since.
    fn limit(&self, purse: Purse) -> Option<u64> {
        let sprint_id = match purse {
            Purse::Task { task_id } => {
                self.world.engine.state().tasks.table[task_id.index()].sprint
            }
            Purse::Agent { sprint_id, .. }
            | Purse::Sprint { sprint_id }
            | Purse::Window { sprint_id } => sprint_id,
        };
        let set = self.limits.get(&purse).copied();
        set.or_else(|| self.written(&self.files[&sprint_id], purse))
    }

    fn charge(&mut self, task: TaskId, total: u64, now: Time) {
        let Some(hand) = self.hands.get_mut(&task) else {
            return;
        };
        let more = total.saturating_sub(hand.spent);
        hand.spent += more;
        let agent = hand.agent;
        let sprint = self.world.engine.state().tasks.table[task.index()].sprint;
        for purse in self.purses(task, agent) {
            *self.spent.entry(purse).or_default() += more;
        }
        self.charges.push((now, sprint, more));
    }

    /// The budget that the attempt that was just handed out goes beyond.
    fn broken(&self, task: TaskId, now: Time) -> Broken {
        let sprint_id = self.world.engine.state().tasks.table[task.index()].sprint;
        let agent = self.hands.get(&task)?.agent;
        let window = Purse::Window { sprint_id };
        let purses = self.purses(task, agent).into_iter().chain([window]);
        purses.into_iter().find_map(|purse| {
            let hard = self.limit(purse)?;
            let counts = |task: TaskId, agent: AgentId| match purse {
                Purse::Window { sprint_id } => self
                    .purses(task, agent)
                    .contains(&Purse::Sprint { sprint_id }),
                purse => self.purses(task, agent).contains(&purse),
            };
            let in_hand = self.hands.iter();
            let reserved: u64 = in_hand
                .filter(|(task, hand)| counts(**task, hand.agent))
                .map(|(_, hand)| hand.reserved.saturating_sub(hand.spent))
                .sum();
            let spent = match purse {
                Purse::Window { sprint_id } => self.in_window(sprint_id, now),
                purse => self.spent.get(&purse).copied().unwrap_or_default(),
            };
            (spent + reserved > hard).then(|| {
                format!(
                    "task {task} was handed out when {purse:?} had {spent} spent and {reserved} set aside, more than {hard}"
                )
            })
        })
    }

    fn in_window(&self, sprint: SprintId, now: Time) -> u64 {
        let spec = &self.world.engine.state().sprints.table[sprint.index()].spec;
        let within = spec
            .policy
            .window
            .map_or(Span::ZERO, |window| window.within);
        let charges = self.charges.iter();
        charges
            .filter(|(at, of, _)| *of == sprint && now.since(*at) < within)
            .map(|(_, _, micros)| micros)
            .sum()
    }
}
