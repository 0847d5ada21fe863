use super::*;
use crate::secret::{IdentityText, SecretAccessKey};

const USER: &str = "arn:aws:iam::123456789012:user/ada";
const OTHER_USER: &str = "arn:aws:iam::123456789012:user/bob";

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_700_000_000 + second).unwrap()
}

/// Its secret is forty times the last character of its id.
fn key(last: char) -> StoredAccessKey {
    StoredAccessKey {
        id: format!("AKIAIOSFODNN7EXAMPL{last}").parse().unwrap(),
        secret: SecretAccessKey::new(last.to_string().repeat(40)),
        user_arn: Some(USER.to_owned()),
        added: at(0),
        created: None,
        verified: None,
        endpoint: None,
        rest: toml::from_str("unknown = 'kept'").unwrap(),
    }
}

fn name(text: &str) -> ProfileName {
    text.parse().unwrap()
}

/// `prod` and `prod-east` have key 1, `other` has key 9.
fn document() -> Document {
    let mut document =
        Document::new(at(0), "laptop".to_owned(), IdentityText::new("AGE-SECRET-KEY-1".to_owned())).unwrap();
    for (profile, last) in [("prod", '1'), ("prod-east", '1'), ("other", '9')] {
        document.profiles.insert(name(profile), Profile { access_key: Some(key(last)), ..Profile::default() });
    }
    document
}

fn found(document: &Document) -> Position {
    Position::find(document, USER, &name("prod")).unwrap()
}

/// After a write and a read.
fn reread(document: &Document) -> Document {
    Document::decode(document.encode().unwrap().as_bytes()).unwrap()
}

/// Saves one after another, at 10 s, 20 s, ..., each onto what the one before left in the file.
fn after(saves: &[Save]) -> Document {
    let mut document = document();
    for (time, save) in (10..).step_by(10).zip(saves) {
        let from = found(&document);
        from.save(&mut document, save, Some(&key('2')), Asked::default(), at(time)).unwrap();
        document = reread(&document);
        // What is known without a look at it.
        let Position { state, current, .. } = found(&document);
        assert_eq!((state, current), from.state.after(&from.current, save, at(time)), "{save:?}");
    }
    document
}

fn adopt() -> Save {
    Save::Adopt(key('2').id)
}

fn retire() -> Save {
    Save::Retire { until: at(1000) }
}

/// The secrets of a profile's key and of its journal's, by their first character.
fn held(document: &Document, profile: &str) -> (char, Option<char>) {
    let profile_name = name(profile);
    let profile = &document.profiles[&profile_name];
    let first = |key: &StoredAccessKey| key.secret.expose().chars().next().unwrap();
    let journal = Journal::of(&profile_name, profile).unwrap();
    (first(profile.access_key.as_ref().unwrap()), journal.as_ref().and_then(Journal::other_key).map(first))
}

/// What was saved; the state, the current key and the secrets that come of it.
type Row<'a> = (&'a [Save], State, AccessKeyId, (char, Option<char>));

#[test]
fn every_state_is_read_back_as_it_was_written_with_the_secrets_of_both_keys() {
    let (one, two) = (key('1').id, key('2').id);
    let rows: [Row; 7] = [
        (&[], State::Idle, one.clone(), ('1', None)),
        (&[Save::Intend], State::Intended { since: at(10) }, one.clone(), ('1', None)),
        (&[Save::Intend, adopt()], State::Created { new: two.clone(), since: at(20) }, one.clone(), ('1', Some('2'))),
        (&[Save::Intend, adopt(), Save::Prove], State::Proven { old: one.clone() }, two.clone(), ('2', Some('1'))),
        (
            &[Save::Intend, adopt(), Save::Prove, retire()],
            State::Retired { old: one.clone(), until: at(1000) },
            two.clone(),
            ('2', Some('1')),
        ),
        (
            &[Save::Intend, adopt(), Save::Prove, retire(), Save::Undo],
            State::Undoing { old: one.clone() },
            two.clone(),
            ('2', Some('1')),
        ),
        (
            &[Save::Intend, adopt(), Save::Prove, retire(), Save::Undo, Save::TurnBack],
            State::Proven { old: two },
            one,
            ('1', Some('2')),
        ),
    ];
    for (saves, state, current, secrets) in rows {
        let document = after(saves);
        let position = found(&document);
        let since = (state != State::Idle).then(|| at(10 * saves.len() as i64));
        assert_eq!((&position.state, &position.current, position.since), (&state, &current, since));
        assert_eq!(held(&document, "prod"), secrets, "{state:?}");
    }
}

