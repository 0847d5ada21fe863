//! `vault whoami`.

use serde_json::json;

use crate::aws::Signer;
use crate::names::ProfileName;

use super::escape::escape;
use super::failure::Failure;
use super::sign_in::{self, Purpose, SignInArgs};
use super::world::World;

/// Show who AWS says a profile's session is: account, ARN and user id; renews the session first if it must
#[derive(clap::Args)]
pub struct Args {
    /// The profile [default: see `vault login --help`]
    name: Option<ProfileName>,
    /// Print JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    sign_in: SignInArgs,
}

pub fn run(args: Args, world: &World) -> Result<(), Failure> {
    let signed_in = sign_in::sign_in(args.name, &args.sign_in, Purpose::Inside, world)?;
    let aws = signed_in.aws(world)?;
    let signer = Signer::Session(signed_in.issued.credentials());
    let identity = aws.caller_identity(&signer)?;
    // Many may not ask, and a user's session without MFA can't. The account has its number.
    let alias = aws.account_alias(&signer).ok().flatten();
    if args.json {
        return world.print_json(json!({
            "name": signed_in.about.name, "account": identity.account, "account_alias": alias, "arn": identity.arn,
            "user_id": identity.user_id,
        }));
    }
    let account = match &alias {
        Some(alias) => format!("{} ({alias})", identity.account),
        None => identity.account,
    };
    let facts = [("account", account), ("arn", identity.arn), ("user_id", identity.user_id)];
    world.print(&facts.map(|(name, value)| format!("{name} = {}\n", escape(&value))).concat())
}
