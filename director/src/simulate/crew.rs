//! The crew of a simulated sprint: for each agent what a cell and its supervisor are to a real one.
//!
//! A hand takes its messages as a cell does: what calls an attempt off at once, answers before assignments, assignments before what
//! others say, and the next one only when its turn is over. One that dies stays away for as long as the rules of
//! supervision say, which are those of the real roles, with their intensity, backoff and seeded jitter.
//!
//! Invariant: for the same luck, a hand does at each moment what the actor of the agent does; `tests/tests/drivers.rs` holds them to it.
//! Elsewhere: how long a turn takes and how it ends is `world`; the real ones are `director_agents::cell` and `actors::role`.

use director_protocols::ids::{AgentId, Attempt, EffectId, Generation, MessageId, TaskId};
use director_protocols::time::Time;
use director_runtime::supervisor::{
    Action, ChildId, ChildRule, Exit, Generation as Incarnation, Input, Request, Restart,
    Supervision,
};

use super::inputs::DIED;
use crate::actors::role::supervision;
use crate::engine::state::State;

/// An attempt at a task.
pub type Key = (TaskId, Attempt);

/// A message in a hand's mailbox.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mail {
    /// A task to do.
    Assign(EffectId, Key),
    /// A question: how long the answer takes, in milliseconds, and whether there is one.
    Asked(EffectId, MessageId, u64, bool),
    /// An answer; no attempt here waits for one.
    Answer(EffectId, MessageId),
}

impl Mail {
    /// What goes first.
    fn class(&self) -> u8 {
        match self {
            Mail::Answer(..) => 0,
            Mail::Assign(..) => 1,
            Mail::Asked(..) => 2,
        }
    }
}

/// What a hand does next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// An attempt is over, because it was called off.
    Cancelled(Key),
    /// It takes a message.
    Takes(Mail),
}

/// What a hand is busy with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Turn {
    #[default]
    None,
    Attempt(Key),
    Message(EffectId),
}

#[derive(Clone, Debug, Default)]
struct Hand {
    up: bool,
    generation: Generation,
    turn: Turn,
    mail: Vec<Mail>,
    called_off: Vec<Key>,
}

/// All of them.
#[derive(Debug, Default)]
pub struct Crew {
    hands: Vec<Hand>,
    /// Hands that may have something to do.
    stirred: Vec<AgentId>,
    /// The supervisors of roles in which somebody has died.
    supervisors: Vec<Option<Supervision>>,
    seed: u64,
    begin: Time,
}

impl Crew {
    /// Everybody as in `state`, at the begin of a run; `seed` is that of the jitter.
    pub fn reset(&mut self, state: &State, seed: u64, begin: Time) {
        (self.seed, self.begin) = (seed, begin);
        self.stirred.clear();
        self.supervisors.clear();
        self.supervisors
            .resize_with(state.team.roles.len(), || None);
        self.hands
            .resize_with(state.team.agents.len(), Hand::default);
        for (index, (hand, agent)) in self.hands.iter_mut().zip(&state.team.agents).enumerate() {
            hand.up = agent.up && !state.is_person(AgentId(index as u32));
            hand.generation = agent.generation;
            hand.turn = Turn::None;
            hand.mail.clear();
            hand.called_off.clear();
        }
    }

    /// The incarnation that is up, or was.
    pub fn generation(&self, agent: AgentId) -> Generation {
        self.hands[agent.index()].generation
    }

    /// Puts a message into a hand's mailbox.
    pub fn send(&mut self, agent: AgentId, mail: Mail) {
        self.hands[agent.index()].mail.push(mail);
        self.stirred.push(agent);
    }

    /// Calls an attempt off.
    pub fn call_off(&mut self, agent: AgentId, attempt: Key) {
        self.hands[agent.index()].called_off.push(attempt);
        self.stirred.push(agent);
    }

    /// A hand that may have something to do, each once or more.
    pub fn stirred(&mut self) -> Option<AgentId> {
        self.stirred.pop()
    }

    /// Whether the hand has this attempt in hand.
    pub fn has(&self, agent: AgentId, attempt: Key) -> bool {
        self.hands[agent.index()].turn == Turn::Attempt(attempt)
    }

    /// The hand has an attempt in hand from before.
    pub fn holds(&mut self, agent: AgentId, attempt: Key) {
        self.hands[agent.index()].turn = Turn::Attempt(attempt);
    }

    /// What the hand was busy with is over. Whether there is more.
    pub fn free(&mut self, agent: AgentId) -> bool {
        let hand = &mut self.hands[agent.index()];
        hand.turn = Turn::None;
        !hand.mail.is_empty()
    }

