//! Who stands by while keys are rotated: tells the person what happens, asks them for codes, and collects what came of it.

use std::collections::BTreeMap;
use std::rc::Rc;

use jiff::SignedDuration;

use crate::aws_files::config::ConfigFile;
use crate::cli::clock_told;
use crate::cli::code_asker::{Asker, AsksNobody};
use crate::cli::escape::escape;
use crate::cli::failure::{Failure, Need};
use crate::cli::report;
use crate::cli::resolved::Resolved;
use crate::cli::sign_in::{self, Purpose, SignInArgs};
use crate::cli::sign_in_args::CodeArgs;
use crate::cli::table;
use crate::cli::terminal::Terminal;
use crate::cli::world::World;
use crate::log::{Act, Event};
use crate::names::{AccessKeyId, ProfileName};
use crate::process::HeldSignals;
use crate::rotate::journal::Journal;
use crate::rotate::plan::End;
use crate::rotate::pool::{Attendant, Ended};
use crate::rotate::run::{News, Rotation, Session, User};
use crate::session::Issued;
use crate::store::group::Group;

use super::Args;
use super::outcome::{Outcome, Why};
use super::progress::{self, Progress};
use super::rekeying::Rekeying;
use super::strange_use::StrangeUses;

pub struct Attending<'a, 'w> {
    world: &'a World<'w>,
    group: &'a Group<'static, 'w>,
    code: &'a CodeArgs,
    json: bool,
    /// Of keys that nobody named, what is not due is not told.
    due: bool,
    /// Of many keys at a terminal: then no step of one of them is told, but what somebody has to read.
    progress: Option<Progress<'a, 'w>>,
    rekeying: Rekeying,
    pub(super) strange_uses: StrangeUses,
    pub(super) outcomes: Vec<Outcome>,
    happened: BTreeMap<ProfileName, Vec<News>>,
    /// The session that each has.
    given: BTreeMap<ProfileName, AccessKeyId>,
    /// Why there is no code, where there is none.
    codes: BTreeMap<ProfileName, Failure>,
    /// Ctrl-C ends it between two steps. None where signals can't be held: then it ends at once, and loses nothing either.
    signals: Option<HeldSignals>,
}

impl<'a, 'w> Attending<'a, 'w> {
    pub fn new(args: &'a Args, world: &'a World<'w>, group: &'a Group<'static, 'w>, at_rest: Vec<Outcome>) -> Self {
        Self {
            world,
            group,
            code: &args.code,
            json: args.json,
            due: args.due,
            progress: None,
            rekeying: Rekeying::default(),
            strange_uses: StrangeUses::default(),
            outcomes: at_rest,
            happened: BTreeMap::new(),
            given: BTreeMap::new(),
            codes: BTreeMap::new(),
            signals: HeldSignals::hold().ok(),
        }
    }

    /// So many keys are to be rotated now, or looked at.
    pub fn begin(&mut self, all: usize) {
        if !self.json {
            self.progress = Progress::of(all, self.world);
        }
        if self.progress.is_some() {
            self.outcomes.iter_mut().for_each(|at_rest| tell_failure(at_rest, self.world));
        }
    }

    /// Says what came of all of them.
    pub fn conclude(mut self) -> Result<Vec<Outcome>, Failure> {
        let was_watched = self.progress.take().is_some();
        self.follow_renames();
        self.rekeying.finish(self.group, self.world);
        // What is to be said now says also that a signal came.
        if let Some(signals) = self.signals.take() {
            signals.forget();
        }
        let Self { world, mut outcomes, json, .. } = self;
        outcomes.sort_by(|one, other| one.profile.cmp(&other.profile));
        if outcomes.is_empty() && !json {
            world.say("nothing to do");
        }
        if json {
            world.print_json(serde_json::json!({ "keys": outcomes.iter().map(Outcome::json).collect::<Vec<_>>() }))?;
        } else if outcomes.len() > 1 {
            world.print(&table::render(&["NAME", "OUTCOME", "NEW KEY"], outcomes.iter().map(row)))?;
        }
        if was_watched {
            report::rotated_in_all(world, &outcomes);
        }
        Ok(outcomes)
    }

