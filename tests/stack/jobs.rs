//! Jobs through `JobQueue`.

use super::{
    Stack,
    job::{Job, run_mark, send},
    log::{Line, Log},
    queue,
    turn::{alone, beside_others},
};

#[tokio::test]
async fn a_good_job_is_done_and_a_bad_one_beside_it_ends_in_the_dead_letter_queue_with_its_reason() {
    let (stack, _turn) = (Stack::of_make_test(), beside_others().await);
    let mut log = Log::from_now(&stack, "SqsWorkerFunctionName");
    let run = run_mark("bad-jobs");
    let bad = [
        Job { kind: "NewDonor", body: format!("not JSON, {run}") },
        Job { kind: "Unheard", body: format!(r#"{{"id":"{run}"}}"#) },
        Job::nameless(&run),
    ];
    let reasons = ["not a valid job", "names no job of this function", "no name"];
    let mut jobs: Vec<Job> = (0..5).map(|number| Job::donor(&format!("{run}-{number}"))).collect();
    jobs.extend(bad.clone());
    let ids = send(&stack, "JobQueueUrl", &jobs).await;
    let (good_ids, bad_ids) = ids.split_at(5);

    log.lines_for("job done", "record.message_id", good_ids).await;
    for ((job, id), reason) in bad.iter().zip(bad_ids).zip(reasons) {
        let failed = log.line("job failed", |line| line.text("record.message_id") == id).await;
        assert!(failed.text("reason").contains(reason), "{failed:?}");
        assert_eq!(failed.field("receive_count"), 1, "what can never work is not tried again");

        let letter = queue::letter(&stack, "JobDeadLetterQueueUrl", &job.body).await;
        assert_eq!(letter.attribute("JobType"), Some(job.kind));
        assert_eq!(letter.attribute("sluicegate.reason"), Some(failed.text("reason")));
        let name = stack.output("JobQueueUrl").rsplit('/').next().unwrap();
        let source = letter.attribute("sluicegate.source");
        assert_eq!(source, Some(format!("arn:aws:sqs:us-east-1:000000000000:{name}").as_str()));
        assert_eq!(letter.attribute("sluicegate.receives"), Some("1"));
    }
    let given_up = queue::letters(&stack, "JobDeadLetterQueueUrl", &run).await;
    assert_eq!(given_up.len(), bad.len(), "{given_up:?}");
}

#[tokio::test]
async fn a_thousand_jobs_are_each_done_once_and_leave_nothing_behind() {
    let (stack, _turn) = (Stack::of_make_test(), alone().await);
    let mut log = Log::from_now(&stack, "SqsWorkerFunctionName");
    let run = run_mark("thousand");
    let jobs: Vec<Job> = (0..1_000).map(|number| Job::donor(&format!("{run}-{number}"))).collect();
    let ids = send(&stack, "JobQueueUrl", &jobs).await;
    assert_eq!(ids.len(), 1_000);

    queue::is_empty(&stack, "JobQueueUrl").await;
    log.lines_for("job done", "record.message_id", &ids).await;
    let of_this_run =
        |line: &&Line| line.says("donor registered") && ids.iter().any(|id| id == line.text("record.message_id"));
    assert_eq!(log.read().await.iter().filter(of_this_run).count(), 1_000, "each donor is registered once");
    queue::nothing_given_up(&stack, &run, None).await;
}
