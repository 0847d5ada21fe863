//! `vault mfa enable`.

use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use crate::aws::{AwsError, NewMfaDevice, Refusal};
use crate::cli::escape::{escape, shown_path};
use crate::cli::failure::{Failure, Need};
use crate::cli::iam_access::Signature;
use crate::cli::secret_file;
use crate::cli::sign_in::{ChangeArgs, SignInArgs};
use crate::cli::terminal::Terminal;
use crate::cli::world::World;
use crate::names::{MfaCode, MfaSerial, ProfileName};
use crate::process::HeldSignals;

use super::subject::Subject;
use super::{MfaFailure, abort, codes, new_device, otpauth, qr};

/// Make a virtual MFA device for a profile's user, with a QR code to scan
///
/// Makes the device at IAM, draws the QR code at the terminal, asks for two codes and enables it; the vault then has it as
/// the profile's. Where nothing comes of it, the device is removed again.
///
/// Without a terminal it takes two steps: --begin FILE writes the device's otpauth address, which its codes are made of, to a
/// new file and prints its serial; --finish SERIAL --codes enables it, or --abort SERIAL removes it. Between the two the
/// device is nobody's.
#[derive(clap::Args)]
pub struct Args {
    /// The profile [default: see `vault login --help`]
    name: Option<ProfileName>,
    /// What the device is to be called [default: the user's name]
    #[arg(long, alias = "name", value_name = "NAME", value_parser = parse_device_name, conflicts_with_all = ["finish", "abort"])]
    device_name: Option<String>,
    /// Show the seed as text too, for apps without a camera
    #[arg(long, conflicts_with_all = ["begin", "finish", "abort"])]
    show_seed: bool,
    /// Only make the device, and write its otpauth address to this new file
    #[arg(long, value_name = "FILE", conflicts_with_all = ["finish", "abort"])]
    begin: Option<PathBuf>,
    /// Enable a device that was begun
    #[arg(long, value_name = "SERIAL", requires = "codes", conflicts_with = "abort")]
    finish: Option<MfaSerial>,
    /// Remove a device that was begun
    #[arg(long, value_name = "SERIAL")]
    abort: Option<MfaSerial>,
    /// Two codes that the device showed one after the other
    #[arg(long, value_name = "CODE,CODE", requires = "finish", value_parser = codes::parse)]
    codes: Option<[MfaCode; 2]>,
    #[command(flatten)]
    signing: ChangeArgs,
}

/// IAM API reference, CreateVirtualMFADevice: 226 of `[\w+=,.@-]`.
fn parse_device_name(text: &str) -> Result<String, String> {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"_+=,.@-".contains(&byte);
    if (1..=226).contains(&text.len()) && text.bytes().all(allowed) {
        return Ok(text.to_owned());
    }
    Err("a device's name is 1 to 226 of letters, digits and _+=,.@-".to_owned())
}

/// Rows that stay free under the code: it is scanned before the first question is answered, and may move up then.
const ROWS_FOR_QUESTION: u16 = 1;

/// And those above it where the seed is shown: it must not leave the screen by the code's coming.
const ROWS_FOR_SEED: u16 = 6;

/// Of terminals that don't tell their size.
const USUAL_SIZE: (u16, u16) = (80, 24);

pub fn run(args: Args, world: &World) -> Result<(), Failure> {
    let signing = SignInArgs::from(args.signing);
    if let Some(path) = &args.begin {
        return begin(args.name, args.device_name, path, &signing, world);
    }
    if let Some(serial) = &args.abort {
        return abort::run(args.name, serial, &signing, world);
    }
    if let Some((serial, codes)) = args.finish.zip(args.codes) {
        return finish(args.name, &serial, &codes, &signing, world);
    }
    at_terminal(args.name, args.device_name, args.show_seed, &signing, world)
}

fn begin(
    name: Option<ProfileName>,
    device_name: Option<String>,
    path: &Path,
    signing: &SignInArgs,
    world: &World,
) -> Result<(), Failure> {
    secret_file::check_free(world, path)?;
    let subject = Subject::open(name, signing, world)?;
    let device_name = device_name.unwrap_or_else(|| subject.user.clone());
    let signature = subject.signature(signing, world)?;
    let held = HeldSignals::hold().map_err(Failure::Terminal)?;
    let device = new_device::make(&subject, &signature, &device_name)?;
    if held.came() {
        new_device::take_back(&subject, &signature, &device.serial, world);
        return Err(Failure::NoAnswer(Need::TwoCodes(subject.profile)));
    }
    let text = Zeroizing::new(format!("{}\n", *otpauth::uri(&device.seed, &device_name, &subject.account)));
    // The serial first: a file that is written and a serial that nobody got would be a device that nobody finishes.
    world
        .print(&format!("{}\n", device.serial))
        .and_then(|()| secret_file::write(world, path, &text))
        .inspect_err(|_| new_device::take_back(&subject, &signature, &device.serial, world))?;
    let (serial, profile) = (&device.serial, &subject.profile);
    world.say(&format!("wrote the device's otpauth address to {}; whoever reads it has its codes", shown_path(path)));
    world.say(&format!("next: vault mfa enable {profile} --finish {serial} --codes CODE,CODE"));
    Ok(())
}

