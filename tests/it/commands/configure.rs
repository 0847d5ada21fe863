//! `configure`: the line it writes into `~/.aws/config`, what it takes out of that line's way, and how all of it goes again.

use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use serde_json::json;

use super::{VAULT, error, error_and_hint, json, mode, short, warning};
use crate::program::{ACCOUNT, Case, Output, write_program};

const USE: &str = "use: aws --profile prod --region us-east-1 sts get-caller-identity\n";
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
    vault(&case, &["configure", "prod", "--region", "us-east-1"]).succeeds();

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
fn another_credential_process_gives_way_only_when_asked() {
    let case = Case::with_prod();
    case.write(&case.config(), 0o600, "[profile prod]\ncredential_process=/opt/other \"my prod\"\noutput=json\n");
    let told = format!(
        "{}:2: [profile prod] has another credential_process: `/opt/other \"my prod\"`",
        case.config().display()
    );
    refused(&case, &[], &error_and_hint(&told, "`--replace` replaces it"));
    let output = vault(&case, &["configure", "prod", "--replace"]);
    let replaces = "it replaces credential_process = /opt/other \"my prod\"\n";
    output.succeeds().stderr(&format!("{}{replaces}{USE}", wrote(&case)));
    assert_eq!(config(&case), format!("[profile prod]\n{}\noutput=json\n", line(&case)));
}

#[test]
fn a_profile_that_signs_in_elsewhere_is_refused_by_its_line() {
    let case = Case::with_prod();
    let path = case.config().display().to_string();
    for key in ["sso_session", "sso_start_url", "web_identity_token_file", "credential_source", "login_session"] {
        case.write(&case.config(), 0o600, format!("[profile prod]\nregion = x\n{key} = y\n"));
        let told = format!("{path}:3: AWS tools would go by `{key}` of [profile prod] before they ask this vault");
        refused(&case, &["--replace", "--take-over"], &error_and_hint(&told, BY_HAND));
    }
    case.write(&case.config(), 0o600, "[profile prod]\naws_access_key_id = x\n");
    let told =
        format!("{path}:2: `aws_access_key_id` of [profile prod]: some AWS tools would take credentials there first");
    refused(&case, &[], &error_and_hint(&told, BY_HAND));
}

