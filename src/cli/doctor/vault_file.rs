//! The vault's file: whether it is there, whose it is, and who else can get at it.

use crate::cli::failure::Failure;
use crate::cli::report::Report;
use crate::cli::world::World;
use crate::disk::Kind;
use crate::store::file::LoadError;

use super::finding::Finding;
use super::folders::{foreign, open_to_others, place};
use super::inside::Inside;

const ABOUT: &str = "vault";

pub fn look(inside: &Inside, world: &World) -> Finding {
    let path = &world.paths.vault;
    let shown = world.paths.shown(path);
    match world.disk.status_at(path) {
        Ok(None) => missing(&shown, world),
        Err(error) => Finding::problem(ABOUT, format!("{shown} can't be looked at: {error}")),
        Ok(Some(status)) if status.kind != Kind::File => {
            Finding::problem(ABOUT, format!("{shown} is not a regular file"))
        }
        Ok(Some(status)) => foreign(ABOUT, &shown, &status)
            .or_else(|| open_to_others(ABOUT, &shown, &status, 0o077))
            .map(|finding| finding.at(place(path, world).display()))
            .unwrap_or_else(|| for_you_alone(&format!("{shown}, {} bytes, for you alone", status.size), inside)),
    }
}

/// A file that is no sound vault is not well, whoever may read it.
fn for_you_alone(what: &str, inside: &Inside) -> Finding {
    match inside {
        Inside::Failed(_) => Finding::note(ABOUT, what),
        _ => Finding::good(ABOUT, what),
    }
}

/// Whoever had one here does not want another, but that one back.
fn missing(shown: &str, world: &World) -> Finding {
    match world.place().load() {
        Err(error @ LoadError::Gone(_)) => {
            let Report { message, hint, .. } = Report::of(&Failure::Load(error));
            hint.into_iter().fold(Finding::problem(ABOUT, message), Finding::next)
        }
        _ => Finding::problem(ABOUT, format!("there is none at {shown}"))
            .next("`vault init` makes one, `vault import` one with the keys that lie in ~/.aws; or set VAULT_FILE"),
    }
}
