//! The plan as a table for people, and with how it ended as JSON.

use serde_json::{Value, json};

use crate::import::found::{Left, Origin};
use crate::import::plan::{Plan, Row, Step};

use super::Ended;
use super::run::Run;
use crate::cli::report;
use crate::cli::table;
use crate::cli::world::World;

const HEADINGS: [&str; 5] = ["NAME", "KEY OR ROLE", "MFA DEVICE", "FROM", "WHAT"];

pub fn table(plan: &Plan, no_verify: bool, world: &World) -> String {
    let row = |row: &Row| {
        let from: Vec<String> = row.origins.iter().map(|origin| report::import::origin(origin, world)).collect();
        [row.name.clone(), key_or_role(row), device(row, no_verify), from.join(", "), report::import::step(&row.step)]
    };
    table::render(&HEADINGS, plan.rows.iter().map(row))
}

fn key_or_role(row: &Row) -> String {
    let role = row.found.as_ref().and_then(|found| found.settings.role_arn.as_ref());
    match (row.key(), role) {
        (Some(key), _) => key.id.short(),
        (None, Some(role)) => role.to_string(),
        (None, None) => "-".to_owned(),
    }
}

fn device(row: &Row, no_verify: bool) -> String {
    let serial = row.found.as_ref().and_then(|found| found.settings.mfa_serial.as_ref());
    match serial {
        Some(serial) => serial.to_string(),
        None if row.changes_the_vault() && row.key().is_some() && !no_verify => "ask AWS".to_owned(),
        None => "-".to_owned(),
    }
}

pub fn json(run: &Run) -> Value {
    let Run { plan, ended, settings, .. } = run;
    let profiles: Vec<Value> = plan.rows.iter().zip(ended).map(|(row, ended)| profile(row, ended)).collect();
    let left: Vec<Value> = plan.left().map(not_imported).collect();
    let replaced: Vec<Value> = settings.iter().map(|change| report::difference::json(change, ["from", "to"])).collect();
    let vault = run.world.paths.vault.to_string_lossy();
    json!({
        "dry_run": run.args.dry_run, "vault": vault, "profiles": profiles, "settings_replaced": replaced, "not_imported": left,
    })
}

fn profile(row: &Row, ended: &Ended) -> Value {
    let settings = row.found.as_ref().map(|found| &found.settings);
    let (outcome, why) = outcome(row, ended);
    json!({
        "name": row.name,
        "kind": if settings.is_some_and(|settings| settings.role_arn.is_some()) { "role" } else { "user" },
        "access_key": row.key().map(|key| key.id.short()),
        "role_arn": settings.and_then(|settings| settings.role_arn.as_ref()),
        "mfa_serial": settings.and_then(|settings| settings.mfa_serial.as_ref()),
        "region": settings.and_then(|settings| settings.region.as_ref()),
        "from": row.origins.iter().map(place).collect::<Vec<_>>(),
        "outcome": outcome,
        "why": why,
    })
}

fn outcome(row: &Row, ended: &Ended) -> (&'static str, Option<String>) {
    let planned = |word| (word, None);
    match (ended, &row.step) {
        (Ended::Kept, _) => planned("kept"),
        (Ended::Refused(why), _) => ("refused", Some(why.clone())),
        (Ended::Done, Step::Add) => planned("added"),
        (Ended::Done, _) => planned("replaced"),
        (Ended::Planned, Step::Add) => planned("add"),
        (Ended::Planned, Step::Replace) => planned("replace"),
        (Ended::Planned, Step::Newer) => planned("compare"),
        (Ended::Planned, Step::Present) => planned("present"),
        (Ended::Planned, step @ Step::Conflict(_)) => ("conflict", Some(report::import::step(step))),
        (Ended::Planned, step @ Step::Skip(_)) => ("skipped", Some(report::import::step(step))),
    }
}

fn place(origin: &Origin) -> Value {
    let file = origin.path.as_ref().map(|path| path.to_string_lossy());
    json!({ "source": origin.source.name(), "file": file, "section": origin.section, "line": origin.line })
}

fn not_imported(left: &Left) -> Value {
    let values = report::import::values(left);
    let (there, here) = values.map(|values| (values.to, values.from)).unwrap_or_default();
    json!({
        "setting": left.setting, "profile": left.profile, "there": there, "here": here, "from": place(&left.origin),
    })
}
