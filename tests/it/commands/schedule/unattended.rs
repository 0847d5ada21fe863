//! Runs that nobody attends: their recipient, its identity, and that both go again.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use serde_json::{Value, json};
use vault::process::host_name;

use super::{BY_CRON, Machine};
use crate::commands::{error, error_and_hint, json, mode, screen, warning};
use crate::program::files_below;

const DISK: &str = "whoever has this machine's disk, or a backup of it, has the access keys";
const USER: &str = "so has whoever runs programs as your user, also while the vault is locked";

fn recipient() -> String {
    format!("unattended-{}", host_name())
}

#[test]
fn unattended_runs_get_a_recipient_of_their_own_that_goes_with_the_schedule() {
    let machine = Machine::with_vault(&["crontab"]);
    let install = machine.vault(&["schedule", "install", "--unattended", "--yes"]);
    let said = install.without_variable("AWS_ENDPOINT_URL").run();
    let means =
        warning("scheduled runs would open the vault with nobody there, by an identity that stays on this machine");
    said.succeeds().stdout("").stderr(&format!(
        "{means}{DISK};\n{USER}\nadded recipient `{}`; its identity is kept in a file that only your user can read\n\
         keys that are due are replaced by cron, every day at 11:00\n\
         the setting rotate_every says which are due: `vault set --vault rotate_every=90d`, if nothing says it yet\n\
         two lines of your crontab say so, that time and @reboot; `vault schedule remove` takes them out\n\
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
        "{}last run: none yet\nunattended: recipient `{}` opens the vault; its identity is in \
         ~/.local/state/vault/unattended.identity\n  {DISK};\n  {USER}\n",
        BY_CRON,
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
        if answer == "y" {
            terminal.expect("The whole word, since much hangs on it: ").type_line(answer);
        }
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
        status.succeeds().stdout(&format!("{}last run: none yet\n{line}", BY_CRON));
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
