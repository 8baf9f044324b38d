"""Edits a function beside a running stack, in a copy of the repository, as people do with `make watch`. Run by the ministack
environment's Python, which has boto3."""

from __future__ import annotations

import os
import queue
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Callable

import clients
import environment
from checks.new_functions import NOT_COPIED
from console import Failed, say
from deploy import read
from demo.function_log import FunctionLog
from paths import HERE, STATE

FOLDER = STATE / "test" / "watch"
COPY, RUN = FOLDER / "copy", FOLDER / "run"
FILE = COPY / "functions" / "sns-logger" / "src" / "lib.rs"
SENTENCE = '"notification received"'
PATIENCE_SECONDS = 900.0
"""For what is compiled while other steps compile."""


class Watch:
    """`make watch` on the copy; its lines are read as they come."""

    def __init__(self, env: dict[str, str]) -> None:
        command = [sys.executable, HERE / "local" / "watch.py", "--dir", RUN]
        self._process = subprocess.Popen(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self._lines: queue.Queue[str | None] = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._lines.put(line)
        self._lines.put(None)

    def says(self, text: str) -> None:
        """Waits for a line with this in it."""
        until = time.monotonic() + PATIENCE_SECONDS
        while True:
            try:
                line = self._lines.get(timeout=max(0.0, until - time.monotonic()))
            except queue.Empty:
                raise Failed(f"`make watch` did not say {text!r}") from None
            if line is None:
                raise Failed(f"`make watch` ended and did not say {text!r}")
            say(f"  {line.rstrip()}")
            if text in line:
                return

    def end(self) -> int:
        """Ctrl-C."""
        self._process.send_signal(signal.SIGINT)
        return self._process.wait(timeout=60)


def answers(text: str, sentence: str) -> None:
    """Publishes `text`; the running function says `sentence` of it."""
    outputs, since = read(RUN), time.time()
    clients.client(outputs, "sns").publish(TopicArn=outputs["NotificationTopicArn"], Message=text)
    groups = {"sns-logger": clients.log_groups(outputs)["sns-logger"]}
    log = FunctionLog(clients.client(outputs, "logs"), groups, since - 1)
    found = _eventually(lambda: [line.message for line in log.read() if line.get("body") == text], f"a line of {text!r}")
    if found != [sentence]:
        raise Failed(f"of {text!r} it was said: {found}")


def _eventually(ask: Callable[[], list[str]], what: str) -> list[str]:
    until = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < until:
        found = ask()
        if found:
            return found
        time.sleep(0.5)
    raise Failed(f"there was never {what}")


def edit(stack: list[str | Path], env: dict[str, str]) -> None:
    """An edit goes live, one that does not compile changes nothing, and its mending goes live again."""
    subprocess.run([*stack, "up", "--debug", "--dir", RUN], env=env, check=True)
    before = FILE.read_text()
    if SENTENCE not in before:
        raise Failed(f"sns-logger has no {SENTENCE}")
    watch = Watch(env)
    try:
        watch.says("watching functions/")
        FILE.write_text(before.replace(SENTENCE, '"notification seen"'))
        watch.says("sns-logger live after")
        answers("after an edit", "notification seen")
        FILE.write_text(before.replace(SENTENCE, "notification_received"))
        watch.says("the old code stays")
        answers("after a mistake", "notification seen")
        FILE.write_text(before)
        watch.says("sns-logger live after")
        answers("after its mending", "notification received")
    finally:
        code = watch.end()
    if code != 0:
        raise Failed(f"`make watch` ended with exit code {code}")


def main() -> int:
    """The exit code says whether all went well."""
    env = {**environment.clean(), "SLUICEGATE_ROOT": str(COPY), "PYTHONPATH": os.environ["PYTHONPATH"]}
    stack: list[str | Path] = [sys.executable, HERE / "local" / "stack.py"]
    shutil.rmtree(COPY, ignore_errors=True)
    # With the times of the files: what was compiled for the last run is found.
    shutil.copytree(HERE, COPY, ignore=NOT_COPIED)
    # Cargo tells crates of one name apart by their version: what is compiled of an edit must not pass for what was not edited.
    manifest = COPY / "Cargo.toml"
    edited, count = re.subn(r'(?m)^version = "(.*)"$', r'version = "\1-watched"', manifest.read_text(), count=1)
    assert count == 1, "the workspace has no version"
    manifest.write_text(edited)
    failure = ""
    try:
        edit(stack, env)
    except (Failed, subprocess.SubprocessError) as problem:
        failure = str(problem)
    finally:
        subprocess.run([*stack, "down", "--dir", RUN], env=env)
    say(f"test an edit beside a running stack ... {failure or 'ok'}")
    say(f"test result: {'FAILED. 0 passed; 1 failed;' if failure else 'ok. 1 passed; 0 failed;'}")
    return 1 if failure else 0


if __name__ == "__main__":
    sys.exit(main())
