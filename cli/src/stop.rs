//! Being told to stop.
//!
//! Signals are heard on a thread of their own: whatever the command is busy with or waits for, the second one ends the
//! process.

use std::{
    fs,
    process::exit,
    sync::{Mutex, OnceLock, PoisonError, mpsc},
    thread,
    time::Duration,
};

use anyhow::Context as _;
use tokio::{
    signal::unix::{SignalKind, signal},
    sync::watch,
    time::sleep,
};

/// How long a command that was told twice may take to say how far it came.
const LAST_WORDS: Duration = Duration::from_secs(1);
const FAILED: i32 = 1;

/// Ctrl-C, SIGTERM and SIGHUP, from the moment the first of these is made: the process then no longer ends by one of them,
/// but by two.
#[derive(Debug)]
pub(crate) struct Stop {
    signals: watch::Receiver<u32>,
    heard: u32,
}

static SIGNALS: OnceLock<Option<watch::Receiver<u32>>> = OnceLock::new();

impl Stop {
    pub(crate) fn listen() -> anyhow::Result<Self> {
        let signals = SIGNALS.get_or_init(listening).clone().context("cannot listen for signals")?;
        let heard = *signals.borrow();
        Ok(Self { signals, heard })
    }

    /// Whether a request to stop has been heard so far.
    pub(crate) fn was_heard(&self) -> bool {
        *self.signals.borrow() > 0
    }

    /// Waits for the next request to stop. Safe to drop and call again.
    pub(crate) async fn requested(&mut self) {
        let heard = self.heard;
        match self.signals.wait_for(|count| *count > heard).await {
            Ok(count) => self.heard = *count,
            Err(_no_sender) => std::future::pending().await,
        }
    }
}

/// The next request to stop, where one does not end the process by itself.
pub(crate) async fn requested() {
    match SIGNALS.get().map(|_listening| Stop::listen()) {
        Some(Ok(mut stop)) => stop.requested().await,
        _ => std::future::pending().await,
    }
}

/// What is left to do when the process must end at once.
static LAST_DEED: Mutex<Option<Box<dyn FnMut() + Send>>> = Mutex::new(None);

/// Has this done if the process must end before the command does.
pub(crate) fn at_a_forced_end(deed: impl FnMut() + Send + 'static) {
    *LAST_DEED.lock().unwrap_or_else(PoisonError::into_inner) = Some(Box::new(deed));
}

fn listening() -> Option<watch::Receiver<u32>> {
    let (count, signals) = watch::channel(0);
    let (ready, is_ready) = mpsc::channel();
    thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(async {
            let mut interrupt = signal(SignalKind::interrupt())?;
            let mut terminate = signal(SignalKind::terminate())?;
            let mut hangup = if is_hangup_ignored() { None } else { Some(signal(SignalKind::hangup())?) };
            let _ = ready.send(());
            loop {
                tokio::select! {
                    _ = interrupt.recv() => {}
                    _ = terminate.recv() => {}
                    Some(Some(())) = async { Some(hangup.as_mut()?.recv().await) } => {}
                }
                count.send_modify(|count| *count += 1);
                if *count.borrow() > 1 {
                    sleep(LAST_WORDS).await;
                    if let Some(deed) = LAST_DEED.lock().unwrap_or_else(PoisonError::into_inner).as_mut() {
                        deed();
                    }
                    exit(FAILED);
                }
            }
            #[allow(unreachable_code, reason = "says what `?` makes of an error")]
            Ok::<(), std::io::Error>(())
        })
    });
    is_ready.recv().ok().map(|()| signals)
}

/// Whether who started us wants us to outlive the terminal: `nohup`. Known on Linux only.
fn is_hangup_ignored() -> bool {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    ignored.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).is_some_and(|mask| mask & 1 != 0)
}
