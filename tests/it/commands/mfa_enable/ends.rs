//! However it ends before the device is enabled: none is left, or one that is named.

use aws_sim::{Failure, Kind};
use rustix::process::Signal;

use super::{BOBS, Bob};
use crate::commands::mfa::two_codes;
use crate::commands::{VAULT, error, screen, warning};

#[test]
fn ctrl_c_and_signals_at_either_question_leave_no_device() {
    for question in ["first", "second"] {
        for signal in [Signal::INT, Signal::TERM, Signal::HUP, Signal::QUIT] {
            let bob = Bob::new();
            let mut terminal = bob.at_terminal(&[]);
            bob.seed(BOBS);
            if question == "second" {
                terminal.type_line("123456").expect("The code after it: ");
            }
            match signal {
                Signal::INT => terminal.press("12\x03"),
                other => terminal.signal(other),
            };
            let (output, echoes) = terminal.finish();
            output.dies_of(signal);
            assert!(echoes, "{signal:?} leaves the terminal dumb");
            assert!(screen(&output).contains(&format!("removed the new device {BOBS} again\n")), "{}", output.screen);
            bob.has_nothing();
        }
    }
}

#[test]
fn the_end_of_input_leaves_no_device() {
    let bob = Bob::new();
    let mut terminal = bob.at_terminal(&[]);
    bob.seed(BOBS);
    terminal.press("\x04");
    let (output, _) = terminal.finish();
    output.exits(8);
    let end = format!("removed the new device {BOBS} again\n{}", error("no answer; nothing was changed"));
    assert!(screen(&output).ends_with(&end), "{}", output.screen);
    bob.has_nothing();
}

#[test]
fn a_signal_while_aws_is_asked_to_make_the_device_leaves_none() {
    let slow = std::time::Duration::from_secs(2);
    let reached = |bob: &Bob| {
        let started = std::time::Instant::now();
        while bob.case.sim.count("CreateVirtualMFADevice") == 0 {
            assert!(started.elapsed().as_secs() < 30, "it was never asked");
            std::thread::yield_now();
        }
    };
    let bob = Bob::new();
    bob.case.sim.fail(Failure::on("CreateVirtualMFADevice").kind(Kind::Delay(slow)));
    let mut terminal = bob.case.vault(&["mfa", "enable", "bob"]).on_terminal();
    reached(&bob);
    terminal.signal(Signal::TERM);
    terminal.finish().0.dies_of(Signal::TERM);
    bob.has_nothing();

    let bob = Bob::new();
    bob.case.sim.fail(Failure::on("CreateVirtualMFADevice").kind(Kind::Delay(slow)));
    let file = bob.case.given("seed");
    let begin = bob.case.vault(&["mfa", "enable", "bob", "--begin", file.to_str().unwrap()]).start();
    reached(&bob);
    rustix::process::kill_process(rustix::process::Pid::from_raw(begin.id() as i32).unwrap(), Signal::TERM).unwrap();
    begin.finish().dies_of(Signal::TERM).stdout("");
    assert!(!file.exists());
    bob.has_nothing();
}

#[test]
fn a_refusal_leaves_no_device() {
    let bob = Bob::new();
    bob.case.sim.deny(&bob.user, "iam:EnableMFADevice");
    let mut terminal = bob.at_terminal(&[]);
    bob.seed(BOBS);
    terminal.type_line("123456").expect("The code after it: ").type_line("234567");
    let (output, _) = terminal.finish();
    output.exits(4);
    let hint = "an administrator can allow iam:EnableMFADevice: `vault policy show self-management --profile bob`";
    assert!(screen(&output).ends_with(&format!("vault: hint: {hint}\n")), "{}", output.screen);
    bob.has_nothing();
}

#[test]
fn a_device_that_can_not_be_removed_is_named_with_the_command_that_removes_it() {
    let bob = Bob::new();
    bob.case.sim.deny(&bob.user, "iam:DeleteVirtualMFADevice");
    let mut terminal = bob.at_terminal(&[]);
    bob.seed(BOBS);
    terminal.press("\x03");
    let (output, _) = terminal.finish();
    output.dies_of(Signal::INT);
    let warned = warning(&format!("the new device {BOBS} is still there: AWS refused DeleteVirtualMFADevice: User: "));
    let text = screen(&output);
    assert!(text.contains(warned.trim_end()), "{text}");
    let command = format!("vault: hint: `vault mfa enable bob --abort {BOBS}` removes it\n");
    assert!(text.ends_with(&command), "{text}");
    bob.case.sim.allow(&bob.user, "iam:DeleteVirtualMFADevice");
    bob.case.run(&["mfa", "enable", "bob", "--abort", BOBS]).succeeds().stdout("").stderr(&format!("removed {BOBS}\n"));
    bob.has_nothing();
}

#[test]
fn a_lost_answer_is_decided_by_what_aws_lists() {
    let bob = Bob::new();
    let mut terminal = bob.at_terminal(&[]);
    bob.seed(BOBS);
    bob.case.sim.fail(Failure::on("EnableMFADevice").kind(Kind::AfterApplied));
    let [first, second] = two_codes(&bob.case, BOBS);
    terminal.type_line(&first).expect("The code after it: ").type_line(&second);
    terminal.finish().0.succeeds();
    assert_eq!(bob.stored().as_deref(), Some(BOBS));

    let bob = Bob::new();
    let mut terminal = bob.at_terminal(&[]);
    bob.seed(BOBS);
    bob.case.sim.fail(Failure::on("EnableMFADevice").kind(Kind::BeforeSend));
    terminal.type_line("123456").expect("The code after it: ").type_line("234567");
    terminal.finish().0.exits(5);
    bob.has_nothing();
}

#[test]
fn a_device_whose_making_was_never_answered_is_named() {
    let bob = Bob::new();
    bob.case.sim.fail(Failure::on("CreateVirtualMFADevice").kind(Kind::AfterApplied));
    let file = bob.case.given("seed");
    let output = bob.case.run(&["mfa", "enable", "bob", "--begin", file.to_str().unwrap()]);
    output.exits(5).stderr_has("; the device may have been made\n");
    output.stderr_has(&format!("vault: hint: `vault mfa enable bob --abort {BOBS}` removes it if it was\n"));
    assert!(!file.exists());
    bob.case.run(&["mfa", "enable", "bob", "--abort", BOBS]).succeeds();
    bob.has_nothing();
}

#[test]
fn a_file_that_can_not_be_written_leaves_no_device() {
    let bob = Bob::new();
    let taken = bob.case.give("taken", "");
    let output = bob.case.run(&["mfa", "enable", "bob", "--begin", taken.to_str().unwrap()]);
    output.exits(1);
    assert_eq!(bob.case.sim.requests(), []);
    bob.has_nothing();
}

#[test]
fn a_serial_that_nobody_can_be_given_leaves_no_device_and_no_seed() {
    let bob = Bob::new();
    let file = bob.case.given("seed");
    let script = format!("exec '{VAULT}' mfa enable bob --begin '{}' > /dev/full", file.display());
    let run = bob.case.command("sh", &["-c", &script]).variable("VAULT_IDENTITY", bob.case.given("recovery.txt")).run();
    run.exits(1).stderr_has("removed the new device").stderr_has("can't write to standard output");
    assert!(!file.exists());
    bob.has_nothing();
}
