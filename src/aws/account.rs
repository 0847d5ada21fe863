//! IAM: how an account is called.

use super::client::{Aws, Repeat, Signer};
use super::error::AwsError;
use super::iam::signed_by;

impl Aws {
    /// The name that people gave the account; it has one at most.
    pub fn account_alias(&self, signer: &Signer) -> Result<Option<String>, AwsError> {
        let answer = self.call("ListAccountAliases", Repeat::Freely, async || {
            let call = self.iam().list_account_aliases().customize();
            call.config_override(signed_by(signer, Repeat::Freely)).send().await
        })?;
        Ok(answer.account_aliases.into_iter().next())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::stage::Stage;

    #[test]
    fn an_account_has_a_name_or_none() {
        let stage = Stage::new();
        let signer = Signer::AccessKey(&stage.key);
        assert_eq!(stage.aws.account_alias(&signer), Ok(None));
        stage.sim.set_account_alias("123456789012", "acme");
        assert_eq!(stage.aws.account_alias(&signer), Ok(Some("acme".into())));
    }
}
