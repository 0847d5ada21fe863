//! Users who may do little, or nothing without MFA.

use std::time::Duration;

use aws_sim::Status;

use super::stage::{Ran, Stage};

#[test]
fn one_code_serves_the_whole_rotation_of_a_user_who_may_do_nothing_without_mfa() {
    let stage = Stage::new();
    stage.sim().require_mfa_for(&stage.user, &["*"], Some(Duration::from_secs(3600)));
    let ran = stage.rotate(&[]);
    ran.succeeds();
    assert_eq!(ran.codes_spent(), 1);
    stage.is_rotated();
    stage.pass(Duration::from_secs(25 * 3600));
    let ran = stage.rotate(&["--resume"]);
    ran.succeeds();
    assert_eq!(ran.codes_spent(), 1);
    assert_eq!(stage.status(stage.user.access_key_id()), None);
    stage.recovers();
}

#[test]
fn our_own_policy_templates_are_enough() {
    for templates in [&["self-rotate-with-mfa"][..], &["self-rotate"], &["self-management", "mfa-required"]] {
        println!("--- {templates:?}");
        let stage = Stage::new();
        let policies: Vec<String> = templates
            .iter()
            .map(|template| {
                let shown = ["policy", "show", template, "--profile", "prod"];
                stage.case.run(&shown).succeeds().out.clone()
            })
            .collect();
        stage.sim().set_policies(&stage.user, &policies.iter().map(String::as_str).collect::<Vec<_>>());
        let ran = stage.rotate(&[]);
        ran.succeeds();
        assert_eq!(ran.codes_spent(), 1);
        stage.is_rotated();
        stage.pass(Duration::from_secs(25 * 3600));
        stage.rotate(&["--resume"]).succeeds().says("is deleted");
        stage.recovers();
    }
}

#[test]
fn a_user_without_mfa_rotates_by_the_keys_alone() {
    let stage = Stage::without_mfa();
    let ran = stage.run(&["rotate", "prod"]);
    ran.succeeds();
    assert_eq!(ran.count("GetSessionToken"), 0);
    stage.is_rotated();
    stage.pass(Duration::from_secs(25 * 3600));
    stage.run(&["rotate", "prod", "--resume"]).succeeds();
    assert_eq!(stage.status(stage.user.access_key_id()), None);
}

#[test]
fn without_a_code_nothing_is_changed_and_a_person_is_asked_for() {
    let stage = Stage::new();
    let ran = stage.run(&["rotate", "prod"]);
    ran.exits(8).error("`prod` needs an MFA code and there is no terminal to ask on");
    assert!(ran.changes().is_empty());
    stage.is_untouched();
}

#[test]
fn a_use_that_may_not_be_asked_for_does_not_stop_a_rotation() {
    let stage = Stage::new();
    stage.sim().deny(&stage.user, "iam:GetAccessKeyLastUsed");
    let told = |ran: &Ran, key: &str| {
        let key = format!("{}...{}", &key[..4], &key[16..]);
        let warning = format!(
            "prod: use unknown: AWS does not let the user ask when {key} was last used \
             (iam:GetAccessKeyLastUsed)\nvault: hint: the policy `vault policy show self-rotate-with-mfa --profile prod` \
             allows it\n"
        );
        ran.messages.matches(&warning).count()
    };
    let old = stage.user.access_key_id();
    let ran = stage.rotate(&[]);
    assert_eq!((told(ran.succeeds(), old), ran.messages.matches("use unknown").count()), (1, 1), "{}", ran.shown());
    stage.is_rotated();
    stage.pass(Duration::from_secs(25 * 3600));
    let ran = stage.rotate(&["--resume"]);
    assert_eq!((told(ran.succeeds(), old), ran.messages.matches("use unknown").count()), (1, 1), "{}", ran.shown());
    stage.recovers();
}

