//! What it says of what stands in AWS's files, and whether what it says is next works.

use std::fs;

use aws_sim::Status;

use super::{Told, about, doctor, error, only, short, told};
use crate::program::Case;

/// The two lines of alice's key.
fn pair(case: &Case) -> String {
    let (id, secret) = (case.alice.access_key_id(), case.alice.secret_access_key());
    format!("aws_access_key_id = {id}\naws_secret_access_key = {secret}\n")
}

const IN_CREDENTIALS: &str =
    "`vault import work --remove` takes it into the vault; if AWS refuses it, take its lines out";
const IN_CONFIG: &str = "move its lines to [home] in ~/.aws/credentials, then `vault import home --remove`";

#[test]
fn keys_in_plaintext_in_either_file_are_named_by_their_line() {
    let case = Case::with_vault();
    let id = short(case.alice.access_key_id());
    case.write(&case.credentials(), 0o600, format!("# mine\n[work]\n{}[my keys]\n{}", pair(&case), pair(&case)));
    case.write(&case.config(), 0o600, format!("[profile home]\n{}", pair(&case)));
    let found =
        |place: &str, next: &str| told("problem", &format!("{place}: access key {id} in plaintext"), Some(next));
    assert_eq!(
        about(&case, &["work"], "aws files"),
        [
            found("~/.aws/credentials:2, [work]", IN_CREDENTIALS),
            found(
                "~/.aws/credentials:5, [my keys]",
                "`vault add NAME`, for a name that vault takes; then take its lines out"
            ),
            found("~/.aws/config:1, [profile home]", IN_CONFIG),
        ]
    );
    let from_plaintext = |name: &str, place: &str, next: &str| {
        told("problem", &format!("AWS tools take `{name}` from plaintext: {place}"), Some(next))
    };
    assert_eq!(only(&case, &["work"], "profile"), from_plaintext("work", "~/.aws/credentials:2", IN_CREDENTIALS));
    assert_eq!(only(&case, &["home"], "profile"), from_plaintext("home", "~/.aws/config:1", IN_CONFIG));
    // Nobody but the test may find them in files.
    fs::remove_file(case.credentials()).unwrap();
    fs::remove_file(case.config()).unwrap();
}

#[test]
fn a_key_behind_a_comments_sign_is_as_plain_as_before() {
    let case = Case::with_vault();
    let secret = case.alice.secret_access_key();
    let lines =
        format!("# the old one\n[work]\n#aws_secret_access_key = {secret}\n ; AWS_SECRET_ACCESS_KEY={secret}\n");
    case.write(&case.credentials(), 0o600, lines + "#aws_secret_access_key = ...\n");
    let found = |line: u32| {
        let found = format!("~/.aws/credentials:{line}: an access key in plaintext, in a comment");
        told("problem", &found, Some("take its lines out; `vault keys` shows which keys AWS still takes"))
    };
    assert_eq!(about(&case, &["work"], "aws files"), [found(3), found(4)]);
    fs::remove_file(case.credentials()).unwrap();
}

fn nothing_in_plaintext() -> Told {
    told("ok", "no access key in plaintext, no session that is over", None)
}

#[test]
fn what_is_next_of_a_key_in_plaintext_takes_it_away() {
    let case = Case::with_vault();
    case.write(&case.config(), 0o600, format!("[profile home]\nregion = eu-west-1\n{}", pair(&case)));
    assert_eq!(only(&case, &["home"], "aws files").2.as_deref(), Some(IN_CONFIG));
    case.run(&["import", "home", "--remove", "--yes"]).exits(1);
    case.write(&case.config(), 0o600, "[profile home]\nregion = eu-west-1\n");
    case.write(&case.credentials(), 0o600, format!("[home]\n{}", pair(&case)));
    case.run(&["import", "home", "--remove", "--yes"]).succeeds();
    assert_eq!(only(&case, &["home"], "aws files"), nothing_in_plaintext());
    // A copy of what the vault has.
    case.write(&case.credentials(), 0o600, format!("[home]\n{}", pair(&case)));
    case.run(&["import", "home", "--remove", "--yes"]).succeeds();
    assert_eq!(only(&case, &["home"], "aws files"), nothing_in_plaintext());
}

#[test]
fn a_key_that_aws_refuses_stays_until_its_lines_are_taken_out() {
    let case = Case::with_vault();
    let lines = format!("[work]\n{}", pair(&case));
    case.write(&case.credentials(), 0o600, &lines);
    case.sim.set_key_status(case.alice.access_key_id(), Status::Inactive);
    assert_eq!(only(&case, &["work"], "aws files").2.as_deref(), Some(IN_CREDENTIALS));
    case.run(&["import", "work", "--remove", "--yes"]).exits(4);
    assert_eq!(fs::read_to_string(case.credentials()).unwrap(), lines);
    case.write(&case.credentials(), 0o600, "[work]\n");
    assert_eq!(only(&case, &["work"], "aws files"), nothing_in_plaintext());
}

#[test]
fn half_of_a_key_is_told_by_its_line() {
    let case = Case::with_vault();
    case.write(&case.credentials(), 0o600, "[work]\naws_secret_access_key = s\n");
    let next = Some("add what is missing, or take it out");
    assert_eq!(
        only(&case, &["work"], "aws files"),
        told("problem", "~/.aws/credentials:2: half of an access key, or not one of AWS's", next)
    );
    let found = "AWS tools take `work` from what is half of an access key, or not one of AWS's: ~/.aws/credentials:1";
    assert_eq!(only(&case, &["work"], "profile"), told("problem", found, next));
}

#[test]
fn a_line_for_which_aws_tools_refuse_a_file_is_told_without_its_text() {
    let case = Case::with_prod();
    let broken = |file: &str, line: u32, what: &str| {
        let found = format!("~/.aws/{file}:{line}: {what}; for that the AWS CLI and boto3 refuse the whole file");
        told("problem", &found, Some("mend it, or take it out"))
    };
    case.write(&case.credentials(), 0o600, "[work]\nregion = x\nhunter2\n");
    assert_eq!(only(&case, &[], "aws files"), broken("credentials", 3, "no line that AWS tools can read"));
    doctor(&case, &[]).run().exits(1).stderr(&error("one problem was found"));
    case.write(&case.credentials(), 0o600, "hunter2\n[work\nregion = x\n");
    case.write(&case.config(), 0o600, "[default]\nregion = x\n[profile prod]\n[profile ops]\n[default]\n");
    assert_eq!(
        about(&case, &[], "aws files"),
        [
            broken("credentials", 1, "no line that AWS tools can read, and one line more"),
            broken("config", 5, "stands there for the second time"),
        ]
    );
    case.write(&case.credentials(), 0o600, "");
    let twice = "[profile prod]\nregion = x\n[profile prod]\n";
    case.write(&case.config(), 0o600, twice);
    assert_eq!(only(&case, &["prod"], "aws files"), broken("config", 3, "stands there for the second time"));
    assert_eq!(about(&case, &["prod"], "profile"), [], "it is told once");
    // To the AWS CLI these are two sections of one profile.
    case.write(&case.config(), 0o600, twice.replace("[profile prod]\nregion", "[profile \"prod\"]\nregion"));
    let path = case.config();
    let found = format!("line 3 of {} has profile `prod` a second time", path.display());
    assert_eq!(only(&case, &["prod"], "profile"), told("problem", &found, None));
}
