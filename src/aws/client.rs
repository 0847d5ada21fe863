//! The one place that holds SDK clients and runs their futures.

use jiff::SignedDuration;

use super::endpoint::Endpoints;
use crate::credentials::{AccessKey, SessionCredentials};
use crate::names::Region;

/// Calls AWS. Made by commands that do, since it starts a runtime; must not be used from inside another runtime.
pub struct Aws {}

/// Whose credentials sign a call.
#[derive(Clone, Copy)]
pub enum Signer<'a> {
    AccessKey(&'a AccessKey),
    Session(&'a SessionCredentials),
}

impl Aws {
    pub fn new(_region: Region, _endpoints: Endpoints) -> Self {
        unimplemented!("arrives with the next commit")
    }

    /// AWS's clock minus ours when it last replied; None before it did.
    pub fn clock_offset(&self) -> Option<SignedDuration> {
        unimplemented!("arrives with the next commit")
    }
}
