//! Spans of recorded runs: as a tree, with names of their own, and the same from wherever the journal is folded.

use expect_test::expect;

use super::*;
use crate::view::recorded::{Run, checkout, midway};

fn folded(run: &Run, from: u64, spans: &mut Spans) -> Vec<(u64, Span)> {
    let mut all = Vec::new();
    for entry in run.entries.iter().filter(|entry| entry.seq.0 >= from) {
        let ended = spans.take(entry, run.state());
        all.extend(ended.into_iter().map(|span| (entry.seq.0, span)));
    }
    all
}

/// A task's spans as a tree, with seconds since its beginning.
fn tree(spans: &[Span], task: &str) -> String {
    let root = spans
        .iter()
        .find(|span| span.name == format!("task {task}"));
    let root = root.expect("its root");
    let mut out = String::new();
    below(spans, root, root.start, 0, &mut out);
    out
}

fn below(spans: &[Span], of: &Span, began: Time, depth: usize, out: &mut String) {
    let seconds = |at: Time| at.0.saturating_sub(began.0) / 1_000;
    let problem = of.problem.as_deref().unwrap_or("");
    let line = format!(
        "{:indent$}{} {}-{} s {problem}",
        "",
        of.name,
        seconds(of.start),
        seconds(of.end),
        indent = 2 * depth
    );
    *out += line.trim_end();
    *out += "\n";
    let mut parts: Vec<_> = spans
        .iter()
        .filter(|span| span.parent == Some(of.id))
        .collect();
    parts.sort_by_key(|span| (span.start, span.end));
    for part in parts {
        below(spans, part, began, depth + 1, out);
    }
}

#[test]
fn a_task_is_one_trace_from_the_first_assignment_to_the_merge() {
    let mut run = Run::of(checkout(true));
    run.red.insert("checkout-spec".to_owned());
    run.done("checkout-spec", 60);
    run.done("checkout-spec", 30);
    let ended = folded(&run, 1, &mut Spans::default());
    let spans: Vec<_> = ended.into_iter().map(|(_, span)| span).collect();
    expect![[r#"
        task checkout-spec 0-5414 s
          attempt 0-3604 s
            prepare 0-1 s
            agent 3-3604 s
          commit 3604-3605 s
          merge 3605-3607 s gate `tests` failed (exit code 101): cargo test test cart::adds_up ... FAILED
            gates 3606-3607 s a gate is red
              gate tests 3606-3607 s cargo test
              gate coverage 3607-3607 s
          attempt 5408-5410 s
            prepare 5408-5409 s
            agent 5410-5410 s
          commit 5410-5411 s
          merge 5411-5414 s
            gates 5412-5413 s
              gate tests 5412-5413 s
              gate coverage 5413-5413 s
    "#]]
    .assert_eq(&tree(&spans, "checkout-spec"));
}

#[test]
fn spans_have_names_of_their_own_a_place_in_their_trace_and_a_length() {
    let run = midway();
    let mut fold = Spans::default();
    let spans = folded(&run, 1, &mut fold);
    assert!(spans.len() > 20, "{}", spans.len());
    let mut names: Vec<_> = spans
        .iter()
        .map(|(_, span)| (span.trace, span.id))
        .collect();
    names.sort_unstable();
    let all = names.len();
    names.dedup();
    assert_eq!(names.len(), all);
    for (_, span) in &spans {
        assert!(span.start <= span.end, "{span:?}");
        // What has not ended is told later; what is below it may be told before.
        let coming = fold.open.values().any(|open| {
            let hand = open.attempt.as_ref();
            let hand = hand.map(|hand| open.trace.span("attempt", hand.number.0.into()));
            let merge = open.merge.map(|(id, _)| id);
            [Some(open.root), hand, merge].contains(&span.parent)
        });
        let there = names
            .iter()
            .any(|(trace, id)| *trace == span.trace && Some(*id) == span.parent);
        assert!(span.parent.is_none() || coming || there, "{span:?}");
    }
}

#[test]
fn whoever_begins_where_entries_are_needed_makes_the_same_spans_as_whoever_began_at_the_beginning()
{
    let run = midway();
    let whole = folded(&run, 1, &mut Spans::default());
    for cut in run.entries.iter().map(|entry| entry.seq.0) {
        let mut before = Spans::default();
        for entry in run.entries.iter().take_while(|entry| entry.seq.0 <= cut) {
            before.take(entry, run.state());
        }
        let rest = folded(&run, before.needed(), &mut Spans::default());
        let rest: Vec<_> = rest.into_iter().filter(|(seq, _)| *seq > cut).collect();
        let wanted: Vec<_> = whole
            .iter()
            .filter(|(seq, _)| *seq > cut)
            .cloned()
            .collect();
        assert_eq!(rest, wanted, "cut at {cut}");
    }
}
