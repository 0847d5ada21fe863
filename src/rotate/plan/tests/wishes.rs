//! What changes with what was asked for.

use super::*;

#[test]
fn an_old_key_that_is_to_be_kept_stays_as_it_is() {
    let kept = Step::End(End::OldKept { old: id(K1) });
    let keep = |case: Case| case.wish(|wish| wish.keep_old = true);
    expect(&[(keep(Case::proven()), kept.clone()), (keep(Case::proven()).mfa(Mfa::Missing), kept)]);
}

#[test]
fn the_grace_is_what_was_asked_for() {
    let hours = SignedDuration::from_hours(4);
    let step = Step::Save(Save::Retire { until: at(NOW) + hours });
    expect(&[(Case::proven().off(K1).wish(|wish| wish.grace = hours), step)]);
}

#[test]
fn now_switches_off_at_once_and_deletes_before_the_grace_only_by_force() {
    let now = |case: Case| case.wish(|wish| wish.now = true);
    let both = |case: Case| case.wish(|wish| (wish.now, wish.force) = (true, true)).proved(K2, Depth::Quick, 0);
    let until = after(1);
    expect(&[
        (now(Case::proven()).proved(K2, Depth::Quick, 0), Step::Switch(id(K1), KeyStatus::Inactive)),
        (now(Case::retired(1)), Step::End(End::GraceNotOver { old: id(K1), until })),
        (both(Case::retired(1)), Step::Delete(id(K1))),
        (both(Case::retired(1)).mfa(Mfa::Missing), Step::NeedCode),
        (Case::retired(1).wish(|wish| wish.force = true), Step::End(End::Grace { old: id(K1), until })),
        // Deleting is never without a proof.
        (both(Case::retired(1)).proved(K2, Depth::Quick, 61), Step::Prove(id(K2), Depth::Quick)),
        // Somebody switched it on again; now it is to be off, and to stay for as long as it may be missed.
        (now(Case::retired(GRACE)).active(K1).proved(K2, Depth::Quick, 0), Step::Switch(id(K1), KeyStatus::Inactive)),
        (now(Case::retired(1)).active(K1), Step::Save(Save::Retire { until: after(GRACE) })),
    ]);
}

#[test]
fn an_undo_before_the_new_key_was_used_deletes_it() {
    let created = Case::created(5).active(K2).undo();
    expect(&[
        (created.clone(), Step::Delete(id(K2))),
        (created.clone().off(K2), Step::Delete(id(K2))),
        (created.clone().deleted(K2), Step::Save(Save::Finish)),
        // Not while the old key does not work.
        (created.clone().off(K1), Step::End(End::CurrentOff)),
        (created.gone(K1), Step::End(End::CurrentGone)),
    ]);
}

#[test]
fn an_undo_takes_the_old_key_back() {
    expect(&[
        (Case::proven().undo(), Step::Save(Save::Undo)),
        (Case::proven().off(K1).undo(), Step::Save(Save::Undo)),
        (Case::retired(GRACE).undo(), Step::Save(Save::Undo)),
        (Case::retired(0).undo(), Step::Save(Save::Undo)),
        (Case::undoing().active(K1).undo(), Step::Save(Save::TurnBack)),
    ]);
}

/// K2 was made later than K1, which has its place again.
#[test]
fn an_undo_is_not_undone_by_another() {
    let younger = |case: Case, status: KeyStatus| case.current(K1).active(K1).listed(K2, status, 3600).undo();
    let proven = younger(Case::of(State::Proven { old: id(K2) }), KeyStatus::Active);
    let retired = |left: i64| {
        younger(Case::of(State::Retired { old: id(K2), until: after(left) }), KeyStatus::Inactive)
            .used(K2, Use::Never)
            .proved(K1, Depth::Quick, 0)
    };
    let until = after(GRACE);
    expect(&[
        // What the first one left to do is done.
        (proven.clone(), Step::Look(Look::AtUse(id(K2)))),
        (proven.listed(K2, KeyStatus::Inactive, 3600), Step::Save(Save::Retire { until })),
        (retired(GRACE), Step::End(End::AlreadyUndone { old: id(K2), until })),
        (retired(GRACE).run(|run| run.undone = true), Step::End(End::Grace { old: id(K2), until })),
        (retired(0), Step::Delete(id(K2))),
        (retired(GRACE).listed(K2, KeyStatus::Active, 3600), Step::End(End::OldKeyOn { old: id(K2) })),
        (retired(GRACE).off(K1), Step::End(End::CurrentOff)),
        // Somebody took the key away that had its place again.
        (retired(GRACE).gone(K1), Step::Switch(id(K2), KeyStatus::Active)),
    ]);
}

#[test]
fn an_undo_with_no_old_key_left_says_so() {
    let gone = Step::End(End::OldKeyGone { old: id(K1) });
    expect(&[
        (Case::proven().gone(K1).undo(), gone.clone()),
        (Case::retired(0).gone(K1).undo(), gone),
        (Case::idle().undo(), Step::End(End::NothingToUndo)),
        (Case::idle().undo().run(|run| run.turned = true), Step::End(End::Done)),
    ]);
}

#[test]
fn after_an_undo_the_new_key_is_the_old_one_and_is_retired_as_any() {
    let turned =
        Case::of(State::Proven { old: id(K2) }).active(K2).undo().run(|run| (run.turned, run.undone) = (true, true));
    let proved = turned.clone().used(K2, Use::Never).proved(K1, Depth::Quick, 0);
    expect(&[
        (turned, Step::Look(Look::AtUse(id(K2)))),
        (proved.clone(), Step::Switch(id(K2), KeyStatus::Inactive)),
        (proved.off(K2), Step::Save(Save::Retire { until: after(GRACE) })),
    ]);
}

#[test]
fn what_is_to_be_taken_back_is_never_deleted() {
    for left in [0, GRACE] {
        let step =
            Case::undoing().wish(|wish| (wish.now, wish.force) = (true, true)).run(|run| run.turned = left == 0).next();
        assert_eq!(step, Step::Switch(id(K1), KeyStatus::Active));
    }
}

#[test]
fn an_undo_that_deleted_the_new_key_is_done() {
    expect(&[(Case::idle().undo().deleted(K2), Step::End(End::Done))]);
}
