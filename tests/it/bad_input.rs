//! What goes wrong: each a clear error with its exit code and hint, nothing lost, nothing half-written.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::time::{Duration, Instant};

use aws_sim::{Failure, Kind};
use jiff::SignedDuration;

use crate::program::{ACCOUNT, Case, Output};

fn login_with(case: &Case, code: &str) -> Output {
    case.run(&["login", "prod", "--force", "--mfa-code", code])
}

/// Runs what must fail, and sees to it that the vault and the AWS files stay as they are.
fn unchanged(case: &Case, run: impl FnOnce() -> Output) -> Output {
    let files = [case.vault_file(), case.credentials(), case.config()];
    let before = files.clone().map(|file| fs::read(file).ok());
    let output = run();
    assert_ne!(output.status.code(), Some(0), "{}", output.told);
    for (file, before) in files.iter().zip(before) {
        assert!(fs::read(file).ok() == before, "{} was changed by {}", file.display(), output.told);
    }
    output
}

#[test]
fn a_wrong_passphrase_is_named() {
    let case = Case::with_prod();
    let wrong = case.give("wrong", "not the passphrase");
    let list = unchanged(&case, || case.vault(&["list"]).asking().variable("VAULT_PASSPHRASE_FILE", &wrong).run());
    list.refuses(3, "wrong passphrase").hints("`--identity FILE`");
}

#[test]
fn a_wrong_code_is_refused_and_costs_nothing() {
    let case = Case::with_prod();
    let refused = unchanged(&case, || login_with(&case, &case.phone.wrong_code()));
    refused.refuses(4, "AWS refused the code").hints(case.phone.serial());
    login_with(&case, &case.phone.code()).succeeds();
}

#[test]
fn a_code_that_was_used_is_not_sent_again() {
    let case = Case::with_prod();
    let code = case.phone.code();
    login_with(&case, &code).succeeds();
    let calls = case.sim.requests().len();
    unchanged(&case, || login_with(&case, &code)).refuses(8, "that code was used already; the next comes in ");
    assert_eq!(case.sim.requests().len(), calls);
}

#[test]
fn a_malformed_code_is_not_sent() {
    let case = Case::with_prod();
    for code in ["12345", "1234567", "12345a", "１２３４５６"] {
        unchanged(&case, || login_with(&case, code)).refuses(2, "six digits");
    }
    case.vault(&["login", "prod", "--mfa-code", "-"]).stdin("").run().refuses(2, "six digits");
    case.vault(&["login", "prod"]).variable("VAULT_MFA_CODE", "abc").run().refuses(2, "six digits");
    assert_eq!(case.sim.requests().len(), 0);
}

#[test]
fn an_mfa_process_that_fails_or_prints_nonsense_is_named() {
    let case = Case::with_prod();
    for (command, wrong) in [("false", 8), ("echo nonsense", 2), ("no-such-program", 8), ("unclosed 'quote", 8)] {
        case.run(&["set", "prod", &format!("mfa_process={command}")]).succeeds();
        unchanged(&case, || case.run(&["login", "prod"])).refuses(wrong, "mfa_process");
    }
    assert_eq!(case.sim.requests().len(), 0);
}

#[test]
fn an_unknown_profile_is_named_with_the_one_that_was_meant() {
    let case = Case::with_prod();
    for command in ["login", "show", "env"] {
        unchanged(&case, || case.run(&[command, "prdo"])).refuses(1, "no profile named `prdo`; did you mean `prod`?");
    }
    unchanged(&case, || case.run(&["login", "entirely-else"])).refuses(1, "no profile named").hints("vault list");
}

#[test]
fn without_a_vault_the_way_to_one_is_named() {
    Case::new().run(&["login", "prod"]).refuses(1, "there is no vault yet").hints("vault add");
}

#[test]
fn a_vault_or_folder_that_others_can_write_is_not_trusted() {
    let case = Case::with_prod();
    let folder = case.vault_file().parent().unwrap().to_owned();
    for (path, mode, usual) in [(case.vault_file(), 0o620, 0o600), (folder, 0o770, 0o700)] {
        fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
        unchanged(&case, || case.run(&["list"])).refuses(6, "can be changed by others").hints("chmod go-w");
        fs::set_permissions(&path, Permissions::from_mode(usual)).unwrap();
    }
    case.run(&["list"]).succeeds();
}

