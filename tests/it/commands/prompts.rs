//! Prompts: at the terminal whatever is captured, and the terminal as it was whatever ends them.

use rustix::process::Signal;

use super::{PHONE, VAULT, error, error_and_hint, screen};
use crate::program::{Case, Invocation, PASSPHRASE, Terminal};

/// A command stopped at a prompt that hides what is typed.
struct Hidden {
    name: &'static str,
    arguments: Vec<&'static str>,
    has_vault: bool,
    /// What is asked before, and the answers.
    before: Vec<(&'static str, &'static str)>,
    prompt: &'static str,
}

fn hidden_prompts() -> Vec<Hidden> {
    let init = || vec!["init", "--kdf", "small", "--no-recovery"];
    let new_key = vec!["add", "prod", "--access-key-id", "AKIAIOSFODNN7EXAMPLE"];
    let opening = ("Passphrase for ~/.local/share/vault/vault.age: ", PASSPHRASE);
    let hidden = |name, arguments, has_vault, before, prompt| Hidden { name, arguments, has_vault, before, prompt };
    vec![
        hidden("opening", vec!["list"], true, vec![], opening.0),
        hidden("opening again", vec!["list"], true, vec![(opening.0, "wrong")], opening.0),
        hidden("a new passphrase", init(), false, vec![], "New passphrase: "),
        hidden("the same again", init(), false, vec![("New passphrase: ", PASSPHRASE)], "The same again: "),
        hidden(
            "a generated passphrase",
            [init(), vec!["--generate"]].concat(),
            false,
            vec![],
            "Type it once, to show that you have it: ",
        ),
        hidden("a secret key", new_key, true, vec![opening], "Secret access key of AKIA...MPLE: "),
    ]
}

impl Hidden {
    fn case(&self) -> Case {
        if self.has_vault { Case::with_vault() } else { Case::new() }
    }

    /// At the prompt, with part of a secret typed.
    fn reach<'a>(&self, case: &'a Case) -> Terminal<'a> {
        let mut terminal = case.vault(&self.arguments).asking().on_terminal();
        for (prompt, answer) in &self.before {
            terminal.expect(prompt).type_line(answer);
        }
        terminal.expect(self.prompt);
        terminal
    }
}

#[test]
fn ctrl_c_and_signals_at_a_hidden_prompt_give_the_terminal_back_and_end_the_program_by_that_signal() {
    for prompt in hidden_prompts() {
        for signal in [Signal::INT, Signal::TERM, Signal::HUP, Signal::QUIT] {
            let case = prompt.case();
            let before = case.vault_file().exists();
            let mut terminal = prompt.reach(&case);
            assert!(!terminal.echoes(), "{}: the prompt is there before echo is off", prompt.name);
            match signal {
                Signal::INT => terminal.press("half a sec\x03"),
                // Nothing typed before: it would reach the terminal after the signal now and then, and be echoed rightly.
                other => terminal.signal(other),
            };
            let (output, echoes) = terminal.finish();
            output.dies_of(signal);
            assert!(echoes, "{}: {signal:?} leaves the terminal dumb", prompt.name);
            assert!(!output.screen.contains("half"), "{}", output.screen);
            assert_eq!(case.vault_file().exists(), before, "{}", prompt.name);
        }
    }
}

#[test]
fn the_end_of_input_at_a_hidden_prompt_is_no_answer() {
    for prompt in hidden_prompts() {
        let case = prompt.case();
        let before = case.vault_file().exists();
        let mut terminal = prompt.reach(&case);
        terminal.press("\x04");
        let (output, echoes) = terminal.finish();
        let (code, told) = match prompt.name {
            "opening" | "opening again" => (3, "no passphrase was typed; the vault stays locked"),
            _ => (8, "no answer; nothing was changed"),
        };
        output.exits(code);
        assert!(echoes && screen(&output).ends_with(&error(told)), "{}: {}", prompt.name, output.screen);
        assert_eq!(case.vault_file().exists(), before, "{}", prompt.name);
    }
}

