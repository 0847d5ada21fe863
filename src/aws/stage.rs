//! What the room's tests play on: a simulated AWS with one user.

use std::io::{Read, Write};
use std::net::TcpListener;

use aws_sim::{Failure, Kind, MfaDevice, Outcome, Simulator, User};

use super::{Aws, MfaAnswer, SessionTokenRequest};
use crate::credentials::{AccessKey, SessionCredentials};
use crate::names::{Endpoints, Region};
use crate::secret::SecretAccessKey;

pub(super) struct Stage {
    pub sim: Simulator,
    pub user: User,
    pub phone: MfaDevice,
    pub aws: Aws,
    pub key: AccessKey,
}

impl Stage {
    pub fn new() -> Self {
        let sim = Simulator::start();
        let user = sim.add_user("123456789012", "alice");
        let phone = sim.add_mfa_device(&user, "phone");
        let aws = aws_at(&sim.endpoint());
        let key = access_key(user.access_key_id(), user.secret_access_key());
        Self { sim, user, phone, aws, key }
    }

    pub fn with_code(&self, code: &str) -> SessionTokenRequest {
        let serial = self.phone.serial().parse().unwrap();
        SessionTokenRequest { duration_seconds: 3600, mfa: Some(MfaAnswer { serial, code: code.parse().unwrap() }) }
    }

    /// With a code that was not used yet.
    pub fn with_mfa(&self) -> SessionTokenRequest {
        self.with_code(&self.phone.code())
    }

    pub fn mfa_session(&self) -> SessionCredentials {
        self.aws.session_token(&self.key, &self.with_mfa()).unwrap_or_else(|error| panic!("{error}"))
    }

    /// Answers every call from now on with this error.
    pub fn answer(&self, http: u16, code: &str, message: &str) {
        let kind = Kind::Status { http, code: code.into(), message: message.into() };
        self.sim.fail(Failure::on_every_action().kind(kind).lasting());
    }

    pub fn outcomes(&self) -> Vec<Outcome> {
        self.sim.requests().into_iter().map(|request| request.outcome).collect()
    }
}

pub(super) fn aws_at(endpoint: &str) -> Aws {
    Aws::new(region(), Endpoints::all_at(endpoint.parse().unwrap()))
}

pub(super) fn region() -> Region {
    "eu-central-1".parse().unwrap()
}

pub(super) fn access_key(id: &str, secret: &str) -> AccessKey {
    AccessKey { id: id.parse().unwrap(), secret: SecretAccessKey::new(secret.into()) }
}

pub(super) fn some_key() -> AccessKey {
    access_key("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")
}

/// Somebody else who listens: gives every caller these bytes, whatever was asked. Returns the port.
pub(super) fn stranger(reply: &'static str) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let _ = stream.read(&mut [0; 65_536]);
            let _ = stream.write_all(reply.as_bytes());
        }
    });
    port
}
