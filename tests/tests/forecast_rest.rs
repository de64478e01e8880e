//! The rest of a sprint, forecast from where it stands: what is in hand has taken time already, what waits for people still waits,
//! what is done stays done, and the past speaks for itself.

use director::engine::Engine;
use director::engine::effects::Effect;
use director::handle::Entry;
use director::simulate::faults::Faults;
use director::simulate::forecast::{Extent, forecast};
use director::simulate::past::Past;
use director::simulate::prepare::{Prepared, SimulateError};
use director::simulate::rest::{From, spec_of};
use director::simulate::sums::Sums;
use director_protocols::command::Command;
use director_protocols::ids::{AgentId, Generation, SprintId, TaskId};
use director_protocols::severity::Severity;
use director_protocols::time::{Span, Time};
use director_protocols::work::{AttemptEnd, BlockerReport, Report};
use director_tests::sprint;

const SPRINT: SprintId = SprintId(0);
/// Some day in 2026.
const START: Time = Time(1_795_424_400_000);

/// A sprint that is told by hand what its world would tell it.
struct Told {
    engine: Engine,
    entries: Vec<Entry>,
    now: Time,
}

impl Told {
    /// Up and running: `tasks` of 1, 3 and 11 hours, for agents of one role.
    fn begin(tasks: &str, agents: usize) -> Self {
        let text = format!(
            "[sprint]\nid = \"told\"\n[team]\nonly = true\n[team.worker]\ncount = {agents}\nagent = \"simulated\"\nkinds = [\"*\"]\n[gates]\ntests = false\nreview = false\ndocs = false\ncoverage = false\nacceptance = false\n{tasks}"
        );
        let mut told = Told {
            engine: Engine::checked(),
            entries: Vec::new(),
            now: START,
        };
        told.say(Command::Open {
            version: "1".to_owned(),
        });
        told.say(Command::Submit(Box::new(sprint(&text, &[]))));
        for agent in 0..told.engine.state().team.agents.len() as u32 {
            told.say(Command::AgentUp {
                agent: AgentId(agent),
                generation: Generation(1),
            });
        }
        told
    }

    /// One command, the handing out of work that follows, and agents that begin at once.
    fn say(&mut self, command: Command) {
        let decision = self.engine.step(&command, self.now).expect("taken");
        let mut begun = decision.effects.clone();
        self.keep(decision);
        let decision = self.engine.dispatch(self.now);
        begun.extend(decision.effects.clone());
        self.keep(decision);
        for (effect, what) in begun {
            if let Effect::Assign { task, attempt, .. } = what {
                let started = Command::Started {
                    effect,
                    task,
                    attempt,
                };
                let decision = self.engine.step(&started, self.now).expect("taken");
                self.keep(decision);
            }
        }
    }

    fn keep(&mut self, decision: director::engine::Decision) {
        if !decision.events.is_empty() {
            self.entries.push(Entry {
                seq: self.engine.seq(),
                epoch: 1,
                at: self.now,
                events: decision.events,
            });
        }
    }

    fn wait(&mut self, hours: f64) {
        self.now = self.now + Span::from_hours(hours).expect("hours");
    }

    fn ends(&mut self, task: u32, end: AttemptEnd) {
        self.say(Command::Ended {
            task: TaskId(task),
            attempt: self.engine.state().tasks.table[task as usize].attempt,
            end,
        });
    }

    fn from(&self, at_work: bool) -> From {
        From {
            engine: self.engine.clone(),
            now: self.now,
            at_work,
        }
    }

    fn ahead(&self, at_work: bool, past: &Past) -> (Prepared, Sums) {
        let set = Prepared::rest(&self.from(at_work), SPRINT, past, None).expect("goes on");
        let sums = run(&set);
        (set, sums)
    }
}

fn run(set: &Prepared) -> Sums {
    let extent = Extent {
        runs: 4_000,
        seed: 3,
        threads: 2,
        precision: None,
    };
    forecast(set, &[], &extent, &mut |_| {}).expect("runs").base
}