#[test]
fn prompts_and_answers_go_by_the_terminal_where_every_stream_is_captured() {
    let case = Case::with_prod();
    let mut terminal = case.vault(&["get", "prod", "aws_access_key_id"]).asking().on_terminal_captured();
    terminal.expect("Passphrase for ~/.local/share/vault/vault.age: ").type_line(PASSPHRASE);
    terminal.expect("MFA code for prod (alice, account 123456789012, arn:aws:iam::123456789012:mfa/phone): ");
    terminal.type_line(&case.phone.code());
    let (output, echoes) = terminal.finish();
    output.succeeds().stderr("");
    assert!(echoes && case.sim.session(&output.out).is_some(), "{}", output.out);
}

#[test]
fn a_job_in_the_background_is_told_that_nobody_can_be_asked_instead_of_being_stopped() {
    let case = Case::with_prod();
    let job = |arguments: &str| format!("set -m; '{VAULT}' {arguments} & wait $!; echo \"exit $?\"");
    let (list, login) = (job("list"), job("login prod"));
    let jobs = [(case.command("sh", &["-c", &list]), 3), (case.vault_as("sh", &["-c", &login]), 8)];
    for (job, code) in jobs {
        let mut terminal = job.on_terminal();
        terminal.expect("there is no terminal to ask").expect(&format!("exit {code}\r\n"));
        terminal.finish().0.succeeds();
    }
}

#[test]
fn nothing_but_the_answer_is_captured_from_a_new_vault() {
    let case = Case::new();
    let mut terminal = case.vault(&["init", "--kdf", "small", "--no-recovery"]).asking().on_terminal_captured();
    terminal.expect("New passphrase: ").type_line(PASSPHRASE).expect("The same again: ").type_line(PASSPHRASE);
    let (output, _) = terminal.finish();
    output.succeeds().stdout("").stderr("made the vault ~/.local/share/vault/vault.age\nnext: vault add NAME\n");
}

#[test]
fn a_code_is_asked_for_three_times_and_told_from_one_that_can_not_be_one() {
    let case = Case::with_prod();
    let mut terminal = case.vault(&["login", "prod"]).on_terminal();
    terminal.expect("MFA code for prod").type_line("12345").expect("A code is six digits.\r\n");
    terminal.expect("MFA code for prod").type_line(&case.phone.wrong_code());
    terminal.expect("AWS did not take that code; wait for the next one.\r\n");
    let code = case.phone.code();
    terminal.expect("MFA code for prod").type_line(&format!(" {} {} ", &code[..3], &code[3..]));
    terminal.expect("prod: signed in as alice in account 123456789012 with MFA until ");
    terminal.finish().0.succeeds();
    assert_eq!(case.sim.count("GetSessionToken"), 2, "what is no code was never sent");
}

#[test]
fn three_bad_codes_end_it() {
    let case = Case::with_prod();
    let mut terminal = case.vault(&["login", "prod"]).on_terminal();
    for _ in 0..3 {
        terminal.expect("MFA code for prod").type_line("nothing");
    }
    let (output, _) = terminal.finish();
    output.exits(2);
    let hint = format!(
        "the same again with `--mfa-code CODE`, the six digits that {PHONE} shows; `vault mfa list prod` names the devices that there are"
    );
    let told = error_and_hint("the code that was typed is not six digits; nothing was sent", &hint);
    assert!(screen(&output).ends_with(&told), "{}", output.screen);
    assert_eq!(case.sim.requests(), []);
}

#[test]
fn a_code_that_was_used_is_told_before_it_is_sent_and_another_is_asked_for() {
    let case = Case::with_prod();
    let code = case.phone.code();
    case.run(&["login", "prod", "--mfa-code", &code]).succeeds();
    case.sim.clear_requests();
    let mut terminal = case.vault(&["login", "prod", "--force"]).on_terminal();
    terminal.expect("MFA code for prod").type_line(&code).expect("That code was used already; the next comes in ");
    terminal.expect("MFA code for prod").type_line(&case.phone.code());
    terminal.finish().0.succeeds();
    let [request] = &case.sim.requests()[..] else { panic!("{:?}", case.sim.requests()) };
    assert!(request.action == "GetSessionToken" && request.succeeded());
}

