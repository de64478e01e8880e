//! What an agent has at hand during a turn: its assignment, time, cancellation, and a voice.
//!
//! A [`Context`] is a cheap handle; clones are the same context. What an agent says through it leaves as a
//! [`Note`] at once, so nothing is lost when the turn is dropped later. Files of an attempt have one place,
//! [`Context::attempt_dir`], below the data directory.
//!
//! Invariant: a note carries no claim about *which* attempt it belongs to; whoever listens knows that.
//! Elsewhere: notes become commands in [`crate::cell`].

use std::future::Future;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use director_protocols::ids::{Attempt, TaskId};
use director_protocols::shared::Shared;
use director_protocols::time::{Span, Time};
use director_protocols::work::{Artifact, Assignment, TEXT_BYTES_MAX};
use director_runtime::blobs::Blobs;
use director_runtime::clock::Clock;
use tokio::sync::watch;
use tokio::time::Instant;

use crate::agent::AgentError;
use crate::command::report::name_by_content;
use crate::process::Guard;
use crate::reach::Reach;

/// The longest progress note that is kept, in bytes; the rest is cut off.
pub const PROGRESS_BYTES_MAX: usize = 500;
/// The longest session id that is believed, in bytes.
pub const SESSION_BYTES_MAX: usize = 200;
/// The most that an agent can tell others in one attempt.
pub const TELLS_MAX: u32 = 1_000;

/// Something an agent says during a turn.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Note {
    /// How far the task in hand is; shown, not journalled.
    Progress {
        /// 0 to 100.
        percent: u8,
        /// What is being done.
        text: String,
    },
    /// Something for another agent or role.
    Told {
        /// An agent's or a role's name.
        to: String,
        /// What.
        text: String,
    },
    /// The session that a later attempt can go on with.
    Session {
        /// The session's own id.
        session: String,
    },
    /// What the attempt has spent so far.
    Spent {
        /// All of it, from its beginning on, in millionths of a dollar.
        cost_micros: u64,
    },
    /// The liveness monitor changed its mind.
    Liveness {
        /// `working`, `silent`, `waiting` or `wedged`.
        state: String,
    },
}

/// Who hears an agent's notes.
pub(crate) type Listener = Arc<dyn Fn(Note) + Send + Sync>;

/// What all agents of one director share.
#[derive(Clone, Debug)]
pub struct Host {
    /// The data directory; attempts keep their files below it. Absolute.
    pub data_dir: PathBuf,
    /// The clock that [`Context::now`] reads.
    pub clock: Clock,
    /// Ends what is left of a command when the director itself dies; `None` in tests.
    pub guard: Option<Arc<Guard>>,
    /// First part of the mark in the environment of every command: names the data directory and the run. No other
    /// director on the machine may have the same.
    pub mark: String,
    /// Where the content of artifacts is kept; `None` in tests.
    pub blobs: Option<Arc<Blobs>>,
    /// What an agent at work is given to reach the director; `None` in tests.
    pub reach: Option<Arc<Reach>>,
    /// Whether traces are sent, so that commands are told which span they are part of.
    pub traced: bool,
}

impl Host {
    /// A host without a guard, whose mark no other host of this machine has now.
    pub fn new(data_dir: impl Into<PathBuf>, clock: Clock) -> Self {
        static HOSTS: AtomicU32 = AtomicU32::new(0);
        // Commands are ended by their mark, so two hosts with one mark would end each other's.
        let n = HOSTS.fetch_add(1, Ordering::Relaxed);
        let mark = format!("director/{}/{n}", std::process::id());
        Self {
            data_dir: data_dir.into(),
            clock,
            guard: None,
            mark,
            blobs: None,
            reach: None,
            traced: false,
        }
    }

    /// Where an attempt keeps its files: `attempts/<task>/<attempt>` below the data directory.
    pub fn attempt_dir(&self, task: TaskId, attempt: Attempt) -> PathBuf {
        self.data_dir
            .join("attempts")
            .join(task.to_string())
            .join(attempt.to_string())
    }

    /// Where the output of an attempt is logged.
    pub fn log_path(&self, task: TaskId, attempt: Attempt) -> PathBuf {
        self.attempt_dir(task, attempt).join("output.log")
    }
}

/// What an agent has at hand during a turn. Clones are handles to the same context.
#[derive(Clone)]
pub struct Context(Arc<Inner>);

struct Inner {
    agent: String,
    host: Host,
    listener: Listener,
    recorded: Option<Arc<Mutex<Vec<Note>>>>,
    assignment: Option<Shared<Assignment>>,
    deadline: Mutex<Option<Instant>>,
    cancel: watch::Sender<bool>,
    tells: AtomicU32,
    spent: AtomicU64,
}

impl Context {
    /// A context for an agent with nothing in hand.
    pub(crate) fn idle(agent: &str, host: Host, listener: Listener) -> Self {
        Self::make(agent, host, listener, None, None)
    }

