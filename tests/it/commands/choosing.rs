//! Which profile is meant where none is named, and what is said to a name that is none.

use std::fs;

use super::{error, error_and_hint, json, screen, warning};
use crate::program::Case;

const ROLE: &str = "arn:aws:iam::123456789012:role/r";

fn with_two() -> Case {
    let case = Case::with_prod();
    case.run(&["add", "admin", "--role-arn", ROLE, "--source-profile", "prod"]).succeeds();
    case
}

fn chosen(case: &Case, variable: Option<&str>) -> String {
    let show = case.vault(&["show", "--json"]);
    let shown = match variable {
        Some(name) => show.variable("AWS_PROFILE", name).run(),
        None => show.run(),
    };
    json(&shown)["name"].as_str().unwrap().to_owned()
}

#[test]
fn the_variable_comes_first_then_the_setting_then_the_only_one() {
    let case = Case::with_prod();
    assert_eq!(chosen(&case, None), "prod", "the only one");
    case.run(&["add", "admin", "--role-arn", ROLE, "--source-profile", "prod"]).succeeds();
    assert_eq!(chosen(&case, Some("admin")), "admin");
    case.run(&["set", "--vault", "default_profile=prod"]).succeeds();
    assert_eq!(chosen(&case, None), "prod");
    assert_eq!(chosen(&case, Some("admin")), "admin");
    assert_eq!(chosen(&case, Some("")), "prod", "an empty variable is none");
}

#[test]
fn a_usual_profile_that_is_none_is_told_when_it_is_set() {
    let case = Case::with_prod();
    let told = "set default_profile\n".to_owned() + &warning("no profile named `prdo`; did you mean `prod`?");
    case.run(&["set", "--vault", "default_profile=prdo"]).succeeds().stderr(&told);
    case.run(&["set", "--vault", "default_profile=prod"]).succeeds().stderr("set default_profile\n");
}

#[test]
fn a_secret_access_key_in_the_wrong_place_of_a_command_line_is_not_shown() {
    let case = Case::new();
    let secret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
    for flag in ["--access-key-id", "--duration", "--no-such"] {
        let refused = case.run(&["add", "prod", flag, secret]);
        refused.exits(2).stdout("");
        assert!(!refused.err.contains(secret), "{}", refused.err);
    }
    let told = "vault: error: invalid value '(a secret access key)' for '--access-key-id <ID>': ";
    case.run(&["add", "prod", "--access-key-id", secret]).exits(2).stderr_has(told);
}

#[test]
fn a_variable_that_names_no_profile_is_named_itself() {
    let login = Case::with_prod().vault(&["login"]).variable("AWS_PROFILE", "-prod").run();
    let told =
        "AWS_PROFILE: `-prod` is not a profile name: 1 to 64 of letters, digits and _.@:/+-, not starting with -";
    login.exits(2).stdout("").stderr(&error(told));
}

#[test]
fn without_a_choice_the_profiles_are_listed() {
    let case = with_two();
    let hint = "name one, or choose the usual one by `vault set --vault default_profile=NAME`";
    let told = error_and_hint("which profile? the vault has admin, prod", hint);
    for command in ["login", "show", "env", "logout"] {
        case.run(&[command]).exits(2).stdout("").stderr(&told);
    }
    let empty = Case::with_vault();
    let told = error_and_hint("which profile? the vault has none", "vault add NAME");
    empty.run(&["login"]).exits(2).stdout("").stderr(&told);
}

#[test]
fn a_person_at_a_terminal_chooses_by_number_or_by_a_part_of_the_name() {
    let case = with_two();
    case.run(&["add", "admin-eu", "--role-arn", ROLE, "--source-profile", "prod"]).succeeds();
    let config =
        format!("[profile staging]\nrole_arn = {ROLE}\nsource_profile = prod\n[profile lost]\nrole_arn = {ROLE}\n");
    case.write(&case.config(), 0o600, config);
    let mut terminal = case.vault(&["show", "--json"]).on_terminal_captured();
    terminal.expect("2  admin-eu  role r in account 123456789012");
    terminal.expect("3  prod      user alice in account 123456789012");
    terminal.expect("4  staging   role r in account 123456789012");
    terminal.expect("Profile: ").type_line("nothing").expect("No profile has that in its name.\r\n");
    // Of several that fit, those are asked about again, by numbers of their own.
    terminal.expect("Profile: ").type_line("ADMIN").expect("1  admin").expect("Profile: ").type_line("2");
    let (output, _) = terminal.finish();
    assert_eq!(json(&output)["name"], "admin-eu");
    let mut terminal = case.vault(&["show", "--json"]).on_terminal_captured();
    terminal.expect("Profile: ").type_line("sta");
    assert_eq!(json(&terminal.finish().0)["name"], "staging");
}

