//! `vault policy`: what is printed, and that AWS's rules, as the simulator has them, do with it what it says.

use super::{ALICE, PHONE, json};
use crate::program::{ACCOUNT, Case, Output};

const KNOWN: [&str; 13] = [
    "mfa-required",
    "enforce-mfa-8h",
    "enforce-mfa-12h",
    "self-management",
    "self-rotate",
    "self-rotate-with-mfa",
    "role-trust",
    "assume-role",
    "require-tls",
    "ip-allow-list",
    "revoke-sessions",
    "vault-minimum",
    "starter-kit",
];

/// A user that is allowed everything but what other policies deny.
const EVERYTHING: &str = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}"#;

fn shown(case: &Case, name: &str, more: &[&str]) -> Output {
    case.run(&[&["policy", "show", name, "--account", ACCOUNT], more].concat())
}

fn text(case: &Case, name: &str, more: &[&str]) -> String {
    shown(case, name, more).succeeds().out.clone()
}

/// Makes a device named so without a terminal, and says how that ended.
fn begin(case: &Case, device: &str, more: &[&str]) -> Output {
    let file = case.given(device);
    let begin = ["mfa", "enable", "prod", "--device-name", device, "--begin", file.to_str().unwrap()];
    case.run(&[&begin[..], more].concat())
}

#[test]
fn list_names_every_template_with_what_it_does_and_where_aws_describes_it() {
    let case = Case::new();
    let output = case.run(&["policy", "list"]);
    let names: Vec<&str> =
        output.succeeds().stderr("").out.lines().skip(1).map(|line| line.split("  ").next().unwrap()).collect();
    assert_eq!(names, KNOWN);
    let document = json(&case.run(&["policy", "list", "--json"]));
    assert_eq!(document["version"], 1);
    for (policy, name) in document["policies"].as_array().unwrap().iter().zip(KNOWN) {
        assert_eq!(policy["name"], name);
        assert!(policy["docs"].as_str().unwrap().starts_with("https://docs.aws.amazon.com/"), "{policy}");
        assert!(output.out.contains(policy["about"].as_str().unwrap()), "{policy}");
    }
    assert_eq!(document["policies"][6]["flags"], serde_json::json!(["--account", "--user"]));
}

#[test]
fn show_prints_json_and_names_what_is_still_to_be_filled_in() {
    let case = Case::new();
    let output = case.run(&["policy", "show", "assume-role"]);
    output.succeeds().stderr(
        "assume-role: lets a user assume these roles; see \
         https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_permissions-to-switch.html\n\
         fill in ACCOUNT_ID, or say --account\nfill in ROLE_NAME, or say --role\n",
    );
    assert_eq!(json(&output)["Statement"][0]["Resource"][0], "arn:aws:iam::ACCOUNT_ID:role/ROLE_NAME");
    for name in KNOWN {
        json(&case.run(&["policy", "show", name]));
        let all = ["--user", "alice", "--role", "admin", "--ip", "203.0.113.0/24"];
        let output = shown(&case, name, &all);
        json(&output);
        assert!(!output.err.contains("fill in"), "{name}: {}", output.err);
    }
}

#[test]
fn sessions_are_revoked_that_were_made_before_now_or_before_the_time_that_is_said() {
    let case = Case::new();
    let before = |more: &[&str]| {
        let policy = json(&case.run(&[&["policy", "show", "revoke-sessions"], more].concat()));
        let time = policy["Statement"][0]["Condition"]["DateLessThan"]["aws:TokenIssueTime"].clone();
        time.as_str().unwrap().parse::<jiff::Timestamp>().unwrap()
    };
    let said = "2026-03-01T14:00:00Z";
    assert_eq!(before(&["--before", said]), said.parse().unwrap());
    assert_eq!(before(&["--before", "2026-03-01"]), "2026-03-01T00:00:00Z".parse().unwrap());
    let output = case.run(&["policy", "show", "revoke-sessions", "--before", "2026-03-01"]);
    output.succeeds().stderr_has("sessions made before 2026-03-01 00:00:00 are meant\n");
    for no_time in ["1772370000", "20260301", ""] {
        case.run(&["policy", "show", "revoke-sessions", "--before", no_time]).exits(2).stdout("");
    }
    for (more, ago) in [(&[][..], 0), (&["--before", "2h"], 2)] {
        let time = before(more);
        let age = jiff::Timestamp::now().duration_since(time) - jiff::SignedDuration::from_hours(ago);
        assert!(age >= jiff::SignedDuration::ZERO && age < jiff::SignedDuration::from_mins(1), "{more:?}: {age:?}");
    }
}

