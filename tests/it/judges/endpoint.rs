//! AWS's SDKs take sessions from an endpoint of this program by their own default chain, through the end of a session and on.

use std::time::Duration;

use super::machine::Machine;
use super::sdks::{self, Sdk};
use super::{PROGRAM, judge};
use crate::program::{ACCOUNT, Invocation};

const HOUR: Duration = Duration::from_secs(3600);

/// The profile that is none.
const NONE: &str = "-";

fn signed_in() -> Machine {
    Machine::after(|case| {
        case.run(&["login", "admin", "--no-export", "--mfa-code", &case.phone.code()]).succeeds();
    })
}

fn served<'a>(machine: &'a Machine, sdk: &Sdk) -> Invocation<'a> {
    let exec = ["exec", "--server", "admin", "--"].map(Into::into);
    let words = exec.into_iter().chain([sdk.program.clone()]).chain(sdk.arguments.iter().cloned());
    machine.tool(PROGRAM, &words.collect::<Vec<_>>())
}

fn sdk_goes_on_through_an_expiry(sdk: Sdk) {
    let machine = signed_in();
    let asked = || ("GetCallerIdentity".to_owned(), true);
    let admin = format!("arn:aws:sts::{ACCOUNT}:assumed-role/admin/");
    let is_admin = |said: String| assert!(said.starts_with(&admin), "{said}");
    let mut sdk = served(&machine, &sdk).converse();
    is_admin(sdk.ask(NONE));
    is_admin(sdk.ask(NONE));
    assert_eq!(machine.sent(), [asked(), asked()]);

    // The role's session is over and the user's is not: nobody is needed for another.
    machine.pass(HOUR + HOUR / 60);
    is_admin(sdk.ask(NONE));
    assert_eq!(machine.sent(), [("AssumeRole".to_owned(), true), asked()]);

    // Nobody is there to type a code, and whoever reads what the tool says is told what to do.
    machine.pass(12 * HOUR);
    let said = sdk.ask(NONE);
    assert!(!said.starts_with("arn:"), "{said}");
    println!("without a person: {said}");
    assert_eq!(machine.sent(), []);

    let code = machine.case.phone.code();
    let login = machine.case.vault(&["login", "prod", "--no-export", "--mfa-code", &code]);
    machine.now(login).run().succeeds();
    machine.case.sim.clear_requests();
    is_admin(sdk.ask(NONE));
    assert_eq!(machine.sent(), [("AssumeRole".to_owned(), true), asked()]);
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
found = []
def ask():
    session = botocore.session.Session()
    barrier.wait()
    found.append(session.get_credentials().get_frozen_credentials())
for line in sys.stdin:
    barrier = threading.Barrier(50)
    callers = [threading.Thread(target=ask) for _ in range(50)]
    for caller in callers: caller.start()
    for caller in callers: caller.join()
    print(len(found), *{credentials.access_key for credentials in found}, flush=True)
    found.clear()";

#[test]
#[ignore = "needs boto3 and faketime"]
fn fifty_clients_at_once_get_the_same_session_by_one_call() {
    let machine = signed_in();
    let python = Sdk { program: judge("python3").into(), arguments: vec!["-c".into(), FIFTY.into()] };
    let mut clients = served(&machine, &python).converse();
    clients.ask("");
    machine.case.sim.clear_requests();
    machine.pass(HOUR + HOUR / 60);
    let told = clients.ask("");
    assert_eq!(machine.sent(), [("AssumeRole".to_owned(), true)]);
    let get = machine.case.command(PROGRAM, &["get", "admin", "aws_access_key_id"]);
    let id = machine.now(get).run().succeeds().out.clone();
    assert_eq!(told, format!("50 {id}"));
}
