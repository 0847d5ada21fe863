use super::super::fixture::{config, document, key_of};
use super::*;

fn chain(profile: &str, vault: &str, config_text: &str) -> Result<Chain, ChainError> {
    let (document, config) = (document(vault), config(config_text));
    Chain::of(&profile.parse().unwrap(), &Sources::new(&document, &config))
}

fn names(profiles: &[&str]) -> Vec<ProfileName> {
    profiles.iter().map(|name| name.parse().unwrap()).collect()
}

#[test]
fn a_role_that_only_the_config_file_has_leads_to_the_key_in_the_vault() {
    let config = "[profile mfa]\nrole_arn = arn:aws:iam::222222222222:role/power\nsource_profile = default\n\
                  mfa_serial = arn:aws:iam::111111111111:mfa/alice\nduration_seconds = 14400\n";
    let chain = chain("mfa", &key_of("default"), config).unwrap();
    assert_eq!(chain.user.profile.as_str(), "default");
    assert_eq!(chain.user.account(), Some("111111111111"));
    let [role] = &chain.roles[..] else { panic!("one role") };
    assert_eq!(role.role_arn.value.role_name(), "power");
    assert_eq!(role.role_arn.origin, Origin::Config { line: 2 });
    assert_eq!(role.duration, Some(Sourced::new(Duration::from_secs(14_400), Origin::Config { line: 5 })));
    assert_eq!(chain.profile().as_str(), "mfa");
}

#[test]
fn vault_and_config_are_merged_key_by_key_vault_first() {
    let vault = format!(
        "[profile.ops]\nrole_arn = \"arn:aws:iam::222222222222:role/vault\"\nexternal_id = \"vault\"\n\
         mfa_process = \"code\"\n{}",
        key_of("alice")
    );
    let config = "[profile ops]\nrole_arn = arn:aws:iam::222222222222:role/config\nsource_profile = alice\n\
                  external_id = config\nrole_session_name = config\nregion = eu-central-1\n";
    let role = chain("ops", &vault, config).unwrap().roles.remove(0);
    assert_eq!(role.role_arn.origin, Origin::Vault);
    assert_eq!(role.role_arn.value.role_name(), "vault");
    assert_eq!(role.source_profile.origin, Origin::Config { line: 3 });
    assert_eq!(role.options.external_id.as_deref(), Some("vault"));
    assert_eq!(role.options.session_name.as_deref(), Some("config"));
    assert_eq!(role.mfa_process.as_deref(), Some("code"));
    assert_eq!(role.region.unwrap().value.as_str(), "eu-central-1");
}

#[test]
fn tags_and_the_source_identity_come_from_either_and_what_guards_a_profile_from_the_vault_alone() {
    let vault =
        format!("[profile.ops]\nprotected = true\npolicy_arns = [\"arn:aws:iam::aws:policy/X\"]\n{}", key_of("alice"));
    let config = "[profile ops]\nrole_arn = arn:aws:iam::222222222222:role/ops\nsource_profile = alice\n\
                  session_tags = team=blue,cost=7\ntransitive_session_tags = team\nsource_identity = alice\n\
                  [profile free]\nrole_arn = arn:aws:iam::222222222222:role/free\nsource_profile = alice\n\
                  protected = true\npolicy_arns = arn:aws:iam::aws:policy/Y\n";
    let ops = chain("ops", &vault, config).unwrap().roles.remove(0);
    let pair = |key: &str, value: &str| (key.to_owned(), value.to_owned());
    assert_eq!(ops.options.tags, [pair("cost", "7"), pair("team", "blue")]);
    assert_eq!(
        (&*ops.options.transitive_tags, ops.options.source_identity.as_deref()),
        (&["team".to_owned()][..], Some("alice"))
    );
    assert_eq!((ops.protected, ops.options.policy_arns), (true, vec!["arn:aws:iam::aws:policy/X".to_owned()]));
    let free = chain("free", &vault, config).unwrap();
    assert_eq!((free.roles[0].protected, &free.roles[0].options), (false, &RoleOptions::default()));
    assert!(!free.user.protected);
}

