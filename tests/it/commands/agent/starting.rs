//! How an agent comes into the world, and which one gives way.

use std::io::Write;
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::net::UnixListener;
use std::os::unix::process::CommandExt;
use std::process::Command;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use vault::agent::frame::{self, Incoming};

use super::*;
use crate::commands::mode;
use crate::waiting;

#[test]
fn two_that_start_an_agent_at_once_get_the_same_one() {
    let case = WithAgent::new();
    let pids: Vec<u32> = std::thread::scope(|scope| {
        let (paths, environment) = (&case.paths, &case.environment);
        let start = move || agent::start(Path::new(VAULT), paths, environment).unwrap().status().unwrap().pid;
        let starts: Vec<_> = (0..8).map(|_| scope.spawn(start)).collect();
        starts.into_iter().map(|start| start.join().unwrap()).collect()
    });
    assert_eq!(pids, [case.pid(); 8]);
    assert_eq!(case.start().unwrap().status().unwrap().pid, case.pid(), "one that runs is left alone");
}

#[test]
fn twenty_times_two_that_start_one_where_a_dead_one_left_its_socket_get_the_same() {
    let case = WithAgent::new();
    for round in 0..20 {
        let starts = [(); 2].map(|()| case.vault(&["agent", "run", "--detached"]).start());
        case.comes_up();
        let pid = case.connect().status().unwrap().pid;
        assert_eq!(pid, case.pid(), "{round}");
        let (agent, others): (Vec<_>, Vec<_>) = starts.into_iter().partition(|start| start.id() == pid);
        assert_eq!((agent.len(), others.len()), (1, 1), "{round}");
        for other in others {
            other.finish().exits(1).stdout("held\n");
        }
        kill_process(Pid::from_raw(pid as i32).unwrap(), Signal::KILL).unwrap();
        for agent in agent {
            agent.finish().dies_of(Signal::KILL).stdout("ready\n");
        }
        assert!(case.socket().exists());
    }
}

#[test]
fn what_a_dead_agent_left_is_in_nobodys_way() {
    let case = WithAgent::new();
    case.start().unwrap();
    let dead = case.pid();
    kill_process(Pid::from_raw(dead as i32).unwrap(), Signal::KILL).unwrap();
    Instance::new(1, &case.paths).await_end().unwrap();
    assert!(case.socket().exists());
    case.run(&["agent", "status"]).succeeds().stderr("no agent is running\nno vault is unlocked\n");
    case.start().unwrap();
    assert_ne!(case.pid(), dead);
}

#[test]
fn a_started_agent_has_nothing_of_whoever_started_it() {
    let case = WithAgent::new();
    let open = fs::File::open("/dev/zero").unwrap();
    rustix::io::fcntl_setfd(&open, rustix::io::FdFlags::empty()).unwrap();
    // It answers once it is done with whoever started it.
    case.start().unwrap().status().unwrap();
    let process = PathBuf::from(format!("/proc/{}", case.pid()));
    assert_eq!(fs::read_to_string(process.join("environ")).unwrap(), format!("HOME={}\0", case.home().display()));
    assert_eq!(fs::read_link(process.join("cwd")).unwrap(), Path::new("/"));
    let arguments = format!("{VAULT}\0agent\0run\0--detached={}\0", env!("CARGO_PKG_VERSION"));
    assert_eq!(fs::read_to_string(process.join("cmdline")).unwrap(), arguments);
    let mut opened: Vec<PathBuf> = fs::read_dir(process.join("fd"))
        .unwrap()
        .filter_map(|entry| fs::read_link(entry.unwrap().path()).ok())
        .filter(|target| !target.starts_with("socket:") && !target.to_string_lossy().starts_with("socket:"))
        .collect();
    opened.sort();
    let null = PathBuf::from("/dev/null");
    assert_eq!(opened, [null.clone(), null.clone(), null, case.paths.state.join("agent-1.lock")]);
    // Signals of the terminal that it was started from do not reach it.
    let [(_, own_session, _), (parent, session, terminal)] = [Path::new("/proc/self"), &process].map(standing);
    assert_ne!(parent, std::process::id().to_string());
    assert_ne!(session, own_session);
    assert_eq!(terminal, "0");
}

