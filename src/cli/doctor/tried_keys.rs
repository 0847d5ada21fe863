//! Whether AWS takes the access keys of the vault. Each is asked of where it is used, by a call that any key may make.

use std::rc::Rc;

use crate::aws::{AwsError, Refusal, Signer};
use crate::aws_files::config::ConfigFile;
use crate::cli::failure::Failure;
use crate::cli::refused_key::RefusedKey;
use crate::cli::report::{self, Report};
use crate::cli::resolved::Resolved;
use crate::cli::sign_in_args::SignInArgs;
use crate::cli::world::World;
use crate::names::ProfileName;
use crate::rotate::due::due;

use super::finding::Finding;
use super::inside::Inside;

const ABOUT: &str = "access key";

/// So many calls, one after the other, are no reason to wonder where it hangs.
const MOST: usize = 10;

/// `name` is the profile that was asked about; else all of them, where they are few.
pub fn look<'a>(name: Option<&ProfileName>, inside: &Inside<'a>, world: &World<'a>) -> Vec<Finding> {
    let Inside::Open(vault) = inside else { return Vec::new() };
    // What is wrong with it is told where AWS tools' files are looked at.
    let Ok(config) = ConfigFile::load(world.disk, &world.paths.aws_config).map(Rc::new) else { return Vec::new() };
    let names = match name {
        Some(name) => vec![name.clone()],
        None => due(vault.document()).into_iter().filter_map(|key| key.profiles.into_iter().next()).collect(),
    };
    if names.len() > MOST {
        let found = format!("{} in the vault, and AWS was asked of none", names.len());
        return vec![Finding::note(ABOUT, found).next("`vault doctor NAME` asks of that profile's")];
    }
    let mut silent = Vec::new();
    let mut findings = Vec::new();
    for name in names {
        match Resolved::in_vault(vault, config.clone(), name, &SignInArgs::default(), world) {
            Ok(resolved) => findings.extend(tried(&resolved, &mut silent, world)),
            // Such as one that was checked elsewhere than it would be sent to now.
            Err(failure @ Failure::Ladder(_)) => findings.push(note(&failure)),
            // A profile that leads to none is another look's.
            Err(_) => {}
        }
    }
    findings
}

/// `silent` are the endpoints that gave no answer: each is waited for once.
fn tried(resolved: &Resolved, silent: &mut Vec<Option<String>>, world: &World) -> Option<Finding> {
    let endpoint = resolved.sts_endpoint();
    if silent.contains(&endpoint) {
        return None;
    }
    let (key, user) = (resolved.key(), resolved.user());
    let asked = resolved.aws(world).ok()?.caller_identity(&Signer::AccessKey(key));
    Some(match asked {
        Ok(_) => Finding::good(ABOUT, format!("AWS takes {} of `{user}`", key.id.short())),
        Err(error @ (AwsError::Network { .. } | AwsError::Unreadable { .. })) => {
            silent.push(endpoint);
            Finding::note(ABOUT, format!("not known of {} of `{user}`: {}", key.id.short(), report::aws::words(&error)))
        }
        Err(error) => refused(&error, resolved),
    })
}

fn refused(error: &AwsError, resolved: &Resolved) -> Finding {
    let AwsError::Refused { refusal, .. } = error else { return Finding::problem(ABOUT, report::aws::words(error)) };
    let report = match refusal {
        Refusal::UnknownKey => Report::of(&Failure::KeyRefused(RefusedKey::of(resolved))),
        _ => report::aws::key_refusal(error, &resolved.key().id),
    };
    let finding = match refusal {
        // It says nothing of the key.
        Refusal::Throttled | Refusal::Unavailable | Refusal::ClockSkew => Finding::note(ABOUT, report.message),
        Refusal::SignatureMismatch => {
            Finding::problem(ABOUT, report.message).next(format!("`vault add {} --replace`", resolved.user()))
        }
        _ => Finding::problem(ABOUT, report.message),
    };
    report.hint.into_iter().fold(finding, Finding::next)
}

fn note(failure: &Failure) -> Finding {
    let Report { message, hint, .. } = Report::of(failure);
    hint.into_iter().fold(Finding::note(ABOUT, message), Finding::next)
}
