//! What is said of a sign-in that worked.

use jiff::tz::TimeZone;

use crate::cli::escape::escape;
use crate::cli::world::World;
use crate::duration;
use crate::names::{ProfileName, arn_user_name};
use crate::session::{Issued, Record};

use super::left;

/// Who, and for how long: in the person's own time zone.
pub fn say_signed_in(name: &ProfileName, issued: &Issued, world: &World) {
    let record = &issued.record;
    let role = record.role().map(|role| format!("role {}{}", role.role_name(), narrowed(record)));
    let user = record.ladder.user_arn.as_deref().and_then(arn_user_name).map(str::to_owned);
    let who = role.or(user).unwrap_or_else(|| "a user".to_owned());
    let account = record.account().map(|account| format!(" in account {account}")).unwrap_or_default();
    let mfa = if record.request().serial.is_some() { " with MFA" } else { "" };
    let how = if issued.reused { "still signed in" } else { "signed in" };
    let expires = issued.expires().to_zoned(TimeZone::system()).strftime("%H:%M on %a %d %b").to_string();
    let left = duration::words(left(issued.record.lifetime().expires, world.clock.now()));
    world.say(&format!("{name}: {how} as {}{}{mfa} until {expires} ({left})", escape(&who), escape(&account)));
}

/// For tools that are not told one each time: of the section `target`, where the session of `name` is.
pub fn hint_region(world: &World, name: &ProfileName, target: &ProfileName, is_known: bool) {
    let write = if is_known { "writes" } else { "write" };
    let first = if is_known { String::new() } else { format!("`vault set {name} region=REGION`, then ") };
    let there = if name == target { String::new() } else { format!(" --profile {target}") };
    world.hint(&format!(
        "AWS tools find no region for `{target}`; {first}`vault login {name}{there} --write-region` {write} one"
    ));
}

/// What is missing in a session that looks like any other.
fn narrowed(record: &Record) -> &'static str {
    let asked = record.rung().role.as_ref().map(|role| &role.options);
    match asked {
        _ if record.slot().asked.read_only => " (read-only)",
        Some(options) if options.has_policies() => " (narrowed by a policy)",
        _ => "",
    }
}
