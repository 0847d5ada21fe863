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
    // Some tools still read it; AWS_SESSION_EXPIRATION is what AWS_CREDENTIAL_EXPIRATION was called once.
    LEGACY_TOKEN,
    "AWS_SESSION_EXPIRATION",
    "AWS_ROLE_ARN",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    ENDPOINT_URL,
    ENDPOINT_TOKEN,
    "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
];

/// Everything that a session is carried by, whichever of it one session has.
const CARRIERS: [&str; 8] = [
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    LEGACY_TOKEN,
    "AWS_CREDENTIAL_EXPIRATION",
    "AWS_REGION",
    "AWS_DEFAULT_REGION",
    "AWS_VAULT",
];

/// A session itself.
const CREDENTIALS: [&str; 4] =
    ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_CREDENTIAL_EXPIRATION"];

/// Where to ask for one, and what to show there.
const ENDPOINT_URL: &str = "AWS_CONTAINER_CREDENTIALS_FULL_URI";
const ENDPOINT_TOKEN: &str = "AWS_CONTAINER_AUTHORIZATION_TOKEN";

/// What AWS_SESSION_TOKEN was called once: boto 2 knows no other name.
const LEGACY_TOKEN: &str = "AWS_SECURITY_TOKEN";

/// What to set and what to take away, in the order they are printed. Holds secrets.
pub struct Variables {
    set: Vec<(&'static str, Zeroizing<String>)>,
    unset: Vec<&'static str>,
}

impl Variables {
    pub fn of_session(session: &SessionCredentials, region: Option<&Region>, profile: &ProfileName) -> Self {
        let expiration = session.expiration_text();
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

    /// What has the SDKs ask an endpoint that shows its session to whoever has this token.
    pub fn of_endpoint(url: &str, token: &str, region: Option<&Region>, profile: &ProfileName) -> Self {
        let region = region.map(Region::as_str);
        let values = [
            (ENDPOINT_URL, Some(url)),
            (ENDPOINT_TOKEN, Some(token)),
            ("AWS_REGION", region),
            ("AWS_DEFAULT_REGION", region),
            ("AWS_VAULT", Some(profile.as_str())),
        ];
        let set = values.into_iter().filter_map(|(name, value)| Some((name, Zeroizing::new(value?.to_owned()))));
        let set: Vec<_> = set.collect();
        // Credentials in the environment would win over it.
        let unset = TAKEN_AWAY.into_iter().chain(CREDENTIALS).chain(OUR_VARIABLES);
        let unset = unset.filter(|name| set.iter().all(|(set, _)| set != name)).collect();
        Self { set, unset }
    }

    /// Takes back what carried a session, and nothing else.
    pub fn taken_back() -> Self {
        Self { set: Vec::new(), unset: CARRIERS.to_vec() }
    }

    /// With the token under its old name too, for tools that know only that.
    pub fn with_legacy_token(mut self, session: &SessionCredentials) -> Self {
        self.unset.retain(|name| *name != LEGACY_TOKEN);
        self.set.push((LEGACY_TOKEN, Zeroizing::new(session.session_token.expose().to_owned())));
        self
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
    fn an_endpoint_is_named_by_two_variables_and_nothing_is_left_that_would_win_over_it() {
        let region = "eu-central-1".parse().unwrap();
        let name = "prod".parse().unwrap();
        let variables = Variables::of_endpoint("http://127.0.0.1:1/credentials", "t", Some(&region), &name);
        let set: Vec<_> = variables.set().collect();
        assert_eq!(
            set,
            [
                ("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://127.0.0.1:1/credentials"),
                ("AWS_CONTAINER_AUTHORIZATION_TOKEN", "t"),
                ("AWS_REGION", "eu-central-1"),
                ("AWS_DEFAULT_REGION", "eu-central-1"),
                ("AWS_VAULT", "prod"),
            ]
        );
        assert!(set.iter().all(|(name, _)| variables.unset().all(|unset| unset != *name)));
        for name in ["AWS_ACCESS_KEY_ID", "AWS_SESSION_TOKEN", "AWS_PROFILE", "VAULT_IDENTITY"] {
            assert!(variables.unset().any(|unset| unset == name), "{name}");
        }
        let relative = "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI";
        assert!(variables.unset().any(|unset| unset == relative), "it comes before the other");
    }

    #[test]
    fn what_is_taken_back_is_all_that_may_have_been_set_and_no_more() {
        let (session, region) = (session(), "eu-central-1".parse().unwrap());
        let most = Variables::of_session(&session, Some(&region), &"prod".parse().unwrap()).with_legacy_token(&session);
        let mut set: Vec<_> = most.set().map(|(name, _)| name).collect();
        let back = Variables::taken_back();
        let mut unset: Vec<_> = back.unset().collect();
        set.sort_unstable();
        unset.sort_unstable();
        assert_eq!(set, unset);
        assert_eq!(back.set().count(), 0);
    }

    #[test]
    fn the_old_name_of_the_token_carries_it_only_when_asked_to() {
        let (session, name) = (session(), "prod".parse().unwrap());
        let variables = Variables::of_session(&session, None, &name);
        assert!(variables.unset().any(|name| name == "AWS_SECURITY_TOKEN"));
        let variables = variables.with_legacy_token(&session);
        assert_eq!(variables.set().last(), Some(("AWS_SECURITY_TOKEN", "token")));
        assert!(variables.unset().all(|name| name != "AWS_SECURITY_TOKEN"));
    }

    #[test]
    fn an_unknown_region_leaves_the_callers_alone() {
        let variables = Variables::of_session(&session(), None, &"prod".parse().unwrap());
        assert!(variables.set().map(|(name, _)| name).chain(variables.unset()).all(|name| !name.ends_with("REGION")));
    }
}
