//! A refusal in AWS's words: HTTP status, code, message.

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct AwsError {
    pub status: u16,
    pub code: String,
    pub message: String,
}

impl AwsError {
    pub fn new(status: u16, code: &str, message: impl Into<String>) -> AwsError {
        AwsError { status, code: code.to_owned(), message: message.into() }
    }

    pub fn access_denied(message: impl Into<String>) -> AwsError {
        AwsError::new(403, "AccessDenied", message)
    }

    pub fn validation(message: impl Into<String>) -> AwsError {
        AwsError::new(400, "ValidationError", message)
    }

    /// What AWS answers for an unknown key, an inactive one, one not live yet, and a token that isn't the key's:
    /// none of these can be told from the others by the reply.
    pub fn invalid_token() -> AwsError {
        AwsError::new(403, "InvalidClientTokenId", "The security token included in the request is invalid.")
    }

    pub fn expired_token() -> AwsError {
        AwsError::new(403, "ExpiredToken", "The security token included in the request is expired")
    }

    pub fn signature(message: impl Into<String>) -> AwsError {
        AwsError::new(403, "SignatureDoesNotMatch", message)
    }

    pub fn throttled() -> AwsError {
        AwsError::new(400, "Throttling", "Rate exceeded")
    }

    pub fn no_such_entity(message: impl Into<String>) -> AwsError {
        AwsError::new(404, "NoSuchEntity", message)
    }

    /// IAM's and STS's service side is at fault from 500 on, the sender below.
    pub fn fault(&self) -> &'static str {
        if self.status >= 500 { "Receiver" } else { "Sender" }
    }
}
