//! `sluice inspect`: it calls nothing, so it needs no region and no credentials.

use super::sluice::Sluice;
use crate::sample_events::sample;

#[test]
fn a_sample_is_shown_and_what_would_be_refused_exits_with_1() {
    let sluice = Sluice::on_the_stack().without("AWS_REGION").without("AWS_ACCESS_KEY_ID");
    let shown = sluice.done(&["inspect", sample::folder().join("sqs/s3-sns-wrapped.json").to_str().unwrap()]);
    assert!(shown.contains("by way of s3-sns-sqs"), "{shown}");
    let refused = sluice.run_with_input(&["inspect", "-"], &sample::read("sqs/missing-message-id"));
    assert_eq!(refused.code, Some(1), "{refused:?}");
    assert!(refused.stdout.contains("1 without a message id: the invocation fails"), "{refused:?}");
}
