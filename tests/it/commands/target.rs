//! The section that `login` writes: what it may replace, what it must leave, and when it is no place to write to.

use std::fs;
use std::os::unix::fs::symlink;

use super::{error_and_hint, mode, warning, written};
use crate::program::{ACCOUNT, Case, Output};

const LEFT: &str = "correct it by hand, or `--profile OTHER`; the file was left as it is";
const THEIRS: &str = "[prod]\naws_access_key_id = AKIAOTHEROTHEROTHER1\naws_secret_access_key = anothersecretanothersecretanothersecret1\n";

fn login(case: &Case, more: &[&str]) -> Output {
    case.run(&[&["login", "prod", "--no-mfa"], more].concat())
}

/// Refused with these words, before AWS is asked, and the file is as before.
#[track_caller]
fn refused(case: &Case, content: &str, told: &str) {
    case.write(&case.credentials(), 0o600, content);
    login(case, &[]).exits(1).stdout("").stderr(told);
    assert_eq!(fs::read_to_string(case.credentials()).unwrap(), content);
    assert_eq!(case.sim.requests(), []);
}

#[test]
fn a_nasty_file_keeps_every_byte_that_is_not_ours_through_login_and_logout() {
    let before = b"\xef\xbb\xbf# by hand \xff\xfe\r\n[other]\r\n\tAWS_ACCESS_KEY_ID = AKIAOTHEROTHEROTHER1\r\n\
        aws_secret_access_key=theirs\r\ns3 =\r\n  max_concurrent_requests = 20\r\n\r\n";
    let ours = b"[prod]\r\n; keep me\r\nregion = eu-central-1\r\n";
    let after = b"\r\n[last]\nx=y";
    let whole = [&before[..], ours, after].concat();
    let case = Case::with_prod();
    let file = case.home().join("dotfiles/credentials");
    case.write(&file, 0o640, &whole);
    fs::create_dir(case.home().join(".aws")).unwrap();
    symlink("../dotfiles/credentials", case.credentials()).unwrap();

    login(&case, &[]).succeeds();
    let bytes = fs::read(&file).unwrap();
    let section = bytes.strip_prefix(&before[..]).and_then(|rest| rest.strip_suffix(&after[..]));
    let section = String::from_utf8(section.expect("foreign bytes").to_vec()).unwrap();
    let keys: Vec<&str> = section.split("\r\n").map(|line| line.split(" = ").next().unwrap_or_default()).collect();
    assert!(keys[1].starts_with("# session of vault (ASIA..."), "{section}");
    let rest = ["; keep me", "region", "aws_access_key_id", "aws_secret_access_key", "aws_session_token"];
    assert_eq!((keys[0], &keys[2..7], &keys[7..]), ("[prod]", &rest[..], &["aws_credential_expiration", ""][..]));
    assert!(fs::symlink_metadata(case.credentials()).unwrap().is_symlink());
    assert_eq!(mode(&file), 0o600, "what others could read holds a session now");

    case.run(&["logout", "prod"]).succeeds();
    assert_eq!(fs::read(&file).unwrap().escape_ascii().to_string(), whole.escape_ascii().to_string());
}

#[test]
fn a_second_login_replaces_what_the_first_wrote_and_nothing_piles_up() {
    let case = Case::with_prod();
    login(&case, &[]).succeeds();
    let lines = fs::read_to_string(case.credentials()).unwrap().lines().count();
    login(&case, &["--force"]).succeeds();
    assert_eq!(fs::read_to_string(case.credentials()).unwrap().lines().count(), lines);
    let names: Vec<_> =
        fs::read_dir(case.home().join(".aws")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names.len(), 2, "the file and its lock: {names:?}");
}

