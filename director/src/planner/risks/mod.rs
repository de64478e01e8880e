//! What could go wrong with a plan: found in it, never filled in. Where nothing is found, the list is empty.
//!
//! Each rule below looks at one thing and says what would show that the risk has come true (the trigger), what
//! lowers it beforehand (the mitigation), and what to do when it happens (the fallback), with the plan's own numbers.
//!
//! The rules about the team are in `team`, about tasks in `work`, about what is promised in `promise`.
//! Elsewhere: what is unclear rather than risky is [`super::questions`].

mod promise;
mod team;
mod work;

use director_protocols::ids::Name;
use director_protocols::risk::{Fallback, Trigger, Watched};
use director_protocols::sprint::{SprintSpec, TaskSpec};

use super::Plan;

/// How many tasks a sentence names.
const NAMED_MAX: usize = 3;

/// Something that could go wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Risk {
    /// What it is.
    pub risk: String,
    /// What shows that it has come true.
    pub trigger: String,
    /// What lowers it beforehand.
    pub mitigation: String,
    /// What to do when it comes true.
    pub fallback: String,
    /// The tasks that it was found in.
    pub tasks: Vec<u32>,
    /// What the engine watches and does, where it is on the critical path; nothing otherwise.
    pub watch: Option<(Vec<Trigger>, Fallback)>,
}

/// The risks of a plan that are watched while the sprint runs.
pub fn watched(spec: &SprintSpec, plan: &Plan) -> Vec<Watched> {
    let name = |task: &u32| spec.tasks[*task as usize].id.clone();
    let watched = plan.risks.iter().filter_map(|risk| {
        let (on, then) = risk.watch.clone()?;
        Some(Watched {
            risk: risk.risk.clone(),
            fallback: risk.fallback.clone(),
            tasks: risk.tasks.iter().map(name).collect(),
            on,
            then,
        })
    });
    watched.collect()
}

