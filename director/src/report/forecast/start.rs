//! From where a forecast looks ahead: a file, the present state of a sprint, or a past sprint run again; and what the models of a
//! data directory's own past rest on.

use std::fmt::Write as _;

use director_protocols::ids::Seq;
use director_protocols::time::{Span, Time};
use serde_json::{Value, json};

use super::Shown;
use super::json::round;
use super::text::hours;
use crate::engine::tasks::Phase;
use crate::estimate::Model;
use crate::simulate::past::{Learned, Past, WEIGHT, of_durations};
use crate::view::{count, minute, rfc3339};

/// From where it is looked ahead.
#[derive(Clone, Debug)]
pub enum Start {
    /// A sprint file, from its start.
    File,
    /// A sprint that is under way.
    Rest(Box<Rest>),
    /// A sprint that is over, from its start, with the durations that were.
    Again {
        /// From the beginning of its work to its end, as it was.
        took: Span,
        /// How it ended.
        outcome: String,
    },
}

/// Where a sprint stands that is under way.
#[derive(Clone, Debug)]
pub struct Rest {
    /// The last record that counts.
    pub seq: Seq,
    /// The moment.
    pub now: Time,
    /// A director is at work.
    pub at_work: bool,
    /// Nothing is handed out; the forecast begins with the end of the pause.
    pub paused: bool,
    /// What is known from the past.
    pub past: Past,
}

/// How tasks stand: done, in hand, waiting for an answer, given up, all.
fn standing(shown: &Shown<'_>) -> [usize; 5] {
    let tasks = &shown.set.engine.state().tasks.table;
    let mut sums = [0; 5];
    for row in shown.set.rows.iter().map(|id| &tasks[id.index()]) {
        if row.phase == Phase::Deferred {
            continue;
        }
        sums[4] += 1;
        match row.phase {
            Phase::Completed => sums[0] += 1,
            Phase::Blocked => sums[2] += 1,
            Phase::Failed | Phase::Quarantined | Phase::Cancelled => sums[3] += 1,
            phase if phase.is_in_hand() => sums[1] += 1,
            _ => {}
        }
    }
    sums
}

/// One line about where it is looked ahead from; nothing for a file.
pub(super) fn line(shown: &Shown<'_>) -> Option<String> {
    match shown.start {
        Start::File => None,
        Start::Rest(rest) => {
            let [done, in_hand, blocked, lost, all] = standing(shown);
            let mut line = format!(
                "from record {} at {}: {done} of {} done",
                rest.seq,
                minute(rest.now),
                count(all, "task")
            );
            for (number, what) in [
                (in_hand, "in hand"),
                (blocked, "waiting for an answer"),
                (lost, "given up or called off"),
            ] {
                if number > 0 {
                    let _ = write!(line, ", {number} {what}");
                }
            }
            Some(line)
        }
        Start::Again { took, outcome } => Some(format!(
            "run again from its start with the durations that were; it was {outcome} after {}",
            hours(took.0)
        )),
    }
}

/// What should be known about the start, a sentence each.
pub(super) fn notes(shown: &Shown<'_>) -> Vec<String> {
    match shown.start {
        Start::File => Vec::new(),
        Start::Rest(rest) => {
            let mut notes = vec![of_durations(&rest.past)];
            if rest.past.is_empty() {
                notes.push(format!(
                    "nothing has gone right or wrong here yet: all rates are those of `{}`",
                    shown.faults
                ));
            }
            if !rest.at_work {
                notes.push(
                    "no director is at work: this is what comes if one takes the sprint up now; attempts that were in hand begin again"
                        .to_owned(),
                );
            }
            if rest.paused {
                notes.push("the sprint is paused: this is what comes if it goes on now".to_owned());
            }
            let [_, _, _, lost, _] = standing(shown);
            if lost > 0 {
                notes.push(format!(
                    "{} given up or called off: only `director retry TASK` brings {} back, and without {} the sprint does not finish",
                    if lost == 1 { "1 task is".to_owned() } else { format!("{lost} tasks are") },
                    if lost == 1 { "it" } else { "them" },
                    if lost == 1 { "it" } else { "them" },
                ));
            }
            notes
        }
        Start::Again { .. } => vec![
            "a task takes what it really had an agent for, all attempts together; waits for people and failures are left out, so the difference to the variant says more than either figure"
                .to_owned(),
        ],
    }
}

/// The rates of the past as a table.
pub(super) fn learned(shown: &Shown<'_>, out: &mut String) {
    let Start::Rest(rest) = shown.start else {
        return;
    };
    if rest.past.is_empty() {
        return;
    }
    let _ = writeln!(
        out,
        "\n  learned here                              used   to begin with   seen"
    );
    for row in rest.past.learned.iter().filter(|row| row.cases > 0) {
        let _ = writeln!(
            out,
            "    {:<34} {:>9}   {:>13}   {}",
            words(row.name),
            value(row, row.value),
            value(row, row.prior),
            match is_time(row.name) {
                true => count(row.cases as usize, "time"),
                false => format!("{} of {}", row.seen, row.cases),
            }
        );
    }
    let _ = writeln!(
        out,
        "    what it is to begin with counts as {WEIGHT} cases, of times as 5"
    );
}

fn words(name: &str) -> &str {
    match name {
        "fail" => "attempts that fail",
        "crash" => "attempts in which the agent dies",
        "hang" => "attempts that run out of time",
        "block" => "attempts that are blocked",
        "red" => "results that gates refuse",
        "review" => "verdicts that send work back",
        "conflict" => "merges that conflict",
        "rework" => "work that a rejection costs again",
        "answer_seconds" => "a person's answer takes",
        "gates_seconds" => "gates take",
        other => other,
    }
}

fn is_time(name: &str) -> bool {
    name == "rework" || name.ends_with("_seconds")
}

fn value(row: &Learned, value: u64) -> String {
    match row.name.ends_with("_seconds") {
        true => hours(value * 1_000),
        false => format!("{:.1}%", value as f64 / 10.0),
    }
}

/// The start for programs; nothing for a file.
pub(super) fn json(shown: &Shown<'_>) -> Option<(&'static str, Value)> {
    match shown.start {
        Start::File => None,
        Start::Rest(rest) => {
            let [done, in_hand, blocked, lost, all] = standing(shown);
            let past = &rest.past;
            let rates: Vec<Value> = past
                .learned
                .iter()
                .map(|row| {
                    let number = |value: u64| match row.name.ends_with("_seconds") {
                        true => json!(value),
                        false => json!(round(value as f64 / 1_000.0)),
                    };
                    json!({
                        "name": row.name,
                        "value": number(row.value),
                        "prior": number(row.prior),
                        "seen": row.seen,
                        "cases": row.cases,
                    })
                })
                .collect();
            let from = json!({
                "seq": rest.seq.0,
                "at": rfc3339(rest.now),
                "director_at_work": rest.at_work,
                "tasks": { "all": all, "done": done, "in_hand": in_hand, "blocked": blocked, "lost": lost },
                "models": {
                    "durations": match past.model {
                        Model::Habits => "fitted",
                        _ => "published",
                    },
                    "finished_tasks": past.finished,
                    "pace": round(past.pace as f64 / 1e6),
                    "rates": rates,
                },
            });
            Some(("from", from))
        }
        Start::Again { took, outcome } => Some((
            "again",
            json!({ "took_hours": round(took.as_hours()), "outcome": outcome }),
        )),
    }
}
