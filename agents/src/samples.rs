//! A small assignment that tests start from and change where it matters.

use director_protocols::ids::{AgentId, Attempt, Name, TaskId};
use director_protocols::sprint::{Budget, Class, Estimate, Expects, Priority, TaskSpec};
use director_protocols::time::{Span, Time};
use director_protocols::work::Assignment;

/// Attempt 1 at task 0, `sample`, for agent 0 of the role `engineer`, with an hour of time.
pub(crate) fn assignment(description: &str) -> Assignment {
    Assignment {
        task: TaskId(0),
        attempt: Attempt(1),
        agent: AgentId(0),
        sprint: "s1".to_owned(),
        submitted: Time::default(),
        spec: task(description).into(),
        role: "engineer".to_owned(),
        workdir: String::new(),
        handoff: Vec::new(),
        earlier: Vec::new(),
        guidance: Vec::new(),
        conflict: Vec::new(),
        session: None,
        time_max: Span::hours(1),
        cost_max: None,
        silent_after: Span::minutes(1),
        wedged_after: Span::minutes(15),
        output_max: 1 << 20,
        sandbox: None,
        judges: None,
        people: Vec::new(),
    }
}

fn task(description: &str) -> TaskSpec {
    TaskSpec {
        id: name("sample"),
        title: "A sample".to_owned(),
        description: description.to_owned(),
        kind: "feature".to_owned(),
        role: name("engineer"),
        points: 1,
        estimate: Estimate::point(Span::hours(1)),
        depends_on: Vec::new(),
        feature: name("sample"),
        priority: Priority::Normal,
        skills: Vec::new(),
        acceptance: Vec::new(),
        spec: None,
        design: None,
        run: None,
        budget: Budget::default(),
        gates: Vec::new(),
        expects: Expects::Nothing,
        produces: Vec::new(),
        files: Vec::new(),
        severity: None,
        class: Class::Feature,
        test_requirements: Vec::new(),
        deployment_requirements: Vec::new(),
        source: None,
    }
}

fn name(text: &str) -> Name {
    Name::new(text).expect("sample names are plain")
}

/// A role of one agent of `kind`.
#[cfg(test)]
pub(crate) fn role(kind: &str) -> director_protocols::sprint::RoleSpec {
    use director_protocols::sprint::{
        AgentSpec, Isolation, OnConflict, Profile, RestartSpec, RoleSpec,
    };
    RoleSpec {
        name: name("engineer"),
        count: 1,
        capacity: None,
        skills: Vec::new(),
        kinds: Vec::new(),
        covers: Vec::new(),
        agent: AgentSpec::of_kind(kind),
        restart: RestartSpec::default(),
        isolation: Isolation::default(),
        sandbox: None,
        conflicts: OnConflict::default(),
        budget: Default::default(),
        prompt: String::new(),
        profile: Profile::default(),
    }
}
