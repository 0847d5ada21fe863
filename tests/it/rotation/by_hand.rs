//! What somebody else does to the keys before a rotation, and between two runs of it.

use std::time::Duration;

use aws_sim::{Failure, Kind, Status};
use vault::disk::RealDisk;

use super::stage::Stage;

/// The new key is made and saved, and not live.
pub fn created() -> (Stage, String, String) {
    let stage = Stage::new();
    stage.sim().new_keys_live_after(Duration::from_secs(3600), Duration::from_secs(3600));
    stage.rotate(&[]).exits(7);
    stage.pass(Duration::from_secs(3600));
    both(stage, "created")
}

/// The new key is in use, the old one still active.
pub fn proven() -> (Stage, String, String) {
    let stage = Stage::new();
    stage.rotate(&["--keep-old"]).succeeds();
    both(stage, "proven")
}

/// The old key is off.
pub fn retired() -> (Stage, String, String) {
    let stage = Stage::new();
    stage.rotate(&[]).succeeds();
    both(stage, "retired")
}

/// With the old key and the new one.
fn both(stage: Stage, state: &str) -> (Stage, String, String) {
    let (held, old) = (stage.held(), stage.user.access_key_id().to_owned());
    assert_eq!(held.state, Some(state));
    let new = held.all().map(|key| key.id.to_string()).find(|id| *id != old).unwrap();
    (stage, old, new)
}

#[track_caller]
fn uses(stage: &Stage, key: &str, state: Option<&str>) {
    let held = stage.held();
    assert_eq!((held.current.id.as_str(), held.state), (key, state));
    assert_eq!(stage.status(key), Some(Status::Active));
    stage.recovers();
}

#[test]
fn a_new_key_that_is_deleted_before_it_is_used_leaves_the_old_one_in_use() {
    let (stage, old, new) = created();
    stage.sim().delete_key(&new);
    stage.rotate(&["--resume"]).succeeds();
    uses(&stage, &old, None);
}

#[test]
fn a_new_key_that_is_switched_off_before_it_is_used_is_asked_about() {
    let (stage, old, new) = created();
    stage.sim().set_key_status(&new, Status::Inactive);
    let ran = stage.rotate(&["--resume"]);
    ran.exits(8).error(&format!(
        "prod: somebody switched the new key AKIA...{} off; AKIA...{} works on",
        &new[16..],
        &old[16..]
    ));
    assert!(ran.changes().is_empty());
    ran.hint("once it is on again `vault rotate prod` goes on from there; `vault rotate prod --undo` deletes it");
    stage.sim().set_key_status(&new, Status::Active);
    stage.rotate(&["--resume"]).succeeds();
    uses(&stage, &new, Some("retired"));
}

#[test]
fn a_new_key_that_is_switched_off_before_it_is_used_can_be_undone() {
    let (stage, old, new) = created();
    stage.sim().set_key_status(&new, Status::Inactive);
    stage.rotate(&["--undo"]).succeeds();
    assert_eq!(stage.status(&new), None);
    uses(&stage, &old, None);
}

#[test]
fn an_old_key_that_is_deleted_while_the_new_one_is_unused_is_replaced_by_it() {
    let (stage, old, new) = created();
    stage.sim().delete_key(&old);
    stage.rotate(&["--resume"]).succeeds();
    uses(&stage, &new, None);
}

#[test]
fn an_old_key_that_is_switched_off_while_the_new_one_is_unused_is_replaced_by_it() {
    let (stage, old, new) = created();
    stage.sim().set_key_status(&old, Status::Inactive);
    stage.rotate(&["--resume"]).succeeds();
    uses(&stage, &new, Some("retired"));
}

#[test]
fn a_new_key_that_is_deleted_while_both_work_gives_the_old_one_back() {
    let (stage, old, new) = proven();
    stage.sim().delete_key(&new);
    stage.rotate(&["--resume"]).succeeds();
    uses(&stage, &old, None);
}

#[test]
fn a_new_key_that_is_switched_off_while_both_work_gives_the_old_one_back() {
    let (stage, old, new) = proven();
    stage.sim().set_key_status(&new, Status::Inactive);
    stage.rotate(&["--resume"]).succeeds();
    uses(&stage, &old, Some("retired"));
}

#[test]
fn an_old_key_that_is_deleted_while_both_work_ends_the_rotation() {
    let (stage, old, new) = proven();
    stage.sim().delete_key(&old);
    stage.rotate(&["--resume"]).succeeds();
    uses(&stage, &new, None);
}

#[test]
fn an_old_key_that_is_deleted_in_its_grace_ends_the_rotation() {
    let (stage, old, new) = retired();
    stage.sim().delete_key(&old);
    stage.pass(Duration::from_secs(25 * 3600));
    stage.rotate(&["--resume"]).succeeds();
    uses(&stage, &new, None);
}

