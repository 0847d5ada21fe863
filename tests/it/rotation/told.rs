//! What is said of a key while its rotation waits for something.

use std::time::Duration;

use aws_sim::{Failure, Kind, Status};
use jiff::tz::TimeZone;
use serde_json::{Value, json};

use super::stage::{Ran, Stage};

const DAY: Duration = Duration::from_secs(86_400);

fn short(id: &str) -> String {
    format!("{}...{}", &id[..4], &id[16..])
}

fn json_of(ran: &Ran) -> Value {
    serde_json::from_str(&ran.succeeds().out).unwrap()
}

/// When prod's grace is over, as people are told it, to the minute and to the day.
fn over(stage: &Stage) -> (String, String) {
    let shown = json_of(&stage.run(&["show", "prod", "--json"]));
    let until: jiff::Timestamp = shown["rotation"]["until"].as_str().unwrap().parse().unwrap();
    let until = until.to_zoned(TimeZone::system());
    (until.strftime("%F %H:%M").to_string(), until.strftime("%F").to_string())
}

/// The old key and the new one.
fn keys(stage: &Stage) -> (String, String) {
    (stage.user.access_key_id().to_owned(), stage.held().current.id.to_string())
}

#[test]
fn a_rotation_ends_with_the_key_in_use_the_one_that_is_off_and_till_when() {
    let stage = Stage::new();
    let ran = stage.rotate(&[]);
    let ((old, new), (until, _)) = (keys(&stage), over(&stage));
    let last = format!(
        "prod: {} is the key of alice now; {} is off, and deleted after {until}\n\
         vault: hint: `vault rotate prod --undo` takes the old key back until then\n",
        short(&new),
        short(&old)
    );
    assert!(ran.messages.ends_with(&last), "{}", ran.shown());
    stage.pass(2 * DAY);
    let ran = stage.rotate(&["--resume"]);
    assert!(ran.messages.ends_with("prod: the rotation of the key of alice is finished\n"), "{}", ran.shown());
}

#[test]
fn a_key_in_its_grace_that_is_not_named_for_itself_says_what_it_waits_for() {
    let stage = Stage::new();
    stage.rotate(&[]).succeeds();
    let ((old, new), (until, _)) = (keys(&stage), over(&stage));
    let waits = "prod: nothing to do yet: its last rotation waits;";
    for words in [&["rotate", "prod", "--if-older-than", "90d"][..], &["rotate", "--all"]] {
        let ran = stage.run(words);
        let told = format!("{waits} the old key {} is off, and deleted after {until}\n", short(&old));
        assert_eq!((&*ran.succeeds().messages, &*ran.out), (&*told, ""), "{words:?}");
    }
    stage.rotate(&["--undo"]).succeeds();
    let (until, _) = over(&stage);
    let ran = stage.run(&["rotate", "prod", "--if-older-than", "90d"]);
    let told = format!("{waits} its newer key {} is off, and deleted after {until}\n", short(&new));
    assert_eq!(ran.succeeds().messages, told);
    let ran = stage.run(&["rotate", "--all", "--json"]);
    assert_eq!(json_of(&ran)["keys"][0]["outcome"], "undone");
}

#[test]
fn after_an_undo_no_report_takes_the_newer_key_for_the_old_one() {
    let stage = Stage::new();
    stage.rotate(&[]).succeeds();
    let (old, new) = keys(&stage);
    stage.rotate(&["--undo"]).succeeds();
    let (_, until) = over(&stage);
    let told = format!("old key taken back; newer key {} is deleted after {until}", short(&new));
    stage.run(&["status"]).succeeds().says(&told);
    stage.run(&["show", "prod"]).succeeds().says(&format!("rotation = {told}\n"));
    let standing = json_of(&stage.run(&["status", "--json"]))["profiles"][0]["rotation"].clone();
    let (undone, state, other) = (&standing["undone"], &standing["state"], &standing["old_key"]);
    assert_eq!((undone, state, other), (&json!(true), &json!("retired"), &json!(short(&new))));
    let listed = stage.with_code(&["keys", "prod"]);
    let line = |id: &str| listed.succeeds().out.lines().find(|line| line.starts_with(&short(id))).unwrap().to_owned();
    assert!(
        line(&new).ends_with(&format!("the newer key of `prod`, given back; kept until {until}")),
        "{}",
        listed.out
    );
    assert!(line(&old).ends_with("  prod"), "{}", listed.out);
    let listed = json_of(&stage.run(&["keys", "prod", "--json"]));
    let parts: Vec<&Value> = listed["keys"].as_array().unwrap().iter().map(|key| &key["rotation"]["part"]).collect();
    assert!(parts.contains(&&json!("given-back")) && parts.contains(&&json!("current")), "{parts:?}");
    stage.pass(2 * DAY);
    let told = format!("newer key {} waits to be deleted since {until}; next: vault rotate prod --resume", short(&new));
    stage.run(&["status"]).succeeds().says(&told);
}

