//! The http underneath both clients: connections, certificates, proxies.

use std::sync::OnceLock;
use std::time::Duration;

use aws_smithy_http_client::Connector;
use aws_smithy_http_client::proxy::ProxyConfig;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::tls::{Provider, TlsContext, TrustStore};
use aws_smithy_runtime::client::dns::TokioDnsResolver;
use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient, SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_types::body::SdkBody;
use http_body_util::Limited;
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use thiserror::Error;

/// Name lookup, connection and TLS handshake together.
pub(super) const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);

/// While a person looks for a code nobody watches the idle connection, and AWS may close it. A request written into a closed
/// connection looks like a lost reply, after which a code can't be sent again; so only a connection fresh from the call
/// before is used again.
const IDLE_TIMEOUT: Duration = Duration::from_secs(3);

/// Of all answers asked for here, a session with the longest token and a page of keys are the longest, of some kilobytes.
const LONGEST_ANSWER: usize = 1024 * 1024;

/// The certificates of `AWS_CA_BUNDLE` or a setting like it.
#[derive(Clone)]
pub struct CaBundle(Vec<u8>);

#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum CaBundleError {
    #[error("no certificate in it")]
    Empty,
    #[error("not PEM: {0}")]
    NotPem(String),
    #[error("certificate {number} can't be used: {reason}")]
    Certificate { number: usize, reason: String },
}

impl CaBundle {
    /// Checks every certificate, since the SDK panics on one it can't read.
    pub fn from_pem(pem: &[u8]) -> Result<Self, CaBundleError> {
        let mut roots = RootCertStore::empty();
        for (index, certificate) in CertificateDer::pem_slice_iter(pem).enumerate() {
            let certificate = certificate.map_err(|error| CaBundleError::NotPem(error.to_string()))?;
            roots
                .add(certificate)
                .map_err(|error| CaBundleError::Certificate { number: index + 1, reason: error.to_string() })?;
        }
        if roots.is_empty() { Err(CaBundleError::Empty) } else { Ok(Self(pem.to_vec())) }
    }
}

/// One connector for https and one for plain http, each made when it is first used: reading the system's certificates takes
/// longer than a whole call to a simulator.
#[derive(Debug)]
struct Transport {
    trust: TrustStore,
    encrypted: OnceLock<Connector>,
    plain: OnceLock<Connector>,
}

pub(super) fn http_connector(ca_bundle: Option<CaBundle>) -> SharedHttpConnector {
    let trust = match ca_bundle {
        // As the other AWS tools read AWS_CA_BUNDLE: instead of the system's certificates.
        Some(bundle) => TrustStore::empty().with_pem_certificate(bundle.0),
        None => TrustStore::default(),
    };
    let transport = Transport { trust, encrypted: OnceLock::new(), plain: OnceLock::new() };
    SharedHttpConnector::new(transport)
}

/// For the SDK.
pub(super) fn http_client(connector: SharedHttpConnector) -> SharedHttpClient {
    http_client_fn(move |_, _| connector.clone())
}

impl HttpConnector for Transport {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let connector = if request.uri().starts_with("http:") {
            // Plain http goes to this machine only, and HTTP_PROXY must not carry it elsewhere.
            self.plain.get_or_init(|| connector(TrustStore::empty(), ProxyConfig::disabled()))
        } else {
            self.encrypted.get_or_init(|| connector(self.trust.clone(), ProxyConfig::from_env()))
        };
        let response = connector.call(request);
        HttpConnectorFuture::new(async { Ok(response.await?.map(limited)) })
    }
}

/// The SDK takes in whatever comes.
fn limited(body: SdkBody) -> SdkBody {
    SdkBody::from_body_1_x(Limited::new(body, LONGEST_ANSWER))
}

