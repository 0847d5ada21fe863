//! `vault schedule`: what it tells the system's schedulers, what it writes, and that it takes all of it back.

mod last_run;
mod unattended;

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::PathBuf;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::{Value, json};

use super::configure::program;
use super::{error_and_hint, json, mode, warning};
use crate::program::{Case, Invocation, Output, files_below};

/// What `status` says of the crontab.
const BY_CRON: &str = "scheduled by cron: your crontab\n  cron does not say whether it runs; the last run shows it\n";

/// A machine whose schedulers are stand-ins that write down what they are asked.
struct Machine {
    case: Case,
}

impl Machine {
    fn new(tools: &[&str]) -> Self {
        Self::of(Case::new(), tools)
    }

    fn with_vault(tools: &[&str]) -> Self {
        Self::of(Case::with_vault(), tools)
    }

    fn of(case: Case, tools: &[&str]) -> Self {
        let machine = Self { case };
        for tool in tools {
            machine.stand_in(tool, script(tool));
        }
        machine
    }

    fn stand_in(&self, name: &str, script: &str) {
        let tools = self.tools();
        let text = format!(
            "#!/bin/sh\nPATH=/usr/bin:/bin\nT={0}\necho \"{name} $*\" >> $T/asked\n{script}\n",
            tools.display()
        );
        self.case.write(&tools.join(name), 0o700, text);
    }

    fn tools(&self) -> PathBuf {
        self.case.given("tools")
    }

    fn vault(&self, arguments: &[&str]) -> Invocation<'_> {
        self.case.vault_as(program(&self.case), arguments).variable("PATH", self.tools())
    }

    fn run(&self, arguments: &[&str]) -> Output {
        self.vault(arguments).run()
    }

    /// With no variable that says what opens the vault or where AWS is.
    fn run_bare(&self, arguments: &[&str]) -> Output {
        self.vault(arguments).asking().without_variable("AWS_ENDPOINT_URL").run()
    }

    /// What the stand-ins were asked since the last time, but for who is there.
    fn asked(&self) -> Vec<String> {
        let file = self.tools().join("asked");
        let asked = fs::read_to_string(&file).unwrap_or_default();
        let _ = fs::remove_file(file);
        asked.lines().filter(|line| !line.contains("--property=Version")).map(str::to_owned).collect()
    }

    fn unit(&self, name: &str) -> PathBuf {
        self.case.home().join(".config/systemd/user").join(name)
    }

    fn plist(&self) -> PathBuf {
        self.case.home().join("Library/LaunchAgents/vault.rotate.plist")
    }

    fn crontab(&self) -> String {
        fs::read_to_string(self.tools().join("crontab-of-alice")).unwrap_or_default()
    }

    fn state(&self) -> PathBuf {
        self.case.home().join(".local/state/vault")
    }

    fn status(&self) -> Value {
        json(&self.run(&["schedule", "status", "--json"]))
    }

    fn recipients(&self) -> Vec<String> {
        let listed = json(&self.run(&["recipient", "list", "--json"]));
        listed["recipients"].as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap().to_owned()).collect()
    }

    fn line(&self, unit: &str, key: &str) -> String {
        let text = fs::read_to_string(self.unit(unit)).unwrap();
        let found = text.lines().find_map(|line| line.strip_prefix(&format!("{key}=")));
        found.unwrap_or_else(|| panic!("no {key} in\n{text}")).to_owned()
    }
}

fn script(tool: &str) -> &'static str {
    match tool {
        "systemctl" => {
            "case \"$*\" in *Version*) cat $T/version 2> /dev/null || echo 252.38-1~deb12u1;; *NextElapse*) \
             printf 'ActiveState=active\\nNextElapseUSecRealtime=Mon 2026-11-23 11:20:05 UTC\\n';; esac"
        }
        "crontab" => {
            "case $1 in -l) cat $T/crontab-of-alice 2> /dev/null || { echo no crontab for alice >&2; exit 1; };; \
             -r) rm $T/crontab-of-alice;; -) cat > $T/crontab-of-alice;; esac"
        }
        "launchctl" => "case $1 in bootout) exit 3;; esac",
        "systemd-creds" => "cat > $T/encrypted; echo RU5DUllQVEVE",
        "security" => {
            "case $1 in -i) read -r line; echo \"${line##* }\" > $T/keychain;; find*) cat $T/keychain;; \
             delete*) rm $T/keychain;; esac"
        }
        "notify-send" => "",
        other => panic!("no stand-in for {other}"),
    }
}

