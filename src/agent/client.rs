//! A connection to the agent that runs: the only way the rest of the program meets it.

use std::io::{self, Write};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use age_core::format::{FileKey, Stanza};
use socket2::{Domain, Socket, Type};
use thiserror::Error;

use super::frame::{self, Incoming};
use super::protocol::{self, HeldVault, Hello, Reply, Request, Status, Unlock, Which};
use super::socket::{self, FolderError};
use crate::process::peer_user;
use crate::store::opener::HeldIdentity;

/// An agent that has not answered by then is stopped, or is none.
const PATIENCE: Duration = Duration::from_secs(5);

/// The only kind of stanza that an identity of the agent's opens.
const X25519: &str = "X25519";

#[derive(Debug, Error)]
pub enum AgentError {
    #[error("the folder of its socket can't be used: {0}")]
    Folder(FolderError),
    #[error("the path of its socket is too long")]
    PathTooLong,
    #[error("it is another user's (uid {0})")]
    OtherUser(u32),
    #[error("it did not answer within {} s", PATIENCE.as_secs())]
    NoAnswer,
    /// It closed the connection: it ended, was locked by another caller, or could make no sense of what was asked.
    #[error("it closed the connection")]
    Closed,
    #[error("its answer makes no sense")]
    Nonsense,
    #[error(transparent)]
    Io(io::Error),
}

/// An agent of our own user that runs.
pub struct Agent {
    /// None once an exchange broke off: what came next would answer another question.
    connection: Mutex<Option<UnixStream>>,
}

impl Agent {
    /// The one that listens in this folder. None where nobody does; an error where somebody does who is not to be trusted or
    /// can't be reached.
    pub fn connect(sockets: &Path) -> Result<Option<Self>, AgentError> {
        Self::connect_to(sockets, &socket::socket_name(protocol::PROTOCOL))
    }

    /// The one whose socket has this name, of whatever version.
    pub(super) fn connect_to(sockets: &Path, name: &str) -> Result<Option<Self>, AgentError> {
        if socket::open_folder(sockets).map_err(AgentError::Folder)?.is_none() {
            return Ok(None);
        }
        let address = socket::address(sockets, name).ok_or(AgentError::PathTooLong)?;
        let socket = unconnected().map_err(AgentError::Io)?;
        if let Err(error) = socket.connect(&address) {
            return match error.kind() {
                io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused => Ok(None),
                // Its queue is full, and stayed so.
                io::ErrorKind::WouldBlock => Err(AgentError::NoAnswer),
                _ => Err(AgentError::Io(error)),
            };
        }
        let user = peer_user(&socket).map_err(AgentError::Io)?;
        if user != rustix::process::geteuid().as_raw() {
            return Err(AgentError::OtherUser(user));
        }
        Ok(Some(Self { connection: Mutex::new(Some(OwnedFd::from(socket).into())) }))
    }

    /// The one that runs, with what it holds of the vault in this place; None where it holds nothing of it either.
    pub fn holding(sockets: &Path, vault: &Path) -> Result<Option<(Self, HeldVault)>, AgentError> {
        let Some(agent) = Self::connect(sockets)? else { return Ok(None) };
        let held = agent.hello(vault)?.vault;
        Ok(held.map(|held| (agent, held)))
    }

    /// Who is there, and what of the vault in this place it holds.
    pub fn hello(&self, place: &Path) -> Result<Hello, AgentError> {
        match self.ask(&Request::Hello { place: place.into() })? {
            Reply::Hello(hello) => Ok(hello),
            _ => Err(AgentError::Nonsense),
        }
    }

    pub fn unlock(&self, unlock: Unlock) -> Result<(), AgentError> {
        self.tell(&Request::Unlock(unlock))
    }

    pub fn status(&self) -> Result<Status, AgentError> {
        match self.ask(&Request::Status)? {
            Reply::Status(status) => Ok(status),
            _ => Err(AgentError::Nonsense),
        }
    }

