"""What the local run says to the person in front of it."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Callable, Iterator, Mapping, Sequence

from paths import STATE

TIMES = STATE / "times.json"
"""How long each step took the last time."""

TICK_SECONDS = 0.5
QUIET_INTERVAL_SECONDS = 15.0
"""How often a long step reports where no terminal redraws its line."""


class Failed(Exception):
    """A step failed; the text says what to do next and is shown without a stack trace."""


def escape_controls(text: str) -> str:
    """Makes control characters visible, so that a message's text cannot steer the terminal."""
    return "".join(
        char if char.isprintable() else char.encode("unicode_escape").decode("ascii") for char in text
    )


def exit_code(work: Callable[[], int | None], interrupted: int = 130) -> int:
    """Does a program's work; the exit code that it gives, or one after the sentence that says what failed."""
    try:
        return work() or 0
    except Failed as failure:
        print(failure, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return interrupted


def end_with_the_reader() -> None:
    """Lets a closed pipe (`make logs | head`) end this process quietly, as it does other tools."""
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)


def say(text: str = "") -> None:
    """Prints one line at once."""
    print(text, flush=True)


@contextmanager
def step(title: str, log: Path | None = None) -> Iterator[None]:
    """Shows `title`, the time it has taken, that of the last time and the last line of `log`; then how it ended.

    Several may be in progress at once, each in a thread of its own.
    """
    begun = _Step(title, log, time.monotonic(), _last_times().get(title))
    _begin(begun)
    outcome = "FAILED"
    try:
        yield
        outcome = "done"
    finally:
        seconds = time.monotonic() - begun.started
        with _lock:
            _in_progress.remove(begun)
            say(f"{_clear()}{title:<46} {outcome} in {seconds:.1f} s")
            if outcome == "done":
                _remember(title, seconds)


@dataclass(frozen=True)
class _Step:
    title: str
    log: Path | None
    started: float
    last_seconds: float | None

    def note(self) -> str:
        last = f" (last time {self.last_seconds:.0f})" if self.last_seconds and self.last_seconds >= 1 else ""
        return f"{self.title} {time.monotonic() - self.started:.0f} s{last}"


_in_progress: list[_Step] = []
_lock = threading.RLock()
_is_ticking = threading.Event()


def _begin(begun: _Step) -> None:
    with _lock:
        _in_progress.append(begun)
        if not _is_ticking.is_set():
            _is_ticking.set()
            threading.Thread(target=_tick, daemon=True).start()


def _tick() -> None:
    """Shows what is in progress until nothing is: in one line of a terminal, or a line each where nothing redraws."""
    redraws = sys.stdout.isatty()
    shown_at = time.monotonic()
    while True:
        time.sleep(TICK_SECONDS)
        with _lock:
            if not _in_progress:
                _is_ticking.clear()
                return
            if redraws:
                notes = "   ".join(each.note() for each in _in_progress)
                columns = shutil.get_terminal_size((110, 24)).columns - 1
                print(f"{_clear()}{notes}   {_last_line(_in_progress[0].log)}"[: columns + len(_clear())], end="", flush=True)
            elif time.monotonic() - shown_at >= QUIET_INTERVAL_SECONDS:
                shown_at = time.monotonic()
                for each in _in_progress:
                    say(f"{each.note()}   {_last_line(each.log)}"[:160])


def _clear() -> str:
    return "\r\x1b[2K" if sys.stdout.isatty() else ""


def _last_times() -> dict[str, float]:
    try:
        return json.loads(TIMES.read_text())
    except (OSError, ValueError):
        return {}


def _remember(title: str, seconds: float) -> None:
    TIMES.parent.mkdir(exist_ok=True)
    TIMES.write_text(json.dumps({**_last_times(), title: round(seconds, 1)}, indent=2) + "\n")


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
