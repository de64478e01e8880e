//! HTTP as a test speaks it: bytes over a socket, so that what no client would send can be sent too.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use serde_json::Value;

use crate::contract;

/// A server that answers, and what a caller shows it.
#[derive(Clone, Debug)]
pub struct Site {
    /// `127.0.0.1:1234`.
    pub address: String,
    /// The token.
    pub token: String,
}

/// An answer.
#[derive(Clone, Debug)]
pub struct Answer {
    /// Its status.
    pub status: u16,
    /// Its headers, names in small letters.
    pub headers: Vec<(String, String)>,
    /// Its body.
    pub body: String,
}

impl Answer {
    /// The body as JSON; null when it is none.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_default()
    }

    /// A header's value; empty when it is not there.
    pub fn header(&self, name: &str) -> &str {
        let found = self.headers.iter().find(|(known, _)| known == name);
        found.map_or("", |(_, value)| value)
    }
}

impl Site {
    /// A connection.
    ///
    /// # Panics
    /// When nobody listens.
    pub fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(&self.address).expect("somebody listens");
        let patience = Some(Duration::from_secs(60));
        stream.set_read_timeout(patience).expect("a timeout");
        stream
    }

    /// Asks without a token.
    pub fn get(&self, path: &str) -> Answer {
        self.request("GET", path, &[], "")
    }

    /// Orders, with the token and a JSON body.
    pub fn post(&self, path: &str, body: &str) -> Answer {
        self.post_with(path, &[], body)
    }

    /// As [`Self::post`], with more headers.
    pub fn post_with(&self, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        let bearer = format!("Bearer {}", self.token);
        let mut all = vec![("Authorization", bearer.as_str())];
        if !body.is_empty() && !headers.iter().any(|(name, _)| *name == "Content-Type") {
            all.push(("Content-Type", "application/json"));
        }
        all.extend_from_slice(headers);
        self.request("POST", path, &all, body)
    }

    /// One request on a connection of its own.
    ///
    /// # Panics
    /// When there is no answer.
    pub fn request(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Answer {
        let mut text = format!("{method} {path} HTTP/1.1\r\n");
        if !headers.iter().any(|(name, _)| *name == "Host") {
            text += &format!("Host: {}\r\n", self.address);
        }
        for (name, value) in headers {
            text += &format!("{name}: {value}\r\n");
        }
        text += &format!(
            "Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
            body.len()
        );
        let stream = self.connect();
        (&stream).write_all(text.as_bytes()).expect("sent");
        let answer = read(&mut BufReader::new(stream));
        let answer = answer.unwrap_or_else(|error| panic!("{method} {path}: {error}"));
        contract::hold(self, method, path, &answer);
        answer
    }

    /// Opens a stream of events; `last` is the id of the last one that was heard.
    ///
    /// # Panics
    /// When it is not opened.
    pub fn events(&self, query: &str, last: Option<&str>) -> Events {
        let stream = self.connect();
        let last = last.map_or_else(String::new, |id| format!("Last-Event-ID: {id}\r\n"));
        let request = format!(
            "GET /api/v1/events{query} HTTP/1.1\r\nHost: {}\r\n{last}\r\n",
            self.address
        );
        (&stream).write_all(request.as_bytes()).expect("sent");
        let mut reader = BufReader::new(stream);
        let (status, _) = head(&mut reader).expect("a head");
        assert_eq!(status, 200, "a stream is opened");
        Events {
            reader,
            rest: String::new(),
        }
    }
}

/// Reads one answer.
///
/// # Errors
/// That the connection ended first, or that it is no answer.
pub fn read(reader: &mut impl BufRead) -> io::Result<Answer> {
    let (status, headers) = head(reader)?;
    let of = |name: &str| headers.iter().find(|(known, _)| known == name);
    let mut body = Vec::new();
    match of("content-length").and_then(|(_, text)| text.parse::<u64>().ok()) {
        Some(length) => {
            reader.take(length).read_to_end(&mut body)?;
        }
        None if of("transfer-encoding").is_some() => {
            while let Some(chunk) = chunk(reader)? {
                body.extend(chunk);
            }
        }
        None => {}
    }
    Ok(Answer {
        status,
        headers,
        body: String::from_utf8_lossy(&body).into_owned(),
    })
}

fn head(reader: &mut impl BufRead) -> io::Result<(u16, Vec<(String, String)>)> {
    let broken = |what: &str| io::Error::new(io::ErrorKind::InvalidData, what.to_owned());
    let mut line = String::new();
    reader.read_line(&mut line)?;
    let status = line.split(' ').nth(1).and_then(|text| text.parse().ok());
    let status = status.ok_or_else(|| broken(&format!("no status: {line:?}")))?;
    let mut headers = Vec::new();
    loop {
        line.clear();
        reader.read_line(&mut line)?;
        match line.trim_end().split_once(':') {
            Some((name, value)) => headers.push((name.to_lowercase(), value.trim().to_owned())),
            None if line.trim_end().is_empty() => return Ok((status, headers)),
            None => return Err(broken("a header without a colon")),
        }
    }
}

/// One chunk of a body; nothing at its end.
fn chunk(reader: &mut impl BufRead) -> io::Result<Option<Vec<u8>>> {
    let mut line = String::new();
    if reader.read_line(&mut line)? == 0 {
        return Ok(None);
    }
    let length = u64::from_str_radix(line.trim(), 16).unwrap_or(0);
    let mut bytes = Vec::new();
    reader.take(length).read_to_end(&mut bytes)?;
    line.clear();
    reader.read_line(&mut line)?;
    Ok((length > 0).then_some(bytes))
}

/// A stream of events.
pub struct Events {
    reader: BufReader<TcpStream>,
    rest: String,
}

impl Iterator for Events {
    /// An event's id and what it says.
    type Item = (String, Value);

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            while let Some((event, rest)) = self.rest.split_once("\n\n") {
                let event = event.to_owned();
                self.rest = rest.to_owned();
                let of = |name: &str| event.lines().find_map(|line| line.strip_prefix(name));
                if let (Some(id), Some(data)) = (of("id: "), of("data: ")) {
                    return Some((id.to_owned(), serde_json::from_str(data).ok()?));
                }
            }
            let bytes = chunk(&mut self.reader).ok()??;
            self.rest += &String::from_utf8_lossy(&bytes);
        }
    }
}
