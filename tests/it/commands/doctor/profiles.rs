//! What it says of a profile: what AWS tools take for it, and which profile they mean.

use std::fs;

use super::{VAULT, about, doctor, only, said_of, told};
use crate::commands::PHONE;
use crate::program::Case;

#[test]
fn of_a_profile_it_says_what_aws_tools_go_by_and_what_is_in_its_way() {
    let case = Case::with_prod();
    let config = |lines: &str| case.write(&case.config(), 0o600, format!("[profile prod]\n{lines}\n"));
    let one = || only(&case, &["prod"], "profile");
    assert_eq!(
        one(),
        told(
            "problem",
            "AWS tools find no credentials for `prod`",
            Some("`vault login prod`, or `vault configure prod` to have them ask this vault"),
        )
    );
    assert_eq!(
        only(&case, &["prod"], "region"),
        told(
            "note",
            "AWS tools find no region for `prod`",
            Some("`region = REGION` in its section of ~/.aws/config; of variables some know only AWS_DEFAULT_REGION"),
        )
    );
    let by = |variable: &str| said_of(&doctor(&case, &["prod"]).variable(variable, "eu-west-1").run(), "region").len();
    assert_eq!((by("AWS_DEFAULT_REGION"), by("AWS_REGION")), (0, 1));
    for (file, lines, unknown) in [
        (case.config(), "[profile prod]\nregion = eu-central-1\n", 0),
        (case.config(), "[profile prod]\nregion =\n", 1),
        (case.credentials(), "[prod]\nregion = eu-central-1\n", 0),
        (case.credentials(), "[prod]\nregion =\n", 1),
    ] {
        case.write(&file, 0o600, lines);
        assert_eq!(about(&case, &["prod"], "region").len(), unknown, "{lines} in {}", file.display());
        fs::remove_file(file).unwrap();
    }
    config(&format!("credential_process = {VAULT} credential-process prod"));
    assert_eq!(one(), told("ok", "AWS tools ask this vault for `prod`: ~/.aws/config:2, `credential_process`", None));
    config("credential_process = /nowhere/vault credential-process prod");
    assert_eq!(
        one(),
        told(
            "problem",
            "AWS tools ask a program for `prod` that does not start: ~/.aws/config:2, `credential_process`: no such program",
            Some("`vault configure prod` writes where this one is"),
        )
    );
    config("credential_process = aws-vault export --format=json prod");
    assert_eq!(
        one(),
        told(
            "problem",
            "AWS tools get `prod` from another program, and the vault has it too: ~/.aws/config:2, `credential_process`",
            Some("`vault configure prod --replace` has them ask this vault"),
        )
    );
    config("role_arn = arn:aws:iam::123456789012:role/admin\nsource_profile = base");
    assert_eq!(
        one(),
        told(
            "note",
            "AWS tools go by `role_arn` for `prod` (~/.aws/config:2, `role_arn`), and do not ask this vault",
            Some("`vault configure prod --take-over` has them ask it, if that is a role"),
        )
    );
    fs::remove_file(case.config()).unwrap();
    case.login().succeeds();
    config(&format!("credential_process = {VAULT} credential-process prod"));
    let both = about(&case, &["prod"], "profile");
    assert_eq!(both[0].0, "ok");
    assert_eq!(
        both[1],
        told(
            "problem",
            "also for `prod`, and not used by most tools: ~/.aws/config:2, `credential_process`",
            Some("`vault logout prod`: then they ask this vault"),
        )
    );
}

#[test]
fn a_session_that_is_over_is_told_with_the_way_to_the_next() {
    let case = Case::with_prod();
    case.login().succeeds();
    let text = fs::read_to_string(case.credentials()).unwrap();
    let over: Vec<&str> =
        text.lines().map(|line| if line.starts_with("aws_credential_expiration") { OVER } else { line }).collect();
    fs::write(case.credentials(), over.join("\n")).unwrap();
    let files = only(&case, &["prod"], "aws files");
    assert!(files.1.starts_with("~/.aws/credentials:1, [prod]: a session that ended "), "{files:?}");
    assert_eq!(files.2.as_deref(), Some("`vault login prod`, or `vault logout prod`"));
    assert_eq!(
        only(&case, &["prod"], "profile"),
        told(
            "problem",
            "AWS tools take a session for `prod` that is over: ~/.aws/credentials:1",
            Some("`vault login prod`"),
        )
    );
}

