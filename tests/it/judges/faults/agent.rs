//! The same for the commands that speak with an agent, and for the agent itself: whatever fails, no agent is left that
//! `vault lock` does not reach, nothing that was said is untrue, and the next `vault unlock` works.

use std::fs;
use std::sync::Mutex;
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use vault::agent::Agent;

use super::stage::Files;
use super::strace::{self, Fault};
use crate::commands::agent::WithAgent;
use crate::program::{Case, Invocation, Output, Running};
use crate::waiting;

/// For an agent that is to go.
const PATIENCE: Duration = Duration::from_secs(5);

/// A command that speaks with an agent.
struct Speaking {
    name: &'static str,
    arguments: &'static [&'static str],
    /// Whether an agent holds the vault beforehand; else it starts one.
    unlocked: bool,
    reads_fail: bool,
    /// What has to be true where it says that it is done.
    done: fn(&World, &Output) -> Result<(), String>,
}

static COMMANDS: [Speaking; 4] = [
    Speaking {
        name: "unlock",
        arguments: &["unlock"],
        unlocked: false,
        reads_fail: true,
        done: |world, _| world.is_unlocked(),
    },
    Speaking {
        name: "unlock again",
        arguments: &["unlock"],
        unlocked: true,
        reads_fail: false,
        done: |world, _| world.is_unlocked(),
    },
    Speaking {
        name: "lock",
        arguments: &["lock"],
        unlocked: true,
        reads_fail: true,
        done: |world, _| world.is_locked(),
    },
    Speaking {
        name: "credential-process",
        arguments: &["credential-process", "prod", "--no-mfa"],
        unlocked: true,
        reads_fail: false,
        done: World::is_served,
    },
];

struct World {
    case: WithAgent,
    files: Files,
    vault: Vec<u8>,
}

impl World {
    fn new() -> Self {
        let case = WithAgent::of(Case::with_prod());
        case.run(&["login", "prod", "--no-export", "--no-mfa"]).succeeds();
        let (files, vault) = (Files::of(&case), fs::read(case.vault_file()).unwrap());
        Self { case, files, vault }
    }

    /// Opens by the recovery key, which takes no deriving.
    fn run(&self, arguments: &[&str]) -> Result<(), String> {
        let recovery = self.case.given("recovery.txt");
        let output = self.case.by_agent(arguments).variable("VAULT_IDENTITY", recovery).run();
        self.succeeded(arguments, &output)
    }

    fn succeeded(&self, arguments: &[&str], output: &Output) -> Result<(), String> {
        let why = || format!("`{}` afterwards: {:?}, {}", arguments.join(" "), output.status, output.err);
        output.status.success().then_some(()).ok_or_else(why)
    }

    fn invocation(&self, command: &Speaking) -> Invocation<'_> {
        let invocation = self.case.by_agent(command.arguments);
        match command.arguments[0] {
            "unlock" => invocation.variable("VAULT_IDENTITY", self.case.given("recovery.txt")),
            _ => invocation,
        }
    }

    fn reset(&self, unlocked: bool) {
        self.case.run(&["agent", "stop"]).succeeds();
        self.files.put_back(&self.case);
        if unlocked {
            self.run(&["unlock"]).unwrap();
        }
    }

    fn is_unlocked(&self) -> Result<(), String> {
        let opens = self.case.by_agent(&["list"]).run().status.success();
        opens.then_some(()).ok_or_else(|| "it says that the vault is unlocked, and it is not".to_owned())
    }

    fn is_locked(&self) -> Result<(), String> {
        let locked = self.case.by_agent(&["list"]).run().status.code() == Some(3);
        locked.then_some(()).ok_or_else(|| "it says that the vault is locked, and it is not".to_owned())
    }

    fn is_served(&self, output: &Output) -> Result<(), String> {
        let whole = serde_json::from_str::<serde_json::Value>(&output.out).is_ok_and(|json| json["Version"] == 1);
        whole.then_some(()).ok_or_else(|| "what it printed is no session".to_owned())
    }

    /// The agents of this home, whether their sockets are there or not.
    fn agents(&self) -> Vec<Pid> {
        let home = format!("HOME={}", self.case.home().display());
        let numbers = fs::read_dir("/proc").unwrap().filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
        let is_ours = |pid: &i32| {
            let read = |name: &str| fs::read(format!("/proc/{pid}/{name}")).unwrap_or_default();
            let arguments = read("cmdline");
            let arguments: Vec<&[u8]> = arguments.split(|byte| *byte == 0).collect();
            arguments.get(1..3) == Some(&[b"agent", b"run"])
                && read("environ").split(|byte| *byte == 0).any(|variable| variable == home.as_bytes())
        };
        numbers.filter(is_ours).filter_map(Pid::from_raw).collect()
    }

    /// So many agents run. One that was started twice, or told to end, may take a moment to go.
    fn comes_to(&self, count: usize) -> Result<(), String> {
        let patience = Instant::now() + PATIENCE;
        loop {
            match self.agents() {
                agents if agents.len() == count => return Ok(()),
                agents if Instant::now() > patience => return Err(format!("these agents run: {agents:?}")),
                _ => thread::yield_now(),
            }
        }
    }

    /// What has to be true after any fault.
    fn judge(&self, fault: &Fault, output: &Output) -> Result<(), String> {
        judge_words(fault, output)?;
        self.run(&["lock"])?;
        self.is_locked()?;
        if fs::read(self.case.vault_file()).unwrap() != self.vault {
            return Err("the vault is not as it was".to_owned());
        }
        self.run(&["unlock"])?;
        self.is_unlocked()?;
        self.comes_to(1)?;
        if self.agents().iter().any(|one| one.as_raw_nonzero().get() as u32 != self.case.pid()) {
            return Err("the agent that runs is not the one that its lock names".to_owned());
        }
        let serve = self.case.by_agent(&["credential-process", "prod", "--no-mfa"]).run();
        self.succeeded(&["credential-process"], &serve)?;
        match self.case.secrets_left().as_slice() {
            [] => Ok(()),
            left => Err(format!("secrets lie around: {}", left.join(", "))),
        }
    }

    fn end_all(&self) {
        for agent in self.agents() {
            let _ = kill_process(agent, Signal::KILL);
        }
    }
}

