//! The long-lived director under load, beside a bare axum server, in figures.
//!
//! ```text
//! cargo run --release -p director-tests --bin load              # all of it, some three minutes
//! cargo run --release -p director-tests --bin load -- reads     # or: streams, slow, kill
//! ```
//!
//! | part | what is done | what is asked of it |
//! |---|---|---|
//! | `reads` | 64 connections read the status, at rest and beside 1,000 events a second; turn by turn with a bare axum server that gives the same bytes | half of its answers a second |
//! | `streams` | 1,000 followers, 1,000 events a second | each has all of them, once and in order |
//! | `slow` | the same orders beside 200 followers and 200 that read nothing | orders take no longer, memory is bounded, who reads nothing is cut |
//! | `kill` | SIGKILL under that load, twice | followers and orders go on, nothing is lost, nothing comes twice |
//!
//! Everything runs on one machine, so whoever asks takes processor time from whoever answers, in both cases alike; what the server alone
//! used is printed beside it. It ends with 1 when something is not as it should be.
//!
//! Elsewhere: who gives the load is `director_tests::load`.

use std::path::Path;
use std::process::{Child, Command, ExitCode};
use std::time::Duration;

use director::system::Builder;
use director_tests::load::orders::Done;
use director_tests::load::{self, Served, Usage, bare, followers, orders, readers};
use director_tests::process;

/// Says which part of the load a process of this program is.
const PART: &str = "DIRECTOR_LOAD_PART";

/// Sprints, tasks in each.
const WORK: (usize, usize) = (16, 12);

/// Connections that read.
const READERS: usize = 64;

fn main() -> ExitCode {
    let part = std::env::var(PART).unwrap_or_default();
    match part.split_once(' ') {
        None if part == "director" => return director::cli::run(Builder::new(".director")),
        Some((body, address)) => {
            bare::serve(Path::new(body), Path::new(address));
            return ExitCode::SUCCESS;
        }
        None => {}
    }
    let wanted: Vec<String> = std::env::args().skip(1).collect();
    let is_wanted = |part: &str| wanted.is_empty() || wanted.iter().any(|word| word == part);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    let mut fine = true;
    runtime.block_on(async {
        if is_wanted("reads") {
            fine &= reads().await;
        }
        if is_wanted("streams") {
            fine &= streams().await;
        }
        if is_wanted("slow") {
            fine &= slow().await;
        }
        if is_wanted("kill") {
            fine &= kill().await;
        }
    });
    match fine {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    }
}

/// A director with work.
fn director(dir: &Path) -> Served {
    let own = std::env::current_exe().expect("this program");
    let served = Served::start(&own, &[(PART, "director")], dir);
    served.submit(WORK.0, WORK.1);
    served
}

fn said(what: &str, fine: bool) -> bool {
    println!("  {what}{}", if fine { "" } else { "   MISSED" });
    fine
}

fn mib(bytes: u64) -> String {
    format!("{:.1} MiB", bytes as f64 / f64::from(1 << 20))
}

fn waits(done: &[Done]) -> (Duration, Duration) {
    let mut waits: Vec<_> = done.iter().map(|one| one.done - one.given).collect();
    (
        load::percentile(&mut waits, 50),
        load::percentile(&mut waits, 99),
    )
}

/// The bare server, as a process.
struct Bare(Child, String);

impl Bare {
    fn start(dir: &Path, body: &str) -> Self {
        let (bytes, address) = (dir.join("body"), dir.join("address"));
        std::fs::write(&bytes, body).expect("a file");
        let own = std::env::current_exe().expect("this program");
        let part = format!("{} {}", bytes.display(), address.display());
        let child = Command::new(own).env(PART, part).spawn();
        let child = child.expect("the program starts");
        let listens = process::until(Duration::from_secs(60), || {
            let text = std::fs::read_to_string(&address).ok()?;
            (!text.is_empty()).then_some(text)
        });
        Self(child, listens.expect("it listens"))
    }
}

