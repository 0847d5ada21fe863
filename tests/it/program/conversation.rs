//! A program that lives on: it is told a line, answers with one, and waits for the next.

use std::io::{BufRead, BufReader, Write};
use std::os::unix::process::CommandExt;
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

use super::Invocation;

/// A hang fails the test instead of stopping it.
const PATIENCE: Duration = Duration::from_secs(60);

pub struct Conversation<'a> {
    invocation: Invocation<'a>,
    child: Child,
    /// None once it is told that nothing more comes.
    input: Option<ChildStdin>,
    lines: Receiver<String>,
}

impl<'a> Conversation<'a> {
    pub(super) fn start(mut command: Command, invocation: Invocation<'a>) -> Self {
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        // SAFETY: setsid is async-signal-safe and touches no memory.
        unsafe { command.pre_exec(|| Ok(rustix::process::setsid().map(drop)?)) };
        let mut child = command.spawn().unwrap_or_else(|error| panic!("{}: {error}", invocation.told()));
        let (input, output) = (child.stdin.take(), child.stdout.take().expect("it was piped"));
        let (sender, lines) = channel();
        thread::spawn(move || {
            let lines = BufReader::new(output).lines().map_while(Result::ok);
            lines.map(|line| sender.send(line)).all(|sent| sent.is_ok())
        });
        Self { invocation, child, input, lines }
    }

    #[track_caller]
    pub fn ask(&mut self, line: &str) -> String {
        let told = self.invocation.told();
        let input = self.input.as_mut().expect("it is open until the end");
        writeln!(input, "{line}").unwrap_or_else(|error| panic!("{told}: {error}"));
        self.hear()
    }

    /// The next line that it says.
    #[track_caller]
    pub fn hear(&mut self) -> String {
        let told = self.invocation.told();
        let answer = self.lines.recv_timeout(PATIENCE).unwrap_or_else(|error| panic!("{told}: {error}"));
        self.invocation.case.see(&format!("stdout of {told}"), answer.as_bytes());
        answer
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// How it ends by itself, though more may be said to it.
    pub fn ends(mut self) -> ExitStatus {
        let input = self.input.take();
        let ended = self.child.wait().unwrap();
        drop(input);
        ended
    }
}

impl Drop for Conversation<'_> {
    fn drop(&mut self) {
        self.input = None;
        if thread::panicking() {
            // It may be one that does not end by that.
            let _ = self.child.kill();
        }
        let _ = self.child.wait();
    }
}
