//! The planner: from a sprint's tasks and team to who does what, when, and what is doubtful about it.
//!
//! ```text
//! spec ─▶ graph ─▶ dispatch order ─▶ schedule within limits ─▶ committed, backlog
//!                                            └─▶ search for a shorter one ─▶ critical path, bound, batches, allocation, risks, questions
//! ```
//!
//! Everything here is a function of the sprint: no clock, no files, no randomness, and the same plan every time.
//! Times are milliseconds of working time from the start of the sprint; tasks are numbered as the file lists them.
//!
//! The critical path, the bound, the batches and the allocation are about what is committed.
//!
//! Elsewhere: what people and programs read is [`crate::report::plan`].

mod adjacency;
pub mod allocation;
pub mod batches;
pub mod bounds;
pub mod calendar;
pub mod clarify;
pub mod commit;
mod crew;
pub mod critical_path;
pub mod epic;
#[cfg(test)]
pub(crate) mod examples;
pub mod graph;
pub mod guess;
pub mod improve;
mod jobs;
pub mod network;
pub mod outlook;
pub mod policy;
pub mod questions;
pub mod replan;
pub mod risks;
pub mod robust;
pub mod schedule;
pub mod search;
mod shorten;
mod timeline;

use std::collections::BTreeMap;

use director_protocols::ids::Name;
use director_protocols::sprint::{Priority, SprintSpec, TaskSpec};

use self::allocation::Allocation;
use self::batches::Batch;
use self::bounds::Bound;
use self::calendar::Calendar;
use self::commit::Commitment;
use self::critical_path::CriticalPath;
use self::graph::Graph;
use self::questions::Question;
use self::risks::Risk;
use self::robust::Certainty;
use self::schedule::{Resources, Schedule};
use self::shorten::Given;

/// Why a sprint cannot be planned.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// Tasks that wait for each other.
    #[error(
        "tasks wait for each other: {}; remove one of these from `depends_on`",
        round(tasks)
    )]
    Cycle {
        /// The cycle in the direction of the work; the first waits for the last.
        tasks: Vec<Name>,
    },
    /// A dependency that is not in the sprint.
    #[error(
        "task `{task}` depends on `{dependency}`, which is no task of this sprint; add it or take it out of `depends_on`"
    )]
    UnknownDependency {
        /// The task that waits.
        task: Name,
        /// What it waits for.
        dependency: Name,
    },
    /// Two tasks of one name.
    #[error("two tasks are called `{task}`; rename one")]
    DuplicateTask {
        /// The name.
        task: Name,
    },
    /// A task that nobody can do.
    #[error(
        "task `{task}` needs role `{role}`, which has no agents; add it under `team` or give the task another role"
    )]
    NoAgent {
        /// The task.
        task: Name,
        /// Its role.
        role: Name,
    },
    /// More tasks than can be numbered.
    #[error("{tasks} tasks are too many for one sprint; split it")]
    TooManyTasks {
        /// How many.
        tasks: usize,
    },
}

/// How many tasks of a cycle an error shows before it leaves some out.
const CYCLE_SHOWN: usize = 12;

/// `a → b → … → a`.
fn round(tasks: &[Name]) -> String {
    let mut names: Vec<&str> = tasks.iter().take(CYCLE_SHOWN).map(Name::as_str).collect();
    let left_out = tasks.len() - names.len();
    let more = format!("… {left_out} more …");
    if left_out > 0 {
        names.push(&more);
    }
    names.extend(tasks.first().map(Name::as_str));
    names.join(" → ")
}

/// A sprint's plan. Tables are by task, in file order; times in milliseconds of working time from the start.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// What waits for what.
    pub graph: Graph,
    /// The expected effort of each task, which is also how long it takes one agent.
    pub durations: Vec<u64>,
    /// The order in which work is handed out: each task after all that it waits for, the backlog included.
    pub order: Vec<u32>,
    /// What tasks compete for: roles as the team lists them, features by first appearance.
    pub resources: Resources,
    /// Working days.
    pub calendar: Calendar,
    /// Who does what, and when.
    pub schedule: Schedule,
    /// What is promised, and what is not.
    pub commitment: Commitment,
    /// Slack and the critical path, by dependencies alone.
    pub critical: CriticalPath,
    /// What no schedule can beat, by one cause alone.
    pub bound: Bound,
    /// What no schedule can beat by all causes together, in milliseconds; at least the bound.
    pub floor: u64,
    /// What can go on at the same time.
    pub batches: Vec<Batch>,
    /// The work of each agent, as the team lists them.
    pub allocation: Vec<Allocation>,
    /// What could go wrong.
    pub risks: Vec<Risk>,
    /// What is unclear before the start.
    pub questions: Vec<Question>,
    /// How certain the finish is, where it was planned by that.
    pub certainty: Option<Certainty>,
}

