//! Other users of the machine, and the agent's own one with a debugger.

use std::fs::{self, Permissions};
use std::io::{ErrorKind, Read, Write};
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::net::{UnixListener, UnixStream};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};

use rustix::process::{Pid, Signal, kill_process};
use vault::agent::frame;

use super::super::{PROGRAM, judge};
use crate::commands::agent::WithAgent;
use crate::program::{Case, Invocation, Output, PASSPHRASE, Running, files_below};

const OWN: u32 = 1234;
const OTHER: u32 = 1235;

/// The system's, which every user may start.
const PYTHON: &str = "/usr/bin/python3";

/// A machine with users who are not the administrator; the case's home is `OWN`'s.
struct Machine {
    case: WithAgent,
    program: PathBuf,
}

impl Machine {
    fn new() -> Self {
        let case = WithAgent::of(Case::with_vault());
        // Where everybody may start it; the build folder may be closed to them.
        let program = case.given("vault");
        case.command("cp", &[Path::new(PROGRAM), &program]).run().succeeds();
        let given = program.parent().unwrap();
        for folder in [given.parent().unwrap(), given] {
            fs::set_permissions(folder, Permissions::from_mode(0o755)).unwrap();
        }
        let machine = Self { case, program };
        machine.give_home_away();
        machine
    }

    fn give_home_away(&self) {
        for path in files_below(&self.case.home()) {
            path.ancestors().take_while(|path| path.starts_with(self.case.home())).for_each(owned);
        }
        ["passphrase", "recovery.txt"].iter().for_each(|name| owned(&self.case.given(name)));
    }

    fn as_user(&self, user: u32, program: &Path, arguments: &[&str]) -> Invocation<'_> {
        let user = [format!("--reuid={user}"), format!("--regid={user}"), "--clear-groups".to_owned()];
        let invocation = self.case.command(program, arguments).without_variable("VAULT_NO_AGENT");
        invocation.under("setpriv", &user)
    }

    fn vault(&self, arguments: &[&str]) -> Invocation<'_> {
        self.as_user(OWN, &self.program, arguments)
    }

    fn by_passphrase(&self, arguments: &[&str]) -> Invocation<'_> {
        self.vault(arguments).variable("VAULT_PASSPHRASE_FILE", self.case.given("passphrase"))
    }

    /// An agent that a command started, and that holds the vault.
    fn unlocked() -> (Self, u32) {
        let machine = Self::new();
        machine.by_passphrase(&["unlock"]).run().succeeds();
        machine.vault(&["list"]).run().succeeds();
        let pid = machine.case.pid();
        (machine, pid)
    }

    fn tool(&self, user: u32, name: &str, arguments: &[&str]) -> Output {
        self.run(user, judge(name), arguments)
    }

    fn run(&self, user: u32, program: impl AsRef<Path>, arguments: &[&str]) -> Output {
        self.as_user(user, program.as_ref(), arguments).run()
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        // The administrator is a stranger to the agent too, so the case can't end it.
        if let Ok(text) = fs::read_to_string(self.case.paths.state.join("agent-1.lock")) {
            let pid = text.trim().parse().ok().and_then(Pid::from_raw);
            let is_ours = |pid: &Pid| {
                let link = fs::read_link(format!("/proc/{}/exe", pid.as_raw_nonzero()));
                link.is_ok_and(|program| program == self.program)
            };
            pid.filter(is_ours).map(|pid| kill_process(pid, Signal::KILL));
        }
    }
}

fn owned(path: &Path) {
    chown(path, Some(OWN), Some(OWN)).unwrap();
}

