//! `vault add`: where a key can come from, and that nothing is stored unless AWS knows it.

mod age;
mod sources;

use std::fs;

use aws_sim::Status;

use super::{ALICE, PHONE, error, error_and_hint, json, screen, short, warning};
use crate::program::{ACCOUNT, Case, PASSPHRASE, files_below};

const PROMPT_SECRET: &str = "Secret access key of ";

/// What is said of alice's key, whatever its source.
fn added(case: &Case, name: &str) -> String {
    let key = short(case.alice.access_key_id());
    format!("added `{name}`: access key {key}, alice in account {ACCOUNT}, MFA device {PHONE}\n")
}

fn next(name: &str) -> String {
    format!("next: vault login {name}\n")
}

fn profile(case: &Case, name: &str) -> serde_json::Value {
    json(&case.run(&["show", name, "--json"]))["profile"].clone()
}

/// The vault has the whole key: AWS takes what it signs.
fn works(case: &Case, name: &str) {
    case.run(&["login", name, "--no-export", "--mfa-code", &case.phone.code()]).succeeds();
}

#[test]
fn a_typed_key_is_checked_and_stored_and_its_secret_never_shows() {
    let case = Case::with_vault();
    let mut terminal = case.vault(&["add", "prod"]).on_terminal();
    terminal.expect("Access key id for prod: ").type_line("what was that");
    terminal.expect("That is not an access key id; it looks like AKIA and 16 more characters.\r\n");
    terminal.expect("Access key id for prod: ").type_line(case.alice.access_key_id());
    let prompt = format!("{PROMPT_SECRET}{}: ", short(case.alice.access_key_id()));
    terminal
        .expect(&prompt)
        .type_line("too short")
        .expect("That is not a secret access key; it is 40 characters long.\r\n");
    terminal.expect(&prompt).type_line(case.alice.secret_access_key());
    let (output, echoes) = terminal.finish();
    output.succeeds();
    assert!(echoes && !output.screen.contains("too short"), "{}", output.screen);
    assert!(screen(&output).ends_with(&format!("{}{}", added(&case, "prod"), next("prod"))), "{}", output.screen);
    works(&case, "prod");
}

#[test]
fn a_key_from_a_pipe_is_stored_with_who_it_belongs_to() {
    let case = Case::with_vault();
    case.add("prod").succeeds().stdout("").stderr(&format!("{}{}", added(&case, "prod"), next("prod")));
    let profile = profile(&case, "prod");
    assert_eq!(profile["access_key"], case.alice.access_key_id());
    assert_eq!((&profile["user_arn"], &profile["mfa_serial"]), (&ALICE.into(), &PHONE.into()));
    assert_eq!(profile["endpoint"], case.sim.endpoint());
    assert!(profile["verified"].is_string());
    works(&case, "prod");
}

#[test]
fn the_calls_about_a_new_key_are_three_and_signed_by_it() {
    let case = Case::with_vault();
    case.add("prod").succeeds();
    let requests = case.sim.requests();
    let [identity, devices, keys] = &requests[..] else { panic!("{requests:#?}") };
    assert_eq!((&*identity.action, &*devices.action), ("GetCallerIdentity", "ListMFADevices"));
    assert_eq!(devices.parameter("UserName"), Some("alice"));
    assert_eq!((&*keys.action, keys.parameter("UserName")), ("ListAccessKeys", None));
    for request in &requests {
        assert!(request.succeeded() && request.access_key_id.as_deref() == Some(case.alice.access_key_id()));
        assert_eq!(request.region, "us-east-1", "where nobody names a region");
    }
}

#[test]
fn a_temporary_key_is_not_for_the_vault() {
    let case = Case::with_vault();
    let arguments = ["add", "prod", "--access-key-id", "ASIAIOSFODNN7EXAMPLE", "--secret-stdin"];
    let refused = case.vault(&arguments).stdin("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY").run();
    refused.exits(1).stdout("").stderr(&error_and_hint(
        "ASIA...MPLE belongs to a session; the vault keeps long-term keys",
        "make an access key in the AWS console (IAM, Security credentials); its id starts with AKIA",
    ));
    assert_eq!(case.sim.requests(), []);
}

