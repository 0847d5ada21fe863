//! Against a simulated AWS that checks every signature, code and limit. Its clock and ours are moved, nothing sleeps.

mod at_once;
mod codes;
mod same_key;

use std::path::Path;

use aws_sim::{Failure, Kind};

use super::super::fixture::{cache, stamps};
use super::super::mfa::CodeFrom;
use super::super::options::Options;
use super::super::role_options::RoleOptions;
use super::stage::{Person, Stage, Types, done, forced, lasting, person, typing};
use super::*;
use crate::aws::NetworkFailure;
use crate::secret::SecretAccessKey;

#[test]
fn one_code_serves_the_user_and_every_role() {
    let stage = Stage::new();
    let mut once = typing(&stage.phone, &[Types::TheCode]);
    let first = done(stage.issue("ops", &mut once));
    assert!(!first.reused && first.notes.is_empty());
    assert_eq!(
        stage.sent(),
        ["GetSessionToken by key: 43200 phone code", "AssumeRole by session: 3600 ops vault-alice"]
    );
    done(stage.issue("dev", &mut once));
    assert_eq!(stage.sent(), ["AssumeRole by session: 3600 dev vault-alice"]);
    let user = done(stage.issue("alice", &mut once));
    assert!(user.reused);
    assert_eq!(stage.sent(), [""; 0]);
    assert_eq!(once.asked, [Why::First]);
}

#[test]
fn a_cached_session_takes_no_call_no_code_and_no_connection() {
    let stage = Stage::new();
    let first = done(stage.issue("ops", &mut typing(&stage.phone, &[Types::TheCode])));
    let never: LazyAws = LazyCell::new(Box::new(|| panic!("connected")));
    let ladder = stage.ladder("ops", &Options::default());
    let cache = cache(stage.state.path());
    let again = done(stage.run_with(&cache, &never, &ladder, Freshness::default(), &mut person(&stage.phone)));
    assert!(again.reused);
    assert_eq!(again.credentials().access_key_id, first.credentials().access_key_id);
    assert_eq!(again.expires(), first.expires());
}

#[test]
fn sessions_are_renewed_when_their_time_is_over_each_by_itself() {
    let stage = Stage::new();
    let mut twice = typing(&stage.phone, &[Types::TheCode, Types::TheCode]);
    done(stage.issue("ops", &mut twice));
    stage.sent();
    stage.pass(0, 44);
    assert!(done(stage.issue("ops", &mut twice)).reused);
    stage.pass(0, 2);
    done(stage.issue("ops", &mut twice));
    assert_eq!(stage.sent(), ["AssumeRole by session: 3600 ops vault-alice"]);
    stage.pass(11, 0);
    twice.asked.clear();
    let renewed = done(stage.issue("ops", &mut twice));
    assert_eq!(
        stage.sent(),
        ["GetSessionToken by key: 43200 phone code", "AssumeRole by session: 3600 ops vault-alice"]
    );
    assert_eq!(renewed.expires().duration_since(stage.sim.now()).as_mins() + 1, 60);
    assert_eq!(renewed.notes, []);
}

#[test]
fn what_is_asked_for_a_role_reaches_aws_and_is_another_session() {
    let stage = Stage::new();
    let mut once = typing(&stage.phone, &[Types::TheCode]);
    done(stage.issue("ops", &mut once));
    stage.sent();
    let role = RoleOptions {
        session_name: Some("me".into()),
        external_id: Some("abc".into()),
        policy_arns: vec!["arn:aws:iam::aws:policy/ReadOnlyAccess".into()],
        ..RoleOptions::default()
    };
    let ladder = stage.ladder("ops", &Options { role, ..lasting(900) });
    assert!(!done(stage.run(&ladder, Freshness::default(), &mut once)).reused);
    assert_eq!(
        stage.sent(),
        ["AssumeRole by session: 900 ExternalId=abc \
          PolicyArns.member.1.arn=arn:aws:iam::aws:policy/ReadOnlyAccess ops RoleSessionName=me"]
    );
    assert!(done(stage.run(&ladder, Freshness::default(), &mut once)).reused);
}

#[test]
fn a_duration_asked_for_once_serves_who_asks_for_none() {
    let stage = Stage::new();
    let mut once = typing(&stage.phone, &[Types::TheCode]);
    let day_and_half = stage.ladder("alice", &lasting(129_600));
    let long = done(stage.run(&day_and_half, Freshness::default(), &mut once));
    stage.sent();
    let plain = done(stage.issue("alice", &mut once));
    assert_eq!(plain.credentials().access_key_id, long.credentials().access_key_id);
    done(stage.issue("ops", &mut once));
    assert_eq!(stage.sent(), ["AssumeRole by session: 3600 ops vault-alice"]);
}

