//! The rules of supervision as a state machine: no clock, no I/O, no actors.
//!
//! Each child has a *phase* (what it is doing) and a *goal* (what it should be doing). Inputs change phases and
//! goals; [`Supervision::settle`] then takes the next step from one to the other: stops first, one at a time, last
//! started first; then starts, one at a time, in order. A group restart is no more than a goal given to several children.
//!
//! Invariant: at most one incarnation of a child is neither gone nor given up as leaked; an input of an older
//! generation changes nothing.
//! Elsewhere: what goes in and comes out is `step`; the rules' numbers are `spec`; who performs the actions is `shell`.

use std::collections::BTreeMap;

use super::backoff::Jitter;
use super::exit::{ChildId, Escalation, Exit, Generation, Lifecycle};
use super::intensity::Window;
use super::slot::{Child, Goal, Phase};
use super::spec::{ChildRule, Policy, Restart, UNLIMITED_MS};
use super::step::{Action, Input, Refused, Request, Timer};
use super::strategy::Strategy;
use super::tree::ChildView;

#[derive(Debug, PartialEq, Eq)]
enum Mode {
    Idle,
    Running,
    ShuttingDown,
    GivingUp(Escalation),
    Over,
}

/// A group restart under way: its members have [`Goal::Group`].
#[derive(Debug)]
struct Group {
    generation: u64,
    /// Its backoff is over.
    due: bool,
}

/// The state machine of one supervisor.
#[derive(Debug)]
pub struct Supervision {
    policy: Policy,
    children: Vec<Child>,
    /// Newest generation of names that were children before: if one comes back it goes on from there.
    before: BTreeMap<ChildId, Generation>,
    mode: Mode,
    window: Window,
    jitter: Jitter,
    group: Option<Group>,
    group_generation: u64,
    /// The child whose start the next one in order waits for.
    opening: Option<ChildId>,
}

impl Supervision {
    /// Children in start order; nothing runs until [`Input::Start`]. Of two rules with one name the first counts.
    pub fn new(policy: Policy, rules: Vec<ChildRule>) -> Self {
        let jitter = Jitter::new(policy.seed);
        let mut supervision = Supervision {
            policy,
            children: Vec::new(),
            before: BTreeMap::new(),
            mode: Mode::Idle,
            window: Window::default(),
            jitter,
            group: None,
            group_generation: 0,
            opening: None,
        };
        for rule in rules {
            if supervision.find(&rule.id).is_none() {
                supervision.children.push(Child::new(rule, Goal::Run));
            }
        }
        supervision
    }

    /// Goes on counting generations where a supervisor before this one ended. To be called before anything is started.
    pub fn counting_from(mut self, newest: BTreeMap<ChildId, Generation>) -> Self {
        self.before = newest;
        for child in &mut self.children {
            child.generation = self
                .before
                .remove(&child.rule.id)
                .unwrap_or(child.generation);
        }
        self
    }

    /// The newest generation of every name that is or was a child.
    pub fn newest(&self) -> BTreeMap<ChildId, Generation> {
        let mut newest = self.before.clone();
        newest.extend(
            self.children
                .iter()
                .map(|child| (child.rule.id.clone(), child.generation)),
        );
        newest
    }

    /// Takes in what happened at `now_ms` and says what to do.
    pub fn handle(&mut self, now_ms: u64, input: Input) -> Vec<Action> {
        let mut out = Vec::new();
        match input {
            Input::Start if self.mode == Mode::Idle => self.mode = Mode::Running,
            Input::Start => {}
            Input::Started { child, generation } => {
                self.on_started(now_ms, &child, generation, &mut out)
            }
            Input::Gone {
                child,
                generation,
                exit,
                charged_elsewhere,
            } => {
                self.on_gone(
                    now_ms,
                    &child,
                    generation,
                    exit,
                    charged_elsewhere,
                    &mut out,
                );
            }
            Input::TimerFired { timer, generation } => {
                self.on_timer(now_ms, timer, generation, &mut out)
            }
            Input::Shutdown => {
                if matches!(self.mode, Mode::Idle | Mode::Running) {
                    self.close(Mode::ShuttingDown);
                }
            }
        }
        self.settle(&mut out);
        out
    }

