//! Several invocations in one process, as on Lambda Managed Instances.

use serde_json::json;

use crate::lambda::{Lambda, event};

#[tokio::test]
async fn invocations_side_by_side_keep_their_answers_request_ids_and_lines_apart() {
    let program = env!("CARGO_BIN_EXE_side-by-side");
    let settings = [("AWS_LAMBDA_MAX_CONCURRENCY", "2"), ("AWS_LAMBDA_LOG_FORMAT", "JSON")];
    let function = Lambda::start_program("side-by-side", program.as_ref(), &settings).await;
    let one_record = |id: &str| {
        let queue = "arn:aws:sqs:us-east-1:123456789012:jobs";
        let record = json!({"messageId": id, "receiptHandle": id, "body": "x", "eventSourceARN": queue, "eventSource": "aws:sqs"});
        json!({"Records": [record]}).to_string()
    };
    let (red, blue) = tokio::join!(function.invoke(one_record("red")), function.invoke(one_record("blue")));
    for invoked in [&red, &blue] {
        assert_eq!(event::handed_back(invoked.response()), [""; 0]);
    }
    let log = function.log().await;
    let met = |id: &str| log.iter().find(|line| line.says("met") && line.text("record.message_id") == id).unwrap();
    assert_eq!((met("red").text("requestId"), met("blue").text("requestId")), (&*red.request_id, &*blue.request_id));
    assert_eq!(log.iter().filter(|line| line.text("message") == "batch finished").count(), 2, "{log:?}");
}

#[tokio::test]
async fn a_function_for_several_at_a_time_also_runs_where_there_is_one() {
    let program = env!("CARGO_BIN_EXE_side-by-side");
    let function = Lambda::start_program("side-by-side", program.as_ref(), &[]).await;
    let two = json!({"Records": [
        {"messageId": "a", "receiptHandle": "a", "body": "x", "eventSourceARN": "arn:aws:sqs:us-east-1:123456789012:jobs"},
        {"messageId": "b", "receiptHandle": "b", "body": "x", "eventSourceARN": "arn:aws:sqs:us-east-1:123456789012:jobs"},
    ]});
    let invoked = function.invoke(two.to_string()).await;
    assert_eq!(event::handed_back(invoked.response()), [""; 0]);
}

#[tokio::test]
async fn a_panic_fails_its_own_invocation_and_the_one_beside_it_goes_on() {
    let program = env!("CARGO_BIN_EXE_side-by-side");
    let settings = [("AWS_LAMBDA_MAX_CONCURRENCY", "2"), ("AWS_LAMBDA_LOG_FORMAT", "JSON"), ("PANICS", "1")];
    let function = Lambda::start_program("side-by-side", program.as_ref(), &settings).await;
    // The first is at work until the last comes; between them one panics.
    let (first, (panicked, last)) =
        tokio::join!(function.invoke("1"), async { (function.invoke(r#""panic""#).await, function.invoke("2").await) });
    assert_eq!((first.response(), last.response()), (&json!("met"), &json!("met")));
    assert_eq!(panicked.error().0, "Panicked");
    let log = function.log().await;
    let line = log.iter().find(|line| line.says("panicked")).unwrap();
    assert_eq!(line.text("requestId"), panicked.request_id);
}
