//! Words for what differs between two states of a vault.

use serde_json::{Value, json};

use crate::cli::escape::escape;
use crate::cli::setting_change::{SettingChange, Values};

/// Of a value that is longer, as much is shown around where the two begin to differ.
const MOST: usize = 80;

/// What stands before that, so that one finds the place.
const BEFORE: usize = 20;

/// `region of `prod`, from `a` to `b``.
pub fn setting(change: &SettingChange) -> String {
    let what = named(change);
    match &change.values {
        None => what,
        Some(values) => {
            let (from, to) = both(values);
            format!("{what}, from {from} to {to}")
        }
    }
}

pub fn named(SettingChange { profile, setting, .. }: &SettingChange) -> String {
    match profile {
        Some(name) => format!("{} of `{name}`", escape(setting)),
        None => format!("{} of the vault", escape(setting)),
    }
}

pub fn of_recipient(name: &str, setting: &str) -> String {
    format!("{} of recipient `{}`", escape(setting), escape(name))
}

/// As they are shown, escaped.
pub fn both(Values { from, to }: &Values) -> (String, String) {
    let (one, other) = (from.as_deref(), to.as_deref());
    (value(one, other), value(other, one))
}

fn value(text: Option<&str>, beside: Option<&str>) -> String {
    text.map_or_else(|| "nothing".to_owned(), |text| format!("`{}`", escape(&cut(text, beside.unwrap_or_default()))))
}

/// Who puts a long text before what matters does not hide it.
fn cut(text: &str, beside: &str) -> String {
    let length = text.chars().count();
    if length <= MOST {
        return text.to_owned();
    }
    let same = text.chars().zip(beside.chars()).take_while(|(one, other)| one == other).count();
    let start = same.saturating_sub(BEFORE).min(length - MOST);
    let shown: String = text.chars().skip(start).take(MOST).collect();
    let before = if start > 0 { "..." } else { "" };
    let after = if start + MOST < length { "..." } else { "" };
    format!("{before}{shown}{after}")
}

/// With its two values under these names.
pub fn json(change: &SettingChange, names: [&str; 2]) -> Value {
    let values = change.values.as_ref();
    json!({
        "profile": change.profile,
        "setting": change.setting,
        names[0]: values.and_then(|values| values.from.as_deref()),
        names[1]: values.and_then(|values| values.to.as_deref()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(from: Option<&str>, to: Option<&str>) -> String {
        let values = Some(Values { from: from.map(str::to_owned), to: to.map(str::to_owned) });
        setting(&SettingChange { profile: None, setting: "grace".to_owned(), values })
    }

    #[test]
    fn a_setting_is_told_from_what_to_what_and_nothing_in_it_acts_on_the_terminal() {
        assert_eq!(told(None, Some("7d")), "grace of the vault, from nothing to `7d`");
        assert_eq!(told(Some("\x1b[31m"), None), "grace of the vault, from `\\u{1b}[31m` to nothing");
        let unknown = SettingChange { profile: "prod".parse().ok(), setting: "a\nb".to_owned(), values: None };
        assert_eq!(setting(&unknown), "a\\u{a}b of `prod`");
    }

    #[test]
    fn a_long_text_is_cut_and_where_two_begin_to_differ_is_shown() {
        let (same, long) = ("x".repeat(100), "y".repeat(100));
        let one = format!("{same}evil{long}");
        let shown = format!("`...{}evil{}...`", "x".repeat(20), "y".repeat(56));
        assert!(told(Some(&one), Some(&same)).ends_with(&format!("from {shown} to `...{}`", "x".repeat(80))));
        assert!(told(None, Some(&long)).ends_with(&format!("to `{}...`", "y".repeat(80))));
        assert!(told(None, Some(&long[..80])).ends_with(&format!("to `{}`", &long[..80])));
    }
}
