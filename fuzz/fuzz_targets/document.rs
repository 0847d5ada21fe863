//! A document of any version: saving keeps what it says, known and unknown, and saving it again changes nothing.
#![no_main]

use libfuzzer_sys::fuzz_target;
use vault::store::{document::Document, plugin::Plugins, seal};
use vault_fuzz::{RECIPIENT, identity, values};

fuzz_target!(|text: &[u8]| {
    let Ok(document) = Document::decode(text) else { return };
    let saved = document.encode().expect("what was read can be written");
    let again = Document::decode(saved.as_bytes()).expect("what was written can be read");
    assert_eq!(*again.encode().expect("written a second time"), *saved);
    assert!(values::survives(&values::table(text), &values::table(saved.as_bytes())), "{}", *saved);
    if document.recipients.iter().any(|recipient| recipient.recipient == RECIPIENT)
        && let Ok(file) = seal::seal(&document, &Plugins::none())
    {
        let opened = seal::unseal(&file, &identity(), &Plugins::none()).expect("what was sealed opens");
        assert_eq!(*opened.encode().expect("written a third time"), *saved);
    }
});
