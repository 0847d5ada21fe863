//! systemd, which listens at the agent's socket and starts the agent when somebody calls.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use rustix::process::{Pid, Signal, kill_process};
use vault::agent::Agent;

use crate::commands::agent::WithAgent;
use crate::judges::{PROGRAM, judge};
use crate::program::Case;
use crate::waiting;

#[test]
#[ignore = "needs systemd"]
fn an_agent_that_systemd_starts_at_the_first_call_serves_it_and_ends_without_its_socket() {
    let case = WithAgent::of(Case::with_vault());
    let folder = &case.paths.sockets;
    fs::create_dir_all(folder).unwrap();
    fs::set_permissions(folder, fs::Permissions::from_mode(0o700)).unwrap();
    let socket = case.socket();
    let activate = ["-l", socket.to_str().unwrap(), "-E", "HOME", PROGRAM, "agent", "run"];
    let running = case.command(judge("systemd-socket-activate"), &activate).start();
    let pid = running.id();
    waiting::until("the socket", || socket.exists());
    assert!(!case.paths.state.join("agent-1.lock").exists(), "started before anybody called");
    case.by_passphrase(&["unlock"]).run().succeeds();
    assert_eq!(Agent::connect(folder).unwrap().unwrap().status().unwrap().pid, pid);
    assert_eq!(case.pid(), pid);
    case.by_agent(&["list"]).run().succeeds();
    case.by_agent(&["lock"]).run().succeeds().stderr("locked\n");
    case.by_agent(&["list"]).run().exits(3);
    // A second one leaves the socket alone, and so does the end of this one: whoever listens there is systemd.
    case.run(&["agent", "run"]).refuses(1, "another agent runs already");
    case.run(&["agent", "stop"]).succeeds().stderr("the agent ended\n");
    running.finish().succeeds();
    assert!(socket.exists());
}

#[test]
#[ignore = "needs systemd"]
fn a_socket_where_systemd_listens_is_not_taken_for_a_dead_agents() {
    let case = WithAgent::of(Case::with_vault());
    let folder = &case.paths.sockets;
    fs::create_dir_all(folder).unwrap();
    fs::set_permissions(folder, fs::Permissions::from_mode(0o700)).unwrap();
    let socket = case.socket();
    // What it would start does not get far: as a unit that is broken.
    let activate = ["-l", socket.to_str().unwrap(), "/bin/sleep", "60"];
    let running = case.command(judge("systemd-socket-activate"), &activate).start();
    waiting::until("the socket", || socket.exists());
    case.run(&["agent", "run"]).refuses(1, "somebody else listens at the agent's socket already");
    assert!(socket.exists());
    kill_process(Pid::from_raw(running.id() as i32).unwrap(), Signal::KILL).unwrap();
    running.finish();
}

#[test]
#[ignore = "needs systemd"]
fn systemd_finds_nothing_wrong_with_the_units() {
    let case = WithAgent::of(Case::with_vault());
    let units = ["socket", "service"].map(|unit| {
        let printed = case.run(&["agent", "print-unit", unit]).succeeds().out.clone();
        let path = case.given(&format!("vault-agent.{unit}"));
        fs::write(&path, printed).unwrap();
        path.to_str().unwrap().to_owned()
    });
    // Of units that nothing is wrong with it says nothing; of one with a word that it does not know it does.
    let verify = |paths: &[String]| {
        let words = ["--user", "--man=no", "verify"].map(str::to_owned);
        let runtime = case.home().join("runtime");
        fs::create_dir_all(&runtime).unwrap();
        let verify = case.command(judge("systemd-analyze"), &[&words[..], paths].concat());
        verify.variable("XDG_RUNTIME_DIR", runtime).run()
    };
    let said = verify(&units).succeeds().err.clone();
    assert!(!said.contains("vault-agent"), "{said}");
    let service = fs::read_to_string(&units[1]).unwrap();
    fs::write(&units[1], service.replace("NoNewPrivileges", "NoNewPrivilege")).unwrap();
    assert!(verify(&units).err.contains("vault-agent.service"), "what is wrong is not found");
}
