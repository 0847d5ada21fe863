//! IAM's calls on MFA devices.
//! https://docs.aws.amazon.com/IAM/latest/APIReference/API_EnableMFADevice.html

use data_encoding::{BASE32_NOPAD, BASE64};

use crate::caller::Caller;
use crate::clock::iso;
use crate::cloud::Cloud;
use crate::constraints::{Constraints, DIGITS, NAME, SERIAL};
use crate::device::Device;
use crate::error::AwsError;
use crate::iam::{Subject, page};
use crate::parameters::Parameters;
use crate::service::Action;
use crate::xml;

pub(crate) const LIST: Action =
    Action { name: "ListMFADevices", parameters: &["UserName", "Marker", "MaxItems"], run: list };
pub(crate) const CREATE: Action = Action {
    name: "CreateVirtualMFADevice",
    parameters: &["VirtualMFADeviceName", "Path", "Tags.member.N.Key", "Tags.member.N.Value"],
    run: create,
};
pub(crate) const DELETE: Action = Action { name: "DeleteVirtualMFADevice", parameters: &["SerialNumber"], run: delete };
pub(crate) const ENABLE: Action = Action { name: "EnableMFADevice", parameters: CODES, run: enable };
pub(crate) const DEACTIVATE: Action =
    Action { name: "DeactivateMFADevice", parameters: &["UserName", "SerialNumber"], run: deactivate };
pub(crate) const RESYNC: Action = Action { name: "ResyncMFADevice", parameters: CODES, run: resync };

const CODES: &[&str] = &["UserName", "SerialNumber", "AuthenticationCode1", "AuthenticationCode2"];
const DEVICES_PER_USER: usize = 8;
/// How many steps a device's clock may be off when two of its codes are given.
const ENABLE_REACH: i64 = 2;
const RESYNC_REACH: i64 = 100;
/// Nobody here looks at the picture; it is a PNG's first bytes.
const PICTURE: &[u8] = b"\x89PNG\r\n\x1a\n";

fn list(cloud: &mut Cloud, caller: &Caller, parameters: &Parameters) -> Result<String, AwsError> {
    let subject = Subject::authorized(cloud, caller, parameters, "iam:ListMFADevices")?;
    let member = |device: &Device| {
        xml::text("UserName", &subject.name)
            + &xml::text("SerialNumber", &device.serial)
            + &xml::optional("EnableDate", device.enabled.map(iso))
    };
    let members = cloud.devices_of(&subject.arn).into_iter().map(member).collect();
    page("MFADevices", members, parameters)
}

fn create(cloud: &mut Cloud, caller: &Caller, parameters: &Parameters) -> Result<String, AwsError> {
    let name = parameters.required("VirtualMFADeviceName")?;
    let mut constraints = Constraints::default();
    constraints.text("VirtualMFADeviceName", Some(name), (1, 226), &NAME);
    constraints.check()?;
    if parameters.optional("Path").is_some_and(|path| path != "/") {
        return Err(AwsError::validation("Only the path / is simulated"));
    }
    let device = Device::virtual_device(caller.principal.account(), name);
    caller.authorize(cloud, "iam:CreateVirtualMFADevice", &device.serial, &device.serial)?;
    if cloud.devices.contains_key(&device.serial) {
        let message = "MFADevice entity at the same path and name already exists.";
        return Err(AwsError::new(409, "EntityAlreadyExists", message));
    }
    let seed = BASE32_NOPAD.encode(device.seed.as_deref().unwrap_or_default());
    let fields = [
        xml::text("SerialNumber", &device.serial),
        xml::text("Base32StringSeed", BASE64.encode(seed.as_bytes())),
        xml::text("QRCodePNG", BASE64.encode(PICTURE)),
    ];
    cloud.devices.insert(device.serial.clone(), device);
    Ok(xml::nest("VirtualMFADevice", &fields))
}