/// A process's parent, session and terminal.
fn standing(process: &Path) -> (String, String, String) {
    let stat = fs::read_to_string(process.join("stat")).unwrap();
    let fields: Vec<String> = stat.rsplit(") ").next().unwrap().split(' ').map(str::to_owned).collect();
    (fields[1].clone(), fields[3].clone(), fields[4].clone())
}

#[test]
fn its_socket_and_lock_are_its_users_alone_whatever_the_umask() {
    let case = WithAgent::new();
    let script = format!("umask 000; exec {VAULT} agent run");
    let shell = case.command("sh", &["-c", &script]).start();
    case.comes_up();
    assert_eq!((mode(&case.paths.sockets), mode(&case.socket())), (0o700, 0o600));
    assert_eq!(mode(&case.paths.state.join("agent-1.lock")), 0o600);
    case.run(&["agent", "stop"]).succeeds();
    shell.finish().succeeds();
}

#[test]
fn an_agent_in_the_foreground_says_who_it_is_and_a_second_one_is_refused() {
    let case = WithAgent::new();
    let first = case.vault(&["agent", "run"]).start();
    let pid = first.id();
    case.comes_up();
    let words = format!("another agent runs already (process {pid})");
    case.run(&["agent", "run"]).exits(1).stdout("").stderr(&error_and_hint(&words, "`vault agent stop` ends it"));
    case.run(&["agent", "run", "--detached"]).exits(1).stdout("held\n");
    case.run(&["agent", "stop"]).succeeds();
    first.finish().succeeds().stdout("").stderr(&format!("agent, process {pid}\n"));
}