#[test]
fn account_user_and_roles_are_those_of_the_profile() {
    let case = Case::with_prod();
    let role = format!("arn:aws:iam::{ACCOUNT}:role/team/admin");
    case.run(&["add", "admin", "--role-arn", &role, "--source-profile", "prod"]).succeeds();
    let trust = json(&case.run(&["policy", "show", "role-trust", "--profile", "prod"]));
    assert_eq!(trust["Statement"][0]["Principal"]["AWS"], ALICE);
    let assume = json(&case.run(&["policy", "show", "assume-role", "--profile", "admin"]));
    assert_eq!(assume["Statement"][0]["Resource"], serde_json::json!([role]));
    let rotate = json(&case.run(&["policy", "show", "self-rotate", "--profile", "prod"]));
    let own = format!("arn:aws:iam::{ACCOUNT}:user/${{aws:username}}");
    assert_eq!(rotate["Statement"][0]["Resource"], own);
    assert_eq!(case.sim.requests(), []);
}

#[test]
fn what_is_no_template_or_no_value_is_refused() {
    let case = Case::new();
    case.run(&["policy", "show", "mfa-requird"]).exits(2).stdout("").stderr(
        "vault: error: no policy named `mfa-requird`; did you mean `mfa-required`?\n\
         vault: hint: `vault policy list` shows them\n",
    );
    for (flag, value) in [
        ("--account", "1234"),
        ("--user", "a\"b"),
        ("--role", "arn:aws:iam::1:user/x"),
        ("--ip", "office"),
        ("--role", "*"),
    ] {
        case.run(&["policy", "show", "assume-role", flag, value]).exits(2).stdout("");
    }
    case.run(&["policy", "show", "self-rotate", "--profile", "prod"]).exits(1).stdout("");
}

#[test]
fn with_mfa_required_login_works_and_iam_answers_only_with_mfa() {
    for name in ["mfa-required", "enforce-mfa-8h", "enforce-mfa-12h"] {
        let case = Case::with_prod();
        case.sim.set_policies(&case.alice, &[EVERYTHING, &text(&case, name, &[])]);
        case.run(&["mfa", "list", "prod"]).succeeds();
        begin(&case, "tablet", &["--no-mfa"]).exits(4).stderr_has("with an explicit deny in an identity-based policy");
        case.login().succeeds();
        begin(&case, "tablet", &[]).succeeds();
    }
}

#[test]
fn with_mfa_required_and_self_management_a_new_user_enables_a_first_device_and_nothing_before() {
    let case = Case::with_vault();
    let bob = case.sim.add_user(ACCOUNT, "bob");
    case.keep_secret("bob's secret key", bob.secret_access_key());
    let add = ["add", "bob", "--access-key-id", bob.access_key_id(), "--secret-stdin"];
    case.vault(&add).stdin(bob.secret_access_key()).run().succeeds();
    case.sim.set_policies(&bob, &[&text(&case, "mfa-required", &[]), &text(&case, "self-management", &[])]);
    let mut terminal = case.vault(&["mfa", "enable", "bob"]).on_terminal();
    terminal.expect("First code");
    let [first, second] = super::mfa::two_codes(&case, "arn:aws:iam::123456789012:mfa/bob");
    terminal.type_line(&first).expect("The code after it: ").type_line(&second);
    terminal.finish().0.succeeds();

    // A thief of the key, without the device: neither one of bob's name nor another.
    for (device, code) in [("bob", 1), ("thief", 4)] {
        let file = case.given(device);
        let begin = ["mfa", "enable", "bob", "--device-name", device, "--no-mfa", "--begin", file.to_str().unwrap()];
        case.run(&begin).exits(code);
        assert!(!file.exists());
    }
    let code = case.sim.mfa_device("arn:aws:iam::123456789012:mfa/bob").unwrap().code();
    let file = case.given("tablet");
    let begin =
        ["mfa", "enable", "bob", "--device-name", "tablet", "--begin", file.to_str().unwrap(), "--mfa-code", &code];
    case.run(&begin).succeeds();
}