fn delete(cloud: &mut Cloud, caller: &Caller, parameters: &Parameters) -> Result<String, AwsError> {
    let serial = serial(parameters)?;
    caller.authorize(cloud, "iam:DeleteVirtualMFADevice", serial, serial)?;
    let device = virtual_device(cloud, caller, serial)?;
    if device.owner.is_some() {
        return Err(AwsError::new(409, "DeleteConflict", "MFA VirtualDevice in use. Must deactivate first."));
    }
    cloud.devices.remove(serial);
    Ok(String::new())
}

fn enable(cloud: &mut Cloud, caller: &Caller, parameters: &Parameters) -> Result<String, AwsError> {
    parameters.required("UserName")?;
    let (serial, first, second) = serial_and_codes(parameters)?;
    let subject = Subject::authorized(cloud, caller, parameters, "iam:EnableMFADevice")?;
    if cloud.devices_of(&subject.arn).len() >= DEVICES_PER_USER {
        let message = format!("Cannot exceed quota for MFADevicesPerUser: {DEVICES_PER_USER}");
        return Err(AwsError::new(409, "LimitExceeded", message));
    }
    let device = virtual_device(cloud, caller, serial)?;
    if device.owner.is_some() {
        return Err(AwsError::new(409, "EntityAlreadyExists", "MFA Device is already in use."));
    }
    if !device.accept_pair(first, second, caller.now, ENABLE_REACH) {
        return Err(invalid_codes());
    }
    device.enable(&subject.arn, caller.now);
    Ok(String::new())
}

fn deactivate(cloud: &mut Cloud, caller: &Caller, parameters: &Parameters) -> Result<String, AwsError> {
    let serial = serial(parameters)?;
    let subject = Subject::authorized(cloud, caller, parameters, "iam:DeactivateMFADevice")?;
    owned(cloud, &subject, serial)?.disable();
    Ok(String::new())
}

fn resync(cloud: &mut Cloud, caller: &Caller, parameters: &Parameters) -> Result<String, AwsError> {
    parameters.required("UserName")?;
    let (serial, first, second) = serial_and_codes(parameters)?;
    let subject = Subject::authorized(cloud, caller, parameters, "iam:ResyncMFADevice")?;
    let device = owned(cloud, &subject, serial)?;
    if device.accept_pair(first, second, caller.now, RESYNC_REACH) {
        return Ok(String::new());
    }
    Err(invalid_codes())
}

fn serial(parameters: &Parameters) -> Result<&str, AwsError> {
    let serial = parameters.required("SerialNumber")?;
    let mut constraints = Constraints::default();
    constraints.text("SerialNumber", Some(serial), (9, 256), &SERIAL);
    constraints.check()?;
    Ok(serial)
}

fn serial_and_codes(parameters: &Parameters) -> Result<(&str, &str, &str), AwsError> {
    let first = parameters.required("AuthenticationCode1")?;
    let second = parameters.required("AuthenticationCode2")?;
    let mut constraints = Constraints::default();
    constraints.text("AuthenticationCode1", Some(first), (6, 6), &DIGITS);
    constraints.text("AuthenticationCode2", Some(second), (6, 6), &DIGITS);
    constraints.check()?;
    Ok((serial(parameters)?, first, second))
}

fn virtual_device<'a>(cloud: &'a mut Cloud, caller: &Caller, serial: &str) -> Result<&'a mut Device, AwsError> {
    let prefix = format!("arn:aws:iam::{}:mfa/", caller.principal.account());
    let device = cloud.devices.get_mut(serial).filter(|device| device.serial.starts_with(&prefix));
    let message = || format!("VirtualMFADevice with serial number {serial} does not exist.");
    device.ok_or_else(|| AwsError::no_such_entity(message()))
}

fn owned<'a>(cloud: &'a mut Cloud, subject: &Subject, serial: &str) -> Result<&'a mut Device, AwsError> {
    let device = cloud.devices.get_mut(serial).filter(|device| device.owner.as_ref() == Some(&subject.arn));
    let message = || format!("MFA Device with serial number {serial} does not exist for user {}.", subject.name);
    device.ok_or_else(|| AwsError::no_such_entity(message()))
}

fn invalid_codes() -> AwsError {
    AwsError::new(403, "InvalidAuthenticationCode", "Authentication code for device is not valid.")
}
