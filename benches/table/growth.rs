//! A closer look at what it costs to have many profiles in one vault. The vaults are sealed, and the disk is the one that the
//! temporary folder is on.

use std::convert::Infallible;
use std::fs;
use std::hint::black_box;
use std::io::ErrorKind;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use jiff::Timestamp;
use tempfile::TempDir;
use vault::names::ProfileName;
use vault::secret::{IdentityText, Passphrase, SecretAccessKey};
use vault::store::document::{Document, Profile, StoredAccessKey};
use vault::store::file::Place;
use vault::store::group::Group;
use vault::store::kept::Keep;
use vault::store::passphrase::Cost;
use vault::store::recovery::RecoveryKey;
use vault::store::vault::{Key, NewVault, Stamp, Vault, create, open};

use super::amount::Amount;
use super::machine::{PASSPHRASE, PROGRAM, write};
use super::stopwatch::{Entrant, median, take_turns, timed};
use super::synced_disk::SyncedDisk;
use super::unlock::derivation;

const SIZES: [usize; 4] = [1, 100, 1_000, 10_000];
const RUNS: usize = 11;
/// As many as `vault rotate --all` would make, and as it would make them.
const CHANGES: usize = 1_000;
const THREADS: usize = 20;

pub fn show() {
    let kdf = |cost| milliseconds(derivation(cost, RUNS));
    println!("The passphrase alone: {} (standard), {} (small)\n", kdf(Cost::Standard), kdf(Cost::Small));
    let columns = SIZES.map(|size| Home::with(size).measure());
    println!("| profiles | {} |", SIZES.map(thousands).join(" | "));
    println!("|---|{}", "---:|".repeat(SIZES.len()));
    for (row, (what, _)) in columns[0].iter().enumerate() {
        let cells: Vec<&str> = columns.iter().map(|column| column[row].1.as_str()).collect();
        println!("| {what} | {} |", cells.join(" | "));
    }
    let home = Home::with(CHANGES);
    println!("\n{} changes to {0} profiles, one after the other: {}", thousands(CHANGES), home.alone());
    println!("the same by {THREADS} threads that save together: {}", home.grouped());
}

/// Figure, measured.
type Cell = (&'static str, String);

/// A vault of so many user profiles, and as many roles in a config file beside it.
struct Home {
    folder: TempDir,
    disk: SyncedDisk,
    identity: IdentityText,
}

impl Home {
    fn with(size: usize) -> Self {
        let recovery = RecoveryKey::generate();
        let folder = tempfile::tempdir().expect("a temporary folder");
        let home = Self { folder, disk: SyncedDisk::default(), identity: recovery.identity };
        let new = NewVault {
            passphrase: passphrase(),
            kdf: Cost::Small.parameters().expect("the system has randomness"),
            memory: None,
            recovery: Some(recovery.recipient),
            now: Timestamp::now(),
            writer: "bench".to_owned(),
        };
        let mut vault = create(&home.place(), new).expect("nothing stands there");
        edit(&mut vault, |document| {
            document.profiles.extend((0..size).map(|n| (user(n).parse().expect("a profile's name"), profile(n))));
        });
        write(&home.path("recovery.txt"), home.identity.expose());
        write(&home.path("config"), &(0..size).map(role_section).collect::<String>());
        home
    }

    fn measure(&self) -> Vec<Cell> {
        let mut vault = self.open();
        let text = vault.document().encode().expect("it was just read");
        let mut synced = Vec::new();
        let change = median(RUNS, || {
            let before = self.disk.time_in_sync();
            edit(&mut vault, change_last);
            synced.push(self.disk.time_in_sync() - before);
        });
        synced.sort();
        vec![
            ("size of the file", kilobytes(fs::metadata(self.path("vault.age")).expect("it stands").len())),
            ("open, beyond the passphrase", milliseconds(median(RUNS, || drop(black_box(self.open()))))),
            ("*peer: parsing that TOML, and no more*", milliseconds(median(RUNS, || parse(&text)))),
            ("*peer: `age --decrypt`, whole program*", self.stock_age()),
            ("`vault list`, whole program", self.program(&["list"], "none")),
            ("the same with as many roles again in `~/.aws/config`", self.program(&["list"], "config")),
            ("change one profile and save", milliseconds(change)),
            ("of that, waiting for the disk (fsync)", milliseconds(synced[synced.len() / 2])),
            ("`vault add` one role, whole program", self.program(&ADD, "none")),
        ]
    }

    fn alone(&self) -> String {
        let mut vault = self.open();
        let took = timed(|| (0..CHANGES).for_each(|n| edit(&mut vault, change(n))));
        format!("{:.1} s", took.as_secs_f64())
    }

    fn grouped(&self) -> String {
        let group = Group::new(self.open().close());
        let generation = || group.read(|vault| vault.version().generation).expect("it stands");
        let before = generation();
        let save = |n| {
            let edit = change(n);
            let saved = group.edit(Keep::Predecessor, &stamp, move |document| {
                edit(document);
                Ok::<_, Infallible>(())
            });
            saved.unwrap_or_else(|error| panic!("the change was not saved: {error}"));
        };
        let share = |thread: usize| (thread..CHANGES).step_by(THREADS).for_each(save);
        let took =
            timed(|| thread::scope(|scope| (0..THREADS).for_each(|thread| drop(scope.spawn(move || share(thread))))));
        format!("{:.1} s, in {} saves", took.as_secs_f64(), generation() - before)
    }

    fn open(&self) -> Vault<'_> {
        let loaded = self.place().load().expect("the vault stands");
        let opened = open(&self.place(), &loaded, Key::Identity(&self.identity));
        opened.expect("the recovery key opens it").known().expect("it was made here")
    }

    fn program(&self, arguments: &[&str], config: &str) -> String {
        let mut command = Command::new(PROGRAM);
        command.args(arguments).env_clear().env("HOME", self.folder.path()).current_dir(self.folder.path());
        command.env("VAULT_FILE", self.path("vault.age")).env("VAULT_IDENTITY", self.path("recovery.txt"));
        command.env("AWS_CONFIG_FILE", self.path(config)).stdin(Stdio::null());
        command.stdout(Stdio::null()).stderr(Stdio::null());
        let mut program = [Entrant::program(RUNS, command)];
        take_turns(&mut program);
        milliseconds(program[0].median())
    }

    fn stock_age(&self) -> String {
        let decrypt = || {
            let mut command = Command::new("age");
            command.arg("--decrypt").arg("--identity").arg(self.path("recovery.txt")).arg(self.path("vault.age"));
            command.stdout(Stdio::null()).status()
        };
        match decrypt() {
            Err(error) if error.kind() == ErrorKind::NotFound => "not on PATH".to_owned(),
            first => {
                assert!(first.is_ok_and(|status| status.success()), "age does not open the vault");
                milliseconds(median(RUNS, || drop(decrypt())))
            }
        }
    }

    fn place(&self) -> Place<'_> {
        Place::new(&self.disk, &self.path("vault.age"), &self.folder.path().join(".local/state/vault"))
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
}

