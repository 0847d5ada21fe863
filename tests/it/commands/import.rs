//! `vault import`: what each source gives, what is never taken, and that plaintext goes only after the vault is saved.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use aws_sim::{Failure, Kind, Status, User};
use jiff::SignedDuration;
use vault::secret::{IdentityText, SecretAccessKey};
use vault::store::document::Document;
use vault::store::plugin::Plugins;
use vault::store::seal::{seal, unseal};

use super::{ALICE, PHONE, error, error_and_hint, json, mode, screen, short, warning};
use crate::program::{ACCOUNT, Case, PASSPHRASE, files_below};

const VAULT: &str = "~/.local/share/vault/vault.age";
const COPIES: &str = "copies may be in backups, sync history, shell history and editors' swap files; a key that was copied works \
                      until it is replaced at AWS";
const SESSION: &str = "[default]\naws_access_key_id = ASIAIOSFODNN7EXAMPLE\naws_secret_access_key = session/of/nobody\n\
                       aws_session_token = token+of+nobody+at+all\n";

fn pair(section: &str, user: &User) -> String {
    format!(
        "[{section}]\naws_access_key_id = {}\naws_secret_access_key = {}\n",
        user.access_key_id(),
        user.secret_access_key()
    )
}

/// Another user of the account, without a device.
fn bob(case: &Case) -> User {
    let bob = case.sim.add_user(ACCOUNT, "bob");
    case.keep_secret("bob's secret key", bob.secret_access_key());
    bob
}

fn credentials(case: &Case, text: &str) {
    case.write(&case.credentials(), 0o600, text);
}

/// What a test leaves in plaintext on purpose is not what the case is searched for.
fn forget(case: &Case) {
    let aws = case.credentials();
    let files = [aws.clone(), aws.with_file_name("credentials.no-mfa"), case.home().join(".stscreds/credentials")];
    files.iter().for_each(|file| drop(fs::remove_file(file)));
}

fn added(name: &str, user: &User, device: &str) -> String {
    let (key, who) = (short(user.access_key_id()), user.name());
    format!("added `{name}`: access key {key}, {who} in account {ACCOUNT}, {device}\n")
}

fn phone() -> String {
    format!("MFA device {PHONE}")
}

fn still_there(files: &str) -> String {
    format!(
        "{}vault: hint: the same command with `--remove` takes them out\n",
        warning(&format!("the keys still lie in plaintext in {files}"))
    )
}

fn profile(case: &Case, name: &str) -> serde_json::Value {
    json(&case.run(&["show", name, "--json"]))["profile"].clone()
}

fn works(case: &Case, name: &str) {
    case.run(&["login", name, "--no-export", "--mfa-code", &case.phone.code()]).succeeds();
}

/// A table's lines, the columns as wide as their widest cell.
fn table(rows: &[[&str; 5]]) -> String {
    let heading = ["NAME", "KEY OR ROLE", "MFA DEVICE", "FROM", "WHAT"];
    let rows: Vec<[&str; 5]> = std::iter::once(heading).chain(rows.iter().copied()).collect();
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap();
    let cell = |row: &[&str; 5], column: usize| format!("{:1$}  ", row[column], width(column));
    let line = |row: &[&str; 5]| (0..5).map(|column| cell(row, column)).collect::<String>();
    rows.iter().map(|row| format!("{}\n", line(row).trim_end())).collect()
}

/// Every file below the home folder, its bytes and its mode, but for the lock that opening a vault takes.
fn everything(case: &Case) -> BTreeMap<PathBuf, (Vec<u8>, u32)> {
    let files = files_below(&case.home()).into_iter().filter(|path| !path.ends_with(".pins.toml.lock"));
    files.map(|path| (path.clone(), (fs::read(&path).unwrap(), mode(&path)))).collect()
}

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
        "next: vault login prod\n".to_owned(),
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

const NOTHING: [&Path; 0] = [];

