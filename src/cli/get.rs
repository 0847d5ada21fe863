//! `vault get`.

use crate::names::ProfileName;

use super::failure::Failure;
use super::sign_in::{self, Purpose, SignInArgs, SignedIn};
use super::world::World;

/// What can be asked for: the names of the AWS credentials file, and what goes with a session.
const FIELDS: [&str; 6] =
    ["aws_access_key_id", "aws_secret_access_key", "aws_session_token", "expiration", "region", "account"];

/// Print one field of a session, without a newline; renews the session first if it must
///
/// Fields: aws_access_key_id, aws_secret_access_key, aws_session_token, expiration, region, account.
#[derive(clap::Args)]
pub struct Args {
    /// The profile
    name: ProfileName,
    /// The field
    field: String,
    #[command(flatten)]
    sign_in: SignInArgs,
}

pub fn run(args: Args, world: &World) -> Result<(), Failure> {
    // Checked first: a typing error must not cost a code.
    let Some(field) = FIELDS.into_iter().find(|field| *field == args.field) else {
        return Err(Failure::UnknownField { field: args.field, known: &FIELDS });
    };
    let SignedIn { about, issued } = sign_in::sign_in(Some(args.name), &args.sign_in, Purpose::Use, world)?;
    let credentials = issued.credentials();
    let missing = || Failure::FieldMissing { field, name: about.name.clone() };
    match field {
        "aws_access_key_id" => world.print(credentials.access_key_id.as_str()),
        "aws_secret_access_key" => world.print(credentials.secret_access_key.expose()),
        "aws_session_token" => world.print(credentials.session_token.expose()),
        "expiration" => world.print(&credentials.expiration_text()),
        "region" => world.print(about.region.as_ref().ok_or_else(missing)?.as_str()),
        _ => world.print(issued.record.account().ok_or_else(missing)?),
    }
}
