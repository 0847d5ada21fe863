//! Against a simulated AWS that checks every signature, code and limit. Its clock and ours are moved, nothing sleeps.

use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier};

use aws_sim::{Failure, Kind};

use super::super::fixture::{cache, stamps};
use super::super::ladder::Options;
use super::super::mfa::CodeFrom;
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
fn twenty_callers_at_once_make_one_call_and_ask_one_code() {
    let stage = Arc::new(Stage::new());
    let (start, asked) = (Arc::new(Barrier::new(20)), Arc::new(AtomicUsize::new(0)));
    let callers: Vec<_> = (0..20)
        .map(|_| {
            let (stage, start, asked) = (stage.clone(), start.clone(), asked.clone());
            std::thread::spawn(move || {
                let mut person = typing(&stage.phone, &[Types::TheCode]);
                start.wait();
                let issued = done(stage.issue("alice", &mut person));
                asked.fetch_add(person.asked.len(), Ordering::Relaxed);
                issued.record.credentials.access_key_id
            })
        })
        .collect();
    let ids: Vec<_> = callers.into_iter().map(|caller| caller.join().unwrap()).collect();
    assert!(ids.iter().all(|id| *id == ids[0]));
    assert_eq!(asked.load(Ordering::Relaxed), 1);
    assert_eq!(stage.sent(), ["GetSessionToken by key: 43200 phone code"]);
}

#[test]
fn callers_of_different_roles_at_once_share_the_code_too() {
    let stage = Arc::new(Stage::new());
    let start = Arc::new(Barrier::new(10));
    let callers: Vec<_> = (0..10)
        .map(|number| {
            let (stage, start) = (stage.clone(), start.clone());
            std::thread::spawn(move || {
                let mut person = typing(&stage.phone, &[Types::TheCode]);
                start.wait();
                done(stage.issue(if number % 2 == 0 { "ops" } else { "dev" }, &mut person));
                person.asked.len()
            })
        })
        .collect();
    let asked: usize = callers.into_iter().map(|caller| caller.join().unwrap()).sum();
    let mut sent = stage.sent();
    sent.sort();
    assert_eq!(asked, 1);
    assert_eq!(
        sent,
        [
            "AssumeRole by session: 3600 dev vault-alice",
            "AssumeRole by session: 3600 ops vault-alice",
            "GetSessionToken by key: 43200 phone code",
        ]
    );
}

#[test]
fn many_forced_at_once_renew_once() {
    let stage = Arc::new(Stage::new());
    let before = done(stage.issue("alice", &mut typing(&stage.phone, &[Types::TheCode])));
    stage.sent();
    stage.pass(0, 1);
    let demands = forced(&stage);
    let callers: Vec<_> = (0..8)
        .map(|_| {
            let stage = stage.clone();
            std::thread::spawn(move || {
                let ladder = stage.ladder("alice", &Options::default());
                done(stage.run(&ladder, demands, &mut typing(&stage.phone, &[Types::TheCode])))
            })
        })
        .collect();
    for caller in callers {
        assert_ne!(caller.join().unwrap().credentials().access_key_id, before.credentials().access_key_id);
    }
    assert_eq!(stage.sent(), ["GetSessionToken by key: 43200 phone code"]);
}

#[test]
fn a_wrong_code_is_refused_and_asked_for_again() {
    let stage = Stage::new();
    let mut twice = typing(&stage.phone, &[Types::AWrongCode, Types::TheCode]);
    done(stage.issue("alice", &mut twice));
    assert_eq!(twice.asked, [Why::First, Why::Wrong]);
    assert_eq!(stage.sim.count("GetSessionToken"), 2);
}

#[test]
fn three_tries_are_all_a_person_gets() {
    let stage = Stage::new();
    let text = |text: &str| Types::Text(text.into());
    let mut person = typing(&stage.phone, &[Types::AWrongCode, text("12345"), Types::AWrongCode, Types::TheCode]);
    let Err(IssueError::Code(CodeError::Wrong { from: CodeFrom::Terminal, .. })) = stage.issue("alice", &mut person)
    else {
        panic!("not refused")
    };
    assert_eq!(person.asked, [Why::First, Why::Wrong, Why::Malformed]);
    assert_eq!(stage.sim.count("GetSessionToken"), 2);
}

#[test]
fn a_code_that_nobody_typed_is_tried_once() {
    let stage = Stage::new();
    let mut wrong = Person { given: Some(stage.phone.wrong_code()), ..typing(&stage.phone, &[Types::TheCode]) };
    let refused = stage.issue("alice", &mut wrong);
    assert!(matches!(refused, Err(IssueError::Code(CodeError::Wrong { from: CodeFrom::Given, .. }))));
    assert_eq!(stage.sim.count("GetSessionToken"), 1);

    let mut malformed = Person { given: Some("12345".into()), ..typing(&stage.phone, &[Types::TheCode]) };
    let refused = stage.issue("alice", &mut malformed);
    assert!(matches!(refused, Err(IssueError::Code(CodeError::Malformed { from: CodeFrom::Given, .. }))));
    assert_eq!(stage.sim.count("GetSessionToken"), 1);
    assert!(wrong.asked.is_empty() && malformed.asked.is_empty());

    let mut right = Person { given: Some(format!(" {}\r\n", stage.phone.code())), ..person(&stage.phone) };
    assert!(!done(stage.issue("alice", &mut right)).reused);
}

