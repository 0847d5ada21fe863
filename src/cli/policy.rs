//! `vault policy`.

use serde_json::json;

use crate::aws_files::config::ConfigFile;
use crate::names::{ProfileName, arn_account, arn_partition};
use crate::policy::{AccountId, AddressRange, Filling, IamName, Placeholder, Role, TEMPLATES, Template};

use super::failure::Failure;
use super::opening;
use super::report::point_in_time;
use super::resolved;
use super::since::Since;
use super::table;
use super::world::World;

/// IAM policies ready to attach: for MFA, for rotating keys, for roles, for what vault itself needs
///
/// They are printed and nothing is done with them: attach them in the console, or by `aws iam put-user-policy`.
#[derive(clap::Args)]
pub struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(clap::Subcommand)]
enum Action {
    /// List the templates
    List {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Print one, filled with what is said
    ///
    /// With --profile, account and user are those of the profile, and the roles those that it signs in to. What is not said
    /// stays in capitals, such as ACCOUNT_ID, and is named on standard error.
    Show(ShowArgs),
}

#[derive(clap::Args)]
struct ShowArgs {
    /// Its name, as `vault policy list` shows it
    template: String,
    /// Take account, user and roles from this profile of the vault
    #[arg(long, value_name = "NAME")]
    profile: Option<ProfileName>,
    /// The account's number
    #[arg(long, value_name = "ACCOUNT")]
    account: Option<AccountId>,
    /// The user that it is about, where the policy names one
    #[arg(long, value_name = "USER")]
    user: Option<IamName>,
    /// A role that may be assumed, by its name or its ARN; may be said several times
    #[arg(long = "role", value_name = "ROLE", value_parser = parse_role)]
    roles: Vec<Role>,
    /// An address or range that requests may come from; may be said several times
    #[arg(long = "ip", value_name = "RANGE")]
    ranges: Vec<AddressRange>,
    /// Sessions that were made before this time are meant, such as 09:30, 2026-03-01T14:00:00Z or 2h (ago) [default: now]
    #[arg(long, value_name = "TIME", value_parser = parse_before)]
    before: Option<Since>,
}

/// Where digits alone are taken for seconds ago, a date or a count since 1970 would have nothing revoked.
fn parse_before(text: &str) -> Result<Since, String> {
    if text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err("digits alone may be anything: 2h is two hours ago, and 2026-11-20 a date".to_owned());
    }
    Since::parse(text)
}

fn parse_role(text: &str) -> Result<Role, String> {
    if text.starts_with("arn:") {
        return text.parse().map(Role::At).map_err(|error: crate::names::NameError| error.to_string());
    }
    text.parse().map(Role::Named).map_err(|error: crate::policy::NotOfThisShape| error.to_string())
}

pub fn run(args: Args, world: &World) -> Result<(), Failure> {
    match args.action {
        Action::List { json } => list(json, world),
        Action::Show(args) => show(args, world),
    }
}

fn list(as_json: bool, world: &World) -> Result<(), Failure> {
    if as_json {
        let policies = TEMPLATES.iter().map(|template| {
            let fills: Vec<&str> = template.placeholders().into_iter().map(Placeholder::flag).collect();
            json!({ "name": template.name, "about": template.about, "docs": template.docs, "flags": fills })
        });
        return world.print_json(json!({ "policies": policies.collect::<Vec<_>>() }));
    }
    world.print(&table::render(&["NAME", "WHAT IT DOES"], TEMPLATES.iter().map(|one| [one.name, one.about])))
}

fn show(args: ShowArgs, world: &World) -> Result<(), Failure> {
    let template = Template::named(&args.template).ok_or_else(|| Failure::UnknownPolicy(args.template.clone()))?;
    let profile = args.profile.as_ref().map(|name| of_profile(name, world)).transpose()?.unwrap_or_default();
    let now = world.now();
    let before = args.before.map(|before| before.before(now, &point_in_time::zone()));
    let filled = template.fill(&Filling {
        partition: profile.partition,
        account: args.account.or(profile.account),
        user: args.user.or(profile.user),
        roles: if args.roles.is_empty() { profile.roles } else { args.roles },
        ranges: args.ranges,
        before: Some(before.unwrap_or(now)),
    });
    world.print(&filled.text)?;
    world.say(&format!("{}: {}; see {}", template.name, template.about, template.docs));
    if let Some(before) = before {
        world.say(&format!("sessions made before {} are meant", point_in_time::second(before)));
    }
    for placeholder in filled.open {
        world.say(&format!("fill in {}, or say {}", placeholder.word(), placeholder.flag()));
    }
    Ok(())
}

/// What the vault knows of the profile's user, and the roles on its way.
fn of_profile(name: &ProfileName, world: &World) -> Result<Filling, Failure> {
    let vault = opening::open_vault(world)?;
    let config = ConfigFile::load(world.disk, &world.paths.aws_config)?;
    let chain = resolved::chain(name, vault.document(), &config)?;
    let arn = chain.user.user_arn.as_deref().unwrap_or_default();
    // As AWS said it; what does not look like a name is left to be filled in.
    let user = arn.split_once(":user/").and_then(|(_, user)| user.parse().ok());
    Ok(Filling {
        partition: arn_partition(arn).map(str::to_owned),
        account: arn_account(arn).and_then(|account| account.parse().ok()),
        user,
        roles: chain.roles.into_iter().map(|link| Role::At(link.role_arn.value)).collect(),
        ..Filling::default()
    })
}