#[test]
fn a_timer_of_systemd_is_written_started_shown_and_taken_back() {
    let machine = Machine::new(&["systemctl", "crontab"]);
    let said = "keys that are due are replaced by systemd, every day at 11:00\n\
                the setting rotate_every says which are due: `vault set --vault rotate_every=90d`, if nothing says it yet\n\
                it works while the agent is unlocked; what needs you waits for you\n";
    machine.run_bare(&["schedule", "install"]).succeeds().stdout("").stderr(said);
    let started = ["daemon-reload", "enable vault-rotate.timer", "restart vault-rotate.timer"];
    let asked = machine.asked();
    assert_eq!(asked[..3], started.map(|words| format!("systemctl --user {words}")));
    let command = format!("\":{}\" rotate --due --scheduled", program(&machine.case).display());
    assert_eq!(machine.line("vault-rotate.service", "ExecStart"), command);
    assert_eq!(machine.line("vault-rotate.timer", "OnCalendar"), "*-*-* 11:00:00");
    assert_eq!(mode(&machine.unit("vault-rotate.timer")), 0o644);

    let shown = machine.run(&["schedule", "status"]);
    shown.succeeds().stderr("").stdout(
        "scheduled by systemd: ~/.config/systemd/user/vault-rotate.timer\nnext run: 2026-11-23 11:20\nlast run: none yet\n",
    );
    let place = "~/.config/systemd/user/vault-rotate.timer";
    let installed = json!([{"by": "systemd", "place": place, "active": true, "next_run": "2026-11-23T11:20:05Z"}]);
    let standing =
        json!({"version": 1, "installed": installed, "last_run": null, "unattended": null, "unreadable": []});
    assert_eq!(machine.status(), standing);

    machine.asked();
    machine.run(&["schedule", "remove"]).succeeds().stdout("").stderr("removed the schedule of systemd\n");
    let asked = machine.asked();
    assert!(asked.contains(&"systemctl --user disable --now vault-rotate.timer".to_owned()), "{asked:?}");
    assert!(files_below(&machine.case.home().join(".config")).is_empty());
    machine.run(&["schedule", "remove"]).succeeds().stdout("").stderr("nothing is scheduled\n");
    let nothing = "nothing is scheduled; `vault schedule install` does that\nlast run: none yet\n";
    machine.run(&["schedule", "status"]).succeeds().stdout(nothing);
}

#[test]
fn where_systemd_can_not_be_reached_the_units_are_written_and_what_starts_them_is_said() {
    let machine = Machine::new(&[]);
    machine.stand_in("systemctl", "echo 'Failed to connect to bus' >&2; exit 1");
    let said = machine.run_bare(&["schedule", "install", "--at", "21:05"]);
    said.succeeds().stdout("").stderr(&format!(
        "keys that are due are replaced by systemd, every day at 21:05\n\
         the setting rotate_every says which are due: `vault set --vault rotate_every=90d`, if nothing says it yet\n\
         it works while the agent is unlocked; what needs you waits for you\n{}\
         vault: hint: run `systemctl --user daemon-reload`\n\
         vault: hint: run `systemctl --user enable --now vault-rotate.timer`\n",
        warning("it was written and not started: what starts it can't be reached from here")
    ));
    assert_eq!(machine.line("vault-rotate.timer", "OnCalendar"), "*-*-* 21:05:00");
    assert_eq!(machine.status()["installed"][0]["active"], Value::Null);
    // As `enable` does.
    let wants = machine.unit("timers.target.wants");
    fs::create_dir(&wants).unwrap();
    symlink(machine.unit("vault-rotate.timer"), wants.join("vault-rotate.timer")).unwrap();
    machine.run(&["schedule", "remove"]).succeeds();
    assert!(fs::symlink_metadata(wants.join("vault-rotate.timer")).is_err());
    assert!(!machine.unit("vault-rotate.service").exists());
}

