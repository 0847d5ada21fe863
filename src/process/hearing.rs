//! Hears a started program out: what it prints until it ends, and no longer. What it leaves running may keep its pipes open for
//! days; and a program that nobody reads is stopped, or ended, by the pipe.

use std::fs::File;
use std::io::{self, Read};
use std::os::fd::OwnedFd;
use std::process::{Child, ExitStatus};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::OFlags;

use super::HeldSignals;
use crate::secret::SecretBytes;

/// Far above any code or passphrase, and above what a person reads of a hook's words.
pub(super) const MOST_KEPT: usize = 64 * 1024;
/// Between two looks at a program that says nothing.
pub(super) const POLL: Duration = Duration::from_millis(5);
const AT_ONCE: usize = 16 * 1024;
/// Between two looks at the clock: as much as a pipe can hold.
const READS: usize = 64;

/// What is taken of stdout. The program is read to its end whatever it prints: one that is stopped halfway leaves its work half
/// done.
#[derive(Clone, Copy)]
pub(super) enum Take {
    /// So many bytes; what is beyond them is forgotten.
    Beginning(usize),
    /// All of it, or an error where it is longer than this.
    Whole(usize),
}

/// How long a program is heard out.
#[derive(Clone, Copy)]
pub(super) struct Until {
    deadline: Instant,
    or_signal: bool,
}

impl Until {
    pub fn after(patience: Duration) -> Self {
        Self { deadline: Instant::now() + patience, or_signal: false }
    }

    /// And no longer than until a signal that is held: nobody wants its answer after that.
    pub fn or_signal(self) -> Self {
        Self { or_signal: true, ..self }
    }

    pub fn signal_came(self) -> bool {
        self.or_signal && HeldSignals::one_came()
    }

    fn is_over(self) -> bool {
        Instant::now() > self.deadline || self.signal_came()
    }
}

/// How it ended and what it printed on stdout; each line that it says on stderr meanwhile goes to `hear`. None where it has not
/// ended by then: it is killed.
pub fn hear_out(
    child: &mut Child,
    until: Until,
    take: Take,
    hear: &mut dyn FnMut(&str),
) -> io::Result<Option<(ExitStatus, SecretBytes)>> {
    let (Take::Beginning(most) | Take::Whole(most)) = take;
    let mut stdout = Pipe::of(child.stdout.take().map(OwnedFd::from), most)?;
    let mut stderr = Pipe::of(child.stderr.take().map(OwnedFd::from), MOST_KEPT)?;
    loop {
        // Before the pipes are read: whatever it printed was in them when it ended.
        let ended = child.try_wait()?;
        stdout.read_what_is_there()?;
        stderr.read_what_is_there()?;
        stderr.tell_lines(hear);
        if let Some(status) = ended {
            stderr.tell_rest(hear);
            return match take {
                Take::Whole(_) if stdout.printed_more => Err(io::ErrorKind::FileTooLarge.into()),
                _ => Ok(Some((status, stdout.kept))),
            };
        }
        if until.is_over() {
            let _ = child.kill();
            let _ = child.wait();
            return Ok(None);
        }
        wait_for_any(&[&stdout, &stderr])?;
    }
}

struct Pipe {
    /// None once it is closed on the other side.
    file: Option<File>,
    buffer: SecretBytes,
    kept: SecretBytes,
    most: usize,
    printed_more: bool,
    told: usize,
}

impl Pipe {
    fn of(pipe: Option<OwnedFd>, most: usize) -> io::Result<Self> {
        if let Some(pipe) = &pipe {
            rustix::fs::fcntl_setfl(pipe, OFlags::NONBLOCK)?;
        }
        let buffer = SecretBytes::new(vec![0; AT_ONCE]);
        let file = pipe.map(File::from);
        Ok(Self { file, buffer, kept: SecretBytes::default(), most, printed_more: false, told: 0 })
    }