#[test]
fn config_cannot_add_a_command_or_an_endpoint_to_a_vault_key() {
    let config = "[profile alice]\nrole_arn = arn:aws:iam::666666666666:role/evil\nsource_profile = evil\n\
                  mfa_serial = arn:aws:iam::666666666666:mfa/evil\nmfa_process = evil\ncredential_process = evil\n\
                  endpoint_url = https://evil.example.com\nsso_session = evil\nweb_identity_token_file = evil\n\
                  region = eu-central-1\nduration_seconds = 3600\n\
                  [profile ops]\nrole_arn = arn:aws:iam::222222222222:role/ops\nsource_profile = alice\n\
                  mfa_process = evil\nendpoint_url = https://evil.example.com\n";
    let user = chain("alice", &key_of("alice"), config).unwrap().user;
    assert_eq!((user.serial, user.mfa_process, user.endpoint_url), (None, None, None));
    assert_eq!(user.region.unwrap().origin, Origin::Config { line: 10 });
    assert_eq!(user.duration.unwrap().origin, Origin::Config { line: 11 });
    let ops = chain("ops", &key_of("alice"), config).unwrap();
    assert_eq!((&ops.user.mfa_process, &ops.user.endpoint_url), (&None, &None));
    assert_eq!(ops.roles.len(), 1);
    assert_eq!(ops.roles[0].mfa_process, None);
}

#[test]
fn a_users_duration_is_the_vaults_then_configs_then_the_setting() {
    let setting = "[settings]\nsession_duration = 28800\n";
    let origin = |vault: &str, config: &str| {
        chain("alice", vault, config).unwrap().user.duration.map(|duration| duration.origin)
    };
    let (key, config) = (key_of("alice"), "[profile alice]\nduration_seconds = 900\n");
    let own = format!("{setting}[profile.alice]\nduration_seconds = 7200\n{key}");
    assert_eq!(origin(&own, config), Some(Origin::Vault));
    assert_eq!(origin(&format!("{setting}{key}"), config), Some(Origin::Config { line: 2 }));
    assert_eq!(origin(&format!("{setting}{key}"), ""), Some(Origin::Setting));
    assert_eq!(origin(&key, ""), None);
}

#[test]
fn a_missing_source_says_which_profile_names_it() {
    let config = "[profile ops]\nrole_arn = arn:aws:iam::222222222222:role/ops\nsource_profile = gone\n";
    let Err(ChainError::Missing { profile, named_by }) = chain("ops", "", config) else { panic!("found") };
    assert_eq!((profile.as_str(), named_by.unwrap().as_str()), ("gone", "ops"));
    assert!(matches!(chain("prodd", "", config), Err(ChainError::Missing { named_by: None, .. })));
}

#[test]
fn a_circle_is_shown_from_the_profile_that_is_met_twice() {
    let role = |name: &str, source: &str| {
        format!("[profile {name}]\nrole_arn = arn:aws:iam::222222222222:role/x\nsource_profile = {source}\n")
    };
    let path = |config: &str| match chain("a", "", config) {
        Err(ChainError::Cycle { path }) => path,
        _ => panic!("no circle"),
    };
    assert_eq!(path(&role("a", "a")), names(&["a", "a"]));
    let config = [role("a", "b"), role("b", "c"), role("c", "d"), role("d", "b")].concat();
    assert_eq!(path(&config), names(&["b", "c", "d", "b"]));
}

#[test]
fn a_profile_without_a_key_says_what_it_is_instead() {
    let role = "role_arn = arn:aws:iam::222222222222:role/ops\n";
    for (section, expected) in [
        ("sso_session = corp\n", "Sso"),
        ("sso_start_url = https://x.awsapps.com/start\n", "Sso"),
        ("credential_process = other tool\n", "CredentialProcess"),
        (&format!("{role}credential_source = Ec2InstanceMetadata\n"), "CredentialSource"),
        (&format!("{role}web_identity_token_file = /t\n"), "WebIdentity"),
        (&format!("{role}source_profile = alice\nweb_identity_token_file = /t\n"), "WebIdentity"),
        (&format!("{role}source_profile = alice\ncredential_source = Environment\n"), "two sources in line 5"),
        (role, "no source"),
        ("region = eu-central-1\n", "no key"),
    ] {
        let found = match chain("p", &key_of("alice"), &format!("\n[profile p]\n{section}")) {
            Err(ChainError::SignsInElsewhere { by, named_by: None, .. }) => format!("{by:?}"),
            Err(ChainError::TwoSources { line, .. }) => format!("two sources in line {line}"),
            Err(ChainError::NoSource { .. }) => "no source".into(),
            Err(ChainError::NoKey { named_by: None, .. }) => "no key".into(),
            other => panic!("{section}: {:?}", other.map(|_| ())),
        };
        assert_eq!(found, expected, "{section}");
    }
}

