//! `vault completions`.

use std::os::unix::fs::symlink;

use super::{VAULT, error};
use crate::program::Case;

const SHELLS: [&str; 6] = ["bash", "zsh", "fish", "nushell", "elvish", "powershell"];

/// Every command that the help names.
fn commands(case: &Case) -> Vec<String> {
    let help = case.run(&["help"]);
    let lines = help.succeeds().out.lines().skip_while(|line| *line != "Commands:").skip(1);
    // What goes on in a second line is further in.
    let names = lines.map_while(|line| line.strip_prefix("  ")).map(|line| line.split(' ').next().unwrap());
    names.filter(|name| !name.is_empty()).map(str::to_owned).collect()
}

#[test]
fn every_shell_is_told_of_every_command_and_nothing_is_opened_for_it() {
    let case = Case::new();
    let commands = commands(&case);
    assert!(commands.len() > 30 && commands.contains(&"credential-process".to_owned()), "{commands:?}");
    for shell in SHELLS {
        let run = case.vault(&["completions", shell]).asking().run();
        let script = &run.succeeds().stderr("").out;
        for command in &commands {
            assert!(script.contains(command.as_str()), "{shell}: {command}");
        }
        for flag in ["max-duration", "passphrase-file", "switch-role"] {
            assert!(script.contains(flag), "{shell}: {flag}");
        }
    }
    assert!(!case.home().join(".local").exists());
}

/// The help of `--shell` has such lines, to be typed.
#[test]
fn no_script_has_a_command_in_it_that_its_shell_would_run_to_explain_a_value() {
    let case = Case::new();
    case.run(&["env", "--help"]).succeeds().stdout_has("eval \"$(vault env NAME)\"");
    for shell in SHELLS {
        let run = case.run(&["completions", shell]);
        assert!(!run.succeeds().out.contains("$(vault env"), "{shell}");
    }
}

#[test]
fn another_shell_is_a_usage_error_that_names_those_there_are() {
    let run = Case::new().run(&["completions", "tcsh"]);
    run.refuses(2, "invalid value 'tcsh' for '<SHELL>'");
    run.stderr_has("[possible values: bash, zsh, fish, nushell, elvish, powershell]");
    assert_ne!(run.err, error(""));
}

#[test]
fn bash_completes_commands_subcommands_and_flags() {
    let case = Case::new();
    symlink(VAULT, case.given("vault")).unwrap();
    for (line, expected) in [
        ("vault rot", "rotate\n"),
        ("vault keys di", "disable\n"),
        ("vault login --no-exp", "--no-export\n"),
        ("vault env --shell po", "powershell\n"),
        ("vault completions nu", "nushell\n"),
    ] {
        let script = format!(
            "source <(vault completions bash)\nCOMP_WORDS=({line})\nCOMP_CWORD=$((${{#COMP_WORDS[@]}} - 1))\n\
             _vault vault \"${{COMP_WORDS[COMP_CWORD]}}\" \"${{COMP_WORDS[COMP_CWORD - 1]}}\"\nprintf '%s\\n' \"${{COMPREPLY[@]}}\""
        );
        let path = format!("{}:/usr/bin:/bin", case.given("").display());
        let run = case.command("bash", &["--norc", "-euc", &script]).variable("PATH", path).run();
        run.succeeds().stdout(expected).stderr("");
    }
}

#[test]
fn the_script_is_for_the_name_that_the_program_was_started_by_if_that_is_a_plain_word() {
    let case = Case::new();
    for (name, called) in [("aws-keys", "aws-keys"), ("va;ult $(exit)", "vault"), ("-x", "vault")] {
        let linked = case.given(name);
        symlink(VAULT, &linked).unwrap();
        let run = case.vault_as(&linked, &["completions", "bash"]).run();
        run.succeeds().stdout_has(&format!("-o default {called}\n"));
        assert!(!run.out.contains("exit)"), "{name}");
    }
}
