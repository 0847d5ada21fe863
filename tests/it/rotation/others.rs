//! Who else has the key: a consumer that a hook tells of the new one, copies that an import leaves behind, a journal that
//! nothing can finish.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

use aws_sim::{Failure, Status};
use vault::disk::RealDisk;

use super::stage::Stage;
use crate::program::Case;

/// A hook that writes down what it was told, and ends with what `ending` says then.
fn with_hook(ending: &str, last_word: &str) -> Stage {
    let stage = Stage::new();
    let heard = stage.case.given("heard");
    let ending_file = stage.case.give("ending", ending);
    let script = format!(
        "#!/bin/sh\necho \"$*\" >> {heard}\ncat >> {heard}\nexit $(cat {ending})\n",
        heard = heard.display(),
        ending = ending_file.display()
    );
    let hook = stage.case.give_program("hook", script);
    stage.run(&["set", "prod", &format!("rotate_hook={}{last_word}", hook.display())]).succeeds();
    stage
}

fn heard(stage: &Stage) -> String {
    fs::read_to_string(stage.case.given("heard")).unwrap_or_default()
}

#[test]
fn a_hook_hears_the_ids_and_the_secret_only_where_it_asks_for_it() {
    for (last_word, with_secret) in [("", false), (" -", true)] {
        let stage = with_hook("0", last_word);
        stage.rotate(&[]).succeeds();
        stage.is_rotated();
        let new = stage.held().current;
        let ids = format!("prod {} {}\n", stage.user.access_key_id(), new.id);
        let words = if with_secret { format!("- {ids}") } else { ids };
        let secret = if with_secret { new.secret.expose() } else { "" };
        assert_eq!(heard(&stage), format!("{words}{secret}"));
    }
}

/// By the name that the run was started with it would not be found.
#[test]
fn a_profile_that_is_renamed_meanwhile_is_told_by_its_new_name() {
    let stage = Stage::new();
    let run = |words: &[&str]| stage.run_on(&RealDisk, &[words, &["--mfa-code", &stage.case.phone.code()]].concat());
    stage.meanwhile(&["rename", "prod", "work"]);
    let ran = run(&["rotate", "prod"]);
    ran.exits(7).hint("run `vault rotate work --resume`");
    ran.says("rotation of `work` stopped after the new key was saved; both keys work, nothing is lost");
    run(&["rotate", "work", "--resume"]).succeeds().says("work: ");
    let document = stage.document_on(&RealDisk);
    assert!(document.profiles.keys().map(|name| name.as_str()).eq(["work"]));
}

#[test]
fn while_a_hook_fails_the_old_key_stays_on_and_the_next_run_tells_it_again() {
    let stage = with_hook("3", "");
    let ran = stage.rotate(&[]);
    ran.exits(7).says("rotate_hook did not end well");
    let held = stage.held();
    assert_eq!(held.state, Some("proven"));
    for id in [held.current.id.as_str(), stage.user.access_key_id()] {
        assert_eq!(stage.status(id), Some(Status::Active), "{id}");
    }
    stage.case.give("ending", "0");
    stage.follow_hint(&ran).succeeds();
    stage.is_rotated();
    assert_eq!(heard(&stage).lines().count(), 2);
}

/// By the hook itself, which runs when the new key has its place.
#[test]
fn a_vault_that_is_put_back_meanwhile_is_not_said_to_have_what_it_has_not() {
    let stage = with_hook("0", "");
    let vault = stage.case.vault_file();
    let before = stage.case.given("before");
    fs::copy(&vault, &before).unwrap();
    let back = format!("#!/bin/sh\ncp {} {}\n", before.display(), vault.display());
    stage.case.give_program("hook", back);
    let ran = stage.rotate(&[]);
    let keys = stage.sim().access_keys(&stage.user).into_iter().map(|key| key.access_key_id);
    let made = keys.into_iter().find(|id| id != stage.user.access_key_id()).unwrap();
    let lacks = format!("which may lack {made} that this rotation made");
    ran.exits(7).says("another state of the vault was put in its place").says(&lacks);
    assert!(!ran.messages.contains("both are in the vault"), "{}", ran.shown());
    ran.hint(&format!(
        "`vault trust` decides which state counts; in one without that key, `vault rotate prod --delete-key {made}` deletes it at \
         AWS and makes another"
    ));
    assert_eq!(stage.status(stage.user.access_key_id()), Some(Status::Active));
}

