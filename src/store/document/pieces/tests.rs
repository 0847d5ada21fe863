use proptest::prelude::*;
use proptest::sample::{Index, select};

use super::*;

const HEAD: &str = r#"# A comment.

top = "scalar"

[meta]
format = 1
vault_id = "AAAAAAAAAAAAAAAAAAAAAA"
generation = 7
rekeyed_at = "2026-01-01T00:00:00Z"
rekeyed_generation = 3
written_at = "2026-01-02T00:00:00.5Z"
writer = "laptop"

[auth]
ed25519_seed = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"

[session]
identity = "AGE-SECRET-KEY-1GQ9778VQXMMJVE8SK7J6VT8UJ4HDQAJUVSFCWCM02D8GEWQ72PVQ2Y5J33"
"#;

/// Lines of profiles, sound ones and such as reach over the lines after them or take back what those before them said.
const LINES: [&str; 30] = [
    "[profile.a]",
    "[profile.b]",
    "[profile.\"c.d\"]",
    "[profile.'e']",
    "[profile.f] # with a comment",
    "[ profile . g ]",
    "[\"profile\".h]",
    "[profile.a.access_key]",
    "[profile.b.session_tags]",
    "[profile.\"c.d\".session_tags]",
    "[profile.\"\\u0061\"]",
    "[profile]",
    "[[profile.b.list]]",
    "[[profile]]",
    "[other]",
    "region = \"eu-central-1\"",
    "duration_seconds = 900",
    "duration_seconds = \"900\"",
    "unknown = [",
    "[\"nested\"],",
    "]",
    "unknown = { a = 1,",
    "}",
    "text = \"\"\"",
    "\"\"\"",
    "text = '''",
    "'''",
    "id = \"AKIAIOSFODNN7EXAMPLE\"",
    "secret = \"s3cret\"\nadded = \"2026-01-01T00:00:00Z\"",
    "",
];

/// Whatever pieces a text is cut into: what is read in pieces is what is read at once.
fn assert_same(text: &str) {
    for size in [1, 40, 200] {
        let Some(document) = read_by(text, size) else { continue };
        let whole = toml::from_str::<Document>(text);
        let whole = whole.unwrap_or_else(|error| panic!("only in pieces of {size} it can be read: {error}\n{text}"));
        assert_eq!(*document.encode().unwrap(), *whole.encode().unwrap());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn what_is_read_in_pieces_is_what_is_read_at_once(lines in prop::collection::vec(select(&LINES[..]), 0..24)) {
        assert_same(&format!("{HEAD}{}\n", lines.join("\n")));
    }

    #[test]
    fn a_line_out_of_place_is_no_concern_of_the_pieces(
        line in select(&LINES[..]), profiles in 2..9_usize, place in any::<Index>(),
    ) {
        let written = written(profiles);
        let mut lines: Vec<&str> = written.lines().collect();
        lines.insert(place.index(lines.len() + 1), line);
        assert_same(&lines.join("\n"));
    }
}

#[test]
fn what_we_write_is_read_in_pieces() {
    let written = written(500);
    let (head, pieces) = cut(&written, 1_000).unwrap();
    assert!(!head.contains("[profile") && pieces.len() > 50, "{} pieces after {head}", pieces.len());
    assert_eq!(format!("{head}{}", pieces.concat()), written);
    assert_eq!(*read_by(&written, 1_000).unwrap().encode().unwrap(), written);
}

#[test]
fn no_profile_may_be_taken_from_two_places() {
    let text = format!("{HEAD}\n[profile.a]\n[profile.b]\n");
    assert!(read_by(&text, 1).is_some());
    assert!(read_by(&format!("{text}[profile.a]\n"), 1).is_none(), "twice");
    assert!(read_by(&format!("profile = {{}}\n{text}"), 1).is_none(), "a closed table before");
    let with_headers = text.replace("[profile.b]", "[profile]\n[profile.b]\n [ profile ]");
    assert!(read_by(&with_headers, 1).is_none(), "two headers of their own");
    assert!(read_by(&format!("\"\\u0070rofile\" = {{}}\n{text}"), 1).is_none(), "the same in disguise");
}

/// A document as we write it, of so many profiles.
fn written(profiles: usize) -> String {
    let mut document: Document = toml::from_str(HEAD).unwrap();
    for n in 0..profiles {
        let text = format!(
            "region = \"eu-central-1\"\n[access_key]\nid = \"AKIA{n:016}\"\nsecret = \"{n}\"\n\
             added = \"2026-01-01T00:00:00Z\"\n[session_tags]\nteam = \"a\"\n"
        );
        document.profiles.insert(format!("team.{n}/x").parse().unwrap(), toml::from_str(&text).unwrap());
    }
    document.encode().unwrap().to_string()
}
