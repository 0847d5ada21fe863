//! nushell, which evaluates no text that it is given, but loads a record: `from json | load-env`. A variable that is null is
//! not there for the programs it starts; `hide-env` would take a line for each.
//! https://www.nushell.sh/commands/docs/load-env.html

use std::collections::BTreeMap;
use zeroize::Zeroizing;

use crate::export::environment::Variables;

pub fn record(variables: &Variables) -> Zeroizing<String> {
    let unset = variables.unset().map(|name| (name, None));
    let set = variables.set().map(|(name, value)| (name, Some(value)));
    let record: BTreeMap<&str, Option<&str>> = unset.chain(set).collect();
    let text = serde_json::to_string_pretty(&record).expect("text keys and values are all JSON");
    Zeroizing::new(text + "\n")
}
