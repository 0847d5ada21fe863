//! Whether a document still says what it said.

use jiff::Timestamp;
use toml::{Table, Value};

pub fn table(text: &[u8]) -> Table {
    toml::from_str(str::from_utf8(text).expect("documents are text")).expect("documents are TOML")
}

/// Whether every key of `before` is in `after` with an equal value. Times may be written otherwise, and what is empty may
/// be gone.
pub fn survives(before: &Table, after: &Table) -> bool {
    before.iter().all(|(key, value)| match after.get(key) {
        Some(after) => equal(value, after),
        None => is_empty(value),
    })
}

fn equal(before: &Value, after: &Value) -> bool {
    match (before, after) {
        (Value::Table(before), Value::Table(after)) => survives(before, after),
        (Value::Array(before), Value::Array(after)) => {
            before.len() == after.len() && before.iter().zip(after).all(|(before, after)| equal(before, after))
        }
        (Value::String(before), Value::String(after)) => before == after || same_time(before, after),
        (Value::Float(before), Value::Float(after)) => before.total_cmp(after).is_eq(),
        _ => before == after,
    }
}

fn same_time(before: &str, after: &str) -> bool {
    matches!((before.parse::<Timestamp>(), after.parse::<Timestamp>()), (Ok(before), Ok(after)) if before == after)
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Table(table) => table.is_empty(),
        Value::Array(array) => array.is_empty(),
        _ => false,
    }
}
