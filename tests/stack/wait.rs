//! Waiting for what must come, and no longer than that.

use std::time::Duration;

use tokio::time::{Instant, sleep};

/// Far more than anything takes, for machines that are busy with other things: a message whose worker was cut off waits for the
/// end of its claim, and may meet another fault then.
pub(crate) const PATIENCE: Duration = Duration::from_mins(6);
const PAUSE: Duration = Duration::from_millis(100);

/// Looks again and again until there is something to see. `look` says what it sees instead; the last of that is in the
/// failure.
pub(crate) async fn eventually<T>(what: &str, mut look: impl AsyncFnMut() -> Result<T, String>) -> T {
    let until = Instant::now() + PATIENCE;
    loop {
        match look().await {
            Ok(seen) => return seen,
            Err(instead) if Instant::now() > until => panic!("waited {PATIENCE:?} for {what}; there is: {instead}"),
            Err(_) => sleep(PAUSE).await,
        }
    }
}
