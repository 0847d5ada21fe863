//! The simulator as tests hold it.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::thread::JoinHandle;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::sync::oneshot;

use crate::clock::signed;
use crate::cloud::{Cloud, Shared, lock};
use crate::device::Device;
use crate::failure::Failure;
use crate::http;
use crate::key::Status;
use crate::mfa_device::MfaDevice;
use crate::policy::Document;
use crate::request_log::Request;
use crate::role::{Role, RoleRecord};
use crate::session::Kind;
use crate::signin::{self, Visit};
use crate::snapshot::Onlooker;
use crate::user::{User, UserRecord};

/// Runs on its own thread until it is dropped.
pub struct Simulator {
    shared: Shared,
    address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

/// An access key as IAM has it.
#[derive(Debug, Clone, PartialEq)]
pub struct KeyFacts {
    pub access_key_id: String,
    pub status: Status,
    pub created: Timestamp,
}

/// What AWS knows of temporary credentials.
#[derive(Debug, Clone, PartialEq)]
pub struct SessionFacts {
    pub kind: Kind,
    /// Of the user, role session or federated user.
    pub arn: String,
    pub expires: Timestamp,
    pub with_mfa: bool,
    /// Whether policies were passed to narrow it.
    pub narrowed: bool,
    pub source_identity: Option<String>,
}

impl Simulator {
    /// # Panics
    /// Where loopback can't be listened on.
    pub fn start() -> Simulator {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("loopback has a free port");
        listener.set_nonblocking(true).expect("a fresh socket can be set non-blocking");
        let address = listener.local_addr().expect("a bound socket has an address");
        let shared = Shared::default();
        let (stop, stopped) = oneshot::channel();
        let served = shared.clone();
        let thread = std::thread::spawn(move || run(listener, served, stopped));
        Simulator { shared, address, stop: Some(stop), thread: Some(thread) }
    }

    /// `http://127.0.0.1:PORT`, for STS, IAM and, under `/federation`, sign-in.
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    pub fn onlooker(&self) -> Onlooker {
        Onlooker::new(self.shared.clone())
    }

    fn cloud(&self) -> impl std::ops::DerefMut<Target = Cloud> {
        lock(&self.shared)
    }
}

/// AWS's clock: real time plus an offset.
impl Simulator {
    pub fn now(&self) -> Timestamp {
        self.cloud().clock.now()
    }

    pub fn advance(&self, by: Duration) {
        self.cloud().clock.advance(by);
    }

    pub fn set_offset(&self, offset: SignedDuration) {
        self.cloud().clock.set_offset(offset);
    }
}

/// Who is there.
impl Simulator {
    /// An IAM user with one active key, allowed everything.
    pub fn add_user(&self, account: &str, name: &str) -> User {
        let now = self.now();
        self.add(account, UserRecord::user(account, name, now))
    }

    /// The root user, with an access key.
    pub fn add_root(&self, account: &str) -> User {
        let now = self.now();
        self.add(account, UserRecord::root(account, now))
    }

    fn add(&self, account: &str, record: UserRecord) -> User {
        let mut cloud = self.cloud();
        let arn = record.principal.arn();
        let name = record.name.clone();
        assert!(cloud.users.insert(arn.clone(), record).is_none(), "{arn} was added twice");
        let access_key_id = cloud.create_key(&arn);
        let secret_access_key = cloud.keys[&access_key_id].secret.clone();
        User { account: account.to_owned(), name, arn, access_key_id, secret_access_key }
    }

    /// A virtual device, enabled.
    pub fn add_mfa_device(&self, user: &User, name: &str) -> MfaDevice {
        self.give(user, Device::virtual_device(&user.account, name))
    }

    /// A security key: listed, but STS takes no code from it. Returns its serial.
    pub fn add_fido_device(&self, user: &User, name: &str) -> String {
        self.give(user, Device::security_key(&user.account, &user.name, name)).serial().to_owned()
    }

