use std::path::Path;

use age::Recipient;
use age_core::format::FileKey;
use jiff::Timestamp;

use super::*;
use crate::secret::IdentityText;

const IDLE: u64 = 900;
const MAX: u64 = 28_800;
const SESSION: u64 = 43_200;

/// So many seconds after the beginning, by both clocks.
fn at(seconds: u64) -> Moment {
    clocks(seconds, seconds as i64)
}

fn clocks(boot: u64, wall: i64) -> Moment {
    Moment { boot: Duration::from_secs(5000 + boot), wall: Timestamp::from_second(1_700_000_000 + wall).unwrap() }
}

/// A vault and its two identities.
struct Known {
    id: String,
    vault: IdentityText,
    session: IdentityText,
}

impl Known {
    fn new(id: &str) -> Self {
        Self { id: id.to_owned(), vault: identity::generate(), session: identity::generate() }
    }

    fn unlock(&self, place: &str, session: u64) -> Unlock {
        Unlock {
            place: Path::new(place).into(),
            vault_id: self.id.clone(),
            vault_identity: self.vault.clone(),
            session_identity: self.session.clone(),
            name_key: Zeroizing::new([7; 32]),
            idle: Duration::from_secs(IDLE),
            max: Duration::from_secs(MAX),
            session: Duration::from_secs(session),
        }
    }

    fn stanzas(&self, which: Which) -> Vec<Stanza> {
        let of = if which == Which::Vault { &self.vault } else { &self.session };
        let recipient: age::x25519::Recipient = identity::recipient(of).unwrap().parse().unwrap();
        recipient.wrap_file_key(&FileKey::new(Box::new([9; 16]))).unwrap().0
    }

    fn opens(&self, held: &mut Held, which: Which, now: Moment) -> bool {
        let key = held.unwrap(&self.id, which, &self.stanzas(which), now);
        assert!(key.as_ref().is_none_or(|key| **key == [9; 16]));
        key.is_some()
    }
}

/// One vault, unlocked at the beginning.
fn unlocked(session: u64) -> (Held, Known) {
    let (mut held, known) = (Held::new().unwrap(), Known::new("vault"));
    held.unlock(&known.unlock("/v", session), at(0)).unwrap();
    (held, known)
}

fn state(held: &mut Held, place: &str, now: Moment) -> Option<State> {
    held.hello(&Path::new(place).into(), now).map(|vault| vault.state)
}

fn holds(held: &Held, identity: &IdentityText) -> bool {
    held.memory.windows(IDENTITY).any(|window| window == identity.expose().as_bytes())
}

#[test]
fn what_is_held_opens_what_it_is_for_and_nothing_else() {
    let (mut held, known) = unlocked(SESSION);
    let vault = held.hello(&Path::new("/v").into(), at(0)).unwrap();
    assert_eq!((&*vault.vault_id, vault.state, *vault.name_key), ("vault", State::Unlocked, [7; 32]));
    assert_eq!(Some(vault.session_recipient), identity::recipient(&known.session));
    assert!(known.opens(&mut held, Which::Vault, at(0)));
    assert!(known.opens(&mut held, Which::Session, at(0)));
    let stranger = Known::new("vault");
    assert!(!stranger.opens(&mut held, Which::Vault, at(0)));
    assert!(!Known { id: "other".to_owned(), ..known }.opens(&mut held, Which::Vault, at(0)));
    assert_eq!(state(&mut held, "/other", at(0)), None);
}

#[test]
fn a_stanza_that_is_none_does_not_hide_one_that_opens() {
    let (mut held, known) = unlocked(SESSION);
    let broken = Stanza { tag: "X25519".to_owned(), args: vec!["?".to_owned()], body: vec![] };
    let mut stanzas = vec![broken];
    assert!(held.unwrap("vault", Which::Vault, &stanzas, at(0)).is_none());
    stanzas.extend(known.stanzas(Which::Vault));
    assert!(held.unwrap("vault", Which::Vault, &stanzas, at(0)).is_some());
}

#[test]
fn a_session_file_that_was_opened_is_opened_again_by_its_key_and_a_vault_never() {
    for (which, again) in [(Which::Session, true), (Which::Vault, false)] {
        let (mut held, known) = unlocked(SESSION);
        let stanzas = known.stanzas(which);
        assert_eq!(*held.unwrap("vault", which, &stanzas, at(0)).unwrap(), [9; 16]);
        let slot = held.vaults[0].slot;
        held.memory[part(slot, Part::Vault)].fill(b'?');
        held.memory[part(slot, Part::Session)].fill(b'?');
        let key = held.unwrap("vault", which, &stanzas, at(1));
        assert_eq!(key.as_deref(), again.then_some(&[9; 16]), "{which:?}");
    }
}

