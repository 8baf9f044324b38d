//! What the events of a process cost it in memory, one after another.

use serde_json::json;

use crate::lambda::{Lambda, event};

/// Some for the log and the runtime. Each of these events is 160 pages long, and is copied more than once.
const PAGES_AN_EVENT: u64 = 40;

#[tokio::test]
async fn an_event_is_read_in_the_memory_of_the_one_before() {
    let worker = Lambda::start("sqs-worker", &[]).await;
    let event = event::batch("NewDonor", &vec![json!({"name": "Ada", "note": "x".repeat(65_536)}); 10]);
    let mut faults = Vec::new();
    for _ in 0..40 {
        let before = worker.page_faults().await;
        assert_eq!(event::handed_back(worker.invoke(event.clone()).await.response()), [""; 0]);
        faults.push(worker.page_faults().await - before);
    }
    // The heap finds its size over some events, and may find another now and then.
    let (first, later) = faults.split_at(8);
    assert!(first[0] > PAGES_AN_EVENT, "the memory was never taken: {faults:?}");
    let an_event = later.iter().sum::<u64>() / 32;
    assert!(an_event < PAGES_AN_EVENT, "{an_event} pages taken by each event: {faults:?}");
}
