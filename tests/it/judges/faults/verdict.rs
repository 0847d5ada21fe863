//! Whether what stands after a fault is what was promised, and what was said of it is true.

use std::collections::BTreeSet;

use vault::store::document::Document;

use super::saving::{Found, OTHER_SECRET};
use super::stage::Stage;
use super::strace::Fault;
use crate::program::{Output, files_below};

pub fn judge(stage: &Stage, fault: &Fault, output: &Output) -> Result<Found, String> {
    let found = stage.found()?;
    let done = (stage.command.done)(&found);
    nothing_is_lost(&stage.before, &found, done)?;
    judge_recovery_key(stage, fault, output, done)?;
    match stage.case.secrets_left().as_slice() {
        [] => {}
        left => return Err(format!("secrets lie around: {}", left.join(", "))),
    }
    judge_words(fault, output, done)
        .map_err(|why| format!("{why}: {:?}, {}{}", output.status, output.out, output.err))?;
    Ok(found)
}

fn nothing_is_lost(before: &Found, found: &Found, done: bool) -> Result<(), String> {
    if let Some(document) = &before.document {
        let now = found.document.as_ref().ok_or("the vault is gone")?;
        let missing: Vec<_> = secrets(document).difference(&secrets(now)).map(|_| "a secret").collect();
        if !missing.is_empty() {
            return Err(format!("the vault lost {}", missing.join(", ")));
        }
        let changed: Vec<_> = document.profiles.keys().filter(|name| told(document, name) != told(now, name)).collect();
        if !done && !changed.is_empty() {
            return Err(format!("not done, and yet these are not as before: {changed:?}"));
        }
    }
    let section = found.section().ok_or("what is not ours in the credentials file is not as before")?;
    let new = found.no_session_is_written() || found.session_is_written();
    if found.credentials != before.credentials && !new {
        return Err(format!("the credentials file is neither old nor new: {section}"));
    }
    let their_key_stood = before.credentials.contains(OTHER_SECRET);
    let in_vault = found.document.as_ref().is_some_and(|document| secrets(document).contains(OTHER_SECRET));
    if their_key_stood && !found.credentials.contains(OTHER_SECRET) && !in_vault {
        return Err("a long-term key of the credentials file is lost".to_owned());
    }
    Ok(())
}

fn secrets(document: &Document) -> BTreeSet<String> {
    let keys = document.profiles.values().filter_map(|profile| profile.access_key.as_ref());
    keys.map(|key| key.secret.expose().to_owned()).collect()
}

fn told(document: &Document, name: &vault::names::ProfileName) -> Option<String> {
    document.profiles.get(name).map(|profile| toml::to_string(profile).unwrap())
}

/// A recovery key that was written opens the vault, and one that opens nothing is not left to be trusted.
fn judge_recovery_key(stage: &Stage, fault: &Fault, output: &Output, done: bool) -> Result<(), String> {
    let file = stage.recovery_key();
    if !stage.command.writes_a_recovery_key() {
        return Ok(());
    }
    if !done {
        // Nobody takes it back after a kill, or where files can't be removed.
        let may_be_left = output.status.code().is_none() || fault.lasts() || fault.call.starts_with("unlink");
        return if may_be_left || !file.exists() {
            Ok(())
        } else {
            Err("a recovery key of nothing is left".to_owned())
        };
    }
    let list = stage.case.vault(&["list"]).without_variable("VAULT_PASSPHRASE_FILE").variable("VAULT_IDENTITY", &file);
    let listed = stage.at_first_sight(list).run();
    let opens = listed.status.code() == Some(0);
    if opens { Ok(()) } else { Err(format!("the recovery key does not open the vault: {}", listed.err)) }
}

fn judge_words(fault: &Fault, output: &Output, done: bool) -> Result<(), &'static str> {
    let Some(code) = output.status.code() else {
        return if fault.kills() { Ok(()) } else { Err("died") };
    };
    if code == 0 {
        return if done { Ok(()) } else { Err("says that it is done, and it is not") };
    }
    if !matches!(code, 1..=8) || output.err.contains("internal error") || output.err.contains("panicked") {
        return Err("a bug, by its own words");
    }
    // A fault of `write` may be one of writing the message.
    if fault.call != "write" && !output.err.contains("vault: error: ") {
        return Err("no word of what went wrong");
    }
    Ok(())
}

/// The next save works, loses nothing either, and sweeps up what this one left.
pub fn judge_the_next_save(stage: &Stage, before: &Found) -> Result<(), String> {
    let output = stage.save_again();
    if output.status.code() != Some(0) {
        return Err(format!("the next save: {:?}, {}", output.status, output.err));
    }
    let found = stage.found().map_err(|why| format!("after the next save: {why}"))?;
    nothing_is_lost(before, &found, true).map_err(|why| format!("after the next save: {why}"))?;
    nobody_opens_the_past_alone(&found)?;
    let names = files_below(&stage.case.home()).into_iter().map(|path| path.display().to_string());
    let left: Vec<String> = names.filter(|name| is_temporary(name)).collect();
    if left.is_empty() { Ok(()) } else { Err(format!("the next save left {}", left.join(", "))) }
}

/// Who was shut out opens no earlier generation either.
fn nobody_opens_the_past_alone(found: &Found) -> Result<(), String> {
    let recipients = |document: &Document| -> BTreeSet<String> {
        document.recipients.iter().map(|one| one.recipient.clone()).collect()
    };
    let now = found.document.as_ref().map(recipients).unwrap_or_default();
    match found.kept.iter().find(|kept| !recipients(kept).is_subset(&now)) {
        Some(kept) => Err(format!("after the next save generation {} opens for others", kept.meta.generation)),
        None => Ok(()),
    }
}

fn is_temporary(path: &str) -> bool {
    path.ends_with(".tmp") || path.contains(".credentials.vault-") && !path.ends_with("-lock")
}
