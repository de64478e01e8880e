//! The model: all that the screen depends on, and how each input changes it.
//!
//! `take(input)` and [`Model::next_question`] are all that happens: no clock, no terminal, no connection. Time comes in as an input. A question is
//! asked again when what it asks for has changed or something has happened since; one is under way at a time, so that a slow
//! director is never asked faster than it answers.
//!
//! Elsewhere: what keys do is `super::keys`; how it looks is [`super::screen`]; who asks is `super::link`.

use std::collections::VecDeque;

use crossterm::event::KeyEvent;
use director_protocols::time::{Span, Time};
use serde_json::Value;

use super::ask::{Question, SLOTS};
use super::seen::{self, Event};
use crate::control::facts::TaskFacts;
use crate::control::protocol::{Answer, EventLine, Fault, FaultKind, Order};

/// The most events that are kept; older ones are in `director events`.
pub const EVENTS_MAX: usize = 5_000;

/// Answers carry times in words ("for 3m"); while a sprint runs they are asked for anew this often.
const STALE_AFTER: Span = Span::seconds(5);

/// A page of the screen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Page {
    /// Who does what.
    #[default]
    Team,
    /// Tasks by state.
    Tasks,
    /// Tasks by level.
    Graph,
    /// What happened.
    Events,
    /// What waits for a person.
    Inbox,
    /// All sprints.
    Sprints,
    /// One task, as a whole.
    Task,
}

impl Page {
    /// Those with a number, in order.
    pub const ALL: [Page; 6] = [
        Page::Team,
        Page::Tasks,
        Page::Graph,
        Page::Events,
        Page::Inbox,
        Page::Sprints,
    ];

    /// Its title.
    pub fn title(self) -> &'static str {
        match self {
            Page::Team => "Team",
            Page::Tasks => "Tasks",
            Page::Graph => "Graph",
            Page::Events => "Events",
            Page::Inbox => "Inbox",
            Page::Sprints => "Sprints",
            Page::Task => "Task",
        }
    }
}

/// A place in a list: what is chosen, and what is at the top of the screen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct At {
    /// What is chosen, from 0.
    pub at: usize,
    /// The first that is shown.
    pub top: usize,
}

impl At {
    /// Moves by so many, within `len`, and keeps it within `rows`.
    pub fn step(&mut self, by: isize, len: usize, rows: usize) {
        self.at = self.at.saturating_add_signed(by);
        self.settle(len, rows);
    }

    /// Keeps the choice in the list and the list on the screen.
    pub fn settle(&mut self, len: usize, rows: usize) {
        self.at = self.at.min(len.saturating_sub(1));
        let rows = rows.max(1);
        self.top = self
            .top
            .min(self.at)
            .max((self.at + 1).saturating_sub(rows));
        self.top = self.top.min(len.saturating_sub(rows.min(len)));
    }
}

/// Whether there is a director.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Link {
    /// None was there yet.
    #[default]
    Waiting,
    /// Connected.
    Live,
    /// It was there, and why it is not.
    Lost(String),
}

/// What is being typed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// The answer to something in the inbox.
    Answer(u32),
    /// The reason of a no.
    Reject(u32),
    /// What the tasks shown have in their name.
    FilterTasks,
    /// What the events shown have in them.
    FilterEvents,
}

/// A line that is being typed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Prompt {
    /// For what.
    pub purpose: Purpose,
    /// So far.
    pub text: String,
    /// Characters before the cursor.
    pub cursor: usize,
}

/// The page of a task.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TaskPage {
    /// Its sprint.
    pub sprint: Option<String>,
    /// Its name.
    pub task: String,
    /// Where Esc leads.
    pub from: Page,
    /// Lines of its story that are above the screen.
    pub scroll: usize,
    /// Its log has the whole body.
    pub log_alone: bool,
    /// Lines of its log below the screen; 0 follows it.
    pub log_up: usize,
    /// The end of what its attempt printed, in lines.
    pub log: Vec<String>,
    /// Which attempt that was; 0 for none.
    pub log_attempt: u32,
}

