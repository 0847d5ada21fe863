//! From a vault that opened to one that is believed: this machine knows it, or somebody says that it is the right one.

use crate::store::fingerprint::Fingerprint;
use crate::store::vault::{Opened, Vault};

use super::failure::{Failure, Need, Refusal};
use super::terminal::Terminal;
use super::world::World;

/// The variable that says which vault is expected, for machines without a terminal or a state folder. Public.
const VARIABLE: &str = "VAULT_FINGERPRINT";

/// The vault, if it is known, expected by its fingerprint, or accepted at the terminal.
pub fn believe<'a>(world: &World<'a>, opened: Opened<'a>) -> Result<Vault<'a>, Failure> {
    let expected = expected(world)?;
    let vault = match opened {
        Opened::Known(vault) => {
            check(expected.as_ref(), &vault.fingerprint())?;
            vault
        }
        Opened::FirstSight(unproven) => {
            let undecided = unproven.close();
            match &expected {
                Some(_) => check(expected.as_ref(), undecided.fingerprint())?,
                None => ask(world, undecided.fingerprint())?,
            }
            undecided.accept()?
        }
        Opened::Distrusted(unproven, distrust) => {
            let found = unproven.document().meta.clone();
            return Err(Failure::Distrusted(Box::new(Refusal { distrust: *distrust, found })));
        }
    };
    for warning in vault.warnings() {
        super::report::vault_warning(world, warning);
    }
    Ok(vault)
}

/// What the flag or the variable says.
fn expected(world: &World) -> Result<Option<Fingerprint>, Failure> {
    if let Some(flag) = world.unlock.expected_fingerprint() {
        return Ok(Some(flag.clone()));
    }
    let variable = world.environment.text(VARIABLE).map(str::parse);
    variable.transpose().map_err(|error| Failure::BadFingerprint { variable: VARIABLE, error })
}

fn check(expected: Option<&Fingerprint>, found: &Fingerprint) -> Result<(), Failure> {
    match expected {
        Some(expected) if expected != found => {
            Err(Failure::OtherFingerprint { expected: expected.clone(), found: found.clone() })
        }
        _ => Ok(()),
    }
}

fn ask(world: &World, fingerprint: &Fingerprint) -> Result<(), Failure> {
    let failed = |error| Failure::prompt(error, Need::FirstSight(fingerprint.clone()));
    let mut terminal = Terminal::open().map_err(failed)?;
    terminal.show(&format!("This machine has not seen the vault {} before. Its fingerprint:\n", world.vault_shown()));
    terminal.show(&format!("\n    {fingerprint}\n\n"));
    terminal.show(
        "`vault status` shows the same where the vault is known. A forged vault can open by the same passphrase.\n",
    );
    if terminal.confirm_in_full("Is this the right one? Type yes if it is: ").map_err(failed)? {
        Ok(())
    } else {
        Err(Failure::Declined)
    }
}
