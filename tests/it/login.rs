//! `vault login`: which calls it makes, where a code comes from, what it writes.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};

use aws_sim::{Request, Role, Trust};

use crate::program::{ACCOUNT, Case};

/// The calls in order, with the parameters that decide.
fn calls(case: &Case) -> Vec<String> {
    let told = |request: &Request| {
        let parameters =
            request.parameters.iter().filter(|(name, _)| !matches!(name.as_str(), "TokenCode" | "RoleSessionName"));
        let words: Vec<String> = parameters.map(|(name, value)| format!("{name}={value}")).collect();
        let signer = if request.signed_with_token { "session" } else { "key" };
        format!("{} by {signer}: {}", request.action, words.join(" "))
    };
    case.sim.requests().iter().map(told).collect()
}

fn serial() -> String {
    format!("arn:aws:iam::{ACCOUNT}:mfa/phone")
}

fn with_admin_role(trust: Trust) -> Case {
    let case = Case::with_prod();
    let role = case.sim.add_role(Role::new(ACCOUNT, "admin", trust));
    case.run(&["add", "admin", "--role-arn", &role, "--source-profile", "prod"]).succeeds();
    case
}

#[test]
fn login_gets_a_session_with_mfa_by_one_call_and_writes_its_section() {
    let case = Case::with_prod();
    let login = case.login();
    login.succeeds().stdout("");
    assert!(
        login.err.starts_with(&format!("prod: signed in as alice in account {ACCOUNT} with MFA until ")),
        "{}",
        login.err
    );
    assert!(login.err.ends_with("use: aws --profile prod sts get-caller-identity\n"), "{}", login.err);
    assert_eq!(calls(&case), [format!("GetSessionToken by key: DurationSeconds=43200 SerialNumber={}", serial())]);

    let written = fs::read_to_string(case.credentials()).unwrap();
    let lines: Vec<&str> = written.lines().collect();
    let value = |key: &str| lines.iter().find_map(|line| line.strip_prefix(key)?.strip_prefix(" = ")).unwrap();
    let id = value("aws_access_key_id");
    let session = case.sim.session(id).expect("the id is of a session that AWS made");
    assert!(session.with_mfa);
    assert_eq!(value("aws_credential_expiration"), session.expires.strftime("%Y-%m-%dT%H:%M:%SZ").to_string());
    assert_eq!((lines[0], lines.len()), ("[prod]", 6));
    let mode = |path| fs::metadata(path).unwrap().permissions().mode() & 0o7777;
    assert_eq!((mode(case.credentials()), mode(case.home().join(".aws"))), (0o600, 0o700));
}

#[test]
fn a_session_that_is_good_is_used_again_without_code_or_call() {
    let case = Case::with_prod();
    case.login().succeeds();
    case.sim.clear_requests();
    case.run(&["login", "prod"]).succeeds().stderr_has("prod: still signed in as alice");
    assert_eq!(calls(&case), [""; 0]);
    case.run(&["login", "prod", "--force", "--mfa-code", &case.phone.code()]).succeeds().stderr_has("prod: signed in");
    assert_eq!(calls(&case).len(), 1);
    // One that lasts longer than is left of the cached one.
    case.run(&["login", "prod", "--min-ttl", "13h"]).refuses(2, "--min-ttl 13 h is not possible");
}

#[test]
fn the_code_comes_from_flag_stdin_variable_mfa_process_or_terminal() {
    let case = Case::with_prod();
    let force = ["login", "prod", "--force"];
    case.vault(&[&force[..], &["--mfa-code", "-"]].concat())
        .stdin(format!(" {}\r\n", case.phone.code()))
        .run()
        .succeeds();
    case.vault(&force).variable("VAULT_MFA_CODE", case.phone.code()).run().succeeds();

    let code = case.give("code", format!("{}\n", case.phone.code()));
    case.run(&["set", "prod", &format!("mfa_process=cat {}", code.display())]).succeeds();
    case.run(&force).succeeds();
    case.run(&["unset", "prod", "mfa_process"]).succeeds();

    let mut terminal = case.vault(&force).on_terminal_captured();
    let prompt = format!("MFA code for prod (alice, account {ACCOUNT}, {}): ", serial());
    terminal
        .expect(&prompt)
        .type_line("12345")
        .expect("six digits")
        .expect(&prompt)
        .type_line(&case.phone.wrong_code());
    terminal.expect("did not take that code").expect(&prompt).type_line(&case.phone.code());
    terminal.finish().0.succeeds().stdout("").stderr_has("prod: signed in");
    case.run(&force).refuses(8, "`prod` needs an MFA code and there is no terminal").hints("--mfa-code");
}