/// The paths at which the home folder differs from what it was.
fn changed(case: &Case, before: &BTreeMap<PathBuf, (Vec<u8>, u32)>) -> Vec<PathBuf> {
    let after = everything(case);
    let paths = before.keys().chain(after.keys().filter(|path| !before.contains_key(*path)));
    paths.filter(|path| before.get(*path) != after.get(*path)).cloned().collect()
}

#[test]
fn a_dry_run_asks_nobody_and_changes_no_byte() {
    let case = Case::with_vault();
    credentials(&case, &pair("prod", &case.alice));
    let before = everything(&case);
    for arguments in [&["import", "--dry-run"][..], &["import", "--dry-run", "--remove", "--yes"]] {
        let alice = short(case.alice.access_key_id());
        let row = ["prod", &alice, "ask AWS", "~/.aws/credentials [prod]", "add"];
        case.run(arguments).succeeds().stderr("").stdout(&table(&[row]));
    }
    assert_eq!(changed(&case, &before), NOTHING);
    assert_eq!(case.sim.requests(), []);
    forget(&case);
}

#[test]
fn without_a_vault_a_dry_run_makes_none_and_an_import_does() {
    let case = Case::new();
    credentials(&case, &pair("prod", &case.alice));
    case.run(&["import", "--dry-run"]).succeeds().stderr("");
    assert!(!case.vault_file().exists());
    let made = case.run(&["import", "--yes", "--remove", "--kdf", "small", "--no-recovery"]);
    let told = format!(
        "there is no vault yet; making {VAULT}\nmade the vault {VAULT}\n{}removed the key from ~/.aws/credentials, \
         section [prod]\n{}next: vault login prod\n",
        added("prod", &case.alice, &phone()),
        warning(COPIES)
    );
    made.succeeds().stderr(&told);
    works(&case, "prod");
}

#[test]
fn it_asks_before_anything_is_done_and_only_a_yes_is_one() {
    let case = Case::with_vault();
    credentials(&case, &pair("prod", &case.alice));
    let before = everything(&case);
    let question = format!("Import 1 profile into {VAULT}? [y/N] ");
    for answer in ["", "n"] {
        let mut terminal = case.vault(&["import"]).on_terminal();
        terminal.expect("WHAT").expect(&question).type_line(answer);
        let (output, _) = terminal.finish();
        output.exits(8);
        assert!(screen(&output).ends_with("vault: error: not confirmed; nothing was changed\n"), "{}", output.screen);
    }
    case.run(&["import"])
        .exits(8)
        .stderr(&error_and_hint("this needs a confirmation and there is no terminal to ask on", "pass `--yes`"));
    assert_eq!(changed(&case, &before), NOTHING);
    assert_eq!(case.sim.requests(), []);
    let mut terminal = case.vault(&["import", "--remove"]).on_terminal();
    terminal.expect(&format!("Import 1 profile into {VAULT}, and then remove the keys from these files? [y/N] "));
    terminal.type_line("y");
    let (output, _) = terminal.finish();
    output.succeeds();
    assert_eq!(fs::read(case.credentials()).unwrap(), b"");
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
}

#[test]
fn where_there_is_no_aws_vault_that_is_said() {
    let case = Case::with_vault();
    let output = case.run(&["import", "--from", "aws-vault", "--yes"]);
    output.refuses(1, "aws-vault: could not start `aws-vault`");
}

#[test]
fn keys_that_aws_refuses_are_named_and_the_others_are_imported() {
    let case = Case::with_vault();
    let bob = bob(&case);
    credentials(&case, &(pair("good", &case.alice) + &pair("old", &bob)));
    case.sim.set_key_status(bob.access_key_id(), Status::Inactive);
    let before = fs::read(case.credentials()).unwrap();
    let refused = case.run(&["import", "--yes", "--remove"]);
    let why = format!("AWS does not know the access key {}, or it is inactive", short(bob.access_key_id()));
    let told = [
        added("good", &case.alice, &phone()),
        warning(&format!("`old` is not imported: {why}")),
        "removed the key from ~/.aws/credentials, section [good]\n".to_owned(),
        warning(COPIES),
        error_and_hint("1 profile was imported; not imported: `old`", "`--no-verify` stores keys unchecked"),
    ];
    refused.exits(4).stderr(&told.concat());
    assert_eq!(fs::read_to_string(case.credentials()).unwrap(), pair("old", &bob), "a key that is nowhere else stays");
    assert_ne!(before, fs::read(case.credentials()).unwrap());
    case.run(&["import", "--yes"]).exits(4).stderr_has("nothing was imported; not imported: `old`");
    case.run(&["import", "--yes", "--no-verify"]).succeeds().stderr_has("added `old`: access key");
    forget(&case);
    works(&case, "good");
}

