//! `configure`: the line it writes into `~/.aws/config`, what it takes out of that line's way, and how all of it goes again.

mod rivals;
mod roles;

use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use serde_json::json;

use super::{VAULT, error, error_and_hint, json, mode, short, warning};
use crate::program::{ACCOUNT, Case, Output, write_program};

const USE: &str = "use: aws --profile prod --region us-east-1 sts get-caller-identity\n\
                   vault: hint: AWS tools find no region for `prod`; `vault configure prod --region us-east-1` writes one\n";
const BY_HAND: &str = "take that line out by hand; nothing was changed";

/// The program at a path that nobody else can change, which a folder of sources may not be.
pub fn program(case: &Case) -> PathBuf {
    let built = Path::new(VAULT);
    if built.ancestors().all(|part| fs::metadata(part).unwrap().mode() & 0o022 == 0) {
        return built.to_owned();
    }
    let copy = case.given("program");
    if !copy.exists() {
        write_program(&copy, &fs::read(built).unwrap());
    }
    copy
}

pub fn vault(case: &Case, arguments: &[&str]) -> Output {
    case.vault_as(program(case), arguments).run()
}

/// What stands behind `credential_process = `: the small program, where the other was not copied away from it.
pub fn command(case: &Case, name: &str) -> String {
    let quick = program(case).with_file_name("vault-quick");
    let program = if quick.exists() { quick } else { program(case) };
    format!("{} credential-process {name}", program.display())
}

fn line(case: &Case) -> String {
    format!("credential_process = {}", command(case, "prod"))
}

fn config(case: &Case) -> String {
    fs::read_to_string(case.config()).unwrap()
}

fn wrote(case: &Case) -> String {
    format!("wrote {} into [profile prod] of ~/.aws/config\n", line(case))
}

/// Refused with these words, and both files are as before.
#[track_caller]
fn refused(case: &Case, arguments: &[&str], told: &str) {
    let files = [case.config(), case.credentials(), case.vault_file()];
    let before = files.each_ref().map(|path| fs::read(path).ok());
    vault(case, &[&["configure", "prod"], arguments].concat()).exits(1).stdout("").stderr(told);
    assert!(files.each_ref().map(|path| fs::read(path).ok()) == before, "something was changed");
}

#[test]
fn the_line_is_written_once_into_a_file_of_its_own() {
    let case = Case::with_prod();
    let output = vault(&case, &["configure", "prod"]);
    output.succeeds().stdout("").stderr(&(wrote(&case) + USE));
    assert_eq!(config(&case), format!("[profile prod]\n# made by vault configure\n{}\n", line(&case)));
    assert_eq!(mode(&case.config()), 0o600);
    let inode = fs::metadata(case.config()).unwrap().ino();
    let again = format!("[profile prod] of ~/.aws/config asks this vault already\n{USE}");
    vault(&case, &["configure", "prod"]).succeeds().stderr(&again);
    assert_eq!(fs::metadata(case.config()).unwrap().ino(), inode, "written a second time");
    assert_eq!(case.sim.requests(), []);
    vault(&case, &["configure", "prod", "--restore"]).succeeds().stderr("removed [profile prod] from ~/.aws/config\n");
    assert_eq!(config(&case), "");
    let nothing = "[profile prod] of ~/.aws/config does not ask this vault; nothing to do\n";
    vault(&case, &["configure", "prod", "--restore"]).succeeds().stderr(nothing);
}

#[test]
fn a_nasty_file_keeps_every_byte_that_is_not_ours() {
    let case = Case::with_prod();
    let before = b"\xef\xbb\xbf# by hand \xff\xfe\r\n[default]\r\n\tRegion = x\r\ns3 =\r\n  max_concurrent_requests = 20\r\n\r\n".as_slice();
    let ours = b"[profile prod]\r\n; keep me\r\nOutput=json\r\n";
    let after = b"\r\n# of the last\n[profile last]\nx=y";
    let file = case.home().join("dotfiles/config");
    case.write(&file, 0o644, [before, ours, after].concat());
    fs::create_dir(case.home().join(".aws")).unwrap();
    symlink("../dotfiles/config", case.config()).unwrap();

    vault(&case, &["configure", "prod", "--region", "eu-west-1"]).succeeds().stderr_has("wrote region = eu-west-1\n");
    let added = format!("{}\r\nregion = eu-west-1\r\n", line(&case));
    let shown = |bytes: &[u8]| bytes.escape_ascii().to_string();
    assert_eq!(shown(&fs::read(&file).unwrap()), shown(&[before, ours, added.as_bytes(), after].concat()));
    assert!(fs::symlink_metadata(case.config()).unwrap().is_symlink());
    assert_eq!(mode(&file), 0o644);
    vault(&case, &["configure", "prod", "--region", "us-east-1"])
        .succeeds()
        .stderr_has("region = eu-west-1 at ~/.aws/config:11 stays; change it there\n");
    vault(&case, &["configure", "prod", "--region", "eu-west-1"]).succeeds();

    vault(&case, &["configure", "prod", "--restore"])
        .succeeds()
        .stderr("removed the credential_process of [profile prod] from ~/.aws/config\n");
    let region = b"region = eu-west-1\r\n";
    assert_eq!(shown(&fs::read(&file).unwrap()), shown(&[before, ours, region, after].concat()));
}

