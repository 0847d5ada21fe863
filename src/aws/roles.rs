//! IAM: how long sessions of a role may be.

use std::time::Duration;

use super::client::{Aws, Repeat, Signer};
use super::error::AwsError;
use super::iam::signed_by;

/// What is kept of a role when its maximum changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoleLimits {
    pub description: Option<String>,
    pub max_session: Duration,
}

impl Aws {
    /// Of a role in the signer's own account, by its name without a path.
    pub fn role_limits(&self, signer: &Signer, role_name: &str) -> Result<RoleLimits, AwsError> {
        let action = "GetRole";
        let answer = self.call(action, Repeat::Freely, async || {
            let call = self.iam().get_role().role_name(role_name).customize();
            call.config_override(signed_by(signer, Repeat::Freely)).send().await
        })?;
        let role = answer.role.ok_or_else(|| AwsError::unreadable(action, "no role in it"))?;
        let seconds = role.max_session_duration.and_then(|seconds| u64::try_from(seconds).ok());
        let seconds = seconds.ok_or_else(|| AwsError::unreadable(action, "no maximum session duration in it"))?;
        Ok(RoleLimits { description: role.description, max_session: Duration::from_secs(seconds) })
    }

    /// Says everything that UpdateRole knows: a maximum left out becomes an hour, and what becomes of a description left out
    /// the reference does not say (IAM API reference, UpdateRole).
    pub fn set_role_limits(&self, signer: &Signer, role_name: &str, limits: &RoleLimits) -> Result<(), AwsError> {
        let seconds = i32::try_from(limits.max_session.as_secs()).unwrap_or(i32::MAX);
        self.call("UpdateRole", Repeat::Freely, async || {
            let call = self.iam().update_role().role_name(role_name).max_session_duration(seconds);
            let call = call.set_description(limits.description.clone());
            call.customize().config_override(signed_by(signer, Repeat::Freely)).send().await
        })?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use aws_sim::{Role, Trust};

    use super::*;
    use crate::aws::stage::Stage;

    #[test]
    fn a_roles_maximum_is_read_and_set_and_its_description_stays() {
        let stage = Stage::new();
        let role = Role::new("123456789012", "admin", Trust::of("123456789012")).description("for ops & others");
        stage.sim.add_role(role);
        let signer = Signer::AccessKey(&stage.key);
        let before = stage.aws.role_limits(&signer, "admin").unwrap();
        let described = Some("for ops & others".to_owned());
        assert_eq!(before, RoleLimits { description: described, max_session: Duration::from_secs(3600) });
        let wanted = RoleLimits { max_session: Duration::from_secs(14_400), ..before };
        assert_eq!(stage.aws.set_role_limits(&signer, "admin", &wanted), Ok(()));
        assert_eq!(stage.aws.role_limits(&signer, "admin"), Ok(wanted));
    }
}
