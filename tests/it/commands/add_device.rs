//! Which MFA device `vault add` takes: found where it can be, asked for where it must be, and never one that makes no codes.

use super::{PHONE, error_and_hint, json, screen, warning};
use crate::program::{Case, Output};

const BOBS_USUAL: &str = "arn:aws:iam::123456789012:mfa/bob";

/// bob, who has no device yet.
struct Bob {
    case: Case,
    user: aws_sim::User,
}

impl Bob {
    fn new() -> Self {
        let case = Case::with_vault();
        let user = case.sim.add_user(crate::program::ACCOUNT, "bob");
        case.keep_secret("bob's secret key", user.secret_access_key());
        Self { case, user }
    }

    fn add(&self, more: &[&str]) -> Output {
        let arguments = ["add", "bob", "--access-key-id", self.user.access_key_id(), "--secret-stdin"];
        self.case.vault(&[&arguments[..], more].concat()).stdin(self.user.secret_access_key()).run()
    }

    /// The key by the environment, so that only devices are asked about.
    fn add_on_terminal(&self) -> crate::program::Terminal<'_> {
        let add = self.case.vault(&["add", "bob", "--from-env"]);
        let add = add.variable("AWS_ACCESS_KEY_ID", self.user.access_key_id());
        add.variable("AWS_SECRET_ACCESS_KEY", self.user.secret_access_key()).on_terminal()
    }

    fn serial(&self) -> Option<String> {
        let shown = json(&self.case.run(&["show", "bob", "--json"]));
        shown["profile"]["mfa_serial"].as_str().map(str::to_owned)
    }

    fn is_not_stored(&self) {
        self.case.run(&["show", "bob"]).exits(1);
    }
}

#[test]
fn without_a_device_the_profile_is_stored_without_one() {
    let bob = Bob::new();
    bob.add(&[]).succeeds().stderr_has("bob in account 123456789012, no MFA device\n");
    assert_eq!(bob.serial(), None);
}

#[test]
fn the_only_device_is_taken_and_security_keys_beside_it_are_passed_over() {
    let bob = Bob::new();
    bob.case.sim.add_fido_device(&bob.user, "key");
    let phone = bob.case.sim.add_mfa_device(&bob.user, "bobs-phone");
    bob.add(&[]).succeeds().stderr_has(&format!("MFA device {}\n", phone.serial()));
    assert_eq!(bob.serial().as_deref(), Some(phone.serial()));
}

#[test]
fn a_user_with_only_security_keys_is_told_what_that_means() {
    let bob = Bob::new();
    bob.case.sim.add_fido_device(&bob.user, "key");
    let told = "this user has only FIDO security keys, and AWS takes no codes from those; sessions will be without MFA";
    bob.add(&[]).succeeds().stderr_has(&warning(told));
    assert_eq!(bob.serial(), None);
}

#[test]
fn of_several_devices_a_person_chooses() {
    let bob = Bob::new();
    let serials = ["a-phone", "b-phone"].map(|name| bob.case.sim.add_mfa_device(&bob.user, name).serial().to_owned());
    bob.case.sim.add_fido_device(&bob.user, "key");
    let mut terminal = bob.add_on_terminal();
    terminal.expect("This user has several MFA devices:\r\n");
    terminal.expect(&format!("  1  {}\r\n  2  {}\r\nWhich one do the codes come from? ", serials[0], serials[1]));
    terminal.type_line("3").expect("Please answer 1 to 2.\r\n");
    terminal.expect("Which one do the codes come from? ").type_line("0").expect("Please answer 1 to 2.\r\n");
    terminal.expect("Which one do the codes come from? ").type_line("2");
    terminal.finish().0.succeeds();
    assert_eq!(bob.serial().as_ref(), Some(&serials[1]));
}