/// The rules let nothing be made before the newer key is deleted, so each says that it waits, and the two ways.
#[test]
fn a_key_that_an_undo_took_back_and_that_is_too_old_is_told_as_overdue_with_the_way_to_a_new_one() {
    let stage = Stage::new();
    stage.run(&["set", "--vault", "rotate_every=90d"]).succeeds();
    stage.pass(91 * DAY);
    stage.rotate(&[]).succeeds();
    let (old, new) = keys(&stage);
    stage.run(&["rotate", "--due"]).succeeds().says("nothing to do\n");
    stage.run(&["status", "--due"]).succeeds();
    stage.rotate(&["--undo"]).succeeds();
    let (until, date) = over(&stage);
    let now = "`vault rotate prod --now --force`, then `vault rotate prod`, do now";
    let ways = format!("`vault rotate prod` replaces it after {until}; {now}");

    let off = format!("newer key {} is deleted after {date}", short(&new));
    let told = format!("overdue by 1 d; old key taken back; {off}; next after that: vault rotate prod\n");
    stage.run(&["status"]).succeeds().says(&told);
    let listed = stage.run(&["status", "--due"]);
    listed.exits(1).error("due: the access keys of `prod`").hint("`vault rotate --due`").says(&told);
    let profile = json_of(&stage.run(&["status", "--json"]))["profiles"][0].clone();
    assert_eq!((&profile["due"], &profile["rotation"]["state"]), (&json!(true), &json!("retired")));

    let ran = stage.run(&["rotate", "--due"]);
    let why = "nothing to do yet: its key is overdue, and its last rotation waits";
    let told =
        format!("prod: {why}; its newer key {} is off, and deleted after {until}\nvault: hint: {ways}\n", short(&new));
    assert_eq!(ran.succeeds().messages, told);
    let planned = stage.run(&["rotate", "--due", "--dry-run"]);
    planned.succeeds().says(&format!("delete {} after {until}", short(&new)));
    let found = stage.run(&["doctor", "--offline"]);
    let age = format!("{} of prod, 91 d old: overdue by 1 d; old key taken back; {off}\n", short(&old));
    found.exits(1).says(&age).says(&format!("next: {ways}\n"));
    let ran = stage.with_code(&["login", "prod", "--no-export", "--force"]);
    let told = format!("key {} is 91 d old (limit 90 d)\nvault: hint: {ways}\n", short(&old));
    ran.succeeds().says(&told);

    stage.run(&["rotate", "prod", "--now", "--force"]).succeeds();
    assert_eq!((stage.status(&new), stage.held().state), (None, None));
    stage.run(&["status"]).succeeds().says("  overdue by 1 d\n");
    stage.run(&["rotate", "prod"]).succeeds();
    stage.is_rotated();
}

#[test]
fn a_key_that_an_undo_took_back_is_replaced_once_its_newer_key_may_go() {
    let stage = Stage::new();
    stage.rotate(&[]).succeeds();
    let (_, new) = keys(&stage);
    stage.rotate(&["--undo"]).succeeds();
    stage.pass(2 * DAY);
    stage.rotate(&[]).succeeds();
    stage.is_rotated();
    assert_eq!(stage.status(&new), None);
}

#[test]
fn a_key_that_is_too_old_beside_one_that_was_kept_is_told_with_what_has_to_go_first() {
    let stage = Stage::new();
    stage.run(&["set", "--vault", "rotate_every=1d", "rotate_on_login=never"]).succeeds();
    stage.rotate(&["--keep-old"]).succeeds();
    let (old, new) = keys(&stage);
    stage.pass(3 * DAY);
    let kept = format!(", old key {} kept active\n", short(&old));
    stage.run(&["status"]).succeeds().says("  overdue by 2 d; new key in use since ").says(&kept);
    let ran = stage.with_code(&["login", "prod", "--no-export"]);
    let way =
        format!("`vault rotate prod` switches {} off, and replaces the key once that one is deleted", short(&old));
    ran.succeeds().says(&format!("key {} is 3 d old (limit 1 d)\nvault: hint: {way}\n", short(&new)));
    stage.rotate(&[]).succeeds();
    stage.is_rotated();
    stage.pass(2 * DAY);
    stage.rotate(&[]).succeeds();
    assert_eq!((stage.status(&old), stage.held().other_id()), (None, new));
}

#[test]
fn a_dry_run_says_whether_it_would_ask_for_a_code() {
    let stage = Stage::new();
    let ran = stage.run(&["rotate", "prod", "--dry-run"]);
    assert!(ran.succeeds().out.contains("\n  1. ask for an MFA code\n"), "{}", ran.out);
    stage.with_code(&["login", "prod", "--no-export"]).succeeds();
    stage.pass(Duration::from_secs(12 * 60 + 30));
    let ran = stage.run(&["rotate", "prod", "--dry-run"]);
    let told = "\n  1. use the session with MFA that is at hand, 12 min old: no code is needed\n";
    assert!(ran.succeeds().out.contains(told), "{}", ran.out);
    assert_eq!(
        json_of(&stage.run(&["rotate", "prod", "--dry-run", "--json"]))["keys"][0]["steps"][0],
        told.trim()[3..]
    );
    // So old that a rotation would not take it.
    stage.pass(Duration::from_secs(14 * 60));
    let ran = stage.run(&["rotate", "prod", "--dry-run"]);
    assert!(ran.succeeds().out.contains("\n  1. ask for an MFA code\n"), "{}", ran.out);
    stage.is_untouched();
}