/// What happened, as far as it is kept.
#[derive(Clone, Debug, PartialEq)]
pub struct Events {
    /// Oldest first.
    pub lines: VecDeque<Event>,
    /// The newest is always shown.
    pub follow: bool,
    /// Only those with this in them.
    pub filter: String,
    /// Those of other sprints too.
    pub all: bool,
    /// The place among those that are shown.
    pub at: At,
}

/// What the director said last.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Seen {
    /// All sprints.
    pub sprints: seen::Sprints,
    /// The sprint that is shown.
    pub live: seen::Live,
    /// The team.
    pub agents: seen::Agents,
    /// A page of tasks.
    pub tasks: seen::Tasks,
    /// A page of the graph.
    pub graph: seen::Graph,
    /// What waits.
    pub inbox: seen::Inbox,
    /// What the list of tasks, or the graph, is the answer to.
    pub list_of: Option<Question>,
    /// The task that is shown.
    pub why: seen::Why,
    /// Where its work is.
    pub facts: TaskFacts,
}

/// Something that comes in.
#[derive(Debug)]
pub enum Input {
    /// A key.
    Key(KeyEvent),
    /// A text, all at once.
    Paste(String),
    /// Columns and lines.
    Resize(u16, u16),
    /// What time it is.
    Clock(Time),
    /// A director is there; whether its journal is the one that was shown.
    Connected {
        /// The events so far are of the same journal.
        same: bool,
    },
    /// There is none, and why.
    Gone(String),
    /// What happened.
    Events(Vec<EventLine>),
    /// What a question got.
    Answered(Question, Result<Answer, Fault>),
    /// What an order got.
    Done(Result<Answer, Fault>),
    /// The end of what a task's attempt printed.
    Log {
        /// The task.
        task: String,
        /// Which attempt.
        attempt: u32,
        /// Harmless text.
        text: String,
    },
}

/// Everything that the screen depends on.
#[derive(Clone, Debug, PartialEq)]
pub struct Model {
    /// Columns and lines.
    pub size: (u16, u16),
    /// Whether there is colour.
    pub colour: bool,
    /// What time it is.
    pub now: Time,
    /// Who gives orders.
    pub by: String,
    /// Whether there is a director.
    pub link: Link,
    /// What is shown.
    pub page: Page,
    /// The sprint that was chosen; the current one without.
    pub sprint: Option<String>,
    /// What the director said last.
    pub seen: Seen,
    /// What happened.
    pub events: Events,
    /// Places in lists.
    pub team: At,
    /// Among the tasks.
    pub tasks: At,
    /// The column of tasks that is shown; all without.
    pub column: Option<&'static str>,
    /// Only tasks with this in their name.
    pub filter: String,
    /// In the graph.
    pub graph: At,
    /// In the inbox.
    pub inbox: At,
    /// Among the sprints.
    pub sprints: At,
    /// The task that is shown.
    pub task: TaskPage,
    /// What is being typed.
    pub prompt: Option<Prompt>,
    /// What came of an order, and whether it was bad.
    pub message: Option<(String, bool)>,
    /// The keys are shown.
    pub help: bool,
    /// It is over.
    pub quit: bool,
    /// To be given.
    pub orders: Vec<Order>,
    /// Enter was pressed on a list that is not there yet.
    pub open_soon: bool,
    /// Rises with what happens.
    version: u64,
    /// The same for the task that is shown.
    task_version: u64,
    refreshed: Time,
    asked: [Option<(Question, u64)>; SLOTS],
    under_way: bool,
}

