//! The `firehose-transformer` function. What it does is in the library beside this file.

use std::process::ExitCode;

use firehose_transformer::{DropRule, cleaned};
use sluicegate::firehose::{self, FirehoseRecord};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    firehose::run_with(|settings| {
        // Lines of no use at the destination, `field=value` pairs with commas between. Default: none.
        let drop_rule = settings.or("DROP_WHEN", DropRule::default());
        Some(async move |record: &FirehoseRecord<'_>, source: Option<&str>| cleaned(&drop_rule, source, record))
    })
    .await
}
