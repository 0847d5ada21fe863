//! Which profile AWS tools mean where none is named to them.

use crate::names::ProfileName;
use crate::paths::Environment;

use super::finding::Finding;

const ABOUT: &str = "profile";

/// The AWS CLI and boto3 look at the second one first (botocore's configprovider.py); other tools know only AWS_PROFILE.
const ALL: &str = "AWS_PROFILE";
const CLI_ONLY: &str = "AWS_DEFAULT_PROFILE";

pub struct Meant {
    pub name: ProfileName,
    pub by: By,
}

/// Who says so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum By {
    Person,
    Variable(&'static str),
    /// It is what tools take that are told none.
    Nothing,
}

/// Of the AWS CLI and boto3, and what there is to say of how they come to it.
pub fn by_variables(environment: &Environment) -> (Option<Meant>, Vec<Finding>) {
    let text = |variable| environment.get(variable).map(|value| value.to_string_lossy());
    let (all, cli_only) = (text(ALL), text(CLI_ONLY));
    let differ = cli_only.as_ref().filter(|cli_only| all.as_ref() != Some(cli_only)).map(|own| match &all {
        Some(all) => Finding::problem(
            ABOUT,
            format!("the AWS CLI and boto3 go by {CLI_ONLY} (`{own}`), other tools by {ALL} (`{all}`)"),
        )
        .next(format!("`unset {CLI_ONLY}`")),
        None => Finding::note(ABOUT, format!("{CLI_ONLY} is for the AWS CLI and boto3; other tools don't look at it"))
            .next(format!("set {ALL} instead")),
    });
    let mut findings: Vec<Finding> = differ.into_iter().collect();
    let Some((variable, value)) = cli_only.map(|value| (CLI_ONLY, value)).or(all.map(|value| (ALL, value))) else {
        return (None, findings);
    };
    match value.parse() {
        Ok(name) => (Some(Meant { name, by: By::Variable(variable) }), findings),
        Err(error) => {
            findings.push(Finding::note(ABOUT, format!("{variable} names a profile that was not looked at: {error}")));
            (None, findings)
        }
    }
}