#[test]
fn keys_of_session_files_go_with_the_session_identity() {
    type Gone = fn(&mut Held);
    let ends: [(&str, Gone); 3] = [
        ("locked", Held::lock),
        ("over", |held| held.expire(at(SESSION))),
        ("unlocked anew", |held| held.unlock(&Known::new("vault").unlock("/v", SESSION), at(1)).unwrap()),
    ];
    for (how, end) in ends {
        let (mut held, known) = unlocked(SESSION);
        let stanzas = known.stanzas(Which::Session);
        assert!(held.unwrap("vault", Which::Session, &stanzas, at(0)).is_some());
        let has_key = |held: &Held| held.memory.windows(16).any(|window| window == [9; 16]);
        assert!(has_key(&held), "{how}");
        end(&mut held);
        assert!(!has_key(&held), "{how}");
        assert!(held.unwrap("vault", Which::Session, &stanzas, at(1)).is_none(), "{how}");
    }
}

#[test]
fn identities_go_when_their_time_is_over_by_either_clock() {
    use State::{SessionsOnly, Unlocked};
    let (day, idle, session) = (86_400, IDLE as i64, SESSION as i64);
    for (now, then) in [
        (at(0), Some(Unlocked)),
        (at(IDLE - 1), Some(Unlocked)),
        (at(IDLE), Some(SessionsOnly)),
        (at(SESSION - 1), Some(SessionsOnly)),
        (at(SESSION), None),
        // The machine was paused, or the wall clock set ahead.
        (clocks(0, idle), Some(SessionsOnly)),
        (clocks(IDLE, 900 - 60), Some(SessionsOnly)),
        (clocks(0, session), None),
        (clocks(SESSION, session - 60), None),
        // Set back by little and by more.
        (clocks(100, 40), Some(Unlocked)),
        (clocks(100, 39), None),
        (clocks(0, -day), None),
    ] {
        let (mut held, known) = unlocked(SESSION);
        assert_eq!(state(&mut held, "/v", now), then, "{now:?}");
        assert_eq!(holds(&held, &known.vault), then == Some(Unlocked), "{now:?}");
        assert_eq!(holds(&held, &known.session), then.is_some(), "{now:?}");
        assert_eq!(held.memory.iter().all(|byte| *byte == 0), then.is_none(), "{now:?}");
    }
}

#[test]
fn only_use_of_the_vault_identity_that_succeeds_keeps_it() {
    type Use = fn(&mut Held, &Known, Moment);
    let uses: [(&str, bool, Use); 6] = [
        ("vault", true, |held, known, now| assert!(known.opens(held, Which::Vault, now))),
        ("session", false, |held, known, now| assert!(known.opens(held, Which::Session, now))),
        ("in vain", false, |held, _, now| assert!(!Known::new("vault").opens(held, Which::Vault, now))),
        ("hello", false, |held, _, now| assert!(state(held, "/v", now).is_some())),
        ("status", false, |held, _, now| assert_eq!(held.status(now).len(), 1)),
        ("other vault", false, |held, _, now| held.unlock(&Known::new("b").unlock("/b", SESSION), now).unwrap()),
    ];
    for (what, keeps, using) in uses {
        let (mut held, known) = unlocked(SESSION);
        using(&mut held, &known, at(IDLE - 1));
        let state = state(&mut held, "/v", at(2 * IDLE - 2));
        assert_eq!(state == Some(State::Unlocked), keeps, "{what}");
    }
}

#[test]
fn a_vault_in_constant_use_is_let_go_at_the_latest_time_and_its_sessions_at_theirs() {
    let (mut held, known) = unlocked(SESSION);
    for second in (0..MAX).step_by(600) {
        assert!(known.opens(&mut held, Which::Vault, at(second)));
    }
    assert!(!known.opens(&mut held, Which::Vault, at(MAX)));
    assert!(known.opens(&mut held, Which::Session, at(SESSION - 1)));
    assert!(!known.opens(&mut held, Which::Session, at(SESSION)));
}

#[test]
fn without_a_time_of_its_own_the_session_identity_goes_with_the_vaults() {
    let (mut held, known) = unlocked(0);
    assert!(known.opens(&mut held, Which::Session, at(IDLE - 1)));
    assert_eq!(held.status(at(0))[0].session_left, None);
    assert_eq!(state(&mut held, "/v", at(IDLE)), None);
    assert!(!holds(&held, &known.session));
}

#[test]
fn the_session_identity_never_goes_before_the_vaults() {
    let (mut held, known) = unlocked(60);
    assert_eq!(held.status(at(0))[0].session_left, Some(IDLE));
    assert!(known.opens(&mut held, Which::Session, at(IDLE - 1)));
    assert_eq!(state(&mut held, "/v", at(IDLE)), None);
}

#[test]
fn unlocking_again_renews_also_with_other_identities() {
    let (mut held, known) = unlocked(SESSION);
    let changed = Known::new("vault");
    held.unlock(&changed.unlock("/v", SESSION), at(IDLE + 1)).unwrap();
    assert_eq!(held.vaults.len(), 1);
    assert!(!holds(&held, &known.vault) && !holds(&held, &known.session));
    assert!(changed.opens(&mut held, Which::Vault, at(2 * IDLE)));
    assert!(changed.opens(&mut held, Which::Session, at(SESSION + IDLE)));
}

