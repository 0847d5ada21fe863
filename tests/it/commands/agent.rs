//! The agent as programs and people meet it: the real one, started as a command starts it.

mod lock;
mod starting;
mod strangers;
mod vaults;

use std::fs;
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use age::Recipient;
use age_core::format::{FileKey, Stanza};
use secrecy::ExposeSecret;
use vault::agent::{self, Agent, Instance, StartError, State, Unlock, Which};
use vault::paths::{Environment, Paths};
use vault::secret::IdentityText;
use vault::store::identity;
use zeroize::Zeroizing;

use super::{VAULT, error_and_hint, json};
use crate::program::{Case, Invocation, Terminal};
use crate::waiting;

/// A person with an agent, which ends with the case.
pub struct WithAgent {
    case: Case,
    pub paths: Paths,
    pub environment: Environment,
}

impl WithAgent {
    pub fn new() -> Self {
        Self::of(Case::new())
    }

    pub fn of(case: Case) -> Self {
        let variables = [("HOME", case.home()), ("XDG_DATA_HOME", "/never/given/on".into())];
        let environment: Environment = variables.into_iter().collect();
        let paths = Paths::from_environment(&environment).unwrap();
        Self { case, paths, environment }
    }

    pub fn start(&self) -> Result<Agent, StartError> {
        agent::start(Path::new(VAULT), &self.paths, &self.environment)
    }

    /// One was started, and comes to listen.
    #[track_caller]
    pub fn comes_up(&self) {
        waiting::until("the agent", || Agent::connect(&self.paths.sockets).is_ok_and(|agent| agent.is_some()));
    }

    /// A further connection.
    pub fn connect(&self) -> Agent {
        Agent::connect(&self.paths.sockets).unwrap().expect("an agent runs")
    }

    /// A command that has nothing but the agent to open the vault, and may start one.
    pub fn by_agent(&self, arguments: &[&str]) -> Invocation<'_> {
        self.case.vault(arguments).asking().without_variable("VAULT_NO_AGENT")
    }

    /// The same with the passphrase at hand in a file.
    pub fn by_passphrase(&self, arguments: &[&str]) -> Invocation<'_> {
        self.by_agent(arguments).variable("VAULT_PASSPHRASE_FILE", self.case.given("passphrase"))
    }

    pub fn socket(&self) -> PathBuf {
        self.paths.sockets.join("agent-1.sock")
    }

    /// By its lock.
    pub fn pid(&self) -> u32 {
        fs::read_to_string(self.paths.state.join("agent-1.lock")).unwrap().trim().parse().unwrap()
    }
}

impl Deref for WithAgent {
    type Target = Case;

    fn deref(&self) -> &Case {
        &self.case
    }
}

impl Drop for WithAgent {
    fn drop(&mut self) {
        // A case that failed has said so; this one must not say another thing.
        let _ = Instance::new(1, &self.paths).stop();
    }
}

/// A vault's two identities.
pub struct Identities {
    pub vault: IdentityText,
    pub session: IdentityText,
}

impl Identities {
    pub fn new() -> Self {
        Self { vault: identity::generate(), session: identity::generate() }
    }

    pub fn unlock(&self, place: &Path) -> Unlock {
        Unlock {
            place: place.into(),
            vault_id: "AAAAAAAAAAAAAAAAAAAAAA==".to_owned(),
            vault_identity: self.vault.clone(),
            session_identity: self.session.clone(),
            name_key: Zeroizing::new([7; 32]),
            idle: Duration::from_secs(900),
            max: Duration::from_secs(28_800),
            session: Duration::from_secs(43_200),
        }
    }

    /// Whether the agent opens what these are for.
    pub fn are_held(&self, agent: &Arc<Agent>, which: Which) -> bool {
        let identity = if which == Which::Vault { &self.vault } else { &self.session };
        let key = agent.held("AAAAAAAAAAAAAAAAAAAAAA==", which).unwrap(&stanzas(identity));
        assert!(key.as_ref().is_none_or(|key| key.expose_secret() == &[9; 16]));
        key.is_some()
    }
}

