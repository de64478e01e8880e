//! A better order found in the middle of a sprint: it is followed from then on, it counts once, and only while it fits.

use director::engine::effects::Effect;
use director::engine::orders::{self, Order};
use director::engine::{Decision, Engine};
use director::planner::replan::{Found, Replan};
use director_protocols::command::Command;
use director_protocols::event::Event;
use director_protocols::ids::{AgentId, EffectId, Generation, SprintId, TaskId};
use director_protocols::rejection::Rejection;
use director_protocols::time::{Span, Time};
use director_protocols::work::{AttemptEnd, Report};
use director_tests::sprint;

/// One role of two agents; `hours` of each task, all of them ready at once.
fn text(hours: &[u64]) -> String {
    let mut text = String::from(
        "[sprint]\nid = \"plan\"\n[gates]\ntests = false\nreview = false\ndocs = false\ncoverage = false\nacceptance = false\n\
         [team]\nonly = true\n[team.worker]\ncount = 2\nkinds = [\"*\"]\n",
    );
    for (at, hours) in hours.iter().enumerate() {
        text += &format!(
            "[[task]]\nid = \"t{at}\"\nrun = \"true\"\nexpects = \"nothing\"\nhours = {hours}\n"
        );
    }
    text
}

struct Director {
    engine: Engine,
    now: Time,
    journal: Vec<Decision>,
    asked: Vec<(EffectId, SprintId, u32)>,
}

impl Director {
    /// The sprint is submitted; its agents are not up yet.
    fn with(hours: &[u64]) -> Self {
        let mut director = Self {
            engine: Engine::checked(),
            now: Time(1000),
            journal: Vec::new(),
            asked: Vec::new(),
        };
        let version = "test".to_owned();
        director.tell(Command::Open { version }).expect("it opens");
        let spec = sprint(&text(hours), &[]);
        director
            .tell(Command::Submit(Box::new(spec)))
            .expect("a sprint");
        director
    }

    fn tell(&mut self, command: Command) -> Result<(), Rejection> {
        let decision = self.engine.step(&command, self.now)?;
        self.keep(decision);
        Ok(())
    }

    fn keep(&mut self, decision: Decision) {
        for (id, effect) in &decision.effects {
            if let Effect::Plan { sprint, base } = effect {
                self.asked.push((*id, *sprint, *base));
            }
        }
        if !decision.events.is_empty() {
            self.journal.push(decision);
        }
    }

    fn up(&mut self) {
        for agent in [AgentId(0), AgentId(1)] {
            let generation = Generation(1);
            self.tell(Command::AgentUp { agent, generation })
                .expect("it is up");
        }
    }

    /// Hands out work and says who got which task.
    fn dispatch(&mut self) -> Vec<u32> {
        let decision = self.engine.dispatch(self.now);
        let assigned = decision.events.iter().filter_map(|event| match event {
            Event::TaskAssigned(e) => Some(e.task_id.0),
            _ => None,
        });
        let assigned = assigned.collect();
        self.keep(decision);
        assigned
    }

    fn replan(&self, (_, sprint, base): (EffectId, SprintId, u32)) -> Option<Replan> {
        match orders::order(self.engine.state(), &Effect::Plan { sprint, base }) {
            Some(Order::Plan(replan)) => Some(*replan),
            _ => None,
        }
    }

    fn answer(&self, (effect, sprint, base): (EffectId, SprintId, u32), found: Found) -> Command {
        Command::PlanFound {
            effect,
            sprint,
            base,
            order: found.order,
            before: found.before,
            after: found.after,
        }
    }
}

