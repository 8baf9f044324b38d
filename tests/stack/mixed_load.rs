//! Ten thousand jobs, a hundredth of each kind of trouble among them.

use std::collections::{HashMap, HashSet};

use serde_json::json;

use super::{
    Stack,
    job::{Job, run_mark, send},
    log::Log,
    memory, queue,
    settings::Settings,
    turn::alone,
};

const JOBS: usize = 10_000;

/// What a job of the load is there for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Good,
    Poison,
    Panics,
    FailsOnce,
    /// Sent once more under the same business id, by the job at this place.
    Original,
    CopyOf(usize),
}

/// Of every hundred jobs five are trouble. The copy follows its original in the same batch, or comes fifty jobs later.
fn part(place: usize) -> Part {
    let (hundred, rest) = (place / 100, place % 100);
    let copy_at = if hundred.is_multiple_of(2) { 4 } else { 53 };
    match rest {
        0 => Part::Poison,
        1 => Part::Panics,
        2 => Part::FailsOnce,
        3 => Part::Original,
        rest if rest == copy_at => Part::CopyOf(hundred * 100 + 3),
        _ => Part::Good,
    }
}

fn job(run: &str, place: usize) -> Job {
    let id = format!("{run}-{place}.");
    match part(place) {
        Part::Good | Part::Original => Job::donor(&id),
        Part::CopyOf(original) => Job::donor(&format!("{run}-{original}.")),
        Part::Poison => Job::nameless(&id),
        Part::Panics => Job::drill(&id, json!({"drill": "panic"})),
        Part::FailsOnce => Job::drill(&id, json!({"drill": "fail", "until_receive": 2})),
    }
}

/// How often each message is in lines with this message.
async fn count(log: &mut Log<'_>, message: &str) -> HashMap<String, usize> {
    let mut counted = HashMap::new();
    for line in log.read().await.iter().filter(|line| line.says(message)) {
        *counted.entry(line.text("record.message_id").to_owned()).or_default() += 1;
    }
    counted
}

#[tokio::test]
async fn of_ten_thousand_jobs_each_good_one_is_done_once_and_just_the_bad_are_given_up() {
    let (stack, _turn) = (Stack::of_make_test(), alone().await);
    Settings::in_a_hurry("JobQueueUrl")
        .during(&stack, async {
            let mut log = Log::from_now(&stack, "SqsWorkerFunctionName");
            let run = run_mark("mixed");
            let jobs: Vec<Job> = (0..JOBS).map(|place| job(&run, place)).collect();
            let ids = send(&stack, "JobQueueUrl", &jobs).await;
            queue::is_empty(&stack, "JobQueueUrl").await;

            each_good_job_is_done_once(&mut log, &ids).await;
            just_the_bad_are_given_up(&stack, &run, &jobs).await;
            the_store_remembers_the_good(&stack, &run, &ids).await;
        })
        .await;
}

async fn each_good_job_is_done_once(log: &mut Log<'_>, ids: &[String]) {
    let settled: Vec<&String> = (0..JOBS)
        .filter(|&place| matches!(part(place), Part::Good | Part::FailsOnce))
        .map(|place| &ids[place])
        .collect();
    log.lines_for("job done", "record.message_id", &settled).await;
    let done = count(log, "job done").await;
    let registered = count(log, "donor registered").await;
    let already_done = count(log, "job already done").await;
    let of = |counted: &HashMap<String, usize>, place: usize| counted.get(&ids[place]).copied().unwrap_or_default();
    for place in 0..JOBS {
        match part(place) {
            Part::Good => assert_eq!((of(&done, place), of(&registered, place)), (1, 1), "job {place}"),
            Part::FailsOnce => assert_eq!(of(&done, place), 1, "job {place}"),
            Part::Poison | Part::Panics => assert_eq!(of(&done, place), 0, "job {place}"),
            Part::Original => {}
            Part::CopyOf(original) => {
                let both = |counted| of(counted, place) + of(counted, original);
                assert_eq!((both(&registered), both(&done)), (1, 1), "jobs {original}, {place}");
                // At least: a queue may deliver a message again whose answer came as its time ran out.
                assert!(both(&already_done) >= 1, "jobs {original}, {place}");
            }
        }
    }
}

async fn just_the_bad_are_given_up(stack: &Stack, run: &str, jobs: &[Job]) {
    let letters = queue::letters(stack, "JobDeadLetterQueueUrl", run).await;
    let mut given_up: Vec<&str> = letters.iter().map(queue::Letter::body).collect();
    let is_bad = |place: &usize| matches!(part(*place), Part::Poison | Part::Panics);
    let mut bad: Vec<&str> = (0..JOBS).filter(is_bad).map(|place| jobs[place].body.as_str()).collect();
    given_up.sort_unstable();
    bad.sort_unstable();
    assert_eq!(given_up, bad);
    for letter in &letters {
        let (reason, receives) = (letter.attribute("sluicegate.reason"), letter.attribute("sluicegate.receives"));
        if letter.body().contains("panic") {
            assert!(reason.is_some_and(|reason| reason.contains("panicked: a drill")), "{letter:?}");
            let receives = receives.and_then(|receives| receives.parse::<u32>().ok());
            assert!(receives >= Some(5), "a panic is tried again: {letter:?}");
        } else {
            assert_eq!((reason, receives), (Some("donor has no name"), Some("1")), "{letter:?}");
        }
        assert!(letter.attribute("JobType").is_some(), "{letter:?}");
    }
    queue::nothing_given_up(stack, run, Some("JobDeadLetterQueueUrl")).await;
}

async fn the_store_remembers_the_good(stack: &Stack, run: &str, ids: &[String]) {
    let completed = memory::completed(stack).await;
    let expected: HashSet<String> = (0..JOBS)
        .filter_map(|place| match part(place) {
            Part::Good | Part::Original => Some(memory::key_of(stack, &["NewDonor", &format!("{run}-{place}.")])),
            Part::FailsOnce => Some(memory::key_of_message(stack, &ids[place])),
            Part::Poison | Part::Panics | Part::CopyOf(_) => None,
        })
        .collect();
    let missing: Vec<_> = expected.difference(&completed).collect();
    assert!(missing.is_empty(), "{} effects are not remembered, such as {:?}", missing.len(), missing.first());
    let of_this_run = completed.iter().filter(|key| key.contains(run)).count();
    let donors = expected.iter().filter(|key| key.contains(run)).count();
    assert_eq!(of_this_run, donors, "and no other effect");
}
