"""Sends each function an event by `cargo lambda watch` and `cargo lambda invoke`, from the root, as people do by hand."""

from __future__ import annotations

import sys
from pathlib import Path

import environment
import tools
from build import function_names
from console import Failed, escape_controls, run_logged, say
from invoke import LOG, send, watching
from paths import ROOT, STATE

EVENTS = {
    "firehose-transformer": "firehose/direct-put",
    "kinesis-logger": "kinesis/batch",
    "mq-logger": "mq/rabbitmq",
    "s3-object-logger": "s3/object-created",
    "scheduled-poller": "schedule/scheduler",
    "sns-logger": "sns/notification",
    "sqs-worker": "sqs/new-donor",
    "thumbnailer": "sqs/s3-test-event",
}
"""An event for each that it answers without AWS."""

REFUSAL = {"scheduled-poller": "NothingDispatched"}
"""What is answered by the one that does nothing without."""


def main() -> int:
    """Says what each answered; the exit code says whether all did."""
    env = environment.for_cargo(tools.ensure("build"))
    failed = 0
    try:
        run_logged("building the functions", ["cargo", "build"], STATE / "cargo-debug.log", env=env, cwd=ROOT)
        with watching(env) as port:
            for function in function_names():
                if function not in EVENTS:
                    raise Failed(f"{function} has no event in {Path(__file__).name}")
                event = ROOT / "events" / f"{EVENTS[function]}.json"
                answer = send(env, port, function, event)
                text = (answer.stdout + answer.stderr).strip()
                ok = REFUSAL[function] in text if function in REFUSAL else answer.returncode == 0
                failed += not ok
                say(f"test {function} ... {'ok' if ok else f'FAILED: {escape_controls(text)}'}")
    except Failed as failure:
        print(failure, file=sys.stderr)
        return 1
    if failed:
        print(f"what the functions logged is in {LOG}", file=sys.stderr)
    say(f"test result: {'FAILED' if failed else 'ok'}. {len(function_names()) - failed} passed; {failed} failed;")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
