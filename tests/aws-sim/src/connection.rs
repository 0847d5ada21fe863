//! TCP connections that can be cut in the middle of a reply.

use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use axum::extract::connect_info::Connected;
use axum::serve::{IncomingStream, Listener};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};

/// How much of the reply still goes out.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Limit {
    None,
    /// The reply's headers, and so many bytes of its body.
    Body(usize),
    Bytes(usize),
}

/// Shared by a connection and the handler of its requests.
#[derive(Clone)]
pub(crate) struct Valve(Arc<Mutex<Limit>>);

impl Valve {
    pub fn set(&self, limit: Limit) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = limit;
    }

    /// How many of `bytes` may be written; none is the end of the connection.
    fn allowance(&self, bytes: &[u8]) -> usize {
        match *self.0.lock().unwrap_or_else(PoisonError::into_inner) {
            Limit::None => bytes.len(),
            Limit::Bytes(left) => left.min(bytes.len()),
            Limit::Body(left) => (head_length(bytes) + left).min(bytes.len()),
        }
    }

    fn written(&self, bytes: &[u8], count: usize) {
        let mut limit = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *limit = match *limit {
            Limit::None => Limit::None,
            Limit::Bytes(left) => Limit::Bytes(left - count),
            Limit::Body(left) => Limit::Bytes(head_length(bytes) + left - count),
        };
    }
}

/// hyper hands over the headers in one piece, with the body behind them.
fn head_length(bytes: &[u8]) -> usize {
    bytes.windows(4).position(|window| window == b"\r\n\r\n").map_or(bytes.len(), |at| at + 4)
}

pub(crate) struct Connections(pub TcpListener);

pub(crate) struct Connection {
    stream: TcpStream,
    valve: Valve,
}

impl Listener for Connections {
    type Io = Connection;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Connection, SocketAddr) {
        let (stream, address) = Listener::accept(&mut self.0).await;
        (Connection { stream, valve: Valve(Arc::new(Mutex::new(Limit::None))) }, address)
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.0.local_addr()
    }
}

impl Connected<IncomingStream<'_, Connections>> for Valve {
    fn connect_info(stream: IncomingStream<'_, Connections>) -> Valve {
        stream.io().valve.clone()
    }
}

impl AsyncRead for Connection {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let allowance = self.valve.allowance(bytes);
        if allowance == 0 && !bytes.is_empty() {
            return Poll::Ready(Err(ErrorKind::ConnectionAborted.into()));
        }
        let poll = Pin::new(&mut self.stream).poll_write(cx, &bytes[..allowance]);
        if let Poll::Ready(Ok(count)) = poll {
            self.valve.written(bytes, count);
        }
        poll
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