#[test]
fn other_lines_of_a_crontab_keep_every_byte_whatever_is_installed_and_removed() {
    let machine = Machine::new(&["crontab"]);
    let file = machine.tools().join("crontab-of-alice");
    let others =
        b"# m h dom\n\n0 5 * * 1\ttar -zcf /x.tgz /home  # \xff \n#0 11 * * * vault # made by vault schedule\n";
    fs::write(&file, others).unwrap();
    machine.run(&["schedule", "install"]).succeeds();
    let command = format!("{} rotate --due --scheduled # made by vault schedule\n", program(&machine.case).display());
    let ours = format!("0 11 * * * {command}@reboot {command}");
    assert_eq!(fs::read(&file).unwrap(), [&others[..], ours.as_bytes()].concat());
    // Another time takes the place of the first.
    machine.run(&["schedule", "install", "--cron", "--at", "9:30"]).succeeds();
    let ours = format!("30 9 * * * {command}@reboot {command}");
    assert_eq!(fs::read(&file).unwrap(), [&others[..], ours.as_bytes()].concat());
    assert_eq!(machine.status()["installed"][0]["by"], "cron");
    machine.run(&["schedule", "remove"]).succeeds().stderr("removed the schedule of cron\n");
    assert_eq!(fs::read(&file).unwrap(), others);
}

#[test]
fn the_next_run_of_cron_is_told_by_the_machines_own_time_zone() {
    let machine = Machine::new(&["crontab"]);
    machine.run(&["schedule", "install"]).succeeds();
    let status = machine.vault(&["schedule", "status", "--json"]).without_variable("TZ").run();
    let next: Timestamp = json(&status)["installed"][0]["next_run"].as_str().unwrap().parse().unwrap();
    let apart = next.duration_since(Timestamp::now());
    assert!(apart.is_positive() && apart.as_hours() < 24, "{next}");
    assert_eq!(next.to_zoned(TimeZone::system()).strftime("%T").to_string(), "11:00:00");
    assert_eq!(
        machine.status()["installed"][0]["next_run"],
        Value::Null,
        "a variable of this shell says nothing of cron"
    );
}

#[test]
fn a_crontab_that_held_nothing_else_is_gone_afterwards() {
    let machine = Machine::new(&["crontab"]);
    machine.run(&["schedule", "install"]).succeeds();
    assert_eq!(machine.crontab().lines().count(), 2);
    machine.run(&["schedule", "remove"]).succeeds();
    assert!(!machine.tools().join("crontab-of-alice").exists());
}

#[test]
fn a_crontab_that_can_not_be_read_is_never_written() {
    let machine = Machine::new(&[]);
    machine.stand_in("crontab", "case $1 in -l) echo 'crontab: disk is broken' >&2; exit 1;; esac");
    let refused = machine.run(&["schedule", "install"]);
    refused.exits(1).stdout("").stderr(&error_and_hint(
        "`crontab` refused: crontab: disk is broken",
        "`vault schedule status` shows what is there; the same command goes on",
    ));
    assert_eq!(machine.asked(), ["crontab -l"]);
    // And nobody is told that nothing is there.
    for command in ["status", "remove"] {
        machine.run(&["schedule", command]).exits(1).stderr_has("`crontab` refused: crontab: disk is broken");
    }
    machine.stand_in("crontab", "echo 'You (alice) are not allowed to use this program (crontab)' >&2; exit 1");
    machine.run(&["schedule", "status"]).succeeds();
}

