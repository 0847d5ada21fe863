use super::*;
use crate::credentials::SessionCredentials;
use crate::secret::{SecretAccessKey, SessionToken};
use std::process::Command;

/// What would break out of weaker quoting.
const HOSTILE: &str = "'; echo broken; '$(echo x)`echo x`\"$HOME\\ \n\t!!*~#%PATH%^&|é😀\u{202e}\\'";

const EVERY: [Shell; 7] =
    [Shell::Sh, Shell::Fish, Shell::Powershell, Shell::Cmd, Shell::Nushell, Shell::Dotenv, Shell::Json];

fn carrying(token: &str) -> Variables {
    let session = SessionCredentials {
        access_key_id: "ASIAIOSFODNN7EXAMPLE".parse().unwrap(),
        secret_access_key: SecretAccessKey::new("plain".into()),
        session_token: SessionToken::new(token.into()),
        expiration: "2026-01-02T03:04:05Z".parse().unwrap(),
    };
    Variables::of_session(&session, None, &"prod".parse().unwrap())
}

fn lines_of(shell: Shell, variables: &Variables) -> Vec<String> {
    render(shell, variables).unwrap().lines().map(str::to_owned).collect()
}

/// What a shell is told of the token alone.
fn told(shell: Shell, token: &str) -> String {
    let text = render(shell, &carrying(token)).unwrap();
    let line = text.lines().find(|line| line.contains("AWS_SESSION_TOKEN")).unwrap();
    line.to_owned()
}

fn refused(shell: Shell, token: &str) -> Option<&'static str> {
    match render(shell, &carrying(token)) {
        Err(ShellError::CannotCarry { shell: by, variable: "AWS_SESSION_TOKEN", obstacle }) if by == shell => {
            Some(obstacle)
        }
        Err(other) => panic!("{other}"),
        Ok(_) => None,
    }
}

#[test]
fn a_session_of_aws_is_told_to_every_shell_in_these_words() {
    let token = "FwoGZXIvYXdzE/Ab+c==";
    let unset = |variable: &str| {
        format!(
            "set -eg {variable}; if set -qUx {variable}; echo 'vault: warning: {variable} is set for every shell, and \
             stays; set -eU {variable} erases it' >&2; end;"
        )
    };
    let of_fish = unset("AWS_PROFILE");
    let expected = [
        (Shell::Sh, "unset AWS_PROFILE;", "export AWS_SESSION_TOKEN='FwoGZXIvYXdzE/Ab+c==';"),
        (Shell::Fish, &of_fish, "set -gx AWS_SESSION_TOKEN 'FwoGZXIvYXdzE/Ab+c==';"),
        (
            Shell::Powershell,
            "Remove-Item -ErrorAction Ignore Env:AWS_PROFILE",
            "$env:AWS_SESSION_TOKEN = 'FwoGZXIvYXdzE/Ab+c=='",
        ),
        (Shell::Cmd, "AWS_PROFILE=", "AWS_SESSION_TOKEN=FwoGZXIvYXdzE/Ab+c=="),
        (Shell::Nushell, "  \"AWS_PROFILE\": null,", "  \"AWS_SESSION_TOKEN\": \"FwoGZXIvYXdzE/Ab+c==\","),
    ];
    for (shell, unset, set) in expected {
        let lines = lines_of(shell, &carrying(token));
        let position =
            |line: &str| lines.iter().position(|it| it == line).unwrap_or_else(|| panic!("{line}: {lines:?}"));
        assert!(position(unset) < position(set), "{shell:?}");
        assert!(lines.len() > 15, "{lines:?}");
    }
    let dotenv = lines_of(Shell::Dotenv, &carrying(token));
    assert_eq!(
        dotenv,
        [
            "AWS_ACCESS_KEY_ID=ASIAIOSFODNN7EXAMPLE",
            "AWS_SECRET_ACCESS_KEY=plain",
            "AWS_SESSION_TOKEN=FwoGZXIvYXdzE/Ab+c==",
            "AWS_CREDENTIAL_EXPIRATION=2026-01-02T03:04:05Z",
            "AWS_VAULT=prod",
        ]
    );
}

#[test]
fn a_shell_gets_back_a_hostile_value_byte_for_byte() {
    let script = format!("{}\nprintf %s \"$AWS_SESSION_TOKEN\"", *render(Shell::Sh, &carrying(HOSTILE)).unwrap());
    let output = Command::new("sh").args(["-euc", &script]).env("AWS_PROFILE", "x").output().unwrap();
    assert_eq!(String::from_utf8(output.stdout).unwrap(), HOSTILE);
    assert!(output.status.success() && output.stderr.is_empty());
}

