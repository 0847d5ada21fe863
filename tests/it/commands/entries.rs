//! What the vault holds, listed and changed: `list`, `show`, `set`, `unset`, `rename`, `remove`, `reveal`.

use std::fs;

use serde_json::json;

use super::{ALICE, PHONE, error, error_and_hint, json, screen, short, warning};
use crate::program::{ACCOUNT, Case};

const ADMIN: &str = "arn:aws:iam::123456789012:role/admin";

/// With `prod`, and `admin` that is reached through it.
fn with_role() -> Case {
    let case = Case::with_prod();
    case.run(&["add", "admin", "--role-arn", ADMIN, "--source-profile", "prod"]).succeeds();
    case
}

fn no_profile(name: &str) -> String {
    error_and_hint(&format!("no profile named `{name}`"), "`vault list` shows what there is")
}

fn no_confirmation(flag: &str) -> String {
    error_and_hint("this needs a confirmation and there is no terminal to ask on", &format!("pass `{flag}`"))
}

const NOT_CONFIRMED: &str = "vault: error: not confirmed; nothing was changed\n";

#[test]
fn list_has_the_profiles_of_the_vault_and_those_only_config_knows() {
    let case = with_role();
    let config = format!(
        "[profile dev]\nrole_arn = arn:aws:iam::{ACCOUNT}:role/dev\nsource_profile = prod\nmfa_serial = {PHONE}\n\
         [profile corp]\nsso_session = corp\nsso_account_id = 1\nsso_role_name = x\n[profile plain]\nregion = eu-west-1\n\
         [profile prod]\nregion = eu-west-1\n"
    );
    case.write(&case.config(), 0o600, config);
    let key = short(case.alice.access_key_id());
    let table = format!(
        "NAME   KIND  ACCOUNT       ACCESS KEY   MFA  FROM\n\
         admin  role  {ACCOUNT}  -            -    vault\n\
         corp   sso   -             -            -    config\n\
         dev    role  {ACCOUNT}  -            yes  config\n\
         prod   user  {ACCOUNT}  {key}  yes  vault\n"
    );
    case.run(&["list"]).succeeds().stdout(&table).stderr("");
    let entry = |name: &str, kind: &str, account: Option<&str>, mfa: Option<bool>, from: &str, source: Option<&str>| {
        let key = (kind == "user").then_some(&key);
        json!({"name": name, "kind": kind, "account": account, "access_key": key, "mfa": mfa, "from": from,
               "source_profile": source})
    };
    let expected = json!({"version": 1, "profiles": [
        entry("admin", "role", Some(ACCOUNT), None, "vault", Some("prod")),
        entry("corp", "sso", None, None, "config", None),
        entry("dev", "role", Some(ACCOUNT), Some(true), "config", Some("prod")),
        entry("prod", "user", Some(ACCOUNT), Some(true), "vault", None),
    ]});
    assert_eq!(json(&case.run(&["list", "--json"])), expected);
}

#[test]
fn an_empty_vault_lists_nothing_and_says_what_comes_next() {
    let case = Case::with_vault();
    case.run(&["list"]).succeeds().stdout("").stderr("the vault is empty; next: vault add NAME\n");
    let empty = case.run(&["list", "--json"]);
    assert_eq!(json(&empty), json!({"version": 1, "profiles": []}));
    empty.stderr("");
}

#[test]
fn show_tells_everything_but_the_secret() {
    let case = Case::with_prod();
    case.run(&["set", "prod", "region=eu-central-1", "duration_seconds=8h"])
        .succeeds()
        .stdout("")
        .stderr("set region, duration_seconds\n");
    let shown = json(&case.run(&["show", "prod", "--json"]));
    let facts = &shown["profile"];
    assert_eq!((&shown["version"], &shown["name"]), (&json!(1), &json!("prod")));
    let [added, created, verified] = ["added", "created", "verified"].map(|time| facts[time].as_str().unwrap());
    let expected = [
        ("region", "eu-central-1"),
        ("mfa_serial", PHONE),
        ("duration_seconds", "28800"),
        ("access_key", case.alice.access_key_id()),
        ("user_arn", ALICE),
        ("added", added),
        ("created", created),
        ("verified", verified),
        ("endpoint", &case.sim.endpoint()),
    ];
    assert_eq!(*facts, serde_json::Value::from_iter(expected));
    assert!(added.parse::<jiff::Timestamp>().is_ok() && added.ends_with('Z'), "{added}");
    let lines: String = expected.iter().map(|(key, value)| format!("{key} = {value}\n")).collect();
    case.run(&["show", "prod"]).succeeds().stdout(&lines).stderr("");
}

