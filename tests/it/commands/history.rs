//! Earlier generations: listed, and profiles brought back from them.

use std::fs;
use std::path::PathBuf;

use serde_json::json;

use super::{error, error_and_hint, json, short};
use crate::program::{Case, files_below};

/// Alice's key as `prod`, with a region set in generation 3 and another in generation 4.
fn with_history() -> Case {
    let case = Case::with_prod();
    for region in ["eu-central-1", "us-east-1"] {
        case.run(&["set", "prod", &format!("region={region}")]).succeeds();
    }
    case
}

fn region(case: &Case, name: &str) -> serde_json::Value {
    json(&case.run(&["show", name, "--json"]))["profile"]["region"].clone()
}

fn kept(case: &Case) -> Vec<PathBuf> {
    let mut files = files_below(case.vault_file().parent().unwrap());
    files.retain(|file| file.extension().is_some_and(|extension| extension.to_string_lossy().starts_with('g')));
    files.sort();
    files
}

/// What is said of generation 3, whose region comes back.
fn region_comes_back(case: &Case) -> String {
    let key = short(case.alice.access_key_id());
    format!(
        "restored `prod` from generation 3; its access key {key} stays\n  \
         region of `prod`, from `us-east-1` to `eu-central-1`\n"
    )
}

#[test]
fn history_lists_every_generation_and_what_it_changed() {
    let case = with_history();
    case.add("other").succeeds();
    case.run(&["remove", "prod", "--yes"]).succeeds();
    let output = case.run(&["history"]);
    let rows: Vec<Vec<&str>> = output.succeeds().out.lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(rows[0], ["GENERATION", "WRITTEN", "BY", "PROFILES", "CHANGES", "UNLIKE", "NOW"]);
    let told: Vec<_> = rows[1..].iter().map(|row| (row[0], row[4], row[5], row[6..].join(" "))).collect();
    let expected = [
        ("6", "1", "-prod", "-"),
        ("5", "2", "+other", "+prod"),
        ("4", "1", "~prod(region)", "+prod -other"),
        ("3", "1", "~prod(region)", "+prod -other"),
        ("2", "1", "+prod", "+prod -other"),
        ("1", "0", "-", "-other"),
    ];
    let expected = expected.map(|(generation, profiles, changes, now)| (generation, profiles, changes, now.to_owned()));
    assert_eq!(told, expected);
    let generations = json(&case.run(&["history", "--json"]))["generations"].clone();
    assert_eq!(generations[0]["file"], json!(null));
    assert_eq!((&generations[1]["generation"], &generations[1]["changes"]), (&json!(5), &json!(["+other"])));
    let file = case.vault_file().with_file_name(generations[1]["file"].as_str().unwrap());
    assert!(file.exists(), "{}", file.display());
}

#[test]
fn history_tells_of_each_generation_which_settings_are_otherwise_now() {
    let case = with_history();
    case.run(&["set", "--vault", "session_duration=1h"]).succeeds();
    let usb = case.given("usb.txt");
    case.run(&["recipient", "add", "usb", "--recovery-key", usb.to_str().unwrap()]).succeeds();
    case.keep_secret("the usb key", fs::read_to_string(&usb).unwrap().lines().last().unwrap());
    case.run(&["set", "prod", "grace=7d", "protected=true", "role_session_name=x", "source_identity=y"]).succeeds();
    let generations = json(&case.run(&["history", "--json"]))["generations"].clone();
    let settings = "grace,protected,role_session_name,source_identity";
    let told = |index: usize| (&generations[index]["changes"], &generations[index]["unlike_now"]);
    assert_eq!(told(0), (&json!([format!("~prod({settings})")]), &json!([])));
    assert_eq!(told(1), (&json!(["+(recipient:usb)"]), &json!([format!("~prod({settings})")])));
    let since = json!([format!("~prod({settings})"), "-(recipient:usb)"]);
    assert_eq!(told(2), (&json!(["~(session_duration)"]), &since));
    let since = json!([
        "~prod(grace,protected,region,role_session_name,source_identity)",
        "-(recipient:usb)",
        "~(session_duration)"
    ]);
    assert_eq!(told(4), (&json!(["~prod(region)"]), &since));
    let settings = &generations[4]["settings_unlike_now"];
    let duration = json!({ "profile": null, "setting": "session_duration", "now": "3600", "then": null });
    let region = json!({ "profile": "prod", "setting": "region", "now": "us-east-1", "then": "eu-central-1" });
    assert_eq!((&settings[0], &settings[3]), (&duration, &region));
    let rows = case.run(&["history"]);
    let row = rows.succeeds().out.lines().find(|line| line.starts_with("3 ")).unwrap();
    let cell = "~prod(grace,protected,region,...) -(recipient:usb) ~(session_duration)";
    assert!(row.ends_with(&format!("  {cell}")), "{row}");
}

