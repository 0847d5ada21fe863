//! Words for what goes wrong with the vault file and its keys.

use std::cmp::Ordering;
use std::io;
use std::path::Path;

use crate::cli::escape::{escape, shown_path, typed_path};
use crate::cli::failure::Failure;
use crate::cli::way_back::Damaged;
use crate::cli::world::World;
use crate::store::document::DocumentError;
use crate::store::file::{Gone, LoadError, SaveError};
use crate::store::header::HeaderError;
use crate::store::identity;
use crate::store::kdf::KdfError;
use crate::store::passphrase::DeriveError;
use crate::store::seal::{SealError, UnsealError};
use crate::store::untrusted::Untrusted;
use crate::store::vault::{CreateError, NotCommitted, OpenError, ReopenError, Warning};

use super::{Report, Status, internal, plugin, process, trust};

pub fn report(failure: &Failure) -> Report {
    use Failure::*;
    match failure {
        Load(error) => load(error),
        NoVaultBesideKeys { file } => Report::new(Status::State, NO_VAULT)
            .hint(format!("`vault import` makes one of the keys in {file}, `vault add NAME` of another")),
        WrongPassphrase { vault } => Report::new(Status::Locked, format!("wrong passphrase for `{vault}`"))
            .hint("forgotten? `vault passwd --identity FILE` makes a new one by the recovery key; `--identity FILE` opens the vault with it"),
        Open(error) => open(error),
        Damaged(damaged) => with_way_back(damaged),
        Reopen(error) => reopen(error),
        Create(error) => create(error),
        NewPassphrase(error) => Report::new(Status::Usage, error.to_string()),
        PassphraseOfAKey => Report::new(Status::Usage, "that is a part of an access key, not a passphrase")
            .hint("take four or more unrelated words, or `--generate`"),
        PassphraseNotAtHand => {
            Report::new(Status::Usage, "the vault was opened by an identity, so its passphrase is not known")
                .hint("open it by the passphrase, or set a new one: `vault passwd --identity FILE`")
        }
        Derive(error) => derive(error, CHEAPER),
        PassphraseWeak => Report::new(Status::Usage, "the passphrase is too easy to guess")
            .hint("take four or more unrelated words, or `--generate`"),
        Randomness(error) => Report::new(Status::State, format!("the system gives no random numbers: {error}")),
        NotCommitted(error) => not_committed(error),
        NotDurable(error) => {
            Report::new(Status::State, format!("the vault was saved, but a power cut now may undo it: {error}"))
                .hint("look after the disk, then check with `vault list`")
        }
        _ => internal(),
    }
}

const NO_VAULT: &str = "there is no vault yet";

const OLDER: &str = "copy the newest earlier generation that opens over it, where there is one beside it (`vault.age.g12-...`), else a backup";

fn load(error: &LoadError) -> Report {
    let damaged = |message: &str| Report::new(Status::NotTrusted, message);
    match error {
        LoadError::Missing => Report::new(Status::State, NO_VAULT)
            .hint("`vault add NAME` makes one; `vault import` brings keys from ~/.aws, aws-vault and other programs"),
        LoadError::Gone(gone) => missing(gone),
        LoadError::NotAFile => damaged("the vault is not a regular file"),
        LoadError::TooLarge => damaged("the vault is larger than a vault can be (16 MiB)").hint("is VAULT_FILE right?"),
        LoadError::Untrusted(untrusted) => distrust(untrusted),
        LoadError::Pins(error) => trust::pins(error),
        LoadError::Io(error) => Report::new(Status::State, format!("can't read the vault: {error}")),
    }
}

/// Nothing is said of a new vault: in the old one's place it would be taken for that, on every machine.
fn missing(gone: &Gone) -> Report {
    let (path, pin) = (shown_path(&gone.path), &gone.pin);
    let message = format!(
        "the vault that was at {path} is missing: {}",
        trust::state(pin.generation, pin.written_at, &pin.writer)
    );
    let back = "bring it back: is its disk mounted, its folder synced?";
    Report::new(Status::State, message).hint(match &gone.kept {
        None => format!("{back} no earlier generation is kept beside it, so else from a backup"),
        Some(kept) => format!(
            "{back} or `{}` takes the newest generation that is kept beside it, and `vault trust` accepts that",
            copy(kept, &gone.path)
        ),
    })
}