#[test]
fn several_settings_are_changed_together_or_not_at_all() {
    let case = Case::with_prod();
    let before = fs::read(case.vault_file()).unwrap();
    let known = "one of region, mfa_serial, mfa_process, duration_seconds, role_arn, source_profile, external_id, \
                 role_session_name, source_identity, session_tags, transitive_session_tags, policy_arns, protected, destination_profile, \
                 rotate_every, grace, rotate_on_login, rotate_hook, mfa_max_age, endpoint_url";
    let refused = |arguments: &[&str], code: i32, told: &str| {
        case.run(arguments).exits(code).stdout("").stderr(told);
        assert_eq!(fs::read(case.vault_file()).unwrap(), before, "{arguments:?}");
    };
    let unknown = error_and_hint("no setting named `colour`", known);
    refused(&["set", "prod", "region=eu-west-1", "colour=red"], 2, &unknown);
    refused(&["unset", "prod", "colour"], 2, &unknown);
    refused(
        &["set", "--vault", "region=eu-west-1"],
        2,
        &error_and_hint(
            "no setting named `region`",
            "one of default_profile, session_duration, rotate_every, grace, rotate_on_login, agent.enabled, agent.idle, agent.max, agent.session",
        ),
    );
    let no_region = "`region`: `no where` is not a region name such as eu-central-1";
    refused(&["set", "prod", "region=no where"], 2, &error(no_region));
    let no_duration = "`duration_seconds`: `soon` is not a duration such as 45m, 8h, 30d or a number of seconds";
    refused(&["set", "prod", "duration_seconds=soon"], 2, &error(no_duration));
    let too_long = "`duration_seconds`: AWS takes durations of 15m to 36h (900 to 129600 seconds), not `37h`";
    refused(&["set", "prod", "duration_seconds=37h"], 2, &error(too_long));
    refused(&["set", "prodd", "region=eu-west-1"], 1, &error("no profile named `prodd`; did you mean `prod`?"));
    for arguments in
        [&["set", "prod"][..], &["set", "prod", "region"], &["set", "prod", "region="], &["set"], &["unset"]]
    {
        case.run(arguments).exits(2).stdout("");
    }
}

#[test]
fn a_command_that_nothing_would_start_is_taken_and_told_when_it_is_set() {
    let case = Case::with_prod();
    for (command, why) in [
        ("no-such-program -x", "could not start `no-such-program`: No such file or directory (os error 2)"),
        ("/no/such/program", "could not start `/no/such/program`: No such file or directory (os error 2)"),
        ("/etc/passwd", "could not start `/etc/passwd`: Permission denied (os error 13)"),
        ("./code", "`./code` is a relative path"),
        ("code 'prod", "the command's quotes do not match"),
    ] {
        for setting in ["mfa_process", "rotate_hook"] {
            let set = case.run(&["set", "prod", &format!("{setting}={command}")]);
            set.succeeds().stderr(&(format!("set {setting}\n") + &warning(&format!("{setting}: {why}"))));
        }
    }
    case.run(&["set", "prod", "mfa_process=cat code", "rotate_hook=/bin/cat x"])
        .succeeds()
        .stderr("set mfa_process, rotate_hook\n");
}

#[test]
fn setting_nothing_names_the_way_to_remove_a_setting() {
    let told = "`region=` has no value; `vault unset` removes a setting";
    Case::with_prod().run(&["set", "prod", "region="]).exits(2).stdout("").stderr_has(told);
}

