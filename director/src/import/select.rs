//! Which items become tasks, under which names, and who waits for whom among them.
//!
//! An item with parts becomes a check of the whole, which waits for them; what it waits for itself, its parts wait for too. Parts share the
//! worktree of their whole unless that is only a heading, such as an epic.

use std::collections::{BTreeMap, BTreeSet};

use director_protocols::ids::Name;
use director_protocols::sprint::{Class, Priority};

use super::edges::{Edge, Rank, break_circles};
use super::merge::{Sheet, Val};
use super::summary::Summary;
use super::{Backlog, Done, Item, Options, Source, State};
use crate::planner::guess;

/// How many levels of parts are looked through.
const LEVELS_MAX: usize = 32;
/// How much of an id becomes a name, in bytes; a number has room behind it.
const STEM_BYTES_MAX: usize = 70;
/// The most points that a task can have.
const POINTS_MAX: f64 = 10_000.0;

/// A task as the source has it.
#[derive(Clone, Debug)]
pub(super) struct Task {
    /// Its id at the source.
    pub native: String,
    /// Its name in the sprint.
    pub name: Name,
    /// What the source says, by key.
    pub fields: Vec<(&'static str, Val)>,
    /// Ids at the source of what it waits for.
    pub needs: Vec<String>,
    /// It is done; of a task that is there already nothing else is changed.
    pub done: bool,
}

/// The tasks, in the order of the source.
pub(super) fn tasks(
    source: Source,
    backlog: Backlog,
    sheet: &Sheet,
    options: &Options,
    summary: &mut Summary,
) -> Vec<Task> {
    let items: Vec<Item> = backlog.items;
    let taken: Vec<Option<bool>> = items
        .iter()
        .map(|item| taken(item, sheet, options, summary))
        .collect();
    let places: BTreeMap<&str, usize> = (0..)
        .zip(&items)
        .map(|(at, item)| (item.id.as_str(), at))
        .collect();
    let wholes = wholes(&items, &places, &taken, summary);
    let mut edges = edges(&items, &places, &taken, &wholes, summary);
    for broken in break_circles(&mut edges) {
        let ids = |of: &[usize]| of.iter().map(|&at| items[at].id.clone()).collect();
        let cut = (
            items[broken.cut.0].id.clone(),
            items[broken.cut.1].id.clone(),
        );
        summary.circles.push((ids(&broken.circle), cut));
    }
    let mut names = Names::new(source, sheet);
    let named: Vec<Option<Name>> = items
        .iter()
        .zip(&taken)
        .map(|(item, taken)| taken.map(|_| names.of(&item.id)))
        .collect();
    let has_parts: BTreeSet<usize> = wholes.iter().flatten().copied().collect();
    let mut tasks = Vec::new();
    for (at, item) in items.iter().enumerate() {
        let (Some(done), Some(name)) = (taken[at], named[at].clone()) else {
            continue;
        };
        let feature = feature(at, &items, &wholes, &has_parts).and_then(|of| named[of].clone());
        let whole = has_parts.contains(&at);
        summary.wholes += usize::from(whole);
        tasks.push(Task {
            native: item.id.clone(),
            name,
            fields: fields(item, whole, feature),
            needs: edges[at]
                .iter()
                .map(|edge| items[edge.to].id.clone())
                .collect(),
            done,
        });
    }
    tasks
}

/// Whether an item becomes a task, and whether that is done.
fn taken(item: &Item, sheet: &Sheet, options: &Options, summary: &mut Summary) -> Option<bool> {
    if sheet.skips(&item.id) {
        summary.skipped += 1;
        return None;
    }
    let there = sheet.name_of(&item.id).is_some();
    match (item.state, options.done) {
        (State::Open, _) => Some(false),
        (State::Done, Done::Open) => Some(false),
        (State::Done, Done::Mark) => Some(true),
        (State::Done | State::Dropped, _) if there => Some(true),
        (State::Done, Done::Skip) => {
            summary.done += 1;
            None
        }
        (State::Dropped, _) => {
            summary.called_off += 1;
            None
        }
    }
}

/// The whole that each item is a part of, where both are to be done.
fn wholes(
    items: &[Item],
    places: &BTreeMap<&str, usize>,
    taken: &[Option<bool>],
    summary: &mut Summary,
) -> Vec<Option<usize>> {
    let open = |at: usize| taken[at] == Some(false);
    let mut wholes = vec![None; items.len()];
    for (at, item) in items.iter().enumerate() {
        let Some(parent) = item.parent.as_ref().filter(|_| open(at)) else {
            continue;
        };
        match places.get(parent.as_str()) {
            None => summary
                .dangling
                .push((item.id.clone(), parent.clone(), "is a part of")),
            Some(&of) if of != at && open(of) => wholes[at] = Some(of),
            Some(_) => {}
        }
    }
    // Wholes that are parts of themselves, over however many steps, are parts of nothing.
    for at in 0..items.len() {
        if above(at, &wholes).len() >= LEVELS_MAX {
            wholes[at] = None;
            summary.notes.push(format!(
                "{} is a part of itself; it is taken as it is",
                items[at].id
            ));
        }
    }
    wholes
}

/// What an item is a part of, the nearest first.
fn above(at: usize, wholes: &[Option<usize>]) -> Vec<usize> {
    std::iter::successors(wholes[at], |&of| wholes[of])
        .take(LEVELS_MAX)
        .collect()
}

fn edges(
    items: &[Item],
    places: &BTreeMap<&str, usize>,
    taken: &[Option<bool>],
    wholes: &[Option<usize>],
    summary: &mut Summary,
) -> Vec<Vec<Edge>> {
    let mut edges: Vec<Vec<Edge>> = vec![Vec::new(); items.len()];
    let add = |edges: &mut Vec<Vec<Edge>>, from: usize, to: usize, rank: Rank| {
        if from != to && !edges[from].iter().any(|edge| edge.to == to) {
            edges[from].push(Edge { to, rank });
        }
    };
    for (at, item) in items.iter().enumerate() {
        if taken[at].is_none() {
            continue;
        }
        for need in &item.needs {
            let Some(&to) = places.get(need.id.as_str()) else {
                summary
                    .dangling
                    .push((item.id.clone(), need.id.clone(), "waits for"));
                continue;
            };
            if taken[to].is_none() {
                summary.satisfied += 1;
            } else if to == at {
                summary
                    .notes
                    .push(format!("{} waits for itself; left out", item.id));
            } else if above(at, wholes).contains(&to) {
                summary.notes.push(format!(
                    "{} waits for {}, which it is a part of; left out",
                    item.id, need.id
                ));
            } else {
                let rank = if need.loose { Rank::Prose } else { Rank::Drawn };
                summary.loose += usize::from(need.loose);
                add(&mut edges, at, to, rank);
            }
        }
    }
    for at in 0..items.len() {
        let above = above(at, wholes);
        for (level, &of) in above.iter().enumerate() {
            for to in edges[of].clone() {
                // Not what is a part of the same whole: that waits inside of it.
                let inside = to.to == at || self::above(to.to, wholes).contains(&of);
                if !inside && matches!(to.rank, Rank::Drawn | Rank::Prose) {
                    let rank = to.rank.max(Rank::Inherited);
                    add(&mut edges, at, to.to, rank);
                }
            }
            if level == 0 {
                add(&mut edges, of, at, Rank::Whole);
            }
        }
    }
    edges
}

/// Whose worktree an item shares: its outermost whole that is more than a heading.
fn feature(
    at: usize,
    items: &[Item],
    wholes: &[Option<usize>],
    has_parts: &BTreeSet<usize>,
) -> Option<usize> {
    let above = above(at, wholes);
    let outermost = above.into_iter().rev().find(|&of| !items[of].heading);
    outermost.or_else(|| (has_parts.contains(&at) && !items[at].heading).then_some(at))
}

/// What the source says of a task, in the order in which it is written.
fn fields(item: &Item, whole: bool, feature: Option<Name>) -> Vec<(&'static str, Val)> {
    let labels = || item.labels.iter().map(String::as_str);
    let mut fields = Vec::new();
    let first = item
        .title
        .lines()
        .map(str::trim)
        .find(|line| !line.is_empty());
    let title = first.unwrap_or(&item.id);
    fields.push((
        "title",
        Val::Text(match whole {
            true => format!("Check the whole: {title}"),
            false => title.to_owned(),
        }),
    ));
    let guessed = || guess::kind(labels(), title).map(|guess| guess.is);
    match whole {
        true => {
            fields.push(("kind", Val::text("review")));
            fields.push(("expects", Val::text("nothing")));
        }
        false => fields.extend(
            item.kind
                .or_else(guessed)
                .map(|kind| ("kind", Val::text(kind))),
        ),
    }
    let class = item
        .class
        .or_else(|| guess::class(labels(), title).map(|guess| guess.is));
    fields.extend(match class {
        Some(Class::Debt) => Some(("class", Val::text("debt"))),
        Some(Class::Infrastructure) => Some(("class", Val::text("infrastructure"))),
        Some(Class::Feature) | None => None,
    });
    let priority = item
        .priority
        .filter(|priority| *priority != Priority::Normal);
    fields.extend(priority.map(|priority| ("priority", Val::text(priority.as_str()))));
    if let Some(points) = item
        .points
        .filter(|points| *points >= 0.0 && points.is_finite())
    {
        // Half a point is still work.
        let whole = if points > 0.0 {
            points.round().max(1.0)
        } else {
            0.0
        };
        fields.push(("points", Val::Number(whole.min(POINTS_MAX))));
    }
    if let Some(minutes) = item
        .minutes
        .filter(|minutes| *minutes > 0.0 && minutes.is_finite())
    {
        let hours = (minutes / 60.0 * 100.0).round() / 100.0;
        fields.push(("hours", Val::Number(hours.clamp(0.01, 1e6))));
    }
    fields.extend(feature.map(|feature| ("feature", Val::Text(feature.to_string()))));
    for (key, list) in [
        ("acceptance", &item.acceptance),
        ("test_requirements", &item.tests),
    ] {
        if !list.is_empty() {
            fields.push((key, Val::List(list.clone())));
        }
    }
    fields.extend(
        item.link
            .as_ref()
            .map(|link| ("spec", Val::Text(link.clone()))),
    );
    let description = item.description.replace("\r\n", "\n");
    let description = description.trim();
    if !description.is_empty() && description != "NULL" {
        fields.push(("description", Val::text(description)));
    }
    fields
}

/// Names for tasks: those that the file has, and new ones from the ids of the source.
struct Names<'s> {
    sheet: &'s Sheet,
    prefix: &'static str,
    used: BTreeSet<String>,
}

