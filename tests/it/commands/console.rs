//! `vault console`: signing a browser in to the AWS console.

mod browser;

use std::fs;
use std::time::Duration;

use aws_sim::{Failure, Kind, Request, Role, Trust, Visit};

use super::{error, error_and_hint, warning};
use crate::program::{ACCOUNT, Case, Output};

/// alice's key as `prod`, and her role `admin`, which wants MFA and lets nobody in for longer than an hour.
fn with_admin() -> Case {
    let case = Case::with_prod();
    let role = case.sim.add_role(Role::new(ACCOUNT, "admin", Trust::of(ACCOUNT).with_mfa()));
    case.run(&["add", "admin", "--role-arn", &role, "--source-profile", "prod"]).succeeds();
    case.sim.clear_requests();
    case
}

/// The command, and the address it printed: a secret, which belongs on stdout alone.
fn address(case: &Case, arguments: &[&str]) -> (Output, String) {
    let output = case.vault(&[&["console"], arguments].concat()).may_show_secrets().run();
    let address = output.succeeds().out.strip_suffix('\n').unwrap().to_owned();
    let token = address.split_once("SigninToken=").unwrap().1.to_owned();
    assert!(!output.err.contains(&token), "{}", output.err);
    case.keep_secret("a sign-in token", &token);
    (output, address)
}

fn visit(case: &Case, address: &str) -> Visit {
    case.sim.visit(address).unwrap_or_else(|| panic!("nobody is signed in by {address}"))
}

fn requests(case: &Case, action: &str) -> Vec<Request> {
    case.sim.requests().into_iter().filter(|request| request.action == action).collect()
}

fn minutes_until(case: &Case, visit: &Visit) -> i64 {
    (visit.until.duration_since(case.sim.now()).as_secs() + 30) / 60
}

#[test]
fn a_roles_session_signs_in_for_as_long_as_it_lasts_and_a_code_is_asked_once() {
    let case = with_admin();
    let (output, url) = address(&case, &["admin", "--mfa-code", &case.phone.code()]);
    let told = format!(
        "admin: whoever opens this address within 15 min is signed in as role admin in account {ACCOUNT}, for 59 min\n"
    );
    output.stderr(&told);
    let visited = visit(&case, &url);
    assert!(visited.arn.starts_with(&format!("arn:aws:sts::{ACCOUNT}:assumed-role/admin/vault-alice-")));
    assert_eq!(minutes_until(&case, &visited), 60);
    assert_eq!(visited.destination, "https://console.aws.amazon.com/console/home");
    assert!(url.contains("&Issuer=vault&"));
    // Assumed from the session with MFA, it takes no duration.
    assert_eq!(requests(&case, "getSigninToken")[0].parameter("SessionDuration"), None);
    let (_, again) = address(&case, &["admin"]);
    assert!(again != url && case.sim.visit(&again).is_some());
    let actions: Vec<_> = case.sim.requests().into_iter().map(|request| request.action).collect();
    assert_eq!(actions, ["GetSessionToken", "AssumeRole", "getSigninToken", "getSigninToken"]);
    let log = fs::read_to_string(case.home().join(".local/state/vault/log.jsonl")).unwrap();
    assert_eq!(log.matches("\"act\":\"console\"").count(), 2, "{log}");
    case.sim.advance(Duration::from_secs(901));
    assert_eq!(case.sim.visit(&again), None, "a quarter of an hour later");
}

#[test]
fn a_longer_stay_takes_a_session_that_the_key_itself_made_however_short() {
    let case = with_admin();
    let (output, url) = address(&case, &["admin", "--duration", "8h", "--mfa-code", &case.phone.code()]);
    output.stderr_has(&format!("signed in as role admin in account {ACCOUNT}, for 7 h 59 min\n"));
    assert_eq!(minutes_until(&case, &visit(&case, &url)), 480);
    let [assumed] = &requests(&case, "AssumeRole")[..] else { panic!("one session") };
    assert!(!assumed.signed_with_token && assumed.parameter("TokenCode").is_some());
    assert_eq!(assumed.parameter("DurationSeconds"), Some("3600"), "all that the role allows");
    assert_eq!(requests(&case, "getSigninToken")[0].parameter("SessionDuration"), Some("28800"));
    // The same session does for another stay.
    let (_, longest) = address(&case, &["admin", "--duration", "12h"]);
    assert_eq!(minutes_until(&case, &visit(&case, &longest)), 720);
    // But for no one else, and no one else's does here.
    case.run(&["login", "admin", "--no-export", "--mfa-code", &case.phone.code()]).succeeds();
    assert_eq!(requests(&case, "AssumeRole").len(), 2);
    let told = "`admin`: a session of 13 h is not possible here; AWS takes 15 min to 12 h";
    case.run(&["console", "admin", "--duration", "13h"]).refuses(2, told);
}

