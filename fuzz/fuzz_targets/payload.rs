//! Who knows a recipient of a vault can encrypt anything to it: what is not signed with the key in it is refused.
#![no_main]

use base64::Engine;
use base64::prelude::BASE64_STANDARD as BASE64;
use ed25519_dalek::Signature;
use libfuzzer_sys::fuzz_target;
use vault::store::{plugin::Plugins, seal};
use vault_fuzz::{RECIPIENT, identity};

fuzz_target!(|payload: &[u8]| {
    let recipient: age::x25519::Recipient = RECIPIENT.parse().expect("a recipient");
    let file = age::encrypt(&recipient, payload).expect("encryption to one recipient");
    let Ok(document) = seal::unseal(&file, &identity(), &Plugins::none()) else { return };
    let (signature, text) =
        payload.strip_prefix(b"#sig ").and_then(|rest| rest.split_at_checked(88)).expect("its shape");
    let signature = BASE64.decode(signature).expect("base64");
    let signed = [b"vault-payload-v1\0", text.strip_prefix(b"\n").expect("its end")].concat();
    let key = document.auth.signing_key().expect("the key that was just used").verifying_key();
    key.verify_strict(&signed, &Signature::from_slice(&signature).expect("64 bytes")).expect("genuine");
});
