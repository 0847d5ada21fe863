//! The agent itself: one thread that answers whoever of its own user connects.

use std::io;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;

use super::connection::Connection;
use super::frame;
use super::held::Held;
use super::listener::Listener;
use super::protocol::{self, Hello, Reply, Request, Status, WireStanza};
use super::version::Version;
use crate::clock::Moment;
use crate::process::{leaving_no_trace, peer_user};

/// How often it looks at the clocks and at its socket while nobody asks.
pub const TICK: Duration = Duration::from_secs(30);

/// Above this the one that was silent for longest has to go: who only connects must not keep others out.
const MOST_CONNECTIONS: usize = 256;

/// Before those who are connected get their turn again.
const ACCEPTED_AT_ONCE: usize = 64;

/// Why an agent ended of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// It was told to.
    Quit,
    /// Its socket is gone, or another stands there: nobody could tell it to lock any more.
    SocketGone,
}

pub struct Server {
    /// Goes first: who finds the lock free finds nothing held.
    held: Held,
    listener: Listener,
    connections: Vec<Connection>,
    tick: Duration,
}

/// What a request leads to besides its reply.
enum Then {
    GoOn,
    /// Everybody else loses the connection: servers take it for the word to forget what they hold.
    DropOthers,
    End,
}

impl Server {
    pub fn new(listener: Listener, tick: Duration) -> io::Result<Self> {
        Ok(Self { listener, held: Held::new()?, connections: Vec::new(), tick })
    }

    /// Answers until it is told to end, or its socket is gone; then nothing is held any more.
    pub fn run(mut self) -> io::Result<Ended> {
        let mut next_tick = Instant::now() + self.tick;
        loop {
            let (callers, ready) = self.wait(next_tick)?;
            let now = Instant::now();
            if now >= next_tick {
                self.held.expire(Moment::now());
                if !self.listener.is_in_place() {
                    return Ok(Ended::SocketGone);
                }
                next_tick = now + self.tick;
            }
            if self.serve(&ready, now) {
                return Ok(Ended::Quit);
            }
            self.connections.retain(|connection| !connection.is_late(now));
            if callers {
                self.accept(now)?;
            }
        }
    }

    /// Until somebody wants something or something is due: whether there are callers, and who of the connected is ready.
    fn wait(&self, next_tick: Instant) -> io::Result<(bool, Vec<bool>)> {
        let due = self.connections.iter().filter_map(|connection| connection.due).min();
        let left = due.unwrap_or(next_tick).min(next_tick).saturating_duration_since(Instant::now());
        let timeout = Timespec::try_from(left).map_err(|_| io::ErrorKind::InvalidInput)?;
        let mut watched = vec![PollFd::new(&self.listener, PollFlags::IN)];
        watched.extend(self.connections.iter().map(|connection| PollFd::new(connection, connection.awaited())));
        match poll(&mut watched, Some(&timeout)) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
        let mut ready = watched.iter().map(|watched| !watched.revents().is_empty());
        Ok((ready.next().unwrap_or(false), ready.collect()))
    }

    /// Goes on with everybody who is ready, and drops who went away. Whether this is the end.
    fn serve(&mut self, ready: &[bool], now: Instant) -> bool {
        let mut kept = Vec::with_capacity(self.connections.len());
        for (mut connection, ready) in std::mem::take(&mut self.connections).into_iter().zip(ready) {
            if !ready {
                kept.push(connection);
                continue;
            }
            match self.go_on(&mut connection, now) {
                None => {}
                Some(Then::GoOn) => kept.push(connection),
                Some(Then::DropOthers) => {
                    self.connections = vec![connection];
                    return false;
                }
                Some(Then::End) => return true,
            }
        }
        self.connections = kept;
        false
    }

    /// None is the end of this connection: it broke off, or what it asks makes no sense.
    fn go_on(&mut self, connection: &mut Connection, now: Instant) -> Option<Then> {
        let Some(message) = connection.go_on(now).ok()? else { return Some(Then::GoOn) };
        // What was asked is wiped before it is answered: whoever hears "done" may look.
        let (reply, then) = leaving_no_trace(move || {
            let request = protocol::decode_request(&message)?;
            drop(message);
            let (reply, then) = self.answer(request)?;
            Some((frame::of(&protocol::encode_reply(&reply)?)?, then))
        })?;
        connection.send(reply, now).ok()?;
        Some(then)
    }

    fn answer(&mut self, request: Request) -> Option<(Reply, Then)> {
        let now = Moment::now();
        let (version, pid) = (Version::own(), std::process::id());
        let reply = match request {
            Request::Hello { place } => Reply::Hello(Hello { version, pid, vault: self.held.hello(&place, now) }),
            Request::Unlock(unlock) => self.held.unlock(&unlock, now).map(|()| Reply::Done)?,
            Request::Unwrap { vault_id, which, stanzas } => {
                let stanzas: Vec<_> = stanzas.into_iter().map(WireStanza::into).collect();
                let key = self.held.unwrap(&vault_id, which, &stanzas, now);
                key.map_or(Reply::None, |key| Reply::FileKey { key })
            }
            Request::Status => Reply::Status(Status { version, pid, vaults: self.held.status(now) }),
            Request::Lock => {
                self.held.lock();
                return Some((Reply::Done, Then::DropOthers));
            }
            Request::Quit => {
                self.held.lock();
                return Some((Reply::Done, Then::End));
            }
        };
        Some((reply, Then::GoOn))
    }

