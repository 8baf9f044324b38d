"""Sends real traffic through every route of the local stack and shows what each function did with it."""

from __future__ import annotations

import argparse
import shutil
import sys
import time
from pathlib import Path

import clients
from console import end_with_the_reader, exit_code, say
from demo.evidence import Proof, Route
from demo.function_log import FunctionLog
from demo.jobs import Jobs
from demo.streams import Streams
from demo.table import render
from demo.uploads import Uploads

PATIENCE_SECONDS = 60.0
"""Each route needs a second or two; a busy machine gets its time, and a run of the schedule."""

PAUSE_SECONDS = 0.25
ROUTE_COLUMNS, SENT_COLUMNS, TOOK_COLUMNS = 43, 35, 7
LEAST_COLUMNS = 140
"""The table's width where the terminal is narrower, or is none."""


def demo(outputs: dict[str, str]) -> int:
    """Runs the demo against the stack with these outputs; returns the process' exit code."""
    started = time.time()
    run = f"demo-{int(started):x}"
    log = FunctionLog(clients.client(outputs, "logs"), clients.log_groups(outputs), since=started)
    say(f"sending traffic through every route ({run}) …")
    routes = [route for part in (Uploads, Jobs, Streams) for route in part(outputs, run).send()]
    proofs = _wait_for(routes, log)
    say()
    rows = [_row(route, proofs.get(index)) for index, route in enumerate(routes)]
    for line in render(("ROUTE", "SENT", "SEEN", "TOOK"), rows, _limits()):
        say(line)
    say()
    silent = [route for index, route in enumerate(routes) if index not in proofs]
    if silent:
        for route in silent:
            say(
                f"SILENT: {route.name} ({route.sent}) showed nothing in {PATIENCE_SECONDS:.0f} s. "
                f"Look at the log of {route.where_to_look} (`make logs FUNCTION={route.where_to_look}`)."
            )
        return 1
    say(f"all {len(routes)} routes answered in {time.time() - started:.1f} s")
    return 0


def what_to_try(outputs: dict[str, str], env_file: str) -> None:
    """Prints where the stack is and what to do with it."""
    say(f"""
Local AWS: {outputs['AWS_ENDPOINT_URL']}   (it stays up; `make stop` ends it)

Try next:
  1. see what the functions log, as it happens      make logs
  2. run one event through one function             make invoke FUNCTION=sns-logger EVENT=events/sns/notification.json
  3. change a function, and see it live in seconds  make watch
  4. be a client yourself, with any AWS tool        source {env_file}
                                                    aws s3 cp README.md "s3://$UploadBucketName/my first upload.md"
""")


def _wait_for(routes: list[Route], log: FunctionLog) -> dict[int, Proof]:
    proofs: dict[int, Proof] = {}
    until = time.monotonic() + PATIENCE_SECONDS
    while len(proofs) < len(routes) and time.monotonic() < until:
        lines = log.read()
        for index, route in enumerate(routes):
            if index not in proofs:
                proof = route.check(lines)
                if proof:
                    proofs[index] = proof
        if sys.stdout.isatty():
            print(f"\r\x1b[2K{len(proofs)} of {len(routes)} routes answered", end="", flush=True)
        time.sleep(PAUSE_SECONDS)
    if sys.stdout.isatty():
        print("\r\x1b[2K", end="", flush=True)
    return proofs


def _limits() -> tuple[int, int, int, int]:
    columns = max(LEAST_COLUMNS, shutil.get_terminal_size((LEAST_COLUMNS, 24)).columns)
    seen = columns - ROUTE_COLUMNS - SENT_COLUMNS - TOOK_COLUMNS - 6
    return ROUTE_COLUMNS, SENT_COLUMNS, seen, TOOK_COLUMNS


def _row(route: Route, proof: Proof | None) -> tuple[str, str, str, str]:
    if proof is None:
        return route.name, route.sent, "SILENT", "-"
    return route.name, route.sent, proof.text, f"{max(0.0, proof.at - route.started):.2f} s"


@clients.answering()
def shown(env_file: Path) -> int:
    """Runs the demo, and after one that went well says what to try."""
    outputs = clients.read_env(env_file)
    code = demo(outputs)
    if code == 0:
        what_to_try(outputs, str(env_file))
    return code


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
