//! Callers who want the same session at the same moment.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier};

use super::*;

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
    let errand =
        Errand { ladder: &ladder, freshness, key: Some(&key), same_key: &[], destination: None, stamps: &stamps };
    let Err(IssueError::Busy { profile, pid }) = issuer.issue(&errand) else { panic!("not busy") };
    assert_eq!((profile.as_str(), pid), ("alice", Some(std::process::id())));
}
