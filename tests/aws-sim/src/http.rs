//! The HTTP side: a request becomes `Incoming`, its answer is delivered whole, late, in part or not at all.

use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{ConnectInfo, Request, State};
use axum::http::{Response, header};
use jiff::Timestamp;
use jiff::fmt::rfc2822::DateTimePrinter;

use crate::cloud::{Shared, lock};
use crate::connection::{Connections, Limit, Valve};
use crate::failure::Kind;
use crate::service;

const BODY_LIMIT: usize = 1 << 20;

pub(crate) struct Incoming {
    pub method: String,
    /// Path and query, as sent.
    pub target: String,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Incoming {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(header, _)| header == name).map(|(_, value)| value.as_str())
    }

    pub fn path(&self) -> &str {
        self.target.split_once('?').map_or(&self.target, |(path, _)| path)
    }

    pub fn query(&self) -> &str {
        self.target.split_once('?').map_or("", |(_, query)| query)
    }
}

pub(crate) struct Reply {
    pub status: u16,
    pub content_type: &'static str,
    pub body: String,
    pub request_id: String,
    pub date: Timestamp,
}

pub(crate) enum Delivery {
    Whole,
    Nothing,
    Late(Duration),
    Cut(usize),
}

impl Delivery {
    pub fn under(failure: Option<&Kind>) -> Delivery {
        match failure {
            Some(Kind::BeforeSend | Kind::AfterApplied) => Delivery::Nothing,
            Some(Kind::Delay(delay)) => Delivery::Late(*delay),
            Some(Kind::CutReply(bytes)) => Delivery::Cut(*bytes),
            Some(Kind::Status { .. } | Kind::Throttle | Kind::Altered(..)) | None => Delivery::Whole,
        }
    }

    fn limit(&self) -> Limit {
        match self {
            Delivery::Whole | Delivery::Late(_) => Limit::None,
            Delivery::Nothing => Limit::Bytes(0),
            Delivery::Cut(bytes) => Limit::Body(*bytes),
        }
    }
}

pub(crate) async fn serve(listener: tokio::net::TcpListener, shared: Shared) {
    let service = Router::new().fallback(handle).with_state(shared).into_make_service_with_connect_info::<Valve>();
    // It never ends: errors of single connections end only those.
    drop(axum::serve(Connections(listener), service).await);
}

async fn handle(
    State(shared): State<Shared>,
    ConnectInfo(valve): ConnectInfo<Valve>,
    request: Request,
) -> Response<Body> {
    let incoming = read(request).await;
    let (reply, delivery) = service::answer(&mut lock(&shared), &incoming);
    valve.set(delivery.limit());
    if let Delivery::Late(delay) = delivery {
        tokio::time::sleep(delay).await;
    }
    respond(reply)
}

async fn read(request: Request) -> Incoming {
    let (head, body) = request.into_parts();
    let text = |value: &axum::http::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    let target = head.uri.path_and_query().map_or("/", |target| target.as_str()).to_owned();
    Incoming {
        method: head.method.to_string(),
        target,
        headers: head.headers.iter().map(|(name, value)| (name.to_string(), text(value))).collect(),
        body: to_bytes(body, BODY_LIMIT).await.map(|body| body.to_vec()).unwrap_or_default(),
    }
}

fn respond(reply: Reply) -> Response<Body> {
    let date = DateTimePrinter::new().timestamp_to_rfc9110_string(&reply.date).unwrap_or_default();
    let response = Response::builder()
        .status(reply.status)
        .header(header::CONTENT_TYPE, reply.content_type)
        .header(header::DATE, date)
        .header("x-amzn-RequestId", reply.request_id)
        .body(Body::from(reply.body));
    response.expect("the status is AWS's or a test's three digits, and the headers are ASCII written here")
}
