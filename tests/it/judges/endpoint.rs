//! AWS's SDKs take sessions from an endpoint of this program by their own default chain, through the end of a session and on.

use std::collections::BTreeSet;
use std::time::Duration;

use super::agent::memory::needles;
use super::machine::Machine;
use super::sdks::{self, Sdk};
use super::{PROGRAM, judge};
use crate::commands::agent::WithAgent;
use crate::memory::copies;
use crate::program::{ACCOUNT, Case, Endpoint, Invocation};

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

    // Nobody is there to type a code. What to do is said by this program: SDKs tell the status alone, or not even that.
    machine.pass(12 * HOUR);
    let said = sdk.ask(NONE);
    assert!(!said.starts_with("arn:"), "{said}");
    assert_eq!(machine.sent(), []);

    machine.signs_in_again();
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

const SESSION: [&str; 2] = ["the session's secret", "the session's token"];

#[test]
#[ignore = "needs to be root"]
fn a_server_holds_its_session_and_nothing_else_and_after_lock_nothing() {
    let case = WithAgent::of(Case::with_prod());
    case.run(&["set", "--vault", "agent.enabled=false"]).succeeds();
    for agent in [true, false] {
        let words = ["exec", "--server", "prod", "--no-mfa", "--", "sh"];
        let exec = if agent {
            case.by_passphrase(&["unlock"]).run().succeeds();
            case.by_agent(&words)
        } else {
            case.by_passphrase(&words).variable("VAULT_NO_AGENT", "1")
        };
        let mut shell = exec.converse();
        let pid = shell.id();
        let url = shell.ask("echo $AWS_CONTAINER_CREDENTIALS_FULL_URI");
        let endpoint = Endpoint::new(&url, &shell.ask("echo $AWS_CONTAINER_AUTHORIZATION_TOKEN"));
        let session = endpoint.get().json();
        let part = |name: &str| session[name].as_str().unwrap().as_bytes().to_vec();
        let mut needles = needles(&case);
        needles.extend([(SESSION[0], part("SecretAccessKey")), (SESSION[1], part("Token"))]);
        let found = || copies(pid, &needles).into_keys().collect::<BTreeSet<_>>();
        assert_eq!(found(), BTreeSet::from(SESSION), "with an agent: {agent}");
        case.run(&["lock"]).succeeds();
        assert_eq!(found(), BTreeSet::new(), "locked, with an agent: {agent}");
    }
}

#[test]
#[ignore = "needs faketime"]
fn a_server_that_does_not_forget_is_named_by_lock() {
    let case = Case::with_prod();
    // Deaf, as one may be that waits for a disk.
    let servers = case.home().join(".local/state/vault/servers");
    std::fs::create_dir(&servers).unwrap();
    let deaf = "trap '' USR1; cd \"$0\"; echo $$ > $$.lock; exec flock $$.lock cat";
    let mut server = case.command("sh", &["-c", deaf, servers.to_str().unwrap()]).converse();
    let pid = server.id();
    assert_eq!(server.ask("it has the lock now"), "it has the lock now");
    // It waits for half a minute by a clock that runs a hundred times as fast.
    let lock = case.command(judge("faketime"), &["-f", "+0 x100", PROGRAM, "lock"]).run();
    lock.exits(1).stdout("").stderr(&format!(
        "vault: error: a server, process {pid}, does not forget the session that it hands out\n\
         vault: hint: `kill -KILL {pid}` ends it; then `vault lock`\n"
    ));
    drop(server);
    case.run(&["lock"]).succeeds();
}
