//! Whether an access key works. A fresh one is live at one of AWS's servers and not yet at the next, at STS before it is at
//! IAM, and flaps for about a minute: once is no proof.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::plan::Depth;
use crate::aws::{Aws, AwsError, Refusal, Signer};
use crate::credentials::AccessKey;

/// So many good rounds one after the other prove a fresh key.
const ROUNDS: u32 = 3;
const BETWEEN_ROUNDS: Duration = Duration::from_secs(10);
/// A key that is not live after so long is not going to be: somebody is told.
const PATIENCE: SignedDuration = SignedDuration::from_mins(5);
/// After a round that failed; the last one goes on.
const BACK_OFF: [Duration; 4] =
    [Duration::from_secs(2), Duration::from_secs(5), Duration::from_secs(10), Duration::from_secs(20)];

/// A key that is being tried.
pub struct Proof {
    pub key: AccessKey,
    depth: Depth,
    started: Timestamp,
    good: u32,
    failed: usize,
}

/// How a round ended.
pub enum Round {
    Proven,
    Next(Duration),
    /// For longer than any key takes. With what AWS said last.
    NotLive(AwsError),
    /// It is somebody else's key.
    WrongUser {
        arn: String,
    },
}

impl Proof {
    pub fn new(key: AccessKey, depth: Depth, now: Timestamp) -> Self {
        Self { key, depth, started: now, good: 0, failed: 0 }
    }

    pub fn depth(&self) -> Depth {
        self.depth
    }

    /// Asks STS and IAM once each, by the key itself.
    pub fn round(&mut self, aws: &Aws, user_arn: &str, user_name: &str) -> Round {
        match self.ask(aws, user_name) {
            Ok(arn) if arn != user_arn => Round::WrongUser { arn },
            Ok(_) => self.succeeded(),
            Err(error) => self.did_not(error, aws.now()),
        }
    }

    /// Gives the ARN of whose key it is. Being refused for want of a permission is a proof too: IAM knows the key then.
    fn ask(&self, aws: &Aws, user_name: &str) -> Result<String, AwsError> {
        let signer = Signer::AccessKey(&self.key);
        let identity = aws.caller_identity(&signer)?;
        match aws.access_keys(&signer, user_name) {
            Ok(_) | Err(AwsError::Refused { refusal: Refusal::AccessDenied, .. }) => Ok(identity.arn),
            Err(error) => Err(error),
        }
    }

    fn succeeded(&mut self) -> Round {
        self.good += 1;
        match self.depth {
            Depth::Full if self.good < ROUNDS => Round::Next(BETWEEN_ROUNDS),
            Depth::Full | Depth::Quick => Round::Proven,
        }
    }

    fn did_not(&mut self, error: AwsError, now: Timestamp) -> Round {
        if now.duration_since(self.started) >= PATIENCE {
            return Round::NotLive(error);
        }
        self.good = 0;
        let pause = BACK_OFF[self.failed.min(BACK_OFF.len() - 1)];
        self.failed += 1;
        Round::Next(pause)
    }
}