impl Drop for Bare {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

async fn reads() -> bool {
    let (dir, beside) = (tempfile::tempdir(), tempfile::tempdir());
    let (dir, beside) = (dir.expect("a directory"), beside.expect("a directory"));
    let served = director(dir.path());
    let path = "/api/v1/status";
    let body = served.site().get(path).body;
    let bare = Bare::start(beside.path(), &body);
    println!(
        "reads: {READERS} connections, {} bytes an answer",
        body.len()
    );
    let mut fine = true;
    for (case, a_second) in [
        ("at rest", 0),
        ("beside 1,000 events a second at both", 1_000),
    ] {
        let load = (a_second > 0).then(|| orders::give(&served.data_dir(), WORK.0, a_second));
        let (mut ratios, mut costs, mut rates) = (Vec::new(), Vec::new(), Vec::new());
        for round in 0..6 {
            let time = Duration::from_secs(2);
            let before = (Usage::of(bare.0.id()), served.usage());
            let plain = readers::read(&bare.1, bare::PATH, READERS, time).await;
            let between = (Usage::of(bare.0.id()), served.usage());
            let ours = readers::read(served.address(), path, READERS, time).await;
            let after = served.usage();
            if round == 0 {
                continue;
            }
            let idle = between.1.seconds - before.1.seconds;
            let cost = (after.seconds - between.1.seconds - idle).max(0.0) / ours.answers as f64;
            let plain_cost = (between.0.seconds - before.0.seconds) / plain.answers as f64;
            ratios.push(ours.rate() / plain.rate());
            costs.push((cost * 1e6, plain_cost * 1e6));
            rates.push((ours.rate(), plain.rate()));
        }
        let all = match load {
            Some(load) => load.end().await,
            None => Vec::new(),
        };
        ratios.sort_unstable_by(f64::total_cmp);
        let middle = ratios[ratios.len() / 2];
        let mean = |of: &[(f64, f64)]| {
            let sum = of.iter().fold((0.0, 0.0), |s, x| (s.0 + x.0, s.1 + x.1));
            (sum.0 / of.len() as f64, sum.1 / of.len() as f64)
        };
        let (rate, cost) = (mean(&rates), mean(&costs));
        fine &= said(
            &format!(
                "{case}: {:.0} answers a second, bare axum {:.0}: ratio {middle:.2} (goal 0.5; {:.2} to {:.2}); processor time of the server {:.1} and {:.1} µs an answer",
                rate.0,
                rate.1,
                ratios[0],
                ratios[ratios.len() - 1],
                cost.0,
                cost.1
            ),
            middle >= 0.5,
        );
        if !all.is_empty() {
            let (half, most) = waits(&all);
            println!("    orders took {half:.1?} (p50) and {most:.1?} (p99) meanwhile");
        }
    }
    println!("  memory of the director: {}", memory(&served));
    fine
}

fn memory(served: &Served) -> String {
    let usage = served.usage();
    format!(
        "{} now, {} at most",
        mib(usage.memory),
        mib(usage.memory_max)
    )
}

/// How long events took from when they were acknowledged.
fn lags(done: &[Done], heard: &[followers::Heard]) -> Vec<Duration> {
    let mut all = Vec::new();
    for (seq, at) in heard.iter().flat_map(|one| &one.times) {
        if let Ok(place) = done.binary_search_by_key(seq, |done| done.seq) {
            all.push(at.saturating_duration_since(done[place].given));
        }
    }
    all
}

/// Whether each heard exactly what the journal has between two positions.
fn complete(
    served: &mut Served,
    heard: &[followers::Heard],
    done: &[Done],
    (after, end): (u64, u64),
) -> bool {
    let ids = served.exported();
    let wanted: Vec<_> = ids
        .iter()
        .copied()
        .filter(|(seq, _)| (after + 1..=end).contains(seq))
        .collect();
    let right = heard.iter().filter(|one| one.is(&wanted)).count();
    let kept = done
        .iter()
        .filter(|one| wanted.binary_search(&(one.seq, 0)).is_ok());
    let kept = kept.count();
    let fine = said(
        &format!(
            "{right} of {} followers heard all {} events, once and in order",
            heard.len(),
            wanted.len()
        ),
        right == heard.len(),
    );
    said(
        &format!(
            "{kept} of {} acknowledged orders are in the journal",
            done.len()
        ),
        kept == done.len(),
    ) && fine
}

async fn streams() -> bool {
    let dir = tempfile::tempdir().expect("a directory");
    let mut served = director(dir.path());
    let seconds = 20;
    println!("streams: 1,000 followers, 1,000 events a second, {seconds} s");
    let alone = orders::give(&served.data_dir(), WORK.0, 1_000);
    tokio::time::sleep(Duration::from_secs(5)).await;
    let alone = alone.end().await;
    let after = served.position();
    let follow = followers::follow(served.address(), 1_000, after, 100);
    tokio::time::sleep(Duration::from_secs(2)).await;
    let (began, before) = (std::time::Instant::now(), served.usage());
    let load = orders::give(&served.data_dir(), WORK.0, 1_000);
    tokio::time::sleep(Duration::from_secs(seconds)).await;
    let done = load.end().await;
    let took = began.elapsed().as_secs_f64();
    let end = served.position();
    let heard = follow.end(end).await;
    let used = served.usage().seconds - before.seconds;
    let rate = done.len() as f64 / took;
    let mut fine = said(
        &format!(
            "{rate:.0} events a second, {:.0} deliveries a second; processor time of the director {:.2} s a second",
            rate * heard.len() as f64,
            used / took
        ),
        rate >= 950.0,
    );
    let mut late = lags(&done, &heard);
    let (half, most) = (
        load::percentile(&mut late, 50),
        load::percentile(&mut late, 99),
    );
    println!("  from the order to the follower: {half:.1?} (p50), {most:.1?} (p99)");
    let (without, with) = (waits(&alone), waits(&done));
    println!(
        "  orders took {:.1?} (p50) and {:.1?} (p99); without followers {:.1?} and {:.1?}",
        with.0, with.1, without.0, without.1
    );
    let cut: u32 = heard.iter().map(|one| one.returns).sum();
    println!("  followers came back {cut} times");
    let memory = served.usage();
    fine &= said(
        &format!("memory of the director: {} at most", mib(memory.memory_max)),
        memory.memory_max < 512 << 20,
    );
    complete(&mut served, &heard, &done, (after, end)) && fine
}

async fn slow() -> bool {
    let dir = tempfile::tempdir().expect("a directory");
    let mut served = director(dir.path());
    println!("slow: 200 followers, then 200 more that read nothing; 1,000 events a second");
    let after = served.position();
    let follow = followers::follow(served.address(), 200, after, 50);
    let first = orders::give(&served.data_dir(), WORK.0, 1_000);
    tokio::time::sleep(Duration::from_secs(10)).await;
    let first = first.end().await;
    let lean = served.usage();
    let silent = followers::read_nothing(served.address(), 200).await;
    let silent = silent.expect("they are opened");
    let second = orders::give(&served.data_dir(), WORK.0, 1_000);
    tokio::time::sleep(Duration::from_secs(50)).await;
    let second = second.end().await;
    let end = served.position();
    let heard = follow.end(end).await;
    let (without, with) = (waits(&first), waits(&second));
    let mut fine = said(
        &format!(
            "orders took {:.1?} (p50) and {:.1?} (p99); without them {:.1?} and {:.1?}",
            with.0, with.1, without.0, without.1
        ),
        with.0 < without.0 * 2 + Duration::from_millis(2),
    );
    let usage = served.usage();
    fine &= said(
        &format!(
            "memory of the director: {} before them, {} at most",
            mib(lean.memory_max),
            mib(usage.memory_max)
        ),
        usage.memory_max < lean.memory_max + (128 << 20),
    );
    let (count, cut) = (silent.len(), followers::cut(silent).await);
    fine &= said(
        &format!("{cut} of {count} that read nothing were cut"),
        cut == count,
    );
    let done: Vec<_> = first.into_iter().chain(second).collect();
    complete(&mut served, &heard, &done, (after, end)) && fine
}

async fn kill() -> bool {
    let dir = tempfile::tempdir().expect("a directory");
    let mut served = director(dir.path());
    println!("kill: 1,000 followers, 1,000 events a second, SIGKILL twice");
    let after = served.position();
    let follow = followers::follow(served.address(), 1_000, after, 100);
    let load = orders::give(&served.data_dir(), WORK.0, 1_000);
    let mut most = 0;
    for _ in 0..2 {
        tokio::time::sleep(Duration::from_secs(5)).await;
        most = most.max(served.usage().memory_max);
        served.kill();
        let began = std::time::Instant::now();
        served.start_again();
        println!("  ready {:.1?} after the kill", began.elapsed());
    }
    tokio::time::sleep(Duration::from_secs(5)).await;
    let done = load.end().await;
    let end = served.position();
    let heard = follow.end(end).await;
    let returns: Vec<_> = heard.iter().map(|one| one.returns).collect();
    println!(
        "  each came back {} to {} times; memory {} at most",
        returns.iter().min().unwrap_or(&0),
        returns.iter().max().unwrap_or(&0),
        mib(most.max(served.usage().memory_max))
    );
    complete(&mut served, &heard, &done, (after, end))
}
