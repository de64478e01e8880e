//! A crash after every record: each beginning of a real sprint's journal opens, makes sense, and can be gone on from.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use director::engine::Engine;
use director::engine::invariants;
use director::handle::Entry;
use director::history;
use director::system::Builder;
use director_protocols::command::Command;
use director_protocols::envelope::{Record, Sealed};
use director_protocols::event::{Event, decode_events};
use director_protocols::ids::{EffectId, Seq};
use director_protocols::manifest::{self, Options};
use director_protocols::time::Time;
use director_protocols::work::AttemptEnd;
use director_runtime::bus::Heard;
use director_runtime::journal::{DataDir, MemoryStore, SqliteStore, Store, read_some};
use director_tests::harness::reaper::Reaper;
use director_tests::harness::{PATIENCE, Playground, oracle};
use director_tests::process;

const PROGRAM: &str = env!("CARGO_BIN_EXE_director-under-test");

/// Every record of a journal that nobody writes any more.
fn records(play: &Playground) -> Vec<Record> {
    let dir = DataDir::open(&play.data_dir()).expect("free");
    let mut store = SqliteStore::open(&dir).expect("sound");
    read_some(&mut store, 1, usize::MAX).expect("readable")
}

/// The same records in memory, where they can be cut off.
fn in_memory(records: &[Record]) -> MemoryStore {
    let mut store = MemoryStore::new();
    let sealed = records
        .iter()
        .map(|record| Sealed::new(record).expect("it fits"));
    let sealed: Vec<Sealed> = sealed.collect();
    store.append(store.head(), &sealed).expect("in order");
    store
}

fn entry(record: &Record) -> Entry {
    Entry {
        seq: Seq(record.seq),
        epoch: record.epoch,
        at: Time(record.time_ms),
        events: decode_events(&record.payload).expect("known"),
    }
}

/// The effect that an event answers.
fn answers(event: &Event) -> Option<EffectId> {
    match event {
        Event::RepoPrepared(e) => Some(e.effect),
        Event::BaseChecked(e) => Some(e.effect),
        Event::WorktreesRemoved(e) => Some(e.effect),
        Event::WorktreePrepared(e) => Some(e.effect),
        Event::AttemptStarted(e) => Some(e.effect),
        Event::WorkSalvaged(e) => Some(e.effect),
        Event::WorkCommitted(e) => Some(e.effect),
        Event::MergePrepared(e) => Some(e.effect),
        Event::MergeConflicted(e) => Some(e.effect),
        Event::MergeCompleted(e) => Some(e.effect),
        Event::QualityGateStatus(e) => e.effect,
        _ => None,
    }
}

fn outstanding(engine: &Engine) -> BTreeSet<EffectId> {
    engine.resume().into_iter().map(|(id, _)| id).collect()
}

/// Checks every beginning of a journal.
fn replay_every_beginning(records: &[Record]) -> Engine {
    let store = in_memory(records);
    let mut live = Engine::checked();
    for record in records {
        let entry = entry(record);
        let seq = entry.seq;
        // An answer is to something that was asked and not answered yet, and answers it for good.
        let before = outstanding(&live);
        live.replay(seq, entry.events.clone(), entry.at);
        let after = outstanding(&live);
        for answered in entry.events.iter().filter_map(answers) {
            assert!(
                before.contains(&answered),
                "record {seq} answers {answered}, which nobody asked"
            );
            assert!(
                !after.contains(&answered),
                "record {seq} answers {answered}, which stays open"
            );
        }
        let new: Vec<_> = after.difference(&before).collect();
        assert!(
            new.iter().all(|id| id.seq == seq),
            "record {seq} asks for {new:?}"
        );
        invariants::check(live.state()).unwrap_or_else(|broken| panic!("record {seq}: {broken}"));

        // A process that was killed here opens the same state.
        let cut = store.fork();
        cut.cut_after(seq.0);
        let mut cut = cut.reopen().expect("whole records");
        let (mut opened, last) = history::restore(&mut cut, Engine::checked()).expect("known");
        assert_eq!((opened.seq(), last), (seq, entry.at));
        assert_eq!(opened.state_hash(), live.state_hash(), "after record {seq}");
        assert_eq!(opened.resume(), live.resume(), "after record {seq}");
        take_over(&mut opened, last);
    }
    live
}

/// A director takes over: what was in hand is interrupted, once, and what was asked of git and gates stays asked.
fn take_over(engine: &mut Engine, now: Time) {
    let seq = engine.seq();
    let in_hand: BTreeMap<_, _> = (engine.state().tasks.table.iter())
        .filter(|task| task.agent.is_some())
        .map(|task| (task.spec.id.clone(), task.attempt))
        .collect();
    let open = Command::Open {
        version: "the next one".to_owned(),
    };
    let opened = engine.step(&open, now).expect("it opens");
    let state = engine.state();
    let interrupted: BTreeMap<_, _> = (opened.events.iter())
        .filter_map(|event| match event {
            Event::AttemptEnded(e) if e.end == AttemptEnd::Interrupted => {
                let task = &state.tasks.table[e.task_id.index()];
                Some((task.spec.id.clone(), e.attempt))
            }
            _ => None,
        })
        .collect();
    assert_eq!(interrupted, in_hand, "after record {seq}");
    assert!(
        state
            .team
            .agents
            .iter()
            .all(|agent| agent.task.is_none() && !agent.up)
    );
    // Opened twice, as by a director that was killed right after: nothing more is interrupted.
    let again = engine.step(&open, now).expect("it opens");
    assert!(
        again
            .events
            .iter()
            .all(|event| matches!(event, Event::EpochOpened(_))),
        "{:?}",
        again.events
    );
}

