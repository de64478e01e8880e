//! Informing: a stakeholder's command gets an event on its standard input, within limits; a webhook gets it posted (`webhook`).
//!
//! At least once: a director that was killed before the answer was durable does it again, and `DIRECTOR_KEY` is the
//! same then. What the command says is not kept, only whether it worked.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use director_agents::process::{self, Exit, Hooks, Spec, Stop};
use director_protocols::command::Command;
use director_protocols::ids::EffectId;
use director_protocols::sprint::RunSpec;
use tokio::sync::watch;

use director_protocols::ways::Webhook;

use super::Workshop;
use super::webhook::Said;
use crate::engine::inform::{Notice, Way};
use crate::engine::orders::Order;

/// The longest that a notification command may run.
const TIMEOUT: Duration = Duration::from_secs(60);
/// Kept of what a failed one printed, in bytes.
const TAIL_MAX: usize = 1024;

/// What a webhook's answer leads to: first what it says, then that it was received.
fn answered(effect: EffectId, posted: Result<Said, String>) -> Vec<Command> {
    match posted {
        Ok(Said { accepted, text }) => {
            let said = accepted.is_some() || !text.trim().is_empty();
            let said = said.then_some(Command::PeerSaid {
                effect,
                accepted,
                text,
            });
            let received = Command::Informed {
                effect,
                problem: String::new(),
            };
            said.into_iter().chain([received]).collect()
        }
        Err(problem) => vec![Command::Informed { effect, problem }],
    }
}

impl Workshop {
    /// Tells one stakeholder of one event. Empty for an order that is not the messenger's.
    pub async fn inform(&self, effect: EffectId, order: &Order) -> Vec<Command> {
        let Order::Inform(notice) = order else {
            return Vec::new();
        };
        let problem = match &notice.way {
            Way::Command(run) => self.notify(effect, notice, run).await,
            Way::Webhook(to) => {
                let key = format!("{}-{}-{effect}", notice.sprint, notice.submitted.0);
                let posted = self.post(to.clone(), key, notice).await;
                return answered(effect, posted);
            }
        };
        vec![Command::Informed { effect, problem }]
    }

    /// Posts the notice, on a thread that may wait.
    async fn post(&self, to: Webhook, key: String, notice: &Notice) -> Result<Said, String> {
        let poster = self.poster.clone();
        let (about, line) = (notice.about.clone(), notice.line.clone());
        let posting = tokio::task::spawn_blocking(move || poster.post(&to, &key, &about, &line));
        match posting.await {
            Ok(posted) => posted,
            Err(error) => Err(format!("posting failed inside: {error}; please report it")),
        }
    }

    /// Runs the command; says what went wrong, or nothing.
    async fn notify(&self, effect: EffectId, notice: &Notice, run: &RunSpec) -> String {
        /// What carries a mark is ended with its command, so even a repeat has its own.
        static RUNS: AtomicU64 = AtomicU64::new(0);
        let number = RUNS.fetch_add(1, Ordering::Relaxed);
        let mark = format!("{}inform/{effect}/{number}", self.mark_prefix);
        let dir = self.data_dir();
        let mut spec = match run {
            RunSpec::Shell(line) => Spec::shell(line, dir, mark),
            RunSpec::Exec(words) => {
                let (program, args) = words
                    .split_first()
                    .map_or(("", &[][..]), |(first, rest)| (first.as_str(), rest));
                Spec::new(program, args.iter().cloned(), dir, mark)
            }
        };
        spec.env.extend([
            ("DIRECTOR_EVENT".to_owned(), notice.about.clone()),
            ("DIRECTOR_SPRINT".to_owned(), notice.sprint.clone()),
            ("DIRECTOR_STAKEHOLDER".to_owned(), notice.name.clone()),
            ("DIRECTOR_KEY".to_owned(), effect.to_string()),
        ]);
        spec.stdin = Some(format!("{}\n", notice.line).into_bytes());
        spec.timeout = Some(TIMEOUT);
        spec.output_limit_bytes = TAIL_MAX;
        let (_go_on, stop) = watch::channel(Stop::Go);
        match process::run(spec, self.guard.as_deref(), stop, Hooks::default()).await {
            Ok(ended) if ended.exit.success() => String::new(),
            Ok(ended) => {
                let how = match ended.exit {
                    Exit::Code(code) => format!("exit code {code}"),
                    Exit::Signal(signal) => format!("ended by signal {signal}"),
                    Exit::TimedOut => format!("still running after {} s", TIMEOUT.as_secs()),
                    Exit::Cancelled | Exit::Wedged => "stopped".to_owned(),
                };
                format!("`{run}`: {how}\n{}{}", ended.stdout_tail, ended.stderr_tail)
                    .trim_end()
                    .to_owned()
            }
            Err(error) => error.to_string(),
        }
    }
}