#[test]
fn a_session_whose_code_is_too_old_is_denied_by_the_strict_templates() {
    for (name, hours) in [("enforce-mfa-8h", 8), ("enforce-mfa-12h", 12)] {
        let case = Case::with_prod();
        case.sim.set_policies(&case.alice, &[EVERYTHING, &text(&case, name, &[])]);
        case.run(&["login", "prod", "--duration", "36h", "--mfa-code", &case.phone.code()]).succeeds();
        let session = Session::of(&case, "prod");
        case.sim.advance(std::time::Duration::from_secs(hours * 3600 - 60));
        assert_eq!(session.list_devices(&case), Ok(1));
        case.sim.advance(std::time::Duration::from_secs(61));
        assert_eq!(session.list_devices(&case), Err(vault::aws::Refusal::AccessDenied));
    }
}

/// What AWS's tools would sign with, after `login`.
struct Session(vault::credentials::SessionCredentials);

impl Session {
    fn of(case: &Case, name: &str) -> Self {
        let line = json(&case.run(&["credential-process", name]));
        let text = |key: &str| line[key].as_str().unwrap().to_owned();
        Self(vault::credentials::SessionCredentials {
            access_key_id: text("AccessKeyId").parse().unwrap(),
            secret_access_key: vault::secret::SecretAccessKey::new(text("SecretAccessKey")),
            session_token: vault::secret::SessionToken::new(text("SessionToken")),
            expiration: text("Expiration").parse().unwrap(),
        })
    }

    fn list_devices(&self, case: &Case) -> Result<usize, vault::aws::Refusal> {
        match aws(case).mfa_devices(&vault::aws::Signer::Session(&self.0), "alice") {
            Ok(devices) => Ok(devices.len()),
            Err(vault::aws::AwsError::Refused { refusal, .. }) => Err(refusal),
            Err(error) => panic!("{error}"),
        }
    }
}

#[test]
fn self_management_wants_a_code_of_the_last_hour_for_what_could_lock_the_user_out() {
    let case = Case::with_prod();
    case.sim.set_policies(&case.alice, &[&text(&case, "self-management", &[])]);
    begin(&case, "tablet", &["--no-mfa"]).exits(4);
    begin(&case, "tablet", &["--mfa-code", &case.phone.code()]).succeeds();
    let codes = super::mfa::two_codes(&case, PHONE).join(",");
    case.run(&["mfa", "resync", "prod", "--codes", &codes]).succeeds();
}

/// How IAM answers who makes a key for alice.
fn create_key(case: &Case, signer: &vault::aws::Signer) -> Result<(), vault::aws::Refusal> {
    match aws(case).create_access_key(signer, "alice") {
        Ok(_) => Ok(()),
        Err(vault::aws::AwsError::Refused { refusal, .. }) => Err(refusal),
        Err(error) => panic!("{error}"),
    }
}

fn aws(case: &Case) -> vault::aws::Aws {
    let endpoint = Some(case.sim.endpoint().parse().unwrap());
    let endpoints = vault::names::Endpoints { sts: endpoint.clone(), iam: endpoint };
    vault::aws::Aws::new("eu-central-1".parse().unwrap(), endpoints)
}

/// alice's own.
fn access_key(case: &Case) -> vault::credentials::AccessKey {
    let secret = vault::secret::SecretAccessKey::new(case.alice.secret_access_key().to_owned());
    vault::credentials::AccessKey { id: case.alice.access_key_id().parse().unwrap(), secret }
}

#[test]
fn keys_are_replaced_by_the_key_itself_or_within_an_hour_of_a_code() {
    let case = Case::with_prod();
    let key = access_key(&case);
    let denied = || Err(vault::aws::Refusal::AccessDenied);
    case.sim.set_policies(&case.alice, &[&text(&case, "self-rotate", &[])]);
    assert_eq!(create_key(&case, &vault::aws::Signer::AccessKey(&key)), Ok(()));
    for name in ["self-rotate-with-mfa", "self-management", "vault-minimum"] {
        let case = Case::with_prod();
        let key = access_key(&case);
        case.sim.set_policies(&case.alice, &[&text(&case, name, &[])]);
        assert_eq!(create_key(&case, &vault::aws::Signer::AccessKey(&key)), denied(), "{name}");
        case.login().succeeds();
        let Session(session) = Session::of(&case, "prod");
        let by_session = || create_key(&case, &vault::aws::Signer::Session(&session));
        case.sim.advance(std::time::Duration::from_secs(3590));
        assert_eq!(by_session(), Ok(()), "{name}");
        case.sim.advance(std::time::Duration::from_secs(20));
        assert_eq!(by_session(), denied(), "{name}");
    }
}

