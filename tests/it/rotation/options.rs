//! What a person can say: keep the old key, take it back, do it now, only when it is old enough.

use std::time::Duration;

use aws_sim::Status;

use super::stage::Stage;
use crate::program::Case;
use vault::disk::RealDisk;

fn hours(hours: u64) -> Duration {
    Duration::from_secs(hours * 3600)
}

#[test]
fn keep_old_leaves_the_old_key_active_and_the_next_rotation_retires_it() {
    let stage = Stage::new();
    let ran = stage.rotate(&["--keep-old"]);
    ran.succeeds().says("is still active").says("vault: hint: `vault rotate prod` switches the old key off");
    assert_eq!(stage.held().state, Some("proven"));
    assert_eq!(stage.status(stage.user.access_key_id()), Some(Status::Active));
    stage.signs_in();
    let ran = stage.rotate(&[]);
    ran.succeeds();
    assert_eq!(ran.changes(), ["UpdateAccessKey"]);
    stage.is_rotated();
}

/// Interrupted while the new key is tried, and taken up again by who says nothing of it.
#[test]
fn what_was_said_of_the_old_key_holds_for_who_takes_the_rotation_up_again() {
    let interrupted = |flags: &[&str]| {
        let stage = Stage::new();
        stage.sim().new_keys_live_after(hours(1), hours(1));
        stage.rotate(flags).exits(7);
        stage.pass(hours(1));
        stage
    };
    for again in [&["--resume"][..], &[]] {
        let stage = interrupted(&["--keep-old"]);
        stage.rotate(again).succeeds().says("is still active");
        assert_eq!(stage.status(stage.user.access_key_id()), Some(Status::Active), "{again:?}");
        stage.rotate(&["--resume"]).succeeds().says("is kept active");
        assert_eq!(stage.held().state, Some("proven"), "{again:?}");
        stage.rotate(&[]).succeeds();
        stage.is_rotated();
    }
    let stage = interrupted(&["--grace", "30d"]);
    stage.rotate(&["--resume"]).succeeds();
    stage.pass(hours(29 * 24));
    stage.rotate(&["--resume"]).succeeds();
    assert_eq!(stage.held().state, Some("retired"), "it is a day too early");
    stage.pass(hours(2 * 24));
    stage.rotate(&["--resume"]).succeeds();
    assert_eq!((stage.held().state, stage.status(stage.user.access_key_id())), (None, None));
}

#[test]
fn an_age_has_a_unit() {
    let stage = Stage::new();
    for age in ["30", "0d", "23h", "3651d"] {
        let ran = stage.case.run(&["rotate", "prod", "--if-older-than", age]);
        ran.exits(2);
        assert!(ran.err.contains(&format!("an age is 1d to 3650d, not `{age}`")), "{}", ran.err);
    }
}

#[test]
fn an_undo_that_is_interrupted_goes_on_as_one() {
    let stage = Stage::new();
    stage.sim().new_keys_live_after(hours(1), hours(1));
    stage.rotate(&[]).exits(7);
    // The session is too old by then, and there is nobody to give a code.
    stage.pass(hours(2));
    let ran = stage.run_on(&RealDisk, &["rotate", "prod", "--undo"]);
    ran.exits(8).says("it goes on by `vault rotate prod --undo`");
    stage.follow_hint(&ran).succeeds();
    assert_eq!((stage.held().current.id.as_str(), stage.held().state), (stage.user.access_key_id(), None));
}

#[test]
fn a_rotation_is_undone_while_the_old_key_is_there() {
    let stage = Stage::new();
    stage.rotate(&[]).succeeds();
    let new = stage.held().current.id.to_string();
    stage.rotate(&["--undo"]).succeeds();
    let held = stage.held();
    assert_eq!((held.current.id.as_str(), held.state), (stage.user.access_key_id(), Some("retired")));
    assert_eq!(held.other_id(), new);
    assert_eq!(stage.status(&new), Some(Status::Inactive));
    stage.recovers();
    stage.pass(hours(25));
    stage.rotate(&["--resume"]).succeeds().says("is deleted");
    assert_eq!(stage.status(&new), None);
    stage.is_untouched();
    stage.signs_in();
}

