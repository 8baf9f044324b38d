//! A function whose records wait for each other over two invocations: run one at a time, none would ever be done. With
//! `PANICS` it is a bare handler that waits the same way, and panics over an event that is `"panic"`.

use std::{process::ExitCode, sync::Arc};

use sluicegate::{
    queue::{self, Record, RecordError},
    runtime::{self, Invocation, InvocationError},
    settings::SettingsError,
};
use tokio::sync::Barrier;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    if std::env::var_os("PANICS").is_some() {
        return runtime::run_concurrent(
            |_| Ok::<_, SettingsError>(Barrier::new(2)),
            async |both: &Barrier, event: &str, _: &Invocation| {
                assert_ne!(event, r#""panic""#, "a drill");
                both.wait().await;
                Ok::<_, InvocationError>("met")
            },
        )
        .await;
    }
    let both = Arc::new(Barrier::new(2));
    queue::run_concurrent(async move |record: &Record| {
        both.wait().await;
        tracing::info!(record.message_id, "met");
        Ok::<(), RecordError>(())
    })
    .await
}
