//! Sprints that tests plan: ten tasks around a checkout, as a user might write them.

use director_protocols::ids::Name;
use director_protocols::sprint::{
    AgentSpec, Budget, Check, Class, Estimate, Expects, GateSpec, Isolation, OnConflict, Policy,
    Priority, Profile, RestartSpec, RoleSpec, RunSpec, SprintSpec, TaskSpec,
};
use director_protocols::time::Span;
use director_protocols::work::COMMAND;

pub(crate) fn name(text: &str) -> Name {
    Name::new(text).unwrap()
}

pub(crate) fn role(id: &str, count: u32, covers: &[&str]) -> RoleSpec {
    RoleSpec {
        name: name(id),
        count,
        capacity: None,
        skills: Vec::new(),
        kinds: Vec::new(),
        covers: covers.iter().map(|&kind| kind.to_owned()).collect(),
        agent: AgentSpec::of_kind(COMMAND),
        restart: RestartSpec::default(),
        isolation: Isolation::default(),
        sandbox: None,
        conflicts: OnConflict::default(),
        budget: Default::default(),
        prompt: String::new(),
        profile: Profile::default(),
    }
}

/// A task with an estimate of `hours` (optimistic, likely, pessimistic).
pub(crate) fn task(id: &str, kind: &str, role: &str, hours: [u64; 3], after: &[&str]) -> TaskSpec {
    TaskSpec {
        id: name(id),
        title: id.replace('-', " "),
        description: format!("Do the {}.", id.replace('-', " ")),
        kind: kind.to_owned(),
        role: name(role),
        points: hours[1] as u32,
        estimate: Estimate {
            optimistic: Span::hours(hours[0]),
            likely: Span::hours(hours[1]),
            pessimistic: Span::hours(hours[2]),
        },
        depends_on: after.iter().map(|&before| name(before)).collect(),
        feature: name(id),
        priority: Priority::Normal,
        skills: Vec::new(),
        acceptance: vec!["it works".to_owned()],
        spec: None,
        design: None,
        run: Some(RunSpec::Shell("true".to_owned())),
        budget: Budget::default(),
        gates: Vec::new(),
        expects: Expects::Changes,
        produces: Vec::new(),
        files: Vec::new(),
        severity: None,
        class: Class::Feature,
        test_requirements: Vec::new(),
        deployment_requirements: Vec::new(),
        source: None,
    }
}

/// Two weeks, ten tasks, seven roles.
pub(crate) fn checkout() -> SprintSpec {
    let mut tasks = vec![
        task("checkout-spec", "architecture", "tech-lead", [4, 6, 8], &[]),
        task(
            "psp-research",
            "research",
            "documentation-research",
            [2, 4, 6],
            &[],
        ),
        task(
            "cart-api",
            "api_endpoint",
            "api-engineer",
            [6, 8, 16],
            &["checkout-spec"],
        ),
        task(
            "payment-api",
            "api_endpoint",
            "api-engineer",
            [8, 12, 40],
            &["checkout-spec", "psp-research"],
        ),
        task(
            "cart-ui",
            "ui_component",
            "ux-engineer",
            [4, 6, 8],
            &["checkout-spec"],
        ),
        task(
            "connect",
            "feature",
            "fullstack-engineer",
            [4, 6, 8],
            &["cart-api", "payment-api", "cart-ui"],
        ),
        task(
            "docs",
            "documentation",
            "documentation-writer",
            [3, 4, 5],
            &["checkout-spec"],
        ),
        task(
            "api-review",
            "review",
            "tech-lead-reviewer",
            [2, 2, 2],
            &["connect"],
        ),
        task(
            "ui-review",
            "review",
            "tech-lead-reviewer",
            [2, 2, 2],
            &["connect"],
        ),
        task(
            "release-notes",
            "documentation",
            "documentation-writer",
            [1, 1, 1],
            &["docs", "api-review", "ui-review"],
        ),
    ];
    tasks[3].priority = Priority::High;
    tasks[4].acceptance.clear();
    tasks[5].title = "Connect <cart> & \"payment\"".to_owned();
    for at in [2, 3] {
        tasks[at].feature = name("backend");
    }
    SprintSpec {
        id: name("sprint-3"),
        epic: Some("Checkout".to_owned()),
        start: Some("2026-11-23".to_owned()),
        end: Some("2026-12-04".to_owned()),
        day: Span::hours(8),
        velocity_target: Some(40),
        repo: None,
        base: None,
        team: vec![
            role("tech-lead", 1, &["review"]),
            role("documentation-research", 1, &[]),
            role("api-engineer", 2, &[]),
            role("ux-engineer", 1, &[]),
            role("fullstack-engineer", 1, &["api_endpoint", "ui_component"]),
            role("documentation-writer", 1, &[]),
            role("tech-lead-reviewer", 1, &[]),
        ],
        sandbox: None,
        gates: vec![
            GateSpec {
                name: name("tests"),
                check: Check::Command {
                    run: RunSpec::Shell("cargo test".to_owned()),
                    timeout: Span::minutes(15),
                },
            },
            GateSpec {
                name: name("coverage"),
                check: Check::NotMeasured {
                    wanted: "a coverage file that the tests leave behind".to_owned(),
                },
            },
        ],
        tasks: tasks.into_iter().map(Into::into).collect(),
        policy: Policy::default(),
        ways: Default::default(),
        director: Box::new(director_protocols::roles::director()),
    }
}
