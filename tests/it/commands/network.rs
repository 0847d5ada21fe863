//! AWS that can't be reached, does not answer, or has another clock.

use aws_sim::{Failure, Kind};
use jiff::SignedDuration;

use super::{PHONE, error, error_and_hint, warning, written};
use crate::program::{ACCOUNT, Case, Output};

fn login(case: &Case) -> Output {
    case.run(&["login", "prod", "--no-mfa", "--no-export"])
}

#[test]
fn a_network_that_is_down_is_told_from_a_refusal_and_no_code_is_lost() {
    let case = Case::with_vault();
    let key = case.alice.access_key_id();
    let add = ["add", "prod", "--access-key-id", key, "--secret-stdin", "--no-verify", "--mfa-serial", PHONE];
    case.vault(&add).stdin(case.alice.secret_access_key()).run().succeeds();
    let code = case.phone.code();
    let login = ["login", "prod", "--mfa-code", &code];
    let nobody = case.vault(&login).variable("AWS_ENDPOINT_URL", "http://127.0.0.1:1").run();
    nobody.exits(5).stdout("").stderr_has("vault: error: GetSessionToken: can't reach 127.0.0.1");
    nobody.stderr_has("vault: hint: nothing was sent; try again when the network is back\n");
    assert!(!case.credentials().exists());
    case.run(&login).succeeds();
}

#[test]
fn a_key_is_not_stored_where_aws_can_not_be_asked() {
    let case = Case::with_vault();
    let add = ["add", "prod", "--access-key-id", case.alice.access_key_id(), "--secret-stdin"];
    let add = case.vault(&add).stdin(case.alice.secret_access_key()).variable("AWS_ENDPOINT_URL", "http://127.0.0.1:1");
    add.run().exits(5).stdout("").stderr_has("vault: error: GetCallerIdentity: can't reach 127.0.0.1");
    case.run(&["list"]).succeeds().stdout("");
}

#[test]
fn what_aws_can_not_do_now_is_told_as_that() {
    let case = Case::with_prod();
    let fail = |http: u16, code: &str, message: &str| {
        case.sim.stop_failing();
        let kind = Kind::Status { http, code: code.to_owned(), message: message.to_owned() };
        case.sim.fail(Failure::on("GetSessionToken").kind(kind).lasting());
        login(&case)
    };
    let again = "try again in a moment";
    fail(503, "ServiceUnavailable", "later")
        .exits(5)
        .stderr(&error_and_hint("AWS could not answer GetSessionToken: later", again));
    let busy = "AWS has too many requests from this account: Rate exceeded";
    fail(400, "Throttling", "Rate exceeded").exits(4).stderr(&error_and_hint(busy, again));
    let disabled = "STS is switched off for this region in the account: STS is not activated in this region";
    fail(403, "RegionDisabledException", "STS is not activated in this region")
        .exits(4)
        .stderr(&error_and_hint(disabled, "pass another region by AWS_REGION"));
    case.sim.stop_failing();
    login(&case).succeeds();
}

#[test]
fn a_passing_fault_is_got_over_without_a_word() {
    let case = Case::with_prod();
    case.sim.fail(Failure::on("GetSessionToken").kind(Kind::Throttle));
    let output = login(&case);
    assert!(!output.succeeds().err.contains("Throttl"), "{}", output.err);
    assert_eq!(case.sim.count("GetSessionToken"), 2);
}

#[test]
fn a_key_that_was_checked_at_one_place_is_not_used_at_another() {
    let case = Case::with_prod();
    let elsewhere = case.vault(&["login", "prod", "--no-mfa"]).variable("AWS_ENDPOINT_URL", "http://127.0.0.1:1").run();
    let place = case.sim.endpoint();
    let told =
        format!("the access key of `prod` was checked at `{place}`, and this would send it to `http://127.0.0.1:1`");
    let hint = "check AWS_ENDPOINT_URL and AWS_ENDPOINT_URL_STS";
    elsewhere.exits(1).stdout("").stderr(&error_and_hint(&told, hint));
    let nowhere = case.vault(&["login", "prod", "--no-mfa"]).without_variable("AWS_ENDPOINT_URL").run();
    let told = format!("the access key of `prod` was checked at `{place}`, and this would send it to AWS itself");
    nowhere.exits(1).stderr(&error_and_hint(&told, hint));
    assert_eq!(case.sim.requests(), []);
}

#[test]
fn a_plain_endpoint_elsewhere_than_here_is_refused() {
    let case = Case::with_prod();
    let output = case.vault(&["login", "prod"]).variable("AWS_ENDPOINT_URL", "http://sts.example.com").run();
    output.exits(2).stdout("");
    assert!(
        output.err.starts_with("vault: error: ") && output.err.contains("http://sts.example.com"),
        "{}",
        output.err
    );
    output.stderr_has("vault: hint: check AWS_ENDPOINT_URL, AWS_ENDPOINT_URL_STS and endpoint_url\n");
}

