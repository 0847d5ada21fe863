//! Serves one session at an endpoint: gets the next one ahead of the end of the last, forgets what it has when the vault is locked,
//! and ends when it is told to or what it serves has ended.

use std::cell::{Cell, RefCell};
use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use std::process::ExitStatus;
use std::thread;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;

use crate::agent::Watch;
use crate::names::ProfileName;
use crate::process::{Beside, Heard, HeardSignals, leaving_no_trace};
use crate::server::holding::{self, Holding};
use crate::server::token::Token;
use crate::server::{Endpoint, Lease, Line, News, Reason, Tries, Try};
use crate::session::Record;

use super::agent_access;
use super::credential_process::at_a_terminal;
use super::failure::{Failure, Need};
use super::report::{self, Report};
use super::sign_in::{self, Purpose, SignInArgs, SignedIn};
use super::terminal;
use super::warm::{self, Outcome};
use super::world::World;

/// How often the clocks are looked at while nothing happens.
const TICK: Duration = Duration::from_secs(30);

/// What is to be served, and to whom.
pub struct Service {
    pub signed_in: SignedIn,
    pub sign_in: SignInArgs,
    pub for_containers: bool,
    /// Whether what we say may stand among the words of another program.
    pub beside: bool,
}

/// Serves until a signal comes, or until what `begin` started ends: how that ended.
pub fn serve(
    service: Service,
    world: &World,
    begin: impl FnOnce(&Endpoint) -> Result<Option<Beside>, Failure>,
) -> Result<Option<ExitStatus>, Failure> {
    // From here on there may be a terminal, and nobody who waits for a question there.
    terminal::ask_nobody();
    let mut signals = HeardSignals::listen().map_err(Failure::Serve)?;
    let token = Token::generate().map_err(Failure::Randomness)?;
    let (endpoint, line) = Endpoint::open(token, service.for_containers).map_err(Failure::Serve)?;
    let (wanted, wanting) = wishes().map_err(Failure::Serve)?;
    let (mut supplier, lease) = Supplier::new(service, line, world);
    let beside = begin(&endpoint)?;
    let clock = world.clock;
    let ended = thread::scope(|scope| {
        scope.spawn(|| endpoint.run(lease, &wanting, clock));
        let ended = supplier.supply(&mut signals, &wanted, beside.as_ref());
        // With the supplier goes the line, and with that the endpoint.
        drop(supplier);
        ended
    });
    ended.map_err(Failure::Serve)?;
    beside.map(|beside| beside.end().map_err(Failure::Serve)).transpose()
}

/// Neither end waits for the other.
fn wishes() -> io::Result<(UnixStream, UnixStream)> {
    let (wanted, wanting) = UnixStream::pair()?;
    wanted.set_nonblocking(true)?;
    wanting.set_nonblocking(true)?;
    Ok((wanted, wanting))
}

/// Who gets sessions for the endpoint.
struct Supplier<'a, 'w> {
    world: &'a World<'w>,
    profile: ProfileName,
    sign_in: SignInArgs,
    beside: bool,
    line: Line,
    /// None where the vault was opened without an agent.
    watch: Option<Watch>,
    /// While the endpoint has a session.
    holding: Option<Holding>,
    /// Whether the endpoint was given a session since it was last told to forget.
    supplied: bool,
    tries: Tries,
    why: Reason,
}

impl<'a, 'w> Supplier<'a, 'w> {
    fn new(service: Service, line: Line, world: &'a World<'w>) -> (Self, Lease) {
        let SignedIn { about, issued } = service.signed_in;
        let lease = Lease::of(&issued.record);
        let supplier = Self {
            world,
            profile: about.name,
            sign_in: service.sign_in.again(lease.ahead()),
            beside: service.beside,
            line,
            watch: agent_access::watch(world),
            holding: hold(world),
            supplied: true,
            tries: Tries::due_at(lease.due()),
            why: Reason::renewing(),
        };
        (supplier, lease)
    }

    fn supply(&mut self, signals: &mut HeardSignals, wanted: &UnixStream, beside: Option<&Beside>) -> io::Result<()> {
        loop {
            let has_ended = self.wait(signals, wanted, beside)?;
            while let Some(heard) = signals.heard() {
                match (heard, beside) {
                    (Heard::Forget, _) => self.forget(),
                    (Heard::End { signal, by_terminal: false }, Some(beside)) => beside.pass_on(signal),
                    (Heard::End { .. }, Some(_)) => {}
                    (Heard::End { .. }, None) => return Ok(()),
                }
            }
            if has_ended {
                return Ok(());
            }
            if self.watch.as_ref().is_some_and(|watch| !watch.is_held()) {
                self.forget();
            }
            let asked = drained(wanted);
            if let Some(how) = self.tries.next(asked, self.world.clock.now()) {
                self.try_for_another(how, asked);
            }
        }
    }

