//! fish. Between single quotes only a backslash and a single quote have a meaning.
//! https://fishshell.com/docs/current/language.html#quotes

use zeroize::Zeroizing;

/// One line, whatever the value: `eval (vault env ...)` would take a line break in it for the end of a command, where
/// `| source` does not.
pub fn set(name: &str, value: &str) -> Zeroizing<String> {
    let mut text = Zeroizing::new(format!("set -gx {name} '"));
    for character in value.chars() {
        match character {
            '\\' => text.push_str(r"\\"),
            '\'' => text.push_str(r"\'"),
            '\n' => text.push_str(r"'\n'"),
            other => text.push(other),
        }
    }
    text.push_str("';\n");
    text
}

/// Of this shell alone. A universal variable is every shell's, now and later, and nothing but erasing it keeps it from the
/// programs that this one starts: that is for the person to do, who is told.
pub fn unset(name: &str) -> String {
    format!(
        "set -eg {name}; if set -qUx {name}; echo 'vault: warning: {name} is set for every shell, and stays; \
         set -eU {name} erases it' >&2; end;\n"
    )
}
