use super::*;
use proptest::prelude::*;

const COMMAND: &str = "/usr/bin/vault credential-process p";
const LINE: &str = "credential_process = /usr/bin/vault credential-process p";

fn name() -> ProfileName {
    "p".parse().unwrap()
}

/// The file with our line, and what was planned; else why not, in a word with its line.
fn configured(file: &str, replace: bool, take_over: bool) -> Result<(Option<String>, Planned), String> {
    let (name, region) = (name(), "eu-central-1".parse().unwrap());
    let region = file.contains("# wants a region").then_some(&region);
    let wish = Wish { name: &name, command: COMMAND, region, replace, take_over };
    let planned = planned(Path::new("/c"), file.as_bytes(), wish).map_err(|error| match error {
        ConfigureError::HasRole { line, key, .. } => format!("role {key} {line}"),
        ConfigureError::SignsInElsewhere { line, key, .. } => format!("elsewhere {key} {line}"),
        ConfigureError::HoldsCredentials { line, key, .. } => format!("credentials {key} {line}"),
        ConfigureError::ForeignProcess { line, command, .. } => format!("process {command} {line}"),
        other => other.to_string(),
    })?;
    Ok((planned.bytes.as_ref().map(|bytes| String::from_utf8(bytes.to_vec()).unwrap()), planned))
}

fn plain(file: &str) -> String {
    configured(file, false, false).ok().unwrap().0.unwrap()
}

fn refused(file: &str) -> String {
    configured(file, false, false).err().unwrap()
}

fn taken_back(file: &str, back: Back<'_>) -> (Restored, Option<String>) {
    let (outcome, new) = restored(file.as_bytes(), &name(), &back).unwrap();
    (outcome, new.map(|bytes| String::from_utf8(bytes.to_vec()).unwrap()))
}

#[test]
fn the_line_comes_into_its_section_or_into_a_new_one() {
    assert_eq!(plain(""), format!("[profile p]\n{MARK}\n{LINE}\n"));
    assert_eq!(plain("[p]\r\nx=1"), format!("[p]\r\nx=1\r\n[profile p]\r\n{MARK}\r\n{LINE}\r\n"));
    assert_eq!(
        plain("[profile p]\r\nregion=x\r\n\r\n# q\r\n[profile q]"),
        format!("[profile p]\r\nregion=x\r\n{LINE}\r\n\r\n# q\r\n[profile q]")
    );
    assert_eq!(
        plain("[profile p]\n# wants a region\noutput = json\n"),
        format!("[profile p]\n# wants a region\noutput = json\n{LINE}\nregion = eu-central-1\n")
    );
    assert_eq!(plain("[profile p]\ncredential_process =\nregion=x"), format!("[profile p]\n{LINE}\nregion=x"));
}

#[test]
fn a_second_time_changes_nothing_and_another_path_of_ours_gives_way() {
    assert!(configured(&plain(""), false, true).ok().unwrap().0.is_none());
    let moved = "[profile p]\ncredential_process = /old/vault credential-process p\n";
    let (new, planned) = configured(moved, false, false).ok().unwrap();
    assert_eq!((new.unwrap(), planned.replaces), (format!("[profile p]\n{LINE}\n"), None));
}

#[test]
fn what_tools_would_go_by_instead_is_refused_by_its_line() {
    for key in ["sso_session", "sso_start_url", "web_identity_token_file", "credential_source", "login_session"] {
        assert_eq!(refused(&format!("[profile p]\nx=1\n{key} = y\n")), format!("elsewhere {key} 3"));
        let beside = format!("[profile p]\nrole_arn = x\n{key} = y\n");
        assert_eq!(configured(&beside, true, true).err().unwrap(), format!("elsewhere {key} 3"));
    }
    assert_eq!(refused("[profile p]\nrole_arn = x\n"), "role role_arn 2");
    assert_eq!(refused("[profile p]\nsource_profile = x\n"), "role source_profile 2");
    assert_eq!(refused("[profile p]\naws_secret_access_key = x\n"), "credentials aws_secret_access_key 2");
    assert_eq!(refused("[profile p]\ncredential_process = other p\n"), "process other p 2");
    assert!(refused("[profile p]\n[profile p]\n").ends_with("line 2 has this section a second time"));
    assert!(refused(&format!("[profile p]\n{LINE}\nx=1\nX=2\n")).ends_with("line 4 has `x` a second time"));
    assert!(configured("[profile p]\nmfa_serial = x\n[profile q]\nrole_arn = x\n", false, false).is_ok());
}

