//! Where a code comes from, how often it is asked for, and into which call it goes.

use super::*;

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
fn a_long_role_takes_the_code_in_its_own_call() {
    let stage = Stage::new();
    done(stage.issue("long", &mut typing(&stage.phone, &[Types::TheCode])));
    assert_eq!(stage.sent(), ["AssumeRole by key: 7200 ops vault-alice phone code"]);
    assert!(done(stage.issue("long", &mut person(&stage.phone))).reused);
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
