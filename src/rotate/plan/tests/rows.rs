//! The rows of the table, state by state.

use super::*;

#[test]
fn a_rotation_starts_by_a_look_at_who_uses_the_key_and_a_change_that_changes_nothing() {
    let idle = Case::idle();
    let looked = idle.clone().used(K1, Use::Ours);
    expect(&[
        (idle, Step::Look(Look::AtUse(id(K1)))),
        (looked.clone(), Step::Look(Look::Preflight)),
        (looked.run(|run| run.preflighted = true), Step::Save(Save::Intend)),
    ]);
}

#[test]
fn without_a_wish_to_start_nothing_is_started() {
    expect(&[
        (Case::idle().resume(), Step::End(End::Done)),
        (Case::idle().run(|run| run.turned = true), Step::End(End::Done)),
    ]);
}

#[test]
fn a_code_is_asked_for_before_anything_is_changed() {
    let proved = |case: Case| case.used(K1, Use::Ours).proved(K2, Depth::Quick, 0);
    for case in [
        Case::idle(),
        Case::intended(90),
        proved(Case::proven()),
        proved(Case::retired(0)),
        Case::undoing(),
        Case::created(0).active(K2).undo(),
        Case::proven().off(K1).off(K2),
    ] {
        assert_eq!(case.mfa(Mfa::Missing).next(), Step::NeedCode);
    }
}

#[test]
fn a_key_is_rotated_only_when_it_is_as_old_as_was_asked() {
    let aged = |days: i64| {
        Case::idle()
            .listed(K1, KeyStatus::Active, days * 24 * 3600)
            .wish(|wish| wish.older_than = Some(SignedDuration::from_hours(30 * 24)))
    };
    expect(&[
        (aged(29), Step::End(End::Young { created: after(-29 * 24 * 3600) })),
        (aged(30), Step::Look(Look::AtUse(id(K1)))),
    ]);
}

#[test]
fn a_key_that_is_off_or_gone_is_not_rotated() {
    expect(&[(Case::idle().off(K1), Step::End(End::CurrentOff)), (Case::idle().gone(K1), Step::End(End::CurrentGone))]);
}

#[test]
fn a_key_that_is_off_or_gone_is_told_to_who_only_goes_on() {
    expect(&[
        (Case::idle().off(K1).resume(), Step::End(End::CurrentOff)),
        (Case::idle().gone(K1).resume(), Step::End(End::CurrentGone)),
    ]);
}

#[test]
fn create_is_sent_right_after_its_intent_or_under_a_new_one() {
    let own = |ago: i64| Case::intended(ago).intent(OwnIntent::Unsent);
    expect(&[(own(0), Step::Create), (own(29), Step::Create), (own(30), Step::Save(Save::Intend))]);
}

#[test]
fn create_is_not_sent_again_until_no_list_can_lag_behind_it() {
    let shown_by = |ago: i64| Step::ListAgain(after(90 - ago));
    for intent in [OwnIntent::Earlier, OwnIntent::Sent] {
        expect(&[
            (Case::intended(0).intent(intent), shown_by(0)),
            (Case::intended(89).intent(intent), shown_by(89)),
            (Case::intended(89).intent(intent).off(K1), shown_by(89)),
            (Case::intended(89).intent(intent).gone(K1), shown_by(89)),
            (Case::intended(90).intent(intent), Step::Save(Save::Intend)),
            (Case::intended(90).intent(intent).resume(), Step::Save(Save::Finish)),
        ]);
    }
}

#[test]
fn nothing_is_made_for_a_current_key_that_is_off_or_gone() {
    for (intent, ago) in [(OwnIntent::Earlier, 90), (OwnIntent::Unsent, 0), (OwnIntent::Sent, 90)] {
        let intended = Case::intended(ago).intent(intent);
        expect(&[
            (intended.clone().off(K1), Step::End(End::CurrentOff)),
            (intended.gone(K1), Step::End(End::CurrentGone)),
        ]);
    }
}

#[test]
fn a_new_key_is_fully_proved_before_it_is_the_current_one() {
    let created = Case::created(5).listed(K2, KeyStatus::Active, 5);
    let prove = Step::Prove(id(K2), Depth::Full);
    expect(&[
        (created.clone(), prove.clone()),
        (created.clone().proved(K2, Depth::Quick, 0), prove.clone()),
        (created.clone().proved(K1, Depth::Full, 0), prove.clone()),
        (created.clone().proved(K2, Depth::Full, 61), prove),
        (created.proved(K2, Depth::Full, 60), Step::Save(Save::Prove)),
    ]);
}

#[test]
fn a_new_key_goes_on_even_if_the_old_one_is_off_or_gone() {
    let created = Case::created(5).active(K2);
    let prove = Step::Prove(id(K2), Depth::Full);
    expect(&[(created.clone().off(K1), prove.clone()), (created.gone(K1), prove)]);
}

#[test]
fn a_new_key_that_no_list_shows_is_given_up_only_when_no_list_can_lag() {
    expect(&[
        (Case::created(0), Step::ListAgain(after(60))),
        (Case::created(59), Step::ListAgain(after(1))),
        (Case::created(60), Step::Look(Look::AtKey(id(K2)))),
        (Case::created(60).gone(K2), Step::Save(Save::Finish)),
        (Case::created(0).active(K2).deleted(K2), Step::Save(Save::Finish)),
    ]);
}

