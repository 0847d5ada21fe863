//! A program that is spoken with over its standard input and output.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::fd::AsFd;
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::handed_down::reduced;
use super::hearing::POLL;
use super::run::PATIENCE;
use crate::paths::Environment;

/// For what is left to do after the last word, such as giving a device free.
const FAREWELL: Duration = Duration::from_secs(1);
/// A pipe that poll calls writable takes as much without blocking (POSIX's smallest PIPE_BUF).
const AT_ONCE: usize = 512;
/// Far above any line of a talk.
const LONGEST_LINE: u64 = 64 * 1024;

/// A started program. It sees what a configured command sees, hears of its end by the end of its input, and is killed when
/// it stays for longer, or when it neither says anything nor takes what is said to it in time.
pub struct Conversation {
    child: Child,
    input: Option<ChildStdin>,
    output: BufReader<Patient>,
    patience: Duration,
}

impl Conversation {
    pub fn start(program: &Path, arguments: &[&str], environment: &Environment) -> io::Result<Self> {
        Self::start_within(program, arguments, environment, PATIENCE)
    }

    fn start_within(
        program: &Path,
        arguments: &[&str],
        environment: &Environment,
        patience: Duration,
    ) -> io::Result<Self> {
        let mut command = Command::new(program);
        command.args(arguments).env_clear().envs(reduced(environment)).current_dir("/");
        // What is said there is for the program's developers; age throws it away too.
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        super::descriptor::keep_only_the_standard_three(&mut command);
        let mut child = command.spawn()?;
        let (input, output) = (child.stdin.take(), child.stdout.take().ok_or(io::ErrorKind::BrokenPipe)?);
        let output = BufReader::new(Patient { pipe: output, deadline: Instant::now() + patience });
        Ok(Self { child, input, output, patience })
    }

    pub fn say(&mut self, bytes: &[u8]) -> io::Result<()> {
        let deadline = Instant::now() + self.patience;
        let input = self.input.as_mut().ok_or(io::ErrorKind::BrokenPipe)?;
        for chunk in bytes.chunks(AT_ONCE) {
            wait_for(input, PollFlags::OUT, deadline)?;
            input.write_all(chunk)?;
        }
        // It is its turn now, however long ours took.
        self.output.get_mut().deadline = Instant::now() + self.patience;
        Ok(())
    }

    /// The next line with its line feed.
    pub fn hear_line(&mut self) -> io::Result<Vec<u8>> {
        let mut line = Vec::new();
        (&mut self.output).take(LONGEST_LINE).read_until(b'\n', &mut line)?;
        match line.last() {
            Some(b'\n') => Ok(line),
            _ if line.len() as u64 == LONGEST_LINE => Err(io::ErrorKind::InvalidData.into()),
            _ => Err(io::ErrorKind::UnexpectedEof.into()),
        }
    }
}

impl Drop for Conversation {
    fn drop(&mut self) {
        self.input = None;
        let deadline = self.output.get_ref().deadline.min(Instant::now() + FAREWELL);
        while let Ok(None) = self.child.try_wait() {
            if Instant::now() >= deadline {
                let _ = self.child.kill();
                let _ = self.child.wait();
                return;
            }
            std::thread::sleep(POLL);
        }
    }
}

/// Output that is waited for until a deadline.
struct Patient {
    pipe: ChildStdout,
    deadline: Instant,
}

impl Read for Patient {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        wait_for(&self.pipe, PollFlags::IN, self.deadline)?;
        self.pipe.read(buffer)
    }
}

fn wait_for(pipe: &impl AsFd, what: PollFlags, deadline: Instant) -> io::Result<()> {
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        let left = Timespec::try_from(left).map_err(|_| io::ErrorKind::InvalidInput)?;
        match poll(&mut [PollFd::new(pipe, what)], Some(&left)) {
            Ok(0) => return Err(io::ErrorKind::TimedOut.into()),
            // Ready, or closed on the other side: reading or writing tells.
            Ok(_) => return Ok(()),
            Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str, patience: Duration) -> Conversation {
        let environment = [("PATH", "/usr/bin:/bin"), ("AWS_PROFILE", "p"), ("VAULT_IDENTITY", "i")];
        let environment: Environment = environment.into_iter().collect();
        Conversation::start_within(Path::new("/bin/sh"), &["-c", script], &environment, patience).unwrap()
    }

    #[test]
    fn it_is_talked_with_line_by_line_and_sees_none_of_our_variables() {
        let script = "read a; echo \"$a.$AWS_PROFILE$VAULT_IDENTITY\"; pwd; ls /proc/$$/fd";
        let mut talk = shell(script, PATIENCE);
        talk.say(b"hello\n").unwrap();
        assert_eq!(talk.hear_line().unwrap(), b"hello.\n");
        assert_eq!(talk.hear_line().unwrap(), b"/\n");
        for descriptor in 0..3 {
            assert_eq!(talk.hear_line().unwrap(), format!("{descriptor}\n").into_bytes());
        }
        assert_eq!(talk.hear_line().unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
    }

    #[test]
    fn a_program_that_says_nothing_is_given_up_and_killed() {
        let mut talk = shell("trap '' TERM; echo started; exec sleep 1000", Duration::from_millis(500));
        assert_eq!(talk.hear_line().unwrap(), b"started\n");
        assert_eq!(talk.hear_line().unwrap_err().kind(), io::ErrorKind::TimedOut);
        let process = format!("/proc/{}", talk.child.id());
        assert!(Path::new(&process).exists());
        drop(talk);
        assert!(!Path::new(&process).exists(), "it still runs");
    }

    #[test]
    fn a_program_that_takes_nothing_does_not_hold_us_up() {
        let mut talk = shell("exec sleep 1000", Duration::from_millis(100));
        let much = vec![b'x'; 1024 * 1024];
        assert_eq!(talk.say(&much).unwrap_err().kind(), io::ErrorKind::TimedOut);
    }

    #[test]
    fn a_line_without_an_end_is_not_collected_for_ever() {
        let mut talk = shell("exec cat /dev/zero", PATIENCE);
        assert_eq!(talk.hear_line().unwrap_err().kind(), io::ErrorKind::InvalidData);
    }
}