#[test]
fn a_vault_is_known_by_every_place_it_was_unlocked_in_and_a_place_by_one_vault() {
    let (mut held, known) = unlocked(SESSION);
    held.unlock(&known.unlock("/copy", SESSION), at(1)).unwrap();
    assert_eq!(held.status(at(1)).len(), 1);
    assert_eq!(held.status(at(1))[0].place.as_str(), "/copy");
    let other = Known::new("other");
    held.unlock(&other.unlock("/v", SESSION), at(2)).unwrap();
    assert_eq!(held.hello(&Path::new("/v").into(), at(2)).unwrap().vault_id, "other");
    assert_eq!(held.hello(&Path::new("/copy").into(), at(2)).unwrap().vault_id, "vault");
    // Nothing leads to the first one any more.
    held.unlock(&other.unlock("/copy", SESSION), at(3)).unwrap();
    assert_eq!(held.status(at(3)).len(), 1);
    assert!(!holds(&held, &known.vault) && holds(&held, &other.vault));
    for number in 0..2 * MOST_PLACES {
        held.unlock(&other.unlock(&format!("/{number}"), SESSION), at(4)).unwrap();
    }
    assert_eq!(held.vaults[0].places.len(), MOST_PLACES);
    assert!(state(&mut held, "/15", at(4)).is_some() && state(&mut held, "/7", at(4)).is_none());
}

#[test]
fn for_a_ninth_vault_the_one_that_was_not_used_for_longest_is_let_go() {
    let mut held = Held::new().unwrap();
    let known: Vec<Known> = (0..9).map(|number| Known::new(&number.to_string())).collect();
    for (number, vault) in known.iter().take(8).enumerate() {
        held.unlock(&vault.unlock(&format!("/{number}"), SESSION), at(0)).unwrap();
    }
    assert!(known[0].opens(&mut held, Which::Session, at(1)));
    held.unlock(&known[8].unlock("/8", SESSION), at(2)).unwrap();
    for (number, vault) in known.iter().enumerate() {
        assert_eq!(holds(&held, &vault.vault), number != 1, "{number}");
        assert_eq!(vault.opens(&mut held, Which::Vault, at(2)), number != 1, "{number}");
    }
}

#[test]
fn locking_leaves_no_byte() {
    let (mut held, known) = unlocked(SESSION);
    assert!(held.memory.iter().any(|byte| *byte != 0));
    held.lock();
    assert!(held.memory.iter().all(|byte| *byte == 0));
    assert!(held.status(at(0)).is_empty());
    assert!(!known.opens(&mut held, Which::Session, at(0)));
}

#[test]
fn what_can_not_be_held_is_refused_and_changes_nothing() {
    let (mut held, known) = unlocked(SESSION);
    let public = identity::recipient(&known.vault).unwrap();
    let mut wrong = known.vault.expose().to_owned();
    wrong.replace_range(40..41, if &wrong[40..41] == "Q" { "P" } else { "Q" });
    for text in [String::new(), public, wrong, "A".repeat(IDENTITY), "A".repeat(5000)] {
        let identity = IdentityText::new(text);
        let vault = Unlock { vault_identity: identity.clone(), ..known.unlock("/v", SESSION) };
        let session = Unlock { session_identity: identity, ..known.unlock("/v", SESSION) };
        assert!(held.unlock(&vault, at(0)).is_none() && held.unlock(&session, at(0)).is_none());
    }
    let long = "x".repeat(LONGEST_PLACE + 1);
    for unlock in [
        Unlock { vault_id: String::new(), ..known.unlock("/v", SESSION) },
        Unlock { vault_id: "x".repeat(LONGEST_ID + 1), ..known.unlock("/v", SESSION) },
        known.unlock("", SESSION),
        known.unlock(&long, SESSION),
    ] {
        assert!(held.unlock(&unlock, at(0)).is_none());
    }
    assert!(known.opens(&mut held, Which::Vault, at(0)));
}

#[test]
fn the_status_says_how_long_each_is_held_on() {
    let (mut held, _) = unlocked(SESSION);
    let left = |held: &mut Held, now| {
        let status = held.status(now).remove(0);
        (status.state, status.idle_left, status.vault_left, status.session_left)
    };
    assert_eq!(left(&mut held, at(100)), (State::Unlocked, Some(800), Some(MAX - 100), Some(SESSION - 100)));
    assert_eq!(left(&mut held, clocks(100, 300)).1, Some(600));
    assert_eq!(left(&mut held, at(IDLE)), (State::SessionsOnly, None, None, Some(SESSION - IDLE)));
}

#[test]
fn times_without_end_do_no_harm() {
    let (mut held, known) = (Held::new().unwrap(), Known::new("vault"));
    let endless =
        Unlock { idle: Duration::MAX, max: Duration::MAX, session: Duration::MAX, ..known.unlock("/v", SESSION) };
    held.unlock(&endless, at(0)).unwrap();
    assert!(known.opens(&mut held, Which::Vault, at(1_000_000_000)));
}
