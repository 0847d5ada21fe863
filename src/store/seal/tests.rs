use super::*;
use crate::store::document::Recipient;
use jiff::Timestamp;

/// A small vault that two identities open, the first of them as if a passphrase had derived it.
pub(super) fn vault() -> (Document, IdentityText, IdentityText) {
    let (derived, recovery) = (identity::generate(), identity::generate());
    let mut document = Document::new(Timestamp::UNIX_EPOCH, "host".into(), identity::generate()).unwrap();
    document.recipients = vec![recipient("passphrase", &derived), recipient("recovery", &recovery)];
    (document, derived, recovery)
}

fn recipient(name: &str, identity: &IdentityText) -> Recipient {
    let kdf = (name == "passphrase").then(|| KdfParameters::new([5; 16], 8192, 3, 4).unwrap().into());
    let public = identity::recipient(identity).unwrap();
    Recipient { kdf, ..Recipient::new(name, name.to_owned().into(), public, Timestamp::UNIX_EPOCH, "host") }
}

fn refused(file: &[u8], identity: &IdentityText) -> UnsealError {
    unseal(file, identity, &Plugins::none()).err().expect("opened")
}

#[test]
fn every_recipient_opens_what_was_sealed_and_nobody_else_does() {
    let (document, derived, recovery) = vault();
    let file = seal(&document, &Plugins::none()).unwrap();
    for identity in [&derived, &recovery] {
        let opened = unseal(&file, identity, &Plugins::none()).unwrap();
        assert_eq!(*opened.encode().unwrap(), *document.encode().unwrap());
    }
    assert!(matches!(refused(&file, &identity::generate()), UnsealError::WrongIdentity));
    assert!(matches!(refused(&file, &IdentityText::new("AGE-SECRET".into())), UnsealError::NotAnIdentity));
}

#[test]
fn the_header_says_how_the_passphrase_derives_and_does_not_hold_its_recipient() {
    let (document, ..) = vault();
    let file = seal(&document, &Plugins::none()).unwrap();
    let expected = "age-encryption.org/v1\n-> vault-format.v1/argon2id BQUFBQUFBQUFBQUFBQUFBQ 8192 3 4\n\n-> X25519 ";
    assert!(file.starts_with(expected.as_bytes()));
    let public = document.recipients[0].recipient.as_bytes();
    assert!(!file.windows(public.len()).any(|window| window == public));
}

#[test]
fn every_flipped_bit_is_refused() {
    let (document, derived, _) = vault();
    let file = seal(&document, &Plugins::none()).unwrap();
    let header = file.windows(5).position(|window| window == b"\n--- ").unwrap() + 50;
    for position in 0..file.len() {
        // All eight where the structure is; one of them, in turn, where every byte is under the same authentication.
        let bits = if position < header { 0..8 } else { position % 8..position % 8 + 1 };
        for bit in bits {
            let mut flipped = file.clone();
            flipped[position] ^= 1 << bit;
            assert!(
                unseal(&flipped, &derived, &Plugins::none()).is_err(),
                "bit {bit} of byte {position} was not missed"
            );
        }
    }
}

#[test]
fn a_file_cut_short_or_continued_at_any_byte_is_refused() {
    let (document, derived, _) = vault();
    let mut file = seal(&document, &Plugins::none()).unwrap();
    for length in 0..file.len() {
        assert!(unseal(&file[..length], &derived, &Plugins::none()).is_err(), "the first {length} bytes opened");
    }
    file.push(0);
    assert!(matches!(refused(&file, &derived), UnsealError::ContentDamaged));
}

