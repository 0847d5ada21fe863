//! Which MFA device a user's codes come from: said, found by asking AWS, chosen, or guessed.

use crate::aws::{Aws, AwsError, CallerIdentity, MfaDeviceKind, Refusal, Signer};
use crate::credentials::AccessKey;
use crate::names::{MfaSerial, NameError};

use super::escape::escape;
use super::failure::{Failure, Need};
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

/// Asks AWS, and where it names several devices the person, which one the user's codes come from.
pub fn find(
    aws: &Aws,
    key: &AccessKey,
    identity: &CallerIdentity,
    world: &World,
) -> Result<Option<MfaSerial>, Failure> {
    let Some(user) = identity.user_name() else {
        world.warn("this is the root user's key; AWS advises against having one");
        return Ok(None);
    };
    match aws.mfa_devices(&Signer::AccessKey(key), user) {
        Ok(devices) => {
            let takes_codes = |kind| match kind {
                MfaDeviceKind::Code(serial) => Some(serial),
                MfaDeviceKind::Fido => None,
            };
            let any = !devices.is_empty();
            let serials: Vec<MfaSerial> = devices.into_iter().filter_map(|device| takes_codes(device.kind)).collect();
            choose_device(serials, any, world)
        }
        // Many MFA-everywhere policies deny this until a session with MFA exists, which needs the very serial.
        Err(AwsError::Refused { refusal: Refusal::AccessDenied, .. }) => offer_usual_serial(identity, user),
        Err(error) => Err(error.into()),
    }
}

fn choose_device(mut serials: Vec<MfaSerial>, any_device: bool, world: &World) -> Result<Option<MfaSerial>, Failure> {
    if serials.len() <= 1 {
        if serials.is_empty() && any_device {
            world.warn("this user has only FIDO security keys, and AWS takes no codes from those; sessions will be without MFA");
        }
        return Ok(serials.pop());
    }
    let need = || Need::DeviceChoice(serials.clone());
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
            Some(serial) => return Ok(Some(serial.clone())),
            None => terminal.show(&format!("Please answer 1 to {}.\n", serials.len())),
        }
    }
}

/// A virtual device usually has its user's name, so that its ARN can be guessed where it can't be listed.
fn offer_usual_serial(identity: &CallerIdentity, user: &str) -> Result<Option<MfaSerial>, Failure> {
    let partition = identity.partition().unwrap_or("aws");
    let usual = format!("arn:{partition}:iam::{}:mfa/{user}", identity.account);
    let need = || Need::SerialGuess(usual.clone());
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
