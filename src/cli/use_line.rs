//! The line that tries a profile with the AWS CLI.

use crate::aws_files::config::ConfigFile;
use crate::names::{ProfileName, Region};

use super::failure::Failure;
use super::settings;
use super::world::World;

/// With a region where AWS tools find none by themselves; `written`: it was just written for them.
pub fn of(
    profile: &ProfileName,
    written: bool,
    config: &ConfigFile,
    region: &Region,
    world: &World,
) -> Result<String, Failure> {
    let region = match written || tools_know_a_region(profile, config, world)? {
        true => String::new(),
        false => format!(" --region {region}"),
    };
    Ok(format!("use: aws --profile {profile}{region} sts get-caller-identity"))
}

/// The AWS CLI refuses even `sts` without one, and takes none from `[default]` for another profile.
pub fn tools_know_a_region(profile: &ProfileName, config: &ConfigFile, world: &World) -> Result<bool, Failure> {
    let in_config = || Ok::<_, Failure>(config.profile(profile)?.is_some_and(|it| it.line_of("region").is_some()));
    Ok(settings::named_region(world)?.is_some() || in_config()?)
}
