//! What people were told, or found out, by programs before this one, where no other test has it. The list is
//! tests/incumbents.md.

use std::fs;

use jiff::tz::{self, TimeZone};

use super::written;
use crate::program::{ACCOUNT, Case, Conversation, Endpoint};

#[test]
fn what_default_says_holds_for_no_other_profile() {
    let case = Case::with_prod();
    let role = format!("role_arn = arn:aws:iam::{ACCOUNT}:role/none\nsource_profile = plain\nregion = eu-west-3\n");
    let config =
        format!("[default]\n{role}external_id = x\nduration_seconds = 900\n\n[profile prod]\n\n[profile plain]\n");
    case.write(&case.config(), 0o600, config);
    let shown = case.run(&["show", "prod", "--sources"]);
    let of_default = ["role/none", "eu-west-3", "external_id", "900"];
    assert!(of_default.iter().all(|text| !shown.succeeds().out.contains(text)), "{}", shown.out);
    case.run(&["login", "prod", "--no-mfa", "--no-export"]).succeeds();
    let requests = case.sim.requests();
    let [asked] = &requests[..] else { panic!("{requests:?}") };
    assert_eq!((asked.action.as_str(), asked.region.as_str()), ("GetSessionToken", "us-east-1"));
    assert_eq!(asked.parameter("DurationSeconds"), Some("43200"));
    case.run(&["login", "plain"]).refuses(1, "`plain` has neither an access key in the vault nor a role");
}

#[test]
fn the_end_of_a_session_is_told_by_the_persons_own_clock() {
    let case = Case::with_prod();
    let words = ["login", "prod", "--mfa-code", &case.phone.code()];
    let output = case.vault(&words).variable("TZ", "Asia/Tokyo").run();
    let session = case.sim.session(&written(&case, "prod", "aws_access_key_id")).unwrap();
    let there = session.expires.to_zoned(TimeZone::fixed(tz::offset(9)));
    output.succeeds().stderr_has(&format!(" until {} ", there.strftime("%H:%M on %a %d %b")));
}

#[test]
fn a_wrong_code_leaves_the_session_that_stands() {
    let case = Case::with_prod();
    case.login().succeeds();
    let (file, id) = (fs::read(case.credentials()).unwrap(), written(&case, "prod", "aws_access_key_id"));
    case.run(&["login", "prod", "--force", "--mfa-code", &case.phone.wrong_code()]).exits(4);
    assert!(fs::read(case.credentials()).unwrap() == file, "the file was changed");
    case.run(&["get", "prod", "aws_access_key_id"]).succeeds().stdout(&id);
}

#[test]
fn two_endpoints_beside_each_other_serve_each_its_own_session() {
    let case = Case::with_prod();
    let bob = case.sim.add_user(ACCOUNT, "bob");
    case.keep_secret("bob's secret key", bob.secret_access_key());
    let add = ["add", "other", "--access-key-id", bob.access_key_id(), "--secret-stdin", "--mfa-serial", "none"];
    case.vault(&add).stdin(bob.secret_access_key()).run().succeeds();
    let served = |name: &str| {
        let mut shell: Conversation<'_> = case.vault(&["exec", "--server", name, "--no-mfa", "--", "sh"]).converse();
        let url = shell.ask("echo $AWS_CONTAINER_CREDENTIALS_FULL_URI");
        let token = shell.ask("echo $AWS_CONTAINER_AUTHORIZATION_TOKEN");
        (shell, Endpoint::new(&url, &token))
    };
    let (_prod, of_prod) = served("prod");
    let (_other, of_other) = served("other");
    assert_ne!(of_prod.host, of_other.host);
    for (endpoint, user) in [(&of_prod, "user/alice"), (&of_other, "user/bob")] {
        let session = case.sim.session(&endpoint.get().key_id()).unwrap();
        assert!(session.arn.ends_with(user), "{}", session.arn);
    }
    let crossed = Endpoint { token: of_other.token.clone(), ..of_prod.clone() };
    assert_eq!(crossed.get().status, 401);
}