#[test]
fn who_waits_for_a_list_of_aws_is_told_till_when() {
    let stage = Stage::without_mfa();
    stage.sim().fail(Failure::on("CreateAccessKey").kind(Kind::BeforeSend));
    stage.sim().fail(Failure::on("ListAccessKeys").nth(3).kind(Kind::BeforeSend).lasting());
    stage.run(&["rotate", "prod"]).exits(7);
    stage.sim().stop_failing();
    let shown = json_of(&stage.run(&["show", "prod", "--json"]));
    assert_eq!(shown["rotation"]["state"], "intended");
    let since: jiff::Timestamp = shown["rotation"]["since"].as_str().unwrap().parse().unwrap();
    let until = since + Duration::from_secs(90);
    let ran = stage.run(&["rotate", "prod", "--resume"]);
    let told = format!(
        "prod: waiting until {} for AWS's list of keys to show all that was made ...\n",
        until.to_zoned(jiff::tz::TimeZone::system()).strftime("%T")
    );
    assert_eq!(ran.succeeds().messages.matches(&told).count(), 1, "{}", ran.shown());
}

fn due(stage: &Stage) -> Ran {
    stage.run(&["rotate", "--due"])
}

/// prod's old key is off, and prod is not due.
fn in_grace(stage: Stage) -> (Stage, String, String) {
    stage.run(&["set", "--vault", "rotate_every=30d"]).succeeds();
    stage.rotate(&[]).succeeds();
    // So that no session is good enough to change keys with.
    stage.pass(Duration::from_secs(3600));
    let (old, new) = keys(&stage);
    (stage, old, new)
}

#[test]
fn what_is_due_looks_at_keys_in_their_grace_without_a_code_or_a_word() {
    let (stage, old, _) = in_grace(Stage::new());
    let ran = due(&stage);
    assert_eq!((&*ran.succeeds().messages, &*ran.out), ("nothing to do\n", ""), "{}", ran.shown());
    let lists = ran.requests.iter().filter(|request| request.action == "ListAccessKeys" && request.succeeded());
    assert_eq!((lists.count(), ran.codes_spent(), ran.changes().len()), (1, 0, 0));
    // Who may list keys with MFA alone is seen to have a key that works.
    stage.sim().require_mfa_for(&stage.user, &["iam:ListAccessKeys"], None);
    assert_eq!(due(&stage).succeeds().messages, "nothing to do\n");
    assert_eq!(stage.status(&old), Some(Status::Inactive));
    assert!(due(&stage).succeeds().changes().is_empty());
}

#[test]
fn a_network_that_is_away_for_that_look_or_a_profile_that_can_not_be_resolved_is_no_failure() {
    let (stage, _, _) = in_grace(Stage::new());
    stage.sim().fail(Failure::on_every_action().lasting());
    assert_eq!(due(&stage).succeeds().messages, "nothing to do\n");
    stage.run(&["rotate", "--due", "--scheduled"]).succeeds();
    stage.case.write(&stage.case.config(), 0o600, "[profile prod]\nregion = eu west 1\n");
    assert_eq!(due(&stage).succeeds().messages, "nothing to do\n");
    std::fs::remove_file(stage.case.config()).unwrap();
    stage
        .run(&["rotate", "prod", "--if-older-than", "90d"])
        .succeeds()
        .says("nothing to do yet: its last rotation waits");
    stage.sim().stop_failing();
    stage.recovers();
}

#[test]
fn a_new_key_that_somebody_took_away_is_noticed_by_what_is_due_and_needs_a_person() {
    for take_away in [true, false] {
        let (stage, old, new) = in_grace(Stage::new());
        if take_away {
            stage.sim().delete_key(&new);
        } else {
            stage.sim().set_key_status(&new, Status::Inactive);
        }
        let ran = stage.run_on(&vault::disk::RealDisk, &["rotate", "--due"]);
        ran.exits(8).error(
            "prod: AWS does not take its new key any more, and the old one is off: `prod` needs an MFA code and there is no \
             terminal to ask on",
        );
        ran.hint("`vault rotate prod --undo` switches the old one on, by a code");
        assert!(ran.changes().is_empty(), "{}", ran.shown());
        assert_eq!(stage.status(&old), Some(Status::Inactive));
    }
}

#[test]
fn a_new_key_that_somebody_took_away_is_given_up_for_the_old_one_where_a_session_is_at_hand() {
    let (stage, old, new) = in_grace(Stage::new());
    stage.with_code(&["login", "prod", "--no-export", "--force"]).succeeds();
    stage.sim().delete_key(&new);
    due(&stage).succeeds();
    assert_eq!((stage.held().current.id.as_str(), stage.status(&old)), (&*old, Some(Status::Active)));
    stage.recovers();
}
