//! Two keys where only one may be, and others who use one.

use super::*;

#[test]
fn beside_a_second_key_no_rotation_starts() {
    let looked = |case: Case| case.used(K1, Use::Ours).used(K3, Use::Never);
    expect(&[
        (looked(Case::idle().active(K3)), Step::End(End::TwoKeys)),
        (looked(Case::idle().off(K3)), Step::End(End::TwoKeys)),
        (Case::idle().active(K3).deleted(K3), Step::Look(Look::AtUse(id(K1)))),
    ]);
}

#[test]
fn whoever_is_to_make_room_hears_of_both_keys_uses_without_a_code() {
    let two = Case::idle().active(K3).mfa(Mfa::Missing);
    expect(&[
        (two.clone(), Step::Look(Look::AtUse(id(K1)))),
        (two.clone().used(K1, Use::Unknown), Step::Look(Look::AtUse(id(K3)))),
        (two.clone().used(K1, Use::Unknown).used(K3, Use::Unknown), Step::End(End::TwoKeys)),
        (two.used(K1, Use::Others).used(K3, Use::Others), Step::End(End::TwoKeys)),
    ]);
}

#[test]
fn the_key_that_was_named_makes_room() {
    let named = Case::idle().active(K3).delete_key(K3);
    expect(&[
        (named.clone(), Step::Look(Look::AtUse(id(K3)))),
        (named.clone().used(K3, Use::Never), Step::Delete(id(K3))),
        (named.clone().used(K3, Use::Never).mfa(Mfa::Missing), Step::NeedCode),
        (named.clone().off(K3), Step::Delete(id(K3))),
        (named.deleted(K3), Step::Look(Look::AtUse(id(K1)))),
    ]);
}

#[test]
fn beside_a_current_key_that_does_not_work_no_key_makes_room() {
    let elsewhere = Step::End(End::RotatedElsewhere);
    let named = Case::idle().active(K3).delete_key(K3).used(K3, Use::Never);
    expect(&[
        (named.clone().off(K1), elsewhere.clone()),
        (named.clone().gone(K1), elsewhere.clone()),
        (named.off(K1).resume(), elsewhere),
    ]);
}

#[test]
fn the_current_key_and_one_that_is_not_there_make_no_room() {
    expect(&[
        (Case::idle().active(K3).delete_key(K1), Step::End(End::NotToDelete { key: id(K1) })),
        (Case::idle().delete_key(K3), Step::End(End::NotToDelete { key: id(K3) })),
    ]);
}

#[test]
fn a_key_that_others_use_is_not_deleted_to_make_room() {
    let used = Case::idle().active(K3).delete_key(K3).used(K3, Use::Others);
    expect(&[
        (used.clone(), Step::End(End::InUse { key: id(K3) })),
        (used.wish(|wish| wish.force = true), Step::Delete(id(K3))),
    ]);
}

#[test]
fn a_key_that_others_use_is_not_replaced_unasked() {
    let in_use = Step::End(End::InUse { key: id(K1) });
    let used = Case::idle().used(K1, Use::Others);
    expect(&[
        (used.clone(), in_use.clone()),
        (used.clone().wish(|wish| wish.force = true), Step::Look(Look::Preflight)),
        (used.clone().wish(|wish| wish.keep_old = true), Step::Look(Look::Preflight)),
        (used.wish(|wish| wish.now = true), in_use),
        (Case::idle().used(K1, Use::Unknown), Step::Look(Look::Preflight)),
        (Case::idle().used(K1, Use::Never), Step::Look(Look::Preflight)),
    ]);
}

#[test]
fn an_old_key_that_others_use_is_not_switched_off_and_not_deleted_unasked() {
    let in_use = Step::End(End::InUse { key: id(K1) });
    let used = |case: Case| case.used(K1, Use::Others).proved(K2, Depth::Quick, 0);
    let off = Step::Switch(id(K1), KeyStatus::Inactive);
    expect(&[
        (used(Case::proven()), in_use.clone()),
        (used(Case::proven()).wish(|wish| wish.force = true), off.clone()),
        (used(Case::proven()).wish(|wish| wish.now = true), off),
        (used(Case::retired(0)), in_use.clone()),
        (used(Case::retired(0)).wish(|wish| wish.now = true), in_use),
        (used(Case::retired(0)).wish(|wish| wish.force = true), Step::Delete(id(K1))),
    ]);
}
