//! The real program, and an agent that holds what opens the sessions.

use std::fs;
use std::time::Duration;

use vault::agent::{Agent, Unlock};
use vault::session::name_key;

use super::{GET, Warm};
use crate::commands::error_and_hint;
use crate::program::{Case, Output, Running};
use crate::waiting;
/// An agent of this case, which holds what opens its vault's sessions. The variables lead to it.
pub struct WithAgent<'a> {
    case: &'a Case,
    agent: Option<Running<'a>>,
}

impl<'a> WithAgent<'a> {
    /// Sessions only.
    pub fn start(warm: &'a Warm) -> Self {
        Self::holding(warm, Duration::ZERO)
    }

    /// With what opens the vault too.
    pub fn unlocked(warm: &'a Warm) -> Self {
        Self::holding(warm, Duration::from_secs(900))
    }

    fn holding(warm: &'a Warm, vault_for: Duration) -> Self {
        let case = &warm.case;
        let agent = case.vault(&["agent", "run"]).asking().without_variable("VAULT_NO_AGENT").start();
        let sockets = case.home().join(".local/state/vault/run");
        let connected = waiting::until_some("the agent", || Agent::connect(&sockets).unwrap());
        let session_identity = warm.document.session.identity.clone();
        connected
            .unlock(Unlock {
                place: case.vault_file().as_path().into(),
                vault_id: warm.document.meta.vault_id.clone(),
                vault_identity: case.recovery_identity(),
                name_key: name_key(&session_identity),
                session_identity,
                idle: vault_for,
                max: vault_for,
                session: Duration::from_secs(900),
            })
            .unwrap();
        Self { case, agent: Some(agent) }
    }

    /// With nothing else at hand that opens the vault.
    fn run(&self, arguments: &[&str]) -> Output {
        self.case.vault(arguments).asking().without_variable("VAULT_NO_AGENT").run()
    }
}

impl Drop for WithAgent<'_> {
    fn drop(&mut self) {
        self.case.run(&["agent", "stop"]);
        self.agent.take().map(Running::finish);
    }
}

#[test]
fn a_session_is_served_by_the_agents_help_and_what_it_cannot_serve_is_told_why() {
    let warm = Warm::as_admin();
    let agent = WithAgent::start(&warm);
    let served = agent.run(&["credential-process", "admin"]);
    served.succeeds().stderr("").stdout_has("{\"Version\":1,");
    agent.run(&["exec", "admin", "--", "sh", "-c", "echo $AWS_VAULT $AWS_REGION"]).stdout("admin eu-west-1\n");
    agent.run(&["login", "admin", "--no-export"]).succeeds().stderr_has("admin: still signed in as role admin");
    // Where the session of the user, on whose way it was made, would be written, nobody has asked the vault yet.
    agent.run(&["login", "prod"]).refuses(3, "the vault is locked");
    let locked =
        |message: &str, name: &str| error_and_hint(message, &format!("run `vault login {name}` at a terminal"));
    let get = |name: &str| agent.run(&["get", name, "account"]);
    get("other").exits(3).stdout("").stderr(&locked("`other` has no session yet, and the vault is locked", "other"));
    let forced = agent.run(&["get", "prod", "account", "--force"]);
    let told = locked("the session of `prod` is over or about to end, and the vault is locked", "prod");
    forced.exits(3).stdout("").stderr(&told);
    let elsewhere = warm.case.vault(&["env", "prod"]).asking().without_variable("VAULT_NO_AGENT");
    let told = locked("the session of `prod` is for another endpoint, and the vault is locked", "prod");
    elsewhere.variable("AWS_ENDPOINT_URL", "https://other.example").run().exits(3).stdout("").stderr(&told);
    let config = fs::read_to_string(warm.case.config()).unwrap();
    fs::write(warm.case.config(), config.replace("eu-west-1", "eu-west-9")).unwrap();
    let told = locked("~/.aws/config changed since `admin` got its session, and the vault is locked", "admin");
    get("admin").exits(3).stdout("").stderr(&told);
    warm.case.run(&["set", "prod", "region=eu-west-3"]).succeeds();
    let told = locked("the vault changed since `prod` got its session, and is locked; unlock it", "prod");
    get("prod").exits(3).stdout("").stderr(&told);
    agent.run(&["credential-process", "prod"]).exits(3).stdout("").stderr(&told);
    assert_eq!(warm.sent(), []);
}

#[test]
fn an_unlocked_agent_opens_the_vault_where_a_session_cannot_be_served_without() {
    let warm = Warm::as_admin();
    let agent = WithAgent::unlocked(&warm);
    let get = |name: &str| agent.run(&["get", name, "aws_access_key_id"]).succeeds().stderr("").out.clone();
    let (user, role) = (get("prod"), get("admin"));
    warm.case.run(&["set", "prod", "region=eu-west-3"]).succeeds();
    // Another state of the vault, and the same request: the sessions stay.
    assert_eq!((get("prod"), get("admin")), (user, role));
    agent.run(&["login", "prod"]).succeeds().stderr_has("prod: still signed in as alice");
    agent.run(&["set", "prod", "region=eu-west-2"]).succeeds().stderr("set region\n");
    agent.run(&["list"]).succeeds();
    assert_eq!(warm.sent(), []);
}

#[test]
fn who_wants_no_agent_gets_nothing_from_it() {
    let warm = Warm::new(None);
    let agent = WithAgent::start(&warm);
    agent.run(&GET).succeeds();
    let alone = warm.case.vault(&GET).asking().variable("VAULT_NO_AGENT", "1").run();
    alone.refuses(3, "the vault is locked and there is no terminal to ask for the passphrase");
    drop(agent);
    warm.case.vault(&GET).asking().without_variable("VAULT_NO_AGENT").run().refuses(3, "the vault is locked");
}