#[test]
fn an_undo_that_is_said_twice_is_done_once() {
    let stage = Stage::new();
    stage.rotate(&[]).succeeds();
    let (old, new) = (stage.user.access_key_id(), stage.held().current.id.to_string());
    let short = |key: &str| format!("AKIA...{}", &key[16..]);
    let ran = stage.rotate(&["--undo"]);
    ran.succeeds().says(&format!(
        "prod: undone: {} is the key of alice again; {} is off, and deleted after ",
        short(old),
        short(&new)
    ));
    assert!(!ran.messages.contains("--undo` takes"), "{}", ran.shown());
    let ran = stage.rotate(&["--undo"]);
    let already =
        format!("prod: nothing to do: it is undone already; its newer key {} is off, and deleted", short(&new));
    ran.succeeds()
        .says(&already)
        .says("`vault rotate prod --now --force` deletes it now; a rotation after that makes another");
    assert!(ran.changes().is_empty(), "{}", ran.shown());
    assert_eq!((stage.held().current.id.as_str(), stage.status(&new)), (old, Some(Status::Inactive)));
    let planned = stage.rotate(&["--undo", "--dry-run"]);
    planned.succeeds().says(&format!("1. nothing: it is undone already; {} is deleted after ", short(&new)));
    stage.rotate(&["--now", "--force"]).succeeds();
    stage.rotate(&["--undo"]).exits(1).says("no rotation is under way that could be undone");
    stage.is_untouched();
    stage.rotate(&[]).succeeds();
    stage.is_rotated();
}

/// Somebody may have needed it, and hears of no undo that would take it back.
#[test]
fn a_key_that_an_undo_retired_and_somebody_switched_on_is_left_to_people() {
    let stage = Stage::new();
    stage.rotate(&[]).succeeds();
    let new = stage.held().current.id.to_string();
    stage.rotate(&["--undo"]).succeeds();
    stage.sim().set_key_status(&new, Status::Active);
    let ran = stage.rotate(&["--undo"]);
    ran.exits(8).hint("`vault rotate prod --now` switches it off");
    ran.error(&format!("prod: somebody switched the newer key AKIA...{} on again", &new[16..]));
    stage.follow_hint(&ran).succeeds();
    assert_eq!(stage.status(&new), Some(Status::Inactive));
    stage.recovers();
}

#[test]
fn a_rotation_whose_old_key_was_kept_is_undone() {
    let stage = Stage::new();
    stage.rotate(&["--keep-old"]).succeeds();
    stage.rotate(&["--undo"]).succeeds();
    assert_eq!(stage.held().current.id.as_str(), stage.user.access_key_id());
    stage.recovers();
}

#[test]
fn nothing_is_undone_where_nothing_is_under_way() {
    let stage = Stage::new();
    let ran = stage.rotate(&["--undo"]);
    ran.exits(1).says("no rotation is under way that could be undone");
    assert!(ran.changes().is_empty());
    stage.is_untouched();
}

#[test]
fn an_old_key_is_deleted_when_its_grace_is_over_and_not_before() {
    let stage = Stage::new();
    let old = stage.user.access_key_id().to_owned();
    stage.rotate(&["--grace", "48h"]).succeeds();
    stage.pass(hours(47));
    assert!(stage.rotate(&["--resume"]).succeeds().changes().is_empty());
    let ran = stage.rotate(&[]);
    ran.succeeds().says("prod: nothing to do yet: its last rotation waits; the old key ");
    ran.says("`vault rotate prod --now --force` deletes it now, `vault rotate prod --undo` takes it back");
    assert_eq!(stage.status(&old), Some(Status::Inactive));
    stage.pass(hours(2));
    assert_eq!(stage.rotate(&["--resume"]).succeeds().changes(), ["DeleteAccessKey"]);
    assert_eq!((stage.status(&old), stage.held().state), (None, None));
    stage.recovers();
}

#[test]
fn in_its_grace_what_ends_it_is_told_to_who_would_change_its_keys() {
    let stage = Stage::new();
    stage.rotate(&[]).succeeds();
    let (old, new) = (stage.user.access_key_id().to_owned(), stage.held().current.id.to_string());
    for words in [["delete", &*old], ["disable", &*new]] {
        let ran = stage.with_code(&["keys", words[0], "prod", words[1]]);
        let off = format!("AKIA...{}", &old[16..]);
        ran.exits(1).hint(&format!(
            "`vault rotate prod --now --force` deletes {off} now, and then the other key can be changed; \
             `vault rotate prod --undo` takes {off} back instead"
        ));
        ran.says(&format!("the rotation of `prod` is in its grace, and AKIA...{} is deleted after 20", &old[16..]));
    }
    stage.pass(hours(25));
    let ran = stage.with_code(&["keys", "delete", "prod", &old]);
    ran.exits(1).says("finish it first: `vault rotate prod --resume`");
    stage.rotate(&["--resume"]).succeeds();
    assert_eq!(stage.status(&old), None);
}

/// A script that asks for it every day hears of a failure when there is one.
#[test]
fn in_its_grace_there_is_nothing_to_do_whichever_way_it_is_asked_for() {
    let stage = Stage::new();
    stage.rotate(&[]).succeeds();
    for words in [
        &["rotate", "prod"][..],
        &["rotate", "prod", "--if-older-than", "30d"],
        &["rotate", "prod", "--dry-run"],
        &["rotate", "prod", "--resume"],
        &["rotate", "--all"],
        &["rotate", "--all", "--dry-run"],
        &["rotate", "--due"],
        &["rotate", "--resume"],
    ] {
        let ran = stage.run(words);
        assert!(ran.succeeds().changes().is_empty() && ran.codes_spent() == 0, "{}", ran.shown());
    }
    assert_eq!(stage.held().state, Some("retired"));
}

