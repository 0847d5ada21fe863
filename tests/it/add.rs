//! `vault add`: where a key comes from, how it is checked, whose codes sign in with it.

use std::fs;

use aws_sim::{Simulator, Status};

use crate::program::{ACCOUNT, Case, Output};

fn add_with(case: &Case, more: &[&str]) -> Output {
    let arguments = ["add", "prod", "--access-key-id", case.alice.access_key_id(), "--secret-stdin"];
    case.vault(&[&arguments[..], more].concat()).stdin(case.alice.secret_access_key()).run()
}

fn actions(sim: &Simulator) -> Vec<String> {
    sim.requests().into_iter().map(|request| request.action).collect()
}

fn short(id: &str) -> String {
    format!("{}...{}", &id[..4], &id[id.len() - 4..])
}

/// What the vault holds of a profile, as `show` has it.
fn shown(case: &Case, name: &str) -> String {
    let output = case.run(&["show", name]);
    output.succeeds();
    output.out.clone()
}

#[test]
fn a_key_is_checked_and_its_mfa_device_found_before_it_is_stored() {
    let case = Case::with_vault();
    add_with(&case, &[]).succeeds().stdout("").stderr(&format!(
        "added `prod`: access key {}, alice in account {ACCOUNT}, MFA device arn:aws:iam::{ACCOUNT}:mfa/phone\n\
         next: vault login prod\n",
        short(case.alice.access_key_id()),
    ));
    assert_eq!(actions(&case.sim), ["GetCallerIdentity", "ListMFADevices"]);
    let shown = shown(&case, "prod");
    assert!(shown.contains(&format!("mfa_serial = arn:aws:iam::{ACCOUNT}:mfa/phone\n")), "{shown}");
    assert!(shown.contains(&format!("user_arn = {}\n", case.alice.arn())), "{shown}");
}

#[test]
fn add_makes_the_vault_where_there_is_none() {
    let case = Case::new();
    add_with(&case, &["--kdf", "small", "--no-recovery"]).succeeds().stderr_has("there is no vault yet; making ~/");
    case.run(&["list"]).succeeds().stdout_has("prod");
}

#[test]
fn a_key_that_aws_does_not_take_is_not_stored() {
    let case = Case::with_vault();
    let before = fs::read(case.vault_file()).unwrap();
    let wrong = case
        .vault(&["add", "prod", "--access-key-id", case.alice.access_key_id(), "--secret-stdin"])
        .stdin("wrongwrongwrongwrongwrongwrongwrongwrong")
        .run();
    wrong.refuses(4, "the secret does not belong to AKIA...").stderr_has("nothing was stored");
    case.sim.set_key_status(case.alice.access_key_id(), Status::Inactive);
    add_with(&case, &[]).refuses(4, "AWS does not know the access key AKIA...").stderr_has("nothing was stored");
    assert_eq!(fs::read(case.vault_file()).unwrap(), before);
}

#[test]
fn without_verifying_aws_is_not_asked() {
    let case = Case::with_vault();
    add_with(&case, &["--no-verify", "--mfa-serial", "none"])
        .succeeds()
        .stderr_has("not checked with AWS, no MFA device");
    assert_eq!(case.sim.requests().len(), 0);
}

#[test]
fn of_several_devices_the_person_chooses_and_fido_keys_are_not_offered() {
    let case = Case::with_vault();
    let tablet = case.sim.add_mfa_device(&case.alice, "tablet");
    let fido = case.sim.add_fido_device(&case.alice, "yubikey");
    let refused = add_with(&case, &[]);
    refused
        .refuses(8, "several MFA devices")
        .hints("--mfa-serial")
        .stderr_has(tablet.serial())
        .stderr_has(case.phone.serial());
    assert!(!refused.err.contains(&fido), "{}", refused.err);

    let mut terminal = case.vault(&["add", "prod", "--access-key-id", case.alice.access_key_id()]).on_terminal();
    terminal.expect("Secret access key of").type_line(case.alice.secret_access_key());
    let number = if terminal.expect("  1  ").rest_of_line() == tablet.serial() { "1" } else { "2" };
    terminal.expect("Which one").type_line("3").expect("answer 1 to 2").expect("Which one").type_line(number);
    terminal.finish().0.succeeds();
    assert!(shown(&case, "prod").contains(tablet.serial()));
}

#[test]
fn a_user_with_only_a_fido_key_is_told_that_aws_takes_no_codes_from_it() {
    let case = Case::with_vault();
    let bob = case.sim.add_user(ACCOUNT, "bob");
    case.sim.add_fido_device(&bob, "yubikey");
    let added = case
        .vault(&["add", "bob", "--access-key-id", bob.access_key_id(), "--secret-stdin"])
        .stdin(bob.secret_access_key())
        .run();
    added.succeeds().stderr_has("only FIDO security keys").stderr_has("no MFA device");
}

#[test]
fn a_user_who_may_not_list_devices_is_offered_the_usual_serial() {
    let case = Case::with_vault();
    case.sim.deny(&case.alice, "iam:ListMFADevices");
    let usual = format!("arn:aws:iam::{ACCOUNT}:mfa/alice");
    add_with(&case, &[]).refuses(8, "may not list its MFA devices").hints(&format!("--mfa-serial {usual}"));

    let mut terminal = case.vault(&["add", "prod", "--access-key-id", case.alice.access_key_id()]).on_terminal();
    terminal.expect("Secret access key of").type_line(case.alice.secret_access_key());
    terminal.expect("MFA serial").type_line("arn:aws:iam::123456789012:user/alice");
    terminal.expect(&format!("did you mean `{usual}`")).expect("MFA serial").type_line("");
    terminal.finish().0.succeeds();
    assert!(shown(&case, "prod").contains(&usual));
}

