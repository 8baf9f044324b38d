"""Sends each function an event by `cargo lambda watch` and `cargo lambda invoke`, from the root, as people do by hand."""

from __future__ import annotations

import sys

import environment
import manifest
import tools
from build import function_names
from console import Failed, escape_controls, run_logged, say
from invoke import LOG, send, watching
from paths import ROOT, STATE

WITHOUT_AWS = {"thumbnailer": "events/sqs/s3-test-event.json"}
"""An event for each that does not answer its own sample without AWS."""

REFUSAL = {"scheduled-poller": "NothingDispatched"}
"""What is answered by the one that does nothing without."""


def main() -> int:
    """Says what each answered; the exit code says whether all did."""
    env = environment.for_cargo(tools.ensure("build"))
    failed = 0
    try:
        run_logged("building the functions", ["cargo", "build"], STATE / "cargo-debug.log", env=env, cwd=ROOT)
        samples = manifest.samples(env)
        with watching(env) as port:
            for function in function_names():
                event = ROOT / WITHOUT_AWS.get(function, samples[function])
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
