//! The bare driver and the real actors on virtual time write the same decision records, byte for byte.
//!
//! `DIRECTOR_SEEDS=1000 cargo test -p director-tests --test drivers agree` compares many seeds, `just drivers` 1,000 of them in a release
//! build; `DIRECTOR_SEED=n` runs one alone.

use std::collections::BTreeMap;

use director_protocols::event::{Event, decode_events};
use director_tests::drivers::plans::{Plan, plan};
use director_tests::drivers::{Record, actors, bare};

/// Plans; a seed's plan is its number modulo this.
const PLANS: u64 = 48;
/// Seeds that are compared in every test run.
const SEEDS: u64 = 96;

/// Kinds of event that the comparison is meant to cover: all that come of themselves, without a person who interferes, a role that is
/// lost or an agent that asks. One that is never seen fails the run.
const COVERED: &[&str] = &[
    "epoch_opened",
    "sprint_submitted",
    "repo_prepared",
    "base_checked",
    "sprint_initialized",
    "sprint_ended",
    "sprint_velocity_updated",
    "task_deferred",
    "task_assigned",
    "worktree_prepared",
    "attempt_started",
    "attempt_ended",
    "work_salvaged",
    "work_committed",
    "merge_prepared",
    "merge_conflicted",
    "quality_gate_status",
    "merge_completed",
    "task_completed",
    "work_rejected",
    "retry_scheduled",
    "task_failed",
    "task_quarantined",
    "task_cancelled",
    "task_reassigned",
    "liveness_changed",
    "merge_started",
    "retry_due",
    "blocker_raised",
    "blocker_escalated",
    "guidance_given",
    "blocker_resolved",
    "inbox_opened",
    "inbox_answered",
    "inbox_closed",
    "engineering_emergency",
    "emergency_resolved",
    "incident_opened",
    "handoff_sent",
    "handoff_accepted",
    "message_delivered",
    "question_answered",
    "adviser_asked",
    "agent_up",
    "agent_down",
    "inbox_reminded",
    "stakeholder_informed",
    "task_added",
    "gate_judged",
    "work_reviewed",
    "help_given",
    "work_checkpointed",
    "incident_step_filled",
    "incident_noted",
    "qa_handoff_ready",
    "package_answered",
    "cost_reserved",
    "cost_spent",
    "attempt_overspent",
    "budget_held",
    "budget_raised",
    "budget_freed",
];

fn seeds() -> Vec<u64> {
    let number = |name: &str| {
        let text = std::env::var(name).ok()?;
        Some(text.parse::<u64>().expect("a number"))
    };
    match (number("DIRECTOR_SEED"), number("DIRECTOR_SEEDS")) {
        (Some(seed), _) => vec![seed],
        (None, count) => (0..count.unwrap_or(SEEDS)).collect(),
    }
}

/// Keeps the deaths of agents that are meant to die out of the output.
fn quiet() {
    static ONCE: std::sync::Once = std::sync::Once::new();
    ONCE.call_once(|| {
        let shown = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            if panic.payload_as_str() != Some(director::simulate::inputs::DIED) {
                shown(panic);
            }
        }));
    });
}

/// Where two drivers part: the records before, and the one of each.
fn parting(bare: &[Record], actors: &[Record]) -> Option<String> {
    let pairs = bare.iter().zip(actors);
    let same = pairs.take_while(|(one, other)| one == other).count();
    if same == bare.len() {
        return None;
    }
    let before = same.saturating_sub(6);
    let lines = |records: &[Record], from: usize, to: usize| -> String {
        let records = records.iter().enumerate().take(to).skip(from);
        records
            .map(|(place, record)| {
                let line: String = format!("{record:?}").chars().take(400).collect();
                format!("  {place} {line}\n")
            })
            .collect()
    };
    Some(format!(
        "both\n{}bare\n{}actors\n{}",
        lines(bare, before, same),
        lines(bare, same, same + 4),
        lines(actors, same, same + 4),
    ))
}

/// What one thread has seen.
#[derive(Default)]
struct Seen {
    runs: u64,
    records: u64,
    kinds: BTreeMap<&'static str, u64>,
    /// Seeds with which the drivers part.
    parted: Vec<u64>,
}

fn compare(seeds: &[u64], plans: &mut BTreeMap<u64, Plan>) -> Seen {
    let mut seen = Seen::default();
    for &seed in seeds {
        let (number, run) = (seed % PLANS, seed / PLANS);
        let Plan { spec, set } = plans.entry(number).or_insert_with(|| plan(number));
        let bare = bare(set, number, run).unwrap_or_else(|(why, records)| {
            panic!(
                "seed {seed} is stuck: {why}\n{:#?}",
                &records[records.len().saturating_sub(10)..]
            )
        });
        let actors = actors(set, spec, number, run);
        if let Some(parting) = parting(&bare, &actors) {
            println!(
                "seed {seed}, plan {number}, run {run}: the drivers part\n{parting}to see it again: DIRECTOR_SEED={seed}"
            );
            seen.parted.push(seed);
            continue;
        }
        seen.runs += 1;
        seen.records += bare.len() as u64;
        for record in &bare {
            for event in decode_events(&record.payload).expect("events") {
                *seen.kinds.entry(event.name()).or_default() += 1;
            }
        }
    }
    seen
}

#[test]
fn bare_engine_and_actors_agree_on_every_record() {
    quiet();
    let seeds = seeds();
    let seen = compare(&seeds, &mut BTreeMap::new());
    println!("{} runs, {} records", seen.runs, seen.records);
    assert!(
        seen.parted.is_empty(),
        "the drivers part with {:?}",
        seen.parted
    );
    for (_, _, name) in Event::KINDS {
        if let Some(times) = seen.kinds.get(name) {
            println!("{times:>9} {name}");
        }
    }
    if seeds.len() as u64 >= SEEDS {
        let missing: Vec<_> = COVERED
            .iter()
            .filter(|name| !seen.kinds.contains_key(**name))
            .collect();
        assert!(missing.is_empty(), "never happened: {missing:?}");
    }
}
