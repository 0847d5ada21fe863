//! The AWS CLI, the SDK for Python and moto: they sign with what ours wrote, and answer it as AWS does.

use std::fs;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use aws_sim::{Role, Trust};

use super::judge;
use crate::program::{ACCOUNT, Case, Invocation};

/// The judge without any variable that leads to AWS but the simulator's endpoint.
pub fn ask<'a>(case: &'a Case, name: &str, arguments: &[&str]) -> Invocation<'a> {
    case.command(judge(name), arguments)
        .variable("AWS_DEFAULT_REGION", "eu-central-1")
        .variable("AWS_EC2_METADATA_DISABLED", "true")
}

const WHO: &str = "import boto3, sys
session = boto3.Session(profile_name=sys.argv[1]) if len(sys.argv) > 1 else boto3.Session()
print(session.client('sts').get_caller_identity()['Arn'])";

#[test]
#[ignore = "needs boto3"]
fn boto3_signs_with_the_environment_that_exec_gives() {
    let case = Case::with_prod();
    let role = case.sim.add_role(Role::new(ACCOUNT, "admin", Trust::of(ACCOUNT).with_mfa()));
    case.run(&["add", "admin", "--role-arn", &role, "--source-profile", "prod"]).succeeds();
    let python = judge("python3");
    let code = case.phone.code();
    let exec = ["exec", "admin", "--mfa-code", &code, "--", python.to_str().unwrap(), "-c", WHO];
    let who = case.vault(&exec).variable("AWS_REGION", "eu-west-1").run();
    who.succeeds().stdout_has(&format!("arn:aws:sts::{ACCOUNT}:assumed-role/admin/"));
}

/// The AWS tools start this program themselves, and go on with what it prints.
#[test]
#[ignore = "needs awscli and boto3"]
fn the_aws_cli_and_boto3_ask_this_program_where_the_config_file_says_so() {
    let case = Case::with_prod();
    case.run(&["login", "prod", "--no-export", "--mfa-code", &case.phone.code()]).succeeds();
    let line =
        format!("[profile prod]\ncredential_process = {} credential-process prod\n", env!("CARGO_BIN_EXE_vault"));
    case.write(&case.config(), 0o600, line);
    let cli = ["sts", "get-caller-identity", "--profile", "prod", "--query", "Arn", "--output", "text"];
    let told = format!("{}\n", case.alice.arn());
    for asked in [ask(&case, "aws", &cli), ask(&case, "python3", &["-c", WHO, "prod"])] {
        asked.variable("VAULT_IDENTITY", case.given("recovery.txt")).run().succeeds().stdout(&told);
    }
}

/// moto's server, on a port of its own.
pub struct Moto {
    server: Child,
    pub endpoint: String,
}

impl Moto {
    pub fn start() -> Self {
        // The system chooses the port and the server says which: one chosen here might be taken by another test meanwhile.
        let mut command = Command::new(judge("moto_server"));
        command.args(["-H", "127.0.0.1", "-p", "0"]).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut server = command.spawn().unwrap();
        let says = BufReader::new(server.stderr.take().unwrap()).lines().map_while(Result::ok);
        let mut said = Vec::new();
        for line in says {
            // After that nobody reads on, and nobody need.
            if let Some((_, endpoint)) = line.split_once("Running on ") {
                let endpoint = endpoint.split_whitespace().next().unwrap().to_owned();
                return Self { server, endpoint };
            }
            said.push(line);
        }
        panic!("moto_server ended with {:?} and said: {}", server.wait(), said.join("\n"));
    }
}

