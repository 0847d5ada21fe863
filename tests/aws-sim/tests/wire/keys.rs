use std::time::Duration;

use aws_sim::Status;

use crate::client::Client;
use crate::{ACCOUNT, Scene, scene};

const ALICE: (&str, &str) = ("UserName", "alice");

fn second_key(scene: &Scene) -> Client {
    let reply = scene.client().iam("CreateAccessKey", &[ALICE]);
    assert_eq!(reply.text("Status"), "Active");
    Client::with(&scene.sim, &reply.text("AccessKeyId"), &reply.text("SecretAccessKey"), None)
}

fn set_status(client: &Client, id: &str, status: &str) -> String {
    client.iam("UpdateAccessKey", &[ALICE, ("AccessKeyId", id), ("Status", status)]).error()
}

#[test]
fn a_third_key_is_refused_even_where_one_is_inactive() {
    let scene = scene();
    let second = second_key(&scene);
    assert_eq!(set_status(&scene.client(), &second.access_key_id, "Inactive"), "200");
    let error = scene.client().iam("CreateAccessKey", &[ALICE]).error();
    assert_eq!(error, "409 LimitExceeded: Cannot exceed quota for AccessKeysPerUser: 2");
}

#[test]
fn keys_are_listed_oldest_first_with_their_status_and_a_page_at_a_time() {
    let scene = scene();
    let second = second_key(&scene);
    set_status(&scene.client(), &second.access_key_id, "Inactive");
    let reply = scene.client().iam("ListAccessKeys", &[]);
    let ids = [scene.alice.access_key_id().to_owned(), second.access_key_id.clone()];
    assert_eq!(reply.texts("AccessKeyId"), ids);
    assert_eq!(reply.texts("Status"), ["Active", "Inactive"]);
    let page = scene.client().iam("ListAccessKeys", &[("MaxItems", "1")]);
    assert_eq!((page.texts("AccessKeyId").len(), page.text("IsTruncated").as_str()), (1, "true"));
    let rest = scene.client().iam("ListAccessKeys", &[("Marker", &page.text("Marker"))]);
    assert_eq!(rest.texts("AccessKeyId"), ids[1..]);
    assert_eq!(scene.sim.access_keys(&scene.alice)[1].status, Status::Inactive);
}

#[test]
fn a_deleted_key_is_gone_and_a_key_of_another_user_was_never_there() {
    let scene = scene();
    let second = second_key(&scene);
    let bob = scene.sim.add_user(ACCOUNT, "bob");
    let delete = |id: &str| scene.client().iam("DeleteAccessKey", &[ALICE, ("AccessKeyId", id)]).error();
    let missing = |id: &str| format!("404 NoSuchEntity: The Access Key with id {id} cannot be found.");
    assert_eq!(delete(&second.access_key_id), "200");
    assert_eq!(delete(&second.access_key_id), missing(&second.access_key_id));
    assert_eq!(delete(bob.access_key_id()), missing(bob.access_key_id()));
    assert_eq!(set_status(&scene.client(), bob.access_key_id(), "Inactive"), missing(bob.access_key_id()));
    assert_eq!(scene.sim.access_keys(&scene.alice).len(), 1);
    assert_eq!(scene.sim.access_keys(&bob).len(), 1);
}

#[test]
fn a_status_that_is_none_is_refused() {
    let scene = scene();
    let error = set_status(&scene.client(), scene.alice.access_key_id(), "Paused");
    assert!(error.ends_with("Member must satisfy enum value set: [Active, Inactive]"), "{error}");
}

#[test]
fn a_new_key_is_live_at_sts_before_it_is_live_at_iam() {
    let scene = scene();
    scene.sim.new_keys_live_after(Duration::from_secs(10), Duration::from_secs(20));
    let second = second_key(&scene);
    assert_eq!(second.sts("GetCallerIdentity", &[]).code(), "InvalidClientTokenId");
    scene.sim.advance(Duration::from_secs(10));
    assert_eq!(second.sts("GetCallerIdentity", &[]).error(), "200");
    assert_eq!(second.iam("GetUser", &[]).code(), "InvalidClientTokenId");
    scene.sim.advance(Duration::from_secs(10));
    assert_eq!(second.iam("GetUser", &[]).error(), "200");
}

#[test]
fn a_new_key_flaps() {
    let scene = scene();
    scene.sim.new_keys_flap(1);
    let second = second_key(&scene);
    let answers = [0; 3].map(|_| second.sts("GetCallerIdentity", &[]).status);
    assert_eq!(answers, [403, 200, 200]);
}

#[test]
fn a_deactivated_key_works_on_for_a_while() {
    let scene = scene();
    scene.sim.deactivated_keys_work_for(Duration::from_secs(5));
    let second = second_key(&scene);
    set_status(&scene.client(), &second.access_key_id, "Inactive");
    assert_eq!(second.sts("GetCallerIdentity", &[]).error(), "200");
    scene.sim.advance(Duration::from_secs(5));
    assert_eq!(second.sts("GetCallerIdentity", &[]).code(), "InvalidClientTokenId");
}

#[test]
fn the_last_use_is_told_late() {
    let scene = scene();
    scene.sim.last_used_lag(Duration::from_secs(3600));
    let client = Client { region: "eu-west-1".to_owned(), ..scene.client() };
    client.sts("GetCallerIdentity", &[]);
    let last_use = || {
        let asked = [("AccessKeyId", scene.alice.access_key_id())];
        let reply = scene.client().iam("GetAccessKeyLastUsed", &asked);
        (reply.text("ServiceName"), reply.text("Region"), reply.texts("LastUsedDate").len())
    };
    scene.sim.advance(Duration::from_secs(1800));
    assert_eq!(last_use(), ("N/A".to_owned(), "N/A".to_owned(), 0));
    scene.sim.advance(Duration::from_secs(1800));
    assert_eq!(last_use(), ("sts".to_owned(), "eu-west-1".to_owned(), 1));
}

#[test]
fn the_last_use_of_a_strangers_key_is_not_told() {
    let scene = scene();
    let stranger = scene.sim.add_user("210987654321", "eve");
    let error = scene.client().iam("GetAccessKeyLastUsed", &[("AccessKeyId", stranger.access_key_id())]).error();
    assert!(
        error.contains("is not authorized to perform: iam:GetAccessKeyLastUsed on resource: access key "),
        "{error}"
    );
}

#[test]
fn a_user_that_does_not_exist_is_named() {
    let scene = scene();
    let error = scene.client().iam("ListAccessKeys", &[("UserName", "nobody")]).error();
    assert_eq!(error, "404 NoSuchEntity: The user with name nobody cannot be found.");
}

#[test]
fn a_key_can_be_made_older_than_it_is() {
    let scene = scene();
    let before = scene.sim.now();
    scene.sim.age_key(scene.alice.access_key_id(), Duration::from_secs(91 * 24 * 3600));
    let created = scene.sim.access_keys(&scene.alice)[0].created;
    assert!(before.duration_since(created).as_hours() >= 91 * 24 - 1);
}
