//! What must be true of every template.

use std::collections::BTreeSet;

use serde_json::Value;

use super::*;

/// Every action that may stand in a template: those of the service authorization reference for IAM and STS that are about
/// one's own user, its devices and keys, and roles.
const ACTIONS: &[&str] = &[
    "*",
    "iam:ChangePassword",
    "iam:CreateAccessKey",
    "iam:CreateVirtualMFADevice",
    "iam:DeactivateMFADevice",
    "iam:DeleteAccessKey",
    "iam:DeleteVirtualMFADevice",
    "iam:EnableMFADevice",
    "iam:GetAccessKeyLastUsed",
    "iam:GetAccountPasswordPolicy",
    "iam:GetAccountSummary",
    "iam:GetLoginProfile",
    "iam:GetUser",
    "iam:ListAccessKeys",
    "iam:ListAccountAliases",
    "iam:ListMFADevices",
    "iam:ListVirtualMFADevices",
    "iam:ResyncMFADevice",
    "iam:UpdateAccessKey",
    "sts:AssumeRole",
    "sts:GetFederationToken",
    "sts:GetSessionToken",
];

/// A managed policy may be so long, blanks not counted (IAM user guide, "IAM and AWS STS quotas").
const LONGEST_POLICY: usize = 6144;

fn everything() -> Filling {
    Filling {
        partition: None,
        account: Some("123456789012".parse().unwrap()),
        user: Some("alice".parse().unwrap()),
        roles: vec![Role::Named("admin".parse().unwrap())],
        ranges: vec!["203.0.113.0/24".parse().unwrap()],
        before: Some("2026-03-01T14:00:00Z".parse().unwrap()),
    }
}

fn parsed(filled: &Filled) -> Value {
    serde_json::from_str(&filled.text).unwrap_or_else(|error| panic!("{error} in {}", filled.text))
}

fn template(name: &str) -> &'static Template {
    Template::named(name).unwrap_or_else(|| panic!("no template `{name}`"))
}

/// The policy documents in it: itself, or those of a CloudFormation template.
fn documents(value: &Value) -> Vec<Value> {
    let Some(resources) = value["Resources"].as_object() else { return vec![value.clone()] };
    let properties = resources.values().map(|resource| &resource["Properties"]);
    let named = properties.flat_map(|of| [&of["PolicyDocument"], &of["AssumeRolePolicyDocument"]]);
    named.filter(|document| !document.is_null()).cloned().collect()
}

fn words(value: &Value) -> Vec<&str> {
    match value {
        Value::Array(values) => values.iter().flat_map(words).collect(),
        other => other.as_str().into_iter().collect(),
    }
}

#[test]
fn every_template_is_json_with_nothing_left_to_fill_once_all_is_said() {
    for template in TEMPLATES {
        let filled = template.fill(&everything());
        parsed(&filled);
        assert_eq!(filled.open, [], "{}", template.name);
        let nothing = template.fill(&Filling::default());
        parsed(&nothing);
        assert_eq!((nothing.open, nothing.text.as_str()), (template.placeholders(), template.text));
    }
}

#[test]
fn every_file_of_the_folder_is_a_template() {
    let files = std::fs::read_dir("src/policy").unwrap().map(|entry| entry.unwrap().path());
    let names: BTreeSet<String> = files
        .filter(|path| path.extension().is_some_and(|extension| extension == "json"))
        .map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned())
        .collect();
    assert_eq!(names, TEMPLATES.iter().map(|template| template.name.to_owned()).collect());
}

#[test]
fn every_policy_is_one_that_iam_takes_by_its_form() {
    for template in TEMPLATES {
        for document in documents(&parsed(&template.fill(&everything()))) {
            assert_eq!(document["Version"], "2012-10-17", "{}", template.name);
            assert!(document.to_string().len() <= LONGEST_POLICY, "{}", template.name);
            let statements = document["Statement"].as_array().unwrap();
            let names: BTreeSet<&str> = statements.iter().map(|one| one["Sid"].as_str().unwrap()).collect();
            assert_eq!(names.len(), statements.len(), "{}: two statements of one name", template.name);
            for (name, statement) in names.iter().zip(statements) {
                assert!(name.bytes().all(|byte| byte.is_ascii_alphanumeric()), "{name}");
                assert!(["Allow", "Deny"].contains(&statement["Effect"].as_str().unwrap()));
                let on = ["Resource", "NotResource", "Principal"].iter().filter(|on| !statement[**on].is_null());
                assert_eq!(on.count(), 1, "{}: {statement}", template.name);
            }
        }
    }
}

