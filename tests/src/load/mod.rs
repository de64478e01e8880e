//! Load on a director that serves: the real process, real connections, and figures of both.
//!
//! ```text
//! orders ─▶ control socket ─▶ ┌──────────┐ ─▶ event streams ─▶ followers, each counting and checking
//!                             │ director │ ─▶ status ─────────▶ readers, as many answers as they can get
//!                             └──────────┘     beside it: a bare axum server with the same bytes
//! ```
//!
//! The work is some sprints whose tasks wait for a person, so that nothing happens but what is asked for: each order pauses or resumes
//! one of them, which is one record and one event.
//!
//! Elsewhere: the program that prints it all is `tests/src/bin/load.rs`; a small version is a test in `tests/tests/serve/`.

pub mod bare;
pub mod followers;
pub mod orders;
pub mod readers;

use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::Value;

use crate::http::Site;
use crate::process;

/// Long enough for anything here; nothing waits for its end.
const PATIENCE: Duration = Duration::from_secs(120);

/// A director that serves in a directory of its own.
pub struct Served {
    program: PathBuf,
    env: Vec<(String, String)>,
    dir: PathBuf,
    address: String,
    child: Child,
}

impl Served {
    /// Starts `program serve` in `dir`, with more in its environment.
    ///
    /// # Panics
    /// When it does not come up.
    pub fn start(program: &Path, env: &[(&str, &str)], dir: &Path) -> Self {
        // A port of the system's choice, so that the next incarnation can listen on the same one.
        let port = TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr());
        let address = port.expect("a port").to_string();
        let mut served = Self {
            program: program.to_owned(),
            env: env
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect(),
            dir: dir.to_owned(),
            child: spawn(program, env, dir, &address),
            address,
        };
        served.until_ready();
        served
    }

    /// Starts the next incarnation.
    ///
    /// # Panics
    /// When it does not come up.
    pub fn start_again(&mut self) {
        let env: Vec<_> = self.env.iter().map(|(n, v)| (&**n, &**v)).collect();
        self.child = spawn(&self.program, &env, &self.dir, &self.address);
        self.until_ready();
    }

    fn until_ready(&mut self) {
        let address = self.data_dir().join("http.address");
        let ready = process::until(PATIENCE, || {
            let ended = self.child.try_wait().expect("a child");
            assert!(ended.is_none(), "it ended: see {}", self.dir.display());
            let said = fs::read_to_string(&address).unwrap_or_default();
            let here = said.trim().ends_with(&self.address);
            (here && self.site().get("/readyz").status == 200).then_some(())
        });
        ready.expect("it is ready");
    }

    /// Kills it with SIGKILL, and waits for its end.
    ///
    /// # Panics
    /// When the system refuses.
    pub fn kill(&mut self) {
        self.child.kill().expect("it runs");
        self.child.wait().expect("it ended");
        let _ = fs::remove_file(self.data_dir().join("http.address"));
    }

    /// The data directory.
    pub fn data_dir(&self) -> PathBuf {
        self.dir.join(".director")
    }

    /// Where it listens.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// How to speak to it.
    pub fn site(&self) -> Site {
        let token = fs::read_to_string(self.data_dir().join("http.token")).unwrap_or_default();
        Site {
            address: self.address.clone(),
            token: token.trim().to_owned(),
        }
    }

    /// The position in the journal.
    ///
    /// # Panics
    /// When it does not say.
    pub fn position(&self) -> u64 {
        let answer = self.site().get("/api/v1/status");
        answer
            .header("director-seq")
            .parse()
            .expect("a position in the journal")
    }

    /// Submits so many sprints, each with `tasks` tasks for a person.
    ///
    /// # Panics
    /// When one is not taken.
    pub fn submit(&self, sprints: usize, tasks: usize) {
        for number in 0..sprints {
            let toml = [("Content-Type", "application/toml")];
            let text = sprint(number, tasks);
            let answer = self.site().post_with("/api/v1/sprints", &toml, &text);
            assert_eq!(answer.status, 201, "{}", answer.body);
        }
        let site = self.site();
        let running = process::until(PATIENCE, || {
            let all = site.get("/api/v1/sprints").json();
            let all = all["sprints"].as_array().cloned().unwrap_or_default();
            let going = all.iter().filter(|one| one["state"] == "running").count();
            (going == sprints).then_some(())
        });
        running.expect("all of them run");
    }

    /// The ids of all events in the journal, as the program exports them once it has been stopped.
    ///
    /// # Panics
    /// When there is no export.
    pub fn exported(&mut self) -> Vec<(u64, u64)> {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let mut command = Command::new(&self.program);
        command.args(["journal", "export", "--json"]);
        let env = self.env.iter().cloned();
        let output = command.envs(env).current_dir(&self.dir).output();
        let output = output.expect("the program starts");
        assert!(output.status.success(), "{output:?}");
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let ids = text.lines().map(|line| {
            let event: Value = serde_json::from_str(line).expect("an event");
            let number = |name: &str| event[name].as_u64().expect("a number");
            (number("seq"), number("n"))
        });
        ids.collect()
    }

    /// What it costs now.
    pub fn usage(&self) -> Usage {
        Usage::of(self.child.id())
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn spawn(program: &Path, env: &[(&str, &str)], dir: &Path, address: &str) -> Child {
    let log = fs::OpenOptions::new()
        .create(true)
        .append(true)
        .open(dir.join("log"));
    let mut command = Command::new(program);
    command
        .args(["serve", "--drain", "0", "--listen", address])
        .envs(env.iter().copied())
        .current_dir(dir)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(log.expect("a log"));
    command.spawn().expect("the program starts")
}

/// The name of a sprint.
pub fn name(number: usize) -> String {
    format!("load-{number}")
}

fn sprint(number: usize, tasks: usize) -> String {
    let mut text = format!(
        "[sprint]\nid = \"{}\"\n[team]\nonly = true\n[team.mia]\nagent = \"person\"\n",
        name(number)
    );
    for task in 0..tasks {
        text += &format!(
            "[[task]]\nid = \"task-{task}\"\ntitle = \"A thing that Mia does some day\"\nrole = \"mia\"\npoints = 3\nestimate = 4\n"
        );
    }
    text
}

/// What a process has used.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Usage {
    /// Processor time, in seconds.
    pub seconds: f64,
    /// Memory that it has now, in bytes.
    pub memory: u64,
    /// The most memory that it ever had, in bytes.
    pub memory_max: u64,
}

impl Usage {
    /// Of a process.
    pub fn of(pid: u32) -> Self {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        // The name in brackets may hold anything. Times are in hundredths of a second on every Linux.
        let fields = stat.rsplit(") ").next().unwrap_or_default();
        let ticks: u64 = fields
            .split(' ')
            .skip(11)
            .take(2)
            .filter_map(|field| field.parse::<u64>().ok())
            .sum();
        let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
        let kib = |name: &str| -> u64 {
            let line = status.lines().find_map(|line| line.strip_prefix(name));
            let number = line.and_then(|line| line.split_whitespace().next()?.parse().ok());
            number.unwrap_or(0)
        };
        Self {
            seconds: ticks as f64 / 100.0,
            memory: kib("VmRSS:") << 10,
            memory_max: kib("VmHWM:") << 10,
        }
    }
}

/// The value below which so many hundredths of the values are; nothing for none.
pub fn percentile(values: &mut [Duration], hundredths: usize) -> Duration {
    values.sort_unstable();
    let place = values.len().saturating_sub(1) * hundredths / 100;
    values.get(place).copied().unwrap_or_default()
}