#[test]
fn work_begins_by_rank_and_goes_on_in_the_better_order() {
    // By rank, longest first: 5 and 4, then 4, 3, 3, 1, so 11 hours. Ten are possible, also when the first two have begun.
    let mut director = Director::with(&[5, 4, 4, 3, 3, 1]);
    director.up();
    assert_eq!(director.dispatch(), [0, 1], "nobody waits for the plan");
    let asked = *director.asked.last().expect("a better order is looked for");
    let replan = director
        .replan(asked)
        .expect("the state is that which it was asked for");
    assert_eq!(replan.tasks.len(), 6, "what is in hand counts");
    let found = replan
        .search(0, 2000, &mut || true)
        .expect("a better order");
    assert_eq!(
        (found.before, found.after),
        (Span::hours(11), Span::hours(10))
    );
    assert_eq!(
        replan.search(0, 2000, &mut || true).as_ref(),
        Some(&found),
        "the same seed and budget find the same"
    );

    let command = director.answer(asked, found.clone());
    director.tell(command.clone()).expect("it is adopted");
    let last = director.journal.last().expect("a decision");
    assert!(matches!(&last.events[..], [Event::PlanAdopted(e)] if e.order == found.order));
    assert!(
        last.effects.is_empty(),
        "an order that was adopted asks for no other"
    );
    assert!(
        matches!(director.tell(command), Err(Rejection::StaleEffect { .. })),
        "it counts once"
    );

    // Whoever is free has the next of the new order.
    let rest: Vec<u32> = found.order[2..].iter().map(|task| task.0).collect();
    let mut handed_out = Vec::new();
    let mut in_hand = vec![
        (Time(1000) + Span::hours(5), 0),
        (Time(1000) + Span::hours(4), 1),
    ];
    let hours = [5, 4, 4, 3, 3, 1];
    while !in_hand.is_empty() {
        in_hand.sort();
        let (at, task) = in_hand.remove(0);
        director.now = at;
        let task = TaskId(task);
        let attempt = director.engine.state().tasks.table[task.index()].attempt;
        let end = AttemptEnd::done(Report::default());
        director
            .tell(Command::Ended { task, attempt, end })
            .expect("it is done");
        for next in director.dispatch() {
            handed_out.push(next);
            in_hand.push((at + Span::hours(hours[next as usize]), next));
        }
    }
    assert_eq!(handed_out, rest);
    assert_eq!(director.now, Time(1000) + Span::hours(10));

    // Replayed, the journal leads to the same state: the order is in it, the search is not.
    let mut again = Engine::default();
    for (seq, decision) in (1..).zip(&director.journal) {
        let seq = director_protocols::ids::Seq(seq);
        let at = Time(0);
        assert!(again.replay(seq, decision.events.clone(), at));
    }
    let ranks = |engine: &Engine| -> Vec<_> {
        let table = &engine.state().tasks.table;
        table.iter().map(|task| task.rank).collect()
    };
    assert_eq!(ranks(&again), ranks(&director.engine));
}

#[test]
fn an_order_for_an_older_state_or_of_foreign_tasks_is_refused() {
    let mut director = Director::with(&[5, 4, 4, 3, 3, 3]);
    let first = *director.asked.last().expect("asked when work may begin");
    let found = |tasks: &[u32]| Found {
        order: tasks.iter().copied().map(TaskId).collect(),
        before: Span::hours(2),
        after: Span::hours(1),
    };
    for (case, order) in [("a task twice", vec![1, 1]), ("no task", vec![0, 6])] {
        let command = director.answer(first, found(&order));
        assert!(
            matches!(director.tell(command), Err(Rejection::StaleEffect { .. })),
            "case: {case}"
        );
    }
    let by = "ada".to_owned();
    director
        .tell(Command::CancelTask {
            task: TaskId(5),
            by,
        })
        .expect("cancelled");
    let second = *director
        .asked
        .last()
        .expect("asked again: the scope has changed");
    assert!(second.2 > first.2);
    let late = director.answer(first, found(&[4, 3, 2, 1, 0]));
    assert!(matches!(
        director.tell(late),
        Err(Rejection::StaleEffect { .. })
    ));
    assert!(
        director.replan(first).is_none(),
        "nobody need search for it any more"
    );
    let replan = director.replan(second).expect("it is current");
    assert_eq!(
        replan.tasks,
        [0, 1, 2, 3, 4].map(TaskId),
        "what is cancelled is out"
    );
    let worse = Found {
        after: Span::hours(2),
        ..found(&[4, 3, 2, 1, 0])
    };
    let decisions = director.journal.len();
    let command = director.answer(second, worse);
    director.tell(command).expect("it is heard");
    assert_eq!(
        director.journal.len(),
        decisions,
        "what is not better changes nothing"
    );
    let command = director.answer(second, found(&[4, 3, 2, 1, 0]));
    director.tell(command).expect("adopted");
    director.up();
    assert_eq!(director.dispatch(), [4, 3]);
}

#[test]
fn where_no_order_is_better_than_another_nobody_looks() {
    for (case, hours) in [
        ("all alike", &[2, 2, 2, 2, 2][..]),
        ("an agent for each", &[1, 2]),
        ("one task", &[3]),
    ] {
        let mut director = Director::with(hours);
        director.up();
        director.dispatch();
        assert!(director.asked.is_empty(), "case: {case}");
    }
}
