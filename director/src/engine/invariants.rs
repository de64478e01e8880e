//! Invariants: what must hold after every decision, each found by recounting.
//!
//! Checked in tests and simulations, where time does not matter: a check looks at the whole state.

use std::collections::{BTreeMap, BTreeSet};

use director_protocols::event::Purse;
use director_protocols::ids::{AgentId, FeatureId, SprintId, TaskId};

use director_protocols::origin::Origin;
use director_protocols::severity::Severity;

use super::decide::{budget, pair};
use super::deployments::Standing;
use super::effects::Effect;
use super::judging::Judging;
use super::sprints::Stage;
use super::state::{Deadline, State};
use super::tasks::{Phase, Tally};

/// Checks everything.
///
/// # Errors
/// The first promise that is broken, in words.
pub fn check(state: &State) -> Result<(), String> {
    tallies(state)?;
    queues(state)?;
    features(state)?;
    hands(state)?;
    dependencies(state)?;
    merges(state)?;
    effects(state)?;
    deployments(state)?;
    accounts(state)?;
    budgets(state)?;
    clashes(state)?;
    inbox(state)
}

/// What would conflict is work under way of one sprint, and in some files.
fn clashes(state: &State) -> Result<(), String> {
    for ((task, with), clash) in &state.clashes {
        let sprint = |id: TaskId| state.tasks.table[id.index()].sprint;
        let apart = with.is_some_and(|with| with <= *task || sprint(with) != sprint(*task));
        let of = [Some(*task), *with].into_iter().flatten();
        let gone = of.clone().any(|id| !state.is_under_way(id));
        if apart || gone || clash.files.is_empty() {
            return Err(format!("tasks {task} and {with:?} are in {clash:?}"));
        }
    }
    Ok(())
}

/// A deployment that waits has its deadline, and one that is asked about or looked at has its effect outstanding.
fn deployments(state: &State) -> Result<(), String> {
    let mut asked = BTreeSet::new();
    for (_, effect) in state.outstanding.iter() {
        if let Effect::CheckReadiness { deployment } | Effect::Probe { deployment } = effect
            && !asked.insert(*deployment)
        {
            return Err(format!("deployment {deployment} is asked about twice"));
        }
    }
    for (number, row) in (0u32..).zip(&state.deployments) {
        let due = match row.standing {
            Standing::Waiting(at) | Standing::Probing(Some(at)) => Some(at),
            _ => None,
        };
        let mut deadlines = state.deadlines.iter();
        let found = deadlines.find(|(_, of)| *of == Deadline::Deployment(number));
        let asks = matches!(row.standing, Standing::Checking | Standing::Probing(None));
        if found.map(|(at, _)| *at) != due || asks != asked.contains(&number) {
            return Err(format!("deployment {number} is {:?}", row.standing));
        }
        let sprint = &state.sprints.table[row.sprint.index()];
        if !row.standing.is_over() && sprint.is_over() {
            return Err(format!(
                "deployment {number} goes on in a sprint that is over"
            ));
        }
    }
    Ok(())
}

/// A parked account has its deadline, and no other has one.
fn accounts(state: &State) -> Result<(), String> {
    let deadlines = state.deadlines.iter();
    let found: BTreeSet<_> = deadlines
        .filter_map(|(at, of)| match of {
            Deadline::Account(number) => Some((*number, *at)),
            _ => None,
        })
        .collect();
    let parked = (0u32..).zip(&state.accounts);
    let parked = parked.filter_map(|(number, account)| Some((number, account.parked?)));
    match found == parked.collect() {
        true => Ok(()),
        false => Err(format!(
            "accounts {:?}, deadlines {found:?}",
            state.accounts
        )),
    }
}

