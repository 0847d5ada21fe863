//! A rotation that is unfinished, as its journal tells it: what is shown of it, and what may not be done to its keys meanwhile.

use std::fs;

use aws_sim::Status;
use serde_json::json;
use toml::Table;

use super::{cells, change, rotation};
use crate::commands::{ALICE, error_and_hint, json, short, warning};
use crate::program::{ACCOUNT, Case};

const UNFINISHED: &str = "a rotation of `prod` is unfinished; its keys can't be changed or taken away now";
const FINISH: &str = "finish it first: `vault rotate prod --resume`, or in its grace `vault rotate prod --now --force`";

fn journal(state: &str, more: Table) -> Table {
    let mut journal = Table::new();
    for (key, value) in [("state", state), ("user_arn", ALICE), ("since", "2026-06-01T12:00:00Z")] {
        journal.insert(key.to_owned(), value.into());
    }
    journal.extend(more);
    journal
}

/// A second key of alice's as journals have it: its id and its table.
fn second_key(case: &Case) -> (String, Table) {
    let (id, secret) = case.sim.add_access_key(&case.alice);
    case.keep_secret("the second key's secret", &secret);
    let mut table = Table::new();
    for (key, value) in [("id", id.as_str()), ("secret", &secret), ("added", "2026-05-01T12:00:00Z")] {
        table.insert(key.to_owned(), value.into());
    }
    (id, table)
}

fn put(case: &Case, journal: Table) {
    change(case, "prod", |prod| drop(prod.insert("rotation".into(), journal.into())));
}

/// `prod`, whose old key is to be deleted by then; with the old key's id.
fn retired(until: &str) -> (Case, String) {
    let case = Case::with_prod();
    let old = retire(&case, until);
    (case, old)
}

fn retire(case: &Case, until: &str) -> String {
    let (old, key) = second_key(case);
    case.sim.set_key_status(&old, Status::Inactive);
    let more = Table::from_iter([("until".to_owned(), until.into()), ("old".to_owned(), key.into())]);
    put(case, journal("retired", more));
    old
}

#[test]
fn what_is_pending_is_told_in_words_since_when_and_by_which_command_it_ends() {
    let case = Case::with_prod();
    let (id, key) = second_key(&case);
    let (new, old) = (
        || Table::from_iter([("new".to_owned(), key.clone().into())]),
        || Table::from_iter([("old".to_owned(), key.clone().into())]),
    );
    let until = |time: &str| Table::from_iter([("until".to_owned(), time.into())].into_iter().chain(old()));
    let second = short(&id);
    let resume = "next: vault rotate prod --resume";
    for (journal, told, keys) in [
        (
            journal("intended", Table::new()),
            format!("rotation stopped on 2026-06-01 while a new key was being made; {resume}"),
            json!({"state": "intended", "new_key": null, "old_key": null, "until": null}),
        ),
        (
            journal("created", new()),
            format!("rotation stopped on 2026-06-01 after the new key was saved; {resume}"),
            json!({"state": "created", "new_key": second, "old_key": null, "until": null}),
        ),
        (
            journal("proven", old()),
            format!("new key in use since 2026-06-01, old key {second} not yet retired; {resume}"),
            json!({"state": "proven", "new_key": null, "old_key": second, "until": null}),
        ),
        (
            journal("retired", until("2126-06-02T12:00:00Z")),
            format!("old key {second} is deleted after 2126-06-02"),
            json!({"state": "retired", "new_key": null, "old_key": second, "until": "2126-06-02T12:00:00Z"}),
        ),
        (
            journal("retired", until("2026-06-02T12:00:00Z")),
            format!("old key {second} waits to be deleted since 2026-06-02; {resume}"),
            json!({"state": "retired", "new_key": null, "old_key": second, "until": "2026-06-02T12:00:00Z"}),
        ),
        (
            journal("undoing", old()),
            format!("going back to old key {second} since 2026-06-01; {resume}"),
            json!({"state": "undoing", "new_key": null, "old_key": second, "until": null}),
        ),
    ] {
        put(&case, journal);
        assert_eq!(rotation(&case), told);
        let waits = case.run(&["status", "--due"]);
        waits.exits(if told.contains("2126") { 0 } else { 1 });
        case.run(&["show", "prod"]).succeeds().stdout_has(&format!("\nrotation = {told}\n"));
        let mut expected = keys;
        for (key, value) in [("profile", "prod"), ("since", "2026-06-01T12:00:00Z")] {
            expected[key] = value.into();
        }
        expected["undone"] = false.into();
        assert_eq!(json(&case.run(&["show", "prod", "--json"]))["rotation"], expected);
        assert_eq!(json(&case.run(&["status", "--json"]))["profiles"][0]["rotation"], expected);
    }
}

