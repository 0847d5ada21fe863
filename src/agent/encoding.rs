//! How what JSON has no form for stands in a message.

pub mod in_seconds {
    use std::time::Duration;

    use serde::{Deserialize, Deserializer, Serializer};

    pub fn serialize<S: Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u64(duration.as_secs())
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
        u64::deserialize(deserializer).map(Duration::from_secs)
    }
}

pub mod in_base64 {
    use base64::prelude::{BASE64_STANDARD, Engine};
    use serde::de::Error;
    use serde::{Deserialize, Deserializer, Serializer};
    use zeroize::Zeroizing;

    pub fn serialize<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&Zeroizing::new(BASE64_STANDARD.encode(bytes)))
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
        let text = Zeroizing::new(String::deserialize(deserializer)?);
        // The decoder's own words would quote the text.
        BASE64_STANDARD.decode(&*text).map_err(|_| D::Error::custom("not base64"))
    }
}

pub mod key_in_base64 {
    use serde::de::Error;
    use serde::{Deserializer, Serializer};
    use zeroize::Zeroizing;

    use super::in_base64;

    pub fn serialize<S: Serializer, const N: usize>(
        key: &Zeroizing<[u8; N]>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        in_base64::serialize(&key[..], serializer)
    }

    pub fn deserialize<'de, D: Deserializer<'de>, const N: usize>(
        deserializer: D,
    ) -> Result<Zeroizing<[u8; N]>, D::Error> {
        let bytes = Zeroizing::new(in_base64::deserialize(deserializer)?);
        let key = bytes.as_slice().try_into().map_err(|_| D::Error::custom("a key of another length"))?;
        Ok(Zeroizing::new(key))
    }
}
