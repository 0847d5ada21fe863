//! `vault log`.

use std::fs;
use std::path::PathBuf;

use serde_json::json;

use super::error_and_hint;
use crate::program::Case;

const LINES: [&str; 4] = [
    r#"{"time":"2026-01-01T10:00:00Z","act":"issued","profile":"prod","access_key":"MPLE","role":"arn:aws:iam::123456789012:role/admin","caller_pid":4711,"caller":"bash"}"#,
    r#"{"time":"2026-01-01T11:00:00.25Z","act":"key-created","profile":"prod","access_key":"NEWK","caller_pid":4711,"caller":"bash"}"#,
    r#"{"time":"2026-01-02T12:00:00Z","act":"reused","profile":"test","access_key":"TEST","caller_pid":815}"#,
    r#"{"time":"2026-01-02T13:00:00Z","act":"identity-revealed","caller_pid":4711,"caller":"zsh"}"#,
];

const ALL: &str = "\
TIME                 ACT                PROFILE  ACCESS KEY   BY           ROLE
2026-01-01 10:00:00  issued             prod     AKIA...MPLE  bash (4711)  arn:aws:iam::123456789012:role/admin
2026-01-01 11:00:00  key-created        prod     AKIA...NEWK  bash (4711)  -
2026-01-02 12:00:00  reused             test     AKIA...TEST  815          -
2026-01-02 13:00:00  identity-revealed  -        -            zsh (4711)   -
";

fn log_file(case: &Case) -> PathBuf {
    case.home().join(".local/state/vault/log.jsonl")
}

fn write(case: &Case, lines: &[&str]) {
    let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
    case.write(&log_file(case), 0o600, text);
}

fn logged() -> Case {
    let case = Case::new();
    write(&case, &LINES);
    case
}

/// With a log that two saves of the vault have seen: one of two lines, one of three. There is a fourth.
fn marked() -> Case {
    let case = Case::with_prod();
    write(&case, &LINES[..2]);
    case.run(&["set", "prod", "region=eu-central-1"]).succeeds();
    write(&case, &LINES[..3]);
    case.run(&["set", "prod", "region=eu-west-1"]).succeeds();
    write(&case, &LINES);
    case
}

/// The first rows of the table under its headings, as wide as the chosen ones make it.
fn rows(text: &str) -> Vec<Vec<&str>> {
    text.lines().skip(1).map(|line| line.split_whitespace().collect()).collect()
}

#[test]
fn the_log_is_shown_line_by_line_the_newest_last_without_opening_the_vault() {
    let case = logged();
    case.vault(&["log"]).asking().run().succeeds().stdout(ALL).stderr("");
}

#[test]
fn the_times_are_the_persons_own() {
    let run = logged().vault(&["log", "-n", "1"]).variable("TZ", "Asia/Tokyo").run();
    run.succeeds().stdout(
        "TIME                 ACT                PROFILE  ACCESS KEY  BY          ROLE\n\
         2026-01-02 22:00:00  identity-revealed  -        -           zsh (4711)  -\n",
    );
}

#[test]
fn lines_are_chosen_by_time_profile_and_number() {
    let case = logged();
    let acts = |arguments: &[&str]| -> Vec<String> {
        let run = case.run(&[&["log"], arguments].concat());
        rows(&run.succeeds().out).iter().map(|row| row[2].to_owned()).collect()
    };
    assert_eq!(acts(&["--profile", "prod"]), ["issued", "key-created"]);
    assert_eq!(acts(&["--profile", "prod", "--limit", "1"]), ["key-created"]);
    assert_eq!(acts(&["--since", "2026-01-02"]), ["reused", "identity-revealed"]);
    assert_eq!(acts(&["--since", "2026-01-02T12:00:01Z"]), ["identity-revealed"]);
    assert_eq!(acts(&["--since", "365000d"]).len(), 4);
    for nothing in [&["--since", "1h"][..], &["--profile", "other"], &["-n", "0"]] {
        let run = case.run(&[&["log"], nothing].concat());
        run.succeeds().stdout("").stderr("nothing in the log is of that kind\n");
    }
    case.run(&["log", "--since", "yesterday"]).refuses(
        2,
        "it is neither a duration such as 2h or 7d, nor a date such as 2026-11-20, nor a time such as 09:30",
    );
    case.run(&["log", "--verify", "--profile", "prod"]).exits(2);
}

