//! A scenario: two sprints at once while everything goes wrong, from one seed, and the smallest one that still fails.
//!
//! A failing scenario is made smaller by taking things away (tasks, steps, kinds of faults) as long as it fails in the same
//! words; what is left is printed and can be run again.

use std::panic::{AssertUnwindSafe, catch_unwind};

use director::planner::{self, risks};
use director_protocols::sprint::SprintSpec;

use super::{Faults, World, oracle, random_sprint};

/// In which way something is broken: the words before what it is about, without numbers.
pub fn kind_of(broken: &str) -> String {
    let words = broken.split(':').next().unwrap_or_default();
    words.chars().filter(|c| !c.is_ascii_digit()).collect()
}

/// Everything that a run is made of.
#[derive(Clone, Copy, Debug)]
pub struct Scenario {
    /// The seed.
    pub seed: u64,
    /// Tasks of the first sprint.
    pub tasks: usize,
    /// Tasks of the second; none for a run with one sprint.
    pub more: usize,
    /// Steps while things go wrong.
    pub steps: usize,
    /// How much goes wrong.
    pub faults: Faults,
}

impl Scenario {
    /// The one that the swarm tries for a seed.
    pub fn of(seed: u64) -> Self {
        Self {
            seed,
            tasks: 12,
            more: 8,
            steps: 400,
            faults: Faults::ROUGH,
        }
    }

    /// Runs it: things go wrong for a while, and then until nothing is left to do.
    ///
    /// # Panics
    /// When an invariant is broken on the way, or nothing comes to rest.
    pub fn run(&self) -> World {
        let mut world = World::new(
            self.seed,
            watched(random_sprint(self.seed, self.tasks)),
            self.faults,
        );
        let second = 20 + (self.seed as usize * 7) % 150;
        for step in 0..self.steps {
            if step == second && self.more > 0 {
                let spec = watched(random_sprint(self.seed + 10_000, self.more));
                world.submit(spec).expect("a second sprint is accepted");
            }
            if !world.step() && step > second {
                break;
            }
        }
        world.settle(20_000);
        world
    }

    /// Runs it and asks the oracle.
    ///
    /// # Errors
    /// What it breaks, in words.
    pub fn tried(&self) -> Result<World, String> {
        let ran = catch_unwind(AssertUnwindSafe(|| {
            let world = self.run();
            oracle::check(&world).map(|()| world)
        }));
        ran.unwrap_or_else(|panic| {
            let text = panic.downcast_ref::<String>().map(String::as_str);
            let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
            Err(text.unwrap_or("a panic").to_owned())
        })
    }

    /// The smallest scenario found that is broken as this one is.
    pub fn shrunk(self, broken: &str) -> Self {
        let wanted = kind_of(broken);
        let mut best = self;
        loop {
            let smaller = best.smaller();
            let found = smaller
                .into_iter()
                .find(|scenario| scenario.tried().is_err_and(|text| kind_of(&text) == wanted));
            match found {
                Some(scenario) => best = scenario,
                None => return best,
            }
        }
    }

    /// The next smaller ones, the boldest first.
    fn smaller(&self) -> Vec<Self> {
        let mut all = vec![
            Self { more: 0, ..*self },
            Self {
                tasks: self.tasks / 2,
                ..*self
            },
            Self {
                tasks: self.tasks.saturating_sub(1),
                ..*self
            },
            Self {
                more: self.more.saturating_sub(1),
                ..*self
            },
            Self {
                steps: self.steps / 2,
                ..*self
            },
            Self {
                steps: self.steps.saturating_sub(10),
                ..*self
            },
        ];
        for kind in 0..7 {
            let mut faults = self.faults;
            let rates = [
                &mut faults.attempt,
                &mut faults.integration,
                &mut faults.person,
                &mut faults.crash,
                &mut faults.message,
                &mut faults.world,
                &mut faults.delay,
            ];
            if let Some(rate) = rates.into_iter().nth(kind) {
                *rate = 0;
            }
            all.push(Self { faults, ..*self });
        }
        all.retain(|scenario| scenario.tasks > 0 && format!("{scenario:?}") != format!("{self:?}"));
        all
    }
}

/// The sprint with the risks of its plan, as whoever submits a file has them.
fn watched(mut spec: SprintSpec) -> SprintSpec {
    if let Ok(plan) = planner::listed(&spec) {
        spec.ways.start.risks = risks::watched(&spec, &plan);
    }
    spec
}