#[test]
fn without_a_network_nothing_is_stored_and_nothing_removed() {
    let case = Case::with_vault();
    credentials(&case, &pair("prod", &case.alice));
    let before = everything(&case);
    let import = case.vault(&["import", "--yes", "--remove"]).variable("AWS_ENDPOINT_URL", "http://127.0.0.1:9");
    import.run().exits(5).stderr_has("vault: error: GetCallerIdentity: can't reach");
    assert_eq!(changed(&case, &before), NOTHING);
    forget(&case);
}

#[test]
fn a_conflict_is_named_and_never_decided_in_silence() {
    let case = Case::with_prod();
    let bob = bob(&case);
    let text = pair("prod", &bob) + &pair("two", &case.alice) + &pair("two-long-term", &bob) + &pair("bob", &bob);
    credentials(&case, &(text + &pair("twice", &bob) + "[twice]\n"));
    let output = case.run(&["import", "--yes"]);
    output.exits(1).stdout_has("conflict: the vault has another key or role").stdout_has("conflict: different keys");
    output.stdout_has("conflict: a second time in line 16");
    let told = [
        format!(
            "{}vault: hint: vault import prod --replace\n",
            warning("`prod` (~/.aws/credentials [prod]): the vault has another key or role under this name")
        ),
        format!(
            "{}vault: hint: choose one by `--from`, `--csv` or `--vault`\n",
            warning(
                "`two` (~/.aws/credentials [two], ~/.aws/credentials [two-long-term]): these sources have different keys"
            )
        ),
        format!(
            "{}vault: hint: correct that file\n",
            warning("`twice` (~/.aws/credentials [twice]): the section or a key in it stands there twice")
        ),
        error("1 profile was imported; left out: `prod`, `two`, `twice`"),
    ];
    assert!(output.err.ends_with(&told.concat()), "{}", output.err);
    assert_eq!(profile(&case, "prod")["access_key"], case.alice.access_key_id());
    case.run(&["import", "prod", "--replace", "--yes"]).succeeds();
    assert_eq!(profile(&case, "prod")["access_key"], bob.access_key_id());
    case.run(&["import", "two", "--from", "aws-mfa", "--yes"]).succeeds();
    assert_eq!(profile(&case, "two")["access_key"], bob.access_key_id());
    forget(&case);
}

#[test]
fn imported_keys_are_as_old_as_aws_says_where_it_says_so() {
    let case = Case::with_vault();
    let (bob, carol) = (bob(&case), case.sim.add_user(ACCOUNT, "carol"));
    case.keep_secret("carol's secret key", carol.secret_access_key());
    let day = Duration::from_secs(86_400);
    for (user, days) in [(&case.alice, 400), (&bob, 300), (&carol, 200)] {
        case.sim.age_key(user.access_key_id(), days * day);
    }
    case.sim.deny(&bob, "iam:ListAccessKeys");
    credentials(&case, &(pair("a", &case.alice) + &pair("b", &bob) + &pair("c", &carol)));
    let told = [
        added("a", &case.alice, &phone()),
        added("b", &bob, "no MFA device"),
        added("c", &carol, "no MFA device"),
        still_there("~/.aws/credentials"),
        "next: vault login a\n".to_owned(),
    ];
    case.run(&["import", "--yes"]).succeeds().stderr(&told.concat());
    let status = case.run(&["status"]).out;
    let age = |name: &str| status.lines().find(|line| line.starts_with(name)).unwrap().to_owned();
    assert!(age("a ").contains("  400 d ") && age("c ").contains("  200 d "), "{status}");
    assert!(age("b ").contains("  at least "), "{status}");
    forget(&case);
}

