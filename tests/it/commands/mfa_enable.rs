//! `vault mfa enable`: a device made, shown, enabled and stored; or gone again, whatever ended it.

mod ends;

use aws_sim::{Failure, Kind, User};

use super::mfa::two_codes;
use super::{error_and_hint, json, mode, screen};
use crate::program::{ACCOUNT, Case, Output, Terminal};

const BOBS: &str = "arn:aws:iam::123456789012:mfa/bob";
const FIRST: &str = "First code (bob, account 123456789012): ";

/// bob, who has no device yet, as profile `bob`.
struct Bob {
    case: Case,
    user: User,
}

impl Bob {
    fn new() -> Self {
        let case = Case::with_vault();
        let user = case.sim.add_user(ACCOUNT, "bob");
        case.keep_secret("bob's secret key", user.secret_access_key());
        let arguments = ["add", "bob", "--access-key-id", user.access_key_id(), "--secret-stdin"];
        case.vault(&arguments).stdin(user.secret_access_key()).run().succeeds();
        case.sim.clear_requests();
        Self { case, user }
    }

    /// At the first question, with the device made.
    fn at_terminal(&self, more: &[&str]) -> Terminal<'_> {
        let mut terminal = self.case.vault(&[&["mfa", "enable", "bob"], more].concat()).on_terminal_of(100, 50);
        terminal.expect(FIRST);
        terminal
    }

    fn stored(&self) -> Option<String> {
        json(&self.case.run(&["show", "bob", "--json"]))["profile"]["mfa_serial"].as_str().map(str::to_owned)
    }

    /// No device is left, neither bob's nor nobody's.
    #[track_caller]
    fn has_nothing(&self) {
        assert!(self.case.sim.mfa_device(BOBS).is_none(), "the device is left");
        assert_eq!(self.stored(), None);
    }

    fn seed(&self, serial: &str) -> String {
        let seed = self.case.sim.mfa_device(serial).unwrap().seed_base32();
        self.case.keep_secret("the seed", &seed);
        seed
    }
}

/// What a camera sees of a terminal: the rows of blocks, eight points a module.
fn scan(output: &Output) -> String {
    let text = screen(output);
    let rows: Vec<Vec<char>> = text
        .lines()
        .filter(|line| line.starts_with('█') && line.ends_with('█'))
        .map(|line| line.chars().collect())
        .collect();
    let light = |x: usize, y: usize| match (rows[y / 2][x], y % 2) {
        ('█', _) | ('▀', 0) | ('▄', 1) => true,
        (' ' | '▀' | '▄', _) => false,
        (other, _) => panic!("`{other}` in a QR code"),
    };
    let (scale, width, height) = (8, rows[0].len(), rows.len() * 2);
    let mut image = rqrr::PreparedImage::prepare_from_greyscale(width * scale, height * scale, |x, y| {
        if light(x / scale, y / scale) { 255 } else { 0 }
    });
    let grids = image.detect_grids();
    assert_eq!(grids.len(), 1, "{text}");
    grids[0].decode().unwrap().1
}

#[test]
fn the_code_on_the_screen_is_the_device_and_two_codes_of_it_make_it_the_profiles() {
    let bob = Bob::new();
    let mut terminal = bob.at_terminal(&[]);
    let seed = bob.seed(BOBS);
    let [first, second] = two_codes(&bob.case, BOBS);
    terminal.type_line(&first).expect("The code after it: ").type_line(&second);
    terminal.expect(&format!("bob: enabled MFA device {BOBS} for bob\r\n"));
    terminal.expect("next: vault login bob, with the next code\r\n");
    let (output, _) = terminal.finish();
    output.succeeds();
    assert_eq!(scan(&output), format!("otpauth://totp/AWS:bob@{ACCOUNT}?secret={seed}&issuer=AWS"));
    let coloured = output.screen.lines().filter(|line| line.contains('█'));
    assert!(
        coloured.clone().count() > 20 && coloured.into_iter().all(|line| line.starts_with("\x1b[38;5;231;48;5;16m█"))
    );
    assert_eq!(bob.stored().as_deref(), Some(BOBS));
    let enable = bob.case.sim.requests().into_iter().find(|request| request.action == "EnableMFADevice").unwrap();
    assert_eq!(enable.parameter("UserName"), Some("bob"));
    let code = bob.case.sim.mfa_device(BOBS).unwrap().code();
    bob.case.run(&["login", "bob", "--mfa-code", &code]).succeeds().stderr_has("with MFA until");
}

