//! The memory of an agent that a command gave a vault to, searched from outside for all that the vault holds.

use std::collections::BTreeSet;
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::time::{Duration, Instant};

use base64::Engine;
use base64::prelude::BASE64_STANDARD_NO_PAD as BASE64;
use vault::agent::State;
use vault::store::document::Document;
use vault::store::header;
use vault::store::passphrase::derive;
use vault::store::plugin::Plugins;
use vault::store::vault::{Key, peek};

use super::super::PROGRAM;
use crate::commands::agent::WithAgent;
use crate::memory::{Needles, copies};
use crate::program::{Case, PASSPHRASE};
use vault::secret::{IdentityText, Passphrase};

const VAULT: [&str; 2] = ["the vault identity", "the vault identity's bytes"];
const SESSION: [&str; 2] = ["the session identity", "the session identity's bytes"];

pub fn needles(case: &WithAgent) -> Needles {
    let file = std::fs::read(case.vault_file()).unwrap();
    let recovery = case.recovery_identity();
    let document: Document = peek(&file, Key::Identity(&recovery), &Plugins::none()).ok().unwrap();
    let kdf = header::scan(&file).ok().flatten().unwrap();
    let vault = derive(&Passphrase::new(PASSPHRASE.to_owned()), &kdf, None).unwrap();
    let seed = document.auth.seed().expose();
    let bytes = |identity: &IdentityText| bech32::decode(identity.expose()).unwrap().1;
    let mut needles = Needles::from([
        (VAULT[0], vault.expose().into()),
        (VAULT[1], bytes(&vault)),
        (SESSION[0], document.session.identity.expose().into()),
        (SESSION[1], bytes(&document.session.identity)),
        ("the passphrase", PASSPHRASE.into()),
        ("the recovery key", recovery.expose().into()),
        ("the recovery key's bytes", bytes(&recovery)),
        ("the secret access key", case.alice.secret_access_key().into()),
        ("the signing seed", seed.into()),
        ("the signing seed's bytes", BASE64.decode(seed).unwrap()),
        ("the signing key's scalar", document.auth.signing_key().unwrap().to_scalar().to_bytes().into()),
    ]);
    // The search passes over zeros.
    needles.values_mut().for_each(|needle| drop(needle.drain(..needle.iter().take_while(|byte| **byte == 0).count())));
    needles
}

fn found(pid: u32, needles: &Needles) -> BTreeSet<&'static str> {
    copies(pid, needles).into_keys().collect()
}

fn with_prod() -> WithAgent {
    let case = WithAgent::of(Case::with_prod());
    case.run(&["login", "prod", "--no-export", "--no-mfa"]).succeeds();
    case
}

/// What commands ask of an agent in a day's work.
fn use_it(case: &WithAgent) {
    for arguments in [&["list"][..], &["get", "prod", "account", "--no-mfa"], &["set", "prod", "region=eu-west-1"]] {
        case.by_agent(arguments).run().succeeds();
    }
    case.by_agent(&["credential-process", "prod", "--no-mfa"]).run().succeeds();
}

#[test]
#[ignore = "needs to be root"]
fn an_agent_holds_two_identities_and_nothing_else_of_the_vault_and_after_lock_nothing() {
    let case = with_prod();
    let needles = needles(&case);
    let mut terminal = case.by_agent(&["list"]).on_terminal();
    terminal.expect("Passphrase for").expect_hidden().type_line(PASSPHRASE);
    terminal.finish().0.succeeds();
    let pid = case.pid();
    let held = BTreeSet::from([VAULT[0], SESSION[0]]);
    assert_eq!(found(pid, &needles), held, "unlocked");
    use_it(&case);
    assert_eq!(found(pid, &needles), held, "used");
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    println!("resident, unlocked and idle: {resident}");
    let kilobytes: u32 = resident.trim().strip_suffix(" kB").unwrap().parse().unwrap();
    // Of code that is not optimised there is three times as much.
    assert!(cfg!(debug_assertions) || kilobytes <= 8 * 1024, "{resident}");
    case.run(&["lock"]).succeeds().stderr("locked\n");
    assert_eq!(found(pid, &needles), BTreeSet::new(), "locked");
    case.by_passphrase(&["unlock"]).run().succeeds();
    assert_eq!(found(pid, &needles), held, "unlocked again");
    case.run(&["lock"]).succeeds();
    assert_eq!(found(pid, &needles), BTreeSet::new(), "locked again");
}

