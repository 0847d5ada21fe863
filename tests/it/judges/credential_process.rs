//! AWS's SDKs take sessions from this program by the line that `configure` wrote, through the end of a session and on.

use std::cell::Cell;
use std::ffi::{OsStr, OsString};
use std::path::Path;
use std::time::Duration;

use aws_sim::{Role, Trust};

use super::clock::by_the_clock;
use super::left_unlocked::LeftUnlocked;
use super::{PROGRAM, judge};
use crate::commands::configure::vault;
use crate::program::{ACCOUNT, Case, Invocation};

const HOUR: Duration = Duration::from_secs(3600);

/// A person who signed in as `prod` and as the role `admin`, and keeps the vault machine. The AWS tools know both profiles,
/// and nobody who could be asked for a code.
struct Machine {
    case: LeftUnlocked,
    passed: Cell<Duration>,
}

impl Machine {
    fn new() -> Self {
        let case = Case::with_prod();
        let role = case.sim.add_role(Role::new(ACCOUNT, "admin", Trust::of(ACCOUNT).with_mfa()));
        case.run(&["add", "admin", "--role-arn", &role, "--source-profile", "prod"]).succeeds();
        case.run(&["login", "admin", "--no-export", "--mfa-code", &case.phone.code()]).succeeds();
        for name in ["prod", "admin"] {
            vault(&case, &["configure", name]).succeeds();
        }
        let case = LeftUnlocked::new(case);
        case.sim.clear_requests();
        let machine = Self { case, passed: Cell::default() };
        machine.pass(Duration::ZERO);
        machine
    }

    /// Time goes by, at AWS and for what runs here by this clock.
    fn pass(&self, time: Duration) {
        self.passed.set(self.passed.get() + time);
        self.case.sim.advance(time);
        self.case.give("clock", format!("+{}", self.passed.get().as_secs()));
    }

    /// With the agent to ask.
    fn now<'a>(&'a self, invocation: Invocation<'a>) -> Invocation<'a> {
        by_the_clock(invocation, &self.case.given("clock")).without_variable("VAULT_NO_AGENT")
    }

    fn tool(&self, program: impl AsRef<OsStr>, arguments: &[impl AsRef<OsStr>]) -> Invocation<'_> {
        let tool = self.case.command(program, arguments).variable("AWS_REGION", "eu-central-1");
        self.now(tool.variable("AWS_DEFAULT_REGION", "eu-central-1").variable("AWS_EC2_METADATA_DISABLED", "true"))
    }

    fn sent(&self) -> Vec<(String, bool)> {
        let sent = self.case.sim.requests();
        self.case.sim.clear_requests();
        sent.into_iter().map(|request| (request.action, request.signed_with_token)).collect()
    }
}

/// Tells for each profile that it reads the name of who AWS says it is, or what went wrong, in one line.
fn sdk_goes_on_through_an_expiry(program: impl AsRef<OsStr>, arguments: &[OsString]) {
    let machine = Machine::new();
    let asked = || ("GetCallerIdentity".to_owned(), true);
    let (alice, admin) = (machine.case.alice.arn(), format!("arn:aws:sts::{ACCOUNT}:assumed-role/admin/"));
    let mut sdk = machine.tool(program, arguments).converse();
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

    let code = machine.case.phone.code();
    let login = machine.case.vault(&["login", "prod", "--no-export", "--mfa-code", &code]);
    machine.now(login).run().succeeds();
    machine.case.sim.clear_requests();
    assert_eq!(sdk.ask("prod"), alice);
    is_admin(sdk.ask("admin"));
    assert_eq!(machine.sent(), [asked(), ("AssumeRole".to_owned(), true), asked()]);
}

const AWS_CLI: &str = r#"while read -r name; do
    said=$("$0" sts get-caller-identity --profile "$name" --query Arn --output text 2>&1) || true
    echo $said
done"#;

#[test]
#[ignore = "needs awscli and faketime"]
fn the_aws_cli_goes_on_through_an_expiry() {
    sdk_goes_on_through_an_expiry("sh", &["-c".into(), AWS_CLI.into(), judge("aws").into()]);
}

const BOTO3: &str = "import boto3, sys
clients = {}
for name in map(str.strip, sys.stdin):
    try:
        if name not in clients:
            clients[name] = boto3.Session(profile_name=name).client('sts')
        print(clients[name].get_caller_identity()['Arn'], flush=True)
    except Exception as error:
        print(str(error).replace('\\n', ' '), flush=True)";

#[test]
#[ignore = "needs boto3 and faketime"]
fn boto3_goes_on_through_an_expiry() {
    sdk_goes_on_through_an_expiry(judge("python3"), &["-c".into(), BOTO3.into()]);
}

#[test]
#[ignore = "needs the SDK for JavaScript and faketime"]
fn the_sdk_for_javascript_goes_on_through_an_expiry() {
    sdk_goes_on_through_an_expiry(judge("node"), &["--no-warnings".into(), judge("aws-sdk.mjs").into()]);
}

#[test]
#[ignore = "needs faketime and the example who_am_i, which `cargo test` builds unless told to test less"]
fn the_sdk_for_rust_goes_on_through_an_expiry() {
    sdk_goes_on_through_an_expiry(Path::new(PROGRAM).with_file_name("examples/who_am_i"), &[]);
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
    let machine = Machine::new();
    machine.pass(HOUR + HOUR / 60);
    let all = machine.tool(judge("python3"), &["-c", FIFTY, "admin"]).run();
    assert_eq!(machine.sent(), [("AssumeRole".to_owned(), true)]);
    let get = machine.case.command(PROGRAM, &["get", "admin", "aws_access_key_id"]);
    let id = machine.now(get).run().succeeds().out.clone();
    all.succeeds().stdout(&format!("50 {id}\n"));
    assert!(!machine.case.credentials().exists(), "a session lies in plaintext");
}
