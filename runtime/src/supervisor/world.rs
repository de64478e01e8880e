//! For tests: a world without actors that performs what the rules decide at once and answers them.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::*;

/// Performs actions at once, except where a child was told to hang or to leak.
pub(super) struct World {
    pub(super) rules: Supervision,
    pub(super) now_ms: u64,
    /// Timers by due time, then by order of setting.
    timers: BTreeMap<(u64, usize), (Timer, u64)>,
    timers_set: usize,
    pub(super) alive: BTreeMap<ChildId, Generation>,
    /// These take their time to start.
    pub(super) slow: BTreeSet<ChildId>,
    /// These do not react to a stop.
    pub(super) hanging: BTreeSet<ChildId>,
    /// These do not react to a kill either.
    pub(super) leaking: BTreeSet<ChildId>,
    pub(super) given_up: Vec<(ChildId, Generation)>,
    pub(super) lines: Vec<String>,
}

impl World {
    pub(super) fn new(policy: Policy, rules: Vec<ChildRule>) -> Self {
        World {
            rules: Supervision::new(policy, rules),
            now_ms: 0,
            timers: BTreeMap::new(),
            timers_set: 0,
            alive: BTreeMap::new(),
            slow: BTreeSet::new(),
            hanging: BTreeSet::new(),
            leaking: BTreeSet::new(),
            given_up: Vec::new(),
            lines: Vec::new(),
        }
    }

    pub(super) fn input(&mut self, input: Input) {
        let actions = self.rules.handle(self.now_ms, input);
        self.perform(actions);
    }

    pub(super) fn request(&mut self, request: Request) -> Result<(), Refused> {
        let actions = self.rules.request(request)?;
        self.perform(actions);
        Ok(())
    }

    /// The current incarnation of a child ends.
    pub(super) fn end(&mut self, child: &str, exit: Exit, charged_elsewhere: bool) {
        let child = ChildId::from(child);
        if let Some(generation) = self.alive.remove(&child) {
            self.input(Input::Gone {
                child,
                generation,
                exit,
                charged_elsewhere,
            });
        }
    }

    fn perform(&mut self, actions: Vec<Action>) {
        let mut answers = Vec::new();
        for action in actions {
            match action {
                Action::Spawn { child, generation } => {
                    let before = self.alive.insert(child.clone(), generation);
                    assert_eq!(before, None, "two incarnations of {child} at once");
                    if !self.slow.contains(&child) {
                        answers.push(Input::Started { child, generation });
                    }
                }
                Action::Stop { child, generation } => {
                    if !self.hanging.contains(&child) {
                        answers.extend(self.gone(child, generation, Exit::Stopped));
                    }
                }
                Action::Kill { child, generation } => {
                    if !self.leaking.contains(&child) {
                        answers.extend(self.gone(child, generation, Exit::Killed));
                    }
                }
                Action::Schedule {
                    timer,
                    generation,
                    delay_ms,
                } => {
                    self.timers_set += 1;
                    let due = (self.now_ms.saturating_add(delay_ms), self.timers_set);
                    self.timers.insert(due, (timer, generation));
                }
                Action::Forget(child) => self
                    .lines
                    .push(format!("{:<6} forget {child}", self.now_ms)),
                Action::Tell(what) => {
                    if let Lifecycle::Leaked { child, generation } = &what {
                        self.alive.remove(child);
                        self.given_up.push((child.clone(), *generation));
                    }
                    self.lines.push(format!("{:<6} {what}", self.now_ms));
                }
            }
        }
        for answer in answers {
            self.input(answer);
        }
    }

    fn gone(&mut self, child: ChildId, generation: Generation, exit: Exit) -> Option<Input> {
        let current = self.alive.get(&child) == Some(&generation);
        current.then(|| {
            self.alive.remove(&child);
            Input::Gone {
                child,
                generation,
                exit,
                charged_elsewhere: false,
            }
        })
    }

    /// Lets time pass, firing what is due.
    pub(super) fn pass(&mut self, ms: u64) {
        let until = self.now_ms + ms;
        while let Some(entry) = self
            .timers
            .first_entry()
            .filter(|entry| entry.key().0 <= until)
        {
            let ((due, _), (timer, generation)) = entry.remove_entry();
            self.now_ms = due;
            self.input(Input::TimerFired { timer, generation });
        }
        self.now_ms = until;
    }

    pub(super) fn summary(&self) -> String {
        let child = |view: ChildView| match view.state {
            ChildState::Running => format!("{}{}", view.id, view.generation),
            state => format!("{}{} {state}", view.id, view.generation),
        };
        self.rules
            .children()
            .into_iter()
            .map(child)
            .collect::<Vec<_>>()
            .join(", ")
    }

    pub(super) fn log(&mut self) -> String {
        std::mem::take(&mut self.lines)
            .into_iter()
            .map(|line| line + "\n")
            .collect()
    }
}

pub(super) fn policy(strategy: Strategy) -> Policy {
    let backoff =
        Backoff::exponential(Duration::from_millis(100), Duration::from_secs(10)).jitter(0);
    let intensity = Intensity::new(3, Duration::from_secs(10));
    Policy {
        strategy,
        backoff,
        intensity,
        ..Policy::named("top")
    }
}

pub(super) fn rule(id: &str, restart: Restart) -> ChildRule {
    ChildRule {
        id: id.into(),
        restart,
        grace_ms: 5_000,
    }
}

/// Children a, b and c, up and running.
pub(super) fn world(strategy: Strategy, restarts: [Restart; 3]) -> World {
    let rules = ["a", "b", "c"]
        .into_iter()
        .zip(restarts)
        .map(|(id, restart)| rule(id, restart))
        .collect();
    let mut world = World::new(policy(strategy), rules);
    world.input(Input::Start);
    world.log();
    world
}

pub(super) fn failed() -> Exit {
    Exit::Failed("no".to_owned())
}