    /// Takes in a request and says what to do.
    ///
    /// # Errors
    ///
    /// An unknown child, a name that is taken, or any request once the supervisor is stopping. Nothing changes then.
    pub fn request(&mut self, request: Request) -> Result<Vec<Action>, Refused> {
        let supervisor = || self.policy.name.clone();
        if !matches!(self.mode, Mode::Idle | Mode::Running) {
            return Err(Refused::Closing {
                supervisor: supervisor(),
            });
        }
        let (Request::Add(ChildRule { id: child, .. })
        | Request::Remove(child)
        | Request::Stop(child)
        | Request::Start(child)
        | Request::Kill(child)) = &request;
        let place = match (&request, self.find(child)) {
            (Request::Add(_), Some(_)) => {
                return Err(Refused::Duplicate {
                    supervisor: supervisor(),
                    child: child.clone(),
                });
            }
            (Request::Add(_), None) => self.children.len(),
            (_, Some(place)) => place,
            (_, None) => {
                return Err(Refused::Unknown {
                    supervisor: supervisor(),
                    child: child.clone(),
                });
            }
        };
        let mut out = Vec::new();
        match request {
            Request::Add(rule) => {
                let mut child = Child::new(rule, Goal::Rest);
                child.generation = self.before.remove(&child.rule.id).unwrap_or_default();
                self.children.push(child);
                self.open(place, &mut out);
            }
            Request::Start(_) => self.open(place, &mut out),
            Request::Stop(_) => self.retire(place, Goal::Rest, &mut out),
            Request::Remove(_) => self.retire(place, Goal::Remove, &mut out),
            Request::Kill(_) => self.kill(place, &mut out),
        }
        self.settle(&mut out);
        Ok(out)
    }

    /// Every child, in start order.
    pub fn children(&self) -> Vec<ChildView> {
        self.children.iter().map(Child::view).collect()
    }

    /// What it was built with.
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    fn on_started(
        &mut self,
        now_ms: u64,
        id: &ChildId,
        generation: Generation,
        out: &mut Vec<Action>,
    ) {
        let Some(place) = self.find(id) else { return };
        let child = &mut self.children[place];
        if child.generation != generation || !child.alive() {
            return;
        }
        child.up_since_ms = Some(now_ms);
        if child.phase == Phase::Starting {
            child.phase = Phase::Up;
        }
        out.push(Action::Tell(Lifecycle::Started {
            child: id.clone(),
            generation,
        }));
        self.opened(id);
    }

    fn on_gone(
        &mut self,
        now_ms: u64,
        id: &ChildId,
        generation: Generation,
        exit: Exit,
        charged_elsewhere: bool,
        out: &mut Vec<Action>,
    ) {
        let Some(place) = self.find(id) else { return };
        let child = &mut self.children[place];
        if let Some(leak) = child.leaked.iter().position(|leaked| *leaked == generation) {
            child.leaked.remove(leak);
            out.push(Action::Tell(Lifecycle::Reaped {
                child: id.clone(),
                generation,
                exit,
            }));
            return;
        }
        if child.generation != generation || !child.alive() {
            return;
        }
        let asked = matches!(child.phase, Phase::Stopping | Phase::Ending);
        child.phase = Phase::Down;
        child.last_exit = Some(exit.clone());
        out.push(Action::Tell(Lifecycle::Exited {
            child: id.clone(),
            generation,
            exit: exit.clone(),
        }));
        self.opened(id);
        let child = &mut self.children[place];
        // A sibling that fails while its group is being stopped joins that restart: one cause, one restart.
        if asked || child.goal != Goal::Run || self.mode != Mode::Running {
            child.up_since_ms = None;
        } else if child.restarts_after(&exit) {
            self.fail(now_ms, place, exit, charged_elsewhere, out);
        } else {
            child.goal = Goal::Rest;
            out.push(Action::Tell(Lifecycle::Finished { child: id.clone() }));
        }
    }

