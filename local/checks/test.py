"""Runs every check there is, and ends with the plain line `N passed, N failed`: `make test`."""

from __future__ import annotations

import argparse
import re
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

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


@dataclass
class Outcome:
    """What the steps came to."""

    passed: int = 0
    failed: int = 0
    broken_steps: list[str] = field(default_factory=list)
    times: list[tuple[str, float]] = field(default_factory=list)


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

    def run(self, outcome: Outcome) -> bool:
        """Runs it with its output on the terminal; counts the tests it reports."""
        paths = [tools.ensure(name) for name in self.tools]
        say(f"\n=== {self.title}: {' '.join(map(str, self.command))}")
        started = time.monotonic()
        process = subprocess.Popen(
            self.command, cwd=ROOT, env={**self.env, "PATH": environment.path_with(*paths)}, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="backslashreplace",
        )
        assert process.stdout is not None
        try:
            for line in process.stdout:
                print(line, end="", flush=True)
                counted = RESULT.match(line)
                if counted:
                    outcome.passed += int(counted[1])
                    outcome.failed += int(counted[2])
            code = process.wait()
        except BaseException:
            process.terminate()
            process.wait()
            raise
        outcome.times.append((self.title, time.monotonic() - started))
        if code != 0:
            outcome.broken_steps.append(self.title)
            say(f"=== {self.title}: FAILED with exit code {code}")
        return code == 0


def cargo(command: str) -> list[str | Path]:
    """A command over all packages with all features: what one of them compiles, the next finds compiled."""
    return ["cargo", command, "--workspace", "--all-features"]


def steps() -> list[Step]:
    """Every step: cheap checks first, the local AWS last."""
    env = environment.for_cargo()
    strict = {**env, "RUSTDOCFLAGS": "-D warnings"}
    here = {**env, "PYTHONPATH": str(ROOT / "local")}
    on_the_stack = {**env, "SLUICEGATE_STACK_ENV": str(FOLDER / "stack.env")}
    clippy = ["cargo", "clippy", "-p", "sluicegate", "--no-default-features", "--", "-D", "warnings"]
    simulation = ["cargo", "test", "--profile", "simulation", "-p", "simulation", "--test", "seeds"]
    # Each function may do only what its role allows: every route that works has the permissions it needs.
    up = [*STACK, "up", "--dir", FOLDER, "--enforce-iam"]
    found = [
        Step("format", ["cargo", "fmt", "--all", "--check"], env),
        Step("lints", [*cargo("clippy"), "--all-targets", "--", "-D", "warnings"], env),
        Step("the crate without features", clippy, env),
        Step("documentation", [*cargo("doc"), "--no-deps"], strict),
        Step("public items", [sys.executable, "-m", "checks.surface"], here, after="documentation"),
        Step("dependencies", ["cargo", "deny", "check", "bans", "licenses", "sources"], env),
        Step("unit tests", [*cargo("test"), "--no-fail-fast", "--lib"], env),
        Step("doc tests", [*cargo("test"), "--no-fail-fast", "--doc"], env),
        Step("package", [sys.executable, "-m", "checks.package"], here),
        Step("simulation", simulation, env),
        Step("map", [sys.executable, ROOT / "local" / "map.py", "--check"], env),
        Step("by hand", [sys.executable, "-m", "checks.by_hand"], here, ("build",)),
        Step("new functions", [sys.executable, "-m", "checks.new_functions"], here, ("build", "sam")),
        Step("commands", ["python", "-m", "checks.commands"], here, ("sam", "build")),
        Step("template", [sys.executable, "-m", "checks.template"], here, ("sam",)),
        Step("workflows", [sys.executable, "-m", "checks.workflows"], here, ("workflows",)),
        Step(LOCAL_AWS, up, env, ("build", "sam", "ministack")),
        # As it was built: what is deployed is what is looked at.
        Step("template security", [sys.executable, "-m", "checks.template_security"], here, ("sam", "checkov")),
        Step("end to end", [*cargo("test"), "--no-fail-fast", "--test", "sluicegate", *SIDE_BY_SIDE], on_the_stack, ("microburst",), LOCAL_AWS),
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


def run(wanted: list[Step]) -> Outcome:
    """Runs these one after the other; their tools are installed meanwhile."""
    outcome = Outcome()
    needed = [name for step in wanted for name in step.tools]
    try:
        with tools.meanwhile(*dict.fromkeys(needed)):
            for step in wanted:
                if step.after not in outcome.broken_steps:
                    step.run(outcome)
    finally:
        if any(step.title == LOCAL_AWS for step in wanted):
            subprocess.run([*STACK, "down", "--dir", FOLDER], cwd=ROOT)
    return outcome


def main() -> int:
    """Runs everything, or what is asked for, and sums it up."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default="", help="these steps, separated by commas")
    only = parser.parse_args().only
    started = time.monotonic()
    try:
        outcome = run(chosen(only))
    except Failed as failure:
        print(failure, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    say()
    for title, seconds in outcome.times:
        say(f"{title:<30} {'FAILED' if title in outcome.broken_steps else 'ok':<7} {seconds:6.1f} s")
    say(f"{'all':<30} {'FAILED' if outcome.broken_steps else 'ok':<7} {time.monotonic() - started:6.1f} s")
    # A step may break without a failed test: then it is named here, and the exit code says so.
    for title in outcome.broken_steps:
        say(f"broken: {title}")
    say(f"{outcome.passed} passed, {outcome.failed} failed")
    return 1 if outcome.broken_steps or outcome.failed else 0


if __name__ == "__main__":
    sys.exit(main())
