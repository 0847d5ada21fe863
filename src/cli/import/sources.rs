//! Gets at the sources: files, the program aws-vault, another vault.

use std::path::{Path, PathBuf};

use crate::aws_files::config::ConfigFile;
use crate::aws_files::file;
use crate::disk::ReadError;
use crate::import::found::{Origin, Reading, Skipped, Source, Why};
use crate::import::{aws_vault, config, console_csv, credentials, other_vault};
use crate::process;
use crate::secret::{Passphrase, SecretBytes};
use crate::store::document::Document;
use crate::store::header::MAX_FILE;
use crate::store::opener::Opener;
use crate::store::seal::UnsealError;
use crate::store::vault::{Key, OpenError, peek};

use crate::cli::passphrase_source;

use super::Args;
use crate::cli::access_key_source::{not_a_csv, read_csv};
use crate::cli::escape::{escape, shown_path};
use crate::cli::failure::Failure;
use crate::cli::opening;
use crate::cli::world::World;

/// Where AWS-recipes kept the pairs before it gave them sections of their own.
const NO_MFA: &str = "credentials.no-mfa";
const STSCREDS: &str = ".stscreds/credentials";

/// What people have who used none or several tools; a program of others is started only where it was asked for.
const USUAL: [Source; 5] = [Source::Credentials, Source::AwsMfa, Source::AwsRecipes, Source::Awsmfa, Source::Stscreds];

#[derive(clap::ValueEnum, Clone, Copy, PartialEq, Eq)]
pub enum Layout {
    /// ~/.aws/credentials, each section by its own name
    Credentials,
    /// ~/.stscreds/credentials
    Stscreds,
    /// [identity] in ~/.aws/credentials
    Awsmfa,
    /// [NAME-long-term] in ~/.aws/credentials
    AwsMfa,
    /// [NAME-nomfa] in ~/.aws/credentials, and ~/.aws/credentials.no-mfa
    AwsRecipes,
    /// What the program aws-vault holds
    AwsVault,
}

impl Layout {
    pub fn source(self) -> Source {
        match self {
            Self::Credentials => Source::Credentials,
            Self::Stscreds => Source::Stscreds,
            Self::Awsmfa => Source::Awsmfa,
            Self::AwsMfa => Source::AwsMfa,
            Self::AwsRecipes => Source::AwsRecipes,
            Self::AwsVault => Source::AwsVault,
        }
    }
}

pub struct Gathered {
    pub reading: Reading,
    pub csv: Vec<CsvFile>,
    /// Where it was looked, as people are shown it.
    pub places: Vec<String>,
}

/// As it was read: it is removed as a whole, and only if it is still that.
pub struct CsvFile {
    pub path: PathBuf,
    pub bytes: SecretBytes,
}

pub fn gather(args: &Args, own: Option<&Opener>, world: &World) -> Result<Gathered, Failure> {
    let named = !args.csv.is_empty() || args.vault.is_some();
    let wanted: Vec<Source> = match args.from.as_slice() {
        [] if named => Vec::new(),
        [] => USUAL.to_vec(),
        from => from.iter().copied().map(Layout::source).collect(),
    };
    let mut gathered = Gathered { reading: Reading::default(), csv: Vec::new(), places: Vec::new() };
    gathered.files(&wanted, world)?;
    if wanted.contains(&Source::AwsVault) {
        gathered.aws_vault(args, world)?;
    }
    args.csv.iter().try_for_each(|path| gathered.csv(path, world))?;
    config::complete(&mut gathered.reading, &ConfigFile::load(world.disk, &world.paths.aws_config)?);
    if let Some(path) = &args.vault {
        gathered.places.push(shown_path(path));
        let document = open_other(path, args, own, world)?;
        gathered.reading.extend(other_vault::read(&document, path));
    }
    Ok(gathered)
}

