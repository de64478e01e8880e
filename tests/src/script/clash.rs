//! The step of a script in which somebody looks ahead: `see TASK TASK|merged FILE...`, without files where all is well.

use director_protocols::command::Command;
use director_protocols::event::Event;
use director_protocols::work::Sight;

use super::Script;

impl Script {
    /// What is told then; nothing for any other step.
    pub(super) fn looked(&mut self, words: &[&str]) -> Option<Vec<String>> {
        let ["see", task, with, ref files @ ..] = *words else {
            return None;
        };
        let of = |name: &str| {
            let task = self.task(name);
            (task, self.engine.state().tasks.table[task.index()].attempt)
        };
        let (of, with) = (of(task), (with != "merged").then(|| of(with)));
        let sprint = self.engine.state().tasks.table[of.0.index()].sprint;
        let head = &self.engine.state().sprints.table[sprint.index()].head;
        Some(self.tell(Command::LookedAhead {
            sprint,
            head: head.clone(),
            sights: vec![Sight {
                of,
                with,
                files: files.iter().map(|file| (*file).to_owned()).collect(),
            }],
        }))
    }
}

/// Whether the event is about a conflict that was seen early.
pub(super) fn is_seen(event: &Event) -> bool {
    matches!(
        event,
        Event::ConflictForeseen(_) | Event::ConflictOver(_) | Event::AgentTold(_)
    )
}
