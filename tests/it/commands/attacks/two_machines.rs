//! Two machines that share a vault by a sync program: no false alarm in an honest order, and the way out of each real one.

use super::super::machines::{Machine, shown_time};
use super::super::recipient::made_with_recovery_key;
use super::super::warning;
use crate::program::Case;

const EMPTY: &str = "the vault is empty; next: vault add NAME\n";

fn two(case: &Case) -> (Machine<'_>, Machine<'_>) {
    let (first, other) = (Machine::first(case), Machine::other(case));
    other.sync_from(&first);
    other.first_sight();
    (first, other)
}

#[test]
fn every_honest_order_of_saving_syncing_and_reading_is_believed() {
    let case = made_with_recovery_key();
    let (first, other) = two(&case);
    // Each digit: whose turn it is, whether the sync comes after each save or only at the end, whether the file is read
    // before it is saved over.
    for order in 0..8 {
        let (here, there) = if order & 1 == 0 { (&first, &other) } else { (&other, &first) };
        for save in 0..3 {
            here.save(1000 + 10 * order + save);
            if order & 2 != 0 {
                there.sync_from(here);
            }
        }
        there.sync_from(here);
        if order & 4 != 0 {
            there.run(&["list"]).succeeds().stderr(EMPTY);
        }
        there.save(2000 + order);
        here.sync_from(there);
        here.run(&["list"]).succeeds().stderr(EMPTY);
    }
}

#[test]
fn of_two_sides_that_both_saved_the_one_that_is_trusted_goes_on_for_both() {
    let case = made_with_recovery_key();
    let (first, other) = two(&case);
    first.save(7200);
    other.save(7300);
    first.sync_from(&other);
    first.run(&["list"]).refuses(6, "the vault was saved on two sides: generation 3 of ");
    let mut terminal = first.trust();
    terminal.expect("Go on with this file? Type yes if so: ").type_line("yes");
    terminal.finish().0.succeeds().screen_has("accepted, and saved as generation 4");
    // What was accepted is its own side to the other machine: nothing to decide there.
    other.sync_from(&first);
    other.run(&["list"]).succeeds().stderr(EMPTY);
    other.save(7400);
    first.sync_from(&other);
    first.run(&["list"]).succeeds().stderr(EMPTY);
}

#[test]
fn the_side_that_was_given_up_is_told_on_its_own_machine_and_not_believed_elsewhere() {
    let case = made_with_recovery_key();
    let (first, other) = two(&case);
    first.save(7200);
    let given_up = first.bytes();
    other.save(7300);
    first.sync_from(&other);
    let mut terminal = first.trust();
    terminal.expect("Go on with this file?").type_line("yes");
    terminal.finish().0.succeeds();
    other.sync_from(&first);
    other.run(&["list"]).succeeds();
    // Only where the save was made that gave it up is the other side of that generation at hand to tell.
    let told = ["the vault was saved on two sides", "an older state of the vault was put back"];
    for (machine, told) in [&first, &other].into_iter().zip(told) {
        let standing = machine.bytes();
        machine.put(&given_up);
        machine.run(&["list"]).refuses(6, &format!("{told}: generation 3 of "));
        machine.put(&standing);
        machine.run(&["list"]).succeeds();
    }
}

#[test]
fn after_new_keys_on_one_machine_the_other_is_mended_by_its_fingerprint_and_its_own_old_file_is_dead() {
    let case = made_with_recovery_key();
    let (first, other) = two(&case);
    let old = first.bytes();
    let new = case.give("passphrase", "another horse, another battery");
    case.keep_secret("the new passphrase", "another horse, another battery");
    other.run(&["passwd", "--new-passphrase-file", new.to_str().unwrap()]).succeeds();
    // Saved here before the sync came.
    first.save(7200);
    let late = first.bytes();
    first.sync_from(&other);
    first.run(&["list"]).refuses(6, "the keys of the vault were replaced, as `vault passwd` and `vault recipient remove` do it on another machine, or this is a forgery");
    let mut terminal = first.trust();
    terminal.expect("Type the fingerprint").type_line(&other.fingerprint());
    terminal.finish().0.succeeds();
    first.run(&["list"]).succeeds();
    other.sync_from(&first);
    other.run(&["list"]).succeeds();
    for machine in [&first, &other] {
        for dead in [&old, &late] {
            let standing = machine.bytes();
            machine.put(dead);
            machine.run(&["list"]).refuses(6, "this file is signed with a key that was replaced");
            machine.put(&standing);
        }
        machine.run(&["list"]).succeeds();
    }
}

#[test]
fn a_recipient_that_another_machine_added_is_told_once() {
    let case = made_with_recovery_key();
    let (first, other) = two(&case);
    let key = case.given("second.txt");
    other.run(&["recipient", "add", "second", "--recovery-key", key.to_str().unwrap()]).succeeds();
    case.keep_secret("the second key", &super::super::machines::identity_in(&key));
    other.run(&["list"]).succeeds().stderr(EMPTY);
    first.sync_from(&other);
    let listed = super::super::json(&other.run(&["recipient", "list", "--json"]));
    let text = |key: &str| listed["recipients"][2][key].as_str().unwrap().to_owned();
    let added = shown_time(&text("added"));
    let told = format!("recipient `second` was added on {added} by {}; it opens this vault", text("added_by"));
    first.run(&["list"]).succeeds().stderr(&format!("{}{EMPTY}", warning(&told)));
    first.run(&["list"]).succeeds().stderr(EMPTY);
}