#[test]
fn durations_are_checked_before_a_code_is_spent() {
    let case = Case::with_prod();
    for bad in ["899", "129601", "36h1s", "soon", "-1h", "0"] {
        let refused = case.run(&["login", "prod", "--force", "--duration", bad, "--mfa-code", "123456"]);
        assert_eq!(refused.status.code(), Some(2), "{bad}: {}", refused.err);
    }
    assert_eq!(calls(&case), [""; 0]);
    for (good, seconds) in [("900", "900"), ("8h", "28800"), ("129600", "129600")] {
        case.sim.clear_requests();
        case.run(&["login", "prod", "--force", "--duration", good, "--mfa-code", &case.phone.code()]).succeeds();
        assert_eq!(case.sim.requests()[0].parameter("DurationSeconds"), Some(seconds));
    }
}

#[test]
fn without_mfa_the_serial_is_left_out_and_the_person_told() {
    let case = Case::with_prod();
    case.run(&["login", "prod", "--no-mfa"]).succeeds().stderr_has("aws:MultiFactorAuthPresent");
    assert_eq!(calls(&case), ["GetSessionToken by key: DurationSeconds=43200"]);
}

#[test]
fn one_code_serves_every_role_of_the_user() {
    let case = with_admin_role(Trust::of(ACCOUNT).with_mfa());
    let other = case.sim.add_role(Role::new(ACCOUNT, "reader", Trust::of(ACCOUNT).with_mfa()));
    case.run(&["add", "reader", "--role-arn", &other, "--source-profile", "prod"]).succeeds();
    case.sim.clear_requests();
    case.run(&["login", "admin", "--mfa-code", &case.phone.code()])
        .succeeds()
        .stderr_has("admin: signed in as role admin");
    case.run(&["login", "reader"]).succeeds();
    let role =
        |name: &str| format!("AssumeRole by session: DurationSeconds=3600 RoleArn=arn:aws:iam::{ACCOUNT}:role/{name}");
    let user = format!("GetSessionToken by key: DurationSeconds=43200 SerialNumber={}", serial());
    assert_eq!(calls(&case), [user, role("admin"), role("reader")]);
}

#[test]
fn a_role_without_any_serial_is_assumed_with_the_long_term_key() {
    let case = with_admin_role(Trust::of(ACCOUNT));
    case.run(&["unset", "prod", "mfa_serial"]).succeeds();
    case.sim.clear_requests();
    case.run(&["login", "admin"]).succeeds();
    assert_eq!(
        calls(&case),
        [format!("AssumeRole by key: DurationSeconds=3600 RoleArn=arn:aws:iam::{ACCOUNT}:role/admin")]
    );
}

#[test]
fn a_role_profile_that_stands_only_in_the_config_file_works_as_it_is() {
    let case = Case::with_prod();
    let role = case.sim.add_role(Role::new(ACCOUNT, "power", Trust::of(ACCOUNT).with_mfa().with_external_id("x-1")));
    let config = format!(
        "[profile mfa]\nrole_arn = {role}\nsource_profile = prod\nmfa_serial = {}\nexternal_id = x-1\nrole_session_name = me\nduration_seconds = 1800\nregion = eu-west-3\n",
        serial()
    );
    case.write(&case.config(), 0o600, config);
    case.run(&["exec", "mfa", "--mfa-code", &case.phone.code(), "--", "sh", "-c", "echo $AWS_VAULT $AWS_REGION"])
        .succeeds()
        .stdout("mfa eu-west-3\n");
    let assume = &case.sim.requests()[1];
    assert_eq!(assume.action, "AssumeRole");
    assert_eq!(assume.parameter("RoleSessionName"), Some("me"));
    assert_eq!((assume.parameter("ExternalId"), assume.parameter("DurationSeconds")), (Some("x-1"), Some("1800")));
}

