//! `vault rotate --dry-run`: the user's keys as IAM has them, and what would be done, by the very planner that does it.

use serde_json::json;

use crate::aws::{Aws, AwsError, KeyUse, Refusal};
use crate::cli::clock_told;
use crate::cli::failure::Failure;
use crate::cli::report::{self, Report, point_in_time};
use crate::cli::table;
use crate::duration;
use crate::rotate::plan::End;
use crate::rotate::pool::{CallPlace, Shop};
use crate::rotate::preview::Deed;
use crate::rotate::run::{Rotation, Tools};
use crate::rotate::stop::Stop;

use super::attending::Attending;
use super::outcome::{KeyShown, Outcome, RotateFailure, Why};

type Plan = (Vec<Deed>, Option<End>);

impl Attending<'_, '_> {
    /// Gives those of which nothing can be told, and why.
    pub fn dry_run(mut self, rotations: Vec<(Rotation, CallPlace)>, shop: &Shop) -> Result<Vec<Outcome>, Failure> {
        // Nothing is changed: Ctrl-C may end it anywhere.
        self.let_signals_go();
        let mut shown = Vec::new();
        for (mut rotation, place) in rotations {
            let surveyed = self.survey(&mut rotation, place, shop);
            self.strange_uses.tell(&rotation, self.world());
            rotation.news.iter().for_each(|news| report::rotation_news(self.world(), &rotation.profile, news));
            match surveyed {
                Ok(plan) if self.json() => shown.push(document(&rotation, plan)),
                Ok(plan) => self.show(&rotation, plan)?,
                Err(failure) => self.outcomes.push(Outcome::not_tried(rotation.profile, failure)),
            }
        }
        if self.json() {
            self.world().print_json(json!({ "keys": shown }))?;
        }
        Ok(self.outcomes)
    }

    fn survey(&mut self, rotation: &mut Rotation, place: CallPlace, shop: &Shop) -> Result<Plan, Failure> {
        let at_hand = self.at_hand(rotation);
        at_hand.into_iter().for_each(|session| rotation.give_session(session));
        let _place = shop.calls.place();
        let aws = Aws::with_ca_bundle(place.region, place.endpoints, shop.ca_bundle.clone());
        let tools = Tools { aws: &aws, ledger: shop.ledger, disk: shop.disk, state: shop.state };
        let failed =
            |rotation: &Rotation, stop| Failure::Rotate(Box::new(RotateFailure::of(rotation, Why::Stop(stop))));
        let surveyed = rotation.survey(&tools);
        clock_told::warn_about_clock(self.world(), &aws);
        match surveyed {
            Err(Stop::Aws(AwsError::Refused { refusal: Refusal::AccessDenied, .. })) if rotation.wants_session() => {
                let session = self.issue(rotation)?;
                rotation.give_session(session);
                rotation.survey(&tools).map_err(|stop| failed(rotation, stop))
            }
            surveyed => surveyed.map_err(|stop| failed(rotation, stop)),
        }
    }

    fn show(&self, rotation: &Rotation, (deeds, end): Plan) -> Result<(), Failure> {
        let world = self.world();
        let user = rotation.user.as_ref().map_or("", |user| &user.name);
        let keys = KeyShown::all(rotation);
        let rows = keys.iter().map(|key| {
            let (id, age) = (key.listed.id.to_string(), duration::words(key.age));
            [rotation.profile.to_string(), user.to_owned(), id, key.status().to_owned(), age, used(key)]
        });
        let mut text = table::render(&["NAME", "USER", "ACCESS KEY", "STATUS", "AGE", "LAST USED"], rows);
        let (steps, stopped) = steps(deeds, end, rotation);
        for (number, step) in (1..).zip(&steps) {
            text.push_str(&format!("  {number}. {step}\n"));
        }
        if let Some(Report { message, hint, .. }) = stopped {
            let hint = hint.map(|hint| format!("     next: {hint}\n")).unwrap_or_default();
            text.push_str(&format!("  it would stop there: {message}\n{hint}"));
        }
        world.print(&text)
    }
}

/// What would be done, and what would stop it then.
fn steps(deeds: Vec<Deed>, end: Option<End>, rotation: &Rotation) -> (Vec<String>, Option<Report>) {
    let end = end.map_or(Ok(None), |end| report::ended_words(&RotateFailure::of(rotation, Why::End(end))));
    let (last, stopped) = match end {
        Ok(last) => (last, None),
        Err(stopped) => (None, Some(stopped)),
    };
    (deeds.iter().map(|deed| words(deed, rotation)).chain(last).collect(), stopped)
}

/// A session that is at hand takes no code.
fn words(deed: &Deed, rotation: &Rotation) -> String {
    match (deed, rotation.session_age()) {
        (Deed::AskCode, Some(age)) => report::session_at_hand(age),
        _ => report::deed(deed),
    }
}

fn used(key: &KeyShown) -> String {
    match &key.used {
        None | Some(KeyUse::Unknown) => "use unknown".to_owned(),
        Some(KeyUse::Never) => "never".to_owned(),
        Some(KeyUse::Last(last)) => {
            format!("{}, {} in {}", point_in_time::day(last.at), last.service, last.region)
        }
    }
}

fn document(rotation: &Rotation, (deeds, end): Plan) -> serde_json::Value {
    let (steps, stopped) = steps(deeds, end, rotation);
    json!({
        "name": rotation.profile,
        "user": rotation.user.as_ref().map(|user| &user.name),
        "keys": KeyShown::all(rotation).iter().map(KeyShown::json).collect::<Vec<_>>(),
        "steps": steps,
        "stopped": stopped.map(|Report { message, hint, .. }| json!({ "error": message, "hint": hint })),
    })
}
