//! From a profile's name to a session: which profiles lead to an access key, which STS calls that takes, what is still
//! cached, where an MFA code comes from, and the calls themselves.

mod cache;
mod chain;
#[cfg(test)]
mod fixture;
mod issue;
mod key;
mod ladder;
mod mfa;
mod note;
mod options;
mod plan;
mod record;
mod request;
mod role_options;
mod sources;
mod used_code;
mod warm;

pub use cache::{Cache, CacheError};
pub use chain::{Chain, ChainError, ForeignSignIn, RoleLink, UserLink};
pub use issue::{Errand, IssueError, Issued, Issuer, LazyAws, PATIENCE};
pub use key::{NameKey, SessionKey, name_key};
pub use ladder::{Device, LONGEST_CHAINED, Ladder, LadderError, ROLE_DEFAULT, Rung, USER_DEFAULT};
pub use mfa::{CodeAsker, CodeError, CodeFrom, CodePrompt, Why};
pub use note::{Cap, NoMfa, Note};
pub use options::Options;
pub use plan::{Freshness, Lifetime, MinTtlTooLong, Plan};
pub use record::{ConfigStamp, FileStamp, Record, SectionStamp, Stamps};
pub use request::{Asked, Request, RoleRequest, Slot};
pub use role_options::{BadOption, RoleOptions};
pub use sources::{Merged, Origin, Sourced, Sources};
pub use warm::{NeedsVault, Today, Warm};