    /// Has it forget everything.
    pub fn lock(&self) -> Result<(), AgentError> {
        self.tell(&Request::Lock)
    }

    /// Has it forget everything and end.
    pub fn quit(&self) -> Result<(), AgentError> {
        self.tell(&Request::Quit)
    }

    /// An identity that it holds, as what opens a vault or a cached session.
    pub fn held(self: &Arc<Self>, vault_id: &str, which: Which) -> Arc<dyn HeldIdentity> {
        Arc::new(Held { agent: Arc::clone(self), vault_id: vault_id.to_owned(), which })
    }

    /// Its socket, to be watched and not read.
    pub(super) fn connection(&self) -> io::Result<OwnedFd> {
        let connection = self.connection.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(connection.as_ref().ok_or(io::ErrorKind::NotConnected)?.try_clone()?.into())
    }

    fn tell(&self, request: &Request) -> Result<(), AgentError> {
        match self.ask(request)? {
            Reply::Done => Ok(()),
            _ => Err(AgentError::Nonsense),
        }
    }

    /// One question and its answer; threads take turns.
    fn ask(&self, request: &Request) -> Result<Reply, AgentError> {
        let message = protocol::encode_request(request).and_then(|message| frame::of(&message));
        let message = message.ok_or(AgentError::Nonsense)?;
        let mut connection = self.connection.lock().unwrap_or_else(PoisonError::into_inner);
        let mut stream = connection.take().ok_or(AgentError::Closed)?;
        let reply = exchange(&mut stream, &message)?;
        *connection = Some(stream);
        Ok(reply)
    }
}

/// What is sent waits for room no longer than for an answer, and so does the connection itself.
fn unconnected() -> io::Result<Socket> {
    let socket = Socket::new(Domain::UNIX, Type::STREAM, None)?;
    socket.set_write_timeout(Some(PATIENCE))?;
    Ok(socket)
}

fn exchange(stream: &mut UnixStream, message: &[u8]) -> Result<Reply, AgentError> {
    let deadline = Instant::now() + PATIENCE;
    stream.write_all(message).map_err(broken_off)?;
    let mut incoming = Incoming::default();
    let mut timed = Timed { stream, deadline };
    let message = incoming.read(&mut timed).map_err(broken_off)?.ok_or(AgentError::NoAnswer)?;
    protocol::decode_reply(&message).ok_or(AgentError::Nonsense)
}

fn broken_off(error: io::Error) -> AgentError {
    match error.kind() {
        io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => AgentError::NoAnswer,
        io::ErrorKind::UnexpectedEof | io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionReset => AgentError::Closed,
        io::ErrorKind::InvalidData => AgentError::Nonsense,
        _ => AgentError::Io(error),
    }
}

/// A stream that is read until a point in time, however little comes at once.
struct Timed<'a> {
    stream: &'a mut UnixStream,
    deadline: Instant,
}

impl io::Read for Timed<'_> {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        let left = self.deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(io::ErrorKind::TimedOut.into());
        }
        self.stream.set_read_timeout(Some(left))?;
        self.stream.read(room)
    }
}

struct Held {
    agent: Arc<Agent>,
    vault_id: String,
    which: Which,
}

impl HeldIdentity for Held {
    fn unwrap(&self, stanzas: &[Stanza]) -> Option<FileKey> {
        let stanzas = stanzas.iter().filter(|stanza| stanza.tag == X25519).map(Into::into).collect();
        let request = Request::Unwrap { vault_id: self.vault_id.clone(), which: self.which, stanzas };
        match self.agent.ask(&request).ok()? {
            Reply::FileKey { key } => Some(FileKey::new(Box::new(*key))),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;
    use std::os::unix::net::UnixListener;
    use std::path::PathBuf;

    fn folder() -> (tempfile::TempDir, PathBuf) {
        let temporary = tempfile::tempdir().unwrap();
        let path = temporary.path().to_owned();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o700)).unwrap();
        (temporary, path)
    }