/// `count` tasks that wait for each other as `waits` says.
fn tasks(count: usize, waits: impl Fn(usize) -> Option<usize>) -> String {
    let task = |place: usize| {
        let waits = waits(place)
            .map(|before| format!("\"t{before}\""))
            .unwrap_or_default();
        format!(
            "[[task]]\nid = \"t{place}\"\nexpects = \"nothing\"\nestimate = {{ optimistic = 1, likely = 3, pessimistic = 11 }}\ndepends_on = [{waits}]\n"
        )
    };
    (0..count).map(task).collect()
}

fn unknown() -> Past {
    Past::unknown(Faults::NONE)
}

fn close(found: f64, wanted: f64, error: f64, what: &str) {
    assert!(
        (found - wanted).abs() <= error,
        "{what}: {found}, by theory {wanted} ± {error}"
    );
}

#[test]
fn what_is_in_hand_takes_at_least_as_long_as_it_has_taken() {
    let mut told = Told::begin(&tasks(1, |_| None), 1);
    for (waited, passed) in [(0.0, 0.0), (2.0, 2.0), (4.0, 6.0)] {
        told.wait(waited);
        let (set, sums) = told.ahead(true, &unknown());
        let table = set.durations.of_task(0);
        let spent = Span::from_hours(passed).expect("hours").0;
        let before = table.shares(spent)[1];
        for part in [0.1, 0.5, 0.85, 0.95] {
            // Of tasks that are not done by now, so many are done by then.
            let then = spent + sums.finish.quantile(part);
            let by_theory = (table.shares(then)[1] - before) / (1.0 - before);
            let error = 4.0 * (part * (1.0 - part) / 4_000.0_f64).sqrt() + 0.003;
            close(by_theory, part, error, &format!("after {passed} h, {part}"));
        }
    }
}

#[test]
fn a_task_that_outlived_its_estimate_takes_as_long_again_on_average() {
    let mut told = Told::begin(&tasks(1, |_| None), 1);
    told.wait(20.0);
    let (_, sums) = told.ahead(true, &unknown());
    close(sums.finish.mean() / 3.6e6, 20.0, 1.5, "hours ahead");
}

#[test]
fn a_stop_makes_attempts_begin_again_and_leaves_done_work_done() {
    let mut told = Told::begin(&tasks(3, |place| place.checked_sub(1)), 1);
    told.wait(4.0);
    told.ends(0, AttemptEnd::done(Report::default()));
    told.wait(2.0);
    let (set, there) = told.ahead(true, &unknown());
    let (_, stopped) = told.ahead(false, &unknown());
    // Two tasks are ahead; of the first, two hours are gone unless it begins again.
    let whole = set.durations.of_task(1).mean() as f64;
    close(stopped.finish.mean(), 2.0 * whole, 2.5e5, "begun again");
    assert!(there.finish.mean() < stopped.finish.mean() - 2.0e6);
    assert_eq!(there.tasks[0].attempts, 0, "done stays done");
    assert_eq!(there.points.min(), there.points.max());
}

#[test]
fn an_open_question_waits_for_its_person_and_the_work_goes_on_where_it_stopped() {
    let mut told = Told::begin(&tasks(1, |_| None), 1);
    told.wait(2.0);
    told.ends(
        0,
        AttemptEnd::Blocked(BlockerReport {
            kind: "unclear".to_owned(),
            severity: Severity::High,
            text: "which one?".to_owned(),
        }),
    );
    told.wait(30.0);
    let past = Past::unknown(Faults {
        answer_seconds: 10 * 3_600,
        ..Faults::NONE
    });
    let (set, sums) = told.ahead(true, &past);
    // Ten hours for the answer, however long it has been waited for; and what is left of a task with two hours done.
    let table = set.durations.of_task(0);
    let spent = Span::hours(2).0;
    let left: f64 = (0..1_000_u64)
        .map(|place| set.work_at(0, place * (u64::MAX / 1_000)) as f64 - spent as f64)
        .sum::<f64>()
        / 1_000.0;
    assert!(left < table.mean() as f64);
    let wanted = 10.0 + left / 3.6e6;
    close(sums.finish.mean() / 3.6e6, wanted, 0.8, "hours ahead");
}

