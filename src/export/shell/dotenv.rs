//! A file of `NAME=VALUE` lines. There is no one syntax for it: `docker run --env-file` takes quotes for a part of the value
//! (https://docs.docker.com/reference/cli/docker/container/run/#env), Docker Compose takes them away and replaces `$NAME`
//! (https://docs.docker.com/compose/env-file/), and Python, JavaScript, Ruby, systemd and shells each read backslashes, blanks
//! and `#` in ways of their own. So a value stands there bare, and only if it is made of what all of them read alike. AWS's
//! sessions are.

use zeroize::Zeroizing;

pub fn obstacle(value: &str) -> Option<&'static str> {
    let alike = |c: char| c.is_ascii_alphanumeric() || "_.@:/+=,-".contains(c);
    if value.is_empty() {
        Some("is empty")
    } else if !value.chars().all(alike) {
        Some("holds characters that the readers of such files take differently")
    } else {
        None
    }
}

pub fn set(name: &str, value: &str) -> Zeroizing<String> {
    Zeroizing::new(format!("{name}={value}\n"))
}