#[test]
fn a_key_that_aws_does_not_take_is_not_stored() {
    let case = Case::with_vault();
    let before = fs::read(case.vault_file()).unwrap();
    let id = case.alice.access_key_id();
    let add = |id: &str, secret: &str| {
        case.vault(&["add", "prod", "--access-key-id", id, "--secret-stdin"]).stdin(secret).run()
    };
    let wrong = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
    case.keep_secret("the wrong secret", wrong);
    let told = error(&format!("the secret does not belong to {}; nothing was stored", short(id)));
    add(id, wrong).exits(4).stdout("").stderr(&told);
    let unknown = |id: &str| {
        let message = format!("AWS does not know the access key {}, or it is inactive; nothing was stored", short(id));
        error_and_hint(&message, "a key made in the last minute may need another try")
    };
    add("AKIAIOSFODNN7EXAMPLE", wrong).exits(4).stdout("").stderr(&unknown("AKIAIOSFODNN7EXAMPLE"));
    case.sim.set_key_status(id, Status::Inactive);
    add(id, case.alice.secret_access_key()).exits(4).stdout("").stderr(&unknown(id));
    assert_eq!(fs::read(case.vault_file()).unwrap(), before);
}

#[test]
fn what_can_not_be_a_secret_is_not_sent_and_not_repeated() {
    let case = Case::with_vault();
    let hint = "it is 40 characters long, without blanks";
    for bad in ["", "short", "wJalrXUtnFEMI K7MDENG/bPxRfiCYEXAMPLEKEY"] {
        let arguments = ["add", "prod", "--access-key-id", case.alice.access_key_id(), "--secret-stdin"];
        let refused = case.vault(&arguments).stdin(bad).run();
        refused.exits(2).stdout("").stderr(&error_and_hint("that is not a secret access key", hint));
    }
    assert_eq!(case.sim.requests(), []);
}

#[test]
fn a_key_can_be_stored_unchecked() {
    let case = Case::with_vault();
    let id = case.alice.access_key_id();
    let arguments = ["add", "prod", "--access-key-id", id, "--secret-stdin", "--no-verify", "--mfa-serial", PHONE];
    let told =
        format!("added `prod`: access key {}, not checked with AWS, MFA device {PHONE}\n{}", short(id), next("prod"));
    case.vault(&arguments).stdin(case.alice.secret_access_key()).run().succeeds().stdout("").stderr(&told);
    assert_eq!(case.sim.requests(), []);
    assert_eq!(profile(&case, "prod")["verified"], serde_json::Value::Null);
    works(&case, "prod");
}

#[test]
fn a_name_that_is_taken_stays_unless_replacing_is_asked_for() {
    let case = Case::with_prod();
    case.run(&["set", "prod", "region=eu-central-1"]).succeeds();
    let before = fs::read(case.vault_file()).unwrap();
    let told = error_and_hint("there is a profile `prod` already", "another name, or `vault add prod --replace`");
    case.add("prod").exits(1).stdout("").stderr(&told);
    assert_eq!(fs::read(case.vault_file()).unwrap(), before);
    assert_eq!(case.sim.requests(), [], "that is known before AWS is asked");

    let (id, secret) = case.sim.add_access_key(&case.alice);
    case.keep_secret("the second key", &secret);
    let replace = case.vault(&["add", "prod", "--access-key-id", &id, "--secret-stdin", "--replace"]).stdin(&secret);
    replace.run().succeeds();
    let profile = profile(&case, "prod");
    assert_eq!((&profile["access_key"], &profile["region"]), (&id.into(), &serde_json::Value::Null));
}

#[test]
fn the_first_add_makes_the_vault() {
    let case = Case::new();
    let id = case.alice.access_key_id();
    let arguments = ["add", "prod", "--access-key-id", id, "--secret-stdin", "--kdf", "small", "--no-recovery"];
    let told = format!(
        "there is no vault yet; making ~/.local/share/vault/vault.age\nmade the vault ~/.local/share/vault/vault.age\n{}{}",
        added(&case, "prod"),
        next("prod")
    );
    case.vault(&arguments).stdin(case.alice.secret_access_key()).run().succeeds().stdout("").stderr(&told);
    works(&case, "prod");
}

