//! A key that answers for another user than the vault knows it by: somebody renamed the user, stored the wrong key, or stands in
//! between.

use aws_sim::{Failure, Kind, Status};

use super::stage::{Ran, Stage};
use crate::program::Case;

/// alice renamed, and somebody of the same name in another account.
const OTHERS: [&str; 2] = ["arn:aws:iam::123456789012:user/alicia", "arn:aws:iam::210987654321:user/alice"];

/// From its nth question on AWS says that alice's keys are this user's.
fn says(stage: &Stage, other: &str, nth: usize) {
    let altered = Kind::Altered(stage.user.arn().to_owned(), other.to_owned());
    stage.sim().fail(Failure::on("GetCallerIdentity").nth(nth).kind(altered).lasting());
}

#[track_caller]
fn is_refused(ran: &Ran, stage: &Stage, other: &str) {
    ran.exits(1).error(&format!(
        "prod: AWS says that this is a key of `{other}`, and the vault says `{}`; nothing was changed",
        stage.user.arn()
    ));
    ran.hint("`vault whoami prod`; `vault add prod --replace` stores the right key");
    assert_eq!(ran.requests.iter().filter(|request| request.service == "iam").count(), 0, "{}", ran.shown());
}

#[test]
fn a_key_of_another_user_than_the_vault_says_is_not_rotated_and_nothing_is_changed() {
    for other in OTHERS {
        for stage in [Stage::new(), Stage::without_mfa()] {
            let before = std::fs::read(stage.case.vault_file()).unwrap();
            says(&stage, other, 1);
            for flags in [&[][..], &["--dry-run"], &["--resume"], &["--now", "--force"]] {
                is_refused(&stage.rotate(flags), &stage, other);
            }
            stage.is_untouched();
            assert!(std::fs::read(stage.case.vault_file()).unwrap() == before, "the vault was saved");
            assert_eq!(stage.sim().access_keys(&stage.user).len(), 1);
            stage.sim().stop_failing();
            stage.rotate(&[]).succeeds();
            stage.is_rotated();
        }
    }
}

#[test]
fn a_new_key_that_answers_for_another_user_is_not_put_to_use() {
    for other in OTHERS {
        for nth in [2, 3, 4] {
            let stage = Stage::new();
            says(&stage, other, nth);
            let ran = stage.rotate(&[]);
            ran.exits(7).error(&format!(
                "rotation of `prod` stopped after the new key was saved; the old key works, nothing is lost: AWS says \
                 that this is a key of `{other}`, and the vault says `{}`",
                stage.user.arn()
            ));
            ran.hint("run `vault rotate prod --resume`");
            let held = stage.held();
            assert_eq!((held.current.id.as_str(), held.state), (stage.user.access_key_id(), Some("created")));
            for key in held.all() {
                assert_eq!(stage.status(key.id.as_str()), Some(Status::Active), "{}", key.id);
            }
            assert_eq!(ran.changes(), ["UpdateAccessKey", "CreateAccessKey"]);
            stage.recovers();
            stage.is_rotated();
        }
    }
}

/// It was put to use by an earlier run, which left the old one on.
#[test]
fn no_old_key_is_switched_off_for_a_new_one_that_answers_for_another_user() {
    let stage = Stage::new();
    stage.rotate(&["--keep-old"]).succeeds();
    says(&stage, OTHERS[0], 2);
    let ran = stage.rotate(&[]);
    ran.exits(7).says("stopped after the new key was put to use; both keys are in the vault: AWS says that this is");
    assert_eq!((stage.held().state, ran.changes().len()), (Some("proven"), 0));
    assert_eq!(stage.status(stage.user.access_key_id()), Some(Status::Active));
    stage.sim().stop_failing();
    stage.follow_hint(&ran).succeeds();
    stage.signs_in();
}

/// A key that was stored unchecked has no place that it is known at; what is proven has one.
#[test]
fn a_key_that_was_never_checked_is_after_a_rotation_one_of_the_place_where_it_was_proven() {
    let case = Case::with_vault();
    let words = ["add", "prod", "--access-key-id", case.alice.access_key_id(), "--secret-stdin", "--no-verify"];
    case.vault(&words).stdin(case.alice.secret_access_key()).run().succeeds();
    let stage = Stage::on(case);
    stage.rotate(&[]).succeeds();
    stage.is_rotated();
    assert_eq!(stage.held().current.endpoint, Some(stage.sim().endpoint()));
    stage.signs_in();
    stage.recovers();
}
