"""Runs one event through one function, with nothing else running: `make invoke FUNCTION=name EVENT=file`."""

from __future__ import annotations

import argparse
import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Iterator, Mapping

import environment
import tools
from build import function_names
from console import Failed, escape_controls, last_lines, run_logged, say
from deploy import client_environment
from emulator import HOST, free_port
from paths import ROOT, STATE

READY_SECONDS = 20.0
NOBODY = f"http://{HOST}:9"
"""An endpoint where nothing listens: a function that calls AWS gets an error at once, and reaches no account."""

SETTINGS = {
    **client_environment(NOBODY),
    "AWS_LAMBDA_LOG_FORMAT": "JSON",
    "AWS_MAX_ATTEMPTS": "1",
    # What scheduled-poller and thumbnailer do not start without.
    "QUEUE_URL": f"{NOBODY}/000000000000/polled",
    "WORKER_FUNCTION": "sqs-worker",
    "THUMBNAIL_BUCKET": "thumbnails",
}
"""The functions' settings: the template's, where there is no other."""

LOG = STATE / "invoke.log"


def invoke(function: str, event: Path) -> int:
    """Builds `function`, starts it, sends it `event` and prints what it logged and answered."""
    if function not in function_names():
        raise Failed(f"FUNCTION={function or '?'} is none of: {', '.join(function_names())}")
    if not event.is_file():
        raise Failed(f"EVENT={event} is no file. There are, for example:\n  " + "\n  ".join(_samples()))
    env = environment.for_cargo(tools.ensure("build"))
    run_logged(f"building {function}", ["cargo", "build", "-p", function], STATE / "cargo-debug.log", env=env, cwd=ROOT)
    with watching(env, function) as port:
        before = LOG.stat().st_size
        answer = send(env, port, function, event)
        time.sleep(0.2)  # The log's last line may still be on its way through the pipe.
        logged = LOG.read_bytes()[before:].decode("utf-8", "replace")
    say(f"{function} logged:")
    for line in logged.splitlines():
        if _is_own(line):
            say(f"  {escape_controls(line)}")
    say(f"{function} answered:")
    for line in (answer.stdout + answer.stderr).splitlines():
        if line.strip():
            say(f"  {escape_controls(line)}")
    return answer.returncode


def _samples() -> list[str]:
    """One sample event of each folder; `events/data` holds messages, not events."""
    folders = sorted(path for path in (ROOT / "events").iterdir() if path.is_dir() and path.name != "data")
    return [str(min(folder.glob("*.json")).relative_to(ROOT)) for folder in folders if any(folder.glob("*.json"))]


def send(env: Mapping[str, str], port: int, function: str, event: Path) -> subprocess.CompletedProcess[str]:
    """Sends one event to a function that `cargo lambda watch` has on this port."""
    command = ["cargo", "lambda", "invoke", function, "-A", HOST, "-P", str(port), "--data-file", str(event)]
    return subprocess.run(command, env=env, cwd=ROOT, capture_output=True, text=True)


@contextlib.contextmanager
def watching(env: Mapping[str, str], function: str | None = None) -> Iterator[int]:
    """Runs `cargo lambda watch` for one function, or all of them, on a free port; ends it and them whatever happens."""
    port = free_port()
    one = ["--wait", "-p", function] if function else []
    command = ["cargo", "lambda", "watch", "--ignore-changes", *one, "-A", HOST, "-P", str(port)]
    with LOG.open("wb") as log:
        process = subprocess.Popen(
            command, env={**env, **SETTINGS}, cwd=ROOT,
            stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, start_new_session=True,
        )
    try:
        _wait_until_ready(process, port)
        yield port
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGINT)
        try:
            process.wait(timeout=3)
        except subprocess.TimeoutExpired:
            pass
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _wait_until_ready(process: subprocess.Popen[bytes], port: int) -> None:
    until = time.monotonic() + READY_SECONDS
    while time.monotonic() < until and process.poll() is None:
        with contextlib.suppress(OSError), socket.create_connection((HOST, port), timeout=1):
            return
        time.sleep(0.05)
    shown = "\n".join(escape_controls(line) for line in last_lines(LOG, 20))
    raise Failed(f"{shown}\n\n`cargo lambda watch` did not start. Its output is in {LOG}.")


def _is_own(line: str) -> bool:
    """Whether the function wrote this line of its own accord, not cargo or cargo-lambda around it."""
    foreign = ("Compiling", "Finished", "Running", "INFO", "WARN", "DEBUG", "Blocking")
    text = line.strip()
    # `cargo lambda watch` sets this variable to 1 for every function, and the runtime remarks on it each time.
    return bool(text) and not text.startswith(foreign) and "AWS_LAMBDA_MAX_CONCURRENCY" not in text


def main() -> int:
    """Reads the command line and invokes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--function", required=True)
    parser.add_argument("--event", type=Path, required=True)
    arguments = parser.parse_args()
    try:
        return invoke(arguments.function, arguments.event)
    except Failed as failure:
        print(failure, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