impl<'s> Names<'s> {
    fn new(source: Source, sheet: &'s Sheet) -> Self {
        let prefix = match source {
            Source::Github => "gh-",
            Source::Taskmaster => "task-",
            Source::Jira | Source::Linear | Source::Beads => "",
        };
        let used = sheet.ids().map(str::to_owned).collect();
        Self {
            sheet,
            prefix,
            used,
        }
    }

    fn of(&mut self, native: &str) -> Name {
        if let Some(name) = self.sheet.name_of(native) {
            return name.clone();
        }
        let safe = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.');
        let mut plain: String = native
            .chars()
            .map(|c| if safe(c) { c } else { '-' })
            .collect();
        plain.truncate(plain.floor_char_boundary(STEM_BYTES_MAX));
        while plain.contains("..") {
            plain = plain.replace("..", ".");
        }
        let plain = plain
            .trim_matches(['-', '.', '_'])
            .trim_end_matches(".lock");
        let stem = Name::new(format!("{}{plain}", self.prefix));
        let stem = stem.map_or_else(|_| "task".to_owned(), String::from);
        let numbered = (2_u64..).map(|n| format!("{stem}-{n}"));
        std::iter::once(stem.clone())
            .chain(numbered)
            .filter(|text| !self.used.contains(text))
            .find_map(|text| Name::new(text).ok())
            .inspect(|name| {
                self.used.insert(name.to_string());
            })
            .expect("a short name with a number behind it is a name")
    }
}
