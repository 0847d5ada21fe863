//! From the plan of an import to its end.

use std::collections::HashMap;

use crate::cli::add;
use crate::cli::confirming;
use crate::cli::environment_told;
use crate::cli::failure::Failure;
use crate::cli::key_check;
use crate::cli::need::Need;
use crate::cli::report;
use crate::cli::rotate;
use crate::cli::setting_change::SettingChange;
use crate::cli::terminal::Terminal;
use crate::cli::world::World;
use crate::import::found::{Origin, Source};
use crate::import::plan::{Plan, Row, Step};
use crate::names::ProfileName;
use crate::store::document::Profile;
use crate::store::vault::{Closed, Vault};

use super::check::{self, Checking, Ready};
use super::dates::{self, Asking};
use super::sourceless::{Sourceless, sourceless};
use super::sources::CsvFile;
use super::{Args, Ended, plaintext, shown};

/// A code for each is what a person has the patience for.
const AT_ONCE: usize = 3;

/// From the plan to the end.
pub struct Run<'r, 'a> {
    pub args: &'r Args,
    pub world: &'r World<'a>,
    pub plan: Plan,
    pub ended: Vec<Ended>,
    pub csv: Vec<CsvFile>,
    /// Profiles that would share a key.
    pub twins: Vec<(String, String)>,
    /// Of profiles that are replaced.
    pub settings: Vec<SettingChange>,
}

