//! What each source gives: the AWS tools' own files, other tools' layouts of them, the console's CSV, aws-vault.

use super::*;

#[test]
fn all_layouts_in_the_aws_files_come_along_with_their_devices_and_regions() {
    let case = Case::with_vault();
    let bob = bob(&case);
    let text = [
        &pair("prod-long-term", &case.alice),
        &format!("aws_mfa_device = {PHONE}\n"),
        &pair("dev-nomfa", &bob),
        SESSION,
    ];
    credentials(&case, &text.map(String::from).concat());
    case.write(&case.config(), 0o644, "[profile prod]\nregion = eu-central-1\n");
    let (alice, bobs) = (short(case.alice.access_key_id()), short(bob.access_key_id()));
    let told = [
        added("prod", &case.alice, &phone()),
        added("dev", &bob, "no MFA device"),
        still_there("~/.aws/credentials"),
        "next: vault login prod dev\n".to_owned(),
    ];
    case.run(&["import", "--yes"]).succeeds().stderr(&told.concat()).stdout(&table(&[
        ["prod", &alice, PHONE, "~/.aws/credentials [prod-long-term]", "add"],
        ["dev", &bobs, "ask AWS", "~/.aws/credentials [dev-nomfa]", "add"],
        ["default", "-", "-", "~/.aws/credentials [default]", "skip: a session"],
    ]));
    let prod = profile(&case, "prod");
    assert_eq!((&prod["mfa_serial"], &prod["region"]), (&PHONE.into(), &"eu-central-1".into()));
    assert_eq!((&prod["user_arn"], &prod["access_key"]), (&ALICE.into(), &case.alice.access_key_id().into()));
    forget(&case);
    works(&case, "prod");
}

#[test]
fn stscreds_keeps_its_pairs_in_a_file_of_its_own() {
    let case = Case::with_vault();
    let file = case.home().join(".stscreds/credentials");
    case.write(
        &file,
        0o644,
        format!("{}temp_credentials_expire = 2026-01-01T00:00:00Z\n", pair("default", &case.alice)),
    );
    credentials(&case, SESSION);
    let alice = short(case.alice.access_key_id());
    let row = ["default", &alice, "ask AWS", "~/.stscreds/credentials [default]", "add"];
    let imported = case.run(&["import", "--from", "stscreds", "--yes", "--remove"]);
    imported.succeeds().stdout(&table(&[row]));
    assert_eq!(fs::read_to_string(&file).unwrap(), "[default]\ntemp_credentials_expire = 2026-01-01T00:00:00Z\n");
    assert_eq!(fs::read_to_string(case.credentials()).unwrap(), SESSION);
    works(&case, "default");
}

#[test]
fn awsmfas_identity_goes_on_writing_to_default() {
    let case = Case::with_vault();
    credentials(&case, &(pair("identity", &case.alice) + SESSION));
    case.run(&["import", "--yes", "--remove"]).succeeds();
    assert_eq!(profile(&case, "identity")["destination_profile"], "default");
    case.run(&["login", "identity", "--mfa-code", &case.phone.code()]).succeeds();
    let written = fs::read_to_string(case.credentials()).unwrap();
    assert!(written.starts_with("[default]\n") && !written.contains("[identity]"), "{written}");
}

#[test]
fn the_role_that_aws_mfa_signed_in_to_keeps_its_name() {
    let case = Case::with_vault();
    let role = "arn:aws:iam::123456789012:role/admin";
    credentials(&case, &format!("{}assume_role = {role}\n", pair("prod-long-term", &case.alice)));
    let alice = short(case.alice.access_key_id());
    let imported = case.run(&["import", "--from", "aws-mfa", "--yes", "--remove"]);
    imported.succeeds().stdout(&table(&[
        ["prod-long-term", &alice, "ask AWS", "~/.aws/credentials [prod-long-term]", "add"],
        ["prod", role, "-", "~/.aws/credentials [prod-long-term]", "add"],
    ]));
    assert_eq!(profile(&case, "prod"), serde_json::json!({"role_arn": role, "source_profile": "prod-long-term"}));
    assert_eq!(fs::read_to_string(case.credentials()).unwrap(), format!("[prod-long-term]\nassume_role = {role}\n"));
}

#[test]
fn aws_recipes_older_file_is_read_too() {
    let case = Case::with_vault();
    let file = case.credentials().with_file_name("credentials.no-mfa");
    case.write(&file, 0o644, format!("{}aws_mfa_serial = {PHONE}\n", pair("isec", &case.alice)));
    case.run(&["import", "--from", "aws-recipes", "--yes", "--remove"]).succeeds();
    assert_eq!(fs::read_to_string(&file).unwrap(), format!("[isec]\naws_mfa_serial = {PHONE}\n"));
    assert_eq!(mode(&file), 0o600, "never wider, and no longer open to others");
    works(&case, "isec");
}

#[test]
fn the_consoles_csv_gives_a_profile_a_user_and_goes_as_a_file() {
    let case = Case::with_vault();
    let bob = bob(&case);
    let line = |user: &User| format!("{},{},{}\r\n", user.name(), user.access_key_id(), user.secret_access_key());
    let text = format!("\u{feff}User name,Access key ID,Secret access key\r\n{}{}", line(&case.alice), line(&bob));
    let path = case.give("new_users.csv", &text);
    let csv = path.to_str().unwrap();
    let only = case.run(&["import", "--csv", csv, "alice", "--yes", "--remove"]);
    let stays = warning(&format!("{csv} stays: it changed meanwhile, or holds keys that the vault has not"));
    only.succeeds().stderr(&format!("{}{stays}next: vault login alice\n", added("alice", &case.alice, &phone())));
    assert_eq!(fs::read_to_string(&path).unwrap(), text);
    let rest = case.run(&["import", "--csv", csv, "--yes", "--remove"]);
    let told = [
        added("bob", &bob, "no MFA device"),
        format!("removed {csv}\n"),
        warning(COPIES),
        "next: vault login bob\n".to_owned(),
    ];
    rest.succeeds().stderr(&told.concat());
    assert!(!path.exists());
    works(&case, "alice");
}

