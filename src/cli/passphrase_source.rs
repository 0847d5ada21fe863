//! A passphrase that no person types: from a file, an open file descriptor, or what a command prints.

use std::io::Read;
use std::path::{Path, PathBuf};

use crate::process;
use crate::secret::{Passphrase, SecretBytes};

use super::escape::escape;
use super::failure::Failure;
use super::secret_file;
use super::world::World;

/// One of them at most; the flags exclude each other.
pub struct PassphraseSource<'a> {
    pub file: Option<&'a Path>,
    pub descriptor: Option<i32>,
    /// Words, no shell; and the flag it came by, which its messages are marked with.
    pub command: Option<(&'static str, &'a str)>,
}

/// Where one was read from.
pub enum SecretSource {
    File(PathBuf),
    Descriptor(i32),
    /// By its flag.
    Command(&'static str),
}

impl PassphraseSource<'_> {
    pub fn read(&self, world: &World) -> Result<Option<Passphrase>, Failure> {
        if let Some(number) = self.descriptor {
            return read_descriptor(number).map(Some);
        }
        if let Some((flag, command)) = self.command {
            let mut hear = |line: &str| world.say(&format!("{flag}: {}", escape(line)));
            let printed = process::output_of(command, &world.environment, &mut hear);
            let printed = printed.map_err(|error| Failure::PassphraseCommand { flag, error })?;
            return from_bytes(printed, || SecretSource::Command(flag)).map(Some);
        }
        self.file.map(|path| in_file(world, path)).transpose()
    }
}

pub fn in_file(world: &World, path: &Path) -> Result<Passphrase, Failure> {
    from_bytes(secret_file::read(world, path)?, || SecretSource::File(path.to_owned()))
}

fn read_descriptor(number: i32) -> Result<Passphrase, Failure> {
    let failed = |error| Failure::PassphraseDescriptor { number, error };
    let mut bytes = SecretBytes::default();
    let file = process::take_descriptor(number).map_err(failed)?;
    file.take(secret_file::LONGEST).read_to_end(&mut bytes).map_err(failed)?;
    from_bytes(bytes, || SecretSource::Descriptor(number))
}

/// One line ending belongs to the file, not to the passphrase.
fn from_bytes(bytes: SecretBytes, source: impl Fn() -> SecretSource) -> Result<Passphrase, Failure> {
    let text = std::str::from_utf8(&bytes).map_err(|_| Failure::PassphraseNotText(source()))?;
    let text = text.strip_suffix('\n').map_or(text, |line| line.strip_suffix('\r').unwrap_or(line));
    if text.is_empty() {
        return Err(Failure::PassphraseEmpty(source()));
    }
    // No passphrase has one, and what follows it was meant for something else.
    if text.contains('\n') {
        return Err(Failure::PassphraseSeveralLines(source()));
    }
    Ok(Passphrase::new(text.to_owned()))
}
