//! New keys of the vault: a changed passphrase, and recipients that come and go.

use std::sync::{LazyLock, OnceLock};

use vault::secret::{IdentityText, Passphrase};
use vault::store::document::{Document, Recipient, RecipientKind};
use vault::store::identity;
use vault::store::kdf::KdfParameters;
use vault::store::passphrase::derive;
use vault::store::plugin::Plugins;
use vault::store::seal::unseal;
use vault::store::vault::{EditError, NewPassphrase, Vault};

use super::vault::{Judged, add_profile, has, identity as alice, judge_folder, opened_by, stamp, vault_saved};
use super::{Ended, Scenario, State, try_everything};
use crate::fault_disk::{FaultDisk, Image, Seen};

/// With two earlier generations: what becomes of one becomes of all, and each that has to go multiplies the crashes.
fn vault() -> Image {
    static VAULT: LazyLock<Image> = LazyLock::new(|| vault_saved(2));
    VAULT.clone()
}

fn new_passphrase() -> Passphrase {
    Passphrase::new("another horse, another battery".to_owned())
}

fn new_kdf() -> KdfParameters {
    KdfParameters::new([8; 16], 8, 1, 1).unwrap()
}

/// What the new passphrase derives.
fn newly_derived() -> &'static IdentityText {
    static IDENTITY: OnceLock<IdentityText> = OnceLock::new();
    IDENTITY.get_or_init(|| derive(&new_passphrase(), &new_kdf(), None).unwrap())
}

fn bob() -> &'static IdentityText {
    static IDENTITY: OnceLock<IdentityText> = OnceLock::new();
    IDENTITY.get_or_init(identity::generate)
}

fn add_bob(document: &mut Document) -> Result<(), String> {
    let recipient = identity::recipient(bob()).unwrap();
    let bob = Recipient::new("bob", RecipientKind::X25519, recipient, stamp().now, "host");
    document.recipients.push(bob);
    Ok(())
}

/// A vault in use that bob opens too, as he opens each of its earlier generations.
fn with_bob() -> Image {
    static WITH_BOB: LazyLock<Image> = LazyLock::new(|| {
        let disk = FaultDisk::on(vault());
        let mut vault = opened_by(&disk, alice()).unwrap().unwrap();
        vault.edit(&stamp(), add_bob).unwrap();
        (0..2).for_each(|_| add_profile(&mut vault, "earlier").unwrap());
        disk.image()
    });
    WITH_BOB.clone()
}

fn ended<T>(outcome: Result<T, EditError<String>>) -> Ended {
    match outcome {
        Ok(_) => Ended::Committed,
        Err(EditError::NotDurable(_)) => Ended::CommittedNotDurable,
        Err(EditError::NotCommitted(_) | EditError::Refused(_)) => Ended::NotCommitted,
    }
}

/// Files other than the vault that this identity opens.
fn opens_beside(image: &Image, identity: &IdentityText) -> Vec<String> {
    let files = image.tree().0.into_iter().filter_map(|(path, seen)| match seen {
        Seen::File { bytes, .. } if unseal(&bytes, identity, &Plugins::none()).is_ok() => {
            Some(path.display().to_string())
        }
        _ => None,
    });
    files.filter(|name| !name.ends_with("/vault.age")).collect()
}

/// The next command saves, loses nothing, and leaves nothing that `gone` opens if the change was made.
fn recover(disk: &FaultDisk, opener: &IdentityText, gone: Option<&IdentityText>) -> Result<(), String> {
    let mut vault = opened_by(disk, opener)?.ok_or("it does not open")?;
    add_profile(&mut vault, "next").map_err(|error| format!("no new edit: {error}"))?;
    let again = opened_by(disk, opener)?.ok_or("it does not open again")?;
    if !has(again.document(), "next") || !has(again.document(), "earlier") {
        return Err("the new edit was lost, or took something along".to_owned());
    }
    let image = disk.image();
    match (image.leftovers().as_slice(), gone.map(|gone| opens_beside(&image, gone)).unwrap_or_default().as_slice()) {
        ([], []) => Ok(()),
        (left, open) => Err(format!("left behind: {left:?}; open for who is gone: {open:?}")),
    }
}

/// By which of two the vault opens: exactly one.
fn by_one_of(image: &Image, old: &IdentityText, new: &IdentityText) -> Result<State, String> {
    let opens = |identity| opened_by(&FaultDisk::on(image.clone()), identity).map(|vault| vault.is_some());
    match (opens(old)?, opens(new)?) {
        (true, false) => Ok(State::Old),
        (false, true) => Ok(State::New),
        (true, true) => Err("both open it".to_owned()),
        (false, false) => Err("neither opens it".to_owned()),
    }
}

struct ChangingThePassphrase;

impl Scenario for ChangingThePassphrase {
    fn start(&self) -> Image {
        vault()
    }