impl Drop for Moto {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

const MAKE_ALICE: &str = "import boto3
iam = boto3.client('iam')
iam.create_user(UserName='alice')
key = iam.create_access_key(UserName='alice')['AccessKey']
serial = iam.create_virtual_mfa_device(VirtualMFADeviceName='phone')['VirtualMFADevice']['SerialNumber']
iam.enable_mfa_device(UserName='alice', SerialNumber=serial, AuthenticationCode1='123456', AuthenticationCode2='654321')
iam.create_role(RoleName='admin', AssumeRolePolicyDocument='{}')
print(key['AccessKeyId'], key['SecretAccessKey'])";

#[test]
#[ignore = "needs moto"]
fn login_speaks_the_wire_format_of_moto() {
    let moto = Moto::start();
    let case = Case::with_vault();
    let at_moto = |invocation: Invocation<'_>| invocation.variable("AWS_ENDPOINT_URL", &moto.endpoint).run();
    let made = at_moto(
        ask(&case, "python3", &["-c", MAKE_ALICE])
            .variable("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE")
            .variable("AWS_SECRET_ACCESS_KEY", "any"),
    );
    let (id, secret) = made.succeeds().out.trim().split_once(' ').unwrap();

    let added = at_moto(case.vault(&["add", "prod", "--access-key-id", id, "--secret-stdin"]).stdin(secret));
    added.succeeds().stderr_has("alice in account 123456789012").stderr_has(":mfa/phone");
    at_moto(case.vault(&["login", "prod", "--mfa-code", "123456"])).succeeds().stderr_has("prod: signed in as alice");
    assert!(fs::read_to_string(case.credentials()).unwrap().contains("aws_session_token = "));
    let role = "arn:aws:iam::123456789012:role/admin";
    at_moto(case.vault(&["add", "admin", "--role-arn", role, "--source-profile", "prod"])).succeeds();
    at_moto(case.vault(&["login", "admin"])).succeeds().stderr_has("admin: signed in as role admin");
}

/// Signed with the key: moto's sessions are all of a user that it made up.
#[test]
#[ignore = "needs moto"]
fn keys_and_roles_speak_the_wire_format_of_moto() {
    let moto = Moto::start();
    let case = Case::with_vault();
    let at_moto = |invocation: Invocation<'_>| invocation.variable("AWS_ENDPOINT_URL", &moto.endpoint).run();
    let python = |script: &str| {
        let asked = ask(&case, "python3", &["-c", script]).variable("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE");
        at_moto(asked.variable("AWS_SECRET_ACCESS_KEY", "any")).succeeds().out.trim().to_owned()
    };
    let made = python(MAKE_ALICE);
    let (id, secret) = made.split_once(' ').unwrap();
    at_moto(
        case.vault(&["add", "prod", "--access-key-id", id, "--secret-stdin", "--mfa-serial", "none"]).stdin(secret),
    )
    .succeeds();
    let second = python(
        "import boto3; print(boto3.client('iam').create_access_key(UserName='alice')['AccessKey']['AccessKeyId'])",
    );
    let statuses = || {
        python(
            "import boto3; print(sorted((k['AccessKeyId'], k['Status']) for k in boto3.client('iam').list_access_keys(UserName='alice')['AccessKeyMetadata']))",
        )
    };
    let keys = |words: &[&str]| at_moto(case.vault(&[&["keys"], words].concat()));

    let listed = keys(&["prod", "--json"]);
    let document: serde_json::Value = serde_json::from_str(&listed.succeeds().out).unwrap();
    let ids: Vec<&str> =
        document["keys"].as_array().unwrap().iter().map(|key| key["access_key_id"].as_str().unwrap()).collect();
    assert!(ids.len() == 2 && ids.contains(&id) && ids.contains(&&*second), "{document}");
    keys(&["disable", "prod", &second]).succeeds();
    assert!(statuses().contains(&format!("('{second}', 'Inactive')")), "{}", statuses());
    keys(&["enable", "prod", &second]).succeeds();
    assert!(statuses().contains(&format!("('{second}', 'Active')")), "{}", statuses());
    keys(&["delete", "prod", &second, "--yes"]).succeeds();
    assert_eq!(statuses(), format!("[('{id}', 'Active')]"));

    python(
        "import boto3; boto3.client('iam').update_role_description(RoleName='admin', Description='for ops & others')",
    );
    let role = |words: &[&str]| at_moto(case.vault(&[&["role", "max-duration", "prod", "admin"], words].concat()));
    role(&["4h"]).succeeds().stderr("role admin: 4 h, was 1 h\n");
    role(&[]).succeeds().stdout("4 h\n");
    let described =
        python("import boto3; print(boto3.client('iam').get_role(RoleName='admin')['Role']['Description'])");
    assert_eq!(described, "for ops & others");
    at_moto(case.vault(&["whoami", "prod"])).succeeds().stdout_has("account = 123456789012\n");
}