#[test]
fn a_profile_with_our_own_line_signs_in_here_and_nowhere_else() {
    let line = |name: &str| format!("[profile p]\ncredential_process = /usr/bin/vault credential-process {name}\n");
    assert!(matches!(chain("p", "", &line("p")), Err(ChainError::NoKey { .. })));
    assert!(chain("p", &key_of("p"), &line("p")).is_ok());
    // For another profile it is as foreign as any other command.
    let elsewhere = Err(ForeignSignIn::CredentialProcess);
    let by = chain("p", "", &line("q")).map_err(|error| match error {
        ChainError::SignsInElsewhere { by, .. } => by,
        other => panic!("{other}"),
    });
    assert_eq!(by.map(drop), elsewhere);
    let sso = format!("{}sso_session = x\n", line("p"));
    assert!(matches!(chain("p", "", &sso), Err(ChainError::SignsInElsewhere { by: ForeignSignIn::Sso, .. })));
}

#[test]
fn a_source_that_signs_in_elsewhere_says_who_named_it() {
    let config = "[profile ops]\nrole_arn = arn:aws:iam::222222222222:role/ops\nsource_profile = corp\n\
                  [profile corp]\nsso_session = corp\n";
    let Err(ChainError::SignsInElsewhere { profile, named_by, by, .. }) = chain("ops", "", config) else {
        panic!("not refused")
    };
    assert_eq!((profile.as_str(), named_by.unwrap().as_str(), by), ("corp", "ops", ForeignSignIn::Sso));
}

#[test]
fn a_key_and_a_role_in_one_entry_are_refused() {
    let vault = format!("[profile.p]\nrole_arn = \"arn:aws:iam::222222222222:role/ops\"\n{}", key_of("p"));
    assert!(matches!(chain("p", &vault, ""), Err(ChainError::KeyAndRole { .. })));
}

#[test]
fn a_bad_value_names_its_line_only_where_it_is_used() {
    let config = "[profile ops]\nrole_arn = nonsense\nsource_profile = alice\n";
    let Err(ChainError::Config(ConfigError::Name { line, key, .. })) = chain("ops", &key_of("alice"), config) else {
        panic!("not refused")
    };
    assert_eq!((line, key), (2, "role_arn"));
    assert!(chain("alice", &key_of("alice"), config).is_ok());
    let mended = format!("[profile.ops]\nrole_arn = \"arn:aws:iam::222222222222:role/ops\"\n{}", key_of("alice"));
    assert!(chain("ops", &mended, config).is_ok());
}

#[test]
fn ten_thousand_profiles_in_a_row_are_followed_without_recursion() {
    let role = |name: usize, source: usize| {
        let arn = "arn:aws:iam::222222222222:role/x";
        format!("[profile.p{name}]\nrole_arn = \"{arn}\"\nsource_profile = \"p{source}\"\n")
    };
    let row: String = (0..10_000).map(|number| role(number, number + 1)).collect();
    let with_key = chain("p0", &format!("{row}{}", key_of("p10000")), "").unwrap();
    assert_eq!(with_key.roles.len(), 10_000);
    let Err(ChainError::Cycle { path }) = chain("p0", &format!("{row}{}", role(10_000, 0)), "") else {
        panic!("no circle")
    };
    assert_eq!(path.len(), 10_002);
}

#[test]
fn sts_is_asked_in_a_region_where_the_key_is_known() {
    let named = "us-west-2".parse().unwrap();
    let region = |role_partition: &str, config: &str, flag| {
        let config = format!(
            "[profile ops]\nrole_arn = arn:{role_partition}:iam::222222222222:role/ops\nsource_profile = alice\n{config}"
        );
        chain("ops", &key_of("alice"), &config).unwrap().call_region(flag).to_string()
    };
    assert_eq!(region("aws", "region = eu-west-1\n", Some(&named)), "us-west-2");
    assert_eq!(region("aws", "region = eu-west-1\n", None), "eu-west-1");
    assert_eq!(region("aws", "[profile alice]\nregion = eu-west-3\n", None), "eu-west-3");
    assert_eq!(region("aws", "", None), "us-east-1");
    assert_eq!(region("aws-cn", "", None), "cn-north-1");
    assert_eq!(region("aws-us-gov", "", None), "us-gov-west-1");
}