#[test]
fn a_short_stay_is_a_short_session() {
    let case = with_admin();
    let (_, url) = address(&case, &["admin", "--duration", "30m", "--mfa-code", &case.phone.code()]);
    assert_eq!(minutes_until(&case, &visit(&case, &url)), 30);
    assert_eq!(requests(&case, "AssumeRole")[0].parameter("DurationSeconds"), Some("1800"));
    assert_eq!(requests(&case, "getSigninToken")[0].parameter("SessionDuration"), None);
}

#[test]
fn a_role_of_a_role_stays_for_an_hour_at_most_and_says_so_before_a_code_is_spent() {
    let case = with_admin();
    case.sim.add_role(Role::new(ACCOUNT, "spoke", Trust::of(&format!("arn:aws:iam::{ACCOUNT}:role/admin"))));
    let spoke = format!("arn:aws:iam::{ACCOUNT}:role/spoke");
    case.run(&["add", "spoke", "--role-arn", &spoke, "--source-profile", "admin"]).succeeds();
    let code = case.phone.code();
    let told =
        error_and_hint("`spoke`: AWS caps a role that is assumed from another session at 1 h", "pass `--duration 1h`");
    let longer = case.run(&["console", "spoke", "--duration", "2h", "--mfa-code", &code]);
    longer.exits(2).stdout("").stderr(&told);
    let (_, url) = address(&case, &["spoke", "--mfa-code", &code]);
    assert!(visit(&case, &url).arn.contains("assumed-role/spoke/"));
}

#[test]
fn a_user_signs_in_by_a_federated_session_and_hears_that_it_is_without_mfa() {
    let case = Case::with_prod();
    let (output, url) = address(&case, &["prod"]);
    let warned = warning(
        "`prod`: a user's console session counts as made without MFA, and policies that ask for it refuse what is done \
         there; a role that asks for MFA when it is assumed is the way",
    );
    let told = "prod: whoever opens this address within 15 min is signed in as alice in account 123456789012, for 11 h 59 min\n";
    output.stderr(&format!("{warned}{told}"));
    let visited = visit(&case, &url);
    assert_eq!(visited.arn, format!("arn:aws:sts::{ACCOUNT}:federated-user/vault-alice"));
    assert_eq!(minutes_until(&case, &visited), 720);
    let [federated] = &requests(&case, "GetFederationToken")[..] else { panic!("one session") };
    assert!(!federated.signed_with_token, "by the key: AWS makes none from a session");
    assert_eq!(federated.parameter("DurationSeconds"), Some("43200"));
    assert_eq!(requests(&case, "getSigninToken")[0].parameter("SessionDuration"), None);
    for (asked, minutes) in [("36h", 2160), ("15m", 15)] {
        let (_, url) = address(&case, &["prod", "--duration", asked]);
        assert_eq!(minutes_until(&case, &visit(&case, &url)), minutes, "{asked}");
    }
    assert_eq!(requests(&case, "GetSessionToken"), []);
}

#[test]
fn a_user_who_may_not_federate_is_told_what_it_takes_and_of_roles() {
    let case = Case::with_prod();
    case.sim.deny(&case.alice, "sts:GetFederationToken");
    let output = case.run(&["console", "prod"]);
    output.refuses(4, "AWS refused GetFederationToken: User: arn:aws:iam::123456789012:user/alice is not authorized");
    output.stderr_has(
        "vault: hint: allow the user sts:GetFederationToken, which is called without MFA, or sign in with a role profile\n",
    );
}

#[test]
fn root_signs_in_for_an_hour() {
    let case = Case::with_vault();
    let root = case.sim.add_root(ACCOUNT);
    let add = ["add", "top", "--access-key-id", root.access_key_id(), "--secret-stdin"];
    case.vault(&add).stdin(root.secret_access_key()).run().succeeds();
    let (output, url) = address(&case, &["top"]);
    output.stderr_has(&format!(
        "top: whoever opens this address within 15 min is signed in as root in account {ACCOUNT}, for 59 min\n"
    ));
    assert_eq!(minutes_until(&case, &visit(&case, &url)), 60);
    case.run(&["console", "top", "--duration", "2h"])
        .refuses(2, "`top`: a session of 2 h is not possible here; AWS takes 15 min to 1 h");
}

