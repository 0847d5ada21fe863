//! Where a key can come from besides a person and a pipe: the environment, the console's CSV, a plaintext profile.

use std::fs;

use super::{added, next, works};
use crate::commands::{error, error_and_hint, warning};
use crate::program::{Case, Output};

fn console_csv(case: &Case) -> String {
    format!("Access key ID,Secret access key\r\n{},{}\r\n", case.alice.access_key_id(), case.alice.secret_access_key())
}

fn from_csv(case: &Case, content: impl AsRef<[u8]>) -> (String, Output) {
    let path = case.give("alice_accessKeys.csv", content).to_str().unwrap().to_owned();
    let output = case.run(&["add", "prod", "--from-csv", &path]);
    (path, output)
}

#[test]
fn a_key_can_come_from_the_environment() {
    let case = Case::with_vault();
    let add = case.vault(&["add", "prod", "--from-env"]);
    let add = add.variable("AWS_ACCESS_KEY_ID", case.alice.access_key_id());
    let told = format!(
        "{}vault: hint: unset AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN\n{}{}",
        warning("AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY set in this shell; AWS tools use that before any profile"),
        added(&case, "prod"),
        next("prod")
    );
    add.variable("AWS_SECRET_ACCESS_KEY", case.alice.secret_access_key()).run().succeeds().stdout("").stderr(&told);
    works(&case, "prod");
}

#[test]
fn an_environment_that_holds_no_long_term_key_is_refused() {
    let case = Case::with_vault();
    let add = || case.vault(&["add", "prod", "--from-env"]);
    let missing = |name: &str| error_and_hint(&format!("{name} is not set"), "export it, or leave out --from-env");
    add().run().exits(2).stderr(&missing("AWS_ACCESS_KEY_ID"));
    let half = add().variable("AWS_ACCESS_KEY_ID", case.alice.access_key_id());
    half.run().exits(2).stderr(&missing("AWS_SECRET_ACCESS_KEY"));
    let session = add().variable("AWS_SESSION_TOKEN", "t").variable("AWS_ACCESS_KEY_ID", case.alice.access_key_id());
    session.run().exits(1).stderr(&error_and_hint(
        "AWS_SESSION_TOKEN is set: these variables hold a session, not a long-term key",
        "unset it if the other two are a long-term key",
    ));
    // The pair the wrong way round: nothing of it is shown.
    let wrong = add().variable("AWS_ACCESS_KEY_ID", case.alice.secret_access_key());
    let told = "AWS_ACCESS_KEY_ID: that is not an access key id; it looks like AKIA and 16 more characters";
    wrong.variable("AWS_SECRET_ACCESS_KEY", case.alice.access_key_id()).run().exits(2).stderr(&error(told));
    assert_eq!(case.sim.requests(), []);
}

#[test]
fn the_consoles_csv_is_read_in_every_layout_it_ever_had() {
    let case = Case::with_vault();
    let (id, secret) = (case.alice.access_key_id(), case.alice.secret_access_key());
    let layouts = [
        console_csv(&case),
        format!("\u{feff}{}", console_csv(&case)),
        format!("Access key ID,Secret access key\n{id},{secret}"),
        format!(
            "User name,Password,Access key ID,Secret access key,Console login link\nalice,,{id},{secret},https://x\n"
        ),
        format!("Secret access key,Access key ID\r\n\"{secret}\",\"{id}\"\r\n"),
    ];
    for (number, layout) in (1..).zip(layouts) {
        let path = case.give("keys.csv", layout).to_str().unwrap().to_owned();
        let name = format!("prod{number}");
        let told = format!(
            "{}{}{}",
            added(&case, &name),
            warning(&format!("the key still lies in plaintext in {path}; delete that file")),
            next(&name)
        );
        case.run(&["add", &name, "--from-csv", &path]).succeeds().stdout("").stderr(&told);
    }
    works(&case, "prod5");
}

#[test]
fn a_csv_that_is_something_else_is_refused_without_a_word_of_what_it_holds() {
    let case = Case::with_vault();
    let (id, secret) = (case.alice.access_key_id(), case.alice.secret_access_key());
    let hint = "it has the columns `Access key ID` and `Secret access key`";
    for other in ["", "name,value\na,b\n", &format!("{id},{secret}\n"), "Access key ID,Secret access key\n"] {
        let (path, output) = from_csv(&case, other);
        let told = error_and_hint(&format!("{path} is not an access key file of the AWS console"), hint);
        output.exits(1).stdout("").stderr(&told);
    }
    let (path, output) = from_csv(&case, format!("{}{id},{secret}\n", console_csv(&case)));
    output.exits(1).stderr(&error(&format!("{path} holds more than one key")));
    let swapped = format!("Access key ID,Secret access key\n{secret},{id}\n");
    let told = error("that is not an access key id; it looks like AKIA and 16 more characters");
    from_csv(&case, swapped).1.exits(2).stdout("").stderr(&told);
    assert_eq!(case.sim.requests(), []);
}

#[test]
fn a_key_can_come_from_a_plaintext_profile() {
    let case = Case::with_vault();
    let (id, secret) = (case.alice.access_key_id(), case.alice.secret_access_key());
    let file =
        case.give("credentials", format!("[identity]\naws_access_key_id={id}\naws_secret_access_key={secret}\n"));
    let path = file.to_str().unwrap();
    let add = |from: &str| {
        case.vault(&["add", "prod", "--from-profile", from]).variable("AWS_SHARED_CREDENTIALS_FILE", path).run()
    };
    add("other").exits(1).stderr(&error(&format!("no section [other] in {path}")));
    let told = format!(
        "{}{}{}",
        added(&case, "prod"),
        warning(&format!("the key still lies in plaintext in {path}, section [identity]; remove it there")),
        next("prod")
    );
    add("identity").succeeds().stdout("").stderr(&told);
    assert!(fs::read_to_string(&file).unwrap().starts_with("[identity]\naws_access_key_id="), "it stays as it is");
    works(&case, "prod");
}
