//! The reaper: runs a sprint to its end and kills its director on the way, at moments that a seed decides.

use std::time::Duration;

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use rustix::process::{Pid, Signal, kill_process};

use super::{PATIENCE, Playground, Run};
use crate::process;

/// How long a guard may take to end what its director left.
const GONE_WITHIN: Duration = Duration::from_secs(10);

/// Kills a director at random moments. One seed gives the same moments, not the same run: processes race.
pub struct Reaper {
    dice: ChaCha8Rng,
}

impl Reaper {
    /// One with this seed.
    pub fn new(seed: u64) -> Self {
        Self {
            dice: ChaCha8Rng::seed_from_u64(seed),
        }
    }

    fn below(&mut self, end: u64) -> u64 {
        self.dice.next_u64() % end
    }

    /// Runs the sprint to its end, with up to `kills` SIGKILLs on the way; gives how many there were.
    ///
    /// # Errors
    /// When the director ended otherwise than by a kill or with every task done, or a kill left a process.
    pub fn harvest(&mut self, play: &Playground, kills: usize) -> Result<usize, String> {
        // Without a guard commands live on until the next director has got as far as its sweep.
        let mut unguarded = false;
        for killed in 0..kills {
            // One kill in four comes while the director is still finding its feet.
            let life = match self.below(4) {
                0 => self.below(250),
                _ => 150 + self.below(1_500),
            };
            let mut run = play.run();
            let ended = process::ended_within(&mut run.0, Duration::from_millis(life));
            if let Some(ended) = ended {
                return expect_done(play, ended.code()).map(|()| killed);
            }
            match self.below(4) {
                // Guard and director die together, as in a power cut of the two; what is left works on.
                0 => {
                    kill_with_guard(run);
                    unguarded = true;
                }
                // The next one starts at once, while the guard is still clearing up.
                1 => drop(run), // SIGKILL to this one process, and wait.
                _ => {
                    drop(run);
                    let time = if unguarded {
                        Duration::ZERO
                    } else {
                        GONE_WITHIN
                    };
                    let left = process::left_after(&play.root(), time);
                    if !left.is_empty() && !unguarded {
                        return Err(format!("kill {killed} left {left:?}"));
                    }
                    unguarded = unguarded && !left.is_empty();
                }
            }
        }
        let code = play.run().code_within(PATIENCE);
        expect_done(play, code).map(|()| kills)
    }
}

/// Kills the director's guard and then the director, which has no moment to start another guard.
fn kill_with_guard(run: Run) {
    process::signal(&run.0, Signal::STOP);
    for (pid, words) in process::below(&run.0) {
        if words.contains("__guard") {
            // It may have ended.
            let _ = Pid::from_raw(pid).map(|pid| kill_process(pid, Signal::KILL));
        }
    }
    drop(run);
}

fn expect_done(play: &Playground, code: Option<i32>) -> Result<(), String> {
    match code {
        Some(0) => Ok(()),
        code => Err(format!(
            "`director run` ended with {code:?}:\n{}",
            play.log_end(60)
        )),
    }
}
