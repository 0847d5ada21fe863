//! `vault-quick`, the program that AWS tools start to ask for credentials: a session that is cached and good it hands out by
//! itself, all else it leaves to `vault`, which lies beside it. It is there because of what it does not contain: to start the
//! whole of `vault` takes longer than to answer.

use std::ffi::OsString;

use crate::export::process as format;
use crate::log;
use crate::paths::{Environment, Paths};
use crate::process::{self, Hardened};

use super::credential_process;
use super::report::{self, Status};
use super::sign_in::{self, Purpose};
use super::warm;
use super::world::World;

/// Its file's name.
pub const QUICK: &str = "vault-quick";

/// That of the program beside it.
pub const VAULT: &str = "vault";

/// Answers, or becomes `vault` with the same arguments: what went wrong is looked at and told there.
pub fn main(arguments: &[OsString]) -> u8 {
    process::prepare_bare_program();
    let hardened = process::harden();
    process::outlive_file_limit();
    let status = answer(arguments, hardened).map_or_else(|| become_vault(arguments, hardened), |()| Status::Done);
    status as u8
}

/// What `vault credential-process NAME` does of this, with its log and its output. None: nothing was handed out.
fn answer(arguments: &[OsString], hardened: Hardened) -> Option<()> {
    let args = credential_process::Args::of_aws_files(arguments)?;
    let environment = process::unless_started_by_us(Environment::of_this_process())?;
    let paths = Paths::from_environment(&environment).ok()?;
    let world = World::of_this_process(environment, arguments.first()?.clone(), paths, hardened);
    let issued = warm::cached(&args.name, &args.sign_in, Purpose::Process, &world).ok()??;
    let event = sign_in::event(&args.name, &issued);
    log::append(world.disk, &world.paths.state, world.clock.now(), &event).ok()?;
    world.print(&format::render(issued.credentials())).ok()
}

/// Comes back where there is no such program.
fn become_vault(arguments: &[OsString], hardened: Hardened) -> Status {
    let this = std::env::current_exe().unwrap_or_default();
    let vault = this.with_file_name(VAULT);
    let arguments = arguments.get(1..).unwrap_or_default();
    let error = process::hand_over(hardened, vault.as_os_str(), arguments, &Environment::of_this_process());
    report::nothing_beside(&vault, &error)
}
