//! How many sprints a second the planner's own evaluation runs, with durations drawn and the deciding chain counted.
//!
//! `cargo bench -p director-tests --bench outlook [-- TASKS RUNS]` takes a plan of sixty tasks for the nine roles, one agent each (and then the
//! same with four agents each), runs it with one thread and with two, and prints sprints a second of elapsed time and of processor time. Both have
//! to give the same answer to the last run.

use std::time::{Duration, Instant};

use director::estimate::habits::Habits;
use director::estimate::{Durations, Model};
use director::perform::runs;
use director::planner;
use director::planner::policy::Policy;
use director_tests::sprint;

const ROLES: [&str; 9] = [
    "tech-lead",
    "product-manager",
    "engineering-manager",
    "fullstack-engineer",
    "api-engineer",
    "ux-engineer",
    "test-engineer",
    "devops-engineer",
    "documentation-writer",
];

fn main() {
    let words: Vec<u64> = std::env::args()
        .skip(1)
        .filter(|word| !word.starts_with('-'))
        .map(|word| word.parse().expect("a number"))
        .collect();
    let tasks = words.first().copied().unwrap_or(60);
    let count = words.get(1).copied().unwrap_or(500_000);
    for agents in [1, 4] {
        let spec = sprint(&text(tasks, agents), &[]);
        let plan = planner::plan(&spec).expect("a plan");
        let policy = Policy::new(&plan.graph, &plan.resources, false, &plan.order);
        let estimates = spec.tasks.iter().map(|task| &task.estimate);
        let durations = Durations::of(Model::Pert, &Habits::published(), estimates);
        println!("{tasks} tasks, nine roles of {agents}, {count} runs");
        let mut answers = Vec::new();
        for threads in [1, 2] {
            let (wall, spent) = (Instant::now(), processor());
            let found = runs::outlook(&policy, &durations, 1, count, threads);
            let (wall, spent) = (wall.elapsed(), processor() - spent);
            let hours = |per_mille| found.quantile(per_mille) as f64 / 3_600_000.0;
            println!(
                "  {threads} threads: {:.0} sprints/s elapsed, {:.0} sprints/s of each processor; P50 {:.2} h, P85 {:.2} h, P95 {:.2} h",
                count as f64 / wall.as_secs_f64(),
                count as f64 / spent.as_secs_f64(),
                hours(500),
                hours(850),
                hours(950)
            );
            answers.push(found);
        }
        assert!(answers[0] == answers[1], "one thread and two differ");
    }
}

/// Each task after up to two of the dozen before it.
fn text(tasks: u64, agents: u64) -> String {
    let mut text = String::from("[sprint]\nid = \"bench\"\n[team]\nonly = true\n");
    for role in ROLES {
        text += &format!("[team.{role}]\ncount = {agents}\n");
    }
    for task in 0..tasks {
        let role = ROLES[(task * 7 % 9) as usize];
        let low = 1 + task * 5 % 4;
        let (likely, high) = (low + task % 3, low + 4 + task * 11 % 9);
        let mut before = Vec::new();
        if task >= 12 {
            before.push(format!("\"t{}\"", task - 1 - task * 7 % 11));
            let second = format!("\"t{}\"", task - 1 - task * 5 % 12);
            if !before.contains(&second) {
                before.push(second);
            }
        }
        text += &format!(
            "[[task]]\nid = \"t{task}\"\nrole = \"{role}\"\nrun = \"true\"\nestimate = {{ optimistic = {low}, likely = {likely}, pessimistic = {high} }}\ndepends_on = [{}]\n",
            before.join(", ")
        );
    }
    text
}

/// Processor time of this process so far, both user and system.
fn processor() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields = stat.rsplit(')').next().unwrap_or_default();
    let ticks = fields.split_whitespace().skip(11).take(2);
    let ticks: u64 = ticks.filter_map(|field| field.parse::<u64>().ok()).sum();
    // The kernel counts in hundredths of a second.
    Duration::from_millis(10 * ticks)
}
