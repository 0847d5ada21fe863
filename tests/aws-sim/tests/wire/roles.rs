use std::time::Duration;

use aws_sim::{Role, SessionKind, Trust};

use crate::client::{Client, Reply};
use crate::{ACCOUNT, Scene, scene};

const HOUR: Duration = Duration::from_secs(3600);
const ADMIN: &str = "arn:aws:iam::123456789012:role/admin";

fn assume(client: &Client, role: &str, more: &[(&str, &str)]) -> Reply {
    client.sts("AssumeRole", &[&[("RoleArn", role), ("RoleSessionName", "vault-alice")], more].concat())
}

fn not_authorized(scene: &Scene, role: &str) -> String {
    let user = scene.alice.arn();
    format!("403 AccessDenied: User: {user} is not authorized to perform: sts:AssumeRole on resource: {role}")
}

#[test]
fn a_role_session_signs_as_the_role() {
    let scene = scene();
    let role = scene.sim.add_role(Role::new(ACCOUNT, "admin", Trust::of(ACCOUNT)));
    assert_eq!(role, ADMIN);
    let reply = assume(&scene.client(), &role, &[]);
    let arn = "arn:aws:sts::123456789012:assumed-role/admin/vault-alice";
    assert_eq!(reply.text("Arn"), arn);
    let session = Client::of_reply(&scene.sim, &reply);
    let identity = session.sts("GetCallerIdentity", &[]);
    assert_eq!(identity.text("Arn"), arn);
    assert_eq!(identity.text("UserId"), reply.text("AssumedRoleId"));
    assert_eq!(scene.sim.session(&session.access_key_id).unwrap().kind, SessionKind::Role);
}

#[test]
fn a_role_that_trusts_others_or_does_not_exist_is_refused_alike() {
    let scene = scene();
    let role = scene.sim.add_role(Role::new("210987654321", "theirs", Trust::of("210987654321")));
    assert_eq!(assume(&scene.client(), &role, &[]).error(), not_authorized(&scene, &role));
    assert_eq!(assume(&scene.client(), ADMIN, &[]).error(), not_authorized(&scene, ADMIN));
}

#[test]
fn a_denial_in_the_callers_policy_outweighs_the_roles_trust() {
    let scene = scene();
    let role = scene.sim.add_role(Role::new(ACCOUNT, "admin", Trust::of(scene.alice.arn())));
    scene.sim.deny(&scene.alice, "sts:AssumeRole");
    let error = assume(&scene.client(), &role, &[]).error();
    assert_eq!(error, not_authorized(&scene, &role) + " with an explicit deny in an identity-based policy");
}

#[test]
fn trust_by_name_is_enough_within_the_account_only() {
    let scene = scene();
    let nothing = r#"{"Statement": []}"#;
    scene.sim.set_policy(&scene.alice, nothing);
    let near = scene.sim.add_role(Role::new(ACCOUNT, "near", Trust::of(scene.alice.arn())));
    let by_account = scene.sim.add_role(Role::new(ACCOUNT, "by-account", Trust::of(ACCOUNT)));
    let far = scene.sim.add_role(Role::new("210987654321", "far", Trust::of(scene.alice.arn())));
    assert_eq!(assume(&scene.client(), &near, &[]).error(), "200");
    assert_eq!(assume(&scene.client(), &by_account, &[]).error(), not_authorized(&scene, &by_account));
    assert_eq!(assume(&scene.client(), &far, &[]).error(), not_authorized(&scene, &far));
}

