//! Jobs that take longer than an invocation has.

use serde_json::json;

use super::{
    Stack,
    job::{Job, run_mark, send},
    log::{Line, Log},
    queue,
    settings::Settings,
    turn::alone,
};

/// Ten jobs of two seconds, two at a time, need ten seconds; an invocation has eight, two of them in reserve. How many of
/// them come in one batch is the queue's business: `runtime_api::deadline` has a batch of ten, and holds what is handed
/// back.
const JOBS: usize = 10;

#[tokio::test]
async fn slow_jobs_are_all_done_and_no_deadline_is_held_against_them() {
    let (stack, _turn) = (Stack::of_make_test(), alone().await);
    let settings = Settings::in_a_hurry("JobQueueUrl").with_timeout_seconds(8).with_variable("BATCH_CONCURRENCY", "2");
    settings
        .during(&stack, async {
            let mut log = Log::from_now(&stack, "SqsWorkerFunctionName");
            let run = run_mark("slow");
            let slow = |number| Job::drill(&format!("{run}-{number}"), json!({"drill": "sleep", "sleep_ms": 2_000}));
            let ids = send(&stack, "JobQueueUrl", &(0..JOBS).map(slow).collect::<Vec<_>>()).await;

            log.lines_for("job done", "record.message_id", &ids).await;
            queue::is_empty(&stack, "JobQueueUrl").await;
            let lines = log.read().await;
            let of = |message: &str| {
                let of_this_run =
                    |line: &&Line| line.says(message) && ids.iter().any(|id| id == line.text("record.message_id"));
                lines.iter().filter(of_this_run).collect::<Vec<_>>()
            };
            assert_eq!(of("job done").len(), JOBS, "each job is done once");
            let handed_back = of("job handed back");
            // What has no time left goes back untouched, or is stopped in time.
            let fates = ["not started", "out of time"];
            assert!(handed_back.iter().all(|line| fates.contains(&line.text("fate"))), "{handed_back:?}");
            assert!(of("job failed").is_empty(), "no job was held to have failed");
            queue::nothing_given_up(&stack, &run, None).await;
        })
        .await;
}