/// Stands in for aws-vault: a profile with a key, one whose role's session it gives, one that it can't open.
fn aws_vault(case: &Case) -> String {
    let keys = case.give(
        "keys.json",
        format!(
            "{{\n  \"Version\": 1,\n  \"AccessKeyId\": \"{}\",\n  \"SecretAccessKey\": \"{}\"\n}}\n",
            case.alice.access_key_id(),
            case.alice.secret_access_key()
        ),
    );
    let script = format!(
        "#!/bin/sh\n[ -z \"$AWS_VAULT$AWS_SECRET_ACCESS_KEY$VAULT_IDENTITY\" ] || exit 9\n\
         [ \"$AWS_VAULT_BACKEND\" = file ] || exit 8\n\
         case \"$*\" in\n\
         'list --credentials') printf 'prod\\nrole\\nlocked\\n';;\n\
         'export --no-session --format=json -- prod') cat {};;\n\
         'export --no-session --format=json -- role') \
         echo '{{\"Version\":1,\"AccessKeyId\":\"ASIAIOSFODNN7EXAMPLE\",\"SecretAccessKey\":\"s\",\"SessionToken\":\"t\"}}';;\n\
         *) echo 'aws-vault: error: \\033[31mlocked' >&2; exit 1;;\nesac\n",
        keys.display()
    );
    let program = case.give_program("aws-vault", script);
    format!("{}:/usr/bin:/bin", program.parent().unwrap().display())
}

#[test]
fn aws_vault_is_asked_for_its_keys_without_anything_of_ours_in_its_environment() {
    let case = Case::with_vault();
    let path = aws_vault(&case);
    let import = |arguments: &[&str]| {
        let all = [&["import", "--from", "aws-vault", "--yes"], arguments].concat();
        let import = case.vault(&all).variable("PATH", &path).variable("AWS_VAULT_BACKEND", "file");
        import.variable("AWS_VAULT", "a shell of its own").variable("AWS_SECRET_ACCESS_KEY", "not for it")
    };
    let alice = short(case.alice.access_key_id());
    let output = import(&[]).run();
    output.succeeds().stdout(&table(&[
        ["prod", &alice, "ask AWS", "aws-vault", "add"],
        ["role", "-", "-", "aws-vault", "skip: a session"],
        ["locked", "-", "-", "aws-vault", "skip: not a whole access key"],
    ]));
    output.stderr_has(&warning("aws-vault, `locked`: `aws-vault` ended with exit status: 1"));
    assert!(!output.err.contains('\x1b'), "{}", output.err);
    works(&case, "prod");
    let again = import(&["prod"]).run();
    let row = ["prod", &alice, "-", "aws-vault", "in the vault already"];
    again.succeeds().stdout(&table(&[row])).stderr("nothing to import\n");
    case.run(&["remove", "prod", "--yes"]).succeeds();
    import(&["prod", "--remove"]).run().succeeds().stderr_has(
        "vault: warning: aws-vault has the key of `prod` still\n\
         vault: hint: `aws-vault remove prod` takes it out there\n",
    );
}

#[test]
fn who_has_aws_vault_and_nothing_in_files_is_shown_how_it_is_asked() {
    let case = Case::with_vault();
    let path = aws_vault(&case);
    let places = "~/.aws/credentials, ~/.aws/credentials.no-mfa, ~/.stscreds/credentials";
    let told = error_and_hint(
        &format!("found no access key in {places}"),
        "`vault import --from aws-vault` asks aws-vault for the keys that it has",
    );
    case.vault(&["import", "--dry-run"]).variable("PATH", &path).run().exits(1).stdout("").stderr(&told);
}

#[test]
fn where_there_is_no_aws_vault_that_is_said() {
    let case = Case::with_vault();
    let output = case.run(&["import", "--from", "aws-vault", "--yes"]);
    output.refuses(1, "aws-vault: could not start `aws-vault`");
}

#[test]
fn what_runs_or_leads_elsewhere_is_named_and_never_imported() {
    let case = Case::with_vault();
    credentials(&case, &format!("{}endpoint_url = http://evil.example\n", pair("prod", &case.alice)));
    let config = "[profile prod]\nmfa_process = otp hush\ncredential_process = other\nrole_arn = arn:aws:iam::123456789012:role/x\n";
    case.write(&case.config(), 0o600, config);
    let output = case.run(&["import", "--yes"]);
    output.succeeds().stderr_has(
        "not imported: endpoint_url of `prod` (~/.aws/credentials:4)\n\
         vault: hint: if it is yours: vault set prod endpoint_url=http://evil.example\n\
         not imported: mfa_process of `prod` (~/.aws/config:2)\n\
         vault: hint: if it is yours: vault set prod mfa_process='COMMAND'\n\
         not imported: credential_process of `prod` (~/.aws/config:3)\n\
         vault: hint: AWS tools ask that for it still; `vault configure prod --replace` has them ask this vault\n",
    );
    assert!(!output.err.contains("hush"), "a command may hold a secret");
    let prod = profile(&case, "prod");
    let keys: Vec<&str> = prod.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(keys, ["access_key", "added", "created", "endpoint", "mfa_serial", "user_arn", "verified"]);
    assert_eq!(prod["endpoint"], case.sim.endpoint(), "where it was checked, not where the file says");
    forget(&case);
}
