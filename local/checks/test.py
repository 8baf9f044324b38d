"""Runs every check there is, and ends with the plain line `N passed, N failed`: `make test`."""

from __future__ import annotations

import argparse
import re
import shutil
import subprocess
import sys
import time
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from threading import Lock

import environment
import tools
from console import Failed, say
from paths import ROOT, STATE

FOLDER = STATE / "test" / "end-to-end"
"""The tests' own local AWS: a running `make run` keeps its port, its folder and its messages."""

STACK = [sys.executable, ROOT / "local" / "stack.py"]
LOCAL_AWS = "local AWS for the tests"

SIDE_BY_SIDE = ["--", "--test-threads", "8"]
"""They wait more than they work: for messages, heartbeats and time-outs."""

RESULT = re.compile(r"^test result: \w+\. (\d+) passed; (\d+) failed;")


@dataclass(frozen=True)
class Outcome:
    """What a step came to."""

    title: str
    code: int
    seconds: float
    passed: int
    failed: int


@dataclass(frozen=True)
class Step:
    """One check: a command, by the name that the sum at the end gives it."""

    title: str
    command: list[str | Path]
    env: dict[str, str]
    tools: tuple[str, ...] = ()
    """What it needs of `.local/tools`."""
    after: str = ""
    """The step without which it cannot be."""
    waits: bool = False
    """It waits more than it works: the steps behind it run beside it."""

    def run(self, screen: Screen) -> Outcome:
        """Runs it with its output on the screen; counts the tests it reports."""
        paths = [tools.ensure(name) for name in self.tools]
        screen.line(f"\n=== {self.title}: {' '.join(map(str, self.command))}\n")
        started = time.monotonic()
        process = subprocess.Popen(
            self.command, cwd=ROOT, env={**self.env, "PATH": environment.path_with(*paths)}, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="backslashreplace",
        )
        assert process.stdout is not None
        screen.processes.append(process)
        passed = failed = 0
        for line in process.stdout:
            screen.line(line)
            counted = RESULT.match(line)
            if counted:
                passed, failed = passed + int(counted[1]), failed + int(counted[2])
        code = process.wait()
        if code != 0:
            screen.line(f"=== {self.title}: FAILED with exit code {code}\n")
        return Outcome(self.title, code, time.monotonic() - started, passed, failed)


class Screen:
    """The terminal, for one step after the other; what another one says meanwhile is kept until its turn."""

    def __init__(self, is_shown: bool = True) -> None:
        self.processes: list[subprocess.Popen[str]] = []
        self._kept: list[str] | None = None if is_shown else []
        self._turn = Lock()

    def line(self, text: str) -> None:
        """Shows it, or keeps it."""
        with self._turn:
            if self._kept is None:
                print(text, end="", flush=True)
            else:
                self._kept.append(text)

    def show(self) -> None:
        """Shows what was kept, and from now on all."""
        with self._turn:
            print("".join(self._kept or []), end="", flush=True)
            self._kept = None

    def end(self) -> None:
        """Ends what still runs."""
        for process in self.processes:
            process.terminate()
            process.wait()


def cargo(command: str) -> list[str | Path]:
    """A command over all packages with all features: what one of them compiles, the next finds compiled."""
    return ["cargo", command, "--workspace", "--all-features"]