#[test]
fn several_devices_without_a_terminal_are_all_named() {
    let bob = Bob::new();
    let serials = ["a-phone", "b-phone"].map(|name| bob.case.sim.add_mfa_device(&bob.user, name).serial().to_owned());
    let message =
        format!("this user has several MFA devices ({}) and there is no terminal to ask on", serials.join(", "));
    bob.add(&[]).exits(8).stdout("").stderr(&error_and_hint(&message, "pass one as `--mfa-serial ARN`"));
    bob.is_not_stored();
    bob.add(&["--mfa-serial", &serials[0]]).succeeds();
    assert_eq!(bob.serial().as_ref(), Some(&serials[0]));
}

#[test]
fn where_listing_is_denied_a_person_is_offered_the_usual_serial() {
    let expectations = [
        ("", Some(BOBS_USUAL)),
        ("arn:aws:iam::123456789012:mfa/bobs-phone", Some("arn:aws:iam::123456789012:mfa/bobs-phone")),
        ("none", None),
    ];
    for (answer, stored) in expectations {
        let bob = Bob::new();
        bob.case.sim.deny(&bob.user, "iam:ListMFADevices");
        let mut terminal = bob.add_on_terminal();
        terminal.expect("This user may not list its MFA devices (iam:ListMFADevices is denied).\r\n");
        let question = format!("MFA serial (Enter for {BOBS_USUAL}, `none` for no device): ");
        terminal.expect(&question).type_line("arn:aws:iam::123456789012:user/bob");
        terminal.expect(&format!("is not an MFA serial; did you mean `{BOBS_USUAL}`?.\r\n"));
        terminal.expect(&question).type_line(answer);
        terminal.finish().0.succeeds();
        assert_eq!(bob.serial().as_deref(), stored);
    }
}

#[test]
fn where_listing_is_denied_and_nobody_can_be_asked_the_flag_is_named() {
    let bob = Bob::new();
    bob.case.sim.deny(&bob.user, "iam:ListMFADevices");
    bob.add(&[]).exits(8).stdout("").stderr(&error_and_hint(
        "this user may not list its MFA devices, and there is no terminal to ask on",
        &format!("pass `--mfa-serial {BOBS_USUAL}` if that is the device, or `--mfa-serial none`"),
    ));
    bob.is_not_stored();
    bob.case.sim.clear_requests();
    bob.add(&["--mfa-serial", "none"]).succeeds().stderr_has(", no MFA device\n");
    assert_eq!((bob.serial(), bob.case.sim.count("ListMFADevices")), (None, 0));
}

#[test]
fn none_is_taken_at_its_word_though_there_is_a_device() {
    let case = Case::with_vault();
    let arguments =
        ["add", "prod", "--access-key-id", case.alice.access_key_id(), "--secret-stdin", "--mfa-serial", "none"];
    let output = case.vault(&arguments).stdin(case.alice.secret_access_key()).run();
    output.succeeds().stderr_has(", no MFA device\n");
    assert!(!output.err.contains(PHONE));
}

#[test]
fn root_has_its_key_stored_with_a_warning() {
    let case = Case::with_vault();
    let root = case.sim.add_root("210987654321");
    case.keep_secret("root's secret key", root.secret_access_key());
    let arguments = ["add", "root", "--access-key-id", root.access_key_id(), "--secret-stdin"];
    let output = case.vault(&arguments).stdin(root.secret_access_key()).run();
    output.succeeds().stderr_has(&warning("this is the root user's key; AWS advises against having one"));
    output.stderr_has("root in account 210987654321, no MFA device\n");
}

#[test]
fn giving_up_at_the_choice_stores_nothing() {
    let bob = Bob::new();
    for name in ["a-phone", "b-phone"] {
        bob.case.sim.add_mfa_device(&bob.user, name);
    }
    let mut terminal = bob.add_on_terminal();
    terminal.expect("Which one do the codes come from? ").press("\x04");
    let (output, _) = terminal.finish();
    output.exits(8);
    assert!(screen(&output).ends_with("vault: error: no answer; nothing was changed\n"), "{}", output.screen);
    bob.is_not_stored();
}
