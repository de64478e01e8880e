//! Idempotency keys: a call that is sent again with its key is not done again, also after a restart.
//!
//! ```text
//! begin: key and a print of the call, synced ─▶ the call ─▶ end: status and answer, synced ─▶ the answer
//! ```
//!
//! The same key again: after the end the first answer comes back; before it, 409. A key whose call was under way when the director
//! was killed has no known outcome, and says so: the journal tells (`director events`). The same key for another call is refused.
//! An answer of 500 or more is not kept: the call may be tried again.
//!
//! Invariant: between a begin and its end the call is carried out at most once; at most [`KEYS_MAX`] keys are kept, the oldest go.

use std::collections::{BTreeMap, VecDeque};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::http::StatusCode;
use director_protocols::digest::Digest;
use serde::{Deserialize, Serialize};

use super::problem::Problem;
use crate::control::protocol::Answer;

/// Keys that are kept.
pub const KEYS_MAX: usize = 10_000;

/// The longest key, in bytes.
pub const KEY_BYTES_MAX: usize = 200;

/// Lines of the file, for each key that is kept, before it is written anew.
const LINES_MAX: usize = 4;

/// The file in the data directory.
const FILE: &str = "http.keys";

/// An answer as it was given.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Given {
    /// Its status.
    pub status: u16,
    /// Its body, JSON.
    pub body: String,
    /// The position that it led to.
    pub seq: u64,
}

impl Given {
    /// An answer's JSON.
    pub fn of(status: u16, answer: &Answer) -> Self {
        Self {
            status,
            body: answer.json.to_string(),
            seq: answer.seq,
        }
    }
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Line {
    key: String,
    print: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    end: Option<Given>,
    /// Its call may be made again.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    forget: bool,
}

#[derive(Debug)]
struct Kept {
    print: String,
    /// `None` while the call is under way, or when it was and nobody knows how it ended.
    end: Option<Given>,
    /// Begun by this process.
    ours: bool,
}

#[derive(Debug)]
struct Inner {
    keys: BTreeMap<String, Kept>,
    order: VecDeque<String>,
    file: File,
    lines: usize,
}

/// The keys of a data directory.
#[derive(Debug)]
pub struct Keys {
    path: PathBuf,
    inner: Mutex<Inner>,
}

/// What a key leads to.
#[derive(Debug)]
pub enum Found {
    /// Carry it out, then [`Ticket::end`].
    New(Ticket),
    /// It was answered so.
    Before(Given),
    /// It is not carried out, and why.
    No(Problem),
}

impl Keys {
    /// Reads what an earlier director kept. A line that was cut off by a crash is the last and is left out.
    ///
    /// # Errors
    /// That the file cannot be read or written.
    pub fn open(data_dir: &Path) -> io::Result<Self> {
        let path = data_dir.join(FILE);
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
            Err(error) => return Err(error),
        };
        let (mut keys, mut order) = (BTreeMap::new(), VecDeque::new());
        for line in text.lines() {
            let Ok(line) = serde_json::from_str::<Line>(line) else {
                continue;
            };
            if line.forget {
                keys.remove(&line.key);
                order.retain(|known| *known != line.key);
                continue;
            }
            let kept = Kept {
                print: line.print,
                end: line.end,
                ours: false,
            };
            if keys.insert(line.key.clone(), kept).is_none() {
                order.push_back(line.key);
            }
        }
        let file = write_anew(&path, &mut keys, &mut order)?;
        let lines = keys.len();
        Ok(Self {
            path,
            inner: Mutex::new(Inner {
                keys,
                order,
                file,
                lines,
            }),
        })
    }

