//! What commands make of an agent: it spares a person the passphrase, and is believed in nothing else.

use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::net::UnixListener;
use std::time::Instant;

use rustix::process::{Pid, Signal, kill_process};
use vault::agent::Version;
use vault::agent::frame::{self, Incoming};
use vault::agent::protocol::{HeldVault, Hello, Reply, Request, decode_request, encode_reply};
use vault::store::document::Document;
use vault::store::plugin::Plugins;
use vault::store::vault::{Key, peek};

use super::*;
use crate::commands::machines::{Machine, identity_in};
use crate::forgery::Forgery;
use crate::program::{Output, PASSPHRASE};

const EMPTY: &str = "the vault is empty; next: vault add NAME\n";
const LOCKED: &str = "the vault is locked and there is no terminal to ask for the passphrase";

fn with_vault() -> WithAgent {
    WithAgent::of(Case::with_vault())
}

fn unlocked() -> WithAgent {
    let case = with_vault();
    case.by_passphrase(&["unlock"]).run().succeeds().stdout("");
    case.by_agent(&["list"]).run().succeeds().stdout("").stderr(EMPTY);
    case
}

fn document(case: &WithAgent) -> Document {
    let recovery = case.recovery_identity();
    peek(&fs::read(case.vault_file()).unwrap(), Key::Identity(&recovery), &Plugins::none()).ok().unwrap()
}

/// What an agent is given that holds these for the vault.
fn given(case: &WithAgent, identities: &Identities) -> Unlock {
    Unlock { vault_id: document(case).meta.vault_id, ..identities.unlock(&case.vault_file()) }
}

fn list_on_terminal(case: &WithAgent) -> Output {
    let mut terminal = case.by_agent(&["list"]).on_terminal();
    terminal.expect("Passphrase for").expect_hidden().type_line(PASSPHRASE);
    terminal.finish().0
}

fn is_locked(case: &WithAgent) {
    case.by_agent(&["list"]).run().refuses(3, LOCKED);
}

#[test]
fn what_a_person_typed_once_opens_the_vault_for_commands_without_a_terminal_until_it_is_locked() {
    let case = with_vault();
    is_locked(&case);
    assert!(!case.socket().exists(), "nobody typed anything, and yet there is an agent");
    list_on_terminal(&case).succeeds().screen_has("unlocked; locks itself after 15 min without use");
    case.by_agent(&["list"]).run().succeeds().stderr(EMPTY);
    // Nothing of what was typed is in what every user or every process of this one can read of it.
    for about in ["cmdline", "environ", "comm", "status", "maps"] {
        let path = format!("/proc/{}/{about}", case.pid());
        case.command("cat", &[path]).run().succeeds();
    }
    case.by_agent(&["lock"]).run().succeeds().stderr("locked\n");
    is_locked(&case);
}

#[test]
fn a_vault_that_was_just_made_or_given_a_new_passphrase_by_hand_stays_unlocked() {
    const OTHER: &str = "an entirely different set of words";
    let case = WithAgent::new();
    let kept = "unlocked; locks itself after 15 min without use";
    let type_twice = |words: &[&str], old: Option<&str>, new: &str| {
        let mut terminal = case.by_agent(words).on_terminal();
        if let Some(old) = old {
            terminal.expect("Passphrase for ").type_line(old);
        }
        terminal.expect("New passphrase: ").type_line(new).expect("The same again: ").type_line(new);
        terminal.finish().0.succeeds().screen_has(kept);
        case.by_agent(&["list"]).run().succeeds().stderr(EMPTY);
    };
    type_twice(&["init", "--kdf", "small", "--no-recovery"], None, PASSPHRASE);
    type_twice(&["passwd"], Some(PASSPHRASE), OTHER);
    case.by_agent(&["lock"]).run().succeeds();
    is_locked(&case);
}

#[test]
fn a_poisoned_agent_does_not_hide_the_right_passphrase() {
    let case = with_vault();
    let agent = case.start().unwrap();
    let poison = || agent.unlock(given(&case, &Identities::new())).unwrap();
    poison();
    is_locked(&case);
    case.by_passphrase(&["list"]).run().succeeds().stderr(EMPTY);
    let file = case.given("passphrase").to_str().unwrap().to_owned();
    case.by_agent(&["list", "--passphrase-file", &file]).run().succeeds().stderr(EMPTY);
    // A wrong one is still told from a wrong agent.
    let wrong = case.give("wrong", "quite another passphrase");
    case.by_agent(&["list"]).variable("VAULT_PASSPHRASE_FILE", wrong).run().refuses(3, "wrong passphrase for");
    // What was typed is the better word, and takes the poison's place.
    list_on_terminal(&case).succeeds().screen_has("unlocked; locks itself");
    case.by_agent(&["list"]).run().succeeds().stderr(EMPTY);
    poison();
    case.by_passphrase(&["unlock"]).run().succeeds();
    case.by_agent(&["list"]).run().succeeds().stderr(EMPTY);
}

