//! The port. It is this machine's alone, and nobody who connects can keep others from being answered: heads are short, clients
//! that dawdle are left, and of too many the oldest goes; first among those whose token has not been read yet.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::io::{self, Write};
use std::net::{Ipv4Addr, SocketAddr};
use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use serde_json::json;
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::oneshot;
use tokio::task::AbortHandle;
use tokio::time::timeout;

use super::desk::{Answer, Desk, News, Reason};
use super::guard::{Asked, Guard, PATH, Refusal};
use super::lease::Lease;
use super::token::Token;
use crate::clock::Clock;

/// SDKs give up after two seconds, and then ask again.
const CLIENTS_PATIENCE: Duration = Duration::from_millis(1500);

/// What an SDK sends has some 300 bytes.
const LONGEST_HEAD: usize = 8 * 1024;
const MOST_HEADERS: usize = 64;

/// From its connection to the end of its head, and to the end of its reply.
const HEAD_PATIENCE: Duration = Duration::from_secs(3);
const PATIENCE: Duration = Duration::from_secs(10);

/// Each answered in a millisecond, or left within [`PATIENCE`].
const MOST_CLIENTS: usize = 256;

/// When no more connections can be had, such as for want of descriptors.
const PAUSE: Duration = Duration::from_millis(50);

/// A port that listens, and is not answered at yet.
pub struct Endpoint {
    runtime: Runtime,
    listener: TcpListener,
    address: SocketAddr,
    guard: Arc<Guard>,
    words: UnboundedReceiver<Word>,
    line: UnboundedSender<Word>,
}

/// What is said to the desk.
enum Word {
    Question(oneshot::Sender<Answer>),
    News(News),
    /// To be told when nothing is held any more.
    Forget(Reason, SyncSender<()>),
    End,
}

/// Through which whoever gets sessions tells the endpoint of them. Its end is the endpoint's.
pub struct Line(UnboundedSender<Word>);

impl Line {
    pub fn tell(&self, news: News) {
        // An endpoint that ended has nobody to hand it to.
        let _ = self.0.send(Word::News(news));
    }

    /// Comes back when nothing is held there any more, nor on its way to a client.
    pub fn forget(&self, why: Reason) {
        let (done, forgotten) = sync_channel(1);
        let _ = self.0.send(Word::Forget(why, done));
        // An endpoint that ended holds nothing either.
        let _ = forgotten.recv();
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        let _ = self.0.send(Word::End);
    }
}

impl Endpoint {
    /// At a port that the system chooses: one that is known beforehand, another user could take first.
    pub fn open(token: Token, for_containers: bool) -> io::Result<(Self, Line)> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_io().enable_time().build()?;
        let listener = runtime.block_on(TcpListener::bind((Ipv4Addr::LOCALHOST, 0)))?;
        let address = listener.local_addr()?;
        let guard = Arc::new(Guard::new(address, for_containers, token));
        let (line, words) = unbounded_channel();
        Ok((Self { runtime, listener, address, guard, words, line: line.clone() }, Line(line)))
    }

    pub fn url(&self) -> String {
        format!("http://{}{PATH}", self.address)
    }

    pub fn token(&self) -> &Token {
        self.guard.token()
    }

    /// Answers until the line ends. A byte goes to `wanting` whenever another session should be got.
    pub fn run(self, lease: Lease, wanting: &UnixStream, clock: &dyn Clock) {
        let Self { runtime, listener, guard, words, line, .. } = self;
        let clients = Clients::default();
        runtime.block_on(async {
            tokio::spawn(accept(listener, guard, line, clients.clone()));
            attend(words, Desk::new(lease), &clients, wanting, clock).await;
        });
        // With the runtime go all connections, and what was on its way to them.
    }
}

/// The connections that are being served, the oldest first.
#[derive(Clone, Default)]
struct Clients(Arc<Mutex<VecDeque<Client>>>);

struct Client {
    served: AbortHandle,
    is_admitted: Admitted,
}

/// Whether a client has shown the token.
type Admitted = Arc<AtomicBool>;

impl Clients {
    fn add(&self, client: Client) {
        let mut clients = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        clients.retain(|client| !client.served.is_finished());
        if clients.len() == MOST_CLIENTS {
            let stranger = clients.iter().position(|client| !client.is_admitted.load(Ordering::Relaxed));
            clients.remove(stranger.unwrap_or(0)).iter().for_each(|client| client.served.abort());
        }
        clients.push_back(client);
    }

    /// What was about to be sent to them goes with them.
    async fn drop_all(&self) {
        let clients = std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        clients.iter().for_each(|client| client.served.abort());
        while clients.iter().any(|client| !client.served.is_finished()) {
            tokio::task::yield_now().await;
        }
    }
}

