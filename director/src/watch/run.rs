//! The shell: waits for keys, the director and the clock, and draws what became of it.
//!
//! Keys are taken in at once, news of the director as the connection gathers them. While nothing happens, nothing is done.
//!
//! Elsewhere: what an input does is [`super::model`]; the connection is [`super::link`].

use std::future::pending;
use std::io;
use std::path::PathBuf;
use std::time::Duration;

use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::time::sleep;

use super::link::{self, Call};
use super::model::{Input, Model};
use super::terminal::{self, Terminal};
use crate::control::facts::TaskFacts;
use crate::control::{server, work};

/// What runs is shown to the second.
const TICK: Duration = Duration::from_secs(1);

/// How often the log of a task in hand is looked at; nothing says that it grew.
const LOG_EVERY: Duration = Duration::from_millis(300);

/// The end of a log that is shown, in bytes.
const LOG_BYTES: u64 = 256 << 10;

/// What is watched, and how.
#[derive(Clone, Debug)]
pub struct Watch {
    /// The data directory.
    pub data_dir: PathBuf,
    /// Whether there is colour.
    pub colour: bool,
    /// Who gives orders.
    pub by: String,
    /// The sprint that is shown first; the current one without.
    pub sprint: Option<String>,
}

/// Shows the director until the user leaves or `ended` comes.
///
/// # Errors
/// That the terminal cannot be used.
pub async fn run(watch: Watch, ended: impl Future<Output = ()>) -> io::Result<()> {
    let mut screen = Terminal::take()?;
    let mut keys = terminal::inputs()?;
    let (calls, called) = channel(8);
    let (said, mut news) = channel(64);
    let connection = tokio::spawn(link::keep(watch.data_dir.clone(), called, said));
    let mut model = Model::new(screen.size()?, watch.colour, watch.by, server::now());
    model.sprint = watch.sprint;
    let mut shell = Shell {
        data_dir: watch.data_dir,
        calls,
        log: Log::default(),
    };
    let outcome = shell
        .turn(model, &mut screen, &mut keys, &mut news, ended)
        .await;
    connection.abort();
    outcome
}

struct Shell {
    data_dir: PathBuf,
    calls: Sender<Call>,
    log: Log,
}

impl Shell {
    async fn turn(
        &mut self,
        mut model: Model,
        screen: &mut Terminal,
        keys: &mut Receiver<Input>,
        news: &mut Receiver<Input>,
        ended: impl Future<Output = ()>,
    ) -> io::Result<()> {
        tokio::pin!(ended);
        while !model.quit {
            self.call(&mut model);
            screen.draw(&model)?;
            let input = tokio::select! {
                biased;
                () = &mut ended => return Ok(()),
                key = keys.recv() => match key {
                    Some(key) => key,
                    // The terminal is gone.
                    None => return Ok(()),
                },
                heard = news.recv() => match heard {
                    Some(heard) => heard,
                    None => return Ok(()),
                },
                log = self.log.look(&model, &self.data_dir) => log,
                () = tick(&model) => Input::Clock(server::now()),
            };
            model = model.take(Input::Clock(server::now())).take(input);
            // What came with it is drawn with it.
            while let Ok(more) = keys.try_recv().or_else(|_| news.try_recv()) {
                model = model.take(more);
            }
        }
        Ok(())
    }

    /// Passes on what the model wants.
    fn call(&self, model: &mut Model) {
        // A full queue is asked again at the next turn: what is not taken stays in the model.
        while !model.orders.is_empty() {
            match self.calls.try_reserve() {
                Ok(place) => place.send(Call::Give(model.orders.remove(0))),
                Err(_) => return,
            }
        }
        if let Ok(place) = self.calls.try_reserve()
            && let Some(question) = model.next_question()
        {
            place.send(Call::Ask(question));
        }
    }
}

async fn tick(model: &Model) {
    match model.is_ticking() {
        true => sleep(TICK).await,
        false => pending().await,
    }
}

/// The log of the task that is shown.
#[derive(Default)]
struct Log {
    /// The task, its attempt and the log's length when it was last read.
    read: Option<(u32, u32, u64)>,
}

impl Log {
    /// Waits until there is more of it to show.
    async fn look(&mut self, model: &Model, data_dir: &std::path::Path) -> Input {
        let facts = &model.seen.facts;
        if model.page != super::model::Page::Task || facts.task != model.task.task {
            return pending().await;
        }
        if model.task.log_attempt == 0 {
            self.read = None;
        }
        loop {
            if let Some((length, input)) = self.news(facts, data_dir) {
                self.read = Some((facts.number, facts.attempt, length));
                return input;
            }
            match facts.in_hand {
                true => sleep(LOG_EVERY).await,
                false => return pending().await,
            }
        }
    }

    fn news(&self, facts: &TaskFacts, data_dir: &std::path::Path) -> Option<(u64, Input)> {
        let log = work::log_of(data_dir, facts, facts.attempt)?;
        let length = std::fs::metadata(&log).ok()?.len();
        if self.read == Some((facts.number, facts.attempt, length)) {
            return None;
        }
        let (bytes, cut) = work::tail(&log, LOG_BYTES).ok()?;
        let mut text = work::harmless(&bytes);
        if cut && let Some(line) = text.find('\n') {
            text.drain(..=line);
        }
        let input = Input::Log {
            task: facts.task.clone(),
            attempt: facts.attempt,
            text,
        };
        Some((length, input))
    }
}
