//! Policy documents: statements with actions, resources and the conditions that MFA policies are written with.
//! Enough of the language for the policies in AWS's own MFA tutorials; an operator it doesn't know is an error, so that
//! no statement is ever silently ignored.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::Value;

use crate::address;
use crate::caller::Principal;

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Document {
    statements: Vec<Statement>,
}

#[derive(Debug, Clone, PartialEq)]
struct Statement {
    deny: bool,
    principals: Option<Vec<String>>,
    actions: Patterns,
    resources: Patterns,
    conditions: Vec<Condition>,
}

/// `Not...` elements match whatever none of the patterns matches.
#[derive(Debug, Clone, PartialEq)]
struct Patterns {
    negated: bool,
    patterns: Vec<String>,
}

#[derive(Debug, Clone, PartialEq)]
struct Condition {
    operator: Operator,
    if_exists: bool,
    key: String,
    values: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Operator {
    Bool,
    Null,
    StringEquals,
    StringNotEquals,
    StringLike,
    NumericLess { or_equal: bool },
    NumericGreater { or_equal: bool },
    DateLess,
    IpAddress,
    NotIpAddress,
}

impl Operator {
    /// Whether it holds where the request has no such key.
    fn is_negated(self) -> bool {
        matches!(self, Operator::StringNotEquals | Operator::NotIpAddress)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    Allowed,
    NotAllowed,
    Denied,
}

/// What a policy is asked about.
pub(crate) struct Question<'a> {
    pub action: &'a str,
    pub resource: &'a str,
    /// Condition keys in lower case; AWS compares them without regard to case.
    pub context: &'a BTreeMap<&'static str, String>,
}

impl Document {
    pub fn parse(json: &str) -> Result<Document, String> {
        let value: Value = serde_json::from_str(json).map_err(|_| "Syntax errors in policy.".to_owned())?;
        let statements = match &value["Statement"] {
            Value::Array(statements) => statements.iter().map(Statement::parse).collect::<Result<_, _>>()?,
            statement @ Value::Object(_) => vec![Statement::parse(statement)?],
            _ => return Err("Syntax errors in policy.".to_owned()),
        };
        Ok(Document { statements })
    }

    pub fn judge(&self, question: &Question) -> Verdict {
        judge_all(self.statements.iter(), question)
    }

    /// A trust policy's verdict, and whether it names the caller itself or only its account.
    pub fn judge_trust(&self, caller: &Principal, question: &Question) -> (Verdict, bool) {
        let speaking_of = |exactly: bool| {
            self.statements.iter().filter(move |statement| statement.names(caller, exactly)).collect::<Vec<_>>()
        };
        if judge_all(speaking_of(true).into_iter(), question) == Verdict::Allowed {
            return (Verdict::Allowed, true);
        }
        (judge_all(speaking_of(false).into_iter(), question), false)
    }
}

fn judge_all<'a>(statements: impl Iterator<Item = &'a Statement>, question: &Question) -> Verdict {
    let mut verdict = Verdict::NotAllowed;
    for statement in statements.filter(|statement| statement.applies(question)) {
        if statement.deny {
            return Verdict::Denied;
        }
        verdict = Verdict::Allowed;
    }
    verdict
}

impl Statement {
    fn parse(value: &Value) -> Result<Statement, String> {
        let deny = match value["Effect"].as_str() {
            Some("Allow") => false,
            Some("Deny") => true,
            effect => return Err(format!("Invalid effect: {}", effect.unwrap_or_default())),
        };
        let principals = match &value["Principal"] {
            Value::Null => None,
            Value::Object(kinds) => Some(words(&kinds["AWS"])),
            any => Some(words(any)),
        };
        Ok(Statement {
            deny,
            resources: Patterns::parse(value, "Resource", principals.is_some())?,
            principals,
            actions: Patterns::parse(value, "Action", false)?,
            conditions: conditions(&value["Condition"])?,
        })
    }

    fn applies(&self, question: &Question) -> bool {
        self.actions.match_text(&question.action.to_lowercase(), str::to_lowercase)
            && self.resources.match_text(question.resource, |pattern| substitute(pattern, question.context))
            && self.conditions.iter().all(|condition| condition.holds(question.context))
    }

