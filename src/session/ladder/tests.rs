use super::*;

const ALICE: &str = "arn:aws:iam::111111111111:mfa/alice";
const OTHER: &str = "arn:aws:iam::111111111111:mfa/other";
const ABROAD: &str = "arn:aws:iam::222222222222:mfa/alice";

fn user(serial: Option<&str>, seconds: Option<u64>) -> UserLink {
    UserLink {
        profile: "alice".parse().unwrap(),
        access_key_id: "AKIAIOSFODNN7EXAMPLE".parse().unwrap(),
        user_arn: Some("arn:aws:iam::111111111111:user/alice".into()),
        verified: true,
        key_endpoint: None,
        serial: serial.map(|serial| Sourced::new(serial.parse().unwrap(), Origin::Vault)),
        mfa_process: Some("users-process".into()),
        duration: seconds.map(|seconds| Sourced::new(Duration::from_secs(seconds), Origin::Vault)),
        region: None,
        endpoint_url: None,
        protected: false,
    }
}

fn role(name: &str, serial: Option<&str>, seconds: Option<u64>) -> RoleLink {
    let origin = Origin::Config { line: 7 };
    RoleLink {
        profile: name.parse().unwrap(),
        role_arn: Sourced::new(format!("arn:aws:iam::222222222222:role/{name}").parse().unwrap(), origin),
        source_profile: Sourced::new("alice".parse().unwrap(), origin),
        serial: serial.map(|serial| Sourced::new(serial.parse().unwrap(), origin)),
        mfa_process: None,
        duration: seconds.map(|seconds| Sourced::new(Duration::from_secs(seconds), origin)),
        region: None,
        options: RoleOptions::default(),
        protected: false,
    }
}

fn chain(user: UserLink, roles: &[RoleLink]) -> Chain {
    Chain { user, roles: roles.to_vec() }
}

fn lasting(seconds: u64) -> Options {
    Options { duration: Some(Duration::from_secs(seconds)), ..Options::default() }
}

fn without_mfa() -> Options {
    Options { no_mfa: true, ..Options::default() }
}

/// A ladder in words: the calls with everything that decides about them, then the notes.
fn told(chain: &Chain, options: &Options) -> String {
    let ladder = match Ladder::of(chain, options, None) {
        Ok(ladder) => ladder,
        Err(error) => return told_error(error),
    };
    let device = |serial: &MfaSerial| serial.as_str()[13..].replace("111111111111:mfa/", "").replace(":mfa/", "/");
    let mut words = Vec::new();
    for rung in &ladder.rungs {
        let call =
            rung.role.as_ref().map_or("session".to_owned(), |role| format!("role {}", role.role_arn.role_name()));
        let code = rung.device.as_ref().map_or(String::new(), |found| format!(" code {}", device(&found.serial)));
        let slot = rung.slot.serial.as_ref().map_or(String::new(), |serial| format!(" slot {}", device(serial)));
        words.push(format!("{call} {}{code}{slot}", rung.seconds()));
        words.extend(rung.notes.iter().map(told_note));
    }
    words.join(", ")
}

fn told_note(note: &Note) -> String {
    match note {
        Note::MfaAbsent { profile, because } => format!("! {profile} without MFA ({because:?})"),
        Note::Capped { profile, asked, granted, by } => {
            format!("! {profile} {} not {} ({by:?})", granted.as_secs(), asked.as_secs())
        }
        Note::SerialUnused { profile, .. } => format!("! serial of {profile} unused"),
        Note::LongMfaSession { .. } => "! long".into(),
        Note::NotCached { .. } | Note::ClockOff { .. } => unreachable!("no matter of planning"),
    }
}

fn told_error(error: LadderError) -> String {
    match error {
        LadderError::Duration { profile, duration, least, most } => {
            let (origin, least, most) = (duration.origin, least.as_secs(), most.as_secs());
            format!("error: {profile} {} by {origin:?} not in {least}..{most}", duration.value.as_secs())
        }
        LadderError::ChainingCap { profile, asked } => format!("error: {profile} {} over the cap", asked.as_secs()),
        LadderError::NarrowsUser { profile, option } => format!("error: {option} narrows {profile}"),
        LadderError::Option(bad) => format!("error: {}", bad.option),
        LadderError::OtherEndpoint { .. } => "error: endpoint".into(),
    }
}

