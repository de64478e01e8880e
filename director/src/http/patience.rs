//! Patience: a connection whose other end reads nothing is cut after a while.
//!
//! An answer that nobody takes in would hold its place, its stream and what is buffered for it for ever. What is buffered
//! is bounded anyway: the system keeps so much for a connection, the server a few parts of a body.
//!
//! Elsewhere: how long and how much is [`super::limits`]'s; a client that was cut goes on with `Last-Event-ID`.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep};

/// Cuts `T` when what is to be written does not leave for so long.
#[derive(Debug)]
pub struct Patient<T> {
    inner: T,
    most: Duration,
    waiting: Option<Pin<Box<Sleep>>>,
}

impl<T> Patient<T> {
    /// Waits so long for the other end.
    pub fn new(inner: T, most: Duration) -> Self {
        Self {
            inner,
            most,
            waiting: None,
        }
    }

    /// What came of a try to write: done, still waiting, or out of patience.
    fn tried<R>(
        &mut self,
        cx: &mut Context<'_>,
        tried: Poll<io::Result<R>>,
    ) -> Poll<io::Result<R>> {
        if tried.is_ready() {
            self.waiting = None;
            return tried;
        }
        let most = self.most;
        let waiting = self
            .waiting
            .get_or_insert_with(|| Box::pin(tokio::time::sleep_until(Instant::now() + most)));
        ready!(waiting.as_mut().poll(cx));
        let why = format!("the other end has read nothing for {} s", most.as_secs());
        Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, why)))
    }
}

impl<T: AsyncRead + Unpin> AsyncRead for Patient<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_read(cx, buf)
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for Patient<T> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        let tried = Pin::new(&mut self.inner).poll_write(cx, buf);
        self.tried(cx, tried)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let tried = Pin::new(&mut self.inner).poll_write_vectored(cx, bufs);
        self.tried(cx, tried)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let tried = Pin::new(&mut self.inner).poll_flush(cx);
        self.tried(cx, tried)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let tried = Pin::new(&mut self.inner).poll_shutdown(cx);
        self.tried(cx, tried)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn who_reads_slowly_is_served_and_who_reads_nothing_is_cut() {
        let second = Duration::from_secs(1);
        let (ours, mut theirs) = tokio::io::duplex(8);
        let mut ours = Patient::new(ours, 10 * second);
        let reading = tokio::spawn(async move {
            let mut byte = [0; 8];
            for _ in 0..4 {
                tokio::time::sleep(9 * second).await;
                theirs.read_exact(&mut byte).await.expect("more");
            }
            // From here on it stays and reads nothing.
            std::future::pending::<()>().await;
            drop(theirs);
        });
        let began = Instant::now();
        ours.write_all(&[7; 40]).await.expect("it is taken in");
        assert_eq!(began.elapsed(), 36 * second);
        let cut = ours.write_all(&[7; 8]).await.expect_err("nobody reads");
        assert_eq!(cut.kind(), io::ErrorKind::TimedOut);
        assert_eq!(began.elapsed(), 46 * second);
        reading.abort();
    }
}
