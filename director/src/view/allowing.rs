//! What a changed sprint file would do to budgets, and what follows at once where too much is spent already.
//!
//! Elsewhere: the rest of a changed file is [`super::difference`].

use director_protocols::event::Purse;
use director_protocols::ids::SprintId;
use director_protocols::sprint::{Spending, Window};
use director_protocols::time::Time;

use super::difference::Allowing;
use crate::engine::decide::scope::Difference;
use crate::engine::money::dollars;
use crate::engine::state::State;

/// The budgets that change: of the sprint first, then of its window, its roles and its tasks.
pub(super) fn of(state: &State, found: &Difference, now: Time) -> Vec<Allowing> {
    let mut rows = Vec::new();
    if let Some(wanted) = &found.budgets {
        let sprint_id = wanted.sprint_id;
        let sprint = &state.sprints.table[sprint_id.index()];
        let policy = &sprint.spec.policy;
        if policy.budget != wanted.budget {
            let purses = [(Purse::Sprint { sprint_id }, String::new())];
            rows.push(Allowing {
                of: "sprint",
                name: sprint.spec.id.to_string(),
                what: what(state, purses[0].0, policy.budget, wanted.budget),
                follows: follows(state, &purses, policy.budget, wanted.budget, now),
            });
        }
        if policy.window != wanted.window {
            rows.push(window(
                state,
                (policy.window, wanted.window),
                sprint_id,
                now,
            ));
        }
        for row in &wanted.roles {
            let mut team = sprint.spec.team.iter();
            let before = team.find(|role| role.name == row.role);
            let before = before.map_or_else(Spending::default, |role| role.budget);
            let role = state.team.by_role.get(&row.role);
            let agents = role.map(|role| state.team.roles[role.index()].agents.iter());
            let purses: Vec<(Purse, String)> = agents
                .into_iter()
                .flatten()
                .map(|agent_id| {
                    let purse = Purse::Agent {
                        sprint_id,
                        agent_id: *agent_id,
                    };
                    (purse, format!("{}: ", state.agent_name(*agent_id)))
                })
                .collect();
            let first = purses.first().map(|(purse, _)| *purse);
            rows.push(Allowing {
                of: "role",
                name: row.role.to_string(),
                what: match first {
                    Some(purse) => what(state, purse, before, row.budget),
                    None => words(before, before.cost_micros, row.budget),
                },
                follows: follows(state, &purses, before, row.budget, now),
            });
        }
    }
    for change in &found.changed {
        let task_id = change.task;
        let before = state.tasks.table[task_id.index()].spec.budget.spending();
        let after = change.spec.budget.spending();
        if before != after {
            let purse = Purse::Task { task_id };
            rows.push(Allowing {
                of: "task",
                name: state.task_name(task_id),
                what: what(state, purse, before, after),
                follows: follows(state, &[(purse, String::new())], before, after, now),
            });
        }
    }
    rows
}

fn window(
    state: &State,
    (before, after): (Option<Window>, Option<Window>),
    sprint_id: SprintId,
    now: Time,
) -> Allowing {
    let purse = Purse::Window { sprint_id };
    let hard = |window: Option<Window>| Spending {
        cost_micros: window.map(|window| window.cost_micros),
        ..Spending::default()
    };
    let (old, new) = (hard(before), hard(after));
    let mut what = what(state, purse, old, new);
    let within = |window: Option<Window>| window.map(|window| window.within);
    if let (Some(old), Some(new)) = (within(before), within(after))
        && old != new
    {
        what.push(format!("within {old} → {new}"));
    }
    let name = within(after).or(within(before));
    Allowing {
        of: "window",
        name: name.map_or_else(String::new, |within| within.to_string()),
        what,
        follows: follows(state, &[(purse, String::new())], old, new, now),
    }
}

/// What changes, with the hard limit as somebody has set it since.
fn what(state: &State, purse: Purse, before: Spending, after: Spending) -> Vec<String> {
    words(before, state.limits(purse).cost_micros, after)
}

fn words(before: Spending, hard: Option<u64>, after: Spending) -> Vec<String> {
    let amount = |micros: Option<u64>| micros.map_or_else(|| "none".to_owned(), dollars);
    let mut words = Vec::new();
    let mut say = |key, differs: bool, old, new| {
        if differs {
            words.push(format!("{key} {} → {}", amount(old), amount(new)));
        }
    };
    let (old, new) = (before.cost_micros, after.cost_micros);
    say("cost_usd", old != new, hard, new);
    for (key, old, new) in [
        ("warn_usd", before.warn_micros, after.warn_micros),
        ("attempt_usd", before.attempt_micros, after.attempt_micros),
        (
            "expected_usd",
            before.expected_micros,
            after.expected_micros,
        ),
    ] {
        say(key, old != new, old, new);
    }
    words
}

