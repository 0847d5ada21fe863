//! Where MFA codes come from: the command line, a variable, the profile's command, the terminal.

use std::io::Read;

use crate::duration;
use crate::names::{ProfileName, arn_account, arn_user_name};
use crate::process::{self, HeldSignals, RunError};
use crate::session::{CodeAsker, CodeError, CodePrompt, Waiting, Why};

use super::asking::Asking;
use super::escape::escape;
use super::report;
use super::sign_in_args::{CodeGiven, SignInArgs};
use super::terminal::{PromptError, Terminal};
use super::world::World;

/// Gets MFA codes from where this command line says, else from the terminal.
pub struct Asker<'a, 'w> {
    world: &'a World<'w>,
    given: Option<CodeGiven>,
    signals: Option<&'a HeldSignals>,
}

impl<'a, 'w> Asker<'a, 'w> {
    pub fn new(world: &'a World<'w>, args: &SignInArgs) -> Self {
        Self { world, given: args.code_given(), signals: None }
    }

    /// While these are held, one that comes ends the asking rather than the program.
    pub fn holding(self, signals: Option<&'a HeldSignals>) -> Self {
        Self { signals, ..self }
    }
}

impl CodeAsker for Asker<'_, '_> {
    fn given(&mut self) -> Result<Option<String>, CodeError> {
        match self.given.take() {
            Some(CodeGiven::Code(code)) => Ok(Some(code.as_str().to_owned())),
            Some(CodeGiven::OnStandardInput) => read_line_of_input().map(Some),
            None => Ok(self.world.environment.text("VAULT_MFA_CODE").map(str::to_owned)),
        }
    }

    fn run(&mut self, words: &str) -> Result<String, CodeError> {
        // It may ask a person in its own way, and an access key is at hand as long.
        let _asking = Asking::say();
        let mut hear = |line: &str| self.world.say(&format!("mfa_process: {}", escape(line)));
        let printed = process::output_of(words, &self.world.environment, &mut hear);
        let printed = printed.map_err(|error| match error {
            RunError::Unwanted { .. } => CodeError::Cancelled,
            error => CodeError::Process { cause: error.to_string() },
        })?;
        Ok(String::from_utf8_lossy(&printed).trim().to_owned())
    }

    fn waiting(&mut self, profile: &ProfileName, pid: Option<u32>) -> Option<Box<dyn Waiting>> {
        let asking = Asking::say();
        let other = report::process(pid);
        self.world.say(&format!("waiting for {other}, which is getting the session of `{profile}`"));
        Some(Box::new(asking))
    }

    fn is_over(&self) -> bool {
        self.signals.is_some() && HeldSignals::one_came()
    }

    fn ask(&mut self, prompt: &CodePrompt) -> Result<String, CodeError> {
        let failed = |error| match error {
            PromptError::NoTerminal => CodeError::NoTerminal,
            PromptError::Ended => CodeError::Cancelled,
            PromptError::Io(error) => CodeError::Io(error),
        };
        let mut terminal = Terminal::open().map_err(failed)?.holding(self.signals);
        match prompt.why {
            Why::First => prompt.long.into_iter().for_each(|(role, life)| {
                let life = duration::words(life);
                terminal.show(&format!(
                    "`{role}` for {life} takes a code of its own: AWS lets a session assume a role for an hour at most.\n"
                ));
            }),
            Why::Malformed => terminal.show("A code is six digits.\n"),
            Why::Used { next_in } => {
                terminal.show(&format!("That code was used already; the next comes in {} s.\n", next_in.as_secs()))
            }
            Why::Wrong => terminal.show("AWS did not take that code; wait for the next one.\n"),
        }
        terminal.ask(&prompt_text(prompt)).map_err(failed)
    }
}

/// For sessions that are to cost no code.
pub struct AsksNobody;

impl CodeAsker for AsksNobody {
    fn given(&mut self) -> Result<Option<String>, CodeError> {
        Ok(None)
    }

    fn run(&mut self, _words: &str) -> Result<String, CodeError> {
        Err(CodeError::NoTerminal)
    }

    fn waiting(&mut self, _profile: &ProfileName, _pid: Option<u32>) -> Option<Box<dyn Waiting>> {
        Some(Box::new(Asking::say()))
    }

    fn is_over(&self) -> bool {
        HeldSignals::one_came()
    }

    fn ask(&mut self, _prompt: &CodePrompt) -> Result<String, CodeError> {
        Err(CodeError::NoTerminal)
    }
}

/// Names user, account and device: whoever is asked for a code must be able to tell what for.
fn prompt_text(prompt: &CodePrompt) -> String {
    let arn = prompt.user_arn.unwrap_or_default();
    let user = arn_user_name(arn).map(|user| format!("{user}, ")).unwrap_or_default();
    let account = arn_account(arn).map(|account| format!("account {account}, ")).unwrap_or_default();
    format!("MFA code for {} ({}{}{}): ", prompt.profile, escape(&user), escape(&account), prompt.serial)
}

/// One line, and not a byte more: what follows belongs to the command that `exec` starts.
fn read_line_of_input() -> Result<String, CodeError> {
    let mut input = process::standard_input()?;
    let mut line = Vec::new();
    let mut byte = [0];
    while line.len() < 64 && input.read(&mut byte)? == 1 && byte[0] != b'\n' {
        line.push(byte[0]);
    }
    Ok(String::from_utf8_lossy(&line).into_owned())
}
