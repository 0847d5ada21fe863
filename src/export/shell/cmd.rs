//! Windows' cmd, which has no `eval`: `for /f` hands each line to `set "%i"`. So nothing that is printed is run as a command.
//! https://learn.microsoft.com/windows-server/administration/windows-commands/for

use zeroize::Zeroizing;

/// A command line has 8191 characters at most, `set` and the name among them.
const LONGEST_VALUE: usize = 8000;

/// What may be taken for a variable or for the end of the value, by settings of cmd's own, and what is read in the console's
/// encoding. A session of AWS holds none of it.
pub fn obstacle(value: &str) -> Option<&'static str> {
    let ambiguous = |c: char| matches!(c, '"' | '%' | '!');
    if value.is_empty() {
        Some("is empty")
    } else if value.contains(char::is_control) {
        Some("holds a line break or another control character")
    } else if !value.is_ascii() {
        Some("holds characters that are not ASCII")
    } else if value.contains(ambiguous) {
        Some(r#"holds one of " % !"#)
    } else if value.len() > LONGEST_VALUE {
        Some("is longer than a command line may be")
    } else {
        None
    }
}

pub fn set(name: &str, value: &str) -> Zeroizing<String> {
    Zeroizing::new(format!("{name}={value}\n"))
}

/// `set` takes a variable away whose value is empty.
pub fn unset(name: &str) -> String {
    format!("{name}=\n")
}
