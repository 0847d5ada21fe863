//! Runs a program under strace, which makes one of its system calls fail, or kills it there.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::os::unix::process::ExitStatusExt;

use rustix::process::Signal;

use crate::program::{Case, Invocation, Output, Running};

/// All threads, and no other program: an agent that is started here goes its own way.
const FOLLOW: &[&str] = &["-f", "-qq", "-b", "execve"];

/// What a call does to files, with the errors that it gives where a disk fails, is full or may not be written.
struct Sort {
    /// Both names of those calls that have an older one.
    names: &'static [&'static str],
    /// What its line in a trace has besides, where that makes the difference.
    with: &'static str,
    changes: bool,
    errors: &'static [&'static str],
    /// From there on: the disk stays full, or was made read-only by the kernel.
    lasting: &'static [&'static str],
}

const fn reads(names: &'static [&'static str], errors: &'static [&'static str]) -> Sort {
    Sort { names, with: "", changes: false, errors, lasting: &[] }
}

const fn changes(names: &'static [&'static str], errors: &'static [&'static str]) -> Sort {
    Sort { names, with: "", changes: true, errors, lasting: &[] }
}

/// The first that fits.
const SORTS: &[Sort] = &[
    Sort { with: "O_CREAT", lasting: &["EROFS"], ..changes(&["open", "openat"], &["EACCES", "ENOSPC", "EIO"]) },
    reads(&["open", "openat"], &["EACCES", "EIO"]),
    reads(&["read", "getdents64", "statx", "stat", "fstat"], &["EIO"]),
    reads(&["newfstatat", "readlink"], &["EACCES"]),
    Sort { lasting: &["ENOSPC"], ..changes(&["write"], &["ENOSPC", "EIO"]) },
    Sort { lasting: &["EIO"], ..changes(&["fsync"], &["EIO", "ENOSPC"]) },
    changes(&["rename", "renameat", "renameat2"], &["EIO", "ENOSPC", "EROFS", "EACCES"]),
    changes(&["link", "linkat"], &["EIO", "ENOSPC", "EPERM", "EMLINK"]),
    changes(&["unlink", "unlinkat"], &["EIO", "EACCES"]),
    changes(&["mkdir", "mkdirat"], &["ENOSPC", "EROFS", "EACCES"]),
    changes(&["chmod", "fchmod", "ftruncate"], &["EIO"]),
    changes(&["flock"], &["EIO", "ENOLCK"]),
];

/// What those call who speak with an agent, and the agent itself, with the errors of a machine that is short of something
/// and of another side that went away.
const OF_SOCKETS: &[Sort] = &[
    changes(&["socket"], &["EMFILE"]),
    changes(&["connect"], &["ECONNREFUSED", "EACCES"]),
    changes(&["bind"], &["EADDRINUSE", "ENOSPC"]),
    changes(&["listen"], &["EADDRINUSE"]),
    changes(&["accept4"], &["ECONNABORTED", "EMFILE"]),
    changes(&["sendto"], &["EPIPE"]),
    changes(&["recvfrom"], &["ECONNRESET"]),
    changes(&["getsockopt", "setsockopt"], &["ENOMEM"]),
    changes(&["mlock", "madvise"], &["ENOMEM"]),
    changes(&["setsid"], &["EPERM"]),
    changes(&["pipe2"], &["EMFILE"]),
];