#[test]
fn the_page_is_the_one_that_was_asked_for_in_the_profiles_region() {
    let case = with_admin();
    case.run(&["login", "admin", "--no-export", "--mfa-code", &case.phone.code()]).succeeds();
    let destination = |more: &[&str]| {
        let (_, url) = address(&case, &[&["admin"], more].concat());
        visit(&case, &url).destination
    };
    assert_eq!(destination(&["--service", "s3"]), "https://console.aws.amazon.com/s3/home");
    case.run(&["set", "admin", "region=eu-central-1"]).succeeds();
    let eu = "https://eu-central-1.console.aws.amazon.com";
    assert_eq!(destination(&["--service", "ec2"]), format!("{eu}/ec2/home?region=eu-central-1"));
    assert_eq!(destination(&["--path", "/vpc/home#subnets:"]), format!("{eu}/vpc/home#subnets:"));
    for (flag, bad) in [("--service", "s3/x"), ("--service", "evil.example/"), ("--path", "a b"), ("--path", "é")] {
        let run = case.vault(&["console", "admin", flag, bad]).asking().run();
        run.exits(2).stdout("").stderr_has(&format!("vault: error: invalid value '{bad}' for '{flag} <"));
    }
}

#[test]
fn a_link_to_switch_roles_takes_no_session_and_no_call() {
    let case = with_admin();
    let config = format!(
        "[profile eu]\nrole_arn = arn:aws-cn:iam::{ACCOUNT}:role/team/x\nsource_profile = nobody\n\
         [profile secret]\nrole_arn = arn:aws-iso:iam::{ACCOUNT}:role/x\nsource_profile = prod\n"
    );
    case.write(&case.config(), 0o600, config);
    let link = |name: &str| case.run(&["console", name, "--switch-role"]);
    let aws = "https://signin.aws.amazon.com/switchrole";
    let expected = format!("{aws}?account={ACCOUNT}&roleName=admin&displayName=admin\n");
    link("admin").succeeds().stdout(&expected).stderr("");
    let china = "https://signin.amazonaws.cn/switchrole";
    link("eu").succeeds().stdout(&format!("{china}?account={ACCOUNT}&roleName=team%2Fx&displayName=eu\n"));
    let told = "the console of partition `aws-iso` is not known to this program";
    let hint = "it knows those of aws, aws-cn and aws-us-gov";
    link("secret").exits(1).stdout("").stderr(&error_and_hint(told, hint));
    case.run(&["console", "secret"]).exits(1).stdout("").stderr(&error_and_hint(told, hint));
    let told = "`prod` is no role profile, and only a role can be switched to";
    link("prod").exits(1).stderr(&error_and_hint(told, "`vault console prod` signs in as the user"));
    link("admim").exits(1).stderr(&error("no profile named `admim`; did you mean `admin`?"));
    assert_eq!(case.sim.requests(), []);
}

#[test]
fn a_session_that_aws_does_not_sign_in_with_is_told_with_what_helps() {
    let case = with_admin();
    case.run(&["login", "admin", "--no-export", "--mfa-code", &case.phone.code()]).succeeds();
    let kind = Kind::Status { http: 400, code: "x".into(), message: "<html>any token</html>".into() };
    case.sim.fail(Failure::on("getSigninToken").kind(kind));
    let told = "AWS does not sign in with this session of `admin` (status 400)";
    let hint = "`vault console admin --force` makes a new session first";
    case.run(&["console", "admin"]).exits(4).stdout("").stderr(&error_and_hint(told, hint));
    case.sim.fail(Failure::on("getSigninToken").lasting());
    case.run(&["console", "admin"]).refuses(5, "getSigninToken: the connection broke, 127.0.0.1: ");
}

#[test]
fn a_session_goes_to_nobody_but_who_made_it() {
    let case = with_admin();
    let other = aws_sim::Simulator::start();
    // The sessions are of one place, and "everything else" of another.
    let split = case.vault(&["console", "admin", "--mfa-code", &case.phone.code()]);
    let split =
        split.variable("AWS_ENDPOINT_URL_STS", case.sim.endpoint()).variable("AWS_ENDPOINT_URL", other.endpoint());
    let output = split.may_show_secrets().run();
    assert!(output.succeeds().out.starts_with(&format!("{}/federation?", case.sim.endpoint())));
    assert_eq!(other.requests(), []);
    assert_eq!(case.sim.count("getSigninToken"), 1);
}
