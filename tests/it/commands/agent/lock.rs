//! `vault lock`: it ends well only when nothing is held any more.

use std::os::unix::net::UnixListener;

use rustix::process::{Pid, Signal, kill_process};
use vault::agent::frame::{self, Incoming};

use super::*;
use crate::program::files_below;

const NOTHING: &str = "no agent is running; nothing was unlocked\n";
const ENDED: &str = "locked; the agent did not answer and was ended\n";

fn unlocked() -> (WithAgent, Arc<Agent>, Identities) {
    let case = WithAgent::new();
    let agent = Arc::new(case.start().unwrap());
    let identities = Identities::new();
    agent.unlock(identities.unlock(&case.vault_file())).unwrap();
    (case, agent, identities)
}

/// A dead process stands there until its parent, which is not ours to be, has heard of it.
fn lives(pid: u32) -> bool {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    status.contains("State:") && !status.contains("State:\tZ")
}

#[test]
fn lock_makes_the_agent_forget_and_drops_whoever_is_connected() {
    let (case, agent, identities) = unlocked();
    case.run(&["lock"]).succeeds().stdout("").stderr("locked\n");
    assert!(!identities.are_held(&agent, Which::Vault), "connected before");
    assert!(matches!(agent.status(), Err(agent::AgentError::Closed)));
    assert!(case.connect().hello(&case.vault_file()).unwrap().vault.is_none());
    assert!(lives(case.pid()));
    case.run(&["lock"]).succeeds().stderr("locked\n");
}

#[test]
fn without_an_agent_there_is_nothing_to_lock() {
    let case = WithAgent::new();
    case.run(&["lock"]).succeeds().stdout("").stderr(NOTHING);
    assert!(!case.paths.state.exists(), "it made something");
    case.start().unwrap().quit().unwrap();
    case.run(&["lock"]).succeeds().stderr(NOTHING);
}

#[test]
fn lock_reaches_an_agent_whose_socket_is_gone() {
    for remove in ["socket", "folder", "permissions"] {
        let (case, _agent, _) = unlocked();
        let pid = case.pid();
        match remove {
            "socket" => fs::remove_file(case.socket()).unwrap(),
            "folder" => fs::remove_dir_all(&case.paths.sockets).unwrap(),
            _ => fs::set_permissions(&case.paths.sockets, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap(),
        }
        case.run(&["lock"]).succeeds().stdout("").stderr(ENDED);
        assert!(!lives(pid), "{remove}");
        case.run(&["lock"]).succeeds().stderr(NOTHING);
    }
}

#[test]
fn lock_reaches_an_agent_that_was_started_where_another_folder_is_for_sockets() {
    for (with, without) in [("unlock", "lock"), ("lock", "unlock")] {
        let case = WithAgent::of(Case::with_vault());
        let runtime = case.home().join("runtime");
        fs::create_dir(&runtime).unwrap();
        let by_passphrase = |command: &str| match command {
            command if command == with => case.by_passphrase(&[command]).variable("XDG_RUNTIME_DIR", &runtime),
            command => case.by_passphrase(&[command]),
        };
        by_passphrase("unlock").run().succeeds();
        let pid = case.pid();
        by_passphrase("lock").run().succeeds().stdout("").stderr(ENDED);
        assert!(!lives(pid), "{with} with XDG_RUNTIME_DIR and {without} without");
    }
}

#[test]
fn lock_ends_whoever_asks_for_something_since_what_is_unlocked_is_at_hand_there() {
    let case = Case::with_prod();
    let asks = [
        (&["login", "prod"][..], "MFA code for prod"),
        (&["remove", "prod"], "Remove `prod`"),
        (&["add", "new", "--access-key-id", "AKIAIOSFODNN7EXAMPLE"], "Secret access key of"),
    ];
    let file = case.given("passphrase");
    let waiting: Vec<Terminal> = asks
        .into_iter()
        .map(|(words, prompt)| {
            let mut terminal = case.vault(words).asking().variable("VAULT_PASSPHRASE_FILE", &file).on_terminal();
            terminal.expect(prompt);
            terminal
        })
        .collect();
    case.run(&["lock"]).succeeds().stdout("").stderr("no agent is running; what waited for an answer was ended\n");
    for terminal in waiting {
        terminal.finish().0.dies_of(Signal::TERM);
    }
    assert!(files_below(&case.home().join(".local/state/vault/prompts")).is_empty(), "it left something");
    case.run(&["list"]).succeeds();
    case.run(&["lock"]).succeeds().stderr(NOTHING);
}

#[test]
fn lock_ends_an_agent_that_is_stopped() {
    let (case, _agent, _) = unlocked();
    let pid = case.pid();
    kill_process(Pid::from_raw(pid as i32).unwrap(), Signal::STOP).unwrap();
    case.run(&["lock"]).succeeds().stdout("").stderr(ENDED);
    assert!(!lives(pid));
    // Its socket still stands there, and is in nobody's way.
    assert!(case.socket().exists());
    case.start().unwrap();
}

#[test]
fn an_agent_that_can_not_be_ended_is_named_with_the_way_to_end_it() {
    let case = WithAgent::new();
    fs::create_dir_all(&case.paths.state).unwrap();
    let lock = case.paths.state.join("agent-1.lock");
    // This process holds it, and names another that does not mind what it is told.
    let deaf = case.command("sh", &["-c", "trap '' TERM; echo; while :; do sleep 0.1; done"]).start();
    fs::write(&lock, format!("{}\n", deaf.id())).unwrap();
    let file = fs::File::open(&lock).unwrap();
    file.lock().unwrap();
    let words = format!(
        "an agent does not answer and does not end, and may still hold what was unlocked (process {})",
        deaf.id()
    );
    case.run(&["lock"]).exits(1).stdout("").stderr(&error_and_hint(&words, &format!("kill -9 {}", deaf.id())));
    kill_process(Pid::from_raw(deaf.id() as i32).unwrap(), Signal::KILL).unwrap();
    deaf.finish();
}

#[test]
fn lock_reaches_agents_of_every_version() {
    let (case, _agent, _) = unlocked();
    let other = UnixListener::bind(case.paths.sockets.join("agent-7.sock")).unwrap();
    let heard = std::thread::spawn(move || {
        let (mut stream, _) = other.accept().unwrap();
        let word = Incoming::default().read(&mut stream).unwrap().unwrap();
        std::io::Write::write_all(&mut stream, &frame::of(b"\"done\"").unwrap()).unwrap();
        String::from_utf8(word.to_vec()).unwrap()
    });
    case.run(&["lock"]).succeeds().stderr("locked\n");
    assert_eq!(heard.join().unwrap(), "\"lock\"");
    assert!(case.connect().hello(&case.vault_file()).unwrap().vault.is_none());
}