const OVER: &str = "aws_credential_expiration = 2026-01-01T00:00:00Z";

fn no_profile(name: &str, words: &str) -> super::Told {
    let found = format!("there is no profile `{name}`{words}");
    told("problem", &found, Some("`vault list` shows those that there are"))
}

#[test]
fn a_profile_that_nobody_knows_is_told_as_that() {
    let case = Case::with_prod();
    case.write(&case.config(), 0o600, "[profile operations]\nregion = eu-west-1\n");
    case.write(&case.credentials(), 0o600, "[staging]\nregion = eu-west-1\n");
    let nowhere = ", neither in the vault nor in AWS's files";
    assert_eq!(only(&case, &["nope"], "profile"), no_profile("nope", nowhere));
    for (name, meant) in [("prodd", "prod"), ("operation", "operations"), ("stagin", "staging")] {
        let words = format!("{nowhere}; did you mean `{meant}`?");
        assert_eq!(only(&case, &[name], "profile"), no_profile(name, &words));
    }
    let by = |variable: &str| said_of(&doctor(&case, &[]).variable(variable, "nope").run(), "profile").pop();
    for variable in ["AWS_PROFILE", "AWS_DEFAULT_PROFILE"] {
        let words = format!(", which {variable} names{nowhere}");
        assert_eq!(by(variable), Some(no_profile("nope", &words)));
    }
    let without_vault = Case::new();
    assert_eq!(only(&without_vault, &["nope"], "profile"), no_profile("nope", nowhere));
    // It may be in the vault.
    let locked = said_of(&doctor(&case, &["nope"]).asking().run(), "profile");
    assert_eq!(locked[0].1, "AWS tools find no credentials for `nope`");
}

#[test]
fn a_default_section_that_is_there_for_its_region_is_no_trouble() {
    let case = Case::with_prod();
    case.write(&case.config(), 0o600, "[default]\nregion = eu-west-1\n");
    let found = "AWS tools that are told no profile find no credentials: `default` has none";
    let next = |name: &str| format!("`--profile {name}`, or AWS_PROFILE; `vault doctor {name}` looks at that one");
    assert_eq!(only(&case, &[], "profile"), told("note", found, Some(&next("prod"))));
    let locked = said_of(&doctor(&case, &[]).asking().run(), "profile");
    assert_eq!(locked, [told("note", found, Some(&next("NAME")))]);
    let none = "`vault add default`: the vault has no profile of that name";
    let named = said_of(&doctor(&case, &[]).variable("AWS_PROFILE", "default").run(), "profile");
    assert_eq!(named.last(), Some(&told("problem", "AWS tools find no credentials for `default`", Some(none))));
    // Whoever names it means it, and so does who has it in the vault.
    let missing = "AWS tools find no credentials for `default`";
    assert_eq!(only(&case, &["default"], "profile").1, missing);
    case.run(&["rename", "prod", "default"]).succeeds();
    assert_eq!(only(&case, &[], "profile").1, missing);
}

#[test]
fn the_variable_that_the_aws_cli_looks_at_first_is_looked_at_first() {
    let case = Case::with_prod();
    case.login().succeeds();
    let run = |more: &[(&str, &str)], words: &[&str]| {
        let run = more.iter().fold(doctor(&case, words), |run, (name, value)| run.variable(name, value));
        said_of(&run.run(), "profile")
    };
    let own = |name: &'static str| ("AWS_DEFAULT_PROFILE", name);
    let alone = run(&[own("prod")], &[]);
    assert_eq!(
        alone[0],
        told(
            "note",
            "AWS_DEFAULT_PROFILE is for the AWS CLI and boto3; other tools don't look at it",
            Some("set AWS_PROFILE instead")
        )
    );
    assert!(alone[1].1.starts_with("AWS tools take the session of `vault login` for `prod`"), "{alone:?}");
    let differ = run(&[own("prod"), ("AWS_PROFILE", "other")], &[]);
    assert_eq!(
        differ[0],
        told(
            "problem",
            "the AWS CLI and boto3 go by AWS_DEFAULT_PROFILE (`prod`), other tools by AWS_PROFILE (`other`)",
            Some("`unset AWS_DEFAULT_PROFILE`")
        )
    );
    assert_eq!(differ[1..], alone[1..]);
    assert_eq!(run(&[own("prod"), ("AWS_PROFILE", "prod")], &[]), alone[1..]);
    assert_eq!(run(&[own("other")], &["prod"]), alone[1..], "a name on the command line goes before");
    let odd = run(&[("AWS_PROFILE", "my profile")], &[]);
    let [(state, found, None)] = &odd[..] else { panic!("{odd:?}") };
    assert!(state == "note" && found.contains("was not looked at: `my profile` is not a profile name"));
}

