//! `vault-quick`, the program that AWS tools start to ask for credentials, and that `vault` starts to be its agent: a session that
//! is cached and good it hands out by itself, an agent it is by itself, all else it leaves to `vault`, which lies beside it. It is
//! there because of what it does not contain: to start the whole of `vault` takes longer than to answer, and what holds keys for
//! hours has no use for what talks to people and to AWS.

use std::ffi::OsString;
use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;

use crate::agent::{Agent, Ended, HeldVault, Listener, Which, daemon};
use crate::aws_files::our_process;
use crate::clock::{Clock, SystemClock};
use crate::disk::{Disk, RealDisk};
use crate::export::process as format;
use crate::log::{self, Act};
use crate::paths::{Environment, Paths};
use crate::process::{self, Hardened};
use crate::session::{Cache, Freshness, Lookup, Options, SessionKey, Warm};

/// Its file's name.
pub const QUICK: &str = "vault-quick";

/// That of the program beside it.
pub const VAULT: &str = "vault";

/// What says that the agent is not to be asked, or which vault it must be: `vault` sees to both.
const NOT_BY_THE_AGENT_ALONE: [&str; 2] = ["VAULT_NO_AGENT", "VAULT_FINGERPRINT"];

/// Answers, or becomes `vault` with the same arguments: what went wrong is looked at and told there. Gives the exit code.
pub fn main(arguments: &[OsString]) -> u8 {
    let hardened = process::harden();
    process::outlive_file_limit();
    let done = match daemon::is_asked_for(arguments) {
        true => be_agent(),
        false => answer(arguments).map(|()| 0),
    };
    done.unwrap_or_else(|| become_vault(arguments, hardened))
}

/// What `vault agent run --detached` does. None: it knows no place to listen at, or can't.
fn be_agent() -> Option<u8> {
    process::prepare_for_long();
    let environment = Environment::of_this_process();
    let paths = Paths::from_environment(&environment).ok()?;
    let listener = Listener::open(&paths, &environment).ok()?;
    let ended = daemon::serve(listener);
    Some(u8::from(!matches!(ended, Ok(Ended::Quit))))
}

/// What `vault credential-process NAME` does of this, with its log and its output. None: nothing was handed out.
fn answer(arguments: &[OsString]) -> Option<()> {
    let profile = our_process::asked_for(arguments)?;
    let environment = process::unless_started_by_us(Environment::of_this_process())?;
    if NOT_BY_THE_AGENT_ALONE.iter().any(|variable| environment.get(variable).is_some()) {
        return None;
    }
    let paths = Paths::from_environment(&environment).ok()?;
    let (agent, held) = holding(&paths)?;
    let key = session_key(&Arc::new(agent), held)?;
    let cache = Cache::new(&RealDisk, &paths.state, key);
    let now = SystemClock.now();
    let lookup = Lookup { cache: &cache, disk: &RealDisk, paths: &paths, environment: &environment, now };
    let found = lookup.find(&Options::default().slot(&profile), &Freshness::default());
    let Ok(Warm::Serve(record)) = found else { return None };
    // Its session goes to `vault exec` alone.
    if record.rung().protected {
        return None;
    }
    log::append(&RealDisk, &paths.state, now, &record.event(Act::Reused, &profile)).ok()?;
    let mut output = io::stdout();
    output.write_all(format::render(&record.credentials).as_bytes()).and_then(|()| output.flush()).ok()
}

/// An agent that holds the vault, by the path that the links lead to. To look for links takes as long as to ask, and mostly there
/// are none. Whatever stands there by now, a session is of use only with the very file that it was made by.
fn holding(paths: &Paths) -> Option<(Agent, HeldVault)> {
    let ask = |vault: &Path| Agent::holding(&paths.sockets, vault).ok();
    ask(&paths.vault)?.or_else(|| ask(&RealDisk.resolve(&paths.vault).ok()?)?)
}

/// What opens a vault's cached sessions while an agent holds it.
pub fn session_key(agent: &Arc<Agent>, held: HeldVault) -> Option<SessionKey> {
    let HeldVault { vault_id, session_recipient, name_key, .. } = held;
    let identity = agent.held(&vault_id, Which::Session);
    SessionKey::held(identity, &session_recipient, name_key, &vault_id).ok()
}

/// Comes back, with an exit code, where there is no such program.
fn become_vault(arguments: &[OsString], hardened: Hardened) -> u8 {
    let this = std::env::current_exe().unwrap_or_default();
    let vault = this.with_file_name(VAULT);
    let arguments = arguments.get(1..).unwrap_or_default();
    let error = process::hand_over(hardened, vault.as_os_str(), arguments, &Environment::of_this_process());
    // Nobody listening is no reason to end otherwise.
    let _ = write!(
        io::stderr(),
        "vault: error: `{}` can't be started: {error}\n\
         vault: hint: both programs belong into one folder; then `vault configure NAME` writes where they are\n",
        vault.to_string_lossy().escape_debug()
    );
    1
}