fn connector(trust: TrustStore, proxy: ProxyConfig) -> Connector {
    let tls = TlsContext::builder().with_trust_store(trust).build().expect("it only takes the trust store in");
    Connector::builder()
        .tls_provider(Provider::Rustls(CryptoMode::Ring))
        .tls_context(tls)
        .proxy_config(proxy)
        .connector_settings(HttpConnectorSettings::builder().connect_timeout(CONNECT_TIMEOUT).build())
        .pool_idle_timeout(IDLE_TIMEOUT)
        .build_with_resolver(TokioDnsResolver::new())
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::TcpListener;
    use std::process::Command;

    use super::*;
    use crate::aws::stage::{Stage, aws_at, some_key};
    use crate::aws::{AwsError, Signer};

    /// Signed by itself, for localhost; its key is thrown away.
    const CERTIFICATE: &str = "\
-----BEGIN CERTIFICATE-----
MIIBmzCCAUGgAwIBAgIUVnbIAhNI1BN+ShWqo92BiT7O0iowCgYIKoZIzj0EAwIw
FDESMBAGA1UEAwwJbG9jYWxob3N0MCAXDTI2MTEyMTIzMjY1NVoYDzIxMjYxMDI4
MjMyNjU1WjAUMRIwEAYDVQQDDAlsb2NhbGhvc3QwWTATBgcqhkjOPQIBBggqhkjO
PQMBBwNCAAQDErkoeC+DOxkoIoOwjDMkBAIHehKpoSKmyFE4LY2uztFaVaOOjUsk
BZ7z76QSZreqOPnj8phVdJWjr0eMgPPWo28wbTAdBgNVHQ4EFgQU6rzST3fmb0Db
7gQUMBKMJ0mbyxwwHwYDVR0jBBgwFoAU6rzST3fmb0Db7gQUMBKMJ0mbyxwwDwYD
VR0TAQH/BAUwAwEB/zAaBgNVHREEEzARgglsb2NhbGhvc3SHBH8AAAEwCgYIKoZI
zj0EAwIDSAAwRQIgEJ3szmjkRrdqP8Vt3pJRFS8lAIOUhk24ID/9SK7CTd4CIQDh
fujxIqA4ryKomy0Y8H9MhMo2ANAml2+DV4HDfgpMbg==
-----END CERTIFICATE-----
";

    #[test]
    fn a_bundle_is_taken_whole_or_not_at_all() {
        assert!(CaBundle::from_pem(CERTIFICATE.as_bytes()).is_ok());
        assert_eq!(CaBundle::from_pem(b"").err(), Some(CaBundleError::Empty));
        assert_eq!(CaBundle::from_pem(b"not a certificate").err(), Some(CaBundleError::Empty));
        let cut = &CERTIFICATE[..300];
        assert!(matches!(CaBundle::from_pem(cut.as_bytes()), Err(CaBundleError::NotPem(_))));
        let garbage = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        let second = CaBundle::from_pem([CERTIFICATE, garbage].concat().as_bytes());
        assert!(matches!(second, Err(CaBundleError::Certificate { number: 2, .. })));
    }

    #[test]
    fn calls_to_this_machine_reach_it() {
        let stage = Stage::new();
        assert!(stage.aws.caller_identity(&Signer::AccessKey(&stage.key)).is_ok());
    }

    #[test]
    fn of_an_answer_without_an_end_no_more_is_read_than_any_answer_has() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let aws = aws_at(&format!("http://{}", listener.local_addr().unwrap()));
        let sender = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            drop(listener);
            assert!(stream.read(&mut [0; 65_536]).unwrap() > 0);
            stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2000000000\r\n\r\n").unwrap();
            let piece = [b' '; 65_536];
            (0..30_000).take_while(|_| stream.write_all(&piece).is_ok()).count() * piece.len()
        });
        let answer = aws.caller_identity(&Signer::AccessKey(&some_key()));
        assert!(matches!(answer, Err(AwsError::Network { .. } | AwsError::Unreadable { .. })), "{answer:?}");
        // What stands in the sockets' buffers was sent too.
        let sent = sender.join().unwrap();
        assert!((LONGEST_ANSWER..20 * LONGEST_ANSWER).contains(&sent), "{sent}");
    }

    /// The proxy variables are read by the http library from the real environment, so another process has to stand in.
    #[test]
    fn no_proxy_is_put_between_us_and_this_machine() {
        let status = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "aws::transport::tests::calls_to_this_machine_reach_it"])
            .envs([("HTTP_PROXY", "http://127.0.0.1:1"), ("ALL_PROXY", "http://127.0.0.1:1")])
            .output()
            .unwrap();
        let printed = String::from_utf8_lossy(&status.stdout);
        assert!(status.status.success() && printed.contains("1 passed"), "{printed}");
    }
}
