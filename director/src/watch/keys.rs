//! What keys do.
//!
//! The same letter means the same on every page. Whatever changes the sprint becomes an order in [`Model::orders`]; what came of it
//! is shown in the last line.

use crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use director_protocols::inbox::Reply;

use super::model::{Link, Model, Page, Prompt, Purpose};
use super::screen;
use crate::control::protocol::Order;
use crate::view::board::Column;

/// The longest text that is typed here, in characters.
pub const TEXT_MAX: usize = 4_000;

/// The keys, for people: what is pressed and what it does.
pub const HELP: [(&str, &str); 16] = [
    ("1 – 6, Tab", "the pages"),
    ("↑ ↓, j k, PgUp PgDn, g G", "move"),
    ("Enter", "open the task, or the sprint"),
    ("Esc", "back; forget the filter"),
    ("[ ]", "the sprint before, the next one"),
    ("← →", "tasks by state"),
    ("/", "only what has these words (tasks, events)"),
    ("f, End", "follow what happens (events)"),
    ("o", "events of this sprint only, or of all"),
    ("l", "the log of a task alone, or beside its story"),
    ("a", "answer (inbox)"),
    ("y", "approve: done, go on, accepted (inbox)"),
    ("n", "reject, with the reason (inbox)"),
    ("p", "pause the sprint, or resume it"),
    ("r", "try the task again"),
    ("q, Ctrl-C", "leave; the director goes on"),
];

/// A key was pressed.
pub(super) fn press(model: &mut Model, key: KeyEvent) {
    if key.kind == KeyEventKind::Release {
        return;
    }
    let control = key.modifiers.contains(KeyModifiers::CONTROL);
    if control && matches!(key.code, KeyCode::Char('c' | 'd')) {
        model.quit = true;
        return;
    }
    if model.prompt.is_some() {
        return type_in(model, key.code, control);
    }
    model.message = None;
    model.open_soon = false;
    if model.help {
        model.help = false;
        if key.code == KeyCode::Char('q') {
            model.quit = true;
        }
        return;
    }
    match key.code {
        KeyCode::Char('q') => model.quit = true,
        KeyCode::Char('?') => model.help = true,
        KeyCode::Char(c @ '1'..='6') => {
            model.page = Page::ALL[usize::from(c as u8 - b'1').min(Page::ALL.len() - 1)];
        }
        KeyCode::Tab => turn(model, 1),
        KeyCode::BackTab => turn(model, Page::ALL.len() - 1),
        KeyCode::Char('[') => other_sprint(model, 1),
        KeyCode::Char(']') => other_sprint(model, -1),
        KeyCode::Char('p') => pause(model),
        KeyCode::Char('r') => retry(model),
        KeyCode::Esc => back(model),
        KeyCode::Enter => open(model),
        KeyCode::Up | KeyCode::Char('k') => step(model, -1),
        KeyCode::Down | KeyCode::Char('j') => step(model, 1),
        KeyCode::PageUp => step(model, -screen::leaf(model)),
        KeyCode::PageDown | KeyCode::Char(' ') => step(model, screen::leaf(model)),
        KeyCode::Home | KeyCode::Char('g') => step(model, isize::MIN / 2),
        KeyCode::End | KeyCode::Char('G') => step(model, isize::MAX / 2),
        code => on_page(model, code),
    }
}

/// Keys that mean something on one page alone.
fn on_page(model: &mut Model, code: KeyCode) {
    match (model.page, code) {
        (Page::Tasks, KeyCode::Left | KeyCode::Char('h')) => column(model, Column::ALL.len()),
        (Page::Tasks, KeyCode::Right | KeyCode::Char('l')) => column(model, 1),
        (Page::Tasks, KeyCode::Char('/')) => {
            ask(model, Purpose::FilterTasks, model.filter.clone());
        }
        (Page::Events, KeyCode::Char('/')) => {
            ask(model, Purpose::FilterEvents, model.events.filter.clone());
        }
        (Page::Events, KeyCode::Char('f')) => model.events.follow = !model.events.follow,
        (Page::Events, KeyCode::Char('o')) => model.events.all = !model.events.all,
        (Page::Task, KeyCode::Char('l')) => model.task.log_alone = !model.task.log_alone,
        (Page::Inbox, KeyCode::Char(c @ ('a' | 'y' | 'n'))) => {
            let Some(item) = model.seen.inbox.inbox.get(model.inbox.at) else {
                return;
            };
            let (id, kind) = (item.id, item.kind.clone());
            match (c, kind.as_str()) {
                ('a', _) => ask(model, Purpose::Answer(id), String::new()),
                ('y', "task" | "gate" | "handoff" | "budget" | "branch" | "notice") => {
                    give_reply(model, id, Reply::Approve, String::new());
                }
                ('n', "task" | "gate" | "handoff" | "budget" | "branch") => {
                    ask(model, Purpose::Reject(id), String::new());
                }
                _ => {
                    let text = format!("#{id} wants words: press a");
                    model.message = Some((text, true));
                }
            }
        }
        _ => {}
    }
}

