//! AWS's SDKs take sessions from this program by the line that `configure` wrote, through the end of a session and on.

use std::time::Duration;

use super::machine::Machine;
use super::sdks::{self, Sdk};
use super::{PROGRAM, judge};
use crate::commands::configure::vault;
use crate::program::ACCOUNT;

const HOUR: Duration = Duration::from_secs(3600);

/// AWS tools know the profiles of the machine, and nobody who could be asked for a code.
fn configured() -> Machine {
    Machine::after(|case| {
        case.run(&["login", "admin", "--no-export", "--mfa-code", &case.phone.code()]).succeeds();
        for name in ["prod", "admin"] {
            vault(case, &["configure", name]).succeeds();
        }
    })
}

fn sdk_goes_on_through_an_expiry(sdk: Sdk) {
    let machine = configured();
    let asked = || ("GetCallerIdentity".to_owned(), true);
    let (alice, admin) = (machine.case.alice.arn(), format!("arn:aws:sts::{ACCOUNT}:assumed-role/admin/"));
    let mut sdk = machine.tool(&sdk.program, &sdk.arguments).converse();
    let is_admin = |said: String| assert!(said.starts_with(&admin), "{said}");
    assert_eq!(sdk.ask("prod"), alice);
    is_admin(sdk.ask("admin"));
    assert_eq!(machine.sent(), [asked(), asked()]);

    // The role's session is over and the user's is not: nobody is needed for another.
    machine.pass(HOUR + HOUR / 60);
    is_admin(sdk.ask("admin"));
    assert_eq!(machine.sent(), [("AssumeRole".to_owned(), true), asked()]);

    // Nobody is there to type a code, and whoever reads what the tool says is told what to do.
    machine.pass(12 * HOUR);
    for name in ["prod", "admin"] {
        let said = sdk.ask(name);
        for told in ["needs an MFA code and there is no terminal to ask on", "vault: hint: run `vault login"] {
            assert!(said.contains(told), "{said}");
        }
    }
    assert_eq!(machine.sent(), []);

    machine.signs_in_again();
    assert_eq!(sdk.ask("prod"), alice);
    is_admin(sdk.ask("admin"));
    assert_eq!(machine.sent(), [asked(), ("AssumeRole".to_owned(), true), asked()]);
}

#[test]
#[ignore = "needs awscli and faketime"]
fn the_aws_cli_goes_on_through_an_expiry() {
    sdk_goes_on_through_an_expiry(sdks::aws_cli());
}

#[test]
#[ignore = "needs boto3 and faketime"]
fn boto3_goes_on_through_an_expiry() {
    sdk_goes_on_through_an_expiry(sdks::boto3());
}

#[test]
#[ignore = "needs the SDK for JavaScript and faketime"]
fn the_sdk_for_javascript_goes_on_through_an_expiry() {
    sdk_goes_on_through_an_expiry(sdks::javascript());
}

#[test]
#[ignore = "needs faketime and the example who_am_i, which `cargo test` builds unless told to test less"]
fn the_sdk_for_rust_goes_on_through_an_expiry() {
    sdk_goes_on_through_an_expiry(sdks::rust());
}

const FIFTY: &str = "import botocore.session, sys, threading
barrier, found = threading.Barrier(50), []
def ask():
    session = botocore.session.Session(profile=sys.argv[1])
    barrier.wait()
    found.append(session.get_credentials().get_frozen_credentials())
callers = [threading.Thread(target=ask) for _ in range(50)]
for caller in callers: caller.start()
for caller in callers: caller.join()
print(len(found), *{credentials.access_key for credentials in found})";

#[test]
#[ignore = "needs boto3 and faketime"]
fn fifty_callers_at_once_make_one_call_and_get_the_same_session() {
    let machine = configured();
    machine.pass(HOUR + HOUR / 60);
    let all = machine.tool(judge("python3"), &["-c", FIFTY, "admin"]).run();
    assert_eq!(machine.sent(), [("AssumeRole".to_owned(), true)]);
    let get = machine.case.command(PROGRAM, &["get", "admin", "aws_access_key_id"]);
    let id = machine.now(get).run().succeeds().out.clone();
    all.succeeds().stdout(&format!("50 {id}\n"));
    assert!(!machine.case.credentials().exists(), "a session lies in plaintext");
}
