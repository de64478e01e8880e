//! Followers: event streams whose every event is counted and checked, and some that read nothing.
//!
//! A follower that is cut off, by a kill or for being slow, comes back with `Last-Event-ID`.

use std::io;
use std::time::{Duration, Instant};

use memchr::{memchr, memmem};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// What one of them heard.
#[derive(Clone, Debug, Default)]
pub struct Heard {
    /// Events.
    pub events: u64,
    /// The last one.
    pub last: (u64, u64),
    /// A number that stands for all of them in their order.
    pub print: u64,
    /// How often it had to come back.
    pub returns: u32,
    /// When each position was heard first, where that is wanted.
    pub times: Vec<(u64, Instant)>,
    /// Events that came before one that had been heard.
    pub disorder: u64,
}

impl Heard {
    fn hear(&mut self, id: (u64, u64), timed: bool) {
        self.disorder += u64::from(id <= self.last);
        if timed && id.0 > self.last.0 {
            self.times.push((id.0, Instant::now()));
        }
        self.last = id;
        self.events += 1;
        self.print = print(self.print, id);
    }

    /// Whether it heard exactly these, in their order.
    pub fn is(&self, ids: &[(u64, u64)]) -> bool {
        self.disorder == 0
            && self.events == ids.len() as u64
            && self.print == ids.iter().fold(0, |sum, id| print(sum, *id))
    }
}

fn print(sum: u64, (seq, n): (u64, u64)) -> u64 {
    (sum ^ (seq << 16 | n)).wrapping_mul(0x0100_0000_01b3)
}

/// Followers at work.
pub struct Followers {
    end: watch::Sender<u64>,
    all: Vec<JoinHandle<Heard>>,
}

/// Has so many follow what comes after a position; every so many-th notes when it hears what.
pub fn follow(address: &str, count: usize, after: u64, timed_every: usize) -> Followers {
    let (end, until) = watch::channel(u64::MAX);
    let all = (0..count).map(|number| {
        let (address, until) = (address.to_owned(), until.clone());
        tokio::spawn(follower(address, after, until, number % timed_every == 0))
    });
    Followers {
        all: all.collect(),
        end,
    }
}

impl Followers {
    /// Lets each follow until it has heard this position; what they heard.
    ///
    /// # Panics
    /// When one broke down, or does not get there.
    pub async fn end(self, position: u64) -> Vec<Heard> {
        self.end.send_replace(position);
        let mut heard = Vec::new();
        for one in self.all {
            let one = tokio::time::timeout(Duration::from_secs(120), one).await;
            heard.push(one.expect("it gets there").expect("it follows to the end"));
        }
        heard
    }
}

