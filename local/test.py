"""Runs every check there is, and ends with the plain line `N passed, N failed`: `make test`."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

import tools
from console import Failed, say
from paths import ROOT, STATE

STACK = STATE / "test" / "end-to-end"
"""The tests' own local AWS: a running `make run` keeps its port, its folder and its messages."""

RESULT = re.compile(r"^test result: \w+\. (\d+) passed; (\d+) failed;")


@dataclass
class Outcome:
    """What the steps came to."""

    passed: int = 0
    failed: int = 0
    broken_steps: list[str] = field(default_factory=list)
    times: list[tuple[str, float]] = field(default_factory=list)


def run_step(outcome: Outcome, title: str, command: list[str], env: dict[str, str] | None = None) -> bool:
    """Runs one step with its output on the terminal; counts the tests it reports."""
    say(f"\n=== {title}: {' '.join(command)}")
    started = time.monotonic()
    process = subprocess.Popen(
        command, cwd=ROOT, env={**os.environ, **(env or {})}, stdin=subprocess.DEVNULL,
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
    outcome.times.append((title, time.monotonic() - started))
    if code != 0:
        outcome.broken_steps.append(title)
        say(f"=== {title}: FAILED with exit code {code}")
    return code == 0


def cargo(command: str) -> list[str]:
    """A command over all packages with all features: what one of them compiles, the next finds compiled."""
    return ["cargo", command, "--workspace", "--all-features"]


def run_all() -> Outcome:
    """Cheap checks first, the local AWS last."""
    outcome = Outcome()
    cargo_env = {"PATH": tools.path_with(tools.ensure("build"), tools.ensure("sam"))}
    run_step(outcome, "format", ["cargo", "fmt", "--all", "--check"])
    run_step(outcome, "template", ["sam", "validate", "--lint"], {**cargo_env, "SAM_CLI_TELEMETRY": "0", "AWS_DEFAULT_REGION": "us-east-1"})
    run_step(outcome, "lints", [*cargo("clippy"), "--all-targets", "--", "-D", "warnings"])
    run_step(outcome, "the crate without features", ["cargo", "clippy", "-p", "sluicegate", "--no-default-features", "--", "-D", "warnings"])
    run_step(outcome, "documentation", [*cargo("doc"), "--no-deps"], {"RUSTDOCFLAGS": "-D warnings"})
    if shutil.which("cargo-deny"):
        run_step(outcome, "dependencies", ["cargo", "deny", "check", "bans", "licenses", "sources"])
    run_step(outcome, "unit tests", [*cargo("test"), "--no-fail-fast", "--lib", "--bins"])
    run_step(outcome, "doc tests", [*cargo("test"), "--no-fail-fast", "--doc"])
    run_step(outcome, "simulation", ["cargo", "test", "--profile", "simulation", "-p", "simulation", "--test", "seeds"])
    _end_to_end(outcome)
    return outcome


def _end_to_end(outcome: Outcome) -> None:
    tools.ensure("microburst")
    stack = [sys.executable, str(ROOT / "local" / "stack.py")]
    folder = ["--dir", str(STACK)]
    try:
        # Each function may do only what its role allows: every route that works has the permissions it needs.
        if run_step(outcome, "local AWS for the tests", [*stack, "up", *folder, "--enforce-iam"]):
            # As it was built: what is deployed is what is looked at.
            run_step(outcome, "template security", [sys.executable, str(ROOT / "local" / "template_security.py")])
            env = {"SLUICEGATE_STACK_ENV": str(STACK / "stack.env")}
            run_step(outcome, "end to end", [*cargo("test"), "--no-fail-fast", "--test", "sluicegate"], env)
    finally:
        subprocess.run([*stack, "down", *folder], cwd=ROOT)


def main() -> int:
    """Runs everything and sums it up."""
    started = time.monotonic()
    try:
        outcome = run_all()
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