#[test]
fn every_shape_of_profile_takes_exactly_these_calls() {
    let alone = |serial, seconds| chain(user(serial, seconds), &[]);
    let one = |serial, role_serial, seconds| chain(user(serial, None), &[role("ops", role_serial, seconds)]);
    let two = |serial, first: RoleLink, second: RoleLink| chain(user(serial, None), &[first, second]);
    let (some, none, plain) = (Some(ALICE), None, Options::default());
    let rows: &[(&str, Chain, Options, &str)] = &[
        ("a user with a device", alone(some, none), plain.clone(), "session 43200 code alice"),
        ("a user without", alone(None, none), plain.clone(), "session 43200, ! alice without MFA (NoSerial)"),
        ("a user, no MFA", alone(some, none), without_mfa(), "session 43200, ! alice without MFA (Asked)"),
        ("a user's own duration", alone(some, Some(7200)), plain.clone(), "session 7200 code alice"),
        ("a flag wins", alone(some, Some(7200)), lasting(900), "session 900 code alice"),
        ("the longest", alone(some, none), lasting(129_600), "session 129600 code alice, ! long"),
        ("899 s", alone(some, none), lasting(899), "error: alice 899 by Flag not in 900..129600"),
        ("129601 s", alone(some, none), lasting(129_601), "error: alice 129601 by Flag not in 900..129600"),
        ("a bad default", alone(some, Some(60)), plain.clone(), "error: alice 60 by Vault not in 900..129600"),
        ("one role", one(some, None, none), plain.clone(), "session 43200 code alice, role ops 3600"),
        ("the same serial twice", one(some, some, none), plain.clone(), "session 43200 code alice, role ops 3600"),
        (
            "a serial that only the role has",
            one(None, some, none),
            plain.clone(),
            "session 43200 code alice slot alice, role ops 3600",
        ),
        ("a role of an hour", one(some, None, Some(3600)), plain.clone(), "session 43200 code alice, role ops 3600"),
        ("a longer role", one(some, None, Some(3601)), plain.clone(), "role ops 3601 code alice"),
        ("a longer role by flag", one(some, None, none), lasting(43_200), "role ops 43200 code alice"),
        ("a longer role, its own serial", one(None, some, none), lasting(7200), "role ops 7200 code alice"),
        ("a shorter role by flag", one(some, None, Some(7200)), lasting(900), "session 43200 code alice, role ops 900"),
        ("a role too long", one(some, None, none), lasting(43_201), "error: ops 43201 by Flag not in 900..43200"),
        (
            "a role too long in its profile",
            one(some, None, Some(50_000)),
            plain.clone(),
            "error: ops 50000 by Config { line: 7 } not in 900..43200",
        ),
        ("another serial in the role", one(some, Some(OTHER), none), plain.clone(), "role ops 3600 code other"),
        (
            "a serial of another account",
            one(None, Some(ABROAD), none),
            plain.clone(),
            "role ops 3600 code 222222222222/alice",
        ),
        ("no serial anywhere", one(None, None, none), plain.clone(), "role ops 3600"),
        ("no serial, longer", one(None, None, Some(7200)), plain.clone(), "role ops 7200"),
        ("a role, no MFA", one(some, None, none), without_mfa(), "role ops 3600, ! ops without MFA (Asked)"),
        (
            "two roles",
            two(some, role("a", None, none), role("b", None, none)),
            plain.clone(),
            "session 43200 code alice, role a 3600, role b 3600",
        ),
        (
            "two roles, both long in their profiles",
            two(some, role("a", None, Some(7200)), role("b", None, Some(43_200))),
            plain.clone(),
            "session 43200 code alice, role a 3600, ! a 3600 not 7200 (Chaining), \
             role b 3600, ! b 3600 not 43200 (Chaining)",
        ),
        (
            "two roles, long by flag",
            two(some, role("a", None, none), role("b", None, none)),
            lasting(3601),
            "error: b 3601 over the cap",
        ),
        (
            "two roles, short by flag",
            two(some, role("a", None, none), role("b", None, none)),
            lasting(900),
            "session 43200 code alice, role a 3600, role b 900",
        ),
        (
            "two roles, the serial at the second",
            two(None, role("a", None, none), role("b", some, none)),
            plain.clone(),
            "session 43200 code alice slot alice, role a 3600 slot alice, role b 3600",
        ),
        (
            "two roles, another serial at the first",
            two(some, role("a", Some(OTHER), Some(7200)), role("b", None, none)),
            plain.clone(),
            "role a 7200 code other, role b 3600",
        ),
        (
            "two roles, another serial at the second",
            two(some, role("a", None, none), role("b", Some(OTHER), none)),
            plain.clone(),
            "session 43200 code alice, role a 3600, role b 3600, ! serial of b unused",
        ),
        (
            "two roles without a serial",
            two(None, role("a", None, Some(7200)), role("b", None, none)),
            plain.clone(),
            "role a 7200, role b 3600",
        ),
        (
            "two roles, no MFA",
            two(some, role("a", some, none), role("b", some, none)),
            without_mfa(),
            "role a 3600, role b 3600, ! b without MFA (Asked)",
        ),
    ];
    for (shape, chain, options, calls) in rows {
        assert_eq!(told(chain, options), *calls, "{shape}");
    }
}