/// What the usual screen of the terminal shows in the end.
fn left_on_screen(output: &Output) -> String {
    let (before, rest) = output.screen.split_once("\x1b[?1049h").unwrap();
    let (_, after) = rest.split_once("\x1b[?1049l").unwrap();
    format!("{before}{after}")
}

#[test]
fn the_seed_is_off_the_screen_when_it_is_over_however_it_ends() {
    for (flags, ends) in [(&[][..], "enabled"), (&["--show-seed"][..], "enabled"), (&["--show-seed"][..], "aborted")] {
        let bob = Bob::new();
        let mut terminal = bob.at_terminal(flags);
        match ends {
            "enabled" => {
                let [first, second] = two_codes(&bob.case, BOBS);
                terminal.type_line(&first).expect("The code after it: ").type_line(&second);
            }
            _ => {
                terminal.press("\x03");
            }
        }
        let (output, _) = terminal.finish();
        let left = left_on_screen(&output);
        assert!(!left.contains('█') && !left.contains("key:"), "{left}");
        assert!(left.contains(if ends == "enabled" { "bob: enabled" } else { "removed the new device" }), "{left}");
    }
    let bob = Bob::new();
    let mut terminal = bob.case.vault(&["mfa", "enable", "bob"]).variable("TERM", "dumb").on_terminal();
    terminal.expect("No QR code fits this terminal. For the authenticator app").expect(FIRST).press("\x03");
    assert!(!terminal.finish().0.screen.contains("\x1b[?"));
}

#[test]
fn nothing_of_it_goes_to_a_stream_that_is_captured() {
    let bob = Bob::new();
    let mut terminal = bob.case.vault(&["mfa", "enable", "bob"]).on_terminal_captured();
    terminal.expect(FIRST);
    bob.seed(BOBS);
    let [first, second] = two_codes(&bob.case, BOBS);
    terminal.type_line(&first).expect("The code after it: ").type_line(&second);
    let (output, _) = terminal.finish();
    let told = format!("bob: enabled MFA device {BOBS} for bob\nnext: vault login bob, with the next code\n");
    output.succeeds().stdout("").stderr(&told);
}

#[test]
fn wrong_codes_are_told_by_their_name_and_asked_for_again() {
    let bob = Bob::new();
    let mut terminal = bob.at_terminal(&[]);
    bob.seed(BOBS);
    terminal.type_line("000000").expect("The code after it: ").type_line("000001");
    terminal.expect("AWS did not take these two codes (InvalidAuthenticationCode); take the next two.\r\n");
    let [first, second] = two_codes(&bob.case, BOBS);
    terminal.expect(FIRST).type_line(&first).expect("The code after it: ").type_line(&second);
    terminal.finish().0.succeeds();
    assert_eq!((bob.case.sim.count("EnableMFADevice"), bob.stored().as_deref()), (2, Some(BOBS)));
}

#[test]
fn the_seed_is_shown_as_text_where_it_is_asked_for_or_where_no_code_fits() {
    let spaced = |seed: &str| {
        let groups: Vec<&str> = (0..seed.len()).step_by(4).map(|at| &seed[at..(at + 4).min(seed.len())]).collect();
        format!("For the authenticator app, account name bob@{ACCOUNT}, key:\n\n{}\n\n", groups.join(" "))
    };
    let small = "No QR code fits this terminal. ";
    for (flags, size, has_code) in [
        (&["--show-seed"][..], (100, 50), true),
        (&["--show-seed"], (80, 24), false),
        (&[], (40, 50), false),
        (&[], (100, 21), false),
    ] {
        let bob = Bob::new();
        let arguments = [&["mfa", "enable", "bob"], flags].concat();
        let mut terminal = bob.case.vault(&arguments).on_terminal_of(size.0, size.1);
        terminal.expect(FIRST);
        let seed = bob.case.sim.mfa_device(BOBS).unwrap().seed_base32();
        terminal.press("\x04");
        let text = screen(terminal.finish().0.exits(8));
        assert!(text.contains(&spaced(&seed)), "{text}");
        assert_eq!((text.contains('█'), text.contains(small)), (has_code, !has_code), "{size:?}: {text}");
    }
}

