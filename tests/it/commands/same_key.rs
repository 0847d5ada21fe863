//! Two profiles that have one access key.

use crate::program::Case;

/// alice's key under a second name.
fn with_the_same_key() -> Case {
    let case = Case::with_prod();
    let add = ["add", "work", "--access-key-id", case.alice.access_key_id(), "--secret-stdin"];
    case.vault(&add).stdin(case.alice.secret_access_key()).run().succeeds();
    case
}

#[test]
fn profiles_of_one_key_share_one_code_whatever_asks() {
    let case = with_the_same_key();
    case.run(&["login", "prod", "--mfa-code", &case.phone.code()]).succeeds();
    case.run(&["login", "work"]).succeeds().stderr_has("work: still signed in as alice");
    case.run(&["exec", "work", "--", "true"]).succeeds();
    assert_eq!(case.sim.count("GetSessionToken"), 1);
    let out = case.run(&["logout", "prod"]);
    out.succeeds()
        .stderr_has("dropped 2 cached sessions\n")
        .stderr_has("removed [prod], [work] from ~/.aws/credentials\n");
    out.stderr_has("`work` has the same access key, and shared the session\n");
    // Out of one is out of both, until another code is given.
    for name in ["prod", "work"] {
        case.run(&["exec", name, "--", "true"]).exits(8);
    }
}

#[test]
fn a_profile_whose_sessions_are_to_be_shorter_gets_none_of_the_others() {
    let case = with_the_same_key();
    case.run(&["set", "work", "duration_seconds=900"]).succeeds();
    case.run(&["login", "prod", "--duration", "36h", "--mfa-code", &case.phone.code()]).succeeds();
    case.run(&["exec", "work", "--", "true"]).exits(8);
}

#[test]
fn a_session_that_is_for_exec_alone_is_no_other_profiles() {
    let case = with_the_same_key();
    case.run(&["set", "prod", "protected=true"]).succeeds();
    case.run(&["exec", "prod", "--mfa-code", &case.phone.code(), "--", "true"]).succeeds();
    case.run(&["login", "work"]).exits(8);
    case.run(&["login", "work", "--mfa-code", &case.phone.code()]).succeeds();
    case.run(&["set", "prod", "protected=false"]).succeeds();
    case.run(&["set", "work", "protected=true"]).succeeds();
    case.run(&["exec", "work", "--force", "--mfa-code", &case.phone.code(), "--", "true"]).succeeds();
    case.run(&["logout", "prod"]).succeeds();
    case.run(&["exec", "prod", "--", "true"]).exits(8);
}

#[test]
fn a_key_that_another_profile_has_too_is_said_to_stay_there() {
    let case = with_the_same_key();
    let removed = case.run(&["remove", "work", "--yes"]);
    removed.succeeds().stderr_has(" stays at AWS as it is, and in the vault as `prod`\n");
}