    fn names(&self, caller: &Principal, exactly: bool) -> bool {
        let account = caller.account();
        self.principals.iter().flatten().any(|named| {
            let by_account = named == account || *named == format!("arn:aws:iam::{account}:root");
            named == "*" || caller.policy_arns().contains(named) || (by_account && !exactly)
        })
    }
}

impl Patterns {
    fn parse(statement: &Value, element: &str, may_miss: bool) -> Result<Patterns, String> {
        let (plain, negated) = (&statement[element], &statement[format!("Not{element}")]);
        match (plain.is_null(), negated.is_null()) {
            (false, true) => Ok(Patterns { negated: false, patterns: words(plain) }),
            (true, false) => Ok(Patterns { negated: true, patterns: words(negated) }),
            (true, true) if may_miss => Ok(Patterns { negated: false, patterns: vec!["*".to_owned()] }),
            _ => Err(format!("Policy statement must contain {}s.", element.to_lowercase())),
        }
    }

    fn match_text(&self, text: &str, prepare: impl Fn(&str) -> String) -> bool {
        self.patterns.iter().any(|pattern| like(&prepare(pattern), text)) != self.negated
    }
}

impl Condition {
    fn holds(&self, context: &BTreeMap<&'static str, String>) -> bool {
        let value = context.get(self.key.as_str());
        if self.operator == Operator::Null {
            return self.values.iter().any(|wanted| (wanted == "true") == value.is_none());
        }
        let Some(value) = value else { return self.if_exists || self.operator.is_negated() };
        let any = |test: &dyn Fn(&str) -> bool| self.values.iter().any(|wanted| test(&substitute(wanted, context)));
        match self.operator {
            Operator::Bool => any(&|wanted| wanted.eq_ignore_ascii_case(value)),
            Operator::StringEquals => any(&|wanted| wanted == value),
            Operator::StringNotEquals => !any(&|wanted| wanted == value),
            Operator::StringLike => any(&|wanted| like(wanted, value)),
            Operator::NumericLess { or_equal } => any(&|limit| compare(value, limit, or_equal)),
            Operator::NumericGreater { or_equal } => any(&|limit| compare(limit, value, or_equal)),
            Operator::DateLess => any(&|limit| is_before(value, limit)),
            Operator::IpAddress => any(&|range| address::holds(range, value)),
            Operator::NotIpAddress => !any(&|range| address::holds(range, value)),
            Operator::Null => false,
        }
    }
}

fn compare(smaller: &str, greater: &str, or_equal: bool) -> bool {
    let (Ok(smaller), Ok(greater)) = (smaller.parse::<f64>(), greater.parse::<f64>()) else { return false };
    smaller < greater || (or_equal && smaller == greater)
}

fn is_before(earlier: &str, later: &str) -> bool {
    let (Ok(earlier), Ok(later)) = (earlier.parse::<Timestamp>(), later.parse::<Timestamp>()) else { return false };
    earlier < later
}

fn conditions(value: &Value) -> Result<Vec<Condition>, String> {
    let mut conditions = Vec::new();
    for (name, keys) in value.as_object().into_iter().flatten() {
        let (operator, if_exists) = operator(name)?;
        for (key, values) in keys.as_object().into_iter().flatten() {
            conditions.push(Condition { operator, if_exists, key: key.to_lowercase(), values: words(values) });
        }
    }
    Ok(conditions)
}

fn operator(name: &str) -> Result<(Operator, bool), String> {
    let (plain, if_exists) = name.strip_suffix("IfExists").map_or((name, false), |plain| (plain, true));
    let operator = match plain {
        "Bool" => Operator::Bool,
        "Null" => Operator::Null,
        "StringEquals" => Operator::StringEquals,
        "StringNotEquals" => Operator::StringNotEquals,
        "StringLike" => Operator::StringLike,
        "NumericLessThan" => Operator::NumericLess { or_equal: false },
        "NumericLessThanEquals" => Operator::NumericLess { or_equal: true },
        "NumericGreaterThan" => Operator::NumericGreater { or_equal: false },
        "DateLessThan" => Operator::DateLess,
        "IpAddress" => Operator::IpAddress,
        "NotIpAddress" => Operator::NotIpAddress,
        "NumericGreaterThanEquals" => Operator::NumericGreater { or_equal: true },
        _ => return Err(format!("Invalid Condition type : {name}.")),
    };
    Ok((operator, if_exists))
}

