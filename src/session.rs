//! From a profile's name to a session: which profiles lead to an access key, which STS calls that takes, what is still
//! cached, where an MFA code comes from, and the calls themselves.

// What makes sessions takes AWS; who only looks for one has parts that nobody calls.
#![cfg_attr(not(feature = "program"), allow(dead_code))]

mod cache;
mod chain;
#[cfg(test)]
mod fixture;
#[cfg(feature = "program")]
mod issue;
mod key;
mod ladder;
mod lookup;
#[cfg(feature = "program")]
mod mfa;
mod note;
mod options;
mod plan;
mod record;
mod request;
mod role_options;
mod sources;
#[cfg(feature = "program")]
mod used_code;
mod warm;

pub use cache::{Cache, CacheError};
pub use chain::{Chain, ChainError, ForeignSignIn, RoleLink, UserLink};
#[cfg(feature = "program")]
pub use issue::{Errand, IssueError, Issued, Issuer, LazyAws, PATIENCE};
pub use key::{NameKey, SessionKey, name_key};
pub use ladder::{Device, LONGEST_CHAINED, Ladder, LadderError, ROLE_DEFAULT, Rung, USER_DEFAULT};
pub use lookup::{Lookup, LookupError};
#[cfg(feature = "program")]
pub use mfa::{CodeAsker, CodeError, CodeFrom, CodePrompt, Waiting, Why};
pub use note::{Cap, NoMfa, Note};
pub use options::Options;
pub use plan::{Freshness, Lifetime, MinTtlTooLong, Plan};
pub use record::{ConfigStamp, FileStamp, Record, SectionStamp, Stamps};
pub use request::{Asked, Request, RoleRequest, Slot};
pub use role_options::{BadOption, RoleOptions};
pub use sources::{Merged, Origin, Sourced, Sources};
pub use warm::{NeedsVault, Today, Warm};
