//! The program at other times than the real one.

use std::fs;
use std::path::Path;
use std::time::Duration;

use super::{PROGRAM, judge};
use crate::program::{Case, Invocation};

/// The program at another time, by its own clock.
fn at<'a>(case: &'a Case, offset: &str, arguments: &[&str]) -> Invocation<'a> {
    case.command("faketime", &[&["-f", offset, PROGRAM], arguments].concat())
        .variable("VAULT_IDENTITY", case.given("recovery.txt"))
        // Else every timed wait of the Rust standard library hangs.
        .variable("FAKETIME_DONT_FAKE_MONOTONIC", "1")
}

/// A program by the clock that stands in a file, though it is set while the program runs; what it starts goes by it too.
pub fn by_the_clock<'a>(invocation: Invocation<'a>, file: &Path) -> Invocation<'a> {
    invocation
        // The variable would count for more than the file.
        .under(judge("faketime"), &["-f", "+0", "env", "-u", "FAKETIME"])
        .variable("FAKETIME_TIMESTAMP_FILE", file)
        .variable("FAKETIME_NO_CACHE", "1")
        .variable("FAKETIME_DONT_FAKE_MONOTONIC", "1")
}

#[test]
#[ignore = "needs faketime"]
fn a_machine_whose_clock_is_wrong_signs_in_with_a_warning_and_right_expirations() {
    for (offset, words) in [("-20m", "behind"), ("+20m", "ahead"), ("-3h", "behind"), ("+400d", "ahead")] {
        let case = Case::with_prod();
        let login = at(&case, offset, &["login", "prod", "--mfa-code", &case.phone.code()]).run();
        login.succeeds().stderr_has("vault: warning: this machine's clock is ").stderr_has(words);
        let written = fs::read_to_string(case.credentials()).unwrap();
        let value = |key: &str| written.lines().find_map(|line| line.strip_prefix(key)).unwrap().to_owned();
        let expires = case.sim.session(&value("aws_access_key_id = ")).unwrap().expires;
        assert_eq!(value("aws_credential_expiration = "), expires.strftime("%Y-%m-%dT%H:%M:%SZ").to_string());
        at(&case, offset, &["login", "prod"]).run().succeeds().stderr_has("still signed in");
        // By this clock it was over long ago, or will be for years; by AWS's it lives.
        for command in [&["status"][..], &["get", "prod", "account", "--force", "--no-mfa"]] {
            at(&case, offset, command).run().succeeds();
        }
        assert!(fs::read_to_string(case.credentials()).unwrap().contains(&value("aws_access_key_id = ")));
    }
}

#[test]
#[ignore = "needs faketime"]
fn a_session_is_renewed_when_a_quarter_of_its_life_is_left_and_not_before() {
    let case = Case::with_prod();
    let get = ["get", "prod", "aws_access_key_id", "--duration", "20m"];
    let first = case.run(&[&get[..], &["--mfa-code", &case.phone.code()]].concat()).succeeds().out.clone();
    assert_eq!(at(&case, "+14m", &get).run().succeeds().out, first);
    at(&case, "+16m", &get).run().refuses(8, "needs an MFA code");
    case.sim.advance(Duration::from_secs(16 * 60));
    let renewed = at(&case, "+16m", &[&get[..], &["--mfa-code", &case.phone.code()]].concat()).run();
    assert_ne!(renewed.succeeds().out, first);
}