#[test]
fn a_vault_without_earlier_generations_says_so() {
    let case = Case::with_vault();
    let output = case.run(&["history"]);
    output.succeeds().stderr("no earlier generation is kept beside the vault\n");
    let refused = error("generation 1 is not kept beside the vault, and no other is");
    case.run(&["restore", "1"]).exits(1).stderr(&refused);
}

#[test]
fn settings_come_back_as_a_new_generation_and_the_key_stays() {
    let case = with_history();
    case.sim.clear_requests();
    case.run(&["restore", "3", "prod"]).succeeds().stdout("").stderr(&region_comes_back(&case));
    assert_eq!(region(&case, "prod"), "eu-central-1");
    assert_eq!(json(&case.run(&["status", "--json"]))["generation"], 5);
    assert!(case.sim.requests().is_empty(), "the key stays, so that AWS has nothing to say");
    let again = case.run(&["restore", "3"]);
    again.succeeds().stderr("nothing to restore: all of it is as it was in generation 3\n");
    case.login().succeeds();
}

#[test]
fn a_dry_run_changes_nothing() {
    let case = with_history();
    let before = fs::read(case.vault_file()).unwrap();
    let output = case.run(&["restore", "3", "--dry-run"]);
    output.succeeds().stderr(&region_comes_back(&case).replace("restored", "would restore"));
    assert_eq!(fs::read(case.vault_file()).unwrap(), before);
}

#[test]
fn settings_of_the_whole_vault_that_were_otherwise_are_told_and_stay() {
    let case = with_history();
    case.run(&["set", "--vault", "session_duration=1h"]).succeeds();
    let told = "not restored: session_duration of the vault: nothing in generation 3, `3600` now\n\
                vault: hint: vault unset --vault session_duration\n";
    let dry = region_comes_back(&case).replace("restored", "would restore") + told;
    case.run(&["restore", "3", "--dry-run"]).succeeds().stderr(&dry);
    case.run(&["restore", "3"]).succeeds().stderr(&(region_comes_back(&case) + told));
    let nothing = format!("nothing to restore: the profiles are as they were in generation 3\n{told}");
    case.run(&["restore", "3"]).succeeds().stderr(&nothing);
    let named = "nothing to restore: all of it is as it was in generation 3\n";
    case.run(&["restore", "3", "prod"]).succeeds().stderr(named);
    case.run(&["unset", "--vault", "session_duration"]).succeeds();
    let told = "not restored: session_duration of the vault: `3600` in generation 5, nothing now\n\
                vault: hint: vault set --vault session_duration=3600\n";
    case.run(&["restore", "5", "--dry-run"]).succeeds().stderr_has(told);
}

#[test]
fn a_profile_that_is_gone_comes_back_with_its_newest_key_after_asking_aws() {
    let case = Case::with_prod();
    let second = case.sim.add_user(crate::program::ACCOUNT, "bob");
    case.keep_secret("bob's secret key", second.secret_access_key());
    case.vault(&[
        "add",
        "prod",
        "--replace",
        "--access-key-id",
        second.access_key_id(),
        "--secret-stdin",
        "--mfa-serial",
        "none",
    ])
    .stdin(second.secret_access_key())
    .run()
    .succeeds();
    case.run(&["remove", "prod", "--yes"]).succeeds();
    case.sim.clear_requests();
    let key = short(second.access_key_id());
    let told = format!("restored `prod` from generation 2; with access key {key} of generation 3\n");
    case.run(&["restore", "2"]).succeeds().stderr(&told);
    assert_eq!(case.sim.requests().len(), 1);
    assert_eq!(json(&case.run(&["show", "prod", "--json"]))["profile"]["mfa_serial"], json!(case.phone.serial()));
}

#[test]
fn a_key_that_aws_does_not_take_is_not_brought_back_unless_one_insists() {
    let case = with_history();
    case.run(&["remove", "prod", "--yes"]).succeeds();
    case.sim.set_key_status(case.alice.access_key_id(), aws_sim::Status::Inactive);
    let before = fs::read(case.vault_file()).unwrap();
    let refused = case.run(&["restore", "4"]);
    refused.exits(4).stdout("").stderr_has("vault: warning: `prod` is not restored: ");
    refused.stderr_has(&error_and_hint(
        "AWS does not take the access keys of `prod`",
        "`--with-keys` takes those of the generation named; `--no-verify` does not ask AWS",
    ));
    assert_eq!(fs::read(case.vault_file()).unwrap(), before);
    case.run(&["restore", "4", "prod", "--no-verify"]).succeeds();
    assert_eq!(region(&case, "prod"), "us-east-1");
}

#[test]
fn an_older_key_comes_back_by_name_only() {
    let case = Case::with_prod();
    let bob = case.sim.add_user(crate::program::ACCOUNT, "bob");
    case.keep_secret("bob's secret key", bob.secret_access_key());
    let replace =
        ["add", "prod", "--replace", "--access-key-id", bob.access_key_id(), "--secret-stdin", "--mfa-serial", "none"];
    case.vault(&replace).stdin(bob.secret_access_key()).run().succeeds();
    case.run(&["restore", "2", "--with-keys"]).exits(2);
    let key = short(case.alice.access_key_id());
    let told = format!(
        "restored `prod` from generation 2; with access key {key} of generation 2\n  \
         mfa_serial of `prod`, from nothing to `{}`\n",
        case.phone.serial()
    );
    case.run(&["restore", "2", "prod", "--with-keys"]).succeeds().stderr(&told);
    case.login().succeeds();
}