/// A dry run of who needs a code asks for none, and then only shows what it does not know.
#[test]
fn a_dry_run_tells_of_a_use_that_may_not_be_asked_for() {
    let stage = Stage::without_mfa();
    stage.sim().deny(&stage.user, "iam:GetAccessKeyLastUsed");
    let ran = stage.run(&["rotate", "prod", "--dry-run"]);
    ran.succeeds().says("use unknown: AWS does not let the user ask");
    assert!(ran.out.contains("use unknown"), "{}", ran.shown());
    let stage = Stage::new();
    stage.sim().deny(&stage.user, "iam:GetAccessKeyLastUsed");
    let ran = stage.run(&["rotate", "prod", "--dry-run"]);
    assert!(ran.succeeds().out.contains("use unknown") && ran.messages.is_empty(), "{}", ran.shown());
}

/// What may not be asked by the key is asked by the session, and that is the last word.
#[test]
fn a_use_that_the_session_may_ask_for_is_not_unknown() {
    let stage = Stage::new();
    stage.sim().require_mfa_for(&stage.user, &["iam:GetAccessKeyLastUsed"], None);
    let ran = stage.rotate(&[]);
    assert!(!ran.succeeds().messages.contains("use unknown"), "{}", ran.shown());
    stage.is_rotated();
}

/// What is missing is found out before a key is made.
#[test]
fn a_change_that_is_denied_is_told_before_anything_is_made() {
    let stage = Stage::new();
    stage.sim().deny(&stage.user, "iam:UpdateAccessKey");
    let ran = stage.rotate(&[]);
    ran.exits(4).says("iam:UpdateAccessKey").says("`vault policy show self-rotate-with-mfa --profile prod` allows it");
    assert_eq!(ran.count("CreateAccessKey"), 0);
    stage.is_untouched();
    stage.sim().allow(&stage.user, "iam:UpdateAccessKey");
    stage.follow_hint(&ran).succeeds();
    stage.is_rotated();
}

#[test]
fn a_create_that_is_denied_leaves_the_old_key_and_no_journal() {
    let stage = Stage::new();
    stage.sim().deny(&stage.user, "iam:CreateAccessKey");
    let ran = stage.rotate(&[]);
    ran.exits(4).says("nothing was changed");
    stage.is_untouched();
    stage.recovers();
}

#[test]
fn a_delete_that_is_denied_leaves_one_inactive_key_that_the_vault_has() {
    let stage = Stage::new();
    stage.rotate(&[]).succeeds();
    stage.sim().deny(&stage.user, "iam:DeleteAccessKey");
    stage.pass(Duration::from_secs(25 * 3600));
    let ran = stage.rotate(&["--resume"]);
    ran.exits(4).says("after the old key was switched off; the new key works, both are in the vault");
    stage.is_rotated();
    stage.sim().allow(&stage.user, "iam:DeleteAccessKey");
    stage.follow_hint(&ran).succeeds();
    assert_eq!(stage.status(stage.user.access_key_id()), None);
    stage.signs_in();
}

/// Our own policies let keys be changed within an hour of the code only.
#[test]
fn a_session_that_grew_old_while_the_machine_slept_is_not_used_for_the_next_change() {
    let stage = Stage::new();
    stage.sleeps_at_the_first_wait(Duration::from_secs(56 * 60));
    let ran = stage.rotate(&[]);
    ran.exits(4)
        .says("rotation of `prod` stopped after the new key was put to use; it works, and both are in the vault");
    ran.hint(
        "is it the code of arn:aws:iam::123456789012:mfa/phone? the next one may do; `vault mfa resync prod` where that phone's \
         clock is off, `vault mfa detect prod` where there is a new one; it goes on by `vault rotate prod --resume`",
    );
    assert_eq!(stage.status(stage.user.access_key_id()), Some(Status::Active));
    let ran = stage.rotate(&["--resume"]);
    ran.succeeds();
    assert_eq!(ran.codes_spent(), 1);
    stage.is_rotated();
    stage.recovers();
}
