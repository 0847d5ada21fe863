//! `vault add`: where a key can come from, and that nothing is stored unless AWS knows it.

use std::fs;
use std::time::Duration;

use aws_sim::{Failure, Kind, Status};

use super::{ALICE, PHONE, error, error_and_hint, json, screen, short, warning};
use crate::program::{ACCOUNT, Case, Output, PASSPHRASE, files_below};

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

fn console_csv(case: &Case) -> String {
    format!("Access key ID,Secret access key\r\n{},{}\r\n", case.alice.access_key_id(), case.alice.secret_access_key())
}

fn from_csv(case: &Case, content: impl AsRef<[u8]>) -> (String, Output) {
    let path = case.give("alice_accessKeys.csv", content).to_str().unwrap().to_owned();
    let output = case.run(&["add", "prod", "--from-csv", &path]);
    (path, output)
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

const AGE: Duration = Duration::from_secs(400 * 86_400);

/// The line of `prod` in the table of `status`: the age of its key, and when that is due.
fn age_and_due(case: &Case) -> (String, String) {
    let status = case.run(&["status"]);
    let line = status.succeeds().out.lines().find(|line| line.starts_with("prod ")).unwrap().to_owned();
    let cells: Vec<&str> = line.split("  ").map(str::trim).filter(|cell| !cell.is_empty()).collect();
    (cells[2].to_owned(), cells[4].to_owned())
}

#[test]
fn a_key_that_is_added_is_as_old_as_aws_says_and_due_by_that() {
    let case = Case::with_vault();
    case.sim.age_key(case.alice.access_key_id(), AGE);
    case.add("prod").succeeds();
    case.run(&["set", "--vault", "rotate_every=90d"]).succeeds();
    assert_eq!(age_and_due(&case), ("400 d".to_owned(), "overdue by 310 d".to_owned()));
    case.run(&["status", "--due"]).exits(1).stderr_has("due: the access keys of `prod`");

    // Also of the key that takes its place.
    let (id, secret) = case.sim.add_access_key(&case.alice);
    case.sim.age_key(&id, AGE / 100);
    case.keep_secret("the second key", &secret);
    let replace = case.vault(&["add", "prod", "--access-key-id", &id, "--secret-stdin", "--replace"]).stdin(&secret);
    replace.run().succeeds();
    assert_eq!(age_and_due(&case), ("4 d".to_owned(), "due in 85 d 23 h".to_owned()));
}

#[test]
fn a_root_users_key_is_as_old_as_aws_says_too() {
    let case = Case::with_vault();
    let root = case.sim.add_root(ACCOUNT);
    case.sim.age_key(root.access_key_id(), AGE);
    case.keep_secret("the root user's key", root.secret_access_key());
    let add = case.vault(&["add", "prod", "--access-key-id", root.access_key_id(), "--secret-stdin"]);
    add.stdin(root.secret_access_key()).run().succeeds();
    assert_eq!(age_and_due(&case).0, "400 d");
}

#[test]
fn a_key_whose_age_aws_does_not_tell_is_added_without_a_word_and_may_be_older_than_it_looks() {
    type Trouble = fn(&Case);
    let mfa_needed: Trouble = |case| case.sim.require_mfa_for(&case.alice, &["iam:ListAccessKeys"], None);
    let denied: Trouble = |case| case.sim.deny(&case.alice, "iam:ListAccessKeys");
    let cut: Trouble = |case| case.sim.fail(Failure::on("ListAccessKeys").kind(Kind::BeforeSend).lasting());
    let silent: Trouble = |case| {
        let later = Kind::Delay(Duration::from_secs(60));
        case.sim.fail(Failure::on("ListAccessKeys").kind(later).lasting());
    };
    for trouble in [mfa_needed, denied, cut, silent] {
        let case = Case::with_vault();
        case.sim.age_key(case.alice.access_key_id(), AGE);
        trouble(&case);
        case.add("prod").succeeds().stdout("").stderr(&format!("{}{}", added(&case, "prod"), next("prod")));
        case.run(&["set", "--vault", "rotate_every=90d"]).succeeds();
        let (age, due) = age_and_due(&case);
        assert!(age.starts_with("at least ") && due.starts_with("due in 89 d 23 h"), "{age}, {due}");
        assert_eq!(profile(&case, "prod")["created"], serde_json::Value::Null);
    }
}

#[test]
fn a_key_that_comes_unchecked_is_not_asked_for_its_age() {
    let case = Case::with_vault();
    let id = case.alice.access_key_id();
    let add = case.vault(&["add", "prod", "--access-key-id", id, "--secret-stdin", "--no-verify"]);
    add.stdin(case.alice.secret_access_key()).run().succeeds();
    assert_eq!(case.sim.requests(), []);
    assert!(age_and_due(&case).0.starts_with("at least "));
}

#[test]
fn a_key_can_come_from_the_environment() {
    let case = Case::with_vault();
    let add = case.vault(&["add", "prod", "--from-env"]);
    let add = add.variable("AWS_ACCESS_KEY_ID", case.alice.access_key_id());
    let told = format!(
        "{}vault: hint: unset AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN\n{}{}",
        warning("AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY set in this shell; AWS tools use that before any profile"),
        added(&case, "prod"),
        next("prod")
    );
    add.variable("AWS_SECRET_ACCESS_KEY", case.alice.secret_access_key()).run().succeeds().stdout("").stderr(&told);
    works(&case, "prod");
}

#[test]
fn an_environment_that_holds_no_long_term_key_is_refused() {
    let case = Case::with_vault();
    let add = || case.vault(&["add", "prod", "--from-env"]);
    let missing = |name: &str| error_and_hint(&format!("{name} is not set"), "export it, or leave out --from-env");
    add().run().exits(2).stderr(&missing("AWS_ACCESS_KEY_ID"));
    let half = add().variable("AWS_ACCESS_KEY_ID", case.alice.access_key_id());
    half.run().exits(2).stderr(&missing("AWS_SECRET_ACCESS_KEY"));
    let session = add().variable("AWS_SESSION_TOKEN", "t").variable("AWS_ACCESS_KEY_ID", case.alice.access_key_id());
    session.run().exits(1).stderr(&error_and_hint(
        "AWS_SESSION_TOKEN is set: these variables hold a session, not a long-term key",
        "unset it if the other two are a long-term key",
    ));
    // The pair the wrong way round: nothing of it is shown.
    let wrong = add().variable("AWS_ACCESS_KEY_ID", case.alice.secret_access_key());
    let told = "AWS_ACCESS_KEY_ID: that is not an access key id; it looks like AKIA and 16 more characters";
    wrong.variable("AWS_SECRET_ACCESS_KEY", case.alice.access_key_id()).run().exits(2).stderr(&error(told));
    assert_eq!(case.sim.requests(), []);
}

#[test]
fn the_consoles_csv_is_read_in_every_layout_it_ever_had() {
    let case = Case::with_vault();
    let (id, secret) = (case.alice.access_key_id(), case.alice.secret_access_key());
    let layouts = [
        console_csv(&case),
        format!("\u{feff}{}", console_csv(&case)),
        format!("Access key ID,Secret access key\n{id},{secret}"),
        format!(
            "User name,Password,Access key ID,Secret access key,Console login link\nalice,,{id},{secret},https://x\n"
        ),
        format!("Secret access key,Access key ID\r\n\"{secret}\",\"{id}\"\r\n"),
    ];
    for (number, layout) in (1..).zip(layouts) {
        let path = case.give("keys.csv", layout).to_str().unwrap().to_owned();
        let name = format!("prod{number}");
        let told = format!(
            "{}{}{}",
            added(&case, &name),
            warning(&format!("the key still lies in plaintext in {path}; delete that file")),
            next(&name)
        );
        case.run(&["add", &name, "--from-csv", &path]).succeeds().stdout("").stderr(&told);
    }
    works(&case, "prod5");
}

#[test]
fn a_csv_that_is_something_else_is_refused_without_a_word_of_what_it_holds() {
    let case = Case::with_vault();
    let (id, secret) = (case.alice.access_key_id(), case.alice.secret_access_key());
    let hint = "it has the columns `Access key ID` and `Secret access key`";
    for other in ["", "name,value\na,b\n", &format!("{id},{secret}\n"), "Access key ID,Secret access key\n"] {
        let (path, output) = from_csv(&case, other);
        let told = error_and_hint(&format!("{path} is not an access key file of the AWS console"), hint);
        output.exits(1).stdout("").stderr(&told);
    }
    let (path, output) = from_csv(&case, format!("{}{id},{secret}\n", console_csv(&case)));
    output.exits(1).stderr(&error(&format!("{path} holds more than one key")));
    let swapped = format!("Access key ID,Secret access key\n{secret},{id}\n");
    let told = error("that is not an access key id; it looks like AKIA and 16 more characters");
    from_csv(&case, swapped).1.exits(2).stdout("").stderr(&told);
    assert_eq!(case.sim.requests(), []);
}

#[test]
fn a_key_can_come_from_a_plaintext_profile() {
    let case = Case::with_vault();
    let (id, secret) = (case.alice.access_key_id(), case.alice.secret_access_key());
    let file =
        case.give("credentials", format!("[identity]\naws_access_key_id={id}\naws_secret_access_key={secret}\n"));
    let path = file.to_str().unwrap();
    let add = |from: &str| {
        case.vault(&["add", "prod", "--from-profile", from]).variable("AWS_SHARED_CREDENTIALS_FILE", path).run()
    };
    add("other").exits(1).stderr(&error(&format!("no section [other] in {path}")));
    let told = format!(
        "{}{}{}",
        added(&case, "prod"),
        warning(&format!("the key still lies in plaintext in {path}, section [identity]; remove it there")),
        next("prod")
    );
    add("identity").succeeds().stdout("").stderr(&told);
    assert!(fs::read_to_string(&file).unwrap().starts_with("[identity]\naws_access_key_id="), "it stays as it is");
    works(&case, "prod");
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
        (&["add", "-x"], "unexpected argument '-x' found"),
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
}
