//! Whether a cached session may be handed out, or renewed, while the vault stays closed. Pure.

use jiff::Timestamp;

use super::plan::{Freshness, MinTtlTooLong, Plan};
use super::record::{FileStamp, Record};
use super::request::Slot;
use crate::names::Endpoint;

/// What to do with a record.
pub enum Warm {
    Serve(Record),
    /// The session of the ladder's rung `from` lives on and assumes the rest.
    Renew {
        record: Record,
        from: usize,
    },
    NeedsVault(NeedsVault),
}

/// Why the vault has to be opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NeedsVault {
    NoSession,
    /// What the vault says of the profile may be another thing now.
    VaultChanged,
    /// What the config file says of the chain is another thing now.
    ConfigChanged,
    /// Only the access key makes another.
    Stale,
    /// The session was made at one place, and calls would go to another.
    OtherEndpoint,
}

/// What stands where the record's request was read.
pub struct Today<'a> {
    /// None: no file.
    pub vault: Option<&'a FileStamp>,
    /// Whether the config file says the same of the chain's profiles.
    pub config_fits: bool,
    /// Where STS calls would go; None is AWS itself.
    pub endpoint: Option<&'a Endpoint>,
}

impl Warm {
    /// `cached` gives the record of another rung, where there is one.
    pub fn of(
        record: Record,
        today: &Today,
        freshness: &Freshness,
        now: Timestamp,
        mut cached: impl FnMut(&Slot) -> Option<Record>,
    ) -> Result<Self, MinTtlTooLong> {
        if let Some(why) = outdated(&record, today) {
            return Ok(Self::NeedsVault(why));
        }
        let ladder = &record.ladder;
        let plan = ladder.plan(freshness, now, |rung| {
            if rung == ladder.last() {
                return Some((record.lifetime(), rung));
            }
            let below = cached(&ladder.rungs[rung].slot)?;
            ladder.accepts(rung, &below.request()).then(|| (below.lifetime(), rung))
        })?;
        Ok(match plan {
            Plan::Reuse(_) => Self::Serve(record),
            Plan::Issue { from: Some(from), .. } if record.shows_how_to_renew() => Self::Renew { record, from },
            Plan::Issue { .. } => Self::NeedsVault(NeedsVault::Stale),
        })
    }
}

