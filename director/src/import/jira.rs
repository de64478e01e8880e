//! Jira: its CSV export, with headers that repeat, links between issues and cells of several lines; and tables with such columns.
//!
//! Columns are found by name: `Issue key`, `Summary`, `Custom field (Story Points)`, `Inward issue link (Blocks)`. A table without keys is
//! read too, by the numbers of its rows, which then have to stay as they are. A table of nothing but links is no backlog and is refused.
//!
//! Elsewhere: Linear's export is such a table too and is read in [`super::linear`].

use std::collections::{BTreeMap, BTreeSet};

use super::words::{lines, priority};
use super::{Backlog, Item, Need, State};

/// A table of cells.
pub(super) struct Table {
    /// Column titles, in lower case.
    pub head: Vec<String>,
    pub rows: Vec<csv::StringRecord>,
    /// Columns that somebody read.
    pub taken: BTreeSet<usize>,
}

/// One row of it.
pub(super) struct Sheet<'t> {
    pub row: &'t csv::StringRecord,
}

impl Table {
    /// Reads CSV; the separator is the one that the first line has most of.
    pub fn read(text: &str) -> Result<Self, String> {
        let first = text.lines().next().unwrap_or_default();
        let count = |c: char| first.matches(c).count();
        let separator = match count(';') > count(',') {
            true => b';',
            false => b',',
        };
        let mut reader = csv::ReaderBuilder::new()
            .delimiter(separator)
            .flexible(true)
            .from_reader(text.as_bytes());
        let head = reader.headers().map_err(|error| error.to_string())?;
        let head: Vec<String> = head
            .iter()
            .map(|title| title.trim().to_lowercase())
            .collect();
        let rows: Result<Vec<_>, _> = reader.records().collect();
        let rows = rows.map_err(|error| error.to_string())?;
        if rows.is_empty() {
            return Err("the table has no rows below its titles".to_owned());
        }
        Ok(Self {
            head,
            rows,
            taken: BTreeSet::new(),
        })
    }

    /// The columns whose title satisfies this.
    fn columns(&mut self, wanted: impl Fn(&str) -> bool) -> Vec<usize> {
        let found = self
            .head
            .iter()
            .enumerate()
            .filter(|(_, title)| wanted(title));
        let found: Vec<usize> = found.map(|(at, _)| at).collect();
        self.taken.extend(&found);
        found
    }

    fn named(&mut self, names: &[&str]) -> Vec<usize> {
        self.columns(|title| names.contains(&title))
    }

    /// Columns that nobody needs to be told of.
    pub fn ignore(&mut self, names: &[&str]) {
        self.named(names);
    }

    /// Counts cells that nobody read.
    pub fn rest(&self, dropped: &mut BTreeMap<String, usize>) {
        for (at, title) in self.head.iter().enumerate() {
            let filled = self.rows.iter().filter(|row| {
                let cell = row.get(at).unwrap_or_default().trim();
                !cell.is_empty() && cell != "NULL"
            });
            let filled = filled.count();
            if filled > 0 && !self.taken.contains(&at) {
                let title: String = title.chars().take(60).collect();
                *dropped.entry(title).or_default() += filled;
            }
        }
    }
}

impl<'t> Sheet<'t> {
    /// Every cell of these columns that is filled.
    pub fn all<'s>(&self, columns: &'s [usize]) -> impl Iterator<Item = &'t str> + use<'s, 't> {
        let row = self.row;
        let cells = columns.iter().copied();
        cells
            .filter_map(move |at| row.get(at))
            .map(str::trim)
            .filter(|cell| !cell.is_empty() && *cell != "NULL")
    }

    /// The first of them, or nothing.
    pub fn first(&self, columns: &[usize]) -> &'t str {
        self.all(columns).next().unwrap_or_default()
    }
}