#[test]
fn a_used_code_costs_no_call_and_says_when_the_next_one_comes() {
    let stage = Stage::new();
    let code = stage.phone.code();
    let mut given = Person { given: Some(code.clone()), ..person(&stage.phone) };
    done(stage.issue("alice", &mut given));
    stage.sent();

    let ladder = stage.ladder("alice", &Options::default());
    let mut again = Person { given: Some(code.clone()), ..person(&stage.phone) };
    let Err(IssueError::Code(CodeError::Used { next_in })) = stage.run(&ladder, forced(&stage), &mut again) else {
        panic!("not refused")
    };
    assert!((1..=30).contains(&next_in.as_secs()));
    assert_eq!(stage.sent(), [""; 0]);

    let mut person = typing(&stage.phone, &[Types::Text(code), Types::TheCode]);
    done(stage.run(&ladder, forced(&stage), &mut person));
    assert!(matches!(person.asked[..], [Why::First, Why::Used { .. }]));
    assert_eq!(stage.sent().len(), 1);
}

#[test]
fn without_anybody_to_ask_nothing_is_sent() {
    let stage = Stage::new();
    let refused = stage.issue("ops", &mut person(&stage.phone));
    assert!(matches!(refused, Err(IssueError::Code(CodeError::NoTerminal))));
    assert_eq!(stage.sent(), [""; 0]);
}

#[test]
fn the_profiles_own_command_gives_the_code_before_a_person_is_asked() {
    let stage = Stage::new();
    let ladder = stage.ladder_of(&stage.vault("mfa_process = \"print code\""), "alice", &Options::default());
    let mut failing = typing(&stage.phone, &[Types::TheCode]);
    let refused = stage.run(&ladder, Freshness::default(), &mut failing);
    assert!(matches!(refused, Err(IssueError::Code(CodeError::Process { .. }))));
    let mut printing = Person { process: Some(stage.phone.code()), ..person(&stage.phone) };
    done(stage.run(&ladder, Freshness::default(), &mut printing));
    assert!(failing.asked.is_empty() && printing.asked.is_empty());
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
fn a_long_role_takes_the_code_in_its_own_call() {
    let stage = Stage::new();
    done(stage.issue("long", &mut typing(&stage.phone, &[Types::TheCode])));
    assert_eq!(stage.sent(), ["AssumeRole by key: 7200 ops vault-alice phone code"]);
    assert!(done(stage.issue("long", &mut person(&stage.phone))).reused);
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
fn without_mfa_no_device_is_named_and_it_is_said() {
    let stage = Stage::new();
    let ladder = stage.ladder("alice", &Options { no_mfa: true, ..Options::default() });
    let issued = done(stage.run(&ladder, Freshness::default(), &mut person(&stage.phone)));
    assert_eq!(stage.sent(), ["GetSessionToken by key: 43200"]);
    assert!(matches!(issued.notes[..], [Note::MfaAbsent { .. }]));
    assert!(!done(stage.issue("alice", &mut typing(&stage.phone, &[Types::TheCode]))).reused);
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
fn a_lost_reply_is_no_wrong_code_and_is_not_tried_again() {
    let stage = Stage::new();
    stage.sim.fail(Failure::on("GetSessionToken").kind(Kind::AfterApplied));
    let mut person = typing(&stage.phone, &[Types::TheCode, Types::TheCode]);
    let lost = stage.issue("alice", &mut person);
    let Err(IssueError::Call { error: AwsError::Network { failure, .. }, role: None, .. }) = lost else {
        panic!("not lost")
    };
    assert_eq!(failure, NetworkFailure::Closed);
    assert_eq!((person.asked.len(), stage.sim.count("GetSessionToken")), (1, 1));
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

#[test]
fn who_waits_too_long_is_told_who_is_busy() {
    let stage = Stage::new();
    let (cache, aws) = (cache(stage.state.path()), stage.lazy_aws());
    let ladder = stage.ladder("alice", &Options::default());
    let _held = cache.lock(&ladder.rungs[0].slot, Duration::ZERO).unwrap();
    let key = AccessKey { id: "AKIAIOSFODNN7EXAMPLE".parse().unwrap(), secret: SecretAccessKey::new("x".into()) };
    let mut person = person(&stage.phone);
    let mut issuer =
        Issuer { cache: &cache, aws: &aws, clock: &stage.clock, asker: &mut person, patience: Duration::ZERO };
    let (freshness, stamps) = (Freshness::default(), stamps());
    let errand = Errand { ladder: &ladder, freshness, key: Some(&key), destination: None, stamps: &stamps };
    let Err(IssueError::Busy { profile, pid }) = issuer.issue(&errand) else { panic!("not busy") };
    assert_eq!((profile.as_str(), pid), ("alice", Some(std::process::id())));
}

/// As a caller while the vault is closed: with the ladder of a record, and no key.
fn without_key(stage: &Stage, record: &Record) -> Result<Issued, IssueError> {
    let (cache, aws) = (cache(stage.state.path()), stage.lazy_aws());
    let mut nobody = person(&stage.phone);
    let patience = Duration::from_secs(60);
    let mut issuer = Issuer { cache: &cache, aws: &aws, clock: &stage.clock, asker: &mut nobody, patience };
    let (freshness, stamps) = (Freshness::default(), &record.stamps);
    let issued = issuer.issue(&Errand { ladder: &record.ladder, freshness, key: None, destination: None, stamps });
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