#[test]
fn the_end_of_input_and_signals_at_an_open_prompt_change_nothing() {
    let case = Case::with_prod();
    let role = ["add", "admin", "--role-arn", "arn:aws:iam::123456789012:role/admin", "--source-profile", "prod"];
    case.run(&role).succeeds();
    case.run(&["login", "admin", "--mfa-code", &case.phone.code()]).exits(4);
    let before = std::fs::read(case.vault_file()).unwrap();
    case.sim.clear_requests();
    let asked: [(&[&str], &str, &str); 7] = [
        (&["keys", "disable", "prod"], "[y/N] ", "no answer; nothing was changed"),
        (&["keys", "delete", "prod"], "[y/N] ", "no answer; nothing was changed"),
        (&["login"], "Profile: ", "no answer; nothing was changed"),
        (&["login", "prod", "--force"], "MFA code for prod", "no code was typed; nothing was changed"),
        (&["add", "other"], "Access key id for other: ", "no answer; nothing was changed"),
        (&["remove", "prod"], "[y/N] ", "no answer; nothing was changed"),
        (&["reveal", "prod"], "Type `prod` to go on: ", "no answer; nothing was changed"),
    ];
    for (arguments, prompt, told) in asked {
        let mut terminal = case.vault(arguments).on_terminal();
        terminal.expect(prompt).press("\x04");
        let (output, _) = terminal.finish();
        output.exits(8);
        assert!(screen(&output).ends_with(&error(told)), "{}", output.screen);
        for signal in [Signal::INT, Signal::TERM, Signal::HUP, Signal::QUIT] {
            let mut terminal = case.vault(arguments).on_terminal();
            terminal.expect(prompt);
            match signal {
                Signal::INT => terminal.press("\x03"),
                other => terminal.signal(other),
            };
            let (output, echoes) = terminal.finish();
            output.dies_of(signal);
            assert!(echoes, "{arguments:?}: {signal:?} leaves the terminal dumb");
        }
    }
    assert_eq!(std::fs::read(case.vault_file()).unwrap(), before);
    let reads = ["GetCallerIdentity", "ListAccessKeys", "GetAccessKeyLastUsed"];
    let changes: Vec<String> = case.sim.requests().into_iter().map(|request| request.action).collect();
    assert!(changes.iter().all(|action| reads.contains(&action.as_str())), "{changes:?}");
    assert!(!case.credentials().exists());
}

/// So many of a script at once, each of which finds the vault locked; what each prints goes into a file of its own.
fn several<'a>(case: &'a Case, out: &'a str) -> Invocation<'a> {
    let script =
        "for n in 1 2 3 4 5 6; do \"$0\" list > \"$1/$n\" & done; wait; stty -a | grep -q -- ' -echo ' || echo over";
    case.command("sh", &["-c", script, VAULT, out]).asking()
}

fn out(case: &Case) -> std::path::PathBuf {
    let out = case.given("out");
    std::fs::create_dir(&out).unwrap();
    out
}

fn all_were_served(out: &std::path::Path) {
    for n in 1..=6 {
        let listed = std::fs::read_to_string(out.join(n.to_string())).unwrap();
        assert!(listed.contains("prod"), "{n}: {listed}");
    }
}

#[test]
fn of_several_that_find_the_vault_locked_one_asks_and_its_answer_is_for_all() {
    let case = Case::with_prod();
    let out = out(&case);
    let mut terminal = several(&case, out.to_str().unwrap()).without_variable("VAULT_NO_AGENT").on_terminal();
    terminal.expect("Passphrase for ").expect_hidden().type_line(PASSPHRASE);
    terminal.expect("over\r\n");
    let (output, _) = terminal.finish();
    case.run(&["agent", "stop"]);
    output.succeeds();
    assert_eq!(screen(&output).matches("Passphrase for").count(), 1, "{}", output.screen);
    all_were_served(&out);
}

#[test]
fn where_each_has_to_ask_they_ask_one_after_the_other_and_nothing_of_an_answer_shows() {
    let case = Case::with_prod();
    let out = out(&case);
    let mut terminal = several(&case, out.to_str().unwrap()).on_terminal();
    for _ in 1..=6 {
        terminal.expect("Passphrase for ").expect_hidden().type_line(PASSPHRASE);
        let rest = terminal.rest_of_line();
        assert!(!rest.contains("Passphrase"), "two prompts at once: {rest}");
    }
    terminal.expect("over\r\n");
    terminal.finish().0.succeeds();
    all_were_served(&out);
    let turns = case.home().join(".local/state/vault/turns");
    assert_eq!(std::fs::read_dir(turns).unwrap().count(), 0, "something is left of their turns");
}
