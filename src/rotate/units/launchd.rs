//! A launchd agent of a user's own. No machine of ours runs launchd: what is tested is that a reader of property lists finds
//! these words in it, and that the command it holds does what it should.

use std::path::Path;

use super::{CREDENTIAL, Job, KEYCHAIN_ACCOUNT, MARK, RUN, Scheduler, Unattended, UnitError, plain};

pub const LABEL: &str = "vault.rotate";

/// Reads the identity through a pipe: it is in no file, no argument and no variable. `--identity` comes last.
const BY_KEYCHAIN: &str = "exec \"$0\" \"${@:4}\" --identity <(\"$1\" find-generic-password -s \"$2\" -a \"$3\" -w)";

/// launchd starts no second run while one goes on, and makes up for days asleep; `RunAtLoad` for those switched off. What a
/// run says goes to the end of `log`.
pub fn agent(job: &Job, log: &Path) -> Result<String, UnitError> {
    let words: String = words(job)?.iter().map(|word| format!("    <string>{}</string>\n", escaped(word))).collect();
    let mut variables = String::new();
    for (name, path) in &job.variables {
        variables += &format!("    <key>{name}</key>\n    <string>{}</string>\n", escaped(text(path)?));
    }
    let variables = match variables.is_empty() {
        true => String::new(),
        false => format!("  <key>EnvironmentVariables</key>\n  <dict>\n{variables}  </dict>\n"),
    };
    Ok(format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<!-- {MARK} -->\n\
         <!DOCTYPE plist PUBLIC \"-//Apple//DTD PLIST 1.0//EN\" \"http://www.apple.com/DTDs/PropertyList-1.0.dtd\">\n\
         <plist version=\"1.0\">\n<dict>\n  <key>Label</key>\n  <string>{LABEL}</string>\n  <key>ProgramArguments</key>\n  <array>\n\
         {words}  </array>\n{variables}  <key>StartCalendarInterval</key>\n  <dict>\n    <key>Hour</key>\n    <integer>{}</integer>\n    \
         <key>Minute</key>\n    <integer>{}</integer>\n  </dict>\n  <key>RunAtLoad</key>\n  <true/>\n  <key>ProcessType</key>\n  \
         <string>Background</string>\n  <key>StandardErrorPath</key>\n  <string>{}</string>\n</dict>\n</plist>\n",
        job.at.hour(),
        job.at.minute(),
        escaped(text(log)?),
    ))
}

fn words(job: &Job) -> Result<Vec<String>, UnitError> {
    let program = text(&job.program)?.to_owned();
    let run = RUN.map(str::to_owned).into_iter();
    Ok(match &job.unattended {
        None => [program].into_iter().chain(run).collect(),
        Some(Unattended::File(path)) => {
            let identity = ["--identity".to_owned(), text(path)?.to_owned()];
            [program].into_iter().chain(run).chain(identity).collect()
        }
        Some(Unattended::Keychain(security)) => {
            let keychain = [text(security)?, CREDENTIAL, KEYCHAIN_ACCOUNT].map(str::to_owned);
            let shell = ["/bin/bash", "-c", BY_KEYCHAIN].map(str::to_owned).into_iter();
            shell.chain([program]).chain(keychain).chain(run).collect()
        }
        Some(Unattended::Credential(_)) => return Err(UnitError::OtherIdentity { made_for: Scheduler::Systemd }),
    })
}

fn text(path: &Path) -> Result<&str, UnitError> {
    plain(path, Scheduler::Launchd)
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{job, wild, with_path_everywhere};
    use super::*;

    fn strings(plist: &str) -> Vec<&str> {
        plist.lines().filter_map(|line| line.trim().strip_prefix("<string>")?.strip_suffix("</string>")).collect()
    }

    #[test]
    fn the_agent_runs_what_is_due_at_its_time_and_when_it_is_loaded() {
        let plist = agent(&job(), Path::new("/state/log")).unwrap();
        let words = ["vault.rotate", "/usr/bin/vault", "rotate", "--due", "--scheduled", "Background", "/state/log"];
        assert_eq!(strings(&plist), words);
        assert!(plist.contains("<integer>11</integer>") && plist.contains("<integer>0</integer>"));
        assert!(plist.contains("<key>RunAtLoad</key>\n  <true/>"));
        assert!(!plist.contains("EnvironmentVariables"));
    }

    #[test]
    fn nothing_in_a_path_is_markup() {
        let plist = agent(&wild(), Path::new("/log")).unwrap();
        let folder = "/opt/my $tools/${HOME}/100%/ü&amp;&lt;b&gt;";
        for path in ["vault", "it's \"v\".age", "it's an \"identity\""] {
            assert!(strings(&plist).contains(&&*format!("{folder}/{path}")), "{plist}");
        }
    }

    #[test]
    fn a_path_that_xml_can_not_hold_is_refused_wherever_it_stands() {
        for path in ["/x\ny", "/x\u{1}", "/x\u{fffe}"] {
            for job in with_path_everywhere(path) {
                let refused = UnitError::Character { path: path.into(), scheduler: Scheduler::Launchd };
                assert_eq!(agent(&job, Path::new("/log")), Err(refused));
            }
        }
        assert!(agent(&job(), Path::new("/log\n")).is_err());
    }

    #[test]
    fn an_identity_in_the_keychain_is_asked_for_by_the_shell_that_starts_the_program() {
        let keychain = Unattended::Keychain("/usr/bin/security".into());
        let words = words(&Job { unattended: Some(keychain), ..job() }).unwrap();
        assert_eq!(words[..2], ["/bin/bash", "-c"]);
        assert_eq!(words[3..7], ["/usr/bin/vault", "/usr/bin/security", "vault-identity", "vault"]);
        assert_eq!(words[7..], ["rotate", "--due", "--scheduled"]);
    }

    #[test]
    fn an_identity_that_only_systemd_hands_over_is_refused() {
        let credential = Some(Unattended::Credential("/x".into()));
        let refused = Err(UnitError::OtherIdentity { made_for: Scheduler::Systemd });
        assert_eq!(agent(&Job { unattended: credential, ..job() }, Path::new("/log")), refused);
    }
}