    fn accept(&mut self, now: Instant) -> io::Result<()> {
        for _ in 0..ACCEPTED_AT_ONCE {
            match self.listener.accept() {
                Ok(stream) if peer_user(&stream).ok() == Some(rustix::process::geteuid().as_raw()) => {
                    if self.connections.len() == MOST_CONNECTIONS {
                        self.drop_the_most_silent();
                    }
                    self.connections.push(Connection::new(stream, now));
                }
                // Another user's, the administrator's too: closed without a word.
                Ok(_) => {}
                Err(error) => return self.not_accepted(error),
            }
        }
        Ok(())
    }

    fn not_accepted(&mut self, error: io::Error) -> io::Result<()> {
        let out_of_something = [Errno::MFILE, Errno::NFILE, Errno::NOBUFS, Errno::NOMEM];
        match Errno::from_io_error(&error) {
            // Whoever it was is gone again.
            Some(Errno::AGAIN | Errno::CONNABORTED | Errno::INTR) => Ok(()),
            Some(errno) if out_of_something.contains(&errno) && !self.connections.is_empty() => {
                self.drop_the_most_silent();
                Ok(())
            }
            _ => Err(error),
        }
    }

    fn drop_the_most_silent(&mut self) {
        let silent = (0..self.connections.len()).min_by_key(|at| self.connections[*at].heard);
        silent.map(|at| self.connections.swap_remove(at));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::agent::client::Agent;
    use crate::paths::{Environment, Paths};
    use std::thread::JoinHandle;

    fn paths() -> (tempfile::TempDir, Paths, Environment) {
        let home = tempfile::tempdir().unwrap();
        let environment: Environment = [("HOME", home.path().to_str().unwrap())].into_iter().collect();
        let paths = Paths::from_environment(&environment).unwrap();
        (home, paths, environment)
    }

    fn run(paths: &Paths, environment: &Environment, tick: Duration) -> JoinHandle<io::Result<Ended>> {
        let listener = Listener::open(paths, environment).unwrap();
        std::thread::spawn(move || Server::new(listener, tick)?.run())
    }

    #[test]
    fn an_agent_whose_socket_or_folder_is_gone_or_another_ends_by_itself() {
        let tick = Duration::from_millis(5);
        type Harm = fn(&Paths);
        let own = |paths: &Paths| crate::agent::socket::own_socket(&paths.sockets);
        let harms: [(&str, Harm); 4] = [
            ("socket", |paths| std::fs::remove_file(crate::agent::socket::own_socket(&paths.sockets)).unwrap()),
            ("folder", |paths| std::fs::remove_dir_all(&paths.sockets).unwrap()),
            ("moved", |paths| std::fs::rename(&paths.sockets, paths.state.join("moved")).unwrap()),
            ("another", |paths| {
                let path = crate::agent::socket::own_socket(&paths.sockets);
                std::fs::remove_file(&path).unwrap();
                std::os::unix::net::UnixListener::bind(path).unwrap();
            }),
        ];
        for (what, harm) in harms {
            let (_home, paths, environment) = paths();
            let agent = run(&paths, &environment, tick);
            let caller = Agent::connect(&paths.sockets).unwrap().unwrap();
            assert!(caller.status().is_ok());
            harm(&paths);
            assert_eq!(agent.join().unwrap().unwrap(), Ended::SocketGone, "{what}");
            assert!(caller.status().is_err());
            assert_eq!(own(&paths).exists(), what == "another", "what stands there now is not ours to remove");
        }
    }

    #[test]
    fn an_agent_that_was_told_to_end_leaves_no_socket_and_no_lock() {
        let (_home, paths, environment) = paths();
        let agent = run(&paths, &environment, TICK);
        assert!(matches!(Listener::open(&paths, &environment), Err(crate::agent::ListenError::Held { .. })));
        Agent::connect(&paths.sockets).unwrap().unwrap().quit().unwrap();
        assert_eq!(agent.join().unwrap().unwrap(), Ended::Quit);
        assert_eq!(std::fs::read_dir(&paths.sockets).unwrap().count(), 0);
        drop(Listener::open(&paths, &environment).unwrap());
    }

    #[test]
    fn a_socket_that_somebody_else_listens_at_is_left_alone() {
        let (_home, paths, environment) = paths();
        drop(Listener::open(&paths, &environment).unwrap());
        let path = crate::agent::socket::own_socket(&paths.sockets);
        let _other = std::os::unix::net::UnixListener::bind(&path).unwrap();
        let refused = Listener::open(&paths, &environment);
        assert!(matches!(refused, Err(crate::agent::ListenError::Held { pid: None })));
        assert!(path.exists());
    }
}
