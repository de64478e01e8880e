//! Foresight: a forecast of each sprint when its work begins, so that the retrospective has something to hold against what came.
//!
//! A service of the director, beside the work: nothing waits for it. The forecast is made from the models of the data directory's own
//! past and costs a fraction of a second; a sprint that is too large for that has none, until somebody asks for one with
//! `director simulate --from … --record`.
//!
//! Elsewhere: what becomes of it is `report::foreseen`.

use std::collections::BTreeSet;

use director_protocols::event::Event;
use director_protocols::ids::SprintId;
use director_runtime::bus::Heard;
use tracing::debug;

use super::protocol::{Op, Order, Screen};
use super::server;
use crate::engine::Engine;
use crate::engine::state::State;
use crate::handle::Handle;
use crate::simulate::glance;

/// Why it ends.
const GONE: &str = "the director is gone";

/// Makes a forecast of each sprint whose work has begun and that has none, as long as the director runs.
///
/// # Errors
/// The director is gone.
pub async fn run(handle: Handle) -> Result<(), String> {
    // Before the first look, so that nothing begins unseen in between.
    let mut news = handle.subscribe();
    // One that cannot be made is not tried again and again.
    let mut tried: BTreeSet<SprintId> = BTreeSet::new();
    loop {
        let known = tried.clone();
        let look = move |engine: &Engine| unforeseen(engine.state(), &known);
        match handle.read(look).await {
            Err(_) => return Err(GONE.to_owned()),
            Ok(Some((id, sprint, runs))) => {
                tried.insert(id);
                if let Err(why) = foresee(&handle, id, &sprint, runs).await {
                    debug!(%sprint, %why, "no forecast at the start");
                }
                continue;
            }
            Ok(None) => {}
        }
        loop {
            match news.recv().await {
                None => return Err(GONE.to_owned()),
                Some(Heard::Gap { .. }) => break,
                Some(Heard::Event(entry)) if entry.events.iter().any(begins) => break,
                Some(Heard::Event(_)) => {}
            }
        }
    }
}

fn begins(event: &Event) -> bool {
    matches!(event, Event::SprintInitialized(_))
}

/// A sprint that has begun without a forecast, its name, and how often it may be run through.
fn unforeseen(state: &State, tried: &BTreeSet<SprintId>) -> Option<(SprintId, String, u64)> {
    let sprints = (0u32..).map(SprintId).zip(&state.sprints.table);
    sprints
        .filter(|(id, row)| row.is_running() && row.forecasts.is_empty() && !tried.contains(id))
        .find_map(|(id, row)| Some((id, row.spec.id.to_string(), glance::runs(row.len as usize)?)))
}

async fn foresee(handle: &Handle, id: SprintId, sprint: &str, runs: u64) -> Result<(), String> {
    let entries = server::history(handle, 0, usize::MAX).await;
    let entries = entries.map_err(|fault| fault.to_string())?;
    let engine = handle.read(Engine::clone).await;
    let engine = engine.map_err(|refusal| refusal.to_string())?;
    let now = handle.now();
    let found = tokio::task::spawn_blocking(move || {
        glance::glance(engine, &entries, id, runs, now).map_err(|error| error.to_string())
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
