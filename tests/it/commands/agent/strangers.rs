//! Callers that do not behave: whoever sends nonsense, half of something, too much, or nothing at all, keeps nobody else
//! waiting.

use std::io::{ErrorKind, Read, Write};
use std::os::unix::net::UnixStream;
use std::time::Instant;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use vault::agent::frame;

use super::*;

fn case() -> WithAgent {
    let case = WithAgent::new();
    case.start().unwrap();
    case
}

fn connect(case: &WithAgent) -> UnixStream {
    UnixStream::connect(case.socket()).unwrap()
}

/// The agent hung up, and had nothing to say.
#[track_caller]
fn is_closed(stream: &mut UnixStream) {
    let mut said = Vec::new();
    match stream.read_to_end(&mut said) {
        // What it did not read was lost with the connection.
        Err(error) if error.kind() == ErrorKind::ConnectionReset => {}
        other => drop(other.unwrap()),
    }
    assert_eq!(said, b"");
}

#[track_caller]
fn is_open(stream: &mut UnixStream) {
    stream.write_all(&frame::of(b"\"status\"").unwrap()).unwrap();
    let mut length = [0; 4];
    stream.read_exact(&mut length).unwrap();
    let mut reply = vec![0; u32::from_be_bytes(length) as usize];
    stream.read_exact(&mut reply).unwrap();
    assert!(reply.starts_with(b"{\"status\""));
}

#[test]
fn nonsense_and_messages_that_are_too_long_close_the_connection_without_a_word() {
    let case = case();
    let mut bystander = connect(&case);
    let identity = r#"{"unlock":{"vault_identity":"AGE-SECRET-KEY-1"#;
    for nonsense in [
        frame::of(b"{}").unwrap().to_vec(),
        frame::of(identity.as_bytes()).unwrap().to_vec(),
        frame::of(&[0xff; frame::LONGEST]).unwrap().to_vec(),
        (frame::LONGEST as u32 + 1).to_be_bytes().to_vec(),
        vec![0; 4],
        vec![0xff; 4],
        b"GET / HTTP/1.1\r\n\r\n".to_vec(),
        frame::of(b"\"reveal\"").unwrap().to_vec(),
        frame::of(br#"{"reveal":{"vault_id":"AAAAAAAAAAAAAAAAAAAAAA=="}}"#).unwrap().to_vec(),
        frame::of(br#"{"status":null,"lock":null}"#).unwrap().to_vec(),
        // What reads it must not run out of stack.
        frame::of(&[b'['; frame::LONGEST]).unwrap().to_vec(),
        frame::of("{\"hello\":".repeat(frame::LONGEST / 9).as_bytes()).unwrap().to_vec(),
        frame::of(format!(r#"{{"unwrap":{{"stanzas":{}"#, "[".repeat(60_000)).as_bytes()).unwrap().to_vec(),
    ] {
        let mut stranger = connect(&case);
        stranger.write_all(&nonsense).unwrap();
        is_closed(&mut stranger);
    }
    is_open(&mut bystander);
}

#[test]
fn whoever_stops_halfway_or_takes_no_reply_is_dropped_after_five_seconds_and_keeps_nobody_waiting() {
    let case = case();
    let mut bystander = connect(&case);
    let started = Instant::now();
    let request = frame::of(b"\"status\"").unwrap();
    let mut halves: Vec<UnixStream> = [1, 3, 4, request.len() - 1]
        .into_iter()
        .map(|cut| {
            let mut stream = connect(&case);
            stream.write_all(&request[..cut]).unwrap();
            stream
        })
        .collect();
    // Asks and asks, and reads nothing, until the agent stops listening.
    let mut greedy = connect(&case);
    greedy.set_nonblocking(true).unwrap();
    let mut quiet_since = Instant::now();
    while quiet_since.elapsed() < Duration::from_millis(500) {
        if greedy.write(&request).is_ok() {
            quiet_since = Instant::now();
        }
    }
    is_open(&mut bystander);
    assert!(started.elapsed() < Duration::from_secs(4), "{:?}", started.elapsed());
    for half in &mut halves {
        is_closed(half);
        assert!((4900..7000).contains(&started.elapsed().as_millis()), "{:?}", started.elapsed());
    }
    // To read would be to take replies.
    let hung_up = Timespec { tv_sec: 10, tv_nsec: 0 };
    assert_eq!(poll(&mut [PollFd::new(&greedy, PollFlags::empty())], Some(&hung_up)).unwrap(), 1);
    assert!((4900..8000).contains(&started.elapsed().as_millis()), "{:?}", started.elapsed());
    is_open(&mut bystander);
}

#[test]
fn a_thousand_connections_lock_nobody_out() {
    let case = case();
    let mut idle: Vec<UnixStream> = (0..1000).map(|_| connect(&case)).collect();
    let started = Instant::now();
    let agent = Arc::new(case.connect());
    let identities = Identities::new();
    agent.unlock(identities.unlock(&case.vault_file())).unwrap();
    assert!(identities.are_held(&agent, Which::Vault));
    assert!(started.elapsed() < Duration::from_secs(1), "{:?}", started.elapsed());
    let (mut first, mut last) = (idle.remove(0), idle.pop().unwrap());
    is_closed(&mut first);
    is_open(&mut last);
    // Who was heard of last is not the one that has to go.
    idle.extend((0..200).map(|_| connect(&case)));
    assert!(identities.are_held(&agent, Which::Vault));
    let status = fs::read_to_string(format!("/proc/{}/status", case.pid())).unwrap();
    let resident = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    println!("most memory resident: {resident}");
}

#[test]
fn an_agent_that_is_stopped_is_given_up_on_after_five_seconds() {
    let case = case();
    let agent = case.connect();
    let pid = rustix::process::Pid::from_raw(case.pid() as i32).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::STOP).unwrap();
    let started = Instant::now();
    assert!(matches!(agent.status(), Err(agent::AgentError::NoAnswer)));
    assert!((4900..7000).contains(&started.elapsed().as_millis()), "{:?}", started.elapsed());
    rustix::process::kill_process(pid, rustix::process::Signal::CONT).unwrap();
    assert!(
        matches!(agent.status(), Err(agent::AgentError::Closed)),
        "an answer that is late answers another question"
    );
    case.connect().status().unwrap();
}
