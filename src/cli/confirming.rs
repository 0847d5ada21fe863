//! A question that only a yes lets the command go on after.

use super::failure::Failure;
use super::need::Need;
use super::terminal::{PromptError, Terminal};

/// Enter alone is a no.
pub fn confirm(question: &str, need: Need) -> Result<(), Failure> {
    confirm_after(|_| (), question, need)
}

/// For who has something to show first, which nobody is to see where nobody can be asked.
pub fn confirm_after(show: impl FnOnce(&mut Terminal), question: &str, need: Need) -> Result<(), Failure> {
    decided_by(need, |terminal| {
        show(terminal);
        terminal.confirm(question, false)
    })
}

/// What is too grave for a single key: only the whole word is a yes.
pub fn confirm_in_full(question: &str, need: Need) -> Result<(), Failure> {
    decided_by(need, |terminal| terminal.confirm_in_full(question))
}

fn decided_by(need: Need, ask: impl FnOnce(&mut Terminal) -> Result<bool, PromptError>) -> Result<(), Failure> {
    match Terminal::open().and_then(|mut terminal| ask(&mut terminal)) {
        Ok(true) => Ok(()),
        Ok(false) => Err(Failure::Declined),
        Err(error) => Err(Failure::prompt(error, need)),
    }
}