/// What is set aside in a budget is the sum over the attempts in hand, and each wait for a window has its deadline.
fn budgets(state: &State) -> Result<(), String> {
    let mut reserved: BTreeMap<Purse, u64> = BTreeMap::new();
    for (task, row) in &state.budgets.reserved {
        let hands = &state.tasks.table[task.index()];
        if hands.agent != Some(row.agent) || hands.attempt != row.attempt {
            return Err(format!("task {task} is not in hand, and {row:?}"));
        }
        for purse in state.purses(*task, row.agent) {
            *reserved.entry(purse).or_default() += row.left;
        }
    }
    for (purse, sums) in &state.budgets.sums {
        let found = reserved.remove(purse).unwrap_or_default();
        if found != sums.reserved {
            return Err(format!("{purse:?} has {sums:?}, a recount {found}"));
        }
    }
    if let Some((purse, found)) = reserved.into_iter().find(|(_, found)| *found > 0) {
        return Err(format!("{purse:?} has nothing, a recount {found}"));
    }
    let deadlines = state.deadlines.iter();
    let found: BTreeSet<_> = deadlines
        .filter_map(|(at, of)| match of {
            Deadline::Budget(sprint) => Some((*sprint, *at)),
            _ => None,
        })
        .collect();
    let holds = state.budgets.holds.iter();
    let waits: BTreeSet<_> = holds
        .filter_map(|(purse, hold)| Some((budget::sprint_of(state, *purse), hold.until?)))
        .collect();
    match found == waits {
        true => Ok(()),
        false => Err(format!("waits for windows {waits:?}, deadlines {found:?}")),
    }
}

fn tasks(state: &State) -> impl Iterator<Item = (TaskId, &super::tasks::Task)> {
    (0u32..).map(TaskId).zip(&state.tasks.table)
}

/// The tallies equal a recount.
fn tallies(state: &State) -> Result<(), String> {
    let mut recount = vec![Tally::default(); state.sprints.table.len()];
    for (_, task) in tasks(state) {
        let tally = &mut recount[task.sprint.index()];
        if task.phase != Phase::Deferred && !task.is_help() && !task.dropped {
            tally.committed += 1;
            tally.committed_points += task.spec.points;
        }
        if task.phase == Phase::Completed && !task.is_help() {
            tally.completed += 1;
            tally.completed_points += task.spec.points;
        }
        tally.active += u32::from(task.phase.is_active());
        tally.blocked += u32::from(task.phase == Phase::Blocked);
        tally.in_hand += u32::from(task.agent.is_some());
    }
    for feature in &state.tasks.features {
        recount[feature.sprint.index()].held += u32::from(feature.holder.is_some());
    }
    if recount != state.tasks.tallies {
        return Err(format!(
            "tallies are {:?}, a recount gives {recount:?}",
            state.tasks.tallies
        ));
    }
    Ok(())
}

/// A feature's tasks are those that name it, and its open ones are counted.
fn features(state: &State) -> Result<(), String> {
    let mut of: BTreeMap<FeatureId, Vec<TaskId>> = BTreeMap::new();
    for (id, task) in tasks(state) {
        of.entry(task.feature).or_default().insert(0, id);
    }
    for (id, feature) in (0u32..).map(FeatureId).zip(&state.tasks.features) {
        let chain: Vec<TaskId> = state.tasks.of_feature(id).collect();
        let all = of.remove(&id).unwrap_or_default();
        let is_open = |id: &&TaskId| state.tasks.table[id.index()].is_open();
        let open = all.iter().filter(is_open).count();
        if chain != all || feature.open as usize != open {
            return Err(format!(
                "feature {} has {chain:?}, {} of them open; a recount gives {all:?} and {open}",
                feature.name, feature.open
            ));
        }
    }
    Ok(())
}

/// A task stands in its role's queue exactly when it is ready and its feature's turn is free.
fn queues(state: &State) -> Result<(), String> {
    let mut expected: BTreeMap<_, BTreeSet<_>> = BTreeMap::new();
    for (_, task) in tasks(state) {
        let feature = &state.tasks.features[task.feature.index()];
        if task.phase == Phase::Ready && feature.holder.is_none() {
            expected
                .entry((task.role, task.sprint))
                .or_default()
                .insert(task.rank);
        }
    }
    let actual = &state.tasks.ready;
    if *actual != expected {
        return Err(format!(
            "ready queues are {actual:?}, expected {expected:?}"
        ));
    }
    Ok(())
}

