//! Variables in the words of a shell, to be evaluated by it. Values are quoted whatever they hold: a session token comes
//! from the network. What a shell can't be given exactly, it is not given at all.

mod cmd;
mod dotenv;
mod fish;
mod json;
mod nushell;
mod posix;
mod powershell;
#[cfg(test)]
mod tests;

use thiserror::Error;
use zeroize::Zeroizing;

use super::environment::Variables;

/// Who reads the text; the line that has it evaluated there is each one's help.
#[derive(clap::ValueEnum, Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shell {
    /// dash, bash, zsh, ksh: eval "$(vault env NAME)"
    #[value(aliases = ["bash", "dash", "ksh", "zsh"])]
    Sh,
    /// vault env NAME --shell fish | source
    Fish,
    /// vault env NAME --shell powershell | Invoke-Expression
    #[value(alias = "pwsh")]
    Powershell,
    /// for /f "delims=" %i in ('vault env NAME --shell cmd') do @set "%i"
    Cmd,
    /// vault env NAME --shell nushell | from json | load-env
    #[value(alias = "nu")]
    Nushell,
    /// vault env NAME --shell dotenv | docker run --env-file /dev/stdin IMAGE
    Dotenv,
    /// For programs
    Json,
}

impl Shell {
    /// As it is called by those who use it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Sh => "a POSIX shell",
            Self::Fish => "fish",
            Self::Powershell => "PowerShell",
            Self::Cmd => "cmd",
            Self::Nushell => "nushell",
            Self::Dotenv => "a dotenv file",
            Self::Json => "JSON",
        }
    }

    /// What in a value can't be written so that it arrives; nothing of the value itself.
    fn obstacle(self, value: &str) -> Option<&'static str> {
        match self {
            Self::Json => None,
            // No variable of a process can hold it.
            _ if value.contains('\0') => Some("holds a NUL"),
            Self::Sh | Self::Fish | Self::Nushell => None,
            Self::Powershell => powershell::obstacle(value),
            Self::Cmd => cmd::obstacle(value),
            Self::Dotenv => dotenv::obstacle(value),
        }
    }
}

/// Never with the value, which is a secret.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum ShellError {
    #[error("{} can't be given {variable}: its value {obstacle}", shell.name())]
    CannotCarry { shell: Shell, variable: &'static str, obstacle: &'static str },
    #[error("{} can't take variables away", shell.name())]
    CannotUnset { shell: Shell },
}

/// The text, its last line ended; a secret.
pub fn render(shell: Shell, variables: &Variables) -> Result<Zeroizing<String>, ShellError> {
    for (variable, value) in variables.set() {
        if let Some(obstacle) = shell.obstacle(value) {
            return Err(ShellError::CannotCarry { shell, variable, obstacle });
        }
    }
    Ok(match shell {
        Shell::Sh => lines(variables, posix::unset, posix::set),
        Shell::Fish => lines(variables, fish::unset, fish::set),
        Shell::Powershell => lines(variables, powershell::unset, powershell::set),
        Shell::Cmd => lines(variables, cmd::unset, cmd::set),
        // Who gives such a file to a program starts it without what this leaves out; alone it would be an empty file.
        Shell::Dotenv if variables.set().next().is_none() => return Err(ShellError::CannotUnset { shell }),
        Shell::Dotenv => lines(variables, |_| String::new(), dotenv::set),
        Shell::Nushell => nushell::record(variables),
        Shell::Json => json::document(variables),
    })
}

/// What is to go first: a shell that stops half-way must not be left with two identities.
fn lines(
    variables: &Variables,
    unset: impl Fn(&str) -> String,
    set: impl Fn(&str, &str) -> Zeroizing<String>,
) -> Zeroizing<String> {
    let mut text = Zeroizing::new(String::new());
    for name in variables.unset() {
        text.push_str(&unset(name));
    }
    for (name, value) in variables.set() {
        text.push_str(&set(name, value));
    }
    text
}
