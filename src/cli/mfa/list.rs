//! `vault mfa list`.

use serde_json::json;

use crate::aws::MfaDevice;
use crate::cli::escape::escape;
use crate::cli::failure::Failure;
use crate::cli::sign_in::{ChangeArgs, SignInArgs};
use crate::cli::table;
use crate::cli::world::World;
use crate::names::ProfileName;

use super::devices::{self, kind};
use super::subject::Subject;

/// List the MFA devices of a profile's user
#[derive(clap::Args)]
pub struct Args {
    /// The profile [default: see `vault login --help`]
    name: Option<ProfileName>,
    /// Print JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    signing: ChangeArgs,
}

pub fn run(args: Args, world: &World) -> Result<(), Failure> {
    let signing = SignInArgs::from(args.signing);
    let subject = Subject::open(args.name, &signing, world)?;
    let devices = devices::listed(&subject, &signing, world)?;
    if args.json {
        let shown = devices.iter().map(|device| {
            let used_by = subject.used_by(&device.serial);
            json!({
                "serial": device.serial,
                "kind": kind(device).name(),
                "enabled": device.enabled,
                "used_by_profile": used_by.contains(&&subject.profile),
                "used_by": used_by,
            })
        });
        let shown: Vec<_> = shown.collect();
        return world.print_json(json!({ "profile": subject.profile, "user": subject.user, "devices": shown }));
    }
    if devices.is_empty() {
        world.say(&format!("`{}` has no MFA device", escape(&subject.user)));
        world.hint(&format!("`vault mfa enable {}` makes one", subject.profile));
        return Ok(());
    }
    let row = |device: &MfaDevice| {
        let since = device.enabled.map_or_else(|| "-".to_owned(), |time| time.to_string());
        let used_by: Vec<&str> = subject.used_by(&device.serial).into_iter().map(ProfileName::as_str).collect();
        let used_by = if used_by.is_empty() { "-".to_owned() } else { used_by.join(", ") };
        [device.serial.clone(), kind(device).name().to_owned(), since, used_by]
    };
    world.print(&table::render(&["DEVICE", "KIND", "SINCE", "USED BY"], devices.iter().map(row)))
}
