//! What the command line and a profile say of a role's session: which role, what it may do, what it is called.

use aws_sim::{Role, Trust};

use super::{PHONE, error, error_and_hint};
use crate::program::{ACCOUNT, Case, Output};

const ADMIN: &str = "arn:aws:iam::123456789012:role/admin";
const READ_ONLY: &str = "arn:aws:iam::aws:policy/ReadOnlyAccess";
const POLICY: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:Get*","Resource":"*"}]}"#;

/// alice's key as `prod`, the role `admin` at AWS, and a profile of that name where it is said.
fn with_admin(profile: bool) -> Case {
    let case = Case::with_prod();
    let trust = Trust::of(ACCOUNT).with_mfa().with_external_id("x-42");
    case.sim.add_role(Role::new(ACCOUNT, "admin", trust));
    if profile {
        case.run(&["add", "admin", "--role-arn", ADMIN, "--source-profile", "prod"]).succeeds();
    }
    case
}

fn run(case: &Case, command: &[&str], more: &[&str]) -> Output {
    case.run(&[command, &["--mfa-code", &case.phone.code()], more].concat())
}

/// What the last AssumeRole was asked for, its role and the time in its name left out.
fn assumed(case: &Case) -> Vec<(String, String)> {
    let requests = case.sim.requests();
    let last = requests.iter().rfind(|request| request.action == "AssumeRole").expect("a role was assumed");
    let told = last.parameters.iter().filter(|(name, value)| {
        *name != "RoleArn" && !(*name == "RoleSessionName" && value.starts_with("vault-alice-"))
    });
    told.map(|(name, value)| (name.clone(), value.clone())).collect()
}

fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

#[test]
fn every_flag_of_a_roles_session_reaches_aws() {
    let case = with_admin(true);
    let policy = case.give("policy.json", POLICY.replace(',', ",\n    "));
    let flags = [
        "--role-session-name",
        "alice@laptop",
        "--external-id",
        "x-42",
        "--source-identity",
        "alice",
        "--session-tag",
        "team=blue",
        "--session-tag",
        "cost=a,b=c",
        "--transitive-tag",
        "team",
        "--policy",
        policy.to_str().unwrap(),
        "--policy-arn",
        READ_ONLY,
        "--duration",
        "30m",
    ];
    run(&case, &["get", "admin", "aws_access_key_id"], &flags).succeeds();
    let policy: serde_json::Value = serde_json::from_str(POLICY).unwrap();
    let expected = pairs(&[
        ("DurationSeconds", "1800"),
        ("ExternalId", "x-42"),
        ("Policy", &policy.to_string()),
        ("PolicyArns.member.1.arn", READ_ONLY),
        ("RoleSessionName", "alice@laptop"),
        ("SourceIdentity", "alice"),
        ("Tags.member.1.Key", "team"),
        ("Tags.member.1.Value", "blue"),
        ("Tags.member.2.Key", "cost"),
        ("Tags.member.2.Value", "a,b=c"),
        ("TransitiveTagKeys.member.1", "team"),
    ]);
    assert_eq!(assumed(&case), expected);
}

#[test]
fn a_profiles_own_options_reach_aws_from_the_vault_and_from_config_and_flags_win_key_by_key() {
    let case = with_admin(true);
    let own = ["external_id=x-42", "source_identity=alice", "session_tags=team=blue,cost=7"];
    let lists = ["transitive_session_tags=team,cost".to_owned(), format!("policy_arns={READ_ONLY}")];
    case.run(&[&["set", "admin"][..], &own, &[&lists[0], &lists[1]]].concat()).succeeds();
    let config = "[profile admin]\nsession_tags = team=red\nrole_session_name = laptop\n";
    case.write(&case.config(), 0o600, config);
    run(&case, &["get", "admin", "account"], &["--source-identity", "bob"]).succeeds().stdout(ACCOUNT);
    let expected = pairs(&[
        ("DurationSeconds", "3600"),
        ("ExternalId", "x-42"),
        ("PolicyArns.member.1.arn", READ_ONLY),
        ("RoleSessionName", "laptop"),
        ("SourceIdentity", "bob"),
        ("Tags.member.1.Key", "cost"),
        ("Tags.member.1.Value", "7"),
        ("Tags.member.2.Key", "team"),
        ("Tags.member.2.Value", "blue"),
        ("TransitiveTagKeys.member.1", "team"),
        ("TransitiveTagKeys.member.2", "cost"),
    ]);
    assert_eq!(assumed(&case), expected);
}