    /// Until something happens or a tick has passed; whether what runs beside us has ended.
    fn wait(&self, signals: &HeardSignals, wanted: &UnixStream, beside: Option<&Beside>) -> io::Result<bool> {
        let mut watched = vec![PollFd::new(signals, PollFlags::IN), PollFd::new(wanted, PollFlags::IN)];
        watched.extend(beside.map(|beside| PollFd::new(beside, PollFlags::IN)));
        watched.extend(self.watch.as_ref().map(|watch| PollFd::new(watch, PollFlags::IN)));
        let tick = Timespec::try_from(TICK).map_err(|_| io::ErrorKind::InvalidInput)?;
        match poll(&mut watched, Some(&tick)) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
        Ok(beside.is_some() && !watched[2].revents().is_empty())
    }

    fn try_for_another(&mut self, how: Try, asked: bool) {
        if self.watch.is_none() {
            self.watch = agent_access::watch(self.world);
        }
        // What signed for it is gone with the call, from the stack too.
        match leaving_no_trace(|| self.sign_in(how)) {
            Ok(Some(signed_in)) => self.hand_over(&signed_in.issued.record),
            Ok(None) if asked => self.line.tell(News::Failed(self.why.clone())),
            Ok(None) => {}
            Err(failure) => self.failed(failure, how),
        }
    }

    /// None where that takes the vault, which is not to be opened.
    fn sign_in(&self, how: Try) -> Result<Option<SignedIn>, Failure> {
        let world = &self.behind_their_back();
        let name = &self.profile;
        match how {
            Try::Fully => sign_in::sign_in(Some(name.clone()), &self.sign_in, Purpose::Renewal, world).map(Some),
            Try::WithoutTheVault => {
                let Outcome::SignedIn(signed_in) = warm::sign_in(Some(name), &self.sign_in, Purpose::Renewal, world)?
                else {
                    return Ok(None);
                };
                sign_in::tell(name, &signed_in.issued, world);
                Ok(Some(*signed_in))
            }
        }
    }

    fn hand_over(&mut self, record: &Record) {
        let lease = Lease::of(record);
        self.tries = Tries::due_at(lease.due());
        self.holding = self.holding.take().or_else(|| hold(self.world));
        self.why = Reason::renewing();
        // Who locked the vault before that was to be seen did not wait for us.
        match &self.watch {
            Some(watch) if !watch.is_held() => self.forget(),
            _ => {
                self.supplied = true;
                self.line.tell(News::Got(lease));
            }
        }
    }

    fn failed(&mut self, failure: Failure, how: Try) {
        let report = Report::of(&at_a_terminal(failure, self.profile.clone()));
        let why = report::unserved(&report);
        if why != self.why {
            self.world.warn(&report::not_renewed(&self.profile, &report));
            report.hint.iter().for_each(|hint| self.world.hint(hint));
        }
        if how == Try::Fully {
            self.tries.failed(self.world.clock.now());
        }
        self.why = why.clone();
        self.line.tell(News::Failed(why));
    }

    /// The vault was locked, or its time is over.
    fn forget(&mut self) {
        let locked = Failure::NoTerminal(Need::Unlock(self.profile.clone(), None));
        self.why = report::unserved(&Report::of(&locked));
        match std::mem::take(&mut self.supplied) {
            true => self.line.forget(self.why.clone()),
            // Both the agent and `lock` say it: whoever asked since the first word is to hear why, and not to lose the connection.
            false => self.line.tell(News::Failed(self.why.clone())),
        }
        if self.holding.is_some() {
            self.world.warn(&report::forgotten(&self.profile));
        }
        self.watch = None;
        self.tries.at_once();
        // Last: `lock` waits for it.
        self.holding = None;
    }

    /// What is said while a session is got; beside another program only what needs a person.
    fn talk(&self) -> Box<dyn Write + '_> {
        if self.beside { Box::new(io::sink()) } else { Box::new(Voice(&self.world.messages)) }
    }

    /// The same world, in which nobody is there to type anything.
    fn behind_their_back(&self) -> World<'_> {
        let world = self.world;
        // A code from the time of the start would only be refused.
        let variables = world.environment.all().filter(|(name, _)| *name != "VAULT_MFA_CODE");
        World {
            environment: variables.map(|(name, value)| (name.to_owned(), value.to_owned())).collect(),
            started_as: world.started_as.clone(),
            paths: world.paths.clone(),
            disk: world.disk,
            clock: world.clock,
            plugins: world.plugins,
            hardened: world.hardened,
            unlock: world.unlock.again(),
            held_key: world.held_key,
            agent_is_silent: Cell::new(false),
            clock_is_told: Cell::new(true),
            output: RefCell::new(Box::new(io::sink())),
            messages: RefCell::new(self.talk()),
        }
    }
}

/// A session is held from here on. Where that can't be shown, `lock` reaches this process through the agent alone.
fn hold(world: &World) -> Option<Holding> {
    let held = holding::say(world.disk, &world.paths.state);
    held.inspect_err(|error| world.warn(&report::unseen(error))).ok()
}

/// Whether anybody wished for anything.
fn drained(mut wanted: &UnixStream) -> bool {
    let mut wishes = [0; 64];
    let mut any = false;
    while wanted.read(&mut wishes).is_ok_and(|read| read > 0) {
        any = true;
    }
    any
}

/// What one world says, said in another.
struct Voice<'a, 'w>(&'a RefCell<Box<dyn Write + 'w>>);

impl Write for Voice<'_, '_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.borrow_mut().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.borrow_mut().flush()
    }
}
