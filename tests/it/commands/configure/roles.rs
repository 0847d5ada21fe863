//! Roles of `~/.aws/config` that `configure` takes over into the vault, and gives back.

use std::fs;

use serde_json::json;

use super::*;

fn role(more: &str) -> String {
    format!(
        "# roles\r\n[profile ops]\r\nregion = eu-west-1\r\nrole_arn=arn:aws:iam::{ACCOUNT}:role/ops ; mine\r\n\
         # who\r\nSource_Profile : prod\r\nduration_seconds = 1800\r\n{more}output = json\r\n\r\n[profile z]\r\nx=y"
    )
}

fn taken(case: &Case) -> String {
    let line = command(case, "ops");
    format!(
        "# roles\r\n[profile ops]\r\nregion = eu-west-1\r\ncredential_process = {line}\r\n# who\r\noutput = json\r\n\r\n\
         [profile z]\r\nx=y"
    )
}

fn ops(case: &Case, arguments: &[&str]) -> Output {
    vault(case, &[&["configure", "ops"], arguments].concat())
}

#[test]
fn a_role_is_taken_over_only_when_asked_and_comes_back_byte_by_byte() {
    let case = Case::with_prod();
    case.write(&case.config(), 0o600, role(""));
    let told = format!(
        "{}:4: AWS tools would go by `role_arn` of [profile ops] before they ask this vault",
        case.config().display()
    );
    let hint = "`vault configure ops --take-over` moves the role into the vault; `--restore` undoes it";
    ops(&case, &[]).exits(1).stdout("").stderr(&error_and_hint(&told, hint));
    assert_eq!(config(&case), role(""));
    let list = |case: &Case| json(&vault(case, &["list", "--json"]))["profiles"].clone();
    let before = list(&case);

    let moved = "moved role_arn, source_profile, duration_seconds of [profile ops] into the vault\n";
    let line = command(&case, "ops");
    let wrote = format!("wrote credential_process = {line} into [profile ops] of ~/.aws/config\n");
    let used = "use: aws --profile ops sts get-caller-identity\n";
    ops(&case, &["--take-over"]).succeeds().stdout("").stderr(&format!("{moved}{wrote}{used}"));
    assert_eq!(config(&case), taken(&case));
    let shown = format!("duration_seconds = 1800\nrole_arn = arn:aws:iam::{ACCOUNT}:role/ops\nsource_profile = prod\n");
    vault(&case, &["show", "ops"]).succeeds().stdout(&shown);
    let vault_then = fs::read(case.vault_file()).unwrap();
    let already = format!("[profile ops] of ~/.aws/config asks this vault already\n{used}");
    ops(&case, &["--take-over"]).succeeds().stderr(&already);
    assert!(fs::read(case.vault_file()).unwrap() == vault_then, "saved for nothing");

    let restored = "removed the credential_process of [profile ops] from ~/.aws/config\n\
                    wrote role_arn, source_profile, duration_seconds back into [profile ops] of ~/.aws/config\n\
                    removed `ops` from the vault: it was as it came\n";
    ops(&case, &["--restore"]).succeeds().stdout("").stderr(restored);
    assert_eq!(config(&case), role(""));
    assert_eq!(list(&case), before);
}

#[test]
fn a_role_that_was_changed_since_stays_in_the_vault_and_goes_back_as_it_is() {
    let case = Case::with_prod();
    case.write(&case.config(), 0o600, role(""));
    ops(&case, &["--take-over"]).succeeds();
    vault(&case, &["set", "ops", "duration_seconds=900", "external_id=x-1"]).succeeds();
    let output = ops(&case, &["--restore"]);
    output
        .succeeds()
        .stderr_has("`ops` stays in the vault: it was changed since it came; `vault remove ops` removes it\n");
    let written = format!(
        "output = json\r\nduration_seconds = 900\r\nrole_arn = arn:aws:iam::{ACCOUNT}:role/ops\r\nsource_profile = prod\r\n\
         external_id = x-1\r\n\r\n[profile z]"
    );
    assert!(config(&case).contains(&written), "{}", config(&case));
    vault(&case, &["show", "ops"]).succeeds().stdout_has("external_id = x-1\n");
    let nothing = "[profile ops] of ~/.aws/config does not ask this vault; nothing to do\n";
    ops(&case, &["--restore"]).succeeds().stderr(nothing);
}

