//! Windows' cmd, by `for /f`, or from a batch file.
//! https://learn.microsoft.com/windows-server/administration/windows-commands/set_1

use zeroize::Zeroizing;

/// A command line ends there.
const LONGEST_LINE: usize = 8191;

/// What means one thing to `for /f`, another in a batch file, and yet another where delayed expansion is on; and what is read
/// in the console's own encoding. A session of AWS holds none of it.
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
    } else if value.len() > LONGEST_LINE - 100 {
        Some("is longer than a command line may be")
    } else {
        None
    }
}

/// The quotes take the meaning from `& | < > ^`, and are no part of the value.
pub fn set(name: &str, value: &str) -> Zeroizing<String> {
    Zeroizing::new(format!("set \"{name}={value}\"\n"))
}

pub fn unset(name: &str) -> String {
    format!("set \"{name}=\"\n")
}