#[test]
fn a_poisoned_agent_spoils_no_session_and_gets_none() {
    let case = WithAgent::of(Case::with_prod());
    let agent = case.start().unwrap();
    let identities = Identities::new();
    agent.unlock(given(&case, &identities)).unwrap();
    let get = ["get", "prod", "aws_access_key_id", "--no-mfa"];
    let first = case.by_passphrase(&get).run().succeeds().out.clone();
    assert_eq!(case.by_passphrase(&get).run().succeeds().out, first, "made once, by the vault's own session identity");
    case.by_agent(&get).run().exits(3).stdout("");
    let sessions = case.paths.state.join("sessions");
    let poison: age::x25519::Identity = identities.session.expose().parse().unwrap();
    for path in crate::program::files_below(&sessions) {
        let bytes = fs::read(&path).unwrap();
        let Ok(record) = age::Decryptor::new_buffered(&bytes[..]) else { continue };
        let opened = record.decrypt(std::iter::once(&poison as &dyn age::Identity));
        assert!(opened.is_err(), "{} was made for whoever poisoned the agent", path.display());
    }
}

/// Somebody in the agent's place who says to have the vault unlocked, and answers every other question so.
fn impostor(case: &WithAgent, vault_id: String, answer: fn() -> Option<Reply>) {
    fs::create_dir_all(&case.paths.sockets).unwrap();
    fs::set_permissions(&case.paths.sockets, fs::Permissions::from_mode(0o700)).unwrap();
    let _ = fs::remove_file(case.socket());
    let listener = UnixListener::bind(case.socket()).unwrap();
    // Ends with this process; its socket goes with the case.
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            while let Ok(Some(message)) = Incoming::default().read(&mut stream) {
                let reply = match decode_request(&message) {
                    Some(Request::Hello { .. }) => Some(Reply::Hello(Hello {
                        version: Version::own(),
                        pid: std::process::id(),
                        vault: Some(HeldVault {
                            vault_id: vault_id.clone(),
                            state: State::Unlocked,
                            session_recipient: identity::recipient(&identity::generate()).unwrap(),
                            name_key: Zeroizing::new([7; 32]),
                        }),
                    })),
                    _ => answer(),
                };
                let Some(reply) = reply else { break };
                let reply = frame::of(&encode_reply(&reply).unwrap()).unwrap();
                if std::io::Write::write_all(&mut stream, &reply).is_err() {
                    break;
                }
            }
        }
    });
}

#[test]
fn whoever_lies_in_the_agents_place_does_not_hide_the_right_passphrase() {
    let answers: [fn() -> Option<Reply>; 5] = [
        || Some(Reply::FileKey { key: Zeroizing::new([9; 16]) }),
        || Some(Reply::FileKey { key: Zeroizing::new([0; 16]) }),
        || Some(Reply::Done),
        || Some(Reply::None),
        || None,
    ];
    for (at, answer) in answers.into_iter().enumerate() {
        for vault_id in ["", "AAAAAAAAAAAAAAAAAAAAAA=="] {
            let case = with_vault();
            impostor(&case, vault_id.to_owned(), answer);
            let list = case.by_agent(&["list"]).run();
            assert_eq!((list.status.code(), &*list.out), (Some(3), ""), "{at}: {}", list.err);
            case.by_passphrase(&["list"]).run().succeeds().stderr_has(EMPTY);
        }
    }
}

