//! The terminal: taken over and given back.
//!
//! Invariant: it is given back when [`Terminal`] is dropped and when anything panics; giving it back twice does no harm.

use std::io::{self, Stdout, Write};
use std::sync::Once;

use crossterm::event::{self, DisableBracketedPaste, EnableBracketedPaste, Event};
use crossterm::terminal::{
    EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode,
};
use crossterm::{cursor, execute};
use ratatui::backend::CrosstermBackend;
use tokio::sync::mpsc::{Receiver, channel};

use super::model::{Input, Model};

/// A terminal that has been taken over.
pub(super) struct Terminal {
    inner: ratatui::Terminal<CrosstermBackend<Stdout>>,
}

impl Terminal {
    /// Takes it over: a screen of its own, keys as they are pressed.
    ///
    /// # Errors
    /// That it is no terminal, or what the system said.
    pub(super) fn take() -> io::Result<Self> {
        static HOOK: Once = Once::new();
        HOOK.call_once(|| {
            let before = std::panic::take_hook();
            std::panic::set_hook(Box::new(move |panic| {
                give_back();
                before(panic);
            }));
        });
        enable_raw_mode()?;
        let mut out = io::stdout();
        if let Err(error) = execute!(
            out,
            EnterAlternateScreen,
            EnableBracketedPaste,
            cursor::Hide
        ) {
            give_back();
            return Err(error);
        }
        match ratatui::Terminal::new(CrosstermBackend::new(out)) {
            Ok(inner) => Ok(Self { inner }),
            Err(error) => {
                give_back();
                Err(error)
            }
        }
    }

    /// Columns and lines.
    ///
    /// # Errors
    /// What the system said.
    pub(super) fn size(&self) -> io::Result<(u16, u16)> {
        let size = self.inner.size()?;
        Ok((size.width, size.height))
    }

    /// Draws a model; only what has changed is written.
    ///
    /// # Errors
    /// That the terminal is gone.
    pub(super) fn draw(&mut self, model: &Model) -> io::Result<()> {
        self.inner.draw(|frame| super::screen::draw(model, frame))?;
        Ok(())
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        give_back();
    }
}

fn give_back() {
    let mut out = io::stdout();
    // A terminal that is gone needs nothing back.
    let _ = disable_raw_mode();
    let _ = execute!(
        out,
        DisableBracketedPaste,
        LeaveAlternateScreen,
        cursor::Show
    );
    let _ = out.flush();
}

/// Keys and sizes as they come. The thread that reads them ends with the process, or when the terminal is gone.
///
/// # Errors
/// That the thread could not be started.
pub(super) fn inputs() -> io::Result<Receiver<Input>> {
    let (sender, receiver) = channel(64);
    let read = move || {
        while let Ok(event) = event::read() {
            let input = match event {
                Event::Key(key) => Input::Key(key),
                Event::Paste(text) => Input::Paste(text),
                Event::Resize(columns, lines) => Input::Resize(columns, lines),
                Event::FocusGained | Event::FocusLost | Event::Mouse(_) => continue,
            };
            if sender.blocking_send(input).is_err() {
                return;
            }
        }
    };
    std::thread::Builder::new()
        .name("keys".into())
        .spawn(read)?;
    Ok(receiver)
}
