//! A program that runs beside this one, in the eyes of whoever started us in its place: it has our terminal and our streams, hears
//! the signals that we are sent, and we end as it does.

use std::ffi::{OsStr, OsString};
use std::io::{self, PipeReader};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, Command, ExitStatus};

use rustix::io::Errno;
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process, waitid};

use super::Hardened;
use crate::paths::Environment;

pub struct Beside {
    child: Child,
    ended: PipeReader,
}

impl Beside {
    pub fn start(
        hardened: Hardened,
        program: &OsStr,
        arguments: &[OsString],
        environment: &Environment,
    ) -> io::Result<Self> {
        let mut command = Command::new(program);
        command.args(arguments).env_clear().envs(environment.all());
        // SAFETY: between fork and exec one system call is made, setrlimit, which touches no memory of ours.
        unsafe {
            command.pre_exec(move || {
                hardened.undo();
                Ok(())
            })
        };
        let (ended, told) = io::pipe()?;
        let child = command.spawn()?;
        let process = pid(&child);
        // The child stays a zombie until `end` takes it, so that no signal is passed on to another process of its number.
        let watch = move || {
            let ended = || waitid(WaitId::Pid(process), WaitIdOptions::EXITED | WaitIdOptions::NOWAIT);
            while let Err(Errno::INTR) = ended() {}
            drop(told);
        };
        std::thread::Builder::new().spawn(watch)?;
        Ok(Self { child, ended })
    }

    pub fn pass_on(&self, signal: i32) {
        if let Some(signal) = Signal::from_named_raw(signal) {
            // One that has ended already hears nothing.
            let _ = kill_process(pid(&self.child), signal);
        }
    }

    pub fn end(mut self) -> io::Result<ExitStatus> {
        self.child.wait()
    }
}

/// Readable when it ended.
impl AsFd for Beside {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.ended.as_fd()
    }
}

fn pid(child: &Child) -> Pid {
    Pid::from_child(child)
}

/// Ends this process as that one ended: by its exit code, or by the signal that it died of.
pub fn end_like(status: ExitStatus) -> ! {
    if let Some(signal) = status.signal() {
        // SAFETY: signal and raise have no preconditions. No core file is written: our limit for those is zero.
        unsafe {
            libc::signal(signal, libc::SIG_DFL);
            libc::raise(signal);
        }
        // As shells say it, should that have been blocked.
        std::process::exit(128 + signal);
    }
    std::process::exit(status.code().unwrap_or(1));
}