#[test]
fn a_short_session_never_takes_the_place_of_a_long_one() {
    let stage = Stage::new();
    let mut twice = typing(&stage.phone, &[Types::TheCode, Types::TheCode]);
    let long = done(stage.issue("alice", &mut twice));
    twice.asked.clear();
    let quarter = stage.ladder("alice", &lasting(900));
    let short = done(stage.run(&quarter, Freshness::default(), &mut twice));
    assert!(!short.reused);
    let plain = done(stage.issue("alice", &mut twice));
    assert_eq!(plain.credentials().access_key_id, long.credentials().access_key_id);
    assert!(done(stage.run(&quarter, Freshness::default(), &mut twice)).reused);
}

#[test]
fn an_edited_profile_gets_a_session_of_its_own() {
    let stage = Stage::new();
    done(stage.issue("alice", &mut typing(&stage.phone, &[Types::TheCode])));
    let edited = stage.ladder_of(&stage.vault("duration_seconds = 7200"), "alice", &Options::default());
    assert!(!done(stage.run(&edited, Freshness::default(), &mut typing(&stage.phone, &[Types::TheCode]))).reused);

    let mut once = typing(&stage.phone, &[Types::TheCode]);
    done(stage.issue("ops", &mut once));
    let vault = stage.vault("").replace("role/ops", "role/dev");
    let moved = stage.ladder_of(&vault, "ops", &Options::default());
    stage.sent();
    assert!(!done(stage.run(&moved, Freshness::default(), &mut once)).reused);
    assert_eq!(stage.sent(), ["AssumeRole by session: 3600 dev vault-alice"]);
}

#[test]
fn a_cached_session_that_aws_refuses_is_made_anew_once() {
    let stage = Stage::new();
    let mut twice = typing(&stage.phone, &[Types::TheCode, Types::TheCode]);
    done(stage.issue("alice", &mut twice));
    let expired = Kind::Status { http: 403, code: "ExpiredToken".into(), message: "expired".into() };
    stage.sim.fail(Failure::on("AssumeRole").kind(expired.clone()));
    stage.sent();
    twice.asked.clear();
    done(stage.issue("ops", &mut twice));
    let by_session = "AssumeRole by session: 3600 ops vault-alice";
    assert_eq!(stage.sent(), [by_session, "GetSessionToken by key: 43200 phone code", by_session]);

    stage.sim.fail(Failure::on("AssumeRole").kind(expired).lasting());
    let refused = stage.issue("dev", &mut typing(&stage.phone, &[Types::TheCode]));
    assert!(matches!(
        refused,
        Err(IssueError::Call { error: AwsError::Refused { refusal: Refusal::Expired, .. }, .. })
    ));
}

#[test]
fn a_refused_role_keeps_the_session_that_the_code_was_spent_on() {
    let stage = Stage::new();
    let mut once = typing(&stage.phone, &[Types::TheCode]);
    let vault = stage.vault("").replace("role/ops", "role/gone");
    let ladder = stage.ladder_of(&vault, "ops", &Options::default());
    let Err(IssueError::Call { profile, role, error }) = stage.run(&ladder, Freshness::default(), &mut once) else {
        panic!("not refused")
    };
    assert_eq!((profile.as_str(), role.unwrap().role_name()), ("ops", "gone"));
    assert!(matches!(error, AwsError::Refused { refusal: Refusal::AccessDenied, .. }));
    stage.sent();
    assert!(stage.run(&ladder, Freshness::default(), &mut once).is_err());
    assert_eq!(stage.sent(), ["AssumeRole by session: 3600 gone vault-alice"]);
    done(stage.issue("ops", &mut once));
    assert_eq!(once.asked.len(), 1);
}

#[test]
fn a_state_folder_that_cannot_be_written_costs_the_cache_and_not_the_session() {
    let stage = Stage::new();
    let blocked = stage.state.path().join("file");
    std::fs::write(&blocked, b"").unwrap();
    let cache = cache(Path::new(&blocked));
    let ladder = stage.ladder("ops", &Options::default());
    let mut once = typing(&stage.phone, &[Types::TheCode]);
    let issued = done(stage.run_with(&cache, &stage.lazy_aws(), &ladder, Freshness::default(), &mut once));
    assert!(!issued.reused);
    assert!(matches!(issued.notes[..], [Note::NotCached { .. }]));
}

#[test]
fn a_clock_twenty_minutes_off_is_told_and_counts_right() {
    for minutes in [20, -20] {
        let stage = Stage::new();
        let off = SignedDuration::from_mins(minutes);
        stage.sim.set_offset(off);
        let mut once = typing(&stage.phone, &[Types::TheCode]);
        let issued = done(stage.issue("ops", &mut once));
        let [Note::ClockOff { offset }] = issued.notes[..] else { panic!("{:?}", issued.notes) };
        assert!((offset - off).abs() < SignedDuration::from_secs(60), "{offset}");
        stage.pass(0, 44);
        assert!(done(stage.issue("ops", &mut once)).reused);
        stage.pass(0, 2);
        assert!(!done(stage.issue("ops", &mut once)).reused);
    }
}

