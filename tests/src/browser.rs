//! A browser as a test drives it: headless Chromium, told what to do through a pipe in its DevTools protocol.
//!
//! Two named pipes become its descriptors 3 and 4; messages are JSON, each ended by a zero byte. So no port, no driver and no
//! client library is needed.

use std::fs::{self, File, OpenOptions};
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use rustix::fs::{CWD, FileType, Mode, mknodat};
use serde_json::{Value, json};

use crate::process;

/// Under which names Chromium is installed.
const NAMES: [&str; 4] = ["chromium", "chromium-browser", "google-chrome", "chrome"];

/// A page in a browser.
pub struct Browser {
    child: Child,
    to: File,
    from: BufReader<File>,
    session: String,
    sent: u64,
}

/// Where Chromium is, if it is on this machine.
pub fn found() -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    let dirs: Vec<PathBuf> = std::env::split_paths(&path).collect();
    let mut all = NAMES
        .iter()
        .flat_map(|name| dirs.iter().map(move |dir| dir.join(name)));
    all.find(|file| file.is_file())
}

impl Browser {
    /// Starts one with an empty page; what it needs lies in `dir`.
    ///
    /// # Panics
    /// When it does not start.
    pub fn start(program: &Path, dir: &Path) -> Self {
        let (to, from) = (dir.join("to-browser"), dir.join("from-browser"));
        for pipe in [&to, &from] {
            mknodat(CWD, pipe, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).expect("a pipe");
        }
        let child = Command::new("sh")
            .arg("-c")
            .arg(
                "exec \"$1\" --headless=new --no-sandbox --disable-gpu --no-first-run --hide-scrollbars \
                 --disable-dev-shm-usage --user-data-dir=\"$2/profile\" --remote-debugging-pipe 3<\"$3\" 4>\"$4\"",
            )
            .args(["sh".as_ref(), program.as_os_str(), dir.as_os_str(), to.as_os_str(), from.as_os_str()])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("a shell");
        // Each opens once the other side has.
        let to = OpenOptions::new().write(true).open(&to).expect("a pipe");
        let from = BufReader::new(File::open(&from).expect("a pipe"));
        let mut browser = Self {
            child,
            to,
            from,
            session: String::new(),
            sent: 0,
        };
        let made = browser.tell("Target.createTarget", json!({ "url": "about:blank" }));
        let target = json!({ "targetId": made["targetId"], "flatten": true });
        let attached = browser.tell("Target.attachToTarget", target);
        browser.session = attached["sessionId"]
            .as_str()
            .expect("a session")
            .to_owned();
        browser.tell("Page.enable", json!({}));
        browser
    }

    /// Sends a command and waits for its answer.
    ///
    /// # Panics
    /// When the browser says no, or is gone. Null is the answer of a page that was left meanwhile.
    pub fn tell(&mut self, method: &str, params: Value) -> Value {
        self.sent += 1;
        let id = self.sent;
        let mut message = json!({ "id": id, "method": method, "params": params });
        if !self.session.is_empty() {
            message["sessionId"] = json!(self.session);
        }
        let mut bytes = message.to_string().into_bytes();
        bytes.push(0);
        self.to.write_all(&bytes).expect("the browser listens");
        loop {
            let mut bytes = Vec::new();
            self.from
                .read_until(0, &mut bytes)
                .expect("the browser speaks");
            assert_eq!(bytes.pop(), Some(0), "the browser is gone");
            let said: Value = serde_json::from_slice(&bytes).expect("JSON");
            if said["id"] == id {
                // A page that was left while it was asked has nothing to say; whoever waits asks the next one.
                let left = said["error"]["message"]
                    .as_str()
                    .is_some_and(|why| why.contains("navigated or closed"));
                assert!(left || said["error"].is_null(), "{method}: {said}");
                return said["result"].clone();
            }
        }
    }

    /// Opens an address.
    pub fn open(&mut self, address: &str) {
        self.tell("Page.navigate", json!({ "url": address }));
        self.until(
            "document.readyState === 'complete'",
            Duration::from_secs(60),
        );
    }

    /// What an expression of JavaScript gives; null when it throws, as it may between two pages.
    pub fn eval(&mut self, expression: &str) -> Value {
        let params =
            json!({ "expression": expression, "returnByValue": true, "awaitPromise": true });
        let got = self.tell("Runtime.evaluate", params);
        got["result"]["value"].clone()
    }

    /// Waits until an expression is true.
    ///
    /// # Panics
    /// When it does not become so in time; with what the page says.
    pub fn until(&mut self, expression: &str, time: Duration) {
        let seen = process::until(time, || {
            (self.eval(expression) == json!(true)).then_some(())
        });
        if seen.is_none() {
            let text = self.eval("document.body.innerText");
            panic!("not within {time:?}: {expression}\nthe page says: {text}");
        }
    }

    /// The size of the window, and whether it is dark.
    pub fn screen(&mut self, width: u32, height: u32, dark: bool) {
        let size = json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600 });
        self.tell("Emulation.setDeviceMetricsOverride", size);
        let scheme = if dark { "dark" } else { "light" };
        let features = json!({ "features": [{ "name": "prefers-color-scheme", "value": scheme }] });
        self.tell("Emulation.setEmulatedMedia", features);
    }

    /// A picture of the whole page, as PNG in base64.
    pub fn picture(&mut self) -> String {
        let params = json!({ "format": "png", "captureBeyondViewport": true });
        let got = self.tell("Page.captureScreenshot", params);
        got["data"].as_str().unwrap_or_default().to_owned()
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The bytes of base64.
pub fn decoded(text: &str) -> Vec<u8> {
    let value = |c: u8| match c {
        b'A'..=b'Z' => u32::from(c - b'A'),
        b'a'..=b'z' => u32::from(c - b'a') + 26,
        b'0'..=b'9' => u32::from(c - b'0') + 52,
        b'+' => 62,
        _ => 63,
    };
    let letters: Vec<u8> = text.bytes().filter(|c| *c != b'=').collect();
    let mut out = Vec::new();
    for four in letters.chunks(4) {
        let bits =
            four.iter().fold(0u32, |bits, c| bits << 6 | value(*c)) << (6 * (4 - four.len()));
        let bytes = [(bits >> 16) as u8, (bits >> 8) as u8, bits as u8];
        out.extend_from_slice(&bytes[..four.len().saturating_sub(1)]);
    }
    out
}

/// Writes a picture.
///
/// # Panics
/// When it cannot be written.
pub fn keep(picture: &str, to: &Path) {
    fs::write(to, decoded(picture)).expect("a picture");
}
