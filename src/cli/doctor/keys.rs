//! What is in the vault, where it can be opened without asking anybody: keys that are too old, rotations that are not over,
//! and the schedule that is to see to both.

use crate::cli::failure::Failure;
use crate::cli::report::{Report, due as words, schedule};
use crate::cli::schedule as scheduled;
use crate::cli::world::World;
use crate::rotate::due::{KeyDue, due};
use crate::rotate::last_run::LastRun;
use crate::store::file::LoadError;
use crate::store::untrusted::Untrusted;
use crate::store::vault::Vault;

use super::finding::Finding;
use super::folders::place;
use super::inside::Inside;

const ABOUT: &str = "keys";

pub fn look(inside: &Inside, world: &World) -> Vec<Finding> {
    let mut findings = match inside {
        Inside::NoVault => return Vec::new(),
        Inside::Open(vault) => of_vault(vault, world),
        Inside::Locked => vec![
            Finding::note(ABOUT, "the vault is locked, and what is in it was not looked at")
                .next("`vault unlock`, then again"),
        ],
        Inside::Failed(failure) => vec![failed(failure, world)],
    };
    findings.extend(last_run(world));
    findings
}

fn failed(failure: &Failure, world: &World) -> Finding {
    let Report { message, hint, .. } = Report::of(failure);
    let finding = hint.into_iter().fold(Finding::problem("vault", message), Finding::next);
    match failure {
        Failure::Load(LoadError::Untrusted(Untrusted::Owner { path, .. } | Untrusted::Writable { path, .. })) => {
            finding.at(place(path, world).display())
        }
        Failure::NoPathInVariable { variable } | Failure::BadFingerprint { variable, .. } => finding.at(variable),
        _ => finding,
    }
}

fn of_vault(vault: &Vault, world: &World) -> Vec<Finding> {
    let keys = due(vault.document());
    let limited = keys.iter().filter(|key| key.limit.is_some()).count();
    let mut findings: Vec<Finding> = keys.iter().filter_map(|key| of_key(key, world)).collect();
    if findings.is_empty() {
        let count = keys.len();
        findings.push(match count - limited {
            0 => Finding::good(ABOUT, format!("{count} in the vault, none too old, no rotation to finish")),
            _ => Finding::note(
                ABOUT,
                format!("{count} in the vault, {} of them with no age at which they are due", count - limited),
            )
            .next("`vault set --vault rotate_every=90d`, then `vault schedule install`"),
        });
    }
    if limited > 0 && scheduled::is_installed(world) == Some(false) {
        findings.push(
            Finding::note("schedule", "none: keys that are due wait for `vault rotate --due`, or a login")
                .next("`vault schedule install`"),
        );
    }
    findings
}

fn of_key(key: &KeyDue, world: &World) -> Option<Finding> {
    let now = world.clock.now();
    if !key.is_due(now) {
        return None;
    }
    let names: Vec<&str> = key.profiles.iter().map(|name| name.as_str()).collect();
    let words = words::next(key, now).unwrap_or_default();
    let found = format!("{} of {}, {} old: {words}", key.key.short(), names.join(", "), words::age(key, now));
    let waits = key.waits(now).zip(key.pending.as_ref()).map(|(until, pending)| words::waits(&pending.profile, until));
    let goes_on = || key.pending.as_ref().map(|pending| format!("`vault rotate {} --resume`", pending.profile));
    let next = waits.or_else(goes_on).unwrap_or_else(|| "`vault rotate --due`".to_owned());
    Some(Finding::problem(ABOUT, found).next(next))
}

fn last_run(world: &World) -> Option<Finding> {
    match LastRun::last(world.disk, &world.paths.state) {
        Ok(run) => {
            let run = run?;
            if let Some(failed) = schedule::last_run_failed(&run) {
                return Some(Finding::problem("schedule", failed).next(schedule::next_step(&run)));
            }
            let is_missed = run.is_long_ago(world.clock.now()) && scheduled::is_installed(world) == Some(true);
            is_missed.then(|| {
                Finding::problem("schedule", schedule::none_since(&run))
                    .next("`vault schedule status` says what starts it")
            })
        }
        Err(why) => Some(Finding::problem("schedule", schedule::last_run_unreadable(&why))),
    }
}
