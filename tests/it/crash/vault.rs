//! Making a vault, and adding a profile to it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::{LazyLock, Mutex, OnceLock};

use jiff::Timestamp;
use sha2::{Digest, Sha256};
use vault::secret::{IdentityText, Passphrase, SecretAccessKey};
use vault::store::document::{Document, Profile, StoredAccessKey};
use vault::store::file::Place;
use vault::store::kdf::KdfParameters;
use vault::store::passphrase::derive;
use vault::store::seal::UnsealError;
use vault::store::vault::{CreateError, EditError, Key, NewVault, OpenError, Opened, Stamp, Vault, create, open};

use super::{Ended, Scenario, State, try_everything};
use crate::fault_disk::{Body, FaultDisk, Image, Seen, our_id};

/// A link, as people have it who keep their vault in a synced folder.
pub const VAULT: &str = "/home/alice/vault.age";
pub const FILE: &str = "/home/alice/synced/vault.age";
pub const STATE: &str = "/home/alice/.local/state/vault";
pub const PINS: &str = "/home/alice/.local/state/vault/pins.toml";
pub const SECRET: &str = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";

fn passphrase() -> Passphrase {
    Passphrase::new("correct horse battery staple".to_owned())
}

/// 64 KiB: the cost is not what is tried here.
fn kdf() -> KdfParameters {
    KdfParameters::new([7; 16], 64, 1, 1).unwrap()
}

/// What the passphrase derives, once for all.
pub fn identity() -> &'static IdentityText {
    static IDENTITY: OnceLock<IdentityText> = OnceLock::new();
    IDENTITY.get_or_init(|| derive(&passphrase(), &kdf(), None).unwrap())
}

pub fn new_vault() -> NewVault {
    NewVault {
        passphrase: passphrase(),
        kdf: kdf(),
        memory: None,
        recovery: None,
        now: Timestamp::UNIX_EPOCH,
        writer: "host".into(),
    }
}

pub fn place(disk: &FaultDisk) -> Place<'_> {
    Place::new(disk, Path::new(VAULT), Path::new(STATE))
}

pub fn stamp() -> Stamp {
    Stamp { now: Timestamp::UNIX_EPOCH, writer: "host".to_owned(), log: None }
}

fn no_vault() -> Image {
    let folder = Body::Folder(Default::default());
    Image::empty(our_id()).with("/home/alice/synced", 0o700, folder).with(
        VAULT,
        0o777,
        Body::Symlink("synced/vault.age".into()),
    )
}

/// A vault that was never saved since it was made.
pub fn fresh_vault() -> Image {
    let disk = FaultDisk::on(no_vault());
    create(&place(&disk), new_vault()).unwrap();
    disk.image()
}

/// A vault that was saved often, so that old generations are pruned.
pub fn vault_in_use() -> Image {
    static IN_USE: LazyLock<Image> = LazyLock::new(|| vault_saved(12));
    IN_USE.clone()
}

/// A vault that was saved so often, and once was interrupted while it was.
pub fn vault_saved(times: usize) -> Image {
    let disk = FaultDisk::on(no_vault());
    let mut vault = create(&place(&disk), new_vault()).unwrap();
    (0..times).for_each(|_| add_profile(&mut vault, "earlier").unwrap());
    let left = "/home/alice/synced/.vault.age.0123456789abcdef.tmp";
    disk.image().with(left, 0o600, Body::File(b"age-encryption.org/v1\nhalf of".to_vec()))
}

pub fn add_profile(vault: &mut Vault, name: &str) -> Result<(), EditError<String>> {
    vault.edit(&stamp(), |document| {
        let profile = Profile { access_key: Some(access_key()), ..Profile::default() };
        document.profiles.insert(name.parse().unwrap(), profile);
        Ok(())
    })
}

fn access_key() -> StoredAccessKey {
    StoredAccessKey {
        id: "AKIAIOSFODNN7EXAMPLE".parse().unwrap(),
        secret: SecretAccessKey::new(SECRET.to_owned()),
        user_arn: None,
        added: Timestamp::UNIX_EPOCH,
        created: None,
        verified: None,
        endpoint: None,
        rest: toml::Table::new(),
    }
}

pub fn opened<'d>(disk: &'d FaultDisk) -> Result<Vault<'d>, String> {
    let place = place(disk);
    let loaded = place.load().map_err(|error| format!("does not load: {error}"))?;
    if loaded.kdf().ok().flatten() != Some(kdf()) {
        return Err("the passphrase no longer derives what opens it".to_owned());
    }
    opened_by(disk, identity())?.ok_or_else(|| "does not open".to_owned())
}

/// None where this identity is not one of those that open it.
pub fn opened_by<'d>(disk: &'d FaultDisk, identity: &IdentityText) -> Result<Option<Vault<'d>>, String> {
    let place = place(disk);
    let loaded = place.load().map_err(|error| format!("does not load: {error}"))?;
    let opened = match open(&place, &loaded, Key::Identity(identity)) {
        Err(OpenError::Unseal(UnsealError::WrongIdentity)) => return Ok(None),
        other => other.map_err(|error| format!("does not open: {error}"))?,
    };
    match opened {
        Opened::Known(vault) => Ok(Some(vault)),
        // A crash may come between the first save and remembering it; a person is asked then.
        Opened::FirstSight(unproven) => {
            unproven.close().accept().map(Some).map_err(|error| format!("does not open again: {error}"))
        }
        Opened::Distrusted(_, distrust) => Err(format!("is not believed: {:?}", distrust.reason)),
    }
}

pub fn has(document: &Document, name: &str) -> bool {
    let key = document.profiles.get(&name.parse().unwrap()).and_then(|profile| profile.access_key.as_ref());
    key.is_some_and(|key| key.secret.expose() == SECRET)
}

