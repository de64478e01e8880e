//! Ports: orders go to the actors that carry them out.
//!
//! Assignments and messages go to the agents' slots, the team's orders to its actor, git and gates to theirs. An
//! order that nobody takes is answered as failed, so that the engine can decide what that means.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError};

use director_agents::cell::Sink;
use director_agents::slot::{CellMessage, Slot};
use director_protocols::command::Command;
use director_protocols::ids::{AgentId, EffectId};
use director_runtime::directory::Directory;

use crate::actors::desk::Desk;
use crate::actors::team::{self, TeamMsg};
use crate::engine::orders::{Order, RoleOrder};

use super::lookout::Lookout;
use super::plans::Plans;

/// Carries out orders.
pub trait Performer: Send + Sync {
    /// Carries out one order, without waiting; the answer comes as a command.
    fn perform(&self, effect: EffectId, order: Order);

    /// Messages that wait, by actor.
    fn depths(&self) -> BTreeMap<String, usize>;

    /// How far agents at work say that they are, by name.
    fn said(&self) -> BTreeMap<String, String> {
        BTreeMap::new()
    }
}

/// Performs with the real actors.
pub struct Ports {
    /// The team's actor.
    pub team: team::Address,
    /// The agents' places.
    pub slots: Directory<AgentId, Slot>,
    /// The one that touches git.
    pub integrator: Desk,
    /// The one that runs gates.
    pub gatekeeper: Desk,
    /// The one that tells people and programs outside.
    pub messenger: Desk,
    /// Who looks for better orders; nobody where every run has to be the same.
    pub plans: Option<Plans>,
    /// Who looks at work under way; nobody where every run has to be the same.
    pub lookout: Option<Lookout>,
    /// Who hears what could not be done.
    pub sink: Sink,
}

impl Ports {
    /// Gives every agent its place, so that messages can wait there until it is up, and the settings of its role, so that
    /// they are there before the next assignment.
    fn place(&self, roles: &[RoleOrder]) {
        for role in roles {
            let spec = Arc::new(role.spec.clone());
            for (id, name, _) in &role.agents {
                let slot = self.slots.get(id).unwrap_or_else(|| {
                    let slot = Slot::new(*id, name.as_str());
                    self.slots.insert(*id, slot.clone());
                    slot
                });
                slot.set_role(Arc::clone(&spec));
            }
        }
    }

    fn to_team(&self, message: TeamMsg) {
        if let Some(team) = &*self.team.lock().unwrap_or_else(PoisonError::into_inner) {
            // One that has ended is told again when it is restarted.
            let _ = team.cast(message);
        }
    }

    fn to_agent(&self, effect: EffectId, agent: AgentId, message: CellMessage) {
        let sent = self
            .slots
            .get(&agent)
            .map(|slot| slot.send(message).map_err(|rejected| rejected.to_string()));
        let problem = match sent {
            Some(Ok(())) => return,
            Some(Err(problem)) => problem,
            None => "the agent is not part of the running team".to_owned(),
        };
        (self.sink)(Command::EffectFailed {
            effect,
            reason: problem,
        });
    }
}

impl Performer for Ports {
    fn perform(&self, effect: EffectId, order: Order) {
        match order {
            Order::SyncTeam(roles) => {
                self.place(&roles);
                self.to_team(TeamMsg::Sync(roles));
            }
            Order::Plan(replan) => {
                if let Some(plans) = &self.plans {
                    plans.put(effect, replan);
                }
            }
            Order::Watch(watch) => {
                if let Some(lookout) = &self.lookout {
                    lookout.put(watch);
                }
            }
            Order::RestartRole(role) => self.to_team(TeamMsg::Restart(role)),
            Order::Assign(assignment) => {
                let agent = assignment.agent;
                self.to_agent(effect, agent, CellMessage::Assign { effect, assignment });
            }
            Order::CancelAttempt {
                agent,
                task,
                attempt,
            } => {
                let attempt = (task, attempt);
                self.to_agent(effect, agent, CellMessage::Cancel { attempt });
            }
            Order::Deliver {
                to,
                message,
                from,
                text,
                question,
            } => self.to_agent(
                effect,
                to,
                CellMessage::Deliver {
                    effect,
                    message,
                    from,
                    text,
                    expects_answer: question,
                },
            ),
            Order::Guide {
                to,
                message,
                attempt,
                text,
            } => self.to_agent(
                effect,
                to,
                CellMessage::Guide {
                    effect,
                    message,
                    attempt,
                    from: "director".to_owned(),
                    text,
                },
            ),
            Order::DeliverAnswer {
                to,
                message,
                attempt,
                question,
                text,
                ..
            } => self.to_agent(
                effect,
                to,
                CellMessage::Answer {
                    effect,
                    message,
                    attempt,
                    question,
                    text,
                },
            ),
            order @ (Order::CheckBase(..) | Order::RunGates { .. } | Order::Deployment(..)) => {
                self.gatekeeper.put(effect, order);
            }
            order @ (Order::PrepareRepo(..)
            | Order::PrepareWorktree(..)
            | Order::CommitWork(..)
            | Order::Salvage(..)
            | Order::PrepareMerge(..)
            | Order::Advance { .. }
            | Order::CleanUp(..)
            | Order::PutBack(..)
            | Order::Withdraw(_)) => self.integrator.put(effect, order),
            order @ Order::Inform(_) => self.messenger.put(effect, order),
        }
    }

    fn depths(&self) -> BTreeMap<String, usize> {
        let agents = self.slots.snapshot().into_iter();
        agents
            .map(|(_, slot)| (slot.name().to_owned(), slot.mailbox_stats().total()))
            .chain([
                ("integrator".to_owned(), self.integrator.depth()),
                ("gatekeeper".to_owned(), self.gatekeeper.depth()),
                ("messenger".to_owned(), self.messenger.depth()),
            ])
            .collect()
    }

    fn said(&self) -> BTreeMap<String, String> {
        let agents = self.slots.snapshot().into_iter();
        agents
            .filter_map(|(_, slot)| {
                let status = slot.status();
                let percent = status.percent?;
                let words = match status.note.is_empty() {
                    true => format!("{percent} %"),
                    false => format!("{percent} %, {}", status.note),
                };
                Some((slot.name().to_owned(), words))
            })
            .collect()
    }
}