#[test]
fn where_no_network_leads_to_iam_keys_with_a_device_come_along_and_wait_for_it_once() {
    let case = Case::with_vault();
    let users: Vec<User> = (0..6).map(|number| case.sim.add_user(ACCOUNT, &format!("user{number}"))).collect();
    users.iter().for_each(|user| case.keep_secret("a user's key", user.secret_access_key()));
    let section =
        |user: &User| format!("{}aws_mfa_device = {PHONE}\n", pair(&format!("{}-long-term", user.name()), user));
    credentials(&case, &users.iter().map(section).collect::<String>());
    case.sim.fail(Failure::on("ListAccessKeys").kind(Kind::Delay(Duration::from_secs(60))).lasting());
    let began = Instant::now();
    case.run(&["import", "--yes", "--remove"]).succeeds();
    // Three seconds, once: each key for itself would make eighteen, and all at once but for the last two six.
    assert!(began.elapsed() < Duration::from_secs(6), "{:?}", began.elapsed());
    assert_eq!(json(&case.run(&["list", "--json"]))["profiles"].as_array().unwrap().len(), 6);
}

#[test]
fn a_wrong_clock_is_told_once_however_many_keys_there_are() {
    let case = Case::with_vault();
    let bob = bob(&case);
    case.sim.set_offset(SignedDuration::from_secs(20 * 60 + 20));
    credentials(&case, &(pair("a", &case.alice) + &pair("b", &bob)));
    let told = "this machine's clock is 20 min behind AWS's; correct it, or other tools' calls may be refused";
    let output = case.run(&["import", "--yes", "--remove"]);
    assert_eq!(output.succeeds().err.matches(&warning(told)).count(), 1, "{}", output.err);
}

#[test]
fn without_a_vault_nobody_hears_of_one_that_can_not_be_made() {
    let case = Case::new();
    credentials(&case, &pair("prod", &case.alice));
    let weak = case.give("weak", "password1").to_str().unwrap().to_owned();
    let no_terminal = |what: &str| format!("there is no terminal to show the {what} on");
    for (flags, code, why) in [
        (&[][..], 8, no_terminal("recovery key")),
        (&["--generate", "--no-recovery"], 8, no_terminal("generated passphrase")),
        (&["--no-recovery", "--passphrase-file", &weak], 2, "the passphrase is too easy to guess".to_owned()),
    ] {
        let import = case.vault(&[&["import", "--yes"], flags].concat()).asking().run();
        import.exits(code);
        assert!(!import.err.contains("making") && import.err.contains(&why), "{}", import.err);
        assert!(!case.vault_file().exists());
    }
    forget(&case);
}

#[test]
fn nobody_is_asked_for_a_device_in_the_middle() {
    let case = Case::with_vault();
    let tablet = case.sim.add_mfa_device(&case.alice, "tablet");
    let bob = bob(&case);
    case.sim.deny(&bob, "iam:ListMFADevices");
    credentials(&case, &(pair("a", &case.alice) + &pair("b", &bob)));
    let output = case.run(&["import", "--yes", "--remove"]);
    let set = |name: &str, serial: &str| format!("vault: hint: vault set {name} mfa_serial={serial}\n");
    let a = output.succeeds().err.clone();
    let several = warning("`a`: its user has several MFA devices; none is stored");
    assert!(a.contains(&several) && a.contains(&set("a", PHONE)) && a.contains(&set("a", tablet.serial())), "{a}");
    let denied = warning("`b`: its user may not list its MFA devices; none is stored");
    assert!(a.contains(&(denied + &set("b", &format!("arn:aws:iam::{ACCOUNT}:mfa/bob")))), "{a}");
    assert_eq!(profile(&case, "a")["mfa_serial"], serde_json::Value::Null);
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
         not imported: credential_process of `prod` (~/.aws/config:3)\n",
    );
    assert!(!output.err.contains("hush"), "a command may hold a secret");
    let prod = profile(&case, "prod");
    let keys: Vec<&str> = prod.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(keys, ["access_key", "added", "created", "endpoint", "mfa_serial", "user_arn", "verified"]);
    assert_eq!(prod["endpoint"], case.sim.endpoint(), "where it was checked, not where the file says");
    forget(&case);
}

