//! `env` in the words of each shell, and its undoing. That the shells take them so is tried in judges/shells.rs.

use super::{VAULT, error, error_and_hint, json};
use crate::program::{Case, files_below};

const CARRIERS: [&str; 8] = [
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_SECURITY_TOKEN",
    "AWS_CREDENTIAL_EXPIRATION",
    "AWS_REGION",
    "AWS_DEFAULT_REGION",
    "AWS_VAULT",
];

/// With a cached session, so that nothing is asked.
fn signed_in() -> Case {
    let case = Case::with_prod();
    case.run(&["login", "prod", "--no-export", "--mfa-code", &case.phone.code()]).succeeds();
    case
}

#[test]
fn what_takes_the_variables_back_needs_no_vault_no_profile_and_no_network() {
    let case = Case::new();
    let output = case.run(&["env", "--unset"]);
    let expected: String = CARRIERS.iter().map(|name| format!("unset {name};\n")).collect();
    output.succeeds().stdout(&expected).stderr("");
    // As a person has it who goes back to the line before and adds to it.
    case.run(&["env", "no-such-profile", "--unset"]).succeeds().stdout(&expected).stderr("");
    let document = json(&case.run(&["env", "--unset", "--shell", "json"]));
    assert_eq!((&document["set"], &document["unset"]), (&serde_json::json!({}), &serde_json::json!(CARRIERS)));
    assert_eq!((case.sim.requests(), files_below(&case.home())), (vec![], vec![]));
}

#[test]
fn a_shell_is_after_unset_as_it_was_before_env() {
    let case = signed_in();
    case.run(&["set", "prod", "region=eu-central-1"]).succeeds();
    let identity = case.given("recovery.txt");
    for env in ["env prod", "env prod --legacy-token", "login prod --env"] {
        let script = format!(
            "set -eu; env | sort > before; eval \"$('{VAULT}' {env})\"; test \"$AWS_VAULT $AWS_REGION\" = 'prod \
             eu-central-1'; eval \"$('{VAULT}' env --unset)\"; env | sort | diff before -"
        );
        let output = case.command("sh", &["-c", &script]).variable("VAULT_IDENTITY", &identity).run();
        let differs: Vec<&str> = output.out.lines().filter(|line| line.starts_with(['<', '>'])).collect();
        // What leads into the vault is not handed on, and does not come back.
        assert_eq!(differs, [&*format!("< VAULT_IDENTITY={}", identity.display()), "< VAULT_NO_AGENT=1"]);
    }
}

#[test]
fn an_eval_without_quotes_does_as_well() {
    let case = signed_in();
    let token = case.run(&["get", "prod", "aws_session_token"]).succeeds().out.clone();
    let script = format!("set -eu; eval $('{VAULT}' env prod); printf %s \"$AWS_SESSION_TOKEN\"");
    let run = case.command("sh", &["-c", &script]).variable("VAULT_IDENTITY", case.given("recovery.txt")).run();
    run.succeeds().stdout(&token).stderr("");
}

#[test]
fn what_asks_for_a_session_can_not_be_said_with_unset() {
    let case = Case::new();
    for flag in [&["--force"][..], &["--no-mfa"], &["--legacy-token"], &["--mfa-code", "123456"], &["--min-ttl", "1h"]]
    {
        let output = case.run(&[&["env", "--unset"], flag].concat());
        output.exits(2).stdout("").stderr_has("does not go together with");
    }
}

#[test]
fn a_file_of_variables_can_not_take_any_away() {
    let told = error_and_hint(
        "a dotenv file can't take variables away",
        "name the shell that the variables are to be taken from, such as `vault env --unset --shell sh`",
    );
    Case::new().run(&["env", "--unset", "--shell", "dotenv"]).exits(2).stdout("").stderr(&told);
}

#[test]
fn a_value_that_a_shell_can_not_be_given_is_refused_by_its_name_and_nothing_is_printed() {
    let case = Case::with_prod();
    case.sim.set_session_token("%PATH%&'`$(date)`!\"^;#");
    let hint = "`vault exec NAME -- COMMAND` needs no shell; `vault env NAME --shell json` holds any value";
    let told = error_and_hint("cmd can't be given AWS_SESSION_TOKEN: its value holds one of \" % !", hint);
    let code = case.phone.code();
    case.run(&["env", "prod", "--shell", "cmd", "--mfa-code", &code]).exits(1).stdout("").stderr(&told);
    let what = "a dotenv file can't be given AWS_SESSION_TOKEN: its value holds characters that the readers of such files \
                take differently";
    case.run(&["env", "prod", "--shell", "dotenv"]).exits(1).stdout("").stderr(&error_and_hint(what, hint));
    let token = &json(&case.run(&["env", "prod", "--shell", "json"]))["set"]["AWS_SESSION_TOKEN"];
    assert_eq!(token, "%PATH%&'`$(date)`!\"^;#");
    assert_eq!(case.sim.count("GetSessionToken"), 1, "the code is not lost");
}

#[test]
fn the_tokens_old_name_is_set_for_who_asks_for_it_and_else_taken_away() {
    let case = signed_in();
    let names = |document: &serde_json::Value| -> Vec<String> { serde_json::from_value(document.clone()).unwrap() };
    let plain = json(&case.run(&["env", "prod", "--shell", "json"]));
    assert!(plain["set"]["AWS_SECURITY_TOKEN"].is_null());
    assert!(names(&plain["unset"]).contains(&"AWS_SECURITY_TOKEN".to_owned()));
    let legacy = json(&case.run(&["env", "prod", "--legacy-token", "--shell", "json"]));
    assert_eq!(legacy["set"]["AWS_SECURITY_TOKEN"], plain["set"]["AWS_SESSION_TOKEN"]);
    assert!(!names(&legacy["unset"]).contains(&"AWS_SECURITY_TOKEN".to_owned()));
}

#[test]
fn the_words_are_those_of_sh_whatever_shell_a_person_logs_in_with() {
    let case = signed_in();
    let of_sh = case.run(&["env", "prod"]).succeeds().out.clone();
    case.vault(&["env", "prod"]).variable("SHELL", "/usr/bin/fish").run().succeeds().stdout(&of_sh);
    for name in ["bash", "zsh", "dash", "ksh"] {
        case.run(&["env", "prod", "--shell", name]).succeeds().stdout(&of_sh);
    }
}

#[test]
fn login_prints_variables_in_the_same_words_as_env() {
    let case = signed_in();
    for shell in ["sh", "fish", "powershell", "cmd", "nushell", "dotenv", "json"] {
        let of_env = case.run(&["env", "prod", "--shell", shell]).succeeds().out.clone();
        let of_login = case.run(&["login", "prod", "--env", "--shell", shell]);
        of_login.succeeds().stdout(&of_env).stderr_has("prod: still signed in as alice");
    }
    let alone = case.run(&["login", "prod", "--shell", "fish"]);
    alone.exits(2).stdout("").stderr_has("required arguments were not provided").stderr_has("--env");
    assert!(!case.credentials().exists());
}

#[test]
fn where_there_is_no_session_nothing_is_printed_for_a_shell_to_evaluate() {
    let case = Case::with_prod();
    for shell in ["sh", "fish", "powershell", "cmd", "nushell", "dotenv", "json"] {
        let output = case.run(&["env", "prod", "--shell", shell]);
        output.exits(8).stdout("").stderr_has("`prod` needs an MFA code and there is no terminal to ask on");
        let output = case.run(&["env", "prodd", "--shell", shell]);
        output.exits(1).stdout("").stderr(&error("no profile named `prodd`; did you mean `prod`?"));
    }
}