#[test]
fn roots_sessions_are_cut_to_an_hour_aloud() {
    let mut root = user(Some(ALICE), None);
    root.user_arn = Some("arn:aws:iam::111111111111:root".into());
    let chain = chain(root, &[]);
    let cut = "session 3600 code alice, ! alice 3600 not 43200 (Root)";
    assert_eq!(told(&chain, &Options::default()), cut);
    assert_eq!(told(&chain, &lasting(3601)), "error: alice 3601 by Flag not in 900..3600");
}

#[test]
fn a_longer_stay_in_the_console_has_the_key_assume_the_role_and_asks_no_more_of_it() {
    let staying = |seconds| Options { stay: Some(Duration::from_secs(seconds)), ..Options::default() };
    let one = chain(user(Some(ALICE), None), &[role("ops", None, None)]);
    assert_eq!(told(&one, &Options::default()), "session 43200 code alice, role ops 3600");
    assert_eq!(told(&one, &staying(28_800)), "role ops 3600 code alice");
    assert_eq!(told(&one, &staying(43_201)), "error: ops 43201 by Flag not in 900..43200");
    let slot = |options: &Options| Ladder::of(&one, options, None).unwrap().rungs.pop().unwrap().slot;
    assert_eq!(slot(&staying(28_800)), slot(&staying(7200)));
    assert_ne!(slot(&staying(28_800)), slot(&Options::default()));
    let two = chain(user(Some(ALICE), None), &[role("a", None, None), role("b", None, None)]);
    assert_eq!(told(&two, &staying(7200)), "error: b 7200 over the cap");
    let alone = chain(user(Some(ALICE), None), &[]);
    assert_eq!(told(&alone, &staying(129_600)), told(&alone, &lasting(129_600)));
}

#[test]
fn a_user_whose_account_is_unknown_takes_the_roles_serial_for_its_own() {
    let mut unverified = user(None, None);
    unverified.user_arn = None;
    let chain = chain(unverified, &[role("ops", Some(ABROAD), None)]);
    let calls = "session 43200 code 222222222222/alice slot 222222222222/alice, role ops 3600";
    assert_eq!(told(&chain, &Options::default()), calls);
}

#[test]
fn a_user_session_cannot_be_narrowed_and_says_by_what() {
    let narrowed = |role| told(&chain(user(None, None), &[]), &Options { role, ..Options::default() });
    let policy = RoleOptions { policy: Some("{}".into()), ..RoleOptions::default() };
    assert_eq!(narrowed(policy), "error: policy narrows alice");
    let read_only = RoleOptions { policy_arns: vec!["arn:aws:iam::aws:policy/X".into()], ..RoleOptions::default() };
    assert_eq!(narrowed(read_only), "error: policy narrows alice");
    let tagged = RoleOptions { tags: vec![("team".into(), "a".into())], ..RoleOptions::default() };
    assert_eq!(narrowed(tagged), "error: session tag narrows alice");
}

#[test]
fn read_only_is_awss_own_policy_in_the_roles_partition_and_narrows_no_user() {
    let read_only = Options { read_only: true, ..Options::default() };
    assert_eq!(told(&chain(user(None, None), &[]), &read_only), "error: policy narrows alice");
    let mut abroad = role("b", None, None);
    abroad.role_arn.value = "arn:aws-cn:iam::222222222222:role/b".parse().unwrap();
    let ladder = Ladder::of(&chain(user(None, None), &[role("a", None, None), abroad]), &read_only, None).unwrap();
    let policies: Vec<_> = ladder.rungs.iter().map(|rung| rung.role.clone().unwrap().options.policy_arns).collect();
    assert_eq!(policies, [vec![], vec!["arn:aws-cn:iam::aws:policy/ReadOnlyAccess".to_owned()]]);
    assert_eq!(ladder.rungs[0].slot.asked, Asked::default());
    assert!(ladder.rungs[1].slot.asked.read_only);
}

#[test]
fn a_role_that_no_profile_has_is_the_last_call_in_a_slot_of_its_own() {
    let arn: RoleArn = "arn:aws:iam::222222222222:role/adhoc".parse().unwrap();
    let options = Options { role_arn: Some(arn.clone()), ..Options::default() };
    for (roles, calls) in [
        (vec![], "session 43200 code alice, role adhoc 3600"),
        (vec![role("a", None, None)], "session 43200 code alice, role a 3600, role adhoc 3600"),
    ] {
        let chain = chain(user(Some(ALICE), None), &roles);
        let name = chain.profile().clone();
        let chain = chain.assuming(arn.clone());
        assert_eq!(told(&chain, &options), calls);
        let ladder = Ladder::of(&chain, &options, None).unwrap();
        let slots: Vec<&Slot> = ladder.rungs.iter().map(|rung| &rung.slot).collect();
        assert_eq!(*slots[ladder.last()], options.slot(&name));
        assert_eq!((&slots[ladder.last() - 1].profile, &slots[ladder.last() - 1].asked), (&name, &Asked::default()));
    }
}