#[test]
fn what_was_set_can_be_unset_and_the_vault_has_settings_of_its_own() {
    let case = Case::with_prod();
    case.run(&["set", "prod", "region=eu-central-1", "external_id=x-1"]).succeeds();
    case.run(&["unset", "prod", "region", "external_id"]).succeeds().stdout("").stderr("unset region, external_id\n");
    let shown = case.run(&["show", "prod"]);
    assert!(!shown.succeeds().out.contains("region") && !shown.out.contains("external_id"), "{}", shown.out);

    case.run(&["set", "--vault", "session_duration=2h"]).succeeds().stderr("set session_duration\n");
    case.run(&["login", "prod", "--no-mfa", "--no-export"]).succeeds();
    assert_eq!(case.sim.requests()[0].parameter("DurationSeconds"), Some("7200"));
    case.run(&["unset", "--vault", "session_duration"]).succeeds().stderr("unset session_duration\n");
    case.run(&["login", "prod", "--no-mfa", "--no-export", "--force"]).succeeds();
    assert_eq!(case.sim.requests()[1].parameter("DurationSeconds"), Some("43200"));
}

#[test]
fn a_renamed_profile_takes_its_roles_and_the_default_along() {
    let case = with_role();
    case.run(&["set", "--vault", "default_profile=prod"]).succeeds();
    case.run(&["rename", "prod", "main"]).succeeds().stdout("").stderr("`prod` is now `main`\n");
    case.run(&["show", "admin"]).succeeds().stdout(&format!("role_arn = {ADMIN}\nsource_profile = main\n"));
    assert_eq!(json(&case.run(&["show", "--json"]))["name"], "main");
    case.run(&["show", "prod"]).exits(1).stdout("").stderr(&no_profile("prod"));
    let before = fs::read(case.vault_file()).unwrap();
    let taken = error_and_hint("there is a profile `admin` already", "another name, or `vault remove admin` first");
    case.run(&["rename", "main", "admin"]).exits(1).stdout("").stderr(&taken);
    case.run(&["rename", "nobody", "other"]).exits(1).stdout("").stderr(&no_profile("nobody"));
    assert_eq!(fs::read(case.vault_file()).unwrap(), before);
    case.run(&["login", "main", "--mfa-code", &case.phone.code()]).succeeds();
}

#[test]
fn a_removed_profile_goes_with_its_sessions_and_its_roles_are_named() {
    let case = with_role();
    case.run(&["login", "prod", "--no-mfa", "--no-export"]).succeeds();
    let told = format!(
        "removed `prod`\nits access key {} stays at AWS as it is\n{}",
        short(case.alice.access_key_id()),
        warning("`admin` has `prod` as its source_profile and can't sign in any more")
    );
    case.run(&["remove", "prod", "--yes"]).succeeds().stdout("").stderr(&told);
    case.run(&["show", "prod"]).exits(1);
    let status = json(&case.run(&["status", "--json"]));
    assert_eq!(status["profiles"].as_array().unwrap().len(), 1, "{status}");
    case.run(&["remove", "admin", "--yes"]).succeeds().stderr("removed `admin`\n");
}

#[test]
fn a_profile_is_removed_only_by_a_yes() {
    let case = with_role();
    let before = fs::read(case.vault_file()).unwrap();
    case.run(&["remove", "prod"]).exits(8).stdout("").stderr(&no_confirmation("--yes"));
    case.run(&["remove", "nobody"]).exits(1).stdout("").stderr(&no_profile("nobody"));
    for answer in ["", "n", "NO"] {
        let mut terminal = case.vault(&["remove", "prod"]).on_terminal();
        terminal.expect(
            "Remove `prod` and the access key in it, which may be the only copy and goes on working at AWS? [y/N] ",
        );
        terminal.type_line("what?").expect("please answer y or n\r\n").expect("[y/N] ").type_line(answer);
        let (output, _) = terminal.finish();
        output.exits(8);
        assert!(screen(&output).ends_with(NOT_CONFIRMED), "{}", output.screen);
    }
    assert_eq!(fs::read(case.vault_file()).unwrap(), before);
    let mut terminal = case.vault(&["remove", "admin"]).on_terminal();
    terminal.expect("Remove `admin` (a role profile, no key)? [y/N] ").type_line("Yes");
    let (output, _) = terminal.finish();
    output.succeeds();
    assert!(screen(&output).ends_with("removed `admin`\n"), "{}", output.screen);
    case.add("again").succeeds();
    let mut terminal = case.vault(&["remove", "again"]).on_terminal();
    terminal.expect("Remove `again` (its access key stays in the vault as `prod`)? [y/N] ").type_line("n");
    terminal.finish().0.exits(8);
}