#[test]
fn a_finished_rotation_leaves_no_journal_and_the_current_key() {
    for (saves, current) in [
        (vec![Save::Intend, Save::Finish], '1'),
        (vec![Save::Intend, adopt(), Save::Finish], '1'),
        (vec![Save::Intend, adopt(), Save::Prove, Save::Finish], '2'),
        (vec![Save::Intend, adopt(), Save::Prove, Save::Return], '1'),
    ] {
        let document = after(&saves);
        assert_eq!(held(&document, "prod"), (current, None));
        assert!(!document.profiles[&name("prod")].rest.contains_key(Profile::ROTATION));
        assert_eq!((found(&document).state, found(&document).since), (State::Idle, None));
    }
}

#[test]
fn a_key_is_replaced_in_every_profile_that_has_it_and_in_no_other() {
    let document = after(&[Save::Intend, adopt(), Save::Prove]);
    assert_eq!(held(&document, "prod-east"), ('2', None));
    assert_eq!(held(&document, "other"), ('9', None));
    let document = after(&[Save::Intend, adopt(), Save::Prove, Save::Undo, Save::TurnBack]);
    assert_eq!(held(&document, "prod-east"), ('1', None));
    let document = after(&[Save::Intend, adopt(), Save::Prove, Save::Return]);
    assert_eq!(held(&document, "prod-east"), ('1', None));
}

#[test]
fn what_this_version_does_not_know_of_a_key_goes_where_the_key_goes() {
    let document = after(&[Save::Intend, adopt(), Save::Prove, Save::Undo, Save::TurnBack]);
    let profile = &document.profiles[&name("prod")];
    assert_eq!(profile.access_key.as_ref().unwrap().rest["unknown"].as_str(), Some("kept"));
    let journal = Journal::of(&name("prod"), profile).unwrap().unwrap();
    assert_eq!(journal.other_key().unwrap().rest["unknown"].as_str(), Some("kept"));
}

#[test]
fn a_proven_key_was_verified_when_it_was_proven() {
    let document = after(&[Save::Intend, adopt(), Save::Prove]);
    assert_eq!(document.profiles[&name("prod")].access_key.as_ref().unwrap().verified, Some(at(30)));
}

#[test]
fn the_journal_is_found_from_any_profile_of_the_user_and_from_no_other_users() {
    let document = after(&[Save::Intend]);
    let position = Position::find(&document, USER, &name("prod-east")).unwrap();
    assert_eq!((position.profile, position.state), (name("prod"), State::Intended { since: at(10) }));
    let position = Position::find(&document, OTHER_USER, &name("other")).unwrap();
    assert_eq!((position.profile, position.state), (name("other"), State::Idle));
}

#[test]
fn a_step_is_not_saved_onto_anything_but_what_it_was_decided_from() {
    let states: [&[Save]; 5] = [
        &[],
        &[Save::Intend],
        &[Save::Intend, adopt()],
        &[Save::Intend, adopt(), Save::Prove],
        &[Save::Intend, adopt(), Save::Prove, retire()],
    ];
    let saves = [Save::Intend, adopt(), Save::Prove, retire(), Save::Undo, Save::TurnBack, Save::Return, Save::Finish];
    for (decided, from) in states.iter().enumerate() {
        for (standing, onto) in states.iter().enumerate().filter(|(standing, _)| *standing != decided) {
            for save in &saves {
                let mut document = after(onto);
                let before = document.encode().unwrap();
                let outcome = found(&after(from)).save(&mut document, save, Some(&key('2')), Asked::default(), at(500));
                assert_eq!(outcome, Err(Conflict::Changed), "{save:?} of {decided} onto {standing}");
                assert_eq!(*document.encode().unwrap(), *before);
            }
        }
    }
}

#[test]
fn the_same_state_of_another_time_or_of_another_key_is_a_change() {
    let position = found(&after(&[Save::Intend]));
    let changes: [fn(&mut Position); 4] = [
        |position| position.since = Some(at(11)),
        |position| position.state = State::Intended { since: at(11) },
        |position| position.current = key('9').id,
        |position| position.state = State::Proven { old: key('1').id },
    ];
    for change in changes {
        let mut position = position.clone();
        change(&mut position);
        let saved = position.save(
            &mut after(&[Save::Intend]),
            &Save::Adopt(key('2').id),
            Some(&key('2')),
            Asked::default(),
            at(20),
        );
        assert_eq!(saved, Err(Conflict::Changed), "{position:?}");
    }
    assert_eq!(
        position.save(
            &mut after(&[Save::Intend]),
            &Save::Adopt(key('2').id),
            Some(&key('2')),
            Asked::default(),
            at(20)
        ),
        Ok(())
    );
}

