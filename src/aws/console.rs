//! Addresses of the AWS console. Pure.
//! https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_providers_enable-console-custom-url.html

use form_urlencoded::Serializer;

use crate::names::{Endpoint, Region, RoleArn};
use crate::secret::SigninToken;

/// A part of AWS with accounts, keys and a console of its own. The others (isolated ones) have consoles that are not public.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Partition {
    Aws,
    China,
    UsGov,
}

/// A page of the console.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Page {
    Home,
    /// Of a service, as the console's addresses name it: `s3`, `ec2`, `cloudwatch`.
    Service(String),
    /// What stands behind the host.
    Path(String),
}

impl Partition {
    /// By the second word of an ARN.
    pub fn of(arn: &str) -> Option<Self> {
        match arn.strip_prefix("arn:")?.split(':').next()? {
            "aws" => Some(Self::Aws),
            "aws-cn" => Some(Self::China),
            "aws-us-gov" => Some(Self::UsGov),
            _ => None,
        }
    }

    fn sign_in_host(self) -> &'static str {
        match self {
            Self::Aws => "signin.aws.amazon.com",
            Self::China => "signin.amazonaws.cn",
            Self::UsGov => "signin.amazonaws-us-gov.com",
        }
    }

    fn console_host(self) -> &'static str {
        match self {
            Self::Aws => "console.aws.amazon.com",
            Self::China => "console.amazonaws.cn",
            Self::UsGov => "console.amazonaws-us-gov.com",
        }
    }

    /// Where a session is traded for a sign-in: at whoever made it, since a session made elsewhere must never be sent to AWS,
    /// nor one of AWS's elsewhere. No variable can name another place.
    pub fn federation(self, session_endpoint: Option<&Endpoint>) -> String {
        match session_endpoint.filter(|endpoint| !endpoint.is_awss_own()) {
            Some(endpoint) => format!("{endpoint}/federation"),
            None => format!("https://{}/federation", self.sign_in_host()),
        }
    }

    pub fn page(self, page: &Page, region: Option<&Region>) -> String {
        let path = match page {
            Page::Home => "console/home".to_owned(),
            Page::Service(service) => format!("{service}/home"),
            Page::Path(path) => path.trim_start_matches('/').to_owned(),
        };
        let host = self.console_host();
        match region {
            // An address that says it all by itself is left as it is.
            Some(region) if path.contains(['?', '#']) => format!("https://{region}.{host}/{path}"),
            Some(region) => format!("https://{region}.{host}/{path}?region={region}"),
            None => format!("https://{host}/{path}"),
        }
    }

    /// Who opens it within 15 minutes is signed in.
    pub fn sign_in(self, session_endpoint: Option<&Endpoint>, token: &SigninToken, destination: &str) -> String {
        let mut query = Serializer::new(String::new());
        query.append_pair("Action", "login").append_pair("Issuer", "vault");
        query.append_pair("Destination", destination).append_pair("SigninToken", token.expose());
        format!("{}?{}", self.federation(session_endpoint), query.finish())
    }

    /// Where a person who is signed in takes on a role.
    /// https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_switch-role-console.html
    pub fn switch_role(self, role: &RoleArn, display_name: &str) -> String {
        let mut query = Serializer::new(String::new());
        query.append_pair("account", role.account()).append_pair("roleName", role.path_and_name());
        query.append_pair("displayName", display_name);
        format!("https://{}/switchrole?{}", self.sign_in_host(), query.finish())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn region() -> Option<Region> {
        Some("eu-central-1".parse().unwrap())
    }

    #[test]
    fn every_public_partition_has_its_own_hosts_and_others_none() {
        for (arn, sign_in, console) in [
            ("arn:aws:iam::1:user/x", "signin.aws.amazon.com", "console.aws.amazon.com"),
            ("arn:aws-cn:iam::1:user/x", "signin.amazonaws.cn", "console.amazonaws.cn"),
            ("arn:aws-us-gov:iam::1:user/x", "signin.amazonaws-us-gov.com", "console.amazonaws-us-gov.com"),
        ] {
            let partition = Partition::of(arn).unwrap();
            assert_eq!(partition.federation(None), format!("https://{sign_in}/federation"));
            assert_eq!(partition.page(&Page::Home, None), format!("https://{console}/console/home"));
        }
        for arn in ["arn:aws-iso:iam::1:user/x", "arn:aws-eusc:iam::1:user/x", "x", ""] {
            assert_eq!(Partition::of(arn), None, "{arn}");
        }
    }

    #[test]
    fn a_session_is_traded_where_it_was_made_and_awss_own_at_aws() {
        let at = |endpoint: &str| Partition::Aws.federation(Some(&endpoint.parse().unwrap()));
        assert_eq!(at("http://127.0.0.1:4566"), "http://127.0.0.1:4566/federation");
        assert_eq!(at("https://aws.example.com/sts"), "https://aws.example.com/sts/federation");
        let aws = "https://signin.aws.amazon.com/federation";
        for own in ["https://sts-fips.us-east-1.amazonaws.com", "https://sts.us-east-1.api.aws"] {
            assert_eq!(at(own), aws);
        }
        for others in ["https://amazonaws.com.example.com", "https://xamazonaws.com"] {
            assert_eq!(at(others), format!("{others}/federation"));
        }
    }

    #[test]
    fn a_page_has_the_region_in_host_and_query_unless_its_path_says_it_all() {
        let page = |page, region: Option<Region>| Partition::Aws.page(&page, region.as_ref());
        let service = || Page::Service("s3".into());
        let eu = "https://eu-central-1.console.aws.amazon.com";
        assert_eq!(page(Page::Home, region()), format!("{eu}/console/home?region=eu-central-1"));
        assert_eq!(page(service(), region()), format!("{eu}/s3/home?region=eu-central-1"));
        assert_eq!(page(service(), None), "https://console.aws.amazon.com/s3/home");
        let path = "/cloudwatch/home?region=us-east-1#logs:";
        assert_eq!(page(Page::Path(path.into()), region()), format!("{eu}{path}"));
        let path = Page::Path("vpc/home".into());
        assert_eq!(page(path, region()), format!("{eu}/vpc/home?region=eu-central-1"));
    }

    #[test]
    fn a_sign_in_carries_its_token_and_page_without_breaking_out() {
        let token = SigninToken::new("a+b/c=&Action=x".into());
        let address = Partition::Aws.sign_in(None, &token, "https://console.aws.amazon.com/x?a=b&c");
        let (place, query) = address.split_once('?').unwrap();
        assert_eq!(place, "https://signin.aws.amazon.com/federation");
        let pairs: Vec<(String, String)> = form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        let pairs: Vec<(&str, &str)> = pairs.iter().map(|(name, value)| (&**name, &**value)).collect();
        let expected = [
            ("Action", "login"),
            ("Issuer", "vault"),
            ("Destination", "https://console.aws.amazon.com/x?a=b&c"),
            ("SigninToken", "a+b/c=&Action=x"),
        ];
        assert_eq!(pairs, expected);
    }

    #[test]
    fn a_role_is_switched_to_by_account_path_and_name() {
        let role = "arn:aws:iam::123456789012:role/team/admin".parse().unwrap();
        assert_eq!(
            Partition::Aws.switch_role(&role, "team:admin"),
            "https://signin.aws.amazon.com/switchrole?account=123456789012&roleName=team%2Fadmin&displayName=team%3Aadmin"
        );
    }
}