#[test]
fn another_long_term_key_is_replaced_only_when_asked_and_only_once_it_is_in_the_vault() {
    let case = Case::with_prod();
    let path = case.credentials();
    refused(
        &case,
        THEIRS,
        &error_and_hint(
            &format!(
                "{}:1: section [prod] holds the long-term key AKIA...HER1, which the session would overwrite",
                path.display()
            ),
            "`--replace-long-term` saves that key in the vault first; `--profile OTHER` writes elsewhere",
        ),
    );
    case.keep_secret("their secret", "anothersecretanothersecretanothersecret1");
    let saved = "saved the long-term key AKIA...HER1 of section [prod] in the vault, as `prod-long-term`\n";
    let replaced = login(&case, &["--replace-long-term"]);
    replaced
        .succeeds()
        .stderr_has(saved)
        .stderr_has("vault: hint: AWS was not asked of it; `vault whoami prod-long-term` does\n");
    case.run(&["show", "prod-long-term"]).succeeds().stdout_has("access_key = AKIAOTHEROTHEROTHER1\n");
    let revealed = case.vault(&["reveal", "prod-long-term", "--confirm", "prod-long-term"]).may_show_secrets().run();
    revealed.succeeds().stdout(&THEIRS.replace("[prod]\n", ""));
    assert!(written(&case, "prod", "aws_access_key_id").starts_with("ASIA"));
}

#[test]
fn the_vaults_own_key_gives_way_without_a_flag() {
    let case = Case::with_prod();
    let (id, secret) = (case.alice.access_key_id(), case.alice.secret_access_key());
    case.write(&case.credentials(), 0o600, format!("[prod]\naws_access_key_id={id}\naws_secret_access_key={secret}\n"));
    login(&case, &[]).succeeds();
    assert!(written(&case, "prod", "aws_session_token").len() > 100);
}

#[test]
fn a_section_or_key_that_stands_twice_is_refused_by_its_line() {
    let case = Case::with_prod();
    let path = case.credentials().display().to_string();
    let twice = error_and_hint(&format!("{path}: line 4 has this section a second time"), LEFT);
    refused(&case, "[prod]\nx = 1\n[other]\n[prod]\ny = 2\n", &twice);
    let twice = error_and_hint(&format!("{path}: line 3 has `region` a second time"), LEFT);
    refused(&case, "[prod]\nregion = a\nregion = b\n", &twice);
}

#[test]
fn half_a_key_is_left_to_its_owner() {
    let case = Case::with_prod();
    let path = case.credentials().display().to_string();
    let told = format!("section `prod` holds a secret of unknown kind in line 2 of {path}");
    refused(&case, "[prod]\naws_secret_access_key = alone\n", &error_and_hint(&told, LEFT));
}

#[test]
fn a_role_profile_of_config_is_no_target_since_tools_would_never_read_it() {
    let case = Case::with_prod();
    let config = format!("[profile prod]\nrole_arn = arn:aws:iam::{ACCOUNT}:role/x\nsource_profile = other\n");
    case.write(&case.config(), 0o600, config);
    let path = case.config().display().to_string();
    let told =
        format!("{path}:2: AWS tools would take `role_arn` of [profile prod] before a session written for `prod`");
    let hint =
        "`vault login prod --profile prod-session`; `vault set prod destination_profile=prod-session` remembers it";
    login(&case, &[]).exits(1).stdout("").stderr(&error_and_hint(&told, hint));
    assert_eq!(case.sim.requests(), []);
    login(&case, &["--profile", "prod-session"]).succeeds();
    assert!(written(&case, "prod-session", "aws_access_key_id").starts_with("ASIA"));
    login(&case, &["--no-export"]).succeeds();
    case.run(&["set", "prod", "destination_profile=prod-session"]).succeeds();
    login(&case, &[]).succeeds().stderr_has("use: aws --profile prod-session ");
}

