//! Who knows a recipient of a vault can encrypt anything to it: what does not carry the signature of its own key is refused.
#![no_main]

use libfuzzer_sys::fuzz_target;
use vault::store::{plugin::Plugins, seal};
use vault_fuzz::{RECIPIENT, identity};

fuzz_target!(|payload: &[u8]| {
    let recipient: age::x25519::Recipient = RECIPIENT.parse().expect("a recipient");
    let file = age::encrypt(&recipient, payload).expect("encryption to one recipient");
    if let Ok(document) = seal::unseal(&file, &identity(), &Plugins::none()) {
        let key = document.signing_key().expect("the key that was just used").verifying_key();
        let signature = payload.strip_prefix(b"#sig ").expect("a signature").split(|byte| *byte == b'\n').next();
        assert_eq!(signature.map(<[u8]>::len), Some(88));
        assert!(!key.is_weak());
    }
});
