//! IAM: when a key was made, for whoever has only the key.

use std::time::Duration;

use jiff::Timestamp;

use super::client::{Aws, Repeat, Signer};
use super::error::AwsError;
use super::iam::signed_by;
use super::time::timestamp;
use crate::credentials::AccessKey;

/// It is good to know and nothing depends on it: nobody waits for it as for an answer that is needed.
const TIMEOUT: Duration = Duration::from_secs(3);

impl Aws {
    /// By the list of the key's own user. That is not named: IAM knows it by the key that signs, and a root user has no name.
    /// None where the list lacks the key.
    pub fn creation_date(&self, key: &AccessKey) -> Result<Option<Timestamp>, AwsError> {
        let action = "ListAccessKeys";
        let listed = self.attempts(action, Repeat::Freely, async || {
            let call = self.iam().list_access_keys().customize();
            call.config_override(signed_by(&Signer::AccessKey(key), Repeat::Freely)).send().await
        });
        let listed = self.wait_at_most(TIMEOUT, action, listed)?;
        let mut keys = listed.access_key_metadata.into_iter();
        let own = keys.find(|listed| listed.access_key_id.as_deref() == Some(key.id.as_str()));
        let date = own.and_then(|own| own.create_date).map(timestamp).transpose();
        date.map_err(|why| AwsError::unreadable(action, why))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use aws_sim::{Failure, Kind};

    use super::*;
    use crate::aws::Refusal;
    use crate::aws::stage::{Stage, access_key};

    const DAY: Duration = Duration::from_secs(86_400);

    #[test]
    fn a_key_tells_its_own_age_whoever_it_belongs_to() {
        let stage = Stage::new();
        let (second, secret) = stage.sim.add_access_key(&stage.user);
        stage.sim.age_key(stage.user.access_key_id(), 400 * DAY);
        stage.sim.age_key(&second, 7 * DAY);
        let root = stage.sim.add_root("123456789012");
        stage.sim.age_key(root.access_key_id(), 3000 * DAY);
        let second = access_key(&second, &secret);
        let root = access_key(root.access_key_id(), root.secret_access_key());
        let now = stage.sim.now();
        for (key, days) in [(&stage.key, 400), (&second, 7), (&root, 3000)] {
            let created = stage.aws.creation_date(key).unwrap().unwrap();
            assert_eq!(now.duration_since(created).as_hours() / 24, days, "{}", key.id.short());
        }
        assert!(stage.sim.requests().iter().all(|request| request.parameter("UserName").is_none()));
    }

    #[test]
    fn who_may_not_ask_and_who_hears_nothing_is_told_so_soon() {
        let stage = Stage::new();
        stage.sim.deny(&stage.user, "iam:ListAccessKeys");
        let denied = stage.aws.creation_date(&stage.key);
        assert!(matches!(denied, Err(AwsError::Refused { refusal: Refusal::AccessDenied, .. })), "{denied:?}");
        stage.sim.fail(Failure::on("ListAccessKeys").kind(Kind::Delay(Duration::from_secs(60))).lasting());
        let asked = Instant::now();
        let silent = stage.aws.creation_date(&stage.key);
        assert!(matches!(silent, Err(AwsError::Network { .. })), "{silent:?}");
        assert!(asked.elapsed() < 2 * TIMEOUT);
    }
}
