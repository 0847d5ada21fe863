//! Where STS and IAM are reached, when it is not at AWS's own addresses.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use http::Uri;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::paths::Environment;

/// An address that is not AWS's own: `https://`, or `http://` to this machine.
///
/// A reply to GetSessionToken holds credentials in clear, so plain http may never leave the machine.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Endpoint(String);

/// What the endpoints of STS are below (AWS General Reference, "AWS Security Token Service endpoints and quotas").
const AWSS_OWN: [&str; 3] = [".amazonaws.com", ".amazonaws.com.cn", ".api.aws"];

#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum EndpointError {
    #[error("`{0}` is not an endpoint such as https://sts.eu-central-1.amazonaws.com")]
    Malformed(String),
    #[error("`{0}` is plain http to another machine")]
    PlainHttp(String),
    /// The text is left out, since it holds a password.
    #[error("an endpoint must not hold a user name or password")]
    Credentials,
}

impl Endpoint {
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// One of AWS's under another name than the usual: of another region, for FIPS, in a network of the user's.
    pub fn is_awss_own(&self) -> bool {
        let uri: Option<Uri> = self.0.parse().ok();
        let host = uri.as_ref().and_then(Uri::host).unwrap_or_default();
        AWSS_OWN.iter().any(|domain| host.ends_with(domain))
    }
}

impl From<Endpoint> for String {
    fn from(endpoint: Endpoint) -> Self {
        endpoint.0
    }
}

impl TryFrom<String> for Endpoint {
    type Error = EndpointError;
    fn try_from(text: String) -> Result<Self, EndpointError> {
        text.parse()
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for Endpoint {
    type Err = EndpointError;
    fn from_str(text: &str) -> Result<Self, EndpointError> {
        // Also what makes `http://127.0.0.1@evil.example` another machine to some readers and this one to others.
        if text.contains('@') {
            return Err(EndpointError::Credentials);
        }
        let malformed = || EndpointError::Malformed(text.to_owned());
        let uri: Uri = text.parse().map_err(|_| malformed())?;
        let host = uri.host().filter(|host| !host.is_empty()).ok_or_else(malformed)?;
        if uri.query().is_some() {
            return Err(malformed());
        }
        match uri.scheme_str() {
            Some("https") => {}
            Some("http") if is_loopback(host) => {}
            Some("http") => return Err(EndpointError::PlainHttp(text.to_owned())),
            _ => return Err(malformed()),
        }
        Ok(Self(text.trim_end_matches('/').to_owned()))
    }
}

fn is_loopback(host: &str) -> bool {
    let address = host.trim_start_matches('[').trim_end_matches(']');
    host.eq_ignore_ascii_case("localhost") || address.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// What overrides AWS's own addresses; None means the one that region and partition give.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Endpoints {
    pub sts: Option<Endpoint>,
    pub iam: Option<Endpoint>,
}

impl Endpoints {
    /// Both services at one address, as simulators have them.
    pub fn all_at(endpoint: Endpoint) -> Self {
        Self { sts: Some(endpoint.clone()), iam: Some(endpoint) }
    }

    /// Whether AWS's own addresses are used, whatever the variables and profiles say.
    pub fn are_ignored(environment: &Environment) -> bool {
        let ignored = environment.text("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS");
        ignored.is_some_and(|value| value.eq_ignore_ascii_case("true"))
    }

    /// The order is that of the AWS SDKs and Tools Reference Guide, "Service-specific endpoints": the service's variable,
    /// the general variable, the profile.
    pub fn from_environment(environment: &Environment, profile_endpoint: Option<&str>) -> Result<Self, EndpointError> {
        if Self::are_ignored(environment) {
            return Ok(Self::default());
        }
        let chosen = |variable| {
            environment
                .get(variable)
                .or_else(|| environment.get("AWS_ENDPOINT_URL"))
                .map(|value| value.to_string_lossy().into_owned())
                .or_else(|| profile_endpoint.map(str::to_owned))
                .map(|text| text.parse())
                .transpose()
        };
        Ok(Self { sts: chosen("AWS_ENDPOINT_URL_STS")?, iam: chosen("AWS_ENDPOINT_URL_IAM")? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn endpoint(text: &str) -> Result<Endpoint, EndpointError> {
        text.parse()
    }

    #[test]
    fn plain_http_reaches_this_machine_only() {
        for good in [
            "http://127.0.0.1:4566",
            "http://localhost:4566/",
            "http://LOCALHOST",
            "http://[::1]:80",
            "http://127.8.8.8",
            "https://sts.example.com",
            "https://proxy.example.com:8443/sts",
        ] {
            assert!(endpoint(good).is_ok(), "{good}");
        }
        for bad in [
            "http://sts.amazonaws.com",
            "http://10.0.0.1",
            "http://localhost.example.com",
            "http://127.0.0.1.example.com",
            "http://169.254.169.254",
            "http://[::ffff:10.0.0.1]",
        ] {
            assert_eq!(endpoint(bad), Err(EndpointError::PlainHttp(bad.into())), "{bad}");
        }
    }

    #[test]
    fn what_is_no_address_is_refused_and_a_password_is_not_repeated() {
        for bad in ["", "sts.amazonaws.com", "ftp://127.0.0.1", "https://", "https://a b", "https://h/?x=1", "/x"] {
            assert_eq!(endpoint(bad), Err(EndpointError::Malformed(bad.into())), "{bad}");
        }
        for bad in ["https://user:hunter2@example.com", "http://127.0.0.1@evil.example"] {
            let refused = endpoint(bad).unwrap_err();
            assert_eq!(refused, EndpointError::Credentials);
            assert!(!refused.to_string().contains("hunter2"));
        }
    }

    #[test]
    fn the_services_variable_wins_over_the_general_one_and_that_over_the_profile() {
        let both = [("AWS_ENDPOINT_URL", "https://general"), ("AWS_ENDPOINT_URL_STS", "https://sts")];
        let environment: Environment = both.into_iter().collect();
        let endpoints = Endpoints::from_environment(&environment, Some("https://profile")).unwrap();
        assert_eq!(endpoints.sts, Some(endpoint("https://sts").unwrap()));
        assert_eq!(endpoints.iam, Some(endpoint("https://general").unwrap()));

        let from_profile = Endpoints::from_environment(&Environment::default(), Some("https://profile")).unwrap();
        assert_eq!(from_profile, Endpoints::all_at(endpoint("https://profile").unwrap()));
        assert_eq!(Endpoints::from_environment(&Environment::default(), None), Ok(Endpoints::default()));
    }

    #[test]
    fn configured_endpoints_can_be_ignored_and_bad_ones_are_not() {
        let with = |value| {
            let pairs = [("AWS_ENDPOINT_URL", "nonsense"), ("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", value)];
            Endpoints::from_environment(&pairs.into_iter().collect(), Some("nonsense"))
        };
        assert_eq!(with("true"), Ok(Endpoints::default()));
        assert_eq!(with("false"), Err(EndpointError::Malformed("nonsense".into())));
    }
}
