//! A login has what a rotation needs: an open vault, a session with MFA, and a person. So what is due of the key is done then.

use crate::cli::failure::{Failure, Need};
use crate::cli::report;
use crate::cli::resolved::Resolved;
use crate::cli::terminal::Terminal;
use crate::cli::world::World;
use crate::rotate::due::Next;
use crate::store::document::RotateOnLogin;
use crate::store::vault::Closed;

use super::outcome::Outcome;
use super::{Args, rotate};

/// What is to be done after the login.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Due {
    Nothing,
    /// Only to be told of.
    Told,
    /// If the person wants it.
    Asked,
    /// Agreed to before, so that nobody is bothered.
    ByItself,
    /// Asked for on the command line.
    Done,
}

/// `wanted` is `--rotate`.
pub fn due(resolved: &Resolved, wanted: bool, world: &World) -> Due {
    let next = resolved.key_due.as_ref().and_then(|key| key.next());
    let Some(next) = next.filter(|next| next.is_due(world.clock.now())) else { return Due::Nothing };
    match (&next, &resolved.rotate_on_login) {
        (Next::Unreadable, _) => Due::Nothing,
        _ if wanted => Due::Done,
        (_, RotateOnLogin::Always) => Due::ByItself,
        (_, RotateOnLogin::Never) => Due::Told,
        // That was agreed to when the old key was switched off.
        (Next::Delete { .. }, _) => Due::ByItself,
        (Next::Rotate { .. } | Next::Resume { .. }, _) => Due::Asked,
    }
}

/// Says whether anything was done. `fresh`: the session was made just now, so that no other code is needed.
pub fn after_login<'a>(
    resolved: &Resolved,
    due: Due,
    fresh: bool,
    vault: &Closed<'a>,
    world: &World<'a>,
) -> Result<bool, Failure> {
    let agreed = match due {
        Due::Done => true,
        // With the code that was just given; nobody is asked for another.
        Due::ByItself => fresh || !resolved.has_mfa(),
        Due::Asked if fresh => ask(resolved, world)?,
        Due::Asked | Due::Told | Due::Nothing => false,
    };
    if !agreed {
        return Ok(false);
    }
    let args = Args { due_only: true, ..Args::of(vec![resolved.user().clone()]) };
    let rotated = vault.open().map_err(Failure::from).and_then(|vault| Outcome::end(rotate(&args, vault, world)?));
    match rotated {
        // The login itself went well, and was all that somebody asked for.
        Err(failure) if due == Due::ByItself => report::due::not_done(world, &failure),
        rotated => rotated?,
    }
    Ok(true)
}

/// Nobody there: not now. Who has no time for it is not held up.
fn ask(resolved: &Resolved, world: &World) -> Result<bool, Failure> {
    let Ok(mut terminal) = Terminal::open() else { return Ok(false) };
    let Some(question) = resolved.key_due.as_ref().and_then(|key| report::due::question(key, world.clock.now())) else {
        return Ok(false);
    };
    terminal.confirm(&question, true).map_err(|error| Failure::prompt(error, Need::Confirmation { flag: "--rotate" }))
}