impl Plan {
    /// By how much the schedule is longer than its floor, as a share: 0.05 is five percent, and the best schedule lies between.
    ///
    /// Where a sprint has urgent work, part of it is the price of doing that first.
    pub fn gap(&self) -> f64 {
        match self.floor {
            0 => 0.0,
            bound => self.schedule.makespan as f64 / bound as f64 - 1.0,
        }
    }

    /// Whether no schedule of the committed tasks can be shorter.
    pub fn is_proven(&self) -> bool {
        self.schedule.makespan <= self.floor
    }

    /// Whether `task` is committed and any slip of it moves the end.
    pub fn is_critical(&self, task: u32) -> bool {
        self.schedule.slot(task).is_some() && self.critical.is_critical(task)
    }
}

/// The name of an agent: its role and which one it is, from 1.
pub fn agent_name(role: &Name, instance: u32) -> String {
    format!("{role}-{instance}")
}

/// What a sprint promises and what goes to the backlog, and how long the list schedule is in milliseconds: as much of [`plan`] as
/// running it needs.
///
/// # Errors
/// As [`plan`].
pub fn commitment(spec: &SprintSpec) -> Result<(Commitment, u64), PlanError> {
    let draft = Draft::of(spec)?;
    Ok((draft.commitment, draft.schedule.makespan))
}

/// The part of a plan that all the rest is about.
struct Draft {
    graph: Graph,
    resources: Resources,
    calendar: Calendar,
    durations: Vec<u64>,
    order: Vec<u32>,
    schedule: Schedule,
    commitment: Commitment,
}

impl Draft {
    fn of(spec: &SprintSpec) -> Result<Self, PlanError> {
        let graph = Graph::of_tasks(&spec.tasks)?;
        let resources = resources(spec)?;
        let calendar = Calendar::of(spec);
        let limits = commit::limits(spec, &calendar);
        let durations: Vec<u64> = spec.tasks.iter().map(|task| expected(task)).collect();
        let priorities: Vec<Priority> = spec.tasks.iter().map(|task| task.priority).collect();
        let remaining = CriticalPath::compute(&graph, &durations).remaining;
        let order = schedule::dispatch_order(&graph, &priorities, &remaining);
        let schedule = schedule::schedule(&graph, &resources, &durations, &order, &limits);
        let commitment = commit::commitment(spec, &durations, &order, &schedule, &calendar);
        Ok(Self {
            graph,
            resources,
            calendar,
            durations,
            order,
            schedule,
            commitment,
        })
    }

    /// Puts a shorter schedule with the same promises in place, if one is found. No schedule is shorter than what it gives.
    fn shorten(&mut self, spec: &SprintSpec, by: shorten::By) -> u64 {
        let priorities: Vec<Priority> = spec.tasks.iter().map(|task| task.priority).collect();
        let given = Given {
            graph: &self.graph,
            resources: &self.resources,
            durations: &self.durations,
            priorities: &priorities,
            limits: &commit::limits(spec, &self.calendar),
            order: &self.order,
            schedule: &self.schedule,
        };
        let shortened = shorten::shorten(&given, by);
        (self.order, self.schedule) = (shortened.order, shortened.schedule);
        self.commitment = commit::commitment(
            spec,
            &self.durations,
            &self.order,
            &self.schedule,
            &self.calendar,
        );
        shortened.bound
    }
}

/// Plans a sprint.
///
/// # Errors
/// [`PlanError`] when no plan can be made: a cycle, an unknown dependency, a name twice, a role without agents.
pub fn plan(spec: &SprintSpec) -> Result<Plan, PlanError> {
    let mut draft = Draft::of(spec)?;
    let together = draft.shorten(spec, shorten::By::Search);
    Ok(Plan::of(spec, draft, together))
}

