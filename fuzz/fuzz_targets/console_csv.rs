//! A file that calls itself the console's: the keys that are read from it stand there, and written plainly, are read again.
#![no_main]

use libfuzzer_sys::fuzz_target;
use vault::import::console_csv::{Row, rows};

fuzz_target!(|bytes: &[u8]| {
    let Ok(found) = rows(bytes) else { return };
    assert!(!found.is_empty());
    for (user, id, secret) in found.iter().map(told) {
        assert!([user.unwrap_or_default(), id, secret].iter().all(|text| stands_in(bytes, text)));
    }
    assert!(found.is_sorted_by_key(|row| row.line), "the lines are those of the file");
    let lines = found.iter().map(written).collect::<String>();
    let again = rows(format!("User name,Access key ID,Secret access key\n{lines}").as_bytes()).ok();
    assert!(again.expect("a plain file").iter().map(told).eq(found.iter().map(told)), "{lines}");
});

fn written(row: &Row) -> String {
    let (user, id, secret) = told(row);
    let quoted = |text: &str| format!("\"{}\"", text.replace('"', "\"\""));
    format!("{},{id},{}\n", quoted(user.unwrap_or_default()), quoted(secret))
}

fn told(row: &Row) -> (Option<&str>, &str, &str) {
    (row.user.as_deref(), row.key.id.as_str(), row.key.secret.expose())
}

/// Quotes apart: they are written twice within a field, and may stand around a part of it.
fn stands_in(bytes: &[u8], text: &str) -> bool {
    let unquoted = |bytes: &[u8]| bytes.iter().copied().filter(|byte| *byte != b'"').collect::<Vec<_>>();
    let (bytes, text) = (unquoted(bytes), unquoted(text.as_bytes()));
    text.is_empty() || bytes.windows(text.len()).any(|window| window == text)
}
