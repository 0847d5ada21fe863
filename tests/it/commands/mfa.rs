//! `vault mfa`: the devices of a user, found, listed and brought back into step.

use std::time::Duration;

use super::{ALICE, PHONE, error, error_and_hint, json, screen};
use crate::program::Case;

fn serial(case: &Case, name: &str) -> Option<String> {
    json(&case.run(&["show", name, "--json"]))["profile"]["mfa_serial"].as_str().map(str::to_owned)
}

/// Two codes that a device shows one after the other.
pub fn two_codes(case: &Case, serial: &str) -> [String; 2] {
    let device = case.sim.mfa_device(serial).unwrap_or_else(|| panic!("no device {serial}"));
    let first = device.code();
    case.sim.advance(Duration::from_secs(30));
    [first, device.code()]
}

/// `prod` without its device in the vault.
fn without_serial() -> Case {
    let case = Case::with_prod();
    case.run(&["unset", "prod", "mfa_serial"]).succeeds();
    case
}

#[test]
fn detect_stores_the_only_device_and_passes_security_keys_over() {
    let case = without_serial();
    let key = case.sim.add_fido_device(&case.alice, "key");
    let told = format!("passed over {key}: AWS takes no codes from a FIDO security key\nprod: MFA device {PHONE}\n");
    case.run(&["mfa", "detect", "prod"]).succeeds().stdout("").stderr(&told);
    assert_eq!(serial(&case, "prod").as_deref(), Some(PHONE));
    let [caller, list] = &case.sim.requests()[..] else { panic!("{:?}", case.sim.requests()) };
    assert_eq!((&*caller.action, &*list.action), ("GetCallerIdentity", "ListMFADevices"));
    assert_eq!(list.parameter("UserName"), Some("alice"));
}

#[test]
fn detect_of_what_is_stored_already_saves_nothing() {
    let case = Case::with_prod();
    let before = std::fs::read(case.vault_file()).unwrap();
    case.run(&["mfa", "detect", "prod"]).succeeds().stderr(&format!("prod: MFA device {PHONE}, as before\n"));
    assert_eq!(std::fs::read(case.vault_file()).unwrap(), before);
}

#[test]
fn detect_replaces_a_device_that_is_gone_and_says_so() {
    let case = Case::with_prod();
    let gone = "arn:aws:iam::123456789012:mfa/gone";
    case.run(&["set", "prod", &format!("mfa_serial={gone}")]).succeeds();
    case.run(&["mfa", "detect", "prod"]).succeeds().stderr(&format!("prod: MFA device {PHONE}, in place of {gone}\n"));
    assert_eq!(serial(&case, "prod").as_deref(), Some(PHONE));
}

#[test]
fn detect_of_several_asks_or_names_them_all() {
    let case = without_serial();
    let tablet = case.sim.add_mfa_device(&case.alice, "tablet").serial().to_owned();
    let message = format!("this user has several MFA devices ({PHONE}, {tablet}) and there is no terminal to ask on");
    let hint = "`vault set prod mfa_serial=ARN` stores one of them";
    case.run(&["mfa", "detect", "prod"]).exits(8).stdout("").stderr(&error_and_hint(&message, hint));
    assert_eq!(serial(&case, "prod"), None);
    let mut terminal = case.vault(&["mfa", "detect", "prod"]).on_terminal();
    terminal.expect("Which one do the codes come from? ").type_line("2");
    terminal.finish().0.succeeds();
    assert_eq!(serial(&case, "prod"), Some(tablet));
}

#[test]
fn detect_of_none_says_how_to_get_one() {
    let case = Case::with_vault();
    let bob = case.sim.add_user(crate::program::ACCOUNT, "bob");
    case.keep_secret("bob's secret key", bob.secret_access_key());
    let arguments = ["add", "bob", "--access-key-id", bob.access_key_id(), "--secret-stdin"];
    case.vault(&arguments).stdin(bob.secret_access_key()).run().succeeds();
    case.run(&["mfa", "detect", "bob"])
        .exits(1)
        .stderr(&error_and_hint("`bob` has no MFA device", "`vault mfa enable bob` makes one"));
    case.run(&["mfa", "list", "bob"])
        .succeeds()
        .stdout("")
        .stderr("`bob` has no MFA device\nvault: hint: `vault mfa enable bob` makes one\n");
    let key = case.sim.add_fido_device(&bob, "key");
    let message = format!("`bob` has only FIDO security keys ({key}), and AWS takes no codes from those");
    let hint = "`vault mfa enable bob` makes a device beside them";
    case.run(&["mfa", "detect", "bob"]).exits(1).stderr(&error_and_hint(&message, hint));
}