async fn follower(
    address: String,
    after: u64,
    mut until: watch::Receiver<u64>,
    timed: bool,
) -> Heard {
    let mut heard = Heard {
        last: (after, u64::MAX),
        ..Heard::default()
    };
    loop {
        let last = (heard.events > 0).then_some(heard.last);
        // Whatever ends a stream, a new one goes on.
        let _ = listen(&address, after, last, &mut until, &mut heard, timed).await;
        if heard.last.0 >= *until.borrow() {
            return heard;
        }
        heard.returns += 1;
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

async fn open(
    stream: &mut TcpStream,
    address: &str,
    after: u64,
    last: Option<(u64, u64)>,
) -> io::Result<()> {
    let last = last.map_or_else(String::new, |(seq, n)| {
        format!("Last-Event-ID: {seq}.{n}\r\n")
    });
    let request =
        format!("GET /api/v1/events?after={after} HTTP/1.1\r\nHost: {address}\r\n{last}\r\n");
    stream.write_all(request.as_bytes()).await
}

async fn listen(
    address: &str,
    after: u64,
    last: Option<(u64, u64)>,
    until: &mut watch::Receiver<u64>,
    heard: &mut Heard,
    timed: bool,
) -> io::Result<()> {
    let mut stream = TcpStream::connect(address).await?;
    open(&mut stream, address, after, last).await?;
    let mut text = Text::default();
    let mut buf = vec![0u8; 32 << 10];
    loop {
        if heard.last.0 >= *until.borrow_and_update() {
            return Ok(());
        }
        let read = tokio::select! {
            biased;
            read = stream.read(&mut buf) => read?,
            _ = until.changed() => continue,
        };
        if read == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        text.take(&buf[..read], |id| heard.hear(id, timed))?;
    }
}

/// Takes chunks and events apart as they come.
#[derive(Default)]
struct Text {
    raw: Vec<u8>,
    /// What is left of the chunk that has begun; nothing before the head has been read.
    chunk: Option<usize>,
    events: Vec<u8>,
}

impl Text {
    fn take(&mut self, bytes: &[u8], mut hear: impl FnMut((u64, u64))) -> io::Result<()> {
        let broken = |what: &'static str| io::Error::new(io::ErrorKind::InvalidData, what);
        self.raw.extend_from_slice(bytes);
        let mut at = 0;
        loop {
            let rest = &self.raw[at..];
            match self.chunk {
                None => {
                    let Some(head) = memmem::find(rest, b"\r\n\r\n") else {
                        break;
                    };
                    if !rest.starts_with(b"HTTP/1.1 200") {
                        return Err(broken("it is not opened"));
                    }
                    at += head + 4;
                    self.chunk = Some(0);
                }
                Some(0) => {
                    let Some(end) = memmem::find(rest, b"\r\n") else {
                        break;
                    };
                    let digits = std::str::from_utf8(&rest[..end]).unwrap_or_default();
                    let length = usize::from_str_radix(digits, 16);
                    let length = length.map_err(|_| broken("no length of a chunk"))?;
                    if length == 0 {
                        return Err(io::ErrorKind::UnexpectedEof.into());
                    }
                    at += end + 2;
                    // With the line's end behind it.
                    self.chunk = Some(length + 2);
                }
                Some(left) => {
                    let now = left.min(rest.len());
                    if now == 0 {
                        break;
                    }
                    let text = now.min(left.saturating_sub(2));
                    self.events.extend_from_slice(&rest[..text]);
                    at += now;
                    self.chunk = Some(left - now);
                }
            }
        }
        self.raw.drain(..at);
        let mut done = 0;
        loop {
            let rest = &self.events[done..];
            let line = |from: usize| memchr(b'\n', &rest[from..]).map(|length| from + length);
            let Some(first) = line(0) else { break };
            let Some(id) = rest[..first].strip_prefix(b"id: ") else {
                // A comment, or how soon to come back.
                done += first + 1;
                continue;
            };
            let Some(second) = line(first + 1) else { break };
            let dot = memchr(b'.', id).ok_or_else(|| broken("no id"))?;
            let number = |digits: &[u8]| {
                let add = |sum: u64, digit: &u8| sum * 10 + u64::from(digit - b'0');
                digits.iter().fold(0, add)
            };
            if !rest[first + 1..second].starts_with(b"data: {") {
                return Err(broken("an id without an event"));
            }
            hear((number(&id[..dot]), number(&id[dot + 1..])));
            done += second + 1;
        }
        self.events.drain(..done);
        Ok(())
    }
}

/// Opens so many streams from the beginning that nobody ever reads.
///
/// # Errors
/// That one could not be opened.
pub async fn read_nothing(address: &str, count: usize) -> io::Result<Vec<TcpStream>> {
    let mut all = Vec::new();
    for _ in 0..count {
        let socket = TcpSocket::new_v4()?;
        socket.set_recv_buffer_size(4 << 10)?;
        let place = address
            .parse()
            .map_err(|_| io::Error::other("no address"))?;
        let mut stream = socket.connect(place).await?;
        open(&mut stream, address, 0, None).await?;
        all.push(stream);
    }
    Ok(all)
}

/// How many of these the other side has cut by now.
pub async fn cut(streams: Vec<TcpStream>) -> usize {
    let mut cut = 0;
    for mut stream in streams {
        let mut buf = vec![0u8; 64 << 10];
        let read = async {
            loop {
                match stream.read(&mut buf).await {
                    Ok(0) | Err(_) => return,
                    Ok(_) => {}
                }
            }
        };
        let ended = tokio::time::timeout(Duration::from_millis(200), read).await;
        cut += usize::from(ended.is_ok());
    }
    cut
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_is_taken_apart_wherever_it_is_cut() {
        let events = ["retry: 1000\n\n", "id: 7.0\ndata: {\"a\": 1}\n\nid: 7.1\n"];
        let rest = ["data: {}\n\n: alive\n\n", "id: 12.0\ndata: {}\n\n"];
        let mut raw = "HTTP/1.1 200 OK\r\nx: y\r\n\r\n".to_owned();
        for chunk in events.iter().chain(&rest) {
            raw += &format!("{:x}\r\n{chunk}\r\n", chunk.len());
        }
        for at in 1..raw.len() {
            let (mut text, mut ids) = (Text::default(), Vec::new());
            for part in raw.as_bytes().chunks(at) {
                text.take(part, |id| ids.push(id)).expect("a stream");
            }
            assert_eq!(ids, [(7, 0), (7, 1), (12, 0)], "cut every {at} bytes");
        }
    }

    #[test]
    fn what_is_missing_twice_or_late_is_noticed() {
        let ids = [(1, 0), (2, 0), (2, 1), (3, 0)];
        for (case, heard, right) in [
            ("all", vec![0, 1, 2, 3], true),
            ("one missing", vec![0, 1, 3], false),
            ("one twice", vec![0, 1, 1, 2, 3], false),
            ("disorder", vec![0, 2, 1, 3], false),
        ] {
            let mut one = Heard::default();
            for place in heard {
                let id: (u64, u64) = ids[place];
                one.hear(id, false);
            }
            assert_eq!(one.is(&ids), right, "case: {case}");
        }
    }
}
