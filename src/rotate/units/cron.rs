//! Lines of a user's crontab. The others in it are somebody else's: they keep every byte.

use std::path::Path;

use jiff::civil::Time;

use super::{Job, MARK, RUN, Scheduler, Unattended, UnitError, plain, refused};

/// Vixie's cron and its heirs cut a command after 998 characters, and the list of a day is read by others too.
const LONGEST: usize = 990;

/// A run at its time, and one at the start of the machine for the day it was off.
pub fn lines(job: &Job) -> Result<[String; 2], UnitError> {
    let command = command(job)?;
    // To the shell that cron starts, a comment; to us, which lines are ours.
    let ended = format!("{command} # {MARK}");
    let length = ended.chars().count();
    if length > LONGEST {
        return Err(UnitError::LineTooLong { length });
    }
    Ok([format!("{} {} * * * {ended}", job.at.minute(), job.at.hour()), format!("@reboot {ended}")])
}

/// The crontab with these lines in it, and no others of ours.
pub fn with(crontab: &[u8], lines: &[String]) -> Vec<u8> {
    let mut edited = without(crontab);
    if !lines.is_empty() && edited.last().is_some_and(|last| *last != b'\n') {
        edited.push(b'\n');
    }
    for line in lines {
        edited.extend_from_slice(line.as_bytes());
        edited.push(b'\n');
    }
    edited
}

/// The crontab without our lines.
pub fn without(crontab: &[u8]) -> Vec<u8> {
    crontab.split_inclusive(|byte| *byte == b'\n').filter(|line| !is_ours(line)).collect::<Vec<_>>().concat()
}

/// Our lines of a crontab.
pub fn ours(crontab: &[u8]) -> Vec<String> {
    let lines = crontab.split(|byte| *byte == b'\n').filter(|line| is_ours(line));
    lines.map(|line| String::from_utf8_lossy(line).into_owned()).collect()
}

/// The time of day that the daily one of our lines says. None where somebody changed it to other days, or where the crontab says
/// which time zone it goes by.
pub fn daily(crontab: &[u8]) -> Option<Time> {
    let says_zone = |line: &[u8]| {
        line.trim_ascii_start()
            .split(|byte| *byte == b'=')
            .next()
            .is_some_and(|name| [&b"TZ"[..], b"CRON_TZ"].contains(&name.trim_ascii()))
    };
    if crontab.split(|byte| *byte == b'\n').any(says_zone) {
        return None;
    }
    ours(crontab).iter().find_map(|line| {
        let [minute, hour, "*", "*", "*", ..] = line.split(' ').collect::<Vec<_>>()[..] else { return None };
        Time::new(hour.parse().ok()?, minute.parse().ok()?, 0, 0).ok()
    })
}

fn is_ours(line: &[u8]) -> bool {
    // A line that a person switched off is theirs.
    !line.starts_with(b"#") && line.trim_ascii_end().ends_with(format!(" # {MARK}").as_bytes())
}

fn command(job: &Job) -> Result<String, UnitError> {
    let mut words = Vec::new();
    for (name, path) in &job.variables {
        words.push(format!("{name}={}", quoted(path)?));
    }
    words.push(quoted(&job.program)?);
    words.extend(RUN.map(str::to_owned));
    match &job.unattended {
        None => {}
        Some(Unattended::File(path)) => words.extend(["--identity".to_owned(), quoted(path)?]),
        Some(Unattended::Credential(_)) => return Err(UnitError::OtherIdentity { made_for: Scheduler::Systemd }),
        Some(Unattended::Keychain(_)) => return Err(UnitError::OtherIdentity { made_for: Scheduler::Launchd }),
    }
    Ok(words.join(" "))
}

/// For the shell, and then for cron: to it `%` ends the line, also within quotes, unless a backslash stands before it. Which
/// backslashes it then takes away differs from cron to cron, so there is no other.
fn quoted(path: &Path) -> Result<String, UnitError> {
    let text = plain(path, Scheduler::Cron)?;
    if text.contains('\\') {
        return Err(refused(path, Scheduler::Cron));
    }
    // A quote in quotes is `'"'"'`, which needs no backslash.
    let quoted = format!("'{}'", text.replace('\'', "'\"'\"'"));
    let bare = |c: char| c.is_ascii_alphanumeric() || "/._-+@:".contains(c);
    Ok(if text.chars().all(bare) { text.to_owned() } else { quoted.replace('%', "\\%") })
}

