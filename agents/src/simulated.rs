//! The simulated agent: takes as long as it is told and ends as it is told, without doing anything.
//!
//! For tests and forecasts, by explicit choice only: nothing falls back to it. How an attempt ends depends on the
//! seed, the task's name and the attempt alone, so it does not matter which agent gets it, or when.
//!
//! Options of the agent (all of them optional):
//!
//! | option | meaning | default |
//! |---|---|---|
//! | `ms` | how long an attempt takes, in milliseconds | from the estimate |
//! | `speed` | estimated time that passes in the same real time; 3600 makes an hour a second | 1 |
//! | `seed` | the seed of what goes wrong | 0 |
//! | `fail`, `block`, `panic`, `hang` | how many attempts in a thousand end so | 0 |
//! | `task.NAME` | how the attempts at one task end, in order, such as `fail hang done`; the last word stays | by the rates |
//!
//! Elsewhere: simulating whole sprints without agents is the planner's.

use std::collections::BTreeMap;
use std::time::Duration;

use director_protocols::severity::Severity;
use director_protocols::time::Span;
use director_protocols::work::{Assignment, BlockerReport, Report};

use crate::agent::{Agent, AgentError, Inbound, Turn};
use crate::context::Context;

/// The fastest that estimated time can pass.
const SPEED_MAX: u64 = 1_000_000_000;

/// An agent that only takes time. Made from options.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Simulated {
    fixed: Option<Span>,
    speed: u64,
    seed: u64,
    rates: [(Fate, u64); 4],
    scripts: BTreeMap<String, Vec<Fate>>,
}

/// How an attempt ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Done,
    Fail,
    Block,
    Panic,
    Hang,
}

impl Fate {
    fn parse(word: &str) -> Option<Self> {
        match word {
            "done" => Some(Fate::Done),
            "fail" => Some(Fate::Fail),
            "block" => Some(Fate::Block),
            "panic" => Some(Fate::Panic),
            "hang" => Some(Fate::Hang),
            _ => None,
        }
    }
}

impl Default for Simulated {
    fn default() -> Self {
        let rates = [
            (Fate::Fail, 0),
            (Fate::Block, 0),
            (Fate::Panic, 0),
            (Fate::Hang, 0),
        ];
        Self {
            fixed: None,
            speed: 1,
            seed: 0,
            rates,
            scripts: BTreeMap::new(),
        }
    }
}

impl Simulated {
    /// Reads the options.
    ///
    /// # Errors
    /// A fatal [`AgentError`] that names the option that is unknown or has no sense.
    pub fn from_options(options: &BTreeMap<String, String>) -> Result<Self, AgentError> {
        let mut agent = Self::default();
        for (key, value) in options {
            match key.as_str() {
                "ms" => agent.fixed = Some(Span(number(key, value, u64::MAX)?)),
                "speed" => agent.speed = number(key, value, SPEED_MAX)?.max(1),
                "seed" => agent.seed = number(key, value, u64::MAX)?,
                "fail" => agent.rates[0].1 = number(key, value, 1000)?,
                "block" => agent.rates[1].1 = number(key, value, 1000)?,
                "panic" => agent.rates[2].1 = number(key, value, 1000)?,
                "hang" => agent.rates[3].1 = number(key, value, 1000)?,
                other => match other.strip_prefix("task.") {
                    Some(task) => {
                        agent.scripts.insert(task.to_owned(), script(key, value)?);
                    }
                    None => {
                        return Err(AgentError::fatal(format!(
                            "a simulated agent has no option `{key}`; it has ms, speed, seed, fail, block, panic, hang and task.NAME"
                        )));
                    }
                },
            }
        }
        Ok(agent)
    }

    fn takes(&self, assignment: &Assignment) -> Duration {
        let scaled = || Span(assignment.spec.estimate.mean().0 / self.speed);
        self.fixed.unwrap_or_else(scaled).to_std()
    }

    fn fate(&self, assignment: &Assignment) -> Fate {
        let task = assignment.spec.id.as_str();
        let attempt = assignment.attempt.0;
        if let Some(script) = self.scripts.get(task) {
            let place = (attempt.saturating_sub(1) as usize).min(script.len() - 1);
            return script[place];
        }
        let mut drawn = draw(self.seed, task, attempt) % 1000;
        for (fate, rate) in self.rates {
            if drawn < rate {
                return fate;
            }
            drawn -= rate;
        }
        Fate::Done
    }

    async fn attempt(&self, assignment: &Assignment, cx: &Context) -> Turn {
        let takes = self.takes(assignment);
        let fate = self.fate(assignment);
        let called_off = tokio::select! {
            biased;
            () = cx.cancelled() => true,
            () = tokio::time::sleep(takes), if fate != Fate::Hang => false,
        };
        if called_off {
            return Turn::Failed {
                reason: "called off".to_owned(),
                exit_code: None,
            };
        }
        let (task, attempt) = (&assignment.spec.id, assignment.attempt);
        match fate {
            Fate::Done | Fate::Hang => Turn::Done(Report {
                summary: format!("simulated {task}, attempt {attempt}"),
                hours_spent: Some(assignment.spec.estimate.mean()),
                ..Report::default()
            }),
            Fate::Fail => Turn::Failed {
                reason: format!("simulated failure of {task}, attempt {attempt}"),
                exit_code: Some(1),
            },
            Fate::Block => Turn::Blocked(BlockerReport {
                kind: "simulated".to_owned(),
                severity: Severity::Medium,
                text: format!("simulated blocker of {task}, attempt {attempt}"),
            }),
            Fate::Panic => panic!("simulated panic of {task}, attempt {attempt}"),
        }
    }
}

