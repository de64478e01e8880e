//! The forecast against theory, where theory has the answer: a chain adds up, parallel work takes the longest, one
//! agent does it all, and tasks that arrive by chance wait as long as Erlang says.
//!
//! Each figure has to lie within its own confidence interval (four standard errors, so that a correct forecast fails once in
//! some ten thousand changes of the seed, and the seed is fixed).

use director::estimate::habits::Habits;
use director::estimate::quantiles::{Quantiles, levels};
use director::estimate::{Durations, Model};
use director::simulate::faults::Faults;
use director::simulate::forecast::{Extent, forecast};
use director::simulate::prepare::{Prepared, SimulateError};
use director::simulate::sums::Sums;
use director::simulate::world::{Ending, World};
use director_protocols::sprint::SprintSpec;
use director_protocols::time::Span;
use director_tests::sprint;

const HOUR: f64 = 3_600_000.0;

/// A sprint of tasks without gates; `waits(task)` are the tasks before it.
fn tasks(count: usize, agents: usize, waits: impl Fn(usize) -> Vec<usize>) -> SprintSpec {
    let mut text = format!(
        "[sprint]\nid = \"theory\"\n[team]\nonly = true\n[team.worker]\ncount = {agents}\nagent = \"simulated\"\nkinds = [\"*\"]\n[gates]\ntests = false\nreview = false\ndocs = false\ncoverage = false\nacceptance = false\n"
    );
    for task in 0..count {
        let waits: Vec<String> = waits(task)
            .iter()
            .map(|other| format!("\"t{other}\""))
            .collect();
        text += &format!(
            "[[task]]\nid = \"t{task}\"\nexpects = \"nothing\"\ndepends_on = [{}]\nestimate = {{ optimistic = {}, likely = {}, pessimistic = {} }}\n",
            waits.join(", "),
            1 + task % 2,
            2 + task % 3,
            5 + task % 7
        );
    }
    sprint(&text, &[])
}

fn durations(spec: &SprintSpec) -> Durations {
    Durations::of(
        Model::Pert,
        &Habits::published(),
        spec.tasks.iter().map(|task| &task.estimate),
    )
}

fn prepared(spec: &SprintSpec) -> Prepared {
    Prepared::new(spec, Faults::NONE, durations(spec)).expect("can be simulated")
}

fn run(set: &Prepared, runs: u64, threads: usize) -> Sums {
    let extent = Extent {
        runs,
        seed: 11,
        threads,
        precision: None,
    };
    forecast(set, &[], &extent, &mut |_| {}).expect("runs").base
}

#[test]
fn a_chain_takes_the_sum_of_its_tasks() {
    let spec = tasks(12, 3, |task| task.checked_sub(1).into_iter().collect());
    let set = prepared(&spec);
    let sums = run(&set, 4_000, 2);
    let means = (0..12)
        .map(|task| set.durations.of_task(task).mean() as f64)
        .sum::<f64>();
    let (mean, error) = (sums.finish.mean(), sums.finish.mean_error() / 1.96 * 4.0);
    assert!(
        (mean - means).abs() <= error,
        "{} h, by theory {} h ± {}",
        mean / HOUR,
        means / HOUR,
        error / HOUR
    );
    // The variance of a beta distribution over [o, p] whose shapes add up to 6; those of a sum add up.
    let variance: f64 = spec
        .tasks
        .iter()
        .map(|task| {
            let [low, likely, high] = [
                task.estimate.optimistic,
                task.estimate.likely,
                task.estimate.pessimistic,
            ]
            .map(|span| span.0 as f64);
            let mean = (low + 4.0 * likely + high) / 6.0;
            (mean - low) * (high - mean) / 7.0
        })
        .sum();
    let ratio = sums.finish.deviation() / variance.sqrt();
    assert!(
        (ratio - 1.0).abs() < 0.05,
        "deviation {ratio} of what theory says"
    );
    assert!(
        sums.tasks.iter().all(|task| task.critical == sums.runs),
        "every task of a chain is critical, always"
    );
}