#[test]
fn a_journal_of_a_later_version_is_told_of_and_kept_from_harm() {
    let case = Case::with_prod();
    put(&case, journal("frozen", Table::from_iter([("thaw".to_owned(), "x".into())])));
    let told = "a newer version of vault has begun a rotation, and has to finish it";
    assert_eq!(rotation(&case), told);
    case.run(&["status", "--due"]).exits(1);
    case.run(&["show", "prod"]).succeeds().stdout_has(&format!("rotation = {told}\n"));
    assert_eq!(
        json(&case.run(&["show", "prod", "--json"]))["rotation"],
        json!({"profile": "prod", "state": "unknown"})
    );
    // It may be about any key of the user.
    let (second, _) = second_key(&case);
    case.login().succeeds();
    for id in [&second, case.alice.access_key_id()] {
        let output = case.run(&["keys", "disable", "prod", id, "--yes"]);
        output.exits(1).stdout("").stderr(&error_and_hint(UNFINISHED, FINISH));
    }
    case.run(&["remove", "prod", "--yes"]).exits(1).stderr(&error_and_hint(UNFINISHED, FINISH));
    let listed = json(&case.run(&["keys", "prod", "--json"]));
    let own = listed["keys"].as_array().unwrap().iter().find(|key| key["profiles"] != json!([])).unwrap();
    assert_eq!(own["rotation"], json!({"profile": "prod", "part": "unknown", "until": null}));
}

#[test]
fn no_report_shows_what_the_journal_holds() {
    let (case, _) = retired("2126-06-02T12:00:00Z");
    // Every output is searched for the secrets that the case knows.
    for words in [
        &["show", "prod"][..],
        &["show", "prod", "--json"],
        &["show", "prod", "--sources"],
        &["show", "prod", "--sources", "--json"],
        &["list"],
        &["list", "--json"],
        &["status"],
        &["status", "--json"],
        &["history"],
        &["history", "--json"],
        &["restore", "1", "--dry-run"],
    ] {
        let output = case.run(words);
        assert!(!output.out.contains("secret") && !output.err.contains("secret"), "{words:?} {}", output.out);
    }
    assert_eq!(case.secrets_left(), [""; 0]);
}

#[test]
fn keys_are_listed_with_their_part_in_a_rotation_and_not_changed_while_it_lasts() {
    let (case, old) = retired("2126-06-02T12:00:00Z");
    case.login().succeeds();
    let own = case.alice.access_key_id().to_owned();
    let rows = cells(case.run(&["keys", "prod"]).succeeds());
    let held = |id: &str| rows.iter().find(|row| row[0] == short(id)).unwrap().last().unwrap().clone();
    assert_eq!(held(&own), "prod");
    assert_eq!(held(&old), "the old key of `prod` until 2126-06-02");
    let listed = json(&case.run(&["keys", "prod", "--json"]));
    let part = |id: &str| {
        let keys = listed["keys"].as_array().unwrap();
        keys.iter().find(|key| key["access_key_id"] == id).unwrap()["rotation"].clone()
    };
    assert_eq!(part(&own), json!({"profile": "prod", "part": "current", "until": null}));
    assert_eq!(part(&old), json!({"profile": "prod", "part": "old", "until": "2126-06-02T12:00:00Z"}));
    case.sim.clear_requests();
    for (action, id) in [("enable", &old), ("delete", &old), ("disable", &own), ("delete", &own)] {
        let output = case.run(&["keys", action, "prod", id, "--yes"]);
        let told =
            format!("the rotation of `prod` is in its grace, and {} is deleted after 2126-06-02 12:00", short(&old));
        let off = short(&old);
        let hint = format!(
            "`vault rotate prod --now --force` deletes {off} now, and then the other key can be changed; \
             `vault rotate prod --undo` takes {off} back instead"
        );
        output.exits(1).stdout("").stderr(&error_and_hint(&told, &hint));
    }
    assert_eq!(case.sim.count("UpdateAccessKey") + case.sim.count("DeleteAccessKey"), 0);
}

