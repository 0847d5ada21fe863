//! What AWS and the person hear of it when many programs ask at once for a session that is not there.

use std::process::{Child, Output, Stdio};
use std::time::Instant;

use super::amount::Amount;
use super::bench::Bench;
use super::figure::{Figure, Other, Told};
use super::guest::Guest;
use super::machine::{Machine, done};
use super::peer::Kind;

const CALLERS: usize = 20;
/// Its codes come from a command, which keeps count.
const COMMAND: &str = "echo asked >> ~/asked; cat ~/code\n";

pub fn measure(bench: &Bench) -> Vec<Figure> {
    let (machine, phone) = Machine::unlocked(1);
    machine.write("code", &phone.code());
    machine.write("ask.sh", COMMAND);
    let setting = format!("mfa_process=sh {}", machine.path("ask.sh").display());
    done(&mut machine.opening(&["set", "prod", &setting]), "");
    machine.aws.clear_requests();
    let started = Instant::now();
    let replies = all_at_once(|| {
        let mut ask = machine.vault(&["credential-process", "prod"]);
        ask.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("the program starts")
    });
    let took = Amount::milliseconds(started.elapsed());
    assert!(replies.iter().all(|reply| reply.status.success() && reply.stdout == replies[0].stdout), "not all served");
    let asked = std::fs::read_to_string(machine.path("asked")).expect("a code was needed").lines().count();
    let one = Amount::pieces(1);
    let others = Guest::all(bench).iter().map(storm).chain(Guest::not_led(bench)).collect::<Vec<_>>();
    vec![
        Figure::new("20 cold callers at once: calls of STS", Amount::pieces(machine.aws.requests().len()))
            .at_most(one)
            .beside(others),
        Figure::new("the same: MFA codes asked for", Amount::pieces(asked)).at_most(one),
        Figure::new("the same: until the last of the 20 is served", took),
    ]
}

/// The same of a peer: by one code, as a person would have it, or by none, where its cache is for roles.
fn storm(guest: &Guest) -> Other {
    let replies = match guest.kind {
        Kind::AwsCli => {
            let mut as_role = guest.as_role();
            all_at_once(|| as_role.spawn().expect("it was found"))
        }
        _ => {
            let code = guest.code();
            all_at_once(|| guest.signs_in(&code).start())
        }
    };
    let served = replies.iter().filter(|reply| reply.status.success()).count();
    let words = format!("{} calls, {served} of {CALLERS} served", guest.sessions_asked_for());
    guest.told(Told::Words(words))
}

fn all_at_once(mut start: impl FnMut() -> Child) -> Vec<Output> {
    let callers: Vec<Child> = (0..CALLERS).map(|_| start()).collect();
    callers.into_iter().map(|caller| caller.wait_with_output().expect("it was started")).collect()
}