#[test]
fn names_that_are_none_are_skipped_and_cannot_act_on_the_terminal() {
    let case = Case::with_vault();
    credentials(&case, &(pair("a\x1b[31mb", &case.alice) + &pair("two words", &case.alice)));
    let output = case.run(&["import", "--yes"]);
    let alice = short(case.alice.access_key_id());
    output.succeeds().stderr("nothing to import\n").stdout(&table(&[
        ["a\\u{1b}[31mb", &alice, "-", "~/.aws/credentials [a\\u{1b}[31mb]", "skip: no name for a profile"],
        ["two words", &alice, "-", "~/.aws/credentials [two words]", "skip: no name for a profile"],
    ]));
    forget(&case);
}

#[test]
fn where_there_is_nothing_the_other_ways_are_named() {
    let case = Case::with_vault();
    let hint = "`vault import --help` names the other sources; `vault add NAME` asks for a key";
    let places = "~/.aws/credentials, ~/.aws/credentials.no-mfa, ~/.stscreds/credentials";
    case.run(&["import"])
        .exits(1)
        .stdout("")
        .stderr(&error_and_hint(&format!("found no access key in {places}"), hint));
    credentials(&case, &pair("prod", &case.alice));
    let told = error_and_hint("found nothing called `nope`", "`vault import --dry-run` shows what there is");
    case.run(&["import", "nope", "prod"]).exits(1).stdout("").stderr(&told);
    forget(&case);
}

#[test]
fn json_says_of_every_profile_how_it_ended() {
    let case = Case::with_vault();
    let bob = bob(&case);
    credentials(&case, &(pair("prod", &case.alice) + &pair("old", &bob) + SESSION));
    case.sim.set_key_status(bob.access_key_id(), Status::Inactive);
    let planned = json(&case.run(&["import", "--dry-run", "--json"]));
    assert_eq!((&planned["version"], &planned["dry_run"]), (&1.into(), &true.into()));
    let outcomes = |document: &serde_json::Value| -> Vec<(String, String)> {
        let of = |row: &serde_json::Value, key: &str| row[key].as_str().unwrap().to_owned();
        document["profiles"].as_array().unwrap().iter().map(|row| (of(row, "name"), of(row, "outcome"))).collect()
    };
    let expect = |words: [&str; 3]| {
        ["prod", "old", "default"].into_iter().zip(words).map(|(a, b)| (a.to_owned(), b.to_owned())).collect::<Vec<_>>()
    };
    assert_eq!(outcomes(&planned), expect(["add", "add", "skipped"]));
    let output = case.run(&["import", "--yes", "--json"]);
    output.exits(4);
    let done: serde_json::Value = serde_json::from_str(&output.out).unwrap();
    assert_eq!(outcomes(&done), expect(["added", "refused", "skipped"]));
    let prod = &done["profiles"][0];
    let from = &prod["from"][0];
    assert_eq!((&from["source"], &from["section"], &from["line"]), (&"credentials".into(), &"prod".into(), &1.into()));
    assert_eq!((&prod["access_key"], &prod["kind"]), (&short(case.alice.access_key_id()).into(), &"user".into()));
    forget(&case);
}

/// Alice's pair between lines that no tool of ours would write: every other byte must stay.
fn nasty(case: &Case) -> (String, String) {
    let (id, secret) = (case.alice.access_key_id(), case.alice.secret_access_key());
    let top = "\u{feff}# kept by hand\r\n[other]\r\n\tregion\t=\tx ; y\r\nUpper: 1\r\n\r\n";
    let bottom = "; mine\r\nregion = eu-central-1\r\n\r\n# about last\r\n[last]\r\ns3 =\r\n  addressing_style = path";
    let keys = format!("AWS_ACCESS_KEY_ID\t=\t{id}  # old\r\naws_secret_access_key={secret}\r\n");
    (format!("{top}[prod]\r\n{keys}{bottom}"), format!("{top}[prod]\r\n{bottom}"))
}

