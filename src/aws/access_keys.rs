//! IAM: a user's access keys. Every call names the user, as AWS asks of who signs with a session.
//! https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListAccessKeys.html

use aws_sdk_iam::types::{AccessKeyMetadata, StatusType};
use jiff::Timestamp;

use super::client::{Aws, Repeat, Signer};
use super::error::AwsError;
use super::iam::{MOST_PAGES, signed_by};
use super::time::timestamp;
use crate::credentials::AccessKey;
use crate::names::AccessKeyId;
use crate::secret::SecretAccessKey;

/// An access key as IAM lists it: without its secret, which IAM tells only once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedKey {
    pub id: AccessKeyId,
    pub status: KeyStatus,
    pub created: Timestamp,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyStatus {
    Active,
    /// Also whatever else IAM may come to say: only an active key is known to work.
    Inactive,
}

/// AWS's word on the last use; it comes late by up to some hours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LastUse {
    pub at: Timestamp,
    pub service: String,
    pub region: String,
}

/// What is known of a key's last use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeyUse {
    /// Its user may not ask.
    Unknown,
    Never,
    Last(LastUse),
}

/// An access key that IAM just made: the one time that it tells the secret.
pub struct NewKey {
    pub key: AccessKey,
    pub created: Timestamp,
}

impl Aws {
    /// Never repeated where it may have been sent: nothing tells AWS that the second call is the first, and each makes a key.
    pub fn create_access_key(&self, signer: &Signer, user_name: &str) -> Result<NewKey, AwsError> {
        let action = "CreateAccessKey";
        let made = self.call(action, Repeat::OnlyUnsent, async || {
            let call = self.iam().create_access_key().user_name(user_name).customize();
            call.config_override(signed_by(signer, Repeat::OnlyUnsent)).send().await
        })?;
        // Without a word of what came: it holds a secret.
        let unreadable = || AwsError::unreadable(action, "it has no key");
        let key = made.access_key.ok_or_else(unreadable)?;
        let id = key.access_key_id.parse().map_err(|_| unreadable())?;
        // A date that is missing is no reason to throw the secret away.
        let created = key.create_date.and_then(|date| timestamp(date).ok()).unwrap_or_else(|| self.now());
        Ok(NewKey { key: AccessKey { id, secret: SecretAccessKey::new(key.secret_access_key) }, created })
    }

    /// In AWS's order.
    pub fn access_keys(&self, signer: &Signer, user_name: &str) -> Result<Vec<ListedKey>, AwsError> {
        let action = "ListAccessKeys";
        let mut keys = Vec::new();
        let mut marker = None;
        for _ in 0..MOST_PAGES {
            let page = self.call(action, Repeat::Freely, async || {
                self.iam()
                    .list_access_keys()
                    .user_name(user_name)
                    .set_marker(marker.clone())
                    .customize()
                    .config_override(signed_by(signer, Repeat::Freely))
                    .send()
                    .await
            })?;
            for key in page.access_key_metadata {
                keys.push(listed(key).map_err(|why| AwsError::unreadable(action, why))?);
            }
            match page.marker {
                Some(next) if page.is_truncated => marker = Some(next),
                _ => return Ok(keys),
            }
        }
        Err(AwsError::unreadable(action, "the list has no end"))
    }

    /// Setting what is set already changes nothing, so a lost reply costs nothing.
    pub fn set_access_key_status(
        &self,
        signer: &Signer,
        user_name: &str,
        id: &AccessKeyId,
        status: KeyStatus,
    ) -> Result<(), AwsError> {
        let status = match status {
            KeyStatus::Active => StatusType::Active,
            KeyStatus::Inactive => StatusType::Inactive,
        };
        self.call("UpdateAccessKey", Repeat::Freely, async || {
            let call = self.iam().update_access_key().user_name(user_name).access_key_id(id.as_str());
            call.status(status.clone()).customize().config_override(signed_by(signer, Repeat::Freely)).send().await
        })?;
        Ok(())
    }