#[test]
fn role_trust_and_assume_role_let_one_user_in_and_only_with_mfa() {
    let case = Case::with_prod();
    let role = aws_sim::Role::new(ACCOUNT, "admin", aws_sim::Trust::of("210987654321"));
    let arn = case.sim.add_role(role);
    case.run(&["add", "admin", "--role-arn", &arn, "--source-profile", "prod"]).succeeds();
    let login = |more: &[&str]| case.run(&[&["login", "admin", "--force"], more].concat());
    login(&["--mfa-code", &case.phone.code()]).exits(4);
    case.sim.set_trust_policy(&arn, &case.run(&["policy", "show", "role-trust", "--profile", "prod"]).out);
    case.sim.set_policies(&case.alice, &[&text(&case, "assume-role", &["--role", "admin"])]);
    login(&["--no-mfa"]).exits(4);
    login(&["--mfa-code", &case.phone.code()]).succeeds();
    case.sim.set_trust_policy(&arn, &text(&case, "role-trust", &["--user", "somebody-else"]));
    login(&["--mfa-code", &case.phone.code()]).exits(4);
    // Trust in the whole account leaves it to the user's own policies.
    let trust = text(&case, "role-trust", &["--user", "x"]).replace(":user/x", ":root");
    case.sim.set_trust_policy(&arn, &trust);
    login(&["--mfa-code", &case.phone.code()]).succeeds();
    case.sim.set_policies(&case.alice, &[&text(&case, "assume-role", &["--role", "another"])]);
    login(&["--mfa-code", &case.phone.code()]).exits(4);
}

#[test]
fn requests_from_elsewhere_or_without_tls_are_denied() {
    let case = Case::with_prod();
    let list = || case.run(&["mfa", "list", "prod", "--no-mfa"]);
    case.sim.set_policies(&case.alice, &[EVERYTHING, &text(&case, "ip-allow-list", &["--ip", "127.0.0.0/8"])]);
    list().succeeds();
    let ranges = ["--ip", "203.0.113.0/24", "--ip", "2001:db8::/32"];
    case.sim.set_policies(&case.alice, &[EVERYTHING, &text(&case, "ip-allow-list", &ranges)]);
    list().exits(4).stderr_has("with an explicit deny");
    // The simulator is spoken to without TLS.
    case.sim.set_policies(&case.alice, &[EVERYTHING, &text(&case, "require-tls", &[])]);
    list().exits(4).stderr_has("with an explicit deny");
}

#[test]
fn a_session_from_before_is_worth_nothing_after_its_revocation_and_one_from_after_is() {
    let case = Case::with_prod();
    case.login().succeeds();
    let keys = || case.run(&["keys", "prod"]);
    keys().succeeds();
    case.sim.advance(std::time::Duration::from_secs(60));
    let now = case.sim.now().to_string();
    case.sim.set_policies(&case.alice, &[EVERYTHING, &text(&case, "revoke-sessions", &["--before", &now])]);
    keys().exits(4).stderr_has("with an explicit deny");
    case.run(&["login", "prod", "--force", "--mfa-code", &case.phone.code()]).succeeds();
    keys().succeeds();
}

#[test]
fn the_minimum_is_enough_for_what_vault_does() {
    let case = Case::with_prod();
    let role = aws_sim::Role::new(ACCOUNT, "admin", aws_sim::Trust::of(ACCOUNT).with_mfa());
    let arn = case.sim.add_role(role);
    case.sim.set_policies(&case.alice, &[&text(&case, "vault-minimum", &["--role", "admin"])]);
    case.add("again").succeeds().stderr_has(PHONE);
    case.run(&["add", "admin", "--role-arn", &arn, "--source-profile", "prod"]).succeeds();
    case.run(&["login", "admin", "--mfa-code", &case.phone.code()]).succeeds();
    case.run(&["mfa", "detect", "prod"]).succeeds();
    begin(&case, "alice", &[]).succeeds();
    case.run(&["mfa", "enable", "prod", "--abort", "arn:aws:iam::123456789012:mfa/alice"]).succeeds();
    let codes = super::mfa::two_codes(&case, PHONE).join(",");
    case.run(&["mfa", "resync", "prod", "--codes", &codes]).succeeds();
}