#[test]
fn of_a_key_that_only_the_list_calls_gone_nothing_is_said_or_forgotten_before_it_was_tried() {
    let look = |key| Step::Look(Look::AtKey(id(key)));
    expect(&[
        (Case::idle().unlisted(K1), look(K1)),
        (Case::intended(100).unlisted(K1), look(K1)),
        (Case::created(5).active(K2).unlisted(K1), look(K1)),
        (Case::proven().unlisted(K2), look(K2)),
        (Case::proven().unlisted(K1), look(K1)),
        (Case::proven().gone(K1).unlisted(K2), look(K2)),
        (Case::retired(GRACE).unlisted(K2), look(K2)),
        (Case::retired(0).unlisted(K1), look(K1)),
        (Case::undoing().unlisted(K1), look(K1)),
    ]);
}

/// A key that was just made may work at no server yet, and be in no list.
#[test]
fn a_young_key_that_no_list_has_is_waited_for_in_every_state() {
    for case in [Case::proven(), Case::retired(GRACE), Case::undoing()] {
        let gone = case.gone(K2);
        assert_eq!(gone.clone().made(K2, 59).next(), Step::ListAgain(after(1)));
        assert_ne!(gone.made(K2, 60).next(), Step::ListAgain(after(0)));
    }
}

#[test]
fn a_new_key_that_somebody_switched_off_is_left_to_people() {
    expect(&[(Case::created(5).off(K2), Step::End(End::NewKeyOff { new: id(K2) }))]);
}

#[test]
fn the_old_key_is_switched_off_only_right_after_the_new_one_was_seen_to_work() {
    let looked = Case::proven().used(K1, Use::Ours);
    let prove = Step::Prove(id(K2), Depth::Quick);
    let off = Step::Switch(id(K1), KeyStatus::Inactive);
    expect(&[
        (Case::proven(), Step::Look(Look::AtUse(id(K1)))),
        (looked.clone(), prove.clone()),
        (looked.clone().proved(K2, Depth::Full, 61), prove.clone()),
        (looked.clone().proved(K1, Depth::Full, 0), prove),
        (looked.clone().proved(K2, Depth::Quick, 60), off.clone()),
        (looked.clone().proved(K2, Depth::Full, 0), off.clone()),
        (looked.proved(K2, Depth::Full, 0).mfa(Mfa::None), off),
    ]);
}

#[test]
fn an_old_key_that_is_off_is_retired_with_its_grace() {
    let until = after(GRACE);
    expect(&[(Case::proven().off(K1), Step::Save(Save::Retire { until }))]);
}

#[test]
fn an_old_key_that_is_gone_is_the_end_of_the_rotation() {
    expect(&[
        (Case::proven().gone(K1), Step::Save(Save::Finish)),
        (Case::retired(GRACE).gone(K1), Step::Save(Save::Finish)),
        (Case::undoing().gone(K1), Step::Save(Save::Finish)),
    ]);
}

#[test]
fn when_the_new_key_is_lost_the_old_one_is_the_current_one_again() {
    let on = Step::Switch(id(K1), KeyStatus::Active);
    let lost = |case: Case| case.gone(K2);
    expect(&[
        (lost(Case::proven()), Step::Save(Save::Return)),
        (lost(Case::proven().off(K1)), on.clone()),
        (lost(Case::retired(GRACE)), on.clone()),
        (lost(Case::retired(0)), on.clone()),
        (lost(Case::retired(GRACE).active(K1)), Step::Save(Save::Return)),
        (Case::proven().off(K2), Step::Save(Save::TurnBack)),
        (Case::proven().off(K1).off(K2), on),
        (Case::proven().off(K2).gone(K1), Step::End(End::CurrentOff)),
    ]);
}

#[test]
fn a_user_without_mfa_signs_with_a_key_that_works_or_not_at_all() {
    let without = |case: Case| case.mfa(Mfa::None);
    expect(&[
        (without(Case::proven().off(K1).off(K2)), Step::End(End::NoWorkingKey)),
        (without(Case::retired(0).gone(K2)), Step::End(End::NoWorkingKey)),
        (without(Case::undoing()), Step::Switch(id(K1), KeyStatus::Active)),
    ]);
}

#[test]
fn the_old_key_stays_until_the_grace_is_over() {
    let until = after(1);
    expect(&[
        (Case::retired(1), Step::End(End::Grace { old: id(K1), until })),
        (Case::retired(1).mfa(Mfa::Missing), Step::End(End::Grace { old: id(K1), until })),
        (Case::retired(0), Step::Look(Look::AtUse(id(K1)))),
    ]);
}

#[test]
fn the_old_key_is_deleted_when_the_grace_is_over_nobody_used_it_and_the_new_one_works() {
    let looked = Case::retired(0).used(K1, Use::Never);
    let prove = Step::Prove(id(K2), Depth::Quick);
    expect(&[
        (looked.clone(), prove.clone()),
        (looked.clone().proved(K2, Depth::Quick, 61), prove),
        (looked.clone().proved(K2, Depth::Quick, 60), Step::Delete(id(K1))),
        (looked.deleted(K1), Step::Save(Save::Finish)),
    ]);
}

#[test]
fn an_old_key_that_somebody_switched_on_again_is_left_to_people() {
    for left in [0, GRACE] {
        assert_eq!(Case::retired(left).active(K1).next(), Step::End(End::OldKeyOn { old: id(K1) }));
    }
}

#[test]
fn an_old_key_is_taken_back_when_it_is_on() {
    expect(&[
        (Case::undoing(), Step::Switch(id(K1), KeyStatus::Active)),
        (Case::undoing().active(K1), Step::Save(Save::TurnBack)),
    ]);
}

#[test]
fn where_somebody_switched_both_keys_off_none_is_switched_on_unasked() {
    for left in [0, GRACE] {
        let off = Case::retired(left).off(K2);
        expect(&[(off.clone(), Step::End(End::CurrentOff)), (off.undo(), Step::Save(Save::Undo))]);
    }
}