    /// Whose profile was renamed meanwhile is told the name by which it goes on.
    fn follow_renames(&mut self) {
        let failures = self.outcomes.iter_mut().filter_map(|outcome| match &mut outcome.failure {
            Some(Failure::Rotate(failure)) => Some(failure),
            _ => None,
        });
        let mut failures: Vec<_> = failures.collect();
        if !failures.is_empty() {
            // A vault that is locked by now knows no names.
            let _ = self.group.read(|vault| failures.iter_mut().for_each(|it| it.follow_rename(vault.document())));
        }
    }

    pub fn world(&self) -> &'a World<'w> {
        self.world
    }

    pub fn json(&self) -> bool {
        self.json
    }

    pub fn let_signals_go(&mut self) {
        self.signals = None;
    }

    /// Never the very session that was not good enough a moment ago, whatever this machine's clock says of it.
    pub fn issue(&mut self, rotation: &Rotation) -> Result<Session, Failure> {
        let name = &rotation.profile;
        let mut session = self.issued(rotation, false)?;
        if self.given.get(name) == Some(&session.credentials.access_key_id) {
            session = self.issued(rotation, true)?;
        }
        self.given.insert(name.clone(), session.credentials.access_key_id.clone());
        Ok(session)
    }

    /// One that nobody is asked a code for.
    pub fn at_hand(&self, rotation: &Rotation) -> Option<Session> {
        let args = self.code.for_changes(false);
        let resolved = self.resolved(rotation, &args).ok().filter(|_| rotation.wants_session())?;
        let issued = sign_in::issue_by(&mut AsksNobody, &resolved, &args, Purpose::Change, self.world);
        issued.ok().map(session_of)
    }

    fn resolved(&self, rotation: &Rotation, args: &SignInArgs) -> Result<Resolved<'w>, Failure> {
        let config = Rc::new(ConfigFile::load(self.world.disk, &self.world.paths.aws_config)?);
        let name = rotation.profile.clone();
        let resolved = self.group.read(|vault| Resolved::in_vault(vault, config, name, args, self.world));
        resolved.map_err(Failure::Reopen)?
    }

    fn issued(&self, rotation: &Rotation, force: bool) -> Result<Session, Failure> {
        let args = self.code.for_changes(force);
        let resolved = self.resolved(rotation, &args)?;
        let issue = |resolved: &Resolved| {
            let mut asker = Asker::new(self.world, &args).holding(self.signals.as_ref());
            sign_in::issue_by(&mut asker, resolved, &args, Purpose::Change, self.world)
        };
        match issue(&resolved) {
            Err(failure @ Failure::KeyRefused(_)) => {
                let other = self.group.read(|vault| Journal::key_beside(vault.document(), &rotation.profile));
                let Some(other) = other.map_err(Failure::Reopen)? else { return Err(failure) };
                issue(&resolved.by_key(other.access_key())).map(session_of)
            }
            issued => issued.map(session_of),
        }
    }

    /// Ctrl-C at a prompt ends that, and then the others as anywhere else. Nobody is asked anything after that.
    fn in_conversation<T>(&mut self, talk: impl FnOnce(&mut Self) -> T) -> Option<T> {
        if HeldSignals::one_came() {
            return None;
        }
        self.progress.iter().for_each(Progress::put_aside);
        let said = talk(self);
        self.progress.iter().for_each(Progress::take_up);
        Some(said)
    }

    /// Nobody there: no.
    fn confirms(&self, question: &str) -> bool {
        let Ok(terminal) = Terminal::open() else { return false };
        terminal.holding(self.signals.as_ref()).confirm(question, false).unwrap_or(false)
    }

    fn close(&mut self, mut outcome: Outcome, user: Option<&User>) {
        if self.due && outcome.is_at_rest && !outcome.is_overdue {
            self.progress.iter_mut().for_each(|progress| progress.ended(&outcome.profile, progress::End::Done));
            return;
        }
        match (&mut self.progress, &outcome.failure) {
            (Some(progress), failure) => {
                let end = ended_as(&outcome);
                if let Some(failure) = failure.as_ref().filter(|_| end == progress::End::Failed) {
                    report::failed_meanwhile(self.world, &outcome.profile, failure);
                }
                progress.ended(&outcome.profile, end);
                outcome.is_told = true;
            }
            (None, None) => report::rotated(self.world, &outcome, user),
            (None, Some(_)) => {}
        }
        self.outcomes.push(outcome);
    }

    fn log(&self, profile: &ProfileName, act: Act, key: &AccessKeyId) {
        self.world.log(&Event { act, profile: Some(profile), access_key: Some(key), role: None });
    }
}