/// All risks of a plan, the path first.
pub fn find(spec: &SprintSpec, plan: &Plan) -> Vec<Risk> {
    let look = Look { spec, plan };
    [
        look.single_agents(),
        look.busy_roles(),
        look.shared_worktree(),
        look.wide_estimates(),
        look.many_waiting(),
        look.reviews_at_the_end(),
        look.no_buffer(),
        look.unmeasured_gates(),
        look.over_target(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

struct Look<'a> {
    spec: &'a SprintSpec,
    plan: &'a Plan,
}

impl Look<'_> {
    fn task(&self, task: u32) -> &TaskSpec {
        &self.spec.tasks[task as usize]
    }

    fn name(&self, task: u32) -> Name {
        self.task(task).id.clone()
    }

    /// A trigger for each task on the critical path.
    fn on_path(&self, tasks: &[u32], trigger: fn(Name) -> Trigger) -> Vec<Trigger> {
        let critical = tasks.iter().filter(|task| self.plan.is_critical(**task));
        critical.map(|task| trigger(self.name(*task))).collect()
    }

    /// Whether the sprint has a last day that its end can be past.
    fn ends(&self) -> bool {
        self.plan.calendar.limit().is_some()
    }

    fn effort(&self, tasks: &[u32]) -> u64 {
        let efforts = tasks.iter().map(|&task| self.plan.durations[task as usize]);
        efforts.fold(0, u64::saturating_add)
    }

    /// `a`, `b`, `c` and 4 more.
    fn names(&self, tasks: &[u32]) -> String {
        let shown: Vec<String> = tasks
            .iter()
            .take(NAMED_MAX)
            .map(|&task| format!("`{}`", self.task(task).id))
            .collect();
        match tasks.len() - shown.len() {
            0 => shown.join(", "),
            more => format!("{} and {more} more", shown.join(", ")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{examples, plan};
    use super::*;
    use director_protocols::sprint::{Check, Estimate, GateSpec};
    use director_protocols::time::Span;

    /// Five tasks of one hour and nothing to worry about: two agents, a buffer, no gates.
    fn calm() -> SprintSpec {
        let mut spec = examples::checkout();
        spec.tasks = ["a", "b", "c", "d", "e"]
            .map(|id| examples::task(id, "feature", "fullstack-engineer", [1, 1, 1], &[]).into())
            .to_vec();
        spec.gates.clear();
        spec.team = vec![examples::role("fullstack-engineer", 2, &[])];
        spec
    }

    fn found(change: impl Fn(&mut SprintSpec)) -> Vec<String> {
        let mut spec = calm();
        change(&mut spec);
        let risks = plan(&spec).unwrap().risks;
        for risk in &risks {
            for text in [&risk.risk, &risk.trigger, &risk.mitigation, &risk.fallback] {
                assert!(!text.is_empty(), "{risk:?}");
            }
        }
        risks.into_iter().map(|risk| risk.risk).collect()
    }

    #[test]
    fn a_calm_sprint_has_no_risks() {
        assert_eq!(found(|_| {}), Vec::<String>::new());
    }

    #[test]
    fn each_risk_is_found_where_it_is_and_says_so_in_numbers() {
        let name = examples::name;
        for (case, risks, expected) in [
            (
                "single agent",
                found(|spec| {
                    spec.team[0].count = 1;
                    spec.tasks[1].depends_on = vec![name("a")];
                }),
                "fullstack-engineer-1 alone carries 2h of the 2h critical path (`a`, `b`)",
            ),
            (
                "busy role",
                found(|spec| {
                    spec.team[0].count = 1;
                    spec.team[0].capacity = Some(Span::minutes(330));
                }),
                "fullstack-engineer is planned for 91 % of its time (5h of 5.5h)",
            ),
            (
                "shared worktree",
                found(|spec| {
                    for task in &mut spec.tasks {
                        task.feature = name("app");
                    }
                }),
                "the tasks of feature `app` take turns in one worktree (5h), \
                 so the sprint takes at least 5h and not 1h",
            ),
            (
                "wide estimate",
                found(|spec| spec.tasks[2].estimate.pessimistic = Span::hours(9)),
                "estimates with a wide spread: `c`; `c`, on the critical path, takes 1h to 9h",
            ),
            (
                "many wait",
                found(|spec| {
                    for task in &mut spec.tasks[1..] {
                        task.depends_on = vec![name("a")];
                    }
                }),
                "4 tasks wait for `a`",
            ),
            (
                "reviews at the end",
                found(|spec| {
                    for at in [3, 4] {
                        spec.tasks[at].kind = "review".to_owned();
                        spec.tasks[at].depends_on = vec![name("a"), name("b"), name("c")];
                    }
                }),
                "2 reviews come after all other work is done and take the last 1h",
            ),
            (
                "no buffer",
                found(|spec| {
                    spec.end = spec.start.clone();
                    for task in &mut spec.tasks[..2] {
                        task.estimate = Estimate::point(Span::minutes(360));
                    }
                }),
                "8h of 8h are planned: only 0h are left before the end",
            ),
            (
                "gate of a task",
                found(|spec| {
                    spec.tasks[0].gates = vec![GateSpec {
                        name: name("docs"),
                        check: Check::NotMeasured {
                            wanted: "a reader".to_owned(),
                        },
                    }];
                }),
                "gate `docs` cannot be measured and will be reported as not measured",
            ),
            (
                "over target",
                found(|spec| spec.velocity_target = Some(3)),
                "5 points are committed, 2 over the target of 3",
            ),
        ] {
            assert!(
                risks.iter().any(|risk| risk == expected),
                "case: {case}: {risks:#?}"
            );
        }
    }

    #[test]
    fn another_role_that_covers_the_work_is_the_fallback() {
        let mut spec = calm();
        spec.team[0].count = 1;
        spec.team.push(examples::role("tech-lead", 1, &["feature"]));
        spec.tasks[1].depends_on = vec![examples::name("a")];
        let risks = plan(&spec).unwrap().risks;
        assert_eq!(
            risks[0].fallback,
            "tech-lead-1 takes over `a`, `b`; its role covers this kind of work"
        );
    }
}
