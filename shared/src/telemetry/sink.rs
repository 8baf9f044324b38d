//! Lines on their way out: gathered while an invocation is at work, written at once otherwise.

use std::{
    io::Write,
    pin::pin,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::time::timeout;

/// Gathered bytes that do not wait for more.
const ENOUGH_BYTES: usize = 32 * 1_024;
/// How long a gathered line waits while its invocation waits for something. A process that Lambda kills at its time-out
/// has as a rule been waiting: what is lost with it is no more than this.
const LONGEST_WAIT: Duration = Duration::from_millis(250);

/// Whether a line may wait for others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Urgency {
    /// With the others of its invocation.
    Normal,
    /// Not at all: the process may be about to end.
    AtOnce,
}

/// Where lines are written. Each write is a system call, so that an invocation's lines leave together.
#[derive(Debug)]
pub struct LineSink<W> {
    state: Mutex<State<W>>,
}

#[derive(Debug)]
struct State<W> {
    out: W,
    gathered: Vec<u8>,
    is_gathering: bool,
}

impl<W: Write> LineSink<W> {
    pub(crate) fn new(out: W) -> Self {
        Self { state: Mutex::new(State { out, gathered: Vec::new(), is_gathering: false }) }
    }

    /// Takes whole lines.
    pub(crate) fn take(&self, lines: &str, urgency: Urgency) {
        let mut state = self.state();
        state.gathered.extend_from_slice(lines.as_bytes());
        if !state.is_gathering || urgency == Urgency::AtOnce || state.gathered.len() >= ENOUGH_BYTES {
            state.write();
        }
    }

    /// Writes what is gathered so far.
    pub fn flush(&self) {
        self.state().write();
    }

    /// Runs an invocation and writes its lines together: when it is over, and before that when they are many, when one
    /// is FATAL, and four times a second while the invocation waits. One invocation at a time.
    ///
    /// A handler that keeps its thread busy without waiting keeps its lines too; long work belongs on another thread
    /// (`tokio::task::spawn_blocking`) for the deadline's sake already.
    pub async fn gather<T>(&self, invocation: impl Future<Output = T>) -> T {
        let gathering = Gathering::begin(self);
        let mut invocation = pin!(invocation);
        loop {
            match timeout(LONGEST_WAIT, invocation.as_mut()).await {
                Ok(outcome) => {
                    drop(gathering);
                    return outcome;
                }
                Err(_elapsed) => self.flush(),
            }
        }
    }

    fn state(&self) -> MutexGuard<'_, State<W>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<W: Write> State<W> {
    fn write(&mut self) {
        if !self.gathered.is_empty() {
            // Nothing can be done about a stdout that is gone, least of all logging it.
            let _ = self.out.write_all(&self.gathered).and_then(|()| self.out.flush());
            self.gathered.clear();
            self.gathered.shrink_to(ENOUGH_BYTES);
        }
    }
}

/// Ends the gathering when it is dropped, by the end of the invocation, its panic or its cancellation.
struct Gathering<'s, W: Write>(&'s LineSink<W>);

impl<'s, W: Write> Gathering<'s, W> {
    fn begin(sink: &'s LineSink<W>) -> Self {
        sink.state().is_gathering = true;
        Self(sink)
    }
}

impl<W: Write> Drop for Gathering<'_, W> {
    fn drop(&mut self) {
        let mut state = self.0.state();
        state.is_gathering = false;
        state.write();
    }
}

#[cfg(test)]
mod tests {
    use std::{io, panic::AssertUnwindSafe};

    use futures::FutureExt;

    use super::*;

    /// Each write as it came.
    #[derive(Default)]
    struct Writes(Vec<String>);

    impl Write for Writes {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.push(String::from_utf8(bytes.to_vec()).unwrap());
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn sink() -> LineSink<Writes> {
        LineSink::new(Writes::default())
    }

    fn written(sink: &LineSink<Writes>) -> Vec<String> {
        sink.state().out.0.clone()
    }

    #[tokio::test]
    async fn an_invocation_s_lines_are_one_write_and_are_out_when_it_is_over() {
        let sink = sink();
        sink.gather(async {
            for _ in 0..100 {
                sink.take("a line\n", Urgency::Normal);
                tokio::task::yield_now().await;
            }
            assert!(written(&sink).is_empty());
        })
        .await;
        assert_eq!(written(&sink), ["a line\n".repeat(100)]);
    }

    #[test]
    fn a_line_outside_an_invocation_is_written_at_once() {
        let sink = sink();
        sink.take("starting\n", Urgency::Normal);
        sink.take("ready\n", Urgency::Normal);
        assert_eq!(written(&sink), ["starting\n", "ready\n"]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_line_is_out_a_quarter_of_a_second_later_while_its_invocation_waits() {
        let sink = sink();
        let invocation = async {
            sink.take("waiting\n", Urgency::Normal);
            std::future::pending::<()>().await;
        };
        let killed = timeout(LONGEST_WAIT + Duration::from_millis(1), async {
            // Forgotten like the state of a process that is killed: nothing is written on the way out.
            let mut gathering = Box::pin(sink.gather(invocation));
            timeout(LONGEST_WAIT, &mut gathering).await.unwrap_err();
            std::mem::forget(gathering);
            std::future::pending::<()>().await;
        });
        killed.await.unwrap_err();
        assert_eq!(written(&sink), ["waiting\n"]);
    }

    #[tokio::test]
    async fn a_fatal_line_does_not_wait_and_takes_those_before_it_along() {
        let sink = sink();
        sink.gather(async {
            sink.take("before\n", Urgency::Normal);
            sink.take("fatal\n", Urgency::AtOnce);
            assert_eq!(written(&sink), ["before\nfatal\n"]);
        })
        .await;
    }

    #[tokio::test]
    async fn what_is_gathered_is_bounded() {
        let sink = sink();
        let line = format!("{}\n", "x".repeat(1_023));
        sink.gather(async {
            for _ in 0..100 {
                sink.take(&line, Urgency::Normal);
            }
        })
        .await;
        assert_eq!(written(&sink).iter().map(String::len).collect::<Vec<_>>(), [32_768, 32_768, 32_768, 4_096]);
    }

    #[tokio::test]
    async fn an_invocation_that_panics_or_is_dropped_leaves_its_lines() {
        let sink = sink();
        let panicking = sink.gather(async {
            sink.take("about to panic\n", Urgency::Normal);
            panic!("a drill");
        });
        AssertUnwindSafe(panicking).catch_unwind().await.unwrap_err();
        let waiting = sink.gather(async {
            sink.take("about to be dropped\n", Urgency::Normal);
            std::future::pending::<()>().await;
        });
        assert!(waiting.now_or_never().is_none());
        sink.take("outside again\n", Urgency::Normal);
        assert_eq!(written(&sink), ["about to panic\n", "about to be dropped\n", "outside again\n"]);
    }
}
