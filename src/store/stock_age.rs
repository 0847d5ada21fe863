//! Nobody is locked in: other people's tools open a vault. Needs `age` and `argon2` (Debian packages of these names), so it
//! runs where those are: `cargo test -- --ignored stock_age`.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use jiff::Timestamp;

use super::file::Place;
use super::identity;
use super::kdf::KdfParameters;
use super::recovery::RecoveryKey;
use super::vault::{NewVault, create};
use crate::disk::RealDisk;
use crate::secret::{IdentityText, Passphrase};

fn output(command: &mut Command, input: &str) -> String {
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{command:?}");
    String::from_utf8(output.stdout).unwrap()
}

fn decrypt(vault: &Path, identity: &IdentityText) -> String {
    let file = vault.with_extension("identity");
    std::fs::write(&file, identity.expose()).unwrap();
    output(Command::new("age").arg("-d").arg("-i").arg(&file).arg(vault), "")
}

/// The whole recipe: the header's second line and a passphrase in, an age identity out.
fn derive_with_stock_argon2(vault: &Path, passphrase: &str) -> IdentityText {
    let file = std::fs::read(vault).unwrap();
    let line = str::from_utf8(file.split(|b| *b == b'\n').nth(1).unwrap()).unwrap();
    let ["->", tag, salt, memory, passes, lanes] = line.split(' ').collect::<Vec<_>>()[..] else { panic!("{line}") };
    let arguments = ["-id", "-k", memory, "-t", passes, "-p", lanes, "-l", "32", "-r"];
    let seed = output(Command::new("argon2").arg(format!("{tag}{salt}")).args(arguments), passphrase);
    let byte = |at: usize| u8::from_str_radix(&seed[2 * at..2 * at + 2], 16).unwrap();
    identity::from_seed(&std::array::from_fn(byte))
}

#[test]
#[ignore = "needs the programs age and argon2"]
fn stock_age_opens_a_vault_by_its_recovery_key_and_by_its_passphrase() {
    let temporary = tempfile::tempdir().unwrap();
    let path = temporary.path().join("vault.age");
    let recovery = RecoveryKey::generate();
    let new = NewVault {
        passphrase: Passphrase::new("correct horse é".into()),
        kdf: KdfParameters::new([0xfb; 16], 65536, 3, 4).unwrap(),
        memory: None,
        recovery: Some(recovery.recipient),
        now: Timestamp::UNIX_EPOCH,
        writer: "host".into(),
    };
    let vault = create(&Place::new(&RealDisk, &path, &path.with_file_name("state")), new).unwrap();
    let content = vault.document().encode().unwrap();
    let derived = derive_with_stock_argon2(&path, "correct horse é");
    assert_eq!(derived.expose(), vault.identity().expose());
    for identity in [&recovery.identity, &derived] {
        let opened = decrypt(&path, identity);
        let (signature, text) = opened.split_once('\n').unwrap();
        assert!(signature.starts_with("#sig "));
        assert_eq!(text, *content);
    }
}