#[test]
fn a_role_whose_source_has_no_credentials_is_a_problem_for_aws_tools_until_its_source_asks_the_vault() {
    let case = Case::with_prod();
    let role = "role_arn = arn:aws:iam::123456789012:role/admin";
    case.write(&case.config(), 0o600, format!("[profile admin]\n{role}\nsource_profile = prod\n"));
    let found =
        "AWS tools find no credentials for the role `admin` (~/.aws/config:3): its source_profile `prod` has none";
    let way = "`vault configure prod` has AWS tools ask this vault for it; `vault login prod` gives them a session";
    doctor(&case, &[]).run().exits(1);
    assert_eq!(only(&case, &[], "roles"), told("problem", found, Some(way)));
    case.run(&["configure", "prod"]).succeeds();
    doctor(&case, &[]).run().succeeds();
    assert_eq!(about(&case, &[], "roles"), []);
}

#[test]
fn a_role_that_takes_a_code_beside_the_vaults_is_told_with_the_way_to_one() {
    let case = Case::with_prod();
    let role = format!("role_arn = arn:aws:iam::123456789012:role/admin\nsource_profile = prod\nmfa_serial = {PHONE}");
    case.write(&case.config(), 0o600, format!("[profile admin]\n{role}\n"));
    case.run(&["configure", "prod"]).succeeds();
    let found = "AWS tools ask for an MFA code of their own for the role `admin`, beside that of `prod`: its mfa_serial, \
                 ~/.aws/config:4";
    let way = "`vault configure admin --take-over`: AWS tools ask this vault for the role, which takes no code but the vault's";
    assert_eq!(only(&case, &[], "roles"), told("note", found, Some(way)));
    case.run(&["configure", "admin", "--take-over"]).succeeds();
    assert_eq!(about(&case, &[], "roles"), []);
}

#[test]
fn a_profile_that_leads_to_no_key_is_a_problem_and_so_is_a_line_that_asks_for_none() {
    let case = Case::with_prod();
    let role = "arn:aws:iam::123456789012:role/admin";
    case.run(&["add", "admin", "--role-arn", role, "--source-profile", "prod"]).succeeds();
    case.run(&["configure", "prod"]).succeeds();
    assert_eq!(about(&case, &[], "profile"), []);
    case.run(&["rename", "prod", "main"]).succeeds();
    let told = "no profile named `nix`, which `admin` has as its source_profile\n";
    case.run(&["set", "admin", "source_profile=nix"]).succeeds().stderr_has(told);
    let told: Vec<String> =
        about(&case, &[], "profile").iter().map(|(state, found, _)| format!("{state}: {found}")).collect();
    assert_eq!(told.len(), 2, "{told:?}");
    assert_eq!(told[0], "problem: no profile named `nix`, which `admin` has as its source_profile");
    assert!(told[1].starts_with("problem: AWS tools ask this vault for `prod` (~/.aws/config:3): "), "{told:?}");
    let next = about(&case, &[], "profile")[1].2.clone().unwrap();
    assert!(next.ends_with("`vault configure prod --restore` takes that line out"), "{next}");
    case.run(&["configure", "prod", "--restore"]).succeeds();
    assert_eq!(about(&case, &[], "profile").len(), 1);
}

#[test]
fn a_role_whose_source_nobody_has_is_not_sent_to_the_vault() {
    let case = Case::with_prod();
    let role = "role_arn = arn:aws:iam::123456789012:role/admin";
    case.write(&case.config(), 0o600, format!("[profile admin]\n{role}\nsource_profile = nix\n"));
    let next = only(&case, &[], "roles").2;
    assert_eq!(next.as_deref(), Some("write a profile there that the vault has: `vault list` shows them"));
}
