//! A seat before a screen for tests: the real engine answers what the page asks, and frames come out as text.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use expect_test::Expect;
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::buffer::Buffer;
use ratatui::style::Modifier;

use crate::control::answer::{answer, history_for, part, read_page};
use crate::control::protocol::{Answer, Ask, Fault, Order, Screen};
use crate::view::recorded::Run;
use crate::watch::model::{Input, Model};

/// A terminal without one: a run of the real engine, and a model that watches it.
pub(super) struct Seat<'r> {
    run: &'r Run,
    pub(super) model: Option<Model>,
    heard: u64,
    /// Questions that were asked, and the bytes of their answers.
    pub(super) asked: (usize, usize),
}

impl<'r> Seat<'r> {
    pub(super) fn at(run: &'r Run, columns: u16, lines: u16) -> Self {
        let mut seat = Seat {
            run,
            model: Some(Model::new(
                (columns, lines),
                false,
                "mia".to_owned(),
                run.now,
            )),
            heard: 0,
            asked: (0, 0),
        };
        seat.give(Input::Connected { same: false });
        seat
    }

    pub(super) fn give(&mut self, input: Input) {
        self.model = self.model.take().map(|model| model.take(input));
        self.catch_up();
    }

    pub(super) fn model(&self) -> &Model {
        self.model.as_ref().expect("always there between inputs")
    }

    fn ask(&self, ask: &Ask) -> Result<Answer, Fault> {
        let entries = part(&self.run.entries, history_for(ask));
        answer(
            &self.run.engine,
            entries,
            ask,
            Screen::default(),
            self.run.now,
        )
    }

    /// Everything that the model asks is answered.
    pub(super) fn catch_up(&mut self) {
        let page = Ask::Page {
            after: self.heard,
            sprint: None,
        };
        let (reached, lines) = read_page(self.ask(&page).expect("a page")).expect("a page");
        let mut model = self.model.take().expect("there");
        if reached > self.heard {
            self.heard = reached;
            model = model.take(Input::Events(lines));
        }
        while let Some(question) = model.next_question() {
            let found = self.ask(&question.ask());
            self.asked.0 += 1;
            self.asked.1 += found
                .as_ref()
                .map_or(0, |found| found.json.to_string().len());
            model = model.take(Input::Answered(question, found));
            assert!(self.asked.0 < 10_000, "it asks and asks");
        }
        self.model = Some(model);
    }

    pub(super) fn press(&mut self, code: KeyCode) {
        self.give(Input::Key(KeyEvent::new(code, KeyModifiers::NONE)));
    }

    pub(super) fn type_in(&mut self, text: &str) {
        for c in text.chars() {
            self.press(KeyCode::Char(c));
        }
    }

    pub(super) fn frame(&self) -> Buffer {
        let (columns, lines) = self.model().size;
        let mut terminal = Terminal::new(TestBackend::new(columns, lines)).expect("a backend");
        terminal
            .draw(|frame| super::draw(self.model(), frame))
            .expect("drawn");
        terminal.backend().buffer().clone()
    }

    pub(super) fn shows(&self, expected: Expect) {
        expected.assert_eq(&text(&self.frame()));
    }

    pub(super) fn orders(&mut self) -> Vec<Order> {
        let mut model = self.model.take().expect("there");
        let orders = std::mem::take(&mut model.orders);
        self.model = Some(model);
        orders
    }
}

/// The frame as text; what is turned around stands between `▐` and `▌`.
pub(super) fn text(frame: &Buffer) -> String {
    let mut out = String::from("\n");
    for y in 0..frame.area.height {
        let mut line = String::new();
        let mut turned = false;
        for x in 0..frame.area.width {
            let cell = &frame[(x, y)];
            let now = cell.modifier.contains(Modifier::REVERSED);
            if now != turned {
                line.push(if now { '▐' } else { '▌' });
                turned = now;
            }
            line.push_str(cell.symbol());
        }
        out.push_str(line.trim_end());
        out.push('\n');
    }
    out
}