/// By a setting that no run can get past.
#[test]
fn a_hook_that_can_not_be_run_is_told_with_both_ways_on() {
    let stage = with_hook("0", "");
    stage.case.give("hook", "no program any more");
    fs::set_permissions(stage.case.given("hook"), fs::Permissions::from_mode(0o600)).unwrap();
    let ran = stage.rotate(&[]);
    let hook = stage.case.given("hook");
    ran.exits(7).says(&format!("its rotate_hook can't be run: could not start `{}`: ", hook.display()));
    ran.hint("mend it, or `vault unset prod rotate_hook` goes on without it; then run `vault rotate prod --resume`");
    stage.follow_hint(&ran).exits(7).says("can't be run");
    stage.run(&["unset", "prod", "rotate_hook"]).succeeds();
    stage.follow_hint(&ran).succeeds();
    stage.is_rotated();
}

#[test]
fn a_hook_that_says_much_and_leaves_a_program_running_holds_nobody_up() {
    let stage = Stage::new();
    let file = stage.case.give("until", "");
    let script = format!(
        "#!/bin/sh\nwhile test -e {}; do sleep 0.1; done &\nhead -c 3000000 /dev/zero\nhead -c 3000000 /dev/zero >&2\n",
        file.display()
    );
    let hook = stage.case.give_program("hook", script);
    stage.run(&["set", "prod", &format!("rotate_hook={}", hook.display())]).succeeds();
    stage.rotate(&[]).succeeds();
    stage.is_rotated();
    fs::remove_file(file).unwrap();
}

/// Days in which nobody signs in here, and then one use of STS by the key.
#[test]
fn a_use_that_this_machines_log_does_not_explain_is_told_and_stops_nothing() {
    for is_ours in [true, false] {
        let stage = Stage::new();
        used_on_the_tenth_day(&stage, is_ours);
        let warning = format!("prod: AKIA...{} was last used ", &stage.user.access_key_id()[16..]);
        let dry = stage.run(&["rotate", "prod", "--dry-run"]);
        let ran = stage.rotate(&[]);
        for ran in [&dry, &ran] {
            assert_eq!(ran.succeeds().messages.matches(&warning).count(), usize::from(!is_ours), "{}", ran.shown());
        }
        if !is_ours {
            ran.says(" by sts in us-east-1, and this machine's log has no call by it near that time");
        }
        stage.is_rotated();
    }
}

/// Nothing is known then, so nobody is suspected.
#[test]
fn without_a_log_no_use_is_strange() {
    let stage = Stage::new();
    used_on_the_tenth_day(&stage, false);
    for log in ["", "nonsense\n"] {
        fs::write(stage.case.home().join(".local/state/vault/log.jsonl"), log).unwrap();
        let dry = stage.run(&["rotate", "prod", "--dry-run"]);
        assert_eq!(dry.succeeds().messages, "");
    }
}

/// By us or by somebody else, and on the fifteenth AWS knows of nothing later.
fn used_on_the_tenth_day(stage: &Stage, by_us: bool) {
    let day = Duration::from_secs(86_400);
    stage.signs_in();
    stage.pass(10 * day);
    if by_us {
        stage.signs_in();
    } else {
        stage.sim().use_key(stage.user.access_key_id(), "sts");
    }
    stage.sim().last_used_lag(4 * day);
    stage.pass(5 * day);
}

#[test]
fn an_import_that_rotates_leaves_dead_copies_behind() {
    let case = Case::with_vault();
    let (id, secret) = (case.alice.access_key_id(), case.alice.secret_access_key());
    let section = format!("[prod]\naws_access_key_id = {id}\naws_secret_access_key = {secret}\n");
    case.write(&case.credentials(), 0o600, section);
    let stage = Stage::on(case);
    let run = ["import", "prod", "--yes", "--remove", "--rotate"];
    // The code for the session that signs the rotation comes from the profile's setting, else there is nobody to ask.
    let ran = stage.run_on(&vault::disk::RealDisk, &run);
    ran.exits(8).says("--mfa-code");
    stage.rotate(&[]).succeeds();
    stage.is_rotated();
}

#[test]
fn a_rotation_whose_keys_are_gone_at_aws_can_be_given_up_and_no_other_word_takes_its_journal_away() {
    let stage = Stage::new();
    stage.rotate(&[]).succeeds();
    let held = stage.held();
    stage.sim().delete_key(held.current.id.as_str());
    stage.sim().delete_key(&held.other_id());
    let run = |words: &[&str]| stage.run_on(&vault::disk::RealDisk, words);
    let stuck = run(&["rotate", "prod", "--undo", "--mfa-code", &stage.case.phone.code()]);
    assert!(stuck.report.is_some() && stuck.shown().contains("--give-up"), "{}", stuck.shown());
    stage.sim().fail(Failure::on("GetCallerIdentity").lasting());
    run(&["rotate", "prod", "--give-up", "--yes"]).exits(5).hint("`--give-up --force` forgets it without asking AWS");
    stage.sim().stop_failing();
    run(&["rotate", "prod", "--give-up"]).exits(8);
    run(&["rotate", "prod", "--give-up", "--yes"]).succeeds();
    assert_eq!(stage.held().state, None);
    run(&["rotate", "prod", "--give-up", "--yes"]).exits(1);
}

