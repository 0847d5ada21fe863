//! Sessions of roles: by one code, from the vault or from `~/.aws/config` as it stands.

use std::time::Duration;

use aws_sim::{Request, Role, Trust};

use super::{PHONE, error, error_and_hint, signed_in, warning, written};
use crate::program::{ACCOUNT, Case};

/// The calls in order: who signed and the parameters that decide.
fn calls(case: &Case) -> Vec<String> {
    let told = |request: &Request| {
        let shown = |(name, value): (&String, &String)| match name.as_str() {
            "TokenCode" => Some("TokenCode".to_owned()),
            "RoleSessionName" if value.starts_with("vault-alice-") => None,
            _ => Some(format!("{name}={value}")),
        };
        let words: Vec<String> = request.parameters.iter().filter_map(shown).collect();
        let signer = if request.signed_with_token { "session" } else { "key" };
        format!("{} by {signer}: {}", request.action, words.join(" "))
    };
    case.sim.requests().iter().map(told).collect()
}

fn session_call() -> String {
    format!("GetSessionToken by key: DurationSeconds=43200 SerialNumber={PHONE} TokenCode")
}

fn role_call(role: &str) -> String {
    format!("AssumeRole by session: DurationSeconds=3600 RoleArn=arn:aws:iam::{ACCOUNT}:role/{role}")
}

/// alice's key as `prod`, and these roles at AWS, which want MFA.
fn with_roles(names: &[&str]) -> Case {
    let case = Case::with_prod();
    for name in names {
        let trust = Trust::of(ACCOUNT).with_mfa();
        case.sim.add_role(Role::new(ACCOUNT, name, trust).max_session(Duration::from_secs(4 * 3600)));
    }
    case
}

fn add_role(case: &Case, name: &str, source: &str) {
    let arn = format!("arn:aws:iam::{ACCOUNT}:role/{name}");
    case.run(&["add", name, "--role-arn", &arn, "--source-profile", source]).succeeds();
}

fn login(case: &Case, name: &str, more: &[&str]) -> crate::program::Output {
    case.run(&[&["login", name, "--mfa-code", &case.phone.code()], more].concat())
}

#[test]
fn one_code_serves_every_role_of_a_user() {
    let case = with_roles(&["admin", "reader"]);
    add_role(&case, "admin", "prod");
    add_role(&case, "reader", "prod");
    let output = login(&case, "admin", &[]);
    let told = signed_in(&case, "admin", "role admin", true);
    output
        .succeeds()
        .stdout("")
        .stderr_has(&format!("{told}use: aws --profile admin --region us-east-1 sts get-caller-identity\n"));
    case.run(&["login", "reader"]).succeeds();
    case.run(&["login", "prod"]).succeeds().stderr_has("prod: still signed in as alice");
    assert_eq!(calls(&case), [session_call(), role_call("admin"), role_call("reader")]);
}

#[test]
fn a_role_of_a_role_is_assumed_step_by_step() {
    let case = Case::with_prod();
    case.sim.add_role(Role::new(ACCOUNT, "hub", Trust::of(ACCOUNT).with_mfa()));
    case.sim.add_role(Role::new(ACCOUNT, "spoke", Trust::of(&format!("arn:aws:iam::{ACCOUNT}:role/hub"))));
    add_role(&case, "hub", "prod");
    add_role(&case, "spoke", "hub");
    login(&case, "spoke", &["--no-export"]).succeeds();
    assert_eq!(calls(&case), [session_call(), role_call("hub"), role_call("spoke")]);
    let told =
        error_and_hint("`spoke`: AWS caps a role that is assumed from another session at 1 h", "pass `--duration 1h`");
    case.run(&["login", "spoke", "--force", "--duration", "2h"]).exits(2).stdout("").stderr(&told);
    case.run(&["set", "spoke", "duration_seconds=2h"]).succeeds();
    let capped = case.run(&["login", "spoke", "--force", "--no-export"]);
    let why = "`spoke` asks for 2 h, and gets 1 h: AWS caps a role that is assumed from another session";
    capped.succeeds().stderr_has(&warning(why));
}