#[test]
fn a_role_that_wants_mfa_takes_it_from_the_session_or_from_the_call() {
    let scene = scene();
    let role = scene.sim.add_role(Role::new(ACCOUNT, "admin", Trust::of(ACCOUNT).with_mfa()));
    assert_eq!(assume(&scene.client(), &role, &[]).error(), not_authorized(&scene, &role));
    let without = Client::of_reply(&scene.sim, &scene.client().sts("GetSessionToken", &[]));
    assert_eq!(assume(&without, &role, &[]).error(), not_authorized(&scene, &role));
    assert_eq!(assume(&scene.mfa_session(), &role, &[]).error(), "200");
    let code = scene.phone.code();
    let in_call = [("SerialNumber", scene.phone.serial()), ("TokenCode", code.as_str())];
    assert_eq!(assume(&scene.client(), &role, &in_call).error(), "200");
    assert!(assume(&scene.client(), &role, &in_call).error().contains("invalid MFA one time pass code"));
}

#[test]
fn a_role_that_wants_fresh_mfa_refuses_an_old_session() {
    let scene = scene();
    let trust = Trust::of(ACCOUNT).with_mfa_younger_than(HOUR);
    let role = scene.sim.add_role(Role::new(ACCOUNT, "admin", trust));
    let session = scene.mfa_session();
    assert_eq!(assume(&session, &role, &[]).error(), "200");
    scene.sim.advance(HOUR);
    let error = assume(&session.at(scene.sim.now()), &role, &[]).error();
    assert_eq!(error, not_authorized(&scene, &role));
}

#[test]
fn an_external_id_must_be_the_trusted_one() {
    let scene = scene();
    let role = scene.sim.add_role(Role::new(ACCOUNT, "admin", Trust::of(ACCOUNT).with_external_id("blue")));
    assert_eq!(assume(&scene.client(), &role, &[]).error(), not_authorized(&scene, &role));
    assert_eq!(assume(&scene.client(), &role, &[("ExternalId", "red")]).error(), not_authorized(&scene, &role));
    assert_eq!(assume(&scene.client(), &role, &[("ExternalId", "blue")]).error(), "200");
}

#[test]
fn a_duration_is_held_to_the_roles_maximum_and_a_chains_hour() {
    let scene = scene();
    let role = scene.sim.add_role(Role::new(ACCOUNT, "admin", Trust::of(ACCOUNT)).max_session(2 * HOUR));
    let ask = |client: &Client, seconds: &str| assume(client, &role, &[("DurationSeconds", seconds)]).error();
    let client = scene.client();
    assert_eq!(ask(&client, "7200"), "200");
    assert_eq!(
        ask(&client, "7201"),
        "400 ValidationError: The requested DurationSeconds exceeds the MaxSessionDuration set for this role."
    );
    assert!(ask(&client, "43201").contains("Member must have value less than or equal to 43200"));
    assert!(ask(&client, "899").contains("Member must have value greater than or equal to 900"));
    let session = scene.mfa_session();
    assert_eq!(ask(&session, "3600"), "200");
    assert_eq!(
        ask(&session, "3601"),
        "400 ValidationError: The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role \
         chaining."
    );
}

#[test]
fn a_chained_role_carries_no_mfa() {
    let scene = scene();
    let first = scene.sim.add_role(Role::new(ACCOUNT, "first", Trust::of(ACCOUNT).with_mfa()));
    let open = scene.sim.add_role(Role::new("210987654321", "open", Trust::of(&first)));
    let guarded = scene.sim.add_role(Role::new("210987654321", "guarded", Trust::of(&first).with_mfa()));
    let session = Client::of_reply(&scene.sim, &assume(&scene.mfa_session(), &first, &[]));
    assert_eq!(assume(&session, &open, &[]).error(), "200");
    assert_eq!(assume(&session, &guarded, &[]).code(), "AccessDenied");
}

#[test]
fn root_assumes_no_role() {
    let scene = scene();
    let role = scene.sim.add_role(Role::new(ACCOUNT, "admin", Trust::of(ACCOUNT)));
    let root = scene.sim.add_root(ACCOUNT);
    let error = assume(&Client::of(&scene.sim, &root), &role, &[]).error();
    assert_eq!(error, "403 AccessDenied: Roles may not be assumed by root accounts.");
}