#[test]
fn fish_is_told_a_hostile_value_in_one_line() {
    let told = told(Shell::Fish, "a'b\\c\nd$(x)\"é");
    assert_eq!(told, r#"set -gx AWS_SESSION_TOKEN 'a\'b\\c'\n'd$(x)"é';"#);
}

#[test]
fn powershell_is_told_a_hostile_value_in_one_line_of_printable_ascii() {
    // A typographic quote would end the string, and the console's encoding would be asked for the rest.
    let told = told(Shell::Powershell, "a'$(x)`\"\u{2019}\n😀%");
    let expected = "$env:AWS_SESSION_TOKEN = 'a''$(x)`\"' + [char]8217 + '' + [char]10 + '' + [char]55357 + '' + \
                    [char]56832 + '%'";
    assert_eq!(told, expected);
}

#[test]
fn nushell_reads_a_record_that_holds_a_hostile_value_and_nulls() {
    let text = render(Shell::Nushell, &carrying(HOSTILE)).unwrap();
    let record: serde_json::Map<String, serde_json::Value> = serde_json::from_str(&text).unwrap();
    assert_eq!(record["AWS_SESSION_TOKEN"], HOSTILE);
    assert!(record["AWS_PROFILE"].is_null());
}

#[test]
fn cmd_is_not_given_what_it_would_take_for_something_else() {
    for (token, obstacle) in [
        ("", "is empty"),
        ("a\nb", "holds a line break or another control character"),
        ("a\rb", "holds a line break or another control character"),
        ("é", "holds characters that are not ASCII"),
        ("\u{202e}", "holds characters that are not ASCII"),
        ("%PATH%", "holds one of \" % !"),
        ("a\"b", "holds one of \" % !"),
        ("!x!", "holds one of \" % !"),
        (&"x".repeat(8001), "is longer than a command line may be"),
    ] {
        assert_eq!(refused(Shell::Cmd, token), Some(obstacle), "{token:?}");
    }
    assert_eq!(told(Shell::Cmd, "a&b|c<d>e^f;g$(x)`'(h)"), "AWS_SESSION_TOKEN=a&b|c<d>e^f;g$(x)`'(h)");
}

#[test]
fn a_dotenv_file_holds_only_what_every_reader_of_it_takes_as_it_stands() {
    assert_eq!(refused(Shell::Dotenv, ""), Some("is empty"));
    for character in " \n\t'\"\\$`#;&|<>()*?![]{}~%^é😀\u{202e}".chars() {
        let obstacle = Some("holds characters that the readers of such files take differently");
        assert_eq!(refused(Shell::Dotenv, &format!("a{character}b")), obstacle, "{character:?}");
    }
    assert_eq!(told(Shell::Dotenv, "aZ09_.@:/+=,-"), "AWS_SESSION_TOKEN=aZ09_.@:/+=,-");
}

#[test]
fn what_no_variable_can_hold_is_refused_for_every_shell() {
    for shell in EVERY.into_iter().filter(|shell| *shell != Shell::Json) {
        assert_eq!(refused(shell, "secret\0"), Some("holds a NUL"), "{shell:?}");
    }
    assert_eq!(refused(Shell::Powershell, ""), Some("is empty"));
}

#[test]
fn json_says_what_to_set_and_what_to_unset() {
    let value: serde_json::Value = serde_json::from_str(&render(Shell::Json, &carrying(HOSTILE)).unwrap()).unwrap();
    assert_eq!(value["version"], 1);
    assert_eq!(value["set"]["AWS_SESSION_TOKEN"], HOSTILE);
    assert_eq!(value["unset"][0], "AWS_PROFILE");
}

#[test]
fn every_shell_but_a_file_can_take_the_variables_back() {
    for shell in EVERY {
        match render(shell, &Variables::taken_back()) {
            Ok(text) => assert!(text.contains("AWS_SESSION_TOKEN") && text.ends_with('\n'), "{shell:?}"),
            Err(error) => assert_eq!((shell, error), (Shell::Dotenv, ShellError::CannotUnset { shell })),
        }
    }
}

#[test]
fn what_is_refused_is_told_without_the_value() {
    let error = render(Shell::Cmd, &carrying("hush%hush")).unwrap_err();
    assert_eq!(error.to_string(), "cmd can't be given AWS_SESSION_TOKEN: its value holds one of \" % !");
    assert!(!format!("{error:?}").contains("hush"));
}
