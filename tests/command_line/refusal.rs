//! What is said when AWS cannot be used, and the exit codes.

use super::sluice::Sluice;

/// The command fails with one sentence, which names the cure.
fn fails_with(sluice: &Sluice, arguments: &[&str], cure: &str) {
    let outcome = sluice.run(arguments);
    assert_eq!((outcome.code, outcome.stdout.as_str()), (Some(1), ""), "{outcome:?}");
    assert_eq!(outcome.stderr.lines().count(), 1, "{outcome:?}");
    assert!(outcome.stderr.starts_with("sluice: ") && outcome.stderr.contains(cure), "{cure} in {outcome:?}");
}

#[test]
fn each_way_that_aws_cannot_be_used_is_told_with_its_cure() {
    let stack = Sluice::on_the_stack;
    fails_with(&stack().without("AWS_ACCESS_KEY_ID"), &["queue", "list"], "aws sso login");
    fails_with(&stack().without("AWS_REGION").without("AWS_DEFAULT_REGION"), &["queue", "list"], "--region");
    fails_with(&stack(), &["queue", "status", "no-such-queue"], "`sluice queue create` makes one");
    fails_with(&stack(), &["receive", "arn:aws:sqs:us-east-1:000000000000:no-such-queue"], "does not exist");
    fails_with(&stack(), &["--endpoint-url", "http://127.0.0.1:9", "queue", "list"], "--endpoint-url");
}

#[test]
fn arguments_that_make_no_sense_exit_with_two() {
    let sluice = Sluice::on_the_stack();
    for arguments in [
        &["no-such-command"][..],
        &["queue", "status"],
        &["queue", "status", "not a name"],
        &["queue", "create", "jobs", "--max-receives", "3"],
        &["receive", "jobs", "--peek", "--delete"],
        &["receive", "jobs", "--wait", "21s"],
        &["--region", "eu-west-1", "queue", "status", "arn:aws:sqs:us-east-1:000000000000:jobs"],
        &["queue", "status", "a", "b", "--watch"],
    ] {
        assert_eq!(sluice.run(arguments).code, Some(2), "{arguments:?}");
    }
}

#[test]
fn help_version_completions_and_cost_need_no_aws() {
    let sluice =
        Sluice::on_the_stack().without("AWS_ACCESS_KEY_ID").without("AWS_REGION").without("AWS_DEFAULT_REGION");
    assert!(sluice.done(&["--version"]).starts_with("sluice "));
    assert!(sluice.done(&["queue", "create", "--help"]).contains("Example:\n  sluice queue create"));
    for shell in ["bash", "zsh", "fish"] {
        assert!(sluice.done(&["completions", shell]).contains("sluice"));
    }
    assert!(sluice.done(&["cost"]).contains("0.300 against 3.000"));
}