#[test]
fn whatever_the_agent_opens_has_to_be_the_vault_that_this_machine_knows() {
    let case = unlocked();
    let standing = fs::read(case.vault_file()).unwrap();
    let forgery = || Forgery::of(&standing, &identity_in(&case.given("recovery.txt")));
    let pins = Machine::first(&case).pins();
    let remembered = fs::read(&pins).unwrap();
    let other_id = "AAAAAAAAAAAAAAAAAAAAAA";
    for forged in [
        forgery().with_own_key().set("meta", "vault_id", other_id),
        forgery().set("meta", "vault_id", other_id),
        forgery().with_own_key(),
        forgery().with_own_key().saved_over(&standing),
    ] {
        fs::write(case.vault_file(), forged.seal()).unwrap();
        for command in [&["list"][..], &["set", "--vault", "session_duration=900"], &["get", "prod", "account"]] {
            case.by_agent(command).run().exits(6).stdout("");
        }
        assert_eq!(fs::read(&pins).unwrap(), remembered);
    }
    // On a machine that knows none, the agent's word makes none known either.
    fs::write(case.vault_file(), &standing).unwrap();
    fs::remove_file(&pins).unwrap();
    case.by_agent(&["list"]).run().refuses(6, "this machine has not seen this vault before");
    assert!(!pins.exists());
}

#[test]
fn a_forged_vault_that_the_passphrase_opens_never_reaches_the_agent() {
    let case = with_vault();
    let standing = fs::read(case.vault_file()).unwrap();
    let forgery = Forgery::of(&standing, &identity_in(&case.given("recovery.txt"))).with_own_key();
    fs::write(case.vault_file(), forgery.seal()).unwrap();
    case.by_passphrase(&["unlock"]).run().exits(6).stdout("");
    list_on_terminal(&case).exits(6);
    assert!(!case.socket().exists());
    case.start().unwrap();
    case.by_passphrase(&["unlock"]).run().exits(6).stdout("");
    list_on_terminal(&case).exits(6);
    assert!(case.connect().status().unwrap().vaults.is_empty());
}

#[test]
fn a_vault_that_was_moved_is_asked_for_in_its_new_place_and_a_link_leads_to_the_same() {
    let case = unlocked();
    let moved = case.home().join("moved.age");
    let in_place = |path: &Path| case.by_agent(&["list"]).variable("VAULT_FILE", path).run();
    symlink(case.vault_file(), case.home().join("link.age")).unwrap();
    in_place(&case.home().join("link.age")).succeeds().stderr(EMPTY);
    fs::rename(case.vault_file(), &moved).unwrap();
    in_place(&moved).refuses(3, LOCKED);
    in_place(&case.vault_file()).exits(1).stdout("");
    let unlock = case.by_passphrase(&["unlock"]).variable("VAULT_FILE", &moved).run();
    unlock.succeeds();
    in_place(&moved).succeeds().stderr(EMPTY);
    fs::rename(&moved, case.vault_file()).unwrap();
    in_place(&case.vault_file()).succeeds().stderr(EMPTY);
}

#[test]
fn of_nine_vaults_the_oldest_has_to_be_unlocked_again() {
    let case = unlocked();
    let agent = case.connect();
    let unlock = |number: usize| {
        let place = format!("/{number}");
        let unlock = Identities::new().unlock(Path::new(&place));
        agent.unlock(Unlock { vault_id: number.to_string(), ..unlock }).unwrap();
    };
    (1..8).for_each(unlock);
    case.by_agent(&["list"]).run().succeeds().stderr(EMPTY);
    // The first of the others is the oldest now.
    (8..15).for_each(unlock);
    case.by_agent(&["list"]).run().succeeds().stderr(EMPTY);
    (15..23).for_each(unlock);
    is_locked(&case);
    assert_eq!(agent.status().unwrap().vaults.len(), 8);
    case.by_passphrase(&["unlock"]).run().succeeds();
    case.by_agent(&["list"]).run().succeeds().stderr(EMPTY);
    assert_eq!(agent.status().unwrap().vaults.len(), 8);
}

#[test]
fn an_agent_that_was_killed_leaves_every_command_to_ask_and_the_next_unlock_to_start_another() {
    let case = unlocked();
    let dead = case.pid();
    kill_process(Pid::from_raw(dead as i32).unwrap(), Signal::KILL).unwrap();
    Instance::new(1, &case.paths).await_end().unwrap();
    is_locked(&case);
    for arguments in [
        &["get", "prod", "account"][..],
        &["exec", "prod", "--", "true"],
        &["credential-process", "prod"],
        &["set", "--vault", "session_duration=900"],
    ] {
        case.by_agent(arguments).run().exits(3).stdout("");
    }
    case.by_passphrase(&["list"]).run().succeeds().stderr(EMPTY);
    case.by_agent(&["lock"]).run().succeeds().stderr("no agent is running; nothing was unlocked\n");
    case.by_passphrase(&["unlock"]).run().succeeds();
    assert_ne!(case.pid(), dead);
    case.by_agent(&["list"]).run().succeeds().stderr(EMPTY);
}

