//! Answers: a question, the state and the part of the journal it needs, to text for people and JSON for programs.
//!
//! Both the running director and a command that found only the journal come through here.
//!
//! Elsewhere: every value and its rendering is `view`'s and `report::sprint`'s; which sprint and task a name
//! means is [`super::orders`]'s.

use director_protocols::ids::{IncidentId, Seq};
use director_protocols::time::Time;
use serde::Serialize;
use serde_json::{Value, json};

use super::protocol::{Answer, Ask, EventLine, Fault, FaultKind, PAGE_MAX, ReportFormat, Screen};
use super::{facts, orders, records};
use crate::engine::Engine;
use crate::engine::decide::scope;
use crate::handle::{Entry, Tree};
use crate::report::sprint as report;
use crate::view;

/// Tasks in a page when nobody says how many.
const TASKS_PAGE: usize = 100;

/// The entries that a question needs: those after a position, at most so many. `None` when the state is enough.
pub fn history_for(ask: &Ask) -> Option<(u64, usize)> {
    match ask {
        Ask::Why { .. }
        | Ask::Report { .. }
        | Ask::Standup { .. }
        | Ask::Retro { .. }
        | Ask::Next { .. } => Some((0, usize::MAX)),
        Ask::Replay { until, .. } => Some((0, usize::try_from(*until).unwrap_or(usize::MAX))),
        Ask::Page { after, .. } | Ask::Records { after } => Some((*after, PAGE_MAX)),
        Ask::Status { .. }
        | Ask::Agents {}
        | Ask::Sprints {}
        | Ask::Tasks { .. }
        | Ask::Graph { .. }
        | Ask::Inbox {}
        | Ask::Calibration {}
        | Ask::Incidents { .. }
        | Ask::Replan { .. }
        | Ask::Live { .. }
        | Ask::Sprint { .. }
        | Ask::Task { .. } => None,
    }
}

/// That part of a whole history.
pub fn part(entries: &[Entry], wanted: Option<(u64, usize)>) -> &[Entry] {
    let Some((after, max)) = wanted else {
        return &[];
    };
    let first = entries.partition_point(|entry| entry.seq.0 <= after);
    let rest = &entries[first..];
    &rest[..max.min(rest.len())]
}

