//! Whatever a request to the credentials endpoint says: it is answered only if it is the one that an SDK sends, with the token, and
//! nothing in it tells of a page or a proxy.
#![no_main]

use libfuzzer_sys::fuzz_target;
use vault::server::guard::{Asked, Guard, PATH};
use vault::server::token::Token;

const ADDRESS: &str = "127.0.0.1:40123";

/// Stands for the token, which is another one each time.
const SHOWN: &str = "TOKEN";

fuzz_target!(|bytes: &[u8]| {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let Ok(token) = Token::generate() else { return };
    let shown = token.expose().to_owned();
    let guard = Guard::new(ADDRESS.parse().expect("an address"), false, token);
    let text = text.replace(SHOWN, &shown);
    let mut lines = text.lines();
    let (method, target) = lines.next().and_then(|line| line.split_once(' ')).unwrap_or_default();
    let headers: Vec<(&str, &[u8])> =
        lines.filter_map(|line| line.split_once(": ")).map(|(name, value)| (name, value.as_bytes())).collect();
    let asked = Asked { peer: [127, 0, 0, 1].into(), method, target, headers: &headers };
    match guard.admit(&asked) {
        Ok(()) => is_an_sdks(&asked, &shown),
        Err(refusal) => {
            assert!((400..500).contains(&refusal.status()));
            assert!(!refusal.to_string().contains(&shown), "the token is told");
        }
    }
    // From elsewhere it is never answered, whatever it shows.
    assert!(guard.admit(&Asked { peer: [10, 0, 0, 1].into(), ..asked }).is_err());
});

fn is_an_sdks(asked: &Asked, token: &str) {
    assert_eq!((asked.method, asked.target), ("GET", PATH));
    for (name, own) in [("host", ADDRESS), ("authorization", token)] {
        let values: Vec<&[u8]> =
            asked.headers.iter().filter(|(key, _)| key.to_lowercase() == name).map(|(_, value)| *value).collect();
        assert_eq!(values, [own.as_bytes()], "{name}");
    }
    for (name, value) in asked.headers {
        let name = name.to_lowercase();
        let telling = ["origin", "referer", "via", "forwarded", "transfer-encoding"];
        assert!(!telling.contains(&&*name) && !name.starts_with("sec-fetch-") && !name.starts_with("x-forwarded-"));
        assert!(name != "content-length" || *value == b"0");
    }
}
