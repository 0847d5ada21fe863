//! Sessions while the vault stays closed, and somebody holds its session identity.
//!
//! Here that is the test itself, with the commands running in its process: so every file that is read is known. What would
//! open the vault is a file that is missing, and the complaint about it tells that the vault was wanted.

mod agent;
mod stage;

use std::fs;
use std::time::Duration;

use aws_sim::{Failure, Kind};

use crate::program::ACCOUNT;

pub use agent::WithAgent;
pub use stage::Warm;

pub const GET: [&str; 3] = ["get", "prod", "aws_access_key_id"];
const GET_ADMIN: [&str; 3] = ["get", "admin", "aws_access_key_id"];

#[test]
fn a_session_takes_one_record_and_neither_the_vault_nor_an_unchanged_config_file() {
    for config in [None, Some("[profile prod]\nregion = eu-central-1\n")] {
        let warm = Warm::new(config);
        // The config file was written just before the login, so that its stamp said nothing then.
        let first = warm.run(&GET).succeeds();
        assert_eq!(first.read(".aws/config"), config.is_some());
        warm.settles(&GET);
        for command in [&GET[..], &["env", "prod"], &["credential-process", "prod"]] {
            let ran = warm.run(command).succeeds();
            assert_eq!(ran.files_read(), ["record"], "{:?}", ran.read);
            assert_eq!(ran.err, "");
        }
        let env = warm.run(&["env", "prod"]).succeeds().out;
        assert_eq!(env.contains("export AWS_REGION='eu-central-1'"), config.is_some());
        assert_eq!(warm.sent(), []);
    }
}

#[test]
fn what_is_handed_out_is_what_the_opened_vault_would_give() {
    let mut warm = Warm::as_admin();
    warm.variables.push(("AWS_PROFILE", "admin".into()));
    for command in [
        &["env"][..],
        &["env", "admin", "--shell", "json"],
        &["get", "admin", "region"],
        &["get", "admin", "account"],
        &["get", "admin", "expiration"],
        &["credential-process", "admin"],
        &["login", "admin", "--env"],
        &["login", "admin", "--no-export"],
    ] {
        let ran = warm.run(command).succeeds();
        let opened = warm.case.vault(command).variable("AWS_PROFILE", "admin").run();
        opened.succeeds();
        assert_eq!(ran.out, opened.out, "{command:?}");
        let words = |text: &str| text.split(" (").next().unwrap().to_owned();
        assert_eq!(words(&ran.err), words(&opened.err), "{command:?}");
    }
}

#[test]
fn whoami_and_a_roles_console_leave_the_vault_closed_and_a_users_console_takes_its_key() {
    let warm = Warm::as_admin();
    let arn = format!("arn = arn:aws:sts::{ACCOUNT}:assumed-role/admin/");
    assert!(warm.run(&["whoami", "admin"]).succeeds().out.contains(&arn));
    let ran = warm.run(&["console", "admin", "--service", "s3"]).succeeds();
    let visit = warm.case.sim.visit(ran.out.trim()).expect("it signs in");
    assert_eq!(visit.destination, "https://eu-west-1.console.aws.amazon.com/s3/home?region=eu-west-1");
    let asked = [("GetCallerIdentity", true), ("ListAccountAliases", true), ("getSigninToken", true)];
    assert_eq!(warm.sent(), asked.map(|(action, session)| (action.to_owned(), session)));
    warm.run(&["console", "prod"]).wants_the_vault();
    // It takes a role session that only the key makes.
    warm.run(&["console", "admin", "--duration", "8h"]).wants_the_vault();
    assert_eq!(warm.sent(), []);
}

#[test]
fn after_a_save_the_vault_has_to_be_opened_once_and_the_session_stays() {
    let mut warm = Warm::new(None);
    let session = warm.run(&GET).succeeds().out;
    warm.case.run(&["set", "prod", "output=json"]).exits(2);
    warm.case.run(&["set", "prod", "region=eu-west-3"]).succeeds();
    warm.run(&GET).wants_the_vault();
    warm.recovery = true;
    assert_eq!(warm.run(&GET).succeeds().out, session);
    warm.recovery = false;
    let ran = warm.run(&GET).succeeds();
    assert_eq!((ran.files_read(), &ran.out), (vec!["record"], &session));
    assert_eq!(warm.run(&["get", "prod", "region"]).succeeds().out, "eu-west-3");
    assert_eq!(warm.sent(), []);
}

#[test]
fn an_edit_that_makes_another_request_makes_another_session() {
    let mut warm = Warm::new(None);
    warm.case.run(&["set", "prod", "duration_seconds=1h"]).succeeds();
    warm.run(&GET).wants_the_vault();
    warm.recovery = true;
    warm.variables.push(("VAULT_MFA_CODE", {
        warm.pass(Duration::from_secs(60));
        warm.case.phone.code()
    }));
    warm.run(&GET).succeeds();
    assert_eq!(warm.sent(), [("GetSessionToken".to_owned(), false)]);
}

#[test]
fn of_the_config_file_only_what_the_chain_was_read_from_counts() {
    let warm = Warm::as_admin();
    let text = fs::read_to_string(warm.case.config()).unwrap();
    warm.run(&GET_ADMIN).succeeds();
    let edited = |from: &str, to: &str| {
        fs::write(warm.case.config(), text.replace(from, to)).unwrap();
        warm.pass(Duration::from_secs(10));
    };
    edited("eu-west-2", "eu-west-4");
    let ran = warm.run(&GET_ADMIN).succeeds();
    assert!(ran.read(".aws/config"));
    warm.settles(&GET_ADMIN);
    edited("eu-west-1", "eu-west-4");
    warm.run(&GET_ADMIN).wants_the_vault();
    // What was made on the way to the role does not depend on it.
    warm.run(&GET).succeeds();
    fs::remove_file(warm.case.config()).unwrap();
    warm.run(&GET_ADMIN).wants_the_vault();
    warm.run(&GET).succeeds();
    fs::write(warm.case.config(), &text).unwrap();
    warm.run(&GET_ADMIN).succeeds();
    assert_eq!(warm.sent(), []);
}