    fn give(&self, user: &User, mut device: Device) -> MfaDevice {
        let mut cloud = self.cloud();
        device.enable(&user.arn, cloud.clock.now());
        let handle = MfaDevice::new(self.shared.clone(), device.serial.clone());
        assert!(cloud.devices.insert(device.serial.clone(), device).is_none(), "{} was added twice", handle.serial());
        handle
    }

    /// The handle of a device that was made by the API.
    pub fn mfa_device(&self, serial: &str) -> Option<MfaDevice> {
        let is_virtual = self.cloud().devices.get(serial).is_some_and(|device| device.seed.is_some());
        is_virtual.then(|| MfaDevice::new(self.shared.clone(), serial.to_owned()))
    }

    /// Returns the role's ARN.
    pub fn add_role(&self, role: Role) -> String {
        let mut cloud = self.cloud();
        let record = RoleRecord::new(&role, cloud.clock.now());
        let arn = record.arn.clone();
        assert!(cloud.roles.insert(arn.clone(), record).is_none(), "{arn} was added twice");
        arn
    }

    pub fn set_account_alias(&self, account: &str, alias: &str) {
        self.cloud().aliases.insert(account.to_owned(), alias.to_owned());
    }
}

/// What users may do. GetSessionToken and GetCallerIdentity ask no policy, at AWS and here.
impl Simulator {
    /// An explicit denial of an action such as `iam:ListMFADevices` or `iam:*`.
    pub fn deny(&self, user: &User, action: &str) {
        self.change(user, |record| record.deny(action));
    }

    /// Takes back what `deny` denied by the same words.
    pub fn allow(&self, user: &User, action: &str) {
        self.change(user, |record| record.lift(action));
    }

    /// Denies `actions` unless signed by a session with MFA, and by one whose MFA is younger than `max_age`.
    pub fn require_mfa_for(&self, user: &User, actions: &[&str], max_age: Option<Duration>) {
        self.change(user, |record| record.require_mfa(actions, max_age.map(|age| age.as_secs())));
    }

    /// Puts a policy document in the place of "everything is allowed".
    ///
    /// # Panics
    /// Where the document isn't one, or uses what the simulator doesn't evaluate.
    pub fn set_policy(&self, user: &User, json: &str) {
        self.set_policies(user, &[json]);
    }

    /// The same with several, as groups and attached policies add up.
    ///
    /// # Panics
    /// As [`Self::set_policy`].
    pub fn set_policies(&self, user: &User, policies: &[&str]) {
        let documents = policies.iter().map(|json| document(json)).collect();
        self.change(user, |record| record.set_grants(documents));
    }

    /// Puts a trust policy in the place of the one that the role was made with.
    ///
    /// # Panics
    /// As [`Self::set_policy`].
    pub fn set_trust_policy(&self, role_arn: &str, json: &str) {
        let mut cloud = self.cloud();
        let role = cloud.roles.get_mut(role_arn).expect("roles stay once added");
        role.trust = document(json);
        role.trust_json = json.to_owned();
    }

    fn change(&self, user: &User, change: impl FnOnce(&mut UserRecord)) {
        change(self.cloud().users.get_mut(&user.arn).expect("users stay once added"));
    }
}

/// Access keys, by the hand of an administrator: at once and without a trace in the log.
impl Simulator {
    /// Returns the id and the secret. Where the user has two keys already, this makes a third: AWS would not.
    pub fn add_access_key(&self, user: &User) -> (String, String) {
        let mut cloud = self.cloud();
        let id = cloud.create_key(&user.arn);
        let secret = cloud.keys[&id].secret.clone();
        (id, secret)
    }

    /// Oldest first.
    pub fn access_keys(&self, user: &User) -> Vec<KeyFacts> {
        let cloud = self.cloud();
        let facts = cloud.keys_of(&user.arn).into_iter().map(|key| KeyFacts {
            access_key_id: key.id.clone(),
            status: key.status,
            created: key.created,
        });
        facts.collect()
    }

    pub fn secret_of(&self, access_key_id: &str) -> Option<String> {
        self.cloud().keys.get(access_key_id).map(|key| key.secret.clone())
    }

