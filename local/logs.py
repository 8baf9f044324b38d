"""Prints what the local stack's functions log, as it happens: `make logs [FUNCTION=name]`."""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

import clients
from console import Failed, end_with_the_reader, escape_controls, exit_code, say

LOOK_BACK_SECONDS = 600.0
PAUSE_SECONDS = 0.5
PLATFORM = ("START RequestId:", "END RequestId:", "REPORT RequestId:", "INIT_START")
"""How the lines begin that the platform writes around each invocation."""


@clients.answering()
def follow(env_file: Path, function: str | None, once: bool) -> None:
    """Prints the last minutes' lines, then each new one until interrupted."""
    outputs = clients.read_env(env_file)
    groups = clients.log_groups(outputs)
    if function and function not in groups:
        raise Failed(f"no function {function!r}; there are: {', '.join(groups)}")
    logs = clients.client(outputs, "logs")
    since = time.time() - LOOK_BACK_SECONDS
    seen: set[tuple[str, int, str]] = set()
    while True:
        found = []
        for name, group in groups.items():
            if function in (None, name):
                pages = logs.get_paginator("filter_log_events").paginate(logGroupName=group, startTime=int(since * 1000))
                found += [(event["timestamp"], name, event) for page in pages for event in page["events"]]
        for _, name, event in sorted(found, key=lambda entry: entry[0]):
            # The emulator gives events no id; each invocation has a stream of its own, so this names a line well enough.
            identity = (event["logStreamName"], event["timestamp"], event["message"])
            if identity not in seen:
                seen.add(identity)
                if not event["message"].startswith(PLATFORM):
                    say(f"{name:<17} {escape_controls(event['message'].rstrip())}")
        if once:
            return
        time.sleep(PAUSE_SECONDS)


def main() -> int:
    """Reads the command line and follows the logs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--env", type=Path, default=Path(".local/stack.env"))
    parser.add_argument("--function", help="only this one's")
    parser.add_argument("--once", action="store_true", help="print what there is and end")
    arguments = parser.parse_args()
    end_with_the_reader()
    return exit_code(lambda: follow(arguments.env, arguments.function or None, arguments.once), interrupted=0)


if __name__ == "__main__":
    sys.exit(main())
