//! What others may try: by the config file, the environment, the cache, the text they wrote, the vault file itself.

mod remembered;
mod two_machines;
mod vaults;

use std::fs;

use super::{PHONE, written};
use crate::program::{ACCOUNT, Case};

#[test]
fn config_cannot_add_a_command_an_endpoint_or_a_serial_to_a_vault_key() {
    let case = Case::with_prod();
    let trap = case.home().join("trap");
    let config = format!(
        "[profile prod]\nmfa_process = touch {}\nendpoint_url = http://127.0.0.1:9\n\
         mfa_serial = arn:aws:iam::{ACCOUNT}:mfa/evil\nregion = eu-west-1\n",
        trap.display()
    );
    case.write(&case.config(), 0o600, config);
    case.run(&["login", "prod", "--mfa-code", &case.phone.code()]).succeeds();
    let requests = case.sim.requests();
    assert_eq!((requests.len(), requests[0].parameter("SerialNumber")), (1, Some(PHONE)));
    assert_eq!(requests[0].region, "eu-west-1", "a region it may give");
    assert!(!trap.exists());
}

#[test]
fn the_callers_own_aws_credentials_are_never_used() {
    let case = Case::with_prod();
    let mallory = case.sim.add_user("210987654321", "mallory");
    let login = case.vault(&["login", "prod", "--mfa-code", &case.phone.code()]);
    let login = login.variable("AWS_ACCESS_KEY_ID", mallory.access_key_id());
    let login = login.variable("AWS_SECRET_ACCESS_KEY", mallory.secret_access_key());
    login.variable("AWS_PROFILE", "nobody").run().succeeds();
    assert_eq!(case.sim.requests()[0].access_key_id.as_deref(), Some(case.alice.access_key_id()));
    assert_eq!(case.sim.session(&written(&case, "prod", "aws_access_key_id")).unwrap().arn, case.alice.arn());
}

#[test]
fn a_swapped_session_file_is_refused() {
    let case = Case::with_prod();
    case.run(&["login", "prod", "--no-export", "--no-mfa"]).succeeds();
    let bob = case.sim.add_user(ACCOUNT, "bob");
    case.keep_secret("bob's secret key", bob.secret_access_key());
    let add = ["add", "bob", "--access-key-id", bob.access_key_id(), "--secret-stdin"];
    case.vault(&add).stdin(bob.secret_access_key()).run().succeeds();
    case.run(&["login", "bob", "--no-export"]).succeeds();
    let folder = case.home().join(".local/state/vault/sessions");
    let paths = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let records: Vec<_> = paths.filter(|path| fs::read(path).unwrap().starts_with(b"age-encryption.org/v1")).collect();
    assert_eq!(records.len(), 2, "{records:?}");
    let (first, second) = (fs::read(&records[0]).unwrap(), fs::read(&records[1]).unwrap());
    fs::write(&records[0], second).unwrap();
    fs::write(&records[1], first).unwrap();
    let id = case.run(&["get", "bob", "aws_access_key_id"]).succeeds().out.clone();
    assert_eq!(case.sim.session(&id).unwrap().arn, bob.arn());
}

#[test]
fn text_from_files_can_not_act_on_the_terminal() {
    let case = Case::with_prod();
    let section = "[\x1b[31mred]\nx = 1\n[prod]\na\x1b]0;title\x07 = 1\na\x1b]0;title\x07 = 2\n";
    case.write(&case.credentials(), 0o600, section);
    case.write(&case.config(), 0o600, "[profile dev]\nrole_arn = \x1b[2Jarn\nsource_profile = prod\n");
    for arguments in [&["login", "prod", "--mfa-code", "123456"][..], &["login", "dev"], &["list"]] {
        let output = case.run(arguments);
        assert!(!output.err.is_empty() || !output.out.is_empty());
        assert!(!output.err.contains('\x1b') && !output.out.contains('\x1b'), "{:?}{:?}", output.out, output.err);
    }
}

#[test]
fn twenty_callers_at_once_make_one_call() {
    let case = Case::with_prod();
    let code = case.phone.code();
    let get = ["get", "prod", "aws_access_key_id", "--mfa-code", &code];
    let callers: Vec<_> = (0..20).map(|_| case.vault(&get).start()).collect();
    let ids: Vec<String> = callers.into_iter().map(|caller| caller.finish().succeeds().out.clone()).collect();
    assert!(ids.iter().all(|id| *id == ids[0] && id.starts_with("ASIA")), "{ids:?}");
    assert_eq!(case.sim.requests().len(), 1);
}
