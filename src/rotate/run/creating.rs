//! The one call that can't be repeated, and what becomes of its answer.

use super::{News, Rotation, Tools, User};
use crate::aws::{AwsError, NewKey, Refusal};
use crate::names::AccessKeyId;
use crate::rotate::ledger::LedgerError;
use crate::rotate::plan::{OwnIntent, Save};
use crate::rotate::stop::Stop;
use crate::store::document::StoredAccessKey;

/// A call whose answer was lost so often is not sent again: the next run looks what came of it.
const MOST_LOST: u32 = 2;

impl Rotation {
    /// Sent once. Whatever becomes of the reply, the next list tells whether a key was made.
    pub(super) fn create(&mut self, tools: &Tools, user: &User) -> Result<(), Stop> {
        match self.signed(|signer| tools.aws.create_access_key(signer, &user.name)) {
            // AWS never gives an id out twice: what answered so may have sent anything else in the place of the secret.
            Ok(made) if self.is_known(&made.key.id)? => self.reply_lost(not_a_new_key()),
            Ok(made) => self.keep(tools, user, made),
            Err(Stop::Aws(error)) if may_have_made_one(&error) => self.reply_lost(error),
            Err(stop) if stop.passes() => Err(stop),
            Err(stop) => {
                self.save(tools, &Save::Finish)?;
                Err(stop)
            }
        }
    }

    fn is_known(&self, id: &AccessKeyId) -> Result<bool, Stop> {
        let entry = self.entry()?;
        let held = [Some(&entry.current), entry.other.as_ref()].into_iter().flatten();
        let listed = self.keys.iter().map(|key| &key.id);
        Ok(held.map(|key| &key.id).chain(listed).chain(&entry.elsewhere).any(|known| known == id))
    }

    fn reply_lost(&mut self, error: AwsError) -> Result<(), Stop> {
        self.run.intent = OwnIntent::Sent;
        self.lost += 1;
        if self.lost >= MOST_LOST {
            return Err(Stop::Aws(error));
        }
        self.news.push(News::ReplyLost);
        Ok(())
    }

    fn keep(&mut self, tools: &Tools, user: &User, made: NewKey) -> Result<(), Stop> {
        let id = made.key.id.clone();
        self.found = Some(to_store(tools, user, made));
        match self.save(tools, &Save::Adopt(id.clone())) {
            Err(Stop::Ledger(LedgerError::NotDurable(error))) => Err(LedgerError::NotDurable(error).into()),
            Err(Stop::Ledger(error)) => Err(self.take_back(tools, user, id, error)),
            saved => saved,
        }
    }

    /// Its secret is nowhere but here, and will be nowhere: it goes again, by its id.
    fn take_back(&self, tools: &Tools, user: &User, id: AccessKeyId, error: LedgerError) -> Stop {
        let deleted = self.signed(|signer| tools.aws.delete_access_key(signer, &user.name, &id));
        let left = deleted.err().filter(|stop| !stop.is(&Refusal::NoSuchEntity)).map(|_| id);
        Stop::NewKeyNotSaved { error, left }
    }
}

fn not_a_new_key() -> AwsError {
    AwsError::Unreadable { action: "CreateAccessKey", detail: "the key in it is not a new one".to_owned() }
}

fn to_store(tools: &Tools, user: &User, made: NewKey) -> StoredAccessKey {
    StoredAccessKey {
        id: made.key.id,
        secret: made.key.secret,
        user_arn: Some(user.arn.clone()),
        added: made.created,
        created: Some(made.created),
        verified: None,
        endpoint: tools.aws.session_endpoint().map(ToString::to_string),
        rest: toml::Table::new(),
    }
}

/// Whether AWS may have made a key though it was not told so: also behind an error of its own.
fn may_have_made_one(error: &AwsError) -> bool {
    match error {
        AwsError::Network { failure, .. } => failure.may_have_been_sent(),
        AwsError::Unreadable { .. } => true,
        AwsError::Refused { refusal, .. } => *refusal == Refusal::Unavailable,
    }
}