/// What must hold of every state: the link is a link, every kept generation opens, and no secret lies in plain sight.
pub fn judge_folder(image: &Image) -> Result<(), String> {
    for (path, seen) in image.tree().0 {
        let Seen::File { bytes, mode } = seen else { continue };
        let name = path.display();
        if !is_free_of_the_secret(&bytes) {
            return Err(format!("the secret stands in {name}"));
        }
        if mode & 0o077 != 0 {
            return Err(format!("others can read {name}"));
        }
        let is_kept = path.extension().is_some_and(|extension| extension.as_encoded_bytes().starts_with(b"g"));
        if is_kept && !bytes.starts_with(b"age-encryption.org/v1\n") {
            return Err(format!("{name} is no vault"));
        }
    }
    match image.tree().0.get(Path::new(VAULT)) {
        Some(Seen::Symlink(_)) => Ok(()),
        _ => Err("the link to the vault is no link any more".to_owned()),
    }
}

/// The same few contents stand in all of many thousand images.
fn is_free_of_the_secret(bytes: &[u8]) -> bool {
    static FREE: Mutex<BTreeSet<[u8; 32]>> = Mutex::new(BTreeSet::new());
    let hash: [u8; 32] = Sha256::digest(bytes).into();
    if FREE.lock().unwrap().contains(&hash) {
        return true;
    }
    let found = bytes.windows(SECRET.len()).any(|window| window == SECRET.as_bytes());
    if !found {
        FREE.lock().unwrap().insert(hash);
    }
    !found
}

/// What an image of these bytes was judged before: opening depends on the vault and on what is remembered, and not on what
/// else lies there.
#[derive(Default)]
pub struct Judged(Mutex<BTreeMap<[u8; 32], Result<State, String>>>);

impl Judged {
    pub fn once(&self, image: &Image, judge: impl FnOnce() -> Result<State, String>) -> Result<State, String> {
        let part = |path: &str| image.file(path).map(Sha256::digest).unwrap_or_default();
        let hash = Sha256::new().chain_update(part(FILE)).chain_update(part(PINS)).finalize().into();
        if let Some(judged) = self.0.lock().unwrap().get(&hash) {
            return judged.clone();
        }
        let judged = judge();
        self.0.lock().unwrap().insert(hash, judged.clone());
        judged
    }
}

pub struct Adding;

impl Scenario for Adding {
    fn start(&self) -> Image {
        vault_in_use()
    }

    fn save(&self, disk: &FaultDisk) -> Ended {
        let Ok(mut vault) = opened(disk) else { return Ended::NotCommitted };
        match add_profile(&mut vault, "prod") {
            Ok(()) => Ended::Committed,
            Err(EditError::NotDurable(_)) => Ended::CommittedNotDurable,
            Err(EditError::NotCommitted(_) | EditError::Refused(_)) => Ended::NotCommitted,
        }
    }

    fn recover(&self, disk: &FaultDisk) -> Result<(), String> {
        let mut vault = opened(disk)?;
        let had = has(vault.document(), "prod");
        add_profile(&mut vault, "next").map_err(|error| format!("no new edit: {error}"))?;
        let again = opened(disk)?;
        if !has(again.document(), "next") || has(again.document(), "prod") != had {
            return Err("the new edit was lost, or took something along".to_owned());
        }
        match disk.image().leftovers().as_slice() {
            [] => Ok(()),
            left => Err(format!("left behind: {left:?}")),
        }
    }

    fn judge(&self, image: &Image) -> Result<State, String> {
        static JUDGED: LazyLock<Judged> = LazyLock::new(Judged::default);
        judge_folder(image)?;
        JUDGED.once(image, || {
            let disk = FaultDisk::on(image.clone());
            let vault = opened(&disk)?;
            Ok(if has(vault.document(), "prod") { State::New } else { State::Old })
        })
    }
}

struct Making;

impl Scenario for Making {
    fn start(&self) -> Image {
        no_vault()
    }

    fn save(&self, disk: &FaultDisk) -> Ended {
        match create(&place(disk), new_vault()) {
            Ok(_) => Ended::Committed,
            Err(CreateError::NotDurable(_)) => Ended::CommittedNotDurable,
            Err(_) => Ended::NotCommitted,
        }
    }

    fn recover(&self, disk: &FaultDisk) -> Result<(), String> {
        if self.judge(&disk.image())? == State::Old {
            let made = create(&place(disk), new_vault());
            made.map(drop).map_err(|error| format!("no new vault: {error}"))?;
        }
        add_profile(&mut opened(disk)?, "next").map_err(|error| error.to_string())
    }

    fn judge(&self, image: &Image) -> Result<State, String> {
        judge_folder(image)?;
        if image.file(FILE).is_none() {
            return Ok(State::Old);
        }
        static JUDGED: LazyLock<Judged> = LazyLock::new(Judged::default);
        JUDGED.once(image, || opened(&FaultDisk::on(image.clone())).map(|_| State::New))
    }
}

#[test]
fn adding_a_profile_leaves_a_vault_that_opens_after_any_crash_and_any_disk_error() {
    let tried = try_everything(&Adding).unwrap_or_else(|wrong| panic!("{wrong}"));
    println!("adding a profile: {tried}");
    assert!(tried.crashes >= 2000 && tried.faults >= 90, "{tried}");
}

#[test]
fn making_a_vault_leaves_none_or_one_that_opens_after_any_crash_and_any_disk_error() {
    let tried = try_everything(&Making).unwrap_or_else(|wrong| panic!("{wrong}"));
    println!("making a vault: {tried}");
    assert!(tried.crashes >= 800 && tried.faults >= 60, "{tried}");
}