/// The file of Klein's article "AWS CLI with role and MFA", with the names of this case.
#[test]
fn a_role_that_stands_only_in_config_works_with_exactly_that_file() {
    let case = with_roles(&["CliRole"]);
    let config = format!(
        "[default]\nregion = eu-central-1\noutput = json\n\n[profile mfa]\nsource_profile = prod\n\
         role_arn = arn:aws:iam::{ACCOUNT}:role/CliRole\nmfa_serial = {PHONE}\nduration_seconds = 14400\n"
    );
    case.write(&case.config(), 0o644, &config);
    let run = case.run(&[
        "exec",
        "mfa",
        "--mfa-code",
        &case.phone.code(),
        "--",
        "sh",
        "-c",
        "echo $AWS_VAULT $AWS_ACCESS_KEY_ID",
    ]);
    let id = run.succeeds().stderr("").out.trim_end().strip_prefix("mfa ").unwrap().to_owned();
    assert!(case.sim.session(&id).is_some());
    let in_call = format!(
        "AssumeRole by key: DurationSeconds=14400 RoleArn=arn:aws:iam::{ACCOUNT}:role/CliRole SerialNumber={PHONE} TokenCode"
    );
    assert_eq!(calls(&case), [in_call], "over an hour takes the code in the call");
    assert_eq!(std::fs::read_to_string(case.config()).unwrap(), config);
}

#[test]
fn every_key_of_a_config_profile_reaches_aws_in_both_spellings_of_the_duration() {
    for duration in ["duration_seconds", "session_duration"] {
        let case = Case::with_prod();
        let trust = Trust::of(ACCOUNT).with_mfa().with_external_id("ticket-7");
        let role = case.sim.add_role(Role::new(ACCOUNT, "power", trust));
        let config = format!(
            "[profile power]\nsource_profile = prod\nrole_arn = {role}\nmfa_serial = {PHONE}\nexternal_id = ticket-7\n\
             role_session_name = alice@laptop\n{duration} = 1800\nregion = eu-west-3\n"
        );
        case.write(&case.config(), 0o600, config);
        case.run(&["login", "power", "--no-export", "--mfa-code", &case.phone.code()]).succeeds();
        let requests = case.sim.requests();
        let [_, assume] = &requests[..] else { panic!("{requests:#?}") };
        let expected = [
            ("DurationSeconds", "1800"),
            ("ExternalId", "ticket-7"),
            ("RoleArn", &role),
            ("RoleSessionName", "alice@laptop"),
        ];
        let sent: Vec<(&str, &str)> = assume.parameters.iter().map(|(name, value)| (&**name, &**value)).collect();
        assert_eq!((sent, &*assume.region), (expected.to_vec(), "eu-west-3"));
    }
}

#[test]
fn a_user_with_mfa_and_no_role_gets_a_session_of_its_own_from_the_same_file() {
    let case = Case::with_prod();
    case.write(&case.config(), 0o600, "[profile prod]\nregion = eu-west-3\nsession_duration = 2h\n");
    login(&case, "prod", &["--no-export"]).succeeds();
    let request = &case.sim.requests()[0];
    assert_eq!((&*request.action, &*request.region), ("GetSessionToken", "eu-west-3"));
    assert_eq!(request.parameter("DurationSeconds"), Some("7200"));
}

#[test]
fn without_a_serial_anywhere_the_key_itself_assumes_the_role() {
    let case = Case::with_prod();
    case.sim.add_role(Role::new(ACCOUNT, "open", Trust::of(ACCOUNT)));
    case.run(&["unset", "prod", "mfa_serial"]).succeeds();
    add_role(&case, "open", "prod");
    case.run(&["login", "open", "--no-export"]).succeeds();
    case.run(&["login", "open", "--no-export"]).succeeds();
    assert_eq!(calls(&case), [role_call("open").replace("by session", "by key")]);
}

