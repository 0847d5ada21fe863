//! `vault console --open`: what the browser is handed, and that nothing of it stays.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rustix::fs::{CWD, FileType, Mode, mknodat};

use super::{visit, with_admin};
use crate::commands::{error, error_and_hint, mode};
use crate::program::{ACCOUNT, Case, Invocation, files_below};

/// What stands on PATH in the place of a browser, and of `sleep`, which waits until the test says that a minute is over.
struct Desk<'a> {
    case: &'a Case,
}

impl<'a> Desk<'a> {
    /// `act` is what the browser does beside writing down what it was given.
    fn new(case: &'a Case, act: &str) -> Self {
        let desk = Self { case };
        fs::create_dir(desk.path("bin")).unwrap();
        desk.program(
            "browser",
            &format!(
                "printf '%s\\n' \"$@\" > {given}; env > {env}\n\
             cat /proc/[0-9]*/cmdline 2>/dev/null | tr '\\0' ' ' > {lines}\n\
             cp \"$(printf %s \"$1\" | sed 's,^file://,,')\" {page}\n{act}",
                given = desk.path("given").display(),
                env = desk.path("env").display(),
                lines = desk.path("lines").display(),
                page = desk.path("page").display(),
            ),
        );
        desk.program(
            "sleep",
            &format!("echo $1 > {}; read go < {}", desk.path("slept").display(), desk.gate().display()),
        );
        mknodat(CWD, desk.gate(), FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
        desk
    }

    fn path(&self, name: &str) -> PathBuf {
        self.case.given(name)
    }

    fn gate(&self) -> PathBuf {
        self.path("gate")
    }

    fn program(&self, name: &str, script: &str) {
        self.case.give_program(&format!("bin/{name}"), format!("#!/bin/sh\n{script}\n"));
    }

    fn console(&self, more: &[&str]) -> Invocation<'a> {
        let path = format!("{}:/usr/bin:/bin", self.path("bin").display());
        let run = self.case.vault(&[&["console", "admin", "--open"], more].concat());
        run.variable("PATH", path).variable("BROWSER", "browser").variable("AWS_SESSION_TOKEN", "the caller's own")
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }

    fn pages(&self) -> Vec<PathBuf> {
        let pages = files_below(&self.case.home()).into_iter();
        pages.filter(|path| path.extension().is_some_and(|extension| extension == "html")).collect()
    }

    /// The minute is over.
    fn let_time_pass(&self) {
        fs::write(self.gate(), "go\n").unwrap();
        let started = Instant::now();
        while !self.pages().is_empty() {
            assert!(started.elapsed() < Duration::from_secs(30), "{:?} is still there", self.pages());
            std::thread::yield_now();
        }
    }
}

/// What stands between these two, the first time.
fn between<'a>(text: &'a str, before: &str, after: &str) -> &'a str {
    text.split_once(before).unwrap().1.split_once(after).unwrap().0
}

#[test]
fn console_open_shows_no_token_in_any_cmdline() {
    let case = with_admin();
    let desk = Desk::new(&case, "");
    let output = desk.console(&["--mfa-code", &case.phone.code()]).run();
    let told = format!("admin: opened the console as role admin in account {ACCOUNT}, for 59 min\n");
    output.succeeds().stdout("").stderr(&told);

    let [page] = &desk.pages()[..] else { panic!("one page: {:?}", desk.pages()) };
    assert_eq!(mode(page), 0o600);
    assert_eq!(mode(page.parent().unwrap()), 0o700);
    assert_eq!(desk.read("given"), format!("file://{}\n", page.display()));
    let html = desk.read("page");
    let address = between(&html, "url=", "\">").replace("&amp;", "&");
    assert!(visit(&case, &address).arn.contains("assumed-role/admin/"));

    let token = address.split_once("SigninToken=").unwrap().1;
    let lines = desk.read("lines");
    assert!(lines.contains("browser"), "it saw command lines: {lines}");
    assert!(!lines.contains(token) && !lines.contains("SigninToken"));
    let environment = desk.read("env");
    assert!(!environment.contains(token) && !environment.contains("AWS_"), "{environment}");

    // Whatever is left of it now would be found.
    case.keep_secret("a sign-in token", token);
    desk.let_time_pass();
    assert_eq!(desk.read("slept"), "60\n");
}

#[test]
fn a_browser_that_does_not_open_leaves_no_page() {
    let case = with_admin();
    let desk = Desk::new(&case, "exit 3");
    let output = desk.console(&["--mfa-code", &case.phone.code()]).run();
    let told = format!("can't open a browser: `{}` ended with exit status: 3", desk.path("bin/browser").display());
    output.exits(1).stdout("").stderr(&error_and_hint(&told, "`vault console admin` prints the address instead"));
    assert_eq!(desk.pages(), [] as [&Path; 0]);
    desk.let_time_pass();
    fs::remove_file(desk.path("bin/browser")).unwrap();
    let told = "can't open a browser: no browser: neither BROWSER nor xdg-open nor open leads to one";
    let output = desk.console(&[]).variable("PATH", desk.path("bin")).run();
    output.exits(1).stderr(&error_and_hint(told, "`vault console admin` prints the address instead"));
    assert_eq!(desk.pages(), [] as [&Path; 0]);
}

#[test]
fn a_page_that_was_left_behind_is_gone_with_the_next_and_a_young_one_stays() {
    let case = with_admin();
    let desk = Desk::new(&case, "");
    let folder = case.home().join(".local/state/vault/run");
    let [old, young, others] = ["console-1.html", "console-2.html", "notes.html"].map(|name| folder.join(name));
    for path in [&old, &young, &others] {
        case.write(path, 0o600, "");
    }
    let hour_ago = std::time::SystemTime::now() - Duration::from_secs(3600);
    for path in [&old, &others] {
        fs::File::options().write(true).open(path).unwrap().set_modified(hour_ago).unwrap();
    }
    desk.console(&["--mfa-code", &case.phone.code()]).run().succeeds();
    assert!(!old.exists() && young.exists() && others.exists());
    fs::remove_file(young).unwrap();
    fs::remove_file(others).unwrap();
    desk.let_time_pass();
    fs::set_permissions(&folder, Permissions::from_mode(0o750)).unwrap();
    let told = error("the folder that the page for the browser would lie in is not yours alone");
    desk.console(&[]).run().exits(6).stdout("").stderr(&told);
}