    /// What the hand does next, if it can do anything.
    pub fn next(&mut self, agent: AgentId) -> Option<Next> {
        let hand = &mut self.hands[agent.index()];
        if !hand.up {
            return None;
        }
        while let Some(attempt) = hand.called_off.pop() {
            let begun = hand.turn == Turn::Attempt(attempt);
            if begun {
                hand.turn = Turn::None;
            }
            let before = hand.mail.len();
            hand.mail
                .retain(|mail| !matches!(mail, Mail::Assign(_, key) if *key == attempt));
            // One that is neither in hand nor in the mailbox has ended already.
            if begun || hand.mail.len() < before {
                return Some(Next::Cancelled(attempt));
            }
        }
        if hand.turn != Turn::None {
            return None;
        }
        let places = 0..hand.mail.len();
        let place = places.min_by_key(|place| hand.mail[*place].class())?;
        let mail = hand.mail.remove(place);
        hand.turn = match mail {
            Mail::Assign(_, attempt) => Turn::Attempt(attempt),
            Mail::Asked(effect, _, wait, _) if wait > 0 => Turn::Message(effect),
            Mail::Asked(..) | Mail::Answer(..) => Turn::None,
        };
        Some(Next::Takes(mail))
    }

    /// A hand dies with a task in hand. Until its next life it is so many milliseconds; nothing if there is none.
    pub fn dies(&mut self, state: &State, agent: AgentId, now: Time) -> Option<u64> {
        let hand = &mut self.hands[agent.index()];
        (hand.up, hand.turn) = (false, Turn::None);
        let row = &state.team.agents[agent.index()];
        let supervisor = &mut self.supervisors[row.role.index()];
        let supervisor = supervisor
            .get_or_insert_with(|| raised(state, agent, &self.hands, self.seed, self.begin));
        let gone = Input::Gone {
            child: child(state, agent),
            generation: Incarnation(u64::from(self.hands[agent.index()].generation.0)),
            exit: Exit::Panicked(DIED.to_owned()),
            // It is the task that is charged.
            charged_elsewhere: true,
        };
        let actions = supervisor.handle(now.0, gone).into_iter();
        actions
            .filter_map(|action| match action {
                Action::Schedule { delay_ms, .. } => Some(delay_ms),
                _ => None,
            })
            .last()
    }

    /// Its next life begins.
    pub fn rises(&mut self, state: &State, agent: AgentId, now: Time) {
        let hand = &mut self.hands[agent.index()];
        hand.up = true;
        let child = child(state, agent);
        let role = state.team.agents[agent.index()].role;
        if let Some(supervisor) = &mut self.supervisors[role.index()] {
            let due = Input::TimerFired {
                timer: director_runtime::supervisor::Timer::Restart(child.clone()),
                generation: u64::from(hand.generation.0),
            };
            supervisor.handle(now.0, due);
            let generation = Incarnation(u64::from(hand.generation.next().0));
            supervisor.handle(now.0, Input::Started { child, generation });
        }
        self.stirred.push(agent);
    }

    /// The director hears of its next life.
    pub fn counts(&mut self, agent: AgentId) {
        let generation = &mut self.hands[agent.index()].generation;
        *generation = generation.next();
    }
}

fn child(state: &State, agent: AgentId) -> ChildId {
    ChildId::from(state.team.agents[agent.index()].name.as_str())
}

/// The supervisor of the agent's role, with everybody as they are up since the begin.
fn raised(state: &State, agent: AgentId, hands: &[Hand], seed: u64, begin: Time) -> Supervision {
    let role = &state.team.roles[state.team.agents[agent.index()].role.index()];
    let agents: Vec<AgentId> = role.active().collect();
    let before = agents.iter().map(|id| {
        let generation = u64::from(hands[id.index()].generation.0).saturating_sub(1);
        (child(state, *id), Incarnation(generation))
    });
    let policy = supervision(&role.spec, seed).policy().clone();
    let mut supervisor = Supervision::new(policy, Vec::new()).counting_from(before.collect());
    supervisor.handle(begin.0, Input::Start);
    for id in agents {
        let rule = ChildRule {
            id: child(state, id),
            restart: Restart::Permanent,
            grace_ms: 0,
        };
        // None is there twice.
        let started = supervisor.request(Request::Add(rule)).unwrap_or_default();
        for action in started {
            if let Action::Spawn { child, generation } = action {
                supervisor.handle(begin.0, Input::Started { child, generation });
            }
        }
    }
    supervisor
}