#[test]
fn independent_tasks_with_an_agent_each_take_as_long_as_the_longest() {
    let set = prepared(&tasks(10, 10, |_| Vec::new()));
    let runs = 4_000;
    let sums = run(&set, runs, 2);
    for part in [0.1, 0.5, 0.85, 0.95] {
        let end = sums.finish.quantile(part);
        // All are done by then if each is.
        let by_theory: f64 = (0..10)
            .map(|task| set.durations.of_task(task).shares(end)[1])
            .product();
        let error = 4.0 * (part * (1.0 - part) / runs as f64).sqrt() + 0.002;
        assert!(
            (by_theory - part).abs() <= error,
            "{part}: {by_theory} ± {error}"
        );
    }
    let critical: u64 = sums.tasks.iter().map(|task| task.critical).sum();
    assert_eq!(critical, runs, "one task decides the end of each run");
}

#[test]
fn one_agent_takes_the_whole_work_whatever_the_order() {
    let set = prepared(&tasks(15, 1, |task| {
        if task % 4 == 3 {
            vec![task - 3, task - 1]
        } else {
            Vec::new()
        }
    }));
    let mut world = World::new(&set);
    for number in 0..500 {
        assert_eq!(world.run(3, number), Ending::Ended);
        let work: u64 = world.watch.tasks.iter().map(|task| task.work).sum();
        assert_eq!(
            world.watch.ended.map(|(at, _)| at),
            Some(work),
            "run {number}"
        );
        assert_eq!(world.watch.roles[0].busy, work, "and is busy all the time");
    }
}

/// Tasks unlocked at random moments, at rate 1 / `between`, for `agents` agents who need `service` on average: an M/M/c queue,
/// whose mean wait is Erlang's C (Erlang 1917; Kleinrock, Queueing Systems I, 1975, section 3.5).
#[test]
fn tasks_that_come_by_chance_wait_as_long_as_erlang_says() {
    let (arrivals, warm, runs) = (700usize, 150usize, 60u64);
    for (agents, load) in [(1usize, 0.6), (3, 0.8)] {
        let mut text = format!(
            "[sprint]\nid = \"queue\"\n[team]\nonly = true\n[team.source]\nagent = \"simulated\"\nkinds = [\"feature\"]\n[team.server]\ncount = {agents}\nagent = \"simulated\"\nkinds = [\"testing\"]\n[gates]\ntests = false\nreview = false\ndocs = false\ncoverage = false\nacceptance = false\n"
        );
        for place in 0..arrivals {
            let before = place
                .checked_sub(1)
                .map(|before| format!("\"a{before}\""))
                .unwrap_or_default();
            text += &format!(
                "[[task]]\nid = \"a{place}\"\nkind = \"feature\"\nexpects = \"nothing\"\nhours = 1\ndepends_on = [{before}]\n[[task]]\nid = \"s{place}\"\nkind = \"testing\"\nexpects = \"nothing\"\nhours = 1\ndepends_on = [\"a{place}\"]\n"
            );
        }
        let mut spec = sprint(&text, &[]);
        spec.policy.attempt_time = Span::hours(100_000);
        let levels = levels();
        let exponential =
            |mean: f64| Quantiles::tabulate(|place| -(1.0 - levels[place]).ln() * mean);
        let service = HOUR;
        let between = service / (agents as f64 * load);
        let tables = (0..arrivals)
            .flat_map(|_| [exponential(between), exponential(service)])
            .collect();
        let set = Prepared::new(&spec, Faults::NONE, Durations::of_tables(tables))
            .expect("can be simulated");
        let mut world = World::new(&set);
        let means: Vec<f64> = (0..runs)
            .map(|number| {
                assert_eq!(world.run(5, number), Ending::Ended);
                let served = world.watch.tasks.iter().skip(1).step_by(2).skip(warm);
                served.map(|task| task.waited as f64).sum::<f64>() / (arrivals - warm) as f64
            })
            .collect();
        let mean = means.iter().sum::<f64>() / runs as f64;
        let variance = means.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / (runs - 1) as f64;
        let error = 4.0 * (variance / runs as f64).sqrt();
        let by_theory = erlang_c(agents, load) * service / (agents as f64 * (1.0 - load));
        println!(
            "{agents} agents at load {load}: {:.3} h, by theory {:.3} h ± {:.3}",
            mean / HOUR,
            by_theory / HOUR,
            error / HOUR
        );
        assert!(
            (mean - by_theory).abs() <= error,
            "{agents}: {} {} ± {}",
            mean / HOUR,
            by_theory / HOUR,
            error / HOUR
        );
    }
}