    /// Sent again where no answer came: a key that the lost call deleted is then refused as NoSuchEntity.
    pub fn delete_access_key(&self, signer: &Signer, user_name: &str, id: &AccessKeyId) -> Result<(), AwsError> {
        self.call("DeleteAccessKey", Repeat::Freely, async || {
            let call = self.iam().delete_access_key().user_name(user_name).access_key_id(id.as_str());
            call.customize().config_override(signed_by(signer, Repeat::Freely)).send().await
        })?;
        Ok(())
    }

    /// None: not since AWS keeps track (April 2015), or not known yet.
    pub fn access_key_last_use(&self, signer: &Signer, id: &AccessKeyId) -> Result<Option<LastUse>, AwsError> {
        let action = "GetAccessKeyLastUsed";
        let answer = self.call(action, Repeat::Freely, async || {
            let call = self.iam().get_access_key_last_used().access_key_id(id.as_str());
            call.customize().config_override(signed_by(signer, Repeat::Freely)).send().await
        })?;
        let Some(used) = answer.access_key_last_used else { return Ok(None) };
        let at = used.last_used_date.map(timestamp).transpose();
        let at = at.map_err(|why| AwsError::unreadable(action, why))?;
        Ok(at.map(|at| LastUse { at, service: used.service_name, region: used.region }))
    }
}

