//! What it says of variables.

use super::{doctor, error, said_of, says, told};
use crate::program::Case;

#[test]
fn variables_that_go_before_a_profile_are_a_problem_unless_they_are_a_session_of_ours() {
    let case = Case::with_prod();
    case.login().succeeds();
    let with_keys = |more: Option<&str>| {
        let run = case.vault(&["doctor", "prod", "--offline"]);
        let run = run.variable("AWS_ACCESS_KEY_ID", "ASIAX").variable("AWS_SECRET_ACCESS_KEY", "s");
        more.into_iter().fold(run, |run, ours| run.variable("AWS_VAULT", ours)).run()
    };
    let foreign = with_keys(None);
    foreign.exits(1);
    says(
        &foreign,
        "problem  environment  AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY set: AWS tools use that before a profile",
    );
    says(
        &foreign,
        "note     profile      `prod` counts only where a tool is told `--profile prod`: keys in variables go before AWS_PROFILE",
    );
    with_keys(Some("prod")).succeeds();
}

#[test]
fn an_endpoint_is_shown_as_it_was_read_and_what_is_none_without_its_password() {
    let case = Case::with_prod();
    let name = "AWS_ENDPOINT_URL_STS";
    let run = |value: &str| case.vault(&["doctor", "--json"]).variable(name, value);
    let last = |value: &str| said_of(&run(value).run(), "environment").pop().unwrap();
    assert_eq!(
        last("https://sts.eu-west-1.amazonaws.com/"),
        told("note", &format!("{name}=https://sts.eu-west-1.amazonaws.com"), None)
    );
    for (value, why) in [
        ("https://alice:hunter2@sts.example.com", "an endpoint must not hold a user name or password"),
        ("http://sts.example.com", "`http://sts.example.com` is plain http to another machine"),
    ] {
        let ran = run(value).run();
        ran.exits(1).stderr(&error("one problem was found"));
        let next = format!("`unset {name}`");
        assert_eq!(said_of(&ran, "environment").pop(), Some(told("problem", &format!("{name}: {why}"), Some(&next))));
        assert_eq!(said_of(&ran, "clock"), [told("note", "AWS was not asked: a variable leads to no endpoint", None)]);
        assert!(!ran.out.contains("hunter2"), "{}", ran.out);
    }
    let ignored = doctor(&case, &[]).variable(name, "https://alice:hunter2@sts.example.com");
    let ignored = ignored.variable("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "true").run();
    assert_eq!(
        said_of(&ignored, "environment").pop(),
        Some(told("note", &format!("{name}, which AWS_IGNORE_CONFIGURED_ENDPOINT_URLS has passed over"), None))
    );
}