/// The plan as the list alone makes it, the most urgent and then the longest way to the end first: what a search has to beat.
///
/// # Errors
/// As [`plan`].
pub fn listed(spec: &SprintSpec) -> Result<Plan, PlanError> {
    let mut draft = Draft::of(spec)?;
    let together = draft.shorten(spec, shorten::By::List);
    Ok(Plan::of(spec, draft, together))
}

impl Plan {
    /// All that follows from a draft; no schedule is shorter than `together`.
    fn of(spec: &SprintSpec, draft: Draft, together: u64) -> Self {
        let Draft {
            graph,
            resources,
            calendar,
            durations,
            order,
            schedule,
            commitment,
        } = draft;

        // What is in the backlog takes no time here. All that waits for it is there too, so it hangs at the end
        // of the graph and changes nothing for the rest; only the path must not lead into it.
        let committed: Vec<u64> = (0..)
            .zip(&durations)
            .map(|(task, &length)| schedule.slot(task).map_or(0, |_| length))
            .collect();
        let mut critical = CriticalPath::compute(&graph, &committed);
        critical.path.retain(|&task| schedule.slot(task).is_some());
        let bound = bounds::lower_bound(&graph, &resources, &committed, &critical);
        let floor = together.max(bound.length);
        let batches = batches::batches(&graph, &resources, &schedule, &calendar);
        let allocation = allocation::allocation(spec, &resources, &schedule, &calendar);
        let mut plan = Plan {
            graph,
            durations,
            order,
            resources,
            calendar,
            schedule,
            commitment,
            critical,
            bound,
            floor,
            batches,
            allocation,
            risks: Vec::new(),
            questions: Vec::new(),
            certainty: None,
        };
        plan.risks = risks::find(spec, &plan);
        plan.questions = questions::find(spec);
        plan
    }
}

/// The PERT mean in milliseconds, in numbers wide enough for any estimate.
fn expected(task: &TaskSpec) -> u64 {
    let estimate = &task.estimate;
    let [low, likely, high] =
        [estimate.optimistic, estimate.likely, estimate.pessimistic].map(|span| u128::from(span.0));
    u64::try_from((low + 4 * likely + high) / 6).unwrap_or(u64::MAX)
}