#[test]
fn every_beginning_of_the_journal_of_a_sprint_that_was_killed_again_and_again_can_be_gone_on_from()
{
    let play = Playground::new(PROGRAM, 10);
    let killed = Reaper::new(7)
        .harvest(&play, 4)
        .unwrap_or_else(|wrong| panic!("{wrong}"));
    let records = records(&play);
    let live = replay_every_beginning(&records);
    println!("{} records, {killed} kills", records.len());
    assert_eq!(live.resume(), Vec::new(), "all is answered at the end");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_state_that_a_director_had_is_the_state_that_its_journal_gives_back() {
    let play = Playground::new(PROGRAM, 6);
    let file = play.root().join("sprint.toml");
    let spec = manifest::read(&file, &Options::default())
        .unwrap_or_else(|errors| panic!("{errors}"))
        .spec;
    let builder = Builder::new(play.data_dir())
        .guard_exe(Some(PROGRAM.into()))
        .checked();
    let running = builder.start().await.expect("it starts");
    let handle = running.handle.clone();
    let mut bus = handle.subscribe();
    handle
        .command(Command::Submit(Box::new(spec)))
        .await
        .expect("taken in");
    let mut seen = BTreeMap::new();
    loop {
        let heard = tokio::time::timeout(PATIENCE, bus.recv())
            .await
            .expect("in time");
        let Some(Heard::Event(entry)) = heard else {
            panic!("{heard:?}")
        };
        let look = |engine: &Engine| (engine.seq(), engine.state_hash());
        seen.extend([handle.read(look).await.expect("it runs")]);
        if entry
            .events
            .iter()
            .any(|event| matches!(event, Event::WorktreesRemoved(_)))
        {
            break;
        }
    }
    handle.shutdown();
    running.wait().await.expect("it stops");

    let records = records(&play);
    assert!(
        seen.len() > records.len() / 4,
        "{} of {}",
        seen.len(),
        records.len()
    );
    let mut engine = Engine::checked();
    for record in &records {
        let entry = entry(record);
        engine.replay(entry.seq, entry.events, entry.at);
        if let Some(hash) = seen.remove(&engine.seq()) {
            assert_eq!(engine.state_hash(), hash, "after record {}", engine.seq());
        }
    }
    assert_eq!(seen, BTreeMap::new(), "seen by nobody else");
}

/// Runs a sprint in a process that dies right after this record, and to its end in the next one. False when the
/// sprint has fewer records.
fn die_after(record: usize, tree: &str) -> bool {
    let play = Playground::new(PROGRAM, TASKS);
    let mut run = play.run_with(&[("DIRECTOR_TEST_DIE_AFTER", &record.to_string())]);
    let code = run.code_within(PATIENCE);
    if code.is_some() {
        assert_eq!(code, Some(0), "record {record}: {}", play.log_end(60));
        return false;
    }
    let code = play.run().code_within(PATIENCE);
    assert_eq!(code, Some(0), "record {record}: {}", play.log_end(60));
    let figures = oracle::check(&play);
    let figures =
        figures.unwrap_or_else(|wrong| panic!("record {record}: {wrong}\n{}", play.log_end(60)));
    assert_eq!(figures.tree, tree, "record {record}: another result");
    let left = process::about(&play.root());
    assert_eq!(left, Vec::<String>::new(), "record {record}");
    true
}

const TASKS: usize = 6;

fn undisturbed() -> oracle::Figures {
    let play = Playground::new(PROGRAM, TASKS);
    assert_eq!(
        play.run().code_within(PATIENCE),
        Some(0),
        "{}",
        play.log_end(60)
    );
    oracle::check(&play).unwrap_or_else(|wrong| panic!("{wrong}"))
}

#[test]
fn a_process_that_dies_right_after_a_record_has_lost_nothing() {
    let whole = undisturbed();
    // The record of the submission, and some of the others.
    for record in [2, 9, 17, 30, 43] {
        die_after(record, &whole.tree);
    }
}

#[test]
#[ignore = "takes some minutes"]
fn a_process_that_dies_right_after_any_record_of_a_sprint_has_lost_nothing() {
    let (whole, began) = (undisturbed(), Instant::now());
    let died = (1..)
        .take_while(|record| die_after(*record, &whole.tree))
        .count();
    println!("died after each of {died} records, {:?}", began.elapsed());
    assert!(died >= 40, "{died}");
}
