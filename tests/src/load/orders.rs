//! Orders: sprints are paused and resumed at a steady rate over the control socket.
//!
//! They are given from a thread of their own: in line with a thousand followers that have just been woken, what would be measured is that line.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use director::control::client::Client;
use director::control::protocol::{Op, Order, Screen};
use tokio::runtime::Builder;

use super::name;

/// An order that was acknowledged.
#[derive(Clone, Copy, Debug)]
pub struct Done {
    /// The position that it led to.
    pub seq: u64,
    /// When it was given.
    pub given: Instant,
    /// When it was acknowledged.
    pub done: Instant,
}

/// Givers of orders at work.
pub struct Orders {
    stop: Arc<AtomicBool>,
    givers: JoinHandle<Vec<Done>>,
}

/// Has so many orders a second given, one giver for each sprint. Those that a kill interrupts are given again.
pub fn give(data_dir: &Path, sprints: usize, a_second: u32) -> Orders {
    let stop = Arc::new(AtomicBool::new(false));
    let every = Duration::from_secs(1) * u32::try_from(sprints).unwrap_or(1) / a_second;
    let (data_dir, stopped) = (data_dir.to_owned(), Arc::clone(&stop));
    let givers = thread::spawn(move || {
        let runtime = Builder::new_current_thread().enable_all().build();
        runtime.expect("a runtime").block_on(async {
            let givers = (0..sprints).map(|number| {
                let (data_dir, stop) = (data_dir.clone(), Arc::clone(&stopped));
                tokio::spawn(giver(data_dir, name(number), every, stop))
            });
            let givers: Vec<_> = givers.collect();
            let mut all = Vec::new();
            for giver in givers {
                all.extend(giver.await.expect("it gave orders to the end"));
            }
            all
        })
    });
    Orders { stop, givers }
}

impl Orders {
    /// Ends them; what was acknowledged, by position.
    ///
    /// # Panics
    /// When a giver broke down.
    pub async fn end(self) -> Vec<Done> {
        self.stop.store(true, Ordering::Relaxed);
        // It ends within the time of one order.
        let ended = tokio::task::spawn_blocking(move || self.givers.join());
        let mut all = ended.await.expect("a thread").expect("orders to the end");
        all.sort_unstable_by_key(|done| done.seq);
        all
    }
}

async fn giver(
    data_dir: PathBuf,
    sprint: String,
    every: Duration,
    stop: Arc<AtomicBool>,
) -> Vec<Done> {
    let mut all = Vec::new();
    let mut pause = true;
    let mut client: Option<Client> = None;
    let mut tick = tokio::time::interval(every);
    while !stop.load(Ordering::Relaxed) {
        tick.tick().await;
        let given = Instant::now();
        let there = match client.take() {
            Some(there) => there,
            None => match Client::connect(&data_dir).await {
                Ok(there) => there,
                // It was killed, and the next one is not there yet.
                Err(_) => {
                    tokio::time::sleep(Duration::from_millis(20)).await;
                    continue;
                }
            },
        };
        let there = client.insert(there);
        let (sprint, by) = (Some(sprint.clone()), "load".to_owned());
        let order = match pause {
            true => Order::Pause { sprint, by },
            false => Order::Resume {
                sprint,
                account: None,
                by,
            },
        };
        match there.request(Op::Order(order), Screen::default()).await {
            Ok(answer) => {
                pause = !pause;
                let done = Instant::now();
                all.push(Done {
                    seq: answer.seq,
                    given,
                    done,
                });
            }
            // What was given last may have been done and not acknowledged: then it is paused already.
            Err(_) => {
                pause = !pause;
                client = None;
            }
        }
    }
    all
}