#[test]
fn a_person_can_start_with_add() {
    let case = Case::new();
    let mut terminal = case.vault(&["add", "prod", "--kdf", "small", "--no-recovery"]).asking().on_terminal();
    terminal.expect("there is no vault yet; making ~/.local/share/vault/vault.age\r\n");
    terminal.expect("New passphrase: ").type_line(PASSPHRASE).expect("The same again: ").type_line(PASSPHRASE);
    terminal.expect("Access key id for prod: ").type_line(case.alice.access_key_id());
    terminal.expect(PROMPT_SECRET).type_line(case.alice.secret_access_key());
    let (output, echoes) = terminal.finish();
    output.succeeds();
    assert!(echoes && screen(&output).ends_with(&next("prod")), "{}", output.screen);
    works(&case, "prod");
}

#[test]
fn variables_that_would_win_over_every_profile_are_warned_of_only_where_they_are() {
    let case = Case::with_vault();
    case.add("quiet").succeeds().stderr(&format!("{}{}", added(&case, "quiet"), next("quiet")));
    let arguments = ["add", "prod", "--access-key-id", case.alice.access_key_id(), "--secret-stdin"];
    let add = case.vault(&arguments).stdin(case.alice.secret_access_key()).variable("AWS_SESSION_TOKEN", "left over");
    let told = format!(
        "{}vault: hint: unset AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN\n{}{}",
        warning("AWS_SESSION_TOKEN set in this shell; AWS tools use that before any profile"),
        added(&case, "prod"),
        next("prod")
    );
    add.run().succeeds().stderr(&told);
}

#[test]
fn a_role_profile_needs_no_call_and_leads_to_a_key() {
    let case = Case::with_prod();
    let role = "arn:aws:iam::123456789012:role/admin";
    let add = |name: &str, source: &str| case.run(&["add", name, "--role-arn", role, "--source-profile", source]);
    add("admin", "prod").succeeds().stdout("").stderr("added `admin`, a role profile\nnext: vault login admin\n");
    assert_eq!(profile(&case, "admin"), serde_json::json!({"role_arn": role, "source_profile": "prod"}));
    let external = ["add", "x", "--role-arn", role, "--source-profile", "prod", "--external-id", "x-1"];
    case.run(&external).succeeds();
    assert_eq!(profile(&case, "x")["external_id"], "x-1");
    add("lost", "nowhere").exits(1).stdout("").stderr(&error_and_hint(
        "no profile named `nowhere`, which `lost` has as its source_profile",
        "`vault add nowhere` adds it",
    ));
    add("self", "self").exits(1).stderr(&error("these profiles are each other's source_profile: self -> self"));
    case.run(&["show", "lost"]).exits(1);
    assert_eq!(case.sim.requests(), []);
}

#[test]
fn a_command_line_that_makes_no_sense_is_refused_before_the_vault_is_opened() {
    let case = Case::with_vault();
    for (arguments, part) in [
        (&["add"][..], "the following required arguments were not provided:\n  <NAME>"),
        (&["add", "-x"], "there is no option `-x`\nvault: hint: `vault help add` names those that there are\n"),
        (&["add", "x", "--from-cvs", "f"], "there is no option `--from-cvs`; did you mean `--from-csv`?\n"),
        (&["login", "--all"], "there is no option `--all`\n"),
        (&["mfa", "remove", "--foo"], "vault: hint: `vault help mfa remove` names those that there are\n"),
        (&["keys", "prod", "disable"], "`disable` comes before the name\nvault: hint: vault keys disable NAME\n"),
        (&["restore", "prod"], "`prod` is no number of a generation; `vault history` lists them"),
        (&["set", "region=eu-west-1"], "say `vault set NAME region=eu-west-1` for a profile"),
        (&["set", "prod", "region", "eu-west-1"], "`region` is not KEY=VALUE, such as region=eu-central-1"),
        (&["add", "a b"], "`a b` is not a profile name"),
        (&["add", "x", "--secret-stdin"], "--access-key-id <ID>"),
        (&["add", "x", "--from-env", "--from-csv", "f"], "does not go together with"),
        (&["add", "x", "--role-arn", "arn:aws:iam::123456789012:role/r"], "--source-profile <NAME>"),
        (&["add", "x", "--role-arn", "admin", "--source-profile", "p"], "`admin` is not a role ARN such as"),
        (
            &["add", "x", "--mfa-serial", "arn:aws:iam::123456789012:user/alice"],
            "did you mean `arn:aws:iam::123456789012:mfa/alice`?",
        ),
        (
            &["add", "x", "--mfa-serial", "arn:aws:iam::123456789012:u2f/user/alice/k-1"],
            "is a FIDO security key, and AWS takes no codes from those",
        ),
        (&["add", "x", "--duration", "899"], "AWS takes durations of 15m to 36h (900 to 129600 seconds), not `899`"),
    ] {
        let output = case.vault(arguments).asking().run();
        output.exits(2).stdout("").stderr_has(part);
        assert!(output.err.starts_with("vault: error: "), "{}", output.err);
    }
}