#[test]
fn certificates_that_are_none_are_told_before_a_code_is_asked() {
    let case = Case::with_prod();
    let missing = case.given("none.pem").display().to_string();
    let login = case.vault(&["login", "prod"]).variable("AWS_CA_BUNDLE", &missing).run();
    let told = format!("AWS_CA_BUNDLE, {missing}: No such file or directory (os error 2)");
    login.exits(1).stdout("").stderr(&error(&told));
    let text = case.give("text.pem", "no certificate").display().to_string();
    let login = case.vault(&["login", "prod"]).variable("AWS_CA_BUNDLE", &text).run();
    assert!(login.exits(1).err.starts_with(&format!("vault: error: AWS_CA_BUNDLE, {text}: ")), "{}", login.err);
}

#[test]
fn a_clock_that_is_twenty_minutes_off_is_told_and_costs_nothing() {
    for (seconds, direction) in [(20 * 60 + 20, "behind"), (-20 * 60 - 20, "ahead of")] {
        let case = Case::with_prod();
        case.sim.set_offset(SignedDuration::from_secs(seconds));
        let output = case.run(&["login", "prod", "--mfa-code", &case.phone.code()]);
        let told = format!(
            "this machine's clock is 20 min {direction} AWS's; correct it, or other tools' calls may be refused"
        );
        assert!(output.succeeds().err.starts_with(&warning(&told)), "{}", output.err);
        let session = case.sim.session(&written(&case, "prod", "aws_access_key_id")).unwrap();
        let expires = session.expires.strftime("%FT%TZ").to_string();
        assert_eq!(written(&case, "prod", "aws_credential_expiration"), expires, "by AWS's clock");
        assert_eq!(case.run(&["get", "prod", "expiration"]).out, expires);
        // Counted by AWS's clock, which is known to the second.
        let whole = |text: &str| text.contains("11 h 59 min") || text.contains("12 h");
        let status = case.run(&["status"]);
        assert!(whole(&output.err) && whole(&status.succeeds().out), "{}{}", output.err, status.out);
        case.sim.clear_requests();
        case.run(&["login", "prod"]).succeeds().stderr_has("prod: still signed in as alice");
        assert_eq!(case.sim.requests(), []);
    }
}

#[test]
fn a_clock_that_is_a_minute_and_a_half_off_is_not_worth_a_word() {
    for seconds in [90, -90] {
        let case = Case::with_prod();
        case.sim.set_offset(SignedDuration::from_secs(seconds));
        let output = case.run(&["login", "prod", "--mfa-code", &case.phone.code()]);
        assert!(!output.succeeds().err.contains("clock"), "{}", output.err);
    }
}

#[test]
fn adding_a_key_by_a_wrong_clock_works_with_a_word() {
    let case = Case::with_vault();
    case.sim.set_offset(SignedDuration::from_secs(20 * 60 + 20));
    let told = "this machine's clock is 20 min behind AWS's; correct it, or other tools' calls may be refused";
    case.add("prod").succeeds().stderr_has(&warning(told));
}

#[test]
fn without_a_device_a_wrong_clock_is_told_at_login_and_at_a_rotation_too() {
    let case = Case::with_vault();
    let bob = case.sim.add_user(ACCOUNT, "bob");
    case.keep_secret("bob's secret key", bob.secret_access_key());
    let add = ["add", "prod", "--access-key-id", bob.access_key_id(), "--secret-stdin"];
    case.vault(&add).stdin(bob.secret_access_key()).run().succeeds();
    let told = warning("this machine's clock is 20 min behind AWS's; correct it, or other tools' calls may be refused");
    case.sim.set_offset(SignedDuration::from_secs(20 * 60 + 20));
    let rotate = ["rotate", "prod", "--if-older-than", "3000d"];
    for words in [&["login", "prod", "--force", "--no-export"][..], &["rotate", "prod", "--dry-run"], &rotate] {
        let output = case.run(words);
        assert_eq!(output.succeeds().err.matches(&told).count(), 1, "{words:?}: {}", output.err);
    }
}

#[test]
fn a_clock_that_no_correction_reaches_is_named_and_no_secret_is_blamed() {
    let case = Case::with_prod();
    let message =
        "Signature expired: 20240101T000000Z is now earlier than 20240101T001500Z (20240101T002000Z - 5 min.)";
    let skewed = Kind::Status { http: 403, code: "SignatureDoesNotMatch".into(), message: message.into() };
    case.sim.fail(Failure::on_every_action().kind(skewed).lasting());
    let told = format!("this machine's clock and AWS's are too far apart: {message}");
    for command in ["login", "rotate", "whoami"] {
        let output = case.run(&[command, "prod", "--mfa-code", &case.phone.code()]);
        output.exits(4).stderr_has(&told).stderr_has("vault: hint: set the clock\n");
    }
}
