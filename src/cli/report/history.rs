//! Words about earlier generations, and what stands in the way of restoring one.

use crate::cli::failure::Failure;

use super::{Report, Status, internal};

pub fn report(failure: &Failure) -> Report {
    let state = |message: String| Report::new(Status::State, message);
    match failure {
        Failure::History(error) => state(format!("can't tell which earlier generations there are: {error}"))
            .hint("nothing was changed; look at the folder of the vault, and try again"),
        Failure::NoSuchGeneration { generation, kept } if kept.is_empty() => {
            state(format!("generation {generation} is not kept beside the vault, and no other is"))
        }
        Failure::NoSuchGeneration { generation, .. } => {
            state(format!("generation {generation} is not kept beside the vault"))
                .hint("`vault history` lists those that are")
        }
        Failure::GenerationDoesNotOpen { generation } => {
            Report::new(Status::NotTrusted, format!("generation {generation} can't be read, or is not of this vault"))
                .hint("`vault history` says why")
        }
        Failure::RotationUnfinished(name) => {
            state(format!("a rotation of `{name}` is unfinished; its keys can't be changed or taken away now"))
                .hint(finish_rotation(name.as_str()))
        }
        Failure::NotRestored { names } => {
            let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
            Report::new(Status::AwsRefused, format!("AWS does not take the access keys of {}", names.join(", ")))
                .hint("`--with-keys` takes those of the generation named; `--no-verify` does not ask AWS")
        }
        _ => internal(),
    }
}

/// Who can't wait for the end of a grace has another way.
pub fn finish_rotation(name: &str) -> String {
    format!("finish it first: `vault rotate {name} --resume`, or in its grace `vault rotate {name} --now --force`")
}
