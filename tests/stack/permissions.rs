//! Roles, enforced: each function may do what it is for, and nothing else.
//!
//! The shared stack of `make test` enforces them too, so that every other test here shows what is allowed. This module
//! shows what is not: it runs one function's code under another's role.

use std::{collections::HashMap, fs, io::Write, process::Command};

use aws_sdk_lambda::{
    primitives::Blob,
    types::{Environment, InvocationType},
};

use super::{Stack, log::Log, own_stack::OwnStack, wait::eventually};

/// Whose role, by the output that names the function; a queue that is none of its business; a function likewise.
const ROLES: [(&str, &str, &str); 8] = [
    ("SnsLoggerFunctionName", "JobQueueUrl", "SqsWorkerFunctionName"),
    ("S3ObjectLoggerFunctionName", "JobQueueUrl", "SqsWorkerFunctionName"),
    // It deletes what the poller received, and receives nothing there itself.
    ("SqsWorkerFunctionName", "PolledQueueUrl", "ScheduledPollerFunctionName"),
    ("ScheduledPollerFunctionName", "JobQueueUrl", "SnsLoggerFunctionName"),
    ("ThumbnailerFunctionName", "JobQueueUrl", "SqsWorkerFunctionName"),
    ("KinesisLoggerFunctionName", "JobQueueUrl", "SqsWorkerFunctionName"),
    ("FirehoseTransformerFunctionName", "JobQueueUrl", "SqsWorkerFunctionName"),
    ("MqLoggerFunctionName", "JobQueueUrl", "SqsWorkerFunctionName"),
];

/// The poller's binary as Lambda takes it.
fn poller_code() -> Vec<u8> {
    let bootstrap = fs::read(crate::lambda::path_of("scheduled-poller")).unwrap();
    let script = "import io, sys, zipfile\n\
                  out = io.BytesIO()\n\
                  with zipfile.ZipFile(out, 'w', zipfile.ZIP_DEFLATED) as archive:\n\
                  \x20   entry = zipfile.ZipInfo('bootstrap'); entry.external_attr = 0o755 << 16\n\
                  \x20   archive.writestr(entry, sys.stdin.buffer.read())\n\
                  sys.stdout.buffer.write(out.getvalue())";
    let piped = std::process::Stdio::piped;
    let mut zip = Command::new("python3").args(["-c", script]).stdin(piped()).stdout(piped()).spawn().unwrap();
    zip.stdin.take().unwrap().write_all(&bootstrap).unwrap();
    let output = zip.wait_with_output().unwrap();
    assert!(output.status.success());
    output.stdout
}

/// Puts the poller's code into a function, which keeps its role, and starts it once: a run may last its period.
async fn run_poller_as(stack: &Stack, function: &str, code: &[u8], settings: &[(&str, &str)]) {
    let name = stack.output(function);
    stack.lambda.update_function_code().function_name(name).zip_file(Blob::new(code)).send().await.unwrap();
    let variables: HashMap<String, String> =
        settings.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let environment = Environment::builder().set_variables(Some(variables)).build();
    stack.lambda.update_function_configuration().function_name(name).environment(environment).send().await.unwrap();
    eventually(&format!("{name} to be updated"), async || {
        let now = stack.lambda.get_function_configuration().function_name(name).send().await.unwrap();
        match now.last_update_status {
            Some(status) if status.as_str() != "Successful" => Err(status.to_string()),
            _ => Ok(()),
        }
    })
    .await;
    let invocation = stack.lambda.invoke().function_name(name).invocation_type(InvocationType::Event);
    invocation.payload(Blob::new("{}")).send().await.unwrap();
}

#[tokio::test]
async fn no_role_allows_a_call_that_is_none_of_its_function_s_business() {
    let own = OwnStack::up("permissions", &["--enforce-iam", "--parameter", "PollerState=DISABLED"]);
    let (stack, code) = (&own.stack, poller_code());
    for (function, queue, worker) in ROLES {
        let mut log = Log::from_now(stack, function);
        // The shortest of the functions has ten seconds, and a run is longer than its worker's time-out.
        let shortest = [("WORKER_TIMEOUT_SECONDS", "1"), ("RECEIVERS", "1")];
        let where_to = [("QUEUE_URL", stack.output(queue)), ("WORKER_FUNCTION", stack.output(worker))];
        let settings = [where_to, shortest].concat();
        run_poller_as(stack, function, &code, &settings).await;
        let denied = log.line("receive failed", |_| true).await;
        assert!(denied.text("error").contains("AccessDenied"), "{function} at {queue}: {denied:?}");
    }
}

#[tokio::test]
async fn the_poller_may_invoke_the_worker_and_no_other_function() {
    let own = OwnStack::up("permissions-invoke", &["--enforce-iam", "--parameter", "PollerState=DISABLED"]);
    let (stack, code) = (&own.stack, poller_code());
    let queue = stack.output("PolledQueueUrl");
    let send =
        async || stack.sqs.send_message().queue_url(queue).message_body("{\"name\":\"Ada\"}").send().await.unwrap();
    let poller = "ScheduledPollerFunctionName";

    send().await;
    let mut log = Log::from_now(stack, poller);
    let settings = [("QUEUE_URL", queue), ("WORKER_FUNCTION", stack.output("SnsLoggerFunctionName"))];
    run_poller_as(stack, poller, &code, &settings).await;
    let denied = log.line("invocation of the worker failed", |_| true).await;
    assert!(denied.text("error").contains("AccessDenied"), "{denied:?}");

    let mut worker = Log::from_now(stack, "SqsWorkerFunctionName");
    let settings = [("QUEUE_URL", queue), ("WORKER_FUNCTION", stack.output("SqsWorkerFunctionName"))];
    run_poller_as(stack, poller, &code, &settings).await;
    worker.line("job done", |line| line.text("job.type") == "NewDonor").await;
}
