//! The client: asks the director that holds a data directory.
//!
//! Invariant: every wait has an end; a director that does not answer is named with what to do.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::UnixStream;
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::time::timeout;

use super::place;
use super::protocol::{
    ANSWER_BYTES_MAX, Answer, Body, EventLine, Fault, LINE_BYTES_MAX, Op, Reply, Request, Screen,
};

/// How long an answer may take. A disk that syncs slowly takes a while.
pub const ANSWER_TIME_MAX: Duration = Duration::from_secs(60);

/// Why the director could not be asked.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// Nobody listens there.
    #[error("no director listens at `{path}`")]
    NobodyThere {
        /// The socket.
        path: PathBuf,
    },
    /// The system refused.
    #[error("could not speak to the director at `{path}`: {source}")]
    Io {
        /// The socket.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// It did not answer in time.
    #[error(
        "the director at `{path}` did not answer within {} s; `director doctor` shows who it is",
        ANSWER_TIME_MAX.as_secs()
    )]
    Silent {
        /// The socket.
        path: PathBuf,
    },
    /// It closed the connection before it answered.
    #[error("the director at `{path}` went away before it answered; ask again")]
    WentAway {
        /// The socket.
        path: PathBuf,
    },
    /// What it said makes no sense here.
    #[error(
        "the director at `{path}` answered something unknown ({what}); is it another version than this?"
    )]
    Unknown {
        /// The socket.
        path: PathBuf,
        /// What is wrong.
        what: String,
    },
    /// The request is longer than the director takes.
    #[error("the request has {bytes} bytes; a running director takes up to {LINE_BYTES_MAX}")]
    TooLong {
        /// How long it is.
        bytes: usize,
    },
    /// The director said no.
    #[error(transparent)]
    Fault(#[from] Fault),
}

/// A connection to a running director.
#[derive(Debug)]
pub struct Client {
    path: PathBuf,
    /// What orders show.
    key: Option<String>,
    read: BufReader<OwnedReadHalf>,
    write: OwnedWriteHalf,
    requests: u64,
    /// What has come of the next line, so that who stops waiting for it loses nothing.
    line: Vec<u8>,
}

impl Client {
    /// Connects to the director that holds `data_dir`.
    ///
    /// # Errors
    /// [`ClientError::NobodyThere`] when none listens; a socket file that a dead one left counts as that.
    pub async fn connect(data_dir: &Path) -> Result<Self, ClientError> {
        let path = place::find(data_dir);
        let stream = UnixStream::connect(&path).await.map_err(|source| {
            let path = path.clone();
            match source.kind() {
                // The last: no socket can be at so long a path, and none elsewhere is known.
                io::ErrorKind::NotFound
                | io::ErrorKind::NotADirectory
                | io::ErrorKind::ConnectionRefused
                | io::ErrorKind::InvalidInput => ClientError::NobodyThere { path },
                _ => ClientError::Io { path, source },
            }
        })?;
        let (read, write) = stream.into_split();
        // Who cannot read it may still ask.
        let key = std::fs::read_to_string(place::key(data_dir)).ok();
        Ok(Self {
            path,
            key: key.map(|key| key.trim().to_owned()),
            read: BufReader::new(read),
            write,
            requests: 0,
            line: Vec::new(),
        })
    }

    /// Asks, and waits for the answer.
    ///
    /// # Errors
    /// [`ClientError`]; [`ClientError::Fault`] when the director said no.
    pub async fn request(&mut self, op: Op, screen: Screen) -> Result<Answer, ClientError> {
        let id = self.send(op, screen).await?;
        let answered = timeout(ANSWER_TIME_MAX, self.reply(&id)).await;
        match answered.map_err(|_| ClientError::Silent {
            path: self.path.clone(),
        })?? {
            Body::Answer(answer) => Ok(answer),
            Body::Error(fault) => Err(fault.into()),
            Body::Event(_) => Err(self.unknown("an event")),
        }
    }

    /// Follows events from after a position on; hand what comes back to [`Client::next_event`].
    ///
    /// # Errors
    /// That the request could not be sent.
    pub async fn follow(
        &mut self,
        after: u64,
        sprint: Option<String>,
        screen: Screen,
    ) -> Result<Following, ClientError> {
        let id = self.send(Op::Events { after, sprint }, screen).await?;
        Ok(Following { id })
    }

    /// The next event of a stream; `None` once the director is gone. Whoever stops waiting loses nothing: the next call goes on.
    ///
    /// # Errors
    /// [`ClientError`]; [`ClientError::Fault`] when the director said no.
    pub async fn next_event(&mut self, of: &Following) -> Result<Option<EventLine>, ClientError> {
        match self.reply(&of.id).await {
            Ok(Body::Event(event)) => Ok(Some(event)),
            Ok(Body::Error(fault)) => Err(fault.into()),
            Ok(Body::Answer(_)) | Err(ClientError::WentAway { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    async fn send(&mut self, op: Op, screen: Screen) -> Result<Value, ClientError> {
        self.requests += 1;
        let id = json!(self.requests);
        let mut line = Request {
            id: id.clone(),
            key: self.key.clone().filter(|_| op.is_order()),
            op,
            screen,
        }
        .line();
        if line.len() > LINE_BYTES_MAX {
            return Err(ClientError::TooLong { bytes: line.len() });
        }
        line.push('\n');
        match self.write.write_all(line.as_bytes()).await {
            Ok(()) => Ok(id),
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
                // It may have said why before it hung up.
                Ok(id)
            }
            Err(error) => Err(self.failed(error)),
        }
    }

    async fn reply(&mut self, id: &Value) -> Result<Body, ClientError> {
        loop {
            let limit = (ANSWER_BYTES_MAX + 1).saturating_sub(self.line.len()) as u64;
            let read = (&mut self.read)
                .take(limit)
                .read_until(b'\n', &mut self.line)
                .await;
            let line = &self.line;
            match read {
                Ok(_) if line.ends_with(b"\n") => {}
                Ok(_) if line.len() > ANSWER_BYTES_MAX => {
                    return Err(self.unknown("too long a line"));
                }
                Ok(_) => {
                    return Err(ClientError::WentAway {
                        path: self.path.clone(),
                    });
                }
                Err(error) if error.kind() == io::ErrorKind::ConnectionReset => {
                    return Err(ClientError::WentAway {
                        path: self.path.clone(),
                    });
                }
                Err(error) => return Err(self.failed(error)),
            }
            let line = std::mem::take(&mut self.line);
            let reply: Reply =
                serde_json::from_slice(&line).map_err(|error| self.unknown(&error.to_string()))?;
            // Without an id it is about the connection itself.
            if reply.id == *id || reply.id.is_null() {
                return Ok(reply.body);
            }
        }
    }

    fn failed(&self, source: io::Error) -> ClientError {
        ClientError::Io {
            path: self.path.clone(),
            source,
        }
    }

    fn unknown(&self, what: &str) -> ClientError {
        ClientError::Unknown {
            path: self.path.clone(),
            what: what.to_owned(),
        }
    }
}

/// A stream of events that was asked for.
#[derive(Debug)]
pub struct Following {
    id: Value,
}
