"""Sends real traffic through every route of the local stack and shows what each function did with it."""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

import clients
from console import end_with_the_reader, exit_code, say
from demo.traffic import Pace, send

PACE = Pace(patience_seconds=60.0, pause_seconds=0.25, clocks_differ_seconds=0.0)
"""Each route needs a second or two; a busy machine gets its time, and a run of the schedule."""


def what_to_try(outputs: dict[str, str], env_file: str) -> None:
    """Prints where the stack is and what to do with it."""
    say(f"""
Local AWS: {outputs['AWS_ENDPOINT_URL']}   (it stays up; `make stop` ends it)

Try next:
  1. see what the functions log, as it happens      make logs
  2. run one event through one function             make invoke FUNCTION=sns-logger EVENT=events/sns/notification.json
  3. change a function, and see it live in seconds  make watch
  4. make a function of your own                    make new FUNCTION=receipt-writer TRIGGER=queue
  5. be a client yourself, with any AWS tool        source {env_file}
                                                    aws s3 cp README.md "s3://$UploadBucketName/my first upload.md"
                                                    target/debug/sluice dead
""")


@clients.answering()
def shown(env_file: Path) -> int:
    """Runs the demo, and after one that went well says what to try."""
    outputs = clients.read_env(env_file)
    silent = send(outputs, f"demo-{int(time.time()):x}", PACE)
    for route in silent:
        say(
            f"SILENT: {route.name} ({route.sent}) showed nothing in {PACE.patience_seconds:.0f} s. "
            f"Look at the log of {route.where_to_look} (`make logs FUNCTION={route.where_to_look}`)."
        )
    if not silent:
        what_to_try(outputs, str(env_file))
    return 1 if silent else 0


def main() -> int:
    """Reads the command line and runs the demo."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--env", type=Path, default=Path(".local/stack.env"), help="the stack's settings, as `make run` writes them")
    arguments = parser.parse_args()
    end_with_the_reader()
    # A terminal that knows no Korean shows escapes; it does not stop the demo.
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(errors="backslashreplace")
    return exit_code(lambda: shown(arguments.env))


if __name__ == "__main__":
    sys.exit(main())