const ADD: [&str; 7] = [
    "add",
    "one-more",
    "--replace",
    "--role-arn",
    "arn:aws:iam::123456789012:role/admin",
    "--source-profile",
    "team/user-00000",
];

fn edit(vault: &mut Vault, change: impl Fn(&mut Document)) {
    let edited = vault.edit(&stamp(), |document| {
        change(document);
        Ok::<_, Infallible>(())
    });
    edited.unwrap_or_else(|error| panic!("the change was not saved: {error}"));
}

fn stamp() -> Stamp {
    Stamp { now: Timestamp::now(), writer: "bench".to_owned(), log: None }
}

/// To one profile.
fn change(n: usize) -> impl Fn(&mut Document) + Send {
    let name: ProfileName = user(n).parse().expect("a profile's name");
    move |document| document.profiles.entry(name.clone()).or_default().duration_seconds = Some(900)
}

fn change_last(document: &mut Document) {
    let (_, profile) = document.profiles.iter_mut().next_back().expect("there is one");
    profile.duration_seconds = Some(profile.duration_seconds.map_or(900, |seconds| seconds + 1));
}

fn user(n: usize) -> String {
    format!("team/user-{n:05}")
}

/// What `vault add` stores of a user.
fn profile(n: usize) -> Profile {
    let account = 100_000_000_000 + n;
    let arn = |kind: &str| format!("arn:aws:iam::{account}:{kind}/user-{n:05}");
    let access_key = StoredAccessKey {
        id: format!("AKIA{n:016}").parse().expect("an access key id"),
        secret: SecretAccessKey::new(format!("{n:040}")),
        user_arn: Some(arn("user")),
        added: Timestamp::UNIX_EPOCH,
        created: None,
        verified: Some(Timestamp::UNIX_EPOCH),
        endpoint: None,
        rest: Default::default(),
    };
    let serial = arn("mfa").parse().expect("a device's ARN");
    let region = "eu-central-1".parse().expect("a region");
    Profile { region: Some(region), mfa_serial: Some(serial), access_key: Some(access_key), ..Profile::default() }
}

fn role_section(n: usize) -> String {
    let source = user(n);
    format!("[profile role-{n:05}]\nrole_arn = arn:aws:iam::123456789012:role/admin\nsource_profile = {source}\n\n")
}

fn parse(text: &str) {
    black_box(toml::from_str::<toml::Table>(text).expect("we wrote it"));
}

fn passphrase() -> Passphrase {
    Passphrase::new(PASSPHRASE.to_owned())
}

fn milliseconds(time: Duration) -> String {
    Amount::milliseconds(time).to_string()
}

fn kilobytes(bytes: u64) -> String {
    format!("{:.1} kB", bytes as f64 / 1e3)
}

fn thousands(n: usize) -> String {
    if n < 1_000 { n.to_string() } else { format!("{},{:03}", n / 1_000, n % 1_000) }
}
