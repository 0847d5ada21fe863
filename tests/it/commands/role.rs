//! `vault role max-duration`: how long sessions of a role may be.

use std::time::Duration;

use aws_sim::{Request, Role, Trust};

use super::{error, error_and_hint, json};
use crate::program::{ACCOUNT, Case};

const DESCRIPTION: &str = "for ops & <others>";

/// alice, signed in, and a role with a description.
fn with_role() -> Case {
    let case = Case::with_prod();
    case.sim.add_role(Role::new(ACCOUNT, "admin", Trust::of(ACCOUNT).with_mfa()).description(DESCRIPTION));
    case.run(&["login", "prod", "--no-export", "--mfa-code", &case.phone.code()]).succeeds();
    case.sim.clear_requests();
    case
}

fn updates(case: &Case) -> Vec<Request> {
    case.sim.requests().into_iter().filter(|request| request.action == "UpdateRole").collect()
}

#[test]
fn a_roles_maximum_is_shown_and_set_and_its_description_stays() {
    let case = with_role();
    let read = ["role", "max-duration", "prod", "admin"];
    case.run(&read).succeeds().stdout("1 h\n").stderr("");
    let set = [&read[..], &["4h"]].concat();
    case.run(&set).succeeds().stdout("").stderr("role admin: 4 h, was 1 h\n");
    case.run(&read).succeeds().stdout("4 h\n");
    let [update] = &updates(&case)[..] else { panic!("one update") };
    assert_eq!(update.parameter("MaxSessionDuration"), Some("14400"));
    assert_eq!(update.parameter("Description"), Some(DESCRIPTION));
    assert!(update.signed_with_token, "by the session with MFA");
    case.run(&set).succeeds().stderr("role admin: 4 h already\n");
    assert_eq!(updates(&case).len(), 1);
    let arn = format!("arn:aws:iam::{ACCOUNT}:role/admin");
    let document = json(&case.run(&["role", "max-duration", "prod", &arn, "12h", "--json"]));
    let expected = serde_json::json!({ "version": 1, "role": "admin", "max_session_seconds": 43200, "was": 14400 });
    assert_eq!(document, expected);
}

#[test]
fn a_maximum_that_iam_would_not_take_is_refused_before_anything_is_asked() {
    let case = Case::with_prod();
    for bad in ["3599", "43201", "13h", "soon"] {
        let run = case.vault(&["role", "max-duration", "prod", "admin", bad]).asking().run();
        run.exits(2).stdout("").stderr_has(&format!("vault: error: invalid value '{bad}' for '[DURATION]'"));
    }
    for bad in ["a/b", "", "arn:aws:iam::1:role/x"] {
        let run = case.vault(&["role", "max-duration", "prod", bad]).asking().run();
        run.exits(2).stdout("").stderr_has(&format!("vault: error: invalid value '{bad}' for '<ROLE>'"));
    }
    assert_eq!(case.sim.requests(), []);
}

#[test]
fn a_role_that_is_elsewhere_or_nowhere_or_not_to_be_read_is_told_of() {
    let case = with_role();
    let other = "arn:aws:iam::210987654321:role/admin";
    let told = format!("`{other}` is in another account than `prod`, which is in {ACCOUNT}");
    let hint = "name a profile of account 210987654321";
    case.run(&["role", "max-duration", "prod", other]).exits(1).stdout("").stderr(&error_and_hint(&told, hint));
    let told = "AWS refused GetRole: The role with name nobody cannot be found.";
    case.run(&["role", "max-duration", "prod", "nobody"]).exits(4).stderr(&error(told));
    case.sim.deny(&case.alice, "iam:UpdateRole");
    case.run(&["role", "max-duration", "prod", "admin", "2h"])
        .refuses(4, "AWS refused UpdateRole: User: arn:aws:iam::123456789012:user/alice is not authorized");
    case.run(&["role", "max-duration", "prod", "admin"]).succeeds().stdout("1 h\n");
}

#[test]
fn a_user_without_a_device_signs_with_the_key_since_iam_takes_no_such_session() {
    let case = Case::with_vault();
    case.sim.add_role(Role::new(ACCOUNT, "admin", Trust::of(ACCOUNT)));
    let add = ["add", "prod", "--access-key-id", case.alice.access_key_id(), "--secret-stdin", "--mfa-serial", "none"];
    case.vault(&add).stdin(case.alice.secret_access_key()).run().succeeds();
    case.sim.clear_requests();
    case.run(&["role", "max-duration", "prod", "admin", "2h"]).succeeds().stderr("role admin: 2 h, was 1 h\n");
    let asked: Vec<_> =
        case.sim.requests().iter().map(|request| (request.action.clone(), request.signed_with_token)).collect();
    assert_eq!(asked, [("GetRole".to_owned(), false), ("UpdateRole".to_owned(), false)]);
}

/// A person who asks for too long a session is told what the role allows and how that changes.
#[test]
fn a_session_longer_than_the_role_allows_names_the_maximum_and_the_command_that_raises_it() {
    let case = Case::with_prod();
    let role = Role::new(ACCOUNT, "admin", Trust::of(ACCOUNT).with_mfa()).max_session(Duration::from_secs(7200));
    let arn = case.sim.add_role(role);
    case.run(&["add", "admin", "--role-arn", &arn, "--source-profile", "prod"]).succeeds();
    let login = |code: &str| case.run(&["login", "admin", "--duration", "4h", "--mfa-code", code]);
    let hint = "pass `--duration 2h`; or `vault role max-duration prod admin 4h`, if `prod` may change the role";
    let told = "`admin`: a session of 4 h is longer than role admin allows, which is 2 h";
    login(&case.phone.code()).exits(4).stdout("").stderr(&error_and_hint(told, hint));
    case.sim.deny(&case.alice, "iam:GetRole");
    let hint = "pass `--duration 1h`; or `vault role max-duration prod admin 4h`, if `prod` may change the role";
    let told = "`admin`: a session of 4 h is longer than role admin allows";
    login(&case.phone.code()).exits(4).stdout("").stderr(&error_and_hint(told, hint));
    case.sim.allow(&case.alice, "iam:GetRole");
    let raise = ["role", "max-duration", "prod", "admin", "14400", "--mfa-code", &case.phone.code()];
    case.run(&raise).succeeds().stderr_has("role admin: 4 h, was 2 h");
    login(&case.phone.code()).succeeds().stderr_has("admin: signed in as role admin");
}
