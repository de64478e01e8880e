//! How fast the journal is beside a bare append and `fdatasync` of the same bytes, measured in turns in one run.
//!
//! `cargo run --profile release -p director-runtime --example journal_rate -- [directory]`. Only the ratios travel:
//! rates are those of the disk that the directory is on, the current one when none is named.

use director_protocols::envelope::{Record, Sealed};
use director_runtime::journal::{
    Chain, DataDir, Head, SqliteStore, Store, Writer, WriterCallbacks,
};
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::mpsc::channel;
use std::time::Instant;

const ROUNDS: usize = 7;
const PAYLOAD: usize = 200;

fn records(chain: &mut Chain, count: usize) -> Vec<Sealed> {
    (0..count)
        .map(|n| {
            chain
                .seal(1, 1, n as u64, vec![7; PAYLOAD])
                .expect("a small payload")
        })
        .collect()
}

/// Records a second through the writer, each group handed in once the one before is durable; and its commits.
fn through_writer(dir: &Path, groups: usize, size: usize) -> (f64, u64) {
    let dir = DataDir::open(dir).expect("a data directory");
    let store = SqliteStore::open(&dir).expect("a new journal");
    let (durable, wait) = channel();
    let callbacks = WriterCallbacks {
        on_durable: Box::new(move |seq| durable.send(seq).expect("the measurement waits")),
        on_failed: Box::new(|error| panic!("{error}")),
    };
    let mut chain = Chain::after(store.head());
    let writer = Writer::start(Box::new(store), callbacks).expect("a thread");
    let began = Instant::now();
    for _ in 0..groups {
        for record in records(&mut chain, size) {
            writer.enqueue(record);
        }
        while wait.recv().expect("the writer lives") < chain.head().seq {}
    }
    let rate = (groups * size) as f64 / began.elapsed().as_secs_f64();
    (rate, writer.commits())
}

/// Records a second straight into a store, one append for each group.
fn through_store(dir: &Path, groups: usize, size: usize) -> f64 {
    let dir = DataDir::open(dir).expect("a data directory");
    let mut store = SqliteStore::open(&dir).expect("a new journal");
    let mut chain = Chain::after(store.head());
    let began = Instant::now();
    for _ in 0..groups {
        store
            .append(store.head(), &records(&mut chain, size))
            .expect("an append");
    }
    (groups * size) as f64 / began.elapsed().as_secs_f64()
}

/// Records a second appended to a file, one write and one `fdatasync` for each group.
fn bare(dir: &Path, groups: usize, size: usize) -> f64 {
    let mut file = File::create(dir.join("bare")).expect("a file");
    let mut chain = Chain::after(Head::EMPTY);
    let began = Instant::now();
    for _ in 0..groups {
        let bytes: Vec<u8> = records(&mut chain, size)
            .iter()
            .flat_map(|sealed| sealed.bytes().to_vec())
            .collect();
        file.write_all(&bytes).expect("a write");
        file.sync_data().expect("a sync");
    }
    (groups * size) as f64 / began.elapsed().as_secs_f64()
}

/// Records a second read back and checked.
fn replay(dir: &Path, count: usize) -> f64 {
    let dir = DataDir::open(dir).expect("a data directory");
    let mut store = SqliteStore::open(&dir).expect("a new journal");
    let mut chain = Chain::after(store.head());
    store
        .append(store.head(), &records(&mut chain, count))
        .expect("an append");
    let began = Instant::now();
    let mut bytes = 0;
    store
        .read_from(1, &mut |record: Record| {
            bytes += record.payload.len();
            std::ops::ControlFlow::Continue(())
        })
        .expect("a sound journal");
    assert_eq!(bytes, count * PAYLOAD);
    count as f64 / began.elapsed().as_secs_f64()
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn main() {
    let root = std::env::args_os()
        .nth(1)
        .map_or_else(|| PathBuf::from("."), PathBuf::from);
    for (groups, size) in [(1000, 1), (300, 64)] {
        let (mut writer, mut store, mut file, mut commits) = (vec![], vec![], vec![], 0);
        for _ in 0..ROUNDS {
            let [one, two, three] =
                [(); 3].map(|()| tempfile::tempdir_in(&root).expect("a directory"));
            file.push(bare(one.path(), groups, size));
            store.push(through_store(two.path(), groups, size));
            let (rate, count) = through_writer(three.path(), groups, size);
            writer.push(rate);
            commits += count;
        }
        let ratio = |rates: &[f64]| {
            median(
                rates
                    .iter()
                    .zip(&file)
                    .map(|(ours, bare)| ours / bare)
                    .collect(),
            )
        };
        println!(
            "groups of {size:>2}: bare {:>8.0}/s, store {:>8.0}/s ({:.2}), writer {:>8.0}/s ({:.2}), {:.2} commits a group",
            median(file.clone()),
            median(store.clone()),
            ratio(&store),
            median(writer.clone()),
            ratio(&writer),
            commits as f64 / (ROUNDS * groups) as f64,
        );
    }
    let dir = tempfile::tempdir_in(&root).expect("a directory");
    println!("replay: {:.0} records/s", replay(dir.path(), 200_000));
}