#[test]
fn only_actions_that_are_known_stand_in_a_template() {
    for template in TEMPLATES {
        for document in documents(&parsed(&template.fill(&everything()))) {
            for statement in document["Statement"].as_array().unwrap() {
                let actions = [words(&statement["Action"]), words(&statement["NotAction"])].concat();
                assert!(!actions.is_empty(), "{}", template.name);
                let unknown = actions.iter().find(|action| !ACTIONS.contains(action));
                assert_eq!(unknown, None, "{}", template.name);
            }
        }
    }
}

#[test]
fn the_starter_kit_has_the_templates_of_the_same_names() {
    fn plain(value: &Value) -> Value {
        match value {
            Value::Object(fields) if fields.len() == 1 && fields.contains_key("Fn::Sub") => {
                let text = fields["Fn::Sub"].as_str().unwrap();
                let text = text.replace("${AWS::Partition}", "aws").replace("${AWS::AccountId}", "123456789012");
                text.replace("${!aws:username}", "${aws:username}").into()
            }
            Value::Object(fields) => fields.iter().map(|(key, value)| (key.clone(), plain(value))).collect(),
            Value::Array(values) => values.iter().map(plain).collect(),
            other => other.clone(),
        }
    }
    let kit = parsed(&template("starter-kit").fill(&Filling::default()));
    for (resource, name) in [("SelfManagement", "self-management"), ("MfaRequired", "mfa-required")] {
        let document = plain(&kit["Resources"][resource]["Properties"]["PolicyDocument"]);
        assert_eq!(document, parsed(&template(name).fill(&everything())), "{name}");
    }
}

#[test]
fn the_stricter_templates_say_what_the_milder_one_says_and_more() {
    let of = |name| parsed(&template(name).fill(&everything()))["Statement"].as_array().unwrap().clone();
    let mild = of("mfa-required");
    for (name, seconds) in [("enforce-mfa-8h", "28800"), ("enforce-mfa-12h", "43200")] {
        let strict = of(name);
        assert_eq!(strict[..mild.len()], mild[..], "{name}");
        let [more] = &strict[mild.len()..] else { panic!("{name}") };
        assert_eq!(more["Condition"]["NumericGreaterThan"]["aws:MultiFactorAuthAge"], seconds);
    }
}

#[test]
fn the_users_own_name_stays_for_aws_to_fill_in() {
    for name in ["mfa-required", "self-management", "self-rotate", "self-rotate-with-mfa", "vault-minimum"] {
        let text = template(name).fill(&everything()).text;
        assert!(text.contains("123456789012") && text.contains("${aws:username}") && !text.contains("alice"), "{name}");
    }
}

#[test]
fn several_roles_and_ranges_become_a_list() {
    let mut filling = everything();
    filling.roles.push(Role::At("arn:aws-cn:iam::210987654321:role/team/ops".parse().unwrap()));
    filling.ranges.push("2001:db8::/32".parse().unwrap());
    let roles = parsed(&template("assume-role").fill(&filling))["Statement"][0]["Resource"].clone();
    let expected = ["arn:aws:iam::123456789012:role/admin", "arn:aws-cn:iam::210987654321:role/team/ops"];
    assert_eq!(words(&roles), expected);
    let ranges = parsed(&template("ip-allow-list").fill(&filling));
    let ranges = &ranges["Statement"][0]["Condition"]["NotIpAddress"]["aws:SourceIp"];
    assert_eq!(words(ranges), ["203.0.113.0/24", "2001:db8::/32"]);
}

#[test]
fn another_partition_has_its_own_names() {
    let filling = Filling { partition: Some("aws-us-gov".into()), ..everything() };
    let text = template("self-rotate").fill(&filling).text;
    assert!(text.contains("\"arn:aws-us-gov:iam::123456789012:user/${aws:username}\""), "{text}");
    assert!(!text.contains("arn:aws:"));
}
