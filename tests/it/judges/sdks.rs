//! AWS's command line and SDKs: each tells, for every profile that it reads the name of, who AWS says that is, or what went
//! wrong, in one line. The profile `-` is none: what the surroundings give.

use std::ffi::OsString;
use std::path::Path;

use super::{PROGRAM, judge};

pub struct Sdk {
    pub program: OsString,
    pub arguments: Vec<OsString>,
}

const AWS_CLI: &str = r#"while read -r name; do
    if [ "$name" = - ]; then set --; else set -- --profile "$name"; fi
    said=$("$0" sts get-caller-identity "$@" --query Arn --output text 2>&1) || true
    echo $said
done"#;

pub fn aws_cli() -> Sdk {
    Sdk { program: "sh".into(), arguments: vec!["-c".into(), AWS_CLI.into(), judge("aws").into()] }
}

const BOTO3: &str = "import boto3, sys
clients = {}
for name in map(str.strip, sys.stdin):
    try:
        if name not in clients:
            profile = None if name == '-' else name
            clients[name] = boto3.Session(profile_name=profile).client('sts')
        print(clients[name].get_caller_identity()['Arn'], flush=True)
    except Exception as error:
        print(str(error).replace('\\n', ' '), flush=True)";

pub fn boto3() -> Sdk {
    Sdk { program: judge("python3").into(), arguments: vec!["-c".into(), BOTO3.into()] }
}

pub fn javascript() -> Sdk {
    Sdk { program: judge("node").into(), arguments: vec!["--no-warnings".into(), judge("aws-sdk.mjs").into()] }
}

pub fn rust() -> Sdk {
    Sdk { program: Path::new(PROGRAM).with_file_name("examples/who_am_i").into(), arguments: Vec::new() }
}
