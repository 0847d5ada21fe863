//! A strict simulator of the parts of AWS STS and IAM that `vault` talks to.
//!
//! It speaks the query protocol over loopback HTTP, recomputes every signature, and refuses what AWS refuses, in AWS's
//! words. Its clock is moved by the test; it fails where the test ordered it to; it logs what it was asked.
//!
//! ```
//! let sim = aws_sim::Simulator::start();
//! let alice = sim.add_user("123456789012", "alice");
//! let phone = sim.add_mfa_device(&alice, "phone");
//! println!("{} {} {}", sim.endpoint(), alice.access_key_id(), phone.code());
//! assert_eq!(sim.count("GetSessionToken"), 0);
//! ```
//!
//! Stricter than AWS in two things, so that a program under test can't send junk unnoticed: a parameter that the call
//! doesn't know is an error, and a code that was right is spent even where the call then fails. Looser in one: a request
//! to IAM may be signed for any region, since an SDK with an endpoint of its own signs for the region it was given.

mod access_keys;
mod address;
mod assume_role;
mod authentication;
mod caller;
mod clock;
mod cloud;
mod connection;
mod constraints;
mod device;
mod error;
mod failure;
mod federation;
mod http;
mod iam;
mod key;
mod mfa_device;
mod mfa_devices;
mod parameters;
mod policy;
mod random;
mod request_log;
mod role;
mod roles;
mod service;
mod session;
mod signature;
mod signin;
mod simulator;
mod snapshot;
mod sts;
mod totp;
mod user;
mod xml;

pub use failure::{Failure, Kind};
pub use key::Status;
pub use mfa_device::MfaDevice;
pub use request_log::{Outcome, Request};
pub use role::{Role, Trust};
pub use session::Kind as SessionKind;
pub use signin::Visit;
pub use simulator::{KeyFacts, SessionFacts, Simulator};
pub use snapshot::{Onlooker, Snapshot};
pub use user::User;
