//! The container-credentials endpoint: one profile's session, handed out on this machine to whoever shows the token. AWS's SDKs
//! ask such an endpoint by themselves where two variables name it (AWS SDKs and Tools Reference Guide, "Container credential
//! provider").

pub mod guard; // who is answered
pub mod token; // what a client shows

#[cfg(feature = "program")]
mod desk; // what is answered, and when
#[cfg(feature = "program")]
mod endpoint; // the port
#[cfg(feature = "program")]
pub mod holding; // that a session is held, for `lock` to see
#[cfg(feature = "program")]
mod lease; // a session, and when another is due
#[cfg(feature = "program")]
mod tries; // how hard another is tried for

#[cfg(feature = "program")]
pub use self::{
    desk::{News, Reason},
    endpoint::{Endpoint, Line},
    lease::Lease,
    tries::{Tries, Try},
};
