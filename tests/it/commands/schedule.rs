//! `vault schedule`: what it tells the system's schedulers, what it writes, and that it takes all of it back.

use std::cell::{Cell, RefCell};
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::PathBuf;

use jiff::Timestamp;
use serde_json::{Value, json};
use vault::cli::{World, scheduled_run_finished};
use vault::clock::SystemClock;
use vault::disk::RealDisk;
use vault::paths::{Environment, Paths};
use vault::process::{harden, host_name};
use vault::rotate::outcome::{Failed, Outcome, Reason};
use vault::store::plugin::NoPlugins;

use super::configure::program;
use super::{error, error_and_hint, json, mode, screen, warning};
use crate::program::{Case, Invocation, Output, files_below};

const DISK: &str = "whoever has this machine's disk, or a backup of it, has the access keys";
const USER: &str = "so has whoever runs programs as your user, also while the vault is locked";

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

    /// A run that ended so, as `rotate --scheduled` remembers it.
    fn ended(&self, outcome: &Outcome) {
        outcome.record(&RealDisk, &self.state()).unwrap();
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

fn recipient() -> String {
    format!("unattended-{}", host_name())
}

fn outcome(exit: u8, names: &[&str]) -> Outcome {
    let failed = |name: &&str| Failed { profile: name.parse().unwrap(), reason: Reason::of_exit(exit).unwrap() };
    let time: Timestamp = "2026-11-22T11:04:30Z".parse().unwrap();
    let mut outcome = Outcome::new(time, exit);
    outcome.failed = names.iter().map(failed).collect();
    outcome
}

#[test]
fn a_timer_of_systemd_is_written_started_shown_and_taken_back() {
    let machine = Machine::new(&["systemctl", "crontab"]);
    let said = "keys that are due are replaced by systemd, every day at 11:00\n\
                it works while the agent is unlocked; what needs you waits for you\n";
    machine.run(&["schedule", "install"]).succeeds().stdout("").stderr(said);
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
    let said = machine.run(&["schedule", "install", "--at", "21:05"]);
    said.succeeds().stdout("").stderr(&format!(
        "keys that are due are replaced by systemd, every day at 21:05\n\
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
    machine.run(&["schedule", "install", "--cron", "--at", "09:30"]).succeeds();
    let ours = format!("30 9 * * * {command}@reboot {command}");
    assert_eq!(fs::read(&file).unwrap(), [&others[..], ours.as_bytes()].concat());
    assert_eq!(machine.status()["installed"][0]["by"], "cron");
    machine.run(&["schedule", "remove"]).succeeds().stderr("removed the schedule of cron\n");
    assert_eq!(fs::read(&file).unwrap(), others);
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
    let printed = |by: &str| machine.run(&["schedule", "print", by]).succeeds().stderr("").out.clone();
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
    machine.run(&["schedule", "install", "--at", "25:00"]).exits(2).stderr_has("is not a time of day such as 09:30");
    machine.run(&["schedule", "install", "--cron", "--systemd"]).exits(2);
    machine.run(&["schedule", "install", "--yes"]).exits(2);
    assert!(machine.asked().is_empty());
}

#[test]
fn unattended_runs_get_a_recipient_of_their_own_that_goes_with_the_schedule() {
    let machine = Machine::with_vault(&["crontab"]);
    let said = machine.run(&["schedule", "install", "--unattended", "--yes"]);
    let means =
        warning("scheduled runs would open the vault with nobody there, by an identity that stays on this machine");
    said.succeeds().stdout("").stderr(&format!(
        "{means}{DISK};\n{USER}\nadded recipient `{}`; its identity is kept in a file that only your user can read\n\
         keys that are due are replaced by cron, every day at 11:00\n\
         vault: hint: `vault schedule status` shows how it goes\n",
        recipient()
    ));
    let identity = machine.state().join("unattended.identity");
    assert_eq!(mode(&identity), 0o600);
    assert!(machine.crontab().contains(&format!("--scheduled --identity {} #", identity.display())));
    assert!(machine.recipients().contains(&recipient()));
    // What the line says opens the vault, and nobody is asked.
    machine.vault(&["list", "--identity", identity.to_str().unwrap()]).asking().run().succeeds();

    let shown = machine.run(&["schedule", "status"]);
    shown.succeeds().stdout(&format!(
        "scheduled by cron: your crontab\nlast run: none yet\nunattended: recipient `{}` opens the vault; its identity is in \
         ~/.local/state/vault/unattended.identity\n  {DISK};\n  {USER}\n",
        recipient()
    ));
    let told = machine.status()["unattended"].clone();
    assert_eq!(
        (&told["recipient"], &told["kept_by"], &told["warning"]),
        (&json!(recipient()), &json!("file"), &json!(DISK))
    );
    // Another time keeps it, and so does asking for it again.
    machine.run(&["schedule", "install", "--at", "10:00"]).succeeds();
    assert!(machine.crontab().contains("--identity"));
    let again = machine.run(&["schedule", "install", "--unattended", "--yes"]);
    again.succeeds().stderr_has(&format!("recipient `{}` is there already\n", recipient()));

    let copy = machine.case.give("copy", fs::read(&identity).unwrap());
    let text = fs::read_to_string(&identity).unwrap();
    let hint = "this needs a confirmation and there is no terminal to ask on";
    machine.run(&["schedule", "remove"]).refuses(8, hint);
    assert!(identity.exists() && machine.crontab().contains("--identity"), "half of it was done");
    let removed = machine.run(&["schedule", "remove", "--yes"]);
    removed.succeeds().stderr_has(&format!("removed recipient `{}`\n", recipient()));
    removed.stderr_has("removed the identity of unattended runs\nremoved the schedule of cron\n");
    machine.case.keep_secret("the unattended identity", text.trim());
    assert!(!identity.exists() && !machine.recipients().contains(&recipient()));
    machine.vault(&["list", "--identity", copy.to_str().unwrap()]).asking().run().exits(3);
    assert_eq!(machine.status()["unattended"], Value::Null);
}

#[test]
fn only_a_whole_yes_lets_runs_be_unattended_and_the_vault_is_asked_for_in_person() {
    let machine = Machine::with_vault(&["crontab"]);
    let before = fs::read(machine.case.vault_file()).unwrap();
    let told = error_and_hint("this needs a confirmation and there is no terminal to ask on", "pass `--yes`");
    let refused = machine.run(&["schedule", "install", "--unattended"]);
    assert!(refused.exits(8).err.ends_with(&told), "{}", refused.err);
    for answer in ["y", "no", ""] {
        let mut terminal = machine.vault(&["schedule", "install", "--unattended"]).on_terminal();
        terminal.expect(USER).expect("Type yes if that is what you want: ").type_line(answer);
        let (output, _) = terminal.finish();
        assert!(screen(output.exits(8)).ends_with(&error("not confirmed; nothing was changed")), "{}", output.screen);
    }
    machine.vault(&["schedule", "install", "--unattended", "--yes"]).asking().run().exits(3);
    assert_eq!(fs::read(machine.case.vault_file()).unwrap(), before);
    assert!(machine.crontab().is_empty() && !machine.state().join("unattended.json").exists());
    let mut terminal = machine.vault(&["schedule", "install", "--unattended"]).on_terminal();
    terminal.expect("Type yes if that is what you want: ").type_line("yes");
    terminal.finish().0.succeeds();
    assert!(machine.recipients().contains(&recipient()));
}

#[test]
fn a_new_systemd_keeps_the_identity_encrypted_and_an_old_one_is_not_asked_to() {
    let machine = Machine::with_vault(&["systemctl", "systemd-creds", "crontab"]);
    machine.run(&["schedule", "install", "--unattended", "--yes"]).succeeds();
    assert_eq!(machine.status()["unattended"]["kept_by"], "file");
    assert!(!machine.asked().iter().any(|line| line.starts_with("systemd-creds")));
    machine.run(&["schedule", "remove", "--yes"]).succeeds();

    fs::write(machine.tools().join("version"), "256.4-1\n").unwrap();
    let made = machine.run(&["schedule", "install", "--unattended", "--yes"]);
    made.succeeds().stderr_has("its identity is kept in a file that systemd encrypted for this machine\n");
    let asked = machine.asked();
    assert!(asked.contains(&"systemd-creds encrypt --user --name=vault-identity - -".to_owned()), "{asked:?}");
    // What it was given to encrypt opens the vault, and is nowhere in the clear.
    let encrypted = machine.tools().join("encrypted");
    fs::set_permissions(&encrypted, fs::Permissions::from_mode(0o600)).unwrap();
    machine.case.keep_secret("the unattended identity", fs::read_to_string(&encrypted).unwrap().trim());
    machine.vault(&["list", "--identity", encrypted.to_str().unwrap()]).asking().run().succeeds();
    let credential = machine.state().join("unattended.credential");
    assert_eq!((fs::read_to_string(&credential).unwrap().as_str(), mode(&credential)), ("RU5DUllQVEVE\n", 0o600));
    assert!(machine.line("vault-rotate.service", "ExecStart").ends_with(" --identity %d/vault-identity"));
    let load = machine.line("vault-rotate.service", "LoadCredentialEncrypted");
    assert_eq!(load, format!("vault-identity:{}", credential.display()));
    // Only systemd can hand it over.
    let refused = machine.run(&["schedule", "install", "--cron"]);
    refused.refuses(1, "the unattended identity was made for systemd, which alone hands it over");
    machine.run(&["schedule", "remove", "--yes"]).succeeds();
    assert!(!credential.exists() && !machine.recipients().contains(&recipient()));

    // One that refuses is no reason to give up.
    machine.stand_in("systemd-creds", "cat > /dev/null; echo no TPM >&2; exit 1");
    machine.run(&["schedule", "install", "--unattended", "--yes"]).succeeds();
    assert_eq!(machine.status()["unattended"]["kept_by"], "file");
    machine.run(&["schedule", "remove", "--yes"]).succeeds();
}

#[test]
fn the_keychain_gets_the_identity_by_its_input_and_gives_it_to_a_run() {
    let machine = Machine::with_vault(&["launchctl", "security"]);
    machine.run(&["schedule", "install", "--launchd", "--unattended", "--yes"]).succeeds();
    let keychain = machine.tools().join("keychain");
    machine.case.keep_secret("the unattended identity", fs::read_to_string(&keychain).unwrap().trim());
    let asked = machine.asked();
    assert!(
        asked.contains(&"security -i".to_owned()) && !asked.iter().any(|line| line.contains("AGE-SECRET")),
        "{asked:?}"
    );
    // What launchd would start, with a command in the place of the one that is not asked here.
    let plist = fs::read_to_string(machine.plist()).unwrap();
    let words = plist.lines().filter_map(|line| line.trim().strip_prefix("<string>")?.strip_suffix("</string>"));
    let words: Vec<String> =
        words.map(|word| word.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")).collect();
    let end = words.iter().position(|word| word == "rotate").unwrap();
    let words: Vec<&str> = words[1..end].iter().map(String::as_str).chain(["list"]).collect();
    let run = machine.case.command(words[0], &words[1..]).run();
    run.succeeds();
    machine.run(&["schedule", "remove", "--yes"]).succeeds();
    assert!(!keychain.exists());

    machine.stand_in("security", "case $1 in -i) cat > /dev/null;; esac");
    let before = fs::read(machine.case.vault_file()).unwrap();
    let refused = machine.run(&["schedule", "install", "--launchd", "--unattended", "--yes"]);
    refused.refuses(1, "the Keychain does not give back what was put into it; the vault was not changed");
    assert_eq!(fs::read(machine.case.vault_file()).unwrap(), before);
    assert_eq!(machine.status()["unattended"], Value::Null);
}

#[test]
fn an_identity_never_lies_beside_the_vault_nor_stays_where_the_vault_was_not_saved() {
    let machine = Machine::with_vault(&["crontab"]);
    let beside = machine.state().join("vault.age");
    let refused =
        machine.vault(&["schedule", "install", "--unattended", "--yes"]).variable("VAULT_FILE", &beside).run();
    refused.refuses(1, "the identity would lie beside the vault");
    let lock = machine.case.vault_file().with_file_name(".vault.age.lock");
    let _ = fs::remove_file(&lock);
    fs::create_dir(&lock).unwrap();
    machine.run(&["schedule", "install", "--unattended", "--yes"]).exits(6);
    let left = files_below(&machine.state());
    assert!(!left.iter().any(|path| path.display().to_string().contains("unattended")), "{left:?}");
    assert!(machine.crontab().is_empty());
}

#[test]
fn a_recipient_whose_identity_is_gone_is_named_and_one_that_is_gone_does_not_keep_the_rest() {
    let machine = Machine::with_vault(&["crontab"]);
    machine.run(&["schedule", "install", "--unattended", "--yes"]).succeeds();
    let state = machine.state();
    let (kept, identity) = (state.join("unattended.json"), state.join("unattended.identity"));
    let text = fs::read(&identity).unwrap();
    fs::remove_file(&identity).unwrap();
    let refused = machine.run(&["schedule", "install", "--unattended", "--yes"]);
    refused.refuses(1, "opens the vault already, and its identity is not on this machine");
    refused.stderr_has(&format!("`vault recipient remove {}`, then the same command again\n", recipient()));
    machine.case.write(&identity, 0o600, text);
    machine.run(&["recipient", "remove", &recipient(), "--yes"]).succeeds();
    machine.run(&["schedule", "remove", "--yes"]).succeeds().stderr_has("removed the identity of unattended runs\n");
    assert!(!kept.exists() && !identity.exists());
}

#[test]
fn what_is_remembered_of_an_identity_is_made_anew_where_it_is_damaged() {
    let machine = Machine::with_vault(&["crontab"]);
    machine.run(&["schedule", "install", "--unattended", "--yes"]).succeeds();
    let (kept, identity) = (machine.state().join("unattended.json"), machine.state().join("unattended.identity"));
    for (text, told) in [("{", "is damaged"), (r#"{"version":2}"#, "is of a later version of this program")] {
        fs::write(&kept, text).unwrap();
        let line = format!(
            "unattended: not known: unattended.json {told}; `vault schedule install --unattended` makes it anew\n"
        );
        let status = machine.run(&["schedule", "status"]);
        status.succeeds().stdout(&format!("scheduled by cron: your crontab\nlast run: none yet\n{line}"));
        assert_eq!(machine.status()["unreadable"][0]["file"], "unattended.json");
        // A schedule that would no longer open the vault is not what anybody meant.
        let refused = machine.run(&["schedule", "install"]);
        refused.refuses(1, "whether scheduled runs are unattended is not known: ");
        refused.stderr_has("`vault schedule install --unattended` makes it anew");
        let again = machine.run(&["schedule", "install", "--unattended", "--yes"]);
        again.succeeds().stderr_has(&format!("recipient `{}` is there already\n", recipient()));
        assert_eq!(machine.status()["unattended"]["recipient"], recipient());
    }
    fs::write(&kept, "{").unwrap();
    machine.run(&["schedule", "remove", "--yes"]).succeeds().stderr_has("removed the schedule of cron\n");
    assert!(!machine.recipients().contains(&recipient()) && !kept.exists() && !identity.exists());

    // With the identity goes the last that tells which recipient it was.
    machine.run(&["schedule", "install", "--unattended", "--yes"]).succeeds();
    fs::write(&kept, "{").unwrap();
    fs::remove_file(&identity).unwrap();
    let removed = machine.run(&["schedule", "remove", "--yes"]);
    removed.succeeds().stderr_has("`vault recipient list` shows them, `vault recipient remove NAME` removes one\n");
    assert!(machine.recipients().contains(&recipient()) && !kept.exists());
    machine.run(&["schedule", "install", "--unattended", "--yes"]).succeeds();
    assert_eq!(machine.status()["unattended"]["recipient"], format!("{}-2", recipient()));
}

#[test]
fn how_the_last_run_went_is_not_known_where_its_record_is_damaged_and_all_else_is() {
    let machine = Machine::with_vault(&["crontab"]);
    machine.run(&["schedule", "install"]).succeeds();
    for (text, told) in [("{", "is damaged"), (r#"{"version":2}"#, "is of a later version of this program")] {
        fs::write(machine.state().join("schedule.json"), text).unwrap();
        let line = format!("last run of the schedule: not known: schedule.json {told}; the next run writes it anew");
        machine.run(&["schedule", "status"]).succeeds().stdout(&format!("scheduled by cron: your crontab\n{line}\n"));
        let standing = machine.status();
        assert_eq!(
            (&standing["last_run"], &standing["unreadable"][0]["file"]),
            (&Value::Null, &json!("schedule.json"))
        );
        machine.run(&["status"]).succeeds().stderr_has(&warning(&line));
        machine.run(&["list"]).succeeds();
    }
    machine.run(&["rotate", "--due", "--scheduled"]).succeeds();
    assert_eq!(machine.status()["last_run"]["exit"], 0);
    assert_eq!(machine.status()["unreadable"], json!([]));
}

/// Two machines of one name, and one vault that both open.
#[test]
fn two_machines_of_one_name_have_a_recipient_each_and_take_back_their_own() {
    let machine = Machine::with_vault(&["crontab"]);
    let other_home = machine.case.given("other-home");
    fs::create_dir(&other_home).unwrap();
    let other = |words: &[&str]| {
        let fingerprint = json(&machine.run(&["status", "--json"]))["fingerprint"].as_str().unwrap().to_owned();
        let vault = machine.vault(words).variable("HOME", &other_home).variable("VAULT_FINGERPRINT", fingerprint);
        vault.variable("VAULT_FILE", machine.case.vault_file()).run()
    };
    let install = ["schedule", "install", "--unattended", "--yes"];
    let (first, second) = (recipient(), format!("{}-2", recipient()));
    machine.run(&install).succeeds();
    let said = other(&install);
    said.succeeds().stderr_has(&format!(
        "added recipient `{second}`; its identity is kept in a file that only your user can read\n\
         recipient `{first}` is another machine's of this name, or of a schedule that was here before\n\
         vault: hint: `vault recipient remove {first}` if it is no longer needed\n"
    ));
    other(&["schedule", "status"]).stdout_has(&format!("unattended: recipient `{second}` opens the vault"));
    machine.run(&["schedule", "status"]).stdout_has(&format!("unattended: recipient `{first}` opens the vault"));
    let identity = machine.state().join("unattended.identity");
    machine.vault(&["list", "--identity", identity.to_str().unwrap()]).asking().run().succeeds();

    // The first one's is taken away, and another takes its name.
    machine.run(&["recipient", "remove", &first, "--yes"]).succeeds();
    fs::remove_dir_all(other_home.join(".local/state")).unwrap();
    other(&install).succeeds().stderr_has(&format!("added recipient `{first}`; "));
    machine.run(&["schedule", "remove", "--yes"]).succeeds();
    assert!(machine.recipients().contains(&first), "it was the other machine's");
    other(&["schedule", "remove", "--yes"]).succeeds().stderr_has(&format!("removed recipient `{first}`\n"));
}

#[test]
fn a_run_that_failed_is_told_at_the_next_command_at_a_terminal_once() {
    let machine = Machine::with_vault(&[]);
    machine.ended(&outcome(3, &["prod", "dev"]));
    let line = warning("the scheduled rotation of 2026-11-22 11:04 failed for prod, dev: the vault was locked")
        + "vault: hint: `vault unlock`, then `vault rotate --due`\n";
    // Who is not there is not told, nor a program that reads what is said.
    machine.run(&["list"]).succeeds().stderr_has("the vault is empty");
    assert!(!machine.run(&["list"]).err.contains("scheduled"));
    let on_terminal = || screen(machine.vault(&["list"]).on_terminal().finish().0.succeeds());
    let shown = on_terminal();
    assert!(shown.contains(&line), "{shown}");
    assert!(!on_terminal().contains("scheduled"), "told twice");
    // `status` says it as long as it is so.
    machine.run(&["status"]).succeeds().stderr_has(&line);
    machine.run(&["status"]).succeeds().stderr_has(&line);
    // The next one anew.
    machine.ended(&outcome(5, &[]));
    assert!(on_terminal().contains("the scheduled rotation of 2026-11-22 11:04 failed: no network"));
    machine.ended(&outcome(0, &[]));
    assert!(!on_terminal().contains("scheduled"));
    assert!(!machine.run(&["status"]).err.contains("scheduled"));
}

#[test]
fn what_the_last_run_came_to_is_shown_with_its_profiles() {
    let machine = Machine::new(&[]);
    let mut ended = outcome(8, &["prod"]);
    (ended.rotated, ended.waiting) = (4, 1);
    machine.ended(&ended);
    let shown = machine.run(&["schedule", "status"]);
    shown.succeeds().stdout(
        "nothing is scheduled; `vault schedule install` does that\n\
         last run: 2026-11-22 11:04, 4 rotated, 1 waiting, 1 failed (exit code 8): a person is needed\n  \
         prod: a person is needed\n",
    );
    let failed = json!([{"profile": "prod", "reason": "person-needed"}]);
    let last = json!({"time": "2026-11-22T11:04:30Z", "exit": 8, "rotated": 4, "waiting": 1, "failed": failed});
    assert_eq!(machine.status()["last_run"], last);
    machine.run(&["schedule", "remove"]).succeeds();
    assert_eq!(machine.status()["last_run"], Value::Null);
}

#[test]
fn a_failure_is_shown_on_the_desktop_once_and_another_one_again() {
    let machine = Machine::new(&["notify-send"]);
    let home = machine.case.home();
    let environment: Environment =
        [("HOME", home.as_os_str()), ("PATH", machine.tools().as_os_str())].into_iter().collect();
    let world = World {
        paths: Paths::from_environment(&environment).unwrap(),
        environment,
        started_as: "/bin/sh".into(),
        disk: &RealDisk,
        clock: &SystemClock,
        plugins: &NoPlugins,
        hardened: harden(),
        unlock: Default::default(),
        held_key: &|_| None,
        agent_is_silent: Cell::new(false),
        output: RefCell::new(Box::new(Vec::new())),
        messages: RefCell::new(Box::new(Vec::new())),
    };
    let finished = |outcome: Outcome| {
        scheduled_run_finished(&world, &outcome);
        machine.asked()
    };
    let shown = finished(outcome(3, &["prod"]));
    assert_eq!(shown.len(), 1, "{shown:?}");
    assert!(shown[0].starts_with("notify-send --app-name=vault -- the scheduled rotation of 2026-11-22 "), "{shown:?}");
    assert!(shown[0].contains(" failed for prod: the vault was locked `vault unlock`, then"), "{shown:?}");
    assert!(finished(outcome(3, &["prod"])).is_empty());
    assert_eq!(finished(outcome(4, &["prod"])).len(), 1);
    assert_eq!(finished(outcome(4, &["prod", "dev"])).len(), 1);
    assert!(finished(outcome(0, &[])).is_empty());
    assert_eq!(finished(outcome(4, &["prod"])).len(), 1);
    assert_eq!(machine.status()["last_run"]["exit"], 4);
}