/// Answers a question; `entries` are those that [`history_for`] asks for.
///
/// # Errors
/// [`Fault`] when what it names is not there.
pub fn answer(
    engine: &Engine,
    entries: &[Entry],
    ask: &Ask,
    screen: Screen,
    now: Time,
) -> Result<Answer, Fault> {
    let state = engine.state();
    let (width, colour) = (usize::from(screen.width), screen.colour);
    Ok(match ask {
        Ask::Status { sprint, update } => {
            let id = match (sprint, update) {
                (None, false) => None,
                (name, _) => Some(orders::sprint(state, name.as_deref())?),
            };
            let status = view::status(state, id, now);
            let text = match (update, id) {
                (true, Some(id)) => report::progress(state, id, now),
                _ => view::status::render(&status, width, colour),
            };
            both(text, &status)
        }
        Ask::Sprints {} => {
            let found = view::board::sprints(state, now);
            both(view::board::render_sprints(&found, width, colour), &found)
        }
        Ask::Tasks {
            sprint,
            status,
            text,
            skip,
            limit,
        } => {
            let id = orders::sprint(state, sprint.as_deref())?;
            let wanted = view::board::Wanted {
                status: status.as_deref(),
                text: text.as_deref().unwrap_or_default(),
                skip: *skip as usize,
                limit: limit.map_or(TASKS_PAGE, |limit| (limit as usize).min(PAGE_MAX)),
            };
            let found = view::board::tasks(state, id, &wanted, now)
                .map_err(|why| Fault::new(FaultKind::BadRequest, why))?;
            both(view::board::render_tasks(&found, width, colour), &found)
        }
        Ask::Graph {
            sprint,
            skip,
            limit,
        } => {
            let id = orders::sprint(state, sprint.as_deref())?;
            let limit = limit.map_or(TASKS_PAGE, |limit| (limit as usize).min(PAGE_MAX));
            let found = view::graph::graph(state, id, *skip as usize, limit);
            both(view::graph::render(&found, width, colour), &found)
        }
        Ask::Agents {} => {
            let agents = view::agents(state, now);
            both(view::agents::render(&agents, width, colour), &agents)
        }
        Ask::Why { sprint, task } => {
            let id = orders::task(state, sprint.as_deref(), task)?;
            let why = view::why(state, entries, id, now)
                .ok_or_else(|| Fault::not_found(format!("there is no task `{task}`")))?;
            both(view::why::render(&why, width, colour), &why)
        }
        Ask::Inbox {} => {
            let inbox = view::inbox(state);
            both(view::inbox::render(&inbox, now, width, colour), &inbox)
        }
        Ask::Replan { spec } => {
            let id = orders::sprint(state, Some(spec.id.as_str()))?;
            let found = scope::difference(state, id, spec)
                .map_err(|no| Fault::new(FaultKind::Rejected, no.to_string()))?;
            let view = view::difference::difference(state, &found, now);
            both(view::difference::render(&view, colour), &view)
        }
        Ask::Incidents { incident } => {
            let only = incident.map(|number| IncidentId(number.wrapping_sub(1)));
            let found = view::incidents(state, only);
            if found.incidents.is_empty()
                && let Some(number) = incident
            {
                let text = format!("there is no incident {number}; `director incident` lists them");
                return Err(Fault::not_found(text));
            }
            let text = view::incident::render(&found, only.is_some(), width, colour);
            both(text, &found)
        }
        Ask::Report { sprint, format } => {
            let id = orders::sprint(state, sprint.as_deref())?;
            let found = report::build(state, entries, id, now)
                .ok_or_else(|| Fault::not_found("there is no such sprint"))?;
            let text = match format {
                ReportFormat::Terminal => report::text(&found, width, colour),
                ReportFormat::Markdown => report::markdown(&found),
                ReportFormat::Html => report::html(&found),
            };
            both(text, &found)
        }
        Ask::Standup { sprint, hours } => {
            let id = orders::sprint(state, sprint.as_deref())?;
            let found = crate::report::standup::standup(
                state,
                entries,
                id,
                hours.map(|hours| director_protocols::time::Span::hours(hours.into())),
                now,
            )
            .ok_or_else(|| Fault::not_found("there is no such sprint"))?;
            both(crate::report::standup::text(&found), &found)
        }
        Ask::Retro { sprint, format } => {
            let id = orders::sprint(state, sprint.as_deref())?;
            let found = report::build(state, entries, id, now)
                .ok_or_else(|| Fault::not_found("there is no such sprint"))?;
            let found = crate::report::retro::retro(state, entries, id, found);
            let text = match format {
                ReportFormat::Terminal | ReportFormat::Markdown => {
                    crate::report::retro::markdown(&found)
                }
                ReportFormat::Html => crate::report::retro::html(&found),
            };
            both(text, &found)
        }
        Ask::Next { sprint, dir } => {
            let id = orders::sprint(state, sprint.as_deref())?;
            let next = crate::report::retro::next(state, entries, id, dir.as_deref(), now);
            let next = next.ok_or_else(|| {
                Fault::not_found(
                    "nothing remains and no action item is accepted; `director retro` lists them",
                )
            })?;
            both(next.text.clone(), &next)
        }
        Ask::Calibration {} => {
            let found = crate::report::calibration::calibration(state);
            both(crate::report::calibration::text(&found), &found)
        }
        Ask::Live { sprint } => {
            let id = orders::sprint(state, sprint.as_deref())?;
            let live = view::live::live_of(state, id, now);
            let mut text = view::render_live(&live, width, colour).join("\n");
            text.push('\n');
            both(text, &live)
        }
        Ask::Sprint {
            sprint,
            fingerprint,
        } => {
            let id = orders::sprint(state, sprint.as_deref())?;
            let mut found = facts::sprint(state, id, engine.seq().0, now).unwrap_or_default();
            if *fingerprint {
                found.fingerprint = facts::fingerprint_of(state, id);
            }
            both(String::new(), &found)
        }
        Ask::Task { sprint, task } => {
            let id = orders::task(state, sprint.as_deref(), task)?;
            both(String::new(), &facts::task(state, id).unwrap_or_default())
        }
        Ask::Records { .. } => Answer {
            text: String::new(),
            json: records::write(entries)?,
            ..Answer::default()
        },
        Ask::Page { after, sprint } => page(engine, entries, *after, sprint.as_deref())?,
        Ask::Replay { until, sprint } => replay(entries, *until, sprint.as_deref(), screen)?,
    })
}

