//! The terminal's law: prompts go to the device, nothing that is typed hidden shows, and however it ends the terminal is as
//! it was.

use rustix::process::Signal;

use crate::program::{Case, PASSPHRASE};

#[test]
fn everything_is_asked_on_the_terminal_though_stdin_stdout_and_stderr_go_elsewhere() {
    let case = Case::with_prod();
    let mut terminal = case.vault(&["env", "prod"]).asking().on_terminal_captured();
    terminal.expect("Passphrase for ~/.local/share/vault/vault.age: ").type_line("wrong passphrase");
    terminal.expect("Wrong passphrase, try again").expect("Passphrase for").type_line(PASSPHRASE);
    terminal.expect("MFA code for prod (alice, account 123456789012").type_line(&case.phone.code());
    let (output, echoes) = terminal.finish();
    output.succeeds().stdout_has("export AWS_SESSION_TOKEN=").stderr("");
    assert!(echoes && !output.screen.contains("AWS_SESSION_TOKEN"));
}

#[test]
fn a_passphrase_that_is_wrong_three_times_ends_it() {
    let case = Case::with_vault();
    let mut terminal = case.vault(&["list"]).asking().on_terminal_captured();
    for _ in 0..3 {
        terminal.expect("Passphrase for").type_line("wrong passphrase");
    }
    let (output, echoes) = terminal.finish();
    output.refuses(3, "wrong passphrase").hints("--identity");
    assert!(echoes);
}

#[test]
fn ctrl_c_and_every_ending_signal_at_a_hidden_prompt_give_the_terminal_back() {
    let case = Case::with_vault();
    for (keys, signal) in [("\x03", Signal::INT), ("", Signal::QUIT), ("", Signal::TERM), ("", Signal::HUP)] {
        let mut terminal = case.vault(&["list"]).asking().on_terminal();
        terminal.expect("Passphrase for").expect_hidden();
        if keys.is_empty() {
            terminal.signal(signal)
        } else {
            terminal.press(keys)
        };
        let (output, echoes) = terminal.finish();
        output.dies_of(signal);
        assert!(echoes, "echo stays off after {signal:?}");
    }
}

#[test]
fn ctrl_c_at_the_code_prompt_changes_nothing() {
    let case = Case::with_prod();
    let mut terminal = case.vault(&["login", "prod"]).on_terminal();
    terminal.expect("MFA code for prod").press("\x03");
    let (output, echoes) = terminal.finish();
    output.dies_of(Signal::INT);
    assert!(echoes && !case.credentials().exists());
    assert_eq!(case.sim.requests().len(), 0);
    case.login().succeeds();
}

#[test]
fn the_end_of_input_at_a_prompt_is_no_empty_answer() {
    let case = Case::with_prod();
    let mut terminal = case.vault(&["list"]).asking().on_terminal_captured();
    terminal.expect("Passphrase for").expect_hidden().press("\x04");
    terminal.finish().0.refuses(3, "no passphrase was typed");
    let mut terminal = case.vault(&["login", "prod"]).on_terminal_captured();
    terminal.expect("MFA code").press("\x04");
    terminal.finish().0.refuses(8, "no code was typed");
}

#[test]
fn without_a_terminal_the_twin_of_the_prompt_is_named() {
    let case = Case::with_prod();
    case.vault(&["list"]).asking().run().refuses(3, "no terminal to ask for the passphrase").hints("--passphrase-file");
    case.run(&["login", "prod"]).refuses(8, "needs an MFA code and there is no terminal").hints("--mfa-code");
    case.vault(&["add", "x"]).run().refuses(8, "no terminal to ask for the access key").hints("--from-csv");
}
