//! A vault file that anybody may have written: read quickly, in little memory, and alike by us and by age.
#![no_main]

use std::cell::RefCell;

use age_core::format::{FileKey, Stanza};
use libfuzzer_sys::fuzz_target;
use vault::store::{header, kdf::KdfParameters, passphrase::KDF_TAG, plugin::Plugins, seal};
use vault_fuzz::identity;

fuzz_target!(|file: &[u8]| {
    if let Ok(kdf) = header::scan(file)
        && let Some(seen) = seen_by_age(file)
    {
        let words = |kdf: KdfParameters| [vec![KDF_TAG.to_owned()], kdf.words().to_vec()].concat();
        assert_eq!(seen, Vec::from_iter(kdf.map(words)));
    }
    if let Ok(document) = seal::unseal(file, &identity(), &Plugins::none()) {
        assert!(document.encode().is_ok());
    }
});

/// The tag and arguments of our stanzas; None where age takes the header for a damaged one.
fn seen_by_age(file: &[u8]) -> Option<Vec<Vec<String>>> {
    let witness = Witness::default();
    let decryptor = age::Decryptor::new_buffered(file).ok()?;
    assert!(decryptor.decrypt(std::iter::once(&witness as &dyn age::Identity)).is_err());
    Some(witness.0.into_inner())
}

/// Opens nothing, but is shown every stanza.
#[derive(Default)]
struct Witness(RefCell<Vec<Vec<String>>>);

impl age::Identity for Witness {
    fn unwrap_stanza(&self, stanza: &Stanza) -> Option<Result<FileKey, age::DecryptError>> {
        if stanza.tag == KDF_TAG {
            self.0.borrow_mut().push([std::slice::from_ref(&stanza.tag), &stanza.args].concat());
        }
        None
    }
}
