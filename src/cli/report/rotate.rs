//! Words about replacing access keys. Whatever went wrong, they say which keys work, and the next command.

use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::aws::{AwsError, KeyUse, LastUse, Refusal};
use crate::cli::escape::escape;
use crate::cli::rotate::{KeyShown, RotateFailure, Why};
use crate::cli::world::World;
use crate::duration;
use crate::names::{AccessKeyId, ProfileName};
use crate::process::RunError;
use crate::rotate::ledger::LedgerError;
use crate::rotate::lock::LockTaken;
use crate::rotate::plan::{End, State};
use crate::rotate::preview::Deed;
use crate::rotate::run::{News, Rotation};
use crate::rotate::stop::Stop;
use crate::store::seal::UnsealError;
use crate::store::vault::{NotCommitted, ReopenError};

use super::{Report, Status, aws, trust};

/// What happens, as it happens.
pub fn rotation_news(world: &World, profile: &ProfileName, news: &News) {
    let words = match news {
        News::UseUnknown { key } => return use_unknown(world, profile, key),
        News::Created { new } => format!("new key {} is made and saved", new.short()),
        News::Adopted { new } => {
            format!("new key {} is saved in a file beside the vault; going on with it", new.short())
        }
        News::Proving { key } => format!("trying {} until it works everywhere ...", key.short()),
        News::Replaced { old, new } => {
            format!("{} is in use from now on, in the place of {}", new.short(), old.short())
        }
        News::SwitchedOff { key } => format!("{} is switched off", key.short()),
        News::SwitchedOn { key } => format!("{} is switched on again", key.short()),
        News::Deleted { key } => format!("{} is deleted", key.short()),
        News::Gone { key } => format!("somebody deleted {}; the vault forgets it", key.short()),
        News::ListAwaited { until } => {
            format!("waiting until {} UTC for AWS's list of keys to show all that was made ...", until.strftime("%T"))
        }
        News::ReplyLost => "AWS's answer was lost; its list will show whether a key was made".to_owned(),
    };
    world.say(&format!("{profile}: {words}"));
}

/// Whether somebody else would miss the key can't be known then.
fn use_unknown(world: &World, profile: &ProfileName, key: &AccessKeyId) {
    world.warn(&format!(
        "{profile}: use unknown: AWS does not let the user ask when {} was last used (iam:GetAccessKeyLastUsed)",
        key.short()
    ));
    world.hint(&format!("the policy `vault policy show self-rotate-with-mfa --profile {profile}` allows it"));
}

/// By calls that may be ours and may be anybody's.
pub fn strange_use(world: &World, profile: &ProfileName, key: &AccessKeyId, last: &LastUse) {
    world.warn(&format!(
        "{profile}: {} was last used {} by {} in {}, and this machine's log has no call by it near that time: another machine \
         with this vault, or somebody else",
        key.short(),
        moment(last.at),
        escape(&last.service),
        escape(&last.region)
    ));
}

/// In the place of a code that would be asked for.
pub fn session_at_hand(age: Duration) -> String {
    format!("use the session with MFA that is at hand, {} old: no code is needed", duration::words(age))
}

/// Something that a rotation would do.
pub fn deed(deed: &Deed) -> String {
    let key = |key: &Option<AccessKeyId>| key.as_ref().map_or_else(|| "the new key".to_owned(), AccessKeyId::short);
    match deed {
        Deed::AskCode => "ask for an MFA code".to_owned(),
        Deed::Create => "make a new key, and save it in the vault".to_owned(),
        Deed::Prove(id) => format!("try {} until it works everywhere", key(id)),
        Deed::Use(id) => format!("use {} from then on", key(id)),
        Deed::SwitchOff(id) => format!("switch {} off", key(id)),
        Deed::SwitchOn(id) => format!("switch {} on again", id.short()),
        Deed::Delete(id) => format!("delete {}", key(id)),
        Deed::Finish => "that is the end of the rotation".to_owned(),
    }
}

/// Where it would rest, or what is in its way.
pub fn ended_words(failure: &RotateFailure) -> Option<String> {
    match &failure.why {
        Why::End(End::Grace { old, until }) => Some(format!("delete {} after {}", old.short(), day(*until))),
        Why::End(End::AlreadyUndone { old, until }) => {
            Some(format!("nothing: it is undone already; {} is deleted after {}", old.short(), day(*until)))
        }
        Why::End(End::Done) => None,
        Why::End(End::OldKept { old }) => Some(format!("leave {} active", old.short())),
        Why::End(End::Young { created }) => {
            Some(format!("nothing: the key is younger than that, made {}", day(*created)))
        }
        _ => Some(report(failure).message),
    }
}