#[cfg(test)]
mod tests {
    use jiff::civil::time;
    use proptest::prelude::*;

    use super::super::fixture::{job, wild, with_path_everywhere};
    use super::*;

    /// What cron hands to the shell of a line's command.
    fn for_the_shell(line: &str) -> String {
        line.replace("\\%", "%")
    }

    #[test]
    fn one_line_runs_at_its_time_and_one_at_the_start_of_the_machine() {
        let at = Job { at: time(9, 5, 0, 0), ..job() };
        let [daily, at_start] = lines(&at).unwrap();
        assert_eq!(daily, "5 9 * * * /usr/bin/vault rotate --due --scheduled # made by vault schedule");
        assert_eq!(at_start, "@reboot /usr/bin/vault rotate --due --scheduled # made by vault schedule");
        assert_eq!(super::daily(format!("0 7 * * * other\n{at_start}\n{daily}\n").as_bytes()), Some(time(9, 5, 0, 0)));
        let yearly = daily.replace("* * *", "1 1 *");
        for without in [at_start.clone(), yearly, format!("CRON_TZ = Asia/Tokyo\n{daily}"), format!("TZ=UTC\n{daily}")]
        {
            assert_eq!(super::daily(without.as_bytes()), None, "{without}");
        }
    }

    #[test]
    fn whatever_a_path_holds_is_one_word_to_the_shell() {
        let [daily, _] = lines(&wild()).unwrap();
        let command = daily.strip_prefix("0 11 * * * ").unwrap().strip_suffix(" # made by vault schedule").unwrap();
        assert!(!command.replace("\\%", "").contains('%'), "{command}");
        let words = shell_words::split(&for_the_shell(command)).unwrap();
        let folder = super::super::fixture::WILD;
        assert_eq!(words[0], format!("VAULT_FILE={folder}/it's \"v\".age"));
        assert_eq!(words[1], format!("{folder}/vault"));
        assert_eq!(words[2..6], ["rotate", "--due", "--scheduled", "--identity"]);
        assert_eq!(words[6], format!("{folder}/it's an \"identity\""));
    }

    #[test]
    fn a_path_that_a_crontab_can_not_hold_is_refused_wherever_it_stands() {
        for path in ["/x\n* * * * * evil", "/x\\", "/\\%"] {
            for job in with_path_everywhere(path) {
                let refused = UnitError::Character { path: path.into(), scheduler: Scheduler::Cron };
                assert_eq!(lines(&job), Err(refused));
            }
        }
        let long = format!("/{}", "x".repeat(LONGEST));
        for job in with_path_everywhere(&long) {
            assert!(matches!(lines(&job), Err(UnitError::LineTooLong { .. })));
        }
    }

    #[test]
    fn a_line_that_a_person_switched_off_stays_theirs() {
        let [daily, at_start] = lines(&job()).unwrap();
        let crontab = format!("#{daily}\n{at_start}\n");
        assert_eq!(without(crontab.as_bytes()), format!("#{daily}\n").into_bytes());
        assert_eq!(ours(crontab.as_bytes()), [at_start]);
    }

    proptest! {
        #[test]
        fn other_lines_keep_every_byte(before in proptest::collection::vec(any::<u8>(), 0..200), twice in any::<bool>()) {
            let ours_in = lines(&job()).unwrap();
            let mut before = without(&before);
            let once = with(&before, &ours_in);
            let edited = if twice { with(&once, &ours_in) } else { once };
            prop_assert_eq!(ours(&edited), ours_in);
            // A crontab whose last line does not end is none; ours may not join it.
            if before.last().is_some_and(|last| *last != b'\n') {
                before.push(b'\n');
            }
            prop_assert_eq!(without(&edited), before);
        }
    }
}
