"""What the local run says to the person in front of it."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from pathlib import Path
from typing import Iterator, Mapping, Sequence

QUIET_INTERVAL_SECONDS = 15.0
"""How often a long step reports where no terminal redraws its line."""


class Failed(Exception):
    """A step failed; the text says what to do next and is shown without a stack trace."""


def escape_controls(text: str) -> str:
    """Makes control characters visible, so that a message's text cannot steer the terminal."""
    return "".join(
        char if char.isprintable() else char.encode("unicode_escape").decode("ascii") for char in text
    )


def end_with_the_reader() -> None:
    """Lets a closed pipe (`make logs | head`) end this process quietly, as it does other tools."""
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)


def say(text: str = "") -> None:
    """Prints one line at once."""
    print(text, flush=True)


@contextmanager
def step(title: str, log: Path | None = None) -> Iterator[None]:
    """Shows `title`, the time it has taken so far and the last line of `log`; then how it ended."""
    started = time.monotonic()
    ended = threading.Event()
    ticker = threading.Thread(target=_tick, args=(title, started, ended, log), daemon=True)
    ticker.start()
    outcome = "FAILED"
    try:
        yield
        outcome = "done"
    finally:
        ended.set()
        ticker.join()
        clear = "\r\x1b[2K" if sys.stdout.isatty() else ""
        say(f"{clear}{title:<46} {outcome} in {time.monotonic() - started:.1f} s")


def _tick(title: str, started: float, ended: threading.Event, log: Path | None) -> None:
    redraws = sys.stdout.isatty()
    while not ended.wait(0.5 if redraws else QUIET_INTERVAL_SECONDS):
        note = f"{title:<46} {time.monotonic() - started:4.0f} s  {_last_line(log)}"
        if redraws:
            print(f"\r\x1b[2K{note[:110]}", end="", flush=True)
        else:
            say(note[:160])


def _last_line(log: Path | None) -> str:
    lines = last_lines(log, 1) if log else []
    return escape_controls(lines[0].strip()) if lines else ""


def last_lines(log: Path, count: int) -> list[str]:
    """The last lines of `log` that say anything."""
    if not log.exists():
        return []
    with log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - 16_384))
        text = file.read().decode("utf-8", "replace")
    return [line for line in text.replace("\r", "\n").splitlines() if line.strip()][-count:]


def run_logged(
    title: str, command: Sequence[str | Path], log: Path, *, env: Mapping[str, str] | None = None, cwd: Path | None = None
) -> None:
    """Runs `command` as one step; its output goes to `log`, and to the terminal only if it fails."""
    log.parent.mkdir(parents=True, exist_ok=True)
    with step(title, log), log.open("wb") as file:
        outcome = subprocess.run(
            [str(part) for part in command], stdin=subprocess.DEVNULL, stdout=file, stderr=subprocess.STDOUT, env=env, cwd=cwd
        )
        if outcome.returncode != 0:
            shown = "\n".join(escape_controls(line) for line in last_lines(log, 40))
            raise Failed(f"{shown}\n\n{title}: failed with exit code {outcome.returncode}. The whole output is in {log}.")
