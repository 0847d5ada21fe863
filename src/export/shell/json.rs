//! What to set and what to unset, for programs.

use std::collections::BTreeMap;

use serde::Serialize;
use zeroize::Zeroizing;

use crate::export::environment::Variables;

#[derive(Serialize)]
struct Document<'a> {
    version: u32,
    set: BTreeMap<&'a str, &'a str>,
    unset: Vec<&'a str>,
}

pub fn document(variables: &Variables) -> Zeroizing<String> {
    let document = Document { version: 1, set: variables.set().collect(), unset: variables.unset().collect() };
    let text = serde_json::to_string_pretty(&document).expect("text keys and values are all JSON");
    Zeroizing::new(text + "\n")
}