/// What is off by the rotation itself, `--resume` or `--undo` can switch on again.
#[test]
fn a_rotation_whose_old_key_is_off_and_there_is_not_given_up_unless_it_is_said_twice() {
    for new_is_deleted in [false, true] {
        let stage = Stage::new();
        stage.rotate(&[]).succeeds();
        let (held, run) = (stage.held(), |words: &[&str]| stage.run_on(&vault::disk::RealDisk, words));
        if new_is_deleted {
            stage.sim().delete_key(held.current.id.as_str());
        }
        let refused = run(&["rotate", "prod", "--give-up", "--yes"]);
        let old = &held.other_id()[16..];
        refused.exits(1).error(&format!(
            "prod: AKIA...{old} was switched off by this rotation and can be taken back; nothing was changed"
        ));
        assert_eq!(stage.held().state, Some("retired"));
        if new_is_deleted {
            stage.rotate(&["--resume"]).succeeds();
            assert_eq!(stage.held().current.id.as_str(), held.other_id());
        } else {
            run(&["rotate", "prod", "--give-up", "--force", "--yes"]).succeeds();
            run(&["rotate", "prod", "--give-up", "--yes"]).exits(1).error("prod: no rotation is under way");
        }
    }
}

/// It may be the only one that does.
#[test]
fn a_rotation_whose_other_key_works_is_not_given_up_unless_it_is_said_twice() {
    let stage = Stage::new();
    stage.rotate(&["--keep-old"]).succeeds();
    let (held, run) = (stage.held(), |words: &[&str]| stage.run_on(&vault::disk::RealDisk, words));
    let old = held.other_id();
    stage.sim().delete_key(held.current.id.as_str());
    let refused = run(&["rotate", "prod", "--give-up", "--yes"]);
    refused
        .exits(1)
        .error(&format!("prod: AKIA...{} works, and the vault would forget it; nothing was changed", &old[16..]));
    refused.hint("`vault rotate prod --resume` goes on with it; `--give-up --force` forgets it all the same");
    assert_eq!((stage.held().other_id(), stage.held().state), (old, held.state));
    run(&["rotate", "prod", "--give-up", "--force", "--yes"]).succeeds();
    assert_eq!(stage.held().state, None);
}

/// Taken back by an undo, and switched off by somebody who also deleted the newer key: none that the vault has signs anything.
#[test]
fn a_key_in_its_grace_that_somebody_switched_off_is_switched_on_by_an_older_session_and_the_rotation_ends() {
    let stage = Stage::new();
    stage.rotate(&[]).succeeds();
    let (own, newer) = (stage.user.access_key_id().to_owned(), stage.held().current.id.to_string());
    let short = |key: &str| format!("AKIA...{}", &key[16..]);
    stage.rotate(&["--undo"]).succeeds();
    stage.with_code(&["login", "prod", "--no-export", "--force"]).succeeds();
    stage.pass(Duration::from_secs(2 * 3600));
    stage.sim().delete_key(&newer);
    stage.sim().set_key_status(&own, Status::Inactive);
    let run = |words: &[&str]| stage.run_on(&RealDisk, words);

    let login = run(&["login", "prod", "--no-export", "--force", "--mfa-code", &stage.case.phone.code()]);
    login.exits(4).error(&format!("AWS does not know the access key {} of `prod`, or it is inactive", short(&own)));
    login.hint(&format!(
        "`vault keys enable prod {}` switches it on again while a session made with MFA is left; `vault rotate prod --resume` \
         goes by what AWS has",
        short(&own)
    ));
    let resumed = run(&["rotate", "prod", "--resume", "--now"]);
    resumed.says("prod: AWS does not take the key, which is asked of it again for a minute");
    let listed = run(&["keys", "prod"]);
    listed.succeeds().says(&format!("{} of the rotation of `prod` is not at AWS any more\n", short(&newer)));

    let on = run(&["keys", "enable", "prod", &short(&own), "--mfa-code", &stage.case.phone.code()]);
    on.succeeds().says(&format!("{} of alice is active", short(&own)));
    on.says("vault: hint: `vault rotate prod --resume` goes on with the rotation that is not over");
    assert_eq!(stage.status(&own), Some(Status::Active));
    stage.rotate(&["--resume"]).succeeds();
    assert_eq!(stage.held().state, None);
    stage.signs_in();
}