#[test]
fn detect_where_listing_is_denied_names_the_usual_device() {
    let case = without_serial();
    case.sim.deny(&case.alice, "iam:ListMFADevices");
    let message = "this user may not list its MFA devices, and there is no terminal to ask on";
    let hint = "`vault set prod mfa_serial=arn:aws:iam::123456789012:mfa/alice` if that is the device";
    case.run(&["mfa", "detect", "prod"]).exits(8).stderr(&error_and_hint(message, hint));
}

#[test]
fn list_shows_device_kind_and_since_when_without_a_code() {
    let case = Case::with_prod();
    let key = case.sim.add_fido_device(&case.alice, "key");
    let document = json(&case.run(&["mfa", "list", "prod", "--json"]));
    assert_eq!(
        (&document["version"], &document["profile"], &document["user"]),
        (&1.into(), &"prod".into(), &"alice".into())
    );
    let devices = document["devices"].as_array().unwrap();
    let since = |device: &serde_json::Value| device["enabled"].as_str().unwrap().to_owned();
    let found: Vec<_> = devices.iter().map(|one| (&one["serial"], &one["kind"], &one["used_by_profile"])).collect();
    assert_eq!(
        found,
        [(&PHONE.into(), &"virtual".into(), &true.into()), (&key.as_str().into(), &"fido".into(), &false.into())]
    );
    let output = case.run(&["mfa", "list", "prod"]);
    let lines: Vec<Vec<&str>> = output
        .succeeds()
        .stderr("")
        .out
        .lines()
        .map(|line| line.split("  ").filter(|cell| !cell.is_empty()).map(str::trim).collect())
        .collect();
    assert_eq!(lines[0], ["DEVICE", "KIND", "SINCE", "USED BY"]);
    assert_eq!(lines[1], [PHONE, "virtual", &since(&devices[0]), "prod"]);
    assert_eq!(lines[2], [&key, "fido", &since(&devices[1]), "-"]);
    assert_eq!(case.sim.count("GetSessionToken"), 0);
}

#[test]
fn list_names_every_profile_that_a_device_signs_in() {
    let case = Case::with_prod();
    case.vault(&[
        "add",
        "alice",
        "--access-key-id",
        case.alice.access_key_id(),
        "--secret-stdin",
        "--mfa-serial",
        PHONE,
    ])
    .stdin(case.alice.secret_access_key())
    .run()
    .succeeds();
    let output = case.run(&["mfa", "list", "prod"]);
    assert!(output.succeeds().out.lines().nth(1).unwrap().ends_with("  alice, prod"), "{}", output.out);
    let document = json(&case.run(&["mfa", "list", "prod", "--json"]));
    assert_eq!(document["devices"][0]["used_by"], serde_json::json!(["alice", "prod"]));
}

#[test]
fn a_new_device_is_that_of_every_profile_that_had_the_one_before() {
    let case = Case::with_prod();
    let gone = "arn:aws:iam::123456789012:mfa/gone";
    for (profile, device) in [("alice", gone), ("other", PHONE)] {
        let key =
            ["--access-key-id", case.alice.access_key_id(), "--secret-stdin", "--mfa-serial", device, "--no-verify"];
        let arguments = [&["add", profile][..], &key[..]].concat();
        case.vault(&arguments).stdin(case.alice.secret_access_key()).run().succeeds();
    }
    case.run(&["set", "prod", &format!("mfa_serial={gone}")]).succeeds();
    let told = format!("prod: MFA device {PHONE}, in place of {gone}\nand for `alice`, which had the same device\n");
    case.run(&["mfa", "detect", "prod"]).succeeds().stderr(&told);
    for profile in ["prod", "alice", "other"] {
        assert_eq!(serial(&case, profile).as_deref(), Some(PHONE), "{profile}");
    }
}

#[test]
fn a_device_that_is_gone_is_switched_off_and_deleted_with_a_session_of_the_one_that_is_left() {
    let case = Case::with_prod();
    let tablet = case.sim.add_mfa_device(&case.alice, "tablet").serial().to_owned();
    case.sim.require_mfa_for(&case.alice, &["iam:DeactivateMFADevice", "iam:DeleteVirtualMFADevice"], None);
    case.run(&["mfa", "remove", "prod", "tablet", "--yes", "--mfa-code", &case.phone.code()])
        .succeeds()
        .stdout("")
        .stderr(&format!("removed {tablet} of alice\n"));
    assert!(case.sim.mfa_device(&tablet).is_none());
    assert_eq!(serial(&case, "prod").as_deref(), Some(PHONE));
}