#[test]
fn an_old_key_that_is_switched_on_in_its_grace_is_asked_about() {
    let (stage, old, new) = retired();
    stage.sim().set_key_status(&old, Status::Active);
    stage.pass(Duration::from_secs(25 * 3600));
    let ran = stage.rotate(&["--resume"]);
    ran.exits(8).error(&format!("prod: somebody switched the old key AKIA...{} on again", &old[16..]));
    ran.hint("`vault rotate prod --now` switches it off, `vault rotate prod --undo` takes it back");
    assert!(ran.changes().is_empty());
    stage.rotate(&["--now"]).succeeds();
    uses(&stage, &new, Some("retired"));
}

/// While the old key is off it can be switched on by the session alone, which outlives the key that made it.
#[test]
fn a_new_key_that_is_switched_off_in_the_grace_gives_the_old_one_back() {
    let (stage, old, new) = retired();
    stage.sim().set_key_status(&new, Status::Inactive);
    stage.run(&["rotate", "prod", "--undo"]).succeeds();
    let held = stage.held();
    assert_eq!(held.current.id.as_str(), old);
    assert_eq!(stage.status(&old), Some(Status::Active));
    stage.recovers();
}

#[test]
fn who_asks_for_a_key_in_its_grace_hears_that_somebody_took_the_new_one_away() {
    for words in [&["--resume"][..], &[]] {
        let (stage, old, new) = retired();
        stage.sim().set_key_status(&old, Status::Active);
        stage.sim().set_key_status(&new, Status::Inactive);
        let ran = stage.rotate(words);
        let told = format!("prod: AKIA...{} is in use from now on, in the place of AKIA...{}", &old[16..], &new[16..]);
        ran.says(&told);
        uses(&stage, &old, Some("retired"));
    }
}

#[test]
fn a_grace_in_which_the_new_key_works_asks_for_no_code_and_changes_nothing() {
    let (stage, _, new) = retired();
    stage.sim().require_mfa_for(&stage.user, &["iam:ListAccessKeys"], None);
    stage.run(&["logout", "prod"]).succeeds();
    let ran = stage.run(&["rotate", "prod", "--resume"]);
    ran.succeeds().says("is off, and deleted after ");
    assert!(ran.changes().is_empty() && ran.codes_spent() == 0, "{}", ran.shown());
    stage.run(&["rotate", "prod"]).succeeds().says("nothing to do yet: its last rotation waits");
    uses(&stage, &new, Some("retired"));
}

#[test]
fn where_neither_key_works_and_no_session_is_left_that_is_said() {
    let stage = Stage::without_mfa();
    stage.rotate(&[]).succeeds();
    let (stage, old, new) = both(stage, "retired");
    stage.sim().set_key_status(&new, Status::Inactive);
    for wish in ["--resume", "--undo"] {
        let ran = stage.run_on(&RealDisk, &["rotate", "prod", wish]);
        ran.exits(1).error("prod: none of the keys that the vault has for the user works any more");
        ran.says("an administrator can switch one on again");
    }
    stage.sim().set_key_status(&old, Status::Active);
    stage.rotate(&["--resume"]).succeeds();
    uses(&stage, &old, Some("retired"));
}

#[test]
fn a_list_without_the_key_that_asked_for_it_decides_nothing() {
    let stage = Stage::without_mfa();
    stage.rotate(&[]).succeeds();
    let (stage, old, new) = both(stage, "retired");
    let stale = Kind::Altered(new.clone(), "AKIAIOSFODNN7EXAMPLE".to_owned());
    stage.sim().fail(Failure::on("ListAccessKeys").kind(stale.clone()));
    stage.rotate(&["--now", "--force"]).succeeds();
    assert_eq!(stage.status(&old), None);
    uses(&stage, &new, None);
    stage.sim().fail(Failure::on("ListAccessKeys").kind(stale).lasting());
    let ran = stage.rotate(&[]);
    ran.says("AWS's list of the user's keys does not have ");
    assert!(ran.changes().is_empty(), "{}", ran.shown());
}

/// The session signs here, so that no list can be told by the key that asked for it.
#[test]
fn of_a_key_that_works_nothing_is_forgotten_whatever_a_list_says() {
    for with in ["created", "proven", "retired"] {
        let (stage, old, new) = match with {
            "created" => created(),
            "proven" => proven(),
            _ => retired(),
        };
        // One that is off no longer works.
        for key in [&old, &new].into_iter().filter(|key| stage.status(key) == Some(Status::Active)) {
            let before = stage.held();
            let stale = Kind::Altered(key.clone(), "AKIAIOSFODNN7EXAMPLE".to_owned());
            stage.sim().fail(Failure::on("ListAccessKeys").kind(stale).lasting());
            let ran = stage.rotate(&["--resume"]);
            stage.sim().stop_failing();
            let held = stage.held();
            assert_eq!((&held.current.id, held.state), (&before.current.id, before.state), "{with} {}", ran.shown());
            assert_eq!(held.all().count(), 2, "{with} {}", ran.shown());
            assert!(ran.changes().is_empty(), "{with} {}", ran.shown());
        }
        stage.recovers();
    }
}