fn outdated(record: &Record, today: &Today) -> Option<NeedsVault> {
    let reasons = [
        (!record.stands_alone, NeedsVault::NoSession),
        (today.vault != Some(&record.stamps.vault), NeedsVault::VaultChanged),
        (!today.config_fits, NeedsVault::ConfigChanged),
        (today.endpoint != record.ladder.endpoint.as_ref(), NeedsVault::OtherEndpoint),
    ];
    reasons.into_iter().find_map(|(applies, why)| applies.then_some(why))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use jiff::SignedDuration;

    use super::super::fixture::{now, record, role_record, stamps};
    use super::*;

    /// What stands in a row: alice's session or the role's that hers assumed, how old they are, and what is another today.
    struct Row {
        role: bool,
        minutes: i64,
        /// Of alice's own session, where it is kept.
        users_minutes: Option<i64>,
        change: fn(&mut Record, &mut Record),
        vault: Option<u64>,
        config_fits: bool,
        endpoint: Option<&'static str>,
        freshness: Freshness,
    }

    const USER: Row = Row {
        role: false,
        minutes: 1,
        users_minutes: None,
        change: |_, _| (),
        vault: Some(2),
        config_fits: true,
        endpoint: None,
        freshness: Freshness { made_since: None, min_ttl: None, renew_in_last_hour: false },
    };
    const ROLE: Row = Row { role: true, users_minutes: Some(1), ..USER };
    const STALE_ROLE: Row = Row { minutes: 50, ..ROLE };

    fn made(mut record: Record, minutes: i64) -> Record {
        let ago = SignedDuration::from_mins(minutes);
        record.made_at -= ago;
        record.credentials.expiration -= ago;
        record
    }

    fn decided(row: &Row) -> Result<String, MinTtlTooLong> {
        let mut users = made(record("alice"), row.users_minutes.unwrap_or_default());
        let mut asked = made(if row.role { role_record() } else { record("alice") }, row.minutes);
        (row.change)(&mut asked, &mut users);
        let vault = row.vault.map(|inode| FileStamp { inode, ..stamps().vault });
        let endpoint: Option<Endpoint> = row.endpoint.map(|text| text.parse().unwrap());
        let today = Today { vault: vault.as_ref(), config_fits: row.config_fits, endpoint: endpoint.as_ref() };
        let below = |slot: &Slot| {
            assert_eq!(slot, users.slot());
            row.users_minutes.map(|_| users.clone())
        };
        Ok(match Warm::of(asked, &today, &row.freshness, now(), below)? {
            Warm::Serve(record) => format!("serve {}", record.slot().profile),
            Warm::Renew { record, from } => format!("renew {} from {from}", record.slot().profile),
            Warm::NeedsVault(why) => format!("{why:?}"),
        })
    }

    #[test]
    fn what_is_done_without_the_vault_in_every_case() {
        let force = Freshness { made_since: Some(now()), ..Freshness::default() };
        let login = Freshness { renew_in_last_hour: true, ..Freshness::default() };
        let min_ttl =
            |minutes: u64| Freshness { min_ttl: Some(Duration::from_secs(minutes * 60)), ..Freshness::default() };
        let rows = [
            ("a fresh session, nothing changed", USER, "serve alice"),
            ("the same of a role", ROLE, "serve ops"),
            ("of a role whose user's session is gone", Row { users_minutes: None, ..ROLE }, "serve ops"),
            ("the vault was saved", Row { vault: Some(3), ..USER }, "VaultChanged"),
            ("the vault is gone", Row { vault: None, ..USER }, "VaultChanged"),
            ("the config file says something else", Row { config_fits: false, ..ROLE }, "ConfigChanged"),
            ("both, and the vault comes first", Row { config_fits: false, vault: None, ..ROLE }, "VaultChanged"),
            ("calls go elsewhere", Row { endpoint: Some("https://other.example"), ..USER }, "OtherEndpoint"),
            (
                "made elsewhere, and calls go to AWS",
                Row { change: |it, _| it.ladder.endpoint = "https://other.example".parse().ok(), ..USER },
                "OtherEndpoint",
            ),
            (
                "made where calls go",
                Row {
                    change: |it, _| it.ladder.endpoint = "https://other.example".parse().ok(),
                    endpoint: Some("https://other.example"),
                    ..USER
                },
                "serve alice",
            ),
            ("a user's, in its last minutes", Row { minutes: 12 * 60 - 10, ..USER }, "Stale"),
            ("a user's, over", Row { minutes: 13 * 60, ..USER }, "Stale"),
            ("a role's, in its last minutes, of a living session", STALE_ROLE, "renew ops from 0"),
            ("a role's, over", Row { minutes: 90, ..ROLE }, "renew ops from 0"),
            ("of a session that is over too", Row { users_minutes: Some(13 * 60), ..STALE_ROLE }, "Stale"),
            ("of a session that is gone", Row { users_minutes: None, ..STALE_ROLE }, "Stale"),
            ("to be renewed, the vault was saved", Row { vault: Some(3), ..STALE_ROLE }, "VaultChanged"),
            ("to be renewed, the config file changed", Row { config_fits: false, ..STALE_ROLE }, "ConfigChanged"),
            (
                "of a session with another key",
                Row {
                    change: |_, below| below.ladder.access_key_id = "AKIAIOSFODNN7OTHER00".parse().unwrap(),
                    ..STALE_ROLE
                },
                "Stale",
            ),
            (
                "of a duration that was asked for once, and is not now",
                Row { change: |it, _| it.ladder.duration_asked = true, ..STALE_ROLE },
                "Stale",
            ),
            (
                "of a duration that is asked for now too",
                Row {
                    change: |it, _| {
                        it.ladder.duration_asked = true;
                        it.ladder.rungs[1].slot.asked.duration_seconds = Some(3600);
                    },
                    ..STALE_ROLE
                },
                "renew ops from 0",
            ),
            ("made for another role only", Row { change: |it, _| it.stands_alone = false, ..ROLE }, "NoSession"),
            ("a user's, forced", Row { freshness: force, ..USER }, "Stale"),
            ("a role's, forced", Row { freshness: force, ..ROLE }, "renew ops from 0"),
            ("a user's, with enough time left", Row { freshness: min_ttl(600), ..USER }, "serve alice"),
            ("a user's, with less than is asked", Row { freshness: min_ttl(719), ..USER }, "Stale"),
            ("a role's, with less than is asked", Row { freshness: min_ttl(59), ..ROLE }, "renew ops from 0"),
            ("a login in the last hour", Row { freshness: login, minutes: 11 * 60, ..USER }, "Stale"),
            ("a use in the last hour", Row { minutes: 11 * 60, ..USER }, "serve alice"),
        ];
        for (what, row, expected) in rows {
            assert_eq!(decided(&row).as_deref(), Ok(expected), "{what}");
        }
        let never = decided(&Row { freshness: min_ttl(60), ..ROLE });
        assert_eq!(never.unwrap_err().asked, Duration::from_secs(3600), "more than the session ever has");
    }
}
