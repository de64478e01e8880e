//! Agents that go wrong in every way there is, each attempt by a roll from the seed, the task and the attempt.
//!
//! No agent remembers anything and none looks at a clock of its own, so the same seed gives the same run on virtual
//! time, however often the director is killed meanwhile.

use std::time::Duration;

use director_agents::agent::{Agent, AgentError, Inbound, Turn};
use director_agents::context::Context;
use director_agents::factory::Registry;
use director_protocols::digest::Digest;
use director_protocols::severity::Severity;
use director_protocols::work::{BlockerReport, Report};

/// The name under which sprint files use it.
pub const CHAOS: &str = "chaos";

/// A number below `limit` that depends on everything in `of` and on nothing else.
pub fn roll(of: &[u64], limit: u64) -> u64 {
    let bytes: Vec<u8> = of.iter().flat_map(|part| part.to_le_bytes()).collect();
    let text = Digest::of(&bytes).to_string();
    u64::from_str_radix(&text[..15], 16).unwrap_or_default() % limit.max(1)
}

/// Fates from here to 86 ask somebody that is not there, and go on when they are told so.
pub const ASKS_NOBODY: u64 = 83;

/// What becomes of an attempt: a number below 100 from the seed, the task and the attempt.
pub fn fate(attempt: [u64; 3]) -> u64 {
    roll(&attempt, 100)
}

struct Chaos {
    seed: u64,
    /// Which incarnation of which agent.
    me: [u64; 2],
    turns: u64,
}

impl Chaos {
    fn ask(to: &str) -> Turn {
        Turn::Ask {
            to: to.to_owned(),
            question: "which way?".to_owned(),
        }
    }
}

fn done() -> Turn {
    Turn::Done(Report {
        summary: "done".to_owned(),
        ..Report::default()
    })
}

impl Agent for Chaos {
    async fn on_start(&mut self, _: &mut Context) -> Result<(), AgentError> {
        let [agent, generation] = self.me;
        match roll(&[self.seed, agent, generation, 1], 100) {
            0..8 => Err(AgentError::transient("no licence")),
            8..12 => panic!("died at the start"),
            _ => Ok(()),
        }
    }

    async fn turn(&mut self, message: Inbound, cx: &mut Context) -> Result<Turn, AgentError> {
        self.turns += 1;
        let assignment = match message {
            Inbound::Assigned(assignment) => assignment,
            Inbound::Answered { .. } => return Ok(done()),
            Inbound::Asked { .. } => {
                let [agent, generation] = self.me;
                let roll = roll(&[self.seed, agent, generation, self.turns], 10);
                tokio::time::sleep(Duration::from_secs(40 * roll)).await;
                return match roll {
                    0 => panic!("died of a question"),
                    1 | 2 => Ok(Turn::NotYet),
                    _ => Ok(Turn::Answer("that way".to_owned())),
                };
            }
            Inbound::Guidance { .. } | Inbound::Told { .. } => {
                tokio::time::sleep(Duration::from_secs(500)).await;
                return Ok(Turn::NotYet);
            }
        };
        let key = [
            self.seed,
            u64::from(assignment.task.0),
            u64::from(assignment.attempt.0),
        ];
        let minutes = roll(&[key[0], key[1], key[2], 7], 90);
        tokio::time::sleep(Duration::from_secs(60 * minutes)).await;
        let blocked = |severity| {
            Turn::Blocked(BlockerReport {
                kind: "unclear".to_owned(),
                severity,
                text: "which way?".to_owned(),
            })
        };
        Ok(match fate(key) {
            0..40 => done(),
            40..46 => Turn::Failed {
                reason: "exit code 1".to_owned(),
                exit_code: Some(1),
            },
            46..52 => panic!("died at work"),
            52..57 => std::future::pending().await,
            57..60 => Turn::NotYet,
            60..63 => blocked(Severity::Low),
            63..66 => blocked(Severity::Medium),
            66..68 => blocked(Severity::High),
            68..70 => blocked(Severity::Critical),
            70..76 => Self::ask("engineer"),
            76..80 => Self::ask("tester-1"),
            80..83 => Self::ask("person"),
            ASKS_NOBODY..86 => Self::ask("nobody"),
            86..90 => return Err(AgentError::transient("the network")),
            90..93 => return Err(AgentError::fatal("the agent is broken")),
            _ => {
                cx.tell("tester", "nearly done")?;
                cx.tell("engineer-1", "nearly done")?;
                done()
            }
        })
    }
}

/// The registry with it.
pub fn registry(seed: u64) -> Registry {
    let mut registry = Registry::builtin();
    registry.register_agent(CHAOS, move |cx| Chaos {
        seed,
        me: [
            cx.agent
                .bytes()
                .fold(0, |sum, byte| sum * 31 + u64::from(byte)),
            u64::from(cx.generation.0),
        ],
        turns: 0,
    });
    registry
}