#[test]
fn a_terminal_without_colours_shows_the_code_without_them() {
    let bob = Bob::new();
    let mut terminal = bob.case.vault(&["mfa", "enable", "bob"]).variable("NO_COLOR", "1").on_terminal_of(80, 24);
    terminal.expect(FIRST);
    let seed = bob.seed(BOBS);
    terminal.press("\x04");
    let (output, _) = terminal.finish();
    output.exits(8);
    assert!(!output.screen.contains("\x1b[38"), "{}", output.screen);
    assert!(scan(&output).contains(&seed));
}

#[test]
fn a_second_device_is_made_with_a_session_of_the_first() {
    let case = Case::with_prod();
    case.sim.require_mfa_for(&case.alice, &["iam:CreateVirtualMFADevice", "iam:EnableMFADevice"], None);
    let arguments = ["mfa", "enable", "prod", "--device-name", "tablet", "--mfa-code", &case.phone.code()];
    let mut terminal = case.vault(&arguments).on_terminal();
    terminal.expect("First code (alice, account 123456789012): ");
    let tablet = "arn:aws:iam::123456789012:mfa/tablet";
    case.keep_secret("the seed", &case.sim.mfa_device(tablet).unwrap().seed_base32());
    let [first, second] = two_codes(&case, tablet);
    terminal.type_line(&first).expect("The code after it: ").type_line(&second);
    terminal.expect(&format!("prod: enabled MFA device {tablet} for alice\r\n"));
    terminal.expect("codes come from it now; arn:aws:iam::123456789012:mfa/phone stays enabled at AWS\r\n");
    terminal.expect("`vault mfa remove prod arn:aws:iam::123456789012:mfa/phone` switches it off\r\n");
    terminal.finish().0.succeeds();
    let shown = json(&case.run(&["show", "prod", "--json"]));
    assert_eq!(shown["profile"]["mfa_serial"], tablet);
}

#[test]
fn a_device_that_aws_has_no_more_is_not_said_to_stay() {
    let case = Case::with_prod();
    case.login().succeeds();
    case.run(&["mfa", "remove", "prod", "phone", "--yes"]).succeeds();
    let file = case.given("seed");
    case.run(&["mfa", "enable", "prod", "--device-name", "new", "--begin", file.to_str().unwrap()]).succeeds();
    let new = "arn:aws:iam::123456789012:mfa/new";
    case.keep_secret("the seed", &case.sim.mfa_device(new).unwrap().seed_base32());
    let codes = two_codes(&case, new).join(",");
    let told = format!(
        "remove the file that `--begin` wrote: whoever reads it has the device's codes\n\
         prod: enabled MFA device {new} for alice\nnext: vault login prod, with the next code\n"
    );
    case.run(&["mfa", "enable", "prod", "--finish", new, "--codes", &codes]).succeeds().stderr(&told);
}

#[test]
fn a_session_with_mfa_of_a_moment_ago_signs_without_another_code() {
    let case = Case::with_prod();
    case.login().succeeds();
    let actions = ["iam:CreateVirtualMFADevice"];
    case.sim.require_mfa_for(&case.alice, &actions, Some(std::time::Duration::from_secs(3600)));
    case.sim.clear_requests();
    let file = case.given("seed");
    let begin = ["mfa", "enable", "prod", "--device-name", "tablet", "--begin", file.to_str().unwrap()];
    case.run(&begin).succeeds();
    assert_eq!((case.sim.count("GetSessionToken"), case.sim.count("CreateVirtualMFADevice")), (0, 1));
    // Without MFA the key signs, and may not.
    let other = case.given("other");
    let begin = ["mfa", "enable", "prod", "--device-name", "two", "--no-mfa", "--begin", other.to_str().unwrap()];
    case.run(&begin).exits(4).stderr_has("AWS refused CreateVirtualMFADevice");
    assert!(!other.exists());
}