#[test]
fn the_device_that_signs_in_is_removed_only_after_a_yes_and_the_way_on_is_told() {
    let case = Case::with_prod();
    let fido = case.sim.add_fido_device(&case.alice, "key");
    case.login().succeeds();
    let role = ["add", "admin", "--role-arn", "arn:aws:iam::123456789012:role/admin", "--source-profile", "prod"];
    case.run(&[&role[..], &["--mfa-serial", PHONE]].concat()).succeeds();
    let message = "this needs a confirmation and there is no terminal to ask on";
    let output = case.run(&["mfa", "remove", "prod", PHONE]);
    output.exits(8).stderr_has("vault: warning: codes of it sign `admin`, `prod` in\n").stderr_has(message);
    assert!(case.sim.mfa_device(PHONE).is_some());
    let mut terminal = case.vault(&["mfa", "remove", "prod", "phone"]).on_terminal();
    terminal.expect(&format!("Remove {PHONE}? [y/N] ")).type_line("n");
    terminal.finish().0.exits(8);
    assert!(case.sim.mfa_device(PHONE).is_some());
    let removed = case.run(&["mfa", "remove", "prod", "phone", "--yes"]);
    removed.succeeds().stderr_has(&format!("removed {PHONE} of alice\n"));
    removed
        .stderr_has("vault: warning: `admin`, `prod` can't sign in by it any more\n")
        .stderr_has("`vault mfa detect prod` finds another");
    assert!(case.sim.mfa_device(PHONE).is_none());
    // What is no device of IAM's making is switched off, and the only one needs no name.
    case.run(&["mfa", "remove", "prod", "--yes"]).succeeds().stderr_has(&format!("removed {fido} of alice\n"));
    assert_eq!((case.sim.count("DeactivateMFADevice"), case.sim.count("DeleteVirtualMFADevice")), (2, 1));
    case.run(&["mfa", "remove", "prod"]).exits(1).stderr(&error("`alice` has no MFA device"));
}

#[test]
fn which_device_to_remove_is_never_guessed() {
    let case = Case::with_prod();
    let tablet = case.sim.add_mfa_device(&case.alice, "tablet").serial().to_owned();
    let hint = "name it by its serial, or by the name at the end of that";
    case.run(&["mfa", "remove", "prod"])
        .exits(2)
        .stderr(&error_and_hint(&format!("which device? `alice` has {PHONE}, {tablet}"), hint));
    for given in ["able", "mfa/tab", "arn:aws:iam::123456789012:mfa/gone"] {
        let message = format!("`alice` has no MFA device `{given}`; it has {PHONE}, {tablet}");
        case.run(&["mfa", "remove", "prod", given]).exits(1).stderr(&error(&message));
    }
    assert_eq!(case.sim.count("DeactivateMFADevice"), 0);
}

#[test]
fn a_device_that_is_off_and_can_not_be_deleted_is_told_with_what_deletes_it() {
    let case = Case::with_prod();
    let tablet = case.sim.add_mfa_device(&case.alice, "tablet").serial().to_owned();
    case.login().succeeds();
    case.sim.deny(&case.alice, "iam:DeleteVirtualMFADevice");
    case.run(&["mfa", "remove", "prod", "tablet", "--yes"])
        .exits(4)
        .stderr_has(&format!("{tablet} is switched off, and still there: AWS refused DeleteVirtualMFADevice"))
        .stderr_has(&format!("`vault mfa enable prod --abort {tablet}` deletes it"));
}

#[test]
fn list_takes_a_session_with_mfa_where_the_key_alone_may_not() {
    let case = Case::with_prod();
    case.sim.require_mfa_for(&case.alice, &["iam:ListMFADevices"], None);
    let output = case.run(&["mfa", "list", "prod", "--mfa-code", &case.phone.code()]);
    output.succeeds();
    assert!(output.out.contains(PHONE), "{}", output.out);
    assert_eq!(case.sim.count("GetSessionToken"), 1);
}

#[test]
fn what_is_denied_is_named_with_the_policy_that_allows_it() {
    let case = without_serial();
    case.sim.deny(&case.alice, "iam:ListMFADevices");
    let message = format!(
        "AWS refused ListMFADevices: User: {ALICE} is not authorized to perform: iam:ListMFADevices on resource: user alice \
         with an explicit deny in an identity-based policy"
    );
    let hint = "an administrator can allow iam:ListMFADevices: `vault policy show self-management --profile prod`";
    case.run(&["mfa", "list", "prod"]).exits(4).stdout("").stderr(&error_and_hint(&message, hint));
}

