//! What systemd reads to start the agent when somebody asks for it.

use std::path::{Path, PathBuf};

use thiserror::Error;

use super::socket;
use crate::paths::{Environment, Paths};
use crate::systemd::{self, Unwritable};

#[derive(Debug, Error, PartialEq, Eq)]
pub enum UnitError {
    /// It would end a line of the unit.
    #[error("`{}` has a character that no unit can hold", .0.display())]
    Character(PathBuf),
}

/// Listens where the program looks for its agent.
pub fn socket_unit(paths: &Paths, environment: &Environment) -> Result<String, UnitError> {
    let runtime = environment.path("XDG_RUNTIME_DIR").filter(|folder| paths.sockets.starts_with(folder));
    let socket = socket::own_socket(&paths.sockets);
    let listen = match runtime.as_deref().and_then(|folder| socket.strip_prefix(folder).ok()) {
        // The same unit for every machine.
        Some(rest) => format!("%t/{}", written(systemd::plain, rest)?),
        None => written(systemd::plain, &socket)?,
    };
    Ok(format!(
        "[Unit]\nDescription=Socket of vault's agent\n\n[Socket]\nListenStream={listen}\nSocketMode=0600\n\
         DirectoryMode=0700\n\n[Install]\nWantedBy=sockets.target\n"
    ))
}

/// Starts this program, which has to be trusted already.
pub fn service_unit(program: &Path, environment: &Environment) -> Result<String, UnitError> {
    let state = match environment.path("XDG_STATE_HOME") {
        Some(folder) => format!("Environment=\"XDG_STATE_HOME={}\"\n", written(systemd::quoted, &folder)?),
        None => String::new(),
    };
    Ok(format!(
        "[Unit]\nDescription=vault's agent: unlocked identities between commands\nRequires=vault-agent.socket\n\n\
         [Service]\nExecStart={} agent run\n{state}LimitCORE=0\nNoNewPrivileges=yes\n",
        written(systemd::program, program)?
    ))
}

fn written(how: fn(&Path) -> Result<String, Unwritable>, path: &Path) -> Result<String, UnitError> {
    how(path).map_err(|Unwritable| UnitError::Character(path.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment(pairs: &[(&str, &str)]) -> (Paths, Environment) {
        let environment: Environment = [("HOME", "/home/alice")].iter().chain(pairs).copied().collect();
        (Paths::from_environment(&environment).unwrap(), environment)
    }

    #[test]
    fn the_socket_is_where_the_program_looks_for_it() {
        for (variables, listen) in [
            (&[("XDG_RUNTIME_DIR", "/run/user/1000")][..], "%t/vault/agent-1.sock"),
            (&[], "/home/alice/.local/state/vault/run/agent-1.sock"),
            (&[("XDG_STATE_HOME", "/s%d")], "/s%%d/vault/run/agent-1.sock"),
        ] {
            let (paths, environment) = environment(variables);
            let unit = socket_unit(&paths, &environment).unwrap();
            let found = unit.lines().find_map(|line| line.strip_prefix("ListenStream="));
            assert_eq!(found, Some(listen));
        }
    }

    #[test]
    fn the_service_starts_the_program_whatever_its_path_holds() {
        let (_, environment) = environment(&[("XDG_STATE_HOME", "/s t%a\"te")]);
        let unit = service_unit(Path::new("/opt/my $tools/100%/vault"), &environment).unwrap();
        let line = |key: &str| unit.lines().find_map(|line| line.strip_prefix(key)).unwrap().to_owned();
        assert_eq!(line("ExecStart="), "\":/opt/my $tools/100%%/vault\" agent run");
        assert_eq!(line("Environment="), "\"XDG_STATE_HOME=/s t%%a\\\"te\"");
    }

    #[test]
    fn a_path_that_would_end_the_line_or_that_systemd_does_not_start_is_refused() {
        let (_, environment) = environment(&[]);
        for path in ["/opt/x\nExecStartPre=/bin/evil/vault", "/opt/it's/vault", "/\"/vault", "/\\/vault"].map(Path::new)
        {
            assert_eq!(service_unit(path, &environment), Err(UnitError::Character(path.to_owned())));
        }
    }
}
