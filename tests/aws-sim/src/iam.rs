//! Identity and Access Management: the table of its calls, and how they name the user they are about.

use crate::caller::{Caller, Principal};
use crate::clock::iso;
use crate::cloud::Cloud;
use crate::constraints::{Constraints, NAME};
use crate::error::AwsError;
use crate::parameters::Parameters;
use crate::service::Action;
use crate::user::UserRecord;
use crate::{access_keys, mfa_devices, roles, xml};

pub(crate) const ACTIONS: &[Action] = &[
    Action { name: "GetUser", parameters: &["UserName"], run: get_user },
    Action { name: "ListAccountAliases", parameters: &["Marker", "MaxItems"], run: list_account_aliases },
    access_keys::LIST,
    access_keys::CREATE,
    access_keys::UPDATE,
    access_keys::DELETE,
    access_keys::LAST_USED,
    mfa_devices::LIST,
    mfa_devices::CREATE,
    mfa_devices::DELETE,
    mfa_devices::ENABLE,
    mfa_devices::DEACTIVATE,
    mfa_devices::RESYNC,
    roles::GET,
    roles::UPDATE,
];

/// The user that a call is about: the one it names, else the caller's own.
pub(crate) struct Subject {
    pub arn: String,
    pub name: String,
    /// As refusals name it.
    pub shown: String,
}

impl Subject {
    /// Checks that the caller may do `action` to it.
    pub fn authorized(
        cloud: &Cloud,
        caller: &Caller,
        parameters: &Parameters,
        action: &str,
    ) -> Result<Subject, AwsError> {
        let subject = Subject::of(caller, parameters)?;
        caller.authorize(cloud, action, &subject.arn, &subject.shown)?;
        subject.record(cloud)?;
        Ok(subject)
    }

    fn of(caller: &Caller, parameters: &Parameters) -> Result<Subject, AwsError> {
        let name = parameters.optional("UserName");
        let mut constraints = Constraints::default();
        constraints.text("UserName", name, (1, 128), &NAME);
        constraints.check()?;
        match (name, &caller.principal) {
            (Some(name), principal) => {
                let arn = format!("arn:aws:iam::{}:user/{name}", principal.account());
                Ok(Subject { arn, name: name.to_owned(), shown: format!("user {name}") })
            }
            (None, Principal::User { arn, name, .. }) => {
                Ok(Subject { arn: arn.clone(), name: name.clone(), shown: format!("user {name}") })
            }
            (None, root @ Principal::Root { .. }) => {
                Ok(Subject { arn: root.arn(), name: "root".to_owned(), shown: root.arn() })
            }
            (None, Principal::Role { .. } | Principal::Federated { .. }) => {
                Err(AwsError::validation("Must specify userName when calling with non-User credentials"))
            }
        }
    }

    pub fn record<'a>(&self, cloud: &'a Cloud) -> Result<&'a UserRecord, AwsError> {
        let missing = || AwsError::no_such_entity(format!("The user with name {} cannot be found.", self.name));
        cloud.users.get(&self.arn).ok_or_else(missing)
    }
}

fn get_user(cloud: &mut Cloud, caller: &Caller, parameters: &Parameters) -> Result<String, AwsError> {
    let subject = Subject::authorized(cloud, caller, parameters, "iam:GetUser")?;
    let user = subject.record(cloud)?;
    let name = (!user.is_root()).then(|| xml::text("Path", "/") + &xml::text("UserName", &user.name));
    let fields = [
        name.unwrap_or_default(),
        xml::text("UserId", &user.id),
        xml::text("Arn", &subject.arn),
        xml::text("CreateDate", iso(user.created)),
    ];
    Ok(xml::nest("User", &fields))
}

fn list_account_aliases(cloud: &mut Cloud, caller: &Caller, parameters: &Parameters) -> Result<String, AwsError> {
    caller.authorize(cloud, "iam:ListAccountAliases", "*", "*")?;
    let alias = cloud.aliases.get(caller.principal.account());
    page("AccountAliases", alias.into_iter().map(|alias| xml::escape(alias)).collect(), parameters)
}

/// One page of a listing; the marker is the number of members that came before.
pub(crate) fn page(name: &str, members: Vec<String>, parameters: &Parameters) -> Result<String, AwsError> {
    let most = parameters.number("MaxItems")?;
    let mut constraints = Constraints::default();
    constraints.range("MaxItems", most, (1, 1000));
    constraints.check()?;
    let invalid = |_| AwsError::validation("Invalid Marker.");
    let start: usize = parameters.optional("Marker").map_or(Ok(0), |marker| marker.parse().map_err(invalid))?;
    let end = most.and_then(|most| usize::try_from(most).ok()).map_or(members.len(), |most| start + most);
    let truncated = end < members.len();
    let shown = members.into_iter().take(end).skip(start);
    let marker = truncated.then(|| end.to_string());
    let fields = [xml::text("IsTruncated", truncated.to_string()), xml::optional("Marker", marker)];
    Ok(xml::list(name, shown) + &fields.concat())
}