impl Model {
    /// Before anything was seen.
    pub fn new(size: (u16, u16), colour: bool, by: String, now: Time) -> Self {
        Self {
            size,
            colour,
            now,
            by,
            link: Link::default(),
            page: Page::default(),
            sprint: None,
            seen: Seen::default(),
            events: Events {
                lines: VecDeque::new(),
                follow: true,
                filter: String::new(),
                all: true,
                at: At::default(),
            },
            team: At::default(),
            tasks: At::default(),
            column: None,
            filter: String::new(),
            graph: At::default(),
            inbox: At::default(),
            sprints: At::default(),
            task: TaskPage::default(),
            prompt: None,
            message: None,
            help: false,
            quit: false,
            orders: Vec::new(),
            open_soon: false,
            version: 0,
            task_version: 0,
            refreshed: now,
            asked: [const { None }; SLOTS],
            under_way: false,
        }
    }

    /// The model after an input.
    #[must_use]
    pub fn take(mut self, input: Input) -> Self {
        match input {
            Input::Key(key) => super::keys::press(&mut self, key),
            Input::Paste(text) => super::keys::paste(&mut self, &text),
            Input::Resize(columns, lines) => self.size = (columns, lines),
            Input::Clock(now) => self.clock(now),
            Input::Connected { same } => {
                self.link = Link::Live;
                self.under_way = false;
                self.version += 1;
                self.task_version += 1;
                if !same {
                    self.events.lines.clear();
                }
            }
            Input::Gone(why) => {
                self.under_way = false;
                self.link = match self.link {
                    Link::Waiting => Link::Waiting,
                    Link::Live | Link::Lost(_) => Link::Lost(why),
                };
            }
            Input::Events(lines) => self.happened(lines),
            Input::Answered(question, answer) => self.answered(&question, answer),
            Input::Done(done) => {
                self.version += 1;
                self.task_version += 1;
                self.message = Some(match done {
                    Ok(answer) => (answer.text, false),
                    Err(fault) => (fault.message, true),
                });
            }
            Input::Log {
                task,
                attempt,
                text,
            } => {
                if task == self.task.task {
                    self.task.log = text.lines().map(str::to_owned).collect();
                    self.task.log_attempt = attempt;
                }
            }
        }
        self.settle();
        self
    }

    fn clock(&mut self, now: Time) {
        self.now = now;
        if self.is_ticking() && now.since(self.refreshed) >= STALE_AFTER {
            self.refreshed = now;
            self.version += 1;
        }
    }

    /// Whether something on the screen changes with time alone.
    pub fn is_ticking(&self) -> bool {
        self.link == Link::Live
            && matches!(
                self.seen.live.state.as_str(),
                "running" | "emergency" | "paused" | "halted" | "preparing"
            )
    }

    fn happened(&mut self, lines: Vec<EventLine>) {
        for line in lines {
            let event = Event::of(line);
            if event.tasks.contains(&self.task.task) {
                self.task_version += 1;
            }
            if self.events.lines.len() >= EVENTS_MAX {
                self.events.lines.pop_front();
                if !self.events.follow {
                    // What is looked at stays where it is.
                    self.events.at.at = self.events.at.at.saturating_sub(1);
                    self.events.at.top = self.events.at.top.saturating_sub(1);
                }
            }
            self.events.lines.push_back(event);
        }
        self.version += 1;
        self.refreshed = self.now;
    }

    fn answered(&mut self, question: &Question, answer: Result<Answer, Fault>) {
        self.under_way = false;
        let json = match answer {
            Ok(answer) => answer.json,
            // Nobody was there to ask: what was said last is still shown.
            Err(fault) if matches!(fault.kind, FaultKind::Stopped | FaultKind::Busy) => return,
            // There is no such thing (yet), so nothing is shown of it.
            Err(_) => Value::Null,
        };
        match question {
            Question::Sprints => self.seen.sprints = seen::read(json),
            Question::Live { .. } => {
                self.seen.live = seen::read(json);
                self.seen.live.at = self.now;
            }
            Question::Agents => self.seen.agents = seen::read(json),
            Question::Tasks { .. } | Question::Graph { .. } => {
                match question {
                    Question::Tasks { .. } => self.seen.tasks = seen::read(json),
                    _ => self.seen.graph = seen::read(json),
                }
                self.seen.list_of = Some(question.clone());
                if std::mem::take(&mut self.open_soon) {
                    super::keys::open(self);
                }
            }
            Question::Inbox => self.seen.inbox = seen::read(json),
            Question::Why { task, .. } if *task == self.task.task => {
                self.seen.why = seen::read(json);
            }
            Question::Facts { task, .. } if *task == self.task.task => {
                self.seen.facts = serde_json::from_value(json).unwrap_or_default();
            }
            Question::Why { .. } | Question::Facts { .. } => {}
        }
    }

