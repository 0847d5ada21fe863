//! The agent and what only the administrator can try: to be another user, to read its memory, and to shift its clock.

pub mod memory;
mod systemd;
mod users;

use std::collections::BTreeMap;
use std::fs;
use std::io::{ErrorKind, Read, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};
use std::sync::Arc;

use vault::agent::frame;
use vault::agent::{Agent, AgentError, Which};

use super::PROGRAM;
use super::clock::by_the_clock;
use crate::commands::agent::{Identities, WithAgent};
use crate::memory::{Needles, copies};
use crate::program::write_program;

const NOBODY: u32 = 65534;

#[test]
#[ignore = "needs to be root"]
fn another_user_is_refused_though_the_socket_is_open_to_all_and_the_administrator_too() {
    let home = tempfile::tempdir().unwrap();
    let program = home.path().join("vault");
    write_program(&program, &fs::read(PROGRAM).unwrap());
    chown(home.path(), Some(NOBODY), Some(NOBODY)).unwrap();
    let mut command = Command::new(program);
    command.args(["agent", "run"]).env_clear().env("HOME", home.path()).current_dir("/").uid(NOBODY).gid(NOBODY);
    let mut agent = command.stderr(Stdio::piped()).spawn().unwrap();
    // It says who it is once it listens.
    agent.stderr.as_mut().unwrap().read_exact(&mut [0; 1]).unwrap();
    let sockets = home.path().join(".local/state/vault/run");
    assert!(matches!(Agent::connect(&sockets), Err(AgentError::Folder(_))));
    let socket = sockets.join("agent-1.sock");
    for path in [&sockets, &socket] {
        fs::set_permissions(path, fs::Permissions::from_mode(0o777)).unwrap();
    }
    let mut stranger = UnixStream::connect(&socket).unwrap();
    let _ = stranger.write_all(&frame::of(b"\"status\"").unwrap());
    let mut said = Vec::new();
    match stranger.read_to_end(&mut said) {
        Err(error) => assert_eq!(error.kind(), ErrorKind::ConnectionReset),
        Ok(_) => assert_eq!(said, b""),
    }
    // From our side: in a folder of ours, a socket of theirs.
    let folder = tempfile::tempdir().unwrap();
    std::os::unix::fs::symlink(&socket, folder.path().join("agent-1.sock")).unwrap();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o700)).unwrap();
    assert!(matches!(Agent::connect(folder.path()), Err(AgentError::OtherUser(NOBODY))));
    // Nobody but the administrator may look into it.
    assert_eq!(fs::metadata(format!("/proc/{}/mem", agent.id())).unwrap().uid(), 0);
    agent.kill().unwrap();
    agent.wait().unwrap();
}

#[test]
#[ignore = "needs to be root"]
fn the_agents_memory_holds_each_secret_once_and_after_lock_none() {
    let case = WithAgent::new();
    let agent = Arc::new(case.start().unwrap());
    let pid = agent.status().unwrap().pid;
    let identities = Identities::new();
    let bytes = |identity: &vault::secret::IdentityText| bech32::decode(identity.expose()).unwrap().1;
    let needles = Needles::from([
        ("the vault identity", identities.vault.expose().into()),
        ("the session identity", identities.session.expose().into()),
        ("the vault identity's bytes", bytes(&identities.vault)),
        ("the session identity's bytes", bytes(&identities.session)),
        ("the file key", vec![9; 16]),
        ("the name key", vec![7; 32]),
    ]);
    let once = BTreeMap::from([("the vault identity", 1), ("the session identity", 1), ("the name key", 1)]);
    agent.unlock(identities.unlock(&case.vault_file())).unwrap();
    assert_eq!(copies(pid, &needles), once, "unlocked");
    // What a session's file was opened with is kept for the next who asks for that.
    let opened = BTreeMap::from_iter(once.clone().into_iter().chain([("the file key", 1)]));
    for (which, holds) in [(Which::Vault, once), (Which::Session, opened)] {
        assert!(identities.are_held(&agent, which));
        agent.hello(&case.vault_file()).unwrap();
        agent.status().unwrap();
        assert_eq!(copies(pid, &needles), holds, "after use of {which:?}");
    }
    agent.lock().unwrap();
    assert_eq!(copies(pid, &needles), BTreeMap::new(), "locked");
}

#[test]
#[ignore = "needs faketime"]
fn identities_go_when_the_wall_clock_says_so_and_when_it_is_set_back() {
    for (offset, vault, session) in
        [("+14m", true, true), ("+16m", false, true), ("+13h", false, false), ("-3h", false, false)]
    {
        let case = WithAgent::new();
        let rc = case.give("faketimerc", "+0");
        let run = by_the_clock(case.command(PROGRAM, &["agent", "run"]), &rc);
        let running = run.start();
        case.comes_up();
        let agent = Arc::new(case.connect());
        let identities = Identities::new();
        agent.unlock(identities.unlock(&case.vault_file())).unwrap();
        fs::write(&rc, offset).unwrap();
        assert_eq!(identities.are_held(&agent, Which::Vault), vault, "{offset}");
        assert_eq!(identities.are_held(&agent, Which::Session), session, "{offset}");
        agent.quit().unwrap();
        running.finish().succeeds();
    }
}
