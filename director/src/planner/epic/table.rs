//! What an epic needs by default: a table of phase, role and task, which a plan by rule fills in feature by feature.
//!
//! Phases are an order of thought, not a barrier: who waits for whom is said by [`super::rule`], and nothing waits for a phase.

/// The part of the work that a task belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    /// What the rest stands on; runs side by side.
    Foundation,
    /// Building, part by part, side by side.
    Implementation,
    /// Bringing parts together, in order.
    Integration,
    /// Judging and writing down; the writing begins with the specification.
    Review,
}

/// When a default task is needed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum For {
    /// Once for the epic.
    Epic,
    /// For a feature with something to find out.
    Research,
    /// For a feature that people see something of.
    Ui,
    /// For a feature that programs speak to.
    Api,
    /// For a feature that is neither.
    Whole,
    /// For a feature that is both.
    Both,
    /// For every feature.
    Feature,
}

/// A row of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row {
    /// The part of the work.
    pub phase: Phase,
    /// When it is needed.
    pub needed: For,
    /// The end of the task's name.
    pub suffix: &'static str,
    /// The kind, which decides the role.
    pub kind: &'static str,
    /// The title, in front of the feature's or the epic's.
    pub title: &'static str,
    /// What is to be done.
    pub what: &'static str,
    /// Effort in hundredths of the feature's; of the epic's for tasks of the epic.
    pub share: u32,
}

const fn row(
    phase: Phase,
    needed: For,
    (suffix, kind): (&'static str, &'static str),
    share: u32,
    title: &'static str,
    what: &'static str,
) -> Row {
    Row {
        phase,
        needed,
        suffix,
        kind,
        title,
        what,
        share,
    }
}

/// The table, in the order in which tasks are written.
pub static DEFAULTS: [Row; 12] = [
    row(
        Phase::Foundation,
        For::Epic,
        ("architecture", "architecture"),
        6,
        "Specification and architecture of",
        "Decide how it is built: parts, data, interfaces between them, errors. Write it down so that every feature can begin from it.",
    ),
    row(
        Phase::Foundation,
        For::Epic,
        ("research", "research"),
        3,
        "Practices and pitfalls for",
        "Find out how others solve this and what goes wrong with it. Sources with version and address, options compared, a recommendation.",
    ),
    row(
        Phase::Foundation,
        For::Epic,
        ("test-strategy", "testing"),
        3,
        "Test strategy for",
        "Decide what is tested on which level, with which data and tools, and set that up. QA gets the strategy.",
    ),
    row(
        Phase::Foundation,
        For::Research,
        ("question", "research"),
        15,
        "Answer the open question of",
        "Find out, and write down what it means for the feature.",
    ),
    row(
        Phase::Implementation,
        For::Ui,
        ("ui", "ui_component"),
        35,
        "Interface of",
        "Build what people see and touch, with every state: empty, loading, failed, no permission.",
    ),
    row(
        Phase::Implementation,
        For::Api,
        ("api", "api_endpoint"),
        35,
        "Service of",
        "Build what programs speak to: contract, checks of input, errors, storage.",
    ),
    row(
        Phase::Implementation,
        For::Whole,
        ("build", "feature"),
        60,
        "Build",
        "Build it from end to end.",
    ),
    row(
        Phase::Integration,
        For::Both,
        ("connect", "feature"),
        15,
        "Connect interface and service of",
        "Bring both parts together: real requests, real answers, the error paths too.",
    ),
    row(
        Phase::Integration,
        For::Feature,
        ("tests", "testing"),
        20,
        "Integration and end-to-end tests of",
        "Test it as users use it, by the test strategy; each criterion gets a test that fails without the feature.",
    ),
    row(
        Phase::Review,
        For::Feature,
        ("review", "review"),
        8,
        "Review",
        "Read the change as a whole and line by line; say whether it can be merged.",
    ),
    row(
        Phase::Review,
        For::Feature,
        ("docs", "documentation"),
        12,
        "Documentation of",
        "Write what users and engineers need to read, from the specification; check it against what was built once it is there.",
    ),
    row(
        Phase::Review,
        For::Epic,
        ("validation", "testing"),
        5,
        "Final validation of",
        "Check the whole against the epic's criteria, on a fresh checkout.",
    ),
];

#[cfg(test)]
mod tests {
    use super::*;
    use director_protocols::kinds;

    #[test]
    fn the_table_has_what_is_easily_overlooked_and_each_role_of_a_phase() {
        let roles = |phase| {
            let rows = DEFAULTS.iter().filter(|row| row.phase == phase);
            let mut roles: Vec<_> = rows.map(|row| kinds::role_of(row.kind)).collect();
            roles.sort_unstable();
            roles.dedup();
            roles
        };
        assert_eq!(
            roles(Phase::Foundation),
            ["documentation-research", "tech-lead", "test-engineer"]
        );
        assert_eq!(
            roles(Phase::Implementation),
            ["api-engineer", "fullstack-engineer", "ux-engineer"]
        );
        assert_eq!(
            roles(Phase::Integration),
            ["fullstack-engineer", "test-engineer"]
        );
        assert_eq!(
            roles(Phase::Review),
            [
                "documentation-writer",
                "tech-lead-reviewer",
                "test-engineer"
            ]
        );
    }
}
