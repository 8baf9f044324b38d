"""Measures the functions: `make bench`. Builds what is measured and what measures, and hands over to the driver."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import build
import environment
import tools
from console import Failed, run_logged, say
from paths import ROOT, STATE


def bare_echo() -> None:
    """Builds what the ratios are to, in a command of its own: cargo unifies features over what one command builds."""
    command = ["cargo", "lambda", "build", "--release", "--package", "bare-echo", "--bin", "bare-echo"]
    env = environment.for_cargo(tools.ensure("build"))
    run_logged("building the bare echo", command, STATE / "bench-echo.log", env=env, cwd=ROOT)


def stock() -> Path:
    """Builds the peers as a stranger has them: a workspace of their own, with cargo's own release profile."""
    target = ROOT / "target" / "stock"
    command = ["cargo", "lambda", "build", "--release", "--manifest-path", ROOT / "bench" / "stock" / "Cargo.toml"]
    env = {**environment.for_cargo(tools.ensure("build")), "CARGO_TARGET_DIR": str(target)}
    run_logged("building the peers of stock Rust", command, STATE / "bench-stock.log", env=env, cwd=ROOT / "bench" / "stock")
    return target / "lambda"


def driver() -> str:
    """Builds what measures."""
    command = ["cargo", "build", "--release", "--package", "bench"]
    run_logged("building the driver", command, STATE / "bench-driver.log", env=environment.for_cargo(), cwd=ROOT)
    return str(ROOT / "target" / "release" / "bench")


def peers() -> list[str]:
    """The driver's argument for the Python peers; none where they cannot be installed."""
    try:
        return ["--python", str(tools.ensure("peers") / "python")]
    except Failed as failure:
        say(f"the Python peers are left out: {failure}")
        return []


def main() -> int:
    """Takes the driver's own arguments."""
    try:
        build.build()
        bare_echo()
        command = [driver(), "--stock", str(stock()), *peers(), *sys.argv[1:]]
    except Failed as failure:
        print(failure, file=sys.stderr)
        return 1
    return subprocess.run(command, cwd=ROOT).returncode


if __name__ == "__main__":
    sys.exit(main())
