//! Searches for better orders, on a thread beside the director.
//!
//! One search at a time: while it runs, only the newest of what else is asked is kept, for what is older would be refused anyway. The thread ends
//! when nothing is left to search.
//!
//! Elsewhere: the search is [`crate::planner::replan`]; what becomes of the answer is the engine's.

use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use director_agents::cell::Sink;
use director_protocols::command::Command;
use director_protocols::ids::EffectId;

use crate::planner::replan::Replan;

/// The longest that a search may take.
const TIME_MAX: Duration = Duration::from_millis(50);
/// The most schedules it may make.
const SCHEDULES_MAX: u64 = 20_000;

/// Where searches are asked for.
#[derive(Clone)]
pub struct Plans {
    sink: Sink,
    asked: Arc<Mutex<Asked>>,
}

#[derive(Default)]
struct Asked {
    searching: bool,
    next: Option<(EffectId, Box<Replan>)>,
}

impl Plans {
    /// Searches whose answers go to `sink`.
    pub fn new(sink: Sink) -> Self {
        Self {
            sink,
            asked: Arc::default(),
        }
    }

    /// Asks for a search. Without a thread for it there is no answer, and the present order stays.
    pub fn put(&self, effect: EffectId, replan: Box<Replan>) {
        let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        asked.next = Some((effect, replan));
        if !asked.searching {
            let plans = self.clone();
            let spawned = thread::Builder::new()
                .name("plans".to_owned())
                .spawn(move || plans.search());
            asked.searching = spawned.is_ok();
        }
    }

    fn search(&self) {
        while let Some((effect, replan)) = self.next() {
            if let Some(command) = answer(effect, &replan) {
                (self.sink)(command);
            }
        }
    }

    fn next(&self) -> Option<(EffectId, Box<Replan>)> {
        let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        asked.searching = asked.next.is_some();
        asked.next.take()
    }
}

/// The command that brings back a better order, if there is one.
fn answer(effect: EffectId, replan: &Replan) -> Option<Command> {
    let end = Instant::now() + TIME_MAX;
    let found = replan.search(0, SCHEDULES_MAX, &mut || Instant::now() < end)?;
    Some(Command::PlanFound {
        effect,
        sprint: replan.sprint,
        base: replan.base,
        order: found.order,
        before: found.before,
        after: found.after,
    })
}
