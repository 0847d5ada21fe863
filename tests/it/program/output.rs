//! What a run of the program came to.

use std::io::Read;
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, ExitStatus};
use std::sync::mpsc::channel;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use rustix::process::{Pid, Signal};

/// A hang fails the test instead of stopping it.
const PATIENCE: Duration = Duration::from_secs(60);

pub struct Output {
    pub status: ExitStatus,
    pub out: String,
    pub err: String,
    /// What the terminal showed, where there was one.
    pub screen: String,
    pub told: String,
}

impl Output {
    #[track_caller]
    pub fn succeeds(&self) -> &Self {
        self.exits(0)
    }

    #[track_caller]
    pub fn exits(&self, code: i32) -> &Self {
        assert_eq!(self.status.code(), Some(code), "{}", self.shown());
        self
    }

    /// Ends by this signal, so that a shell above stops its script too.
    #[track_caller]
    pub fn dies_of(&self, signal: Signal) -> &Self {
        assert_eq!(self.status.signal(), Some(signal.as_raw()), "{}", self.shown());
        self
    }

    #[track_caller]
    pub fn stdout(&self, exactly: &str) -> &Self {
        assert_eq!(self.out, exactly, "stdout of {}", self.shown());
        self
    }

    #[track_caller]
    pub fn stderr(&self, exactly: &str) -> &Self {
        assert_eq!(self.err, exactly, "stderr of {}", self.shown());
        self
    }

    #[track_caller]
    pub fn stdout_has(&self, part: &str) -> &Self {
        assert!(self.out.contains(part), "no `{part}` on stdout of {}", self.shown());
        self
    }

    #[track_caller]
    pub fn stderr_has(&self, part: &str) -> &Self {
        assert!(self.err.contains(part), "no `{part}` on stderr of {}", self.shown());
        self
    }

    #[track_caller]
    pub fn screen_has(&self, part: &str) -> &Self {
        assert!(self.screen.contains(part), "no `{part}` on the terminal of {}", self.shown());
        self
    }

    /// One clear error: `vault: error: ...` with this in it, nothing on stdout, no panic.
    #[track_caller]
    pub fn refuses(&self, code: i32, part: &str) -> &Self {
        self.exits(code).stdout("");
        let error = self.err.lines().find(|line| line.starts_with("vault: error: "));
        assert!(error.is_some_and(|line| line.contains(part)), "no error with `{part}` in {}", self.shown());
        self
    }

    fn shown(&self) -> String {
        let Self { status, out, err, screen, told } = self;
        let terminal = if screen.is_empty() { String::new() } else { format!("\n--- terminal\n{screen}") };
        format!("{told}\n--- {status}\n--- stdout\n{out}\n--- stderr\n{err}{terminal}\n---")
    }
}

/// Reads both streams to their ends and waits.
pub fn collect(mut child: Child, told: &str) -> Output {
    let (out, err) = (read_all(child.stdout.take()), read_all(child.stderr.take()));
    let status = wait(child, told);
    let text = |reader: JoinHandle<Vec<u8>>| String::from_utf8_lossy(&reader.join().unwrap()).into_owned();
    Output { status, out: text(out), err: text(err), screen: String::new(), told: told.to_owned() }
}

fn read_all(stream: Option<impl Read + Send + 'static>) -> JoinHandle<Vec<u8>> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        if let Some(mut stream) = stream {
            stream.read_to_end(&mut bytes).unwrap();
        }
        bytes
    })
}

fn wait(mut child: Child, told: &str) -> ExitStatus {
    let pid = Pid::from_child(&child);
    let (ended, end) = channel();
    thread::spawn(move || ended.send(child.wait()));
    end.recv_timeout(PATIENCE).map_or_else(
        |_| {
            let _ = rustix::process::kill_process(pid, Signal::KILL);
            panic!("still running after {PATIENCE:?}: {told}")
        },
        |status| status.unwrap(),
    )
}
