//! A call's parameters, as the query protocol carries them.

use std::collections::BTreeMap;

use crate::error::AwsError;

#[derive(Debug, Clone, Default)]
pub(crate) struct Parameters(BTreeMap<String, String>);

impl Parameters {
    pub fn parse(form: &[u8]) -> Result<Parameters, AwsError> {
        let mut parameters = BTreeMap::new();
        for (name, value) in form_urlencoded::parse(form) {
            if parameters.insert(name.to_string(), value.into_owned()).is_some() {
                let message = format!("Parameter {name} was given more than once");
                return Err(AwsError::new(400, "MalformedQueryString", message));
            }
        }
        Ok(Parameters(parameters))
    }

    pub fn action(&self) -> &str {
        self.0.get("Action").map_or("", String::as_str)
    }

    pub fn version(&self) -> &str {
        self.0.get("Version").map_or("", String::as_str)
    }

    /// For the log: all but the protocol's own two.
    pub fn arguments(&self) -> BTreeMap<String, String> {
        let own = |name: &str| name == "Action" || name == "Version";
        self.0.iter().filter(|(name, _)| !own(name)).map(|(name, value)| (name.clone(), value.clone())).collect()
    }

    /// `known` writes the numbers of lists as `N`. AWS ignores a name it doesn't know, which would hide a typing error
    /// in the program under test.
    pub fn refuse_unknown(&self, known: &[&str]) -> Result<(), AwsError> {
        let number = |part: &str| part.parse::<u32>().is_ok();
        for name in self.arguments().keys() {
            let parts: Vec<_> = name.split('.').map(|part| if number(part) { "N" } else { part }).collect();
            if !known.contains(&parts.join(".").as_str()) {
                return Err(AwsError::validation(format!("Unknown parameter for this action: {name}")));
            }
        }
        Ok(())
    }

    pub fn optional(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    pub fn required(&self, name: &str) -> Result<&str, AwsError> {
        self.optional(name).ok_or_else(|| {
            let field = field_name(name);
            AwsError::validation(format!(
                "1 validation error detected: Value null at '{field}' failed to satisfy constraint: Member must not be null"
            ))
        })
    }

    pub fn number(&self, name: &str) -> Result<Option<i64>, AwsError> {
        let Some(text) = self.optional(name) else { return Ok(None) };
        let number = text.parse().map_err(|_| AwsError::new(400, "MalformedInput", format!("{name} is not a number")));
        number.map(Some)
    }

    /// The members of a list in order: `list("PolicyArns", ".arn")` reads `PolicyArns.member.1.arn` and on.
    pub fn list(&self, name: &str, suffix: &str) -> Vec<&str> {
        (1..).map_while(|n| self.optional(&format!("{name}.member.{n}{suffix}"))).collect()
    }
}

/// As AWS's validation messages name it.
pub(crate) fn field_name(parameter: &str) -> String {
    let mut letters = parameter.chars();
    letters.next().into_iter().flat_map(char::to_lowercase).chain(letters).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_in_names_are_matched_and_unknown_names_refused() {
        let known = ["Tags.member.N.Key", "RoleArn"];
        let check = |form: &str| Parameters::parse(form.as_bytes()).unwrap().refuse_unknown(&known).is_ok();
        assert!(check("Action=A&Version=V&RoleArn=x&Tags.member.12.Key=y"));
        assert!(!check("Tags.member.1.Kay=y"));
        assert!(!check("DurationSecond=900"));
    }

    #[test]
    fn a_parameter_given_twice_is_refused() {
        assert_eq!(Parameters::parse(b"A=1&A=2").unwrap_err().code, "MalformedQueryString");
    }
}