/// The words for what is wrong, and the commands by which it is mended.
fn with_way_back(damaged: &Damaged) -> Report {
    let Report { message, status, .. } = open(&damaged.error);
    let is_another = matches!(damaged.error, OpenError::Load(LoadError::TooLarge));
    let asked = if is_another { "is VAULT_FILE right? if so: " } else { "" };
    let hint = match &damaged.kept {
        Some((generation, kept)) => format!(
            "{asked}`{}{}` goes back to generation {generation}, the newest beside it that is whole, without what was saved after \
             it; `vault trust` accepts that",
            damaged.aside.as_deref().map(|aside| put_aside(&damaged.vault, aside)).unwrap_or_default(),
            copy(kept, &damaged.vault)
        ),
        None => format!(
            "{asked}no earlier generation beside it is whole: bring back a backup of {}, and `vault trust` accepts that",
            shown_path(&damaged.vault)
        ),
    };
    Report { message, status, hint: Some(hint) }
}

/// By a rename, which follows no link that stands there meanwhile.
fn put_aside(vault: &Path, aside: &Path) -> String {
    format!("mv {} {} && ", typed_path(vault), typed_path(aside))
}

fn copy(from: &Path, to: &Path) -> String {
    format!("cp {} {}", typed_path(from), typed_path(to))
}

pub(super) fn distrust(untrusted: &Untrusted) -> Report {
    match untrusted {
        Untrusted::Owner { path, owner } => {
            Report::new(Status::NotTrusted, format!("{} belongs to another user (uid {owner})", shown_path(path)))
        }
        Untrusted::Writable { path, mode } => {
            let path = shown_path(path);
            Report::new(Status::NotTrusted, format!("{path} can be changed by others (mode {mode:o})"))
                .hint(format!("chmod go-w {path}"))
        }
    }
}

fn open(error: &OpenError) -> Report {
    match error {
        OpenError::WrongPassphrase => Report::new(Status::Locked, "wrong passphrase"),
        OpenError::PassphraseLineChanged => Report::new(
            Status::NotTrusted,
            "the passphrase is right, but the vault is damaged: its header's line about the passphrase was changed",
        )
        .hint(OLDER),
        OpenError::Load(error) => load(error),
        OpenError::NoPassphrase => Report::new(Status::Locked, "no passphrase opens this vault, only an identity")
            .hint("pass `--identity FILE`"),
        OpenError::Derive(error) => derive(error, CHEAPER),
        OpenError::Unseal(error) => unseal(error),
    }
}

/// What `--kdf small` takes, in bytes.
const SMALL: u64 = 64 << 20;

const CHEAPER: &str = "`vault passwd --kdf small` brings it down to 64 MiB: open the vault by `--identity` for that, or where there is more";

fn derive(error: &DeriveError, cheaper: &str) -> Report {
    let (DeriveError::Memory { needed, .. } | DeriveError::Allocation { needed }) = error;
    let cheaper = if *needed > SMALL { cheaper } else { "free some, or open the vault by `--identity`" };
    let needed = needed >> 20;
    match error {
        DeriveError::Memory { available, .. } => {
            let available = available >> 20;
            let message = format!("the passphrase needs {needed} MiB of memory, and {available} MiB are free");
            Report::new(Status::State, message).hint(format!("`--kdf-memory` tries it all the same; {cheaper}"))
        }
        DeriveError::Allocation { .. } => {
            let message = format!("the passphrase needs {needed} MiB of memory, and the system gives none");
            Report::new(Status::State, message).hint(cheaper)
        }
    }
}