fn stanzas(identity: &IdentityText) -> Vec<Stanza> {
    let recipient: age::x25519::Recipient = identity::recipient(identity).unwrap().parse().unwrap();
    recipient.wrap_file_key(&FileKey::new(Box::new([9; 16]))).unwrap().0
}

#[test]
fn what_is_unlocked_opens_files_until_it_is_locked() {
    let case = WithAgent::new();
    let agent = Arc::new(case.start().unwrap());
    let (vault, identities) = (case.vault_file(), Identities::new());
    assert!(agent.hello(&vault).unwrap().vault.is_none());
    assert!(!identities.are_held(&agent, Which::Vault));
    agent.unlock(identities.unlock(&vault)).unwrap();

    let other = Arc::new(case.connect());
    let hello = other.hello(&vault).unwrap();
    assert_eq!((hello.version.to_string().as_str(), hello.pid), (env!("CARGO_PKG_VERSION"), case.pid()));
    let held = hello.vault.unwrap();
    assert_eq!((held.state, *held.name_key), (State::Unlocked, [7; 32]));
    assert_eq!(Some(held.session_recipient), identity::recipient(&identities.session));
    assert!(identities.are_held(&other, Which::Vault) && identities.are_held(&other, Which::Session));
    assert!(!Identities::new().are_held(&other, Which::Vault));

    agent.lock().unwrap();
    assert!(agent.hello(&vault).unwrap().vault.is_none());
    assert!(!identities.are_held(&Arc::new(case.connect()), Which::Session));
}

#[test]
fn the_status_shows_what_is_unlocked_and_for_how_long() {
    let case = WithAgent::new();
    let nothing = "no agent is running\nno vault is unlocked\n";
    case.run(&["agent", "status"]).succeeds().stdout("").stderr(nothing);
    assert_eq!(
        json(&case.run(&["agent", "status", "--json"])),
        serde_json::json!({"version": 1, "agent": null, "vaults": []})
    );
    let agent = case.start().unwrap();
    let process = format!("agent {}, process {}\n", env!("CARGO_PKG_VERSION"), case.pid());
    case.run(&["agent", "status"]).succeeds().stdout("").stderr(&format!("{process}no vault is unlocked\n"));

    agent.unlock(Identities::new().unlock(&case.vault_file())).unwrap();
    agent
        .unlock(Unlock { vault_id: "b".into(), session: Duration::ZERO, ..Identities::new().unlock(Path::new("/b")) })
        .unwrap();
    case.run(&["agent", "status"]).succeeds().stderr(&process).stdout(
        "VAULT                           STATE     LEFT    SESSIONS\n\
         ~/.local/share/vault/vault.age  unlocked  14 min  11 h 59 min\n\
         /b                              unlocked  14 min  14 min\n",
    );
    let status = json(&case.run(&["agent", "status", "--json"]));
    assert_eq!(status["agent"]["pid"], case.pid());
    assert_eq!(status["vaults"][0]["place"], case.vault_file().to_str().unwrap());
    assert_eq!(status["vaults"][0]["state"], "unlocked");
    assert!(status["vaults"][0]["session_left"].as_u64().is_some_and(|left| (43_100..=43_200).contains(&left)));
    assert!(status["vaults"][1]["session_left"].is_null());
}

#[test]
fn an_agent_that_was_stopped_is_gone_with_its_socket() {
    let case = WithAgent::new();
    case.run(&["agent", "stop"]).succeeds().stdout("").stderr("no agent is running\n");
    case.start().unwrap();
    case.run(&["agent", "stop"]).succeeds().stdout("").stderr("the agent ended\n");
    assert!(!case.socket().exists());
    case.run(&["agent", "stop"]).succeeds().stderr("no agent is running\n");
}

#[test]
fn a_place_is_shown_so_that_it_can_not_act_on_the_terminal() {
    let case = WithAgent::new();
    let agent = case.start().unwrap();
    agent.unlock(Identities::new().unlock(Path::new("/a\x1b[31m"))).unwrap();
    case.run(&["agent", "status"]).succeeds().stdout_has("/a\\u{1b}[31m  unlocked");
}