fn ask(model: &mut Model, purpose: Purpose, text: String) {
    let cursor = text.chars().count();
    model.prompt = Some(Prompt {
        purpose,
        text,
        cursor,
    });
}

fn turn(model: &mut Model, by: usize) {
    let at = Page::ALL.iter().position(|page| *page == model.page);
    model.page = match at {
        Some(at) => Page::ALL[(at + by) % Page::ALL.len()],
        None => model.task.from,
    };
}

fn column(model: &mut Model, by: usize) {
    let all = Column::ALL.len() + 1;
    let at = model.column.map_or(0, |word| {
        let found = Column::ALL.iter().position(|one| one.as_str() == word);
        found.map_or(0, |at| at + 1)
    });
    model.column = match (at + by) % all {
        0 => None,
        n => Some(Column::ALL[n - 1].as_str()),
    };
    model.tasks = Default::default();
}

/// The sprint that is so many further down the list, the newest being the first.
fn other_sprint(model: &mut Model, by: isize) {
    let all = &model.seen.sprints.sprints;
    let shown = model.shown_sprint();
    let at = all.iter().position(|one| one.sprint == shown).unwrap_or(0);
    let next = at.saturating_add_signed(by);
    if let Some(found) = all.get(next).filter(|_| next != at) {
        let name = found.sprint.clone();
        choose(model, name);
    }
}

fn choose(model: &mut Model, sprint: String) {
    model.sprint = Some(sprint);
    (model.tasks, model.graph) = Default::default();
}

fn back(model: &mut Model) {
    match model.page {
        Page::Task => model.page = model.task.from,
        Page::Tasks => model.filter.clear(),
        Page::Events => {
            model.events.filter.clear();
            model.events.follow = true;
        }
        _ => {}
    }
}

/// Opens what is chosen; as soon as it is known, when the list is still on its way.
pub(super) fn open(model: &mut Model) {
    if !model.has_list() {
        model.open_soon = true;
        return;
    }
    let here = Some(model.shown_sprint().to_owned()).filter(|name| !name.is_empty());
    let chosen = match model.page {
        Page::Team => {
            let agent = model.seen.agents.agents.get(model.team.at);
            // It may be at work for another sprint than the one that is shown.
            agent.and_then(|agent| {
                let task = agent.current_tasks.first().cloned()?;
                Some((agent.sprint.clone().or(here), task))
            })
        }
        Page::Tasks => {
            let place = model.tasks.at.checked_sub(model.seen.tasks.skip);
            let task = place.and_then(|place| model.seen.tasks.tasks.get(place));
            task.map(|task| (here, task.id.clone()))
        }
        Page::Graph => {
            let place = model.graph.at.checked_sub(model.seen.graph.skip);
            let task = place.and_then(|place| model.seen.graph.tasks.get(place));
            task.map(|task| (here, task.id.clone()))
        }
        Page::Events => {
            let place = model.shown_events().get(model.events.at.at).copied();
            let event = place.and_then(|place| model.events.lines.get(place));
            event.and_then(|event| Some((event.sprint.clone(), event.tasks.first()?.clone())))
        }
        Page::Inbox => {
            let item = model.seen.inbox.inbox.get(model.inbox.at);
            item.and_then(|item| Some((Some(item.sprint.clone()), item.task.clone()?)))
        }
        Page::Sprints => {
            let sprint = model.seen.sprints.sprints.get(model.sprints.at);
            if let Some(name) = sprint.map(|one| one.sprint.clone()) {
                choose(model, name);
                model.page = Page::Team;
            }
            None
        }
        Page::Task => None,
    };
    if let Some((sprint, task)) = chosen {
        model.open_task(sprint, task);
    }
}

fn step(model: &mut Model, by: isize) {
    let rows = screen::rows(model);
    match model.page {
        Page::Team => model
            .team
            .step(by, model.seen.agents.agents.len(), rows.team),
        Page::Tasks => model.tasks.step(by, model.seen.tasks.total, rows.tasks),
        Page::Graph => model.graph.step(by, model.seen.graph.total, rows.graph),
        Page::Inbox => model
            .inbox
            .step(by, model.seen.inbox.inbox.len(), rows.inbox),
        Page::Sprints => model
            .sprints
            .step(by, model.seen.sprints.sprints.len(), rows.sprints),
        Page::Events => {
            let shown = model.shown_events().len();
            model.events.at.step(by, shown, rows.events);
            model.events.follow = model.events.at.at + 1 >= shown;
        }
        Page::Task if model.task.log_alone => {
            let most = model.task.log.len().saturating_sub(rows.log);
            // Upwards is back in the log.
            let up = model.task.log_up.saturating_add_signed(by.saturating_neg());
            model.task.log_up = up.min(most);
        }
        Page::Task => {
            let most = screen::story_lines(model).saturating_sub(rows.story);
            model.task.scroll = model.task.scroll.saturating_add_signed(by).min(most);
        }
    }
}