#[test]
fn a_profile_whose_rotation_is_unfinished_is_not_removed_or_replaced_and_keeps_its_journal_under_another_name() {
    let (case, _) = retired("2126-06-02T12:00:00Z");
    let before = fs::read(case.vault_file()).unwrap();
    let refused = error_and_hint(UNFINISHED, FINISH);
    case.run(&["remove", "prod", "--yes"]).exits(1).stdout("").stderr(&refused);
    case.run(&["remove", "prod"]).exits(1).stdout("").stderr(&refused);
    let replace = ["add", "prod", "--replace", "--access-key-id", case.alice.access_key_id(), "--secret-stdin"];
    case.vault(&replace).stdin(case.alice.secret_access_key()).run().exits(1).stdout("").stderr(&refused);
    let role =
        ["add", "prod", "--replace", "--role-arn", "arn:aws:iam::123456789012:role/x", "--source-profile", "prod"];
    case.run(&role).exits(1).stdout("").stderr(&refused);
    let bob = case.sim.add_user(ACCOUNT, "bob");
    let credentials = format!(
        "[prod]\naws_access_key_id = {}\naws_secret_access_key = {}\n",
        bob.access_key_id(),
        bob.secret_access_key()
    );
    case.write(&case.credentials(), 0o600, credentials);
    for words in [&["import", "--yes"][..], &["import", "--yes", "--replace"]] {
        let output = case.run(words);
        output.exits(1).stdout_has("conflict: a rotation of it is unfinished");
        output.stderr_has(&format!("a rotation of it is unfinished\nvault: hint: {FINISH}\n"));
    }
    assert!(fs::read(case.vault_file()).unwrap() == before);

    case.run(&["rename", "prod", "main"]).succeeds().stderr("`prod` is now `main`\n");
    case.run(&["show", "main"]).succeeds().stdout_has(" is deleted after 2126-06-02\n");
    case.run(&["remove", "main", "--yes"]).exits(1).stdout("");
}

/// A journal in each of its states, and one of a later version.
fn journals(case: &Case) -> (String, Vec<Table>) {
    let (id, key) = second_key(case);
    let with = |state: &str, name: &str| journal(state, Table::from_iter([(name.to_owned(), key.clone().into())]));
    let mut retired = with("retired", "old");
    retired.insert("until".to_owned(), "2126-06-02T12:00:00Z".into());
    let journals = vec![
        journal("intended", Table::new()),
        with("created", "new"),
        with("proven", "old"),
        retired,
        with("undoing", "old"),
        journal("frozen", Table::new()),
    ];
    (id, journals)
}

fn section(name: &str, id: &str, secret: &str) -> String {
    format!("[{name}]\naws_access_key_id = {id}\naws_secret_access_key = {secret}\n")
}

#[test]
fn in_no_state_of_a_rotation_does_another_key_take_the_place_of_its_keys() {
    let case = Case::with_prod();
    let bob = case.sim.add_user(ACCOUNT, "bob");
    case.keep_secret("bob's secret", bob.secret_access_key());
    let (_, journals) = journals(&case);
    for journal in journals {
        let state = journal["state"].clone();
        put(&case, journal);
        let before = fs::read(case.vault_file()).unwrap();
        let replace = ["add", "prod", "--replace", "--access-key-id", bob.access_key_id(), "--secret-stdin"];
        let add = case.vault(&replace).stdin(bob.secret_access_key()).run();
        add.exits(1).stdout("").stderr(&error_and_hint(UNFINISHED, FINISH));
        case.write(&case.credentials(), 0o600, section("prod", bob.access_key_id(), bob.secret_access_key()));
        let import = case.run(&["import", "--yes", "--replace"]);
        import.exits(1).stderr_has(&format!("a rotation of it is unfinished\nvault: hint: {FINISH}\n"));
        assert!(fs::read(case.vault_file()).unwrap() == before, "{state}");
    }
    fs::remove_file(case.credentials()).unwrap();
    assert_eq!(case.sim.requests(), [], "AWS need not be asked");
}

