//! What concerns the process itself: wiping freed memory and used stack, keeping it out of core files, signals while a person types,
//! handing over to another program, and running the small commands a person configured. All unsafe code lives here.

mod allocator;
mod bare;
mod beside;
mod brief_memory;
mod browser;
mod conversation;
mod descriptor;
mod detach;
mod file_limit;
mod handed_down;
mod handlers;
mod heap;
mod heard_signals;
mod hearing;
mod held_signals;
mod last_words;
mod locked_memory;
mod open_files;
mod peer;
mod program;
mod quiet_terminal;
mod run;
mod stack;
mod tool;

use std::io;
use std::os::fd::AsFd;

use rustix::process::{Pid, Resource, Rlimit, Signal, kill_process};

pub use allocator::ZeroOnFree;
pub use bare::{arguments_of_main, prepare as prepare_bare_program, prepare_for_long};
pub use beside::{Beside, end_like};
pub use browser::{BrowserError, open_in_browser, remove_later};
pub use conversation::Conversation;
pub use descriptor::{take_descriptor, take_listener};
pub use detach::{spawn_detached, turn_off_standard_streams};
pub use file_limit::outlive as outlive_file_limit;
pub use handed_down::{OUR_VARIABLES, unless_started_by_us};
pub use heap::{keep_freed_memory, make_room};
pub use heard_signals::{Heard, HeardSignals, tell_to_forget};
pub use held_signals::HeldSignals;
pub use last_words::LastWords;
pub use locked_memory::{LockedMemory, limit as locked_memory_limit};
pub use open_files::{LEAST_OPEN_FILES, allow_many_open_files, too_few_open_files};
pub use peer::peer_user;
pub use program::{ProgramError, check_program, find_program, first_on_path, is_script, started_program};
pub use quiet_terminal::{QuietTerminal, restore as restore_terminal};
pub use run::{RunError, could_start, hand_over, output_of, output_of_program, run_with};
pub use stack::{at_once, leaving_no_trace, leaving_no_trace_within};
pub use tool::{Answer, ask_program};

/// Keeps this process's memory out of core files and away from debuggers of the same user, from before the first secret is
/// typed. Best effort: a kernel that refuses leaves us no worse than any other program.
///
/// Only the soft core limit is lowered, so that [`Hardened`] can give a child the one it would have had.
pub fn harden() -> Hardened {
    let before = rustix::process::getrlimit(Resource::Core);
    let none = Rlimit { current: Some(0), maximum: before.maximum };
    let _ = rustix::process::setrlimit(Resource::Core, none);
    #[cfg(target_os = "linux")]
    let _ = rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable);
    Hardened { core_limit: before }
}

/// What [`harden`] changed and a child must not inherit.
#[derive(Clone, Copy)]
pub struct Hardened {
    core_limit: Rlimit,
}

impl Hardened {
    /// Gives the core limit back; called right before another program takes this process over. Dumpability needs no such
    /// call: execve resets it.
    fn undo(self) {
        let _ = rustix::process::setrlimit(Resource::Core, self.core_limit);
    }
}

/// Standard input as a file of its own: std's is buffered, and its buffer is never wiped.
pub fn standard_input() -> io::Result<std::fs::File> {
    Ok(std::io::stdin().as_fd().try_clone_to_owned()?.into())
}

/// This machine's name, for people who ask which of theirs wrote a vault.
pub fn host_name() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}

/// Asks another process of this user to end; one that is gone already has.
pub fn tell_to_end(pid: u32) {
    tell(pid, Signal::TERM);
}

/// Also one that was stopped (Ctrl-Z): it hears nothing before it goes on.
fn tell(pid: u32, signal: Signal) {
    if let Some(pid) = pid.try_into().ok().and_then(Pid::from_raw) {
        let _ = kill_process(pid, signal).and_then(|()| kill_process(pid, Signal::CONT));
    }
}

/// Who started us: pid and program name, for the log only. Names can be faked; nothing is decided by them.
pub fn caller() -> (u32, Option<String>) {
    let pid = std::os::unix::process::parent_id();
    let name = parent_program(pid).ok();
    (pid, name)
}

#[cfg(target_os = "linux")]
fn parent_program(pid: u32) -> io::Result<String> {
    let name = std::fs::read_to_string(format!("/proc/{pid}/comm"))?;
    Ok(name.trim_end().to_owned())
}

#[cfg(not(target_os = "linux"))]
fn parent_program(_pid: u32) -> io::Result<String> {
    Err(io::ErrorKind::Unsupported.into())
}