/// The probability that one who comes has to wait.
fn erlang_c(servers: usize, load: f64) -> f64 {
    let offered = servers as f64 * load;
    let (mut term, mut sum) = (1.0, 1.0);
    for place in 1..servers {
        term *= offered / place as f64;
        sum += term;
    }
    let all_busy = term * offered / servers as f64 / (1.0 - load);
    all_busy / (sum + all_busy)
}

#[test]
fn the_same_seed_gives_the_same_figures_on_one_thread_and_on_two() {
    let spec = tasks(20, 3, |task| {
        if task > 3 {
            vec![task - 2, task - 4]
        } else {
            Vec::new()
        }
    });
    let rough = Faults::named("rough").expect("is a profile");
    let set = Prepared::new(&spec, rough, durations(&spec)).expect("can be simulated");
    let (one, two) = (run(&set, 1_000, 1), run(&set, 1_000, 2));
    assert_eq!(one, two);
    let extent = Extent {
        runs: 1_000,
        seed: 12,
        threads: 2,
        precision: None,
    };
    assert_ne!(
        forecast(&set, &[], &extent, &mut |_| {})
            .expect("runs")
            .base,
        one,
        "another seed, other figures"
    );
}

#[test]
fn a_forecast_stops_when_it_knows_enough_and_says_so_when_it_can_know_nothing() {
    let spec = tasks(6, 2, |_| Vec::new());
    let set = prepared(&spec);
    let wanted = |runs, precision| Extent {
        runs,
        seed: 1,
        threads: 2,
        precision,
    };
    let sums = forecast(&set, &[], &wanted(1_000_000, Some(0.02)), &mut |_| {})
        .expect("runs")
        .base;
    assert!(
        sums.runs < 10_000,
        "{} runs for one part in fifty",
        sums.runs
    );
    assert!(sums.finish.mean_error() <= 0.02 * sums.finish.mean());
    let none = forecast(&set, &[], &wanted(0, None), &mut |_| {}).map(|known| known.base.runs);
    assert_eq!(none, Err(SimulateError::NoRuns));
}

#[test]
fn whoever_is_added_meets_the_same_luck() {
    // One more agent can only help here, run by run, because nothing else differs.
    let few = prepared(&tasks(12, 2, |_| Vec::new()));
    let more = prepared(&tasks(12, 12, |_| Vec::new()));
    let extent = Extent {
        runs: 500,
        seed: 4,
        threads: 1,
        precision: None,
    };
    let known = forecast(&few, std::slice::from_ref(&more), &extent, &mut |_| {}).expect("runs");
    let (_, pairs) = &known.variants[0];
    assert_eq!((pairs.earlier, pairs.later), (500, 0));
    let (mean, error) = pairs.difference();
    assert!(mean < 0.0 && error < -mean / 10.0, "{mean} ± {error}");
}

#[test]
fn a_plan_that_cannot_finish_ends_with_the_reason() {
    let spec = tasks(3, 1, |task| task.checked_sub(1).into_iter().collect());
    let hopeless = Faults {
        fail: 1_000,
        ..Faults::NONE
    };
    let set = Prepared::new(&spec, hopeless, durations(&spec)).expect("can be simulated");
    let sums = run(&set, 100, 2);
    assert_eq!(
        (sums.done, sums.tasks[0].lost, sums.tasks[2].attempts),
        (0, 100, 0)
    );
    // Somebody always answers, but the same blocker comes back for ever.
    let stuck = Faults {
        block: 1_000,
        ..Faults::NONE
    };
    let set = Prepared::new(&spec, stuck, durations(&spec)).expect("can be simulated");
    let sums = run(&set, 20, 2);
    assert_eq!(sums.runs, 20);
    assert_eq!(
        sums.done + sums.stuck.values().sum::<u64>(),
        20,
        "{:?}",
        sums.stuck
    );
}
