//! Readers: connections that ask the same again and again, as fast as they get answers.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use memchr::memmem;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// What they got.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Got {
    /// Answers.
    pub answers: u64,
    /// Bytes of them.
    pub bytes: u64,
    /// In how many seconds.
    pub seconds: f64,
}

impl Got {
    /// Answers a second.
    pub fn rate(&self) -> f64 {
        self.answers as f64 / self.seconds
    }
}

/// Has so many connections ask for `path` for so long.
///
/// # Panics
/// When an answer is not 200.
pub async fn read(address: &str, path: &str, connections: usize, time: Duration) -> Got {
    let stop = Arc::new(AtomicBool::new(false));
    let (answers, bytes) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
    let request = format!("GET {path} HTTP/1.1\r\nHost: {address}\r\n\r\n");
    let mut readers = Vec::new();
    for _ in 0..connections {
        let stream = TcpStream::connect(address).await.expect("somebody listens");
        let (stop, answers, bytes) = (Arc::clone(&stop), Arc::clone(&answers), Arc::clone(&bytes));
        let request = request.clone();
        readers.push(tokio::spawn(async move {
            let mut stream = stream;
            let mut buf = vec![0u8; 64 << 10];
            while !stop.load(Ordering::Relaxed) {
                stream.write_all(request.as_bytes()).await.expect("sent");
                let length = answer(&mut stream, &mut buf).await;
                answers.fetch_add(1, Ordering::Relaxed);
                bytes.fetch_add(length, Ordering::Relaxed);
            }
        }));
    }
    let began = Instant::now();
    tokio::time::sleep(time).await;
    stop.store(true, Ordering::Relaxed);
    let got = Got {
        answers: answers.load(Ordering::Relaxed),
        bytes: bytes.load(Ordering::Relaxed),
        seconds: began.elapsed().as_secs_f64(),
    };
    for reader in readers {
        reader.await.expect("it read to the end");
    }
    got
}

/// Reads one answer to its end; its length.
async fn answer(stream: &mut TcpStream, buf: &mut Vec<u8>) -> u64 {
    let mut filled = 0;
    let whole = loop {
        if filled == buf.len() {
            buf.resize(buf.len() * 2, 0);
        }
        let more = stream.read(&mut buf[filled..]).await.expect("an answer");
        assert!(more > 0, "the connection ended");
        filled += more;
        if let Some(head) = memmem::find(&buf[..filled], b"\r\n\r\n") {
            assert!(
                buf.starts_with(b"HTTP/1.1 200"),
                "{}",
                String::from_utf8_lossy(&buf[..head])
            );
            let length = memmem::find(&buf[..head], b"content-length: ").map(|at| at + 16);
            let digits = length.map_or(&[][..], |at| &buf[at..head]);
            let digits = digits.iter().take_while(|byte| byte.is_ascii_digit());
            let length = digits.fold(0, |sum, byte| sum * 10 + usize::from(byte - b'0'));
            break head + 4 + length;
        }
    };
    while filled < whole {
        buf.resize(buf.len().max(whole), 0);
        let more = stream.read(&mut buf[filled..]).await.expect("the rest");
        assert!(more > 0, "the connection ended");
        filled += more;
    }
    whole as u64
}
