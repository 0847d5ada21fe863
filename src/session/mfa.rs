//! Where an MFA code comes from: given in advance, printed by the profile's own command, or typed by a person.

use std::io;
use std::time::Duration;

use thiserror::Error;

use super::ladder::{Device, Ladder, Rung};
use crate::names::{MfaCode, MfaSerial, ProfileName};

/// A person gets this many tries; a code from elsewhere would only be wrong again.
pub const TRIES: u32 = 3;

/// What a prompt has to show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CodePrompt<'a> {
    /// The user profile whose device it is.
    pub profile: &'a ProfileName,
    pub user_arn: Option<&'a str>,
    pub serial: &'a MfaSerial,
    /// The session that takes a code of its own, whatever sessions there are.
    pub long: Option<(&'a ProfileName, Duration)>,
    /// From 1 to [`TRIES`].
    pub try_number: u32,
    pub why: Why,
}

/// Why a code is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    First,
    /// Not six digits; nothing was sent.
    Malformed,
    /// AWS accepted this code before; nothing was sent.
    Used {
        next_in: Duration,
    },
    /// AWS refused the last one.
    Wrong,
}

/// As long as it lives, a lock of the vault finds the process that waits.
pub trait Waiting {}

/// The ways to a code that belong to whoever runs the program.
pub trait CodeAsker {
    /// What was given in advance by flag, stdin or variable, as it was given. A second call in one run gives nothing: a
    /// code works once.
    fn given(&mut self) -> Result<Option<String>, CodeError>;

    /// Runs a profile's `mfa_process` and returns what it printed.
    fn run(&mut self, words: &str) -> Result<String, CodeError>;

    /// Another process is getting the same session, and is waited for: with an access key at hand, as if a person were.
    fn waiting(&mut self, profile: &ProfileName, pid: Option<u32>) -> Option<Box<dyn Waiting>>;

    /// Whether nobody wants the session any more.
    fn is_over(&self) -> bool {
        false
    }

    /// Asks the person at the terminal.
    fn ask(&mut self, prompt: &CodePrompt) -> Result<String, CodeError>;
}

#[derive(Debug, Error)]
pub enum CodeError {
    /// Nothing was given and there is nobody to ask.
    #[error("there is no terminal to ask on")]
    NoTerminal,
    /// The person gave up.
    #[error("cancelled")]
    Cancelled,
    #[error("an MFA code is six digits")]
    Malformed { serial: MfaSerial, from: CodeFrom },
    #[error("the code was used already")]
    Used { next_in: Duration },
    #[error("wrong code")]
    Wrong { serial: MfaSerial, from: CodeFrom },
    #[error("mfa_process failed: {cause}")]
    Process { cause: String },
    #[error(transparent)]
    Io(#[from] io::Error),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CodeFrom {
    Given,
    Process,
    Terminal,
}

/// One code after the other for one call, until it is accepted or the tries are spent.
pub(super) struct Codes<'a> {
    device: &'a Device,
    profile: &'a ProfileName,
    user_arn: Option<&'a str>,
    long: Option<(&'a ProfileName, Duration)>,
    tries_made: u32,
    from: CodeFrom,
}

impl<'a> Codes<'a> {
    /// For the call that makes this session, as `ladder` leads to it.
    pub fn new(device: &'a Device, ladder: &'a Ladder, rung: &'a Rung) -> Self {
        Self {
            device,
            profile: &ladder.user,
            user_arn: ladder.user_arn.as_deref(),
            long: rung.too_long_to_be_chained(),
            tries_made: 0,
            from: CodeFrom::Given,
        }
    }

    /// The next code to try. `why` says why the one before was not good enough; a code that nobody typed is not
    /// asked for again.
    pub fn next(&mut self, asker: &mut dyn CodeAsker, mut why: Why) -> Result<MfaCode, CodeError> {
        loop {
            self.give_up(why)?;
            let text = self.text(asker, why)?;
            self.tries_made += 1;
            match text.parse() {
                Ok(code) => return Ok(code),
                Err(_) => why = Why::Malformed,
            }
        }
    }

    fn give_up(&self, why: Why) -> Result<(), CodeError> {
        let may_go_on = self.tries_made == 0 || self.from == CodeFrom::Terminal && self.tries_made < TRIES;
        if may_go_on {
            return Ok(());
        }
        Err(match why {
            Why::First | Why::Malformed => CodeError::Malformed { serial: self.device.serial.clone(), from: self.from },
            Why::Used { next_in } => CodeError::Used { next_in },
            Why::Wrong => CodeError::Wrong { serial: self.device.serial.clone(), from: self.from },
        })
    }

    fn text(&mut self, asker: &mut dyn CodeAsker, why: Why) -> Result<String, CodeError> {
        if self.tries_made == 0 {
            if let Some(text) = asker.given()? {
                return Ok(text);
            }
            if let Some(words) = &self.device.process {
                self.from = CodeFrom::Process;
                return asker.run(words);
            }
        }
        self.from = CodeFrom::Terminal;
        asker.ask(&CodePrompt {
            profile: self.profile,
            user_arn: self.user_arn,
            serial: &self.device.serial,
            long: self.long,
            try_number: self.tries_made + 1,
            why,
        })
    }
}
