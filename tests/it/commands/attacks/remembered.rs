//! What this machine remembers, damaged, exchanged or out of reach; and readers beside a writer.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

use jiff::Timestamp;
use vault::disk::RealDisk;
use vault::secret::{IdentityText, Passphrase};
use vault::store::file::Place;
use vault::store::kdf::KdfParameters;
use vault::store::vault::{Key, NewVault, Opened, Stamp, Vault, create, open};

use super::super::machines::Machine;
use super::super::recipient::made_with_recovery_key;
use super::super::{error, error_and_hint};

#[test]
fn pins_that_are_damaged_newer_or_in_reach_of_others_stop_everything_and_stay() {
    let case = made_with_recovery_key();
    let pins = Machine::first(&case).pins();
    let good = fs::read_to_string(&pins).unwrap();
    let path = pins.display();
    let damaged = error_and_hint(
        &format!("{path}, where this machine remembers its vaults, is damaged"),
        &format!("compare the fingerprint with `vault status` of another machine, then remove {path}"),
    );
    let newer = error_and_hint(&format!("{path} was written by a newer vault program"), "update this program");
    let of_a_newer_kind = "version = 2\n[[vault]]\nin_other_words = true\n";
    for (content, told) in [
        ("", &damaged),
        ("not toml [", &damaged),
        (&good[..good.len() / 2], &damaged),
        (&good.replace("version = 1", "version = 2"), &newer),
        (of_a_newer_kind, &newer),
    ] {
        fs::write(&pins, content).unwrap();
        for command in [&["list"][..], &["set", "--vault", "session_duration=900"]] {
            case.run(command).exits(6).stdout("").stderr(told);
        }
        assert_eq!(fs::read_to_string(&pins).unwrap(), content);
    }
    fs::write(&pins, &good).unwrap();
    let folder = pins.parent().unwrap().to_owned();
    for (path, open, usual) in [(&pins, 0o620, 0o600), (&pins, 0o602, 0o600), (&folder, 0o770, 0o700)] {
        fs::set_permissions(path, Permissions::from_mode(open)).unwrap();
        let shown = path.display();
        let told = format!("{shown} can be changed by others (mode {open:o})");
        case.run(&["list"]).exits(6).stdout("").stderr(&error_and_hint(&told, &format!("chmod go-w {shown}")));
        fs::set_permissions(path, Permissions::from_mode(usual)).unwrap();
    }
    let aside = case.home().join("aside.toml");
    fs::rename(&pins, &aside).unwrap();
    symlink(&aside, &pins).unwrap();
    case.run(&["list"]).exits(6).stdout("").stderr(&damaged);
    fs::remove_file(&pins).unwrap();
    case.run(&["list"]).refuses(6, "this machine has not seen this vault before");
    fs::rename(&aside, &pins).unwrap();
    case.run(&["list"]).succeeds();
}

#[test]
fn older_pins_believe_what_came_after_them_and_nothing_else() {
    let case = made_with_recovery_key();
    let first = Machine::first(&case);
    let (pins, before) = (fs::read(first.pins()).unwrap(), first.bytes());
    first.save(7200);
    let newer = fs::read(first.pins()).unwrap();
    let between = first.bytes();
    first.save(7300);
    fs::write(first.pins(), pins).unwrap();
    case.run(&["list"]).succeeds();
    first.put(&between);
    case.run(&["list"]).refuses(6, "an older state of the vault was put back");
    fs::write(first.pins(), newer).unwrap();
    case.run(&["list"]).succeeds();
    first.put(&before);
    case.run(&["list"]).refuses(6, "an older state of the vault was put back");
}

#[test]
fn without_a_way_to_remember_reading_and_saving_go_on_and_new_keys_are_not_made() {
    let case = made_with_recovery_key();
    let first = Machine::first(&case);
    let lock = first.pins().with_file_name(".pins.toml.lock");
    fs::remove_file(&lock).unwrap();
    fs::create_dir(&lock).unwrap();
    case.run(&["list"]).succeeds().stderr("the vault is empty; next: vault add NAME\n");
    first.save(7200);
    let why = format!("the lock {} is not a regular file", lock.display());
    case.run(&["list"]).succeeds().stderr_has(&format!(
        "this machine can't remember the vault, and will not tell an older or forged one: {why}\n"
    ));
    let before = first.bytes();
    let told = error(&format!("the vault was not saved, since this machine can't remember its new keys: {why}"));
    let new = case.given("passphrase");
    let refused = case.run(&["passwd", "--new-passphrase-file", new.to_str().unwrap()]);
    refused.exits(6).stderr_has(&told);
    case.run(&["recipient", "remove", "passphrase", "--yes"]).exits(6).stderr_has(&told);
    assert_eq!(first.bytes(), before);
    fs::remove_dir(&lock).unwrap();
    case.run(&["list"]).succeeds().stderr("the vault is empty; next: vault add NAME\n");
}

fn place(folder: &Path) -> Place<'static> {
    Place::new(&RealDisk, &folder.join("vault.age"), &folder.join("state"))
}

/// Saves again and again, and replaces the vault's keys now and then.
fn save_often(mut vault: Vault, times: u32) {
    for time in 0..times {
        let stamp = Stamp { now: Timestamp::UNIX_EPOCH, writer: "writer".to_owned(), log: None };
        let saved = if time % 10 == 9 {
            vault.rekey(None, &stamp, |_| Ok::<(), ()>(()))
        } else {
            vault.edit(&stamp, |_| Ok(()))
        };
        saved.unwrap_or_else(|error| panic!("{error}"));
    }
}

/// How many different generations were read.
fn read_until(folder: &Path, identity: &IdentityText, ended: impl Fn() -> bool) -> usize {
    let (here, mut last, mut seen) = (place(folder), 0, 0);
    while !ended() {
        match open(&here, &here.load().unwrap(), Key::Identity(identity)).unwrap() {
            Opened::Known(vault) => {
                assert!(vault.version().generation >= last);
                seen += usize::from(vault.version().generation > last);
                last = vault.version().generation;
            }
            Opened::FirstSight(_) => panic!("seen for the first time after generation {last}"),
            Opened::Distrusted(_, distrust) => panic!("{:?} after generation {last}", distrust.reason),
        }
    }
    seen
}

#[test]
fn a_reader_beside_a_writer_never_sees_a_rollback() {
    let temporary = tempfile::tempdir().unwrap();
    let folder = temporary.path();
    let here = place(folder);
    let vault = create(
        &here,
        NewVault {
            memory: None,
            passphrase: Passphrase::new("correct horse battery staple".to_owned()),
            kdf: KdfParameters::new([7; 16], 64, 1, 1).unwrap(),
            recovery: None,
            now: Timestamp::UNIX_EPOCH,
            writer: "host".to_owned(),
        },
    )
    .unwrap();
    let identity = vault.opener().identity().unwrap().clone();
    let writer = std::thread::spawn(|| save_often(vault, 200));
    let read = || read_until(folder, &identity, || writer.is_finished());
    let seen = std::thread::scope(|scope| {
        let readers = [scope.spawn(read), scope.spawn(read)];
        readers.map(|reader| reader.join().unwrap())
    });
    writer.join().unwrap();
    assert!(seen.iter().all(|seen| *seen > 20), "the readers came too late: {seen:?}");
    let opened = open(&here, &here.load().unwrap(), Key::Identity(&identity)).unwrap();
    assert_eq!(opened.known().unwrap().version().generation, 201);
}
