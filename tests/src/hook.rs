//! A web address of the test's own: takes what is posted to it, and answers as it is told to.

use std::collections::{BTreeMap, VecDeque};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use serde_json::Value;

/// Something that was posted.
#[derive(Clone, Debug)]
pub struct Posted {
    /// The headers, by their names in lower case.
    pub headers: BTreeMap<String, String>,
    /// The body as it came.
    pub bytes: Vec<u8>,
    /// The body as text.
    pub raw: String,
    /// The body as JSON; null when it is none.
    pub body: Value,
    /// What it was answered with.
    pub status: u16,
}

#[derive(Default)]
struct Inner {
    posted: Vec<Posted>,
    answers: VecDeque<(u16, &'static str)>,
}

/// The address. It answers until the process ends.
pub struct Hook {
    port: u16,
    inner: Arc<Mutex<Inner>>,
}

impl Hook {
    /// One that gives these answers (status and body), one after the other, and the last one ever after.
    ///
    /// # Panics
    /// When there is no port.
    pub fn new(answers: &[(u16, &'static str)]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let inner = Arc::new(Mutex::new(Inner {
            posted: Vec::new(),
            answers: answers.iter().copied().collect(),
        }));
        let own = Arc::clone(&inner);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                // A connection that breaks off has posted nothing.
                let _ = serve(&stream, &own);
            }
        });
        Self { port, inner }
    }

    /// Where to post to.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}/hook", self.port)
    }

    /// What was posted so far.
    pub fn posted(&self) -> Vec<Posted> {
        let inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        inner.posted.clone()
    }

    /// Gives these answers from now on.
    pub fn answers(&self, answers: &[(u16, &'static str)]) {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        inner.answers = answers.iter().copied().collect();
    }
}

fn serve(stream: &TcpStream, inner: &Mutex<Inner>) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line)?;
    let mut headers = BTreeMap::new();
    loop {
        line.clear();
        reader.read_line(&mut line)?;
        match line.trim_end().split_once(": ") {
            Some((name, value)) => headers.insert(name.to_lowercase(), value.to_owned()),
            None => break,
        };
    }
    let length = headers.get("content-length");
    let length: usize = length.and_then(|text| text.parse().ok()).unwrap_or(0);
    let mut raw = vec![0; length];
    reader.read_exact(&mut raw)?;
    let (status, text) = {
        let mut inner = inner.lock().unwrap_or_else(PoisonError::into_inner);
        let (status, text) = match inner.answers.len() {
            0 => (200, ""),
            1 => inner.answers[0],
            _ => inner.answers.pop_front().unwrap_or((200, "")),
        };
        inner.posted.push(Posted {
            headers,
            body: serde_json::from_slice(&raw).unwrap_or_default(),
            raw: String::from_utf8_lossy(&raw).into_owned(),
            bytes: raw,
            status,
        });
        (status, text)
    };
    let mut stream = stream;
    write!(
        stream,
        "HTTP/1.1 {status} said\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{text}",
        text.len()
    )
}
