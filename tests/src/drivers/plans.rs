//! Plans to be run by both drivers: random sprints, teams, estimates and faults, each from its number.

use director::estimate::Durations;
use director::estimate::Model;
use director::estimate::habits::Habits;
use director::simulate::faults::Faults;
use director::simulate::prepare::Prepared;
use director_protocols::inbox::InboxDefault;
use director_protocols::sprint::SprintSpec;
use director_protocols::time::Span;
use director_protocols::unclear::Start;
use director_protocols::ways::Ceremonies;

use super::PLAYER;
use crate::world::random_sprint;

/// A plan, ready to be run.
pub struct Plan {
    /// What is submitted.
    pub spec: SprintSpec,
    /// The same with its models. Kept for ever: there are few plans, and actors want what lives as long as they might.
    pub set: &'static Prepared,
}

/// Plan number `number`.
///
/// # Panics
/// When it cannot be simulated.
pub fn plan(number: u64) -> Plan {
    let mut spec = random_sprint(number, 3 + (number as usize * 5) % 14);
    for role in &mut spec.team {
        if role.agent.kind == "simulated" {
            role.agent.kind = PLAYER.to_owned();
        }
    }
    // Virtual time knows no hour of the day.
    spec.ways.ceremonies = Ceremonies {
        standup: None,
        progress: None,
    };
    spec.ways.deployment.windows.clear();
    // A forecast begins when all is clear.
    spec.ways.start = Start::default();
    let inbox = &mut spec.ways.inbox;
    for rule in [&mut inbox.task, &mut inbox.question].into_iter().flatten() {
        // Else nobody comes in time for a task of a day, it is rejected and handed out again, and so on for years.
        rule.within = Span(rule.within.0 * 20);
        if let InboxDefault::Reject(_) = rule.default {
            rule.default = InboxDefault::Approve;
        }
    }
    let model = [Model::Habits, Model::Pert, Model::Exact, Model::Lognormal][number as usize % 4];
    for (place, task) in (0..).zip(&mut spec.tasks) {
        let likely = task.estimate.likely.0;
        // Some as three points.
        if (number + place).is_multiple_of(3) {
            task.estimate.optimistic = Span(likely / 2);
            task.estimate.pessimistic = Span(likely * 3);
        }
    }
    let estimates = || spec.tasks.iter().map(|task| &task.estimate);
    let durations = Durations::of(model, &Habits::published(), estimates());
    let longest = (0..spec.tasks.len() as u32).map(|task| durations.of_task(task).quantile(960));
    // Within reach of what is drawn, so that it is met at times, and the same for the cells and for the models.
    spec.policy.attempt_time = Span(longest.max().unwrap_or_default());
    let set = Prepared::new(&spec, faults(number), durations).expect("it can be simulated");
    assert_eq!(set.over_limit, 0, "the models leave no limit out");
    Plan {
        spec,
        set: Box::leak(Box::new(set)),
    }
}

fn faults(number: u64) -> Faults {
    let named = |name| Faults::named(name).expect("a profile");
    match number % 6 {
        0 => named("rough"),
        1 => named("calm"),
        // Nothing but work takes time: all else is answered in the same instant.
        2 => Faults {
            git_seconds: 0,
            gates_seconds: 0,
            advice_seconds: 0,
            answer_seconds: 0,
            ..named("hostile")
        },
        3 => Faults {
            severity: [1, 1, 4, 4],
            block: 400,
            advice_seconds: 300,
            ..named("rough")
        },
        4 => Faults {
            crash: 200,
            ..named("hostile")
        },
        _ => named("hostile"),
    }
}
