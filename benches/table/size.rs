//! How large the program is.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use super::amount::Amount;
use super::bench::Bench;
use super::figure::{Figure, Other, Told};
use super::machine::PROGRAM;
use super::packaged;
use super::peer::{Kind, Peer};

pub fn measure(bench: &Bench) -> Vec<Figure> {
    let [vault, quick] = [Path::new(PROGRAM), &packaged::quick()]
        .map(|program| stripped(program).expect("cargo built it, and there is strip where there is a linker"));
    vec![
        Figure::new("size of `vault`, stripped", vault)
            .at_most(Amount::size(10_000_000))
            .beside(bench.peers.iter().filter_map(theirs)),
        Figure::new("size of `vault-quick`, stripped", quick),
    ]
}

/// Of those that are one program: the others are an interpreter's.
fn theirs(peer: &Peer) -> Option<Other> {
    let program = peer.program.as_ref().filter(|_| matches!(peer.kind, Kind::AwsMfaSession | Kind::AwsVault))?;
    Some(Other { name: peer.kind.name(), told: Told::Measured(stripped(program)?) })
}

fn stripped(program: &Path) -> Option<Amount> {
    let folder = tempfile::tempdir().ok()?;
    let copy = folder.path().join("program");
    let status = Command::new("strip").arg("-o").arg(&copy).arg(program).stdin(Stdio::null()).status().ok()?;
    let size = fs::metadata(copy).ok()?.len();
    status.success().then(|| Amount::size(size))
}