impl Agent for Simulated {
    async fn turn(&mut self, message: Inbound, cx: &mut Context) -> Result<Turn, AgentError> {
        match message {
            Inbound::Assigned(assignment) => Ok(self.attempt(&assignment, cx).await),
            Inbound::Asked { text, .. } => Ok(Turn::Answer(format!("simulated answer to: {text}"))),
            Inbound::Guidance { .. } | Inbound::Answered { .. } | Inbound::Told { .. } => {
                Ok(Turn::NotYet)
            }
        }
    }
}

fn number(key: &str, value: &str, max: u64) -> Result<u64, AgentError> {
    value.trim().parse().ok().filter(|number| *number <= max).ok_or_else(|| {
        AgentError::fatal(format!("option `{key}` of a simulated agent is {value:?}; write a whole number from 0 to {max}"))
    })
}

fn script(key: &str, value: &str) -> Result<Vec<Fate>, AgentError> {
    let fates: Option<Vec<_>> = value.split_whitespace().map(Fate::parse).collect();
    fates.filter(|fates| !fates.is_empty()).ok_or_else(|| {
        AgentError::fatal(format!(
            "option `{key}` of a simulated agent is {value:?}; write done, fail, block, panic or hang for each attempt"
        ))
    })
}

/// A number that looks random and depends on its arguments alone (FNV-1a, then the finish of SplitMix64).
fn draw(seed: u64, task: &str, attempt: u32) -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    let bytes = seed
        .to_le_bytes()
        .into_iter()
        .chain(task.bytes())
        .chain(attempt.to_le_bytes());
    for byte in bytes {
        hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    }
    hash = (hash ^ (hash >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    hash = (hash ^ (hash >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    hash ^ (hash >> 31)
}

#[cfg(test)]
mod tests {
    use director_protocols::ids::Attempt;
    use tokio::time::Instant;

    use super::*;

    fn options(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs
            .iter()
            .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
            .collect()
    }

    #[tokio::test(start_paused = true)]
    async fn an_hour_of_estimate_takes_a_second_at_speed_3600() {
        let mut agent = Simulated::from_options(&options(&[("speed", "3600")])).unwrap();
        let assignment = Context::assignment_for_tests("x");
        let mut cx = Context::for_tests(&assignment);
        let start = Instant::now();
        let turn = agent
            .turn(Inbound::Assigned(assignment.into()), &mut cx)
            .await
            .unwrap();
        assert!(matches!(turn, Turn::Done(_)), "{turn:?}");
        assert_eq!(start.elapsed().as_millis(), 1000);
    }

    #[tokio::test(start_paused = true)]
    async fn a_script_says_how_each_attempt_ends_and_the_last_word_stays() {
        let script = options(&[("ms", "10"), ("task.sample", "fail block done")]);
        let mut agent = Simulated::from_options(&script).unwrap();
        let mut ends = Vec::new();
        for attempt in 1..=4 {
            let mut assignment = Context::assignment_for_tests("x");
            assignment.attempt = Attempt(attempt);
            let mut cx = Context::for_tests(&assignment);
            ends.push(
                match agent
                    .turn(Inbound::Assigned(assignment.into()), &mut cx)
                    .await
                {
                    Ok(Turn::Done(_)) => "done",
                    Ok(Turn::Failed { .. }) => "failed",
                    Ok(Turn::Blocked(_)) => "blocked",
                    other => panic!("{other:?}"),
                },
            );
        }
        assert_eq!(ends, ["failed", "blocked", "done", "done"]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_hanging_agent_still_hears_that_it_is_called_off() {
        let mut agent = Simulated::from_options(&options(&[("hang", "1000")])).unwrap();
        let assignment = Context::assignment_for_tests("x");
        let mut cx = Context::for_tests(&assignment);
        let canceller = cx.clone();
        tokio::spawn(async move {
            tokio::time::sleep(Duration::from_secs(3600)).await;
            canceller.cancel();
        });
        let turn = agent
            .turn(Inbound::Assigned(assignment.into()), &mut cx)
            .await;
        assert_eq!(
            turn,
            Ok(Turn::Failed {
                reason: "called off".into(),
                exit_code: None
            })
        );
    }

    #[test]
    fn what_goes_wrong_follows_the_rates_and_the_seed_alone() {
        let at = |seed: &str| {
            Simulated::from_options(&options(&[("fail", "200"), ("seed", seed)])).unwrap()
        };
        let fates = |agent: &Simulated| -> Vec<_> {
            (1..=1000)
                .map(|attempt| {
                    let mut assignment = Context::assignment_for_tests("x");
                    assignment.attempt = Attempt(attempt);
                    agent.fate(&assignment)
                })
                .collect()
        };
        let first = fates(&at("7"));
        assert_eq!(first, fates(&at("7")));
        assert_ne!(first, fates(&at("8")));
        let failed = first.iter().filter(|fate| **fate == Fate::Fail).count();
        assert!((150..250).contains(&failed), "{failed} of 1000 failed");
    }

    #[test]
    fn options_without_sense_are_refused_by_name() {
        for (key, value) in [
            ("speeed", "1"),
            ("fail", "1001"),
            ("ms", "-1"),
            ("task.a", "win"),
            ("task.a", ""),
        ] {
            let error = Simulated::from_options(&options(&[(key, value)])).unwrap_err();
            assert!(
                error.reason.contains(&format!("`{key}`")),
                "case: {key}: {error}"
            );
        }
    }
}
