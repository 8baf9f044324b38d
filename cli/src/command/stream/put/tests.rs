use std::cell::RefCell;

use sluicegate::delivery::Failure;
use tokio::sync::mpsc;

use super::*;
use crate::command::stream::record::Place;

/// Takes everything but lines that say `busy`, and remembers the calls.
#[derive(Default)]
struct Taking {
    calls: RefCell<Vec<Vec<String>>>,
}

impl Port for Taking {
    async fn put(&self, records: &[&Record]) -> anyhow::Result<Vec<Result<(), Failure>>> {
        let text = |record: &&Record| String::from_utf8(record.data.clone()).unwrap();
        self.calls.borrow_mut().push(records.iter().map(text).collect());
        let fate = |record: &&Record| match record.data.as_slice() {
            b"\"busy\"" => Err(Failure::Transient("slow down".to_owned())),
            _ => Ok(()),
        };
        Ok(records.iter().map(fate).collect())
    }
}

fn recipe() -> Recipe {
    Recipe { partition_key: PartitionKey::None, raw: false, newline: false, max_bytes: 100 }
}

fn line(number: u64, text: &str) -> Line {
    Line { place: Place { file: None, line: number }, text: Some(text.into()) }
}

async fn put(texts: &[&str], limits: Limits) -> (Vec<Vec<String>>, anyhow::Result<()>) {
    let (sender, lines) = mpsc::channel(1_000);
    for (number, text) in (1..).zip(texts) {
        sender.try_send(Ok(line(number, text))).unwrap();
    }
    drop(sender);
    let port = Taking::default();
    let outcome = Put::new(lines, recipe(), limits, Output::to_pipe()).all(&port, 3).await;
    (port.calls.into_inner(), outcome)
}

#[tokio::test(start_paused = true)]
async fn lines_are_put_in_order_in_batches_that_keep_the_limits() {
    let (calls, outcome) = put(&["1", "2", "3", "44444", "55555", "6"], Limits { records: 2, bytes: 6 }).await;
    outcome.unwrap();
    assert_eq!(calls, [vec!["1", "2"], vec!["3", "44444"], vec!["55555", "6"]]);
    let (calls, outcome) = put(&["1", "666666", "7777777"], Limits { records: 9, bytes: 6 }).await;
    outcome.unwrap();
    assert_eq!(calls, [["1"], ["666666"], ["7777777"]]);
}

#[tokio::test(start_paused = true)]
async fn lines_that_cannot_be_put_do_not_keep_the_others_and_fail_the_command_at_the_end() {
    let (calls, outcome) = put(&["1", "not JSON", "\"busy\"", "4"], Limits { records: 9, bytes: 99 }).await;
    assert_eq!(outcome.unwrap_err().to_string(), "2 of 4 lines were not put");
    assert_eq!(calls, [vec!["1", "\"busy\"", "4"], vec!["\"busy\""], vec!["\"busy\""]]);
}

#[tokio::test(start_paused = true)]
async fn a_line_waits_for_others_only_so_long() {
    let (sender, lines) = mpsc::channel(9);
    let port = Taking::default();
    let all = Put::new(lines, recipe(), DATA_STREAM, Output::to_pipe()).all(&port, 1);
    let write = async {
        for (number, text) in (1..).zip(["1", "2", "3"]) {
            sender.send(Ok(line(number, text))).await.unwrap();
            tokio::time::sleep(Duration::from_millis(150)).await;
        }
        tokio::time::sleep(Duration::from_secs(5)).await;
        assert_eq!(port.calls.borrow().len(), 2, "nothing waits for the end of the input");
        drop(sender);
    };
    let (outcome, ()) = tokio::join!(all, write);
    outcome.unwrap();
    assert_eq!(port.calls.into_inner(), [vec!["1", "2"], vec!["3"]]);
}

#[tokio::test(start_paused = true)]
async fn input_that_breaks_off_ends_the_command_with_its_reason() {
    let (sender, lines) = mpsc::channel(9);
    sender.try_send(Err(anyhow::anyhow!("cannot read on from line 1"))).unwrap();
    drop(sender);
    let outcome = Put::new(lines, recipe(), DATA_STREAM, Output::to_pipe()).all(&Taking::default(), 1).await;
    assert_eq!(outcome.unwrap_err().to_string(), "cannot read on from line 1");
}

#[test]
fn the_summary_says_what_was_put_again_only_where_something_was() {
    let tally = Tally { records: 3, bytes: 2_048, requests: 1, retried: 0, failed: 0 };
    assert_eq!(tally.text(), "put 3 records, 2KiB, in 1 request");
    assert!(Tally { retried: 7, ..tally }.text().ends_with(", 7 put again"));
}