#[test]
fn a_script_begins_and_finishes_in_two_steps() {
    let bob = Bob::new();
    let file = bob.case.given("seed");
    let begun = bob.case.run(&["mfa", "enable", "bob", "--begin", file.to_str().unwrap()]);
    let seed = bob.seed(BOBS);
    begun.succeeds().stdout(&format!("{BOBS}\n")).stderr(&format!(
        "wrote the device's otpauth address to {}; whoever reads it has its codes\n\
         next: vault mfa enable bob --finish {BOBS} --codes CODE,CODE\n",
        file.display()
    ));
    let uri = format!("otpauth://totp/AWS:bob@{ACCOUNT}?secret={seed}&issuer=AWS\n");
    assert_eq!((std::fs::read_to_string(&file).unwrap(), mode(&file)), (uri, 0o600));
    assert_eq!(bob.stored(), None);

    let wrong = bob.case.run(&["mfa", "enable", "bob", "--finish", BOBS, "--codes", "000000,000001"]);
    wrong.exits(4).stderr(&error_and_hint(
        "AWS refused the two MFA codes (InvalidAuthenticationCode): Authentication code for device is not valid.",
        &format!("say `--finish {BOBS} --codes` again with the next two, or `--abort {BOBS}`"),
    ));
    let codes = two_codes(&bob.case, BOBS).join(",");
    let finish = ["mfa", "enable", "bob", "--finish", BOBS, "--codes", &codes];
    bob.case.run(&finish).succeeds().stdout("").stderr_has(&format!("bob: enabled MFA device {BOBS} for bob\n"));
    assert_eq!(bob.stored().as_deref(), Some(BOBS));
}

#[test]
fn to_finish_again_what_is_enabled_stores_it() {
    let bob = Bob::new();
    let file = bob.case.given("seed");
    bob.case.run(&["mfa", "enable", "bob", "--begin", file.to_str().unwrap()]).succeeds();
    bob.seed(BOBS);
    bob.case.sim.fail(Failure::on("EnableMFADevice").kind(Kind::AfterApplied));
    bob.case.sim.fail(Failure::on("ListMFADevices").kind(Kind::BeforeSend).lasting());
    let codes = two_codes(&bob.case, BOBS).join(",");
    let finish = ["mfa", "enable", "bob", "--finish", BOBS, "--codes", &codes];
    bob.case.run(&finish).exits(5);
    bob.case.sim.stop_failing();
    bob.case.run(&finish).succeeds();
    assert_eq!(bob.stored().as_deref(), Some(BOBS));
    let kept = bob.case.run(&["mfa", "enable", "bob", "--abort", BOBS, "--no-mfa"]);
    kept.exits(4).stderr_has("MFA VirtualDevice in use. Must deactivate first.");
}

#[test]
fn a_name_that_is_taken_and_a_terminal_that_is_missing_are_told_with_the_way_on() {
    let bob = Bob::new();
    bob.case.run(&["mfa", "enable", "bob"]).exits(8).stderr(&error_and_hint(
        "there is no terminal to draw the QR code on",
        "`vault mfa enable bob --begin FILE`, then `--finish`, do it in two steps",
    ));
    assert_eq!(bob.case.sim.requests(), []);
    let file = bob.case.given("one");
    bob.case.run(&["mfa", "enable", "bob", "--begin", file.to_str().unwrap()]).succeeds();
    bob.seed(BOBS);
    let other = bob.case.given("two");
    let output = bob.case.run(&["mfa", "enable", "bob", "--begin", other.to_str().unwrap()]);
    let hint = format!(
        "`--device-name NAME` makes another; if nobody has it, `vault mfa enable bob --abort {BOBS}` removes it"
    );
    output.exits(1).stderr(&error_and_hint(&format!("there is an MFA device {BOBS} already"), &hint));
    assert!(!other.exists());
    let codes = two_codes(&bob.case, BOBS).join(",");
    bob.case.run(&["mfa", "enable", "bob", "--finish", BOBS, "--codes", &codes]).succeeds();
    let code = bob.case.sim.mfa_device(BOBS).unwrap().code();
    let again = ["mfa", "enable", "bob", "--begin", other.to_str().unwrap(), "--mfa-code", &code];
    let hint = format!("`--device-name NAME` makes another; `vault mfa remove bob {BOBS}` removes that one");
    let message = format!("there is an MFA device {BOBS} already, and it is the user's");
    bob.case.run(&again).exits(1).stderr(&error_and_hint(&message, &hint));
    assert!(!other.exists());
    bob.case.run(&["mfa", "enable", "bob", "--device-name", "a b"]).exits(2);
}