def steps() -> list[Step]:
    """Every step: cheap checks first; beside the tests on the local AWS, what compiles."""
    env = environment.for_cargo()
    strict = {**env, "RUSTDOCFLAGS": "-D warnings"}
    here = {**env, "PYTHONPATH": str(ROOT / "local")}
    on_the_stack = {**env, "SLUICEGATE_STACK_ENV": str(FOLDER / "stack.env")}
    clippy = ["cargo", "clippy", "-p", "sluicegate", "--no-default-features", "--", "-D", "warnings"]
    simulation = ["cargo", "test", "--profile", "simulation", "-p", "simulation", "--test", "seeds"]
    end_to_end = [*cargo("test"), "--no-fail-fast", "--test", "sluicegate", *SIDE_BY_SIDE]
    # Each function may do only what its role allows: every route that works has the permissions it needs.
    up = [*STACK, "up", "--dir", FOLDER, "--enforce-iam"]
    found = [
        Step("format", ["cargo", "fmt", "--all", "--check"], env),
        Step("lints", [*cargo("clippy"), "--all-targets", "--", "-D", "warnings"], env),
        Step("the crate without features", clippy, env),
        Step("documentation", [*cargo("doc"), "--no-deps"], strict),
        Step("public items", [sys.executable, "-m", "checks.surface"], here, after="documentation"),
        Step("map", [sys.executable, ROOT / "local" / "map.py", "--check"], env),
        Step("dependencies", ["cargo", "deny", "check", "bans", "licenses", "sources"], env),
        Step("unit tests", [*cargo("test"), "--no-fail-fast", "--lib"], env),
        Step(LOCAL_AWS, up, env, ("build", "sam", "ministack")),
        Step("end to end", end_to_end, on_the_stack, ("microburst",), LOCAL_AWS, waits=True),
        # As it was built: what is deployed is what is looked at.
        Step("template security", [sys.executable, "-m", "checks.template_security"], here, ("sam", "checkov"), LOCAL_AWS),
        Step("template", [sys.executable, "-m", "checks.template"], here, ("sam",)),
        Step("workflows", [sys.executable, "-m", "checks.workflows"], here, ("workflows",)),
        Step("commands", ["python", "-m", "checks.commands"], here, ("sam", "build")),
        Step("by hand", [sys.executable, "-m", "checks.by_hand"], here, ("build",)),
        Step("watch", ["python", "-m", "checks.watch"], here, ("ministack",)),
        Step("new functions", [sys.executable, "-m", "checks.new_functions"], here, ("build", "sam")),
        Step("doc tests", [*cargo("test"), "--no-fail-fast", "--doc"], env),
        Step("simulation", simulation, env),
    ]
    return [step for step in found if step.title != "dependencies" or shutil.which("cargo-deny")]


def chosen(only: str) -> list[Step]:
    """The steps that are named, and what they cannot be without; every one where none is named."""
    every = steps()
    names = [name.strip().replace("-", " ").lower() for name in only.split(",") if name.strip()]
    titles = {step.title.lower(): step for step in every}
    unknown = [name for name in names if name not in titles]
    if unknown:
        raise Failed(f"there is no step {unknown[0]!r}; the steps are:\n  " + "\n  ".join(step.title for step in every))
    wanted = {titles[name].title for name in names} | {titles[name].after for name in names}
    return [step for step in every if not names or step.title in wanted]


def run(wanted: list[Step]) -> list[Outcome]:
    """Runs these one after the other, and the one that waits beside those behind it; their tools are installed meanwhile."""
    outcomes: list[Outcome] = []
    needed = [name for step in wanted for name in step.tools]
    screen, aside = Screen(), Screen(is_shown=False)
    try:
        with tools.meanwhile(*dict.fromkeys(needed)), ThreadPoolExecutor(1) as beside:
            waiting: list[Future[Outcome]] = []
            try:
                for step in wanted:
                    if step.after in [outcome.title for outcome in outcomes if outcome.code != 0]:
                        continue
                    if step.waits:
                        waiting.append(beside.submit(step.run, aside))
                    else:
                        outcomes.append(step.run(screen))
                aside.show()
                outcomes.extend(future.result() for future in waiting)
            finally:
                screen.end()
                aside.end()
    finally:
        if any(step.title == LOCAL_AWS for step in wanted):
            subprocess.run([*STACK, "down", "--dir", FOLDER], cwd=ROOT)
    return outcomes


def main() -> int:
    """Runs everything, or what is asked for, and sums it up."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default="", help="these steps, separated by commas")
    only = parser.parse_args().only
    started = time.monotonic()
    try:
        outcomes = run(chosen(only))
    except Failed as failure:
        print(failure, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    say()
    for outcome in outcomes:
        say(f"{outcome.title:<30} {'ok' if outcome.code == 0 else 'FAILED':<7} {outcome.seconds:6.1f} s")
    # A step may break without a failed test: then it is named here, and the exit code says so.
    broken = [outcome.title for outcome in outcomes if outcome.code != 0]
    say(f"{'all':<30} {'FAILED' if broken else 'ok':<7} {time.monotonic() - started:6.1f} s")
    for title in broken:
        say(f"broken: {title}")
    passed, failed = sum(outcome.passed for outcome in outcomes), sum(outcome.failed for outcome in outcomes)
    say(f"{passed} passed, {failed} failed")
    return 1 if broken or failed else 0


if __name__ == "__main__":
    sys.exit(main())