#[test]
fn who_can_encrypt_to_the_recipients_still_cannot_write_a_vault() {
    let (document, derived, _) = vault();
    let text = document.encode().unwrap();
    let (plugins, trouble) = (Plugins::none(), Trouble::default());
    let recipients = recipients(&document, &plugins, &trouble).unwrap();
    let forge = |payload: &[u8]| refused(&encrypt(&[payload], &recipients).unwrap(), &derived);
    assert!(matches!(forge(text.as_bytes()), UnsealError::Signature));
    let other_key = ed25519_dalek::SigningKey::from_bytes(&[3; 32]);
    let signature = BASE64.encode(other_key.sign(&unsigned(&document).unwrap()[SIGNED_FROM..]).to_bytes());
    assert!(matches!(forge(format!("#sig {signature}\n{}", *text).as_bytes()), UnsealError::Signature));
    let genuine = sign(&document).unwrap();
    let genuine = str::from_utf8(&genuine).unwrap();
    assert!(matches!(forge(genuine.replace("host", "ghost").as_bytes()), UnsealError::Signature));
    assert!(matches!(forge(genuine.replacen('\n', "\r\n", 1).as_bytes()), UnsealError::Signature));
    let without_label = BASE64.encode(document.auth.signing_key().unwrap().sign(text.as_bytes()).to_bytes());
    assert!(matches!(forge(format!("#sig {without_label}\n{}", *text).as_bytes()), UnsealError::Signature));
}

#[test]
fn a_header_that_derives_otherwise_than_the_content_says_is_refused() {
    let (document, derived, recovery) = vault();
    let payload = sign(&document).unwrap();
    let changed: Box<dyn age::Recipient> = Box::new(KdfStanza(KdfParameters::new([5; 16], 8192, 3, 3).unwrap()));
    let public = || Box::new(document.recipients[1].recipient.parse::<age::x25519::Recipient>().unwrap());
    for header in [vec![changed, public()], vec![public() as Box<dyn age::Recipient>]] {
        let file = encrypt(&[&payload], &header).unwrap();
        assert!(matches!(refused(&file, &recovery), UnsealError::HeaderDisagrees));
        assert!(matches!(refused(&file, &derived), UnsealError::WrongIdentity));
    }
}

#[test]
fn a_vault_that_opens_by_identity_only_has_no_line_for_a_passphrase() {
    let (mut document, _, recovery) = vault();
    document.recipients.remove(0);
    let file = seal(&document, &Plugins::none()).unwrap();
    assert_eq!(header::scan(&file), Ok(None));
    assert!(unseal(&file, &recovery, &Plugins::none()).is_ok());
}

#[test]
fn what_could_not_be_opened_again_is_not_sealed() {
    let (document, derived, recovery) = vault();
    let with = |recipients: Vec<Recipient>| {
        let mut changed = document.clone();
        changed.recipients = recipients;
        seal(&changed, &Plugins::none()).expect_err("sealed")
    };
    assert!(matches!(with(vec![]), SealError::NoRecipients));
    assert!(matches!(with(vec![recipient("r", &recovery); 25]), SealError::TooManyRecipients));
    assert!(matches!(with(vec![recipient("passphrase", &derived); 2]), SealError::TwoPassphrases));
    let mut plugin = recipient("hardware", &recovery);
    plugin.recipient = "age1yubikey1x".into();
    assert!(matches!(with(vec![plugin]), SealError::Recipient(name) if name == "hardware"));
    let mut large = document.clone();
    large.rest.insert("x".into(), toml::Value::String("x".repeat(MAX_PAYLOAD)));
    assert!(matches!(seal(&large, &Plugins::none()), Err(SealError::TooLarge)));
}

#[test]
fn the_largest_payload_for_the_most_recipients_is_within_what_is_read() {
    let (mut document, derived, recovery) = vault();
    document.recipients.extend(vec![recipient("r", &recovery); MAX_RECIPIENTS - 2]);
    let payload = vec![b'x'; MAX_PAYLOAD];
    let (plugins, trouble) = (Plugins::none(), Trouble::default());
    let file = encrypt(&[&payload], &recipients(&document, &plugins, &trouble).unwrap()).unwrap();
    assert_eq!(header::scan(&file).unwrap().as_ref(), document.kdf());
    assert!(*decrypt(&file, &identity::parse(&derived).unwrap()).unwrap() == payload);
}