#[test]
fn the_file_that_was_put_aside_comes_first() {
    let case = Case::new();
    write(&case, &LINES[2..]);
    case.write(&log_file(&case).with_extension("jsonl.1"), 0o600, format!("{}\n{}\n", LINES[0], LINES[1]));
    case.run(&["log"]).succeeds().stdout(ALL).stderr("");
}

#[test]
fn as_json_it_is_one_document_with_times_as_they_are_stored() {
    let case = Case::new();
    write(&case, &[LINES[2], "nonsense", LINES[3]]);
    let run = case.run(&["log", "--json"]);
    let document: serde_json::Value = serde_json::from_str(&run.succeeds().stderr("").out).unwrap();
    let expected = json!({
        "version": 1,
        "entries": [
            {
                "time": "2026-01-02T12:00:00Z", "act": "reused", "profile": "test", "access_key": "TEST", "role": null,
                "caller": null, "caller_pid": 815,
            },
            {
                "time": "2026-01-02T13:00:00Z", "act": "identity-revealed", "profile": null, "access_key": null,
                "role": null, "caller": "zsh", "caller_pid": 4711,
            },
        ],
        "damaged": [{ "file": "log.jsonl", "line": 2 }],
    });
    assert_eq!(document, expected);
}

#[test]
fn no_log_is_no_error() {
    let case = Case::new();
    case.run(&["log"]).succeeds().stdout("").stderr("nothing is in the log yet\n");
    assert!(!case.home().join(".local").exists());
}

#[test]
fn a_damaged_line_is_named_and_stops_no_other() {
    let case = Case::new();
    let torn = format!("{}{}", &LINES[0][..40], LINES[2]);
    write(&case, &[LINES[0], LINES[1], &torn, LINES[3]]);
    let warning = "vault: warning: line 3 of log.jsonl is damaged; a power cut does that to the line it falls into\n";
    case.run(&["log"]).succeeds().stdout(ALL).stderr(warning);
    write(&case, &["a", "b", "c", "d", "e", LINES[0]]);
    case.run(&["log"]).succeeds().stderr(
        "vault: warning: line 1 of log.jsonl, line 2 of log.jsonl, line 3 of log.jsonl and 2 more are damaged; a power cut does that to the line it falls into\n",
    );
}

#[test]
fn nothing_in_the_log_acts_on_the_terminal() {
    let case = Case::new();
    let line = r#"{"time":"2026-01-01T10:00:00Z","act":"\u001b[2J","profile":"a\nb","access_key":"\u202e","role":"\u0007","caller_pid":1,"caller":"\u009b31m"}"#;
    write(&case, &[line]);
    let run = case.run(&["log"]);
    let row = rows(&run.succeeds().out)[0].join(" ");
    assert_eq!(row, "2026-01-01 10:00:00 \\u{1b}[2J a\\u{a}b AKIA...\\u{202e} \\u{9b}31m (1) \\u{7}");
    assert!(run.out.chars().all(|c| c == '\n' || !c.is_control()));
}

#[test]
fn what_the_program_did_is_what_is_shown() {
    let case = Case::with_prod();
    case.login().succeeds();
    let run = case.run(&["log", "--since", "5m", "--profile", "prod"]);
    let id = case.alice.access_key_id();
    let rows = rows(&run.succeeds().stderr("").out);
    assert_eq!(rows.len(), 1);
    assert_eq!(rows[0][2..5], ["issued", "prod", &format!("AKIA...{}", &id[id.len() - 4..])]);
    assert!(run.out.contains(&format!("({})", std::process::id())), "{}", run.out);
}

#[test]
fn a_log_that_only_grew_is_intact_as_far_as_the_vault_was_saved() {
    let case = marked();
    let said = case.run(&["log", "--verify"]);
    let saved = said.succeeds().stderr("").out.lines().next_back().unwrap();
    assert_eq!(said.out.lines().next(), Some("the first 3 lines of log.jsonl are as they were"));
    assert!(saved.starts_with("the vault was last saved here on 20"), "{saved}");
    assert!(saved.ends_with("; what is newer is not vouched for"), "{saved}");
    let run = case.run(&["log", "--verify", "--json"]);
    let document: serde_json::Value = serde_json::from_str(&run.succeeds().stderr("").out).unwrap();
    assert_eq!(document["intact"], true);
    assert_eq!(document["covered"], json!([{ "file": "log.jsonl", "lines": 3 }]));
}

