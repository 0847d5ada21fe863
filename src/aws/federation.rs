//! STS: a named session of a user for the console, which takes no session of GetSessionToken.
//! https://docs.aws.amazon.com/STS/latest/APIReference/API_GetFederationToken.html

use super::client::{Aws, Repeat, Signer};
use super::error::AwsError;
use super::sts::{credentials, signed_by};
use crate::credentials::{AccessKey, SessionCredentials};

/// A federated user may do what both the user's policies and this one allow, and nothing at all where the call names none.
const ALL_THE_USER_MAY: &str =
    r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}"#;

const LONGEST_NAME: usize = 32;

impl Aws {
    /// Takes no MFA code: what is done with it counts as done without MFA.
    pub fn federation_token(&self, key: &AccessKey, user: &str, seconds: u32) -> Result<SessionCredentials, AwsError> {
        let action = "GetFederationToken";
        let signer = Signer::AccessKey(key);
        let answer = self.call(action, Repeat::Freely, async || {
            self.sts()
                .get_federation_token()
                .name(federated_name(user))
                .policy(ALL_THE_USER_MAY)
                .duration_seconds(seconds.cast_signed())
                .customize()
                .config_override(signed_by(&signer, Repeat::Freely))
                .send()
                .await
        })?;
        credentials(action, answer.credentials)
    }
}

/// 2 to 32 of `[\w+=,.@-]`; users' names are of the same alphabet, and longer.
fn federated_name(user: &str) -> String {
    let fits = |c: char| c.is_ascii_alphanumeric() || "_+=,.@-".contains(c);
    let user: String = user.chars().map(|c| if fits(c) { c } else { '-' }).collect();
    format!("vault-{user}").chars().take(LONGEST_NAME).collect()
}

#[cfg(test)]
mod tests {
    use aws_sim::SessionKind;

    use super::*;
    use crate::aws::stage::Stage;

    #[test]
    fn a_federated_user_is_named_after_the_user_and_may_do_all_that_they_may() {
        let stage = Stage::new();
        let session = stage.aws.federation_token(&stage.key, "alice", 900).unwrap_or_else(|error| panic!("{error}"));
        let facts = stage.sim.session(session.access_key_id.as_str()).unwrap();
        assert_eq!((facts.kind, facts.narrowed), (SessionKind::Federation, true));
        assert!(facts.arn.ends_with(":federated-user/vault-alice"), "{}", facts.arn);
        assert_eq!(stage.sim.requests()[0].parameter("Policy"), Some(ALL_THE_USER_MAY));
    }

    #[test]
    fn a_federated_name_fits_sts_for_any_user() {
        assert_eq!(federated_name("a"), "vault-a");
        assert_eq!(federated_name("j/ö"), "vault-j--");
        assert_eq!(federated_name(&"x".repeat(64)), format!("vault-{}", "x".repeat(26)));
    }
}
