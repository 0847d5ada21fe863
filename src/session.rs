//! From a profile's name to a session: which profiles lead to an access key, which STS calls that takes, what is still
//! cached, where an MFA code comes from, and the calls themselves.

pub mod cache;
pub mod chain;
pub mod issue;
pub mod mfa;
pub mod plan;
pub mod record;
pub mod request;
pub mod sources;
mod used_code;
