//! Opens a page in the person's browser. What is opened is a file: an address that signs somebody in would stand in the
//! browser's command line, which every user of the machine can read.

use std::io;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_encode};
use thiserror::Error;

use super::descriptor::keep_only_the_standard_three;
use super::detach::spawn_detached;
use super::handed_down::without_ours;
use super::hearing::POLL;
use super::program::{ProgramError, check_program, find_program};
use crate::paths::Environment;

/// What shows a page on a system where nobody chose a browser.
const OPENERS: [&str; 2] = ["xdg-open", "open"];

/// RFC 3986's unreserved characters and the path's own slashes stay as they are.
const SPELLED_OUT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b'/');

/// A browser that runs already takes the page and ends at once, and one that can't start fails at once; a browser that is
/// the first of its kind goes on for hours.
const PATIENCE: Duration = Duration::from_secs(3);

#[derive(Debug, Error)]
pub enum BrowserError {
    #[error("no browser: neither BROWSER nor xdg-open nor open leads to one")]
    None,
    #[error("BROWSER: the quotes in `{0}` do not match")]
    Quotes(String),
    #[error(transparent)]
    Program(#[from] ProgramError),
    #[error("could not start `{}`: {error}", program.display())]
    Start { program: PathBuf, error: io::Error },
    #[error("`{}` ended with {status}", program.display())]
    Failed { program: PathBuf, status: ExitStatus },
}

/// Hands the page to the first browser of `BROWSER` (commands with colons in between, `%s` the page) that is there, else to
/// the system's opener. It gets no AWS credentials and none of our variables.
pub fn open_in_browser(page: &Path, environment: &Environment) -> Result<(), BrowserError> {
    let address = format!("file://{}", percent_encode(page.as_os_str().as_encoded_bytes(), SPELLED_OUT));
    let words = browser(environment)?;
    let program = PathBuf::from(&words[0]);
    let mut command = Command::new(&program);
    let placed: Vec<String> = words[1..].iter().map(|word| word.replace("%s", &address)).collect();
    command.args(&placed);
    if placed == words[1..] {
        command.arg(&address);
    }
    // Nobody waits for a browser, so it may well start us: it lives on, and all that is started from it is its child.
    command.env_clear().envs(without_ours(environment));
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    // Ctrl-C at our prompt, later, is not for the browser.
    command.process_group(0);
    keep_only_the_standard_three(&mut command);
    let start = |error| BrowserError::Start { program: program.clone(), error };
    let mut child = command.spawn().map_err(start)?;
    let deadline = Instant::now() + PATIENCE;
    loop {
        match child.try_wait().map_err(start)? {
            Some(status) if status.success() => return Ok(()),
            Some(status) => return Err(BrowserError::Failed { program, status }),
            None if Instant::now() > deadline => return Ok(()),
            None => std::thread::sleep(POLL),
        }
    }
}

/// The command's words; the first is a program that nobody else can replace.
fn browser(environment: &Environment) -> Result<Vec<String>, BrowserError> {
    let chosen = environment.text("BROWSER").unwrap_or_default();
    let mut refused = None;
    for candidate in chosen.split(':').filter(|candidate| !candidate.trim().is_empty()).chain(OPENERS) {
        let mut words = shell_words::split(candidate).map_err(|_| BrowserError::Quotes(candidate.to_owned()))?;
        let Some(name) = words.first_mut() else { continue };
        match program(name, environment) {
            Ok(path) => {
                *name = path.to_string_lossy().into_owned();
                return Ok(words);
            }
            Err(ProgramError::NotFound) => {}
            Err(untrusted) => refused = refused.or(Some(untrusted)),
        }
    }
    Err(refused.map_or(BrowserError::None, BrowserError::Program))
}

fn program(name: &str, environment: &Environment) -> Result<PathBuf, ProgramError> {
    match name.starts_with('/') {
        true => check_program(Path::new(name)).map(|()| PathBuf::from(name)),
        // A relative path leads to where whoever made the current folder wants.
        false if name.contains('/') => Err(ProgramError::NotFound),
        false => find_program(name, environment),
    }
}

/// Removes a file after a while, also where this process is gone by then.
pub fn remove_later(path: &Path, after: Duration, environment: &Environment) -> io::Result<()> {
    let mut command = Command::new("/bin/sh");
    command.args(["-c", "sleep \"$0\"; exec rm -f -- \"$1\"", &after.as_secs().to_string()]).arg(path);
    command.env_clear().envs(without_ours(environment));
    spawn_detached(&mut command).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::{Permissions, read_to_string, set_permissions, write};
    use std::io::Write;
    use std::os::unix::fs::PermissionsExt;

    /// Written by another process: a child that another test forks just then would inherit our descriptor of it, and while
    /// anyone has a program open to write it can't be started (`ETXTBSY`).
    fn script(folder: &Path, name: &str, text: &str) -> PathBuf {
        let path = folder.join(name);
        let mut writer = Command::new("sh");
        let mut writer = writer.args(["-c", "cat > \"$0\""]).arg(&path).stdin(Stdio::piped()).spawn().unwrap();
        write!(writer.stdin.take().unwrap(), "#!/bin/sh\n{text}\n").unwrap();
        assert!(writer.wait().unwrap().success());
        set_permissions(&path, Permissions::from_mode(0o755)).unwrap();
        path
    }

    fn world(folder: &Path, browser: &str) -> Environment {
        let path = format!("{}:/usr/bin:/bin", folder.display());
        [("PATH", &*path), ("BROWSER", browser), ("AWS_SECRET_ACCESS_KEY", "s")].into_iter().collect()
    }

    #[test]
    fn the_first_browser_that_is_there_gets_the_page_as_an_address_and_no_credentials() {
        let folder = tempfile::tempdir().unwrap();
        let (said, seen) = (folder.path().join("said"), folder.path().join("seen"));
        script(folder.path(), "show", &format!("echo \"$@\" > {}; env > {}", said.display(), seen.display()));
        let page = Path::new("/run/a b/ü.html");
        for (browser, expected) in [
            ("no-such-browser:show", "file:///run/a%20b/%C3%BC.html\n"),
            ("show --new '%s' x:other", "--new file:///run/a%20b/%C3%BC.html x\n"),
        ] {
            open_in_browser(page, &world(folder.path(), browser)).unwrap();
            assert_eq!(read_to_string(&said).unwrap(), expected);
            let seen = read_to_string(&seen).unwrap();
            assert!(!seen.contains("AWS_") && !seen.contains("VAULT_"), "{browser}: {seen}");
        }
    }

    #[test]
    fn a_browser_that_fails_is_not_there_or_is_anybodys_is_told_of() {
        let folder = tempfile::tempdir().unwrap();
        script(folder.path(), "fail", "exit 3");
        let open = |browser: &str| open_in_browser(Path::new("/page"), &world(folder.path(), browser));
        assert!(matches!(open("fail"), Err(BrowserError::Failed { .. })));
        assert!(matches!(open("'"), Err(BrowserError::Quotes(_))));
        let anybodys = script(folder.path(), "anybodys", "exit 0");
        set_permissions(&anybodys, Permissions::from_mode(0o777)).unwrap();
        for (path, expected) in [("/no/such", "no browser"), (folder.path().to_str().unwrap(), "can be changed")] {
            let alone = [("PATH", path), ("BROWSER", "./fail:anybodys")].into_iter().collect();
            let told = open_in_browser(Path::new("/page"), &alone).unwrap_err().to_string();
            assert!(told.contains(expected), "{told}");
        }
    }

    #[test]
    fn a_file_is_removed_after_a_while_by_somebody_else() {
        let folder = tempfile::tempdir().unwrap();
        let waited = folder.path().join("waited");
        // In the place of `sleep`: it waits for us, and tells for how long it was asked to.
        let gate = folder.path().join("gate");
        rustix::fs::mknodat(rustix::fs::CWD, &gate, rustix::fs::FileType::Fifo, 0o600.into(), 0).unwrap();
        script(folder.path(), "sleep", &format!("echo $1 > {}; read go < {}", waited.display(), gate.display()));
        let page = folder.path().join("-page");
        write(&page, "").unwrap();
        remove_later(&page, Duration::from_secs(60), &world(folder.path(), "")).unwrap();
        assert!(page.exists());
        write(&gate, "go\n").unwrap();
        let deadline = Instant::now() + Duration::from_secs(20);
        while page.exists() && Instant::now() < deadline {
            std::thread::sleep(POLL);
        }
        assert!(!page.exists());
        assert_eq!(read_to_string(&waited).unwrap(), "60\n");
    }
}
