//! The line that tries a profile with the AWS CLI.

use crate::aws_files::config::ConfigFile;
use crate::aws_files::credentials::CredentialsFile;
use crate::names::{ProfileName, Region};

use super::failure::Failure;
use super::world::World;

/// With a region where AWS tools find none by themselves.
pub fn of(profile: &ProfileName, region: Option<&Region>) -> String {
    let region = region.map(|region| format!(" --region {region}")).unwrap_or_default();
    format!("use: aws --profile {profile}{region} sts get-caller-identity")
}

/// The AWS CLI refuses even `sts` without one, and takes none from `[default]` for another profile. Its version 1 and boto3 know
/// one of the two variables alone (botocore's configprovider.py).
pub fn tools_know_a_region(profile: &ProfileName, config: &ConfigFile, world: &World) -> Result<bool, Failure> {
    let by_variable = world.name_in::<Region>("AWS_DEFAULT_REGION")?.is_some();
    // One that we would not take is one all the same.
    let in_config = || Ok::<_, Failure>(config.profile(profile)?.is_some_and(|it| !matches!(it.region(), Ok(None))));
    let in_credentials = || {
        let file = CredentialsFile::load(world.disk, &world.paths.aws_credentials);
        file.is_ok_and(|file| file.section(profile.as_str()).is_some_and(|section| section.names_region))
    };
    Ok(by_variable || in_config()? || in_credentials())
}