#[test]
fn a_file_without_a_last_line_end_gets_one_and_the_default_profile_its_own_header() {
    let case = Case::with_vault();
    case.add("default").succeeds();
    case.write(&case.config(), 0o600, "[profile other]\nregion=x");
    vault(&case, &["configure", "default"]).succeeds().stderr_has("into [default] of ~/.aws/config\n");
    let command = command(&case, "default");
    let made = format!("[default]\n# made by vault configure\ncredential_process = {command}\n");
    assert_eq!(config(&case), format!("[profile other]\nregion=x\n{made}"));
    vault(&case, &["configure", "default", "--restore"]).succeeds();
    assert_eq!(config(&case), "[profile other]\nregion=x\n");
}

#[test]
fn json_says_what_was_done() {
    let case = Case::with_prod();
    let told = json(&vault(&case, &["configure", "prod", "--region", "eu-west-1", "--json"]));
    assert_eq!(
        told,
        json!({
            "version": 1, "name": "prod", "config": case.config(), "credential_process": command(&case, "prod"),
            "wrote_line": true, "wrote_region": true, "replaced": null, "took_over": [], "removed_session": false,
            "removed_access_key": false,
        })
    );
    let again = json(&vault(&case, &["configure", "prod", "--json"]));
    assert_eq!((&again["wrote_line"], &again["wrote_region"]), (&json!(false), &json!(false)));
    let restored = json(&vault(&case, &["configure", "prod", "--restore", "--json"]));
    assert_eq!(
        restored,
        json!({
            "version": 1, "name": "prod", "config": case.config(), "removed_line": true, "removed_section": false,
            "restored": [], "removed_profile": false,
        })
    );
}

#[test]
fn the_list_names_those_that_ask_this_vault_and_needs_no_passphrase() {
    let case = Case::with_prod();
    let list = |arguments: &[&str]| case.vault_as(program(&case), arguments).asking().run();
    let nothing = "no profile asks this vault; next: vault configure NAME\n";
    list(&["configure", "--list"]).succeeds().stdout("").stderr(nothing);
    let foreign = "[profile other]\ncredential_process = /bin/other\n[profile a b]\ncredential_process = vault credential-process a\n";
    case.write(&case.config(), 0o600, foreign);
    vault(&case, &["configure", "prod"]).succeeds();
    let shown = list(&["configure", "--list"]);
    let words: Vec<&str> = shown.succeeds().out.split_whitespace().collect();
    let command = command(&case, "prod");
    let in_words: Vec<&str> = command.split(' ').collect();
    assert_eq!(words, [&["NAME", "LINE", "CREDENTIAL_PROCESS", "prod", "7"][..], &in_words].concat());
    assert_eq!(
        json(&list(&["configure", "--list", "--json"])),
        json!({
            "version": 1, "config": case.config(),
            "profiles": [{ "name": "prod", "line": 7, "credential_process": command }],
        })
    );
}

#[test]
fn a_name_that_is_not_in_the_vault_is_refused_with_a_suggestion() {
    let case = Case::with_prod();
    let output = vault(&case, &["configure", "prodd"]);
    output.exits(1).stdout("").stderr(&error("no profile named `prodd`; did you mean `prod`?"));
    vault(&case, &["configure", "bad name"]).exits(2);
    vault(&case, &["configure"]).exits(2);
    vault(&case, &["configure", "prod", "--restore", "--take-over"]).exits(2);
    assert!(!case.config().exists());
}