    /// A context for one attempt, which has to end at `deadline`.
    pub(crate) fn attempt(
        agent: &str,
        host: Host,
        listener: Listener,
        assignment: Shared<Assignment>,
        deadline: Option<Instant>,
    ) -> Self {
        Self::make(agent, host, listener, Some(assignment), deadline)
    }

    fn make(
        agent: &str,
        host: Host,
        listener: Listener,
        assignment: Option<Shared<Assignment>>,
        deadline: Option<Instant>,
    ) -> Self {
        Self(Arc::new(Inner {
            agent: agent.to_owned(),
            host,
            listener,
            recorded: None,
            assignment,
            deadline: Mutex::new(deadline),
            cancel: watch::Sender::new(false),
            tells: AtomicU32::new(0),
            spent: AtomicU64::new(0),
        }))
    }

    /// A context that records what it is told, for unit tests: no runtime of ours is needed.
    ///
    /// Its time stands at 0, its files would lie below the system's directory for temporary files, and it
    /// has no deadline. [`Context::notes`] shows what the agent said, [`Context::cancel`] calls it off.
    pub fn for_tests(assignment: &Assignment) -> Self {
        Self::for_tests_in(assignment, &std::env::temp_dir())
    }

    /// As [`Context::for_tests`], with a data directory.
    pub fn for_tests_in(assignment: &Assignment, data_dir: &Path) -> Self {
        let recorded = Arc::new(Mutex::new(Vec::new()));
        let record = Arc::clone(&recorded);
        Self(Arc::new(Inner {
            agent: format!("{}-1", assignment.role),
            host: Host::new(data_dir, Clock::system()),
            listener: Arc::new(move |note| {
                record
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .push(note);
            }),
            recorded: Some(recorded),
            assignment: Some(assignment.clone().into()),
            deadline: Mutex::default(),
            cancel: watch::Sender::new(false),
            tells: AtomicU32::new(0),
            spent: AtomicU64::new(0),
        }))
    }

    /// A small assignment with `description`, for unit tests.
    pub fn assignment_for_tests(description: &str) -> Assignment {
        crate::samples::assignment(description)
    }

    /// What was said so far, in a context made by [`Context::for_tests`]; empty in others.
    pub fn notes(&self) -> Vec<Note> {
        self.0.recorded.as_ref().map_or_else(Vec::new, |recorded| {
            recorded
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .clone()
        })
    }

    /// The agent's own name, such as `api-engineer-2`.
    pub fn agent(&self) -> &str {
        &self.0.agent
    }

    /// The assignment in hand.
    pub fn assignment(&self) -> Option<&Assignment> {
        self.0.assignment.as_deref()
    }

    /// Says how far the task in hand is; more than 100 counts as 100.
    pub fn progress(&self, percent: u8, text: impl Into<String>) {
        let text = clip(text.into(), PROGRESS_BYTES_MAX);
        self.say(Note::Progress {
            percent: percent.min(100),
            text,
        });
    }

    /// Tells another agent or role something; the director delivers it.
    ///
    /// # Errors
    /// A transient [`AgentError`] once [`TELLS_MAX`] things were told in this context.
    pub fn tell(&self, to: impl Into<String>, text: impl Into<String>) -> Result<(), AgentError> {
        if self.0.tells.fetch_add(1, Ordering::Relaxed) >= TELLS_MAX {
            return Err(AgentError::transient(format!(
                "{} has told others {TELLS_MAX} things in one attempt, which is the limit; say more at once",
                self.0.agent
            )));
        }
        let text = clip(text.into(), TEXT_BYTES_MAX);
        self.say(Note::Told {
            to: to.into(),
            text,
        });
        Ok(())
    }

    /// Names the session that a later attempt can go on with. One that is empty, longer than
    /// [`SESSION_BYTES_MAX`] or has control characters is left out with a warning.
    pub fn session(&self, session: impl Into<String>) {
        let session = session.into();
        if session.is_empty()
            || session.len() > SESSION_BYTES_MAX
            || session.chars().any(char::is_control)
        {
            tracing::warn!(
                agent = self.0.agent,
                bytes = session.len(),
                "session id not believed"
            );
            return;
        }
        self.say(Note::Session { session });
    }

    /// Says what the attempt has spent since its beginning, in millionths of a dollar; what is not more than was said before says
    /// nothing. An attempt that spends more than it may is called off, so it is good to say it as it happens.
    pub fn spent(&self, cost_micros: u64) {
        if self.0.spent.fetch_max(cost_micros, Ordering::Relaxed) < cost_micros {
            self.say(Note::Spent { cost_micros });
        }
    }

    /// Says that whoever watches for signs of life of the attempt changed their mind: `working`, `silent`, `waiting` or `wedged`.
    pub fn liveness(&self, state: &str) {
        self.say(Note::Liveness {
            state: state.to_owned(),
        });
    }

    fn say(&self, note: Note) {
        (self.0.listener)(note);
    }