#[test]
fn everything_can_be_typed_and_the_secret_is_never_on_the_screen() {
    let case = Case::with_vault();
    let mut terminal = case.vault(&["add", "prod"]).on_terminal();
    terminal.expect("Access key id for prod: ").type_line("nonsense").expect("not an access key id");
    terminal.expect("Access key id for prod: ").type_line(case.alice.access_key_id());
    terminal.expect("Secret access key of AKIA...").type_line("short").expect("not a secret access key");
    terminal.expect("Secret access key of AKIA...").type_line(case.alice.secret_access_key());
    let (output, echoes) = terminal.finish();
    output.succeeds().screen_has("added `prod`");
    assert!(echoes);
}

#[test]
fn a_key_comes_from_the_environment_with_a_word_on_what_stays_set() {
    let case = Case::with_vault();
    let from_env = || {
        case.vault(&["add", "prod", "--from-env"])
            .variable("AWS_ACCESS_KEY_ID", case.alice.access_key_id())
            .variable("AWS_SECRET_ACCESS_KEY", case.alice.secret_access_key())
    };
    from_env().variable("AWS_SESSION_TOKEN", "a session's").run().refuses(1, "AWS_SESSION_TOKEN");
    from_env().run().succeeds().stderr_has("set in this shell").hints("unset AWS_ACCESS_KEY_ID");
    case.vault(&["add", "other", "--from-env"]).run().refuses(2, "AWS_ACCESS_KEY_ID");
}

#[test]
fn a_key_comes_from_the_consoles_csv_in_any_layout() {
    let case = Case::with_vault();
    let (id, secret) = (case.alice.access_key_id(), case.alice.secret_access_key());
    let layouts = [
        format!("\u{feff}Access key ID,Secret access key\r\n{id},{secret}\r\n"),
        format!(
            "User name,Password,Secret access key,Access key ID,Console login link\nalice,,{secret},{id},https://x\n"
        ),
    ];
    for (number, layout) in layouts.iter().enumerate() {
        let file = case.give("key.csv", layout);
        let added = case.vault(&["add", &format!("p{number}"), "--from-csv", file.to_str().unwrap()]).run();
        added.succeeds().stderr_has("still lies in plaintext in").stderr_has("key.csv; delete that file");
    }
    let other = case.give("other.csv", "name,age\nalice,7\n");
    let refused = case.vault(&["add", "x", "--from-csv", other.to_str().unwrap()]).run();
    refused.refuses(1, "is not an access key file").hints("`Access key ID`");
}

#[test]
fn a_key_comes_from_a_plaintext_profile_which_stays_as_it_is() {
    let case = Case::with_vault();
    let bob = case.sim.add_user(ACCOUNT, "bob");
    let section = format!(
        "[old]\naws_access_key_id={}\naws_secret_access_key={}\n",
        bob.access_key_id(),
        bob.secret_access_key()
    );
    case.write(&case.credentials(), 0o600, &section);
    let added = case.run(&["add", "bob", "--from-profile", "old"]);
    added.succeeds().stderr_has("still lies in plaintext in ~/.aws/credentials, section [old]");
    assert_eq!(fs::read_to_string(case.credentials()).unwrap(), section);
    case.run(&["add", "x", "--from-profile", "none"]).refuses(1, "none");
}

#[test]
fn a_name_that_is_taken_needs_replace() {
    let case = Case::with_prod();
    case.add("prod").refuses(1, "there is a profile `prod` already").hints("--replace");
    add_with(&case, &["--replace", "--region", "eu-west-1"]).succeeds();
    assert!(shown(&case, "prod").contains("region = eu-west-1\n"));
}

#[test]
fn a_role_profile_is_a_role_and_the_profile_that_assumes_it() {
    let case = Case::with_prod();
    let role = format!("arn:aws:iam::{ACCOUNT}:role/admin");
    case.run(&["add", "admin", "--role-arn", &role, "--source-profile", "prod", "--external-id", "x1"])
        .succeeds()
        .stderr("added `admin`, a role profile\nnext: vault login admin\n");
    assert_eq!(shown(&case, "admin"), format!("role_arn = {role}\nsource_profile = prod\nexternal_id = x1\n"));
    case.run(&["add", "half", "--role-arn", &role]).exits(2).stderr_has("--source-profile");
    case.run(&["add", "bad", "--role-arn", "arn:x", "--source-profile", "prod"]).exits(2).stderr_has("not a role ARN");
}

#[test]
fn what_can_be_checked_without_aws_is_checked_first() {
    let case = Case::with_vault();
    case.run(&["add", "-x"]).exits(2);
    case.run(&["add", "has space", "--from-env"]).exits(2).stderr_has("is not a profile name");
    add_with(&case, &["--mfa-serial", "arn:aws:iam::123456789012:u2f/user/alice/key"]).exits(2).stderr_has("FIDO");
    add_with(&case, &["--duration", "899"]).exits(2);
    let temporary = case.vault(&["add", "x", "--access-key-id", "ASIAIOSFODNN7EXAMPLE", "--secret-stdin"]);
    temporary.stdin(case.alice.secret_access_key()).run().refuses(1, "ASIA...MPLE");
    assert_eq!(case.sim.requests().len(), 0);
}
