use super::*;
use age_core::format::Stanza;

fn bech32(prefix: &str) -> String {
    bech32::encode_lower::<bech32::Bech32>(bech32::Hrp::parse_unchecked(prefix), b"key").unwrap()
}

fn of_identity(text: &str) -> Option<String> {
    plugin_of_identity(&IdentityText::new(text.to_owned()))
}

#[test]
fn recipients_and_identities_name_their_plugin() {
    assert_eq!(plugin_of_recipient(&bech32("age1yubikey")).as_deref(), Some("age-plugin-yubikey"));
    assert_eq!(plugin_of_recipient(&bech32("age1a-b.c_d+e")).as_deref(), Some("age-plugin-a-b.c_d+e"));
    assert_eq!(of_identity(&bech32("age-plugin-yubikey-").to_uppercase()).as_deref(), Some("age-plugin-yubikey"));
}

#[test]
fn what_is_no_plugins_names_none() {
    let recipient = bech32("age1yubikey");
    let (short, longer) = (&recipient[..recipient.len() - 1], format!("{recipient}q"));
    let native = crate::store::identity::recipient(&crate::store::identity::generate()).unwrap();
    for text in ["", "age1", &bech32("age"), &bech32("age1"), &bech32("agf1yubikey"), &native, short, &longer] {
        assert_eq!(plugin_of_recipient(text), None, "{text}");
    }
    for prefix in ["age-plugin-", "age-plugin--", "age-plugin-yubikey", "age-secret-key-", "age1yubikey"] {
        assert_eq!(of_identity(&bech32(prefix).to_uppercase()), None, "{prefix}");
    }
    assert_eq!(of_identity(&bech32("age-plugin-yubikey-")), None, "lower case");
}

#[test]
fn no_name_leads_out_of_a_folder() {
    for name in ["../x", "a/b", "a:b", "~"] {
        assert_eq!(plugin_of_recipient(&bech32(&format!("age1{name}"))), None, "{name}");
        assert_eq!(of_identity(&bech32(&format!("age-plugin-{name}-")).to_uppercase()), None, "{name}");
    }
}

#[test]
fn a_stanza_of_any_length_is_read_as_it_was_written_and_its_last_line_is_known() {
    for length in (0..200).chain([4096]) {
        let body = vec![7; length];
        let text = stanza::encode("tag", &["one", "two"], &body);
        let lines: Vec<&[u8]> = text.split_inclusive(|byte| *byte == b'\n').collect();
        let (last, others) = lines.split_last().unwrap();
        assert!(stanza::is_last(last) && !others.iter().any(|line| stanza::is_last(line)), "{length}");
        let expected = Stanza { tag: "tag".into(), args: vec!["one".into(), "two".into()], body };
        assert_eq!(stanza::decode(&text), Some(expected));
    }
    assert_eq!(stanza::decode(b"-> tag\n!\n"), None);
    assert_eq!(stanza::decode(b"-> \n\n"), None);
}