#[test]
fn a_schedule_that_takes_the_place_of_anothers_leaves_one() {
    let machine = Machine::new(&["systemctl", "crontab", "launchctl"]);
    machine.run(&["schedule", "install", "--cron"]).succeeds();
    machine.run(&["schedule", "install", "--launchd"]).succeeds().stderr_has("removed the schedule of cron\n");
    assert_eq!(machine.crontab(), "");
    machine.run(&["schedule", "install"]).succeeds().stderr_has("removed the schedule of launchd\n");
    assert!(!machine.plist().exists());
    let by: Vec<Value> =
        machine.status()["installed"].as_array().unwrap().iter().map(|one| one["by"].clone()).collect();
    assert_eq!(by, ["systemd"]);
}

#[test]
fn launchd_is_told_to_load_the_plist_and_to_forget_it() {
    let machine = Machine::new(&["launchctl"]);
    machine.run(&["schedule", "install", "--launchd"]).succeeds();
    let user = rustix::process::geteuid().as_raw();
    let plist = machine.plist();
    let bootout = format!("launchctl bootout gui/{user}/vault.rotate");
    assert_eq!(machine.asked(), [bootout.clone(), format!("launchctl bootstrap gui/{user} {}", plist.display())]);
    assert!(fs::read_to_string(&plist).unwrap().contains("<string>--scheduled</string>"));
    machine.run(&["schedule", "remove"]).succeeds();
    assert!(machine.asked().contains(&bootout) && !plist.exists());
}

#[test]
fn a_machine_without_a_scheduler_says_what_to_start() {
    let hint = "have something of yours start `vault rotate --due --scheduled` once a day";
    let told = error_and_hint("neither systemd nor cron is here to start a rotation", hint);
    Machine::new(&[]).run(&["schedule", "install"]).exits(1).stdout("").stderr(&told);
}

#[test]
fn what_is_printed_is_what_is_installed_and_printing_changes_nothing() {
    let machine = Machine::new(&["systemctl", "crontab", "launchctl"]);
    let printed = |by: &str| machine.run_bare(&["schedule", "print", by]).succeeds().stderr("").out.clone();
    let (units, plist, lines) = (printed("--systemd"), printed("--launchd"), printed("--cron"));
    assert!(machine.asked().is_empty());
    assert!(files_below(&machine.case.home()).is_empty());
    machine.run(&["schedule", "install", "--launchd"]).succeeds();
    assert_eq!(fs::read_to_string(machine.plist()).unwrap(), plist);
    machine.run(&["schedule", "install", "--cron"]).succeeds();
    assert_eq!(machine.crontab(), lines);
    machine.run(&["schedule", "install", "--systemd"]).succeeds();
    let unit =
        |name: &str| format!("# ~/.config/systemd/user/{name}\n{}", fs::read_to_string(machine.unit(name)).unwrap());
    assert_eq!(units, format!("{}\n{}", unit("vault-rotate.service"), unit("vault-rotate.timer")));
}

#[test]
fn a_scheduled_run_finds_the_vault_that_this_one_found() {
    let machine = Machine::new(&["crontab"]);
    let printed = machine
        .vault(&["schedule", "print", "--cron"])
        .variable("VAULT_FILE", "~/my vault/100%.age")
        .variable("XDG_STATE_HOME", machine.case.home().join("state"))
        .variable("VAULT_PASSPHRASE_FILE", "/not/for/others")
        .run();
    let home = machine.case.home();
    let variables =
        format!("0 11 * * * VAULT_FILE='{0}/my vault/100\\%.age' XDG_STATE_HOME={0}/state /", home.display());
    assert!(printed.succeeds().out.starts_with(&variables), "{}", printed.out);
    assert!(!printed.out.contains("/not/for/others"));
}