/// A key that may be the one whose making was never answered.
pub fn orphan(world: &World, rotation: &Rotation, key: &AccessKeyId) {
    let made = rotation.keys.iter().find(|listed| listed.id == *key).map(|listed| moment(listed.created));
    let made = made.map(|made| format!(", made {made}")).unwrap_or_default();
    let sent = match rotation.state() {
        Some(State::Intended { since }) => format!(" when this program asked for one at {}", moment(*since)),
        _ => String::new(),
    };
    world.warn(&format!(
        "{}: {}{made} and never used (AWS may tell a use hours late), very likely is the key that AWS made{sent}; its secret is \
         lost",
        rotation.profile,
        key.short(),
    ));
}

pub fn report(failure: &RotateFailure) -> Report {
    match &failure.why {
        Why::End(end) => ended(failure, end),
        Why::Stop(stop) => stopped(failure, stop),
        Why::Interrupted => pending(failure, "interrupted", Status::Pending),
        Why::OtherKeyWorks { key } => other_key_works(&failure.profile, key),
        Why::OtherKeyOff { key } => other_key_off(&failure.profile, key),
        Why::NoneUnderWay => Report::new(Status::State, format!("{}: no rotation is under way", failure.profile)),
        Why::OtherKeyNotTried(error) => other_key_not_tried(&failure.profile, error),
        Why::NoCode(why) => {
            let Report { message, hint, status } = Report::of(why);
            let report = pending(failure, message.trim_end_matches("; nothing was changed"), status);
            match hint {
                Some(hint) => {
                    let and = if hint.ends_with('?') { "" } else { ";" };
                    let (name, flag) = (&failure.profile, failure.goes_on_by);
                    report.hint(format!("{hint}{and} it goes on by `vault rotate {name} {flag}`"))
                }
                None => report,
            }
        }
        Why::NewKeyTaken(why) => {
            let (name, why) = (&failure.profile, Report::of(why));
            let told =
                format!("{name}: AWS does not take its new key any more, and the old one is off: {}", why.message);
            Report::new(why.status, told)
                .hint(format!("`vault rotate {name} --undo` switches the old one on, by a code"))
        }
    }
}

fn other_key_works(name: &ProfileName, key: &AccessKeyId) -> Report {
    let words = format!("{name}: {} works, and the vault would forget it; nothing was changed", key.short());
    Report::new(Status::State, words)
        .hint(format!("`vault rotate {name} --resume` goes on with it; `--give-up --force` forgets it all the same"))
}

fn other_key_off(name: &ProfileName, key: &AccessKeyId) -> Report {
    let words =
        format!("{name}: {} was switched off by this rotation and can be taken back; nothing was changed", key.short());
    Report::new(Status::State, words).hint(format!(
        "`vault rotate {name} --resume` goes on, `--undo` takes it back, `--now --force` deletes it; `--give-up --force` forgets it"
    ))
}

fn other_key_not_tried(name: &ProfileName, error: &AwsError) -> Report {
    let Report { message, status, .. } = aws::report(error);
    Report::new(status, format!("{name}: whether the key that would be forgotten works is not known: {message}"))
        .hint("`--give-up --force` forgets it without asking AWS")
}

/// Of the schedule.
pub fn other_run(pid: Option<u32>) -> Report {
    let pid = pid.map(|pid| format!(", pid {pid}")).unwrap_or_default();
    Report::new(Status::State, format!("another scheduled run is going on{pid}"))
}

/// What is lost by it.
pub fn before_giving_up(world: &World, name: &ProfileName, was_tried: bool) {
    let tried = if was_tried { "AWS does not take it" } else { "AWS is not asked whether it works" };
    world.warn(&format!(
        "{name}: the vault has two keys of this rotation, and forgets the one that the profile does not use; {tried}"
    ));
    world.hint(&format!("`vault rotate {name} --resume` finishes it, as long as AWS takes one of them"));
}

pub fn gave_up(world: &World, name: &ProfileName, other: Option<&AccessKeyId>) {
    world.say(&format!("{name}: the rotation is forgotten"));
    if let Some(other) = other {
        world.hint(&format!("{} may be active at AWS still: `vault keys {name}` shows it", other.short()));
    }
}

