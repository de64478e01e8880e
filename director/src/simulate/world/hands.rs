//! What agents do in a round: what ends, what they go on with, what they begin.
//!
//! Elsewhere: in which order an agent takes its messages is [`super::super::crew`]; the rest of the world is the parent module.

use std::cmp::Reverse;

use director_protocols::ids::AgentId;

use super::super::crew::{Key, Mail, Next};
use super::super::inputs::{Fate, Input};
use super::{Course, World};

impl World<'_> {
    /// Collects what is of the present round, with what agents do next in it, and sorts it.
    pub(super) fn gather(&mut self) {
        self.answers = self.round;
        loop {
            let from = self.batch.len();
            while let Some(Reverse(due)) = self.heap.peek()
                && (due.at, due.round) == (self.now, self.round)
                && let Some(Reverse(due)) = self.heap.pop()
            {
                if self.happens_to_crew(&due.input) {
                    self.batch.push((due.rank, due.input));
                }
            }
            if self.batch.len() == from {
                break;
            }
            self.stir();
        }
        // What agents go on with came behind what they ended.
        if !self.batch.is_sorted() {
            self.batch.sort_unstable();
        }
        self.answers = self.round + 1;
    }

    /// What an input means for the agent that it is about. False for one that is not true any more.
    fn happens_to_crew(&mut self, input: &Input) -> bool {
        match *input {
            Input::Ended(task, attempt, agent, fate) => {
                // Called off meanwhile.
                if !self.crew.has(agent, (task, attempt)) {
                    return false;
                }
                match fate {
                    Fate::Silent => {}
                    Fate::Crash => {
                        if let Some(wait) = self.crew.dies(self.engine.state(), agent, self.now) {
                            self.after(wait, Input::Up(agent));
                        }
                    }
                    _ => self.rest(agent),
                }
            }
            Input::Spent(task, attempt, agent, _) => return self.crew.has(agent, (task, attempt)),
            Input::Delivered(_, _, agent, _) => self.rest(agent),
            Input::Up(agent) => self.crew.rises(self.engine.state(), agent, self.now),
            _ => {}
        }
        true
    }

    /// An agent's turn is over.
    fn rest(&mut self, agent: AgentId) {
        if self.crew.free(agent) {
            self.goes_on(agent);
        }
    }

    /// Agents that were sent something do what they can.
    pub(super) fn stir(&mut self) {
        while let Some(agent) = self.crew.stirred() {
            self.goes_on(agent);
        }
    }

    fn goes_on(&mut self, agent: AgentId) {
        while let Some(next) = self.crew.next(agent) {
            match next {
                Next::Cancelled((task, attempt)) => self.after(0, Input::Cancelled(task, attempt)),
                Next::Takes(Mail::Assign(id, key)) => {
                    self.after(0, Input::Started(id, key.0, key.1));
                    let course = self.course(key, 0);
                    self.go(key, agent, course);
                }
                Next::Takes(Mail::Asked(id, message, wait, knows)) => {
                    self.after(wait, Input::Delivered(id, message, agent, knows));
                }
                Next::Takes(Mail::Answer(id, message)) => {
                    self.after(0, Input::Delivered(id, message, agent, false));
                }
            }
        }
    }

    /// An agent is at work on an attempt.
    pub(super) fn go(&mut self, (task, attempt): Key, agent: AgentId, course: Course) {
        if let Some(silent) = course.silent {
            self.after(silent, Input::Ended(task, attempt, agent, Fate::Silent));
        }
        for (wait, cost) in course.spends.into_iter().flatten() {
            self.after(wait, Input::Spent(task, attempt, agent, cost));
        }
        self.after(course.took, Input::Ended(task, attempt, agent, course.fate));
    }
}