#[test]
fn a_role_is_renewed_from_its_living_session_without_the_vault() {
    let warm = Warm::as_admin();
    let first = warm.run(&GET_ADMIN).succeeds().out;
    warm.pass(Duration::from_secs(50 * 60));
    let ran = warm.run(&["credential-process", "admin"]).succeeds();
    assert!(!ran.read("vault.age") && !ran.out.contains(&first), "{}", ran.out);
    assert_eq!((&*ran.err, warm.sent()), ("", vec![("AssumeRole".to_owned(), true)]));
    // And the next finds it, with all that a record has.
    let ran = warm.run(&GET_ADMIN).succeeds();
    assert_eq!((ran.files_read(), warm.sent()), (vec!["record"], Vec::new()));
    warm.run(&["login", "admin", "--no-export"]).succeeds();
    warm.pass(Duration::from_secs(12 * 3600));
    warm.run(&GET_ADMIN).wants_the_vault();
    assert_eq!(warm.sent(), []);
}

#[test]
fn a_session_that_aws_takes_no_longer_leads_to_the_vault_and_is_not_met_again() {
    let warm = Warm::as_admin();
    warm.pass(Duration::from_secs(50 * 60));
    let expired = Kind::Status { http: 403, code: "ExpiredToken".into(), message: "expired".into() };
    warm.case.sim.fail(Failure::on("AssumeRole").kind(expired).lasting());
    warm.run(&GET_ADMIN).wants_the_vault();
    assert_eq!(warm.sent(), [("AssumeRole".to_owned(), true)]);
    warm.run(&GET_ADMIN).wants_the_vault();
    warm.run(&GET).wants_the_vault();
    assert_eq!(warm.sent(), []);
}

#[test]
fn a_session_goes_to_no_other_endpoint_than_its_own() {
    let mut warm = Warm::new(None);
    warm.run(&GET).succeeds();
    for (name, value) in [
        ("AWS_ENDPOINT_URL", "https://other.example"),
        ("AWS_ENDPOINT_URL_STS", "https://other.example"),
        ("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "true"),
        ("AWS_ENDPOINT_URL", "nonsense"),
    ] {
        warm.variables = vec![(name, value.to_owned())];
        warm.run(&GET).wants_the_vault();
    }
}

#[test]
fn a_login_that_finds_its_session_good_writes_it_with_the_vault_closed() {
    let mut warm = Warm::new(None);
    let ran = warm.run(&["login", "prod"]).succeeds();
    assert!(!ran.read("vault.age"));
    assert!(
        ran.err.starts_with("prod: still signed in as alice in account 123456789012 with MFA until "),
        "{}",
        ran.err
    );
    assert!(ran.err.contains("\nuse: aws --profile prod --region us-east-1 sts get-caller-identity\n"), "{}", ran.err);
    assert!(fs::read_to_string(warm.case.credentials()).unwrap().starts_with("[prod]\n"));
    // In its last hour it is renewed while the person is there, and a key in the way is the vault's to judge.
    let key = (warm.case.alice.access_key_id(), warm.case.alice.secret_access_key());
    let long_term = format!("[prod]\naws_access_key_id = {}\naws_secret_access_key = {}\n", key.0, key.1);
    warm.case.write(&warm.case.credentials(), 0o600, &long_term);
    warm.run(&["login", "prod"]).wants_the_vault();
    assert_eq!(fs::read_to_string(warm.case.credentials()).unwrap(), long_term);
    warm.recovery = true;
    warm.run(&["login", "prod"]).succeeds();
    warm.recovery = false;
    warm.pass(Duration::from_secs(11 * 3600));
    warm.run(&["login", "prod"]).wants_the_vault();
    warm.run(&GET).succeeds();
    assert_eq!(warm.sent(), []);
}

#[test]
fn where_the_vault_must_be_a_certain_one_or_no_profile_is_named_nobody_is_asked() {
    let mut warm = Warm::new(None);
    let identity = warm.case.given("missing").display().to_string();
    for command in [&["env"][..], &[&GET[..], &["--identity", &identity]].concat()] {
        let ran = warm.run(command);
        ran.wants_the_vault();
        assert!(!ran.asked, "{command:?}");
    }
    warm.variables = vec![("VAULT_FINGERPRINT", "x".into())];
    let ran = warm.run(&GET);
    ran.wants_the_vault();
    assert!(!ran.asked);
    warm.variables = vec![("AWS_PROFILE", "prod".into())];
    assert!(warm.run(&["env"]).succeeds().asked);
}

#[test]
fn what_is_used_again_is_in_the_log_once() {
    let warm = Warm::new(None);
    let log = || fs::read_to_string(warm.case.home().join(".local/state/vault/log.jsonl")).unwrap_or_default();
    let before = log().lines().count();
    warm.run(&GET).succeeds();
    warm.run(&["login", "prod"]).succeeds();
    let text = log();
    let added: Vec<&str> = text.lines().skip(before).collect();
    assert_eq!(added.len(), 2, "{added:?}");
    assert!(added.iter().all(|line| line.contains("\"act\":\"reused\"") && line.contains("\"profile\":\"prod\"")));
}