/// For whoever wants nothing to be held.
pub fn goes_on(pid: Option<u32>) -> Report {
    let pid = pid.map(|pid| format!(", pid {pid}")).unwrap_or_default();
    Report::new(Status::State, format!("a rotation is under way and does not end{pid}; it holds access keys"))
        .hint("try again in a moment, or end that process: `vault rotate --resume` goes on where it was")
}

fn ended(failure: &RotateFailure, end: &End) -> Report {
    let (name, user) = (&failure.profile, user(failure));
    let resume = format!("`vault rotate {name}` goes on from there");
    let state = |words: String| Report::new(Status::State, format!("{name}: {words}"));
    let person = |words: String| Report::new(Status::PersonNeeded, format!("{name}: {words}"));
    match end {
        End::Done | End::Young { .. } | End::OldKept { .. } => state("nothing to do".into()),
        End::Grace { .. } | End::AlreadyUndone { .. } => state("nothing to do yet".into()),
        End::GraceNotOver { old, until } => {
            state(format!("{} is to be kept until {}, since it may be missed yet", old.short(), day(*until)))
                .hint(format!("`vault rotate {name} --now --force` deletes it now"))
        }
        End::NothingToUndo => state("no rotation is under way that could be undone".into()),
        End::OldKeyGone { old } => state(format!("{} was deleted, and can't be taken back", old.short())),
        End::TwoKeys => state(format!("{user} has two access keys, and AWS allows no third: {}", keys(failure)))
            .hint(format!("`vault rotate {name} --delete-key ID` deletes the one that nobody needs first")),
        End::InUse { key } if matches!(failure.state, Some(State::Retired { .. })) => {
            person(format!("somebody else uses {}, which is off now: {}", key.short(), keys(failure)))
                .hint(format!("`vault rotate {name} --force` deletes it{}", or_undo(failure)))
        }
        End::InUse { key } => person(format!("somebody else uses {}: {}", key.short(), keys(failure)))
            .hint("`--keep-old` makes a new key and leaves that one active, `--force` goes on all the same"),
        End::CurrentGone => state(format!("{user} has no key {} any more; it was deleted at AWS", current(failure)))
            .hint(format!("`vault add {name} --replace` stores another key")),
        End::CurrentOff => state(format!("{} of {user} is switched off at AWS", current(failure)))
            .hint("an administrator can switch it on again, in the console under Security credentials"),
        End::RotatedElsewhere => state(format!(
            "{} is off and {user} has a key that this vault does not: {}",
            current(failure),
            keys(failure)
        ))
        .hint("was it rotated on another machine? bring that vault here, it is the newer one"),
        End::Orphan { key, likely_ours } => {
            let whose = if *likely_ours {
                "very likely the one that AWS made when its answer was lost, and without its secret of no use"
            } else {
                "which this vault does not have; whether it is somebody else's can't be known"
            };
            person(format!("{user} has a key {}, {whose}: {}", key.short(), keys(failure))).hint(format!(
                "`vault rotate {name} --delete-key {}` deletes it, and goes on; until then {} works on",
                key.as_str(),
                current(failure)
            ))
        }
        End::NewKeyOff { new } => {
            person(format!("somebody switched the new key {} off; {} works on", new.short(), current(failure)))
                .hint(format!("once it is on again {resume}; `vault rotate {name} --undo` deletes it"))
        }
        End::OldKeyOn { old } => person(format!("somebody switched the {} key {} on again", replaced(failure), old.short()))
            .hint(format!("`vault rotate {name} --now` switches it off{}", or_undo(failure))),
        End::NoWorkingKey => state(format!("none of the keys that the vault has for {user} works any more")).hint(format!(
            "an administrator can switch one on again; or `vault rotate {name} --give-up`, then `vault add {name} --replace`"
        )),
        End::NotToDelete { key } => {
            state(format!("{} is not a key to delete: it is in use here, or not there, or a rotation is not over", key.short()))
        }
    }
}

/// Which of the two keys the profile does not have.
fn replaced(failure: &RotateFailure) -> &'static str {
    if failure.is_taken_back { "newer" } else { "old" }
}

/// The other way, where there is one.
fn or_undo(failure: &RotateFailure) -> String {
    match failure.is_taken_back {
        true => String::new(),
        false => format!(", `vault rotate {} --undo` takes it back", failure.profile),
    }
}

