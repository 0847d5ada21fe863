//! How the code, if any, gets into a chain with roles.

use super::{Device, LONGEST_CHAINED, Options, ROLE_DEFAULT, Rung, wanted};
use crate::names::MfaSerial;
use crate::session::chain::{RoleLink, UserLink};

pub(super) struct MfaRoute {
    /// GetSessionToken with this device comes first.
    pub session: Option<Device>,
    /// The first AssumeRole carries the code of this device, signed by the access key.
    pub in_call: Option<Device>,
    /// The link that the session's serial was taken from: 0 the user itself, 1 the first role, ...
    pub taken_from: usize,
}

/// The MFA device is the user's, since AWS takes no other's code, and one session made with it serves every role. Only a
/// first role that names a device of its own, or a single role longer than a session could assume it, gets the code in
/// its own call.
pub(super) fn mfa_route(user: &UserLink, roles: &[RoleLink], options: &Options) -> MfaRoute {
    let none = MfaRoute { session: None, in_call: None, taken_from: 0 };
    if options.no_mfa {
        return none;
    }
    let (users, taken_from) = users_device(user, roles);
    let first = &roles[0];
    let own = first.serial.as_ref().map(|serial| Device {
        serial: serial.value.clone(),
        process: first.mfa_process.clone().or_else(|| user.mfa_process.clone()),
    });
    let own = own.filter(|own| users.as_ref().is_none_or(|users| users.serial != own.serial));
    let long = options.stay.is_some()
        || roles.len() == 1 && wanted(options.duration, first.duration.as_ref(), ROLE_DEFAULT).value > LONGEST_CHAINED;
    match (own, users) {
        (Some(own), _) => MfaRoute { in_call: Some(own), ..none },
        (None, Some(users)) if long => MfaRoute { in_call: Some(users), ..none },
        (None, users) => MfaRoute { session: users, taken_from, ..none },
    }
}

/// The user's own device; else the one a role names, where that could be the user's: in the same account, or in none that
/// is known.
fn users_device(user: &UserLink, roles: &[RoleLink]) -> (Option<Device>, usize) {
    if let Some(serial) = &user.serial {
        return (Some(Device { serial: serial.value.clone(), process: user.mfa_process.clone() }), 0);
    }
    let could_be_users = |serial: &MfaSerial| match (serial.account(), user.account()) {
        (Some(account), Some(users)) => account == users,
        _ => true,
    };
    for (index, role) in roles.iter().enumerate() {
        if let Some(serial) = role.serial.as_ref().filter(|serial| could_be_users(&serial.value)) {
            let process = role.mfa_process.clone().or_else(|| user.mfa_process.clone());
            return (Some(Device { serial: serial.value.clone(), process }), index + 1);
        }
    }
    (None, 0)
}

/// Below the link that named the serial, the profiles by themselves have sessions without it, in slots of their own.
pub(super) fn mark_taken_serial(rungs: &mut [Rung], route: &MfaRoute) {
    if let Some(device) = &route.session {
        for rung in &mut rungs[..route.taken_from] {
            rung.slot.serial = Some(device.serial.clone());
        }
    }
}
