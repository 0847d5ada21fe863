//! Ids and secrets in the alphabets that AWS draws them from.

const ID: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
const SECRET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789/+";

pub(crate) fn bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).expect("every supported system has a random source");
    bytes
}

/// `AKIA`, `ASIA`, `AIDA` or `AROA`, then sixteen of the base32 alphabet.
pub(crate) fn id(prefix: &str) -> String {
    prefix.to_owned() + &text::<16>(ID)
}

pub(crate) fn secret_access_key() -> String {
    text::<40>(SECRET)
}

/// Opaque, long, and full of characters that need percent-encoding, as the real ones are.
pub(crate) fn session_token() -> String {
    format!("FwoGZXIvYXdzE{}==", text::<180>(SECRET))
}

pub(crate) fn request_id() -> String {
    let hex = data_encoding::HEXLOWER.encode(&bytes::<16>());
    format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
}

fn text<const N: usize>(alphabet: &[u8]) -> String {
    bytes::<N>().iter().map(|byte| char::from(alphabet[usize::from(*byte) % alphabet.len()])).collect()
}
