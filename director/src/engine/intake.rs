//! Intake: a submitted sprint becomes rows of the tables.
//!
//! Invariant: the rows of a sprint lie next to each other, in the order of its file; what comes later is [`super::adding`].

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use director_protocols::event::SprintSubmitted;
use director_protocols::ids::{FeatureId, Name, RoleId, TaskId};
use director_protocols::time::{Span, Time};

use super::adding::urgency;
use super::budgets;
use super::ceremonies::Held;
use super::replan::Plan;
use super::sprints::{Quality, Sprint, Stage};
use super::state::State;
use super::tasks::{Feature, Tally, Task};
use crate::planner::critical_path::CriticalPath;
use crate::planner::graph::Graph;

impl State {
    pub(super) fn submitted(&mut self, e: &SprintSubmitted, now: Time) {
        self.team.adopt(&e.spec.team, now);
        self.without_retired();
        let first = self.tasks.table.len() as u32;
        let plan = Plan::of(&e.spec);
        let mut spec = (*e.spec).clone();
        let tasks = std::mem::take(&mut spec.tasks);
        let by_name: BTreeMap<Name, TaskId> = (first..)
            .map(TaskId)
            .zip(&tasks)
            .map(|(id, task)| (task.id.clone(), id))
            .collect();
        // `decide` has refused what is not a graph.
        let len = tasks.len() as u32;
        let graph = Graph::of_tasks(&tasks).unwrap_or_else(|_| Graph::unconnected(len));
        let durations: Vec<u64> = tasks.iter().map(|task| task.estimate.mean().0).collect();
        let path = CriticalPath::compute(&graph, &durations);
        let exclusive = spec.repo.is_some();
        // Exactly: a sprint comes whole, and room for as many again would be a third of what it takes.
        self.tasks.table.reserve_exact(tasks.len());
        self.tasks.features.reserve_exact(tasks.len());
        let mut features: BTreeMap<Name, FeatureId> = BTreeMap::new();
        let mut tally = Tally::default();
        for (index, task) in (0u32..).zip(tasks) {
            let id = TaskId(first + index);
            let feature = *features.entry(task.feature.clone()).or_insert_with(|| {
                let name = task.feature.clone();
                self.tasks
                    .features
                    .push(Feature::new(e.sprint_id, name, exclusive));
                FeatureId(self.tasks.features.len() as u32 - 1)
            });
            let local = |node: &u32| TaskId(first + node);
            let depends_on: Vec<TaskId> = graph.predecessors(index).iter().map(local).collect();
            let dependents: Vec<TaskId> = graph.successors(index).iter().map(local).collect();
            let urgency = urgency(task.priority);
            tally.committed += 1;
            tally.committed_points += task.points;
            let role = self.team.by_role.get(&task.role).copied();
            let rank = (urgency, u64::MAX - path.remaining[index as usize], id);
            let place = (role.unwrap_or(RoleId(0)), feature, rank);
            self.tasks.push(Task {
                waiting_for: depends_on.len() as u32,
                depends_on: depends_on.into(),
                dependents: dependents.into(),
                slack: Span(path.total_slack[index as usize]),
                ..Task::new(e.sprint_id, task, place, now)
            });
        }
        let limited = budgets::is_limited(&spec);
        self.sprints.listening |= !spec.ways.stakeholders.is_empty();
        self.tasks.tallies.push(tally);
        self.sprints.by_name.insert(spec.id.clone(), e.sprint_id);
        self.sprints.table.push(Sprint {
            spec: spec.into(),
            first: TaskId(first),
            len,
            added: Vec::new(),
            quality: Quality::default(),
            by_name: by_name.into(),
            plan,
            stage: Stage::Preparing,
            limited,
            paused: false,
            moved: None,
            cancelled: false,
            emergency: None,
            base: String::new(),
            head: String::new(),
            warnings: Vec::new(),
            base_gates: Vec::new(),
            refused: String::new(),
            queue: VecDeque::new(),
            suspects: 0,
            merge: None,
            planned: e.planned,
            submitted: now,
            began: None,
            ended: None,
            kept: Vec::new(),
            delivered: None,
            incidents: Vec::new(),
            proposal: None,
            note: None,
            held: Held::default(),
            accepted: BTreeMap::new(),
            unclear: BTreeSet::new(),
            came_true: BTreeSet::new(),
            overruns: BTreeMap::new(),
            fallen_back: BTreeSet::new(),
            forecasts: Vec::new(),
        });
    }

    /// Frees tasks from wishes that nobody in the team can fulfil any more.
    pub(super) fn without_retired(&mut self) {
        for index in 0..self.tasks.table.len() {
            let id = TaskId(index as u32);
            let task = &mut self.tasks.table[index];
            task.wanted = task.wanted.filter(|agent| self.team.is_there(*agent));
            if task.avoid.is_empty() {
                continue;
            }
            match self.next_role(id) {
                Some(role) => self.tasks.set_role(id, role),
                None => self.tasks.table[id.index()].avoid.clear(),
            }
        }
    }
}
