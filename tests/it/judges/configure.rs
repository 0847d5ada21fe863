//! The AWS CLI and the SDK for Python read the line that `configure` wrote, start this program by it, and no more once it is
//! gone.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::PathBuf;

use aws_sim::{Role, Trust};

use super::judge;
use crate::commands::configure::program;
use crate::left_unlocked::LeftUnlocked;
use crate::program::{ACCOUNT, Case, Invocation};

/// Names who gave the credentials, and their id.
const WHOSE: &str = "import botocore.session, sys
credentials = botocore.session.Session(profile=sys.argv[1]).get_credentials()
print(credentials.method, credentials.get_frozen_credentials().access_key)";

/// With the agent to ask.
fn ask<'a>(case: &'a Case, name: &str, arguments: &[&str]) -> Invocation<'a> {
    let tool = case.command(judge(name), arguments).without_variable("VAULT_NO_AGENT");
    tool.variable("AWS_EC2_METADATA_DISABLED", "true").variable("AWS_DEFAULT_REGION", "eu-central-1")
}

/// The program by another name, which is the one that is written.
fn linked(case: &Case) -> PathBuf {
    let folder = case.home().join("bin-1.0+x_y@z");
    fs::create_dir(&folder).unwrap();
    fs::set_permissions(&folder, Permissions::from_mode(0o755)).unwrap();
    symlink(program(case), folder.join("vlt")).unwrap();
    folder.join("vlt")
}

/// Who AWS says the AWS CLI is.
fn identity(case: &Case, name: &str) -> String {
    let cli = ["sts", "get-caller-identity", "--profile", name, "--query", "Arn", "--output", "text"];
    ask(case, "aws", &cli).run().succeeds().out.trim_end().to_owned()
}

/// alice's key, for which no code is asked.
fn add(case: &Case, name: &str) {
    let key = ["--access-key-id", case.alice.access_key_id(), "--secret-stdin", "--mfa-serial", "none"];
    case.vault(&[&["add", name], &key[..]].concat()).stdin(case.alice.secret_access_key()).run().succeeds();
}

/// In the config file, of a role that alice may assume.
fn role(case: &Case) -> String {
    let arn = case.sim.add_role(Role::new(ACCOUNT, "x", Trust::of(ACCOUNT)));
    format!("[profile ops]\r\nrole_arn = {arn}\r\nsource_profile = prod")
}

const AS_X: &str = "arn:aws:sts::123456789012:assumed-role/x/";

#[test]
#[ignore = "needs boto3 and awscli"]
fn python_and_the_aws_cli_sign_by_the_line_whatever_stood_there_before() {
    let case = Case::with_vault();
    let names = ["prod", "team/prod@eu", "a:b", "ops"];
    names[..3].iter().for_each(|name| add(&case, name));
    let others = "[profile other]\r\nregion=x\r\ns3 =\r\n  max_concurrent_requests = 20\r\n";
    case.write(&case.config(), 0o600, format!("{others}{}", role(&case)));
    // Sessions that the line would never be asked beside.
    case.run(&["login", "prod"]).succeeds();
    ask(&case, "python3", &["-c", WHOSE, "prod"]).run().succeeds().stdout_has("shared-credentials-file ASIA");

    let program = linked(&case);
    let case = LeftUnlocked::new(case);
    for name in names {
        case.vault_as(&program, &["configure", name, "--take-over"]).run().succeeds();
    }
    for name in names {
        let whose = ask(&case, "python3", &["-c", WHOSE, name]).run();
        whose.succeeds().stdout_has("custom-process ASIA");
        let id = whose.out.trim_end().rsplit(' ').next().unwrap();
        let arn = case.sim.session(id).expect("AWS made it").arn;
        assert!(if name == "ops" { arn.starts_with(AS_X) } else { arn == case.alice.arn() }, "{name}: {arn}");
        assert_eq!(identity(&case, name), arn);
        let line = ask(&case, "aws", &["configure", "get", "credential_process", "--profile", name]).run();
        line.succeeds().stdout(&format!("{} credential-process {name}\n", program.display()));
    }
}

#[test]
#[ignore = "needs boto3 and awscli"]
fn the_aws_cli_assumes_the_role_itself_again_after_restore() {
    let case = Case::with_vault();
    add(&case, "prod");
    case.write(&case.config(), 0o600, role(&case));
    let key = (case.alice.access_key_id(), case.alice.secret_access_key());
    let plaintext = format!("[prod]\naws_access_key_id = {}\naws_secret_access_key = {}\n", key.0, key.1);
    case.write(&case.credentials(), 0o600, plaintext);
    let case = LeftUnlocked::new(case);
    // This program makes one session for all; by themselves they make one each.
    for (flag, whose, sessions) in [("--take-over", "custom-process ASIA", 1), ("--restore", "assume-role ASIA", 2)] {
        case.vault_as(program(&case), &["configure", "ops", flag]).run().succeeds();
        case.sim.clear_requests();
        assert!(identity(&case, "ops").starts_with(AS_X));
        ask(&case, "python3", &["-c", WHOSE, "ops"]).run().succeeds().stdout_has(whose);
        assert_eq!(case.sim.count("AssumeRole"), sessions, "{flag}");
    }
    fs::remove_file(case.credentials()).unwrap();
}