impl<'a> Run<'_, 'a> {
    pub fn carry_out(mut self, closed: Option<Closed<'a>>) -> Result<(), Failure> {
        if self.args.dry_run || self.plan.changes() == 0 && !self.removes() {
            self.show()?;
            self.say_replaced();
            self.say_left();
            self.say_sourceless(false);
            return if self.args.dry_run { Ok(()) } else { self.end() };
        }
        self.confirm()?;
        let closed = self.import(closed)?;
        self.say_left();
        let removed = if self.removes() { self.remove() } else { Ok(()) };
        match self.args.remove {
            true => self.say_what_aws_vault_keeps(),
            false => self.say_where_it_still_lies(),
        }
        if self.args.json {
            self.show()?;
        }
        let rotated = self.rotate(closed);
        removed?;
        self.end()?;
        rotated
    }

    /// Checks all keys, and then saves once.
    fn import(&mut self, closed: Option<Closed<'a>>) -> Result<Closed<'a>, Failure> {
        let vault = match closed {
            Some(closed) => closed.open()?,
            None => add::open_or_make(self.world, &self.args.new_vault)?,
        };
        environment_told::warn_about_environment(self.world);
        let (ready, mut closed) = self.check(vault)?;
        // Also where only plaintext is to go: an earlier run's save may not have reached the disk yet.
        let mut held = Vec::new();
        if !ready.is_empty() || self.removes() {
            let mut vault = closed.open()?;
            held = vault.edit(&self.world.stamp(), |document| check::put(document, &ready))?;
            closed = vault.close();
        }
        self.ready_is_done(&ready);
        for (place, held) in &held {
            check::say_held(&ready[*place], held, self.world);
        }
        let is_new = |name: &str| ready.iter().any(|one| one.name.as_str() == name);
        let new_twins = self.twins.iter().filter(|(_, new)| is_new(new));
        new_twins.for_each(|(one, other)| report::import::say_twins(self.world, one, other));
        Ok(closed)
    }

    /// The keys that came in: whoever has a copy of one has a dead one then.
    fn rotate(&self, closed: Closed<'a>) -> Result<(), Failure> {
        let rows = self.plan.rows.iter().zip(&self.ended).filter(|(_, ended)| matches!(ended, Ended::Done));
        let names: Vec<ProfileName> =
            rows.filter(|(row, _)| row.key().is_some()).filter_map(|(row, _)| row.name.parse().ok()).collect();
        match self.args.rotate && !names.is_empty() {
            true => rotate::Outcome::end(rotate::rotate(&rotate::Args::of(names), closed.open()?, self.world)?),
            false => Ok(()),
        }
    }

    fn show(&self) -> Result<(), Failure> {
        match self.args.json {
            true => self.world.print_json(shown::json(self)),
            false => self.world.print(&shown::table(&self.plan, self.args.no_verify, self.world)),
        }
    }

    /// The plan, and then the question. JSON is for a program, which gets it when all is done.
    fn confirm(&self) -> Result<(), Failure> {
        if !self.args.json {
            self.show()?;
        }
        self.say_replaced();
        if self.args.yes {
            return Ok(());
        }
        self.say_sourceless(false);
        let show = |terminal: &mut Terminal| {
            if self.args.json {
                terminal.show(&shown::table(&self.plan, self.args.no_verify, self.world));
            }
        };
        let question = report::import::question(self.plan.changes(), self.removes(), self.world);
        confirming::confirm_after(show, &question, Need::Confirmation { flag: "--yes" })
    }

    /// Asks AWS of every key before any of them is stored. The vault is closed meanwhile.
    fn check(&mut self, vault: Vault<'a>) -> Result<(Vec<Ready>, Closed<'a>), Failure> {
        let rivals = check::rivals(&self.plan, vault.document());
        let closed = vault.close();
        let (ready, dates) = dates::beside(|dates| self.check_each(&rivals, dates));
        let mut ready = ready?;
        for one in &mut ready {
            one.created(dates.get(&one.row).copied());
        }
        Ok((ready, closed))
    }

    fn check_each(&mut self, rivals: &HashMap<String, Profile>, dates: &Asking) -> Result<Vec<Ready>, Failure> {
        let mut ready = Vec::new();
        for index in 0..self.plan.rows.len() {
            let row = &self.plan.rows[index];
            if !row.changes_the_vault() {
                continue;
            }
            match check::check(index, row, rivals.get(&row.name), self.args.no_verify, self.world) {
                Ok(Checking::Ready(mut checked)) => {
                    dates.ask(&mut checked);
                    ready.push(*checked);
                }
                Ok(Checking::Kept) => self.ended[index] = Ended::Kept,
                Ok(Checking::Conflict(conflict)) => self.plan.rows[index].step = Step::Conflict(conflict),
                Err(failure) => {
                    let why = report::import::refusal(&failure).ok_or(failure)?;
                    self.ended[index] = Ended::Refused(why);
                }
            }
        }
        Ok(ready)
    }

    fn ready_is_done(&mut self, ready: &[Ready]) {
        for one in ready {
            self.ended[one.row] = Ended::Done;
            let done = if self.plan.rows[one.row].step == Step::Add { "added" } else { "replaced" };
            match &one.profile.access_key {
                Some(_) => key_check::say_stored(self.world, done, &one.name, &one.profile, one.identity.as_ref()),
                None => self.world.say(&format!("{done} `{}`, a role profile", one.name)),
            }
            check::say_devices(one, self.world);
        }
        for (row, ended) in self.plan.rows.iter().zip(&self.ended) {
            match ended {
                Ended::Refused(why) => report::import::say_refused(self.world, &row.name, why),
                Ended::Kept => report::import::say_kept(self.world, &row.name),
                Ended::Done | Ended::Planned => {}
            }
        }
    }

    fn say_replaced(&self) {
        self.settings.iter().for_each(|change| report::import::say_replaced(self.world, change));
    }

    fn say_left(&self) {
        self.plan.left().for_each(|left| report::import::say_left(self.world, left));
    }

    /// Those that lie in a file.
    fn removable(&self) -> impl Iterator<Item = (&Row, &Origin)> {
        self.held().filter(|(_, origin)| lies_in_a_file(origin))
    }

    /// The rows whose key the vault has, or will have, and where each comes from.
    fn held(&self) -> impl Iterator<Item = (&Row, &Origin)> {
        let held = |ended: &Ended, row: &Row| match ended {
            Ended::Done => true,
            Ended::Planned => row.step == Step::Present || row.changes_the_vault(),
            Ended::Kept | Ended::Refused(_) => false,
        };
        let rows = self.plan.rows.iter().zip(&self.ended).filter(move |(row, ended)| held(ended, row));
        let rows = rows.filter(|(row, _)| row.key().is_some());
        rows.flat_map(|(row, _)| row.origins.iter().map(move |origin| (row, origin)))
    }

    fn removes(&self) -> bool {
        self.args.remove && self.removable().next().is_some()
    }

    fn remove(&self) -> Result<(), Failure> {
        let held: Vec<_> = self.removable().collect();
        let removed = plaintext::remove(&held, &self.csv, self.world);
        self.say_sourceless(true);
        removed
    }

    /// What AWS tools can't do by themselves any more: before that comes, and once it is so.
    fn say_sourceless(&self, removed: bool) {
        if !self.removes() && !self.args.dry_run {
            return;
        }
        let held: Vec<_> = self.removable().collect();
        for Sourceless { roles, profile } in sourceless(&held, removed, self.world) {
            match removed {
                true => report::role_source::say(&roles, &profile, self.world),
                false => report::role_source::say_to_come(&roles, &profile, self.world),
            }
        }
    }

    fn say_where_it_still_lies(&self) {
        let mut places: Vec<String> =
            self.removable().map(|(_, origin)| report::import::file(origin, self.world)).collect();
        places.dedup();
        if !places.is_empty() {
            report::import::say_still_there(self.world, &places);
        }
    }

    /// Its store is its own: what is in it only it can take out.
    fn say_what_aws_vault_keeps(&self) {
        let kept = self.held().filter(|(_, origin)| origin.source == Source::AwsVault);
        kept.filter_map(|(_, origin)| origin.section.as_deref())
            .for_each(|name| report::import::say_kept_by_aws_vault(self.world, name));
    }

    /// What was not done is an error, whatever else was.
    fn end(&self) -> Result<(), Failure> {
        let rows = || self.plan.rows.iter().zip(&self.ended);
        let names = |wanted: fn(&Row, &Ended) -> bool| -> Vec<String> {
            rows().filter(|(row, ended)| wanted(row, ended)).map(|(row, _)| row.name.clone()).collect()
        };
        let imported = names(|_, ended| matches!(ended, Ended::Done));
        let refused = names(|_, ended| matches!(ended, Ended::Refused(_)));
        let conflicts = names(|row, _| matches!(row.step, Step::Conflict(_)));
        for row in &self.plan.rows {
            if let Step::Conflict(conflict) = &row.step {
                report::import::say_conflict(self.world, row, conflict);
            }
        }
        // Of many, nobody signs in to all at once.
        let next = if imported.len() <= AT_ONCE { &imported[..] } else { &imported[..1] };
        if !next.is_empty() {
            self.world.say(&format!("next: vault login {}", next.join(" ")));
        }
        if !refused.is_empty() {
            return Err(Failure::KeysRefused { refused, imported: imported.len() });
        }
        if !conflicts.is_empty() {
            return Err(Failure::LeftOut { names: conflicts, imported: imported.len() });
        }
        if imported.is_empty() && !self.args.remove {
            self.world.say("nothing to import");
        }
        Ok(())
    }
}

fn lies_in_a_file(origin: &Origin) -> bool {
    !matches!(origin.source, Source::Vault | Source::AwsVault)
}