fn stopped(failure: &RotateFailure, stop: &Stop) -> Report {
    let name = &failure.profile;
    match stop {
        Stop::Aws(error) => {
            let Report { message, hint, status } = aws::report(error);
            let under_way = matches!(&failure.state, Some(state) if *state != State::Idle);
            let denied = matches!(error, AwsError::Refused { refusal: Refusal::AccessDenied, .. });
            let status = if under_way && !denied { Status::Pending } else { status };
            let report = pending(failure, &message, status);
            let on = if under_way { " --resume" } else { "" };
            match (denied, hint) {
                (true, _) => report.hint(format!(
                    "the policy `vault policy show self-rotate-with-mfa --profile {name}` allows it; then `vault rotate {name}{on}`"
                )),
                (false, _) if under_way && stop.is(&Refusal::UnknownKey) => report.hint(format!(
                    "`vault rotate {name} --resume` tries again; where both keys are gone at AWS, `vault rotate {name} --give-up`"
                )),
                (false, Some(hint)) if !under_way => report.hint(hint),
                (false, _) => report,
            }
        }
        Stop::Ledger(error @ LedgerError::NotDurable(_)) if failure.state == Some(State::Idle) => {
            stopped_there(failure, "at its end; the key in the vault works", &ledger(error), Status::Pending)
        }
        Stop::Ledger(error) => pending(failure, &ledger(error), Status::Pending),
        Stop::Lock(LockTaken::Running { pid }) => {
            let pid = pid.map(|pid| format!(", pid {pid}")).unwrap_or_default();
            Report::new(Status::State, format!("{name}: another rotation of this user is running{pid}"))
        }
        Stop::Lock(LockTaken::Lock { path }) => trust::not_a_lock(path),
        Stop::Lock(LockTaken::Io(error)) => {
            Report::new(Status::State, format!("{name}: the state folder takes no lock: {error}"))
        }
        Stop::NewKeyNotSaved { error, left: None } => Report::new(
            Status::State,
            format!("{name}: the new key could not be saved, and was deleted again: {}", ledger(error)),
        )
        .hint(format!(
            "the key in the vault works on; once a save succeeds again, `vault rotate {name}` makes another"
        )),
        Stop::NewKeyNotSaved { error, left: Some(left) } => Report::new(
            Status::State,
            format!(
                "{name}: the new key {left} could not be saved, nor deleted again: {}; the key in the vault works on",
                ledger(error)
            ),
        )
        .hint(format!("`vault rotate {name} --delete-key {left}` deletes it and makes another")),
        Stop::NotLive { key, error } => {
            let why = format!("the new key {} does not work yet ({})", key.short(), aws::words(error));
            stopped_there(failure, new_key_in_doubt(failure), &why, Status::Pending)
        }
        Stop::WrongUser { expected, found } => wrong_user(failure, expected, found),
        Stop::NotAUser { arn } => {
            Report::new(Status::State, format!("{name} is `{}`, and only IAM users' keys can be rotated", escape(arn)))
        }
        Stop::NoSuchKey { given } => Report::new(
            Status::State,
            format!("{name}: {} has no access key `{}`: {}", user(failure), escape(given), keys(failure)),
        ),
        Stop::Hook { profile, error } => {
            pending(failure, &escape(&format!("its rotate_hook {}: {error}", hook_did(error))), Status::Pending).hint(
                format!("mend it, or `vault unset {profile} rotate_hook` goes on without it; then run `vault rotate {name} --resume`"),
            )
        }
        Stop::InVault { key } => {
            Report::new(Status::State, format!("{name}: {} is the key of another profile of this vault", key.short()))
                .hint("`vault status` shows which; remove that profile first")
        }
        Stop::ListLags { key } => pending(
            failure,
            &format!("AWS's list of the user's keys does not have {} yet, which asked for it", key.short()),
            Status::Pending,
        ),
        Stop::NoSigner => pending(failure, "no key is at hand that could sign", Status::Pending),
    }
}

fn hook_did(error: &RunError) -> &'static str {
    match error {
        RunError::Quotes | RunError::Empty | RunError::Relative { .. } | RunError::Start { .. } => "can't be run",
        RunError::TimedOut { .. } | RunError::Failed { .. } | RunError::Output { .. } => "did not end well",
    }
}

/// It answers for another user than the vault knows: before anything was done, or while it is tried.
fn wrong_user(failure: &RotateFailure, expected: &str, found: &str) -> Report {
    let name = &failure.profile;
    let why = format!("AWS says that this is a key of `{}`, and the vault says `{}`", escape(found), escape(expected));
    match &failure.state {
        None | Some(State::Idle) => pending(failure, &why, Status::State)
            .hint(format!("`vault whoami {name}`; `vault add {name} --replace` stores the right key")),
        Some(_) => stopped_there(failure, new_key_in_doubt(failure), &why, Status::Pending),
    }
}

