//! The variables that carry a session to a child process or a shell.

use zeroize::Zeroizing;

use crate::credentials::SessionCredentials;
use crate::names::{ProfileName, Region};
use crate::process::OUR_VARIABLES;

/// Variables that would bring other credentials into play, or lead a program back to us. Each by its full name: by prefix
/// we would also take what is set for other purposes.
const TAKEN_AWAY: [&str; 10] = [
    // Tools differ in whether a named profile or keys in the environment win (JavaScript's takes the profile).
    "AWS_PROFILE",
    "AWS_DEFAULT_PROFILE",
    // What AWS_SESSION_TOKEN and AWS_CREDENTIAL_EXPIRATION were called once, and some tools still read.
    "AWS_SECURITY_TOKEN",
    "AWS_SESSION_EXPIRATION",
    "AWS_ROLE_ARN",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
];

/// What to set and what to take away, in the order they are printed. Holds secrets.
pub struct Variables {
    set: Vec<(&'static str, Zeroizing<String>)>,
    unset: Vec<&'static str>,
}

impl Variables {
    pub fn of_session(session: &SessionCredentials, region: Option<&Region>, profile: &ProfileName) -> Self {
        let expiration = session.expiration.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
        let region = region.map(Region::as_str);
        let values = [
            ("AWS_ACCESS_KEY_ID", Some(session.access_key_id.as_str())),
            ("AWS_SECRET_ACCESS_KEY", Some(session.secret_access_key.expose())),
            ("AWS_SESSION_TOKEN", Some(session.session_token.expose())),
            ("AWS_CREDENTIAL_EXPIRATION", Some(expiration.as_str())),
            ("AWS_REGION", region),
            ("AWS_DEFAULT_REGION", region),
            // Prompts show this one.
            ("AWS_VAULT", Some(profile.as_str())),
        ];
        let set = values.into_iter().filter_map(|(name, value)| Some((name, Zeroizing::new(value?.to_owned()))));
        // Nothing that we start needs to know how the vault is opened.
        let unset = TAKEN_AWAY.into_iter().chain(OUR_VARIABLES).collect();
        Self { set: set.collect(), unset }
    }

    pub fn set(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.set.iter().map(|(name, value)| (*name, value.as_str()))
    }

    pub fn unset(&self) -> impl Iterator<Item = &'static str> {
        self.unset.iter().copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::{SecretAccessKey, SessionToken};

    fn session() -> SessionCredentials {
        SessionCredentials {
            access_key_id: "ASIAIOSFODNN7EXAMPLE".parse().unwrap(),
            secret_access_key: SecretAccessKey::new("secret".into()),
            session_token: SessionToken::new("token".into()),
            expiration: "2026-01-02T03:04:05.9Z".parse().unwrap(),
        }
    }

    #[test]
    fn a_session_is_carried_by_exactly_these_variables() {
        let region = "eu-central-1".parse().unwrap();
        let variables = Variables::of_session(&session(), Some(&region), &"prod".parse().unwrap());
        let set: Vec<_> = variables.set().collect();
        assert_eq!(
            set,
            [
                ("AWS_ACCESS_KEY_ID", "ASIAIOSFODNN7EXAMPLE"),
                ("AWS_SECRET_ACCESS_KEY", "secret"),
                ("AWS_SESSION_TOKEN", "token"),
                ("AWS_CREDENTIAL_EXPIRATION", "2026-01-02T03:04:05Z"),
                ("AWS_REGION", "eu-central-1"),
                ("AWS_DEFAULT_REGION", "eu-central-1"),
                ("AWS_VAULT", "prod"),
            ]
        );
        assert!(set.iter().all(|(name, _)| variables.unset().all(|unset| unset != *name)));
        assert!(variables.unset().all(|name| name != "VAULT_ADDR" && name != "VAULT_TOKEN"), "HashiCorp's stay");
    }

    #[test]
    fn an_unknown_region_leaves_the_callers_alone() {
        let variables = Variables::of_session(&session(), None, &"prod".parse().unwrap());
        assert!(variables.set().map(|(name, _)| name).chain(variables.unset()).all(|name| !name.ends_with("REGION")));
    }
}
