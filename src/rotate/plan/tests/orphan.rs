//! Keys that appear while an intent stands.

use super::*;

/// A key that nobody here knows, made so many seconds after an intent of 50 seconds ago.
fn newcomer(later: i64) -> Case {
    Case::intended(50).listed(K3, KeyStatus::Active, 50 - later)
}

fn orphan(likely_ours: bool) -> Step {
    Step::End(End::Orphan { key: id(K3), likely_ours })
}

#[test]
fn a_key_that_came_before_anything_was_sent_is_not_ours() {
    let unsent = newcomer(0).intent(OwnIntent::Unsent);
    expect(&[(unsent.clone(), Step::Save(Save::Finish)), (unsent.off(K3), Step::Save(Save::Finish))]);
}

#[test]
fn a_key_whose_secret_stands_in_an_earlier_generation_is_adopted() {
    let adopt = Step::Save(Save::Adopt(id(K3)));
    let found = newcomer(0).secret(K3, Secret::Found);
    expect(&[
        (newcomer(0), Step::Look(Look::ForSecret(id(K3)))),
        (found.clone(), adopt.clone()),
        // An older copy of the vault was brought back, in the middle of a rotation that went on.
        (found.clone().off(K1), adopt.clone()),
        (found.gone(K1), adopt),
    ]);
}

#[test]
fn nothing_is_touched_where_the_current_key_is_off_beside_a_key_that_is_not_here() {
    let elsewhere = Step::End(End::RotatedElsewhere);
    let newcomer = newcomer(0).secret(K3, Secret::NotFound).delete_key(K3);
    expect(&[(newcomer.clone().off(K1), elsewhere.clone()), (newcomer.gone(K1), elsewhere)]);
}

#[test]
fn a_key_that_may_be_anybodys_is_shown_and_not_touched() {
    let looked = |later: i64, used: Use| newcomer(later).secret(K3, Secret::NotFound).used(K3, used);
    expect(&[
        (newcomer(0).secret(K3, Secret::NotFound), Step::Look(Look::AtUse(id(K3)))),
        (looked(0, Use::Never), orphan(true)),
        (looked(-5, Use::Never), orphan(true)),
        (looked(-6, Use::Never), orphan(false)),
        (looked(0, Use::Ours), orphan(false)),
        (looked(0, Use::Others), orphan(false)),
        (looked(0, Use::Unknown), orphan(false)),
        (looked(0, Use::Never).delete_key(K2), orphan(true)),
        (looked(0, Use::Never).intent(OwnIntent::Sent), orphan(true)),
    ]);
}

/// The journal's own key, when another machine with the same vault file has made it and is about to save it.
#[test]
fn a_key_that_came_a_moment_ago_is_named_only_when_who_made_it_had_time_to_save_it() {
    let looked = |age: i64| Case::intended(40).listed(K3, KeyStatus::Active, age).secret(K3, Secret::NotFound);
    let looked = |age: i64| looked(age).used(K3, Use::Never);
    expect(&[
        (looked(29), Step::ListAgain(after(1))),
        (looked(29).delete_key(K3), Step::ListAgain(after(1))),
        (looked(30), orphan(true)),
        // Nobody else can have sent anything under this intent.
        (looked(0).intent(OwnIntent::Sent), orphan(true)),
    ]);
}

#[test]
fn the_window_of_a_likely_orphan_ends_a_minute_after_the_intent() {
    let late = |later: i64| {
        Case::intended(200).listed(K3, KeyStatus::Active, 200 - later).secret(K3, Secret::NotFound).used(K3, Use::Never)
    };
    expect(&[(late(60), orphan(true)), (late(61), orphan(false))]);
}

#[test]
fn a_key_that_may_be_anybodys_is_deleted_on_a_persons_word() {
    let named = newcomer(0).secret(K3, Secret::NotFound).used(K3, Use::Never).delete_key(K3);
    expect(&[
        (named.clone(), Step::Delete(id(K3))),
        (named.clone().mfa(Mfa::Missing), Step::NeedCode),
        // A list that lags shows it still.
        (named.deleted(K3), Step::ListAgain(after(40))),
    ]);
}

#[test]
fn of_two_keys_that_came_the_one_that_is_kept_and_works_is_adopted() {
    let both = Case::intended(50).gone(K1).off(K2).active(K3);
    let looked = |two: Secret, three: Secret| both.clone().secret(K2, two).secret(K3, three);
    expect(&[
        (both.clone(), Step::Look(Look::ForSecret(id(K2)))),
        (both.clone().secret(K2, Secret::Found), Step::Look(Look::ForSecret(id(K3)))),
        (looked(Secret::Found, Secret::Found), Step::Save(Save::Adopt(id(K3)))),
        (looked(Secret::Found, Secret::NotFound), Step::Save(Save::Adopt(id(K2)))),
        (looked(Secret::NotFound, Secret::NotFound).delete_key(K2), Step::End(End::RotatedElsewhere)),
    ]);
}

#[test]
fn a_key_that_came_and_others_use_is_deleted_by_force_only() {
    let used = newcomer(0).secret(K3, Secret::NotFound).used(K3, Use::Others).delete_key(K3);
    expect(&[
        (used.clone(), Step::End(End::InUse { key: id(K3) })),
        (used.wish(|wish| wish.force = true), Step::Delete(id(K3))),
    ]);
}
