//! Starts a process that goes on without us.

use std::io;
use std::os::unix::process::CommandExt;
use std::process::{ChildStdout, Command, Stdio};

use super::descriptor::keep_only_the_standard_three;

/// Starts the command in a session of its own, as nobody's child: what takes our place after `exec` must not find a child
/// that it never started. Gives what it says on its standard output; it has no other stream.
pub fn spawn_detached(command: &mut Command) -> io::Result<ChildStdout> {
    command.current_dir("/").stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    keep_only_the_standard_three(command);
    // SAFETY: between fork and exec only setsid, fork and _exit are called, all async-signal-safe (POSIX.1-2017, 2.4.3).
    unsafe { command.pre_exec(leave) };
    let mut child = command.spawn()?;
    let said = child.stdout.take().ok_or(io::ErrorKind::BrokenPipe)?;
    // The one in between ended before the other one started.
    child.wait()?;
    Ok(said)
}

/// Without a terminal, without a way to get one, and with the system's first process for a parent.
fn leave() -> io::Result<()> {
    rustix::process::setsid()?;
    // SAFETY: this process has one thread, being a fork's child; each of the two goes its way by async-signal-safe calls
    // only.
    match unsafe { libc::fork() } {
        -1 => Err(io::Error::last_os_error()),
        0 => Ok(()),
        // SAFETY: ends at once, and runs nothing of the program that it is a copy of.
        _ => unsafe { libc::_exit(0) },
    }
}

/// Turns the standard three streams to nowhere: whoever reads them would wait for our end.
pub fn turn_off_standard_streams() -> io::Result<()> {
    let nowhere = std::fs::File::options().read(true).write(true).open("/dev/null")?;
    rustix::stdio::dup2_stdin(&nowhere)?;
    rustix::stdio::dup2_stdout(&nowhere)?;
    Ok(rustix::stdio::dup2_stderr(&nowhere)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;

    #[test]
    #[cfg(target_os = "linux")]
    fn what_is_started_is_nobodys_child_in_a_session_of_its_own_with_three_descriptors() {
        let mut command = Command::new("sh");
        command.args(["-c", "cut -d' ' -f4,6 /proc/$$/stat; echo $$; pwd; ls /proc/$$/fd; readlink /proc/$$/fd/[02]"]);
        let mut said = String::new();
        spawn_detached(&mut command).unwrap().read_to_string(&mut said).unwrap();
        let lines: Vec<&str> = said.lines().collect();
        let (parent, session) = lines[0].split_once(' ').unwrap();
        assert_ne!(parent, std::process::id().to_string());
        // Not getsid of rustix: a session that began outside of this process's namespace has the number 0.
        let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
        let own = stat.rsplit(") ").next().unwrap().split(' ').nth(3).unwrap();
        assert_ne!(session, own);
        assert_ne!(session, lines[1], "it does not lead its session");
        assert_eq!(lines[2..], ["/", "0", "1", "2", "/dev/null", "/dev/null"]);
    }

    #[test]
    fn a_program_that_is_not_there_is_an_error() {
        let error = spawn_detached(&mut Command::new("/no/such/program")).err().unwrap();
        assert_eq!(error.kind(), io::ErrorKind::NotFound);
    }
}
