//! The simulator on its own, for trying things by hand.
//!
//! Prints an endpoint, a user with its key and MFA device, and a role, as lines for a shell; then the device's current
//! code every 30 seconds and at each Enter, until stopped.

use std::io::{BufRead, Write};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::time::Duration;

use aws_sim::{MfaDevice, Role, Simulator, Trust};

const ACCOUNT: &str = "123456789012";

fn main() -> std::io::Result<()> {
    if std::env::args().len() > 1 {
        eprintln!("aws-sim takes no arguments: it prints where it is and what it has, then codes, until it is stopped");
        std::process::exit(2);
    }
    let sim = Simulator::start();
    let alice = sim.add_user(ACCOUNT, "alice");
    let phone = sim.add_mfa_device(&alice, "phone");
    let role = sim.add_role(Role::new(ACCOUNT, "admin", Trust::of(ACCOUNT).with_mfa()));
    let endpoint = sim.endpoint();
    let lines = [
        ("AWS_ENDPOINT_URL", endpoint.as_str()),
        ("AWS_ACCESS_KEY_ID", alice.access_key_id()),
        ("AWS_SECRET_ACCESS_KEY", alice.secret_access_key()),
        ("MFA_SERIAL", phone.serial()),
        ("ROLE_ARN", &role),
    ];
    for (name, value) in lines {
        println!("{name}={value}");
    }
    print_codes(&phone)
}

fn print_codes(phone: &MfaDevice) -> std::io::Result<()> {
    let (entered, enter) = channel();
    std::thread::spawn(move || read_lines(&entered));
    loop {
        if phone.is_there() {
            println!("MFA_CODE={}", phone.code());
            std::io::stdout().flush()?;
        }
        if let Err(RecvTimeoutError::Disconnected) = enter.recv_timeout(Duration::from_secs(30)) {
            // Without an input, the time alone paces the codes.
            std::thread::sleep(Duration::from_secs(30));
        }
    }
}

fn read_lines(entered: &Sender<()>) {
    for line in std::io::stdin().lock().lines() {
        if line.is_err() || entered.send(()).is_err() {
            return;
        }
    }
}