#[test]
#[ignore = "needs to be root"]
fn the_agents_own_user_can_not_look_into_it() {
    let (machine, pid) = Machine::unlocked();
    let stand_in = machine.as_user(OWN, &judge("sleep"), &["60"]).start();
    has_become("sleep", &stand_in);
    // That the same is possible with another program of the user's shows that it is tried rightly.
    for (pid, possible) in [(stand_in.id(), true), (pid, false)] {
        for file in ["environ", "maps", "auxv"] {
            let shown = machine.tool(OWN, "cat", &[&format!("/proc/{pid}/{file}")]);
            assert_eq!(shown.status.success(), possible, "{file}: {}", shown.err);
        }
        let memory = machine.tool(OWN, "dd", &[&format!("if=/proc/{pid}/mem"), "count=0"]);
        assert_eq!(memory.status.success(), possible, "{}", memory.err);
        let descriptors = machine.tool(OWN, "ls", &[&format!("/proc/{pid}/fd")]);
        assert_eq!(descriptors.status.success(), possible, "{}", descriptors.err);
        let traced = machine.tool(OWN, "timeout", &["0.5", judge("strace").to_str().unwrap(), "-p", &pid.to_string()]);
        assert_eq!(traced.err.contains("attached"), possible, "{}", traced.err);
        assert_eq!(traced.err.contains("Operation not permitted"), !possible, "{}", traced.err);
    }
    end(stand_in);
    machine.vault(&["lock"]).run().succeeds().stderr("locked\n");
}

/// As in a container that is given its user's home: there the agent's process has no number.
#[test]
#[ignore = "needs to be root"]
fn a_process_that_sees_other_processes_only_is_answered_and_starts_no_second_agent() {
    let (machine, pid) = Machine::unlocked();
    for arguments in [&["list"][..], &["agent", "status"], &["unlock"]] {
        let inside = machine.by_passphrase(arguments).under("unshare", &["--pid", "--fork"]);
        inside.run().succeeds();
        assert_eq!(machine.case.pid(), pid, "{arguments:?}");
    }
    machine.vault(&["list"]).run().succeeds();
    machine.vault(&["lock"]).under("unshare", &["--pid", "--fork"]).run().succeeds();
    assert_eq!(machine.vault(&["list"]).run().status.code(), Some(3));
}

/// What starts it, and takes another user on for that, is another program at first.
fn has_become(name: &str, running: &Running) {
    while fs::read_to_string(format!("/proc/{}/comm", running.id())).unwrap().trim_end() != name {
        std::thread::yield_now();
    }
}

fn end(running: Running) {
    kill_process(Pid::from_raw(running.id() as i32).unwrap(), Signal::KILL).unwrap();
    running.finish();
}

#[test]
#[ignore = "needs to be root"]
fn a_crash_of_the_agent_writes_no_core_though_the_shell_wants_them() {
    let machine = Machine::new();
    let folder = machine.case.home();
    for (program, dumps) in [("exec sleep 60", true), ("exec \"$VAULT\" agent run", false)] {
        let script = format!("ulimit -c unlimited; {program}");
        let shell = machine.as_user(OWN, Path::new("/bin/sh"), &["-c", &script]);
        let running = shell.variable("VAULT", &machine.program).start();
        let pid = Pid::from_raw(running.id() as i32).unwrap();
        match dumps {
            true => has_become("sleep", &running),
            false => while !machine.vault(&["agent", "status"]).run().err.contains("process") {},
        }
        kill_process(pid, Signal::ABORT).unwrap();
        let output = running.finish();
        output.dies_of(Signal::ABORT);
        // Where cores are piped to a program the kernel tells of them all the same.
        assert_eq!(output.status.core_dumped(), dumps, "{program}");
        let cores: Vec<_> = fs::read_dir(&folder).unwrap().filter_map(Result::ok).map(|entry| entry.path()).collect();
        for core in cores.iter().filter(|path| path.file_name().unwrap().to_string_lossy().starts_with("core")) {
            assert!(dumps, "{}", core.display());
            fs::remove_file(core).unwrap();
        }
    }
    // The one that a command starts is hardened by itself: nothing of that is inherited.
    machine.by_passphrase(&["unlock"]).run().succeeds();
    let limits = fs::read_to_string(format!("/proc/{}/limits", machine.case.pid())).unwrap();
    let core = limits.lines().find(|line| line.starts_with("Max core file size")).unwrap();
    assert_eq!(core.split_whitespace().nth(4), Some("0"), "{core}");
}