    pub fn set_key_status(&self, access_key_id: &str, status: Status) {
        if let Some(key) = self.cloud().keys.get_mut(access_key_id) {
            key.set_status(status, None);
        }
    }

    pub fn delete_key(&self, access_key_id: &str) {
        if let Some(key) = self.cloud().keys.get_mut(access_key_id) {
            key.delete(None);
        }
    }

    /// Makes a key older than it is.
    pub fn age_key(&self, access_key_id: &str, by: Duration) {
        if let Some(key) = self.cloud().keys.get_mut(access_key_id) {
            key.created -= signed(by);
        }
    }

    /// A call of somebody else's program by this key, to a service that the simulator doesn't have.
    pub fn use_key(&self, access_key_id: &str, service: &'static str) {
        let mut cloud = self.cloud();
        let now = cloud.clock.now();
        if let Some(key) = cloud.keys.get_mut(access_key_id) {
            key.used(now, service, "us-east-1");
        }
    }

    /// From here on every session has this token, whatever it is made of.
    pub fn set_session_token(&self, token: &str) {
        self.cloud().session_token = Some(token.to_owned());
    }

    pub fn session(&self, access_key_id: &str) -> Option<SessionFacts> {
        let cloud = self.cloud();
        let session = cloud.sessions.get(access_key_id)?;
        Some(SessionFacts {
            kind: session.kind,
            arn: session.principal.arn(),
            expires: session.expires,
            with_mfa: session.mfa_at.is_some(),
            narrowed: !session.policies.is_empty(),
            source_identity: session.source_identity.clone(),
        })
    }
}

/// The console.
impl Simulator {
    /// What a browser comes to that opens this address; None where it is not signed in.
    pub fn visit(&self, address: &str) -> Option<Visit> {
        let here = format!("{}/", self.endpoint());
        address.starts_with(&here).then(|| signin::visit(&self.cloud(), address)).flatten()
    }
}

/// How slowly changes spread. All of it holds for changes made by the API from then on.
impl Simulator {
    pub fn new_keys_live_after(&self, sts: Duration, iam: Duration) {
        let mut cloud = self.cloud();
        cloud.propagation.live_after_sts = sts;
        cloud.propagation.live_after_iam = iam;
    }

    /// Once live, a new key is refused `times` more at each service, at every other request.
    pub fn new_keys_flap(&self, times: u32) {
        self.cloud().propagation.flaps = times;
    }

    pub fn deactivated_keys_work_for(&self, lingering: Duration) {
        self.cloud().propagation.lingering = lingering;
    }

    /// GetAccessKeyLastUsed tells only of uses at least so old.
    pub fn last_used_lag(&self, lag: Duration) {
        self.cloud().propagation.last_used_lag = lag;
    }
}

/// Failures, and the log.
impl Simulator {
    pub fn fail(&self, failure: Failure) {
        self.cloud().failures.order(failure);
    }

    pub fn stop_failing(&self) {
        self.cloud().failures.clear();
    }

    pub fn requests(&self) -> Vec<Request> {
        self.cloud().log.clone()
    }

    pub fn clear_requests(&self) {
        self.cloud().log.clear();
    }

    /// How many requests named the action, however they ended.
    pub fn count(&self, action: &str) -> usize {
        self.cloud().log.iter().filter(|request| request.action == action).count()
    }
}

impl Drop for Simulator {
    fn drop(&mut self) {
        if let Some(stop) = self.stop.take() {
            // The thread may be gone already; then there is nothing to stop.
            let _ = stop.send(());
        }
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn document(json: &str) -> Document {
    Document::parse(json).unwrap_or_else(|error| panic!("{error} in {json}"))
}

fn run(listener: TcpListener, shared: Shared, stopped: oneshot::Receiver<()>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.expect("a thread can have a runtime");
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::from_std(listener).expect("the socket was set non-blocking");
        // Connections that clients keep open would hold up a graceful end.
        tokio::select! {
            () = http::serve(listener, shared) => {}
            _ = stopped => {}
        }
    });
}
