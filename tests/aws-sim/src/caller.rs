//! Who signed a request, as policies see it.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::cloud::Cloud;
use crate::error::AwsError;
use crate::policy::{Document, Question, Verdict};
use crate::session::Kind;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Principal {
    Root { account: String },
    User { account: String, name: String, arn: String },
    Role { account: String, role: String, role_arn: String, session: String },
    Federated { account: String, name: String, user_arn: String },
}

impl Principal {
    pub fn account(&self) -> &str {
        match self {
            Principal::Root { account }
            | Principal::User { account, .. }
            | Principal::Role { account, .. }
            | Principal::Federated { account, .. } => account,
        }
    }

    pub fn arn(&self) -> String {
        match self {
            Principal::Root { account } => format!("arn:aws:iam::{account}:root"),
            Principal::User { arn, .. } => arn.clone(),
            Principal::Role { account, role, session, .. } => {
                format!("arn:aws:sts::{account}:assumed-role/{role}/{session}")
            }
            Principal::Federated { account, name, .. } => format!("arn:aws:sts::{account}:federated-user/{name}"),
        }
    }

    /// The names by which a trust policy can mean this caller: a role session also answers to its role.
    pub fn policy_arns(&self) -> Vec<String> {
        match self {
            Principal::Role { role_arn, .. } => vec![role_arn.clone(), self.arn()],
            _ => vec![self.arn()],
        }
    }

    /// Of the user or root whose own access keys and devices these credentials stand for.
    pub fn user_arn(&self) -> Option<String> {
        matches!(self, Principal::Root { .. } | Principal::User { .. }).then(|| self.arn())
    }
}

const SURROUNDINGS: [(&str, &str); 3] =
    [("aws:sourceip", "127.0.0.1"), ("aws:securetransport", "false"), ("aws:viaawsservice", "false")];

pub(crate) struct Caller {
    pub principal: Principal,
    pub now: Timestamp,
    /// None for a long-term key.
    pub session: Option<CallerSession>,
}

pub(crate) struct CallerSession {
    pub kind: Kind,
    pub made: Timestamp,
    pub mfa_at: Option<Timestamp>,
    /// Each narrows what the identity may do; none of them grants.
    pub policies: Vec<Document>,
    pub source_identity: Option<String>,
}

impl Caller {
    pub fn is_long_term(&self) -> bool {
        self.session.is_none()
    }

    /// AWS sets the MFA keys only for temporary credentials: a long-term key has no `aws:MultiFactorAuthPresent` at
    /// all, which is why the well-known policies say `BoolIfExists`.
    /// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
    pub fn context(&self) -> BTreeMap<&'static str, String> {
        // It is spoken to over plain HTTP, on loopback, and by nobody on another's behalf.
        let mut context = BTreeMap::from(SURROUNDINGS.map(|(key, value)| (key, value.to_owned())));
        if let Principal::User { name, .. } = &self.principal {
            context.insert("aws:username", name.clone());
        }
        if let Some(session) = &self.session {
            context.insert("aws:tokenissuetime", session.made.to_string());
            set_mfa(&mut context, session.mfa_at.map(|at| self.now.as_second() - at.as_second()));
        }
        context
    }

    /// `resource` is what the policies match, `shown` how the refusal names it.
    pub fn authorize(&self, cloud: &Cloud, action: &str, resource: &str, shown: &str) -> Result<(), AwsError> {
        let context = self.context();
        let question = Question { action, resource, context: &context };
        let reason = match self.judge(cloud, &question) {
            (Verdict::Allowed, _) => return Ok(()),
            (Verdict::Denied, kind) => format!("with an explicit deny in {} {kind} policy", article(kind)),
            (Verdict::NotAllowed, kind) => format!("because no {kind} policy allows the {action} action"),
        };
        let arn = self.principal.arn();
        Err(AwsError::access_denied(format!(
            "User: {arn} is not authorized to perform: {action} on resource: {shown} {reason}"
        )))
    }

    pub fn judge(&self, cloud: &Cloud, question: &Question) -> (Verdict, &'static str) {
        let identity = self.judge_identity(cloud, question);
        let session = self.judge_session(question);
        match (identity, session) {
            (Verdict::Denied, _) | (Verdict::NotAllowed, _) => (identity, "identity-based"),
            (Verdict::Allowed, session) => (session, "session"),
        }
    }

    fn judge_identity(&self, cloud: &Cloud, question: &Question) -> Verdict {
        let user = match &self.principal {
            Principal::User { arn, .. } | Principal::Federated { user_arn: arn, .. } => cloud.users.get(arn),
            // Policies don't reach root; roles may do whatever their session policies leave.
            Principal::Root { .. } | Principal::Role { .. } => return Verdict::Allowed,
        };
        let verdicts: Vec<_> =
            user.iter().flat_map(|user| user.policies()).map(|document| document.judge(question)).collect();
        strictest(&verdicts)
    }

    fn judge_session(&self, question: &Question) -> Verdict {
        let Some(session) = &self.session else { return Verdict::Allowed };
        match (session.kind, session.policies.as_slice()) {
            // A federated user has only what the call's policies say, and nothing where it named none.
            (Kind::Federation, []) => Verdict::NotAllowed,
            (_, []) => Verdict::Allowed,
            (_, policies) => strictest(&policies.iter().map(|policy| policy.judge(question)).collect::<Vec<_>>()),
        }
    }
}

fn strictest(verdicts: &[Verdict]) -> Verdict {
    match verdicts {
        verdicts if verdicts.contains(&Verdict::Denied) => Verdict::Denied,
        verdicts if verdicts.contains(&Verdict::Allowed) => Verdict::Allowed,
        _ => Verdict::NotAllowed,
    }
}

pub(crate) fn set_mfa(context: &mut BTreeMap<&'static str, String>, age: Option<i64>) {
    context.insert("aws:multifactorauthpresent", age.is_some().to_string());
    if let Some(age) = age {
        context.insert("aws:multifactorauthage", age.to_string());
    }
}

fn article(kind: &str) -> &'static str {
    if kind.starts_with('i') { "an" } else { "a" }
}
