//! Words for policies.

use crate::cli::escape::escape;
use crate::cli::names_given;
use crate::policy::TEMPLATES;

use super::{Report, Status};

pub fn unknown(name: &str) -> Report {
    let meant = names_given::alike(name, TEMPLATES.iter().map(|template| template.name));
    let suggestion = meant.map(|name| format!("; did you mean `{name}`?")).unwrap_or_default();
    Report::new(Status::Usage, format!("no policy named `{}`{suggestion}", escape(name)))
        .hint("`vault policy list` shows them")
}
