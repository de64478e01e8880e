//! The figures of the report, counted again from the journal alone, by other means.
//!
//! The report counts in one pass with what the state has kept; here each figure is a filter over all events. Both are wrong in the
//! same way only by chance.

use std::collections::{BTreeMap, BTreeSet};

use director::handle::Entry;
use director::report::sprint::{Metrics, build};
use director_protocols::event::Event;
use director_protocols::ids::{SprintId, TaskId};
use director_protocols::time::{Span, Time};

use super::World;
use super::oracle::Broken;

/// One line for each figure: its name, as reported, as counted.
type Figures = Vec<(&'static str, f64, f64)>;

/// The first figure of the first sprint that is not what the journal says.
pub(super) fn figures_are_true(world: &World) -> Broken {
    let state = world.engine.state();
    let entries: Vec<Entry> = world
        .journal
        .iter()
        .map(|(seq, at, events)| Entry {
            seq: *seq,
            epoch: 1,
            at: *at,
            events: events.clone(),
        })
        .collect();
    let sprints = (0u32..).map(SprintId).take(state.sprints.table.len());
    for sprint in sprints {
        let report = build(state, &entries, sprint, world.now)?;
        // Nobody is busy for longer than there is time.
        let mut used = report.metrics.utilization.iter();
        if let Some((role, share)) = used.find(|(_, share)| **share > 1.0) {
            return Some(format!("{role} was in use for {share} of the time"));
        }
        let wrong = figures(world, sprint, &report.metrics)
            .into_iter()
            .find(|(_, said, counted)| (said - counted).abs() > 0.006);
        if let Some((name, said, counted)) = wrong {
            let id = &state.sprints.table[sprint.index()].spec.id;
            return Some(format!(
                "`{id}`: {name} is {said} in the report, {counted} by the journal"
            ));
        }
    }
    None
}

fn figures(world: &World, sprint: SprintId, metrics: &Metrics) -> Figures {
    let table = &world.engine.state().tasks.table;
    let ours = |task: TaskId| table[task.index()].sprint == sprint;
    let all: Vec<(Time, &Event)> = world
        .journal
        .iter()
        .flat_map(|(_, at, events)| events.iter().map(move |event| (*at, event)))
        .collect();
    let count = |wanted: &dyn Fn(&Event) -> u32| -> f64 {
        all.iter().map(|(_, event)| f64::from(wanted(event))).sum()
    };
    let completed: Vec<TaskId> = all
        .iter()
        .filter_map(|(_, event)| match event {
            Event::TaskCompleted(e) if ours(e.task_id) => Some(e.task_id),
            _ => None,
        })
        .collect();
    let mut assigned: BTreeMap<_, Time> = BTreeMap::new();
    let mut tried: BTreeSet<TaskId> = BTreeSet::new();
    let mut worked = Span::ZERO;
    let mut blockers: BTreeMap<_, Time> = BTreeMap::new();
    let mut held: Vec<Span> = Vec::new();
    for (at, event) in &all {
        match event {
            Event::TaskAssigned(e) if ours(e.task_id) => {
                tried.insert(e.task_id);
                assigned.insert((e.task_id, e.attempt), *at);
            }
            Event::AttemptEnded(e) => {
                let since = assigned.get(&(e.task_id, e.attempt));
                worked += since.map_or(Span::ZERO, |since| at.since(*since));
            }
            Event::BlockerRaised(e) if ours(e.task_id) => drop(blockers.insert(e.blocker, *at)),
            Event::BlockerResolved(e) => {
                held.extend(blockers.remove(&e.blocker).map(|raised| at.since(raised)));
            }
            _ => {}
        }
    }
    let raised: BTreeSet<_> = all
        .iter()
        .filter_map(|(_, event)| match event {
            Event::BlockerRaised(e) if ours(e.task_id) => Some(e.blocker),
            _ => None,
        })
        .collect();
    let hours = |span: Span| span.0 as f64 / 3_600_000.0;
    let points: u32 = completed
        .iter()
        .map(|task| table[task.index()].spec.points)
        .sum();
    let mean = held.iter().map(|span| span.0).sum::<u64>() / (held.len() as u64).max(1);
    let ended = metrics.attempt_ends.values().copied().map(f64::from).sum();
    vec![
        ("velocity", metrics.velocity.into(), points.into()),
        ("attempts", metrics.attempts.into(), assigned.len() as f64),
        (
            "retries",
            metrics.retries.into(),
            (assigned.len() - tried.len()) as f64,
        ),
        (
            "attempt_ends",
            ended,
            count(&|event| matches!(event, Event::AttemptEnded(e) if ours(e.task_id)).into()),
        ),
        (
            "deaths",
            metrics.deaths as f64,
            count(&|event| {
                matches!(event, Event::AttemptEnded(e) if ours(e.task_id) && e.end.as_str() == "died").into()
            }),
        ),
        ("worked_hours", metrics.worked_hours, hours(worked)),
        (
            "merges",
            metrics.merges.into(),
            count(&|event| {
                matches!(event, Event::MergeCompleted(e) if e.sprint_id == sprint).into()
            }),
        ),
        (
            "merge_conflicts",
            metrics.merge_conflicts.into(),
            count(&|event| match event {
                Event::MergeConflicted(e) => {
                    e.batch.iter().filter(|task| ours(**task)).count() as u32
                }
                _ => 0,
            }),
        ),
        (
            "blockers_raised",
            metrics.blockers_raised as f64,
            raised.len() as f64,
        ),
        (
            "blocker_resolution_hours",
            metrics.blocker_resolution_hours.unwrap_or_default(),
            hours(Span(mean)),
        ),
        (
            "escalations",
            metrics.escalations.into(),
            count(&|event| {
                matches!(event, Event::BlockerEscalated(e) if raised.contains(&e.blocker)).into()
            }),
        ),
        (
            "emergencies",
            metrics.emergencies.into(),
            count(&|event| {
                matches!(event, Event::EngineeringEmergency(e) if e.sprint_id == sprint).into()
            }),
        ),
    ]
}