/// A string, a number, a boolean, or a list of them, as words.
fn words(value: &Value) -> Vec<String> {
    match value {
        Value::Array(values) => values.iter().flat_map(words).collect(),
        Value::String(word) => vec![word.clone()],
        Value::Bool(_) | Value::Number(_) => vec![value.to_string()],
        Value::Null | Value::Object(_) => Vec::new(),
    }
}

fn substitute(pattern: &str, context: &BTreeMap<&'static str, String>) -> String {
    let user = context.get("aws:username").map_or("", String::as_str);
    pattern.replace("${aws:username}", user)
}

/// `*` stands for any run of characters, `?` for one.
fn like(pattern: &str, text: &str) -> bool {
    match pattern.chars().next() {
        None => text.is_empty(),
        Some('*') => {
            let rest = &pattern[1..];
            like(rest, text) || text.char_indices().any(|(at, c)| like(rest, &text[at + c.len_utf8()..]))
        }
        Some(wanted) => text.chars().next().is_some_and(|found| {
            (wanted == '?' || wanted == found) && like(&pattern[wanted.len_utf8()..], &text[found.len_utf8()..])
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MFA_EVERYWHERE: &str = r#"{"Statement":[
        {"Effect":"Allow","Action":"*","Resource":"*"},
        {"Effect":"Deny","NotAction":["iam:ListMFADevices","sts:GetSessionToken"],"Resource":"*",
         "Condition":{"BoolIfExists":{"aws:MultiFactorAuthPresent":"false"}}}]}"#;

    fn verdict(policy: &str, action: &str, resource: &str, context: &[(&'static str, &str)]) -> Verdict {
        let context = context.iter().map(|(key, value)| (*key, (*value).to_owned())).collect();
        Document::parse(policy).unwrap().judge(&Question { action, resource, context: &context })
    }

    #[test]
    fn bool_if_exists_denies_sessions_without_mfa_and_long_term_keys_alike() {
        let ask = |context: &[_]| verdict(MFA_EVERYWHERE, "iam:CreateAccessKey", "arn", context);
        assert_eq!(ask(&[("aws:multifactorauthpresent", "false")]), Verdict::Denied);
        assert_eq!(ask(&[("aws:multifactorauthpresent", "true")]), Verdict::Allowed);
        assert_eq!(ask(&[]), Verdict::Denied);
    }

    #[test]
    fn not_action_spares_the_actions_it_names() {
        let context = [("aws:multifactorauthpresent", "false")];
        assert_eq!(verdict(MFA_EVERYWHERE, "iam:ListMFADevices", "arn", &context), Verdict::Allowed);
    }

    #[test]
    fn a_limit_on_the_age_of_mfa_needs_the_age_to_be_known() {
        let policy = r#"{"Statement":{"Effect":"Allow","Action":"iam:*AccessKey*",
            "Resource":"arn:aws:iam::*:user/${aws:username}",
            "Condition":{"NumericLessThan":{"aws:MultiFactorAuthAge":"3600"}}}}"#;
        let alice = "arn:aws:iam::123456789012:user/alice";
        let ask = |age: &str, resource| {
            let context = [("aws:username", "alice"), ("aws:multifactorauthage", age)];
            verdict(policy, "iam:UpdateAccessKey", resource, &context)
        };
        assert_eq!(ask("3599", alice), Verdict::Allowed);
        assert_eq!(ask("3600", alice), Verdict::NotAllowed);
        assert_eq!(ask("1", "arn:aws:iam::123456789012:user/bob"), Verdict::NotAllowed);
        assert_eq!(verdict(policy, "iam:UpdateAccessKey", alice, &[("aws:username", "alice")]), Verdict::NotAllowed);
    }

    #[test]
    fn an_operator_that_is_not_known_is_refused_rather_than_ignored() {
        let policy = r#"{"Statement":{"Effect":"Deny","Action":"*","Resource":"*",
            "Condition":{"DateGreaterThan":{"aws:CurrentTime":"2020-01-01T00:00:00Z"}}}}"#;
        assert_eq!(Document::parse(policy), Err("Invalid Condition type : DateGreaterThan.".to_owned()));
    }
}
