//! The `director` program for the tests of the whole product: its `main`, and one way to die on time.
//!
//! With `DIRECTOR_TEST_DIE_AFTER=SEQ` the process kills itself with SIGKILL as soon as it hears that record SEQ is
//! durable, when what rests on the record is only just leaving. With `DIRECTOR_TEST_LATER=MS` its clock is so much ahead, for stories of
//! several days. Without them this is `director` and nothing else.

use std::process::ExitCode;
use std::sync::Arc;

use director::handle::Handle;
use director::system::Builder;
use director_runtime::bus::Heard;
use director_runtime::clock::Clock;
use rustix::process::{Signal, getpid, kill_process};

fn main() -> ExitCode {
    let builder = Builder::new(".director");
    let later = std::env::var("DIRECTOR_TEST_LATER");
    let builder = match later.ok().and_then(|ms| ms.parse::<u64>().ok()) {
        Some(ms) => builder.clock(Clock::tokio(Clock::system().now_ms() + ms)),
        None => builder,
    };
    let last = std::env::var("DIRECTOR_TEST_DIE_AFTER");
    let builder = match last.ok().and_then(|seq| seq.parse().ok()) {
        Some(last) => builder.service(
            "death",
            Arc::new(move |handle| Box::pin(die_after(handle, last))),
        ),
        None => builder,
    };
    director::cli::run(builder)
}

async fn die_after(handle: Handle, last: u64) -> Result<(), String> {
    let mut bus = handle.subscribe();
    loop {
        let durable = match bus.recv().await {
            Some(Heard::Event(entry)) => entry.seq.0,
            Some(Heard::Gap { .. }) => last,
            None => return Ok(()),
        };
        if durable >= last {
            // Nothing runs after this, so there is nobody to tell when it fails.
            let _ = kill_process(getpid(), Signal::KILL);
        }
    }
}