    /// What the key leads to for a call with that print. Blocks until a new key is on disk.
    pub fn begin(self: &Arc<Self>, key: &str, print: &str) -> Found {
        let fits =
            (1..=KEY_BYTES_MAX).contains(&key.len()) && key.bytes().all(|b| b.is_ascii_graphic());
        if !fits {
            let why = format!(
                "`Idempotency-Key` has to be 1 to {KEY_BYTES_MAX} visible ASCII characters"
            );
            return Found::No(Problem::bad(why));
        }
        let mut inner = self.lock();
        if let Some(kept) = inner.keys.get(key) {
            let conflict = |why: &str| Problem::new(StatusCode::CONFLICT, "key_in_use", why);
            return match &kept.end {
                _ if kept.print != print => Found::No(Problem::new(
                    StatusCode::UNPROCESSABLE_ENTITY,
                    "key_reused",
                    "this `Idempotency-Key` was used for another call",
                )),
                Some(given) => Found::Before(given.clone()),
                None if kept.ours => {
                    Found::No(conflict("the call with this key is under way; ask again"))
                }
                None => Found::No(conflict(
                    "the director was stopped while it carried out the call with this key; look at the events whether it was \
                     done, and use a new key to do it again",
                )),
            };
        }
        let line = Line {
            key: key.to_owned(),
            print: print.to_owned(),
            end: None,
            forget: false,
        };
        if let Err(error) = inner.write(&line) {
            return Found::No(unwritten(&self.path, &error));
        }
        let kept = Kept {
            print: print.to_owned(),
            end: None,
            ours: true,
        };
        inner.keys.insert(key.to_owned(), kept);
        inner.order.push_back(key.to_owned());
        while inner.order.len() > KEYS_MAX
            && let Some(oldest) = inner.order.pop_front()
        {
            inner.keys.remove(&oldest);
        }
        if inner.lines > LINES_MAX * KEYS_MAX {
            let Inner { keys, order, .. } = &mut *inner;
            match write_anew(&self.path, keys, order) {
                Ok(file) => {
                    inner.file = file;
                    inner.lines = inner.keys.len();
                }
                // The old one goes on growing; what is in it stays true.
                Err(error) => tracing::warn!(%error, "idempotency keys could not be written anew"),
            }
        }
        Found::New(Ticket {
            keys: Arc::clone(self),
            key: key.to_owned(),
            print: print.to_owned(),
        })
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn unwritten(path: &Path, error: &io::Error) -> Problem {
    let why = format!(
        "`{}` cannot be written: {error}; nothing was done",
        path.display()
    );
    Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", why)
}

impl Inner {
    fn write(&mut self, line: &Line) -> io::Result<()> {
        let mut text = serde_json::to_string(line)?;
        text.push('\n');
        self.file.write_all(text.as_bytes())?;
        self.file.sync_data()?;
        self.lines += 1;
        Ok(())
    }
}

/// Writes what is kept into a new file in the place of the old one; of too many the newest.
fn write_anew(
    path: &Path,
    keys: &mut BTreeMap<String, Kept>,
    order: &mut VecDeque<String>,
) -> io::Result<File> {
    while order.len() > KEYS_MAX
        && let Some(oldest) = order.pop_front()
    {
        keys.remove(&oldest);
    }
    let beside = path.with_extension("keys.new");
    let mut file = OpenOptions::new()
        .create(true)
        .write(true)
        .truncate(true)
        .mode(0o600)
        .open(&beside)?;
    let mut text = String::new();
    for key in order.iter() {
        let Some(kept) = keys.get(key) else { continue };
        let line = Line {
            key: key.clone(),
            print: kept.print.clone(),
            end: kept.end.clone(),
            forget: false,
        };
        text += &serde_json::to_string(&line)?;
        text.push('\n');
    }
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    fs::rename(&beside, path)?;
    if let Some(dir) = path.parent() {
        File::open(dir)?.sync_all()?;
    }
    Ok(file)
}

/// A call that is to be carried out once.
#[derive(Debug)]
pub struct Ticket {
    keys: Arc<Keys>,
    key: String,
    print: String,
}

impl Ticket {
    /// Keeps the answer, on disk too. Blocks.
    pub fn end(self, given: &Given) {
        let again = given.status >= 500;
        let line = Line {
            key: self.key.clone(),
            print: self.print.clone(),
            end: (!again).then(|| given.clone()),
            forget: again,
        };
        let mut inner = self.keys.lock();
        if let Err(error) = inner.write(&line) {
            // The call was done and is answered; only after a restart its outcome is not known.
            tracing::warn!(%error, "an idempotency key could not be ended on disk");
        }
        if again {
            inner.keys.remove(&self.key);
            inner.order.retain(|known| *known != self.key);
        } else if let Some(kept) = inner.keys.get_mut(&self.key) {
            kept.end = line.end;
        }
    }
}

/// What tells one call from another: method, path, body.
pub fn print(what: &[&[u8]]) -> String {
    let mut all = Vec::new();
    for part in what {
        all.extend_from_slice(&(part.len() as u64).to_le_bytes());
        all.extend_from_slice(part);
    }
    Digest::of(&all).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn given(body: &str) -> Given {
        Given {
            status: 200,
            body: body.to_owned(),
            seq: 7,
        }
    }

    fn status(found: Found) -> u16 {
        match found {
            Found::New(_) => 0,
            Found::Before(given) => given.status,
            Found::No(problem) => problem.status().as_u16(),
        }
    }

    #[test]
    fn a_key_is_good_for_one_call_also_over_a_restart() {
        let dir = tempfile::tempdir().expect("a directory");
        let open = || Arc::new(Keys::open(dir.path()).expect("opened"));
        let keys = open();
        let Found::New(ticket) = keys.begin("a", "x") else {
            panic!("a new key")
        };
        assert_eq!(status(keys.begin("a", "x")), 409, "it is under way");
        ticket.end(&given("done"));
        let Found::New(_cut_short) = keys.begin("b", "x") else {
            panic!("a new key")
        };
        let Found::New(ticket) = keys.begin("c", "x") else {
            panic!("a new key")
        };
        ticket.end(&Given {
            status: 503,
            ..given("later")
        });
        for (when, keys) in [("before", keys), ("after a restart", open())] {
            assert!(
                matches!(keys.begin("a", "x"), Found::Before(same) if same == given("done")),
                "{when}"
            );
            assert_eq!(status(keys.begin("a", "y")), 422, "{when}: another call");
            assert_eq!(status(keys.begin("b", "x")), 409, "{when}: nobody knows");
        }
        assert_eq!(status(open().begin("c", "x")), 0, "it may be tried again");
        for bad in ["", "with space", &"k".repeat(KEY_BYTES_MAX + 1), "ü"] {
            assert_eq!(status(open().begin(bad, "x")), 400, "case {bad:?}");
        }
    }
}
