"""Brings a stack up on a local AWS of its own, and takes it down: `stack.py up|down|status|env --dir FOLDER`."""

from __future__ import annotations

import argparse
import fcntl
import sys
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Iterator

import deploy
import emulator
import live
import tools
from build import build, build_debug
from console import Failed, end_with_the_reader, exit_code, say, step
from paths import STATE, shown

FAMILIAR_PORT = 4566
"""Where local AWS emulators are expected; taken by `make run` when it is free."""


@dataclass(frozen=True)
class Wanted:
    """What a stack is to be like."""

    parameters: dict[str, str]
    manner: emulator.Manner
    debug: bool
    """Whether its functions are debug builds for this machine, and not what AWS gets."""


def up(folder: Path, port: int | None, prefer: bool, wanted: Wanted) -> None:
    """Builds, starts and deploys what is missing or out of date in `folder`."""
    with one_at_a_time():
        with tools.meanwhile("ministack", "sam") as installed:
            built = build_debug() if wanted.debug else build()
            installed.result()
        running, deployed = emulator.find(folder), live.deployed(folder)
        is_same = running and deployed and deployed.shape == _shape(wanted)
        changed = live.changed(built.parent, deployed) if deployed else []
        if running and is_same and not changed:
            say(f"the stack is up and up to date at {running.endpoint}")
            return
        if running and deployed and is_same:
            # New code is an update, and messages stay.
            with step("putting in the new code"):
                live.put_from_outside(folder, built.parent, changed)
            say(f"the stack at {running.endpoint} has the new code")
            return
        # Anything else begins anew: the emulator overlooks changes that reach a resource only through a condition, and a
        # deploy that was broken off may have left half a stack.
        live.forget(folder)
        started = _start(folder, port, prefer, wanted.manner)
        deploy.write(folder, started, deploy.deploy(started, built, folder, wanted.parameters))
        live.remember(folder, live.Deployed(_shape(wanted), wanted.parameters, asdict(wanted.manner), live.code(built.parent)))
    say(f"the stack is up at {started.endpoint}; its outputs are in {shown(folder / 'stack.env')}")


def down(folder: Path) -> None:
    """Ends the emulator of `folder`; what it wrote stays readable until the next start."""
    stopped = emulator.stop(folder)
    live.forget(folder)
    for name in ("stack.env", "stack.json"):
        (folder / name).unlink(missing_ok=True)
    say("the local AWS has stopped" if stopped else "no local AWS was running")


def status(folder: Path) -> int:
    """Says whether the stack is up, and where."""
    running = emulator.find(folder)
    if running is None:
        say("no local AWS is running; `make run` starts one")
        return 1
    say(f"the local AWS runs at {running.endpoint} (process {running.pid}), its log is {shown(folder / 'emulator.log')}")
    for name, value in deploy.read(folder).items():
        say(f"  {name:<30} {value}")
    return 0


def env(folder: Path) -> int:
    """Prints `stack.env`."""
    file = folder / "stack.env"
    if not file.exists():
        print(f"{shown(file)} is missing; `make run` writes it", file=sys.stderr)
        return 1
    print(file.read_text(), end="")
    return 0


def _start(folder: Path, port: int | None, prefer: bool, manner: emulator.Manner) -> emulator.Emulator:
    emulator.stop(folder)
    if port is None and prefer:
        if emulator.port_is_free(FAMILIAR_PORT):
            port = FAMILIAR_PORT
        else:
            say(f"port {FAMILIAR_PORT} is taken by another program: the local AWS gets a free one")
    elif port is not None and not emulator.port_is_free(port):
        raise Failed(f"port {port} is taken by another program; leave --port away to get a free one")
    with step("starting the local AWS", folder / "emulator.log"):
        return emulator.start(folder, port, manner)


def _shape(wanted: Wanted) -> str:
    return live.shape(wanted.parameters, asdict(wanted.manner))


@contextmanager
def one_at_a_time() -> Iterator[None]:
    """Keeps a second `make` from building into the folder this one deploys from."""
    STATE.mkdir(exist_ok=True)
    with (STATE / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            with step("waiting for another make to build and deploy"):
                fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _pair(text: str) -> tuple[str, str]:
    name, sign, value = text.partition("=")
    if not sign:
        raise argparse.ArgumentTypeError(f"expected NAME=VALUE, got {text!r}")
    return name, value


def main() -> int:
    """Reads the command line and does what it says."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("command", choices=("up", "down", "status", "env"))
    parser.add_argument("--dir", type=Path, default=STATE / "run", help="the folder this stack lives in")
    parser.add_argument("--port", type=int, help="listen here; without it the system chooses a free port")
    parser.add_argument("--prefer-familiar-port", action="store_true", help=f"take {FAMILIAR_PORT} when it is free")
    parser.add_argument("--parameter", type=_pair, action="append", default=[], metavar="NAME=VALUE", help="override a template parameter")
    parser.add_argument("--functions-endpoint", metavar="URL", help="where functions reach AWS: a fault proxy in front of this stack")
    parser.add_argument("--enforce-iam", action="store_true", help="let each function do only what its role allows")
    parser.add_argument("--debug", action="store_true", help="debug builds for this machine instead of what AWS gets: far sooner built")
    arguments = parser.parse_args()
    manner = emulator.Manner(arguments.functions_endpoint, arguments.enforce_iam)
    folder = arguments.dir.resolve()
    if arguments.command == "up":
        folder.mkdir(parents=True, exist_ok=True)
        wanted = Wanted(dict(arguments.parameter), manner, arguments.debug)
        return exit_code(lambda: up(folder, arguments.port, arguments.prefer_familiar_port, wanted))
    if arguments.command == "down":
        return exit_code(lambda: down(folder))
    end_with_the_reader()
    return exit_code(lambda: status(folder) if arguments.command == "status" else env(folder))


if __name__ == "__main__":
    sys.exit(main())