#[test]
fn what_is_not_there_is_named() {
    let case = with_history();
    let hint = "`vault history` lists those that are";
    case.run(&["restore", "99"]).exits(1).stderr(&error_and_hint("generation 99 is not kept beside the vault", hint));
    case.run(&["restore", "3", "prodd"]).exits(1).stderr(&error_and_hint(
        "generation 3 has no profile `prodd`; did you mean `prod`?",
        "`vault history` shows in which generation profiles came and went",
    ));
    let empty = "nothing to restore: generation 1 has no profiles\n";
    case.run(&["restore", "1", "--dry-run"]).succeeds().stderr(empty);
    fs::write(kept(&case).first().unwrap(), "age-encryption.org/v1\n").unwrap();
    let told = error_and_hint("generation 1 can't be read, or is not of this vault", "`vault history` says why");
    case.run(&["restore", "1"]).exits(6).stderr(&told);
    assert!(case.run(&["history"]).succeeds().out.contains("can't be read: the header is damaged"));
}

/// Who writes into the folder and knows a recipient can put a file there that opens.
#[test]
fn a_forged_generation_is_never_restored_from() {
    let case = with_history();
    let other = Case::with_prod();
    let forged = case.vault_file().with_file_name("vault.age.g3-0a1b2c3d");
    for file in kept(&case) {
        if file.to_string_lossy().contains(".g3-") {
            fs::remove_file(file).unwrap();
        }
    }
    // It opens by the same recovery key, being made from the same vault, and is signed by a key of its own.
    other.run(&["set", "prod", "mfa_process=touch /tmp/owned"]).succeeds();
    let recovery = other.given("recovery.txt");
    let new = other.give("new", "another horse battery staple river");
    other
        .vault(&["passwd", "--kdf", "small", "--new-passphrase-file", new.to_str().unwrap()])
        .variable("VAULT_IDENTITY", recovery)
        .run()
        .succeeds();
    other.run(&["set", "prod", "region=eu-north-1"]).succeeds();
    fs::copy(other.vault_file(), &forged).unwrap();
    let told = error_and_hint("generation 3 can't be read, or is not of this vault", "`vault history` says why");
    case.run(&["restore", "3"]).exits(6).stderr(&told);
    assert!(case.run(&["history"]).succeeds().out.contains("can't be read: not signed by this vault"));
}

/// An older one under a greater number would be the newest that has a key.
#[test]
fn a_kept_file_that_is_not_what_its_name_says_is_not_restored_from() {
    let case = with_history();
    let older = kept(&case).into_iter().find(|file| file.to_string_lossy().contains(".g2-")).unwrap();
    let number = older.with_file_name(older.file_name().unwrap().to_str().unwrap().replace(".g2-", ".g900-"));
    let hash = older.with_file_name("vault.age.g3-00000000");
    for file in [&number, &hash] {
        fs::copy(&older, file).unwrap();
    }
    let told = error_and_hint("generation 900 can't be read, or is not of this vault", "`vault history` says why");
    case.run(&["restore", "900"]).exits(6).stderr(&told);
    case.run(&["restore", "3", "prod"]).succeeds().stderr(&region_comes_back(&case));
    assert_eq!(case.run(&["history"]).succeeds().out.matches("can't be read: not what its name says").count(), 2);
}

#[test]
fn restore_never_brings_back_a_recipient_or_a_key_of_the_vault() {
    let case = with_history();
    let usb = case.given("usb.txt");
    case.run(&["recipient", "add", "usb", "--recovery-key", usb.to_str().unwrap()]).succeeds();
    case.keep_secret("the usb key", fs::read_to_string(&usb).unwrap().lines().last().unwrap());
    case.run(&["set", "--vault", "session_duration=1h"]).succeeds();
    let before = json(&case.run(&["status", "--json"]))["fingerprint"].clone();
    case.run(&["restore", "3"]).succeeds();
    let recipients = json(&case.run(&["recipient", "list", "--json"]))["recipients"].clone();
    let names: Vec<_> = recipients.as_array().unwrap().iter().map(|one| one["name"].clone()).collect();
    assert_eq!(names, ["passphrase", "recovery", "usb"], "an older generation does not take a recipient away either");
    assert_eq!(json(&case.run(&["status", "--json"]))["fingerprint"], before);
    case.vault(&["list"]).variable("VAULT_IDENTITY", &usb).run().succeeds();
    case.run(&["recipient", "remove", "usb", "--yes"]).succeeds();
    assert_eq!(kept(&case), Vec::<PathBuf>::new(), "what opens for who was removed is gone");
    case.vault(&["list"]).variable("VAULT_IDENTITY", &usb).run().exits(3);
}