    /// Ready once the attempt is called off, has used up its time or the director stops. Then there is a grace
    /// period to put things down before the turn is dropped.
    pub fn cancelled(&self) -> impl Future<Output = ()> + Send + use<> {
        let mut cancel = self.0.cancel.subscribe();
        // Holds the sender too, so the wait can only end with the value.
        let context = self.clone();
        async move {
            let _ = cancel.wait_for(|cancelled| *cancelled).await;
            drop(context);
        }
    }

    /// Whether [`Context::cancelled`] is ready.
    pub fn is_cancelled(&self) -> bool {
        *self.0.cancel.borrow()
    }

    /// Calls the attempt off: for the cell, and for unit tests.
    pub fn cancel(&self) {
        self.0.cancel.send_replace(true);
    }

    /// The attempt has to end at this time instead.
    pub(crate) fn set_deadline(&self, deadline: Instant) {
        let mut current = self
            .0
            .deadline
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        *current = Some(deadline);
    }

    /// The time.
    pub fn now(&self) -> Time {
        Time(self.0.host.clock.now_ms())
    }

    /// What is left of the attempt's time; `None` when nothing limits it.
    pub fn time_left(&self) -> Option<Span> {
        let deadline = *self
            .0
            .deadline
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let left: Duration = deadline?.saturating_duration_since(Instant::now());
        Some(Span(u64::try_from(left.as_millis()).unwrap_or(u64::MAX)))
    }

    /// What all agents share: data directory, guard, mark.
    pub fn host(&self) -> &Host {
        &self.0.host
    }

    /// Where the attempt keeps its files; may not exist yet. `None` with nothing in hand.
    pub fn attempt_dir(&self) -> Option<PathBuf> {
        let assignment = self.assignment()?;
        Some(self.0.host.attempt_dir(assignment.task, assignment.attempt))
    }

    /// Where output is logged; may not exist yet. `None` with nothing in hand.
    pub fn log_path(&self) -> Option<PathBuf> {
        let assignment = self.assignment()?;
        Some(self.0.host.log_path(assignment.task, assignment.attempt))
    }

    /// The directory to work in: the assignment's, or `work` in the attempt's own, which may not exist yet.
    /// `None` with nothing in hand.
    pub fn workdir(&self) -> Option<PathBuf> {
        let assignment = self.assignment()?;
        if assignment.workdir.is_empty() {
            Some(self.attempt_dir()?.join("work"))
        } else {
            Some(PathBuf::from(&assignment.workdir))
        }
    }

    /// A file in [`Context::workdir`] as an artifact, named by its content. A name that is no file in there gives one
    /// without a hash. Reads the file, so a large one takes its time.
    pub fn artifact(&self, name: impl Into<String>, kind: impl Into<String>) -> Artifact {
        let mut artifact = Artifact {
            name: name.into(),
            kind: kind.into(),
            sha256: String::new(),
            bytes: 0,
        };
        if let Some(workdir) = self.workdir() {
            name_by_content(&mut artifact, &workdir, self.host().blobs.as_deref());
        }
        artifact
    }

    /// The mark of this attempt's processes: no other attempt has it. `None` with nothing in hand.
    pub fn mark(&self) -> Option<String> {
        let assignment = self.assignment()?;
        Some(format!(
            "{}/{}/{}",
            self.0.host.mark, assignment.task, assignment.attempt
        ))
    }
}

/// Cuts `text` to at most `max` bytes, between characters, and says so.
pub(crate) fn clip(mut text: String, max: usize) -> String {
    if text.len() > max {
        let mut end = max.saturating_sub('…'.len_utf8());
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        text.truncate(end);
        text.push('…');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_text_is_cut_between_characters_and_says_so() {
        for (text, max, cut) in [
            ("short", 5, "short"),
            ("a bit longer", 8, "a bit…"),
            ("größer als das", 6, "gr…"),
            ("größer als das", 7, "grö…"),
        ] {
            assert_eq!(clip(text.to_owned(), max), cut, "case: {text} to {max}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn everyone_who_waits_hears_a_cancellation_and_those_who_come_late_too() {
        let cx = Context::for_tests(&Context::assignment_for_tests("wait"));
        let early = tokio::spawn(cx.cancelled());
        tokio::task::yield_now().await;
        assert!(!cx.is_cancelled() && !early.is_finished());
        cx.cancel();
        early.await.unwrap();
        cx.cancelled().await;
        assert!(cx.is_cancelled());
    }

    #[test]
    fn a_session_id_that_could_break_a_line_is_left_out() {
        let cx = Context::for_tests(&Context::assignment_for_tests("talk"));
        let long = "x".repeat(SESSION_BYTES_MAX + 1);
        for session in ["", "a\nb", long.as_str(), "0b7c-11"] {
            cx.session(session);
        }
        cx.progress(200, "p".repeat(1_000));
        let notes = cx.notes();
        assert_eq!(
            notes[0],
            Note::Session {
                session: "0b7c-11".into()
            }
        );
        let Note::Progress { percent, text } = &notes[1] else {
            panic!("{notes:?}")
        };
        assert_eq!((*percent, text.len()), (100, PROGRESS_BYTES_MAX));
    }
}