pub(super) fn read(text: &str) -> Result<Backlog, String> {
    let mut table = Table::read(text)?;
    let key = table.named(&["issue key", "issuekey", "key", "tasknumber"]);
    let id = table.named(&["issue id"]);
    let summary = table.named(&["summary", "title"]);
    let kind = table.named(&["issue type", "type", "issuetype"]);
    if summary.is_empty() && kind.is_empty() && !table.named(&["linkedissuekey"]).is_empty() {
        return Err(
            "the table has links between issues (column `linkedIssueKey`) and not the issues: neither what they are nor whether they are done. Export the issues, with all fields: their links are among them"
                .to_owned(),
        );
    }
    if key.is_empty() && summary.is_empty() && kind.is_empty() {
        return Err(
            "the table has none of the columns `Issue key`, `Summary` and `Issue Type`".to_owned(),
        );
    }
    let description = table.named(&["description"]);
    let category = table.named(&["status category"]);
    let status = table.named(&["status", "statuscode"]);
    let resolution = table.named(&["resolution"]);
    let importance = table.named(&["priority"]);
    let points = table.named(&[
        "custom field (story points)",
        "custom field (story point estimate)",
        "story points",
        "story point estimate",
        "storypoint",
        "storypoints",
    ]);
    let left = table.named(&["remaining estimate"]);
    let original = table.named(&["original estimate"]);
    let hours = table.named(&["hoursestimate"]);
    let parents = table.named(&[
        "parent key",
        "parent",
        "parent id",
        "custom field (epic link)",
        "custom field (parent link)",
    ]);
    let tags = table.named(&[
        "labels",
        "component/s",
        "components",
        "category",
        "subcategory",
    ]);
    let criteria = table.named(&["custom field (acceptance criteria)", "acceptance criteria"]);
    // From the issue's own side: inward "is blocked by", outward "blocks"; dependencies are the other way round.
    let blocked_by = table.columns(|title| title.starts_with("inward issue link (block"));
    let blocks = table.columns(|title| title.starts_with("outward issue link (block"));
    let depends_on = table.columns(|title| title.starts_with("outward issue link (depend"));
    let depended_on = table.columns(|title| title.starts_with("inward issue link (depend"));
    table.ignore(&[
        "created",
        "updated",
        "last viewed",
        "resolved",
        "project key",
        "project name",
        "project type",
        "project lead",
        "project lead id",
        "project description",
        "project url",
        "status category changed",
        "parent summary",
    ]);

    let mut backlog = Backlog::default();
    if key.is_empty() {
        backlog.notes.push(
            "the table has no keys: its rows are told apart by their numbers, so a later export has to keep their order".to_owned(),
        );
    }
    let mut keys: BTreeMap<String, String> = BTreeMap::new();
    let mut reverse: Vec<(String, String)> = Vec::new();
    let mut seen = BTreeSet::new();
    for (at, row) in (1..).zip(&table.rows) {
        let sheet = Sheet { row };
        let name = match sheet.first(&key) {
            "" => format!("row-{at}"),
            key => key.to_owned(),
        };
        if !seen.insert(name.clone()) {
            backlog
                .notes
                .push(format!("{name} is there twice; the first counts"));
            continue;
        }
        if !sheet.first(&id).is_empty() {
            keys.insert(sheet.first(&id).to_owned(), name.clone());
        }
        let sort = sheet.first(&kind);
        let title = match sheet.first(&summary) {
            "" if sort.is_empty() => name.clone(),
            "" => format!("{sort} {at}"),
            title => title.to_owned(),
        };
        let number = |columns: &[usize]| {
            sheet
                .first(columns)
                .parse::<f64>()
                .ok()
                .filter(|n| *n > 0.0)
        };
        let seconds = number(&left).or_else(|| number(&original));
        let mut labels: Vec<String> = vec![sort.to_owned()];
        labels.extend(sheet.all(&tags).map(str::to_owned));
        let need =
            |columns: &[usize]| -> Vec<Need> { sheet.all(columns).map(Need::firm).collect() };
        reverse.extend(
            sheet
                .all(&blocks)
                .chain(sheet.all(&depended_on))
                .map(|other| (other.to_owned(), name.clone())),
        );
        backlog.items.push(Item {
            description: sheet.first(&description).to_owned(),
            state: state(
                sheet.first(&category),
                sheet.first(&status),
                sheet.first(&resolution),
            ),
            priority: importance_of(sheet.first(&importance)),
            points: number(&points),
            minutes: seconds
                .map(|seconds| seconds / 60.0)
                .or_else(|| number(&hours).map(|hours| hours * 60.0)),
            needs: [need(&blocked_by), need(&depends_on)].concat(),
            parent: sheet.all(&parents).next().map(str::to_owned),
            heading: sort.eq_ignore_ascii_case("epic"),
            acceptance: lines(sheet.first(&criteria)),
            labels,
            title,
            id: name,
            ..Item::default()
        });
    }
    let known = |id: String| keys.get(&id).cloned().unwrap_or(id);
    let places: BTreeMap<String, usize> = (0..)
        .zip(&backlog.items)
        .map(|(at, item)| (item.id.clone(), at))
        .collect();
    for (blocked, blocker) in reverse {
        match places.get(&known(blocked.clone())) {
            Some(&place) => backlog.items[place].needs.push(Need::firm(blocker)),
            None => backlog.notes.push(format!(
                "{blocker} blocks {blocked}, which is not in the table"
            )),
        }
    }
    for item in &mut backlog.items {
        for need in &mut item.needs {
            need.id = known(std::mem::take(&mut need.id));
        }
        item.parent = item.parent.take().map(known);
    }
    table.rest(&mut backlog.dropped);
    Ok(backlog)
}

fn state(category: &str, status: &str, resolution: &str) -> State {
    let [category, status, resolution] = [category, status, resolution].map(str::to_lowercase);
    let dropped = [
        "won't",
        "wont",
        "duplicate",
        "cannot reproduce",
        "cancel",
        "invalid",
        "incomplete",
        "not a bug",
        "rejected",
        "obsolete",
    ];
    if dropped
        .iter()
        .any(|word| resolution.contains(word) || status.starts_with(word))
    {
        return State::Dropped;
    }
    let done = [
        "done",
        "closed",
        "resolved",
        "complete",
        "completed",
        "finished",
        "released",
        "verified",
    ];
    let resolved = !matches!(resolution.as_str(), "" | "unresolved");
    match category == "done" || resolved || done.contains(&status.as_str()) {
        true => State::Done,
        false => State::Open,
    }
}

/// Jira's words, and numbers from 1 down.
fn importance_of(word: &str) -> Option<director_protocols::sprint::Priority> {
    use director_protocols::sprint::Priority;
    match word.parse::<u32>() {
        Ok(1) => Some(Priority::High),
        Ok(2..=3) => Some(Priority::Normal),
        Ok(_) => Some(Priority::Low),
        Err(_) => priority(word),
    }
}