#[test]
fn a_vault_that_can_not_be_read_is_named() {
    let case = Case::with_prod();
    fs::set_permissions(case.vault_file(), Permissions::from_mode(0o000)).unwrap();
    let list = [env!("CARGO_BIN_EXE_vault"), "list"];
    // The administrator reads everything, unless that power is put down first.
    let drop = ["setpriv", "--bounding-set", "-dac_override,-dac_read_search"];
    let words = if crate::fault_disk::our_id() == 0 { [&drop[..], &list].concat() } else { list.to_vec() };
    let refused = case.command(words[0], &words[1..]).run();
    refused.refuses(1, "can't read the vault: Permission denied");
    fs::set_permissions(case.vault_file(), Permissions::from_mode(0o600)).unwrap();
}

#[test]
fn a_vault_that_is_no_file_is_named() {
    let case = Case::with_prod();
    fs::remove_file(case.vault_file()).unwrap();
    fs::create_dir(case.vault_file()).unwrap();
    case.run(&["list"]).refuses(6, "not a regular file");
}

#[test]
fn a_damaged_vault_is_refused_wherever_the_damage_is() {
    let case = Case::with_prod();
    let whole = fs::read(case.vault_file()).unwrap();
    let step = whole.len() / 29;
    let cut = (0..whole.len()).step_by(step).map(|length| whole[..length].to_vec());
    let flipped = (0..whole.len()).step_by(step).map(|at| {
        let mut bytes = whole.clone();
        bytes[at] ^= 1 << (at % 8);
        bytes
    });
    for bytes in cut.chain(flipped).chain([[&whole[..], b"x"].concat()]) {
        fs::write(case.vault_file(), bytes).unwrap();
        let refused = unchanged(&case, || case.run(&["list"]));
        // A stanza that was changed is one for somebody else.
        assert!(matches!(refused.status.code(), Some(3 | 6)), "{:?}: {}", refused.status, refused.err);
        assert!(refused.err.starts_with("vault: error: "), "{}", refused.err);
    }
    fs::write(case.vault_file(), whole).unwrap();
    case.run(&["list"]).succeeds();
}

#[test]
fn an_oversized_vault_is_refused_unread() {
    let case = Case::with_vault();
    fs::File::options().write(true).open(case.vault_file()).unwrap().set_len(16 * 1024 * 1024 + 1).unwrap();
    case.run(&["list"]).refuses(6, "larger than a vault can be").hints("VAULT_FILE");
}

#[test]
fn a_hostile_header_is_refused_at_once() {
    let case = Case::with_vault();
    let whole = fs::read(case.vault_file()).unwrap();
    let header_end = whole.windows(5).position(|window| window == b"\n--- ").unwrap();
    let (header, rest) = whole.split_at(header_end);
    let header = String::from_utf8(header.to_vec()).unwrap();
    let costs = |costs: &str| header.replace(" 65536 3 4\n", costs);
    let stanza = "-> X25519 AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n";
    let many = format!("age-encryption.org/v1\n{}", stanza.repeat(20_000));
    let headers = [
        costs(" 4294967295 3 4\n"),
        costs(" 2097152 16 4\n"),
        costs(" 65536 3 0\n"),
        costs(" 065536 3 4\n"),
        costs(" 65536 3 4 5\n"),
        many.trim_end().to_owned(),
    ];
    for hostile in headers {
        assert_ne!(hostile, header);
        fs::write(case.vault_file(), [hostile.as_bytes(), rest].concat()).unwrap();
        let passphrase = case.given("passphrase");
        let started = Instant::now();
        let refused = case.vault(&["list"]).asking().variable("VAULT_PASSPHRASE_FILE", passphrase).run();
        // Milliseconds, on a machine that does nothing else. What this must tell apart takes a minute, or all memory.
        assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
        assert_eq!(refused.status.code(), Some(6), "{}", refused.err);
    }
}

#[test]
fn a_full_standard_output_is_an_error() {
    let case = Case::with_prod();
    let recovery = case.given("recovery.txt");
    let script = "\"$0\" list > /dev/full";
    let run =
        case.command("sh", &["-c", script, env!("CARGO_BIN_EXE_vault")]).variable("VAULT_IDENTITY", recovery).run();
    run.refuses(1, "can't write to standard output: No space left on device");
}

#[test]
fn without_a_region_the_calls_go_to_us_east_1() {
    let case = Case::with_prod();
    login_with(&case, &case.phone.code()).succeeds();
    assert_eq!(case.sim.requests()[0].region, "us-east-1");
}

