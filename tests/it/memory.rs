//! What the memory of a process holds, searched from outside: once a vault is closed, nothing of it is left.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use base64::Engine;
use base64::prelude::BASE64_STANDARD_NO_PAD as BASE64;
use jiff::Timestamp;
use sha2::{Digest, Sha512};
use vault::disk::RealDisk;
use vault::secret::{IdentityText, Passphrase, SecretAccessKey};
use vault::store::document::{Profile, StoredAccessKey};
use vault::store::file::Place;
use vault::store::group::Group;
use vault::store::kdf::KdfParameters;
use vault::store::kept::Keep;
use vault::store::recovery::RecoveryKey;
use vault::store::vault::{Key, NewVault, Opened, Stamp, Vault, create, open};

/// What must not be found, by name.
pub type Needles = BTreeMap<&'static str, Vec<u8>>;

/// How often each of these stands in the writable memory of a process.
pub fn copies(process: u32, needles: &Needles) -> BTreeMap<&'static str, usize> {
    let memory = File::open(format!("/proc/{process}/mem")).unwrap();
    let maps = fs::read_to_string(format!("/proc/{process}/maps")).unwrap();
    let mut found = BTreeMap::new();
    for line in maps.lines() {
        let mut words = line.split_whitespace();
        let (Some(range), Some("rw-p")) = (words.next(), words.next()) else { continue };
        let (from, to) = range.split_once('-').unwrap();
        let from = u64::from_str_radix(from, 16).unwrap();
        let mut bytes = vec![0; (u64::from_str_radix(to, 16).unwrap() - from) as usize];
        memory.read_exact_at(&mut bytes, from).unwrap();
        for (what, at) in found_in(&bytes, needles) {
            println!("{what} at {:x} of {line}", from + at as u64);
            *found.entry(what).or_insert(0) += 1;
        }
    }
    found
}

/// Where each stands. One pass over what is mostly zero.
fn found_in(bytes: &[u8], needles: &Needles) -> Vec<(&'static str, usize)> {
    let mut found = Vec::new();
    for (at, byte) in bytes.iter().enumerate().filter(|(_, byte)| **byte != 0) {
        let here = needles.iter().filter(|(_, needle)| needle[0] == *byte && bytes[at..].starts_with(needle));
        found.extend(here.map(|(what, _)| (*what, at)));
    }
    found
}

const SECRET: &str = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
const PASSPHRASE: &str = "correct horse battery staple";

/// A vault with one key, and with every secret that there is to it.
fn vault_with_its_secrets(folder: &Path) -> Needles {
    let recovery = RecoveryKey::generate();
    let new = NewVault {
        memory: None,
        passphrase: Passphrase::new(PASSPHRASE.to_owned()),
        kdf: KdfParameters::new([7; 16], 8 * 1024, 1, 1).unwrap(),
        recovery: Some(recovery.recipient),
        now: Timestamp::UNIX_EPOCH,
        writer: "host".to_owned(),
    };
    let place = Place::new(&RealDisk, &folder.join("vault.age"), &folder.join("state"));
    let mut vault = create(&place, new).unwrap();
    let key = StoredAccessKey {
        id: "AKIAIOSFODNN7EXAMPLE".parse().unwrap(),
        secret: SecretAccessKey::new(SECRET.to_owned()),
        user_arn: None,
        added: Timestamp::UNIX_EPOCH,
        created: None,
        verified: None,
        endpoint: None,
        rest: toml::Table::new(),
    };
    edit(&mut vault, "prod", Profile { access_key: Some(key), ..Profile::default() });
    // So many that the document is read in pieces, the one with the key by a thread of its own.
    add_regions(&mut vault, 2_000);
    fs::write(folder.join("passphrase"), PASSPHRASE).unwrap();
    fs::write(folder.join("recovery"), recovery.identity.expose()).unwrap();

    let mut needles = Needles::from([("the passphrase", PASSPHRASE.into()), ("the secret access key", SECRET.into())]);
    needles.extend(identity_needles(
        ["the vault identity", "the vault identity's bytes"],
        vault.opener().identity().unwrap(),
    ));
    needles.extend(identity_needles(["the recovery identity", "the recovery identity's bytes"], &recovery.identity));
    let session = &vault.document().session.identity;
    needles.extend(identity_needles(["the session identity", "the session identity's bytes"], session));
    let seed = vault.document().auth.seed().expose();
    let bytes = BASE64.decode(seed).unwrap();
    // What Ed25519 signs with: the scalar and the prefix that the seed's hash gives.
    let scalar = vault.document().auth.signing_key().unwrap().to_scalar();
    needles.insert("the signing key's scalar", scalar.to_bytes().into());
    needles.insert("the signing key's prefix", Sha512::digest(&bytes)[32..].into());
    needles.insert("the signing seed's bytes", bytes);
    needles.insert("the signing seed", seed.into());
    // The search passes over zeros.
    needles.values_mut().for_each(|needle| drop(needle.drain(..needle.iter().take_while(|byte| **byte == 0).count())));
    needles
}