#[test]
fn a_key_is_revealed_after_its_name_was_typed_and_that_is_written_down() {
    let case = Case::with_prod();
    let (id, secret) = (case.alice.access_key_id(), case.alice.secret_access_key());
    let mut terminal = case.vault(&["reveal", "prod"]).may_show_secrets().on_terminal_captured();
    terminal.expect("This prints a long-term secret of ~/.local/share/vault/vault.age to the screen.\r\n");
    terminal.expect("Type `prod` to go on: ").type_line("prod");
    let (output, _) = terminal.finish();
    output.succeeds().stdout(&format!("aws_access_key_id = {id}\naws_secret_access_key = {secret}\n")).stderr("");

    let revealed = case.vault(&["reveal", "prod", "--confirm", "prod", "--json"]).may_show_secrets().run();
    let expected = json!({"version": 1, "name": "prod", "aws_access_key_id": id, "aws_secret_access_key": secret});
    assert_eq!(json(&revealed), expected);

    let log = fs::read_to_string(case.home().join(".local/state/vault/log.jsonl")).unwrap();
    let lines: Vec<serde_json::Value> = log.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 2);
    for line in lines {
        assert_eq!((&line["act"], &line["profile"]), (&json!("revealed"), &json!("prod")));
        assert_eq!(line["access_key"], id[id.len() - 4..]);
    }
}

#[test]
fn nothing_is_revealed_without_the_very_word() {
    let case = with_role();
    case.run(&["reveal", "prod"]).exits(8).stdout("").stderr(&no_confirmation("--confirm NAME"));
    for wrong in ["admin", "", "yes"] {
        case.run(&["reveal", "prod", "--confirm", wrong]).exits(8).stdout("").stderr(NOT_CONFIRMED);
    }
    case.run(&["reveal", "--vault-identity", "--confirm", "prod"]).exits(8).stdout("").stderr(NOT_CONFIRMED);
    let no_key = error("`admin` is a role profile and has no access key");
    case.run(&["reveal", "admin", "--confirm", "admin"]).exits(1).stdout("").stderr(&no_key);
    case.run(&["reveal", "nobody", "--confirm", "nobody"]).exits(1).stdout("").stderr(&no_profile("nobody"));
    case.run(&["reveal"]).exits(2).stdout("");
    assert!(!case.home().join(".local/state/vault/log.jsonl").exists());
}

#[test]
fn a_profile_that_only_the_config_file_knows_is_listed_and_shown() {
    let case = Case::with_prod();
    let config = "[profile ro]\nrole_arn = arn:aws:iam::123456789012:role/ro\nsource_profile = prod\nregion = eu-west-1\n\
                  [profile broken]\nrole_arn = nonsense\n[profile other]\ncredential_process = /bin/other\n[profile plain]\nregion = x-y\n";
    case.write(&case.config(), 0o600, config);
    let shown = "role_arn = arn:aws:iam::123456789012:role/ro\nsource_profile = prod\nregion = eu-west-1\n";
    case.run(&["show", "ro"]).succeeds().stdout(shown);
    let list = json(&case.run(&["list", "--json"]));
    let kinds: Vec<(&str, &str)> = list["profiles"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| (entry["name"].as_str().unwrap(), entry["kind"].as_str().unwrap()))
        .collect();
    assert_eq!(kinds, [("broken", "role"), ("other", "process"), ("prod", "user"), ("ro", "role")]);
}