#[test]
fn config_cannot_add_a_command_an_endpoint_or_a_serial_to_a_vault_key() {
    let case = Case::with_prod();
    let trap = case.home().join("trap");
    let config = format!(
        "[profile prod]\nmfa_process = touch {}\nendpoint_url = http://127.0.0.1:9\nmfa_serial = arn:aws:iam::{ACCOUNT}:mfa/evil\nregion = eu-west-1\n",
        trap.display()
    );
    case.write(&case.config(), 0o600, config);
    case.vault(&["login", "prod", "--mfa-code", &case.phone.code()]).run().succeeds();
    assert_eq!(calls(&case), [format!("GetSessionToken by key: DurationSeconds=43200 SerialNumber={}", serial())]);
    assert_eq!(case.sim.requests()[0].region, "eu-west-1");
    assert!(!trap.exists());
}

#[test]
fn the_session_goes_where_it_is_asked_to_go() {
    let case = Case::with_prod();
    case.run(&["login", "prod", "--no-export", "--mfa-code", &case.phone.code()])
        .succeeds()
        .stderr_has("use: vault exec prod");
    assert!(!case.credentials().exists());
    case.run(&["login", "prod", "--profile", "default"]).succeeds().stderr_has("use: aws --profile default");
    assert!(fs::read_to_string(case.credentials()).unwrap().starts_with("[default]\n"));
    let env = case.run(&["login", "prod", "--env"]);
    env.succeeds();
    assert!(env.out.lines().all(|line| line.starts_with("export ") || line.starts_with("unset ")), "{}", env.out);
    case.run(&["set", "prod", "destination_profile=elsewhere"]).succeeds();
    case.run(&["login", "prod"]).succeeds().stderr_has("use: aws --profile elsewhere");
}

#[test]
fn a_nasty_credentials_file_keeps_every_byte_that_is_not_ours() {
    let before = b"\xef\xbb\xbf# by hand \xff\xfe\r\n[other]\r\n\tAWS_ACCESS_KEY_ID = AKIAOTHEROTHEROTHER1\r\n\
        aws_secret_access_key=theirs\r\ns3 =\r\n  max_concurrent_requests = 20\r\n\r\n";
    let ours = b"[prod]\r\n; keep me\r\nregion = eu-central-1\r\n";
    let after = b"\r\n[last]\nx=y";
    let case = Case::with_prod();
    let file = case.home().join("dotfiles");
    case.write(&file.join("credentials"), 0o600, [&before[..], ours, after].concat());
    fs::create_dir(case.home().join(".aws")).unwrap();
    symlink("../dotfiles/credentials", case.credentials()).unwrap();
    case.login().succeeds();

    let bytes = fs::read(file.join("credentials")).unwrap();
    let section =
        bytes.strip_prefix(&before[..]).and_then(|rest| rest.strip_suffix(&after[..])).expect("foreign bytes");
    let section = String::from_utf8(section.to_vec()).unwrap();
    assert!(
        section.starts_with("[prod]\r\n") && section.contains("; keep me\r\nregion = eu-central-1\r\n"),
        "{section}"
    );
    assert!(section.contains("aws_session_token = "), "{section}");
    assert!(fs::symlink_metadata(case.credentials()).unwrap().is_symlink());

    case.run(&["logout", "prod"]).succeeds();
    let bytes = fs::read(file.join("credentials")).unwrap();
    assert_eq!(bytes.escape_ascii().to_string(), [&before[..], ours, after].concat().escape_ascii().to_string());
}

#[test]
fn the_callers_own_aws_credentials_are_never_used() {
    let case = Case::with_prod();
    let mallory = case.sim.add_user("210987654321", "mallory");
    case.vault(&["login", "prod", "--mfa-code", &case.phone.code()])
        .variable("AWS_ACCESS_KEY_ID", mallory.access_key_id())
        .variable("AWS_SECRET_ACCESS_KEY", mallory.secret_access_key())
        .variable("AWS_PROFILE", "nobody")
        .run()
        .succeeds()
        .stderr_has("set in this shell");
    assert_eq!(case.sim.requests()[0].access_key_id.as_deref(), Some(case.alice.access_key_id()));
}

#[test]
fn twenty_callers_at_once_make_one_call() {
    let case = Case::with_prod();
    let code = case.phone.code();
    let get = ["get", "prod", "aws_access_key_id", "--mfa-code", &code];
    let callers: Vec<_> = (0..20).map(|_| case.vault(&get).start()).collect();
    let ids: Vec<String> = callers.into_iter().map(|caller| caller.finish().succeeds().out.clone()).collect();
    assert!(ids.iter().all(|id| *id == ids[0] && id.starts_with("ASIA")), "{ids:?}");
    assert_eq!(calls(&case).len(), 1);
}