#[test]
fn a_key_that_the_rotation_of_another_profile_holds_comes_in_with_a_word() {
    let case = Case::with_prod();
    let (id, journals) = journals(&case);
    let secret = case.sim.secret_of(&id).unwrap();
    let key = short(&id);
    let new = format!(
        "{}vault: hint: vault rotate prod --resume\n",
        warning(&format!(
            "{key} of `dev` is the new key of `prod`, whose rotation is unfinished and can't be undone while `dev` has it"
        ))
    );
    let old = format!(
        "{}vault: hint: `vault remove dev`, then `vault rotate prod --resume`\n",
        warning(&format!(
            "{key} of `dev` is the old key of `prod`, whose rotation can't switch it off or delete it while `dev` has it"
        ))
    );
    let words = [None, Some(&new), Some(&old), Some(&old), Some(&old), None];
    for (journal, told) in journals.into_iter().zip(words) {
        let state = journal["state"].clone();
        put(&case, journal);
        let add = ["add", "dev", "--access-key-id", &id, "--secret-stdin", "--mfa-serial", "none"];
        let add = case.vault(&add).stdin(&secret).run();
        case.run(&["remove", "dev", "--yes"]).succeeds();
        case.write(&case.credentials(), 0o600, section("dev", &id, &secret));
        let import = case.run(&["import", "--yes", "--remove"]);
        case.run(&["remove", "dev", "--yes"]).succeeds();
        for output in [add, import] {
            output.succeeds();
            assert_eq!(
                output.err.matches("warning").count() - output.err.matches("copies").count(),
                usize::from(told.is_some())
            );
            assert!(told.is_none_or(|told| output.err.contains(told)), "{state}: {}", output.err);
        }
    }
    // The profile's own key is replaced for both.
    let both = warning("`dev` and `prod` are the same access key; the rotation of `prod` replaces it in both");
    put(&case, journal("intended", Table::new()));
    case.add("dev").succeeds().stderr_has(&both);
}

#[test]
fn restoring_keeps_the_journal_that_stands_and_brings_none_back_beside_it() {
    let case = Case::with_prod();
    case.run(&["set", "prod", "region=us-east-1"]).succeeds();
    retire(&case, "2126-06-02T12:00:00Z");
    case.run(&["set", "prod", "region=eu-central-1"]).succeeds();
    let pending = |name: &str| json(&case.run(&["show", name, "--json"]))["rotation"]["state"].clone();
    // Generation 2 is from before the rotation.
    case.run(&["restore", "2", "prod"]).succeeds();
    assert_eq!(pending("prod"), "retired");
    let forced = case.run(&["restore", "2", "prod", "--with-keys"]);
    forced.exits(1).stdout("").stderr(&error_and_hint(UNFINISHED, FINISH));
    // Under its new name it goes on; the old one would bring back the same journal as it was.
    case.run(&["rename", "prod", "main"]).succeeds();
    let unfinished = UNFINISHED.replace("`prod`", "`main`");
    let finish = FINISH.replace("prod", "main");
    let before = fs::read(case.vault_file()).unwrap();
    case.run(&["restore", "4", "prod"]).exits(1).stdout("").stderr(&error_and_hint(&unfinished, &finish));
    assert!(fs::read(case.vault_file()).unwrap() == before);
    change(&case, "main", |main| drop(main.remove("rotation")));
    case.run(&["restore", "4", "prod"]).succeeds();
    let holder = json(&case.run(&["show", "main", "--json"]))["rotation"]["profile"].clone();
    assert_eq!((pending("prod"), holder), (json!("retired"), json!("prod")), "of the key that both have");
}
