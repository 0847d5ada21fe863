//! This machine's clock beside AWS's.

use crate::aws::{Aws, AwsError};
use crate::cli::failure::Failure;
use crate::cli::report;
use crate::cli::settings;
use crate::cli::world::World;
use crate::clock::NOTABLE_OFFSET;
use crate::duration;
use crate::names::{Endpoints, Region};

use super::finding::Finding;

const ABOUT: &str = "clock";

pub fn look(world: &World) -> Finding {
    let aws = match aws(world) {
        Ok(aws) => aws,
        // What is wrong with a variable is told where those are looked at.
        Err(Failure::Endpoint(_)) => return Finding::note(ABOUT, "AWS was not asked: a variable leads to no endpoint"),
        Err(failure) => return Finding::problem(ABOUT, report::Report::of(&failure).message),
    };
    match aws.ask_the_time() {
        Ok(offset) if offset.unsigned_abs() < NOTABLE_OFFSET => {
            Finding::good(ABOUT, format!("{} off AWS's", duration::words(offset.unsigned_abs())))
        }
        Ok(offset) => {
            let direction = if offset.is_negative() { "ahead of" } else { "behind" };
            let found = format!(
                "{} {direction} AWS's, which refuses what is 5 minutes off",
                duration::words(offset.unsigned_abs())
            );
            Finding::problem(ABOUT, found).next("set it, or have it kept right: `timedatectl set-ntp true`")
        }
        Err(error) => unreachable_words(&error),
    }
}

fn aws(world: &World) -> Result<Aws, Failure> {
    let endpoints = Endpoints::from_environment(&world.environment, None)?;
    let region = settings::named_region(world)?.unwrap_or_else(Region::fallback);
    Ok(Aws::with_ca_bundle(region, endpoints, world.ca_bundle()?))
}

fn unreachable_words(error: &AwsError) -> Finding {
    let report = report::aws::report(error);
    let finding = Finding::problem("network", report.message);
    match report.hint {
        Some(next) => finding.next(next),
        None => finding,
    }
}