#[test]
fn a_new_key_that_is_gone_is_forgotten_and_its_secret_kept_beside_the_vault() {
    let (stage, old, new) = created();
    let kept = || {
        let folder = stage.case.vault_file().parent().unwrap().to_owned();
        let names = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().file_name().into_string().unwrap());
        names.filter(|name| name.starts_with("vault.age.g")).count()
    };
    let before = kept();
    stage.sim().delete_key(&new);
    let ran = stage.rotate(&["--resume"]);
    ran.says(&format!("prod: somebody deleted AKIA...{}; the vault forgets it", &new[16..]));
    let held = stage.held();
    assert_eq!((held.current.id.as_str(), held.state), (old.as_str(), None), "{} {:?}", ran.shown(), ran.requests);
    // What stood before, and what stands.
    assert_eq!(kept(), before + 2);
}

#[test]
fn an_old_key_that_another_profile_got_meanwhile_stays_active() {
    let stage = Stage::new();
    stage.rotate(&["--keep-old"]).succeeds();
    let (stage, old, new) = both(stage, "proven");
    super::several::add(&stage, "legacy", &stage.user);
    let ran = stage.rotate(&[]);
    ran.exits(1).error(&format!("prod: AKIA...{} is the key of another profile of this vault", &old[16..]));
    assert_eq!((stage.status(&old), stage.status(&new)), (Some(Status::Active), Some(Status::Active)));
    assert!(ran.changes().is_empty(), "{}", ran.shown());
}

#[test]
fn a_key_that_was_switched_off_or_deleted_is_not_rotated() {
    let stage = Stage::new();
    stage.sim().set_key_status(stage.user.access_key_id(), Status::Inactive);
    let ran = stage.run_on(&RealDisk, &["rotate", "prod", "--mfa-code", "123456"]);
    ran.exits(4).error("prod: AWS does not know this access key, or it is inactive; nothing was changed");
    ran.hint("was it switched off or replaced in the console? `vault add prod --replace` stores another");
    assert!(ran.changes().is_empty());
}

#[test]
fn a_key_made_by_someone_else_after_the_intent_survives() {
    let stage = Stage::new();
    // The call never came to AWS, and before anybody looks an administrator makes a key.
    stage.sim().fail(Failure::on("CreateAccessKey").kind(Kind::BeforeSend));
    stage.sim().fail(Failure::on("ListAccessKeys").nth(5).kind(Kind::BeforeSend).lasting());
    let ran = stage.rotate(&[]);
    ran.exits(7);
    stage.sim().stop_failing();
    assert_eq!(stage.held().state, Some("intended"));
    stage.pass(Duration::from_secs(600));
    let theirs = stage.another_key();
    let ran = stage.rotate(&["--resume"]);
    ran.exits(8).says(&theirs).says("whether it is somebody else's can't be known");
    assert!(ran.changes().is_empty());
    assert_eq!(stage.status(&theirs), Some(Status::Active));
    // It goes as it came.
    stage.sim().delete_key(&theirs);
    stage.rotate(&["--resume"]).succeeds();
    stage.is_untouched();
    stage.recovers();
}

#[test]
fn a_key_that_others_use_is_not_replaced_unless_it_is_said() {
    let stage = Stage::new();
    stage.others_use(stage.user.access_key_id());
    let ran = stage.rotate(&[]);
    ran.exits(8).says("somebody else uses").says("by s3 in us-east-1");
    ran.hint("`--keep-old` makes a new key and leaves that one active, `--force` goes on all the same");
    assert!(ran.changes().is_empty());
    stage.is_untouched();
    stage.rotate(&["--keep-old"]).succeeds();
    stage.others_use(stage.user.access_key_id());
    assert_eq!(stage.held().state, Some("proven"));
    assert_eq!(stage.status(stage.user.access_key_id()), Some(Status::Active));
    stage.rotate(&[]).exits(8).says("somebody else uses");
    assert_eq!(stage.status(stage.user.access_key_id()), Some(Status::Active));
    stage.rotate(&["--now"]).succeeds();
    stage.is_rotated();
    stage.recovers();
}

#[test]
fn a_key_that_others_use_is_replaced_by_force() {
    let stage = Stage::new();
    stage.others_use(stage.user.access_key_id());
    stage.rotate(&["--force"]).succeeds();
    stage.is_rotated();
    stage.recovers();
}

/// AWS tells of a use up to four hours late.
#[test]
fn an_old_key_whose_use_is_told_late_is_not_deleted() {
    let (stage, old, _) = proven();
    stage.sim().last_used_lag(Duration::from_secs(4 * 3600));
    stage.sim().use_key(&old, "s3");
    stage.rotate(&[]).succeeds();
    stage.is_rotated();
    stage.pass(Duration::from_secs(25 * 3600));
    let ran = stage.rotate(&["--resume"]);
    ran.exits(8).says("somebody else uses").says("by s3");
    assert_eq!(stage.status(stage.user.access_key_id()), Some(Status::Inactive));
    stage.rotate(&["--undo"]).succeeds();
    assert_eq!(stage.held().current.id.as_str(), stage.user.access_key_id());
    stage.signs_in();
}
