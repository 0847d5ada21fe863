//! What is said with a plugin (C2SP's age-plugin, version 1): first we tell it everything, then it asks and answers until it
//! is done.

use std::any::Any;
use std::io;
use std::path::Path;

use age_core::format::Stanza;
use base64::Engine;
use base64::prelude::BASE64_STANDARD_NO_PAD as BASE64;
use zeroize::{Zeroize, Zeroizing};

use super::{PluginError, Plugins, Unanswered, stanza};
use crate::process::{Conversation, check_program};
use crate::secret::SecretBytes;

/// No stanza of a header that we would read is longer.
const LONGEST_STANZA: usize = 64 * 1024;
/// A plugin that never comes to its end.
const MOST_COMMANDS: usize = 1024;

/// One run of a plugin.
pub struct Talk<'a> {
    conversation: Conversation,
    plugin: &'a str,
    plugins: &'a Plugins<'a>,
    unanswered: Option<Unanswered>,
    refusal: Option<String>,
    _talking: Box<dyn Any>,
}

impl<'a> Talk<'a> {
    /// Starts what stands at this path, if still nobody else can put something there.
    pub fn start(
        plugins: &'a Plugins<'a>,
        plugin: &'a str,
        program: &Path,
        purpose: &str,
    ) -> Result<Self, PluginError> {
        let environment = plugins.environment()?;
        check_program(program)?;
        let purpose = format!("--age-plugin={purpose}");
        let talking = plugins.host.talking();
        let conversation = Conversation::start(program, &[&purpose], environment).map_err(PluginError::Start)?;
        Ok(Self { conversation, plugin, plugins, unanswered: None, refusal: None, _talking: talking })
    }

    pub fn tell(&mut self, tag: &str, arguments: &[&str], body: &[u8]) -> Result<(), PluginError> {
        self.conversation.say(&stanza::encode(tag, arguments, body)).map_err(failed)
    }

    /// Lets it talk until it is done. `take` says whether a command that belongs to the purpose was one, and a good one.
    pub fn listen(&mut self, mut take: impl FnMut(&Stanza) -> Option<bool>) -> Result<(), PluginError> {
        self.tell("done", &[], b"")?;
        for _ in 0..MOST_COMMANDS {
            let mut command = self.receive()?;
            match command.tag.as_str() {
                "done" => return Ok(()),
                "msg" => self.hear(&command)?,
                "confirm" => self.confirm(&command)?,
                "request-public" => self.ask(&command, false)?,
                "request-secret" => self.ask(&command, true)?,
                "error" => self.refused(&command)?,
                _ => self.answer(match take(&command) {
                    Some(true) => "ok",
                    Some(false) => "fail",
                    None => "unsupported",
                })?,
            }
            command.body.zeroize();
        }
        Err(PluginError::Nonsense)
    }

    /// What it said of itself, for who got nothing from it.
    pub fn why(&mut self) -> Option<PluginError> {
        let unanswered = self.unanswered.take().map(PluginError::Unanswered);
        unanswered.or_else(|| self.why_refused())
    }

    /// An error that it reported, which counts whatever else it said.
    pub fn why_refused(&mut self) -> Option<PluginError> {
        self.refusal.take().map(PluginError::Refused)
    }

    fn receive(&mut self) -> Result<Stanza, PluginError> {
        // Room for all of it: a vector that grows leaves parts of a file key behind.
        let mut text = SecretBytes::new(Vec::with_capacity(LONGEST_STANZA));
        loop {
            let line = Zeroizing::new(self.conversation.hear_line().map_err(failed)?);
            // Else a line that is none would have the rest waited for.
            if stanza::is_too_long(&line) || text.len() + line.len() > LONGEST_STANZA {
                return Err(PluginError::Nonsense);
            }
            text.extend_from_slice(&line);
            if stanza::is_last(&line) {
                return stanza::decode(&text).ok_or(PluginError::Nonsense);
            }
        }
    }

    fn answer(&mut self, word: &str) -> Result<(), PluginError> {
        self.tell(word, &[], b"")
    }

    fn hear(&mut self, command: &Stanza) -> Result<(), PluginError> {
        self.plugins.host.hear(self.plugin, &String::from_utf8_lossy(&command.body));
        self.answer("ok")
    }

    fn refused(&mut self, command: &Stanza) -> Result<(), PluginError> {
        // The first error is the cause of the others.
        self.refusal.get_or_insert_with(|| String::from_utf8_lossy(&command.body).into_owned());
        self.answer("ok")
    }

    fn ask(&mut self, command: &Stanza, hidden: bool) -> Result<(), PluginError> {
        match self.plugins.host.ask(self.plugin, &String::from_utf8_lossy(&command.body), hidden) {
            Ok(text) => self.tell("ok", &[], text.as_bytes()),
            Err(unanswered) => self.not_answered(unanswered),
        }
    }

    fn confirm(&mut self, command: &Stanza) -> Result<(), PluginError> {
        let choice =
            |argument: &String| BASE64.decode(argument).map(|text| String::from_utf8_lossy(&text).into_owned());
        let choices: Result<Vec<String>, _> = command.args.iter().map(choice).collect();
        let (yes, no) = match choices.as_deref() {
            Ok([yes]) => (yes, None),
            Ok([yes, no]) => (yes, Some(no.as_str())),
            _ => return Err(PluginError::Nonsense),
        };
        match self.plugins.host.confirm(self.plugin, &String::from_utf8_lossy(&command.body), yes, no) {
            Ok(true) => self.tell("ok", &["yes"], b""),
            Ok(false) => self.tell("ok", &["no"], b""),
            Err(unanswered) => self.not_answered(unanswered),
        }
    }

    /// The plugin may have another way, so that it is for it to give up.
    fn not_answered(&mut self, unanswered: Unanswered) -> Result<(), PluginError> {
        self.unanswered = Some(unanswered);
        self.answer("fail")
    }
}

fn failed(error: io::Error) -> PluginError {
    match error.kind() {
        io::ErrorKind::TimedOut => PluginError::TimedOut,
        io::ErrorKind::UnexpectedEof | io::ErrorKind::BrokenPipe => PluginError::Died,
        io::ErrorKind::InvalidData => PluginError::Nonsense,
        _ => PluginError::Talk(error),
    }
}