/// Where a rotation stands whose new key did not prove itself.
fn new_key_in_doubt(failure: &RotateFailure) -> &'static str {
    match &failure.state {
        Some(State::Created { .. }) => "after the new key was saved; the old key works, nothing is lost",
        _ => "after the new key was put to use; both keys are in the vault",
    }
}

/// Where a rotation stands that did not come to its end.
fn pending(failure: &RotateFailure, why: &str, status: Status) -> Report {
    let name = &failure.profile;
    let stands = match &failure.state {
        None | Some(State::Idle) => {
            let status = if status == Status::Pending { Status::State } else { status };
            return Report::new(status, format!("{name}: {why}; nothing was changed"));
        }
        Some(State::Intended { .. }) => "before a new key was made; the old key works, nothing is lost",
        Some(State::Created { .. }) => "after the new key was saved; both keys work, nothing is lost",
        Some(State::Proven { .. }) if failure.is_taken_back => {
            "after the old key was taken back; it works, and both are in the vault"
        }
        Some(State::Retired { .. }) if failure.is_taken_back => {
            "after the newer key was switched off; the old key works, both are in the vault"
        }
        Some(State::Proven { .. }) => "after the new key was put to use; it works, and both are in the vault",
        Some(State::Retired { .. }) => "after the old key was switched off; the new key works, both are in the vault",
        Some(State::Undoing { .. }) => "while the old key was taken back; both are in the vault",
    };
    stopped_there(failure, stands, why, status)
}

fn stopped_there(failure: &RotateFailure, stands: &str, why: &str, status: Status) -> Report {
    let name = &failure.profile;
    Report::new(status, format!("rotation of `{name}` stopped {stands}: {why}"))
        .hint(format!("run `vault rotate {name} {}`", failure.goes_on_by))
}

fn ledger(error: &LedgerError) -> String {
    if is_locked(error) {
        return "the vault was locked meanwhile".to_owned();
    }
    match error {
        LedgerError::NotDurable(error) => {
            format!("a power cut now may undo the last save: {}", escape(&error.to_string()))
        }
        _ => escape(&error.to_string()),
    }
}

/// What opened the vault when the run began does not open it any more, while the file is the same vault's.
fn is_locked(error: &LedgerError) -> bool {
    match error {
        LedgerError::NotSaved(why) | LedgerError::NotKept(why) => {
            matches!(**why, NotCommitted::Changed(UnsealError::WrongIdentity))
        }
        LedgerError::Read(error) => matches!(**error, ReopenError::Unseal(UnsealError::WrongIdentity)),
        LedgerError::Conflict(_) | LedgerError::NotDurable(_) | LedgerError::NotTried(_) => false,
    }
}

fn user(failure: &RotateFailure) -> String {
    failure.user.as_ref().map_or_else(|| "the user".to_owned(), |user| escape(&user.name))
}

fn current(failure: &RotateFailure) -> String {
    failure.current.as_ref().map_or_else(|| "the key".to_owned(), AccessKeyId::short)
}

fn keys(failure: &RotateFailure) -> String {
    let shown: Vec<String> = failure.keys.iter().map(|key| shown(key, failure.current.as_ref())).collect();
    shown.join("; ")
}

fn shown(key: &KeyShown, current: Option<&AccessKeyId>) -> String {
    let KeyShown { listed, age, used } = key;
    let ours = if current == Some(&listed.id) { ", in the vault" } else { "" };
    let used = match used {
        None => String::new(),
        Some(KeyUse::Unknown) => ", use unknown".to_owned(),
        Some(KeyUse::Never) => ", never used".to_owned(),
        Some(KeyUse::Last(LastUse { at, service, region })) => {
            format!(", last used {} by {} in {}", moment(*at), escape(service), escape(region))
        }
    };
    let made = format!("made {}, {} ago", day(listed.created), duration::words(*age));
    format!("{} ({}, {made}{used}{ours})", listed.id.as_str(), key.status())
}

/// In the person's own time zone.
pub(super) fn day(time: Timestamp) -> String {
    time.to_zoned(TimeZone::system()).strftime("%F %H:%M").to_string()
}

fn moment(time: Timestamp) -> String {
    time.to_zoned(TimeZone::system()).strftime("%F %T").to_string()
}
