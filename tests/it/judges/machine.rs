//! A machine on which time goes by, at AWS too.

use std::cell::Cell;
use std::ffi::OsStr;
use std::time::Duration;

use aws_sim::{Role, Trust};

use super::clock::by_the_clock;
use crate::left_unlocked::LeftUnlocked;
use crate::program::{ACCOUNT, Case, Invocation};

/// A machine with a user profile `prod` and a role profile `admin` of that user, left unlocked.
pub struct Machine {
    pub case: LeftUnlocked,
    passed: Cell<Duration>,
}

impl Machine {
    /// Once its person did this.
    pub fn after(prepare: impl Fn(&Case)) -> Self {
        let case = Case::with_prod();
        let role = case.sim.add_role(Role::new(ACCOUNT, "admin", Trust::of(ACCOUNT).with_mfa()));
        case.run(&["add", "admin", "--role-arn", &role, "--source-profile", "prod"]).succeeds();
        prepare(&case);
        let case = LeftUnlocked::new(case);
        case.sim.clear_requests();
        let machine = Self { case, passed: Cell::default() };
        machine.pass(Duration::ZERO);
        machine
    }

    /// Time goes by, at AWS and for what runs here by this clock.
    pub fn pass(&self, time: Duration) {
        self.passed.set(self.passed.get() + time);
        self.case.sim.advance(time);
        self.case.give("clock", format!("+{}", self.passed.get().as_secs()));
    }

    /// Its person signs in with a code that is good by now.
    pub fn signs_in_again(&self) {
        let code = self.case.phone.code();
        let login = self.case.vault(&["login", "prod", "--no-export", "--mfa-code", &code]);
        self.now(login).run().succeeds();
        self.case.sim.clear_requests();
    }

    /// With the agent to ask.
    pub fn now<'a>(&'a self, invocation: Invocation<'a>) -> Invocation<'a> {
        by_the_clock(invocation, &self.case.given("clock")).without_variable("VAULT_NO_AGENT")
    }

    pub fn tool(&self, program: impl AsRef<OsStr>, arguments: &[impl AsRef<OsStr>]) -> Invocation<'_> {
        let tool = self.case.command(program, arguments).variable("AWS_REGION", "eu-central-1");
        self.now(tool.variable("AWS_DEFAULT_REGION", "eu-central-1").variable("AWS_EC2_METADATA_DISABLED", "true"))
    }

    pub fn sent(&self) -> Vec<(String, bool)> {
        let sent = self.case.sim.requests();
        self.case.sim.clear_requests();
        sent.into_iter().map(|request| (request.action, request.signed_with_token)).collect()
    }
}