#[test]
fn a_session_name_must_fit_its_pattern() {
    let scene = scene();
    let ask = |name: &str| scene.client().sts("AssumeRole", &[("RoleArn", ADMIN), ("RoleSessionName", name)]).error();
    assert!(ask("has blank").ends_with(r"Member must satisfy regular expression pattern: [\w+=,.@-]*"));
    assert!(ask("x").ends_with("Member must have length greater than or equal to 2"));
    assert!(ask(&"x".repeat(65)).ends_with("Member must have length less than or equal to 64"));
}

#[test]
fn a_policy_narrows_the_session() {
    let scene = scene();
    let role = scene.sim.add_role(Role::new(ACCOUNT, "admin", Trust::of(ACCOUNT)));
    let read_only = [("PolicyArns.member.1.arn", "arn:aws:iam::aws:policy/ReadOnlyAccess")];
    let reply = assume(&scene.client(), &role, &read_only);
    let session = Client::of_reply(&scene.sim, &reply);
    assert!(scene.sim.session(&session.access_key_id).unwrap().narrowed);
    assert_eq!(session.iam("ListAccessKeys", &[("UserName", "alice")]).error(), "200");
    let error = session.iam("CreateAccessKey", &[("UserName", "alice")]).error();
    assert!(error.ends_with("because no session policy allows the iam:CreateAccessKey action"), "{error}");
    assert_eq!(session.iam("GetUser", &[]).code(), "ValidationError");
}

#[test]
fn a_policy_that_is_none_or_too_long_is_refused() {
    let scene = scene();
    let role = scene.sim.add_role(Role::new(ACCOUNT, "admin", Trust::of(ACCOUNT)));
    let ask = |policy: &str| assume(&scene.client(), &role, &[("Policy", policy)]).code();
    assert_eq!(ask("{}"), "MalformedPolicyDocument");
    assert_eq!(ask(&" ".repeat(2049)), "PackedPolicyTooLarge");
}

#[test]
fn tags_and_a_source_identity_go_with_the_session() {
    let scene = scene();
    let role = scene.sim.add_role(Role::new(ACCOUNT, "admin", Trust::of(ACCOUNT)));
    let tags = [("Tags.member.1.Key", "team"), ("Tags.member.1.Value", "blue"), ("TransitiveTagKeys.member.1", "team")];
    let reply = assume(&scene.client(), &role, &[&tags[..], &[("SourceIdentity", "alice")]].concat());
    assert_eq!(reply.text("SourceIdentity"), "alice");
    let session = Client::of_reply(&scene.sim, &reply);
    assert_eq!(assume(&session, &role, &[("SourceIdentity", "bob")]).code(), "AccessDenied");
    assert_eq!(assume(&session, &role, &[]).text("SourceIdentity"), "alice");
    let twice = [("Tags.member.2.Key", "TEAM"), ("Tags.member.2.Value", "red")];
    assert_eq!(assume(&scene.client(), &role, &[&tags[..], &twice].concat()).code(), "InvalidParameterValue");
}

#[test]
fn a_roles_maximum_can_be_read_and_changed() {
    let scene = scene();
    scene.sim.add_role(Role::new(ACCOUNT, "admin", Trust::of(ACCOUNT)));
    let client = scene.client();
    assert_eq!(client.iam("GetRole", &[("RoleName", "admin")]).text("MaxSessionDuration"), "3600");
    let change =
        |seconds: &str| client.iam("UpdateRole", &[("RoleName", "admin"), ("MaxSessionDuration", seconds)]).error();
    assert_eq!(change("7200"), "200");
    assert!(change("3599").contains("Member must have value greater than or equal to 3600"));
    assert_eq!(client.iam("GetRole", &[("RoleName", "admin")]).text("MaxSessionDuration"), "7200");
    assert_eq!(client.iam("GetRole", &[("RoleName", "none")]).code(), "NoSuchEntity");
}
