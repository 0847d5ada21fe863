//! What AWS tools would go by before they come to the line that `configure` writes: it goes, gives way when that is asked for,
//! or is left and told by its line.

use std::fs;

use serde_json::json;

use super::*;

#[test]
fn another_credential_process_gives_way_only_when_asked() {
    let case = Case::with_prod();
    case.write(&case.config(), 0o600, "[profile prod]\ncredential_process=/opt/other \"my prod\"\noutput=json\n");
    let told = format!(
        "{}:2: [profile prod] has another credential_process: `/opt/other \"my prod\"`",
        case.config().display()
    );
    refused(&case, &[], &error_and_hint(&told, "`--replace` replaces it"));
    let output = vault(&case, &["configure", "prod", "--replace"]);
    let replaces = "it replaces credential_process = /opt/other \"my prod\"\n";
    output.succeeds().stderr(&format!("{}{replaces}{USE}", wrote(&case)));
    assert_eq!(config(&case), format!("[profile prod]\n{}\noutput=json\n", line(&case)));
}

#[test]
fn a_profile_that_signs_in_elsewhere_is_refused_by_its_line() {
    let case = Case::with_prod();
    let path = case.config().display().to_string();
    for key in ["sso_session", "sso_start_url", "web_identity_token_file", "credential_source", "login_session"] {
        case.write(&case.config(), 0o600, format!("[profile prod]\nregion = x\n{key} = y\n"));
        let told = format!("{path}:3: AWS tools would go by `{key}` of [profile prod] before they ask this vault");
        refused(&case, &["--replace", "--take-over"], &error_and_hint(&told, BY_HAND));
    }
    case.write(&case.config(), 0o600, "[profile prod]\naws_access_key_id = x\n");
    let told =
        format!("{path}:2: `aws_access_key_id` of [profile prod]: some AWS tools would take credentials there first");
    refused(&case, &[], &error_and_hint(&told, BY_HAND));
}

#[test]
fn a_section_or_key_that_stands_twice_is_refused_by_its_line() {
    let case = Case::with_prod();
    let hint = "correct that line; nothing was changed";
    for (path, content, told) in [
        (case.config(), "[profile prod]\n[profile prod]\n", "line 2 of PATH has profile `prod` a second time"),
        (case.config(), "[profile prod]\nx=1\nX=2\n", "line 3 of PATH has `x` a second time"),
        (case.credentials(), "[prod]\n[x]\n[prod]\n", "PATH: line 3 has this section a second time"),
    ] {
        case.write(&path, 0o600, content);
        let told = told.replace("PATH", path.to_str().unwrap());
        let hint = if told.starts_with("line") { "correct that line" } else { hint };
        refused(&case, &[], &error_and_hint(&told, hint));
        fs::remove_file(path).unwrap();
    }
}

#[test]
fn a_session_that_login_wrote_goes_since_tools_would_take_it_first() {
    let case = Case::with_prod();
    case.write(&case.credentials(), 0o600, "[other]\nx=y\n");
    case.login().succeeds();
    let output = vault(&case, &["configure", "prod"]);
    let removed = "removed the session in [prod] of ~/.aws/credentials, which stood before it\n";
    output.succeeds().stderr(&format!("{}{removed}{USE}", wrote(&case)));
    assert_eq!(fs::read_to_string(case.credentials()).unwrap(), "[other]\nx=y\n");
    let told =
        "vault: warning: [profile prod] has a credential_process; most AWS tools take the written session before it\n";
    case.run(&["login", "prod", "--profile", "prod"]).succeeds().stderr_has(told);
    let output = vault(&case, &["configure", "prod", "--json"]);
    assert_eq!(json(&output)["removed_session"], json!(true));
}

#[test]
fn others_credentials_are_left_and_refused_by_their_line() {
    let case = Case::with_prod();
    let path = case.credentials().display().to_string();
    for (lines, key) in [
        (
            "aws_access_key_id = ASIAOTHEROTHEROTHER1\naws_secret_access_key = x\naws_session_token = y\n",
            "aws_access_key_id",
        ),
        ("aws_secret_access_key = half\n", "aws_secret_access_key"),
        ("role_arn = x\n", "role_arn"),
        ("credential_process = x\n", "credential_process"),
    ] {
        case.write(&case.credentials(), 0o600, format!("[prod]\n{lines}"));
        let told = format!("{path}:2: AWS tools would go by `{key}` of section [prod] before they ask this vault");
        refused(&case, &["--remove-plaintext"], &error_and_hint(&told, BY_HAND));
    }
    case.write(&case.credentials(), 0o600, "[prod]\nregion = x\n");
    vault(&case, &["configure", "prod"]).succeeds();
}

#[test]
fn a_long_term_key_goes_only_where_the_vault_has_it_and_only_when_asked() {
    let case = Case::with_prod();
    let (id, secret) = (case.alice.access_key_id(), case.alice.secret_access_key());
    let path = case.credentials().display().to_string();
    let holds = |id: &str| {
        format!(
            "{path}:1: section [prod] holds the long-term key {}, which AWS tools would take before they ask this vault",
            short(id)
        )
    };
    let theirs = "[prod]\naws_access_key_id = AKIAOTHEROTHEROTHER1\naws_secret_access_key = theirs\n";
    case.write(&case.credentials(), 0o600, theirs);
    let hint = "`vault import prod --remove` moves it into the vault; nothing was changed";
    refused(&case, &["--remove-plaintext"], &error_and_hint(&holds("AKIAOTHEROTHEROTHER1"), hint));

    let own = format!("# mine\n[prod]\nregion = x\naws_access_key_id={id}\naws_secret_access_key={secret}\n");
    case.write(&case.credentials(), 0o600, own);
    let hint = "the vault has it: `--remove-plaintext` takes it out there";
    refused(&case, &[], &error_and_hint(&holds(id).replace(":1:", ":2:"), hint));
    let output = vault(&case, &["configure", "prod", "--remove-plaintext"]);
    output.succeeds().stderr_has("removed the access key in [prod] of ~/.aws/credentials; the vault has it\n");
    assert_eq!(fs::read_to_string(case.credentials()).unwrap(), "# mine\n[prod]\nregion = x\n");
    case.login().succeeds();
}
