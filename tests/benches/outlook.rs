//! How many sprints a second the planner's own evaluation runs, with durations drawn and the deciding chain counted.
//!
//! `cargo bench -p director-tests --bench outlook [-- TASKS RUNS]` takes a plan of sixty tasks for the nine roles, one agent each (and then the
//! same with four agents each), runs it with one thread and with two, and prints sprints a second of elapsed time and of processor time. Both have
//! to give the same answer to the last run.
//!
//! Then it plans two hundred tasks of the same kind, and says how long the plan takes and what the search makes of the list; and it drives the engine
//! through them, and says how long an event takes from its arrival to the next assignment, and what a search for a better order of the rest makes of it
//! within the time that the director gives it. Those are medians of elapsed time.

use std::time::{Duration, Instant};

use director::engine::effects::Effect;
use director::engine::orders::{self, Order};
use director::engine::{Decision, Engine};
use director::estimate::habits::Habits;
use director::estimate::{Durations, Model};
use director::perform::runs;
use director::planner;
use director::planner::policy::Policy;
use director_protocols::command::Command;
use director_protocols::ids::{AgentId, Generation};
use director_protocols::sprint::SprintSpec;
use director_protocols::time::{Span, Time};
use director_protocols::work::{AttemptEnd, Report};
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
    for agents in [1, 4] {
        let spec = sprint(&text(PLANNED, agents), &[]);
        planned(&spec, agents);
        answered(&spec);
    }
}

/// Tasks of a plan whose making is timed.
const PLANNED: u64 = 200;

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}

fn planned(spec: &SprintSpec, agents: u64) {
    let timed = |plan: fn(&SprintSpec) -> Result<planner::Plan, planner::PlanError>| {
        let mut length = 0;
        let times = (0..11).map(|_| {
            let began = Instant::now();
            length = plan(spec).expect("a plan").schedule.makespan;
            began.elapsed()
        });
        let time = median(times.collect());
        (time.as_secs_f64() * 1e3, length as f64 / 3_600_000.0)
    };
    let (list, searched) = (timed(planner::listed), timed(planner::plan));
    let floor = planner::plan(spec).expect("a plan").floor as f64 / 3_600_000.0;
    println!(
        "{PLANNED} tasks, nine roles of {agents}: list {:.2} h in {:.1} ms, searched {:.2} h in {:.1} ms, no plan below {floor:.2} h",
        list.1, list.0, searched.1, searched.0
    );
}

/// The engine with a sprint that goes well: each task that ends is an event, and who is free then gets the next.
fn answered(spec: &SprintSpec) {
    let mut engine = Engine::default();
    let mut now = Time(1_700_000_000_000);
    let mut running: Vec<Command> = Vec::new();
    let mut times = Vec::new();
    let keep = |decision: &Decision, running: &mut Vec<Command>, starts: &mut Vec<Command>| {
        for (effect, what) in &decision.effects {
            if let &Effect::Assign { task, attempt, .. } = what {
                let (effect, end) = (*effect, AttemptEnd::done(Report::default()));
                starts.push(Command::Started {
                    effect,
                    task,
                    attempt,
                });
                running.push(Command::Ended { task, attempt, end });
            }
        }
    };
    let agents: u32 = spec.team.iter().map(|role| role.count).sum();
    let version = "bench".to_owned();
    let up = |agent| Command::AgentUp {
        agent: AgentId(agent),
        generation: Generation(1),
    };
    let opened = [
        Command::Open { version },
        Command::Submit(Box::new(spec.clone())),
    ];
    let mut asked = None;
    for command in opened.into_iter().chain((0..agents).map(up)) {
        let decision = engine.step(&command, now).expect("it is allowed");
        let plan = |(_, effect): &(_, Effect)| {
            matches!(effect, Effect::Plan { .. }).then(|| effect.clone())
        };
        asked = decision.effects.iter().find_map(plan).or(asked);
    }
    replanned(&engine, asked.as_ref());
    let mut starts = Vec::new();
    keep(&engine.dispatch(now), &mut running, &mut starts);
    while !running.is_empty() {
        for started in starts.drain(..) {
            engine.step(&started, now).expect("it is allowed");
        }
        now.0 += 60_000;
        let ended = running.remove(0);
        let began = Instant::now();
        let first = engine.step(&ended, now).expect("it is allowed");
        let second = engine.dispatch(now);
        times.push(began.elapsed());
        keep(&first, &mut running, &mut starts);
        keep(&second, &mut running, &mut starts);
    }
    times.sort_unstable();
    println!(
        "  from a task's end to the next assignment: median {:.1} us, 99 % below {:.1} us, of {} events",
        times[times.len() / 2].as_secs_f64() * 1e6,
        times[times.len() * 99 / 100].as_secs_f64() * 1e6,
        times.len()
    );
}

/// What the director does with an order that is asked for: the problem is written out of the state, and searched for as long as `perform::plans` lets it.
fn replanned(engine: &Engine, asked: Option<&Effect>) {
    let Some(asked) = asked else { return };
    let (mut written, mut searched, mut found) = (Vec::new(), Vec::new(), None);
    for _ in 0..11 {
        let began = Instant::now();
        let Some(Order::Plan(replan)) = orders::order(engine.state(), asked) else {
            return;
        };
        written.push(began.elapsed());
        let (began, end) = (Instant::now(), Instant::now() + Duration::from_millis(50));
        found = replan.search(0, 20_000, &mut || Instant::now() < end);
        searched.push(began.elapsed());
    }
    let hours = |span: Span| span.0 as f64 / 3_600_000.0;
    let found = found.map_or("none is better".to_owned(), |found| {
        format!(
            "{:.2} h instead of {:.2}",
            hours(found.after),
            hours(found.before)
        )
    });
    println!(
        "  another order: {found}; the problem in {:.1} us, the search in {:.1} ms",
        median(written).as_secs_f64() * 1e6,
        median(searched).as_secs_f64() * 1e3
    );
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