/// A session may do what any of its policies allows.
#[test]
fn policies_of_the_command_line_take_the_place_of_the_profiles_and_do_not_widen_them() {
    let case = with_admin(true);
    case.run(&["set", "admin", "external_id=x-42", &format!("policy_arns={READ_ONLY}")]).succeeds();
    let policy = case.give("policy.json", POLICY);
    run(&case, &["get", "admin", "account"], &["--policy", policy.to_str().unwrap()]).succeeds();
    let names: Vec<String> = assumed(&case).into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["DurationSeconds", "ExternalId", "Policy"]);
}

#[test]
fn a_narrowed_session_never_serves_who_asks_for_all_of_it_nor_the_other_way_round() {
    let case = with_admin(true);
    case.run(&["set", "admin", "external_id=x-42"]).succeeds();
    run(&case, &["get", "admin", "account"], &[]).succeeds();
    case.run(&["get", "admin", "account", "--readonly"]).succeeds();
    let expected = [("DurationSeconds", "3600"), ("ExternalId", "x-42"), ("PolicyArns.member.1.arn", READ_ONLY)];
    assert_eq!(assumed(&case), pairs(&expected));
    let ids: Vec<String> = [&["--readonly"][..], &[], &["--readonly"]]
        .map(|more| case.run(&[&["get", "admin", "aws_access_key_id"], more].concat()).succeeds().out.clone())
        .to_vec();
    assert!(ids[0] == ids[2] && ids[0] != ids[1], "{ids:?}");
    assert_eq!(case.sim.count("AssumeRole"), 2);
    assert!(case.sim.session(&ids[0]).unwrap().narrowed && !case.sim.session(&ids[1]).unwrap().narrowed);
}

#[test]
fn a_role_that_no_profile_has_is_assumed_from_the_one_that_is_named() {
    let case = with_admin(false);
    let flags = ["--role-arn", ADMIN, "--external-id", "x-42"];
    let login = run(&case, &["login", "prod"], &flags);
    login.succeeds().stderr_has("prod: signed in as role admin in account 123456789012 with MFA until ");
    // The user's own session is another one, and serves for the role.
    let own = case.run(&["get", "prod", "aws_access_key_id"]).succeeds().out.clone();
    let roles = case.run(&[&["get", "prod", "aws_access_key_id"][..], &flags].concat()).succeeds().out.clone();
    assert_ne!(own, roles);
    assert_eq!((case.sim.count("GetSessionToken"), case.sim.count("AssumeRole")), (1, 1));
    let whoami = case.run(&[&["whoami", "prod"][..], &flags].concat());
    whoami.succeeds().stdout_has("arn = arn:aws:sts::123456789012:assumed-role/admin/vault-alice-");
    let console = case.run(&[&["console", "prod"][..], &flags].concat());
    console.succeeds().stderr_has("role admin");
    assert_eq!((case.sim.count("GetFederationToken"), case.sim.count("AssumeRole")), (0, 1));
}

#[test]
fn what_a_user_profile_or_sts_can_not_take_is_said_before_a_code_is_asked() {
    let case = with_admin(true);
    let policy = case.give("policy.json", "Effect: Allow");
    let user = |option: &str| {
        error_and_hint(
            &format!("`prod` is a user profile, and a user's session takes no {option}"),
            "narrow a role instead: `vault add NAME --role-arn ARN --source-profile ...`",
        )
    };
    for (name, flags, told) in [
        ("prod", &["--readonly"][..], user("policy")),
        ("prod", &["--source-identity", "alice"], user("source identity")),
        ("admin", &["--external-id", "x"], error("`x` is no external id: 2 to 1224 of letters, digits and _+=,.@:/-")),
        (
            "admin",
            &["--policy", policy.to_str().unwrap()],
            error("`Effect: Allow` is no policy: a JSON object of at most 2048 characters"),
        ),
    ] {
        case.run(&[&["login", name][..], flags].concat()).exits(2).stdout("").stderr(&told);
    }
    let missing = case.run(&["login", "admin", "--policy", "/no/such/policy.json"]);
    missing.exits(1).stderr(&error("can't use /no/such/policy.json: No such file or directory (os error 2)"));
    let both = case.run(&["login", "admin", "--readonly", "--policy-arn", READ_ONLY]);
    both.exits(2).stderr_has("`--readonly` does not go together with `--policy-arn`");
    assert_eq!(case.sim.requests(), []);
}