fn unseal(error: &UnsealError) -> Report {
    let distrusted = |message: String| Report::new(Status::NotTrusted, message);
    match error {
        UnsealError::WrongIdentity => Report::new(Status::Locked, "this identity does not open the vault"),
        UnsealError::NotAnIdentity => {
            Report::new(Status::Locked, "that is not an age identity; one starts with AGE-SECRET-KEY-1 or AGE-PLUGIN-")
        }
        UnsealError::MistypedIdentity { length } => {
            let wrong = match length.cmp(&identity::LENGTH) {
                Ordering::Equal => "its checksum is wrong, so that a character of it is".to_owned(),
                _ => format!("it has {length} characters, and one of age's has {}", identity::LENGTH),
            };
            Report::new(Status::Locked, format!("that age identity has a typing error: {wrong}"))
        }
        UnsealError::Plugin { plugin, error } => plugin::of_identity(plugin, error),
        UnsealError::Header(error) => or_older(header(error)),
        UnsealError::HeaderDamaged => {
            distrusted("the vault is damaged: its header was changed since it was written".into()).hint(OLDER)
        }
        UnsealError::ContentDamaged => {
            distrusted("the vault is damaged: its content was changed or cut short".into()).hint(OLDER)
        }
        UnsealError::Signature => {
            distrusted("the vault's signature does not verify: somebody else wrote this file".into())
        }
        UnsealError::HeaderDisagrees => {
            distrusted("the vault's header and content disagree about the passphrase".into())
        }
        UnsealError::Document(error) => or_older(document(error)),
    }
}

/// A vault that a newer program made is not damaged.
fn or_older(report: Report) -> Report {
    if report.hint.is_some() { report } else { report.hint(OLDER) }
}

fn document(error: &DocumentError) -> Report {
    match error {
        DocumentError::Newer { found } => {
            Report::new(Status::NotTrusted, format!("the vault is of format {found}, made by a newer vault program"))
                .hint("update this program")
        }
        DocumentError::Malformed { line } => {
            Report::new(Status::NotTrusted, format!("the vault's content can't be read at line {line}"))
        }
        other => Report::new(Status::NotTrusted, format!("the vault's content: {other}")),
    }
}

fn header(error: &HeaderError) -> Report {
    match error {
        HeaderError::NotAge => Report::new(Status::NotTrusted, "the vault is not an age file"),
        HeaderError::Newer => {
            Report::new(Status::NotTrusted, "the vault was made by a newer vault program").hint("update this program")
        }
        HeaderError::Kdf(KdfError::OutOfBounds { .. }) => {
            Report::new(Status::NotTrusted, format!("the vault was tampered with: {error}"))
        }
        other => Report::new(Status::NotTrusted, format!("the vault is damaged: {}", escape(&other.to_string()))),
    }
}

fn reopen(error: &ReopenError) -> Report {
    match error {
        ReopenError::Load(error) => load(error),
        ReopenError::Unseal(error) => unseal(error),
        ReopenError::AnotherVault => another_vault(),
        ReopenError::Diverged => diverged(),
    }
}

fn another_vault() -> Report {
    Report::new(Status::NotTrusted, "another vault was put in this one's place meanwhile; nothing was saved")
}

fn diverged() -> Report {
    Report::new(Status::NotTrusted, "the vault was put back to another state meanwhile; nothing was saved")
}

fn create(error: &CreateError) -> Report {
    match error {
        CreateError::Exists => {
            Report::new(Status::State, "there is a vault already").hint("`vault add NAME` puts a profile into it")
        }
        CreateError::Recovery(text) => Report::new(Status::Usage, format!("not an age recipient: `{}`", escape(text))),
        CreateError::Derive(error) => derive(error, "`--kdf small` makes a vault that needs 64 MiB"),
        CreateError::Save(error) => save(error),
        CreateError::NotDurable(error) => {
            Report::new(Status::State, format!("the vault was made, but a power cut now may undo it: {error}"))
        }
        other => Report::new(Status::State, format!("the vault could not be made: {other}")),
    }
}