#[test]
fn lines_that_were_removed_or_changed_show_after_those_that_are_as_they_were() {
    let intact = "the first 2 lines of log.jsonl are as they were; ";
    for (changed, intact) in [
        (&LINES[1..], ""),
        (&[LINES[0], LINES[2], LINES[3]][..], ""),
        (&[LINES[0], LINES[1], LINES[3]], intact),
        (&LINES[..2], intact),
        (&[], ""),
    ] {
        let case = marked();
        write(&case, changed);
        let run = case.run(&["log", "--verify"]);
        run.refuses(6, &format!("the log was changed: {intact}lines that were written "));
        assert!(run.err.lines().next().unwrap().ends_with(" were removed or changed"), "{}", run.err);
        run.stderr_has("vault: hint: `vault log` shows what is left\n");
        // Another save does not cover it up.
        case.run(&["set", "prod", "region=us-west-2"]).succeeds();
        case.run(&["log", "--verify"]).refuses(6, "the log was changed");
    }
}

#[test]
fn a_log_that_is_gone_shows_too() {
    let case = marked();
    fs::remove_file(log_file(&case)).unwrap();
    case.run(&["log", "--verify"]).refuses(6, "the log was changed: lines that were written before ");
}

#[test]
fn a_line_that_was_damaged_after_the_last_save_is_no_intact_log() {
    let case = marked();
    write(&case, &[LINES[0], LINES[1], LINES[2], "nonsense"]);
    let told = "line 4 of log.jsonl can't be read, and was written after the vault was last saved here";
    let hint = "a power cut does that to the line it falls into; nothing of ours does";
    case.run(&["log", "--verify"]).exits(6).stdout("").stderr(&error_and_hint(told, hint));
    // Once the vault was saved with it, it is a part of what is kept.
    case.run(&["set", "prod", "region=us-west-2"]).succeeds();
    let run = case.run(&["log", "--verify"]);
    run.succeeds().stdout_has("the first 4 lines of log.jsonl are as they were\n");
    run.stderr("vault: warning: line 4 of log.jsonl is damaged; a power cut does that to the line it falls into\n");
}

#[test]
fn where_no_save_has_seen_a_log_that_is_said_and_nothing_is_wrong() {
    let case = Case::with_prod();
    let verified = || {
        let told = "nothing to compare: the vault was not saved on this machine since its log began\n";
        let hint = "vault: hint: each command that saves the vault takes along how the log stands\n";
        case.run(&["log", "--verify"]).succeeds().stdout(told).stderr(hint);
        let run = case.run(&["log", "--verify", "--json"]);
        let document: serde_json::Value = serde_json::from_str(&run.succeeds().stderr("").out).unwrap();
        (document["intact"].clone(), document["as_of"].clone())
    };
    let nothing = (serde_json::Value::Null, serde_json::Value::Null);
    assert_eq!(verified(), nothing);
    write(&case, &LINES);
    assert_eq!(verified(), nothing);
    // A line that can't be read is told all the same.
    write(&case, &[LINES[0], "nonsense"]);
    case.run(&["log", "--verify"]).refuses(6, "line 2 of log.jsonl can't be read");
}

#[test]
fn a_log_that_is_none_of_ours_is_named_with_what_to_do_about_it() {
    let case = Case::with_prod();
    let old = case.home().join(".local/state/vault/log.jsonl.1");
    let huge = fs::File::create(&old).unwrap();
    huge.set_len(20 * 1024 * 1024).unwrap();
    let told = error_and_hint(
        &format!("the log can't be read: {}: larger than 11534336 bytes", old.display()),
        "it is none of ours: move it away; `vault log --verify` then says what it should have held",
    );
    for words in [&["log"][..], &["log", "--verify"]] {
        case.run(words).exits(1).stdout("").stderr(&told);
    }
    fs::remove_file(&old).unwrap();
    case.run(&["log"]).succeeds();
}
