//! A service and the timer that starts it, for a user's own systemd.

use std::path::Path;

use super::{CREDENTIAL, Job, MARK, RUN, Scheduler, Unattended, UnitError, absolute, refused};
use crate::systemd::{self, Unwritable};

pub const SERVICE: &str = "vault-rotate.service";
pub const TIMER: &str = "vault-rotate.timer";

/// The first version whose user manager takes encrypted credentials.
pub const CREDENTIALS_SINCE: u32 = 256;

/// A run ended so may succeed a little later: the network was not there yet (5), or AWS needs longer (7). A machine that wakes up
/// and catches up is of the first kind.
const NOT_TRIED_AGAIN: &str = "1 2 3 4 6 8 70";

/// Starts one run. systemd starts no second one while it goes on.
pub fn service(job: &Job) -> Result<String, UnitError> {
    let mut lines = vec![
        format!("# {MARK}"),
        "[Unit]".to_owned(),
        "Description=vault: replaces access keys that are due".to_owned(),
        "StartLimitIntervalSec=6h".to_owned(),
        "StartLimitBurst=6".to_owned(),
        String::new(),
        "[Service]".to_owned(),
        "Type=oneshot".to_owned(),
        format!("ExecStart={}", command(job)?),
    ];
    for (name, path) in &job.variables {
        lines.push(format!("Environment=\"{name}={}\"", written(systemd::quoted, path)?));
    }
    if let Some(Unattended::Credential(path)) = &job.unattended {
        lines.push(format!("LoadCredentialEncrypted={CREDENTIAL}:{}", written(systemd::plain, path)?));
    }
    lines.extend([
        "Restart=on-failure".to_owned(),
        format!("RestartPreventExitStatus={NOT_TRIED_AGAIN}"),
        "RestartSec=10min".to_owned(),
        "TimeoutStartSec=2h".to_owned(),
    ]);
    // What a user's own manager can do, and neither plugins nor an `mfa_process` miss.
    lines.extend(
        [
            "LimitCORE=0",
            "UMask=0077",
            "NoNewPrivileges=yes",
            "LockPersonality=yes",
            "RestrictRealtime=yes",
            "RestrictSUIDSGID=yes",
            "RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK",
        ]
        .map(str::to_owned),
    );
    Ok(lines.join("\n") + "\n")
}

/// Once a day, and after a day that was missed.
pub fn timer(job: &Job) -> String {
    format!(
        "# {MARK}\n[Unit]\nDescription=vault: replaces access keys that are due, once a day\n\n[Timer]\nOnCalendar=*-*-* {}\n\
         RandomizedDelaySec=1h\nPersistent=true\n\n[Install]\nWantedBy=timers.target\n",
        job.at.strftime("%H:%M:00")
    )
}

fn command(job: &Job) -> Result<String, UnitError> {
    let words = [written(systemd::program, &job.program)?].into_iter().chain(RUN.map(str::to_owned));
    let identity = match &job.unattended {
        None => None,
        Some(Unattended::File(path)) => Some(format!("\"{}\"", written(systemd::quoted, path)?)),
        Some(Unattended::Credential(_)) => Some(format!("%d/{CREDENTIAL}")),
        Some(Unattended::Keychain(_)) => return Err(UnitError::OtherIdentity { made_for: Scheduler::Launchd }),
    };
    let flag = identity.into_iter().flat_map(|identity| ["--identity".to_owned(), identity]);
    Ok(words.chain(flag).collect::<Vec<_>>().join(" "))
}

fn written(how: fn(&Path) -> Result<String, Unwritable>, path: &Path) -> Result<String, UnitError> {
    how(absolute(path)?).map_err(|Unwritable| refused(path, Scheduler::Systemd))
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use jiff::civil::time;

    use super::super::fixture::{job, wild, with_path_everywhere};
    use super::*;

    fn line(unit: &str, key: &str) -> Option<String> {
        unit.lines().find_map(|line| line.strip_prefix(&format!("{key}="))).map(str::to_owned)
    }

    #[test]
    fn the_service_runs_what_is_due_and_nothing_else() {
        let unit = service(&job()).unwrap();
        assert_eq!(line(&unit, "ExecStart").unwrap(), "\":/usr/bin/vault\" rotate --due --scheduled");
        assert_eq!((line(&unit, "Environment"), line(&unit, "LoadCredentialEncrypted")), (None, None));
        assert_eq!(line(&unit, "Type").unwrap(), "oneshot");
        assert!(unit.starts_with("# made by vault schedule\n"));
    }

    #[test]
    fn whatever_a_path_holds_reaches_the_service_as_it_is() {
        let unit = service(&wild()).unwrap();
        let folder = "/opt/my $tools/${HOME}/100%%/ü&<b>";
        let command =
            format!("\":{folder}/vault\" rotate --due --scheduled --identity \"{folder}/it's an \\\"identity\\\"\"");
        assert_eq!(line(&unit, "ExecStart").unwrap(), command);
        assert_eq!(line(&unit, "Environment").unwrap(), format!("\"VAULT_FILE={folder}/it's \\\"v\\\".age\""));
    }

    #[test]
    fn an_identity_that_systemd_keeps_is_read_from_the_services_own_folder() {
        let credential = Unattended::Credential(PathBuf::from("/state of %u/x"));
        let unit = service(&Job { unattended: Some(credential), ..job() }).unwrap();
        assert!(line(&unit, "ExecStart").unwrap().ends_with(" --scheduled --identity %d/vault-identity"));
        assert_eq!(line(&unit, "LoadCredentialEncrypted").unwrap(), "vault-identity:/state of %%u/x");
    }

    #[test]
    fn a_path_that_would_end_a_line_is_refused_wherever_it_stands() {
        for path in ["/x\nExecStartPre=/evil", "/x\r", "/x\u{85}y", "/x\0"] {
            for job in with_path_everywhere(path) {
                let refused = UnitError::Character { path: path.into(), scheduler: Scheduler::Systemd };
                assert_eq!(service(&job), Err(refused));
            }
        }
        for job in with_path_everywhere("relative") {
            assert_eq!(service(&job), Err(UnitError::Relative("relative".into())));
        }
    }

    #[test]
    fn a_program_that_systemd_does_not_start_is_refused_here_already() {
        for path in ["/it's/vault", "/\"x\"/vault", "/back\\slash/vault"] {
            let refused = Err(UnitError::Character { path: path.into(), scheduler: Scheduler::Systemd });
            assert_eq!(service(&Job { program: path.into(), ..job() }), refused);
        }
    }

    #[test]
    fn the_timer_runs_once_a_day_and_catches_up() {
        let unit = timer(&job());
        assert_eq!(line(&unit, "OnCalendar").unwrap(), "*-*-* 11:00:00");
        assert_eq!(line(&unit, "Persistent").unwrap(), "true");
        assert_eq!(line(&unit, "WantedBy").unwrap(), "timers.target");
        let evening = timer(&Job { at: time(21, 5, 0, 0), ..job() });
        assert_eq!(line(&evening, "OnCalendar").unwrap(), "*-*-* 21:05:00");
    }
}