#[test]
fn the_end_of_input_is_no_choice() {
    let case = with_two();
    let mut terminal = case.vault(&["login"]).on_terminal();
    terminal.expect("Profile: ").press("\x04");
    let (output, _) = terminal.finish();
    output.exits(8);
    assert!(screen(&output).ends_with(&error("no answer; nothing was changed")), "{}", output.screen);
    assert_eq!(case.sim.requests(), []);
}

#[test]
fn a_name_that_is_none_is_met_with_the_one_that_was_meant() {
    let case = with_two();
    let config = format!("[profile staging]\nrole_arn = {ROLE}\nsource_profile = prod\n");
    case.write(&case.config(), 0o600, config);
    let told = |name: &str, meant: &str| error(&format!("no profile named `{name}`; did you mean `{meant}`?"));
    for (command, name, meant) in [
        (&["login", "prodd"][..], "prodd", "prod"),
        (&["env", "pord"], "pord", "prod"),
        (&["get", "admni", "region"], "admni", "admin"),
        (&["login", "stagging"], "stagging", "staging"),
        (&["exec", "prd", "--", "true"], "prd", "prod"),
    ] {
        case.run(command).exits(1).stdout("").stderr(&told(name, meant));
    }
    let add = ["add", "x", "--role-arn", ROLE, "--source-profile", "prdo"];
    let source = error("no profile named `prdo`, which `x` has as its source_profile; did you mean `prod`?");
    case.run(&add).exits(1).stdout("").stderr(&source);
    let stranger = error_and_hint("no profile named `zzz`", "`vault list` shows what there is");
    case.run(&["login", "zzz"]).exits(1).stdout("").stderr(&stranger);
    let command_first = error_and_hint(
        "no profile named `aws`",
        "the profile comes first: `vault exec NAME -- COMMAND`; `vault list` shows what there is",
    );
    case.run(&["exec", "aws", "s3", "ls"]).exits(1).stdout("").stderr(&command_first);
    let variable = case.vault(&["login"]).variable("AWS_PROFILE", "prodd").run();
    variable
        .exits(1)
        .stdout("")
        .stderr(&error("no profile named `prodd`, which AWS_PROFILE names; did you mean `prod`?"));
    let stranger =
        error_and_hint("no profile named `zzz`, which AWS_PROFILE names", "`vault list` shows what there is");
    case.vault(&["whoami"]).variable("AWS_PROFILE", "zzz").run().exits(1).stdout("").stderr(&stranger);
}

#[test]
fn without_a_vault_the_way_to_one_is_named_and_nothing_is_asked() {
    let case = Case::new();
    let told = error_and_hint(
        "there is no vault yet",
        "`vault add NAME` makes one; `vault import` brings keys from ~/.aws, aws-vault and other programs",
    );
    for command in [&["list"][..], &["login", "prod"], &["status"], &["logout", "--all"], &["remove", "prod"]] {
        case.vault(command).asking().run().exits(1).stdout("").stderr(&told);
    }
    // Who has keys lying about is shown the way from there; a session is none.
    let section = |secrets: &str| format!("[prod]\naws_access_key_id = {}\n{secrets}", case.alice.access_key_id());
    let secret = format!("aws_secret_access_key = {}\n", case.alice.secret_access_key());
    let session = section(&format!("{secret}aws_session_token = t\n")).replace("= AKIA", "= ASIA");
    case.write(&case.credentials(), 0o600, session);
    case.run(&["list"]).exits(1).stdout("").stderr(&told);
    case.write(&case.credentials(), 0o600, section(&secret));
    let import = "`vault import` makes one of the keys in ~/.aws/credentials, `vault add NAME` of another";
    let told = error_and_hint("there is no vault yet", import);
    for command in [&["list"][..], &["login", "prod"], &["status"], &["rotate", "--due"]] {
        case.vault(command).asking().run().exits(1).stdout("").stderr(&told);
    }
    fs::remove_file(case.credentials()).unwrap();
    assert!(!case.vault_file().parent().unwrap().exists(), "looking made a folder");
}

