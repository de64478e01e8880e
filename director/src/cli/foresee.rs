//! A forecast at the start of a run, so that the retrospective has something to hold against what came.
//!
//! It is made beside the run, from the models of the data directory's own past, and costs a fraction of a second; a sprint that is
//! too large for that has none, until somebody asks for one with `director simulate --from … --record`.
//!
//! Elsewhere: what becomes of it is `report::foreseen`.

use director_protocols::ids::Seq;
use director_protocols::sprint::SprintSpec;
use tracing::debug;

use crate::control::protocol::{Op, Order, PAGE_MAX, Screen};
use crate::control::{orders, server};
use crate::engine::Engine;
use crate::handle::{Entry, Handle};
use crate::simulate::glance;

/// Makes a forecast of a sprint that was just submitted, and records it. Nothing waits for it.
pub(super) fn begin(handle: Handle, spec: &SprintSpec) {
    let Some(runs) = glance::runs(spec.tasks.len()) else {
        return;
    };
    let sprint = spec.id.to_string();
    tokio::spawn(async move {
        if let Err(why) = foresee(&handle, &sprint, runs).await {
            debug!(%sprint, %why, "no forecast at the start");
        }
    });
}

async fn foresee(handle: &Handle, sprint: &str, runs: u64) -> Result<(), String> {
    let mut entries: Vec<Entry> = Vec::new();
    loop {
        let next = entries.last().map_or(Seq(1), |entry| entry.seq.next());
        let page = handle.history(next, PAGE_MAX).await;
        let page = page.map_err(|error| error.to_string())?;
        if page.is_empty() {
            break;
        }
        entries.extend(page);
    }
    let name = sprint.to_owned();
    let found = tokio::task::spawn_blocking(move || {
        let mut engine = Engine::default();
        for entry in &entries {
            engine.replay(entry.seq, entry.events.clone(), entry.at);
        }
        let id = orders::sprint(engine.state(), Some(&name)).map_err(|no| no.to_string())?;
        glance::glance(engine, &entries, id, runs, server::now()).map_err(|error| error.to_string())
    });
    let Some(forecast) = found.await.map_err(|error| error.to_string())?? else {
        return Ok(());
    };
    let order = Order::Forecast {
        sprint: Some(sprint.to_owned()),
        forecast,
        by: "director".to_owned(),
    };
    // One that is over by now refuses it.
    let recorded = server::serve(handle, Op::Order(order), Screen::default()).await;
    recorded.map(drop).map_err(|fault| fault.to_string())
}
