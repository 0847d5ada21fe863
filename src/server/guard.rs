//! Who is answered: a program of this machine that was given the token, and neither a page in a browser nor a proxy. Pure.
//!
//! A page can have the browser ask any port of this machine, and by rebinding a name of its own to 127.0.0.1 even read the
//! answer. It can't keep the browser from saying so: by `Host`, `Origin`, `Referer` or `Sec-Fetch-Site`.

use std::net::{IpAddr, SocketAddr};

use thiserror::Error;

use super::token::Token;

/// The one path.
pub const PATH: &str = "/credentials";

/// Where containers look for their credentials; the SDKs take it over plain http as they take the loopback.
pub const CONTAINERS: &str = "169.254.170.2";

/// What a browser says of the page behind a request, and what a proxy says of the client behind it.
const OF_A_PAGE: [&str; 2] = ["origin", "referer"];
const OF_ANY_PAGE: &str = "sec-fetch-";
const OF_A_PROXY: [&str; 3] = ["forwarded", "via", "x-real-ip"];
const OF_ANY_PROXY: &str = "x-forwarded-";

/// A request, less its body.
pub struct Asked<'a> {
    pub peer: IpAddr,
    pub method: &'a str,
    /// As it stands in the first line.
    pub target: &'a str,
    pub headers: &'a [(&'a str, &'a [u8])],
}

/// Why a request is not answered. Who shows no token learns nothing of what there is.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Refusal {
    #[error("only programs on this machine are answered")]
    Peer,
    #[error("the request is for another host than this one")]
    Host,
    #[error("pages in a browser are not answered ({0})")]
    Page(String),
    #[error("requests through a proxy are not answered ({0}); NO_PROXY=127.0.0.1 keeps it out")]
    Proxy(String),
    #[error("the token in `Authorization` is missing or not this server's")]
    Token,
    #[error("there is nothing under this path")]
    Path,
    #[error("credentials are read by GET")]
    Method,
    #[error("a request for credentials has no body")]
    Body,
}

impl Refusal {
    /// Of the reply.
    pub fn status(&self) -> u16 {
        match self {
            Self::Peer | Self::Host | Self::Page(_) | Self::Proxy(_) => 403,
            Self::Token => 401,
            Self::Path => 404,
            Self::Method => 405,
            Self::Body => 413,
        }
    }

    /// For programs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Peer => "ForeignPeer",
            Self::Host => "ForeignHost",
            Self::Page(_) => "FromAPage",
            Self::Proxy(_) => "FromAProxy",
            Self::Token => "WrongToken",
            Self::Path => "NoSuchPath",
            Self::Method => "MethodNotAllowed",
            Self::Body => "BodyNotAllowed",
        }
    }
}

pub struct Guard {
    hosts: Vec<String>,
    token: Token,
}

impl Guard {
    /// Of a server at this address; one that containers ask goes by their name for it too.
    pub fn new(address: SocketAddr, for_containers: bool, token: Token) -> Self {
        let mut hosts = vec![address.to_string()];
        if for_containers {
            // Port 80 is left out by some and said by others.
            hosts.extend([CONTAINERS.to_owned(), format!("{CONTAINERS}:80")]);
        }
        Self { hosts, token }
    }

    pub fn token(&self) -> &Token {
        &self.token
    }

    pub fn admit(&self, asked: &Asked) -> Result<(), Refusal> {
        if !asked.peer.is_loopback() {
            return Err(Refusal::Peer);
        }
        if !asked.only("host").is_some_and(|host| self.hosts.iter().any(|own| own.as_bytes() == host)) {
            return Err(Refusal::Host);
        }
        asked.comes_from_a_program()?;
        if !asked.only("authorization").is_some_and(|shown| self.token.is(shown)) {
            return Err(Refusal::Token);
        }
        if asked.target != PATH {
            return Err(Refusal::Path);
        }
        if asked.method != "GET" {
            return Err(Refusal::Method);
        }
        if asked.has_body() { Err(Refusal::Body) } else { Ok(()) }
    }
}

impl<'a> Asked<'a> {
    fn all(&self, name: &str) -> impl Iterator<Item = &'a [u8]> {
        self.headers.iter().filter(move |(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| *value)
    }

