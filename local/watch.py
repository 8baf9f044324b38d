"""Puts each change into the running stack as it is saved: `make watch`. Run by the ministack environment's Python, which has boto3."""

from __future__ import annotations

import argparse
import signal
import subprocess
import sys
import time
from pathlib import Path

import build
import deploy
import emulator
import environment
import live
from console import Failed, escape_controls, exit_code, last_lines, say
from paths import ROOT, STATE
from stack import one_at_a_time

PAUSE_SECONDS = 0.2
"""Looking at a thousand files takes a hundredth of a second."""

LOG = STATE / "watch.log"
"""What cargo says."""

TEMPLATE = ROOT / "template.yaml"

Seen = dict[Path, tuple[int, int]]
"""The time and the size of each file."""


def look() -> Seen:
    """The files that functions are made of, as they are now."""
    seen: Seen = {}
    for source in (*build.SOURCES, TEMPLATE.name):
        path = ROOT / source
        for file in path.rglob("*") if path.is_dir() else [path]:
            # An editor writes beside the file, and moves.
            if file.suffix in (".rs", ".toml", ".lock", ".yaml") and file.is_file():
                status = file.stat()
                seen[file] = (status.st_mtime_ns, status.st_size)
    return seen


def watch(folder: Path) -> None:
    """Waits for changes, and makes each live, until interrupted."""
    if emulator.find(folder) is None or live.deployed(folder) is None:
        raise Failed("no stack is up; `make run` starts one")
    # What was changed before is made live at once.
    before: Seen = {}
    while True:
        now = look()
        touched = sorted(str(file.relative_to(ROOT)) for file in now.keys() | before.keys() if now.get(file) != before.get(file))
        if touched:
            _make_live(folder, touched if before else [])
            if not before:
                say("watching functions/, shared/ and template.yaml; Ctrl-C ends it")
            before = now
        time.sleep(PAUSE_SECONDS)


def _make_live(folder: Path, touched: list[str]) -> None:
    """Compiles, and puts in what differs from what runs. What does not compile changes nothing."""
    started = time.monotonic()
    if touched:
        say(f"{_named(touched)} saved")
    with one_at_a_time():
        if not _compiles():
            say("it does not compile: the old code stays")
            return
        compiled = time.monotonic() - started
        try:
            changed = _put(folder)
        except Failed as failure:
            say(str(failure))
            return
    if changed:
        say(f"{', '.join(changed)} live after {time.monotonic() - started:.1f} s ({compiled:.1f} of them cargo)")
    elif touched:
        say(f"nothing changes for the functions ({compiled:.1f} s)")


def _compiles() -> bool:
    command = [*build.debug_command(), "--quiet", "--message-format", "short"]
    with LOG.open("wb") as log:
        outcome = subprocess.run(
            command, cwd=ROOT, env=environment.for_cargo(), stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT
        )
    if outcome.returncode != 0:
        for line in last_lines(LOG, 20):
            say(f"  {escape_controls(line)}")
    return outcome.returncode == 0


def _put(folder: Path) -> list[str]:
    """Puts in what differs from what runs, and says what did; an edit of the template is deployed first."""
    built = build.lay_out_debug()
    state, running = live.deployed(folder), emulator.find(folder)
    if state is None or running is None:
        raise Failed("the stack is gone; `make run` starts one")
    shape = live.shape(state.parameters, state.manner)
    is_edited = shape != state.shape
    if is_edited:
        deploy.write(folder, running, deploy.deploy(running, built, folder, state.parameters))
        # CloudFormation knows nothing of code that was put in past it, and may have left that: all of it is put in again.
        state = live.Deployed(shape, state.parameters, state.manner, {})
        live.remember(folder, state)
    changed = live.changed(built.parent, state)
    live.put(folder, built.parent, changed)
    return [TEMPLATE.name] if is_edited else [build.functions()[name] for name in changed]


def _named(files: list[str]) -> str:
    return files[0] if len(files) == 1 else f"{files[0]} and {len(files) - 1} more"


def main() -> int:
    """Reads the command line and watches."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dir", type=Path, default=STATE / "run", help="the folder the stack lives in")
    # Whoever starts this in the background has both ignored.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    return exit_code(lambda: watch(parser.parse_args().dir.resolve()), interrupted=0)


if __name__ == "__main__":
    sys.exit(main())
