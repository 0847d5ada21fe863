//! What `login` wrote to `~/.aws/credentials`, when the key behind it is replaced.

use std::fs;
use std::time::Duration;

use aws_sim::{Failure, Role, Trust};

use super::failures::denied;
use super::stage::{Ran, Stage};
use crate::program::ACCOUNT;

const FOREIGN: &str = "# mine\r\n[other]\naws_access_key_id = ASIAIOSFODNN7EXAMPLE\n\
                       aws_secret_access_key=wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY\n\
                       aws_session_token = somebody-elses-session-token-of-another-tool\n";
/// So old that no rotation takes a session of that code.
const LATER: Duration = Duration::from_secs(40 * 60);

fn add_role(stage: &Stage, trust: Trust) {
    stage.sim().add_role(Role::new(ACCOUNT, "admin", trust));
    let arn = format!("arn:aws:iam::{ACCOUNT}:role/admin");
    stage.run(&["add", "admin", "--role-arn", &arn, "--source-profile", "prod"]).succeeds();
}

fn with_foreign_section(stage: &Stage) {
    stage.case.write(&stage.case.credentials(), 0o600, FOREIGN);
}

fn file(stage: &Stage) -> String {
    let text = fs::read_to_string(stage.case.credentials()).unwrap();
    assert!(text.starts_with(FOREIGN), "{text}");
    text
}

fn written(stage: &Stage, section: &str) -> String {
    let text = file(stage);
    let (_, rest) = text.split_once(&format!("[{section}]\n")).unwrap_or_else(|| panic!("no {section} in {text}"));
    let id = rest.lines().find_map(|line| line.strip_prefix("aws_access_key_id = ")).unwrap();
    id.to_owned()
}

/// The sessions that AWS made, by what signed for each.
fn signers(ran: &Ran, action: &str) -> Vec<String> {
    let made = ran.requests.iter().filter(|request| request.action == action && request.succeeded());
    made.map(|request| request.access_key_id.clone().unwrap()).collect()
}

#[test]
fn what_a_login_wrote_is_written_anew_by_the_code_of_the_rotation() {
    let stage = Stage::new();
    with_foreign_section(&stage);
    add_role(&stage, Trust::of(ACCOUNT).with_mfa());
    stage.with_code(&["login", "prod"]).succeeds();
    stage.run(&["login", "admin"]).succeeds();
    let (user, role) = (written(&stage, "prod"), written(&stage, "admin"));
    stage.pass(LATER);
    let ran = stage.rotate(&["--export"]);
    ran.succeeds()
        .says("[prod] in ~/.aws/credentials is written anew")
        .says("[admin] in ~/.aws/credentials is written anew");
    stage.is_rotated();
    assert_eq!(ran.codes_spent(), 1);
    let (new_user, new_role) = (written(&stage, "prod"), written(&stage, "admin"));
    assert!(new_user != user && new_role != role);
    assert_eq!(signers(&ran, "AssumeRole"), [new_user]);
    // It is the one that others find in the cache.
    assert!(stage.run(&["login", "admin"]).succeeds().requests.is_empty());
    assert_eq!(written(&stage, "admin"), new_role);
}

#[test]
fn without_mfa_the_new_key_makes_what_is_written_anew() {
    let stage = Stage::without_mfa();
    with_foreign_section(&stage);
    add_role(&stage, Trust::of(ACCOUNT));
    stage.run(&["login", "prod"]).succeeds();
    stage.run(&["login", "admin", "--profile", "work"]).succeeds();
    let before = (written(&stage, "prod"), written(&stage, "work"));
    let ran = stage.run(&["rotate", "prod", "--export"]);
    ran.succeeds();
    let new = stage.held().current.id.to_string();
    assert_eq!(signers(&ran, "GetSessionToken"), [new.as_str()]);
    assert_eq!(signers(&ran, "AssumeRole"), [new.as_str()]);
    assert!(written(&stage, "prod") != before.0 && written(&stage, "work") != before.1);
}

#[test]
fn what_nobody_asked_for_stays_as_it_is_and_is_told_with_its_time() {
    let stage = Stage::new();
    with_foreign_section(&stage);
    stage.with_code(&["login", "prod"]).succeeds();
    let before = file(&stage);
    stage.pass(LATER);
    stage.rotate(&[]).succeeds().says("[prod] in ~/.aws/credentials stays good until 20");
    assert_eq!(file(&stage), before);
    // Of a key that was not replaced there is nothing to say.
    let resumed = stage.rotate(&["--resume", "--export"]);
    assert!(!resumed.succeeds().shown().contains("~/.aws/credentials"), "{}", resumed.shown());
    assert_eq!(file(&stage), before);
}

#[test]
fn a_session_that_was_asked_for_with_less_is_never_written_anew_with_more() {
    let stage = Stage::new();
    with_foreign_section(&stage);
    add_role(&stage, Trust::of(ACCOUNT).with_mfa());
    stage.with_code(&["login", "admin", "--readonly"]).succeeds();
    let before = file(&stage);
    stage.pass(LATER);
    let ran = stage.rotate(&["--export"]);
    ran.succeeds().says("[admin] in ~/.aws/credentials stays good until 20");
    assert_eq!((file(&stage), ran.count("AssumeRole")), (before, 0));
}

#[test]
fn a_section_that_can_not_be_written_anew_fails_the_command_and_not_the_rotation() {
    let stage = Stage::new();
    with_foreign_section(&stage);
    add_role(&stage, Trust::of(ACCOUNT).with_mfa());
    stage.with_code(&["login", "admin"]).succeeds();
    let before = file(&stage);
    stage.pass(LATER);
    stage.sim().fail(Failure::on("AssumeRole").kind(denied("AssumeRole")).lasting());
    let ran = stage.rotate(&["--export"]);
    ran.exits(4).says("[admin] in ~/.aws/credentials was not written anew: ").says("it stays good until 20");
    stage.is_rotated();
    assert_eq!((file(&stage), ran.codes_spent()), (before, 1));
}

#[test]
fn a_session_of_which_aws_has_no_younger_one_without_a_code_stays_and_that_is_said() {
    let stage = Stage::new();
    with_foreign_section(&stage);
    stage.with_code(&["login", "prod"]).succeeds();
    let before = file(&stage);
    let ran = stage.run(&["rotate", "prod", "--export"]);
    ran.succeeds().says("[prod] in ~/.aws/credentials stays good until ");
    assert!(!ran.shown().contains("written anew"), "{}", ran.shown());
    assert_eq!((file(&stage), ran.codes_spent()), (before, 0));
    stage.is_rotated();
}

#[test]
fn a_file_that_can_not_be_read_is_told_before_a_key_is_made() {
    let stage = Stage::new();
    fs::create_dir_all(stage.case.credentials()).unwrap();
    let ran = stage.rotate(&["--export"]);
    ran.exits(1).says("/.aws/credentials is not a regular file");
    assert!(ran.requests.is_empty(), "{}", ran.shown());
    stage.is_untouched();
    stage.rotate(&[]).succeeds();
    stage.is_rotated();
}
