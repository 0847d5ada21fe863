//! What a command stands in: the variables, the disk, the clock, the flags every command shares, and the two ways out.

use std::cell::{Cell, RefCell};
use std::ffi::OsString;
use std::io::{self, Read, Write};
use std::str::FromStr;

use anstyle::{AnsiColor, Style};
use jiff::Timestamp;

use crate::aws::CaBundle;
use crate::clock::{Clock, SystemClock};
use crate::disk::{Disk, RealDisk};
use crate::log::{self, Event};
use crate::names::NameError;
use crate::paths::{Environment, Paths};
use crate::process::{self, Hardened};
use crate::secret::SecretBytes;
use crate::store::file::Place;
use crate::store::plugin::{NoPlugins, PluginHost};
use crate::store::vault::Stamp;

use super::escape::escape;
use super::failure::Failure;
use super::held_key::{self, HeldKey};
use super::opening::UnlockArgs;
use super::stamper::{Stamper, whole_seconds};

/// The system's own bundles have a quarter of this.
const MOST_CERTIFICATES: u64 = 1024 * 1024;

/// A secret or a code; never more.
const MOST_INPUT: u64 = 64 * 1024;

pub struct World<'a> {
    pub environment: Environment,
    /// What this program was called when it was started.
    pub started_as: OsString,
    pub paths: Paths,
    pub disk: &'a dyn Disk,
    pub clock: &'a dyn Clock,
    pub plugins: &'a dyn PluginHost,
    pub hardened: Hardened,
    pub unlock: UnlockArgs,
    pub held_key: &'a HeldKey<'a>,
    /// Whether the agent has let this command wait in vain: nobody waits for it twice.
    pub agent_is_silent: Cell<bool>,
    /// Whether it was said that this machine's clock is wrong: once is enough, also for a thousand keys.
    pub clock_is_told: Cell<bool>,
    pub output: RefCell<Box<dyn Write + 'a>>,
    pub messages: RefCell<Box<dyn Write + 'a>>,
}

impl<'a> World<'a> {
    /// This machine, with nobody to ask and nobody to tell: what needs either is given to it.
    pub fn of_this_process(environment: Environment, started_as: OsString, paths: Paths, hardened: Hardened) -> Self {
        Self {
            environment,
            started_as,
            paths,
            disk: &RealDisk,
            clock: &SystemClock,
            plugins: &NoPlugins,
            hardened,
            unlock: UnlockArgs::default(),
            held_key: &held_key::by_agent,
            agent_is_silent: Cell::new(false),
            clock_is_told: Cell::new(false),
            output: RefCell::new(Box::new(io::stdout())),
            messages: RefCell::new(Box::new(io::sink())),
        }
    }

    /// Data: what the command was asked for. A reader that went away (`vault list | head`) is no error.
    pub fn print(&self, text: &str) -> Result<(), Failure> {
        let mut output = self.output.borrow_mut();
        match output.write_all(text.as_bytes()).and_then(|()| output.flush()) {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Err(Failure::ReaderGone),
            other => other.map_err(Failure::Output),
        }
    }

    /// Data as JSON, one document, its shape's version first.
    pub fn print_json(&self, value: serde_json::Value) -> Result<(), Failure> {
        let mut document = serde_json::Map::new();
        document.insert("version".to_owned(), 1.into());
        if let serde_json::Value::Object(fields) = value {
            document.extend(fields);
        }
        self.print(&format!("{:#}\n", serde_json::Value::Object(document)))
    }

    /// What happened, for the person. Nobody listening is no reason to stop.
    pub fn say(&self, text: &str) {
        let _ = writeln!(self.messages.borrow_mut(), "{text}");
    }

    pub fn warn(&self, text: &str) {
        let style = Style::new().fg_color(Some(AnsiColor::Yellow.into()));
        self.say(&format!("vault: {style}warning{style:#}: {text}"));
    }

    pub fn hint(&self, text: &str) {
        self.say(&format!("vault: hint: {text}"));
    }

    /// What a variable of the AWS tools names; none where it is not set.
    pub fn name_in<T: FromStr<Err = NameError>>(&self, variable: &'static str) -> Result<Option<T>, Failure> {
        let parsed = self.environment.text(variable).map(str::parse).transpose();
        parsed.map_err(|error| Failure::BadVariable { name: variable, error })
    }

    /// The certificates that AWS_CA_BUNDLE names, as for the other AWS tools: networks that open TLS need it.
    pub fn ca_bundle(&self) -> Result<Option<CaBundle>, Failure> {
        let Some(path) = self.environment.path("AWS_CA_BUNDLE") else { return Ok(None) };
        let (pem, _) = self
            .disk
            .read_named(&path, MOST_CERTIFICATES)
            .map_err(|error| Failure::CaBundleFile { path: path.clone(), error })?;
        CaBundle::from_pem(&pem).map(Some).map_err(|error| Failure::CaBundle { path, error })
    }

    /// A log that can't be written is worth a warning, not a refusal.
    pub fn log(&self, event: &Event) {
        if let Err(error) = log::append(self.disk, &self.paths.state, self.clock.now(), event) {
            self.warn(&format!("the log could not be written: {error}"));
        }
    }

    pub fn place(&self) -> Place<'a> {
        Place::new(self.disk, &self.paths.vault, &self.paths.state).with_plugins(self.plugins)
    }

    /// All of standard input, unbuffered: what passes through holds a secret.
    pub fn read_input(&self) -> Result<SecretBytes, Failure> {
        let mut bytes = SecretBytes::default();
        let input = process::standard_input().map_err(Failure::Input)?;
        input.take(MOST_INPUT).read_to_end(&mut bytes).map_err(Failure::Input)?;
        Ok(bytes)
    }

    /// To the second: nobody reads more, and it is shown as it is stored.
    pub fn now(&self) -> Timestamp {
        whole_seconds(self.clock.now())
    }

    /// Who saves, and when.
    pub fn stamp(&self) -> Stamp {
        self.stamper().stamp()
    }

    /// For many saves.
    pub fn stamper(&self) -> Stamper<'a> {
        Stamper::new(self.disk, &self.paths.state, self.clock)
    }

    /// The vault's path, as shown in prompts and messages.
    pub fn vault_shown(&self) -> String {
        escape(&self.paths.shown(&self.paths.vault))
    }
}
