use aws_sim::{Failure, Kind, Outcome};
use aws_smithy_runtime_api::client::http::{HttpConnector, HttpConnectorFuture, SharedHttpConnector};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::result::ConnectorError;

use super::*;
use crate::aws::stage::{Stage, region, some_key};

/// Twenty minutes and three hours, ours behind and ours ahead.
const OFFSETS: [i64; 4] = [1200, -1200, 10_800, -10_800];

fn close(offset: Option<SignedDuration>, seconds: i64) -> bool {
    offset.is_some_and(|offset| (offset.as_secs() - seconds).abs() <= 2)
}

/// A network without anybody on it.
#[derive(Debug)]
struct Nowhere;

impl HttpConnector for Nowhere {
    fn call(&self, _: HttpRequest) -> HttpConnectorFuture {
        HttpConnectorFuture::ready(Err(ConnectorError::user("nobody here".into())))
    }
}

#[test]
fn every_region_is_asked_at_its_own_host_and_every_partition_at_its_own_iam() {
    for (region, sts, iam) in [
        ("us-east-1", "sts.us-east-1.amazonaws.com", "iam.amazonaws.com"),
        ("eu-central-1", "sts.eu-central-1.amazonaws.com", "iam.amazonaws.com"),
        ("cn-north-1", "sts.cn-north-1.amazonaws.com.cn", "iam.cn-north-1.amazonaws.com.cn"),
        ("us-gov-west-1", "sts.us-gov-west-1.amazonaws.com", "iam.us-gov.amazonaws.com"),
    ] {
        let mut aws = Aws::new(region.parse().unwrap(), Endpoints::default());
        aws.http = SharedHttpConnector::new(Nowhere);
        let key = some_key();
        assert!(aws.caller_identity(&Signer::AccessKey(&key)).is_err());
        assert_eq!(aws.observer.host().as_deref(), Some(sts));
        assert!(aws.mfa_devices(&Signer::AccessKey(&key), "alice").is_err());
        assert_eq!(aws.observer.host().as_deref(), Some(iam));
    }
}

#[test]
fn each_service_is_asked_at_its_own_endpoint() {
    let key = some_key();
    let (sts, iam) = (aws_sim::Simulator::start(), aws_sim::Simulator::start());
    let at = |sim: &aws_sim::Simulator| Some(sim.endpoint().parse().unwrap());
    let aws = Aws::new(region(), Endpoints { sts: at(&sts), iam: at(&iam) });
    assert!(aws.caller_identity(&Signer::AccessKey(&key)).is_err());
    assert!(aws.mfa_devices(&Signer::AccessKey(&key), "alice").is_err());
    let asked = |sim: &aws_sim::Simulator| sim.requests().iter().map(|r| r.action.clone()).collect::<Vec<_>>();
    assert_eq!((asked(&sts), asked(&iam)), (vec!["GetCallerIdentity".into()], vec!["ListMFADevices".into()]));
}

#[test]
fn a_wrong_clock_costs_one_more_request_and_no_mfa_code() {
    for seconds in OFFSETS {
        let stage = Stage::new();
        stage.sim.set_offset(SignedDuration::from_secs(seconds));
        assert_eq!(stage.aws.clock_offset(), None);
        let session = stage.mfa_session();
        assert_eq!(stage.outcomes(), [Outcome::Refused("SignatureDoesNotMatch".into()), Outcome::Ok], "{seconds}");
        assert!(close(stage.aws.clock_offset(), seconds), "{seconds}");
        let left = session.expiration.duration_since(stage.sim.now()).as_secs();
        assert!((3595..=3600).contains(&left), "expires by AWS's clock: {left}");
    }
}

#[test]
fn a_wrong_clock_is_learned_once_for_each_service() {
    for seconds in OFFSETS {
        let stage = Stage::new();
        stage.sim.set_offset(SignedDuration::from_secs(seconds));
        let signer = Signer::AccessKey(&stage.key);
        for _ in 0..2 {
            assert!(stage.aws.caller_identity(&signer).is_ok(), "{seconds}");
            assert!(stage.aws.mfa_devices(&signer, "alice").is_ok(), "{seconds}");
        }
        let refused = stage.outcomes().iter().filter(|outcome| **outcome != Outcome::Ok).count();
        assert_eq!((refused, stage.sim.requests().len()), (2, 6), "{seconds}");
    }
}

#[test]
fn a_clock_that_cannot_be_corrected_is_tried_twice_only() {
    let stage = Stage::new();
    stage.answer(403, "SignatureDoesNotMatch", "Signature expired: now is earlier than then");
    let refused = stage.aws.session_token(&stage.key, &stage.with_mfa()).err();
    assert!(matches!(refused, Some(AwsError::Refused { refusal: Refusal::ClockSkew, .. })), "{refused:?}");
    assert_eq!(stage.sim.count("GetSessionToken"), 2);
}

#[test]
fn a_lost_reply_to_a_call_with_a_code_is_reported_and_not_sent_again() {
    for kind in [Kind::BeforeSend, Kind::AfterApplied, Kind::CutReply(0), Kind::CutReply(100)] {
        let stage = Stage::new();
        stage.sim.fail(Failure::on("GetSessionToken").kind(kind.clone()));
        let lost = stage.aws.session_token(&stage.key, &stage.with_mfa()).err();
        let closed = matches!(&lost, Some(AwsError::Network { failure: NetworkFailure::Closed, .. }));
        assert!(closed, "{kind:?}: {lost:?}");
        assert_eq!(stage.sim.count("GetSessionToken"), 1, "{kind:?}");
    }
}

#[test]
fn a_lost_reply_to_a_call_without_a_code_is_asked_for_again() {
    for kind in [Kind::BeforeSend, Kind::AfterApplied, Kind::CutReply(0), Kind::CutReply(100)] {
        let stage = Stage::new();
        stage.sim.fail(Failure::on("GetCallerIdentity").kind(kind.clone()));
        let answer = stage.aws.caller_identity(&Signer::AccessKey(&stage.key));
        assert!(answer.is_ok(), "{kind:?}: {answer:?}");
        assert_eq!(stage.sim.count("GetCallerIdentity"), 2, "{kind:?}");
    }
}

#[test]
fn a_reply_that_does_not_come_in_time_is_given_up() {
    let mut stage = Stage::new();
    stage.aws.attempt_timeout = Duration::from_millis(100);
    stage.sim.fail(Failure::on_every_action().kind(Kind::Delay(Duration::from_secs(60))).lasting());
    let late = stage.aws.session_token(&stage.key, &stage.with_mfa()).err();
    let timeout = NetworkFailure::Timeout { sent: true };
    assert!(matches!(&late, Some(AwsError::Network { failure, .. }) if *failure == timeout), "{late:?}");
    assert_eq!(stage.sim.count("GetSessionToken"), 1);
}
