//! Where `add` gets an access key from: prompts, stdin, the environment, the console's CSV, or a profile in plaintext.

mod failure;

use std::path::{Path, PathBuf};

use crate::aws_files::credentials::{CredentialsFile, Holds};
use crate::credentials::AccessKey;
use crate::import::console_csv::{self, CsvError};
use crate::names::{AccessKeyId, ProfileName};
use crate::secret::{SecretAccessKey, SecretBytes};

use super::escape::{escape, shown_path};
use super::failure::{Failure, Need};
use super::terminal::Terminal;
use super::world::World;

pub use failure::KeySourceFailure;

#[derive(clap::Args)]
#[group(id = "access_key_source", multiple = true)]
pub struct SourceArgs {
    /// The access key id; its secret is asked for, or read with --secret-stdin
    #[arg(long, value_name = "ID")]
    access_key_id: Option<AccessKeyId>,
    /// Read the secret access key from standard input
    #[arg(long, requires = "access_key_id")]
    secret_stdin: bool,
    /// Take the key from AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY
    #[arg(long, conflicts_with_all = ["access_key_id", "from_csv", "from_profile"])]
    from_env: bool,
    /// Take the key from the CSV file that the AWS console gave
    #[arg(long, value_name = "FILE", conflicts_with_all = ["access_key_id", "from_profile"])]
    from_csv: Option<PathBuf>,
    /// Take the key from this section of ~/.aws/credentials
    #[arg(long, value_name = "NAME", conflicts_with = "access_key_id")]
    from_profile: Option<ProfileName>,
}

impl SourceArgs {
    /// Whether the secret comes through standard input.
    pub fn takes_standard_input(&self) -> bool {
        self.secret_stdin
    }
}

pub fn read(args: &SourceArgs, name: &ProfileName, world: &World) -> Result<AccessKey, Failure> {
    let key = if args.from_env {
        from_environment(world)?
    } else if let Some(path) = &args.from_csv {
        from_csv(world, path)?
    } else if let Some(profile) = &args.from_profile {
        from_profile(world, profile)?
    } else if let (true, Some(id)) = (args.secret_stdin, &args.access_key_id) {
        AccessKey { id: id.clone(), secret: secret(&world.read_input()?)? }
    } else {
        ask(args, name)?
    };
    if key.id.is_temporary() {
        return Err(KeySourceFailure::Temporary(key.id).into());
    }
    Ok(key)
}

/// After the vault has the key, the plaintext it came from is the weak spot.
pub fn say_where_it_still_lies(args: &SourceArgs, world: &World) {
    if let Some(path) = &args.from_csv {
        world.warn(&format!("the key still lies in plaintext in {}; delete that file", shown_path(path)));
    }
    if let Some(profile) = &args.from_profile {
        let file = escape(&world.paths.shown(&world.paths.aws_credentials));
        world.warn(&format!("the key still lies in plaintext in {file}, section [{profile}]; remove it there"));
    }
}

fn ask(args: &SourceArgs, name: &ProfileName) -> Result<AccessKey, Failure> {
    let prompt_failed = |error| Failure::prompt(error, Need::AccessKey);
    let mut terminal = Terminal::open().map_err(prompt_failed)?;
    let id = match &args.access_key_id {
        Some(id) => id.clone(),
        None => loop {
            match terminal.ask(&format!("Access key id for {name}: ")).map_err(prompt_failed)?.parse() {
                Ok(id) => break id,
                // Not echoed back: a secret pasted into the wrong prompt would be shown a second time.
                Err(_) => terminal.show("That is not an access key id; it looks like AKIA and 16 more characters.\n"),
            }
        },
    };
    loop {
        let typed = terminal.ask_hidden(&format!("Secret access key of {}: ", id.short())).map_err(prompt_failed)?;
        match secret(typed.as_bytes()) {
            Ok(secret) => return Ok(AccessKey { id, secret }),
            Err(_) => terminal.show("That is not a secret access key; it is 40 characters long.\n"),
        }
    }
}

fn from_environment(world: &World) -> Result<AccessKey, Failure> {
    const ID: &str = "AWS_ACCESS_KEY_ID";
    let variable = |name| world.environment.text(name).ok_or(KeySourceFailure::VariableMissing(name));
    if world.environment.get("AWS_SESSION_TOKEN").is_some() {
        return Err(KeySourceFailure::TemporaryEnvironment.into());
    }
    let id = variable(ID)?.trim().parse().map_err(|error| Failure::BadVariable { name: ID, error })?;
    Ok(AccessKey { id, secret: secret(variable("AWS_SECRET_ACCESS_KEY")?.as_bytes())? })
}

fn from_profile(world: &World, profile: &ProfileName) -> Result<AccessKey, Failure> {
    let file = CredentialsFile::load(world.disk, &world.paths.aws_credentials)?;
    let path = || world.paths.aws_credentials.clone();
    match file.section(profile.as_str()).map(|section| &section.holds) {
        None => Err(KeySourceFailure::NoSuchSection { path: path(), section: profile.clone() }.into()),
        Some(Holds::LongTerm(key)) => Ok(key.clone()),
        Some(_) => Err(KeySourceFailure::NoKeyInSection { path: path(), section: profile.clone() }.into()),
    }
}

fn from_csv(world: &World, path: &Path) -> Result<AccessKey, Failure> {
    let bytes = read_csv(world, path)?;
    let mut rows = console_csv::rows(&bytes).map_err(|error| not_a_csv(error, path))?;
    match (rows.pop(), rows.pop()) {
        (Some(only), None) => Ok(only.key),
        _ => Err(KeySourceFailure::SeveralInCsv { path: path.to_owned() }.into()),
    }
}

/// The bytes of a file that the console gave.
pub fn read_csv(world: &World, path: &Path) -> Result<SecretBytes, Failure> {
    let read = world.disk.read_named(path, console_csv::LONGEST);
    let (bytes, _) = read.map_err(|error| Failure::NamedFile { path: path.to_owned(), error })?;
    Ok(SecretBytes::new(bytes))
}

pub fn not_a_csv(error: CsvError, path: &Path) -> Failure {
    match error {
        CsvError::NotTheConsoles => KeySourceFailure::NotAConsoleCsv { path: path.to_owned() }.into(),
        CsvError::Id(error) => Failure::Name(error),
        CsvError::Secret => KeySourceFailure::SecretMalformed.into(),
    }
}

fn secret(bytes: &[u8]) -> Result<SecretAccessKey, Failure> {
    console_csv::parse_secret(bytes).map_err(|_| KeySourceFailure::SecretMalformed.into())
}
