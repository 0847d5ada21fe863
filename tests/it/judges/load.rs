//! Fifty clients that ask an endpoint without a pause, for a minute.

use std::fs;
use std::io::Write;
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::program::{Case, Conversation, Endpoint, Reply};
use crate::waiting;

/// How long, and how much of it is for buffers to grow to what they come to.
const LOAD: Duration = Duration::from_secs(60);
const WARM_UP: Duration = Duration::from_secs(10);

const CLIENTS: usize = 50;

/// SDKs give up after two seconds. Of a build for debugging, beside other tests, more is not asked.
const P99: Duration = Duration::from_secs(1);

/// What the server's memory may grow by after the warm-up. There are tens of thousands of requests in it: with one leaked
/// token (43 bytes) for each, it would be more.
const GROWTH: u64 = 1024 * 1024;

/// How a client speaks of the next request.
#[derive(Clone, Copy)]
enum Client {
    /// It would have it go over the same connection, reads what the reply's length says, and hears that it may not.
    KeepingAlive,
    /// It says that there is none, and reads to the end.
    AskingOnce,
}

impl Client {
    fn ask(self, endpoint: &Endpoint) -> Reply {
        let mut stream = endpoint.connect();
        let connection = match self {
            Self::KeepingAlive => "Connection: keep-alive",
            Self::AskingOnce => "Connection: close",
        };
        stream.write_all(endpoint.request_with(connection).as_bytes()).unwrap();
        let reply = match self {
            Self::KeepingAlive => Reply::read_by_length(&mut stream),
            Self::AskingOnce => Reply::read(&mut stream),
        };
        let reply = reply.expect("no reply");
        assert_eq!(reply.header("connection"), Some("close"));
        reply
    }
}

/// What the server's process takes, once a client was answered.
struct Sample {
    at: Duration,
    resident: u64,
    descriptors: usize,
}

impl Sample {
    fn of(server: &Conversation, started: Instant) -> Self {
        let process = format!("/proc/{}", server.id());
        let status = fs::read_to_string(format!("{process}/status")).unwrap();
        let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:")?.strip_suffix("kB")).unwrap();
        let resident = resident.trim().parse::<u64>().unwrap() * 1024;
        Self { at: started.elapsed(), resident, descriptors: descriptors(server) }
    }
}

fn descriptors(server: &Conversation) -> usize {
    fs::read_dir(format!("/proc/{}/fd", server.id())).unwrap().count()
}

/// Asks until the time is over: how long each answer took.
fn ask_on(client: Client, endpoint: &Endpoint, right: &str, started: Instant) -> Vec<Duration> {
    let mut took = Vec::new();
    while started.elapsed() < LOAD {
        let asked = Instant::now();
        let reply = client.ask(endpoint);
        took.push(asked.elapsed());
        assert_eq!((reply.status, &*reply.body), (200, right));
    }
    took
}

fn serve(case: &Case) -> (Conversation<'_>, Endpoint) {
    let mut server = case.vault(&["serve", "prod", "--no-mfa", "--shell", "dotenv"]).converse();
    let mut value = || server.hear().split_once('=').unwrap().1.to_owned();
    let (url, token) = (value(), value());
    (server, Endpoint::new(&url, &token))
}

#[test]
#[ignore = "takes a minute of real time"]
fn fifty_clients_that_never_pause_are_all_answered_and_the_server_does_not_grow() {
    let case = Case::with_prod();
    let (server, endpoint) = serve(&case);
    let right = endpoint.get().body;
    let at_rest = descriptors(&server);
    let started = Instant::now();
    let (mut took, samples) = thread::scope(|scope| {
        let client = |number| if number % 2 == 0 { Client::KeepingAlive } else { Client::AskingOnce };
        let (endpoint, right) = (&endpoint, &right);
        let clients: Vec<_> =
            (0..CLIENTS).map(|number| scope.spawn(move || ask_on(client(number), endpoint, right, started))).collect();
        let mut samples = Vec::new();
        while started.elapsed() < LOAD {
            Client::AskingOnce.ask(endpoint);
            samples.push(Sample::of(&server, started));
        }
        let took: Vec<Duration> = clients.into_iter().flat_map(|client| client.join().unwrap()).collect();
        (took, samples)
    });
    took.sort_unstable();
    let p99 = took[took.len() * 99 / 100];
    let most = |warm: bool| {
        let samples = samples.iter().filter(|sample| (sample.at >= WARM_UP) == warm);
        samples.map(|sample| sample.resident).max().unwrap()
    };
    let (before, after) = (most(false), most(true));
    let descriptors_at_most = samples.iter().map(|sample| sample.descriptors).max().unwrap();
    println!(
        "{} answers, median {:?}, p99 {p99:?}, longest {:?}; {} kB, then {} kB; {at_rest} descriptors, then {descriptors_at_most}",
        took.len(),
        took[took.len() / 2],
        took[took.len() - 1],
        before / 1024,
        after / 1024,
    );
    assert!(p99 < P99, "{p99:?}");
    assert!(after < before + GROWTH, "it grew from {before} to {after} bytes");
    // Of each client one that ends and one that begins.
    assert!(descriptors_at_most <= at_rest + 2 * (CLIENTS + 1), "{at_rest}, then {descriptors_at_most}");
    waiting::until(format_args!("no more than {at_rest} open descriptors"), || descriptors(&server) <= at_rest);
    kill_process(Pid::from_raw(server.id().cast_signed()).unwrap(), Signal::TERM).unwrap();
    assert_eq!(server.ends().code(), Some(0));
}
