//! Programs of the system that are asked or told something: who starts jobs, who keeps secrets, who shows a notice.

use std::ffi::OsStr;
use std::io::Write;
use std::path::Path;
use std::process::{ChildStdin, Command, ExitStatus, Stdio};

use super::descriptor::keep_only_the_standard_three;
use super::handed_down::reduced;
use super::hearing::{Take, Until, hear_out};
use super::run::{PATIENCE, RunError};
use crate::paths::Environment;
use crate::secret::SecretBytes;

/// A crontab of ten thousand lines. What is longer is an error: half of it would be written back as all of it.
const MOST_OUTPUT: usize = 1024 * 1024;

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
    let mut command = Command::new(program);
    command.args(arguments).env_clear().envs(reduced(environment)).current_dir("/");
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    keep_only_the_standard_three(&mut command);
    let mut child = command.spawn().map_err(|error| RunError::Start { program: shown(), error })?;
    let until = Until::after(PATIENCE);
    hand_in(child.stdin.take(), input);
    let mut said = String::new();
    let heard = hear_out(&mut child, until, Take::Whole(MOST_OUTPUT), &mut |line| said.extend([line, "\n"]));
    match heard {
        Ok(Some((status, mut output))) => Ok(Answer { status, output: std::mem::take(&mut *output), said }),
        Ok(None) => Err(RunError::TimedOut { program: shown() }),
        Err(error) => Err(RunError::Output { program: shown(), error }),
    }
}

/// On a thread of its own: who prints before having read would else wait for us while we wait for it.
fn hand_in(stdin: Option<ChildStdin>, input: &[u8]) {
    let input = SecretBytes::new(input.to_vec());
    std::thread::spawn(move || {
        // Whoever does not read to the end says why on stderr.
        stdin.map(|mut stdin| stdin.write_all(&input))
    });
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
        let much = vec![b'x'; MOST_OUTPUT];
        assert!(ask("cat", &much).ok().unwrap().output == much);
        let too_much = [&much[..], b"x"].concat();
        assert!(matches!(ask("cat", &too_much), Err(RunError::Output { .. })));
        assert!(ask("exec true", &much).ok().unwrap().status.success());
    }

    /// What is left behind ends when the file is gone, and has all three pipes until then.
    #[test]
    fn a_program_that_leaves_another_running_has_answered_when_it_ended() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let leave = format!("while test -e {}; do sleep 0.1; done <&0 &", file.path().display());
        let answer = ask(&format!("{leave} echo done; echo said >&2"), b"").ok().unwrap();
        assert!(answer.status.success());
        assert_eq!((&*answer.output, &*answer.said), (&b"done\n"[..], "said\n"));
    }

    #[test]
    fn a_program_that_is_not_there_is_named() {
        let missing = ask_program(Path::new("/no/such"), &[], b"", &Environment::default()).err().unwrap();
        assert!(matches!(missing, RunError::Start { program, .. } if program == "/no/such"));
    }
}
