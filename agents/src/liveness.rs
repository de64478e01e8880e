//! Liveness: tells a busy agent from a quiet, a waiting, a stuck and a dead one, from evidence rather than from silence alone.
//!
//! A [`Monitor`] is a value: it is told what time it is and what the agent has done so far, and answers with a transition or
//! with nothing. *Voice* is what the agent shows (output, changed files), *pulse* is what it uses (processor, I/O). Any of
//! them keeps it alive; so an agent that compiles for an hour without a word is working.
//!
//! | state | since the last voice or pulse | beyond that |
//! | --- | --- | --- |
//! | working | less than `silent_after_ms` | |
//! | long tool | less than `tool_wedged_after_ms` | a tool is in flight and the voice is silent for `silent_after_ms` |
//! | silent | less than `wedged_after_ms` | |
//! | wedged | that long or longer | a verdict, not an act: the caller ends it |
//! | waiting | any | it waits for a person; its windows stand still |
//! | dead | any | its process is gone; nothing comes after |
//!
//! Invariant: time that the machine slept counts for nobody. After a gap between two observations (or a clock that went back) all
//! windows start anew.
//!
//! Elsewhere: where the evidence comes from is `process::evidence` and the agent's messages; only transitions are journalled.

/// When quiet becomes a finding. All in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy {
    /// Quiet for this long: silent. Default 2 minutes.
    pub silent_after_ms: u64,
    /// Quiet for this long: wedged. Default 10 minutes.
    pub wedged_after_ms: u64,
    /// The same while a tool is in flight, which may wait for a far machine. Default 30 minutes.
    pub tool_wedged_after_ms: u64,
    /// Two observations further apart than this: the machine slept in between. Default 1 minute; must be more than
    /// the time between observations.
    pub gap_ms: u64,
    /// Processor time, in thousandths of the time passed, that is no pulse: idle programs have timers. Default 5.
    pub idle_cpu_per_mille: u64,
    /// I/O, in bytes per second, that is no pulse. Default 512.
    pub idle_io_bytes_per_second: u64,
}

impl Default for Policy {
    fn default() -> Self {
        const MINUTE_MS: u64 = 60_000;
        Self {
            silent_after_ms: 2 * MINUTE_MS,
            wedged_after_ms: 10 * MINUTE_MS,
            tool_wedged_after_ms: 30 * MINUTE_MS,
            gap_ms: MINUTE_MS,
            idle_cpu_per_mille: 5,
            idle_io_bytes_per_second: 512,
        }
    }
}

/// What is known of an agent at one moment. Counters are totals; a change counts, in either direction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Evidence {
    /// Bytes it has printed, or messages it has sent.
    pub output_bytes: u64,
    /// Processor time of all its processes, in milliseconds.
    pub cpu_ms: u64,
    /// Bytes read and written by all its processes.
    pub io_bytes: u64,
    /// Any number that changes when files in its worktree do.
    pub files_changed: u64,
    /// It has called a tool that has not answered.
    pub tool_in_flight: bool,
    /// It has asked a person, who has not answered.
    pub waiting_for_person: bool,
    /// Its process, or the task that runs it, has ended.
    pub gone: bool,
}

/// What a monitor makes of the evidence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// It does something.
    Working,
    /// It is in a tool that takes long, and says nothing meanwhile.
    LongTool,
    /// It has done nothing for a while.
    Silent,
    /// It waits for a person.
    Waiting,
    /// It has done nothing for so long that it will not come back.
    Wedged,
    /// It is gone.
    Dead,
}

/// A change of state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Transition {
    /// What it was.
    pub from: State,
    /// What it is now.
    pub to: State,
    /// When that was seen.
    pub at_ms: u64,
    /// For how long there had been neither voice nor pulse, in milliseconds.
    pub quiet_ms: u64,
}

/// Watches one agent through one attempt.
#[derive(Clone, Debug)]
pub struct Monitor {
    policy: Policy,
    state: State,
    last: Option<(u64, Evidence)>,
    voice_at_ms: u64,
    pulse_at_ms: u64,
}

impl Monitor {
    /// A monitor whose windows begin with the first observation. It begins as [`State::Working`].
    pub fn new(policy: Policy) -> Self {
        Self {
            policy,
            state: State::Working,
            last: None,
            voice_at_ms: 0,
            pulse_at_ms: 0,
        }
    }

    /// What the last observation said.
    pub fn state(&self) -> State {
        self.state
    }