#[test]
fn a_section_or_key_that_stands_twice_is_refused_by_its_line() {
    let case = Case::with_prod();
    let hint = "correct that line; nothing was changed";
    for (path, content, told) in [
        (case.config(), "[profile prod]\n[profile prod]\n", "line 2 of PATH has profile `prod` a second time"),
        (case.config(), "[profile prod]\nx=1\nX=2\n", "line 3 of PATH has `x` a second time"),
        (case.credentials(), "[prod]\n[x]\n[prod]\n", "PATH: line 3 has this section a second time"),
    ] {
        case.write(&path, 0o600, content);
        let told = told.replace("PATH", path.to_str().unwrap());
        let hint = if told.starts_with("line") { "correct that line" } else { hint };
        refused(&case, &[], &error_and_hint(&told, hint));
        fs::remove_file(path).unwrap();
    }
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
fn a_session_that_login_wrote_goes_since_tools_would_take_it_first() {
    let case = Case::with_prod();
    case.write(&case.credentials(), 0o600, "[other]\nx=y\n");
    case.login().succeeds();
    let output = vault(&case, &["configure", "prod"]);
    let removed = "removed the session in [prod] of ~/.aws/credentials, which stood before it\n";
    output.succeeds().stderr(&format!("{}{removed}{USE}", wrote(&case)));
    assert_eq!(fs::read_to_string(case.credentials()).unwrap(), "[other]\nx=y\n");
    let told =
        "vault: warning: [profile prod] has a credential_process; most AWS tools take the written session before it\n";
    case.run(&["login", "prod", "--profile", "prod"]).succeeds().stderr_has(told);
    let output = vault(&case, &["configure", "prod", "--json"]);
    assert_eq!(json(&output)["removed_session"], json!(true));
}

#[test]
fn others_credentials_are_left_and_refused_by_their_line() {
    let case = Case::with_prod();
    let path = case.credentials().display().to_string();
    for (lines, key) in [
        (
            "aws_access_key_id = ASIAOTHEROTHEROTHER1\naws_secret_access_key = x\naws_session_token = y\n",
            "aws_access_key_id",
        ),
        ("aws_secret_access_key = half\n", "aws_secret_access_key"),
        ("role_arn = x\n", "role_arn"),
        ("credential_process = x\n", "credential_process"),
    ] {
        case.write(&case.credentials(), 0o600, format!("[prod]\n{lines}"));
        let told = format!("{path}:2: AWS tools would go by `{key}` of section [prod] before they ask this vault");
        refused(&case, &["--remove-plaintext"], &error_and_hint(&told, BY_HAND));
    }
    case.write(&case.credentials(), 0o600, "[prod]\nregion = x\n");
    vault(&case, &["configure", "prod"]).succeeds();
}

#[test]
fn a_long_term_key_goes_only_where_the_vault_has_it_and_only_when_asked() {
    let case = Case::with_prod();
    let (id, secret) = (case.alice.access_key_id(), case.alice.secret_access_key());
    let path = case.credentials().display().to_string();
    let holds = |id: &str| {
        format!(
            "{path}:1: section [prod] holds the long-term key {}, which AWS tools would take before they ask this vault",
            short(id)
        )
    };
    let theirs = "[prod]\naws_access_key_id = AKIAOTHEROTHEROTHER1\naws_secret_access_key = theirs\n";
    case.write(&case.credentials(), 0o600, theirs);
    let hint = "`vault import prod --remove` moves it into the vault; nothing was changed";
    refused(&case, &["--remove-plaintext"], &error_and_hint(&holds("AKIAOTHEROTHEROTHER1"), hint));

    let own = format!("# mine\n[prod]\nregion = x\naws_access_key_id={id}\naws_secret_access_key={secret}\n");
    case.write(&case.credentials(), 0o600, own);
    let hint = "the vault has it: `--remove-plaintext` takes it out there";
    refused(&case, &[], &error_and_hint(&holds(id).replace(":1:", ":2:"), hint));
    let output = vault(&case, &["configure", "prod", "--remove-plaintext"]);
    output.succeeds().stderr_has("removed the access key in [prod] of ~/.aws/credentials; the vault has it\n");
    assert_eq!(fs::read_to_string(case.credentials()).unwrap(), "# mine\n[prod]\nregion = x\n");
    case.login().succeeds();
}

fn role(more: &str) -> String {
    format!(
        "# roles\r\n[profile ops]\r\nregion = eu-west-1\r\nrole_arn=arn:aws:iam::{ACCOUNT}:role/ops ; mine\r\n\
         # who\r\nSource_Profile : prod\r\nduration_seconds = 1800\r\n{more}output = json\r\n\r\n[profile z]\r\nx=y"
    )
}

fn taken(case: &Case) -> String {
    let line = command(case, "ops");
    format!(
        "# roles\r\n[profile ops]\r\nregion = eu-west-1\r\ncredential_process = {line}\r\n# who\r\noutput = json\r\n\r\n\
         [profile z]\r\nx=y"
    )
}

fn ops(case: &Case, arguments: &[&str]) -> Output {
    vault(case, &[&["configure", "ops"], arguments].concat())
}

#[test]
fn a_role_is_taken_over_only_when_asked_and_comes_back_byte_by_byte() {
    let case = Case::with_prod();
    case.write(&case.config(), 0o600, role(""));
    let told = format!(
        "{}:4: AWS tools would go by `role_arn` of [profile ops] before they ask this vault",
        case.config().display()
    );
    let hint = "`vault configure ops --take-over` moves the role into the vault; `--restore` undoes it";
    ops(&case, &[]).exits(1).stdout("").stderr(&error_and_hint(&told, hint));
    assert_eq!(config(&case), role(""));
    let list = |case: &Case| json(&vault(case, &["list", "--json"]))["profiles"].clone();
    let before = list(&case);

    let moved = "moved role_arn, source_profile, duration_seconds of [profile ops] into the vault\n";
    let line = command(&case, "ops");
    let wrote = format!("wrote credential_process = {line} into [profile ops] of ~/.aws/config\n");
    let used = "use: aws --profile ops sts get-caller-identity\n";
    ops(&case, &["--take-over"]).succeeds().stdout("").stderr(&format!("{moved}{wrote}{used}"));
    assert_eq!(config(&case), taken(&case));
    let shown = format!("duration_seconds = 1800\nrole_arn = arn:aws:iam::{ACCOUNT}:role/ops\nsource_profile = prod\n");
    vault(&case, &["show", "ops"]).succeeds().stdout(&shown);
    let vault_then = fs::read(case.vault_file()).unwrap();
    let already = format!("[profile ops] of ~/.aws/config asks this vault already\n{used}");
    ops(&case, &["--take-over"]).succeeds().stderr(&already);
    assert!(fs::read(case.vault_file()).unwrap() == vault_then, "saved for nothing");

    let restored = "removed the credential_process of [profile ops] from ~/.aws/config\n\
                    wrote role_arn, source_profile, duration_seconds back into [profile ops] of ~/.aws/config\n\
                    removed `ops` from the vault: it was as it came\n";
    ops(&case, &["--restore"]).succeeds().stdout("").stderr(restored);
    assert_eq!(config(&case), role(""));
    assert_eq!(list(&case), before);
}

#[test]
fn a_role_that_was_changed_since_stays_in_the_vault_and_goes_back_as_it_is() {
    let case = Case::with_prod();
    case.write(&case.config(), 0o600, role(""));
    ops(&case, &["--take-over"]).succeeds();
    vault(&case, &["set", "ops", "duration_seconds=900", "external_id=x-1"]).succeeds();
    let output = ops(&case, &["--restore"]);
    output
        .succeeds()
        .stderr_has("`ops` stays in the vault: it was changed since it came; `vault remove ops` removes it\n");
    let written = format!(
        "output = json\r\nduration_seconds = 900\r\nrole_arn = arn:aws:iam::{ACCOUNT}:role/ops\r\nsource_profile = prod\r\n\
         external_id = x-1\r\n\r\n[profile z]"
    );
    assert!(config(&case).contains(&written), "{}", config(&case));
    vault(&case, &["show", "ops"]).succeeds().stdout_has("external_id = x-1\n");
    let nothing = "[profile ops] of ~/.aws/config does not ask this vault; nothing to do\n";
    ops(&case, &["--restore"]).succeeds().stderr(nothing);
}

#[test]
fn another_command_beside_a_role_is_taken_over_and_comes_back_with_it() {
    let case = Case::with_prod();
    let before = role("credential_process = other\r\n");
    case.write(&case.config(), 0o600, &before);
    ops(&case, &["--take-over"]).exits(1).stdout("").stderr_has("has another credential_process: `other`");
    let told = json(&ops(&case, &["--take-over", "--replace", "--json"]));
    assert_eq!(told["took_over"], json!(["role_arn", "source_profile", "duration_seconds", "credential_process"]));
    assert_eq!(config(&case), taken(&case));
    assert_eq!(json(&ops(&case, &["--restore", "--json"]))["removed_profile"], json!(true));
    assert_eq!(config(&case), before);
}

#[test]
fn a_role_that_can_not_work_from_the_vault_is_not_taken_over() {
    let case = Case::with_prod();
    let path = case.config().display().to_string();
    let refused = |content: &str, told: &str, hint: Option<&str>| {
        case.write(&case.config(), 0o600, content);
        let before = fs::read(case.vault_file()).unwrap();
        let told = hint.map_or_else(|| error(told), |hint| error_and_hint(told, hint));
        ops(&case, &["--take-over"]).exits(1).stdout("").stderr(&told);
        assert_eq!(config(&case), content);
        assert!(fs::read(case.vault_file()).unwrap() == before);
    };
    let arn = format!("role_arn = arn:aws:iam::{ACCOUNT}:role/ops\n");
    refused(
        &format!("[profile ops]\n{arn}source_profile = nobody\n"),
        "no profile named `nobody`, which `ops` has as its source_profile",
        Some("`vault add nobody` adds it"),
    );
    refused(
        &format!("[profile ops]\n{arn}"),
        "`ops` has a role_arn and no source_profile",
        Some("vault set ops source_profile=NAME"),
    );
    refused(
        &format!("[profile ops]\n{arn}source_profile = prod\nmfa_serial = short\n"),
        &format!(
            "line 4 of {path}: `mfa_serial`: `short` is not an MFA serial: 9 to 256 of letters, digits and +=/:,.@-_"
        ),
        Some("correct that line"),
    );
    refused(
        &format!("[profile ops]\n{arn}source_profile =\n  prod\n"),
        &format!("{path}: AWS tools differ in how they read line 3"),
        Some("correct that line; nothing was changed"),
    );
}

#[test]
fn what_the_vault_has_already_is_not_overwritten() {
    let case = Case::with_prod();
    let path = case.config().display().to_string();
    let arn = |name: &str| format!("arn:aws:iam::{ACCOUNT}:role/{name}");
    case.write(&case.config(), 0o600, format!("[profile prod]\nrole_arn = {}\nsource_profile = x\n", arn("a")));
    let told = format!(
        "{path}:2: AWS tools would take `role_arn` of [profile prod] for `prod`, and the vault has an access key for it"
    );
    let hint = "`vault rename prod OTHER` first, or take that role out of the file";
    refused(&case, &["--take-over"], &error_and_hint(&told, hint));
    refused(&case, &[], &error_and_hint(&told, hint));

    vault(&case, &["add", "ops", "--role-arn", &arn("ops"), "--source-profile", "prod"]).succeeds();
    case.write(&case.config(), 0o600, format!("[profile ops]\nrole_arn = {}\nsource_profile = prod\n", arn("other")));
    let told = format!("{path}:2: `role_arn` of [profile ops] is not the one that the vault has for `ops`");
    let hint = "make them alike, or `vault remove` that profile; nothing was changed";
    ops(&case, &["--take-over"]).exits(1).stdout("").stderr(&error_and_hint(&told, hint));
    case.write(&case.config(), 0o600, role(""));
    ops(&case, &["--take-over"]).succeeds();
    assert_eq!(config(&case), taken(&case));
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