#[test]
fn a_roles_profile_and_the_root_user_are_told_what_to_say_instead() {
    let case = Case::with_prod();
    let role = ["add", "ops", "--role-arn", "arn:aws:iam::123456789012:role/ops", "--source-profile", "prod"];
    case.run(&role).succeeds();
    let root = case.sim.add_root("210987654321");
    case.keep_secret("root's secret key", root.secret_access_key());
    let add = ["add", "root", "--access-key-id", root.access_key_id(), "--secret-stdin"];
    case.vault(&add).stdin(root.secret_access_key()).run().succeeds();
    for command in ["detect", "list", "enable", "resync", "remove"] {
        let begin = case.given(command);
        let rest: &[&str] = if command == "enable" { &["--begin", begin.to_str().unwrap()] } else { &[] };
        let message = "`ops` is a role's profile, and MFA devices are users'; its user is `prod`";
        case.run(&[&["mfa", command, "ops"], rest].concat())
            .exits(1)
            .stderr(&error_and_hint(message, "say `prod` instead"));
        let hint = "its MFA devices are managed in the console, under Security credentials";
        case.run(&[&["mfa", command, "root"], rest].concat())
            .exits(1)
            .stderr(&error_and_hint("`root` is the root user", hint));
        assert!(!begin.exists());
    }
    assert_eq!(case.sim.count("CreateVirtualMFADevice"), 0);
}

#[test]
fn resync_brings_a_device_back_into_step() {
    let case = Case::with_prod();
    case.phone.drift(10);
    case.run(&["login", "prod", "--mfa-code", &case.phone.code()]).exits(4);
    let codes = two_codes(&case, PHONE).join(",");
    case.run(&["mfa", "resync", "prod", "--codes", &codes])
        .succeeds()
        .stdout("")
        .stderr(&format!("prod: resynchronised {PHONE}\nnext: vault login prod, with the next code\n"));
    case.run(&["login", "prod", "--mfa-code", &case.phone.code()]).succeeds();
}

#[test]
fn resync_asks_until_aws_takes_two_codes() {
    let case = Case::with_prod();
    case.phone.drift(10);
    let mut terminal = case.vault(&["mfa", "resync", "prod"]).on_terminal();
    terminal.expect(&format!("Two codes of {PHONE}, one after the other:\r\n"));
    terminal
        .expect("First code (alice, account 123456789012): ")
        .type_line("12345")
        .expect("A code is six digits.\r\n");
    terminal.expect("First code (alice, account 123456789012): ").type_line("000000");
    terminal
        .expect("The code after it: ")
        .type_line("000000")
        .expect("That is the same code; wait for the next one.\r\n");
    terminal.expect("The code after it: ").type_line("000001");
    terminal.expect("AWS did not take these two codes (InvalidAuthenticationCode); take the next two.\r\n");
    let [first, second] = two_codes(&case, PHONE);
    terminal.expect("First code").type_line(&first).expect("The code after it: ").type_line(&second);
    terminal.finish().0.succeeds();
    assert_eq!(case.sim.count("ResyncMFADevice"), 2);
}

#[test]
fn resync_without_a_device_or_a_terminal_says_what_is_missing() {
    let case = without_serial();
    case.run(&["mfa", "resync", "prod"])
        .exits(1)
        .stderr(&error_and_hint("`prod` names no MFA device", "`vault mfa detect prod` finds it"));
    let case = Case::with_prod();
    let message = "`prod` needs two MFA codes and there is no terminal to ask on";
    case.run(&["mfa", "resync", "prod"]).exits(8).stderr(&error_and_hint(message, "pass them as `--codes CODE,CODE`"));
    case.run(&["mfa", "resync", "prod", "--codes", "123456,123456"]).exits(2);
    let refused = case.run(&["mfa", "resync", "prod", "--codes", "000000,000001"]);
    refused.exits(4).stderr(&error_and_hint(
        "AWS refused the two MFA codes (InvalidAuthenticationCode): Authentication code for device is not valid.",
        "it takes two codes that the device shows one after the other, neither used before",
    ));
    let mut terminal = case.vault(&["mfa", "resync", "prod"]).on_terminal();
    terminal.expect("First code").press("\x04");
    let (output, _) = terminal.finish();
    output.exits(8);
    assert!(screen(&output).ends_with(&error("no answer; nothing was changed")), "{}", output.screen);
}
