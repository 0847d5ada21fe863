//! AWS's SDKs take what `login` wrote to the credentials file, through the end of a session and on.

use std::time::Duration;

use super::machine::Machine;
use super::sdks::{self, Sdk};
use crate::program::ACCOUNT;

/// What people and other tools have in theirs.
const OTHERS: &str = "# by hand\r\n[other]\r\naws_access_key_id=AKIAOTHEROTHEROTHER1\r\naws_secret_access_key = x\r\n\
                      s3 =\r\n  max_concurrent_requests = 20\r\n[prod]\r\n; mine\r\nregion=eu-west-1\r\n[last]\r\nx=y";

fn sdk_signs_with_what_is_written(sdk: Sdk) {
    let machine = Machine::after(|case| {
        case.write(&case.credentials(), 0o600, OTHERS);
        case.run(&["login", "prod", "admin", "--mfa-code", &case.phone.code()]).succeeds();
    });
    // Each time another process, as a new command in a shell is.
    let told = |name: &str| machine.tool(&sdk.program, &sdk.arguments).stdin(format!("{name}\n")).run().out;
    let (alice, admin) = (machine.case.alice.arn(), format!("arn:aws:sts::{ACCOUNT}:assumed-role/admin/"));
    let both_sign = || {
        assert_eq!(told("prod").trim_end(), alice);
        let said = told("admin");
        assert!(said.starts_with(&admin), "{said}");
    };
    both_sign();
    machine.pass(Duration::from_secs(13 * 3600));
    for name in ["prod", "admin"] {
        let said = told(name);
        assert!(said.contains("expired") || said.contains("Expired"), "{said}");
    }
    let login = machine.case.vault(&["login", "prod", "admin", "--mfa-code", &machine.case.phone.code()]);
    machine.now(login).run().succeeds();
    both_sign();
}

#[test]
#[ignore = "needs awscli and faketime"]
fn the_aws_cli_signs_with_what_is_written_and_again_after_an_expiry() {
    sdk_signs_with_what_is_written(sdks::aws_cli());
}

#[test]
#[ignore = "needs boto3 and faketime"]
fn boto3_signs_with_what_is_written_and_again_after_an_expiry() {
    sdk_signs_with_what_is_written(sdks::boto3());
}

#[test]
#[ignore = "needs the SDK for JavaScript and faketime"]
fn the_sdk_for_javascript_signs_with_what_is_written_and_again_after_an_expiry() {
    sdk_signs_with_what_is_written(sdks::javascript());
}

#[test]
#[ignore = "needs faketime and the example who_am_i, which `cargo test` builds unless told to test less"]
fn the_sdk_for_rust_signs_with_what_is_written_and_again_after_an_expiry() {
    sdk_signs_with_what_is_written(sdks::rust());
}