    /// Decides what the failure of a child that should be up leads to.
    fn fail(
        &mut self,
        now_ms: u64,
        place: usize,
        exit: Exit,
        charged_elsewhere: bool,
        out: &mut Vec<Action>,
    ) {
        let Policy {
            strategy,
            intensity,
            backoff,
            ..
        } = self.policy;
        let child = &mut self.children[place];
        let id = child.rule.id.clone();
        let ran_ms = child
            .up_since_ms
            .take()
            .map(|since| now_ms.saturating_sub(since));
        let stable = ran_ms.is_some_and(|ran| ran >= backoff.stable_ms);
        child.failures = if stable {
            1
        } else {
            child.failures.saturating_add(1)
        };
        let generation = child.generation.0;
        let failures = child.failures;
        if !charged_elsewhere && !self.window.charge(now_ms, intensity) {
            let reason = Escalation {
                supervisor: self.policy.name.clone(),
                child: id,
                exit: Box::new(exit),
                restart_max: intensity.restart_max,
                within_ms: intensity.within_ms,
            };
            out.push(Action::Tell(Lifecycle::GivingUp {
                reason: reason.clone(),
            }));
            self.close(Mode::GivingUp(reason));
            return;
        }
        let delay_ms = backoff.delay_ms(failures, &mut self.jitter);
        if strategy == Strategy::OneForOne {
            self.children[place].goal = Goal::Backoff;
            out.push(Action::Tell(Lifecycle::Restarting {
                child: id.clone(),
                delay_ms,
            }));
            out.push(Action::Schedule {
                timer: Timer::Restart(id),
                generation,
                delay_ms,
            });
            return;
        }
        let affected = strategy.affected(place, self.children.len());
        for sibling in affected {
            let child = &mut self.children[sibling];
            let stays_down = child.rule.restart == Restart::Temporary && child.alive();
            match child.goal {
                Goal::Rest | Goal::Remove => {}
                _ if stays_down => child.goal = Goal::Rest,
                _ => child.goal = Goal::Group,
            }
        }
        let members = self
            .children
            .iter()
            .filter(|child| child.goal == Goal::Group);
        let children = members.map(|child| child.rule.id.clone()).collect();
        self.group_generation += 1;
        self.group = Some(Group {
            generation: self.group_generation,
            due: false,
        });
        out.push(Action::Tell(Lifecycle::GroupRestarting {
            children,
            delay_ms,
        }));
        out.push(Action::Schedule {
            timer: Timer::Group,
            generation: self.group_generation,
            delay_ms,
        });
    }

    fn on_timer(&mut self, now_ms: u64, timer: Timer, generation: u64, out: &mut Vec<Action>) {
        if let Timer::Group = timer {
            if let Some(group) = self
                .group
                .as_mut()
                .filter(|group| group.generation == generation)
            {
                group.due = true;
            }
            return;
        }
        let (Timer::Restart(id) | Timer::Grace(id) | Timer::Join(id)) = &timer else {
            return;
        };
        let Some(place) = self.find(id) else { return };
        let child = &mut self.children[place];
        if child.generation.0 != generation {
            return;
        }
        match timer {
            Timer::Restart(_) if child.goal == Goal::Backoff && !child.alive() => {
                child.goal = Goal::Run;
                self.spawn(place, out);
            }
            Timer::Grace(_) if child.phase == Phase::Stopping => {
                self.end(place, Phase::Ending, out)
            }
            Timer::Join(id) if child.leaving() => {
                let generation = child.generation;
                out.push(Action::Tell(Lifecycle::Leaked {
                    child: id.clone(),
                    generation,
                }));
                self.on_gone(now_ms, &id, generation, Exit::Leaked, false, out);
                self.children[place].leaked.push(generation);
            }
            _ => {}
        }
    }

    /// Takes the next step from what is to what should be.
    fn settle(&mut self, out: &mut Vec<Action>) {
        self.children.retain(|child| {
            let gone = child.goal == Goal::Remove && !child.alive();
            if gone {
                out.push(Action::Tell(Lifecycle::Removed {
                    child: child.rule.id.clone(),
                }));
                out.push(Action::Forget(child.rule.id.clone()));
                self.before.insert(child.rule.id.clone(), child.generation);
            }
            !gone
        });
        if matches!(self.mode, Mode::Idle | Mode::Over) {
            return;
        }
        let leaving = self.children.iter().any(Child::leaving);
        let next_to_stop = self
            .children
            .iter()
            .rposition(|child| child.alive() && child.unwanted());
        match next_to_stop {
            Some(place) if !leaving => self.ask_to_stop(place, out),
            Some(_) => {}
            None if self.mode != Mode::Running => return self.finish(out),
            None => {}
        }
        if self.mode == Mode::Running {
            self.start_next(out);
        }
    }

    fn start_next(&mut self, out: &mut Vec<Action>) {
        let settled =
            |child: &Child| !child.leaving() && (child.goal != Goal::Group || !child.alive());
        if self.group.as_ref().is_some_and(|group| group.due) && self.children.iter().all(settled) {
            self.group = None;
            for child in self
                .children
                .iter_mut()
                .filter(|child| child.goal == Goal::Group)
            {
                child.goal = Goal::Run;
            }
        }
        if self.opening.is_none()
            && let Some(place) = self
                .children
                .iter()
                .position(|child| child.goal == Goal::Run && !child.alive())
        {
            self.opening = Some(self.children[place].rule.id.clone());
            self.spawn(place, out);
        }
    }

