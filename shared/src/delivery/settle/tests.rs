use std::sync::Mutex;

use super::*;
use crate::delivery::{CallError, FailedEntry};

/// A queue that writes down when it is asked to delete, and how much.
#[derive(Default)]
struct Deletes(Mutex<Vec<(u64, usize)>>, Option<Instant>);

impl SourceQueue for Deletes {
    async fn delete(&self, _: &Queue, handles: &[&str]) -> Result<Vec<FailedEntry>, CallError> {
        let at = self.1.map_or(0, |began| u64::try_from(began.elapsed().as_millis()).unwrap());
        self.0.lock().unwrap().push((at, handles.len()));
        Ok(Vec::new())
    }

    async fn change_visibility(&self, _: &Queue, _: &[VisibilityChange<'_>]) -> Result<Vec<FailedEntry>, CallError> {
        Ok(Vec::new())
    }
}

impl DeadLetterQueue for Deletes {
    async fn send(&self, _: &str, _: &[DeadLetter<'_>]) -> Result<Vec<FailedEntry>, CallError> {
        Ok(Vec::new())
    }
}

/// Adds entries at these milliseconds, ends the work at the last, and says which calls were made.
async fn calls(added_at: &[u64], work_ends_at: u64) -> Vec<(u64, usize)> {
    let port = Deletes(Mutex::default(), Some(Instant::now()));
    let queue = Queue::from_url("https://q/1/jobs").unwrap();
    let settler = Settler::new(&port, &queue, None, Deadline::never());
    let began = Instant::now();
    let at_work = settler.begin();
    let settling = &settler;
    let adding = futures::future::join_all(added_at.iter().map(|&at| async move {
        sleep_until(began + Duration::from_millis(at)).await;
        settling.deletes.add("handle").await
    }));
    let ending = async {
        sleep_until(began + Duration::from_millis(work_ends_at)).await;
        drop(at_work);
    };
    tokio::select! {
        biased;
        (answers, ()) = futures::future::join(adding, ending) => assert!(answers.iter().all(Option::is_none)),
        () = settler.run() => unreachable!("it never ends"),
    }
    port.0.into_inner().unwrap()
}

#[tokio::test(start_paused = true)]
async fn ten_entries_are_a_call_and_the_rest_waits_for_company() {
    assert_eq!(calls(&[0; 12], 60_000).await, [(0, 10), (2_000, 2)]);
}

#[tokio::test(start_paused = true)]
async fn the_oldest_entry_waits_two_seconds_and_takes_the_others_along() {
    assert_eq!(calls(&[0, 500, 1_999, 2_500], 60_000).await, [(2_000, 3), (4_500, 1)]);
}

#[tokio::test(start_paused = true)]
async fn nothing_waits_when_nothing_is_at_work() {
    assert_eq!(calls(&[0, 100], 300).await, [(300, 2)]);
    assert_eq!(calls(&[400], 300).await, [(400, 1)]);
}
