//! `vault whoami`: who AWS says a session is.

use aws_sim::{Role, Trust};

use super::{ALICE, json};
use crate::program::{ACCOUNT, Case};

fn user_id(case: &Case) -> String {
    json(&case.run(&["whoami", "prod", "--json"]))["user_id"].as_str().unwrap().to_owned()
}

#[test]
fn whoami_names_account_arn_and_user_id_of_the_session() {
    let case = Case::with_prod();
    case.sim.set_account_alias(ACCOUNT, "acme");
    let output = case.run(&["whoami", "prod", "--mfa-code", &case.phone.code()]);
    let told = format!("account = {ACCOUNT} (acme)\narn = {ALICE}\nuser_id = {}\n", user_id(&case));
    output.succeeds().stdout(&told).stderr("");
    // The only profile is the one that is meant.
    case.run(&["whoami"]).succeeds().stdout(&told).stderr("");
    let document = json(&case.run(&["whoami", "prod", "--json"]));
    let expected = serde_json::json!({
        "version": 1, "name": "prod", "account": ACCOUNT, "account_alias": "acme", "arn": ALICE,
        "user_id": user_id(&case),
    });
    assert_eq!(document, expected);
    assert_eq!(case.sim.count("GetSessionToken"), 1);
    let asked: Vec<_> =
        case.sim.requests().into_iter().filter(|request| request.action == "GetCallerIdentity").collect();
    assert!(asked.iter().all(|request| request.signed_with_token));
}

#[test]
fn whoami_answers_who_may_ask_nothing_else() {
    let case = Case::with_prod();
    case.sim.deny(&case.alice, "iam:*");
    let output = case.run(&["whoami", "prod", "--mfa-code", &case.phone.code()]);
    let told = format!("account = {ACCOUNT}\narn = {ALICE}\nuser_id = {}\n", user_id(&case));
    output.succeeds().stdout(&told).stderr("");
    // IAM takes no session without MFA, and that is nobody's business here.
    case.run(&["whoami", "prod", "--no-mfa"]).succeeds().stdout(&told);
    assert_eq!(json(&case.run(&["whoami", "prod", "--json"]))["account_alias"], serde_json::Value::Null);
    assert_eq!(case.sim.count("GetUser"), 0);
}

#[test]
fn whoami_of_a_role_is_the_roles_session() {
    let case = Case::with_prod();
    let role = case.sim.add_role(Role::new(ACCOUNT, "admin", Trust::of(ACCOUNT).with_mfa()));
    case.run(&["add", "admin", "--role-arn", &role, "--source-profile", "prod"]).succeeds();
    let output = case.run(&["whoami", "admin", "--mfa-code", &case.phone.code()]);
    output.succeeds().stderr("").stdout_has(&format!("arn = arn:aws:sts::{ACCOUNT}:assumed-role/admin/vault-alice-"));
}

#[test]
fn the_callers_own_credentials_are_never_asked_about() {
    let case = Case::with_prod();
    let other = case.sim.add_user("210987654321", "mallory");
    let run = case.vault(&["whoami", "prod", "--mfa-code", &case.phone.code()]);
    let run = run.variable("AWS_ACCESS_KEY_ID", other.access_key_id());
    run.variable("AWS_SECRET_ACCESS_KEY", other.secret_access_key()).run().succeeds().stdout_has(ALICE);
}