    /// A header that stands there twice could be read by one in one way and by another in another.
    fn only(&self, name: &str) -> Option<&'a [u8]> {
        let mut values = self.all(name);
        values.next().filter(|_| values.next().is_none())
    }

    fn comes_from_a_program(&self) -> Result<(), Refusal> {
        for name in self.headers.iter().map(|(name, _)| name.to_ascii_lowercase()) {
            if OF_A_PAGE.contains(&&*name) || name.starts_with(OF_ANY_PAGE) {
                return Err(Refusal::Page(name));
            }
            if OF_A_PROXY.contains(&&*name) || name.starts_with(OF_ANY_PROXY) {
                return Err(Refusal::Proxy(name));
            }
        }
        Ok(())
    }

    fn has_body(&self) -> bool {
        self.all("transfer-encoding").next().is_some() || self.all("content-length").any(|length| length != b"0")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOST: &str = "127.0.0.1:40123";

    /// The answer to what an SDK asks, changed so.
    fn told(for_containers: bool, change: impl FnOnce(&mut Vec<(String, Vec<u8>)>, &mut Asked)) -> Result<(), Refusal> {
        let guard = Guard::new(HOST.parse().unwrap(), for_containers, Token::generate().unwrap());
        let mut headers = vec![
            ("host".to_owned(), HOST.as_bytes().to_vec()),
            ("Authorization".to_owned(), guard.token().expose().as_bytes().to_vec()),
            ("accept".to_owned(), b"application/json".to_vec()),
        ];
        let peer = [127, 0, 0, 1].into();
        let mut asked = Asked { peer, method: "GET", target: PATH, headers: &[] };
        change(&mut headers, &mut asked);
        let headers: Vec<(&str, &[u8])> = headers.iter().map(|(name, value)| (&**name, &**value)).collect();
        guard.admit(&Asked { headers: &headers, ..asked })
    }

    fn with_header(name: &str, value: &str) -> Result<(), Refusal> {
        told(false, |headers, _| headers.push((name.to_owned(), value.as_bytes().to_vec())))
    }

    #[test]
    fn a_program_with_the_token_is_answered() {
        assert_eq!(told(false, |_, _| ()), Ok(()));
        assert_eq!(with_header("content-length", "0"), Ok(()));
        assert_eq!(with_header("user-agent", "x"), Ok(()));
        assert_eq!(with_header("sec-websocket", "x"), Ok(()));
    }

    #[test]
    fn a_host_that_is_not_the_bound_address_is_refused() {
        for host in ["evil.example:40123", "localhost:40123", "127.0.0.1", "127.0.0.1:40124", "", "169.254.170.2"] {
            let refused = told(false, |headers, _| headers[0].1 = host.as_bytes().to_vec());
            assert_eq!(refused, Err(Refusal::Host), "{host}");
        }
        assert_eq!(told(false, |headers, _| drop(headers.remove(0))), Err(Refusal::Host), "none");
        assert_eq!(with_header("Host", HOST), Err(Refusal::Host), "two");
    }

    #[test]
    fn the_address_for_containers_is_a_host_only_where_that_was_asked_for() {
        for (host, answered) in
            [("169.254.170.2", true), ("169.254.170.2:80", true), ("169.254.170.2:81", false), (HOST, true)]
        {
            let told = told(true, |headers, _| headers[0].1 = host.as_bytes().to_vec());
            assert_eq!(told.is_ok(), answered, "{host}");
        }
    }

    #[test]
    fn what_a_browser_says_of_a_page_is_refused() {
        for name in ["Origin", "referer", "Sec-Fetch-Site", "sec-fetch-mode"] {
            assert_eq!(with_header(name, "x"), Err(Refusal::Page(name.to_ascii_lowercase())), "{name}");
            assert_eq!(with_header(name, ""), Err(Refusal::Page(name.to_ascii_lowercase())), "{name}");
        }
    }

    #[test]
    fn what_a_proxy_says_of_its_client_is_refused() {
        for name in ["X-Forwarded-For", "x-forwarded-host", "Forwarded", "Via", "X-Real-IP"] {
            assert_eq!(with_header(name, "10.0.0.1"), Err(Refusal::Proxy(name.to_ascii_lowercase())), "{name}");
        }
    }

    #[test]
    fn a_missing_or_wrong_token_is_refused_and_so_are_two() {
        assert_eq!(told(false, |headers, _| drop(headers.remove(1))), Err(Refusal::Token));
        for change in [b"Bearer ".as_slice(), b" "] {
            let prefixed = told(false, |headers, _| drop(headers[1].1.splice(0..0, change.iter().copied())));
            assert_eq!(prefixed, Err(Refusal::Token));
        }
        assert_eq!(told(false, |headers, _| headers[1].1.truncate(42)), Err(Refusal::Token));
        assert_eq!(told(false, |headers, _| headers.push(headers[1].clone())), Err(Refusal::Token));
    }

    #[test]
    fn another_path_method_or_a_body_is_refused_but_not_to_who_has_no_token() {
        for target in ["/", "", "/credentials/", "/credentials?x", "http://127.0.0.1:40123/credentials", "/x", "*"] {
            assert_eq!(told(false, |_, asked| asked.target = target), Err(Refusal::Path), "{target}");
        }
        for method in ["POST", "HEAD", "PUT", "OPTIONS", "get", "TRACE"] {
            assert_eq!(told(false, |_, asked| asked.method = method), Err(Refusal::Method), "{method}");
        }
        for (name, value) in [("content-length", "1"), ("content-length", "x"), ("Transfer-Encoding", "chunked")] {
            assert_eq!(with_header(name, value), Err(Refusal::Body), "{name}");
        }
        let without_token = told(false, |headers, asked| {
            headers.remove(1);
            (asked.target, asked.method) = ("/x", "POST");
        });
        assert_eq!(without_token, Err(Refusal::Token));
    }

    #[test]
    fn a_peer_on_another_machine_is_refused() {
        for peer in ["10.0.0.1", "172.17.0.2", "::ffff:10.0.0.1", "fe80::1"] {
            assert_eq!(told(false, |_, asked| asked.peer = peer.parse().unwrap()), Err(Refusal::Peer), "{peer}");
        }
    }
}
