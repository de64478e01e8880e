//! A terminal as a test uses it: a pseudo-terminal of the kernel with a program in it, and an emulator that reads what the program writes.
//!
//! The program gets a session of its own with this as its controlling terminal, as from a shell, so sizes and signals reach it the usual
//! way. A picture of the screen is an SVG that is written here.

use std::fmt::Write as _;
use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::os::fd::AsFd;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::process::{Child, Command};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{LocalModes, Winsize, tcgetattr, tcsetwinsize};
use vt100::{Cell, Color, Parser};

use crate::process;

/// A terminal with a program in it; the program is killed when this is dropped.
pub struct Terminal {
    /// The program.
    pub child: Child,
    /// Our side.
    keyboard: File,
    /// The program's side, kept open so that its modes can be asked for afterwards.
    inside: File,
    screen: Arc<(Mutex<Parser>, Condvar)>,
}

impl Terminal {
    /// Starts a program in a terminal of that size. Needs `setsid` of util-linux.
    ///
    /// # Panics
    /// When the system refuses.
    pub fn start(command: &Command, columns: u16, lines: u16) -> Self {
        let ours = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).expect("a terminal");
        grantpt(&ours).expect("granted");
        unlockpt(&ours).expect("unlocked");
        let name = ptsname(&ours, Vec::new()).expect("a name");
        let path = Path::new(std::ffi::OsStr::from_bytes(name.as_bytes()));
        let inside = OpenOptions::new()
            .read(true)
            .write(true)
            .open(path)
            .expect("the other side");
        sized(&ours, columns, lines);
        let side = || inside.try_clone().expect("a descriptor");
        // `setsid` becomes the program, so the child's id is the program's.
        let mut started = Command::new("setsid");
        started
            .arg("--ctty")
            .arg(command.get_program())
            .args(command.get_args());
        for (name, value) in command.get_envs() {
            match value {
                Some(value) => started.env(name, value),
                None => started.env_remove(name),
            };
        }
        if let Some(dir) = command.get_current_dir() {
            started.current_dir(dir);
        }
        let child = started
            .stdin(side())
            .stdout(side())
            .stderr(side())
            .spawn()
            .expect("the program starts");
        let screen = Arc::new((Mutex::new(Parser::new(lines, columns, 0)), Condvar::new()));
        let keyboard = File::from(ours);
        let mut reader = keyboard.try_clone().expect("a descriptor");
        let seen = Arc::clone(&screen);
        std::thread::spawn(move || {
            let mut bytes = [0; 4096];
            let mut replacing = Replacing::default();
            while let Ok(read @ 1..) = reader.read(&mut bytes) {
                let (parser, changed) = &*seen;
                let bytes = replacing.pass(&bytes[..read]);
                // A test that failed while it looked has said so itself.
                let Ok(mut parser) = parser.lock() else {
                    return;
                };
                parser.process(&bytes);
                changed.notify_all();
            }
        });
        Self {
            child,
            keyboard,
            inside,
            screen,
        }
    }

    /// Presses keys, as the bytes that a terminal sends.
    ///
    /// # Panics
    /// When the terminal is gone.
    pub fn press(&mut self, keys: &str) {
        self.keyboard
            .write_all(keys.as_bytes())
            .expect("a terminal");
    }

    /// Changes its size; the program gets SIGWINCH.
    ///
    /// # Panics
    /// When the terminal is gone.
    pub fn resize(&mut self, columns: u16, lines: u16) {
        let mut parser = self.screen.0.lock().expect("no panic");
        parser.screen_mut().set_size(lines, columns);
        sized(&self.keyboard, columns, lines);
    }

    /// What is on the screen, line by line.
    ///
    /// # Panics
    /// When the reader panicked.
    pub fn text(&self) -> String {
        contents(&self.screen.0.lock().expect("no panic"))
    }

    /// Waits until the screen is as wanted; at once when it is.
    ///
    /// # Panics
    /// With the screen, when it is not so in time.
    pub fn until(&self, what: &str, time: Duration, wanted: impl Fn(&str) -> bool) -> String {
        let deadline = Instant::now() + time;
        let (parser, changed) = &*self.screen;
        let mut seen = parser.lock().expect("no panic");
        loop {
            let text = contents(&seen);
            if wanted(&text) {
                return text;
            }
            let left = deadline.saturating_duration_since(Instant::now());
            assert!(!left.is_zero(), "never seen: {what}; the screen is\n{text}");
            seen = changed.wait_timeout(seen, left).expect("no panic").0;
        }
    }

    /// Waits until a text is on the screen.
    ///
    /// # Panics
    /// With the screen, when it is not there in time.
    pub fn until_shown(&self, text: &str, time: Duration) -> String {
        self.until(text, time, |screen| screen.contains(text))
    }

    /// How many characters on the screen have a colour.
    ///
    /// # Panics
    /// When the reader panicked.
    pub fn coloured(&self) -> usize {
        let parser = self.screen.0.lock().expect("no panic");
        cells(&parser)
            .filter(|(_, _, cell)| {
                cell.fgcolor() != Color::Default || cell.bgcolor() != Color::Default
            })
            .count()
    }

    /// Whether the program has it: it draws on a screen of its own and gets keys as they are pressed.
    ///
    /// # Panics
    /// When the terminal cannot be asked.
    pub fn is_taken(&self) -> bool {
        let parser = self.screen.0.lock().expect("no panic");
        let modes = tcgetattr(&self.inside).expect("modes").local_modes;
        let screen = parser.screen();
        let raw = !modes.contains(LocalModes::ICANON | LocalModes::ECHO);
        let taken = [
            screen.alternate_screen(),
            raw,
            screen.hide_cursor(),
            screen.bracketed_paste(),
        ];
        assert!(taken.iter().all(|one| *one == raw), "half taken: {taken:?}");
        raw
    }

    /// Waits for the program's end; its exit code.
    ///
    /// # Panics
    /// When it does not end in time.
    pub fn code_within(&mut self, time: Duration) -> Option<i32> {
        let ended = process::ended_within(&mut self.child, time);
        let code = ended
            .unwrap_or_else(|| panic!("still runs:\n{}", self.text()))
            .code();
        // All that it wrote has been read once the last of it has.
        process::until(Duration::from_secs(5), || {
            (!self
                .screen
                .0
                .lock()
                .expect("no panic")
                .screen()
                .alternate_screen())
            .then_some(())
        });
        code
    }

    /// A picture of the screen.
    ///
    /// # Panics
    /// When the reader panicked.
    pub fn picture(&self, title: &str) -> String {
        picture(&self.screen.0.lock().expect("no panic"), title)
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn sized(terminal: impl AsFd, columns: u16, lines: u16) {
    let size = Winsize {
        ws_row: lines,
        ws_col: columns,
        ws_xpixel: 0,
        ws_ypixel: 0,
    };
    tcsetwinsize(terminal, size).expect("a size");
}

/// Takes `�` for another character on its way to the emulator, which leaves it out; terminals show it.
#[derive(Default)]
struct Replacing {
    /// The beginning of a character whose end has not come.
    begun: Vec<u8>,
}

/// What stands for `�` in the emulator: as wide, and nothing that a program writes.
const STANDS_FOR: char = '\u{e0fd}';

impl Replacing {
    fn pass(&mut self, bytes: &[u8]) -> Vec<u8> {
        let mut all = std::mem::take(&mut self.begun);
        all.extend_from_slice(bytes);
        let mut out = Vec::with_capacity(all.len());
        let mut rest = all.as_slice();
        while let [first, more @ ..] = rest {
            match rest {
                [0xef, 0xbf, 0xbd, after @ ..] => {
                    out.extend_from_slice(STANDS_FOR.encode_utf8(&mut [0; 4]).as_bytes());
                    rest = after;
                }
                [0xef] | [0xef, 0xbf] => {
                    self.begun = rest.to_vec();
                    break;
                }
                _ => {
                    out.push(*first);
                    rest = more;
                }
            }
        }
        out
    }
}

fn contents(parser: &Parser) -> String {
    parser.screen().contents().replace(STANDS_FOR, "\u{fffd}")
}

fn cells(parser: &Parser) -> impl Iterator<Item = (u16, u16, &Cell)> {
    let screen = parser.screen();
    let (lines, columns) = screen.size();
    let places = (0..lines).flat_map(move |line| (0..columns).map(move |column| (line, column)));
    places.filter_map(move |(line, column)| Some((line, column, screen.cell(line, column)?)))
}

/// Width and height of a character, in the picture's units.
const CELL: (f64, f64) = (7.83, 17.0);

/// The sixteen colours, as modern terminals have them, on a dark ground.
const COLOURS: [&str; 16] = [
    "#3b4048", "#f47067", "#8fcf6f", "#e0b25c", "#6cb6ff", "#dcbdfb", "#56c8d8", "#c9d1d9",
    "#7d8590", "#ff938a", "#a6e08a", "#f0cc80", "#96d0ff", "#e6d0ff", "#7fe0ec", "#ffffff",
];

fn colour(of: Color, otherwise: &str) -> String {
    match of {
        Color::Default => otherwise.to_owned(),
        Color::Idx(n @ 0..16) => COLOURS[usize::from(n)].to_owned(),
        // The cube of 6 by 6 by 6, and the greys after it.
        Color::Idx(n @ 16..232) => {
            let part = |n: u8| match n {
                0 => 0,
                n => 55 + 40 * n,
            };
            let n = n - 16;
            format!(
                "#{:02x}{:02x}{:02x}",
                part(n / 36),
                part(n / 6 % 6),
                part(n % 6)
            )
        }
        Color::Idx(n) => {
            let grey = 8 + 10 * (n - 232);
            format!("#{grey:02x}{grey:02x}{grey:02x}")
        }
        Color::Rgb(r, g, b) => format!("#{r:02x}{g:02x}{b:02x}"),
    }
}

fn picture(parser: &Parser, title: &str) -> String {
    let (lines, columns) = parser.screen().size();
    let (wide, high) = (
        f64::from(columns) * CELL.0 + 24.0,
        f64::from(lines) * CELL.1 + 48.0,
    );
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {wide:.0} {high:.0}\" width=\"{wide:.0}\" height=\"{high:.0}\" \
         font-family=\"ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace\" font-size=\"13\" \
         xml:space=\"preserve\" role=\"img\" aria-label=\"{}\">\n\
         <rect x=\"1\" y=\"1\" width=\"{:.0}\" height=\"{:.0}\" rx=\"8\" fill=\"#1b1f24\" stroke=\"#7d8590\" stroke-opacity=\"0.5\"/>\n\
         <text x=\"14\" y=\"21\" fill=\"#7d8590\">{}</text>\n",
        escaped(title),
        wide - 2.0,
        high - 2.0,
        escaped(title)
    );
    // Runs of characters that look the same are one piece.
    type Look = (String, String, bool, bool);
    let mut run: Option<(u16, u16, u16, Look, String)> = None;
    let mut flush = |run: &mut Option<(u16, u16, u16, Look, String)>| {
        if let Some((line, from, to, (front, back, bold, dim), text)) = run.take() {
            let (x, y) = (
                f64::from(from) * CELL.0 + 12.0,
                f64::from(line) * CELL.1 + 32.0,
            );
            let width = f64::from(to - from) * CELL.0;
            if back != GROUND {
                let _ = writeln!(
                    out,
                    "<rect x=\"{x:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"{:.1}\" fill=\"{back}\"/>",
                    CELL.1
                );
            }
            if !text.trim().is_empty() {
                let weight = if bold { " font-weight=\"700\"" } else { "" };
                let faint = if dim { " opacity=\"0.6\"" } else { "" };
                let _ = writeln!(
                    out,
                    "<text x=\"{x:.1}\" y=\"{:.1}\" fill=\"{front}\"{weight}{faint} textLength=\"{width:.1}\" lengthAdjust=\"spacingAndGlyphs\">{}</text>",
                    y + 13.0,
                    escaped(&text)
                );
            }
        }
    };
    for (line, column, cell) in cells(parser) {
        if cell.is_wide_continuation() {
            continue;
        }
        let (mut front, mut back) = (
            colour(cell.fgcolor(), "#d7dae0"),
            colour(cell.bgcolor(), GROUND),
        );
        if cell.inverse() {
            std::mem::swap(&mut front, &mut back);
        }
        let look = (front, back, cell.bold(), cell.dim());
        let text = match cell.contents() {
            "" => " ",
            text => &text.replace(STANDS_FOR, "\u{fffd}"),
        };
        let next = column + if cell.is_wide() { 2 } else { 1 };
        match &mut run {
            Some((at, _, to, like, so_far)) if *at == line && *to == column && *like == look => {
                *to = next;
                so_far.push_str(text);
            }
            _ => {
                flush(&mut run);
                run = Some((line, column, next, look, text.to_owned()));
            }
        }
    }
    flush(&mut run);
    out.push_str("</svg>\n");
    out
}

const GROUND: &str = "#1b1f24";

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('"', "&quot;")
}