/// An agent whose wall clock the test moves. The clock that runs from the machine's start can't be moved from outside; the
/// agent goes by the one that says more, which its own tests show.
struct Clock<'a> {
    case: &'a WithAgent,
    offset: std::path::PathBuf,
    agent: crate::program::Running<'a>,
}

impl<'a> Clock<'a> {
    fn start(case: &'a WithAgent) -> Self {
        // Moving the clock that counts its ticks would have it look by itself.
        Self::start_with(case, &[("FAKETIME_DONT_FAKE_MONOTONIC", "1")])
    }

    fn start_with(case: &'a WithAgent, variables: &[(&str, &str)]) -> Self {
        let offset = case.give("faketimerc", "+0");
        // The wrapper would set an offset of its own, which is stronger than the file's.
        let library = case.command("faketime", &["-f", "+0", "printenv", "LD_PRELOAD"]).run().succeeds().out.clone();
        let agent = case
            .command(PROGRAM, &["agent", "run"])
            .variable("LD_PRELOAD", library.trim())
            .variable("FAKETIME_TIMESTAMP_FILE", &offset)
            .variable("FAKETIME_NO_CACHE", "1");
        let agent = variables.iter().fold(agent, |agent, (name, value)| agent.variable(name, value)).start();
        case.comes_up();
        Self { case, offset, agent }
    }

    fn set(&self, offset: &str) {
        std::fs::write(&self.offset, offset).unwrap();
    }

    /// Any question is a look at the clock; without one the agent looks by itself twice a minute.
    fn at(&self, offset: &str) -> Option<State> {
        self.set(offset);
        let agent = Arc::new(self.case.connect());
        agent.status().unwrap().vaults.first().map(|vault| vault.state)
    }
}

#[test]
#[ignore = "needs to be root and faketime"]
fn when_its_time_is_over_an_identity_is_gone_from_the_agents_memory() {
    let case = with_prod();
    let needles = needles(&case);
    let clock = Clock::start(&case);
    let found = || found(clock.agent.id(), &needles);
    let both = BTreeSet::from([VAULT[0], SESSION[0]]);
    let unlock = ["unlock", "--idle", "15m", "--max", "1h", "--session", "2h"];
    case.by_passphrase(&unlock).run().succeeds();
    assert_eq!((clock.at("+14m"), found()), (Some(State::Unlocked), both.clone()));
    // Use keeps it, up to the latest time.
    case.by_agent(&["list"]).run().succeeds();
    assert_eq!((clock.at("+28m"), found()), (Some(State::Unlocked), both));
    assert_eq!((clock.at("+30m"), found()), (Some(State::SessionsOnly), BTreeSet::from([SESSION[0]])));
    case.by_agent(&["list"]).run().refuses(3, "the vault is locked");
    case.by_agent(&["get", "prod", "account", "--no-mfa"]).run().succeeds();
    assert_eq!((clock.at("+121m"), found()), (None, BTreeSet::new()));
    case.by_agent(&["get", "prod", "account", "--no-mfa"]).run().exits(3);
    // Set back, the clock is no witness any more.
    case.by_passphrase(&unlock).run().succeeds();
    assert_eq!((clock.at("+60m"), found()), (None, BTreeSet::new()));
    case.run(&["agent", "stop"]).succeeds();
    clock.agent.finish().succeeds();
}

#[test]
#[ignore = "needs to be root and faketime"]
fn an_identity_goes_at_the_agents_own_look_at_the_clock_though_nobody_asks() {
    let case = with_prod();
    let needles = needles(&case);
    let clock = Clock::start_with(&case, &[]);
    case.by_passphrase(&["unlock", "--idle", "15m", "--max", "15m", "--session", "2h"]).run().succeeds();
    for (offset, left) in [("+16m", BTreeSet::from([SESSION[0]])), ("+121m", BTreeSet::new())] {
        clock.set(offset);
        // Ends its wait for callers, and asks nothing: its ticks are half a minute apart by a clock that did not jump.
        let _caller = UnixStream::connect(case.socket()).unwrap();
        let patience = Instant::now() + Duration::from_secs(5);
        while found(clock.agent.id(), &needles) != left {
            assert!(Instant::now() < patience, "{offset}");
        }
    }
    case.run(&["agent", "stop"]).succeeds();
    clock.agent.finish().succeeds();
}
