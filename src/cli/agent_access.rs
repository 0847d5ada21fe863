//! The agent as the commands meet it: asked to open the vault, and given what a person has just unlocked.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use thiserror::Error;

use crate::agent::{self, Agent, AgentError, HeldVault, Place, StartError, State, Unlock, Watch, Which};
use crate::duration;
use crate::quick;
use crate::session::{SessionKey, name_key};
use crate::store::document::AgentSettings;
use crate::store::identity;
use crate::store::opener::Opener;
use crate::store::seal::UnsealError;
use crate::store::vault::{self, Key, OpenError, Opened, Vault};

use super::escape::escape;
use super::failure::Failure;
use super::own_program;
use super::world::World;

/// How long the agent holds what it is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Terms {
    /// The vault identity, since its last use.
    pub idle: Duration,
    /// The vault identity in all.
    pub max: Duration,
    /// The session identity; zero: it goes with the vault identity.
    pub session: Duration,
}

impl Terms {
    /// What the vault's settings say, else a quarter of an hour, a working day, and a long one.
    pub fn of(settings: &AgentSettings) -> Self {
        let seconds = |setting: Option<u32>, default| Duration::from_secs(setting.map_or(default, u64::from));
        Self {
            idle: seconds(settings.idle, 15 * 60),
            max: seconds(settings.max, 8 * 3600),
            session: seconds(settings.session, 12 * 3600),
        }
    }
}

/// Why the agent does not hold the vault.
#[derive(Debug, Error)]
pub enum HandOverError {
    /// What opened the vault is no age X25519 identity.
    #[error("what opened the vault can't be held")]
    NotToBeHeld,
    #[error(transparent)]
    Start(#[from] StartError),
    #[error(transparent)]
    Agent(#[from] AgentError),
}

/// An agent that runs, and what it holds of this vault.
pub struct Holding {
    agent: Arc<Agent>,
    vault: HeldVault,
}

impl Holding {
    /// What opens the vault's cached sessions.
    pub fn session_key(self) -> Option<SessionKey> {
        quick::session_key(&self.agent, self.vault)
    }

    /// To hear when it is held no more.
    fn watch(self, world: &World) -> Option<Watch> {
        Watch::new(self.agent, resolved(world), self.vault.vault_id).ok()
    }

    /// What opens the vault, while the agent has it.
    pub fn vault_opener(&self) -> Option<Opener> {
        (self.vault.state == State::Unlocked).then(|| Opener::Held(self.agent.held(&self.vault.vault_id, Which::Vault)))
    }
}

/// What the agent holds of the vault, if one runs and this command line may ask it. Trouble with it is worth a word and no
/// more: there are other ways to open a vault.
pub fn holding(world: &World) -> Option<Holding> {
    ask(world).unwrap_or_else(|error| {
        world.warn(&format!("the agent can't be asked: {}", escape(&error.to_string())));
        world.hint("`vault agent status` looks into it; `--no-agent` does without");
        None
    })
}

/// The same without a word: a cached session is looked for before the vault is, and the word follows then.
pub fn ask(world: &World) -> Result<Option<Holding>, AgentError> {
    if !world.unlock.asks_agent(world) {
        return Ok(None);
    }
    unless_silent(world)?;
    let asked = connected(world);
    world.agent_is_silent.set(matches!(asked, Err(AgentError::NoAnswer)));
    asked
}

fn connected(world: &World) -> Result<Option<Holding>, AgentError> {
    let held = Agent::holding(&world.paths.sockets, &resolved(world))?;
    Ok(held.map(|(agent, vault)| Holding { agent: Arc::new(agent), vault }))
}

/// An agent that has kept this command waiting in vain is not waited for again.
fn unless_silent(world: &World) -> Result<(), AgentError> {
    if world.agent_is_silent.get() { Err(AgentError::NoAnswer) } else { Ok(()) }
}

/// Where the agent holds the vault: what tells when it does no more.
pub fn watch(world: &World) -> Option<Watch> {
    ask(world).ok().flatten()?.watch(world)
}

/// The same for every link that leads to it.
fn resolved(world: &World) -> PathBuf {
    world.disk.resolve(&world.paths.vault).unwrap_or_else(|_| world.paths.vault.clone())
}

/// Opens the vault by what the agent holds. None where it holds nothing that opens it: what is wrong with the agent must
/// not keep the right passphrase from being tried. Once the file's key is the right one, what is wrong is the file, and nobody is
/// asked for a passphrase first.
pub fn open<'a>(world: &World<'a>, holding: &Holding) -> Result<Option<Opened<'a>>, Failure> {
    match open_by_it_alone(world, holding) {
        Err(Failure::Open(OpenError::Unseal(UnsealError::WrongIdentity | UnsealError::HeaderDamaged))) => Ok(None),
        opened => opened,
    }
}

/// The same, where nothing else will be tried.
pub fn open_by_it_alone<'a>(world: &World<'a>, holding: &Holding) -> Result<Option<Opened<'a>>, Failure> {
    let Some(opener) = holding.vault_opener() else { return Ok(None) };
    let place = world.place();
    let loaded = place.load()?;
    Ok(Some(vault::open(&place, &loaded, Key::Opener(&opener))?))
}

/// Has an agent hold what opened this vault; starts one where none runs, or only an older one.
pub fn hand_over(world: &World, vault: &Vault, terms: Terms) -> Result<(), HandOverError> {
    unless_silent(world)?;
    // Anything else, such as a key in hardware, is asked each time by its own program.
    let identity = vault.opener().identity().filter(|identity| identity::recipient(identity).is_some());
    let identity = identity.ok_or(HandOverError::NotToBeHeld)?;
    let document = vault.document();
    let agent = started(world)?;
    agent.unlock(Unlock {
        place: Place::from(&*resolved(world)),
        vault_id: document.meta.vault_id.clone(),
        vault_identity: identity.clone(),
        session_identity: document.session.identity.clone(),
        name_key: name_key(&document.session.identity),
        idle: terms.idle,
        max: terms.max,
        session: terms.session,
    })?;
    Ok(())
}

fn started(world: &World) -> Result<Agent, StartError> {
    let own = own_program::file(world).map_err(StartError::Program)?;
    let start = |program: &Path| agent::start(program, &world.paths, &world.environment);
    match own_program::quick_beside(&own, world).map(|quick| start(&quick)) {
        // One that is no agent, such as another machine's, leaves it to us.
        Some(Err(error)) if error.is_of_the_program() => start(&own),
        Some(started) => started,
        None => start(&own),
    }
}

/// After a person typed the passphrase: they need not type it again for a while, if they want that.
pub fn keep(world: &World, vault: &Vault) {
    let settings = &vault.document().settings.agent;
    if !world.unlock.may_use_agent(world) || settings.enabled == Some(false) {
        return;
    }
    let terms = Terms::of(settings);
    match hand_over(world, vault, terms) {
        Ok(()) => world.say(&format!(
            "unlocked; locks itself after {} without use, or by `vault lock`",
            duration::words(terms.idle.min(terms.max))
        )),
        Err(error) => {
            world.warn(&format!("the vault could not be kept unlocked: {}", escape(&error.to_string())));
            world.hint(match error {
                HandOverError::Start(StartError::Unreachable) => "`vault lock` ends it",
                _ => "`vault set --vault agent.enabled=false` has nobody try it",
            });
        }
    }
}