/// The actors, alive.
pub fn tree(tree: &Tree, engine: &Engine, screen: Screen) -> Answer {
    let node = view::tree::node(tree, engine.state());
    both(
        view::tree::render(&node, usize::from(screen.width), screen.colour),
        &node,
    )
}

fn both(text: String, value: &impl Serialize) -> Answer {
    Answer {
        text,
        // Views are plain data: there is nothing in them that JSON cannot say.
        json: serde_json::to_value(value).unwrap_or(Value::Null),
        ..Answer::default()
    }
}

/// What happened after a position, and how far that reaches.
fn page(
    engine: &Engine,
    entries: &[Entry],
    after: u64,
    sprint: Option<&str>,
) -> Result<Answer, Fault> {
    let state = engine.state();
    let wanted = sprint
        .map(|name| orders::sprint(state, Some(name)))
        .transpose()?;
    let mut lines = Vec::new();
    let mut reached = after;
    // What is newer than the state could name what the state does not know yet.
    for entry in entries
        .iter()
        .filter(|entry| entry.seq.0 > after && entry.seq <= engine.seq())
    {
        reached = entry.seq.0;
        let texts = view::event_text(entry, state);
        let jsons = view::event_lines(entry, state);
        for ((event, text), json) in entry.events.iter().zip(texts).zip(jsons) {
            let of = view::subject(event, state).sprint;
            if wanted.is_none() || of.is_none() || of == wanted {
                lines.push(EventLine {
                    seq: entry.seq.0,
                    text,
                    json,
                });
            }
        }
    }
    Ok(Answer {
        text: String::new(),
        json: json!({ "reached": reached, "lines": lines }),
        ..Answer::default()
    })
}

/// Takes a page apart: the position it reaches, and its lines.
///
/// # Errors
/// When it is no page.
pub fn read_page(answer: Answer) -> Result<(u64, Vec<EventLine>), serde_json::Error> {
    #[derive(serde::Deserialize)]
    struct Page {
        reached: u64,
        lines: Vec<EventLine>,
    }
    let Page { reached, lines } = serde_json::from_value(answer.json)?;
    Ok((reached, lines))
}

/// The state as it was at a position.
fn replay(
    entries: &[Entry],
    until: u64,
    sprint: Option<&str>,
    screen: Screen,
) -> Result<Answer, Fault> {
    let mut engine = Engine::default();
    let mut at = Time::default();
    for entry in entries.iter().take_while(|entry| entry.seq.0 <= until) {
        engine.replay(entry.seq, entry.events.clone(), entry.at);
        at = entry.at;
    }
    if engine.seq() == Seq(0) || engine.seq().0 < until {
        let text = format!(
            "the journal ends at record {}; there is no record {until}",
            engine.seq()
        );
        return Err(Fault::not_found(text));
    }
    let ask = Ask::Status {
        sprint: sprint.map(str::to_owned),
        update: false,
    };
    let status = answer(&engine, &[], &ask, screen, at)?;
    let hash = engine.state_hash();
    Ok(Answer {
        text: format!(
            "position    {until}\nat          {}\nstate hash  {hash}\n\n{}",
            view::rfc3339(at),
            status.text
        ),
        json: json!({
            "seq": until,
            "at": view::rfc3339(at),
            "state_hash": hash,
            "status": status.json,
        }),
        ..Answer::default()
    })
}