/// A task in an agent's hands and that agent's task are the same; free agents are those without one.
fn hands(state: &State) -> Result<(), String> {
    for (id, task) in tasks(state) {
        if let Some(agent) = task.agent
            && state.team.agents[agent.index()].task != Some(id)
        {
            return Err(format!(
                "task {id} is in the hands of {agent}, which has another"
            ));
        }
        if task.phase.is_in_hand() && task.agent.is_none() {
            return Err(format!("task {id} is {:?} in nobody's hands", task.phase));
        }
    }
    for (id, agent) in (0u32..).map(AgentId).zip(&state.team.agents) {
        if let Some(task) = agent.task
            && state.tasks.table[task.index()].agent != Some(id)
        {
            return Err(format!(
                "agent {id} has task {task}, which is not in its hands"
            ));
        }
        let role = &state.team.roles[agent.role.index()];
        let free = agent.up && !agent.retired && agent.task.is_none() && !role.lost;
        if free != role.free.contains(&id) {
            return Err(format!("agent {id} free: {free}, listed: {}", !free));
        }
    }
    for (id, agent) in (0u32..).map(AgentId).zip(&state.team.agents) {
        if agent.allocated < state.tasks.effort(agent.task) {
            return Err(format!("agent {id} has more in hand than it was given"));
        }
        let over = |id: &SprintId| state.sprints.table[id.index()].is_over();
        if agent.spent.keys().any(over) {
            return Err(format!(
                "agent {id} carries effort of a sprint that is over"
            ));
        }
    }
    for (id, task) in tasks(state) {
        if let Some(agent) = task.wanted
            && !state.team.is_there(agent)
        {
            return Err(format!("task {id} waits for {agent}, which is retired"));
        }
    }
    for feature in &state.tasks.features {
        if feature.holder.is_some() && !feature.exclusive {
            return Err(format!(
                "feature {} needs no turns and has one",
                feature.name
            ));
        }
    }
    Ok(())
}

/// Nothing is at work before what it depends on is completed.
fn dependencies(state: &State) -> Result<(), String> {
    for (id, task) in tasks(state) {
        let open = task
            .depends_on
            .iter()
            .filter(|dep| state.tasks.table[dep.index()].phase != Phase::Completed)
            .count() as u32;
        if open != task.waiting_for {
            return Err(format!(
                "task {id} waits for {open}, counted {}",
                task.waiting_for
            ));
        }
        if open > 0 && (task.phase.is_active() || task.phase == Phase::Completed) {
            return Err(format!(
                "task {id} is {:?} and waits for {open} tasks",
                task.phase
            ));
        }
    }
    Ok(())
}

/// What is queued or merging is in exactly one place.
fn merges(state: &State) -> Result<(), String> {
    for (id, task) in tasks(state) {
        let sprint = &state.sprints.table[task.sprint.index()];
        let queued = sprint.queue.iter().filter(|queued| **queued == id).count();
        let merging = usize::from(
            sprint
                .merge
                .as_ref()
                .is_some_and(|merge| merge.batch.contains(&id)),
        );
        let expected = match task.phase {
            Phase::Queued => (1, 0),
            Phase::Merging => (0, 1),
            _ => (0, 0),
        };
        if (queued, merging) != expected {
            return Err(format!(
                "task {id} is {:?}, {queued} times queued and {merging} times merging",
                task.phase
            ));
        }
    }
    Ok(())
}

/// Every task on its way has the effect outstanding that moves it on.
fn effects(state: &State) -> Result<(), String> {
    let mut salvaging = BTreeSet::new();
    let mut moving = BTreeSet::new();
    for (_, effect) in state.outstanding.iter() {
        match effect {
            Effect::Salvage { task, .. } if !salvaging.insert(*task) => {
                return Err(format!("task {task} is being salvaged twice"));
            }
            Effect::PrepareWorktree { task, .. }
            | Effect::Assign { task, .. }
            | Effect::CommitWork { task, .. } => {
                moving.insert(*task);
            }
            Effect::PrepareMerge { batch, .. }
            | Effect::RunGates { batch, .. }
            | Effect::Advance { batch, .. } => moving.extend(batch),
            _ => {}
        }
    }
    for (id, task) in tasks(state) {
        let needs = matches!(
            task.phase,
            Phase::Assigned | Phase::Reported | Phase::Merging
        );
        // One that was called off may still be on its way to its agent.
        let called_off = task.agent.is_some() && !task.phase.is_in_hand();
        if needs != moving.contains(&id) && !called_off {
            return Err(format!(
                "task {id} is {:?}, outstanding effect: {}",
                task.phase,
                moving.contains(&id)
            ));
        }
    }
    for feature in &state.tasks.features {
        if let Some(holder) = feature.holder {
            let task = &state.tasks.table[holder.index()];
            let working = task.agent.is_some()
                || matches!(
                    task.phase,
                    Phase::Reported | Phase::Reviewing | Phase::Queued | Phase::Merging
                );
            if working == salvaging.contains(&holder) {
                return Err(format!(
                    "task {holder} holds {}, at work: {working}, being saved: {working}",
                    feature.name
                ));
            }
        }
    }
    Ok(())
}