#[test]
fn without_mfa_a_role_that_wants_it_is_refused_in_aws_words() {
    let case = with_roles(&["admin"]);
    add_role(&case, "admin", "prod");
    let output = case.run(&["login", "admin", "--no-mfa"]);
    let arn = format!("arn:aws:iam::{ACCOUNT}:role/admin");
    let refused = format!(
        "AWS refused the role `{arn}` of `admin`: User: {} is not authorized to perform: sts:AssumeRole on resource: {arn}",
        case.alice.arn()
    );
    let hint = "is there such a role? the user's policy must allow sts:AssumeRole on it, and the role's trust policy must name the user or its account";
    output.exits(4).stdout("").stderr(&error_and_hint(&refused, hint));
    assert_eq!(case.sim.requests().len(), 1);
    assert_eq!(case.sim.requests()[0].parameter("SerialNumber"), None);
}

#[test]
fn more_than_the_roles_own_maximum_is_told_as_that() {
    let case = Case::with_prod();
    case.sim.add_role(Role::new(ACCOUNT, "short", Trust::of(ACCOUNT)));
    add_role(&case, "short", "prod");
    login(&case, "short", &["--duration", "2h"]).exits(4).stdout("").stderr(&error_and_hint(
        "`short`: a session of 2 h is longer than role short allows, which is 1 h",
        "pass `--duration 1h`; or `vault role max-duration prod short 2h`, if `prod` may change the role",
    ));
    case.run(&["set", "short", "duration_seconds=2h"]).succeeds();
    login(&case, "short", &[]).exits(4).stdout("").stderr_has(
        "`vault set short duration_seconds=1h`; or `vault role max-duration prod short 2h`, if `prod` may change the role",
    );
    let too_long = case.run(&["login", "short", "--duration", "13h"]);
    too_long.exits(2).stdout("").stderr(&error_and_hint(
        "`short`: a session of 13 h is not possible here; AWS takes 15 min to 12 h",
        "`--duration`, or `vault set short duration_seconds=...`",
    ));
}

#[test]
fn a_cached_session_that_aws_no_longer_takes_is_dropped_and_made_anew() {
    let case = with_roles(&["admin"]);
    add_role(&case, "admin", "prod");
    login(&case, "prod", &["--no-export"]).succeeds();
    // AWS's clock jumps, ours does not: only AWS knows that the session is over.
    case.sim.advance(Duration::from_secs(13 * 3600));
    case.sim.clear_requests();
    login(&case, "admin", &["--no-export"]).succeeds();
    let actions: Vec<String> = case.sim.requests().into_iter().map(|request| request.action).collect();
    assert_eq!(actions.iter().filter(|action| *action == "GetSessionToken").count(), 1, "{actions:?}");
    assert_eq!(actions.last().map(String::as_str), Some("AssumeRole"));
}

#[test]
fn a_chain_that_leads_nowhere_is_told_before_anything_is_asked() {
    let case = Case::with_prod();
    let role = |name: &str, more: &str| format!("[profile {name}]\nrole_arn = arn:aws:iam::{ACCOUNT}:role/x\n{more}\n");
    let config = [
        role("a", "source_profile = b"),
        role("b", "source_profile = c"),
        role("c", "source_profile = a"),
        role("lost", "source_profile = nobody"),
        role("alone", ""),
        role("ec2", "credential_source = Ec2InstanceMetadata"),
        "[profile plain]\nregion = eu-west-1\n".to_owned(),
        role("through-plain", "source_profile = plain"),
    ];
    case.write(&case.config(), 0o600, config.concat());
    let no_source =
        error_and_hint("`alone` has a role_arn and no source_profile", "vault set alone source_profile=NAME");
    for (name, told) in [
        ("a", error("these profiles are each other's source_profile: a -> b -> c -> a")),
        (
            "lost",
            error_and_hint(
                "no profile named `nobody`, which `lost` has as its source_profile",
                "`vault add nobody` adds it",
            ),
        ),
        ("alone", no_source),
        ("plain", error_and_hint("`plain` has neither an access key in the vault nor a role", "vault add plain")),
        (
            "through-plain",
            error_and_hint(
                "`plain`, the source_profile of `through-plain`, has no access key in the vault",
                "vault add plain",
            ),
        ),
        (
            "ec2",
            error_and_hint(
                "`ec2` signs in through its machine's credential_source (line 18 of ~/.aws/config), not through this vault",
                "aws --profile ec2 COMMAND uses it on that machine",
            ),
        ),
    ] {
        case.run(&["login", name]).exits(1).stdout("").stderr(&told);
    }
    assert_eq!(case.sim.requests(), []);
}