#[test]
fn a_protected_profiles_session_is_for_exec_alone() {
    let case = with_admin(true);
    case.run(&["set", "admin", "external_id=x-42", "protected=true"]).succeeds();
    let hint = "`vault exec admin -- COMMAND`, or `vault unset admin protected`";
    let told = error_and_hint("`admin` is protected: its session is for `vault exec` alone", hint);
    let commands: [&[&str]; 6] = [
        &["env", "admin"],
        &["get", "admin", "aws_session_token"],
        &["credential-process", "admin"],
        &["configure", "admin"],
        &["login", "admin", "--env"],
        &["login", "admin", "--profile", "other"],
    ];
    for command in commands {
        case.run(command).exits(1).stdout("").stderr(&told);
    }
    assert_eq!(case.sim.requests(), [], "a code would have been asked for in vain");
    let login = run(&case, &["login", "admin"], &[]);
    login
        .succeeds()
        .stderr_has("admin: protected, so the session is only cached\n")
        .stderr_has("use: vault exec admin -- COMMAND\n");
    assert!(!case.credentials().exists());
    let child = case.run(&["exec", "admin", "--", "sh", "-c", "echo $AWS_VAULT"]);
    child.succeeds().stdout("admin\n");
    // What signs for it is another session, and as free as before.
    case.run(&["get", "prod", "account"]).succeeds().stdout(ACCOUNT);
    case.run(&["unset", "admin", "protected"]).succeeds();
    case.run(&["get", "admin", "account"]).succeeds().stdout(ACCOUNT);
    assert_eq!(
        case.sim.requests().iter().filter(|request| request.parameter("SerialNumber") == Some(PHONE)).count(),
        1
    );
}

#[test]
fn what_was_written_before_a_profile_was_protected_is_taken_back() {
    for by_set in [true, false] {
        let case = with_admin(true);
        case.run(&["set", "admin", "external_id=x-42"]).succeeds();
        run(&case, &["login", "admin"], &[]).succeeds();
        let written = std::fs::read(case.credentials()).unwrap();
        let set = case.run(&["set", "admin", "protected=true"]);
        set.succeeds().stderr("set protected\nremoved [admin] from ~/.aws/credentials\n");
        if !by_set {
            case.write(&case.credentials(), 0o600, &written);
            case.run(&["login", "admin"]).succeeds().stderr_has("removed [admin] from ~/.aws/credentials\n");
        }
        assert!(!std::fs::read_to_string(case.credentials()).unwrap().contains("[admin]"));
    }
    let case = with_admin(true);
    case.run(&["set", "admin", "external_id=x-42", "destination_profile=place"]).succeeds();
    run(&case, &["login", "admin"], &[]).succeeds();
    let written = std::fs::read(case.credentials()).unwrap();
    case.run(&["set", "admin", "protected=true"]).succeeds();
    case.write(&case.credentials(), 0o600, &written);
    // Another session than the one that lies there.
    let renewed = case.run(&["login", "admin", "--force"]);
    renewed.succeeds().stderr_has("removed [place] from ~/.aws/credentials\n");
    case.run(&["set", "admin", "protected=yes"]).exits(2).stderr_has("`yes` is neither true nor false");
}

#[test]
fn a_role_without_a_profile_that_is_asked_for_too_long_is_told_with_what_was_asked() {
    let case = with_admin(false);
    let flags = ["--role-arn", ADMIN, "--external-id", "x-42", "--duration", "2h"];
    run(&case, &["get", "prod", "account"], &flags).exits(4).stderr_has("2 h");
}

#[test]
fn settings_of_the_vault_need_no_config_file_that_can_be_trusted() {
    let case = with_admin(true);
    case.write(&case.config(), 0o666, "[profile x]\nregion = eu-west-1\n");
    case.run(&["set", "--vault", "session_duration=8h"]).succeeds();
    case.run(&["set", "admin", "region=eu-west-1"]).succeeds();
    case.run(&["set", "x", "region=eu-west-1"]).exits(6);
}

#[test]
fn a_login_says_that_its_session_is_narrowed() {
    let case = with_admin(true);
    case.run(&["set", "admin", "external_id=x-42"]).succeeds();
    run(&case, &["login", "admin"], &["--readonly"])
        .succeeds()
        .stderr_has("admin: signed in as role admin (read-only) in account");
    let login = case.run(&["login", "admin", "--policy-arn", READ_ONLY]);
    login.succeeds().stderr_has("admin: signed in as role admin (narrowed by a policy) in account");
    case.run(&["login", "admin", "--readonly"]).succeeds().stderr_has("still signed in as role admin (read-only) in");
}
