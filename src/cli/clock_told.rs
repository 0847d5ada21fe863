//! A word to the person where this machine's clock is wrong.

use jiff::SignedDuration;

use crate::aws::Aws;
use crate::clock::NOTABLE_OFFSET;
use crate::duration;

use super::world::World;

/// Says so when this machine's clock is wrong.
pub fn warn_about_clock(world: &World, aws: &Aws) {
    if aws.clock_offset().is_some() {
        warn_about_notable_offset(world, aws.now().duration_since(world.clock.now()));
    }
}

/// AWS's clock minus ours.
pub fn warn_about_notable_offset(world: &World, offset: SignedDuration) {
    if offset.unsigned_abs() >= NOTABLE_OFFSET {
        warn_about_offset(world, offset);
    }
}

/// Our own calls work all the same, since they are signed by AWS's clock; other tools' may not.
pub fn warn_about_offset(world: &World, offset: SignedDuration) {
    if world.clock_is_told.replace(true) {
        return;
    }
    let direction = if offset.is_negative() { "ahead of" } else { "behind" };
    let apart = duration::words(offset.unsigned_abs());
    world.warn(&format!(
        "this machine's clock is {apart} {direction} AWS's; correct it, or other tools' calls may be refused"
    ));
}
