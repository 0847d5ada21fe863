//! Variables that change what AWS tools do, or what this program does.

use crate::cli::failure::Failure;
use crate::cli::report::Report;
use crate::cli::secret_file;
use crate::cli::world::World;
use crate::names::{Endpoint, Endpoints};
use crate::store::fingerprint::Fingerprint;

use super::finding::Finding;

const ABOUT: &str = "environment";

const KEYS: [&str; 3] = ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"];

/// Where things are, or how this program goes about them.
const OURS: [&str; 8] = [
    "VAULT_FILE",
    "VAULT_IDENTITY",
    "VAULT_PASSPHRASE_FILE",
    "VAULT_FINGERPRINT",
    "VAULT_NO_AGENT",
    "AWS_CONFIG_FILE",
    "AWS_SHARED_CREDENTIALS_FILE",
    "AWS_CA_BUNDLE",
];

const ENDPOINTS: [&str; 3] = ["AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_STS", "AWS_ENDPOINT_URL_IAM"];

pub fn look(world: &World) -> Vec<Finding> {
    let set = |names: &[&'static str]| -> Vec<&'static str> {
        names.iter().copied().filter(|name| world.environment.get(name).is_some()).collect()
    };
    let keys = match set(&KEYS)[..] {
        [] => Finding::good(ABOUT, "no credentials in variables"),
        ["AWS_SESSION_TOKEN"] => Finding::note(ABOUT, "AWS_SESSION_TOKEN set alone, which AWS tools pass over"),
        ref found if by_us(world) => Finding::note(
            ABOUT,
            format!("{} of a session that `vault exec` or `vault env` gave this shell", found.join(", ")),
        ),
        ref found => Finding::problem(ABOUT, format!("{} set: AWS tools use that before a profile", found.join(", ")))
            .next(format!("`unset {}`", KEYS.join(" "))),
    };
    let value = |name: &str| world.environment.get(name).unwrap_or_default().to_string_lossy();
    let ours = set(&OURS).into_iter().map(|name| our_variable(name, &value(name), world));
    let ignored = Endpoints::are_ignored(&world.environment);
    let endpoints = set(&ENDPOINTS).into_iter().map(|name| endpoint(name, &value(name), ignored));
    [keys].into_iter().chain(ours).chain(endpoints).collect()
}

/// What is not of the kind that belongs there may be a secret.
fn our_variable(name: &'static str, value: &str, world: &World) -> Finding {
    let failed = match name {
        "VAULT_IDENTITY" | "VAULT_PASSPHRASE_FILE" => secret_file::in_variable(world, name).err(),
        "VAULT_FINGERPRINT" => {
            value.parse::<Fingerprint>().err().map(|error| Failure::BadFingerprint { variable: name, error })
        }
        _ => None,
    };
    match failed {
        None => Finding::note(ABOUT, format!("{name}={value}")),
        Some(failure) => {
            let Report { message, hint, .. } = Report::of(&failure);
            let next = hint.map_or_else(|| format!("`unset {name}`"), |hint| format!("`unset {name}`, or {hint}"));
            Finding::problem(ABOUT, message).next(next).at(name)
        }
    }
}

/// What is no endpoint may be, or hold, a password.
fn endpoint(name: &str, value: &str, ignored: bool) -> Finding {
    match value.parse::<Endpoint>() {
        _ if ignored => {
            Finding::note(ABOUT, format!("{name}, which AWS_IGNORE_CONFIGURED_ENDPOINT_URLS has passed over"))
        }
        Ok(endpoint) => Finding::note(ABOUT, format!("{name}={endpoint}")),
        Err(error) => Finding::problem(ABOUT, format!("{name}: {error}")).next(format!("`unset {name}`")),
    }
}

/// AWS_VAULT goes with each session that we hand out.
fn by_us(world: &World) -> bool {
    world.environment.get("AWS_VAULT").is_some()
}
