//! The screen as people see it: a real engine answers what the page asks, and the frame is compared.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use director_protocols::command::Command;
use director_protocols::ids::Name;
use director_protocols::sprint::SprintSpec;
use director_protocols::time::Span;
use expect_test::expect;
use ratatui::buffer::Buffer;
use ratatui::style::Color;

use super::seat::{Seat, text};
use crate::control::protocol::{Fault, FaultKind, Order};
use crate::planner::examples;
use crate::view::recorded::{Run, checkout, midway, troubled};
use crate::watch::model::{Input, Link, Model};

#[test]
fn the_team_is_shown_with_what_each_does_and_what_decides_the_end() {
    let run = midway();
    let seat = Seat::at(&run, 100, 24);
    seat.shows(expect![[r#"

         sprint-3 running  ██████░░░░░░░░░░░░░░░░░░░░░░░░ 2/10 tasks · 10/40 points · 1h19m
         ▐ 1 Team ▌ 2 Tasks  3 Graph  4 Events  5 Inbox !1  6 Sprints                                  ● live
        ────────────────────────────────────────────────────────────────────────────────────────────────────
         role                     no  is    doing                                         load  done  downs
        ▐ tech-lead                 1  idle                                                 15%     1      –
         documentation-research    1  idle                                                 16%     1      –
         api-engineer              1  busy  cart-api for 1m42s                             42%     0      –
                                   2  idle                                                 20%     0      –
         ux-engineer               1  idle                                                 15%     0      –
         fullstack-engineer        1  idle                                                 15%     0      –
         documentation-writer      1  idle                                                 17%     0      –
         tech-lead-reviewer        1  idle                                                 20%     0      –

         critical  payment-api (backoff) → connect → api-review → release-notes
         merging   docs
         latest
         10:17:31  attempt ended           api-engineer-1 let go of payment-api, attempt 1, failed: the sa…
         10:17:31  retry scheduled         payment-api is tried again, not before 10:22:31Z
         10:17:32  work salvaged           what payment-api had left is saved at refs/director/salvage/pay…
         10:17:32  task assigned           cart-api goes to api-engineer-1, attempt 1 (score 0.73: experti…
         10:17:33  worktree prepared       cart-api begins in /repo/.worktrees/cart-api at ba5eba5eba5e
         10:17:34  attempt started         attempt 1 at cart-api is under way
         10:17:34  handoff accepted        cart-api has what checkout-spec left
         ↑↓ move  Enter task  p pause  ? keys  q leave
    "#]]);
}

#[test]
fn tasks_are_shown_by_state_and_found_by_name() {
    let run = midway();
    let mut seat = Seat::at(&run, 100, 18);
    seat.press(KeyCode::Char('2'));
    seat.press(KeyCode::Down);
    seat.shows(expect![[r#"

         sprint-3 running  ██████░░░░░░░░░░░░░░░░░░░░░░░░ 2/10 tasks · 10/40 points · 1h19m
          1 Team ▐ 2 Tasks ▌ 3 Graph  4 Events  5 Inbox !1  6 Sprints                                  ● live
        ────────────────────────────────────────────────────────────────────────────────────────────────────
         ▐ all 10 ▌ waiting 4  ready 1  working 1  merging 1  stuck 1  done 2
             task           title               agent                  pts  state
         ★ ✓ checkout-spec  checkout spec       tech-lead-1              6  completed: in 45m12s
        ▐   ✓ psp-research   psp research        documentation-resea…     4  completed: in 20m08s
           ▶ cart-api       cart api            api-engineer-1           8  working: for 1m42s
         ★ ↻ payment-api    payment api         api-engineer-1          12  backoff: again in 3m17s after…
           ! cart-ui        cart ui             ux-engineer-1            6  blocked: Which logo �[31mgoes…
         ★ · connect        Connect <cart> &…   –                        6  waiting: waits for cart-api,…
           ◆ docs           docs                documentation-write…     4  merging: is done, being merge…
         ★ · api-review     api review          –                        2  waiting: waits for connect
         ★ · ui-review      ui review           –                        2  waiting: waits for connect
         ★ · release-notes  release notes       –                        1  waiting: waits for docs, api-…


         ↑↓ move  Enter open  ←→ state  / find  p pause  ? keys  q leave
    "#]]);
    for _ in 0..5 {
        seat.press(KeyCode::Right);
    }
    assert_eq!(seat.model().column, Some("stuck"));
    seat.press(KeyCode::Esc);
    seat.press(KeyCode::Char('/'));
    seat.type_in("ca");
    assert_eq!(seat.model().seen.tasks.total, 1, "while it is typed");
    seat.shows(expect![[r#"

         sprint-3 running  ██████░░░░░░░░░░░░░░░░░░░░░░░░ 2/10 tasks · 10/40 points · 1h19m
          1 Team ▐ 2 Tasks ▌ 3 Graph  4 Events  5 Inbox !1  6 Sprints                                  ● live
        ────────────────────────────────────────────────────────────────────────────────────────────────────
          all 10  waiting 4  ready 1  working 1  merging 1 ▐ stuck 1 ▌ done 2   with ca
             task     title                  agent                  pts  state
        ▐   ! cart-ui  cart ui                ux-engineer-1            6  blocked: Which logo �[31mgoes on…











         only › ca
    "#]]);
}

#[test]
fn enter_opens_what_will_be_in_the_list_not_what_was_in_it() {
    let run = midway();
    let mut seat = Seat::at(&run, 100, 18);
    seat.press(KeyCode::Char('2'));
    // All typed before the director has answered any of it.
    let mut model = seat.model.take().expect("there");
    for c in "/release\r\r".chars() {
        let code = match c {
            '\r' => KeyCode::Enter,
            c => KeyCode::Char(c),
        };
        model = model.take(Input::Key(KeyEvent::new(code, KeyModifiers::NONE)));
    }
    seat.model = Some(model);
    seat.catch_up();
    assert_eq!(seat.model().task.task, "release-notes");
    assert_eq!(seat.model().seen.why.task, "release-notes");
}

#[test]
fn the_graph_is_shown_by_level_with_the_critical_path_and_what_the_chosen_one_waits_for() {
    let run = midway();
    let mut seat = Seat::at(&run, 100, 24);
    seat.press(KeyCode::Char('3'));
    for _ in 0..5 {
        seat.press(KeyCode::Char('j'));
    }
    seat.shows(expect![[r#"

         sprint-3 running  ██████░░░░░░░░░░░░░░░░░░░░░░░░ 2/10 tasks · 10/40 points · 1h19m
          1 Team  2 Tasks ▐ 3 Graph ▌ 4 Events  5 Inbox !1  6 Sprints                                  ● live
        ────────────────────────────────────────────────────────────────────────────────────────────────────
         10 tasks on 5 levels, 6 on the critical path ┃
           level 1 · 2 tasks, done
         ┃ ↑ ✓ checkout-spec  checkout spec                   → cart-api, payment-api, cart-ui, docs
             ✓ psp-research   psp research                    → payment-api
         ┃ level 2 · 4 tasks
         ┃   ↻ payment-api    payment api                     → connect
             ▶ cart-api       cart api                        → connect
             ! cart-ui        cart ui                         → connect
        ▐     ◆ docs           docs                            → release-notes
         ┃ level 3 · 1 task
         ┃   · connect        Connect <cart> & "payment"      → api-review, ui-review
         ┃ level 4 · 2 tasks
         ┃   · api-review     api review                      → release-notes
         ┃   · ui-review      ui review                       → release-notes
         ┃ level 5 · 1 task
         ┃ ↓ · release-notes  release notes




         ↑↓ move  Enter open  p pause  ? keys  q leave
    "#]]);
}

#[test]
fn events_are_followed_held_and_chosen_by_words() {
    let run = midway();
    let mut seat = Seat::at(&run, 100, 14);
    seat.press(KeyCode::Char('4'));
    seat.shows(expect![[r#"

         sprint-3 running  ██████░░░░░░░░░░░░░░░░░░░░░░░░ 2/10 tasks · 10/40 points · 1h19m
          1 Team  2 Tasks  3 Graph ▐ 4 Events ▌ 5 Inbox !1  6 Sprints                                  ● live
        ────────────────────────────────────────────────────────────────────────────────────────────────────
         68 events  ▼ followed
         10:00:30  inbox opened            #1 waits for a person (high): Which logo �[31mgoes on top�[0m?…
         10:00:31  work salvaged           what cart-ui had left is saved at refs/director/salvage/cart-ui…
         10:17:31  attempt ended           api-engineer-1 let go of payment-api, attempt 1, failed: the sa…
         10:17:31  retry scheduled         payment-api is tried again, not before 10:22:31Z
         10:17:32  work salvaged           what payment-api had left is saved at refs/director/salvage/pay…
         10:17:32  task assigned           cart-api goes to api-engineer-1, attempt 1 (score 0.73: experti…
         10:17:33  worktree prepared       cart-api begins in /repo/.worktrees/cart-api at ba5eba5eba5e
         10:17:34  attempt started         attempt 1 at cart-api is under way
         10:17:34  handoff accepted        cart-api has what checkout-spec left
         ↑↓ move  / find  o sprint  Enter task  ? keys  q leave
    "#]]);
    seat.press(KeyCode::PageUp);
    assert!(!seat.model().events.follow, "held where somebody looks");
    seat.press(KeyCode::Char('/'));
    seat.type_in("blocker");
    seat.press(KeyCode::Enter);
    seat.shows(expect![[r#"

         sprint-3 running  ██████░░░░░░░░░░░░░░░░░░░░░░░░ 2/10 tasks · 10/40 points · 1h19m
          1 Team  2 Tasks  3 Graph ▐ 4 Events ▌ 5 Inbox !1  6 Sprints                                  ● live
        ────────────────────────────────────────────────────────────────────────────────────────────────────
         1 event with blocker  ▼ followed
         10:00:30  blocker raised          blocker 1 (high) holds up cart-ui: Which logo �[31mgoes on top�…








         ↑↓ move  / find  o sprint  Enter task  ? keys  q leave
    "#]]);
    seat.press(KeyCode::Up);
    seat.press(KeyCode::Enter);
    assert_eq!(seat.model().task.task, "cart-ui", "the task of the event");
}

#[test]
fn what_waits_is_answered_with_keys_and_nothing_in_it_steers_the_terminal() {
    let run = midway();
    let mut seat = Seat::at(&run, 80, 20);
    seat.press(KeyCode::Char('5'));
    seat.shows(expect![[r#"

         sprint-3 running  █████░░░░░░░░░░░░░░░░░░░░░ 2/10 tasks · 10/40 points · 1h19m
          1 Team  2 Tasks  3 Graph  4 Events ▐ 5 Inbox !1 ▌ 6 Sprints              ● live
        ────────────────────────────────────────────────────────────────────────────────
        ▐   #1  high     blocker  cart-ui                18m44s  Which logo �[31mgoes on…
        ────────────────────────────────────────────────────────────────────────────────
         #1 high blocker of sprint-3, task cart-ui
         ux-engineer-1 asks, for 18m44s

           Which logo �[31mgoes on top�[0m?
           The design shows two.

         a  answers it







         a answer  y approve  n reject  Enter task  ? keys  q leave
    "#]]);
    seat.press(KeyCode::Char('y'));
    let said = seat.model().message.clone();
    assert!(said.is_some_and(|(text, bad)| bad && text.contains("press a")));
    assert_eq!(seat.orders(), []);
    seat.press(KeyCode::Char('a'));
    seat.type_in("teh");
    for code in [KeyCode::Left, KeyCode::Backspace, KeyCode::Right] {
        seat.press(code);
    }
    seat.type_in("e left one");
    seat.give(Input::Paste(",\n\u{1b}[31mnot the other".to_owned()));
    seat.press(KeyCode::Enter);
    let expected = Order::Answer {
        item: 1,
        text: "the left one,  [31mnot the other".to_owned(),
        reply: director_protocols::inbox::Reply::Answer,
        by: "mia".to_owned(),
    };
    assert_eq!(seat.orders(), [expected]);
    // What came of it stands in the last line.
    let no = Fault::new(FaultKind::Rejected, "#1 was answered by ada\u{1b}[2J");
    seat.give(Input::Done(Err(no)));
    let last = text(&seat.frame());
    assert!(
        last.ends_with("\n ✗ #1 was answered by ada�[2J\n"),
        "{last}"
    );
}

#[test]
fn a_task_has_its_story_and_what_its_agent_prints() {
    let run = troubled();
    let mut seat = Seat::at(&run, 110, 32);
    seat.press(KeyCode::Char('2'));
    seat.press(KeyCode::Char('/'));
    seat.type_in("connect");
    seat.press(KeyCode::Enter);
    seat.press(KeyCode::Enter);
    seat.give(Input::Log {
        task: "connect".to_owned(),
        attempt: 3,
        text: "compiling\n\ttest fits \u{202e}... \u{fffd}[31mFAILED\n".to_owned(),
    });
    seat.shows(expect![[r#"

         sprint-3 incomplete  ██████████████████░░░░░░░░░░░░ 6/10 tasks · 40/40 points · 3h11m
          1 Team ▐ 2 Tasks ▌ 3 Graph  4 Events  5 Inbox  6 Sprints                                               ● live
        ──────────────────────────────────────────────────────────────────────────────────────────────────────────────
         ✗ connect  failed for 2.0s                            ─ log of attempt 3 ────────────────────────────────────
           Connect <cart> & "payment"                           compiling
           sprint-3, feature connect, fullstack-engineer-1              test fits �... �[31mFAILED

         Why
           it was given up: 3 attempts failed; the last: the
           two do not fit together

         Attempts
           ✗ 1 fullstack-engineer-1  11:38, 11m02s
               failed: the two do not fit together
           ✗ 2 fullstack-engineer-1  11:51, 9m02s
               failed: the two do not fit together
           ✗ 3 fullstack-engineer-1  12:02, 9m02s
               failed: the two do not fit together

         What can be done
           director logs connect
               shows what its agent printed
           director retry connect
               tries it again; earlier failures no longer
               count






         ↑↓ move  l log  r retry  Esc back  ? keys  q leave
    "#]]);
    seat.press(KeyCode::Char('r'));
    let expected = Order::Retry {
        sprint: Some("sprint-3".to_owned()),
        task: "connect".to_owned(),
        by: "mia".to_owned(),
    };
    assert_eq!(seat.orders(), [expected]);
    seat.press(KeyCode::Esc);
    assert_eq!(seat.model().filter, "connect", "back where it was opened");
    seat.press(KeyCode::Enter);
    assert_eq!(seat.model().seen.why.task, "connect", "opened again");
}

#[test]
fn several_sprints_are_shown_one_at_a_time_and_paused_by_name() {
    let mut run = Run::of(examples::checkout());
    let mut other = examples::checkout();
    other.id = examples::name("sprint-4");
    run.say(director_protocols::command::Command::Submit(Box::new(
        other,
    )));
    run.settle();
    let mut seat = Seat::at(&run, 80, 12);
    seat.press(KeyCode::Char('6'));
    seat.shows(expect![[r#"

         sprint-4 running  ░░░░░░░░░░░░░░░░ 0/10 tasks · 0/40 points · about 1d07h left
          1 Team  2 Tasks  3 Graph  4 Events  5 Inbox ▐ 6 Sprints 2 ▌              ● live
        ────────────────────────────────────────────────────────────────────────────────
           sprint    state                            tasks  inbox
        ▐ ▸ sprint-4  running    ░░░░░░░░░░░░░░░░       0/10      –
           sprint-3  running    ░░░░░░░░░░░░░░░░       0/10      –





         ↑↓ move  Enter show  p pause  ? keys  q leave
    "#]]);
    seat.press(KeyCode::Char('['));
    seat.press(KeyCode::Char('p'));
    let expected = Order::Pause {
        sprint: Some("sprint-3".to_owned()),
        by: "mia".to_owned(),
    };
    assert_eq!(seat.orders(), [expected]);
    assert_eq!(seat.model().seen.live.sprint, "sprint-3");
}

#[test]
fn a_director_that_is_gone_is_said_so_and_what_it_said_last_stays() {
    let run = midway();
    let mut seat = Seat::at(&run, 80, 14);
    seat.press(KeyCode::Char('2'));
    seat.give(Input::Gone("it stopped".to_owned()));
    seat.press(KeyCode::Char('p'));
    assert_eq!(seat.orders(), [], "there is nobody to do it");
    seat.shows(expect![[r#"

         sprint-3 running  █████░░░░░░░░░░░░░░░░░░░░░ 2/10 tasks · 10/40 points · 1h19m
          1 Team ▐ 2 Tasks ▌ 3 Graph  4 Events  5 Inbox !1  6 Sprints              ○ gone
        ▐ The director is gone (it stopped). This is what it said last; it is looked for.
         ▐ all 10 ▌ waiting 4  ready 1  working 1  merging 1  stuck 1  done 2
             task           title                 pts  state
        ▐ ★ ✓ checkout-spec  checkout spec           6  completed: in 45m12s
           ✓ psp-research   psp research            4  completed: in 20m08s
           ▶ cart-api       cart api                8  working: for 1m42s
         ★ ↻ payment-api    payment api            12  backoff: again in 3m17s after:…
           ! cart-ui        cart ui                 6  blocked: Which logo �[31mgoes…
         ★ · connect        Connect <cart> & "…     6  waiting: waits for cart-api, p…
           ◆ docs           docs                    4  merging: is done, being merged…
         ★ · api-review     api review              2  waiting: waits for connect
         ✗ no director is there to do that
    "#]]);
    seat.give(Input::Connected { same: true });
    assert_eq!(seat.model().link, Link::Live);

    let mut early = Seat::at(&run, 80, 14);
    early.model = Some(Model::new((80, 14), false, "mia".to_owned(), run.now));
    let shown = text(&early.frame());
    assert!(shown.contains("No director runs here."), "{shown}");
}

#[test]
fn every_page_is_drawn_on_a_terminal_of_any_size() {
    let run = midway();
    let tiny = Seat::at(&run, 20, 5);
    tiny.shows(expect![[r#"

        20x5 is too small
        40x10 will do
        q leaves


    "#]]);
    let mut seat = Seat::at(&run, 80, 24);
    for page in "123456".chars() {
        seat.press(KeyCode::Char(page));
        for code in [
            KeyCode::Char('?'),
            KeyCode::Esc,
            KeyCode::End,
            KeyCode::Enter,
        ] {
            seat.press(code);
            for columns in (1..=44).chain([60, 70, 79, 100, 101, 131, 240]) {
                for lines in [1, 2, 5, 9, 10, 11, 12, 13, 16, 24, 60] {
                    seat.give(Input::Resize(columns, lines));
                    let _drawn = seat.frame();
                }
            }
            seat.give(Input::Resize(80, 24));
        }
    }
}

#[test]
fn without_colour_there_is_none_and_with_it_there_is() {
    let run = midway();
    let mut seat = Seat::at(&run, 100, 30);
    let colours = |frame: &Buffer| {
        frame
            .content()
            .iter()
            .filter(|cell| cell.fg != Color::Reset || cell.bg != Color::Reset)
            .count()
    };
    for page in "123456".chars() {
        seat.press(KeyCode::Char(page));
        assert_eq!(colours(&seat.frame()), 0, "page {page}");
    }
    let plain = seat.frame();
    let mut model = seat.model().clone();
    model.colour = true;
    seat.model = Some(model);
    assert!(colours(&seat.frame()) > 10);
    assert_eq!(
        text(&plain),
        text(&seat.frame()),
        "nothing is said by colour alone"
    );
}

/// So many tasks, in chains of a hundred.
fn many(tasks: usize) -> SprintSpec {
    let mut spec = examples::checkout();
    let like = spec.tasks[0].clone();
    let name = |n: usize| examples::name(&format!("t{n:05}"));
    spec.tasks = (0..tasks)
        .map(|n| {
            let mut task = like.clone();
            (task.id, task.feature) = (name(n), name(n));
            task.title = format!("Task number {n}");
            task.depends_on = match n % 100 {
                0 => Vec::new(),
                _ => vec![name(n - 1)],
            };
            task
        })
        .collect();
    spec
}

#[test]
fn of_ten_thousand_tasks_only_what_is_seen_is_asked_for_and_built() {
    let run = Run::of(many(10_000));
    let mut seat = Seat::at(&run, 120, 40);
    for page in ['2', '3'] {
        seat.press(KeyCode::Char(page));
        let before = seat.asked;
        for _ in 0..100 {
            seat.press(KeyCode::Down);
        }
        let asked = seat.asked.0 - before.0;
        assert!(asked <= 2, "moving within a block asks nothing: {asked}");
        seat.press(KeyCode::End);
        let shown = text(&seat.frame());
        assert!(shown.contains("▐") && shown.contains("t09999"), "{shown}");
        let bytes = (seat.asked.1 - before.1) / (seat.asked.0 - before.0);
        assert!(bytes < 120_000, "an answer has {bytes} bytes");
        let tasks = seat
            .model()
            .seen
            .tasks
            .tasks
            .len()
            .max(seat.model().seen.graph.tasks.len());
        assert!(tasks <= 240, "{tasks}");
    }
}

#[test]
fn a_running_sprint_is_asked_for_again_now_and_then_and_one_that_is_over_is_not() {
    let run = midway();
    let mut seat = Seat::at(&run, 80, 24);
    let before = seat.asked.0;
    let at = |seconds: u64| Input::Clock(run.now + Span::seconds(seconds));
    seat.give(at(1));
    assert_eq!(seat.asked.0, before, "the clock alone asks nothing");
    let shown = text(&seat.frame());
    assert!(
        shown.contains("1h18m") || shown.contains("1h19m"),
        "{shown}"
    );
    seat.give(at(6));
    assert!(seat.asked.0 > before);
    let over = troubled();
    let mut seat = Seat::at(&over, 80, 24);
    let before = seat.asked.0;
    seat.give(Input::Clock(over.now + Span::hours(1)));
    assert_eq!(seat.asked.0, before);
    assert!(!seat.model().is_ticking());
}

#[test]
fn an_agent_that_works_for_another_sprint_opens_the_task_that_it_has_there() {
    let mut run = Run::of(checkout(false));
    // Of the same roles, so its tasks go to whoever is free.
    let mut other = checkout(false);
    other.id = Name::new("other").expect("a name");
    for task in &mut other.tasks {
        task.id = Name::new(format!("other-{}", task.id)).expect("a name");
        for before in &mut task.depends_on {
            *before = Name::new(format!("other-{before}")).expect("a name");
        }
    }
    run.say(Command::Submit(Box::new(other)));
    run.settle();
    // Whoever did this is free for the same work of the other sprint.
    run.done("psp-research", 20);
    let mut seat = Seat::at(&run, 110, 32);
    while seat.model().shown_sprint() != "sprint-3" {
        seat.press(KeyCode::Char('['));
    }
    seat.press(KeyCode::Char('1'));
    let agents = &seat.model().seen.agents.agents;
    let place = agents
        .iter()
        .position(|agent| agent.sprint.as_deref() == Some("other"))
        .expect("somebody works for the other sprint");
    let task = agents[place].current_tasks[0].clone();
    assert!(task.starts_with("other-"), "{task}");
    for _ in 0..place {
        seat.press(KeyCode::Char('j'));
    }
    seat.press(KeyCode::Enter);
    assert_eq!(seat.model().seen.why.task, task, "its story is there");
    assert_eq!(seat.model().task.sprint.as_deref(), Some("other"));
}