#[test]
fn an_agent_that_holds_what_opened_the_vault_before_a_new_passphrase_opens_nothing_and_hides_nothing() {
    const NEW: &str = "another horse, another battery";
    let case = unlocked();
    case.keep_secret("the new passphrase", NEW);
    let new = case.give("new", NEW).to_str().unwrap().to_owned();
    let passwd = case.by_passphrase(&["passwd", "--kdf", "small", "--new-passphrase-file", &new]).run();
    passwd.succeeds();
    is_locked(&case);
    let by_new = |arguments: &[&str]| case.by_agent(arguments).variable("VAULT_PASSPHRASE_FILE", &new).run();
    by_new(&["list"]).succeeds().stderr(EMPTY);
    case.by_passphrase(&["list"]).run().refuses(3, "wrong passphrase for");
    by_new(&["unlock"]).succeeds();
    case.by_agent(&["list"]).run().succeeds().stderr(EMPTY);
}

#[test]
fn an_agent_that_is_stopped_delays_a_command_and_does_not_keep_it_from_its_work() {
    let case = unlocked();
    let agent = Pid::from_raw(case.pid() as i32).unwrap();
    kill_process(agent, Signal::STOP).unwrap();
    let started = Instant::now();
    let told = "the agent can't be asked: it did not answer within 5 s";
    case.by_passphrase(&["list"]).run().succeeds().stderr_has(told).stderr_has(EMPTY);
    assert!((4900..9000).contains(&started.elapsed().as_millis()), "{:?}", started.elapsed());
    kill_process(agent, Signal::CONT).unwrap();
    case.by_agent(&["list"]).run().succeeds().stderr(EMPTY);
}

#[test]
fn an_agent_that_is_stopped_is_waited_for_once_by_a_command_that_would_ask_it_again() {
    let case = unlocked();
    let agent = Pid::from_raw(case.pid() as i32).unwrap();
    kill_process(agent, Signal::STOP).unwrap();
    // For the session first, then for the vault.
    let told = "the agent can't be asked: it did not answer within 5 s";
    let started = Instant::now();
    let output = case.by_passphrase(&["get", "prod", "expiration"]).run();
    assert!((4900..9000).contains(&started.elapsed().as_millis()), "{:?}", started.elapsed());
    output.exits(1).stderr_has(told).stderr_has("no profile named `prod`");
    // For the vault first, then to keep what a person typed.
    let started = Instant::now();
    let output = list_on_terminal(&case);
    assert!((4900..9000).contains(&started.elapsed().as_millis()), "{:?}", started.elapsed());
    output.succeeds().screen_has(told).screen_has("the vault could not be kept unlocked: it did not answer within 5 s");
    kill_process(agent, Signal::CONT).unwrap();
    case.by_agent(&["list"]).run().succeeds().stderr(EMPTY);
}

#[test]
fn a_lock_that_somebody_else_has_keeps_no_command_from_its_work() {
    let case = with_vault();
    fs::create_dir_all(&case.paths.state).unwrap();
    let lock = fs::File::create(case.paths.state.join("agent-1.lock")).unwrap();
    lock.lock().unwrap();
    let output = list_on_terminal(&case);
    output.succeeds().screen_has("the vault could not be kept unlocked: another one runs, and can't be reached");
    output.screen_has("the vault is empty");
    is_locked(&case);
}

#[test]
fn what_opens_the_vault_by_flag_is_neither_given_to_the_agent_nor_got_from_it() {
    let case = with_vault();
    case.by_passphrase(&["list"]).run().succeeds();
    let recovery = case.given("recovery.txt").to_str().unwrap().to_owned();
    case.by_agent(&["list", "--identity", &recovery]).run().succeeds();
    assert!(!case.socket().exists(), "nobody typed anything");
    case.by_passphrase(&["unlock"]).run().succeeds();
    let wrong = case.give("wrong", "quite another passphrase").to_str().unwrap().to_owned();
    case.by_agent(&["list", "--passphrase-file", &wrong]).run().refuses(3, "wrong passphrase for");
    case.by_agent(&["list", "--no-agent"]).run().refuses(3, LOCKED);
    for in_person in [
        &["reveal", "--vault-identity", "--confirm", "identity"][..],
        &["recipient", "remove", "passphrase", "--yes"],
        &["passwd", "--kdf", "small", "--new-passphrase-file", &wrong],
    ] {
        case.by_agent(in_person).run().exits(3).stdout("");
    }
}