#[test]
fn a_network_that_is_down_is_told_from_a_refusal() {
    let case = Case::with_vault();
    let key = case.alice.access_key_id();
    let add =
        ["add", "prod", "--access-key-id", key, "--secret-stdin", "--no-verify", "--mfa-serial", case.phone.serial()];
    case.vault(&add).stdin(case.alice.secret_access_key()).run().succeeds();
    let nobody = "http://127.0.0.1:1";
    let login = case.vault(&["login", "prod", "--mfa-code", "123456"]).variable("AWS_ENDPOINT_URL", nobody).run();
    login.refuses(5, "can't reach 127.0.0.1").hints("nothing was sent");
    case.sim.fail(Failure::on("GetSessionToken").kind(Kind::AfterApplied));
    let lost = unchanged(&case, || login_with(&case, &case.phone.code()));
    lost.refuses(5, "the connection broke").hints("code in it may be spent");
    assert_eq!(case.sim.count("GetSessionToken"), 1);
}

#[test]
fn a_key_that_was_checked_at_one_endpoint_is_not_sent_to_another() {
    let case = Case::with_prod();
    let elsewhere = "http://127.0.0.1:1";
    let login = case.vault(&["login", "prod", "--mfa-code", "123456"]).variable("AWS_ENDPOINT_URL", elsewhere).run();
    login.refuses(1, "and this would send it to `http://127.0.0.1:1").stderr_has(&case.sim.endpoint());
    let far = case.vault(&["login", "prod"]).variable("AWS_ENDPOINT_URL", "http://sts.example.com").run();
    assert_ne!(far.status.code(), Some(0));
    assert_eq!(case.sim.requests().len(), 0);
}

#[test]
fn throttling_and_a_denied_role_are_in_aws_own_words() {
    let case = Case::with_prod();
    let role = format!("arn:aws:iam::{ACCOUNT}:role/none");
    case.run(&["add", "admin", "--role-arn", &role, "--source-profile", "prod"]).succeeds();
    let denied = unchanged(&case, || case.run(&["login", "admin", "--mfa-code", &case.phone.code()]));
    denied.refuses(4, "is not authorized to perform: sts:AssumeRole").hints("trust policy");
}

#[test]
fn another_long_term_key_in_the_section_is_kept_until_it_is_in_the_vault() {
    let case = Case::with_prod();
    let section = "[prod]\naws_access_key_id = AKIAOTHEROTHEROTHER1\naws_secret_access_key = anothersecretanothersecretanothersecret1\n";
    case.write(&case.credentials(), 0o600, section);
    let refused = unchanged(&case, || case.run(&["login", "prod", "--mfa-code", &case.phone.code()]));
    refused.refuses(1, "section [prod] holds the long-term key AKIA...HER1").hints("--replace-long-term");
    assert_eq!(case.sim.requests().len(), 0, "a code was spent");
    let login = case.run(&["login", "prod", "--mfa-code", &case.phone.code(), "--replace-long-term"]);
    login
        .succeeds()
        .stderr_has("saved the long-term key AKIA...HER1 of section [prod] in the vault, as `prod-long-term`");
    case.run(&["show", "prod-long-term"]).succeeds().stdout_has("AKIAOTHEROTHEROTHER1");
    assert!(!fs::read_to_string(case.credentials()).unwrap().contains("AKIAOTHER"));
}

#[test]
fn the_vaults_own_key_in_the_section_gives_way_without_a_flag() {
    let case = Case::with_prod();
    let (id, secret) = (case.alice.access_key_id(), case.alice.secret_access_key());
    case.write(&case.credentials(), 0o600, format!("[prod]\naws_access_key_id={id}\naws_secret_access_key={secret}\n"));
    case.login().succeeds();
}

#[test]
fn a_section_that_stands_twice_is_refused_by_its_line() {
    let case = Case::with_prod();
    case.write(&case.credentials(), 0o600, "[prod]\nx = 1\n[other]\n[prod]\ny = 2\n");
    let refused = unchanged(&case, || case.run(&["login", "prod", "--mfa-code", &case.phone.code()]));
    refused.refuses(1, ".aws/credentials: line 4 has this section a second time").hints("correct it by hand");
    assert_eq!(case.sim.requests().len(), 0);
}