impl Drop for World {
    fn drop(&mut self) {
        self.end_all();
    }
}

fn judge_words(fault: &Fault, output: &Output) -> Result<(), String> {
    let told = || format!("{:?}, {}{}", output.status, output.out, output.err);
    match output.status.code() {
        None if fault.kills() => Ok(()),
        Some(0) => Ok(()),
        Some(1..=8) if output.err.contains("internal error") || output.err.contains("panicked") => Err(told()),
        // A fault of `write` may be one of writing the message.
        Some(1..=8) if fault.call == "write" || output.err.contains("vault: error: ") => Ok(()),
        _ => Err(format!("no word of what went wrong: {}", told())),
    }
}

fn try_command(world: &World, command: &Speaking, fault: &Fault) -> Result<(), String> {
    world.reset(command.unlocked);
    let (output, hit) = strace::run_with(fault, &world.case, world.invocation(command));
    if hit == strace::Hit::Missed {
        return Err("the fault never came".to_owned());
    }
    if output.status.success() {
        (command.done)(world, &output)?;
    }
    world.judge(fault, &output)
}

/// Every try in a world that nobody else is in, two at a time.
fn try_all<T: Send + Clone>(
    tries: Vec<T>,
    name: impl Fn(&T) -> String + Sync,
    attempt: impl Fn(&World, &T) -> Result<(), String> + Sync,
) {
    let count = tries.len();
    let queue = Mutex::new(tries.into_iter().rev().collect::<Vec<_>>());
    let wrong = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                let world = World::new();
                while let Some(one) = { queue.lock().unwrap().pop() } {
                    if let Err(why) = attempt(&world, &one) {
                        wrong.lock().unwrap().push(format!("{}: {why}", name(&one)));
                        world.end_all();
                    }
                }
            });
        }
    });
    println!("{count} faults");
    let wrong = wrong.into_inner().unwrap();
    assert!(wrong.is_empty(), "{} faults ended badly:\n{}", wrong.len(), wrong[..wrong.len().min(20)].join("\n\n"));
}

#[test]
#[ignore = "needs strace"]
fn after_a_fault_in_any_command_that_speaks_with_an_agent_lock_reaches_it_and_unlock_works() {
    let mut tries: Vec<(&'static Speaking, Fault)> = Vec::new();
    let world = World::new();
    for command in &COMMANDS {
        world.reset(command.unlocked);
        let faults = strace::faults_of_speaking(&world.case, world.invocation(command), command.reads_fail);
        assert!(faults.len() >= 20, "{}: only {} faults", command.name, faults.len());
        println!("{}: {}", command.name, faults.len());
        // The standard library listens to what it starts by the same call, and once more each time it is interrupted.
        let faults = faults.into_iter().filter(|fault| command.unlocked || fault.call != "recvfrom");
        tries.extend(faults.map(|fault| (command, fault)));
    }
    let name = |(command, fault): &(&Speaking, Fault)| format!("{} with {fault}", command.name);
    try_all(tries, name, |world, (command, fault)| try_command(world, command, fault));
}

const RUN: [&str; 3] = ["agent", "run", "--detached"];

/// Until it listens or is gone.
fn await_agent(world: &World, running: &Running) {
    let gone = || {
        let status = fs::read_to_string(format!("/proc/{}/status", running.id())).unwrap_or_default();
        status.is_empty() || status.contains("State:\tZ")
    };
    waiting::until("the agent", || gone() || matches!(Agent::connect(&world.case.paths.sockets), Ok(Some(_))));
}

/// What is asked of it, whether it answers or not.
fn speak(world: &World) {
    for arguments in [&["unlock"][..], &["list"], &["credential-process", "prod", "--no-mfa"], &["lock"]] {
        let _ = world.run(arguments);
    }
}

fn try_agent(world: &World, fault: &Fault) -> Result<(), String> {
    world.reset(false);
    let running = strace::start_with(fault, &world.case, world.case.by_agent(&RUN));
    await_agent(world, &running);
    speak(world);
    world.run(&["lock"])?;
    world.is_locked()?;
    world.run(&["unlock"])?;
    world.is_unlocked()?;
    world.comes_to(1)?;
    world.run(&["agent", "stop"])?;
    world.comes_to(0)?;
    // Whether it came to its end by the fault or by our word.
    running.finish();
    Ok(())
}

#[test]
#[ignore = "needs strace"]
fn after_a_fault_in_the_agent_itself_nothing_is_left_that_lock_does_not_reach() {
    let world = World::new();
    world.reset(false);
    let vault = super::super::PROGRAM;
    let script = format!(
        "until [ -S {} ]; do :; done; {vault} unlock; {vault} list; {vault} credential-process prod --no-mfa; \
         {vault} lock; {vault} agent stop",
        world.case.socket().display()
    );
    let asking = world.case.command("sh", &["-c", &script]).without_variable("VAULT_NO_AGENT");
    let asking = asking.variable("VAULT_IDENTITY", world.case.given("recovery.txt")).start();
    let faults = strace::faults_of_speaking(&world.case, world.case.by_agent(&RUN), true);
    asking.finish().succeeds();
    assert!(faults.len() >= 40, "only {} faults", faults.len());
    try_all(faults, ToString::to_string, try_agent);
}
