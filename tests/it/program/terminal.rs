//! A person at a terminal: reads what is shown, types, presses Ctrl-C.

use std::io::{Read, Write};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Condvar, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use pty_process::blocking::{Pts, Pty};
use rustix::process::{Pid, Signal};
use rustix::termios::LocalModes;

use super::{Invocation, Output, output};
use crate::waiting;

const PATIENCE: Duration = Duration::from_secs(30);

pub struct Terminal<'a> {
    invocation: Invocation<'a>,
    child: Child,
    pty: Arc<Pty>,
    /// Our own hold on the terminal's other side, so that its state can be looked at after the program's end.
    pts: Pts,
    screen: Arc<(Mutex<Vec<u8>>, Condvar)>,
    reader: JoinHandle<()>,
    read_so_far: usize,
}

impl<'a> Terminal<'a> {
    pub(super) fn start(
        command: Command,
        invocation: Invocation<'a>,
        captured: bool,
        size: Option<pty_process::Size>,
    ) -> Self {
        let (pty, pts) = pty_process::blocking::open().unwrap();
        size.into_iter().for_each(|size| pty.resize(size).unwrap());
        let mut command = pty_process::blocking::Command::from(command);
        if captured {
            command = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        }
        let child = command.spawn_borrowed(&pts).unwrap();
        let pty = Arc::new(pty);
        let screen = Arc::new((Mutex::new(Vec::new()), Condvar::new()));
        let reader = thread::spawn({
            let (pty, screen) = (Arc::clone(&pty), Arc::clone(&screen));
            move || read_screen(&pty, &screen)
        });
        Self { invocation, child, pty, pts, screen, reader, read_so_far: 0 }
    }

    /// Waits until this is shown after what was read before.
    #[track_caller]
    pub fn expect(&mut self, text: &str) -> &mut Self {
        let (screen, changed) = &*self.screen;
        let shown = screen.lock().unwrap();
        let find = |shown: &[u8]| {
            let rest = String::from_utf8_lossy(&shown[self.read_so_far..]).into_owned();
            rest.find(text).map(|at| self.read_so_far + at + text.len())
        };
        let (shown, _) = changed.wait_timeout_while(shown, PATIENCE, |shown| find(shown).is_none()).unwrap();
        let Some(end) = find(&shown) else {
            panic!("waited in vain for `{text}`; the terminal shows:\n{}", String::from_utf8_lossy(&shown))
        };
        drop(shown);
        self.read_so_far = end;
        self
    }

    /// What stands between what was read and the end of that line.
    #[track_caller]
    pub fn rest_of_line(&mut self) -> String {
        let from = self.read_so_far;
        let to = self.expect("\r\n").read_so_far;
        let shown = self.screen.0.lock().unwrap();
        String::from_utf8_lossy(&shown[from..to]).trim_end().to_owned()
    }

    /// Types a line at once, as a password manager does: a program that shows its prompt before echo is off shows this too.
    pub fn type_line(&mut self, line: &str) -> &mut Self {
        self.press(&format!("{line}\n"))
    }

    /// Keys as a terminal sends them, `\x03` for Ctrl-C.
    pub fn press(&mut self, keys: &str) -> &mut Self {
        (&*self.pty).write_all(keys.as_bytes()).unwrap();
        self
    }

    pub fn signal(&mut self, signal: Signal) -> &mut Self {
        rustix::process::kill_process(Pid::from_child(&self.child), signal).unwrap();
        self
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }

    pub fn echoes(&self) -> bool {
        rustix::termios::tcgetattr(&self.pts).unwrap().local_modes.contains(LocalModes::ECHO)
    }

    /// Waits until what is typed no longer shows: nothing tells of that but the terminal's state.
    #[track_caller]
    pub fn expect_hidden(&mut self) -> &mut Self {
        waiting::until("the echo to go off", || !self.echoes());
        self
    }

    /// Waits for the program's end; says whether the terminal was left echoing.
    pub fn finish(self) -> (Output, bool) {
        let told = self.invocation.told();
        let mut output = output::collect(self.child, &told);
        let echoes = rustix::termios::tcgetattr(&self.pts).unwrap().local_modes.contains(LocalModes::ECHO);
        // With the last hold on the other side gone, the reader comes to its end.
        drop(self.pts);
        self.reader.join().unwrap();
        output.screen = String::from_utf8_lossy(&self.screen.0.lock().unwrap()).into_owned();
        self.invocation.see(&output);
        (output, echoes)
    }
}

fn read_screen(mut pty: &Pty, screen: &(Mutex<Vec<u8>>, Condvar)) {
    let mut buffer = [0; 4096];
    // Linux ends a terminal without a program with EIO, others with an end of file.
    while let Ok(length @ 1..) = pty.read(&mut buffer) {
        screen.0.lock().unwrap().extend(&buffer[..length]);
        screen.1.notify_all();
    }
}

#[test]
fn a_person_at_the_terminal_reads_types_and_interrupts() {
    let case = super::Case::new();
    let script = "stty -echo; printf 'word: '; read word; stty echo; echo \"got ${#word}\"; exec sleep 60";
    let mut terminal = case.command("sh", &["-c", script]).on_terminal();
    terminal.expect("word: ").expect_hidden().type_line("abc").expect("got 3").press("\x03");
    let (output, echoes) = terminal.finish();
    output.dies_of(Signal::INT);
    assert!(echoes && !output.screen.contains("abc"), "{}", output.screen);
}

#[test]
fn captured_streams_do_not_reach_the_terminal() {
    let case = super::Case::new();
    let script = "echo out; echo err >&2; echo asked > /dev/tty; read answer < /dev/tty; echo $answer";
    let mut terminal = case.command("sh", &["-c", script]).on_terminal_captured();
    terminal.expect("asked").type_line("answered");
    let (output, _) = terminal.finish();
    output.succeeds().stdout("out\nanswered\n").stderr("err\n");
    assert!(!output.screen.contains("err"));
}

#[test]
fn a_program_without_a_terminal_can_not_open_one() {
    super::Case::new().command("sh", &["-c", "exec 3<> /dev/tty"]).run().exits(2);
}
