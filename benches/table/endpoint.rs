//! How the credentials endpoint of `vault serve` bears many clients, each of which asks again as soon as it is answered.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use super::amount::Amount;
use super::bench::Bench;
use super::figure::Figure;
use super::machine::{Machine, resident};

const CLIENTS: usize = 50;
/// How much more memory it may have at the end than in the middle and still be said not to grow, in KiB: Linux counts no finer.
/// What fifty connections need at once it has by then.
const FLAT: u64 = 256;

pub fn measure(bench: &Bench) -> Vec<Figure> {
    let machine = Machine::signed_in(1);
    let seconds = if bench.quick { 5 } else { 60 };
    let served = Served::by(&machine);
    served.get();
    let ([start, middle, end], mut times) = served.under_load(Duration::from_secs(seconds));
    times.sort();
    let within = |of_thousand: usize| Amount::milliseconds(times[(times.len() - 1) * of_thousand / 1000]);
    let what = format!("`vault serve`, 50 clients for {seconds} s");
    let memory = [start, middle, end].map(|kibibytes| Amount::memory(kibibytes).to_string()).join(", ");
    vec![
        Figure::new(format!("{what}: half of the answers within"), within(500)),
        Figure::new("the same: 99 of 100 within", within(990)).at_most(Amount::of_milliseconds(10.0)),
        Figure::new("the same: answers a second", Amount::pieces(times.len() / usize::try_from(seconds).unwrap_or(1))),
        Figure::new("the same: its memory at the start, in the middle, at the end", Amount::memory(end))
            .told(memory)
            .at_most(Amount::memory(middle + FLAT))
            .goal_told(format!("flat: at the end ≤ {} more than in the middle", Amount::memory(FLAT))),
    ]
}

struct Served {
    server: Child,
    host: String,
    request: String,
}

impl Served {
    fn by(machine: &Machine) -> Self {
        let mut serve = machine.vault(&["serve", "prod", "--shell", "dotenv"]);
        let mut server = serve.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("the program starts");
        let told = BufReader::new(server.stdout.take().expect("it was piped")).lines().map_while(Result::ok);
        let (mut url, mut token) = (None, None);
        for line in told {
            match line.split_once('=') {
                Some(("AWS_CONTAINER_CREDENTIALS_FULL_URI", value)) => url = Some(value.to_owned()),
                Some(("AWS_CONTAINER_AUTHORIZATION_TOKEN", value)) => token = Some(value.to_owned()),
                _ => {}
            }
            if url.is_some() && token.is_some() {
                break;
            }
        }
        let (url, token) = url.zip(token).expect("it tells where it is before it serves");
        let (host, path) = url.trim_start_matches("http://").split_once('/').expect("it has a path");
        let request = format!("GET /{path} HTTP/1.1\r\nHost: {host}\r\nAuthorization: {token}\r\n\r\n");
        Self { server, host: host.to_owned(), request }
    }

    /// From the connection to the reply's last byte.
    fn get(&self) -> Duration {
        let started = Instant::now();
        let mut stream = TcpStream::connect(&self.host).expect("it listens");
        stream.write_all(self.request.as_bytes()).expect("it hears");
        let mut reply = String::new();
        stream.read_to_string(&mut reply).expect("it answers");
        let took = started.elapsed();
        assert!(reply.starts_with("HTTP/1.1 200 ") && reply.contains("\"AccessKeyId\""), "not served: {reply:.12}");
        took
    }

    /// What memory it has in KiB, and how long each answer took.
    fn under_load(&self, time: Duration) -> ([u64; 3], Vec<Duration>) {
        let resident = || resident(self.server.id());
        thread::scope(|scope| {
            let (start, end) = (resident(), Instant::now() + time);
            let ask = move || -> Vec<Duration> {
                std::iter::repeat_with(|| self.get()).take_while(|_| Instant::now() < end).collect()
            };
            let clients: Vec<_> = (0..CLIENTS).map(|_| scope.spawn(ask)).collect();
            thread::sleep(time / 2);
            let middle = resident();
            let times = clients.into_iter().flat_map(|client| client.join().expect("each answer was one")).collect();
            ([start, middle, resident()], times)
        })
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        // What it did is measured by now.
        let _ = kill_process(Pid::from_child(&self.server), Signal::TERM);
        let _ = self.server.wait();
    }
}
