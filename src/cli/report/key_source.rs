//! Words about where an access key comes from: the prompt, the environment, files.

use crate::cli::access_key_source::KeySourceFailure;
use crate::cli::escape::{escape, shown_path};

use super::{Report, Status};

pub fn report(failure: &KeySourceFailure) -> Report {
    use KeySourceFailure::*;
    let usage = |message: String| Report::new(Status::Usage, message);
    match failure {
        // The text is not shown: it may be the secret with a typing error.
        SecretMalformed => {
            usage("that is not a secret access key".into()).hint("it is 40 characters long, without blanks")
        }
        VariableMissing(name) => usage(format!("{name} is not set")).hint("export it, or leave out --from-env"),
        Temporary(id) => {
            Report::new(Status::State, format!("{} belongs to a session; the vault keeps long-term keys", id.short()))
                .hint("make an access key in the AWS console (IAM, Security credentials); its id starts with AKIA")
        }
        TemporaryEnvironment => {
            Report::new(Status::State, "AWS_SESSION_TOKEN is set: these variables hold a session, not a long-term key")
                .hint("unset it if the other two are a long-term key")
        }
        NoSuchSection { path, section } => {
            Report::new(Status::State, format!("no section [{section}] in {}", shown_path(path)))
        }
        NoKeyInSection { path, section } => {
            Report::new(Status::State, format!("section [{section}] in {} holds no long-term key", shown_path(path)))
        }
        NotAConsoleCsv { path } => {
            Report::new(Status::State, format!("{} is not an access key file of the AWS console", shown_path(path)))
                .hint("it has the columns `Access key ID` and `Secret access key`")
        }
        SeveralInCsv { path } => Report::new(Status::State, format!("{} holds more than one key", shown_path(path))),
    }
}

pub fn not_a_users_key(arn: &str) -> Report {
    Report::new(
        Status::State,
        format!("AWS says that this key belongs to `{}`, which is no IAM user; nothing was stored", escape(arn)),
    )
}
