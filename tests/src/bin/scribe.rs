//! Writes a journal and artifacts, and says on standard output what is durable: the recorded process of the power cut
//! tests (`tests/recovery_power.rs`).
//!
//! `scribe DIRECTORY RECORDS BATCH`. Each line says what was acknowledged before it: `ack SEQ`, `blob DIGEST`. The same
//! arguments write the same records.

use std::io::Write;
use std::path::Path;

use director_runtime::blobs::Blobs;
use director_runtime::journal::{Chain, DataDir, SqliteStore, Store};
use director_tests::power::{payload, sealed};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let args: Vec<String> = std::env::args().collect();
    let [_, home, records, batch] = &args[..] else {
        return Err("scribe DIRECTORY RECORDS BATCH".into());
    };
    let (records, batch): (u64, u64) = (records.parse()?, batch.parse()?);
    let dir = DataDir::open(Path::new(home))?;
    let blobs = Blobs::open(&dir.blobs())?;
    let mut store = SqliteStore::open(&dir)?;
    let mut chain = Chain::after(store.head());
    let mut out = std::io::stdout().lock();
    while store.head().seq < records {
        let group: Vec<_> = (0..batch).map(|_| sealed(&mut chain)).collect();
        store.append(store.head(), &group)?;
        let seq = store.head().seq;
        out.write_all(format!("ack {seq}\n").as_bytes())?;
        if seq % (7 * batch) == 0 {
            let digest = blobs.put(&payload(seq))?;
            out.write_all(format!("blob {digest}\n").as_bytes())?;
        }
        if seq % (40 * batch) == 0 {
            store.settle()?;
        }
    }
    Ok(())
}