/// What follows where a limit is lower than what is spent or set aside.
fn follows(
    state: &State,
    purses: &[(Purse, String)],
    before: Spending,
    after: Spending,
    now: Time,
) -> Vec<String> {
    let mut said = Vec::new();
    for (purse, whose) in purses {
        let (spent, reserved) = state.used(*purse, now);
        let hard = after
            .cost_micros
            .filter(|_| before.cost_micros != after.cost_micros);
        let soft = after
            .warn_micros
            .filter(|_| before.warn_micros != after.warn_micros);
        match hard {
            Some(hard) if spent >= hard => {
                let in_hand = match reserved {
                    0 => String::new(),
                    _ => format!("; what is in hand may use up the {} set aside for it", dollars(reserved)),
                };
                said.push(format!(
                    "{whose}{} are spent already: nothing more is begun, and you are asked{in_hand}",
                    dollars(spent)
                ));
            }
            Some(hard) if spent + reserved > hard => said.push(format!(
                "{whose}{} are spent and {} set aside: nothing more is begun before some of that comes back",
                dollars(spent),
                dollars(reserved)
            )),
            _ => {}
        }
        if let Some(soft) = soft
            && spent >= soft
        {
            said.push(format!(
                "{whose}{} are spent already: you are told at the next amount",
                dollars(spent)
            ));
        }
    }
    said
}

#[cfg(test)]
mod tests {
    use director_protocols::command::Command;
    use expect_test::expect;

    use super::*;
    use crate::engine::decide::scope;
    use crate::simulate::rest::spec_of;
    use crate::view::difference;
    use crate::view::recorded::{SPRINT, midway};

    #[test]
    fn a_file_with_other_budgets_says_what_changes_and_what_follows_at_once() {
        let mut run = midway();
        let in_hand = run
            .state()
            .tasks
            .table
            .iter()
            .position(|row| row.phase.is_in_hand());
        let in_hand = director_protocols::ids::TaskId(in_hand.expect("work in hand") as u32);
        let row = &run.state().tasks.table[in_hand.index()];
        let (attempt, agent, name) = (row.attempt, row.agent, row.spec.id.clone());
        run.say(Command::Spent {
            task: in_hand,
            attempt,
            cost_micros: 4_500_000,
        });
        run.say(Command::SetBudget {
            purse: Purse::Sprint { sprint_id: SPRINT },
            limit_micros: 80_000_000,
            by: "ada".to_owned(),
        });
        let role = run
            .state()
            .team
            .role_of(agent.expect("an agent"))
            .expect("a role");
        let role = role.spec.name.clone();
        let mut spec = spec_of(run.state(), SPRINT).expect("a sprint");
        let dollars = |dollars: u64| Some(dollars * 1_000_000);
        spec.policy.budget = Spending {
            cost_micros: dollars(4),
            warn_micros: dollars(3),
            expected_micros: dollars(1),
            ..Spending::default()
        };
        spec.policy.window = Some(Window {
            within: director_protocols::time::Span::hours(5),
            cost_micros: 90_000_000,
        });
        let of_role = spec.team.iter_mut().find(|spec| spec.name == role);
        of_role.expect("the role").budget.cost_micros = dollars(2);
        let of_task = spec.tasks.iter_mut().find(|task| task.id == name);
        let mut changed =
            director_protocols::sprint::TaskSpec::clone(of_task.as_deref().expect("the task"));
        changed.budget.spending = Some(Box::new(Spending {
            cost_micros: dollars(9),
            ..Spending::default()
        }));
        *of_task.expect("the task") = changed.into();
        let found = scope::difference(run.state(), SPRINT, &spec).expect("a sprint");
        let view = difference::difference(run.state(), &found, run.now);
        assert_eq!(view.changes, 4);
        expect![[r#"
            ~ budget of the sprint: cost_usd $80.00 → $4.00, warn_usd none → $3.00, expected_usd none → $1.00
                $4.50 are spent already: nothing more is begun, and you are asked
                $4.50 are spent already: you are told at the next amount
            ~ budget of the sprint for 5h00m: cost_usd none → $90.00
            ~ budget of each api-engineer: cost_usd none → $2.00
                api-engineer-1: $4.50 are spent already: nothing more is begun, and you are asked
            ~ budget of task cart-api: cost_usd none → $9.00
            ~ cart-api: budget
        "#]].assert_eq(&difference::render(&view, false));

        // Once it is applied there is no difference any more, and what was set by hand before gives way.
        run.say(Command::Replan {
            sprint: SPRINT,
            spec: Box::new(spec.clone()),
            by: "ada".to_owned(),
        });
        let found = scope::difference(run.state(), SPRINT, &spec).expect("a sprint");
        assert!(found.is_empty(), "{found:?}");
        let purse = Purse::Sprint { sprint_id: SPRINT };
        assert_eq!(run.state().limits(purse).cost_micros, dollars(4));
        let row = &run.state().tasks.table[in_hand.index()];
        assert_eq!(
            (row.attempt, row.phase.is_in_hand()),
            (attempt, true),
            "nobody is interrupted"
        );
    }
}