    /// What is to be asked now, if anything; it counts as under way from here on.
    pub fn next_question(&mut self) -> Option<Question> {
        if self.under_way || self.link != Link::Live {
            return None;
        }
        let next = super::ask::wanted(self).into_iter().find(|question| {
            let version = self.version_of(question);
            self.asked[question.slot()]
                .as_ref()
                .is_none_or(|(asked, at)| asked != question || *at < version)
        })?;
        let version = self.version_of(&next);
        self.asked[next.slot()] = Some((next.clone(), version));
        self.under_way = true;
        Some(next)
    }

    fn version_of(&self, question: &Question) -> u64 {
        match question {
            // Both read a whole story, so only what is about the task counts.
            Question::Why { .. } | Question::Facts { .. } => self.task_version,
            _ => self.version,
        }
    }

    /// The sprint that is shown, by name; empty before there is one.
    pub fn shown_sprint(&self) -> &str {
        self.sprint.as_deref().unwrap_or(&self.seen.live.sprint)
    }

    /// The events that pass the filter, oldest first, by their place among those that are kept.
    pub fn shown_events(&self) -> Vec<usize> {
        let filter = self.events.filter.to_lowercase();
        let sprint = self.shown_sprint();
        let fits = |event: &Event| {
            (self.events.all || event.sprint.as_deref().is_none_or(|of| of == sprint))
                && (filter.is_empty()
                    || event.text.to_lowercase().contains(&filter)
                    || event.name.replace('_', " ").contains(&filter)
                    || event.name.contains(&filter))
        };
        let lines = self.events.lines.iter().enumerate();
        lines
            .filter(|(_, event)| fits(event))
            .map(|(n, _)| n)
            .collect()
    }

    /// Whether the list of the page is the answer to what is asked for now.
    pub fn has_list(&self) -> bool {
        match self.page {
            Page::Tasks | Page::Graph => {
                self.seen.list_of.as_ref() == super::ask::wanted(self).first()
            }
            _ => true,
        }
    }

    /// Opens the page of a task.
    pub fn open_task(&mut self, sprint: Option<String>, task: String) {
        self.task = TaskPage {
            sprint,
            task,
            from: match self.page {
                Page::Task => self.task.from,
                page => page,
            },
            ..TaskPage::default()
        };
        self.seen.why = seen::Why::default();
        self.seen.facts = TaskFacts::default();
        self.task_version += 1;
        self.page = Page::Task;
    }

    /// Keeps every choice in its list and on the screen.
    fn settle(&mut self) {
        let rows = super::screen::rows(self);
        self.team.settle(self.seen.agents.agents.len(), rows.team);
        self.tasks.settle(self.seen.tasks.total, rows.tasks);
        self.graph.settle(self.seen.graph.total, rows.graph);
        self.inbox.settle(self.seen.inbox.inbox.len(), rows.inbox);
        self.sprints
            .settle(self.seen.sprints.sprints.len(), rows.sprints);
        if self.page == Page::Events {
            let shown = self.shown_events().len();
            if self.events.follow {
                self.events.at.at = shown.saturating_sub(1);
            }
            self.events.at.settle(shown, rows.events);
        }
    }
}