#[test]
fn vault_alone_shows_where_to_start() {
    let case = Case::new();
    let output = case.run(&[]);
    output.succeeds().stderr("").stdout(
        "vault keeps long-term AWS keys encrypted and hands out short-lived sessions\n\n  \
         vault add prod             put an access key into the vault (makes the vault if there is none)\n  \
         vault import               move the keys in that lie in ~/.aws, in aws-vault or another vault\n  \
         vault login prod           passphrase + MFA code -> session in ~/.aws/credentials\n  \
         vault exec prod -- CMD     run one command with a session\n  \
         vault status               keys, sessions, and how long they last\n  \
         vault doctor               what stands between a profile and AWS, and how to mend it\n  \
         vault help                 everything else\n",
    );
}

#[test]
fn help_is_an_answer_and_a_mistyped_command_is_not() {
    let case = Case::new();
    case.run(&["help", "login"]).succeeds().stdout_has("Usage: vault login [OPTIONS] [NAME]").stderr("");
    case.run(&["set", "--help"]).succeeds().stdout_has("vault set --vault <KEY=VALUE>...");
    let mistyped = case.run(&["lgoin"]);
    let hint = "`vault help` names those that there are";
    mistyped.exits(2).stdout("").stderr(&error_and_hint("there is no command `lgoin`; did you mean `login`?", hint));
    let elsewhere = error_and_hint("there is no command `export`; did you mean `env`?", hint);
    case.run(&["export", "prod"]).exits(2).stderr(&elsewhere);
    case.run(&["nonsense"]).exits(2).stderr(&error_and_hint("there is no command `nonsense`", hint));
    let of_mfa = error_and_hint(
        "there is no command `enabel`; did you mean `enable`?",
        "`vault help mfa` names those that there are",
    );
    case.run(&["mfa", "enabel"]).exits(2).stderr(&of_mfa);
}

#[test]
fn flags_that_contradict_each_other_are_named_with_the_help_that_explains_them() {
    let case = Case::new();
    for (words, message, help) in [
        (&["rotate", "--due", "--undo"][..], "`--due` does not go together with `--undo`", "vault help rotate"),
        (&["rotate", "prod", "--all"], "`NAME` does not go together with `--all`", "vault help rotate"),
        (&["rotate", "--due", "--due"], "`--due` can be said only once", "vault help rotate"),
        (
            &["schedule", "print", "--cron", "--systemd"],
            "`--cron` does not go together with `--systemd`",
            "vault help schedule print",
        ),
        (
            &["list", "--identity", "a", "--passphrase-file", "b"],
            "`--identity` does not go together with `--passphrase-file`",
            "vault help list",
        ),
    ] {
        let told = error_and_hint(message, &format!("`{help}` says what each of them does"));
        case.run(words).exits(2).stdout("").stderr(&told);
    }
}

#[test]
fn a_home_that_is_none_and_a_vault_that_moves_with_the_folder_are_refused() {
    let case = Case::new();
    let homeless = case.vault(&["list"]).without_variable("HOME").run();
    homeless.exits(1).stdout("").stderr(&error_and_hint("HOME is not set", "set HOME to your home folder"));
    let relative = case.vault(&["list"]).variable("VAULT_FILE", "v.age").run();
    relative.exits(2).stdout("").stderr(&error("VAULT_FILE is not an absolute path: `v.age`"));
}

#[test]
fn an_option_for_all_beside_a_name_is_told_both_ways_to_say_what_may_be_meant() {
    let case = Case::new();
    let told =
        error_and_hint("`--due` does not go together with `NAME`", "`vault rotate --due`, or `vault rotate NAME`");
    case.run(&["rotate", "--due", "prod"]).exits(2).stderr(&told);
}