#[test]
fn what_the_flags_say_of_a_role_is_said_to_the_last_one_only() {
    let chain = chain(user(None, None), &[role("a", None, None), role("b", None, None)]);
    let named = RoleOptions { session_name: Some("me".into()), ..RoleOptions::default() };
    let ladder = Ladder::of(&chain, &Options { role: named.clone(), ..Options::default() }, None).unwrap();
    let options: Vec<_> = ladder.rungs.iter().map(|rung| rung.role.clone().unwrap().options).collect();
    assert_eq!(options, [RoleOptions::default(), named.clone()]);
    assert_eq!(ladder.rungs[0].slot.asked, Asked::default());
    assert_eq!(ladder.rungs[1].slot.asked.role, named);
}

#[test]
fn a_code_comes_from_the_command_of_whose_device_it_is() {
    let process = |chain: &Chain| {
        let ladder = Ladder::of(chain, &Options::default(), None).unwrap();
        ladder.rungs.into_iter().find_map(|rung| rung.device).unwrap().process
    };
    let mut with_own = role("ops", Some(OTHER), None);
    assert_eq!(process(&chain(user(Some(ALICE), None), &[with_own.clone()])).as_deref(), Some("users-process"));
    with_own.mfa_process = Some("roles-process".into());
    assert_eq!(process(&chain(user(Some(ALICE), None), &[with_own.clone()])).as_deref(), Some("roles-process"));
    with_own.serial = None;
    assert_eq!(process(&chain(user(Some(ALICE), None), &[with_own])).as_deref(), Some("users-process"));
}

#[test]
fn a_key_signs_only_for_the_endpoint_that_verified_it() {
    let elsewhere: Endpoint = "http://127.0.0.1:4566".parse().unwrap();
    let mut link = user(None, None);
    let ladder = |link: &UserLink, endpoint| Ladder::of(&chain(link.clone(), &[]), &Options::default(), endpoint);
    assert!(matches!(ladder(&link, Some(&elsewhere)), Err(LadderError::OtherEndpoint { verified_at: None, .. })));
    link.key_endpoint = Some(elsewhere.to_string());
    assert!(ladder(&link, Some(&elsewhere)).is_ok());
    assert!(matches!(ladder(&link, None), Err(LadderError::OtherEndpoint { now: None, .. })));
    link.verified = false;
    assert!(ladder(&link, None).is_ok());
}

#[test]
fn ten_thousand_roles_are_planned_in_a_moment() {
    let roles: Vec<_> = (0..10_000).map(|number| role(&format!("r{number}"), None, None)).collect();
    let ladder = Ladder::of(&chain(user(Some(ALICE), None), &roles), &Options::default(), None).unwrap();
    assert_eq!(ladder.rungs.len(), 10_001);
    assert_eq!(ladder.request(ladder.last()).roles.len(), 10_000);
}

#[test]
fn a_part_of_a_ladder_is_what_its_profile_takes_by_itself_except_where_chaining_caps_it() {
    let options = Options::default();
    for seconds in [None, Some(3600), Some(7200)] {
        let roles = [role("hub", None, seconds), role("spoke", None, Some(7200))];
        let whole = Ladder::of(&chain(user(Some(ALICE), None), &roles), &options, None).unwrap();
        let hub = Ladder::of(&chain(user(Some(ALICE), None), &roles[..1]), &options, None).unwrap();
        let alone = Ladder::of(&chain(user(Some(ALICE), None), &[]), &options, None).unwrap();
        assert_eq!(whole.rungs.len(), 3);
        assert_eq!(whole.up_to(0), alone.up_to(0));
        assert!(whole.stands_alone(0) && whole.stands_alone(2));
        assert_eq!(whole.stands_alone(1), whole.up_to(1) == hub.up_to(hub.last()), "{seconds:?}");
        assert_eq!(whole.stands_alone(1), seconds != Some(7200));
    }
}

#[test]
fn what_is_kept_of_a_ladder_has_no_command_and_asks_for_the_same() {
    let options = lasting(1800);
    let whole = Ladder::of(&chain(user(Some(ALICE), None), &[role("ops", None, None)]), &options, None).unwrap();
    let kept: Ladder = serde_json::from_str(&serde_json::to_string(&whole).unwrap()).unwrap();
    assert_eq!(kept, whole.up_to(1));
    assert!(!serde_json::to_string(&whole).unwrap().contains("users-process"));
    for rung in 0..2 {
        assert_eq!(whole.up_to(rung).request(rung), whole.request(rung));
    }
    assert!(whole.request(1).duration_asked && !whole.up_to(0).duration_asked);
}
