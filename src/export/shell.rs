//! Variables in the words of a shell, to be evaluated by it.

use zeroize::Zeroizing;

use super::environment::Variables;

/// Who reads the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shell {
    /// POSIX: dash, bash, zsh, ksh.
    Sh,
    /// Programs.
    Json,
}

/// The text, with a newline at its end; a secret.
pub fn render(shell: Shell, variables: &Variables) -> Zeroizing<String> {
    let _ = (shell, variables);
    todo!()
}
