//! An order while no director runs: decided by the same engine, journalled, and left for the next director.
//!
//! Opening an epoch comes first, as for any writer; what was in hand when the last director ended is
//! interrupted by that. Effects are not performed here: they are outstanding, and the next director performs them.
//!
//! Invariant: the lock on the data directory is held from reading to writing.

use std::path::Path;

use director_protocols::command::Command;
use director_protocols::event::{self, DECISION_KIND, DECISION_VERSION};
use director_protocols::time::Time;
use director_runtime::journal::{Chain, DataDir, SqliteStore, Store};
use serde_json::json;

use super::end::CliError;
use crate::control::audit::{Audit, Said};
use crate::control::orders;
use crate::control::protocol::{Answer, Fault, FaultKind, Order};
use crate::control::server::now;
use crate::engine::{Decision, Engine};
use crate::history;

/// Carries out an order on the journal alone.
pub(super) fn carry_out(data_dir: &Path, order: &Order) -> Result<Answer, CliError> {
    let dir = DataDir::open(data_dir)?;
    let outcome = journalled(&dir, order);
    if let Ok(answer) = &outcome {
        // A "no" changes nothing and comes from nobody else than who is told so.
        Audit::new(data_dir).note(Said::of(order), &Ok(answer.clone()));
    }
    outcome
}

fn journalled(dir: &DataDir, order: &Order) -> Result<Answer, CliError> {
    let mut store = SqliteStore::open(dir)?;
    let (mut engine, _) = history::restore(&mut store, Engine::default())?;
    // Looked at first: a "no" leaves the journal as it was.
    let (command, said) = orders::command(engine.state(), order)?;
    let rejected = |error: director_protocols::rejection::Rejection| {
        Fault::new(FaultKind::Rejected, error.to_string())
    };
    engine.clone().step(&command, now()).map_err(rejected)?;

    let mut chain = Chain::after(store.head());
    chain.open_epoch();
    let mut batch = Vec::new();
    let open = Command::Open {
        version: env!("CARGO_PKG_VERSION").to_owned(),
    };
    for command in [open, command] {
        let at = now();
        let decision = engine.step(&command, at).map_err(rejected)?;
        if !decision.events.is_empty() {
            batch.push(seal(&mut chain, &decision, at)?);
        }
    }
    let head = store.append(store.head(), &batch)?;
    Ok(Answer {
        text: format!("{said}\n"),
        json: json!({ "seq": head.seq }),
        seq: head.seq,
    })
}

fn seal(
    chain: &mut Chain,
    decision: &Decision,
    at: Time,
) -> Result<director_protocols::envelope::Sealed, CliError> {
    let failed = |why: String| CliError::Failed(format!("the order cannot be journalled: {why}"));
    let payload = event::encode_events(&decision.events).map_err(|e| failed(e.to_string()))?;
    let sealed = chain.seal(DECISION_KIND, DECISION_VERSION, at.0, payload);
    sealed.map_err(|error| failed(error.to_string()))
}
