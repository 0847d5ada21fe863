//! What the vault holds, listed and changed.

use std::fs;

use crate::program::{ACCOUNT, Case};

fn json(text: &str) -> serde_json::Value {
    let value: serde_json::Value = serde_json::from_str(text).unwrap();
    assert_eq!(value["version"], 1);
    value
}

#[test]
fn list_names_profiles_of_the_vault_and_of_the_config_file_and_no_secret() {
    let case = Case::with_prod();
    let config = format!(
        "[profile dev]\nrole_arn = arn:aws:iam::{ACCOUNT}:role/dev\nsource_profile = prod\n\
         [profile corp]\nsso_session = corp\nsso_account_id = 1\nsso_role_name = x\n[profile plain]\nregion = eu-west-1\n"
    );
    case.write(&case.config(), 0o600, config);
    let list = case.run(&["list"]);
    list.succeeds().stderr("");
    let rows: Vec<Vec<&str>> = list.out.lines().skip(1).map(|line| line.split_whitespace().collect()).collect();
    let id = case.alice.access_key_id();
    let short = format!("{}...{}", &id[..4], &id[id.len() - 4..]);
    assert_eq!(
        rows,
        [
            vec!["corp", "sso", "-", "-", "no", "config"],
            vec!["dev", "role", ACCOUNT, "-", "no", "config"],
            vec!["prod", "user", ACCOUNT, &short, "yes", "vault"],
        ]
    );
    let listed = case.run(&["list", "--json"]);
    let listed = json(&listed.out);
    assert_eq!(listed["profiles"][2]["name"], "prod");
    assert_eq!(listed["profiles"][1]["source_profile"], "prod");
}

#[test]
fn settings_are_set_shown_and_unset_and_a_bad_one_changes_nothing() {
    let case = Case::with_prod();
    case.run(&["set", "prod", "region=eu-central-1", "duration_seconds=8h"])
        .succeeds()
        .stderr("set region, duration_seconds\n");
    let shown = json(&case.run(&["show", "prod", "--json"]).out);
    assert_eq!(
        (&shown["profile"]["region"], &shown["profile"]["duration_seconds"]),
        (&"eu-central-1".into(), &"28800".into())
    );

    let before = fs::read(case.vault_file()).unwrap();
    case.run(&["set", "prod", "region=eu-west-1", "colour=red"])
        .refuses(2, "no setting named `colour`")
        .hints("region");
    case.run(&["set", "prod", "region=no where"]).refuses(2, "`region`");
    case.run(&["set", "prod", "duration_seconds=soon"]).refuses(2, "duration_seconds");
    case.run(&["set", "prodd", "region=eu-west-1"]).refuses(1, "no profile named `prodd`; did you mean `prod`?");
    assert_eq!(fs::read(case.vault_file()).unwrap(), before);

    case.run(&["unset", "prod", "duration_seconds"]).succeeds();
    assert!(!case.run(&["show", "prod"]).out.contains("duration_seconds"));
    case.run(&["set", "--vault", "default_profile=prod"]).succeeds();
    case.run(&["show"]).succeeds().stdout_has("access_key = ");
}

#[test]
fn a_renamed_profile_takes_along_those_that_come_from_it() {
    let case = Case::with_prod();
    let role = format!("arn:aws:iam::{ACCOUNT}:role/admin");
    case.run(&["add", "admin", "--role-arn", &role, "--source-profile", "prod"]).succeeds();
    case.run(&["rename", "prod", "main"]).succeeds();
    case.run(&["show", "admin"]).succeeds().stdout_has("source_profile = main\n");
    case.run(&["rename", "main", "admin"]).refuses(1, "there is a profile `admin` already");
    case.run(&["show", "prod"]).refuses(1, "no profile named `prod`");
}

#[test]
fn remove_asks_first_and_says_no_without_a_terminal() {
    let case = Case::with_prod();
    case.run(&["remove", "prod"]).refuses(8, "no terminal");
    let mut terminal = case.vault(&["remove", "prod"]).on_terminal();
    terminal.expect("prod").expect("[y/N]").type_line("");
    terminal.finish().0.exits(8).screen_has("not confirmed");
    case.run(&["show", "prod"]).succeeds();
    case.run(&["remove", "prod", "--yes"]).succeeds();
    case.run(&["show", "prod"]).refuses(1, "no profile named `prod`");
}

#[test]
fn reveal_prints_the_secret_after_a_typed_confirmation_and_writes_it_down() {
    let case = Case::with_prod();
    case.run(&["reveal", "prod"]).refuses(8, "no terminal").hints("--confirm");
    case.run(&["reveal", "prod", "--confirm", "other"]).refuses(8, "not confirmed");
    let mut terminal = case.vault(&["reveal", "prod"]).may_show_secrets().on_terminal_captured();
    terminal.expect("Type `prod` to go on: ").type_line("prod");
    let (output, _) = terminal.finish();
    output.succeeds().stdout(&format!(
        "aws_access_key_id = {}\naws_secret_access_key = {}\n",
        case.alice.access_key_id(),
        case.alice.secret_access_key()
    ));
    let log = fs::read_to_string(case.home().join(".local/state/vault/log.jsonl")).unwrap_or_default();
    assert!(log.contains("reveal"), "the log says: {log}");
}
