//! What it says of variables.

use super::{doctor, error, said_of, says, told};
use crate::commands::error_and_hint;
use crate::program::Case;

#[test]
fn variables_that_go_before_a_profile_are_a_problem_unless_they_are_a_session_of_ours() {
    let case = Case::with_prod();
    case.login().succeeds();
    let with_keys = |more: Option<&str>| {
        let run = case.vault(&["doctor", "prod", "--offline"]);
        let run = run.variable("AWS_ACCESS_KEY_ID", "ASIAX").variable("AWS_SECRET_ACCESS_KEY", "s");
        more.into_iter().fold(run, |run, ours| run.variable("AWS_VAULT", ours)).run()
    };
    let foreign = with_keys(None);
    foreign.exits(1);
    says(
        &foreign,
        "problem  environment  AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY set: AWS tools use that before a profile",
    );
    says(
        &foreign,
        "note     profile      `prod` counts only where a tool is told `--profile prod`: keys in variables go before AWS_PROFILE",
    );
    with_keys(Some("prod")).succeeds();
}

#[test]
fn an_endpoint_is_shown_as_it_was_read_and_what_is_none_without_its_password() {
    let case = Case::with_prod();
    let name = "AWS_ENDPOINT_URL_STS";
    let run = |value: &str| case.vault(&["doctor", "--json"]).variable(name, value);
    let last = |value: &str| said_of(&run(value).run(), "environment").pop().unwrap();
    assert_eq!(
        last("https://sts.eu-west-1.amazonaws.com/"),
        told("note", &format!("{name}=https://sts.eu-west-1.amazonaws.com"), None)
    );
    for (value, why) in [
        ("https://alice:hunter2@sts.example.com", "an endpoint must not hold a user name or password"),
        ("http://sts.example.com", "`http://sts.example.com` is plain http to another machine"),
    ] {
        let ran = run(value).run();
        ran.exits(1).stderr(&error("one problem was found"));
        let next = format!("`unset {name}`");
        assert_eq!(said_of(&ran, "environment").pop(), Some(told("problem", &format!("{name}: {why}"), Some(&next))));
        assert_eq!(said_of(&ran, "clock"), [told("note", "AWS was not asked: a variable leads to no endpoint", None)]);
        assert!(!ran.out.contains("hunter2"), "{}", ran.out);
    }
    let ignored = doctor(&case, &[]).variable(name, "https://alice:hunter2@sts.example.com");
    let ignored = ignored.variable("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "true").run();
    assert_eq!(
        said_of(&ignored, "environment").pop(),
        Some(told("note", &format!("{name}, which AWS_IGNORE_CONFIGURED_ENDPOINT_URLS has passed over"), None))
    );
}

#[test]
fn a_secret_in_the_place_of_its_files_path_is_shown_nowhere() {
    let case = Case::with_prod();
    let identity = case.recovery_identity();
    let lower = identity.expose().to_lowercase();
    case.keep_secret("the recovery key in lower case", &lower);
    let next = "write the secret into a file of yours alone (`chmod 600 FILE`), and give that file's path";
    for (variable, secret) in [
        ("VAULT_IDENTITY", identity.expose()),
        ("VAULT_IDENTITY", &lower),
        ("VAULT_PASSPHRASE_FILE", crate::program::PASSPHRASE),
        ("VAULT_PASSPHRASE_FILE", identity.expose()),
    ] {
        let run =
            |words: &[&str]| case.vault(words).without_variable("VAULT_IDENTITY").variable(variable, secret).run();
        let message = format!("{variable} leads to no file; it is not shown, since it may be the secret itself");
        run(&["list"]).exits(3).stdout("").stderr(&error_and_hint(&message, next));
        let ran = run(&["doctor", "--offline", "--json"]);
        let found = told("problem", &message, Some(&format!("`unset {variable}`, or {next}")));
        assert!(said_of(&ran, "environment").contains(&found), "{}", ran.out);
        ran.exits(1).stderr(&error("one problem was found"));
        run(&["doctor", "--offline"]).exits(1);
    }
    // In a command line it is there to be seen; the answer does not spread it.
    let other = "AGE-SECRET-KEY-1NOBODYSOWNIDENTITY";
    let typed = case.vault(&["list", "--identity", other]).run();
    let message = "an age identity was given where the path of its file belongs";
    typed.exits(3).stdout("").stderr(&error_and_hint(message, next));
    for words in [&["list", "--passphrase-file"][..], &["import", "--vault"], &["list", "--expect-fingerprint"]] {
        let ran = case.vault(&[words, &[other]].concat()).run();
        assert!(!ran.err.contains("NOBODY"), "{}", ran.err);
        assert!(ran.err.contains("AGE-SECRET-KEY-1...") || ran.err.contains(message), "{}", ran.err);
    }
    let file = case.vault(&["doctor", "--offline"]).variable("VAULT_FILE", format!("/{}", identity.expose())).run();
    assert!(file.exits(1).out.contains("VAULT_FILE=/AGE-SECRET-KEY-1...\n"), "{}", file.out);
}

#[test]
fn every_variable_of_ours_is_shown_and_a_fingerprint_only_if_it_is_one() {
    let case = Case::with_prod();
    let shown = crate::commands::json(&case.run(&["status", "--json"]))["fingerprint"].as_str().unwrap().to_owned();
    let of_it = |value: &str| {
        let run = doctor(&case, &[]).without_variable("VAULT_NO_AGENT").variable("VAULT_FINGERPRINT", value).run();
        let said = said_of(&run, "environment");
        said.into_iter().find(|(_, found, _)| found.starts_with("VAULT_FINGERPRINT")).unwrap()
    };
    assert_eq!(of_it(&shown), told("note", &format!("VAULT_FINGERPRINT={shown}"), None));
    let found = "VAULT_FINGERPRINT: a fingerprint is 32 letters and digits 2 to 7, in groups of four";
    assert_eq!(of_it("hunter2"), told("problem", found, Some("`unset VAULT_FINGERPRINT`")));
}
