//! Two keys of one profile, ours and another vault's: AWS is asked of both before either is believed.

use crate::aws::{AwsError, Refusal};
use crate::cli::failure::Failure;
use crate::cli::key_check::{self, Checked};
use crate::cli::world::World;
use crate::import::found::FoundKey;
use crate::import::plan::Conflict;
use crate::import::rivals::{Rival, Winner, winner};
use crate::store::document::{Profile, StoredAccessKey};

pub enum Verdict {
    Ours,
    Theirs,
    Nobody(Conflict),
}

/// `theirs` is what AWS said of the other vault's key.
pub fn compare(
    ours: &Profile,
    held: &StoredAccessKey,
    key: &FoundKey,
    theirs: Result<&Checked, &Failure>,
    world: &World,
) -> Result<Verdict, Failure> {
    // Where another endpoint answered for our key, this one knows nothing of it and would call it dead.
    if held.verified.is_some() && held.endpoint != key_check::endpoint(world)? {
        return Ok(Verdict::Nobody(Conflict::Taken));
    }
    let theirs_active = match theirs {
        Ok(_) => true,
        Err(failure) if is_dead(failure) => false,
        // The caller has this failure at hand, and fails with it.
        Err(_) => return Ok(Verdict::Theirs),
    };
    let answer = match key_check::check(&held.access_key(), ours.region.as_ref(), world) {
        Err(failure) if !is_dead(&failure) => return Err(failure),
        answer => answer.ok(),
    };
    let rival = Rival { added: Some(held.added), active: answer.is_some() };
    if winner(rival, Rival { added: key.added, active: theirs_active }) == Winner::Ours {
        return Ok(Verdict::Ours);
    }
    // What a vault says of its keys' owners is its own word; AWS's counts. A stranger's key is never the newer one of ours.
    let owner = answer.map(|checked| checked.identity.arn).or_else(|| held.user_arn.clone());
    let same_user = owner.is_some_and(|owner| theirs.is_ok_and(|checked| checked.identity.arn == owner));
    Ok(if same_user { Verdict::Theirs } else { Verdict::Nobody(Conflict::OtherUser) })
}

/// AWS says that the key does not work.
fn is_dead(failure: &Failure) -> bool {
    matches!(
        failure,
        Failure::KeyCheck {
            error: AwsError::Refused { refusal: Refusal::UnknownKey | Refusal::SignatureMismatch, .. },
            ..
        }
    )
}
