//! The AWS CLI and the SDK for Python read the line that `configure` wrote, and start what stands in it.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::PathBuf;

use super::judge;
use crate::commands::configure::program;
use crate::program::{ACCOUNT, Case, Invocation};

/// Names who gave the credentials, and their id.
const WHOSE: &str = "import botocore.session, sys
credentials = botocore.session.Session(profile=sys.argv[1]).get_credentials()
print(credentials.method, credentials.get_frozen_credentials().access_key)";

/// In place of the program, to see what it is asked.
const ANSWERS: &str = r#"#!/bin/sh
echo "$#: $*" >> "$HOME/asked"
echo '{"Version": 1, "AccessKeyId": "ASIAIOSFODNN7EXAMPLE", "SecretAccessKey": "s", "SessionToken": "t"}'
"#;

fn ask<'a>(case: &'a Case, name: &str, arguments: &[&str]) -> Invocation<'a> {
    case.command(judge(name), arguments).variable("AWS_EC2_METADATA_DISABLED", "true")
}

/// The program by another name, so that something else can stand there later.
fn linked(case: &Case) -> PathBuf {
    let folder = case.home().join("bin-1.0+x_y@z");
    fs::create_dir(&folder).unwrap();
    fs::set_permissions(&folder, Permissions::from_mode(0o755)).unwrap();
    symlink(program(case), folder.join("vlt")).unwrap();
    folder.join("vlt")
}

#[test]
#[ignore = "needs boto3 and awscli"]
fn python_and_the_aws_cli_ask_the_program_by_the_line_whatever_stood_there_before() {
    let case = Case::with_vault();
    let names = ["prod", "team/prod@eu", "a:b", "ops"];
    for name in &names[..3] {
        case.add(name).succeeds();
    }
    let others = "[profile other]\r\nregion=x\r\ns3 =\r\n  max_concurrent_requests = 20\r\n";
    let role = format!("[profile ops]\r\nrole_arn = arn:aws:iam::{ACCOUNT}:role/x\r\nsource_profile = prod");
    case.write(&case.config(), 0o600, format!("{others}{role}"));
    // Sessions that the line would never be asked beside.
    case.run(&["login", "prod", "--no-mfa"]).succeeds();
    ask(&case, "python3", &["-c", WHOSE, "prod"]).run().succeeds().stdout_has("shared-credentials-file ASIA");

    let program = linked(&case);
    for name in names {
        case.vault_as(&program, &["configure", name, "--take-over"]).run().succeeds();
    }
    fs::remove_file(&program).unwrap();
    fs::write(&program, ANSWERS).unwrap();
    fs::set_permissions(&program, Permissions::from_mode(0o755)).unwrap();
    for name in names {
        let whose = ask(&case, "python3", &["-c", WHOSE, name]).run();
        whose.succeeds().stdout("custom-process ASIAIOSFODNN7EXAMPLE\n");
        let line = ask(&case, "aws", &["configure", "get", "credential_process", "--profile", name]).run();
        line.succeeds().stdout(&format!("{} credential-process {name}\n", program.display()));
    }
    let asked: String = names.iter().map(|name| format!("2: credential-process {name}\n")).collect();
    assert_eq!(fs::read_to_string(case.home().join("asked")).unwrap(), asked);
}

#[test]
#[ignore = "needs boto3"]
fn python_takes_the_role_again_after_restore() {
    let case = Case::with_prod();
    let role = format!("[profile ops]\nrole_arn = arn:aws:iam::{ACCOUNT}:role/x\nsource_profile = prod\n");
    case.write(&case.config(), 0o600, &role);
    for flag in ["--take-over", "--restore"] {
        case.vault_as(program(&case), &["configure", "ops", flag]).run().succeeds();
    }
    let profile = "import botocore.session\nprint(sorted(botocore.session.Session(profile='ops').get_scoped_config()))";
    ask(&case, "python3", &["-c", profile]).run().succeeds().stdout("['role_arn', 'source_profile']\n");
}
