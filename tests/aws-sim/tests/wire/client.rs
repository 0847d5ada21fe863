//! A client of our own, so that the simulator is tested by what goes over the wire: it signs with aws-sigv4 and can be
//! told to do it wrong.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::SystemTime;

use aws_credential_types::Credentials;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4;
use aws_sim::{Simulator, User};
use jiff::Timestamp;

pub struct Client {
    pub address: String,
    pub access_key_id: String,
    pub secret: String,
    pub token: Option<String>,
    pub region: String,
    /// By which the client signs; AWS's clock unless a test says otherwise.
    pub signs_at: Timestamp,
    /// For which service the request is signed, where not for the one it is sent to.
    pub scope: Option<String>,
}

/// A signed request, before it is sent.
pub struct Wire {
    pub method: String,
    pub target: String,
    pub headers: Vec<(String, String)>,
    pub body: String,
}

#[derive(Debug)]
pub struct Reply {
    pub status: u16,
    pub head: String,
    pub body: String,
}

impl Client {
    pub fn of(sim: &Simulator, user: &User) -> Client {
        Client::with(sim, user.access_key_id(), user.secret_access_key(), None)
    }

    pub fn with(sim: &Simulator, id: &str, secret: &str, token: Option<String>) -> Client {
        Client {
            address: sim.endpoint().trim_start_matches("http://").to_owned(),
            access_key_id: id.to_owned(),
            secret: secret.to_owned(),
            token,
            region: "us-east-1".to_owned(),
            signs_at: sim.now(),
            scope: None,
        }
    }

    /// Signs with the credentials that `reply` carries.
    pub fn of_reply(sim: &Simulator, reply: &Reply) -> Client {
        assert_eq!(reply.status, 200, "{}", reply.body);
        let token = Some(reply.text("SessionToken"));
        Client::with(sim, &reply.text("AccessKeyId"), &reply.text("SecretAccessKey"), token)
    }

    pub fn at(self, signs_at: Timestamp) -> Client {
        Client { signs_at, ..self }
    }

    pub fn sts(&self, action: &str, parameters: &[(&str, &str)]) -> Reply {
        self.sign("sts", action, parameters).send(&self.address)
    }

    pub fn iam(&self, action: &str, parameters: &[(&str, &str)]) -> Reply {
        self.sign("iam", action, parameters).send(&self.address)
    }

    pub fn sign(&self, service: &str, action: &str, parameters: &[(&str, &str)]) -> Wire {
        let version = if service == "sts" { "2011-06-15" } else { "2010-05-08" };
        let mut form = form_urlencoded::Serializer::new(String::new());
        let body = form.append_pair("Action", action).append_pair("Version", version).extend_pairs(parameters).finish();
        let mut wire = Wire {
            method: "POST".to_owned(),
            target: "/".to_owned(),
            headers: vec![
                ("host".to_owned(), self.address.clone()),
                ("content-type".to_owned(), "application/x-www-form-urlencoded; charset=utf-8".to_owned()),
            ],
            body,
        };
        self.add_signature(&mut wire, self.scope.as_deref().unwrap_or(service));
        wire
    }

    fn add_signature(&self, wire: &mut Wire, service: &str) {
        let identity = Credentials::new(&self.access_key_id, &self.secret, self.token.clone(), None, "test").into();
        let parameters = v4::SigningParams::builder()
            .identity(&identity)
            .region(&self.region)
            .name(service)
            .time(SystemTime::from(self.signs_at))
            .settings(SigningSettings::default())
            .build()
            .unwrap()
            .into();
        let headers = wire.headers.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        let uri = format!("http://{}{}", self.address, wire.target);
        let request = SignableRequest::new(&wire.method, uri, headers, SignableBody::Bytes(wire.body.as_bytes()));
        let (instructions, _) = sign(request.unwrap(), &parameters).unwrap().into_parts();
        let added: Vec<_> = instructions.headers().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        wire.headers.extend(added);
    }
}

impl Wire {
    pub fn send(&self, address: &str) -> Reply {
        self.try_send(address).expect("the simulator answers unless it was told not to")
    }

    /// None where the connection ended without a reply.
    pub fn try_send(&self, address: &str) -> Option<Reply> {
        let mut stream = TcpStream::connect(address).unwrap();
        let mut head = format!("{} {} HTTP/1.1\r\n", self.method, self.target);
        for (name, value) in &self.headers {
            head += &format!("{name}: {value}\r\n");
        }
        head += &format!("content-length: {}\r\nconnection: close\r\n\r\n", self.body.len());
        stream.write_all((head + &self.body).as_bytes()).unwrap();
        let mut reply = String::new();
        stream.read_to_string(&mut reply).unwrap();
        let (head, body) = reply.split_once("\r\n\r\n")?;
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        Some(Reply { status, head: head.to_lowercase(), body: body.to_owned() })
    }

    pub fn header_mut(&mut self, name: &str) -> &mut String {
        &mut self.headers.iter_mut().find(|(header, _)| header == name).unwrap().1
    }

    pub fn without_header(mut self, name: &str) -> Wire {
        self.headers.retain(|(header, _)| header != name);
        self
    }
}

impl Reply {
    /// The text of the first such element.
    pub fn text(&self, element: &str) -> String {
        self.texts(element).into_iter().next().unwrap_or_else(|| panic!("no {element} in {}", self.body))
    }

    pub fn texts(&self, element: &str) -> Vec<String> {
        let (open, close) = (format!("<{element}>"), format!("</{element}>"));
        let inside = self.body.split(&open).skip(1);
        inside.map(|rest| rest.split(&close).next().unwrap().replace("&quot;", "\"").replace("&amp;", "&")).collect()
    }

    pub fn code(&self) -> String {
        self.text("Code")
    }

    /// `STATUS Code: Message`, or the status alone.
    pub fn error(&self) -> String {
        if self.status == 200 {
            return "200".to_owned();
        }
        format!("{} {}: {}", self.status, self.code(), self.text("Message"))
    }

    pub fn header(&self, name: &str) -> String {
        let prefix = format!("{name}: ");
        self.head.lines().find_map(|line| line.strip_prefix(&prefix)).unwrap().to_owned()
    }
}
