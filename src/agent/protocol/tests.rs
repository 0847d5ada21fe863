use super::*;

fn unlock() -> Unlock {
    Unlock {
        place: Place::from(Path::new("/home/alice/vault.age")),
        vault_id: "id".to_owned(),
        vault_identity: IdentityText::new("AGE-SECRET-KEY-1V".to_owned()),
        session_identity: IdentityText::new("AGE-SECRET-KEY-1S".to_owned()),
        name_key: Zeroizing::new([7; 32]),
        idle: Duration::from_secs(900),
        max: Duration::from_secs(28_800),
        session: Duration::ZERO,
    }
}

fn text(message: Option<SecretBytes>) -> String {
    String::from_utf8(message.unwrap().to_vec()).unwrap()
}

#[test]
fn requests_have_the_form_that_other_programs_may_rely_on() {
    let stanza = Stanza { tag: "X25519".into(), args: vec!["a".into()], body: vec![1, 2, 3] };
    let unwrap =
        Request::Unwrap { vault_id: "id".into(), which: Which::Session, stanzas: vec![WireStanza::from(&stanza)] };
    let key = "BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=";
    for (request, form) in [
        (Request::Hello { place: Path::new("/v").into() }, r#"{"hello":{"place":"/v"}}"#.to_owned()),
        (
            Request::Unlock(unlock()),
            format!(
                r#"{{"unlock":{{"place":"/home/alice/vault.age","vault_id":"id","vault_identity":"AGE-SECRET-KEY-1V","session_identity":"AGE-SECRET-KEY-1S","name_key":"{key}","idle":900,"max":28800,"session":0}}}}"#
            ),
        ),
        (
            unwrap,
            r#"{"unwrap":{"vault_id":"id","which":"session","stanzas":[{"tag":"X25519","args":["a"],"body":"AQID"}]}}"#
                .to_owned(),
        ),
        (Request::Status, r#""status""#.to_owned()),
        (Request::Lock, r#""lock""#.to_owned()),
        (Request::Quit, r#""quit""#.to_owned()),
    ] {
        assert_eq!(text(encode_request(&request)), form);
        assert_eq!(text(encode_request(&decode_request(form.as_bytes()).unwrap())), form);
    }
}

#[test]
fn replies_have_the_form_that_other_programs_may_rely_on() {
    let version: Version = "1.20.3".parse().unwrap();
    let vault = HeldVault {
        vault_id: "id".into(),
        state: State::SessionsOnly,
        session_recipient: "age1".into(),
        name_key: Zeroizing::new([0; 32]),
    };
    let status = VaultStatus {
        place: Path::new("/v").into(),
        vault_id: "id".into(),
        state: State::Unlocked,
        idle_left: Some(1),
        vault_left: Some(2),
        session_left: None,
    };
    for (reply, form) in [
        (
            Reply::Hello(Hello { version, pid: 7, vault: Some(vault) }),
            r#"{"hello":{"version":"1.20.3","pid":7,"vault":{"vault_id":"id","state":"sessions_only","session_recipient":"age1","name_key":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="}}}"#,
        ),
        (
            Reply::Hello(Hello { version, pid: 7, vault: None }),
            r#"{"hello":{"version":"1.20.3","pid":7,"vault":null}}"#,
        ),
        (Reply::FileKey { key: Zeroizing::new([0; 16]) }, r#"{"file_key":{"key":"AAAAAAAAAAAAAAAAAAAAAA=="}}"#),
        (Reply::None, r#""none""#),
        (
            Reply::Status(Status { version, pid: 7, vaults: vec![status] }),
            r#"{"status":{"version":"1.20.3","pid":7,"vaults":[{"place":"/v","vault_id":"id","state":"unlocked","idle_left":1,"vault_left":2,"session_left":null}]}}"#,
        ),
        (Reply::Done, r#""done""#),
    ] {
        assert_eq!(text(encode_reply(&reply)), form);
        assert_eq!(text(encode_reply(&decode_reply(form.as_bytes()).unwrap())), form);
    }
}

#[test]
fn what_makes_no_sense_is_no_request() {
    for nonsense in [
        "",
        "lock",
        r#""LOCK""#,
        r#""lock" "lock""#,
        r#"{"hello":{}}"#,
        r#"{"hello":{"place":"/v","more":1}}"#,
        r#"{"hello":{"place":"/v","place":"/w"}}"#,
        r#"{"unwrap":{"vault_id":"id","which":"other","stanzas":[]}}"#,
        r#"{"unwrap":{"vault_id":"id","which":"vault","stanzas":[{"tag":"t","args":[],"body":"AQI"}]}}"#,
    ] {
        assert!(decode_request(nonsense.as_bytes()).is_none(), "{nonsense}");
    }
    let valid = text(encode_request(&Request::Unlock(unlock())));
    for (field, other) in [("900", "-1"), ("900", "1.5"), ("900", "\"900\""), ("BwcH", "BwcHBwcH"), ("Bwc=", "Bwd=")] {
        assert!(decode_request(valid.replacen(field, other, 1).as_bytes()).is_none(), "{other}");
    }
    assert!(decode_request(valid.as_bytes()).is_some());
}

#[test]
fn a_message_that_is_too_long_is_not_made() {
    let long = "x".repeat(frame::LONGEST - 20);
    assert!(encode_request(&Request::Hello { place: Path::new(&long).into() }).is_none());
}

/// Deeper, it would end the whole test program.
#[test]
fn messages_are_made_and_read_within_half_the_depth_that_is_wiped() {
    let within = |work: fn() -> bool| {
        // Of which the thread itself takes a part.
        std::thread::Builder::new().stack_size(DEPTH / 2).spawn(work).unwrap().join().unwrap()
    };
    assert!(within(|| {
        let message = serde_json::to_vec(&Request::Unlock(unlock())).unwrap();
        serde_json::from_slice::<Request>(&message).is_ok()
    }));
    assert!(within(|| {
        let stanza = WireStanza { tag: "X25519".into(), args: vec!["a".into()], body: vec![0; 32] };
        let unwrap = Request::Unwrap { vault_id: "id".into(), which: Which::Vault, stanzas: vec![stanza] };
        let message = serde_json::to_vec(&unwrap).unwrap();
        serde_json::from_slice::<Request>(&message).is_ok()
    }));
    assert!(within(|| {
        let message = serde_json::to_vec(&Reply::FileKey { key: Zeroizing::new([7; 16]) }).unwrap();
        serde_json::from_slice::<Reply>(&message).is_ok()
    }));
}

#[test]
fn places_that_are_no_text_are_told_apart() {
    use std::ffi::OsStr;
    let place = |bytes: &[u8]| Place::from(Path::new(OsStr::from_bytes(bytes)));
    assert_ne!(place(b"/v\xff"), place(b"/v\xfe"));
    assert_eq!(place("/vä".as_bytes()).as_str(), "/vä");
}