/// The agent hung up without a word.
#[track_caller]
fn refused(said: &[u8], failed: Option<ErrorKind>) {
    assert!(matches!(failed, None | Some(ErrorKind::ConnectionReset | ErrorKind::BrokenPipe)), "{failed:?}");
    assert_eq!(said, b"");
}

fn hex_of(request: &[u8]) -> String {
    frame::of(request).unwrap().iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
#[ignore = "needs to be root"]
fn the_agent_serves_no_other_user_and_not_the_administrator_whatever_the_permissions() {
    let (machine, _) = Machine::unlocked();
    let open = |path: &Path, mode| fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
    let socket = machine.case.socket();
    open(&socket, 0o666);
    socket.ancestors().skip(1).take_while(|path| *path != Path::new("/tmp")).for_each(|path| open(path, 0o755));
    for request in [&b"\"status\""[..], b"\"lock\"", b"{\"hello\":{\"place\":\"/\"}}"] {
        let mut stream = UnixStream::connect(&socket).unwrap();
        let sent = stream.write_all(&frame::of(request).unwrap());
        let mut said = Vec::new();
        let read = stream.read_to_end(&mut said);
        refused(&said, sent.and(read.map(drop)).err().map(|error| error.kind()));
        // The same by another user, with a tool that is no program of ours.
        let script = "import socket,sys; s=socket.socket(socket.AF_UNIX); s.connect(sys.argv[1]); \
                      s.sendall(bytes.fromhex(sys.argv[2])); sys.stdout.write(repr(s.recv(9)))";
        let other = machine.run(OTHER, PYTHON, &["-c", script, socket.to_str().unwrap(), &hex_of(request)]);
        let reset = other.err.contains("ConnectionResetError") || other.err.contains("BrokenPipeError");
        assert!(other.out == "b''" || other.out.is_empty() && reset, "{}{}", other.out, other.err);
        let own = machine.run(OWN, PYTHON, &["-c", script, socket.to_str().unwrap(), &hex_of(b"\"status\"")]);
        assert!(own.out.contains("{\"st"), "its own user gets an answer: {}{}", own.out, own.err);
    }
    // Nothing was locked by them.
    open(socket.parent().unwrap(), 0o700);
    machine.vault(&["list"]).run().succeeds();
}

#[test]
#[ignore = "needs to be root"]
fn a_socket_that_another_user_serves_is_asked_nothing_and_given_nothing() {
    let machine = Machine::new();
    let socket = machine.case.socket();
    let folder = socket.parent().unwrap();
    fs::create_dir_all(folder).unwrap();
    fs::set_permissions(folder, Permissions::from_mode(0o700)).unwrap();
    // The administrator's, whom nothing keeps from putting it there.
    let listener = UnixListener::bind(&socket).unwrap();
    [folder, &socket].into_iter().for_each(owned);
    let told = "it is another user's (uid 0)";
    machine.vault(&["list"]).run().refuses(3, "the vault is locked").stderr_has(told);
    machine.by_passphrase(&["list"]).run().succeeds().stderr_has(told);
    machine.by_passphrase(&["unlock"]).run().refuses(1, told);
    let mut terminal = machine.vault(&["list"]).on_terminal();
    terminal.expect("Passphrase for").expect_hidden().type_line(PASSPHRASE);
    terminal.finish().0.succeeds().screen_has("the vault could not be kept unlocked");
    listener.set_nonblocking(true).unwrap();
    let mut callers = 0;
    while let Ok((mut caller, _)) = listener.accept() {
        let mut said = Vec::new();
        caller.read_to_end(&mut said).unwrap();
        assert_eq!(said, b"", "caller {callers}");
        callers += 1;
    }
    assert!(callers >= 4, "{callers}");
    machine.vault(&["lock"]).run().succeeds().stderr("no agent is running; nothing was unlocked\n");
}