    /// Takes in what is known now; answers if that changes the state. `now_ms` counts from wherever the caller likes.
    pub fn observe(&mut self, now_ms: u64, evidence: Evidence) -> Option<Transition> {
        self.note(now_ms, &evidence);
        self.last = Some((now_ms, evidence));
        let quiet_ms = now_ms.saturating_sub(self.voice_at_ms.max(self.pulse_at_ms));
        let from = self.state;
        let to = self.judge(now_ms, quiet_ms, &evidence);
        self.state = to;
        (from != to).then_some(Transition {
            from,
            to,
            at_ms: now_ms,
            quiet_ms,
        })
    }

    /// Moves the windows.
    fn note(&mut self, now_ms: u64, evidence: &Evidence) {
        let fresh = match &self.last {
            None => true,
            Some((then_ms, before)) => match now_ms.checked_sub(*then_ms) {
                None => true,
                Some(passed_ms) if passed_ms > self.policy.gap_ms => true,
                Some(passed_ms) => {
                    let voice = evidence.output_bytes != before.output_bytes
                        || evidence.files_changed != before.files_changed
                        || evidence.tool_in_flight != before.tool_in_flight;
                    if voice {
                        self.voice_at_ms = now_ms;
                    }
                    if self.has_pulse(passed_ms, before, evidence) {
                        self.pulse_at_ms = now_ms;
                    }
                    false
                }
            },
        };
        if fresh || evidence.waiting_for_person {
            self.voice_at_ms = now_ms;
            self.pulse_at_ms = now_ms;
        }
    }

    fn has_pulse(&self, passed_ms: u64, before: &Evidence, now: &Evidence) -> bool {
        let cpu_ms = now.cpu_ms.abs_diff(before.cpu_ms);
        let io_bytes = now.io_bytes.abs_diff(before.io_bytes);
        let above = |used: u64, idle_per_1000_ms: u64| {
            used.saturating_mul(1000) > passed_ms.saturating_mul(idle_per_1000_ms)
        };
        above(cpu_ms, self.policy.idle_cpu_per_mille)
            || above(io_bytes, self.policy.idle_io_bytes_per_second)
    }

