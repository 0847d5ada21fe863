//! What reads the texts of a schedule: systemd, a reader of property lists, and a shell behind a reader of crontabs.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use super::judge;
use crate::commands::configure::program;
use crate::program::{Case, Output};

/// What a path may hold and systemd's programs too.
const WILD: &str = "a $x ${HOME} 100% %h ü&<b>";

/// The program in such a folder.
fn wild(case: &Case) -> PathBuf {
    let folder = case.given(WILD);
    fs::create_dir_all(&folder).unwrap();
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o700)).unwrap();
    let link = folder.join("vault");
    if !link.exists() {
        symlink(program(case), &link).unwrap();
    }
    link
}

fn vault_file(program: &Path) -> PathBuf {
    program.with_file_name("it's \"the\" vault.age")
}

fn printed(case: &Case, program: &Path, by: &str) -> Output {
    let printed = case.vault_as(program, &["schedule", "print", by, "--at", "07:05"]);
    let printed = printed.variable("VAULT_FILE", vault_file(program)).run();
    printed.succeeds();
    printed
}

/// Writes each text of `print --systemd` under the name that stands before it.
fn write_units(folder: &Path, printed: &str) -> Vec<PathBuf> {
    let mut files: Vec<(PathBuf, String)> = Vec::new();
    for line in printed.lines() {
        match line.strip_prefix("# ~/.config/systemd/user/") {
            Some(name) => files.push((folder.join(name), String::new())),
            None => files.last_mut().unwrap().1.push_str(&format!("{line}\n")),
        }
    }
    files.iter().for_each(|(file, text)| fs::write(file, text).unwrap());
    files.into_iter().map(|(file, _)| file).collect()
}

fn verified(case: &Case, units: &[PathBuf]) -> Output {
    let mut words = vec!["verify".to_owned(), "--user".to_owned()];
    words.extend(units.iter().map(|unit| unit.to_str().unwrap().to_owned()));
    let runtime = case.given("runtime");
    fs::create_dir_all(&runtime).unwrap();
    case.command(judge("systemd-analyze"), &words).variable("XDG_RUNTIME_DIR", runtime).run()
}

#[test]
#[ignore = "needs systemd"]
fn systemd_finds_nothing_wrong_with_our_units_wherever_the_program_is() {
    let case = Case::new();
    for program in [program(&case), wild(&case)] {
        let units = write_units(&case.given(""), &printed(&case, &program, "--systemd").out);
        assert_eq!(units.len(), 2);
        verified(&case, &units).succeeds().stdout("").stderr("");
    }
    // It would have said so: where there is no such program, and where a line is not known.
    let units = write_units(&case.given(""), &printed(&case, &wild(&case), "--systemd").out);
    let text = fs::read_to_string(&units[0]).unwrap();
    fs::write(&units[0], text.replace("100%%", "100%%%%")).unwrap();
    verified(&case, &units[..1]).stderr_has("is not executable: No such file or directory");
    fs::write(&units[0], text.replace("UMask=", "Mask=")).unwrap();
    verified(&case, &units[..1]).stderr_has("Unknown key");
}

#[test]
#[ignore = "needs systemd"]
fn systemd_finds_nothing_wrong_with_the_agents_units_wherever_the_program_is() {
    let case = Case::new();
    let printed = case.vault_as(wild(&case), &["agent", "print-unit"]).run();
    let units = write_units(&case.given(""), &printed.succeeds().out);
    assert_eq!(units.len(), 2);
    verified(&case, &units).succeeds().stdout("").stderr("");
}

#[test]
#[ignore = "needs systemd"]
fn systemd_finds_nothing_wrong_with_the_units_of_an_unattended_run() {
    let case = Case::with_vault();
    let program = wild(&case);
    let install = ["schedule", "install", "--systemd", "--unattended", "--yes"];
    let state = case.given("st%ate \"of\" $alice");
    let vault = case.vault_file();
    // Another state folder has not seen the vault yet.
    fs::create_dir_all(state.join("vault")).unwrap();
    fs::set_permissions(state.join("vault"), fs::Permissions::from_mode(0o700)).unwrap();
    fs::copy(case.home().join(".local/state/vault/pins.toml"), state.join("vault/pins.toml")).unwrap();
    case.vault_as(&program, &install).variable("XDG_STATE_HOME", &state).variable("VAULT_FILE", vault).run().succeeds();
    let folder = case.home().join(".config/systemd/user");
    let units = ["vault-rotate.service", "vault-rotate.timer"].map(|name| folder.join(name));
    assert!(fs::read_to_string(&units[0]).unwrap().contains("--identity"));
    verified(&case, &units).succeeds().stdout("").stderr("");
}

#[test]
#[ignore = "needs Python"]
fn pythons_plistlib_gives_back_the_words_that_went_into_the_plist() {
    let case = Case::new();
    let program = wild(&case);
    let plist = case.give("plist", &printed(&case, &program, "--launchd").out);
    let script = "import json, plistlib, sys; print(json.dumps(plistlib.load(open(sys.argv[1], 'rb'))))";
    let read = case.command(judge("python3"), &["-c", script, plist.to_str().unwrap()]).run();
    read.succeeds();
    let read: serde_json::Value = serde_json::from_str(&read.out).unwrap();
    let words = [program.to_str().unwrap(), "rotate", "--due", "--scheduled"];
    assert_eq!(read["ProgramArguments"], serde_json::json!(words));
    assert_eq!(read["EnvironmentVariables"]["VAULT_FILE"], vault_file(&program).to_str().unwrap());
    assert_eq!(read["StartCalendarInterval"], serde_json::json!({"Hour": 7, "Minute": 5}));
    assert_eq!((&read["RunAtLoad"], &read["Label"]), (&true.into(), &"vault.rotate".into()));
}

#[test]
#[ignore = "needs cron"]
fn cron_takes_our_lines_wherever_the_program_is() {
    let case = Case::new();
    let printed = printed(&case, &wild(&case), "--cron").out;
    let check = |lines: &str| {
        let file = case.give("crontab", lines);
        case.command(judge("crontab"), &["-n", file.to_str().unwrap()]).run()
    };
    check(&printed).succeeds();
    // It would have said so, and takes lines that are longer than ours ever are.
    check(&printed.replace("5 7 ", "5 24 ")).exits(1).stderr_has("bad hour");
    check(&format!("5 7 * * * {}\n", "x".repeat(990))).succeeds();
}
