//! Which keys a command line means, and what is to become of each. A key that several profiles have is rotated once.

use std::collections::BTreeSet;
use std::rc::Rc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::aws_files::config::ConfigFile;
use crate::cli::failure::Failure;
use crate::cli::names_given;
use crate::cli::resolved::{self, Resolved};
use crate::cli::settings::GRACE;
use crate::cli::sign_in::SignInArgs;
use crate::cli::world::World;
use crate::names::{AccessKeyId, ProfileName};
use crate::rotate::due::{KeyDue, Next, due, due_of};
use crate::rotate::journal::Journal;
use crate::rotate::plan::Wish;
use crate::rotate::pool::CallPlace;
use crate::rotate::rules::Rules;
use crate::rotate::run::{Rest, Rotation, Start};
use crate::store::document::Document;
use crate::store::vault::Vault;

use super::Args;
use super::outcome::Outcome;

/// What was chosen.
#[derive(Default)]
pub struct Selection {
    pub rotations: Vec<(Rotation, CallPlace)>,
    /// Keys with which nothing is to be done now, and why.
    pub at_rest: Vec<Outcome>,
}

/// A profile, and what a command line or the vault's settings want of its key.
struct Chosen {
    name: ProfileName,
    start: bool,
    older_than: Option<SignedDuration>,
    /// Nothing is due of it.
    is_at_rest: bool,
}

impl Chosen {
    /// A rotation that is not over is finished before the next is begun.
    fn due(key: &KeyDue, now: Timestamp) -> Option<Self> {
        let next = key.next().filter(|next| next.is_due(now))?;
        let start = matches!(next, Next::Rotate { .. });
        let older_than = key.limit.filter(|_| start).and_then(|limit| limit.try_into().ok());
        let name = key.pending.as_ref().map(|pending| &pending.profile).or(key.profiles.first())?.clone();
        Some(Self { name, start, older_than, is_at_rest: false })
    }

    /// In its grace, in which somebody may have taken the new key away.
    fn at_rest(key: &KeyDue) -> Option<Self> {
        let pending = key.pending.as_ref().filter(|_| matches!(key.next(), Some(Next::Delete { .. })))?;
        Some(Self { name: pending.profile.clone(), start: false, older_than: None, is_at_rest: true })
    }
}

pub fn select<'a>(args: &Args, vault: &Vault<'a>, world: &World<'a>) -> Result<Selection, Failure> {
    let config = Rc::new(ConfigFile::load(world.disk, &world.paths.aws_config)?);
    let mut sorting = Sorting { args, vault, config, world, seen: BTreeSet::new(), selection: Selection::default() };
    for chosen in args.chosen(vault.document(), world)? {
        match sorting.put(&chosen) {
            // It is told when something is due of it.
            Err(_) if chosen.is_at_rest => {}
            // Who named it can mend it, or leave it out; nobody named the others to wait for that.
            Err(failure) if args.takes_what_is_there() => {
                sorting.selection.at_rest.push(Outcome::not_tried(chosen.name, failure));
            }
            put => put?,
        }
    }
    Ok(sorting.selection)
}

struct Sorting<'s, 'a> {
    args: &'s Args,
    vault: &'s Vault<'a>,
    config: Rc<ConfigFile>,
    world: &'s World<'a>,
    seen: BTreeSet<AccessKeyId>,
    selection: Selection,
}

impl Sorting<'_, '_> {
    fn put(&mut self, chosen: &Chosen) -> Result<(), Failure> {
        let Self { args, vault, config, world, .. } = self;
        let document = vault.document();
        let user = resolved::chain(&chosen.name, document, config)?.user.profile;
        let resolved = Resolved::in_vault(vault, config.clone(), user.clone(), &SignInArgs::default(), world)?;
        let Some(key) = resolved.own_key() else { return Err(Failure::NoAccessKey(user)) };
        if !self.seen.insert(key.id.clone()) {
            return Ok(());
        }
        // The journal may stand with another profile that has the key.
        let due = due_of(document, &key.id);
        let holder = due.as_ref().and_then(|due| due.pending.as_ref()).map_or(&user, |pending| &pending.profile);
        let journal = Journal::of(holder, names_given::in_vault(document, holder)?).ok().flatten();
        let profiles = || {
            let names = due.iter().flat_map(|due| &due.profiles);
            names.filter_map(|name| Some((name, document.profiles.get(name)?)))
        };
        let rules = || profiles().map(|(_, profile)| Rules::of(profile, &document.settings));
        let start = Start {
            profile: user.clone(),
            has_mfa: resolved.has_mfa(),
            mfa_max_age: rules().map(|rules| rules.mfa_max_age).min().unwrap_or_default(),
            delete_key: args.delete_key.clone(),
            hooks: profiles()
                .filter_map(|(name, profile)| Some((name.clone(), profile.rotate_hook.clone()?)))
                .collect(),
            rest: args.rest(journal.as_ref(), due.as_ref(), world.clock.now()),
            grace_asked_for: args.grace_asked_for(journal.as_ref()),
            wish: args.wish(chosen, journal.as_ref(), rules().map(|rules| rules.grace).max().unwrap_or_default()),
        };
        self.selection.rotations.push((Rotation::new(start), resolved.call_place()));
        Ok(())
    }
}