    /// Somebody who takes one request after the other and answers with these bytes, then hangs up.
    fn somebody(sockets: &Path, answers: Vec<Vec<u8>>) -> std::thread::JoinHandle<()> {
        let listener = UnixListener::bind(socket::own_socket(sockets)).unwrap();
        std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            for answer in answers {
                assert!(Incoming::default().read(&mut stream).unwrap().is_some());
                stream.write_all(&answer).unwrap();
            }
        })
    }

    fn reply(reply: &Reply) -> Vec<u8> {
        frame::of(&protocol::encode_reply(reply).unwrap()).unwrap().to_vec()
    }

    fn stanza() -> Stanza {
        Stanza { tag: X25519.to_owned(), args: vec!["a".to_owned()], body: vec![0; 32] }
    }

    #[test]
    fn where_nobody_listens_there_is_no_agent() {
        let (_temporary, path) = folder();
        assert!(Agent::connect(&path.join("none")).unwrap().is_none());
        assert!(Agent::connect(&path).unwrap().is_none());
        drop(UnixListener::bind(socket::own_socket(&path)).unwrap());
        assert!(Agent::connect(&path).unwrap().is_none(), "a socket whose agent died");
    }

    #[test]
    fn a_folder_that_others_can_enter_and_a_path_no_socket_can_have_are_errors() {
        let (_temporary, path) = folder();
        let deep = path.join("x".repeat(120));
        std::fs::create_dir(&deep).unwrap();
        std::fs::set_permissions(&deep, std::fs::Permissions::from_mode(0o700)).unwrap();
        assert!(matches!(Agent::connect(&deep), Err(AgentError::PathTooLong)));
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o750)).unwrap();
        assert!(matches!(Agent::connect(&path), Err(AgentError::Folder(FolderError::Untrusted))));
    }

    #[test]
    fn a_held_identity_gives_the_key_and_nothing_where_nobody_has_it_or_answers() {
        let (_temporary, path) = folder();
        let key = Reply::FileKey { key: zeroize::Zeroizing::new([7; 16]) };
        let somebody = somebody(&path, vec![reply(&key), reply(&Reply::None), reply(&Reply::Done)]);
        let agent = Arc::new(Agent::connect(&path).unwrap().unwrap());
        let held = agent.held("id", Which::Vault);
        let key = held.unwrap(&[stanza()]).unwrap();
        assert_eq!(secrecy::ExposeSecret::expose_secret(&key), &[7; 16]);
        assert!(held.unwrap(&[stanza()]).is_none(), "none");
        assert!(held.unwrap(&[stanza()]).is_none(), "an answer to another question");
        drop((agent, held));
        somebody.join().unwrap();
    }

    #[test]
    fn an_answer_that_makes_no_sense_ends_the_connection() {
        for nonsense in [frame::of(b"{}").unwrap().to_vec(), vec![0; 4], vec![0xff; 4]] {
            let (_temporary, path) = folder();
            let somebody = somebody(&path, vec![nonsense]);
            let agent = Agent::connect(&path).unwrap().unwrap();
            assert!(matches!(agent.lock(), Err(AgentError::Nonsense)));
            assert!(matches!(agent.lock(), Err(AgentError::Closed)));
            somebody.join().unwrap();
        }
    }

    #[test]
    fn an_agent_that_hangs_up_within_an_answer_is_told_from_one_that_confirms() {
        let (_temporary, path) = folder();
        let done = reply(&Reply::Done);
        let somebody = somebody(&path, vec![done.clone(), done[..5].to_vec()]);
        let agent = Agent::connect(&path).unwrap().unwrap();
        agent.lock().unwrap();
        assert!(matches!(agent.lock(), Err(AgentError::Closed)));
        assert!(matches!(agent.lock(), Err(AgentError::Closed)));
        somebody.join().unwrap();
    }
}
