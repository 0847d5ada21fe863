//! Many programs on one vault at the same time.

use std::fs;

use super::{VAULT, json, written};
use crate::program::{Case, Running};

const WRITERS: u64 = 8;
const SAVES: u64 = 20;

/// Saves one number after the other in a profile of its own, as a script would.
fn writer(case: &Case, number: u64) -> Running<'_> {
    let script = "for i in $(seq \"$2\"); do \"$0\" set \"$1\" duration_seconds=$((3600 + i)) || exit; done";
    let arguments = ["-c", script, VAULT, &format!("writer{number}"), &SAVES.to_string()];
    case.command("sh", &arguments).variable("VAULT_IDENTITY", case.given("recovery.txt")).start()
}

fn generation(case: &Case) -> u64 {
    json(&case.run(&["status", "--json"]))["generation"].as_u64().unwrap()
}

#[test]
fn eight_writers_at_once_lose_nothing_and_a_reader_beside_them_never_sees_a_rollback() {
    let case = Case::with_vault();
    for number in 0..WRITERS {
        case.add(&format!("writer{number}")).succeeds();
    }
    let before = generation(&case);
    let last = before + WRITERS * SAVES;

    let writers: Vec<Running> = (0..WRITERS).map(|number| writer(&case, number)).collect();
    let mut seen = vec![before];
    // A writer that fails is told of below; then the last generation never comes.
    while seen[seen.len() - 1] < last && seen.len() < 2000 {
        seen.push(generation(&case));
    }
    for writer in writers {
        writer.finish().succeeds();
    }
    assert!(seen.is_sorted(), "an older state after a newer: {seen:?}");
    assert!(
        seen.iter().any(|generation| (before + 1..last).contains(generation)),
        "read only before or after: {seen:?}"
    );
    assert_eq!(generation(&case), last, "every save is a generation");
    for number in 0..WRITERS {
        let duration = format!("duration_seconds = {}\n", 3600 + SAVES);
        case.run(&["show", &format!("writer{number}")]).succeeds().stdout_has(&duration);
    }
    every_kept_generation_is_what_its_name_says(&case, last);
}

fn every_kept_generation_is_what_its_name_says(case: &Case, last: u64) {
    let history = json(&case.run(&["history", "--json"]))["generations"].clone();
    let opened = |number: u64| {
        let mut generations = history.as_array().unwrap().iter();
        generations.any(|one| one["generation"] == number && one["error"].is_null())
    };
    let mut kept = Vec::new();
    for entry in fs::read_dir(case.vault_file().parent().unwrap()).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        assert!(!name.ends_with(".tmp"), "{name} was left");
        let Some(rest) = name.strip_prefix("vault.age.g") else { continue };
        let number: u64 = rest.split_once('-').unwrap().0.parse().unwrap();
        assert!(opened(number), "{name} does not open: {history}");
        kept.push(number);
    }
    kept.sort_unstable();
    assert_eq!(kept, (last - 10..last).collect::<Vec<_>>());
}

/// Each renews its own section again and again, in the same file.
#[test]
fn eight_logins_at_once_leave_eight_sections_and_all_that_others_wrote() {
    let case = Case::with_prod();
    let theirs = "# mine\r\n[theirs]\r\nregion = eu-west-1\r\ns3 =\r\n  max_concurrent_requests = 20\r\n";
    case.write(&case.credentials(), 0o600, theirs);
    let script = "for i in $(seq 20); do \"$0\" login prod --no-mfa --force --profile \"$1\" || exit; done";
    let started = |number: u64| {
        let arguments = ["-c", script, VAULT, &format!("section{number}")];
        case.command("sh", &arguments).variable("VAULT_IDENTITY", case.given("recovery.txt")).start()
    };
    let logins: Vec<Running> = (0..WRITERS).map(started).collect();
    for login in logins {
        login.finish().succeeds();
    }
    let text = fs::read_to_string(case.credentials()).unwrap();
    assert!(text.starts_with(theirs), "{text}");
    for number in 0..WRITERS {
        let name = format!("section{number}");
        assert_eq!(text.matches(&format!("[{name}]")).count(), 1, "{text}");
        assert!(case.sim.session(&written(&case, &name, "aws_access_key_id")).is_some());
    }
    let files = fs::read_dir(case.credentials().parent().unwrap()).unwrap().count();
    assert_eq!(files, 2, "the file and its lock");
}
