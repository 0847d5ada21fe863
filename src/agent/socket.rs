//! The agent's socket: its name, and the folder it is looked for in.

use std::io;
use std::os::unix::net::SocketAddr;
use std::path::{Path, PathBuf};

use socket2::SockAddr;

use crate::disk::{Disk, Folder, RealDisk};

use super::protocol::PROTOCOL;

/// In the folder of sockets.
pub fn socket_name(protocol: u32) -> String {
    format!("agent-{protocol}.sock")
}

/// In the state folder; held as long as the agent lives, and names its pid.
pub fn lock_name(protocol: u32) -> String {
    format!("agent-{protocol}.lock")
}

/// The protocol of the agent whose socket or lock has this name.
pub fn protocol_of(name: &str) -> Option<u32> {
    let protocol: u32 = name.strip_prefix("agent-")?.split_once('.')?.0.parse().ok()?;
    (name == socket_name(protocol) || name == lock_name(protocol)).then_some(protocol)
}

/// Where the agent of this program listens.
pub fn own_socket(sockets: &Path) -> PathBuf {
    sockets.join(socket_name(PROTOCOL))
}

/// The address of a socket; None where its path is too long. One that can't be listened at is as well not called: socket2 takes one
/// byte more than the listener does.
pub fn address(sockets: &Path, name: &str) -> Option<SockAddr> {
    let path = sockets.join(name);
    SocketAddr::from_pathname(&path).ok()?;
    SockAddr::unix(path).ok()
}

#[derive(Debug, thiserror::Error)]
pub enum FolderError {
    #[error(transparent)]
    Io(#[from] io::Error),
    #[error("others can use it")]
    Untrusted,
}

/// The folder of sockets, where there is one. Whoever else could enter it could put a socket of theirs there.
pub fn open_folder(sockets: &Path) -> Result<Option<Box<dyn Folder>>, FolderError> {
    let Some(folder) = RealDisk.open_folder_if_there(sockets)? else { return Ok(None) };
    match folder.status()?.is_private_folder() {
        true => Ok(Some(folder)),
        false => Err(FolderError::Untrusted),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn a_folder_that_others_can_enter_is_refused_and_a_missing_one_is_none() {
        let temporary = tempfile::tempdir().unwrap();
        let chmod = |mode| std::fs::set_permissions(temporary.path(), std::fs::Permissions::from_mode(mode)).unwrap();
        chmod(0o700);
        assert!(open_folder(temporary.path()).unwrap().is_some());
        for mode in [0o710, 0o701, 0o740, 0o777] {
            chmod(mode);
            assert!(matches!(open_folder(temporary.path()), Err(FolderError::Untrusted)), "{mode:o}");
        }
        assert!(open_folder(&temporary.path().join("none")).unwrap().is_none());
    }

    #[test]
    fn an_address_is_as_long_as_one_that_can_be_listened_at() {
        let temporary = tempfile::tempdir().unwrap();
        let own = temporary.path().as_os_str().len() + 1;
        let mut possible = Vec::new();
        for length in 90..120 {
            let name = "x".repeat(length - own);
            let listened = std::os::unix::net::UnixListener::bind(temporary.path().join(&name)).is_ok();
            assert_eq!(address(temporary.path(), &name).is_some(), listened, "{length}");
            possible.push(listened);
        }
        assert!(possible[0] && !possible[29]);
    }

    #[test]
    fn a_socket_and_a_lock_say_which_protocol_they_are_of() {
        assert_eq!(protocol_of(&socket_name(1)), Some(1));
        assert_eq!(protocol_of(&lock_name(12)), Some(12));
        for other in ["agent-1", "agent-x.sock", "agent-01.sock", "agent-1.sock.old", "agent-+1.lock", "other-1.sock"] {
            assert_eq!(protocol_of(other), None, "{other}");
        }
    }
}
