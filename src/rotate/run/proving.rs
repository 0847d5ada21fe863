//! A key is tried, round by round.

use super::{News, Rotation, Tools, Turn};
use crate::names::AccessKeyId;
use crate::rotate::plan::Depth;
use crate::rotate::proof::{Proof, Round};
use crate::rotate::stop::Stop;

impl Rotation {
    pub(super) fn begin_proof(&mut self, tools: &Tools, key: &AccessKeyId, depth: Depth) -> Result<(), Stop> {
        let key = self.held(key)?;
        self.news.push(News::Proving { key: key.id.clone() });
        self.proof = Some(Proof::new(key, depth, tools.now()));
        Ok(())
    }

    /// One round. While it waits for the next, the key that is being proven is the only one in mind.
    pub(super) fn prove(&mut self, tools: &Tools) -> Result<Turn, Stop> {
        let (Some(proof), Some(user)) = (&mut self.proof, &self.user) else { return Ok(Turn::Again) };
        match proof.round(tools.aws, &user.arn, &user.name) {
            Round::Next(pause) => return Ok(Turn::After(pause)),
            Round::Proven => self.run.proof = Some((proof.key.id.clone(), tools.now(), proof.depth())),
            Round::NotLive(error) => return Err(Stop::NotLive { key: proof.key.id.clone(), error }),
            Round::WrongUser { arn } => return Err(Stop::WrongUser { expected: user.arn.clone(), found: arn }),
        }
        self.proof = None;
        Ok(Turn::Again)
    }
}