fn listed(key: AccessKeyMetadata) -> Result<ListedKey, String> {
    let id = key.access_key_id.ok_or("a key without an id")?;
    let created = key.create_date.ok_or("a key without a date")?;
    let status = if key.status == Some(StatusType::Active) { KeyStatus::Active } else { KeyStatus::Inactive };
    let id = id.parse().map_err(|error: crate::names::NameError| error.to_string())?;
    Ok(ListedKey { id, status, created: timestamp(created)? })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use aws_sim::{Failure, Kind, Status};

    use super::*;
    use crate::aws::Refusal;
    use crate::aws::stage::Stage;

    fn refusal<T>(answer: Result<T, AwsError>) -> Option<Refusal> {
        match answer.err()? {
            AwsError::Refused { refusal, .. } => Some(refusal),
            _ => None,
        }
    }

    #[test]
    fn a_list_without_an_end_is_not_followed_for_ever() {
        let stage = Stage::new();
        let more = "<IsTruncated>true</IsTruncated><Marker>0</Marker>".to_owned();
        let endless = Kind::Altered("<IsTruncated>false</IsTruncated>".into(), more);
        stage.sim.fail(Failure::on("ListAccessKeys").kind(endless).lasting());
        let listed = stage.aws.access_keys(&Signer::AccessKey(&stage.key), "alice");
        assert!(matches!(listed, Err(AwsError::Unreadable { detail, .. }) if detail == "the list has no end"));
        assert_eq!(stage.sim.requests().len(), MOST_PAGES);
    }

    #[test]
    fn the_keys_of_a_user_are_listed_with_status_and_age_by_a_session_with_mfa() {
        let stage = Stage::new();
        let (second, _) = stage.sim.add_access_key(&stage.user);
        stage.sim.set_key_status(&second, Status::Inactive);
        stage.sim.age_key(stage.user.access_key_id(), Duration::from_secs(86_400));
        let session = stage.mfa_session();
        let keys = stage.aws.access_keys(&Signer::Session(&session), "alice").unwrap();
        let now = stage.sim.now();
        let told: Vec<_> = keys.iter().map(|key| (key.id.as_str(), key.status)).collect();
        assert_eq!(told, [(stage.user.access_key_id(), KeyStatus::Active), (&*second, KeyStatus::Inactive)]);
        let ages: Vec<_> = keys.iter().map(|key| now.duration_since(key.created).as_hours()).collect();
        assert_eq!(ages, [24, 0]);
        assert_eq!(stage.sim.requests().last().unwrap().parameter("UserName"), Some("alice"));
    }

    #[test]
    fn a_key_is_switched_off_and_on_and_deleted_for_a_named_user() {
        let stage = Stage::new();
        let (second, _) = stage.sim.add_access_key(&stage.user);
        let id: AccessKeyId = second.parse().unwrap();
        let signer = Signer::AccessKey(&stage.key);
        for (ours, aws) in [(KeyStatus::Inactive, Status::Inactive), (KeyStatus::Active, Status::Active)] {
            assert_eq!(stage.aws.set_access_key_status(&signer, "alice", &id, ours), Ok(()));
            assert_eq!(stage.sim.access_keys(&stage.user)[1].status, aws);
        }
        assert_eq!(stage.aws.delete_access_key(&signer, "alice", &id), Ok(()));
        assert_eq!(stage.sim.access_keys(&stage.user).len(), 1);
        assert!(stage.sim.requests().iter().all(|request| request.parameter("UserName") == Some("alice")));
        let gone = stage.aws.delete_access_key(&signer, "alice", &id);
        assert_eq!(refusal(gone), Some(Refusal::NoSuchEntity));
    }

    #[test]
    fn a_new_key_comes_with_its_secret_and_works() {
        let stage = Stage::new();
        let session = stage.mfa_session();
        let made = stage.aws.create_access_key(&Signer::Session(&session), "alice").ok().unwrap();
        assert_eq!(stage.sim.secret_of(made.key.id.as_str()).as_deref(), Some(made.key.secret.expose()));
        assert!(stage.sim.now().duration_since(made.created).as_secs() <= 2);
        assert!(stage.aws.caller_identity(&Signer::AccessKey(&made.key)).is_ok());
        let third = stage.aws.create_access_key(&Signer::Session(&session), "alice");
        assert_eq!(refusal(third), Some(Refusal::LimitExceeded));
    }

    #[test]
    fn a_call_that_may_have_made_a_key_is_never_sent_again() {
        let unavailable = Kind::Status { http: 503, code: "ServiceUnavailable".into(), message: "later".into() };
        for kind in [Kind::AfterApplied, Kind::BeforeSend, Kind::CutReply(40), Kind::Throttle, unavailable] {
            let stage = Stage::new();
            let session = stage.mfa_session();
            stage.sim.fail(Failure::on("CreateAccessKey").kind(kind.clone()));
            let made = stage.aws.create_access_key(&Signer::Session(&session), "alice");
            assert_eq!((made.is_err(), stage.sim.count("CreateAccessKey")), (true, 1), "{kind:?}");
        }
    }

    #[test]
    fn a_lost_reply_to_a_change_is_asked_for_again() {
        for kind in [Kind::BeforeSend, Kind::AfterApplied] {
            let stage = Stage::new();
            let (second, _) = stage.sim.add_access_key(&stage.user);
            let id: AccessKeyId = second.parse().unwrap();
            let signer = Signer::AccessKey(&stage.key);
            stage.sim.fail(Failure::on("UpdateAccessKey").kind(kind.clone()));
            let off = stage.aws.set_access_key_status(&signer, "alice", &id, KeyStatus::Inactive);
            assert_eq!((off, stage.sim.count("UpdateAccessKey")), (Ok(()), 2), "{kind:?}");
            stage.sim.fail(Failure::on("DeleteAccessKey").kind(kind.clone()));
            let deleted = stage.aws.delete_access_key(&signer, "alice", &id);
            let expected = if kind == Kind::AfterApplied { Some(Refusal::NoSuchEntity) } else { None };
            assert_eq!((refusal(deleted), stage.sim.access_keys(&stage.user).len()), (expected, 1), "{kind:?}");
        }
    }

    #[test]
    fn the_last_use_is_told_with_service_and_region_and_no_use_is_none() {
        let stage = Stage::new();
        let (second, _) = stage.sim.add_access_key(&stage.user);
        let signer = Signer::AccessKey(&stage.key);
        assert!(stage.aws.caller_identity(&signer).is_ok());
        let now = stage.sim.now();
        stage.sim.last_used_lag(Duration::ZERO);
        assert_eq!(stage.aws.access_key_last_use(&signer, &second.parse().unwrap()), Ok(None));
        let used = stage.aws.access_key_last_use(&signer, &stage.key.id).unwrap().unwrap();
        assert_eq!((&*used.service, &*used.region), ("iam", "eu-central-1"));
        assert!(used.at.duration_since(now).as_secs().abs() <= 2);
        stage.sim.deny(&stage.user, "iam:GetAccessKeyLastUsed");
        assert_eq!(refusal(stage.aws.access_key_last_use(&signer, &stage.key.id)), Some(Refusal::AccessDenied));
    }
}
