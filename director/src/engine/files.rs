//! Files: which of them an agent changed in a sprint, and which a task is likely to touch, so that work goes to who knows them.
//!
//! What an agent changed is in the hand-off that the director makes itself: the names come with the commit. A task is about the files
//! and folders that it lists (`files`, `produces`, `spec`, `design`), the files that the tasks before it changed, those in which its work
//! was in conflict with others', and those that its words name. Whether a name that is written somewhere is that of a file needs no look at the disk: an agent has changed it.
//!
//! Invariant: an agent remembers at most [`REMEMBERED_MAX`] files, those it changed last, of sprints that are going.
//! Elsewhere: what knowing them is worth is `decide::assign`.

use director_protocols::event::WorkCommitted;
use director_protocols::ids::{AgentId, SprintId, TaskId};

use super::state::State;
use super::tasks::Task;
use super::team::Agent;

/// How many files an agent is taken to remember.
pub const REMEMBERED_MAX: usize = 256;

impl State {
    /// The agent that did the work knows these files from now on, and so does the task's story.
    pub(super) fn files_changed(&mut self, e: &WorkCommitted) {
        let row = &self.tasks.table[e.task_id.index()];
        let (sprint, agent) = (row.sprint, row.last_agent);
        self.tasks.story(e.task_id).files.clone_from(&e.files);
        self.remember(sprint, agent, &e.files);
    }

    /// Whoever has the task in hand works on these files, which are in conflict with others' work.
    pub(super) fn files_met(&mut self, task: TaskId, files: &[String]) {
        let row = &self.tasks.table[task.index()];
        self.remember(row.sprint, row.agent.or(row.last_agent), files);
    }

    fn remember(&mut self, sprint: SprintId, agent: Option<AgentId>, files: &[String]) {
        let Some(agent) = agent.filter(|_| !files.is_empty()) else {
            return;
        };
        let known = &mut self.team.agents[agent.index()].files;
        known.retain(|(of, file)| *of != sprint || !files.contains(file));
        for file in files.iter().rev() {
            known.push_front((sprint, file.clone()));
        }
        known.truncate(REMEMBERED_MAX);
    }

    /// The sprint is over: what was changed in it says nothing about the next, which can be of another repository.
    pub(super) fn forget_files(&mut self, sprint: SprintId) {
        for agent in &mut self.team.agents {
            agent.files.retain(|(of, _)| *of != sprint);
        }
    }

    /// How many of the files that the task is about the agent has changed in its sprint.
    pub fn files_known(&self, task: &Task, agent: &Agent) -> u32 {
        let known = agent.files.iter().filter(|(of, _)| *of == task.sprint);
        known.filter(|(_, file)| self.touches(task, file)).count() as u32
    }

    /// Whether the task is likely to touch the file.
    fn touches(&self, task: &Task, file: &str) -> bool {
        let spec = &task.spec;
        let papers = spec.spec.iter().chain(&spec.design);
        let mut listed = spec.files.iter().chain(&spec.produces).chain(papers);
        if listed.any(|place| is_at(file, place)) {
            return true;
        }
        let story = task.story.as_deref();
        let mut met = story.iter().flat_map(|story| story.clashes.values());
        if met.any(|files| files.contains(file)) {
            return true;
        }
        let before = task.depends_on.iter();
        let mut before = before.filter_map(|id| self.tasks.table[id.index()].story.as_deref());
        if before.any(|story| story.files.iter().any(|name| name == file)) {
            return true;
        }
        let mut words = [&spec.title, &spec.description]
            .into_iter()
            .chain(&spec.acceptance);
        words.any(|text| is_named(file, text))
    }
}

/// Whether the file is the place, or below it where it is a folder.
fn is_at(file: &str, place: &str) -> bool {
    let place = place.strip_prefix("./").unwrap_or(place);
    match place.ends_with('/') {
        true => file.starts_with(place),
        false => file == place,
    }
}

/// Whether a text names the file, as a word of its own. A name that could be any word, without a dot and a slash, counts for nothing.
fn is_named(file: &str, text: &str) -> bool {
    let is_part = |c: char| c.is_alphanumeric() || matches!(c, '/' | '_' | '-');
    file.contains(['.', '/'])
        && text.match_indices(file).any(|(at, _)| {
            let before = text[..at].chars().next_back();
            let mut after = text[at + file.len()..].chars();
            let ends = match after.next() {
                Some('.') => !after.next().is_some_and(is_part), // The end of a sentence.
                next => !next.is_some_and(is_part),
            };
            ends && !before.is_some_and(|c| is_part(c) || c == '.')
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_names_a_file_only_as_a_word_of_its_own() {
        for (file, text, expected) in [
            ("src/pay.rs", "Charge cards in src/pay.rs.", true),
            ("src/pay.rs", "see `src/pay.rs`, and more", true),
            ("src/pay.rs", "the folder src/pay.rs/ is gone", false),
            ("src/pay.rs", "old/src/pay.rs stays", false),
            ("src/pay.rs", "src/pay.rs.orig stays", false),
            ("pay.rs", "src/pay.rs", false),
            ("pay", "how to pay", false),
            ("docs/ä.md", "docs/ä.md", true),
        ] {
            assert_eq!(is_named(file, text), expected, "{file} in {text}");
        }
    }

    #[test]
    fn a_folder_has_what_is_below_it() {
        for (file, place, expected) in [
            ("src/pay/card.rs", "src/pay/", true),
            ("src/pay/card.rs", "./src/", true),
            ("src/pay.rs", "src/pay/", false),
            ("src/payday.rs", "src/pay", false),
            ("src/pay", "src/pay", true),
        ] {
            assert_eq!(is_at(file, place), expected, "{file} at {place}");
        }
    }
}
