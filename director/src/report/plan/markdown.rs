//! The plan for people, in the shape of a sprint initialization report.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use director_protocols::sprint::{Check, Class, Judge, SprintSpec};

use crate::planner::bounds::Limiting;
use crate::planner::commit::{self, hours, plural};
use crate::planner::{Plan, agent_name};
use crate::report::text;
use crate::view::some;

/// How much of a title a line shows, in characters.
const TITLE_MAX: usize = 120;
/// How many tasks a risk names as where it was found.
const FOUND_IN_MAX: usize = 8;
/// How many of the tasks with the least slack are listed beside the path.
const CLOSE_MAX: usize = 5;

/// The *Sprint Initialization Report* as Markdown.
pub fn markdown(spec: &SprintSpec, plan: &Plan) -> String {
    let mut page = Page {
        spec,
        plan,
        out: String::new(),
    };
    page.overview();
    page.breakdown();
    page.allocation();
    page.critical_path();
    page.backlog();
    page.gates();
    page.risks();
    page.questions();
    page.out
}

struct Page<'a> {
    spec: &'a SprintSpec,
    plan: &'a Plan,
    out: String,
}

impl Page<'_> {
    fn line(&mut self, line: &str) {
        self.out.push_str(line);
        self.out.push('\n');
    }

    fn section(&mut self, title: &str) {
        let _ = write!(self.out, "\n## {title}\n");
    }

    fn id(&self, task: u32) -> &str {
        self.spec.tasks[task as usize].id.as_str()
    }

    fn agent(&self, task: u32) -> String {
        let role = &self.spec.tasks[task as usize].role;
        match self.plan.schedule.slot(task) {
            Some(slot) => agent_name(role, slot.instance),
            None => role.to_string(),
        }
    }

    fn title(&self, task: u32) -> String {
        text::markdown(&text::short(
            &self.spec.tasks[task as usize].title,
            TITLE_MAX,
        ))
    }

    fn names(&self, tasks: &[u32]) -> Vec<String> {
        tasks.iter().map(|&task| self.id(task).to_owned()).collect()
    }

    fn ids(&self, tasks: &[u32], between: &str) -> String {
        let ids: Vec<&str> = tasks.iter().map(|&task| self.id(task)).collect();
        ids.join(between)
    }

    fn overview(&mut self) {
        let (spec, plan) = (self.spec, self.plan);
        let (committed, backlog) = (&plan.commitment.committed, &plan.commitment.backlog);
        let date = |written: &Option<String>| written.as_deref().map(text::markdown);
        let duration = match (date(&spec.start), date(&spec.end)) {
            (Some(start), Some(end)) => format!("{start} to {end}"),
            (Some(start), None) => format!("from {start}"),
            (None, Some(end)) => format!("until {end}"),
            (None, None) => "no dates".to_owned(),
        };
        let days = match plan.calendar.days {
            Some(days) => format!(
                " ({} of {})",
                plural(days, "working day"),
                hours(plan.calendar.day)
            ),
            None => String::new(),
        };
        let points: u64 = spec.tasks.iter().map(|task| u64::from(task.points)).sum();
        let promised: u64 = committed
            .iter()
            .map(|&task| u64::from(spec.tasks[task as usize].points))
            .sum();
        let _ = writeln!(self.out, "# Sprint {} Initialization\n", spec.id);
        self.line("## Overview");
        let epic = spec
            .epic
            .as_deref()
            .map_or("none".to_owned(), text::markdown);
        self.line(&format!("- Epic: {epic}"));
        self.line(&format!("- Duration: {duration}{days}"));
        self.line(&format!("- Total Tasks: {}", spec.tasks.len()));
        self.line(&format!("- Total Story Points: {points}"));
        let target = match spec.velocity_target {
            Some(target) => format!(", the target is {target}"),
            None => String::new(),
        };
        self.line(&format!(
            "- Committed: {}, {}{target}; backlog: {}",
            plural(committed.len() as u64, "task"),
            plural(promised, "point"),
            plural(backlog.len() as u64, "task"),
        ));
        self.shares();
        let end = plan.calendar.day_of_finish(plan.schedule.makespan);
        let on = plan.calendar.date(end).map(|date| format!(", {date}"));
        self.line(&format!(
            "- Forecast: {} of working time, done on day {end}{}",
            hours(plan.schedule.makespan),
            on.unwrap_or_default(),
        ));
        let by = match plan.bound.by {
            _ if plan.floor > plan.bound.length => "dependencies and the team together".to_owned(),
            Limiting::Path => "the critical path".to_owned(),
            Limiting::Role(role) => format!("the work of {}", spec.team[role as usize].name),
            Limiting::Feature(feature) => {
                match plan.resources.feature_of.iter().position(|&f| f == feature) {
                    Some(task) => format!("the worktree of feature {}", spec.tasks[task].feature),
                    None => "a worktree".to_owned(),
                }
            }
        };
        self.line(&format!(
            "- Lower Bound: {}, set by {by}; {}",
            hours(plan.floor),
            match plan.is_proven() {
                true => "no plan for this team is shorter".to_owned(),
                false => format!(
                    "this plan is at most {:.1} % longer than the best",
                    plan.gap() * 100.0
                ),
            }
        ));
        if let Some(certainty) = &plan.certainty {
            let at = |per_mille| hours(certainty.after.quantile(per_mille));
            let before = hours(certainty.before.quantile(850));
            self.line(&format!(
                "- Certainty: 50 % by {}, 85 % by {}, 95 % by {} of working time if nothing fails; \
                 in the order that is expected to finish first, 85 % by {before}",
                at(500),
                at(850),
                at(950),
            ));
        }
    }

    /// What each class of work has, of what it may have.
    fn shares(&mut self) {
        let (spec, plan) = (self.spec, self.plan);
        if spec.policy.shares == [None; 3] {
            return;
        }
        let whole = commit::whole(spec, &plan.calendar);
        let of_class = Class::ALL.into_iter().zip(spec.policy.shares);
        let parts = of_class.map(|(class, share)| {
            let committed = plan.commitment.committed.iter();
            let ours = committed.filter(|task| spec.tasks[**task as usize].class == class);
            let planned: u64 = ours.map(|task| plan.durations[*task as usize]).sum();
            let most = match (share, whole) {
                (Some(share), Some(whole)) => format!(
                    " of {} ({} %)",
                    hours(
                        u64::try_from(u128::from(whole) * u128::from(share) / 1000)
                            .unwrap_or(u64::MAX)
                    ),
                    f64::from(share) / 10.0
                ),
                (Some(_), None) => {
                    " (its share limits nothing: neither capacity nor the end is written)"
                        .to_owned()
                }
                (None, _) => String::new(),
            };
            format!("{} {}{most}", class.as_str(), hours(planned))
        });
        let parts: Vec<String> = parts.collect();
        self.line(&format!("- Shares: {}", parts.join(", ")));
    }

    fn breakdown(&mut self) {
        self.section("Task Breakdown");
        if self.plan.batches.is_empty() {
            self.line("none");
        }
        let (mut parallel, mut sequential) = (0, 0);
        let phases = self
            .plan
            .batches
            .iter()
            .filter(|batch| batch.sequential)
            .count();
        for (place, batch) in self.plan.batches.iter().enumerate() {
            let name = match (batch.sequential, phases) {
                (true, 1) => "Sequential Phase".to_owned(),
                (true, _) => {
                    sequential += 1;
                    format!("Sequential Phase {sequential}")
                }
                (false, _) => {
                    parallel += 1;
                    format!("Parallel Batch {parallel}")
                }
            };
            let days = match batch.days {
                (first, last) if first == last => format!("Day {first}"),
                (first, last) => format!("Day {first}-{last}"),
            };
            let space = if place == 0 { "" } else { "\n" };
            self.line(&format!("{space}### {name} ({days})"));
            for &task in &batch.tasks {
                let line = format!(
                    "- {}: {} - {}",
                    self.agent(task),
                    self.id(task),
                    self.title(task)
                );
                self.line(&line);
            }
        }
    }

    fn allocation(&mut self) {
        self.section("Resource Allocation");
        let mut idle = Vec::new();
        for share in &self.plan.allocation {
            let agent = agent_name(&self.spec.team[share.role as usize].name, share.instance);
            if share.tasks.is_empty() {
                idle.push(agent);
                continue;
            }
            self.line(&format!(
                "- {agent}: {}, {} estimated ({:.0} % of {})",
                plural(share.tasks.len() as u64, "task"),
                hours(share.allocated),
                share.utilization * 100.0,
                hours(share.available),
            ));
        }
        if !idle.is_empty() {
            self.line(&format!("- without work: {}", idle.join(", ")));
        }
    }

    fn critical_path(&mut self) {
        self.section("Critical Path");
        let plan = self.plan;
        if plan.critical.path.is_empty() {
            self.line("none");
            return;
        }
        let path = self.ids(&plan.critical.path, " → ");
        self.line(&path);
        self.line("");
        self.line(&format!(
            "- Length: {} by dependencies alone, {} with this team and its worktrees",
            hours(plan.critical.makespan),
            hours(plan.schedule.makespan)
        ));
        let mut close: Vec<u32> = plan.commitment.committed.clone();
        let path: BTreeSet<u32> = plan.critical.path.iter().copied().collect();
        close.retain(|task| !path.contains(task));
        close.sort_by_key(|&task| (plan.critical.total_slack[task as usize], task));
        close.truncate(CLOSE_MAX);
        let slack: Vec<String> = close
            .iter()
            .map(|&task| {
                let slack = plan.critical.total_slack[task as usize];
                format!("{} {}", self.id(task), hours(slack))
            })
            .collect();
        if !slack.is_empty() {
            self.line(&format!("- Least slack beside it: {}", slack.join(", ")));
        }
    }

    fn backlog(&mut self) {
        if self.plan.commitment.backlog.is_empty() {
            return;
        }
        self.section("Backlog");
        for deferred in &self.plan.commitment.backlog {
            let line = format!("- {}: {}", self.id(deferred.task), deferred.reason);
            self.line(&line);
        }
    }

    fn gates(&mut self) {
        self.section("Quality Gates");
        if self.spec.gates.is_empty() {
            self.line("none");
        }
        for gate in &self.spec.gates {
            let how = match &gate.check {
                Check::Command { run, .. } => {
                    text::markdown(&text::short(&run.to_string(), TITLE_MAX))
                }
                Check::Coverage { least, .. } => format!(
                    "at least {}.{:02} % of the lines, by the file that a command leaves behind",
                    least / 100,
                    least % 100
                ),
                Check::Judge { by, rounds_max } => {
                    let who = match by {
                        Judge::Role { role, .. } => role.as_str(),
                        Judge::Person => "a person",
                    };
                    format!(
                        "judged by {who}, at most {}",
                        plural(u64::from(*rounds_max), "round")
                    )
                }
                Check::Acceptance { strict: true } => {
                    "each criterion answered with evidence".to_owned()
                }
                Check::Acceptance { strict: false } => {
                    "each criterion answered with evidence; not measured where there is no answer"
                        .to_owned()
                }
                Check::NotMeasured { wanted } => {
                    format!("not measured; wanted: {}", text::markdown(wanted))
                }
                Check::Off => "off".to_owned(),
            };
            self.line(&format!("- {}: {how}", gate.name));
        }
    }

    fn risks(&mut self) {
        self.section("Risk Assessment");
        if self.plan.risks.is_empty() {
            self.line("none");
        }
        for risk in &self.plan.risks {
            // The planner's own sentences: of the file they hold only names, which are safe.
            self.line(&format!("- {}: {}", risk.risk, risk.mitigation));
            self.line(&format!("  - Trigger: {}", risk.trigger));
            self.line(&format!("  - Fallback: {}", risk.fallback));
            // Before it is submitted there are no events to cite.
            let from = match risk.tasks.is_empty() {
                true => "what the file says of the sprint".to_owned(),
                false => some(&self.names(&risk.tasks), FOUND_IN_MAX),
            };
            self.line(&format!("  - Found in: {from}"));
        }
    }

    fn questions(&mut self) {
        self.section("Questions");
        if self.plan.questions.is_empty() {
            self.line("none");
        }
        let mut by_kind: BTreeMap<_, Vec<u32>> = BTreeMap::new();
        for question in &self.plan.questions {
            by_kind
                .entry(question.about)
                .or_default()
                .extend(question.task);
        }
        for (about, tasks) in by_kind {
            let line = match tasks.is_empty() {
                true => format!("- the sprint: {about}"),
                false => format!("- {}: {about}", self.ids(&tasks, ", ")),
            };
            self.line(&line);
        }
    }
}