    fn read_what_is_there(&mut self) -> io::Result<()> {
        for _ in 0..READS {
            let Some(file) = &mut self.file else { return Ok(()) };
            match file.read(&mut self.buffer) {
                Ok(0) => self.file = None,
                Ok(length) => {
                    let kept = length.min(self.most - self.kept.len());
                    self.printed_more |= kept < length;
                    self.kept.extend_from_slice(&self.buffer[..kept]);
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    fn tell_lines(&mut self, hear: &mut dyn FnMut(&str)) {
        while let Some(length) = self.kept[self.told..].iter().position(|byte| *byte == b'\n') {
            let line = self.told..self.told + length;
            self.told = line.end + 1;
            hear(&String::from_utf8_lossy(&self.kept[line]));
        }
    }

    /// What has no end of line.
    fn tell_rest(&mut self, hear: &mut dyn FnMut(&str)) {
        let rest = &self.kept[self.told..];
        if !rest.is_empty() {
            hear(&String::from_utf8_lossy(rest));
        }
    }
}

/// Not for long: the end of the program is in none of them, if another one has them too.
fn wait_for_any(pipes: &[&Pipe]) -> io::Result<()> {
    let open = pipes.iter().filter_map(|pipe| pipe.file.as_ref());
    let mut open: Vec<PollFd> = open.map(|file| PollFd::new(file, PollFlags::IN)).collect();
    let pause = Timespec { tv_sec: 0, tv_nsec: POLL.subsec_nanos().into() };
    match poll(&mut open, Some(&pause)) {
        Ok(_) | Err(rustix::io::Errno::INTR) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::{Command, Stdio};
    use std::time::Duration;

    struct Heard {
        ended: Option<ExitStatus>,
        output: Vec<u8>,
        lines: Vec<String>,
    }

    fn hear(script: &str, patience: Duration) -> Heard {
        let mut command = Command::new("/bin/sh");
        command.args(["-c", script]).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut lines = Vec::new();
        let until = Until::after(patience);
        let mut child = command.spawn().unwrap();
        let take = Take::Beginning(MOST_KEPT);
        let heard = hear_out(&mut child, until, take, &mut |line| lines.push(line.to_owned())).unwrap();
        let (ended, output) = heard.map_or((None, Vec::new()), |(status, output)| (Some(status), output.to_vec()));
        Heard { ended, output, lines }
    }

    const LONG: Duration = Duration::from_secs(60);

    #[test]
    fn all_that_it_said_is_heard_the_last_line_without_an_end_too() {
        let heard = hear("echo out; echo one >&2; echo >&2; printf two >&2; printf put; exit 3", LONG);
        assert_eq!(heard.ended.unwrap().code(), Some(3));
        assert_eq!((&*heard.output, &heard.lines[..]), (&b"out\nput"[..], &["one", "", "two"].map(String::from)[..]));
    }

    /// What is left behind ends when the file is gone, and has both pipes until then.
    #[test]
    fn what_a_program_leaves_running_is_not_waited_for() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let script = format!("while test -e {}; do sleep 0.1; done & echo out; echo said >&2", file.path().display());
        let heard = hear(&script, LONG);
        assert!(heard.ended.unwrap().success());
        assert_eq!((&*heard.output, &heard.lines[..]), (&b"out\n"[..], &["said".to_owned()][..]));
    }

    #[test]
    fn however_much_it_prints_it_is_read_to_its_end_and_its_beginning_is_kept() {
        let much = "echo begin; head -c 30000000 /dev/zero; echo end";
        let heard = hear(&format!("{{ {much}; }} && {{ {much}; }} >&2"), LONG);
        assert!(heard.ended.unwrap().success());
        assert!(heard.output.len() == MOST_KEPT && heard.output.starts_with(b"begin\n\0"));
        assert_eq!((heard.lines.len(), &*heard.lines[0], heard.lines[1].len()), (2, "begin", MOST_KEPT - 6));
    }

    #[test]
    fn a_program_that_does_not_end_is_killed_though_it_prints_on_and_on() {
        for script in ["exec sleep 1000", "exec cat /dev/zero", "exec >&- 2>&-; exec sleep 1000"] {
            let begun = Instant::now();
            assert!(hear(script, Duration::from_millis(300)).ended.is_none(), "{script}");
            assert!(begun.elapsed() < LONG, "{script}");
        }
    }
}