fn identity_needles(names: [&'static str; 2], identity: &IdentityText) -> [(&'static str, Vec<u8>); 2] {
    let text = identity.expose();
    [(names[0], text.into()), (names[1], bech32::decode(text).unwrap().1)]
}

fn edit(vault: &mut Vault, name: &str, profile: Profile) {
    let stamp = Stamp { now: Timestamp::UNIX_EPOCH, writer: "host".to_owned(), log: None };
    let edited = vault.edit(&stamp, |document| {
        document.profiles.insert(name.parse().unwrap(), profile.clone());
        Ok::<(), ()>(())
    });
    assert!(edited.is_ok());
}

/// Profiles that stand before all others.
fn add_regions(vault: &mut Vault, count: usize) {
    let stamp = Stamp { now: Timestamp::UNIX_EPOCH, writer: "host".to_owned(), log: None };
    let edited = vault.edit(&stamp, |document| {
        let profile = || Profile { region: Some("eu-central-1".parse().unwrap()), ..Profile::default() };
        document.profiles.extend((0..count).map(|n| (format!("a/{n}").parse().unwrap(), profile())));
        Ok::<(), ()>(())
    });
    assert!(edited.is_ok());
}

/// Where the process that is searched finds its vault; without it, this is the one that searches.
const FOLDER: &str = "VAULT_MEMORY_TEST_FOLDER";

#[test]
fn a_closed_vault_leaves_no_secret_in_memory() {
    if let Some(folder) = std::env::var_os(FOLDER) {
        return open_edit_and_close(Path::new(&folder));
    }
    search("memory::a_closed_vault_leaves_no_secret_in_memory", |_| false);
}

#[test]
fn between_its_saves_a_group_holds_what_opens_the_vault_and_nothing_of_it() {
    if let Some(folder) = std::env::var_os(FOLDER) {
        return save_in_a_group(Path::new(&folder));
    }
    let opens_it = |what: &str| what.starts_with("the recovery identity");
    search("memory::between_its_saves_a_group_holds_what_opens_the_vault_and_nothing_of_it", opens_it);
}

/// Runs a test as the process that is searched. While it is closed it may hold what is `meant` to stay.
fn search(test: &str, meant: fn(&str) -> bool) {
    let folder = tempfile::tempdir().unwrap();
    let needles = vault_with_its_secrets(folder.path());
    let mut searched = Searched::start(test, folder.path());
    while let Some((state, open)) = searched.next_state() {
        let mut found = copies(searched.id(), &needles);
        found.retain(|what, _| open || !meant(what));
        if open {
            let texts = ["the secret access key", "the session identity", "the signing seed"];
            assert!(texts.iter().all(|what| found.contains_key(what)), "not found while it is {state}: {found:?}");
        } else {
            assert_eq!(found, BTreeMap::new(), "found when it is {state}");
        }
    }
}