#[test]
fn another_command_beside_a_role_is_taken_over_and_comes_back_with_it() {
    let case = Case::with_prod();
    let before = role("credential_process = other\r\n");
    case.write(&case.config(), 0o600, &before);
    ops(&case, &["--take-over"]).exits(1).stdout("").stderr_has("has another credential_process: `other`");
    let told = json(&ops(&case, &["--take-over", "--replace", "--json"]));
    assert_eq!(told["took_over"], json!(["role_arn", "source_profile", "duration_seconds", "credential_process"]));
    assert_eq!(config(&case), taken(&case));
    assert_eq!(json(&ops(&case, &["--restore", "--json"]))["removed_profile"], json!(true));
    assert_eq!(config(&case), before);
}

#[test]
fn a_role_that_can_not_work_from_the_vault_is_not_taken_over() {
    let case = Case::with_prod();
    let path = case.config().display().to_string();
    let refused = |content: &str, told: &str, hint: Option<&str>| {
        case.write(&case.config(), 0o600, content);
        let before = fs::read(case.vault_file()).unwrap();
        let told = hint.map_or_else(|| error(told), |hint| error_and_hint(told, hint));
        ops(&case, &["--take-over"]).exits(1).stdout("").stderr(&told);
        assert_eq!(config(&case), content);
        assert!(fs::read(case.vault_file()).unwrap() == before);
    };
    let arn = format!("role_arn = arn:aws:iam::{ACCOUNT}:role/ops\n");
    refused(
        &format!("[profile ops]\n{arn}source_profile = nobody\n"),
        "no profile named `nobody`, which `ops` has as its source_profile",
        Some("`vault add nobody` adds it"),
    );
    refused(
        &format!("[profile ops]\n{arn}"),
        "`ops` has a role_arn and no source_profile",
        Some("vault set ops source_profile=NAME"),
    );
    refused(
        &format!("[profile ops]\n{arn}source_profile = prod\nmfa_serial = short\n"),
        &format!(
            "line 4 of {path}: `mfa_serial`: `short` is not an MFA serial: 9 to 256 of letters, digits and +=/:,.@-_"
        ),
        Some("correct that line"),
    );
    refused(
        &format!("[profile ops]\n{arn}source_profile =\n  prod\n"),
        &format!("{path}: AWS tools differ in how they read line 3"),
        Some("correct that line; nothing was changed"),
    );
}

#[test]
fn what_the_vault_has_already_is_not_overwritten() {
    let case = Case::with_prod();
    let path = case.config().display().to_string();
    let arn = |name: &str| format!("arn:aws:iam::{ACCOUNT}:role/{name}");
    case.write(&case.config(), 0o600, format!("[profile prod]\nrole_arn = {}\nsource_profile = x\n", arn("a")));
    let told = format!(
        "{path}:2: AWS tools would take `role_arn` of [profile prod] for `prod`, and the vault has an access key for it"
    );
    let hint = "`vault rename prod OTHER` first, or take that role out of the file";
    refused(&case, &["--take-over"], &error_and_hint(&told, hint));
    refused(&case, &[], &error_and_hint(&told, hint));

    vault(&case, &["add", "ops", "--role-arn", &arn("ops"), "--source-profile", "prod"]).succeeds();
    case.write(&case.config(), 0o600, format!("[profile ops]\nrole_arn = {}\nsource_profile = prod\n", arn("other")));
    let told = format!("{path}:2: `role_arn` of [profile ops] is not the one that the vault has for `ops`");
    let hint = "make them alike, or `vault remove` that profile; nothing was changed";
    ops(&case, &["--take-over"]).exits(1).stdout("").stderr(&error_and_hint(&told, hint));
    case.write(&case.config(), 0o600, role(""));
    ops(&case, &["--take-over"]).succeeds();
    assert_eq!(config(&case), taken(&case));
}
