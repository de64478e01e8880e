//! What the disk and the mailboxes do to time: decisions that nobody has heard of yet, and answers that nobody waits for any more.
//!
//! What a decision asks for leaves when it is on the disk; a crash loses what is not, up to any record in between. What is wanted no
//! longer is answered all the same, later: then nothing may come of it.

use std::collections::BTreeSet;

use director::engine::effects::Effect;
use director_protocols::command::Command;
use director_protocols::ids::{Attempt, EffectId, TaskId};
use director_protocols::work::{AttemptEnd, Report};

use super::World;

/// Something that is on its way and wanted no longer.
#[derive(Clone, Debug)]
pub(super) enum Late {
    /// An answer to what is not outstanding any more.
    Answer(EffectId, Effect),
    /// The report of an agent that was told to stop.
    Report(TaskId, Attempt),
}

impl World {
    /// All that was decided is on the disk, and what it asks for leaves.
    pub(super) fn sync(&mut self) {
        self.durable = self.journal.len();
        self.pending.append(&mut self.held);
    }

    /// A crash: of what is not on the disk, the first part is found there all the same, or nothing.
    pub(super) fn lose_what_was_not_durable(&mut self) {
        let more = self.below(self.journal.len() - self.durable + 1);
        self.journal.truncate(self.durable + more);
        self.durable = self.journal.len();
        self.held.clear();
    }

    /// What is settled or no longer wanted is not answered, or too late.
    ///
    /// # Panics
    /// When something is outstanding that was never asked for.
    pub(super) fn forget_unwanted(&mut self) {
        let resume = self.engine.resume();
        let outstanding: BTreeSet<EffectId> = resume.into_iter().map(|(id, _)| id).collect();
        let wanted = |id: &EffectId, effect: &Effect| {
            outstanding.contains(id)
                || matches!(
                    effect,
                    Effect::SyncTeam
                        | Effect::RestartRole { .. }
                        | Effect::Plan { .. }
                        | Effect::Watch { .. }
                )
        };
        self.held.retain(|id, effect| wanted(id, effect));
        let (state, late) = (self.engine.state(), &mut self.late);
        self.pending.retain(|id, effect| {
            let wanted = wanted(id, effect);
            // A delivery that is tried again later may have arrived all the same.
            if !wanted && !state.is_resting(*id) {
                late.push(Late::Answer(*id, effect.clone()));
            }
            wanted
        });
        assert!(
            outstanding
                .iter()
                .all(|id| self.pending.contains_key(id) || self.held.contains_key(id)),
            "an effect is outstanding that was never emitted"
        );
    }

    /// Something comes that nobody waits for any more. False when nothing is on its way.
    ///
    /// # Panics
    /// When anything comes of it.
    pub(super) fn come_late(&mut self) -> bool {
        if self.late.is_empty() {
            return false;
        }
        let place = self.below(self.late.len());
        let late = self.late.swap_remove(place);
        let command = match &late {
            Late::Answer(effect, what) => self.reply(*effect, what),
            Late::Report(task, attempt) => Some(Command::Ended {
                task: *task,
                attempt: *attempt,
                end: AttemptEnd::done(Report {
                    summary: "done after all".to_owned(),
                    ..Report::default()
                }),
            }),
        };
        // What is due by now is dealt with first, so that it is not mistaken for what comes of this.
        self.tell(Command::Tick).expect("a tick is accepted");
        let before = self.engine.seq();
        if let Some(command) = command {
            let _ = self.tell(command.clone());
            let came = self.journal.iter().filter(|(seq, ..)| *seq > before);
            let came: Vec<_> = came.map(|(_, _, events)| events).collect();
            assert!(
                came.is_empty(),
                "what came too late counted: {command:?}: {came:?}"
            );
        }
        true
    }
}
