//! An invocation's lines leave together, and no other's with them.

use std::panic::AssertUnwindSafe;

use futures::{FutureExt, future::join};
use tokio::time::{sleep, timeout};
use tracing::{Instrument, subscriber::DefaultGuard};

use super::*;

const WAIT: Duration = Duration::from_millis(250);

/// Lines go to what is given back as long as the guard lives.
fn writes() -> (Writes, DefaultGuard) {
    let (subscriber, writes) = subscriber(&[("METRICS_NAMESPACE", "Shop"), ("AWS_LAMBDA_FUNCTION_NAME", "f")]);
    (writes, tracing::subscriber::set_default(subscriber))
}

/// As the runtime runs it.
async fn invoke<T>(request_id: &str, handler: impl Future<Output = T>) -> T {
    gather(handler).instrument(tracing::info_span!("invocation", requestId = request_id)).await
}

/// A runtime that runs several invocations at once moves them between threads.
#[allow(dead_code, reason = "compiling is the test")]
fn is_send(handler: impl Future<Output = ()> + Send) -> impl Future<Output = ()> + Send {
    gather(handler)
}

/// How many lines each write has.
fn counts(writes: &Writes) -> Vec<usize> {
    writes.all().iter().map(|write| write.lines().count()).collect()
}

#[tokio::test]
async fn an_invocation_s_lines_and_metrics_are_one_write_and_are_out_when_it_is_over() {
    let (writes, _guard) = writes();
    invoke("r-1", async {
        for number in 0..50 {
            tracing::info!(number, "a line");
            tokio::task::yield_now().await;
        }
        Metrics::new().count("Orders", 50).emit();
        assert!(writes.all().is_empty());
    })
    .await;
    assert_eq!(counts(&writes), [51]);
}

#[tokio::test(start_paused = true)]
async fn two_invocations_at_once_do_not_mix() {
    let (writes, _guard) = writes();
    let handler = |millis| async move {
        for _ in 0..20 {
            tracing::info!("a line");
            sleep(Duration::from_millis(millis)).await;
        }
        Metrics::new().count("Orders", 1).emit();
    };
    join(invoke("r-1", handler(3)), invoke("r-2", handler(7))).await;
    assert_eq!(counts(&writes), [21, 21]);
    for (write, id) in writes.all().iter().zip(["r-1", "r-2"]) {
        assert!(write.lines().all(|line| line.contains(&format!(r#""requestId":"{id}""#))), "{write}");
        assert_eq!(write.contains("cold_start"), id == "r-1", "the first alone: {write}");
    }
}

#[test]
fn invocations_on_several_threads_do_not_mix() {
    let (subscriber, writes) = subscriber(&[]);
    let dispatch = tracing::Dispatch::new(subscriber);
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let dispatch = &dispatch;
            scope.spawn(move || {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
                tracing::dispatcher::with_default(dispatch, || {
                    for number in 0..50 {
                        let handler = async { (0..10).for_each(|_| tracing::info!("a line")) };
                        runtime.block_on(invoke(&format!("r-{thread}-{number}"), handler));
                    }
                });
            });
        }
    });
    assert_eq!(counts(&writes), [10; 200]);
    for write in writes.all() {
        let first = write.split('"').nth(15).unwrap();
        assert!(first.starts_with("r-"), "{write}");
        assert_eq!(write.matches(&format!(r#""requestId":"{first}""#)).count(), 10, "{write}");
    }
}

#[tokio::test]
async fn what_a_task_of_the_invocation_logs_goes_with_it_and_what_others_log_does_not_wait() {
    let (writes, _guard) = writes();
    invoke("r-1", async {
        tracing::info!("before");
        tokio::spawn(async { tracing::info!("in a task of it") }.in_current_span()).await.unwrap();
        tokio::spawn(async { tracing::info!("in another task") }).await.unwrap();
        tracing::info!("after");
    })
    .await;
    assert_eq!(counts(&writes), [1, 3]);
    assert_eq!(writes.sentences(), ["in another task", "before", "in a task of it", "after"]);
}

#[tokio::test]
async fn a_line_outside_an_invocation_is_written_at_once_and_so_is_one_that_nobody_gathers() {
    let (writes, _guard) = writes();
    tracing::info!("starting");
    gather(async { tracing::info!("ready") }).await;
    let _plain = invocation();
    tracing::info!("one");
    tracing::info!("two");
    assert_eq!(counts(&writes), [1, 1, 1, 1]);
}

#[tokio::test(start_paused = true)]
async fn a_line_is_out_a_quarter_of_a_second_later_while_its_invocation_waits() {
    let (writes, _guard) = writes();
    let invocation = invoke("r-1", async {
        tracing::info!("waiting");
        std::future::pending::<()>().await;
    });
    let killed = timeout(WAIT + Duration::from_millis(1), async {
        // Forgotten like the state of a process that is killed: nothing is written on the way out.
        let mut gathering = Box::pin(invocation);
        timeout(WAIT, &mut gathering).await.unwrap_err();
        std::mem::forget(gathering);
        std::future::pending::<()>().await;
    });
    killed.await.unwrap_err();
    assert_eq!(writes.sentences(), ["waiting"]);
}

#[tokio::test]
async fn a_fatal_line_does_not_wait_and_takes_those_before_it_along() {
    let (writes, _guard) = writes();
    invoke("r-1", async {
        tracing::info!("before");
        log_fatal(&io::Error::other("no queue"));
        assert_eq!(counts(&writes), [2]);
    })
    .await;
}

#[tokio::test]
async fn what_is_gathered_is_bounded() {
    let (writes, _guard) = writes();
    invoke("r-1", async {
        for _ in 0..100 {
            tracing::info!(text = "x".repeat(1_000), "a line");
        }
    })
    .await;
    let bytes: Vec<usize> = writes.all().iter().map(String::len).collect();
    assert!(bytes.len() == 4 && bytes.iter().all(|bytes| *bytes < 34_000), "{bytes:?}");
}

#[tokio::test]
async fn an_invocation_that_panics_or_is_dropped_leaves_its_lines() {
    let (writes, _guard) = writes();
    let panicking = invoke("r-1", async {
        tracing::info!("about to panic");
        panic!("a drill");
    });
    AssertUnwindSafe(panicking).catch_unwind().await.unwrap_err();
    let waiting = invoke("r-2", async {
        tracing::info!("about to be dropped");
        std::future::pending::<()>().await;
    });
    assert!(waiting.now_or_never().is_none());
    tracing::info!("outside again");
    assert_eq!(writes.sentences(), ["about to panic", "about to be dropped", "outside again"]);
}

/// A value that logs while it is written: no lock is held meanwhile.
#[tokio::test]
async fn a_value_may_log_and_measure_while_it_is_written() {
    struct Talks;
    impl std::fmt::Display for Talks {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            Metrics::new().count("Orders", 1).emit();
            f.write_str("said")
        }
    }
    let (writes, _guard) = writes();
    invoke("r-1", async { tracing::info!(value = %Talks, "a line") }).await;
    assert_eq!(writes.lines().last().unwrap()["value"], "said");
}