#[test]
fn login_of_a_configured_profile_caches_and_logout_drops_and_both_say_that_tools_ask() {
    let case = Case::with_prod();
    vault(&case, &["configure", "prod", "--region", "eu-west-1"]).succeeds();
    let output = case.login();
    let told = "prod: AWS tools ask this vault for the session (~/.aws/config:3), so it is written nowhere\n";
    assert!(output.succeeds().err.starts_with(told), "{}", output.err);
    assert!(output.err.ends_with("use: aws --profile prod sts get-caller-identity\n"), "{}", output.err);
    assert!(!case.credentials().exists());
    let asks = "AWS tools that need a session of `prod` ask this vault for another (~/.aws/config:3)\n";
    vault(&case, &["logout", "prod"]).succeeds().stderr(&format!("dropped 1 cached session\n{asks}"));
}

#[test]
fn remove_and_rename_say_that_the_line_stays_and_how_it_goes() {
    let case = Case::with_prod();
    vault(&case, &["configure", "prod"]).succeeds();
    let stays = "the credential_process of `prod` stays in ~/.aws/config (line 3); `vault configure prod --restore` takes it away\n";
    vault(&case, &["rename", "prod", "other"]).succeeds().stderr_has(stays);
    vault(&case, &["configure", "other"]).succeeds();
    let stays = stays.replace("prod", "other").replace("line 3", "line 6");
    vault(&case, &["remove", "other", "--yes"]).succeeds().stderr_has(&stays);
    for name in ["prod", "other"] {
        vault(&case, &["configure", name, "--restore"]).succeeds();
    }
    assert_eq!(config(&case), "");
    fs::remove_file(case.vault_file()).unwrap();
    case.write(&case.config(), 0o600, "[profile prod]\ncredential_process = vault credential-process prod\n");
    vault(&case, &["configure", "prod", "--restore"]).succeeds();
    assert_eq!(config(&case), "[profile prod]\n", "it was not ours");
}

#[test]
fn the_path_written_is_the_one_it_was_started_by() {
    let case = Case::with_prod();
    let bin = case.home().join("bin");
    fs::create_dir(&bin).unwrap();
    fs::set_permissions(&bin, Permissions::from_mode(0o755)).unwrap();
    symlink(program(&case), bin.join("vlt")).unwrap();
    let words = case.vault_as("/bin/sh", &["-c", "vlt configure prod && bin/vlt configure prod"]);
    let output = words.variable("PATH", format!("/nowhere:{}:/bin", bin.display())).run();
    let already = "[profile prod] of ~/.aws/config asks this vault already\n";
    output.succeeds().stderr_has(already);
    assert!(config(&case).contains(&format!("credential_process = {}/vlt credential-process prod\n", bin.display())));
    // The one that is started now.
    vault(&case, &["configure", "prod"]).succeeds().stderr(&(wrote(&case) + USE));
}

#[test]
fn a_program_that_others_can_change_or_tools_misread_is_not_written() {
    let case = Case::with_prod();
    let open = case.home().join("open");
    fs::create_dir(&open).unwrap();
    fs::set_permissions(&open, Permissions::from_mode(0o777)).unwrap();
    let linked = |path: PathBuf| {
        symlink(program(&case), &path).unwrap();
        case.vault_as(path, &["configure", "prod"]).run()
    };
    let told = format!("`{}` can be changed by others, who could put another program in its place", open.display());
    let hint = format!("chmod go-w {}", open.display());
    linked(open.join("vault")).exits(6).stdout("").stderr(&error_and_hint(&told, &hint));
    for name in ["my vault", "it's", "a;b"] {
        let path = case.home().join(name);
        let told =
            format!("AWS tools differ in how they read a command in `{}`, where this program is", path.display());
        let hint = "start it by a link whose path has only letters, digits and _.@:/+-";
        linked(path).exits(1).stdout("").stderr(&error_and_hint(&told, hint));
    }
    assert!(!case.config().exists());
}

#[test]
fn a_vault_that_only_a_variable_leads_to_is_pointed_out() {
    let case = Case::with_prod();
    let output = case.vault_as(program(&case), &["configure", "prod"]).variable("VAULT_FILE", case.vault_file()).run();
    let told = warning("VAULT_FILE is set here: what runs the AWS tools must have it in its environment too");
    output.succeeds().stderr_has(&told);
}

#[test]
fn a_config_file_that_others_can_write_is_not_believed() {
    let case = Case::with_prod();
    case.write(&case.config(), 0o666, "");
    let shown = case.config().display().to_string();
    let told = error_and_hint(&format!("others can write to {shown} (mode 666)"), &format!("chmod go-w {shown}"));
    vault(&case, &["configure", "prod"]).exits(6).stdout("").stderr(&told);
    vault(&case, &["configure", "prod", "--restore"]).exits(6).stdout("").stderr(&told);
}