#[test]
fn several_profiles_of_a_user_take_one_code_and_each_is_written_to_its_section() {
    let case = with_roles(&["admin", "reader"]);
    add_role(&case, "admin", "prod");
    add_role(&case, "reader", "prod");
    let output = login(&case, "admin", &["reader", "prod", "admin"]);
    output.succeeds().stdout("");
    let names: Vec<&str> =
        output.err.lines().filter_map(|line| line.split_once(": signed in as ")).map(|it| it.0).collect();
    assert_eq!(names, ["admin", "reader"]);
    assert!(output.err.contains("prod: still signed in as alice"), "{}", output.err);
    assert_eq!(calls(&case), [session_call(), role_call("admin"), role_call("reader")]);
    for name in ["admin", "reader", "prod"] {
        let id = written(&case, name, "aws_access_key_id");
        assert_eq!(case.run(&["get", name, "aws_access_key_id"]).out, id);
    }
}

#[test]
fn a_code_is_asked_for_each_user_and_named() {
    let case = Case::with_prod();
    let bob = case.sim.add_user(ACCOUNT, "bob");
    let device = case.sim.add_mfa_device(&bob, "tablet");
    let (id, secret) = case.sim.add_access_key(&bob);
    case.keep_secret("bob's secret", &secret);
    let add = ["add", "bob", "--access-key-id", &id, "--secret-stdin"];
    case.vault(&add).stdin(&secret).run().succeeds();
    let mut terminal = case.vault(&["login", "prod", "bob"]).on_terminal();
    terminal.expect("MFA code for prod (alice, ").type_line(&case.phone.code());
    terminal.expect("prod: signed in as alice").expect("MFA code for bob (bob, ").type_line(&device.code());
    terminal.expect("bob: signed in as bob");
    terminal.finish().0.succeeds();
    assert_eq!(case.sim.count("GetSessionToken"), 2);
}

#[test]
fn a_profile_that_aws_refuses_keeps_no_other_waiting() {
    let case = with_roles(&["reader"]);
    add_role(&case, "gone", "prod");
    add_role(&case, "reader", "prod");
    let output = login(&case, "gone", &["reader"]);
    output
        .exits(4)
        .stderr_has("reader: signed in as role reader")
        .stderr_has("vault: error: gone: AWS refused the role ");
    case.run(&["get", "reader", "account"]).succeeds().stdout(ACCOUNT);
}

#[test]
fn what_is_wrong_with_one_of_several_is_said_before_any_code_is_asked() {
    let case = with_roles(&["admin"]);
    add_role(&case, "admin", "prod");
    case.run(&["login", "admin", "prodd"]).exits(1).stderr(&error("no profile named `prodd`; did you mean `prod`?"));
    for (flag, more) in [("--profile", &["--profile", "x"][..]), ("--env", &["--env"])] {
        let told = error_and_hint(&format!("{flag} is for a login of one profile"), "name one profile at a time");
        case.run(&[&["login", "admin", "prod"], more].concat()).exits(2).stdout("").stderr(&told);
    }
    assert_eq!(case.sim.requests(), []);
}

#[test]
fn who_is_asked_for_a_code_that_only_a_long_session_takes_is_told_so() {
    let case = Case::with_prod();
    let role = Role::new(ACCOUNT, "long", Trust::of(ACCOUNT).with_mfa()).max_session(Duration::from_secs(4 * 3600));
    case.sim.add_role(role);
    add_role(&case, "long", "prod");
    login(&case, "prod", &[]).succeeds();
    let told = "`long` for 2 h takes a code of its own: AWS lets a session assume a role for an hour at most.\r\nMFA code for prod ";
    let mut terminal = case.vault(&["login", "long", "--duration", "2h"]).on_terminal();
    terminal.expect(told).type_line(&case.phone.code());
    terminal.finish().0.succeeds();
    case.run(&["login", "long", "--duration", "1h"]).succeeds();
}
