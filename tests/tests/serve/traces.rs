//! Traces, as a collector gets them: over a collector that is not there at first, and over SIGKILL.

use std::collections::{BTreeMap, BTreeSet};

use director_tests::corner::{Corner, HEAD};
use director_tests::harness::PATIENCE;
use director_tests::hook::Hook;
use director_tests::process::until;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message;
use serde_json::Value;

use super::PROGRAM;

const TASKS: &str = r#"
[gates]
tests = "test ! -e broken"
review = false
docs = false
coverage = false
acceptance = false
[[task]]
id = "first"
run = "echo $TRACEPARENT >> ../../../parents; until test -e ../../../go; do sleep 0.02; done; echo first > first"
[[task]]
id = "second"
depends_on = ["first"]
run = "echo $TRACEPARENT >> ../../../parents; test $DIRECTOR_ATTEMPT != 1 && echo second > second"
[[task]]
id = "third"
depends_on = ["first"]
run = "echo $TRACEPARENT >> ../../../parents; echo third > third; test $DIRECTOR_ATTEMPT != 1 || touch broken; test $DIRECTOR_ATTEMPT = 1 || rm -f broken"
"#;

/// Every span that was taken, by its name; one that came twice has to be the same.
fn taken(hook: &Hook) -> BTreeMap<String, Span> {
    let hex = |bytes: &[u8]| director_protocols::trace::hex(bytes);
    let mut all: BTreeMap<String, Span> = BTreeMap::new();
    for posted in hook.posted().iter().filter(|posted| posted.status == 200) {
        assert_eq!(posted.headers["content-type"], "application/x-protobuf");
        assert_eq!(posted.headers["x-key"], "a b");
        let request = ExportTraceServiceRequest::decode(&posted.bytes[..]).expect("protobuf");
        for resource in request.resource_spans {
            let who = resource.resource.expect("a resource").attributes;
            assert!(who.iter().any(|pair| pair.key == "service.name"));
            for span in resource
                .scope_spans
                .into_iter()
                .flat_map(|scope| scope.spans)
            {
                let name = format!("{} {}", hex(&span.trace_id), hex(&span.span_id));
                if let Some(before) = all.insert(name, span.clone()) {
                    assert_eq!(before, span, "what is sent again is the same");
                }
            }
        }
    }
    all
}

#[test]
fn a_task_is_one_trace_over_kills_and_a_collector_that_was_away_and_agents_know_their_span() {
    let hook = Hook::new(&[(503, "not yet")]);
    let base = hook.url().replace("/hook", "");
    let corner = Corner::new(PROGRAM)
        .with_env("OTEL_EXPORTER_OTLP_ENDPOINT", &base)
        .with_env("OTEL_EXPORTER_OTLP_HEADERS", "x-key=a%20b")
        .with_env("OTEL_BSP_SCHEDULE_DELAY", "20");
    let head = HEAD.split("[gates]").next().expect("a head");
    corner.sprint(format!("{head}{TASKS}"));
    // The collector is away, then the director is killed, then both are there.
    let mut run = corner.start();
    until(PATIENCE, || (!hook.posted().is_empty()).then_some(())).expect("it is tried");
    hook.answers(&[(200, "")]);
    until(PATIENCE, || (!taken(&hook).is_empty()).then_some(())).expect("it is sent again");
    run.0.kill().expect("a kill");
    run.code_within(PATIENCE);
    std::fs::write(corner.root().join("go"), "").expect("a file");
    let said = corner.run();
    assert_eq!(said.code, 0, "{said:?}");

    let spans = taken(&hook);
    let told = corner.tell(&["events", "--json"]);
    let events: Vec<Value> = told
        .out
        .lines()
        .filter_map(|line| serde_json::from_str(line).ok())
        .collect();
    let count = |name: &str| events.iter().filter(|event| event["event"] == name).count();
    let of =
        |name: &str| -> Vec<&Span> { spans.values().filter(|span| span.name == name).collect() };
    for (name, event) in [
        ("attempt", "attempt_ended"),
        ("commit", "work_committed"),
        ("gates", "quality_gate_status"),
    ] {
        assert_eq!(of(name).len(), count(event), "{name} for each {event}");
    }
    let merged = of("merge").iter().filter(|span| code(span) == 1).count();
    assert_eq!(merged, 3, "each task is merged once");
    let names: BTreeSet<_> = spans
        .values()
        .map(|span| (&span.trace_id, &span.span_id))
        .collect();
    let mut traces = BTreeSet::new();
    for task in ["first", "second", "third"] {
        let roots = of(&format!("task {task}"));
        assert_eq!(roots.len(), 1, "{task}");
        assert!(roots[0].parent_span_id.is_empty() && code(roots[0]) == 1);
        traces.insert(&roots[0].trace_id);
    }
    assert_eq!(traces.len(), 3, "one trace for each task");
    for span in spans.values() {
        let above = (&span.trace_id, &span.parent_span_id);
        assert!(
            span.parent_span_id.is_empty() || names.contains(&above),
            "{span:?}"
        );
        assert!(span.start_time_unix_nano <= span.end_time_unix_nano);
        assert!(traces.contains(&span.trace_id));
    }
    // What agents were told is the span in which they worked.
    let parents = std::fs::read_to_string(corner.root().join("parents")).expect("they wrote it");
    let agents: BTreeSet<String> = of("agent").into_iter().map(parent).collect();
    assert!(parents.lines().count() >= 4, "{parents}");
    for line in parents.lines() {
        assert!(agents.contains(line), "{line} is none of {agents:?}");
    }
}

fn code(span: &Span) -> i32 {
    span.status.as_ref().map_or(0, |status| status.code)
}

/// As `TRACEPARENT` names it.
fn parent(span: &Span) -> String {
    let hex = director_protocols::trace::hex;
    format!("00-{}-{}-01", hex(&span.trace_id), hex(&span.span_id))
}