    fn save(&self, disk: &FaultDisk) -> Ended {
        let Ok(Some(mut vault)) = opened_by(disk, alice()) else { return Ended::NotCommitted };
        let passphrase = NewPassphrase::derive(&new_passphrase(), new_kdf(), None).unwrap();
        ended(vault.rekey(Some(passphrase), &stamp(), |_| Ok::<(), String>(())))
    }

    fn recover(&self, disk: &FaultDisk) -> Result<(), String> {
        match self.judge(&disk.image())? {
            State::Old => recover(disk, alice(), None),
            State::New => recover(disk, newly_derived(), Some(alice())),
        }
    }

    fn judge(&self, image: &Image) -> Result<State, String> {
        static JUDGED: LazyLock<Judged> = LazyLock::new(Judged::default);
        judge_folder(image)?;
        JUDGED.once(image, || by_one_of(image, alice(), newly_derived()))
    }
}

struct RemovingBob;

fn without_bob(vault: &mut Vault) -> Result<(), EditError<String>> {
    vault.rekey(None, &stamp(), |document| {
        document.recipients.retain(|one| one.name != "bob");
        Ok(())
    })
}

/// Alice always opens it; whether bob does is what the change is about.
fn for_alice_and(image: &Image, bob_means: State) -> Result<State, String> {
    let opens = |identity| opened_by(&FaultDisk::on(image.clone()), identity).map(|vault| vault.is_some());
    match (opens(alice())?, opens(bob())?) {
        (false, _) => Err("alice no longer opens it".to_owned()),
        (true, true) => Ok(bob_means),
        (true, false) => Ok(if bob_means == State::Old { State::New } else { State::Old }),
    }
}

impl Scenario for RemovingBob {
    fn start(&self) -> Image {
        with_bob()
    }

    fn save(&self, disk: &FaultDisk) -> Ended {
        let Ok(Some(mut vault)) = opened_by(disk, alice()) else { return Ended::NotCommitted };
        ended(without_bob(&mut vault))
    }

    fn recover(&self, disk: &FaultDisk) -> Result<(), String> {
        let removed = self.judge(&disk.image())? == State::New;
        recover(disk, alice(), removed.then(bob))
    }

    fn judge(&self, image: &Image) -> Result<State, String> {
        static JUDGED: LazyLock<Judged> = LazyLock::new(Judged::default);
        judge_folder(image)?;
        JUDGED.once(image, || for_alice_and(image, State::Old))
    }
}

struct AddingBob;

impl Scenario for AddingBob {
    fn start(&self) -> Image {
        vault()
    }

    fn save(&self, disk: &FaultDisk) -> Ended {
        let Ok(Some(mut vault)) = opened_by(disk, alice()) else { return Ended::NotCommitted };
        ended(vault.edit(&stamp(), add_bob))
    }

    fn recover(&self, disk: &FaultDisk) -> Result<(), String> {
        recover(disk, alice(), None)
    }

    fn judge(&self, image: &Image) -> Result<State, String> {
        static JUDGED: LazyLock<Judged> = LazyLock::new(Judged::default);
        judge_folder(image)?;
        JUDGED.once(image, || for_alice_and(image, State::New))
    }
}

#[test]
fn a_changed_passphrase_leaves_a_vault_that_one_of_the_two_opens_after_any_crash_and_any_disk_error() {
    let tried = try_everything(&ChangingThePassphrase).unwrap_or_else(|wrong| panic!("{wrong}"));
    println!("passwd: {tried}");
    assert!(tried.crashes >= 2000 && tried.faults >= 90, "{tried}");
}

#[test]
fn a_removed_recipient_opens_the_old_vault_or_nothing_after_any_crash_and_any_disk_error() {
    let tried = try_everything(&RemovingBob).unwrap_or_else(|wrong| panic!("{wrong}"));
    println!("recipient remove: {tried}");
    assert!(tried.crashes >= 2000 && tried.faults >= 90, "{tried}");
}

#[test]
fn an_added_recipient_takes_nothing_from_the_others_after_any_crash_and_any_disk_error() {
    let tried = try_everything(&AddingBob).unwrap_or_else(|wrong| panic!("{wrong}"));
    println!("recipient add: {tried}");
    assert!(tried.crashes >= 2000 && tried.faults >= 90, "{tried}");
}

#[test]
fn new_keys_leave_no_earlier_generation_that_the_old_ones_open() {
    for (scenario, gone) in [(&ChangingThePassphrase as &dyn Scenario, alice()), (&RemovingBob as &dyn Scenario, bob())]
    {
        let disk = FaultDisk::on(scenario.start());
        assert!(!opens_beside(&disk.image(), gone).is_empty());
        assert_eq!(scenario.save(&disk), Ended::Committed);
        assert_eq!(opens_beside(&disk.image(), gone), [] as [String; 0]);
    }
}
