//! A credentials endpoint, asked as an SDK asks it or as nobody should.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

/// A hang fails the test instead of stopping it.
const PATIENCE: Duration = Duration::from_secs(60);

#[derive(Clone)]
pub struct Endpoint {
    /// With its port.
    pub host: String,
    pub path: String,
    pub token: String,
}

pub struct Reply {
    pub status: u16,
    head: String,
    pub body: String,
}

impl Endpoint {
    /// By the two variables that lead there.
    #[track_caller]
    pub fn new(url: &str, token: &str) -> Self {
        let rest = url.strip_prefix("http://").unwrap_or_else(|| panic!("{url}"));
        let (host, path) = rest.split_at(rest.find('/').unwrap());
        assert!(host.starts_with("127.0.0.1:"), "{url}");
        Self { host: host.to_owned(), path: path.to_owned(), token: token.to_owned() }
    }

    /// What an SDK sends.
    pub fn request(&self) -> String {
        let Self { host, path, token } = self;
        format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nAuthorization: {token}\r\nAccept: application/json\r\n\r\n")
    }

    /// The same with one more header.
    pub fn request_with(&self, header: &str) -> String {
        self.request().replace("\r\n\r\n", &format!("\r\n{header}\r\n\r\n"))
    }

    pub fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(&self.host).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream
    }

    #[track_caller]
    pub fn get(&self) -> Reply {
        self.send(&self.request()).expect("no reply")
    }

    /// None where nothing comes back.
    pub fn send(&self, request: &str) -> Option<Reply> {
        let mut stream = self.connect();
        // Who is refused before the end of what they say is not heard to it.
        let _ = stream.write_all(request.as_bytes());
        Reply::read(&mut stream)
    }
}

impl Reply {
    pub fn read(stream: &mut TcpStream) -> Option<Self> {
        let mut bytes = Vec::new();
        // A connection that is reset has said what it had to say.
        let _ = stream.read_to_end(&mut bytes);
        Self::of(&String::from_utf8(bytes).unwrap())
    }

    /// As a client does that would have the connection live on.
    pub fn read_by_length(stream: &mut TcpStream) -> Option<Self> {
        let mut bytes = Vec::new();
        let mut piece = [0; 4096];
        loop {
            let read = stream.read(&mut piece).ok().filter(|read| *read > 0)?;
            bytes.extend_from_slice(&piece[..read]);
            let reply = Self::of(std::str::from_utf8(&bytes).unwrap());
            let whole = |reply: &Self| reply.header("content-length") == Some(&*reply.body.len().to_string());
            if let Some(reply) = reply.filter(whole) {
                return Some(reply);
            }
        }
    }

    fn of(text: &str) -> Option<Self> {
        let (head, body) = text.split_once("\r\n\r\n")?;
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        Some(Self { status, head: head.to_owned(), body: body.to_owned() })
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.head.lines().skip(1).filter_map(|line| line.split_once(": "));
        headers.find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    #[track_caller]
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error} in {}", self.body))
    }

    #[track_caller]
    fn text(&self, key: &str) -> String {
        self.json()[key].as_str().unwrap_or_else(|| panic!("no {key} in {}", self.body)).to_owned()
    }

    /// Of the session that was handed out.
    #[track_caller]
    pub fn key_id(&self) -> String {
        assert_eq!(self.status, 200, "{}", self.body);
        self.text("AccessKeyId")
    }

    /// Why none was.
    #[track_caller]
    pub fn refused(&self, status: u16, code: &str) -> String {
        assert_eq!((self.status, &*self.text("code")), (status, code), "{}", self.body);
        self.text("message")
    }
}
