//! What stands in the way of a session that is longer than its role allows: AWS's refusal says that it is, and not by how much.

use std::time::Duration;

use crate::aws::{Aws, AwsError, Refusal, Signer};
use crate::credentials::AccessKey;
use crate::names::{ProfileName, RoleArn, arn_account};
use crate::session::{IssueError, Ladder};

use super::failure::Failure;

/// Longer sessions were asked for than the role has.
pub struct RoleMaximum {
    pub profile: ProfileName,
    /// Whose key the session is made with.
    pub user: ProfileName,
    pub role: RoleArn,
    pub asked: Duration,
    /// Whether a flag asked for it; else a setting did.
    pub is_flag: bool,
    /// Where AWS told it.
    pub maximum: Option<Duration>,
}

impl RoleMaximum {
    /// The failure by its name, and with the role's maximum where the user may ask for it; None where another thing failed.
    pub fn named(error: &IssueError, ladder: &Ladder, key: &AccessKey, aws: &Aws) -> Option<Failure> {
        let IssueError::Call { profile, role: Some(role), error: AwsError::Refused { refusal, .. } } = error else {
            return None;
        };
        // By its role: one that no profile has goes by the name of the profile that assumes it.
        let rung = ladder.rungs.iter().rfind(|rung| rung.role.as_ref().is_some_and(|it| it.role_arn == *role))?;
        (*refusal == Refusal::MaxSessionDuration).then(|| {
            Failure::RoleMaximum(Box::new(Self {
                profile: profile.clone(),
                user: ladder.user.clone(),
                role: role.clone(),
                asked: rung.duration,
                is_flag: ladder.duration_asked,
                maximum: maximum(role, ladder, key, aws),
            }))
        })
    }
}

/// IAM tells of roles in the key's own account alone, and of those not everybody.
fn maximum(role: &RoleArn, ladder: &Ladder, key: &AccessKey, aws: &Aws) -> Option<Duration> {
    let account = ladder.user_arn.as_deref().and_then(arn_account)?;
    let ask = || aws.role_limits(&Signer::AccessKey(key), role.role_name()).ok();
    (account == role.account()).then(ask).flatten().map(|limits| limits.max_session)
}