fn resources(spec: &SprintSpec) -> Result<Resources, PlanError> {
    let mut roles: BTreeMap<&Name, u32> = BTreeMap::new();
    for (place, role) in (0..).zip(&spec.team) {
        if role.count > 0 {
            roles.entry(&role.name).or_insert(place);
        }
    }
    let mut features: BTreeMap<&Name, u32> = BTreeMap::new();
    let mut role_of = Vec::with_capacity(spec.tasks.len());
    let mut feature_of = Vec::with_capacity(spec.tasks.len());
    for task in &spec.tasks {
        let role = roles.get(&task.role).ok_or_else(|| PlanError::NoAgent {
            task: task.id.clone(),
            role: task.role.clone(),
        })?;
        role_of.push(*role);
        let next = features.len() as u32;
        feature_of.push(*features.entry(&task.feature).or_insert(next));
    }
    Ok(Resources {
        role_of,
        feature_of,
        agents: spec.team.iter().map(|role| role.count).collect(),
        features: features.len() as u32,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> Name {
        Name::new(text).unwrap()
    }

    #[test]
    fn a_sprint_that_cannot_be_planned_says_why_and_what_to_do() {
        let broken = |change: &dyn Fn(&mut SprintSpec)| {
            let mut spec = examples::checkout();
            change(&mut spec);
            plan(&spec).map(|_| ()).unwrap_err().to_string()
        };
        for (case, found, expected) in [
            (
                "cycle",
                broken(&|spec| spec.tasks[0].depends_on.push(name("release-notes"))),
                "tasks wait for each other: checkout-spec → docs → release-notes → checkout-spec; \
                 remove one of these from `depends_on`",
            ),
            (
                "unknown",
                broken(&|spec| spec.tasks[0].depends_on.push(name("ghost"))),
                "task `checkout-spec` depends on `ghost`, which is no task of this sprint; \
                 add it or take it out of `depends_on`",
            ),
            (
                "twice",
                broken(&|spec| spec.tasks[1].id = name("checkout-spec")),
                "two tasks are called `checkout-spec`; rename one",
            ),
            (
                "nobody",
                broken(&|spec| spec.team.retain(|role| role.name.as_str() != "tech-lead")),
                "task `checkout-spec` needs role `tech-lead`, which has no agents; \
                 add it under `team` or give the task another role",
            ),
        ] {
            assert_eq!(found, expected, "case: {case}");
        }
    }

    #[test]
    fn a_long_cycle_is_cut_where_it_is_shown() {
        let tasks: Vec<Name> = (0..40).map(|n| name(&format!("t{n}"))).collect();
        let text = PlanError::Cycle { tasks }.to_string();
        assert!(text.contains("t11 → … 28 more … → t0"), "{text}");
    }

    #[test]
    fn the_same_sprint_has_the_same_plan() {
        let spec = examples::checkout();
        assert_eq!(plan(&spec), plan(&spec));
    }

    #[test]
    fn a_sprint_without_tasks_or_with_absurd_estimates_still_has_a_plan() {
        let mut spec = examples::checkout();
        for task in &mut spec.tasks {
            task.estimate.pessimistic.0 = u64::MAX;
            task.estimate.likely.0 = u64::MAX;
        }
        assert!(plan(&spec).is_ok());
        spec.tasks.clear();
        let empty = plan(&spec).unwrap();
        assert_eq!((empty.schedule.makespan, empty.batches.len()), (0, 0));
    }

    /// Prints how long plans of the largest size take; run it with optimization.
    #[test]
    #[ignore = "a measurement"]
    fn time_of_the_largest_plans() {
        let timed = |what: &str, run: &mut dyn FnMut()| {
            let start = std::time::Instant::now();
            run();
            println!("{what}: {:?}", start.elapsed());
        };
        let len = 1_000_000_u32;
        // Two dependencies each, up to a thousand tasks back, by a multiplicative generator.
        let mut seed = 1_u64;
        let mut below = |most: u32| {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (seed >> 33) as u32 % most
        };
        let edges: Vec<(u32, u32)> = (1..len)
            .flat_map(|to| [to, to])
            .map(|to| (to - 1 - below(to.min(1000)), to))
            .collect();
        let durations: Vec<u64> = (0..len).map(|_| u64::from(below(100))).collect();
        let mut graph = None;
        timed("graph, 1M tasks, 2M edges", &mut || {
            graph = Graph::new(len, &edges).ok();
        });
        let graph = graph.unwrap();
        timed("critical path, 1M tasks, 2M edges", &mut || {
            assert!(CriticalPath::compute(&graph, &durations).makespan > 0);
        });
        for agents in [10, 1000] {
            let mut spec = examples::checkout();
            let example = spec.tasks[5].clone();
            spec.team = vec![examples::role("fullstack-engineer", agents, &[])];
            (spec.start, spec.end) = (None, None);
            spec.tasks = (0..100_000_u32)
                .map(|n| {
                    let mut task = example.clone();
                    task.id = name(&format!("t{n}"));
                    task.feature = name(&format!("f{}", n / 5));
                    task.estimate.likely.0 += u64::from(below(10_000_000));
                    task.depends_on = match n {
                        0..100 => Vec::new(),
                        _ => (0..2)
                            .map(|_| name(&format!("t{}", n - 1 - below(n.min(5000)))))
                            .collect(),
                    };
                    task
                })
                .collect();
            let mut found = None;
            timed(&format!("plan, 100k tasks, {agents} agents"), &mut || {
                found = plan(&spec).ok();
            });
            let found = found.unwrap();
            println!(
                "makespan {} bound {}",
                commit::hours(found.schedule.makespan),
                commit::hours(found.bound.length)
            );
            for (what, render) in [
                (
                    "markdown",
                    crate::report::plan::markdown as fn(&SprintSpec, &Plan) -> String,
                ),
                ("json", crate::report::plan::json),
                ("svg", crate::report::plan::svg),
            ] {
                timed(what, &mut || {
                    assert!(!render(&spec, &found).is_empty());
                });
            }
        }
    }
}
