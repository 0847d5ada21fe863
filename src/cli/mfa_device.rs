//! Which MFA device a user's codes come from: said, found by asking AWS, chosen, or guessed.

use crate::aws::{Aws, AwsError, CallerIdentity, MfaDevice, MfaDeviceKind, Refusal, Signer};
use crate::credentials::AccessKey;
use crate::names::{MfaSerial, NameError};

use super::escape::escape;
use super::failure::{Failure, Need, SerialBy};
use super::terminal::Terminal;
use super::world::World;

/// `--mfa-serial ARN|none`.
#[derive(Clone)]
pub enum DeviceGiven {
    Device(MfaSerial),
    NoDevice,
}

impl DeviceGiven {
    pub fn serial(self) -> Option<MfaSerial> {
        match self {
            Self::Device(serial) => Some(serial),
            Self::NoDevice => None,
        }
    }
}

pub fn parse(text: &str) -> Result<DeviceGiven, String> {
    match text {
        "none" => Ok(DeviceGiven::NoDevice),
        _ => text.parse().map(DeviceGiven::Device).map_err(|error: NameError| error.to_string()),
    }
}

/// What AWS says of a user's devices.
pub enum Devices {
    Root,
    /// Those that make codes.
    Codes(Vec<MfaSerial>),
    OnlyFido,
    /// The user may not list them; the serial that is usual.
    Denied(String),
}

pub fn list(aws: &Aws, key: &AccessKey, identity: &CallerIdentity) -> Result<Devices, AwsError> {
    let Some(user) = identity.user_name() else { return Ok(Devices::Root) };
    let devices = match aws.mfa_devices(&Signer::AccessKey(key), user) {
        // Many MFA-everywhere policies deny this until a session with MFA exists, which needs the very serial.
        Err(AwsError::Refused { refusal: Refusal::AccessDenied, .. }) => {
            let partition = identity.partition().unwrap_or("aws");
            return Ok(Devices::Denied(MfaSerial::usual_of(partition, &identity.account, user)));
        }
        listed => listed?,
    };
    let Sorted { codes, fido } = sort(devices);
    Ok(if codes.is_empty() && !fido.is_empty() { Devices::OnlyFido } else { Devices::Codes(codes) })
}

/// A user's devices: those that make codes, and the serials of those that don't.
#[derive(Default)]
pub struct Sorted {
    pub codes: Vec<MfaSerial>,
    pub fido: Vec<String>,
}

pub fn sort(devices: Vec<MfaDevice>) -> Sorted {
    let mut sorted = Sorted::default();
    for device in devices {
        match device.kind {
            MfaDeviceKind::Code(serial) => sorted.codes.push(serial),
            MfaDeviceKind::Fido => sorted.fido.push(device.serial),
        }
    }
    sorted
}

/// Asks AWS, and where it names several devices the person, which one the user's codes come from.
pub fn find(
    aws: &Aws,
    key: &AccessKey,
    identity: &CallerIdentity,
    world: &World,
) -> Result<Option<MfaSerial>, Failure> {
    match list(aws, key, identity)? {
        Devices::Codes(mut serials) if serials.len() <= 1 => Ok(serials.pop()),
        Devices::Codes(serials) => choose_device(serials, SerialBy::Flag).map(Some),
        Devices::Denied(usual) => offer_usual_serial(usual, SerialBy::Flag),
        none @ (Devices::Root | Devices::OnlyFido) => {
            warn_of_none(&none, world);
            Ok(None)
        }
    }
}

/// Says why sessions will be without MFA, where that is not plain.
pub fn warn_of_none(devices: &Devices, world: &World) {
    match devices {
        Devices::Root => world.warn("this is the root user's key; AWS advises against having one"),
        Devices::OnlyFido => world.warn(
            "this user has only FIDO security keys, and AWS takes no codes from those; sessions will be without MFA",
        ),
        Devices::Codes(_) | Devices::Denied(_) => {}
    }
}

pub fn choose_device(serials: Vec<MfaSerial>, by: SerialBy) -> Result<MfaSerial, Failure> {
    let need = || Need::DeviceChoice(serials.clone(), by.clone());
    let mut terminal = Terminal::open().map_err(|error| Failure::prompt(error, need()))?;
    terminal.show("This user has several MFA devices:\n");
    for (number, serial) in (1..).zip(&serials) {
        terminal.show(&format!("  {number}  {serial}\n"));
    }
    loop {
        let answer =
            terminal.ask("Which one do the codes come from? ").map_err(|error| Failure::prompt(error, need()))?;
        let chosen =
            answer.parse().ok().and_then(|number: usize| number.checked_sub(1)).and_then(|index| serials.get(index));
        match chosen {
            Some(serial) => return Ok(serial.clone()),
            None => terminal.show(&format!("Please answer 1 to {}.\n", serials.len())),
        }
    }
}

pub fn offer_usual_serial(usual: String, by: SerialBy) -> Result<Option<MfaSerial>, Failure> {
    let need = || Need::SerialGuess(usual.clone(), by.clone());
    let mut terminal = Terminal::open().map_err(|error| Failure::prompt(error, need()))?;
    terminal.show("This user may not list its MFA devices (iam:ListMFADevices is denied).\n");
    loop {
        let question = format!("MFA serial (Enter for {}, `none` for no device): ", escape(&usual));
        let answer = terminal.ask(&question).map_err(|error| Failure::prompt(error, need()))?;
        let answer = if answer.is_empty() { usual.clone() } else { answer };
        match parse(&answer) {
            Ok(given) => return Ok(given.serial()),
            Err(why) => terminal.show(&format!("{}.\n", escape(&why))),
        }
    }
}