#[test]
fn a_stored_secret_is_in_no_file_but_the_vault() {
    let case = Case::with_prod();
    works(&case, "prod");
    // The case searches every file for it at its end; here only that there were files to search.
    assert!(files_below(&case.home()).len() > 3);
}

#[test]
fn without_a_terminal_the_sources_of_a_key_are_named() {
    let case = Case::with_vault();
    case.run(&["add", "prod"]).exits(8).stdout("").stderr(&error_and_hint(
        "there is no terminal to ask for the access key",
        "pass `--access-key-id ID --secret-stdin`, `--from-env`, `--from-csv FILE` or `--from-profile NAME`",
    ));
}

#[test]
fn one_standard_input_can_not_be_the_passphrase_and_the_secret() {
    let case = Case::with_vault();
    let arguments =
        ["add", "prod", "--access-key-id", "AKIAIOSFODNN7EXAMPLE", "--secret-stdin", "--passphrase-fd", "0"];
    let output = case.vault(&arguments).asking().stdin(PASSPHRASE).run();
    assert!(output.exits(2).stdout("").err.starts_with("vault: error: "), "{}", output.err);
}

#[test]
fn two_first_adds_at_once_make_one_vault_with_both_profiles() {
    let case = Case::new();
    let passphrase = case.give("passphrase", PASSPHRASE);
    let add = |name: &str, recovery: &str| {
        let words = ["add", name, "--kdf", "small", "--no-verify", "--mfa-serial", "none", "--secret-stdin"];
        let key = ["--access-key-id", case.alice.access_key_id(), "--recovery-key", recovery];
        let add = case.vault(&[&words[..], &key].concat()).asking();
        add.variable("VAULT_PASSPHRASE_FILE", &passphrase).stdin(case.alice.secret_access_key()).start()
    };
    let keys = ["one.txt", "two.txt"].map(|name| case.given(name).display().to_string());
    let (one, two) = (add("one", &keys[0]), add("two", &keys[1]));
    one.finish().succeeds();
    two.finish().succeeds();
    let opening: Vec<_> = keys.iter().filter(|key| std::path::Path::new(key).exists()).collect();
    assert_eq!(opening.len(), 1, "one vault has one recovery key");
    let list = case.vault(&["list", "--identity", opening[0]]).asking().run();
    list.succeeds().stdout_has("one").stdout_has("two");
}

#[test]
fn no_umask_keeps_us_from_our_own_files() {
    let case = Case::new();
    let passphrase = case.give("passphrase", PASSPHRASE);
    let init = "umask 777; exec \"$0\" init --kdf small --no-recovery";
    let made = case.command("sh", &["-c", init, super::VAULT]).variable("VAULT_PASSPHRASE_FILE", passphrase).run();
    made.succeeds();
    assert_eq!(super::mode(&case.vault_file()), 0o600);
    assert_eq!(super::mode(case.vault_file().parent().unwrap()), 0o700);
    are_open_to_us(&case);
}

/// A lock or a log that is closed to us would be in the way the next time.
#[track_caller]
fn are_open_to_us(case: &Case) {
    for file in files_below(&case.home()) {
        assert_eq!(super::mode(&file) & 0o600, 0o600, "{}", file.display());
    }
}

#[test]
fn no_umask_closes_log_session_or_credentials_to_us() {
    let case = Case::with_prod();
    let log = case.home().join(".local/state/vault/log.jsonl");
    assert!(!log.exists(), "what is there is open to us already");
    let login = "umask 277; exec \"$0\" login prod --no-mfa";
    let login = case.command("sh", &["-c", login, super::VAULT]);
    login.variable("VAULT_PASSPHRASE_FILE", case.given("passphrase")).run().succeeds();
    assert!(log.exists());
    assert!(case.credentials().exists());
    are_open_to_us(&case);
}