#[test]
fn the_past_counts_what_happened_and_an_empty_one_says_nothing() {
    let nothing = Told::begin(&tasks(1, |_| None), 1);
    let calm = Faults::named("calm").expect("is a profile");
    let past = Past::of(nothing.engine.state(), &nothing.entries, calm);
    assert!(past.is_empty());
    assert_eq!((past.faults, past.pace), (calm, 1_000_000));

    // Twenty-four tasks that take twice what was estimated; every fourth attempt fails.
    let mut told = Told::begin(&tasks(24, |_| None), 1);
    for task in 0..24u32 {
        // The one agent takes them in the order of the file.
        if task % 3 == 0 {
            told.wait(1.0);
            let failed = AttemptEnd::Failed {
                reason: "it failed".to_owned(),
                exit_code: None,
            };
            told.ends(in_hand(&told), failed);
            told.wait(0.1);
            told.say(Command::Tick);
        }
        told.wait(8.0);
        told.ends(in_hand(&told), AttemptEnd::done(Report::default()));
    }
    let past = Past::of(told.engine.state(), &told.entries, calm);
    assert_eq!(past.finished, 24);
    let fail = past.learned.iter().find(|row| row.name == "fail");
    let fail = fail.expect("is counted");
    assert_eq!((fail.seen, fail.cases, fail.prior), (8, 32, 20));
    // Eight of thirty-two, and the profile's twenty in a thousand as if seen twenty times.
    assert_eq!(fail.value, 162);
    let spec = spec_of(told.engine.state(), SPRINT).expect("a sprint");
    let durations = past.durations(spec.tasks.iter().map(|task| &task.estimate));
    // PERT's mean is four hours.
    close(
        durations.of_task(0).quantile(500) as f64 / 3.6e6,
        8.0,
        0.01,
        "hours",
    );
}

fn in_hand(told: &Told) -> u32 {
    let tasks = &told.engine.state().tasks.table;
    tasks
        .iter()
        .position(|task| task.agent.is_some())
        .expect("one is in hand") as u32
}

#[test]
fn another_team_from_here_on_is_a_fork_of_the_same_state() {
    let mut told = Told::begin(&tasks(8, |_| None), 1);
    told.wait(3.0);
    told.ends(in_hand(&told), AttemptEnd::done(Report::default()));
    let from = told.from(true);
    let base = Prepared::rest(&from, SPRINT, &unknown(), None).expect("goes on");
    let mut spec = spec_of(told.engine.state(), SPRINT).expect("a sprint");
    spec.team[0].count = 3;
    let more = Prepared::rest(&from, SPRINT, &unknown(), Some(&spec)).expect("goes on");
    let extent = Extent {
        runs: 500,
        seed: 1,
        threads: 2,
        precision: None,
    };
    let known = forecast(&base, &[more], &extent, &mut |_| {}).expect("runs");
    let (sums, pairs) = &known.variants[0];
    assert_eq!((pairs.earlier, pairs.later), (500, 0));
    // Seven tasks, one of them in hand since just now, for three agents instead of one.
    assert!(sums.finish.mean() * 2.0 < known.base.finish.mean());
    assert_eq!(
        told.engine.state().team.agents.len(),
        1,
        "nothing happened to the real one"
    );
}

#[test]
fn what_is_over_has_nothing_ahead() {
    let mut told = Told::begin(&tasks(1, |_| None), 1);
    told.wait(3.0);
    told.ends(0, AttemptEnd::done(Report::default()));
    let refused = Prepared::rest(&told.from(true), SPRINT, &unknown(), None).map(drop);
    assert!(
        matches!(refused, Err(SimulateError::Over { .. })),
        "{refused:?}"
    );
}
