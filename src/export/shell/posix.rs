//! dash, bash, zsh, ksh, busybox. Between single quotes nothing has a meaning but a single quote.

use zeroize::Zeroizing;

/// Each line ends in a semicolon: an `eval` without quotes around it joins them into one.
pub fn set(name: &str, value: &str) -> Zeroizing<String> {
    let quoted = Zeroizing::new(value.replace('\'', r"'\''"));
    Zeroizing::new(format!("export {name}='{}';\n", *quoted))
}

pub fn unset(name: &str) -> String {
    format!("unset {name};\n")
}
