//! A simulated device that says lines over TCP: a GNSS receiver behind a serial server.
//!
//! In: bytes of whole lines. Out: the same to everyone who is connected. Who is slow loses the oldest lines.

use super::LiveError;
use bytes::Bytes;
use std::net::SocketAddr;
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::broadcast;
use tokio::sync::broadcast::error::RecvError;
use tokio::task::{JoinHandle, JoinSet};

/// Batches of lines that wait for a slow reader.
const WAITING: usize = 64;
/// Readers at a time.
const MAX_READERS: usize = 16;

/// A running device; it ends when it is dropped.
#[derive(Debug)]
pub struct LineServer {
    address: SocketAddr,
    lines: broadcast::Sender<Bytes>,
    task: JoinHandle<()>,
}

impl LineServer {
    /// Listens at `listen`; port 0 takes a free one. Must be called on a tokio runtime.
    ///
    /// # Errors
    /// When the address cannot be listened on.
    pub async fn start(listen: SocketAddr) -> Result<Self, LiveError> {
        let error = |source| LiveError::Listen { what: "lines", address: listen, source };
        let listener = TcpListener::bind(listen).await.map_err(error)?;
        let address = listener.local_addr().map_err(error)?;
        let (lines, _) = broadcast::channel(WAITING);
        let task = tokio::spawn(serve(listener, lines.clone()));
        Ok(Self { address, lines, task })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Says lines, with their ends, to whoever listens.
    pub fn say(&self, lines: impl Into<Bytes>) {
        // Nobody listening is no error.
        let _ = self.lines.send(lines.into());
    }
}

impl Drop for LineServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(listener: TcpListener, lines: broadcast::Sender<Bytes>) {
    let mut readers = JoinSet::new();
    loop {
        match listener.accept().await {
            Ok((stream, peer)) => {
                while readers.try_join_next().is_some() {}
                if readers.len() < MAX_READERS {
                    readers.spawn(tell(stream, lines.subscribe()));
                } else {
                    tracing::warn!(%peer, most = MAX_READERS, "too many readers of a simulated device");
                }
            }
            Err(error) => tracing::warn!(%error, "a reader of a simulated device could not be accepted"),
        }
    }
}

async fn tell(mut stream: TcpStream, mut lines: broadcast::Receiver<Bytes>) {
    loop {
        match lines.recv().await {
            Ok(text) => {
                if stream.write_all(&text).await.is_err() {
                    return;
                }
            }
            Err(RecvError::Lagged(_)) => {}
            Err(RecvError::Closed) => return,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncBufReadExt, BufReader};

    #[tokio::test]
    async fn everyone_connected_hears_every_line() {
        let server = LineServer::start(([127, 0, 0, 1], 0).into()).await.unwrap();
        let connect = || async { BufReader::new(TcpStream::connect(server.address()).await.unwrap()).lines() };
        let mut readers = [connect().await, connect().await];
        // A connection is accepted some time after it is made.
        while server.lines.receiver_count() < 2 {
            tokio::task::yield_now().await;
        }
        server.say("$GPRMC,1\r\n$GPGGA,2\r\n");
        for reader in &mut readers {
            assert_eq!(reader.next_line().await.unwrap().unwrap(), "$GPRMC,1");
            assert_eq!(reader.next_line().await.unwrap().unwrap(), "$GPGGA,2");
        }
    }
}
