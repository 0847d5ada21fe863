//! Two profiles that have one access key.

use super::*;

#[test]
fn one_code_serves_both_day_after_day() {
    let stage = Stage::new();
    let mut person = typing(&stage.phone, &[Types::TheCode, Types::TheCode]);
    for _day in 0..2 {
        assert!(!done(stage.issue("alice", &mut person)).reused);
        let shared = done(stage.issue("twin", &mut person));
        // Its own of the day before is over, and hides nothing.
        assert!(shared.reused && shared.expires() > stage.sim.now());
        stage.pass(13, 0);
        person.asked.clear();
    }
    assert_eq!(stage.sent(), ["GetSessionToken by key: 43200 phone code"; 2]);
}

#[test]
fn a_session_that_aws_takes_no_more_is_met_under_no_name_again() {
    let stage = Stage::new();
    let mut person = typing(&stage.phone, &[Types::TheCode, Types::TheCode]);
    let first = done(stage.issue("alice", &mut person));
    done(stage.issue("twin", &mut person));
    person.asked.clear();
    stage.sim.fail(Failure::on("AssumeRole").kind(Kind::Status {
        http: 403,
        code: "ExpiredToken".into(),
        message: "The security token included in the request is expired".into(),
    }));
    done(stage.issue("ops", &mut person));
    let twins = done(stage.issue("twin", &mut person));
    assert!(twins.credentials().access_key_id != first.credentials().access_key_id);
    assert_eq!(stage.sim.count("GetSessionToken"), 2);
}

#[test]
fn a_session_for_another_time_is_not_shared_but_signs_for_a_role() {
    let stage = Stage::new();
    let mut person = typing(&stage.phone, &[Types::TheCode, Types::TheCode]);
    let long = Options { duration: Some(Duration::from_secs(36 * 3600)), ..Options::default() };
    done(stage.run(&stage.ladder("twin", &long), Freshness::default(), &mut person));
    done(stage.issue("ops", &mut person));
    assert_eq!(stage.sim.count("GetSessionToken"), 1);
    person.asked.clear();
    done(stage.issue("alice", &mut person));
    assert_eq!(stage.sim.count("GetSessionToken"), 2);
}