#[test]
fn an_agent_that_can_not_listen_says_why_to_whoever_starts_it() {
    let case = WithAgent::new();
    fs::create_dir_all(&case.paths.sockets).unwrap();
    fs::set_permissions(&case.paths.sockets, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let listen = "the agent can't listen: the folder of its socket can't be used: others can use it";
    case.run(&["agent", "run"]).refuses(1, listen);
    case.run(&["agent", "run", "--detached"]).exits(1).stdout(&format!("{listen}\n"));
    assert!(matches!(case.start(), Err(StartError::Agent(_))));
    let deep = case.home().join("x".repeat(100));
    let long = case.vault(&["agent", "run"]).variable("XDG_RUNTIME_DIR", deep).run();
    long.refuses(1, "the path of the agent's socket is too long for a socket");
    let missing = agent::start(
        Path::new("/no/such/program"),
        &Paths { sockets: case.home().join("none"), ..case.paths.clone() },
        &case.environment,
    );
    assert!(matches!(missing, Err(StartError::Program(_))));
}

#[test]
fn an_agent_that_nobody_can_reach_is_waited_for_once_and_lock_ends_it() {
    let case = WithAgent::of(Case::with_vault());
    case.by_passphrase(&["unlock"]).run().succeeds();
    fs::remove_file(case.socket()).unwrap();
    let begun = Instant::now();
    let words = "the agent could not be started: another one runs, and can't be reached";
    case.by_passphrase(&["unlock"]).run().exits(1).stdout("").stderr(&error_and_hint(words, "`vault lock` ends it"));
    // The agent has 5 s to be there, and a second program would give it as long again.
    assert!(begun.elapsed() < Duration::from_secs(9), "waited for twice");
    case.run(&["lock"]).succeeds().stderr("locked; the agent did not answer and was ended\n");
    case.by_passphrase(&["unlock"]).run().succeeds();
}

#[test]
fn a_path_that_is_too_long_for_a_socket_is_said_to_be_and_nothing_is_made() {
    let case = WithAgent::of(Case::with_vault());
    let deep = case.home().join("x".repeat(100));
    let unlock = || case.by_passphrase(&["unlock"]).variable("XDG_RUNTIME_DIR", &deep).run();
    let words = "the path of the agent's socket is too long for a socket";
    let told = error_and_hint(words, "set XDG_RUNTIME_DIR to a folder with a shorter one");
    for _ in 0..2 {
        unlock().exits(1).stdout("").stderr(&told);
        assert!(!deep.exists());
    }
}

/// An agent of another version that answers these, one after the other, and has the lock meanwhile.
fn older(case: &WithAgent, version: &'static str, answers: &'static [&'static str]) -> std::thread::JoinHandle<()> {
    fs::create_dir_all(&case.paths.sockets).unwrap();
    for folder in [&case.paths.state, &case.paths.sockets] {
        fs::set_permissions(folder, std::os::unix::fs::PermissionsExt::from_mode(0o700)).unwrap();
    }
    let lock = fs::File::create(case.paths.state.join("agent-1.lock")).unwrap();
    lock.lock().unwrap();
    let socket = UnixListener::bind(case.socket()).unwrap();
    std::thread::spawn(move || {
        let (mut stream, _) = socket.accept().unwrap();
        let status = format!(r#"{{"status":{{"version":"{version}","pid":1,"vaults":[]}}}}"#);
        for answer in std::iter::once(&*status).chain(answers.iter().copied()) {
            Incoming::default().read(&mut stream).unwrap();
            stream.write_all(&frame::of(answer.as_bytes()).unwrap()).unwrap();
        }
        drop((socket, lock));
    })
}

#[test]
fn a_newer_program_replaces_an_older_agent_and_no_other() {
    for (version, replaced) in [("0.0.9", true), (env!("CARGO_PKG_VERSION"), false), ("0.10.0", false)] {
        let case = WithAgent::new();
        let older = older(&case, version, if replaced { &["\"done\""] } else { &[] });
        let agent = case.start().unwrap();
        older.join().unwrap();
        assert_eq!(agent.status().is_ok(), replaced, "{version}");
        // A child that another test forks just then has the old socket too, until it is another program.
        waiting::until(version, || Agent::connect(&case.paths.sockets).unwrap().is_some() == replaced);
    }
}

#[test]
fn an_agent_of_another_protocol_is_left_alone() {
    let case = WithAgent::new();
    case.start().unwrap();
    let other = case.paths.sockets.join("agent-2.sock");
    let _socket = UnixListener::bind(&other).unwrap();
    let pid = case.pid();
    assert_eq!(case.start().unwrap().status().unwrap().pid, pid);
    case.run(&["agent", "stop"]).succeeds().stderr("the agent ended\n");
    assert!(other.exists());
}

/// The agent as systemd starts it, with this for its descriptor 3.
fn handed_over(case: &WithAgent, descriptor: OwnedFd, fds: &str) -> std::process::Child {
    let mut command = Command::new("/bin/sh");
    command.args(["-c", &format!("LISTEN_PID=$$ LISTEN_FDS={fds} exec {VAULT} agent run")]);
    command
        .env_clear()
        .env("HOME", case.home())
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::piped());
    let number = descriptor.as_raw_fd();
    // SAFETY: dup2 is async-signal-safe and touches no memory; both numbers are this child's own.
    unsafe {
        command.pre_exec(move || {
            let from = std::os::fd::BorrowedFd::borrow_raw(number);
            if number == 3 {
                return Ok(rustix::io::fcntl_setfd(from, rustix::io::FdFlags::empty())?);
            }
            let mut third = <OwnedFd as std::os::fd::FromRawFd>::from_raw_fd(3);
            let copied = rustix::io::dup2(from, &mut third);
            std::mem::forget(third);
            Ok(copied?)
        });
    }
    command.spawn().unwrap()
}

fn listen(case: &WithAgent, name: &str) -> UnixListener {
    fs::create_dir_all(&case.paths.sockets).unwrap();
    fs::set_permissions(&case.paths.sockets, std::os::unix::fs::PermissionsExt::from_mode(0o700)).unwrap();
    UnixListener::bind(case.paths.sockets.join(name)).unwrap()
}

#[test]
fn a_socket_that_systemd_hands_over_is_used_and_stays() {
    let case = WithAgent::new();
    let socket = listen(&case, "agent-1.sock");
    let mut first = handed_over(&case, socket.try_clone().unwrap().into(), "1");
    let agent = Arc::new(case.connect());
    let identities = Identities::new();
    agent.unlock(identities.unlock(&case.vault_file())).unwrap();
    assert!(identities.are_held(&agent, Which::Vault));
    assert_eq!(case.start().unwrap().status().unwrap().pid, first.id());
    agent.quit().unwrap();
    assert!(first.wait().unwrap().success());
    assert!(case.socket().exists());
    // Nobody took the socket for a dead agent's.
    let mut second = handed_over(&case, socket.into(), "1");
    assert_eq!(case.connect().status().unwrap().pid, second.id());
    case.run(&["agent", "stop"]).succeeds();
    assert!(second.wait().unwrap().success());
}

#[test]
fn what_is_handed_over_and_is_no_socket_of_ours_is_refused() {
    let case = WithAgent::new();
    let elsewhere = || listen(&case, "other.sock").into();
    let file = || fs::File::open("/dev/null").unwrap().into();
    let connected = || std::os::unix::net::UnixStream::pair().unwrap().0.into();
    let two = || listen(&case, "agent-1.sock").into();
    let descriptors: [(&dyn Fn() -> OwnedFd, &str); 4] =
        [(&elsewhere, "1"), (&file, "1"), (&connected, "1"), (&two, "2")];
    for (at, (descriptor, fds)) in descriptors.into_iter().enumerate() {
        let output = handed_over(&case, descriptor(), fds).wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(1), "{at}");
        let words = String::from_utf8(output.stderr).unwrap();
        assert!(words.contains("the socket that was handed over is none that is listened to at"), "{at}: {words}");
    }
}

#[test]
fn the_units_start_this_program_and_no_path_that_others_can_change() {
    let case = WithAgent::new();
    // Not at home, where every file is searched for secrets.
    let folder = case.given("bin");
    fs::create_dir(&folder).unwrap();
    fs::set_permissions(&folder, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let program = folder.join("vault");
    // By another process: what is written to here can't be started while a test beside this one is starting something.
    case.command("cp", &[Path::new(VAULT), &program]).run().succeeds();
    let path = format!("{}:/usr/bin:/bin", folder.display());
    let units = |arguments: &str| {
        let script = format!("vault agent print-unit {arguments}");
        case.command("sh", &["-c", &script]).variable("PATH", &path).variable("XDG_RUNTIME_DIR", "/run/user/1").run()
    };
    let service = format!(
        "# ~/.config/systemd/user/vault-agent.service\n[Unit]\nDescription=vault's agent: unlocked identities between \
         commands\nRequires=vault-agent.socket\n\n[Service]\nExecStart=\":{}\" agent run\nLimitCORE=0\nNoNewPrivileges=yes\n",
        program.display()
    );
    let socket = "# ~/.config/systemd/user/vault-agent.socket\n[Unit]\nDescription=Socket of vault's agent\n\n[Socket]\n\
                  ListenStream=%t/vault/agent-1.sock\nSocketMode=0600\nDirectoryMode=0700\n\n[Install]\n\
                  WantedBy=sockets.target\n";
    units("").succeeds().stderr("").stdout(&format!("{socket}\n{service}"));
    units("socket").succeeds().stdout(socket);
    units("service").succeeds().stdout(&service);
    fs::set_permissions(&program, std::os::unix::fs::PermissionsExt::from_mode(0o775)).unwrap();
    let words = format!("`{}` can be changed by others, who could put another program in its place", program.display());
    units("service").exits(6).stdout("").stderr(&error_and_hint(&words, &format!("chmod go-w {}", program.display())));
}
