//! Times as AWS tells them, and what time it is by AWS's clock, asked for its own sake.

use aws_smithy_types::DateTime;
use jiff::{SignedDuration, Timestamp};

use super::client::{Aws, Signer};
use super::error::AwsError;
use crate::credentials::AccessKey;
use crate::secret::SecretAccessKey;

/// The key of AWS's own documentation, which is nobody's.
const NOBODYS_KEY: &str = "AKIAIOSFODNN7EXAMPLE";

impl Aws {
    /// AWS's clock minus ours, which any answer tells: also the refusal of a key that there is not.
    pub fn ask_the_time(&self) -> Result<SignedDuration, AwsError> {
        let secret = SecretAccessKey::new("x".repeat(40));
        let key = AccessKey { id: NOBODYS_KEY.parse().expect("it has the shape of an id"), secret };
        let answer = self.caller_identity(&Signer::AccessKey(&key));
        match (self.clock_offset(), answer) {
            (Some(offset), _) => Ok(offset),
            (None, Err(error)) => Err(error),
            (None, Ok(_)) => Err(AwsError::unreadable("GetCallerIdentity", "no date in it")),
        }
    }
}

pub(super) fn timestamp(date: DateTime) -> Result<Timestamp, String> {
    Timestamp::new(date.secs(), date.subsec_nanos().cast_signed()).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use crate::aws::stage::Stage;

    #[test]
    fn the_time_is_told_without_a_key_of_anybodys() {
        let stage = Stage::new();
        assert!(stage.aws.ask_the_time().unwrap().abs().as_secs() <= 1);
        stage.sim.set_offset(SignedDuration::from_secs(600));
        assert!((598..=601).contains(&stage.aws.ask_the_time().unwrap().as_secs()));
    }
}
