//! What the simulator answers over the wire, and what it refuses.

mod client;
mod devices;
mod failures;
mod keys;
mod permissions;
mod roles;
mod sessions;
mod signatures;
mod signin;

use aws_sim::{MfaDevice, Simulator, User};

const ACCOUNT: &str = "123456789012";

struct Scene {
    sim: Simulator,
    alice: User,
    phone: MfaDevice,
}

/// A user with one key and one MFA device.
fn scene() -> Scene {
    let sim = Simulator::start();
    let alice = sim.add_user(ACCOUNT, "alice");
    let phone = sim.add_mfa_device(&alice, "phone");
    Scene { sim, alice, phone }
}

impl Scene {
    fn client(&self) -> client::Client {
        client::Client::of(&self.sim, &self.alice)
    }

    fn mfa_session(&self) -> client::Client {
        let code = self.phone.code();
        let parameters = [("SerialNumber", self.phone.serial()), ("TokenCode", code.as_str())];
        client::Client::of_reply(&self.sim, &self.client().sts("GetSessionToken", &parameters))
    }
}
