//! Orders: the names that people use become the numbers that the engine knows, and an order becomes a command.
//!
//! Also here: which sprint and which task is meant when a name is left out or misspelt.
//!
//! Elsewhere: whether an order is carried out is decided by the engine.

use director_protocols::command::{Command, IncidentWork};
use director_protocols::event::Purse;
use director_protocols::ids::{AgentId, InboxId, IncidentId, SprintId, TaskId};
use director_protocols::inbox::Reply;
use director_protocols::incident::Step;

use super::protocol::{Fault, FaultKind, Order};
use super::{facts, submission};
use crate::engine::decide::{budget, retry};
use crate::engine::money::{dollars, micros_of};
use crate::engine::state::State;
use crate::report::calibration::calibration;

/// The sprint meant: the one of that name, or else the newest that is not over, or else the newest.
///
/// # Errors
/// [`Fault`] naming what there is.
pub fn sprint(state: &State, name: Option<&str>) -> Result<SprintId, Fault> {
    let table = &state.sprints.table;
    if let Some(name) = name {
        return state.sprints.by_name.get(name).copied().ok_or_else(|| {
            let known = state.sprints.by_name.keys().map(|name| name.as_str());
            Fault::not_found(unknown("sprint", name, known, "sprints"))
        });
    }
    let newest = (0u32..).map(SprintId).zip(table);
    let (mut going, mut last) = (None, None);
    for (id, sprint) in newest {
        last = Some(id);
        if !sprint.is_over() {
            going = Some(id);
        }
    }
    going.or(last).ok_or_else(|| {
        Fault::not_found("there is no sprint yet; `director run sprint.toml` starts one")
    })
}

/// The task of that name, in the sprint meant.
///
/// # Errors
/// [`Fault`] with the nearest names.
pub fn task(state: &State, in_sprint: Option<&str>, name: &str) -> Result<TaskId, Fault> {
    let current = sprint(state, in_sprint)?;
    let of = |id: SprintId| {
        state
            .sprints
            .get(id)
            .and_then(|row| row.by_name.get(name).copied())
    };
    let elsewhere = || match in_sprint {
        Some(_) => None,
        None => (0..state.sprints.table.len() as u32)
            .rev()
            .map(SprintId)
            .find_map(of),
    };
    of(current).or_else(elsewhere).ok_or_else(|| {
        let known = state.sprints.get(current).into_iter();
        let known = known.flat_map(|row| row.by_name.keys().map(|name| name.as_str()));
        Fault::not_found(unknown("task", name, known, "status"))
    })
}

/// What to say about a name that is not there.
/// `list` is the command that lists them.
fn unknown<'a>(what: &str, name: &str, known: impl Iterator<Item = &'a str>, list: &str) -> String {
    let shown: String = name.chars().filter(|c| !c.is_control()).take(100).collect();
    let near = known
        .map(|known| (strsim::jaro_winkler(known, name), known))
        .filter(|(likeness, _)| *likeness > 0.75)
        .max_by(|a, b| a.0.total_cmp(&b.0));
    match near {
        Some((_, near)) => format!("there is no {what} `{shown}`; did you mean `{near}`?"),
        None => format!("there is no {what} `{shown}`; `director {list}` lists what there is"),
    }
}

/// The agent of that name.
fn agent(state: &State, name: &str) -> Result<AgentId, Fault> {
    let known = &state.team.by_name;
    known.get(name).copied().ok_or_else(|| {
        let names = known.keys().map(|name| name.as_str());
        Fault::not_found(unknown("agent", name, names, "agents"))
    })
}

/// The version of the one task or sprint that the order names, see [`facts::task_version`]; `None` when it names neither.
///
/// # Errors
/// [`Fault`] when it is not there.
pub fn version(state: &State, order: &Order) -> Result<Option<String>, Fault> {
    Ok(match order {
        Order::Retry {
            sprint, task: name, ..
        }
        | Order::Reassign {
            sprint, task: name, ..
        }
        | Order::Override {
            sprint, task: name, ..
        }
        | Order::Cancel {
            sprint,
            task: Some(name),
            ..
        } => Some(facts::task_version(
            state,
            task(state, sprint.as_deref(), name)?,
        )),
        Order::Cancel {
            sprint: Some(name), ..
        }
        | Order::RetryAll {
            sprint: Some(name), ..
        }
        | Order::Pause {
            sprint: Some(name), ..
        }
        | Order::Resume {
            sprint: Some(name), ..
        }
        | Order::Accept {
            sprint: Some(name), ..
        } => Some(facts::sprint_version(state, sprint(state, Some(name))?)),
        _ => None,
    })
}

