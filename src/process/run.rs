//! Starts other programs: the one a person asked `exec` for, and the small commands they configured.

use std::ffi::{OsStr, OsString};
use std::io::{self, Write};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Command, ExitStatus, Stdio};
use std::time::Duration;

use thiserror::Error;

use super::Hardened;
use super::handed_down::{path_of_what_we_start, reduced};
use super::hearing::{MOST_KEPT, Take, Until, hear_out};
use super::program::is_program;
use crate::paths::Environment;
use crate::secret::SecretBytes;

/// A configured command that has not answered by then never will: a person who taps a key is quicker.
pub(super) const PATIENCE: Duration = Duration::from_secs(60);

#[derive(Debug, Error)]
pub enum RunError {
    #[error("the command's quotes do not match")]
    Quotes,
    #[error("the command is empty")]
    Empty,
    #[error("`{program}` is a relative path")]
    Relative { program: String },
    #[error("could not start `{program}`: {error}")]
    Start { program: String, error: io::Error },
    #[error("`{program}` did not answer within {} s", PATIENCE.as_secs())]
    TimedOut { program: String },
    /// By a signal that is held, as a lock of the vault sends it.
    #[error("`{program}` was not waited for any longer")]
    Unwanted { program: String },
    #[error("`{program}` ended with {status}")]
    Failed { program: String, status: ExitStatus },
    #[error("could not read what `{program}` printed: {error}")]
    Output { program: String, error: io::Error },
}

/// Replaces this process by `program`. Comes back only with the reason why it could not.
pub fn hand_over(hardened: Hardened, program: &OsStr, arguments: &[OsString], environment: &Environment) -> io::Error {
    hardened.undo();
    Command::new(program).args(arguments).env_clear().envs(environment.all()).exec()
}

/// Runs a command that a person configured, without a shell, and gives what it printed on stdout; each line that it says on
/// stderr meanwhile goes to `hear`. It sees no AWS credentials, none of our variables and no descriptor but the standard
/// three, and is looked for only in folders that nobody else can put a program into. A signal that is held ends it.
pub fn output_of(
    command_line: &str,
    environment: &Environment,
    hear: &mut dyn FnMut(&str),
) -> Result<SecretBytes, RunError> {
    let words = shell_words::split(command_line).map_err(|_| RunError::Quotes)?;
    start(&words, None, reduced(environment), answering(), hear)
}

/// As [`output_of`], of a program of which some `AWS_` variables are the settings.
pub fn output_of_program(
    command_line: &str,
    environment: &Environment,
    is_its_setting: &dyn Fn(&str) -> bool,
    hear: &mut dyn FnMut(&str),
) -> Result<SecretBytes, RunError> {
    let words = shell_words::split(command_line).map_err(|_| RunError::Quotes)?;
    let settings = environment.all().filter(|(name, _)| name.to_str().is_some_and(is_its_setting));
    let settings = settings.map(|(name, value)| (name.to_owned(), value.to_owned()));
    start(&words, None, reduced(environment).into_iter().chain(settings), answering(), hear)
}

/// As [`output_of`], with more words at its end, and something on its standard input; what it does is not left half done for a
/// signal that is held.
pub fn run_with(
    command_line: &str,
    more: &[&str],
    input: Option<&[u8]>,
    environment: &Environment,
    hear: &mut dyn FnMut(&str),
) -> Result<(), RunError> {
    let mut words = shell_words::split(command_line).map_err(|_| RunError::Quotes)?;
    words.extend(more.iter().map(|word| (*word).to_owned()));
    start(&words, input, reduced(environment), Until::after(PATIENCE), hear).map(drop)
}

/// Whether there is a program for [`output_of`] to start.
pub fn could_start(command_line: &str, environment: &Environment) -> Result<(), RunError> {
    let words = shell_words::split(command_line).map_err(|_| RunError::Quotes)?;
    let (program, _) = program_of(&words)?;
    let path = path_of_what_we_start(environment);
    // What is absolute stays so, whatever folder it is looked for in.
    let found: Vec<PathBuf> = std::env::split_paths(&path).map(|folder| folder.join(program)).collect();
    let error = match () {
        () if found.iter().any(|path| is_program(path)) => return Ok(()),
        () if found.iter().any(|path| path.exists()) => rustix::io::Errno::ACCESS,
        () => rustix::io::Errno::NOENT,
    };
    Err(RunError::Start { program: program.clone(), error: error.into() })
}

/// The program, and what it is given.
fn program_of(words: &[String]) -> Result<(&String, &[String]), RunError> {
    let (program, arguments) = words.split_first().ok_or(RunError::Empty)?;
    // What a relative path leads to is up to whoever made the current folder.
    if program.contains('/') && !program.starts_with('/') {
        return Err(RunError::Relative { program: program.clone() });
    }
    Ok((program, arguments))
}

fn answering() -> Until {
    Until::after(PATIENCE).or_signal()
}

