//! Signature Version 4, recomputed from the request as it arrived.
//! https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv.html

use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use crate::error::AwsError;
use crate::http::Incoming;

/// AWS's reference gives five minutes as the most a request's date may be off.
const TOLERANCE: SignedDuration = SignedDuration::from_mins(5);
const DATE_FORMAT: &str = "%Y%m%dT%H%M%SZ";
const MISMATCH: &str = "The request signature we calculated does not match the signature you provided. Check your AWS \
                        Secret Access Key and signing method. Consult the service documentation for details.";

/// What the `Authorization` header claims.
pub(crate) struct Claim {
    pub access_key_id: String,
    pub region: String,
    pub token: Option<String>,
    date: String,
    service: String,
    terminator: String,
    signed_headers: String,
    signature: String,
    time: Timestamp,
}

impl Claim {
    pub fn read(incoming: &Incoming) -> Result<Claim, AwsError> {
        let missing = || AwsError::new(403, "MissingAuthenticationToken", "Request is missing Authentication Token");
        let authorization = incoming.header("authorization").ok_or_else(missing)?;
        let fields = authorization.strip_prefix("AWS4-HMAC-SHA256 ").ok_or_else(missing)?;
        let scope = field(fields, "Credential")?;
        let mut parts = scope.split('/').map(str::to_owned);
        let mut part =
            || parts.next().ok_or_else(|| incomplete("Credential must have exactly 5 slash-delimited elements"));
        Ok(Claim {
            access_key_id: part()?,
            date: part()?,
            region: part()?,
            service: part()?,
            terminator: part()?,
            token: incoming.header("x-amz-security-token").map(str::to_owned),
            signed_headers: field(fields, "SignedHeaders")?.to_owned(),
            signature: field(fields, "Signature")?.to_owned(),
            time: time(incoming)?,
        })
    }

    pub fn check_scope(&self, service: &str) -> Result<(), AwsError> {
        if self.terminator != "aws4_request" {
            return Err(AwsError::signature("Credential should be scoped with a valid terminator: 'aws4_request'."));
        }
        if self.service != service {
            let message = format!("Credential should be scoped to correct service: '{service}'.");
            return Err(AwsError::signature(message));
        }
        if !is_region(&self.region) {
            return Err(AwsError::signature("Credential should be scoped to a valid region."));
        }
        let day = self.time.strftime("%Y%m%d").to_string();
        if self.date != day {
            let stamp = self.time.strftime(DATE_FORMAT);
            return Err(AwsError::signature(format!(
                "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '{}' != \
                 '{day}', from '{stamp}'.",
                self.date
            )));
        }
        Ok(())
    }

    pub fn check_time(&self, now: Timestamp) -> Result<(), AwsError> {
        let show = |time: Timestamp| time.strftime(DATE_FORMAT).to_string();
        let (earliest, latest) = (now - TOLERANCE, now + TOLERANCE);
        let message = if self.time < earliest {
            format!(
                "Signature expired: {} is now earlier than {} ({} - 5 min.)",
                show(self.time),
                show(earliest),
                show(now)
            )
        } else if self.time > latest {
            format!(
                "Signature not yet current: {} is still later than {} ({} + 5 min.)",
                show(self.time),
                show(latest),
                show(now)
            )
        } else {
            return Ok(());
        };
        Err(AwsError::signature(message))
    }

    /// Signs the request anew over the headers that the client says it signed, and compares.
    pub fn check_signature(&self, incoming: &Incoming, secret: &str) -> Result<(), AwsError> {
        let unreadable = |error: &dyn std::fmt::Display| incomplete(&error.to_string());
        let uri = format!("http://{}{}", incoming.header("host").unwrap_or_default(), incoming.target);
        let headers = self.headers_to_sign(incoming);
        let request =
            SignableRequest::new(&incoming.method, uri, headers.into_iter(), SignableBody::Bytes(&incoming.body))
                .map_err(|error| unreadable(&error))?;
        let identity = Credentials::new(&self.access_key_id, secret, self.token.clone(), None, "aws-sim").into();
        let mut settings = SigningSettings::default();
        // The client's own choice of headers decides; the crate's list of those to leave out would override it.
        settings.excluded_headers = None;
        let parameters = v4::SigningParams::builder()
            .identity(&identity)
            .region(&self.region)
            .name(&self.service)
            .time(SystemTime::UNIX_EPOCH + Duration::from_secs(self.time.as_second().unsigned_abs()))
            .settings(settings)
            .build()
            .map_err(|error| unreadable(&error))?
            .into();
        let (signed, _) = sign(request, &parameters).map_err(|error| unreadable(&error))?.into_parts();
        let authorization = signed.headers().find(|(name, _)| *name == "authorization");
        let expected = authorization.map(|(_, value)| value).unwrap_or_default();
        let agrees =
            field(expected, "SignedHeaders")? == self.signed_headers && field(expected, "Signature")? == self.signature;
        if agrees { Ok(()) } else { Err(AwsError::signature(MISMATCH)) }
    }

    /// The date and the token are left out: the signer adds them itself, so that a client that didn't sign them ends
    /// with another list of signed headers.
    fn headers_to_sign<'a>(&self, incoming: &'a Incoming) -> Vec<(&'a str, &'a str)> {
        let signed = |name: &str| self.signed_headers.split(';').any(|signed| signed == name);
        let added = |name: &str| name == "x-amz-date" || name == "x-amz-security-token";
        let headers = incoming.headers.iter().filter(|(name, _)| signed(name) && !added(name));
        headers.map(|(name, value)| (name.as_str(), value.as_str())).collect()
    }
}

/// IAM itself is signed for us-east-1 alone. But an SDK that is sent to another endpoint signs for whatever region it was
/// given, IAM or not, so any region passes here; the log tells which it was.
fn is_region(name: &str) -> bool {
    name.split('-').count() >= 3 && name.ends_with(|last: char| last.is_ascii_digit())
}

fn field<'a>(fields: &'a str, name: &str) -> Result<&'a str, AwsError> {
    let mut pairs = fields.split(',').filter_map(|pair| pair.trim().split_once('='));
    let found = pairs.find(|(key, _)| *key == name).map(|(_, value)| value);
    found.ok_or_else(|| incomplete(&format!("Authorization header requires '{name}' parameter.")))
}

fn time(incoming: &Incoming) -> Result<Timestamp, AwsError> {
    let text = incoming.header("x-amz-date").unwrap_or_default();
    let time = DateTime::strptime(DATE_FORMAT, text).and_then(|time| time.to_zoned(TimeZone::UTC));
    time.map(|time| time.timestamp())
        .map_err(|_| incomplete("Date must be in ISO-8601 'basic format' in the 'X-Amz-Date' header."))
}

fn incomplete(message: &str) -> AwsError {
    AwsError::new(400, "IncompleteSignature", message)
}