/// As a caller while the vault is closed: with the ladder of a record, and no key.
fn without_key(stage: &Stage, record: &Record) -> Result<Issued, IssueError> {
    let (cache, aws) = (cache(stage.state.path()), stage.lazy_aws());
    let mut nobody = person(&stage.phone);
    let patience = Duration::from_secs(60);
    let mut issuer = Issuer { cache: &cache, aws: &aws, clock: &stage.clock, asker: &mut nobody, patience };
    let (freshness, stamps) = (Freshness::default(), &record.stamps);
    let issued = issuer.issue(&Errand {
        ladder: &record.ladder,
        freshness,
        key: None,
        same_key: &[],
        destination: None,
        stamps,
    });
    assert!(nobody.asked.is_empty());
    issued
}

#[test]
fn without_the_access_key_nothing_is_sent_that_it_would_have_to_sign() {
    let stage = Stage::new();
    let role = done(stage.issue("ops", &mut typing(&stage.phone, &[Types::TheCode]))).record;
    let user = done(stage.issue("alice", &mut person(&stage.phone))).record;
    stage.sent();
    assert!(done(without_key(&stage, &role)).reused && done(without_key(&stage, &user)).reused);
    stage.pass(0, 50);
    assert!(!done(without_key(&stage, &role)).reused);
    assert_eq!(stage.sent(), ["AssumeRole by session: 3600 ops vault-alice"]);
    stage.pass(12, 0);
    for record in [&role, &user] {
        let Err(IssueError::KeyNeeded { profile }) = without_key(&stage, record) else { panic!("it had a key") };
        assert_eq!(profile.as_str(), "alice");
    }
    // A ladder that nobody makes: a user's session above a session, which only a key signs.
    let mut twice = done(stage.issue("alice", &mut typing(&stage.phone, &[Types::TheCode]))).record;
    stage.sent();
    let other = twice.ladder.rungs[0].clone();
    twice.ladder.rungs.push(other);
    twice.ladder.rungs[1].slot.profile = "other".parse().unwrap();
    twice.ladder.rungs[1].device = None;
    assert!(matches!(without_key(&stage, &twice), Err(IssueError::KeyNeeded { .. })));
    assert_eq!(stage.sent(), [""; 0]);
}

#[test]
fn a_record_tells_a_later_reader_what_it_depends_on() {
    let stage = Stage::new();
    let ladder = stage.ladder("ops", &Options::default());
    let cache = cache(stage.state.path());
    done(stage.issue("ops", &mut typing(&stage.phone, &[Types::TheCode])));
    let (user, role) = (cache.read(&ladder.rungs[0].slot).unwrap(), cache.read(&ladder.rungs[1].slot).unwrap());
    assert_eq!((user.ladder.rungs.len(), role.ladder.rungs.len()), (1, 2));
    assert_eq!((user.request(), role.request()), (ladder.request(0), ladder.request(1)));
    assert!(user.stands_alone && role.stands_alone);
    assert_eq!(user.slot().profile.as_str(), "alice");
}

#[test]
fn a_session_that_stays_is_noted_as_what_the_profile_asks_today() {
    let stage = Stage::new();
    let ladder = stage.ladder("alice", &Options::default());
    let cache = cache(stage.state.path());
    let read = || cache.read(&ladder.rungs[0].slot).unwrap();
    // Asked for by flag, and found by who names no duration: as long as it was asked for, and not noted as anything else.
    let long = done(stage.run(&stage.ladder("alice", &lasting(7200)), Freshness::default(), &mut {
        typing(&stage.phone, &[Types::TheCode])
    }));
    assert_eq!(read().request().duration_seconds, 7200);
    let mut old = read();
    old.stamps.vault.inode = 99;
    old.ladder.user_arn = None;
    old.stands_alone = false;
    cache.store(&old, stage.clock.now()).unwrap();
    let again = done(stage.issue("alice", &mut person(&stage.phone)));
    assert!(again.reused);
    assert_eq!(again.credentials().access_key_id, long.credentials().access_key_id);
    let noted = read();
    assert_eq!((&noted.stamps, noted.stands_alone), (&stamps(), true));
    assert_eq!(noted.ladder.user_arn.as_deref(), Some(stage.alice.arn()));
    assert!(noted.ladder.duration_asked && noted.request().duration_seconds == 7200);
    assert_eq!(noted.made_at, old.made_at);
}