fn pause(model: &mut Model) {
    let (sprint, by) = (model.shown_sprint().to_owned(), model.by.clone());
    if sprint.is_empty() {
        return;
    }
    let sprint = Some(sprint);
    give(
        model,
        match model.seen.live.state.as_str() {
            "paused" => Order::Resume {
                sprint,
                account: None,
                by,
            },
            _ => Order::Pause { sprint, by },
        },
    );
}

fn retry(model: &mut Model) {
    if model.page == Page::Task {
        let order = Order::Retry {
            sprint: model.task.sprint.clone(),
            task: model.task.task.clone(),
            by: model.by.clone(),
        };
        give(model, order);
    }
}

fn give_reply(model: &mut Model, item: u32, reply: Reply, text: String) {
    let order = Order::Answer {
        item,
        text,
        reply,
        by: model.by.clone(),
    };
    give(model, order);
}

fn give(model: &mut Model, order: Order) {
    match model.link {
        Link::Live => model.orders.push(order),
        _ => model.message = Some(("no director is there to do that".to_owned(), true)),
    }
}

/// A text came at once: it is typed, in one line.
pub(super) fn paste(model: &mut Model, text: &str) {
    if let Some(prompt) = &mut model.prompt {
        for c in text.trim_end().chars() {
            insert(prompt, if c.is_control() { ' ' } else { c });
        }
    }
}

fn insert(prompt: &mut Prompt, c: char) {
    if prompt.text.chars().count() < TEXT_MAX {
        let at = byte_of(&prompt.text, prompt.cursor);
        prompt.text.insert(at, c);
        prompt.cursor += 1;
    }
}

fn byte_of(text: &str, cursor: usize) -> usize {
    text.char_indices()
        .nth(cursor)
        .map_or(text.len(), |(at, _)| at)
}

/// A key while something is typed.
fn type_in(model: &mut Model, code: KeyCode, control: bool) {
    let Some(prompt) = &mut model.prompt else {
        return;
    };
    match code {
        KeyCode::Esc => model.prompt = None,
        KeyCode::Enter => return finish(model),
        KeyCode::Left => prompt.cursor = prompt.cursor.saturating_sub(1),
        KeyCode::Right => prompt.cursor = (prompt.cursor + 1).min(prompt.text.chars().count()),
        KeyCode::Home => prompt.cursor = 0,
        KeyCode::End => prompt.cursor = prompt.text.chars().count(),
        KeyCode::Backspace if prompt.cursor > 0 => {
            prompt.cursor -= 1;
            let at = byte_of(&prompt.text, prompt.cursor);
            prompt.text.remove(at);
        }
        KeyCode::Delete if prompt.cursor < prompt.text.chars().count() => {
            let at = byte_of(&prompt.text, prompt.cursor);
            prompt.text.remove(at);
        }
        KeyCode::Char('u') if control => {
            prompt.text.drain(..byte_of(&prompt.text, prompt.cursor));
            prompt.cursor = 0;
        }
        KeyCode::Char(c) if !control => insert(prompt, c),
        _ => {}
    }
    // A filter is seen while it is typed.
    if let Some(prompt) = &model.prompt {
        match prompt.purpose {
            Purpose::FilterTasks => model.filter.clone_from(&prompt.text),
            Purpose::FilterEvents => model.events.filter.clone_from(&prompt.text),
            Purpose::Answer(_) | Purpose::Reject(_) => {}
        }
    }
}

fn finish(model: &mut Model) {
    let Some(Prompt { purpose, text, .. }) = model.prompt.take() else {
        return;
    };
    let text = text.trim().to_owned();
    match purpose {
        Purpose::Answer(item) if text.is_empty() => {
            model.message = Some((format!("#{item} still waits: an answer needs words"), true));
        }
        Purpose::Answer(item) => give_reply(model, item, Reply::Answer, text),
        Purpose::Reject(item) => give_reply(model, item, Reply::Reject, text),
        Purpose::FilterTasks => {
            model.filter = text;
            model.tasks = Default::default();
        }
        Purpose::FilterEvents => {
            model.events.filter = text;
            model.events.follow = true;
        }
    }
}