fn finish(
    name: Option<ProfileName>,
    serial: &MfaSerial,
    codes: &[MfaCode; 2],
    signing: &SignInArgs,
    world: &World,
) -> Result<(), Failure> {
    let subject = Subject::open(name, signing, world)?;
    let signature = subject.signature(signing, world)?;
    new_device::enable(&subject, &signature, serial, codes).map_err(|error| {
        let (profile, serial) = (subject.profile.clone(), serial.clone());
        Failure::from(MfaFailure::NotEnabled { profile, serial, error })
    })?;
    world.say("remove the file that `--begin` wrote: whoever reads it has the device's codes");
    new_device::store(subject, serial, world)
}

fn at_terminal(
    name: Option<ProfileName>,
    device_name: Option<String>,
    show_seed: bool,
    signing: &SignInArgs,
    world: &World,
) -> Result<(), Failure> {
    let named = name.clone();
    let failed = |error| Failure::prompt(error, Need::NewDevice(named.clone()));
    // Not kept: who waits for a session that another process asks a code for must not have the turn to ask.
    Terminal::open().map(drop).map_err(failed)?;
    let subject = Subject::open(name, signing, world)?;
    let device_name = device_name.unwrap_or_else(|| subject.user.clone());
    let signature = subject.signature(signing, world)?;
    let terminal = Terminal::open().map_err(failed)?;
    // From before the device is there until it is enabled or gone again.
    let held = HeldSignals::hold().map_err(Failure::Terminal)?;
    let mut terminal = terminal.holding(Some(&held));
    let device = new_device::make(&subject, &signature, &device_name)?;
    // The seed stays neither on the screen nor above it.
    let side = if is_dumb(world) { None } else { terminal.side_screen() };
    show(&mut terminal, &device, &device_name, &subject, show_seed, world);
    let serial = device.serial.clone();
    // Nobody needs the seed from here on.
    drop(device);
    let enabled = ask_and_enable(&mut terminal, &subject, &signature, &serial);
    drop(side);
    enabled.inspect_err(|_| new_device::take_back(&subject, &signature, &serial, world))?;
    new_device::store(subject, &serial, world)
}

/// It shows text and nothing else.
fn is_dumb(world: &World) -> bool {
    matches!(world.environment.text("TERM"), None | Some("" | "dumb"))
}

/// The QR code last, so that it stays in sight; the seed above it where it was asked for, or in its place.
fn show(
    terminal: &mut Terminal,
    device: &NewMfaDevice,
    device_name: &str,
    subject: &Subject,
    show_seed: bool,
    world: &World,
) {
    let uri = otpauth::uri(&device.seed, device_name, &subject.account);
    let size = terminal.size().unwrap_or(USUAL_SIZE);
    let drawn = qr::Drawing::of(&uri).filter(|_| !is_dumb(world));
    let spare = ROWS_FOR_QUESTION + if show_seed { ROWS_FOR_SEED } else { 0 };
    let drawn = drawn
        .and_then(|code| code.fitted(size, spare, world.environment.text("NO_COLOR").unwrap_or_default().is_empty()));
    if drawn.is_none() {
        terminal.show("No QR code fits this terminal. ");
    }
    if show_seed || drawn.is_none() {
        let label = format!("{}@{}", escape(device_name), subject.account);
        terminal.show(&format!("For the authenticator app, account name {label}, key:\n\n"));
        terminal.show(&Zeroizing::new(format!("{}\n\n", *otpauth::typed(&device.seed))));
    }
    if let Some(drawn) = drawn {
        terminal.show("Scan this with an authenticator app.\n");
        terminal.show(&drawn);
    }
}

fn ask_and_enable(
    terminal: &mut Terminal,
    subject: &Subject,
    signature: &Signature,
    serial: &MfaSerial,
) -> Result<(), Failure> {
    loop {
        let codes = codes::ask(terminal, subject, || Need::TwoCodes(subject.profile.clone()))?;
        match new_device::enable(subject, signature, serial, &codes) {
            Err(AwsError::Refused { refusal: Refusal::WrongPairOfCodes, .. }) => {
                terminal.show(codes::WRONG_PAIR);
            }
            enabled => return enabled.map_err(|error| subject.refused(error)),
        }
    }
}