#[test]
fn now_does_not_delete_before_the_grace_is_over_and_now_by_force_does() {
    let stage = Stage::new();
    let old = stage.user.access_key_id().to_owned();
    let at_once = stage.rotate(&["--now"]);
    at_once.succeeds().says("sessions that were made with the old key live on until they expire");
    assert!(!at_once.messages.contains("--undo"), "{}", at_once.shown());
    stage.is_rotated();
    stage.rotate(&["--now"]).exits(1).says("is to be kept until");
    assert_eq!(stage.status(&old), Some(Status::Inactive));
    stage.rotate(&["--now", "--force"]).succeeds().says("is deleted");
    assert_eq!((stage.status(&old), stage.held().state), (None, None));
    stage.recovers();
}

#[test]
fn a_key_that_is_younger_than_asked_for_stays() {
    let stage = Stage::new();
    let ran = stage.rotate(&["--if-older-than", "92d"]);
    ran.succeeds().says("is younger than that");
    assert!(ran.changes().is_empty());
    stage.is_untouched();
    stage.rotate(&["--if-older-than", "90d"]).succeeds();
    stage.is_rotated();
}

/// A vault whose key came into it when nobody asked AWS for its age.
fn of_unknown_age() -> Stage {
    let case = Case::with_vault();
    case.sim.deny(&case.alice, "iam:ListAccessKeys");
    let id = case.alice.access_key_id();
    let add = case.vault(&["add", "prod", "--access-key-id", id, "--secret-stdin", "--mfa-serial", "none"]);
    add.stdin(case.alice.secret_access_key()).run().succeeds();
    case.sim.allow(&case.alice, "iam:ListAccessKeys");
    Stage::on(case)
}

fn days_old(stage: &Stage) -> Option<i64> {
    let created = stage.held().current.created?;
    Some(stage.sim().now().duration_since(created).as_hours() / 24)
}

#[test]
fn a_rotation_that_learns_how_old_a_key_is_tells_the_vault_though_it_does_nothing_else() {
    for ends_early in [&["--if-older-than", "92d"][..], &[]] {
        let stage = of_unknown_age();
        if ends_early.is_empty() {
            stage.others_use(stage.user.access_key_id());
        }
        assert_eq!(days_old(&stage), None);
        let generation = || stage.document_on(&RealDisk).meta.generation;
        let before = generation();
        assert!(stage.rotate(ends_early).changes().is_empty());
        assert_eq!((days_old(&stage), generation()), (Some(91), before + 1), "{ends_early:?}");
        stage.is_untouched();
        stage.rotate(ends_early);
        assert_eq!(generation(), before + 1, "it is known now");
    }
}

#[test]
fn the_first_save_of_a_rotation_takes_along_how_old_its_key_is() {
    let stage = of_unknown_age();
    stage.rotate(&["--keep-old"]).succeeds();
    let old = stage.held().other.unwrap();
    assert_eq!(old.id.as_str(), stage.user.access_key_id());
    assert_eq!(stage.sim().now().duration_since(old.created.unwrap()).as_hours() / 24, 91);
}

#[test]
fn a_vault_that_is_behind_its_keys_gets_no_generation_for_their_age() {
    let stage = of_unknown_age();
    stage.another_key();
    let before = stage.document_on(&RealDisk).meta.generation;
    stage.rotate(&[]).exits(1).says("has two access keys");
    assert_eq!((stage.document_on(&RealDisk).meta.generation, days_old(&stage)), (before, None));
}

#[test]
fn where_the_age_can_not_be_saved_the_key_is_still_young() {
    let stage = of_unknown_age();
    let disk = stage.fault_disk();
    stage.fills_when(&disk, "ListAccessKeys");
    let ran = stage.rotate_on(&disk, &["--if-older-than", "92d"]);
    ran.succeeds().says("is younger than that");
    assert_eq!(stage.held_on(&disk).current.created, None);
}

#[test]
fn json_tells_what_became_of_the_key() {
    let stage = Stage::new();
    let ran = stage.rotate(&["--json"]);
    let told: serde_json::Value = serde_json::from_str(&ran.succeeds().out).unwrap();
    assert_eq!(told["version"], 1);
    let key = &told["keys"][0];
    assert_eq!(key["name"], "prod");
    assert_eq!(key["outcome"], "in-grace");
    assert_eq!(key["old_key"], stage.user.access_key_id());
    assert_eq!(key["new_key"], stage.held().current.id.as_str());
    let said = stage.rotate(&["--undo", "--json"]);
    let undone: serde_json::Value = serde_json::from_str(&said.succeeds().out).unwrap();
    assert_eq!((&undone["keys"][0]["outcome"], &undone["keys"][0]["new_key"]), (&"undone".into(), &key["old_key"]));
    assert!(key["old_key_deleted_after"].is_string(), "{told}");
}