fn start(
    words: &[String],
    input: Option<&[u8]>,
    variables: impl IntoIterator<Item = (OsString, OsString)>,
    until: Until,
    hear: &mut dyn FnMut(&str),
) -> Result<SecretBytes, RunError> {
    let (program, arguments) = program_of(words)?;
    let mut command = Command::new(program);
    command.args(arguments).env_clear().envs(variables);
    command.stdin(if input.is_some() { Stdio::piped() } else { Stdio::null() });
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    super::descriptor::keep_only_the_standard_three(&mut command);
    let mut child = command.spawn().map_err(|error| RunError::Start { program: program.clone(), error })?;
    if let (Some(bytes), Some(mut stdin)) = (input, child.stdin.take()) {
        // Less than a pipe holds, so that nobody waits. What ended without reading says so by how it ended.
        let _ = stdin.write_all(bytes);
    }
    let program = program.clone();
    match hear_out(&mut child, until, Take::Beginning(MOST_KEPT), hear) {
        Ok(Some((status, output))) if status.success() => Ok(output),
        Ok(Some((status, _))) => Err(RunError::Failed { program, status }),
        Ok(None) if until.signal_came() => Err(RunError::Unwanted { program }),
        Ok(None) => Err(RunError::TimedOut { program }),
        Err(error) => Err(RunError::Output { program, error }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::process::unless_started_by_us;

    fn environment(pairs: &[(&str, &str)]) -> Environment {
        pairs.iter().copied().collect()
    }

    #[test]
    fn a_hook_gets_more_words_and_its_input_and_ends_the_input() {
        let state = tempfile::tempdir().unwrap();
        let heard = state.path().join("heard");
        let line = format!("dd of={} status=none", heard.display());
        let done = run_with(&line, &[], Some(b"of the pipe"), &environment(&[]), &mut |_| ());
        assert!(done.is_ok(), "{done:?}");
        assert_eq!(std::fs::read(&heard).unwrap(), b"of the pipe");
        let mut said = Vec::new();
        let more = ["a b", "$HOME", ";"];
        let refused = run_with("sh -c 'echo \"$@\" >&2; exit 3' x", &more, None, &environment(&[]), &mut |line| {
            said.push(line.to_owned());
        });
        assert!(matches!(refused, Err(RunError::Failed { .. })), "{refused:?}");
        assert_eq!(said, ["a b $HOME ;"]);
    }

    #[test]
    fn a_configured_command_gets_its_words_and_no_shell() {
        let printed = output_of("printf '%s|' 'a b' $HOME ;", &environment(&[]), &mut |_| ()).ok().unwrap();
        assert_eq!(&printed[..], b"a b|$HOME|;|");
    }

    #[test]
    fn a_configured_command_sees_no_aws_credentials_and_none_of_our_variables() {
        let dirty = environment(&[
            ("AWS_SECRET_ACCESS_KEY", "s"),
            ("VAULT_PASSPHRASE_FILE", "p"),
            ("VAULT_ADDR", "kept"),
            ("PATH", "/usr/bin:/bin:relative"),
        ]);
        let printed = output_of("env", &dirty, &mut |_| ()).ok().unwrap();
        let mut lines: Vec<&str> = std::str::from_utf8(&printed).unwrap().lines().collect();
        lines.sort_unstable();
        let ours = format!("VAULT_RECURSION={}", std::process::id());
        assert_eq!(lines, ["PATH=/usr/bin:/bin", "VAULT_ADDR=kept", &ours]);
    }

    #[test]
    fn a_configured_command_is_known_as_one_when_it_starts_us() {
        let printed = output_of("env", &environment(&[]), &mut |_| ()).ok().unwrap();
        let inherited = std::str::from_utf8(&printed).unwrap().lines().filter_map(|line| line.split_once('='));
        assert!(unless_started_by_us(inherited.collect()).is_none());
        assert!(unless_started_by_us(environment(&[("PATH", "/bin")])).is_some());
    }

    #[test]
    fn a_program_gets_the_variables_that_are_its_settings_and_no_others() {
        let dirty =
            environment(&[("AWS_SECRET_ACCESS_KEY", "s"), ("AWS_ITS_BACKEND", "file"), ("VAULT_IDENTITY", "i")]);
        let printed = output_of_program("env", &dirty, &|name| name.starts_with("AWS_ITS_"), &mut |_| ());
        let printed = printed.ok().unwrap();
        let lines = std::str::from_utf8(&printed).unwrap().lines();
        let lines = lines.filter(|line| line.starts_with("AWS_") || line.starts_with("VAULT_IDENTITY"));
        assert_eq!(lines.collect::<Vec<_>>(), ["AWS_ITS_BACKEND=file"]);
    }

    #[test]
    fn a_command_that_fails_or_is_not_there_is_named() {
        let failed = output_of("false", &environment(&[]), &mut |_| ()).err().unwrap();
        assert!(matches!(failed, RunError::Failed { program, .. } if program == "false"));
        let missing = output_of("no-such-program", &environment(&[]), &mut |_| ()).err().unwrap();
        assert!(matches!(missing, RunError::Start { program, .. } if program == "no-such-program"));
        assert!(matches!(output_of("'", &environment(&[]), &mut |_| ()), Err(RunError::Quotes)));
        assert!(matches!(output_of(" ", &environment(&[]), &mut |_| ()), Err(RunError::Empty)));
        let relative = output_of("./program", &environment(&[]), &mut |_| ()).err().unwrap();
        assert!(matches!(relative, RunError::Relative { program } if program == "./program"));
    }

    #[test]
    fn what_a_command_says_on_stderr_is_heard_and_is_no_output() {
        let mut heard = Vec::new();
        let printed =
            output_of("sh -c 'echo touch >&2; echo out'", &environment(&[]), &mut |line| heard.push(line.to_owned()));
        assert_eq!(&printed.ok().unwrap()[..], b"out\n");
        assert_eq!(heard, ["touch"]);
    }

    #[test]
    fn a_command_gets_no_descriptor_but_the_standard_three() {
        // Opened without the flag that closes it at exec, as a careless caller of ours would.
        let open = rustix::fs::open("/dev/null", rustix::fs::OFlags::RDONLY, rustix::fs::Mode::empty()).unwrap();
        let printed = output_of("sh -c 'ls /proc/$$/fd'", &environment(&[("PATH", "/usr/bin:/bin")]), &mut |_| ());
        assert_eq!(&printed.ok().unwrap()[..], b"0\n1\n2\n");
        drop(open);
    }
}
