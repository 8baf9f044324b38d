//! The simulated AWS is held against the local one: the same scripts, the same outcome.

use std::{collections::BTreeMap, fmt::Write, time::Duration};

use aws_sdk_sqs::types::QueueAttributeName;
use sluicegate::{
    delivery::{Receive, ReceivingQueue, VisibilityChange},
    events::{Queue, dispatch::Message},
    testing::{Disputes, Outgoing, QueueConfig, Simulation, Stream},
};

use super::{Stack, job::run_mark};

/// One step of a script. Messages are known by what they say.
#[derive(Debug, Clone, Copy)]
enum Step {
    /// Sends this body; on a FIFO queue in this group, with this deduplication id.
    Send(&'static str, &'static str, &'static str),
    /// Receives up to so many, to be invisible for so many seconds, and waits up to twenty for the first.
    Receive(usize, u64),
    /// Receives what is there at once.
    Look,
    /// Deletes by the newest handle of this body.
    Delete(&'static str),
    /// Changes the visibility by the newest handle of this body.
    Change(&'static str, u64),
    /// Receives from the dead-letter queue, and waits.
    ReceiveDead,
}

use Step::{Change, Delete, Look, Receive as Take, ReceiveDead, Send};

/// Visibility by receive, receive counts, and the move at the receive after the last allowed (V1, V3, C1, C2, C6, H2).
const STANDARD: &[Step] = &[
    Send("a", "", ""),
    Take(10, 600),
    Look,
    Change("a", 0),
    Take(10, 1),
    // Its visibility ends by itself; the receive after the last allowed one finds it moved.
    Look,
    ReceiveDead,
    Send("b", "", ""),
    Take(1, 600),
    Delete("b"),
    Delete("b"),
    Look,
    ReceiveDead,
];

/// Group locks, order in a group, and deduplication (F1, F4, F5, F6, F7, F9, P9).
const FIFO: &[Step] = &[
    Send("a1", "red", "1"),
    Send("a2", "red", "2"),
    Send("b1", "blue", "3"),
    Send("again", "red", "1"),
    Send("again", "blue", "1"),
    Take(1, 600),
    Take(1, 600),
    Look,
    Send("a3", "red", "4"),
    Look,
    Delete("a1"),
    Take(1, 600),
    Look,
    Delete("a2"),
    Delete("b1"),
    Take(10, 600),
];

/// Plays a script through the ports that the engine uses; says what came of each step.
async fn play(
    script: &[Step],
    [queue, dead]: [&Queue; 2],
    port: &impl ReceivingQueue,
    send: impl AsyncFn(&Queue, &str, &str, &str),
) -> String {
    let mut told = String::new();
    let mut handles: BTreeMap<String, String> = BTreeMap::new();
    for step in script {
        let mut outcome = String::new();
        let mut taken: Vec<Message> = Vec::new();
        let receive = |max_messages, seconds: u64, wait| Receive {
            max_messages,
            wait: Duration::from_secs(wait),
            visibility: Some(Duration::from_secs(seconds)),
        };
        match *step {
            Send(body, group, id) => send(queue, body, group, id).await,
            Take(max, seconds) => taken = port.receive(queue, &receive(max, seconds, 20)).await.unwrap(),
            Look => taken = port.receive(queue, &receive(10, 600, 2)).await.unwrap(),
            ReceiveDead => taken = port.receive(dead, &receive(10, 600, 5)).await.unwrap(),
            Delete(body) => {
                let failed = port.delete(queue, &[handles[body].as_str()]).await.unwrap();
                // The local AWS refuses a second delete, which AWS and the simulation answer with success: not compared.
                _ = failed;
            }
            Change(body, seconds) => {
                let change = VisibilityChange { receipt_handle: &handles[body], timeout: Duration::from_secs(seconds) };
                let failed = port.change_visibility(queue, &[change]).await.unwrap();
                let _ = write!(outcome, "{} refused", failed.len());
            }
        }
        for message in taken {
            let (body, count) = (message.body.unwrap(), &message.attributes["ApproximateReceiveCount"]);
            let _ = write!(outcome, "{body} for the {count}. time; ");
            handles.insert(body, message.receipt_handle.unwrap());
        }
        let _ = writeln!(told, "{step:?}: {outcome}");
    }
    told
}

/// The same queues in the simulated AWS, with the answers to open questions that the local one has.
fn simulated(script: &'static [Step], suffix: &str) -> String {
    let disputes = Disputes {
        delete_may_be_forgotten: false,
        false_empty: false,
        whole_group_locks: true,
        ..Disputes::draw(&Stream::new(1))
    };
    Simulation::new(1).disputes(disputes).run(async |world| {
        let dead = world.queue(QueueConfig::named(&format!("dead{suffix}")));
        let queue = QueueConfig::named(&format!("same{suffix}")).redriven_to(dead.name(), 2);
        let queue = world.queue(queue);
        let send = async |queue: &Queue, body: &str, group: &str, id: &str| {
            let outgoing = if group.is_empty() { body.into() } else { Outgoing::in_group(body, group, id) };
            world.send(queue, outgoing).unwrap();
        };
        play(script, [&queue, &dead], &world.host("tester").queues(), send).await
    })
}

async fn local(script: &'static [Step], suffix: &str) -> String {
    let stack = Stack::of_make_test();
    let run = run_mark("same");
    let create = async |name: &str, redrive: Option<&str>| {
        let mut request = stack.sqs.create_queue().queue_name(format!("{name}-{run}{suffix}"));
        if suffix == ".fifo" {
            request = request.attributes(QueueAttributeName::FifoQueue, "true");
        }
        if let Some(target) = redrive {
            let policy = format!(r#"{{"deadLetterTargetArn":"{target}","maxReceiveCount":"2"}}"#);
            request = request.attributes(QueueAttributeName::RedrivePolicy, policy);
        }
        Queue::from_url(&request.send().await.unwrap().queue_url.unwrap()).unwrap()
    };
    let dead = create("dead", None).await;
    let arn = format!("arn:aws:sqs:us-east-1:000000000000:{}", dead.name());
    let queue = create("same", Some(&arn)).await;
    let send = async |queue: &Queue, body: &str, group: &str, id: &str| {
        let some = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
        let request = stack.sqs.send_message().queue_url(queue.url()).message_body(body);
        let request = request.set_message_group_id(some(group)).set_message_deduplication_id(some(id));
        request.send().await.unwrap();
    };
    let told = play(script, [&queue, &dead], &stack.queue_port, send).await;
    for queue in [&queue, &dead] {
        stack.sqs.delete_queue().queue_url(queue.url()).send().await.unwrap();
    }
    told
}

#[tokio::test]
async fn a_standard_queue_does_here_what_it_does_in_the_simulation() {
    let here = local(STANDARD, "").await;
    let there = tokio::task::spawn_blocking(|| simulated(STANDARD, "")).await.unwrap();
    assert_eq!(here, there);
}

#[tokio::test]
async fn a_fifo_queue_does_here_what_it_does_in_the_simulation() {
    let here = local(FIFO, ".fifo").await;
    let there = tokio::task::spawn_blocking(|| simulated(FIFO, ".fifo")).await.unwrap();
    assert_eq!(here, there);
}
