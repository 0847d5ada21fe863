//! A world that every run of a command starts in anew, and what stands in it afterwards.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use vault::secret::{IdentityText, Passphrase};
use vault::store::document::Document;
use vault::store::header;
use vault::store::kdf::KdfParameters;
use vault::store::passphrase::derive;
use vault::store::plugin::Plugins;
use vault::store::vault::{Key, peek};

use super::saving::{Found, RECOVERY_KEY, Saving};
use crate::program::{Case, Invocation, Output, files_below};

pub struct Stage {
    pub command: &'static Saving,
    pub case: Case,
    pub before: Found,
    files: Files,
}

/// What stands in the home folder.
pub struct Files(Vec<(PathBuf, u32, Vec<u8>)>);

impl Files {
    pub fn of(case: &Case) -> Self {
        let read = |path: PathBuf| {
            let mode = fs::metadata(&path).unwrap().permissions().mode() & 0o7777;
            (path.clone(), mode, fs::read(path).unwrap())
        };
        Self(files_below(&case.home()).into_iter().map(read).collect())
    }

    /// Everything as it was.
    pub fn put_back(&self, case: &Case) {
        fs::remove_dir_all(case.home()).unwrap();
        fs::create_dir(case.home()).unwrap();
        self.0.iter().for_each(|(path, mode, bytes)| case.write(path, *mode, bytes));
    }
}

impl Stage {
    pub fn of(command: &'static Saving) -> Self {
        let case = command.case();
        let files = Files::of(&case);
        let before = found(&case, command.passphrases).unwrap();
        Self { command, case, before, files }
    }

    /// Everything as it was at first.
    pub fn reset(&self) {
        self.files.put_back(&self.case);
    }

    pub fn invocation(&self) -> Invocation<'_> {
        self.command.invocation(&self.case)
    }

    pub fn found(&self) -> Result<Found, String> {
        found(&self.case, self.command.passphrases)
    }

    /// Where the command writes one.
    pub fn recovery_key(&self) -> PathBuf {
        self.case.home().join(RECOVERY_KEY)
    }

    /// The next save, after whatever came before.
    pub fn save_again(&self) -> Output {
        if !self.case.vault_file().exists() {
            // A recovery key of a vault that was not made is in the way of the next one.
            let _ = fs::remove_file(self.recovery_key());
            let output = self.invocation().run();
            if output.status.code() != Some(0) {
                return output;
            }
        }
        self.at_first_sight(self.case.vault(self.command.next)).run()
    }

    /// Who makes a vault and is killed before this machine remembers it is asked to compare its fingerprint.
    pub fn at_first_sight<'a>(&self, invocation: Invocation<'a>) -> Invocation<'a> {
        match self.found() {
            Ok(Found { document: Some(made), .. }) if self.before.document.is_none() => {
                invocation.variable("VAULT_FINGERPRINT", made.fingerprint().unwrap().to_string())
            }
            _ => invocation,
        }
    }
}

fn found(case: &Case, passphrases: &[&'static str]) -> Result<Found, String> {
    let credentials = fs::read_to_string(case.credentials()).map_err(|error| format!("the credentials: {error}"))?;
    let path = case.vault_file();
    let (document, opener) = match path.exists().then(|| opened(&path, passphrases)).transpose()? {
        Some((document, opener)) => (Some(document), Some(opener)),
        None => (None, None),
    };
    let kept = document.as_ref().map(|document| kept(&path, passphrases, &document.meta.vault_id)).transpose()?;
    Ok(Found { document, opener, kept: kept.unwrap_or_default(), credentials })
}

/// The earlier generations, each of which opens.
fn kept(vault: &Path, passphrases: &[&'static str], vault_id: &str) -> Result<Vec<Document>, String> {
    let mut kept = Vec::new();
    for path in files_below(vault.parent().unwrap()) {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if name.starts_with("vault.age.g") {
            kept.push(opened(&path, passphrases)?.0);
        }
        if kept.last().is_some_and(|document| document.meta.vault_id != *vault_id) {
            return Err(format!("{name} is of another vault"));
        }
    }
    Ok(kept)
}

/// By exactly one of the passphrases.
fn opened(path: &Path, passphrases: &[&'static str]) -> Result<(Document, &'static str), String> {
    let file = fs::read(path).map_err(|error| format!("{} can't be read: {error}", path.display()))?;
    let kdf = header::scan(&file).ok().flatten().ok_or("no passphrase opens the vault")?;
    let by = |passphrase: &&'static str| {
        let document = peek(&file, Key::Identity(&derived(passphrase, kdf)), &Plugins::none()).ok()?;
        Some((document, *passphrase))
    };
    let mut opened: Vec<_> = passphrases.iter().filter_map(by).collect();
    match (opened.pop(), opened.len()) {
        (Some(opened), 0) => Ok(opened),
        (_, more) => Err(format!("{} opens with {more} of its passphrases", path.display())),
    }
}

/// What the passphrase derives with these parameters, once for all that share them.
fn derived(passphrase: &str, kdf: KdfParameters) -> IdentityText {
    static DERIVED: Mutex<BTreeMap<(String, [String; 4]), IdentityText>> = Mutex::new(BTreeMap::new());
    let mut derived = DERIVED.lock().unwrap();
    let make = || derive(&Passphrase::new(passphrase.to_owned()), &kdf, None).unwrap();
    derived.entry((passphrase.to_owned(), kdf.words())).or_insert_with(make).clone()
}