#[test]
fn removing_takes_the_pair_out_of_a_nasty_file_and_leaves_every_other_byte() {
    let case = Case::with_vault();
    let (before, after) = nasty(&case);
    let real = case.home().join("dotfiles/aws-credentials");
    case.write(&real, 0o644, before);
    fs::create_dir(case.home().join("dotfiles/.git")).unwrap();
    fs::create_dir(case.home().join(".aws")).unwrap();
    symlink("../dotfiles/aws-credentials", case.credentials()).unwrap();
    let output = case.run(&["import", "--yes", "--remove"]);
    let history = format!(
        "{}vault: hint: git -C {} log --all -p -S aws_secret_access_key\n",
        warning(COPIES),
        case.home().join("dotfiles").canonicalize().unwrap().display()
    );
    let told = format!(
        "{}removed the key from ~/.aws/credentials, section [prod]\n{history}next: vault login prod\n",
        added("prod", &case.alice, &phone())
    );
    output.succeeds().stderr(&told);
    assert_eq!(fs::read_to_string(&real).unwrap(), after);
    assert_eq!(fs::read_link(case.credentials()).unwrap(), Path::new("../dotfiles/aws-credentials"));
    assert_eq!(mode(&real), 0o600, "never wider, and closed to others since it holds secrets");
    works(&case, "prod");
}

#[test]
fn what_was_imported_before_can_be_removed_later() {
    let case = Case::with_prod();
    let bob = bob(&case);
    credentials(&case, &(pair("prod", &case.alice) + &pair("bob", &bob)));
    let output = case.run(&["import", "prod", "--yes", "--remove"]);
    let told = format!("removed the key from ~/.aws/credentials, section [prod]\n{}", warning(COPIES));
    output.succeeds().stderr(&told);
    assert_eq!(fs::read_to_string(case.credentials()).unwrap(), pair("bob", &bob));
    assert_eq!(case.sim.requests(), [], "the vault has the same secret; nobody need be asked");
    forget(&case);
}

#[test]
fn one_key_in_two_places_is_one_profile_and_goes_from_both() {
    let case = Case::with_vault();
    credentials(&case, &pair("alice", &case.alice));
    let (id, secret) = (case.alice.access_key_id(), case.alice.secret_access_key());
    let csv = case.give("alice_accessKeys.csv", format!("Access key ID,Secret access key\n{id},{secret}\n"));
    let path = csv.to_str().unwrap();
    let output = case.run(&["import", "--from", "credentials", "--csv", path, "--yes", "--remove"]);
    output.succeeds().stdout_has(&format!("~/.aws/credentials [alice], {path}"));
    assert!(!csv.exists());
    assert_eq!(fs::read(case.credentials()).unwrap(), b"");
}

#[test]
fn two_profiles_with_one_key_are_imported_with_a_word() {
    let case = Case::with_vault();
    credentials(&case, &(pair("default", &case.alice) + &pair("prod", &case.alice)));
    let output = case.run(&["import", "--yes", "--remove"]);
    let told = warning("`default` and `prod` are the same access key; a rotation replaces it in both");
    output.succeeds().stderr_has(&told);
    credentials(&case, &(pair("a", &case.alice) + &pair("b", &case.alice)));
    let one = case.run(&["import", "a", "--yes", "--remove"]);
    assert!(!one.succeeds().err.contains("`b`"), "what was not asked for is no concern: {}", one.err);
    forget(&case);
}

/// A copy of the vault as another machine would have it, which from here on goes its own way.
fn branch(case: &Case) -> PathBuf {
    case.give("other.age", fs::read(case.vault_file()).unwrap())
}

/// Changes a vault as another program would, without its being opened here.
fn change(case: &Case, path: &Path, change: impl FnOnce(&mut Document)) {
    let recovery = fs::read_to_string(case.given("recovery.txt")).unwrap();
    let identity = IdentityText::new(recovery.lines().last().unwrap().to_owned());
    let mut document = unseal(&fs::read(path).unwrap(), &identity, &Plugins::none()).unwrap();
    change(&mut document);
    fs::write(path, seal(&document, &Plugins::none()).unwrap()).unwrap();
}