    fn judge(&self, now_ms: u64, quiet_ms: u64, evidence: &Evidence) -> State {
        let Policy {
            silent_after_ms,
            wedged_after_ms,
            tool_wedged_after_ms,
            ..
        } = self.policy;
        let in_tool = evidence.tool_in_flight;
        let wedged_after_ms = if in_tool {
            tool_wedged_after_ms
        } else {
            wedged_after_ms
        };
        let mute_ms = now_ms.saturating_sub(self.voice_at_ms);
        if evidence.gone || self.state == State::Dead {
            State::Dead
        } else if evidence.waiting_for_person {
            State::Waiting
        } else if quiet_ms >= wedged_after_ms {
            State::Wedged
        } else if in_tool && mute_ms >= silent_after_ms {
            State::LongTool
        } else if quiet_ms >= silent_after_ms {
            State::Silent
        } else {
            State::Working
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const POLICY: Policy = Policy {
        silent_after_ms: 100,
        wedged_after_ms: 300,
        tool_wedged_after_ms: 900,
        gap_ms: 60,
        idle_cpu_per_mille: 100,
        idle_io_bytes_per_second: 1000,
    };

    /// Observes every 50 ms from `from_ms` on, `steps` times; the evidence is a function of the time.
    fn watch(
        monitor: &mut Monitor,
        from_ms: u64,
        steps: u64,
        evidence: impl Fn(u64) -> Evidence,
    ) -> Vec<(u64, State)> {
        (0..steps)
            .map(|step| from_ms + step * 50)
            .filter_map(|now_ms| monitor.observe(now_ms, evidence(now_ms)))
            .map(|transition| (transition.at_ms, transition.to))
            .collect()
    }

    #[test]
    fn any_sign_keeps_an_agent_alive_and_idling_is_no_sign() {
        type Case = (&'static str, fn(u64) -> Evidence, Vec<(u64, State)>);
        let quiet = vec![(100, State::Silent), (300, State::Wedged)];
        let in_tool = vec![(100, State::LongTool), (900, State::Wedged)];
        let cases: [Case; 10] = [
            ("nothing", |_| Evidence::default(), quiet.clone()),
            (
                "prints",
                |now| Evidence {
                    output_bytes: now,
                    ..Evidence::default()
                },
                vec![],
            ),
            (
                "files",
                |now| Evidence {
                    files_changed: now,
                    ..Evidence::default()
                },
                vec![],
            ),
            (
                "computes",
                |now| Evidence {
                    cpu_ms: now / 2,
                    ..Evidence::default()
                },
                vec![],
            ),
            (
                "reads",
                |now| Evidence {
                    io_bytes: now * 10,
                    ..Evidence::default()
                },
                vec![],
            ),
            (
                "a child's number went away",
                |now| Evidence {
                    cpu_ms: 10_000 - now,
                    ..Evidence::default()
                },
                vec![],
            ),
            (
                "idles",
                |now| Evidence {
                    cpu_ms: now / 50,
                    ..Evidence::default()
                },
                quiet,
            ),
            (
                "in a tool",
                |_| Evidence {
                    tool_in_flight: true,
                    ..Evidence::default()
                },
                in_tool,
            ),
            (
                "in a tool that computes",
                |now| Evidence {
                    tool_in_flight: true,
                    cpu_ms: now,
                    ..Evidence::default()
                },
                vec![(100, State::LongTool)],
            ),
            (
                "asks a person",
                |_| Evidence {
                    waiting_for_person: true,
                    ..Evidence::default()
                },
                vec![(0, State::Waiting)],
            ),
        ];
        for (case, evidence, expected) in cases {
            let mut monitor = Monitor::new(POLICY);
            assert_eq!(
                watch(&mut monitor, 0, 30, evidence),
                expected,
                "case: {case}"
            );
        }
    }

    #[test]
    fn a_sign_brings_it_back_and_death_is_final() {
        let mut monitor = Monitor::new(POLICY);
        let still = Evidence::default();
        let spoke = Evidence {
            output_bytes: 1,
            ..still
        };
        let gone = Evidence {
            gone: true,
            ..spoke
        };
        assert_eq!(watch(&mut monitor, 0, 4, |_| still), [(100, State::Silent)]);
        let back = monitor.observe(200, spoke);
        let (from, to) = (State::Silent, State::Working);
        assert_eq!(
            back,
            Some(Transition {
                from,
                to,
                at_ms: 200,
                quiet_ms: 0
            })
        );
        assert_eq!(
            watch(&mut monitor, 250, 7, |_| spoke),
            [(300, State::Silent), (500, State::Wedged)]
        );
        assert_eq!(watch(&mut monitor, 600, 3, |_| gone), [(600, State::Dead)]);
        assert_eq!(
            watch(&mut monitor, 750, 3, |now| Evidence {
                output_bytes: now,
                ..still
            }),
            []
        );
        assert_eq!(monitor.state(), State::Dead);
    }

    #[test]
    fn an_answer_from_a_person_starts_the_windows_anew() {
        let mut monitor = Monitor::new(POLICY);
        let asks = Evidence {
            waiting_for_person: true,
            ..Evidence::default()
        };
        assert_eq!(watch(&mut monitor, 0, 40, |_| asks), [(0, State::Waiting)]);
        let after = watch(&mut monitor, 2000, 8, |_| Evidence::default());
        assert_eq!(
            after,
            [
                (2000, State::Working),
                (2050, State::Silent),
                (2250, State::Wedged)
            ]
        );
    }

    #[test]
    fn sleep_of_the_machine_counts_for_nobody() {
        for (case, woke_at_ms) in [("a night", 30_000_000), ("the clock went back", 10)] {
            let mut monitor = Monitor::new(POLICY);
            assert_eq!(
                watch(&mut monitor, 0, 5, |_| Evidence::default()),
                [(100, State::Silent)]
            );
            let expected = [
                (woke_at_ms, State::Working),
                (woke_at_ms + 100, State::Silent),
                (woke_at_ms + 300, State::Wedged),
            ];
            let after = watch(&mut monitor, woke_at_ms, 8, |_| Evidence::default());
            assert_eq!(after, expected, "case: {case}");
        }
    }

    #[test]
    fn extreme_numbers_are_no_accident() {
        let mut monitor = Monitor::new(Policy {
            gap_ms: u64::MAX,
            ..Policy::default()
        });
        for (now_ms, count) in [(0, 0), (u64::MAX, u64::MAX), (0, 0), (u64::MAX, 1)] {
            let evidence = Evidence {
                cpu_ms: count,
                io_bytes: count,
                output_bytes: count,
                ..Evidence::default()
            };
            monitor.observe(now_ms, evidence);
        }
        assert_eq!(monitor.state(), State::Working);
    }
}