#[test]
fn a_save_that_needs_another_key_is_refused_where_there_is_none() {
    for save in [Save::Prove, retire(), Save::Undo, Save::TurnBack, Save::Return] {
        for saves in [&[][..], &[Save::Intend]] {
            let mut document = after(saves);
            let before = document.encode().unwrap();
            assert_eq!(
                found(&document).save(&mut document, &save, None, Asked::default(), at(500)),
                Err(Conflict::Changed),
                "{save:?}"
            );
            assert_eq!(*document.encode().unwrap(), *before);
        }
    }
    let mut document = after(&[Save::Intend]);
    assert_eq!(found(&document).save(&mut document, &adopt(), None, Asked::default(), at(500)), Err(Conflict::Changed));
}

#[test]
fn a_profile_that_is_gone_or_lost_its_key_takes_no_journal() {
    let position = found(&document());
    let mut gone = document();
    gone.profiles.remove(&name("prod"));
    let mut role = document();
    role.profiles.get_mut(&name("prod")).unwrap().access_key = None;
    for mut document in [gone, role] {
        let refused = Err(Conflict::Journal(JournalError::NoKey(name("prod"))));
        assert_eq!(position.save(&mut document, &Save::Intend, None, Asked::default(), at(20)), refused);
    }
}

#[test]
fn a_journal_of_a_later_version_is_not_acted_upon_and_stays_as_it_is() {
    let changes: [fn(&mut toml::Table); 6] = [
        |journal| drop(journal.insert("postponed".to_owned(), true.into())),
        |journal| drop(journal.insert("state".to_owned(), "pondering".into())),
        |journal| drop(journal.remove("state")),
        |journal| drop(journal.remove("since")),
        |journal| drop(journal.remove("user_arn")),
        |journal| drop(journal.insert("since".to_owned(), "soon".into())),
    ];
    for (number, change) in changes.into_iter().enumerate() {
        for saves in [&[Save::Intend][..], &[Save::Intend, adopt()], &[Save::Intend, adopt(), Save::Prove, retire()]] {
            let (mut document, position) = (after(saves), found(&after(saves)));
            change(document.profiles.get_mut(&name("prod")).unwrap().rest[Profile::ROTATION].as_table_mut().unwrap());
            let before = document.encode().unwrap();
            let unreadable = JournalError::Unreadable(name("prod"));
            assert_eq!(Position::find(&document, USER, &name("prod")).unwrap_err(), unreadable, "change {number}");
            let saved = position.save(&mut document, &Save::Finish, None, Asked::default(), at(500));
            assert_eq!(saved, Err(Conflict::Journal(unreadable)), "change {number}");
            assert_eq!(*reread(&document).encode().unwrap(), *before);
        }
    }
}

#[test]
fn a_journal_that_is_no_table_is_unreadable() {
    let mut document = document();
    document.profiles.get_mut(&name("prod")).unwrap().rest.insert(Profile::ROTATION.to_owned(), "intended".into());
    let unreadable = JournalError::Unreadable(name("prod"));
    assert_eq!(Position::find(&document, USER, &name("prod")).unwrap_err(), unreadable);
}

#[test]
fn no_secret_is_shown_with_a_position() {
    for saves in [&[Save::Intend, adopt()][..], &[Save::Intend, adopt(), Save::Prove, retire()]] {
        let shown = format!("{:?}", found(&after(saves)));
        assert!(!shown.contains(&"1".repeat(40)) && !shown.contains(&"2".repeat(40)), "{shown}");
        assert!(shown.contains("AKIAIOSFODNN7EXAMPL2"), "{shown}");
    }
}

/// Whoever takes a rotation up again may be a schedule, which knows nothing of a command line.
#[test]
fn what_was_asked_for_stands_in_the_journal_until_the_old_key_is_retired() {
    let asked = Asked { kept: true, grace: Some(30 * 86_400) };
    let mut document = after(&[]);
    for (save, told) in [(Save::Intend, asked), (adopt(), asked), (Save::Prove, asked), (retire(), Asked::default())] {
        found(&document).save(&mut document, &save, Some(&key('2')), asked, at(500)).unwrap();
        document = Document::decode(document.encode().unwrap().as_bytes()).unwrap();
        let journal = Journal::of(&name("prod"), &document.profiles[&name("prod")]).unwrap().unwrap();
        assert_eq!(journal.asked(), told, "{save:?}");
    }
}
