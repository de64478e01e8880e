//! Better orders, as the swarm's world finds them: any order at all, at once.

use director::engine::replan;
use director_protocols::command::Command;
use director_protocols::ids::{EffectId, SprintId};
use director_protocols::time::Span;

use super::World;

impl World {
    /// Another order, whatever it is worth; it counts once, and only while nothing has made a newer version.
    pub(super) fn plan(&mut self, effect: EffectId, sprint: SprintId, base: u32) {
        let Some(replan) = replan::problem(self.engine.state(), sprint, base) else {
            return;
        };
        let mut order = replan.tasks;
        if self.chance(500) {
            order.reverse();
        }
        let command = Command::PlanFound {
            effect,
            sprint,
            base,
            order,
            before: Span::hours(2),
            after: Span::hours(1),
        };
        self.tell(command.clone())
            .unwrap_or_else(|rejection| panic!("{command:?} was refused: {rejection}"));
        assert!(self.tell(command).is_err(), "an order counted twice");
    }
}