/// Gives the branch another key of alice's, `later` than the vault's own, and what must not be taken.
fn rotated_branch(case: &Case, later: Duration) -> (String, String) {
    let other = branch(case);
    let (id, secret) = case.sim.add_access_key(&case.alice);
    case.keep_secret("the other key", &secret);
    change(case, &other, |document| {
        let prod = document.profiles.get_mut(&"prod".parse().unwrap()).unwrap();
        prod.mfa_process = Some("evil".to_owned());
        prod.region = "us-west-2".parse().ok();
        let key = prod.access_key.as_mut().unwrap();
        key.id = id.parse().unwrap();
        key.secret = SecretAccessKey::new(secret.clone());
        key.added = key.added.checked_add(later).unwrap();
        document.settings.default_profile = "prod".parse().ok();
    });
    (other.to_str().unwrap().to_owned(), id)
}

const HOUR: Duration = Duration::from_secs(3600);

#[test]
fn from_a_branch_of_the_vault_the_newer_living_key_comes_and_nothing_else() {
    let case = Case::with_prod();
    case.run(&["set", "prod", "region=eu-central-1"]).succeeds();
    let (other, id) = rotated_branch(&case, HOUR);
    let output = case.run(&["import", "--vault", &other, "--yes"]);
    let told = format!(
        "added `prod`: access key {}, alice in account {ACCOUNT}, MFA device {PHONE}\n\
         not imported: mfa_process of `prod` ({other})\n\
         vault: hint: if it is yours: vault set prod mfa_process='COMMAND'\n\
         not imported: endpoint_url of `prod` ({other})\n\
         vault: hint: if it is yours: vault set prod endpoint_url={}\n\
         not imported: default_profile ({other})\nvault: hint: vault set --vault default_profile=prod\n\
         next: vault login prod\n",
        short(&id),
        case.sim.endpoint()
    );
    let row = ["prod", &short(&id), PHONE, &format!("{other} [prod]"), "the newer key that AWS takes"];
    output.succeeds().stdout(&table(&[row])).stderr(&told);
    let prod = profile(&case, "prod");
    assert_eq!((&prod["access_key"], &prod["region"]), (&id.into(), &"eu-central-1".into()));
    assert_eq!(prod["mfa_process"], serde_json::Value::Null);
    works(&case, "prod");
}

#[test]
fn the_vaults_own_key_stays_where_it_is_newer_or_the_only_one_alive() {
    for dead in [false, true] {
        let case = Case::with_prod();
        let (other, id) = rotated_branch(&case, if dead { HOUR } else { Duration::ZERO });
        if dead {
            case.sim.set_key_status(&id, Status::Inactive);
        }
        let output = case.run(&["import", "--vault", &other, "--yes"]);
        let kept = "`prod` keeps the vault's own key: AWS does not take the other one, or that is older\n";
        assert!(output.succeeds().err.starts_with(kept), "{}", output.err);
        assert_eq!(profile(&case, "prod")["access_key"], case.alice.access_key_id());
        let offline = case.run(&["import", "--vault", &other, "--yes", "--no-verify"]);
        offline.exits(1).stderr_has("nothing was imported; left out: `prod`");
    }
}

#[test]
fn an_older_key_comes_back_where_the_vaults_own_is_dead() {
    let case = Case::with_prod();
    let (other, id) = rotated_branch(&case, Duration::ZERO);
    case.sim.set_key_status(case.alice.access_key_id(), Status::Inactive);
    case.run(&["import", "--vault", &other, "--yes"]).succeeds();
    assert_eq!(profile(&case, "prod")["access_key"], id);
}

