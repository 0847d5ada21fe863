//! IAM policies ready to attach: templates, and what is filled into them. The texts are the JSON files in this folder, with
//! words in capitals where an account, a user, roles or address ranges belong; `${aws:username}` is AWS's own and stays.

mod placeholder;

use jiff::Timestamp;

use crate::names::RoleArn;

pub use placeholder::{AccountId, AddressRange, IamName, NotOfThisShape, Placeholder};

pub struct Template {
    pub name: &'static str,
    /// What it does, in one line.
    pub about: &'static str,
    /// Where AWS describes what it is made of.
    pub docs: &'static str,
    text: &'static str,
}

macro_rules! templates {
    ($($name:literal: $about:literal, $docs:literal;)*) => {
        &[$(Template {
            name: $name,
            about: $about,
            docs: concat!("https://docs.aws.amazon.com/", $docs),
            text: include_str!(concat!("policy/", $name, ".json")),
        },)*]
    };
}

pub const TEMPLATES: &[Template] = templates! {
    "mfa-required": "denies everything without MFA but the way to it: a first device, and a session",
        "IAM/latest/UserGuide/reference_policies_examples_iam_mfa-selfmanage.html";
    "enforce-mfa-8h": "the same, and denies everything to sessions whose MFA code is older than 8 hours",
        "IAM/latest/UserGuide/id_credentials_mfa_configure-api-require.html";
    "enforce-mfa-12h": "the same, and denies everything to sessions whose MFA code is older than 12 hours",
        "IAM/latest/UserGuide/id_credentials_mfa_configure-api-require.html";
    "self-management": "lets users manage their own access keys, MFA devices and password",
        "IAM/latest/UserGuide/reference_policies_examples_aws_my-sec-creds-self-manage.html";
    "self-rotate": "lets users replace their own access keys",
        "IAM/latest/UserGuide/reference_policies_examples_iam_credentials_console.html";
    "self-rotate-with-mfa": "lets users replace their own access keys within an hour of an MFA code",
        "IAM/latest/UserGuide/id_credentials_mfa_configure-api-require.html";
    "role-trust": "trust policy of a role: one user may assume it, with MFA",
        "IAM/latest/UserGuide/id_roles_create_for-user.html";
    "assume-role": "lets a user assume these roles",
        "IAM/latest/UserGuide/id_roles_use_permissions-to-switch.html";
    "require-tls": "denies every request that does not come by TLS",
        "IAM/latest/UserGuide/reference_policies_condition-keys.html#condition-keys-securetransport";
    "ip-allow-list": "denies every request that comes from outside of these address ranges",
        "IAM/latest/UserGuide/reference_policies_examples_aws_deny-ip.html";
    "revoke-sessions": "denies everything to sessions that are there already, of a user or of a role",
        "IAM/latest/UserGuide/id_credentials_temp_control-access_disable-perms.html";
    "vault-minimum": "what vault itself needs of a user: find devices, replace keys, sign in",
        "IAM/latest/UserGuide/reference_policies_elements.html";
    "starter-kit": "CloudFormation: two groups and an administrator's role, all behind MFA",
        "AWSCloudFormation/latest/UserGuide/AWS_IAM.html";
};

/// What is known of whom a policy is for.
#[derive(Default)]
pub struct Filling {
    /// `aws`, `aws-cn`, ...
    pub partition: Option<String>,
    pub account: Option<AccountId>,
    pub user: Option<IamName>,
    pub roles: Vec<Role>,
    pub ranges: Vec<AddressRange>,
    /// Sessions from before that are meant.
    pub before: Option<Timestamp>,
}

/// A role by its name, in the account of the policy, or by its ARN.
#[derive(Clone)]
pub enum Role {
    Named(IamName),
    At(RoleArn),
}

/// A policy, and what still has to be filled in.
#[derive(Debug, PartialEq, Eq)]
pub struct Filled {
    pub text: String,
    pub open: Vec<Placeholder>,
}

impl Template {
    pub fn named(name: &str) -> Option<&'static Self> {
        TEMPLATES.iter().find(|template| template.name == name)
    }

    /// What can be filled in.
    pub fn placeholders(&self) -> Vec<Placeholder> {
        Placeholder::ALL.into_iter().filter(|one| self.text.contains(one.word())).collect()
    }

    /// Line by line: what is a list stands on a line of its own, which is repeated.
    pub fn fill(&self, filling: &Filling) -> Filled {
        let mut text: String = self.text.lines().flat_map(|line| filling.lines(line)).collect();
        if let Some(partition) = &filling.partition {
            text = text.replace("\"arn:aws:", &format!("\"arn:{partition}:"));
        }
        let open = Placeholder::ALL.into_iter().filter(|one| text.contains(one.word())).collect();
        Filled { text, open }
    }
}

impl Filling {
    fn lines(&self, line: &str) -> Vec<String> {
        let role = |role: &Role| match role {
            Role::Named(name) => line.replace(Placeholder::Role.word(), name.as_str()),
            Role::At(arn) => with_value(line, arn.as_str()),
        };
        let many: Vec<String> = if line.contains(Placeholder::Role.word()) {
            self.roles.iter().map(role).collect()
        } else if line.contains(Placeholder::Range.word()) {
            self.ranges.iter().map(|range| with_value(line, range.as_str())).collect()
        } else {
            Vec::new()
        };
        let lines = if many.is_empty() { line.to_owned() } else { many.join(",\n") };
        lines.lines().map(|line| self.words(line) + "\n").collect()
    }

    fn words(&self, line: &str) -> String {
        let filled = |line: &str, placeholder: Placeholder, value: Option<&str>| match value {
            Some(value) => line.replace(placeholder.word(), value),
            None => line.to_owned(),
        };
        let line = filled(line, Placeholder::Account, self.account.as_ref().map(AccountId::as_str));
        let line = filled(&line, Placeholder::User, self.user.as_ref().map(IamName::as_str));
        filled(&line, Placeholder::Before, self.before.map(|time| time.to_string()).as_deref())
    }
}

/// The line with another text between its quotes.
fn with_value(line: &str, value: &str) -> String {
    let indent = &line[..line.find('"').unwrap_or(line.len())];
    format!("{indent}\"{value}\"")
}

#[cfg(test)]
mod tests;