impl Gathered {
    fn files(&mut self, wanted: &[Source], world: &World) -> Result<(), Failure> {
        let in_credentials = |source: &Source| !matches!(source, Source::Stscreds | Source::AwsVault);
        let layouts: Vec<Source> = wanted.iter().copied().filter(in_credentials).collect();
        if !layouts.is_empty() {
            let path = world.paths.aws_credentials.clone();
            self.file(&path, world, |bytes| credentials::read(bytes, &path, &layouts))?;
        }
        if wanted.contains(&Source::AwsRecipes) {
            let path = world.paths.aws_credentials.with_file_name(NO_MFA);
            self.file(&path, world, |bytes| credentials::read_plain(bytes, &path, Source::AwsRecipes))?;
        }
        if wanted.contains(&Source::Stscreds) {
            let path = world.paths.home.join(STSCREDS);
            self.file(&path, world, |bytes| credentials::read_plain(bytes, &path, Source::Stscreds))?;
        }
        Ok(())
    }

    fn file(&mut self, path: &Path, world: &World, read: impl Fn(&[u8]) -> Reading) -> Result<(), Failure> {
        self.places.push(escape(&world.paths.shown(path)));
        self.reading.extend(read(&file::read(world.disk, path)?));
        Ok(())
    }

    fn csv(&mut self, path: &Path, world: &World) -> Result<(), Failure> {
        self.places.push(shown_path(path));
        let bytes = read_csv(world, path)?;
        self.reading.extend(console_csv::read(&bytes, path).map_err(|error| not_a_csv(error, path))?);
        self.csv.push(CsvFile { path: path.to_owned(), bytes });
        Ok(())
    }

    /// Each profile is a call of its own, and may have its owner asked by the keychain: so only for those that are meant.
    fn aws_vault(&mut self, args: &Args, world: &World) -> Result<(), Failure> {
        self.places.push("aws-vault".to_owned());
        let list = run_aws_vault(aws_vault::LIST, world).map_err(Failure::AwsVault)?;
        let meant = |name: &String| args.names.is_empty() || args.names.iter().any(|it| it.as_str() == name);
        for name in aws_vault::names(&list).into_iter().filter(meant) {
            match run_aws_vault(&aws_vault::export(&name), world) {
                Ok(printed) => self.reading.extend(aws_vault::read(&name, &printed)),
                Err(error) => {
                    world.warn(&format!("aws-vault, `{}`: {}", escape(&name), escape(&error.to_string())));
                    let origin =
                        Origin { source: Source::AwsVault, path: None, section: Some(name.clone()), line: None };
                    self.reading.skipped.push(Skipped { name, why: Why::Unclear, origin });
                }
            }
        }
        Ok(())
    }
}

fn run_aws_vault(command: &str, world: &World) -> Result<SecretBytes, process::RunError> {
    let mut hear = |line: &str| world.say(&format!("aws-vault: {}", escape(line)));
    process::output_of_program(command, &world.environment, &aws_vault::is_its_setting, &mut hear)
}

/// By what opens our own vault, as a branch of it does; by what the flags lead to; else by asking.
fn open_other(path: &Path, args: &Args, own: Option<&Opener>, world: &World) -> Result<Document, Failure> {
    let read = world.disk.read_named(path, MAX_FILE);
    let (file, _) = read.map_err(|error: ReadError| Failure::NamedFile { path: path.to_owned(), error })?;
    let shown = shown_path(path);
    let plugins = world.place();
    let plugins = plugins.plugins();
    let by_passphrase =
        |passphrase: &Passphrase| peek(&file, Key::Passphrase(passphrase, world.unlock.memory()), plugins);
    let given = match (&args.vault_identity, &args.vault_passphrase_file) {
        (Some(path), _) => Some(opening::read_identities(world, path)?),
        (None, Some(path)) => {
            let passphrase = passphrase_source::in_file(world, path)?;
            return by_passphrase(&passphrase).map_err(|error| opening::failed_to_open(error, &shown));
        }
        (None, None) => None,
    };
    let asked_for = given.is_some();
    for key in given.iter().flatten().map(Key::Identity).chain(own.map(Key::Opener)) {
        match peek(&file, key, plugins) {
            Err(OpenError::Unseal(UnsealError::WrongIdentity)) => {}
            // What opens our own vault was only a guess.
            Err(OpenError::Unseal(UnsealError::Plugin { .. })) if !asked_for => {}
            other => return Ok(other?),
        }
    }
    if asked_for {
        return Err(OpenError::Unseal(UnsealError::WrongIdentity).into());
    }
    opening::ask_passphrase(&shown, by_passphrase).map(|(opened, _)| opened)
}
