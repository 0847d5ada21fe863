//! Words for what a shell can't be told.

use crate::export::shell::ShellError;

use super::{Report, Status};

pub fn report(error: &ShellError) -> Report {
    match error {
        ShellError::CannotCarry { .. } => Report::new(Status::State, error.to_string())
            .hint("`vault exec NAME -- COMMAND` needs no shell; `vault env NAME --shell json` holds any value"),
        ShellError::CannotUnset { .. } => Report::new(Status::Usage, error.to_string())
            .hint("name the shell that the variables are to be taken from, such as `vault env --unset --shell sh`"),
    }
}