#[test]
fn a_target_that_aws_tools_would_never_read_is_refused() {
    let case = Case::with_prod();
    let config = format!("[profile prod]\nrole_arn = arn:aws:iam::{ACCOUNT}:role/x\nsource_profile = other\n");
    case.write(&case.config(), 0o600, config);
    let refused = unchanged(&case, || case.run(&["login", "prod", "--mfa-code", &case.phone.code()]));
    refused
        .refuses(1, "`role_arn` of [profile prod] before a session")
        .hints("vault login prod --profile prod-session");
    assert_eq!(case.sim.requests().len(), 0);
}

#[test]
fn profiles_that_sign_in_elsewhere_are_told_with_the_command_that_serves_them() {
    let case = Case::with_prod();
    let config = "[profile corp]\nsso_session = corp\nsso_account_id = 123456789012\nsso_role_name = admin\n\
                  [profile web]\nrole_arn = arn:aws:iam::123456789012:role/x\nweb_identity_token_file = /token\n\
                  [profile other]\ncredential_process = /bin/other\n";
    case.write(&case.config(), 0o600, config);
    let login = |name: &str| unchanged(&case, || case.run(&["login", name]));
    login("corp").refuses(1, "`corp` signs in through IAM Identity Center (SSO)").hints("aws sso login --profile corp");
    login("web").refuses(1, "a web identity token");
    login("other").refuses(1, "its own credential_process");
}

#[test]
fn a_cycle_of_profiles_is_named_at_once() {
    let case = Case::with_prod();
    let section = |(name, source)| {
        format!("[profile {name}]\nrole_arn = arn:aws:iam::{ACCOUNT}:role/x\nsource_profile = {source}\n")
    };
    case.write(&case.config(), 0o600, [("a", "b"), ("b", "c"), ("c", "a")].map(section).concat());
    case.run(&["login", "a"]).refuses(1, "a -> b -> c -> a");
    case.run(&["add", "lost", "--role-arn", "arn:aws:iam::123456789012:role/x", "--source-profile", "none"])
        .refuses(1, "no profile named `none`, which `lost` has as its source_profile");
}

#[test]
fn aws_files_that_others_can_write_are_not_trusted() {
    let case = Case::with_prod();
    case.write(&case.config(), 0o666, "");
    unchanged(&case, || case.run(&["login", "prod", "--mfa-code", "123456"])).refuses(6, "config").hints("chmod go-w");
    fs::set_permissions(case.config(), Permissions::from_mode(0o600)).unwrap();
    case.write(&case.credentials(), 0o620, "");
    unchanged(&case, || case.run(&["login", "prod", "--mfa-code", "123456"]))
        .refuses(6, "credentials")
        .hints("chmod go-w");
}

#[test]
fn text_from_files_can_not_act_on_the_terminal() {
    let case = Case::with_prod();
    case.write(
        &case.credentials(),
        0o600,
        "[\x1b[31mred]\nx = 1\n[prod]\na\x1b]0;title\x07 = 1\na\x1b]0;title\x07 = 2\n",
    );
    case.write(&case.config(), 0o600, "[profile dev]\nrole_arn = \x1b[2Jarn\nsource_profile = prod\n");
    for arguments in [&["login", "prod", "--mfa-code", "123456"][..], &["login", "dev"], &["list"]] {
        let output = case.run(arguments);
        assert!(!output.err.contains('\x1b') && !output.out.contains('\x1b'), "{:?}{:?}", output.out, output.err);
    }
}

#[test]
fn a_clock_that_is_twenty_minutes_off_is_told_and_the_expiration_is_aws_own() {
    for seconds in [20 * 60 + 5, -20 * 60 - 5] {
        let case = Case::with_prod();
        case.sim.set_offset(SignedDuration::from_secs(seconds));
        let login = case.run(&["login", "prod", "--mfa-code", &case.phone.code()]);
        login.succeeds().stderr_has("vault: warning: ").stderr_has("20 min");
        let written = fs::read_to_string(case.credentials()).unwrap();
        let value = |key: &str| written.lines().find_map(|line| line.strip_prefix(key)).unwrap().to_owned();
        let expires = case.sim.session(&value("aws_access_key_id = ")).unwrap().expires;
        assert_eq!(value("aws_credential_expiration = "), expires.strftime("%Y-%m-%dT%H:%M:%SZ").to_string());
        // What is left is counted by AWS's clock, not by ours.
        assert!(login.err.contains("(11 h 59 min)") || login.err.contains("(12 h)"), "{}", login.err);
        case.run(&["login", "prod"]).succeeds().stderr_has("still signed in");
    }
}