    fn finish(&mut self, out: &mut Vec<Action>) {
        let told = match std::mem::replace(&mut self.mode, Mode::Over) {
            Mode::GivingUp(reason) => Lifecycle::Escalated { reason },
            _ => Lifecycle::Stopped,
        };
        out.push(Action::Tell(told));
    }

    fn close(&mut self, mode: Mode) {
        self.mode = mode;
        self.group = None;
        self.opening = None;
        for child in &mut self.children {
            if child.goal != Goal::Remove {
                child.goal = Goal::Rest;
            }
        }
    }

    /// Gives a child the goal to be up. Without ties between siblings nobody waits for anybody's turn.
    fn open(&mut self, place: usize, out: &mut Vec<Action>) {
        let grouped = self.group.is_some() && self.policy.strategy != Strategy::OneForOne;
        let child = &mut self.children[place];
        if matches!(child.goal, Goal::Run | Goal::Group) {
            return;
        }
        child.goal = Goal::Run;
        if child.alive() || self.mode == Mode::Idle {
            return;
        }
        if grouped {
            // It starts in its place among the others once the group's backoff is over.
            child.goal = Goal::Group;
        } else if self.policy.strategy == Strategy::OneForOne && self.opening.is_none() {
            self.spawn(place, out);
        }
    }

    /// Gives a child the goal to be down, and asks it at once: a request does not wait for a turn.
    fn retire(&mut self, place: usize, goal: Goal, out: &mut Vec<Action>) {
        let child = &mut self.children[place];
        if child.goal != Goal::Remove {
            child.goal = goal;
        }
        if child.alive() && !child.leaving() {
            self.ask_to_stop(place, out);
        }
    }

    fn kill(&mut self, place: usize, out: &mut Vec<Action>) {
        match self.children[place].phase {
            Phase::Starting | Phase::Up => self.end(place, Phase::Killing, out),
            Phase::Stopping => self.end(place, Phase::Ending, out),
            Phase::Down | Phase::Ending | Phase::Killing => {}
        }
    }

    fn spawn(&mut self, place: usize, out: &mut Vec<Action>) {
        let child = &mut self.children[place];
        child.generation.0 += 1;
        child.phase = Phase::Starting;
        child.up_since_ms = None;
        let (child, generation) = (child.rule.id.clone(), child.generation);
        out.push(Action::Tell(Lifecycle::Starting {
            child: child.clone(),
            generation,
        }));
        out.push(Action::Spawn { child, generation });
    }

    fn ask_to_stop(&mut self, place: usize, out: &mut Vec<Action>) {
        let child = &mut self.children[place];
        if child.rule.grace_ms == 0 {
            return self.end(place, Phase::Ending, out);
        }
        child.phase = Phase::Stopping;
        let (id, generation, delay_ms) =
            (child.rule.id.clone(), child.generation, child.rule.grace_ms);
        out.push(Action::Tell(Lifecycle::Stopping {
            child: id.clone(),
            generation,
        }));
        out.push(Action::Stop {
            child: id.clone(),
            generation,
        });
        if delay_ms != UNLIMITED_MS {
            out.push(Action::Schedule {
                timer: Timer::Grace(id),
                generation: generation.0,
                delay_ms,
            });
        }
    }

    /// Kills a child. The phase remembers whether that is a failure or only the end of our patience.
    fn end(&mut self, place: usize, phase: Phase, out: &mut Vec<Action>) {
        self.children[place].phase = phase;
        let Child {
            rule: ChildRule { id, .. },
            generation,
            ..
        } = &self.children[place];
        let (id, generation, delay_ms) = (id.clone(), *generation, self.policy.join_ms);
        out.push(Action::Tell(Lifecycle::Killing {
            child: id.clone(),
            generation,
        }));
        out.push(Action::Kill {
            child: id.clone(),
            generation,
        });
        out.push(Action::Schedule {
            timer: Timer::Join(id),
            generation: generation.0,
            delay_ms,
        });
    }

    fn opened(&mut self, id: &ChildId) {
        if self.opening.as_ref() == Some(id) {
            self.opening = None;
        }
    }

    fn find(&self, id: &ChildId) -> Option<usize> {
        self.children.iter().position(|child| child.rule.id == *id)
    }
}