/// What the process that is searched does, stopping at every state.
fn open_edit_and_close(folder: &Path) {
    let place = Place::new(&RealDisk, &folder.join("vault.age"), &folder.join("state"));
    let read = |name: &str| fs::read_to_string(folder.join(name)).unwrap();
    stop_at("not open yet", false);
    {
        let passphrase = Passphrase::new(read("passphrase"));
        let vault = open(&place, &place.load().unwrap(), Key::Passphrase(&passphrase, None))
            .ok()
            .and_then(Opened::known)
            .unwrap();
        stop_at("open by its passphrase", true);
        drop(vault);
    }
    stop_at("closed after its passphrase opened it", false);
    {
        let recovery = IdentityText::new(read("recovery"));
        let mut vault =
            open(&place, &place.load().unwrap(), Key::Identity(&recovery)).ok().and_then(Opened::known).unwrap();
        edit(&mut vault, "second", Profile::default());
        stop_at("open and saved", true);
        let closed = vault.close();
        drop(recovery);
        let vault = closed.open().ok().unwrap();
        stop_at("open again", true);
        drop(vault);
    }
    stop_at("closed after a save", false);
    {
        let wrong = Passphrase::new("something else".to_owned());
        assert!(open(&place, &place.load().unwrap(), Key::Passphrase(&wrong, None)).is_err());
    }
    stop_at("not opened by a wrong passphrase", false);
}

fn save_in_a_group(folder: &Path) {
    let place = Place::new(&RealDisk, &folder.join("vault.age"), &folder.join("state"));
    let group = {
        let recovery = IdentityText::new(fs::read_to_string(folder.join("recovery")).unwrap());
        let opened = open(&place, &place.load().unwrap(), Key::Identity(&recovery));
        Group::new(opened.ok().and_then(Opened::known).unwrap().close())
    };
    let stamp = Stamp { now: Timestamp::UNIX_EPOCH, writer: "host".to_owned(), log: None };
    let add = |name: &'static str| {
        let added = group.edit(Keep::Nothing, &|| stamp.clone(), move |document| {
            document.profiles.insert(name.parse().unwrap(), Profile::default());
            Ok::<(), ()>(())
        });
        assert!(added.is_ok());
    };
    add("second");
    stop_at("saved by a group", false);
    group.read(|_| stop_at("read by a group", true)).unwrap();
    add("third");
    stop_at("saved by a group once more", false);
}

/// Tells what there is to be found, and waits until that was looked for.
fn stop_at(state: &str, open: bool) {
    println!("{}{state}{}", STATE, if open { OPEN } else { "" });
    std::io::stdin().read_line(&mut String::new()).unwrap();
}

const STATE: &str = "state: ";
const OPEN: &str = " (open)";

/// The process that is searched: this test binary once more, with this test alone.
struct Searched {
    child: Child,
    says: std::io::Lines<BufReader<std::process::ChildStdout>>,
    started: bool,
}

impl Searched {
    fn start(test: &str, folder: &Path) -> Self {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args([test, "--exact", "--nocapture"]).env(FOLDER, folder);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let says = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { child, says, started: false }
    }

    fn id(&self) -> u32 {
        self.child.id()
    }

    /// Lets it go on; None when it has come to its end, and well.
    fn next_state(&mut self) -> Option<(String, bool)> {
        if self.started {
            self.child.stdin.as_mut().unwrap().write_all(b"\n").unwrap();
        }
        self.started = true;
        for line in self.says.by_ref().map_while(Result::ok) {
            if let Some((_, state)) = line.split_once(STATE) {
                let open = state.strip_suffix(OPEN);
                return Some((open.unwrap_or(state).to_owned(), open.is_some()));
            }
        }
        assert!(self.child.wait().unwrap().success(), "the process that is searched failed");
        None
    }
}