#[test]
fn what_a_scheduled_run_will_not_have_of_the_environment_is_said() {
    let machine = Machine::new(&["systemctl", "crontab"]);
    let [endpoint, passphrase] = [
        "vault: warning: a scheduled run goes without this shell's AWS_ENDPOINT_URL, AWS_ENDPOINT_URL_STS\n\
         vault: hint: `vault set NAME endpoint_url=URL` says it for a profile, also there\n",
        "vault: warning: a scheduled run goes without this shell's VAULT_PASSPHRASE_FILE\n\
         vault: hint: it works while the agent is unlocked; `vault schedule install --unattended` gives it a way in of its own\n",
    ];
    for words in [["schedule", "print"], ["schedule", "install"]] {
        let said = machine.vault(&words).variable("AWS_ENDPOINT_URL_STS", "https://sts.example").run();
        assert!(said.succeeds().err.ends_with(&format!("{endpoint}{passphrase}")), "{}", said.err);
        // A variable that is empty says nothing.
        let said = machine.vault(&words).asking().variable("AWS_ENDPOINT_URL", "").run();
        assert!(!said.succeeds().err.contains("warning"), "{}", said.err);
    }
}

/// As cron does: `%` ends the line unless a backslash stands before it, and a shell gets what is left.
#[test]
fn crons_shell_starts_the_program_by_the_words_of_the_line_wherever_it_is() {
    let machine = Machine::new(&["crontab"]);
    let folder = machine.case.given("it's a \"$x\" ${HOME} 100% `id` #ü&<b>");
    fs::create_dir(&folder).unwrap();
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o700)).unwrap();
    let (link, vault) = (folder.join("vault"), folder.join("my vault.age"));
    symlink(program(&machine.case), &link).unwrap();
    let printing = machine.case.vault_as(&link, &["schedule", "print", "--cron"]).variable("VAULT_FILE", &vault);
    let printed = printing.variable("PATH", machine.tools()).run().succeeds().out.clone();
    fs::remove_file(&link).unwrap();
    machine.case.write(&link, 0o700, "#!/bin/sh\nprintf '%s|' \"$VAULT_FILE\" \"$0\" \"$@\"\n");
    for line in printed.lines() {
        let command = line.strip_prefix("0 11 * * * ").or(line.strip_prefix("@reboot ")).unwrap();
        assert_eq!(command.matches('%').count(), command.matches("\\%").count(), "cut short: {command}");
        let started = machine.case.command("/bin/sh", &["-c", &command.replace("\\%", "%")]).run();
        let words = format!("{}|{}|rotate|--due|--scheduled|", vault.display(), link.display());
        started.succeeds().stdout(&words).stderr("");
    }
    assert_eq!(printed.lines().count(), 2);
}

#[test]
fn somebody_elses_units_and_folders_are_left_alone() {
    let machine = Machine::new(&["systemctl"]);
    machine.case.write(&machine.unit("vault-rotate.timer"), 0o644, "[Timer]\nOnCalendar=weekly\n");
    let path = machine.unit("vault-rotate.timer").display().to_string();
    let told = error_and_hint(
        &format!("{path} is there already, and `vault schedule` did not make it"),
        "move it away; nothing was changed",
    );
    machine.run(&["schedule", "install"]).exits(1).stdout("").stderr(&told);
    assert!(!machine.unit("vault-rotate.service").exists());
    machine.run(&["schedule", "remove"]).succeeds().stderr("nothing is scheduled\n");
    assert_eq!(fs::read_to_string(machine.unit("vault-rotate.timer")).unwrap(), "[Timer]\nOnCalendar=weekly\n");

    let folder = machine.case.home().join("Library/LaunchAgents");
    fs::create_dir_all(&folder).unwrap();
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o777)).unwrap();
    machine.run(&["schedule", "install", "--launchd"]).refuses(6, "can be changed by others");
    assert!(fs::read_dir(&folder).unwrap().next().is_none());
}

#[test]
fn a_time_that_is_none_is_a_wrong_command_line() {
    let machine = Machine::new(&["systemctl"]);
    for time in ["25:00", " 9:30", "9:5", "930", ":30", "+9:30"] {
        let refused = machine.run(&["schedule", "install", "--at", time]);
        refused.exits(2).stderr_has("is not a time of day such as 09:30");
    }
    machine.run(&["schedule", "install", "--cron", "--systemd"]).exits(2);
    machine.run(&["schedule", "install", "--yes"]).exits(2);
    assert!(machine.asked().is_empty());
}
