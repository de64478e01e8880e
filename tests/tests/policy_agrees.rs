//! The planner's own evaluation of a list and the full engine agree exactly where nothing fails.
//!
//! Random sprints of many shapes, durations drawn from the same models with the same seeds: every task is done at the same millisecond in both.
//! So a plan that was optimised against the fast evaluation is one that the engine carries out.

use director::estimate::habits::Habits;
use director::estimate::random::{Luck, Purpose, below};
use director::estimate::{Durations, Model};
use director::planner;
use director::planner::policy::{Policy, Run};
use director::simulate::faults::Faults;
use director::simulate::prepare::Prepared;
use director::simulate::world::{Ending, World};
use director_protocols::sprint::SprintSpec;
use director_protocols::time::Span;
use director_tests::sprint;

/// A sprint of up to fifty tasks for up to four roles of up to three agents, without a repository.
fn random(seed: u64) -> SprintSpec {
    let mut draws = Luck::of(seed, 0).draws(0, 0, Purpose::Other);
    let mut draw = |end: u64| below(draws.next().expect("as many as are wanted"), end);
    let mut text = String::from(
        "[sprint]\nid = \"random\"\n[gates]\ntests = false\nreview = false\ndocs = false\ncoverage = false\nacceptance = false\n[team]\nonly = true\n",
    );
    let roles = 1 + draw(4);
    for role in 0..roles {
        text += &format!("[team.role-{role}]\ncount = {}\n", 1 + draw(3));
    }
    let tasks = 1 + draw(50);
    for task in 0..tasks {
        let low = 1 + draw(5);
        let (likely, high) = (low + draw(3), low + 3 + draw(9));
        let mut before: Vec<u64> = (0..draw(4)).map(|_| draw(task + 1)).collect();
        before.retain(|other| *other < task);
        before.sort_unstable();
        before.dedup();
        let before: Vec<String> = before.iter().map(|other| format!("\"t{other}\"")).collect();
        let priority = ["low", "normal", "normal", "high", "critical"][draw(5) as usize];
        text += &format!(
            "[[task]]\nid = \"t{task}\"\nrole = \"role-{}\"\nrun = \"true\"\nexpects = \"nothing\"\npriority = \"{priority}\"\n\
             estimate = {{ optimistic = {low}, likely = {likely}, pessimistic = {high} }}\ndepends_on = [{}]\n",
            draw(roles),
            before.join(", ")
        );
    }
    let mut spec = sprint(&text, &[]);
    spec.policy.attempt_time = Span::hours(1000);
    spec
}

#[test]
fn every_task_is_done_when_the_full_engine_has_it_done() {
    let mut runs = 0;
    for seed in 0..120 {
        let spec = random(seed);
        let estimates = || spec.tasks.iter().map(|task| &task.estimate);
        for model in [Model::Exact, Model::Pert] {
            let durations = Durations::of(model, &Habits::published(), estimates());
            let set = Prepared::new(&spec, Faults::NONE, durations.clone()).expect("a sprint");
            // The engine's own list: its ready tasks stand in this order.
            let table = &set.engine.state().tasks.table;
            let mut list: Vec<u32> = (0..table.len() as u32).collect();
            list.sort_by_key(|task| table[*task as usize].rank);
            let plan = planner::plan(&spec).expect("a plan");
            let policy = Policy::new(&plan.graph, &plan.resources, false, &list);
            let (mut world, mut run) = (World::new(&set), Run::default());
            for number in 0..3 {
                let ending = world.run(seed, number);
                assert_eq!(ending, Ending::Ended, "seed {seed}");
                let luck = Luck::of(seed, number);
                let finish = run.go(&policy, |task| durations.draw(luck, task, 1));
                let done: Vec<Option<u64>> =
                    world.watch.tasks.iter().map(|task| task.done).collect();
                let expected: Vec<Option<u64>> = run.finishes().iter().copied().map(Some).collect();
                assert_eq!(done, expected, "seed {seed}, {model:?}, run {number}");
                assert_eq!(world.watch.ended.map(|(at, _)| at), Some(finish));
                runs += 1;
            }
        }
    }
    assert_eq!(runs, 720);
}
