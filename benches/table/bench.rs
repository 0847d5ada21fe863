//! What the figures share.

use std::cell::OnceCell;

use super::machine::Machine;
use super::peer::Peer;

pub const MANY: usize = 10_000;

/// How often what takes a millisecond is run, ten times as long, and a hundred times.
pub const SHORT: usize = 400;
pub const MIDDLING: usize = 40;
pub const LONG: usize = 10;

pub struct Bench {
    pub quick: bool,
    pub peers: Vec<Peer>,
    many: OnceCell<Machine>,
}

impl Bench {
    pub fn new(quick: bool) -> Self {
        Self { quick, peers: Peer::all(), many: OnceCell::new() }
    }

    /// How often something is run that is usually run so often.
    pub fn runs(&self, usual: usize) -> usize {
        if self.quick { usual.div_ceil(20) } else { usual }
    }

    /// A machine with [`MANY`] profiles takes a while to make.
    pub fn many(&self) -> &Machine {
        self.many.get_or_init(|| Machine::signed_in(MANY))
    }
}