#[test]
fn what_tools_take_first_is_told_by_the_header_that_it_stands_below() {
    let case = Case::with_prod();
    case.add("default").succeeds();
    let login = |more: &[&str]| case.run(&[&["login", "default", "--no-mfa"], more].concat());
    let role = format!("role_arn = arn:aws:iam::{ACCOUNT}:role/x\nsource_profile = prod\n");
    case.write(&case.config(), 0o600, format!("[default]\n{role}"));
    login(&[]).exits(1).stderr_has("config:2: AWS tools would take `role_arn` of [default] before ");
    case.write(&case.config(), 0o600, "[default]\ncredential_process = /usr/local/bin/theirs\n");
    login(&[]).succeeds().stderr_has("the credential_process of [default] (~/.aws/config:2)\n");
    login(&["--profile", "default"]).succeeds().stderr_has("warning: [default] has a credential_process;");
    case.write(&case.credentials(), 0o600, "[other]\nrole_arn = x\n");
    login(&["--profile", "other"])
        .exits(1)
        .stderr_has("credentials:2: AWS tools would take `role_arn` of [other] before ");
}

#[test]
fn profiles_that_sign_in_another_way_are_sent_there() {
    let case = Case::with_prod();
    let config = "[profile corp]\nsso_session = corp\nsso_account_id = 123456789012\nsso_role_name = admin\n\
                  [profile web]\nrole_arn = arn:aws:iam::123456789012:role/x\nweb_identity_token_file = /token\n\
                  [profile other]\ncredential_process = /bin/other\n";
    case.write(&case.config(), 0o600, config);
    for (name, how, line, hint) in [
        ("corp", "IAM Identity Center (SSO)", 1, "aws sso login --profile corp"),
        ("web", "a web identity token", 7, "aws --profile web COMMAND uses it without this program"),
        (
            "other",
            "its own credential_process",
            9,
            "aws --profile other COMMAND uses that; to have it from here: `vault add other --role-arn ARN --source-profile NAME`, then `vault configure other --replace`",
        ),
    ] {
        let told = format!("`{name}` signs in through {how} (line {line} of ~/.aws/config), not through this vault");
        case.run(&["login", name]).exits(1).stdout("").stderr(&error_and_hint(&told, hint));
    }
}

#[test]
fn a_profile_with_a_credential_process_is_left_to_it_unless_told_where_to_write() {
    let case = Case::with_prod();
    let config = "[profile prod]\nregion = eu-west-1\ncredential_process = /usr/local/bin/theirs\n";
    case.write(&case.config(), 0o600, config);
    let output = login(&case, &[]);
    let told = "prod: only cached, since AWS tools ask the credential_process of [profile prod] (~/.aws/config:3)\n\
                vault: hint: `vault login prod --profile prod` writes the session all the same\n";
    assert!(output.succeeds().err.starts_with(told), "{}", output.err);
    assert!(output.err.ends_with("use: vault exec prod -- COMMAND\n"), "{}", output.err);
    assert!(!case.credentials().exists());

    let output = login(&case, &["--profile", "prod"]);
    output.succeeds().stderr_has(&warning(
        "[profile prod] has a credential_process; most AWS tools take the written session before it",
    ));
    assert!(written(&case, "prod", "aws_access_key_id").starts_with("ASIA"));
    let output = login(&case, &["--profile", "other"]);
    assert!(!output.succeeds().err.contains("credential_process"), "{}", output.err);
    assert_eq!(case.sim.requests().len(), 1, "one session for all three");
}

#[test]
fn files_that_others_can_write_are_not_believed() {
    let case = Case::with_prod();
    for (path, file_mode) in [(case.config(), 0o666), (case.credentials(), 0o620)] {
        case.write(&path, file_mode, "");
        let shown = path.display();
        let told = error_and_hint(
            &format!("others can write to {shown} (mode {file_mode:o})"),
            &format!("chmod go-w {shown}"),
        );
        login(&case, &[]).exits(6).stdout("").stderr(&told);
        fs::remove_file(&path).unwrap();
    }
    assert_eq!(case.sim.requests(), []);
}

#[test]
fn a_default_section_that_all_others_inherit_is_never_written() {
    let case = Case::with_prod();
    let output = login(&case, &["--profile", "DEFAULT"]);
    output.exits(1).stdout("").stderr_has("section `DEFAULT` of ");
    assert_eq!(case.sim.requests(), []);
}