async fn attend(
    mut words: UnboundedReceiver<Word>,
    mut desk: Desk<oneshot::Sender<Answer>>,
    clients: &Clients,
    mut wanting: &UnixStream,
    clock: &dyn Clock,
) {
    // Who is answered may have gone.
    let answer = |(client, answer): (oneshot::Sender<Answer>, Answer)| drop(client.send(answer));
    while let Some(word) = words.recv().await {
        let now = clock.now();
        match word {
            Word::Question(client) => {
                desk.ask(client, now).into_iter().for_each(answer);
                if desk.wants_another(now) {
                    // Whoever has not read the last byte yet will look anyway.
                    let _ = wanting.write(b"!");
                }
            }
            Word::News(news) => desk.hear(news, now).into_iter().for_each(answer),
            Word::Forget(why, done) => {
                desk.forget(why, now).into_iter().for_each(answer);
                clients.drop_all().await;
                let _ = done.send(());
            }
            Word::End => return,
        }
    }
}

async fn accept(listener: TcpListener, guard: Arc<Guard>, line: UnboundedSender<Word>, clients: Clients) {
    loop {
        match listener.accept().await {
            Ok((stream, peer)) => {
                let is_admitted = Admitted::default();
                let served = serve(stream, peer, Arc::clone(&guard), line.clone(), Arc::clone(&is_admitted));
                let served = tokio::spawn(timeout(PATIENCE, served)).abort_handle();
                clients.add(Client { served, is_admitted });
            }
            Err(_) => tokio::time::sleep(PAUSE).await,
        }
    }
}

/// One request: with the connection goes its memory, in which the credentials stood.
async fn serve(
    stream: TcpStream,
    peer: SocketAddr,
    guard: Arc<Guard>,
    line: UnboundedSender<Word>,
    is_admitted: Admitted,
) {
    let service = service_fn(|request| {
        let (guard, line, is_admitted) = (Arc::clone(&guard), line.clone(), Arc::clone(&is_admitted));
        async move {
            if let Err(refusal) = admitted(&request, peer, &guard) {
                return Ok::<_, Infallible>(refused(&refusal));
            }
            is_admitted.store(true, Ordering::Relaxed);
            Ok(answer(&line).await)
        }
    });
    let connection = http1::Builder::new()
        .keep_alive(false)
        .max_buf_size(LONGEST_HEAD)
        .max_headers(MOST_HEADERS)
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_PATIENCE)
        .serve_connection(TokioIo::new(stream), service);
    // A client that went away, or made no sense, hears no more.
    let _ = connection.await;
}

async fn answer(line: &UnboundedSender<Word>) -> Response<Full<Bytes>> {
    let (client, answer) = oneshot::channel();
    // Where nobody hears it any more, the answer does not come either.
    let _ = line.send(Word::Question(client));
    match timeout(CLIENTS_PATIENCE, answer).await {
        Ok(Ok(Answer::Credentials(document))) => response(StatusCode::OK, document),
        Ok(Ok(Answer::Wanting(reason))) => wanting(&reason),
        Ok(Err(_)) | Err(_) => wanting(&Reason::renewing()),
    }
}

fn admitted(request: &Request<Incoming>, peer: SocketAddr, guard: &Guard) -> Result<(), Refusal> {
    let headers: Vec<(&str, &[u8])> =
        request.headers().iter().map(|(name, value)| (name.as_str(), value.as_bytes())).collect();
    let (peer, target) = (peer.ip(), request.uri().to_string());
    guard.admit(&Asked { peer, method: request.method().as_str(), target: &target, headers: &headers })
}

fn refused(refusal: &Refusal) -> Response<Full<Bytes>> {
    let status = StatusCode::from_u16(refusal.status()).unwrap_or(StatusCode::FORBIDDEN);
    let mut response = response(status, told(refusal.code(), &refusal.to_string()));
    if *refusal == Refusal::Method {
        response.headers_mut().insert(ALLOW, HeaderValue::from_static("GET"));
    }
    response
}

fn wanting(reason: &Reason) -> Response<Full<Bytes>> {
    response(StatusCode::SERVICE_UNAVAILABLE, told(reason.code, &reason.message))
}

/// As the SDKs read errors of such an endpoint.
fn told(code: &str, message: &str) -> String {
    json!({ "code": code, "message": message }).to_string()
}

fn response(status: StatusCode, body: String) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from(body)));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Who was told to end has done so.
    async fn all_had_a_turn() {
        for _ in 0..4 * MOST_CLIENTS {
            tokio::task::yield_now().await;
        }
    }

    #[test]
    fn of_too_many_clients_those_stay_that_have_shown_the_token() {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let clients = Clients::default();
            let connect = |is_admitted: bool| {
                let served = tokio::spawn(std::future::pending::<()>()).abort_handle();
                clients.add(Client { served: served.clone(), is_admitted: Arc::new(is_admitted.into()) });
                served
            };
            let (own, stranger) = (connect(true), connect(false));
            for _ in 2..MOST_CLIENTS {
                connect(false);
            }
            connect(false);
            all_had_a_turn().await;
            assert_eq!((own.is_finished(), stranger.is_finished()), (false, true));
            for _ in 0..2 * MOST_CLIENTS {
                connect(true);
            }
            all_had_a_turn().await;
            assert!(own.is_finished(), "among its like the oldest goes");
        });
    }
}