/// The order as a command, and what to say once it is carried out.
///
/// # Errors
/// [`Fault`] when something it names is not there.
pub fn command(state: &State, order: &Order) -> Result<(Command, String), Fault> {
    let who = |by: &str| {
        if by.is_empty() {
            "somebody".to_owned()
        } else {
            by.to_owned()
        }
    };
    Ok(match order {
        Order::Retry {
            sprint,
            task: name,
            by,
        } => {
            let task = task(state, sprint.as_deref(), name)?;
            let said = format!("task `{name}` is tried again");
            (Command::Retry { task, by: who(by) }, said)
        }
        Order::RetryAll { sprint: of, by } => {
            let id = sprint(state, of.as_deref())?;
            let row = &state.sprints.table[id.index()];
            let stuck = row
                .tasks()
                .filter(|task| retry::is_stuck(&state.tasks.table[task.index()]));
            let names: Vec<String> = stuck.map(|task| state.task_name(task)).collect();
            let said = format!("tried again: {}", names.join(", "));
            let by = who(by);
            (Command::RetryAll { sprint: id, by }, said)
        }
        Order::Cancel {
            sprint: of,
            task: Some(name),
            by,
        } => {
            let task = task(state, of.as_deref(), name)?;
            let said = format!("task `{name}` and what depends on it is cancelled");
            (Command::CancelTask { task, by: who(by) }, said)
        }
        Order::Cancel {
            sprint: name,
            task: None,
            by,
        } => {
            if name.is_none() {
                only_one_going(state)?;
            }
            let id = sprint(state, name.as_deref())?;
            let said = format!("sprint `{}` is cancelled", sprint_name(state, id));
            (
                Command::CancelSprint {
                    sprint: id,
                    by: who(by),
                },
                said,
            )
        }
        Order::Reassign {
            sprint,
            task: name,
            to,
            by,
        } => {
            let task = task(state, sprint.as_deref(), name)?;
            let said = match to {
                Some(to) => format!("task `{name}` goes to `{to}`"),
                None => format!("task `{name}` goes to another agent"),
            };
            let to = to.as_deref().map(|to| agent(state, to)).transpose()?;
            (
                Command::Reassign {
                    task,
                    to,
                    by: who(by),
                },
                said,
            )
        }
        Order::Answer {
            item,
            text,
            reply,
            by,
        } => {
            let place = item.checked_sub(1).ok_or_else(|| {
                Fault::not_found("the inbox counts from 1; `director inbox` lists what waits")
            })?;
            let command = Command::Answer {
                item: InboxId(place),
                reply: *reply,
                text: text.clone(),
                by: who(by),
            };
            let said = match reply {
                Reply::Answer => "answered",
                Reply::Approve => "approved",
                Reply::Reject => "rejected",
            };
            (command, format!("number {item} is {said}"))
        }
        Order::Replan { spec, by } => {
            let id = sprint(state, Some(spec.id.as_str()))?;
            let command = Command::Replan {
                sprint: id,
                spec: spec.clone(),
                by: who(by),
            };
            (
                command,
                format!("sprint `{}` is what the file says", spec.id),
            )
        }
        Order::Send {
            sprint: name,
            what,
            by,
        } => {
            let command = Command::Outside {
                sprint: sprint(state, name.as_deref())?,
                what: what.clone(),
                by: who(by),
            };
            (command, "taken in".to_owned())
        }
        Order::Incident {
            incident,
            step,
            note,
            by,
        } => {
            let place = incident.checked_sub(1).ok_or_else(|| {
                Fault::not_found("incidents count from 1; `director incident` lists them")
            })?;
            let (work, said) = match (step, note) {
                (Some((step, text)), _) => {
                    let step: Step = step
                        .parse()
                        .map_err(|why: String| Fault::new(FaultKind::BadRequest, why))?;
                    let said = format!("{} of incident {incident} is filled in", step.as_str());
                    (IncidentWork::Step(step, text.clone()), said)
                }
                (None, Some(text)) => {
                    let said = format!("it is in the log of incident {incident}");
                    (IncidentWork::Note(text.clone()), said)
                }
                (None, None) => (
                    IncidentWork::Close,
                    format!("incident {incident} is closed"),
                ),
            };
            let command = Command::IncidentWork {
                incident: IncidentId(place),
                work,
                by: who(by),
            };
            (command, said)
        }
        Order::Override {
            sprint,
            task: name,
            gate,
            reason,
            by,
        } => {
            let task = task(state, sprint.as_deref(), name)?;
            let command = Command::OverrideGate {
                task,
                gate: gate.clone(),
                reason: reason.clone(),
                by: who(by),
            };
            let said = format!("gate `{gate}` no longer holds up task `{name}`");
            (command, said)
        }
        Order::Pause { sprint: name, by } => {
            let id = name
                .as_deref()
                .map(|name| sprint(state, Some(name)))
                .transpose()?;
            let said = "no more work is handed out; what runs goes on to its end (`director resume` ends the pause)";
            (
                Command::Pause {
                    sprint: id,
                    by: who(by),
                },
                said.to_owned(),
            )
        }
        Order::Resume {
            account: Some(account),
            by,
            ..
        } => (
            Command::FreeAccount {
                account: account.clone(),
                by: who(by),
            },
            format!("work of the account `{account}` is handed out again"),
        ),
        Order::Resume {
            sprint: name,
            account: None,
            by,
        } => {
            let id = name
                .as_deref()
                .map(|name| sprint(state, Some(name)))
                .transpose()?;
            (
                Command::Resume {
                    sprint: id,
                    by: who(by),
                },
                "work is handed out again".to_owned(),
            )
        }
        Order::Budget {
            sprint: name,
            task: of_task,
            agent: of_agent,
            window,
            limit,
            by,
        } => {
            let sprint_id = sprint(state, name.as_deref())?;
            let purse = match (of_task, of_agent) {
                (Some(of), _) => Purse::Task {
                    task_id: task(state, name.as_deref(), of)?,
                },
                (None, Some(of)) => Purse::Agent {
                    sprint_id,
                    agent_id: agent(state, of)?,
                },
                (None, None) if *window => Purse::Window { sprint_id },
                (None, None) => Purse::Sprint { sprint_id },
            };
            let limit_micros = micros_of(limit).ok_or_else(|| {
                let shown: String = limit.chars().filter(|c| !c.is_control()).take(40).collect();
                Fault::new(
                    FaultKind::BadRequest,
                    format!("`{shown}` is no amount of dollars; write one such as 12.50, with six places at most and up to 1000000"),
                )
            })?;
            let whose = budget::purse_name(state, purse);
            let said = format!("{whose} is {} from now on", dollars(limit_micros));
            let by = who(by);
            let command = Command::SetBudget {
                purse,
                limit_micros,
                by,
            };
            (command, said)
        }
        Order::Delivered {
            sprint: name,
            commit,
            by,
        } => {
            let sprint = sprint(state, Some(name))?;
            let command = Command::Delivered {
                sprint,
                commit: commit.clone(),
                by: who(by),
            };
            (command, format!("delivery of `{name}` is noted"))
        }
        Order::Accept {
            sprint: name,
            action,
            text,
            by,
        } => {
            let sprint = sprint(state, name.as_deref())?;
            let said = format!(
                "`{action}` is accepted; `director retro --next FILE` writes the next sprint with it"
            );
            let command = Command::AcceptAction {
                sprint,
                action: action.clone(),
                text: text.clone(),
                by: who(by),
            };
            (command, said)
        }
        Order::Forecast {
            sprint: name,
            forecast,
            by,
        } => {
            let command = Command::RecordForecast {
                sprint: sprint(state, name.as_deref())?,
                forecast: *forecast,
                by: who(by),
            };
            let said = "the forecast is recorded; `director retro` holds it against what comes";
            (command, said.to_owned())
        }
        Order::Submit { spec } => {
            let mut said = format!("sprint `{}` is submitted", spec.id);
            let mut spec = spec.clone();
            if spec.ways.calibrate {
                for change in submission::calibrated(&mut spec, &calibration(state)) {
                    said += &format!("\n{change}");
                }
            }
            (Command::Submit(spec), said)
        }
    })
}

fn sprint_name(state: &State, id: SprintId) -> String {
    state
        .sprints
        .get(id)
        .map_or_else(String::new, |row| row.spec.id.to_string())
}

fn only_one_going(state: &State) -> Result<(), Fault> {
    let going = state
        .sprints
        .table
        .iter()
        .filter(|sprint| !sprint.is_over());
    let going: Vec<_> = going
        .map(|sprint| format!("`{}`", sprint.spec.id))
        .collect();
    if going.len() < 2 {
        return Ok(());
    }
    let names = going.join(", ");
    let text = format!(
        "there are {} sprints going: {names}; say which one with `--sprint`",
        going.len()
    );
    Err(Fault::new(FaultKind::BadRequest, text))
}
