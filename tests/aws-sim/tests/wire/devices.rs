use data_encoding::BASE64;

use crate::{ACCOUNT, Scene, scene};

const TABLET: &str = "arn:aws:iam::123456789012:mfa/tablet";

fn create(scene: &Scene) -> aws_sim::MfaDevice {
    let reply = scene.client().iam("CreateVirtualMFADevice", &[("VirtualMFADeviceName", "tablet")]);
    assert_eq!(reply.text("SerialNumber"), TABLET);
    let tablet = scene.sim.mfa_device(TABLET).unwrap();
    let seed = BASE64.decode(reply.text("Base32StringSeed").as_bytes()).unwrap();
    assert_eq!(String::from_utf8(seed).unwrap(), tablet.seed_base32());
    tablet
}

fn with_codes(scene: &Scene, action: &str, first: &str, second: &str) -> String {
    let codes = [("AuthenticationCode1", first), ("AuthenticationCode2", second)];
    scene.client().iam(action, &[&[("UserName", "alice"), ("SerialNumber", TABLET)], &codes[..]].concat()).error()
}

/// The code shown now, then the next one, as a user reads them off.
fn two_codes(scene: &Scene, device: &aws_sim::MfaDevice) -> (String, String) {
    let first = device.code();
    scene.sim.advance(std::time::Duration::from_secs(30));
    (first, device.code())
}

fn serials(scene: &Scene) -> Vec<String> {
    scene.client().iam("ListMFADevices", &[]).texts("SerialNumber")
}

#[test]
fn devices_are_listed_with_security_keys_among_them() {
    let scene = scene();
    let yubikey = scene.sim.add_fido_device(&scene.alice, "yubikey");
    assert!(yubikey.starts_with("arn:aws:iam::123456789012:u2f/user/alice/yubikey-"));
    let mut listed = serials(&scene);
    listed.sort();
    assert_eq!(listed, [scene.phone.serial(), &yubikey]);
    let bob = scene.sim.add_user(ACCOUNT, "bob");
    assert!(crate::client::Client::of(&scene.sim, &bob).iam("ListMFADevices", &[]).texts("SerialNumber").is_empty());
}

#[test]
fn a_device_is_enabled_by_two_codes_in_a_row() {
    let scene = scene();
    let tablet = create(&scene);
    let (first, second) = two_codes(&scene, &tablet);
    let invalid = "403 InvalidAuthenticationCode: Authentication code for device is not valid.";
    assert_eq!(with_codes(&scene, "EnableMFADevice", &second, &first), invalid);
    assert_eq!(with_codes(&scene, "EnableMFADevice", &first, &first), invalid);
    assert_eq!(serials(&scene), [scene.phone.serial()]);
    assert_eq!(with_codes(&scene, "EnableMFADevice", &first, &second), "200");
    assert_eq!(serials(&scene).len(), 2);
    assert!(with_codes(&scene, "EnableMFADevice", &first, &second).starts_with("409 EntityAlreadyExists"));
    let parameters = [("SerialNumber", TABLET), ("TokenCode", second.as_str())];
    assert_eq!(scene.client().sts("GetSessionToken", &parameters).code(), "AccessDenied", "both codes are spent");
    let next = tablet.code();
    let parameters = [("SerialNumber", TABLET), ("TokenCode", next.as_str())];
    assert_eq!(scene.client().sts("GetSessionToken", &parameters).error(), "200");
}

#[test]
fn a_device_that_is_not_enabled_proves_nothing() {
    let scene = scene();
    let tablet = create(&scene);
    let code = tablet.code();
    let parameters = [("SerialNumber", TABLET), ("TokenCode", code.as_str())];
    assert_eq!(scene.client().sts("GetSessionToken", &parameters).code(), "AccessDenied");
}

#[test]
fn a_device_in_use_is_deleted_only_after_it_was_deactivated() {
    let scene = scene();
    let serial = ("SerialNumber", scene.phone.serial());
    let delete = || scene.client().iam("DeleteVirtualMFADevice", &[serial]).error();
    assert_eq!(delete(), "409 DeleteConflict: MFA VirtualDevice in use. Must deactivate first.");
    assert_eq!(scene.client().iam("DeactivateMFADevice", &[serial]).error(), "200");
    assert_eq!(delete(), "200");
    assert!(delete().starts_with("404 NoSuchEntity: VirtualMFADevice with serial number "));
    assert!(scene.client().iam("DeactivateMFADevice", &[serial]).error().starts_with("404 NoSuchEntity"));
}

#[test]
fn a_second_device_of_the_same_name_is_refused() {
    let scene = scene();
    let error = scene.client().iam("CreateVirtualMFADevice", &[("VirtualMFADeviceName", "phone")]).error();
    assert_eq!(error, "409 EntityAlreadyExists: MFADevice entity at the same path and name already exists.");
}

#[test]
fn a_device_whose_clock_drifted_works_again_after_a_resync() {
    let scene = scene();
    let tablet = create(&scene);
    let (first, second) = two_codes(&scene, &tablet);
    assert_eq!(with_codes(&scene, "EnableMFADevice", &first, &second), "200");
    tablet.drift(20);
    let ask = || {
        let code = tablet.code();
        let parameters = [("SerialNumber", TABLET), ("TokenCode", code.as_str())];
        scene.client().sts("GetSessionToken", &parameters).error()
    };
    assert!(ask().contains("invalid MFA one time pass code"));
    let (first, second) = two_codes(&scene, &tablet);
    assert_eq!(with_codes(&scene, "ResyncMFADevice", &first, &second), "200");
    assert_eq!(ask(), "200");
}