/// A blocked task has an open blocker; one of tier high or critical an open question.
fn inbox(state: &State) -> Result<(), String> {
    for (id, task) in tasks(state) {
        if task.phase == Phase::Blocked && task.blocker.is_none() {
            return Err(format!("task {id} is blocked by nothing"));
        }
        if let Some(blocker) = task.blocker {
            let row = &state.trouble.blockers[blocker.index()];
            if task.phase.is_over() {
                return Err(format!("task {id} is over and still held up"));
            }
            if row.resolved.is_some() {
                return Err(format!(
                    "task {id} is held up by a blocker that is resolved"
                ));
            }
            let asked = row
                .item
                .is_some_and(|item| state.trouble.open_item(item).is_some());
            let helped = pair::is_helped(state, blocker);
            // On the lowest tier a role may be asked for guidance; the deadline is the way out.
            let mut messages = state.messages.table.iter();
            let advised = row.severity == Severity::Low
                && row.deadline.is_some()
                && messages.any(|about| about.blocker == Some(blocker) && about.answer.is_none());
            if task.phase == Phase::Blocked && !asked && !helped && !advised {
                return Err(format!("task {id} is blocked and nobody is asked"));
            }
        }
    }
    for (id, item) in state.trouble.waiting() {
        let vain = match (item.blocker, item.message, item.task) {
            (Some(blocker), ..) => state.trouble.blockers[blocker.index()].resolved.is_some(),
            (_, Some(message), Some(_)) => state.messages.table[message.index()]
                .waiting
                .is_some_and(|(task, attempt)| !state.is_in_hand(task, attempt)),
            (_, None, Some(task)) => item
                .attempt
                .is_some_and(|attempt| !state.is_in_hand(task, attempt)),
            _ => false,
        };
        if vain {
            return Err(format!("inbox item {id} is open and nobody waits for it"));
        }
    }
    for (id, task) in tasks(state) {
        let judged = task.story.iter().flat_map(|story| &story.judged);
        let waits = judged.filter(|(gate, judging)| match judging {
            Judging::Said(_) => false,
            Judging::Person(item) => state.trouble.open_item(*item).is_some(),
            Judging::Agent => tasks(state).any(|(_, help)| {
                let asked = matches!(
                    help.origin.as_deref(),
                    Some(Origin::Gate { task_id, gate: of, .. }) if *task_id == id && of == *gate
                );
                asked && !help.phase.is_over()
            }),
        });
        if (task.phase == Phase::Reviewing) != (waits.count() > 0) {
            return Err(format!(
                "task {id} is {:?}, judged: {:?}",
                task.phase, task.story
            ));
        }
    }
    for (id, task) in tasks(state) {
        let asked = state.trouble.asked.get(&id).into_iter().flatten();
        let handed = asked.filter(|item| state.trouble.inbox[item.index()].attempt.is_some());
        let at_work = task.phase == Phase::Working && state.is_with_a_person(id);
        if at_work != (handed.count() == 1) {
            return Err(format!("task {id} is {:?} with a person", task.phase));
        }
    }
    for (id, sprint) in (0u32..).map(SprintId).zip(&state.sprints.table) {
        let tally = state.tasks.tally(id);
        if matches!(sprint.stage, Stage::Ended(_)) && (tally.active > 0 || tally.in_hand > 0) {
            return Err(format!("sprint {id} has ended with work under way"));
        }
    }
    Ok(())
}