fn not_committed(error: &NotCommitted) -> Report {
    match error {
        NotCommitted::Save(error) => save(error),
        NotCommitted::Changed(error) => unseal(error),
        NotCommitted::AnotherVault => another_vault(),
        NotCommitted::Diverged => diverged(),
        NotCommitted::Announce(error) => {
            let why = trust::pins(error);
            let message =
                format!("the vault was not saved, since this machine can't remember its new keys: {}", why.message);
            Report { message, ..why }
        }
        NotCommitted::Seal(SealError::Plugin { recipient, program, error }) => {
            plugin::of_recipient(recipient, program, error)
        }
        NotCommitted::Seal(SealError::CannotMix(recipient)) => plugin::cannot_mix(recipient),
        NotCommitted::Proof(UnsealError::Plugin { plugin, error }) => {
            let report = plugin::of_identity(plugin, error);
            Report { message: format!("the vault was not saved: {}", report.message), ..report }
        }
        NotCommitted::Seal(error) => Report::new(Status::State, format!("the vault was not saved: {error}")),
        NotCommitted::Proof(error) => Report::new(
            Status::State,
            format!("the vault was not saved: what would have been written does not open: {error}"),
        ),
    }
}

fn save(error: &SaveError) -> Report {
    match error {
        SaveError::Locked { pid } => {
            let holder = process(*pid);
            Report::new(Status::State, format!("the vault is being saved by {holder}; nothing was changed"))
                .hint("try again")
        }
        SaveError::Lock { path } => {
            let path = shown_path(path);
            let told = format!("the vault was not saved: {path}, which locks it, is not a regular file");
            Report::new(Status::NotTrusted, told).hint(format!("look at what it is, then `rm -r {path}`"))
        }
        SaveError::Load(error) => load(error),
        SaveError::NotOurs { owner } => {
            Report::new(Status::State, format!("the vault belongs to uid {owner}; it can be read, not saved"))
        }
        SaveError::Mounted => Report::new(
            Status::State,
            "the vault is mounted as a single file and can't be replaced safely; nothing was changed",
        )
        .hint("mount its folder instead"),
        SaveError::Io(error) if error.kind() == io::ErrorKind::ReadOnlyFilesystem => {
            Report::new(Status::State, "the vault is on a read-only file system: it can be read, not saved")
                .hint("save it where its folder is mounted for writing")
        }
        SaveError::Io(error) => {
            let report = Report::new(Status::State, format!("the vault was not saved: {error}"));
            match why_no_file(error) {
                Some(hint) => report.hint(hint),
                None => report,
            }
        }
    }
}

/// What there is to do where a folder takes no new file.
pub fn why_no_file(error: &io::Error) -> Option<&'static str> {
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            Some("make room: `vault doctor` says on which disk")
        }
        io::ErrorKind::PermissionDenied => Some("`vault doctor` says which folder takes no file, and what mends that"),
        _ => None,
    }
}

/// Things about a vault that opened all the same.
pub fn vault_warning(world: &World, warning: &Warning) {
    match warning {
        Warning::WeakKdf(_) => world.warn("this vault's passphrase is cheap to guess: it was made with low costs"),
        Warning::ConflictedCopies(names) => {
            let names: Vec<String> = names.iter().map(|name| escape(name)).collect();
            world.warn(&format!("a sync program left other versions beside the vault: {}", names.join(", ")));
            world.hint("`vault import --vault FILE` brings the profiles that only one of them has; then remove it");
        }
        Warning::Recipients(change) => trust::recipients_changed(world, change),
        Warning::NotRemembered(error) => trust::not_remembered(world, error),
        Warning::ReadOnly => world.warn("this vault belongs to the administrator; it can be read, not saved"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn too_little_memory_is_told_with_the_way_to_try_and_the_mend() {
        let report = derive(&DeriveError::Memory { needed: 256 << 20, available: 99 << 20 }, CHEAPER);
        assert_eq!(report.message, "the passphrase needs 256 MiB of memory, and 99 MiB are free");
        assert_eq!(report.hint, Some(format!("`--kdf-memory` tries it all the same; {CHEAPER}")));
        assert_eq!(report.status, Status::State);
        let report = derive(&DeriveError::Allocation { needed: SMALL }, CHEAPER);
        assert_eq!(report.hint.as_deref(), Some("free some, or open the vault by `--identity`"));
    }
}
