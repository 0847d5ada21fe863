//! One start of a program in a case's world: its words, its variables, what comes through stdin.

use std::ffi::{OsStr, OsString};
use std::io::Write;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use super::{Case, Conversation, Output, Terminal, output};

#[must_use = "nothing runs yet"]
pub struct Invocation<'a> {
    pub(super) case: &'a Case,
    program: OsString,
    arguments: Vec<OsString>,
    variables: Vec<(OsString, Option<OsString>)>,
    stdin: Option<Vec<u8>>,
    shows_secrets: bool,
}

impl<'a> Invocation<'a> {
    pub(super) fn new(case: &'a Case, program: &OsStr, arguments: &[impl AsRef<OsStr>]) -> Self {
        Self {
            case,
            program: program.to_owned(),
            arguments: arguments.iter().map(|argument| argument.as_ref().to_owned()).collect(),
            variables: Vec::new(),
            stdin: None,
            shows_secrets: false,
        }
    }

    /// The same, started by another program: a tracer, a tool that shifts the clock.
    pub fn under(mut self, program: impl AsRef<OsStr>, options: &[impl AsRef<OsStr>]) -> Self {
        let words = options.iter().map(|option| option.as_ref().to_owned()).chain([self.program]);
        self.arguments = words.chain(self.arguments).collect();
        self.program = program.as_ref().to_owned();
        self
    }

    /// What comes through stdin; without this it is closed.
    pub fn stdin(mut self, bytes: impl AsRef<[u8]>) -> Self {
        self.stdin = Some(bytes.as_ref().to_vec());
        self
    }

    pub fn variable(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.variables.push((name.into(), Some(value.as_ref().to_owned())));
        self
    }

    pub fn without_variable(mut self, name: &str) -> Self {
        self.variables.push((name.into(), None));
        self
    }

    /// Nothing at hand that opens the vault: it has to be asked for, or come by what the test gives.
    pub fn asking(self) -> Self {
        self.without_variable("VAULT_PASSPHRASE_FILE").without_variable("VAULT_IDENTITY")
    }

    /// What is said here was asked for by name (`reveal`).
    pub fn may_show_secrets(mut self) -> Self {
        self.shows_secrets = true;
        self
    }

    /// Runs it to its end without a terminal.
    pub fn run(self) -> Output {
        self.start().finish()
    }

    /// Starts it without a terminal, also where the tests themselves have one.
    pub fn start(self) -> Running<'a> {
        let mut command = self.prepare();
        command.stdin(if self.stdin.is_some() { Stdio::piped() } else { Stdio::null() });
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        // SAFETY: setsid is async-signal-safe and touches no memory.
        unsafe { command.pre_exec(|| Ok(rustix::process::setsid().map(drop)?)) };
        let mut child = command.spawn().unwrap_or_else(|error| panic!("{:?}: {error}", self.program));
        if let (Some(bytes), Some(mut stdin)) = (&self.stdin, child.stdin.take()) {
            // A program that ends without reading is no fault of the test.
            let _ = stdin.write_all(bytes);
        }
        Running { invocation: self, child }
    }

    /// Starts it without a terminal, to be told line by line what to do; what it says on stderr is for whoever runs the test.
    pub fn converse(self) -> Conversation<'a> {
        let command = self.prepare();
        Conversation::start(command, self)
    }

    /// Runs it in a terminal of its own, with all three standard streams on it.
    pub fn on_terminal(self) -> Terminal<'a> {
        let command = self.prepare();
        Terminal::start(command, self, false, None)
    }

    /// The same in one of so many columns and rows; others don't tell their size.
    pub fn on_terminal_of(self, columns: u16, rows: u16) -> Terminal<'a> {
        let command = self.prepare();
        Terminal::start(command, self, false, Some(pty_process::Size::new(rows, columns)))
    }

    /// Runs it in a terminal, but with stdin closed and stdout and stderr going elsewhere, as in `$(vault ... 2>&1)`.
    pub fn on_terminal_captured(self) -> Terminal<'a> {
        let command = self.prepare();
        Terminal::start(command, self, true, None)
    }

    fn prepare(&self) -> Command {
        let case = self.case;
        let mut command = Command::new(&self.program);
        command.args(&self.arguments).current_dir(case.home()).env_clear();
        command.env("HOME", case.home()).env("TMPDIR", case.folder.path().join("tmp"));
        command
            .env("PATH", "/usr/local/bin:/usr/bin:/bin")
            .env("LANG", "C.UTF-8")
            .env("TZ", "UTC")
            .env("TERM", "xterm");
        command.env("AWS_ENDPOINT_URL", case.sim.endpoint());
        // A case about the agent removes it: one that a case leaves behind would outlive it.
        command.env("VAULT_NO_AGENT", "1");
        for (name, value) in &self.variables {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
        self.check_arguments();
        command
    }

    /// Any user of the machine can read a command line; so a test must not put a secret there either.
    fn check_arguments(&self) {
        let line = self.arguments.join(OsStr::new(" "));
        let found = self.case.secrets.borrow().found_in("the command line", line.as_encoded_bytes(), false);
        assert!(found.is_empty(), "{}", found.join("\n"));
    }

    pub(super) fn told(&self) -> String {
        let words = self.arguments.iter().map(|word| word.to_string_lossy().into_owned());
        format!("$ {} {}", Path::new(&self.program).file_name().unwrap().display(), words.collect::<Vec<_>>().join(" "))
    }

    pub(super) fn see(&self, output: &Output) {
        if self.shows_secrets {
            return;
        }
        // Sessions may go to stdout (`env`, `get`): that is where they are asked for. Long-term secrets never.
        self.case.see(&format!("stdout of {}", self.told()), output.out.as_bytes());
        self.case.see(&format!("stderr of {}", self.told()), output.err.as_bytes());
        self.case.see(&format!("terminal of {}", self.told()), output.screen.as_bytes());
    }
}

/// A started program; several can run at once.
pub struct Running<'a> {
    invocation: Invocation<'a>,
    child: Child,
}

impl Running<'_> {
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    pub fn finish(self) -> Output {
        let output = output::collect(self.child, &self.invocation.told());
        self.invocation.see(&output);
        output
    }
}
