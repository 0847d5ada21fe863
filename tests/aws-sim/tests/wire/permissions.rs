use std::time::Duration;

use crate::{ACCOUNT, scene};

const CREATE: &[(&str, &str)] = &[("UserName", "alice")];

#[test]
fn a_denied_action_is_refused_by_name_until_it_is_allowed_again() {
    let scene = scene();
    scene.sim.deny(&scene.alice, "iam:ListMFADevices");
    let list = || scene.client().iam("ListMFADevices", &[]).error();
    assert_eq!(
        list(),
        "403 AccessDenied: User: arn:aws:iam::123456789012:user/alice is not authorized to perform: \
         iam:ListMFADevices on resource: user alice with an explicit deny in an identity-based policy"
    );
    assert_eq!(scene.client().iam("GetUser", &[]).error(), "200");
    scene.sim.allow(&scene.alice, "iam:ListMFADevices");
    assert_eq!(list(), "200");
}

#[test]
fn authenticating_asks_no_policy() {
    let scene = scene();
    scene.sim.deny(&scene.alice, "sts:*");
    assert_eq!(scene.client().sts("GetCallerIdentity", &[]).error(), "200");
    assert_eq!(scene.client().sts("GetSessionToken", &[]).error(), "200");
    assert_eq!(scene.client().sts("GetFederationToken", &[("Name", "bob")]).code(), "AccessDenied");
}

#[test]
fn actions_under_mfa_need_a_session_whose_mfa_is_fresh() {
    let scene = scene();
    let hour = Duration::from_secs(3600);
    scene.sim.require_mfa_for(&scene.alice, &["iam:*AccessKey*"], Some(hour));
    assert_eq!(scene.client().iam("ListAccessKeys", CREATE).code(), "AccessDenied");
    assert_eq!(scene.client().iam("GetUser", &[]).error(), "200");
    let session = scene.mfa_session();
    assert_eq!(session.iam("ListAccessKeys", CREATE).error(), "200");
    scene.sim.advance(hour);
    let session = session.at(scene.sim.now());
    assert_eq!(session.iam("ListAccessKeys", CREATE).code(), "AccessDenied");
    assert_eq!(session.iam("GetUser", &[]).error(), "200");
}

#[test]
fn a_policy_for_ones_own_keys_reaches_no_one_elses() {
    let scene = scene();
    scene.sim.add_user(ACCOUNT, "bob");
    scene.sim.set_policy(
        &scene.alice,
        r#"{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "iam:*AccessKey*",
            "Resource": "arn:aws:iam::*:user/${aws:username}"}}"#,
    );
    assert_eq!(scene.client().iam("ListAccessKeys", &[("UserName", "alice")]).error(), "200");
    assert_eq!(
        scene.client().iam("ListAccessKeys", &[("UserName", "bob")]).error(),
        "403 AccessDenied: User: arn:aws:iam::123456789012:user/alice is not authorized to perform: iam:ListAccessKeys \
         on resource: user bob because no identity-based policy allows the iam:ListAccessKeys action"
    );
}

#[test]
fn aliases_are_those_of_the_callers_account() {
    let scene = scene();
    scene.sim.set_account_alias(ACCOUNT, "acme");
    scene.sim.set_account_alias("210987654321", "other");
    assert_eq!(scene.client().iam("ListAccountAliases", &[]).texts("member"), ["acme"]);
}
