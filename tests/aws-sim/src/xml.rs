//! The query protocol's XML, in the shape that the AWS SDKs parse.

use crate::error::AwsError;

pub(crate) fn text(name: &str, value: impl AsRef<str>) -> String {
    format!("<{name}>{}</{name}>", escape(value.as_ref()))
}

pub(crate) fn optional(name: &str, value: Option<impl AsRef<str>>) -> String {
    value.map(|value| text(name, value)).unwrap_or_default()
}

pub(crate) fn nest(name: &str, children: &[String]) -> String {
    format!("<{name}>{}</{name}>", children.concat())
}

pub(crate) fn list(name: &str, members: impl IntoIterator<Item = String>) -> String {
    let members = members.into_iter().map(|member| format!("<member>{member}</member>"));
    format!("<{name}>{}</{name}>", members.collect::<String>())
}

/// `result` is empty for the actions that answer with nothing but a request id.
pub(crate) fn response(action: &str, namespace: &str, result: &str, request_id: &str) -> String {
    let result = if result.is_empty() { String::new() } else { format!("<{action}Result>{result}</{action}Result>") };
    let metadata = nest("ResponseMetadata", &[text("RequestId", request_id)]);
    format!("<{action}Response xmlns=\"{namespace}\">{result}{metadata}</{action}Response>")
}

pub(crate) fn error(error: &AwsError, namespace: &str, request_id: &str) -> String {
    let body =
        nest("Error", &[text("Type", error.fault()), text("Code", &error.code), text("Message", &error.message)]);
    format!("<ErrorResponse xmlns=\"{namespace}\">{body}{}</ErrorResponse>", text("RequestId", request_id))
}

pub(crate) fn escape(value: &str) -> String {
    value.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
