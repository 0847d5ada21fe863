//! moto, the SDK for Python and cfn-lint judge the policy templates and the calls about MFA devices.

use super::aws_tools::{Moto, ask};
use crate::program::{ACCOUNT, Case, Invocation};

/// Makes each policy of the folder at moto, whose rules for documents are IAM's, and says which of the actions in them the SDK
/// has no call for.
const MAKE_EACH: &str = "import boto3, json, os, pathlib, sys
iam = boto3.client('iam')
calls = {s: set(boto3.client(s).meta.service_model.operation_names) for s in ('iam', 'sts')}
def words(x):
    return [x] if isinstance(x, str) else x
for path in sorted(pathlib.Path(sys.argv[1]).iterdir()):
    text = path.read_text()
    for statement in json.loads(text)['Statement']:
        for action in words(statement.get('Action') or statement['NotAction']):
            service, _, name = action.partition(':')
            if action != '*' and name not in calls[service]:
                print('no call', action)
    if path.name == 'role-trust':
        iam.create_role(RoleName=path.name, AssumeRolePolicyDocument=text)
    else:
        iam.create_policy(PolicyName=path.name, PolicyDocument=text)
    print(path.name)";

const POLICIES: [&str; 11] = [
    "assume-role",
    "enforce-mfa-12h",
    "enforce-mfa-8h",
    "ip-allow-list",
    "mfa-required",
    "require-tls",
    "role-trust",
    "self-management",
    "self-rotate",
    "self-rotate-with-mfa",
    "vault-minimum",
];

fn shown(case: &Case, name: &str) -> String {
    let values = ["--account", ACCOUNT, "--user", "alice", "--role", "admin", "--ip", "203.0.113.0/24"];
    case.run(&[&["policy", "show", name], &values[..]].concat()).succeeds().out.clone()
}

fn at<'a>(moto: &Moto, invocation: Invocation<'a>) -> Invocation<'a> {
    invocation.variable("AWS_ENDPOINT_URL", &moto.endpoint)
}

/// The SDK for Python at moto, as an administrator.
fn python<'a>(case: &'a Case, moto: &Moto, script: &str, argument: &str) -> Invocation<'a> {
    let asked = ask(case, "python3", &["-c", script, argument]);
    at(moto, asked).variable("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE").variable("AWS_SECRET_ACCESS_KEY", "any")
}

#[test]
#[ignore = "needs moto"]
fn moto_takes_every_policy_and_boto3_has_a_call_for_every_action() {
    let case = Case::new();
    for name in POLICIES {
        case.write(&case.given("policies").join(name), 0o600, shown(&case, name));
    }
    let moto = Moto::start();
    let folder = case.given("policies");
    let made = python(&case, &moto, MAKE_EACH, folder.to_str().unwrap()).run();
    made.succeeds().stdout(&(POLICIES.join("\n") + "\n"));
}

#[test]
#[ignore = "needs cfn-lint, which comes with moto"]
fn cfn_lint_has_nothing_against_the_starter_kit() {
    let case = Case::new();
    let file = case.give("kit.template.json", shown(&case, "starter-kit"));
    ask(&case, "cfn-lint", &[file.to_str().unwrap()]).run().succeeds().stdout("");
}

const MAKE_ALICE: &str = "import boto3
iam = boto3.client('iam')
iam.create_user(UserName='alice')
key = iam.create_access_key(UserName='alice')['AccessKey']
print(key['AccessKeyId'], key['SecretAccessKey'])";

#[test]
#[ignore = "needs moto"]
fn mfa_devices_are_made_listed_and_removed_on_the_wire_of_moto() {
    let moto = Moto::start();
    let case = Case::with_vault();
    let made = python(&case, &moto, MAKE_ALICE, "").run();
    let (id, secret) = made.succeeds().out.trim().split_once(' ').unwrap();
    at(&moto, case.vault(&["add", "prod", "--access-key-id", id, "--secret-stdin"]).stdin(secret)).run().succeeds();
    let run = |arguments: &[&str]| at(&moto, case.vault(arguments)).run();

    let gone = case.given("gone");
    let begun = run(&["mfa", "enable", "prod", "--device-name", "gone", "--begin", gone.to_str().unwrap()]);
    let serial = begun.succeeds().out.trim().to_owned();
    run(&["mfa", "enable", "prod", "--abort", &serial]).succeeds();
    let file = case.given("seed");
    let begun = run(&["mfa", "enable", "prod", "--begin", file.to_str().unwrap()]);
    let serial = begun.succeeds().out.trim().to_owned();
    assert_eq!(serial, format!("arn:aws:iam::{ACCOUNT}:mfa/alice"));
    let address = std::fs::read_to_string(file).unwrap();
    assert!(address.starts_with(&format!("otpauth://totp/AWS:alice@{ACCOUNT}?secret=")), "another form of seed");
    run(&["mfa", "enable", "prod", "--finish", &serial, "--codes", "123456,234567"]).succeeds();
    run(&["mfa", "list", "prod"]).succeeds().stdout_has(&serial);
    run(&["mfa", "detect", "prod"]).succeeds().stderr(&format!("prod: MFA device {serial}, as before\n"));
}
