//! The socket that the agent listens on, and the lock that makes it the only one.

use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::fs::Mode;
use thiserror::Error;

use super::client::Agent;
use super::protocol::PROTOCOL;
use super::socket::{self, FolderError};
use crate::disk::{Disk, Folder, LOOKED_AT, Lock, LockError, RealDisk, Status};
use crate::paths::{Environment, Paths};
use crate::process;

/// An agent that was told to end needs less.
const PATIENCE: Duration = Duration::from_secs(5);

/// What systemd numbers the first socket that it hands over.
const FIRST_HANDED_OVER: i32 = 3;

#[derive(Debug, Error)]
pub enum ListenError {
    #[error("another agent runs")]
    Held { pid: Option<u32> },
    #[error("the folder of its socket can't be used: {0}")]
    Folder(#[from] FolderError),
    #[error("its lock can't be taken: {0}")]
    Lock(LockError),
    #[error("the path of its socket is too long")]
    PathTooLong,
    #[error("the socket that was handed over is none that is listened to at `{}`", .0.display())]
    HandedOver(PathBuf),
    #[error(transparent)]
    Io(#[from] io::Error),
}

pub struct Listener {
    socket: UnixListener,
    sockets: PathBuf,
    /// What stands at the socket's path since we listen there.
    place: Status,
    /// Not systemd's, which stays when we go.
    own: bool,
    /// Goes last: who waits for it finds the socket gone.
    _lock: Box<dyn Lock>,
}

impl Listener {
    /// The socket that systemd hands over, or else one of our own.
    pub fn open(paths: &Paths, environment: &Environment) -> Result<Self, ListenError> {
        let handed_over = handed_over(environment, paths)?;
        // Who handed a socket over has another agent's callers wait at it.
        let patience = if handed_over.is_some() { PATIENCE } else { LOOKED_AT };
        let lock = lock(&paths.state, patience)?;
        RealDisk.make_folder(&paths.sockets)?;
        let folder = open_folder(&paths.sockets)?;
        let own = handed_over.is_none();
        let socket = match handed_over {
            Some(socket) => socket,
            None => bind(&paths.sockets, &*folder)?,
        };
        socket.set_nonblocking(true)?;
        let place = folder.entry(&socket::socket_name(PROTOCOL))?;
        let place = place.ok_or_else(|| io::Error::from(io::ErrorKind::NotFound))?;
        Ok(Self { socket, sockets: paths.sockets.clone(), place, own, _lock: lock })
    }

    /// Whether callers still find us. A socket that was put in place of ours has another inode, or the same number again at
    /// another time.
    pub fn is_in_place(&self) -> bool {
        let found =
            open_folder(&self.sockets).ok().and_then(|folder| folder.entry(&socket::socket_name(PROTOCOL)).ok());
        found.flatten().is_some_and(|found| {
            (found.device, found.inode, found.changed) == (self.place.device, self.place.inode, self.place.changed)
        })
    }

    /// The next one who waits.
    pub fn accept(&self) -> io::Result<UnixStream> {
        let (stream, _) = self.socket.accept()?;
        stream.set_nonblocking(true)?;
        Ok(stream)
    }
}

impl AsFd for Listener {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        if self.own && self.is_in_place() {
            // One that stays is taken for what it is by the next agent, and by everybody who calls.
            let _ = open_folder(&self.sockets).map(|folder| folder.remove(&socket::socket_name(PROTOCOL)));
        }
    }
}

fn open_folder(sockets: &Path) -> Result<Box<dyn Folder>, FolderError> {
    socket::open_folder(sockets)?.ok_or(FolderError::Io(io::ErrorKind::NotFound.into()))
}

fn lock(state: &Path, patience: Duration) -> Result<Box<dyn Lock>, ListenError> {
    RealDisk.make_folder(state)?;
    RealDisk.open_folder(state)?.lock(&socket::lock_name(PROTOCOL), patience).map_err(|error| match error {
        LockError::Held { pid } => ListenError::Held { pid },
        other => ListenError::Lock(other),
    })
}

fn bind(sockets: &Path, folder: &dyn Folder) -> Result<UnixListener, ListenError> {
    let name = socket::socket_name(PROTOCOL);
    if folder.entry(&name)?.is_some() {
        // We have the lock, so no agent listens there; but systemd may, and that one is not ours to remove.
        match Agent::connect_to(sockets, &name) {
            Ok(None) => folder.remove(&name)?,
            _ => return Err(ListenError::Held { pid: None }),
        }
    }
    let path = sockets.join(&name);
    let bound = UnixListener::bind(&path).map_err(|error| match error.kind() {
        io::ErrorKind::InvalidInput => ListenError::PathTooLong,
        _ => error.into(),
    })?;
    // Nobody else could reach it before: the folder is closed to them.
    rustix::fs::chmod(&path, Mode::RUSR | Mode::WUSR).map_err(io::Error::from)?;
    Ok(bound)
}

/// The socket that systemd listened at for us, where it started us (sd_listen_fds(3)).
fn handed_over(environment: &Environment, paths: &Paths) -> Result<Option<UnixListener>, ListenError> {
    let number = |name| environment.text(name).and_then(|text| text.parse::<u32>().ok());
    if number("LISTEN_PID") != Some(std::process::id()) {
        return Ok(None);
    }
    let refused = || ListenError::HandedOver(socket::own_socket(&paths.sockets));
    if number("LISTEN_FDS") != Some(1) {
        return Err(refused());
    }
    let socket = process::take_listener(FIRST_HANDED_OVER).map_err(|_| refused())?;
    let address = socket.local_addr()?;
    // Elsewhere no caller of ours would look for it.
    let same = address.as_pathname().is_some_and(|path| same_entry(path, &paths.sockets));
    if same { Ok(Some(socket)) } else { Err(refused()) }
}

fn same_entry(path: &Path, sockets: &Path) -> bool {
    let entry = |folder: &Path, name: &str| RealDisk.open_folder(folder).ok()?.entry(name).ok()?;
    let (Some(folder), Some(name)) = (path.parent(), path.file_name().and_then(|name| name.to_str())) else {
        return false;
    };
    let (found, ours) = (entry(folder, name), entry(sockets, &socket::socket_name(PROTOCOL)));
    found.is_some() && found == ours
}
