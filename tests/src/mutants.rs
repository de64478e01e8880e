//! Mutants: deliberate bugs in the engine, one line each, that the swarm has to find.
//!
//! A mutant is a line of the sources and what stands there instead. `cargo run -p director-tests --bin mutants` makes
//! each in a copy of the sources, builds the swarm and runs it; a mutant that it does not find in so many seeds is a
//! hole in the oracle. That the lines are there, once each, is a test that always runs.

/// One deliberate bug.
#[derive(Clone, Copy, Debug)]
pub struct Mutant {
    /// What is wrong then, in a few words.
    pub name: &'static str,
    /// The file.
    pub file: &'static str,
    /// The text in it; there once.
    pub from: &'static str,
    /// What stands there instead.
    pub to: &'static str,
    /// Seeds within which the swarm has to find it.
    pub seeds: u64,
}

const fn mutant(
    name: &'static str,
    file: &'static str,
    from: &'static str,
    to: &'static str,
    seeds: u64,
) -> Mutant {
    Mutant {
        name,
        file,
        from,
        to,
        seeds,
    }
}

/// All of them.
pub const MUTANTS: &[Mutant] = &[
    mutant(
        "a task begins while one that it waits for is not done",
        "director/src/engine/progress.rs",
        "if task.waiting_for == 0 && task.phase == Phase::Waiting && running {",
        "if task.waiting_for <= 1 && task.phase == Phase::Waiting && running {",
        20,
    ),
    mutant(
        "a worktree is not free again when its task is completed",
        "director/src/engine/progress.rs",
        "        self.tasks.release(id);\n        if let Some(agent)",
        "        if let Some(agent)",
        20,
    ),
    mutant(
        "the report of an older attempt is taken for the current one's",
        "director/src/engine/decide/attempt.rs",
        "Some(agent) if row.attempt == attempt => Ok((row, agent)),",
        "Some(agent) if row.attempt >= attempt => Ok((row, agent)),",
        100,
    ),
    mutant(
        "deadlines are taken for due an hour early",
        "director/src/engine/decide/block.rs",
        ".take_while(|(at, _)| *at <= now)",
        ".take_while(|(at, _)| *at <= now + Span::hours(1))",
        20,
    ),
    mutant(
        "a task is tried once too often",
        "director/src/engine/decide/retry.rs",
        "if failures >= policy.attempts_max {",
        "if failures > policy.attempts_max {",
        20,
    ),
    mutant(
        "a task that kills agents is not quarantined",
        "director/src/engine/decide/retry.rs",
        "if deaths.len() as u32 >= policy.deaths_max {",
        "if deaths.len() as u32 > policy.deaths_max + 1 {",
        50,
    ),
    mutant(
        "all work goes on in an emergency",
        "director/src/engine/decide/emergency.rs",
        "    task.spec.priority == Priority::Critical || wanted.contains(&helped)\n",
        "    task.spec.priority >= Priority::Low || wanted.contains(&helped)\n",
        100,
    ),
    mutant(
        "a pause does not hold",
        "director/src/engine/decide/assign.rs",
        "if !sprint.is_running() || sprint.paused || sprint.cancelled || sprint.moved.is_some() {",
        "if !sprint.is_running() || sprint.cancelled || sprint.moved.is_some() {",
        50,
    ),
    mutant(
        "work is handed out on an account that is parked",
        "director/src/engine/decide/assign.rs",
        " || state.parked(role).is_some()",
        "",
        20,
    ),
    mutant(
        "what is set aside for others does not count",
        "director/src/engine/decide/budget.rs",
        "    if used < hard && used + needed <= hard {",
        "    if spent < hard && spent + needed <= hard {",
        20,
    ),
    mutant(
        "what is expected of an attempt does not count",
        "director/src/engine/decide/budget.rs",
        "    if used < hard && used + needed <= hard {",
        "    if used < hard && used <= hard {",
        20,
    ),
    mutant(
        "what an attempt did not spend does not go back",
        "director/src/engine/budgets.rs",
        "or_default().reserved -= row.left;",
        "or_default().reserved -= row.left.min(1);",
        20,
    ),
    mutant(
        "a conflict outlives the work that was in it",
        "director/src/engine/decide/clash.rs",
        "let gone = of.find(|id| !state.is_under_way(*id))?;",
        "let gone = of.find(|id| state.tasks.table[id.index()].phase.is_over())?;",
        20,
    ),
    mutant(
        "an agent is told of a conflict again",
        "director/src/engine/decide/clash.rs",
        "&& !e.files.iter().all(met)",
        "&& !e.files.is_empty()",
        20,
    ),
    mutant(
        "green gates complete a task before it is merged",
        "director/src/engine/decide/follow.rs",
        "Event::QualityGateStatus(e) if !state.is_merging(e.sprint_id, &e.batch) => {",
        "Event::QualityGateStatus(e) if e.passed => {",
        20,
    ),
    mutant(
        "a question stays in the inbox when its asker is gone",
        "director/src/engine/decide/follow.rs",
        "            unanswered(state, e.task_id, out);\n",
        "",
        100,
    ),
    mutant(
        "a circle of waits is not seen",
        "director/src/engine/waits.rs",
        "if any && waits.all.iter().all(ends) {",
        "if any || waits.all.iter().all(ends) {",
        100,
    ),
    mutant(
        "a blocker of any task can become an emergency",
        "director/src/engine/decide/block.rs",
        "severity = severity.min(Severity::High);",
        "severity = severity.min(Severity::Critical);",
        50,
    ),
    mutant(
        "two tasks share a worktree",
        "director/src/engine/tasks.rs",
        "if feature.exclusive && feature.holder.is_none() {",
        "if feature.exclusive && feature.holder.is_some() {",
        20,
    ),
    mutant(
        "an agent with a task in hand counts as free",
        "director/src/engine/team.rs",
        "let is_free = agent.up && !agent.retired && agent.task.is_none() && !role.lost;",
        "let is_free = agent.up && !agent.retired && !role.lost;",
        20,
    ),
    mutant(
        "a merge that was answered is answered for ever",
        "director/src/engine/outstanding.rs",
        "            Event::MergeCompleted(e) => self.remove(e.effect),\n",
        "            Event::MergeCompleted(_) => {}\n",
        20,
    ),
    mutant(
        "a rejection does not count as a failure",
        "director/src/engine/progress.rs",
        "story.failures += u32::from(e.counts);",
        "story.failures += u32::from(!e.counts);",
        50,
    ),
    mutant(
        "an attempt keeps its number",
        "director/src/engine/decide/assign.rs",
        "attempt: row.attempt.next(),",
        "attempt: row.attempt.max(row.attempt.next().min(director_protocols::ids::Attempt(2))),",
        20,
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_mutant_can_be_made() {
        let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        for mutant in MUTANTS {
            let text =
                std::fs::read_to_string(root.join(mutant.file)).expect("a file of the sources");
            let times = text.matches(mutant.from).count();
            assert_eq!(
                times, 1,
                "{}: `{}` is {times} times in {}",
                mutant.name, mutant.from, mutant.file
            );
            assert_ne!(mutant.from, mutant.to);
        }
        assert!(MUTANTS.len() >= 10);
    }
}
