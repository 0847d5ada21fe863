//! Programs of the system that are asked or told something: who starts jobs, who keeps secrets, who shows a notice.

use std::ffi::OsStr;
use std::io::{self, Read, Write};
use std::path::Path;
use std::process::{ChildStdin, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Instant;

use super::descriptor::keep_only_the_standard_three;
use super::run::{PATIENCE, POLL, RunError, reduced};
use crate::paths::Environment;
use crate::secret::SecretBytes;

/// A crontab of ten thousand lines. What is longer is an error: half of it would be written back as all of it.
const MOST_OUTPUT: u64 = 1024 * 1024;

/// How a program ended, and what it said.
pub struct Answer {
    pub status: ExitStatus,
    pub output: Vec<u8>,
    /// On stderr.
    pub said: String,
}

/// Starts a program by its path and waits for its end. It sees no AWS credentials, none of our variables, and no descriptor
/// but the standard three; what goes in by `input` may be a secret.
pub fn ask_program(
    program: &Path,
    arguments: &[&OsStr],
    input: &[u8],
    environment: &Environment,
) -> Result<Answer, RunError> {
    let shown = || program.display().to_string();
    let failed = |error| RunError::Output { program: shown(), error };
    let mut command = Command::new(program);
    command.args(arguments).env_clear().envs(reduced(environment, &|_| false)).current_dir("/");
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    keep_only_the_standard_three(&mut command);
    let mut child = command.spawn().map_err(|error| RunError::Start { program: shown(), error })?;
    let deadline = Instant::now() + PATIENCE;
    hand_in(child.stdin.take(), input);
    let (output, said) = (collect(child.stdout.take()), collect(child.stderr.take()));
    let status = loop {
        if let Some(status) = child.try_wait().map_err(failed)? {
            break status;
        }
        if Instant::now() > deadline {
            let _ = child.kill();
            let _ = child.wait();
            return Err(RunError::TimedOut { program: shown() });
        }
        std::thread::sleep(POLL);
    };
    let collected = |bytes: Receiver<io::Result<Vec<u8>>>| {
        let rest = deadline.saturating_duration_since(Instant::now());
        bytes.recv_timeout(rest).map_err(|_| RunError::TimedOut { program: shown() })?.map_err(failed)
    };
    Ok(Answer { status, output: collected(output)?, said: String::from_utf8_lossy(&collected(said)?).into_owned() })
}

/// On a thread of its own: who prints before having read would else wait for us while we wait for it.
fn hand_in(stdin: Option<ChildStdin>, input: &[u8]) {
    let input = SecretBytes::new(input.to_vec());
    std::thread::spawn(move || {
        // Whoever does not read to the end says why on stderr.
        stdin.map(|mut stdin| stdin.write_all(&input))
    });
}

fn collect(pipe: Option<impl Read + Send + 'static>) -> Receiver<io::Result<Vec<u8>>> {
    let (sender, receiver) = channel();
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        let read = pipe.map_or(Ok(0), |pipe| pipe.take(MOST_OUTPUT + 1).read_to_end(&mut bytes));
        let whole = read.and_then(|length| match length as u64 > MOST_OUTPUT {
            true => Err(io::ErrorKind::FileTooLarge.into()),
            false => Ok(bytes),
        });
        // Nobody listens any more where the time was up.
        let _ = sender.send(whole);
    });
    receiver
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(script: &str, input: &[u8]) -> Result<Answer, RunError> {
        let dirty = [("PATH", "/usr/bin:/bin"), ("AWS_SECRET_ACCESS_KEY", "s"), ("VAULT_IDENTITY", "i")];
        ask_program(Path::new("/bin/sh"), &["-c", script].map(OsStr::new), input, &dirty.into_iter().collect())
    }

    #[test]
    fn a_program_is_told_by_its_input_and_answers_by_both_outputs_and_its_code() {
        let answer = ask("cat; echo \"heard$AWS_SECRET_ACCESS_KEY$VAULT_IDENTITY\" >&2; exit 3", b"a\0b").ok().unwrap();
        assert_eq!((answer.status.code(), &*answer.output, &*answer.said), (Some(3), &b"a\0b"[..], "heard\n"));
    }

    #[test]
    fn much_goes_through_both_ways_at_once_and_too_much_is_an_error_and_never_the_half() {
        let much = vec![b'x'; MOST_OUTPUT as usize];
        assert!(ask("cat", &much).ok().unwrap().output == much);
        let too_much = [&much[..], b"x"].concat();
        assert!(matches!(ask("cat", &too_much), Err(RunError::Output { .. })));
        assert!(ask("exec true", &much).ok().unwrap().status.success());
    }

    #[test]
    fn a_program_that_is_not_there_is_named() {
        let missing = ask_program(Path::new("/no/such"), &[], b"", &Environment::default()).err().unwrap();
        assert!(matches!(missing, RunError::Start { program, .. } if program == "/no/such"));
    }
}
