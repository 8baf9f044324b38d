//! Writes on a thread of its own, so that a reader who does not read stops nothing but what he is shown.

use std::{
    io::{self, Write},
    sync::{
        OnceLock,
        mpsc::{self, Sender},
    },
    thread,
    time::Duration,
};

use tokio::sync::oneshot;

const MOMENT: Duration = Duration::from_millis(100);

/// Where to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stream {
    Stdout,
    Stderr,
}

enum Job {
    Write(Stream, Vec<u8>),
    /// Tells whether all that was written to stdout so far has arrived.
    Tell(Box<dyn FnOnce(io::Result<()>) + Send>),
}

/// One thread for both, so that they keep their order on a terminal.
fn jobs() -> &'static Sender<Job> {
    static JOBS: OnceLock<Sender<Job>> = OnceLock::new();
    JOBS.get_or_init(|| {
        let (sender, jobs) = mpsc::channel();
        thread::spawn(move || {
            let mut lost: Option<io::Error> = None;
            for job in jobs {
                match job {
                    // After a gap no more is written: what follows would seem to be all.
                    Job::Write(Stream::Stdout, bytes) if lost.is_none() => lost = put(&mut io::stdout(), &bytes).err(),
                    Job::Write(Stream::Stdout, _) => {}
                    // When nobody hears it, there is nobody to tell.
                    Job::Write(Stream::Stderr, bytes) => drop(put(&mut io::stderr(), &bytes)),
                    Job::Tell(told) => {
                        told(lost.as_ref().map_or(Ok(()), |error| Err(copy(error))));
                    }
                }
            }
        });
        sender
    })
}

fn put(stream: &mut impl Write, bytes: &[u8]) -> io::Result<()> {
    stream.write_all(bytes)?;
    stream.flush()
}

fn copy(error: &io::Error) -> io::Error {
    error.raw_os_error().map_or_else(|| error.kind().into(), io::Error::from_raw_os_error)
}

/// Writes in turn.
pub(super) fn write(stream: Stream, bytes: Vec<u8>) {
    let _ = jobs().send(Job::Write(stream, bytes));
}

/// Waits until all that was given to [`write`] is written; fails with why a part of stdout was not.
pub(super) async fn settled() -> io::Result<()> {
    let (sender, told) = oneshot::channel();
    tell(move |outcome| drop(sender.send(outcome)));
    told.await.unwrap_or(Ok(()))
}

/// As [`settled`], for who may not await. Nothing else goes on in the meantime, no heartbeat and no signal, and so it
/// waits for a moment only: where nobody reads, a bar may be drawn over a line.
pub(super) fn settle() {
    let (sender, told) = mpsc::channel();
    tell(move |outcome| drop(sender.send(outcome)));
    let _ = told.recv_timeout(MOMENT);
}

fn tell(told: impl FnOnce(io::Result<()>) + Send + 'static) {
    let _ = jobs().send(Job::Tell(Box::new(told)));
}