fn session_of(issued: Issued) -> Session {
    let made_at = issued.record.aws_time(issued.record.made_at);
    Session { credentials: issued.record.credentials, made_at }
}

/// Where a line counts them, each failure is told when it is known.
fn tell_failure(outcome: &mut Outcome, world: &World) {
    if let Some(failure) = &outcome.failure {
        report::failed_meanwhile(world, &outcome.profile, failure);
        outcome.is_told = true;
    }
}

fn ended_as(outcome: &Outcome) -> progress::End {
    match &outcome.failure {
        None => progress::End::Done,
        Some(Failure::Rotate(failure)) if matches!(failure.why, Why::Interrupted) => progress::End::Interrupted,
        Some(_) => progress::End::Failed,
    }
}

fn row(outcome: &Outcome) -> [String; 3] {
    let new = outcome.new_key().map_or_else(|| "-".to_owned(), AccessKeyId::short);
    [outcome.profile.to_string(), outcome.ending.words().to_owned(), new]
}

impl Attendant for Attending<'_, '_> {
    fn news(&mut self, profile: &ProfileName, news: News) {
        self.progress.iter_mut().for_each(|progress| progress.heard(profile, &news));
        // A lost answer holds one key up while the others are long through.
        let takes_long = matches!(news, News::ReplyLost | News::ListAwaited { .. } | News::Refused);
        if self.progress.is_none() || takes_long || matches!(news, News::UseUnknown { .. } | News::Gone { .. }) {
            report::rotation_news(self.world, profile, &news);
        }
        match &news {
            News::Created { new } | News::Adopted { new } => self.log(profile, Act::KeyCreated, new),
            News::Replaced { old, new } => self.rekeying.replaced(old, new, self.group, self.world),
            News::SwitchedOff { key } => self.log(profile, Act::KeyDisabled, key),
            News::SwitchedOn { key } => self.log(profile, Act::KeyEnabled, key),
            News::Deleted { key } => self.log(profile, Act::KeyDeleted, key),
            News::Gone { .. } | News::Proving { .. } | News::UseUnknown { .. } => {}
            News::ListAwaited { .. } | News::ReplyLost | News::Refused => {}
        }
        self.happened.entry(profile.clone()).or_default().push(news);
    }

    fn clock(&mut self, offset: SignedDuration) {
        clock_told::warn_about_notable_offset(self.world, offset);
    }

    fn session(&mut self, rotation: &Rotation) -> Option<Session> {
        // It may be one of those.
        self.rekeying.finish(self.group, self.world);
        match self.in_conversation(|attending| attending.issue(rotation))? {
            Ok(session) => Some(session),
            Err(failure) => {
                self.codes.insert(rotation.profile.clone(), failure);
                None
            }
        }
    }

    fn hook(&mut self, profile: &ProfileName) {
        self.world.say(&format!("{profile}: running its rotate_hook"));
    }

    fn heard(&mut self, line: &str) {
        self.world.say(&format!("rotate_hook: {}", escape(line)));
    }

    fn ended(&mut self, mut rotation: Rotation, how: Ended) -> Option<Rotation> {
        if let Ended::At(End::Orphan { key, likely_ours: true }) = &how {
            report::orphan(self.world, &rotation, key);
            if self.in_conversation(|attending| attending.confirms(&format!("Delete {}?", key.short()))) == Some(true) {
                rotation.may_delete(key.clone());
                return Some(rotation);
            }
        }
        self.strange_uses.tell(&rotation, self.world);
        let happened = self.happened.remove(&rotation.profile).unwrap_or_default();
        let code = self.codes.remove(&rotation.profile);
        let code = code.or_else(|| Some(Failure::NoTerminal(Need::MfaCode(rotation.profile.clone()))));
        self.close(Outcome::of(&rotation, how, &happened, code), rotation.user.as_ref());
        None
    }
}