impl Args {
    fn chosen(&self, document: &Document, world: &World) -> Result<Vec<Chosen>, Failure> {
        let start = !self.resume && !self.undo;
        let asked = |name: &ProfileName| Chosen {
            name: name.clone(),
            start,
            older_than: self.if_older_than,
            is_at_rest: false,
        };
        let keys = due(document);
        if self.due || self.due_only {
            let meant = |key: &&KeyDue| self.due || self.names.iter().any(|name| key.profiles.contains(name));
            let now = world.clock.now();
            // What is due is told, also where there is nothing to look at.
            let looks = |key: &KeyDue| self.due && !self.now && (!self.dry_run || key.is_due(now));
            let at_rest = |key| Chosen::at_rest(key).filter(|_| looks(key));
            let chosen = |key| Chosen::due(key, now).or_else(|| at_rest(key));
            return Ok(keys.iter().filter(meant).filter_map(chosen).collect());
        }
        if !self.names.is_empty() {
            return Ok(self.names.iter().map(asked).collect());
        }
        if self.all {
            return Ok(keys.iter().flat_map(|key| key.profiles.first()).map(asked).collect());
        }
        if self.resume {
            let pending = keys.iter().filter_map(|key| key.pending.as_ref());
            return Ok(pending.map(|pending| asked(&pending.profile)).collect());
        }
        Ok(vec![asked(&names_given::or_default(None, document, world)?)])
    }

    /// Where nothing is to be done but to look, since what is under way waits for a grace to be over. Who means this very key,
    /// or what is unfinished, wants to hear of whatever is in the way of that.
    fn rest(&self, journal: Option<&Journal>, due: Option<&KeyDue>, now: Timestamp) -> Option<Rest> {
        if self.dry_run || self.undo || self.now || self.resume || self.names_one() {
            return None;
        }
        let is_undone = due.and_then(|due| due.pending.as_ref()).is_some_and(|pending| pending.is_undone);
        let is_overdue = due.is_some_and(|due| due.overdue(now).is_some());
        match journal? {
            Journal::Retired { until, old, .. } if now < *until => {
                Some(Rest { off: old.id.clone(), until: *until, is_undone, is_overdue })
            }
            _ => None,
        }
    }

    /// Whether the vault says which keys are meant, and not the command line.
    fn takes_what_is_there(&self) -> bool {
        self.all || self.due || self.resume && self.names.is_empty()
    }

    /// Whether it is an error if nothing can be done with the key that is meant.
    fn names_one(&self) -> bool {
        !self.all && !self.due && !self.due_only && !self.resume && self.if_older_than.is_none()
    }

    fn wish(&self, chosen: &Chosen, journal: Option<&Journal>, grace: Duration) -> Wish {
        // Who wanted the old key to stay active says so by the profile's name when that is over.
        let is_over = self.undo || self.now || self.names_one() && matches!(journal, Some(Journal::Proven { .. }));
        let stays = journal.is_some_and(|journal| journal.asked().kept) && !is_over;
        let grace = self.grace_asked_for(journal).map_or(grace, Duration::from_secs);
        Wish {
            start: chosen.start,
            older_than: chosen.older_than,
            undo: self.undo,
            now: self.now,
            force: self.force,
            keep_old: self.keep_old || stays,
            grace: grace.try_into().unwrap_or(SignedDuration::MAX),
            delete_key: None,
        }
    }

    /// By this command line, else by the one that began what is under way.
    fn grace_asked_for(&self, journal: Option<&Journal>) -> Option<u64> {
        let now = self.grace.map(|grace| grace.unsigned_abs().as_secs());
        let bounded = |seconds: u64| GRACE.clamp(seconds);
        now.or_else(|| journal.filter(|_| !self.undo)?.asked().grace).map(bounded)
    }
}
