//! Words about sessions in `~/.aws/credentials` whose access key was replaced.

use jiff::Timestamp;

use crate::cli::escape::escape;
use crate::cli::failure::Failure;
use crate::cli::world::World;
use crate::names::ProfileName;

use super::Report;
use super::point_in_time::minute;

fn place(world: &World) -> String {
    escape(&world.paths.shown(&world.paths.aws_credentials))
}

pub fn written_anew(world: &World, section: &ProfileName, until: Timestamp) {
    world.say(&format!("[{section}] in {} is written anew, good until {}", place(world), minute(until)));
}

pub fn not_written_anew(world: &World, section: &ProfileName, until: Timestamp, why: &Failure) {
    let (place, why) = (place(world), Report::of(why).message);
    world.warn(&format!("[{section}] in {place} was not written anew: {why}; it stays good until {}", minute(until)));
}

pub fn stays_good(world: &World, sections: &[(ProfileName, Timestamp)]) {
    let Some(until) = sections.iter().map(|(_, until)| until).min() else { return };
    let names: Vec<String> = sections.iter().take(3).map(|(name, _)| format!("[{name}]")).collect();
    let more = sections.len() - names.len();
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    let stay = if sections.len() == 1 { "stays" } else { "stay" };
    world.say(&format!("{}{more} in {} {stay} good until {} at least", names.join(", "), place(world), minute(*until)));
}
