//! The stage: everything around the real actors, played from the models that the bare driver has.
//!
//! It stands before those who carry out orders. What is meant for git, gates and stakeholders it answers itself after the wait that the models
//! draw; what is meant for agents goes to the real team, whose agents ask it what becomes of their attempts.
//! People are heard of on the bus. The models see each decision before any of its orders is carried out, as in the bare driver.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use director::engine::orders::Order;
use director::handle::{Entry, Handle};
use director::perform::Performer;
use director::simulate::inputs::{self, ADVICE, DIED, Fate, Input, SILENT};
use director::simulate::observed::Observed;
use director::simulate::prepare::Prepared;
use director_agents::agent::{Agent, AgentError, Inbound, Turn};
use director_agents::context::Context;
use director_agents::factory::Registry;
use director_protocols::ids::{EffectId, Generation};
use director_protocols::time::Span;
use director_protocols::work::Assignment;
use director_runtime::bus::{Heard, Subscriber};
use tokio::time::sleep;

use super::PLAYER;

/// Everything around the actors. Opened by the director's start.
#[derive(Default)]
pub struct Stage(Mutex<Option<Open>>);

struct Open {
    models: Observed<'static>,
    news: Subscriber<Arc<Entry>>,
    ports: Arc<dyn Performer>,
    handle: Handle,
    /// Questions on their way, by the agent's name: how long the answer takes, and whether there is one.
    asked: BTreeMap<String, VecDeque<(Span, bool)>>,
}

impl Stage {
    /// Opens it for one run.
    pub fn open(
        &self,
        set: &'static Prepared,
        (seed, run): (u64, u64),
        ports: Arc<dyn Performer>,
        handle: &Handle,
    ) {
        *self.lock() = Some(Open {
            models: Observed::new(set, seed, run),
            news: handle.subscribe(),
            ports,
            handle: handle.clone(),
            asked: BTreeMap::new(),
        });
    }

    /// Hears what happens until the sprint is over.
    pub async fn look_on(self: Arc<Self>) {
        let news = self.lock().as_ref().map(|open| open.news.clone());
        let Some(mut news) = news else { return };
        while news.recv().await.is_some() {
            if self.with(|open| open.models.is_over()) {
                return;
            }
        }
    }

    /// Does something, after the models have seen all that was decided.
    fn with<T>(&self, what: impl FnOnce(&mut Open) -> T) -> T {
        let mut stage = self.lock();
        let open = stage.as_mut().expect("the director has started");
        open.catch_up();
        what(open)
    }

    fn lock(&self) -> MutexGuard<'_, Option<Open>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Open {
    fn catch_up(&mut self) {
        while let Some(heard) = self.news.try_recv() {
            let Heard::Event(entry) = heard else {
                panic!("the stage has missed something");
            };
            for (wait, input) in self.models.see(entry.seq, entry.at, &entry.events) {
                self.later(wait, input);
            }
        }
    }

    /// Tells the director something after a wait.
    fn later(&self, wait: Span, input: Input) {
        let (handle, set) = (self.handle.clone(), self.models.set());
        tokio::spawn(async move {
            pass(wait).await;
            // Deaths and births are told by the real supervisors.
            handle.report(inputs::command(input, set, |_| Generation::default()));
        });
    }
}

impl Performer for Stage {
    fn perform(&self, effect: EffectId, order: Order) {
        let ports = self.with(|open| {
            match &order {
                Order::SyncTeam(_)
                | Order::RestartRole(_)
                | Order::Assign(_)
                | Order::CancelAttempt { .. }
                | Order::DeliverAnswer { .. } => {}
                Order::Deliver { to, message, .. } => {
                    let advice = open.models.advice(*message);
                    let name = open.models.name(*to);
                    open.asked.entry(name).or_default().push_back(advice);
                }
                _ => {
                    for (wait, input) in open.models.answers(effect) {
                        open.later(wait, input);
                    }
                    return None;
                }
            }
            Some(Arc::clone(&open.ports))
        });
        if let Some(ports) = ports {
            ports.perform(effect, order);
        }
    }

    fn depths(&self) -> BTreeMap<String, usize> {
        BTreeMap::new()
    }
}

/// The registry with agents that play what the stage says.
pub fn registry(stage: &Arc<Stage>) -> Registry {
    let stage = Arc::clone(stage);
    let mut registry = Registry::builtin();
    registry.register_agent(PLAYER, move |_| Player(Arc::clone(&stage)));
    registry
}

struct Player(Arc<Stage>);

impl Player {
    async fn attempt(&self, assignment: &Assignment, cx: &Context) -> Turn {
        let (task, attempt) = (assignment.task, assignment.attempt);
        let course = self
            .0
            .with(|open| open.models.begins((task, attempt), cx.now()));
        let mut passed = 0;
        let silent = course.silent.filter(|silent| *silent <= course.took);
        let spends = course.spends.into_iter().flatten();
        let mut said: Vec<(u64, Option<u64>)> = spends.map(|(at, cost)| (at, Some(cost))).collect();
        said.extend(silent.map(|silent| (silent, None)));
        said.sort_unstable();
        for (at, cost) in said {
            pass(Span(at - passed)).await;
            passed = at;
            match cost {
                None => cx.liveness(SILENT),
                Some(cost) => cx.spent(cost),
            }
        }
        pass(Span(course.took - passed)).await;
        let end = match course.fate {
            Fate::Crash => panic!("{DIED}"),
            // The cell has the clock.
            Fate::OutOfTime => std::future::pending().await,
            fate => self
                .0
                .with(|open| inputs::end(fate, task, open.models.set())),
        };
        Turn::of(end).expect("an end that agents say")
    }

    async fn question(&self, cx: &Context) -> Turn {
        let (wait, knows) = self.0.with(|open| {
            let asked = open.asked.get_mut(cx.agent());
            let advice = asked.and_then(VecDeque::pop_front);
            advice.expect("somebody has asked")
        });
        pass(wait).await;
        match knows {
            true => Turn::Answer(ADVICE.to_owned()),
            false => Turn::NotYet,
        }
    }
}

impl Agent for Player {
    async fn turn(&mut self, message: Inbound, cx: &mut Context) -> Result<Turn, AgentError> {
        let called_off = cx.cancelled();
        let turn = async {
            match message {
                Inbound::Assigned(assignment) => self.attempt(&assignment, cx).await,
                Inbound::Asked { .. } => self.question(cx).await,
                Inbound::Guidance { .. } | Inbound::Answered { .. } | Inbound::Told { .. } => {
                    Turn::NotYet
                }
            }
        };
        Ok(tokio::select! {
            biased;
            turn = turn => turn,
            () = called_off => Turn::NotYet,
        })
    }
}

/// Waits on virtual time; not at all where there is nothing to wait for.
async fn pass(wait: Span) {
    if wait > Span::ZERO {
        sleep(Duration::from_millis(wait.0)).await;
    }
}