#[test]
fn show_says_where_each_value_comes_from_and_what_is_not_used() {
    let case = with_role();
    case.run(&["set", "--vault", "session_duration=8h"]).succeeds();
    case.run(&["set", "admin", "external_id=x-42"]).succeeds();
    let config = "[profile admin]\nexternal_id = other\nsession_duration = 900\nduration_seconds = 1800\n\
                  mfa_process = code\nregion = eu-west-3\n[profile prod]\nrole_arn = arn:aws:iam::1:role/x\noutput = json\n";
    case.write(&case.config(), 0o600, config);
    let admin = format!(
        "KEY               VALUE  FROM\n\
         duration_seconds  1800                                  ~/.aws/config:4\n\
         session_duration  900                                   ~/.aws/config:3 (not used: another goes before it)\n\
         external_id       x-42                                  vault\n\
         external_id       other                                 ~/.aws/config:2 (not used: another goes before it)\n\
         mfa_process       code                                  ~/.aws/config:5 (not used: taken from the vault alone)\n\
         region            eu-central-1                          AWS_REGION\n\
         region            eu-west-3                             ~/.aws/config:6 (not used: another goes before it)\n\
         role_arn          {ADMIN}  vault\n\
         source_profile    prod                                  vault\n"
    )
    .replacen("VALUE  FROM", "VALUE                                 FROM", 1);
    let shown = case.vault(&["show", "admin", "--sources"]).variable("AWS_REGION", "eu-central-1").run();
    shown.succeeds().stdout(&admin).stderr("");
    let prod = json(&case.run(&["show", "prod", "--sources", "--json"]));
    let key = case.alice.access_key_id();
    let row = |key: &str, value: &str, from: &str, line: Option<u32>, used: bool| json!({"key": key, "value": value, "from": from, "line": line, "used": used});
    let expected = json!({"version": 1, "name": "prod", "settings": [
        row("access_key", key, "vault", None, true),
        row("duration_seconds", "28800", "setting", None, true),
        row("mfa_serial", PHONE, "vault", None, true),
        row("output", "json", "config", Some(9), true),
        row("role_arn", "arn:aws:iam::1:role/x", "config", Some(8), false),
    ]});
    assert_eq!(prod, expected);
    case.run(&["show", "prodd", "--sources"]).exits(1).stderr(&error("no profile named `prodd`; did you mean `prod`?"));
}

#[test]
fn a_setting_of_a_profile_that_only_config_has_goes_into_the_vault_beside_what_config_says() {
    let case = Case::with_prod();
    let config = format!("[profile dev]\nrole_arn = {ADMIN}\nsource_profile = prod\n");
    case.write(&case.config(), 0o600, &config);
    case.run(&["set", "dev", "destination_profile=dev-session"]).succeeds().stderr("set destination_profile\n");
    let rows = json(&case.run(&["show", "dev", "--sources", "--json"]));
    let rows = rows["settings"].as_array().unwrap();
    let told: Vec<(&str, &str)> =
        rows.iter().map(|row| (row["key"].as_str().unwrap(), row["from"].as_str().unwrap())).collect();
    let expected = [
        ("destination_profile", "vault"),
        ("duration_seconds", "default"),
        ("role_arn", "config"),
        ("source_profile", "config"),
    ];
    assert_eq!(told, expected);
    assert_eq!(fs::read_to_string(case.config()).unwrap(), config);
    case.run(&["set", "devv", "region=eu-west-1"]).exits(1);
}

#[test]
fn settings_of_the_whole_vault_are_shown() {
    let case = Case::with_prod();
    case.run(&["show", "--vault"]).succeeds().stdout("").stderr_has("the vault has no settings");
    case.run(&["set", "--vault", "agent.idle=30m", "rotate_every=90d"]).succeeds();
    case.run(&["show", "--vault"]).succeeds().stdout("rotate_every = 90d\nagent.idle = 1800\n");
    let told = json(&case.run(&["show", "--vault", "--json"]));
    assert_eq!(told["settings"], json!({ "rotate_every": "90d", "agent.idle": "1800" }));
}

#[test]
fn who_sets_another_duration_hears_that_the_session_at_hand_is_not_used_any_more() {
    let case = Case::with_prod();
    case.run(&["set", "prod", "duration_seconds=2h"]).succeeds().stderr("set duration_seconds\n");
    case.run(&["login", "prod", "--mfa-code", &case.phone.code()]).succeeds();
    let told = "set duration_seconds\nthe session of `prod` that is at hand is for 2 h: the next is a new one, for 1 h 30 min\n";
    case.run(&["set", "prod", "duration_seconds=90m"]).succeeds().stderr(told);
    case.run(&["set", "prod", "duration_seconds=2h"]).succeeds().stderr("set duration_seconds\n");
}

#[test]
fn a_mistyped_setting_is_told_with_the_one_that_was_meant() {
    let case = Case::with_prod();
    case.run(&["set", "prod", "regoin=eu-west-1"])
        .exits(2)
        .stderr_has("no setting named `regoin`; did you mean `region`?");
}