#[test]
fn another_command_gives_way_when_asked_and_is_told() {
    let (new, planned) =
        configured("[profile p]\ncredential_process=other p ; mine\nregion=x\n", true, false).ok().unwrap();
    assert_eq!(new.unwrap(), format!("[profile p]\n{LINE}\nregion=x\n"));
    assert_eq!(planned.replaces.as_deref(), Some("other p"));
}

#[test]
fn a_role_gives_way_to_the_line_and_comes_back_byte_by_byte() {
    for (file, with) in [
        (
            "[profile p]\r\nregion = x\r\nrole_arn=y ; mine\r\n# of the role\r\nSource_Profile : z\r\n\r\n[q]\r\n",
            "[profile p]\r\nregion = x\r\nLINE\r\n# of the role\r\n\r\n[q]\r\n",
        ),
        ("[profile p]\nmfa_serial = y\nrole_arn = x\nsource_profile = z", "[profile p]\nLINE\n"),
        ("[profile p]\nrole_arn = x", "[profile p]\nLINE"),
        ("[profile p]\nrole_arn = x\nregion=z", "[profile p]\nLINE\nregion=z"),
        ("[profile p]\nregion=z\ncredential_process = other\nrole_arn=z", "[profile p]\nregion=z\nLINE\n"),
    ] {
        let (new, planned) = configured(file, true, true).ok().unwrap();
        assert_eq!(new.as_deref(), Some(&*with.replace("LINE", LINE)), "{file}");
        let (restored, old) = taken_back(&new.unwrap(), Back::Lines(&planned.takes));
        assert_eq!(old.as_deref(), Some(file));
        assert!(restored.removed_line && !restored.removed_section);
        let again = taken_back(file, Back::Lines(&planned.takes));
        assert!(again.1.is_none() && !again.0.removed_line);
    }
}

#[test]
fn a_value_that_is_not_one_line_is_not_taken() {
    let file = "[profile p]\nrole_arn =\n  x\nsource_profile = y\n";
    assert!(configured(file, false, true).err().unwrap().ends_with("AWS tools differ in how they read line 2"));
}

#[test]
fn a_line_that_is_not_ours_is_never_taken_away() {
    for file in ["", "[profile q]\n", "[profile p]\ncredential_process = other p\n", "[profile p]\nregion = x\n"] {
        let (restored, new) = taken_back(file, Back::Lines(&[]));
        assert!(new.is_none() && !restored.removed_line, "{file}");
    }
}

#[test]
fn a_section_of_ours_goes_with_the_line_unless_somebody_uses_it() {
    let made = plain("[q]\nx=1\n");
    let (restored, new) = taken_back(&made, Back::Lines(&[]));
    assert_eq!((restored.removed_section, new.as_deref()), (true, Some("[q]\nx=1\n")));
    let (restored, new) = taken_back(&format!("{made}region=x\n"), Back::Lines(&[]));
    assert_eq!((restored.removed_section, new.as_deref()), (false, Some("[q]\nx=1\n[profile p]\nregion=x\n")));
    let (restored, new) = taken_back(&format!("[profile p]\n{LINE}\n"), Back::Lines(&[]));
    assert_eq!((restored.removed_section, new.as_deref()), (false, Some("[profile p]\n")));
}

#[test]
fn settings_come_back_where_none_stand() {
    let set = vec![("role_arn", "x"), ("source_profile", "y")];
    let (restored, new) = taken_back(&format!("[profile p]\n{LINE}\nSource_Profile=z\n"), Back::Settings(set.clone()));
    assert_eq!(new.as_deref(), Some("[profile p]\nSource_Profile=z\nrole_arn = x\n"));
    assert_eq!(restored.keys, ["role_arn"]);
    let (_, new) = taken_back("", Back::Settings(set));
    assert_eq!(new.as_deref(), Some("[profile p]\nrole_arn = x\nsource_profile = y\n"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    /// Also between others' sections, with comments, without a last line end, under any spelling.
    #[test]
    fn taking_over_and_restoring_are_inverse(lines in prop::collection::vec(prop::sample::select(vec![
        "[profile p]", "[profile p]", "[profile q]", "role_arn=x", "Role_Arn : y", "source_profile = z # note", "region=r",
        "mfa_serial\t=m", "external_id=e", "# note", "", "credential_process = other", "s3 =", "  deep = 1",
    ]), 0..12), end in prop::sample::select(vec!["\n", "\r\n"]), ended in any::<bool>()) {
        let file = lines.join(end) + if ended { end } else { "" };
        if let Ok((Some(new), planned)) = configured(&file, true, true) {
            if !planned.takes.is_empty() {
                prop_assert_eq!(taken_back(&new, Back::Lines(&planned.takes)).1.unwrap(), file);
            }
            prop_assert!(configured(&new, false, false).ok().unwrap().0.is_none());
        }
    }
}
