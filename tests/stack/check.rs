//! `make check`: the demonstration's traffic through a stack that is found by its name alone, with the caller's credentials.
//!
//! The local AWS stands in for the account: it is where the caller's settings lead.

use std::process::{Command, Output};

use super::{Stack, repository};

/// Runs one of the programs that `make check` and `make deploy` start.
fn run(stack: &Stack, arguments: &[&str]) -> Output {
    let callers =
        ["AWS_ENDPOINT_URL", "AWS_REGION", "AWS_DEFAULT_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"];
    Command::new(repository().join(".local/tools/ministack/bin/python"))
        .args(arguments)
        .env("PYTHONPATH", repository().join("local"))
        .envs(callers.map(|name| (name, stack.output(name))))
        .current_dir(repository())
        .output()
        .unwrap()
}

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&[output.stdout.as_slice(), &output.stderr].concat()).into_owned()
}

#[tokio::test]
async fn a_stack_is_checked_and_nothing_is_left_that_can_be_removed() {
    let stack = Stack::of_make_test();
    let checked = run(&stack, &["-m", "demo.check", "--stack", "sluicegate-local"]);
    let said = text(&checked);
    assert!(checked.status.success(), "{said}");
    for words in ["account 000000000000", "routes answered", "DeliveryStream > DeliveryBucket", "2 letters of"] {
        assert!(said.contains(words), "{words}: {said}");
    }
    for bucket in ["UploadBucketName", "ThumbnailBucketName"] {
        let left = stack.s3.list_objects_v2().bucket(stack.output(bucket)).prefix("check-").send().await.unwrap();
        assert_eq!(left.key_count(), Some(0), "{bucket}: {said}");
    }
}

#[test]
fn prod_is_checked_only_by_who_says_so() {
    let stack = Stack::of_make_test();
    let refused = run(&stack, &["-m", "demo.check", "--stage", "prod"]);
    assert!(!refused.status.success() && text(&refused).contains("make check STAGE=prod YES=1"), "{}", text(&refused));
}

#[test]
fn a_deploy_that_failed_is_explained() {
    let stack = Stack::of_make_test();
    let why = run(&stack, &["local/why.py", "--stage", "dev"]);
    assert!(!why.status.success(), "what failed goes on failing");
    assert!(text(&why).contains("-> There is no stack yet"), "{}", text(&why));
}