#[test]
fn a_strangers_key_is_never_taken_for_the_newer_one_whatever_its_vault_says() {
    let case = Case::with_prod();
    let mallory = case.sim.add_user(ACCOUNT, "mallory");
    case.keep_secret("mallory's secret key", mallory.secret_access_key());
    let (other, _) = rotated_branch(&case, HOUR);
    change(&case, Path::new(&other), |document| {
        let key = document.profiles.get_mut(&"prod".parse().unwrap()).unwrap().access_key.as_mut().unwrap();
        key.id = mallory.access_key_id().parse().unwrap();
        key.secret = SecretAccessKey::new(mallory.secret_access_key().to_owned());
        assert_eq!(key.user_arn.as_deref(), Some(ALICE), "it says so, and lies");
    });
    for status in [Status::Active, Status::Inactive] {
        case.sim.set_key_status(case.alice.access_key_id(), status);
        let output = case.run(&["import", "--vault", &other, "--yes"]);
        output.exits(1).stderr_has("nothing was imported; left out: `prod`");
        assert_eq!(profile(&case, "prod")["access_key"], case.alice.access_key_id());
    }
}

#[test]
fn a_key_that_another_endpoint_confirmed_is_not_called_dead_by_this_one() {
    let case = Case::with_prod();
    let (other, _) = rotated_branch(&case, HOUR);
    let elsewhere = case.sim.endpoint().replace("127.0.0.1", "localhost");
    let output = case.vault(&["import", "--vault", &other, "--yes"]).variable("AWS_ENDPOINT_URL", elsewhere).run();
    output.exits(1).stderr_has("left out: `prod`");
    assert_eq!(profile(&case, "prod")["access_key"], case.alice.access_key_id());
}

#[test]
fn another_persons_vault_opens_by_its_own_passphrase() {
    let theirs = Case::new();
    theirs.run(&["init", "--kdf", "small", "--no-recovery"]).succeeds();
    theirs.add("prod").succeeds();
    theirs
        .run(&["add", "admin", "--role-arn", "arn:aws:iam::123456789012:role/admin", "--source-profile", "prod"])
        .succeeds();
    let case = Case::with_vault();
    case.keep_secret("the other person's key", theirs.alice.secret_access_key());
    let other = case.give("theirs.age", fs::read(theirs.vault_file()).unwrap()).to_str().unwrap().to_owned();
    let import =
        |arguments: &[&str]| case.run(&[&["import", "--vault", &other, "--yes", "--no-verify"], arguments].concat());
    let need = "the vault is locked and there is no terminal to ask for the passphrase";
    import(&[]).exits(3).stderr_has(need);
    let wrong = case.give("wrong", "not it at all").to_str().unwrap().to_owned();
    import(&["--vault-passphrase-file", &wrong]).exits(3).stderr_has(&format!("wrong passphrase for `{other}`"));
    let right = case.give("right", PASSPHRASE).to_str().unwrap().to_owned();
    let before = fs::read(&other).unwrap();
    import(&["--vault-passphrase-file", &right])
        .succeeds()
        .stdout_has("admin")
        .stderr_has("added `admin`, a role profile");
    assert_eq!(profile(&case, "prod")["access_key"], theirs.alice.access_key_id());
    assert!(fs::read(&other).unwrap() == before, "it is only read");
    let mut terminal = case.vault(&["import", "--vault", &other, "--dry-run"]).on_terminal();
    terminal.expect(&format!("Passphrase for {other}: ")).type_line("no").expect("Wrong passphrase, try again.");
    terminal.expect("Passphrase for").type_line(PASSPHRASE).expect("in the vault already");
    terminal.finish().0.succeeds();
}

#[test]
fn a_role_whose_user_stays_behind_is_skipped() {
    let theirs = Case::with_prod();
    theirs
        .run(&["add", "admin", "--role-arn", "arn:aws:iam::123456789012:role/admin", "--source-profile", "prod"])
        .succeeds();
    change(&theirs, &theirs.vault_file(), |document| drop(document.profiles.remove(&"prod".parse().unwrap())));
    let case = Case::with_vault();
    let other = case.give("theirs.age", fs::read(theirs.vault_file()).unwrap());
    let output = case.run(&["import", "--vault", other.to_str().unwrap(), "--yes"]);
    output.succeeds().stdout_has("skip: no profile `prod` to sign in from").stderr("nothing to import\n");
}