/// The `number`th of one name in a run.
struct Call {
    name: &'static str,
    number: usize,
    sort: &'static Sort,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Kill,
    Once(&'static str),
    /// From there on.
    FromThere(&'static str),
}

#[derive(Clone)]
pub struct Fault {
    pub call: &'static str,
    number: usize,
    kind: Kind,
}

#[derive(PartialEq, Eq)]
pub enum Hit {
    Killed,
    Failed,
    Missed,
}

impl Call {
    fn of(line: &str, sorts: &[&'static Sort], numbers: &mut BTreeMap<&'static str, usize>) -> Option<Self> {
        let called = line.trim_start().split_once('(')?.0;
        let named = |sort: &&&Sort| sort.names.contains(&called) && line.contains(sort.with);
        let sort: &'static Sort = sorts.iter().find(named)?;
        let name = sort.names.iter().find(|name| **name == called)?;
        let number = numbers.entry(name).or_insert(0);
        *number += 1;
        Some(Self { name, number: *number, sort })
    }

    fn with(&self, kind: Kind) -> Fault {
        Fault { call: self.name, number: self.number, kind }
    }

    fn errors(&self) -> impl Iterator<Item = Fault> {
        let once = self.sort.errors.iter().map(|error| self.with(Kind::Once(error)));
        once.chain(self.sort.lasting.iter().map(|error| self.with(Kind::FromThere(error))))
    }

    /// One error, and the one that lasts: all of them take the same way out.
    fn fewer_errors(&self) -> impl Iterator<Item = Fault> {
        let once = self.sort.errors.iter().take(1).map(|error| self.with(Kind::Once(error)));
        once.chain(self.sort.lasting.iter().map(|error| self.with(Kind::FromThere(error))))
    }
}

impl Fault {
    pub fn kills(&self) -> bool {
        self.kind == Kind::Kill
    }

    pub fn lasts(&self) -> bool {
        matches!(self.kind, Kind::FromThere(_))
    }

    fn expression(&self) -> String {
        let Self { call, number, kind } = self;
        match kind {
            Kind::Kill => format!("inject={call}:signal=SIGKILL:when={number}"),
            Kind::Once(error) => format!("inject={call}:error={error}:when={number}"),
            Kind::FromThere(error) => format!("inject={call}:error={error}:when={number}+"),
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.expression())
    }
}

/// Every fault of a command: a kill before each call that changes something, and before the first; and each error at each
/// call, the middle ones of a row of the same left out. Without `reads_fail` only one error at each call that changes
/// something: how errors are told apart, and what reads, is the same in all commands, and one of them tries it. Calls are
/// counted from where the home folder is first named: those before it load the program. strace counts a thread each; the
/// main thread makes all of them.
pub fn faults_of<'a>(case: &'a Case, run: Invocation<'a>, reads_fail: bool) -> Vec<Fault> {
    faults_among(&calls_of(case, run, &SORTS.iter().collect::<Vec<_>>()), reads_fail)
}

/// The same with the calls by which processes speak with each other.
pub fn faults_of_speaking<'a>(case: &'a Case, run: Invocation<'a>, reads_fail: bool) -> Vec<Fault> {
    let sorts: Vec<&Sort> = SORTS.iter().chain(OF_SOCKETS).collect();
    faults_among(&calls_of(case, run, &sorts), reads_fail)
}

fn faults_among(calls: &[Call], reads_fail: bool) -> Vec<Fault> {
    let kills = calls.iter().enumerate().filter(|(at, call)| *at == 0 || call.sort.changes);
    let kills = kills.map(|(_, call)| call.with(Kind::Kill));
    let name = |at: usize| calls.get(at).map(|call| call.name);
    let in_the_middle = |at: usize| at > 0 && name(at - 1) == name(at) && name(at + 1) == name(at);
    let failing = calls.iter().enumerate().filter(|(at, call)| match reads_fail {
        true => call.sort.changes || !in_the_middle(*at),
        false => call.sort.changes && !in_the_middle(*at),
    });
    let errors = |call: &Call| match reads_fail {
        true => call.errors().collect::<Vec<_>>(),
        false => call.fewer_errors().collect(),
    };
    kills.chain(failing.flat_map(|(_, call)| errors(call))).collect()
}

fn calls_of<'a>(case: &'a Case, run: Invocation<'a>, sorts: &[&'static Sort]) -> Vec<Call> {
    let names: Vec<&str> = sorts.iter().flat_map(|sort| sort.names).copied().collect();
    let trace = case.given("trace");
    let traced = format!("trace={}", names.join(","));
    let options = [FOLLOW, &["-o", trace.to_str().unwrap(), "-e", &traced]].concat();
    run.under("strace", &options).run().succeeds();
    let trace = fs::read_to_string(trace).unwrap();
    let main_thread = trace.split(' ').next().unwrap();
    let home = case.home().display().to_string();
    let (mut numbers, mut calls, mut started) = (BTreeMap::new(), Vec::new(), false);
    for line in trace.lines().filter_map(|line| line.strip_prefix(main_thread)) {
        started |= line.contains(&home);
        let call = Call::of(line, sorts, &mut numbers);
        // What the kernel tells of itself is on no disk.
        let on_disk = !["\"/proc/", "\"/sys/"].iter().any(|kernel| line.contains(kernel));
        calls.extend(call.filter(|_| started && on_disk));
    }
    calls
}

/// Starts it with this fault.
pub fn start_with<'a>(fault: &Fault, case: &'a Case, invocation: Invocation<'a>) -> Running<'a> {
    let trace = case.given("trace");
    let (expression, traced) = (fault.expression(), format!("trace={}", fault.call));
    let options = [FOLLOW, &["-o", trace.to_str().unwrap(), "-e", &traced, "-e", &expression]].concat();
    invocation.under("strace", &options).start()
}

/// Runs it with this fault; strace dies of the signal that the program died of.
pub fn run_with<'a>(fault: &Fault, case: &'a Case, invocation: Invocation<'a>) -> (Output, Hit) {
    let output = start_with(fault, case, invocation).finish();
    let hit = match output.status.signal() {
        Some(signal) if signal == Signal::KILL.as_raw() => Hit::Killed,
        _ if fs::read_to_string(case.given("trace")).unwrap().contains("(INJECTED)") => Hit::Failed,
        _ => Hit::Missed,
    };
    (output, hit)
}
