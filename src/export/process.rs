//! The JSON that the AWS SDKs read from a `credential_process` (AWS SDKs and Tools Reference Guide, "Process credential
//! provider").

use serde::Serialize;
use zeroize::Zeroizing;

use crate::credentials::SessionCredentials;

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Document<'a> {
    version: u32,
    access_key_id: &'a str,
    secret_access_key: &'a str,
    session_token: &'a str,
    expiration: &'a str,
}

/// One line; a secret.
pub fn render(session: &SessionCredentials) -> Zeroizing<String> {
    let expiration = session.expiration_text();
    let document = Document {
        version: 1,
        access_key_id: session.access_key_id.as_str(),
        secret_access_key: session.secret_access_key.expose(),
        session_token: session.session_token.expose(),
        expiration: &expiration,
    };
    let mut text = Zeroizing::new(serde_json::to_string(&document).expect("text and a number are all JSON"));
    text.push('\n');
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::{SecretAccessKey, SessionToken};

    #[test]
    fn the_sdks_get_these_five_fields_and_nothing_else() {
        let session = SessionCredentials {
            access_key_id: "ASIAIOSFODNN7EXAMPLE".parse().unwrap(),
            secret_access_key: SecretAccessKey::new("a/b+c".into()),
            session_token: SessionToken::new("t\"=\\".into()),
            expiration: "2026-01-02T03:04:05.9Z".parse().unwrap(),
        };
        assert_eq!(
            *render(&session),
            "{\"Version\":1,\"AccessKeyId\":\"ASIAIOSFODNN7EXAMPLE\",\"SecretAccessKey\":\"a/b+c\",\
             \"SessionToken\":\"t\\\"=\\\\\",\"Expiration\":\"2026-01-02T03:04:05Z\"}\n"
        );
    }
}
